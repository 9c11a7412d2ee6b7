/*
 * Python literals, which is what Ansible tries on every value of an INI inventory: numbers, quoted strings, lists,
 * tuples (lists here), dicts, True, False, None. Whatever is none of these is a plain string, so nothing in here is an
 * error.
 */
#include <stdlib.h>
#include <string.h>

#include "model/inventory_build.h"

enum { DEPTH_MAX = 50 };

struct literal { struct arena *a; const char *p, *end; int depth; struct origin at; };

static struct value *any_read(struct literal *l);

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		(unsigned char)c >= 0x80;
}

/* Spaces, and a comment up to the end: Python ignores both behind a value. */
static void space_skip(struct literal *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
	if (l->p < l->end && *l->p == '#')
		l->p = l->end;
}

static bool eat(struct literal *l, char c)
{
	space_skip(l);
	if (l->p == l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

static void utf8_add(struct buf *b, unsigned c)
{
	if (c < 0x80) {
		buf_ch(b, (char)c);
		return;
	}
	if (c >= 0x10000) {
		buf_ch(b, (char)(0xf0 | c >> 18));
		buf_ch(b, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800) {
		buf_ch(b, (char)(0xe0 | c >> 12));
	} else {
		buf_ch(b, (char)(0xc0 | c >> 6));
	}
	if (c >= 0x800)
		buf_ch(b, (char)(0x80 | (c >> 6 & 0x3f)));
	buf_ch(b, (char)(0x80 | (c & 0x3f)));
}

/* n digits of the base at p; false when one is none. */
static bool code_read(struct literal *l, int n, int base, unsigned *out)
{
	char word[9] = "";

	for (int i = 0; i < n; i++) {
		if (l->p == l->end || !*l->p || !strchr("0123456789abcdefABCDEF", *l->p))
			return false;
		word[i] = *l->p++;
	}
	*out = (unsigned)strtoul(word, NULL, base);
	return *out <= 0x10ffff && (*out < 0xd800 || *out >= 0xe000);
}

static bool escape_read(struct literal *l, struct buf *b)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
	unsigned c = 0;

	if (l->p == l->end)
		return false;
	char e = *l->p++;
	const char *at = e ? strchr(from, e) : NULL;
	if (at) {
		buf_ch(b, to[at - from]);
	} else if (e == 'x' || e == 'u' || e == 'U') {
		if (!code_read(l, e == 'x' ? 2 : e == 'u' ? 4 : 8, 16, &c))
			return false;
		utf8_add(b, c);
	} else if (e >= '0' && e <= '7') {
		for (int i = 0; i < 3 && (i == 0 || (l->p < l->end && *l->p >= '0' && *l->p <= '7')); i++)
			c = c * 8 + (unsigned)((i ? *l->p++ : e) - '0');
		utf8_add(b, c);
	} else {
		buf_ch(b, '\\');
		buf_ch(b, e);
	}
	return true;
}

/* One quoted part, prefix r, b or u included. */
static bool quoted_read(struct literal *l, struct buf *b)
{
	bool raw = false;

	while (l->p < l->end && strchr("rRbBuU", *l->p) && *l->p)
		raw |= (*l->p++ | 32) == 'r';
	if (l->p == l->end || (*l->p != '"' && *l->p != '\''))
		return false;
	char quote = *l->p++;
	bool triple = l->end - l->p >= 2 && l->p[0] == quote && l->p[1] == quote;
	if (triple)
		l->p += 2;
	while (l->p < l->end) {
		char c = *l->p++;
		if (c == '\\' && !raw) {
			if (!escape_read(l, b))
				return false;
			continue;
		}
		if (c == '\\' && l->p < l->end) {
			buf_ch(b, c);
			c = *l->p++;
		} else if (c == quote && !triple) {
			return true;
		} else if (c == quote && l->end - l->p >= 2 && l->p[0] == quote && l->p[1] == quote) {
			l->p += 2;
			return true;
		}
		buf_ch(b, c);
	}
	return false;
}

/* Does a string begin here, prefix included? */
static bool is_string(const struct literal *l)
{
	const char *p = l->p;

	while (p < l->end && p - l->p < 2 && *p && strchr("rRbBuU", *p))
		p++;
	return p < l->end && (*p == '"' || *p == '\'');
}

static struct value *string_read(struct literal *l)
{
	struct buf b = BUF(l->a);

	while (is_string(l)) { /* neighbours join */
		if (!quoted_read(l, &b))
			return NULL;
		space_skip(l);
	}
	return value_strn(l->a, buf_text(&b), b.len);
}

/* Python's underscores stand between digits only. */
static bool number_clean(char *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '_') {
			*out++ = s[i];
			continue;
		}
		if (!i || i + 1 == n || !strchr("0123456789abcdefABCDEFxXoObB", s[i - 1]) ||
			!strchr("0123456789abcdefABCDEF", s[i + 1]))
			return false;
	}
	*out = 0;
	return true;
}

static struct value *based_read(struct literal *l, const char *word, bool minus)
{
	int base = word[1] == 'x' ? 16 : word[1] == 'o' ? 8 : 2;
	const char *set = base == 16 ? "0123456789abcdef" : base == 8 ? "01234567" : "01";
	size_t n = strlen(word + 2);
	unsigned long long r = 0;

	if (!n || strspn(word + 2, set) != n || n > (base == 16 ? 15 : base == 8 ? 20 : 62))
		return NULL;
	r = strtoull(word + 2, NULL, base);
	return value_int(l->a, minus ? -(int64_t)r : (int64_t)r);
}

static struct value *decimal_read(struct literal *l, const char *word, bool minus)
{
	size_t whole = strspn(word, "0123456789"), n = strlen(word), i = whole, part = 0;

	if (whole == n) {
		if (word[0] == '0' && strspn(word, "0") != n)
			return NULL; /* 0644 is no number in Python */
		struct value *v = value_from_plain(l->a, arena_fmt(l->a, "%s%s", minus ? "-" : "", word), n + minus);
		if (strspn(word, "0") == n)
			v = value_int(l->a, 0);
		v->flags = 0;
		if (v->type == V_INT)
			v->source = NULL;
		return v;
	}
	if (word[i] == '.')
		part = strspn(word + ++i, "0123456789");
	if (!whole && !part)
		return NULL;
	i += part;
	if (i < n) {
		if (word[i] != 'e')
			return NULL;
		i++;
		i += word[i] == '+' || word[i] == '-';
		if (i == n || strspn(word + i, "0123456789") != n - i)
			return NULL;
	}
	double f = strtod(word, NULL);
	return value_float(l->a, minus ? -f : f);
}

/* The sign in 1e-5, but not the one in 0x1e-5. */
static bool is_exponent_sign(const struct literal *l, const char *start)
{
	return (*l->p == '-' || *l->p == '+') && l->p > start && (l->p[-1] | 32) == 'e' && (start[1] | 32) != 'x';
}

static struct value *number_read(struct literal *l)
{
	char word[200];
	bool minus = false;
	int signs = 0;
	const char *start;

	while (l->p < l->end && (*l->p == '-' || *l->p == '+')) {
		minus ^= *l->p++ == '-';
		space_skip(l);
		signs++;
	}
	start = l->p;
	while (l->p < l->end && (is_word(*l->p) || *l->p == '.' || is_exponent_sign(l, start)))
		l->p++;
	size_t n = (size_t)(l->p - start);
	if (!n || n >= sizeof word || signs > 1 || !number_clean(word, start, n))
		return NULL;
	for (char *p = word; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 32 : *p);
	if (word[0] == '0' && word[1] && strchr("xob", word[1]))
		return based_read(l, word, minus);
	return decimal_read(l, word, minus);
}

static struct value *word_read(struct literal *l)
{
	static const struct { const char *word; size_t n; } words[] = { { "True", 4 }, { "False", 5 }, { "None", 4 } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = words[i].n;
		if ((size_t)(l->end - l->p) < n || memcmp(l->p, words[i].word, n))
			continue;
		if (l->p + n < l->end && is_word(l->p[n]))
			continue;
		l->p += n;
		return i == 2 ? value_null(l->a) : value_bool(l->a, !i);
	}
	return NULL;
}

/* Items up to the closing character; *comma says whether one was seen. */
static struct value *items_read(struct literal *l, char close, bool *comma)
{
	struct value *list = value_list(l->a);

	*comma = false;
	while (!eat(l, close)) {
		struct value *item = any_read(l);
		if (!item)
			return NULL;
		value_push(l->a, list, item);
		if (eat(l, ','))
			*comma = true;
		else if (eat(l, close))
			break;
		else
			return NULL;
	}
	return list;
}

/* A dict; a set becomes a list. */
static struct value *braces_read(struct literal *l)
{
	struct value *map = value_map(l->a), *list = NULL;

	while (!eat(l, '}')) {
		struct value *key = any_read(l), *val;
		struct buf text = BUF(l->a);
		if (!key)
			return NULL;
		if (!list && eat(l, ':')) {
			val = any_read(l);
			if (!val || !value_print(&text, key) || strlen(buf_text(&text)) != text.len)
				return NULL;
			value_put(l->a, map, key->type == V_NULL ? "None" : buf_text(&text), val);
		} else {
			if (value_len(map))
				return NULL;
			if (!list)
				list = value_list(l->a);
			value_push(l->a, list, key);
		}
		if (eat(l, ','))
			continue;
		return eat(l, '}') ? (list ? list : map) : NULL;
	}
	return list ? list : map;
}

static struct value *nest_read(struct literal *l)
{
	bool comma;
	char open = *l->p++;

	if (open == '{')
		return braces_read(l);
	struct value *list = items_read(l, open == '[' ? ']' : ')', &comma);
	if (list && open == '(' && !comma && value_len(list) == 1)
		return value_at(list, 0); /* parentheses around one value are no tuple */
	return list;
}

static struct value *any_read(struct literal *l)
{
	struct value *v;

	space_skip(l);
	if (l->p == l->end || l->depth >= DEPTH_MAX)
		return NULL;
	if (strchr("[({", *l->p) && *l->p) {
		l->depth++;
		v = nest_read(l);
		l->depth--;
	} else if (is_string(l)) {
		v = string_read(l);
	} else {
		v = word_read(l);
		v = v ? v : number_read(l);
	}
	if (v)
		v->at = l->at;
	return v;
}

struct value *inventory_literal(struct arena *a, const char *text, size_t len, struct origin at)
{
	struct literal l = { .a = a, .p = text, .end = text + len, .at = at };
	struct value *v = memchr(text, 0, len) ? NULL : any_read(&l), *list = NULL;

	while (v && eat(&l, ',')) { /* "1, 2" is a tuple without parentheses */
		if (!list) {
			list = value_list(a);
			list->at = at;
			value_push(a, list, v);
		}
		space_skip(&l);
		if (l.p == l.end)
			break;
		v = any_read(&l);
		if (v)
			value_push(a, list, v);
	}
	space_skip(&l);
	if (!v || l.p < l.end) {
		v = value_strn(a, text, len);
		v->at = at;
		v->flags = V_PLAIN;
		v->source = v->u.str.s;
		return v;
	}
	if (list)
		return list;
	if (v->type != V_STR && v->type != V_LIST && v->type != V_MAP) {
		v->flags = V_PLAIN;
		v->source = arena_strn(a, text, len);
	} else if (v->type == V_STR) {
		v->flags = V_QUOTED;
	}
	return v;
}
