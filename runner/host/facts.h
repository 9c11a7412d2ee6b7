/* What the hello says of a host, as values. */
#ifndef HOST_FACTS_H
#define HOST_FACTS_H

#include "value/value.h"

/* A map of the facts; all strings are V_LITERAL. text is the host's: whatever it holds, the result is a map. */
struct value *facts_read(struct arena *a, const char *text, size_t len);

/* The host's clock when it said so, seconds of the epoch; 0: it did not. No fact: it is another one each time. */
int64_t facts_clock(const char *text, size_t len);

#endif
