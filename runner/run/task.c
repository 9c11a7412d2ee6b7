/*
 * The life of a task: its handles, their batches and the order between hosts. Operations keep the order in which the body queued them
 * also across hosts: a handle's queue is sent before another's begins.
 */
#include "run/task.h"

#include <string.h>

bool task_link_run(void *ctx, const struct script *s, const char *what, struct buf *out, struct err *e)
{
	struct task *t = ctx;
	struct job_result res = { .out = BUF(t->a), .errs = BUF(t->a) };
	struct job_input *in = arena_new_of(t->a, struct job_input, s->n_inputs + 1);

	if (!run_connect(t->run, t->host, e))
		return false;
	for (size_t i = 0; i < s->n_inputs; i++)
		in[i] = (struct job_input){ s->inputs[i].data, s->inputs[i].len };
	struct job j = { .script = s->text.p, .len = s->text.len, .inputs = in, .n_inputs = s->n_inputs, .what = what,
			 .limit_s = 300 + s->limit_s };
	if (!t->host->conn->run(t->host->conn, t->a, &j, &res, e))
		return false;
	if (res.status == 124) {
		fail(e, E_TIMEOUT, "%s did not end within %d s", what, j.limit_s);
		return err_detail(e, "%.1500s", buf_text(&res.errs));
	}
	if (res.status) {
		fail(e, E_REMOTE, "%s: the host's shell ended with status %d", what, res.status);
		return err_detail(e, "%.1500s", buf_text(&res.errs));
	}
	*out = res.out;
	return true;
}

static bool is_secret(void *ctx, const char *s, size_t n)
{
	return secrets_in(((struct task *)ctx)->run->secrets, s, n);
}

static const char *alias(void *ctx, const char *name)
{
	struct task *t = ctx;
	const struct value *facts = t->host->conn ? t->host->conn->facts : NULL;
	const char *os = arena_fmt(t->a, "%s%s", value_cstr(value_get(facts, "os_vendor"), "linux"), "");
	const struct value *version = value_get(facts, "os_version");
	struct buf b = BUF(t->a);

	buf_str(&b, os);
	if (version)
		value_print(&b, version);
	return modules_alias(t->run->w->modules, buf_text(&b), name);
}

void task_batch_init(struct task *t, struct batch *b, struct arena *a)
{
	*b = (struct batch){ .a = a, .link = { task_link_run, t }, .check = t->run->o.check, .diff = t->run->o.diff, .alias = alias,
			     .is_secret = is_secret, .ctx = t, .what = t->name, .due_arena = t->home->a, .check_dirty = t->host->check_dirty };
	b->enabled = t->host == t->home ? &t->home->enabled : NULL; /* another host's session ends when its own steps do */
	b->foreseen = t->host == t->home ? t->home->foreseen : NULL;
	const struct value *facts = t->host->conn ? t->host->conn->facts : NULL;
	b->os_package = value_cstr(value_get(facts, "os_package"), "deb");
}

struct resolver *task_values_of(const struct task *t)
{
	return resolvers_of(t->main->rs, t->host->h);
}

bool task_begin(struct task *t, struct run *run, struct host_run *hr, const struct module *m, const char *name, uint32_t step,
		struct arena *a, struct batch *shared, struct err *e)
{
	memset(t, 0, sizeof *t);
	t->run = run;
	t->home = t->host = hr;
	t->main = t->current = t;
	t->module = m;
	t->name = name;
	t->step = step;
	t->rs = run_values(run, step);
	t->a = a;
	t->pub.host = &task_host;
	t->pub.val = &task_values;
	t->pub.hostname = hr->h->name;
	t->pub.check = run->o.check;
	struct resolver *r = task_values_of(t);
	t->pub.cluster = m ? resolver_cluster(r, m) : NULL;
	const struct value *address = resolver_get(r, "ansible_host", NULL);
	t->pub.address = value_cstr(address, hr->h->name);
	if (m && m->m->params_size) {
		t->pub.params = resolver_params(r, m, e);
		if (!t->pub.params)
			return false;
	}
	if (!shared) {
		shared = arena_get(a, sizeof *shared);
		task_batch_init(t, shared, a);
	}
	t->batch = shared;
	t->began = shared->n;
	t->group = shared->n ? shared->ops[shared->n - 1]->group + 1 : 0;
	return true;
}

void task_fail(struct task *t, const struct err *e)
{
	if (t->main->failed)
		return;
	t->main->failed = true;
	t->main->err = *e;
}

void task_count(struct counts *c, const struct op *op)
{
	switch (op->state) {
	case OP_OK: c->ok++; break;
	case OP_WARNED: c->warned++; break;
	case OP_FAILED: c->failed++; break;
	case OP_NOT_RUN: c->not_run++; break;
	case OP_DUE:
	case OP_QUEUED: break;
	default: c->changed++; break;
	}
}

static void report_new_ops(struct task *t)
{
	for (; t->batch->reported < t->batch->n; t->batch->reported++) {
		struct op *op = t->batch->ops[t->batch->reported];
		if (op->state == OP_QUEUED)
			break;
		task_count(&t->home->counts, op);
		if (op->state != OP_DUE)
			report_op(t->run->rep, t->home->h->name, op->task, t->host == t->home ? NULL : t->host->h->name, op);
	}
}

/* Send what the handle's batch holds. */
static bool batch_send(struct task *t, struct err *e)
{
	struct batch *b = t->batch;

	if (b->done == b->n)
		return true;
	b->link.ctx = b->ctx = t; /* the step's batch outlives its tasks */
	b->what = t->name;
	/* whoever watches is told of the task whose operations are sent, which may be one before this */
	const char *first = b->ops[b->done]->task, *step = t->run->plan ? t->run->plan->steps[t->step].step->name : NULL;
	bool other = t == t->main && step && first && strcmp(first, t->name) != 0;
	if (other)
		report_task(t->run->rep, t->home->h->name, step, first);
	bool ok = batch_run(b, e);
	if (other)
		report_task(t->run->rep, t->home->h->name, step, t->name);
	if (ok && b->due && t->host != t->home)
		ok = batch_flush_due(b, e); /* another host's units do not wait for our step's end */
	if (b->check_dirty && !t->host->check_dirty)
		t->host->check_dirty = arena_str(t->host->a, b->check_dirty);
	if (b->check && t->host == t->home)
		batch_foresee(b, t->home->a, &t->home->foreseen);
	report_new_ops(t);
	if (!ok && b->failed)
		t->main->name = b->failed->task;
	t->main->broken |= !ok && t == t->main;
	return ok;
}

bool task_flush(struct task *t)
{
	struct err e = { 0 };

	if (t->main->failed)
		return false;
	if (batch_send(t, &e))
		return true;
	task_fail(t, &e);
	return false;
}

bool task_end(struct task *t)
{
	for (struct task *h = t->main; h && !t->main->failed; h = h->next)
		task_flush(h);
	return !t->main->failed;
}

bool task_leave(struct task *t)
{
	struct err e = { 0 };

	for (struct task *h = t->main->next; h && !t->main->failed; h = h->next)
		task_flush(h);
	task_later_end(t->main, !t->main->failed);
	if (!t->main->failed)
		return true;
	/* the body failed: what earlier tasks queued is still to be done, what this one queued is not; where an operation failed, what
	 * stands before it has been done and what stands behind it is not to be */
	struct batch *b = t->main->batch;
	if (!t->main->broken && b->done < t->began && b->n >= t->began) {
		b->n = t->began;
		if (!batch_send(t->main, &e))
			t->main->err = e;
	}
	return false;
}
