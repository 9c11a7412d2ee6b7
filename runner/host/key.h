/* Private key files: what kind they are, so that the transport can be chosen before anything is sent. */
#ifndef HOST_KEY_H
#define HOST_KEY_H

#include <stddef.h>

enum key_kind {
	KEY_NONE = 1, /* no such file */
	KEY_UNREADABLE,
	KEY_PLAIN,  /* ed25519 or ECDSA, without a passphrase */
	KEY_RSA,    /* without a passphrase */
	KEY_LOCKED, /* a passphrase is needed */
	KEY_OTHER,  /* security keys, DSA, PKCS#8, certificates, no key at all */
};

enum key_kind key_look(const char *path);
/* The kind of a key file's text. */
enum key_kind key_kind_of(const char *text, size_t len);
/* For messages: "an RSA key", ... */
const char *key_kind_name(enum key_kind k);
/* The type name at the head of a public key blob, copied into type; false when the blob is none. */
int key_blob_type(const unsigned char *blob, size_t len, char *type, size_t cap);
/* Base64 without white space; out holds at least 3/4 of len. Returns the number of bytes, or -1. */
long key_base64(const char *text, size_t len, unsigned char *out);

#endif
