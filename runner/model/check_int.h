/*
 * What the files of check* share: one pass over the inventory and the faults it collects.
 */
#ifndef MODEL_CHECK_INT_H
#define MODEL_CHECK_INT_H

#include "model/resolve_int.h"

struct checking {
	struct arena *a; /* of the faults */
	struct faults *out;
	struct world *w;
	struct resolvers *rs;
	struct inv_host *const *hosts;
	uint32_t n_hosts;
	struct map seen;   /* place, id and text: a fault shared by hosts counts once */
	struct map places; /* with an error already: what follows from it is not told again */
	struct map used;   /* names that templates of the inventory ask for */
	struct map near;   /* unknown name -> struct guess *, as many hosts may write it */
	struct map others; /* module that is not there -> struct other *: what the inventory says of it */
	struct map dynamic; /* group -> struct dynamic *: its parameters with templates */
	struct map global; /* module -> its cluster parameter is set for all hosts: its clusters mean nothing */
	struct map names;  /* of check_name: names that are no parameter's */
	const char ***concerned; /* of check_concerned, by module */
};

/* check.c */
void check_add(struct checking *c, const struct fault *f);
/* What a lookup failed with, on a host: left out when it is only unknown yet, or its place has an error already. */
void check_add_err(struct checking *c, const struct inv_host *h, const char *id, const struct err *e);
/* By the host's place in the pass: the host's cluster of the module (its place in the list), "" when the module has no clusters,
 * NULL when the module has nothing to do with the host. */
const char *const *check_concerned(struct checking *c, uint32_t module);

/* check_held.c: what was found good, and the values it was given; the newest few, last met first. */
enum { HELD_MOST = 4 };
struct held_item {
	const char **names;
	const struct value **vals;
	uint32_t n;
	uint64_t of; /* what else has to be the same */
};
struct held { struct held_item items[HELD_MOST]; uint32_t n; };
/* Is the host given the same as one where it held? Never once it is connected: facts tell hosts apart. */
bool held_before(struct checking *c, struct held *l, const struct inv_host *h, uint64_t of);
/* Notes what was asked and given, unless it is the same on every host. The name may die afterwards. */
void held_asked(struct checking *c, struct asked *k, const char *name, const struct value *v);
/* It held where this was asked; of no use when that was the host's own. */
void held_now(struct checking *c, struct held *l, const struct asked *k, uint64_t of);
/* The same name, kept as long as the pass. */
const char *check_name(struct checking *c, const char *name);

/* check_written.c: names, levels, types of what is written; what is missing. */
void check_written(struct checking *c);
void check_missing(struct checking *c);

/* check_names.c: an entry whose name no module registers; at the end, what was gathered about such names. */
void names_unknown(struct checking *c, const struct entry *en);
void names_tell(struct checking *c);

/* check_clusters.c: hosts in two clusters of one module. check_ports.c: ports that meet on a host. */
void check_clusters(struct checking *c);
void check_ports(struct checking *c);

/* check_secrets.c: secrets left at their default, secrets that cannot be masked. */
void check_secrets(struct checking *c);

/* check_rules.c: every rule of every module; host NULL: all of the pass, else that one and the rules about single hosts
 * only. */
void check_rules(struct checking *c, struct inv_host *host);

/* check_api.c: what rules in C may ask. */
struct rule_check {
	struct pig_check pub; /* first: modules hold a pointer to it */
	struct checking *c;
	struct arena *a; /* what the rule makes for itself */
	const struct rule *rule;
	struct inv_host *h; /* whose place is shown when the rule names none */
	const struct inv_host *other; /* that was asked last; NULL: none */
	struct asked *asked; /* notes what is asked for; NULL: nobody wants to know */
	struct fault last;  /* waits for its hint */
	bool waiting;
	bool told; /* a fault, be it waiting */
	bool ran_into; /* a value that is wrong was asked for: what then is said of no value only follows from it */
};
void rule_run_check(struct rule_check *k);
extern const struct pig_values check_values;

#endif
