/*
 * Ports that meet on a host: what modules say their hosts listen on, compared over all modules.
 */
#include "model/check_int.h"

#include <string.h>

struct taken { /* one port of one host */
	int64_t port;
	const char *addr;       /* NULL: every address */
	const char *what;       /* "pg_port", "service primary" */
	struct origin at;       /* of the written value; no file when it is a default */
	const struct listen *l; /* whose .when says whether it is listened on at all */
};
struct ports {
	struct checking *c;
	struct resolver *r;
	struct arena *a; /* for this host */
	struct asked asked;
	struct taken *items;
	uint32_t n, cap;
};

static void port_add(struct ports *p, const struct taken *t)
{
	if (t->port <= 0)
		return;
	if (p->n == p->cap) {
		uint32_t cap = p->cap ? p->cap * 2 : 32;
		struct taken *items = arena_new_of(p->a, struct taken, cap);
		if (p->n)
			memcpy(items, p->items, p->n * sizeof *items);
		p->items = items;
		p->cap = cap;
	}
	p->items[p->n++] = *t;
}

static struct origin written(const struct value *v)
{
	return v && v->at.file && !origin_is_default(v->at) ? v->at : (struct origin){ 0 };
}

/* "*", "0.0.0.0", "::" and nothing are every address. */
static const char *one_address(const struct value *v)
{
	const char *s = value_cstr(v, "");

	return !*s || !strcmp(s, "*") || !strcmp(s, "0.0.0.0") || !strcmp(s, "::") ? NULL : s;
}

static void list_add(struct ports *p, const struct listen *l, const struct value *list, const char *name, const char *key)
{
	for (uint32_t i = 0; i < value_len(list); i++) {
		const struct value *item = value_at(list, i), *v = value_get(item, key);
		const char *own = value_cstr(value_get(item, "name"), NULL);
		struct taken t = { .port = value_num(v, 0), .at = written(v), .l = l };
		t.addr = l->row->addr ? one_address(value_get(item, l->row->addr)) : NULL;
		t.what = own ? arena_fmt(p->a, "%s \"%s\"", name, own) : arena_fmt(p->a, "%s[%u]", name, i);
		port_add(p, &t);
	}
}

static void keys_add(struct ports *p, const struct listen *l, const struct value *map, const char *name)
{
	for (uint32_t i = 0; value_is(map, V_MAP) && i < value_len(map); i++) {
		const struct entry *en = &map->u.map.items[i];
		struct value *v = value_from_plain(p->a, en->key, strlen(en->key));
		struct taken t = { .port = value_num(v, 0), .what = arena_fmt(p->a, "%s.%s", name, en->key), .l = l };
		t.at = en->at;
		port_add(p, &t);
	}
}

static const struct value *get(struct ports *p, const char *name)
{
	struct err e;

	e.code = 0; /* the rest is long, and written when it fails */
	const struct value *v = resolver_get(p->r, name, &e);
	p->asked.own |= e.code != 0;
	held_asked(p->c, &p->asked, name, v);
	return v;
}

static void row_add(struct ports *p, const struct listen *l)
{
	const char *row = l->row->port;
	size_t n = strcspn(row, "[{");
	const char *name = row[n] ? arena_strn(p->a, row, n) : row;
	const struct value *v = get(p, name);

	if (!v)
		return;
	if (row[n] == '[') {
		list_add(p, l, v, name, row + n + 3);
	} else if (row[n] == '{') {
		keys_add(p, l, v, name);
	} else {
		struct taken t = { .port = value_num(v, 0), .what = name, .at = written(v), .l = l };
		if (l->row->addr)
			t.addr = one_address(get(p, l->row->addr));
		port_add(p, &t);
	}
}

/* Is the port listened on, as far as one can say before the host is connected? */
static bool listens(struct ports *p, const struct listen *l)
{
	struct scope s = resolver_scope(p->r, p->a, l->module, NULL);
	struct value *v;
	struct err e = { 0 };

	return !l->when || (expr_eval(l->when, p->a, &s, &v, &e) && v->type != V_UNDEF && value_truth(v));
}

static bool is_later(struct origin x, struct origin y)
{
	return x.file && (!y.file || x.line > y.line || (x.line == y.line && x.col > y.col));
}

static void meet(struct ports *p, const struct taken *x, const struct taken *y, const struct inv_host *h)
{
	struct fault f = { .id = "port", .host = h->name };

	if (x->addr && y->addr && strcmp(x->addr, y->addr) != 0)
		return;
	if (!listens(p, x->l) || !listens(p, y->l))
		return;
	if (is_later(x->at, y->at)) { /* the one that came to it is shown */
		const struct taken *t = x;
		x = y;
		y = t;
	}
	f.at = y->at.file ? y->at : h->at;
	f.text = arena_fmt(p->c->a, "port %lld of %s is that of %s already", (long long)y->port, y->what, x->what);
	f.hint = x->at.file ? arena_fmt(p->c->a, "On host \"%s\"; the other one is set at %s:%u:%u.", h->name,
					x->at.file, x->at.line, x->at.col)
			    : arena_fmt(p->c->a, "On host \"%s\"; the other one is a default.", h->name);
	check_add(p->c, &f);
}

/* The modules that have to do with the host, a bit for each of the first 64. */
static uint64_t concerning(struct checking *c, uint32_t host)
{
	uint64_t set = 0;

	for (uint32_t k = 0; k < c->w->modules->n && k < 64; k++)
		set |= (uint64_t)(check_concerned(c, k)[host] != NULL) << k;
	return set;
}

/* Where no two ports are the same, none meet on any host of the same modules and values. */
static void host_ports(struct checking *c, uint32_t host, struct held *held)
{
	const struct modules *ms = c->w->modules;
	struct inv_host *h = c->hosts[host];
	uint64_t of = concerning(c, host);
	bool twice = ms->n > 64;

	if (held_before(c, held, h, of))
		return;
	struct ports p = { .c = c, .r = resolvers_of(c->rs, h), .a = arena_new() };
	for (uint32_t k = 0; k < ms->n; k++) {
		const struct module *m = ms->list[k];
		if (!m->n_listens || map_has(&c->global, m->m->name) || !check_concerned(c, k)[host])
			continue;
		for (uint32_t i = 0; i < m->n_listens; i++)
			row_add(&p, &m->listens[i]);
	}
	for (uint32_t i = 0; i < p.n; i++)
		for (uint32_t k = 0; k < i; k++)
			if (p.items[i].port == p.items[k].port) {
				twice = true;
				meet(&p, &p.items[k], &p.items[i], h);
			}
	if (!twice)
		held_now(c, held, &p.asked, of);
	arena_free(p.a);
}

void check_ports(struct checking *c)
{
	struct held held = { 0 };

	for (uint32_t i = 0; i < c->n_hosts; i++)
		host_ports(c, i, &held);
}
