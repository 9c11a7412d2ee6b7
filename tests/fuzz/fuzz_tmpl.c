/*
 * Any bytes as a template, rendered over values of every type, one of them secret, with itself as the template that it
 * may include: it ends, within its limits, with output or with a message that has a place. A template that names the
 * secret and renders must say that its output is one, if the secret's text shows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/tmpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vars[] =
	"{\"i\": 7, \"f\": 2.5, \"t\": true, \"n\": null, \"s\": \"hello w\\u00f6rld\", \"e\": \"\", \"l\": [3, 1, 2], "
	"\"m\": [],"
	"\"d\": {\"a\": 1, \"b\": {\"c\": [1, \"x\"]}}, \"u\": [{\"name\": \"bob\", \"age\": 3}, {\"name\": \"al\"}]}";
static const char hidden[] = "Xq7Zw9Kp";

struct source {
	const struct value *vars;
	const char *text;
};

static struct value *source_get(void *ctx, const char *name, struct err *e)
{
	(void)e;
	return value_get(((struct source *)ctx)->vars, name);
}

static const char *source_load(void *ctx, const char *name, const char **file, struct err *e)
{
	*file = name;
	if (*name == 'x') {
		fail(e, E_INPUT, "there is no such file");
		return NULL;
	}
	return ((struct source *)ctx)->text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *v;
	struct err e = { 0 };
	struct tmpl *t;
	struct buf out = BUF(a);
	bool secret = false;

	if (size > 4096 || !value_from_json(&v, a, NULL, vars, sizeof vars - 1, &e)) {
		arena_free(a);
		return 0;
	}
	value_put(a, v, "pw", value_secret(a, value_str(a, hidden)));

	struct source src = { v, arena_strn(a, (const char *)data, size) };
	const struct scope scope = { .get = source_get, .load = source_load, .ctx = &src };

	if (!tmpl_parse(&t, a, "f", (const char *)data, size, (struct origin){0}, &e) ||
	    !tmpl_render(t, a, &scope, &out, &secret, &e)) {
		if (e.code != E_INPUT || !*e.msg || !*e.where)
			abort();
	} else if (!secret && memmem(buf_text(&out), out.len, hidden, sizeof hidden - 1) &&
		   !memmem(data, size, hidden, sizeof hidden - 1)) {
		abort();
	}
	arena_free(a);
	return 0;
}
