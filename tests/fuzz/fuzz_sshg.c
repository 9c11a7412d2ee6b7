/* Any bytes as the output of `ssh -G`, as words of ansible_ssh_common_args and as a private key file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/key.h"
#include "host/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct target t = { .name = "x" };
	struct arena *a = arena_new();
	struct route r = { .target = &t };

	target_read(&r, a, (const char *)data, size, "/home/me");
	if (r.n_keys > ROUTE_KEYS_MAX || r.keys[r.n_keys] || r.port < 0 || r.port > 65535)
		abort();
	size_t n = 0;
	while (r.known[n])
		n++;
	if (n > 2 * ROUTE_FILES_MAX)
		abort();
	target_words(a, arena_strn(a, (const char *)data, size));
	if (key_kind_of((const char *)data, size) < KEY_NONE || key_kind_of((const char *)data, size) > KEY_OTHER)
		abort();
	arena_free(a);
	return 0;
}
