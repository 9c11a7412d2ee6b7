/*
 * Playbook pgsql-rm: a whole cluster, or members of one that lives on. Who leads is asked of the cluster; it goes last,
 * and only after another member has taken over when others stay. Everything is named exactly: pg-test2 beside pg-test
 * keeps all that is its own.
 */
#include "pgsql.h"
#include "../etcd/etcd.h"

#include <string.h>

static const char leading[] = "rm_leads";

void pgsql_rm_look(pig_task *t)
{
	struct inst in = inst_of(t);
	const pig_op *op =
		pig_shell(t, .note = "ask Patroni", .reads = true, .cmd = inst_rest(&in, in.addr, "/patroni"));
	const char *body;
	bool leads;

	if (!pig_await(t))
		return;
	body = http_body(t->host->output(t, op, NULL));
	leads = body && role_leads(t->val->str(t->val->key(t->host->json(t, body), "role"), ""));
	t->host->publish(t, leading, t->host->boolean(t, leads));
}

/* Does the whole cluster go? A member that is neither among the hosts nor to be reached holds nobody up. */
static bool all_go(pig_task *t)
{
	const pig_value *all = t->host->members(t, t->cluster);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		if (!t->host->in_run(t, host) && t->host->reach(t, host))
			return false;
	}
	return true;
}

/* What a lost member holds is told once, by the plan. */
static void lost(pig_task *t)
{
	const pig_value *all = t->host->members(t, t->cluster);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		if (!t->host->in_run(t, host))
			t->host->warn(t, "%s (%s) cannot be reached: what it holds of %s stays there",
				      inst_name(t, host), host, t->cluster);
	}
}

/* A member that stays and could lead, by Patroni's own view of the cluster; NULL: none. */
static const char *heir(const struct inst *in, const pig_value *members)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const pig_value *all = t->host->members(t, t->cluster);

	for (size_t i = 0; i < v->len(all); i++) {
		const char *host = v->str(v->at(all, i), ""), *name = inst_name(t, host);

		for (size_t k = 0; k < v->len(members) && !t->host->in_run(t, host); k++) {
			const char *state = v->str(v->key(v->at(members, k), "state"), "");

			if (!strcmp(v->str(v->key(v->at(members, k), "name"), ""), name) &&
			    (!strcmp(state, "running") || !strcmp(state, "streaming")))
				return name;
		}
	}
	return NULL;
}

/* Members stay, and their leader is to go: another one takes over first. */
static void hand_over(const struct inst *in, const char *host)
{
	pig_task *t = in->t, *m = t->host->on(t, host);
	const char *addr = inst_addr(t, host), *body, *to, *json, *login;
	const pig_op *op =
		pig_shell(m, .note = "ask for the members", .reads = true, .cmd = inst_rest(in, addr, "/cluster"));

	if (!pig_await(m))
		return;
	body = http_body(m->host->output(m, op, NULL));
	to = body ? heir(in, t->val->key(t->host->json(t, body), "members")) : NULL;
	if (!to) {
		t->host->fail(t, "%s leads %s, and no member that stays could take over", inst_name(t, host),
			      in->p->pg_cluster);
		t->host->hint(t, "Bring another member up, or remove the whole cluster: -l %s.", in->p->pg_cluster);
		return;
	}
	json = pig_fmt(t, "{\"leader\":%s,\"candidate\":%s}", json_text(t, inst_name(t, host)), json_text(t, to));
	login = base64(t, pig_fmt(t, "%s:%s", in->p->patroni_username, in->p->patroni_password));
	t->host->secret(t, login);
	/* Patroni answers when it is done: a checkpoint and a lease's loop at most */
	pig_shell(m, .note = pig_fmt(t, "%s takes over", to),
		  .in = t->host->secret(t,
					pig_fmt(t,
						"POST /switchover HTTP/1.0\r\nAuthorization: Basic %s\r\nContent-Type: "
						"application/json\r\nContent-Length: %zu\r\n\r\n%s",
						login, strlen(json), json)),
		  .cmd = pig_fmt(t,
				 "%s >/dev/null; n=0; until ! %s | grep -q '\"role\": \"\\(master\\|primary\\)\"'; do "
				 "[ $n -lt 300 ] || exit 1; n=$((n+1)); sleep 0.2; done",
				 inst_rest_send(in, pig_sh(m, "%s", addr)), inst_rest(in, addr, "/patroni")));
	pig_await(m);
}

void pgsql_rm_plan(pig_task *t)
{
	struct inst in = inst_of(t);
	const pig_value *all = t->host->members(t, t->cluster);
	bool every = all_go(t);

	if (every)
		lost(t);
	for (size_t i = 0; i < t->val->len(all) && !every; i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		if (t->host->in_run(t, host) && t->val->truth(t->host->of(t, host, leading), false))
			hand_over(&in, host);
	}
}

/* ---- what leads to the server ---- */

static void gone(pig_task *t, const char *path)
{
	pig_file(t, .path = path, .state = PIG_ABSENT);
}

static void unit_gone(pig_task *t, const char *name)
{
	pig_unit(t, .name = name, .state = PIG_STOPPED, .enable = -1, .flags = PIG_NOW);
	gone(t, pig_fmt(t, "/etc/systemd/system/%s.service", name));
}

void pgsql_rm_access(pig_task *t)
{
	struct inst in = inst_of(t);

	monitor_forget(&in, all_go(t));
	logs_forget(&in);
	vip_forget(&in);
	service_forget(&in);
	unit_gone(t, "pgbouncer");
	pig_file(t, .path = "/etc/pgbouncer", .dir = true, .state = PIG_ABSENT);
}

/* ---- the server ---- */

static void stop(const struct inst *in)
{
	unit_gone(in->t, "patroni");
	unit_gone(in->t, "postgres");
	pgsql_stop_server(in);
}

/* Whoever leads at this very moment is left for the next step. */
void pgsql_rm_replica(pig_task *t)
{
	struct inst in = inst_of(t);

	if (!t->val->truth(t->host->of(t, t->hostname, leading), false) ||
	    !t->val->truth(t->host->get(t, "patroni_enabled"), true))
		stop(&in);
}

void pgsql_rm_leader(pig_task *t)
{
	struct inst in = inst_of(t);

	stop(&in);
}

/* The cluster's keys, user and role in etcd: those of this very name. */
void pgsql_rm_meta(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct etcd_client *etcd = t->host->iface(t, ETCD_CLIENT);
	const pig_value *hosts = etcd ? etcd->members(t) : NULL;
	const char *keys = pig_fmt(t, "%s/%s/", in.p->pg_namespace, in.p->pg_cluster), *host = NULL;
	pig_task *m;

	if (!all_go(t) || !in.p->patroni_enabled)
		return;
	for (size_t i = 0; i < t->val->len(hosts) && !host; i++) {
		host = t->val->str(t->val->at(hosts, i), "");
		host = t->host->reach(t, host) ? host : NULL;
	}
	if (!host) {
		t->host->warn(t, "no host of etcd can be reached: the keys under %s stay there", keys);
		return;
	}
	m = t->host->on(t, host);
	pig_ensure(
		m, .note = pig_fmt(t, "etcd knows no cluster %s", in.p->pg_cluster), .want = "",
		.probe = pig_fmt(m, "%s%s", etcd->env(m),
				 pig_sh(m,
					"etcdctl get --prefix --keys-only --limit=1 %s || { echo no answer; exit 0; }; "
					"etcdctl user list | grep -xF %s; "
					"etcdctl role list | grep -xF %s; :",
					keys, in.etcd_user, in.etcd_user)),
		.apply = pig_fmt(m, "%s%s", etcd->env(m),
				 pig_sh(m,
					"etcdctl del --prefix %s >/dev/null || exit\netcdctl user delete %s >/dev/null "
					"2>&1; etcdctl role delete %s >/dev/null 2>&1; :",
					keys, in.etcd_user, in.etcd_user)));
	pig_await(m);
}

/* ---- what is on the disk ---- */

/* A link goes when it leads where this cluster's does. */
static void link_gone(const struct inst *in, const char *path, const char *to)
{
	pig_task *t = in->t;

	pig_ensure(t, .note = pig_fmt(t, "no link %s", path), .want = "",
		   .probe = pig_sh(t, "[ \"$(readlink %s)\" != %s ] || echo there", path, to),
		   .apply = pig_sh(t, "rm -f %s", path));
}

void pgsql_rm_files(pig_task *t)
{
	static const char *const profiles[] = {"/etc/profile.d/pgsql.sh", "/etc/profile.d/pg-alias.sh",
					       "/etc/tmpfiles.d/pig-postgresql.conf"};
	struct inst in = inst_of(t);

	crontab_forget(&in);
	if (in.p->pg_rm_backup)
		backup_forget(&in, all_go(t) && t->val->truth(t->host->of(t, t->hostname, leading), false));
	pig_file(t, .path = "/etc/patroni", .dir = true, .state = PIG_ABSENT);
	if (in.p->pg_rm_data) {
		link_gone(&in, "/pg", in.dir);
		pig_file(t, .path = in.dir, .dir = true, .state = PIG_ABSENT);
	}
	if (!in.p->pg_rm_pkg)
		return;
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
		gone(t, profiles[i]);
	link_gone(&in, pig_fmt(t, "%.*s", (int)(strrchr(in.bin, '/') - in.bin), in.bin), in.home);
	if (*package_names(&in))
		pig_package(t, .names = package_names(&in), .state = PIG_ABSENT);
}
