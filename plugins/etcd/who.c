/* Names, addresses and URLs of members, as the inventory has them. */
#include "module.h"

#include <arpa/inet.h>

const char *etcd_host(pig_task *t, const pig_value *hosts, size_t i)
{
	return t->val->str(t->val->at(hosts, i), "");
}

const char *etcd_address(pig_task *t, const char *host)
{
	const char *address = t->val->str(t->host->of(t, host, "ansible_host"), NULL);
	unsigned char raw[sizeof(struct in6_addr)];

	/* a host named by its address has its ansible_host for ssh only */
	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1 || !address || !*address)
		return host;
	return address;
}

const char *etcd_name(pig_task *t, const char *host)
{
	return pig_fmt(t, "%s-%" PRId64, t->val->str(t->host->of(t, host, "etcd_cluster"), "etcd"),
		       t->val->num(t->host->of(t, host, "etcd_seq"), 0));
}

static const char *url(pig_task *t, const char *host, const char *port, int64_t dflt)
{
	const char *address = etcd_address(t, host);

	return pig_fmt(t, strchr(address, ':') ? "https://[%s]:%" PRId64 : "https://%s:%" PRId64, address,
		       t->val->num(t->host->of(t, host, port), dflt));
}

const char *etcd_client_url(pig_task *t, const char *host)
{
	return url(t, host, "etcd_port", 2379);
}

const char *etcd_peer_url(pig_task *t, const char *host)
{
	return url(t, host, "etcd_peer_port", 2380);
}

const char *etcd_listens(pig_task *t)
{
	const struct etcd *p = t->params;

	return pig_fmt(t, "grep -qs ':%04X 0*:0000 0A ' /proc/net/tcp /proc/net/tcp6", (unsigned)p->etcd_port);
}

const char *etcd_urls(pig_task *t, const pig_value *hosts, const char *but)
{
	const char *text = "";

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = etcd_host(t, hosts, i);
		if (!but || strcmp(host, but))
			text = pig_fmt(t, "%s%s%s", text, *text ? "," : "", etcd_client_url(t, host));
	}
	return text;
}

const char *etcd_peers(pig_task *t)
{
	const pig_value *hosts = t->host->members(t, t->cluster);
	const char *text = "";

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = etcd_host(t, hosts, i);
		text = pig_fmt(t, "%s%s%s=%s", text, *text ? "," : "", etcd_name(t, host), etcd_peer_url(t, host));
	}
	return text;
}

/* The next ", "-ended field of a line of `etcdctl member list`. */
static const char *field(pig_task *t, const char **at)
{
	const char *p = *at, *end = strstr(p, ", "), *line = strchr(p, '\n');

	if (!end || (line && line < end))
		end = line ? line : p + strlen(p);
	*at = *end == ',' ? end + 2 : end;
	return pig_fmt(t, "%.*s", (int)(end - p), p);
}

const char *etcd_member_line(pig_task *t, const char *text, struct etcd_member *m)
{
	m->id = field(t, &text);
	field(t, &text);
	m->name = field(t, &text);
	m->peer = field(t, &text);
	m->client = field(t, &text);
	m->learner = !strcmp(field(t, &text), "true");
	text += strcspn(text, "\n");
	return text + (*text == '\n');
}
