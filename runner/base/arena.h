/* Arenas: memory with an owner. Nothing is freed alone; a whole arena dies at once. See HACKING.md for who owns which. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#ifdef __has_feature
#define ARENA_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define ARENA_CLANG_ASAN 0
#endif
#ifdef __SANITIZE_ADDRESS__
#define ARENA_ASAN 1
#else
#define ARENA_ASAN ARENA_CLANG_ASAN
#endif

struct arena { /* all of it private: it stands here for arena_get alone */
	char *at;    /* the next piece, in the newest block */
	size_t left; /* bytes from there */
	size_t used, next_cap;
	struct block *blocks;
	struct deferred *deferred;
};

#define ARENA_PRINTF(f) __attribute__((format(printf, f, (f) + 1)))

/* A new, empty arena. Never NULL: out of memory aborts with a message. Not safe to share between threads unlocked. */
struct arena *arena_new(void);
/* Run the deferred functions in reverse order, then release everything. NULL is allowed. */
void arena_free(struct arena *a);
/* What arena_get does when the block is full; the sanitizer's build does it always. */
void *arena_more(struct arena *a, size_t n);
/* n bytes that hold anything: for what is written over at once. */
static inline void *arena_room(struct arena *a, size_t n)
{
	size_t need = (n + !n + 15) & ~(size_t)15;

	if (ARENA_ASAN || n > a->left || need > a->left)
		return arena_more(a, n);
	char *p = a->at;
	a->at += need;
	a->left -= need;
	a->used += need;
	return p;
}
/* n zeroed bytes, 16-byte aligned, never NULL (n == 0 gives a valid pointer too). */
static inline void *arena_get(struct arena *a, size_t n)
{
	if (ARENA_ASAN || n + 15 > a->left) /* it comes zeroed */
		return arena_more(a, n);
	return memset(arena_room(a, n), 0, n);
}
/* Copies. arena_strn adds the final NUL itself; arena_str(a, NULL) is NULL. */
void *arena_dup(struct arena *a, const void *p, size_t n);
char *arena_str(struct arena *a, const char *s);
char *arena_strn(struct arena *a, const char *s, size_t n);
char *arena_fmt(struct arena *a, const char *fmt, ...) ARENA_PRINTF(2);
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap);
/* Call fn(p) when the arena dies: for descriptors and library handles. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);
/* Bytes handed out so far. */
static inline size_t arena_used(const struct arena *a)
{
	return a->used;
}
/* a typed, zeroed array of n items */
#define arena_new_of(a, T, n) ((T *)arena_get((a), sizeof(T) * (size_t)(n)))

#endif
