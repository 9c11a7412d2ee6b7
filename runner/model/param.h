/*
 * Parameters of a host: from the inventory through types to a module's struct. Precedence: module default < preset < all < parent
 * group < child group < host < -e. Text with {{ }} is rendered with the host's own scope, ${name} of a registered parameter too.
 */
#ifndef MODEL_PARAM_H
#define MODEL_PARAM_H

#include "model/inventory.h"
#include "model/module.h"

struct world { /* what a run knows before any host is touched; immutable but for the resolvers' own caches */
	struct arena *a;
	struct inventory *inv;
	struct modules *modules;
};

/* E_UNKNOWN in e->code: the value hangs on a fact and the host is not connected yet. Never shown to users as an error. */
enum { E_UNKNOWN = 1001 };

/* One host's parameters; not shared between threads: others ask through resolver_get_shared. */
struct resolver;
struct resolver *resolver_new(struct world *w, struct inv_host *h);
/* Facts (map) once connected; forgets what was unknown. */
void resolver_facts(struct resolver *r, const struct value *facts);
/* Rendered, typed and checked value of a registered parameter, or rendered inventory value of any other name; also the built-in
 * names inventory_hostname, inventory_hostname_short, inventory_dir, group_names, groups, hostvars, ansible_play_hosts-free, and
 * facts. NULL: unset (e untouched) or failed (e filled). Thread-safe: a resolver has a mutex; nested lookups of other hosts
 * (hostvars) lock one resolver at a time. */
const struct value *resolver_get(struct resolver *r, const char *name, struct err *e);
/* The same as a scope for templates and expressions; extra (a map, may be NULL) comes first. load finds templates of m. */
struct scope resolver_scope(struct resolver *r, struct arena *a, const struct module *m, const struct value *extra);
/* A module's parameter struct, filled; cached. NULL and e when a value is missing, wrong or unknown. */
const void *resolver_params(struct resolver *r, const struct module *m, struct err *e);
/* Value of the module's cluster parameter on the host, or NULL: it is in no cluster of that module. */
const char *resolver_cluster(struct resolver *r, const struct module *m);

/* The value as written with what the parameter's row calls secret marked, members too; nothing else is changed. */
const struct value *param_marked(struct arena *a, const struct param *p, const struct value *v);

/* "string", "list", ... of enum pig_type, for people. */
const char *param_type_name(unsigned type);

/* All hosts' resolvers, made on demand; the only way threads share them. */
struct resolvers;
struct resolvers *resolvers_new(struct world *w);
struct resolver *resolvers_of(struct resolvers *rs, const struct inv_host *h);
/* Hosts of a module's cluster, inventory order, as a list of names. Also group names. NULL when neither. */
const struct value *resolvers_members(struct resolvers *rs, struct arena *a, const struct module *m, const char *cluster_or_group);

/* ---- pig check ---- */
struct fault {
	struct origin at;
	const char *host;  /* or NULL */
	const char *text, *hint;
	const char *id;    /* rule id or kind: "unknown-parameter", "type", ... */
	bool warning;      /* does not stop a run */
	bool note;         /* a warning that asks for nothing now */
};
struct faults { struct fault *items; uint32_t n, cap; uint32_t errors, notes; struct arena *a; };
/* All faults in one pass, sorted by place, none twice: unknown names (did you mean), types, levels, members, was-names, inert ones,
 * rules of all modules. Hosts: NULL means all. Values that hang on facts are left for after the hello. */
void check_all(struct faults *out, struct world *w, struct resolvers *rs, struct inv_host *const *hosts, uint32_t n_hosts);
/* After the hello: what check_all had to leave, and rules that hang on facts, for one host. False and e: the first fault. */
bool check_connected(struct resolver *r, struct err *e);

#endif
