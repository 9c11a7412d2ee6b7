/* Regular expressions by PCRE2, with limits. A compiled one lives until the next regex_new of the same render. */
#ifndef TEXT_REGEX_H
#define TEXT_REGEX_H

#include "text/tmpl_int.h"

struct regex;
struct regex_group { size_t from, to; bool set; };
enum { REGEX_NOCASE = 1, REGEX_LINES = 2 };

/* NULL and the call failed when the pattern is wrong. Python's (?P<name>) and \Z are understood. */
struct regex *regex_new(struct call *k, const char *pattern, unsigned flags);
/* One match at or after `at`; false when there is none or the call failed. *groups is the whole, then each group. */
bool regex_next(struct call *k, struct regex *r, const char *s, size_t n, size_t at, struct regex_group **groups,
		uint32_t *count);
uint32_t regex_groups(const struct regex *r);
/* Number of a named group, -1 when there is none. */
int regex_named(const struct regex *r, const char *name);

#endif
