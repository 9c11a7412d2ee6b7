/* Patterns and host ranges: every form, their order, and the errors of strict selectors. */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/os.h"
#include "model/inventory.h"

static struct err e;
static struct arena *a;
static struct inventory *inv;

static const char text[] =
	"[web]\nw1\nw2\nw3\nw4\n[db]\nd1\nd2\n[prod]\nw2\nd1\n[site:children]\nweb\ndb\n[empty]\n"
	"[net]\n10.0.0.1\nfe80::1\nhost.example.com\n";

static const char *hosts(const char *pattern, bool allow_empty)
{
	struct inv_host **list;
	uint32_t n;
	struct buf b = BUF(a);

	memset(&e, 0, sizeof e);
	if (!pattern_hosts(&list, &n, a, inv, pattern, allow_empty, &e))
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		buf_fmt(&b, "%s%s", i ? " " : "", list[i]->name);
	return buf_text(&b);
}

static void test_good(void)
{
	static const struct { const char *pattern, *want; } cases[] = {
		{ "w1", "w1" }, { "web", "w1 w2 w3 w4" }, { "db:web", "d1 d2 w1 w2 w3 w4" },
		{ "db,web", "d1 d2 w1 w2 w3 w4" },
		{ "web db", "w1 w2 w3 w4 d1 d2" }, { " w2 , w1 ", "w2 w1" }, { "site:&prod", "w2 d1" },
		{ "&prod:site", "w2 d1" },
		{ "web:!prod", "w1 w3 w4" }, { "!prod:web", "w1 w3 w4" },
		{ "!site", "10.0.0.1 fe80::1 host.example.com" },
		{ "&prod", "w2 d1" }, { "web[0]", "w1" }, { "web[-1]", "w4" }, { "web[1:2]", "w2 w3" },
		{ "web[2:]", "w3 w4" },
		{ "web[1-2]", "w2 w3" }, { "web[2:0]", "w3" }, { "web[1:99]", "w2 w3 w4" }, { "site[-2]", "d1" },
		{ "w*[0]", "w1" },
		{ "w?", "w1 w2 w3 w4" }, { "[wd][12]*", "w1 w2 d1 d2" }, { "w[!13]", "w2 w4" }, { "w[2-3]", NULL },
		{ "?[2-3]*", "w2 w3 d2" },
		{ "d*", "d1 d2" }, { "*.com", "host.example.com" }, { "~w[13]$", "w1 w3" },
		{ "~(web|db)$:!~.*2", "w1 w3 w4 d1" },
		{ "~d", "d1 d2" }, { "fe80::1", "fe80::1" }, { "10.0.0.1", "10.0.0.1" },
		{ "host.example.com", "host.example.com" },
		{ "web:empty", "w1 w2 w3 w4" }, { "web:!empty", "w1 w2 w3 w4" }, { "w1:w1:web", "w1 w2 w3 w4" },
		{ "all:!web:!db:!net", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_STR(hosts(cases[i].pattern, false), cases[i].want);
	/* `all` goes through its groups in order: prod stands before site, which holds the rest */
	CHECK_STR(hosts(NULL, false), "w2 d1 10.0.0.1 fe80::1 host.example.com w1 w3 w4 d2");
	CHECK_STR(hosts("all", false), hosts(NULL, false));
	CHECK_STR(hosts("*", false), hosts(NULL, false));
	CHECK_STR(hosts("nosuch:w1", true), "w1");
	CHECK_STR(hosts("web[9]", true), "");
	CHECK_STR(hosts("nosuch", true), "");

	char path[] = "/tmp/pig-pattern-XXXXXX";
	int fd = mkstemp(path);
	CHECK(write(fd, "w3\n\n  db  \n!d2\n", 15) == 15);
	CHECK_STR(hosts(arena_fmt(a, "@%s", path), false), "w3 d1");
	CHECK_STR(hosts(arena_fmt(a, "w1,@%s", path), false), "w1 w3 d1");
	close(fd);
	unlink(path);
}

static void bad(const char *pattern, const char *msg, const char *hint)
{
	CHECK(!hosts(pattern, false));
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(e.msg, msg);
	if (hint)
		CHECK_HAS(e.hint, hint);
}

static void test_bad(void)
{
	bad("wbe", "pattern \"wbe\" matches no host or group", "Did you mean \"web\"?");
	bad("web:!host.exmaple.com", "\"host.exmaple.com\"", "Did you mean \"host.example.com\"?");
	bad("web:&prd", "\"prd\"", "prod");
	bad("x*", "\"x*\" matches no", NULL);
	bad("~x", "\"~x\" matches no", NULL);
	bad("~(", "no regular expression", NULL);
	bad("~[", "without its other half", NULL);
	bad("w]1", "without its other half", NULL);
	bad("[wd][12]", "matches no host", NULL); /* [12] is an index */
	bad("~", "names nothing", NULL);
	bad("!~", "names nothing", NULL);
	bad("web[4]", "matches no host: \"web\" has 4", "begins at 0");
	bad("web[-5]", "has 4", NULL);
	bad("web[3:1]", "has 4", NULL);
	bad("empty[0]", "group \"empty\" is empty", NULL);
	bad("empty", "matches no host", NULL);
	bad("web:!web", "matches no host", NULL);
	bad("", "is empty", "all");
	bad(" , ", "is empty", NULL);
	bad("web:!", "names nothing", NULL);
	bad("@/no/such", "could not read the file", NULL);
	bad("~(a+)+$:w1", "matches no", NULL);
}

static const char *range(const char *s)
{
	struct value *v = NULL;
	struct buf b = BUF(a);

	memset(&e, 0, sizeof e);
	if (!pattern_range(&v, a, s, &e))
		return NULL;
	for (size_t i = 0; i < value_len(v); i++)
		buf_fmt(&b, "%s%s", i ? " " : "", value_cstr(value_at(v, i), "?"));
	return buf_text(&b);
}

static void test_ranges(void)
{
	CHECK_STR(range("n[1:3]"), "n1 n2 n3");
	CHECK_STR(range("n[01:20:6].x"), "n01.x n07.x n13.x n19.x");
	CHECK_STR(range("n[08:11]"), "n08 n09 n10 n11");
	CHECK_STR(range("n[a:c]"), "na nb nc");
	CHECK_STR(range("[y:B]"), "y z A B");
	CHECK_STR(range("n[:2]"), "n0 n1 n2");
	CHECK_STR(range("[1:2]-[a:b]"), "1-a 1-b 2-a 2-b");
	CHECK_STR(range("plain"), "plain");
	CHECK_STR(range("n[5:5]"), "n5");
	static const char *const wrong[] = {
		"n[1]", "n[1:", "n[1:2:3:4]", "n[1:]", "n[3:1]", "n[c:a]", "n[01:1]", "n[1:2:0]", "n[1:2:x]",
		"n[a:10]", "n[1:x]", "n[-1:2]",
		"n[ab:cd]", "n[0:99999999]", "n[0:999][0:999]", "[1:2][1:2][1:2][1:2][1:2][1:2][1:2][1:2][1:2]",
		"n[99999999999:999999999999]",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK(!range(wrong[i]));
		CHECK_HAS(e.msg, "host range");
	}
}

int main(void)
{
	char path[] = "/tmp/pig-pattern-XXXXXX";
	const char *source = path;
	struct inventory_options o = { .sources = &source, .n_sources = 1 };
	int fd = mkstemp(path);

	a = arena_new();
	CHECK(write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
	close(fd);
	if (!inventory_load(&inv, a, &o, &e)) {
		fprintf(stderr, "%s\n", err_text(&e, a));
		return 1;
	}
	unlink(path);
	test_good();
	test_bad();
	test_ranges();
	arena_free(a);
	return check_done();
}
