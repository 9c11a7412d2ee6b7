/* What a run says: a line for each thing that is not as it should be, a recap at the end; or the same as JSON lines. Every text goes
 * through the mask. Thread-safe. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <stdio.h>
#include "base/err.h"
#include "ops/op.h"
#include "run/secret.h"

struct counts { uint32_t ok, changed, warned, failed, not_run; };

struct report;
struct report_options {
	bool json, check, diff;
	int verbose;    /* 1: also what is as it should be; 2: also outputs */
	bool live;      /* standard output is a terminal: see screen.h */
};
struct report *report_new(struct arena *a, FILE *out, const struct report_options *o, struct secrets *s);

void report_start(struct report *r, const char *playbook, uint32_t hosts, uint32_t steps);
void report_task(struct report *r, const char *host, const char *step, const char *task); /* began */
void report_idle(struct report *r, const char *host, bool done); /* nothing under way there; done: it is through */
void report_tick(struct report *r);            /* once a second while hosts are at work */
void report_working(struct report *r, bool on); /* between start and recap: the live rows are there */
/* One settled operation; delegated: the host it ran on when that is another. */
void report_op(struct report *r, const char *host, const char *task, const char *delegated, const struct op *op);
void report_warning(struct report *r, const char *host, const char *task, const char *text);
void report_failure(struct report *r, const char *host, const char *task, const struct err *e);
void report_not_run(struct report *r, const char *host, const char *step, const char *why);
/* One line a host, then the sum and the time it took. */
void report_recap_host(struct report *r, const char *host, const struct counts *c, const char *state);
void report_end(struct report *r, int status, int64_t ms);
struct secrets *report_secrets(struct report *r);
bool report_changed(const struct report *r); /* after the recap: did or would anything change? */

#endif
