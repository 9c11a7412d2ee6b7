/* Who an instance is: names, addresses, folders, timings, and how to ask its Patroni. */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

/* Members reach each other at the name in the inventory when that is an address: ansible_host may lead through a
 * tunnel. */
const char *inst_addr(pig_task *t, const char *host)
{
	const char *addr;

	if (!host[strspn(host, "0123456789.")] || strchr(host, ':'))
		return host;
	addr = t->val->str(t->host->of(t, host, "ansible_host"), NULL);
	return addr && *addr ? addr : host;
}

const char *inst_name(pig_task *t, const char *host)
{
	return pig_fmt(t, "%s-%lld", t->val->str(t->host->of(t, host, "pg_cluster"), ""),
		       (long long)t->val->num(t->host->of(t, host, "pg_seq"), 0));
}

const char *inst_primary(pig_task *t)
{
	const pig_value *all = t->host->members(t, t->cluster);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		if (!strcmp(t->val->str(t->host->of(t, host, "pg_role"), ""), "primary"))
			return host;
	}
	return NULL;
}

int64_t inst_fact(pig_task *t, const char *name, int64_t dflt)
{
	return t->val->num(t->host->fact(t, name), dflt);
}

struct inst inst_of(pig_task *t)
{
	const struct pgsql *p = t->params;
	const char *package = t->val->str(t->host->fact(t, "os_package"), "deb");
	struct inst in = {.t = t, .p = p};

	in.name = pig_fmt(t, "%s-%lld", p->pg_cluster, (long long)p->pg_seq);
	in.addr = inst_addr(t, t->hostname);
	in.dir = pig_fmt(t, "%s/%s-%lld", p->pg_fs_main, p->pg_cluster, (long long)p->pg_version);
	in.backup = pig_fmt(t, "%s/%s-%lld", p->pg_fs_backup, p->pg_cluster, (long long)p->pg_version);
	in.data = p->pg_data;
	in.conf = pig_fmt(t, "/pg/conf/%s.yml", in.name);
	in.deb = !strcmp(package, "deb");
	in.home = pig_fmt(t, in.deb ? "/usr/lib/postgresql/%lld" : "/usr/pgsql-%lld", (long long)p->pg_version);
	in.bin = p->pg_bin_dir;
	in.psql = pig_sh(t, "%s -XAtqw -h %s -p %lld -U %s -d postgres", pig_fmt(t, "%s/psql", in.bin), p->pg_localhost,
			 (long long)p->pg_port, p->pg_dbsu);
	in.etcd_user = p->pg_cluster;
	in.etcd_password = p->pg_etcd_password && *p->pg_etcd_password ? p->pg_etcd_password : p->pg_cluster;
	in.bootstraps = !strcmp(p->pg_role, "primary");
	return in;
}

/* The plan a number of seconds stands for: the shortest of the known that grants as much, or the longest. */
static const char *nearest(const struct pgsql *p, const struct pig_values *v, int64_t seconds)
{
	const char *best = NULL;
	int64_t best_ttl = 0;

	for (size_t i = 0; i < v->len(p->pg_rto_plan); i++) {
		int64_t ttl = v->num(v->at(v->at(p->pg_rto_plan, i), 0), 0);

		if (!best || (ttl <= seconds ? ttl > best_ttl || best_ttl > seconds : ttl < best_ttl)) {
			best = v->key_at(p->pg_rto_plan, i);
			best_ttl = ttl;
		}
	}
	return best;
}

/* "0.5s" as HAProxy reads it: whole milliseconds. */
static const char *interval(pig_task *t, const char *s)
{
	char *unit;
	double n = strtod(s, &unit);

	return strchr(s, '.') && !strcmp(unit, "s") ? pig_fmt(t, "%lldms", (long long)(n * 1000 + 0.5)) : s;
}

struct rto inst_rto(pig_task *t)
{
	static const int64_t norm[RTO_N] = {30, 5, 10, 25, 5, 0, 0, 0, 3, 3};
	static const char *const norm_s[RTO_N] = {[RTO_INTER] = "2s", [RTO_FAST] = "1s", [RTO_DOWN] = "2s"};
	const struct pgsql *p = t->params;
	const struct pig_values *v = t->val;
	int64_t seconds = strtoll(p->pg_rto, NULL, 10);
	const pig_value *plan = v->key(p->pg_rto_plan, seconds ? nearest(p, v, seconds) : p->pg_rto);
	struct rto r;

	if (v->len(plan) < RTO_N)
		plan = v->key(p->pg_rto_plan, "norm");
	for (size_t i = 0; i < RTO_N; i++) {
		r.n[i] = v->num(v->at(plan, i), norm[i]);
		r.s[i] = v->str(v->at(plan, i), norm_s[i]);
	}
	for (int i = RTO_INTER; i <= RTO_DOWN; i++)
		r.s[i] = interval(t, r.s[i]);
	if (!seconds || seconds == r.n[RTO_TTL])
		return r;
	r.n[RTO_TTL] = seconds; /* loop + 2 retries take 5/6 of the lease, as in the plans */
	r.n[RTO_LOOP] = seconds / 6 ? seconds / 6 : 1;
	r.n[RTO_RETRY] = seconds / 3 > 3 ? seconds / 3 : 3;
	r.n[RTO_START] = seconds * 5 / 6;
	return r;
}

int64_t inst_fence(pig_task *t)
{
	struct rto r = inst_rto(t);

	return r.n[RTO_TTL] - r.n[RTO_LOOP] > 10 ? r.n[RTO_TTL] - r.n[RTO_LOOP] - 5 : 5;
}

/* ---- Patroni's REST interface, with what every host has: bash, or openssl where it speaks TLS ---- */

const char *inst_rest_send(const struct inst *in, const char *word)
{
	long long port = in->p->patroni_port;

	if (in->p->patroni_ssl_enabled)
		return pig_fmt(in->t,
			       "timeout 5 openssl s_client -quiet -verify_return_error -CAfile /pg/cert/ca.crt "
			       "-connect %s:%lld 2>/dev/null",
			       word, port);
	return pig_fmt(in->t,
		       "timeout 5 bash -c 'exec 3<>\"/dev/tcp/$0/$1\" && cat >&3 && cat <&3' %s %lld 2>/dev/null", word,
		       port);
}

const char *inst_rest(const struct inst *in, const char *addr, const char *path)
{
	pig_task *t = in->t;

	if (in->p->patroni_ssl_enabled)
		return pig_fmt(t, "printf 'GET %%s HTTP/1.0\\r\\n\\r\\n' %s | %s", path,
			       inst_rest_send(in, pig_sh(t, "%s", addr)));
	return pig_sh(t,
		      "timeout 3 bash -c 'exec 3<>\"/dev/tcp/$0/$1\" && printf \"GET %%s HTTP/1.0\\r\\n\\r\\n\" \"$2\" "
		      ">&3 && "
		      "cat <&3' %s %lld %s 2>/dev/null",
		      addr, (long long)in->p->patroni_port, path);
}

const char *inst_patch(const struct inst *in, const char *json)
{
	pig_task *t = in->t;
	const char *login = base64(t, pig_fmt(t, "%s:%s", in->p->patroni_username, in->p->patroni_password));

	t->host->secret(t, login);
	return t->host->secret(
		t, pig_fmt(t,
			   "PATCH /config HTTP/1.0\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\n"
			   "Content-Length: %zu\r\n\r\n%s",
			   login, strlen(json), json));
}

const char *http_body(const char *answer)
{
	const char *status = answer ? strchr(answer, ' ') : NULL, *body;

	if (!status || strncmp(answer, "HTTP/", 5) || strncmp(status, " 200", 4))
		return NULL;
	body = strstr(answer, "\r\n\r\n");
	return body ? body + 4 : NULL;
}

bool role_leads(const char *role)
{
	return !strcmp(role, "master") || !strcmp(role, "primary") || !strcmp(role, "standby_leader");
}
