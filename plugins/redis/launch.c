/*
 * Instances run: new ones start side by side, restarts that are due go one at a time. Whom an instance follows is the
 * live cluster's to say: the inventory's word counts when it is first heard and when it changes, and is kept beside
 * the data, so that a failover is never turned back.
 */
#include "module.h"

#include <stdlib.h>

static const char *watch_of(pig_task *t, const struct inst *in)
{
	/* a sentinel takes nothing while it runs and loses nothing by a restart */
	return is_mode(t, "sentinel") ? pig_fmt(t, "%s %s %s", in->unit_file, in->conf, in->auth) : in->unit_file;
}

/*
 * Another program on an instance's port is named, not run into: Redis says so in its own log alone, and systemd would
 * try for ever. What an instance's unit holds itself, also while it starts, is its own. `ss` says: State Recv-Q Send-Q
 * Local Peer users:(("name",pid=1,fd=3)).
 */
static const char *taken(pig_task *t, const struct inst *list, size_t n)
{
	const char *looks = "";

	for (size_t i = 0; i < n; i++)
		looks = pig_fmt(t, "%slook %" PRId64 " %s\n", looks, list[i].port, pig_sh(t, "%s", list[i].unit));
	const pig_op *op =
		pig_shell(t, .note = "who else has the instances' ports", .reads = true,
			  .cmd = pig_fmt(t,
					 "look() {\nsystemctl -q is-active \"$2\" || ss -Hltnp \"sport = :$1\" | "
					 "while read -r a b c at e who; do\n"
					 "p=${who#*pid=}; grep -qs \"/$2\\$\" \"/proc/${p%%%%,*}/cgroup\" || "
					 "echo \"$1 ${at%%:*} $who\"; done\n}\n%s:",
					 looks));

	return pig_await(t) ? t->host->output(t, op, NULL) : NULL;
}

/* Do sockets of one port at these addresses get in each other's way? */
static bool same_place(const char *at, size_t n, const char *bind)
{
	static const char *const any[] = {"*", "0.0.0.0", "[::]"};

	for (size_t i = 0; i < sizeof any / sizeof *any; i++)
		if (strlen(any[i]) == n && !strncmp(at, any[i], n))
			return true;
	if (!strcmp(bind, "0.0.0.0") || !strcmp(bind, "::"))
		return true;
	if (n > 1 && *at == '[')
		at++, n -= 2;
	return strlen(bind) == n && !strncmp(at, bind, n);
}

#define FREE "redis_ports_free"

bool redis_ports_free(pig_task *t, const struct inst *list, size_t n)
{
	const struct redis *p = t->params;
	const char *line;

	if (!n || t->val->truth(t->host->of(t, t->hostname, FREE), false))
		return true;
	const char *out = taken(t, list, n);

	for (size_t i = 0; out && (line = line_at(t, out, i)); i++) {
		char *at;
		int64_t port = strtoll(line, &at, 10);
		at += *at == ' ';
		const char *quote = strchr(at, '"');
		if (!same_place(at, strcspn(at, " "), redis_bind(t)))
			continue;
		t->host->fail_at(t, t->val->key(p->redis_instances, pig_fmt(t, "%" PRId64, port)),
				 "port %" PRId64 " of %s is taken by %s%.*s", port, inst_of(t, port).name,
				 quote ? "the program " : "another program", quote ? (int)strcspn(quote + 1, "\"") : 0,
				 quote ? quote + 1 : "");
		t->host->hint(t, "End it, or give the instance another port in redis_instances.");
		return false;
	}
	if (out)
		t->host->publish(t, FREE, t->host->boolean(t, true));
	return out;
}

void task_redis_start(pig_task *t)
{
	struct inst *list;
	size_t n = insts_of(t, &list);

	if (!redis_ports_free(t, list, n))
		return;
	for (size_t i = 0; i < n; i++)
		pig_unit(t, .name = list[i].unit, .state = PIG_STARTED, .enable = 1, .watch = watch_of(t, &list[i]),
			 .on_change = PIG_NOTHING);
}

/*
 * A role that was changed by hand and never written would be lost by a restart. In a native cluster the next instance
 * waits until all slots are served again: an election takes at most a few node timeouts of 15 s.
 */
void task_redis_launch(pig_task *t)
{
	struct inst *list;
	size_t n = insts_of(t, &list);

	for (size_t i = 0; i < n; i++) {
		const struct inst *in = &list[i];
		if (is_mode(t, "standalone"))
			pig_ensure(
				t, .note = pig_fmt(t, "%s keeps its live role", in->name), .want = "same",
				.probe = pig_fmt(
					t,
					"%slive=$(printf 'CONFIG GET replicaof\\n' | cli) || { echo same; exit 0; }\n"
					"case $live in replicaof*) ;; *) echo same; exit 0 ;; esac\n"
					"[ \"${live#replicaof}\" = \"$(sed -n 's/^\\(replicaof\\|slaveof\\) /\\n/p' "
					"%s)\" ] && "
					"echo same || echo \"${live#*replicaof?}\"",
					redis_cli(t, in), pig_sh(t, "%s", in->state)),
				.apply = pig_fmt(t, "%sgood cli CONFIG REWRITE", redis_cli(t, in)));
		const pig_op *unit = pig_unit(t, .name = in->unit, .state = PIG_STARTED, .enable = 1,
					      .watch = watch_of(t, in), .on_change = PIG_RESTART, .flags = PIG_NOW);
		if (is_mode(t, "cluster"))
			pig_ensure(t, .note = pig_fmt(t, "the cluster is whole behind %s", in->name), .want = "yes",
				   .after = (const pig_op *const[]){unit, NULL},
				   .probe = pig_fmt(t,
						    "%scase $(cli CLUSTER INFO) in *cluster_state:ok*|"
						    "*cluster_slots_assigned:0*) echo yes ;; *) echo no ;; esac",
						    redis_cli(t, in)),
				   .apply = pig_fmt(t,
						    "%sn=0; until case $(cli CLUSTER INFO) in *cluster_state:ok*) ;; "
						    "*) false ;; esac; do\n"
						    "n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.2; done",
						    redis_cli(t, in)));
	}
}

/*
 * Follow whoever leads where the inventory points. An instance that leads and holds data is not made a follower: what
 * it holds would be lost. Where nobody answers, the address itself is followed: Redis tries for ever.
 */
static const char *follow(pig_task *t, const struct inst *in, const char *record)
{
	const struct redis *p = t->params;
	size_t k = strcspn(in->replica_of, " ");
	const char *ip = pig_fmt(t, "%.*s", (int)k, in->replica_of),
		   *port = in->replica_of + k + strspn(in->replica_of + k, " ");
	const char *self = pig_fmt(t, "%s %" PRId64, redis_address(t, t->hostname), in->port);
	const char *vars = pig_sh(t, "h=%s p=%s self=%s rec=%s want=%s\n", ip, port, self, record, in->replica_of);

	return pig_fmt(
		t,
		"%s%s"
		"of() { printf '%%s\\n' \"$o\" | tr -d '\\r' | sed -n \"s/^$1://p\"; }\n"
		"o=$(timeout 5 %s-cli -h \"$h\" -p \"$p\" INFO replication 2>/dev/null)\n"
		"[ \"$(of role)\" != slave ] || { h=$(of master_host) p=$(of master_port); }\n"
		"if [ \"$h $p\" != \"$self\" ]; then\n"
		"o=$(cli INFO replication)\n"
		"if [ \"$(of role)\" = master ]; then case $(cli DBSIZE) in 0) ;;\n"
		"*) echo \"it leads and holds $(cli DBSIZE) keys, which would be lost by following $h $p: remove it by "
		"redis-rm, or empty it, first\" >&2; exit 1 ;; esac; fi\n"
		"[ \"$(of master_host) $(of master_port)\" = \"$h $p\" ] || good cli REPLICAOF \"$h\" \"$p\" || exit\n"
		"good cli CONFIG REWRITE || exit\nfi\necho \"$want\" >\"$rec\"",
		vars, redis_cli(t, in), p->redis_type);
}

void task_redis_role(pig_task *t)
{
	struct inst *list;
	size_t n = insts_of(t, &list);

	for (size_t i = 0; i < n; i++) {
		const struct inst *in = &list[i];
		const char *record = pig_fmt(t, "%s/replica_of", in->dir),
			   *want = in->replica_of ? in->replica_of : "none";
		pig_ensure(t, .note = pig_fmt(t, "whom %s follows by the inventory", in->name), .want = want,
			   .probe = pig_sh(t, "cat %s 2>/dev/null || echo none", record),
			   .apply = in->replica_of
					    ? follow(t, in, record)
					    : pig_fmt(t, "%sgood cli REPLICAOF NO ONE && good cli CONFIG REWRITE && %s",
						      redis_cli(t, in), pig_sh(t, "echo none >%s", record)));
	}
}

/* Gate of restarts: may an instance of a native cluster be missed for a moment? */
void redis_sound(pig_task *t)
{
	struct inst *list;
	size_t n = insts_of(t, &list);

	if (!n || !is_mode(t, "cluster"))
		return;
	const pig_op *op = pig_shell(t, .note = "state of the native cluster", .reads = true,
				     .cmd = pig_fmt(t, "%scli CLUSTER INFO", redis_cli(t, &list[0])));
	if (!pig_await(t))
		return;
	const char *said = t->host->output(t, op, NULL);
	if (said && strstr(said, "cluster_state:fail") && !strstr(said, "cluster_slots_assigned:0"))
		t->host->fail(t, "native cluster \"%s\" does not serve all its slots: no instance of it is restarted",
			      t->cluster);
}
