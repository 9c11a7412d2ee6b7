/*
 * The module's tables: steps of playbook pgsql, tasks, packages. The order is made for the shortest way to a cluster
 * that answers: whatever needs no server is placed first and on all members at once; the primary's Patroni starts;
 * replicas come when its server does, and are copied while roles and databases are made.
 */
#include "pgsql.h"

static const struct pig_taskdef tasks[] = {
	{.name = "pg_dbsu",
	 .text = "the superuser's account",
	 .tags = "pg_dbsu_create,pg_dbsu_sudo",
	 .run = pgsql_dbsu},
	{.name = "pg_pkg",
	 .text = "PostgreSQL's packages",
	 .tags = "pg_extension,pg_ext,pg_link,pg_post",
	 .run = pgsql_pkg,
	 .limit_s = 1800},
	{.name = "pg_dir", .text = "folders and links", .run = pgsql_dir},
	{.name = "pg_cert",
	 .text = "certificate of the instance",
	 .tags = "pg_cert_private,pg_cert_issue,pg_cert_copy,postgres,patroni",
	 .run = pgsql_cert},
	{.name = "pg_conf",
	 .text = "Patroni's configuration and the units",
	 .tags = "pg_config,postgres,patroni,pgbouncer_config",
	 .run = pgsql_conf},
	{.name = "pgbackrest_conf",
	 .text = "pgBackRest's configuration",
	 .tags = "pgbackrest,pgbackrest_config,pgbackrest_dir,pg_backup",
	 .when = "pgbackrest_enabled",
	 .run = pgsql_backup_conf},
	{.name = "pg_launch",
	 .text = "Patroni runs: make the cluster or join it",
	 .tags = "pg_etcd,pg_primary,pg_replica,postgres,patroni",
	 .when = "patroni_enabled",
	 .run = pgsql_launch,
	 .limit_s = 900},
	{.name = "pg_env",
	 .text = "environment, scripts and password file of the superuser",
	 .tags = "pg_path,pg_bin,pg_alias,pg_dummy,pg_pass",
	 .run = pgsql_env},
	{.name = "pg_crontab", .text = "the superuser's crontab", .run = pgsql_crontab},
	{.name = "pgbackrest_begin",
	 .text = "the first backup is under way while replicas join",
	 .tags = "pgbackrest,pg_backup,pgbackrest_init,pgbackrest_backup",
	 .when = "pgbackrest_enabled and patroni_enabled",
	 .run = pgsql_backup_begin},
	{.name = "pgbouncer_conf",
	 .text = "PgBouncer's databases, users and rules",
	 .tags = "pgbouncer,pgbouncer_config,pgbouncer_hba",
	 .when = "pgbouncer_enabled",
	 .run = pgsql_pool_conf},
	{.name = "pg_service",
	 .text = "services in HAProxy",
	 .tags = "pg_service_config,pg_service_reload",
	 .run = pgsql_service},
	{.name = "pg_ready",
	 .text = "the instance leads or follows",
	 .tags = "pg_launch,postgres,patroni",
	 .when = "patroni_enabled",
	 .run = pgsql_ready,
	 .limit_s = 90000},
	{.name = "pg_hba",
	 .text = "who may connect",
	 .tags = "pg_reload,patroni_reload,postgres,patroni",
	 .when = "patroni_enabled",
	 .run = pgsql_hba},
	{.name = "pgbackrest_init",
	 .text = "the stanza in the repository",
	 .tags = "pgbackrest,pg_backup",
	 .when = "pgbackrest_enabled and patroni_enabled",
	 .run = pgsql_stanza},
	{.name = "pg_param",
	 .text = "the cluster's dynamic configuration",
	 .tags = "patroni,pg_dcs",
	 .when = "patroni_enabled",
	 .run = pgsql_dcs},
	{.name = "pg_serve",
	 .text = "services answer where they should",
	 .tags = "pg_launch,pg_service",
	 .when = "patroni_enabled",
	 .run = pgsql_serve},
	{.name = "pg_user",
	 .text = "roles and their passwords",
	 .tags = "pg_init,pg_user_create,pg_user_config",
	 .when = "patroni_enabled",
	 .run = pgsql_user},
	{.name = "pg_db",
	 .text = "databases and what is in them",
	 .tags = "pg_init,pg_db_create,pg_db_config",
	 .when = "patroni_enabled",
	 .run = pgsql_db},
	{.name = "pgbouncer",
	 .text = "PgBouncer runs",
	 .tags = "pgbouncer_user,pgbouncer_launch,pgbouncer_reload",
	 .when = "pgbouncer_enabled and patroni_enabled",
	 .run = pgsql_pool},
	{.name = "pgbackrest_backup",
	 .text = "the first backup is there",
	 .tags = "pgbackrest,pg_backup",
	 .when = "pgbackrest_enabled and pgbackrest_init_backup and patroni_enabled",
	 .run = pgsql_backup,
	 .limit_s = 86400},
};

/* Replicas have nothing else to do while the primary makes the cluster, and the primary while it is copied. */
#define PREPARE "pg_env pg_crontab pgbouncer_conf pg_service"
static const struct pig_step steps[] = {
	{.name = "pg_install", .tasks = "pg_dbsu pg_pkg pg_dir pg_cert pg_conf pgbackrest_conf", .needs = "etcd.etcd_auth"},
	{.name = "pg_prepare", .tasks = PREPARE, .when = "pg_role != 'primary'"},
	{.name = "pg_bootstrap", .tasks = "pg_launch", .first = "pg_role == 'primary'"},
	{.name = "pg_complete", .tasks = "pgbackrest_begin " PREPARE, .when = "pg_role == 'primary'"},
	{.name = "pg_provision", .tasks = "pg_ready pg_hba pgbackrest_init pg_param pg_user pg_db pgbouncer"},
	{.name = "pg_serve", .tasks = "pg_serve pgbackrest_backup", .flags = PIG_GATHER},
};

static const struct pig_playbook playbooks[] = {
	{.name = "pgsql",
	 .text = "PostgreSQL clusters: make, join, bring up to the inventory",
	 .steps = PIG_TABLE(steps)},
};

static const struct pig_need needs[] = {{.module = "node", .version = ">=0.1"}, {.module = "etcd", .version = ">=0.1"}};

static const struct pig_health health[] = {
	{.name = "pgsql", .text = "the cluster would survive the loss of this member", .ok = pgsql_health},
};

static const struct pig_alias aliases[] = {
	{"pgsql-common", "debian*", "patroni + python3-psycopg2 + pgbouncer + pgbackrest"},
	{"pgsql-common", "ubuntu*", "patroni + python3-psycopg2 + pgbouncer + pgbackrest"},
	{"pgsql-common", "*", "patroni + patroni-etcd + pgbouncer + pgbackrest"},
};

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "pgsql", .version = "0.1.0", .text = "PostgreSQL clusters: Patroni, PgBouncer, services",
	   .license = "Apache-2.0", .cluster = "pg_cluster", .params_size = sizeof(struct pgsql),
	   .needs = PIG_TABLE(needs), .params = {pgsql_params, PGSQL_PARAMS, sizeof *pgsql_params},
	   .rules = {pgsql_rules, PGSQL_RULES, sizeof *pgsql_rules},
	   .listens = {pgsql_listens, PGSQL_LISTENS, sizeof *pgsql_listens}, .tasks = PIG_TABLE(tasks),
	   .playbooks = PIG_TABLE(playbooks), .health = PIG_TABLE(health), .aliases = PIG_TABLE(aliases),
	   .templates = {pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates});
