/*
 * Errors: a function that can fail returns bool; false means *e is filled, true means *e is untouched. Codes are exit statuses.
 * Messages: lower case, one line, what happened to which object of the user's, in double quotes; detail holds errno text or a
 * command's stderr; hint is a sentence; where is file:line:column of the user's text.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include "base/arena.h"

enum { E_OK = 0, E_FAILED = 1, E_INPUT = 2, E_MODULE = 3, E_CONNECT = 4, E_REMOTE = 5, E_TIMEOUT = 6, E_BUG = 70, E_CANCELLED = 130 };

struct err {
	int code;
	char msg[512], detail[2048], hint[512], where[512];
};

/* Fill e and return false, so that `return fail(e, ...)` reads well. e may be NULL. Earlier detail, hint and where are cleared. */
bool fail(struct err *e, int code, const char *fmt, ...) ARENA_PRINTF(3);
/* Prefix the message with "context: " and return false. */
bool err_wrap(struct err *e, const char *fmt, ...) ARENA_PRINTF(2);
/* Each returns false and sets one part. err_at: line and col from 1; 0 leaves them out. */
bool err_detail(struct err *e, const char *fmt, ...) ARENA_PRINTF(2);
bool err_hint(struct err *e, const char *fmt, ...) ARENA_PRINTF(2);
bool err_at(struct err *e, const char *file, unsigned line, unsigned col);
/* "where: msg\n  detail\nhint: ..." as one text in a, for people. */
const char *err_text(const struct err *e, struct arena *a);
/* A broken invariant of ours: print and abort. */
_Noreturn void bug(const char *fmt, ...) ARENA_PRINTF(1);

#endif
