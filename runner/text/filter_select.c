/* Filters that look at each item: map, select and their kin, sorting, grouping, and those that go between lists and
 * maps. */
#include "text/rows.h"

#include <string.h>

static struct value *kw(struct call *k, const char *name)
{
	for (uint32_t i = 0; i < k->nkw; i++) {
		if (!strcmp(k->kw_names[i], name))
			return k->kw_vals[i];
	}
	return NULL;
}

struct value *filter_map(struct call *k)
{
	struct value *from = call_list(k), *list = value_list(k->c->a), *attr = kw(k, "attribute"),
		     *dflt = kw(k, "default");

	if (!attr && !k->nmore)
		return call_fail(k, "the name of a filter or attribute= is missing");
	if (attr && k->nkw > (dflt ? 2u : 1u))
		return call_fail(k, "it takes attribute= and default=, nothing besides");
	for (uint32_t i = 0; i < from->u.list.n; i++) {
		struct value *v = from->u.list.items[i];

		if (attr) {
			v = call_attr(k, v, attr);
			if (v && v->type == V_UNDEF && dflt)
				v = dflt;
		} else {
			v = call_named(k, "filter", v, 0);
		}
		if (!v)
			return NULL;
		value_push(k->c->a, list, op_secret(k->c, v, from->flags & V_SECRET));
	}
	return list;
}

static struct value *pick(struct call *k, bool want, bool by_attr)
{
	struct value *from = call_list(k), *list = value_list(k->c->a);
	uint32_t skip = by_attr ? 1 : 0;

	if (by_attr && !k->nmore)
		return call_fail(k, "the name of an attribute is missing");
	for (uint32_t i = 0; i < from->u.list.n; i++) {
		struct value *v = from->u.list.items[i], *seen = by_attr ? call_attr(k, v, k->more[0]) : v;

		if (seen && k->nmore > skip)
			seen = call_named(k, "test", seen, skip);
		if (!seen || !ctx_defined(k->c, k->at, seen))
			return NULL;
		if (op_truth(seen) == want)
			value_push(k->c->a, list, op_secret(k->c, v, from->flags & V_SECRET));
	}
	return list;
}

struct value *filter_select(struct call *k) { return pick(k, true, false); }
struct value *filter_reject(struct call *k) { return pick(k, false, false); }
struct value *filter_selectattr(struct call *k) { return pick(k, true, true); }
struct value *filter_rejectattr(struct call *k) { return pick(k, false, true); }

/* The key of an item to sort by; "a,b" gives a list of both. */
static struct value *sort_key(struct call *k, struct value *v, const struct value *attr, bool fold)
{
	const char *s = attr && attr->type == V_STR ? attr->u.str.s : NULL;
	struct value *key;

	if (s && strchr(s, ',')) {
		key = value_list(k->c->a);
		while (s) {
			size_t n = strcspn(s, ",");
			struct value *one = call_attr(k, v, value_strn(k->c->a, s, n));

			if (!one || !ctx_defined(k->c, k->at, one))
				return NULL;
			value_push(k->c->a, key, fold ? op_fold(k->c, one) : one);
			s = s[n] ? s + n + 1 : NULL;
		}
		return key;
	}
	key = attr && attr->type != V_NULL ? call_attr(k, v, attr) : v;
	return key && fold ? op_fold(k->c, key) : key;
}

static struct value *sorted(struct call *k, struct value *from, const struct value *attr, bool fold, bool reverse)
{
	struct sort_item *items = arena_new_of(k->c->a, struct sort_item, from->u.list.n);
	struct value *list = value_list(k->c->a);

	for (uint32_t i = 0; i < from->u.list.n; i++) {
		items[i].val = from->u.list.items[i];
		items[i].key = sort_key(k, items[i].val, attr, fold);
		if (!items[i].key)
			return NULL;
	}
	if (!op_sort(k->c, k->at, items, from->u.list.n, reverse))
		return NULL;
	for (uint32_t i = 0; i < from->u.list.n; i++)
		value_push(k->c->a, list, items[i].val);
	return list;
}

struct value *filter_sort(struct call *k)
{
	return sorted(k, call_list(k), k->args[2], !call_bool(k, 1, false), call_bool(k, 0, false));
}

struct value *method_sort(struct call *k)
{
	struct value *list = sorted(k, k->in, NULL, false, call_bool(k, 0, false));

	if (!list)
		return NULL;
	k->in->u.list = list->u.list;
	return value_null(k->c->a);
}

struct value *filter_groupby(struct call *k)
{
	struct value *from = call_list(k), *pairs = value_list(k->c->a), *groups = value_list(k->c->a), *last = NULL,
		     *group = NULL;
	bool fold = !call_bool(k, 2, false);

	for (uint32_t i = 0; i < from->u.list.n; i++) {
		struct value *key = call_attr(k, from->u.list.items[i], k->args[0]);

		if (key && key->type == V_UNDEF && k->args[1])
			key = k->args[1];
		if (!key || !ctx_defined(k->c, k->at, key))
			return NULL;
		value_push(k->c->a, pairs, op_tuple(k->c, key, from->u.list.items[i]));
	}
	pairs = sorted(k, pairs, value_int(k->c->a, 0), fold, false);
	for (uint32_t i = 0; pairs && i < pairs->u.list.n; i++) {
		struct value **pair = pairs->u.list.items[i]->u.list.items,
			     *key = fold ? op_fold(k->c, pair[0]) : pair[0];

		if (!last || !op_equal(k->c, last, key)) {
			last = key;
			group = value_list(k->c->a);
			value_push(k->c->a, groups, op_tuple(k->c, pair[0], group));
		}
		value_push(k->c->a, group, pair[1]);
	}
	return pairs ? groups : NULL;
}

/* ---- maps ---- */
static struct value *entries(struct call *k, const struct value *map)
{
	struct value *list = value_list(k->c->a);

	for (uint32_t i = 0; i < map->u.map.n; i++)
		value_push(k->c->a, list,
			   op_tuple(k->c, value_str(k->c->a, map->u.map.items[i].key), map->u.map.items[i].val));
	return ctx_step(k->c, k->at, list->u.list.n / 4) ? list : NULL;
}

static bool need_map(struct call *k)
{
	return k->in->type == V_MAP || call_fail(k, "needs a map, not %s", op_type(k->in));
}

struct value *filter_items(struct call *k)
{
	if (k->in->type == V_UNDEF)
		return value_list(k->c->a);
	return need_map(k) ? entries(k, k->in) : NULL;
}

struct value *filter_values(struct call *k)
{
	struct value *list = value_list(k->c->a);

	if (!need_map(k))
		return NULL;
	for (uint32_t i = 0; i < k->in->u.map.n; i++)
		value_push(k->c->a, list, k->in->u.map.items[i].val);
	return list;
}

struct value *filter_dictsort(struct call *k)
{
	const char *by = call_str(k, 1, "key");

	if (!need_map(k))
		return NULL;
	if (strcmp(by, "key") && strcmp(by, "value"))
		return call_fail(k, "it sorts by key or by value, not by \"%s\"", by);
	return sorted(k, entries(k, k->in), value_int(k->c->a, by[0] == 'v'), !call_bool(k, 0, false),
		      call_bool(k, 2, false));
}

struct value *filter_dict2items(struct call *k)
{
	const char *key = call_str(k, 0, "key"), *val = call_str(k, 1, "value");
	struct value *list = value_list(k->c->a);

	if (!need_map(k))
		return NULL;
	for (uint32_t i = 0; i < k->in->u.map.n; i++) {
		struct value *item = value_map(k->c->a);

		value_put(k->c->a, item, key, value_str(k->c->a, k->in->u.map.items[i].key));
		value_put(k->c->a, item, val, k->in->u.map.items[i].val);
		value_push(k->c->a, list, item);
	}
	return list;
}

struct value *filter_items2dict(struct call *k)
{
	const char *key = call_str(k, 0, "key"), *val = call_str(k, 1, "value");
	struct value *map = value_map(k->c->a);

	if (k->in->type != V_LIST)
		return call_fail(k, "needs a list of maps, not %s", op_type(k->in));
	for (uint32_t i = 0; i < k->in->u.list.n; i++) {
		const struct value *item = k->in->u.list.items[i];
		struct value *name = value_get(item, key), *v = value_get(item, val);
		const char *s;

		if (!name || !v)
			return call_fail(k, "item %u has no \"%s\"", i + 1, name ? val : key);
		s = op_str(k->c, k->at, name);
		if (!s)
			return NULL;
		value_put(k->c->a, map, s, v);
	}
	return map;
}

enum merge { MERGE_REPLACE = 1, MERGE_KEEP, MERGE_APPEND, MERGE_PREPEND, MERGE_APPEND_RP, MERGE_PREPEND_RP };

static struct value *merge_lists(struct call *k, struct value *x, struct value *y, enum merge how)
{
	struct value *kept = value_list(k->c->a);

	for (uint32_t i = 0; how >= MERGE_APPEND_RP && i < x->u.list.n; i++) { /* what is in y goes from x */
		if (!list_has(k, y, x->u.list.items[i], false))
			value_push(k->c->a, kept, x->u.list.items[i]);
	}
	switch (how) {
	case MERGE_KEEP:
		return x;
	case MERGE_APPEND:
		return list_concat(k, x, y);
	case MERGE_PREPEND:
		return list_concat(k, y, x);
	case MERGE_APPEND_RP:
		return list_concat(k, kept, y);
	case MERGE_PREPEND_RP:
		return list_concat(k, y, kept);
	default:
		return y;
	}
}

static struct value *merge_maps(struct call *k, const struct value *x, const struct value *y, bool recursive,
				enum merge how)
{
	struct value *map = value_map(k->c->a);

	map->flags |= (x->flags | y->flags) & V_SECRET;
	if (!ctx_step(k->c, k->at, (x->u.map.n + y->u.map.n) / 4))
		return map;
	if (op_equal(k->c, x, y)) /* merging a map with itself does not double its lists */
		x = map;
	for (uint32_t i = 0; i < x->u.map.n; i++)
		value_put(k->c->a, map, x->u.map.items[i].key, x->u.map.items[i].val);
	for (uint32_t i = 0; i < y->u.map.n; i++) {
		const char *key = y->u.map.items[i].key;
		struct value *old = value_get(map, key), *neu = y->u.map.items[i].val;

		if (old && recursive && old->type == V_MAP && neu->type == V_MAP)
			neu = merge_maps(k, old, neu, true, how);
		else if (old && old->type == V_LIST && neu->type == V_LIST)
			neu = merge_lists(k, old, neu, how);
		value_put(k->c->a, map, key, neu);
	}
	return map;
}

static struct value *combine_one(struct call *k, struct value *sum, struct value *v, bool recursive, enum merge how,
				 unsigned depth)
{
	if (!ctx_defined(k->c, k->at, v))
		return NULL;
	if (v->type == V_LIST && depth < 16) {
		for (uint32_t i = 0; i < v->u.list.n && sum; i++)
			sum = combine_one(k, sum, v->u.list.items[i], recursive, how, depth + 1);
		return sum;
	}
	if (v->type != V_MAP)
		return call_fail(k, "it combines maps, not %s", op_type(v));
	return op_bounded(k->c, k->at, v) ? merge_maps(k, sum, v, recursive, how) : NULL;
}

struct value *filter_combine(struct call *k)
{
	static const char *const ways[] = { "replace", "keep", "append", "prepend", "append_rp", "prepend_rp" };
	struct value *recursive = kw(k, "recursive"), *way = kw(k, "list_merge"), *sum = value_map(k->c->a);
	enum merge how = MERGE_REPLACE;

	if (k->nkw != (recursive ? 1u : 0u) + (way ? 1u : 0u))
		return call_fail(k, "it takes recursive= and list_merge=, no other keyword");
	if (way) {
		size_t i = 0;

		while (i < sizeof ways / sizeof *ways && strcmp(ways[i], value_cstr(way, "")))
			i++;
		if (i == sizeof ways / sizeof *ways)
			return call_fail(k, "list_merge is replace, keep, append, prepend, append_rp or prepend_rp");
		how = (enum merge)(i + 1);
	}
	sum = combine_one(k, sum, k->in, recursive && op_truth(recursive), how, 0);
	for (uint32_t i = 0; i < k->nmore && sum; i++)
		sum = combine_one(k, sum, k->more[i], recursive && op_truth(recursive), how, 0);
	return sum;
}

struct value *filter_extract(struct call *k)
{
	struct value *v = ctx_item(k->c, NULL, k->args[0], k->in), *more = k->args[1];

	if (v && more && more->type == V_LIST) {
		for (uint32_t i = 0; i < more->u.list.n && v; i++)
			v = ctx_item(k->c, NULL, v, more->u.list.items[i]);
	} else if (v && more && more->type != V_NULL) {
		v = ctx_item(k->c, NULL, v, more);
	}
	return op_secret(k->c, v, k->in->flags & V_SECRET);
}

struct value *filter_attr(struct call *k)
{
	return ctx_attr(k->c, k->at, k->in, call_str(k, 0, ""));
}
