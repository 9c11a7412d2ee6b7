/* Inventories with mistakes: each message, its place, and the suggestion that goes with it. */
#include "check.h"

#include <stdlib.h>

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

static void refused(const char *path, const char *msg, const char *where, const char *hint)
{
	struct inventory *inv = NULL;
	struct inventory_options o = { .sources = &path, .n_sources = 1 };

	memset(&e, 0, sizeof e);
	CHECK(!inventory_load(&inv, a, &o, &e));
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(e.msg, msg);
	if (where)
		CHECK_HAS(e.where, where);
	if (hint)
		CHECK_HAS(e.hint, hint);
}

static void yaml(const char *text, const char *msg, const char *where, const char *hint)
{
	refused(put("inv.yml", text), msg, where ? arena_fmt(a, "inv.yml:%s", where) : NULL, hint);
}

static void ini(const char *text, const char *msg, const char *where, const char *hint)
{
	refused(put("inv.ini", text), msg, where ? arena_fmt(a, "inv.ini:%s", where) : NULL, hint);
}

static void test_yaml(void)
{
	yaml("all:\n  host:\n    h1:\n", "unknown key \"host\" in group \"all\"", "2:3", "Did you mean \"hosts\"?");
	yaml("all:\n  10.10.10.10: {a: 1}\n", "unknown key \"10.10.10.10\"", "2:3", "put hosts under");
	yaml("all:\n  hosts: [a, b]\n", "\"hosts\" of group \"all\" must be a map, not a list", "2:10", "colon");
	yaml("all:\n  vars: [a]\n", "\"vars\" of group \"all\" must be a map", "2:9", NULL);
	yaml("all:\n  vars: text\n", "\"vars\" of group \"all\" must be a map", "2:9", NULL);
	yaml("all:\n  hosts: {h1: text}\n", "host \"h1\" must hold a map", "2:15", NULL);
	yaml("version: 3\n", "group \"version\" must be a map", "1:10", NULL);
	yaml("all:\n  children:\n    a:\n      children:\n        b:\n          children:\n            a:\n",
	     "group \"a\" is a child of itself: a < b < a", "", NULL);
	yaml("a:\n  children:\n    a:\n", "group \"a\" is a child of itself: a < a", "3:5", NULL);
	yaml("a:\n  children:\n    all:\n", "is a child of itself", NULL, NULL);
	yaml("all:\n  vars: {ansible_group_priority: high}\n", "must be an integer", "2:34", NULL);
	yaml("all:\n  hosts:\n    n[3:1]:\n", "ends before it begins", "3:5", NULL);
	yaml("all:\n  hosts:\n    n[01:1]:\n", "as many digits", "3:5", NULL);
	yaml("all:\n  hosts:\n    '':\n", "empty name", "3:5", NULL);
	yaml("'':\n  hosts: {a: }\n", "empty name", "1:1", NULL);
	yaml("all: {hosts: {a: 1, a: 2}}\n", "twice", "1:21", NULL);
	yaml("", "is empty", NULL, "at least one group");
	yaml("- a\n", "must be a map of groups", "1:1", NULL);
	yaml("plugin: aws_ec2\n", "inventory plugin \"aws_ec2\"", "1:9", "ansible-inventory");
	yaml("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "it is encrypted", NULL, NULL);
	yaml("all: [\n", "not valid YAML", "2:1", NULL);
	refused(put("inv.json", "{\"all\": {\"hosts\": ]}\n"), "not valid JSON", "inv.json:1:19", NULL);
}

static void test_ini(void)
{
	ini("[web:host]\n", "section kind \"host\"", "1:6", "Did you mean \"hosts\"?");
	ini("[web:vars:x]\n", "not well formed", "1:1", NULL);
	ini("[]\n", "no name", "1:1", NULL);
	ini("[a b]\n", "not well formed", "1:1", "without spaces");
	ini("[web]\nh1 h2\n", "\"h2\" behind host \"h1\" is not name=value", "2:4", "One host a line");
	ini("[web]\nh1 a='x\n", "a quote is not closed", "2:4", NULL);
	ini("h1 a=x\\\n", "backslash", "1:4", NULL);
	ini("h1:\n", "a port is missing", "1:1", NULL);
	ini("---\n", "name it .yml", "1:1", NULL);
	ini("[web:vars]\nx=1\n", "section \"web:vars\" is for a group that is not declared", "1:2", "[web]");
	ini("[web]\nh1\n[all:children]\nwbe\n", "group \"wbe\" is named as a child and not declared", "4:1",
		"Did you mean \"web\"?");
	ini("[web]\n[web:vars]\nx\n", "name=value is expected", "3:1", NULL);
	ini("[web]\n[db]\n[db:children]\nweb x\n", "a group's name is expected", "4:1", NULL);
	ini("[a:children]\nb\n[b:children]\na\n", "is a child of itself", NULL, NULL);
	ini("n[1:9999999]\n", "more than 100000", "1:1", NULL);
	ini("n[1:2]x[a]\n", "must be [begin:end]", "1:1", NULL);
	struct buf many = BUF(a);
	for (int i = 0; i < 11; i++)
		buf_fmt(&many, "m%d[1:99999]\n", i);
	ini(buf_text(&many), "names more than 1000000 hosts", "11:1", NULL);
	refused("/no/such/file", "does not exist", NULL, "comma");
	refused(os_dirname(a, put("empty/README.md", "")), "holds no inventory", NULL, NULL);
}

static void test_files(void)
{
	put("v/inv.yml", "g: {hosts: {h: }}\n");
	const char *path = os_join(a, folder, "v/inv.yml");

	put("v/group_vars/g.yml", "[1]\n");
	refused(path, "must hold a map of values, not a list", "g.yml:1:1", NULL);
	put("v/group_vars/g.yml", "a: 1\na: 2\n");
	refused(path, "twice", "g.yml:2:1", NULL);
	put("v/group_vars/g.yml", "# nothing\n");
	put("v/host_vars/h", "text\n");
	refused(path, "must hold a map of values, not a string", "h:1:1", NULL);
}

int main(void)
{
	a = arena_new();
	CHECK(mkdtemp(folder) != NULL);
	test_yaml();
	test_ini();
	test_files();

	const char *const rm[] = { "rm", "-rf", folder, NULL };
	struct buf out = BUF(a);
	int status;
	CHECK(os_run(&(struct os_cmd){ .argv = rm }, &out, &out, &status, &e));
	arena_free(a);
	return check_done();
}
