/*
 * The inventory: hosts, groups and the values written for them, with Ansible's precedence. It knows no parameter and no module.
 * Immutable after loading; safe to read from many threads.
 */
#ifndef MODEL_INVENTORY_H
#define MODEL_INVENTORY_H

#include "base/err.h"
#include "base/map.h"
#include "value/value.h"
#include "value/vault.h"

struct inv_group;
struct inv_host {
	const char *name;         /* as written: address or alias */
	struct origin at;         /* where first named */
	struct value *vars;       /* written for the host itself (inventory file, host_vars); map */
	struct inv_group **groups; /* every group it is in, `all` first, then by depth and name: the order of precedence */
	uint32_t n_groups, index; /* index: place in inventory order */
	struct value *sealed;     /* a file of host_vars that could not be opened: any name may stand in it; NULL: none */
	const struct inv_layers *layers; /* private: the group maps that count for it, shared by hosts of the same groups */
};

struct inv_group {
	const char *name;
	struct origin at;
	struct value *vars; /* map */
	struct inv_group **children, **parents;
	uint32_t n_children, n_parents;
	struct inv_host **hosts; /* named directly */
	uint32_t n_hosts;
	int depth; /* all: 0 */
	int64_t priority; /* ansible_group_priority, default 1 */
	struct inv_parts *parts; /* private: its values by where they were written */
};

/* A host named by a group, with the values that stand there; in the order they were read. */
struct inv_mention { struct inv_host *host; const struct inv_group *group; const struct value *vars; };

struct inventory {
	struct arena *a;
	struct inv_host **hosts; /* inventory order */
	uint32_t n_hosts;
	struct inv_group **groups; /* `all` and `ungrouped` first */
	uint32_t n_groups;
	struct map host_index, group_index;
	struct value *extra;  /* -e: map */
	struct vault *vault;  /* opens V_VAULT texts; may be NULL */
	struct map shadows;   /* private: values that others of the same level replaced */
	struct value **sealed; /* files of values that no vault password opened */
	uint32_t n_sealed;
	const char *dir;      /* folder of the first source: templates/, plugins/, files/ are looked for there */
	const char **sources; /* absolute or as given */
	uint32_t n_sources;
	struct inv_mention *mentions; /* of files and databases */
	uint32_t n_mentions;
	const char *database; /* the source that is one, as given; NULL: none */
	const struct value *play; /* values of a play (play.h): over those of hosts, under -e; map; NULL: none */
	bool *play_on;            /* by host index: hosts they count for */
};

struct inventory_options {
	const char *const *sources; /* files, folders, "a,b," host lists; none: the default inventory (see inventory_default) */
	uint32_t n_sources;
	const char *const *extra;   /* -e words: "k=v k2=v2", "{json}", "@file" */
	uint32_t n_extra;
	struct vault *vault; /* may be NULL: what is encrypted stays so */
};

bool inventory_load(struct inventory **out, struct arena *a, const struct inventory_options *o, struct err *e);
/* ansible.cfg's `[defaults] inventory` in the folder, else pigsty.yml in the folder, else in $PIGSTY_HOME, else $METADB_URL; NULL and
 * e when none. */
const char *inventory_default(struct arena *a, struct err *e);
/* The folder a source stands in: "." for a database, NULL for a list of hosts. */
const char *inventory_source_dir(struct arena *a, const char *source);

struct inv_host *inventory_host(const struct inventory *inv, const char *name);
struct inv_group *inventory_group(const struct inventory *inv, const char *name);
bool inventory_in_group(const struct inv_host *h, const char *group);
/* Hosts of a group, children's included, inventory order. */
struct inv_host **inventory_group_hosts(struct arena *a, const struct inv_group *g, uint32_t *n);

enum inv_level { INV_NONE = 0, INV_ALL, INV_GROUP, INV_HOST, INV_PLAY, INV_EXTRA };
struct inv_found {
	struct value *val;          /* unrendered, as written */
	enum inv_level level;
	const char *owner;          /* group or host name, "-e" */
};
/* The value that wins for name on host. A value may be encrypted (V_VAULT), or stand for a file that may set the name and could not
 * be opened. False when nowhere written. `ansible_host` etc. are ordinary names. */
bool inventory_var(const struct inventory *inv, const struct inv_host *h, const char *name, struct inv_found *out);
/* The same; hash is hash_str(name). */
bool inventory_var_hashed(const struct inventory *inv, const struct inv_host *h, const char *name, uint32_t hash,
                          struct inv_found *out);
/* All of them, highest precedence first: provenance. */
uint32_t inventory_var_all(const struct inventory *inv, struct arena *a, const struct inv_host *h, const char *name, struct inv_found **out);
/* Every name visible on the host merged into one map (values unrendered). */
struct value *inventory_vars(const struct inventory *inv, struct arena *a, const struct inv_host *h);

/* Patterns as Ansible's -l: a:b a,b & ! globs ~regex g[0] g[1:3] @file. A term that matches nothing is an error with suggestions
 * unless allow_empty. Result: inventory order within terms as Ansible keeps it, each host once. */
bool pattern_hosts(struct inv_host ***out, uint32_t *n, struct arena *a, const struct inventory *inv, const char *pattern,
                   bool allow_empty, struct err *e);
/* Host ranges: "n[01:20:2].x", "n[a:c]" into a list of names. */
bool pattern_range(struct value **out, struct arena *a, const char *text, struct err *e);

#endif
