/*
 * Calling a row: arguments are bound to its parameters by place and by name, too few or unknown ones are errors, and
 * secrecy goes from what went in to what comes out. Also the small readers of arguments that rows are written with.
 */
#include "text/tmpl_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value *call_fail(struct call *k, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return ctx_fail(k->c, k->at, "%s \"%s\": %s", k->what, k->row->name, text);
}

/* The i-th parameter's name; NULL past the last or at a star. */
static const char *param_at(const char *params, unsigned i, size_t *n)
{
	for (; *params && i; i--) {
		params += strcspn(params, ",");
		params += *params == ',';
	}
	*n = strcspn(params, ",");
	return *n && *params != '*' ? params : NULL;
}

static bool takes(const char *params, const char *star)
{
	size_t n = strlen(star);

	for (; *params; params += *params == ',') {
		size_t len = strcspn(params, ",");

		if (len == n && !memcmp(params, star, n))
			return true;
		params += len;
	}
	return false;
}

static bool bind_named(struct call *k, const char *name, struct value *v)
{
	for (unsigned i = 0; i < CALL_PARAMS; i++) {
		size_t n;
		const char *param = param_at(k->row->params, i, &n);

		if (!param)
			break;
		if (strlen(name) != n || memcmp(param, name, n))
			continue;
		if (k->args[i])
			return call_fail(k, "argument \"%s\" is given twice", name);
		k->args[i] = v;
		return true;
	}
	if (!takes(k->row->params, "**"))
		return call_fail(k, "it has no argument \"%s\"", name);
	k->kw_names[k->nkw] = name;
	k->kw_vals[k->nkw++] = v;
	return true;
}

/* Arguments by place; what is over goes to the star. */
static bool bind_places(struct call *k, struct value **args, uint32_t n)
{
	const char *p = k->row->params;
	uint32_t i = 0;

	while (i < CALL_PARAMS && *p && *p != '*') {
		k->args[i] = args[i];
		if (++i == n)
			return true;
		while (*p && *p++ != ',')
			;
	}
	if (!takes(k->row->params, "*"))
		return call_fail(k, "it takes at most %u arguments, not %u", i, n);
	k->more = args + i;
	k->nmore = n - i;
	return true;
}

static bool bind(struct call *k, struct value **args, uint32_t n, const char **kw_names, struct value **kw_vals,
		 uint32_t nkw)
{
	size_t len;

	if (n && !bind_places(k, args, n))
		return false;
	if (nkw) {
		k->kw_names = arena_new_of(k->c->a, const char *, nkw);
		k->kw_vals = arena_new_of(k->c->a, struct value *, nkw);
	}
	for (uint32_t i = 0; i < nkw; i++) {
		if (!bind_named(k, kw_names[i], kw_vals[i]))
			return false;
	}
	for (unsigned i = 0; i < k->row->min; i++) {
		if (i < CALL_PARAMS && k->args[i])
			continue;
		const char *param = param_at(k->row->params, i, &len);

		if (param ? !k->args[i] : k->nmore < k->row->min - i)
			return param ? (bool)call_fail(k, "argument \"%.*s\" is missing", (int)len, param)
				     : (bool)call_fail(k, "an argument is missing");
	}
	return true;
}

static bool is_secret(const struct value *v, bool deep)
{
	return v->flags & V_SECRET || (deep && (v->type == V_LIST || v->type == V_MAP) && op_is_secret(v));
}

static bool result_is_secret(const struct row *row, const struct value *r, const struct value *in, struct value **args,
			     uint32_t n, struct value **vals, uint32_t nkw)
{
	bool deep = r->type != V_LIST && r->type != V_MAP, secret;

	if (row->flags & ROW_PASS || r->flags & V_SECRET)
		return false;
	secret = in && is_secret(in, deep);
	for (uint32_t i = 0; i < n && !secret; i++)
		secret = is_secret(args[i], deep);
	for (uint32_t i = 0; i < nkw && !secret; i++)
		secret = is_secret(vals[i], deep);
	return secret;
}

/* What looking at the whole of a value takes, in steps. */
static uint64_t weight(const struct value *v)
{
	return v->type == V_STR ? v->u.str.n / 64 : v->type == V_LIST || v->type == V_MAP ? value_len(v) / 16 : 0;
}

/* Most rows look at all they are given; those that pass on what they get count for themselves. */
static uint64_t call_cost(const struct row *row, const struct value *in, struct value **args, uint32_t n,
			  struct value **vals, uint32_t nkw)
{
	uint64_t cost = 1;

	if (row->flags & ROW_PASS)
		return cost;
	if (in)
		cost += weight(in);
	for (uint32_t i = 0; i < n; i++)
		cost += weight(args[i]);
	for (uint32_t i = 0; i < nkw; i++)
		cost += weight(vals[i]);
	return cost;
}

struct value *row_call(struct ctx *c, const struct node *at, const char *what, const struct row *row, struct value *in,
		       struct value **args, uint32_t n, const char **kw_names, struct value **kw_vals, uint32_t nkw)
{
	struct call k;
	struct value *r;

	k.c = c; /* one by one: clearing the whole of it first took as long as many a filter */
	k.at = at;
	k.row = row;
	k.named = NULL;
	k.what = what;
	k.in = in;
	for (unsigned i = 0; i < CALL_PARAMS; i++)
		k.args[i] = NULL;
	k.more = k.kw_vals = NULL;
	k.kw_names = NULL;
	k.nmore = k.nkw = 0;

	if (in && !(row->flags & ROW_UNDEF) && !ctx_defined(c, at, in))
		return NULL;
	for (uint32_t i = 0; i < n && !(row->flags & ROW_ARGS); i++) {
		if (!ctx_defined(c, at, args[i]))
			return NULL;
	}
	for (uint32_t i = 0; i < nkw && !(row->flags & ROW_ARGS); i++) {
		if (!ctx_defined(c, at, kw_vals[i]))
			return NULL;
	}
	if (!ctx_step(c, at, call_cost(row, in, args, n, kw_vals, nkw)) || !bind(&k, args, n, kw_names, kw_vals, nkw))
		return NULL;
	r = row->fn(&k);
	if (r && !(row->flags & ROW_PASS))
		ctx_step(c, at, weight(r));
	if (c->failed)
		return NULL;
	if (!r)
		bug("%s %s failed without a message", what, row->name);
	return op_secret(c, r, result_is_secret(row, r, in, args, n, kw_vals, nkw));
}

const char *call_str(struct call *k, unsigned i, const char *dflt)
{
	const struct value *v = k->args[i];
	const char *s;

	if (!v || v->type == V_NULL)
		return dflt;
	s = op_str(k->c, k->at, v);
	return s ? s : "";
}

int64_t call_int(struct call *k, unsigned i, int64_t dflt)
{
	const struct value *v = k->args[i];

	if (!v || v->type == V_NULL)
		return dflt;
	if (v->type == V_INT || v->type == V_BOOL)
		return op_int(v);
	if (v->type == V_FLOAT && v->u.f > -9e15 && v->u.f < 9e15)
		return (int64_t)v->u.f;
	if (v->type == V_STR) {
		char *end;
		long long n = strtoll(v->u.str.s, &end, 10);

		if (end != v->u.str.s && !*end)
			return n;
	}
	call_fail(k, "argument %u is an integer, not %s", i + 1, op_type(v));
	return dflt;
}

bool call_bool(struct call *k, unsigned i, bool dflt)
{
	return k->args[i] && ctx_defined(k->c, k->at, k->args[i]) ? op_truth(k->args[i]) : dflt;
}

double call_num(struct call *k, const struct value *v)
{
	if (!v || !op_is_num(v)) {
		call_fail(k, "needs a number, not %s", v ? op_type(v) : "nothing");
		return 0;
	}
	return op_real(v);
}

const char *call_in(struct call *k, size_t *n)
{
	struct buf b = BUF(k->c->a);
	size_t len;

	if (!n)
		n = &len;
	if (k->in->type == V_STR) {
		*n = k->in->u.str.n;
		return k->in->u.str.s;
	}
	op_text(k->c, k->at, &b, k->in, "None");
	*n = b.len;
	return buf_text(&b);
}

const char *call_text(struct call *k, size_t *n)
{
	if (k->in->type == V_NULL)
		call_fail(k, "needs a string, not null");
	return call_in(k, n);
}

struct value *call_list(struct call *k)
{
	struct value *list = op_iter(k->c, k->at, k->in);

	if (!list || !ctx_step(k->c, k->at, list->u.list.n / 4))
		return value_list(k->c->a); /* failed: nothing to walk */
	return list;
}

bool call_room(struct call *k, size_t n)
{
	if (n > LIMIT_TEXT)
		call_fail(k, "the result is longer than 16 MiB");
	return ctx_step(k->c, k->at, 1);
}

struct value *call_attr(struct call *k, struct value *item, const struct value *path)
{
	struct ctx *c = k->c;

	if (path->type == V_INT)
		return ctx_item(c, NULL, item, (struct value *)(uintptr_t)path);

	const char *s = op_str(c, k->at, path);

	if (s && item && item->type == V_MAP && !strchr(s, '.'))
		return ctx_attr(c, NULL, item, s);
	while (s && item) {
		size_t n = strcspn(s, ".");
		const char *part = arena_strn(c->a, s, n);

		if (n && strspn(part, "0123456789") == n && item->type != V_MAP)
			item = ctx_item(c, NULL, item, value_int(c->a, strtoll(part, NULL, 10)));
		else
			item = ctx_attr(c, NULL, item, part);
		if (!s[n])
			break;
		s += n + 1;
	}
	return c->failed ? NULL : item;
}

struct value *call_named(struct call *k, const char *what, struct value *item, uint32_t skip)
{
	const struct value *name = k->nmore > skip ? k->more[skip] : NULL;

	if (!name || name->type != V_STR)
		return call_fail(k, "the name of a %s is missing", what);
	if (!k->named) /* the same for every item */
		k->named = what[0] == 'f' ? row_filter(name->u.str.s) : row_test(name->u.str.s);
	if (!k->named)
		return call_fail(k, "there is no %s \"%s\"", what, name->u.str.s);
	return row_call(k->c, k->at, what, k->named, item, k->more + skip + 1, k->nmore - skip - 1, k->kw_names, k->kw_vals,
			k->nkw);
}
