/*
 * ensure (probe, want, apply), wait (probe until) and shell (opaque). Their comparison is a plain one of texts, so behind a change
 * they are decided on the host, in the same frame as the change.
 */
#include "ops/batch.h"

#include <string.h>

/* `{ command; } <stdin` of one of the operation's commands */
static const char *with_input(struct batch *b, struct script *s, const struct op *op, const char *cmd, const char *in)
{
	const char *code = op_command(b->a, op->as, cmd);

	if (in)
		return arena_fmt(b->a, "{ %s\n} <\"$P/%zu\"", code, script_input(s, in, strlen(in)));
	return code;
}

/* shell condition: the answer in $o and status in $r are as wanted */
static const char *as_wanted(struct batch *b, const char *want)
{
	struct buf c = BUF(b->a);

	if (!want)
		return "[ \"$r\" = 0 ]";
	size_t n = strlen(want);
	while (n && want[n - 1] == '\n')
		n--;
	buf_str(&c, "[ \"$o\" = ");
	buf_quote(&c, arena_strn(b->a, want, n));
	buf_str(&c, " ]");
	return buf_text(&c);
}

static bool is_wanted(const struct section *sec, const char *want)
{
	if (!sec)
		return false;
	if (!want)
		return sec->status == 0;
	size_t n = strlen(want);
	while (n && want[n - 1] == '\n')
		n--;
	return sec->len == n && !memcmp(sec->out, want, n);
}

static const struct section *answer(struct batch *b, struct op *op)
{
	const struct section *sec = sections_get(&b->found, arena_fmt(b->a, "p%u", op->index));

	if (sec) {
		op->output = sec->out;
		op->status = sec->status;
	}
	return sec;
}

/* one line of what the host answered, for reasons */
static const char *short_answer(struct batch *b, const struct op *op, const struct section *sec)
{
	if (op->secret || !sec)
		return "***";
	size_t n = strcspn(sec->out, "\n");
	if (!n)
		return sec->status ? arena_fmt(b->a, "status %d", sec->status) : "\"\"";
	return arena_fmt(b->a, "\"%.*s%s\"", (int)(n > 60 ? 60 : n), sec->out, n > 60 || sec->out[n] ? "..." : "");
}

/* ---- ensure ---- */

static void ensure_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		script_section(s, arena_fmt(b->a, "p%u", ops[i]->index),
			       with_input(b, s, ops[i], ops[i]->d.ensure.probe, ops[i]->d.ensure.probe_in));
}

static bool ensure_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct section *sec = answer(b, op);

	(void)e;
	op->todo = 0;
	if (is_wanted(sec, op->d.ensure.want)) {
		op->state = OP_OK;
		return true;
	}
	op->state = OP_QUEUED;
	if (op->d.ensure.want && !op->secret)
		op_why(b, op, "%s -> \"%.*s\"", short_answer(b, op, sec), (int)strcspn(op->d.ensure.want, "\n"), op->d.ensure.want);
	else
		op_why(b, op, "not so yet");
	return true;
}

/* todo 1: look first, as nothing was decided yet. Answers "=" unchanged or "+" changed; 98: applied and still not as wanted. */
static void ensure_apply(struct batch *b, struct script *s, struct op *op)
{
	const struct pig_ensure *d = &op->d.ensure;
	const char *probe = with_input(b, s, op, d->probe, d->probe_in);
	const char *apply = with_input(b, s, op, d->apply ? d->apply : "false", d->in);
	const char *ok = as_wanted(b, d->want), *stop = op->flags & PIG_SOFT ? "" : "; exit 0";

	if (op->todo == 1)
		script_raw(s, "o=$( { %s\n} 2>\"$P/e\" </dev/null ); r=$?\nif %s; then o==; S a%u 0; else\n", probe, ok, op->index);
	script_raw(s, "o=$( { %s\n} 2>\"$P/e\" </dev/null ); r=$?\nif [ $r = 0 ]; then\n", apply);
	script_raw(s, "o=$( { %s\n} 2>\"$P/e\" </dev/null ); r=$?\nif %s; then o=+; S a%u 0; else S a%u 98%s; fi\n", probe, ok, op->index, op->index, stop);
	script_raw(s, "else [ $r != 98 ] || r=1; S a%u $r%s; fi\n", op->index, stop);
	if (op->todo == 1)
		script_raw(s, "fi\n");
}

static bool ensure_done(struct batch *b, struct op *op, const struct section *sec, struct err *e)
{
	if (sec->status == 0) {
		op->state = !strcmp(sec->out, "=") ? OP_OK : OP_CHANGED;
		return true;
	}
	if (sec->status == 98) {
		fail(e, E_REMOTE, "%s: was applied, and is still not as wanted: %s", op->title, short_answer(b, op, sec));
		err_detail(e, "%s", sec->errs ? sec->errs : "");
	}
	return false;
}

const struct op_kind op_ensure = {
	.name = "ensure", .disturbs = D_RUN, .sensitive = D_ALL, .inline_ok = true,
	.probe = ensure_probe, .decide = ensure_decide, .apply = ensure_apply, .done = ensure_done,
};

/* ---- wait ---- */

static void wait_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		script_section(s, arena_fmt(b->a, "p%u", ops[i]->index), with_input(b, s, ops[i], ops[i]->d.wait.probe, ops[i]->d.wait.in));
}

static bool wait_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct section *sec = answer(b, op);

	(void)e;
	op->todo = 0;
	op->state = is_wanted(sec, op->d.wait.want) || b->check ? OP_OK : OP_QUEUED;
	op->reason = "waits";
	return true;
}

static uint32_t wait_limit(const struct op *op)
{
	return op->d.wait.limit_s ? op->d.wait.limit_s : 60;
}

static void wait_apply(struct batch *b, struct script *s, struct op *op)
{
	const struct pig_wait *d = &op->d.wait;
	uint32_t ms = d->every_ms ? d->every_ms : 200;

	s->limit_s += (int)wait_limit(op);
	script_raw(s, "read -r u _ </proc/uptime; n=$((${u%%.*} + %u))\nwhile :; do o=$( { %s\n} 2>\"$P/e\" </dev/null ); r=$?\n",
		   wait_limit(op) + 1, with_input(b, s, op, d->probe, d->in));
	script_raw(s, "if %s; then S a%u 0; break; fi\n", as_wanted(b, d->want), op->index);
	script_raw(s, "read -r u _ </proc/uptime; if [ ${u%%.*} -ge $n ]; then S a%u 97%s; break; fi\nsleep %u.%03u; done\n", op->index,
		   op->flags & PIG_SOFT ? "" : "; exit 0", ms / 1000, ms % 1000);
}

static bool wait_done(struct batch *b, struct op *op, const struct section *sec, struct err *e)
{
	op->output = sec->out;
	if (sec->status == 0) {
		op->state = OP_OK; /* waiting changes nothing */
		return true;
	}
	fail(e, E_TIMEOUT, "waited %u s in vain for %s; last answer: %s", wait_limit(op), op->d.wait.why ? op->d.wait.why : op->title,
	     short_answer(b, op, sec));
	err_detail(e, "%s", sec->errs ? sec->errs : "");
	return false;
}

const struct op_kind op_wait = {
	.name = "wait", .disturbs = D_RUN /* what it waited for has changed the ground */, .sensitive = D_ALL, .inline_ok = true,
	.probe = wait_probe, .decide = wait_decide, .apply = wait_apply, .done = wait_done,
};

/* ---- shell ---- */

static void shell_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct pig_shell *d = &ops[i]->d.shell;
		const char *id = arena_fmt(b->a, "p%u", ops[i]->index);
		struct buf c = BUF(b->a);
		if (d->reads) {
			script_section(s, id, with_input(b, s, ops[i], d->cmd, d->in));
		} else if (d->creates) {
			buf_str(&c, "test -e ");
			buf_quote(&c, d->creates);
			script_section(s, id, buf_text(&c));
		}
	}
}

static bool shell_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct section *sec = answer(b, op);

	(void)e;
	op->todo = 0;
	if (op->d.shell.reads || (op->d.shell.creates && sec && sec->status == 0)) {
		op->state = OP_OK;
		return true;
	}
	op->state = OP_QUEUED;
	op_why(b, op, "runs");
	return true;
}

static void shell_apply(struct batch *b, struct script *s, struct op *op)
{
	const struct pig_shell *d = &op->d.shell;
	const char *code = with_input(b, s, op, d->cmd, d->in), *id = arena_fmt(b->a, "a%u", op->index);

	if (op->todo == 1 && d->reads) {
		script_step(s, id, code, true); /* a status is an answer */
		return;
	}
	if (op->todo == 1 && d->creates) {
		struct buf c = BUF(b->a);
		buf_quote(&c, d->creates);
		script_raw(s, "if [ -e %s ]; then o==; S a%u 0; else\n", buf_text(&c), op->index);
	}
	script_step(s, id, code, op->flags & PIG_SOFT);
	if (op->todo == 1 && d->creates)
		script_raw(s, "fi\n");
}

static bool shell_done(struct batch *b, struct op *op, const struct section *sec, struct err *e)
{
	(void)b, (void)e;
	op->output = sec->out;
	op->status = sec->status;
	if (op->d.shell.reads) {
		op->state = OP_OK;
		return true;
	}
	if (sec->status == 0 && op->todo == 1 && op->d.shell.creates && !strcmp(sec->out, "="))
		op->state = OP_OK;
	return sec->status == 0;
}

const struct op_kind op_shell = {
	.name = "shell", .disturbs = D_RUN, .sensitive = D_ALL, .inline_ok = true,
	.probe = shell_probe, .decide = shell_decide, .apply = shell_apply, .done = shell_done,
};
