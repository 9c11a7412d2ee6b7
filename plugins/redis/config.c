/*
 * An instance's configuration, by difference. What Redis can change while it runs is changed in the running instance
 * and then written; only what is read at the start alone asks for a restart. The order keeps a run that was killed
 * from losing anything: first the live instance, then the file that says it.
 */
#include "module.h"

#include <stdlib.h>

enum kind { PLAIN = 1, BYTES, RULES };
/* what a running instance takes by CONFIG SET; a line of the template that is not among these is read at the start */
static const struct live {
	const char *name;
	enum kind kind;
} lives[] = {
	{"protected-mode", PLAIN},
	{"timeout", PLAIN},
	{"tcp-keepalive", PLAIN},
	{"maxclients", PLAIN},
	{"maxmemory", BYTES},
	{"maxmemory-policy", PLAIN},
	{"maxmemory-samples", PLAIN},
	{"save", RULES},
	{"appendonly", PLAIN},
	{"appendfsync", PLAIN},
	{"auto-aof-rewrite-percentage", PLAIN},
	{"auto-aof-rewrite-min-size", BYTES},
	{"loglevel", PLAIN},
	{"slowlog-log-slower-than", PLAIN},
	{"slowlog-max-len", PLAIN},
	{"latency-monitor-threshold", PLAIN},
	{"repl-backlog-size", BYTES},
	{"repl-timeout", PLAIN},
	{"replica-priority", PLAIN},
	{"min-replicas-to-write", PLAIN},
	{"min-replicas-max-lag", PLAIN},
	{"hz", PLAIN},
	{"activedefrag", PLAIN},
	{"cluster-node-timeout", PLAIN},
	{"cluster-migration-barrier", PLAIN},
	{"cluster-require-full-coverage", PLAIN},
};

struct setting {
	const char *name, *value;
};
struct conf {
	const char *text;
	struct setting *live; /* as CONFIG GET answers */
	size_t n;
	const char *start; /* the other lines */
};

static const struct live *live_of(const char *name)
{
	for (size_t i = 0; i < sizeof lives / sizeof *lives; i++)
		if (!strcmp(lives[i].name, name))
			return &lives[i];
	return NULL;
}

static void set_live(pig_task *t, struct conf *c, const struct live *l, const char *value)
{
	size_t i = 0;

	if (l->kind == BYTES && redis_bytes(value) >= 0)
		value = pig_fmt(t, "%" PRId64, redis_bytes(value));
	if (!strcmp(value, "\"\""))
		value = "";
	while (i < c->n && strcmp(c->live[i].name, l->name))
		i++;
	/* save adds to what earlier lines said, "" forgets it; of all others the last line counts */
	if (l->kind == RULES && i < c->n && *value && *c->live[i].value)
		value = pig_fmt(t, "%s %s", c->live[i].value, value);
	c->live[i] = (struct setting){l->name, value};
	c->n += i == c->n;
}

static struct conf read_conf(pig_task *t, const char *text)
{
	struct conf c = {.text = text, .start = ""};

	c.live = t->host->alloc(t, (sizeof lives / sizeof *lives) * sizeof *c.live);
	for (size_t i = 0; text && *text; i++) {
		size_t n = strcspn(text, "\n"), k;
		const char *line = pig_fmt(t, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
		line += strspn(line, " \t");
		k = strcspn(line, " \t");
		const char *name = pig_fmt(t, "%.*s", (int)k, line), *value = line + k + strspn(line + k, " \t");
		if (!*line || *line == '#')
			continue;
		if (live_of(name))
			set_live(t, &c, live_of(name), value);
		else
			c.start = pig_fmt(t, "%s%s\n", c.start, line);
	}
	return c;
}

static const pig_value *vars_of(pig_task *t, const struct inst *in)
{
	pig_value *v = t->host->map(t);

	t->host->put(t, v, "ins", t->host->text(t, in->name));
	t->host->put(t, v, "port", t->host->number(t, in->port));
	t->host->put(t, v, "bind", t->host->text(t, redis_bind(t)));
	t->host->put(t, v, "dir", t->host->text(t, in->dir));
	t->host->put(t, v, "state", t->host->text(t, in->state));
	t->host->put(t, v, "log", t->host->text(t, in->log));
	t->host->put(t, v, "conf", t->host->text(t, in->conf));
	t->host->put(t, v, "auth", t->host->text(t, in->auth));
	t->host->put(t, v, "settled", t->host->text(t, ""));
	return v;
}

/* ---- passwords ---- */

static const char *auth_text(pig_task *t)
{
	const struct redis *p = t->params;
	const char *w = p->redis_password ? p->redis_password : "", *q = *w ? w : "\"\"";
	const char *text = is_mode(t, "sentinel") ? pig_fmt(t, "requirepass %s\n", q)
						  : pig_fmt(t, "requirepass %s\nmasterauth %s\n", q, q);

	return *w ? t->host->secret(t, text) : text;
}

/*
 * The instance is asked with the new password (its input), then changed with whichever opens it: the new one, the one
 * in its file, none. One that does not run needs nothing: it will read its file.
 */
static void password(pig_task *t, const struct inst *in)
{
	const struct redis *p = t->params;
	const char *w = p->redis_password ? p->redis_password : "";
	const char *input = *w ? t->host->secret(t, pig_fmt(t, "%s\n", w)) : "\n";
	const char *head =
		pig_fmt(t,
			"read -r w || :\n%s"
			"as() { if [ \"$1\" ]; then export REDISCLI_AUTH=\"$1\"; else unset REDISCLI_AUTH; fi; }\n"
			"ask() { as \"$1\"; printf 'CONFIG GET requirepass\\nCONFIG GET masterauth\\n' | cli; }\n",
			redis_cli(t, in));

	pig_ensure(
		t, .note = pig_fmt(t, "the password that %s takes and gives", in->name), .want = "", .probe_in = input,
		.in = input,
		.probe = pig_fmt(t,
				 "%so=$(ask \"$w\"); e=$(printf 'requirepass\\n%%s\\nmasterauth\\n%%s' \"$w\" \"$w\")\n"
				 "[ -z \"$o\" ] || [ \"$o\" = \"$e\" ] || echo another",
				 head),
		.apply = pig_fmt(
			t,
			"%sfor x in \"$w\" \"${a:-}\" ''; do case $(ask \"$x\") in requirepass*)\n"
			"as \"$x\"; printf 'CONFIG SET masterauth \"%%s\"\\nCONFIG SET requirepass \"%%s\"\\n' \"$w\" "
			"\"$w\" | "
			"cli >/dev/null; exit 0 ;; esac; done\n"
			"echo 'neither redis_password nor the present file opens it; restart the unit to make the file "
			"count' >&2; exit 1",
			head));
}

/* ---- settings ---- */

/* Shell: what differs in the running instance, a line "name value-as-it-is" each; nothing when it does not answer. */
static const char *differing(pig_task *t, const struct inst *in, const struct conf *c)
{
	const char *ask = "", *good = "";

	for (size_t i = 0; i < c->n; i++) {
		ask = pig_fmt(t, "%s 'CONFIG GET %s'", ask, c->live[i].name);
		good = pig_fmt(t, "%s%s%s", good, i ? "|" : "",
			       pig_sh(t, "%s", pig_fmt(t, "%s %s", c->live[i].name, c->live[i].value)));
	}
	return pig_fmt(t,
		       "%sprintf '%%s\\n'%s | cli | while read -r k && read -r v; do case \"$k $v\" in\n"
		       "%s) ;; ERR*|NOAUTH*|WRONGPASS*|' '*) ;; *) echo \"$k $v\" ;; esac; done",
		       redis_cli(t, in), ask, good);
}

static void settings(pig_task *t, const struct inst *in, const struct conf *c)
{
	const char *set = "", *probe = differing(t, in, c);

	if (!c->n)
		return;
	for (size_t i = 0; i < c->n; i++)
		set = pig_fmt(t, "%s%s) echo %s ;;\n", set, c->live[i].name,
			      pig_sh(t, "%s", pig_fmt(t, "CONFIG SET %s \"%s\"", c->live[i].name, c->live[i].value)));
	pig_ensure(t, .note = pig_fmt(t, "settings of the running %s", in->name), .want = "", .probe = probe,
		   .apply = pig_fmt(
			   t,
			   "%s | while read -r k v; do case $k in\n%sesac; done | cli | { grep -v '^OK$' >&2 || :; }",
			   probe, set));
}

/* ---- all of an instance ---- */

static void config_of(pig_task *t, const struct inst *in)
{
	const struct redis *p = t->params;
	bool sentinel = is_mode(t, "sentinel");
	const pig_value *vars = vars_of(t, in);
	const char *text = t->host->render(t, sentinel ? "sentinel.conf" : p->redis_conf, vars);
	struct conf c = read_conf(t, text);
	pig_value *unit = t->host->map(t);

	if (!sentinel)
		password(t, in);
	pig_file(t, .path = in->auth, .text = auth_text(t), .mode = 0640, .owner = "root", .group = "redis");
	if (!sentinel)
		settings(t, in, &c);
	pig_file(t, .path = in->conf, .text = text, .mode = 0640, .owner = "root", .group = "redis");
	pig_file(t, .path = in->dir, .dir = true, .mode = 0700, .owner = "redis", .group = "redis");
	pig_file(t, .path = in->state, .text = "# Redis's own: it is made once and never written by pig.\n",
		 .mode = 0600, .owner = "redis", .group = "redis", .flags = PIG_SEED);
	for (size_t i = 0; i < t->val->len(vars); i++)
		t->host->put(t, unit, t->val->key_at(vars, i), t->val->at(vars, i));
	if (!sentinel)
		t->host->put(t, unit, "settled",
			     t->host->text(t, pig_fmt(t, "%.12s", t->host->digest(t, c.start, strlen(c.start)))));
	pig_file(t, .path = in->unit_file, .tmpl = "redis.service", .vars = unit, .mode = 0644);
}

void task_redis_config(pig_task *t)
{
	struct inst *list;
	size_t n = insts_of(t, &list);

	/* a server of someone else's that listens there would be given our settings */
	if (!redis_ports_free(t, list, n))
		return;
	for (size_t i = 0; i < n; i++)
		config_of(t, &list[i]);
}
