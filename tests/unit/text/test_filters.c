/*
 * Every filter, test and method of the tables: whatever is made of a secret is one, wherever the secret goes in, and
 * the rows that only pass on what they get pass its mark on too. The rows are walked, so a new one cannot be forgotten:
 * one for which no call of the candidates below succeeds fails the test. Besides, what the filters that fit text into
 * others give, and limits.
 */
#include <stdlib.h>

#include "check.h"
#include "text/rows.h"
#include "text/tmpl.h"

/* Inputs and arguments to try. Each stands in the scope as a name, open or secret. */
static const char *const values[] = {
	"\"a\"",
	"7",
	"{\"a\": [\"q\"], \"key\": \"k\", \"value\": \"v\"}",
	"[{\"a\": [\"q\"], \"key\": \"k\", \"value\": \"v\"}]",
	"[\"zeta\", \"eta\"]",
	"\"abcd\"",
	"\"10 MB\"",
	"\"string\"",
	"\"http://u:p@h:1/x\"",
	"true",
	"\"%Y\"",
	"[[\"x\", 1]]",
	"\"md5\"",
	"\"7\"",
	"\"sha512\"",
	"[3, 1]",
	"\".\"",
	"\"%s {}\"",
};
enum { VALUES = sizeof values / sizeof *values, ARGS_MOST = 3, BITS = ARGS_MOST + 1 };

/* Rows whose result says nothing of the text that went in: a number of items, a type, a truth about being there. */
static const char *const quiet[] = {"count", "length", "type_debug", "defined", "undefined"};

struct given {
	struct value *open[BITS], *hidden[BITS];
	unsigned mask;
};

static struct value *given_get(void *ctx, const char *name, struct err *e)
{
	const struct given *g = ctx;
	unsigned i = (unsigned)(name[1] - '0');

	(void)e;
	if (name[0] != 'v' || i >= BITS || name[2])
		return NULL;
	return g->mask >> i & 1 ? g->hidden[i] : g->open[i];
}

/* Marked at every level, as a secret of the inventory is. */
static struct value *marked(struct arena *a, const struct value *v)
{
	struct value *out = value_copy(a, v);

	for (size_t i = 0; i < value_len(out) && v->type != V_STR; i++) {
		if (out->type == V_LIST)
			out->u.list.items[i] = marked(a, out->u.list.items[i]);
		else
			out->u.map.items[i].val = marked(a, out->u.map.items[i].val);
	}
	out->flags |= V_SECRET;
	return out;
}

/* Text or a number in v that is not covered by a mark, on it or on a list or map around it. */
static bool is_bare(const struct value *v)
{
	if (v->flags & V_SECRET || v->type == V_NULL || v->type == V_BOOL)
		return false;
	if (v->type != V_LIST && v->type != V_MAP)
		return true;
	for (size_t i = 0; i < value_len(v); i++) {
		if (is_bare(value_at(v, i)))
			return true;
	}
	return false;
}

static bool evaluate(struct arena *a, const char *src, struct given *g, struct value **out)
{
	const struct scope scope = {.get = given_get, .ctx = g};
	struct expr *x;
	struct err e = {0};

	return expr_parse(&x, a, "row", src, (struct origin){0}, &e) && expr_eval(x, a, &scope, out, &e);
}

static bool is_quiet(const struct row *row)
{
	for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) {
		if (!strcmp(quiet[i], row->name))
			return true;
	}
	return false;
}

/* One call that succeeds with open values: with each of its values secret in turn. */
static void secret_call(struct arena *a, const struct row *row, const char *kind, const char *src, struct given *g,
			unsigned n)
{
	for (unsigned i = 0; i <= n; i++) {
		struct value *v;
		bool good;

		g->mask = 1u << i;
		if (!evaluate(a, src, g, &v)) /* such as a list that is refused; nothing leaves then */
			continue;
		if (row->flags & ROW_PASS &&
		    (*kind == 't' || i)) /* an argument may not be used; what is used is an item below */
			continue;
		good = row->flags & ROW_PASS ? is_quiet(row) || !is_bare(v) : value_is_secret(v);
		if (v->type == V_LIST || v->type == V_MAP) /* an empty one tells as little */
			good |= !value_len(v);
		if (!CHECK(good))
			fprintf(stderr, "  %s %s with value %u secret: %s\n", kind, row->name, i, src);
	}
	g->mask = 0;
}

static unsigned params_of(const struct row *row)
{
	unsigned n = 0;

	for (const char *p = row->params; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
		n += *p != '*' || p[1] != '*';
	return n > ARGS_MOST ? ARGS_MOST : n;
}

static const char *call_text_of(struct arena *a, const struct row *row, const char *kind, unsigned n)
{
	struct buf b = BUF(a);

	if (*kind == 'f')
		buf_fmt(&b, "v0 | %s(", row->name);
	else if (*kind == 't')
		buf_fmt(&b, "v0 is %s(", row->name);
	else
		buf_fmt(&b, "v0.%s(", row->name);
	for (unsigned i = 1; i <= n; i++)
		buf_fmt(&b, "%sv%u", i > 1 ? ", " : "", i);
	/* the scheme's own number of rounds takes half a second */
	if (!strcmp(row->name, "password_hash"))
		return "v0 | password_hash('sha512', v1, 16, 1000)";
	buf_ch(&b, ')');
	return buf_text(&b);
}

/* Calls of the row with n arguments; how many succeeded. Rows of many arguments get the first few values alone. */
static unsigned calls(const struct row *row, const char *kind, unsigned n)
{
	struct arena *keep = arena_new();
	struct value *open[VALUES], *hidden[VALUES];
	unsigned each = n > 2 ? 5 : VALUES, total = VALUES, done = 0;

	for (unsigned i = 0; i < VALUES; i++) {
		struct err e = {0};

		CHECK(value_from_json(&open[i], keep, "values", values[i], strlen(values[i]), &e));
		hidden[i] = marked(keep, open[i]);
	}
	for (unsigned i = 0; i < n; i++)
		total *= each;
	for (unsigned at = 0; at < total && done < 12; at++) {
		struct arena *a = arena_new();
		struct given g = {.mask = 0};
		struct value *v;
		const char *src = call_text_of(a, row, kind, n);
		unsigned rest = at;

		for (unsigned i = 0; i <= n; i++) {
			unsigned pick = rest % (i ? each : VALUES);

			rest /= i ? each : VALUES;
			g.open[i] = open[pick];
			g.hidden[i] = hidden[pick];
		}
		if (evaluate(a, src, &g, &v)) {
			done++;
			secret_call(a, row, kind, src, &g, n);
		}
		arena_free(a);
	}
	arena_free(keep);
	return done;
}

static void rows_walk(const struct row *rows, size_t n, const char *kind)
{
	for (size_t i = 0; i < n; i++) {
		unsigned most = params_of(&rows[i]), least = rows[i].min, done = 0;

		if (*kind == 't' &&
		    strchr("!<=>", rows[i].name[0])) /* names that only select() can say; eq, lt... are the same */
			continue;
		if (!strcmp(rows[i].name, "password_hash"))
			most = least = 1;
		for (unsigned args = least > most ? most : least; args <= most; args++)
			done += calls(&rows[i], kind, args);
		if (!CHECK(done > 0))
			fprintf(stderr, "  no candidate suits %s %s\n", kind, rows[i].name);
	}
}

#define ROW(n, f, p, m, fl, t) {.name = n, .params = p, .fn = f, .min = m, .flags = fl, .text = t},

static void secrecy(void)
{
	static const struct row filters[] = {FILTERS(ROW)}, tests[] = {TESTS(ROW)}, methods[] = {METHODS(ROW)};

	rows_walk(filters, sizeof filters / sizeof *filters, "filter");
	rows_walk(tests, sizeof tests / sizeof *tests, "test");
	rows_walk(methods, sizeof methods / sizeof *methods, "method");
}

/* What an open list, map or argument takes up of a secret stays marked. */
static void taken_up(void)
{
	static const char *const srcs[] = {
		"[v0] | first",
		"[1, v0] | last",
		"{'a': v0} | dict2items",
		"{'a': 1} | combine({'a': v0})",
		"nope | default(v0)",
		"[v0] | map('upper') | list",
		"[v0] | select('string') | list",
		"{'a': v0}.values()",
		"[{'a': v0}] | map(attribute='a') | list",
		"[v0] | to_json",
		"['x'] | zip([v0]) | list",
		"true | ternary(v0, 1)",
		"'a' | extract({'a': v0})",
		"{'a': {'b': v0}} | json_query('a.b')",
		"[v0] | json_query('join(`-`, @)')",
		"dict(a=v0)",
		"[v0] | sort | list",
		"[[v0]] | flatten",
		"'%s' | format(v0)",
		"'{}'.format(v0)",
		"'%s' % v0",
		"'a' ~ v0",
		"v0[0]",
		"v0[1:]",
		"'x' if v0 else 'y'",
		"v0 == 'a'",
		"[v0] | unique | list",
		"{'a': v0} | dictsort",
		"[v0] | batch(1) | list",
		"[v0].copy()",
		"[v0] | max",
		"{'a': v0} | urlencode",
		"[v0] | join",
		"v0 | comment",
		"v0 | to_uuid",
		"('http://' ~ v0) | urlsplit('hostname')",
		"('http://' ~ v0) | urlsplit",
		"[v0] | groupby('0') | first",
	};

	for (size_t i = 0; i < sizeof srcs / sizeof *srcs; i++) {
		struct arena *a = arena_new();
		struct given g = {.mask = 1};
		struct value *v = NULL;

		g.hidden[0] = value_secret(a, value_str(a, "abcd"));
		if (!CHECK(evaluate(a, srcs[i], &g, &v) && value_is_secret(v)))
			fprintf(stderr, "  %s\n", srcs[i]);
		arena_free(a);
	}
}

static const struct {
	const char *src, *want;
} texts[] = {
	{"'a\n\nb' | comment", "\"#\\n# a\\n#\\n# b\\n#\""},
	{"'a' | comment('cblock')", "\"/*\\n *\\n * a\\n *\\n */\""},
	{"'a' | comment('xml', prefix='', postfix_count=0)", "\"<!--\\n - a\\n-->\""},
	{"'a' | comment(decoration='; ', prefix_count=2)", "\";\\n;\\n; a\\n;\""},
	{"'x' | to_uuid", "\"66b2f013-1baa-5313-9c8c-e6f1182e0e90\""},
	{"'python.org' | to_uuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8')", "\"886313e1-3b8a-5372-9b90-0c9aee199e5d\""},
	{"'postgres://U:p%40@Host:5432/db?a=b#c' | urlsplit | to_json", NULL},
	{"'postgres://U:p%40@Host:5432/db' | urlsplit('port')", "5432"},
	{"'//[FE80::1%eTh0]:1' | urlsplit('hostname')", "\"fe80::1%eTh0\""},
	{"'http://h' | urlsplit('port')", "null"},
	{"'<a href=\"x\">&\\'' | e", "\"&lt;a href=&#34;x&#34;&gt;&amp;&#39;\""},
	{"[1, 'a'] is all", "true"},
	{"[1, 0] is all", "false"},
	{"[] is all", "true"},
	{"[0, ''] is any", "false"},
	{"[] is any", "false"},
	{"[0, 1] is any", "true"},
	{"'' is all", "true"},
	{"(1.0) is isnan", "false"},
};

static const struct {
	const char *src, *says;
} faults[] = {
	{"5 is all", "int is not a list"},
	{"none | comment", "not null"},
	{"'a' | comment('ruby')", "style is plain"},
	{"'a' | comment(newline='')", "newline is empty"},
	{"'a' | comment(colour=1)", "no argument \"colour\""},
	{"'a' | comment(prefix_count=99999999)", "16 MiB"},
	{"'a' | to_uuid('12')", "is no UUID"},
	{"'http://h:x' | urlsplit", "the port \"x\""},
	{"'http://h:65536' | urlsplit", "65536"},
	{"'http://[::1' | urlsplit", "IPv6"},
	{"'http://h' | urlsplit('host')", "no part \"host\""},
	{"[[1]] | to_json(indent=2000000000)", "indent is 0 to 64"},
};

static void markup(void)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena *a = arena_new();
		struct given g = {.mask = 0};
		struct value *v = NULL;
		struct buf b = BUF(a);

		if (CHECK(evaluate(a, texts[i].src, &g, &v)) && texts[i].want && value_to_json(&b, v, NULL))
			CHECK_STR(buf_text(&b), texts[i].want);
		arena_free(a);
	}
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct arena *a = arena_new();
		struct expr *x;
		struct err e = {0};
		struct value *v;

		CHECK(expr_parse(&x, a, "row", faults[i].src, (struct origin){0}, &e));
		if (CHECK(!expr_eval(x, a, NULL, &v, &e)))
			CHECK_HAS(e.msg, faults[i].says);
		arena_free(a);
	}
}

/* What would take memory or time without bound says so, with its place. */
static void limits(void)
{
	static const struct {
		const char *src, *says;
	} rows[] = {
		{"a\n{% set l = [1] %}{% for i in range(100) %}{{ l.extend(l) }}{% endfor %}", "more than 256 MiB"},
		{"a\n{% set l = [] %}{% for i in range(1000) %}{{ l.append('x' * 16000000) }}{% endfor %}",
		 "more than 256 MiB"},
		{"a\n{% set b = range(100000) %}{% for i in b %}{% for j in b %}{% endfor %}{% endfor %}", "steps"},
		{"a\n{{ ('a' * 16000000) | regex_search('a*b|a*c') }}", "too long"},
		{"a\n{{ ('a' * 40 ~ 'c') | regex_search('^(a+)+$') }}", "too long"},
		{"a\n{{ (['x' * 16000000] * 1000) | to_json }}", "too large"},
		{"a\n{% for i in 'x' * 16000000 %}{% endfor %}", "memory"},
		{"a\n{% set s = 'x' * 1000000 %}{{ ([s ~ 'a', s ~ 'b'] * 100000) | sort }}", "memory"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct tmpl *t;
		struct err e = {0};
		struct buf b = BUF(a);
		bool secret;

		CHECK(tmpl_parse(&t, a, "t.j2", rows[i].src, strlen(rows[i].src), (struct origin){"t.j2", 1, 1}, &e));
		if (CHECK(!tmpl_render(t, a, NULL, &b, &secret, &e))) {
			CHECK_HAS(e.msg, rows[i].says);
			CHECK_HAS(e.where, "t.j2:2:");
		}
		arena_free(a);
	}
}

int main(void)
{
	secrecy();
	taken_up();
	markup();
	limits();
	return check_done();
}
