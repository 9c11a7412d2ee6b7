/* pig check, where a rule or a look at ports is left out because it held on a host before: never one too many. */
#include "test_model.h"

static struct arena *a;

#define OWN "pg_password: Of-our-own" /* the default is everyone's */

/* The module with this one rule or these ports; faults as "line:col id: text". */
static const char *check_with(const struct pig_module *m, const char *yaml, const char *const *extra)
{
	const struct pig_module *const list[] = { m, &gis_module };
	struct world w = world_of(a, yaml, extra);
	struct faults out = { 0 };
	struct buf b = BUF(a);
	struct err e = { 0 };

	if (!CHECK(join(&w.modules, a, list, 2, &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	check_all(&out, &w, resolvers_new(&w), NULL, 0);
	for (uint32_t i = 0; i < out.n; i++)
		buf_fmt(&b, "%u:%u %s: %s\n", out.items[i].at.line, out.items[i].at.col, out.items[i].id, out.items[i].text);
	return buf_text(&b);
}

static struct buf tried; /* the hosts or clusters a rule was tried on */

static const char *rule_with(const struct pig_rule *rule, const char *yaml, const char *const *extra)
{
	struct pig_module m = pg_module;

	m.rules = (struct pig_table){ rule, 1, sizeof *rule };
	tried = BUF(a);
	buf_str(&tried, "");
	return check_with(&m, yaml, extra);
}

static void try(pig_check *c)
{
	buf_fmt(&tried, "%s ", c->hostname ? c->hostname : c->cluster);
}

/* ---- what decides ---- */
static void by_port(pig_check *c)
{
	const pig_value *port = c->api->get(c, c->hostname, "pg_port");

	try(c);
	if (c->val->num(port, 0) == 7000)
		c->api->fault(c, port, "port 7000 on %s", c->hostname);
}

#define SIX "all:\n  vars: { pg_mem: 200, " OWN " }\n  hosts:\n"                                            \
	"    n1: { pg_cluster: c, pg_seq: 1, pg_role: primary }\n"                                            \
	"    n2: { pg_cluster: c, pg_seq: 2, pg_port: 5432 }\n"                                               \
	"    n3: { pg_cluster: c, pg_seq: 3, pg_port: 7000 }\n"                                               \
	"    n4: { pg_cluster: d, pg_seq: 1, pg_port: '5432', pg_role: primary }\n"                           \
	"    n5: { pg_cluster: d, pg_seq: 2, pg_port: 7000 }\n"                                               \
	"    n6: { pg_cluster: d, pg_seq: 3, postgres_port: 7000 }\n"

static void test_values(void)
{
	struct pig_rule rule = { .id = "r", .scope = PIG_HOST, .check = by_port, .flags = PIG_BY_VALUES };
	static const char want[] = "6:46 r: port 7000 on n3\n8:46 r: port 7000 on n5\n9:37 was: parameter \"postgres_port\" is now called "
				   "\"pg_port\"\n9:52 r: port 7000 on n6\n";

	/* the default, a number and a text that is one are told apart or not, a fault never keeps another from being told */
	CHECK_STR(rule_with(&rule, SIX, NULL), want);
	CHECK_HAS(buf_text(&tried), "n1 ");
	CHECK(!strstr(buf_text(&tried), "n2")); /* the same as the default */
	CHECK_HAS(buf_text(&tried), "n3 ");
	CHECK_HAS(buf_text(&tried), "n5 n6 ");
	/* what does not say that it goes by values is tried on each */
	rule.flags = 0;
	CHECK_STR(rule_with(&rule, SIX, NULL), want);
	CHECK_STR(buf_text(&tried), "n1 n2 n3 n4 n5 n6 ");
	/* -e over all of them: once is enough */
	static const char *const extra[] = { "pg_port=5432", NULL };
	rule.flags = PIG_BY_VALUES;
	rule_with(&rule, SIX, extra);
	CHECK_STR(buf_text(&tried), "n1 ");
}

/* Nobody says anything of the parameter, and one host does by an earlier name, the last. */
static void test_last(void)
{
	struct pig_rule rule = { .id = "r", .scope = PIG_HOST, .check = by_port, .flags = PIG_BY_VALUES };
	struct buf yaml = BUF(a);

	buf_str(&yaml, "all:\n  vars: { pg_mem: 200, pg_cluster: x, " OWN " }\n  hosts:\n");
	for (int i = 0; i < 20; i++)
		buf_fmt(&yaml, "    n%d: { pg_seq: %d, pg_cluster: c, pg_role: %s%s }\n", i, i, i ? "replica" : "primary",
			i == 19 ? ", pgport: 7000" : "");
	CHECK_HAS(rule_with(&rule, strstr(buf_text(&yaml), "all:"), NULL), "\"pg_cluster\" makes hosts a cluster");
	CHECK_STR(buf_text(&tried), ""); /* its clusters mean nothing */

	char *text = arena_str(a, buf_text(&yaml));
	memcpy(strstr(text, "pg_cluster: x"), "my_cluster: x", 13);
	CHECK_HAS(rule_with(&rule, text, NULL), "23:65 r: port 7000 on n19\n");
	CHECK_STR(buf_text(&tried), "n0 n19 ");
}

static void asks_more(pig_check *c)
{
	const char *role = c->val->str(c->api->get(c, NULL, "pg_role"), "");
	char name[16];

	try(c);
	if (!strcmp(role, "primary"))
		return;
	snprintf(name, sizeof name, "pg_%s", "port"); /* a name that does not live on */
	const pig_value *port = c->api->get(c, NULL, name);
	memset(name, 'x', sizeof name - 1);
	if (c->val->num(port, 0) == 7000)
		c->api->fault(c, port, "port 7000 of a %s", role);
}

/* More than are remembered, and branches that ask for different names. */
static void test_branches(void)
{
	const struct pig_rule rule = { .id = "r", .scope = PIG_HOST, .check = asks_more, .flags = PIG_BY_VALUES };
	struct buf yaml = BUF(a), want = BUF(a);

	buf_str(&yaml, "all:\n  vars: { pg_mem: 200, " OWN " }\n  hosts:\n");
	for (int i = 0; i < 60; i++) {
		int port = i % 10 == 9 ? 7000 : 5400 + i % 7;
		const char *role = i % 3 == 0 ? "primary" : "offline";
		buf_fmt(&yaml, "    n%02d: { pg_cluster: c%02d, pg_seq: 1, pg_port: %d, pg_role: %s }\n", i, i, port, role);
		if (port == 7000 && i % 3)
			buf_fmt(&want, "%d:49 r: port 7000 of a offline\n", i + 4);
	}
	CHECK_STR(rule_with(&rule, buf_text(&yaml), NULL), buf_text(&want));
	CHECK(want.len > 0);
}

/* ---- what is the host's own ---- */
static void asks_members(pig_check *c)
{
	try(c);
	c->api->get(c, NULL, "pg_port");
	if (!strcmp(c->val->str(c->val->at(c->api->members(c, NULL), 0), ""), c->hostname))
		c->api->get(c, NULL, "pg_role");
}

static void asks_other(pig_check *c)
{
	try(c);
	if (c->val->num(c->api->get(c, "n3", "pg_port"), 0) == 7000 && c->val->num(c->api->get(c, NULL, "pg_seq"), 0) == 2)
		c->api->fault(c, NULL, "n3");
}

static void asks_hostname(pig_check *c)
{
	try(c);
	if (!strcmp(c->val->str(c->api->get(c, NULL, "inventory_hostname"), ""), "n4"))
		c->api->fault(c, NULL, "n4");
}

static void asks_fact(pig_check *c)
{
	try(c);
	if (c->api->get(c, NULL, "node_mem_mb"))
		c->api->fault(c, NULL, "known");
}

static void asks_list(pig_check *c)
{
	const pig_value *users = c->api->get(c, NULL, "pg_users");

	try(c);
	for (size_t i = 0; i < c->val->len(users); i++)
		if (!strcmp(c->val->str(c->val->key(c->val->at(users, i), "name"), ""), "root"))
			c->api->fault(c, c->val->at(users, i), "root");
}

static void test_own(void)
{
	struct pig_rule rule = { .id = "r", .scope = PIG_HOST, .flags = PIG_BY_VALUES };

	rule.check = asks_members;
	rule_with(&rule, SIX, NULL);
	CHECK_STR(buf_text(&tried), "n1 n2 n3 n4 n5 n6 ");
	rule.check = asks_other;
	CHECK_HAS(rule_with(&rule, SIX, NULL), "5:5 r: n3\n8:5 r: n3\n");
	CHECK_STR(buf_text(&tried), "n1 n2 n3 n4 n5 "); /* n3 asked itself, and n6 has the same */
	rule.check = asks_hostname;
	CHECK_HAS(rule_with(&rule, SIX, NULL), "7:5 r: n4\n");
	CHECK_STR(buf_text(&tried), "n1 n2 n3 n4 n5 n6 ");
	rule.check = asks_fact; /* which may be known of the next */
	CHECK(!strstr(rule_with(&rule, SIX, NULL), " r: "));
	CHECK_STR(buf_text(&tried), "n1 n2 n3 n4 n5 n6 ");
}

/* A list is the same where it is written once. A value that is wrong is told, and keeps nothing else from being told. */
static void test_lists(void)
{
	const struct pig_rule rule = { .id = "r", .scope = PIG_HOST, .check = asks_list, .flags = PIG_BY_VALUES };

	CHECK_STR(rule_with(&rule, "all:\n  vars: { pg_mem: 200, " OWN " }\n  children:\n"
				   "    c: { vars: { pg_cluster: c, pg_users: [ { name: x } ] }, hosts: { n1: { pg_seq: 1, pg_role: primary }, n2: { pg_seq: 2 } } }\n"
				   "    d: { vars: { pg_cluster: d, pg_users: [ { name: root } ] }, hosts: { n3: { pg_seq: 1, pg_role: primary }, n4: { pg_seq: 2 } } }\n"
				   "    e: { vars: { pg_cluster: e, pg_users: none }, hosts: { n5: { pg_seq: 1, pg_role: primary }, n6: { pg_seq: 2 } } }\n"
				   "    f: { vars: { pg_cluster: f }, hosts: { n7: { pg_seq: 1, pg_role: primary }, n8: { pg_seq: 2 } } }\n", NULL),
		  "5:45 r: root\n6:43 type: parameter \"pg_users\" takes a list, not \"none\"\n");
	CHECK_STR(buf_text(&tried), "n1 n3 n4 n5 n6 n7 ");
}

/* ---- clusters and expressions ---- */
static void of_cluster(pig_check *c)
{
	const pig_value *port = c->api->get(c, NULL, "pg_port"); /* the first host's */

	try(c);
	if (c->val->num(port, 0) == 7000)
		c->api->fault(c, port, "port 7000 of cluster %s", c->cluster);
}

#define FOUR "all:\n  vars: { pg_mem: 200, " OWN " }\n  children:\n"                                          \
	"    c: { vars: { pg_cluster: c }, hosts: { n1: { pg_seq: 1, pg_role: primary }, n2: { pg_seq: 2 } } }\n" \
	"    d: { vars: { pg_cluster: d, pg_port: 5432 }, hosts: { n3: { pg_seq: 1, pg_role: primary } } }\n"    \
	"    e: { vars: { pg_cluster: e, pg_port: 7000 }, hosts: { n4: { pg_seq: 1, pg_role: replica } } }\n"    \
	"    f: { vars: { pg_cluster: f, pg_port: 5432 }, hosts: { n5: { pg_seq: 1, pg_role: primary } } }\n"

static void test_clusters(void)
{
	struct pig_rule rule = { .id = "r", .scope = PIG_OF_CLUSTER, .check = of_cluster, .flags = PIG_BY_VALUES };

	CHECK_STR(rule_with(&rule, FOUR, NULL), "6:42 r: port 7000 of cluster e\n");
	CHECK_STR(buf_text(&tried), "c e ");

	/* expressions: by values alone, by the cluster's name, by its members */
	rule = (struct pig_rule){ .id = "r", .scope = PIG_OF_CLUSTER, .must = "pg_port != 7000", .say = "port of {{ cluster }}" };
	CHECK_STR(rule_with(&rule, FOUR, NULL), "6:42 r: port of e\n");
	rule.must = "pg_port > 0 and cluster != 'f'";
	CHECK_HAS(rule_with(&rule, FOUR, NULL), "r: port of f\n");
	rule.must = "pg_port > 0 and members | map('extract', hostvars, 'pg_role') | select('eq', 'primary') | list | length == 1";
	CHECK_STR(rule_with(&rule, FOUR, NULL), "6:42 r: port of e\n");
	rule.scope = PIG_HOST;
	rule.must = "pg_port > 0 and hostvars[inventory_hostname].pg_role == 'primary' or pg_seq == 2";
	CHECK_STR(rule_with(&rule, FOUR, NULL), "6:42 r: port of e\n");
	rule.must = "pg_port > 0 and 'e' not in group_names";
	CHECK_STR(rule_with(&rule, FOUR, NULL), "6:42 r: port of e\n");
}

/* A preset that holds on some hosts: its parameter is written nowhere and still is not the same on all. */
static void test_presets(void)
{
	struct pig_rule rule = { .id = "r", .scope = PIG_HOST, .must = "pg_conf == 'oltp.yml'", .say = "{{ pg_conf }}" };

	CHECK_STR(rule_with(&rule, "all:\n  vars: { pg_mem: 200, " OWN " }\n  children:\n"
				   "    c: { vars: { pg_cluster: c }, hosts: { n1: { pg_seq: 1, pg_role: primary } } }\n"
				   "    d: { vars: { pg_cluster: d, gis_enabled: yes }, hosts: { n2: { pg_seq: 1, pg_role: primary } } }\n", NULL),
		  "5:62 r: tiny.yml\n");
}

/* ---- ports ---- */
static void test_ports(void)
{
	static const struct pig_listen listens[] = { { .port = "pg_port" }, { .port = "pg_users[].port" }, { .port = "pg_seq", .when = "pg_enabled" } };
	static const struct pig_listen others[] = { { .port = "gis_port" } };
	static const struct pig_param params[] = { { .name = "gis_cluster", .type = PIG_STR, .level = PIG_CLUSTER, .flags = 0 },
						   { .name = "gis_port", .type = PIG_INT, .level = PIG_CLUSTER, .dflt = "7000", .offset = 8 } };
	static const struct pig_module maps = {
		.magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR, .size = sizeof(struct pig_module), .name = "maps", .version = "1",
		.text = "maps", .cluster = "gis_cluster", .params_size = 16, .params = PIG_TABLE(params), .listens = PIG_TABLE(others),
	};
	struct pig_module m = pg_module;
	const struct pig_module *const list[] = { &m, &maps };
	struct world w = world_of(a, "all:\n  vars: { pg_mem: 200, " OWN " }\n  hosts:\n"
				     "    n1: { pg_cluster: a, pg_seq: 1, pg_role: primary }\n"
				     "    n2: { pg_cluster: b, pg_seq: 1, pg_role: primary, pg_port: 5432 }\n"
				     "    n3: { pg_cluster: c, pg_seq: 1, pg_role: primary, pg_users: [ { name: u, port: 5432 } ] }\n"
				     "    n4: { pg_cluster: d, pg_seq: 1, pg_role: primary, pg_port: 7000 }\n"
				     "    n5: { pg_cluster: e, pg_seq: 1, pg_role: primary, pg_port: 7000, gis_cluster: g }\n"
				     "    n6: { pg_cluster: f, pg_seq: 5432, pg_role: primary, pg_enabled: no }\n"
				     "    n7: { pg_cluster: g, pg_seq: 5432, pg_role: primary }\n"
				     "    n8: { pg_cluster: h, pg_seq: 1, pg_role: primary }\n", NULL);
	struct faults out = { 0 };
	struct buf b = BUF(a);
	struct err e = { 0 };

	m.listens = (struct pig_table)PIG_TABLE(listens);
	m.rules = (struct pig_table){ NULL, 0, 0 };
	if (!CHECK(join(&w.modules, a, list, 2, &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	check_all(&out, &w, resolvers_new(&w), NULL, 0);
	for (uint32_t i = 0; i < out.n; i++)
		buf_fmt(&b, "%s %s\n", out.items[i].host ? out.items[i].host : "-", out.items[i].text);
	CHECK_STR(buf_text(&b), "n3 port 5432 of pg_users \"u\" is that of pg_port already\n"
				"n5 port 7000 of pg_port is that of gis_port already\n"
				"n7 port 5432 of pg_seq is that of pg_port already\n");
}

int main(void)
{
	a = arena_new();
	test_values();
	test_last();
	test_branches();
	test_own();
	test_lists();
	test_clusters();
	test_presets();
	test_ports();
	arena_free(a);
	return check_done();
}
