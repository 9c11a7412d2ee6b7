/* From a plan to an exit status: what is shared is set up, workers run, the recap is printed. */
#include "run/run.h"
#include "base/os.h"

#include <signal.h>
#include <string.h>

static bool has_secret(const struct param *p)
{
	bool secret = p->row->flags & PIG_SECRET;

	for (uint32_t j = 0; j < p->n_members && !secret; j++)
		secret = p->members[j].flags & PIG_SECRET;
	return secret;
}

/* One pass over every parameter of every host: what stands openly, or what is secret. */
static void secrets_pass(struct run *run, struct resolvers *rs, bool open)
{
	const struct modules *ms = run->w->modules;

	for (uint32_t m = 0; m < ms->n; m++) {
		const struct module *mod = ms->list[m];
		for (uint32_t k = 0; k < mod->n_params; k++) {
			const struct param *p = &mod->params[k];
			if (has_secret(p) == open)
				continue;
			for (uint32_t h = 0; h < run->plan->n_hosts; h++) {
				const struct value *v = resolver_get(resolvers_of(rs, run->plan->hosts[h]), p->row->name, NULL);
				if (open)
					secrets_public_value(run->secrets, v);
				else
					secrets_add_value(run->secrets, v);
			}
		}
	}
}

/* What stands openly first: a password that is also the name of something cannot be told from it, and is never masked by its text. */
static void secrets_gather(struct run *run)
{
	const struct inventory *inv = run->w->inv;

	for (uint32_t i = 0; i < inv->n_hosts; i++)
		secrets_public(run->secrets, inv->hosts[i]->name);
	for (uint32_t i = 0; i < inv->n_groups; i++)
		secrets_public(run->secrets, inv->groups[i]->name);
	for (int open = 1; open >= 0; open--) {
		secrets_pass(run, run->rs, open);
		for (uint32_t i = 0; i < run->plan->playbook->n_plays; i++)
			if (run->plan->playbook->plays[i].rs)
				secrets_pass(run, run->plan->playbook->plays[i].rs, open);
	}
}

static const char *host_state(const struct host_run *hr)
{
	if (hr->unreachable)
		return "unreachable";
	if (hr->failed)
		return "failed";
	return hr->not_run ? hr->not_run : NULL;
}

/* One status for the run: the common cause when there is one. */
static int status_of(const struct run *run)
{
	int status = 0;

	for (uint32_t i = 0; i < run->plan->n_hosts; i++) {
		const struct host_run *hr = run->hosts[run->plan->hosts[i]->index];
		int one = hr->unreachable ? E_CONNECT : hr->failed ? (hr->why.code == E_TIMEOUT ? E_TIMEOUT : E_FAILED) : 0;
		if (!one)
			continue;
		status = status && status != one ? E_FAILED : one;
	}
	for (uint32_t i = 0; i < run->plan->n_hosts && !status; i++)
		if (run->hosts[run->plan->hosts[i]->index]->not_run)
			status = E_FAILED;
	return run->cancel ? E_CANCELLED : status;
}

static struct run *running; /* for the signal handler alone */

static void on_signal(int sig)
{
	(void)sig;
	if (running)
		running->cancel = 1;
}

static void workers_run(struct run *run)
{
	uint32_t n = run->plan->n_hosts < 64 ? run->plan->n_hosts : 64;
	pthread_t threads[256];
	uint32_t made = 0;

	if (run->o.forks > 0)
		n = (uint32_t)run->o.forks < run->plan->n_hosts ? (uint32_t)run->o.forks : run->plan->n_hosts;
	n = n > 256 ? 256 : n;
	while (made < n && pthread_create(&threads[made], NULL, run_worker, run) == 0)
		made++;
	if (!made)
		run_worker(run);
	conn_warm_up();
	for (uint32_t i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
}

/* The screen is drawn anew each second, so that a wait can be seen to go on. */
static void *ticker(void *arg)
{
	struct run *run = arg;
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	pthread_mutex_lock(&run->tick_lock);
	while (!run->ticked_out) {
		at.tv_sec++;
		while (!run->ticked_out && pthread_cond_timedwait(&run->tick, &run->tick_lock, &at) == 0)
			;
		if (!run->ticked_out)
			report_tick(run->rep);
	}
	pthread_mutex_unlock(&run->tick_lock);
	return NULL;
}

static void work(struct run *run)
{
	pthread_t thread;
	bool ticks = false;

	pthread_mutex_init(&run->tick_lock, NULL);
	pthread_cond_init(&run->tick, NULL);
	report_working(run->rep, true);
	ticks = pthread_create(&thread, NULL, ticker, run) == 0;
	workers_run(run);
	pthread_mutex_lock(&run->tick_lock);
	run->ticked_out = true;
	pthread_cond_signal(&run->tick);
	pthread_mutex_unlock(&run->tick_lock);
	if (ticks)
		pthread_join(thread, NULL);
	report_working(run->rep, false);
	pthread_cond_destroy(&run->tick);
	pthread_mutex_destroy(&run->tick_lock);
}

static void recap(struct run *run)
{
	for (uint32_t i = 0; i < run->plan->n_hosts; i++) {
		const struct host_run *hr = run->hosts[run->plan->hosts[i]->index];
		struct counts c = hr->counts;
		c.ok += hr->later.ok, c.changed += hr->later.changed, c.warned += hr->later.warned, c.not_run += hr->later.not_run;
		report_recap_host(run->rep, hr->h->name, &c, host_state(hr));
	}
}

static void hosts_close(struct run *run)
{
	for (uint32_t i = 0; i < run->w->inv->n_hosts; i++) {
		struct host_run *hr = run->hosts[i];
		if (!hr)
			continue;
		if (hr->conn)
			hr->conn->close(hr->conn);
		pthread_mutex_destroy(&hr->open_lock);
		arena_free(hr->a);
	}
}

int run_plan(struct world *w, struct resolvers *rs, const struct plan *p, const struct run_options *o, struct report *rep)
{
	int64_t began = os_now_ms();
	struct arena *a = arena_new();
	struct run run = { .w = w, .rs = rs, .plan = p, .o = *o, .rep = rep, .secrets = report_secrets(rep), .a = a };
	size_t cells = (size_t)p->n_steps * w->inv->n_hosts + 1;
	struct sigaction act = { .sa_handler = on_signal }, was_int, was_term;

	pthread_mutex_init(&run.lock, NULL);
	pthread_mutex_init(&run.ca_lock, NULL);
	pthread_cond_init(&run.moved, NULL);
	run.hosts = arena_new_of(a, struct host_run *, w->inv->n_hosts + 1);
	run.edges = arena_get(a, cells);
	run.firsts = arena_get(a, cells);
	memset(run.firsts, -1, cells);
	for (uint32_t i = 0; i < p->n_hosts; i++)
		run_host(&run, p->hosts[i])->selected = true;
	secrets_gather(&run);
	report_start(rep, p->playbook->name, p->n_hosts, p->n_steps);
	running = &run;
	sigaction(SIGINT, &act, &was_int);
	sigaction(SIGTERM, &act, &was_term);
	work(&run);
	sigaction(SIGINT, &was_int, NULL);
	sigaction(SIGTERM, &was_term, NULL);
	running = NULL;
	recap(&run);
	int status = status_of(&run);
	report_end(rep, status, os_now_ms() - began);
	hosts_close(&run);
	pthread_mutex_destroy(&run.lock);
	pthread_mutex_destroy(&run.ca_lock);
	pthread_cond_destroy(&run.moved);
	arena_free(a);
	return status;
}
