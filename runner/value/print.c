/*
 * How a scalar prints as text, in templates and messages: as Python's str() would, with nothing for None. Lists and
 * maps have no such text; to_json and to_yaml (json.c, emit.c) are for them.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value/value.h"

/* A number's digits, without zeroes at their ends, and the power of ten of the first. */
struct digits {
	char text[24];
	int n, exponent;
};

static void digits_of(struct digits *d, uint64_t whole, int exponent)
{
	char text[24];
	int at = sizeof text;

	while (whole && whole % 10 == 0) {
		whole /= 10;
		exponent++;
	}
	do {
		text[--at] = (char)('0' + whole % 10);
		whole /= 10;
	} while (whole);
	d->n = (int)sizeof text - at;
	d->exponent = exponent + d->n - 1;
	memcpy(d->text, text + at, (size_t)d->n);
}

/* What few digits say, as most numbers: size is the double nearest to n / 10^k, whose n has at most 15 digits, so that no shorter
 * text reads back as it, and this one does. 10^k and n are exact, and a division rounds once. */
static bool digits_few(struct digits *d, double size)
{
	double scale = 1;

	if (size >= 1e15) { /* whole, and zeroes beyond 15 digits */
		if (size >= 0x1p63 || (double)(uint64_t)size != size)
			return false;
		digits_of(d, (uint64_t)size, 0);
		return d->n <= 15;
	}
	for (int k = 0; k < 10 && size * scale < 1e15; k++, scale *= 10) {
		int64_t n = (int64_t)(size * scale + 0.5);
		if ((double)n / scale != size)
			continue;
		digits_of(d, (uint64_t)n, -k);
		return true;
	}
	return false;
}

/* 15 digits come back from a double as they were, those beyond their end being zeros; of tiny numbers that is not so. */
static void digits_all(struct digits *d, double size)
{
	char text[40];

	for (int precision = size < DBL_MIN ? 0 : 14; precision < 17; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, size);
		if (strtod(text, NULL) == size)
			break;
	}

	char *e = strchr(text, 'e');
	d->n = 0;
	d->exponent = (int)strtol(e + 1, NULL, 10);
	for (const char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			d->text[d->n++] = *p;
	while (d->n > 1 && d->text[d->n - 1] == '0')
		d->n--;
}

/* The shortest digits that read back as the same double, laid out as Python does: an exponent below 1e-04 and from
 * 1e+16 on. */
static void print_float(struct buf *out, double f)
{
	struct digits d;

	if (isnan(f) || isinf(f)) {
		buf_str(out, isnan(f) ? "nan" : f > 0 ? "inf" : "-inf");
		return;
	}
	if (!digits_few(&d, fabs(f)))
		digits_all(&d, fabs(f));
	if (signbit(f))
		buf_ch(out, '-');
	if (d.exponent < -4 || d.exponent >= 16) {
		buf_ch(out, d.text[0]);
		if (d.n > 1)
			buf_fmt(out, ".%.*s", d.n - 1, d.text + 1);
		buf_fmt(out, "e%c%02d", d.exponent < 0 ? '-' : '+', abs(d.exponent));
	} else if (d.exponent < 0) {
		buf_add(out, "0.000", (size_t)(1 - d.exponent));
		buf_add(out, d.text, (size_t)d.n);
	} else {
		for (int i = 0; i <= d.exponent; i++)
			buf_ch(out, i < d.n ? d.text[i] : '0');
		buf_ch(out, '.');
		if (d.n > d.exponent + 1)
			buf_add(out, d.text + d.exponent + 1, (size_t)(d.n - d.exponent - 1));
		else
			buf_ch(out, '0');
	}
}

bool value_print(struct buf *out, const struct value *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case V_NULL:
		return true;
	case V_BOOL:
		buf_str(out, v->u.b ? "True" : "False");
		return true;
	case V_INT:
		buf_int(out, v->u.i);
		return true;
	case V_FLOAT: /* an integer too large for us was kept as a double with its text: the text is exact */
		if (fabs(v->u.f) >= 0x1p63 && v->source && !v->source[strspn(v->source, "-0123456789")])
			buf_str(out, v->source);
		else
			print_float(out, v->u.f);
		return true;
	case V_STR:
		buf_add(out, v->u.str.s, v->u.str.n);
		return true;
	default:
		return false;
	}
}
