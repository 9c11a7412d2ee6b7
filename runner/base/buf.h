/* A growing byte buffer in an arena. `p` is always NUL ended once anything was added; NULs inside are fine. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/arena.h"

struct buf {
	struct arena *a;
	char *p;
	size_t len, cap;
};

#define BUF(arena) ((struct buf){ .a = (arena) })

/* Make room for n more bytes; the returned place is writable, the caller adds to len. */
char *buf_room(struct buf *b, size_t n);
static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = b->cap - b->len > n ? b->p + b->len : buf_room(b, n);

	if (n)
		memcpy(to, p, n);
	to[n] = '\0';
	b->len += n;
}
static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}
static inline void buf_ch(struct buf *b, char c)
{
	char *to = b->cap - b->len > 1 ? b->p + b->len : buf_room(b, 1);

	to[0] = c;
	to[1] = '\0';
	b->len++;
}
void buf_int(struct buf *b, int64_t i); /* in decimal */
void buf_fill(struct buf *b, char c, size_t n); /* n times c */
void buf_fmt(struct buf *b, const char *fmt, ...) ARENA_PRINTF(2);
void buf_vfmt(struct buf *b, const char *fmt, va_list ap);
/* s quoted as one word for a POSIX shell: plain words stay as they are, all else goes into '...'. */
void buf_quote(struct buf *b, const char *s);
/* Does it stand as it is? */
bool buf_is_word(const char *s);
void buf_reset(struct buf *b);
/* The text, never NULL. */
const char *buf_text(const struct buf *b);

#endif
