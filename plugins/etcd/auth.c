/* RBAC of the cluster, and what other modules need to talk to it. */
#include "module.h"

const char *etcd_env(pig_task *t, const char *endpoints)
{
	return pig_sh(t, "export ETCDCTL_CACERT=/etc/etcd/ca.crt ETCDCTL_CERT=/etc/etcd/server.crt "
			 "ETCDCTL_KEY=/etc/etcd/server.key ETCDCTL_ENDPOINTS=%s\n", endpoints);
}

/* The password goes from its file into the process, past every argument list. */
#define AS_ROOT "read -r p <" ETCD_PASS "; export ETCDCTL_USER=root ETCDCTL_PASSWORD=\"$p\"\n"

const char *etcd_env_auto(pig_task *t, const char *endpoints)
{
	return pig_fmt(t, "%s" AS_ROOT "case $(etcdctl role list 2>&1) in *'not enabled'*) "
			  "unset ETCDCTL_USER ETCDCTL_PASSWORD ;; esac\n", etcd_env(t, endpoints));
}

/*
 * Who may administrate is asked by logging in: etcd 3.4 has no `auth status`, and only so a password that is not the
 * inventory's shows. A run that was cut off between adding root and turning RBAC on is taken up where it stopped.
 */
void task_etcd_auth(pig_task *t)
{
	const char *env = etcd_env(t, etcd_urls(t, t->host->members(t, t->cluster), NULL));

	pig_ensure(t, .note = "RBAC, root", .want = "on",
		.probe = pig_fmt(t, "%s" AS_ROOT "if o=$(etcdctl role list 2>&1); then echo on; else case $o in\n"
			"*'not enabled'*) echo off ;; *'invalid user'*) echo 'root has another password' ;;\n"
			"*) echo \"$o\" ;; esac; fi", env),
		.apply = pig_fmt(t, "%s" "r='etcdctl --command-timeout=10s'\n"
			"case $(" AS_ROOT " $r role list 2>&1) in *'invalid user'*)\n"
			"echo 'the cluster knows root by another password than etcd_root_password' >&2; exit 1; esac\n"
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

const char *etcd_client_env(pig_task *t)
{
	return pig_fmt(t, "%s" AS_ROOT, etcd_env(t, etcd_client_url(t, t->hostname)));
}

const char *etcd_client_member(pig_task *t)
{
	const pig_value *hosts = etcd_client_members(t);

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = etcd_host(t, hosts, i);
		pig_task *m = t->host->on(t, host);
		int status = 0;
		const pig_op *op = pig_shell(m, .note = "does the member answer", .reads = true,
			.cmd = pig_fmt(t, "%setcdctl endpoint health --command-timeout=3s >/dev/null 2>&1",
				       etcd_env(t, etcd_client_url(t, host))));
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
