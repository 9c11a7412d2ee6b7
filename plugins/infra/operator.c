/*
 * What whoever works on an infra node finds there: settings of clients, and pig itself with its modules and the
 * inventory, so that any infra node can go on when the admin node is lost. Of the CA only the certificate.
 */
#include "module.h"

#include <unistd.h>

static void own(pig_task *t, const char *name, const char *tmpl, const pig_value *vars, uint32_t mode)
{
	pig_file(t, .path = pig_fmt(t, "%s/%s", infra_operator_home(t), name), .tmpl = tmpl, .vars = vars, .mode = mode,
		 .owner = infra_operator(t));
}

static const char *text_of(pig_task *t, const char *host, const char *name, const char *dflt)
{
	const char *s = infra_scalar(t, t->host->of(t, host, name));

	return *s ? s : dflt;
}

/* PostgreSQL instances the inventory knows, for psql's service file. */
static const pig_value *instances(pig_task *t)
{
	const pig_value *all = t->host->members(t, "all");
	pig_value *list = t->host->list(t);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = infra_host(t, all, i), *cluster = text_of(t, host, "pg_cluster", "");
		pig_value *one = t->host->map(t), *names = t->host->list(t);
		if (!*cluster)
			continue;
		const pig_value *dbs = t->host->of(t, host, "pg_databases");
		for (size_t k = 0; k < t->val->len(dbs); k++)
			t->host->push(t, names, t->val->key(t->val->at(dbs, k), "name"));
		infra_put(t, one, "cluster", cluster);
		infra_put(t, one, "seq", text_of(t, host, "pg_seq", "0"));
		infra_put(t, one, "address", infra_address(t, host));
		infra_put(t, one, "port", text_of(t, host, "pg_port", "5432"));
		infra_put(t, one, "admin", text_of(t, host, "pg_admin_username", "dbuser_dba"));
		t->host->put(t, one, "primary",
			     t->host->boolean(t, !strcmp(text_of(t, host, "pg_role", ""), "primary")));
		t->host->put(t, one, "databases", names);
		t->host->push(t, list, one);
	}
	return list;
}

static const pig_value *etcd_members(pig_task *t, const char *form)
{
	const pig_value *hosts = t->host->members(t, "etcd");
	pig_value *list = t->host->list(t);
	const char *port = text_of(t, t->hostname, "etcd_port", "2379");

	for (size_t i = 0; i < t->val->len(hosts); i++)
		t->host->push(
			t, list,
			t->host->text(t, pig_fmt(t, "%s%s:%s", form, infra_address(t, infra_host(t, hosts, i)), port)));
	return list;
}

/* Passwords by user, in the form of libpq: colons and backslashes escaped. */
static const char *passwords(pig_task *t)
{
	static const char *const users[][2] = {{"pg_replication_username", "pg_replication_password"},
					       {"pg_monitor_username", "pg_monitor_password"},
					       {"pg_admin_username", "pg_admin_password"}};
	const char *text = "";

	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		const char *user = text_of(t, t->hostname, users[i][0], ""),
			   *p = text_of(t, t->hostname, users[i][1], "");
		const char *escaped = "";
		for (; *p; p++)
			escaped = pig_fmt(t, "%s%s%c", escaped, *p == ':' || *p == '\\' ? "\\" : "", *p);
		if (*user && *escaped)
			text = pig_fmt(t, "%s*:*:*:%s:%s\n", text, user, escaped);
	}
	return *text ? t->host->secret(t, text) : text;
}

void task_infra_env(pig_task *t)
{
	const char *home = infra_operator_home(t);
	pig_value *vars = t->host->map(t);
	bool databases = t->val->len(instances(t)) > 0;

	if (databases) {
		t->host->put(t, vars, "instances", instances(t));
		t->host->put(t, vars, "etcd", etcd_members(t, ""));
		pig_file(t, .path = INFRA_DIR "/conf/patronictl.yml", .tmpl = "operator/patronictl.yml", .vars = vars,
			 .mode = 0640, .owner = "root", .group = "infra");
	}
	t->host->put(t, vars, "endpoints", etcd_members(t, "https://"));
	/* a member has its own */
	if (t->val->len(t->val->key(vars, "endpoints")) && t->val->type(t->host->get(t, "etcd_seq")) != PIG_INT)
		pig_file(t, .path = "/etc/profile.d/etcdctl.sh", .tmpl = "operator/etcdctl.sh", .vars = vars,
			 .mode = 0644);
	if (!*home)
		return;
	if (databases) {
		pig_line(t, .path = pig_fmt(t, "%s/.pgpass", home), .block = "pigsty", .line = passwords(t));
		pig_file(t, .path = pig_fmt(t, "%s/.pgpass", home), .mode = 0600, .owner = infra_operator(t));
		own(t, ".pg_service.conf", "operator/pg_service.conf", vars, 0600);
	}
	own(t, ".pigsty", "operator/pigsty", vars, 0600);
	pig_line(t, .path = pig_fmt(t, "%s/.bashrc", home), .block = "pigsty",
		 .line = "[ ! -r ~/.pigsty ] || . ~/.pigsty");
}

/* The last part of a path. */
static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Where this pig looks for its installed modules is where they go, and the program beside: what runs here and what is
 * installed there are the same files.
 */
void task_infra_admin(pig_task *t)
{
	const pig_value *self = PIG_HAS(t, self) ? t->host->self(t) : NULL;
	const char *home = infra_operator_home(t), *dir = pig_fmt(t, "%s/pigsty", home);
	const pig_value *modules = t->val->key(self, "modules"), *inventory = t->val->key(self, "inventory");

	if (!self)
		return;
	pig_package(t, .names = "pig-libraries");
	pig_file(t, .path = t->val->str(t->val->key(self, "program_at"), ""), .mode = 0755, .owner = "root",
		 .group = "root", .src = t->val->str(t->val->key(self, "program"), ""));
	for (size_t i = 0; i < t->val->len(modules); i++) {
		const char *file = t->val->str(t->val->at(modules, i), "");
		pig_file(t,
			 .path = pig_fmt(t, "%s/%s", t->val->str(t->val->key(self, "modules_at"), ""), base_of(file)),
			 .src = file, .mode = 0644, .owner = "root", .group = "root");
	}
	if (!*home)
		return;
	pig_file(t, .path = dir, .dir = true, .mode = 0750, .owner = infra_operator(t));
	for (size_t i = 0; i < t->val->len(inventory); i++) {
		const char *file = t->val->str(t->val->at(inventory, i), "");
		pig_file(t, .path = pig_fmt(t, "%s/%s", dir, t->val->key_at(inventory, i)), .src = file,
			 .mode = access(file, X_OK) ? 0600 : 0700, /* an inventory that runs still has to */
			 .owner = infra_operator(t));
	}
	pig_file(t, .path = pig_fmt(t, "%s/files/pki/ca/ca.crt", dir), .text = t->host->ca(t), .mode = 0644,
		 .owner = infra_operator(t));
}

void task_rm_env(pig_task *t)
{
	static const char *const files[] = {".pg_service.conf", ".pigsty"};
	const char *home = infra_operator_home(t);

	if (t->val->type(t->host->get(t, "etcd_seq")) != PIG_INT) /* a member's is etcd's */
		pig_file(t, .path = "/etc/profile.d/etcdctl.sh", .state = PIG_ABSENT);
	if (!*home)
		return;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		pig_file(t, .path = pig_fmt(t, "%s/%s", home, files[i]), .state = PIG_ABSENT);
	pig_line(t, .path = pig_fmt(t, "%s/.pgpass", home), .block = "pigsty", .state = PIG_ABSENT);
	pig_line(t, .path = pig_fmt(t, "%s/.bashrc", home), .block = "pigsty", .state = PIG_ABSENT);
}
