/*
 * JSON in and out. The reader is our own, since values must know line and column, big integers must not lose digits,
 * and the depth must be bounded; the writer lays text out as Python's json module does, for to_json. What the data
 * means is the caller's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "value/value.h"

enum { DEPTH_MAX = 256, OUT_MAX = 256 << 20 };

/* ---- reading ---- */

struct reader {
	struct arena *a;
	const char *file, *p, *end, *line_start;
	uint32_t line;
	int depth;
	struct err *e;
};

static bool any_read(struct reader *r, struct value **out);

static struct origin here(const struct reader *r)
{
	return (struct origin){ r->file, r->line, (uint32_t)(r->p - r->line_start) + 1 };
}

static bool fault(struct reader *r, const char *msg)
{
	struct origin at = here(r);

	fail(r->e, E_INPUT, "not valid JSON: %s", msg);
	return err_at(r->e, at.file, at.line, at.col);
}

static void space_skip(struct reader *r)
{
	for (; r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p; r->p++) {
		if (*r->p == '\n') {
			r->line++;
			r->line_start = r->p + 1;
		}
	}
}

static bool eat(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool word_eat(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n))
		return false;
	r->p += n;
	return true;
}

/* Bytes of the valid UTF-8 character at p, 0 when it is none; *code is its number. */
static size_t utf8_char(const char *p, const char *end, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	*code = c;
	if (n == 1)
		return 1;
	if (c < 0xc2 || c > 0xf4 || (size_t)(end - p) < n)
		return 0;
	*code = c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | ((unsigned char)p[i] & 0x3f);
	}
	return *code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : n;
}

static void utf8_add(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_ch(b, (char)c);
	} else if (c < 0x800) {
		buf_ch(b, (char)(0xc0 | c >> 6));
		buf_ch(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_ch(b, (char)(0xe0 | c >> 12));
		buf_ch(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_ch(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_ch(b, (char)(0xf0 | c >> 18));
		buf_ch(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_ch(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_ch(b, (char)(0x80 | (c & 0x3f)));
	}
}

static bool hex4(struct reader *r, uint32_t *out)
{
	uint32_t c = 0;

	if (r->end - r->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char d = r->p[i];
		if (d >= '0' && d <= '9')
			c = c << 4 | (uint32_t)(d - '0');
		else if ((d | 32) >= 'a' && (d | 32) <= 'f')
			c = c << 4 | (uint32_t)((d | 32) - 'a' + 10);
		else
			return false;
	}
	r->p += 4;
	*out = c;
	return true;
}

/* After the backslash. Half a surrogate pair becomes U+FFFD: it has no UTF-8. */
static bool escape_read(struct reader *r, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t c, low;

	if (r->p == r->end)
		return fault(r, "the text ends inside a string");
	if (*r->p != 'u') {
		at = *r->p ? strchr(from, *r->p) : NULL;
		if (!at)
			return fault(r, "unknown escape in a string");
		buf_ch(b, to[at - from]);
		r->p++;
		return true;
	}
	r->p++;
	if (!hex4(r, &c))
		return fault(r, "\\u needs four hex digits");
	if (c >= 0xd800 && c < 0xe000) {
		const char *back = r->p;
		if (c < 0xdc00 && word_eat(r, "\\u") && hex4(r, &low) && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		} else {
			r->p = back;
			c = 0xfffd;
		}
	}
	utf8_add(b, c);
	return true;
}

/* The opening quote is at p. */
static bool string_read(struct reader *r, struct buf *b)
{
	uint32_t code;

	for (r->p++;;) {
		const char *start = r->p;
		while (r->p < r->end && *r->p != '"' && *r->p != '\\') {
			if ((unsigned char)*r->p < 0x20)
				return fault(r, "control character in a string");
			size_t n = utf8_char(r->p, r->end, &code);
			if (!n)
				return fault(r, "invalid UTF-8 in a string");
			r->p += n;
		}
		if (r->p > start)
			buf_add(b, start, (size_t)(r->p - start));
		if (r->p == r->end)
			return fault(r, "the text ends inside a string");
		if (*r->p++ == '"')
			return true;
		if (!escape_read(r, b))
			return false;
	}
}

static bool number_read(struct reader *r, struct value **out)
{
	const char *start = r->p;
	bool real = false;

	eat(r, '-');
	if (r->p == r->end || *r->p < '0' || *r->p > '9')
		return fault(r, "a value is expected here");
	if (!eat(r, '0'))
		while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
			r->p++;
	for (int part = 0; part < 2; part++) {
		if (r->p == r->end || (part ? (*r->p | 32) != 'e' : *r->p != '.'))
			continue;
		real = true;
		r->p++;
		if (part && r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (r->p == r->end || *r->p < '0' || *r->p > '9')
			return fault(r, "a digit is expected here");
		while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
			r->p++;
	}

	const char *text = arena_strn(r->a, start, (size_t)(r->p - start));
	struct value *v = value_int(r->a, 0);
	if (!real) {
		uint64_t most = *text == '-' ? (uint64_t)INT64_MAX + 1 : INT64_MAX, n = 0;
		const char *p = text + (*text == '-');
		for (; *p && n <= (most - (uint64_t)(*p - '0')) / 10; p++)
			n = n * 10 + (uint64_t)(*p - '0');
		real = *p;
		v->u.i = *text == '-' ? (int64_t)(0 - n) : (int64_t)n;
	}
	if (real) {
		v->type = V_FLOAT;
		v->u.f = strtod(text, NULL);
		v->source = text; /* an integer of more than 64 bits keeps its digits */
	}
	*out = v;
	return true;
}

static bool list_read(struct reader *r, struct value *list)
{
	r->p++;
	space_skip(r);
	if (eat(r, ']'))
		return true;
	for (;;) {
		struct value *item = NULL;
		if (!any_read(r, &item))
			return false;
		value_push(r->a, list, item);
		space_skip(r);
		if (eat(r, ']'))
			return true;
		if (!eat(r, ','))
			return fault(r, "a comma or ] is expected here");
	}
}

static bool pair_read(struct reader *r, struct value *map)
{
	struct buf key = BUF(r->a);
	struct value *val = NULL;

	space_skip(r);
	struct origin at = here(r);
	if (r->p == r->end || *r->p != '"')
		return fault(r, "a key in double quotes is expected here");
	if (!string_read(r, &key))
		return false;
	if (strlen(buf_text(&key)) != key.len) {
		fail(r->e, E_INPUT, "not valid JSON: a key must not hold a NUL character");
		return err_at(r->e, at.file, at.line, at.col);
	}
	const struct entry *before = value_entry(map, buf_text(&key));
	if (before) {
		fail(r->e, E_INPUT, "key \"%s\" is written twice in one map", before->key);
		err_detail(r->e, "first at line %u, column %u", before->at.line, before->at.col);
		return err_at(r->e, at.file, at.line, at.col);
	}
	space_skip(r);
	if (!eat(r, ':'))
		return fault(r, "a colon is expected here");
	if (!any_read(r, &val))
		return false;
	value_put_at(r->a, map, buf_text(&key), val, at);
	return true;
}

static bool map_read(struct reader *r, struct value *map)
{
	r->p++;
	space_skip(r);
	if (eat(r, '}'))
		return true;
	for (;;) {
		if (!pair_read(r, map))
			return false;
		space_skip(r);
		if (eat(r, '}'))
			return true;
		if (!eat(r, ','))
			return fault(r, "a comma or } is expected here");
	}
}

/* The words Python writes for what JSON lacks are read too. */
static struct value *word_read(struct reader *r)
{
	if (word_eat(r, "null"))
		return value_null(r->a);
	if (word_eat(r, "true"))
		return value_bool(r->a, true);
	if (word_eat(r, "false"))
		return value_bool(r->a, false);
	if (word_eat(r, "NaN"))
		return value_float(r->a, (double)NAN);
	if (word_eat(r, "Infinity"))
		return value_float(r->a, (double)INFINITY);
	if (word_eat(r, "-Infinity"))
		return value_float(r->a, -(double)INFINITY);
	return NULL;
}

static bool any_read(struct reader *r, struct value **out)
{
	struct buf text = BUF(r->a);
	bool ok = true;

	space_skip(r);
	struct origin at = here(r);
	if (r->p == r->end)
		return fault(r, "the text ends where a value is expected");
	if (*r->p == '{' || *r->p == '[') {
		if (r->depth == DEPTH_MAX)
			return fault(r, "nested too deep");
		r->depth++;
		*out = *r->p == '{' ? value_map(r->a) : value_list(r->a);
		ok = *r->p == '{' ? map_read(r, *out) : list_read(r, *out);
		r->depth--;
	} else if (*r->p == '"') {
		ok = string_read(r, &text);
		*out = value_null(r->a);
		(*out)->type = V_STR;
		(*out)->u.str.s = buf_text(&text);
		(*out)->u.str.n = text.len;
	} else if (!(*out = word_read(r))) {
		ok = number_read(r, out);
	}
	if (ok)
		(*out)->at = at;
	return ok;
}

bool value_from_json(struct value **out, struct arena *a, const char *file, const char *text, size_t len, struct err *e)
{
	struct reader r = { .a = a, .file = file, .p = text, .end = text + len, .line_start = text, .line = 1, .e = e };
	struct value *v = NULL;

	if (!text)
		r.p = r.end = r.line_start = "";
	if (!any_read(&r, &v))
		return false;
	space_skip(&r);
	if (r.p < r.end)
		return fault(&r, "more text after the value");
	*out = v;
	return true;
}

/* ---- writing ---- */

struct writer {
	struct buf *out;
	const struct json_style *style;
	size_t start;
};

/* Is one of the eight bytes the one that all of `each` are? */
static uint64_t has_byte(uint64_t w, uint64_t each)
{
	uint64_t x = w ^ each;

	return (x - 0x0101010101010101u) & ~x & 0x8080808080808080u;
}

/* Bytes that stand for themselves in a JSON string: eight at a time as long as all of them do. */
static size_t plain_len(const char *s, const char *end)
{
	const char *p = s;
	uint64_t w;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, sizeof w);
		uint64_t control = (w - 0x2020202020202020u) & ~w & 0x8080808080808080u;
		if (control | (w & 0x8080808080808080u) | has_byte(w, 0x7f7f7f7f7f7f7f7fu) |
		    has_byte(w, 0x2222222222222222u) | has_byte(w, 0x5c5c5c5c5c5c5c5cu))
			break;
	}
	while (p < end && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
		p++;
	return (size_t)(p - s);
}

static void string_write(struct writer *w, const char *s, size_t n)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *end = s + n, *at;
	uint32_t c;

	buf_ch(w->out, '"');
	while (s < end) {
		size_t len = plain_len(s, end);
		buf_add(w->out, s, len);
		s += len;
		if (s == end)
			break;
		len = utf8_char(s, end, &c);
		if (!len) {
			len = 1;
			c = 0xfffd; /* not UTF-8: JSON cannot hold it */
		}
		if (c && c < 0x80 && (at = strchr(from, (int)c))) {
			buf_ch(w->out, '\\');
			buf_ch(w->out, to[at - from]);
		} else if (c < 0x20 || (c > 0x7e && w->style->ascii && c < 0x10000 && c != 0x7f)) {
			buf_fmt(w->out, "\\u%04x", c);
		} else if (c >= 0x10000 && w->style->ascii) {
			buf_fmt(w->out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
				0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			utf8_add(w->out, c);
		}
		s += len;
	}
	buf_ch(w->out, '"');
}

static int key_order(const void *x, const void *y)
{
	return strcmp((*(const struct entry *const *)x)->key, (*(const struct entry *const *)y)->key);
}

/* Before item i of a list or map, or before its end (i == n). */
static void break_write(struct writer *w, uint32_t i, uint32_t n, int depth)
{
	int indent = w->style->indent;

	if (i && i < n)
		buf_str(w->out, indent || w->style->tight ? "," : ", ");
	if (indent) {
		buf_ch(w->out, '\n');
		buf_fill(w->out, ' ', (size_t)(indent * (depth + (i < n))));
	}
}

static bool any_write(struct writer *w, const struct value *v, int depth);

static bool map_write(struct writer *w, const struct value *v, int depth)
{
	uint32_t n = v->u.map.n;
	const struct entry **order = w->style->sort ? arena_new_of(w->out->a, const struct entry *, n) : NULL;

	for (uint32_t i = 0; order && i < n; i++)
		order[i] = &v->u.map.items[i];
	if (order && n)
		qsort(order, n, sizeof *order, key_order);
	buf_ch(w->out, '{');
	for (uint32_t i = 0; i < n; i++) {
		break_write(w, i, n, depth);
		const struct entry *en = order ? order[i] : &v->u.map.items[i];
		string_write(w, en->key, strlen(en->key));
		buf_str(w->out, w->style->tight ? ":" : ": ");
		if (!any_write(w, en->val, depth + 1))
			return false;
	}
	if (n)
		break_write(w, n, n, depth);
	buf_ch(w->out, '}');
	return true;
}

static bool list_write(struct writer *w, const struct value *v, int depth)
{
	uint32_t n = v->u.list.n;

	buf_ch(w->out, '[');
	for (uint32_t i = 0; i < n; i++) {
		break_write(w, i, n, depth);
		if (!any_write(w, v->u.list.items[i], depth + 1))
			return false;
	}
	if (n)
		break_write(w, n, n, depth);
	buf_ch(w->out, ']');
	return true;
}

static bool any_write(struct writer *w, const struct value *v, int depth)
{
	if (!v || depth > DEPTH_MAX || w->out->len - w->start > OUT_MAX)
		return false;
	if (w->style->mask && v->flags & V_SECRET) {
		buf_str(w->out, "\"***\"");
		return true;
	}
	switch (v->type) {
	case V_NULL:
		buf_str(w->out, "null");
		return true;
	case V_BOOL:
		buf_str(w->out, v->u.b ? "true" : "false");
		return true;
	case V_FLOAT:
		if (isnan(v->u.f)) {
			buf_str(w->out, "NaN");
			return true;
		}
		if (isinf(v->u.f)) {
			buf_str(w->out, v->u.f > 0 ? "Infinity" : "-Infinity");
			return true;
		}
		return value_print(w->out, v);
	case V_INT:
		return value_print(w->out, v);
	case V_STR:
		string_write(w, v->u.str.s, v->u.str.n);
		return true;
	case V_LIST:
		return list_write(w, v, depth);
	case V_MAP:
		return map_write(w, v, depth);
	default:
		return false;
	}
}

bool value_to_json(struct buf *out, const struct value *v, const struct json_style *style)
{
	static const struct json_style plain = { 0 };
	struct writer w = { out, style ? style : &plain, out->len };

	return any_write(&w, v, w.style->level);
}
