/* What an instance stands on: the superuser's account, packages, folders, shell environment and certificates. */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

/* Debian's own number for the account is taken there: Pigsty's 26 is Red Hat's. */
static int32_t dbsu_uid(const struct inst *in)
{
	return (int32_t)(in->deb && in->p->pg_dbsu_uid == 26 ? 543 : in->p->pg_dbsu_uid);
}

static void sudoers(const struct inst *in)
{
	static const char units[] =
		"patroni postgres pgbouncer pg_exporter pgbouncer_exporter pgbackrest_exporter vip-manager haproxy";
	pig_task *t = in->t;
	const char *su = in->p->pg_dbsu, *rights = in->p->pg_dbsu_sudo;
	struct str b = str_new(t);

	if (!strcmp(rights, "none")) {
		pig_file(t, .path = "/etc/sudoers.d/postgres", .state = PIG_ABSENT);
		return;
	}
	if (!strcmp(rights, "all") || !strcmp(rights, "nopass")) {
		str_add(&b, "%s ALL=(ALL) %sALL\n", su, rights[0] == 'n' ? "NOPASSWD: " : "");
	} else {
		str_add(&b, "%s ALL=NOPASSWD: /sbin/modprobe softdog, /bin/chown %s /dev/watchdog\n", su, su);
		for (const char *u = units; *u;) {
			size_t n = strcspn(u, " ");

			str_add(&b,
				"%s ALL=NOPASSWD: /bin/systemctl stop %.*s, /bin/systemctl start %.*s, /bin/systemctl "
				"restart %.*s, "
				"/bin/systemctl reload %.*s, /bin/systemctl status %.*s, /bin/journalctl -u %.*s\n",
				su, (int)n, u, (int)n, u, (int)n, u, (int)n, u, (int)n, u, (int)n, u);
			u += n + (u[n] == ' ');
		}
	}
	pig_file(t, .path = "/etc/sudoers.d/postgres", .text = b.s, .owner = "root", .group = "root", .mode = 0440,
		 .validate = "! command -v visudo >/dev/null || visudo -cqf %s");
}

/*
 * The account's number. Made before the packages it gets it at once; one that packages have made is renumbered while no
 * process runs as it, with what they left under the old numbers. Else it keeps its number, which is worth a warning.
 */
static const char account[] =
	"o=$(id -u \"$1\" 2>/dev/null) og=$(id -g \"$1\" 2>/dev/null)\n"
	"if [ -z \"$o\" ]; then getent group postgres >/dev/null || groupadd -g \"$2\" postgres || exit\n"
	"useradd -r -m -u \"$2\" -g postgres -d \"$3\" -s /bin/bash \"$1\"; exit; fi\n"
	"if stat -c %u /proc/[0-9]* 2>/dev/null | grep -qx \"$o\"; then\n"
	"echo \"$1 keeps uid $o: processes run under it\" >&2; exit 1; fi\n"
	"groupmod -g \"$2\" postgres && usermod -u \"$2\" -g postgres \"$1\" || exit\n"
	"for d in /var/log/postgresql /var/log/pgbouncer /var/log/pgbackrest /var/lib/pgbackrest /var/lib/postgresql "
	"/run/postgresql /etc/postgresql /etc/pgbouncer /etc/pgbackrest.conf; do [ ! -e $d ] || "
	"{ chown -Rh --from=\"$o\" \"$1\" $d; chown -Rh --from=\":$og\" :postgres $d; }; done";

void pgsql_dbsu(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *su = in.p->pg_dbsu, *uid = pig_fmt(t, "%d", dbsu_uid(&in));

	pig_ensure(t, .note = pig_fmt(t, "account %s has number %s", su, uid), .flags = PIG_SOFT,
		   .probe = pig_sh(t, "id -u %s; id -g %s", su, su), .want = pig_fmt(t, "%s\n%s", uid, uid),
		   .apply = pig_sh(t, "sh -c %s sh %s %s %s", account, su, uid, in.p->pg_dbsu_home));
	pig_user(t, .name = su, .group = "postgres", .home = in.p->pg_dbsu_home, .shell = "/bin/bash", .system = true);
	pig_file(t, .path = in.p->pg_dbsu_home, .dir = true, .owner = su, .group = "postgres", .mode = 0700);
	sudoers(&in);
}

/* "$v" is the major version, as Pigsty's aliases have it. */
static const char *versioned(const struct inst *in, const char *name, size_t n)
{
	struct str b = str_new(in->t);

	for (size_t i = 0; i < n; i++) {
		if (name[i] == '$' && i + 1 < n && name[i + 1] == 'v') {
			str_add(&b, "%lld", (long long)in->p->pg_version);
			i++;
		} else {
			str_put(&b, name + i, 1);
		}
	}
	return b.s;
}

/* Aliases that hang on the version; all others are the package table's. */
static const char *package(const struct inst *in, const char *name)
{
	static const struct {
		const char *name, *deb, *rpm;
	} of[] = {
		{"pgsql-main", "postgresql-$v", "postgresql$v-server postgresql$v-contrib"},
		{"pgsql-core", "postgresql-$v", "postgresql$v-server postgresql$v-contrib"},
		{"pgsql", "postgresql-$v", "postgresql$v-server postgresql$v-contrib"},
		{"pgsql-contrib", "postgresql-$v", "postgresql$v-contrib"},
		{"pgsql-plpython", "postgresql-plpython3-$v", "postgresql$v-plpython3"},
	};

	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		if (!strcmp(of[i].name, name)) {
			name = in->deb ? of[i].deb : of[i].rpm;
			return versioned(in, name, strlen(name));
		}
	return versioned(in, name, strlen(name));
}

static void add_packages(const struct inst *in, struct str *names, const pig_value *list)
{
	pig_task *t = in->t;

	for (size_t i = 0; i < t->val->len(list); i++)
		for (const char *p = t->val->str(t->val->at(list, i), ""); *p;) {
			size_t n;

			p += strspn(p, " ,");
			n = strcspn(p, " ,");
			if (n)
				str_add(names, "%s%s", names->n ? " " : "", package(in, pig_fmt(t, "%.*s", (int)n, p)));
			p += n;
		}
}

const char *package_names(const struct inst *in)
{
	struct str names = str_new(in->t);

	add_packages(in, &names, in->p->pg_packages);
	add_packages(in, &names, in->p->pg_extensions);
	return names.s;
}

void pgsql_pkg(pig_task *t)
{
	struct inst in = inst_of(t);

	if (in.deb) { /* or the packages make and start a cluster of their own */
		pig_file(t, .path = "/etc/postgresql-common/createcluster.d", .dir = true);
		pig_file(t, .path = "/etc/postgresql-common/createcluster.d/pig.conf",
			 .text = "create_main_cluster = false\n");
	}
	if (*package_names(&in))
		pig_package(t, .names = package_names(&in));
	pig_unit(t, .name = "postgresql", .state = PIG_STOPPED, .enable = -1);
	pig_file(t, .path = pig_fmt(t, "%.*s", (int)(strrchr(in.bin, '/') - in.bin), in.bin), .link = in.home);
}

void pgsql_dir(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct pgsql *p = in.p;
	const struct {
		const char *path;
		uint32_t mode;
	} dirs[] = {
		{p->pg_fs_main, 0700},
		{p->pg_fs_backup, 0700},
		{in.dir, 0700},
		{pig_fmt(t, "%s/bin", in.dir), 0700},
		{pig_fmt(t, "%s/tmp", in.dir), 0700},
		{pig_fmt(t, "%s/cert", in.dir), 0700},
		{pig_fmt(t, "%s/conf", in.dir), 0700},
		{pig_fmt(t, "%s/data", in.dir), 0700},
		{pig_fmt(t, "%s/spool", in.dir), 0700},
		{pig_fmt(t, "%s/log", in.dir), 0750},
		{in.backup, 0700},
		{pig_fmt(t, "%s/backup", in.backup), 0700},
		{"/run/postgresql", in.deb ? 02775 : 0755},
		{"/etc/patroni", 0700},
		{"/etc/pgbouncer", 0750},
	};
	const char *const logs[] = {p->pg_log_dir, p->patroni_log_dir, p->pgbouncer_log_dir, p->pgbackrest_log_dir};
	char *parent = pig_fmt(t, "%s", p->pg_fs_main);

	*strrchr(parent, '/') = 0;
	if (*parent)
		pig_file(t, .path = parent, .dir = true);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		pig_file(t, .path = dirs[i].path, .dir = true, .owner = p->pg_dbsu, .group = "postgres",
			 .mode = dirs[i].mode);
	pig_file(t, .path = "/pg", .link = in.dir);
	pig_file(t, .path = pig_fmt(t, "%s/backup", in.dir), .link = pig_fmt(t, "%s/backup", in.backup));
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
		if (strncmp(logs[i], in.data, strlen(in.data)))
			pig_file(t, .path = logs[i], .dir = true, .owner = p->pg_dbsu, .group = "postgres",
				 .mode = 0750);
	pig_file(t, .path = "/etc/tmpfiles.d/pig-postgresql.conf",
		 .text = pig_fmt(t, "# sockets of PostgreSQL and PgBouncer\nd /run/postgresql %s %s postgres -\n",
				 in.deb ? "2775" : "0755", p->pg_dbsu));
}

/* Bytes of "64MiB". */
static int64_t size_of(const char *s)
{
	char *end;
	double n = strtod(s, &end);

	while (*end == ' ')
		end++;
	switch (*end) {
	case 'k':
	case 'K':
		n *= 1 << 10;
		break;
	case 'M':
	case 'm':
		n *= 1 << 20;
		break;
	case 'G':
	case 'g':
		n *= 1 << 30;
		break;
	default:
		break;
	}
	return (int64_t)n;
}

/* A line of the password file: colons and backslashes in it are written with a backslash before. */
static void password_line(struct str *b, const char *user, const char *password)
{
	if (!*password)
		return;
	str_add(b, "%s*:*:*", b->n ? "\n" : "");
	for (int k = 0; k < 2; k++) {
		str_put(b, ":", 1);
		for (const char *s = k ? password : user; *s; s++)
			str_add(b, "%s%c", *s == ':' || *s == '\\' ? "\\" : "", *s);
	}
}

/* Words of a database node's operators. */
static void scripts(const struct inst *in)
{
	static const char *const names[] = {"pg-failover-callback", "pg-backup", "pg-pitr", "pg-role",
					    "pg-cluster",	    "pg-promote"};
	pig_task *t = in->t;
	pig_value *m = t->host->map(t);

	t->host->put(t, m, "ins", t->host->text(t, in->name));
	t->host->put(t, m, "rest", t->host->text(t, inst_rest(in, in->addr, "/cluster")));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		pig_file(t, .path = pig_fmt(t, "/pg/bin/%s", names[i]), .tmpl = names[i], .vars = m, .owner = "root",
			 .group = "postgres", .mode = 0755);
}

void pgsql_env(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct pgsql *p = in.p;
	const char *pass = pig_fmt(t, "%s/.pgpass", p->pg_dbsu_home), *lines;
	struct str b = str_new(t);

	password_line(&b, p->pg_replication_username, p->pg_replication_password);
	password_line(&b, p->pg_admin_username, p->pg_admin_password);
	password_line(&b, p->pg_monitor_username, p->pg_monitor_password);
	password_line(&b, p->pg_dbsu, p->pg_dbsu_password);
	lines = t->host->secret(t, b.s);
	pig_file(t, .path = "/etc/profile.d/pgsql.sh", .tmpl = "pgsql.sh");
	pig_file(t, .path = "/etc/profile.d/pg-alias.sh", .tmpl = "pg-alias.sh");
	scripts(&in);
	pig_line(t, .path = pass, .line = lines, .block = "pig: system users");
	pig_file(t, .path = pass, .owner = p->pg_dbsu, .group = "postgres", .mode = 0600);
	/* a reserve: with the disk full, removing it lets the server breathe */
	if (size_of(p->pg_dummy_filesize) > 0)
		pig_shell(t, .note = "reserve /pg/dummy", .creates = "/pg/dummy", .as = p->pg_dbsu,
			  .cmd = pig_fmt(t, "fallocate -l %lld /pg/dummy", (long long)size_of(p->pg_dummy_filesize)));
}

void pgsql_cert(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *su = in.p->pg_dbsu, *days = t->val->str(t->host->get(t, "cert_validity"), "7300d");

	pig_file(t, .path = "/pg/cert/ca.crt", .text = t->host->ca(t), .owner = su, .group = "postgres", .mode = 0644);
	pig_cert(t, .path = "/pg/cert/server.crt", .key = "/pg/cert/server.key", .cn = in.name, .ou = "postgres",
		 .store = "pgsql",
		 .sans = pig_fmt(t, "localhost,%s,%s,127.0.0.1,%s", in.p->pg_cluster, in.name, in.addr), .owner = su,
		 .group = "postgres", .mode = 0600, .days = (uint32_t)strtoul(days, NULL, 10), .client = true);
}

/* "DNS:a", "IP:b" or bare names, as pig_cert has them. */
static const char *names_of(pig_task *t, const pig_value *list)
{
	struct str b = str_new(t);

	for (size_t i = 0; i < t->val->len(list); i++) {
		const char *s = t->val->str(t->val->at(list, i), ""), *colon = strchr(s, ':');
		bool kind = colon && (!strncmp(s, "DNS:", 4) || !strncmp(s, "IP:", 3));

		str_add(&b, "%s%s", b.n ? "," : "", kind ? colon + 1 : s);
	}
	return b.s;
}

/* Playbook cert: it lies beside the inventory, in files/pki/misc, and on the host it is issued through. */
void pgsql_cert_client(pig_task *t)
{
	const struct pgsql *p = t->params;

	if (!p->cn || !*p->cn) {
		t->host->fail(t, "whose certificate?");
		t->host->hint(t, "Name a user: -e cn=dbuser_app; also san, unit, expire.");
		return;
	}
	pig_file(t, .path = "/etc/pki/misc", .dir = true, .mode = 0700);
	pig_cert(t, .path = pig_fmt(t, "/etc/pki/misc/%s.crt", p->cn), .key = pig_fmt(t, "/etc/pki/misc/%s.key", p->cn),
		 .cn = p->cn, .ou = p->unit, .store = "misc", .sans = names_of(t, p->san), .client = true,
		 .days = (uint32_t)strtoul(p->expire, NULL, 10));
}
