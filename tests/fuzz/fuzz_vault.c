/* Any bytes as a vault envelope: it opens or ends with a message, and what was sealed opens to the same. The ring stays, so that a salt
 * met before costs no derivation. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "value/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vault *none, *ring;
	struct arena *a = arena_new();
	struct buf out = BUF(a), env = BUF(a), back = BUF(a);
	struct err e = { 0 };

	if (!ring) {
		ring = vault_new(arena_new());
		none = vault_new(arena_new());
		if (!vault_add(ring, "dev", "pass", 4, &e))
			abort();
	}
	if (vault_open(none, &out, NULL, (const char *)data, size, &e) || e.code != E_INPUT || !*e.msg)
		abort();
	/* sound in form: then the digest decides */
	if (strstr(e.msg, "no vault password") && !vault_open(ring, &out, NULL, (const char *)data, size, &e) && !*e.msg)
		abort();
	if (size && size < 64 && data[0] == 's' &&
	    (!vault_seal(ring, &env, NULL, data, size, &e) || !vault_open(ring, &back, NULL, env.p, env.len, &e) ||
	     back.len != size || memcmp(back.p, data, size)))
		abort();
	arena_free(a);
	return 0;
}
