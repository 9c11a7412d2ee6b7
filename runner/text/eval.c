/*
 * Walking the tree of an expression. Undefined travels as a value until something uses it; secrecy goes from the
 * operands to the result.
 */
#include "text/tmpl_int.h"

#include <math.h>
#include <string.h>

enum { ARGS_MOST = 256 };

static struct value *eval_list(struct ctx *c, const struct node *x)
{
	struct value *list = value_list(c->a);

	if (x->kind == X_TUPLE)
		list->flags |= V_TUPLE;
	for (uint32_t i = 0; i < x->n; i++) {
		struct value *v = eval(c, x->kids[i]);

		if (!v)
			return NULL;
		value_push(c->a, list, v);
	}
	return list;
}

static struct value *eval_dict(struct ctx *c, const struct node *x)
{
	struct value *map = value_map(c->a);

	for (uint32_t i = 0; i < x->n; i += 2) {
		struct value *key = eval_used(c, x->kids[i]);
		struct value *v = key ? eval(c, x->kids[i + 1]) : NULL;
		const char *name = NULL;

		if (!v)
			return NULL;
		if (key->type == V_LIST || key->type == V_MAP || key->type >= V_UNDEF)
			return ctx_fail(c, x->kids[i], "a %s cannot be a key", op_type(key));
		name = op_str(c, x->kids[i], key);
		if (!name)
			return NULL;
		value_put(c->a, map, name, v);
	}
	return map;
}

static struct value *eval_sign(struct ctx *c, const struct node *x)
{
	struct value *v = eval_used(c, x->a), *r;

	if (!v)
		return NULL;
	if (!op_is_num(v))
		return ctx_fail(c, x, "bad operand for \"%c\": %s", x->kind == X_NEG ? '-' : '+', op_type(v));
	if (v->type == V_FLOAT) {
		r = value_float(c->a, x->kind == X_NEG ? -v->u.f : v->u.f);
	} else {
		int64_t i = op_int(v);

		if (x->kind == X_NEG && i == INT64_MIN)
			return ctx_fail(c, x, "integer overflow");
		r = value_int(c->a, x->kind == X_NEG ? -i : i);
	}
	return op_secret(c, r, v->flags & V_SECRET);
}

static struct value *eval_logic(struct ctx *c, const struct node *x)
{
	struct value *v = NULL;

	for (uint32_t i = 0; i < x->n; i++) {
		v = i + 1 < x->n ? eval_used(c, x->kids[i]) : eval(c, x->kids[i]);
		if (!v || (i + 1 < x->n && op_truth(v) == (x->kind == X_OR)))
			return v;
	}
	return v;
}

static struct value *eval_not(struct ctx *c, const struct node *x)
{
	struct value *v = eval_used(c, x->a);

	return v ? op_secret(c, value_bool(c->a, !op_truth(v)), v->flags & V_SECRET) : NULL;
}

static bool eval_cmp_one(struct ctx *c, const struct node *x, int op, struct value *l, struct value *r)
{
	static const char *const names[] = { "", "==", "!=", "<", "<=", ">", ">=", "in", "not in" };
	bool ok;
	int order;

	switch (op) {
	case CMP_EQ:
		return op_equal(c, l, r);
	case CMP_NE:
		return !op_equal(c, l, r);
	case CMP_IN:
		return op_in(c, x, l, r);
	case CMP_NOTIN:
		return !op_in(c, x, l, r);
	default:
		break;
	}
	order = op_order(c, l, r, &ok);
	if (!ok) {
		/* NaN is a number that has no order: every comparison with it is false */
		if (!op_is_num(l) || !op_is_num(r))
			ctx_fail(c, x, "\"%s\" does not compare %s with %s", names[op], op_type(l), op_type(r));
		return false;
	}
	return op == CMP_LT ? order < 0 : op == CMP_LE ? order <= 0 : op == CMP_GT ? order > 0 : order >= 0;
}

static struct value *eval_cmp(struct ctx *c, const struct node *x)
{
	struct value *l = eval_used(c, x->a);
	bool secret = false, result = true;

	for (uint32_t i = 0; l && i < x->n && result; i++) {
		struct value *r = eval_used(c, x->kids[i]);

		if (!r)
			return NULL;
		secret |= (l->flags | r->flags) & V_SECRET;
		result = eval_cmp_one(c, x, (int)x->lit->u.list.items[i]->u.i, l, r);
		l = r;
	}
	return l && !c->failed ? op_secret(c, value_bool(c->a, result), secret) : NULL;
}

static struct value *eval_concat(struct ctx *c, const struct node *x)
{
	struct buf b = BUF(c->a);
	bool secret = false;

	for (uint32_t i = 0; i < x->n; i++) {
		struct value *v = eval_used(c, x->kids[i]);

		if (!v || !op_text(c, x->kids[i], &b, v, "None"))
			return NULL;
		secret |= v->flags & V_SECRET;
		if (b.len > LIMIT_TEXT)
			return ctx_fail(c, x, "string longer than 16 MiB");
	}
	return ctx_step(c, x, b.len / 64) ? op_secret(c, op_buf(c, &b), secret) : NULL;
}

/* One bound of a slice: a number or nothing. */
static bool slice_part(struct ctx *c, const struct node *x, int64_t *to, bool *given)
{
	*given = false;
	if (!x)
		return true;

	struct value *v = eval_used(c, x);

	if (!v)
		return false;
	if (v->type == V_NULL)
		return true;
	if (v->type != V_INT && v->type != V_BOOL)
		return ctx_fail(c, x, "a slice's bounds are integers, not %s", op_type(v));
	*to = op_int(v);
	*given = true;
	return true;
}

static int64_t slice_clamp(int64_t i, int64_t n, bool down)
{
	if (i < 0)
		i = i < -n ? (down ? -1 : 0) : i + n;
	return i >= n ? (down ? n - 1 : n) : i;
}

static struct value *slice_take(struct ctx *c, const struct node *x, const struct value *v, int64_t from, int64_t to,
				int64_t step, int64_t n)
{
	struct value *list = v->type == V_LIST ? value_list(c->a) : NULL;
	struct buf b = BUF(c->a);
	bool ascii = v->type == V_STR && (size_t)n == v->u.str.n;

	if (list)
		list->flags |= v->flags & V_TUPLE;
	if (!list && step == 1 && from < to) {
		size_t at = ascii ? (size_t)from : utf8_at(v->u.str.s, v->u.str.n, (size_t)from);

		return value_strn(c->a, v->u.str.s + at,
				  utf8_at(v->u.str.s + at, v->u.str.n - at, (size_t)(to - from)));
	}
	for (int64_t i = from; step > 0 ? i < to : i > to;) {
		if (list) {
			value_push(c->a, list, v->u.list.items[i]);
		} else {
			size_t at = ascii ? (size_t)i : utf8_at(v->u.str.s, v->u.str.n, (size_t)i);

			buf_add(&b, v->u.str.s + at, utf8_next(v->u.str.s, v->u.str.n, at, NULL) - at);
			if (!ctx_step(c, x, 1 + (ascii ? 0 : at / 16)))
				return NULL;
		}
		if (step > 0 ? to - i <= step
			     : i - to <= -step) /* the next one is past the end, and must not overflow */
			break;
		i += step;
	}
	return list ? list : op_buf(c, &b);
}

static struct value *eval_slice(struct ctx *c, const struct node *x)
{
	struct value *v = eval_used(c, x->a);
	bool secret = v && v->flags & V_SECRET;
	int64_t from = 0, to = 0, step = 1, n;
	bool has_from, has_to, has_step;

	if (!v || !slice_part(c, x->kids[0], &from, &has_from) || !slice_part(c, x->kids[1], &to, &has_to) ||
	    !slice_part(c, x->kids[2], &step, &has_step))
		return NULL;
	if (v->type != V_LIST && v->type != V_STR)
		return ctx_fail(c, x, "%s cannot be sliced", op_type(v));
	if (!ctx_step(c, x, value_len(v) / 64))
		return NULL;
	if (!has_step)
		step = 1;
	if (!step || step == INT64_MIN)
		return ctx_fail(c, x, "a slice's step cannot be %s", step ? "that large" : "0");
	n = v->type == V_LIST ? v->u.list.n : (int64_t)utf8_len(v->u.str.s, v->u.str.n);
	from = has_from ? slice_clamp(from, n, step < 0) : step < 0 ? n - 1 : 0;
	to = has_to ? slice_clamp(to, n, step < 0) : step < 0 ? -1 : n;
	v = slice_take(c, x, v, from, to, step, n);
	return v ? op_secret(c, v, secret) : NULL;
}

/* Arguments of a call, filter or test; they may be undefined. */
static bool eval_args(struct ctx *c, const struct node *x, struct value ***args, const char ***names,
		      struct value ***vals)
{
	*args = *vals = NULL;
	*names = NULL;
	if (!x->n && !x->nkws)
		return true;
	if (x->n > ARGS_MOST)
		return ctx_fail(c, x, "more than %d arguments", ARGS_MOST);
	if (x->n)
		*args = arena_room(c->a, x->n * sizeof **args);
	if (x->nkws) {
		*names = arena_room(c->a, x->nkws * sizeof **names);
		*vals = arena_room(c->a, x->nkws * sizeof **vals);
	}
	for (uint32_t i = 0; i < x->n; i++) {
		if (!((*args)[i] = eval(c, x->kids[i])))
			return false;
	}
	for (uint32_t i = 0; i < x->nkws; i++) {
		(*names)[i] = x->kws[i].name;
		if (!((*vals)[i] = eval(c, x->kws[i].x)))
			return false;
	}
	return true;
}

static struct value *eval_row(struct ctx *c, const struct node *x)
{
	struct value *in = eval(c, x->a), **args, **vals;
	const char **names;

	if (!in || !eval_args(c, x, &args, &names, &vals))
		return NULL;
	return row_call(c, x, x->kind == X_FILTER ? "filter" : "test", x->row, in, args, x->n, names, vals, x->nkws);
}

static struct value *eval_call(struct ctx *c, const struct node *x)
{
	struct value *f, **args, **vals;
	const char **names;

	if (x->a->kind == X_ATTR) {
		struct value *self = eval_used(c, x->a->a);
		const struct row *row = self ? row_of_type(x->row, self) : NULL;

		if (!self || !eval_args(c, x, &args, &names, &vals))
			return NULL;
		if (row)
			return row_call(c, x->a, "method", row, self, args, x->n, names, vals, x->nkws);
		f = ctx_attr(c, x->a, self, x->a->name);
		if (f && f->type == V_UNDEF)
			return ctx_fail(c, x->a, "%s has no method \"%s\"", op_type(self), x->a->name);
	} else {
		f = eval_used(c, x->a);
		if (!f || !eval_args(c, x, &args, &names, &vals))
			return NULL;
	}
	return f ? ctx_call(c, x, f, args, x->n, names, vals, x->nkws) : NULL;
}

static struct value *eval_cond(struct ctx *c, const struct node *x)
{
	struct value *cond = eval_used(c, x->a), *v;

	if (!cond)
		return NULL;
	if (op_truth(cond))
		v = eval(c, x->b);
	else if (x->c)
		v = eval(c, x->c);
	else {
		v = value_undef(c->a, "else");
		v->flags |= V_SOFT;
	}
	return v ? op_secret(c, v, cond->flags & V_SECRET) : NULL;
}

static struct value *eval_bin(struct ctx *c, const struct node *x)
{
	struct value *l = eval_used(c, x->a), *r = l ? eval_used(c, x->b) : NULL;
	struct value *v = r ? op_binary(c, x, x->op, l, r) : NULL;

	return v ? op_secret(c, v, (l->flags | r->flags) & V_SECRET) : NULL;
}

static struct value *eval_attr(struct ctx *c, const struct node *x)
{
	struct value *v = eval(c, x->a);

	return v ? ctx_attr(c, x, v, x->name) : NULL;
}

static struct value *eval_index(struct ctx *c, const struct node *x)
{
	struct value *v = eval(c, x->a), *key = v ? eval_used(c, x->b) : NULL;

	v = key ? ctx_item(c, x, v, key) : NULL;
	return v ? op_secret(c, v, key->flags & V_SECRET) : NULL;
}

static struct value *eval_literal(struct ctx *c, const struct node *x)
{
	(void)c;
	return x->lit;
}

/* A function each, and not one that holds all: what it keeps at hand would be saved and fetched for every name. */
static struct value *(*const of_kind[])(struct ctx *c, const struct node *x) = {
	[X_LIT] = eval_literal, [X_NAME] = ctx_name,   [X_LIST] = eval_list,     [X_TUPLE] = eval_list,
	[X_DICT] = eval_dict,   [X_ATTR] = eval_attr,  [X_INDEX] = eval_index,   [X_SLICE] = eval_slice,
	[X_CALL] = eval_call,   [X_FILTER] = eval_row, [X_TEST] = eval_row,      [X_NEG] = eval_sign,
	[X_POS] = eval_sign,    [X_NOT] = eval_not,    [X_AND] = eval_logic,     [X_OR] = eval_logic,
	[X_BIN] = eval_bin,     [X_CMP] = eval_cmp,    [X_COND] = eval_cond,     [X_CONCAT] = eval_concat,
};

struct value *eval(struct ctx *c, const struct node *x)
{
	struct value *v;

	if (c->failed || !ctx_step(c, x, 1))
		return NULL;
	if (++c->depth > 3 * LIMIT_TREE)
		return ctx_fail(c, x, "nested too deep");
	if (x->kind < X_LIT || x->kind > X_CONCAT)
		bug("node kind %d is no expression", x->kind);
	c->here = x;
	v = of_kind[x->kind](c, x);
	c->here = x;
	c->depth--;
	if (!v && !c->failed)
		bug("an expression at %u:%u failed without a message", x->line, x->col);
	return c->failed ? NULL : v;
}

static struct value *call_cycle(struct ctx *c, const struct node *at, const struct func *f, struct value **args,
				uint32_t n)
{
	return n ? args[f->loop->i % n] : ctx_fail(c, at, "\"cycle\" needs something to cycle through");
}

static struct value *call_changed(struct ctx *c, const struct node *at, struct func *f, struct value **args, uint32_t n)
{
	struct value *now = value_list(c->a), *last = f->loop->last_changed;

	for (uint32_t i = 0; i < n; i++) {
		if (!ctx_defined(c, at, args[i]))
			return NULL;
		value_push(c->a, now, args[i]);
	}
	f->loop->last_changed = now;
	return value_bool(c->a, !last || !op_equal(c, last, now));
}

static struct value *call_cycler(struct func *f)
{
	return f->state->u.list.items[f->at++ % f->state->u.list.n];
}

struct value *ctx_call(struct ctx *c, const struct node *at, struct value *v, struct value **args, uint32_t n,
		       const char **kw_names, struct value **kw_vals, uint32_t nkw)
{
	struct func *f = (struct func *)v;

	if (v->type == V_LOOP)
		return n == 1 ? render_loop_again(c, at, (struct loop *)v, args[0])
			      : ctx_fail(c, at, "\"loop\" takes one list");
	if (v->type != V_FUNC)
		return ctx_fail(c, at, "%s cannot be called", op_type(v));
	switch (f->kind) {
	case FUNC_MACRO:
	case FUNC_CALLER:
		return render_macro(c, at, f, args, n, kw_names, kw_vals, nkw);
	case FUNC_GLOBAL:
		return row_call(c, at, "function", f->row, NULL, args, n, kw_names, kw_vals, nkw);
	case FUNC_SUPER:
		return render_super(c, at, f->use);
	case FUNC_CYCLE:
		return call_cycle(c, at, f, args, n);
	case FUNC_CHANGED:
		return call_changed(c, at, f, args, n);
	case FUNC_CYCLER:
		return call_cycler(f);
	case FUNC_JOINER:
		return f->at++ ? f->state : value_str(c->a, "");
	case FUNC_LOOP:
		break;
	}
	return ctx_fail(c, at, "this cannot be called");
}
