/* One run per cluster at a time: a lock file beside the inventory for each cluster (or lone host) that a run changes. The lock goes
 * with its process, however that ends. With the inventory in a database, an advisory lock there for each of them too. */
#ifndef RUN_LOCK_H
#define RUN_LOCK_H

#include "model/plan.h"

struct run_lock;
/* false: another run holds one; e names it, who and since when. */
bool run_lock_take(struct run_lock **out, struct arena *a, struct world *w, struct resolvers *rs, const struct plan *p, struct err *e);
void run_lock_release(struct run_lock *l); /* NULL is allowed */

#endif
