/*
 * Types: a value as written in the inventory into the value a parameter's row asks for, with every fault found on the
 * way. It renders nothing and looks nothing up; resolve.c does.
 */
#include "model/param_int.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_DEPTH = 8 };

const char *param_type_name(unsigned t)
{
	static const char *const names[] = {
		"unknown", "bool", "int", "float", "string", "enum", "list", "map", "any"
	};

	return names[t <= PIG_ANY ? t : 0];
}

static const char *type_want(enum pig_type t)
{
	static const char *const wants[] = { "",         "true or false", "a whole number", "a number", "a string",
					     "a string", "a list",        "a map",          "" };

	return wants[t <= PIG_ANY ? t : 0];
}

/* The fault of a value: its own place, else that of what holds it. */
static void report(struct typing *t, const struct value *v, bool warning, const char *id, const char *hint,
		   const char *text)
{
	struct type_fault f = {
		.at = v && v->at.file ? v->at : t->at, .warning = warning, .id = id, .text = text, .hint = hint
	};

	t->errors += !warning;
	if (t->fault)
		t->fault(t->ctx, &f);
}

/* Most typings need none, so that it is made by the first that does. */
static struct arena *scratch_of(struct typing *t)
{
	if (!t->scratch)
		t->scratch = arena_new();
	return t->scratch;
}

/* How a message shows the value: short, and never a secret. */
static const char *shown(struct typing *t, const struct value *v)
{
	struct buf b = BUF(t->a);

	if (t->secret || value_is_secret(v))
		return "the value written";
	if (v->type == V_LIST || v->type == V_MAP)
		return arena_fmt(t->a, "a %s", value_type_name(v));
	if (v->source)
		buf_str(&b, v->source);
	else
		value_print(&b, v);
	if (b.len > 60)
		return arena_fmt(t->a, "\"%.57s...\"", b.p);
	return arena_fmt(t->a, "\"%s\"", buf_text(&b));
}

static const struct value *wrong(struct typing *t, const struct shape *sh, const struct value *v, const char *path,
				 const char *hint)
{
	report(t, v, false, "type", hint,
	       arena_fmt(t->a, "%s \"%s\" takes %s, not %s", t->owner, path, type_want(sh->row->type), shown(t, v)));
	return NULL;
}

/* ---- scalars ---- */
static struct value *moved(struct value *fresh, const struct value *from)
{
	fresh->at = from->at;
	fresh->flags = from->flags & (V_SECRET | V_LITERAL);
	return fresh;
}

static const struct value *type_bool(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	static const char *const words[] = { "true", "yes", "on", "false", "no", "off" };

	if (v->type == V_BOOL)
		return v;
	if (v->type == V_INT && (v->u.i == 0 || v->u.i == 1))
		return moved(value_bool(t->a, v->u.i != 0), v);
	if (v->type == V_STR)
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (!strcasecmp(v->u.str.s, words[i]))
				return moved(value_bool(t->a, i < 3), v);
	return wrong(t, sh, v, path, "Write true or false.");
}

static const struct value *type_int(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	if (v->type == V_INT)
		return v;
	if (v->type == V_STR && v->u.str.n) {
		char *end;
		errno = 0;
		long long i = strtoll(v->u.str.s, &end, 10);
		if (!errno && end == v->u.str.s + v->u.str.n && !isspace((unsigned char)v->u.str.s[0]))
			return moved(value_int(t->a, i), v);
	}
	if (v->type == V_FLOAT && v->u.f == floor(v->u.f) && fabs(v->u.f) < 9e15 && !v->source)
		return moved(value_int(t->a, (int64_t)v->u.f), v); /* a template's division */
	return wrong(t, sh, v, path, NULL);
}

static const struct value *type_float(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	if (v->type == V_FLOAT)
		return v;
	if (v->type == V_INT)
		return moved(value_float(t->a, (double)v->u.i), v);
	if (v->type == V_STR && v->u.str.n && !isspace((unsigned char)v->u.str.s[0])) {
		char *end;
		double f = strtod(v->u.str.s, &end);
		if (end == v->u.str.s + v->u.str.n && isfinite(f))
			return moved(value_float(t->a, f), v);
	}
	return wrong(t, sh, v, path, NULL);
}

/* A plain scalar means its text as written: 1.10 stays "1.10", no stays "no". */
static const struct value *type_text(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	struct buf b;

	switch (v->type) {
	case V_STR:
		return v;
	case V_BOOL:
	case V_INT:
	case V_FLOAT:
		if ((v->flags & V_PLAIN) && v->source)
			return moved(value_str(t->a, v->source), v);
		if (v->type == V_BOOL)
			return moved(value_str(t->a, v->u.b ? "true" : "false"), v);
		b = BUF(scratch_of(t));
		value_print(&b, v);
		return moved(value_strn(t->a, buf_text(&b), b.len), v);
	default:
		return wrong(t, sh, v, path,
			     v->type == V_MAP ? "Put the text in quotes if it begins with \"{\" or holds \": \"."
					      : NULL);
	}
}

/* Text of the right form; port numbers are written as numbers. Empty text stands for "none" unless the row is required.
 */
static bool text_form_ok(struct typing *t, const struct shape *sh, const struct value *v, const char *path,
			 const char *text, size_t len)
{
	const char *near = NULL, *const * choices;
	uint32_t n;

	if (!len && sh->row->type != PIG_ENUM && !(sh->row->flags & PIG_REQUIRED))
		return true;
	if (form_match(sh->form, text, len))
		return true;
	choices = form_choices(sh->form, &n);
	if (choices && !t->secret)
		near = nearest(text, choices, n);
	report(t, v, false, "form", near ? arena_fmt(t->a, "Did you mean \"%s\"?", near) : NULL,
	       arena_fmt(t->a, "%s \"%s\" must be %s, not %s", t->owner, path, form_want(sh->form, t->a), shown(t, v)));
	return false;
}

static bool form_ok(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	if (!sh->form || v->type == V_LIST || v->type == V_MAP)
		return true;
	if (v->source && sh->row->type == PIG_ANY)
		return text_form_ok(t, sh, v, path, v->source, strlen(v->source));
	if (v->type == V_STR)
		return text_form_ok(t, sh, v, path, v->u.str.s, v->u.str.n);

	struct buf b = BUF(scratch_of(t));
	value_print(&b, v);
	return text_form_ok(t, sh, v, path, buf_text(&b), b.len);
}

/* ---- lists and maps ---- */
static const struct shape *member_find(const struct shape *sh, const char *key, bool *was)
{
	*was = false;
	for (uint32_t i = 0; i < sh->n; i++)
		if (!strcmp(sh->members[i].row->name, key))
			return &sh->members[i];
	for (uint32_t i = 0; i < sh->n; i++)
		for (const char *w = sh->members[i].row->was; w && *w;) {
			size_t k = strcspn(w, " ");
			if (strlen(key) == k && !memcmp(key, w, k)) {
				*was = true;
				return &sh->members[i];
			}
			w += k + strspn(w + k, " ");
		}
	return sh->any;
}

static void member_unknown(struct typing *t, const struct shape *sh, const struct entry *en, const char *path)
{
	const char **names = arena_new_of(t->a, const char *, sh->n + 1), *near;
	struct type_fault f = { .at = en->at.file ? en->at : t->at, .id = "unknown-key" };

	for (uint32_t i = 0; i < sh->n; i++)
		names[i] = sh->members[i].row->name;
	near = nearest(en->key, names, sh->n);
	f.warning = !near;
	f.text = arena_fmt(t->a, "%s \"%s\" has no member \"%s\"", t->owner, path, en->key);
	f.hint = near ? arena_fmt(t->a, "Did you mean \"%s\"?", near) : arena_fmt(t->a, "It is passed on as it is.");
	t->errors += !f.warning;
	if (t->fault)
		t->fault(t->ctx, &f);
}

static void member_notes(struct typing *t, const struct shape *m, const struct entry *en, bool was, const char *path)
{
	struct type_fault f = { .at = en->at.file ? en->at : t->at, .warning = true };

	if (was) {
		f.id = "was";
		f.note = true;
		f.text = arena_fmt(t->a, "member \"%s\" of \"%s\" is now called \"%s\"", en->key, path, m->row->name);
	} else if (m->row->flags & PIG_DEPRECATED) {
		f.id = "deprecated";
		f.note = true;
		f.text = arena_fmt(t->a, "member \"%s\" of \"%s\" is deprecated", en->key, path);
	} else if (m->row->flags & PIG_INERT) {
		f.id = "inert";
		f.note = true;
		f.text = arena_fmt(t->a, "member \"%s\" of \"%s\" is known and not yet acted on", en->key, path);
	} else {
		return;
	}
	if (t->fault)
		t->fault(t->ctx, &f);
}

/* One entry of a map with rows: *name is the key in the result. */
static const struct value *type_entry(struct typing *t, const struct shape *sh, const struct entry *en,
				      const char *path, const char **name)
{
	bool was;
	const struct shape *m = member_find(sh, en->key, &was);

	*name = en->key;
	if (!m) {
		member_unknown(t, sh, en, path);
		return en->val;
	}
	if (m != sh->any)
		*name = m->row->name;
	if (en->val->type != V_NULL)
		member_notes(t, m, en, was, path);
	if (en->at.file)
		t->at = en->at;
	if (m == sh->any && m->dflt && en->val->type == V_NULL) /* the key alone says something: { 6379: } */
		return m->dflt;
	return shape_type(t, m, en->val, arena_fmt(scratch_of(t), "%s.%s", path, en->key));
}

/* Does the map say anything for the member, be it wrong? */
static bool member_written(const struct shape *sh, const struct shape *m, const struct value *map)
{
	for (uint32_t i = 0; i < map->u.map.n; i++) {
		bool was;
		if (map->u.map.items[i].val->type != V_NULL && member_find(sh, map->u.map.items[i].key, &was) == m)
			return true;
	}
	return false;
}

static const struct value *type_map(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	if (v->type != V_MAP)
		return wrong(t, sh, v, path, NULL);
	if (!sh->n && !sh->any)
		return v;

	struct value *out = value_map(t->a);
	struct origin at = t->at;
	out->at = v->at;
	out->flags = v->flags;
	for (uint32_t i = 0; i < v->u.map.n; i++) {
		const struct entry *en = &v->u.map.items[i];
		const char *name;
		const struct value *typed = type_entry(t, sh, en, path, &name);
		if (typed) /* null: as if not written */
			value_put_at(t->a, out, name, (struct value *)typed, en->at);
		t->at = at;
	}
	for (uint32_t i = 0; i < sh->n; i++) {
		const struct shape *m = &sh->members[i];
		if (value_get(out, m->row->name))
			continue;
		if (m->dflt)
			value_put(t->a, out, m->row->name, (struct value *)m->dflt);
		else if ((m->row->flags & PIG_REQUIRED) && !member_written(sh, m, v))
			report(t, v, false, "missing", NULL,
			       arena_fmt(t->a, "%s \"%s\" lacks its member \"%s\"", t->owner, path, m->row->name));
	}
	return out;
}

static const struct value *type_list(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	struct value *out;
	struct shape item = *sh;
	struct pig_param row = *sh->row;

	if (v->type != V_LIST)
		return wrong(t, sh, v, path,
			     v->type == V_MAP ? "Begin each item with \"- \"."
					      : arena_fmt(t->a, "Write [%s].",
							  t->secret || value_is_secret(v) ? "..."
							  : v->source                     ? v->source
											  : value_cstr(v, "...")));
	if (!sh->n && !sh->any && !sh->form)
		return v;

	/* the items: maps with the member rows, or scalars of the form */
	row.type = sh->n || sh->any ? PIG_MAP : PIG_ANY;
	row.flags &= (uint16_t)~PIG_REQUIRED;
	item.row = &row;
	out = value_list(t->a);
	out->at = v->at;
	out->flags = v->flags;
	for (uint32_t i = 0; i < v->u.list.n; i++) {
		const struct value *typed =
			shape_type(t, &item, v->u.list.items[i], arena_fmt(scratch_of(t), "%s[%u]", path, i));
		if (typed)
			value_push(t->a, out, (struct value *)typed);
	}
	return out;
}

const struct value *shape_type(struct typing *t, const struct shape *sh, const struct value *v, const char *path)
{
	bool outer_secret = t->secret;
	uint32_t before = t->errors;
	const struct value *out = NULL;

	if (!v || v->type == V_NULL)
		return NULL;
	t->secret = t->secret || (sh->row->flags & PIG_SECRET) || (v->flags & V_SECRET);
	switch (sh->row->type) {
	case PIG_BOOL:
		out = type_bool(t, sh, v, path);
		break;
	case PIG_INT:
		out = type_int(t, sh, v, path);
		break;
	case PIG_FLOAT:
		out = type_float(t, sh, v, path);
		break;
	case PIG_STR:
	case PIG_ENUM:
		out = type_text(t, sh, v, path);
		break;
	case PIG_LIST:
		out = type_list(t, sh, v, path);
		break;
	case PIG_MAP:
		out = type_map(t, sh, v, path);
		break;
	default:
		out = v;
		break;
	}
	if (out && !form_ok(t, sh, out, path))
		out = NULL;
	if (out && (sh->row->flags & PIG_SECRET))
		out = value_secret(t->a, out);
	t->secret = outer_secret;
	return t->errors > before ? NULL : out;
}

struct first {
	struct err *e;
	bool found;
};

static void keep_first(void *ctx, const struct type_fault *f)
{
	struct first *first = ctx;

	if (f->warning || first->found)
		return;
	first->found = true;
	fail(first->e, E_INPUT, "%s", f->text);
	if (f->hint)
		err_hint(first->e, "%s", f->hint);
	if (f->at.file)
		err_at(first->e, f->at.file, f->at.line, f->at.col);
}

bool shape_type_one(const struct value **out, struct arena *a, const struct shape *sh, const struct value *v,
		    struct err *e)
{
	struct first first = { .e = e };
	struct typing t = { .a = a, .fault = keep_first, .ctx = &first, .owner = "parameter" };

	*out = shape_type(&t, sh, v, sh->row->name);
	arena_free(t.scratch);
	return !t.errors;
}

static const struct value *mark(struct arena *a, const struct shape *sh, const struct value *v, bool item)
{
	struct value *out;

	if (v->type == V_NULL)
		return v;
	if (sh->row->flags & PIG_SECRET)
		return value_secret(a, v);
	if ((!sh->n && !sh->any) || (v->type != V_MAP && (v->type != V_LIST || item)))
		return v;
	out = v->type == V_LIST ? value_list(a) : value_map(a);
	out->at = v->at;
	out->flags = v->flags;
	for (uint32_t i = 0; i < value_len(v); i++) {
		const struct value *x = value_at(v, i);
		bool was;
		if (v->type == V_LIST) {
			value_push(a, out, (struct value *)mark(a, sh, x, true));
			continue;
		}
		const struct entry *en = &v->u.map.items[i];
		const struct shape *m = member_find(sh, en->key, &was);
		value_put_at(a, out, en->key, (struct value *)(m ? mark(a, m, x, false) : x), en->at);
	}
	return out;
}

const struct value *param_marked(struct arena *a, const struct param *p, const struct value *v)
{
	return mark(a, p->shape, v, false);
}

/* ---- shapes ---- */
static bool default_make(struct shape *sh, struct arena *a, struct err *e)
{
	const struct pig_param *row = sh->row;
	struct value *raw;

	if (!row->dflt)
		return true;
	if (text_is_template(row->dflt, strlen(row->dflt)))
		return fail(e, E_MODULE, "the default of a member cannot be a template");
	if (!value_from_yaml(&raw, a, arena_fmt(a, "default of %s", row->name), row->dflt, strlen(row->dflt), e)) {
		e->code = E_MODULE;
		return err_wrap(e, "its default is no YAML");
	}
	if (!shape_type_one(&sh->dflt, a, sh, raw, e)) {
		e->code = E_MODULE;
		return err_wrap(e, "its default does not fit");
	}
	return true;
}

static bool shape_fill(struct shape *sh, struct arena *a, const struct pig_param *row, unsigned depth, struct err *e)
{
	const struct pig_param *rows = row->members.rows;
	struct shape *members = arena_new_of(a, struct shape, row->members.n), *any = NULL;
	uint32_t n = 0;

	if (depth > MEMBERS_DEPTH)
		return fail(e, E_MODULE, "members are nested deeper than %d", MEMBERS_DEPTH);
	sh->row = row;
	if (!form_parse(&sh->form, a, row->check, row->type == PIG_ENUM, e))
		return false;
	for (uint32_t i = 0; i < row->members.n; i++) {
		struct shape *m = !strcmp(rows[i].name, "*") ? (any = arena_get(a, sizeof *any)) : &members[n++];
		if (!shape_fill(m, a, &rows[i], depth + 1, e) || !default_make(m, a, e))
			return err_wrap(e, "member \"%s\"", rows[i].name);
	}
	sh->members = members;
	sh->n = n;
	sh->any = any;
	return true;
}

bool shape_make(const struct shape **out, struct arena *a, const struct pig_param *row, struct err *e)
{
	struct shape *sh = arena_get(a, sizeof *sh);

	*out = sh;
	return shape_fill(sh, a, row, 0, e);
}
