/* What units still have to do when a step ends: several operations that name one unit fold into one action, the strongest asked for. */
#include "ops/batch.h"

#include <string.h>

void batch_due_add(struct batch *b, struct op *op)
{
	struct arena *a = b->due_arena;
	struct due *d = b->due, **end = &b->due;

	for (; d && strcmp(d->unit, op->d.unit.name); d = d->next)
		end = &d->next;
	if (!d) {
		d = *end = arena_get(a, sizeof *d);
		d->unit = arena_str(a, op->d.unit.name);
		d->action = PIG_RELOAD;
	}
	if (op->d.unit.on_change == PIG_RESTART)
		d->action = PIG_RESTART;
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 4;
		struct op **more = arena_new_of(a, struct op *, cap);
		if (d->n)
			memcpy(more, d->ops, d->n * sizeof *more);
		d->ops = more;
		d->cap = cap;
	}
	d->ops[d->n++] = op;
}

bool batch_reload(struct batch *b, struct err *e)
{
	struct script s;
	struct buf out = BUF(b->a);
	struct sections ss;

	if (!b->enabled->n)
		return true;
	script_begin(&s, b->a);
	script_section(&s, "reload", "systemctl daemon-reload >&2");
	if (!b->link.run(b->link.ctx, &s, b->what, &out, e) || !sections_parse(&ss, b->a, buf_text(&out), out.len, e))
		return false;
	const struct section *sec = sections_get(&ss, "reload");
	if (!sec || sec->status)
		return fail(e, E_REMOTE, "systemd could not be reloaded: %s", sec && sec->errs ? sec->errs : "no answer");
	*b->enabled = MAP(b->enabled->a);
	return true;
}

static bool due_settle(struct due *d, const struct section *sec, struct err *e)
{
	bool soft = true;
	struct err why = { 0 };

	for (size_t i = 0; i < d->n; i++)
		soft &= (d->ops[i]->flags & PIG_SOFT) != 0;
	if (sec && sec->status) {
		fail(&why, E_REMOTE, "unit %s: %s: status %d", d->unit, d->action == PIG_RESTART ? "restart" : "reload", sec->status);
		err_detail(&why, "%s", sec->errs ? sec->errs : "");
	}
	for (size_t i = 0; i < d->n; i++) {
		d->ops[i]->state = !sec ? OP_NOT_RUN : !sec->status ? OP_CHANGED : soft ? OP_WARNED : OP_FAILED;
		d->ops[i]->why = why;
	}
	if (sec && sec->status && !soft) {
		*e = why;
		return false;
	}
	return true;
}

bool batch_flush_due(struct batch *b, struct err *e)
{
	struct script s;
	struct buf out = BUF(b->a);
	struct sections ss;
	size_t k = 0;
	bool ok = true;

	if (!b->due)
		return true;
	if (!batch_gate(b, e))
		return false;
	script_begin(&s, b->a);
	script_raw(&s, "export SYSTEMCTL_SKIP_SYSV=1\n");
	bool daemon = false;
	for (struct due *d = b->due; d; d = d->next)
		for (size_t i = 0; i < d->n; i++)
			daemon |= (d->ops[i]->todo & 1) != 0;
	if (daemon)
		script_raw(&s, "systemctl daemon-reload\n");
	for (struct due *d = b->due; d; d = d->next)
		script_section(&s, arena_fmt(b->a, "d%zu", k++),
			       unit_action(b->a, d->action == PIG_RESTART ? "restart" : "reload", d->unit, d->ops, d->n));
	if (!b->link.run(b->link.ctx, &s, b->what, &out, e) || !sections_parse(&ss, b->a, buf_text(&out), out.len, e))
		return false;
	if (daemon && b->enabled)
		*b->enabled = MAP(b->enabled->a);
	k = 0;
	for (struct due *d = b->due; d; d = d->next) {
		struct err one = { 0 };
		if (!due_settle(d, sections_get(&ss, arena_fmt(b->a, "d%zu", k++)), &one) && ok) {
			*e = one;
			ok = false;
		}
	}
	b->due = NULL;
	return ok;
}
