/*
 * Our half of the comparison with Jinja2: reads one JSON object a line ({"kind": "expr" or "tmpl" or "text", "src":
 * ..., "vars": {...}, "files": {...}}) and answers with one line each: {"ok": value} or {"error": message, "where":
 * place}. templates.py drives it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "text/tmpl.h"

struct source {
	const struct value *vars, *files;
};

static struct value *source_get(void *ctx, const char *name, struct err *e)
{
	(void)e;
	return value_get(((struct source *)ctx)->vars, name);
}

static const char *source_load(void *ctx, const char *name, const char **file, struct err *e)
{
	const struct value *v = value_get(((struct source *)ctx)->files, name);

	*file = name;
	if (!v)
		fail(e, E_INPUT, "there is no such file");
	return v ? value_cstr(v, "") : NULL;
}

static bool run(struct arena *a, const struct value *job, struct value **out, struct err *e)
{
	struct source src = { value_get(job, "vars"), value_get(job, "files") };
	const struct scope scope = { .get = source_get, .load = source_load, .ctx = &src };
	const char *kind = value_cstr(value_get(job, "kind"), "expr");
	const struct value *text = value_get(job, "src");
	struct tmpl *t;
	struct expr *x;
	struct buf b = BUF(a);
	bool secret;

	if (!strcmp(kind, "jmes"))
		return jmes_search(out, a, value_cstr(text, ""), value_get(job, "vars"), e);
	if (!strcmp(kind, "text"))
		return text_eval(out, a, text, &scope, e);
	if (!strcmp(kind, "expr")) {
		return expr_parse(&x, a, "case", value_cstr(text, ""), (struct origin){0}, e) &&
		       expr_eval(x, a, &scope, out, e);
	}
	if (!tmpl_parse(&t, a, "case", value_cstr(text, ""), value_len(text), (struct origin){ 0 }, e) ||
	    !tmpl_render(t, a, &scope, &b, &secret, e))
		return false;
	*out = value_strn(a, buf_text(&b), b.len);
	return true;
}

int main(void)
{
	const struct json_style style = { .ascii = true };
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct arena *a = arena_new();
		struct err e = { 0 };
		struct value *job, *v = NULL, *answer = value_map(a);
		struct buf b = BUF(a);

		if (!value_from_json(&job, a, "stdin", line, (size_t)n, &e) || !run(a, job, &v, &e)) {
			value_put(a, answer, "error", value_str(a, e.msg));
			value_put(a, answer, "where", value_str(a, e.where));
		} else {
			value_put(a, answer, "ok", v ? v : value_null(a));
		}
		if (!value_to_json(&b, answer, &style))
			buf_str(&b, "{\"error\": \"too deep\"}");
		puts(buf_text(&b));
		fflush(stdout);
		arena_free(a);
	}
	free(line);
	return 0;
}
