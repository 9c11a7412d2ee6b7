/*
 * Methods of lists and maps, and the globals. Those that change their object are parsed as such, so that the render
 * works on copies of what the scope gave. Nothing may come to hold itself.
 */
#include "text/rows.h"

#include <string.h>

static struct value *nothing(struct call *k)
{
	return value_null(k->c->a);
}

static bool holds(const struct value *v, const struct value *what, unsigned *left)
{
	if (v == what)
		return true;
	for (size_t i = 0, n = v->type == V_LIST || v->type == V_MAP ? value_len(v) : 0; i < n; i++) {
		if (!*left || !--*left || holds(value_at(v, i), what, left))
			return true;
	}
	return false;
}

/* v may go into k->in: it is defined, and does not hold it. */
static bool may_enter(struct call *k, const struct value *v)
{
	unsigned left = LIMIT_NODES;

	if (!k->c->owns)
		return call_fail(k, "this list or map belongs to the inventory and cannot be changed");
	if (!ctx_defined(k->c, k->at, v) || !op_bounded(k->c, k->at, v))
		return false;
	if (holds(v, k->in, &left))
		return call_fail(k, "a list or map cannot hold itself");
	return ctx_step(k->c, k->at, 1 + (LIMIT_NODES - left) / 16);
}

static bool may_change(struct call *k)
{
	return k->c->owns || call_fail(k, "this list or map belongs to the inventory and cannot be changed");
}

struct value *method_append(struct call *k)
{
	if (!may_enter(k, k->args[0]))
		return NULL;
	value_push(k->c->a, k->in, k->args[0]);
	return nothing(k);
}

struct value *method_extend(struct call *k)
{
	struct value *list = op_iter(k->c, k->at, k->args[0]);
	uint32_t n = list ? list->u.list.n : 0; /* the list may be the same one */

	for (uint32_t i = 0; i < n; i++) {
		if (!may_enter(k, list->u.list.items[i]))
			return NULL;
		value_push(k->c->a, k->in, list->u.list.items[i]);
	}
	return list && may_change(k) ? nothing(k) : NULL;
}

struct value *method_insert(struct call *k)
{
	int64_t at = call_int(k, 0, 0), n = k->in->u.list.n;

	if (!may_enter(k, k->args[1]))
		return NULL;
	if (!ctx_step(k->c, k->at, (uint64_t)n / 64)) /* what comes after it moves */
		return NULL;
	at = at < 0 ? (at + n < 0 ? 0 : at + n) : at > n ? n : at;
	value_push(k->c->a, k->in, k->args[1]);
	memmove(k->in->u.list.items + at + 1, k->in->u.list.items + at, (size_t)(n - at) * sizeof *k->in->u.list.items);
	k->in->u.list.items[at] = k->args[1];
	return nothing(k);
}

static struct value *take(struct value *list, int64_t at)
{
	struct value *v = list->u.list.items[at];

	list->u.list.n--;
	memmove(list->u.list.items + at, list->u.list.items + at + 1,
		(list->u.list.n - (size_t)at) * sizeof *list->u.list.items);
	return v;
}

struct value *method_pop(struct call *k)
{
	int64_t n = k->in->u.list.n, at;

	if (!may_change(k))
		return NULL;
	if (k->in->type == V_MAP) {
		const char *key = k->args[0] ? op_str(k->c, k->at, k->args[0]) : NULL;
		struct value *v = key ? value_get(k->in, key) : NULL;

		if (!key)
			return call_fail(k, "the key is missing");
		if (!v)
			return k->args[1] ? op_secret(k->c, k->args[1], k->in->flags & V_SECRET)
					  : call_fail(k, "there is no key \"%s\"", key);
		value_del(k->in, key);
		return op_secret(k->c, v, k->in->flags & V_SECRET);
	}
	at = call_int(k, 0, -1);
	at = at < 0 ? at + n : at;
	if (!ctx_step(k->c, k->at, (uint64_t)n / 64))
		return NULL;
	return at >= 0 && at < n ? take(k->in, at) : call_fail(k, "the list has no such item");
}

struct value *method_remove(struct call *k)
{
	if (!may_change(k))
		return NULL;
	for (uint32_t i = 0; i < k->in->u.list.n; i++) {
		if (op_equal(k->c, k->in->u.list.items[i], k->args[0])) {
			take(k->in, i);
			return ctx_step(k->c, k->at, k->in->u.list.n / 16) ? nothing(k) : NULL;
		}
	}
	return call_fail(k, "the value is not in the list");
}

struct value *method_reverse(struct call *k)
{
	uint32_t n = k->in->u.list.n;

	if (!may_change(k))
		return NULL;
	for (uint32_t i = 0; i < n / 2; i++) {
		struct value *v = k->in->u.list.items[i];

		k->in->u.list.items[i] = k->in->u.list.items[n - 1 - i];
		k->in->u.list.items[n - 1 - i] = v;
	}
	return nothing(k);
}

struct value *method_clear(struct call *k)
{
	const struct value *empty = k->in->type == V_LIST ? value_list(k->c->a) : value_map(k->c->a);

	if (!may_change(k))
		return NULL;
	k->in->u = empty->u;
	return nothing(k);
}

struct value *method_copy(struct call *k)
{
	struct value *v;

	if (k->in->type == V_LIST)
		return list_concat(k, k->in, value_list(k->c->a));
	v = value_map(k->c->a);
	for (uint32_t i = 0; i < k->in->u.map.n; i++)
		value_put(k->c->a, v, k->in->u.map.items[i].key, k->in->u.map.items[i].val);
	return v;
}

struct value *method_get(struct call *k)
{
	const char *key = ctx_defined(k->c, k->at, k->args[0]) ? op_str(k->c, k->at, k->args[0]) : NULL;
	struct value *v = key ? value_get(k->in, key) : NULL;

	if (!key)
		return NULL;
	if (!v && k->in->flags & V_LAZY) { /* another host's variable */
		v = ctx_attr(k->c, k->at, k->in, key);
		if (!v)
			return NULL;
		v = v->type == V_UNDEF ? NULL : v;
	}
	return op_secret(k->c, v ? v : k->args[1] ? k->args[1] : nothing(k), k->in->flags & V_SECRET);
}

struct value *method_keys(struct call *k)
{
	return op_iter(k->c, k->at, k->in);
}

struct value *method_setdefault(struct call *k)
{
	const char *key = op_str(k->c, k->at, k->args[0]);
	struct value *v = key ? value_get(k->in, key) : NULL;

	if (v || !key)
		return op_secret(k->c, v, k->in->flags & V_SECRET);
	v = k->args[1] ? k->args[1] : nothing(k);
	if (!may_enter(k, v))
		return NULL;
	value_put(k->c->a, k->in, key, v);
	return op_secret(k->c, v, k->in->flags & V_SECRET);
}

/* The entries of a map, of a list of pairs and of keywords, into a map. */
static struct value *fill(struct call *k, struct value *map)
{
	const struct value *from = k->nmore ? k->more[0] : NULL;

	if (k->nmore > 1)
		return call_fail(k, "it takes one map, not %u", k->nmore);
	if (from && !ctx_defined(k->c, k->at, from))
		return NULL;
	for (uint32_t i = 0; from && from->type == V_MAP && i < from->u.map.n; i++)
		value_put(k->c->a, map, from->u.map.items[i].key, from->u.map.items[i].val);
	for (uint32_t i = 0; from && from->type == V_LIST && i < from->u.list.n; i++) {
		const struct value *pair = from->u.list.items[i];
		const char *key =
			pair->type == V_LIST && pair->u.list.n == 2 ? op_str(k->c, k->at, pair->u.list.items[0]) : NULL;

		if (!key)
			return call_fail(k, "item %u is no pair of key and value", i);
		value_put(k->c->a, map, key, pair->u.list.items[1]);
	}
	if (from && from->type != V_MAP && from->type != V_LIST)
		return call_fail(k, "it takes a map, not %s", op_type(from));
	for (uint32_t i = 0; i < k->nkw; i++)
		value_put(k->c->a, map, k->kw_names[i], k->kw_vals[i]);
	return map;
}

struct value *method_update(struct call *k)
{
	struct value *more = fill(k, value_map(k->c->a));

	for (uint32_t i = 0; more && i < more->u.map.n; i++) {
		if (!may_enter(k, more->u.map.items[i].val))
			return NULL;
		value_put(k->c->a, k->in, more->u.map.items[i].key, more->u.map.items[i].val);
	}
	return more && may_change(k) ? nothing(k) : NULL;
}

struct value *global_dict(struct call *k)
{
	return fill(k, value_map(k->c->a));
}

struct value *global_namespace(struct call *k)
{
	struct ns *ns = arena_get(k->c->a, sizeof *ns);

	ns->v.type = V_NS;
	ns->map = fill(k, value_map(k->c->a));
	return ns->map ? &ns->v : NULL;
}

struct value *global_range(struct call *k)
{
	int64_t part[3] = { 0, 0, 1 }, n;
	struct value *list = value_list(k->c->a);

	if (k->nmore > 3)
		return call_fail(k, "it takes at most 3 arguments");
	for (uint32_t i = 0; i < k->nmore; i++) {
		if (k->more[i]->type != V_INT && k->more[i]->type != V_BOOL)
			return call_fail(k, "it takes integers, not %s", op_type(k->more[i]));
		part[k->nmore == 1 ? 1 : i] = op_int(k->more[i]);
	}
	if (!part[2])
		return call_fail(k, "its step cannot be 0");
	for (unsigned i = 0; i < 3; i++) {
		if (part[i] > INT64_MAX / 4 || part[i] < INT64_MIN / 4)
			return call_fail(k, "its numbers are too large");
	}
	n = part[2] > 0 ? (part[1] - part[0] + part[2] - 1) / part[2] : (part[0] - part[1] - part[2] - 1) / -part[2];
	if (n > 1000000)
		return call_fail(k, "it has more than a million numbers");
	for (int64_t i = 0; i < n; i++)
		value_push(k->c->a, list, value_int(k->c->a, part[0] + i * part[2]));
	return ctx_step(k->c, k->at, n > 0 ? (uint64_t)n / 4 : 0) ? list : NULL;
}

static struct value *function(struct call *k, enum func_kind kind, struct value *state)
{
	struct func *f = arena_get(k->c->a, sizeof *f);

	f->v.type = V_FUNC;
	f->kind = kind;
	f->state = state;
	return &f->v;
}

struct value *global_cycler(struct call *k)
{
	struct value *list = value_list(k->c->a);

	for (uint32_t i = 0; i < k->nmore; i++)
		value_push(k->c->a, list, k->more[i]);
	return function(k, FUNC_CYCLER, list);
}

struct value *global_joiner(struct call *k)
{
	return function(k, FUNC_JOINER, value_str(k->c->a, call_str(k, 0, ", ")));
}
