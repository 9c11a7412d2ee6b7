/*
 * Operators on values, with Python's meaning: numbers, equality, order, membership, text, iteration, sorting. Integers
 * have 64 bits, and passing them is an error rather than a wrong number.
 */
#include "text/tmpl_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEP = 256 }; /* levels a walk goes into lists and maps */

const char *op_type(const struct value *v)
{
	switch ((int)v->type) {
	case V_NULL:
		return "NoneType";
	case V_BOOL:
		return "bool";
	case V_INT:
		return "int";
	case V_FLOAT:
		return "float";
	case V_STR:
		return "str";
	case V_LIST:
		return v->flags & V_TUPLE ? "tuple" : "list";
	case V_MAP:
		return "dict";
	case V_UNDEF:
		return "AnsibleUndefined";
	case V_LOOP:
		return "loop";
	case V_NS:
		return "namespace";
	default:
		return "function";
	}
}

bool op_is_num(const struct value *v)
{
	return v->type == V_INT || v->type == V_FLOAT || v->type == V_BOOL;
}

double op_real(const struct value *v)
{
	return v->type == V_FLOAT ? v->u.f : (double)op_int(v);
}

int64_t op_int(const struct value *v)
{
	return v->type == V_BOOL ? v->u.b : v->type == V_INT ? v->u.i : 0;
}

struct value *op_secret(struct ctx *c, struct value *v, bool secret)
{
	if (!secret || !v || v->flags & V_SECRET || v->type >= V_UNDEF)
		return v;
	return value_secret(c->a, v);
}

struct value *op_own(struct ctx *c, const char *s, size_t n)
{
	struct value *v = arena_get(c->a, sizeof *v);

	v->type = V_STR;
	v->u.str.s = s;
	v->u.str.n = n;
	return v;
}

struct value *op_buf(struct ctx *c, const struct buf *b)
{
	return op_own(c, buf_text(b), b->len);
}

struct value *op_tuple(struct ctx *c, struct value *x, struct value *y)
{
	struct value *v = value_list(c->a);

	value_push(c->a, v, x);
	value_push(c->a, v, y);
	v->flags |= V_TUPLE;
	return v;
}

bool op_truth(const struct value *v)
{
	switch ((int)v->type) {
	case V_NULL:
	case V_UNDEF:
		return false;
	case V_BOOL:
		return v->u.b;
	case V_INT:
		return v->u.i != 0;
	case V_FLOAT:
		return v->u.f != 0;
	case V_STR:
		return v->u.str.n != 0;
	case V_LIST:
		return v->u.list.n != 0;
	case V_MAP:
		return v->u.map.n != 0;
	default:
		return true;
	}
}

/* Long text counts as more than one value: what is written out of a list that holds it many times is bounded too. */
static unsigned walk_cost(const struct value *v)
{
	return v->type == V_STR && v->u.str.n >= 32 ? (unsigned)(v->u.str.n / 32) : 1;
}

/* Counts down *left; false when it ran out or the nesting did. */
static bool walk(const struct value *v, unsigned depth, unsigned *left, bool *secret)
{
	if (!v)
		return true;
	*secret |= (v->flags & V_SECRET) != 0;
	if (v->type != V_LIST && v->type != V_MAP)
		return true;
	if (depth > DEEP)
		return false;
	for (size_t i = 0, n = value_len(v); i < n; i++) {
		const struct value *item = value_at(v, i);
		unsigned cost = item ? walk_cost(item) : 1;

		*left -= cost < *left ? cost : *left;
		if (!*left || !walk(item, depth + 1, left, secret))
			return false;
	}
	return true;
}

bool op_is_secret(const struct value *v)
{
	unsigned left = LIMIT_NODES;
	bool secret = false;

	return !walk(v, 0, &left, &secret) || secret;
}

bool op_bounded(struct ctx *c, const struct node *at, const struct value *v)
{
	unsigned left = LIMIT_NODES;
	bool secret = false;

	if (walk(v, 0, &left, &secret))
		return ctx_step(c, at, (LIMIT_NODES - left) / 16);
	return ctx_fail(c, at, left ? "a list or map is nested too deep" : "a list or map is too large");
}

static bool sound(struct ctx *c, const struct node *at, const struct value *v)
{
	if (v->type == V_UNDEF && v->flags & V_SOFT)
		return ctx_fail(c, at, "an inline \"if\" without \"else\" gave nothing here");
	if (!ctx_defined(c, at, v))
		return false;
	if (v->type > V_UNDEF)
		return ctx_fail(c, at, "a %s is no value that could be written", op_type(v));
	for (size_t i = 0, n = v->type == V_LIST || v->type == V_MAP ? value_len(v) : 0; i < n; i++) {
		if (!sound(c, at, value_at(v, i)))
			return false;
	}
	return true;
}

bool op_sound(struct ctx *c, const struct node *at, const struct value *v)
{
	return op_bounded(c, at, v) && sound(c, at, v);
}

static int num_order(const struct value *x, const struct value *y)
{
	if (x->type == V_FLOAT || y->type == V_FLOAT) {
		double a = op_real(x), b = op_real(y);

		return a < b ? -1 : a > b;
	}
	return op_int(x) < op_int(y) ? -1 : op_int(x) > op_int(y);
}

/* What one comparison may still visit, and the undefined value it met. */
struct budget {
	uint64_t left;
	const struct value *undef;
};

static bool equal(const struct value *x, const struct value *y, unsigned depth, struct budget *b)
{
	if (x->type == V_UNDEF || y->type == V_UNDEF) {
		b->undef = x->type == V_UNDEF ? x : y;
		return false;
	}
	if (x == y)
		return x->type != V_FLOAT || !isnan(x->u.f);
	if (!b->left || !--b->left || depth > DEEP)
		return false;
	if (op_is_num(x) && op_is_num(y)) {
		if ((x->type == V_FLOAT && isnan(x->u.f)) || (y->type == V_FLOAT && isnan(y->u.f)))
			return false;
		return num_order(x, y) == 0;
	}
	if (x->type != y->type)
		return false;
	switch ((int)x->type) {
	case V_NULL:
		return true;
	case V_STR:
		if (x->u.str.n != y->u.str.n)
			return false;
		b->left -= x->u.str.n / 64 < b->left ? x->u.str.n / 64 : b->left;
		return !memcmp(x->u.str.s, y->u.str.s, x->u.str.n);
	case V_LIST:
		if (x->u.list.n != y->u.list.n || (x->flags & V_TUPLE) != (y->flags & V_TUPLE))
			return false;
		for (uint32_t i = 0; i < x->u.list.n; i++) {
			if (!equal(x->u.list.items[i], y->u.list.items[i], depth + 1, b))
				return false;
		}
		return true;
	case V_MAP:
		if (x->u.map.n != y->u.map.n)
			return false;
		for (uint32_t i = 0; i < x->u.map.n; i++) {
			const struct value *other = value_get(y, x->u.map.items[i].key);

			if (!other || !equal(x->u.map.items[i].val, other, depth + 1, b))
				return false;
		}
		return true;
	default:
		return false;
	}
}

bool op_equal(struct ctx *c, const struct value *x, const struct value *y)
{
	struct budget b = { .left = LIMIT_NODES };
	bool same = equal(x, y, 0, &b);

	if (b.undef)
		ctx_defined(c, NULL, b.undef);
	ctx_step(c, NULL, (LIMIT_NODES - b.left) / 16);
	return same;
}

static int order(const struct value *x, const struct value *y, bool *ok, unsigned depth, struct budget *b)
{
	if (op_is_num(x) && op_is_num(y)) {
		if ((x->type == V_FLOAT && isnan(x->u.f)) || (y->type == V_FLOAT && isnan(y->u.f)))
			*ok = false;
		return num_order(x, y);
	}
	if (x->type == V_STR && y->type == V_STR) {
		size_t n = x->u.str.n < y->u.str.n ? x->u.str.n : y->u.str.n;
		int r = memcmp(x->u.str.s, y->u.str.s, n);

		b->left -= n / 64 < b->left ? n / 64 : b->left;
		return r ? r : x->u.str.n < y->u.str.n ? -1 : x->u.str.n > y->u.str.n;
	}
	if (x->type == V_LIST && y->type == V_LIST && depth < DEEP && (x->flags & V_TUPLE) == (y->flags & V_TUPLE)) {
		for (uint32_t i = 0; i < x->u.list.n && i < y->u.list.n; i++) {
			if (!equal(x->u.list.items[i], y->u.list.items[i], depth, b))
				return order(x->u.list.items[i], y->u.list.items[i], ok, depth + 1, b);
		}
		return x->u.list.n < y->u.list.n ? -1 : x->u.list.n > y->u.list.n;
	}
	*ok = false;
	return 0;
}

int op_order(struct ctx *c, const struct value *x, const struct value *y, bool *ok)
{
	struct budget b = { .left = LIMIT_NODES };
	int r;

	*ok = true;
	r = order(x, y, ok, 0, &b);
	ctx_step(c, NULL, (LIMIT_NODES - b.left) / 16);
	return r;
}

bool op_in(struct ctx *c, const struct node *at, const struct value *x, const struct value *in)
{
	switch ((int)in->type) {
	case V_STR:
		if (x->type != V_STR)
			return ctx_fail(c, at, "\"in\" a string looks for a string, not %s", op_type(x));
		return ctx_step(c, at, in->u.str.n / 64) && memmem(in->u.str.s, in->u.str.n, x->u.str.s, x->u.str.n);
	case V_LIST:
		for (uint32_t i = 0; i < in->u.list.n; i++) {
			if (!ctx_defined(c, at, in->u.list.items[i]))
				return false;
			if (op_equal(c, x, in->u.list.items[i]))
				return ctx_step(c, at, i / 4);
		}
		return ctx_step(c, at, in->u.list.n / 4) && false;
	case V_MAP:
		if (x->type == V_LIST && x->flags & V_TUPLE)
			return false;
		if (x->type == V_LIST || x->type == V_MAP)
			return ctx_fail(c, at, "a %s cannot be a key", op_type(x));
		else {
			const char *key = op_str(c, at, x);

			if (key && in->flags & V_LAZY) { /* only the scope knows what it has */
				const struct value *v = ctx_attr(c, at, (struct value *)(uintptr_t)in, key);

				return v && v->type != V_UNDEF;
			}
			return key && value_get(in, key);
		}
	default:
		return ctx_fail(c, at, "\"in\" needs a string, list or map, not %s", op_type(in));
	}
}

bool op_text(struct ctx *c, const struct node *at, struct buf *b, const struct value *v, const char *none)
{
	switch ((int)v->type) {
	case V_NULL:
		buf_str(b, none);
		return true;
	case V_STR:
		buf_add(b, v->u.str.s, v->u.str.n);
		return true;
	case V_BOOL:
		buf_str(b, v->u.b ? "True" : "False");
		return true;
	case V_INT:
		buf_int(b, v->u.i);
		return true;
	case V_FLOAT:
		return value_print(b, v);
	case V_UNDEF:
		return ctx_defined(c, at, v);
	case V_LIST:
	case V_MAP:
		return ctx_fail(c, at, "a %s has no text of its own; use to_json, to_yaml or join", op_type(v));
	default:
		return ctx_fail(c, at, "a %s cannot be printed", op_type(v));
	}
}

const char *op_str(struct ctx *c, const struct node *at, const struct value *v)
{
	struct buf b = BUF(c->a);

	if (v->type == V_STR)
		return v->u.str.s;
	return op_text(c, at, &b, v, "None") ? buf_text(&b) : NULL;
}

struct value *op_iter(struct ctx *c, const struct node *at, struct value *v)
{
	struct value *list;

	if (!ctx_defined(c, at, v))
		return NULL;
	if (v->type == V_LIST)
		return v;
	if (v->type != V_MAP && v->type != V_STR && v->type != V_UNDEF)
		return ctx_fail(c, at, "%s is not a list, map or string to go through", op_type(v));
	list = value_list(c->a);
	list->flags |= v->flags & V_SECRET;
	if (v->type == V_MAP) {
		for (uint32_t i = 0; i < v->u.map.n; i++)
			value_push(c->a, list, op_own(c, v->u.map.items[i].key, strlen(v->u.map.items[i].key)));
	}
	for (size_t i = 0; v->type == V_STR && i < v->u.str.n;) {
		size_t next = utf8_next(v->u.str.s, v->u.str.n, i, NULL);

		value_push(c->a, list, value_strn(c->a, v->u.str.s + i, next - i));
		i = next;
		if (list->u.list.n % 4096 == 0 && !ctx_step(c, at, 0)) /* a value for each character adds up */
			return NULL;
	}
	return ctx_step(c, at, list->u.list.n / 4) ? list : NULL;
}

struct value *op_fold(struct ctx *c, struct value *v)
{
	struct buf b = BUF(c->a);

	if (v->type != V_STR || !ctx_step(c, NULL, v->u.str.n / 64))
		return v;
	utf8_case(&b, v->u.str.s, v->u.str.n, false);
	return op_buf(c, &b);
}

/* Merge sort: stable, and a comparison that fails ends it. */
static bool sort_run(struct ctx *c, const struct node *at, struct sort_item *items, struct sort_item *spare, size_t n,
		     bool reverse)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return true;
	if (!sort_run(c, at, items, spare, half, reverse) || !sort_run(c, at, items + half, spare, n - half, reverse))
		return false;
	if (!ctx_step(c, at, n / 4))
		return false;
	while (i < half && j < n) {
		bool ok;
		int r = op_order(c, items[j].key, items[i].key, &ok);

		if (!ok && (!op_is_num(items[i].key) || !op_is_num(items[j].key)))
			return ctx_fail(c, at, "cannot sort %s with %s", op_type(items[j].key), op_type(items[i].key));
		spare[k++] = (reverse ? r > 0 : r < 0) ? items[j++] : items[i++];
	}
	while (i < half)
		spare[k++] = items[i++];
	memcpy(items, spare, k * sizeof *items);
	return true;
}

bool op_sort(struct ctx *c, const struct node *at, struct sort_item *items, size_t n, bool reverse)
{
	struct sort_item *spare = arena_new_of(c->a, struct sort_item, n);

	for (size_t i = 0; i < n; i++) {
		if (!ctx_defined(c, at, items[i].key))
			return false;
	}
	return sort_run(c, at, items, spare, n, reverse);
}
