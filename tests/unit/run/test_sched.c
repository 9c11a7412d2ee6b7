/*
 * Edges between hosts, failures and their reach, delegation, published values: a made-up module with made-up steps, against hosts
 * whose shell is this machine's own. What ran where and when is read from a log that the tasks' commands write.
 */
#include "check.h"
#include "local_link.h"
#include "run/run.h"

#include <unistd.h>

static struct local_link link_; /* one folder for all hosts */
static pthread_mutex_t link_lock = PTHREAD_MUTEX_INITIALIZER;
static int frames_b1;           /* sent to b1 */
static const char *dead_host;   /* connecting to it fails */

/* ---- hosts ---- */

struct fake { struct conn conn; const char *name; };

static bool fake_run(struct conn *c, struct arena *a, const struct job *j, struct job_result *r, struct err *e)
{
	struct fake *f = (struct fake *)c;
	struct buf errs = BUF(a);
	const char *const argv[] = { "sh", NULL };
	int status;

	frames_b1 += !strcmp(f->name, "b1");

	pthread_mutex_lock(&link_lock);
	const char *p = arena_fmt(a, "%s/%s", link_.dir, f->name);
	bool ok = os_mkdirs(p, 0700, e);
	for (size_t i = 0; i < j->n_inputs && ok; i++)
		ok = os_write(arena_fmt(a, "%s/%zu", p, i), j->inputs[i].data, j->inputs[i].len, 0600, e);
	pthread_mutex_unlock(&link_lock);
	const char *const env[] = { arena_fmt(a, "P=%s", p), arena_fmt(a, "T=%s", link_.dir), arena_fmt(a, "H=%s", f->name), "LC_ALL=C",
				    arena_fmt(a, "PATH=%s/bin:%s", link_.dir, getenv("PATH")), NULL };
	struct os_cmd cmd = { .argv = argv, .in = j->script, .in_len = j->len, .env = env };
	r->out = BUF(a);
	ok = ok && os_run(&cmd, &r->out, &errs, &status, e);
	r->status = ok ? status : -1;
	return ok;
}

static void fake_close(struct conn *c)
{
	(void)c;
}

static bool fake_connect(void *ctx, struct conn **out, const struct target *t, struct err *e)
{
	struct arena *a = ctx; /* of the connections alone: what the hosts' threads take from the world's is under another lock */

	if (dead_host && !strcmp(dead_host, t->name))
		return fail(e, E_CONNECT, "host %s does not answer", t->name);
	pthread_mutex_lock(&link_lock);
	struct fake *f = arena_get(a, sizeof *f);
	struct value *facts = value_map(a);
	value_put(a, facts, "os_package", value_str(a, "deb"));
	f->name = arena_str(a, t->name);
	f->conn = (struct conn){ .run = fake_run, .close = fake_close, .facts = facts, .what = f->name };
	pthread_mutex_unlock(&link_lock);
	*out = &f->conn;
	return true;
}

/* ---- tasks ---- */

static void say(pig_task *t, const char *what)
{
	pig_shell(t, .note = what, .cmd = pig_sh(t, "echo %s $H >>$T/log", what));
}

static void t_make(pig_task *t) { say(t, "make"); }
static void t_slow(pig_task *t) { pig_shell(t, .cmd = "sleep 0.2; echo slow $H >>$T/log"); }
static void t_one(pig_task *t) { say(t, "one"); }
static void t_break(pig_task *t)
{
	say(t, "before");
	if (!strcmp(t->hostname, "a1"))
		pig_shell(t, .note = "the one that fails", .cmd = "echo tried $H >>$T/log; echo why >&2; exit 7");
	say(t, "after");
}
static void t_ask(pig_task *t)
{
	pig_shell(t, .reads = true, .cmd = "echo asks $H >>$T/log");
	if (pig_await(t))
		say(t, "answered");
}
static void t_publish(pig_task *t)
{
	if (!strcmp(t->hostname, "a1"))
		t->host->publish(t, "token", t->host->text(t, "xyz"));
	pig_task *o = t->host->on(t, "b1");
	say(t, "home");
	say(o, pig_fmt(t, "for-%s", t->hostname));
	say(t, "home-again");
}
static void t_told(pig_task *t)
{
	if (!strcmp(t->hostname, "a1")) {
		t->host->publish(t, "token", t->host->text(t, "xyz"));
		pig_shell(t, .cmd = "exit 7");
	}
}
static void t_read(pig_task *t)
{
	if (strcmp(t->hostname, "a1"))
		say(t, t->val->str(t->host->of(t, "a1", "token"), "none"));
}
static void t_secret(pig_task *t)
{
	const char *s = t->host->secret(t, "hunter2-hunter2");

	pig_shell(t, .cmd = pig_fmt(t, "echo %s", s));
}
static void t_fail(pig_task *t)
{
	say(t, "queued");
	t->host->fail(t, "no way");
	say(t, "never");
}

static void t_quiet(pig_task *t)
{
	pig_shell(t, .reads = true, .cmd = "echo quiet $H >>$T/log");
}
static void t_reach(pig_task *t)
{
	say(t, t->host->reach(t, "a3") ? "reached" : "not-reached");
}
static void t_register(pig_task *t)
{
	pig_task *o = t->host->later(t, "b1");

	say(t, "home");
	pig_file(o, .path = pig_fmt(t, "%s/reg/%s", link_.dir, t->hostname), .text = "here\n");
	pig_file(o, .flags = PIG_IF_THERE, .path = pig_fmt(t, "%s/no-folder/%s", link_.dir, t->hostname), .text = "x");
	if (!strcmp(t->hostname, "a2"))
		pig_file(o, .path = pig_fmt(t, "%s/reg/refused", link_.dir), .text = "x", .owner = "nobody-of-this-name");
}
/* On the home host and on another: systemd is told of the first when the host's steps are over, of the second at once. */
static void t_units(pig_task *t)
{
	pig_unit(t, .name = "some", .enable = 1);
	pig_unit(t, .name = "more", .enable = 1);
	if (!strcmp(t->hostname, "a1"))
		pig_unit(t->host->on(t, "b1"), .name = "there", .enable = 1);
}
static void t_self(pig_task *t)
{
	const pig_value *self = t->host->self(t), *files = t->val->key(self, "inventory");

	if (!strcmp(t->hostname, "a1"))
		say(t, pig_fmt(t, "%s %s %s %s", strrchr(t->val->str(t->val->key(self, "program"), "/?"), '/'),
			       t->val->key(files, "inv.yml") ? "inventory" : "no inventory", t->val->key(files, "files/own") ? "own" : "no own",
			       t->val->key(files, "files/pki/ca.key") ? "key" : "no-key"));
}
static void t_register_breaks(pig_task *t)
{
	say(t->host->later(t, "b1"), "never-there");
	t->host->fail(t, "no way");
}
static void h_well(pig_task *t)
{
	pig_shell(t, .reads = true, .cmd = "echo well $H >>$T/log");
	if (pig_await(t) && !strcmp(t->hostname, "a2"))
		t->host->fail(t, "a2 cannot be spared");
}
static void h_answers(pig_task *t)
{
	pig_shell(t, .reads = true, .cmd = "echo asked $H >>$T/log");
	if (pig_await(t) && !strcmp(t->hostname, "a2"))
		t->host->fail(t, "other does not answer");
}
static const struct pig_health other_healths[] = { { .name = "answers", .ok = h_answers } };
static const struct pig_health healths[] = { { .name = "well", .ok = h_well } };

static struct pig_taskdef rows[] = {
	{ .name = "make", .run = t_make }, { .name = "slow", .run = t_slow }, { .name = "one", .run = t_one },
	{ .name = "break", .run = t_break }, { .name = "ask", .run = t_ask }, { .name = "publish", .run = t_publish },
	{ .name = "read", .run = t_read }, { .name = "told", .run = t_told },
	{ .name = "secret", .run = t_secret }, { .name = "fail", .run = t_fail },
	{ .name = "quiet", .run = t_quiet }, { .name = "reach", .run = t_reach },
	{ .name = "register", .run = t_register }, { .name = "register_breaks", .run = t_register_breaks },
	{ .name = "self", .run = t_self }, { .name = "units", .run = t_units },
};

/* ---- a run of made-up steps ---- */

static const struct pig_module other_pm = { .magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .size = sizeof other_pm, .name = "other" };
static const struct pig_module pm = { .magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .size = sizeof pm, .name = "made", .cluster = "cl" };

struct made { const char *task, *first; uint32_t serial, flags; const char *needs, *hosts, *health; uint32_t after; const char *when /* of its play */; };

static struct expr *expr(struct arena *a, const char *text)
{
	struct expr *x = NULL;
	struct err e = { 0 };

	if (text && !expr_parse(&x, a, "test", text, (struct origin){ "test", 1, 1 }, &e))
		bug("%s", e.msg);
	return x;
}

static int run_made(struct arena *a, const struct made *made, uint32_t n, const char **log, const char **said)
{
	static const char inv_text[] = "all:\n  children:\n    ga:\n      hosts: {a1: {}, a2: {}, a3: {}}\n      vars: {cl: ga}\n"
				       "    gb:\n      hosts: {b1: {}, b2: {}}\n      vars: {cl: gb}\n";
	struct err e = { 0 };
	const char *file = arena_fmt(a, "%s/inv.yml", link_.dir);
	unlink(arena_fmt(a, "%s/log", link_.dir));
	CHECK(os_write(file, inv_text, sizeof inv_text - 1, 0600, &e));
	struct world w = { .a = a };
	struct inventory_options io = { .sources = &file, .n_sources = 1 };
	if (!CHECK(inventory_load(&w.inv, a, &io, &e)))
		bug("%s", e.msg);
	struct module *m = arena_get(a, sizeof *m);
	*m = (struct module){ .m = &pm, .health = healths, .n_health = 1 };
	struct module *both[] = { m, arena_get(a, sizeof *m) };
	*both[1] = (struct module){ .m = &other_pm, .health = other_healths, .n_health = 1 };
	static struct modules ms;
	ms = (struct modules){ .a = a, .list = arena_dup(a, both, sizeof both), .n = 2, .params = MAP(a), .was = MAP(a), .tasks = MAP(a), .playbooks = MAP(a) };
	w.modules = &ms;
	struct resolvers *rs = resolvers_new(&w);
	struct plan plan = { .hosts = w.inv->hosts, .n_hosts = w.inv->n_hosts, .n_steps = n };
	struct playbook pb = { .name = "made", .module = m };
	plan.playbook = &pb;
	plan.steps = arena_new_of(a, struct plan_step, n);
	for (uint32_t i = 0; i < n; i++) {
		struct step *s = arena_get(a, sizeof *s);
		struct task_row **row = arena_new_of(a, struct task_row *, sizeof rows / sizeof *rows);
		uint32_t n_rows = 0;
		struct play *play = arena_get(a, sizeof *play);
		play->when = expr(a, made[i].when);
		*s = (struct step){ .name = made[i].task, .play = play, .module = m, .first = expr(a, made[i].first), .serial = made[i].serial,
				    .flags = made[i].flags, .needs = made[i].needs, .health = made[i].health };
		for (const char *word = made[i].task; *word;) { /* several tasks of a step stand behind each other */
			size_t len = strcspn(word, " ");
			for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
				if (strlen(rows[k].name) == len && !strncmp(rows[k].name, word, len)) {
					row[n_rows] = arena_get(a, sizeof **row);
					*row[n_rows++] = (struct task_row){ .row = &rows[k], .module = m };
				}
			word += len + (word[len] == ' ');
		}
		plan.steps[i] = (struct plan_step){ .step = s, .tasks = (const struct task_row **)row, .n_tasks = n_rows, .hosts = w.inv->hosts, .n_hosts = w.inv->n_hosts, .after = made[i].after };
		if (made[i].hosts) { /* a cluster alone */
			uint32_t k;
			plan.steps[i].hosts = inventory_group_hosts(a, inventory_group(w.inv, made[i].hosts), &k);
			plan.steps[i].n_hosts = k;
			if (n == 1) {
				plan.hosts = plan.steps[i].hosts;
				plan.n_hosts = k;
			}
		}
	}
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct report_options ro = { 0 };
	struct arena *conns = arena_new();
	struct run_options o = { .connect = fake_connect, .connect_ctx = conns };
	int status = run_plan(&w, rs, &plan, &o, report_new(a, out, &ro, secrets_new(a)));
	arena_free(conns);
	fclose(out);
	*said = arena_str(a, text);
	free(text);
	struct buf b = BUF(a);
	*log = os_read(&b, arena_fmt(a, "%s/log", link_.dir), 0, NULL) ? buf_text(&b) : "";
	return status;
}
#define RUN(...) run_made(a, (const struct made[]){ __VA_ARGS__ }, sizeof((const struct made[]){ __VA_ARGS__ }) / sizeof(struct made), &log, &said)

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		n++;
	return n;
}

static bool before(const char *text, const char *x, const char *y)
{
	const char *px = strstr(text, x), *py = strstr(text, y);

	return px && py && px < py;
}

int main(void)
{
	struct arena *a = arena_new();
	const char *log, *said;

	local_link_begin(&link_, a);

	/* everyone runs, nobody waits */
	CHECK_INT(RUN({ .task = "make" }), 0);
	CHECK_INT(count_of(log, "make "), 5);
	CHECK_HAS(said, "hosts=5 ok=0 changed=5");

	/* first: of a cluster, one before the others; the other cluster does not wait for it */
	CHECK_INT(RUN({ .task = "slow", .first = "inventory_hostname in ['a2', 'b2']" }), 0);
	CHECK(before(log, "slow a2", "slow a1") && before(log, "slow a2", "slow a3") && before(log, "slow b2", "slow b1"));
	CHECK(before(log, "slow b2", "slow a1"));

	/* once: on the first host of each cluster */
	CHECK_INT(RUN({ .task = "one", .flags = PIG_ONCE }), 0);
	CHECK_INT(count_of(log, "one "), 2);
	CHECK_HAS(log, "one a1");
	CHECK_HAS(log, "one b1");

	/* serial 1: never two of a cluster at once; a step that failed keeps its place */
	CHECK_INT(RUN({ .task = "break", .serial = 1 }), E_FAILED);
	CHECK_HAS(log, "before a1");
	CHECK(!strstr(log, "before a2") && !strstr(log, "before a3"));
	CHECK_HAS(log, "after b2");
	CHECK_HAS(said, "a2: break: not run, needs break on a1");

	/* what a task has queued may be sent when a later one asks: what fails then is not tried a second time */
	CHECK_INT(RUN({ .task = "break ask" }), E_FAILED);
	CHECK_INT(count_of(log, "before a1"), 1);
	CHECK_INT(count_of(log, "tried a1"), 1);
	CHECK(!strstr(log, "after a1") && !strstr(log, "answered a1"));
	CHECK_HAS(log, "answered a2");
	CHECK_HAS(said, "a1: break: failed: ");

	/* health: asked before the first change and after the last, not where nothing changes; shut, it lets nothing through */
	CHECK_INT(RUN({ .task = "quiet", .health = "well" }), 0);
	CHECK(!strstr(log, "well"));
	CHECK_INT(RUN({ .task = "make", .serial = 1, .health = "well", .hosts = "ga" }), E_FAILED);
	CHECK_INT(count_of(log, "well a1"), 2);
	CHECK(before(log, "well a1", "make a1") && !strstr(log, "make a2") && !strstr(log, "make a3"));
	CHECK_HAS(said, "a2: make: failed: a2 cannot be spared");

	/* a failed host stops itself and what depends on it, no one else; the message has cause and detail */
	CHECK_INT(RUN({ .task = "break" }, { .task = "make", .first = "inventory_hostname == 'a1'" }), E_FAILED);
	CHECK_HAS(said, "a1: break: failed: shell the one that fails: status 7\n  why");
	CHECK(!strstr(log, "after a1"));
	CHECK_HAS(log, "after a2");
	CHECK(!strstr(log, "make a1") && !strstr(log, "make a2"));
	CHECK_HAS(log, "make b1");
	CHECK_HAS(said, "a2: make: not run, needs make on a1");

	/* barrier: nobody begins before all have done what comes before */
	CHECK_INT(RUN({ .task = "slow", .hosts = "ga" }, { .task = "make", .flags = PIG_BARRIER }), 0);
	CHECK(before(log, "slow a1", "make b1") && before(log, "slow a3", "make b2"));

	/* plays: one after the other, also for hosts that only the later one has; what was published before may be read */
	CHECK_INT(RUN({ .task = "slow", .hosts = "ga" }, { .task = "make", .hosts = "gb", .after = 1 }), 0);
	CHECK(before(log, "slow a1", "make b1") && before(log, "slow a3", "make b2"));
	CHECK_INT(RUN({ .task = "publish", .hosts = "ga" }, { .task = "read", .hosts = "ga", .after = 1 }), 0);
	CHECK_INT(count_of(log, "xyz "), 2);
	CHECK_INT(RUN({ .task = "break" }, { .task = "make", .after = 1, .when = "cl == 'ga'" }), E_FAILED);
	CHECK(!strstr(log, "make a1") && strstr(log, "make a2") && !strstr(log, "make b"));

	/* gather: the hosts of a cluster wait for each other, other clusters go on; what a member published may be read */
	CHECK_INT(RUN({ .task = "slow", .hosts = "ga" }, { .task = "make", .flags = PIG_GATHER }), 0);
	CHECK(before(log, "slow a1", "make a3") && before(log, "slow a3", "make a1"));
	CHECK(before(log, "make b1", "slow a1") && before(log, "make b2", "slow a2"));
	CHECK_INT(RUN({ .task = "publish", .hosts = "ga" }, { .task = "read", .flags = PIG_GATHER, .hosts = "ga" }), 0);
	CHECK_INT(count_of(log, "xyz "), 2);

	/* ... and what one said that failed then counts for nothing: it is as if it had not */
	CHECK_INT(RUN({ .task = "told", .hosts = "ga" }, { .task = "read", .flags = PIG_GATHER, .hosts = "ga" }), E_FAILED);
	CHECK_INT(count_of(log, "none a"), 2);
	CHECK(!strstr(said, "may not have published"));

	/* needs: a step of this run on the hosts concerned */
	CHECK_INT(RUN({ .task = "slow", .hosts = "ga" }, { .task = "make", .needs = "made.slow" }), 0);
	CHECK(before(log, "slow a3", "make b1"));

	/* ... of another module, outside the run: does it answer? Asked on each host before its first change, not where nothing changes */
	CHECK_INT(RUN({ .task = "quiet", .needs = "other.up" }), 0);
	CHECK(!strstr(log, "asked"));
	CHECK_INT(RUN({ .task = "make", .needs = "other.up", .hosts = "ga" }), E_FAILED);
	CHECK(before(log, "asked a1", "make a1") && !strstr(log, "make a2"));
	CHECK_HAS(said, "a2: make: failed: other does not answer");

	/* delegation keeps the order; published values are read behind an edge, and refused without one */
	CHECK_INT(RUN({ .task = "publish", .first = "inventory_hostname == 'a1'", .hosts = "ga" },
		      { .task = "read", .first = "inventory_hostname == 'a1'", .hosts = "ga" }), 0);
	CHECK(before(log, "home a1", "for-a1 b1") && before(log, "for-a1 b1", "home-again a1"));
	CHECK_INT(count_of(log, "xyz "), 2);
	CHECK_HAS(said, "a1 -> b1: publish: changed");

	/* unreachable: named, the others finish, the status says so */
	dead_host = "a3";
	CHECK_INT(RUN({ .task = "make" }), E_CONNECT);
	CHECK_INT(count_of(log, "make "), 4);
	CHECK_HAS(said, "a3: failed: host a3 does not answer");
	CHECK_HAS(said, "unreachable=1");
	CHECK_INT(RUN({ .task = "reach", .hosts = "gb" }), 0);
	CHECK_INT(count_of(log, "not-reached "), 2);
	dead_host = NULL;

	/* later: what all hosts leave for one is one batch there when the step is over; a refusal is a warning, and so is its absence */
	frames_b1 = 0;
	CHECK_INT(RUN({ .task = "register", .hosts = "ga" }, { .task = "slow", .hosts = "ga" }), 0);
	CHECK_INT(frames_b1, 2); /* a look and a change */
	CHECK_HAS(said, "a1 -> b1: register: changed");
	CHECK_HAS(said, "a2 -> b1: register: warning: file");
	CHECK(os_exists(arena_fmt(a, "%s/reg/a3", link_.dir)) && !os_exists(arena_fmt(a, "%s/no-folder", link_.dir)));
	CHECK_HAS(said, "changed=9 warned=1 failed=0");
	dead_host = "b1";
	CHECK_INT(RUN({ .task = "register", .hosts = "ga" }), 0);
	CHECK_HAS(said, ": register: warning: on b1, for 3 hosts: host b1 does not answer; the next run makes up for it");
	CHECK_HAS(said, "warned=1");
	dead_host = NULL;
	CHECK_INT(RUN({ .task = "register_breaks", .hosts = "ga" }), E_FAILED);
	CHECK(!strstr(log, "never-there"));

	/* units that a host's steps enable: systemd is reloaded once, after the last of them, also where a later step fails */
	static const char systemctl[] = "#!/bin/sh\ncase $1 in show) echo LoadState=loaded; echo; echo LoadState=loaded;;\n"
					"*) echo \"$* $H\" >>$T/log;; esac\n";
	struct err e = { 0 };
	CHECK(os_mkdirs(arena_fmt(a, "%s/bin", link_.dir), 0755, &e) &&
	      os_write(arena_fmt(a, "%s/bin/systemctl", link_.dir), systemctl, sizeof systemctl - 1, 0755, &e));
	CHECK_INT(RUN({ .task = "units", .hosts = "ga" }, { .task = "units", .hosts = "ga" }, { .task = "break", .hosts = "ga" }), E_FAILED);
	CHECK_INT(count_of(log, "enable -- some a"), 3); /* the second step finds it so, though systemd does not know yet */
	CHECK_INT(count_of(log, "--no-reload enable -- some a"), 3);
	CHECK_INT(count_of(log, "daemon-reload a"), 3);
	CHECK(before(log, "after a2", "daemon-reload a2") && before(log, "before a1", "daemon-reload a1"));
	CHECK_HAS(log, "-q enable -- there b1");
	CHECK(!strstr(log, "daemon-reload b1"));

	/* the files of the running pig: program, inventory and what is beside it, no keys */
	CHECK(os_mkdirs(arena_fmt(a, "%s/files/pki", link_.dir), 0700, &e) && os_write(arena_fmt(a, "%s/files/own", link_.dir), "x", 1, 0600, &e) &&
	      os_write(arena_fmt(a, "%s/files/pki/ca.key", link_.dir), "x", 1, 0600, &e));
	CHECK_INT(RUN({ .task = "self", .hosts = "ga" }), 0);
	CHECK_HAS(log, "test_sched inventory own no-key a1");

	/* a secret in a command never gets there, nor into what is said */
	CHECK_INT(RUN({ .task = "secret" }), E_FAILED);
	CHECK_HAS(said, "puts a secret into a command");
	CHECK(!strstr(said, "hunter2"));

	/* a task that fails drops what it queued; what earlier tasks queued is done */
	CHECK_INT(RUN({ .task = "make" }, { .task = "fail" }), E_FAILED);
	CHECK_INT(count_of(log, "make "), 5);
	CHECK(!strstr(log, "queued") && !strstr(log, "never"));
	CHECK_HAS(said, "fail: failed: no way");

	local_link_end(&link_);
	arena_free(a);
	return check_done();
}
