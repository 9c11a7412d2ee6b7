/*
 * Values: making, reading, comparing, copying and marking them. How a scalar prints is print.c's; no file format is
 * known here: yaml.c and json.c read, json.c and emit.c write. Whatever walks a whole value counts its steps, since
 * shared parts can make a small value unfold into a huge one (templates can build such; the readers refuse them).
 */
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "value/kept.h"

enum { LINEAR = 8, DEEP = 256, STEPS = 8000000 };

static const char *const type_names[] = {
	[V_NULL] = "null", [V_BOOL] = "bool", [V_INT] = "int", [V_FLOAT] = "float",
	[V_STR] = "string", [V_LIST] = "list", [V_MAP] = "map", [V_UNDEF] = "undefined",
};

/* ---- makers ---- */

static struct value *make(struct arena *a, enum value_type t)
{
	struct value *v = arena_get(a, sizeof *v);

	v->type = (uint8_t)t;
	return v;
}

struct value *value_null(struct arena *a)
{
	return make(a, V_NULL);
}

struct value *value_bool(struct arena *a, bool b)
{
	struct value *v = make(a, V_BOOL);

	v->u.b = b;
	return v;
}

struct value *value_int(struct arena *a, int64_t i)
{
	struct value *v = make(a, V_INT);

	v->u.i = i;
	return v;
}

struct value *value_float(struct arena *a, double f)
{
	struct value *v = make(a, V_FLOAT);

	v->u.f = f;
	return v;
}

struct value *value_strn(struct arena *a, const char *s, size_t n)
{
	struct value *v = make(a, V_STR);

	v->u.str.s = arena_strn(a, s, n);
	v->u.str.n = n;
	return v;
}

struct value *value_str(struct arena *a, const char *s)
{
	return value_strn(a, s ? s : "", s ? strlen(s) : 0);
}

struct value *value_list(struct arena *a)
{
	return make(a, V_LIST);
}

struct value *value_map(struct arena *a)
{
	return make(a, V_MAP);
}

struct value *value_undef(struct arena *a, const char *name)
{
	struct value *v = value_str(a, name);

	v->type = V_UNDEF;
	return v;
}

void value_push(struct arena *a, struct value *list, struct value *item)
{
	if (list->type != V_LIST)
		bug("value_push on a %s", value_type_name(list));
	if (list->u.list.n == list->u.list.cap) {
		uint32_t cap = list->u.list.cap ? list->u.list.cap * 2 : 4;
		struct value **items = arena_room(a, cap * sizeof *items);
		if (list->u.list.n)
			memcpy(items, list->u.list.items, list->u.list.n * sizeof *items);
		list->u.list.items = items;
		list->u.list.cap = cap;
	}
	list->u.list.items[list->u.list.n++] = item;
}

/* ---- maps ---- */

/* A slot holds an item's number, from 1, and above it the bits of its key's hash that did not choose the slot: another
 * key is seldom looked at. There are twice as many slots as items, so that the number fits. */
static void slot_fill(struct value *map, uint32_t i)
{
	uint32_t mask = map->u.map.nslots - 1, hash = hash_str(map->u.map.items[i].key), at = hash & mask;

	while (map->u.map.slots[at])
		at = (at + 1) & mask;
	map->u.map.slots[at] = (hash & ~mask) | (i + 1);
}

static void slots_build(struct value *map)
{
	memset(map->u.map.slots, 0, map->u.map.nslots * sizeof *map->u.map.slots);
	for (uint32_t i = 0; i < map->u.map.n; i++)
		slot_fill(map, i);
}

/* Most keys differ within a few characters, or are the very same text. */
static bool same_key(const char *x, const char *y)
{
	if (x == y)
		return true;
	for (int i = 0; i < 4; i++) {
		if (x[i] != y[i])
			return false;
		if (!x[i])
			return true;
	}
	return !strcmp(x + 4, y + 4);
}

static struct entry *find_slot(const struct value *map, const char *key, uint32_t hash)
{
	uint32_t mask = map->u.map.nslots - 1;

	for (uint32_t at = hash & mask, slot; (slot = map->u.map.slots[at]); at = (at + 1) & mask) {
		struct entry *en = &map->u.map.items[(slot & mask) - 1];
		if (!((slot ^ hash) & ~mask) && same_key(en->key, key))
			return en;
	}
	return NULL;
}

static struct entry *find_few(const struct value *map, const char *key)
{
	for (uint32_t i = 0; i < map->u.map.n; i++)
		if (same_key(map->u.map.items[i].key, key))
			return &map->u.map.items[i];
	return NULL;
}

static struct entry *find(const struct value *map, const char *key)
{
	if (!map || map->type != V_MAP)
		return NULL;
	return map->u.map.slots ? find_slot(map, key, hash_str(key)) : find_few(map, key);
}

static void put(struct arena *a, struct value *map, const char *key, bool kept, struct value *item, struct origin at)
{
	if (map->type != V_MAP)
		bug("value_put on a %s", value_type_name(map));

	struct entry *en = find(map, key);
	if (en) {
		en->val = item;
		en->at = at;
		return;
	}
	if (map->u.map.n == map->u.map.cap) {
		uint32_t cap = map->u.map.cap ? map->u.map.cap * 2 : 4;
		struct entry *items = arena_room(a, cap * sizeof *items);
		if (map->u.map.n)
			memcpy(items, map->u.map.items, map->u.map.n * sizeof *items);
		map->u.map.items = items;
		map->u.map.cap = cap;
	}
	map->u.map.items[map->u.map.n++] = (struct entry){ kept ? key : arena_str(a, key), item, at };
	if (map->u.map.n <= LINEAR)
		return;
	if (map->u.map.n * 2 > map->u.map.nslots) {
		map->u.map.nslots = map->u.map.nslots ? map->u.map.nslots * 2 : 32;
		map->u.map.slots = arena_new_of(a, uint32_t, map->u.map.nslots);
		slots_build(map);
	} else {
		slot_fill(map, map->u.map.n - 1);
	}
}

void value_put_at(struct arena *a, struct value *map, const char *key, struct value *item, struct origin at)
{
	put(a, map, key, false, item, at);
}

void value_put_kept(struct arena *a, struct value *map, const char *key, struct value *item, struct origin at)
{
	put(a, map, key, true, item, at);
}

void value_fit(struct arena *a, struct value *map)
{
	uint32_t n = map->u.map.n;

	map->u.map.cap = n;
	map->u.map.items = n ? arena_dup(a, map->u.map.items, n * sizeof *map->u.map.items) : NULL;
	if (map->u.map.slots)
		map->u.map.slots = arena_dup(a, map->u.map.slots, map->u.map.nslots * sizeof *map->u.map.slots);
}

void value_put(struct arena *a, struct value *map, const char *key, struct value *item)
{
	value_put_at(a, map, key, item, item->at);
}

bool value_del(struct value *map, const char *key)
{
	struct entry *en = find(map, key);

	if (!en)
		return false;

	size_t i = (size_t)(en - map->u.map.items);
	memmove(en, en + 1, (map->u.map.n - i - 1) * sizeof *en);
	map->u.map.n--;
	if (map->u.map.slots)
		slots_build(map);
	return true;
}

/* ---- readers ---- */

const char *value_key_at(const struct value *map, size_t i)
{
	return map && map->type == V_MAP && i < map->u.map.n ? map->u.map.items[i].key : NULL;
}

struct value *value_get(const struct value *map, const char *key)
{
	const struct entry *en = find(map, key);

	return en ? en->val : NULL;
}

struct value *value_get_hashed(const struct value *map, const char *key, uint32_t hash)
{
	if (!map || map->type != V_MAP)
		return NULL;

	const struct entry *en = map->u.map.slots ? find_slot(map, key, hash) : find_few(map, key);
	return en ? en->val : NULL;
}

const struct entry *value_entry(const struct value *map, const char *key)
{
	return find(map, key);
}

/* One step of a path: a map's key or a list's index; other is NULL. */
static struct value *step_into(const struct value *v, const char *part, size_t n)
{
	char word[256];

	if (!v || n >= sizeof word)
		return NULL;
	memcpy(word, part, n);
	word[n] = 0;
	if (v->type == V_MAP)
		return value_get(v, word);
	if (v->type != V_LIST || !n || n > 9 || word[strspn(word, "0123456789")])
		return NULL;
	return value_at(v, strtoul(word, NULL, 10));
}

struct value *value_path(const struct value *v, const char *dotted)
{
	struct value *at = NULL;

	for (const char *p = dotted;; p++) {
		size_t n = strcspn(p, ".");
		at = step_into(at ? at : v, p, n);
		p += n;
		if (!at || !*p)
			return at;
	}
}

int64_t value_num(const struct value *v, int64_t dflt)
{
	if (v && v->type == V_INT)
		return v->u.i;
	if (v && v->type == V_FLOAT && v->u.f >= -0x1p63 && v->u.f < 0x1p63 && v->u.f == trunc(v->u.f))
		return (int64_t)v->u.f;
	return dflt;
}

double value_real(const struct value *v, double dflt)
{
	if (v && v->type == V_FLOAT)
		return v->u.f;
	return v && v->type == V_INT ? (double)v->u.i : dflt;
}

bool value_truth(const struct value *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case V_BOOL:
		return v->u.b;
	case V_INT:
		return v->u.i != 0;
	case V_FLOAT:
		return v->u.f < 0 || v->u.f > 0 || isnan(v->u.f);
	default:
		return value_len(v) > 0;
	}
}

const char *value_type_name(const struct value *v)
{
	return v && v->type <= V_UNDEF ? type_names[v->type] : "nothing";
}

/* ---- comparing ---- */

/* bool counts as a number, as in Python */
static bool is_number(const struct value *v)
{
	return v->type == V_BOOL || v->type == V_INT || v->type == V_FLOAT;
}

static int64_t whole(const struct value *v)
{
	return v->type == V_BOOL ? v->u.b : v->u.i;
}

/* Exact, also where a double cannot hold the integer. NaN: 2. */
static int number_compare(const struct value *x, const struct value *y)
{
	if (x->type == V_FLOAT && y->type == V_FLOAT) {
		if (isnan(x->u.f) || isnan(y->u.f))
			return 2;
		return (x->u.f > y->u.f) - (x->u.f < y->u.f);
	}
	if (x->type == V_FLOAT) {
		int r = number_compare(y, x);
		return r == 2 ? 2 : -r;
	}

	int64_t i = whole(x);
	if (y->type != V_FLOAT)
		return (i > whole(y)) - (i < whole(y));
	double f = y->u.f;
	if (isnan(f))
		return 2;
	if (f >= 0x1p63)
		return -1;
	if (f < -0x1p63)
		return 1;
	int64_t t = (int64_t)f;
	if (i != t)
		return i > t ? 1 : -1;
	double rest = f - trunc(f);
	return rest > 0 ? -1 : rest < 0;
}

static bool equal(const struct value *x, const struct value *y, int depth, long *steps)
{
	if (x == y)
		return true;
	if (!x || !y || depth > DEEP || --*steps < 0)
		return false;
	if (is_number(x) && is_number(y))
		return !number_compare(x, y);
	if (x->type != y->type || value_len(x) != value_len(y))
		return false;
	switch (x->type) {
	case V_STR:
	case V_UNDEF:
		return x->u.str.n == y->u.str.n && !memcmp(x->u.str.s, y->u.str.s, x->u.str.n);
	case V_LIST:
		for (uint32_t i = 0; i < x->u.list.n; i++)
			if (!equal(x->u.list.items[i], y->u.list.items[i], depth + 1, steps))
				return false;
		return true;
	case V_MAP:
		for (uint32_t i = 0; i < x->u.map.n; i++) {
			const struct entry *other = find(y, x->u.map.items[i].key);
			if (!other || !equal(x->u.map.items[i].val, other->val, depth + 1, steps))
				return false;
		}
		return true;
	default:
		return true;
	}
}

bool value_equal(const struct value *x, const struct value *y)
{
	long steps = STEPS;

	return equal(x, y, 0, &steps);
}

static int compare(const struct value *x, const struct value *y, bool *ok, int depth)
{
	if (x && y && is_number(x) && is_number(y)) {
		int r = number_compare(x, y);
		*ok = r != 2;
		return r == 2 ? 0 : r;
	}
	if (!x || !y || x->type != y->type || depth > DEEP) {
		*ok = false;
		return 0;
	}
	if (x->type == V_STR) {
		size_t n = x->u.str.n < y->u.str.n ? x->u.str.n : y->u.str.n;
		int r = n ? memcmp(x->u.str.s, y->u.str.s, n) : 0;
		return r ? (r > 0) - (r < 0) : (x->u.str.n > y->u.str.n) - (x->u.str.n < y->u.str.n);
	}
	if (x->type == V_LIST) {
		for (uint32_t i = 0; i < x->u.list.n && i < y->u.list.n; i++) {
			if (value_equal(x->u.list.items[i], y->u.list.items[i]))
				continue;
			return compare(x->u.list.items[i], y->u.list.items[i], ok, depth + 1);
		}
		return (x->u.list.n > y->u.list.n) - (x->u.list.n < y->u.list.n);
	}
	*ok = false;
	return 0;
}

int value_compare(const struct value *x, const struct value *y, bool *ok)
{
	bool local = true;
	int r = compare(x, y, &local, 0);

	if (ok)
		*ok = local;
	return r;
}

/* ---- copying and marking ---- */

struct copying {
	struct arena *a;
	uint8_t flags; /* to add at every level */
	bool strings;  /* copy texts and keys too, so that the copy may outlive the original's arena */
	long steps;
};

/* Beyond the limits the original is shared rather than copied: nothing is lost, only the arena's independence. */
static struct value *copy(struct copying *c, const struct value *v, int depth)
{
	struct arena *a = c->a;

	if (depth > DEEP || --c->steps < 0)
		return (struct value *)(uintptr_t)v;

	struct value *to = arena_dup(a, v, sizeof *v);
	to->flags |= c->flags;
	if (v->type == V_STR || v->type == V_UNDEF) {
		if (c->strings)
			to->u.str.s = arena_strn(a, v->u.str.s, v->u.str.n);
	} else if (v->type == V_LIST) {
		to->u.list.cap = v->u.list.n;
		to->u.list.items = arena_new_of(a, struct value *, v->u.list.n);
		for (uint32_t i = 0; i < v->u.list.n; i++)
			to->u.list.items[i] = copy(c, v->u.list.items[i], depth + 1);
	} else if (v->type == V_MAP) {
		to->u.map.cap = v->u.map.n;
		to->u.map.items = arena_new_of(a, struct entry, v->u.map.n);
		for (uint32_t i = 0; i < v->u.map.n; i++) {
			struct entry *en = &to->u.map.items[i];
			*en = v->u.map.items[i];
			if (c->strings)
				en->key = arena_str(a, en->key);
			en->val = copy(c, en->val, depth + 1);
		}
		if (v->u.map.slots)
			to->u.map.slots = arena_dup(a, v->u.map.slots, v->u.map.nslots * sizeof *v->u.map.slots);
	}
	if (c->strings && v->source)
		to->source = v->type == V_STR && v->source == v->u.str.s ? to->u.str.s : arena_str(a, v->source);
	return to;
}

struct value *value_copy(struct arena *a, const struct value *v)
{
	return v ? copy(&(struct copying){ .a = a, .strings = true, .steps = STEPS }, v, 0) : NULL;
}

/* Is the flag set at every level (all) or at any level? */
static bool flagged(const struct value *v, uint8_t flag, bool all, int depth, long *steps)
{
	if (depth > DEEP || --*steps < 0)
		return !all; /* the careful answer: mark again, hold for secret */

	bool here = v->flags & flag;
	if (here != all)
		return here;
	size_t n = v->type == V_LIST || v->type == V_MAP ? value_len(v) : 0;
	for (size_t i = 0; i < n; i++)
		if (flagged(value_at(v, i), flag, all, depth + 1, steps) != all)
			return !all;
	return all;
}

static struct value *mark(struct arena *a, const struct value *v, uint8_t flag)
{
	long steps = STEPS;

	if (!v || flagged(v, flag, true, 0, &steps))
		return (struct value *)(uintptr_t)v;
	return copy(&(struct copying){ .a = a, .flags = flag, .steps = STEPS }, v, 0);
}

struct value *value_secret(struct arena *a, const struct value *v)
{
	return mark(a, v, V_SECRET);
}

struct value *value_literal(struct arena *a, const struct value *v)
{
	return mark(a, v, V_LITERAL);
}

bool value_is_secret(const struct value *v)
{
	long steps = STEPS;

	return v && flagged(v, V_SECRET, false, 0, &steps);
}

bool err_at_value(struct err *e, const struct value *v)
{
	if (v && v->at.file)
		return err_at(e, v->at.file, v->at.line, v->at.col);
	return false;
}
