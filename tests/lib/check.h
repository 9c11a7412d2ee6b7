/* The test harness: CHECK and its kin count, a failing one says where, and main ends with `return check_done()`. Every check is
 * counted, so a program that checked nothing fails. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_good, check_bad;

#define CHECK(cond) check_one((cond) ? 1 : 0, #cond, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_INT(got, want) check_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
/* the text holds the part */
#define CHECK_HAS(text, part) check_has((text), (part), #text, __FILE__, __LINE__)

static inline int check_one(int ok, const char *what, const char *file, int line)
{
	ok ? check_good++ : check_bad++;
	if (!ok)
		fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	return ok;
}

static inline int check_str(const char *got, const char *want, const char *what, const char *file, int line)
{
	int ok = got && want ? !strcmp(got, want) : got == want;

	ok ? check_good++ : check_bad++;
	if (!ok)
		fprintf(stderr, "%s:%d: %s\n  got  \"%s\"\n  want \"%s\"\n", file, line, what, got ? got : "(null)", want ? want : "(null)");
	return ok;
}

static inline int check_int(long long got, long long want, const char *what, const char *file, int line)
{
	got == want ? check_good++ : check_bad++;
	if (got != want)
		fprintf(stderr, "%s:%d: %s\n  got  %lld\n  want %lld\n", file, line, what, got, want);
	return got == want;
}

static inline int check_has(const char *text, const char *part, const char *what, const char *file, int line)
{
	int ok = text && strstr(text, part);

	ok ? check_good++ : check_bad++;
	if (!ok)
		fprintf(stderr, "%s:%d: %s\n  text \"%s\"\n  lacks \"%s\"\n", file, line, what, text ? text : "(null)", part);
	return ok;
}

static inline int check_done(void)
{
	printf("%d passed, %d failed\n", check_good, check_bad);
	return check_bad || !check_good;
}

#endif
