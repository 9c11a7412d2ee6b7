/* YAML out: the layout, quoting of every string that would read as something else, and that reading back gives the
 * same value. */
#include "check.h"

#include "value/value.h"

static const char *yaml(struct arena *a, const struct value *v, struct yaml_style style)
{
	struct buf b = BUF(a);

	return value_to_yaml(&b, v, &style) ? buf_text(&b) : NULL;
}

static struct value *parse(struct arena *a, const char *text)
{
	struct value *v = NULL;
	struct err e = { 0 };

	if (value_from_yaml(&v, a, "f.yml", text, strlen(text), &e))
		return v;
	fprintf(stderr, "%s\n%s\n", e.msg, text);
	return NULL;
}

static void test_layout(struct arena *a)
{
	struct value *v = parse(a,
		"b: {x: 1, l: [p, {q: r, s: [t]}, [u, v]]}\na: []\nm: {}\nn: ~\nf: 1.0e+16\nt: |\n  one\n  two\n");

	CHECK_STR(yaml(a, v, (struct yaml_style){ 0 }),
		  "b:\n  x: 1\n  l:\n  - p\n  - q: r\n    s:\n    - t\n  - - u\n    - v\na: []\nm: {}\n"
		  "'n': null\nf: 1.0e+16\n"
		  "t: |\n  one\n  two\n");
	CHECK_STR(yaml(a, v, (struct yaml_style){ .indent = 4, .sort = true, .base = 2 }),
		  "a: []\n  b:\n      l:\n      -   p\n      -   q: r\n          s:\n          -   t\n"
		  "      -   -   u\n          -   v\n"
		  "      x: 1\n  f: 1.0e+16\n  m: {}\n  'n': null\n  t: |\n      one\n      two\n");
	CHECK_STR(yaml(a, value_str(a, "x"), (struct yaml_style){ 0 }), "x\n");
	CHECK_STR(yaml(a, value_secret(a, value_str(a, "x")), (struct yaml_style){ .mask = true }), "'***'\n");
	CHECK(!yaml(a, value_undef(a, "x"), (struct yaml_style){ 0 }));
	CHECK_STR(yaml(a, value_from_plain(a, "18446744073709551616", 20), (struct yaml_style){ 0 }),
		"18446744073709551616\n");
	CHECK_STR(yaml(a, value_from_plain(a, "1.50", 4), (struct yaml_style){ 0 }), "1.5\n");
}

static void test_quoting(struct arena *a)
{
	static const char *const strings[] = {
		"", "yes", "No", "null", "~", "0644", "1_000", "12:30:00", "2001-12-14", "1e3", "0o17", "08", ".inf",
		"-", "- a", "a: b", "a:",
		"a #b", "#b", "a#b", "{{ x }}", "[a]", "*a", "&a", "!a", "%a", "@a", "`a`", "'a'", "\"a\"", "a'b",
		"a\"b", " a", "a ", "a\nb",
		"a\nb\n", "a\n\n", "\na", " a\nb", "a\n b\n", "a\n", "\n", "\n\n", "a\tb", "\ta", "a\r\nb", "\x01\x7f",
		"\xc3\xa4",
		"\xe2\x80\xa8", "\xef\xbb\xbf", "\xc2\x85", "\xf0\x9f\x98\x80", "a,b", "a]b", "?", "? a", "--- a",
		"---", "...", "... a", "=", "<<",
		"y", "n", "|", ">", "-a", "--a", ":", "::1", "10.0.0.1/8", "a\n   ", "a\n  \nb", "#a\nb", "---\nb",
		"a\n---\nb", "a\n...\n",
		"text with words", "+1", "-1", "1.5", "0x1F", "1:2", "a: ", "x\xc2\xa0y", "\\", "a\\nb",
	};
	struct value *list = value_list(a), *map = value_map(a);

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		struct value *s = value_str(a, strings[i]);
		CHECK(value_equal(parse(a, yaml(a, s, (struct yaml_style){ 0 })), s));
		value_push(a, list, s);
		value_put(a, map, strings[i], s);
	}
	CHECK(value_equal(parse(a, yaml(a, list, (struct yaml_style){ 0 })), list));
	CHECK(value_equal(parse(a, yaml(a, map, (struct yaml_style){ 0 })), map));
	value_put(a, map, "nest", list);
	CHECK(value_equal(parse(a, yaml(a, map, (struct yaml_style){ .indent = 4, .sort = true })), map));
	CHECK_STR(yaml(a, value_str(a, "yes"), (struct yaml_style){ 0 }), "'yes'\n");
	CHECK_STR(yaml(a, value_str(a, "it's: x"), (struct yaml_style){ 0 }), "'it''s: x'\n");
	CHECK_STR(yaml(a, value_str(a, "/data/x"), (struct yaml_style){ 0 }), "/data/x\n");
	CHECK_STR(yaml(a, value_str(a, "10.10.10.10"), (struct yaml_style){ 0 }), "10.10.10.10\n");
}

/* A reader takes a key of at most 1024 characters, unless it is announced. */
static void test_long_keys(struct arena *a)
{
	for (size_t n = 990; n < 1100; n += 10) {
		char *key = arena_get(a, n + 1);
		struct value *map = value_map(a), *list = value_list(a);

		memset(key, 'k', n);
		value_put(a, map, key, parse(a, "[a, {b: c}]"));
		key[3] = '\n';
		value_put(a, map, key, parse(a, "{a: [1], b: {}}"));
		key[4] = ' ';
		value_put(a, map, key, value_str(a, "x\ny\n"));
		value_push(a, list, map);
		value_put(a, map, "last", value_int(a, 1));
		CHECK(value_equal(parse(a, yaml(a, list, (struct yaml_style){ .indent = 4 })), list));
		CHECK(value_equal(parse(a, yaml(a, map, (struct yaml_style){ 0 })), map));
	}
}

int main(void)
{
	struct arena *a = arena_new();

	test_layout(a);
	test_quoting(a);
	test_long_keys(a);
	arena_free(a);
	return check_done();
}
