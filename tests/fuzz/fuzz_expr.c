/* Any bytes as an expression: it ends with a value that can be written as JSON, or with a message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/tmpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vars[] =
	"{\"i\": 7, \"f\": 2.5, \"t\": true, \"n\": null, \"s\": \"hello w\\u00f6rld\", \"e\": \"\", \"l\": [3, 1, 2], "
	"\"m\": [],"
	"\"d\": {\"a\": 1, \"b\": {\"c\": [1, \"x\"]}}, \"u\": [{\"name\": \"bob\", \"age\": 3}, {\"name\": \"al\"}]}";

static struct value *source_get(void *ctx, const char *name, struct err *e)
{
	(void)e;
	return value_get(ctx, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *v, *got = NULL;
	struct err e = { 0 };
	struct expr *x;
	struct buf out = BUF(a);
	const struct json_style style = { 0 };

	if (size > 4096 || !value_from_json(&v, a, NULL, vars, sizeof vars - 1, &e)) {
		arena_free(a);
		return 0;
	}

	const struct scope scope = { .get = source_get, .ctx = v };

	if (!expr_parse(&x, a, "f", arena_strn(a, (const char *)data, size), (struct origin){0}, &e) ||
	    !expr_eval(x, a, &scope, &got, &e)) {
		if (e.code != E_INPUT || !*e.msg || !*e.where)
			abort();
	} else if (!got) {
		abort();
	} else {
		expr_names(x, a, value_list(a));
		value_to_json(&out, got, &style);
	}
	arena_free(a);
	return 0;
}
