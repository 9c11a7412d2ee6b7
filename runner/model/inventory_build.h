/* The inventory while it is being read: what the readers of the several formats share. Private to inventory*.c. */
#ifndef MODEL_INVENTORY_BUILD_H
#define MODEL_INVENTORY_BUILD_H

#include "model/inventory.h"

/* sealed: an encrypted file that could not be opened stands in front of the map; any name may be in it. */
struct inv_layer { const struct value *map; enum inv_level level; const char *owner; struct value *sealed; };
struct inv_layers { const struct inv_layer *items; uint32_t n; }; /* highest precedence first */

struct inv_shadow { struct value *val; const struct inv_shadow *older; };

struct inv_parts {
	struct value *files; /* from inventory files and scripts */
	struct value **dirs; /* from group_vars/, one of each of the build's dirs; NULL where none */
	struct value **sealed; /* beside dirs: a file that could not be opened */
	uint32_t index;      /* place in inventory.groups */
	uint32_t mark;       /* for walks while building */
};

struct inv_edge { struct inv_group *parent, *child; struct origin at; };

struct inv_build {
	struct arena *a;
	struct inventory *inv;
	struct err *e;
	struct inv_edge *edges;
	uint32_t n_edges;
	const char **dirs; /* folders whose group_vars/ and host_vars/ count, in order */
	uint32_t n_dirs;
	size_t n_named; /* host names read so far, those of ranges counted each */
};

/* Room for one more behind n items of the size; every array here grows by doubling. */
void *inventory_grow(struct arena *a, void *items, uint32_t n, size_t size);

/* Maps of values are often the document's own, as written, until there is something to change in them. */
bool inventory_adopt(struct value **vars, const struct value *written); /* false: the values are to be put one by one */
void inventory_own(struct inv_build *b, struct value **vars);          /* before a change */

/* Set a value; one that it replaces is kept as what was overridden (inventory_var_all). */
void inventory_put(struct inventory *inv, struct value *map, const char *name, struct value *v, struct origin at);

/* ---- inventory_build.c ---- */
void inventory_begin(struct inv_build *b, struct arena *a, struct err *e);
struct inv_group *inventory_add_group(struct inv_build *b, const char *name, struct origin at);
struct inv_host *inventory_add_host(struct inv_build *b, const char *name, struct inv_group *g, struct origin at);
void inventory_add_child(struct inv_build *b, struct inv_group *parent, struct inv_group *child, struct origin at);
bool inventory_set_group_var(struct inv_build *b, struct inv_group *g, const char *name, struct value *v,
	struct origin at);
/* Hosts of a pattern such as n[1:3]:2222 into the group, with the variables (NULL or a map). */
bool inventory_add_pattern(struct inv_build *b, const char *pattern, struct inv_group *g, const struct value *vars,
	struct origin at);
/* That the group named the host; vars (NULL: none) are kept by pointer. */
void inventory_add_mention(struct inv_build *b, struct inv_host *h, const struct inv_group *g, const struct value *vars);
/* Everything is read: complete the groups, find cycles, fix depths, order and precedence. */
bool inventory_finish(struct inv_build *b);

/* ---- readers ---- */
bool inventory_read_source(struct inv_build *b, const char *source);
bool inventory_read_yaml(struct inv_build *b, const char *path, const struct value *doc);
bool inventory_read_ini(struct inv_build *b, const char *path, const char *text, size_t len);
bool inventory_read_script(struct inv_build *b, const char *path);
/* group_vars/ and host_vars/ of all dirs. */
bool inventory_read_vars(struct inv_build *b);
/* The -e words into one map. */
bool inventory_read_extra(struct inv_build *b, const char *const *words, uint32_t n);
/* YAML or JSON text, encrypted perhaps; JSON is tried first where the text begins like it. */
bool inventory_parse(struct inv_build *b, struct value **out, const char *path, const char *text, size_t len);
/* A file's text as a map; empty text is an empty map. */
bool inventory_parse_map(struct inv_build *b, struct value **out, const char *path, const char *what);
/* What JSON says by {"__ansible_vault": text} and {"__ansible_unsafe": text}. */
struct value *inventory_json_marks(struct arena *a, struct value *v);
/* The value of a name in [defaults] of the present folder's ansible.cfg; NULL when there is none. */
bool inventory_cfg(const char **out, struct arena *a, const char *name, struct err *e);
/* The sources when none is named. */
bool inventory_default_sources(const char ***out, uint32_t *n, struct arena *a, struct err *e);
/* A Python literal, as Ansible reads INI values; the text itself as a string when it is none. */
struct value *inventory_literal(struct arena *a, const char *text, size_t len, struct origin at);

/* ---- inventory.c ---- */
/* A group's hosts as Ansible lists them: its own, then level by level its children's. */
struct inv_host **inventory_walk_hosts(struct arena *a, const struct inv_group *g, uint32_t *n);
/* "Did you mean ...?" for a name that is no host or group; the hint stays empty when nothing is near. */
bool inventory_hint_name(const struct inventory *inv, const char *name, struct err *e);

/* ---- pattern_range.c ---- */
/* Split host:port; the name still holds its ranges. *port is 0 when there is none. */
const char *pattern_address(struct arena *a, const char *text, int *port);
/* A host name, address or range as Ansible's own check takes it, so that a colon in it is no separator. */
bool pattern_is_address(const char *text);

#endif
