/* What must hold for Redis hosts and clusters before any host is touched: identity, ports, paths, values of a whole
 * cluster. Who follows and watches whom is in rules_topology.c. */
#include "module.h"

#include <stdlib.h>

const char *check_text(pig_check *c, const char *host, const char *name, const char *dflt)
{
	return c->val->str(c->api->get(c, host, name), dflt);
}

const char *check_host(pig_check *c, const pig_value *hosts, size_t i)
{
	return c->val->str(c->val->at(hosts, i), "");
}

int64_t check_port(const char *text)
{
	size_t n = strspn(text, "0123456789");
	long port = n && n < 6 && !text[n] && text[0] != '0' ? strtol(text, NULL, 10) : -1;

	return port >= 1024 && port <= 65535 ? port : -1;
}

const char *check_at(pig_check *c, const char *ip)
{
	const pig_value *all = c->api->members(c, NULL);

	for (size_t i = 0; i < c->val->len(all); i++) {
		const char *h = check_host(c, all, i);
		if (!strcmp(h, ip) || !strcmp(check_text(c, h, "ansible_host", ""), ip))
			return h;
	}
	return NULL;
}

bool check_has_port(pig_check *c, const char *host, int64_t port)
{
	return *check_text(c, host, "redis_cluster", "") &&
	       c->val->key(c->api->get(c, host, "redis_instances"), c->api->fmt(c, "%" PRId64, port));
}

/* ---- identity ---- */

static void lost(pig_check *c)
{
	static const char *const names[] = {"redis_node", "redis_instances"};
	const pig_value *all = c->api->members(c, NULL);

	for (size_t i = 0; i < c->val->len(all); i++)
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			const char *h = check_host(c, all, i);
			const pig_value *v = c->api->get(c, h, names[k]);
			if (v && !*check_text(c, h, "redis_cluster", "")) {
				c->api->fault(c, v, "host %s has %s and is in no redis_cluster", h, names[k]);
				c->api->hint(c, "Set redis_cluster in the vars of its group.");
			}
		}
}

static void nodes(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);

	for (size_t i = 0; i < c->val->len(hosts); i++) {
		const char *h = check_host(c, hosts, i);
		const pig_value *v = c->api->get(c, h, "redis_node");
		int64_t n = c->val->num(v, -1);
		if (v && n < 0)
			c->api->fault(c, v, "redis_node must not be negative");
		for (size_t k = 0; v && n >= 0 && k < i; k++)
			if (c->val->num(c->api->get(c, check_host(c, hosts, k), "redis_node"), -1) == n) {
				c->api->fault(c, v, "%s and %s of Redis cluster \"%s\" both have redis_node %" PRId64,
					      check_host(c, hosts, k), h, c->cluster, n);
				c->api->hint(c, "Give each host of the cluster a number of its own.");
			}
	}
}

/* ---- ports ---- */

static void ports(pig_check *c)
{
	const pig_value *list = c->api->get(c, c->hostname, "redis_instances");
	bool native = !strcmp(check_text(c, c->hostname, "redis_mode", ""), "cluster");

	if (list && !c->val->len(list)) {
		c->api->fault(c, list, "redis_instances of %s is empty", c->hostname);
		c->api->hint(c, "Name a port at least: redis_instances: { 6379: {} }.");
	}
	for (size_t i = 0; i < c->val->len(list); i++) {
		const char *key = c->val->key_at(list, i);
		int64_t port = check_port(key);
		if (port < 0) {
			c->api->fault_at_key(c, list, key, "\"%s\" cannot be an instance's port", key);
			c->api->hint(c, "Instances are named by their port, from 1024 to 65535.");
			continue;
		}
		if (!native)
			continue;
		if (port > 55535) {
			c->api->fault_at_key(c, list, key,
					     "port %" PRId64 " leaves no room for the cluster bus at %" PRId64, port,
					     port + 10000);
			c->api->hint(c, "Instances of a native cluster speak to each other 10000 above their port.");
		} else if (c->val->key(list, c->api->fmt(c, "%" PRId64, port + 10000))) {
			c->api->fault_at_key(c, list, key,
					     "the cluster bus of port %" PRId64 " is the port of another instance",
					     port);
		}
	}
}

static void chosen_port(pig_check *c)
{
	const pig_value *all = c->api->members(c, NULL), *port = NULL;

	for (size_t i = 0; i < c->val->len(all); i++) {
		const char *h = check_host(c, all, i);
		port = c->api->get(c, h, "redis_port");
		if (!port || check_has_port(c, h, c->val->num(port, 0)))
			return;
	}
	if (port)
		c->api->fault(c, port, "no host has a Redis instance on redis_port %" PRId64, c->val->num(port, 0));
}

/* ---- values that stand in files of another's form ---- */

static void save_rules(pig_check *c, const char *host)
{
	const pig_value *all = c->api->get(c, host, "redis_rdb_save");

	for (size_t i = 0; i < c->val->len(all); i++) {
		const char *s = c->val->str(c->val->at(all, i), "");
		size_t k = strspn(s, "0123456789"), n = s[k] == ' ' ? strspn(s + k + 1, "0123456789") : 0;
		if (k && n && !s[k + 1 + n] && *s != '0' && s[k + 1] != '0')
			continue;
		c->api->fault(c, c->val->at(all, i), "rule \"%s\" of redis_rdb_save is not \"seconds changes\"", s);
		c->api->hint(c, "Such as \"1200 1\": save after 1200 s if anything changed.");
	}
}

static void values(pig_check *c)
{
	const char *h = c->hostname, *size = check_text(c, h, "redis_max_memory", "0");

	if (redis_bytes(size) < 0) {
		c->api->fault(c, c->api->get(c, h, "redis_max_memory"),
			      "redis_max_memory \"%s\" is no size as Redis reads it", size);
		c->api->hint(c, "A whole number and b, kb, mb or gb: 512mb, 2GB.");
	}
	if (strpbrk(check_text(c, h, "redis_password", ""), " \t\n\"'\\")) {
		c->api->fault(c, c->api->get(c, h, "redis_password"), "redis_password must be one word");
		c->api->hint(c, "Without spaces, quotes and backslashes.");
	}
	if (strpbrk(check_text(c, h, "redis_exporter_options", ""), "\"\n"))
		c->api->fault(c, c->api->get(c, h, "redis_exporter_options"),
			      "redis_exporter_options must be words of one line, without double quotes");
	save_rules(c, h);
}

/* ---- paths ---- */

static void folder(pig_check *c)
{
	const pig_value *v = c->api->get(c, c->hostname, "redis_fs_main");
	const char *path = c->val->str(v, "/data/redis");
	size_t n = strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-");

	if (!strcmp(path, "/data") || !strcmp(path, "/data/")) {
		c->api->fault(c, v, "redis_fs_main must not be %s itself", path);
		c->api->hint(c,
			     "Other modules keep their data there, too: use a folder of its own, such as /data/redis.");
	} else if (path[0] == '/' && !path[strspn(path, "/")]) {
		c->api->fault(c, v, "redis_fs_main names no folder");
	} else if (path[0] != '/' || path[n]) {
		c->api->fault(c, v, "redis_fs_main \"%s\" must be an absolute path of letters, digits and . _ - /",
			      path);
	} else if (strstr(path, "/../") || strstr(path, "/./") || strstr(path, "//") || path[strlen(path) - 1] == '/') {
		c->api->fault(c, v, "redis_fs_main \"%s\" must be written without . , .. , // and a / at its end",
			      path);
	}
}

/* ---- what a cluster has in common ---- */

static void same(pig_check *c)
{
	static const char *const names[] = {"redis_mode", "redis_type", "redis_password", "redis_cluster_replicas",
					    "redis_fs_main"};
	const pig_value *hosts = c->api->members(c, c->cluster);

	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		for (size_t i = 1; i < c->val->len(hosts); i++) {
			const char *a = check_host(c, hosts, 0), *b = check_host(c, hosts, i);
			if (strcmp(check_text(c, a, names[k], ""), check_text(c, b, names[k], ""))) {
				c->api->fault(c, c->api->get(c, b, names[k]),
					      "%s of %s is not that of %s, in the same Redis cluster \"%s\"", names[k],
					      b, a, c->cluster);
				c->api->hint(c, "Set it in the vars of the cluster's group.");
			}
		}
}

static void renamed(pig_check *c)
{
	static const char needed[] =
		" auth ping info role config replicaof slaveof psync replconf cluster subscribe publish "
		"client dbsize restore migrate asking sentinel hello multi exec script ";
	const char *h = check_host(c, c->api->members(c, c->cluster), 0);
	const pig_value *map = c->api->get(c, h, "redis_rename_commands");

	for (size_t i = 0; i < c->val->len(map); i++) {
		const char *key = c->val->key_at(map, i), *to = c->val->str(c->val->at(map, i), "");
		char low[32] = "";
		for (size_t k = 0; key[k] && k < sizeof low - 1; k++)
			low[k] = (char)(key[k] >= 'A' && key[k] <= 'Z' ? key[k] | 32 : key[k]);
		if (!*key || key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-")] ||
		    strlen(key) > 30) {
			c->api->fault_at_key(c, map, key, "\"%s\" is no command", key);
			continue;
		}
		if (strstr(needed, c->api->fmt(c, " %s ", low))) {
			c->api->fault_at_key(
				c, map, key,
				"command %s cannot be renamed: replicas, sentinels, metrics or pig itself use it", key);
			c->api->hint(c, "What only clients use can be: flushall, flushdb, keys, debug...");
		}
		if (to[strcspn(to, " \t\"'\\#")])
			c->api->fault_at_key(c, map, key, "the new name of command %s must be one word", key);
		for (size_t k = 0; *to && k < i; k++)
			if (!strcmp(to, c->val->str(c->val->at(map, k), "")))
				c->api->fault_at_key(c, map, key, "commands %s and %s are both renamed to \"%s\"",
						     c->val->key_at(map, k), key, to);
	}
}

static void bind(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	const char *h = check_host(c, hosts, 0), *ip = check_text(c, h, "redis_bind_address", "");
	const pig_value *v = c->api->get(c, h, "redis_bind_address");
	bool any = !*ip || !strcmp(ip, "0.0.0.0") || !strcmp(ip, "::"),
	     local = !strncmp(ip, "127.", 4) || !strcmp(ip, "::1");

	if (c->val->len(hosts) > 1 && !any &&
	    !strcmp(ip, check_text(c, check_host(c, hosts, 1), "redis_bind_address", "")))
		c->api->fault(c, v, "redis_bind_address %s cannot be an address of all hosts of Redis cluster \"%s\"",
			      ip, c->cluster);
	else if (local && strcmp(check_text(c, h, "redis_mode", ""), "standalone"))
		c->api->fault(c, v, "redis_bind_address %s: instances of this redis_mode must reach each other", ip);
	else
		return;
	c->api->hint(c, "Leave it empty for the host's own address, or write 0.0.0.0 for all.");
}

static void open_to_all(pig_check *c)
{
	const char *h = check_host(c, c->api->members(c, c->cluster), 0),
		   *ip = check_text(c, h, "redis_bind_address", "");

	if (*check_text(c, h, "redis_password", "") || !strncmp(ip, "127.", 4) || !strcmp(ip, "::1") ||
	    !strcmp(check_text(c, h, "redis_mode", ""), "sentinel"))
		return;
	c->api->fault(c, c->api->get(c, h, "redis_cluster"),
		      "Redis cluster \"%s\" has no password: whoever reaches it reads and writes", c->cluster);
	c->api->hint(c, "Set redis_password.");
}

const struct pig_rule redis_rules[REDIS_RULES] = {
	{.id = "redis_cluster", .scope = PIG_ALL, .check = lost},
	{.id = "redis_node", .scope = PIG_OF_CLUSTER, .check = nodes},
	{.id = "redis_instances", .scope = PIG_HOST, .check = ports, .flags = PIG_BY_VALUES},
	{.id = "redis_values", .scope = PIG_HOST, .check = values, .flags = PIG_BY_VALUES},
	{.id = "redis_port", .scope = PIG_ALL, .warn = 1, .check = chosen_port},
	{.id = "redis_fs_main", .scope = PIG_HOST, .check = folder, .flags = PIG_BY_VALUES},
	{.id = "redis_same", .scope = PIG_OF_CLUSTER, .check = same},
	{.id = "redis_rename_commands", .scope = PIG_OF_CLUSTER, .check = renamed},
	{.id = "redis_bind_address", .scope = PIG_OF_CLUSTER, .check = bind},
	{.id = "redis_replica_of", .scope = PIG_HOST, .check = rule_redis_replica_of},
	{.id = "redis_native", .scope = PIG_OF_CLUSTER, .check = rule_redis_native},
	{.id = "redis_sentinel_monitor", .scope = PIG_OF_CLUSTER, .check = rule_redis_sentinel},
	{.id = "redis_no_password", .scope = PIG_OF_CLUSTER, .warn = 1, .check = open_to_all},
	{.id = "redis_sentinel_few", .scope = PIG_OF_CLUSTER, .warn = 1, .check = rule_redis_sentinel_few},
	{.id = "redis_replica_unknown", .scope = PIG_HOST, .warn = 1, .check = rule_redis_replica_unknown},
};
