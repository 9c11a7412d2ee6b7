/*
 * Edits of a YAML text: where a scalar begins its value remembers, where it ends is found here by its quotes. What may
 * be written there is the caller's business, as far as it fits on one line.
 */
#include "value/edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "value/plain.h"

struct edit {
	size_t from, to; /* bytes of the text that go */
	const char *by;
};

struct edits {
	struct arena *a;
	const char *text;
	size_t len;
	size_t *lines; /* where each begins; lines[n] is the end */
	uint32_t n_lines;
	struct edit *items;
	uint32_t n, cap;
};

struct edits *edits_new(struct arena *a, const char *text, size_t len)
{
	struct edits *ed = arena_get(a, sizeof *ed);
	uint32_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	*ed = (struct edits){.a = a, .text = text, .len = len, .lines = arena_new_of(a, size_t, n + 1), .n_lines = n};
	n = 0;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			ed->lines[++n] = i + 1;
	ed->lines[n + 1] = len;
	return ed;
}

static bool edit_add(struct edits *ed, size_t from, size_t to, const char *by)
{
	for (uint32_t i = 0; i < ed->n; i++)
		if (from != to && ed->items[i].from == from && ed->items[i].to == to)
			return true;
	if (ed->n == ed->cap) {
		uint32_t cap = ed->cap ? ed->cap * 2 : 16;
		struct edit *items = arena_new_of(ed->a, struct edit, cap);
		if (ed->n)
			memcpy(items, ed->items, ed->n * sizeof *items);
		ed->items = items;
		ed->cap = cap;
	}
	ed->items[ed->n++] = (struct edit){from, to, arena_str(ed->a, by)};
	return true;
}

/* Columns count characters; anchors and tags stand before the scalar. len when there is no such place. */
static size_t place(const struct edits *ed, struct origin at)
{
	if (!at.line || at.line > ed->n_lines)
		return ed->len;

	size_t p = ed->lines[at.line - 1], end = ed->lines[at.line];
	for (uint32_t col = 1; col < at.col && p < end; col++)
		do
			p++;
		while (p < end && ((unsigned char)ed->text[p] & 0xc0) == 0x80);
	while (p < end && (ed->text[p] == '&' || ed->text[p] == '!')) {
		while (p < end && !isspace((unsigned char)ed->text[p]))
			p++;
		while (p < end && (ed->text[p] == ' ' || ed->text[p] == '\t'))
			p++;
	}
	return p;
}

/* Of a scalar on one line: its end; 0 when it is none. A plain one ends before ": ", " #" and, in flows, ",]}". */
static size_t scalar_end(const struct edits *ed, size_t p)
{
	const char *s = ed->text;
	char quote = p < ed->len ? s[p] : '\n';
	size_t q = p + 1;

	if (quote == '|' || quote == '>' || quote == '\n' || quote == '[' || quote == '{')
		return 0;
	if (quote == '\'' || quote == '"') {
		for (; q < ed->len && s[q] != '\n'; q++) {
			if (quote == '"' && s[q] == '\\')
				q++;
			else if (s[q] == quote && quote == '\'' && q + 1 < ed->len && s[q + 1] == quote)
				q++;
			else if (s[q] == quote)
				return q + 1;
		}
		return 0;
	}
	for (q = p; q < ed->len && s[q] != '\n'; q++)
		if ((s[q] == ':' && (q + 1 == ed->len || strchr(" \t\r\n,]}", s[q + 1]))) || strchr(",]}", s[q]) ||
		    (s[q] == '#' && q > p && isspace((unsigned char)s[q - 1])))
			break;
	while (q > p && isspace((unsigned char)s[q - 1]))
		q--;
	return q > p ? q : 0;
}

/* In block context a plain scalar may hold ",]}": the value knows its own text, unless it goes over lines. */
static size_t known_end(const struct edits *ed, size_t p, const char *source)
{
	size_t n = source ? strlen(source) : 0;

	if (p >= ed->len)
		return 0;
	return n && n <= ed->len - p && !memcmp(ed->text + p, source, n) ? p + n : scalar_end(ed, p);
}

static const char *quoted(struct arena *a, const char *s, char quote)
{
	struct buf b = BUF(a);
	struct value *v = quote ? NULL : value_from_plain(a, s, strlen(s));

	/* a plain scalar stays one where it is read back as a number or as the same text */
	if (!quote && (v->type == V_INT || v->type == V_FLOAT || !plain_is_odd(s, strlen(s))) &&
	    !s[strcspn(s, " \t\n:#,[]{}&*!|>'\"%@`")])
		return s;
	if (quote != '"') {
		buf_ch(&b, '\'');
		for (; *s; s++)
			buf_fmt(&b, *s == '\'' ? "''" : "%c", *s);
		buf_ch(&b, '\'');
		return buf_text(&b);
	}
	buf_ch(&b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_ch(&b, '\\');
		buf_ch(&b, *s);
	}
	buf_ch(&b, '"');
	return buf_text(&b);
}

bool edits_scalar(struct edits *ed, const struct value *v, const char *to)
{
	size_t p = place(ed, v->at), end = known_end(ed, p, v->source);
	char quote = end && (ed->text[p] == '"' || ed->text[p] == '\'') ? ed->text[p] : '\0';

	return end && edit_add(ed, p, end, quoted(ed->a, to, quote));
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '_';
}

bool edits_word(struct edits *ed, struct origin at, const char *source, const char *from, const char *to)
{
	size_t p = place(ed, at), end = known_end(ed, p, source), n = strlen(from);

	if (!end)
		return false;
	for (size_t i = p; i + n <= end; i++)
		if (!strncmp(ed->text + i, from, n) && !(i > p && in_word(ed->text[i - 1])) &&
		    !(i + n < end && in_word(from[n - 1]) && in_word(ed->text[i + n]))) {
			edit_add(ed, i, i + n, to);
			i += n - 1;
		}
	return true;
}

void edits_line(struct edits *ed, uint32_t line, const char *text)
{
	size_t p = line && line <= ed->n_lines ? ed->lines[line - 1] : ed->len;
	size_t n = strspn(ed->text + p, " ");

	edit_add(ed, p, p, arena_fmt(ed->a, "%.*s%s\n", (int)n, ed->text + p, text));
}

uint32_t edits_count(const struct edits *ed)
{
	return ed->n;
}

static int by_place(const void *x, const void *y)
{
	const struct edit *i = x, *k = y;

	return i->from != k->from ? (i->from < k->from ? -1 : 1) : 0;
}

const char *edits_text(struct edits *ed, size_t *len)
{
	struct buf b = BUF(ed->a);
	struct edit *sorted = arena_dup(ed->a, ed->items, ed->n * sizeof *sorted);
	size_t at = 0;

	/* stable by hand: few, and lines before one place keep their order */
	for (uint32_t i = 1; i < ed->n; i++)
		for (uint32_t k = i; k && by_place(&sorted[k - 1], &sorted[k]) > 0; k--) {
			struct edit swap = sorted[k];
			sorted[k] = sorted[k - 1];
			sorted[k - 1] = swap;
		}
	for (uint32_t i = 0; i < ed->n; i++) {
		if (sorted[i].from < at)
			continue;
		buf_add(&b, ed->text + at, sorted[i].from - at);
		buf_str(&b, sorted[i].by);
		at = sorted[i].to;
	}
	buf_add(&b, ed->text + at, ed->len - at);
	*len = b.len;
	return buf_text(&b);
}
