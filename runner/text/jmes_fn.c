/* JMESPath's functions. Each row says what types its arguments may have; a wrong type is an error, never a guess. */
#include "text/jmes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	IS_NULL = 1, IS_BOOL = 2, IS_NUM = 4, IS_STR = 8, IS_LIST = 16, IS_MAP = 32, IS_REF = 64, IS_ANY = 63,
	IS_NUMS = 128,
	IS_STRS = 256
};
enum { ARGS = 8 };

struct jmes_args {
	struct jmes *j;
	struct value *v[ARGS];
	const struct jmes_node *ref[ARGS];
	uint32_t n;
	const char *name;
};

struct jmes_fn {
	const char *name;
	struct value *(*fn)(struct jmes_args *k);
	uint32_t min, max; /* of arguments; max 0: any number */
	uint16_t types[2]; /* of the first and the further ones */
};

static int type_of(const struct value *v)
{
	switch ((int)v->type) {
	case V_NULL:
		return IS_NULL;
	case V_BOOL:
		return IS_BOOL;
	case V_INT:
	case V_FLOAT:
		return IS_NUM;
	case V_STR:
		return IS_STR;
	case V_LIST:
		return IS_LIST;
	default:
		return IS_MAP;
	}
}

static const char *type_name(const struct value *v)
{
	static const char *const names[] = {[IS_NULL] = "null",	 [IS_BOOL] = "boolean", [IS_NUM] = "number",
					    [IS_STR] = "string", [IS_LIST] = "array",	[IS_MAP] = "object"};

	return names[type_of(v)];
}

static bool all_are(const struct value *list, int type)
{
	for (uint32_t i = 0; i < list->u.list.n; i++) {
		if (type_of(list->u.list.items[i]) != type)
			return false;
	}
	return true;
}

static bool fits(const struct value *v, int types)
{
	if (types & type_of(v) & IS_ANY)
		return true;
	return v->type == V_LIST &&
	       ((types & IS_NUMS && all_are(v, IS_NUM)) || (types & IS_STRS && all_are(v, IS_STR)));
}

static struct value *whole(struct jmes *j, double f)
{
	return fabs(f) < 9e18 ? value_int(j->a, (int64_t)f) : value_float(j->a, f);
}

static struct value *fn_abs(struct jmes_args *k)
{
	const struct value *v = k->v[0];

	if (v->type == V_INT && v->u.i != INT64_MIN)
		return value_int(k->j->a, llabs(v->u.i));
	return value_float(k->j->a, fabs(op_real(v)));
}

static struct value *fn_ceil(struct jmes_args *k)
{
	return k->v[0]->type == V_INT ? k->v[0] : whole(k->j, ceil(k->v[0]->u.f));
}

static struct value *fn_floor(struct jmes_args *k)
{
	return k->v[0]->type == V_INT ? k->v[0] : whole(k->j, floor(k->v[0]->u.f));
}

static struct value *fn_sum(struct jmes_args *k)
{
	int64_t sum = 0;
	double real = 0;
	bool exact = true;

	for (uint32_t i = 0; i < k->v[0]->u.list.n; i++) {
		const struct value *v = k->v[0]->u.list.items[i];

		real += op_real(v);
		exact = exact && v->type == V_INT && !__builtin_add_overflow(sum, v->u.i, &sum);
	}
	return exact ? value_int(k->j->a, sum) : value_float(k->j->a, real);
}

static struct value *fn_avg(struct jmes_args *k)
{
	uint32_t n = k->v[0]->u.list.n;

	return n ? value_float(k->j->a, op_real(fn_sum(k)) / n) : value_null(k->j->a);
}

static struct value *fn_contains(struct jmes_args *k)
{
	const struct value *in = k->v[0], *x = k->v[1];

	if (in->type == V_STR)
		return value_bool(k->j->a,
				  x->type == V_STR && memmem(in->u.str.s, in->u.str.n, x->u.str.s, x->u.str.n));
	for (uint32_t i = 0; i < in->u.list.n; i++) {
		if (jmes_equal(k->j, in->u.list.items[i], x, 0))
			return value_bool(k->j->a, true);
	}
	return value_bool(k->j->a, false);
}

static struct value *affix(struct jmes_args *k, bool end)
{
	const struct value *v = k->v[0], *x = k->v[1];
	size_t n = v->u.str.n, m = x->u.str.n;

	return value_bool(k->j->a, m <= n && !memcmp(v->u.str.s + (end ? n - m : 0), x->u.str.s, m));
}

static struct value *fn_starts_with(struct jmes_args *k) { return affix(k, false); }
static struct value *fn_ends_with(struct jmes_args *k) { return affix(k, true); }

static struct value *fn_join(struct jmes_args *k)
{
	struct buf b = BUF(k->j->a);

	for (uint32_t i = 0; i < k->v[1]->u.list.n; i++) {
		const struct value *v = k->v[1]->u.list.items[i];

		if (i)
			buf_add(&b, k->v[0]->u.str.s, k->v[0]->u.str.n);
		buf_add(&b, v->u.str.s, v->u.str.n);
		if (b.len > LIMIT_TEXT)
			return jmes_fail(k->j, "string longer than 16 MiB");
	}
	return value_strn(k->j->a, buf_text(&b), b.len);
}

static struct value *fn_keys(struct jmes_args *k)
{
	struct value *list = value_list(k->j->a);

	for (size_t i = 0; i < value_len(k->v[0]); i++)
		value_push(k->j->a, list, value_str(k->j->a, value_key_at(k->v[0], i)));
	return list;
}

static struct value *fn_values(struct jmes_args *k)
{
	struct value *list = value_list(k->j->a);

	for (size_t i = 0; i < value_len(k->v[0]); i++)
		value_push(k->j->a, list, value_at(k->v[0], i));
	return list;
}

static struct value *fn_length(struct jmes_args *k)
{
	const struct value *v = k->v[0];

	return value_int(k->j->a, (int64_t)(v->type == V_STR ? utf8_len(v->u.str.s, v->u.str.n) : value_len(v)));
}

static struct value *fn_map(struct jmes_args *k)
{
	struct value *list = value_list(k->j->a);

	for (uint32_t i = 0; i < k->v[1]->u.list.n; i++) {
		struct value *v = jmes_eval(k->j, k->ref[0], k->v[1]->u.list.items[i]);

		if (!v)
			return NULL;
		value_push(k->j->a, list, v);
	}
	return list;
}

/* The keys of a list's items by the reference; all numbers or all strings. */
static struct sort_item *keyed(struct jmes_args *k, uint32_t at)
{
	const struct value *list = k->v[0];
	struct sort_item *items = arena_new_of(k->j->a, struct sort_item, list->u.list.n + 1);

	for (uint32_t i = 0; i < list->u.list.n; i++) {
		items[i].val = list->u.list.items[i];
		items[i].key = k->ref[at] ? jmes_eval(k->j, k->ref[at], items[i].val) : items[i].val;
		if (!items[i].key)
			return NULL;
		if (!(type_of(items[i].key) & (IS_NUM | IS_STR)) || type_of(items[i].key) != type_of(items[0].key))
			return jmes_fail(k->j, "%s() wants numbers only or strings only, not %s", k->name,
					 type_name(items[i].key));
	}
	return items;
}

static struct value *extreme(struct jmes_args *k, int want)
{
	struct sort_item *items = keyed(k, 1), *best = items;
	struct ctx c = { .a = k->j->a, .steps = k->j->steps, .start = k->j->start, .e = k->j->e };

	if (!items)
		return NULL;
	for (uint32_t i = 1; i < k->v[0]->u.list.n && !c.failed; i++) {
		bool ok;

		if (op_order(&c, items[i].key, best->key, &ok) * want > 0)
			best = &items[i];
	}
	if (c.failed)
		return NULL;
	k->j->steps = c.steps;
	return k->v[0]->u.list.n ? best->val : value_null(k->j->a);
}

static struct value *fn_max(struct jmes_args *k) { return extreme(k, 1); }
static struct value *fn_min(struct jmes_args *k) { return extreme(k, -1); }

static struct value *fn_sort(struct jmes_args *k)
{
	struct sort_item *items = keyed(k, 1);
	struct ctx c = { .a = k->j->a, .steps = k->j->steps, .start = k->j->start, .e = k->j->e };
	struct value *list = value_list(k->j->a);
	uint32_t n = k->v[0]->u.list.n;

	if (!items || !op_sort(&c, NULL, items, n, false))
		return NULL;
	k->j->steps = c.steps;
	for (uint32_t i = 0; i < n; i++)
		value_push(k->j->a, list, items[i].val);
	return list;
}

static struct value *fn_merge(struct jmes_args *k)
{
	struct value *map = value_map(k->j->a);

	for (uint32_t i = 0; i < k->n; i++) {
		for (size_t m = 0; m < value_len(k->v[i]); m++)
			value_put(k->j->a, map, value_key_at(k->v[i], m), value_at(k->v[i], m));
	}
	return map;
}

static struct value *fn_not_null(struct jmes_args *k)
{
	for (uint32_t i = 0; i < k->n; i++) {
		if (k->v[i]->type != V_NULL)
			return k->v[i];
	}
	return k->v[0];
}

static struct value *fn_reverse(struct jmes_args *k)
{
	const struct value *v = k->v[0];
	struct buf b = BUF(k->j->a);
	struct value *list = value_list(k->j->a);

	if (v->type == V_LIST) {
		for (uint32_t i = v->u.list.n; i-- > 0;)
			value_push(k->j->a, list, v->u.list.items[i]);
		return list;
	}
	for (size_t end = v->u.str.n; end;) {
		size_t at = end - 1;

		while (at && ((unsigned char)v->u.str.s[at] & 0xC0) == 0x80)
			at--;
		buf_add(&b, v->u.str.s + at, end - at);
		end = at;
	}
	return value_strn(k->j->a, buf_text(&b), b.len);
}

static struct value *fn_to_array(struct jmes_args *k)
{
	struct value *list = value_list(k->j->a);

	if (k->v[0]->type == V_LIST)
		return k->v[0];
	value_push(k->j->a, list, k->v[0]);
	return list;
}

static struct value *fn_to_string(struct jmes_args *k)
{
	const struct json_style style = { .tight = true };
	struct ctx c = { .a = k->j->a, .steps = k->j->steps, .start = k->j->start, .e = k->j->e };
	struct buf b = BUF(k->j->a);

	if (k->v[0]->type == V_STR)
		return k->v[0];
	if (!op_bounded(&c, NULL, k->v[0]))
		return NULL;
	k->j->steps = c.steps;
	if (!value_to_json(&b, k->v[0], &style) || b.len > LIMIT_TEXT)
		return jmes_fail(k->j, "the value is too large");
	return value_strn(k->j->a, buf_text(&b), b.len);
}

static struct value *fn_to_number(struct jmes_args *k)
{
	const struct value *v = k->v[0];
	struct value *n;
	struct err e = { 0 };

	if (type_of(v) == IS_NUM)
		return k->v[0];
	if (v->type == V_STR && value_from_json(&n, k->j->a, NULL, v->u.str.s, v->u.str.n, &e) && type_of(n) == IS_NUM)
		return n;
	return value_null(k->j->a);
}

static struct value *fn_type(struct jmes_args *k)
{
	return value_str(k->j->a, type_name(k->v[0]));
}

static const struct jmes_fn fns[] = {
	{ "abs", fn_abs, 1, 1, { IS_NUM, 0 } },
	{ "avg", fn_avg, 1, 1, { IS_NUMS, 0 } },
	{ "ceil", fn_ceil, 1, 1, { IS_NUM, 0 } },
	{ "contains", fn_contains, 2, 2, { IS_STR | IS_LIST, IS_ANY } },
	{ "ends_with", fn_ends_with, 2, 2, { IS_STR, IS_STR } },
	{ "floor", fn_floor, 1, 1, { IS_NUM, 0 } },
	{ "join", fn_join, 2, 2, { IS_STR, IS_STRS } },
	{ "keys", fn_keys, 1, 1, { IS_MAP, 0 } },
	{ "length", fn_length, 1, 1, { IS_STR | IS_LIST | IS_MAP, 0 } },
	{ "map", fn_map, 2, 2, { IS_REF, IS_LIST } },
	{ "max", fn_max, 1, 1, { IS_NUMS | IS_STRS, 0 } },
	{ "max_by", fn_max, 2, 2, { IS_LIST, IS_REF } },
	{ "merge", fn_merge, 1, 0, { IS_MAP, IS_MAP } },
	{ "min", fn_min, 1, 1, { IS_NUMS | IS_STRS, 0 } },
	{ "min_by", fn_min, 2, 2, { IS_LIST, IS_REF } },
	{ "not_null", fn_not_null, 1, 0, { IS_ANY, IS_ANY } },
	{ "reverse", fn_reverse, 1, 1, { IS_STR | IS_LIST, 0 } },
	{ "sort", fn_sort, 1, 1, { IS_NUMS | IS_STRS, 0 } },
	{ "sort_by", fn_sort, 2, 2, { IS_LIST, IS_REF } },
	{ "starts_with", fn_starts_with, 2, 2, { IS_STR, IS_STR } },
	{ "sum", fn_sum, 1, 1, { IS_NUMS, 0 } },
	{ "to_array", fn_to_array, 1, 1, { IS_ANY, 0 } },
	{ "to_number", fn_to_number, 1, 1, { IS_ANY, 0 } },
	{ "to_string", fn_to_string, 1, 1, { IS_ANY, 0 } },
	{ "type", fn_type, 1, 1, { IS_ANY, 0 } },
	{ "values", fn_values, 1, 1, { IS_MAP, 0 } },
};

static bool bind(struct jmes_args *k, const struct jmes_fn *fn, const struct jmes_node *n, struct value *v)
{
	if (n->n < fn->min || (fn->max && n->n > fn->max) || n->n > ARGS)
		return jmes_fail(k->j, "%s() takes %u argument%s%s, not %u", fn->name, fn->min, fn->min == 1 ? "" : "s",
				 fn->max ? "" : " or more", n->n);
	for (uint32_t i = 0; i < n->n; i++) {
		uint16_t types = fn->types[i ? 1 : 0];
		bool is_ref = n->kids[i]->kind == J_REF;

		if (is_ref != (types == IS_REF))
			return jmes_fail(k->j, "argument %u of %s() %s an expression with \"&\"", i + 1, fn->name,
					 is_ref ? "cannot be" : "is");
		if (is_ref) {
			k->ref[i] = n->kids[i]->a;
			continue;
		}
		k->v[i] = jmes_eval(k->j, n->kids[i], v);
		if (!k->v[i])
			return false;
		if (!fits(k->v[i], types))
			return jmes_fail(k->j, "argument %u of %s() cannot be %s", i + 1, fn->name, type_name(k->v[i]));
	}
	return true;
}

struct value *jmes_call(struct jmes *j, const struct jmes_node *n, struct value *v)
{
	struct jmes_args k = { .j = j, .n = n->n, .name = n->name };
	struct value *r;

	for (size_t i = 0; i < sizeof fns / sizeof *fns; i++) {
		bool secret = false;

		if (strcmp(fns[i].name, n->name))
			continue;
		if (!bind(&k, &fns[i], n, v))
			return NULL;
		for (uint32_t a = 0; a < n->n; a++) {
			if (!jmes_step(j, value_len(k.v[a]) / 16))
				return NULL;
		}
		r = fns[i].fn(&k);
		/* text made of secrets is one; items that are only passed on carry their own mark */
		for (uint32_t a = 0; r && r->type == V_STR && a < n->n && !secret; a++)
			secret = (fns[i].fn == fn_join || fns[i].fn == fn_to_string || fns[i].fn == fn_reverse) &&
				 k.v[a] && op_is_secret(k.v[a]);
		return secret ? value_secret(j->a, r) : r;
	}
	return jmes_fail(j, "there is no function \"%s\"", n->name);
}
