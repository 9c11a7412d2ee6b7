/*
 * Bringing a batch about. Rounds: look at everything (one frame), decide in order until a decided change disturbs what follows, then
 * one frame that makes the changes, does what can be decided on the host right behind them, and looks anew at the rest. A batch that
 * is as it should be costs one frame. In check mode nothing but looking is ever sent.
 */
#include "ops/batch.h"

#include <string.h>

void batch_add(struct batch *b, struct op *op)
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 16;
		struct op **more = arena_new_of(b->a, struct op *, cap);
		if (b->n)
			memcpy(more, b->ops, b->n * sizeof *more);
		b->ops = more;
		b->cap = cap;
	}
	op->index = (uint32_t)b->n;
	b->ops[b->n++] = op;
}

static bool send(struct batch *b, struct script *s, struct sections *ss, struct err *e)
{
	struct buf out = BUF(b->a);

	return b->link.run(b->link.ctx, s, b->what, &out, e) && sections_parse(ss, b->a, buf_text(&out), out.len, e);
}

/* Has it a command to be run as a look? */
static bool asks(const struct op *op)
{
	if (op->kind == &op_shell)
		return op->d.shell.reads || op->d.shell.creates;
	return op->kind == &op_wait || op->kind == &op_ensure;
}

static void probe_kinds(struct batch *b, struct script *s, size_t from, const struct op_kind *const *kinds, size_t n_kinds)
{
	struct op **some = arena_new_of(b->a, struct op *, b->probed - from + 1);

	for (size_t k = 0; k < n_kinds; k++) {
		size_t n = 0;
		for (size_t i = from; i < b->probed; i++)
			if (b->ops[i]->kind == kinds[k])
				some[n++] = b->ops[i];
		if (n)
			kinds[k]->probe(b, s, some, n);
	}
}

/*
 * Queue the probes of operations from `from` on, one call a kind. While nothing changes the look goes far ahead, so that many tasks
 * cost one frame; after a change it goes no further than the task at hand, as what follows will likely be disturbed again, and
 * in it past two commands: files between commands would all be looked at again after each of them.
 */
static bool probe_from(struct batch *b, struct script *s, size_t from)
{
	/* commands ask servers, mostly, and wait for them: they run beside the looks at files, packages and units */
	static const struct op_kind *const commands[] = { &op_wait, &op_ensure, &op_shell };
	static const struct op_kind *const looks[] = { &op_file, &op_line, &op_package, &op_unit, &op_user, &op_group, &op_sysctl };
	size_t end = from, stops = 0, n_commands = 0, n_looks = 0;

	while (end < b->n && (b->check || (b->ops[end]->group - b->ops[from]->group < b->window && stops < b->stops)))
		stops += b->ops[end++]->kind->inline_ok;
	b->probed = end;
	for (size_t i = from; i < end; i++) {
		n_commands += asks(b->ops[i]);
		n_looks += !b->ops[i]->kind->inline_ok;
	}
	bool both = n_commands && n_looks;
	if (both)
		script_aside(s);
	probe_kinds(b, s, from, commands, sizeof commands / sizeof *commands);
	if (both)
		script_aside_end(s);
	probe_kinds(b, s, from, looks, sizeof looks / sizeof *looks);
	if (both)
		script_join(s);
	return end > from;
}

/* `.after`: is one of them (to be) changed? */
static bool after_met(const struct op *op)
{
	if (!op->after)
		return true;
	for (const struct op *const *p = op->after; *p; p++)
		if (op_changed(*p) || ((*p)->state == OP_QUEUED && (*p)->reason))
			return true;
	return false;
}

static bool fail_op(struct batch *b, struct op *op, struct err *e)
{
	b->failed = op;
	op->state = OP_FAILED;
	op->why = *e;
	return false;
}

/* Decide one operation; *due says that a change is wanted. false: it failed. */
static bool decide_one(struct batch *b, struct op *op, bool *due, struct err *e)
{
	struct err why = { 0 };

	*due = false;
	if (!after_met(op)) {
		op->state = OP_OK;
		return true;
	}
	op->reason = NULL;
	if (!op->kind->decide(b, op, &why)) {
		if (b->check && b->check_dirty) {
			op->state = OP_DEPENDENT;
			op->depends = b->check_dirty;
			return true;
		}
		if (op->flags & PIG_SOFT) {
			op->state = OP_WARNED;
			op->why = why;
			return true;
		}
		*e = why;
		return fail_op(b, op, e);
	}
	*due = op->state == OP_QUEUED;
	return true;
}

/* Old content of what is about to change, for --diff. */
static bool fetch_old(struct batch *b, struct op **todo, size_t m, struct err *e)
{
	struct script s;
	struct sections ss;
	size_t asked = 0;

	script_begin(&s, b->a);
	for (size_t i = 0; i < m; i++) {
		struct op *op = todo[i];
		if (op->kind != &op_file || !op->found.exists || op->found.is_dir || op->found.is_link || op->found.size > 1 << 20 || !op->text || op->secret)
			continue;
		struct buf code = BUF(b->a);
		buf_str(&code, "cat -- ");
		buf_quote(&code, op->d.file.path);
		buf_str(&code, "; printf x");
		script_section(&s, arena_fmt(b->a, "old%u", op->index), buf_text(&code));
		asked++;
	}
	if (!asked)
		return true;
	if (!send(b, &s, &ss, e))
		return false;
	for (size_t i = 0; i < m; i++) {
		const struct section *sec = sections_get(&ss, arena_fmt(b->a, "old%u", todo[i]->index));
		if (sec && sec->len && (int64_t)sec->len - 1 == todo[i]->found.size) {
			todo[i]->old = arena_strn(b->a, sec->out, sec->len - 1);
			todo[i]->old_len = sec->len - 1;
		}
	}
	return true;
}

/* Check mode: one look, then every operation says what it would do. */
static bool check_run(struct batch *b, struct err *e)
{
	struct op **todo = arena_new_of(b->a, struct op *, b->n + 1);
	size_t m = 0;

	for (size_t i = b->done; i < b->n; i++) {
		struct op *op = b->ops[i];
		bool due;
		if (!decide_one(b, op, &due, e)) {
			for (size_t k = i + 1; k < b->n; k++)
				b->ops[k]->state = OP_NOT_RUN;
			return false;
		}
		if (!due)
			continue;
		todo[m++] = op;
		bool opaque = op->kind == &op_shell || (op->kind == &op_ensure && b->check_dirty);
		op->state = op->kind == &op_shell ? OP_OPAQUE : opaque && (op->kind->sensitive & D_ALL) ? OP_DEPENDENT : OP_WOULD;
		if (op->state == OP_DEPENDENT)
			op->depends = b->check_dirty;
		if (!b->check_dirty)
			b->check_dirty = op->title;
	}
	b->done = b->n;
	return !b->diff || fetch_old(b, todo, m, e);
}

/* Read what became of one operation. */
static bool settle(struct batch *b, struct op *op, struct err *e)
{
	const struct section *sec = sections_get(&b->found, arena_fmt(b->a, "a%u", op->index));
	struct err why = { 0 };

	if (!sec) {
		op->state = OP_NOT_RUN;
		return true;
	}
	op->status = sec->status;
	bool ok = op->kind->done ? op->kind->done(b, op, sec, &why) : sec->status == 0;
	if (ok) {
		if (op->state == OP_QUEUED)
			op->state = OP_CHANGED;
		return true;
	}
	if (!why.code) {
		fail(&why, E_REMOTE, "%s: status %d", op->title, sec->status);
		err_detail(&why, "%s%s%s", sec->errs ? sec->errs : "", sec->errs && *sec->errs && sec->len ? "\n" : "", sec->len > 1500 ? sec->out + sec->len - 1500 : sec->out);
	}
	if (strstr(why.detail, "No space left on device") || strstr(why.detail, "Disk quota exceeded"))
		err_hint(&why, "Make room there: df -h and df -i show what is full. The next run goes on from here.");
	if (op->flags & PIG_SOFT) {
		op->state = OP_WARNED;
		op->why = why;
		return true;
	}
	*e = why;
	return fail_op(b, op, e);
}

/* One round: changes due, what can be decided on the host behind them, then a look at the rest. */
static bool round_send(struct batch *b, struct op **todo, size_t m, size_t *next, struct err *e)
{
	struct script s;
	size_t k = *next;

	script_begin(&s, b->a);
	for (size_t i = 0; i < m; i++)
		todo[i]->kind->apply(b, &s, todo[i]);
	for (; m && k < b->n && b->ops[k]->kind->inline_ok; k++) {
		bool known = true;
		for (const struct op *const *p = b->ops[k]->after; p && *p; p++)
			known &= (*p)->state != OP_QUEUED || (*p)->reason;
		if (!known)
			break;
		if (!after_met(b->ops[k])) {
			b->ops[k]->state = OP_OK;
			continue;
		}
		b->ops[k]->reason = b->ops[k]->reason ? b->ops[k]->reason : "decided on the host";
		b->ops[k]->todo = 1; /* probe first */
		b->ops[k]->kind->apply(b, &s, b->ops[k]);
	}
	probe_from(b, &s, k);
	if (!send(b, &s, &b->found, e))
		return false;
	bool ok = true;
	size_t first = *next;
	for (size_t i = 0; i < m && ok; i++)
		ok = settle(b, todo[i], e);
	for (size_t i = first; i < k && ok; i++)
		if (b->ops[i]->state == OP_QUEUED)
			ok = settle(b, b->ops[i], e);
	*next = k;
	return ok;
}

static const char *path_of(const struct op *op)
{
	return op->kind == &op_file ? op->d.file.path : op->kind == &op_line ? op->d.line.path : NULL;
}

/* Does an operation that is due write what this one looked at? Lines of one file build on each other and do not. */
static bool overwritten(struct op *const *todo, size_t m, const struct op *op)
{
	for (size_t i = 0; i < m && op->kind == &op_file; i++)
		if (path_of(todo[i]) && !strcmp(path_of(todo[i]), op->d.file.path))
			return true;
	return false;
}

bool batch_gate(struct batch *b, struct err *e)
{
	if (!b->gate || b->gated)
		return true;
	b->gated = true;
	return b->gate(b->gate_ctx, e);
}

static bool changes(struct op *const *todo, size_t m)
{
	for (size_t i = 0; i < m; i++)
		if (todo[i]->kind != &op_wait)
			return true;
	return false;
}

static bool rounds(struct batch *b, struct err *e)
{
	struct op **todo = arena_new_of(b->a, struct op *, b->n + 1);

	while (b->done < b->n) {
		size_t m = 0, j = b->done;
		uint8_t dirty = 0;
		for (; j < b->probed && !(dirty & b->ops[j]->kind->sensitive) && !overwritten(todo, m, b->ops[j]); j++) {
			bool due;
			if (!decide_one(b, b->ops[j], &due, e))
				return false;
			if (!due)
				continue;
			todo[m++] = b->ops[j];
			dirty |= b->ops[j]->kind->disturbs;
		}
		b->window = m ? 1 : b->window < 64 ? b->window * 2 : b->window;
		b->stops = m ? 2 : b->stops < 4096 ? b->stops * 4 : b->stops;
		if (changes(todo, m) && !batch_gate(b, e))
			return false;
		if (m || j < b->n) {
			if (b->diff && !fetch_old(b, todo, m, e))
				return false;
			if (!round_send(b, todo, m, &j, e))
				return false;
		}
		b->done = j;
	}
	return true;
}

bool batch_run(struct batch *b, struct err *e)
{
	struct script s;

	if (b->done == b->n)
		return true;
	script_begin(&s, b->a);
	b->failed = NULL;
	b->window = 64;
	b->stops = 4096;
	probe_from(b, &s, b->done);
	bool ok = send(b, &s, &b->found, e);
	if (ok)
		ok = b->check ? check_run(b, e) : rounds(b, e);
	if (!ok)
		for (size_t i = 0; i < b->n; i++)
			if (b->ops[i]->state == OP_QUEUED)
				b->ops[i]->state = OP_NOT_RUN;
	return ok;
}
