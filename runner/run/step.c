/* One step on one host: its tasks in order, then what its units still have to do. */
#include "run/task.h"

#include <string.h>

static bool when_holds(struct run *run, struct host_run *hr, const struct expr *when, const struct module *m, struct arena *a, bool *holds,
		       struct err *e)
{
	struct value *v;

	(void)run;
	*holds = true;
	if (!when)
		return true;
	struct scope s = resolver_scope(hr->r, a, m, NULL);
	if (!expr_eval(when, a, &s, &v, e))
		return false;
	*holds = value_truth(v);
	return true;
}

/* The outcome of a task: its failure told, its host marked. */
static bool task_failed(struct run *run, struct host_run *hr, const char *name, const struct err *e)
{
	hr->why = *e;
	hr->failed = true;
	if (e->code == E_CONNECT)
		hr->unreachable = true;
	hr->counts.failed += hr->counts.failed == 0;
	report_failure(run->rep, hr->h->name, name, e);
	return false;
}

static bool task_run(struct run *run, struct host_run *hr, const struct task_row *row, uint32_t step, struct batch *due)
{
	struct arena *a = arena_new();
	struct task t;
	struct err e = { 0 };
	bool holds = true, ok = when_holds(run, hr, row->when, row->module, a, &holds, &e);

	if (ok && holds) {
		report_task(run->rep, hr->h->name, run->plan->steps[step].step->name, row->row->name);
		ok = task_begin(&t, run, hr, row->module, row->row->name, step, a, &e);
		if (ok) {
			t.due_into = due;
			row->row->run(&t.pub);
			ok = task_end(&t);
			e = t.err;
		}
	}
	if (!ok)
		task_failed(run, hr, row->row->name, &e);
	/* operations that still wait for the step's end live in this arena */
	if (due->due)
		arena_defer(hr->a, (void (*)(void *))arena_free, a);
	else
		arena_free(a);
	return ok;
}

/* Units' folded actions at the end of the step. */
static bool step_flush(struct run *run, struct host_run *hr, struct task *t, struct batch *due)
{
	struct err e = { 0 };
	struct due *list = due->due;

	if (!list)
		return true;
	bool ok = batch_flush_due(due, &e);
	for (struct due *d = list; d; d = d->next) {
		for (size_t i = 0; i < d->n; i++) {
			struct op *op = d->ops[i];
			if (i && op->state == OP_CHANGED) { /* one action, told once */
				hr->counts.ok++;
				continue;
			}
			hr->counts.changed += op->state == OP_CHANGED;
			hr->counts.warned += op->state == OP_WARNED;
			hr->counts.failed += op->state == OP_FAILED && i == 0;
			report_op(run->rep, hr->h->name, t->name, NULL, op);
		}
	}
	return ok ? true : task_failed(run, hr, t->name, &e);
}

bool run_step(struct run *run, struct host_run *hr, uint32_t step)
{
	const struct plan_step *ps = &run->plan->steps[step];
	struct arena *a = arena_new();
	struct task t = { .run = run, .home = hr, .host = hr, .name = ps->step->name, .a = a };
	struct batch due = { 0 };
	struct err e = { 0 };
	bool holds, ok = run_connect(run, hr, &e);

	t.main = &t;
	task_batch_init(&t, &due, a);
	if (!ok) {
		hr->why = e;
		hr->failed = true;
		if (!hr->unreachable)
			hr->counts.failed++;
		report_failure(run->rep, hr->h->name, NULL, &e);
	} else if (!when_holds(run, hr, ps->step->when, ps->step->module, a, &holds, &e)) {
		ok = task_failed(run, hr, ps->step->name, &e);
	} else if (holds) {
		if (ps->step->health && !run->o.check && !run_health(run, hr, ps->step->module, ps->step->health, &e))
			ok = task_failed(run, hr, ps->step->name, &e);
		for (uint32_t i = 0; ok && i < ps->n_tasks; i++)
			ok = task_run(run, hr, ps->tasks[i], step, &due);
		if (ok)
			ok = step_flush(run, hr, &t, &due);
		if (ok && ps->step->health && !run->o.check && !run_health(run, hr, ps->step->module, ps->step->health, &e))
			ok = task_failed(run, hr, ps->step->name, &e);
	}
	arena_free(a);
	return ok;
}

bool run_health(struct run *run, struct host_run *hr, const struct module *m, const char *name, struct err *e)
{
	for (uint32_t i = 0; i < m->n_health; i++) {
		const struct pig_health *h = &m->health[i];
		if (strcmp(h->name, name))
			continue;
		struct arena *a = arena_new();
		struct task t;
		bool ok = task_begin(&t, run, hr, m, h->name, 0, a, e);
		if (ok) {
			h->ok(&t.pub);
			ok = task_end(&t);
			if (!ok)
				*e = t.err;
		}
		arena_free(a);
		return ok;
	}
	return fail(e, E_MODULE, "module \"%s\" has no health check \"%s\"", m->m->name, name);
}
