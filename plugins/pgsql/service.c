/*
 * Services: a file in HAProxy's folder for each, on every member. HAProxy asks each member's Patroni who it is, so that
 * traffic follows the leader without anything being changed here.
 */
#include "pgsql.h"
#include "../node/node.h"

#include <stdlib.h>
#include <string.h>

static const char marker[] = "# cluster: ";

/* The cluster's members as maps, for selectors. */
static const pig_value *member_list(const struct inst *in)
{
	static const char *const names[] = {
		"pg_cluster",  "pg_seq",   "pg_role",	     "pg_offline_query", "pg_weight",
		"pg_upstream", "pg_port",  "pgbouncer_port", "patroni_port",	 "pg_version",
		"pg_conf",     "nodename", "node_cluster",   "ansible_host",
	};
	pig_task *t = in->t;
	const pig_value *all = t->host->members(t, t->cluster), *v;
	pig_value *list = t->host->list(t);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");
		pig_value *m = t->host->map(t);

		t->host->put(t, m, "inventory_hostname", t->host->text(t, host));
		t->host->put(t, m, "ip", t->host->text(t, inst_addr(t, host)));
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			v = t->host->of(t, host, names[k]);
			if (v)
				t->host->put(t, m, names[k], v);
		}
		t->host->push(t, list, m);
	}
	return list;
}

static bool selected(pig_task *t, const pig_value *chosen, const char *host)
{
	for (size_t i = 0; i < t->val->len(chosen); i++)
		if (!strcmp(t->val->str(t->val->key(t->val->at(chosen, i), "inventory_hostname"), ""), host))
			return true;
	return false;
}

static int64_t port_of(const struct inst *in, const pig_value *service, const pig_value *member)
{
	const struct pig_values *v = in->t->val;
	const pig_value *d = v->key(service, "dest");
	const char *dest = d ? scalar_text(in->t, d) : "default";

	if (!strcmp(dest, "default"))
		dest = in->p->pg_default_service_dest;
	if (!strcmp(dest, "postgres"))
		return v->num(v->key(member, "pg_port"), 5432);
	if (!strcmp(dest, "pgbouncer"))
		return v->num(v->key(member, "pgbouncer_port"), 6432);
	return *dest && !dest[strspn(dest, "0123456789")] ? strtoll(dest, NULL, 10) : 5432;
}

static void servers(const struct inst *in, struct str *b, const pig_value *service, const pig_value *members)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *sel = v->str(v->key(service, "selector"), "[]"), *spare = v->str(v->key(service, "backup"), NULL);
	const pig_value *front = t->host->jmes(t, sel, members),
			*back = spare && *spare ? t->host->jmes(t, spare, members) : NULL;

	for (size_t i = 0; i < v->len(members); i++) {
		const pig_value *m = v->at(members, i);
		const char *host = v->str(v->key(m, "inventory_hostname"), "");
		bool backup = selected(t, back, host);

		if (!backup && !selected(t, front, host))
			continue;
		str_add(b, "    server %s %s:%lld check port %lld%s weight %lld%s\n", inst_name(t, host),
			inst_addr(t, host), (long long)port_of(in, service, m),
			(long long)v->num(v->key(m, "patroni_port"), 8008),
			in->p->patroni_ssl_enabled ? " check-ssl verify required ca-file /pg/cert/ca.crt" : "",
			(long long)v->num(v->key(m, "pg_weight"), 100), backup ? " backup" : "");
	}
}

static const char *service_text(const struct inst *in, const pig_value *service, const pig_value *members)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *options = v->str(v->key(service, "options"), NULL), *ip = v->str(v->key(service, "ip"), "*");
	struct rto r = inst_rto(t);
	struct str b = str_new(t);

	str_add(&b, "# Written by pig: a service of PostgreSQL.\n%s%s\nlisten %s-%s\n", marker, in->p->pg_cluster,
		in->p->pg_cluster, role_name(t, service));
	str_add(&b, "    bind %s:%lld\n    mode tcp\n    maxconn %lld\n    balance %s\n", ip,
		(long long)v->num(v->key(service, "port"), 0), (long long)v->num(v->key(service, "maxconn"), 5000),
		v->str(v->key(service, "balance"), "roundrobin"));
	str_add(&b, "    option httpchk\n    http-check send meth OPTIONS uri %s\n    http-check expect status 200\n",
		v->str(v->key(service, "check"), "/"));
	if (options && *options)
		str_add(&b, "    default-server %s\n", options);
	else
		str_add(&b,
			"    default-server inter %s fastinter %s downinter %s rise %lld fall %lld on-marked-down "
			"shutdown-sessions "
			"slowstart 30s maxconn 3000 maxqueue 128 weight 100\n",
			r.s[RTO_INTER], r.s[RTO_FAST], r.s[RTO_DOWN], (long long)r.n[RTO_RISE],
			(long long)r.n[RTO_FALL]);
	servers(in, &b, service, members);
	return b.s;
}

/* Files of this very cluster, by the marker inside them, whose service the inventory no longer has. */
static void stale(const struct inst *in, const char *kept)
{
	pig_task *t = in->t;
	const char *find = pig_sh(
		t,
		"for f in $(grep -lxF -- %s %s/*.cfg 2>/dev/null); do case %s in *\" $f \"*) ;; *) echo \"$f\" ;; "
		"esac; done",
		pig_fmt(t, "%s%s", marker, in->p->pg_cluster), NODE_HAPROXY_DIR, pig_fmt(t, " %s", kept));

	pig_ensure(t, .note = "services that are no more", .probe = find, .want = "",
		   .apply = pig_fmt(t, "rm -f -- $(%s)", find));
}

void pgsql_service(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct node_haproxy *haproxy = t->host->iface(t, NODE_HAPROXY);
	const pig_value *lists[2] = {in.p->pg_services, in.p->pg_default_services}, *members = member_list(&in);
	struct str kept = str_new(t);

	if (!haproxy) {
		t->host->fail(t, "module node is not there: it brings HAProxy");
		return;
	}
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < t->val->len(lists[k]); i++) {
			const pig_value *service = t->val->at(lists[k], i);
			const char *name = pig_fmt(t, "%s-%s", in.p->pg_cluster, role_name(t, service));

			/* the inventory's own are tried before they are put in place; the stock ones at the reload */
			if (k == 0)
				haproxy->service(t, name, service_text(&in, service, members), PIG_PRESENT);
			else
				pig_file(t, .path = pig_fmt(t, "%s/%s.cfg", NODE_HAPROXY_DIR, name),
					 .text = service_text(&in, service, members), .mode = 0644);
			str_add(&kept, "%s/%s.cfg ", NODE_HAPROXY_DIR, name);
		}
	stale(&in, kept.s);
	haproxy->reload(t);
}
