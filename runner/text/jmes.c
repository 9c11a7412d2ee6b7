/* JMESPath: searching. A member that is missing is null; projections leave nulls out. Functions are in jmes_fn.c. */
#include "text/jmes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *jmes_fail(struct jmes *j, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail(j->e, E_INPUT, "JMESPath \"%.120s\": %s", j->expr, text);
	return NULL;
}

bool jmes_step(struct jmes *j, uint64_t n)
{
	j->steps += n;
	if (arena_used(j->a) - j->start > LIMIT_BYTES)
		return jmes_fail(j, "it takes more than %zu MiB of memory", LIMIT_BYTES >> 20);
	return j->steps <= LIMIT_STEPS || jmes_fail(j, "it takes more than %d steps", LIMIT_STEPS);
}

bool jmes_truth(const struct value *v)
{
	switch ((int)v->type) {
	case V_NULL:
		return false;
	case V_BOOL:
		return v->u.b;
	case V_STR:
	case V_LIST:
	case V_MAP:
		return value_len(v) != 0;
	default:
		return true;
	}
}

bool jmes_equal(struct jmes *j, const struct value *x, const struct value *y, unsigned depth)
{
	bool nums = (x->type == V_INT || x->type == V_FLOAT) && (y->type == V_INT || y->type == V_FLOAT);

	j->steps += 1 + (x->type == V_STR ? x->u.str.n / 1024 : 0);
	if (depth > 256 || j->steps > LIMIT_STEPS)
		return false;
	if (nums)
		return x->type == V_INT && y->type == V_INT ? x->u.i == y->u.i : op_real(x) == op_real(y);
	if (x->type != y->type)
		return false;
	if (x->type == V_BOOL)
		return x->u.b == y->u.b;
	if (x->type == V_STR)
		return x->u.str.n == y->u.str.n && !memcmp(x->u.str.s, y->u.str.s, x->u.str.n);
	if (value_len(x) != value_len(y))
		return false;
	for (size_t i = 0, n = value_len(x); i < n; i++) {
		const struct value *other = x->type == V_MAP ? value_get(y, value_key_at(x, i)) : value_at(y, i);

		if (!other || !jmes_equal(j, value_at(x, i), other, depth + 1))
			return false;
	}
	return true;
}

static struct value *null_of(struct jmes *j)
{
	return value_null(j->a);
}

static struct value *eval_cmp(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *x = jmes_eval(j, n->a, v), *y = x ? jmes_eval(j, n->b, v) : NULL;
	int order;

	if (!y)
		return NULL;
	if (n->op == CMP_EQ || n->op == CMP_NE) {
		bool same = jmes_equal(j, x, y, 0);

		return jmes_step(j, 1) ? value_bool(j->a, same == (n->op == CMP_EQ)) : NULL;
	}
	if ((x->type != V_INT && x->type != V_FLOAT) || (y->type != V_INT && y->type != V_FLOAT))
		return null_of(j); /* only numbers have an order */
	if (x->type == V_INT && y->type == V_INT)
		order = x->u.i < y->u.i ? -1 : x->u.i > y->u.i;
	else
		order = op_real(x) < op_real(y) ? -1 : op_real(x) > op_real(y);
	return value_bool(j->a, n->op == CMP_LT	  ? order < 0
				: n->op == CMP_LE ? order <= 0
				: n->op == CMP_GT ? order > 0
						  : order >= 0);
}

static struct value *eval_index(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *list = jmes_eval(j, n->a, v);
	int64_t i = n->part[0];

	if (!list)
		return NULL;
	if (list->type != V_LIST)
		return null_of(j);
	i = i < 0 ? i + (int64_t)list->u.list.n : i;
	return i >= 0 && i < list->u.list.n ? list->u.list.items[i] : null_of(j);
}

static int64_t clamp(int64_t i, int64_t n, bool down)
{
	if (i < 0)
		i = i < -n ? (down ? -1 : 0) : i + n;
	return i >= n ? (down ? n - 1 : n) : i;
}

static struct value *eval_slice(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *list = jmes_eval(j, n->a, v), *out = value_list(j->a);
	int64_t step = n->given[2] ? n->part[2] : 1, len, from, to;

	if (!list)
		return NULL;
	if (!step || step == INT64_MIN)
		return jmes_fail(j, "a slice's step cannot be %s", step ? "that large" : "0");
	if (list->type != V_LIST)
		return null_of(j);
	len = list->u.list.n;
	from = n->given[0] ? clamp(n->part[0], len, step < 0) : step < 0 ? len - 1 : 0;
	to = n->given[1] ? clamp(n->part[1], len, step < 0) : step < 0 ? -1 : len;
	while (step > 0 ? from < to : from > to) {
		value_push(j->a, out, list->u.list.items[from]);
		if (step > 0 ? to - from <= step : from - to <= -step)
			break;
		from += step;
	}
	return jmes_step(j, out->u.list.n) ? out : NULL;
}

static struct value *eval_flatten(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *list = jmes_eval(j, n->a, v), *out = value_list(j->a);

	if (!list || list->type != V_LIST)
		return list ? null_of(j) : NULL;
	for (uint32_t i = 0; i < list->u.list.n; i++) {
		struct value *item = list->u.list.items[i];

		for (uint32_t k = 0; item->type == V_LIST && k < item->u.list.n; k++)
			value_push(j->a, out, item->u.list.items[k]);
		if (item->type != V_LIST)
			value_push(j->a, out, item);
		if (!jmes_step(j, 1 + (item->type == V_LIST ? item->u.list.n : 0)))
			return NULL;
	}
	return out;
}

/* J_PROJECT over lists, J_VALUES over the values of maps, J_FILTER over list items that fulfil the condition */
static struct value *eval_project(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *over = jmes_eval(j, n->a, v), *out = value_list(j->a);

	if (!over)
		return NULL;
	if (over->type != (n->kind == J_VALUES ? V_MAP : V_LIST))
		return null_of(j);
	out->flags |= over->flags & V_SECRET;
	for (size_t i = 0, len = value_len(over); i < len; i++) {
		struct value *item = value_at(over, i);

		if (n->kind == J_FILTER) {
			const struct value *holds = jmes_eval(j, n->c, item);

			if (!holds)
				return NULL;
			if (!jmes_truth(holds))
				continue;
		}
		item = jmes_eval(j, n->b, item);
		if (!item)
			return NULL;
		if (item->type != V_NULL)
			value_push(j->a, out, item);
	}
	return out;
}

static struct value *eval_many(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *out = n->kind == J_LIST ? value_list(j->a) : value_map(j->a);

	if (v->type == V_NULL)
		return v;
	for (uint32_t i = 0; i < n->n; i++) {
		struct value *item = jmes_eval(j, n->kids[i], v);

		if (!item)
			return NULL;
		if (n->kind == J_LIST)
			value_push(j->a, out, item);
		else
			value_put(j->a, out, n->keys[i], item);
	}
	return out;
}

static struct value *eval_field(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *got = v->type == V_MAP ? value_get(v, n->name) : NULL;

	if (!got)
		return null_of(j);
	return v->flags & V_SECRET ? value_secret(j->a, got) : got;
}

struct value *jmes_eval(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct value *x;

	if (!jmes_step(j, 1))
		return NULL;
	switch (n->kind) {
	case J_IDENTITY:
		return v;
	case J_FIELD:
		return eval_field(j, n, v);
	case J_LITERAL:
		return n->lit;
	case J_SUB:
	case J_PIPE:
		x = jmes_eval(j, n->a, v);
		return x ? jmes_eval(j, n->b, x) : NULL;
	case J_OR:
	case J_AND:
		x = jmes_eval(j, n->a, v);
		return !x || jmes_truth(x) == (n->kind == J_OR) ? x : jmes_eval(j, n->b, v);
	case J_NOT:
		x = jmes_eval(j, n->a, v);
		return x ? value_bool(j->a, !jmes_truth(x)) : NULL;
	case J_CMP:
		return eval_cmp(j, n, v);
	case J_INDEX:
		return eval_index(j, n, v);
	case J_SLICE:
		return eval_slice(j, n, v);
	case J_FLATTEN:
		return eval_flatten(j, n, v);
	case J_PROJECT:
	case J_VALUES:
	case J_FILTER:
		return eval_project(j, n, v);
	case J_LIST:
	case J_HASH:
		return eval_many(j, n, v);
	case J_CALL:
		return jmes_call(j, n, v);
	default:
		return jmes_fail(j, "\"&\" stands only before an argument of a function");
	}
}

bool jmes_run(struct jmes *j, struct value **out, const char *expr, const struct value *data)
{
	const struct jmes_node *n = jmes_parse(j->a, expr, j->e);

	j->expr = expr;
	*out = n && jmes_step(j, strlen(expr) / 8)
		       ? jmes_eval(j, n, data ? (struct value *)(uintptr_t)data : value_null(j->a))
		       : NULL;
	return *out != NULL;
}

bool jmes_search(struct value **out, struct arena *a, const char *expr, const struct value *data, struct err *e)
{
	struct jmes j = { .a = a, .start = arena_used(a), .e = e };

	return jmes_run(&j, out, expr, data);
}
