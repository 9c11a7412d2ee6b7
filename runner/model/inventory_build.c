/*
 * Building the inventory: hosts, groups and edges as the readers name them, then what only the whole can tell: groups
 * without a parent belong to `all`, hosts without a group to `ungrouped`, cycles, depths, and for every set of groups
 * the list of maps that count for its hosts. Reading files is the business of the other inventory_*.c.
 */
#include "model/inventory_build.h"
#include "value/kept.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 1000000 }; /* a few lines of ranges could name billions */

void *inventory_grow(struct arena *a, void *items, uint32_t n, size_t size)
{
	if (n && (n < 4 || (n & (n - 1))))
		return items;

	void *more = arena_get(a, (n ? n * (size_t)2 : 4) * size);
	if (n)
		memcpy(more, items, n * size);
	return more;
}

void inventory_begin(struct inv_build *b, struct arena *a, struct err *e)
{
	struct inventory *inv = arena_new_of(a, struct inventory, 1);
	struct origin none = { 0 };

	*b = (struct inv_build){ .a = a, .e = e, .inv = inv };
	inv->a = a;
	inv->host_index = MAP(a);
	inv->group_index = MAP(a);
	inv->shadows = MAP(a);
	inv->extra = value_map(a);
	inventory_add_group(b, "all", none);
	inventory_add_group(b, "ungrouped", none);
	inventory_add_child(b, inv->groups[0], inv->groups[1], none);
}

struct inv_group *inventory_add_group(struct inv_build *b, const char *name, struct origin at)
{
	struct inventory *inv = b->inv;
	struct inv_group *g = map_get(&inv->group_index, name);

	if (g) {
		if (!g->at.file)
			g->at = at;
		return g;
	}
	g = arena_new_of(b->a, struct inv_group, 1);
	g->name = arena_str(b->a, name);
	g->at = at;
	g->vars = value_map(b->a);
	g->priority = 1;
	g->parts = arena_new_of(b->a, struct inv_parts, 1);
	g->parts->files = value_map(b->a);
	g->parts->index = inv->n_groups;
	inv->groups = inventory_grow(b->a, inv->groups, inv->n_groups, sizeof *inv->groups);
	inv->groups[inv->n_groups++] = g;
	map_put(&inv->group_index, name, g);
	return g;
}

/* While building, host.groups holds only the groups that name it. */
struct inv_host *inventory_add_host(struct inv_build *b, const char *name, struct inv_group *g, struct origin at)
{
	struct inventory *inv = b->inv;
	struct inv_host *h = map_get(&inv->host_index, name);

	if (!h) {
		h = arena_new_of(b->a, struct inv_host, 1);
		h->name = arena_str(b->a, name);
		h->at = at;
		h->vars = value_map(b->a);
		h->index = inv->n_hosts;
		inv->hosts = inventory_grow(b->a, inv->hosts, inv->n_hosts, sizeof *inv->hosts);
		inv->hosts[inv->n_hosts++] = h;
		map_put(&inv->host_index, name, h);
	}
	for (uint32_t i = 0; i < h->n_groups; i++)
		if (h->groups[i] == g)
			return h;
	h->groups = inventory_grow(b->a, h->groups, h->n_groups, sizeof(struct inv_group *));
	h->groups[h->n_groups++] = g;
	g->hosts = inventory_grow(b->a, g->hosts, g->n_hosts, sizeof *g->hosts);
	g->hosts[g->n_hosts++] = h;
	return h;
}

void inventory_add_child(struct inv_build *b, struct inv_group *parent, struct inv_group *child, struct origin at)
{
	for (uint32_t i = 0; i < child->n_parents; i++)
		if (child->parents[i] == parent)
			return;
	parent->children = inventory_grow(b->a, parent->children, parent->n_children, sizeof *parent->children);
	parent->children[parent->n_children++] = child;
	child->parents = inventory_grow(b->a, child->parents, child->n_parents, sizeof *child->parents);
	child->parents[child->n_parents++] = parent;
	b->edges = inventory_grow(b->a, b->edges, b->n_edges, sizeof *b->edges);
	b->edges[b->n_edges++] = (struct inv_edge){ parent, child, at };
}

/* Only maps that were read from a file have a place. */
bool inventory_adopt(struct value **vars, const struct value *written)
{
	if (value_len(*vars) || !written || written->type != V_MAP || !written->at.file || written->flags)
		return false;
	*vars = (struct value *)(uintptr_t)written;
	return true;
}

void inventory_own(struct inv_build *b, struct value **vars)
{
	struct value *own;

	if (!(*vars)->at.file)
		return;
	own = value_map(b->a);
	for (uint32_t i = 0; i < (*vars)->u.map.n; i++) {
		const struct entry *en = &(*vars)->u.map.items[i];
		value_put_kept(b->a, own, en->key, en->val, en->at);
	}
	*vars = own;
}

bool inventory_set_group_var(struct inv_build *b, struct inv_group *g, const char *name, struct value *v,
	struct origin at)
{
	if (strcmp(name, "ansible_group_priority")) {
		inventory_own(b, &g->parts->files);
		inventory_put(b->inv, g->parts->files, name, v, at);
		return true;
	}

	const struct value *number = v;
	if (v->type == V_STR)
		number = value_from_plain(b->a, v->u.str.s, v->u.str.n);
	if (!value_is(number, V_INT)) {
		fail(b->e, E_INPUT, "ansible_group_priority of group \"%s\" must be an integer", g->name);
		return err_at_value(b->e, v);
	}
	g->priority = number->u.i;
	return true;
}

void inventory_add_mention(struct inv_build *b, struct inv_host *h, const struct inv_group *g, const struct value *vars)
{
	struct inventory *inv = b->inv;

	inv->mentions = inventory_grow(b->a, inv->mentions, inv->n_mentions, sizeof *inv->mentions);
	inv->mentions[inv->n_mentions++] = (struct inv_mention){ h, g, vars };
}

static void host_named(struct inv_build *b, const char *name, int port, struct inv_group *g, const struct value *vars,
	struct origin at)
{
	bool known = map_has(&b->inv->host_index, name);
	struct inv_host *h = inventory_add_host(b, name, g, at);

	inventory_add_mention(b, h, g, vars);
	if (port && !known) { /* as in Ansible: only where the host is first named */
		struct value *v = value_int(b->a, port);
		v->at = at;
		inventory_own(b, &h->vars);
		value_put_at(b->a, h->vars, "ansible_port", v, at);
	}
	if (inventory_adopt(&h->vars, vars))
		return;
	for (uint32_t k = 0; vars && vars->type == V_MAP && k < vars->u.map.n; k++) {
		const struct entry *en = &vars->u.map.items[k];
		inventory_own(b, &h->vars);
		inventory_put(b->inv, h->vars, en->key, en->val, en->at);
	}
}

bool inventory_add_pattern(struct inv_build *b, const char *pattern, struct inv_group *g, const struct value *vars,
	struct origin at)
{
	int port;
	const char *name = pattern_address(b->a, pattern, &port);
	struct value *names = NULL;

	if (!*name) {
		fail(b->e, E_INPUT, "a host of group \"%s\" has an empty name", g->name);
		return err_at(b->e, at.file, at.line, at.col);
	}
	if (strchr(name, '[')) {
		if (!pattern_range(&names, b->a, name, b->e))
			return err_at(b->e, at.file, at.line, at.col);
	} else {
		b->n_named++;
	}
	b->n_named += value_len(names);
	if (b->n_named > NAMED_MAX) {
		fail(b->e, E_INPUT, "the inventory names more than %d hosts", NAMED_MAX);
		return err_at(b->e, at.file, at.line, at.col);
	}
	if (!names)
		host_named(b, name, port, g, vars, at);
	for (size_t i = 0; i < value_len(names); i++)
		host_named(b, value_cstr(value_at(names, i), ""), port, g, vars, at);
	return true;
}

/* ---- completing ---- */

/* A host in any group of its own is not in `ungrouped`, and every other host is. */
static void ungrouped_fix(struct inv_build *b)
{
	struct inventory *inv = b->inv;
	struct inv_group *all = inv->groups[0], *none = inv->groups[1];

	for (uint32_t i = 0; i < inv->n_hosts; i++) {
		struct inv_host *h = inv->hosts[i];
		bool own = false;
		for (uint32_t k = 0; k < h->n_groups; k++)
			own |= h->groups[k] != all && h->groups[k] != none;
		if (!own) {
			inventory_add_host(b, h->name, none, h->at);
			continue;
		}
		uint32_t kept = 0;
		for (uint32_t k = 0; k < h->n_groups; k++)
			if (h->groups[k] != none)
				h->groups[kept++] = h->groups[k];
		h->n_groups = kept;
	}

	uint32_t kept = 0;
	for (uint32_t i = 0; i < none->n_hosts; i++) {
		struct inv_host *h = none->hosts[i];
		for (uint32_t k = 0; k < h->n_groups; k++)
			if (h->groups[k] == none) {
				none->hosts[kept++] = h;
				break;
			}
	}
	none->n_hosts = kept;
}

/* Name the cycle that holds g: going up through groups of unknown depth must come round. */
static bool cycle_fail(struct inv_build *b, struct inv_group *g)
{
	struct buf text = BUF(b->a);
	struct inv_group *from = g;
	struct origin at = { 0 };

	for (uint32_t steps = 0; steps < b->inv->n_groups; steps++)
		for (uint32_t i = 0; i < from->n_parents; i++)
			if (from->parents[i]->depth < 0) {
				from = from->parents[i];
				break;
			}
	g = from;
	buf_str(&text, g->name);
	do {
		struct inv_group *up = NULL;
		for (uint32_t i = 0; i < g->n_parents && !up; i++)
			if (g->parents[i]->depth < 0)
				up = g->parents[i];
		for (uint32_t i = 0; i < b->n_edges; i++)
			if (b->edges[i].parent == up && b->edges[i].child == g && b->edges[i].at.file)
				at = b->edges[i].at;
		g = up ? up : from;
		buf_fmt(&text, " < %s", g->name);
	} while (g != from);
	fail(b->e, E_INPUT, "group \"%s\" is a child of itself: %s", from->name, buf_text(&text));
	return at.file ? err_at(b->e, at.file, at.line, at.col) : false;
}

/* Depth is the longest way down from a group without parents; whatever gets none stands in or below a cycle. */
static bool depths_set(struct inv_build *b)
{
	struct inventory *inv = b->inv;
	struct inv_group **queue = arena_new_of(b->a, struct inv_group *, inv->n_groups);
	uint32_t *open = arena_new_of(b->a, uint32_t, inv->n_groups), head = 0, tail = 0;

	for (uint32_t i = 0; i < inv->n_groups; i++) {
		struct inv_group *g = inv->groups[i];
		open[i] = g->n_parents;
		g->depth = g->n_parents ? -1 : 0;
		if (!g->n_parents)
			queue[tail++] = g;
	}
	while (head < tail) {
		struct inv_group *g = queue[head++];
		for (uint32_t i = 0; i < g->n_parents; i++)
			if (g->parents[i]->depth + 1 > g->depth)
				g->depth = g->parents[i]->depth + 1;
		for (uint32_t i = 0; i < g->n_children; i++)
			if (!--open[g->children[i]->parts->index])
				queue[tail++] = g->children[i];
	}
	if (tail == inv->n_groups)
		return true;
	for (uint32_t i = 0; i < inv->n_groups; i++)
		if (inv->groups[i]->depth < 0)
			return cycle_fail(b, inv->groups[i]);
	bug("a group was lost while the inventory was ordered");
}

static int group_order(const void *x, const void *y)
{
	const struct inv_group *g = *(struct inv_group *const *)x, *h = *(struct inv_group *const *)y;

	if (!g->depth || !h->depth) /* `all` alone has depth 0 */
		return (g->depth > 0) - (h->depth > 0);
	if (g->depth != h->depth)
		return g->depth < h->depth ? -1 : 1;
	if (g->priority != h->priority)
		return g->priority < h->priority ? -1 : 1;
	return strcmp(g->name, h->name);
}

/* ---- precedence ---- */

struct group_set {
	struct inv_group **groups;
	uint32_t n;
	struct inv_layers *layers;
};

static void layer_add(struct inv_layer *layers, uint32_t *n, const struct inv_group *g, const struct value *map,
	struct value *sealed)
{
	if (sealed || (map && value_len(map)))
		layers[(*n)++] = (struct inv_layer){ map, g->depth ? INV_GROUP : INV_ALL, g->name, sealed };
}

static void layer_add_dir(struct inv_layer *layers, uint32_t *n, const struct inv_group *g, uint32_t dir)
{
	if (g->parts->dirs)
		layer_add(layers, n, g, g->parts->dirs[dir], g->parts->sealed[dir]);
}

/*
 * Ansible's order, from the weakest: the inventory files' values of `all`, then of the groups; after them, stronger
 * than any of these, what group_vars/ has for `all`, then for the groups, folder by folder.
 */
static void layers_build(struct inv_build *b, struct group_set *set)
{
	struct inv_layer *layers = arena_new_of(b->a, struct inv_layer, set->n * (1 + b->n_dirs));
	struct inv_group *all = set->groups[0];
	uint32_t n = 0;

	for (uint32_t i = 0; i < set->n; i++)
		layer_add(layers, &n, set->groups[i], set->groups[i]->parts->files, NULL);
	for (uint32_t d = 0; d < b->n_dirs; d++)
		layer_add_dir(layers, &n, all, d);
	for (uint32_t d = 0; d < b->n_dirs; d++)
		for (uint32_t i = 1; i < set->n; i++)
			layer_add_dir(layers, &n, set->groups[i], d);
	for (uint32_t i = 0; i < n / 2; i++) {
		struct inv_layer swap = layers[i];
		layers[i] = layers[n - 1 - i];
		layers[n - 1 - i] = swap;
	}
	set->layers = arena_new_of(b->a, struct inv_layers, 1);
	*set->layers = (struct inv_layers){ layers, n };
}

static void set_add(struct group_set *set, struct inv_group *g, uint32_t mark)
{
	if (g->parts->mark != mark) {
		g->parts->mark = mark;
		set->groups[set->n++] = g;
	}
}

/* The groups that name a host and all above them; room holds as many as there are groups. */
static struct group_set *set_build(struct inv_build *b, struct arena *scratch, const struct inv_host *h,
	struct inv_group **room, uint32_t mark)
{
	struct group_set *set = arena_new_of(scratch, struct group_set, 1);

	set->groups = room;
	for (uint32_t i = 0; i < h->n_groups; i++)
		set_add(set, h->groups[i], mark);
	for (uint32_t i = 0; i < set->n; i++)
		for (uint32_t k = 0; k < set->groups[i]->n_parents; k++)
			set_add(set, set->groups[i]->parents[k], mark);
	set->groups = arena_dup(b->a, room, set->n * sizeof *room);
	qsort(set->groups, set->n, sizeof *room, group_order);
	layers_build(b, set);
	return set;
}

static int place_order(const void *x, const void *y)
{
	uint32_t i = (*(struct inv_group *const *)x)->parts->index, k = (*(struct inv_group *const *)y)->parts->index;

	return (i > k) - (i < k);
}

/* Hosts named by the same groups share one list of groups and one of layers: 10,000 hosts are a few hundred sets. */
static void hosts_complete(struct inv_build *b)
{
	struct arena *scratch = arena_new();
	struct map sets = MAP(scratch);
	struct inventory *inv = b->inv;
	struct inv_group **room = arena_new_of(scratch, struct inv_group *, inv->n_groups);

	for (uint32_t i = 0; i < inv->n_hosts; i++) {
		struct inv_host *h = inv->hosts[i];
		struct buf key = BUF(scratch);
		qsort(h->groups, h->n_groups, sizeof(struct inv_group *), place_order);
		for (uint32_t k = 0; k < h->n_groups; k++)
			buf_fmt(&key, "%" PRIu32 " ", h->groups[k]->parts->index);
		struct group_set *set = map_get(&sets, buf_text(&key));
		if (!set) {
			set = set_build(b, scratch, h, room, sets.n + 1);
			map_put(&sets, buf_text(&key), set);
		}
		h->groups = set->groups;
		h->n_groups = set->n;
		h->layers = set->layers;
	}
	arena_free(scratch);
}

/* group.vars is what readers of one group want to see: its files' values below its folders'. */
static void group_vars_join(struct inv_build *b)
{
	for (uint32_t i = 0; i < b->inv->n_groups; i++) {
		struct inv_group *g = b->inv->groups[i];
		if (!g->parts->dirs) {
			g->vars = g->parts->files;
			continue;
		}
		for (uint32_t d = 0; d <= b->n_dirs; d++) {
			const struct value *from = g->parts->files;
			if (d)
				from = g->parts->dirs ? g->parts->dirs[d - 1] : NULL;
			for (uint32_t k = 0; from && k < from->u.map.n; k++) {
				const struct entry *en = &from->u.map.items[k];
				value_put_at(b->a, g->vars, en->key, en->val, en->at);
			}
		}
	}
}

bool inventory_finish(struct inv_build *b)
{
	struct inventory *inv = b->inv;

	for (uint32_t i = 1; i < inv->n_groups; i++)
		if (!inv->groups[i]->n_parents)
			inventory_add_child(b, inv->groups[0], inv->groups[i], inv->groups[i]->at);
	if (!depths_set(b))
		return false;
	ungrouped_fix(b);
	if (!inventory_read_vars(b))
		return false;
	hosts_complete(b);
	group_vars_join(b);
	return true;
}
