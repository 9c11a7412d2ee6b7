/*
 * What the files of resolve* share. Locks: a resolver's own lock is held while something of its host is evaluated, and
 * let go while another host is asked, so that a thread holds one such lock at most; the lock of the resolvers is the
 * innermost and short.
 */
#ifndef MODEL_RESOLVE_INT_H
#define MODEL_RESOLVE_INT_H

#include <pthread.h>
#include "model/param_int.h"

struct resolver {
	struct resolvers *rs;
	struct inv_host *h;
	pthread_mutex_t lock; /* guards all below */
	struct arena *a;
	struct map cache;  /* name -> struct slot *: what took work */
	struct map filled; /* module name -> its struct */
	const struct value *facts;
	const struct value *group_names; /* made when first asked for */
};

struct fixed;
struct resolvers {
	struct world *w;
	struct resolver **of; /* by the host's index; made on demand */
	pthread_mutex_t lock; /* guards all below */
	struct arena *a;
	struct fixed **fixed; /* typed values without templates, by place of the raw value */
	uint32_t n_fixed, cap_fixed;
	struct value *groups, *hostvars;
	struct map members; /* module name -> map of cluster -> list of names */
};

/* What is being evaluated, for cycles: newest first. */
struct link {
	const struct link *up;
	const struct resolver *r;
	const char *name;
	struct origin at;
};

/* The context of a scope. */
struct asking {
	struct resolver *r;
	const struct module *m;
	const struct value *extra;
	struct arena *a;
	const struct link *chain;
	bool held; /* r's lock is held by this thread */
};

/* Value of a name on r's host; r's lock is held. */
const struct value *resolver_lookup(struct resolver *r, const char *name, const struct link *chain, struct err *e);
struct scope asking_scope(struct asking *k);
/* Every group's host names, those of its children included; shared, made once. */
const struct value *resolvers_groups(struct resolvers *rs);
struct value *name_of(struct arena *a, const struct inv_host *h);
/* inventory_hostname, groups, ...; NULL and e untouched when it is none. r's lock is held. */
const struct value *resolver_builtin(struct resolver *r, const char *name);

#endif
