/*
 * The words behind -e: `k=v k2="v w"`, a map in JSON or YAML, or @file. Values of k=v are strings, as in Ansible; they
 * keep their text as `source`, so that a parameter of another type can read it. Later words win.
 */
#include <string.h>

#include "base/os.h"
#include "model/inventory_build.h"

struct word { struct inv_build *b; const char *text; };

static bool word_fault(const struct word *w, const char *p, const char *msg, const char *hint)
{
	fail(w->b->e, E_INPUT, "-e \"%s\": %s", w->text, msg);
	err_hint(w->b->e, "%s", hint);
	return err_at(w->b->e, "-e", 1, (unsigned)(p - w->text) + 1);
}

/* The end of the part that begins at p: spaces inside quotes and template braces do not end it. NULL when one stays
 * open. */
static const char *part_end(const char *p)
{
	char quote = 0;
	int open = 0;

	for (; *p && (quote || open || !strchr(" \t\n", *p)); p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (quote) {
			quote = *p == quote ? 0 : quote;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '{' && p[1] && strchr("{%#", p[1])) {
			open++;
			p++;
		} else if (open && *p && strchr("}%#", *p) && p[1] == '}') {
			open--;
			p++;
		}
	}
	return quote || open ? NULL : p;
}

/* \n, \t and the like, \xHH: as Ansible decodes a word before it looks at it. */
static const char *unescape(struct arena *a, const char *s, size_t n)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v", hex[] = "0123456789abcdef";
	struct buf b = BUF(a);

	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] == '\\' && i + 1 < n ? strchr(from, s[i + 1]) : NULL;
		if (at) {
			buf_ch(&b, to[at - from]);
			i++;
		} else if (s[i] == '\\' && n - i > 3 && s[i + 1] == 'x' && s[i + 2] >= '2' && s[i + 2] < '8' &&
			   strchr(hex, s[i + 3] | 32)) {
			buf_ch(&b, (char)((s[i + 2] - '0') << 4 | (strchr(hex, s[i + 3] | 32) - hex)));
			i += 3;
		} else {
			buf_ch(&b, s[i]);
		}
	}
	return buf_text(&b);
}

static bool pair_add(struct word *w, const char *from, const char *to)
{
	struct arena *a = w->b->a;
	const char *s = unescape(a, from, (size_t)(to - from)), *eq = *s ? strchr(s + 1, '=') : NULL;

	while (eq && eq[-1] == '\\')
		eq = strchr(eq + 1, '=');
	if (!eq)
		return word_fault(w, from, "a word has no =", "Write name=value, a map in JSON, or @file.");

	size_t klen = (size_t)(eq - s), n = strlen(eq + 1);
	const char *val = eq + 1;
	if (n > 1 && (*val == '"' || *val == '\'') && val[n - 1] == *val && val[n - 2] != '\\') {
		val++;
		n -= 2;
	}
	struct value *v = value_strn(a, val, n);
	v->at = (struct origin){ "-e", 1, (uint32_t)(from - w->text) + 1 };
	v->flags = V_PLAIN;
	v->source = v->u.str.s;
	inventory_put(w->b->inv, w->b->inv->extra, arena_strn(a, s, klen), v, v->at);
	return true;
}

static bool pairs_add(struct word *w)
{
	for (const char *p = w->text + strspn(w->text, " \t\n"); *p;) {
		const char *end = part_end(p);
		if (!end)
			return word_fault(w, p, "a quote or a template's brace is not closed",
				"Quote the whole value.");
		if (!pair_add(w, p, end))
			return false;
		p = end + strspn(end, " \t\n");
	}
	return true;
}

static bool map_add(struct word *w)
{
	struct value *v = NULL;
	struct inv_build *b = w->b;

	if (*w->text == '@') {
		if (!inventory_parse_map(b, &v, w->text + 1, "the file behind -e @"))
			return false;
	} else {
		if (!inventory_parse(b, &v, "-e", w->text, strlen(w->text)))
			return false;
		if (v->type != V_MAP)
			return word_fault(w, w->text, "a map of values is needed", "Write {\"name\": value}.");
	}
	for (uint32_t i = 0; i < v->u.map.n; i++)
		inventory_put(b->inv, b->inv->extra, v->u.map.items[i].key, v->u.map.items[i].val, v->u.map.items[i].at);
	return true;
}

bool inventory_read_extra(struct inv_build *b, const char *const *words, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct word w = { b, words[i] };
		if (!*w.text)
			continue;
		if (*w.text == '/' || *w.text == '.')
			return word_fault(&w, w.text, "this looks like a file",
				"Put @ before a file's name: -e @vars.yml.");
		if (!(strchr("@{[", *w.text) ? map_add(&w) : pairs_add(&w)))
			return false;
	}
	return true;
}
