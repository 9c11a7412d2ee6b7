/*
 * Who may go next. Hosts do not wait for each other, except for the edges a step declares: first, once, serial, barrier, needs. A
 * worker takes any host whose next step may begin, brings that step about, and looks again; a host that must wait holds no worker.
 */
#include "run/run.h"

#include <string.h>

enum ready { READY, BLOCKED, DEAD, SKIP, FINISHED };

static enum edge edge_of(const struct run *run, uint32_t step, const struct inv_host *h)
{
	return (enum edge)run->edges[step * run->w->inv->n_hosts + h->index];
}

static void edge_set(struct run *run, uint32_t step, const struct inv_host *h, enum edge e)
{
	run->edges[step * run->w->inv->n_hosts + h->index] = (uint8_t)e;
}

static bool in_step(const struct plan_step *ps, const struct inv_host *h)
{
	uint32_t lo = 0, hi = ps->n_hosts;

	while (lo < hi) { /* hosts stand in inventory order */
		uint32_t mid = (lo + hi) / 2;
		if (ps->hosts[mid]->index < h->index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ps->n_hosts && ps->hosts[lo] == h;
}

static bool same_cluster(const struct run *run, const struct step *s, const struct inv_host *x, const struct inv_host *y)
{
	const char *cx = resolver_cluster(resolvers_of(run->rs, x), s->module), *cy = resolver_cluster(resolvers_of(run->rs, y), s->module);

	return cx && cy ? !strcmp(cx, cy) : cx == cy;
}

/* Does the step's `first` hold on the host? Asked once; hosts where it cannot be told yet do not hold others up. */
static bool is_first(struct run *run, uint32_t step, const struct inv_host *h)
{
	int8_t *known = &run->firsts[step * run->w->inv->n_hosts + h->index];

	if (*known < 0) {
		const struct step *s = run->plan->steps[step].step;
		struct arena *a = arena_new();
		struct scope sc = resolver_scope(resolvers_of(run_values(run, step), h), a, s->module, NULL);
		struct value *v = NULL;
		*known = expr_eval(s->first, a, &sc, &v, NULL) && value_truth(v);
		arena_free(a);
	}
	return *known == 1;
}

static const char *wait_text(struct run *run, const char *step, const struct inv_host *h)
{
	return arena_fmt(run->a, "needs %s on %s", step, h->name);
}

static enum ready first_ready(struct run *run, struct host_run *hr, uint32_t step)
{
	const struct plan_step *ps = &run->plan->steps[step];

	if (!ps->step->first || is_first(run, step, hr->h))
		return READY;
	for (uint32_t i = 0; i < ps->n_hosts; i++) {
		struct inv_host *o = ps->hosts[i];
		if (o == hr->h || !same_cluster(run, ps->step, o, hr->h) || !is_first(run, step, o))
			continue;
		enum edge e = edge_of(run, step, o);
		if (e == EDGE_DEAD) {
			hr->not_run = wait_text(run, ps->step->name, o);
			return DEAD;
		}
		if (e != EDGE_DONE)
			return BLOCKED;
	}
	return READY;
}

/* "module.step module.step": in this plan, those steps on the hosts concerned; what is outside the run is the task's to look at. */
static enum ready needs_ready(struct run *run, struct host_run *hr, uint32_t step)
{
	const char *needs = run->plan->steps[step].step->needs;

	for (const char *p = needs; p && *p;) {
		size_t n = strcspn(p, " ");
		const char *dot = memchr(p, '.', n);
		for (uint32_t s = 0; dot && s < step; s++) {
			const struct plan_step *ps = &run->plan->steps[s];
			size_t m = (size_t)(dot - p), k = n - m - 1;
			if (strlen(ps->step->module->m->name) != m || memcmp(ps->step->module->m->name, p, m) || strlen(ps->step->name) != k ||
			    memcmp(ps->step->name, dot + 1, k))
				continue;
			for (uint32_t i = 0; i < ps->n_hosts; i++) {
				enum edge e = edge_of(run, s, ps->hosts[i]);
				if (e == EDGE_DEAD) {
					hr->not_run = wait_text(run, ps->step->name, ps->hosts[i]);
					return DEAD;
				}
				if (e != EDGE_DONE)
					return BLOCKED;
			}
		}
		p += n + (p[n] == ' ');
	}
	return READY;
}

static enum ready barrier_ready(struct run *run, const struct host_run *hr, uint32_t step)
{
	const struct step *own = run->plan->steps[step].step;

	for (uint32_t s = 0; s < run->plan->steps[step].after; s++)
		for (uint32_t i = 0; i < run->plan->steps[s].n_hosts; i++)
			if (edge_of(run, s, run->plan->steps[s].hosts[i]) == EDGE_OPEN)
				return BLOCKED;
	if (!(own->flags & (PIG_BARRIER | PIG_GATHER)))
		return READY;
	for (uint32_t s = 0; s < step; s++) {
		const struct plan_step *ps = &run->plan->steps[s];
		for (uint32_t i = 0; i < ps->n_hosts; i++)
			if (edge_of(run, s, ps->hosts[i]) == EDGE_OPEN &&
			    (own->flags & PIG_BARRIER || same_cluster(run, own, ps->hosts[i], hr->h)))
				return BLOCKED;
	}
	return READY;
}

static enum ready serial_ready(struct run *run, struct host_run *hr, uint32_t step)
{
	const struct plan_step *ps = &run->plan->steps[step];
	uint32_t taken = 0;

	if (!ps->step->serial)
		return READY;
	for (uint32_t i = 0; i < ps->n_hosts; i++) {
		struct host_run *o = run->hosts[ps->hosts[i]->index];
		if (!o || o == hr || !same_cluster(run, ps->step, o->h, hr->h))
			continue;
		/* one that failed in this very step may be down: it keeps its place */
		taken += (o->busy && o->pos == step) || (edge_of(run, step, o->h) == EDGE_DEAD && o->pos == step);
		if (edge_of(run, step, o->h) == EDGE_DEAD && o->pos == step && taken >= ps->step->serial) {
			hr->not_run = wait_text(run, ps->step->name, o->h);
			return DEAD;
		}
	}
	return taken < ps->step->serial ? READY : BLOCKED;
}

static bool once_mine(const struct run *run, const struct plan_step *ps, const struct inv_host *h)
{
	for (uint32_t i = 0; i < ps->n_hosts; i++)
		if (same_cluster(run, ps->step, ps->hosts[i], h))
			return ps->hosts[i] == h;
	return true;
}

/* May the host begin its next step? Moves over steps that are not its own. */
static enum ready host_ready(struct run *run, struct host_run *hr)
{
	while (hr->pos < run->plan->n_steps && !in_step(&run->plan->steps[hr->pos], hr->h))
		hr->pos++;
	if (hr->pos == run->plan->n_steps)
		return FINISHED;
	const struct plan_step *ps = &run->plan->steps[hr->pos];
	if ((ps->step->flags & PIG_ONCE) && !once_mine(run, ps, hr->h))
		return SKIP;
	enum ready r = barrier_ready(run, hr, hr->pos);
	if (r == READY)
		r = needs_ready(run, hr, hr->pos);
	if (r == READY)
		r = first_ready(run, hr, hr->pos);
	if (r == READY)
		r = serial_ready(run, hr, hr->pos);
	return r;
}

/* The host is out: all that waits for it must know. */
static void host_dead(struct run *run, struct host_run *hr)
{
	for (uint32_t s = hr->pos; s < run->plan->n_steps; s++)
		if (in_step(&run->plan->steps[s], hr->h))
			edge_set(run, s, hr->h, EDGE_DEAD);
	hr->finished = true;
}

/* The next host that may go, or NULL; *left says whether any host is not finished. With the lock held. */
static struct host_run *pick(struct run *run, bool *left)
{
	bool again, busy;

	do {
		again = busy = false;
		*left = false;
		for (uint32_t i = 0; i < run->plan->n_hosts; i++) {
			struct host_run *hr = run->hosts[run->plan->hosts[i]->index];
			if (hr->finished)
				continue;
			*left = true;
			if (hr->busy) {
				busy = true;
				continue;
			}
			enum ready r = run->cancel ? DEAD : host_ready(run, hr);
			if (r == READY || (r == FINISHED && hr->enabled.n))
				return hr;
			if (r == SKIP) {
				edge_set(run, hr->pos, hr->h, EDGE_DONE);
				hr->pos++;
				again = true;
			} else if (r == FINISHED) {
				hr->finished = true;
				report_idle(run->rep, hr->h->name, true);
				again = true;
			} else if (r == DEAD) {
				if (run->cancel)
					hr->not_run = "the run was cancelled";
				hr->counts.not_run++;
				report_not_run(run->rep, hr->h->name, run->plan->steps[hr->pos].step->name, hr->not_run);
				host_dead(run, hr);
				again = true;
			}
		}
		if (again)
			pthread_cond_broadcast(&run->moved);
	} while (again);
	if (*left && !busy)
		bug("the steps of playbook %s wait for each other", run->plan->playbook->name);
	return NULL;
}

void *run_worker(void *arg)
{
	struct run *run = arg;
	bool left;

	pthread_mutex_lock(&run->lock);
	for (;;) {
		struct host_run *hr = pick(run, &left);
		bool waits;
		struct later *l = run_later_take(run, &waits);
		if (l) { /* first: others may be held up by nothing but this worker */
			pthread_mutex_unlock(&run->lock);
			run_later_send(run, l);
			pthread_mutex_lock(&run->lock);
			pthread_cond_broadcast(&run->moved);
			continue;
		}
		if (!left && !waits)
			break;
		if (!hr) {
			pthread_cond_wait(&run->moved, &run->lock);
			continue;
		}
		uint32_t step = hr->pos;
		hr->busy = true;
		pthread_mutex_unlock(&run->lock);
		bool over = step == run->plan->n_steps, ok = over || run_step(run, hr, step);
		if (over || (!ok && !hr->unreachable))
			run_leave(run, hr);
		report_idle(run->rep, hr->h->name, !ok);
		pthread_mutex_lock(&run->lock);
		hr->busy = false;
		if (ok && !over) {
			edge_set(run, step, hr->h, EDGE_DONE);
			hr->pos = step + 1;
		} else if (!ok) {
			host_dead(run, hr);
		}
		pthread_cond_broadcast(&run->moved);
	}
	pthread_cond_broadcast(&run->moved);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}
