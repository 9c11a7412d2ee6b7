/*
 * Cutting a template into tokens: text, the delimiters and what stands between them. Whitespace control happens here,
 * so that the parser never sees it: "-" strips on its side, a block's or comment's end eats one newline, raw text is
 * just text.
 */
#include "text/tmpl_int.h"

#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BRACKETS = 200 };

struct lex {
	struct arena *a;
	const char *file;
	struct origin at;
	const char *s;
	size_t n, pos;
	size_t seen; /* the offset that line and col belong to */
	uint32_t line, col;
	struct tok *items;
	size_t count, cap;
	char open[BRACKETS];
	unsigned nopen;
	struct map names; /* each once, so that most are told apart by their place */
	struct err *e;
};

bool err_at_text(struct err *e, const char *file, struct origin at, uint32_t line, uint32_t col)
{
	uint32_t l = at.line ? at.line - 1 + line : line;
	uint32_t c = at.line && at.col && line == 1 ? at.col - 1 + col : col;

	return err_at(e, file, l, c);
}

/* Places only move forward, so that finding them all is linear. */
static void lex_place(struct lex *l, size_t to, uint32_t *line, uint32_t *col)
{
	for (; l->seen < to; l->seen++) {
		if (l->s[l->seen] == '\n') {
			l->line++;
			l->col = 1;
		} else if (((unsigned char)l->s[l->seen] & 0xC0) != 0x80) {
			l->col++;
		}
	}
	*line = l->line;
	*col = l->col;
}

static bool lex_fail(struct lex *l, size_t at, const char *what)
{
	uint32_t line, col;

	lex_place(l, at, &line, &col);
	fail(l->e, E_INPUT, "%s", what);
	return err_at_text(l->e, l->file, l->at, line, col);
}

static struct tok *lex_add(struct lex *l, enum tok_kind kind, size_t at)
{
	if (l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		struct tok *items = arena_new_of(l->a, struct tok, cap);

		if (l->count)
			memcpy(items, l->items, l->count * sizeof *items);
		l->items = items;
		l->cap = cap;
	}

	struct tok *t = &l->items[l->count++];

	*t = (struct tok){ .kind = (uint8_t)kind, .s = "" };
	lex_place(l, at, &t->line, &t->col);
	return t;
}

static const char *lex_name(struct lex *l, const char *s, size_t n)
{
	char name[64];

	if (n >= sizeof name)
		return arena_strn(l->a, s, n);
	memcpy(name, s, n);
	name[n] = '\0';

	char *known = map_get(&l->names, name);
	if (!known)
		map_put(&l->names, name, known = arena_strn(l->a, s, n));
	return known;
}

static bool lex_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool lex_is_word(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80 ||
	       (!first && c >= '0' && c <= '9');
}

static char lex_peek(const struct lex *l, size_t ahead)
{
	return l->pos + ahead < l->n ? l->s[l->pos + ahead] : 0;
}

static void lex_skip_space(struct lex *l)
{
	while (l->pos < l->n && lex_is_space(l->s[l->pos]))
		l->pos++;
}

/* Bytes of the tag `{%- word -%}` that begins at `at`, 0 when it is another one. *minus: it strips what stands before /
 * after. */
static size_t lex_word_tag(const struct lex *l, size_t at, const char *word, bool *before, bool *after)
{
	size_t i = at + 2, n = strlen(word);

	*before = i < l->n && l->s[i] == '-';
	if (i < l->n && (l->s[i] == '-' || l->s[i] == '+'))
		i++;
	while (i < l->n && lex_is_space(l->s[i]))
		i++;
	if (i + n > l->n || memcmp(l->s + i, word, n))
		return 0;
	for (i += n; i < l->n && lex_is_space(l->s[i]); i++)
		;
	*after = i < l->n && l->s[i] == '-';
	if (*after || (i < l->n && l->s[i] == '+' && !strcmp(word, "endraw")))
		i++;
	return i + 2 <= l->n && !memcmp(l->s + i, "%}", 2) ? i + 2 - at : 0;
}

static void lex_data(struct lex *l, size_t from, size_t to, bool strip)
{
	while (strip && to > from && lex_is_space(l->s[to - 1]))
		to--;
	if (to == from)
		return;

	struct tok *t = lex_add(l, TOK_DATA, from);

	t->n = to - from;
	t->s = arena_strn(l->a, l->s + from, t->n);
}

static void lex_eat_newline(struct lex *l)
{
	if (lex_peek(l, 0) == '\n')
		l->pos++;
}

static bool lex_comment(struct lex *l)
{
	size_t start = l->pos, from = start + 2;

	if (from < l->n && (l->s[from] == '-' || l->s[from] == '+'))
		from++;
	for (l->pos = from; l->pos + 1 < l->n; l->pos++) {
		if (memcmp(l->s + l->pos, "#}", 2))
			continue;

		char last = l->pos > from ? l->s[l->pos - 1] : 0;

		l->pos += 2;
		if (last == '-')
			lex_skip_space(l);
		else if (last != '+')
			lex_eat_newline(l);
		return true;
	}
	return lex_fail(l, start, "comment without an end: \"#}\" is missing");
}

static bool lex_raw(struct lex *l, size_t tag, bool after)
{
	size_t start = l->pos, from = l->pos + tag;

	l->pos = from;
	if (after)
		lex_skip_space(l);
	from = l->pos;
	for (; l->pos + 1 < l->n; l->pos++) {
		bool before;
		size_t len = !memcmp(l->s + l->pos, "{%", 2) ? lex_word_tag(l, l->pos, "endraw", &before, &after) : 0;

		if (!len)
			continue;
		lex_data(l, from, l->pos, before);

		bool plus = l->s[l->pos + len - 3] == '+';

		l->pos += len;
		if (after)
			lex_skip_space(l);
		else if (!plus)
			lex_eat_newline(l);
		return true;
	}
	return lex_fail(l, start, "raw block without an end: \"{% endraw %}\" is missing");
}

static void lex_utf8(struct buf *b, uint32_t cp)
{
	utf8_add(b, cp < 0x110000 && (cp < 0xD800 || cp > 0xDFFF) ? cp : 0xFFFD);
}

static uint32_t lex_digits(struct lex *l, unsigned base, unsigned most, unsigned *got)
{
	uint32_t v = 0;

	for (*got = 0; *got < most && l->pos < l->n; (*got)++, l->pos++) {
		char c = l->s[l->pos];
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
						    : 99;

		if (d >= base)
			break;
		v = v * base + d;
	}
	return v;
}

/* After a backslash: Python's escapes; one it does not know keeps its backslash. */
static bool lex_escape(struct lex *l, struct buf *b)
{
	static const char names[] = "n\nt\tr\ra\ab\bf\fv\v\\\\'\'\"\"";
	char c = l->s[l->pos++];
	unsigned got;

	if (c == '\n')
		return true;
	for (size_t i = 0; i + 1 < sizeof names; i += 2) {
		if (names[i] == c) {
			buf_ch(b, names[i + 1]);
			return true;
		}
	}
	if (c == 'x' || c == 'u' || c == 'U') {
		unsigned want = c == 'x' ? 2 : c == 'u' ? 4 : 8;
		size_t at = l->pos - 2;
		uint32_t cp = lex_digits(l, 16, want, &got);

		if (got < want)
			return lex_fail(l, at, "escape with too few hex digits");
		lex_utf8(b, cp);
	} else if (c >= '0' && c <= '7') {
		l->pos--;
		lex_utf8(b, lex_digits(l, 8, 3, &got));
	} else {
		buf_ch(b, '\\');
		buf_ch(b, c);
	}
	return true;
}

static bool lex_string(struct lex *l)
{
	size_t start = l->pos;
	char quote = l->s[l->pos++];
	struct buf b = BUF(l->a);
	struct tok *t = lex_add(l, TOK_STR, start);
	size_t mine = l->count - 1;

	(void)t;
	while (l->pos < l->n && l->s[l->pos] != quote) {
		if (l->s[l->pos] == '\\' && l->pos + 1 < l->n) {
			l->pos++;
			if (!lex_escape(l, &b))
				return false;
		} else {
			buf_ch(&b, l->s[l->pos++]);
		}
	}
	if (l->pos >= l->n)
		return lex_fail(l, start, "string without its closing quote");
	l->pos++;
	l->items[mine].s = buf_text(&b);
	l->items[mine].n = b.len;
	return true;
}

/* Digits with single underscores between them, into b. */
static void lex_run_of_digits(struct lex *l, struct buf *b)
{
	while (l->pos < l->n) {
		char c = l->s[l->pos];

		if (c >= '0' && c <= '9')
			buf_ch(b, c);
		else if (c != '_' || lex_peek(l, 1) < '0' || lex_peek(l, 1) > '9')
			break;
		l->pos++;
	}
}

static bool lex_exponent(const struct lex *l)
{
	char c = lex_peek(l, 0), d = lex_peek(l, 1);

	if (c != 'e' && c != 'E')
		return false;
	if (d == '+' || d == '-')
		d = lex_peek(l, 2);
	return d >= '0' && d <= '9';
}

static bool lex_number(struct lex *l)
{
	size_t start = l->pos;
	struct buf b = BUF(l->a);
	bool whole = true;
	int base = 10;
	char second = (char)(lex_peek(l, 1) | 32);

	if (lex_peek(l, 0) == '0' && (second == 'x' || second == 'o' || second == 'b')) {
		base = second == 'x' ? 16 : second == 'o' ? 8 : 2;
		l->pos += 2;
		while (lex_is_word(lex_peek(l, 0), false) && (unsigned char)lex_peek(l, 0) < 0x80) {
			if (lex_peek(l, 0) != '_')
				buf_ch(&b, lex_peek(l, 0));
			l->pos++;
		}
	} else {
		bool member = start && l->s[start - 1] == '.'; /* a.1.2 is two members */

		lex_run_of_digits(l, &b);
		if (!member && lex_peek(l, 0) == '.' && lex_peek(l, 1) >= '0' && lex_peek(l, 1) <= '9') {
			whole = false;
			buf_ch(&b, '.');
			l->pos++;
			lex_run_of_digits(l, &b);
		}
		if (!member && lex_exponent(l)) {
			whole = false;
			buf_ch(&b, 'e');
			l->pos++;
			if (lex_peek(l, 0) == '-' || lex_peek(l, 0) == '+')
				buf_ch(&b, l->s[l->pos++]);
			lex_run_of_digits(l, &b);
		}
	}

	struct tok *t = lex_add(l, whole ? TOK_INT : TOK_FLOAT, start);
	char *end = NULL;
	const char *text = buf_text(&b);

	errno = 0;
	if (whole)
		t->i = strtoll(text, &end, base);
	else
		t->f = strtod(text, &end);
	if (end == text || *end)
		return lex_fail(l, l->pos, "malformed number");
	if (whole && errno == ERANGE)
		return lex_fail(l, l->pos, "integer larger than 64 bits");
	if (whole && base == 10 && text[0] == '0' && strspn(text, "0") != b.len)
		return lex_fail(l, l->pos, "a decimal number does not begin with 0; 0o is octal");
	return true;
}

static bool lex_op(struct lex *l)
{
	static const char twos[][3] = { "**", "//", "==", "!=", ">=", "<=" };
	char c = lex_peek(l, 0), d = lex_peek(l, 1);

	for (size_t i = 0; i < sizeof twos / sizeof *twos; i++) {
		if (c == twos[i][0] && d == twos[i][1]) {
			lex_add(l, TOK_OP, l->pos)->op = OP2(c, d);
			l->pos += 2;
			return true;
		}
	}
	if (!c || !strchr("+-/*%~[](){}><=.:|,;", c))
		return lex_fail(l, l->pos,
				c == '!'   ? "unexpected \"!\"; the word is \"not\""
				: c == '&' ? "unexpected \"&\"; the word is \"and\""
					   : "unexpected character");
	if (strchr("([{", c)) {
		if (l->nopen == BRACKETS)
			return lex_fail(l, l->pos, "brackets nested too deep");
		l->open[l->nopen++] = c;
	} else if (strchr(")]}", c)) {
		char want = c == ')' ? '(' : c == ']' ? '[' : '{';

		if (!l->nopen || l->open[l->nopen - 1] != want)
			return lex_fail(l, l->pos, "closing bracket without its opening one");
		l->nopen--;
	}
	lex_add(l, TOK_OP, l->pos)->op = (unsigned char)c;
	l->pos++;
	return true;
}

/* The end of `{{` (end "}}") or `{%` (end "%}"), when it stands here and no bracket is open. */
static bool lex_at_end(struct lex *l, const char *end)
{
	char sign = lex_peek(l, 0);
	size_t skip = sign == '-' || (sign == '+' && end[0] == '%') ? 1 : 0;

	if (l->nopen || lex_peek(l, skip) != end[0] || lex_peek(l, skip + 1) != end[1])
		return false;
	lex_add(l, end[0] == '}' ? TOK_VAREND : TOK_TAGEND, l->pos);
	l->pos += skip + 2;
	if (skip && sign == '-')
		lex_skip_space(l);
	else if (end[0] == '%' && !skip)
		lex_eat_newline(l);
	return true;
}

/* Tokens of an expression up to its end delimiter, or the end of the text when end is NULL. */
static bool lex_inside(struct lex *l, const char *end, size_t start)
{
	l->nopen = 0;
	for (;;) {
		lex_skip_space(l);
		if (l->pos >= l->n) {
			if (l->nopen)
				return lex_fail(l, l->pos, "a bracket is not closed");
			if (end)
				return lex_fail(l, start, end[0] == '}' ? "\"}}\" is missing" : "\"%}\" is missing");
			return true;
		}
		if (end && lex_at_end(l, end))
			return true;

		char c = l->s[l->pos];

		if (lex_is_word(c, true)) {
			size_t from = l->pos;

			while (l->pos < l->n && lex_is_word(l->s[l->pos], false))
				l->pos++;

			struct tok *t = lex_add(l, TOK_NAME, from);

			t->n = l->pos - from;
			t->s = lex_name(l, l->s + from, t->n);
		} else if (c == '"' || c == '\'') {
			if (!lex_string(l))
				return false;
		} else if (c >= '0' && c <= '9') {
			if (!lex_number(l))
				return false;
		} else if (!lex_op(l)) {
			return false;
		}
	}
}

/* One delimiter at pos, whose data before it begins at from. */
static bool lex_tag(struct lex *l, size_t from)
{
	size_t start = l->pos;
	char kind = l->s[start + 1];
	bool before = lex_peek(l, 2) == '-', after = false;
	size_t raw = kind == '%' ? lex_word_tag(l, start, "raw", &before, &after) : 0;

	before = lex_peek(l, 2) == '-';
	lex_data(l, from, start, before);
	if (raw)
		return lex_raw(l, raw, after);
	if (kind == '#')
		return lex_comment(l);
	lex_add(l, kind == '{' ? TOK_VAR : TOK_TAG, start);
	l->pos += 2;
	if (lex_peek(l, 0) == '-' || lex_peek(l, 0) == '+')
		l->pos++;
	return lex_inside(l, kind == '{' ? "}}" : "%}", start);
}

bool lex_text(struct toks *out, struct arena *a, const char *file, struct origin at, const char *text, size_t len,
	      bool as_expr, struct err *e)
{
	struct lex l = {
		.a = a, .file = file, .at = at, .s = text, .n = len, .line = 1, .col = 1, .names = MAP(a), .e = e
	};

	if (as_expr && !lex_inside(&l, NULL, 0))
		return false;
	while (!as_expr && l.pos < l.n) {
		size_t from = l.pos;

		while (l.pos < l.n && !(l.s[l.pos] == '{' && lex_peek(&l, 1) && strchr("{%#", lex_peek(&l, 1))))
			l.pos++;
		if (l.pos < l.n) {
			if (!lex_tag(&l, from))
				return false;
		} else {
			lex_data(&l, from, l.pos, false);
		}
	}
	lex_add(&l, TOK_END, l.n);
	out->items = l.items;
	out->n = l.count;
	return true;
}
