/* Methods of strings that are no filter as well. */
#include "text/rows.h"

#include <string.h>

static const char *text_arg(struct call *k, unsigned i)
{
	if (k->args[i]->type != V_STR) {
		call_fail(k, "needs a string, not %s", op_type(k->args[i]));
		return "";
	}
	return k->args[i]->u.str.s;
}

struct value *method_lstrip(struct call *k) { return str_strip(k, call_str(k, 0, NULL), true, false); }
struct value *method_rstrip(struct call *k) { return str_strip(k, call_str(k, 0, NULL), false, true); }

static struct value *affix(struct call *k, bool end)
{
	const struct value *v = k->in, *one = k->args[0];
	uint32_t n = one->type == V_LIST ? one->u.list.n : 1;

	for (uint32_t i = 0; i < n; i++) {
		const struct value *x = one->type == V_LIST ? one->u.list.items[i] : one;

		if (x->type != V_STR)
			return call_fail(k, "needs a string, not %s", op_type(x));
		if (x->u.str.n <= v->u.str.n &&
		    !memcmp(v->u.str.s + (end ? v->u.str.n - x->u.str.n : 0), x->u.str.s, x->u.str.n))
			return value_bool(k->c->a, true);
	}
	return value_bool(k->c->a, false);
}

struct value *method_startswith(struct call *k) { return affix(k, false); }
struct value *method_endswith(struct call *k) { return affix(k, true); }

struct value *method_removeprefix(struct call *k)
{
	const char *s = k->in->u.str.s, *p = text_arg(k, 0);
	size_t n = strlen(p);

	return value_str(k->c->a, strncmp(s, p, n) ? s : s + n);
}

struct value *method_removesuffix(struct call *k)
{
	const struct value *v = k->in;
	const char *p = text_arg(k, 0);
	size_t n = strlen(p);
	bool has = n <= v->u.str.n && !memcmp(v->u.str.s + v->u.str.n - n, p, n);

	return value_strn(k->c->a, v->u.str.s, v->u.str.n - (has ? n : 0));
}

static struct value *padded(struct call *k, int side)
{
	const char *fill = call_str(k, 1, " ");

	if (utf8_len(fill, strlen(fill)) != 1)
		return call_fail(k, "it fills up with one character, not \"%s\"", fill);
	return str_pad(k, k->in->u.str.s, k->in->u.str.n, call_int(k, 0, 0), fill, side);
}

struct value *method_center(struct call *k) { return padded(k, 0); }
struct value *method_ljust(struct call *k) { return padded(k, -1); }
struct value *method_rjust(struct call *k) { return padded(k, 1); }

struct value *method_zfill(struct call *k)
{
	const char *s = k->in->u.str.s;
	size_t sign = *s == '-' || *s == '+' ? 1 : 0;
	struct value *v = str_pad(k, s + sign, k->in->u.str.n - sign, call_int(k, 0, 0) - (int64_t)sign, "0", 1);
	struct buf b = BUF(k->c->a);

	if (!v)
		return NULL;
	buf_add(&b, s, sign);
	buf_add(&b, v->u.str.s, v->u.str.n);
	return op_buf(k->c, &b);
}

struct value *method_join(struct call *k)
{
	struct value *list = op_iter(k->c, k->at, k->args[0]);
	struct buf b = BUF(k->c->a);

	for (uint32_t i = 0; list && i < list->u.list.n; i++) {
		const struct value *v = list->u.list.items[i];

		if (v->type != V_STR)
			return call_fail(k, "item %u is no string but %s", i, op_type(v));
		if (i)
			buf_add(&b, k->in->u.str.s, k->in->u.str.n);
		buf_add(&b, v->u.str.s, v->u.str.n);
		if (!call_room(k, b.len))
			return NULL;
	}
	return list ? op_buf(k->c, &b) : NULL;
}

struct value *method_splitlines(struct call *k)
{
	const char *s = k->in->u.str.s, *end = s + k->in->u.str.n;
	bool keep = call_bool(k, 0, false);
	struct value *list = value_list(k->c->a);

	while (s < end) {
		const char *p = s;
		size_t brk;

		while (p < end && *p != '\n' && *p != '\r' && *p != '\v' && *p != '\f')
			p++;
		brk = p == end ? 0 : *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
		value_push(k->c->a, list, value_strn(k->c->a, s, (size_t)(p - s) + (keep ? brk : 0)));
		s = p + brk;
	}
	return list;
}

static struct value *parted(struct call *k, bool last)
{
	const struct value *v = k->in;
	const char *sep = text_arg(k, 0), *hit = NULL;
	size_t n = strlen(sep), at;
	struct value *list = value_list(k->c->a);

	if (!n)
		return call_fail(k, "the separator is empty");
	for (const char *p = v->u.str.s; (p = strstr(p, sep)); p++) {
		hit = p;
		if (!last || !ctx_step(k->c, k->at, n / 64))
			break;
	}
	at = hit ? (size_t)(hit - v->u.str.s) : last ? 0 : v->u.str.n;
	value_push(k->c->a, list, value_strn(k->c->a, v->u.str.s, at));
	value_push(k->c->a, list, value_str(k->c->a, hit ? sep : ""));
	value_push(k->c->a, list, value_str(k->c->a, v->u.str.s + at + (hit ? n : 0)));
	list->flags |= V_TUPLE;
	return list;
}

struct value *method_partition(struct call *k) { return parted(k, false); }
struct value *method_rpartition(struct call *k) { return parted(k, true); }

/* Character place of sub between args 1 and 2, -1 when nowhere */
static int64_t place(struct call *k, bool last)
{
	const char *s = k->in->u.str.s, *sub = text_arg(k, 0), *found = NULL;
	int64_t len = (int64_t)utf8_len(s, k->in->u.str.n), from = call_int(k, 1, 0), to = call_int(k, 2, len);
	size_t a, z, n = strlen(sub);

	from = from < 0 ? (from + len < 0 ? 0 : from + len) : from;
	to = to < 0 ? to + len : to > len ? len : to;
	if (from > to || from > len)
		return -1;
	a = utf8_at(s, k->in->u.str.n, (size_t)from);
	z = utf8_at(s, k->in->u.str.n, (size_t)to);
	while (a + n <= z) {
		const char *hit = memmem(s + a, z - a, sub, n);

		if (!hit)
			break;
		found = hit;
		if (!last || !ctx_step(k->c, k->at, n / 64))
			break;
		a = (size_t)(hit - s) + 1;
	}
	return found ? (int64_t)utf8_len(s, (size_t)(found - s)) : -1;
}

struct value *method_find(struct call *k) { return value_int(k->c->a, place(k, false)); }
struct value *method_rfind(struct call *k) { return value_int(k->c->a, place(k, true)); }

struct value *method_index(struct call *k)
{
	int64_t at = k->in->type == V_STR ? place(k, false) : -1;

	for (uint32_t i = 0; k->in->type == V_LIST && at < 0 && i < k->in->u.list.n; i++) {
		if (op_equal(k->c, k->in->u.list.items[i], k->args[0]))
			at = i;
	}
	return at < 0 ? call_fail(k, "it is not in there") : value_int(k->c->a, at);
}

struct value *method_count(struct call *k)
{
	const struct value *v = k->in;
	int64_t n = 0;

	if (v->type == V_LIST) {
		for (uint32_t i = 0; i < v->u.list.n; i++)
			n += op_equal(k->c, v->u.list.items[i], k->args[0]);
		return value_int(k->c->a, n);
	}

	const char *sub = text_arg(k, 0);
	size_t len = strlen(sub);

	if (!len)
		return value_int(k->c->a, (int64_t)utf8_len(v->u.str.s, v->u.str.n) + 1);
	for (const char *p = v->u.str.s; (p = strstr(p, sub)); p += len)
		n++;
	return value_int(k->c->a, n);
}

struct value *method_expandtabs(struct call *k)
{
	int64_t tab = call_int(k, 0, 8), col = 0;
	struct buf b = BUF(k->c->a);

	for (size_t i = 0; i < k->in->u.str.n; i++) {
		char c = k->in->u.str.s[i];

		if (c != '\t') {
			buf_ch(&b, c);
			col = c == '\n' || c == '\r' ? 0 : ((unsigned char)c & 0xC0) == 0x80 ? col : col + 1;
			continue;
		}
		if (tab <= 0)
			continue;
		if (tab > 10000)
			return call_fail(k, "tabs that wide are not allowed");
		do
			buf_ch(&b, ' ');
		while (++col % tab);
		if (!call_room(k, b.len))
			return NULL;
	}
	return op_buf(k->c, &b);
}

struct value *method_swapcase(struct call *k)
{
	const struct value *v = k->in;
	struct buf b = BUF(k->c->a);

	for (size_t i = 0; i < v->u.str.n;) {
		uint32_t cp;
		size_t next = utf8_next(v->u.str.s, v->u.str.n, i, &cp);

		utf8_case(&b, v->u.str.s + i, next - i, utf8_upper(cp) != cp);
		i = next;
	}
	return op_buf(k->c, &b);
}

static struct value *all_of(struct call *k, bool (*is)(uint32_t cp))
{
	const struct value *v = k->in;
	bool all = v->u.str.n > 0;

	for (size_t i = 0; i < v->u.str.n && all;) {
		uint32_t cp;

		i = utf8_next(v->u.str.s, v->u.str.n, i, &cp);
		all = is(cp);
	}
	return value_bool(k->c->a, all);
}

static bool is_digit(uint32_t cp) { return cp >= '0' && cp <= '9'; }
static bool is_alnum(uint32_t cp) { return is_digit(cp) || utf8_alpha(cp); }

struct value *method_isdigit(struct call *k) { return all_of(k, is_digit); }
struct value *method_isalpha(struct call *k) { return all_of(k, utf8_alpha); }
struct value *method_isalnum(struct call *k) { return all_of(k, is_alnum); }
struct value *method_isspace(struct call *k) { return all_of(k, utf8_space); }

struct value *method_format(struct call *k)
{
	return format_braces(k, k->in->u.str.s, k->in->u.str.n);
}
