/* Maps made by readers of files, where memory counts: keys that many maps have in common are held once. */
#ifndef VALUE_KEPT_H
#define VALUE_KEPT_H

#include "value/value.h"

/* As value_put_at, but the key is taken as it is: it must live as long as the map. */
void value_put_kept(struct arena *a, struct value *map, const char *key, struct value *item, struct origin at);
/* The map's entries moved to a, with no room to spare; a next one makes room again. */
void value_fit(struct arena *a, struct value *map);

#endif
