/* Text that grows in a task's arena, and the quoting that SQL, JSON and HTTP ask for. */
#include "pgsql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct str str_new(pig_task *t)
{
	struct str b = {.t = t, .cap = 256};

	b.s = t->host->alloc(t, b.cap);
	return b;
}

static void room(struct str *b, size_t more)
{
	size_t cap = b->cap;
	char *s;

	if (b->n + more + 1 <= cap)
		return;
	while (b->n + more + 1 > cap)
		cap *= 2;
	s = b->t->host->alloc(b->t, cap);
	memcpy(s, b->s, b->n + 1);
	b->s = s;
	b->cap = cap;
}

void str_put(struct str *b, const char *s, size_t n)
{
	room(b, n);
	memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = 0;
}

void str_add(struct str *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		room(b, (size_t)n);
		vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

/* standard_conforming_strings is on in every server this module makes: only the quote itself needs care. */
static const char *doubled(pig_task *t, const char *s, char quote)
{
	size_t n = strlen(s);
	char *out = t->host->alloc(t, 2 * n + 3), *o = out;

	*o++ = quote;
	for (; *s; s++) {
		if (*s == quote)
			*o++ = quote;
		*o++ = *s;
	}
	*o++ = quote;
	return out;
}

const char *sql_lit(pig_task *t, const char *s)
{
	return doubled(t, s, '\'');
}

const char *sql_id(pig_task *t, const char *name)
{
	return doubled(t, name, '"');
}

const char *base64(pig_task *t, const char *s)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(s), i;
	char *out = t->host->alloc(t, n / 3 * 4 + 5), *o = out;

	for (i = 0; i < n; i += 3) {
		unsigned a = (unsigned char)s[i], b = i + 1 < n ? (unsigned char)s[i + 1] : 0;
		unsigned c = i + 2 < n ? (unsigned char)s[i + 2] : 0, v = a << 16 | b << 8 | c;

		*o++ = abc[v >> 18];
		*o++ = abc[v >> 12 & 63];
		*o++ = i + 1 < n ? abc[v >> 6 & 63] : '=';
		*o++ = i + 2 < n ? abc[v & 63] : '=';
	}
	return out;
}

const char *json_text(pig_task *t, const char *s)
{
	struct str b = str_new(t);

	str_put(&b, "\"", 1);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			str_add(&b, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			str_add(&b, "\\u%04x", (unsigned char)*s);
		else
			str_put(&b, s, 1);
	}
	str_put(&b, "\"", 1);
	return b.s;
}

const char *scalar_text(pig_task *t, const pig_value *v)
{
	switch (t->val->type(v)) {
	case PIG_BOOL:
		return t->val->truth(v, false) ? "true" : "false";
	case PIG_INT:
		return pig_fmt(t, "%lld", (long long)t->val->num(v, 0));
	case PIG_FLOAT:
		return pig_fmt(t, "%.10g", t->val->real(v, 0));
	case PIG_STR:
		return t->val->str(v, "");
	default:
		return "";
	}
}

static void json_put(struct str *b, const pig_value *v)
{
	pig_task *t = b->t;
	enum pig_type type = t->val->type(v);

	if (type != PIG_LIST && type != PIG_MAP) {
		str_add(b, "%s",
			type == PIG_STR	  ? json_text(t, t->val->str(v, ""))
			: type == PIG_ANY ? "null"
					  : scalar_text(t, v));
		return;
	}
	str_add(b, type == PIG_LIST ? "[" : "{");
	for (size_t i = 0; i < t->val->len(v); i++) {
		if (i)
			str_add(b, ",");
		if (type == PIG_MAP)
			str_add(b, "%s:", json_text(t, t->val->key_at(v, i)));
		json_put(b, t->val->at(v, i));
	}
	str_add(b, type == PIG_LIST ? "]" : "}");
}

const char *json_of(pig_task *t, const pig_value *v)
{
	struct str b = str_new(t);

	json_put(&b, v);
	return b.s;
}

bool word_in(const char *words, const char *word)
{
	static const char between[] = " ,|\t";
	size_t n = strlen(word), k;

	for (const char *w = words; *w; w += k) {
		w += strspn(w, between);
		k = strcspn(w, between);
		if (k == n && n && !memcmp(w, word, n))
			return true;
	}
	return false;
}
