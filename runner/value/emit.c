/*
 * Values into YAML: block style, stable, in the layout PyYAML gives (lists in a map are not indented further). Any
 * string that a reader of YAML 1.1 or 1.2 could take for something else is quoted. Reading is yaml.c's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "value/plain.h"
#include "value/value.h"

enum { DEPTH_MAX = 256, OUT_MAX = 256 << 20, KEY_MOST = 1000 };

struct writer {
	struct buf *out;
	const struct yaml_style *style;
	int indent;
	size_t start;
};

static bool node_write(struct writer *w, const struct value *v, int col, int depth);

static void line_begin(struct writer *w, int col)
{
	buf_fmt(w->out, "%*s", col + w->style->base, "");
}

/* Safe as a plain scalar in block context, for key and value alike. */
static bool is_plain(const char *s, size_t n)
{
	if (!n || plain_is_odd(s, n) || s[0] == ' ' || s[n - 1] == ' ' || s[n - 1] == ':' || !strncmp(s, "...", 3))
		return false;
	if (strchr("!&*-?:,[]{}#|>@`\"'%=<~", s[0]) && !(s[0] == '-' && n > 1 && s[1] != ' ' && s[1] != '-'))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < 0x20 || c >= 0x7f)
			return false;
		if ((c == ':' && s[i + 1] == ' ') || (c == '#' && i && s[i - 1] == ' '))
			return false;
		if (c == '{' && (s[i + 1] == '{' || s[i + 1] == '%')) /* a template reads better in quotes */
			return false;
	}
	return true;
}

/* Length of the printable UTF-8 character at s, 0 when it must be escaped (control, line separators, BOM, not
 * UTF-8). */
static size_t printable(const char *s, const char *end)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	uint32_t c = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));

	if (n == 1)
		return c >= 0x20 && c < 0x7f;
	if (u[0] < 0xc2 || u[0] > 0xf4 || (size_t)(end - s) < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe ? 0 : n;
}

static void quoted_write(struct writer *w, const char *s, size_t n)
{
	static const char from[] = "\"\\\n\t\r\x1b\a\b\f\v", to[] = "\"\\ntreabfv";
	const char *end = s + n;
	bool easy = true;

	for (const char *p = s; p < end && easy; p++)
		easy = (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f;
	if (easy) {
		buf_ch(w->out, '\'');
		for (; s < end; s++) {
			buf_ch(w->out, *s);
			if (*s == '\'')
				buf_ch(w->out, '\'');
		}
		buf_ch(w->out, '\'');
		return;
	}

	buf_ch(w->out, '"');
	while (s < end) {
		size_t len = printable(s, end);
		const char *at = *s ? strchr(from, *s) : NULL;
		if (at) {
			buf_ch(w->out, '\\');
			buf_ch(w->out, to[at - from]);
			len = 1;
		} else if (len) {
			buf_add(w->out, s, len);
		} else if ((unsigned char)*s < 0x80) {
			buf_fmt(w->out, "\\x%02x", (unsigned)(unsigned char)*s);
			len = 1;
		} else if (end - s >= 2 && (unsigned char)*s == 0xc2 && ((unsigned char)s[1] & 0xc0) == 0x80) {
			buf_fmt(w->out, "\\x%02x", (unsigned)(unsigned char)s[1]);
			len = 2;
		} else if (end - s >= 3 && (!memcmp(s, "\xe2\x80\xa8", 3) || !memcmp(s, "\xe2\x80\xa9", 3) ||
			!memcmp(s, "\xef\xbb\xbf", 3))) {
			buf_str(w->out, *s == '\xef' ? "\\ufeff" : s[2] == '\xa8' ? "\\u2028" : "\\u2029");
			len = 3;
		} else {
			buf_str(w->out, "\\ufffd"); /* not UTF-8: YAML cannot hold it */
			len = 1;
		}
		s += len;
	}
	buf_ch(w->out, '"');
}

/* Several lines that a literal block holds exactly: printable, no space at the start of the text. */
static bool is_block(const char *s, size_t n)
{
	const char *end = s + n;

	if (n < 2 || !memchr(s, '\n', n - 1) || *s == ' ' || *s == '\n' || *s == '\t' || *s == '#')
		return false;
	while (s < end) {
		size_t len = *s == '\n' || *s == '\t' ? 1 : printable(s, end);
		if (!len)
			return false;
		s += len;
	}
	return true;
}

static void block_write(struct writer *w, const char *s, size_t n, int col)
{
	const char *end = s + n;

	buf_ch(w->out, '|');
	if (s[n - 1] != '\n')
		buf_ch(w->out, '-');
	else if (n > 1 && s[n - 2] == '\n')
		buf_ch(w->out, '+');
	buf_ch(w->out, '\n');
	while (s < end) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((eol ? eol : end) - s);
		if (len) {
			line_begin(w, col);
			buf_add(w->out, s, len);
		}
		buf_ch(w->out, '\n');
		s += len + 1;
	}
}

/* col: where the lines of a block go. Ends the line. */
static bool scalar_write(struct writer *w, const struct value *v, int col)
{
	if (w->style->tags && v->type == V_STR && v->flags & (V_VAULT | V_LITERAL))
		buf_str(w->out, v->flags & V_VAULT ? "!vault " : "!unsafe ");
	if (v->type == V_NULL) {
		buf_str(w->out, "null");
	} else if (v->type == V_BOOL) {
		buf_str(w->out, v->u.b ? "true" : "false");
	} else if (v->type == V_FLOAT && (isnan(v->u.f) || isinf(v->u.f))) {
		buf_str(w->out, isnan(v->u.f) ? ".nan" : v->u.f > 0 ? ".inf" : "-.inf");
	} else if (v->type == V_FLOAT) {
		/* YAML 1.1 wants a point in a float: 1e+16 becomes 1.0e+16 */
		struct buf text = BUF(w->out->a);
		value_print(&text, v);
		const char *e = strchr(text.p, 'e');
		if (e && !strchr(text.p, '.'))
			buf_fmt(w->out, "%.*s.0%s", (int)(e - text.p), text.p, e);
		else
			buf_str(w->out, text.p);
	} else if (v->type == V_INT) {
		value_print(w->out, v);
	} else if (is_block(v->u.str.s, v->u.str.n)) {
		block_write(w, v->u.str.s, v->u.str.n, col);
		return true;
	} else if (is_plain(v->u.str.s, v->u.str.n)) {
		buf_add(w->out, v->u.str.s, v->u.str.n);
	} else {
		quoted_write(w, v->u.str.s, v->u.str.n);
	}
	buf_ch(w->out, '\n');
	return true;
}

static bool is_nest(const struct writer *w, const struct value *v)
{
	return (v->type == V_LIST || v->type == V_MAP) && value_len(v) && !(w->style->mask && v->flags & V_SECRET);
}

static int key_order(const void *x, const void *y)
{
	return strcmp((*(const struct entry *const *)x)->key, (*(const struct entry *const *)y)->key);
}

/* A key of more than 1024 characters is none to a reader unless it is announced. */
static void key_write(struct writer *w, const char *key, int col)
{
	struct buf *out = w->out, text = BUF(out->a);

	w->out = &text;
	if (is_plain(key, strlen(key)))
		buf_str(w->out, key);
	else
		quoted_write(w, key, strlen(key));
	w->out = out;
	if (text.len > KEY_MOST)
		buf_str(out, "? ");
	buf_add(out, buf_text(&text), text.len);
	if (text.len > KEY_MOST) {
		buf_ch(out, '\n');
		line_begin(w, col);
	}
}

static bool map_write(struct writer *w, const struct value *v, int col, int depth)
{
	uint32_t n = v->u.map.n;
	const struct entry **order = arena_new_of(w->out->a, const struct entry *, n);

	for (uint32_t i = 0; i < n; i++)
		order[i] = &v->u.map.items[i];
	if (w->style->sort)
		qsort(order, n, sizeof *order, key_order);
	for (uint32_t i = 0; i < n; i++) {
		const struct value *val = order[i]->val;
		const char *key = order[i]->key;
		if (i)
			line_begin(w, col);
		key_write(w, key, col);
		buf_ch(w->out, ':');
		if (!val)
			return false;
		int below = val->type == V_LIST ? col : col + w->indent;
		if (is_nest(w, val)) {
			buf_ch(w->out, '\n');
			line_begin(w, below);
		} else {
			buf_ch(w->out, ' ');
			below = col + w->indent;
		}
		if (!node_write(w, val, below, depth + 1))
			return false;
	}
	return true;
}

static bool list_write(struct writer *w, const struct value *v, int col, int depth)
{
	for (uint32_t i = 0; i < v->u.list.n; i++) {
		if (i)
			line_begin(w, col);
		buf_fmt(w->out, "-%*s", w->indent - 1, "");
		if (!v->u.list.items[i] || !node_write(w, v->u.list.items[i], col + w->indent, depth + 1))
			return false;
	}
	return true;
}

/* The cursor stands at col (the first line's indentation is written); what is written ends its line. */
static bool node_write(struct writer *w, const struct value *v, int col, int depth)
{
	if (!v || v->type == V_UNDEF || depth > DEPTH_MAX || w->out->len - w->start > OUT_MAX)
		return false;
	if (w->style->mask && v->flags & V_SECRET) {
		buf_str(w->out, "'***'\n");
		return true;
	}
	if (v->type == V_MAP || v->type == V_LIST) {
		if (value_len(v))
			return v->type == V_MAP ? map_write(w, v, col, depth) : list_write(w, v, col, depth);
		buf_str(w->out, v->type == V_MAP ? "{}\n" : "[]\n");
		return true;
	}
	return scalar_write(w, v, col ? col : w->indent);
}

bool value_to_yaml(struct buf *out, const struct value *v, const struct yaml_style *style)
{
	static const struct yaml_style plain = { 0 };
	struct writer w = { .out = out, .style = style ? style : &plain, .indent = 2, .start = out->len };

	if (style && style->indent >= 2)
		w.indent = style->indent > 9 ? 9 : style->indent;
	return node_write(&w, v, 0, 0);
}
