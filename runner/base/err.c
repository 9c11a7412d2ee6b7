/* Errors by value: no allocation, so that they can be filled anywhere and handed up. */
#include "base/err.h"
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fail(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return false;
	memset(e, 0, sizeof *e);
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->msg];
	va_list ap;

	if (!e)
		return false;
	memcpy(old, e->msg, sizeof old);
	va_start(ap, fmt);
	int n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof e->msg)
		snprintf(e->msg + n, sizeof e->msg - (size_t)n, ": %s", old);
	return false;
}

bool err_detail(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return false;
	va_start(ap, fmt);
	vsnprintf(e->detail, sizeof e->detail, fmt, ap);
	va_end(ap);
	return false;
}

bool err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return false;
	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
	return false;
}

bool err_at(struct err *e, const char *file, unsigned line, unsigned col)
{
	if (!e || !file)
		return false;
	if (line && col)
		snprintf(e->where, sizeof e->where, "%s:%u:%u", file, line, col);
	else if (line)
		snprintf(e->where, sizeof e->where, "%s:%u", file, line);
	else
		snprintf(e->where, sizeof e->where, "%s", file);
	return false;
}

static void indented(struct buf *b, const char *text)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		buf_fmt(b, "\n  %.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

const char *err_text(const struct err *e, struct arena *a)
{
	struct buf b = BUF(a);

	if (e->where[0])
		buf_fmt(&b, "%s: ", e->where);
	buf_str(&b, e->msg[0] ? e->msg : "unknown error");
	indented(&b, e->detail);
	if (e->hint[0])
		buf_fmt(&b, "\nhint: %s", e->hint);
	return buf_text(&b);
}

_Noreturn void bug(const char *fmt, ...)
{
	va_list ap;

	fputs("pig: a fault of pig itself: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
