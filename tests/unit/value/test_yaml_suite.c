/*
 * The public YAML test suite: what it holds valid must equal its JSON, what it holds invalid must be refused, and every
 * exception is in the table below with its reason. The suite is not part of this project: PIG_SUITES names its folder,
 * and without it the test says that it was skipped.
 */
#include "check.h"

#include <stdlib.h>

#include "base/os.h"
#include "value/value.h"

enum why {
	LIBYAML_REFUSES = 1, /* valid, and libyaml 0.2.5 does not take it */
	LIBYAML_TAKES,       /* invalid, and libyaml takes it */
	LIBYAML_DIFFERS,     /* valid, and libyaml reads another value */
	KEYS,                /* a list or a map as a key: refused, as PyYAML does; JSON has no such thing either */
};

static const char *const reasons[] = {
	[LIBYAML_REFUSES] = "libyaml refuses it", [LIBYAML_TAKES] = "libyaml takes it",
	[LIBYAML_DIFFERS] = "libyaml reads it otherwise", [KEYS] = "a key is a scalar",
};

static const struct { const char *id; enum why why; } exceptions[] = {
	{ "2JQS", LIBYAML_REFUSES }, { "2LFX", LIBYAML_REFUSES }, { "2SXE", LIBYAML_REFUSES },
	{ "4ABK", LIBYAML_REFUSES }, { "4MUZ/00", LIBYAML_REFUSES }, { "4MUZ/01", LIBYAML_REFUSES },
	{ "4MUZ/02", LIBYAML_REFUSES }, { "58MP", LIBYAML_REFUSES }, { "5MUD", LIBYAML_REFUSES },
	{ "5T43", LIBYAML_REFUSES }, { "6BCT", LIBYAML_REFUSES }, { "6CA3", LIBYAML_REFUSES },
	{ "6LVF", LIBYAML_REFUSES }, { "6M2F", LIBYAML_REFUSES }, { "7Z25", LIBYAML_REFUSES },
	{ "8XYN", LIBYAML_REFUSES }, { "96NN/00", LIBYAML_REFUSES }, { "96NN/01", LIBYAML_REFUSES },
	{ "9SA2", LIBYAML_REFUSES }, { "A2M4", LIBYAML_REFUSES }, { "BEC7", LIBYAML_REFUSES },
	{ "CFD4", LIBYAML_REFUSES }, { "DBG4", LIBYAML_REFUSES }, { "DK3J", LIBYAML_REFUSES },
	{ "DK95/00", LIBYAML_REFUSES }, { "DK95/03", LIBYAML_REFUSES }, { "DK95/04", LIBYAML_REFUSES },
	{ "FP8R", LIBYAML_REFUSES }, { "FRK4", LIBYAML_REFUSES }, { "HM87/00", LIBYAML_REFUSES },
	{ "HWV9", LIBYAML_REFUSES }, { "K3WX", LIBYAML_REFUSES }, { "M7A3", LIBYAML_REFUSES },
	{ "MUS6/05", LIBYAML_REFUSES }, { "MUS6/06", LIBYAML_REFUSES }, { "NHX8", LIBYAML_REFUSES },
	{ "NJ66", LIBYAML_REFUSES }, { "NKF9", LIBYAML_REFUSES }, { "Q5MG", LIBYAML_REFUSES },
	{ "QT73", LIBYAML_REFUSES }, { "R4YG", LIBYAML_REFUSES }, { "S3PD", LIBYAML_REFUSES },
	{ "SM9W/01", LIBYAML_REFUSES }, { "UKK6/00", LIBYAML_REFUSES }, { "UT92", LIBYAML_REFUSES },
	{ "VJP3/01", LIBYAML_REFUSES }, { "W4TN", LIBYAML_REFUSES }, { "W5VH", LIBYAML_REFUSES },
	{ "Y79Y/001", LIBYAML_REFUSES }, { "Y79Y/010", LIBYAML_REFUSES },
	{ "9C9N", LIBYAML_TAKES }, { "9JBA", LIBYAML_TAKES }, { "CVW2", LIBYAML_TAKES },
	{ "DK95/01", LIBYAML_TAKES }, { "G5U8", LIBYAML_TAKES }, { "MUS6/00", LIBYAML_TAKES },
	{ "QB6E", LIBYAML_TAKES }, { "S98Z", LIBYAML_TAKES }, { "SU5Z", LIBYAML_TAKES }, { "X4QW", LIBYAML_TAKES },
	{ "Y79Y/003", LIBYAML_TAKES }, { "YJV2", LIBYAML_TAKES },
	{ "652Z", LIBYAML_DIFFERS }, { "HM87/01", LIBYAML_DIFFERS }, { "JEF9/02", LIBYAML_DIFFERS },
	{ "L24T/01", LIBYAML_DIFFERS }, { "Y2GN", LIBYAML_DIFFERS },
	{ "4FJ6", KEYS }, { "6BFJ", KEYS }, { "6PBE", KEYS }, { "9MMW", KEYS }, { "KK5P", KEYS }, { "LX3P", KEYS },
	{ "M2N8/00", KEYS }, { "M2N8/01", KEYS }, { "M5DY", KEYS }, { "Q9WF", KEYS }, { "RZP5", KEYS },
	{ "SBG9", KEYS }, { "V9D5", KEYS }, { "X38W", KEYS }, { "XW4D", KEYS },
};

static int tally[8];
static bool used[sizeof exceptions / sizeof *exceptions];

static enum why expected(const char *id)
{
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
		if (!strcmp(exceptions[i].id, id)) {
			used[i] = true;
			return exceptions[i].why;
		}
	}
	return (enum why)0;
}

static const char *json(struct arena *a, const struct value *v)
{
	struct buf b = BUF(a);

	return value_to_json(&b, v, NULL) ? buf_text(&b) : "(not printable)";
}

/* The JSON texts behind each other, as a list. */
static bool json_stream(struct value **out, struct arena *a, const char *text, size_t n)
{
	*out = value_list(a);
	for (size_t at = 0, end; at < n; at = end) {
		struct value *one = NULL;
		struct err e;
		/* the shortest piece of whole lines that is a text: the suite writes one document to some lines each */
		for (end = at;;) {
			while (end < n && text[end] != '\n')
				end++;
			end += end < n;
			if (value_from_json(&one, a, "json", text + at, end - at, &e))
				break;
			if (end >= n)
				return false;
		}
		value_push(a, *out, one);
	}
	return true;
}

/* What went wrong with one case; NULL when it is as the suite says. As `pig query` reads: any tag, any number of documents. */
static const char *run(struct arena *a, const struct value *c)
{
	const struct value *yaml = value_get(c, "yaml"), *want_text = value_get(c, "json");
	struct value *got = NULL, *want = NULL;
	struct err e = { 0 };
	bool invalid = value_truth(value_get(c, "fail"));
	/* invalid is invalid for inventories: that libyaml takes a directive in mid-stream shows in a stream alone (4 cases) */
	bool ok = invalid ? value_from_yaml(&got, a, "case", yaml->u.str.s, yaml->u.str.n, &e)
			  : value_from_yaml_stream(&got, a, "case", yaml->u.str.s, yaml->u.str.n, true, &e);

	if (invalid)
		return ok ? arena_fmt(a, "taken, though invalid: %s", json(a, got)) : NULL;
	if (!ok)
		return arena_fmt(a, "refused: %s", err_text(&e, a));
	if (!want_text)
		return NULL;
	if (!json_stream(&want, a, want_text->u.str.s, want_text->u.str.n))
		return arena_fmt(a, "no JSON: %s", json(a, want_text));
	return value_equal(got, want) ? NULL : arena_fmt(a, "is %s, not %s", json(a, got), json(a, want));
}

/* As an inventory is read: one document, known tags. What it takes must be what the other way takes. */
static void strict(struct arena *a, const struct value *c, bool sound)
{
	const struct value *yaml = value_get(c, "yaml");
	struct value *got = NULL, *all = NULL;
	struct err e = { 0 };

	if (!sound || !value_from_yaml(&got, a, "case", yaml->u.str.s, yaml->u.str.n, &e)) {
		CHECK(!sound || value_truth(value_get(c, "fail")) || strstr(e.msg, "second document") || strstr(e.msg, "unknown tag"));
		return;
	}
	CHECK(value_from_yaml_stream(&all, a, "case", yaml->u.str.s, yaml->u.str.n, true, &e));
	CHECK(value_len(all) ? value_equal(value_at(all, 0), got) : got->type == V_NULL);
}

int main(void)
{
	struct arena *a = arena_new();
	const char *folder = getenv("PIG_SUITES"), *path;
	struct buf text = BUF(a);
	struct value *cases = NULL;
	struct err e = { 0 };
	int agree = 0, differ = 0;

	path = os_join(a, folder ? folder : TEST_DIR "/../../shared/suites", "yaml/cases.json");
	if (!os_exists(path)) {
		printf("skipped: no YAML test suite at %s\n", path);
		return 0;
	}
	CHECK(os_read(&text, path, 0, &e));
	CHECK(value_from_json(&cases, a, path, buf_text(&text), text.len, &e));
	for (size_t i = 0; i < value_len(cases); i++) {
		const char *id = value_cstr(value_get(value_at(cases, i), "id"), "?");
		const char *fault = run(a, value_at(cases, i));
		strict(a, value_at(cases, i), !fault);
		enum why why = expected(id);
		if (!fault)
			agree++;
		else
			differ++;
		if (fault && why)
			tally[why]++;
		if (!CHECK((fault != NULL) == (why != 0)))
			fprintf(stderr, "%s (%s): %s\n", id, value_cstr(value_get(value_at(cases, i), "name"), ""),
				fault ? fault : "agrees, so it needs no exception");
	}
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
		if (!CHECK(used[i]))
			fprintf(stderr, "%s: no such case\n", exceptions[i].id);
	printf("%d of %zu cases as the suite says, %d exceptions:", agree, value_len(cases), differ);
	for (size_t i = 1; i < sizeof reasons / sizeof *reasons; i++)
		printf("%s %s %d", i > 1 ? "," : "", reasons[i], tally[i]);
	printf("\n");
	arena_free(a);
	return check_done();
}
