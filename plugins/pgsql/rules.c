/* What must hold for PostgreSQL clusters before any host is touched. */
#include "pgsql.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const pig_value *get(pig_check *c, const char *host, const char *name)
{
	return c->api->get(c, host, name);
}

static const char *text(pig_check *c, const char *host, const char *name, const char *dflt)
{
	return c->val->str(get(c, host, name), dflt);
}

static const char *host_at(pig_check *c, const pig_value *hosts, size_t i)
{
	return c->val->str(c->val->at(hosts, i), "");
}

/* The first host of the cluster that is being tried, for values that are the same on all. */
static const char *const first = NULL;

/* Letters, digits and what is in more; not empty. */
static bool only(const char *s, const char *more)
{
	size_t n = 0;

	while (s[n] &&
	       (((s[n] | 32) >= 'a' && (s[n] | 32) <= 'z') || (s[n] >= '0' && s[n] <= '9') || strchr(more, s[n])))
		n++;
	return n && !s[n];
}

/* ---- identity ---- */

static void identity(pig_check *c)
{
	const char *h = c->hostname, *cls = text(c, h, "pg_cluster", NULL), *role = text(c, h, "pg_role", NULL);
	const pig_value *seq = get(c, h, "pg_seq");

	if (!cls)
		return;
	if (!only(cls, "-") || !strcmp(cls, "root")) {
		c->api->fault(c, get(c, h, "pg_cluster"), "\"%s\" cannot be a cluster's name", cls);
		c->api->hint(c, "Use letters, digits and hyphens; root is etcd's.");
	}
	if (!seq || c->val->num(seq, -1) < 0) {
		c->api->fault(c, seq, "host %s of cluster %s has no pg_seq of 0 or more", h, cls);
		c->api->hint(c, "Give each host of a cluster a number of its own.");
	}
	if (!role || !word_in("primary replica offline standby delayed", role)) {
		c->api->fault(c, get(c, h, "pg_role"), "host %s of cluster %s has no pg_role", h, cls);
		c->api->hint(c, "One of primary, replica, offline, standby, delayed.");
	}
}

static void shape(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	size_t n = c->val->len(hosts), primaries = 0, unsure = 0;
	const char *other = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *h = host_at(c, hosts, i);
		int64_t seq = c->val->num(get(c, h, "pg_seq"), -1);

		for (size_t k = 0; k < i; k++)
			if (seq >= 0 && c->val->num(get(c, host_at(c, hosts, k), "pg_seq"), -1) == seq)
				c->api->fault(c, get(c, h, "pg_seq"), "%s and %s of cluster %s both have pg_seq %lld",
					      host_at(c, hosts, k), h, c->cluster, (long long)seq);
		unsure += !get(c, h, "pg_role"); /* told as that */
		if (strcmp(text(c, h, "pg_role", ""), "primary"))
			continue;
		if (primaries++) {
			c->api->fault(c, get(c, h, "pg_role"), "cluster %s has two primaries: %s and %s", c->cluster,
				      other, h);
			c->api->hint(c, "Give pg_role replica to all but one.");
		} else {
			other = h;
		}
	}
	if (n && !primaries && !unsure) {
		c->api->fault(c, get(c, first, "pg_role"), "cluster %s has no primary", c->cluster);
		c->api->hint(c, "Give pg_role primary to the host that is to make it.");
	}
}

static bool is_ip(const char *s)
{
	int dots = 0;

	for (const char *p = s; *p; p++)
		dots += *p == '.';
	return strchr(s, ':') ? only(s, ":.") : dots == 3 && !s[strspn(s, "0123456789.")];
}

/* pg_upstream where it names no host of the inventory, or NULL. */
static const char *upstream_away(pig_check *c)
{
	const char *up = text(c, c->hostname, "pg_upstream", "");
	const pig_value *all;

	if (!text(c, c->hostname, "pg_cluster", NULL) || !*up)
		return NULL; /* most hosts: what follows would bind the rule to all hosts' values */
	all = c->api->members(c, NULL);
	for (size_t i = 0; i < c->val->len(all); i++)
		if (!strcmp(host_at(c, all, i), up) || !strcmp(text(c, host_at(c, all, i), "ansible_host", ""), up))
			return NULL;
	return up;
}

static void upstream(pig_check *c)
{
	const char *up = upstream_away(c);

	if (up && !is_ip(up))
		c->api->fault(c, get(c, c->hostname, "pg_upstream"),
			      "pg_upstream \"%s\" is neither a host of the inventory nor an address", up);
}

static void upstream_unknown(pig_check *c)
{
	const char *up = upstream_away(c);

	if (!up || !is_ip(up))
		return;
	c->api->fault(c, get(c, c->hostname, "pg_upstream"), "pg_upstream %s is no host of the inventory", up);
	c->api->hint(c, "A server that others keep may be one; else it is mistyped.");
}

/* ---- users and databases ---- */

static bool is_user_name(const char *s)
{
	return strlen(s) <= 63 && ((s[0] >= 'a' && s[0] <= 'z') || s[0] == '_') && only(s, "_@.-");
}

static void twice(pig_check *c, const pig_value *list, const char *what)
{
	for (size_t i = 0; i < c->val->len(list); i++)
		for (size_t k = 0; k < i; k++) {
			const char *a = c->val->str(c->val->key(c->val->at(list, i), "name"), "");

			if (*a && !strcmp(a, c->val->str(c->val->key(c->val->at(list, k), "name"), "")))
				c->api->fault(c, c->val->at(list, i), "%s %s is there twice", what, a);
		}
}

static void settings_of(pig_check *c, const pig_value *item)
{
	const pig_value *m = c->val->key(item, "parameters");

	for (size_t i = 0; i < c->val->len(m); i++)
		if (!only(c->val->key_at(m, i), "_."))
			c->api->fault_at_key(c, m, c->val->key_at(m, i), "\"%s\" is no name of a setting",
					     c->val->key_at(m, i));
}

static void users(pig_check *c)
{
	static const char *const lists[] = {"pg_users", "pg_default_roles"};

	for (int k = 0; k < 2; k++) {
		const pig_value *all = get(c, first, lists[k]);

		twice(c, all, "user");
		for (size_t i = 0; i < c->val->len(all); i++) {
			const pig_value *u = c->val->at(all, i);
			const char *name = c->val->str(c->val->key(u, "name"), ""),
				   *at = c->val->str(c->val->key(u, "expire_at"), "infinity");

			if (!is_user_name(name)) {
				c->api->fault(c, u, "\"%s\" cannot be a user's name", name);
				c->api->hint(c, "Small letters, digits, _ @ . and -, at most 63, a letter or _ first.");
			}
			if (strcmp(at, "infinity") &&
			    (strlen(at) < 10 || at[4] != '-' || at[7] != '-' || at[strspn(at, "0123456789-: +TZ")]))
				c->api->fault(c, c->val->key(u, "expire_at"),
					      "expire_at \"%s\" is no date such as 2030-12-31", at);
			settings_of(c, u);
		}
	}
}

static void databases(pig_check *c)
{
	const pig_value *all = get(c, first, "pg_databases");

	twice(c, all, "database");
	for (size_t i = 0; i < c->val->len(all); i++) {
		const pig_value *db = c->val->at(all, i);
		const char *name = c->val->str(c->val->key(db, "name"), ""),
			   *state = c->val->str(c->val->key(db, "state"), "create");

		if (!only(name, "_-.") || strlen(name) > 63 || !strcmp(name, "template0"))
			c->api->fault(c, db, "\"%s\" cannot be a database's name", name);
		if (strcmp(state, "create") && (!strcmp(name, "postgres") || !strcmp(name, "template1")))
			c->api->fault(c, c->val->key(db, "state"), "database %s has to stay", name);
		settings_of(c, db);
	}
}

static void privileges(pig_check *c)
{
	const pig_value *all = get(c, first, "pg_default_privileges");

	for (size_t i = 0; i < c->val->len(all); i++) {
		const char *s = c->val->str(c->val->at(all, i), ""), *on = strstr(s, " ON "),
			   *to = on ? strstr(on, " TO ") : NULL;

		if (strncmp(s, "GRANT ", 6) || !to || strpbrk(s, ";'\"\\"))
			c->api->fault(c, c->val->at(all, i),
				      "default privilege is not of the form GRANT <rights> ON <TABLES...> TO <roles>");
	}
}

/* ---- access ---- */

static void hba(pig_check *c)
{
	static const char *const lists[] = {"pg_hba_rules", "pg_default_hba_rules", "pgb_hba_rules",
					    "pgb_default_hba_rules"};

	for (int k = 0; k < 4; k++) {
		const pig_value *all = get(c, first, lists[k]);

		for (size_t i = 0; i < c->val->len(all); i++) {
			const char *why = hba_fault(c->val, c->val->at(all, i), k >= 2);

			if (why)
				c->api->fault(c, c->val->at(all, i), "rule %zu of %s: %s", i + 1, lists[k], why);
		}
	}
}

/* Where they listen is compared with all others by the engine. */
static void services(pig_check *c)
{
	static const char *const lists[] = {"pg_services", "pg_default_services"};

	for (int k = 0; k < 2; k++) {
		const pig_value *all = get(c, first, lists[k]);

		for (size_t i = 0; i < c->val->len(all); i++) {
			const pig_value *s = c->val->at(all, i);
			const char *name = c->val->str(c->val->key(s, "name"), "");

			if (!only(name, "_-"))
				c->api->fault(c, s, "\"%s\" cannot be a service's name", name);
		}
	}
}

static void vip(pig_check *c)
{
	const char *h = first, *vip = text(c, h, "pg_vip_address", "");
	const char *slash = strchr(vip, '/');

	if (!c->val->truth(get(c, h, "pg_vip_enabled"), false))
		return;
	if (!slash || strspn(vip, "0123456789.:abcdefABCDEF") != (size_t)(slash - vip) || !only(slash + 1, "") ||
	    !strncmp(vip, "127.", 4)) {
		c->api->fault(c, get(c, h, "pg_vip_address"), "pg_vip_address \"%s\" is no address with a mask", vip);
		c->api->hint(c, "Such as 10.10.10.3/24.");
	}
}

/* Members hold the address on an interface of their own: it must be in its network, and nobody's yet. */
static void vip_network(pig_check *c)
{
	const pig_value *at = get(c, first, "pg_vip_address");
	const char *vip = c->val->str(at, ""), *slash = strchr(vip, '/');
	unsigned bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
	struct in_addr in, host;

	if (!c->val->truth(get(c, first, "pg_vip_enabled"), false) || bits < 1 || bits > 32 || !strncmp(vip, "127.", 4) ||
	    inet_pton(AF_INET, c->api->fmt(c, "%.*s", (int)(slash - vip), vip), &in) != 1)
		return;

	const pig_value *hosts = c->api->members(c, c->cluster);
	for (size_t i = 0; i < c->val->len(hosts); i++) {
		const char *h = host_at(c, hosts, i);

		if (inet_pton(AF_INET, h, &host) != 1 && inet_pton(AF_INET, text(c, h, "ansible_host", ""), &host) != 1)
			continue;
		if (host.s_addr == in.s_addr)
			c->api->fault(c, at, "pg_vip_address %s is the address of member %s", vip, h);
		else if ((ntohl(host.s_addr) ^ ntohl(in.s_addr)) >> (32 - bits))
			c->api->fault(c, at, "pg_vip_address %s is not in the network of member %s", vip, h);
	}
}

/* ---- timings ---- */

static void timing(pig_check *c, const pig_value *plans, const char *name)
{
	const pig_value *plan = c->val->key(plans, name);
	int64_t ttl = c->val->num(c->val->at(plan, 0), 0), loop = c->val->num(c->val->at(plan, 1), 0);
	int64_t retry = c->val->num(c->val->at(plan, 2), 0);

	if (c->val->len(plan) != RTO_N) {
		c->api->fault(c, plan, "plan %s of pg_rto_plan does not have ten values", name);
	} else if (loop + 2 * retry > ttl) {
		c->api->fault(c, plan, "plan %s: loop wait %lld + 2 x retry timeout %lld is more than the ttl of %lld",
			      name, (long long)loop, (long long)retry, (long long)ttl);
		c->api->hint(c, "A leader that cannot reach etcd would lose its lease before it gives up trying.");
	}
}

static void rto(pig_check *c)
{
	const char *h = first, *want = text(c, h, "pg_rto", "norm");
	const pig_value *plans = get(c, h, "pg_rto_plan");
	bool seconds = want[0] >= '0' && want[0] <= '9';

	for (size_t i = 0; i < c->val->len(plans); i++)
		timing(c, plans, c->val->key_at(plans, i));
	if (seconds &&
	    (want[strspn(want, "0123456789")] || strtol(want, NULL, 10) < 20 || strtol(want, NULL, 10) > 3600)) {
		c->api->fault(c, get(c, h, "pg_rto"), "pg_rto %s: Patroni's lease is between 20 and 3600 seconds",
			      want);
		c->api->hint(c, "The plan \"fast\" is the quickest: 20 seconds.");
	} else if (!seconds && !c->val->key(plans, want)) {
		c->api->fault(c, get(c, h, "pg_rto"), "pg_rto \"%s\" is no plan of pg_rto_plan", want);
		c->api->hint(c, "fast, norm, safe, wide, or a number of seconds.");
	}
}

/* ---- warnings ---- */

static void advice(pig_check *c)
{
	const char *h = first, *conf = text(c, h, "pg_conf", "oltp.yml");

	if (!word_in("oltp.yml olap.yml crit.yml tiny.yml oltp olap crit tiny", conf))
		c->api->fault(c, get(c, h, "pg_conf"), "pg_conf \"%s\" is no known tuning: oltp.yml is used", conf);
	if (strncmp(conf, "crit", 4))
		return;

	size_t n = c->val->len(c->api->members(c, c->cluster));
	if (n < 3)
		c->api->fault(c, get(c, h, "pg_conf"),
			      "cluster %s of %zu members uses crit.yml: when no replica confirms, writes stop",
			      c->cluster, n);
}

const struct pig_rule pgsql_rules[PGSQL_RULES] = {
	{.id = "pg_identity", .scope = PIG_HOST, .check = identity},
	{.id = "pg_cluster_shape", .scope = PIG_OF_CLUSTER, .check = shape},
	{.id = "pg_upstream", .scope = PIG_HOST, .check = upstream, .flags = PIG_BY_VALUES},
	{.id = "pg_upstream_unknown", .scope = PIG_HOST, .warn = 1, .check = upstream_unknown, .flags = PIG_BY_VALUES},
	{.id = "pg_users", .scope = PIG_OF_CLUSTER, .check = users, .flags = PIG_BY_VALUES},
	{.id = "pg_databases", .scope = PIG_OF_CLUSTER, .check = databases, .flags = PIG_BY_VALUES},
	{.id = "pg_default_privileges", .scope = PIG_OF_CLUSTER, .check = privileges, .flags = PIG_BY_VALUES},
	{.id = "pg_hba_rules", .scope = PIG_OF_CLUSTER, .check = hba, .flags = PIG_BY_VALUES},
	{.id = "pg_services", .scope = PIG_OF_CLUSTER, .check = services, .flags = PIG_BY_VALUES},
	{.id = "pg_vip_address", .scope = PIG_OF_CLUSTER, .check = vip, .flags = PIG_BY_VALUES},
	{.id = "pg_vip_network", .scope = PIG_OF_CLUSTER, .warn = 1, .check = vip_network, .flags = PIG_BY_VALUES},
	{.id = "pg_rto", .scope = PIG_OF_CLUSTER, .check = rto, .flags = PIG_BY_VALUES},
	{.id = "pg_mode", .scope = PIG_OF_CLUSTER, .warn = 2, .must = "pg_mode == 'pgsql'",
	 .say = "pg_mode {{ pg_mode }}: this module makes a plain PostgreSQL"},
	{.id = "pg_backup", .scope = PIG_OF_CLUSTER, .check = pgsql_rule_backup, .flags = PIG_BY_VALUES},
	{.id = "pg_pitr", .scope = PIG_OF_CLUSTER, .check = pgsql_rule_pitr, .flags = PIG_BY_VALUES},
	{.id = "pg_names", .scope = PIG_HOST, .check = pgsql_rule_names, .flags = PIG_BY_VALUES},
	{.id = "pg_exporters", .scope = PIG_ALL, .check = pgsql_rule_exporters},
	{.id = "pg_belongs", .scope = PIG_OF_CLUSTER, .warn = 1, .check = pgsql_rule_belongs, .flags = PIG_BY_VALUES},
	{.id = "pg_advice", .scope = PIG_OF_CLUSTER, .warn = 1, .check = advice, .flags = PIG_BY_VALUES},
};

const struct pig_listen pgsql_listens[PGSQL_LISTENS] = {
	{.port = "pg_port"},
	{.port = "pgbouncer_port", .when = "pgbouncer_enabled"},
	{.port = "patroni_port", .when = "patroni_enabled"},
	{.port = "pg_exporter_port", .when = "pg_exporter_enabled"},
	{.port = "pgbouncer_exporter_port", .when = "pgbouncer_exporter_enabled and pgbouncer_enabled"},
	{.port = "pgbackrest_exporter_port", .when = "pgbackrest_exporter_enabled and pgbackrest_enabled"},
	{.port = "pg_services[].port", .addr = "ip"},
	{.port = "pg_default_services[].port", .addr = "ip"},
};
