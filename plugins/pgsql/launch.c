/*
 * Bootstrap and join. What is, leads: a running Patroni is left to itself; a member that does not run joins the cluster
 * that the DCS knows; a cluster is made only where neither the DCS nor any member knows of one, by the inventory's
 * primary. Everything else is refused with what was found and the way out.
 */
#include "pgsql.h"
#include "../etcd/etcd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	bool active;	/* Patroni runs here */
	bool data;	/* this host holds data */
	bool reached;	/* etcd answered */
	const char *taken; /* the port and who has it, of a port that another program has; or NULL */
	const char *at; /* address of the etcd member that does not know the cluster's user by this password, or NULL */
	bool initialized, led;
	bool made; /* the inventory's primary has just seen to the cluster in this run */
};

/*
 * A request to etcd's JSON gateway over openssl, as hosts have no better client: call <path> <header> <body>. Nothing
 * secret gets into an argument: printf is the shell's own. $e: endpoint; $ca $crt $key: files.
 */
static const char call[] =
	"LC_ALL=C\ncall() { printf 'POST %s HTTP/1.0\\r\\nHost: etcd\\r\\n%bContent-Type: application/json\\r\\n"
	"Content-Length: %s\\r\\n\\r\\n%s' \"$1\" \"$2\" ${#3} \"$3\" | timeout 5 openssl s_client -quiet "
	"-verify_return_error -CAfile \"$ca\" -cert \"$crt\" -key \"$key\" -connect \"$e\" 2>/dev/null; }\n"
	"login() { h=$(call /v3/auth/authenticate '' \"$1\"); case $h in\n"
	"*'\"token\":\"'*) h=${h#*'\"token\":\"'}; h=\"Authorization: ${h%%'\"'*}\\r\\n\" ;;\n"
	"*'not enabled'*) h= ;; HTTP/1*) return 1 ;; *) return 2 ;; esac; }\n";

/* One login and one look at the cluster's keys. $E: endpoints, tried in turn; stdin: the login, then the request. */
static const char look[] =
	"ca=/pg/cert/ca.crt crt=/pg/cert/server.crt key=/pg/cert/server.key; read -r login; read -r range\n"
	"for e in $E; do login \"$login\"; r=$?; [ $r != 1 ] || { echo \"denied $e\"; exit 0; }; [ $r = 0 ] || "
	"continue\n"
	"a=$(call /v3/kv/range \"$h\" \"$range\"); case $a in *' 200 '*) echo reached; echo \"${a#*{}\"; exit 0 ;;\n"
	"HTTP/1*) echo \"denied $e\"; exit 0 ;; esac; done\n";

/* Does a clock that is off make certificates bad here, own ones or etcd's? Says so with the date, or nothing. $E: endpoints. */
static const char clock_bad[] =
	"c=$(openssl verify -CAfile /pg/cert/ca.crt /pg/cert/server.crt 2>&1; for e in $E; do timeout 5 openssl s_client "
	"-CAfile /pg/cert/ca.crt -connect \"$e\" </dev/null 2>&1; done)\n"
	"case $c in *'is not yet valid'*) c='not valid yet' ;; *'has expired'*) c=expired ;; *) exit 0 ;; esac\n"
	"echo \"$c by $(date -u '+%F %T') UTC\"\n";

/* As root on a member: one login, then the requests of stdin, path and body in a line each. */
static const char make[] =
	"ca=$ETCDCTL_CACERT crt=$ETCDCTL_CERT key=$ETCDCTL_KEY; read -r login\n"
	"e=${ETCDCTL_ENDPOINTS#*://}\n"
	"login \"$login\" || { echo 'etcd does not take etcd_root_password' >&2; exit 1; }; old=\n"
	"while read -r path body; do case \"$path $old\" in */changepw' '*/user/add) ;; */changepw*) continue ;; esac\n"
	"a=$(call \"$path\" \"$h\" \"$body\"); case $a in *' 200 '*) ;; *'already exists'*) old=$path ;;\n"
	"*) echo \"$path: ${a##*\"error\"}\" >&2; exit 1 ;; esac; done; echo reached; echo \"${a#*{}\"\n";

static const struct etcd_client *etcd_of(pig_task *t)
{
	const struct etcd_client *etcd = t->host->iface(t, ETCD_CLIENT);

	if (!etcd)
		t->host->fail(t, "module etcd is not there: Patroni keeps the cluster's state in etcd");
	return etcd;
}

static const char *endpoints(pig_task *t)
{
	const struct etcd_client *etcd = etcd_of(t);
	struct str b = str_new(t);

	for (const char *p = etcd ? etcd->endpoints(t) : ""; *p;) {
		size_t n = strcspn(p, ",");
		const char *at = strstr(p, "://");
		size_t skip = at && at < p + n ? (size_t)(at - p) + 3 : 0;

		str_add(&b, "%s%.*s", b.n ? " " : "", (int)(n - skip), p + skip);
		p += n + (p[n] == ',');
	}
	return b.s;
}

static const char *key(const struct inst *in, const char *name)
{
	return base64(in->t, pig_fmt(in->t, "%s/%s/%s", in->p->pg_namespace, in->p->pg_cluster, name));
}

/* The cluster's keys are those from <ns>/<cluster>/ up to, without, <ns>/<cluster>0: "0" follows "/". */
static const char *last_key(const struct inst *in)
{
	return base64(in->t, pig_fmt(in->t, "%s/%s0", in->p->pg_namespace, in->p->pg_cluster));
}

static const char *all_keys(const struct inst *in)
{
	return pig_fmt(in->t, "{\"key\":\"%s\",\"range_end\":\"%s\",\"keys_only\":true}", key(in, ""), last_key(in));
}

static void read_answer(const struct inst *in, struct seen *s, const char *out)
{
	pig_task *t = in->t;

	s->at = strstr(out, "denied ");
	s->at = s->at ? pig_fmt(t, "%.*s", (int)strcspn(s->at + 7, ":\n"), s->at + 7) : NULL;
	s->reached = strstr(out, "reached") != NULL;
	s->initialized = strstr(out, pig_fmt(t, "\"%s\"", key(in, "initialize"))) != NULL;
	s->led = strstr(out, pig_fmt(t, "\"%s\"", key(in, "leader"))) != NULL;
}

/* Who listens where the server or Patroni would: a server of PostgreSQL's may run on without Patroni. `ss` says: State Recv-Q Send-Q
 * Local Peer users:(("name",pid=1,fd=3)). */
static const char who_has[] =
	"ss -Hltnp '( sport = :%" PRId64 " or sport = :%" PRId64 " )' 2>/dev/null | grep -v '\"postgres\"' | "
	"while read -r a b c at e who; do echo \"taken ${at##*:} $who\"; done";

static bool port_is_free(const struct inst *in, const struct seen *s)
{
	pig_task *t = in->t;
	const char *quote = s->taken ? strchr(s->taken, '"') : NULL;
	int64_t port = s->taken ? strtoll(s->taken, NULL, 10) : 0;

	if (!s->taken)
		return true;
	quote = quote && quote < s->taken + strcspn(s->taken, "\n") ? quote : NULL;
	t->host->fail(t, "port %" PRId64 " (%s) is taken by %s%.*s", port,
		      port == in->p->pg_port ? "pg_port" : "patroni_port", quote ? "the program " : "another program",
		      quote ? (int)strcspn(quote + 1, "\"") : 0, quote ? quote + 1 : "");
	t->host->hint(t, "End it, or choose another port.");
	return false;
}

static bool look_around(const struct inst *in, struct seen *s)
{
	pig_task *t = in->t;
	const char *ask = pig_fmt(t, "{\"name\":%s,\"password\":%s}\n%s\n", json_text(t, in->etcd_user),
				  json_text(t, in->etcd_password), all_keys(in));
	const char *out;
	const pig_op *op;

	op = pig_shell(t, .note = "what is there: Patroni, data, the cluster in etcd", .reads = true,
		       .in = t->host->secret(t, ask),
		       .cmd = pig_fmt(t, "systemctl -q is-active patroni && { echo active; exit 0; }\n%s\n%s\nE=%s\n%s%s",
				      pig_sh(t, "[ ! -s %s/PG_VERSION ] || echo data", in->data),
				      pig_fmt(t, who_has, in->p->pg_port, in->p->patroni_port),
				      pig_sh(t, "%s", s->made ? "" : endpoints(t)), call, look));
	if (!pig_await(t))
		return false;
	out = t->host->output(t, op, NULL);
	out = out ? out : "";
	s->active = !strncmp(out, "active", 6);
	s->data = !strncmp(out, "data", 4);
	s->taken = strstr(out, "taken ");
	s->taken = s->taken ? s->taken + 6 : NULL;
	if (s->made)
		s->reached = s->initialized = s->led = true;
	else
		read_answer(in, s, out);
	return true;
}

/* The requests that make a user and a role of the cluster's name, which may touch the cluster's keys and no others. */
static const char *requests(const struct inst *in)
{
	pig_task *t = in->t;
	const char *user = json_text(t, in->etcd_user), *password = json_text(t, in->etcd_password);
	const char *root = t->val->str(t->host->get(t, "etcd_root_password"), "");

	return t->host->secret(t, pig_fmt(t,
					  "{\"name\":\"root\",\"password\":%s}\n"
					  "/v3/auth/role/add {\"name\":%s}\n"
					  "/v3/auth/user/add {\"name\":%s,\"password\":%s}\n"
					  "/v3/auth/user/changepw {\"name\":%s,\"password\":%s}\n"
					  "/v3/auth/role/grant {\"name\":%s,\"perm\":{\"permType\":\"READWRITE\","
					  "\"key\":\"%s\",\"range_end\":\"%s\"}}\n"
					  "/v3/auth/user/grant {\"user\":%s,\"role\":%s}\n"
					  "/v3/kv/range %s\n",
					  json_text(t, root), user, user, password, user, password, user, key(in, ""),
					  last_key(in), user, user, all_keys(in)));
}

/* Deletes what the lines of stdin name, as the user whose login is the first. */
static const char forget[] =
	"ca=/pg/cert/ca.crt crt=/pg/cert/server.crt key=/pg/cert/server.key; read -r login\n"
	"for e in $E; do login \"$login\" || continue\n"
	"while read -r b; do a=$(call /v3/kv/deleterange \"$h\" \"$b\"); case $a in *' 200 '*) ;; *) printf '%s\\n' "
	"\"$a\" >&2; exit 1 ;; esac; done; exit 0; done\necho 'etcd does not answer' >&2; exit 1\n";

void etcd_forget(const struct inst *in, const char *const *names)
{
	pig_task *t = in->t;
	struct str b = str_new(t);

	str_add(&b, "{\"name\":%s,\"password\":%s}\n", json_text(t, in->etcd_user), json_text(t, in->etcd_password));
	for (; *names; names++)
		str_add(&b, "{\"key\":\"%s\"}\n", key(in, *names));
	pig_shell(t, .note = "etcd forgets who led", .in = t->host->secret(t, b.s),
		  .cmd = pig_fmt(t, "E=%s\n%s%s", pig_sh(t, "%s", endpoints(t)), call, forget));
}

/* The etcd member that did not know the user, or another one that can be reached; NULL: none. */
static const char *etcd_host(const struct inst *in, const struct etcd_client *etcd, const char *at)
{
	pig_task *t = in->t;
	const pig_value *hosts = etcd->members(t);
	const char *other = NULL;

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = t->val->str(t->val->at(hosts, i), "");
		bool asked = !strcmp(inst_addr(t, host), at);

		if ((!asked && other) || !t->host->reach(t, host))
			continue;
		if (asked)
			return host;
		other = host;
	}
	return other;
}

/* Done on a member of etcd: root's password never comes to a database node. */
static bool etcd_user(const struct inst *in, struct seen *s)
{
	pig_task *t = in->t, *m;
	const struct etcd_client *etcd = etcd_of(t);
	const char *host = etcd ? etcd_host(in, etcd, s->at) : NULL;
	const pig_op *op;

	if (!host) {
		t->host->fail(t, "no host of etcd can be reached to make user %s there", in->etcd_user);
		return false;
	}
	m = t->host->on(t, host);
	op = pig_shell(m, .note = pig_fmt(t, "etcd user and role %s", in->etcd_user), .in = requests(in),
		       .cmd = pig_fmt(t, "%s%s%s", etcd->env(m), call, make));
	if (!pig_await(m))
		return false;
	read_answer(in, s, t->host->output(m, op, NULL));
	s->reached = true;
	return true;
}

/* Does the other member hold data? false: the task has failed, it cannot be asked. One that is at work would answer
 * late, and has told when its own steps began. */
static bool holds(const struct inst *in, const char *host, bool *data)
{
	pig_task *t = in->t, *m;
	const pig_value *told = t->host->in_run(t, host) ? t->host->of(t, host, "pg_holds") : NULL;
	const char *dir, *out;
	const pig_op *op;

	if (told) {
		*data = t->val->truth(told, true);
		return true;
	}
	if (!t->host->reach(t, host)) {
		t->host->fail(t, "%s (%s) cannot be reached, and may hold data of cluster %s", inst_name(t, host), host,
			      in->p->pg_cluster);
		t->host->hint(t, "Bring it up, or take it out of the inventory until the cluster is there.");
		return false;
	}
	dir = t->val->str(t->host->of(t, host, "pg_data"), in->data);
	m = t->host->on(t, host);
	op = pig_shell(m, .note = "does the member hold data", .reads = true,
		       .cmd = pig_sh(t, "[ ! -s %s/PG_VERSION ] || echo data", dir));
	if (!pig_await(m))
		return false;
	out = t->host->output(m, op, NULL);
	*data = out && !strncmp(out, "data", 4);
	return true;
}

/* Members but this one that hold data, as a text; "" for none; NULL: the task has failed, one cannot be asked. */
static const char *holders(const struct inst *in)
{
	pig_task *t = in->t;
	const pig_value *all = t->host->members(t, t->cluster);
	struct str b = str_new(t);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");
		bool data = false;

		if (!strcmp(host, t->hostname))
			continue;
		if (!holds(in, host, &data))
			return NULL;
		if (data)
			str_add(&b, "%s%s (%s)", b.n ? ", " : "", inst_name(t, host), host);
	}
	return b.s;
}

/* Is another member's Patroni making the cluster, or has just made it? It may have begun after its host told what it holds:
 * one that is enabled founds the cluster as soon as it reaches etcd and finds none. False: none is, or the task has failed. */
static bool is_being_made(const struct inst *in)
{
	pig_task *t = in->t;
	const pig_value *all = t->host->members(t, t->cluster);
	struct str b = str_new(t);
	const char *out;
	const pig_op *op;

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		if (strcmp(host, t->hostname))
			str_add(&b, "%s\n", inst_rest(in, inst_addr(t, host), "/patroni"));
	}
	op = pig_shell(t, .note = "does another member make the cluster", .reads = true, .cmd = pig_fmt(t, "%s:", b.s));
	if (!pig_await(t))
		return false;
	out = t->host->output(t, op, NULL);
	return out && (strstr(out, "\"initializing new cluster\"") || strstr(out, "custom bootstrap") ||
		       strstr(out, "\"role\": \"master\"") || strstr(out, "\"role\": \"primary\""));
}

/* TLS with etcd comes before all that Patroni does, and it says no more than that it waits. False: the task has failed. */
static bool clock_fits(const struct inst *in)
{
	pig_task *t = in->t;
	const pig_op *op = pig_shell(t, .note = "does the clock fit the certificates", .reads = true,
				     .cmd = pig_fmt(t, "E=%s\n%s", pig_sh(t, "%s", endpoints(t)), clock_bad));
	const char *said, *by;

	if (!pig_await(t))
		return false;
	said = t->host->output(t, op, NULL);
	by = said ? strstr(said, " by ") : NULL;
	if (!by)
		return true;
	t->host->fail(t, "the clock of %s is off: it says %.*s, by which certificates are %.*s, and %s reaches no etcd",
		      t->hostname, (int)strcspn(by + 4, "\n"), by + 4, (int)(by - said), said, in->name);
	t->host->hint(t, "Set it (chronyc makestep, or timedatectl set-time), then run again. If the clock is right, the "
			 "certificates are too old: remove them from /pg/cert or /etc/etcd on that host.");
	return false;
}

/* May Patroni start here? false: the task has failed and says why. */
static bool may_start(const struct inst *in, const struct seen *s)
{
	pig_task *t = in->t;
	const char *cls = in->p->pg_cluster, *primary = inst_primary(t), *others;

	if (!s->reached) {
		if (!clock_fits(in))
			return false;
		t->host->fail(t, "etcd does not answer %s: %s", in->name, endpoints(t));
		t->host->hint(t, "Run etcd.yml, or start etcd on its hosts.");
		return false;
	}
	if (s->led || (s->initialized && s->data))
		return true;
	if (!s->initialized && !s->data && !in->bootstraps) {
		t->host->fail(t, "cluster %s is not there yet, and %s does not make it", cls, in->name);
		t->host->hint(t, "Its primary %s does: run without -l, or with it.", primary ? primary : "(none)");
		return false;
	}
	others = holders(in);
	if (!others)
		return false;
	if (!s->initialized && (s->data || *others)) {
		t->host->fail(t, "etcd knows no cluster %s, but data is held by %s%s%s", cls, s->data ? in->name : "",
			      s->data && *others ? ", " : "", others);
		t->host->hint(t,
			      "If etcd was lost: on the member whose data is to live on, `systemctl start patroni`, "
			      "then run again. "
			      "If the data is of no use: move %s away on those members.",
			      in->data);
		return false;
	}
	if (s->initialized && !in->bootstraps)
		return true; /* being made, or waiting for the member that has the data */
	if (s->initialized && !*others && !is_being_made(in)) {
		t->host->fail(t, "etcd says that cluster %s was made, but no member holds its data", cls);
		t->host->hint(
			t, "Restore it from a backup, or, if it is to be made anew, remove its keys %s/%s/ from etcd.",
			in->p->pg_namespace, cls);
		return false;
	}
	return s->initialized || backup_may_begin(in);
}

/* Replicas may come when the primary's server starts: until then Patroni would find nobody to copy from. */
static void bootstrapping(const struct inst *in)
{
	pig_task *t = in->t;
	const pig_op *state;
	/* initdb's own servers stand there by a negative number */
	const char *up =
		pig_sh(t,
		       "p=; [ ! -s %s/postmaster.pid ] || read -r p <%s/postmaster.pid; if [ \"${p:--1}\" -gt 0 ]; "
		       "then echo up; else s=$(systemctl is-active patroni); [ \"$s\" = active ] || "
		       "echo \"$s\"; fi",
		       in->data, in->data);

	pig_wait(t, .probe = pig_fmt(t, "s=$(%s); [ -z \"$s\" ] || echo over", up), .want = "over", .limit_s = 300,
		 .every_ms = 100, .why = "the server to start");
	state = pig_shell(t, .note = "has the server started", .reads = true, .cmd = up);
	if (pig_await(t) && strcmp(t->host->output(t, state, NULL), "up")) {
		t->host->fail(t, "Patroni ended while it made cluster %s", in->p->pg_cluster);
		t->host->hint(t, "See %s/patroni.log and `journalctl -u patroni` on the host.", in->p->patroni_log_dir);
	}
}

/*
 * A new replica needs its slot at the leader before its copy is done, or it streams five seconds later. The leader
 * makes slots once a loop, and a PATCH that changes nothing wakes it.
 */
static void joining(const struct inst *in)
{
	pig_task *t = in->t;
	pig_shell(t, .note = "let the leader make the slot", .in = inst_patch(in, "{\"pig\":null}"),
		  .cmd = pig_fmt(t,
				 "n=0; until [ -s %s ] || [ $n -ge 300 ]; do sleep 0.1; n=$((n+1)); done\n"
				 "l=$(%s | tr '{' '\\n' | sed -n '/\"role\": *\"[a-z_]*leader\"/s/.*\"host\": "
				 "*\"\\([^\"]*\\)\".*/\\1/p')\n"
				 "[ -z \"$l\" ] || %s >/dev/null; :",
				 pig_sh(t, "%s/PG_VERSION", in->data), inst_rest(in, in->addr, "/cluster"),
				 inst_rest_send(in, "\"$l\"")));
}

/* Behind the edge of the step the primary's word is enough. */
static bool primary_says(const struct inst *in)
{
	pig_task *t = in->t;
	const char *primary = in->bootstraps ? NULL : inst_primary(t);

	return primary && t->host->in_run(t, primary) && t->val->truth(t->host->of(t, primary, "pg_made"), false);
}

void pgsql_launch(pig_task *t)
{
	struct inst in = inst_of(t);
	struct seen s = {.made = primary_says(&in)};

	if (t->val->truth(t->host->of(t, t->hostname, "pg_active"), false))
		return; /* pg_conf has just seen to it */
	if (!look_around(&in, &s))
		return;
	if (s.active || t->check) {
		pgsql_patroni(&in, 0);
		return;
	}
	if (!port_is_free(&in, &s))
		return;
	if ((s.at && !etcd_user(&in, &s)) || !may_start(&in, &s))
		return;
	pgsql_patroni(&in, PIG_NOW);
	t->host->publish(t, "pg_holds", t->host->boolean(t, true));  /* from here on it does, or soon will */
	t->host->publish(t, "pg_joined", t->host->boolean(t, true)); /* for pg_serve, however soon it is ready */
	if (!s.initialized && in.bootstraps) {
		bootstrapping(&in);
		if (pig_await(t))
			t->host->publish(t, "pg_new", t->host->boolean(t, true)); /* for pgbackrest_begin */
	} else if (!s.data) {
		joining(&in);
	}
	if (in.bootstraps && pig_await(t))
		t->host->publish(t, "pg_made", t->host->boolean(t, true));
}

void pgsql_ready(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *rest = inst_rest(&in, in.addr, "/patroni");
	struct live l;

	if (!live_of(&in, &l) || l.settled || !clock_fits(&in))
		return;
	t->host->publish(t, "pg_joined", t->host->boolean(t, true)); /* for pg_serve */
	pig_wait(t, .want = "over", .limit_s = 86400, .every_ms = 200, .why = "the copy of the leader's data",
		 .probe = pig_fmt(t, "case $(%s) in *'\"creating replica\"'*) echo copying ;; *) echo over ;; esac",
				  rest));
	pig_wait(t, .as = in.p->pg_dbsu, .limit_s = 120, .every_ms = 150, .want = "ready",
		 .why = "the server to lead or to follow",
		 .probe = pig_fmt(t,
				  "s=$(%s 2>&1 -c \"select case when pg_is_in_recovery() then "
				  "(select status from pg_stat_wal_receiver) else 'up' end\"); case $s in "
				  "streaming) echo ready ;; up) case $(%s) in *'\"role\": \"master\"'*|"
				  "*'\"role\": \"primary\"'*) echo ready ;; *) echo 'not the leader yet' ;; esac ;; "
				  "*) case $(%s) in *'\"start failed\"'*) %s ;; *) echo \"$s\" ;; esac ;; esac",
				  in.psql, rest, rest, pig_sh(t, "echo %s", pig_fmt(t, "it does not start: see %s", in.p->pg_log_dir))));
}

/* The server itself says when it has last looked: the file may be younger than Patroni's process, as pg_rewind and a base
 * backup write it too, and still be older than that look. Its change and not its modification is compared: it was written
 * before it was renamed, and a look between the two saw the old one. pg_stat_file() tells whole seconds, in which the file
 * may have come after the look; the kernel's own times lag behind by a tick, 10 ms at most. */
static const char *hba_read(const struct inst *in)
{
	pig_task *t = in->t;

	return pig_fmt(t, "%s | %s",
		       pig_sh(t, "echo \"select pg_conf_load_time() >= to_timestamp($(stat -c %%.6Z %s)) + interval '10 ms'\"",
			      pig_fmt(t, "%s/pg_hba.conf", in->data)),
		       in->psql);
}

void pgsql_hba(pig_task *t)
{
	struct inst in = inst_of(t);

	/* twice: what another member's data brings along is replaced from here by pg-failover-callback */
	pig_file(t, .path = "/pg/conf/pg_hba.conf", .text = hba_text(&in, false), .owner = in.p->pg_dbsu,
		 .group = "postgres", .mode = 0600);
	pig_file(t, .path = pig_fmt(t, "%s/pg_hba.conf", in.data), .text = hba_text(&in, false), .owner = in.p->pg_dbsu,
		 .group = "postgres", .mode = 0600);
	/* a member that has just come started on the rules its data brought along */
	if (!t->check && t->val->truth(t->host->of(t, t->hostname, "pg_joined"), false))
		pig_shell(t, .note = "a new member reads its access file", .as = in.p->pg_dbsu,
			  .cmd = pig_fmt(t, "echo 'select pg_reload_conf()' | %s >/dev/null", in.psql));
	const char *read = hba_read(&in);
	pig_ensure(t, .note = "the server has read its access file", .as = in.p->pg_dbsu, .probe = read, .want = "t",
		   .apply = pig_fmt(t,
				    "for i in 1 2 3 4 5 6 7 8 9 10; do echo 'select pg_reload_conf()' | %s >/dev/null && "
				    "sleep 0.1 && [ \"$(%s)\" = t ] && exit; done",
				    in.psql, read));
}

void pgsql_health(pig_task *t)
{
	struct inst in = inst_of(t);
	const pig_op *op =
		pig_shell(t, .note = "ask for the members", .reads = true, .cmd = inst_rest(&in, in.addr, "/cluster"));
	const char *body;
	const pig_value *all;
	size_t others = 0;
	bool led = false;

	if (!pig_await(t))
		return;
	body = http_body(t->host->output(t, op, NULL));
	if (!body) {
		t->host->fail(t, "Patroni of %s does not answer", in.name);
		return;
	}
	all = t->val->key(t->host->json(t, body), "members");
	for (size_t i = 0; i < t->val->len(all); i++) {
		const pig_value *m = t->val->at(all, i);
		const char *state = t->val->str(t->val->key(m, "state"), "");
		bool up = !strcmp(state, "running") || !strcmp(state, "streaming");
		bool leads = strstr(t->val->str(t->val->key(m, "role"), ""), "leader") != NULL;
		bool near = t->val->num(t->val->key(m, "lag"), 0) <= (in.p->pg_rpo > 0 ? in.p->pg_rpo : 1048576);

		led |= leads && up;
		others += up && (leads || near) && strcmp(t->val->str(t->val->key(m, "name"), ""), in.name) != 0;
	}
	if (!led)
		t->host->fail(t, "cluster %s has no leader", in.p->pg_cluster);
	else if (!others)
		t->host->fail(t, "no other member of %s could take over from %s", in.p->pg_cluster, in.name);
}
