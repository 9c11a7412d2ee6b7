/* RBAC of the cluster, and what other modules need to talk to it. */
#include "module.h"

const char *etcd_env(pig_task *t, const char *endpoints)
{
	return pig_sh(t, "export ETCDCTL_CACERT=/etc/etcd/ca.crt ETCDCTL_CERT=/etc/etcd/server.crt "
			 "ETCDCTL_KEY=/etc/etcd/server.key ETCDCTL_ENDPOINTS=%s\n", endpoints);
}

/* The password goes from its file into the process, past every argument list. */
#define AS_ROOT "read -r p <" ETCD_PASS "; export ETCDCTL_USER=root ETCDCTL_PASSWORD=\"$p\"\n"

const char *etcd_env_root(pig_task *t, const char *endpoints)
{
	return pig_fmt(t, "%s" AS_ROOT, etcd_env(t, endpoints));
}

static bool tells_rbac(pig_task *t) /* the first of the run */
{
	const pig_value *hosts = t->host->members(t, t->cluster);

	for (size_t i = 0; i < t->val->len(hosts); i++)
		if (t->host->in_run(t, etcd_host(t, hosts, i)))
			return !strcmp(etcd_host(t, hosts, i), t->hostname);
	return false;
}

/*
 * Looked at ahead, where curl is: one login by the gateway tells whether RBAC is on and the inventory's password root's,
 * while the host's files are looked at. It goes on beside what stands after it in the same shell, as it takes the longest.
 * All else is task_etcd_auth's.
 */
const char *etcd_rbac_ahead(pig_task *t)
{
	return tells_rbac(t)
		? "exec 3<&0\n! command -v curl >/dev/null || case $(curl -s -m 5 --cacert \"$ETCDCTL_CACERT\" \\\n"
		  "--cert \"$ETCDCTL_CERT\" --key \"$ETCDCTL_KEY\" --data-binary @- \\\n"
		  "\"$ETCDCTL_ENDPOINTS/v3/auth/authenticate\" <&3) in *'\"token\":\"'*) echo 'rbac on' ;; esac &\n"
		: "";
}

/*
 * Who may administrate is asked by trying: etcd 3.4 has no `auth status`, and lets root log in by any password while
 * RBAC is off. So first without a user, then as root, which also shows a password that is not the inventory's. A run
 * that was cut off between adding root and turning RBAC on is taken up where it stopped. A learner cannot tell; it has
 * joined a cluster where that is done.
 */
void task_etcd_auth(pig_task *t)
{
	const char *env = etcd_env(t, etcd_client_url(t, t->hostname));

	if (t->val->truth(t->host->of(t, t->hostname, "etcd_rbac"), false))
		return;
	pig_ensure(t, .note = "RBAC, root", .want = "on",
		.probe = pig_fmt(t, "%s" "if etcdctl role list >/dev/null 2>&1; then echo off; else " AS_ROOT
			"if o=$(etcdctl role list 2>&1); then echo on; else case $o in\n"
			"*'invalid user'*) echo 'root has another password' ;;\n"
			"*'not supported for learner'*) echo on ;; *) echo \"$o\" ;; esac; fi; fi", env),
		.apply = pig_fmt(t, "%s" "r='etcdctl --command-timeout=10s'\n"
			"$r role list >/dev/null || { echo 'root must be known by etcd_root_password' >&2; exit 1; }\n"
			"$r user add root --interactive=false <" ETCD_PASS " ||\n"
			"$r user passwd root --interactive=false <" ETCD_PASS " || exit\n"
			"$r role add root || :; $r user grant-role root root || :; $r auth enable", env));
}

const pig_value *etcd_client_members(pig_task *t)
{
	return t->host->members(t, t->val->str(t->host->get(t, "etcd_cluster"), "etcd"));
}

const char *etcd_client_endpoints(pig_task *t)
{
	return etcd_urls(t, etcd_client_members(t), NULL);
}

/* Seen from any host, which need hold no certificate yet: does one of the members take connections? */
void etcd_answers(pig_task *t)
{
	const pig_value *hosts = etcd_client_members(t);
	const char *list = "";
	int status = 0;
	const pig_op *op;

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = etcd_host(t, hosts, i);
		list = pig_fmt(t, "%s%s", list, pig_sh(t, " %s/%lld", etcd_address(t, host),
			(long long)t->val->num(t->host->of(t, host, "etcd_port"), 2379)));
	}
	op = pig_shell(t, .note = "does etcd answer", .reads = true,
		.cmd = pig_fmt(t, "for e in%s; do timeout 3 bash -c 'exec 3<>\"/dev/tcp/$0\"' \"$e\" 2>/dev/null && exit 0; "
			"done; exit 1", list));
	if (!pig_await(t))
		return;
	t->host->output(t, op, &status);
	if (!status)
		return;
	t->host->fail(t, "etcd does not answer here: %s", etcd_client_endpoints(t));
	t->host->hint(t, "Run etcd.yml first, or start etcd on its hosts.");
}

const char *etcd_client_env(pig_task *t)
{
	return etcd_env_root(t, etcd_client_url(t, t->hostname));
}

const char *etcd_client_member(pig_task *t)
{
	const pig_value *hosts = etcd_client_members(t);

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = etcd_host(t, hosts, i);
		if (!t->host->reach(t, host))
			continue;
		pig_task *m = t->host->on(t, host);
		int status = 0;
		const pig_op *op = pig_shell(m, .note = "does the member answer", .reads = true,
			.cmd = pig_fmt(t, "%s" ETCD_ANSWERS, etcd_env(t, etcd_client_url(t, host))));
		if (!pig_await(m))
			return "";
		t->host->output(t, op, &status);
		if (!status)
			return host;
	}
	t->host->fail(t, "no etcd member answers");
	t->host->hint(t, "Run etcd.yml first, or start etcd on its hosts.");
	return "";
}
