/* What must hold for infra nodes before any host is touched, the ports they listen on, and the names of modules that may
 * not be there. */
#include "module.h"
#include "rows.h"

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

static void numbers(pig_check *c)
{
	const pig_value *all = nodes(c);

	EACH(c, all, i) {
		const char *host = c->val->str(c->val->at(all, i), "");
		const pig_value *seq = c->api->get(c, host, "infra_seq");
		if (seq && c->val->num(seq, 0) < 0)
			c->api->fault(c, seq, "infra_seq must not be negative");
		for (size_t k = 0; seq && k < i; k++) {
			const char *other = c->val->str(c->val->at(all, k), "");
			if (c->val->num(seq, -1) == c->val->num(c->api->get(c, other, "infra_seq"), -2))
				c->api->fault(c, seq, "infra_seq %" PRId64 " is that of %s already", c->val->num(seq, 0),
					      other);
		}
	}
}

static bool is_address(const char *s)
{
	return *s && (strchr(s, ':') || !s[strspn(s, "0123456789.")]);
}

/* The address that nodes get packages, names and time from is an infra node's. Hosts known by name alone tell nothing. */
static void admin(pig_check *c)
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

/* nginx could not tell two sites of one name apart. */
static void portal(pig_check *c)
{
	const pig_value *all = nodes(c);
	const pig_value *sites = c->val->len(all) ? c->api->get(c, c->val->str(c->val->at(all, 0), ""), "infra_portal") : NULL;

	EACH(c, sites, i) {
		const pig_value *domain = c->val->key(c->val->at(sites, i), "domain");
		for (size_t k = 0; domain && k < i; k++)
			if (!strcmp(c->val->str(domain, ""),
				    c->val->str(c->val->key(c->val->at(sites, k), "domain"), "-")))
				c->api->fault(c, domain, "infra_portal: sites %s and %s both have the domain %s",
					      c->val->key_at(sites, k), c->val->key_at(sites, i),
					      c->val->str(domain, ""));
		if (domain && c->val->key(c->val->at(sites, i), "path") &&
		    c->val->key(c->val->at(sites, i), "endpoint"))
			c->api->fault(c, c->val->key(c->val->at(sites, i), "path"),
				      "infra_portal: site %s has both path and endpoint", c->val->key_at(sites, i));
	}
}

/* dnsmasq takes lines as /etc/hosts has them. */
static void records(pig_check *c)
{
	const pig_value *lines = c->api->get(c, NULL, "dns_records");

	EACH(c, lines, i) {
		const char *line = c->val->str(c->val->at(lines, i), "");
		size_t n = strcspn(line, " \t");
		if (*line == '#' || (is_address(c->api->fmt(c, "%.*s", (int)n, line)) && line[n + strspn(line + n, " \t")]))
			continue;
		c->api->fault(c, c->val->at(lines, i), "dns_records: \"%s\" is no line of an address and names", line);
		c->api->hint(c, "Such as \"10.10.10.10 i.pigsty\".");
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

static void scraping(pig_check *c)
{
	const pig_value *every = c->api->get(c, NULL, "vmetrics_scrape_interval");
	const pig_value *most = c->api->get(c, NULL, "vmetrics_scrape_timeout");

	if (every && most && milliseconds(c->val->str(most, "")) > milliseconds(c->val->str(every, "")))
		c->api->fault(c, most, "vmetrics_scrape_timeout %s is longer than vmetrics_scrape_interval %s",
			      c->val->str(most, ""), c->val->str(every, ""));
}

static const char seq_hint[] = "Number the infra nodes: infra_seq: 1, 2, ...";
const struct pig_rule infra_rules[INFRA_RULES] = {
	{ .id = "infra_seq", .scope = PIG_HOST, .warn = 1,
	  .must = "'infra' not in group_names or infra_seq is defined",
	  .say = "the host is in group \"infra\" and has no infra_seq", .hint = seq_hint },
	{ .id = "infra_seq_once", .scope = PIG_ALL, .check = numbers },
	{ .id = "admin_ip", .scope = PIG_ALL, .warn = 1, .check = admin },
	{ .id = "infra_portal", .scope = PIG_ALL, .check = portal },
	{ .id = "dns_records", .scope = PIG_ALL, .check = records },
	{ .id = "vmetrics_scrape_timeout", .scope = PIG_ALL, .check = scraping },
};

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
