/* What is on a member's disk: program, folders, certificates, configuration. */
#include "module.h"

#include <stdlib.h>

/*
 * Our unit file first: it takes the place of the distribution's and does nothing without our configuration, so that
 * installing the package starts no stray server.
 */
void task_etcd_install(pig_task *t)
{
	pig_file(t, .path = "/etc/systemd/system/etcd.service", .tmpl = "etcd.service", .mode = 0644, .owner = "root",
		 .group = "root");
	pig_package(t, .names = "etcd");
}

void task_etcd_dir(pig_task *t)
{
	const struct etcd *p = t->params;

	pig_file(t, .path = "/etc/etcd", .dir = true, .mode = 0750, .owner = "etcd", .group = "etcd");
	pig_file(t, .path = "/var/lib/etcd", .dir = true, .mode = 0770, .owner = "etcd", .group = "etcd");
	pig_file(t, .path = p->etcd_data, .dir = true, .mode = 0700, .owner = "etcd", .group = "etcd");
}

/* "7300d", "52w", "2y" in days; 0 (the runner's default) for what is no number */
static uint32_t days_of(const char *text)
{
	char *unit;
	unsigned long n = strtoul(text, &unit, 10);

	if (*unit == 'h')
		n = (n + 23) / 24;
	else if (*unit == 'w')
		n *= 7;
	else if (*unit == 'y')
		n *= 365;
	return n > 36500 ? 36500 : (uint32_t)n;
}

void task_etcd_cert(pig_task *t)
{
	const char *name = etcd_name(t, t->hostname);

	pig_file(t, .path = "/etc/etcd/ca.crt", .text = t->host->ca(t), .mode = 0644, .owner = "etcd", .group = "etcd");
	pig_cert(t, .path = "/etc/etcd/server.crt", .key = "/etc/etcd/server.key", .cn = name, .ou = "etcd",
		.store = "etcd",
		 .sans = pig_fmt(t, "127.0.0.1,localhost,%s,%s", etcd_address(t, t->hostname), name), .owner = "etcd",
		 .group = "etcd",
		 .days = days_of(t->val->str(t->host->get(t, "cert_validity"), "7300d")), .client = true);
}

void etcd_conf(pig_task *t, const char *peers, const char *state)
{
	pig_value *vars = t->host->map(t);

	t->host->put(t, vars, "member", t->host->text(t, etcd_name(t, t->hostname)));
	t->host->put(t, vars, "client_url", t->host->text(t, etcd_client_url(t, t->hostname)));
	t->host->put(t, vars, "peer_url", t->host->text(t, etcd_peer_url(t, t->hostname)));
	t->host->put(t, vars, "peers", t->host->text(t, peers));
	t->host->put(t, vars, "state", t->host->text(t, state));
	pig_file(t, .path = ETCD_CONF, .tmpl = "etcd.conf", .vars = vars, .mode = 0644, .owner = "etcd",
		.group = "etcd");
}

/* The value of "key: value" in the answer, or NULL. */
static const char *line_of(pig_task *t, const char *text, const char *key)
{
	size_t k = strlen(key);

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		if (n > k + 1 && !strncmp(p, key, k) && p[k] == ' ')
			return pig_fmt(t, "%.*s", (int)(n - k - 1), p + k + 1);
		p += n + (p[n] == '\n');
	}
	return NULL;
}

/*
 * initial-cluster and its state speak of the moment a member was made; etcd ignores them once there is data. So they
 * stay as they were written then: a fleet that grows does not restart its old members. Who founded never was a learner;
 * who joined may be one still, where a run was cut off.
 */
void task_etcd_config(pig_task *t)
{
	const struct etcd *p = t->params;
	const char *keys = "[ ! -r " ETCD_CONF " ] || while read -r key value; do case $key in "
			   "initial-cluster:|initial-cluster-state:) echo \"$key $value\" ;; esac; done <" ETCD_CONF;
	const char *learns = "! grep -qs '^initial-cluster-state: existing' " ETCD_CONF " || ! ";
	const char *ahead = etcd_rbac_ahead(t);
	const pig_op *op = pig_shell(t, .note = "data and present configuration", .reads = true,
		.in = *ahead ? t->host->render(t, "login.json", NULL) : NULL,
		.cmd = pig_fmt(t, "%s%s%s\n%s && { echo 'up yes'\n%s" ETCD_LEARNS " || echo 'learns yes'\n}\n%s\nwait",
			       etcd_env(t, etcd_client_url(t, t->hostname)), ahead,
			       pig_sh(t, "[ ! -d %s/member ] || echo 'data yes'", p->etcd_data), etcd_listens(t),
			       learns, keys));

	pig_file(t, .path = ETCD_PASS, .text = t->host->secret(t, pig_fmt(t, "%s\n", p->etcd_root_password)),
		.mode = 0640,
		 .owner = "root", .group = "etcd");
	pig_file(t, .path = "/etc/profile.d/etcdctl.sh", .tmpl = "etcdctl.sh", .mode = 0644);
	if (!pig_await(t))
		return;
	const char *found = t->host->output(t, op, NULL), *may = line_of(t, found, "rbac");
	if (may && !strcmp(may, "on"))
		t->host->publish(t, "etcd_rbac", t->host->boolean(t, true));
	const char *peers = line_of(t, found, "initial-cluster:"), *state = line_of(t, found, "initial-cluster-state:");
	if (line_of(t, found, "data"))
		t->host->publish(t, line_of(t, found, "up") ? "etcd_up" : "etcd_down", t->host->boolean(t, true));
	if (line_of(t, found, "learns"))
		t->host->publish(t, "etcd_learns", t->host->boolean(t, true));
	if (line_of(t, found, "learns") || (line_of(t, found, "data") && !line_of(t, found, "up")))
		t->host->publish(t, "etcd_first", t->host->boolean(t, true));
	if (line_of(t, found, "data"))
		etcd_conf(t, peers ? peers : etcd_peers(t), peers && state ? state : "existing");
	else if (etcd_founds(t))
		etcd_conf(t, etcd_peers(t), "new");
}
