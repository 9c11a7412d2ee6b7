/*
 * What `pig configure` changes in a template's text, each at the place where the value stands. It knows no parameter by
 * name: the template's comment line says which ones the options mean, the modules' rows which ones are secret.
 */
#include "cli/configure.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/os.h"

#define MARK "# configure:"

/* ---- the template ---- */
static void words_read(struct conf *f)
{
	struct arena *a = f->c->a;
	const char *line = strstr(buf_text(&f->text), MARK);

	f->words = MAP(a);
	if (!line)
		return;
	for (const char *s = line + strlen(MARK); *s && *s != '\n';) {
		size_t n = strcspn(s, " \t\n"), eq = strcspn(s, "= \t\n");
		if (eq < n)
			map_put(&f->words, arena_strn(a, s, eq), arena_strn(a, s + eq + 1, n - eq - 1));
		s += n + strspn(s + n, " \t");
	}
}

bool conf_read(struct conf *f)
{
	struct arena *a = f->c->a;

	f->text = BUF(a);
	if (!os_read(&f->text, f->path, 0, f->e) ||
	    !value_from_yaml(&f->doc, a, f->path, buf_text(&f->text), f->text.len, f->e))
		return false;
	if (f->doc->type != V_MAP) {
		fail(f->e, E_INPUT, "template \"%s\" is no inventory: a map of groups is wanted", f->path);
		return false;
	}
	words_read(f);
	f->ed = edits_new(a, buf_text(&f->text), f->text.len);
	f->fresh = f->renewed = MAP(a);
	return true;
}

const char *conf_word(struct conf *f, const char *word, const char *option)
{
	const char *got = map_get(&f->words, word);

	if (got && *got)
		return got;
	if (option) {
		fail(f->e, E_INPUT, "template \"%s\" does not say what %s means", f->path, option);
		err_hint(f->e, "Its comment line \"" MARK " %s=...\" would.", word);
	}
	return NULL;
}

/* ---- every parameter that is written ---- */
typedef bool entry_fn(struct conf *f, const struct entry *en, bool of_all, const void *arg);

static bool vars_each(struct conf *f, const struct value *vars, bool of_all, entry_fn *fn, const void *arg)
{
	for (uint32_t i = 0; vars && vars->type == V_MAP && i < vars->u.map.n; i++)
		if (!fn(f, &vars->u.map.items[i], of_all, arg))
			return false;
	return true;
}

static bool groups_each(struct conf *f, const struct value *groups, entry_fn *fn, const void *arg)
{
	for (uint32_t i = 0; groups && groups->type == V_MAP && i < groups->u.map.n; i++) {
		const struct entry *g = &groups->u.map.items[i];
		const struct value *hosts = value_get(g->val, "hosts");
		bool all = groups == f->doc && !strcmp(g->key, "all");
		if (!vars_each(f, value_get(g->val, "vars"), all, fn, arg) ||
		    !groups_each(f, value_get(g->val, "children"), fn, arg))
			return false;
		for (uint32_t k = 0; hosts && hosts->type == V_MAP && k < hosts->u.map.n; k++)
			if (!vars_each(f, hosts->u.map.items[k].val, false, fn, arg))
				return false;
	}
	return true;
}

static bool params_each(struct conf *f, entry_fn *fn, const void *arg)
{
	return groups_each(f, f->doc, fn, arg);
}

static bool at_fault(struct conf *f, const struct value *v, const char *what)
{
	fail(f->e, E_INPUT, "%s is not written on one line and cannot be changed there", what);
	return err_at_value(f->e, v);
}

/* A new line at the top of the vars of all. */
static bool line_add(struct conf *f, const char *name, const char *text)
{
	const struct entry *en = value_entry(value_get(f->doc, "all"), "vars");

	if (en && en->val->type == V_MAP && en->val->u.map.n && en->val->u.map.items[0].at.line > en->at.line) {
		edits_line(f->ed, en->val->u.map.items[0].at.line, arena_fmt(f->c->a, "%s: %s", name, text));
		return true;
	}
	fail(f->e, E_INPUT, "template \"%s\" has no vars of all, a line each, where \"%s\" could be added", f->path,
	     name);
	return en ? err_at(f->e, en->at.file, en->at.line, en->at.col) : false;
}

/* A scalar as YAML writes it on one line. */
static const char *scalar_text(struct arena *a, const char *s)
{
	struct buf b = BUF(a);
	struct value *v = value_from_plain(a, s, strlen(s));

	value_to_json(&b, v->type == V_INT ? v : value_str(a, s), &(struct json_style){0});
	return buf_text(&b);
}

struct setting {
	const char *name, *to;
	bool all_only; /* in the vars of all alone */
	uint32_t *n;
};

static bool setting_apply(struct conf *f, const struct entry *en, bool of_all, const void *arg)
{
	const struct setting *s = arg;

	if (strcmp(en->key, s->name) != 0 || (s->all_only && !of_all))
		return true;
	++*s->n;
	return edits_scalar(f->ed, en->val, s->to) ||
	       at_fault(f, en->val, arena_fmt(f->c->a, "parameter \"%s\"", en->key));
}

static bool set(struct conf *f, const char *name, const char *to, bool all_only)
{
	uint32_t n = 0;

	if (!params_each(f, setting_apply, &(struct setting){name, to, all_only, &n}))
		return false;
	return n || line_add(f, name, scalar_text(f->c->a, to));
}

bool conf_set(struct conf *f, const char *word, const char *option, const char *to)
{
	const char *name = conf_word(f, word, option);

	return name && set(f, name, to, false);
}

/* "name:value,name:value" */
bool conf_set_small(struct conf *f)
{
	const char *s = conf_word(f, "small", NULL);

	while (s && *s) {
		size_t n = strcspn(s, ","), colon = strcspn(s, ":,");
		if (colon < n &&
		    !set(f, arena_strn(f->c->a, s, colon), arena_strn(f->c->a, s + colon + 1, n - colon - 1), true))
			return false;
		s += n + (s[n] == ',');
	}
	return true;
}

/* ---- address and version: words anywhere ---- */
static bool words_change(struct conf *f, const struct value *v, const char *from, const char *to, bool keys)
{
	bool ok = true;

	if (v->type == V_MAP)
		for (uint32_t i = 0; ok && i < v->u.map.n; i++) {
			const struct entry *en = &v->u.map.items[i];
			if (keys && strstr(en->key, from))
				ok = edits_word(f->ed, en->at, NULL, from, to) || at_fault(f, en->val, en->key);
			ok = ok && words_change(f, en->val, from, to, keys);
		}
	for (size_t i = 0; v->type == V_LIST && ok && i < value_len(v); i++)
		ok = words_change(f, value_at(v, i), from, to, keys);
	if (v->type == V_STR && strstr(v->u.str.s, from))
		ok = edits_word(f->ed, v->at, v->source, from, to) || at_fault(f, v, "a text with the placeholder");
	return ok;
}

static bool key_somewhere(const struct value *v, const char *key)
{
	bool found = false;

	for (size_t i = 0; !found && (v->type == V_MAP || v->type == V_LIST) && i < value_len(v); i++)
		found = (v->type == V_MAP && !strcmp(v->u.map.items[i].key, key)) || key_somewhere(value_at(v, i), key);
	return found;
}

bool conf_set_address(struct conf *f, const char *to)
{
	const char *from = conf_word(f, "address", "-i");

	if (!from)
		return false;
	if (!strcmp(from, to))
		return true;
	if (key_somewhere(f->doc, to)) {
		fail(f->e, E_INPUT, "%s is another host of template \"%s\" already", to, f->path);
		return err_hint(f->e, "-s keeps the template's addresses: change them in the file that is written.");
	}
	return words_change(f, f->doc, from, to, true);
}

static bool version_now(struct conf *f, const struct entry *en, bool of_all, const void *arg)
{
	const struct setting *s = arg;

	(void)f;
	(void)of_all;
	if (!strcmp(en->key, s->name) && en->val->source)
		*(const char **)(uintptr_t)s->to = en->val->source;
	return true;
}

/* "parameter,beginning@..." */
bool conf_set_version(struct conf *f, const char *to)
{
	const char *words = conf_word(f, "version", "-v"), *now = NULL;
	struct arena *a = f->c->a;

	if (!words)
		return false;
	size_t n = strcspn(words, ",");
	const char *name = arena_strn(a, words, n);
	params_each(f, version_now, &(struct setting){.name = name, .to = (const char *)&now});
	for (const char *s = words + n; now && *s == ','; s += n) {
		n = strcspn(++s, ",");
		const char *at = memchr(s, '@', n);
		if (at &&
		    !words_change(
			    f, f->doc, arena_fmt(a, "%.*s%s%.*s", (int)(at - s), s, now, (int)(s + n - at - 1), at + 1),
			    arena_fmt(a, "%.*s%s%.*s", (int)(at - s), s, to, (int)(s + n - at - 1), at + 1), false))
			return false;
	}
	return set(f, name, to, false);
}

/* ---- proxies ---- */
struct found {
	const char *name;
	const struct value *val;
};

static bool find_one(struct conf *f, const struct entry *en, bool of_all, const void *arg)
{
	struct found *o = (struct found *)(uintptr_t)arg;

	(void)f;
	(void)of_all;
	if (!strcmp(en->key, o->name))
		o->val = en->val;
	return true;
}

bool conf_set_proxy(struct conf *f)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
	const char *name = conf_word(f, "proxy", "-x");
	struct found o = {.name = name};
	struct arena *a = f->c->a;
	struct value *map = value_map(a);
	struct buf b = BUF(a);

	if (!name)
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char upper[16] = "";
		for (size_t k = 0; names[i][k]; k++)
			upper[k] = names[i][k] == '_' ? '_' : (char)(names[i][k] - 'a' + 'A');
		const char *v = getenv(names[i]) ? getenv(names[i]) : getenv(upper);
		if (v && *v)
			value_put(a, map, names[i], value_str(a, v));
	}
	if (!value_len(map)) {
		fail(f->e, E_INPUT, "-x: the environment names no proxy");
		return err_hint(f->e, "It takes http_proxy, https_proxy, all_proxy and no_proxy.");
	}
	params_each(f, find_one, &o);
	if (o.val) {
		fail(f->e, E_INPUT, "-x: the template has a \"%s\" of its own", name);
		return err_at_value(f->e, o.val);
	}
	value_to_json(&b, map, &(struct json_style){0});
	return line_add(f, name, buf_text(&b));
}

/* ---- secrets ---- */
/* 24 letters and digits, 142 bits, beginning with a letter so that no YAML reader takes it for a number. */
static const char *secret_make(struct arena *a)
{
	static const char set62[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char s[25];
	size_t n = 0;

	while (n < 24) {
		unsigned char c;
		if (getrandom(&c, 1, 0) != 1)
			bug("no random bytes");
		if ((c &= 63) < (n ? 62 : 52))
			s[n++] = set62[c];
	}
	s[n] = '\0';
	return arena_strn(a, s, n);
}

static const char *secret_for(struct conf *f, const char *old)
{
	const char *s = map_get(&f->fresh, old);

	if (!s) {
		s = secret_make(f->c->a);
		map_put(&f->fresh, old, (void *)(uintptr_t)s);
	}
	return s;
}

/* A text that stands for itself: no template, nothing encrypted. */
static const char *literal_of(const struct value *v)
{
	const char *s = v->type == V_STR ? v->u.str.s : v->source;

	if (!s || !*s || v->type == V_NULL || v->type == V_BOOL || text_is_template(s, strlen(s)) || strstr(s, "${") ||
	    !strncmp(s, "$ANSIBLE_VAULT;", 15))
		return NULL;
	return s;
}

/* Every secret below the marked value is changed, or only looked at: *known when a new text for one exists. */
static bool secrets_in(struct conf *f, const struct value *v, const char *param, bool change, bool *known)
{
	for (size_t i = 0; (v->type == V_MAP || v->type == V_LIST) && i < value_len(v); i++)
		if (!secrets_in(f, value_at(v, i), param, change, known))
			return false;
	const char *s = v->flags & V_SECRET ? literal_of(v) : NULL;
	if (!s)
		return true;
	*known = *known || map_has(&f->fresh, s);
	if (!change)
		return true;
	map_put(&f->renewed, param, f);
	return edits_scalar(f->ed, v, secret_for(f, s)) ||
	       at_fault(f, v, arena_fmt(f->c->a, "a secret of parameter \"%s\"", param));
}

static const struct param *param_of(const struct conf *f, const char *name)
{
	const struct param *p = map_get(&f->modules->params, name);

	return p ? p : map_get(&f->modules->was, name);
}

static bool secret_written(struct conf *f, const struct entry *en, bool of_all, const void *arg)
{
	const struct param *p = param_of(f, en->key);
	bool known = false;

	(void)of_all;
	if (!p)
		return true;
	map_put((struct map *)(uintptr_t)arg, p->row->name, f);
	return secrets_in(f, param_marked(f->c->a, p, en->val), p->row->name, true, &known);
}

/* The default with what is known to be renewed put in. */
static struct value *with_fresh(struct conf *f, const struct value *v)
{
	struct arena *a = f->c->a;
	const char *s = v->flags & V_SECRET ? literal_of(v) : NULL;
	struct value *out = v->type == V_MAP ? value_map(a) : value_list(a);

	if (s)
		return value_str(a, secret_for(f, s));
	if (v->type != V_MAP && v->type != V_LIST)
		return (struct value *)(uintptr_t)v;
	for (size_t i = 0; i < value_len(v); i++) {
		if (v->type == V_MAP)
			value_put(a, out, value_key_at(v, i), with_fresh(f, value_at(v, i)));
		else
			value_push(a, out, with_fresh(f, value_at(v, i)));
	}
	return out;
}

/* A parameter that is written nowhere: a secret default is public and goes; a default with secrets inside goes with
 * those that are renewed elsewhere, as the two must agree. */
static bool secret_default(struct conf *f, const struct param *p)
{
	struct buf b = BUF(f->c->a);
	const struct value *v;
	bool known = false;

	if (!p->dflt || p->row->level == PIG_ARG)
		return true;
	v = param_marked(f->c->a, p, p->dflt);
	secrets_in(f, v, p->row->name, false, &known);
	if (p->row->flags & PIG_SECRET ? !literal_of(v) : !known)
		return true;
	map_put(&f->renewed, p->row->name, f);
	value_to_json(&b, with_fresh(f, v), &(struct json_style){0});
	return line_add(f, p->row->name, buf_text(&b));
}

bool conf_set_secrets(struct conf *f)
{
	const struct map *params = &f->modules->params;
	struct map written = MAP(f->c->a);

	if (!params_each(f, secret_written, &written))
		return false;
	/* those that are secrets themselves first: a default that holds one of them has to follow */
	for (int inside = 0; inside < 2; inside++)
		for (uint32_t i = 0; i < params->n; i++) {
			const struct param *p = params->items[i].val;
			if (!!(p->row->flags & PIG_SECRET) != inside && !map_has(&written, p->row->name) &&
			    !secret_default(f, p))
				return false;
		}
	return true;
}

/* ---- the outcome ---- */
bool conf_result(struct conf *f, const char **text, size_t *len)
{
	struct value *doc;

	*text = edits_text(f->ed, len);
	return value_from_yaml(&doc, f->c->a, f->path, *text, *len, f->e) ||
	       err_wrap(f->e, "the text that would be written is broken");
}
