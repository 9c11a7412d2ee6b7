/*
 * What the instances of a native cluster say of it: each is asked whom it knows and how many keys it holds. What to do
 * is decided from that alone; the inventory only says whom to ask.
 */
#include "module.h"

#include <stdlib.h>

/* The next space-ended word. */
static const char *word(pig_task *t, const char **at)
{
	size_t n = strcspn(*at, " ");
	const char *w = pig_fmt(t, "%.*s", (int)n, *at);

	*at += n + ((*at)[n] == ' ');
	return w;
}

/* "id address:port@bus,name flags master ping pong epoch link slots..." */
static bool read_node(pig_task *t, const char *line, struct node *n, bool *self)
{
	const char *p = line, *id = word(t, &p), *addr = word(t, &p), *flags = word(t, &p), *master = word(t, &p);

	if (strlen(id) != 40 || !strchr(addr, '@'))
		return false;
	for (int i = 0; i < 4; i++)
		word(t, &p);
	*n = (struct node){
		.id = id,
		.addr = pig_fmt(t, "%.*s", (int)strcspn(addr, "@"), addr),
		.master = strstr(flags, "slave") ? master : NULL,
		.failed = strstr(flags, "fail") && !strstr(flags, "fail?"),
		.slots = *p && *p != '[',
	};
	*self = strstr(flags, "myself") != NULL;
	return true;
}

/* Its part of the answer: node lines, then the number of its keys. An error, or nothing: it does not answer. */
static void read_member(pig_task *t, const char *text, struct member *m)
{
	size_t lines = 1;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	m->nodes = t->host->alloc(t, lines * sizeof *m->nodes);
	for (size_t i = 0; i < lines; i++) {
		const char *line = line_at(t, text, i);
		bool self = false;
		if (!line || !*line)
			continue;
		if (read_node(t, line, &m->nodes[m->n_nodes], &self)) {
			/* alone it does not know its own address yet */
			if (self)
				m->id = m->nodes[m->n_nodes].id, m->nodes[m->n_nodes].addr = m->addr;
			m->n_nodes++;
		} else if (line[strspn(line, "0123456789")] == 0) {
			m->keys = strtoll(line, NULL, 10);
			m->answers = true;
		}
	}
	m->answers = m->answers && m->id;
}

bool view_ask(pig_task *t, struct view *v)
{
	struct addr *all;
	const char *calls = "";

	v->n = cluster_addrs(t, &all);
	v->list = t->host->alloc(t, (v->n + 1) * sizeof *v->list);
	for (size_t i = 0; i < v->n; i++) {
		v->list[i] = (struct member){.at = all[i], .addr = pig_fmt(t, "%s:%" PRId64, all[i].ip, all[i].port)};
		calls = pig_fmt(
			t, "%s%s", calls,
			pig_sh(t, "echo '== '%s; ask %s %lld\n", v->list[i].addr, all[i].ip, (long long)all[i].port));
	}
	const pig_op *op = pig_shell(
		t, .note = "what the instances know of their cluster", .reads = true,
		.cmd = pig_fmt(t,
			       "%sask() { printf 'CLUSTER NODES\\nDBSIZE\\n' | cli \"$1\" \"$2\" | tr -d '\\r'; }\n%s",
			       redis_cli_any(t), calls));
	if (!pig_await(t))
		return false;
	const char *out = t->host->output(t, op, NULL);
	for (size_t i = 0; out && i < v->n; i++) {
		const char *head = pig_fmt(t, "== %s\n", v->list[i].addr), *from = strstr(out, head), *end;
		if (!from)
			continue;
		from += strlen(head);
		end = strstr(from, "== ");
		read_member(t, end ? pig_fmt(t, "%.*s", (int)(end - from), from) : from, &v->list[i]);
	}
	return true;
}

const struct node *view_node(const struct member *m, const char *addr)
{
	for (size_t i = 0; i < m->n_nodes; i++)
		if (!strcmp(m->nodes[i].addr, addr))
			return &m->nodes[i];
	return NULL;
}

bool view_knows(const struct member *lead, const char *id)
{
	for (size_t i = 0; id && i < lead->n_nodes; i++)
		if (!strcmp(lead->nodes[i].id, id))
			return true;
	return false;
}

bool view_alone(const struct member *m)
{
	return m->n_nodes == 1 && !m->nodes[0].slots;
}

/* The one that knows the most: it has been there the longest. */
const struct member *view_lead(const struct view *v)
{
	const struct member *lead = NULL;

	for (size_t i = 0; i < v->n; i++)
		if (v->list[i].answers && !view_alone(&v->list[i]) && (!lead || v->list[i].n_nodes > lead->n_nodes))
			lead = &v->list[i];
	return lead;
}
