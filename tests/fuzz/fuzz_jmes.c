/* Any bytes as a JMESPath expression over one document: it ends with a value, or with a message that names the
 * expression. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/tmpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char doc[] = "{\"a\": {\"b\": [1, 2.5, \"x\", null, true]}, \"u\": [{\"n\": \"b\", \"v\": 2, \"t\": "
			  "[\"p\"]}, {\"n\": \"a\", \"v\": 0}], \"s\": \"w\\u00f6\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *v, *got = NULL;
	struct err e = { 0 };

	if (size <= 4096 && value_from_json(&v, a, NULL, doc, sizeof doc - 1, &e)) {
		if (!jmes_search(&got, a, arena_strn(a, (const char *)data, size), v, &e)) {
			if (e.code != E_INPUT || strncmp(e.msg, "JMESPath \"", 10))
				abort();
		} else if (!got) {
			abort();
		}
	}
	arena_free(a);
	return 0;
}
