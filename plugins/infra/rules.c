/* What must hold of an inventory's infra part before any host is touched. */
#include "module.h"

#include <stdlib.h>

static const char *str(pig_check *c, const pig_value *v)
{
	return c->val->str(v, "");
}

/* "host:port", the host a name, an address or [v6] */
static bool is_endpoint(const char *s)
{
	const char *colon = strrchr(s, ':');
	char *end;

	if (!colon || colon == s || !colon[1] || strpbrk(s, " /;{}"))
		return false;
	long port = strtol(colon + 1, &end, 10);
	return !*end && port > 0 && port < 65536;
}

static void check_entry(pig_check *c, const char *key, const pig_value *item)
{
	const pig_value *endpoint = c->val->key(item, "endpoint"), *path = c->val->key(item, "path");
	const pig_value *domain = c->val->key(item, "domain");

	if (c->val->type(endpoint) == PIG_STR && !is_endpoint(str(c, endpoint))) {
		c->api->fault(c, endpoint, "endpoint of infra_portal.%s must be host:port, not \"%s\"", key,
			      str(c, endpoint));
		c->api->hint(c, "Give the scheme by `scheme`, a folder by `path`.");
	}
	if (c->val->type(endpoint) == PIG_STR && c->val->type(path) == PIG_STR)
		c->api->fault(c, endpoint, "infra_portal.%s has both endpoint and path", key);
	if (strcmp(key, "home") && c->val->type(domain) == PIG_STR && c->val->type(endpoint) != PIG_STR &&
	    c->val->type(path) != PIG_STR && c->val->type(c->val->key(item, "conf")) != PIG_STR) {
		c->api->fault(c, domain, "infra_portal.%s has a domain and nothing to show", key);
		c->api->hint(c, "Give endpoint, path or conf.");
	}
	if ((c->val->type(c->val->key(item, "cert")) == PIG_STR) != (c->val->type(c->val->key(item, "key")) == PIG_STR))
		c->api->fault(c, item, "infra_portal.%s needs cert and key, not one of them", key);
	if (c->val->type(c->val->key(item, "certbot")) == PIG_STR && c->val->type(domain) != PIG_STR)
		c->api->fault(c, item, "infra_portal.%s names a certificate (certbot) and no domain", key);
}

/* The n-th domain of an entry: its domain, then its domains. */
static const pig_value *domain_at(pig_check *c, const pig_value *item, size_t n)
{
	return n ? c->val->at(c->val->key(item, "domains"), n - 1) : c->val->key(item, "domain");
}

void infra_check_portal(pig_check *c)
{
	const pig_value *portal = c->api->get(c, c->hostname, "infra_portal");
	const pig_value *users = c->api->get(c, c->hostname, "nginx_users");

	for (size_t i = 0; i < c->val->len(portal); i++) {
		const pig_value *item = c->val->at(portal, i);
		const char *key = c->val->key_at(portal, i);
		if (strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(key))
			c->api->fault_at_key(c, portal, key, "\"%s\" is no name for an entry of infra_portal", key);
		check_entry(c, key, item);
		if (c->val->truth(c->val->key(item, "auth"), false) && !c->val->len(users)) {
			c->api->fault(c, c->val->key(item, "auth"),
				      "infra_portal.%s asks who comes, and nginx_users names no one", key);
			c->api->hint(c, "Add nginx_users: { name: password }.");
		}
		for (size_t n = 0; n <= c->val->len(c->val->key(item, "domains")); n++)
			for (size_t k = 0; k < i; k++)
				for (size_t m = 0; m <= c->val->len(c->val->key(c->val->at(portal, k), "domains"));
				     m++) {
					const pig_value *a = domain_at(c, item, n),
							*b = domain_at(c, c->val->at(portal, k), m);
					if (*str(c, a) && !strcmp(str(c, a), str(c, b)))
						c->api->fault(c, a, "domain \"%s\" is that of infra_portal.%s already",
							      str(c, a), c->val->key_at(portal, k));
				}
	}
}

void infra_check_seqs(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, "infra");

	for (size_t i = 0; i < c->val->len(hosts); i++) {
		const pig_value *seq = c->api->get(c, str(c, c->val->at(hosts, i)), "infra_seq");
		for (size_t k = 0; seq && k < i; k++)
			if (c->val->num(seq, -1) ==
			    c->val->num(c->api->get(c, str(c, c->val->at(hosts, k)), "infra_seq"), -2))
				c->api->fault(c, seq, "infra_seq %" PRId64 " is that of %s already",
					      c->val->num(seq, 0), str(c, c->val->at(hosts, k)));
	}
}

static bool has_word(const char *line, const char *word, size_t n)
{
	for (const char *p = line + strcspn(line, " \t"); *p;) {
		p += strspn(p, " \t");
		size_t len = strcspn(p, " \t");
		if (len == n && !strncmp(p, word, n))
			return true;
		p += len;
	}
	return false;
}

/* One name with two addresses: who asks gets them in turn, which is seldom meant. */
void infra_check_records(pig_check *c)
{
	const pig_value *records = c->api->get(c, c->hostname, "dns_records");

	for (size_t i = 0; i < c->val->len(records); i++) {
		const char *line = str(c, c->val->at(records, i)), *p = line + strcspn(line, " \t");
		while (*(p += strspn(p, " \t"))) {
			size_t n = strcspn(p, " \t");
			for (size_t k = 0; k < i; k++) {
				const char *other = str(c, c->val->at(records, k));
				size_t a = strcspn(other, " \t");
				if (has_word(other, p, n) && (a != strcspn(line, " \t") || strncmp(other, line, a)))
					c->api->fault(c, c->val->at(records, i),
						      "dns_records give %.*s the address %.*s already", (int)n, p,
						      (int)a, other);
			}
			p += n;
		}
	}
}

void infra_check_links(pig_check *c)
{
	static const char *const lists[] = {"infra_services", "infra_extra_services"};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const pig_value *list = c->api->get(c, c->hostname, lists[i]);
		for (size_t k = 0; k < c->val->len(list); k++) {
			const pig_value *url = c->val->key(c->val->at(list, k), "url");
			const char *s = str(c, url);
			if (*s && *s != '/' && strncmp(s, "http://", 7) && strncmp(s, "https://", 8)) {
				c->api->fault(c, url, "\"%s\" is no link: it begins neither with / nor with http", s);
				c->api->hint(c, "A path of the portal, or a whole URL.");
			}
		}
	}
}

void infra_check_webhooks(pig_check *c)
{
	const pig_value *hooks = c->api->get(c, c->hostname, "alertmanager_webhooks");

	for (size_t i = 0; i < c->val->len(hooks); i++) {
		const pig_value *url = c->val->key(c->val->at(hooks, i), "url");
		if (strncmp(str(c, url), "http://", 7) && strncmp(str(c, url), "https://", 8))
			c->api->fault(c, url,
				      "an alert is posted to a URL that begins with http:// or https://, not \"%s\"",
				      str(c, url));
	}
}
