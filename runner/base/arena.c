/*
 * Arenas: a bump allocator in blocks, with deferred clean-up. The unused tail and a gap after each piece are poisoned under ASan,
 * so that an overrun is seen although no piece has a malloc of its own. Build with -DPIG_ARENA_MALLOC to give each its own.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
enum { GAP = 16 };
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum { ALIGN = 16, FIRST = 1024, MOST = 1 << 18 };

struct block {
	struct block *next;
	size_t cap, used;
	_Alignas(ALIGN) char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct block *blocks;
	struct deferred *deferred;
	size_t next_cap, used;
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

static struct block *block_new(size_t cap)
{
	struct block *b = must(calloc(1, sizeof *b + cap)); /* zeroed once here, so that pieces need not be */

	b->cap = cap;
	POISON(b->data, cap);
	return b;
}

void *arena_get(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 2)
		must(NULL);

	size_t need = ((n ? n : 1) + ALIGN - 1) / ALIGN * ALIGN + GAP;
	struct block *b = a->blocks;
#ifdef PIG_ARENA_MALLOC
	b = NULL;
#endif
	if (!b || b->cap - b->used < need) {
#ifdef PIG_ARENA_MALLOC
		struct block *fresh = block_new(need);
#else
		struct block *fresh = block_new(need > a->next_cap / 4 ? need : a->next_cap);
#endif
		if (a->blocks && need > a->next_cap / 4) { /* a large piece: keep filling the present block */
			fresh->next = a->blocks->next;
			a->blocks->next = fresh;
		} else {
			fresh->next = a->blocks;
			a->blocks = fresh;
			if (a->next_cap < MOST)
				a->next_cap *= 2;
		}
		b = fresh;
	}

	char *p = b->data + b->used;
	b->used += need;
	a->used += need;
	UNPOISON(p, n);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
	void *q = arena_get(a, n);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
	char *q = arena_get(a, n + 1);

	if (n)
		memcpy(q, s, n);
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

	char *s = arena_get(a, (size_t)n + 1);
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
