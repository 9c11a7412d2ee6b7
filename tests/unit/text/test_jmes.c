/* JMESPath: the public compliance suite where it is at hand ($PIG_SUITES, else ../shared/suites), and what it does not
 * cover. */
#include <dirent.h>
#include <stdlib.h>

#include "base/os.h"
#include "check.h"
#include "text/tmpl.h"

static void suite_case(const struct value *given, const struct value *one, const char *file)
{
	struct arena *a = arena_new();
	struct err e = { 0 };
	struct value *got = NULL;
	const char *expr = value_cstr(value_get(one, "expression"), "");
	bool good = jmes_search(&got, a, expr, given, &e);
	struct value *want = value_get(one, "result");

	bool as_said = want ? good && value_equal(got, want)
			    : good == (value_get(one, "bench") != NULL); /* those only have to run */

	if (!CHECK(as_said))
		fprintf(stderr, "%s: %s\n", file, expr);
	CHECK(good || e.code == E_INPUT);
	arena_free(a);
}

static void suite_file(const char *path, const char *name)
{
	struct arena *a = arena_new();
	struct buf text = BUF(a);
	struct err e = { 0 };
	struct value *groups;

	if (!CHECK(os_read(&text, path, 0, &e)) || !CHECK(value_from_json(&groups, a, name, text.p, text.len, &e))) {
		fprintf(stderr, "%s\n", e.msg);
		arena_free(a);
		return;
	}
	for (size_t g = 0; g < value_len(groups); g++) {
		const struct value *cases = value_get(value_at(groups, g), "cases");

		for (size_t i = 0; i < value_len(cases); i++)
			suite_case(value_get(value_at(groups, g), "given"), value_at(cases, i), name);
	}
	arena_free(a);
}

static void suite(void)
{
	struct arena *a = arena_new();
	const char *env = getenv("PIG_SUITES");
	const char *dir = arena_fmt(a, "%s/jmespath", env ? env : arena_fmt(a, "%s/../../shared/suites", TEST_DIR));
	DIR *d = opendir(dir);
	unsigned files = 0;

	for (struct dirent *entry; d && (entry = readdir(d));) {
		size_t n = strlen(entry->d_name);

		if (n < 6 || strcmp(entry->d_name + n - 5, ".json"))
			continue;
		suite_file(arena_fmt(a, "%s/%s", dir, entry->d_name), entry->d_name);
		files++;
	}
	if (d)
		closedir(d);
	if (!files)
		printf("skipped: no compliance suite in %s\n", dir);
	arena_free(a);
}

static const struct { const char *data, *expr, *want; } rows[] = {
	{ "{\"a\": [{\"n\": \"x\", \"v\": 0}, {\"n\": \"y\"}]}", "a[?v].n", "[\"x\"]" }, /* 0 is true */
	{ "{\"a\": [1, 2]}", "a[*].b", "[]" },
	{ "{}", "a.b.c", "null" },
	{ "[{\"t\": \"web\"}]", "[?t==`web`].t | [0]", "\"web\"" },
	{ "[3, 1, 2]", "sort(@)", "[1, 2, 3]" },
	{ "[{\"k\": \"b\"}, {\"k\": \"a\"}]", "sort_by(@, &k)[*].k", "[\"a\", \"b\"]" },
	{ "{\"b\": 1, \"a\": 2}", "keys(@)", "[\"b\", \"a\"]" }, /* the order of the source */
	{ "[1, 2, 3]", "[::-1]", "[3, 2, 1]" },
	{ "[1, 2]", "{n: length(@), l: [-1]}", "{\"n\": 2, \"l\": 2}" },
};

static const struct { const char *expr, *part;
} wrong[] = {
	{"a[", "JMESPath \"a[\""}, {"foo(@)", "there is no function \"foo\""},
	{"length(`1`)", "length() cannot be number"}, {"a ||", "incomplete"}, {"[0:1:0]", "step cannot be 0"},
	{"abs()", "takes 1 argument"}, {"&a", "only before"},
	{"`{`", "no JSON"},
	{"a.b c", "unexpected text"},
};

static void table(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct value *data, *got;
		struct err e = { 0 };
		struct buf b = BUF(a);
		const struct json_style style = { 0 };

		CHECK(value_from_json(&data, a, NULL, rows[i].data, strlen(rows[i].data), &e));
		if (CHECK(jmes_search(&got, a, rows[i].expr, data, &e)))
			value_to_json(&b, got, &style);
		CHECK_STR(buf_text(&b), rows[i].want);
		arena_free(a);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct arena *a = arena_new();
		struct value *got;
		struct err e = { 0 };

		CHECK(!jmes_search(&got, a, wrong[i].expr, value_map(a), &e));
		CHECK_HAS(e.msg, wrong[i].part);
		arena_free(a);
	}
}

static char *times(struct arena *a, const char *s, unsigned n)
{
	struct buf b = BUF(a);

	while (n--)
		buf_str(&b, s);
	return b.p;
}

/* Nothing takes for ever or runs off the stack. */
static void limits(void)
{
	struct arena *a = arena_new();
	struct value *got, *list = value_list(a);
	struct err e = { 0 };

	value_push(a, list, value_int(a, 1));
	CHECK(!jmes_search(&got, a, times(a, "(", 5000), list, &e));
	CHECK(!jmes_search(&got, a, times(a, "!", 5000), list, &e));
	CHECK(!jmes_search(&got, a, arena_fmt(a, "a%s", times(a, ".a", 5000)), list, &e));
	CHECK_HAS(e.msg, "too deep");
	CHECK(!jmes_search(&got, a, arena_fmt(a, "@%s", times(a, "|[@,@][]", 60)), list, &e));
	CHECK_HAS(e.msg, "steps");
	CHECK(!jmes_search(&got, a, arena_fmt(a, "@%s|to_string(@)", times(a, "|[@,@]", 60)), list, &e));
	CHECK_HAS(e.msg, "too");
	arena_free(a);
}

static void secrets(void)
{
	struct arena *a = arena_new();
	struct value *user = value_map(a), *list = value_list(a), *got;
	struct err e = { 0 };

	value_put(a, user, "name", value_str(a, "bob"));
	value_put(a, user, "password", value_secret(a, value_str(a, "hidden")));
	value_push(a, list, user);
	CHECK(jmes_search(&got, a, "[0].password", list, &e) && value_is_secret(got));
	CHECK(jmes_search(&got, a, "[0].name", list, &e) && !value_is_secret(got));
	CHECK(jmes_search(&got, a, "join(',', [*].password)", list, &e) && value_is_secret(got));
	CHECK(jmes_search(&got, a, "to_string(@)", list, &e) && value_is_secret(got));
	CHECK(jmes_search(&got, a, "length(@)", list, &e) && !value_is_secret(got));
	arena_free(a);
}

int main(void)
{
	suite();
	table();
	limits();
	secrets();
	return check_done();
}
