/*
 * Modules: found, loaded, checked, joined. After loading everything here is immutable. Tables are copied into rows of the runner's
 * own size (shorter rows are zero-filled; a longer row's tail must be zero), so that the rest of the runner reads plain arrays.
 */
#ifndef MODEL_MODULE_H
#define MODEL_MODULE_H

#include <pig.h>
#include "base/err.h"
#include "base/map.h"
#include "text/tmpl.h"
#include "value/value.h"

struct module;
struct preset;
struct play;

struct param {
	const struct pig_param *row;
	const struct module *module;
	uint32_t index;             /* over all modules: place in resolved arrays */
	const struct value *dflt;   /* parsed default; NULL: none (unset) */
	const struct pig_param *members; uint32_t n_members; /* runner-sized rows */
	const struct shape *shape;  /* the row made ready for checking: see param_int.h */
	const struct preset *preset; /* another module's default for it; NULL: none */
};

struct task_row {
	const struct pig_taskdef *row;
	const struct module *module;
	const struct expr *when; /* NULL: always */
};

struct step {
	const char *name;
	const struct module *module; /* that brought it: its cluster parameter groups hosts for first, once, serial.
	                                An inserted step has its anchor's, as it runs on the anchor's hosts and clusters */
	const char *hosts;           /* pattern or NULL */
	const struct task_row **tasks; uint32_t n_tasks;
	const struct expr *when, *first;
	const char *needs, *health;
	const char *loses, *safeguard; /* of destructive steps: template, name of a parameter */
	const char *playbook;          /* until modules are joined: the playbook whose steps stand here */
	uint32_t serial, flags;
	const struct play *play;       /* of a file of plays; NULL: as registered */
	bool named;                    /* its tasks stand there by name: also those whose tags say never */
};

struct playbook {
	const char *name, *text;
	const struct module *module; /* NULL: of a file of plays */
	struct step *steps; uint32_t n_steps; /* inserts of other modules already in place */
	const struct play *plays; uint32_t n_plays; /* of a file */
};

struct rule { const struct pig_rule *row; const struct module *module; const struct expr *must; };
struct listen { const struct pig_listen *row; const struct module *module; const struct expr *when; };
struct preset { const struct pig_preset *row; const struct module *module; const struct value *dflt; const struct expr *when; };

/* A module's template in the place of another's; those of one template stand in order of need, the last in force. */
struct override { const char *name; const struct module *by; const struct pig_template *row; };

struct module {
	const struct pig_module *m; /* as exported, or a runner-sized copy */
	const char *file;           /* path of the .so */
	struct param *params; uint32_t n_params;
	struct task_row *tasks; uint32_t n_tasks;
	struct rule *rules; uint32_t n_rules;
	struct preset *presets; uint32_t n_presets;
	const struct pig_template *templates; uint32_t n_templates;
	const struct pig_health *health; uint32_t n_health;
	const struct pig_iface *ifaces; uint32_t n_ifaces;
	const struct pig_alias *aliases; uint32_t n_aliases;
	const struct pig_verb *verbs; uint32_t n_verbs;
	struct listen *listens; uint32_t n_listens;
	struct override *overrides; uint32_t n_overrides; /* what others put in the place of its templates */
};

struct modules {
	struct arena *a;
	struct module **list; uint32_t n; /* in order of need */
	struct map params;    /* name -> struct param * */
	struct map was;       /* earlier name -> struct param * */
	struct map tasks;     /* name -> struct task_row * */
	struct map playbooks; /* name without .yml -> struct playbook * */
	uint32_t n_params;    /* over all modules */
	struct err *skipped; uint32_t n_skipped; /* modules that did not load: reported, the rest goes on unless needed */
};

struct module_options {
	const char *const *dirs; uint32_t n_dirs; /* --plugin-dir, first found wins by module name */
	const char *inventory_dir;                /* its plugins/ */
};

/* Search path: dirs, PIG_PLUGIN_PATH, <inventory dir>/plugins, ~/.pig/plugins, plugins/ beside the running binary's folder
 * (build tree: ../plugins), the installed folder. E_MODULE when a needed module is missing or a clash exists. */
bool modules_load(struct modules **out, struct arena *a, const struct module_options *o, struct err *e);
/* One file; for tests and `pig module info`. */
bool module_open(struct module **out, struct arena *a, const char *path, struct err *e);
struct module *modules_get(const struct modules *ms, const char *name);
/* "pgsql", "pgsql.yml": NULL and e with suggestions. */
struct playbook *modules_playbook(const struct modules *ms, const char *name, struct err *e);
/* A template of a module: <inventory dir>/templates/<module>/<name>, /etc/pig/templates/<module>/<name>, then what modules bring
 * ("builtin:<module>/<name>" asks for that alone): the last module that overrides it, else its own. *file is its name for messages:
 * "builtin:<module that brings it>/<name there>". */
const char *module_template(const struct module *m, struct arena *a, const char *inventory_dir, const char *name,
                            const char **file, size_t *len, struct err *e);
/* The same, asked by a template whose own name is `asker`: an overriding one gets what it overrides. */
const char *module_template_for(const struct module *m, struct arena *a, const char *inventory_dir, const char *name,
                                const char *asker, const char **file, size_t *len, struct err *e);
/* Packages behind an alias for this OS ("debian12"), or the name itself. */
const char *modules_alias(const struct modules *ms, const char *os, const char *name);

#endif
