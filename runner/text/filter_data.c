/* Filters that write values as JSON, YAML, base64, URLs, shell and SQL words, and read them back. */
#include "text/jmes.h"
#include "text/rows.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static struct value *json(struct call *k, struct json_style style)
{
	struct buf b = BUF(k->c->a);

	if (style.indent < 0 || style.indent > 64)
		return call_fail(k, "indent is 0 to 64");
	if (!op_sound(k->c, k->at, k->in))
		return NULL;
	if (!value_to_json(&b, k->in, &style))
		return call_fail(k, "the value is nested too deep, or too large");
	return call_room(k, b.len) ? op_buf(k->c, &b) : NULL;
}

struct value *filter_to_json(struct call *k)
{
	return json(k, (struct json_style){.indent = (int)call_int(k, 0, 0),
					   .sort = call_bool(k, 1, false),
					   .ascii = call_bool(k, 2, true)});
}

struct value *filter_to_nice_json(struct call *k)
{
	return json(k, (struct json_style){.indent = (int)call_int(k, 0, 4),
					   .sort = call_bool(k, 1, true),
					   .ascii = call_bool(k, 2, true)});
}

/* Safe inside HTML: the four characters that could end a script or an attribute are escaped. */
struct value *filter_tojson(struct call *k)
{
	struct value *v = json(k, (struct json_style){ .indent = (int)call_int(k, 0, 0), .sort = true, .ascii = true });
	struct buf b = BUF(k->c->a);

	for (size_t i = 0; v && i < v->u.str.n; i++) {
		char c = v->u.str.s[i];

		if (strchr("<>&'", c))
			buf_fmt(&b, "\\u%04x", (unsigned)(unsigned char)c);
		else
			buf_ch(&b, c);
	}
	return v ? op_buf(k->c, &b) : NULL;
}

static struct value *yaml(struct call *k, int indent)
{
	struct yaml_style style = { .indent = (int)call_int(k, 0, indent), .sort = call_bool(k, 1, true) };
	struct buf b = BUF(k->c->a);

	if (style.indent < 1 || style.indent > 64)
		return call_fail(k, "indent is 1 to 64");
	if (!op_sound(k->c, k->at, k->in))
		return NULL;
	if (!value_to_yaml(&b, k->in, &style))
		return call_fail(k, "the value is nested too deep, or too large");
	if (b.len && b.p[b.len - 1] != '\n')
		buf_ch(&b, '\n');
	return call_room(k, b.len) ? op_buf(k->c, &b) : NULL;
}

struct value *filter_to_yaml(struct call *k) { return yaml(k, 2); }
struct value *filter_to_nice_yaml(struct call *k) { return yaml(k, 4); }

static struct value *parsed(struct call *k, bool (*parse)(struct value **, struct arena *, const char *, const char *,
							  size_t, struct err *))
{
	size_t n;
	const char *s = call_in(k, &n);
	struct err e = { 0 };
	struct value *v;

	if (!ctx_step(k->c, k->at, n / 8))
		return NULL;
	if (!parse(&v, k->c->a, NULL, s, n, &e))
		return call_fail(k, "%s", e.msg);
	return v;
}

struct value *filter_from_json(struct call *k) { return parsed(k, value_from_json); }

struct value *filter_from_yaml(struct call *k)
{
	return k->in->type == V_STR ? parsed(k, value_from_yaml) : k->in;
}

static bool all_parse(struct value **out, struct arena *a, const char *file, const char *s, size_t n, struct err *e)
{
	return value_from_yaml_stream(out, a, file, s, n, false, e);
}

struct value *filter_from_yaml_all(struct call *k)
{
	return k->in->type == V_STR ? parsed(k, all_parse) : k->in;
}

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct value *filter_b64encode(struct call *k)
{
	size_t n;
	const unsigned char *s = (const unsigned char *)call_in(k, &n);
	struct buf b = BUF(k->c->a);

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v =
			(uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);

		buf_ch(&b, digits64[v >> 18]);
		buf_ch(&b, digits64[v >> 12 & 63]);
		buf_ch(&b, i + 1 < n ? digits64[v >> 6 & 63] : '=');
		buf_ch(&b, i + 2 < n ? digits64[v & 63] : '=');
	}
	return op_buf(k->c, &b);
}

/* Characters that are no base64 are passed over, as Python does; what is left must come out even. */
struct value *filter_b64decode(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);
	uint32_t v = 0;
	unsigned have = 0, pads = 0;

	for (size_t i = 0; i < n; i++) {
		const char *hit = s[i] ? strchr(digits64, s[i]) : NULL;

		if (s[i] == '=') {
			if (have >= 2 && ++pads + have >= 4)
				break;
			continue;
		}
		if (!hit)
			continue;
		v = v << 6 | (uint32_t)(hit - digits64);
		if (++have == 4) {
			buf_ch(&b, (char)(v >> 16));
			buf_ch(&b, (char)(v >> 8));
			buf_ch(&b, (char)v);
			have = 0;
			v = 0;
		}
	}
	if (have == 1 || (have && pads + have < 4))
		return call_fail(k, "the text is no base64: its length is wrong");
	if (have >= 2)
		buf_ch(&b, (char)(have == 2 ? v >> 4 : v >> 10));
	if (have == 3)
		buf_ch(&b, (char)(v >> 2));
	return op_buf(k->c, &b);
}

static void url_add(struct buf *b, const char *s, size_t n, bool query)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c && strchr(query ? "_.-~" : "_.-~/", c)))
			buf_ch(b, (char)c);
		else if (query && c == ' ')
			buf_ch(b, '+');
		else
			buf_fmt(b, "%%%02X", c);
	}
}

static bool url_text(struct call *k, struct buf *b, const struct value *v, bool query)
{
	struct buf t = BUF(k->c->a);

	if (!op_text(k->c, k->at, &t, v, "None"))
		return false;
	url_add(b, buf_text(&t), t.len, query);
	return true;
}

struct value *filter_urlencode(struct call *k)
{
	struct buf b = BUF(k->c->a);

	if (k->in->type != V_MAP && k->in->type != V_LIST)
		return url_text(k, &b, k->in, false) ? op_buf(k->c, &b) : NULL;
	for (size_t i = 0; i < value_len(k->in); i++) {
		const struct value *pair = value_at(k->in, i);
		bool map = k->in->type == V_MAP;

		if (!map && (pair->type != V_LIST || pair->u.list.n != 2))
			return call_fail(k, "item %zu is no pair", i);
		if (i)
			buf_ch(&b, '&');
		if (map)
			url_add(&b, value_key_at(k->in, i), strlen(value_key_at(k->in, i)), true);
		else if (!url_text(k, &b, pair->u.list.items[0], true))
			return NULL;
		buf_ch(&b, '=');
		if (!url_text(k, &b, map ? pair : pair->u.list.items[1], true))
			return NULL;
	}
	return op_buf(k->c, &b);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

struct value *filter_urldecode(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			buf_ch(&b, (char)(hex(s[i + 1]) << 4 | hex(s[i + 2])));
			i += 2;
		} else {
			buf_ch(&b, s[i] == '+' ? ' ' : s[i]);
		}
	}
	return op_buf(k->c, &b);
}

/* As Python's shlex.quote: always in quotes unless every character is harmless. */
struct value *filter_quote(struct call *k)
{
	const char *s = k->in->type == V_NULL ? "" : call_in(k, NULL);
	struct buf b = BUF(k->c->a);

	if (buf_is_word(s))
		return value_str(k->c->a, s);
	buf_ch(&b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(&b, "'\"'\"'");
		else
			buf_ch(&b, *s);
	}
	buf_ch(&b, '\'');
	return op_buf(k->c, &b);
}

/* PostgreSQL's reserved words, which stand unquoted nowhere an identifier may. */
static const char *const reserved[] = {
	"all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
	"binary", "both", "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint",
	"create", "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
	"current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end",
	"except", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
	"in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like",
	"limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only", "or",
	"order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
	"session_user", "similar", "some", "symmetric", "system_user", "table", "tablesample", "then", "to",
	"trailing", "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where", "window",
	"with",
};

static bool is_plain_ident(const char *s)
{
	if (!(*s >= 'a' && *s <= 'z') && *s != '_')
		return false;
	if (s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return false;
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if (!strcmp(reserved[i], s))
			return false;
	}
	return true;
}

struct value *filter_ident(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct buf b = BUF(k->c->a);

	if (!n || strlen(s) != n)
		return call_fail(k, "an identifier has at least one character, and no NUL");
	if (is_plain_ident(s))
		return value_str(k->c->a, s);
	buf_ch(&b, '"');
	for (; *s; s++) {
		if (*s == '"')
			buf_ch(&b, '"');
		buf_ch(&b, *s);
	}
	buf_ch(&b, '"');
	return op_buf(k->c, &b);
}

/* A backslash makes it an E'' string, so that it means the same whatever standard_conforming_strings says. */
struct value *filter_literal(struct call *k)
{
	struct buf b = BUF(k->c->a);
	size_t n;
	const char *s;

	if (k->in->type == V_NULL)
		return value_str(k->c->a, "NULL");
	if (k->in->type == V_BOOL)
		return value_str(k->c->a, k->in->u.b ? "true" : "false");
	if (k->in->type == V_INT || (k->in->type == V_FLOAT && isfinite(k->in->u.f)))
		return filter_string(k);
	s = call_in(k, &n);
	if (strlen(s) != n)
		return call_fail(k, "SQL text cannot hold a NUL");
	buf_str(&b, strchr(s, '\\') ? "E'" : "'");
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			buf_ch(&b, *s);
		buf_ch(&b, *s);
	}
	buf_ch(&b, '\'');
	return op_buf(k->c, &b);
}

struct value *filter_json_query(struct call *k)
{
	struct err e = { 0 };
	struct value *v;

	if (!op_sound(k->c, k->at, k->in))
		return NULL;

	/* what it takes is the template's to pay for */
	struct jmes j = { .a = k->c->a, .steps = k->c->steps, .start = k->c->start, .e = &e };

	if (!jmes_run(&j, &v, call_str(k, 0, ""), k->in))
		return call_fail(k, "%s", e.msg);
	k->c->steps = j.steps;
	return v;
}
