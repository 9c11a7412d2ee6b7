/*
 * Values: data without meaning. null, bool, int, float, string, list, map. A value remembers where it was written (file, line,
 * column from 1) and whether it is secret. Values live in arenas and are shared freely; after building, treat them as immutable
 * (a template's .append and .update are the exception, on values the template itself made).
 * To modules a struct value is the opaque pig_value.
 */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum value_type { V_NULL = 0, V_BOOL, V_INT, V_FLOAT, V_STR, V_LIST, V_MAP, V_UNDEF /* templates only */ };

enum {
	V_SECRET = 1,   /* known as secret: masked in every output; carried through templates and filters */
	V_PLAIN = 2,    /* a plain YAML scalar: `source` is its text as written, for parameters typed string */
	V_LITERAL = 4,  /* never a template: from a host, a script, the CMDB, `!unsafe` */
	V_QUOTED = 8,   /* a quoted or block YAML scalar */
	V_LAZY = 16,    /* templates only: a map whose members the scope is asked for (hostvars); `source` says of what. Of a
	              * V_VAULT text: it is a whole file that could not be opened */
	V_VAULT = 32, /* a text that is still an Ansible Vault envelope (vault.h) */
};

struct origin {
	const char *file; /* NULL: made by pig */
	uint32_t line, col;
};

struct value;
struct entry {
	const char *key;
	struct value *val;
	struct origin at; /* of the key */
};

struct value {
	uint8_t type, flags;
	struct origin at;
	const char *source; /* text as written, of plain scalars; else NULL */
	union {
		bool b;
		int64_t i;
		double f;
		struct { const char *s; size_t n; } str; /* NUL ended besides */
		struct { struct value **items; uint32_t n, cap; } list;
		struct { struct entry *items; uint32_t n, cap; uint32_t *slots, nslots; } map; /* insertion order */
	} u;
};

/* Makers; never NULL. Strings are copied. */
struct value *value_null(struct arena *a);
struct value *value_bool(struct arena *a, bool b);
struct value *value_int(struct arena *a, int64_t i);
struct value *value_float(struct arena *a, double f);
struct value *value_str(struct arena *a, const char *s);
struct value *value_strn(struct arena *a, const char *s, size_t n);
struct value *value_list(struct arena *a);
struct value *value_map(struct arena *a);
struct value *value_undef(struct arena *a, const char *name); /* u.str is the missing name, for messages */

void value_push(struct arena *a, struct value *list, struct value *item);
/* Insert or replace; order of first insertion. value_put_at also records the key's place. */
void value_put(struct arena *a, struct value *map, const char *key, struct value *item);
void value_put_at(struct arena *a, struct value *map, const char *key, struct value *item, struct origin at);
bool value_del(struct value *map, const char *key);

/* Readers; all accept NULL. */
/* items, entries or bytes; 0 otherwise */
static inline size_t value_len(const struct value *v)
{
	if (!v)
		return 0;
	return v->type == V_STR ? v->u.str.n : v->type == V_LIST ? v->u.list.n : v->type == V_MAP ? v->u.map.n : 0;
}
/* list item or i-th value of a map; NULL past the end */
static inline struct value *value_at(const struct value *v, size_t i)
{
	if (v && v->type == V_LIST)
		return i < v->u.list.n ? v->u.list.items[i] : NULL;
	if (v && v->type == V_MAP)
		return i < v->u.map.n ? v->u.map.items[i].val : NULL;
	return NULL;
}
const char *value_key_at(const struct value *map, size_t i);
struct value *value_get(const struct value *map, const char *key); /* NULL when absent or no map */
/* The same, where many maps are asked for one key: hash is hash_str(key). */
struct value *value_get_hashed(const struct value *map, const char *key, uint32_t hash);
const struct entry *value_entry(const struct value *map, const char *key);
struct value *value_path(const struct value *v, const char *dotted); /* "a.b.0.c" */
static inline const char *value_cstr(const struct value *v, const char *dflt) /* of strings only */
{
	return v && v->type == V_STR ? v->u.str.s : dflt;
}
int64_t value_num(const struct value *v, int64_t dflt);              /* int, or float without fraction */
double value_real(const struct value *v, double dflt);
bool value_truth(const struct value *v);                             /* Python's truth */
static inline bool value_is(const struct value *v, enum value_type t)
{
	return v && v->type == t;
}
const char *value_type_name(const struct value *v); /* "string", "list", ... for messages */

/* Deep equality; 1 == 1.0 as in Python; map order does not matter. */
bool value_equal(const struct value *x, const struct value *y);
/* -1, 0, 1; numbers by size, strings by bytes; false in *ok when the types do not compare. */
int value_compare(const struct value *x, const struct value *y, bool *ok);
/* Deep copy into a. */
struct value *value_copy(struct arena *a, const struct value *v);
/* A copy of the outer level whose value is marked secret (deep: every level). Same pointer when already so. */
struct value *value_secret(struct arena *a, const struct value *v);
bool value_is_secret(const struct value *v); /* itself or anything below it */

/* The same for V_LITERAL: what came from a host or a script is data, at every level. */
struct value *value_literal(struct arena *a, const struct value *v);

/* The scalar as a template prints it: None -> "", True, 3.0, text. False for list and map. */
bool value_print(struct buf *out, const struct value *v);
/* "file:line:col" into e->where. */
bool err_at_value(struct err *e, const struct value *v);

/* ---- formats ---- */
/* One YAML document (yaml.c). Guards: depth 64, 1 M nodes, 10 k alias uses, duplicate keys are errors naming both places.
 * Plain scalars by YAML 1.1 as PyYAML resolves them; dates and sexagesimals are strings; `<<` merges; `!vault` and `!unsafe`
 * are known. Empty text is null. file is kept by pointer for origins. */
bool value_from_yaml(struct value **out, struct arena *a, const char *file, const char *text, size_t len, struct err *e);
/* A stream of any number of documents as a list of them; with any_tag an unknown tag counts for nothing instead of being refused. */
bool value_from_yaml_stream(struct value **out, struct arena *a, const char *file, const char *text, size_t len, bool any_tag,
	struct err *e);
bool value_from_json(struct value **out, struct arena *a, const char *file, const char *text, size_t len, struct err *e);
/* Resolve one plain scalar as YAML 1.1 does (parameters of the command line, INI values). */
struct value *value_from_plain(struct arena *a, const char *text, size_t len);

struct json_style { int indent; /* 0: one line with ", " and ": " */ bool sort, ascii, tight /* no spaces */, mask /* *** for secrets */; int level /* of the value itself, for indenting */; };
/* False when a map holds itself too deep (> 256). */
bool value_to_json(struct buf *out, const struct value *v, const struct json_style *style);
struct yaml_style { int indent /* of nested maps, default 2 */; int base /* columns before each line but the first */; bool sort, mask, tags /* !vault and !unsafe, as a reader wants them */; };
bool value_to_yaml(struct buf *out, const struct value *v, const struct yaml_style *style);

#endif
