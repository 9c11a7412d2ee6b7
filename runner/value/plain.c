/*
 * Plain scalars: which text is a bool, a number or null in YAML 1.1 as PyYAML (and so Ansible) resolves it. Two
 * departures: dates and sexagesimal numbers (12:30:00) stay strings, since nobody who writes a time means 45000. Syntax
 * of documents is yaml.c's.
 */
#include "value/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 400 }; /* longer texts are no numbers anyone wrote; they stay strings */

static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
static const char *const trues[] = { "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON" };
static const char *const falses[] = { "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF" };
static const char *const oddities[] = { "y", "Y", "n", "N", "=", "<<", ".inf", ".nan" };

static bool is_one_of(const char *const *words, size_t count, const char *s, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == n && !memcmp(words[i], s, n))
			return true;
	return false;
}

#define IS_ONE_OF(words, s, n) is_one_of((words), sizeof(words) / sizeof *(words), (s), (n))

/* How many of the bytes from s on are among set. */
static size_t run(const char *s, size_t n, const char *set)
{
	size_t i = 0;

	while (i < n && s[i] && strchr(set, s[i]))
		i++;
	return i;
}

/* digits without underscores, as a number of the base; false when nothing is left or it does not fit. */
static bool to_int(const char *s, size_t n, int base, bool minus, int64_t *out)
{
	uint64_t r = 0, most = minus ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '_')
			continue;
		unsigned digit = (unsigned)(s[i] <= '9' ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
		if (r > (most - digit) / (unsigned)base)
			return false;
		r = r * (unsigned)base + digit;
		any = true;
	}
	*out = minus ? (int64_t)(0 - r) : (int64_t)r;
	return any;
}

/* The text without underscores through strtod: inside pig the locale is always C. Hex and octal beyond 64 bits go
 * digit by digit. */
static double to_double(const char *s, size_t n, int base)
{
	char word[NUMBER_MAX + 1];
	size_t len = 0;
	double r = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '_')
			word[len++] = s[i];
	word[len] = 0;
	if (base == 10)
		return strtod(word, NULL);
	for (size_t i = 0; i < len; i++)
		r = r * base + (word[i] <= '9' ? word[i] - '0' : (word[i] | 32) - 'a' + 10);
	return r;
}

static bool resolve_int(struct value *v, const char *s, size_t n)
{
	bool minus = *s == '-', sign = minus || *s == '+';
	const char *p = s + sign, *set = "0123456789_";
	size_t left = n - sign;
	int base = 10;

	if (!left)
		return false;
	if (*p == '0' && left > 1) {
		base = p[1] == 'x' ? 16 : p[1] == 'b' ? 2 : 8;
		set = base == 16 ? "0123456789abcdefABCDEF_" : base == 2 ? "01_" : "01234567_";
		size_t prefix = base == 8 ? 1 : 2;
		p += prefix;
		left -= prefix;
		if (base == 8 && run(p, left, "_") == left && run(p, left, set) == left)
			p = "0", left = 1;
	} else if (*p < '0' || *p > '9') {
		return false;
	}
	if (!left || run(p, left, set) != left || run(p, left, "_") == left)
		return false;
	if (to_int(p, left, base, minus, &v->u.i)) {
		v->type = V_INT;
		return true;
	}
	v->type = V_FLOAT;
	v->u.f = to_double(p, left, base) * (minus ? -1 : 1);
	return true;
}

static bool resolve_float(struct value *v, const char *s, size_t n)
{
	bool sign = *s == '-' || *s == '+';
	const char *p = s + sign;
	size_t left = n - sign, whole, i;

	if (left == 4 && *p == '.' && (!strncmp(p, ".inf", 4) || !strncmp(p, ".Inf", 4) || !strncmp(p, ".INF", 4))) {
		v->u.f = *s == '-' ? -(double)INFINITY : (double)INFINITY;
		v->type = V_FLOAT;
		return true;
	}
	if (n == 4 && (!strncmp(s, ".nan", 4) || !strncmp(s, ".NaN", 4) || !strncmp(s, ".NAN", 4))) {
		v->u.f = (double)NAN;
		v->type = V_FLOAT;
		return true;
	}

	/* [-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?  or  \.[0-9][0-9_]*(...)? without a sign */
	whole = run(p, left, "0123456789_");
	if (whole >= left || p[whole] != '.' || *p == '_' || (!whole && (sign || left < 2 || p[1] < '0' || p[1] > '9')))
		return false;
	i = whole + 1;
	i += run(p + i, left - i, "0123456789_");
	if (i < left) {
		if ((p[i] != 'e' && p[i] != 'E') || left - i < 3 || (p[i + 1] != '-' && p[i + 1] != '+'))
			return false;
		if (run(p + i + 2, left - i - 2, "0123456789") != left - i - 2)
			return false;
	}
	v->type = V_FLOAT;
	v->u.f = to_double(s, n, 10);
	return true;
}

void plain_resolve(struct value *v, const char *s, size_t n)
{
	v->type = V_STR;
	if (IS_ONE_OF(nulls, s, n)) {
		v->type = V_NULL;
		return;
	}
	if (n > NUMBER_MAX)
		return;
	if (strchr("+-.0123456789", *s)) {
		if (!resolve_int(v, s, n))
			resolve_float(v, s, n);
		return;
	}
	if (IS_ONE_OF(trues, s, n) || IS_ONE_OF(falses, s, n)) {
		v->type = V_BOOL;
		v->u.b = IS_ONE_OF(trues, s, n);
	}
}

bool plain_is_odd(const char *s, size_t n)
{
	struct value v = { 0 };

	plain_resolve(&v, s, n);
	if (v.type != V_STR || IS_ONE_OF(oddities, s, n))
		return true;
	/* dates, times, 1e3, 0o17, 08: what another reader may take for a number; two points (a version, an address)
	 * are none */
	size_t sign = run(s, n, "+-."), points = 0;
	if (sign == n || s[sign] < '0' || s[sign] > '9')
		return false;
	for (size_t i = 0; i < n; i++)
		points += s[i] == '.';
	if (points > 1)
		return false;
	if (run(s, n, "0123456789eE_.:+- TtZz") == n)
		return true;
	s += sign;
	n -= sign;
	return n > 1 && (s[1] | 32) > 'a' && run(s, n, "0123456789abcdefoxABCDEFOX_") == n;
}

struct value *value_from_plain(struct arena *a, const char *text, size_t len)
{
	struct value *v = value_strn(a, text, len);
	const char *s = v->u.str.s;

	plain_resolve(v, s, len);
	v->source = s;
	v->flags = V_PLAIN;
	return v;
}
