/* JSON in and out: Python's layout, escapes, places, and refusals. */
#include "check.h"

#include "value/value.h"

static struct err e;

static struct value *parse(struct arena *a, const char *text)
{
	struct value *v = NULL;

	memset(&e, 0, sizeof e);
	return value_from_json(&v, a, "f.json", text, strlen(text), &e) ? v : NULL;
}

static const char *text(struct arena *a, const struct value *v, struct json_style style)
{
	struct buf b = BUF(a);

	return v && value_to_json(&b, v, &style) ? buf_text(&b) : NULL;
}

static void test_good(struct arena *a)
{
	static const char *const same[] = {
		"null", "true", "false", "0", "-0.0", "12", "-9223372036854775808", "9223372036854775807",
		"18446744073709551616",
		"1.5", "1e+16", "\"\"", "\"a\\\"b\\\\c\\n\\t\\u0001\"", "[]", "{}", "[1, [2, {}], {\"a\": null}]",
		"NaN", "-Infinity",
		"{\"b\": 1, \"a\": 2}", "\"\\u0000\"",
	};

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		CHECK_STR(text(a, parse(a, same[i]), (struct json_style){ 0 }), same[i]);
	CHECK_STR(text(a, parse(a, " [ 1 , 2 ]\r\n"), (struct json_style){ .tight = true }), "[1,2]");
	CHECK_STR(text(a, parse(a, "\"\\u00e4\\ud83d\\ude00\\/\""), (struct json_style){ 0 }),
		"\"\xc3\xa4\xf0\x9f\x98\x80/\"");
	CHECK_STR(text(a, parse(a, "\"\xc3\xa4\xf0\x9f\x98\x80\""), (struct json_style){ .ascii = true }),
		"\"\\u00e4\\ud83d\\ude00\"");
	CHECK_STR(text(a, parse(a, "\"\\ud83dx\""), (struct json_style){ .ascii = true }), "\"\\ufffdx\"");
	CHECK_STR(text(a, parse(a, "1E5"), (struct json_style){ 0 }), "100000.0");
	CHECK_STR(text(a, parse(a, "{\"b\":[1,{}],\"a\":{\"c\":2}}"), (struct json_style){ .indent = 2, .sort = true }),
		  "{\n  \"a\": {\n    \"c\": 2\n  },\n  \"b\": [\n    1,\n    {}\n  ]\n}");

	struct value *v = parse(a, "{\n \"a\": [1,\n  2]}");
	CHECK_INT(value_path(v, "a.1")->at.line, 3);
	CHECK_INT(value_path(v, "a.1")->at.col, 3);
	CHECK_INT(value_entry(v, "a")->at.col, 2);

	struct value *m = value_map(a);
	value_put(a, m, "p", value_secret(a, value_str(a, "hush")));
	value_put(a, m, "q", value_int(a, 1));
	CHECK_STR(text(a, m, (struct json_style){ .mask = true }), "{\"p\": \"***\", \"q\": 1}");
	value_put(a, m, "u", value_undef(a, "u"));
	CHECK(!text(a, m, (struct json_style){ 0 }));
	CHECK_STR(text(a, value_str(a, "\xff"), (struct json_style){ .ascii = true }), "\"\\ufffd\"");
}

static void bad(struct arena *a, const char *input, const char *msg, const char *where)
{
	CHECK(!parse(a, input));
	CHECK_HAS(e.msg, msg);
	CHECK_STR(e.where, where);
}

static void test_bad(struct arena *a)
{
	bad(a, "", "the text ends", "f.json:1:1");
	bad(a, "[1,]", "a value is expected", "f.json:1:4");
	bad(a, "[1 2]", "a comma or ]", "f.json:1:4");
	bad(a, "{\"a\" 1}", "a colon", "f.json:1:6");
	bad(a, "{a: 1}", "a key in double quotes", "f.json:1:2");
	bad(a, "{\"a\": 1,\n \"a\": 2}", "key \"a\" is written twice", "f.json:2:2");
	CHECK_HAS(e.detail, "line 1, column 2");
	bad(a, "\"abc", "ends inside a string", "f.json:1:5");
	bad(a, "\"a\nb\"", "control character", "f.json:1:3");
	bad(a, "\"\\x\"", "unknown escape", "f.json:1:3");
	bad(a, "\"\\u12\"", "four hex digits", "f.json:1:4");
	bad(a, "\"\xc3\"", "invalid UTF-8", "f.json:1:2");
	bad(a, "\"\xed\xa0\x80\"", "invalid UTF-8", "f.json:1:2");
	bad(a, "{\"a\\u0000\": 1}", "NUL", "f.json:1:2");
	bad(a, "01", "more text", "f.json:1:2");
	bad(a, "1.", "a digit", "f.json:1:3");
	bad(a, "1e", "a digit", "f.json:1:3");
	bad(a, "nul", "a value is expected", "f.json:1:1");
	bad(a, "{} x", "more text", "f.json:1:4");

	struct buf deep = BUF(a);
	for (int i = 0; i < 100000; i++)
		buf_ch(&deep, '[');
	CHECK(!parse(a, buf_text(&deep)));
	CHECK_HAS(e.msg, "nested too deep");
}

int main(void)
{
	struct arena *a = arena_new();

	test_good(a);
	test_bad(a);
	arena_free(a);
	return check_done();
}
