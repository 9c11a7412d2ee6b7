/*
 * The template engine: what each construct gives, what is refused and with which words at which place, secrecy, limits,
 * and templates that use others. Rows of source and result; agreement with Jinja2 at large is tests/differential's.
 */
#include <stdlib.h>

#include "base/os.h"
#include "check.h"
#include "text/tmpl.h"

static const char vars[] = "{\"i\": 7, \"z\": 0, \"f\": 2.5, \"t\": true, \"u\": false, \"n\": null, \"s\": \"hello "
			   "world\", \"e\": \"\", \"l\": [3, 1, 2], \"m\": [1, 2, 2],"
			   "\"ls\": [\"b\", \"A\", \"a\"], \"d\": {\"b\": 2, \"a\": 1, \"c\": {\"x\": [1]}}, \"uni\": "
			   "\"na\\u00efve\", \"ver\": \"14.2\","
			   "\"users\": [{\"name\": \"bob\", \"age\": 30, \"o\": {\"k\": 1}}, {\"name\": \"Al\", "
			   "\"age\": 4, \"o\": {\"k\": 2}}, {\"name\": \"cy\", \"age\": 30, \"o\": {\"k\": 0}}],"
			   "\"part\": [{\"pw\": \"1\"}, {}]}";

static const struct { const char *name, *text; } files[] = {
	{ "base", "top\n{% block a %}base a{% endblock %}|{% block b %}base b{% endblock %}\nend" },
	{ "mid", "{% extends 'base' %}{% block a %}mid({{ super() }}){% endblock %}" },
	{ "loopy", "{% include 'loopy' %}" },
	{ "inc", "<{{ x }}>" },
	{ "lib", "{% macro hi(n, g='hi') %}{{ g }} {{ n }}{% endmacro %}{% set k = 5 %}" },
	{ "bad", "ok\n{{ nope }}" },
};

struct source { struct value *vars; };

static struct value *get(void *ctx, const char *name, struct err *e)
{
	if (!strcmp(name, "broken")) {
		fail(e, E_INPUT, "its own template is wrong");
		return NULL;
	}
	return value_get(((struct source *)ctx)->vars, name);
}

static const char *load(void *ctx, const char *name, const char **file, struct err *e)
{
	(void)ctx;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (!strcmp(files[i].name, name)) {
			*file = files[i].name;
			return files[i].text;
		}
	}
	fail(e, E_INPUT, "it does not exist");
	return NULL;
}

struct result {
	bool good, secret;
	const char *out;
	struct err e;
};

static struct value *vars_new(struct arena *a)
{
	struct value *v;
	struct err e = { 0 };

	if (!value_from_json(&v, a, NULL, vars, strlen(vars), &e))
		abort();
	value_put(a, v, "pw", value_secret(a, value_str(a, "hidden")));
	value_put(a, v, "pws", value_secret(a, value_list(a)));
	return v;
}

static struct result render(struct arena *a, const char *src)
{
	struct source source = { vars_new(a) };
	const struct scope scope = { .get = get, .load = load, .ctx = &source };
	struct result r = { 0 };
	struct buf b = BUF(a);
	struct tmpl *t;

	r.good = tmpl_parse(&t, a, "t.j2", src, strlen(src), (struct origin){0}, &r.e) &&
		 tmpl_render(t, a, &scope, &b, &r.secret, &r.e);
	r.out = r.good ? buf_text(&b) : r.e.msg;
	CHECK(r.good == !r.e.code);
	return r;
}

static const struct { const char *src, *want;
} good[] = {
	/* whitespace */
	{"a\n{% if t %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"},
	{"a\n{% if t -%}\n  b\n{%- endif %}\nc", "a\nbc"},
	{"  {% if t %}x{% endif %}  \n", "  x  \n"},
	{"{{ i }}\n{{- i -}}\n x", "77x"},
	{"{# c #}\nx{#- c -#} \n y", "xy"},
	{"{% if t +%}\nx{% endif %}", "\nx"},
	{"{% if t %}x{% endif %}\n", "x\n"},
	{"{{ e }}\n\n", "\n\n"},
	{"{% if u %}x{% endif %}\n", "\n"},
	{"a\r\nb{% if t %}\r\nc{% endif %}", "a\nbc"},
	{"{% raw %}{{ x }}\n{% if %}{% endraw %}\ny", "{{ x }}\n{% if %}y"},
	{"x {%- raw -%} {{ }} {%- endraw -%} y", "x{{ }}y"},
	/* printing */
	{"{{ n }}|{{ t }}|{{ 3.0 }}|{{ 1e16 }}|{{ 1e-5 }}|{{ none ~ 1 }}", "|True|3.0|1e+16|1e-05|None1"},
	{"{{ 'a' 'b' }}{{ \"\\u00fc\\n\" }}{{ '\\d' }}", "ab\xc3\xbc\n\\d"},
	{"{{ 'x' if u }}{{ 'x' if u else 'y' }}", "y"},
	/* arithmetic */
	{"{{ 7 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 3 ** 2 }} {{ 2 ** -1 }}",
	 "3.5 3 -4 2 -2 64 0.5"},
	{"{{ 1 + 2 * 3 }} {{ -1 | abs }} {{ 1 + -2 | abs }} {{ 10 / 4 * 2 }} {{ 7.5 // 2 }}", "7 1 3 5.0 3.0"},
	{"{{ 'ab' * 2 }} {{ ([1] + [2]) | join }} {{ true + 1 }} {{ 1_000 }} {{ 0x1f }}", "abab 12 2 1000 31"},
	{"{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' }} {{ 1 == 1.0 }} {{ [1] == [1] }} {{ not 1 in l }}",
	 "True False True True True False"},
	{"{{ 'ell' in s }} {{ 2 in l }} {{ 'a' in d }} {{ 'q' not in d }}", "True True True True"},
	{"{{ 0 or 'x' }} {{ 1 and 'y' }} {{ '' and nope }}|", "x y |"},
	/* reaching */
	{"{{ l[0] }}{{ l[-1] }}{{ l.1 }}{{ s[0] }}{{ s[-3:] }}{{ l[::-1] | join }}{{ uni[2] }}{{ uni | length }}",
	 "321hrld213\xc3\xaf"
	 "5"},
	{"{{ d.a }}{{ d['b'] }}{{ d.c.x[0] }}{{ d.get('q', 5) }}{{ d.nope.x | default(9) }}{{ {1: 'a'}[1] }}",
	 "12159a"},
	{"{{ d.items() | list | length }}{{ d.keys() | join }}{{ d | join(',') }}", "3bacb,a,c"},
	/* tests */
	{"{{ nope is defined }} {{ d.q is undefined }} {{ none is none }} {{ true is number }} {{ 'x' is string }} {{ "
	 "d is mapping }}",
	 "False True True True True True"},
	{"{{ 4 is divisibleby 2 }} {{ 3 is odd }} {{ true is sameas true }} {{ 1 is sameas true }} {{ s is match('h') "
	 "}} {{ s is search 'w' }}",
	 "True True True False True True"},
	{"{{ ver is version('14.10', '<') }} {{ ver is version('14', 'ge') }} {{ [1] is subset l }} {{ l is "
	 "superset([1, 2]) }}",
	 "True True True True"},
	/* filters */
	{"{{ 't' | bool }}{{ 'Yes' | bool }}{{ 2 | bool }}{{ 1 | bool }}{{ 'y' | bool }}", "FalseTrueFalseTrueFalse"},
	{"{{ nope | default('x') }}{{ e | default('x') }}{{ e | default('x', true) }}{{ n | default('x') }}{{ n | "
	 "default('x', true) }}",
	 "xxx"},
	{"{{ '%-8s|%03d|%.2f' | format('a', 7, 1.005) }}", "a       |007|1.00"},
	{"{{ d | to_json }}", "{\"b\": 2, \"a\": 1, \"c\": {\"x\": [1]}}"},
	{"{{ uni | to_json }}", "\"na\\u00efve\""},
	{"{{ ls | sort | join }}{{ ls | sort(case_sensitive=true) | join }}{{ ls | unique | join }}", "AabAabbA"},
	{"{{ users | sort(attribute='age') | map(attribute='name') | join(',') }}", "Al,bob,cy"},
	{"{{ users | selectattr('age', 'eq', 30) | map(attribute='o.k') | join }}{{ users | rejectattr('age', 'gt', 5) "
	 "| list | length }}",
	 "101"},
	{"{{ part | map(attribute='pw', default='-') | join }}{{ ['a', 'b'] | map('extract', d) | join }}", "1-12"},
	{"{{ {'b': 1, 'A': 2} | dictsort | map('first') | join }}{{ users | groupby('age') | map('first') | join(' ') "
	 "}}",
	 "Ab4 30"},
	{"{{ 'a b' | quote }} {{ '' | quote }} {{ \"it's\" | quote }} {{ 'ok' | quote }}", "'a b' '' 'it'\"'\"'s' ok"},
	{"{{ 'user' | ident }} {{ 'tbl' | ident }} {{ 'A\"b' | ident }} {{ \"o'k\" | literal }} {{ 'a\\\\b' | literal "
	 "}} {{ none | literal }} {{ 5 | literal }}",
	 "\"user\" tbl \"A\"\"b\" 'o''k' E'a\\\\b' NULL 5"},
	{"{{ 'abc' | regex_search('z') is none }}{{ s | regex_search('w.') }}{{ s | regex_search('(w)(o)', '\\\\1', "
	 "'\\\\2') | join('-') }}",
	 "Truewow-o"},
	{"{{ s | regex_replace('(o)', '<\\\\1>') }} {{ 'a.b' | regex_escape }} {{ 'a1b2' | regex_findall('[0-9]') | "
	 "join }}",
	 "hell<o> w<o>rld a\\.b 12"},
	{"{{ '%Y-%m-%d' | strftime(86400) }} {{ 'junk' | int }} {{ '7.9' | int }} {{ 'ff' | int(base=16) }} {{ 2.5 | "
	 "round }} {{ 3 | round }} {{ 1.25 | round(1) }}",
	 "1970-01-02 0 7 255 2.0 3 1.2"},
	{"{{ 0.5 | round }} {{ 1.5 | round }} {{ -0.4 | round }} {{ 2.675 | round(2) }} {{ 1.005 | round(2) }} {{ 0.125 | round(2) }} "
	 "{{ 3.14159 | round(3) }} {{ 123456.785 | round(2) }}",
	 "0.0 2.0 -0.0 2.67 1.0 0.12 3.142 123456.79"},
	{"{{ 'x' | hash('md5') }} {{ 'pw' | password_hash('sha512', 'abcdefgh', rounds=5000) }}",
	 "9dd4e461268c8034f5c8564e155c67a6 "
	 "$6$abcdefgh$KQeXafAQAaOoKTevphVU215RvJdgzyfASRasIOuh12hO8u0r1bGW92ZnTmC9IjsiQ8VPiTXBiZF49dFL1U4wX/"},
	{"{{ 'pw' | password_hash('sha256', 'abcdefgh', rounds=5000) }}",
	 "$5$abcdefgh$ijtOJ//yvc/9bq1g0llFn9dB688BwBDRD90DlKKSKE1"},
	{"{{ {'a': {'x': 1}} | combine({'a': {'y': 2}}, recursive=true) | to_json }}", "{\"a\": {\"x\": 1, \"y\": 2}}"},
	{"{{ [[1, [2]], 3] | flatten | join }}{{ [1, 2] | zip(['a', 'b']) | map('join') | join(',') }}{{ [3, 1] | "
	 "union([1, 4]) | join }}",
	 "1231a,2b314"},
	{"{{ 'aGk=' | b64decode }}{{ 'hi' | b64encode }}{{ '/a/b.c' | basename }}{{ '/a/b.c' | dirname }}{{ ('b.c' | "
	 "splitext)[1] }}",
	 "hiaGk=b.c/a.c"},
	{"{{ users | json_query('[?age > `5`].name') | join(',') }}", "bob,cy"},
	{"{{ [1, 10, 9] | max }}{{ ['1', '10', '9'] | max }}{{ [] | sum }}{{ [0.5, 1] | sum }}", "10901.5"},
	/* methods */
	{"{{ 'a,b'.split(',') | join('+') }}{{ ' x '.strip() }}{{ 'k=v'.partition('=')[2] }}{{ '7'.zfill(3) }}{{ "
	 "'{:>4}{x}'.format(1, x=2) }}",
	 "a+bxv007   12"},
	{"{{ s.startswith('hell') }}{{ s.find('o') }}{{ s.count('l') }}{{ '12'.isdigit() }}{{ 'abc'.upper() }}",
	 "True43TrueABC"},
	/* statements */
	{"{% for x in l %}{{ loop.index }}{{ x }}{{ ',' if not loop.last }}{% endfor %}", "13,21,32"},
	{"{% for x in [] %}x{% else %}none{% endfor %}{% for x in l if x > 1 %}{{ x }}{{ loop.length }}{% endfor %}",
	 "none3222"},
	{"{% for k, v in d.items() %}{{ k }}{{ v | type_debug }} {% endfor %}", "bint aint cdict "},
	{"{% for x in [1, [2, [3]]] recursive %}{{ x if x is number else loop(x) }}{% endfor %}", "123"},
	{"{% for x in m %}{{ loop.changed(x) }}{{ loop.cycle('a', 'b') }}{{ loop.previtem | default('-') }} {% endfor "
	 "%}",
	 "Truea- Trueb1 Falsea2 "},
	{"{% set x = 1 %}{% for i in l %}{% set x = 2 %}{% endfor %}{{ x }}{% if t %}{% set x = 3 %}{% endif %}{{ x }}",
	 "13"},
	{"{% set ns = namespace(a=0) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}", "6"},
	{"{% set x = [] %}{% set y = x %}{% set _ = y.append(1) %}{% set _ = x.extend([2]) %}{{ x | join }}", "12"},
	{"{% set x = {'a': {}} %}{% set _ = x.a.update({'k': 1}) %}{% do x.update(b=2) %}{{ x | to_json }}",
	 "{\"a\": {\"k\": 1}, \"b\": 2}"},
	{"{% set _ = l.append(9) %}{{ l | join }}", "3129"},
	{"{% set x %}a{{ i }}{% endset %}[{{ x }}]{% set y | upper %}b{% endset %}{{ y }}", "[a7]B"},
	{"{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, c=5) }} {{ f(b=0, a=9) }}",
	 "121 125 909"},
	{"{% macro f() %}<{{ caller('x') }}>{% endmacro %}{% call(a) f() %}{{ a }}!{% endcall %}", "<x!>"},
	{"{% macro f() %}{{ varargs | join }}{{ kwargs.k }}{% endmacro %}{{ f(1, 2, k=3) }}", "123"},
	{"{% filter upper %}a{{ s }}{% endfilter %}{% with x = 1, y = 2 %}{{ x }}{{ y }}{% endwith %}",
	 "AHELLO WORLD12"},
	{"{% set a, b = 1, 2 %}{{ b }}{{ a }}{% set (c, d2) = [3, 4] %}{{ d2 }}", "214"},
	{"{% set c = cycler('a', 'b') %}{{ c() }}{{ c() }}{{ c() }}{% set j = joiner('|') %}{{ j() }}x{{ j() }}y",
	 "abax|y"},
	/* other templates */
	{"{% extends 'mid' %}\n{% block b %}mine{% endblock %}", "top\nmid(base a)|mineend"},
	{"{% extends 'base' %}{% set x = 4 %}{% block a %}{{ x }}{{ super() }}{% endblock %}",
	 "top\n4base a|base bend"},
	{"{% set x = 5 %}{% include 'inc' %}{% include 'gone' ignore missing %}{% include ['gone', 'inc'] %}",
	 "<5><5>"},
	{"{% import 'lib' as lib %}{{ lib.hi('bob') }} {{ lib.k }}{% from 'lib' import hi as h %} {{ h('x', g='yo') }}",
	 "hi bob 5 yo x"},
};

static const struct { const char *src, *part, *where; } bad[] = {
	{ "a\n  {{ pg_prot }}", "\"pg_prot\" is undefined", "t.j2:2:6" },
	{ "{{ d.q }}", "\"d\" has no such member", "t.j2:1:5" },
	{ "{% if d.q == 1 %}{% endif %}", "\"q\" is undefined", NULL },
	{ "{{ none['cluster is wrong'] }}", "cluster is wrong", NULL },
	{ "{{ l }}", "to_json", NULL },
	{ "{{ d }}", "to_json", NULL },
	{ "{{ lookup('file', '/etc/passwd') }}", "\"lookup\" is not there", NULL },
	{ "{{ 1 + 'a' }}", "\"+\" does not take int and str", "t.j2:1:6" },
	{ "{{ 9223372036854775807 + 1 }}", "integer overflow", NULL },
	{ "{{ 99999999999999999999 }}", "larger than 64 bits", NULL },
	{ "{{ 1 / 0 }}", "division by zero", NULL },
	{ "{{ x | nofilter }}", "there is no filter \"nofilter\"", "t.j2:1:8" },
	{ "{{ x is notest }}", "there is no test \"notest\"", NULL },
	{ "{% nothing %}", "there is no statement \"nothing\"", "t.j2:1:4" },
	{ "{% if t %}", "\"{% endif %}\" is missing", NULL },
	{ "{% endif %}", "no statement that it belongs to", NULL },
	{ "{{ (1 }}", "closing bracket", NULL },
	{ "{{ 'a }}", "closing quote", "t.j2:1:4" },
	{ "{{ a b }}", "expected \"}}\"", "t.j2:1:6" },
	{ "{{ && }}", "the word is \"and\"", NULL },
	{ "{# x", "\"#}\" is missing", NULL },
	{ "{% raw %}", "{% endraw %}", NULL },
	{ "{{ x", "\"}}\" is missing", NULL },
	{ "{{ s | join(1, 2, 3) }}", "at most 2 arguments", NULL },
	{ "{{ s | replace('a') }}", "argument \"new\" is missing", NULL },
	{ "{{ s | trim(foo=1) }}", "no argument \"foo\"", NULL },
	{ "{{ s.nope() }}", "str has no method \"nope\"", NULL },
	{ "{{ s() }}", "str cannot be called", NULL },
	{ "{% macro f(a) %}{{ a }}{% endmacro %}{{ f() }}", "parameter \"a\" of macro \"f\" was not given", NULL },
	{ "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "takes 1 arguments", NULL },
	{ "{% macro f(a) %}{% endmacro %}{{ f(q=2) }}", "no parameter \"q\"", NULL },
	{ "{% for a, b in [[1]] %}{% endfor %}", "2 names for 1 items", NULL },
	{ "{% for x in 5 %}{% endfor %}", "int is not a list", NULL },
	{ "{% set d.x = 1 %}", "only a member of a namespace()", NULL },
	{ "{% set x = [] %}{% set _ = x.append(x) %}", "cannot hold itself", NULL },
	{ "{{ [1, 'a'] | sort }}", "cannot sort", NULL },
	{ "{{ s | regex_search('(') }}", "regex \"(\" is wrong", NULL },
	{ "{{ ('a' * 40 ~ 'b') | regex_search('(a+)+$') }}", "takes too long", NULL },
	{ "{{ broken }}", "\"broken\": its own template is wrong", NULL },
	{ "{% include 'gone' %}", "template \"gone\": it does not exist", NULL },
	{ "{% include 'bad' %}", "\"nope\" is undefined", "bad:2:4" },
	{ "{% include 'loopy' %}", "include each other", NULL },
	{ "{{ x if }}", "expected an expression", NULL },
	{ "{{ [nope] | to_json }}", "\"nope\" is undefined", NULL },
	{ "{{ '%d' % 'a' }}", "wants a number", NULL },
	{ "{{ '{' | from_json }}", "filter \"from_json\"", NULL },
};

static void tables(void)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct arena *a = arena_new();
		struct result r = render(a, good[i].src);

		if (!CHECK_STR(r.out, good[i].want))
			fprintf(stderr, "  of   %s\n", good[i].src);
		CHECK(!r.secret);
		arena_free(a);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena *a = arena_new();
		struct result r = render(a, bad[i].src);

		CHECK(!r.good);
		CHECK_INT(r.e.code, E_INPUT);
		if (!CHECK_HAS(r.e.msg, bad[i].part))
			fprintf(stderr, "  of   %s\n", bad[i].src);
		CHECK(r.e.where[0]);
		if (bad[i].where)
			CHECK_STR(r.e.where, bad[i].where);
		arena_free(a);
	}
}

/* Whatever is made of a secret is one; what merely stands beside it is not. */
static void secrets(void)
{
	static const char *const are[] = {"{{ pw }}",
					  "{{ pw | upper }}", "{{ 'a' ~ pw }}", "{{ 'a' + pw }}", "{{ pw[0] }}",
					  "{{ pw[1:] }}", "{{ pw | b64encode }}", "{{ pw | hash }}",
					  "{{ [pw] | join }}", "{{ {'a': [pw]} | to_json }}",
					  "{{ '%s' | format(pw) }}", "{{ '%s' % pw }}", "{{ '{}'.format(pw) }}",
					  "{{ 'x' | replace('x', pw) }}", "{{ pw.upper() }}",
					  "{{ pw.split('d') | first }}", "{% set x = pw %}{{ x }}",
					  "{% set x %}{{ pw }}{% endset %}{{ x }}",
					  "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(pw) }}",
					  "{% if pw == 'a' %}x{% endif %}", "{% for c in pw %}{{ c }}{% endfor %}",
					  "{{ 'x' if pw else 'y' }}", "{{ {'k': pw}.k }}",
					  "{{ [pw] | map('upper') | join }}", "{{ [pw, 'b'] | max }}",
					  "{% filter upper %}{{ pw }}{% endfilter %}",
					  "{{ pw | regex_replace('h', 'x') }}",
					  "{{ [{'p': pw}] | map(attribute='p') | first }}",
					  "{{ [{'p': pw}] | json_query('[0].p') }}",
					  "{{ ('{\"a\": \"' ~ pw ~ '\"}') | from_json | to_json }}",
					  "{{ pw | password_hash('sha512', 'ab', rounds=1000) }}",
					  "{{ pw | default('x') }}", "{{ [[pw]] | flatten | join }}",
					  "{{ (nope | default(pw)) }}"};
	static const char *const are_not[] = {"{{ [{'p': pw, 'n': 1}][0].n }}",
					      "{{ pw is defined }}", "{% set x = pw %}", "{{ [pw, 'b'] | length }}",
					      "{% for x in [{'p': pw, 'n': 1}] %}{{ x.n }}{% endfor %}",
					      "{{ [{'p': pw, 'n': 1}] | map(attribute='n') | join }}",
					      "{{ [{'p': pw, 'n': 1}] | json_query('[0].n') }}",
					      "{{ 'name' | default(pw) }}",
					      "{% if pw is defined %}x{% endif %}"};

	for (size_t i = 0; i < sizeof are / sizeof *are; i++) {
		struct arena *a = arena_new();
		struct result r = render(a, are[i]);

		if (!CHECK(r.good && r.secret))
			fprintf(stderr, "  %s: %s\n", are[i], r.out);
		arena_free(a);
	}
	for (size_t i = 0; i < sizeof are_not / sizeof *are_not; i++) {
		struct arena *a = arena_new();
		struct result r = render(a, are_not[i]);

		if (!CHECK(r.good && !r.secret))
			fprintf(stderr, "  %s: %s\n", are_not[i], r.out);
		arena_free(a);
	}
}

static const char *times(struct arena *a, const char *s, unsigned n)
{
	struct buf b = BUF(a);

	while (n--)
		buf_str(&b, s);
	return b.p;
}

static void limits(void)
{
	struct arena *a = arena_new();

	CHECK_HAS(render(a, "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}").e.msg, "larger than 16 MiB");
	CHECK_HAS(render(a, "{% set b = range(100000) %}{% for i in b %}{% for j in b %}{% endfor %}{% endfor %}").e.msg, "steps");
	CHECK_HAS(render(a, "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").e.msg, "more than 100 deep");
	CHECK_HAS(render(a, "{{ 'x' * 100000000 }}").e.msg, "too large");
	CHECK_HAS(render(a, "{{ '%99999999d' | format(1) }}").e.msg, "too large");
	CHECK_HAS(render(a, "{{ range(10000000) | length }}").e.msg, "million");
	CHECK_HAS(render(a, "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% "
			    "endfor %}{{ ns.x | to_json }}")
			  .e.msg,
		  "too");
	CHECK_HAS(render(a, arena_fmt(a, "{{ %s1%s }}", times(a, "(", 150), times(a, ")", 150))).e.msg, "too deep");
	CHECK_HAS(render(a, arena_fmt(a, "{{ 1%s }}", times(a, "+1", 5000))).e.msg, "too deep");
	CHECK_HAS(render(a, arena_fmt(a, "{{ %s1 }}", times(a, "not ", 5000))).e.msg, "too deep");
	CHECK_HAS(render(a, arena_fmt(a, "{{ %s1 }}", times(a, "-", 5000))).e.msg, "too deep");
	CHECK_HAS(render(a, arena_fmt(a, "{{ s%s }}", times(a, "|trim", 5000))).e.msg, "too deep");
	CHECK_HAS(render(a, times(a, "{% if t %}", 500)).e.msg, "too deep");
	CHECK_HAS(render(a, "{{ 'a' | replace('', 'b' * 16000000) | replace('', 'b' * 10000000) }}").e.msg, "16 MiB");
	arena_free(a);
}

static void texts(void)
{
	struct arena *a = arena_new();
	struct source source = { vars_new(a) };
	const struct scope scope = { .get = get, .load = load, .ctx = &source };
	struct value *v, *str;
	struct err e = { 0 };

	str = value_str(a, "{{ l }}");
	CHECK(text_eval(&v, a, str, &scope, &e) && v->type == V_LIST);
	str = value_str(a, "{{ i + 1 }}");
	CHECK(text_eval(&v, a, str, &scope, &e) && v->type == V_INT && v->u.i == 8);
	str = value_str(a, "n={{ i }}");
	CHECK(text_eval(&v, a, str, &scope, &e));
	CHECK_STR(value_cstr(v, NULL), "n=7");
	str = value_str(a, "a {b} c");
	CHECK(text_eval(&v, a, str, &scope, &e) && v == str);
	str = value_str(a, "{{ nope }}");
	str->flags |= V_LITERAL;
	CHECK(text_eval(&v, a, str, &scope, &e) && v == str);
	str = value_int(a, 3);
	CHECK(text_eval(&v, a, str, &scope, &e) && v == str);
	str = value_str(a, "x: {{ pw }}");
	CHECK(text_eval(&v, a, str, &scope, &e) && value_is_secret(v));
	str = value_str(a, "a {{ nope }}");
	str->at = (struct origin){ "inv.yml", 12, 9 };
	CHECK(!text_eval(&v, a, str, &scope, &e));
	CHECK_STR(e.where, "inv.yml:12:14");
	CHECK(text_is_template("{{", 2) && text_is_template("a{% if %}", 9) && !text_is_template("{", 1) &&
	      !text_is_template("${x}", 4));
	arena_free(a);
}

/* The inventory stays as it was, whatever a template does to what it was given. */
static void ownership(void)
{
	struct arena *a = arena_new();
	struct source source = { vars_new(a) };
	const struct scope scope = { .get = get, .load = load, .ctx = &source };
	const char *src = "{% set _ = l.append(1) %}{% set _ = users[0].update(x=1) %}{% set _ = d.c.x.append(2) %}{{ "
			  "l | length }}";
	struct buf b = BUF(a);
	struct tmpl *t;
	struct err e = { 0 };

	CHECK(tmpl_parse(&t, a, "t", src, strlen(src), (struct origin){0}, &e) &&
	      tmpl_render(t, a, &scope, &b, NULL, &e));
	CHECK_STR(buf_text(&b), "4");
	CHECK_INT(value_len(value_get(source.vars, "l")), 3);
	CHECK(!value_path(source.vars, "users.0.x"));
	CHECK_INT(value_len(value_path(source.vars, "d.c.x")), 1);
	arena_free(a);
}

static void names(void)
{
	static const struct { const char *src, *want; } rows[] = {
		{ "{{ a }}{{ b.c[d] | default(e) }}", "a b d e" },
		{ "{% set a = b %}{{ a }}", "b" },
		{ "{% for x in xs %}{{ x }}{{ loop.index }}{% else %}{{ y }}{% endfor %}{{ x }}", "xs y x" },
		{ "{% macro f(p, q=r) %}{{ p }}{{ q }}{{ s }}{% endmacro %}{{ f(range(1)) }}", "r s" },
		{ "{% if a %}{% set v = 1 %}{% else %}{{ b }}{% endif %}{{ v }}", "a b" },
		{ "{% set v = v | default(1) %}{% with w = u %}{{ w }}{% endwith %}", "v u" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *a = arena_new();
		struct value *list = value_list(a);
		struct buf b = BUF(a);
		struct err e = { 0 };
		struct tmpl *t;

		if (CHECK(tmpl_parse(&t, a, "t", rows[i].src, strlen(rows[i].src), (struct origin){ 0 }, &e)))
			tmpl_names(t, a, list);
		for (size_t n = 0; n < value_len(list); n++)
			buf_fmt(&b, "%s%s", n ? " " : "", value_cstr(value_at(list, n), ""));
		CHECK_STR(buf_text(&b), rows[i].want);
		arena_free(a);
	}
}

/* Every row stands in the manual, with its sentence. */
static void docs(void)
{
	const struct { const struct text_doc *rows; size_t n; } all[] = {
		{ text_filters, text_filters_n }, { text_tests, text_tests_n }, { text_methods, text_methods_n },
	};
	struct arena *a = arena_new();
	struct buf manual = BUF(a);
	struct err e = { 0 };

	CHECK(os_read(&manual, arena_fmt(a, "%s/../docs/templates.md", TEST_DIR), 0, &e));
	for (size_t t = 0; t < 3; t++) {
		CHECK(all[t].n > 40);
		for (size_t i = 0; i < all[t].n; i++) {
			CHECK_HAS(buf_text(&manual), arena_fmt(a, "| `%s`", all[t].rows[i].name));
			if (!strchr(all[t].rows[i].text, '|'))
				CHECK_HAS(buf_text(&manual), arena_fmt(a, " %s |", all[t].rows[i].text));
			if (i) /* they are found by bisection */
				CHECK(strcmp(all[t].rows[i - 1].name, all[t].rows[i].name) < 0);
		}
	}
	arena_free(a);
}

int main(void)
{
	tables();
	secrets();
	limits();
	texts();
	ownership();
	names();
	docs();
	return check_done();
}
