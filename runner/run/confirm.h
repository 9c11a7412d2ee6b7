/* Destructive steps: what they would take away is told, and somebody has to name it, before any host is touched. */
#ifndef RUN_CONFIRM_H
#define RUN_CONFIRM_H

#include <stdio.h>
#include "model/plan.h"

/* The extra variable that names the clusters (hosts, of modules without clusters) that may lose their data: "a,b". */
#define CONFIRM_VAR "confirm"

struct confirm_options {
	bool check;    /* tells only */
	FILE *out;     /* where it is told */
	int terminal;  /* where a name may be typed, or -1: `-e confirm=` is the only way */
};

/* false: a safeguard is on, or what would be lost was not named; e says which. True at once for plans that destroy
 * nothing. */
bool confirm_plan(struct arena *a, struct world *w, struct resolvers *rs, const struct plan *p,
		  const struct confirm_options *o, struct err *e);

#endif
