/* A growing byte buffer in an arena; it doubles, so that adding stays linear. */
#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *buf_room(struct buf *b, size_t n)
{
	if (b->cap - b->len < n + 1) {
		size_t cap = b->cap ? b->cap * 2 : 128;
		while (cap - b->len < n + 1)
			cap *= 2;
		char *p = arena_get(b->a, cap);
		if (b->len)
			memcpy(p, b->p, b->len);
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->len;
}

void buf_fill(struct buf *b, char c, size_t n)
{
	char *to = buf_room(b, n);

	memset(to, c, n);
	to[n] = 0;
	b->len += n;
}

void buf_int(struct buf *b, int64_t i)
{
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	char text[24];
	size_t at = sizeof text;

	do {
		text[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (i < 0)
		text[--at] = '-';
	buf_add(b, text + at, sizeof text - at);
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	size_t room = b->cap - b->len;
	int n = vsnprintf(room ? b->p + b->len : NULL, room, fmt, again);
	va_end(again);
	if (n >= 0 && (size_t)n >= room)
		vsnprintf(buf_room(b, (size_t)n), (size_t)n + 1, fmt, ap);
	b->len += n < 0 ? 0 : (size_t)n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '+' && c <= ':') /* + , - . / 0 to 9 : */ ||
	       c == '=' || c == '@' || c == '%' || c == '_';
}

bool buf_is_word(const char *s)
{
	const char *p = s;

	while (is_plain(*p))
		p++;
	return *s && !*p;
}

void buf_quote(struct buf *b, const char *s)
{
	if (buf_is_word(s)) {
		buf_str(b, s);
		return;
	}
	buf_ch(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(b, "'\\''");
		else
			buf_ch(b, *s);
	}
	buf_ch(b, '\'');
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->p)
		b->p[0] = 0;
}

const char *buf_text(const struct buf *b)
{
	return b->p ? b->p : "";
}
