/* What a plain YAML scalar means; private to the value layer. */
#ifndef VALUE_PLAIN_H
#define VALUE_PLAIN_H

#include "value/value.h"

/* Type, and the payload of bool, int and float, into v; v->u.str is left alone for V_STR. An integer beyond 64 bits
 * is V_FLOAT. */
void plain_resolve(struct value *v, const char *s, size_t n);
/* Would a reader of YAML 1.1 or 1.2 take the text for anything but a string? For emitters: quote it then. */
bool plain_is_odd(const char *s, size_t n);

#endif
