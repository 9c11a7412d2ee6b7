/*
 * Module pgsql: PostgreSQL clusters under Patroni, with PgBouncer before each server and HAProxy before the cluster.
 *
 *   params.c     parameters            rules.c      what must hold before any host is touched
 *   inst.c       who an instance is    text.c       growing text, quoting of SQL
 *   tune.c       settings by size      dcs.c        Patroni's configuration, the shared part by difference
 *   hba.c        access rules          install.c    users, packages, folders, certificates, configuration files
 *   launch.c     bootstrap and join    roles.c, databases.c, scram.c   what exists in the cluster, by difference
 *   cmdb.c       the inventory's schema
 *   pool.c       PgBouncer             service.c    HAProxy
 *   backup.c     pgBackRest            pitr.c       back to a point in time
 *   monitor.c    exporters, targets, names   logs.c     what vector reads
 *   vip.c        the leader's address
 *   one.c        one user or database  remove.c     clusters and members that go
 */
#ifndef PGSQL_H
#define PGSQL_H

#include <pig.h>

struct pgsql {
	/* pg id */
	const char *pg_mode;
	const char *pg_cluster;
	int64_t pg_seq;
	const char *pg_role;
	const pig_value *pg_instances;
	const char *pg_upstream;
	const char *pg_shard;
	int64_t pg_group;
	const char *gp_role;
	const pig_value *pg_exporters;
	bool pg_offline_query;
	/* pg business */
	const pig_value *pg_users;
	const pig_value *pg_databases;
	const pig_value *pg_services;
	const pig_value *pg_hba_rules;
	const pig_value *pgb_hba_rules;
	const pig_value *pg_crontab;
	const char *pg_replication_username;
	const char *pg_replication_password;
	const char *pg_admin_username;
	const char *pg_admin_password;
	const char *pg_monitor_username;
	const char *pg_monitor_password;
	const char *pg_dbsu_password;
	/* pg install */
	const char *pg_dbsu;
	int64_t pg_dbsu_uid;
	const char *pg_dbsu_sudo;
	const char *pg_dbsu_home;
	bool pg_dbsu_ssh_exchange;
	int64_t pg_version;
	const char *pg_bin_dir;
	const char *pg_log_dir;
	const pig_value *pg_packages;
	const pig_value *pg_extensions;
	/* pg bootstrap */
	const char *pg_data;
	const char *pg_fs_main;
	const char *pg_fs_backup;
	const char *pg_storage_type;
	const char *pg_dummy_filesize;
	const char *pg_listen;
	int64_t pg_port;
	const char *pg_localhost;
	const char *pg_namespace;
	bool patroni_enabled;
	const char *patroni_mode;
	int64_t patroni_port;
	const char *patroni_log_dir;
	bool patroni_ssl_enabled;
	const char *patroni_watchdog_mode;
	const char *patroni_username;
	const char *patroni_password;
	const char *pg_etcd_password;
	const char *pg_primary_db;
	const pig_value *pg_parameters;
	const pig_value *pg_files;
	const char *pg_conf;
	const char *pg_max_conn;
	double pg_shared_buffer_ratio;
	const char *pg_io_method;
	const char *pg_rto;
	const pig_value *pg_rto_plan;
	int64_t pg_rpo;
	const char *pg_libs;
	const char *pg_delay;
	bool pg_checksum;
	const char *pg_pwd_enc;
	const char *pg_encoding;
	const char *pg_locale;
	const char *pg_lc_collate;
	const char *pg_lc_ctype;
	const char *pgsodium_key;
	const char *pgsodium_getkey_script;
	/* pg provision */
	bool pg_provision;
	const char *pg_init;
	const pig_value *pg_default_roles;
	const pig_value *pg_default_privileges;
	const pig_value *pg_default_schemas;
	const pig_value *pg_default_extensions;
	bool pg_reload;
	const pig_value *pg_default_hba_rules;
	const pig_value *pgb_default_hba_rules;
	/* pg backup */
	bool pgbackrest_clean;
	bool pgbackrest_enabled;
	const char *pgbackrest_log_dir;
	const char *pgbackrest_method;
	bool pgbackrest_init_backup;
	const pig_value *pgbackrest_repo;
	/* pg access */
	bool pgbouncer_enabled;
	int64_t pgbouncer_port;
	const char *pgbouncer_log_dir;
	bool pgbouncer_auth_query;
	const char *pgbouncer_poolmode;
	const char *pgbouncer_sslmode;
	const pig_value *pgbouncer_ignore_param;
	int64_t pg_weight;
	const char *pg_service_provider;
	const char *pg_default_service_dest;
	const pig_value *pg_default_services;
	bool pg_vip_enabled;
	const char *pg_vip_address;
	const char *pg_vip_interface;
	const char *pg_dns_suffix;
	const char *pg_dns_target;
	/* pg monitor */
	bool pg_exporter_enabled;
	const char *pg_exporter_config;
	const char *pg_exporter_cache_ttls;
	int64_t pg_exporter_port;
	const char *pg_exporter_params;
	const char *pg_exporter_url;
	bool pg_exporter_auto_discovery;
	const char *pg_exporter_exclude_database;
	const char *pg_exporter_include_database;
	int64_t pg_exporter_connect_timeout;
	const char *pg_exporter_options;
	bool pgbouncer_exporter_enabled;
	int64_t pgbouncer_exporter_port;
	const char *pgbouncer_exporter_url;
	const char *pgbouncer_exporter_options;
	bool pgbackrest_exporter_enabled;
	int64_t pgbackrest_exporter_port;
	const char *pgbackrest_exporter_options;
	/* pg remove */
	bool pg_safeguard;
	bool pg_rm_data;
	bool pg_rm_backup;
	bool pg_rm_pkg;
	/* pg access */
	const char *pgbouncer_redirect_to;
	/* pg pitr */
	const pig_value *pg_pitr;
	/* cli arg */
	const char *clsname;
	const char *dbname;
	const char *username;
	const char *cn;
	const pig_value *san;
	const char *unit;
	const char *expire;
	/* pg migration */
	const char *context_dir;
	const char *src_cls;
	const char *src_db;
	const char *src_ip;
	const pig_value *src_list;
	const char *src_dns;
	const char *src_vip;
	const char *src_pg;
	const char *sub_conn;
	const char *dst_cls;
	const char *dst_db;
	const char *dst_ip;
	const char *dst_dns;
	const char *dst_vip;
	const char *dst_user;
	const char *dst_pg;
};

enum { PGSQL_PARAMS = 150, PGSQL_RULES = 19, PGSQL_LISTENS = 8 }; /* rows; the definitions must agree */
extern const struct pig_param pgsql_params[PGSQL_PARAMS];
extern const struct pig_rule pgsql_rules[PGSQL_RULES];
extern const struct pig_listen pgsql_listens[PGSQL_LISTENS];

/* ---- rules_backup.c, rules_access.c ---- */
void pgsql_rule_backup(pig_check *c);
void pgsql_rule_pitr(pig_check *c);
void pgsql_rule_names(pig_check *c);
void pgsql_rule_exporters(pig_check *c);
void pgsql_rule_belongs(pig_check *c);

/* ---- text.c ---- */
struct str {
	pig_task *t;
	char *s;
	size_t n, cap;
}; /* lives in the task's arena; s is always a string */
struct str str_new(pig_task *t);
void str_add(struct str *b, const char *fmt, ...) PIG_PRINTF(2);
void str_put(struct str *b, const char *s, size_t n);
const char *sql_lit(pig_task *t, const char *s);   /* 'text' */
const char *sql_id(pig_task *t, const char *name); /* "name" */
const char *base64(pig_task *t, const char *s);
const char *json_text(pig_task *t, const char *s);	  /* "text" as JSON writes it */
const char *json_of(pig_task *t, const pig_value *v);	  /* a whole value */
const char *scalar_text(pig_task *t, const pig_value *v); /* true, 12, 0.5, text; "" for the rest */
bool word_in(const char *words, const char *word);	  /* of a list with spaces, commas or | between */

/* ---- inst.c ---- */
enum { RTO_TTL, RTO_LOOP, RTO_RETRY, RTO_START, RTO_MARGIN, RTO_INTER, RTO_FAST, RTO_DOWN, RTO_RISE, RTO_FALL, RTO_N };
struct rto {
	int64_t n[RTO_N];
	const char *s[RTO_N];
}; /* intervals as text in s, the rest in n */

struct inst { /* one instance: what is worked out from its parameters */
	pig_task *t;
	const struct pgsql *p;
	const char *name;   /* pg-test-1 */
	const char *addr;   /* other members reach it at */
	const char *dir;    /* /data/postgres/pg-test-15, what /pg leads to */
	const char *backup; /* /data/backups/pg-test-15 */
	const char *data;   /* folder of the server's data */
	const char *conf;   /* /pg/conf/pg-test-1.yml */
	const char *home;   /* where the packages put the binaries' parent */
	const char *bin;    /* <pg_bin_dir> */
	const char *psql;   /* command that reads SQL on stdin, to be run as the superuser; database postgres */
	const char *etcd_user, *etcd_password;
	bool deb, bootstraps; /* bootstraps: the inventory's primary */
};
struct inst inst_of(pig_task *t);
const char *inst_name(pig_task *t, const char *host);
const char *inst_addr(pig_task *t, const char *host);
const char *inst_primary(pig_task *t); /* the cluster's host with pg_role primary, or NULL */
struct rto inst_rto(pig_task *t);
/* seconds from Patroni's death to the fence: the lease lives ttl - loop_wait at least */
int64_t inst_fence(pig_task *t);
int64_t inst_fact(pig_task *t, const char *name, int64_t dflt);
const char *inst_rest(const struct inst *in, const char *addr,
		      const char *path); /* command: GET, the whole answer on stdout */
const char *inst_rest_send(const struct inst *in,
			   const char *word); /* command: sends stdin; word: the address as a shell word */
const char *inst_patch(const struct inst *in,
		       const char *json);  /* a PATCH /config request for inst_rest_send; secret */
const char *http_body(const char *answer); /* NULL when it is no answer with status 200 */
bool role_leads(const char *role);

/* ---- tune.c: settings ---- */
void tune_shared(const struct inst *in, pig_value *params); /* the same on all members: Patroni's dynamic ones */
void tune_local(const struct inst *in, int64_t disk_bytes, pig_value *params); /* by this host's memory, CPU and disk */
const char *tune_name(const struct pgsql *p); /* "oltp" of "oltp.yml"; "oltp" for what is unknown */

/* ---- dcs.c ---- */
pig_value *dcs_wanted(const struct inst *in);

/* ---- hba.c ---- */
const char *hba_text(const struct inst *in, bool pooler);
const pig_value *hba_lines(const struct inst *in);				       /* the server's, for bootstrap */
const char *hba_fault(const struct pig_values *v, const pig_value *rule, bool pooler); /* NULL: fine */

/* ---- cmdb.c ---- */
bool cmdb_brings(const char *baseline); /* a baseline that pg_cmdb brings, unless the user has a file of its name */

/* ---- scram.c ---- */
bool scram_matches(const char *verifier, const char *password);
const char *scram_make(pig_task *t, const char *password);

const char *md5_make(pig_task *t, const char *user, const char *password);

/* ---- roles.c: what exists in the cluster, by difference ---- */
/*
 * SQL that finds what is missing and writes the statements that mend it. The same text is a probe (it prints them:
 * nothing when all is there) and, with apply, the change (it runs them).
 */
struct sql {
	struct str b;
	bool apply;
};
/* of each session: replicas may not be there yet, and synchronous replication must not hold up what the cluster is made
 * of */
#define SQL_SESSION "set synchronous_commit = local;\nset client_min_messages = warning;\n"
struct sql sql_new(pig_task *t, bool apply);
void sql_ask(struct sql *q, const char *fmt, ...) PIG_PRINTF(2); /* a query whose rows are statements */
void sql_settings(struct sql *q, const char *kind, const char *name,
		  const pig_value *params); /* kind: ROLE or DATABASE */
void sql_same(const struct inst *in, const char *note, const char *probe, const char *apply,
	      bool secret); /* queue it */

struct roles {
	const pig_value **items;
	size_t n;
};
struct roles
wanted_roles(const struct inst *in); /* the default ones, the system users, pg_users: each name once, the last wins */
const char *role_name(pig_task *t, const pig_value *item);
bool is_absent(pig_task *t, const pig_value *item);
bool is_system_user(const struct inst *in, const char *name);
const char *role_password(const struct inst *in, const pig_value *item); /* plain text or verifier; NULL: none wanted */
bool is_verifier(const char *password);
const char *role_stored(pig_task *t, const char *answer,
			const char *name); /* of lines "name|verifier"; NULL: no such role */
bool role_password_is(const struct inst *in, const char *have, const char *name, const char *want);

void roles_bring(const struct inst *in, const char *only); /* NULL: all */

/* ---- databases.c ---- */
void databases_bring(const struct inst *in, const char *only); /* NULL: all */
void database_drop(const struct inst *in, const char *name);

/* ---- service.c, install.c ---- */
void service_forget(const struct inst *in); /* files of all the cluster's services */
const char *package_names(const struct inst *in);

/* ---- live.c ---- */
struct live {
	const char *patroni, *config; /* JSON; "" when Patroni does not answer */
	const char *roles; /* leads|streaming|follows, then lines "name|verifier"; "" when the server does not answer */
	const char *repo;  /* what backup_ask answers; "" without pgBackRest */
	bool settled;	   /* it leads, or follows the stream */
};
bool live_of(const struct inst *in, struct live *l); /* asked once in a run; false: the task has failed */
const char *live_roles_again(const struct inst *in, bool later);

/* ---- backup.c: pgBackRest ---- */
const char *backup_archive_command(const struct inst *in);
bool backup_is_own(const struct inst *in);	 /* is the repository this member's alone? */
const pig_op *backup_ask(const struct inst *in); /* what the repository holds, and whose data is here */
bool backup_may_begin(const struct inst *in); /* no earlier cluster's backups in the way? false: the task has failed */

void backup_forget(const struct inst *in, bool last);
void crontab_forget(const struct inst *in);

/* ---- conf.c ---- */
void pgsql_patroni(const struct inst *in, uint32_t flags); /* its unit runs and has read its file */

/* ---- launch.c ---- */
void etcd_forget(const struct inst *in, const char *const *names); /* keys of the cluster, ended by NULL */

/* ---- monitor.c ---- */
void monitor_forget(const struct inst *in, bool whole); /* exporters here, targets and names on the infra nodes */

/* ---- logs.c ---- */
void logs_forget(const struct inst *in);

/* ---- vip.c ---- */
const char *vip_of(const struct inst *in); /* without its mask; NULL: none */
void vip_forget(const struct inst *in);

/* ---- pitr.c ---- */
void pgsql_stop_server(const struct inst *in); /* without Patroni, which would start it again */

/* ---- tasks ---- */
void pgsql_dbsu(pig_task *t);
void pgsql_pkg(pig_task *t);
void pgsql_dir(pig_task *t);
void pgsql_env(pig_task *t);
void pgsql_cert(pig_task *t);
void pgsql_conf(pig_task *t);
void pgsql_launch(pig_task *t);
void pgsql_ready(pig_task *t);
void pgsql_hba(pig_task *t);
void pgsql_dcs(pig_task *t);
void pgsql_user(pig_task *t);
void pgsql_db(pig_task *t);
void pgsql_cmdb(pig_task *t);
void pgsql_pool_conf(pig_task *t);
void pgsql_pool(pig_task *t);
void pgsql_service(pig_task *t);
void pgsql_serve(pig_task *t);
void pgsql_health(pig_task *t);
void pgsql_backup_conf(pig_task *t);
void pgsql_crontab(pig_task *t);
void pgsql_backup_begin(pig_task *t);
void pgsql_stanza(pig_task *t);
void pgsql_backup(pig_task *t);
void pgsql_user_known(pig_task *t);
void pgsql_user_one(pig_task *t);
void pgsql_db_known(pig_task *t);
void pgsql_db_drop(pig_task *t);
void pgsql_db_one(pig_task *t);
void pgsql_led(pig_task *t);
void pgsql_rm_look(pig_task *t);
void pgsql_rm_plan(pig_task *t);
void pgsql_rm_access(pig_task *t);
void pgsql_rm_replica(pig_task *t);
void pgsql_rm_leader(pig_task *t);
void pgsql_rm_meta(pig_task *t);
void pgsql_rm_files(pig_task *t);
void pgsql_exporter(pig_task *t);
void pgsql_pool_exporter(pig_task *t);
void pgsql_backup_exporter(pig_task *t);
void pgsql_logs(pig_task *t);
void pgsql_register(pig_task *t);
void pgsql_remote(pig_task *t);
void pgsql_cert_client(pig_task *t);
void pgsql_vip(pig_task *t);
void pgsql_pitr_look(pig_task *t);
void pgsql_pitr_plan(pig_task *t);
void pgsql_pitr_stop(pig_task *t);
void pgsql_pitr_restore(pig_task *t);
void pgsql_pitr_up(pig_task *t);
void pgsql_pitr_follow(pig_task *t);

#endif
