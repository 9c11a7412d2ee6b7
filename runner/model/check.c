/*
 * `pig check`: every fault of the inventory in one pass, sorted by place, each once. No host is touched; what hangs on
 * facts is left for check_connected. Which faults there are stands in the files check_*.c.
 */
#include "model/check_int.h"

#include <stdlib.h>
#include <string.h>

/* "file:line:col" of the fault and what it is about: the same for all hosts that share the value. */
static const char *place_key(struct arena *a, struct origin at)
{
	return arena_fmt(a, "%s:%u:%u", at.file ? at.file : "", at.line, at.col);
}

void check_add(struct checking *c, const struct fault *f)
{
	const char *place = place_key(c->a, f->at);
	const char *key = arena_fmt(c->a, "%s %s %s", place, f->id, f->text);
	struct faults *out = c->out;

	if (map_has(&c->seen, key))
		return;
	map_put(&c->seen, key, c);
	if (!f->warning && f->at.file)
		map_put(&c->places, place, c);
	if (out->n == out->cap) {
		uint32_t cap = out->cap ? out->cap * 2 : 64;
		struct fault *items = arena_new_of(c->a, struct fault, cap);
		if (out->n)
			memcpy(items, out->items, out->n * sizeof *items);
		out->items = items;
		out->cap = cap;
	}
	out->items[out->n++] = *f;
	out->errors += !f->warning;
	out->notes += f->note;
}

struct origin origin_of(struct arena *a, const char *where)
{
	struct origin at = { 0 };
	const char *col = strrchr(where, ':'), *line = col;

	while (line && line > where && line[-1] != ':')
		line--;
	if (strstr(where, "://") && strchr(where, '#')) /* of a database, whose places have no lines */
		return (struct origin){ arena_str(a, where), 0, 0 };
	if (!col || line == where || line == col)
		return at;
	at.line = (uint32_t)strtoul(line, NULL, 10);
	at.col = (uint32_t)strtoul(col + 1, NULL, 10);
	if (at.line)
		at.file = arena_strn(a, where, (size_t)(line - 1 - where));
	return at;
}

bool origin_is_default(struct origin at)
{
	return at.file && (!strncmp(at.file, "default of ", 11) || !strncmp(at.file, "preset of ", 10));
}

void check_add_err(struct checking *c, const struct inv_host *h, const char *id, const struct err *e)
{
	struct fault f = { .at = origin_of(c->a, e->where), .id = id, .host = h ? h->name : NULL };

	if (e->code == E_UNKNOWN || (f.at.file && map_has(&c->places, place_key(c->a, f.at))))
		return;
	if (!f.at.file && h)
		f.at = h->at;
	f.text = arena_str(c->a, e->msg);
	f.hint = *e->hint ? arena_str(c->a, e->hint) : NULL;
	check_add(c, &f);
}

const char *const *check_concerned(struct checking *c, uint32_t module)
{
	const struct modules *ms = c->w->modules;

	if (!c->concerned)
		c->concerned = arena_new_of(c->a, const char **, ms->n);
	if (c->concerned[module])
		return c->concerned[module];

	const struct module *m = ms->list[module];
	const char **of = c->concerned[module] = arena_new_of(c->a, const char *, c->n_hosts);
	for (uint32_t i = 0; i < c->n_hosts; i++)
		of[i] = m->m->cluster ? resolver_cluster(resolvers_of(c->rs, c->hosts[i]), m) : "";
	return of;
}

static int by_place(const void *x, const void *y)
{
	const struct fault *a = x, *b = y;
	int d = !a->at.file - !b->at.file; /* those without a place come last */

	if (!d && a->at.file)
		d = strcmp(a->at.file, b->at.file);
	if (!d)
		d = a->at.line < b->at.line ? -1 : a->at.line > b->at.line;
	if (!d)
		d = a->at.col < b->at.col ? -1 : a->at.col > b->at.col;
	return d ? d : strcmp(a->text, b->text);
}

/* Files of values that no vault password opened: nobody can tell what else is wrong. */
static void check_sealed(struct checking *c)
{
	const struct inventory *inv = c->w->inv;

	for (uint32_t i = 0; i < inv->n_sealed; i++) {
		struct value *open;
		struct err e = { 0 };
		if (!vault_value(inv->vault, &open, c->a, inv->sealed[i], &e))
			check_add_err(c, NULL, "vault", &e);
	}
}

void check_all(struct faults *out, struct world *w, struct resolvers *rs, struct inv_host *const *hosts,
	       uint32_t n_hosts)
{
	struct checking c = {
		.a = out->a ? out->a : w->a, .out = out, .w = w, .rs = rs, .hosts = hosts, .n_hosts = n_hosts
	};

	out->a = c.a;
	if (!hosts) {
		c.hosts = w->inv->hosts;
		c.n_hosts = w->inv->n_hosts;
	}
	c.seen = c.places = c.used = c.near = c.others = c.dynamic = c.global = c.names = MAP(c.a);
	check_sealed(&c);
	check_written(&c);
	check_clusters(&c);
	check_missing(&c);
	check_rules(&c, NULL);
	check_ports(&c);
	check_secrets(&c);
	if (out->n)
		qsort(out->items, out->n, sizeof *out->items, by_place);
}

/* ---- after the hello ---- */
static bool first_error(const struct faults *out, struct err *e)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct fault *f = &out->items[i];
		if (f->warning)
			continue;
		fail(e, E_INPUT, "%s", f->text);
		if (f->hint)
			err_hint(e, "%s", f->hint);
		return err_at(e, f->at.file, f->at.line, f->at.col);
	}
	return true;
}

bool check_connected(struct resolver *r, struct err *e)
{
	const struct modules *ms = r->rs->w->modules;
	struct faults out = { .a = arena_new() };
	struct checking c = { .a = out.a, .out = &out, .w = r->rs->w, .rs = r->rs, .hosts = &r->h, .n_hosts = 1 };
	bool ok = true;

	c.seen = c.places = c.used = c.near = c.others = c.dynamic = c.global = c.names = MAP(c.a);
	for (uint32_t i = 0; ok && i < ms->n; i++)
		ok = !*check_concerned(&c, i) || resolver_params(r, ms->list[i], e);
	if (ok) {
		check_rules(&c, r->h);
		ok = first_error(&out, e);
	}
	arena_free(out.a);
	return ok;
}
