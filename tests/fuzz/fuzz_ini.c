/* Any bytes as an INI inventory and, if it is one, a walk over all that it says; the same bytes as a YAML inventory. */
#include <stdint.h>
#include <stdlib.h>

#include "model/inventory_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct inv_build *b, struct arena *a)
{
	if (!inventory_finish(b))
		return;
	for (uint32_t i = 0; i < b->inv->n_hosts && i < 50; i++) {
		struct inv_host *h = b->inv->hosts[i];
		struct value *vars = inventory_vars(b->inv, a, h);
		for (size_t k = 0; k < value_len(vars); k++) {
			struct inv_found found;
			if (!inventory_var(b->inv, h, value_key_at(vars, k), &found) || found.val != value_at(vars, k))
				abort();
		}
		if (!h->n_groups || h->groups[0] != b->inv->groups[0] || h->index != i)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	char *text = arena_strn(a, (const char *)data, size);
	struct err e = { 0 };
	struct inv_build b;
	struct value *doc = NULL;

	inventory_begin(&b, a, &e);
	if (inventory_read_ini(&b, "f", text, size))
		walk(&b, a);
	else if (e.code != E_INPUT || !*e.msg)
		abort();
	inventory_begin(&b, a, &e);
	if (inventory_parse(&b, &doc, "f", text, size) && inventory_read_yaml(&b, "f", doc))
		walk(&b, a);
	arena_free(a);
	return 0;
}
