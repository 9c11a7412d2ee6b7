/*
 * The inventory as its readers see it: loading in one call, then hosts, groups and values by name, all by hashing. What
 * the files look like is the other inventory_*.c's business, and what a name means to a module is nobody's here.
 */
#include "model/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "model/inventory_build.h"
#include "value/kept.h"

bool inventory_load(struct inventory **out, struct arena *a, const struct inventory_options *o, struct err *e)
{
	struct inv_build b;
	const char **sources = arena_new_of(a, const char *, o->n_sources);
	uint32_t n = o->n_sources;

	for (uint32_t i = 0; i < n; i++)
		sources[i] = arena_str(a, o->sources[i]);
	if (!n && !inventory_default_sources(&sources, &n, a, e))
		return false;
	inventory_begin(&b, a, e);
	b.inv->sources = sources;
	b.inv->n_sources = n;
	b.inv->vault = o->vault;
	for (uint32_t i = 0; i < n; i++)
		if (!inventory_read_source(&b, sources[i]))
			return false;
	if (!b.inv->dir)
		b.inv->dir = ".";
	if (!inventory_finish(&b) || !inventory_read_extra(&b, o->extra, o->n_extra))
		return false;
	*out = b.inv;
	return true;
}

struct inv_host *inventory_host(const struct inventory *inv, const char *name)
{
	return map_get(&inv->host_index, name);
}

struct inv_group *inventory_group(const struct inventory *inv, const char *name)
{
	return map_get(&inv->group_index, name);
}

bool inventory_in_group(const struct inv_host *h, const char *group)
{
	for (uint32_t i = 0; i < h->n_groups; i++)
		if (!strcmp(h->groups[i]->name, group))
			return true;
	return false;
}

bool inventory_hint_name(const struct inventory *inv, const char *name, struct err *e)
{
	size_t n = 0;
	struct arena *scratch = arena_new();
	const char **names = arena_new_of(scratch, const char *, inv->n_groups + inv->n_hosts);

	for (uint32_t i = 0; i < inv->n_groups; i++)
		names[n++] = inv->groups[i]->name;
	for (uint32_t i = 0; i < inv->n_hosts; i++)
		names[n++] = inv->hosts[i]->name;
	const char *near = nearest(name, names, n);
	if (near)
		err_hint(e, "Did you mean \"%s\"?", near);
	arena_free(scratch);
	return false;
}

/* ---- hosts of a group ---- */

/* What a walk has met, by place. It grows with what is met: one of a small group must not cost what all hosts do. */
struct met {
	struct arena *a;
	const void **items, **slots; /* in order; hashed */
	uint32_t n, nslots;
};

static void met_place(struct met *m, const void *p)
{
	uint32_t at = (uint32_t)((uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u >> 32) & (m->nslots - 1);

	while (m->slots[at])
		at = (at + 1) & (m->nslots - 1);
	m->slots[at] = p;
}

static bool met_has(const struct met *m, const void *p)
{
	uint32_t at = (uint32_t)((uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u >> 32) & (m->nslots - 1);

	while (m->slots && m->slots[at] && m->slots[at] != p)
		at = (at + 1) & (m->nslots - 1);
	return m->slots && m->slots[at];
}

static void met_add(struct met *m, const void *p)
{
	if (met_has(m, p))
		return;
	m->items = inventory_grow(m->a, m->items, m->n, sizeof *m->items);
	m->items[m->n++] = p;
	if (m->n * 2 <= m->nslots) {
		met_place(m, p);
		return;
	}
	m->nslots = m->nslots ? m->nslots * 2 : 16;
	m->slots = arena_new_of(m->a, const void *, m->nslots);
	for (uint32_t i = 0; i < m->n; i++)
		met_place(m, m->items[i]);
}

struct inv_host **inventory_walk_hosts(struct arena *a, const struct inv_group *g, uint32_t *n)
{
	if (!g->n_children) {
		*n = g->n_hosts;
		return arena_dup(a, g->hosts, g->n_hosts * sizeof *g->hosts);
	}

	struct arena *scratch = arena_new();
	struct met groups = { .a = scratch }, hosts = { .a = scratch };

	met_add(&groups, g);
	for (uint32_t head = 0; head < groups.n; head++) {
		g = groups.items[head];
		for (uint32_t i = 0; i < g->n_hosts; i++)
			met_add(&hosts, g->hosts[i]);
		for (uint32_t i = 0; i < g->n_children; i++)
			met_add(&groups, g->children[i]);
	}
	struct inv_host **list = arena_dup(a, hosts.items, hosts.n * sizeof(struct inv_host *));
	arena_free(scratch);
	*n = hosts.n;
	return list;
}

static int host_order(const void *x, const void *y)
{
	uint32_t i = (*(struct inv_host *const *)x)->index, k = (*(struct inv_host *const *)y)->index;

	return (i > k) - (i < k);
}

struct inv_host **inventory_group_hosts(struct arena *a, const struct inv_group *g, uint32_t *n)
{
	struct inv_host **hosts = inventory_walk_hosts(a, g, n);

	qsort(hosts, *n, sizeof *hosts, host_order);
	return hosts;
}

/* ---- values ---- */

bool inventory_var_hashed(const struct inventory *inv, const struct inv_host *h, const char *name, uint32_t hash,
	struct inv_found *out)
{
	struct value *v = value_get_hashed(inv->extra, name, hash);

	if (v) {
		*out = (struct inv_found){ v, INV_EXTRA, "-e" };
		return true;
	}
	if (!h)
		return false;
	v = inv->play && inv->play_on[h->index] ? value_get_hashed(inv->play, name, hash) : NULL;
	if (v) {
		*out = (struct inv_found){ v, INV_PLAY, "play" };
		return true;
	}
	v = h->sealed ? h->sealed : value_get_hashed(h->vars, name, hash);
	if (v) {
		*out = (struct inv_found){ v, INV_HOST, h->name };
		return true;
	}
	for (uint32_t i = 0; h->layers && i < h->layers->n; i++) {
		const struct inv_layer *l = &h->layers->items[i];
		v = l->sealed ? l->sealed : value_get_hashed(l->map, name, hash);
		if (v) {
			*out = (struct inv_found){ v, l->level, l->owner };
			return true;
		}
	}
	return false;
}

bool inventory_var(const struct inventory *inv, const struct inv_host *h, const char *name, struct inv_found *out)
{
	return inventory_var_hashed(inv, h, name, hash_str(name), out);
}

/* ---- what was overridden ---- */

static const char *shadow_key(struct arena *a, const struct value *map, const char *name)
{
	return arena_fmt(a, "%p %s", (const void *)map, name);
}

void inventory_put(struct inventory *inv, struct value *map, const char *name, struct value *v, struct origin at)
{
	struct value *before = value_get(map, name);

	if (before) {
		const char *key = shadow_key(inv->a, map, name);
		struct inv_shadow *s = arena_new_of(inv->a, struct inv_shadow, 1);
		*s = (struct inv_shadow){ before, map_get(&inv->shadows, key) };
		map_put(&inv->shadows, key, s);
	}
	value_put_at(inv->a, map, name, v, at);
}

struct finding {
	const struct inventory *inv;
	struct arena *a;
	const char *name;
	struct inv_found *list;
	uint32_t n;
};

static void find_put(struct finding *f, struct value *v, enum inv_level level, const char *owner)
{
	f->list = inventory_grow(f->a, f->list, f->n, sizeof *f->list);
	f->list[f->n++] = (struct inv_found){ v, level, owner };
}

/* A map's value of the name, then those that it replaced, newest first. */
static void find_in(struct finding *f, const struct value *map, enum inv_level level, const char *owner, struct value *sealed)
{
	struct value *v = value_get(map, f->name);

	if (sealed)
		find_put(f, sealed, level, owner);
	if (!v)
		return;
	find_put(f, v, level, owner);
	if (!f->inv->shadows.n)
		return;
	for (const struct inv_shadow *s = map_get(&f->inv->shadows, shadow_key(f->a, map, f->name)); s; s = s->older)
		find_put(f, s->val, level, owner);
}

uint32_t inventory_var_all(const struct inventory *inv, struct arena *a, const struct inv_host *h, const char *name,
	struct inv_found **out)
{
	struct finding f = { .inv = inv, .a = a, .name = name };

	find_in(&f, inv->extra, INV_EXTRA, "-e", NULL);
	if (h && inv->play && inv->play_on[h->index])
		find_in(&f, inv->play, INV_PLAY, "play", NULL);
	if (h)
		find_in(&f, h->vars, INV_HOST, h->name, h->sealed);
	for (uint32_t i = 0; h && h->layers && i < h->layers->n; i++) {
		const struct inv_layer *l = &h->layers->items[i];
		find_in(&f, l->map, l->level, l->owner, l->sealed);
	}
	*out = f.list;
	return f.n;
}

static void vars_add(struct arena *a, struct value *into, const struct value *from)
{
	for (uint32_t i = 0; from && i < from->u.map.n; i++) {
		const struct entry *en = &from->u.map.items[i];
		value_put_kept(a, into, en->key, en->val, en->at);
	}
}

struct value *inventory_vars(const struct inventory *inv, struct arena *a, const struct inv_host *h)
{
	struct value *all = value_map(a);

	for (uint32_t i = h->layers ? h->layers->n : 0; i-- > 0;)
		vars_add(a, all, h->layers->items[i].map);
	vars_add(a, all, h->vars);
	if (inv->play && inv->play_on[h->index])
		vars_add(a, all, inv->play);
	vars_add(a, all, inv->extra);
	return all;
}
