/* Printing a run as it goes. One mutex: lines of different hosts never mix. */
#include "run/report.h"
#include "base/os.h"
#include "run/screen.h"
#include "text/tmpl.h"

#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>

struct report {
	FILE *out;
	struct report_options o;
	struct secrets *secrets;
	pthread_mutex_t lock;
	struct counts sum;
	uint32_t hosts, unreachable;
	bool running; /* hosts are at work: there is something to draw */
	struct screen screen;
};

static void close_lock(void *p)
{
	pthread_mutex_destroy(&((struct report *)p)->lock);
}

struct report *report_new(struct arena *a, FILE *out, const struct report_options *o, struct secrets *s)
{
	struct report *r = arena_get(a, sizeof *r);

	r->out = out;
	r->o = *o;
	r->secrets = s;
	r->screen.a = a;
	pthread_mutex_init(&r->lock, NULL);
	arena_defer(a, close_lock, r);
	return r;
}

struct secrets *report_secrets(struct report *r)
{
	return r->secrets;
}

bool report_changed(const struct report *r)
{
	return r->sum.changed > 0;
}

static int columns(const struct report *r)
{
	struct winsize w;

	return ioctl(fileno(r->out), TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

/* The rows off, the text out, the rows drawn anew. With the lock held. */
static void put(struct report *r, const char *text)
{
	struct arena *a = arena_new();
	struct buf b = BUF(a);

	if (r->o.live) {
		screen_clear(&r->screen, &b);
		buf_str(&b, text);
		if (r->running)
			screen_draw(&r->screen, &b, columns(r), os_now_ms());
		text = buf_text(&b);
	}
	fputs(text, r->out);
	fflush(r->out);
	arena_free(a);
}

/* Print one whole text, masked. */
static void say(struct report *r, struct arena *a, const char *text)
{
	text = secrets_mask(r->secrets, a, text);
	pthread_mutex_lock(&r->lock);
	put(r, text);
	pthread_mutex_unlock(&r->lock);
}

static void json_text(struct buf *b, const char *key, const char *val)
{
	if (!val)
		return;
	struct value *v = value_str(b->a, val);
	struct json_style style = { .ascii = true };
	buf_fmt(b, "%s\"%s\": ", b->len > 1 ? ", " : "", key);
	if (!value_to_json(b, v, &style))
		buf_str(b, "null");
}

static void json_line(struct report *r, struct arena *a, const char *const *pairs)
{
	struct buf b = BUF(a);

	buf_ch(&b, '{');
	for (; pairs[0]; pairs += 2)
		json_text(&b, pairs[0], pairs[1]);
	buf_str(&b, "}\n");
	say(r, a, buf_text(&b));
}

#define JSON(r, a, ...) json_line((r), (a), (const char *const[]){ __VA_ARGS__, NULL })
#define OPT(key, val) (key), (val) /* left out when NULL */

void report_start(struct report *r, const char *playbook, uint32_t hosts, uint32_t steps)
{
	struct arena *a = arena_new();

	r->screen.total = hosts;
	if (r->o.json)
		JSON(r, a, "event", "start", "playbook", playbook, "mode", r->o.check ? "check" : "run");
	else
		say(r, a, arena_fmt(a, "%s %s on %u host%s, %u step%s\n", r->o.check ? "check" : "run", playbook, hosts, hosts == 1 ? "" : "s", steps,
				    steps == 1 ? "" : "s"));
	arena_free(a);
}

void report_task(struct report *r, const char *host, const char *step, const char *task)
{
	pthread_mutex_lock(&r->lock);
	screen_begin(&r->screen, host, step, task, os_now_ms());
	pthread_mutex_unlock(&r->lock);
}

void report_idle(struct report *r, const char *host, bool done)
{
	pthread_mutex_lock(&r->lock);
	if (done)
		screen_done(&r->screen, host);
	else
		screen_idle(&r->screen, host);
	pthread_mutex_unlock(&r->lock);
}

void report_tick(struct report *r)
{
	struct arena *a = arena_new();
	struct buf b = BUF(a);

	pthread_mutex_lock(&r->lock);
	if (!r->o.live && !r->o.json)
		screen_long(&r->screen, &b, os_now_ms());
	if (r->o.live || b.len)
		put(r, buf_text(&b));
	pthread_mutex_unlock(&r->lock);
	arena_free(a);
}

void report_working(struct report *r, bool on)
{
	pthread_mutex_lock(&r->lock);
	r->running = on && !r->o.json;
	if (!on)
		put(r, "");
	pthread_mutex_unlock(&r->lock);
}

static const char *const state_words[] = {
	[OP_QUEUED] = "queued", [OP_OK] = "ok", [OP_CHANGED] = "changed", [OP_WOULD] = "would change", [OP_DEPENDENT] = "would change",
	[OP_OPAQUE] = "would run", [OP_WARNED] = "warning", [OP_FAILED] = "failed", [OP_NOT_RUN] = "not run", [OP_DUE] = "due",
};

static const char *op_diff(struct arena *a, const struct op *op)
{
	struct buf b = BUF(a);

	if (op->secret) {
		buf_fmt(&b, "  (secret content: *** sha256 %.12s -> %.12s)\n", op->found.sum ? op->found.sum : "none", op->sum ? op->sum : "none");
		return buf_text(&b);
	}
	const char *path = op->kind == &op_line ? op->d.line.path : op->d.file.path;
	const char *old = op->old ? op->old : "";
	diff_text(&b, op->found.exists ? path : "/dev/null", old, op->old_len, path, op->text, op->text_len);
	return buf_text(&b);
}

void report_op(struct report *r, const char *host, const char *task, const char *delegated, const struct op *op)
{
	struct arena *a = arena_new();
	bool quiet = op->state == OP_OK || op->state == OP_NOT_RUN || op->state == OP_QUEUED;
	bool diff = r->o.diff && op->text && (op->kind == &op_file || op->kind == &op_line) && (op->state == OP_CHANGED || op->state == OP_WOULD || op->state == OP_DEPENDENT);
	const char *why = op->state == OP_WARNED ? op->why.msg : op->state == OP_OK || op->state == OP_FAILED ? NULL : op->reason;
	const char *on = delegated ? arena_fmt(a, "%s -> %s", host, delegated) : host;

	if (op->depends)
		why = arena_fmt(a, "%s%sdepends on %s", why ? why : "", why ? ", " : "", op->depends);
	if (op->state == OP_WARNED && op->why.detail[0])
		why = arena_fmt(a, "%s: %.*s", op->why.msg, (int)strcspn(op->why.detail, "\n"), op->why.detail);
	if (r->o.json) {
		if (!quiet || r->o.verbose)
			JSON(r, a, "event", "operation", "host", host, "task", task, "operation", op->title, "state", state_words[op->state], "kind",
			     op->state == OP_OPAQUE ? "opaque" : op->depends ? "dependent" : "exact", OPT("on", delegated), OPT("reason", why),
			     OPT("diff", diff ? op_diff(a, op) : NULL));
	} else if ((!quiet && op->state != OP_FAILED) || (r->o.verbose && op->state == OP_OK)) {
		say(r, a, arena_fmt(a, "%s: %s: %s: %s%s%s%s\n%s", on, task, state_words[op->state], op->title, why ? " (" : "", why ? why : "", why ? ")" : "",
				    diff ? op_diff(a, op) : ""));
	}
	arena_free(a);
}

void report_warning(struct report *r, const char *host, const char *task, const char *text)
{
	struct arena *a = arena_new();

	if (r->o.json)
		JSON(r, a, "event", "warning", OPT("host", host), OPT("task", task), "text", text);
	else
		say(r, a, arena_fmt(a, "%s%s%s%swarning: %s\n", host ? host : "", host ? ": " : "", task ? task : "", task ? ": " : "", text));
	arena_free(a);
}

void report_failure(struct report *r, const char *host, const char *task, const struct err *e)
{
	struct arena *a = arena_new();

	if (r->o.json)
		JSON(r, a, "event", "failed", "host", host, OPT("task", task), "message", e->msg, OPT("detail", e->detail[0] ? e->detail : NULL),
		     OPT("hint", e->hint[0] ? e->hint : NULL), OPT("where", e->where[0] ? e->where : NULL));
	else
		say(r, a, arena_fmt(a, "%s: %s%sfailed: %s\n", host, task ? task : "", task ? ": " : "", err_text(e, a)));
	arena_free(a);
}

void report_not_run(struct report *r, const char *host, const char *step, const char *why)
{
	struct arena *a = arena_new();

	if (r->o.json)
		JSON(r, a, "event", "not run", "host", host, "step", step, "reason", why);
	else
		say(r, a, arena_fmt(a, "%s: %s: not run, %s\n", host, step, why));
	arena_free(a);
}

void report_recap_host(struct report *r, const char *host, const struct counts *c, const char *state)
{
	struct arena *a = arena_new();

	r->hosts++;
	r->sum.ok += c->ok, r->sum.changed += c->changed, r->sum.warned += c->warned, r->sum.failed += c->failed, r->sum.not_run += c->not_run;
	r->unreachable += state && !strcmp(state, "unreachable");
	if (r->o.json)
		say(r, a, arena_fmt(a, "{\"event\": \"recap\", \"host\": \"%s\", \"ok\": %u, \"changed\": %u, \"warned\": %u, \"failed\": %u, \"not_run\": %u, \"state\": \"%s\"}\n",
				    host, c->ok, c->changed, c->warned, c->failed, c->not_run, state ? state : "done"));
	else
		say(r, a, arena_fmt(a, "%-24s ok=%-4u changed=%-4u warned=%-3u failed=%-2u not run=%-2u %s\n", host, c->ok, c->changed, c->warned, c->failed,
				    c->not_run, state ? state : ""));
	arena_free(a);
}

void report_end(struct report *r, int status, int64_t ms)
{
	struct arena *a = arena_new();
	const struct counts *c = &r->sum;

	if (r->o.json)
		say(r, a, arena_fmt(a, "{\"event\": \"end\", \"status\": %d, \"ok\": %u, \"changed\": %u, \"warned\": %u, \"failed\": %u, \"not_run\": %u, "
				       "\"unreachable\": %u, \"ms\": %lld}\n", status, c->ok, c->changed, c->warned, c->failed, c->not_run, r->unreachable, (long long)ms));
	else
		say(r, a, arena_fmt(a, "%s: hosts=%u ok=%u changed=%u warned=%u failed=%u not run=%u unreachable=%u in %lld.%02lld s\n",
				    r->o.check ? "check" : status ? "ended" : "done", r->hosts, c->ok, c->changed, c->warned, c->failed, c->not_run, r->unreachable,
				    (long long)ms / 1000, (long long)ms % 1000 / 10));
	arena_free(a);
}
