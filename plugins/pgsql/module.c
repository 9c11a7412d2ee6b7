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
	{.name = "pg_cmdb",
	 .text = "the inventory's schema, where a database asks for it",
	 .tags = "pg_init,pg_db_create,cmdb",
	 .when = "patroni_enabled",
	 .run = pgsql_cmdb},
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
	{.name = "pg_vip",
	 .text = "the address of the leader",
	 .tags = "vip,pg_vip_config,pg_vip_launch,pg_access",
	 .run = pgsql_vip},
	{.name = "pg_exporter",
	 .text = "metrics of the server",
	 .tags = "pg_monitor,monitor,pg_exporter_config,pg_exporter_launch",
	 .run = pgsql_exporter},
	{.name = "pgbouncer_exporter",
	 .text = "metrics of PgBouncer",
	 .tags = "pg_monitor,monitor,pgbouncer_exporter_config,pgbouncer_exporter_launch",
	 .run = pgsql_pool_exporter},
	{.name = "pgbackrest_exporter",
	 .text = "metrics of pgBackRest",
	 .tags = "pg_monitor,monitor,pgbackrest_exporter_config,pgbackrest_exporter_launch",
	 .run = pgsql_backup_exporter},
	{.name = "pg_logs",
	 .text = "logs of the instance, by the node's vector",
	 .tags = "pg_monitor,monitor,pg_register,register,add_logs",
	 .run = pgsql_logs},
	{.name = "pg_register",
	 .text = "targets and names on the infra nodes",
	 .tags = "pg_monitor,monitor,register,add_metrics,pg_dns,pg_dns_ins,pg_dns_cls,add_dns",
	 .run = pgsql_register},
	{.name = "pg_exporters",
	 .text = "exporters of servers that are somewhere else",
	 .tags = "exporter,pg_register,register,add_metrics",
	 .run = pgsql_remote},
	{.name = "cert_client", .text = "a client's key and certificate", .run = pgsql_cert_client},
	{.name = "user_known", .text = "is the user in the inventory", .run = pgsql_user_known},
	{.name = "user_role", .text = "the role and its password", .tags = "postgres", .run = pgsql_user_one},
	{.name = "db_known", .text = "is the database in the inventory", .run = pgsql_db_known},
	{.name = "db_drop", .text = "a database that goes, or is made anew", .tags = "postgres", .run = pgsql_db_drop},
	{.name = "db_make", .text = "the database and what is in it", .tags = "postgres", .run = pgsql_db_one},
	{.name = "pg_led", .text = "the leader was among the hosts", .run = pgsql_led},
	{.name = "rm_look", .text = "who leads", .tags = "always", .run = pgsql_rm_look},
	{.name = "rm_plan", .text = "another leads, when members stay", .tags = "always", .run = pgsql_rm_plan},
	{.name = "rm_access",
	 .text = "services, PgBouncer, monitoring and names go",
	 .tags = "pg_access,pg_monitor,pg_deregister,deregister,rm_logs,dns,vip,pg_service,haproxy",
	 .run = pgsql_rm_access},
	{.name = "rm_replica", .text = "replicas stop", .tags = "pg_bootstrap,pg_replica", .run = pgsql_rm_replica},
	{.name = "rm_leader", .text = "the leader stops", .tags = "pg_bootstrap,pg_primary", .run = pgsql_rm_leader},
	{.name = "rm_meta",
	 .text = "the cluster's keys and user in etcd",
	 .tags = "pg_bootstrap,pg_meta",
	 .run = pgsql_rm_meta},
	{.name = "rm_files",
	 .text = "data, backups, packages",
	 .tags = "pg_backup,pg_data,pg_pkg,pg_crontab",
	 .run = pgsql_rm_files,
	 .limit_s = 1800},
	{.name = "pitr_look", .text = "what each member's repository holds", .run = pgsql_pitr_look},
	{.name = "pitr_plan",
	 .text = "where to restore; WAL is archived, Patroni paused",
	 .tags = "print,down,pause",
	 .run = pgsql_pitr_plan},
	{.name = "pitr_stop",
	 .text = "Patroni and the server are stopped",
	 .tags = "down,stop,stop_patroni,stop_postgres,stop_primary,stop_replica",
	 .run = pgsql_pitr_stop},
	{.name = "pitr_restore",
	 .text = "data from the repository, WAL up to the point",
	 .tags = "pitr,restore,pgbackrest,recovery,verify",
	 .run = pgsql_pitr_restore,
	 .limit_s = 172800},
	{.name = "pitr_up",
	 .text = "the restored member leads",
	 .tags = "up,start,primary,resume,etcd,pg_meta",
	 .run = pgsql_pitr_up,
	 .limit_s = 90000},
	{.name = "pitr_follow",
	 .text = "the others follow it",
	 .tags = "up,start,replica",
	 .run = pgsql_pitr_follow,
	 .limit_s = 90000},
};

/* Replicas have nothing else to do while the primary makes the cluster, and the primary while it is copied. */
#define PREPARE "pg_env pg_crontab pgbouncer_conf pg_service pg_vip pg_exporter pgbouncer_exporter pgbackrest_exporter pg_logs"
static const struct pig_step steps[] = {
	{.name = "pg_install",
	 .tasks = "pg_dbsu pg_pkg pg_dir pg_cert pg_conf pgbackrest_conf",
	 .needs = "etcd.etcd_auth"},
	/* every member has told by then whether it holds data: a primary need not ask those that are at work */
	{.name = "pg_prepare", .tasks = PREPARE, .when = "pg_role != 'primary'", .flags = PIG_GATHER},
	{.name = "pg_bootstrap", .tasks = "pg_launch", .first = "pg_role == 'primary'"},
	{.name = "pg_complete", .tasks = "pgbackrest_begin " PREPARE, .when = "pg_role == 'primary'"},
	{.name = "pg_provision", .tasks = "pg_ready pg_hba pgbackrest_init pg_param pg_user pg_db pg_cmdb"},
	/* PgBouncer on the replicas lets in the users that the leader has made: when it has, however long it took */
	{.name = "pg_serve", .tasks = "pgbouncer pg_serve pgbackrest_backup pg_register", .flags = PIG_GATHER},
};

#define POINT                                                                                                          \
	"{{ (pg_pitr.time | default('') or pg_pitr.name | default('') or pg_pitr.lsn | default('') or "                \
	"pg_pitr.xid | default('') or 'the last backup') if pg_pitr is defined and pg_pitr is mapping else '(pg_pitr " \
	"is not set)' }}"
static const struct pig_step pitr_steps[] = {
	{.name = "pitr_look", .tasks = "pitr_look"},
	{.name = "pitr_plan", .tasks = "pitr_plan", .needs = "pgsql.pitr_look", .flags = PIG_ONCE},
	{.name = "pitr_stop",
	 .tasks = "pitr_stop",
	 .needs = "pgsql.pitr_plan",
	 .flags = PIG_DESTRUCTIVE,
	 .loses = "what {{ pg_cluster }} wrote after " POINT,
	 .safeguard = "pg_safeguard"},
	{.name = "pitr_restore", .tasks = "pitr_restore", .needs = "pgsql.pitr_stop"},
	{.name = "pitr_up", .tasks = "pitr_up", .needs = "pgsql.pitr_restore"},
	{.name = "pitr_follow", .tasks = "pitr_follow", .needs = "pgsql.pitr_up"},
	{.name = "pitr_serve", .tasks = "pg_serve", .flags = PIG_GATHER},
};

static const struct pig_step user_steps[] = {
	{.name = "user_known", .tasks = "user_known", .flags = PIG_ONCE},
	{.name = "user_role", .tasks = "user_role", .needs = "pgsql.user_known"},
	{.name = "user_pool", .tasks = "pgbouncer_conf pgbouncer", .flags = PIG_GATHER},
	{.name = "user_led", .tasks = "pg_led", .flags = PIG_ONCE | PIG_GATHER},
};

/* A database of this name that is to go, or to be made anew. */
#define GOES                                                                                                           \
	"dbname is defined and pg_databases | selectattr('name', 'equalto', dbname) | selectattr('state', 'defined') " \
	"| "                                                                                                           \
	"selectattr('state', 'in', ['absent', 'recreate']) | list | length > 0"
static const struct pig_step db_steps[] = {
	{.name = "db_known", .tasks = "db_known", .flags = PIG_ONCE},
	{.name = "db_drop",
	 .tasks = "db_drop",
	 .needs = "pgsql.db_known",
	 .when = GOES,
	 .flags = PIG_DESTRUCTIVE,
	 .loses = "database {{ dbname }} of {{ pg_cluster }}",
	 .safeguard = "pg_safeguard"},
	{.name = "db_make", .tasks = "db_make pg_cmdb", .needs = "pgsql.db_known"},
	{.name = "db_pool", .tasks = "pgbouncer_conf pgbouncer", .flags = PIG_GATHER},
	{.name = "db_led", .tasks = "pg_led", .flags = PIG_ONCE | PIG_GATHER},
};

#define LOST                                                                                                           \
	"{{ pg_cluster }}-{{ pg_seq }}{% if pg_rm_data %}, its data in {{ pg_fs_main }}/{{ pg_cluster }}-{{ "          \
	"pg_version }}"                                                                                                \
	"{% endif %}{% if pg_rm_backup and pgbackrest_enabled %}, its backups{% endif %}"
static const struct pig_step rm_steps[] = {
	{.name = "rm_look", .tasks = "rm_look"},
	{.name = "rm_plan", .tasks = "rm_plan", .flags = PIG_ONCE | PIG_GATHER},
	{.name = "rm_access", .tasks = "rm_access", .needs = "pgsql.rm_plan"},
	{.name = "rm_replica",
	 .tasks = "rm_replica",
	 .flags = PIG_DESTRUCTIVE,
	 .loses = LOST,
	 .safeguard = "pg_safeguard"},
	{.name = "rm_leader", .tasks = "rm_leader", .flags = PIG_DESTRUCTIVE | PIG_GATHER, .safeguard = "pg_safeguard"},
	{.name = "rm_meta", .tasks = "rm_meta", .flags = PIG_ONCE | PIG_GATHER},
	{.name = "rm_files", .tasks = "rm_files", .flags = PIG_DESTRUCTIVE, .safeguard = "pg_safeguard"},
};

static const struct pig_step monitor_steps[] = {
	{.name = "pg_exporters", .hosts = "infra", .tasks = "pg_exporters"},
};

static const struct pig_step cert_steps[] = {
	{.name = "cert_client", .hosts = "infra[0]", .tasks = "cert_client"},
};

static const struct pig_playbook playbooks[] = {
	{.name = "pgsql",
	 .text = "PostgreSQL clusters: make, join, bring up to the inventory",
	 .steps = PIG_TABLE(steps)},
	{.name = "pgsql-pitr",
	 .text = "a cluster's data as it was at a point in time: -e '{\"pg_pitr\": {\"time\": ...}}'",
	 .steps = PIG_TABLE(pitr_steps)},
	{.name = "pgsql-user", .text = "one user of pg_users: -e username=...", .steps = PIG_TABLE(user_steps)},
	{.name = "pgsql-db", .text = "one database of pg_databases: -e dbname=...", .steps = PIG_TABLE(db_steps)},
	{.name = "pgsql-monitor",
	 .text = "metrics of the servers of pg_exporters, or of those of one cluster: -e clsname=...",
	 .steps = PIG_TABLE(monitor_steps)},
	{.name = "cert",
	 .text = "a client's certificate, to log in by auth: cert: -e cn=<user>",
	 .steps = PIG_TABLE(cert_steps)},
	{.name = "pgsql-rm", .text = "a cluster is removed, or members of one (-l)", .steps = PIG_TABLE(rm_steps)},
};

static const struct pig_need needs[] = {{.module = "infra", .version = ">=0.1"},
					{.module = "node", .version = ">=0.1"},
					{.module = "etcd", .version = ">=0.1"}};

static const struct pig_health health[] = {
	{.name = "pgsql", .text = "the cluster would survive the loss of this member", .ok = pgsql_health},
};

static const struct pig_alias aliases[] = {
	{"pg-exporter", "*", "prometheus-postgres-exporter"},
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
