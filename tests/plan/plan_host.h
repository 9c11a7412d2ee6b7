/*
 * A pig_host that writes down what a task asks for and answers from a fixture: no engine, no host, no network. One
 * line an operation, its texts below, indented; then what the task said.
 */
#ifndef PLAN_HOST_H
#define PLAN_HOST_H

#include "model/param.h"

struct plan_case {
	struct arena *a;
	struct world *w;
	struct resolvers *rs;
	const struct value *fixture; /* answers, changed, unreachable, away, published, show */
	struct value *published; /* map */
	struct buf out;
};

struct plan_task {
	struct pig_task pub; /* must be first */
	struct plan_case *c;
	const struct module *module;
	struct plan_task *home;
	bool failed; /* of the home handle */
	bool later;  /* a handle whose operations wait for the end of the step */
};

/* Run one task's body on a host; false: the fixture does not fit, e says how. */
bool plan_run(struct plan_case *c, const struct module *m, const struct pig_taskdef *task, const struct inv_host *h,
	struct err *e);

#endif
