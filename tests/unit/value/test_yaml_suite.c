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
	ONE_DOCUMENT,        /* several documents: an inventory is one */
	KEYS,                /* a list or a map as a key */
	TAGS,                /* a tag nobody declared is refused, as Ansible does */
	EMPTY_STREAM,        /* no document at all is null here */
};

static const char *const reasons[] = {
	[LIBYAML_REFUSES] = "libyaml refuses it", [LIBYAML_TAKES] = "libyaml takes it",
	[LIBYAML_DIFFERS] = "libyaml reads it otherwise", [ONE_DOCUMENT] = "several documents",
	[KEYS] = "a key is a scalar", [TAGS] = "unknown tag", [EMPTY_STREAM] = "no document",
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
	{ "35KP", ONE_DOCUMENT }, { "6XDY", ONE_DOCUMENT }, { "6ZKB", ONE_DOCUMENT }, { "9DXL", ONE_DOCUMENT },
	{ "9KAX", ONE_DOCUMENT }, { "JHB9", ONE_DOCUMENT }, { "KSS4", ONE_DOCUMENT }, { "L383", ONE_DOCUMENT },
	{ "PUW8", ONE_DOCUMENT }, { "RZT7", ONE_DOCUMENT }, { "U9NS", ONE_DOCUMENT },
	{ "4FJ6", KEYS }, { "6BFJ", KEYS }, { "6PBE", KEYS }, { "9MMW", KEYS }, { "KK5P", KEYS }, { "LX3P", KEYS },
	{ "M2N8/00", KEYS }, { "M2N8/01", KEYS }, { "M5DY", KEYS }, { "Q9WF", KEYS }, { "RZP5", KEYS },
	{ "SBG9", KEYS }, { "V9D5", KEYS }, { "X38W", KEYS }, { "XW4D", KEYS },
	{ "5TYM", TAGS }, { "6CK3", TAGS }, { "6WLZ", TAGS }, { "7FWL", TAGS }, { "9WXW", TAGS }, { "C4HZ", TAGS },
	{ "CC74", TAGS }, { "CUP7", TAGS }, { "M5C3", TAGS }, { "P76L", TAGS }, { "UGM3", TAGS }, { "Z67P", TAGS },
	{ "Z9M4", TAGS },
	{ "8G76", EMPTY_STREAM }, { "98YD", EMPTY_STREAM }, { "AVM7", EMPTY_STREAM },
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

/* What went wrong with one case; NULL when it is as the suite says. */
static const char *run(struct arena *a, const struct value *c)
{
	const struct value *yaml = value_get(c, "yaml"), *want_text = value_get(c, "json");
	struct value *got = NULL, *want = NULL;
	struct err e = { 0 }, je = { 0 };
	bool ok = value_from_yaml(&got, a, "case", yaml->u.str.s, yaml->u.str.n, &e);

	if (value_truth(value_get(c, "fail")))
		return ok ? arena_fmt(a, "taken, though invalid: %s", json(a, got)) : NULL;
	if (!ok)
		return arena_fmt(a, "refused: %s", err_text(&e, a));
	if (!want_text)
		return NULL;
	if (!value_from_json(&want, a, "json", want_text->u.str.s, want_text->u.str.n, &je))
		return arena_fmt(a, "not one document: %s", json(a, want_text));
	return value_equal(got, want) ? NULL : arena_fmt(a, "is %s, not %s", json(a, got), json(a, want));
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
