/*
 * What the files of resolve* share. Locks: a resolver's own lock is held while something of its host is evaluated, and
 * let go while another host is asked, so that a thread holds one such lock at most; the lock of the resolvers is the
 * innermost and short.
 */
#ifndef MODEL_RESOLVE_INT_H
#define MODEL_RESOLVE_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include "model/param_int.h"

struct resolver {
	struct resolvers *rs;
	struct inv_host *h;
	pthread_mutex_t lock; /* guards all below */
	struct arena *a;
	struct map cache;  /* name -> struct outcome *: what took work */
	struct map filled; /* module name -> its struct */
	const char **clusters; /* by the module's place: its cluster, "" for none; NULL: not asked yet */
	const struct value *facts;
	const struct value *group_names; /* made when first asked for; guarded by the resolvers' lock */
};

struct fixed;
struct outcome;
struct resolvers {
	struct world *w;
	struct resolver *_Atomic *of; /* by the host's index; made on demand */
	uint32_t n_hosts;
	const bool *written; /* by the parameter's index: somewhere in the inventory. Set once */
	const bool *alike;   /* the same: nowhere written, and the default hangs on nothing. Set once */
	const struct outcome *_Atomic *common; /* what alike ones come to, on any host; made on demand */
	pthread_mutex_t lock; /* guards all below */
	struct arena *a;
	struct fixed **fixed; /* typed values without templates, by place of the raw value */
	uint32_t n_fixed, cap_fixed;
	struct value *groups, *hostvars;
	struct map members; /* module name -> map of cluster -> list of names */
	struct value **names; /* by the host's index: its name, made on demand */
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
	struct asked *asked; /* notes what is asked for; NULL: nobody wants to know */
};

/* ---- values that hosts share (resolve_shared.c) ---- */
enum { ASKED_MOST = 24, SHARED_MOST = 4 };
/* What a template or expression asked for, and what it was given. */
struct asked {
	const char *names[ASKED_MOST];
	const struct value *vals[ASKED_MOST];
	uint32_t n;
	bool own; /* it asked for what is the host's own: no other host has the same */
};
struct shared_result {
	const struct value **vals, *val;
	const struct resolver *last; /* the host that was given it last: it need not ask again */
};
/* What one written value came to, newest results kept. */
struct shared {
	const char **names;
	uint32_t n, n_results, next;
	struct shared_result results[SHARED_MOST];
};
void asked_add(struct asked *k, const char *name, const struct value *v);
/* False: none fits, or the host is connected. *out NULL: unset. r's lock is held. */
bool shared_find(struct resolver *r, struct shared *s, const struct link *link, const struct value **out);
/* *v becomes a copy that lives as long as the resolvers; false when it is the host's own. */
bool shared_put(struct resolver *r, struct shared *s, const struct asked *k, const struct value **v);

/* Is the name a parameter that comes to the same on every host, whatever its facts? */
bool resolvers_alike(const struct resolvers *rs, const char *name);
/* True for such a name: *out is its value, NULL when unset or, with e, wrong. No lock need be held. */
bool resolvers_common(struct resolvers *rs, const char *name, const struct value **out, struct err *e);
/* Value of a name on r's host; r's lock is held. */
const struct value *resolver_lookup(struct resolver *r, const char *name, const struct link *chain, struct err *e);
struct scope asking_scope(struct asking *k);
/* Every group's host names, those of its children included; shared, made once. */
const struct value *resolvers_groups(struct resolvers *rs);
/* The host's name as a value that knows where the host is written; one for all who ask. The resolvers' lock is held. */
struct value *resolvers_name(struct resolvers *rs, const struct inv_host *h);
/* inventory_hostname, groups, ...; NULL and e untouched when it is none. r's lock is held. */
const struct value *resolver_builtin(struct resolver *r, const char *name);

#endif
