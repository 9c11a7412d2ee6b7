/* Types and forms of parameters, and their way from the inventory to a module's struct. */
#include "test_model.h"

#include <pthread.h>

static const char inventory[] =
	"all:\n"
	"  vars:\n"
	"    admin_ip: 10.0.0.1\n"
	"    pg_port: \"5433\"\n"
	"    domain: example.org\n"
	"    url: 'http://${admin_ip}/{{ domain }}/${dbsu}/${ip}'\n"
	"    loop_a: '{{ loop_b }}'\n"
	"    loop_b: 'x{{ loop_a }}'\n"
	"    deep: { list: ['{{ domain }}', plain], n: '{{ pg_port + 1 }}' }\n"
	"    peer_role: '{{ hostvars[\"n2\"].pg_role }}'\n"
	"    got: \"{{ hostvars['n2'].get('pg_role') }} {{ hostvars['n2'].get('none', 'x') }} {{ hostvars.n3.pg_port }} {{ 'n1' in hostvars }}\"\n"
	"    roles: \"{{ groups['main'] | map('extract', hostvars, 'pg_role') | join(',') }}\"\n"
	"    mem: '{{ node_mem_mb }}'\n"
	"    raw: !unsafe '{{ nothing }}'\n"
	"  children:\n"
	"    main:\n"
	"      hosts:\n"
	"        n1: { pg_seq: 1, pg_role: primary, pg_port: ~ }\n"
	"        n2: { pg_seq: '2', pg_version: 1.10, gis_enabled: yes, pgport: 6000 }\n"
	"      vars:\n"
	"        pg_cluster: pg-main\n"
	"        pg_users:\n"
	"          - { name: app, password: hunter2, pgbouncer_mode: session }\n"
	"          - { name: ro, login: no }\n"
	"    other:\n"
	"      hosts: { n3: { pg_version: no, pg_enabled: 'off', bad: '{{ nothing }}', pg_ratio: 3, pg_seq: x } }\n";

static struct arena *a;
static struct world w;
static struct resolvers *rs;

static struct resolver *of(const char *host)
{
	return resolvers_of(rs, inventory_host(w.inv, host));
}

static const char *text(const char *host, const char *name)
{
	struct err e = { 0 };
	const struct value *v = resolver_get(of(host), name, &e);
	struct buf b = BUF(a);

	if (!v)
		return e.code ? arena_fmt(a, "error %d: %s", e.code, e.msg) : NULL;
	value_to_json(&b, v, &(struct json_style){ 0 });
	return buf_text(&b);
}

static void test_values(void)
{
	CHECK_STR(text("n1", "pg_seq"), "1");
	CHECK_STR(text("n2", "pg_seq"), "2");          /* integral strings */
	CHECK_STR(text("n1", "pg_port"), "5432");      /* null: as if not written, at any level */
	CHECK_STR(text("n2", "pg_port"), "5433");      /* the new name leads over earlier ones */
	CHECK_STR(text("n2", "pgport"), "5433");
	CHECK_STR(text("n2", "pg_version"), "\"1.10\""); /* the source text */
	CHECK_STR(text("n3", "pg_version"), "\"no\"");
	CHECK_STR(text("n1", "pg_version"), "\"1.10\"");
	CHECK_STR(text("n3", "pg_enabled"), "false");
	CHECK_STR(text("n1", "pg_enabled"), "true");
	CHECK_STR(text("n3", "pg_ratio"), "3.0");
	CHECK_STR(text("n1", "pg_role"), "\"primary\"");
	CHECK_STR(text("n1", "pg_vip"), NULL);
	CHECK_STR(text("n1", "no_such_name"), NULL);
	CHECK_STR(text("n3", "pg_cluster"), NULL);
	CHECK_HAS(text("n3", "pg_seq"), "takes a whole number, not \"x\"");
	/* preset by another module, where its condition holds */
	CHECK_STR(text("n1", "pg_conf"), "\"oltp.yml\"");
	CHECK_STR(text("n2", "pg_conf"), "\"tiny.yml\"");
}

static void test_templates(void)
{
	CHECK_STR(text("n1", "url"), "\"http://10.0.0.1/example.org/${dbsu}/${ip}\"");
	CHECK_STR(text("n2", "deep"), "{\"list\": [\"example.org\", \"plain\"], \"n\": 5434}");
	CHECK_STR(text("n1", "peer_role"), "\"replica\"");
	CHECK_STR(text("n1", "got"), "\"replica x 5433 True\"");
	CHECK_STR(text("n1", "roles"), "\"primary,replica\"");
	CHECK_STR(text("n1", "raw"), "\"{{ nothing }}\"");
	CHECK_STR(text("n1", "pg_dsn"), "\"host=n1 port=5432 password=DBUser.DBA\"");
	CHECK_HAS(text("n3", "bad"), "nothing");

	struct err e = { 0 };
	CHECK(!resolver_get(of("n1"), "loop_a", &e));
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(e.msg, "the value hangs on itself: loop_a (");
	CHECK_HAS(e.msg, "-> loop_b (");
	CHECK_HAS(e.where, "inv.yml:");
	CHECK(!resolver_get(of("n3"), "bad", &e));
	CHECK_HAS(e.where, "inv.yml:26:");

	/* secrecy travels */
	CHECK(value_is_secret(resolver_get(of("n1"), "pg_password", NULL)));
	CHECK(value_is_secret(resolver_get(of("n1"), "pg_dsn", NULL)));
	CHECK(!value_is_secret(resolver_get(of("n1"), "url", NULL)));
	const struct value *users = resolver_get(of("n1"), "pg_users", NULL);
	CHECK(value_path(users, "0.password")->flags & V_SECRET);
	CHECK(!(value_path(users, "0.name")->flags & V_SECRET));
	/* members: earlier names, defaults, types */
	CHECK_STR(value_cstr(value_path(users, "0.pool_mode"), NULL), "session");
	CHECK(!value_path(users, "0.pgbouncer_mode"));
	CHECK_STR(value_cstr(value_path(users, "1.pool_mode"), NULL), "transaction");
	CHECK(value_is(value_path(users, "1.login"), V_BOOL));
	CHECK(value_truth(value_path(users, "0.login")) && !value_truth(value_path(users, "1.login")));
	/* shared by the hosts of the group: typed once */
	CHECK(users == resolver_get(of("n2"), "pg_users", NULL));
}

static void test_builtins(void)
{
	CHECK_STR(text("n1", "inventory_hostname"), "\"n1\"");
	CHECK_STR(text("n1", "group_names"), "[\"main\"]");
	CHECK_HAS(text("n1", "groups"), "\"main\": [\"n1\", \"n2\"]");
	CHECK_HAS(text("n1", "inventory_dir"), "/tmp/pig-test.");

	const struct module *pg = modules_get(w.modules, "pg"), *gis = modules_get(w.modules, "gis");
	CHECK_STR(resolver_cluster(of("n1"), pg), "pg-main");
	CHECK_STR(resolver_cluster(of("n3"), pg), NULL);
	CHECK_STR(resolver_cluster(of("n1"), gis), NULL);
	CHECK_INT(value_len(resolvers_members(rs, a, pg, "pg-main")), 2);
	CHECK_INT(value_len(resolvers_members(rs, a, pg, "other")), 1);
	CHECK_INT(value_len(resolvers_members(rs, a, pg, NULL)), 3);
	CHECK(!resolvers_members(rs, a, pg, "none"));
}

static void test_facts(void)
{
	struct err e = { 0 };
	struct resolver *r = of("n1");
	const struct module *pg = modules_get(w.modules, "pg");

	CHECK(!resolver_get(r, "mem", &e));
	CHECK_INT(e.code, E_UNKNOWN);
	CHECK(!resolver_get(r, "pg_mem", &e));
	CHECK_INT(e.code, E_UNKNOWN);
	CHECK(!resolver_params(r, pg, &e));
	CHECK_INT(e.code, E_UNKNOWN);

	struct value *facts = value_map(a);
	value_put(a, facts, "node_mem_mb", value_int(a, 4001));
	value_put(a, facts, "node_swap_mb", value_int(a, 5));
	resolver_facts(r, facts);
	CHECK_STR(text("n1", "mem"), "4001");
	CHECK_STR(text("n1", "pg_mem"), "1000");
	CHECK_STR(text("n1", "node_swap_mb"), "5"); /* facts beyond the known ones are there too, below all else */
	CHECK_STR(text("n1", "node_cpu"), NULL);

	memset(&e, 0, sizeof e);
	const struct pg *p = resolver_params(r, pg, &e);
	if (!CHECK(p))
		fprintf(stderr, "%s\n", err_text(&e, a));
	CHECK(p == resolver_params(r, pg, &e));
	CHECK_STR(p->pg_cluster, "pg-main");
	CHECK_INT(p->pg_seq, 1);
	CHECK_INT(p->pg_port, 5432);
	CHECK_INT(p->pg_mem, 1000);
	CHECK(p->pg_enabled && !p->pg_tls && p->pg_ratio == 0.5);
	CHECK_STR(p->pg_role, "primary");
	CHECK(!p->pg_vip && !p->pg_any);
	CHECK_INT(value_len((const struct value *)p->pg_users), 2);

	/* scopes: names given extra come first */
	struct value *extra = value_map(a);
	value_put(a, extra, "pg_port", value_int(a, 1));
	struct scope s = resolver_scope(r, a, pg, extra);
	struct value *out;
	CHECK(text_eval(&out, a, value_str(a, "{{ pg_port }} {{ pg_mem }}"), &s, &e));
	CHECK_STR(value_cstr(out, NULL), "1 1000");
	const char *file;
	CHECK_STR(s.load(s.ctx, "pg.conf", &file, &e), "port = {{ pg_port }}\n");
	CHECK_STR(s.load(s.ctx, "builtin:pg/pg.conf", &file, &e), "port = {{ pg_port }}\n");
}

/* Two hosts that ask each other from two threads: no lock is held while another host's is waited for. */
static void *ask_peers(void *host)
{
	for (int i = 0; i < 300; i++) {
		struct resolvers *mine = rs;
		struct err e = { 0 };
		resolver_get(resolvers_of(mine, inventory_host(w.inv, host)), "roles", &e);
		resolver_get(resolvers_of(mine, inventory_host(w.inv, host)), i % 2 ? "cross" : "peer_role", &e);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t t[4];
	static char n1[] = "n1", n2[] = "n2";
	struct world w2 = world_of(a, "all:\n  vars:\n    cross: '{{ hostvars[other].roles }}{{ hostvars[other].mine }}'\n"
				      "    roles: \"{{ groups['all'] | map('extract', hostvars, 'mine') | join }}\"\n"
				      "    mine: '{{ inventory_hostname }}-{{ hostvars[other].inventory_hostname }}'\n"
				      "    peer_role: '{{ cross }}'\n"
				      "  hosts: { n1: { other: n2 }, n2: { other: n1 } }\n", NULL);
	struct world keep = w;
	struct resolvers *keep_rs = rs;

	w = w2;
	rs = resolvers_new(&w);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, ask_peers, i % 2 ? n1 : n2);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_STR(text("n1", "peer_role"), "\"n1-n2n2-n1n2-n1\"");
	w = keep;
	rs = keep_rs;
}

/* A value that hosts render alike is one for all of them, and one that they do not is not. */
static void test_shared(void)
{
	struct world keep = w;
	struct resolvers *keep_rs = rs;
	w = world_of(a, "all:\n  vars:\n    same: [ '{{ domain }}', x ]\n    domain: a.b\n    of_cluster: '{{ pg_cluster }}-x'\n"
			"    through: '<{{ of_cluster }}>'\n    mine: '{{ inventory_hostname }}'\n    of_groups: \"{{ group_names | join('+') }}\"\n"
			"    peer: '{{ hostvars[other].seq }}'\n    branch: \"{{ seq if one is defined else domain }}\"\n"
			"    unset: \"{{ none if domain == 'a.b' else 1 }}\"\n    salted: \"{{ 'x' | password_hash('sha256') }}\"\n"
			"    mem: '{{ node_mem_mb }}'\n    maybe: '{{ late | default(1) }}'\n"
			"  children:\n"
			"    c1: { vars: { pg_cluster: c1 }, hosts: { h1: { seq: 1, other: h2 }, h2: { seq: 2, other: h3, one: 1 } } }\n"
			"    c2: { vars: { pg_cluster: c2 }, hosts: { h3: { seq: 3, other: h1 } } }\n", NULL);
	rs = resolvers_new(&w);

	const struct value *same = resolver_get(of("h1"), "same", NULL);
	CHECK(same && same == resolver_get(of("h2"), "same", NULL) && same == resolver_get(of("h3"), "same", NULL));
	CHECK(resolver_get(of("h1"), "through", NULL) == resolver_get(of("h2"), "through", NULL));
	CHECK_STR(text("h3", "through"), "\"<c2-x>\"");
	CHECK_STR(text("h1", "through"), "\"<c1-x>\"");
	for (int i = 0; i < 2; i++) { /* the second time from what was kept */
		CHECK_STR(text("h1", "mine"), "\"h1\"");
		CHECK_STR(text("h2", "mine"), "\"h2\"");
		CHECK_STR(text("h1", "of_groups"), "\"c1\"");
		CHECK_STR(text("h3", "of_groups"), "\"c2\"");
		CHECK_STR(text("h1", "peer"), "2");
		CHECK_STR(text("h2", "peer"), "3");
		CHECK_STR(text("h3", "peer"), "1");
		CHECK_STR(text("h1", "branch"), "\"a.b\"");
		CHECK_STR(text("h2", "branch"), "2");
		CHECK_STR(text("h3", "branch"), "\"a.b\"");
		CHECK_STR(text("h2", "unset"), "null");
	}
	CHECK(strcmp(text("h1", "salted"), text("h2", "salted")) != 0);
	CHECK_STR(text("h1", "salted"), text("h1", "salted"));

	/* facts are one host's */
	struct value *facts = value_map(a);
	value_put(a, facts, "node_mem_mb", value_int(a, 7));
	value_put(a, facts, "late", value_int(a, 2));
	CHECK_STR(text("h1", "maybe"), "1");
	resolver_facts(of("h1"), facts);
	CHECK_STR(text("h1", "mem"), "7");
	CHECK_STR(text("h1", "maybe"), "2");
	CHECK_STR(text("h2", "maybe"), "1");
	CHECK_HAS(text("h2", "mem"), "not known");
	w = keep;
	rs = keep_rs;
}

/* ---- types and forms ---- */
static void typed(uint8_t type, const char *check, const char *yaml, const char *want)
{
	struct pig_param row = { .name = "p", .type = type, .level = 1, .check = check };
	const struct shape *sh;
	const struct value *out;
	struct value *v;
	struct err e = { 0 };
	struct buf b = BUF(a);

	CHECK(shape_make(&sh, a, &row, &e) && value_from_yaml(&v, a, "t", yaml, strlen(yaml), &e));
	bool ok = shape_type_one(&out, a, sh, v, &e);
	if (!ok)
		buf_str(&b, e.msg);
	else if (out)
		value_to_json(&b, out, &(struct json_style){ 0 });
	if (!want)
		CHECK(!ok || !CHECK_STR(yaml, "should not fit"));
	else
		CHECK_HAS(buf_text(&b), want);
}

static void test_types(void)
{
	typed(PIG_BOOL, NULL, "Yes", "true");
	typed(PIG_BOOL, NULL, "'no'", "false");
	typed(PIG_BOOL, NULL, "1", "true");
	typed(PIG_BOOL, NULL, "2", NULL);
	typed(PIG_BOOL, NULL, "maybe", NULL);
	typed(PIG_INT, NULL, "'-12'", "-12");
	typed(PIG_INT, NULL, "1.5", NULL);
	typed(PIG_INT, NULL, "' 1'", NULL);
	typed(PIG_INT, NULL, "1_000", "1000");
	typed(PIG_INT, NULL, "0644", "420");
	typed(PIG_INT, NULL, "[1]", "takes a whole number, not a list");
	typed(PIG_FLOAT, NULL, "'0.25'", "0.25");
	typed(PIG_FLOAT, NULL, "x", NULL);
	typed(PIG_STR, NULL, "1.10", "\"1.10\"");
	typed(PIG_STR, NULL, "0644", "\"0644\"");
	typed(PIG_STR, NULL, "off", "\"off\"");
	typed(PIG_STR, NULL, "2024-01-02", "\"2024-01-02\"");
	typed(PIG_STR, NULL, "~", "");
	typed(PIG_STR, NULL, "{a: b}", "takes a string, not a map");
	typed(PIG_ENUM, "on|off|auto", "on", "\"on\"");
	typed(PIG_ENUM, "primary|replica", "primry", "must be one of primary, replica, not \"primry\"");
	typed(PIG_ENUM, "15|16", "16", "\"16\"");
	typed(PIG_LIST, NULL, "a", "takes a list, not \"a\"");
	typed(PIG_LIST, "port", "[80, '443']", "[80, \"443\"]");
	typed(PIG_LIST, "port", "[80, http]", "\"p[1]\" must be a port");
	typed(PIG_MAP, NULL, "[1]", NULL);
	typed(PIG_ANY, NULL, "[1, {a: b}]", "[1, {\"a\": \"b\"}]");

	typed(PIG_INT, "port", "65535", "65535");
	typed(PIG_INT, "port", "65536", NULL);
	typed(PIG_INT, "port", "0", NULL);
	typed(PIG_STR, "path", "/a/b", "/a/b");
	typed(PIG_STR, "path", "a/b", "must be an absolute path");
	typed(PIG_STR, "path", "''", "");
	typed(PIG_STR, "ip", "10.0.0.1", "10.0.0.1");
	typed(PIG_STR, "ip", "::1", "::1");
	typed(PIG_STR, "ip", "10.0.0.256", NULL);
	typed(PIG_STR, "ip", "10.0.0", NULL);
	typed(PIG_STR, "cidr", "10.0.0.0/24", "/24");
	typed(PIG_STR, "cidr", "10.0.0.0/33", NULL);
	typed(PIG_STR, "cidr", "fd00::/64", "/64");
	typed(PIG_STR, "interval", "1h30m", "1h30m");
	typed(PIG_STR, "interval", "500ms", "500ms");
	typed(PIG_STR, "interval", "30", "30");
	typed(PIG_STR, "interval", "30 days", NULL);
	typed(PIG_STR, "size", "64MB", "64MB");
	typed(PIG_STR, "size", "1.5GiB", "GiB");
	typed(PIG_STR, "size", "64 foo", NULL);
	typed(PIG_STR, "name", "a-b_c.d", "a-b_c.d");
	typed(PIG_STR, "name", "a b", NULL);
	typed(PIG_STR, "name", "-a", NULL);
	typed(PIG_STR, "/^v[0-9]+$/", "v12", "v12");
	typed(PIG_STR, "/^v[0-9]+$/", "v12x", NULL);
	typed(PIG_STR, "a|b", "b", "b");
	typed(PIG_STR, "a|b", "c", "one of a, b");
}

int main(void)
{
	a = arena_new();
	w = world_of(a, inventory, NULL);
	rs = resolvers_new(&w);
	test_values();
	test_templates();
	test_builtins();
	test_facts();
	test_threads();
	test_shared();
	test_types();
	arena_free(a);
	return check_done();
}
