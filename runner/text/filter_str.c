/* Filters on text: case, padding, cutting, replacing, paths. */
#include "text/rows.h"

#include <string.h>

static struct value *cased(struct call *k, bool upper)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);

	utf8_case(&b, s, n, upper);
	return op_buf(k->c, &b);
}

struct value *filter_upper(struct call *k) { return cased(k, true); }
struct value *filter_lower(struct call *k) { return cased(k, false); }

struct value *filter_string(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);

	return value_strn(k->c->a, s, n);
}

struct value *filter_capitalize(struct call *k)
{
	size_t n, first;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);

	first = n ? utf8_next(s, n, 0, NULL) : 0;
	utf8_case(&b, s, first, true);
	utf8_case(&b, s + first, n - first, false);
	return op_buf(k->c, &b);
}

/* The filter's words begin after blanks and - ( { [ <; the method's after anything that is no letter. */
static struct value *titled(struct call *k, bool method)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);
	bool begins = true;

	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t next = utf8_next(s, n, i, &cp);
		bool parts = method ? !utf8_alpha(cp) : utf8_space(cp) || (cp && cp < 128 && strchr("-({[<", (int)cp));

		utf8_case(&b, s + i, next - i, begins);
		begins = parts;
		i = next;
	}
	return op_buf(k->c, &b);
}

struct value *filter_title(struct call *k) { return titled(k, false); }
struct value *method_title(struct call *k) { return titled(k, true); }

static bool in_chars(const char *chars, const char *s, size_t len)
{
	size_t n = strlen(chars);

	for (size_t i = 0; i < n;) {
		size_t next = utf8_next(chars, n, i, NULL);

		if (next - i == len && !memcmp(chars + i, s, len))
			return true;
		i = next;
	}
	return false;
}

static bool strips(const char *s, size_t n, size_t at, size_t next, const char *chars)
{
	uint32_t cp;

	utf8_next(s, n, at, &cp);
	return chars ? in_chars(chars, s + at, next - at) : utf8_space(cp);
}

struct value *str_strip(struct call *k, const char *chars, bool left, bool right)
{
	size_t n, from = 0;
	const char *s = call_in(k, &n);

	while (left && from < n) {
		size_t next = utf8_next(s, n, from, NULL);

		if (!strips(s, n, from, next, chars))
			break;
		from = next;
	}
	while (right && n > from) {
		size_t at = n - 1;

		while (at > from && ((unsigned char)s[at] & 0xC0) == 0x80)
			at--;
		if (!strips(s, n, at, n, chars))
			break;
		n = at;
	}
	return value_strn(k->c->a, s + from, n - from);
}

struct value *filter_trim(struct call *k)
{
	return str_strip(k, call_str(k, 0, NULL), true, true);
}

/* side: -1 text left, 0 middle, 1 right */
struct value *str_pad(struct call *k, const char *s, size_t n, int64_t width, const char *fill, int side)
{
	int64_t len = (int64_t)utf8_len(s, n), pad = width > len ? width - len : 0, before;
	struct buf b = BUF(k->c->a);

	if (!call_room(k, n + (size_t)pad * strlen(fill)))
		return NULL;
	before = side > 0 ? pad : side < 0 ? 0 : pad / 2 + (pad & width & 1);
	for (int64_t i = 0; i < before; i++)
		buf_str(&b, fill);
	buf_add(&b, s, n);
	for (int64_t i = before; i < pad; i++)
		buf_str(&b, fill);
	return op_buf(k->c, &b);
}

struct value *filter_center(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);

	return str_pad(k, s, n, call_int(k, 0, 80), " ", 0);
}

struct value *filter_replace(struct call *k)
{
	size_t n, on;
	const char *s = call_in(k, &n), *old = call_str(k, 0, "None"), *neu = call_str(k, 1, "None");
	int64_t left = call_int(k, 2, -1);
	struct buf b = BUF(k->c->a);
	size_t nn = strlen(neu), i = 0;

	on = strlen(old);
	while (left && i <= n && call_room(k, b.len)) {
		const char *hit = on ? memmem(s + i, n - i, old, on) : s + i;

		if (!hit)
			break;
		buf_add(&b, s + i, (size_t)(hit - s) - i);
		buf_add(&b, neu, nn);
		i = (size_t)(hit - s) + on;
		left--;
		if (!on) { /* between all characters, and at both ends */
			size_t next = i < n ? utf8_next(s, n, i, NULL) : n + 1;

			buf_add(&b, s + i, i < n ? next - i : 0);
			i = next;
		}
		if (!ctx_step(k->c, k->at, 1))
			return NULL;
	}
	if (i < n)
		buf_add(&b, s + i, n - i);
	return op_buf(k->c, &b);
}

/* Lines end at "\n" here, as they do in every file the runner writes. */
struct value *filter_indent(struct call *k)
{
	size_t n;
	const char *s = call_text(k, &n), *end = s + n;
	bool first = call_bool(k, 1, false), blank = call_bool(k, 2, false);
	struct buf b = BUF(k->c->a), pad = BUF(k->c->a);

	if (k->args[0] && k->args[0]->type == V_STR) {
		buf_str(&pad, k->args[0]->u.str.s);
	} else {
		int64_t width = call_int(k, 0, 4);

		if (width > 10000)
			return call_fail(k, "width is too large");
		while (width-- > 0)
			buf_ch(&pad, ' ');
	}
	for (const char *line = s; line <= end; line++) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		const char *stop = nl ? nl : end;

		if (line == s ? first : stop > line || blank)
			buf_add(&b, buf_text(&pad), pad.len);
		buf_add(&b, line, (size_t)(stop - line));
		if (nl)
			buf_ch(&b, '\n');
		if (!call_room(k, b.len))
			return NULL;
		line = stop;
	}
	return op_buf(k->c, &b);
}

static struct value *part(struct call *k, const char *s, size_t n)
{
	return value_strn(k->c->a, s, n);
}

/* Cut at whitespace, from either side. */
static struct value *split_space(struct call *k, const char *s, size_t n, int64_t most, bool right)
{
	struct value *list = value_list(k->c->a), *turned = value_list(k->c->a);
	size_t from = 0, to = n;

	for (;;) {
		while (from < to && utf8_space((unsigned char)s[right ? to - 1 : from]))
			right ? to-- : from++;
		if (from == to)
			break;
		if (most >= 0 && list->u.list.n == most) {
			while (from < to && utf8_space((unsigned char)s[right ? from : to - 1]))
				break; /* what is left keeps its blanks at the far end */
			value_push(k->c->a, list, part(k, s + from, to - from));
			break;
		}

		size_t a = from, z = to;

		if (right) {
			for (a = to; a > from && !utf8_space((unsigned char)s[a - 1]);)
				a--;
			to = a;
		} else {
			for (z = from; z < to && !utf8_space((unsigned char)s[z]);)
				z++;
			from = z;
		}
		value_push(k->c->a, list, part(k, s + a, z - a));
	}
	for (uint32_t i = list->u.list.n; right && i-- > 0;)
		value_push(k->c->a, turned, list->u.list.items[i]);
	return right ? turned : list;
}

static const char *last_hit(struct call *k, const char *s, size_t n, const char *sep, size_t sn)
{
	for (size_t i = n >= sn ? n - sn + 1 : 0; i-- > 0;) {
		if (s[i] != *sep)
			continue;
		if (!memcmp(s + i, sep, sn) || !ctx_step(k->c, k->at, sn / 64))
			return s + i;
	}
	return NULL;
}

struct value *str_split(struct call *k, bool right)
{
	size_t n, sn;
	const char *s = call_in(k, &n), *sep = call_str(k, 0, NULL), *hit;
	int64_t most = call_int(k, 1, -1);
	struct value *list = value_list(k->c->a), *turned = value_list(k->c->a);

	if (!sep)
		return split_space(k, s, n, most, right);
	sn = strlen(sep);
	if (!sn)
		return call_fail(k, "the separator is empty");
	while (most-- && ctx_step(k->c, k->at, 1) && (hit = right ? last_hit(k, s, n, sep, sn) : memmem(s, n, sep, sn))) {
		size_t at = (size_t)(hit - s);

		value_push(k->c->a, list, right ? part(k, hit + sn, n - at - sn) : part(k, s, at));
		n = right ? at : n - at - sn;
		s = right ? s : hit + sn;
	}
	value_push(k->c->a, list, part(k, s, n));
	for (uint32_t i = list->u.list.n; right && i-- > 0;)
		value_push(k->c->a, turned, list->u.list.items[i]);
	return right ? turned : list;
}

struct value *filter_split(struct call *k) { return str_split(k, false); }
struct value *method_rsplit(struct call *k) { return str_split(k, true); }

struct value *filter_wordcount(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);
	int64_t words = 0;
	bool inside = false;

	for (size_t i = 0; i < n;) {
		uint32_t cp;

		i = utf8_next(s, n, i, &cp);
		bool word = utf8_alpha(cp) || (cp >= '0' && cp <= '9') || cp == '_';

		words += word && !inside;
		inside = word;
	}
	return value_int(k->c->a, words);
}

struct value *filter_truncate(struct call *k)
{
	size_t n;
	const char *s = call_text(k, &n), *end = call_str(k, 2, "...");
	int64_t length = call_int(k, 0, 255), leeway = call_int(k, 3, 5), en = (int64_t)utf8_len(end, strlen(end));
	struct buf b = BUF(k->c->a);
	size_t cut;

	if (length < en || leeway < 0)
		return call_fail(k, "length is at least that of \"%s\", and leeway at least 0", end);
	if ((int64_t)utf8_len(s, n) <= length + leeway)
		return value_strn(k->c->a, s, n);
	cut = utf8_at(s, n, (size_t)(length - en));
	if (!call_bool(k, 1, false)) {
		size_t at = cut;

		while (at && s[at - 1] != ' ')
			at--;
		if (at)
			cut = at - 1;
	}
	buf_add(&b, s, cut);
	buf_str(&b, end);
	return op_buf(k->c, &b);
}

/* One line of text broken at blanks into lines of at most width characters. */
static bool wrap_line(struct call *k, struct buf *b, const char *s, size_t n, size_t width, bool cut_words,
		      const char *sep)
{
	bool begun = false;

	while (n) {
		size_t take, most = utf8_at(s, n, width), skip;

		if (most == n) {
			take = n;
		} else {
			for (take = most; take && s[take] != ' ' && s[take - 1] != ' '; take--)
				;
			if (!take && cut_words)
				take = most;
			else if (!take)
				for (take = most; take < n && s[take] != ' '; take++)
					;
		}
		for (skip = take; skip < n && s[skip] == ' ';)
			skip++;
		while (take && s[take - 1] == ' ')
			take--;
		if (take) {
			if (begun)
				buf_str(b, sep);
			buf_add(b, s, take);
			begun = true;
		}
		if (!call_room(k, b->len))
			return false;
		s += skip;
		n -= skip;
	}
	return true;
}

struct value *filter_wordwrap(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n), *end = s + n, *sep = call_str(k, 2, "\n");
	int64_t width = call_int(k, 0, 79);
	struct buf b = BUF(k->c->a);

	if (width < 1 || width > 1000000)
		return call_fail(k, "width is at least 1");
	for (;;) {
		const char *nl = memchr(s, '\n', (size_t)(end - s)), *stop = nl ? nl : end;

		if (!wrap_line(k, &b, s, (size_t)(stop - s), (size_t)width, call_bool(k, 1, true), sep))
			return NULL;
		if (!nl || nl + 1 == end)
			return op_buf(k->c, &b);
		buf_str(&b, sep);
		s = nl + 1;
	}
}

/* ---- paths ---- */
struct value *filter_basename(struct call *k)
{
	const char *s = call_text(k, NULL), *slash = strrchr(s, '/');

	return value_str(k->c->a, slash ? slash + 1 : s);
}

struct value *filter_dirname(struct call *k)
{
	const char *s = call_text(k, NULL), *slash = strrchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) + 1 : 0, head = n;

	while (n && s[n - 1] == '/')
		n--;
	return value_strn(k->c->a, s, n ? n : head); /* slashes alone stay */
}

struct value *filter_splitext(struct call *k)
{
	const char *s = call_text(k, NULL), *slash = strrchr(s, '/'), *dot = strrchr(s, '.'), *p = slash ? slash + 1 : s;

	while (*p == '.') /* .profile has no extension */
		p++;
	if (!dot || dot < p)
		dot = s + strlen(s);
	return op_tuple(k->c, value_strn(k->c->a, s, (size_t)(dot - s)), value_str(k->c->a, dot));
}

struct value *filter_path_join(struct call *k)
{
	struct buf b = BUF(k->c->a);

	if (k->in->type != V_LIST)
		return filter_string(k);
	for (uint32_t i = 0; i < k->in->u.list.n; i++) {
		const char *s = op_str(k->c, k->at, k->in->u.list.items[i]);

		if (!s)
			return NULL;
		if (s[0] == '/')
			buf_reset(&b);
		else if (b.len && b.p[b.len - 1] != '/')
			buf_ch(&b, '/');
		buf_str(&b, s);
	}
	return op_buf(k->c, &b);
}
