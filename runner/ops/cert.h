/*
 * The local CA, on the control host: files/pki/ca/ca.{key,crt} beside the inventory, and what it issued in files/pki/<store>/<cn>.{key,crt}.
 * EC P-256 throughout. What was issued is kept and given out again while it is valid, so that a second run changes nothing.
 */
#ifndef OPS_CERT_H
#define OPS_CERT_H

#include "base/err.h"

struct ca;

/* Thread-safe afterwards. dry: nothing is written; a CA that would be made is made in memory only. E_INPUT when it is absent and
 * create is false, or is unreadable. */
bool ca_open(struct ca **out, struct arena *a, const char *dir, const char *cn, bool create, bool dry, struct err *e);
const char *ca_pem(const struct ca *ca);
bool ca_is_new(const struct ca *ca); /* made by this ca_open */

struct cert_want {
	const char *store, *cn, *ou;
	const char *sans; /* "a,b,10.0.0.1": addresses become IP entries */
	unsigned days;
	bool client;      /* clientAuth besides serverAuth */
};
struct cert_got {
	const char *crt, *key; /* PEM; in dry runs of what would be issued: NULL */
	bool issued;           /* new */
};
/* The stored one if it fits (same CA, names, key, not near its end), else a new one, stored. */
bool ca_issue(struct ca *ca, struct arena *a, const struct cert_want *w, struct cert_got *got, struct err *e);

#endif
