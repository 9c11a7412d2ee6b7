/*
 * Patterns: which hosts `-l` and `hosts:` mean. Rules and order are Ansible's: plain terms add, & keeps, ! takes away,
 * whatever the order they are written in. Unlike there, a term that matches nothing is an error. Ranges in host names
 * are pattern_range.c's.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "model/inventory_build.h"

struct pattern {
	struct arena *a; /* scratch */
	const struct inventory *inv;
	bool allow_empty;
	struct err *e;
	struct inv_host **hosts; /* the result so far */
	uint32_t n;
	bool *in; /* by host.index */
};

struct hosts { struct inv_host **items; uint32_t n; };

/* ---- names ---- */

/* [abc], [a-z], [!x] at p, the bracket; *end is behind it. NULL *end: no closing bracket, so it is a plain
 * character. */
static bool set_match(const char *p, char c, const char **end)
{
	bool negate = p[1] == '!', hit = false;
	const char *first = p + 1 + negate, *close = *first ? strchr(first + 1, ']') : NULL;

	*end = close ? close + 1 : NULL;
	if (!close)
		return false;
	for (const char *q = first; q < close; q++) {
		if (q + 2 < close && q[1] == '-') {
			hit |= (unsigned char)*q <= (unsigned char)c && (unsigned char)c <= (unsigned char)q[2];
			q += 2;
		} else {
			hit |= *q == c;
		}
	}
	return hit != negate;
}

/* Shell globs as Python's fnmatch reads them: no backslash, the whole name. Linear apart from one star's
 * backtracking. */
static bool glob_match(const char *p, const char *s)
{
	const char *star = NULL, *back = NULL;

	for (;;) {
		const char *next = p + 1, *end;
		bool hit = *s != 0;
		if (*p == '*') {
			star = next;
			back = s;
			p = next;
			continue;
		}
		if (*p == '[' && *s) {
			hit = set_match(p, *s, &end);
			if (end)
				next = end;
			else
				hit = *s == '[';
		} else if (*p != '?' || !*s) {
			hit = *p == *s;
		}
		if (hit && !*s)
			return true;
		if (hit) {
			p = next;
			s++;
			continue;
		}
		if (!star || !*back)
			return false;
		p = star;
		s = ++back;
	}
}

struct matcher {
	const char *glob;
	pcre2_code *re;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	const char *stuck; /* the first name that took too long */
};

static bool matcher_open(struct matcher *m, struct pattern *p, const char *text)
{
	int code;
	PCRE2_SIZE at;
	char why[120] = "";

	*m = (struct matcher){ .glob = text };
	if (*text != '~')
		return true;
	m->re = pcre2_compile((PCRE2_SPTR)text + 1, PCRE2_ZERO_TERMINATED,
		PCRE2_ANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	if (!m->re) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
		return fail(p->e, E_INPUT, "pattern \"%s\" is no regular expression: %s at character %zu", text, why,
			at + 1);
	}
	m->data = pcre2_match_data_create_from_pattern(m->re, NULL);
	m->limits = pcre2_match_context_create(NULL);
	if (!m->data || !m->limits)
		bug("out of memory in pcre2");
	pcre2_set_match_limit(m->limits, 20000);
	pcre2_set_depth_limit(m->limits, 1000);
	return true;
}

static void matcher_close(struct matcher *m)
{
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_code_free(m->re);
}

static bool matches(struct matcher *m, const char *name)
{
	int got;

	if (!m->re)
		return glob_match(m->glob, name);
	if (m->stuck)
		return false;
	got = pcre2_match(m->re, (PCRE2_SPTR)name, strlen(name), 0, 0, m->data, m->limits);
	if (got < 0 && got != PCRE2_ERROR_NOMATCH)
		m->stuck = name;
	return got >= 0;
}

/* ---- one term ---- */

static void hosts_push(struct pattern *p, struct hosts *to, struct inv_host *const *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		to->items = inventory_grow(p->a, to->items, to->n, sizeof *to->items);
		to->items[to->n++] = from[i];
	}
}

/* Hosts of every group the term matches; hosts by name too when no group did or the term has wildcards. *group: one
 * matched. */
static bool term_enumerate(struct pattern *p, const char *term, struct hosts *out, bool *group)
{
	const struct inventory *inv = p->inv;
	struct matcher m;

	*group = false;
	if (!matcher_open(&m, p, term))
		return false;
	bool wild = *term == '~' || term[strcspn(term, "*?[")];
	if (wild) {
		for (uint32_t i = 0; i < inv->n_groups; i++) {
			uint32_t n;
			if (!matches(&m, inv->groups[i]->name))
				continue;
			*group = true;
			struct inv_host **hosts = inventory_walk_hosts(p->a, inv->groups[i], &n);
			hosts_push(p, out, hosts, n);
		}
		for (uint32_t i = 0; i < inv->n_hosts; i++)
			if (matches(&m, inv->hosts[i]->name))
				hosts_push(p, out, &inv->hosts[i], 1);
	} else {
		uint32_t n = 0;
		const struct inv_group *g = inventory_group(inv, term);
		struct inv_host *h = inventory_host(inv, term);
		*group = g != NULL;
		struct inv_host **hosts = g ? inventory_walk_hosts(p->a, g, &n) : NULL;
		hosts_push(p, out, hosts, n);
		if (h && (!g || strchr(term, '.')))
			hosts_push(p, out, &h, 1);
	}
	matcher_close(&m);
	if (m.stuck) {
		fail(p->e, E_INPUT, "pattern \"%s\" takes too long to match \"%s\"", term, m.stuck);
		return err_hint(p->e, "Write it without a repetition inside a repetition.");
	}
	return true;
}

struct subscript { long first, last; bool one, open; };

static bool is_number(const char *s, size_t n, bool sign)
{
	size_t i = sign && n && *s == '-';

	if (i == n || n - i > 9)
		return false;
	for (; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

/* g[2], g[-1], g[1:3], g[1:] at the end of a term: the length of what stands before it, or 0 when there is none. */
static size_t subscript_read(const char *term, struct subscript *s)
{
	size_t n = strlen(term), open = n, sep;

	if (*term == '~' || n < 4 || term[n - 1] != ']')
		return 0;
	while (open > 0 && term[open - 1] != '[')
		open--;
	if (open < 2)
		return 0;
	const char *in = term + open;
	size_t len = n - 1 - open;
	if (is_number(in, len, true)) {
		*s = (struct subscript){ .first = strtol(in, NULL, 10), .one = true };
		return open - 1;
	}
	sep = strcspn(in, ":-");
	if (sep >= len || !is_number(in, sep, false))
		return 0;
	if (sep + 1 < len && !is_number(in + sep + 1, len - sep - 1, false))
		return 0;
	*s = (struct subscript){ .first = strtol(in, NULL, 10), .last = strtol(in + sep + 1, NULL, 10) };
	s->open = sep + 1 == len;
	s->one = !s->open && !s->last; /* Ansible takes g[2:0] for g[2] */
	return open - 1;
}

static void subscript_apply(const struct subscript *s, struct hosts *h)
{
	long n = h->n, first = s->first < 0 ? n + s->first : s->first;
	long last = s->one ? first : s->open ? n - 1 : s->last;

	if (last >= n)
		last = n - 1;
	if (first < 0 || first > last) {
		h->n = 0;
		return;
	}
	h->items += first;
	h->n = (uint32_t)(last - first + 1);
}

/* The hosts of a term without its & or !. */
static bool term_hosts(struct pattern *p, const char *term, struct hosts *out)
{
	struct subscript s = { 0 };
	struct inv_host *exact = inventory_host(p->inv, term);
	bool group = false;

	*out = (struct hosts){ 0 };
	if (exact) {
		hosts_push(p, out, &exact, 1);
		return true;
	}
	size_t base = subscript_read(term, &s);
	const char *name = base ? arena_strn(p->a, term, base) : term;
	if (!term_enumerate(p, name, out, &group))
		return false;
	uint32_t before = out->n;
	if (base && before)
		subscript_apply(&s, out);
	if (out->n || p->allow_empty || (group && !base))
		return true;
	if (before) {
		fail(p->e, E_INPUT, "pattern \"%s\" matches no host: \"%s\" has %u", term, name, before);
		return err_hint(p->e, "Counting begins at 0, and [1:3] includes 3.");
	}
	if (group)
		return fail(p->e, E_INPUT, "pattern \"%s\" matches no host: group \"%s\" is empty", term, name);
	fail(p->e, E_INPUT, "pattern \"%s\" matches no host or group", term);
	return inventory_hint_name(p->inv, name, p->e);
}

/* ---- all terms ---- */

static void result_keep(struct pattern *p, const struct hosts *those, bool keep)
{
	bool *named = arena_new_of(p->a, bool, p->inv->n_hosts);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < those->n; i++)
		named[those->items[i]->index] = true;
	for (uint32_t i = 0; i < p->n; i++) {
		if (named[p->hosts[i]->index] == keep)
			p->hosts[kept++] = p->hosts[i];
		else
			p->in[p->hosts[i]->index] = false;
	}
	p->n = kept;
}

static bool term_apply(struct pattern *p, const char *term)
{
	bool prefix = *term == '&' || *term == '!';
	struct hosts those;

	if (!term[prefix] || !strcmp(term + prefix, "~"))
		return fail(p->e, E_INPUT, "pattern term \"%s\" names nothing", term);
	if (!term_hosts(p, term + prefix, &those))
		return false;
	if (prefix) {
		result_keep(p, &those, *term == '&');
		return true;
	}
	for (uint32_t i = 0; i < those.n; i++) {
		struct inv_host *h = those.items[i];
		if (!p->in[h->index])
			p->hosts[p->n++] = h;
		p->in[h->index] = true;
	}
	return true;
}

static void word_push(struct value *words, struct arena *a, const char *s, size_t n)
{
	while (n && strchr(" \t\r\n", *s))
		s++, n--;
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	if (n)
		value_push(a, words, value_strn(a, s, n));
}

/* @file: one pattern a line. */
static bool file_push(struct pattern *p, struct value *words, const char *path)
{
	struct buf text = BUF(p->a);

	if (!os_read(&text, path, 1 << 24, p->e))
		return err_wrap(p->e, "could not read the file of host patterns");
	for (const char *s = buf_text(&text); *s;) {
		size_t n = strcspn(s, "\n");
		word_push(words, p->a, s, n);
		s += n + (s[n] == '\n');
	}
	return true;
}

/* Commas separate; without any, colons and spaces do, unless they belong to an address, a range or a bracket. */
static bool split(struct pattern *p, const char *text, struct value *words)
{
	if (strchr(text, ',')) {
		for (const char *s = text; *s;) {
			size_t n = strcspn(s, ",");
			word_push(words, p->a, s, n);
			s += n + (s[n] == ',');
		}
		return true;
	}
	if (pattern_is_address(text)) {
		word_push(words, p->a, text, strlen(text));
		return true;
	}
	for (const char *s = text; *s;) {
		const char *end = s;
		while (*end && !strchr(" \t\r\n:", *end)) {
			const char *close = *end == '[' ? strchr(end, ']') : end;
			/* Ansible would cut the word here, and a rest of "~" selects every host */
			if (!close || *end == ']')
				return fail(p->e, E_INPUT, "pattern \"%s\" has a bracket without its other half", text);
			end = close + 1;
		}
		word_push(words, p->a, s, (size_t)(end - s));
		s = *end ? end + 1 : end;
	}
	return true;
}

static bool terms_apply(struct pattern *p, const struct value *words)
{
	static const char *const passes[] = { "", "&", "!" };
	bool plain = false;

	for (size_t pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < value_len(words); i++) {
			const char *term = value_cstr(value_at(words, i), "");
			if (*passes[pass] ? *term != *passes[pass] : *term == '&' || *term == '!')
				continue;
			plain = true;
			if (!term_apply(p, term))
				return false;
		}
		if (!pass && !plain) {
			for (uint32_t i = 0; i < p->inv->n_hosts; i++)
				p->in[i] = true;
			struct inv_host **all = inventory_walk_hosts(p->a, p->inv->groups[0], &p->n);
			memcpy(p->hosts, all, p->n * sizeof(struct inv_host *));
		}
	}
	return true;
}

bool pattern_hosts(struct inv_host ***out, uint32_t *n, struct arena *a, const struct inventory *inv,
	const char *pattern, bool allow_empty, struct err *e)
{
	struct pattern p = { .a = arena_new(), .inv = inv, .allow_empty = allow_empty, .e = e };
	struct value *words = value_list(p.a), *terms = value_list(p.a);

	p.hosts = arena_new_of(p.a, struct inv_host *, inv->n_hosts);
	p.in = arena_new_of(p.a, bool, inv->n_hosts);
	bool ok = split(&p, pattern ? pattern : "all", words);
	for (size_t i = 0; ok && i < value_len(words); i++) {
		struct value *word = value_at(words, i);
		if (word->u.str.s[0] == '@')
			ok = file_push(&p, terms, word->u.str.s + 1);
		else
			value_push(p.a, terms, word);
	}
	if (ok && !value_len(terms) && !allow_empty) {
		ok = fail(e, E_INPUT, "the host pattern \"%s\" is empty", pattern ? pattern : "all");
		err_hint(e, "Write \"all\" to mean every host.");
	}
	ok = ok && terms_apply(&p, terms);
	if (ok && !p.n && !allow_empty)
		ok = fail(e, E_INPUT, "host pattern \"%s\" matches no host", pattern ? pattern : "all");
	if (ok) {
		*out = arena_dup(a, p.hosts, p.n * sizeof(struct inv_host *));
		*n = p.n;
	}
	arena_free(p.a);
	return ok;
}
