/* An ordered string map: a list of items, and a hash index once it is worth one. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { LINEAR = 8 };

static uint64_t word8(const char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof w);
	return w;
}

static uint32_t word4(const char *s)
{
	uint32_t w;

	memcpy(&w, s, sizeof w);
	return w;
}

/* Eight bytes at a time, the last ones again with some before them: names have some twenty, and all is looked up by name. */
uint32_t hash_str(const char *s)
{
	static const uint64_t k = 0x9e3779b97f4a7c15u;
	size_t n = strlen(s), i = 0;
	uint64_t h = n * k, w = 0;

	for (; n - i > 8; i += 8) {
		h = (h ^ word8(s + i)) * k;
		h ^= h >> 32; /* the last characters are the high bits, and a product hands nothing down */
	}
	if (n >= 8)
		w = word8(s + n - 8);
	else if (n >= 4)
		w = (uint64_t)word4(s) << 32 | word4(s + n - 4);
	else if (n)
		w = (uint64_t)(unsigned char)s[0] << 16 | (uint64_t)(unsigned char)s[n / 2] << 8 | (unsigned char)s[n - 1];
	h = (h ^ w) * k;
	return (uint32_t)((h ^ h >> 32) * k >> 32);
}

/* A slot holds an item's number, from 1, and above it the bits of its hash that did not choose the slot: another item is seldom
 * looked at. There are twice as many slots as items, so that the number fits. */
static void slot_fill(struct map *m, uint32_t i)
{
	uint32_t mask = m->nslots - 1, hash = m->items[i].hash, at = hash & mask;

	while (m->slots[at])
		at = (at + 1) & mask;
	m->slots[at] = (hash & ~mask) | (i + 1);
}

static void index_build(struct map *m, uint32_t nslots)
{
	m->slots = arena_new_of(m->a, uint32_t, nslots);
	m->nslots = nslots;
	for (uint32_t i = 0; i < m->n; i++)
		slot_fill(m, i);
}

static struct map_item *map_find(const struct map *m, const char *key, uint32_t h)
{
	if (!m->slots) {
		for (uint32_t i = 0; i < m->n; i++)
			if (m->items[i].hash == h && !strcmp(m->items[i].key, key))
				return &m->items[i];
		return NULL;
	}

	uint32_t mask = m->nslots - 1;
	for (uint32_t at = h & mask, slot; (slot = m->slots[at]); at = (at + 1) & mask) {
		struct map_item *it = &m->items[(slot & mask) - 1];
		if (!((slot ^ h) & ~mask) && (it->key == key || !strcmp(it->key, key)))
			return it;
	}
	return NULL;
}

void *map_get_hashed(const struct map *m, const char *key, uint32_t hash)
{
	struct map_item *it = m->n ? map_find(m, key, hash) : NULL;

	return it ? it->val : NULL;
}

void *map_get(const struct map *m, const char *key)
{
	return m->n ? map_get_hashed(m, key, hash_str(key)) : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return m->n && map_find(m, key, hash_str(key));
}

void map_put(struct map *m, const char *key, void *val)
{
	uint32_t h = hash_str(key);
	struct map_item *it = m->n ? map_find(m, key, h) : NULL;

	if (it) {
		it->val = val;
		return;
	}
	if (m->n == m->cap) {
		uint32_t cap = m->cap ? m->cap * 2 : 4;
		struct map_item *items = arena_room(m->a, cap * sizeof *items);
		if (m->n)
			memcpy(items, m->items, m->n * sizeof *items);
		m->items = items;
		m->cap = cap;
	}
	m->items[m->n++] = (struct map_item){ arena_str(m->a, key), val, h };
	if (m->n <= LINEAR)
		return;
	if (m->n * 2 > m->nslots)
		index_build(m, m->nslots ? m->nslots * 2 : 32);
	else
		slot_fill(m, m->n - 1);
}

bool map_del(struct map *m, const char *key)
{
	struct map_item *it = m->n ? map_find(m, key, hash_str(key)) : NULL;

	if (!it)
		return false;
	size_t i = (size_t)(it - m->items);
	memmove(it, it + 1, (m->n - i - 1) * sizeof *it);
	m->n--;
	if (m->slots)
		index_build(m, m->nslots);
	return true;
}

/* Optimal string alignment distance (a swap counts one), over at most 63 characters. */
static size_t distance(const char *s, const char *t)
{
	size_t n = strlen(s), m = strlen(t), row[3][64];

	if (n > 63 || m > 63)
		return 64;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = row[i % 3], *up = row[(i - 1) % 3], *upup = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = up[j - 1] + (s[i - 1] != t[j - 1]);
			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && s[i - 1] == t[j - 2] && s[i - 2] == t[j - 1] && upup[j - 2] + 1 < best)
				best = upup[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}

const char *nearest(const char *s, const char *const *names, size_t n)
{
	size_t len = strlen(s), best = len / 3 + 2;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(s, names[i]);
		if (d < best && d < strlen(names[i])) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
