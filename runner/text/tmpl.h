/*
 * The template language: a strict subset of Jinja2 with extends/block. No I/O is possible from it. Undefined is an error with the
 * template's place and the name. Limits: 10 M steps, depth 100, 16 MiB output.
 */
#ifndef TEXT_TMPL_H
#define TEXT_TMPL_H

#include "base/err.h"
#include "value/value.h"

/* Where names come from: asked once per name and render, lazily. */
struct scope {
	/* NULL and e untouched: no such name (undefined). NULL with e->code set: the lookup failed (a parameter's own template is wrong). */
	struct value *(*get)(void *ctx, const char *name, struct err *e);
	/* source text of another template, for extends/include/import; NULL with e filled when it does not exist. *file: in, the
	 * template that asks; out, the name of the one found */
	const char *(*load)(void *ctx, const char *name, const char **file, struct err *e);
	void *ctx;
	/* member of a V_LAZY map that the map itself does not hold; may be NULL. NULL: as for get. */
	struct value *(*item)(void *ctx, const struct value *map, const char *key, struct err *e);
};

struct tmpl;
struct expr;

/* trim_blocks is on, lstrip_blocks off, the final newline is kept, as Ansible's template module. at: place of text[0] when the
 * template stands inside another file (an inventory value), else line 1 of file. */
bool tmpl_parse(struct tmpl **out, struct arena *a, const char *file, const char *text, size_t len, struct origin at, struct err *e);
/* Render; the result is secret when any value that reached the output or decided a branch's text was: *secret is set then. */
bool tmpl_render(const struct tmpl *t, struct arena *a, const struct scope *s, struct buf *out, bool *secret, struct err *e);

/* An expression alone, as in `when:` and rules. */
bool expr_parse(struct expr **out, struct arena *a, const char *file, const char *text, struct origin at, struct err *e);
bool expr_eval(const struct expr *x, struct arena *a, const struct scope *s, struct value **out, struct err *e);
/* Names the expression may ask the scope for, into a list of strings: for load-time checks. */
void expr_names(const struct expr *x, struct arena *a, struct value *names);
void tmpl_names(const struct tmpl *t, struct arena *a, struct value *names);

/* A string that may hold {{ }}: when it is exactly one {{ expr }}, the result keeps that value's type, else it is a string.
 * Text without "{{" and "{%" comes back as it is. Secret marks carry over. */
bool text_eval(struct value **out, struct arena *a, const struct value *str, const struct scope *s, struct err *e);
bool text_is_template(const char *s, size_t n);

/* JMESPath, complete. */
bool jmes_search(struct value **out, struct arena *a, const char *expr, const struct value *data, struct err *e);

/* Line diff (diff.c): unified text with 3 lines of context; "" when equal. */
void diff_text(struct buf *out, const char *old_name, const char *old, size_t old_n, const char *new_name, const char *neu, size_t new_n);

/* Tables for `pig doc filter`: rows of name, one sentence. */
struct text_doc { const char *name, *text; };
extern const struct text_doc text_filters[], text_tests[], text_methods[];
extern const size_t text_filters_n, text_tests_n, text_methods_n;

#endif
