/*
 * Ansible Vault envelopes, 1.1 and 1.2 with AES256: opening and making them, and the ring of passwords that is tried. Where passwords
 * come from is the model's business. Keys are derived once for each password and salt. Nothing here writes to disk.
 */
#ifndef VALUE_VAULT_H
#define VALUE_VAULT_H

#include "base/buf.h"
#include "base/err.h"
#include "value/value.h"

/* A ring of passwords, each under an id ("default" where none was named). Safe to use from many threads. */
struct vault;
struct vault *vault_new(struct arena *a);
/* n bytes, not empty. Ids may be given more than once; all passwords of an id are tried in the order given. */
bool vault_add(struct vault *v, const char *id, const void *password, size_t n, struct err *e);
/* Called once, before the ring is first asked: adds what the user has named. A failure is the answer to that question. */
void vault_on_need(struct vault *v, bool (*load)(struct vault *v, void *ctx, struct err *e), void *ctx);
/* Only passwords of the envelope's own id are tried. */
void vault_match_id(struct vault *v, bool only);
/* The passwords there are; loads them. False and e when that failed. */
bool vault_load(struct vault *v, struct err *e);
uint32_t vault_count(const struct vault *v);
const char *vault_id(const struct vault *v, uint32_t i);

/* Does the text begin like an envelope? */
bool vault_is(const char *text, size_t n);
/* The text inside, added to out, and in *id (may be NULL) the id of the password that opened it; given to vault_seal, it names that
 * very password. */
bool vault_open(struct vault *v, struct buf *out, const char **id, const char *text, size_t n, struct err *e);
/* An envelope for n bytes, by the first password of the id (NULL: the first of all). Version 1.1 for "default", else 1.2. */
bool vault_seal(struct vault *v, struct buf *out, const char *id, const void *p, size_t n, struct err *e);

/* The value with every V_VAULT text in it opened: secret, and never a template. The same pointer when there is none. */
bool vault_value(struct vault *v, struct value **out, struct arena *a, const struct value *from, struct err *e);
/* Is there a V_VAULT text in it? */
bool vault_in(const struct value *v);

#endif
