/*
 * systemd units. A unit's process has read the files it watches; after each start, restart or reload a mark on the host keeps the
 * unit's InvocationID and the digest of the watched content, so that a restart that was due and lost (the run was killed) is still
 * due, and one that was done is never done again. What is due because of changed content is folded: once a unit at the end of the step.
 */
#include "ops/batch.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { U_RELOAD_DAEMON = 1, U_START = 2, U_STOP = 4, U_ENABLE = 8, U_DISABLE = 16, U_DUE = 32, U_AGAIN = 64 };

/* The watched words as shell words: globs stay globs, all else is quoted. */
static const char *watch_words(struct arena *a, const char *watch)
{
	struct buf b = BUF(a);

	for (const char *p = watch; p && *p;) {
		size_t n = strcspn(p, " \n\t,");
		for (size_t i = 0; i < n; i++) {
			if (strchr("*?[]", p[i]) || strchr("/._-", p[i]) || (p[i] >= '0' && p[i] <= '9') || ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z'))
				buf_ch(&b, p[i]);
			else
				buf_fmt(&b, "\\%c", p[i]);
		}
		p += n + (p[n] != 0);
		buf_ch(&b, ' ');
	}
	return buf_text(&b);
}

/* Where the mark of one operation's watch set lives. */
static const char *mark_path(struct arena *a, const struct op *op)
{
	const char *sum = op_sum(a, op->d.unit.watch, strlen(op->d.unit.watch));

	return arena_fmt(a, "/run/pig/unit/%s.%.12s", op->d.unit.name, sum);
}

/* For all units of a look: one systemctl, one sha256sum, one stat. Blocks come in the order of names, each name once. */
static void unit_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	struct buf names = BUF(b->a), words = BUF(b->a), marks = BUF(b->a);
	uint32_t blocks = 0;

	for (size_t i = 0; i < n; i++) {
		const struct pig_unit *d = &ops[i]->d.unit;
		size_t j = 0;
		while (strcmp(ops[j]->d.unit.name, d->name))
			j++;
		ops[i]->todo = j < i ? ops[j]->todo : blocks++;
		if (j == i) {
			buf_ch(&names, ' ');
			buf_quote(&names, d->name);
		}
		if (!d->watch)
			continue;
		buf_fmt(&words, " %s", watch_words(b->a, d->watch));
		buf_str(&marks, "m=; { read -r m <");
		buf_quote(&marks, mark_path(b->a, ops[i]));
		buf_fmt(&marks, "; } 2>/dev/null; echo \"%u=$m\"\n", ops[i]->index);
	}
	script_section(s, "units", arena_fmt(b->a, "TZ=UTC systemctl show -p LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,"
		"InvocationID,ExecMainStartTimestamp,ActiveEnterTimestamp,FragmentPath --%s", buf_text(&names)));
	/* systemd knows when a file it has read has changed, but not that one of more weight has come beside it */
	script_section(s, "own", arena_fmt(b->a, "(cd /etc/systemd/system && for u in%s; do case $u in *.*) ;; *) u=$u.service ;; esac; "
		"[ ! -f \"$u\" ] || echo \"$PWD/$u\"; done); :", buf_text(&names)));
	if (words.len)
		script_section(s, "watched", arena_fmt(b->a, "%secho =; sha256sum --%s 2>/dev/null; echo =; stat -L -c '%%.6Z %%n' --%s 2>/dev/null; :",
			buf_text(&marks), buf_text(&words), buf_text(&words)));
}

struct unit_found {
	const char *load, *active, *file, *need, *invocation, *started, *mark, *digest;
	double newest;
	bool looping; /* it failed and waits for the next attempt: "activating", but no process is there */
	bool will_differ; /* check mode: the watched content would change */
};

static const char *field(struct arena *a, const char *text, const char *key)
{
	size_t k = strlen(key);

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		if (n > k && !strncmp(line, key, k) && line[k] == '=')
			return arena_strn(a, line + k + 1, n - k - 1);
		line += n + (line[n] == '\n');
	}
	return "";
}

struct watched { const char *path, *sum; };

static int by_path(const void *x, const void *y)
{
	return strcmp(((const struct watched *)x)->path, ((const struct watched *)y)->path);
}

/* Is the path one of the watched words or matched by one? */
static bool is_watched(const char *word, size_t len, const char *path, struct arena *a)
{
	return len && !fnmatch(arena_strn(a, word, len), path, FNM_PATHNAME | FNM_PERIOD);
}

static size_t watched_put(struct watched *list, size_t n, const char *path, const char *sum)
{
	size_t k = 0;

	while (k < n && strcmp(list[k].path, path))
		k++;
	list[k] = (struct watched){ path, sum };
	return n + (k == n);
}

/* The path of the file that an operation would write or remove, and the sum of what it would hold then; NULL: none. */
static const char *would_hold(const struct op *o, struct arena *a, const char **sum)
{
	const char *path = o->kind == &op_file ? o->d.file.path : o->kind == &op_line ? o->d.line.path : NULL;
	bool gone = o->kind == &op_file && o->d.file.state == PIG_ABSENT;

	if (!path || !op_changed(o) || (!o->text && !gone))
		return NULL;
	*sum = gone ? NULL : op_sum(a, o->text, o->text_len);
	return path;
}

void batch_foresee(struct batch *b, struct arena *a, struct foreseen **list)
{
	for (; b->foretold < b->done; b->foretold++) {
		const char *sum, *path = would_hold(b->ops[b->foretold], a, &sum);
		struct foreseen *f = *list;
		while (path && f && strcmp(f->path, path))
			f = f->next;
		if (path && !f) {
			f = arena_get(a, sizeof *f);
			*f = (struct foreseen){ *list, arena_str(a, path), NULL };
			*list = f;
		}
		if (path)
			f->sum = sum;
	}
}

/* Files and sums: those found, each once and, in check mode, changed by what earlier operations would write or remove. */
static size_t files_seen(struct batch *b, const struct op *op, const char *sums, bool foreseen, struct watched **out)
{
	size_t n = 0, lines = 1;

	for (const char *p = sums; *p; p++)
		lines += *p == '\n';
	for (const struct foreseen *f = b->foreseen; foreseen && f; f = f->next)
		lines++;
	struct watched *list = arena_new_of(b->a, struct watched, lines + op->index + 1);
	for (const char *p = sums; *p;) {
		size_t len = strcspn(p, "\n"), k = 0;
		const char *path = len > 66 ? arena_strn(b->a, p + 66, len - 66) : "";
		while (k < n && strcmp(list[k].path, path))
			k++;
		if (k == n && len > 66)
			list[n++] = (struct watched){ path, arena_strn(b->a, p, 64) };
		p += len + (p[len] == '\n');
	}
	for (const struct foreseen *f = b->foreseen; foreseen && f; f = f->next)
		n = watched_put(list, n, f->path, f->sum);
	for (uint32_t i = 0; foreseen && i < op->index; i++) {
		const char *sum, *path = would_hold(b->ops[i], b->a, &sum);
		if (path)
			n = watched_put(list, n, path, sum);
	}
	qsort(list, n, sizeof *list, by_path);
	*out = list;
	return n;
}

/* The digest that the host makes of the watched content: of what sha256sum says of its words, in their order. */
static const char *digest_of(struct batch *b, const struct op *op, const char *sums, bool foreseen)
{
	struct watched *list;
	size_t n = files_seen(b, op, sums, foreseen, &list);
	struct buf text = BUF(b->a);

	for (const char *p = op->d.unit.watch; *p;) {
		size_t len = strcspn(p, " \n\t,");
		for (size_t i = 0; i < n; i++)
			if (list[i].sum && is_watched(p, len, list[i].path, b->a))
				buf_fmt(&text, "%s  %s\n", list[i].sum, list[i].path);
		p += len + (p[len] != 0);
	}
	return op_sum(b->a, buf_text(&text), text.len);
}

/* The latest change among the watched files, of lines "seconds path". */
static double newest_of(struct batch *b, const char *watch, const char *times)
{
	double newest = 0;

	for (const char *line = times; *line;) {
		size_t n = strcspn(line, "\n");
		const char *text = arena_strn(b->a, line, n), *path = strchr(text, ' ');
		double t = strtod(text, NULL);
		for (const char *p = watch; path && *p;) {
			size_t len = strcspn(p, " \n\t,");
			if (t > newest && is_watched(p, len, path + 1, b->a))
				newest = t;
			p += len + (p[len] != 0);
		}
		line += n + (line[n] == '\n');
	}
	return newest;
}

/* The n-th block of systemctl's answer; blocks are divided by empty lines. */
static const char *block_at(struct arena *a, const char *text, uint32_t n)
{
	for (; n && text; n--) {
		text = strstr(text, "\n\n");
		text = text ? text + 2 : NULL;
	}
	if (!text)
		return "";
	const char *end = strstr(text, "\n\n");
	return end ? arena_strn(a, text, (size_t)(end - text)) : text;
}

/* Is the file that systemd has read one of the distribution's while there is one of the machine's own? */
static bool outweighed(struct batch *b, const struct op *op, const char *fragment)
{
	const struct section *own = sections_get(&b->found, "own");
	const char *name = op->d.unit.name, *line;

	if (!own || strncmp(fragment, "/lib/", 5) * strncmp(fragment, "/usr/", 5) != 0)
		return false;
	line = arena_fmt(b->a, "/etc/systemd/system/%s%s\n", name, strchr(name, '.') ? "" : ".service");
	return strstr(arena_fmt(b->a, "%s\n", own->out), line) != NULL;
}

static void unit_parse(struct batch *b, const struct op *op, uint32_t block, struct unit_found *f)
{
	const struct section *units = sections_get(&b->found, "units"), *watched = sections_get(&b->found, "watched");
	struct arena *a = b->a;
	const char *text = block_at(a, units ? units->out : "", block);

	*f = (struct unit_found){ .mark = "", .digest = "" };
	f->load = field(a, text, "LoadState"), f->active = field(a, text, "ActiveState");
	f->looping = !strcmp(field(a, text, "SubState"), "auto-restart");
	f->file = field(a, text, "UnitFileState"), f->need = field(a, text, "NeedDaemonReload");
	if (outweighed(b, op, field(a, text, "FragmentPath")))
		f->need = "yes";
	f->invocation = field(a, text, "InvocationID"), f->started = field(a, text, "ExecMainStartTimestamp");
	if (!*f->started) /* sockets, timers: no process of their own */
		f->started = field(a, text, "ActiveEnterTimestamp");
	if (!op->d.unit.watch || !watched)
		return;
	/* marks, sums and times, divided by lines "=" */
	char *marks = arena_fmt(a, "%s\n", watched->out), *sums = strstr(marks, "\n=\n"), *times = sums ? strstr(sums + 2, "\n=\n") : NULL;
	if (!times)
		return;
	sums[1] = times[1] = 0;
	sums += times == sums + 2 ? 2 : 3; /* no watched file exists: "=" follows on "=" */
	times += 3;
	f->mark = field(a, marks, arena_fmt(a, "%u", op->index));
	f->digest = digest_of(b, op, sums, false);
	if (b->check) {
		const char *then = digest_of(b, op, sums, true);
		f->will_differ = strcmp(then, f->digest) != 0;
		f->digest = then;
	}
	f->newest = newest_of(b, op->d.unit.watch, times);
}

/* "Mon 2026-11-23 19:05:22 UTC", whole seconds; 0 when there is none. */
static double start_time(const struct unit_found *f)
{
	struct tm tm = { 0 };
	const char *p = strchr(f->started, ' ');

	if (!p || sscanf(p, " %d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (double)timegm(&tm);
}

/* Has the running process read the present content? */
static bool is_fresh(struct arena *a, const struct unit_found *f)
{
	if (*f->mark && !strcmp(f->mark, arena_fmt(a, "%s %s", f->invocation, f->digest)))
		return true;
	if (f->will_differ)
		return false;
	/* the second a process started in is not known finer: content of that same second counts as unread */
	return start_time(f) > f->newest;
}

static bool unit_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct pig_unit *d = &op->d.unit;
	struct unit_found f;

	unit_parse(b, op, op->todo, &f); /* the probe left the number of its block there */
	op->todo = 0;
	bool running = !strcmp(f.active, "active") || !strcmp(f.active, "activating") || !strcmp(f.active, "reloading");
	running = running && !f.looping;
	bool missing = !strcmp(f.load, "not-found") || !*f.load;
	if (missing && ((op->flags & PIG_IF_THERE) || d->state == PIG_STOPPED || d->state == PIG_ABSENT || d->enable < 0)) {
		op->state = OP_OK;
		return true;
	}
	if (missing || !strcmp(f.load, "masked") || !strcmp(f.load, "bad-setting") || !strcmp(f.load, "error"))
		return fail(e, E_REMOTE, "%s: %s", op->title, missing ? "there is no such unit on the host" : f.load);
	if (!strcmp(f.need, "yes")) {
		op->todo |= U_RELOAD_DAEMON;
		op_why(b, op, "its file changed: daemon-reload");
	}
	bool enabled = (strcmp(f.file, "disabled") && strcmp(f.file, "") && strcmp(f.file, "masked")) || (b->enabled && map_has(b->enabled, d->name));
	if (d->enable > 0 && !enabled) {
		op->todo |= U_ENABLE;
		op_why(b, op, "enable");
	} else if (d->enable < 0 && (!strncmp(f.file, "enabled", 7) || (b->enabled && map_has(b->enabled, d->name)))) {
		op->todo |= U_DISABLE;
		op_why(b, op, "disable");
	}
	if (d->state == PIG_STARTED && !running) {
		op->todo |= U_START | (strcmp(f.active, "inactive") ? U_AGAIN : 0);
		op_why(b, op, "%s -> start", f.active);
	} else if ((d->state == PIG_STOPPED || d->state == PIG_ABSENT) && (running || f.looping)) {
		op->todo |= U_STOP;
		op_why(b, op, "stop");
	} else if (running && d->watch && d->on_change != PIG_NOTHING && d->state != PIG_STOPPED && !is_fresh(b->a, &f)) {
		op->todo |= U_DUE;
		op_why(b, op, "%s, its process has not read the present %s", d->on_change == PIG_RESTART ? "restart" : "reload", d->watch);
	}
	if (op->todo == U_DUE && !(op->flags & PIG_NOW) && !b->check) {
		op->state = OP_DUE;
		batch_due_add(b, op);
		return true;
	}
	op->state = op->todo ? OP_QUEUED : OP_OK;
	return true;
}

const char *unit_action(struct arena *a, const char *verb, const char *unit, struct op *const *ops, size_t n)
{
	struct buf c = BUF(a), q = BUF(a);

	buf_quote(&q, unit);
	/* the digest is taken before: what changes while the unit starts must count as unread */
	for (size_t i = 0; i < n; i++)
		if (ops[i]->d.unit.watch)
			buf_fmt(&c, "d%zu=$(sha256sum -- %s 2>/dev/null | sha256sum)\n", i, watch_words(a, ops[i]->d.unit.watch));
	buf_fmt(&c, "systemctl %s -- %s >&2 || { r=$?; journalctl -u %s -n 15 --no-pager -o cat >&2 2>/dev/null; exit $r; }\n", verb,
		buf_text(&q), buf_text(&q));
	buf_fmt(&c, "i=$(systemctl show -p InvocationID,ConditionResult -- %s); mkdir -p /run/pig/unit\n", buf_text(&q));
	if (strcmp(verb, "reload")) /* systemctl answers 0 when a condition of the unit, such as a capability, kept it from starting */
		buf_str(&c, "case $i in *ConditionResult=no*) echo 'a condition of the unit is not met, so it was not started' >&2; exit 4 ;; esac\n");
	buf_str(&c, "i=${i##*InvocationID=}; i=${i%%[!0-9a-z]*}\n");
	for (size_t i = 0; i < n; i++) {
		if (!ops[i]->d.unit.watch)
			continue;
		struct buf m = BUF(a);
		buf_quote(&m, mark_path(a, ops[i]));
		buf_fmt(&c, "printf '%%s %%s\\n' \"$i\" \"${d%zu%%%% *}\" >%s.new && mv -f %s.new %s\n", i, buf_text(&m), buf_text(&m), buf_text(&m));
	}
	return buf_text(&c);
}

/* A unit that starts reads all that any operation of the batch watches for it. */
static struct op **of_unit(struct batch *b, const struct op *op, size_t *n)
{
	struct op **list = arena_new_of(b->a, struct op *, b->n + 1);

	*n = 0;
	for (size_t i = 0; i < b->n; i++)
		if (b->ops[i]->kind == &op_unit && !strcmp(b->ops[i]->d.unit.name, op->d.unit.name))
			list[(*n)++] = b->ops[i];
	return list;
}

static void unit_apply(struct batch *b, struct script *s, struct op *op)
{
	const struct pig_unit *d = &op->d.unit;
	struct buf c = BUF(b->a), q = BUF(b->a);

	buf_quote(&q, d->name);
	buf_str(&c, "export SYSTEMCTL_SKIP_SYSV=1\n");
	/* a start need not wait until systemd has read what was enabled */
	if (op->todo & U_RELOAD_DAEMON) {
		if (op->todo & U_ENABLE)
			buf_fmt(&c, "systemctl -q --no-reload enable -- %s >&2 || exit\n", buf_text(&q));
		buf_str(&c, "systemctl daemon-reload >&2 || exit\n");
	}
	if (op->todo & U_DISABLE)
		buf_fmt(&c, "systemctl -q disable -- %s >&2 || exit\n", buf_text(&q));
	if (op->todo & U_STOP)
		buf_fmt(&c, "systemctl stop -- %s >&2 || exit\n", buf_text(&q));
	if (op->todo & U_AGAIN) /* what failed too often is to be tried again: the cause may be mended */
		buf_fmt(&c, "systemctl reset-failed -- %s 2>/dev/null\n", buf_text(&q));
	if (op->todo & U_START) {
		size_t n;
		struct op **all = of_unit(b, op, &n);
		buf_str(&c, unit_action(b->a, "start", d->name, all, n));
	}
	if ((op->todo & U_ENABLE) && !(op->todo & U_RELOAD_DAEMON))
		buf_fmt(&c, "systemctl -q %senable -- %s >&2 || exit\n", b->enabled ? "--no-reload " : "", buf_text(&q));
	if (op->todo & U_DUE) /* PIG_NOW */
		buf_str(&c, unit_action(b->a, d->on_change == PIG_RESTART ? "restart" : "reload", d->name, &op, 1));
	script_step(s, arena_fmt(b->a, "a%u", op->index), buf_text(&c), op->flags & PIG_SOFT);
}

static bool unit_done(struct batch *b, struct op *op, const struct section *sec, struct err *e)
{
	(void)e; /* a failure is told as any other's */
	if (sec->status)
		return false;
	if (b->enabled && (op->todo & (U_RELOAD_DAEMON | U_DISABLE)))
		*b->enabled = MAP(b->enabled->a); /* systemd has been reloaded */
	else if (b->enabled && (op->todo & U_ENABLE))
		map_put(b->enabled, op->d.unit.name, b->enabled);
	return true;
}

const struct op_kind op_unit = {
	.name = "unit", .disturbs = D_RUN, .sensitive = D_ALL,
	.probe = unit_probe, .decide = unit_decide, .apply = unit_apply, .done = unit_done,
};
