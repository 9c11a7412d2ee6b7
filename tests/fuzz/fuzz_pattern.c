/* Any bytes as a host pattern, a range and a word of -e, over a small inventory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/inventory_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
	"[web]\nw1\nw2\nw3\n[db]\nd1\nd2\n[prod]\nw2\nd1\n[site:children]\nweb\ndb\n[net]\n10.0.0.1\nfe80::1\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const char *pattern = arena_strn(a, (const char *)data, size > 4000 ? 4000 : size);
	struct err e = { 0 };
	struct inv_build b;
	struct inv_host **hosts;
	struct value *names = NULL;
	uint32_t n;

	inventory_begin(&b, a, &e);
	if (!inventory_read_ini(&b, "f", text, sizeof text - 1) || !inventory_finish(&b))
		abort();
	if (!strchr(pattern, '@')) { /* @ would read files */
		if (pattern_hosts(&hosts, &n, a, b.inv, pattern, size & 1, &e)) {
			if (n > b.inv->n_hosts)
				abort();
			for (uint32_t i = 0; i < n; i++)
				for (uint32_t k = 0; k < i; k++)
					if (hosts[i] == hosts[k])
						abort();
		} else if (e.code != E_INPUT || !*e.msg) {
			abort();
		}
		inventory_read_extra(&b, &pattern, 1);
	}
	if (size < 40)
		pattern_range(&names, a, pattern, &e);
	arena_free(a);
	return 0;
}
