/* Filters on numbers, truth and what a value is at all. */
#include "text/rows.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value *filter_default(struct call *k)
{
	bool empty = k->in->type == V_UNDEF || (call_bool(k, 1, false) && !op_truth(k->in));

	return !empty ? k->in : k->args[0] ? k->args[0] : value_str(k->c->a, "");
}

struct value *filter_mandatory(struct call *k)
{
	if (k->in->type != V_UNDEF)
		return k->in;
	if (k->args[0] && k->args[0]->type != V_NULL)
		return call_fail(k, "%s", call_str(k, 0, ""));
	return call_fail(k, "\"%s\" is not defined", k->in->u.str.s);
}

struct value *filter_ternary(struct call *k)
{
	struct value *v = op_truth(k->in) ? k->args[0] : k->args[1];

	if (k->in->type == V_NULL && k->args[2] && k->args[2]->type != V_NULL)
		v = k->args[2];
	return op_secret(k->c, v, k->in->flags & V_SECRET); /* as with an inline if, which one it is tells */
}

struct value *filter_type_debug(struct call *k)
{
	return value_str(k->c->a, op_type(k->in));
}

struct value *filter_bool(struct call *k)
{
	static const char *const words[] = { "yes", "on", "1", "true" };
	const struct value *v = k->in;
	bool is = false;

	if (v->type == V_NULL || v->type == V_BOOL)
		return k->in;
	if (v->type == V_INT || v->type == V_FLOAT)
		is = op_real(v) == 1;
	for (size_t i = 0; v->type == V_STR && i < sizeof words / sizeof *words; i++)
		is |= !strcasecmp(v->u.str.s, words[i]);
	return value_bool(k->c->a, is);
}

/* Text without blanks around it and Python's underscores between digits; false when it can be no number. */
static bool number_text(struct buf *b, const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	for (; *s && !isspace((unsigned char)*s); s++) {
		if (*s == '_') {
			if (!b->len || !isalnum((unsigned char)b->p[b->len - 1]) || !isalnum((unsigned char)s[1]))
				return false;
			continue;
		}
		buf_ch(b, *s);
	}
	while (isspace((unsigned char)*s))
		s++;
	return !*s && b->len;
}

/* As Python's float(): no hex, but inf and nan */
static bool real_of(struct call *k, const char *s, double *f)
{
	struct buf b = BUF(k->c->a);
	char *end;

	if (!number_text(&b, s) || strpbrk(b.p, "xX(") ||
	    (strspn(b.p, "0123456789+-.eE") != b.len && !strpbrk(b.p, "nN")))
		return false;
	*f = strtod(b.p, &end);
	return !*end;
}

static bool int_of(struct call *k, const char *s, int base, int64_t *i, bool *large)
{
	struct buf b = BUF(k->c->a);
	const char *p;
	char *end;
	bool minus;

	if (!number_text(&b, s))
		return false;
	p = b.p;
	minus = *p == '-';
	p += *p == '-' || *p == '+';
	if (p[0] == '0' && p[1] &&
	    ((base == 16 && (p[1] | 32) == 'x') || (base == 8 && (p[1] | 32) == 'o') ||
	     (base == 2 && (p[1] | 32) == 'b')))
		p += 2;
	if (!isalnum((unsigned char)*p) || (base == 16 && p[0] == '0' && (p[1] | 32) == 'x'))
		return false;
	errno = 0;
	*i = strtoll(p, &end, base);
	*large = errno == ERANGE;
	*i = minus ? -*i : *i;
	return !*end;
}

struct value *filter_int(struct call *k)
{
	struct value *dflt = k->args[0] ? k->args[0] : value_int(k->c->a, 0);
	int64_t i, base = call_int(k, 1, 10);
	double f = 0;
	bool large = false;

	if (base != 0 && (base < 2 || base > 36))
		return call_fail(k, "base is 2 to 36");
	if (k->in->type == V_INT || k->in->type == V_BOOL)
		return value_int(k->c->a, op_int(k->in));
	if (k->in->type == V_STR && int_of(k, k->in->u.str.s, (int)base, &i, &large))
		return large ? call_fail(k, "integer larger than 64 bits") : value_int(k->c->a, i);
	if (k->in->type == V_FLOAT)
		f = k->in->u.f;
	else if (k->in->type != V_STR || !real_of(k, k->in->u.str.s, &f))
		return dflt;
	if (isnan(f) || isinf(f))
		return k->in->type == V_FLOAT && isinf(f) ? call_fail(k, "infinity is no integer") : dflt;
	if (fabs(f) >= 9223372036854775808.0)
		return call_fail(k, "integer larger than 64 bits");
	return value_int(k->c->a, (int64_t)f);
}

struct value *filter_float(struct call *k)
{
	double f;

	if (op_is_num(k->in))
		return value_float(k->c->a, op_real(k->in));
	if (k->in->type == V_STR && real_of(k, k->in->u.str.s, &f))
		return value_float(k->c->a, f);
	return k->args[0] ? k->args[0] : value_float(k->c->a, 0);
}

struct value *filter_abs(struct call *k)
{
	if (k->in->type == V_FLOAT)
		return value_float(k->c->a, fabs(k->in->u.f));
	call_num(k, k->in);
	if (op_int(k->in) == INT64_MIN)
		return call_fail(k, "integer overflow");
	return value_int(k->c->a, llabs(op_int(k->in)));
}

/* To digits after the point; the decimal form is exact, so halves go to the even digit only when they truly are halves.
 */
static double round_real(double f, int64_t digits)
{
	char text[512];
	double scale;

	if (isnan(f) || isinf(f) || digits > 22)
		return f;
	if (!digits)
		return nearbyint(f);
	if (digits > 0 && digits <= 4 && fabs(f) < 1e5) { /* far from a half, the product's own error does not matter */
		scale = pow(10, (double)digits);
		double x = f * scale, near = nearbyint(x);
		if (fabs(fabs(x - near) - 0.5) > 1e-6)
			return near / scale;
	}
	if (digits > 0) {
		snprintf(text, sizeof text, "%.*f", (int)digits, f);
		return strtod(text, NULL);
	}
	if (digits < -308)
		return copysign(0, f);
	scale = pow(10, (double)-digits);
	return nearbyint(f / scale) * scale;
}

static struct value *round_int(struct call *k, int64_t i, int64_t digits)
{
	int64_t scale = 1, rest, down;

	if (digits >= 0)
		return value_int(k->c->a, i);
	if (digits < -18)
		return value_int(k->c->a, 0);
	while (digits++)
		scale *= 10;
	rest = i % scale;
	down = i - rest;
	if (rest < 0) {
		rest += scale;
		down -= scale;
	}
	if (rest * 2 > scale || (rest * 2 == scale && (down / scale) % 2))
		down += scale;
	return value_int(k->c->a, down);
}

struct value *filter_round(struct call *k)
{
	int64_t digits = call_int(k, 0, 0);
	const char *method = call_str(k, 1, "common");
	double f = call_num(k, k->in), scale = pow(10, (double)digits);

	if (!strcmp(method, "common"))
		return k->in->type == V_FLOAT ? value_float(k->c->a, round_real(f, digits))
					      : round_int(k, op_int(k->in), digits);
	if (strcmp(method, "ceil") && strcmp(method, "floor"))
		return call_fail(k, "method is common, ceil or floor, not \"%s\"", method);
	return value_float(k->c->a, ((method[0] == 'c' ? ceil(f * scale) : floor(f * scale)) + 0.0) / scale);
}

struct value *filter_pow(struct call *k)
{
	double r = pow(call_num(k, k->in), call_num(k, k->args[0]));

	return isnan(r) || isinf(r) ? call_fail(k, "the result is no finite number") : value_float(k->c->a, r);
}

struct value *filter_root(struct call *k)
{
	double x = call_num(k, k->in), base = k->args[0] ? call_num(k, k->args[0]) : 2, r;

	if (base == 0 || (x < 0 && base == 2))
		return call_fail(k, "there is no such root");
	r = base == 2 ? sqrt(x) : pow(x, 1 / base);
	return isnan(r) ? call_fail(k, "there is no such root") : value_float(k->c->a, r);
}

struct value *filter_log(struct call *k)
{
	double x = call_num(k, k->in), base = k->args[0] ? call_num(k, k->args[0]) : 0;

	if (x <= 0 || (k->args[0] && (base <= 0 || base == 1)))
		return call_fail(k, "there is no such logarithm");
	return value_float(k->c->a, !k->args[0] ? log(x) : base == 10 ? log10(x) : log(x) / log(base));
}

static const char prefixes[] = "YZEPTGMK";

struct value *filter_human_readable(struct call *k)
{
	bool bits = call_bool(k, 0, false);
	const char *unit = call_str(k, 1, NULL), *base = bits ? "bits" : "Bytes";
	double size = call_num(k, k->in), factor = 0x1p80;
	size_t i = 0;

	for (; prefixes[i]; i++, factor /= 1024) {
		if (unit ? toupper((unsigned char)unit[0]) == prefixes[i] : size >= factor)
			break;
	}
	if (!prefixes[i])
		return value_str(k->c->a, arena_fmt(k->c->a, "%.2f %s", size, base));
	return value_str(k->c->a, arena_fmt(k->c->a, "%.2f %c%c", size / factor, prefixes[i], bits ? 'b' : 'B'));
}

struct value *filter_human_to_bytes(struct call *k)
{
	const char *s = call_in(k, NULL), *unit = call_str(k, 0, NULL), *hit;
	bool bits = call_bool(k, 1, false);
	char *end;
	double f = strtod(s, &end), factor = 1;

	if (end == s)
		return call_fail(k, "\"%s\" does not begin with a number", s);
	while (*end == ' ')
		end++;
	if (!*end)
		end = (char *)(uintptr_t)(unit ? unit : "");
	hit = *end ? strchr(prefixes, toupper((unsigned char)*end)) : NULL;
	if (hit && *hit)
		factor = ldexp(1, (int)(strlen(hit)) * 10);
	else if (*end && toupper((unsigned char)*end) != 'B')
		return call_fail(k, "there is no unit \"%s\"", end);
	if (hit && end[1] && (end[1] != (bits ? 'b' : 'B')) && strcasecmp(end + 1, bits ? "bit" : "byte") &&
	    strcasecmp(end + 1, bits ? "bits" : "bytes"))
		return call_fail(k, "there is no unit \"%s\"", end);
	f = nearbyint(f * factor);
	return fabs(f) < 9e18 ? value_int(k->c->a, (int64_t)f) : call_fail(k, "integer larger than 64 bits");
}

struct value *filter_filesizeformat(struct call *k)
{
	static const char *const units[2][8] = { { "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" },
						 { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" } };
	bool binary = call_bool(k, 0, false);
	double size = 0, base = binary ? 1024 : 1000, unit = base;
	size_t i = 0;

	if (k->in->type != V_STR)
		size = call_num(k, k->in);
	else if (!real_of(k, k->in->u.str.s, &size))
		return call_fail(k, "\"%s\" is no number", k->in->u.str.s);
	if (size == 1)
		return value_str(k->c->a, "1 Byte");
	if (size < base)
		return value_str(k->c->a, arena_fmt(k->c->a, "%" PRId64 " Bytes", (int64_t)size));
	while (i < 7 && size >= unit * base) {
		unit *= base;
		i++;
	}
	return value_str(k->c->a, arena_fmt(k->c->a, "%.1f %s", size / unit, units[binary][i]));
}
