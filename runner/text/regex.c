/*
 * Regular expressions by PCRE2. A pattern that would run for ever ends at the match limit with an error. Patterns are
 * Python's as far as the two agree, which is all but rare corners.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>
#include <string.h>

enum { MATCHES = 1000000, DEPTH = 20000, HEAP_KB = 20480 };

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static void regex_free(void *p)
{
	struct regex *r = p;

	pcre2_match_data_free(r->data);
	pcre2_match_context_free(r->limits);
	pcre2_code_free(r->code);
}

struct regex *regex_new(struct call *k, const char *pattern, unsigned flags)
{
	struct regex *r = arena_get(k->c->a, sizeof *r);
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX |
			   (flags & REGEX_NOCASE ? PCRE2_CASELESS : 0) | (flags & REGEX_LINES ? PCRE2_MULTILINE : 0);
	struct buf b = BUF(k->c->a);
	int code;
	size_t where;

	for (const char *p = pattern; *p; p++) { /* \Z is the very end in Python, \z here */
		if (*p == '\\' && p[1]) {
			buf_ch(&b, *p++);
			buf_ch(&b, *p == 'Z' ? 'z' : *p);
		} else {
			buf_ch(&b, *p);
		}
	}
	if (b.len > 65536) {
		call_fail(k, "the regex is longer than 64 KiB");
		return NULL;
	}
	r->code = pcre2_compile((PCRE2_SPTR)buf_text(&b), b.len, options, &code, &where, NULL);
	if (!r->code) {
		char text[160];

		pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
		call_fail(k, "regex \"%.100s\" is wrong at character %zu: %s", pattern, where + 1, text);
		return NULL;
	}
	r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
	r->limits = pcre2_match_context_create(NULL);
	if (!r->data || !r->limits)
		bug("out of memory");
	pcre2_set_match_limit(r->limits, MATCHES);
	pcre2_set_depth_limit(r->limits, DEPTH);
	pcre2_set_heap_limit(r->limits, HEAP_KB);
	arena_defer(k->c->a, regex_free, r);
	return r;
}

bool regex_next(struct call *k, struct regex *r, const char *s, size_t n, size_t at, struct regex_group **groups,
		uint32_t *count)
{
	int got;
	size_t *ends;

	if (at > n || !ctx_step(k->c, k->at, 4 + (n - at) / 1024))
		return false;
	got = pcre2_match(r->code, (PCRE2_SPTR)s, n, at, 0, r->data, r->limits);
	if (got == PCRE2_ERROR_NOMATCH)
		return false;
	if (got < 0) {
		bool limit =
			got == PCRE2_ERROR_MATCHLIMIT || got == PCRE2_ERROR_DEPTHLIMIT || got == PCRE2_ERROR_HEAPLIMIT;

		if (limit)
			call_fail(k, "the regex takes too long: it tries too many ways to match");
		else
			call_fail(k, "the regex failed (%d)", got);
		return false;
	}
	*count = regex_groups(r) + 1;
	*groups = arena_new_of(k->c->a, struct regex_group, *count);
	ends = pcre2_get_ovector_pointer(r->data);
	for (uint32_t i = 0; i < (uint32_t)got && i < *count; i++) {
		if (ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1])
			(*groups)[i] = (struct regex_group){ ends[2 * i], ends[2 * i + 1], true };
	}
	return true;
}

uint32_t regex_groups(const struct regex *r)
{
	uint32_t n = 0;

	pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

int regex_named(const struct regex *r, const char *name)
{
	int n = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)name);

	return n < 0 ? -1 : n;
}
