/* Any bytes as a known_hosts file: it is read to its end, says nothing of a host that it does not name, and nothing
 * false of one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/hostkey.h"
#include "host/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char key[] = "AAAAC3NzaC1lZDI1NTE5AAAAIJ/alyxdvldajwwAu72K5O4HAEEFjsqQDI3u6tTAY8Zw";
	unsigned char blob[64];
	size_t n = (size_t)key_base64(key, sizeof key - 1, blob);
	struct hostkey_found f = { 0 };

	hostkey_scan(&f, "known", (const char *)data, size, "pg-1", blob, n);
	if ((f.state == HOSTKEY_SAME || f.state == HOSTKEY_REVOKED) && !memmem(data, size, key, sizeof key - 4))
		abort();
	if ((f.state == HOSTKEY_UNKNOWN) != !f.line)
		abort();
	hostkey_scan(&f, "known", (const char *)data, size, "[10.0.0.9]:2222", NULL, 0);
	return 0;
}
