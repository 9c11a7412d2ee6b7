/*
 * Masking. A text is known as secret when it came from a secret value; it is masked wherever it appears, longest first, also inside
 * longer words and base64-, URL-, JSON- and shell-escaped, if it has at least 8 characters and is no name that stands openly in the
 * inventory as well.
 */
#ifndef RUN_SECRET_H
#define RUN_SECRET_H

#include "base/buf.h"
#include "value/value.h"

struct secrets;
struct secrets *secrets_new(struct arena *a);
/* Thread-safe. */
void secrets_add(struct secrets *s, const char *text);
void secrets_add_value(struct secrets *s, const struct value *v); /* every string in it that carries the mark */
void secrets_public(struct secrets *s, const char *name);         /* a name that stands openly: never masked */
void secrets_public_value(struct secrets *s, const struct value *v);
/* Does the text hold one? */
bool secrets_in(struct secrets *s, const char *text, size_t n);
/* The text with secrets replaced by ***; the same pointer when there are none. */
const char *secrets_mask(struct secrets *s, struct arena *a, const char *text);

#endif
