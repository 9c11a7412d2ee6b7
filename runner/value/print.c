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

/* Few digits after the point, as most numbers have: f is the double nearest to n / 10^k for the least such k, and n has at most 15
 * digits, so no shorter text reads back as f, and this one does. */
static bool print_short(struct buf *out, double f)
{
	double size = fabs(f), scale = 1;
	int k = 0;

	if (size >= 1e9 || (size < 1e-3 && size > 0))
		return false;
	while (k < 6 && nearbyint(size * scale) / scale != size) {
		scale *= 10;
		k++;
	}
	int64_t n = (int64_t)nearbyint(size * scale), whole = n / (int64_t)scale;
	if ((double)n / scale != size)
		return false;
	if (signbit(f))
		buf_ch(out, '-');
	buf_int(out, whole);
	buf_ch(out, '.');
	n -= whole * (int64_t)scale;
	do {
		scale = scale >= 10 ? scale / 10 : 1;
		buf_ch(out, (char)('0' + n / (int64_t)scale));
		n %= (int64_t)scale;
	} while (--k > 0);
	return true;
}

/* The shortest digits that read back as the same double, laid out as Python does: an exponent below 1e-04 and from
 * 1e+16 on. */
static void print_float(struct buf *out, double f)
{
	char text[40], digits[24];
	int n = 0;

	if (isnan(f) || isinf(f)) {
		buf_str(out, isnan(f) ? "nan" : f > 0 ? "inf" : "-inf");
		return;
	}
	if (print_short(out, f))
		return;
	/* 15 digits come back from a double as they were, those beyond their end being zeros; of tiny numbers that is not so */
	for (int precision = fabs(f) < DBL_MIN ? 0 : 14; precision < 17; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, f);
		if (strtod(text, NULL) == f)
			break;
	}

	char *e = strchr(text, 'e');
	int exponent = (int)strtol(e + 1, NULL, 10);
	for (const char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (text[0] == '-')
		buf_ch(out, '-');
	if (exponent < -4 || exponent >= 16) {
		buf_ch(out, digits[0]);
		if (n > 1)
			buf_fmt(out, ".%.*s", n - 1, digits + 1);
		buf_fmt(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
	} else if (exponent < 0) {
		buf_fmt(out, "0.%.*s%.*s", -exponent - 1, "000", n, digits);
	} else {
		for (int i = 0; i <= exponent; i++)
			buf_ch(out, i < n ? digits[i] : '0');
		buf_ch(out, '.');
		if (n > exponent + 1)
			buf_add(out, digits + exponent + 1, (size_t)(n - exponent - 1));
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
