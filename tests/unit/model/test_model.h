/*
 * What the model's tests share: two modules in memory, `pg` with clusters and `gis` that extends it, and a world made of them and of
 * an inventory given as text. The inventory is written to a file of its own, so that places in messages can be checked.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"
#include "base/os.h"
#include "model/module_int.h"
#include "model/plan.h"

struct pg {
	const char *pg_cluster, *pg_role, *pg_version, *pg_vip, *pg_conf, *pg_password, *pg_dsn, *admin_ip, *pg_home;
	int64_t pg_seq, pg_port, pg_mem;
	double pg_ratio;
	bool pg_enabled, pg_tls;
	const pig_value *pg_users, *pg_ports, *pg_settings, *pg_any;
};

static const struct pig_param pg_setting_members[] = { { .name = "*", .type = PIG_INT } };
static const struct pig_param pg_user_members[] = {
	{ .name = "name", .type = PIG_STR, .flags = PIG_REQUIRED, .check = "name" },
	{ .name = "password", .type = PIG_STR, .flags = PIG_SECRET },
	{ .name = "pool_mode", .type = PIG_ENUM, .check = "transaction|session", .dflt = "transaction", .was = "pgbouncer_mode" },
	{ .name = "login", .type = PIG_BOOL, .dflt = "true" },
	{ .name = "roles", .type = PIG_LIST },
	{ .name = "future", .type = PIG_STR, .flags = PIG_INERT },
	{ .name = "port", .type = PIG_INT, .check = "port" },
	{ .name = "ip", .type = PIG_STR },
};
static const struct pig_param pg_params[] = {
	PIG_P_STR(struct pg, pg_cluster, .level = PIG_CLUSTER, .flags = PIG_REQUIRED, .check = "/^[A-Za-z0-9-]+$/", .text = "Cluster."),
	PIG_P_INT(struct pg, pg_seq, .level = PIG_INSTANCE, .flags = PIG_REQUIRED, .text = "Number."),
	PIG_P_ENUM(struct pg, pg_role, .level = PIG_INSTANCE, .check = "primary|replica|offline", .dflt = "replica", .text = "Role."),
	PIG_P_STR(struct pg, pg_version, .level = PIG_CLUSTER, .dflt = "1.10", .text = "Version."),
	PIG_P_STR(struct pg, pg_vip, .level = PIG_CLUSTER, .check = "cidr", .text = "Address."),
	PIG_P_STR(struct pg, pg_conf, .level = PIG_CLUSTER, .dflt = "oltp.yml", .check = "oltp.yml|tiny.yml", .text = "Template."),
	PIG_P_STR(struct pg, pg_password, .level = PIG_GLOBAL, .dflt = "DBUser.DBA", .flags = PIG_SECRET, .text = "Password."),
	PIG_P_STR(struct pg, pg_dsn, .level = PIG_CLUSTER, .dflt = "'host={{ inventory_hostname }} port={{ pg_port }} password={{ pg_password }}'"),
	PIG_P_STR(struct pg, admin_ip, .level = PIG_GLOBAL, .check = "ip", .dflt = "10.10.10.10", .text = "Admin."),
	PIG_P_STR(struct pg, pg_home, .level = PIG_ARG, .check = "path", .text = "Home."),
	PIG_P_INT(struct pg, pg_port, .level = PIG_CLUSTER, .check = "port", .dflt = "5432", .was = "postgres_port pgport", .text = "Port."),
	PIG_P_INT(struct pg, pg_mem, .level = PIG_CLUSTER, .dflt = "{{ node_mem_mb // 4 }}", .text = "Memory."),
	{ .name = "pg_ratio", .offset = PIG_AT(struct pg, pg_ratio, double), .type = PIG_FLOAT, .level = PIG_CLUSTER, .dflt = "0.5" },
	PIG_P_BOOL(struct pg, pg_enabled, .level = PIG_CLUSTER, .dflt = "yes", .text = "Enabled?"),
	PIG_P_BOOL(struct pg, pg_tls, .level = PIG_CLUSTER, .dflt = "false", .flags = PIG_INERT, .text = "TLS?"),
	PIG_P_LIST(struct pg, pg_users, .level = PIG_CLUSTER, .dflt = "[]", .members = PIG_TABLE(pg_user_members), .text = "Users."),
	PIG_P_LIST(struct pg, pg_ports, .level = PIG_CLUSTER, .dflt = "[]", .check = "port", .text = "Ports."),
	PIG_P_MAP(struct pg, pg_settings, .level = PIG_CLUSTER, .dflt = "{}", .members = PIG_TABLE(pg_setting_members), .text = "Settings."),
	{ .name = "pg_any", .offset = PIG_AT(struct pg, pg_any, const pig_value *), .type = PIG_ANY, .level = PIG_CLUSTER },
};

static inline void task_run(pig_task *t)
{
	(void)t;
}

static const struct pig_taskdef pg_tasks[] = {
	{ .name = "pg_install", .text = "install", .tags = "pkg", .run = task_run },
	{ .name = "pg_launch", .text = "launch", .tags = "launch,start", .when = "pg_enabled", .run = task_run },
	{ .name = "pg_wipe", .text = "wipe", .tags = "never,danger", .run = task_run },
	{ .name = "pg_id", .text = "identify", .tags = "always", .run = task_run },
	{ .name = "pg_user", .text = "users", .run = task_run },
};
static const struct pig_step pg_steps[] = {
	{ .name = "pg_base", .tasks = "pg_id pg_install" },
	{ .name = "pg_cluster", .tasks = "pg_launch pg_wipe", .first = "pg_role == 'primary'", .needs = "pg.pg_base" },
	{ .name = "pg_users", .tasks = "pg_user", .flags = PIG_ONCE },
};
static const struct pig_playbook pg_books[] = { { .name = "pgsql", .text = "clusters", .steps = PIG_TABLE(pg_steps) } };
static const struct pig_rule pg_rules[] = {
	{ .id = "pg_one_primary", .scope = PIG_OF_CLUSTER, .must = "members | map('extract', hostvars, 'pg_role') | select('eq', 'primary') | list | length == 1",
	  .say = "a cluster needs one primary", .hint = "Set pg_role: primary on one host." },
	{ .id = "pg_vip_set", .scope = PIG_HOST, .warn = 1, .must = "pg_port != 6432 or pg_vip", .say = "port 6432 wants an address" },
	{ .id = "pg_memory", .scope = PIG_HOST, .must = "pg_mem > 100", .say = "too little memory" },
};
static const struct pig_template pg_templates[] = { { .name = "pg.conf", .data = "port = {{ pg_port }}\n", .len = 21 } };
static const struct pig_alias pg_aliases[] = {
	{ .name = "postgres", .os = "debian*", .packages = "postgresql" }, { .name = "postgres", .os = "*", .packages = "postgresql-server" },
};
static const struct pig_module pg_module = {
	.magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR, .size = sizeof(struct pig_module),
	.name = "pg", .version = "0.3.0", .text = "PostgreSQL", .cluster = "pg_cluster", .params_size = sizeof(struct pg),
	.params = PIG_TABLE(pg_params), .tasks = PIG_TABLE(pg_tasks), .playbooks = PIG_TABLE(pg_books), .rules = PIG_TABLE(pg_rules),
	.templates = PIG_TABLE(pg_templates), .aliases = PIG_TABLE(pg_aliases),
};

struct gis { bool gis_enabled; };
static const struct pig_param gis_params[] = {
	PIG_P_BOOL(struct gis, gis_enabled, .level = PIG_CLUSTER, .dflt = "false", .text = "PostGIS?"),
};
static const struct pig_taskdef gis_tasks[] = { { .name = "gis_install", .text = "install PostGIS", .run = task_run } };
static const struct pig_insert gis_inserts[] = {
	{ .playbook = "pgsql.yml", .where = "after:pg_base", .name = "gis", .tasks = "gis_install", .when = "gis_enabled" },
	{ .playbook = "pgsql", .where = "after:pg_base", .name = "gis2", .tasks = "gis_install" },
	{ .playbook = "pgsql", .where = "before:pg_base", .name = "gis0", .tasks = "gis_install" },
};
static const struct pig_preset gis_presets[] = { { .param = "pg_conf", .dflt = "tiny.yml", .when = "gis_enabled" } };
static const struct pig_need gis_needs[] = { { .module = "pg", .version = ">=0.1 <2" }, { .module = "pig", .version = ">=0.1" } };
static const struct pig_module gis_module = {
	.magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR, .size = sizeof(struct pig_module),
	.name = "gis", .version = "1.0", .text = "PostGIS", .params_size = sizeof(struct gis),
	.needs = PIG_TABLE(gis_needs), .params = PIG_TABLE(gis_params), .tasks = PIG_TABLE(gis_tasks),
	.inserts = PIG_TABLE(gis_inserts), .presets = PIG_TABLE(gis_presets),
};

/* Modules joined; the file of each is "<name>.so". */
static inline bool join(struct modules **out, struct arena *a, const struct pig_module *const *list, uint32_t n, struct err *e)
{
	struct modules *ms = arena_get(a, sizeof *ms);
	struct module **found = arena_new_of(a, struct module *, n);

	ms->a = a;
	*out = ms;
	for (uint32_t i = 0; i < n; i++)
		if (!module_of(&found[i], a, arena_fmt(a, "%s.so", list[i]->name), list[i], sizeof *list[i], e))
			return false;
	return modules_join(ms, found, n, e);
}

/* A world of both modules and the inventory; extra: -e words, NULL ended, or NULL. Fails hard: a test's fixture must be right. */
static inline struct world world_of(struct arena *a, const char *yaml, const char *const *extra)
{
	const struct pig_module *const list[] = { &gis_module, &pg_module };
	struct world w = { .a = a };
	struct err e = { 0 };
	char dir[] = "/tmp/pig-test.XXXXXX";

	if (!mkdtemp(dir))
		abort();
	const char *path = os_join(a, dir, "inv.yml");
	struct inventory_options o = { .sources = &path, .n_sources = 1, .extra = extra };
	while (extra && extra[o.n_extra])
		o.n_extra++;
	if (!os_write(path, yaml, strlen(yaml), 0600, &e) || !inventory_load(&w.inv, a, &o, &e) || !join(&w.modules, a, list, 2, &e)) {
		fprintf(stderr, "%s\n", err_text(&e, a));
		exit(1);
	}
	unlink(path);
	rmdir(dir);
	return w;
}

/* "inv.yml:3:5" of "/tmp/x/inv.yml:3:5" */
static inline const char *tail(const char *where)
{
	const char *slash = strrchr(where, '/');

	return slash ? slash + 1 : where;
}

#endif
