/* Host keys: what the known_hosts files say of a host, and the recording of new ones. */
#ifndef HOST_HOSTKEY_H
#define HOST_HOSTKEY_H

#include "base/arena.h"
#include "base/err.h"

enum {
	HOSTKEY_ED25519 = 1,
	HOSTKEY_NIST256 = 2,
	HOSTKEY_NIST384 = 4,
	HOSTKEY_NIST521 = 8,
	HOSTKEY_RSA = 16,
	HOSTKEY_OTHER = 32
};
enum hostkey_state { HOSTKEY_UNKNOWN, HOSTKEY_CHANGED, HOSTKEY_SAME, HOSTKEY_REVOKED }; /* a later one outweighs */

struct hostkey_found {
	enum hostkey_state state;
	unsigned types;	  /* recorded ones, as bits */
	const char *file; /* of the line that decided */
	unsigned line;
};

/* The name under which a host is recorded: "host", or "[host]:port" if the port is not 22; in lower case. */
const char *hostkey_name(struct arena *a, const char *host, int port);
/* Add to *f what one file's text says of name with the key blob (NULL: only which types are recorded). */
void hostkey_scan(struct hostkey_found *f, const char *file, const char *text, size_t len, const char *name,
		  const void *blob, size_t n);
/* The same over files (NULL ended). Missing files say nothing. */
struct hostkey_found hostkey_find(const char *const *files, const char *name, const void *blob, size_t n);
/* Append name and key, the name hashed if so asked; the folder is made if need be. Nothing is done for "/dev/null" and
 * "none". */
bool hostkey_record(const char *file, const char *name, bool hashed, const void *blob, size_t n, struct err *e);
/* What to ask the server for: exactly the recorded types, else all that are good; NULL: only what libssh2 cannot check.
 */
const char *hostkey_methods(struct arena *a, unsigned types, bool rsa_sha2);
/* "SHA256:...", as ssh-keygen -l prints it. */
const char *hostkey_print(struct arena *a, const void *blob, size_t n);

#endif
