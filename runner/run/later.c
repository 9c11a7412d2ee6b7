/*
 * What tasks leave for another host to be done when their step is over (`later`): many hosts registering at one node are one batch per
 * step there, not one each. A handle's operations belong to its task until its body has returned; then they wait in the run. The worker
 * that finds the step settled on all its hosts sends them. All of it is soft: what cannot be done is a warning, and the next run's to make
 * up for.
 */
#include "run/task.h"

#include <string.h>

struct later {
	struct later *next;
	struct arena *a;        /* the operations' */
	struct host_run *home, *target;
	struct op **ops;
	size_t n;
	uint32_t step;
	bool sent;
};

pig_task *task_api_later(pig_task *p, const char *host)
{
	struct task *t = task_of(p), *main = t->main;
	struct inv_host *h = inventory_host(t->run->w->inv, host);
	struct err e = { 0 };

	if (!h) {
		fail(&e, E_INPUT, "host \"%s\" is not in the inventory", host);
		task_fail(t, &e);
		return p;
	}
	for (struct task *o = main->later; o; o = o->next)
		if (o->host->h == h)
			return &o->pub;
	struct arena *a = arena_new();
	struct task *o = arena_get(a, sizeof *o);
	*o = *main;
	o->a = a;
	o->host = run_host(t->run, h);
	o->is_later = true;
	o->pub.hostname = h->name;
	const struct value *address = resolver_get(o->host->r, "ansible_host", NULL);
	o->pub.address = value_cstr(address, h->name);
	o->batch = arena_get(a, sizeof *o->batch);
	o->batch->a = a;
	o->next = main->later;
	main->later = o;
	return &o->pub;
}

void task_later_end(struct task *main, bool ok)
{
	struct run *run = main->run;

	for (struct task *o = main->later, *next; o; o = next) {
		next = o->next;
		if (!ok || !o->batch->n) {
			arena_free(o->a);
			continue;
		}
		struct later *l = arena_get(o->a, sizeof *l);
		*l = (struct later){ .a = o->a, .home = main->home, .target = o->host, .ops = o->batch->ops, .n = o->batch->n, .step = main->step };
		pthread_mutex_lock(&run->lock);
		struct later **end = &run->later;
		while (*end)
			end = &(*end)->next;
		*end = l;
		pthread_mutex_unlock(&run->lock);
	}
	main->later = NULL;
}

/* Has every host of the step left it? With the lock held. */
static bool is_settled(const struct run *run, uint32_t step)
{
	const struct plan_step *ps = &run->plan->steps[step];

	for (uint32_t i = 0; i < ps->n_hosts; i++)
		if (run->edges[step * run->w->inv->n_hosts + ps->hosts[i]->index] == EDGE_OPEN)
			return false;
	return true;
}

struct later *run_later_take(struct run *run, bool *left)
{
	struct later *mine = NULL, **out = &mine;

	*left = run->later != NULL;
	for (struct later *l = run->later; l && !mine; l = l->next)
		if (!l->target->taking && is_settled(run, l->step))
			mine = l;
	if (!mine)
		return NULL;
	struct host_run *target = mine->target;
	uint32_t step = mine->step;
	for (struct later **p = &run->later; *p;) {
		struct later *l = *p;
		if (l->target != target || l->step != step) {
			p = &l->next;
			continue;
		}
		*p = l->next;
		l->next = NULL;
		*out = l;
		out = &l->next;
	}
	target->taking = true;
	return mine;
}

/* Many hosts ask for the same unit or folder: once is enough. */
static bool is_told(const struct batch *b, const struct op *op)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct op *o = b->ops[i];
		if (o->kind != op->kind || strcmp(o->title, op->title))
			continue;
		if (op->kind == &op_file && !strcmp(o->sum ? o->sum : "", op->sum ? op->sum : "") && o->d.file.state == op->d.file.state)
			return true;
		if (op->kind == &op_unit && !strcmp(o->d.unit.watch ? o->d.unit.watch : "", op->d.unit.watch ? op->d.unit.watch : ""))
			return true;
	}
	return false;
}

/* Units come last: what all hosts have written is what they read. */
static void add_all(struct batch *b, const struct later *l, bool units)
{
	for (; l; l = l->next) {
		for (size_t i = 0; i < l->n; i++) {
			if ((l->ops[i]->kind == &op_unit) != units || is_told(b, l->ops[i]))
				continue;
			l->ops[i]->flags |= PIG_SOFT;
			batch_add(b, l->ops[i]);
		}
	}
}

/* Warn once, by the host that asked first, of what was not done for how many. */
static void undone(struct run *run, const struct later *l, const struct err *e)
{
	struct arena *a = arena_new();
	size_t n = 0;

	for (const struct later *k = l; k; k = k->next)
		n++;
	report_warning(run->rep, l->home->h->name, l->ops[0]->task,
		       arena_fmt(a, "on %s, for %zu host%s: %s; the next run makes up for it", l->target->h->name, n, n == 1 ? "" : "s", e->msg));
	pthread_mutex_lock(&run->lock);
	l->home->later.warned++;
	pthread_mutex_unlock(&run->lock);
	arena_free(a);
}

static void tell(struct run *run, const struct later *l)
{
	for (; l; l = l->next) {
		for (size_t i = 0; i < l->n; i++) {
			struct op *op = l->ops[i];
			if (op->state == OP_QUEUED || op->state == OP_DUE)
				continue;
			report_op(run->rep, l->home->h->name, op->task, l->target == l->home ? NULL : l->target->h->name, op);
			pthread_mutex_lock(&run->lock);
			task_count(&l->home->later, op);
			pthread_mutex_unlock(&run->lock);
		}
	}
}

void run_later_send(struct run *run, struct later *l)
{
	struct arena *a = arena_new();
	struct task t = { .run = run, .home = l->target, .host = l->target, .name = l->ops[0]->task, .step = l->step, .a = a };
	struct batch b;
	struct err e = { 0 };

	t.main = &t;
	bool ok = !run->cancel ? run_connect(run, l->target, &e) : fail(&e, E_CANCELLED, "the run was cancelled");
	if (ok) {
		task_batch_init(&t, &b, a);
		b.due_arena = a;
		b.foreseen = NULL, b.enabled = NULL; /* the target's own thread may be at it */
		add_all(&b, l, false);
		add_all(&b, l, true);
		ok = batch_run(&b, &e) && batch_flush_due(&b, &e);
		if (b.check_dirty && !l->target->check_dirty) {
			pthread_mutex_lock(&run->lock);
			l->target->check_dirty = arena_str(run->a, b.check_dirty);
			pthread_mutex_unlock(&run->lock);
		}
		tell(run, l);
	}
	if (!ok)
		undone(run, l, &e);
	pthread_mutex_lock(&run->lock);
	l->target->taking = false;
	pthread_mutex_unlock(&run->lock);
	while (l) {
		struct later *next = l->next;
		arena_free(l->a);
		l = next;
	}
	arena_free(a);
}
