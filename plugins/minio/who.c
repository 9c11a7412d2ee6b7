/* Names, addresses and URLs of members, as the inventory has them. */
#include "module.h"

#include <arpa/inet.h>

const char *minio_host(pig_task *t, const pig_value *hosts, size_t i)
{
	return t->val->str(t->val->at(hosts, i), "");
}

const char *minio_address(pig_task *t, const char *host)
{
	const char *address = t->val->str(t->host->of(t, host, "ansible_host"), NULL);
	unsigned char raw[sizeof(struct in6_addr)];

	/* a host named by its address has its ansible_host for ssh only */
	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1 || !address || !*address)
		return host;
	return address;
}

static int64_t seq_of(pig_task *t, const char *host)
{
	return t->val->num(t->host->of(t, host, "minio_seq"), 0);
}

const char *minio_instance(pig_task *t, const char *host)
{
	return pig_fmt(t, "%s-%" PRId64, t->val->str(t->host->of(t, host, "minio_cluster"), ""), seq_of(t, host));
}

const char *minio_node(pig_task *t, const char *host)
{
	return t->val->str(t->host->of(t, host, "minio_node"), "");
}

const char *minio_home(pig_task *t)
{
	const struct minio *p = t->params;

	return pig_fmt(t, "/home/%s", p->minio_user);
}

const char *minio_certs(pig_task *t)
{
	return pig_fmt(t, "%s/.minio/certs", minio_home(t));
}

static const char *scheme(const struct minio *p)
{
	return p->minio_https ? "https" : "http";
}

const char *minio_endpoint(pig_task *t)
{
	const struct minio *p = t->params;

	if (p->minio_endpoint && *p->minio_endpoint)
		return p->minio_endpoint;
	return pig_fmt(t, "%s://%s:%" PRId64, scheme(p), p->minio_domain, p->minio_port);
}

const char *minio_here(pig_task *t)
{
	const struct minio *p = t->params;

	return pig_fmt(t, "%s://127.0.0.1:%" PRId64, scheme(p), p->minio_port);
}

const char *minio_folder(pig_task *t, size_t i)
{
	const struct minio *p = t->params;
	char room[1024];

	return minio_drive(p->minio_data, i, room, sizeof room) ? pig_fmt(t, "%s", room) : "";
}

/*
 * One member serves its folders. Several are named as one range of URLs, so that MinIO makes one pool of all their
 * drives: listed one by one each would be a pool of its own.
 */
const char *minio_volumes(pig_task *t)
{
	const struct minio *p = t->params;
	const pig_value *hosts = t->host->members(t, t->cluster);
	size_t n = t->val->len(hosts);
	const char **names = t->host->alloc(t, (n + 1) * sizeof *names);
	int64_t *seqs = t->host->alloc(t, (n + 1) * sizeof *seqs);
	struct minio_range r;

	if (p->minio_volumes && *p->minio_volumes)
		return p->minio_volumes;
	if (n < 2)
		return p->minio_data;
	for (size_t i = 0; i < n; i++) {
		names[i] = minio_node(t, minio_host(t, hosts, i));
		seqs[i] = seq_of(t, minio_host(t, hosts, i));
	}
	if (!minio_range(names, seqs, n, &r)) {
		t->host->fail(t, "the members of minio cluster \"%s\" have no names that count from one to the next",
			      t->cluster);
		t->host->hint(t, "Number them without gaps, or write minio_volumes.");
		return NULL;
	}
	const char *first = names[r.first];
	return pig_fmt(t, "%s://%.*s{%" PRId64 "...%" PRId64 "}%s:%" PRId64 "%s", scheme(p), (int)r.before, first,
		       r.from, r.to, first + strlen(first) - r.behind, p->minio_port, p->minio_data);
}
