/* An ordered string map: insertion order is kept, keys are copied into the arena. Values are the caller's. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

struct map_item { const char *key; void *val; uint32_t hash; };
struct map {
	struct arena *a;
	struct map_item *items; /* in insertion order, n of them */
	uint32_t n, cap;
	uint32_t *slots, nslots; /* only built beyond 8 items */
};

#define MAP(arena) ((struct map){ .a = (arena) })

/* The value, or NULL. */
void *map_get(const struct map *m, const char *key);
/* The same, where many maps are asked for one key: hash is hash_str(key). */
void *map_get_hashed(const struct map *m, const char *key, uint32_t hash);
bool map_has(const struct map *m, const char *key);
/* Insert or replace; the place in the order stays on replace. */
void map_put(struct map *m, const char *key, void *val);
/* Remove, keeping order; false when absent. */
bool map_del(struct map *m, const char *key);
uint32_t hash_str(const char *s);
/* Among the n names, the nearest to s by edit distance if it is near enough to suggest, else NULL. */
const char *nearest(const char *s, const char *const *names, size_t n);

#endif
