/* Inventories: each form that -i may name, precedence and provenance, the default, and -e. */
#include "check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "model/inventory.h"

static struct err e;
static struct arena *a;
static char folder[] = "/tmp/pig-inventory-XXXXXX";

static const char *put(const char *name, const char *text)
{
	const char *path = os_join(a, folder, name);
	struct err ignored = { 0 };

	CHECK(os_mkdirs(os_dirname(a, path), 0755, &ignored));
	CHECK(os_write(path, text, strlen(text), 0644, &ignored));
	return path;
}

static struct inventory *load2(const char *one, const char *two, const char *extra)
{
	const char *sources[] = { one, two };
	struct inventory_options o = { .sources = sources, .n_sources = two ? 2 : one ? 1 : 0, .extra = &extra,
		.n_extra = extra ? 1 : 0 };
	struct inventory *inv = NULL;

	memset(&e, 0, sizeof e);
	if (inventory_load(&inv, a, &o, &e))
		return inv;
	CHECK(e.code == E_INPUT);
	return NULL;
}

static struct inventory *load(const char *source)
{
	struct inventory *inv = load2(source, NULL, NULL);

	if (!inv)
		fprintf(stderr, "%s\n", err_text(&e, a));
	return inv;
}

/* What host sees as name, as JSON. */
static const char *var(const struct inventory *inv, const char *host, const char *name)
{
	struct inv_found found;
	struct buf b = BUF(a);

	if (!inventory_var(inv, inventory_host(inv, host), name, &found))
		return NULL;
	value_to_json(&b, found.val, NULL);
	return buf_text(&b);
}

static const char *names(struct inv_host **hosts, uint32_t n)
{
	struct buf b = BUF(a);

	for (uint32_t i = 0; i < n; i++)
		buf_fmt(&b, "%s%s", i ? " " : "", hosts[i]->name);
	return buf_text(&b);
}

static const char *group_hosts(const struct inventory *inv, const char *group)
{
	uint32_t n;
	struct inv_host **hosts = inventory_group_hosts(a, inventory_group(inv, group), &n);

	return names(hosts, n);
}

static const char pigsty[] =
	"all:\n"
	"  children:\n"
	"    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }\n"
	"    pg-test:\n"
	"      hosts:\n"
	"        10.10.10.11: { pg_seq: 1, pg_role: primary }\n"
	"        10.10.10.[12:13]: { pg_role: replica }\n"
	"        far:2222:\n"
	"      vars: { pg_cluster: pg-test, level: group }\n"
	"  vars:\n"
	"    version: v4.5.0\n"
	"    level: all\n";

static void test_yaml(void)
{
	struct inventory *inv = load(put("pigsty.yml", pigsty));
	struct inv_found *found;

	CHECK_INT(inv->n_hosts, 5);
	CHECK_STR(names(inv->hosts, inv->n_hosts), "10.10.10.10 10.10.10.11 10.10.10.12 10.10.10.13 far");
	CHECK_STR(inv->groups[0]->name, "all");
	CHECK_STR(inv->groups[1]->name, "ungrouped");
	CHECK_STR(group_hosts(inv, "pg-test"), "10.10.10.11 10.10.10.12 10.10.10.13 far");
	CHECK_STR(group_hosts(inv, "all"), "10.10.10.10 10.10.10.11 10.10.10.12 10.10.10.13 far");
	CHECK_STR(group_hosts(inv, "ungrouped"), "");
	CHECK_STR(var(inv, "10.10.10.12", "pg_role"), "\"replica\"");
	CHECK_STR(var(inv, "10.10.10.12", "level"), "\"group\"");
	CHECK_STR(var(inv, "10.10.10.10", "level"), "\"all\"");
	CHECK_STR(var(inv, "far", "ansible_port"), "2222");
	CHECK(!var(inv, "10.10.10.10", "pg_cluster"));
	CHECK(inventory_in_group(inventory_host(inv, "far"), "pg-test"));
	CHECK(inventory_in_group(inventory_host(inv, "far"), "all"));
	CHECK(!inventory_in_group(inventory_host(inv, "far"), "infra"));
	CHECK(!inventory_host(inv, "10.10.10.99"));
	CHECK_STR(inv->dir, folder);
	CHECK_INT(inventory_host(inv, "10.10.10.11")->at.line, 6);
	CHECK_INT(inventory_host(inv, "10.10.10.11")->at.col, 9);
	CHECK_INT(inventory_var_all(inv, a, inventory_host(inv, "far"), "level", &found), 2);
	CHECK_STR(found[0].owner, "pg-test");
	CHECK(found[0].level == INV_GROUP && found[1].level == INV_ALL);
	CHECK_INT(found[1].val->at.line, 12);
	CHECK_INT(value_len(inventory_vars(inv, a, inventory_host(inv, "10.10.10.11"))), 5);
	CHECK_STR(value_cstr(value_get(inventory_group(inv, "pg-test")->vars, "pg_cluster"), ""), "pg-test");

	inv = load(put("plain.yml", "all: { hosts: { h1: , h2: }, children: { g: { hosts: h2 } } }\nother:\n"));
	CHECK_STR(group_hosts(inv, "ungrouped"), "h1");
	CHECK_STR(group_hosts(inv, "g"), "h2");
	CHECK_INT(inventory_group(inv, "other")->depth, 1);
	inv = load(put("plain.json", "{\"all\": {\"hosts\": {\"h1\": {\"x\": 1e3}}}}"));
	CHECK_STR(var(inv, "h1", "x"), "1000.0");
}

static void test_ini(void)
{
	struct inventory *inv = load(put("hosts",
		"# comment\n; another\nlone  x='a b' # end\n\n[web]\n"
		"w[01:03:2].x n=0644 t=True u=true l=[1,'a'] f=1.5 d=\"{'k': 1}\"\n"
		"w4:2200\n[web:vars]\nport = 80\nwords=two words # kept\ntext='q'\n"
		"[db]\n[site:children]\nweb\nlater # c\n[later]\nz\n"));

	CHECK_STR(names(inv->hosts, inv->n_hosts), "lone w01.x w03.x w4 z");
	CHECK_STR(group_hosts(inv, "ungrouped"), "lone");
	CHECK_STR(group_hosts(inv, "site"), "w01.x w03.x w4 z");
	CHECK_STR(var(inv, "lone", "x"), "\"a b\"");
	CHECK_STR(var(inv, "w01.x", "n"), "\"0644\"");
	CHECK_STR(var(inv, "w01.x", "t"), "true");
	CHECK_STR(var(inv, "w01.x", "u"), "\"true\"");
	CHECK_STR(var(inv, "w03.x", "l"), "\"[1,a]\""); /* the shell's quotes are gone before the value is read */
	CHECK_STR(var(inv, "w03.x", "f"), "1.5");
	CHECK_STR(var(inv, "w03.x", "d"), "{\"k\": 1}");
	CHECK_STR(var(inv, "w4", "ansible_port"), "2200");
	CHECK_STR(var(inv, "w4", "port"), "80");
	CHECK_STR(var(inv, "w4", "words"), "\"two words # kept\"");
	CHECK_STR(var(inv, "w4", "text"), "\"q\"");
	CHECK_INT(inventory_group(inv, "web")->depth, 2);
	CHECK_INT(inventory_host(inv, "lone")->at.line, 3);

	/* a file without an ending is told apart by its first line */
	CHECK_STR(names(load(put("noext", "---\nall: {hosts: {y1: }}\n"))->hosts, 1), "y1");
	CHECK_STR(names(load(put("noext", "g:\n  hosts: {y2: }\n"))->hosts, 1), "y2");
	CHECK_STR(names(load(put("noext", "y3:22\n"))->hosts, 1), "y3");
	CHECK_INT(load("/dev/null")->n_hosts, 0);
}

static void test_literals(void)
{
	static const struct { const char *text, *json; } cases[] = {
		{ "1", "1" }, { "-1", "-1" }, { "+1", "1" }, { "--1", "\"--1\"" }, { "0x1f", "31" }, { "0o17", "15" },
		{ "0b11", "3" },
		{ "0644", "\"0644\"" }, { "00", "0" }, { "1_000", "1000" }, { "1__0", "\"1__0\"" }, { "_1", "\"_1\"" },
		{ "1.", "1.0" },
		{ ".5", "0.5" }, { "1e3", "1000.0" }, { "1e", "\"1e\"" }, { "1j", "\"1j\"" }, { "1.2.3", "\"1.2.3\"" },
		{ "True", "true" },
		{ "Trues", "\"Trues\"" }, { "None", "null" }, { "yes", "\"yes\"" }, { "'a'", "\"a\"" },
		{ "'a' \"b\"", "\"ab\"" },
		{ "'a\\n\\x41\\u00e9\\101\\q'", "\"a\\nA\xc3\xa9" "A\\\\q\"" }, { "r'a\\n'", "\"a\\\\n\"" },
		{ "'''a'b'''", "\"a'b\"" },
		{ "'a", "\"'a\"" }, { "[]", "[]" }, { "[1, 'a', [None]]", "[1, \"a\", [null]]" }, { "[1,]", "[1]" },
		{ "[1", "\"[1\"" },
		{ "(1, 2)", "[1, 2]" }, { "(1)", "1" }, { "()", "[]" }, { "1, 2", "[1, 2]" }, { "1,", "[1]" },
		{ "a, b", "\"a, b\"" },
		{ "{}", "{}" }, { "{'a': 1, 2: 'b'}", "{\"a\": 1, \"2\": \"b\"}" }, { "{1, 2}", "[1, 2]" },
		{ "{'a'}", "[\"a\"]" },
		{ "{'a': }", "\"{'a': }\"" }, { "{1, 'a': 2}", "\"{1, 'a': 2}\"" }, { "1 # c", "1" },
		{ "x # c", "\"x # c\"" }, { "", "\"\"" },
		{ "99999999999999999999", "99999999999999999999" }, { "-9223372036854775808", "-9223372036854775808" },
		{ "b'x'", "\"x\"" },
		{ "{{ x }}", "\"{{ x }}\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct inventory *inv = load(put("lit.ini", arena_fmt(a, "[g]\nh\n[g:vars]\nv=%s\n", cases[i].text)));
		CHECK_STR(var(inv, "h", "v"), cases[i].json);
	}
	struct buf deep = BUF(a);
	buf_str(&deep, "[g]\nh\n[g:vars]\nv=");
	for (int i = 0; i < 100000; i++)
		buf_ch(&deep, '[');
	CHECK(load(put("lit.ini", buf_text(&deep))) != NULL);
}

static void test_precedence(void)
{
	/* depth, then priority, then name; group_vars/ beats every group value of an inventory file, folder all
	 * below folder group */
	struct inventory *inv = load(put("p/inv.yml",
		"top: { vars: { v: top, w: top, f: top },\n"
		"       children: { low: { vars: { v: low }, hosts: { h: { x: host, y: host } } } } }\n"
		"aa: { vars: { w: aa, q: aa, p: aa }, hosts: { h: } }\n"
		"zz: { vars: { w: zz, q: zz, ansible_group_priority: 5 }, hosts: { h: } }\n"
		"mm: { vars: { q: mm, p: mm }, hosts: { h: } }\n"));
	CHECK_STR(var(inv, "h", "v"), "\"low\"");
	CHECK_STR(var(inv, "h", "w"), "\"zz\"");
	CHECK_STR(var(inv, "h", "q"), "\"zz\"");
	CHECK_STR(var(inv, "h", "p"), "\"mm\"");
	CHECK(!var(inv, "h", "ansible_group_priority"));
	CHECK_INT(inventory_group(inv, "zz")->priority, 5);
	struct inv_host *h = inventory_host(inv, "h");
	CHECK_STR(h->groups[0]->name, "all");
	CHECK_STR(h->groups[4]->name, "zz");
	CHECK_STR(h->groups[5]->name, "low");

	put("p/group_vars/all.yml", "f: folder-all\ng: folder-all\n");
	put("p/group_vars/aa", "g: folder-aa\n");
	put("p/group_vars/zz/b.yml", "g: zz-b\nk: zz-b\n");
	put("p/group_vars/zz/sub/c", "k: zz-c\n");
	put("p/group_vars/zz/.no.yml", "[");
	put("p/group_vars/zz/no.txt", "[");
	put("p/group_vars/mm.json", "{\"g\": \"mm\"}");
	put("p/host_vars/h.yaml", "y: folder-host\n");
	inv = load(os_join(a, folder, "p/inv.yml"));
	CHECK_STR(var(inv, "h", "f"), "\"folder-all\"");
	CHECK_STR(var(inv, "h", "g"), "\"zz-b\"");
	CHECK_STR(var(inv, "h", "k"), "\"zz-c\"");
	CHECK_STR(var(inv, "h", "x"), "\"host\"");
	CHECK_STR(var(inv, "h", "y"), "\"folder-host\"");
	CHECK_STR(value_cstr(value_get(inventory_group(inv, "zz")->vars, "k"), ""), "zz-c");

	/* a second source adds to the first and its folder counts last */
	put("s/group_vars/aa", "g: second-aa\n");
	inv = load2(os_join(a, folder, "p/inv.yml"), put("s/more", "[aa]\nnew\n[all:vars]\nsolo=1\n"),
		"x=extra 'n={\"a\": 1}' t=\"{{ a b }}\"");
	CHECK_STR(group_hosts(inv, "aa"), "h new");
	CHECK_STR(var(inv, "h", "g"), "\"second-aa\"");
	CHECK_STR(var(inv, "h", "x"), "\"extra\"");
	struct inv_found found;
	CHECK(inventory_var(inv, inventory_host(inv, "h"), "x", &found) && found.level == INV_EXTRA);
	CHECK(inventory_var(inv, NULL, "x", &found));
	CHECK(!inventory_var(inv, NULL, "y", &found));
	CHECK_INT(inv->n_sources, 2);
}

static const char *extra(const char *word)
{
	struct inventory *inv = load2("h,", NULL, word);
	struct buf b = BUF(a);

	if (!inv)
		return NULL;
	value_to_json(&b, inv->extra, NULL);
	return buf_text(&b);
}

static void test_extra(void)
{
	put("x.yml", "k: 5\nl: [a]\n");
	CHECK_STR(extra("a=1 b='x y' c=d=e"), "{\"a\": \"1\", \"b\": \"x y\", \"c\": \"d=e\"}");
	CHECK_STR(extra("a={{ x | f('y z') }} b=\"\""), "{\"a\": \"{{ x | f('y z') }}\", \"b\": \"\"}");
	CHECK_STR(extra("a=x\\ty\\x41"), "{\"a\": \"x\\tyA\"}");
	CHECK_STR(extra("{\"a\": 1, \"b\": [true]}"), "{\"a\": 1, \"b\": [true]}");
	CHECK_STR(extra("{a: yes, b: 0644}"), "{\"a\": true, \"b\": 420}");
	CHECK_STR(extra(arena_fmt(a, "@%s/x.yml", folder)), "{\"k\": 5, \"l\": [\"a\"]}");
	CHECK(!extra("word"));
	CHECK_HAS(e.msg, "has no =");
	CHECK(!extra("a=\"x"));
	CHECK(!extra("a={{ x"));
	CHECK_HAS(e.msg, "not closed");
	CHECK(!extra("./x.yml"));
	CHECK_HAS(e.hint, "@");
	CHECK(!extra("[1]"));
	CHECK(!extra("{a: 1"));
	CHECK(!extra("@/no/such"));
	struct inventory *inv = load2("h,", NULL, "n=0644");
	CHECK_STR(value_get(inv->extra, "n")->source, "0644");
	CHECK(value_is(value_get(inv->extra, "n"), V_STR));
}

static void test_sources(void)
{
	struct inventory *inv = load("h1, h2.x:22,10.0.0.[1:2],h1");

	CHECK_STR(names(inv->hosts, inv->n_hosts), "h1 h2.x 10.0.0.1 10.0.0.2");
	CHECK_STR(group_hosts(inv, "ungrouped"), "h1 h2.x 10.0.0.1 10.0.0.2");
	CHECK_STR(var(inv, "h2.x", "ansible_port"), "22");

	put("d/10.yml", "g: {hosts: {a: }}\n");
	put("d/20", "[g]\nb\n");
	put("d/sub/x.yml", "g: {hosts: {c: }}\n");
	put("d/skip.ini", "[broken\n");
	put("d/.hidden.yml", "[");
	put("d/group_vars/g.yml", "v: 1\n");
	inv = load(os_join(a, folder, "d"));
	CHECK_STR(group_hosts(inv, "g"), "a b c");
	CHECK_STR(var(inv, "c", "v"), "1");
	CHECK_STR(inv->dir, os_join(a, folder, "d"));

	const char *script = put("s.sh",
		"#!/bin/sh\necho '{\"g\": [\"a\"], \"h\": {\"hosts\": [\"b\"], \"vars\": {\"t\": \"{{ x }}\"}, "
				 "\"children\": [\"k\"]}, \"_meta\": {\"hostvars\": {\"a\": {\"v\": [1]}}}}'\n");
	chmod(script, 0755);
	inv = load(script);
	CHECK_STR(var(inv, "a", "v"), "[1]");
	struct inv_found found;
	CHECK(inventory_var(inv, inventory_host(inv, "b"), "t", &found) && found.val->flags & V_LITERAL);
	CHECK(inventory_group(inv, "k") != NULL);
	script = put("old.sh",
		"#!/bin/sh\nif [ $1 = --list ]; then echo '{\"g\": [\"a\", \"b\"]}'\n"
		"elif [ $2 = a ]; then echo '{\"v\": 7}'; fi\n");
	chmod(script, 0755);
	CHECK_STR(var(load(script), "a", "v"), "7");
	script = put("bad.sh", "#!/bin/sh\necho oops >&2; exit 3\n");
	chmod(script, 0755);
	CHECK(!load2(script, NULL, NULL));
	CHECK_HAS(e.msg, "status 3");
	CHECK_HAS(e.detail, "oops");
	/* an executable YAML file without #! is no script: shared folders make everything executable */
	chmod(put("pigsty.yml", pigsty), 0777);
	CHECK_INT(load(os_join(a, folder, "pigsty.yml"))->n_hosts, 5);
}

static void test_default(void)
{
	char before[4096];
	struct err none = { 0 };

	CHECK(getcwd(before, sizeof before) != NULL);
	put("w/x", "");
	put("w/inv/a.yml", "all: {hosts: {from-cfg: }}\n");
	put("home/pigsty.yml", "all: {hosts: {from-home: }}\n");
	CHECK(!chdir(os_join(a, folder, "w")));
	unsetenv("PIGSTY_HOME");
	CHECK(!inventory_default(a, &none));
	CHECK_INT(none.code, E_INPUT);
	CHECK_HAS(none.hint, "-i");
	setenv("PIGSTY_HOME", os_join(a, folder, "home"), 1);
	CHECK_STR(inventory_default(a, &none), os_join(a, folder, "home/pigsty.yml"));
	put("w/pigsty.yml", "all: {hosts: {from-folder: }}\n");
	CHECK_STR(inventory_default(a, &none), "pigsty.yml");
	CHECK_STR(load(NULL)->hosts[0]->name, "from-folder");
	put("w/ansible.cfg",
		"[other]\ninventory = no\n[defaults]\n"
		"#inventory=no\ninventory_x=no\ninventory = inv/a.yml ; comment\n");
	CHECK_STR(inventory_default(a, &none), "inv/a.yml");
	CHECK_STR(load(NULL)->hosts[0]->name, "from-cfg");
	put("w/ansible.cfg", "[defaults]\ninventory: inv/a.yml, pigsty.yml\n");
	CHECK_INT(load(NULL)->n_hosts, 2);
	CHECK(!chdir(before));
}

int main(void)
{
	a = arena_new();
	CHECK(mkdtemp(folder) != NULL);
	test_yaml();
	test_ini();
	test_literals();
	test_precedence();
	test_extra();
	test_sources();
	test_default();

	const char *const rm[] = { "rm", "-rf", folder, NULL };
	struct buf out = BUF(a);
	int status;
	CHECK(os_run(&(struct os_cmd){ .argv = rm }, &out, &out, &status, &e));
	arena_free(a);
	return check_done();
}
