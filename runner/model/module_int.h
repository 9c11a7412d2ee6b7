/*
 * What the files of module* share. Loading goes: file (module_file.c) -> tables in the runner's own row sizes
 * (module.c) -> each row sound by itself (module_rows.c) -> all modules joined (module_join.c); module_find.c walks the
 * search path.
 */
#ifndef MODEL_MODULE_INT_H
#define MODEL_MODULE_INT_H

#include "model/module.h"
#include "model/param_int.h"

/* Owner, mode and completeness of the file, before any of its code can run. */
bool module_file_sound(const char *path, struct err *e);
/* What module_open does once the object is in memory: size is how much of it there is. For tests too. */
bool module_of(struct module **out, struct arena *a, const char *file, const struct pig_module *exported, size_t size,
	       struct err *e);
/* Rows, expressions, defaults of one module; fills the arrays of m. */
bool module_rows_check(struct module *m, struct arena *a, struct err *e);

/* A parameter's or preset's default: YAML, typed unless it is a template. *out NULL: none. */
bool module_default(const struct value **out, struct arena *a, const char *file, const struct param *p,
		    const char *text, struct err *e);
/* Words of "a b c" into a list. */
const char **module_words(struct arena *a, const char *text, uint32_t *n);
/* "pgsql.yml" and "pgsql" are one playbook. */
const char *module_playbook_name(struct arena *a, const char *name);

/* ">=0.1 <2" */
bool version_fits(const char *version, const char *range);
bool version_range_valid(const char *range);

/* Does its .needs name the module? */
bool module_needs(const struct module *m, const char *name);
/* NULL when it has none of that name. */
const struct pig_template *module_own_template(const struct module *m, const char *name);

/* One more module that did not load. */
void modules_skip(struct modules *ms, const struct err *e);

/* Joining: needs, clashes, steps, inserts, presets. Modules that fail go to ms->skipped; false: one that is needed
 * failed, or a clash. */
bool modules_join(struct modules *ms, struct module **found, uint32_t n, struct err *e);
/* Playbooks with their steps, inserts in place (module_steps.c): false and e for what is wrong with module m. */
bool module_steps_make(struct modules *ms, struct module *m, struct err *e);
bool module_inserts_make(struct modules *ms, struct module *m, struct err *e);
/* Steps that name a playbook give way to its steps, once all inserts are in place. */
bool module_includes_make(struct modules *ms, struct module *m, struct err *e);
/* Needs and health gates of its steps, once all playbooks are made. */
bool module_edges_check(struct modules *ms, struct module *m, struct err *e);

#endif
