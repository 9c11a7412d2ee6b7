/*
 * Host names as they are written: n[01:20:2].x stands for many, and a colon with a number behind it is a port. Which
 * hosts of an inventory a pattern selects is pattern.c's business.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "model/inventory_build.h"

enum { NAMES_MAX = 100000, NAME_MAX_LEN = 1024 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

struct range {
	const char *tail; /* behind the bracket */
	long first, last, step;
	int width;        /* digits to fill up to, 0: as they come; -1: letters */
};

static bool range_fault(struct err *e, const char *text, const char *why)
{
	return fail(e, E_INPUT, "host range \"%s\" %s", text, why);
}

static bool number(const char *s, long *out)
{
	size_t n = strlen(s);

	*out = n && n < 10 ? strtol(s, NULL, 10) : 0;
	return n && n < 10 && !s[strspn(s, digits)];
}

static bool bounds_read(struct range *r, char **part, int n, const char *text, struct err *e)
{
	const char *from = *part[0] ? part[0] : "0", *to = part[1];

	if (!*to)
		return range_fault(e, text, "has no end");
	r->step = 1;
	if (n == 3 && (!number(part[2], &r->step) || !r->step))
		return range_fault(e, text, "needs a positive number as its step");
	if (!from[1] && !to[1] && strchr(letters, *from) && strchr(letters, *to)) {
		r->width = -1;
		r->first = strchr(letters, *from) - letters;
		r->last = strchr(letters, *to) - letters;
	} else {
		if (!number(from, &r->first) || !number(to, &r->last))
			return range_fault(e, text, "needs two numbers or two single letters");
		r->width = *from == '0' && from[1] ? (int)strlen(from) : 0;
		if (r->width && strlen(to) != (size_t)r->width)
			return range_fault(e, text, "begins with a zero, so both ends need as many digits");
	}
	if (r->first > r->last)
		return range_fault(e, text, "ends before it begins");
	return true;
}

static bool range_read(struct range *r, const char *open, const char *text, struct err *e)
{
	const char *close = strchr(open, ']');
	char word[64], *part[3] = { word };
	int n = 1;

	if (!close)
		return range_fault(e, text, "has no closing bracket");
	if ((size_t)(close - open) > sizeof word)
		return range_fault(e, text, "is too long");
	memcpy(word, open + 1, (size_t)(close - open - 1));
	word[close - open - 1] = 0;
	for (char *p = word; *p; p++) {
		if (*p != ':')
			continue;
		if (n == 3)
			return range_fault(e, text, "must be [begin:end] or [begin:end:step]");
		*p = 0;
		part[n++] = p + 1;
	}
	if (n < 2)
		return range_fault(e, text, "must be [begin:end] or [begin:end:step]");
	r->tail = close + 1;
	return bounds_read(r, part, n, text, e);
}

static bool expand(struct value *list, struct arena *a, const char *head, const char *rest, const char *text,
	struct err *e)
{
	const char *open = strchr(rest, '[');
	struct range r = { 0 };

	if (!open) {
		if (value_len(list) == NAMES_MAX)
			return range_fault(e, text, "stands for more than 100000 hosts");
		value_push(a, list, value_str(a, arena_fmt(a, "%s%s", head, rest)));
		return true;
	}
	if (!range_read(&r, open, text, e))
		return false;
	if ((r.last - r.first) / r.step >= NAMES_MAX)
		return range_fault(e, text, "stands for more than 100000 hosts");
	for (long i = r.first; i <= r.last; i += r.step) {
		int before = (int)(open - rest);
		const char *more = r.width < 0 ? arena_fmt(a, "%s%.*s%c", head, before, rest, letters[i])
					       : arena_fmt(a, "%s%.*s%0*ld", head, before, rest, r.width, i);
		if (!expand(list, a, more, r.tail, text, e))
			return false;
	}
	return true;
}

bool pattern_range(struct value **out, struct arena *a, const char *text, struct err *e)
{
	struct value *list = value_list(a);
	size_t ranges = 0;

	for (const char *p = text; *p; p++)
		ranges += *p == '[';
	if (ranges > 8 || strlen(text) > NAME_MAX_LEN)
		return range_fault(e, text, "is too long");
	if (!expand(list, a, "", text, text, e))
		return false;
	*out = list;
	return true;
}

/* ---- addresses ---- */

/* Every [a:b] replaced by one character, so that the rest can be checked as a plain name; false when a bracket holds
 * anything else. */
static bool ranges_flatten(char *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '[') {
			if (text[i] == ']')
				return false;
			*out++ = text[i];
			continue;
		}
		struct range r;
		struct err ignored;
		char word[64];
		const char *close = memchr(text + i, ']', n - i);
		size_t len = close ? (size_t)(close - text) - i + 1 : 0;
		if (!len || len >= sizeof word)
			return false;
		memcpy(word, text + i, len);
		word[len] = 0;
		if (word[1] == ':' || !range_read(&r, word, word, &ignored))
			return false;
		*out++ = '1';
		i += len - 1;
	}
	*out = 0;
	return true;
}

/* Labels of letters, digits, - and _ between points; none begins with - or ends with - or _. Bytes beyond ASCII
 * count as letters. */
static bool is_hostname(const char *s)
{
	char before = '.';

	for (; *s; before = *s++) {
		bool word = strchr(letters, *s) || strchr(digits, *s) || (unsigned char)*s >= 0x80 || *s == '_';
		if (*s == '.' ? before == '.' || before == '-' || before == '_' : !word && (*s != '-' || before == '.'))
			return false;
	}
	return before != '.' && before != '-' && before != '_';
}

/* Without a port: is it a host name or an address, ranges allowed? */
static bool is_host(const char *text, size_t n)
{
	char flat[NAME_MAX_LEN + 1];
	unsigned char ip[16];

	if (!n || n > NAME_MAX_LEN || !ranges_flatten(flat, text, n))
		return false;
	return is_hostname(flat) || inet_pton(AF_INET6, flat, ip) == 1;
}

/* Where the host ends when :digits follows it and no other colon stands outside brackets; n when there is no port. */
static size_t port_find(const char *text, size_t n)
{
	size_t at = n;

	while (at > 0 && strchr(digits, text[at - 1]))
		at--;
	if (at == n || n - at > 5 || at < 2 || text[at - 1] != ':')
		return n;
	at--;
	if (text[0] == '[' && memchr(text, ']', at) == text + at - 1)
		return at;
	for (size_t i = 0, open = 0; i < at; i++) {
		if (text[i] == '[' && !open)
			open = 1;
		else if (text[i] == ']' && open)
			open = 0;
		else if (!open && strchr(":[]", text[i]))
			return n;
	}
	return at;
}

bool pattern_is_address(const char *text)
{
	int port;
	struct arena *scratch = arena_new();
	const char *host = pattern_address(scratch, text, &port);
	bool ok = port || is_host(host, strlen(host));

	arena_free(scratch);
	return ok;
}

const char *pattern_address(struct arena *a, const char *text, int *port)
{
	size_t n = strlen(text), at = port_find(text, n), from = 0, len = at;

	*port = 0;
	if (at == n)
		return text;
	if (text[0] == '[' && text[at - 1] == ']' && is_host(text + 1, at - 2)) {
		from = 1;
		len = at - 2;
	} else if (!is_host(text, at)) {
		return text;
	}
	*port = (int)strtol(text + at + 1, NULL, 10);
	return arena_strn(a, text + from, len);
}
