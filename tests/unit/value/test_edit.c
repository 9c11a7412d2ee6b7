/* A YAML text changed by the places of its values: what else stands there is left as it was. */
#include "check.h"
#include "value/edit.h"

static struct arena *a;
static struct value *doc;
static struct edits *ed;

static void begin(const char *text)
{
	struct err e = { 0 };

	if (!CHECK(value_from_yaml(&doc, a, "t.yml", text, strlen(text), &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	ed = edits_new(a, text, strlen(text));
}

static const char *text(void)
{
	size_t n;
	const char *s = edits_text(ed, &n);

	CHECK_INT(n, strlen(s));
	return s;
}

static void test_scalars(void)
{
	begin("# first\na: one # why\nb: \"t\\\"wo\"\nc: 'th''ree'  # c\nd: [1, x, \"y\"]\ne: { f: 2, g: a,b }\nh: a,b]} c\nü: { é: 18 }\n");
	CHECK(edits_scalar(ed, value_get(doc, "a"), "uno"));
	CHECK(edits_scalar(ed, value_get(doc, "b"), "d\"\\s"));
	CHECK(edits_scalar(ed, value_get(doc, "c"), "it's"));
	CHECK(edits_scalar(ed, value_path(doc, "d.0"), "17"));
	CHECK(edits_scalar(ed, value_path(doc, "d.1"), "a b"));
	CHECK(edits_scalar(ed, value_path(doc, "d.2"), "z"));
	CHECK(edits_scalar(ed, value_path(doc, "e.f"), "no"));
	CHECK(edits_scalar(ed, value_get(doc, "h"), "i"));
	CHECK(edits_scalar(ed, value_path(doc, "ü.é"), "19"));
	CHECK(edits_scalar(ed, value_path(doc, "ü.é"), "19"));
	CHECK_INT(edits_count(ed), 9);
	CHECK_STR(text(), "# first\na: uno # why\nb: \"d\\\"\\\\s\"\nc: 'it''s'  # c\nd: [17, 'a b', \"z\"]\ne: { f: 'no', g: a,b }\nh: i\nü: { é: 19 }\n");
	/* what is not on one line is left to the caller */
	begin("a: |\n  one\nb: \"x\n  y\"\nc: [1]\n");
	CHECK(!edits_scalar(ed, value_get(doc, "a"), "x"));
	CHECK(!edits_scalar(ed, value_get(doc, "b"), "x"));
	CHECK(!edits_scalar(ed, value_get(doc, "c"), "x"));
	CHECK_INT(edits_count(ed), 0);
	/* anchors and tags stay; what an alias shares is changed once */
	begin("a: &x one\nb: *x\nc: !!str two\n");
	CHECK(edits_scalar(ed, value_get(doc, "a"), "1st") && edits_scalar(ed, value_get(doc, "b"), "1st"));
	CHECK(edits_scalar(ed, value_get(doc, "c"), "2nd"));
	CHECK_STR(text(), "a: &x 1st\nb: *x\nc: !!str 2nd\n");
	begin("a: x");
	CHECK(edits_scalar(ed, value_get(doc, "a"), "z"));
	CHECK_STR(text(), "a: z");
}

static void test_words(void)
{
	begin("h:\n  10.1.1.1: { n: 1 }\n  10.1.1.10: {}\nv: [\"10.1.1.1 i\", 110.1.1.1, 10.1.1.1.x, 'http://10.1.1.1:80/10.1.1.1']\n");
	const struct value *h = value_get(doc, "h"), *v = value_get(doc, "v");
	for (uint32_t i = 0; i < 2; i++)
		CHECK(edits_word(ed, h->u.map.items[i].at, h->u.map.items[i].key, "10.1.1.1", "10.9.9.9"));
	for (uint32_t i = 0; i < 4; i++)
		CHECK(edits_word(ed, value_at(v, i)->at, value_at(v, i)->source, "10.1.1.1", "10.9.9.9"));
	CHECK_STR(text(), "h:\n  10.9.9.9: { n: 1 }\n  10.1.1.10: {}\n"
			  "v: [\"10.9.9.9 i\", 110.1.1.1, 10.1.1.1.x, 'http://10.9.9.9:80/10.9.9.9']\n");
	begin("v: [pg18-main, \"xpg18-a pg18-\"]\n");
	for (uint32_t i = 0; i < 2; i++)
		CHECK(edits_word(ed, value_at(value_get(doc, "v"), i)->at, NULL, "pg18-", "pg9-"));
	CHECK_STR(text(), "v: [pg9-main, \"xpg18-a pg9-\"]\n");
}

static void test_lines(void)
{
	begin("v:\n  # note\n  a: 1\n  b: 2\n");
	edits_line(ed, value_entry(value_get(doc, "v"), "a")->at.line, "x: 1");
	edits_line(ed, value_entry(value_get(doc, "v"), "a")->at.line, "y: 2");
	edits_scalar(ed, value_path(doc, "v.a"), "3");
	CHECK_STR(text(), "v:\n  # note\n  x: 1\n  y: 2\n  a: 3\n  b: 2\n");
}

int main(void)
{
	a = arena_new();
	test_scalars();
	test_words();
	test_lines();
	arena_free(a);
	return check_done();
}
