/*
 * pgBackRest: its configuration, the stanza, the first backup, the superuser's crontab. A repository of kind posix is
 * each member's own: every member makes its stanza, so that whoever leads can archive. Another kind is shared, and the
 * leader makes it.
 */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

#define FIRST "pgbackrest-first" /* transient unit of the first backup */

static const pig_value *repo_rows(const struct inst *in)
{
	return in->t->val->key(in->p->pgbackrest_repo, in->p->pgbackrest_method);
}

bool backup_is_own(const struct inst *in)
{
	return !strcmp(in->t->val->str(in->t->val->key(repo_rows(in), "type"), "posix"), "posix");
}

const char *backup_archive_command(const struct inst *in)
{
	return in->p->pgbackrest_enabled ? pig_fmt(in->t, "pgbackrest --stanza=%s archive-push %%p", in->p->pg_cluster)
					 : "/bin/true";
}

/* ---- configuration ---- */

static int64_t between(int64_t n, int64_t low, int64_t high)
{
	return n < low ? low : n > high ? high : n;
}

/* Options as pgBackRest writes them: repo1-s3-key-secret. A value keeps its mark of a secret. */
static pig_value *repo_options(const struct inst *in, bool block)
{
	pig_task *t = in->t;
	const pig_value *rows = repo_rows(in);
	pig_value *m = t->host->map(t);

	for (size_t i = 0; i < t->val->len(rows); i++) {
		const pig_value *v = t->val->at(rows, i);
		char *key = pig_fmt(t, "%s", t->val->key_at(rows, i));

		if (t->val->type(v) == PIG_ANY || (!block && !strncmp(key, "block", 5)))
			continue;
		for (char *c = key; *c; c++)
			if (*c == '_')
				*c = '-';
		if (t->val->type(v) == PIG_BOOL)
			v = t->host->text(t, t->val->truth(v, false) ? "y" : "n");
		t->host->put(t, m, key, v);
	}
	return m;
}

void pgsql_backup_conf(pig_task *t)
{
	struct inst in = inst_of(t);
	int64_t cpu = inst_fact(t, "node_cpu", 1);
	const char *version = t->val->str(t->host->of(t, t->hostname, "pgbackrest_version"), "");
	pig_value *m = t->host->map(t);
	char *end;
	long major = strtol(version, &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	t->host->put(t, m, "repo", repo_options(&in, major > 2 || (major == 2 && minor >= 46)));
	t->host->put(t, m, "some", t->host->number(t, between((cpu + 3) / 4, 2, 4)));
	t->host->put(t, m, "many", t->host->number(t, between(cpu, 1, 8)));
	pig_file(t, .path = "/etc/pgbackrest", .dir = true, .owner = in.p->pg_dbsu, .group = "postgres", .mode = 0750);
	pig_file(t, .path = "/etc/pgbackrest/pgbackrest.conf", .tmpl = "pgbackrest.conf", .vars = m,
		 .owner = in.p->pg_dbsu, .group = "postgres", .mode = 0640);
}

static const char cron_head[] = "# written by pig: local changes are overwritten";

static const char *cron_path(const struct inst *in)
{
	return pig_fmt(in->t, in->deb ? "/var/spool/cron/crontabs/%s" : "/var/spool/cron/%s", in->p->pg_dbsu);
}

void crontab_forget(const struct inst *in)
{
	pig_task *t = in->t;

	pig_ensure(t, .note = "no crontab", .want = "",
		   .probe = pig_sh(t, "head -n 1 %s 2>/dev/null | grep -xF %s", cron_path(in), cron_head),
		   .apply = pig_sh(t, "rm -f %s", cron_path(in)));
}

/* The whole file, as cron has it; an empty list takes away only what was written here. */
void pgsql_crontab(pig_task *t)
{
	struct inst in = inst_of(t);
	const pig_value *all = in.p->pg_crontab;
	struct str b = str_new(t);

	str_add(&b, "%s\n", cron_head);
	for (size_t i = 0; i < t->val->len(all); i++)
		str_add(&b, "%s\n", t->val->str(t->val->at(all, i), ""));
	if (t->val->len(all))
		pig_file(t, .path = cron_path(&in), .text = b.s, .owner = in.p->pg_dbsu,
			 .group = in.deb ? "crontab" : in.p->pg_dbsu, .mode = 0600);
	else
		crontab_forget(&in);
}

/* ---- what the repository holds ---- */

enum stanza { STANZA_UNKNOWN, STANZA_NONE, STANZA_OTHER, STANZA_OURS };
struct repo {
	enum stanza stanza;
	bool backups;
	const char *theirs, *said; /* the system of a stanza; what pgBackRest says of it */
};

const pig_op *backup_ask(const struct inst *in)
{
	pig_task *t = in->t;

	return pig_shell(t, .note = "what the backup repository holds", .as = in->p->pg_dbsu, .reads = true,
			 .cmd = pig_sh(t,
				       "timeout 10 pgbackrest --stanza=%s info --output=json 2>/dev/null; echo\n"
				       "%s -D %s 2>/dev/null | sed -n 's/^Database system identifier: *//p'",
				       in->p->pg_cluster, pig_fmt(t, "%s/pg_controldata", in->bin), in->data));
}

static struct repo repo_of(const struct inst *in, const char *answer)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	size_t n = strcspn(answer, "\n");
	const char *system = answer[n] ? pig_fmt(t, "%.*s", (int)strcspn(answer + n + 1, "\n"), answer + n + 1) : "";
	struct repo r = {.said = "it does not answer"};
	const pig_value *info, *db;
	int64_t code;

	if (*answer != '[')
		return r;
	info = v->at(t->host->json(t, pig_fmt(t, "%.*s", (int)n, answer)), 0);
	code = v->num(v->key(v->key(info, "status"), "code"), 99);
	db = v->key(info, "db");
	r.said = v->str(v->key(v->key(info, "status"), "message"), r.said);
	r.theirs = scalar_text(t, v->key(v->at(db, v->len(db) - 1), "system-id"));
	r.backups = v->len(v->key(info, "backup")) > 0;
	if (code == 1 || code == 3)
		r.stanza = STANZA_NONE;
	else if (v->len(db))
		r.stanza = !strcmp(r.theirs, system) ? STANZA_OURS : STANZA_OTHER;
	return r;
}

static void refuse(const struct inst *in, const struct repo *r)
{
	pig_task *t = in->t;
	const char *cls = in->p->pg_cluster, *path = t->val->str(t->val->key(repo_rows(in), "path"), "/");

	t->host->fail(t, "the backup repository of %s belongs to an earlier cluster %s (system %s)", in->name, cls,
		      r->theirs);
	t->host->hint(t,
		      "To have that cluster back: pgsql-pitr.yml. To begin anew: move %s/archive/%s and %s/backup/%s "
		      "of the repository away, or give pgbackrest_repo another path. After a major upgrade: "
		      "pgbackrest --stanza=%s stanza-upgrade.",
		      path, cls, path, cls, cls);
}

bool backup_may_begin(const struct inst *in)
{
	pig_task *t = in->t;
	const pig_op *op;
	struct repo r;

	if (!in->p->pgbackrest_enabled)
		return true;
	op = backup_ask(in);
	if (!pig_await(t))
		return false;
	r = repo_of(in, t->host->output(t, op, NULL));
	if (r.stanza < STANZA_OTHER)
		return true;
	refuse(in, &r);
	return false;
}

/* ---- the stanza and the first backup ---- */

/*
 * Two small files: a repository far away that does not answer is tried for minutes otherwise. A server that archives
 * already holds pgBackRest's lock (status 50) for the moment that each of its tries takes, and has no more than three of
 * them in a minute: 20 s find a moment between.
 */
static void stanza_create(const struct inst *in)
{
	pig_task *t = in->t;

	pig_shell(
		t, .note = pig_fmt(t, "stanza %s", in->p->pg_cluster), .as = in->p->pg_dbsu,
		.cmd = pig_sh(t,
			      "n=0; while :; do e=$(timeout 45 pgbackrest --stanza=%s --no-online "
			      "--log-level-console=error stanza-create 2>&1); r=$?\n"
			      "[ $r = 50 ] && [ $n -lt 100 ] || break; n=$((n+1)); sleep 0.2; done\n"
			      "[ $r = 0 ] || printf '%%s\\n' \"$e\" >&2\n"
			      "[ $r != 124 ] || echo 'the backup repository does not answer' >&2; exit $r",
			      in->p->pg_cluster));
}

/* It outlives a lost link and a killed run. */
static void begin(const struct inst *in)
{
	pig_task *t = in->t;
	/* the server has to answer and to archive here: a minute is a lease and more; then pgBackRest says what is
	 * wrong */
	const char *job = pig_fmt(t,
				  "n=0; until [ \"$(echo \"select current_setting('archive_command') like "
				  "'%%pgbackrest%%'\" | %s 2>/dev/null)\" = t ] || [ $n -ge 300 ]; do sleep 0.2; "
				  "n=$((n+1)); done; exec pgbackrest %s --type=full backup",
				  in->psql, pig_sh(t, "--stanza=%s", in->p->pg_cluster));

	pig_shell(t, .note = "begin the first backup",
		  .cmd = pig_sh(t,
				"systemctl -q is-active " FIRST " || systemd-run -q --collect --unit=" FIRST
				" -p User=%s -p Group=postgres /bin/sh -c %s",
				in->p->pg_dbsu, job));
}

static bool takes_first(const struct inst *in)
{
	return in->bootstraps && !(in->p->pg_upstream && *in->p->pg_upstream);
}

/* On a cluster that this run has just made: beside the joins. */
void pgsql_backup_begin(pig_task *t)
{
	struct inst in = inst_of(t);

	if (!t->val->truth(t->host->of(t, t->hostname, "pg_new"), false))
		return;
	stanza_create(&in);
	if (in.p->pgbackrest_init_backup && takes_first(&in))
		begin(&in);
}

void pgsql_stanza(pig_task *t)
{
	struct inst in = inst_of(t);
	struct live l;
	struct repo r;

	if (!live_of(&in, &l) || !l.settled)
		return;
	r = repo_of(&in, l.repo);
	if (r.stanza == STANZA_OTHER)
		refuse(&in, &r);
	else if (r.stanza == STANZA_UNKNOWN)
		t->host->warn(t, "the backup repository of %s cannot be used: %s", in.name, r.said);
	else if (r.stanza == STANZA_NONE && (backup_is_own(&in) || !strncmp(l.roles, "leads", 5)))
		stanza_create(&in);
}

void pgsql_backup(pig_task *t)
{
	struct inst in = inst_of(t);
	const pig_op *after;
	struct live l;
	struct repo r;

	if (!live_of(&in, &l) || !l.settled || strncmp(l.roles, "leads", 5))
		return;
	r = repo_of(&in, l.repo);
	if (r.backups || r.stanza == STANZA_OTHER || r.stanza == STANZA_UNKNOWN)
		return;
	/* a cluster that has changed its leader is no new one: what to do is for its owner to say */
	if (!takes_first(&in) || t->val->num(t->val->key(t->host->json(t, l.patroni), "timeline"), 1) > 1) {
		if (!in.p->pg_upstream || !*in.p->pg_upstream)
			t->host->warn(t, "%s leads, and its repository holds no backup: /pg/bin/pg-backup full there",
				      in.name);
		return;
	}
	if (!t->val->truth(t->host->of(t, t->hostname, "pg_new"), false))
		begin(&in);
	if (t->check)
		return;
	pig_wait(t, .probe = "systemctl -q is-active " FIRST " || echo over", .want = "over", .limit_s = 86400,
		 .every_ms = 100, .why = "the first backup");
	after = backup_ask(&in);
	if (pig_await(t) && !repo_of(&in, t->host->output(t, after, NULL)).backups) {
		t->host->fail(t, "the first backup of %s failed", in.p->pg_cluster);
		t->host->hint(t, "See `journalctl -u " FIRST "` and %s/%s-backup.log on the host.",
			      in.p->pgbackrest_log_dir, in.p->pg_cluster);
	}
}

/* last: the cluster goes with this member, who led it, so a shared repository loses its stanza too. */
void backup_forget(const struct inst *in, bool last)
{
	pig_task *t = in->t;
	const char *path = t->val->str(t->val->key(repo_rows(in), "path"), NULL), *cls = in->p->pg_cluster;

	if (!in->p->pgbackrest_enabled)
		return;
	if (backup_is_own(in) && path) {
		pig_file(t, .path = pig_fmt(t, "%s/archive/%s", path, cls), .dir = true, .state = PIG_ABSENT);
		pig_file(t, .path = pig_fmt(t, "%s/backup/%s", path, cls), .dir = true, .state = PIG_ABSENT);
	} else if (last) {
		pig_shell(t, .note = pig_fmt(t, "no stanza %s", cls), .as = in->p->pg_dbsu,
			  .cmd = pig_sh(
				  t,
				  "[ -e /etc/pgbackrest/pgbackrest.conf ] || exit 0; pgbackrest --stanza=%s stop && "
				  "pgbackrest --stanza=%s --force stanza-delete",
				  cls, cls));
	}
	pig_file(t, .path = in->backup, .dir = true, .state = PIG_ABSENT);
	pig_file(t, .path = "/etc/pgbackrest", .dir = true, .state = PIG_ABSENT);
}
