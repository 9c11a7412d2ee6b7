/* What must hold for names, addresses and watched servers, and what users and databases should name. */
#include "pgsql.h"

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

/* The first host of the cluster that is being tried, for values that are the same on all. */
static const char *const first = NULL;

/* ---- names, addresses, shares ---- */

static bool is_ipv4(const char *s)
{
	int dots = 0;

	for (const char *p = s; *p; p++)
		dots += *p == '.';
	return dots == 3 && !s[strspn(s, "0123456789.")];
}

static void listens(pig_check *c, const char *h)
{
	const char *list = text(c, h, "pg_listen", "0.0.0.0");

	for (const char *p = list; *p;) {
		size_t n;

		p += strspn(p, " ,");
		n = strcspn(p, " ,");
		if (n && strncmp(p, "${", 2) && strspn(p, "0123456789.:abcdefABCDEF*") < n)
			c->api->fault(c, get(c, h, "pg_listen"), "pg_listen has \"%.*s\", which is no address", (int)n,
				      p);
		else if (!strncmp(p, "${", 2) && !word_in("${ip} ${lo} ${vip}", c->api->fmt(c, "%.*s", (int)n, p)))
			c->api->fault(c, get(c, h, "pg_listen"),
				      "pg_listen knows ${ip}, ${lo} and ${vip}, not \"%.*s\"", (int)n, p);
		else if (n == 6 && !strncmp(p, "${vip}", 6) && !c->val->truth(get(c, h, "pg_vip_enabled"), false))
			c->api->fault(c, get(c, h, "pg_listen"), "pg_listen has ${vip}, and pg_vip_enabled is not on");
		p += n;
	}
}

void pgsql_rule_names(pig_check *c)
{
	const char *h = c->hostname, *to = text(c, h, "pg_dns_target", "auto");
	int64_t weight = c->val->num(get(c, h, "pg_weight"), 100);
	double ratio = c->val->real(get(c, h, "pg_shared_buffer_ratio"), 0.25);

	if (!word_in("auto primary vip none", to) && !is_ipv4(to)) {
		c->api->fault(c, get(c, h, "pg_dns_target"),
			      "pg_dns_target \"%s\" is neither a known word nor an address", to);
		c->api->hint(c, "auto, primary, vip, none, or an IPv4 address.");
	} else if (!strcmp(to, "vip") && !c->val->truth(get(c, h, "pg_vip_enabled"), false)) {
		c->api->fault(c, get(c, h, "pg_dns_target"), "pg_dns_target is vip, and pg_vip_enabled is not on");
	}
	if (weight < 0 || weight > 255)
		c->api->fault(c, get(c, h, "pg_weight"), "pg_weight %lld is not between 0 and 255", (long long)weight);
	if (ratio < 0.05 || ratio > 0.9) {
		c->api->fault(c, get(c, h, "pg_shared_buffer_ratio"),
			      "pg_shared_buffer_ratio is a share of memory: 0.05 to 0.9");
		c->api->hint(c, "0.25 is usual.");
	}
	listens(c, h);
}

/* ---- watched servers ---- */

static void watched(pig_check *c, const pig_value *all)
{
	const struct pig_values *v = c->val;

	for (size_t i = 0; i < v->len(all); i++) {
		const char *key = v->key_at(all, i), *cls = v->str(v->key(v->at(all, i), "pg_cluster"), "");
		long long port = strtoll(key, NULL, 10), seq = v->num(v->key(v->at(all, i), "pg_seq"), -1);

		if (!*key || key[strspn(key, "0123456789")] || port < 1 || port > 65535)
			c->api->fault_at_key(c, all, key, "\"%s\" in pg_exporters is no port", key);
		for (size_t k = 0; k < i && seq >= 0; k++)
			if (*cls && !strcmp(cls, v->str(v->key(v->at(all, k), "pg_cluster"), "")) &&
			    v->num(v->key(v->at(all, k), "pg_seq"), -1) == seq)
				c->api->fault_at_key(c, all, key, "%s-%lld is in pg_exporters twice, at %s and %s", cls,
						     seq, v->key_at(all, k), key);
	}
}

/* They stand at infra nodes, which are in no cluster of this module. */
void pgsql_rule_exporters(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, NULL);

	for (size_t i = 0; i < c->val->len(hosts); i++)
		watched(c, get(c, c->val->str(c->val->at(hosts, i), ""), "pg_exporters"));
}

/* ---- what names what ---- */

/* A role that the inventory makes, or that every server has. */
static bool is_made(pig_check *c, const char *name)
{
	static const char *const lists[] = {"pg_users", "pg_default_roles"};
	static const char *const system[] = {"pg_dbsu", "pg_replication_username", "pg_admin_username",
					     "pg_monitor_username"};
	const char *h = first;

	if (!strncmp(name, "pg_", 3))
		return true;
	for (int k = 0; k < 4; k++)
		if (!strcmp(text(c, h, system[k], ""), name))
			return true;
	for (int k = 0; k < 2; k++) {
		const pig_value *all = get(c, h, lists[k]);

		for (size_t i = 0; i < c->val->len(all); i++)
			if (!strcmp(c->val->str(c->val->key(c->val->at(all, i), "name"), ""), name))
				return true;
	}
	return false;
}

static void users(pig_check *c, const pig_value *all)
{
	const struct pig_values *v = c->val;

	for (size_t i = 0; i < v->len(all); i++) {
		const pig_value *u = v->at(all, i), *roles = v->key(u, "roles");
		const char *name = v->str(v->key(u, "name"), "");

		for (size_t k = 0; k < v->len(roles); k++) {
			const pig_value *r = v->at(roles, k);
			const char *role = v->type(r) == PIG_MAP ? v->str(v->key(r, "name"), "") : v->str(r, "");

			if (*role && !is_made(c, role)) {
				c->api->fault(c, r, "user %s is to be in role %s, which the inventory does not make",
					      name, role);
				c->api->hint(c, "If it is not in the server either, the run fails there.");
			}
		}
		if (v->truth(v->key(u, "pgbouncer"), false) && !v->truth(v->key(u, "login"), true))
			c->api->fault(c, v->key(u, "pgbouncer"), "user %s is known to PgBouncer and may not log in",
				      name);
	}
}

void pgsql_rule_belongs(pig_check *c)
{
	const struct pig_values *v = c->val;
	const pig_value *all = get(c, first, "pg_databases");

	if (!get(c, first, "pg_users") || !get(c, first, "pg_default_roles"))
		return; /* not of their form, which is told */
	users(c, get(c, first, "pg_users"));
	for (size_t i = 0; i < v->len(all); i++) {
		const pig_value *db = v->at(all, i), *schemas = v->key(db, "schemas");
		const char *name = v->str(v->key(db, "name"), ""), *owner = v->str(v->key(db, "owner"), NULL);
		int64_t most = v->num(v->key(db, "pool_size"), 50), least = v->num(v->key(db, "pool_size_min"), 0);

		if (owner && *owner && !is_made(c, owner))
			c->api->fault(c, v->key(db, "owner"),
				      "database %s is to be %s's, whom the inventory does not make", name, owner);
		for (size_t k = 0; k < v->len(schemas); k++) {
			owner = v->str(v->key(v->at(schemas, k), "owner"), NULL);
			if (owner && !is_made(c, owner))
				c->api->fault(c, v->key(v->at(schemas, k), "owner"),
					      "a schema of %s is to be %s's, whom the inventory does not make", name,
					      owner);
		}
		if (least > most)
			c->api->fault(c, v->key(db, "pool_size_min"),
				      "database %s keeps %lld connections of a pool of %lld", name, (long long)least,
				      (long long)most);
	}
}
