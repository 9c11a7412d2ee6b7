/*
 * Playbook pgsql-pitr: a cluster's data as it was at a point in time. One member's data is restored from a repository
 * that reaches back far enough; the others keep theirs until it leads again, so that a restore that fails loses
 * nothing of a cluster that has replicas. Then they are rewound, or copied anew where their timelines cannot tell
 * what happened.
 */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

static const char seen[] = "pitr_seen", chosen[] = "pitr_target";

static const char *word_of(const struct inst *in, const char *key)
{
	const pig_value *v = in->t->val->key(in->p->pg_pitr, key);
	const char *s = scalar_text(in->t, v);

	return *s ? s : NULL;
}

/* time, name, xid, lsn: what is given says what is meant; else immediate or default */
static const char *kind_of(const struct inst *in)
{
	static const char *const kinds[] = {"time", "name", "xid", "lsn"};
	const char *type = word_of(in, "type");

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (word_of(in, kinds[i]))
			return kinds[i];
	return type ? type : "default";
}

static const char *point_of(const struct inst *in)
{
	const char *kind = kind_of(in), *target = word_of(in, kind);

	return target			      ? pig_fmt(in->t, "%s %s", kind, target)
	       : strcmp(kind, "default") == 0 ? "the end of the archived WAL"
					      : "the end of the backup";
}

/* ---- what each member has ---- */

/* Does this member's repository reach back to before the point? *first: when its earliest backup ended. */
static bool fits(const struct inst *in, const pig_value *backups, int64_t epoch, int64_t *first)
{
	pig_task *t = in->t;
	const char *set = word_of(in, "set");
	bool any = false;

	for (size_t i = 0; i < t->val->len(backups); i++) {
		const pig_value *b = t->val->at(backups, i);
		int64_t stop = t->val->num(t->val->key(t->val->key(b, "timestamp"), "stop"), 0);

		if (!*first || stop < *first)
			*first = stop;
		if (set && strcmp(set, "latest"))
			any |= !strcmp(set, t->val->str(t->val->key(b, "label"), ""));
		else
			any |= !epoch || stop <= epoch;
	}
	return any;
}

static bool is_asked(const struct inst *in)
{
	pig_task *t = in->t;

	if (t->val->type(in->p->pg_pitr) == PIG_MAP)
		return true;
	t->host->fail(t, "pg_pitr is not set: to which point is %s to go back?", in->p->pg_cluster);
	t->host->hint(t, "Such as -e '{\"pg_pitr\": {\"time\": \"2030-12-31 14:00:00+00\"}}'.");
	return false;
}

void pgsql_pitr_look(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *time = word_of(&in, "time"), *body, *out;
	pig_value *m = t->host->map(t);
	const pig_op *rest, *repo, *more;
	const pig_value *patroni = NULL, *info = NULL;
	int64_t tli, epoch, first = 0;
	char *end;

	if (!is_asked(&in))
		return;
	rest = pig_shell(t, .note = "ask Patroni", .reads = true, .cmd = inst_rest(&in, in.addr, "/patroni"));
	repo = backup_ask(&in);
	more = pig_shell(t, .note = "timeline, and when that is", .as = in.p->pg_dbsu, .reads = true,
			 .cmd = pig_fmt(t,
					"x=$(%s -D %s 2>/dev/null | sed -n \"s/^Latest checkpoint's TimeLineID: "
					"*//p\"); echo \"${x:-0} $(%s)\"",
					pig_sh(t, "%s", pig_fmt(t, "%s/pg_controldata", in.bin)),
					pig_sh(t, "%s", in.data),
					time ? pig_sh(t, "date -d %s +%%s 2>/dev/null || echo bad", time) : "echo 0"));
	if (!pig_await(t))
		return;
	out = t->host->output(t, more, NULL);
	out = out ? out : "";
	tli = strtoll(out, &end, 10);
	epoch = strtoll(end, &end, 10);
	if (time && strstr(out, "bad")) {
		t->host->fail_at(t, t->val->key(in.p->pg_pitr, "time"), "\"%s\" is no time", time);
		t->host->hint(t, "Such as \"2030-12-31 14:00:00+00\".");
		return;
	}
	body = http_body(t->host->output(t, rest, NULL));
	patroni = body ? t->host->json(t, body) : NULL;
	body = t->host->output(t, repo, NULL);
	if (body && *body == '[')
		info = t->val->key(t->val->at(t->host->json(t, pig_fmt(t, "%.*s", (int)strcspn(body, "\n"), body)), 0),
				   "backup");
	if (t->val->num(t->val->key(patroni, "timeline"), 0) > tli)
		tli = t->val->num(t->val->key(patroni, "timeline"), 0);
	t->host->put(t, m, "leads", t->host->boolean(t, role_leads(t->val->str(t->val->key(patroni, "role"), ""))));
	t->host->put(t, m, "timeline", t->host->number(t, tli));
	t->host->put(t, m, "fits", t->host->boolean(t, fits(&in, info, epoch, &first)));
	t->host->put(t, m, "first", t->host->number(t, first));
	t->host->publish(t, seen, m);
}

/* ---- the plan: where to restore ---- */

struct choice {
	const char *host, *leader; /* leader NULL: nobody leads */
	int64_t timeline, first;   /* the latest one; the earliest backup of all */
};

static bool choose(const struct inst *in, struct choice *c)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const pig_value *all = t->host->members(t, t->cluster);

	*c = (struct choice){0};
	for (size_t i = 0; i < v->len(all); i++) {
		const char *host = v->str(v->at(all, i), "");
		const pig_value *m;
		int64_t n;

		if (!t->host->in_run(t, host)) {
			if (t->host->reach(t, host)) {
				t->host->fail(t, "%s is a member of %s and not among the hosts of this run", host,
					      in->p->pg_cluster);
				t->host->hint(t, "A cluster goes back as a whole: -l %s.", in->p->pg_cluster);
				return false;
			}
			continue; /* it is down, and is rewound when it is back */
		}
		m = t->host->of(t, host, seen);
		n = v->num(v->key(m, "timeline"), 0);
		c->timeline = n > c->timeline ? n : c->timeline;
		n = v->num(v->key(m, "first"), 0);
		c->first = n && (!c->first || n < c->first) ? n : c->first;
		if (v->truth(v->key(m, "leads"), false))
			c->leader = host;
		if (!v->truth(v->key(m, "fits"), false))
			continue;
		if (!c->host || v->truth(v->key(m, "leads"), false) ||
		    (!c->leader && !strcmp(v->str(t->host->of(t, host, "pg_role"), ""), "primary")))
			c->host = host;
	}
	return true;
}

/* What was written up to now is to be in the archive, whatever point is chosen; Patroni is to keep its hands off. */
static void quiet(const struct inst *in, const char *leader)
{
	pig_task *m = in->t->host->on(in->t, leader);

	pig_shell(m, .note = "everything written so far is archived", .as = in->p->pg_dbsu,
		  .cmd = pig_fmt(m,
				 "w=$(echo \"select pg_create_restore_point('pig') \\\\g /dev/null\n"
				 "select pg_walfile_name(pg_switch_wal())\" | %s) || exit 1\n"
				 "n=0; until [ \"$(echo \"select last_archived_wal >= '$w' from pg_stat_archiver\" | "
				 "%s)\" = t ]; do\n[ $n -lt 300 ] || { echo \"WAL $w is not archived\" >&2; exit 1; }\n"
				 "n=$((n+1)); sleep 0.2; done",
				 in->psql, in->psql));
	pig_shell(m, .note = "pause Patroni", .in = inst_patch(in, "{\"pause\":true}"),
		  .cmd = pig_fmt(
			  m, "a=$(%s); case $a in 'HTTP/1.'?' 200'*) ;; *) printf '%%s\\n' \"$a\" >&2; exit 1 ;; esac",
			  inst_rest_send(in, pig_sh(m, "%s", inst_addr(in->t, leader)))));
	pig_await(m);
}

void pgsql_pitr_plan(pig_task *t)
{
	struct inst in = inst_of(t);
	pig_value *m = t->host->map(t);
	struct choice c;

	if (!choose(&in, &c))
		return;
	if (!c.host) {
		t->host->fail(t, "no repository of %s holds a backup from before %s", in.p->pg_cluster, point_of(&in));
		if (c.first)
			t->host->hint(t,
				      "The earliest ended at %lld (date -d @%lld); `pgbackrest info` on the hosts "
				      "shows all.",
				      (long long)c.first, (long long)c.first);
		else
			t->host->hint(t, "None holds any backup: `pgbackrest info` on the hosts shows what is wrong.");
		return;
	}
	if (c.leader && strcmp(c.leader, c.host) && backup_is_own(&in))
		t->host->warn(t,
			      "%s leads, but only the repository of %s has such a backup: what was written since %s "
			      "took over may not be in it",
			      inst_name(t, c.leader), inst_name(t, c.host), inst_name(t, c.leader));
	t->host->put(t, m, "host", t->host->text(t, c.host));
	t->host->put(t, m, "timeline", t->host->number(t, c.timeline));
	t->host->publish(t, chosen, m);
	if (c.leader)
		quiet(&in, c.leader);
}

/* What the plan says, read on any member; NULL: not made. */
static const pig_value *plan(pig_task *t)
{
	const pig_value *all = t->host->members(t, t->cluster);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");
		const pig_value *m = t->host->in_run(t, host) ? t->host->of(t, host, chosen) : NULL;

		if (t->val->type(m) == PIG_MAP)
			return m;
	}
	return NULL;
}

static bool is_target(pig_task *t)
{
	return !strcmp(t->val->str(t->val->key(plan(t), "host"), ""), t->hostname);
}

/* ---- down, back, up ---- */

void pgsql_stop_server(const struct inst *in)
{
	pig_task *t = in->t;
	const char *ctl = pig_fmt(t, "%s/pg_ctl", in->bin);

	pig_ensure(t, .note = "the server is stopped", .as = in->p->pg_dbsu, .want = "stopped",
		   .probe = pig_sh(t, "[ -s %s/postmaster.pid ] && %s status -D %s >/dev/null 2>&1 || echo stopped",
				   in->data, ctl, in->data),
		   .apply = pig_sh(t, "%s stop -s -w -t 120 -m fast -D %s || %s stop -s -w -t 60 -m immediate -D %s",
				   ctl, in->data, ctl, in->data));
}

void pgsql_pitr_stop(pig_task *t)
{
	struct inst in = inst_of(t);

	pig_unit(t, .name = "patroni", .state = PIG_STOPPED, .flags = PIG_NOW);
	pgsql_stop_server(&in);
}

static void each(const struct inst *in, struct str *b, const char *key, const char *option)
{
	pig_task *t = in->t;
	const pig_value *list = t->val->key(in->p->pg_pitr, key);

	for (size_t i = 0; i < t->val->len(list); i++)
		str_add(b, " %s",
			pig_sh(t, "%s",
			       t->val->type(list) == PIG_MAP
				       ? pig_fmt(t, "--%s=%s=%s", option, t->val->key_at(list, i),
						 scalar_text(t, t->val->at(list, i)))
				       : pig_fmt(t, "--%s=%s", option, t->val->str(t->val->at(list, i), ""))));
}

static bool stays(const struct inst *in) /* at the point, for people to look */
{
	const char *action = word_of(in, "action");

	return action && strcmp(action, "promote");
}

static const char *restore_words(const struct inst *in)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *kind = kind_of(in), *target = word_of(in, kind), *set = word_of(in, "set");
	const char *timeline = word_of(in, "timeline"), *process = word_of(in, "process"), *action;
	struct str b = str_new(t);

	action = word_of(in, "action");
	str_add(&b, "--stanza=%s --delta --log-level-console=warn --type=%s", pig_sh(t, "%s", in->p->pg_cluster), kind);
	if (target)
		str_add(&b, " --target=%s", pig_sh(t, "%s", target));
	if (strcmp(kind, "default"))
		str_add(&b, " --target-action=%s", action ? action : "promote");
	if (set)
		str_add(&b, " --set=%s", pig_sh(t, "%s", set));
	if (timeline)
		str_add(&b, " --target-timeline=%s", pig_sh(t, "%s", timeline));
	if (process)
		str_add(&b, " --process-max=%s", pig_sh(t, "%s", process));
	if (v->truth(v->key(in->p->pg_pitr, "exclusive"), false))
		str_add(&b, " --target-exclusive");
	if (!v->truth(v->key(in->p->pg_pitr, "archive"), true))
		str_add(&b, " --archive-mode=off");
	each(in, &b, "db_include", "db-include");
	each(in, &b, "db_exclude", "db-exclude");
	each(in, &b, "link_map", "link-map");
	return b.s;
}

/* $D data, $B binaries. Nobody but this script reaches the server: its socket is in a folder of its own. */
static const char back[] =
	"ulimit -n $(ulimit -Hn); L=/pg/tmp/recovery.log; : >\"$L\"\n"
	"rm -rf /pg/spool/archive; rm -f \"$D/patroni.dynamic.json\"\n"
	"if ! \"$B/pg_ctl\" start -s -w -t 86400 -D \"$D\" -l \"$L\" -o \"-c hot_standby=$H -c logging_collector=off "
	"-c log_destination=stderr -c listen_addresses='' -c unix_socket_directories=/pg/tmp\"; then\n"
	"grep -E 'FATAL|ERROR|PANIC' \"$L\" | tail -n 5 >&2; exit 1; fi\n";
static const char finish[] = "q() { \"$B/psql\" -XAtqw -h /pg/tmp -d postgres -c \"$1\"; }\n"
			     "n=0; until [ \"$(q 'select pg_is_in_recovery()')\" = f ]; do [ $n -lt 600 ] || exit 1; "
			     "n=$((n+1)); sleep 0.1; done\n"
			     "q checkpoint && \"$B/pg_ctl\" stop -s -w -t 600 -m fast -D \"$D\" || exit\n"
			     "sed -i -e '/^# Recovery settings generated by pgBackRest/d' -e "
			     "'/^\\(restore_command\\|recovery_target[a-z_]*\\|"
			     "archive_mode\\) *=/d' \"$D/postgresql.auto.conf\"\n"
			     "\"$B/pg_controldata\" -D \"$D\" | sed -n \"s/^Latest checkpoint's TimeLineID: *//p\"\n";

void pgsql_pitr_restore(pig_task *t)
{
	struct inst in = inst_of(t);
	bool aside = t->val->truth(t->val->key(in.p->pg_pitr, "backup"), false);
	const pig_op *op;
	const char *out;

	if (!is_target(t))
		return;
	op = pig_shell(
		t, .note = pig_fmt(t, "restore %s to %s", in.name, point_of(&in)), .as = in.p->pg_dbsu,
		.cmd = pig_fmt(
			t, "%s%smkdir -p -m 700 \"$D\"; pgbackrest %s restore || exit\n%s%s",
			pig_sh(t, "D=%s B=%s H=%s\n", in.data, in.bin, stays(&in) ? "on" : "off"),
			aside ? "[ ! -e \"$D-backup\" ] || { echo \"$D-backup is there already\" >&2; exit 1; }\n"
				"[ ! -e \"$D\" ] || mv \"$D\" \"$D-backup\" || exit\n"
			      : "",
			restore_words(&in), back, stays(&in) ? "echo 0\n" : finish));
	if (!pig_await(t)) {
		t->host->hint(t, "The other members' data is as it was. /pg/tmp/recovery.log on the host says more.");
		return;
	}
	out = t->host->output(t, op, NULL); /* none in check mode */
	t->host->publish(t, "pitr_timeline", t->host->number(t, out ? strtoll(out, NULL, 10) : 0));
	if (stays(&in))
		t->host->warn(t,
			      "%s is at %s, read-only and out of reach: psql -h /pg/tmp shows it; run pgsql-pitr.yml "
			      "again with action: promote to go on",
			      in.name, point_of(&in));
}

/* Patroni answers a second or two after its start, and knows its configuration when it has reached etcd. */
static void resume(const struct inst *in)
{
	pig_task *t = in->t;

	pig_shell(t, .note = "Patroni goes on", .in = inst_patch(in, "{\"pause\":null}"),
		  .cmd = pig_fmt(
			  t,
			  "r=$(cat); n=0; while :; do a=$(printf '%%s' \"$r\" | %s); case $a in 'HTTP/1.'?' 200'*) "
			  "exit 0 ;; esac\n[ $n -lt 120 ] || { printf '%%s\\n' \"$a\" >&2; exit 1; }; "
			  "n=$((n+1)); sleep 0.5; done",
			  inst_rest_send(in, pig_sh(t, "%s", in->addr))));
}

void pgsql_pitr_up(pig_task *t)
{
	/* what speaks of a time that is no more; the configuration and the system's number stay */
	static const char *const gone[] = {"leader",   "status", "optime/leader", "history",
					   "failover", "sync",	 "failsafe",	  NULL};
	struct inst in = inst_of(t);

	if (!is_target(t) || stays(&in))
		return;
	etcd_forget(&in, gone);
	pgsql_patroni(&in, PIG_NOW);
	resume(&in);
	pgsql_ready(t);
}

void pgsql_pitr_follow(pig_task *t)
{
	struct inst in = inst_of(t);
	const pig_value *p = plan(t);
	const char *host = t->val->str(t->val->key(p, "host"), "");
	int64_t now;

	if (is_target(t) || stays(&in) || !*host)
		return;
	now = t->val->num(t->host->of(t, host, "pitr_timeline"), 0);
	if (now <= t->val->num(t->val->key(p, "timeline"), 0) && !t->check)
		pig_shell(t, .note = "its data cannot be rewound: copied anew", .as = in.p->pg_dbsu,
			  .cmd = pig_sh(t, "[ ! -d %s ] || find %s/ -mindepth 1 -delete", in.data, in.data));
	pgsql_patroni(&in, PIG_NOW);
	pgsql_ready(t);
}
