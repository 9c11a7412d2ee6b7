/* The engine's rules, against a host that runs what is sent and records it: probe, decide, apply; check mode; order; restarts. */
#include "check.h"
#include "local_link.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *read_text(struct arena *a, const char *path)
{
	struct buf b = BUF(a);

	return os_read(&b, path, 0, NULL) ? buf_text(&b) : NULL;
}

static struct op *file_op(struct batch *b, const char *path, const char *text, uint32_t mode)
{
	struct pig_file f = { .size = sizeof f, .path = path, .mode = mode };
	struct op *op = op_new_file(b->a, &f, text, text ? strlen(text) : 0);

	batch_add(b, op);
	return op;
}

#define ENSURE(b, ...) ensure_op((b), &(struct pig_ensure){ .size = sizeof(struct pig_ensure), __VA_ARGS__ })
static struct op *ensure_op(struct batch *b, const struct pig_ensure *d)
{
	struct op *op = op_new_ensure(b->a, d);

	batch_add(b, op);
	return op;
}

#define SHELL(b, ...) shell_op((b), &(struct pig_shell){ .size = sizeof(struct pig_shell), __VA_ARGS__ })
static struct op *shell_op(struct batch *b, const struct pig_shell *d)
{
	struct op *op = op_new_shell(b->a, d);

	batch_add(b, op);
	return op;
}

static bool run(struct batch *b, struct err *e)
{
	memset(e, 0, sizeof *e);
	return batch_run(b, e);
}

static void test_files(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	const char *x = arena_fmt(a, "%s/etc/a b'c.conf", l.dir), *y = arena_fmt(a, "%s/y", l.dir);
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct op *ox = file_op(&b, x, "one\n$HOME `id` 'q'\n", 0640), *oy = file_op(&b, y, "two", 0);
		l.frames = 0;
		CHECK(run(&b, &e));
		CHECK_INT(ox->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(oy->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(l.frames, turn ? 1 : 2); /* what is as it should be costs one frame */
	}
	CHECK_STR(read_text(a, x), "one\n$HOME `id` 'q'\n");
	struct stat st;
	CHECK(stat(x, &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK(stat(y, &st) == 0 && (st.st_mode & 07777) == 0644);

	chmod(x, 0600); /* mode alone: content does not travel */
	struct batch b = local_batch(&l, a);
	struct op *op = file_op(&b, x, "one\n$HOME `id` 'q'\n", 0640);
	CHECK(run(&b, &e));
	CHECK_INT(op->state, OP_CHANGED);
	CHECK_STR(op->reason, "mode 0600 -> 0640");

	struct batch v = local_batch(&l, a); /* a file that its validator refuses is not put in place */
	struct pig_file f = { .size = sizeof f, .path = y, .validate = "grep -q good %s" };
	batch_add(&v, op_new_file(a, &f, "bad", 3));
	struct op *later = file_op(&v, arena_fmt(a, "%s/z", l.dir), "z", 0);
	CHECK(!run(&v, &e));
	CHECK_STR(read_text(a, y), "two");
	CHECK_INT(later->state, OP_NOT_RUN);
	CHECK(access(arena_fmt(a, "%s/z", l.dir), F_OK) != 0);
	CHECK(access(arena_fmt(a, "%s/.y.pig", l.dir), F_OK) != 0);
	local_link_end(&l);
}

static void test_links_and_folders(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	const char *dir = arena_fmt(a, "%s/d/e", l.dir), *link = arena_fmt(a, "%s/l", l.dir);
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct pig_file d = { .size = sizeof d, .path = dir, .dir = true, .mode = 0700 };
		struct pig_file k = { .size = sizeof k, .path = link, .link = "d/e" };
		struct op *od = op_new_file(a, &d, NULL, 0), *ok = op_new_file(a, &k, NULL, 0);
		batch_add(&b, od), batch_add(&b, ok);
		CHECK(run(&b, &e));
		CHECK_INT(od->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(ok->state, turn ? OP_OK : OP_CHANGED);
	}
	char to[64] = "";
	CHECK(readlink(link, to, sizeof to - 1) == 3);
	chmod(dir, 02700); /* a package's folder keeps this bit through chmod 0700 */
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct pig_file d = { .size = sizeof d, .path = dir, .dir = true, .mode = 0700 };
		struct op *od = op_new_file(a, &d, NULL, 0);
		batch_add(&b, od);
		CHECK(run(&b, &e));
		CHECK_INT(od->state, turn ? OP_OK : OP_CHANGED);
	}
	struct batch b = local_batch(&l, a); /* a folder is never taken for a file */
	file_op(&b, dir, "text", 0);
	CHECK(!run(&b, &e));
	CHECK_HAS(e.msg, "is a folder");

	struct batch r = local_batch(&l, a);
	struct pig_file gone = { .size = sizeof gone, .path = link, .state = PIG_ABSENT };
	struct op *og = op_new_file(a, &gone, NULL, 0);
	batch_add(&r, og);
	CHECK(run(&r, &e) && og->state == OP_CHANGED && access(link, F_OK) != 0);
	local_link_end(&l);
}

static void test_check_mode(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	const char *x = arena_fmt(a, "%s/x", l.dir);
	CHECK(os_write(x, "old\n", 4, 0644, &e));
	struct batch b = local_batch(&l, a);
	b.check = b.diff = true;
	struct op *f = file_op(&b, x, "new\n", 0);
	struct op *en = ENSURE(&b, .probe = "cat $T/flag 2>/dev/null", .want = "on", .apply = "echo on >$T/flag");
	struct op *good = ENSURE(&b, .probe = "echo yes", .want = "yes", .apply = "touch $T/never");
	struct op *sh = SHELL(&b, .cmd = "touch $T/opaque");
	struct op *reads = SHELL(&b, .cmd = "echo answer; exit 3", .reads = true);
	CHECK(run(&b, &e));
	CHECK_INT(f->state, OP_WOULD);
	CHECK_STR(f->old, "old\n");
	CHECK_INT(en->state, OP_DEPENDENT);
	CHECK_HAS(en->depends, "file ");
	CHECK_INT(good->state, OP_OK);
	CHECK_INT(sh->state, OP_OPAQUE);
	CHECK_INT(reads->state, OP_OK);
	CHECK_STR(reads->output, "answer");
	CHECK_INT(reads->status, 3);
	CHECK_STR(read_text(a, x), "old\n");
	CHECK(access(arena_fmt(a, "%s/flag", l.dir), F_OK) && access(arena_fmt(a, "%s/never", l.dir), F_OK) && access(arena_fmt(a, "%s/opaque", l.dir), F_OK));
	CHECK(!strstr(buf_text(&l.log), "install -D")); /* an apply was never even sent */
	local_link_end(&l);
}

static void test_ensure(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct op *f = file_op(&b, arena_fmt(a, "%s/conf", l.dir), "v=1\n", 0);
		/* depends on the file: must be decided after it was written */
		struct op *en = ENSURE(&b, .probe = "cat $T/loaded", .want = "v=1\n", .apply = "cp $T/conf $T/loaded");
		struct op *in = ENSURE(&b, .probe = "cat $T/secret", .want = "s3cret'x", .apply = "cat >$T/secret", .in = "s3cret'x");
		const struct pig_op *dep[] = { (const pig_op *)f, NULL };
		struct op *after = SHELL(&b, .cmd = "echo ran >>$T/after", .after = dep);
		l.frames = 0;
		CHECK(run(&b, &e));
		CHECK_INT(f->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(en->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(in->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(after->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(l.frames, turn ? 1 : 2);
	}
	CHECK_STR(read_text(a, arena_fmt(a, "%s/after", l.dir)), "ran\n");

	struct batch b = local_batch(&l, a); /* applied, and still not so: never called changed */
	struct op *lie = ENSURE(&b, .probe = "echo off", .want = "on", .apply = "true");
	CHECK(!run(&b, &e));
	CHECK_INT(lie->state, OP_FAILED);
	CHECK_HAS(e.msg, "still not as wanted");

	struct batch s = local_batch(&l, a); /* what a host refuses softly is a warning, and the rest goes on */
	struct op *soft = ENSURE(&s, .flags = PIG_SOFT, .probe = "false", .apply = "echo 'not here' >&2; exit 9");
	struct op *next = ENSURE(&s, .probe = "test -e $T/next", .apply = "touch $T/next");
	CHECK(run(&s, &e));
	CHECK_INT(soft->state, OP_WARNED);
	CHECK_HAS(soft->why.detail, "not here");
	CHECK_INT(next->state, OP_CHANGED);

	struct batch q = local_batch(&l, a); /* wrong shell text fails its own operation, not the frame */
	struct op *bad = SHELL(&q, .cmd = "if then (", .reads = true), *fine = SHELL(&q, .cmd = "echo fine", .reads = true);
	CHECK(run(&q, &e));
	CHECK(bad->status != 0);
	CHECK_STR(fine->output, "fine");
	local_link_end(&l);
}

static void test_wait(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	struct batch b = local_batch(&l, a);
	struct pig_wait w = { .size = sizeof w, .probe = "echo x >>$T/n; wc -l <$T/n", .want = "4", .limit_s = 20, .every_ms = 20, .why = "four" };
	struct op *op = op_new_wait(a, &w);
	batch_add(&b, op);
	CHECK(run(&b, &e));
	CHECK_INT(op->state, OP_OK);
	struct batch t = local_batch(&l, a);
	struct pig_wait never = { .size = sizeof never, .probe = "echo no", .want = "yes", .limit_s = 1, .every_ms = 100, .why = "the impossible" };
	batch_add(&t, op_new_wait(a, &never));
	CHECK(!run(&t, &e));
	CHECK_INT(e.code, E_TIMEOUT);
	CHECK_HAS(e.msg, "the impossible");
	CHECK_HAS(e.msg, "\"no\"");
	local_link_end(&l);
}

static void test_lines(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	const char *x = arena_fmt(a, "%s/hosts", l.dir);
	CHECK(os_write(x, "127.0.0.1 localhost\n10.0.0.1 old\nlast", 37, 0600, &e));
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct pig_line r = { .size = sizeof r, .path = x, .line = "10.0.0.1 new", .match = "^10\\.0\\.0\\.1 " };
		struct pig_line n = { .size = sizeof n, .path = x, .line = "10.0.0.2 two" };
		struct pig_line k = { .size = sizeof k, .path = x, .block = "pig", .line = "a\nb" };
		struct op *o1 = op_new_line(a, &r), *o2 = op_new_line(a, &n), *o3 = op_new_line(a, &k);
		batch_add(&b, o1), batch_add(&b, o2), batch_add(&b, o3);
		CHECK(run(&b, &e));
		CHECK_INT(o1->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(o2->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(o3->state, turn ? OP_OK : OP_CHANGED);
	}
	CHECK_STR(read_text(a, x), "127.0.0.1 localhost\n10.0.0.1 new\nlast\n10.0.0.2 two\n# BEGIN pig\na\nb\n# END pig\n");
	struct stat st;
	CHECK(stat(x, &st) == 0 && (st.st_mode & 07777) == 0600);
	local_link_end(&l);
}

/* A systemctl that keeps its state in $T: what the unit's process has read is what `conf` held when it started. */
static const char systemctl[] =
	"#!/bin/sh\n"
	"u=pig-test-unit\n"
	"case $1 in\n"
	"show) case \"$*\" in *ConditionResult*) echo ConditionResult=yes; echo InvocationID=$(cat $T/inv); exit;; esac\n"
	"  echo LoadState=loaded; if [ -e $T/inv ]; then echo ActiveState=active; else echo ActiveState=inactive; fi\n"
	"  echo UnitFileState=enabled; echo NeedDaemonReload=no; echo InvocationID=$(cat $T/inv 2>/dev/null)\n"
	"  echo \"ExecMainStartTimestamp=Mon 2020-01-06 10:00:00 UTC\";;\n"
	"start|restart) n=$(cat $T/count 2>/dev/null); n=$((${n:-0} + 1)); echo $n >$T/count; echo inv$n >$T/inv; echo $1 >>$T/actions;;\n"
	"reload) echo reload >>$T/actions;;\n"
	"esac\n";

static void unit_case(struct arena *a, struct local_link *l, const char *conf, enum pig_on_change how, bool flush, enum op_state want)
{
	struct err e;
	struct batch b = local_batch(l, a);
	const char *path = arena_fmt(a, "%s/conf", l->dir);
	struct pig_unit u = { .size = sizeof u, .name = "pig-test-unit", .state = PIG_STARTED, .enable = 1, .watch = path, .on_change = how };
	struct op *first, *second;

	file_op(&b, path, conf, 0);
	batch_add(&b, first = op_new_unit(a, &u));
	batch_add(&b, second = op_new_unit(a, &u)); /* two operations that name one unit fold into one action */
	CHECK(run(&b, &e));
	CHECK_INT(first->state, want);
	if (flush) {
		CHECK(batch_flush_due(&b, &e));
		CHECK_INT(second->state, want == OP_DUE ? OP_CHANGED : OP_OK);
	}
}

/* A systemctl that learns what is enabled only when it is reloaded, as the real one does. */
static const char slow_systemctl[] =
	"#!/bin/sh\n"
	"case $1 in\n"
	"show) for u; do case $u in unit-*) [ -z \"$seen\" ] || echo; seen=1; echo LoadState=loaded; echo ActiveState=active\n"
	"  if [ -e $T/told-$u ]; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi;; esac; done;;\n"
	"*) echo \"$*\" >>$T/actions\n"
	"  for u; do case $* in *disable*unit-*) rm -f $T/disk-${u##* };; *enable*unit-*) case $u in unit-*) : >$T/disk-$u;; esac;; esac; done\n"
	"  case $* in *--no-reload*) exit;; esac; rm -f $T/told-*; for f in $T/disk-*; do [ ! -e $f ] || : >$T/told-${f##*disk-}; done;;\n"
	"esac\n";

static struct op *unit_op(struct batch *b, const char *name, signed char enable)
{
	struct pig_unit u = { .size = sizeof u, .name = name, .state = PIG_STARTED, .enable = enable };
	struct op *op = op_new_unit(b->a, &u);

	batch_add(b, op);
	return op;
}

/* However many units a session enables, systemd is reloaded once, when it is over; until then the session remembers. */
static void test_enabling(struct arena *a)
{
	struct local_link l;
	struct err e;
	struct map en = MAP(a);

	local_link_begin(&l, a);
	l.bin = arena_fmt(a, "%s/bin", l.dir);
	CHECK(os_mkdirs(l.bin, 0755, &e) && os_write(arena_fmt(a, "%s/systemctl", l.bin), slow_systemctl, sizeof slow_systemctl - 1, 0755, &e));
	const char *actions = arena_fmt(a, "%s/actions", l.dir);
	for (int turn = 0; turn < 3; turn++) {
		struct batch b = local_batch(&l, a);
		b.enabled = &en;
		struct op *one = unit_op(&b, "unit-1", 1), *two = unit_op(&b, "unit-2", 1);
		CHECK(run(&b, &e));
		CHECK_INT(one->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(two->state, turn ? OP_OK : OP_CHANGED);
		CHECK_STR(read_text(a, actions), turn < 2 ? "-q --no-reload enable -- unit-1\n-q --no-reload enable -- unit-2\n"
							  : "-q --no-reload enable -- unit-1\n-q --no-reload enable -- unit-2\ndaemon-reload\n");
		if (turn == 1) { /* the session is over; its names are not the next one's */
			CHECK(batch_reload(&b, &e));
			CHECK_INT(en.n, 0);
			CHECK(batch_reload(&b, &e)); /* nothing to tell */
		}
	}
	/* what the session has enabled can be disabled in it */
	struct batch b = local_batch(&l, a);
	b.enabled = &en;
	struct op *on = unit_op(&b, "unit-3", 1);
	CHECK(run(&b, &e));
	CHECK_INT(on->state, OP_CHANGED);
	struct batch c = local_batch(&l, a);
	c.enabled = &en;
	struct op *off = unit_op(&c, "unit-3", -1);
	CHECK(run(&c, &e));
	CHECK_INT(off->state, OP_CHANGED);
	CHECK_INT(en.n, 0); /* disabling has reloaded systemd */
	CHECK(access(arena_fmt(a, "%s/disk-unit-3", l.dir), F_OK) != 0);
	/* killed before the end: the next session finds "disabled", enables again, and systemd is told */
	struct map lost = MAP(a), next = MAP(a);
	for (int turn = 0; turn < 2; turn++) {
		struct batch d = local_batch(&l, a);
		d.enabled = turn ? &next : &lost;
		CHECK(unit_op(&d, "unit-4", 1) && run(&d, &e));
		CHECK_INT(d.ops[0]->state, OP_CHANGED);
		CHECK(!turn || batch_reload(&d, &e));
	}
	struct batch d = local_batch(&l, a);
	CHECK(unit_op(&d, "unit-4", 1) && run(&d, &e));
	CHECK_INT(d.ops[0]->state, OP_OK);
	local_link_end(&l);
}

static void test_units(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	l.bin = arena_fmt(a, "%s/bin", l.dir);
	CHECK(os_mkdirs(l.bin, 0755, &e) && os_write(arena_fmt(a, "%s/systemctl", l.bin), systemctl, sizeof systemctl - 1, 0755, &e));
	const char *actions = arena_fmt(a, "%s/actions", l.dir);

	unit_case(a, &l, "one", PIG_RESTART, true, OP_CHANGED);
	CHECK_STR(read_text(a, actions), "start\n");
	unit_case(a, &l, "one", PIG_RESTART, true, OP_OK); /* again: nothing */
	CHECK_STR(read_text(a, actions), "start\n");
	unit_case(a, &l, "two", PIG_RESTART, true, OP_DUE); /* new content: one restart */
	CHECK_STR(read_text(a, actions), "start\nrestart\n");
	unit_case(a, &l, "three", PIG_RESTART, false, OP_DUE); /* killed before the step's end: the restart is lost... */
	CHECK_STR(read_text(a, actions), "start\nrestart\n");
	unit_case(a, &l, "three", PIG_RESTART, true, OP_DUE); /* ...and done by the next run, though its files are as they should be */
	CHECK_STR(read_text(a, actions), "start\nrestart\nrestart\n");
	unit_case(a, &l, "three", PIG_RESTART, true, OP_OK);
	unit_case(a, &l, "four", PIG_RELOAD, true, OP_DUE);
	unit_case(a, &l, "four", PIG_RELOAD, true, OP_OK); /* a reload leaves InvocationID and times: the mark decides */
	CHECK_STR(read_text(a, actions), "start\nrestart\nrestart\nreload\n");
	/* an edit by hand that the process never read is put right without a reload: it still has what it should */
	CHECK(os_write(arena_fmt(a, "%s/conf", l.dir), "by hand", 7, 0644, &e));
	unit_case(a, &l, "four", PIG_RELOAD, true, OP_OK);
	CHECK_STR(read_text(a, arena_fmt(a, "%s/conf", l.dir)), "four");
	CHECK_STR(read_text(a, actions), "start\nrestart\nrestart\nreload\n");
	/* check mode foresees exactly that: a hand edit needs no reload, new content does, and nothing is done */
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct pig_unit u = { .size = sizeof u, .name = "pig-test-unit", .state = PIG_STARTED, .enable = 1,
				      .watch = arena_fmt(a, "%s/con*", l.dir), .on_change = PIG_RELOAD };
		struct op *op;
		if (!turn) { /* the mark belongs to a watch set: make one for this */
			batch_add(&b, op = op_new_unit(a, &u));
			CHECK(run(&b, &e) && batch_flush_due(&b, &e));
			CHECK(os_write(arena_fmt(a, "%s/conf", l.dir), "by hand", 7, 0644, &e));
			b = local_batch(&l, a);
		}
		b.check = true;
		file_op(&b, arena_fmt(a, "%s/conf", l.dir), turn ? "five" : "four", 0);
		batch_add(&b, op = op_new_unit(a, &u));
		CHECK(run(&b, &e));
		CHECK_INT(op->state, turn ? OP_WOULD : OP_OK);
	}
	/* nor is it otherwise when an earlier step of the host has the file and a later one the unit */
	for (int turn = 0; turn < 3; turn++) {
		struct foreseen *list = NULL;
		struct pig_unit u = { .size = sizeof u, .name = "pig-test-unit", .state = PIG_STARTED, .enable = 1,
				      .watch = arena_fmt(a, "%s/con*", l.dir), .on_change = PIG_RELOAD };
		struct batch b = local_batch(&l, a);
		struct op *op;
		b.check = true;
		file_op(&b, arena_fmt(a, "%s/conf", l.dir), "five", 0);
		if (turn) /* the last word counts */
			file_op(&b, arena_fmt(a, "%s/conf", l.dir), turn == 2 ? "four" : "six", 0);
		CHECK(run(&b, &e));
		batch_foresee(&b, a, &list);
		CHECK(list && !list->next);
		b = local_batch(&l, a);
		b.check = true;
		b.foreseen = list;
		batch_add(&b, op = op_new_unit(a, &u));
		CHECK(run(&b, &e));
		CHECK_INT(op->state, turn < 2 ? OP_WOULD : OP_OK);
	}
	CHECK_STR(read_text(a, actions), "start\nrestart\nrestart\nreload\nreload\n");
	local_link_end(&l);
}

/* Files read anew by a reload, others by a restart: a start reads them all. What is not there is asked nothing. */
static void test_watch_sets(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	l.bin = arena_fmt(a, "%s/bin", l.dir);
	CHECK(os_mkdirs(l.bin, 0755, &e) && os_write(arena_fmt(a, "%s/systemctl", l.bin), systemctl, sizeof systemctl - 1, 0755, &e));
	const char *env = arena_fmt(a, "%s/env", l.dir), *conf = arena_fmt(a, "%s/conf", l.dir);
	for (int turn = 0; turn < 3; turn++) {
		struct batch b = local_batch(&l, a);
		struct pig_unit u = { .size = sizeof u, .name = "pig-test-unit", .state = PIG_STARTED, .enable = 1, .watch = env, .on_change = PIG_RESTART };
		struct op *slow, *fast;
		file_op(&b, env, "env", 0);
		file_op(&b, conf, turn < 2 ? "one" : "two", 0);
		batch_add(&b, slow = op_new_unit(a, &u));
		u.watch = conf, u.on_change = PIG_RELOAD;
		batch_add(&b, fast = op_new_unit(a, &u));
		CHECK(run(&b, &e));
		CHECK_INT(slow->state, turn ? OP_OK : OP_CHANGED);
		CHECK_INT(fast->state, turn < 2 ? OP_OK : OP_DUE);
		CHECK(batch_flush_due(&b, &e));
	}
	CHECK_STR(read_text(a, arena_fmt(a, "%s/actions", l.dir)), "start\nreload\n");

	const char *none = "#!/bin/sh\necho LoadState=not-found\necho ActiveState=inactive\n";
	CHECK(os_write(arena_fmt(a, "%s/systemctl", l.bin), none, strlen(none), 0755, &e));
	struct batch b = local_batch(&l, a);
	struct pig_unit u = { .size = sizeof u, .flags = PIG_IF_THERE, .name = "pig-test-unit", .watch = conf, .on_change = PIG_RELOAD };
	struct pig_file f = { .size = sizeof f, .flags = PIG_IF_THERE, .path = arena_fmt(a, "%s/no/folder", l.dir) };
	struct pig_file g = { .size = sizeof g, .flags = PIG_IF_THERE, .path = arena_fmt(a, "%s/there", l.dir) };
	struct op *unit = op_new_unit(a, &u), *away = op_new_file(a, &f, "x", 1), *there = op_new_file(a, &g, "x", 1);
	batch_add(&b, unit), batch_add(&b, away), batch_add(&b, there);
	CHECK(run(&b, &e));
	CHECK_INT(unit->state, OP_OK);
	CHECK_INT(away->state, OP_OK);
	CHECK(access(f.path, F_OK) != 0);
	CHECK_INT(there->state, OP_CHANGED);
	CHECK_STR(read_text(a, g.path), "x");
	local_link_end(&l);
}

/* Of alternatives the one that is installed is removed, whatever stands before it. */
static void test_package_removed(struct arena *a)
{
	static const char query[] = "#!/bin/sh\n[ -e $T/gone ] || echo 'second installed'\n";
	static const char apt[] = "#!/bin/sh\necho \"$*\" >$T/args; : >$T/gone\n";
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	l.bin = arena_fmt(a, "%s/bin", l.dir);
	CHECK(os_mkdirs(l.bin, 0755, &e) && os_write(arena_fmt(a, "%s/dpkg-query", l.bin), query, sizeof query - 1, 0755, &e) &&
	      os_write(arena_fmt(a, "%s/apt-get", l.bin), apt, sizeof apt - 1, 0755, &e));
	for (int turn = 0; turn < 2; turn++) {
		struct batch b = local_batch(&l, a);
		struct pig_package p = { .size = sizeof p, .names = "first | second, third", .state = PIG_ABSENT };
		struct op *op = op_new_package(a, &p);
		batch_add(&b, op);
		CHECK(run(&b, &e));
		CHECK_INT(op->state, turn ? OP_OK : OP_CHANGED);
	}
	CHECK_HAS(read_text(a, arena_fmt(a, "%s/args", l.dir)), " remove second");
	local_link_end(&l);
}

/* A command that waits for its server holds nobody up: the looks at files run beside it, and neither sees the other's errors. */
static void test_looks_beside(struct arena *a)
{
	static const char stat[] = "#!/bin/sh\nn=0; while [ ! -e $T/asked ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done\n"
				   "[ -e $T/asked ] || : >$T/late\necho 'of the look' >&2; PATH=/usr/bin:/bin; exec stat \"$@\"\n";
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	l.bin = arena_fmt(a, "%s/bin", l.dir);
	CHECK(os_mkdirs(l.bin, 0755, &e) && os_write(arena_fmt(a, "%s/stat", l.bin), stat, sizeof stat - 1, 0755, &e));
	struct batch b = local_batch(&l, a);
	struct op *o = file_op(&b, arena_fmt(a, "%s/bin/stat", l.dir), stat, 0755);
	struct op *asks = SHELL(&b, .cmd = ": >$T/asked; echo told; echo 'of the command' >&2; exit 3", .reads = true);
	CHECK(run(&b, &e));
	CHECK_INT(l.frames, 1);
	CHECK_INT(o->state, OP_OK);
	CHECK_INT(asks->status, 3);
	CHECK_STR(asks->output, "told");
	CHECK(!read_text(a, arena_fmt(a, "%s/late", l.dir)));
	local_link_end(&l);
}

static void test_link_lost(struct arena *a)
{
	struct local_link l;
	struct err e;

	local_link_begin(&l, a);
	l.die_after = 2;
	struct batch b = local_batch(&l, a);
	struct op *op = file_op(&b, arena_fmt(a, "%s/x", l.dir), "x", 0);
	CHECK(!run(&b, &e));
	CHECK_INT(e.code, E_CONNECT);
	CHECK_INT(op->state, OP_NOT_RUN);
	local_link_end(&l);
}

int main(void)
{
	struct arena *a = arena_new();

	test_files(a);
	test_links_and_folders(a);
	test_check_mode(a);
	test_ensure(a);
	test_wait(a);
	test_lines(a);
	test_units(a);
	test_enabling(a);
	test_watch_sets(a);
	test_package_removed(a);
	test_looks_beside(a);
	test_link_lost(a);
	arena_free(a);
	return check_done();
}
