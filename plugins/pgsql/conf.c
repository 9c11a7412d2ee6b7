/* Patroni's own file on each member, and the units of the services. */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

static void put_s(pig_task *t, pig_value *m, const char *key, const char *s)
{
	t->host->put(t, m, key, t->host->text(t, s));
}

static void push_unique(pig_task *t, pig_value *list, const char *s)
{
	for (size_t i = 0; i < t->val->len(list); i++)
		if (!strcmp(t->val->str(t->val->at(list, i), ""), s))
			return;
	t->host->push(t, list, t->host->text(t, s));
}

static void push_hosts(pig_task *t, pig_value *list, const char *group, const char *port)
{
	const pig_value *hosts = t->host->members(t, group);

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = t->val->str(t->val->at(hosts, i), "");

		push_unique(t, list, pig_fmt(t, "%s%s", inst_addr(t, host), port));
	}
}

/* Addresses that may send Patroni commands: this cluster's members, the infra nodes, the admin node. */
static const pig_value *allowed(const struct inst *in)
{
	pig_task *t = in->t;
	pig_value *list = t->host->list(t);
	const char *admin = t->val->str(t->host->get(t, "admin_ip"), NULL);

	push_unique(t, list, "127.0.0.1/32");
	if (admin)
		push_unique(t, list, pig_fmt(t, "%s/32", admin));
	push_hosts(t, list, t->cluster, "/32");
	push_hosts(t, list, "infra", "/32");
	return list;
}

/* pg_listen with ${ip}, ${lo} and ${vip} filled in. */
static const char *listen_at(const struct inst *in, int64_t port)
{
	pig_task *t = in->t;
	const struct {
		const char *word, *addr;
	} names[] = {{"${ip}", in->addr}, {"${lo}", "127.0.0.1"}, {"${vip}", vip_of(in) ? vip_of(in) : ""}};
	struct str b = str_new(t);

	for (const char *p = in->p->pg_listen; *p;) {
		size_t n, k = 0;

		p += strspn(p, " ,");
		n = strcspn(p, " ,");
		for (; k < 3; k++)
			if (strlen(names[k].word) == n && !strncmp(p, names[k].word, n))
				break;
		if (n && (k == 3 || *names[k].addr))
			str_add(&b, "%s%.*s", b.n ? "," : "", (int)(k < 3 ? strlen(names[k].addr) : n),
				k < 3 ? names[k].addr : p);
		p += n;
	}
	return port ? pig_fmt(t, "%s:%lld", b.n ? b.s : "0.0.0.0", (long long)port) : b.n ? b.s : "0.0.0.0";
}

static const pig_value *initdb(const struct inst *in)
{
	pig_task *t = in->t;
	const struct pgsql *p = in->p;
	pig_value *list = t->host->list(t);
	const char *const pairs[][2] = {
		{"encoding", p->pg_encoding}, {"locale", p->pg_locale}, {"lc-collate", p->pg_lc_collate},
		{"lc-ctype", p->pg_lc_ctype}, {"auth-local", "peer"},	{"auth-host", p->pg_pwd_enc},
	};

	if (p->pg_checksum || !strcmp(tune_name(p), "crit"))
		t->host->push(t, list, t->host->text(t, "data-checksums"));
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (pairs[i][1] && *pairs[i][1])
			t->host->push(t, list,
				      t->host->text(t, pig_fmt(t, "%s: %s", pairs[i][0], json_text(t, pairs[i][1]))));
	return list;
}

/* A replica's pg_upstream names a member by its address; Patroni wants the member's name. */
static const char *cascades_from(const struct inst *in)
{
	pig_task *t = in->t;
	const char *up = in->p->pg_upstream;
	const pig_value *all = t->host->members(t, t->cluster);

	if (!up || !*up || in->bootstraps)
		return "";
	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		if (!strcmp(host, up) || !strcmp(inst_addr(t, host), up))
			return inst_name(t, host);
	}
	return "";
}

static pig_value *vars(const struct inst *in, int64_t disk)
{
	pig_task *t = in->t;
	pig_value *m = t->host->map(t), *local = t->host->map(t), *etcd = t->host->list(t);
	struct rto r = inst_rto(t);
	bool crit = !strcmp(tune_name(in->p), "crit");
	const char *dog = in->p->patroni_watchdog_mode;

	tune_local(in, disk, local);
	push_hosts(t, etcd, "etcd", pig_fmt(t, ":%lld", (long long)t->val->num(t->host->get(t, "etcd_port"), 2379)));
	put_s(t, m, "ins", in->name);
	put_s(t, m, "addr", in->addr);
	put_s(t, m, "home", in->home);
	put_s(t, m, "listen", listen_at(in, in->p->pg_port));
	put_s(t, m, "listen_addr", listen_at(in, 0));
	put_s(t, m, "cascades_from", cascades_from(in));
	put_s(t, m, "etcd_user", in->etcd_user);
	put_s(t, m, "etcd_password", in->etcd_password);
	put_s(t, m, "watchdog", crit && !strcmp(dog, "off") ? "automatic" : dog);
	t->host->put(t, m, "fence", t->host->number(t, inst_fence(t)));
	t->host->put(t, m, "watchdog_margin", t->host->number(t, r.n[RTO_MARGIN]));
	t->host->put(t, m, "backup_shared", t->host->boolean(t, in->p->pgbackrest_enabled && !backup_is_own(in)));
	t->host->put(t, m, "log_files", t->host->number(t, crit ? 16 : 4));
	t->host->put(t, m, "etcd_hosts", etcd);
	t->host->put(t, m, "allowed", allowed(in));
	t->host->put(t, m, "dcs", dcs_wanted(in));
	t->host->put(t, m, "initdb", initdb(in));
	t->host->put(t, m, "hba", hba_lines(in));
	t->host->put(t, m, "local", local);
	return m;
}

void pgsql_patroni(const struct inst *in, uint32_t flags)
{
	pig_unit(in->t, .name = "patroni", .state = PIG_STARTED, .enable = 1, .flags = flags, .on_change = PIG_RELOAD,
		 .watch = pig_fmt(in->t, "%s /pg/cert/*", in->conf));
}

void pgsql_conf(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *su = in.p->pg_dbsu;
	const pig_op *df = pig_shell(t, .note = "size of the data volume", .reads = true,
				     .cmd = pig_sh(t,
						   "d=%s; while [ ! -e \"$d\" ]; do d=${d%%/*}; d=${d:-/}; done; "
						   "df -B1 --output=size \"$d\" | tail -n 1",
						   in.p->pg_fs_main));
	const pig_op *active = pig_shell(t, .note = "does Patroni run", .reads = true,
					 .cmd = "systemctl -q is-active patroni && echo active");
	const pig_op *data = pig_shell(t, .note = "is there data", .reads = true,
				       .cmd = pig_sh(t, "[ ! -s %s/PG_VERSION ] || echo data", in.data));
	const pig_op *version = !in.p->pgbackrest_enabled
					? NULL
					: pig_shell(t, .note = "pgBackRest's version", .reads = true,
						    .cmd = "v=$(pgbackrest version) && echo \"${v#* }\"");
	const char *size;
	bool run = false;
	pig_value *m;

	if (!pig_await(t))
		return;
	size = t->host->output(t, active, NULL);
	if (size && *size) {
		run = true;
		t->host->publish(t, "pg_active", t->host->boolean(t, true)); /* for pg_launch */
	}
	size = t->host->output(t, data, NULL);
	t->host->publish(t, "pg_holds", t->host->boolean(t, size && *size)); /* for pg_launch, on other members too */
	if (version)
		t->host->publish(t, "pgbackrest_version", t->host->text(t, t->host->output(t, version, NULL)));
	size = t->host->output(t, df, NULL);
	m = vars(&in, size && strtoll(size, NULL, 10) > 0 ? strtoll(size, NULL, 10) : 40ll << 30);
	if (in.p->patroni_enabled) {
		pig_file(t, .path = in.conf, .tmpl = "patroni.yml", .vars = m, .owner = su, .group = "postgres",
			 .mode = 0640);
		pig_file(t, .path = "/etc/patroni/patroni.yml", .link = in.conf);
		pig_file(t, .path = "/pg/bin/patroni-guard", .tmpl = "patroni-guard", .vars = m, .owner = "root",
			 .group = "postgres", .mode = 0755);
		pig_file(t, .path = "/pg/bin/pg-fence", .tmpl = "pg-fence", .vars = m, .owner = "root",
			 .group = "postgres", .mode = 0755);
		pig_file(t, .path = "/etc/systemd/system/patroni.service", .tmpl = "patroni.service", .vars = m);
		pig_file(t, .path = "/etc/systemd/system/postgres.service", .tmpl = "postgres.service", .vars = m);
	}
	if (run) /* here, so that what later tasks ask speaks by the new configuration */
		pgsql_patroni(&in, 0);
	if (in.p->pgbouncer_enabled) {
		pig_file(t, .path = "/etc/systemd/system/pgbouncer.service", .tmpl = "pgbouncer.service", .vars = m);
		pig_file(t, .path = "/etc/pgbouncer/listen.ini", .tmpl = "listen.ini", .vars = m, .owner = su,
			 .group = "postgres", .mode = 0640);
		pig_file(t, .path = "/etc/pgbouncer/pgbouncer.ini", .tmpl = "pgbouncer.ini", .vars = m, .owner = su,
			 .group = "postgres", .mode = 0640);
	}
}
