/*
 * Every parameter of module pgsql, one row each, and the members of the structured ones. What a row marks PIG_INERT is
 * known, so that inventories written for Pigsty load, and not acted on yet.
 */
#include "pgsql.h"

#define I .level = PIG_INSTANCE
#define C .level = PIG_CLUSTER
#define A .level = PIG_ARG
#define P(kind, name, ...) P_##kind(name, __VA_ARGS__)
#define P_BOOL(m, ...) PIG_P_BOOL(struct pgsql, m, __VA_ARGS__)
#define P_INT(m, ...) PIG_P_INT(struct pgsql, m, __VA_ARGS__)
#define P_STR(m, ...) PIG_P_STR(struct pgsql, m, __VA_ARGS__)
#define P_ENUM(m, ...) PIG_P_ENUM(struct pgsql, m, __VA_ARGS__)
#define P_LIST(m, ...) PIG_P_LIST(struct pgsql, m, __VA_ARGS__)
#define P_MAP(m, ...) PIG_P_MAP(struct pgsql, m, __VA_ARGS__)
#define P_FLOAT(m, ...) PIG_P(struct pgsql, m, double, PIG_FLOAT, __VA_ARGS__)
#define M(key, kind, ...) { .name = key, .type = PIG_##kind, __VA_ARGS__ }

/* ttl, loop wait, retry timeout, start timeout, watchdog margin, inter, fastinter, downinter, rise, fall */
#define DEFAULT_RTO_PLAN \
	"{fast: [20, 5, 5, 15, 5, 1s, 0.5s, 1s, 3, 3], norm: [30, 5, 10, 25, 5, 2s, 1s, 2s, 3, 3], " \
	"safe: [60, 10, 20, 45, 10, 3s, 1.5s, 3s, 3, 3], wide: [120, 20, 30, 95, 15, 4s, 2s, 4s, 3, 3]}"

#define DEFAULT_ROLES \
	"[{name: dbrole_readonly, login: false}, {name: dbrole_offline, login: false}, " \
	"{name: dbrole_readwrite, login: false, roles: [dbrole_readonly]}, " \
	"{name: dbrole_admin, login: false, roles: [pg_monitor, dbrole_readwrite]}, " \
	"{name: postgres, superuser: true}, " \
	"{name: replicator, replication: true, roles: [pg_monitor, dbrole_readonly]}, " \
	"{name: dbuser_dba, superuser: true, roles: [dbrole_admin], pgbouncer: true, pool_mode: session, " \
	"pool_connlimit: 16}, {name: dbuser_monitor, roles: [pg_monitor, dbrole_readonly], pgbouncer: true, " \
	"pool_mode: session, pool_connlimit: 8, parameters: {log_min_duration_statement: 1000}}]"

#define DEFAULT_PRIVILEGES \
	"[GRANT USAGE ON SCHEMAS TO dbrole_readonly, GRANT SELECT ON TABLES TO dbrole_readonly, " \
	"GRANT SELECT ON SEQUENCES TO dbrole_readonly, GRANT EXECUTE ON FUNCTIONS TO dbrole_readonly, " \
	"GRANT USAGE ON SCHEMAS TO dbrole_offline, GRANT SELECT ON TABLES TO dbrole_offline, " \
	"GRANT SELECT ON SEQUENCES TO dbrole_offline, GRANT EXECUTE ON FUNCTIONS TO dbrole_offline, " \
	"GRANT INSERT ON TABLES TO dbrole_readwrite, GRANT UPDATE ON TABLES TO dbrole_readwrite, " \
	"GRANT DELETE ON TABLES TO dbrole_readwrite, GRANT USAGE ON SEQUENCES TO dbrole_readwrite, " \
	"GRANT UPDATE ON SEQUENCES TO dbrole_readwrite, GRANT TRUNCATE ON TABLES TO dbrole_admin, " \
	"GRANT REFERENCES ON TABLES TO dbrole_admin, GRANT TRIGGER ON TABLES TO dbrole_admin, " \
	"GRANT CREATE ON SCHEMAS TO dbrole_admin]"

#define DEFAULT_EXTENSIONS \
	"[{name: pg_stat_statements, schema: monitor}, {name: pgstattuple, schema: monitor}, " \
	"{name: pg_buffercache, schema: monitor}, {name: pageinspect, schema: monitor}, " \
	"{name: pg_prewarm, schema: monitor}, {name: pg_visibility, schema: monitor}, " \
	"{name: pg_freespacemap, schema: monitor}, {name: postgres_fdw, schema: public}, " \
	"{name: file_fdw, schema: public}, {name: btree_gist, schema: public}, {name: btree_gin, schema: public}, " \
	"{name: pg_trgm, schema: public}, {name: intagg, schema: public}, " \
	"{name: intarray, schema: public}, {name: pg_repack}]"

#define DEFAULT_HBA \
	"[{user: '${dbsu}', db: all, addr: local, auth: ident, order: 100}, " \
	"{user: '${dbsu}', db: replication, addr: local, auth: ident, order: 150}, " \
	"{user: '${repl}', db: replication, addr: localhost, auth: pwd, order: 200}, " \
	"{user: '${repl}', db: replication, addr: intra, auth: pwd, order: 250}, " \
	"{user: '${repl}', db: postgres, addr: intra, auth: pwd, order: 300}, " \
	"{user: '${monitor}', db: all, addr: localhost, auth: pwd, order: 350}, " \
	"{user: '${monitor}', db: all, addr: infra, auth: pwd, order: 400}, " \
	"{user: '${admin}', db: all, addr: intra, auth: pwd, order: 450}, " \
	"{user: '${admin}', db: all, addr: world, auth: ssl, order: 500}, " \
	"{user: '+dbrole_readonly', db: all, addr: localhost, auth: pwd, order: 550}, " \
	"{user: '+dbrole_readonly', db: all, addr: intra, auth: pwd, order: 600}, " \
	"{user: '+dbrole_offline', role: offline, db: all, addr: intra, auth: pwd, order: 650}]"

#define DEFAULT_POOL_HBA \
	"[{user: '${dbsu}', db: pgbouncer, addr: local, auth: peer, order: 100}, " \
	"{user: all, db: all, addr: localhost, auth: pwd, order: 150}, " \
	"{user: '${monitor}', db: pgbouncer, addr: intra, auth: pwd, order: 200}, " \
	"{user: '${monitor}', db: all, addr: world, auth: deny, order: 250}, " \
	"{user: '${admin}', db: all, addr: intra, auth: pwd, order: 300}, " \
	"{user: '${admin}', db: all, addr: world, auth: deny, order: 350}, " \
	"{user: all, db: all, addr: intra, auth: pwd, order: 400}]"

#define DEFAULT_REPO \
	"{local: {path: /pg/backup, retention_full_type: count, retention_full: 2}, " \
	"minio: {type: s3, s3_endpoint: sss.pigsty, s3_region: us-east-1, s3_bucket: pgsql, s3_key: pgbackrest, " \
	"s3_key_secret: S3User.Backup, s3_uri_style: path, path: /pgbackrest, storage_port: 9000, " \
	"storage_ca_file: /etc/pki/ca.crt, block: 'y', bundle: 'y', bundle_limit: 20MiB, bundle_size: 128MiB, " \
	"cipher_type: aes-256-cbc, cipher_pass: pgBackRest, retention_full_type: time, retention_full: 14}}"

#define DEFAULT_IGNORED "[extra_float_digits, application_name, TimeZone, DateStyle, IntervalStyle, search_path]"

#define DEFAULT_SERVICES \
	"[{name: primary, port: 5433, dest: default, check: /primary, selector: '[]'}, " \
	"{name: replica, port: 5434, dest: default, check: /read-only, selector: '[]', " \
	"backup: '[? pg_role == `primary` || pg_role == `offline` ]'}, " \
	"{name: default, port: 5436, dest: postgres, check: /primary, selector: '[]'}, " \
	"{name: offline, port: 5438, dest: postgres, check: /replica, " \
	"selector: '[? pg_role == `offline` || pg_offline_query ]', " \
	"backup: '[? pg_role == `replica` && !pg_offline_query]'}]"

static const struct pig_param users[] = {
	M("name", STR, .flags = PIG_REQUIRED, .text = "Role name."),
	M("state", ENUM, .check = "create|absent",
	  .text = "Whether the role is there; absent hands its objects to the superuser and drops it."),
	M("password", STR, .flags = PIG_SECRET, .text = "Password in plain text, or a SCRAM-SHA-256 or md5 verifier."),
	M("login", BOOL, .text = "May it log in? Yes unless said otherwise."),
	M("superuser", BOOL, .text = "Is it a superuser?"),
	M("createdb", BOOL, .text = "May it create databases?"),
	M("createrole", BOOL, .text = "May it create roles?"),
	M("inherit", BOOL, .text = "Does it use the rights of the roles it is in? Yes unless said otherwise."),
	M("replication", BOOL, .text = "May it replicate?"),
	M("bypassrls", BOOL, .text = "Does it pass by row level security?"),
	M("pgbouncer", BOOL, .text = "Is it known to PgBouncer?"),
	M("connlimit", INT, .text = "Connections at once; -1 for no limit."),
	M("expire_in", INT,
	  .text = "Days from the run at which the password ends; counted once, when the role has no end yet."),
	M("expire_at", STR, .text = "Date at which the password ends, or infinity."),
	M("comment", STR, .text = "What the role is for."),
	M("roles", LIST, .text = "Roles it is in: names, or maps of name, state, admin, set and inherit."),
	M("parameters", MAP, .text = "Settings of the role; DEFAULT takes one back."),
	M("pool_mode", ENUM, .check = "transaction|session|statement", .text = "PgBouncer's pool mode for it."),
	M("pool_connlimit", INT, .text = "PgBouncer's connections for it."),
	M("search_path", STR, .text = "Its search path."),
};

static const struct pig_param databases[] = {
	M("name", STR, .flags = PIG_REQUIRED, .text = "Database name."),
	M("state", ENUM, .check = "create|absent|recreate", .text = "Whether the database is there; absent drops it."),
	M("baseline", STR, .text = "SQL file under files/ that is loaded into the new database."),
	M("owner", STR, .text = "Owner; the superuser unless named."),
	M("template", STR, .text = "Database it is copied from; template1 unless named."),
	M("encoding", STR, .text = "Encoding, for a new database."),
	M("locale", STR, .text = "Locale, for a new database."),
	M("lc_collate", STR, .text = "Collation, for a new database."),
	M("lc_ctype", STR, .text = "Character classes, for a new database."),
	M("strategy", ENUM, .check = "FILE_COPY|WAL_LOG", .text = "How the template is copied."),
	M("locale_provider", ENUM, .check = "libc|icu|builtin", .text = "Who provides the locale."),
	M("icu_locale", STR, .text = "ICU locale."),
	M("icu_rules", STR, .text = "ICU collation rules."),
	M("builtin_locale", STR, .text = "Locale of the builtin provider."),
	M("tablespace", STR, .text = "Tablespace of a new database."),
	M("is_template", BOOL, .text = "May everyone who may create databases copy it?"),
	M("allowconn", BOOL, .text = "Can it be connected to? Yes unless said otherwise."),
	M("revokeconn", BOOL, .text = "Is connecting taken from everyone but the owner and the system users?"),
	M("connlimit", INT, .text = "Connections at once; -1 for no limit."),
	M("comment", STR, .text = "What the database is for."),
	M("schemas", LIST, .text = "Schemas: names, or maps of name, owner and state."),
	M("extensions", LIST, .text = "Extensions: names, or maps of name, schema, version and state."),
	M("parameters", MAP, .text = "Settings of the database; DEFAULT takes one back."),
	M("pgbouncer", BOOL, .text = "Is it reachable through PgBouncer? Yes unless said otherwise."),
	M("pool_auth_user", STR, .text = "User that looks up passwords for PgBouncer in this database."),
	M("pool_mode", ENUM, .check = "transaction|session|statement", .text = "PgBouncer's pool mode for it."),
	M("pool_size", INT, .text = "Server connections in a pool."),
	M("pool_size_min", INT, .text = "Server connections kept open."),
	M("pool_reserve", INT, .was = "pool_size_reserve", .text = "Server connections added when clients wait."),
	M("pool_connlimit", INT, .was = "pool_max_db_conn", .text = "Server connections of all its pools."),
	M("register_datasource", BOOL, .text = "Is it a Grafana data source?"),
};

static const struct pig_param services[] = {
	M("name", STR, .flags = PIG_REQUIRED, .text = "Service name; HAProxy's section is <cluster>-<name>."),
	M("port", INT, .check = "port", .flags = PIG_REQUIRED, .text = "Port it is served at."),
	M("ip", STR, .was = "src_ip", .text = "Address it is served at; * for all."),
	M("dest", STR, .text = "What it leads to: default, postgres, pgbouncer or a port."),
	M("check", STR, .text = "Path of Patroni's REST interface that says whether a member serves."),
	M("selector", STR, .text = "JMESPath filter over the members: who serves."),
	M("backup", STR, .text = "JMESPath filter over the members: who serves when nobody else does."),
	M("maxconn", INT, .text = "Connections at once."),
	M("balance", ENUM, .check = "roundrobin|leastconn", .text = "How connections are spread."),
	M("options", STR, .text = "Options of every server, in place of the recovery plan's."),
};

static const struct pig_param hba[] = {
	M("title", STR, .text = "What the rule is for."),
	M("role", STR, .text = "On members of which role it holds; common and default: all."),
	M("rules", LIST, .text = "Lines written as they are, in place of the members below."),
	M("user", STR, .text = "Users: a name, +role, all, or several with commas."),
	M("db", STR, .text = "Databases: a name, all, replication, or several with commas."),
	M("addr", STR,
	  .text = "Where from: local, localhost, admin, infra, cluster, intra, world, an address or a network."),
	M("auth", STR, .text = "How: pwd, ssl, sha, md5, cert, os, trust, deny and their like."),
	M("order", INT, .text = "Place among the rules; those without come last."),
};

/* pgBackRest's own repository options, with _ for -; those that hold a secret are marked */
static const struct pig_param repo[] = {
	M("type", ENUM, .check = "posix|cifs|s3|azure|gcs|sftp", .text = "Kind of storage; posix is a folder."),
	M("path", STR, .check = "path", .text = "Where in the storage the repository begins."),
	M("retention_full", INT, .text = "Full backups kept: a number, or days with retention_full_type time."),
	M("retention_full_type", ENUM, .check = "count|time", .text = "What retention_full counts."),
	M("retention_diff", INT, .text = "Differential backups kept."),
	M("retention_archive", INT, .text = "Backups whose WAL is kept."),
	M("retention_archive_type", ENUM, .check = "full|diff|incr", .text = "Backups that retention_archive counts."),
	M("retention_history", INT, .text = "Days that manifests of expired backups are kept."),
	M("bundle", ANY, .text = "Small files are bundled: y or n."),
	M("bundle_limit", STR, .check = "size", .text = "Files up to this size are bundled."),
	M("bundle_size", STR, .check = "size", .text = "Size of a bundle."),
	M("block", ANY, .text = "Incremental backups by block: y or n; written for pgBackRest 2.46 and later."),
	M("cipher_type", ENUM, .check = "none|aes-256-cbc", .text = "Encryption of the repository."),
	M("cipher_pass", STR, .flags = PIG_SECRET, .text = "Passphrase of the encryption."),
	M("hardlink", ANY, .text = "Files of full backups are linked: y or n."),
	M("storage_host", STR, .text = "Host to connect to, when it is not the endpoint."),
	M("storage_port", INT, .check = "port", .text = "Port of the storage."),
	M("storage_ca_file", STR, .check = "path", .text = "CA that vouches for the storage."),
	M("storage_ca_path", STR, .check = "path", .text = "Folder of such CAs."),
	M("storage_verify_tls", ANY, .text = "Is the storage's certificate looked at: y or n."),
	M("s3_endpoint", STR, .text = "Endpoint of S3."),
	M("s3_region", STR, .text = "Region of S3."),
	M("s3_bucket", STR, .text = "Bucket of S3."),
	M("s3_key", STR, .text = "Access key of S3."),
	M("s3_key_secret", STR, .flags = PIG_SECRET, .text = "Secret key of S3."),
	M("s3_key_type", ENUM, .check = "shared|auto|web-id", .text = "Where S3's keys come from."),
	M("s3_role", STR, .text = "Role of S3."),
	M("s3_token", STR, .flags = PIG_SECRET, .text = "Session token of S3."),
	M("s3_uri_style", ENUM, .check = "host|path", .text = "Does the bucket stand in the host's name or in the path?"),
	M("azure_account", STR, .text = "Account of Azure."),
	M("azure_container", STR, .text = "Container of Azure."),
	M("azure_key", STR, .flags = PIG_SECRET, .text = "Key of Azure."),
	M("gcs_bucket", STR, .text = "Bucket of GCS."),
	M("gcs_key", STR, .flags = PIG_SECRET, .text = "Key file of GCS."),
};
static const struct pig_param repos[] = {
	M("*", MAP, .members = PIG_TABLE(repo), .text = "A repository under the name that pgbackrest_method uses."),
};

static const struct pig_param exporters[] = {
	M("pg_cluster", STR, .check = "name", .flags = PIG_REQUIRED, .text = "Cluster the server is shown as part of."),
	M("pg_seq", INT, .flags = PIG_REQUIRED, .text = "Its number there."),
	M("pg_host", STR, .flags = PIG_REQUIRED, .text = "Its address."),
	M("pg_port", INT, .check = "port", .text = "Its port; 5432 unless named."),
	M("pg_monitor_username", STR, .text = "User that looks at it."),
	M("pg_monitor_password", STR, .flags = PIG_SECRET, .text = "That user's password."),
	M("pg_exporter_url", STR, .flags = PIG_SECRET, .text = "All of the connection, in place of the others."),
	M("pg_exporter_params", STR, .text = "Parameters of the connection."),
	M("pg_exporter_auto_discovery", BOOL, .text = "Are all its databases looked at?"),
	M("pg_exporter_exclude_database", STR, .text = "Databases that are not."),
	M("pg_exporter_include_database", STR, .text = "Databases that are, and no others."),
	M("pg_exporter_connect_timeout", INT, .text = "Milliseconds to connect in."),
	M("pg_exporter_options", STR, .text = "Options of the exporter, in place of the usual ones."),
	M("pg_databases", LIST, .text = "Databases to be data sources of Grafana; not acted on."),
};
static const struct pig_param exporters_at[] = {
	M("*", MAP, .members = PIG_TABLE(exporters), .text = "A server; the key is the exporter's port on the infra node."),
};

static const struct pig_param pitr[] = {
	M("type", ENUM, .check = "default|time|xid|name|lsn|immediate",
	  .text = "Kind of point; what is given says it: default is the end of the WAL, immediate that of the backup."),
	M("time", STR, .text = "A time, with its zone."),
	M("name", STR, .text = "A restore point's name."),
	M("xid", INT, .text = "A transaction."),
	M("lsn", STR, .check = "/^[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}$/", .text = "A place in the WAL."),
	M("set", STR, .text = "Backup set to begin from; latest unless named."),
	M("timeline", STR, .check = "/^([0-9]+|current|latest)$/", .text = "Timeline to follow."),
	M("exclusive", BOOL, .text = "Does it stop right before the point?"),
	M("action", ENUM, .check = "pause|promote|shutdown",
	  .text = "What happens at the point: promote goes on, pause and shutdown leave the data to be looked at."),
	M("archive", BOOL, .text = "Is WAL archived during the recovery? Yes unless said otherwise."),
	M("db_include", LIST, .text = "Databases that are restored; others are left empty."),
	M("db_exclude", LIST, .text = "Databases that are left empty."),
	M("link_map", MAP, .text = "Links in the data folder and where they lead."),
	M("process", INT, .text = "Processes that restore."),
	M("backup", BOOL, .text = "Is the present data kept beside, as <pg_data>-backup?"),
};

const struct pig_param pgsql_params[PGSQL_PARAMS] = {
	/* pg id */
	P(ENUM, pg_mode, C, .dflt = "'pgsql'",
	  .check = "pgsql|citus|mssql|mysql|ivory|pgtde|polar|gpsql|agens|oriole|pgedge",
	  .text = "Kernel flavour; only pgsql is acted on by this module, others come with modules of their own."),
	P(STR, pg_cluster, C, .text = "Cluster name: letters, digits and hyphens, not root."),
	P(INT, pg_seq, I, .text = "Number of the instance, 0 or more, unique in its cluster."),
	P(ENUM, pg_role, I, .check = "primary|replica|offline|standby|delayed",
	  .text = "Role the instance starts with; who leads later is the cluster's own business."),
	P(MAP, pg_instances, I, .flags = PIG_INERT, .text = "Several instances per host; not implemented by roles."),
	P(STR, pg_upstream, I,
	  .text = "Address followed instead of the leader: by a primary, the other cluster it is a standby "
	          "of; by a replica, the member it cascades from."),
	P(STR, pg_shard, C, .flags = PIG_INERT, .text = "Shard (scope) name; defaults to pg_cluster."),
	P(INT, pg_group, C, .flags = PIG_INERT, .text = "Citus group number; defaults to 0."),
	P(ENUM, gp_role, C, .check = "master|segment", .flags = PIG_INERT,
	  .text = "Greenplum role; only the CMDB uses it."),
	P(MAP, pg_exporters, C, .dflt = "{}", .members = PIG_TABLE(exporters_at),
	  .text = "Remote postgres targets keyed by local port (infra group)."),
	P(BOOL, pg_offline_query, I, .dflt = "false", .text = "Let this replica also serve offline traffic and HBA."),
	/* pg business */
	P(LIST, pg_users, C, .dflt = "[]", .members = PIG_TABLE(users),
	  .text = "Business roles that exist in the cluster."),
	P(LIST, pg_databases, C, .dflt = "[]", .members = PIG_TABLE(databases),
	  .text = "Business databases that exist in the cluster."),
	P(LIST, pg_services, C, .dflt = "[]", .members = PIG_TABLE(services),
	  .text = "Extra services of the cluster."),
	P(LIST, pg_hba_rules, C, .dflt = "[]", .members = PIG_TABLE(hba), .text = "Extra postgres HBA rules."),
	P(LIST, pgb_hba_rules, C, .dflt = "[]", .members = PIG_TABLE(hba), .text = "Extra pgbouncer HBA rules."),
	P(LIST, pg_crontab, C, .dflt = "[]",
	  .text = "Lines of the superuser's crontab: five fields of time, then the command."),
	P(STR, pg_replication_username, C, .dflt = "'replicator'", .text = "Replication role."),
	P(STR, pg_replication_password, C, .dflt = "'DBUser.Replicator'", .flags = PIG_SECRET,
	  .text = "Replication secret."),
	P(STR, pg_admin_username, C, .dflt = "'dbuser_dba'", .text = "Administration role."),
	P(STR, pg_admin_password, C, .dflt = "'DBUser.DBA'", .flags = PIG_SECRET, .text = "Administration secret."),
	P(STR, pg_monitor_username, C, .dflt = "'dbuser_monitor'", .text = "Monitoring role."),
	P(STR, pg_monitor_password, C, .dflt = "'DBUser.Monitor'", .flags = PIG_SECRET, .text = "Monitoring secret."),
	P(STR, pg_dbsu_password, C, .dflt = "''", .flags = PIG_SECRET, .text = "Superuser secret; empty means none."),
	/* pg install */
	P(STR, pg_dbsu, C, .dflt = "'postgres'", .text = "OS and database superuser name."),
	P(INT, pg_dbsu_uid, C, .dflt = "26", .text = "Uid/gid; 26 becomes 543 on deb."),
	P(ENUM, pg_dbsu_sudo, C, .dflt = "'limit'", .check = "none|limit|all|nopass", .text = "Sudo rights of dbsu."),
	P(STR, pg_dbsu_home, C, .dflt = "'/var/lib/pgsql'", .check = "path", .text = "Home directory of dbsu."),
	P(BOOL, pg_dbsu_ssh_exchange, C, .dflt = "true", .flags = PIG_INERT,
	  .text = "Share dbsu ssh keys inside cluster."),
	P(INT, pg_version, C, .dflt = "18", .check = "13|14|15|16|17|18|19", .text = "Major version to install."),
	P(STR, pg_bin_dir, C, .dflt = "'/usr/pgsql/bin'", .check = "path",
	  .text = "Binary directory; parent is symlink to real home."),
	P(STR, pg_log_dir, C, .dflt = "'/pg/log/postgres'", .check = "path", .text = "Postgres log directory."),
	P(LIST, pg_packages, C, .dflt = "['pgsql-main pgsql-common']", .text = "Kernel and tool package aliases."),
	P(LIST, pg_extensions, C, .dflt = "[]", .text = "Extension package aliases, kept at latest."),
	/* pg bootstrap */
	P(STR, pg_data, C, .dflt = "'/pg/data'", .check = "path", .text = "Data directory."),
	P(STR, pg_fs_main, C, .dflt = "'/data/postgres'", .check = "path", .text = "Main volume for data."),
	P(STR, pg_fs_backup, C, .dflt = "'/data/backups'", .check = "path", .was = "pg_fs_bkup", .text = "Volume for local backups."),
	P(ENUM, pg_storage_type, C, .dflt = "'SSD'", .check = "SSD|HDD",
	  .text = "Media kind; SSD lowers planner page cost."),
	P(STR, pg_dummy_filesize, C, .dflt = "'64MiB'", .check = "size",
	  .text = "Size of emergency placeholder file."),
	P(STR, pg_listen, I, .dflt = "'0.0.0.0'", .text = "Listen list; supports ${ip} ${lo} ${vip}."),
	P(INT, pg_port, C, .dflt = "5432", .check = "port", .text = "Postgres port."),
	P(STR, pg_localhost, C, .dflt = "'/var/run/postgresql'", .check = "path", .text = "Unix socket directory."),
	P(STR, pg_namespace, C, .dflt = "'/pg'", .check = "path", .text = "DCS key prefix."),
	P(BOOL, patroni_enabled, C, .dflt = "true", .text = "Manage postgres with patroni; false skips bootstrap."),
	P(ENUM, patroni_mode, C, .dflt = "'default'", .check = "default|pause|remove", .flags = PIG_INERT,
	  .text = "Post-bootstrap patroni state."),
	P(INT, patroni_port, C, .dflt = "8008", .check = "port", .text = "Patroni REST port."),
	P(STR, patroni_log_dir, C, .dflt = "'/pg/log/patroni'", .check = "path", .text = "Patroni log directory."),
	P(BOOL, patroni_ssl_enabled, C, .dflt = "false", .text = "TLS for patroni REST API."),
	P(ENUM, patroni_watchdog_mode, C, .dflt = "'off'", .check = "automatic|required|off",
	  .text = "Watchdog policy."),
	P(STR, patroni_username, C, .dflt = "'postgres'", .text = "REST API login."),
	P(STR, patroni_password, C, .dflt = "'Patroni.API'", .flags = PIG_SECRET, .text = "REST API secret."),
	P(STR, pg_etcd_password, C, .dflt = "''", .flags = PIG_SECRET,
	  .text = "Etcd secret of cluster; empty uses cluster/shard name."),
	P(STR, pg_primary_db, C, .dflt = "'postgres'", .was = "patroni_citus_db", .text = "Main database name, PGDATABASE and citus database."),
	P(MAP, pg_parameters, C, .dflt = "{}",
	  .text = "PostgreSQL settings of the cluster that win over everything computed."),
	P(LIST, pg_files, C, .dflt = "[]", .flags = PIG_INERT, .text = "Extra files copied into the data directory."),
	P(STR, pg_conf, C, .dflt = "'oltp.yml'", .check = "/^[A-Za-z0-9_-]+([.]yml)?$/",
	  .text = "Tuning template: oltp.yml, olap.yml, crit.yml or tiny.yml."),
	P(STR, pg_max_conn, C, .dflt = "'auto'", .check = "/^(auto|[0-9]+)$/",
	  .text = "max_connections; auto (or less than 20) takes the template's."),
	P(FLOAT, pg_shared_buffer_ratio, C, .dflt = "0.25", .text = "Share of memory for shared_buffers."),
	P(ENUM, pg_io_method, C, .dflt = "'worker'", .check = "auto|sync|worker|io_uring",
	  .text = "Async IO method for PG18+."),
	P(STR, pg_rto, C, .dflt = "'norm'", .check = "/^[a-z0-9_]+$/",
	  .text = "Recovery time: the name of a plan in pg_rto_plan, or seconds."),
	P(MAP, pg_rto_plan, C, .dflt = DEFAULT_RTO_PLAN,
	  .text = "Timings behind each name of pg_rto: ttl, loop wait, retry timeout, start timeout, watchdog "
	          "margin, then HAProxy's inter, fastinter, downinter, rise, fall."),
	P(INT, pg_rpo, C, .dflt = "1048576",
	  .text = "Bytes of lag a replica may have and still be promoted; 0 asks for synchronous replication."),
	P(STR, pg_libs, C, .dflt = "'pg_stat_statements, auto_explain'", .text = "Shared_preload_libraries."),
	P(STR, pg_delay, I, .dflt = "0", .check = "interval", .text = "Apply delay of a standby cluster leader."),
	P(BOOL, pg_checksum, C, .dflt = "true", .text = "Data checksums at initdb."),
	P(ENUM, pg_pwd_enc, C, .dflt = "'scram-sha-256'", .check = "scram-sha-256|md5",
	  .text = "Password hash method."),
	P(STR, pg_encoding, C, .dflt = "'UTF8'", .text = "Initdb encoding."),
	P(STR, pg_locale, C, .dflt = "'C'", .text = "Initdb locale."),
	P(STR, pg_lc_collate, C, .dflt = "'C'", .text = "Initdb collation."),
	P(STR, pg_lc_ctype, C, .dflt = "'C'", .text = "Initdb ctype."),
	P(STR, pgsodium_key, C, .flags = PIG_SECRET | PIG_INERT,
	  .text = "Pgsodium root key; default sha256 of cluster name."),
	P(STR, pgsodium_getkey_script, C, .check = "path", .flags = PIG_INERT, .text = "Template for key script."),
	/* pg provision */
	P(BOOL, pg_provision, C, .dflt = "true", .text = "Create business users and databases."),
	P(BOOL, pgbackrest_clean, C, .flags = PIG_DEPRECATED,
	  .text = "Earlier switch that emptied the repository of a new cluster; now removal alone deletes backups."),
	P(STR, pg_init, C, .dflt = "'pg-init'", .flags = PIG_INERT, .text = "Template of cluster init script."),
	P(LIST, pg_default_roles, C, .dflt = DEFAULT_ROLES, .members = PIG_TABLE(users),
	  .text = "Roles created at cluster init."),
	P(LIST, pg_default_privileges, C, .dflt = DEFAULT_PRIVILEGES,
	  .text = "Default privileges granted by dbsu, admin and dbrole_admin."),
	P(LIST, pg_default_schemas, C, .dflt = "['monitor']", .text = "Schemas created in templates."),
	P(LIST, pg_default_extensions, C, .dflt = DEFAULT_EXTENSIONS, .text = "Extensions created in templates."),
	P(BOOL, pg_reload, A, .dflt = "true", .text = "Reload services after config changes."),
	P(LIST, pg_default_hba_rules, C, .dflt = DEFAULT_HBA, .members = PIG_TABLE(hba),
	  .text = "Baseline postgres HBA rules."),
	P(LIST, pgb_default_hba_rules, C, .dflt = DEFAULT_POOL_HBA, .members = PIG_TABLE(hba),
	  .text = "Baseline pgbouncer HBA rules."),
	/* pg backup */
	P(BOOL, pgbackrest_enabled, C, .dflt = "true", .text = "Archive WAL and keep backups with pgBackRest."),
	P(STR, pgbackrest_log_dir, C, .dflt = "'/pg/log/pgbackrest'", .check = "path",
	  .text = "Pgbackrest log directory."),
	P(STR, pgbackrest_method, C, .dflt = "'local'", .check = "name", .text = "Key of pgbackrest_repo in use."),
	P(BOOL, pgbackrest_init_backup, C, .dflt = "true",
	  .text = "Take a full backup when the cluster is made."),
	P(MAP, pgbackrest_repo, C, .dflt = DEFAULT_REPO, .members = PIG_TABLE(repos),
	  .text = "Repositories by name: pgBackRest's options, with _ for -."),
	/* pg access */
	P(BOOL, pgbouncer_enabled, C, .dflt = "true", .text = "Run pgbouncer."),
	P(INT, pgbouncer_port, C, .dflt = "6432", .check = "port", .text = "Pgbouncer port."),
	P(STR, pgbouncer_log_dir, C, .dflt = "'/pg/log/pgbouncer'", .check = "path",
	  .text = "Pgbouncer log directory."),
	P(BOOL, pgbouncer_auth_query, C, .dflt = "false", .flags = PIG_INERT,
	  .text = "Look up unlisted users in postgres."),
	P(ENUM, pgbouncer_poolmode, C, .dflt = "'transaction'", .check = "transaction|session|statement",
	  .text = "Default pool mode."),
	P(ENUM, pgbouncer_sslmode, C, .dflt = "'disable'", .check =
	  "disable|allow|prefer|require|verify-ca|verify-full",
	  .text = "Client TLS mode."),
	P(LIST, pgbouncer_ignore_param, C, .dflt = DEFAULT_IGNORED, .text = "Startup parameters to ignore."),
	P(INT, pg_weight, I, .dflt = "100", .text = "Load-balancing weight 0-255."),
	P(STR, pg_service_provider, C, .dflt = "''", .flags = PIG_INERT,
	  .text = "Group running dedicated haproxy; empty means local."),
	P(ENUM, pg_default_service_dest, C, .dflt = "'pgbouncer'", .check = "postgres|pgbouncer",
	  .text = "Target used when a service says default."),
	P(LIST, pg_default_services, C, .dflt = DEFAULT_SERVICES, .members = PIG_TABLE(services),
	  .text = "Baseline services."),
	P(BOOL, pg_vip_enabled, C, .dflt = "false", .text = "Hold an address of its own on the leader."),
	P(STR, pg_vip_address, C, .dflt = "'127.0.0.1/24'", .text = "That address, with its mask: 10.10.10.3/24."),
	P(STR, pg_vip_interface, I, .dflt = "'auto'",
	  .text = "Interface it is held on; auto is the one of the member's own address."),
	P(STR, pg_dns_suffix, C, .dflt = "''", .text = "Suffix of the cluster dns name."),
	P(STR, pg_dns_target, C, .dflt = "'auto'", .check = "/^(auto|primary|vip|none|[0-9.]+)$/",
	  .text = "What the cluster name resolves to."),
	/* pg monitor */
	P(BOOL, pg_exporter_enabled, C, .dflt = "true", .text = "Run pg_exporter."),
	P(STR, pg_exporter_config, C, .dflt = "'pg_exporter.yml'", .flags = PIG_INERT,
	  .text = "Collector config template name."),
	P(STR, pg_exporter_cache_ttls, C, .dflt = "'1,10,60,300'", .flags = PIG_INERT,
	  .text = "Four TTLs: fast,norm,slow,slowest."),
	P(INT, pg_exporter_port, C, .dflt = "9630", .check = "port", .text = "Pg_exporter port."),
	P(STR, pg_exporter_params, C, .dflt = "'sslmode=disable'",
	  .text = "DSN query parameters."),
	P(STR, pg_exporter_url, C, .dflt = "''", .flags = PIG_SECRET, .text = "Complete DSN override."),
	P(BOOL, pg_exporter_auto_discovery, C, .dflt = "true",
	  .text = "Scrape all databases automatically."),
	P(STR, pg_exporter_exclude_database, C, .dflt = "'template0,template1,postgres'",
	  .text = "Databases skipped by discovery."),
	P(STR, pg_exporter_include_database, C, .dflt = "''",
	  .text = "Databases limited to by discovery."),
	P(INT, pg_exporter_connect_timeout, C, .dflt = "200", .text = "Connect timeout in ms."),
	P(STR, pg_exporter_options, C, .dflt = "''", .text = "Replace default extra flags."),
	P(BOOL, pgbouncer_exporter_enabled, C, .dflt = "true", .text = "Run pgbouncer_exporter."),
	P(INT, pgbouncer_exporter_port, C, .dflt = "9631", .check = "port",
	  .text = "Pgbouncer_exporter port."),
	P(STR, pgbouncer_exporter_url, C, .dflt = "''", .flags = PIG_SECRET | PIG_INERT,
	  .text = "Complete DSN override."),
	P(STR, pgbouncer_exporter_options, C, .dflt = "''", .flags = PIG_INERT,
	  .text = "Replace default extra flags."),
	P(BOOL, pgbackrest_exporter_enabled, C, .dflt = "true",
	  .text = "Run pgbackrest_exporter."),
	P(INT, pgbackrest_exporter_port, C, .dflt = "9854", .check = "port",
	  .text = "Pgbackrest_exporter port."),
	P(STR, pgbackrest_exporter_options, C, .dflt = "'--collect.interval=120 --log.level=info'",
	  .text = "Command flags."),
	/* pg remove */
	P(BOOL, pg_safeguard, C, .dflt = "false",
	  .text = "Forbids what destroys data: removal, going back in time, dropping a database."),
	P(BOOL, pg_rm_data, C, .dflt = "true", .text = "Delete data on removal."),
	P(BOOL, pg_rm_backup, C, .dflt = "true", .text = "Delete backups on removal."),
	P(BOOL, pg_rm_pkg, C, .dflt = "true", .text = "Uninstall packages on removal."),
	/* pg access */
	P(STR, pgbouncer_redirect_to, C, .flags = PIG_INERT,
	  .text = "Undeclared: alternate host in pgbouncer database entries."),
	/* pg pitr */
	P(MAP, pg_pitr, I, .members = PIG_TABLE(pitr), .text = "Point that playbook pgsql-pitr takes a cluster back to."),
	/* cli arg */
	P(STR, clsname, A, .dflt = "''", .text = "Limit pgsql-monitor to one remote cluster."),
	P(STR, dbname, A, .text = "Database name handled by pgsql-db."),
	P(STR, username, A, .text = "User name handled by pgsql-user; not postgres."),
	P(STR, cn, A, .check = "/^[A-Za-z0-9_.@-]*$/", .text = "User whose certificate playbook cert issues."),
	P(LIST, san, A, .dflt = "[DNS:localhost, IP:127.0.0.1]", .text = "Names and addresses in that certificate."),
	P(STR, unit, A, .dflt = "'pigsty'", .text = "Organizational unit in that certificate."),
	P(STR, expire, A, .dflt = "'7300d'", .check = "interval", .text = "Lifetime of that certificate."),
	/* pg migration */
	P(STR, context_dir, A, .dflt = "'~/migration'", .check = "path", .flags = PIG_INERT,
	  .text = "Root for generated migration files."),
	P(STR, src_cls, A, .flags = PIG_INERT, .text = "Source cluster."),
	P(STR, src_db, A, .flags = PIG_INERT, .text = "Source database."),
	P(STR, src_ip, A, .check = "ip", .flags = PIG_INERT, .text = "Source primary address."),
	P(LIST, src_list, A, .flags = PIG_INERT, .text = "Source replica addresses."),
	P(STR, src_dns, A, .flags = PIG_INERT, .text = "Source dns name."),
	P(STR, src_vip, A, .check = "ip", .flags = PIG_INERT, .text = "Source VIP."),
	P(STR, src_pg, A, .flags = PIG_SECRET | PIG_INERT, .text = "Source DSN override."),
	P(STR, sub_conn, A, .flags = PIG_SECRET | PIG_INERT, .text = "Subscription conninfo override."),
	P(STR, dst_cls, A, .flags = PIG_INERT, .text = "Target cluster."),
	P(STR, dst_db, A, .flags = PIG_INERT, .text = "Target database."),
	P(STR, dst_ip, A, .check = "ip", .flags = PIG_INERT, .text = "Target primary address."),
	P(STR, dst_dns, A, .flags = PIG_INERT, .text = "Target dns name."),
	P(STR, dst_vip, A, .check = "ip", .flags = PIG_INERT, .text = "Target VIP."),
	P(STR, dst_user, A, .flags = PIG_INERT, .text = "Target user."),
	P(STR, dst_pg, A, .flags = PIG_SECRET | PIG_INERT, .text = "Target DSN override."),
};
