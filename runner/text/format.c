/*
 * Python's two ways to format: "%-8s" % value, and "{:>8}".format(value) with its small language of fill, alignment,
 * sign, width, grouping, precision and type.
 */
#include "text/rows.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MOST = 100000 };

struct spec {
	char fill[8]; /* one character of UTF-8 */
	char align;   /* < > ^ =, 0 when not given */
	char sign;    /* + - or blank */
	char group;   /* , or _ */
	bool alt;
	int width, precision; /* -1: not given */
	char type;            /* 0: not given */
};

bool format_repr(struct ctx *c, const struct node *at, struct buf *b, const struct value *v)
{
	char quote = '\'';

	if (v->type == V_NULL)
		buf_str(b, "None");
	if (v->type == V_NULL)
		return true;
	if (v->type != V_STR)
		return op_text(c, at, b, v, "None");
	if (strchr(v->u.str.s, '\'') && !strchr(v->u.str.s, '"'))
		quote = '"';
	buf_ch(b, quote);
	for (size_t i = 0; i < v->u.str.n; i++) {
		char ch = v->u.str.s[i];

		if (ch == quote || ch == '\\')
			buf_fmt(b, "\\%c", ch);
		else if (ch == '\n' || ch == '\r' || ch == '\t')
			buf_fmt(b, "\\%c", ch == '\n' ? 'n' : ch == '\r' ? 'r' : 't');
		else if ((unsigned char)ch < 32 || ch == 127)
			buf_fmt(b, "\\x%02x", (unsigned)(unsigned char)ch);
		else
			buf_ch(b, ch);
	}
	buf_ch(b, quote);
	return true;
}

static void format_fill(struct buf *b, const struct spec *s, int64_t n)
{
	if (s->fill[0] && !s->fill[1])
		buf_fill(b, s->fill[0], (size_t)n);
	else
		for (; n > 0; n--)
			buf_str(b, s->fill);
}

static bool format_pad(struct ctx *c, const struct node *at, struct buf *b, const struct spec *s, const char *text,
		       size_t n, size_t sign, char align)
{
	int64_t len = (int64_t)utf8_len(text, n), pad = s->width > len ? s->width - len : 0, before = 0;

	if (b->len + (size_t)pad > LIMIT_TEXT)
		return ctx_fail(c, at, "string longer than 16 MiB");
	if (s->align)
		align = s->align;
	before = align == '>' ? pad : align == '^' ? pad / 2 : 0;
	if (align == '=') {
		buf_add(b, text, sign);
		format_fill(b, s, pad);
		buf_add(b, text + sign, n - sign);
		return true;
	}
	format_fill(b, s, before);
	buf_add(b, text, n);
	format_fill(b, s, pad - before);
	return true;
}

static void format_group(struct buf *b, const char *digits, size_t n, char group, unsigned each)
{
	for (size_t i = 0; i < n; i++) {
		if (group && i && (n - i) % each == 0)
			buf_ch(b, group);
		buf_ch(b, digits[i]);
	}
}

/* Digits of an integer in the type's base, with sign and prefix; *sign is their length. */
static void format_int_text(struct buf *b, const struct spec *s, int64_t i, size_t *sign)
{
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	unsigned base = s->type == 'b' ? 2 : s->type == 'o' ? 8 : s->type == 'x' || s->type == 'X' ? 16 : 10;
	const char *letters = s->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[72];
	size_t n = sizeof digits;
	int least = s->precision > 0 && s->precision < 64 ? s->precision : 1;

	do {
		digits[--n] = letters[u % base];
		u /= base;
	} while (u || (int)(sizeof digits - n) < least);
	if (i < 0)
		buf_ch(b, '-');
	else if (s->sign == '+' || s->sign == ' ')
		buf_ch(b, s->sign);
	if (s->alt && base != 10)
		buf_fmt(b, "0%c", s->type);
	*sign = b->len;
	format_group(b, digits + n, sizeof digits - n, s->group, base == 10 ? 3 : 4);
}

static void format_real_text(struct buf *b, const struct spec *s, double f, size_t *sign)
{
	char text[700], fmt[8],
		type = s->type == '%' || s->type == 'n' ? (s->type == '%' ? 'f' : 'g')
		       : s->type			? s->type
							: 'g';
	int precision = s->precision < 0 ? 6 : s->precision > 300 ? 300 : s->precision;
	size_t digits;

	if (s->type == '%')
		f *= 100;
	if (signbit(f) && !isnan(f))
		buf_ch(b, '-');
	else if (s->sign == '+' || s->sign == ' ')
		buf_ch(b, s->sign);
	*sign = b->len;
	f = fabs(f);
	snprintf(fmt, sizeof fmt, "%%%s.*%c", s->alt ? "#" : "", type);
	if (!s->type && s->precision < 0) { /* as str() has it */
		struct value v = { .type = V_FLOAT, .u.f = f };
		struct buf r = BUF(b->a);

		value_print(&r, &v);
		snprintf(text, sizeof text, "%s", buf_text(&r));
	} else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, fmt, precision, f);
#pragma GCC diagnostic pop
		if (!s->type && isfinite(f) && !strpbrk(text, ".e") && strlen(text) + 2 < sizeof text)
			memcpy(text + strlen(text), ".0", 3);
	}
	digits = strspn(text, "0123456789");
	format_group(b, text, digits, s->group, 3);
	buf_str(b, text + digits);
	if (s->type == '%')
		buf_ch(b, '%');
}

static bool format_number(struct ctx *c, const struct node *at, struct buf *b, const struct value *v,
			  const struct spec *s)
{
	struct buf t = BUF(c->a);
	size_t sign = 0;

	if (v->type != V_FLOAT && (!s->type || strchr("dxXobn", s->type)))
		format_int_text(&t, s, op_int(v), &sign);
	else
		format_real_text(&t, s, op_real(v), &sign);
	return format_pad(c, at, b, s, buf_text(&t), t.len, sign, '>');
}

/* "[[fill]align][sign][#][0][width][,][.precision][type]" */
static bool spec_parse(struct ctx *c, const struct node *at, struct spec *s, const char *p, size_t n)
{
	const char *end = p + n;
	size_t first = n ? utf8_next(p, n, 0, NULL) : 0;

	*s = (struct spec){ .fill = " ", .precision = -1 };
	if (first < n && strchr("<>^=", p[first])) {
		memcpy(s->fill, p, first < sizeof s->fill ? first : 1);
		s->fill[first < sizeof s->fill ? first : 1] = 0;
		s->align = p[first];
		p += first + 1;
	} else if (n && strchr("<>^=", *p)) {
		s->align = *p++;
	}
	if (p < end && strchr("+- ", *p))
		s->sign = *p++;
	if (p < end && *p == '#') {
		s->alt = true;
		p++;
	}
	if (p < end && *p == '0') {
		if (!s->align) {
			memcpy(s->fill, "0", 2);
			s->align = '=';
		}
		p++;
	}
	while (p < end && isdigit((unsigned char)*p) && s->width <= WIDTH_MOST)
		s->width = s->width * 10 + (*p++ - '0');
	if (p < end && (*p == ',' || *p == '_'))
		s->group = *p++;
	if (p < end && *p == '.') {
		if (++p == end || !isdigit((unsigned char)*p))
			return ctx_fail(c, at, "format: the precision is missing");
		for (s->precision = 0; p < end && isdigit((unsigned char)*p) && s->precision <= WIDTH_MOST;)
			s->precision = s->precision * 10 + (*p++ - '0');
	}
	if (p < end)
		s->type = *p++;
	if (p != end || (s->type && !strchr("sdxXobcneEfFgG%", s->type)) || s->width > WIDTH_MOST ||
	    s->precision > WIDTH_MOST)
		return ctx_fail(c, at, "format: bad specification \"%.*s\"", (int)(n > 60 ? 60 : n), end - n);
	return true;
}

bool format_spec(struct ctx *c, const struct node *at, struct buf *b, const struct value *v, const char *spec, size_t n)
{
	struct spec s;
	struct buf t = BUF(c->a);
	bool text = v->type == V_STR || v->type == V_NULL || (v->type == V_BOOL && !n);

	if (!spec_parse(c, at, &s, spec, n))
		return false;
	if (v->type == V_NULL && n)
		return ctx_fail(c, at, "format: a specification does not go with None");
	if (op_is_num(v) && !text) {
		if (s.type == 's' || (v->type == V_FLOAT && s.type && strchr("dxXobc", s.type)))
			return ctx_fail(c, at, "format: \"%c\" does not go with %s", s.type, op_type(v));
		if (s.precision >= 0 && v->type != V_FLOAT && (!s.type || strchr("dxXobcn", s.type)))
			return ctx_fail(c, at, "format: a precision does not go with integers");
		if (s.type == 'c') {
			utf8_add(&t, (uint32_t)op_int(v) & 0x1FFFFF);
			return format_pad(c, at, b, &s, buf_text(&t), t.len, 0, '<');
		}
		return format_number(c, at, b, v, &s);
	}
	if ((s.type && s.type != 's') || s.align == '=' || s.sign || s.group || s.alt)
		if (!(s.align == '=' && s.fill[0] == '0' && !s.type && !s.sign))
			return ctx_fail(c, at, "format: the specification does not go with %s", op_type(v));
	if (s.align == '=') /* 0 before the width fills up text on the right */
		s.align = '<';
	if (!op_text(c, at, &t, v, "None"))
		return false;
	if (s.precision >= 0)
		t.len = utf8_at(buf_text(&t), t.len, (size_t)s.precision);
	return format_pad(c, at, b, &s, buf_text(&t), t.len, 0, '<');
}

/* ---- % ---- */
struct percent {
	struct ctx *c;
	const struct node *at;
	const struct value *args;
	uint32_t next;
	bool one; /* args is the only argument itself */
};

static const struct value *percent_next(struct percent *p)
{
	if (p->one ? p->next > 0 : p->next >= p->args->u.list.n)
		return ctx_fail(p->c, p->at, "not enough arguments for the format");
	return p->one ? (p->next++, p->args) : p->args->u.list.items[p->next++];
}

static bool percent_star(struct percent *p, const char **f, int *to)
{
	if (**f == '*') {
		const struct value *v = percent_next(p);

		++*f;
		if (!v)
			return false;
		if (v->type != V_INT || llabs(v->u.i) > WIDTH_MOST)
			return ctx_fail(p->c, p->at, "format: \"*\" wants an integer");
		*to = (int)v->u.i;
		return true;
	}
	for (*to = 0; isdigit((unsigned char)**f) && *to <= WIDTH_MOST; ++*f)
		*to = *to * 10 + (**f - '0');
	return *to <= WIDTH_MOST || ctx_fail(p->c, p->at, "format: width too large");
}

static bool percent_int(struct percent *p, const struct value *v, struct spec *s, struct buf *b, bool zero)
{
	struct value whole = *v;
	char type = s->type;

	if (v->type == V_FLOAT && !strchr("xXo", type)) {
		if (!(fabs(v->u.f) < 9.2e18))
			return ctx_fail(p->c, p->at, "format: the number does not fit an integer");
		whole = (struct value){ .type = V_INT, .u.i = (int64_t)v->u.f };
	} else if (!op_is_num(v) || v->type == V_FLOAT) {
		return ctx_fail(p->c, p->at, "format: %%%c wants a number, not %s", type, op_type(v));
	}
	if (strchr("iu", type))
		s->type = 'd';
	if (zero && s->precision < 0 && !s->align) {
		memcpy(s->fill, "0", 2);
		s->align = '=';
	}
	return format_number(p->c, p->at, b, &whole, s);
}

static bool percent_one(struct percent *p, struct buf *b, const struct value *v, struct spec *s, bool zero)
{
	struct buf t = BUF(p->c->a);

	if (s->type == 's' && v->type == V_STR) {
		const char *text = v->u.str.s;
		size_t n = s->precision < 0 ? v->u.str.n : utf8_at(text, v->u.str.n, (size_t)s->precision);
		return format_pad(p->c, p->at, b, s, text, n, 0, '>');
	}
	if (strchr("diuxXo", s->type))
		return percent_int(p, v, s, b, zero);
	if (strchr("eEfFgG", s->type)) {
		if (!op_is_num(v))
			return ctx_fail(p->c, p->at, "format: %%%c wants a number, not %s", s->type, op_type(v));
		if (zero && !s->align) {
			memcpy(s->fill, "0", 2);
			s->align = '=';
		}
		struct value real = { .type = V_FLOAT, .u.f = op_real(v) };
		return format_number(p->c, p->at, b, &real, s);
	}
	if (s->type == 'c') {
		if (v->type == V_INT)
			utf8_add(&t, (uint32_t)v->u.i & 0x1FFFFF);
		else if (v->type == V_STR && utf8_len(v->u.str.s, v->u.str.n) == 1)
			buf_str(&t, v->u.str.s);
		else
			return ctx_fail(p->c, p->at, "format: %%c wants an integer or one character");
	} else if (!(s->type == 's' ? op_text(p->c, p->at, &t, v, "None") : format_repr(p->c, p->at, &t, v))) {
		return false;
	}
	if (s->precision >= 0 && s->type != 'c')
		t.len = utf8_at(buf_text(&t), t.len, (size_t)s->precision);
	return format_pad(p->c, p->at, b, s, buf_text(&t), t.len, 0, '>');
}

/* One directive after its "%" */
static const char *percent_directive(struct percent *p, struct buf *b, const char *f)
{
	struct spec s = { .fill = " ", .precision = -1 };
	const struct value *v = NULL;
	bool zero = false;

	if (*f == '(') {
		size_t n = strcspn(++f, ")");

		if (!f[n])
			return (void *)ctx_fail(p->c, p->at, "format: \")\" is missing");
		if (p->args->type != V_MAP)
			return (void *)ctx_fail(p->c, p->at, "format: named arguments want a map, not %s",
						op_type(p->args));
		v = value_get(p->args, arena_strn(p->c->a, f, n));
		if (!v)
			return (void *)ctx_fail(p->c, p->at, "format: there is no argument \"%.*s\"", (int)n, f);
		f += n + 1;
	}
	for (; *f == '-' || *f == '+' || *f == ' ' || *f == '#' || *f == '0'; f++) {
		if (*f == '-')
			s.align = '<';
		else if (*f == '+' || (*f == ' ' && !s.sign))
			s.sign = *f;
		else if (*f == '#')
			s.alt = true;
		else if (*f == '0')
			zero = true;
	}
	if (!percent_star(p, &f, &s.width))
		return NULL;
	if (s.width < 0) {
		s.width = -s.width;
		s.align = '<';
	}
	if (*f == '.' && (f++, !percent_star(p, &f, &s.precision)))
		return NULL;
	while (*f == 'h' || *f == 'l' || *f == 'L')
		f++;
	s.type = *f;
	if (*f != 's' && (!*f || !strchr("diuxXoeEfFgGcrsa%", *f)))
		return (void *)ctx_fail(
			p->c, p->at, *f ? "format: there is no \"%%%c\"" : "format: it ends in an incomplete directive",
			*f);
	if (*f == '%')
		buf_ch(b, '%');
	else if ((!v && !(v = percent_next(p))) || !percent_one(p, b, v, &s, zero))
		return NULL;
	return f + 1;
}

struct value *format_percent(struct ctx *c, const struct node *at, const struct value *fmt, const struct value *args)
{
	struct percent p = { .c = c, .at = at, .args = args, .one = args->type != V_LIST || !(args->flags & V_TUPLE) };
	struct buf b = BUF(c->a);
	const char *f = fmt->u.str.s;

	while (f && *f) {
		size_t n = strcspn(f, "%");

		buf_add(&b, f, n);
		f += n;
		if (*f)
			f = percent_directive(&p, &b, f + 1);
		if (b.len > LIMIT_TEXT)
			return ctx_fail(c, at, "string longer than 16 MiB");
	}
	if (!f)
		return NULL;
	if (args->type != V_MAP && args->type != V_LIST && !p.next)
		return ctx_fail(c, at, "not all arguments are used by the format");
	if (args->flags & V_TUPLE && p.next < args->u.list.n)
		return ctx_fail(c, at, "not all arguments are used by the format");
	return ctx_step(c, at, b.len / 64) ? op_buf(c, &b) : NULL;
}

struct value *filter_format(struct call *k)
{
	struct value *args = value_list(k->c->a);
	struct value fmt = *k->in;

	if (k->nmore && k->nkw)
		return call_fail(k, "it takes arguments by place or by name, not both");
	if (fmt.type != V_STR)
		return call_fail(k, "needs a string, not %s", op_type(k->in));
	if (k->nkw) {
		args = value_map(k->c->a);
		for (uint32_t i = 0; i < k->nkw; i++)
			value_put(k->c->a, args, k->kw_names[i], k->kw_vals[i]);
	} else {
		args->flags |= V_TUPLE;
		for (uint32_t i = 0; i < k->nmore; i++)
			value_push(k->c->a, args, k->more[i]);
	}
	return format_percent(k->c, k->at, &fmt, args);
}
