/* Values themselves: making, reading, equality, order, copies, marks, and Python's way of printing scalars. */
#include "check.h"

#include <math.h>

#include "value/value.h"

static const char *printed(struct arena *a, const struct value *v)
{
	struct buf b = BUF(a);

	return value_print(&b, v) ? buf_text(&b) : NULL;
}

static void test_print(struct arena *a)
{
	static const struct { double f; const char *want; } floats[] = {
		{ 3, "3.0" }, { 0, "0.0" }, { -0.0, "-0.0" }, { 1e16, "1e+16" }, { 1e15, "1000000000000000.0" },
		{ 0.00001, "1e-05" }, { 0.0001, "0.0001" }, { 0.1, "0.1" }, { 1.5e300, "1.5e+300" }, { -2.5, "-2.5" },
		{ 123456.789, "123456.789" }, { 1.0 / 3, "0.3333333333333333" }, { 5e-324, "5e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" }, { 100, "100.0" },
		{ 12345678901234567.0, "1.2345678901234568e+16" },
		{ 0.00123, "0.00123" }, { 0.1 + 0.2, "0.30000000000000004" }, { 1.05, "1.05" }, { 999999999.125, "999999999.125" },
		{ 1e9, "1000000000.0" }, { 0.001, "0.001" }, { 2.0000001, "2.0000001" }, { 1e-310, "1e-310" },
		{ 2.225073858507203e-308, "2.225073858507203e-308" }, { 9007199254740993.0, "9007199254740992.0" },
	};

	/* around where digits run out, the point moves and the exponent comes */
	static const struct { double f; const char *want; } edges[] = {
		{ 2074984152483330.75, "2074984152483330.8" }, { -1117711011578900.125, "-1117711011578900.1" },
		{ 4503599627370495.5, "4503599627370495.5" }, { 1e15, "1000000000000000.0" }, { 999999999999999.9, "999999999999999.9" },
		{ 9007199254740993.0, "9007199254740992.0" }, { 1234567890123456.0, "1234567890123456.0" }, { 0x1p62, "4.611686018427388e+18" },
		{ 5e17, "5e+17" }, { 123456789012345e4, "1.23456789012345e+18" }, { 0x1p63, "9.223372036854776e+18" }, { 1e9, "1000000000.0" },
		{ 0.0001, "0.0001" }, { 0.00001, "1e-05" }, { 0.000123, "0.000123" }, { 1.5e-9, "1.5e-09" }, { 1e-10, "1e-10" }, { -0.25, "-0.25" },
		{ 5e-324, "5e-324" }, { 2.2250738585072014e-308, "2.2250738585072014e-308" }, { 0.1 + 0.2, "0.30000000000000004" },
	};
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
		CHECK_STR(printed(a, value_float(a, edges[i].f)), edges[i].want);
	for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
		CHECK_STR(printed(a, value_float(a, floats[i].f)), floats[i].want);
	CHECK_STR(printed(a, value_float(a, (double)INFINITY)), "inf");
	CHECK_STR(printed(a, value_float(a, -(double)INFINITY)), "-inf");
	CHECK_STR(printed(a, value_float(a, (double)NAN)), "nan");
	CHECK_STR(printed(a, value_bool(a, true)), "True");
	CHECK_STR(printed(a, value_bool(a, false)), "False");
	CHECK_STR(printed(a, value_null(a)), "");
	CHECK_STR(printed(a, value_int(a, INT64_MIN)), "-9223372036854775808");
	CHECK_STR(printed(a, value_str(a, "x y")), "x y");
	CHECK(!printed(a, value_list(a)));
	CHECK(!printed(a, value_map(a)));
	CHECK(!printed(a, value_undef(a, "x")));
	CHECK(!printed(a, NULL));
}

static void test_maps(struct arena *a)
{
	struct value *m = value_map(a);
	char key[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "k%d", i);
		value_put(a, m, key, value_int(a, i));
	}
	CHECK_INT(value_len(m), 1000);
	CHECK_INT(value_num(value_get(m, "k777"), -1), 777);
	value_put(a, m, "k5", value_str(a, "five"));
	CHECK_INT(value_len(m), 1000);
	CHECK_STR(value_key_at(m, 5), "k5");
	CHECK_STR(value_cstr(value_at(m, 5), NULL), "five");
	CHECK(value_del(m, "k0"));
	CHECK(!value_del(m, "k0"));
	CHECK_STR(value_key_at(m, 0), "k1");
	CHECK_INT(value_num(value_get(m, "k999"), -1), 999);
	CHECK(!value_get(m, "k0"));
	CHECK(!value_key_at(m, 999));

	struct origin at = { "f.yml", 3, 7 };
	value_put_at(a, m, "new", value_null(a), at);
	CHECK_INT(value_entry(m, "new")->at.line, 3);
}

static void test_readers(struct arena *a)
{
	struct value *v = value_map(a), *list = value_list(a), *inner = value_map(a);

	value_put(a, inner, "c", value_str(a, "deep"));
	value_push(a, list, inner);
	value_put(a, v, "a", list);
	CHECK_STR(value_cstr(value_path(v, "a.0.c"), NULL), "deep");
	CHECK(!value_path(v, "a.1.c"));
	CHECK(!value_path(v, "a.x"));
	CHECK(!value_path(v, "a..c"));
	CHECK(!value_path(NULL, "a"));
	CHECK_INT(value_num(value_float(a, 4.0), -1), 4);
	CHECK_INT(value_num(value_float(a, 4.5), -1), -1);
	CHECK_INT(value_num(value_float(a, 1e300), -1), -1);
	CHECK_INT(value_num(value_str(a, "4"), -1), -1);
	CHECK(value_real(value_int(a, 2), 0) > 1.9);
	CHECK(!value_truth(NULL));
	CHECK(!value_truth(value_str(a, "")));
	CHECK(value_truth(value_str(a, "no")));
	CHECK(!value_truth(value_float(a, 0)));
	CHECK(value_truth(value_float(a, 0.5)));
	CHECK(!value_truth(value_list(a)));
	CHECK(value_truth(list));
	CHECK_STR(value_type_name(list), "list");
	CHECK_STR(value_type_name(NULL), "nothing");
	CHECK_INT(value_len(NULL), 0);
	CHECK(!value_at(list, 1));
	CHECK_STR(value_cstr(list, "none"), "none");
}

static int order(const struct value *x, const struct value *y)
{
	bool ok;
	int r = value_compare(x, y, &ok);

	return ok ? r : 9;
}

static void test_compare(struct arena *a)
{
	struct value *l1 = value_list(a), *l2 = value_list(a), *m1 = value_map(a), *m2 = value_map(a);
	struct value *big = value_int(a, INT64_MAX);

	CHECK(value_equal(value_int(a, 1), value_float(a, 1.0)));
	CHECK(value_equal(value_int(a, 1), value_bool(a, true)));
	CHECK(!value_equal(value_int(a, 1), value_str(a, "1")));
	CHECK(!value_equal(big, value_float(a, 0x1p63)));
	CHECK_INT(order(big, value_float(a, 0x1p63)), -1);
	CHECK_INT(order(value_float(a, -0x1p64), big), -1);
	CHECK_INT(order(value_int(a, 2), value_float(a, 2.5)), -1);
	CHECK_INT(order(value_int(a, -2), value_float(a, -2.5)), 1);
	CHECK_INT(order(value_str(a, "a"), value_str(a, "ab")), -1);
	CHECK_INT(order(value_str(a, "b"), value_str(a, "ab")), 1);
	CHECK_INT(order(value_str(a, "b"), value_int(a, 1)), 9);
	CHECK_INT(order(value_float(a, (double)NAN), value_int(a, 1)), 9);
	CHECK_INT(order(m1, m2), 9);
	value_push(a, l1, value_int(a, 1));
	value_push(a, l2, value_int(a, 1));
	CHECK_INT(order(l1, l2), 0);
	value_push(a, l2, value_int(a, 0));
	CHECK_INT(order(l1, l2), -1);
	CHECK(!value_equal(l1, l2));
	value_put(a, m1, "x", value_int(a, 1));
	value_put(a, m1, "y", l1);
	value_put(a, m2, "y", l1);
	value_put(a, m2, "x", value_float(a, 1));
	CHECK(value_equal(m1, m2));
	value_put(a, m2, "x", value_null(a));
	CHECK(!value_equal(m1, m2));
	CHECK(!value_equal(m1, NULL));
}

static void test_marks(struct arena *a)
{
	struct arena *b = arena_new();
	struct value *m = value_map(a), *list = value_list(a);

	value_push(a, list, value_str(a, "hush"));
	for (int i = 0; i < 20; i++)
		value_put(a, m, arena_fmt(a, "k%d", i), list);
	CHECK(!value_is_secret(m));
	struct value *s = value_secret(b, m);
	CHECK(s != m && value_is_secret(s));
	CHECK(!value_is_secret(m));
	CHECK(value_at(value_get(s, "k13"), 0)->flags & V_SECRET);
	CHECK(value_secret(b, s) == s);
	CHECK(value_equal(s, m));
	list->u.list.items[0] = value_secret(a, list->u.list.items[0]);
	CHECK(value_is_secret(m));
	CHECK(value_literal(a, m)->flags & V_LITERAL);
	CHECK(!value_secret(a, NULL));
	arena_free(b);

	/* a copy outlives its source's arena */
	b = arena_new();
	struct value *short_lived = value_map(b);
	value_put(b, short_lived, "key", value_from_plain(b, "0644", 4));
	struct value *kept = value_copy(a, short_lived);
	arena_free(b);
	CHECK_INT(value_num(value_get(kept, "key"), 0), 420);
	CHECK_STR(value_get(kept, "key")->source, "0644");

	/* a value that unfolds to 2^40 nodes, and one that holds itself, must not hang anything */
	struct value *bomb = value_list(a);
	for (int i = 0; i < 40; i++) {
		struct value *outer = value_list(a);
		value_push(a, outer, bomb);
		value_push(a, outer, bomb);
		bomb = outer;
	}
	struct value *self = value_list(a);
	value_push(a, self, self);
	struct buf out = BUF(a);
	CHECK(!value_to_json(&out, self, NULL));
	CHECK(!value_to_yaml(&out, self, NULL));
	CHECK(value_equal(self, self));
	CHECK(value_is_secret(bomb)); /* too large to know: the careful answer */
}

int main(void)
{
	struct arena *a = arena_new();

	test_print(a);
	test_maps(a);
	test_readers(a);
	test_compare(a);
	test_marks(a);
	arena_free(a);
	return check_done();
}
