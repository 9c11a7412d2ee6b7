/* YAML into values: scalars as YAML 1.1 has them, merges, anchors, tags, places, guards and the messages of bad
 * input. */
#include "check.h"

#include "value/value.h"

static struct err e;

static struct value *yaml(struct arena *a, const char *text)
{
	struct value *v = NULL;

	memset(&e, 0, sizeof e);
	return value_from_yaml(&v, a, "f.yml", text, strlen(text), &e) ? v : NULL;
}

static const char *json(struct arena *a, const struct value *v)
{
	struct buf b = BUF(a);

	return v && value_to_json(&b, v, NULL) ? buf_text(&b) : NULL;
}

static void test_plain(struct arena *a)
{
	static const struct { const char *text, *json; } cases[] = {
		{ "yes", "true" }, { "No", "false" }, { "on", "true" }, { "OFF", "false" }, { "y", "\"y\"" },
		{ "n", "\"n\"" },
		{ "yEs", "\"yEs\"" }, { "True", "true" }, { "~", "null" }, { "", "null" }, { "NULL", "null" },
		{ "nUll", "\"nUll\"" },
		{ "0644", "420" }, { "0o17", "\"0o17\"" }, { "08", "\"08\"" }, { "0", "0" }, { "00", "0" },
		{ "-0", "0" },
		{ "1_000", "1000" }, { "0x1F", "31" }, { "0b101", "5" }, { "+12", "12" }, { "-12", "-12" },
		{ "0x", "\"0x\"" },
		{ "12:30:00", "\"12:30:00\"" }, { "190:20:30.15", "\"190:20:30.15\"" },
		{ "2001-12-14", "\"2001-12-14\"" },
		{ "1.10", "1.1" }, { "1.", "1.0" }, { ".5", "0.5" }, { "-.5", "\"-.5\"" }, { "1e3", "\"1e3\"" },
		{ "1.0e3", "\"1.0e3\"" }, { "1.0e+3", "1000.0" }, { "1_0.5_0", "10.5" }, { ".inf", "Infinity" },
		{ "-.INF", "-Infinity" }, { ".nan", "NaN" }, { "1.2.3", "\"1.2.3\"" },
		{ "10.10.10.10", "\"10.10.10.10\"" },
		{ "9223372036854775807", "9223372036854775807" }, { "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854775808", "9223372036854775808" }, { "-", "\"-\"" }, { ".", "\".\"" }, { "+", "\"+\"" },
		{ "_1", "\"_1\"" }, { "1__0", "10" }, { "=", "\"=\"" }, { "0.0.0.0/0", "\"0.0.0.0/0\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct value *v = value_from_plain(a, cases[i].text, strlen(cases[i].text));
		CHECK_STR(json(a, v), cases[i].json);
		CHECK_STR(v->source, cases[i].text);
	}
	CHECK_STR(json(a, yaml(a, "[yes, 'yes', \"no\", 0644, '0644', null, text]")),
		  "[true, \"yes\", \"no\", 420, \"0644\", null, \"text\"]");
	struct value *v = yaml(a, "- 0644\n- 'q'\n- |\n  x\n");
	CHECK(value_at(v, 0)->flags == V_PLAIN);
	CHECK(value_at(v, 1)->flags == V_QUOTED && value_at(v, 2)->flags == V_QUOTED);
	CHECK_STR(value_at(v, 0)->source, "0644");
	CHECK(!value_at(v, 1)->source);
}

static void test_maps(struct arena *a)
{
	CHECK_STR(json(a, yaml(a, "")), "null");
	CHECK_STR(json(a, yaml(a, "# nothing\n")), "null");
	CHECK_STR(json(a, yaml(a, "---\n")), "null");
	CHECK_STR(json(a, yaml(a, "---\na: 1\n...\n")), "{\"a\": 1}");
	CHECK_STR(json(a, yaml(a, "1: a\nyes: b\n0x10: c\n~: d\n1.50: e\n")),
		  "{\"1\": \"a\", \"yes\": \"b\", \"0x10\": \"c\", \"~\": \"d\", \"1.50\": \"e\"}");
	CHECK_STR(json(a, yaml(a, "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n")),
		  "{\"a\": {\"p\": 1, \"q\": 2}, \"b\": {\"p\": 1, \"q\": 3}}");
	CHECK_STR(json(a, yaml(a, "[&x {p: 1, q: 2}, &y {q: 5, r: 6}, {s: 0, <<: [*x, *y]}]")),
		  "[{\"p\": 1, \"q\": 2}, {\"q\": 5, \"r\": 6}, {\"q\": 2, \"r\": 6, \"p\": 1, \"s\": 0}]");
	CHECK_STR(json(a, yaml(a, "a: {'<<': 1}")), "{\"a\": {\"<<\": 1}}");

	struct value *v = yaml(a, "a: &x [1]\nb: *x\n&k key: *k\n");
	CHECK(value_get(v, "a") == value_get(v, "b"));
	CHECK_STR(value_cstr(value_get(v, "key"), NULL), "key");
	v = yaml(a, "a: &x 1\nb: &x 2\nc: *x\n");
	CHECK_INT(value_num(value_get(v, "c"), 0), 2);
}

static void test_tags(struct arena *a)
{
	struct value *v = yaml(a, "a: !unsafe '{{ x }}'\nb: !unsafe {c: [d]}\ne: '{{ x }}'\n");

	CHECK(value_get(v, "a")->flags & V_LITERAL);
	CHECK(value_path(v, "b.c.0")->flags & V_LITERAL);
	CHECK(!(value_get(v, "e")->flags & V_LITERAL));
	v = yaml(a, "p: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nq: x\n");
	CHECK(value_get(v, "p")->flags & V_SECRET);
	CHECK_HAS(value_cstr(value_get(v, "p"), NULL), "$ANSIBLE_VAULT;1.1;AES256\n6162");
	CHECK(!(value_get(v, "q")->flags & V_SECRET));
	CHECK(!yaml(a, "p: !vault nonsense\n"));
	CHECK_HAS(e.msg, "$ANSIBLE_VAULT");
	CHECK(!strstr(e.msg, "nonsense"));
	CHECK_STR(json(a, yaml(a, "[!!str 1, !!int '3', !!float 3, !!null '', !!bool yes]")),
		"[\"1\", 3, 3.0, null, true]");
	CHECK(!yaml(a, "!!int x"));
	CHECK(!yaml(a, "a: !!python/object/apply:os.system [x]"));
	CHECK_HAS(e.msg, "unknown tag");
	CHECK_STR(e.where, "f.yml:1:4");
}

static void test_places(struct arena *a)
{
	struct value *v = yaml(a, "a: 1\nlist:\n  - x\n  - {k: y}\n");

	CHECK_INT(value_entry(v, "list")->at.line, 2);
	CHECK_INT(value_entry(v, "list")->at.col, 1);
	struct value *y = value_path(v, "list.1.k");
	CHECK_INT(y->at.line, 4);
	CHECK_INT(y->at.col, 9);
	CHECK_STR(y->at.file, "f.yml");
	err_at_value(&e, y);
	CHECK_STR(e.where, "f.yml:4:9");
}

static void bad(struct arena *a, const char *text, const char *msg, const char *where)
{
	CHECK(!yaml(a, text));
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(e.msg, msg);
	CHECK_STR(e.where, where);
}

static void test_bad(struct arena *a)
{
	bad(a, "a: 1\nb: 2\na: 3\n", "key \"a\" is written twice", "f.yml:3:1");
	CHECK_HAS(e.detail, "first at line 1, column 1");
	bad(a, "<<: {a: 1}\n<<: {b: 1}\n", "twice", "f.yml:2:1");
	bad(a, "a: &a [*a]\n", "inside its own anchor", "f.yml:1:8");
	bad(a, "a: *nope\n", "no anchor", "f.yml:1:4");
	bad(a, "{{ x }}: 1\n", "a key must be a scalar", "f.yml:1:1");
	bad(a, "a: {{ x }}\n", "a key must be a scalar", "f.yml:1:5");
	bad(a, "a: b: c\n", "mapping values are not allowed", "f.yml:1:5");
	bad(a, "a:\n\tb: c\n", "cannot start any token", "f.yml:2:1");
	CHECK_HAS(e.hint, "tabs");
	bad(a, "a: [1, 2\nb: 3\n", "not valid YAML", "f.yml:2:2");
	bad(a, "a: 1\n---\nb: 2\n", "second document", "f.yml:2:1");
	bad(a, "a: \"x\\0\"\n\"k\\0\": 1\n", "NUL", "f.yml:2:1");
	bad(a, "<<: 3\n", "\"<<\" needs a map", "f.yml:1:1");
	bad(a, "<<: [1]\n", "\"<<\" needs maps", "f.yml:1:1");
	bad(a, "a: x\nb: \x80\n", "not valid YAML", "f.yml:2:4");
	CHECK_STR(json(a, yaml(a, "a: \"x\\0y\"\n")), "{\"a\": \"x\\u0000y\"}");
}

static void test_guards(struct arena *a)
{
	struct buf b = BUF(a);

	for (int i = 0; i < 64; i++)
		buf_ch(&b, '[');
	for (int i = 0; i < 64; i++)
		buf_ch(&b, ']');
	CHECK(yaml(a, buf_text(&b)) != NULL);
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_str(&b, i % 50 ? "[" : "[\n");
	CHECK(!yaml(a, buf_text(&b)));
	CHECK_HAS(e.msg, "nested deeper");

	/* nine lines that would unfold to 9^9 values */
	buf_reset(&b);
	buf_str(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++)
		buf_fmt(&b, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1,
			i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	CHECK(!yaml(a, buf_text(&b)));
	CHECK_HAS(e.msg, "behind aliases");

	buf_reset(&b);
	buf_str(&b, "- &x 1\n");
	for (int i = 0; i < 10001; i++)
		buf_str(&b, "- *x\n");
	CHECK(!yaml(a, buf_text(&b)));
	CHECK_HAS(e.msg, "uses of aliases");

	buf_reset(&b);
	for (int i = 0; i < 4000001; i++)
		buf_str(&b, "- 1\n");
	struct arena *big = arena_new();
	CHECK(!yaml(big, buf_text(&b)));
	CHECK_HAS(e.msg, "more than 4000000 values");
	arena_free(big);
}

int main(void)
{
	struct arena *a = arena_new();

	test_plain(a);
	test_maps(a);
	test_tags(a);
	test_places(a);
	test_bad(a);
	test_guards(a);
	arena_free(a);
	return check_done();
}
