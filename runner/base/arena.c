/*
 * Arenas: a bump allocator in blocks, with deferred clean-up. The unused tail and a gap after each piece are poisoned under ASan,
 * so that an overrun is seen although no piece has a malloc of its own. Build with -DPIG_ARENA_MALLOC to give each its own.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
enum { GAP = 16 };
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

/* FIRST with its head is what malloc keeps at hand for the next that asks: most arenas need no more */
enum { ALIGN = 16, FIRST = 1024, MOST = 1 << 18 };

struct block {
	struct block *next;
	size_t cap;
	_Alignas(ALIGN) char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

static void *must(void *p)
{
	if (!p) {
		fputs("pig: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct arena *arena_new(void)
{
	struct arena *a = must(calloc(1, sizeof *a));

	a->next_cap = FIRST;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct deferred *d = a->deferred; d; d = d->next)
		d->fn(d->p);
	for (struct block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		UNPOISON(b->data, b->cap);
		free(b);
	}
	free(a);
}

/* Zeroed as a whole only for one piece: what is large comes as zeroes from the kernel mostly. */
static struct block *block_new(size_t cap, bool zero)
{
	struct block *b = must(zero ? calloc(1, sizeof *b + cap) : malloc(sizeof *b + cap));

	b->cap = cap;
	POISON(b->data, cap);
	return b;
}

static bool is_large(const struct arena *a, size_t need)
{
#ifdef PIG_ARENA_MALLOC
	return a && need;
#else
	return need > a->next_cap / 4;
#endif
}

/* Where a piece goes that the present block has no room for. A large one has a block of its own, and the present one is filled on. */
static char *block_add(struct arena *a, size_t need, bool large, bool zero)
{
	struct block *fresh = block_new(large ? need : a->next_cap - sizeof *fresh, zero);

	if (large && a->blocks) {
		fresh->next = a->blocks->next;
		a->blocks->next = fresh;
		return fresh->data;
	}
	fresh->next = a->blocks;
	a->blocks = fresh;
	if (!large) {
		a->at = fresh->data + need;
		a->left = fresh->cap - need;
	}
	if (a->next_cap < MOST)
		a->next_cap *= 2;
	return fresh->data;
}

static char *piece(struct arena *a, size_t n, bool zero)
{
	if (n > SIZE_MAX / 2)
		must(NULL);

	size_t need = ((n ? n : 1) + ALIGN - 1) / ALIGN * ALIGN + GAP;
	bool large = need > a->left && is_large(a, need);
	char *p = a->at;

	a->used += need;
	if (need > a->left) {
		p = block_add(a, need, large, zero && large);
	} else {
		a->at += need;
		a->left -= need;
	}
	UNPOISON(p, n);
	return zero && !large ? memset(p, 0, n) : p;
}

void *arena_more(struct arena *a, size_t n)
{
	return piece(a, n, true);
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
	void *q = piece(a, n, false);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
	char *q = piece(a, n + 1, false);

	if (n)
		memcpy(q, s, n);
	q[n] = '\0';
	return q;
}

char *arena_str(struct arena *a, const char *s)
{
	return s ? arena_strn(a, s, strlen(s)) : NULL;
}

char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	char few[256]; /* most texts fit, and are made once */
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(few, sizeof few, fmt, again);
	va_end(again);
	if (n < 0)
		return arena_str(a, "");
	if ((size_t)n < sizeof few)
		return arena_strn(a, few, (size_t)n);

	char *s = piece(a, (size_t)n + 1, false);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return s;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_get(a, sizeof *d);

	d->fn = fn;
	d->p = p;
	d->next = a->deferred;
	a->deferred = d;
}
