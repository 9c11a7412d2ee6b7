/* One step on one host: its tasks in order, then what its units still have to do. */
#include "run/task.h"

#include <string.h>

static bool when_holds(struct run *run, struct host_run *hr, uint32_t step, const struct expr *when, const struct module *m,
		       struct arena *a, bool *holds, struct err *e)
{
	struct value *v;

	*holds = true;
	if (!when)
		return true;
	struct scope s = resolver_scope(resolvers_of(run_values(run, step), hr->h), a, m, NULL);
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

/* One task's body: its operations are queued, and sent when it asks for an answer or the step is over. */
static bool task_run(struct run *run, struct host_run *hr, const struct task_row *row, uint32_t step, struct batch *shared, struct arena *a)
{
	struct task *t = arena_get(a, sizeof *t);
	struct err e = { 0 };
	bool holds = true, ok = when_holds(run, hr, step, row->when, row->module, a, &holds, &e);

	t->name = row->row->name;
	if (ok && holds) {
		report_task(run->rep, hr->h->name, run->plan->steps[step].step->name, row->row->name);
		ok = task_begin(t, run, hr, row->module, row->row->name, step, a, shared, &e);
		if (ok) {
			row->row->run(&t->pub);
			ok = task_leave(t);
			e = t->err;
		}
	}
	return ok || task_failed(run, hr, t->name, &e);
}

/* Units' folded actions at the end of the step. */
static bool step_flush(struct run *run, struct host_run *hr, struct batch *shared)
{
	struct err e = { 0 };
	struct due *list = shared->due;

	if (!list)
		return true;
	bool ok = batch_flush_due(shared, &e);
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
			report_op(run->rep, hr->h->name, op->task, NULL, op);
		}
	}
	return ok ? true : task_failed(run, hr, list->ops[0]->task, &e);
}

struct gate { struct run *run; struct host_run *hr; uint32_t at; const struct step *step; bool before; /* the first change */ };

static bool in_plan(const struct run *run, const char *module, const char *step)
{
	for (uint32_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *s = run->plan->steps[i].step;
		if (!strcmp(s->module->m->name, module) && !strcmp(s->name, step))
			return true;
	}
	return false;
}

/* What the step needs of another module and this run does not bring about: does it answer, seen from the host? */
static bool needs_ask(struct gate *g, struct err *e)
{
	struct arena *a = g->hr->a;

	for (const char *p = g->step->needs; p && *p;) {
		size_t n = strcspn(p, " ");
		const char *dot = memchr(p, '.', n), *name = arena_strn(a, p, (size_t)(dot - p));
		const struct module *m = modules_get(g->run->w->modules, name);
		bool asks = false;
		for (uint32_t i = 0; m && i < m->n_health; i++)
			asks |= !strcmp(m->health[i].name, RUN_ANSWERS);
		if (asks && m != g->step->module && !in_plan(g->run, name, arena_strn(a, dot + 1, n - (size_t)(dot + 1 - p))) &&
		    !run_health(g->run, g->hr, g->at, m, RUN_ANSWERS, e))
			return false;
		p += n + (p[n] == ' ');
	}
	return true;
}

static bool gate_ask(void *ctx, struct err *e)
{
	struct gate *g = ctx;

	if (g->before && !needs_ask(g, e))
		return false;
	g->before = false;
	return !g->step->health || run_health(g->run, g->hr, g->at, g->step->module, g->step->health, e);
}

/* The tasks of a step on a host, then what is left in their common batch. Health is asked before the first change and after the last:
 * a host that is as it should be needs no leave to stay so. */
static bool step_tasks(struct run *run, struct host_run *hr, uint32_t step, struct batch *shared, struct task *t)
{
	const struct plan_step *ps = &run->plan->steps[step];
	struct gate gate = { run, hr, step, ps->step, true };
	struct err e = { 0 };

	shared->gate = (ps->step->health || ps->step->needs) && !run->o.check ? gate_ask : NULL;
	shared->gate_ctx = &gate;
	for (uint32_t i = 0; i < ps->n_tasks; i++)
		if (!task_run(run, hr, ps->tasks[i], step, shared, t->a))
			return false;
	t->batch = shared;
	if (!task_end(t))
		return task_failed(run, hr, t->name, &t->err);
	shared->link.ctx = shared->ctx = t;
	if (!step_flush(run, hr, shared))
		return false;
	if (shared->gated && ps->step->health && !gate_ask(&gate, &e))
		return task_failed(run, hr, ps->step->name, &e);
	return true;
}

/* The play's condition, then the step's own. */
static bool step_holds(struct run *run, struct host_run *hr, uint32_t step, struct arena *a, bool *holds, struct err *e)
{
	const struct step *s = run->plan->steps[step].step;

	if (!when_holds(run, hr, step, s->play ? s->play->when : NULL, s->module, a, holds, e))
		return false;
	return !*holds || when_holds(run, hr, step, s->when, s->module, a, holds, e);
}

bool run_step(struct run *run, struct host_run *hr, uint32_t step)
{
	const struct plan_step *ps = &run->plan->steps[step];
	struct arena *a = arena_new();
	struct task t = { .run = run, .home = hr, .host = hr, .name = ps->step->name, .a = a };
	struct batch shared = { 0 };
	struct err e = { 0 };
	bool holds, ok = run_connect(run, hr, &e);

	t.main = &t;
	if (!ok) {
		hr->why = e;
		hr->failed = true;
		if (!hr->unreachable)
			hr->counts.failed++;
		report_failure(run->rep, hr->h->name, NULL, &e);
	} else if (!step_holds(run, hr, step, a, &holds, &e)) {
		ok = task_failed(run, hr, ps->step->name, &e);
	} else if (holds) {
		task_batch_init(&t, &shared, a);
		ok = step_tasks(run, hr, step, &shared, &t);
	}
	arena_free(a);
	return ok;
}

void run_leave(struct run *run, struct host_run *hr)
{
	struct arena *a = arena_new();
	struct task t = { .run = run, .home = hr, .host = hr, .name = "units", .a = a };
	struct batch b;
	struct err e = { 0 };

	t.main = &t;
	task_batch_init(&t, &b, a);
	if (!batch_reload(&b, &e)) {
		hr->counts.warned++;
		report_warning(run->rep, hr->h->name, NULL, arena_fmt(a, "%s; what was enabled shows when it is", e.msg));
		hr->enabled = MAP(hr->a);
	}
	arena_free(a);
}

bool run_health(struct run *run, struct host_run *hr, uint32_t step, const struct module *m, const char *name, struct err *e)
{
	for (uint32_t i = 0; i < m->n_health; i++) {
		const struct pig_health *h = &m->health[i];
		if (strcmp(h->name, name))
			continue;
		struct arena *a = arena_new();
		struct task t;
		bool ok = task_begin(&t, run, hr, m, h->name, step, a, NULL, e);
		if (ok) {
			h->ok(&t.pub);
			ok = task_end(&t);
			task_later_end(&t, false); /* asking leaves nothing behind */
			if (!ok)
				*e = t.err;
		}
		arena_free(a);
		return ok;
	}
	return fail(e, E_MODULE, "module \"%s\" has no health check \"%s\"", m->m->name, name);
}
