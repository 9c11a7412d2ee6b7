/* pig check: what is found, where, how often, and how fast. */
#include "test_model.h"

static struct arena *a;

/* All faults as lines "line:col level id: text". */
static const char *check(const char *yaml, const char *const *extra, struct faults *out)
{
	struct world w = world_of(a, yaml, extra);
	struct buf b = BUF(a);

	*out = (struct faults){ 0 };
	check_all(out, &w, resolvers_new(&w), NULL, 0);
	for (uint32_t i = 0; i < out->n; i++) {
		const struct fault *f = &out->items[i];
		buf_fmt(&b, "%u:%u %s %s: %s\n", f->at.line, f->at.col, f->note ? "note" : f->warning ? "warning" : "error", f->id, f->text);
	}
	return buf_text(&b);
}

#define OWN "pg_password: Of-our-own" /* the default is everyone's */
#define GOOD "all: { vars: { pg_mem: 200, " OWN " }, children: { pg: { vars: { pg_cluster: c }, hosts: { n1: { pg_seq: 1, pg_role: primary } } } } }\n"

static void test_good(void)
{
	struct faults out;

	CHECK_STR(check(GOOD, NULL, &out), "");
	CHECK_INT(out.errors, 0);
	CHECK_STR(check("all: { hosts: { n1: } }\n", NULL, &out), ""); /* in no cluster: no password is used */
}

static void test_written(void)
{
	struct faults out;
	const char *all = check(
		"all:\n"
		"  vars:\n"
		"    pg_prot: 5432\n"              /* 3: close to pg_port */
		"    my_helper: 1\n"               /* 4: unknown, far */
		"    used: 1\n"                    /* 5: unknown, used in a template */
		"    pg_seq: 7\n"                  /* 6: identity for all */
		"    pg_home: /home\n"             /* 7: for -e alone */
		"    os_version: 12\n"             /* 8: a fact */
		"    ansible_anything: 1\n"
		"    pg_tls: true\n"               /* 10: inert */
		"    postgres_port: 99999\n"       /* 11: earlier name, wrong */
		"    pg_dsn: '{{ used }} {{ nothing }}'\n" /* 12: undefined */
		"    pg_vip: 'a {% if %}'\n"       /* 13: syntax */
		"    groups: x\n"                  /* 14: built in */
		"  children:\n"
		"    pg:\n"
		"      vars:\n"
		"        pg_cluster: c\n"
		"        admin_ip: 10.0.0.1\n"     /* 19: global, in a group */
		"        pg_users:\n"
		"          - { name: ok, pool_mod: x, future: 1 }\n" /* 21 */
		"          - { nam: x, pool_mode: statement }\n"     /* 22 */
		"          - plain\n"                                /* 23 */
		"          - { name: a b, extra_member: 1 }\n"       /* 24 */
		"        pg_settings: { a: 1, b: two }\n"            /* 25 */
		"        pg_mem: 200\n"
		"      hosts:\n"
		"        n1: { pg_role: primary }\n"
		"        n2: { pg_role: replca }\n", NULL, &out);

	CHECK_HAS(all, "3:5 error unknown-parameter: unknown parameter \"pg_prot\"\n");
	CHECK_HAS(all, "4:5 warning unknown-parameter: unknown parameter \"my_helper\"\n");
	CHECK(!strstr(all, "\"used\""));
	CHECK_HAS(all, "6:5 error level: parameter \"pg_seq\" tells hosts apart");
	CHECK_HAS(all, "7:5 error level: parameter \"pg_home\" is for the command line alone");
	CHECK_HAS(all, "8:5 warning fact: \"os_version\" is a fact of the host");
	CHECK(!strstr(all, "ansible_anything"));
	CHECK_HAS(all, "10:5 note inert: parameter \"pg_tls\"");
	CHECK_HAS(all, "11:5 note was: parameter \"postgres_port\" is now called \"pg_port\"");
	CHECK_HAS(all, "11:20 error form: parameter \"postgres_port\" must be a port from 1 to 65535, not \"99999\"");
	CHECK_HAS(all, "12:");
	CHECK_HAS(all, "error value: ");
	CHECK_HAS(all, "error template: ");
	CHECK_HAS(all, "14:5 warning fact: \"groups\"");
	CHECK_HAS(all, "19:9 warning level: parameter \"admin_ip\" is global, and here it is set for group \"pg\" alone");
	CHECK_HAS(all, "21:25 error unknown-key: parameter \"pg_users[0]\" has no member \"pool_mod\"");
	CHECK_HAS(all, "21:38 note inert: member \"future\"");
	CHECK_HAS(all, "22:15 error unknown-key: parameter \"pg_users[1]\" has no member \"nam\"");
	CHECK_HAS(all, "22:34 error form: parameter \"pg_users[1].pool_mode\" must be one of transaction, session, not \"statement\"");
	CHECK_HAS(all, "22:13 error missing: parameter \"pg_users[1]\" lacks its member \"name\"");
	CHECK_HAS(all, "23:13 error type: parameter \"pg_users[2]\" takes a map, not \"plain\"");
	CHECK_HAS(all, "24:21 error form: parameter \"pg_users[3].name\" must be a name");
	CHECK_HAS(all, "24:26 warning unknown-key: parameter \"pg_users[3]\" has no member \"extra_member\"");
	CHECK_HAS(all, "25:33 error type: parameter \"pg_settings.b\" takes a whole number, not \"two\"");
	CHECK_HAS(all, "29:24 error form: parameter \"pg_role\" must be one of primary, replica, offline, not \"replca\"");
	/* one pass, sorted, each once */
	for (uint32_t i = 1; i < out.n; i++)
		CHECK(out.items[i - 1].at.line <= out.items[i].at.line || !out.items[i].at.file);
	const char *hint = NULL;
	for (uint32_t i = 0; i < out.n; i++)
		if (out.items[i].at.line == 29)
			hint = out.items[i].hint;
	CHECK_STR(hint, "Did you mean \"replica\"?");
}

static void test_missing(void)
{
	struct faults out;
	const char *const extra[] = { "pg_home=/x pg_prot=1", NULL };
	const char *all = check(
		"all:\n"
		"  vars: { pg_mem: 200, " OWN " }\n"
		"  hosts: { n0: }\n"
		"  children:\n"
		"    pg: { vars: { pg_cluster: c }, hosts: { n1: { pg_role: primary }, n2: { pg_seq: 2 } } }\n", NULL, &out);
	CHECK_STR(all, "5:45 error missing: host \"n1\" of pg_cluster \"c\" has no \"pg_seq\"\n");
	/* names of a module that is not loaded: one warning each */
	all = check("all: { hosts: { n1: { kafka_seq: 1 }, n2: { kafka_seq: 2 }, n3: { kafka_seq: 3 } } }\n", NULL, &out);
	CHECK_STR(all, "1:23 warning unknown-parameter: unknown parameter \"kafka_seq\", here and in 2 other places\n");
	/* PIG_ARG by -e is right; a mistyped -e is found */
	all = check(GOOD, extra, &out);
	CHECK_HAS(all, "error unknown-parameter: unknown parameter \"pg_prot\"");
	CHECK(!strstr(all, "pg_home"));
}

static void test_rules(void)
{
	struct faults out;
	const char *all = check(
		"all:\n"
		"  vars: { pg_mem: 50, pg_port: 6432, pg_password: '/x' }\n"
		"  children:\n"
		"    a: { vars: { pg_cluster: a }, hosts: { n1: { pg_seq: 1 }, n2: { pg_seq: 2 } } }\n"
		"    b: { vars: { pg_cluster: b }, hosts: { n3: { pg_seq: 1, pg_role: primary } } }\n", NULL, &out);
	/* shared values: one fault for three hosts */
	CHECK_HAS(all, "2:19 error pg_memory: too little memory\n");
	CHECK(!strstr(strstr(all, "pg_memory") + 1, "pg_memory"));
	CHECK_HAS(all, "4:30 error pg_one_primary: a cluster needs one primary\n");
	CHECK(!strstr(strstr(all, "pg_one_primary") + 1, "pg_one_primary"));
	CHECK_HAS(all, "warning secret: a secret in \"pg_password\" is shorter than 8 characters");
	/* a fault that was told is not told again by the rules that run into it */
	all = check("all:\n  vars: { pg_mem: lots, " OWN " }\n  hosts: { n1: { pg_cluster: c, pg_seq: 1, pg_role: primary } }\n", NULL, &out);
	CHECK_STR(all, "2:19 error type: parameter \"pg_mem\" takes a whole number, not \"lots\"\n");
	/* what hangs on facts waits */
	all = check("all: { vars: { " OWN " }, hosts: { n1: { pg_cluster: c, pg_seq: 1, pg_role: primary, pg_mem: '{{ node_mem_mb }}' } } }\n", NULL, &out);
	CHECK_STR(all, "");
}

static void test_connected(void)
{
	struct world w = world_of(a, "all: { hosts: { n1: { pg_cluster: c, pg_seq: 1, pg_role: primary }, n2: } }\n", NULL);
	struct resolvers *rs = resolvers_new(&w);
	struct resolver *r = resolvers_of(rs, inventory_host(w.inv, "n1"));
	struct value *facts = value_map(a);
	struct err e = { 0 };

	CHECK(!check_connected(r, &e)); /* no facts: not even the parameters */
	CHECK_INT(e.code, E_UNKNOWN);
	value_put(a, facts, "node_mem_mb", value_int(a, 200));
	resolver_facts(r, facts);
	CHECK(!check_connected(r, &e));
	CHECK_INT(e.code, E_INPUT);
	CHECK_STR(e.msg, "too little memory");
	value_put(a, facts, "node_mem_mb", value_int(a, 2000));
	resolver_facts(r, facts);
	memset(&e, 0, sizeof e);
	if (!CHECK(check_connected(r, &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	/* a host that is none of the module's business */
	r = resolvers_of(rs, inventory_host(w.inv, "n2"));
	CHECK(check_connected(r, &e));
}

/* ---- rules in C ---- */
static void c_rule(pig_check *k)
{
	const pig_value *users = k->api->get(k, k->hostname, "pg_users");

	for (size_t i = 0; i < k->val->len(users); i++) {
		const pig_value *u = k->val->at(users, i);
		if (!strcmp(k->val->str(k->val->key(u, "name"), ""), "root")) {
			k->api->fault_at_key(k, u, "name", "user \"%s\" is not for databases", "root");
			k->api->hint(k, "Use %s.", k->api->fmt(k, "%s", "another"));
		}
	}
	if (k->val->len(k->api->members(k, NULL)) != 2 || k->val->len(k->api->members(k, "pg")) != 2)
		k->api->fault(k, NULL, "members are wrong");
	if (k->val->num(k->api->get(k, "n2", "pg_seq"), 0) != 2)
		k->api->fault(k, NULL, "the other host's value is wrong");
}

static void test_c_rules(void)
{
	const struct pig_rule rules[] = { { .id = "c_rule", .scope = PIG_HOST, .check = c_rule } };
	struct pig_module m = pg_module;
	const struct pig_module *list[] = { &m };
	struct world w = world_of(a, "all:\n  children:\n    pg:\n      vars: { pg_cluster: c, pg_users: [ { name: ok }, { name: root } ] }\n"
				     "      hosts: { n1: { pg_seq: 1 }, n2: { pg_seq: 2 } }\n  vars: { " OWN " }\n", NULL);
	struct faults out = { 0 };
	struct err e = { 0 };

	m.rules = (struct pig_table)PIG_TABLE(rules);
	CHECK(join(&w.modules, a, list, 1, &e));
	check_all(&out, &w, resolvers_new(&w), NULL, 0);
	CHECK_INT(out.n, 1);
	CHECK_STR(out.items[0].text, "user \"root\" is not for databases");
	CHECK_STR(out.items[0].hint, "Use another.");
	CHECK_INT(out.items[0].at.line, 4);
	CHECK_INT(out.items[0].at.col, 58);
}

/* ---- what modules declare ---- */
static const char *check_with(const struct pig_module *m, const char *yaml, struct faults *out)
{
	struct world w = world_of(a, yaml, NULL);
	struct buf b = BUF(a);
	struct err e = { 0 };

	*out = (struct faults){ 0 };
	if (!CHECK(join(&w.modules, a, &m, 1, &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	check_all(out, &w, resolvers_new(&w), NULL, 0);
	for (uint32_t i = 0; i < out->n; i++) {
		const struct fault *f = &out->items[i];
		buf_fmt(&b, "%u:%u %s %s: %s\n", f->at.line, f->at.col, f->note ? "note" : f->warning ? "warning" : "error",
			f->id, f->text);
	}
	return buf_text(&b);
}

static void test_listens(void)
{
	const struct pig_listen listens[] = {
		{ .port = "pg_port", .addr = "pg_vip" },
		{ .port = "pg_users[].port", .addr = "ip", .when = "pg_enabled" },
		{ .port = "pg_settings{}" },
	};
	struct pig_module m = pg_module;
	struct faults out;

	m.listens = (struct pig_table)PIG_TABLE(listens);
	/* shown where the later one is written, once for all hosts that share it */
	CHECK_STR(check_with(&m, "all:\n  vars: { pg_mem: 200, " OWN " }\n  children:\n    pg:\n"
				 "      vars:\n        pg_cluster: c\n"
				 "        pg_users: [ { name: a, port: 5432 }, { name: b, port: 7000 } ]\n" /* 7 */
				 "      hosts:\n        n1: { pg_seq: 1, pg_role: primary, pg_settings: { 7000: 1, 7001: 2 } }\n"
				 "        n2: { pg_seq: 2 }\n", &out),
		  "7:38 error port: port 5432 of pg_users \"a\" is that of pg_port already\n"
		  "9:59 error port: port 7000 of pg_settings.7000 is that of pg_users \"b\" already\n");
	CHECK_HAS(out.items[0].hint, "the other one is a default");
	CHECK_HAS(out.items[1].hint, "inv.yml:7:63");
	/* two addresses do not meet, every address does; nor does what is turned off */
	CHECK_STR(check_with(&m, "all:\n  vars: { pg_mem: 200, " OWN " }\n  hosts:\n"
				 "    n1: { pg_cluster: c, pg_seq: 1, pg_role: primary, pg_vip: 10.0.0.1, pg_users: [\n"
				 "      { name: a, ip: 10.0.0.2, port: 5432 }, { name: b, ip: '*', port: 5432 } ] }\n"
				 "    n2: { pg_cluster: d, pg_seq: 1, pg_role: primary, pg_enabled: no, pg_users: [\n"
				 "      { name: c, port: 5432 } ] }\n", &out),
		  "5:72 error port: port 5432 of pg_users \"b\" is that of pg_port already\n"
		  "5:72 error port: port 5432 of pg_users \"b\" is that of pg_users \"a\" already\n");
	/* rows that are wrong */
	static const struct pig_listen bad[] = { { .port = "pg_prot" }, { .port = "pg_users[port]" }, { .port = "pg_users[]." },
						 { .port = "pg_port", .when = "a b" }, { 0 } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct module *out_m;
		struct err e = { 0 };
		m.listens = (struct pig_table){ &bad[i], 1, sizeof *bad };
		CHECK(!module_of(&out_m, a, "pg.so", &m, sizeof m, &e));
		CHECK_HAS(e.msg, "listen row");
	}
}

static void test_others(void)
{
	const struct pig_other others[] = { { "kafka", "kafka_* topics" }, { "pg", "pg_*" }, { "code", "pg_code" } };
	struct pig_module m = pg_module;
	struct faults out;

	m.others = (struct pig_table)PIG_TABLE(others);
	/* one note a module, at the first place; no guess; a module that is there is not absent */
	CHECK_STR(check_with(&m, "all:\n  vars: { pg_code: 1, pg_prot: 1 }\n  hosts:\n"
				 "    n1: { topics: [], kafka_seq: 1 }\n    n2: { kafka_seq: 2, kafka_port: 1, kafka_data: /x }\n", &out),
		  "2:11 note not-installed: module \"code\" is not installed: pg_code of the inventory means nothing here\n"
		  "2:23 error unknown-parameter: unknown parameter \"pg_prot\"\n"
		  "4:11 note not-installed: module \"kafka\" is not installed: topics, kafka_seq, kafka_port and 1 more of "
		  "the inventory mean nothing here\n");
	CHECK_STR(out.items[2].hint, "Written in 5 places.");
	CHECK_INT(out.notes, 2);
}

static void test_clusters(void)
{
	struct faults out;

	/* set for all: that alone is told */
	CHECK_STR(check("all: { vars: { pg_cluster: c, pg_mem: 200, " OWN " }, hosts: { n1: , n2: } }\n", NULL, &out),
		  "1:16 error identity: \"pg_cluster\" makes hosts a cluster and is set for all hosts\n");
	/* two groups that do not know of each other: once, however many hosts they share */
	CHECK_STR(check("all:\n  vars: { pg_mem: 200, " OWN " }\n  children:\n"
			"    a: { vars: { pg_cluster: a }, hosts: { n1: { pg_seq: 1, pg_role: primary }, n2: { pg_seq: 2 } } }\n"
			"    b: { vars: { pg_cluster: b }, hosts: { n1: , n2: } }\n", NULL, &out),
		  "5:30 error two-clusters: host \"n1\" is in two clusters: pg_cluster is \"a\" by group \"a\" and \"b\" by group \"b\"\n");
	CHECK_HAS(out.items[0].hint, "inv.yml:4:30");
	/* a child's word over its parent's, the host's own, a priority and the same value are clear */
	CHECK_STR(check("all:\n  vars: { pg_mem: 200, pg_role: primary, " OWN " }\n  children:\n"
			"    up: { vars: { pg_cluster: up }, children: { down: { vars: { pg_cluster: down }, hosts: { n1: { pg_seq: 1 } } } } }\n"
			"    a: { vars: { pg_cluster: a }, hosts: { n2: { pg_seq: 1, pg_cluster: y } } }\n"
			"    b: { vars: { pg_cluster: b }, hosts: { n2: , n3: { pg_seq: 1 } } }\n"
			"    c: { vars: { pg_cluster: z, ansible_group_priority: 9 }, hosts: { n3: } }\n"
			"    d: { vars: { pg_cluster: z, ansible_group_priority: 9 }, hosts: { n3: } }\n", NULL, &out),
		  "");
}

static void test_default_secrets(void)
{
	struct faults out;

	CHECK_STR(check("all:\n  hosts: { n1: { pg_cluster: c, pg_seq: 1, pg_role: primary, pg_mem: 200 } }\n", NULL, &out),
		  "1:1 warning default-secret: \"pg_password\" is not set: its default is one that everyone knows\n");
	CHECK_STR(check("all:\n  vars: { pg_password: DBUser.DBA }\n"
			"  hosts: { n1: { pg_cluster: c, pg_seq: 1, pg_role: primary, pg_mem: 200 } }\n", NULL, &out),
		  "2:24 warning default-secret: \"pg_password\" is the default that everyone knows\n");
}

static void test_speed(void)
{
	enum { CLUSTERS = 2500, PER = 4 };
	struct buf b = BUF(a);
	struct faults out = { 0 };

	buf_str(&b, "all:\n  vars: { pg_mem: 200, " OWN ", admin_ip: 10.0.0.1, url: 'http://${admin_ip}', pg_dsn: 'host={{ inventory_hostname }} ${url}' }\n  children:\n");
	for (int i = 0; i < CLUSTERS; i++) {
		buf_fmt(&b, "    pg-%d:\n      vars: { pg_cluster: pg-%d, pg_port: 5432, pg_users: [ { name: app%d } ] }\n      hosts:\n", i, i, i);
		for (int k = 0; k < PER; k++)
			buf_fmt(&b, "        10.%d.%d.%d: { pg_seq: %d, pg_role: %s }\n", i / 250, i % 250, k, k + 1, k ? "replica" : "primary");
	}
	struct world w = world_of(a, buf_text(&b), NULL);
	int64_t from = os_now_ms();
	check_all(&out, &w, resolvers_new(&w), NULL, 0);
	int64_t took = os_now_ms() - from;
	printf("%u hosts checked in %lld ms\n", w.inv->n_hosts, (long long)took);
	CHECK_INT(w.inv->n_hosts, CLUSTERS * PER);
	CHECK_INT(out.n, 0);
	CHECK(took < 30000); /* sanitizers and a shared machine: the figure is printed above */
}

int main(void)
{
	a = arena_new();
	test_good();
	test_written();
	test_missing();
	test_rules();
	test_connected();
	test_c_rules();
	test_listens();
	test_others();
	test_clusters();
	test_default_secrets();
	test_speed();
	arena_free(a);
	return check_done();
}
