/*
 * A run: a plan brought about. One worker has one host at a time; a host that waits for an edge gives its worker back. What is shared
 * between threads is here, behind `lock`; everything else is immutable or belongs to the host that is being worked on.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <pthread.h>
#include "host/session.h"
#include "model/plan.h"
#include "ops/batch.h"
#include "ops/cert.h"
#include "run/report.h"
#include "run/secret.h"

struct run_options {
	bool check, diff;
	int forks;            /* 0: the smaller of the hosts and 64 */
	bool insecure;
	const char *user;     /* login user for all hosts, or NULL */
	/* replaces conn_open: a recording host in tests; NULL: the real thing */
	bool (*connect)(void *ctx, struct conn **out, const struct target *t, struct err *e);
	void *connect_ctx;
};

enum edge { EDGE_OPEN = 0, EDGE_DONE, EDGE_DEAD /* failed, not run or unreachable */ };

struct host_run {
	struct inv_host *h;
	struct resolver *r;
	struct arena *a;          /* as long as the run */
	struct conn *conn;
	pthread_mutex_t open_lock; /* delegation may open a host from another host's thread */
	bool opened, selected;    /* selected: in the plan, not only delegated to */
	uint32_t pos;             /* next step of the plan */
	bool busy, failed, unreachable, finished;
	struct err why;           /* of failed and unreachable */
	struct err down;          /* why there is no connection; a host that failed may still be reached by others */
	const char *not_run;      /* "needs ..." */
	const char *check_dirty;
	struct foreseen *foreseen; /* check mode: by the host's own steps, one after the other */
	struct map enabled;       /* units, by the host's own steps; see batch.h */
	struct value *published;  /* map; under run->lock */
	struct counts counts;
	struct counts later;      /* of what it left for other hosts; under run->lock */
	bool taking;              /* what others left here is being done; under run->lock */
};

struct run {
	struct world *w;
	struct resolvers *rs;
	const struct plan *plan;
	struct run_options o;
	struct report *rep;
	struct secrets *secrets;
	struct arena *a;
	pthread_mutex_t lock;     /* everything below, and host_run's scheduling fields */
	pthread_cond_t moved;
	struct host_run **hosts;  /* by inventory index; NULL: not part of it (yet) */
	uint8_t *edges;           /* step x inventory index: enum edge */
	struct later *later;      /* what waits for the end of its step; see later.c */
	int8_t *firsts;           /* step x inventory index: 1 first, 0 not, -1 not asked */
	struct ca *ca;
	pthread_mutex_t ca_lock;
	volatile int cancel;
	pthread_mutex_t tick_lock; /* of the two below */
	pthread_cond_t tick;
	bool ticked_out;
};

/* Run the plan; the result is the exit status. The report has been printed. */
int run_plan(struct world *w, struct resolvers *rs, const struct plan *p, const struct run_options *o, struct report *rep);

/* The host's session, opened on first use. false: unreachable, e filled. Thread-safe. */
bool run_connect(struct run *run, struct host_run *hr, struct err *e);
struct host_run *run_host(struct run *run, const struct inv_host *h);
/* One step's tasks on one host; false: the host failed, hr->why filled. */
bool run_step(struct run *run, struct host_run *hr, uint32_t step);
/* The host's steps are over, or it has failed: what its session owes it yet. */
void run_leave(struct run *run, struct host_run *hr);
/* The local CA, opened once. NULL and e when it cannot be. */
struct ca *run_ca(struct run *run, struct host_run *hr, struct err *e);
/* One worker's life; see sched.c. */
void *run_worker(void *run);
/* What is due on one host now that its step is over, or NULL; *left: more waits. With the lock held. */
struct later *run_later_take(struct run *run, bool *left);
void run_later_send(struct run *run, struct later *l);
/* Fill a target from the host's connection variables; PIG_SSH_CONFIG names another ssh_config than the user's. */
bool run_target(struct run *run, struct host_run *hr, struct target *t, struct err *e);
/* The health row that says whether a module's service answers, seen from any host: asked for `needs` outside the run. */
#define RUN_ANSWERS "answers"
/* Health of a module on one host, as a task of its own, with the values that the step sees. */
bool run_health(struct run *run, struct host_run *hr, uint32_t step, const struct module *m, const char *name, struct err *e);
/* What the hosts say as the step sees it: its play's values first. */
struct resolvers *run_values(const struct run *run, uint32_t step);

#endif
