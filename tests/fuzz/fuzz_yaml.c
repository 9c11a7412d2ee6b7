/* Any bytes as YAML: no crash, no runaway, and what is read must survive being written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *v = NULL, *again = NULL;
	struct err e = { 0 };
	struct buf yaml = BUF(a), before = BUF(a), after = BUF(a);
	struct yaml_style style = { .indent = 2 + (int)(size % 3) };

	if (value_from_yaml(&v, a, "f", (const char *)data, size, &e)) {
		if (!value_to_json(&before, v, NULL) || !value_to_yaml(&yaml, v, &style))
			abort();
		if (!value_from_yaml(&again, a, "g", buf_text(&yaml), yaml.len, &e))
			abort();
		if (!value_to_json(&after, again, NULL))
			abort();
		if (strcmp(buf_text(&before), buf_text(&after)))
			abort();
	} else if (e.code != E_INPUT || !*e.msg) {
		abort();
	}
	arena_free(a);
	return 0;
}
