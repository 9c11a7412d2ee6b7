/*
 * pig doc: what the loaded modules and the template language offer, from the tables they are made of: parameters,
 * tasks, playbooks, filters. There is no other reference that could disagree with it.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

struct doc_words {
	bool markdown, man;
};
static const struct cli_option options[] = {
	{ 0, CLI_FLAG, "markdown", NULL, offsetof(struct doc_words, markdown), "print the reference of all parameters" },
	{ 0, CLI_FLAG, "man", NULL, offsetof(struct doc_words, man), "print the manual page" },
};
static const struct cli_spec spec = {
	.usage = "doc [--markdown|--man]\n"
		 "doc param|task|playbook|filter|test|method [NAME]\n"
		 "doc NAME",
	.text = "What modules offer. Without NAME everything of the kind is listed; a NAME alone is looked for in all "
		"kinds.",
	.common = CLI_INVENTORY | CLI_PLUGINS | CLI_JSON,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.max_args = 2,
};

struct doc {
	struct cli *c;
	struct modules *ms;
	struct err *e;
};

/* One thing: the map is what --json prints, its short lines what a list shows. */
struct item {
	const char *name, *note, *text;
	struct value *v;
};
struct items {
	struct item *list;
	uint32_t n, cap;
};

static void add(struct doc *d, struct items *to, const char *name, const char *note, const char *text, struct value *v)
{
	if (to->n == to->cap) {
		uint32_t cap = to->cap ? to->cap * 2 : 64;
		struct item *list = arena_new_of(d->c->a, struct item, cap);
		if (to->n)
			memcpy(list, to->list, to->n * sizeof *list);
		to->list = list;
		to->cap = cap;
	}
	to->list[to->n++] = (struct item){ name, note, text ? text : "", v };
}

static void put(struct doc *d, struct value *v, const char *key, const char *text)
{
	if (text && *text)
		value_put(d->c->a, v, key, value_str(d->c->a, text));
}

/* ---- parameters ---- */
static const char *level_name(uint8_t level)
{
	static const char *const names[] = { "", "global", "cluster", "instance", "command line" };

	return level <= PIG_ARG ? names[level] : "";
}

static struct value *param_value(struct doc *d, const struct pig_param *row)
{
	struct arena *a = d->c->a;
	struct value *v = value_map(a), *members = value_list(a);
	const struct pig_param *rows = row->members.rows;

	put(d, v, "name", row->name);
	put(d, v, "text", row->text);
	put(d, v, "type", param_type_name(row->type));
	put(d, v, "level", level_name(row->level));
	put(d, v, "default", row->dflt);
	put(d, v, row->type == PIG_ENUM ? "choices" : "form", row->check);
	put(d, v, "was", row->was);
	if (row->flags & PIG_REQUIRED)
		value_put(a, v, "required", value_bool(a, true));
	if (row->flags & PIG_SECRET)
		value_put(a, v, "secret", value_bool(a, true));
	if (row->flags & PIG_DEPRECATED)
		value_put(a, v, "deprecated", value_bool(a, true));
	if (row->flags & PIG_INERT)
		value_put(a, v, "inert", value_bool(a, true));
	for (uint32_t i = 0; i < row->members.n; i++)
		value_push(a, members, param_value(d, &rows[i]));
	if (row->members.n)
		value_put(a, v, "members", members);
	return v;
}

struct value *cli_doc_param(struct cli *c, const struct param *p)
{
	struct doc d = { .c = c };
	struct value *v = param_value(&d, p->row);

	put(&d, v, "module", p->module->m->name);
	if (p->preset) {
		put(&d, v, "preset", p->preset->row->dflt);
		put(&d, v, "preset_by", p->preset->module->m->name);
		put(&d, v, "preset_when", p->preset->row->when);
	}
	return v;
}

static void params_of(struct doc *d, struct items *to)
{
	for (uint32_t i = 0; i < d->ms->params.n; i++) {
		const struct param *p = d->ms->params.items[i].val;
		struct value *v = cli_doc_param(d->c, p);
		const char *note =
			arena_fmt(d->c->a, "%s%s%s", p->module->m->name, p->row->flags & PIG_INERT ? ", inert" : "",
				  p->row->flags & PIG_DEPRECATED ? ", deprecated" : "");
		add(d, to, p->row->name, note, p->row->text, v);
	}
}

/* ---- tasks and playbooks ---- */
static void tasks_of(struct doc *d, struct items *to)
{
	for (uint32_t i = 0; i < d->ms->tasks.n; i++) {
		const struct task_row *t = d->ms->tasks.items[i].val;
		struct value *v = value_map(d->c->a), *in = value_list(d->c->a);
		put(d, v, "name", t->row->name);
		put(d, v, "text", t->row->text);
		put(d, v, "module", t->module->m->name);
		put(d, v, "tags", t->row->tags);
		put(d, v, "when", t->row->when);
		for (uint32_t k = 0; k < d->ms->playbooks.n; k++) {
			const struct playbook *p = d->ms->playbooks.items[k].val;
			for (uint32_t s = 0; s < p->n_steps; s++)
				for (uint32_t j = 0; j < p->steps[s].n_tasks; j++)
					if (p->steps[s].tasks[j] == t)
						value_push(d->c->a, in,
							   value_str(d->c->a, arena_fmt(d->c->a, "%s, step %s", p->name,
											p->steps[s].name)));
		}
		value_put(d->c->a, v, "used_by", in);
		add(d, to, t->row->name, t->module->m->name, t->row->text, v);
	}
}

static struct value *step_value(struct doc *d, const struct step *s)
{
	struct arena *a = d->c->a;
	struct value *v = value_map(a), *tasks = value_list(a);

	put(d, v, "name", s->name);
	put(d, v, "hosts", s->hosts ? s->hosts : arena_fmt(a, "those with %s", s->module->m->cluster));
	for (uint32_t i = 0; i < s->n_tasks; i++)
		value_push(a, tasks, value_str(a, s->tasks[i]->row->name));
	value_put(a, v, "tasks", tasks);
	put(d, v, "needs", s->needs);
	put(d, v, "health", s->health);
	if (s->serial)
		value_put(a, v, "serial", value_int(a, s->serial));
	if (s->flags & PIG_ONCE)
		value_put(a, v, "once", value_bool(a, true));
	if (s->flags & PIG_BARRIER)
		value_put(a, v, "barrier", value_bool(a, true));
	if (s->flags & PIG_GATHER)
		value_put(a, v, "gather", value_bool(a, true));
	if (s->flags & PIG_DESTRUCTIVE)
		value_put(a, v, "destructive", value_bool(a, true));
	put(d, v, "loses", s->loses);
	put(d, v, "safeguard", s->safeguard);
	return v;
}

static void playbooks_of(struct doc *d, struct items *to)
{
	for (uint32_t i = 0; i < d->ms->playbooks.n; i++) {
		const struct playbook *p = d->ms->playbooks.items[i].val;
		struct value *v = value_map(d->c->a), *steps = value_list(d->c->a);
		put(d, v, "name", p->name);
		put(d, v, "text", p->text);
		put(d, v, "module", p->module->m->name);
		for (uint32_t s = 0; s < p->n_steps; s++)
			value_push(d->c->a, steps, step_value(d, &p->steps[s]));
		value_put(d->c->a, v, "steps", steps);
		add(d, to, p->name, p->module->m->name, p->text, v);
	}
}

/* ---- the template language ---- */
static void texts_of(struct doc *d, struct items *to, const struct text_doc *rows, size_t n, const char *kind)
{
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_map(d->c->a);
		put(d, v, "name", rows[i].name);
		put(d, v, "kind", kind);
		put(d, v, "text", rows[i].text);
		add(d, to, rows[i].name, kind, rows[i].text, v);
	}
}

static void filters_of(struct doc *d, struct items *to)
{
	texts_of(d, to, text_filters, text_filters_n, "filter");
}

static void tests_of(struct doc *d, struct items *to)
{
	texts_of(d, to, text_tests, text_tests_n, "test");
}

static void methods_of(struct doc *d, struct items *to)
{
	texts_of(d, to, text_methods, text_methods_n, "method");
}

static const struct kind {
	const char *name;
	void (*fill)(struct doc *, struct items *);
} kinds[] = {
	{ "param", params_of },   { "task", tasks_of }, { "playbook", playbooks_of },
	{ "filter", filters_of }, { "test", tests_of }, { "method", methods_of },
};
enum { KINDS_N = sizeof kinds / sizeof *kinds };

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < KINDS_N; i++) {
		size_t n = strlen(kinds[i].name);
		if (!strncmp(name, kinds[i].name, n) && (!name[n] || !strcmp(name + n, "s")))
			return &kinds[i];
	}
	return NULL;
}

/* ---- printing ---- */
static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct item *)x)->name, ((const struct item *)y)->name);
}

static bool print_list(struct doc *d, struct items *it)
{
	struct buf b = BUF(d->c->a);
	struct value *list = value_list(d->c->a);

	if (it->n)
		qsort(it->list, it->n, sizeof *it->list, by_name);
	for (uint32_t i = 0; i < it->n; i++) {
		buf_fmt(&b, "%-34s %-18s %s\n", it->list[i].name, it->list[i].note, it->list[i].text);
		value_push(d->c->a, list, it->list[i].v);
	}
	return d->c->json ? cli_json(d->c, list, d->e) : cli_out(buf_text(&b), b.len, d->e);
}

static void print_value(struct buf *b, const struct value *v, unsigned depth)
{
	for (uint32_t i = 0; i < value_len(v); i++) {
		const char *key = value_key_at(v, i);
		const struct value *item = value_at(v, i);
		struct buf text = BUF(b->a);
		if (item->type == V_LIST && value_len(item) && value_at(item, 0)->type == V_MAP) {
			buf_fmt(b, "%*s%s:\n", (int)depth * 2, "", key);
			for (uint32_t k = 0; k < value_len(item); k++) {
				print_value(b, value_at(item, k), depth + 1);
				if (k + 1 < value_len(item))
					buf_ch(b, '\n');
			}
			continue;
		}
		if (item->type == V_LIST)
			for (uint32_t k = 0; k < value_len(item); k++)
				buf_fmt(&text, "%s%s", k ? "; " : "", value_cstr(value_at(item, k), ""));
		else if (item->type == V_BOOL)
			buf_str(&text, item->u.b ? "yes" : "no");
		else
			value_print(&text, item);
		buf_fmt(b, "%*s%-10s %s\n", (int)depth * 2, "", key, buf_text(&text));
	}
}

static bool print_one(struct doc *d, const struct item *it)
{
	struct buf b = BUF(d->c->a);

	if (d->c->json)
		return cli_json(d->c, it->v, d->e);
	print_value(&b, it->v, 0);
	return cli_out(buf_text(&b), b.len, d->e);
}

static const struct item *item_find(struct doc *d, const struct items *it, const char *name)
{
	const struct param *was = map_get(&d->ms->was, name);
	size_t n = strlen(name);

	for (uint32_t i = 0; i < it->n; i++)
		if (!strcmp(it->list[i].name, name) || (was && !strcmp(it->list[i].name, was->row->name)) ||
		    (n > 4 && !strcmp(name + n - 4, ".yml") && strlen(it->list[i].name) == n - 4 &&
		     !strncmp(it->list[i].name, name, n - 4)))
			return &it->list[i];
	return NULL;
}

static bool not_found(struct doc *d, const struct items *it, const char *what, const char *name)
{
	const char **names = arena_new_of(d->c->a, const char *, it->n), *near;

	for (uint32_t i = 0; i < it->n; i++)
		names[i] = it->list[i].name;
	near = nearest(name, names, it->n);
	fail(d->e, E_INPUT, "there is no %s \"%s\"", what, name);
	return near ? err_hint(d->e, "Did you mean %s?", near) : false;
}

static bool overview(struct doc *d)
{
	struct buf b = BUF(d->c->a);
	struct value *v = value_map(d->c->a);

	for (size_t i = 0; i < KINDS_N; i++) {
		struct items it = { 0 };
		kinds[i].fill(d, &it);
		buf_fmt(&b, "%5u %-10s pig doc %s\n", it.n, arena_fmt(d->c->a, "%ss", kinds[i].name), kinds[i].name);
		value_put(d->c->a, v, kinds[i].name, value_int(d->c->a, it.n));
	}
	buf_fmt(&b, "%5u %-10s pig module list\n", d->ms->n, "modules");
	value_put(d->c->a, v, "module", value_int(d->c->a, d->ms->n));
	return d->c->json ? cli_json(d->c, v, d->e) : cli_out(buf_text(&b), b.len, d->e);
}

static bool doc(struct doc *d, const char *what, const char *name)
{
	const struct kind *k = what ? kind_find(what) : NULL;
	struct items it = { 0 };
	const struct item *found;

	if (!what)
		return overview(d);
	if (k) {
		k->fill(d, &it);
		if (!name)
			return print_list(d, &it);
		found = item_find(d, &it, name);
		return found ? print_one(d, found) : not_found(d, &it, k->name, name);
	}
	if (name) {
		fail(d->e, E_INPUT, "pig doc does not know the kind \"%s\"", what);
		return err_hint(d->e, "Kinds are param, task, playbook, filter, test and method.");
	}
	for (size_t i = 0; i < KINDS_N; i++)
		kinds[i].fill(d, &it);
	found = item_find(d, &it, what);
	return found ? print_one(d, found)
		     : not_found(d, &it, "parameter, task, playbook, filter, test or method", what);
}

int cli_doc(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 };
	struct doc d = { .c = c, .e = &e };
	struct doc_words own = { 0 };

	if (!cli_parse(c, &spec, &own, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (!cli_modules(c, &d.ms, &e))
		return cli_fail(c, &e);
	if (own.markdown || own.man)
		return (own.markdown ? cli_doc_markdown : cli_doc_man)(c, d.ms, &e) ? 0 : cli_fail(c, &e);
	return doc(&d, c->args.n ? c->args.items[0] : NULL, c->args.n > 1 ? c->args.items[1] : NULL) ? 0
												     : cli_fail(c, &e);
}
