/* "{} {0} {name.member[key]!r:>8}".format(...): the fields; what stands after the colon is in format.c. */
#include "text/rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct braces {
	struct call *k;
	uint32_t next;
	bool automatic, numbered;
};

static struct value *brace_arg(struct braces *f, const char *name, size_t n)
{
	struct call *k = f->k;
	uint32_t at;

	if (n && !isdigit((unsigned char)*name)) {
		for (uint32_t i = 0; i < k->nkw; i++) {
			if (strlen(k->kw_names[i]) == n && !memcmp(k->kw_names[i], name, n))
				return k->kw_vals[i];
		}
		return call_fail(k, "there is no argument \"%.*s\"", (int)n, name);
	}
	if (n ? f->automatic : f->numbered)
		return call_fail(k, "{} and {0} cannot be mixed");
	f->numbered |= n > 0;
	f->automatic |= !n;
	at = n ? (uint32_t)(strtoul(name, NULL, 10) & 0xFFFFFF) : f->next++;
	return at < k->nmore ? k->more[at] : call_fail(k, "there is no argument %u", at);
}

/* ".member" and "[key]" after the name */
static struct value *brace_reach(struct braces *f, struct value *v, const char *s, size_t n)
{
	const char *end = s + n;

	while (v && s < end) {
		bool item = *s == '[';
		const char *from = ++s, *key;

		while (s < end && (item ? *s != ']' : *s != '.' && *s != '['))
			s++;
		key = arena_strn(f->k->c->a, from, (size_t)(s - from));
		if (item && s++ == end)
			return call_fail(f->k, "\"]\" is missing");
		if (!*key)
			return call_fail(f->k, "an empty member in a field");
		if (item && strspn(key, "0123456789") == strlen(key))
			v = ctx_item(f->k->c, NULL, v, value_int(f->k->c->a, strtol(key, NULL, 10)));
		else
			v = ctx_attr(f->k->c, NULL, v, key);
		if (s < end && *s != '.' && *s != '[')
			return call_fail(f->k, "a field goes on with \".\" or \"[\"");
	}
	return v && ctx_defined(f->k->c, f->k->at, v) ? v : NULL;
}

static bool brace_text(struct braces *f, struct buf *out, const char *s, size_t n, unsigned depth);

static bool brace_field(struct braces *f, struct buf *out, const char *s, size_t n, unsigned depth)
{
	struct call *k = f->k;
	const char *end = s + n, *stop = s, *spec = NULL, *name_end;
	struct buf b = BUF(k->c->a), inner = BUF(k->c->a);
	char conv = 0;
	struct value *v;
	bool in_key = false;

	while (stop < end && (in_key || (*stop != ':' && *stop != '!'))) {
		in_key = *stop == '[' || (in_key && *stop != ']');
		stop++;
	}
	if (stop < end && *stop == '!') {
		conv = stop + 1 < end ? stop[1] : '?';
		if (!strchr("rsa", conv) || (stop + 2 < end && stop[2] != ':'))
			return call_fail(k, "after \"!\" stands r, s or a");
		spec = stop + 2 < end ? stop + 3 : NULL;
	} else if (stop < end) {
		spec = stop + 1;
	}
	for (name_end = s; name_end < stop && *name_end != '.' && *name_end != '[';)
		name_end++;
	v = brace_arg(f, s, (size_t)(name_end - s));
	if (v)
		v = brace_reach(f, v, name_end, (size_t)(stop - name_end));
	if (!v || (spec && !brace_text(f, &inner, spec, (size_t)(end - spec), depth + 1)))
		return false;
	if (conv) {
		if (!(conv == 's' ? op_text(k->c, k->at, &b, v, "None") : format_repr(k->c, k->at, &b, v)))
			return false;
		v = op_buf(k->c, &b);
	}
	return format_spec(k->c, k->at, out, v, buf_text(&inner), inner.len);
}

static bool brace_text(struct braces *f, struct buf *out, const char *s, size_t n, unsigned depth)
{
	const char *end = s + n;

	if (depth > 2)
		return call_fail(f->k, "fields are nested too deep");
	while (s < end) {
		if ((*s == '{' || *s == '}') && s + 1 < end && s[1] == *s && !depth) {
			buf_ch(out, *s);
			s += 2;
		} else if (*s == '}') {
			return call_fail(f->k, "a single \"}\"; write \"}}\"");
		} else if (*s == '{') {
			const char *from = ++s;
			unsigned open = 1;

			for (; s < end; s++) {
				open += *s == '{';
				if (*s == '}' && !--open)
					break;
			}
			if (s == end)
				return call_fail(f->k, "a single \"{\"; write \"{{\"");
			if (!brace_field(f, out, from, (size_t)(s - from), depth) || !call_room(f->k, out->len))
				return false;
			s++;
		} else {
			buf_ch(out, *s++);
		}
	}
	return true;
}

struct value *format_braces(struct call *k, const char *fmt, size_t n)
{
	struct braces f = { .k = k };
	struct buf b = BUF(k->c->a);

	return brace_text(&f, &b, fmt, n, 0) ? op_buf(k->c, &b) : NULL;
}
