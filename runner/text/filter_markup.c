/* Filters that fit text into what surrounds it: comments and HTML; and the parts of a URL. */
#include "text/rows.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct value *filter_escape(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);

	for (size_t i = 0; i < n; i++) {
		switch (s[i]) {
		case '&':
			buf_str(&b, "&amp;");
			break;
		case '<':
			buf_str(&b, "&lt;");
			break;
		case '>':
			buf_str(&b, "&gt;");
			break;
		case '"':
			buf_str(&b, "&#34;");
			break;
		case '\'':
			buf_str(&b, "&#39;");
			break;
		default:
			buf_ch(&b, s[i]);
			break;
		}
	}
	return op_buf(k->c, &b);
}

/* ---- comments ---- */
enum comment_part { C_DECORATION, C_BEGINNING, C_END, C_PREFIX, C_POSTFIX, C_NEWLINE, C_PARTS };
static const char *const comment_words[C_PARTS] = {"decoration", "beginning", "end", "prefix", "postfix", "newline"};

static const struct {
	const char *style, *decoration, *beginning, *end;
} comments[] = {
	{"plain", "# ", "", ""},	{"erlang", "% ", "", ""},      {"c", "// ", "", ""},
	{"cblock", " * ", "/*", " */"}, {"xml", " - ", "<!--", "-->"},
};

struct comment {
	const char *part[C_PARTS];
	int64_t before, after; /* lines of prefix and postfix */
};

static const char *without_blanks(struct call *k, const char *s)
{
	size_t n = strlen(s);

	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	return arena_strn(k->c->a, s, n);
}

static bool comment_style(struct call *k, struct comment *out)
{
	const char *style = call_str(k, 0, "plain");

	for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
		if (strcmp(comments[i].style, style))
			continue;
		*out = (struct comment){
			{comments[i].decoration, comments[i].beginning, comments[i].end, NULL, NULL, "\n"}, 1, 1};
		return true;
	}
	return call_fail(k, "style is plain, c, cblock, erlang or xml, not \"%s\"", style);
}

static bool comment_word(struct call *k, struct comment *c, const char *name, const struct value *v)
{
	if (!strcmp(name, "prefix_count") || !strcmp(name, "postfix_count")) {
		if (v->type != V_INT && v->type != V_BOOL)
			return call_fail(k, "%s is an integer, not %s", name, op_type(v));
		*(name[1] == 'r' ? &c->before : &c->after) = op_int(v);
		return true;
	}
	for (unsigned i = 0; i < C_PARTS; i++) {
		if (!strcmp(comment_words[i], name)) {
			c->part[i] = op_str(k->c, k->at, v);
			return c->part[i] != NULL;
		}
	}
	return call_fail(k, "it has no argument \"%s\"", name);
}

/* s with each `old` replaced by `neu` */
static bool replaced(struct call *k, struct buf *b, const char *s, size_t n, const char *old, const char *neu)
{
	size_t on = strlen(old);
	const char *hit;

	while ((hit = memmem(s, n, old, on))) {
		size_t before = (size_t)(hit - s);

		buf_add(b, s, before);
		buf_str(b, neu);
		s += before + on;
		n -= before + on;
		if (!call_room(k, b->len))
			return false;
	}
	buf_add(b, s, n);
	return true;
}

static bool repeated(struct call *k, struct buf *b, const char *x, const char *y, int64_t times)
{
	for (; times > 0; times--) {
		buf_str(b, x);
		buf_str(b, y);
		if (!call_room(k, b->len))
			return false;
	}
	return true;
}

/* The lines, each with its decoration; a line that is empty gets no blanks at its end. */
static bool comment_lines(struct call *k, struct buf *b, const struct comment *c, const char *s, size_t n)
{
	const char *deco = c->part[C_DECORATION], *nl = c->part[C_NEWLINE];
	struct buf lines = BUF(k->c->a);

	buf_str(&lines, deco);
	return replaced(k, &lines, s, n, nl, arena_fmt(k->c->a, "%s%s", nl, deco)) &&
	       replaced(k, b, buf_text(&lines), lines.len, arena_fmt(k->c->a, "%s%s", deco, nl),
			arena_fmt(k->c->a, "%s%s", without_blanks(k, deco), nl));
}

struct value *filter_comment(struct call *k)
{
	size_t n;
	const char *s = call_text(k, &n), *nl, *bare;
	struct comment c;
	struct buf b = BUF(k->c->a);

	if (!comment_style(k, &c))
		return NULL;
	for (uint32_t i = 0; i < k->nkw; i++) {
		if (!comment_word(k, &c, k->kw_names[i], k->kw_vals[i]))
			return NULL;
	}
	nl = c.part[C_NEWLINE];
	if (!*nl)
		return call_fail(k, "newline is empty");
	bare = without_blanks(k, c.part[C_DECORATION]);
	for (unsigned i = C_PREFIX; i <= C_POSTFIX; i++)
		c.part[i] = c.part[i] ? c.part[i] : bare;
	if (*c.part[C_BEGINNING] && !repeated(k, &b, c.part[C_BEGINNING], nl, 1))
		return NULL;
	if (*c.part[C_PREFIX] && !repeated(k, &b, strcmp(c.part[C_PREFIX], nl) ? c.part[C_PREFIX] : "", nl, c.before))
		return NULL;
	if (!comment_lines(k, &b, &c, s, n) || !repeated(k, &b, nl, c.part[C_POSTFIX], c.after))
		return NULL;
	if (*c.part[C_END] && !repeated(k, &b, nl, c.part[C_END], 1))
		return NULL;
	return op_buf(k->c, &b);
}

/* ---- URLs ---- */
static void url_put(struct call *k, struct value *map, const char *name, const char *s, size_t n, bool there)
{
	value_put(k->c->a, map, name, there ? value_strn(k->c->a, s, n) : value_null(k->c->a));
}

static bool url_port(struct call *k, struct value *map, const char *s, size_t n)
{
	long port = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]) || port > 65535)
			return call_fail(k, "the port \"%.*s\" is no number up to 65535", (int)(n < 40 ? n : 40), s);
		port = port * 10 + s[i] - '0';
	}
	if (port > 65535)
		return call_fail(k, "the port %ld is larger than 65535", port);
	value_put(k->c->a, map, "port", n ? value_int(k->c->a, port) : value_null(k->c->a));
	return true;
}

/* What stands in brackets: an IPv6 address, with a zone or without; "v1.x" is kept for later kinds. */
static bool url_address(struct call *k, const char *s, size_t n)
{
	const char *text = arena_strn(k->c->a, s, n), *zone = strchr(text, '%');
	unsigned char bytes[16];

	if (*text == 'v')
		return true;
	if ((!zone || (zone[1] && !strchr(zone + 1, '%'))) &&
	    inet_pton(AF_INET6, arena_strn(k->c->a, text, zone ? (size_t)(zone - text) : n), bytes) == 1)
		return true;
	return call_fail(k, "\"%.60s\" is no IPv6 address", text);
}

/* "user:password@host:port", where the host may be an IPv6 address in brackets; the host's name is in lower case. */
static bool url_netloc(struct call *k, struct value *map, const char *s, size_t n)
{
	const char *at = memrchr(s, '@', n), *host = at ? at + 1 : s, *end = s + n, *colon, *open, *zone;
	const char *user_end = at ? memchr(s, ':', (size_t)(at - s)) : NULL;
	struct buf b = BUF(k->c->a);

	open = memchr(host, '[', (size_t)(end - host));
	if ((memchr(s, '[', n) != NULL) != (memchr(s, ']', n) != NULL))
		return call_fail(k, "an IPv6 address stands in \"[\" and \"]\"");
	url_put(k, map, "username", s, (size_t)((user_end ? user_end : at ? at : s) - s), at != NULL);
	url_put(k, map, "password", user_end ? user_end + 1 : s, user_end ? (size_t)(at - user_end - 1) : 0,
		user_end != NULL);
	if (open) {
		const char *close = memchr(open, ']', (size_t)(end - open));

		host = open + 1;
		close = close ? close : end;
		colon = memchr(close, ':', (size_t)(end - close));
		n = (size_t)(close - host);
		if (!url_address(k, host, n))
			return false;
	} else {
		colon = memchr(host, ':', (size_t)(end - host));
		n = (size_t)((colon ? colon : end) - host);
	}
	zone = memchr(host, '%', n);
	utf8_case(&b, host, zone ? (size_t)(zone - host) : n, false);
	if (zone)
		buf_add(&b, zone, n - (size_t)(zone - host));
	url_put(k, map, "hostname", buf_text(&b), b.len, n > 0);
	return url_port(k, map, colon ? colon + 1 : end, colon ? (size_t)(end - colon - 1) : 0);
}

/* What comes before a colon is the scheme when it looks like one. */
static size_t url_scheme(const char *s)
{
	size_t n = 1;

	if (!isalpha((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("+-.", s[n])))
		n++;
	return s[n] == ':' ? n : 0;
}

/* Blanks before it and line ends within it are no part of a URL. */
static const char *url_clean(struct call *k, const char *s, size_t n)
{
	struct buf b = BUF(k->c->a);

	while (n && (unsigned char)*s <= ' ') {
		s++;
		n--;
	}
	for (size_t i = 0; i < n; i++) {
		if (!s[i] || !strchr("\t\r\n", s[i]))
			buf_ch(&b, s[i]);
	}
	return buf_text(&b);
}

static bool url_parts(struct call *k, struct value *map, const char *s)
{
	size_t scheme = url_scheme(s), path, netloc = 0;
	struct buf b = BUF(k->c->a);
	const char *loc;

	utf8_case(&b, s, scheme, false);
	s += scheme ? scheme + 1 : 0;
	if (s[0] == '/' && s[1] == '/')
		netloc = 2 + strcspn(s + 2, "/?#");
	loc = netloc ? s + 2 : s;
	s += netloc;
	netloc = netloc ? netloc - 2 : 0;
	path = strcspn(s, "?#");

	const char *query = s[path] == '?' ? s + path + 1 : s + path, *frag = strchr(s, '#');
	size_t qn = s[path] == '?' ? strcspn(query, "#") : 0;

	url_put(k, map, "fragment", frag ? frag + 1 : "", frag ? strlen(frag + 1) : 0, true);
	value_put(k->c->a, map, "hostname", value_null(k->c->a)); /* in the order of their names */
	url_put(k, map, "netloc", loc, netloc, true);
	value_put(k->c->a, map, "password", value_null(k->c->a));
	url_put(k, map, "path", s, path, true);
	value_put(k->c->a, map, "port", value_null(k->c->a));
	url_put(k, map, "query", query, qn, true);
	url_put(k, map, "scheme", buf_text(&b), b.len, true);
	return url_netloc(k, map, loc, netloc);
}

struct value *filter_urlsplit(struct call *k)
{
	size_t n;
	const char *s = call_text(k, &n), *one = call_str(k, 0, "");
	struct value *map = value_map(k->c->a), *part;

	if (strlen(s) != n)
		return call_fail(k, "a URL cannot hold a NUL");
	if (!url_parts(k, map, url_clean(k, s, n)))
		return NULL;
	part = value_get(map, one);
	if (*one && !part)
		return call_fail(k, "a URL has no part \"%s\"", one);
	return part ? part : map;
}
