/* Arenas: memory with an owner. Nothing is freed alone; a whole arena dies at once. See HACKING.md for who owns which. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

#define ARENA_PRINTF(f) __attribute__((format(printf, f, (f) + 1)))

/* A new, empty arena. Never NULL: out of memory aborts with a message. Not safe to share between threads unlocked. */
struct arena *arena_new(void);
/* Run the deferred functions in reverse order, then release everything. NULL is allowed. */
void arena_free(struct arena *a);
/* n zeroed bytes, 16-byte aligned, never NULL (n == 0 gives a valid pointer too). */
void *arena_get(struct arena *a, size_t n);
/* Copies. arena_strn adds the final NUL itself; arena_str(a, NULL) is NULL. */
void *arena_dup(struct arena *a, const void *p, size_t n);
char *arena_str(struct arena *a, const char *s);
char *arena_strn(struct arena *a, const char *s, size_t n);
char *arena_fmt(struct arena *a, const char *fmt, ...) ARENA_PRINTF(2);
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap);
/* Call fn(p) when the arena dies: for descriptors and library handles. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);
/* a typed, zeroed array of n items */
#define arena_new_of(a, T, n) ((T *)arena_get((a), sizeof(T) * (size_t)(n)))

#endif
