/*
 * Arithmetic, and what Python's operators do besides numbers: joining and repeating strings and lists, and "%"
 * formatting.
 */
#include "text/tmpl_int.h"

#include <math.h>
#include <string.h>

static struct value *arith_overflow(struct ctx *c, const struct node *at)
{
	return ctx_fail(c, at, "integer overflow: the result has more than 64 bits");
}

static struct value *int_power(struct ctx *c, const struct node *at, int64_t x, int64_t y)
{
	int64_t r = 1;

	if (y < 0) {
		if (!x)
			return ctx_fail(c, at, "0 cannot be raised to a negative power");
		return value_float(c->a, pow((double)x, (double)y));
	}
	if (x == 0 || x == 1)
		return value_int(c->a, y ? x : 1);
	if (x == -1)
		return value_int(c->a, y & 1 ? -1 : 1);
	for (; y; y--) {
		if (__builtin_mul_overflow(r, x, &r))
			return arith_overflow(c, at);
	}
	return value_int(c->a, r);
}

static struct value *int_binary(struct ctx *c, const struct node *at, int op, int64_t x, int64_t y)
{
	int64_t r = 0;
	bool over = false;

	switch (op) {
	case '+':
		over = __builtin_add_overflow(x, y, &r);
		break;
	case '-':
		over = __builtin_sub_overflow(x, y, &r);
		break;
	case '*':
		over = __builtin_mul_overflow(x, y, &r);
		break;
	case OP2('*', '*'):
		return int_power(c, at, x, y);
	default:
		if (!y)
			return ctx_fail(c, at, "division by zero");
		if (op == '/')
			return value_float(c->a, (double)x / (double)y);
		if (y == -1) {
			over = x == INT64_MIN && op != '%';
			r = op == '%' || over ? 0 : -x;
		} else if (op == '%') {
			r = x % y;
			if (r && (r < 0) != (y < 0))
				r += y;
		} else {
			r = x / y - (x % y && (x < 0) != (y < 0));
		}
		break;
	}
	return over ? arith_overflow(c, at) : value_int(c->a, r);
}

static double real_mod(double x, double y)
{
	double r = fmod(x, y);

	if (r != 0 ? (r < 0) != (y < 0) : false)
		r += y;
	return r != 0 ? r : copysign(0, y);
}

static struct value *real_floor_div(struct ctx *c, double x, double y)
{
	double mod = real_mod(x, y), div = (x - mod) / y, down = floor(div);

	if (div == 0)
		return value_float(c->a, copysign(0, x / y));
	return value_float(c->a, div - down > 0.5 ? down + 1 : down);
}

static struct value *real_binary(struct ctx *c, const struct node *at, int op, double x, double y)
{
	double r = 0;

	switch (op) {
	case '+':
		return value_float(c->a, x + y);
	case '-':
		return value_float(c->a, x - y);
	case '*':
		return value_float(c->a, x * y);
	case OP2('*', '*'):
		if (x == 0 && y < 0)
			return ctx_fail(c, at, "0 cannot be raised to a negative power");
		r = pow(x, y);
		if (isnan(r) && !isnan(x) && !isnan(y))
			return ctx_fail(c, at, "the power is a complex number");
		if (isinf(r) && !isinf(x) && !isinf(y))
			return ctx_fail(c, at, "the result is too large");
		return value_float(c->a, r);
	default:
		if (y == 0)
			return ctx_fail(c, at, "division by zero");
		if (op == '/')
			return value_float(c->a, x / y);
		return op == '%' ? value_float(c->a, real_mod(x, y)) : real_floor_div(c, x, y);
	}
}

static struct value *repeat(struct ctx *c, const struct node *at, const struct value *v, int64_t times)
{
	size_t each = v->type == V_STR ? v->u.str.n : v->u.list.n;
	uint64_t n = times > 0 && each ? (uint64_t)times : 0;

	if (n > LIMIT_TEXT / (each ? each : 1) || (v->type == V_LIST && n * each > LIMIT_NODES))
		return ctx_fail(c, at, "repeated too often: the result is too large");
	if (!ctx_step(c, at, n * each / 64))
		return NULL;
	if (v->type == V_STR) {
		struct buf b = BUF(c->a);

		while (n--)
			buf_add(&b, v->u.str.s, v->u.str.n);
		return op_buf(c, &b);
	}

	struct value *list = value_list(c->a);

	list->flags |= v->flags & V_TUPLE;
	while (n--) {
		for (uint32_t i = 0; i < each; i++)
			value_push(c->a, list, v->u.list.items[i]);
	}
	return list;
}

static struct value *join_two(struct ctx *c, const struct node *at, const struct value *x, const struct value *y)
{
	if (x->type == V_STR) {
		struct buf b = BUF(c->a);

		if (x->u.str.n + y->u.str.n > LIMIT_TEXT)
			return ctx_fail(c, at, "string longer than 16 MiB");
		buf_add(&b, x->u.str.s, x->u.str.n);
		buf_add(&b, y->u.str.s, y->u.str.n);
		return ctx_step(c, at, b.len / 64) ? op_buf(c, &b) : NULL;
	}

	struct value *list = value_list(c->a);

	if (!ctx_step(c, at, (x->u.list.n + y->u.list.n) / 16))
		return NULL;
	list->flags |= x->flags & V_TUPLE;
	for (uint32_t i = 0; i < x->u.list.n; i++)
		value_push(c->a, list, x->u.list.items[i]);
	for (uint32_t i = 0; i < y->u.list.n; i++)
		value_push(c->a, list, y->u.list.items[i]);
	return list;
}

struct value *op_binary(struct ctx *c, const struct node *at, int op, struct value *x, struct value *y)
{
	char name[3] = { (char)(op > 255 ? op >> 8 : op), (char)(op > 255 ? op & 255 : 0), 0 };

	if (op == '%' && x->type == V_STR)
		return format_percent(c, at, x, y);
	if (op_is_num(x) && op_is_num(y)) {
		if (x->type == V_FLOAT || y->type == V_FLOAT)
			return real_binary(c, at, op, op_real(x), op_real(y));
		return int_binary(c, at, op, op_int(x), op_int(y));
	}
	if (op == '+' && x->type == y->type &&
	    (x->type == V_STR || (x->type == V_LIST && (x->flags & V_TUPLE) == (y->flags & V_TUPLE))))
		return join_two(c, at, x, y);
	if (op == '*' && (x->type == V_STR || x->type == V_LIST) && (y->type == V_INT || y->type == V_BOOL))
		return repeat(c, at, x, op_int(y));
	if (op == '*' && (y->type == V_STR || y->type == V_LIST) && (x->type == V_INT || x->type == V_BOOL))
		return repeat(c, at, y, op_int(x));
	return ctx_fail(c, at, "\"%s\" does not take %s and %s", name, op_type(x), op_type(y));
}
