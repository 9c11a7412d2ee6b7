/* Filters that take lists apart and put them together; those with tests and attributes are in filter_select.c. */
#include "text/rows.h"

#include <string.h>

static struct value *list_new(struct call *k)
{
	return value_list(k->c->a);
}

struct value *filter_list(struct call *k)
{
	struct value *from = call_list(k), *list = list_new(k);

	for (uint32_t i = 0; i < from->u.list.n; i++)
		value_push(k->c->a, list, from->u.list.items[i]);
	return list;
}

static struct value *edge(struct call *k, bool last)
{
	struct value *list =
		k->in->type == V_LIST ? k->in : k->in->type == V_MAP || k->in->type == V_STR ? call_list(k) : NULL;
	struct value *none;

	if (!list)
		return call_fail(k, "%s has no items", op_type(k->in));
	if (list->u.list.n)
		return op_secret(k->c, list->u.list.items[last ? list->u.list.n - 1 : 0], list->flags & V_SECRET);
	none = value_undef(k->c->a, k->row->name);
	none->source = arena_fmt(k->c->a, "there is no %s item: the list is empty", k->row->name);
	return none;
}

struct value *filter_first(struct call *k) { return edge(k, false); }
struct value *filter_last(struct call *k) { return edge(k, true); }

struct value *filter_length(struct call *k)
{
	if (!ctx_step(k->c, k->at, k->in->type == V_STR ? k->in->u.str.n / 256 : 0))
		return NULL;
	if (k->in->type == V_STR)
		return value_int(k->c->a, (int64_t)utf8_len(k->in->u.str.s, k->in->u.str.n));
	if (k->in->type != V_LIST && k->in->type != V_MAP)
		return call_fail(k, "%s has no length", op_type(k->in));
	return value_int(k->c->a, (int64_t)value_len(k->in));
}

struct value *filter_reverse(struct call *k)
{
	struct value *from = call_list(k), *list = list_new(k);
	struct buf b = BUF(k->c->a);

	for (uint32_t i = from->u.list.n; i-- > 0;)
		value_push(k->c->a, list, from->u.list.items[i]);
	if (k->in->type != V_STR)
		return list;
	for (uint32_t i = 0; i < list->u.list.n; i++)
		buf_add(&b, list->u.list.items[i]->u.str.s, list->u.list.items[i]->u.str.n);
	return op_buf(k->c, &b);
}

struct value *filter_join(struct call *k)
{
	struct value *list = call_list(k);
	const char *d = call_str(k, 0, "");
	size_t dn = strlen(d);
	struct buf b = BUF(k->c->a);

	for (uint32_t i = 0; i < list->u.list.n; i++) {
		struct value *v = k->args[1] ? call_attr(k, list->u.list.items[i], k->args[1]) : list->u.list.items[i];

		if (i)
			buf_add(&b, d, dn);
		if (!v || !op_text(k->c, k->at, &b, v, "None") || !call_room(k, b.len))
			return NULL;
	}
	return op_buf(k->c, &b);
}

static struct value *extreme(struct call *k, int want)
{
	struct value *list = call_list(k), *best = NULL, *best_key = NULL;

	for (uint32_t i = 0; i < list->u.list.n; i++) {
		struct value *v = list->u.list.items[i], *key = k->args[1] ? call_attr(k, v, k->args[1]) : v;
		bool ok = true;

		if (!key || !ctx_defined(k->c, k->at, key))
			return NULL;
		if (!call_bool(k, 0, false))
			key = op_fold(k->c, key);
		if (best && op_order(k->c, key, best_key, &ok) * want <= 0 && ok)
			continue;
		if (!ok)
			return call_fail(k, "cannot compare %s with %s", op_type(key), op_type(best_key));
		best = v;
		best_key = key;
	}
	if (best)
		return op_secret(k->c, best, list->flags & V_SECRET);
	best = value_undef(k->c->a, k->row->name);
	best->source = arena_fmt(k->c->a, "there is no %s of an empty list", k->row->name);
	return best;
}

struct value *filter_max(struct call *k) { return extreme(k, 1); }
struct value *filter_min(struct call *k) { return extreme(k, -1); }

struct value *filter_sum(struct call *k)
{
	struct value *list = call_list(k), *sum = k->args[1] ? k->args[1] : value_int(k->c->a, 0);

	for (uint32_t i = 0; i < list->u.list.n && sum; i++) {
		struct value *v = list->u.list.items[i];

		if (k->args[0] && k->args[0]->type != V_NULL)
			v = call_attr(k, v, k->args[0]);
		if (!v || !ctx_defined(k->c, k->at, v))
			return NULL;
		if (sum->type == V_STR)
			return call_fail(k, "cannot add strings; use join");
		sum = op_binary(k->c, k->at, '+', sum, v);
	}
	return sum;
}

static void flatten(struct call *k, struct value *to, const struct value *from, int64_t levels, bool skip)
{
	for (uint32_t i = 0; i < from->u.list.n && ctx_step(k->c, k->at, 1); i++) {
		struct value *v = from->u.list.items[i];

		if (v->type == V_LIST && levels)
			flatten(k, to, v, levels - 1, skip);
		else if (!skip || (v->type != V_NULL &&
				   !(v->type == V_STR && (!strcmp(v->u.str.s, "None") || !strcmp(v->u.str.s, "null")))))
			value_push(k->c->a, to, v);
	}
}

struct value *filter_flatten(struct call *k)
{
	struct value *list = list_new(k);
	int64_t levels = call_int(k, 0, -1);

	if (!op_bounded(k->c, k->at, k->in))
		return NULL;
	flatten(k, list, call_list(k), levels, call_bool(k, 1, true));
	return list;
}

struct value *filter_batch(struct call *k)
{
	struct value *from = call_list(k), *list = list_new(k), *row = NULL;
	int64_t n = call_int(k, 0, 1);

	if (n < 1 || n > LIMIT_NODES)
		return call_fail(k, "the number of items must be at least 1");
	for (uint32_t i = 0; i < from->u.list.n; i++) {
		if (i % (uint64_t)n == 0)
			value_push(k->c->a, list, row = list_new(k));
		value_push(k->c->a, row, from->u.list.items[i]);
	}
	while (row && k->args[1] && k->args[1]->type != V_NULL && row->u.list.n < n)
		value_push(k->c->a, row, k->args[1]);
	return list;
}

struct value *filter_slice(struct call *k)
{
	struct value *from = call_list(k), *list = list_new(k);
	int64_t n = call_int(k, 0, 1);
	uint32_t at = 0;

	if (n < 1 || n > LIMIT_NODES)
		return call_fail(k, "the number of slices must be at least 1");
	for (int64_t i = 0; i < n; i++) {
		struct value *row = list_new(k);

		if (!ctx_step(k->c, k->at, 1))
			return NULL;
		uint32_t each = from->u.list.n / (uint32_t)n, longer = from->u.list.n % (uint32_t)n;
		uint32_t count = each + (i < longer ? 1 : 0);

		while (count--)
			value_push(k->c->a, row, from->u.list.items[at++]);
		if (k->args[1] && k->args[1]->type != V_NULL && i >= longer)
			value_push(k->c->a, row, k->args[1]);
		value_push(k->c->a, list, row);
	}
	return list;
}

static struct value *zip(struct call *k, bool longest)
{
	struct value *list = list_new(k), *fill = longest && k->args[0] ? k->args[0] : value_null(k->c->a);
	struct value **lists = arena_new_of(k->c->a, struct value *, k->nmore + 1);
	uint32_t n;

	lists[0] = call_list(k);
	n = lists[0]->u.list.n;
	for (uint32_t i = 0; i < k->nmore; i++) {
		lists[i + 1] = op_iter(k->c, k->at, k->more[i]);
		if (!lists[i + 1])
			return NULL;
		if (longest ? lists[i + 1]->u.list.n > n : lists[i + 1]->u.list.n < n)
			n = lists[i + 1]->u.list.n;
	}
	for (uint32_t i = 0; i < n && ctx_step(k->c, k->at, 1 + k->nmore / 4); i++) {
		struct value *row = list_new(k);

		for (uint32_t j = 0; j <= k->nmore; j++)
			value_push(k->c->a, row, i < lists[j]->u.list.n ? lists[j]->u.list.items[i] : fill);
		row->flags |= V_TUPLE;
		value_push(k->c->a, list, row);
	}
	return list;
}

struct value *filter_zip(struct call *k) { return zip(k, false); }

/* the keyword fillvalue comes after any number of lists */
struct value *filter_zip_longest(struct call *k)
{
	for (uint32_t i = 0; i < k->nkw; i++) {
		if (strcmp(k->kw_names[i], "fillvalue"))
			return call_fail(k, "it has no argument \"%s\"", k->kw_names[i]);
		k->args[0] = k->kw_vals[i];
	}
	return zip(k, true);
}

/* Every combination of one item each; repeat walks the same lists that many times. */
struct value *filter_product(struct call *k)
{
	struct value *list = list_new(k), *lists[16];
	uint32_t at[16] = { 0 }, n = 0;
	int64_t repeat = 1;

	for (uint32_t i = 0; i < k->nkw; i++) {
		if (strcmp(k->kw_names[i], "repeat") || k->kw_vals[i]->type != V_INT)
			return call_fail(k, "it has no such argument \"%s\"", k->kw_names[i]);
		repeat = k->kw_vals[i]->u.i;
	}
	if (repeat < 0 || repeat > 16 || (k->nmore + 1) * repeat > 16)
		return call_fail(k, "more than 16 lists");
	while (repeat--) {
		lists[n++] = call_list(k);
		for (uint32_t i = 0; i < k->nmore; i++) {
			if (!(lists[n++] = op_iter(k->c, k->at, k->more[i])))
				return NULL;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!lists[i]->u.list.n)
			return list;
	}
	for (;;) {
		struct value *row = list_new(k);
		uint32_t i = n;

		for (uint32_t j = 0; j < n; j++)
			value_push(k->c->a, row, lists[j]->u.list.items[at[j]]);
		row->flags |= V_TUPLE;
		value_push(k->c->a, list, row);
		if (!ctx_step(k->c, k->at, 1 + n))
			return NULL;
		while (i && ++at[i - 1] == lists[i - 1]->u.list.n)
			at[--i] = 0;
		if (!i)
			return list;
	}
}

bool list_has(struct call *k, const struct value *list, const struct value *v, bool fold)
{
	for (uint32_t i = 0; i < list->u.list.n; i++) {
		struct value *item = list->u.list.items[i];

		if (!ctx_step(k->c, k->at, i % 8 == 0))
			return false;
		if (op_equal(k->c, fold ? op_fold(k->c, item) : item, v))
			return true;
	}
	return false;
}

struct value *filter_unique(struct call *k)
{
	struct value *from = call_list(k), *list = list_new(k), *seen = list_new(k);
	bool fold = !call_bool(k, 0, false);

	for (uint32_t i = 0; i < from->u.list.n; i++) {
		struct value *v = from->u.list.items[i],
			     *key = k->args[1] && k->args[1]->type != V_NULL ? call_attr(k, v, k->args[1]) : v;

		if (!key || !ctx_defined(k->c, k->at, key))
			return NULL;
		if (fold)
			key = op_fold(k->c, key);
		if (list_has(k, seen, key, false))
			continue;
		value_push(k->c->a, seen, key);
		value_push(k->c->a, list, v);
	}
	return k->c->failed ? NULL : list;
}

/* Items of x, then of y, that are in the other list or not, each once. */
static void set_add(struct call *k, struct value *to, const struct value *from, const struct value *other, bool want)
{
	for (uint32_t i = 0; i < from->u.list.n; i++) {
		struct value *v = from->u.list.items[i];

		if ((!other || list_has(k, other, v, false) == want) && !list_has(k, to, v, false))
			value_push(k->c->a, to, v);
	}
}

static struct value *set_of(struct call *k, struct value **y)
{
	struct value *x = k->in->type == V_LIST || k->in->type == V_MAP || k->in->type == V_STR ? call_list(k) : NULL;

	*y = op_iter(k->c, k->at, k->args[0]);
	return x ? x : call_fail(k, "needs a list, not %s", op_type(k->in));
}

struct value *filter_union(struct call *k)
{
	struct value *y, *x = set_of(k, &y), *list = list_new(k);

	if (!x || !y)
		return NULL;
	set_add(k, list, x, NULL, false);
	set_add(k, list, y, NULL, false);
	return list;
}

struct value *filter_intersect(struct call *k)
{
	struct value *y, *x = set_of(k, &y), *list = list_new(k);

	if (!x || !y)
		return NULL;
	set_add(k, list, x, y, true);
	return list;
}

struct value *filter_difference(struct call *k)
{
	struct value *y, *x = set_of(k, &y), *list = list_new(k);

	if (!x || !y)
		return NULL;
	set_add(k, list, x, y, false);
	return list;
}

struct value *filter_symmetric_difference(struct call *k)
{
	struct value *y, *x = set_of(k, &y), *list = list_new(k);

	if (!x || !y)
		return NULL;
	set_add(k, list, x, y, false);
	set_add(k, list, y, x, false);
	return list;
}

struct value *list_concat(struct call *k, const struct value *x, const struct value *y)
{
	struct value *list = list_new(k);

	for (uint32_t i = 0; i < x->u.list.n; i++)
		value_push(k->c->a, list, x->u.list.items[i]);
	for (uint32_t i = 0; i < y->u.list.n; i++)
		value_push(k->c->a, list, y->u.list.items[i]);
	return list;
}

/* The list of `path` ("a.b") inside an item; NULL when it is missing and may be. */
static struct value *sub_list(struct call *k, struct value *item, struct value *path, bool skip)
{
	struct value *v = item;

	for (uint32_t i = 0; v && path->type == V_LIST && i < path->u.list.n; i++)
		v = ctx_item(k->c, NULL, v, path->u.list.items[i]);
	if (path->type != V_LIST)
		v = call_attr(k, item, path);
	if (!v || (v->type == V_UNDEF && skip))
		return NULL;
	if (!ctx_defined(k->c, k->at, v))
		return NULL;
	return v->type == V_LIST ? v : call_fail(k, "the member is a list, not %s", op_type(v));
}

struct value *filter_subelements(struct call *k)
{
	struct value *from = k->in->type == V_MAP ? list_new(k) : call_list(k), *list = list_new(k);

	for (uint32_t i = 0; k->in->type == V_MAP && i < k->in->u.map.n; i++)
		value_push(k->c->a, from, k->in->u.map.items[i].val);
	for (uint32_t i = 0; i < from->u.list.n; i++) {
		struct value *sub = sub_list(k, from->u.list.items[i], k->args[0], call_bool(k, 1, false));

		if (k->c->failed)
			return NULL;
		for (uint32_t j = 0; sub && j < sub->u.list.n; j++)
			value_push(k->c->a, list, op_tuple(k->c, from->u.list.items[i], sub->u.list.items[j]));
	}
	return list;
}
