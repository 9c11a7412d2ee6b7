/*
 * PostgreSQL's settings for the four tuning templates. What is policy is the same on all members and goes into
 * Patroni's dynamic configuration; what hangs on a host's memory, CPU and disk is each member's own, so that members of
 * unlike size are each tuned for themselves and nothing changes when another one leads.
 */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

enum { OLTP, OLAP, CRIT, TINY };

struct setting {
	const char *name, *oltp, *olap, *crit, *tiny; /* "=": as oltp; NULL: PostgreSQL's own default */
	int since, until;			      /* major versions; 0: any */
};

#define ALL(v) (v), "=", "=", "="
static const struct setting settings[] = {
	{"superuser_reserved_connections", ALL("10"), 0, 0},
	{"max_wal_senders", ALL("50"), 0, 0},
	/* a new leader makes its members' slots one loop late: what they need meanwhile must not be recycled */
	{"wal_keep_size", ALL("256MB"), 0, 0},
	{"max_replication_slots", ALL("50"), 0, 0},
	{"wal_level", ALL("logical"), 0, 0},
	{"wal_log_hints", ALL("on"), 0, 0},
	{"wal_compression", ALL("lz4"), 15, 0},
	{"wal_compression", ALL("on"), 0, 14},
	{"track_commit_timestamp", ALL("on"), 0, 0},
	{"ssl", ALL("on"), 0, 0},
	{"ssl_cert_file", ALL("/pg/cert/server.crt"), 0, 0},
	{"ssl_key_file", ALL("/pg/cert/server.key"), 0, 0},
	{"ssl_ca_file", ALL("/pg/cert/ca.crt"), 0, 0},
	{"huge_pages", ALL("try"), 0, 0},
	{"hash_mem_multiplier", ALL("8.0"), 0, 0},
	{"bgwriter_delay", ALL("10ms"), 0, 0},
	{"bgwriter_lru_maxpages", ALL("800"), 0, 0},
	{"bgwriter_lru_multiplier", ALL("5.0"), 0, 0},
	{"wal_buffers", ALL("16MB"), 0, 0},
	{"wal_writer_delay", "20ms", "=", "10ms", "=", 0, 0},
	{"wal_writer_flush_after", "1MB", "=", "0", "=", 0, 0},
	{"commit_delay", ALL("20"), 0, 0},
	{"commit_siblings", ALL("10"), 0, 0},
	{"checkpoint_timeout", ALL("15min"), 0, 0},
	{"checkpoint_completion_target", ALL("0.95"), 0, 0},
	{"sync_replication_slots", ALL("on"), 17, 0},
	{"idle_replication_slot_timeout", "7d", "=", "3d", "=", 18, 0},
	{"max_standby_archive_delay", ALL("10min"), 0, 0},
	{"max_standby_streaming_delay", ALL("3min"), 0, 0},
	{"wal_receiver_status_interval", ALL("1s"), 0, 0},
	{"hot_standby_feedback", ALL("on"), 0, 0},
	{"wal_receiver_timeout", ALL("60s"), 0, 0},
	{"max_logical_replication_workers", ALL("8"), 0, 0},
	{"max_sync_workers_per_subscription", ALL("6"), 0, 0},
	{"vacuum_defer_cleanup_age", NULL, NULL, "500000", NULL, 0, 15},
	{"vacuum_cost_delay", "20ms", "10ms", "=", "=", 0, 0},
	{"vacuum_cost_limit", "2000", "10000", "=", "=", 0, 0},
	{"parallel_setup_cost", "2000", NULL, "=", NULL, 0, 0},
	{"parallel_tuple_cost", "0.2", NULL, "=", NULL, 0, 0},
	{"min_parallel_table_scan_size", "32MB", NULL, "=", NULL, 0, 0},
	{"min_parallel_index_scan_size", "2MB", NULL, "=", NULL, 0, 0},
	{"enable_partitionwise_join", NULL, "on", NULL, NULL, 0, 0},
	{"enable_partitionwise_aggregate", NULL, "on", NULL, NULL, 0, 0},
	{"default_statistics_target", "400", "1000", "=", "200", 0, 0},
	{"logging_collector", ALL("on"), 0, 0},
	{"log_destination", ALL("csvlog"), 0, 0},
	{"log_filename", ALL("postgresql-%a.log"), 0, 0},
	{"log_file_mode", ALL("0640"), 0, 0},
	{"log_rotation_age", ALL("1d"), 0, 0},
	{"log_rotation_size", ALL("0"), 0, 0},
	{"log_truncate_on_rotation", ALL("on"), 0, 0},
	{"log_timezone", ALL("UTC"), 0, 0},
	{"log_checkpoints", ALL("on"), 0, 0},
	{"log_lock_waits", ALL("on"), 0, 0},
	{"log_lock_failures", "on", NULL, "=", NULL, 18, 0},
	{"log_replication_commands", ALL("on"), 0, 0},
	{"log_connections", "authorization", "=", "receipt,authentication,authorization", NULL, 18, 0},
	{"log_connections", NULL, NULL, "on", NULL, 0, 17},
	{"log_disconnections", NULL, NULL, "on", NULL, 0, 0},
	{"log_temp_files", ALL("1024"), 0, 0},
	{"log_statement", ALL("ddl"), 0, 0},
	{"log_min_duration_statement", "100", "1000", "=", "=", 0, 0},
	{"log_autovacuum_min_duration", ALL("1s"), 0, 0},
	{"track_io_timing", ALL("on"), 0, 0},
	{"track_cost_delay_timing", NULL, "on", "on", NULL, 18, 0},
	{"track_functions", ALL("all"), 0, 0},
	{"track_activity_query_size", "8192", "=", "32768", "=", 0, 0},
	{"autovacuum_naptime", ALL("1min"), 0, 0},
	{"autovacuum_max_workers", "3", "=", "=", "2", 0, 0},
	{"autovacuum_vacuum_threshold", "500", "1000", "=", "=", 0, 0},
	{"autovacuum_analyze_threshold", "250", "500", "=", "=", 0, 0},
	{"autovacuum_vacuum_scale_factor", "0.08", "=", "=", NULL, 0, 0},
	{"autovacuum_analyze_scale_factor", "0.04", "=", "=", NULL, 0, 0},
	{"autovacuum_freeze_max_age", ALL("1000000000"), 0, 0},
	{"deadlock_timeout", ALL("50ms"), 0, 0},
	{"idle_in_transaction_session_timeout", "10min", "0", "1min", "=", 0, 0},
	{"file_copy_method", ALL("clone"), 18, 0},
	/* archiving on from the start, if need be to nowhere, so that the first backup repository needs no restart */
	{"archive_mode", ALL("on"), 0, 0},
	{"archive_timeout", ALL("300"), 0, 0},
	{"auto_explain.log_min_duration", ALL("1s"), 0, 0},
	{"auto_explain.log_analyze", ALL("on"), 0, 0},
	{"auto_explain.log_verbose", ALL("on"), 0, 0},
	{"auto_explain.log_timing", ALL("on"), 0, 0},
	{"auto_explain.log_nested_statements", ALL("on"), 0, 0},
	{"pg_stat_statements.max", "10000", "=", "=", "2500", 0, 0},
	{"pg_stat_statements.track", ALL("all"), 0, 0},
	{"pg_stat_statements.track_utility", ALL("off"), 0, 0},
	{"pg_stat_statements.track_planning", ALL("off"), 0, 0},
};

static int which(const struct pgsql *p)
{
	const char *n = p->pg_conf;

	return !strncmp(n, "olap", 4) ? OLAP : !strncmp(n, "crit", 4) ? CRIT : !strncmp(n, "tiny", 4) ? TINY : OLTP;
}

const char *tune_name(const struct pgsql *p)
{
	static const char *const names[] = {"oltp", "olap", "crit", "tiny"};

	return names[which(p)];
}

static void set(const struct inst *in, pig_value *m, const char *name, const char *text)
{
	in->t->host->put(in->t, m, name, in->t->host->text(in->t, text));
}

static void set_n(const struct inst *in, pig_value *m, const char *name, int64_t n, const char *unit)
{
	set(in, m, name, pig_fmt(in->t, "%lld%s", (long long)n, unit));
}

static bool has_lib(const struct pgsql *p, const char *lib)
{
	return p->pg_libs && word_in(p->pg_libs, lib);
}

static int64_t max_conn(const struct pgsql *p)
{
	int64_t n = strtoll(p->pg_max_conn ? p->pg_max_conn : "", NULL, 10);

	if (n >= 20)
		return n;
	switch (which(p)) {
	case OLAP:
		return 500;
	case TINY:
		return 250;
	default:
		return strcmp(p->pg_default_service_dest, "pgbouncer") ? 1000 : 500;
	}
}

static int64_t between(int64_t n, int64_t low, int64_t high)
{
	return n < low ? low : n > high ? high : n;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ceil(n * percent / 100) */
static int64_t part(int64_t n, int64_t percent)
{
	return (n * percent + 99) / 100;
}

static int64_t workers(const struct inst *in)
{
	int64_t cpu = inst_fact(in->t, "node_cpu", 1);

	switch (which(in->p)) {
	case OLAP:
		return most(cpu + 12, 20);
	case TINY:
		return most(cpu + 4, 12);
	default:
		return most(cpu + 8, 16);
	}
}

static void locks_and_slots(const struct inst *in, pig_value *m)
{
	const struct pgsql *p = in->p;
	bool many = has_lib(p, "citus") || has_lib(p, "timescaledb");
	int64_t n = max_conn(p);

	set_n(in, m, "max_connections", n, "");
	set_n(in, m, "max_locks_per_transaction", n * (which(p) == OLAP ? 2 : 1) * (many ? 2 : 1), "");
	set_n(in, m, "max_prepared_transactions", has_lib(p, "citus") ? n : 0, "");
	set_n(in, m, "max_worker_processes", workers(in) + 8, "");
}

void tune_shared(const struct inst *in, pig_value *m)
{
	const struct pgsql *p = in->p;
	const struct pig_values *v = in->t->val;
	int w = which(p);
	const char *libs = p->pg_libs && *p->pg_libs ? p->pg_libs : "pg_stat_statements, auto_explain";

	locks_and_slots(in, m);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		const struct setting *s = &settings[i];
		const char *const col[] = {s->oltp, s->olap, s->crit, s->tiny};
		const char *x = col[w] && !strcmp(col[w], "=") ? s->oltp : col[w];

		if (x && (!s->since || p->pg_version >= s->since) && (!s->until || p->pg_version <= s->until))
			set(in, m, s->name, x);
	}
	set(in, m, "shared_preload_libraries",
	    w == CRIT && !has_lib(p, "passwordcheck") ? pig_fmt(in->t, "$libdir/passwordcheck, %s", libs) : libs);
	set(in, m, "password_encryption", p->pg_pwd_enc);
	set(in, m, "archive_command", backup_archive_command(in));
	set(in, m, "log_directory", p->pg_log_dir);
	if (!strcmp(p->pg_storage_type, "SSD")) {
		set(in, m, "random_page_cost", "1.1");
		set(in, m, "effective_io_concurrency", "200");
		set(in, m, "maintenance_io_concurrency", "100");
	}
	if (p->pg_version >= 18)
		set(in, m, "io_method", !strcmp(p->pg_io_method, "auto") ? "io_uring" : p->pg_io_method);
	if (has_lib(p, "pg_wait_sampling")) {
		set(in, m, "pg_wait_sampling.profile_pid", "off");
		set(in, m, "pg_wait_sampling.profile_queries", "all");
		set(in, m, "pg_wait_sampling.history_size", "100000");
	}
	if (has_lib(p, "pg_cron"))
		set(in, m, "cron.database_name", p->pg_primary_db);
	if (has_lib(p, "timescaledb"))
		set(in, m, "timescaledb.telemetry_level", "off");
	for (size_t i = 0; i < v->len(p->pg_parameters); i++)
		in->t->host->put(in->t, m, v->key_at(p->pg_parameters, i), v->at(p->pg_parameters, i));
}

static void parallel(const struct inst *in, pig_value *m)
{
	int64_t cpu = inst_fact(in->t, "node_cpu", 1);
	int w = which(in->p);

	set_n(in, m, "max_parallel_workers",
	      w == OLAP	  ? most(part(cpu, 80), 2)
	      : w == TINY ? most(cpu / 2, 1)
			  : most(part(cpu, 50), 2),
	      "");
	set_n(in, m, "max_parallel_workers_per_gather",
	      w == OLTP	  ? between(cpu / 5, 2, 8)
	      : w == OLAP ? most(cpu / 2, 2)
			  : 0,
	      "");
	set_n(in, m, "max_parallel_maintenance_workers", w == TINY ? most(cpu * 33 / 100, 1) : most(part(cpu, 33), 2),
	      "");
	if (in->p->pg_version >= 18)
		set_n(in, m, "io_workers",
		      w == OLTP	  ? between(part(cpu, 25), 4, 16)
		      : w == OLAP ? between(part(cpu, 50), 4, 32)
		      : w == CRIT ? between(part(cpu, 25), 4, 8)
				  : 3,
		      "");
	if (has_lib(in->p, "timescaledb"))
		set_n(in, m, "timescaledb.max_background_workers", workers(in), "");
}

void tune_local(const struct inst *in, int64_t disk, pig_value *all)
{
	static const int64_t work_most[] = {1024, 8192, 1024, 256};
	const struct pgsql *p = in->p;
	const struct pig_values *v = in->t->val;
	pig_value *m = in->t->host->map(in->t);
	int w = which(p);
	int64_t mem = inst_fact(in->t, "node_mem_mb", 1024);
	int64_t buffers = most((int64_t)((double)mem * p->pg_shared_buffer_ratio + 0.999), 16);
	int64_t wal =
		between((disk + (20ll << 30) - 1) / (20ll << 30), 1, 100); /* GB of WAL: a twentieth of the disk */

	set_n(in, m, "shared_buffers", buffers, "MB");
	set_n(in, m, "effective_cache_size", most(mem - buffers, 16), "MB");
	set_n(in, m, "maintenance_work_mem", most(part(buffers, w == OLAP ? 50 : 25), 1), "MB");
	set_n(in, m, "work_mem", between(buffers / max_conn(p), w == TINY ? 16 : 64, work_most[w]), "MB");
	parallel(in, m);
	set_n(in, m, "min_wal_size", between(wal, 1, 200), "GB");
	set_n(in, m, "max_wal_size", between(4 * wal, 1, 2000), "GB");
	set_n(in, m, "max_slot_wal_keep_size", between(6 * wal, 1, 3000), "GB");
	set_n(in, m, "temp_file_limit", w == OLAP ? between(4 * wal, 1, 2000) : between(wal, 1, 200), "GB");
	/* a member's own setting wins over the shared ones: what the inventory names must not be hidden by it */
	for (size_t i = 0; i < v->len(m); i++)
		if (!v->key(p->pg_parameters, v->key_at(m, i)))
			in->t->host->put(in->t, all, v->key_at(m, i), v->at(m, i));
}
