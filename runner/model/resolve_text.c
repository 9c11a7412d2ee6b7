/*
 * Templates inside values: is there one anywhere in a list or map, what does it render to, which names does it ask for.
 * ${name} of a registered parameter is {{ name }}; any other ${...} is plain text and stays.
 */
#include "model/param_int.h"

#include <ctype.h>
#include <string.h>

enum { NEST_MOST = 256 };

/* "${name}" at s of a registered parameter: its name's length, else 0. */
static size_t placeholder(const struct modules *ms, const char *s, size_t n)
{
	char name[128];
	size_t len = 0;

	if (n < 4 || s[0] != '$' || s[1] != '{')
		return 0;
	while (len + 2 < n && (isalnum((unsigned char)s[len + 2]) || s[len + 2] == '_'))
		len++;
	if (!len || len >= sizeof name || len + 2 >= n || s[len + 2] != '}')
		return 0;
	memcpy(name, s + 2, len);
	name[len] = '\0';
	return map_has(&ms->params, name) || map_has(&ms->was, name) ? len : 0;
}

static bool has_placeholder(const struct modules *ms, const char *s, size_t n)
{
	for (const char *p = s; (p = memchr(p, '$', n - (size_t)(p - s))); p++)
		if (placeholder(ms, p, n - (size_t)(p - s)))
			return true;
	return false;
}

static bool is_dynamic(const struct modules *ms, const struct value *v, unsigned depth)
{
	if (v->flags & V_VAULT)
		return true;
	if (depth > NEST_MOST || (v->flags & V_LITERAL))
		return false;
	if (v->type == V_STR)
		return text_is_template(v->u.str.s, v->u.str.n) || has_placeholder(ms, v->u.str.s, v->u.str.n);
	if (v->type != V_LIST && v->type != V_MAP)
		return false;
	for (size_t i = 0; i < value_len(v); i++)
		if (is_dynamic(ms, value_at(v, i), depth + 1))
			return true;
	return false;
}

bool value_is_dynamic(const struct modules *ms, const struct value *v)
{
	return v && is_dynamic(ms, v, 0);
}

/* The text with each placeholder outside of {{ }}, {% %} and {# #} written as {{ name }}. */
static void rewrite(struct buf *b, const struct modules *ms, const char *s, size_t n)
{
	char close = '\0';

	for (size_t i = 0; i < n;) {
		size_t len = close ? 0 : placeholder(ms, s + i, n - i);
		if (len) {
			buf_fmt(b, "{{ %.*s }}", (int)len, s + i + 2);
			i += len + 3;
			continue;
		}
		if (!close && i + 1 < n && s[i] == '{' && s[i + 1] && strchr("{%#", s[i + 1]))
			close = s[i + 1] == '{' ? '}' : s[i + 1];
		else if (close && i + 1 < n && s[i] == close && s[i + 1] == '}')
			close = '\0';
		buf_ch(b, s[i++]);
	}
}

static bool render_text(struct value **out, struct arena *a, const struct modules *ms, const struct value *v,
			const struct scope *s, struct err *e)
{
	struct value *src = (struct value *)v, *got = NULL;

	if (has_placeholder(ms, v->u.str.s, v->u.str.n)) {
		struct buf b = BUF(a);
		rewrite(&b, ms, v->u.str.s, v->u.str.n);
		src = value_strn(a, buf_text(&b), b.len);
		src->at = v->at;
		src->flags = v->flags;
	}
	if (!text_eval(&got, a, src, s, e))
		return false;
	if (got != v && v->at.file) {
		/* the place that counts is where the user wrote it, not where the looked-up value came from */
		got = arena_dup(a, got, sizeof *got);
		got->at = v->at;
	}
	*out = got;
	return true;
}

static bool render(struct value **out, struct arena *a, const struct modules *ms, const struct value *v,
		   const struct scope *s, unsigned depth, struct err *e);

static bool render_each(struct value **out, struct arena *a, const struct modules *ms, const struct value *v,
			const struct scope *s, unsigned depth, struct err *e)
{
	struct value *fresh = v->type == V_LIST ? value_list(a) : value_map(a);

	fresh->at = v->at;
	fresh->flags = v->flags;
	for (uint32_t i = 0; i < value_len(v); i++) {
		struct value *item;
		if (!render(&item, a, ms, value_at(v, i), s, depth + 1, e))
			return false;
		if (v->type == V_LIST)
			value_push(a, fresh, item);
		else
			value_put_at(a, fresh, v->u.map.items[i].key, item, v->u.map.items[i].at);
	}
	*out = fresh;
	return true;
}

static bool render(struct value **out, struct arena *a, const struct modules *ms, const struct value *v,
		   const struct scope *s, unsigned depth, struct err *e)
{
	*out = (struct value *)v;
	if (depth > NEST_MOST)
		return fail(e, E_INPUT, "a value is nested deeper than %d", NEST_MOST), err_at_value(e, v);
	if (!is_dynamic(ms, v, depth))
		return true;
	return v->type == V_STR ? render_text(out, a, ms, v, s, e) : render_each(out, a, ms, v, s, depth, e);
}

bool value_render(struct value **out, struct arena *a, const struct modules *ms, const struct value *v,
		  const struct scope *s, struct err *e)
{
	return render(out, a, ms, v, s, 0, e);
}

/* ---- names ---- */
static void text_names(struct arena *a, const char *s, size_t n, struct map *names)
{
	struct tmpl *t;
	struct err ignored;
	struct value *list = value_list(a);

	for (const char *p = s, *end = s + n; (p = memchr(p, '$', (size_t)(end - p))); p++) {
		size_t len = p + 2 < end && p[1] == '{' ? strcspn(p + 2, "}") : 0;
		if (len && p[2 + len] == '}')
			map_put(names, arena_strn(a, p + 2, len), names);
	}
	if (!text_is_template(s, n) || !tmpl_parse(&t, a, NULL, s, n, (struct origin){ 0 }, &ignored))
		return;
	tmpl_names(t, a, list);
	for (uint32_t i = 0; i < list->u.list.n; i++)
		map_put(names, value_cstr(list->u.list.items[i], ""), names);
}

static void names_of(struct arena *a, const struct value *v, struct map *names, unsigned depth)
{
	if (depth > NEST_MOST || (v->flags & (V_LITERAL | V_VAULT)))
		return;
	if (v->type == V_STR)
		text_names(a, v->u.str.s, v->u.str.n, names);
	if (v->type == V_LIST || v->type == V_MAP)
		for (size_t i = 0; i < value_len(v); i++)
			names_of(a, value_at(v, i), names, depth + 1);
}

void value_names(struct arena *a, const struct value *v, struct map *names)
{
	if (v)
		names_of(a, v, names, 0);
}
