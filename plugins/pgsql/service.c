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

static void server(const struct inst *in, struct str *b, const pig_value *service, const pig_value *m)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *host = v->str(v->key(m, "inventory_hostname"), "");

	str_add(b, "    server %s %s:%lld check port %lld%s weight %lld\n", inst_name(t, host), inst_addr(t, host),
		(long long)port_of(in, service, m), (long long)v->num(v->key(m, "patroni_port"), 8008),
		in->p->patroni_ssl_enabled ? " check-ssl verify required ca-file /pg/cert/ca.crt" : "",
		(long long)v->num(v->key(m, "pg_weight"), 100));
}

/* How members are asked and balanced, in a listen or backend section. */
static void balance(const struct inst *in, struct str *b, const pig_value *service, const char *check)
{
	const struct pig_values *v = in->t->val;
	const char *options = v->str(v->key(service, "options"), NULL);
	struct rto r = inst_rto(in->t);

	str_add(b,
		"    mode tcp\n    balance %s\n    option httpchk\n    http-check send meth OPTIONS uri %s\n"
		"    http-check expect status 200\n",
		v->str(v->key(service, "balance"), "roundrobin"), check);
	if (options && *options)
		str_add(b, "    default-server %s\n", options);
	else
		str_add(b,
			"    default-server inter %s fastinter %s downinter %s rise %lld fall %lld on-marked-down "
			"shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100\n",
			r.s[RTO_INTER], r.s[RTO_FAST], r.s[RTO_DOWN], (long long)r.n[RTO_RISE],
			(long long)r.n[RTO_FALL]);
}

/* Members of a service that are there only when no other is. Who leads is asked of the cluster, not of pg_role: for
 * this choice the one that made the cluster counts as any replica. */
static const pig_value *spares(const struct inst *in, const pig_value *service, const pig_value *members,
			       bool as_written)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *spare = v->str(v->key(service, "backup"), NULL);
	pig_value *list = t->host->list(t);

	if (!spare || !*spare)
		return NULL;
	for (size_t i = 0; i < v->len(members) && !as_written; i++) {
		const pig_value *m = v->at(members, i);
		pig_value *copy = t->host->map(t);

		for (size_t k = 0; k < v->len(m); k++)
			t->host->put(t, copy, v->key_at(m, k), v->at(m, k));
		if (!strcmp(v->str(v->key(m, "pg_role"), ""), "primary"))
			t->host->put(t, copy, "pg_role", t->host->text(t, "replica"));
		t->host->push(t, list, copy);
	}
	return t->host->jmes(t, spare, as_written ? members : list);
}

/*
 * A service with spare members is two backends: the members it is for, asked whether they follow, and behind them
 * everyone who may serve it at all. So the leader gets reads only while no replica is up, whoever leads, and a failover
 * changes no file.
 */
static void with_spares(const struct inst *in, struct str *b, const pig_value *service, const pig_value *members,
			const char *name)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *check = v->str(v->key(service, "check"), "/"), *sel = v->str(v->key(service, "selector"), "[]");
	const pig_value *front = t->host->jmes(t, sel, members), *written = spares(in, service, members, true),
			*spare = spares(in, service, members, false);

	str_add(b,
		"    use_backend %s-first if { nbsrv(%s-first) gt 0 }\n    default_backend %s-spare\n\nbackend "
		"%s-first\n",
		name, name, name, name);
	balance(in, b, service, strcmp(check, "/read-only") ? check : "/replica");
	for (size_t i = 0; i < v->len(members); i++) {
		const char *host = v->str(v->key(v->at(members, i), "inventory_hostname"), "");

		if (selected(t, front, host) && !selected(t, spare, host))
			server(in, b, service, v->at(members, i));
	}
	str_add(b, "\nbackend %s-spare\n", name);
	balance(in, b, service, check);
	for (size_t i = 0; i < v->len(members); i++) {
		const char *host = v->str(v->key(v->at(members, i), "inventory_hostname"), "");

		if (selected(t, front, host) || selected(t, spare, host) || selected(t, written, host))
			server(in, b, service, v->at(members, i));
	}
}

static const char *service_text(const struct inst *in, const pig_value *service, const pig_value *members)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *ip = v->str(v->key(service, "ip"), "*"), *spare = v->str(v->key(service, "backup"), NULL);
	const char *name = pig_fmt(t, "%s-%s", in->p->pg_cluster, role_name(t, service));
	bool two = spare && *spare;
	struct str b = str_new(t);

	str_add(&b, "# Written by pig: a service of PostgreSQL.\n%s%s\n%s %s\n", marker, in->p->pg_cluster,
		two ? "frontend" : "listen", name);
	str_add(&b, "    bind %s:%lld\n    maxconn %lld\n", ip, (long long)v->num(v->key(service, "port"), 0),
		(long long)v->num(v->key(service, "maxconn"), 5000));
	if (two) {
		str_add(&b, "    mode tcp\n");
		with_spares(in, &b, service, members, name);
		return b.s;
	}
	balance(in, &b, service, v->str(v->key(service, "check"), "/"));
	const pig_value *front = t->host->jmes(t, v->str(v->key(service, "selector"), "[]"), members);
	for (size_t i = 0; i < v->len(members); i++)
		if (selected(t, front, v->str(v->key(v->at(members, i), "inventory_hostname"), "")))
			server(in, &b, service, v->at(members, i));
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

void service_forget(const struct inst *in)
{
	const struct node_haproxy *haproxy = in->t->host->iface(in->t, NODE_HAPROXY);

	stale(in, "");
	if (haproxy)
		haproxy->reload(in->t);
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

			/* tried before they are put in place: the inventory's own, and one for what all have in common
			 */
			if (k == 0 || i == 0)
				haproxy->service(t, name, service_text(&in, service, members), PIG_PRESENT);
			else
				pig_file(t, .path = pig_fmt(t, "%s/%s.cfg", NODE_HAPROXY_DIR, name),
					 .text = service_text(&in, service, members), .mode = 0644);
			str_add(&kept, "%s/%s.cfg ", NODE_HAPROXY_DIR, name);
		}
	stale(&in, kept.s);
	haproxy->reload(t);
}
