/* Any bytes as JSON: what jansson takes we take, and what is read must survive being written and read again. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* jansson nests deeper than we allow and passes over some raw NUL bytes */
static int is_taken(const uint8_t *data, size_t size)
{
	json_error_t ignored;
	json_t *j;
	size_t depth = 0;

	for (size_t i = 0; i < size; i++)
		depth += data[i] == '[' || data[i] == '{';
	if (depth > 250 || memchr(data, 0, size) || memmem(data, size, "u0000", 5))
		return 0;
	j = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &ignored);
	json_decref(j);
	return j != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *v = NULL, *again = NULL;
	struct err e = { 0 };
	struct buf before = BUF(a), after = BUF(a);
	struct json_style style = { .indent = size % 3 ? 2 : 0, .ascii = size & 4, .tight = size & 8 };

	if (value_from_json(&v, a, "f", (const char *)data, size, &e)) {
		if (!value_to_json(&before, v, &style))
			abort();
		if (!value_from_json(&again, a, "g", buf_text(&before), before.len, &e))
			abort();
		if (!value_to_json(&after, again, &style))
			abort();
		if (strcmp(buf_text(&before), buf_text(&after)))
			abort();
	} else if (e.code != E_INPUT || !*e.msg || is_taken(data, size)) {
		abort();
	}
	arena_free(a);
	return 0;
}
