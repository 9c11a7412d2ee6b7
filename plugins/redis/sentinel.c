/*
 * What sentinels watch. They are asked what they know and told what is missing; where a master is, is theirs to say
 * once they watch it, as they may have made another one lead.
 */
#include "module.h"

#include <stdlib.h>

struct watched {
	const char *name, *host, *password;
	int64_t port, quorum;
	bool remove;
};

static struct watched watched_at(pig_task *t, size_t i)
{
	const struct redis *p = t->params;
	const pig_value *v = t->val->at(p->redis_sentinel_monitor, i);

	return (struct watched){
		.name = t->val->str(t->val->key(v, "name"), ""),
		.host = t->val->str(t->val->key(v, "host"), ""),
		.port = t->val->num(t->val->key(v, "port"), 6379),
		.quorum = t->val->num(t->val->key(v, "quorum"), 1),
		.password = t->val->str(t->val->key(v, "password"), ""),
		.remove = t->val->truth(t->val->key(v, "remove"), false),
	};
}

/* What a sentinel says of a master. */
struct said {
	bool answers, known;
	const char *at, *pass;
	int64_t quorum;
	bool heard;
};

/* Shell: the digest of the password a sentinel gives to a master; of nothing when it has none. */
static const char *pass_digest(pig_task *t, const struct inst *in, const struct watched *w)
{
	return pig_sh(t, "sed -n %s %s 2>/dev/null | tr -d '\\n\"' | sha256sum | cut -c1-64",
		      pig_fmt(t, "s/^sentinel auth-pass %s //p", w->name), in->state);
}

/* Lines: up or down; ip, port, quorum or "unknown"; the password's digest; "heard" when the inventory's address is
 * that of the master or of a replica the sentinel knows. */
static const pig_op *ask(pig_task *t, const struct inst *in, const struct watched *w)
{
	return pig_shell(
		t, .reads = true, .note = pig_fmt(t, "what %s knows of %s", in->name, w->name),
		.cmd = pig_fmt(
			t,
			"%s%scase $(cli PING) in PONG) echo up ;; *) echo down; exit ;; esac\n"
			"m=$(cli SENTINEL MASTER \"$n\" | tr -d '\\r')\n"
			"f() { printf '%%s\\n' \"$m\" | while read -r k && read -r v; do [ \"$k\" != \"$1\" ] || echo "
			"\"$v\"; done; }\n"
			"case $m in name*) echo \"$(f ip):$(f port) $(f quorum)\" ;; *) echo unknown ;; esac\n%s\n"
			"[ \"$(f ip):$(f port)\" = \"$at\" ] && echo heard && exit\n"
			"cli SENTINEL REPLICAS \"$n\" | tr -d '\\r' | grep -qxF \"$at\" && echo heard || echo",
			redis_cli(t, in),
			pig_sh(t, "n=%s at=%s\n", w->name, pig_fmt(t, "%s:%" PRId64, w->host, w->port)),
			pass_digest(t, in, w)));
}

static struct said said_of(pig_task *t, const pig_op *op)
{
	const char *out = t->host->output(t, op, NULL), *at, *pass, *heard;
	struct said s = {0};

	if (!out || strncmp(out, "up", 2))
		return s;
	s.answers = true;
	at = line_at(t, out, 1), pass = line_at(t, out, 2), heard = line_at(t, out, 3);
	if (at && strcmp(at, "unknown")) {
		size_t n = strcspn(at, " ");
		s.known = true;
		s.at = pig_fmt(t, "%.*s", (int)n, at);
		s.quorum = strtoll(at + n, NULL, 10);
	}
	s.pass = pass ? pass : "";
	s.heard = heard && !strcmp(heard, "heard");
	return s;
}

/*
 * The live master: what another sentinel of this cluster watches under the name, else who leads where the inventory
 * points. "" when nobody can say.
 */
static const char *live_master(pig_task *t, const struct inst *in, const struct watched *w)
{
	const struct redis *p = t->params;
	struct addr *all;
	size_t n = cluster_addrs(t, &all);
	const char *others = "", *self = redis_address(t, t->hostname);
	const char *input = *w->password ? t->host->secret(t, pig_fmt(t, "%s\n", w->password)) : "\n";

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].ip, self) || all[i].port != in->port)
			others = pig_fmt(t, "%s%s\n", others,
					 pig_sh(t,
						"cli %s %lld SENTINEL GET-MASTER-ADDR-BY-NAME %s | tr -d "
						"'\\r' | paste -s -d: -",
						all[i].ip, (long long)all[i].port, w->name));
	const pig_op *op = pig_shell(
		t, .reads = true, .in = input, .note = pig_fmt(t, "who leads %s", w->name),
		.cmd = pig_fmt(t,
			       "read -r w || :\n%so=$({\n%s} | grep -m1 ':[0-9]')\n"
			       "[ -z \"$o\" ] || { echo \"$o\"; exit; }\n%s"
			       "if [ \"$w\" ]; then export REDISCLI_AUTH=\"$w\"; else unset REDISCLI_AUTH; fi\n"
			       "o=$(timeout 5 %s-cli -h \"$h\" -p \"$p\" INFO replication 2>/dev/null | tr -d '\\r')\n"
			       "of() { printf '%%s\\n' \"$o\" | sed -n \"s/^$1://p\"; }\n"
			       "case $(of role) in master) echo \"$h:$p\" ;; slave) echo \"$(of master_host):$(of "
			       "master_port)\" ;; esac",
			       redis_cli_any(t), others, pig_sh(t, "h=%s p=%lld\n", w->host, (long long)w->port),
			       p->redis_type));
	if (!pig_await(t))
		return "";
	const char *at = t->host->output(t, op, NULL);
	at = at ? line_at(t, at, 0) : NULL;
	return at ? at : "";
}

static const char *addr_of(pig_task *t, const struct inst *in, const struct watched *w)
{
	return pig_fmt(t, "%s%s", redis_cli(t, in),
		       pig_sh(t, "cli SENTINEL GET-MASTER-ADDR-BY-NAME %s | tr -d '\\r' | paste -s -d: -", w->name));
}

static void monitor(pig_task *t, const struct inst *in, const struct watched *w, const char *at, bool again)
{
	const char *colon = strrchr(at, ':');

	pig_ensure(t, .note = pig_fmt(t, "%s watches %s", in->name, w->name), .want = at, .probe = addr_of(t, in, w),
		   .apply =
			   pig_fmt(t, "%s%s%s", redis_cli(t, in),
				   again ? pig_sh(t, "good cli SENTINEL REMOVE %s && ", w->name) : "",
				   pig_sh(t, "good cli SENTINEL MONITOR %s %s %s %lld", w->name,
					  pig_fmt(t, "%.*s", (int)(colon - at), at), colon + 1, (long long)w->quorum)));
}

static void quorum(pig_task *t, const struct inst *in, const struct watched *w)
{
	pig_ensure(
		t, .note = pig_fmt(t, "quorum of %s at %s", w->name, in->name),
		.want = pig_fmt(t, "%" PRId64, w->quorum),
		.probe = pig_fmt(t, "%s%s", redis_cli(t, in),
				 pig_sh(t, "cli SENTINEL MASTER %s | tr -d '\\r' | sed -n '/^quorum$/{n;p}'", w->name)),
		.apply = pig_fmt(t, "%s%s", redis_cli(t, in),
				 pig_sh(t, "good cli SENTINEL SET %s quorum %lld", w->name, (long long)w->quorum)));
}

static void password(pig_task *t, const struct inst *in, const struct watched *w)
{
	pig_ensure(t, .note = pig_fmt(t, "password of %s at %s", w->name, in->name), .probe = pass_digest(t, in, w),
		   .want = t->host->digest(t, w->password, strlen(w->password)),
		   .in = *w->password ? t->host->secret(t, pig_fmt(t, "%s\n", w->password)) : "\n",
		   .apply = pig_fmt(t, "read -r w || :\n%s%s | cli | { grep -v '^OK' >&2 || :; }", redis_cli(t, in),
				    pig_sh(t, "printf 'SENTINEL SET %%s auth-pass \"%%s\"\\n' %s \"$w\"", w->name)));
}

static bool has_password(pig_task *t, const struct watched *w, const struct said *s)
{
	return !strcmp(s->pass, t->host->digest(t, w->password, strlen(w->password)));
}

static void tell(pig_task *t, const struct inst *in, const struct watched *w, const struct said *s)
{
	if (!s->answers) {
		t->host->fail(t, "%s does not answer: nothing can be said of %s", in->name, w->name);
		t->host->hint(t, "Look into %s.", in->log);
		return;
	}
	if (w->remove) {
		if (s->known)
			pig_ensure(t, .note = pig_fmt(t, "%s watches %s no more", in->name, w->name), .want = "",
				   .probe = addr_of(t, in, w),
				   .apply = pig_fmt(t, "%s%s", redis_cli(t, in),
						    pig_sh(t, "good cli SENTINEL REMOVE %s", w->name)));
		return;
	}
	if (!s->known || !s->heard) {
		const char *at = live_master(t, in, w);
		if (!*at && !s->known) {
			t->host->fail(t,
				      "nobody answers for %s at %s port %" PRId64 ": sentinels have nothing to watch",
				      w->name, w->host, w->port);
			t->host->hint(t, "Run redis.yml for that cluster first; host, port and password are of "
					 "redis_sentinel_monitor.");
		} else if (!*at) {
			t->host->warn(t, "%s watches %s at %s, and nobody answers at %s port %" PRId64, in->name,
				      w->name, s->at, w->host, w->port);
		} else if (!s->known || strcmp(at, s->at)) {
			monitor(t, in, w, at, s->known);
			password(t, in, w);
			return;
		}
	}
	if (s->quorum != w->quorum)
		quorum(t, in, w);
	if (!has_password(t, w, s))
		password(t, in, w);
}

void task_redis_ha(pig_task *t)
{
	const struct redis *p = t->params;
	struct inst *list;
	size_t n = insts_of(t, &list), m = t->val->len(p->redis_sentinel_monitor);
	const pig_op **ops = t->host->alloc(t, (n * m + 1) * sizeof *ops);

	for (size_t i = 0; i < n * m; i++) {
		struct watched w = watched_at(t, i % m);
		ops[i] = ask(t, &list[i / m], &w);
	}
	if (!pig_await(t))
		return;
	for (size_t i = 0; i < n * m; i++) {
		struct watched w = watched_at(t, i % m);
		struct said s = said_of(t, ops[i]);
		if (!t->check || s.answers) /* before its first real run a host has nothing to ask */
			tell(t, &list[i / m], &w, &s);
	}
}

/*
 * Sentinels find each other through the master they watch: they speak there every 2 s, and try a link again every
 * second. A native cluster has settled when every instance sees all slots served: gossip takes a second or two.
 */
void task_redis_ready(pig_task *t)
{
	const struct redis *p = t->params;
	struct inst *list;
	size_t n = insts_of(t, &list), m = t->val->len(p->redis_sentinel_monitor);

	for (size_t i = 0; n && i < m && is_mode(t, "sentinel"); i++) {
		struct watched w = watched_at(t, i);
		if (!w.remove)
			pig_wait(t, .why = pig_fmt(t, "a quorum of sentinels of %s", w.name), .limit_s = 30,
				 .want = "OK",
				 .probe = pig_fmt(t, "%s%s", redis_cli(t, &list[0]),
						  pig_sh(t, "cli SENTINEL CKQUORUM %s | cut -c1-2", w.name)));
	}
	for (size_t i = 0; i < n && is_mode(t, "cluster"); i++)
		pig_wait(t, .why = pig_fmt(t, "%s to see the cluster whole", list[i].name), .limit_s = 30, .want = "ok",
			 .probe = pig_fmt(t, "%scli CLUSTER INFO | tr -d '\\r' | sed -n 's/^cluster_state://p'",
					  redis_cli(t, &list[i])));
}
