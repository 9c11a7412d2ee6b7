/*
 * What other modules and nodes have to do with the infra nodes: the address they are found at, the ports that are theirs,
 * and the names of modules that may not be there.
 */
#include "module.h"

#include <stdlib.h>

#define EACH(c, list, i) for (size_t i = 0; i < (c)->val->len(list); i++)

static const char *text(pig_check *c, const char *host, const char *name, const char *dflt)
{
	return c->val->str(c->api->get(c, host, name), dflt);
}

/* The infra nodes, or NULL: there is no such group. */
static const pig_value *nodes(pig_check *c)
{
	return c->api->members(c, "infra");
}

static bool is_address(const char *s)
{
	return *s && (strchr(s, ':') || !s[strspn(s, "0123456789.")]);
}

/* The address that nodes get packages, names and time from is an infra node's. Hosts known by name alone tell nothing. */
void infra_check_admin(pig_check *c)
{
	const pig_value *all = nodes(c);

	EACH(c, all, i) {
		const char *host = c->val->str(c->val->at(all, i), "");
		const pig_value *ip = c->api->get(c, host, "admin_ip");
		bool found = false, names = false;
		EACH(c, all, k) {
			const char *other = c->val->str(c->val->at(all, k), "");
			const char *at = text(c, other, "ansible_host", other);
			found = found || !strcmp(other, c->val->str(ip, "")) || !strcmp(at, c->val->str(ip, ""));
			names = names || (!is_address(other) && !is_address(at));
		}
		if (found || names || !ip)
			continue;
		c->api->fault(c, ip, "admin_ip %s is the address of no infra node", c->val->str(ip, ""));
		c->api->hint(c, "Nodes look there for packages, names and time: name a host of group \"infra\".");
	}
}

/* "1m30s" in milliseconds; a number alone is seconds. */
static double milliseconds(const char *s)
{
	static const struct { const char *unit; double ms; } units[] = {
		{ "ms", 1 }, { "s", 1e3 }, { "min", 6e4 }, { "m", 6e4 }, { "h", 36e5 }, { "d", 864e5 }, { "w", 6048e5 },
	};
	double sum = 0;

	while (*s) {
		char *end;
		double n = strtod(s, &end), ms = 1e3;
		if (end == s)
			return -1;
		s = end;
		for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
			size_t len = strlen(units[i].unit);
			if (!strncmp(s, units[i].unit, len)) {
				ms = units[i].ms;
				s += len;
				break;
			}
		}
		sum += n * ms;
	}
	return sum;
}

void infra_check_scraping(pig_check *c)
{
	const pig_value *every = c->api->get(c, NULL, "vmetrics_scrape_interval");
	const pig_value *most = c->api->get(c, NULL, "vmetrics_scrape_timeout");

	if (every && most && milliseconds(c->val->str(most, "")) > milliseconds(c->val->str(every, "")))
		c->api->fault(c, most, "vmetrics_scrape_timeout %s is longer than vmetrics_scrape_interval %s",
			      c->val->str(most, ""), c->val->str(every, ""));
}

#define HERE(also) "infra_seq is defined" also
const struct pig_listen infra_listens[INFRA_LISTENS] = {
	{ .port = "nginx_port", .when = HERE(" and nginx_enabled") },
	{ .port = "nginx_ssl_port", .when = HERE(" and nginx_enabled and nginx_sslmode != 'disable'") },
	{ .port = "nginx_exporter_port", .when = HERE(" and nginx_exporter_enabled") },
	{ .port = "dns_port", .when = HERE(" and dns_enabled") },
	{ .port = "vmetrics_port", .when = HERE(" and vmetrics_enabled") },
	{ .port = "vlogs_port", .when = HERE(" and vlogs_enabled") },
	{ .port = "vtraces_port", .when = HERE(" and vtraces_enabled") },
	{ .port = "vmalert_port", .when = HERE(" and vmalert_enabled") },
	{ .port = "blackbox_port", .when = HERE(" and blackbox_enabled") },
	{ .port = "alertmanager_port", .when = HERE(" and alertmanager_enabled") },
	{ .port = "grafana_port", .when = HERE(" and grafana_enabled") },
};

const struct pig_other infra_others[INFRA_OTHERS] = {
	{ "node", "node_* nodename* vip_* haproxy_* vector_*" },
	{ "etcd", "etcd_*" },
	{ "pgsql", "pg_* pgb_* pgbouncer_* pgbackrest_* patroni_* pgsodium_*" },
	{ "redis", "redis_*" },
	{ "minio", "minio_*" },
	{ "docker", "docker_* app apps" },
	{ "ferret", "ferret_* mongo_* FERRETDB_*" },
	{ "juice", "juice_* fsname" },
	{ "vibe", "vibe_* code_* jupyter_* codex_* claude_* nodejs_* npm_packages" },
	{ "kafka", "kafka_*" },
	{ "mysql", "mysql_*" },
	{ "cache", "cache_pkg_name cache_pkg_dir cache_repo" },
	{ "prometheus", "prometheus_* promtail_* loki_* pushgateway_* alertmanager_exporter_port" },
};
