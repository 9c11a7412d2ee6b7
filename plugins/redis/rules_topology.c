/* Who follows whom, how many instances a native cluster needs, what sentinels watch. */
#include "module.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const char *address_of(pig_check *c, const char *host)
{
	const char *address = check_text(c, host, "ansible_host", "");
	unsigned char raw[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1 || !*address)
		return host;
	return address;
}

/* ---- replica_of ---- */

struct upstream {
	const char *ip, *host;
	int64_t port;
}; /* port -1: not understood; host NULL: not of the inventory */

static struct upstream upstream_of(pig_check *c, const char *text)
{
	const char *gap = strchr(text, ' ');
	unsigned char raw[sizeof(struct in6_addr)];
	struct upstream u = {.ip = "", .port = -1};

	if (!gap)
		return u;
	u.ip = c->api->fmt(c, "%.*s", (int)(gap - text), text);
	if (inet_pton(AF_INET, u.ip, raw) == 1 || inet_pton(AF_INET6, u.ip, raw) == 1)
		u.port = check_port(gap + 1);
	u.host = check_at(c, u.ip);
	return u;
}

static const char *replica_of(pig_check *c, const char *host, const char *port)
{
	const pig_value *all = c->api->get(c, host, "redis_instances");

	return c->val->str(c->val->key(c->val->key(all, port), "replica_of"), "");
}

/* Does following lead back? Bounded: a longer chain than this is none that anyone means. */
static bool circle(pig_check *c, const char *start_host, int64_t start_port, struct upstream u)
{
	for (int i = 0; i < 64 && u.host && u.port > 0; i++) {
		if (!strcmp(u.host, start_host) && u.port == start_port)
			return true;
		u = upstream_of(c, replica_of(c, u.host, c->api->fmt(c, "%" PRId64, u.port)));
	}
	return false;
}

static void one_replica(pig_check *c, const char *key, const pig_value *at)
{
	const char *h = c->hostname, *text = c->val->str(at, ""), *mode = check_text(c, h, "redis_mode", "");
	struct upstream u = upstream_of(c, text);

	if (strcmp(mode, "standalone")) {
		c->api->fault(c, at, "instance %s has a replica_of in redis_mode %s", key, mode);
		c->api->hint(c, "In a native cluster Redis itself says who follows whom; sentinels follow nobody.");
	} else if (u.port < 0) {
		c->api->fault(c, at, "replica_of \"%s\" is not an address and a port", text);
		c->api->hint(c, "Such as replica_of: '10.10.10.10 6379'.");
	} else if (!u.host) {
		return;
	} else if (!check_has_port(c, u.host, u.port)) {
		c->api->fault(c, at, "replica_of \"%s\" is no instance: %s has none on port %" PRId64, text, u.host,
			      u.port);
	} else if (!strcmp(u.host, h) && u.port == check_port(key)) {
		c->api->fault(c, at, "instance %s follows itself", key);
	} else if (strcmp(check_text(c, u.host, "redis_mode", ""), "standalone")) {
		c->api->fault(c, at, "replica_of \"%s\" is an instance of redis_mode %s", text,
			      check_text(c, u.host, "redis_mode", ""));
	} else if (circle(c, h, check_port(key), u)) {
		c->api->fault(c, at, "instance %s of %s follows in a circle: nobody leads", key, h);
		c->api->hint(c, "One instance of the circle must have no replica_of.");
	} else if (strcmp(check_text(c, u.host, "redis_password", ""), check_text(c, h, "redis_password", ""))) {
		c->api->fault(c, at, "replica_of \"%s\" has another redis_password, so it could not be followed", text);
	}
}

void rule_redis_replica_of(pig_check *c)
{
	const pig_value *all = c->api->get(c, c->hostname, "redis_instances");

	for (size_t i = 0; i < c->val->len(all); i++) {
		const pig_value *at = c->val->key(c->val->at(all, i), "replica_of");
		if (*c->val->str(at, ""))
			one_replica(c, c->val->key_at(all, i), at);
	}
}

void rule_redis_replica_unknown(pig_check *c)
{
	const pig_value *all = c->api->get(c, c->hostname, "redis_instances");

	for (size_t i = 0; i < c->val->len(all); i++) {
		const pig_value *at = c->val->key(c->val->at(all, i), "replica_of");
		struct upstream u = upstream_of(c, c->val->str(at, ""));
		if (u.port > 0 && !u.host && !strcmp(check_text(c, c->hostname, "redis_mode", ""), "standalone"))
			c->api->fault(c, at, "replica_of \"%s\" is no instance of this inventory", c->val->str(at, ""));
	}
}

/* ---- native clusters ---- */

static size_t instances_of(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	size_t n = 0;

	for (size_t i = 0; i < c->val->len(hosts); i++)
		n += c->val->len(c->api->get(c, check_host(c, hosts, i), "redis_instances"));
	return n;
}

void rule_redis_native(pig_check *c)
{
	const char *h = check_host(c, c->api->members(c, c->cluster), 0);
	const pig_value *v = c->api->get(c, h, "redis_cluster_replicas");
	int64_t replicas = c->val->num(v, 1), n = (int64_t)instances_of(c);

	if (strcmp(check_text(c, h, "redis_mode", ""), "cluster"))
		return;
	if (replicas < 0 || replicas > 5) {
		c->api->fault(c, v, "redis_cluster_replicas must be from 0 to 5, not %" PRId64, replicas);
	} else if (n && n < 3 * (replicas + 1)) {
		c->api->fault(c, c->api->get(c, h, "redis_cluster"),
			      "native cluster \"%s\" has %" PRId64 " instances and needs at least %" PRId64
			      ": three masters with %" PRId64 " replica%s each",
			      c->cluster, n, 3 * (replicas + 1), replicas, replicas == 1 ? "" : "s");
		c->api->hint(c, "Add ports to redis_instances, or hosts, or lower redis_cluster_replicas.");
	}
}

/* ---- sentinels ---- */

static void one_watched(pig_check *c, const pig_value *v)
{
	const char *name = c->val->str(c->val->key(v, "name"), ""), *ip = c->val->str(c->val->key(v, "host"), "");
	int64_t port = c->val->num(c->val->key(v, "port"), 6379), quorum = c->val->num(c->val->key(v, "quorum"), 1);
	const char *at = check_at(c, ip);

	if (c->val->truth(c->val->key(v, "remove"), false))
		return;
	if (quorum < 1 || quorum > (int64_t)instances_of(c)) {
		c->api->fault(c, c->val->key(v, "quorum"),
			      "quorum %" PRId64 " of \"%s\" cannot be reached by %zu sentinels", quorum, name,
			      instances_of(c));
		c->api->hint(c, "Most of them is usual: 2 of 3, 3 of 5.");
	}
	if (!at || !*check_text(c, at, "redis_cluster", ""))
		return;
	if (!check_has_port(c, at, port)) {
		c->api->fault(c, v, "sentinels watch \"%s\" at %s port %" PRId64 ", where no instance is", name, ip,
			      port);
	} else if (strcmp(check_text(c, at, "redis_mode", ""), "standalone")) {
		c->api->fault(c, v, "sentinels watch \"%s\" at %s port %" PRId64 ", which is of redis_mode %s", name,
			      ip, port, check_text(c, at, "redis_mode", ""));
		c->api->hint(c, "They watch instances of redis_mode standalone.");
	} else if (strcmp(c->val->str(c->val->key(v, "password"), ""), check_text(c, at, "redis_password", ""))) {
		c->api->fault(c, v,
			      "the password of \"%s\" in redis_sentinel_monitor is not the redis_password of Redis "
			      "cluster \"%s\"",
			      name, check_text(c, at, "redis_cluster", ""));
	} else if (*replica_of(c, at, c->api->fmt(c, "%" PRId64, port))) {
		c->api->fault(c, v,
			      "sentinels watch \"%s\" at %s port %" PRId64 ", which is a replica by the inventory",
			      name, address_of(c, at), port);
		c->api->hint(c, "Name the instance it follows.");
	}
}

void rule_redis_sentinel(pig_check *c)
{
	const char *h = check_host(c, c->api->members(c, c->cluster), 0);
	const pig_value *all = c->api->get(c, h, "redis_sentinel_monitor");

	if (strcmp(check_text(c, h, "redis_mode", ""), "sentinel"))
		return;
	for (size_t i = 0; i < c->val->len(all); i++) {
		const char *name = c->val->str(c->val->key(c->val->at(all, i), "name"), "");
		for (size_t k = 0; k < i; k++)
			if (*name && !strcmp(name, c->val->str(c->val->key(c->val->at(all, k), "name"), "")))
				c->api->fault(c, c->val->at(all, i), "\"%s\" is in redis_sentinel_monitor twice", name);
		one_watched(c, c->val->at(all, i));
	}
}

void rule_redis_sentinel_few(pig_check *c)
{
	const char *h = check_host(c, c->api->members(c, c->cluster), 0);
	size_t n = instances_of(c);

	if (strcmp(check_text(c, h, "redis_mode", ""), "sentinel") || !n || (n >= 3 && n % 2))
		return;
	if (n < 3)
		c->api->fault(c, c->api->get(c, h, "redis_cluster"),
			      "sentinels of \"%s\" are %zu: when one is lost, no failover is made", c->cluster, n);
	else
		c->api->fault(c, c->api->get(c, h, "redis_cluster"),
			      "sentinels of \"%s\" are %zu: they survive no more losses than %zu", c->cluster, n,
			      n - 1);
	c->api->hint(c, "Take three or five.");
}
