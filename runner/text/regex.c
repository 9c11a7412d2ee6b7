/*
 * Regular expressions by PCRE2. Patterns are Python's as far as the two agree, which is all but rare corners. One that
 * would run for ever ends with an error: PCRE2 bounds how often it backtracks from one place, and a callout before
 * every item of the pattern bounds the time over all places, as even "a*b" takes the square of the text's length where
 * it nowhere matches. A render keeps the patterns it compiled last.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>
#include <string.h>
#include <time.h>

enum {
	MATCHES = 1000000,
	DEPTH = 20000,
	HEAP_KB = 20480,
	KEPT = 16,	/* compiled patterns of one render */
	LONG = 1 << 16, /* text that is worth looking at the clock for from the beginning */
	COMPILE_STEPS = 8,
	LOOK = 1 << 20,	   /* work between two looks at the clock, in units of at most 64 ns */
	LOOK_PART = 256,   /* work that counts as a step where the clock was not looked at */
	MOST_US = 1000000, /* processor time of one search */
};

struct regex {
	pcre2_code *code;
	pcre2_code *loose; /* the same for text that is no UTF-8, which it reads whole before each search; NULL until
			      needed */
	const char *pattern;
	unsigned flags;
	struct regexes *all;
};

struct regexes {
	struct regex kept[KEPT];
	unsigned next;
	pcre2_match_data *data; /* of the pattern with the most groups so far */
	uint32_t groups;
	pcre2_match_context *limits;
	const char *valid; /* the last text, when it is UTF-8: PCRE2 would read all of it before each search */
	size_t valid_n;
};

static void regex_drop(struct regex *r)
{
	pcre2_code_free(r->code);
	pcre2_code_free(r->loose);
	r->code = r->loose = NULL;
}

static void regexes_free(void *p)
{
	struct regexes *all = p;

	for (unsigned i = 0; i < KEPT; i++)
		regex_drop(&all->kept[i]);
	pcre2_match_data_free(all->data);
	pcre2_match_context_free(all->limits);
}

static struct regexes *regexes_of(struct ctx *c)
{
	struct regexes *all = c->regexes;

	if (all)
		return all;
	all = c->regexes = arena_get(c->a, sizeof *all);
	all->limits = pcre2_match_context_create(NULL);
	if (!all->limits)
		bug("out of memory");
	pcre2_set_match_limit(all->limits, MATCHES);
	pcre2_set_depth_limit(all->limits, DEPTH);
	pcre2_set_heap_limit(all->limits, HEAP_KB);
	arena_defer(c->a, regexes_free, all);
	return all;
}

/* The end of a text is \Z in Python, \z here. */
static const char *regex_text(struct call *k, const char *pattern, size_t *n)
{
	struct buf b = BUF(k->c->a);

	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && p[1]) {
			buf_ch(&b, *p++);
			buf_ch(&b, *p == 'Z' ? 'z' : *p);
		} else {
			buf_ch(&b, *p);
		}
	}
	*n = b.len;
	return buf_text(&b);
}

static pcre2_code *regex_compile(struct call *k, const char *pattern, unsigned flags, bool loose)
{
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX | PCRE2_AUTO_CALLOUT |
			   (flags & REGEX_NOCASE ? PCRE2_CASELESS : 0) | (flags & REGEX_LINES ? PCRE2_MULTILINE : 0) |
			   (loose ? PCRE2_MATCH_INVALID_UTF : 0);
	size_t where, n;
	const char *text = regex_text(k, pattern, &n);
	pcre2_code *code;
	int error;

	if (n > 65536) {
		call_fail(k, "the regex is longer than 64 KiB");
		return NULL;
	}
	if (!ctx_step(k->c, k->at, COMPILE_STEPS + n / 8))
		return NULL;
	code = pcre2_compile((PCRE2_SPTR)text, n, options, &error, &where, NULL);
	if (!code) {
		char why[160];

		pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
		call_fail(k, "regex \"%.100s\" is wrong at character %zu: %s", pattern, where + 1, why);
	}
	return code;
}

struct regex *regex_new(struct call *k, const char *pattern, unsigned flags)
{
	struct regexes *all = regexes_of(k->c);
	struct regex *r;

	for (unsigned i = 0; i < KEPT; i++) {
		r = &all->kept[i];
		if (r->code && r->flags == flags && !strcmp(r->pattern, pattern))
			return r;
	}
	r = &all->kept[all->next++ % KEPT];
	regex_drop(r);
	r->code = regex_compile(k, pattern, flags, false);
	if (!r->code)
		return NULL;
	r->pattern = arena_str(k->c->a, pattern);
	r->flags = flags;
	r->all = all;
	if (!all->data || regex_groups(r) > all->groups) {
		pcre2_match_data_free(all->data);
		all->groups = regex_groups(r);
		all->data = pcre2_match_data_create(all->groups + 1, NULL);
		if (!all->data)
			bug("out of memory");
	}
	return r;
}

/* ---- one search and what it takes ---- */
struct watch {
	uint64_t work, us; /* us: the clock at the last look, 0 before the first one at a short text */
	uint64_t spent, steps;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000 + 1;
}

/* Before each item of the pattern, which may look at all that is left of the text. */
static int watch_item(pcre2_callout_block *block, void *p)
{
	struct watch *w = p;
	uint64_t us;

	w->work += 16 + (block->subject_length - block->current_position) / 64;
	if (w->work < LOOK)
		return 0;
	w->work = 0;
	us = now_us();
	w->steps += w->us ? us - w->us : LOOK / LOOK_PART;
	w->spent += w->us ? us - w->us : 0;
	w->us = us;
	return w->spent > MOST_US ? PCRE2_ERROR_MATCHLIMIT : 0;
}

bool regex_next(struct call *k, struct regex *r, const char *s, size_t n, size_t at, struct regex_group **groups,
		uint32_t *count)
{
	struct watch w = {0};
	struct regexes *all = r->all;
	int got;
	size_t *ends;
	bool known = s == all->valid && n == all->valid_n;

	if (at > n || !ctx_step(k->c, k->at, 4 + (known ? 0 : n / 256)))
		return false;
	if (!known && utf8_valid(s, n)) {
		all->valid = s;
		all->valid_n = n;
		known = true;
	}
	if (!known && !r->loose && !(r->loose = regex_compile(k, r->pattern, r->flags, true)))
		return false;
	w.us = n - at > LONG ? now_us() : 0;
	pcre2_set_callout(all->limits, watch_item, &w);
	got = pcre2_match(known ? r->code : r->loose, (PCRE2_SPTR)s, n, at, known ? PCRE2_NO_UTF_CHECK : 0, all->data,
			  all->limits);
	ends = pcre2_get_ovector_pointer(all->data);
	if (got < 0 || ends[1] < at || ends[1] > n)
		w.steps += (n - at) / 256;
	else
		w.steps += (ends[1] - at) / 256;
	w.steps += w.us ? now_us() - w.us : w.work / LOOK_PART;
	if (!ctx_step(k->c, k->at, w.steps) || got == PCRE2_ERROR_NOMATCH)
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
	for (uint32_t i = 0; i < (uint32_t)got && i < *count; i++) {
		if (ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1])
			(*groups)[i] = (struct regex_group){ends[2 * i], ends[2 * i + 1], true};
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
