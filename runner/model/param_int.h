/*
 * What the files of param*, resolve* and check* share: rows made ready for checking (shapes), the known forms of text,
 * and typing. Nothing outside runner/model includes this.
 */
#ifndef MODEL_PARAM_INT_H
#define MODEL_PARAM_INT_H

#include "model/param.h"

/* ---- forms of text (param_form.c) ---- */
struct form;
/* NULL check: *out is NULL. choices: "a|b" is a list of choices whatever it looks like (PIG_ENUM). */
bool form_parse(const struct form **out, struct arena *a, const char *check, bool choices, struct err *e);
/* Has the text the form? Thread-safe. NULL forms match everything. */
bool form_match(const struct form *f, const char *s, size_t n);
/* What is wanted, after "must be": "one of a, b", "a port from 1 to 65535". */
const char *form_want(const struct form *f, struct arena *a);
/* The choices, or NULL when the form is none of choices. */
const char *const *form_choices(const struct form *f, uint32_t *n);
/* The row's own text, for `pig doc`. */
const char *form_text(const struct form *f);

/* ---- shapes and typing (param.c) ---- */
struct shape {
	const struct pig_param *row;
	const struct form *form;
	const struct value *dflt; /* of members: parsed and typed; NULL: none */
	const struct shape *members;
	uint32_t n;
	const struct shape *any; /* the member named "*": values under keys that no other row names */
};

struct type_fault {
	struct origin at;
	bool warning, note;
	const char *id, *text, *hint; /* in the typing's arena; hint may be NULL */
};
/* One typing. fault is called for every fault found; errors counts those that are no warnings. */
struct typing {
	struct arena *a, *scratch; /* scratch: for what is not in the result nor in a fault; made when it is needed, the caller frees it */
	void (*fault)(void *ctx, const struct type_fault *f);
	void *ctx;
	uint32_t errors;
	struct origin at;  /* of the value being looked at, where the value itself has none */
	bool secret;       /* inside a secret: do not show values in messages */
	const char *owner; /* "parameter" or what else begins messages */
};
/* Row to shape, members too; the row's form, type and members must be sound. Defaults of members are parsed and typed.
 */
bool shape_make(const struct shape **out, struct arena *a, const struct pig_param *row, struct err *e);
/* The value as the row wants it: same pointer where nothing changes. NULL: null (unset) or faults were reported. */
const struct value *shape_type(struct typing *t, const struct shape *sh, const struct value *v, const char *path);
/* Typing that ends in an error: the first fault. *out NULL and true: unset. */
bool shape_type_one(const struct value **out, struct arena *a, const struct shape *sh, const struct value *v,
		    struct err *e);

/* ---- templates inside values (resolve_text.c) ---- */
/* Does the value hold {{ }}, {% %} or ${name} of a registered parameter anywhere? */
bool value_is_dynamic(const struct modules *ms, const struct value *v);
/* Every string rendered; same pointer where nothing changes. */
bool value_render(struct value **out, struct arena *a, const struct modules *ms, const struct value *v,
		  const struct scope *s, struct err *e);
/* Names that templates anywhere in the value may ask for, into names (a map used as a set); broken templates are left
 * out. */
void value_names(struct arena *a, const struct value *v, struct map *names);

/* ---- names (resolve.c) ---- */
bool name_is_fact(const char *name);
bool name_is_builtin(const char *name); /* inventory_hostname, groups, ... */

/* A module's default or preset, not a place the user could look at. */
bool origin_is_default(struct origin at);
/* "file:line:col" back into a place; a NULL file when it is none. */
struct origin origin_of(struct arena *a, const char *where);

#endif
