/* A growing byte buffer in an arena. `p` is always NUL ended once anything was added; NULs inside are fine. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdint.h>
#include "base/arena.h"

struct buf {
	struct arena *a;
	char *p;
	size_t len, cap;
};

#define BUF(arena) ((struct buf){ .a = (arena) })

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_ch(struct buf *b, char c);
void buf_int(struct buf *b, int64_t i); /* in decimal */
void buf_fill(struct buf *b, char c, size_t n); /* n times c */
void buf_fmt(struct buf *b, const char *fmt, ...) ARENA_PRINTF(2);
void buf_vfmt(struct buf *b, const char *fmt, va_list ap);
/* s quoted as one word for a POSIX shell: plain words stay as they are, all else goes into '...'. */
void buf_quote(struct buf *b, const char *s);
/* Make room for n more bytes; the returned place is writable, the caller adds to len. */
char *buf_room(struct buf *b, size_t n);
void buf_reset(struct buf *b);
/* The text, never NULL. */
const char *buf_text(const struct buf *b);

#endif
