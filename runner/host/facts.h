/* What the hello says of a host, as values. */
#ifndef HOST_FACTS_H
#define HOST_FACTS_H

#include "value/value.h"

/* A map of the facts; all strings are V_LITERAL. text is the host's: whatever it holds, the result is a map. */
struct value *facts_read(struct arena *a, const char *text, size_t len);

#endif
