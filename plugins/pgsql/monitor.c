/*
 * What watches an instance: exporters on the host, targets and names on the infra nodes, and exporters on infra nodes
 * for servers that are somewhere else. Debian has no pg_exporter: prometheus-postgres-exporter with queries of ours
 * stands in. For the pool and for pgBackRest it has none that works (prometheus-pgbouncer-exporter 2.0 dies of what
 * PgBouncer shows since 1.8): a script behind a socket answers.
 */
#include "pgsql.h"
#include "../infra/infra.h"

#include <stdlib.h>
#include <string.h>

static const char *metrics_path(pig_task *t)
{
	return t->val->str(t->host->get(t, "exporter_metrics_path"), "/metrics");
}

/* The packages' own units of the same programs would run beside ours, without a configuration. */
static void not_theirs(pig_task *t, const char *unit)
{
	pig_ensure(t, .note = "the distribution's unit does not run",
		   .probe = pig_sh(t, "u=%s.service; [ -L /etc/systemd/system/$u ] || [ ! -e /lib/systemd/system/$u ]",
				   unit),
		   .apply = pig_sh(t,
				   "u=%s; SYSTEMCTL_SKIP_SYSV=1 systemctl -q --no-reload disable --now $u && systemctl "
				   "-q --no-reload mask $u",
				   unit));
}

static void off(pig_task *t, const char *unit)
{
	pig_unit(t, .name = unit, .state = PIG_STOPPED, .enable = -1);
}

static void env_file(const struct inst *in, const char *path, const char *text)
{
	pig_file(in->t, .path = path, .text = in->t->host->secret(in->t, text), .owner = in->p->pg_dbsu,
		 .group = "postgres", .mode = 0600);
}

/* A value in an environment file of systemd's, in single quotes. */
static const char *quoted(pig_task *t, const char *s)
{
	struct str b = str_new(t);

	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			str_add(&b, "\\");
		str_put(&b, s, 1);
	}
	return pig_fmt(t, "'%s'", b.s);
}

/* For a URL: everything but letters, digits and -._~ as %xx. */
static const char *escaped(pig_task *t, const char *s)
{
	struct str b = str_new(t);

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || strchr("-._~", c))
			str_put(&b, s, 1);
		else
			str_add(&b, "%%%02X", c);
	}
	return b.s;
}

struct remote { /* what an exporter of servers is told */
	const char *url, *params, *options, *exclude, *include, *user, *password, *host;
	int64_t port, db_port, timeout;
	bool discover;
};

static const char *exporter_env(const struct inst *in, const struct remote *r)
{
	pig_task *t = in->t;
	struct str b = str_new(t), o = str_new(t);
	const char *url = r->url;
	bool socket = *r->host == '/';

	if (!url || !*url)
		url = pig_fmt(t, "postgresql://%s:%s@%s:%lld/postgres?%sconnect_timeout=%lld%s%s", escaped(t, r->user),
			      escaped(t, r->password), socket ? "" : r->host, (long long)r->db_port,
			      socket ? pig_fmt(t, "host=%s&", escaped(t, r->host)) : "",
			      (long long)(r->timeout + 999) / 1000, *r->params ? "&" : "", r->params);
	if (r->options && *r->options) {
		str_add(&o, "%s", r->options);
	} else {
		str_add(&o, "--log.level=warn --extend.query-path=/etc/pg_exporter.yml");
		if (r->discover)
			str_add(&o, " --auto-discover-databases");
		if (r->discover && *r->exclude)
			str_add(&o, " --exclude-databases=%s", r->exclude);
		if (r->discover && *r->include)
			str_add(&o, " --include-databases=%s", r->include);
	}
	str_add(&b, "# written by pig\nDATA_SOURCE_NAME=%s\n", quoted(t, t->host->secret(t, url)));
	str_add(&b, "PG_EXPORTER_OPTS='--web.listen-address=:%lld --web.telemetry-path=%s %s'\n", (long long)r->port,
		metrics_path(t), o.s);
	return b.s;
}

static void exporter_unit(pig_task *t, const char *name, const char *says, const char *su)
{
	pig_value *m = t->host->map(t);

	t->host->put(t, m, "unit", t->host->text(t, name));
	t->host->put(t, m, "says", t->host->text(t, says));
	t->host->put(t, m, "su", t->host->text(t, su));
	pig_file(t, .path = pig_fmt(t, "/etc/systemd/system/%s.service", name), .tmpl = "pg_exporter.service",
		 .vars = m);
}

static void exporter_runs(pig_task *t, const char *name)
{
	pig_unit(t, .name = name, .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch =
			 pig_fmt(t, "/etc/systemd/system/%s.service /etc/default/%s /etc/pg_exporter.yml", name, name));
}

void pgsql_exporter(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct pgsql *p = in.p;
	const struct remote r = {
		.url = p->pg_exporter_url,
		.params = p->pg_exporter_params,
		.options = p->pg_exporter_options,
		.exclude = p->pg_exporter_exclude_database,
		.include = p->pg_exporter_include_database,
		.user = p->pg_monitor_username,
		.password = p->pg_monitor_password,
		.host = p->pg_localhost,
		.port = p->pg_exporter_port,
		.db_port = p->pg_port,
		.timeout = p->pg_exporter_connect_timeout,
		.discover = p->pg_exporter_auto_discovery,
	};

	if (!p->pg_exporter_enabled) {
		off(t, "pg_exporter");
		return;
	}
	pig_package(t, .names = "pg-exporter");
	if (in.deb)
		not_theirs(t, "prometheus-postgres-exporter");
	pig_file(t, .path = "/etc/pg_exporter.yml", .tmpl = "pg_exporter.yml", .owner = p->pg_dbsu,
		 .group = "postgres");
	env_file(&in, "/etc/default/pg_exporter", exporter_env(&in, &r));
	exporter_unit(t, "pg_exporter", in.name, p->pg_dbsu);
	exporter_runs(t, "pg_exporter");
}

/* A script that answers each connection: nothing of it runs between two scrapes. */
static void by_script(const struct inst *in, const char *unit, const char *what, const char *script, int64_t port)
{
	pig_task *t = in->t;
	pig_value *m = t->host->map(t);
	const char *socket = pig_fmt(t, "%s.socket", unit);

	t->host->put(t, m, "what", t->host->text(t, what));
	t->host->put(t, m, "script", t->host->text(t, script));
	t->host->put(t, m, "port", t->host->number(t, port));
	pig_file(t, .path = pig_fmt(t, "/pg/bin/%s", script), .tmpl = script, .owner = "root", .group = "postgres",
		 .mode = 0755);
	pig_file(t, .path = pig_fmt(t, "/etc/systemd/system/%s@.service", unit), .tmpl = "metrics@.service", .vars = m);
	pig_file(t, .path = pig_fmt(t, "/etc/systemd/system/%s", socket), .tmpl = "metrics.socket", .vars = m);
	pig_unit(t, .name = socket, .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = pig_fmt(t, "/etc/systemd/system/%s", socket));
}

void pgsql_pool_exporter(pig_task *t)
{
	struct inst in = inst_of(t);

	if (in.p->pgbouncer_exporter_enabled && in.p->pgbouncer_enabled)
		by_script(&in, "pgbouncer_exporter", "PgBouncer", "pg-pool-metrics", in.p->pgbouncer_exporter_port);
	else
		off(t, "pgbouncer_exporter.socket");
}

void pgsql_backup_exporter(pig_task *t)
{
	struct inst in = inst_of(t);

	if (in.p->pgbackrest_exporter_enabled && in.p->pgbackrest_enabled)
		by_script(&in, "pgbackrest_exporter", "pgBackRest", "pg-backup-metrics",
			  in.p->pgbackrest_exporter_port);
	else
		off(t, "pgbackrest_exporter.socket");
}

/* ---- registration ---- */

static const char *targets(const struct inst *in)
{
	const struct pgsql *p = in->p;
	const struct {
		bool on;
		int64_t port;
		const char *what;
	} all[] = {
		{p->pg_exporter_enabled, p->pg_exporter_port, "pg_exporter"},
		{p->pgbouncer_enabled && p->pgbouncer_exporter_enabled, p->pgbouncer_exporter_port,
		 "pgbouncer_exporter"},
		{p->patroni_enabled && !p->patroni_ssl_enabled, p->patroni_port, "patroni"},
		{p->pgbackrest_enabled && p->pgbackrest_exporter_enabled, p->pgbackrest_exporter_port,
		 "pgbackrest_exporter"},
	};
	struct str b = str_new(in->t);

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].on)
			str_add(&b, "    - %s:%lld # %s\n", in->addr, (long long)all[i].port, all[i].what);
	if (!b.n)
		return NULL;
	return pig_fmt(in->t, "# written by pig\n- labels: { cls: %s, ins: %s, ip: %s }\n  targets:\n%s",
		       in->p->pg_cluster, in->name, in->addr, b.s);
}

/* What the cluster's name leads to; NULL: no such name. */
static const char *cluster_addr(const struct inst *in)
{
	const char *to = in->p->pg_dns_target, *vip = vip_of(in), *primary = inst_primary(in->t);

	if (!strcmp(to, "none"))
		return NULL;
	if (!strcmp(to, "vip") || (!strcmp(to, "auto") && vip))
		return vip;
	if (!strcmp(to, "auto") || !strcmp(to, "primary"))
		return primary ? inst_addr(in->t, primary) : NULL;
	return to;
}

/* whole: the cluster's name goes with it */
static void register_as(const struct inst *in, bool there, bool whole)
{
	pig_task *t = in->t;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);
	const char *vip = vip_of(in), *addr = cluster_addr(in), *patroni = NULL;

	if (!infra)
		return;
	if (in->p->patroni_enabled && in->p->patroni_ssl_enabled)
		patroni = pig_fmt(t,
				  "# written by pig\n- labels: { job: pgsql, cls: %s, ins: %s, ip: %s }\n  targets: [ "
				  "%s:%lld ]\n",
				  in->p->pg_cluster, in->name, in->addr, in->addr, (long long)in->p->patroni_port);
	infra->target(t, "pgsql", in->name, there ? targets(in) : NULL);
	if (patroni)
		infra->target(t, "patroni", in->name, there ? patroni : NULL);
	if (vip)
		infra->target(t, "ping", pig_fmt(t, "%s---%s", vip, t->hostname),
			      there ? pig_fmt(t,
					      "# written by pig\n- labels: { job: pgsql-vip, cls: %s, ins: %s, ip: %s, "
					      "vip: %s }\n"
					      "  targets: [ %s ]\n",
					      in->p->pg_cluster, in->name, in->addr, vip, vip)
				    : NULL);
	infra->dns(t, in->name, there ? pig_fmt(t, "%s %s\n", in->addr, in->name) : NULL);
	if (in->bootstraps && (there || whole))
		infra->dns(t, in->p->pg_cluster,
			   there && addr ? pig_fmt(t, "%s %s%s\n", addr, in->p->pg_cluster, in->p->pg_dns_suffix)
					 : NULL);
}

void pgsql_register(pig_task *t)
{
	struct inst in = inst_of(t);

	register_as(&in, true, true);
}

void monitor_forget(const struct inst *in, bool whole)
{
	static const char *const units[] = {"pg_exporter.service", "pgbouncer_exporter.socket",
					    "pgbackrest_exporter.socket"};
	static const char *const files[] = {
		"/etc/systemd/system/pgbackrest_exporter@.service",
		"/etc/systemd/system/pgbouncer_exporter@.service",
		"/etc/default/pg_exporter",
	};
	pig_task *t = in->t;

	register_as(in, false, whole);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		pig_unit(t, .name = units[i], .state = PIG_STOPPED, .enable = -1, .flags = PIG_NOW);
		pig_file(t, .path = pig_fmt(t, "/etc/systemd/system/%s", units[i]), .state = PIG_ABSENT);
	}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		pig_file(t, .path = files[i], .state = PIG_ABSENT);
	pig_ensure(t, .note = "no queries of an exporter that is no more", .want = "",
		   .probe = "ls /etc/systemd/system/pg_exporter_*.service >/dev/null 2>&1 || "
			    "[ ! -e /etc/pg_exporter.yml ] || echo there",
		   .apply = "rm -f /etc/pg_exporter.yml");
}

/* ---- servers that are somewhere else ---- */

static const char *word(pig_task *t, const pig_value *item, const char *key)
{
	const pig_value *v = t->val->key(item, key);

	return v ? scalar_text(t, v) : t->val->str(t->host->get(t, key), "");
}

/* Of this infra node: unit and environment of one server's exporter; its targets into *b. */
static void remote(const struct inst *in, const pig_value *item, const char *port, const char *name)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const pig_value *find = v->key(item, "pg_exporter_auto_discovery"),
			*timeout = v->key(item, "pg_exporter_connect_timeout");
	const char *unit = pig_fmt(t, "pg_exporter_%s", name), *env = pig_fmt(t, "/etc/default/%s", unit);
	const struct remote r = {
		.url = word(t, item, "pg_exporter_url"),
		.params = word(t, item, "pg_exporter_params"),
		.options = word(t, item, "pg_exporter_options"),
		.exclude = word(t, item, "pg_exporter_exclude_database"),
		.include = word(t, item, "pg_exporter_include_database"),
		.user = word(t, item, "pg_monitor_username"),
		.password = word(t, item, "pg_monitor_password"),
		.host = word(t, item, "pg_host"),
		.port = strtoll(port, NULL, 10),
		.db_port = v->num(v->key(item, "pg_port"), 5432),
		.timeout = v->num(timeout ? timeout : t->host->get(t, "pg_exporter_connect_timeout"), 1000),
		.discover = v->truth(find ? find : t->host->get(t, "pg_exporter_auto_discovery"), true),
	};

	pig_file(t, .path = env, .text = t->host->secret(t, exporter_env(in, &r)), .mode = 0600);
	exporter_unit(t, unit, pig_fmt(t, "%s at %s", name, r.host), "nobody");
	exporter_runs(t, unit);
}

/* Exporters of servers that the inventory has no more; only a run for all of them can know. */
static void stale(pig_task *t, const char *kept)
{
	const char *find = pig_sh(t,
				  "for f in /etc/systemd/system/pg_exporter_*.service; do [ -e \"$f\" ] || continue; "
				  "u=${f##*/}; case %s in "
				  "*\" ${u%%.service} \"*) ;; *) echo \"$u\" ;; esac; done",
				  pig_fmt(t, " %s", kept));

	pig_ensure(t, .note = "exporters of servers that are no more", .probe = find, .want = "",
		   .apply = pig_fmt(
			   t,
			   "for u in $(%s); do systemctl -q disable --now \"$u\"; rm -f \"/etc/systemd/system/$u\" "
			   "\"/etc/default/${u%%.service}\"; done; systemctl daemon-reload",
			   find));
}

static long long next_port(pig_task *t, const pig_value *all, long long last)
{
	long long next = 0;

	for (size_t i = 0; i < t->val->len(all); i++) {
		long long port = strtoll(t->val->key_at(all, i), NULL, 10);
		if (port > last && (!next || port < next))
			next = port;
	}
	return next;
}

static void remote_targets(pig_task *t, const pig_value *all, const char *cls)
{
	struct str b = str_new(t);

	str_add(&b, "# written by pig\n");
	/* by port, in whatever order they are written: a database keeps none */
	for (long long port = next_port(t, all, 0); port; port = next_port(t, all, port)) {
		const pig_value *item = t->val->key(all, pig_fmt(t, "%lld", port));

		if (!strcmp(word(t, item, "pg_cluster"), cls))
			str_add(&b, "- labels: { cls: %s, ins: %s-%s, ip: %s }\n  targets: [ %s:%s ]\n", cls, cls,
				word(t, item, "pg_seq"), word(t, item, "pg_host"), inst_addr(t, t->hostname),
				pig_fmt(t, "%lld", port));
	}
	pig_file(t, .flags = PIG_IF_THERE, .path = pig_fmt(t, "/infra/targets/pgrds/%s.yml", cls), .text = b.s,
		 .mode = 0644);
}

void pgsql_remote(pig_task *t)
{
	struct inst in = {.t = t, .p = t->params};
	const pig_value *all = in.p->pg_exporters;
	const char *only = in.p->clsname;
	struct str kept = str_new(t), seen = str_new(t);
	size_t n = 0;

	if (t->val->len(all)) {
		pig_package(t, .names = "pg-exporter");
		not_theirs(t, "prometheus-postgres-exporter");
		pig_file(t, .path = "/etc/pg_exporter.yml", .tmpl = "pg_exporter.yml");
	}
	for (size_t i = 0; i < t->val->len(all); i++) {
		const pig_value *item = t->val->at(all, i);
		const char *cls = word(t, item, "pg_cluster"),
			   *name = pig_fmt(t, "%s-%s", cls, word(t, item, "pg_seq"));

		str_add(&kept, "pg_exporter_%s ", name);
		if (only && *only && strcmp(only, cls))
			continue;
		n++;
		remote(&in, item, t->val->key_at(all, i), name);
		if (word_in(seen.s, cls))
			continue;
		str_add(&seen, "%s ", cls);
		remote_targets(t, all, cls);
	}
	if (only && *only && !n) {
		t->host->fail(t, "no server of cluster %s is in pg_exporters", only);
		return;
	}
	if (!only || !*only)
		stale(t, kept.s);
}
