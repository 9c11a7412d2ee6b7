/* The tests: what stands after "is". Each gives a boolean. */
#include "text/rows.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct value *yes(struct call *k, bool is)
{
	return value_bool(k->c->a, is);
}

static struct value *compare(struct call *k, int low, int mid, int high)
{
	bool ok;
	int r = op_order(k->c, k->in, k->args[0], &ok);

	if (!ok && !(op_is_num(k->in) && op_is_num(k->args[0])))
		return call_fail(k, "cannot compare %s with %s", op_type(k->in), op_type(k->args[0]));
	return yes(k, ok && (r < 0 ? low : r > 0 ? high : mid));
}

struct value *test_eq(struct call *k) { return yes(k, op_equal(k->c, k->in, k->args[0])); }
struct value *test_ne(struct call *k) { return yes(k, !op_equal(k->c, k->in, k->args[0])); }
struct value *test_lt(struct call *k) { return compare(k, 1, 0, 0); }
struct value *test_le(struct call *k) { return compare(k, 1, 1, 0); }
struct value *test_gt(struct call *k) { return compare(k, 0, 0, 1); }
struct value *test_ge(struct call *k) { return compare(k, 0, 1, 1); }
struct value *test_in(struct call *k) { return yes(k, op_in(k->c, k->at, k->in, k->args[0])); }
struct value *test_contains(struct call *k) { return yes(k, op_in(k->c, k->at, k->args[0], k->in)); }
struct value *test_defined(struct call *k) { return yes(k, k->in->type != V_UNDEF); }
struct value *test_undefined(struct call *k) { return yes(k, k->in->type == V_UNDEF); }
struct value *test_none(struct call *k) { return yes(k, k->in->type == V_NULL); }
struct value *test_boolean(struct call *k) { return yes(k, k->in->type == V_BOOL); }
struct value *test_true(struct call *k) { return yes(k, k->in->type == V_BOOL && k->in->u.b); }
struct value *test_false(struct call *k) { return yes(k, k->in->type == V_BOOL && !k->in->u.b); }
struct value *test_integer(struct call *k) { return yes(k, k->in->type == V_INT); }
struct value *test_float(struct call *k) { return yes(k, k->in->type == V_FLOAT); }
struct value *test_number(struct call *k) { return yes(k, op_is_num(k->in)); }
struct value *test_string(struct call *k) { return yes(k, k->in->type == V_STR); }
struct value *test_mapping(struct call *k) { return yes(k, k->in->type == V_MAP); }
struct value *test_callable(struct call *k) { return yes(k, k->in->type == V_FUNC); }
struct value *test_escaped(struct call *k) { return yes(k, false); }
struct value *test_nan(struct call *k) { return yes(k, k->in->type == V_FLOAT && isnan(k->in->u.f)); }

static struct value *items_are(struct call *k, bool want)
{
	const struct value *list = call_list(k);

	for (uint32_t i = 0; i < list->u.list.n; i++) {
		if (!ctx_defined(k->c, k->at, list->u.list.items[i]))
			return NULL;
		if (op_truth(list->u.list.items[i]) == want)
			return yes(k, want);
	}
	return yes(k, !want);
}

struct value *test_any(struct call *k) { return items_are(k, true); }
struct value *test_all(struct call *k) { return items_are(k, false); }

struct value *test_iterable(struct call *k)
{
	return yes(k, k->in->type == V_LIST || k->in->type == V_MAP || k->in->type == V_STR);
}

struct value *test_sequence(struct call *k)
{
	return test_iterable(k);
}

struct value *test_sameas(struct call *k)
{
	const struct value *x = k->in, *y = k->args[0];

	if (x->type != y->type)
		return yes(k, false);
	if (x->type == V_NULL || x->type == V_BOOL)
		return yes(k, op_equal(k->c, x, y));
	if (x->type == V_INT) /* Python keeps one object of each small number */
		return yes(k, x == y || (x->u.i == y->u.i && x->u.i >= -5 && x->u.i <= 256));
	return yes(k, x == y || ((x->type == V_LIST || x->type == V_MAP) && x->u.list.n &&
				 x->u.list.items == y->u.list.items));
}

static struct value *parity(struct call *k, int64_t of, int64_t want)
{
	if (!op_is_num(k->in))
		return call_fail(k, "needs a number, not %s", op_type(k->in));
	if (!of)
		return call_fail(k, "division by zero");
	if (k->in->type == V_FLOAT) {
		double r = fmod(k->in->u.f, (double)of);

		return yes(k, (r < 0 ? r + (double)llabs(of) : r) == (double)want);
	}
	return yes(k, of == -1 ? want == 0 : llabs(op_int(k->in) % of) == want);
}

struct value *test_even(struct call *k) { return parity(k, 2, 0); }
struct value *test_odd(struct call *k) { return parity(k, 2, 1); }
struct value *test_divisibleby(struct call *k) { return parity(k, call_int(k, 0, 0), 0); }

static struct value *cased(struct call *k, bool upper)
{
	size_t n;
	const char *s = call_in(k, &n);
	bool any = false, other = false;

	for (size_t i = 0; i < n;) {
		uint32_t cp;

		i = utf8_next(s, n, i, &cp);
		any |= upper ? utf8_lower(cp) != cp : utf8_upper(cp) != cp;
		other |= upper ? utf8_upper(cp) != cp : utf8_lower(cp) != cp;
	}
	return yes(k, any && !other);
}

struct value *test_lower(struct call *k) { return cased(k, false); }
struct value *test_upper(struct call *k) { return cased(k, true); }
struct value *method_islower(struct call *k) { return cased(k, false); }
struct value *method_isupper(struct call *k) { return cased(k, true); }

/* Ansible's words; anything else keeps its own truth. */
static bool truth(struct call *k)
{
	static const char *const no[] = { "no", "off", "0", "false", "n", "f" };
	const struct value *v = k->in;

	if (!call_bool(k, 0, false) || v->type != V_STR)
		return op_truth(v);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		if (!strcasecmp(v->u.str.s, no[i]))
			return false;
	}
	return op_truth(v);
}

struct value *test_truthy(struct call *k) { return yes(k, truth(k)); }
struct value *test_falsy(struct call *k) { return yes(k, !truth(k)); }

static bool within(struct call *k, const struct value *small, const struct value *large)
{
	for (uint32_t i = 0; i < small->u.list.n; i++) {
		if (!op_in(k->c, k->at, small->u.list.items[i], large))
			return false;
	}
	return true;
}

struct value *test_subset(struct call *k)
{
	struct value *x = call_list(k), *y = op_iter(k->c, k->at, k->args[0]);

	return y ? yes(k, within(k, x, y)) : NULL;
}

struct value *test_superset(struct call *k)
{
	struct value *x = call_list(k), *y = op_iter(k->c, k->at, k->args[0]);

	return y ? yes(k, within(k, y, x)) : NULL;
}

struct value *test_filter(struct call *k) { return yes(k, k->in->type == V_STR && row_filter(k->in->u.str.s)); }
struct value *test_test(struct call *k) { return yes(k, k->in->type == V_STR && row_test(k->in->u.str.s)); }
struct value *test_abs(struct call *k) { return yes(k, k->in->type == V_STR && k->in->u.str.s[0] == '/'); }

/*
 * Versions as Ansible's "loose" ones: runs of digits compare as numbers, runs of letters as text, dots only part them.
 * A version that goes on is the later one. A number and a word at the same place do not compare there; here the word is
 * the earlier.
 */
static size_t version_part(const char **s, long long *num)
{
	const char *p = *s;
	size_t n = 0;

	while (*p && !isalnum((unsigned char)*p) && *p != '-' && *p != '+' && *p != '~')
		p++;
	*num = -1;
	if (isdigit((unsigned char)*p)) {
		*num = strtoll(p, NULL, 10);
		while (isdigit((unsigned char)p[n]))
			n++;
	} else {
		while (p[n] && p[n] != '.' && !isdigit((unsigned char)p[n]))
			n++;
	}
	*s = p;
	return n;
}

static int version_order(const char *x, const char *y)
{
	for (;;) {
		long long a, b;
		size_t n = version_part(&x, &a), m = version_part(&y, &b);

		if (!n || !m)
			return n ? 1 : m ? -1 : 0;
		if (a >= 0 && b >= 0) {
			if (a != b)
				return a < b ? -1 : 1;
		} else if (a >= 0 || b >= 0) {
			return a >= 0 ? 1 : -1;
		} else {
			int r = memcmp(x, y, n < m ? n : m);

			if (r || n != m)
				return r ? r : n < m ? -1 : 1;
		}
		x += n;
		y += m;
	}
}

struct value *test_version(struct call *k)
{
	static const struct { const char *names[3]; int low, mid, high; } ops[] = {
		{ { "==", "=", "eq" }, 0, 1, 0 }, { { "!=", "<>", "ne" }, 1, 0, 1 }, { { "<", "lt", "<" }, 1, 0, 0 },
		{ { "<=", "le", "<=" }, 1, 1, 0 }, { { ">", "gt", ">" }, 0, 0, 1 }, { { ">=", "ge", ">=" }, 0, 1, 1 },
	};
	const char *x = call_in(k, NULL), *y = call_str(k, 0, ""), *op = call_str(k, 1, "eq");

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		for (size_t j = 0; j < 3; j++) {
			if (!strcmp(ops[i].names[j], op)) {
				int r = version_order(x, y);

				return yes(k, r < 0 ? ops[i].low : r > 0 ? ops[i].high : ops[i].mid);
			}
		}
	}
	return call_fail(k, "there is no comparison \"%s\"", op);
}
