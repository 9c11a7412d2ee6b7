/*
 * Walking the statements of a template: output, loops, assignments, macros. Templates that load others are in
 * inherit.c.
 */
#include "text/inherit.h"
#include "text/tmpl_int.h"

#include <string.h>

static bool out_add(struct ctx *c, const struct node *at, const char *s, size_t n)
{
	if (c->out->len + n > LIMIT_TEXT)
		return ctx_fail(c, at, "the output is larger than 16 MiB");
	buf_add(c->out, s, n);
	return true;
}

/* Scalars as text, None as nothing; a list or map has no form that suits every file, so it is refused. */
static bool render_print(struct ctx *c, const struct node *n)
{
	struct value *v = eval_used(c, n->a);

	if (!v)
		return false;
	if (v->flags & V_SECRET)
		c->out_secret = true;
	if (v->type == V_STR)
		return out_add(c, n, v->u.str.s, v->u.str.n);
	return op_text(c, n->a, c->out, v, "") && out_add(c, n, "", 0);
}

static bool render_if(struct ctx *c, const struct node *n)
{
	for (uint32_t i = 0; i < n->n; i += 2) {
		struct value *cond = eval_used(c, n->kids[i]);

		if (!cond)
			return false;
		if (cond->flags & V_SECRET)
			c->out_secret = true;
		if (op_truth(cond))
			return render_body(c, n->kids[i + 1]);
	}
	return n->a ? render_body(c, n->a) : true;
}

static bool assign(struct ctx *c, struct frame *f, const struct node *target, struct value *v)
{
	if (target->kind == X_NAME) {
		frame_set_node(c, f, target, v);
		return true;
	}
	if (target->kind == X_ATTR) {
		struct value *ns = eval_used(c, target->a);

		if (!ns)
			return false;
		if (ns->type != V_NS)
			return ctx_fail(c, target, "only a member of a namespace() can be set, \"%s\" is a %s",
					target->a->name, op_type(ns));
		value_put(c->a, ((struct ns *)ns)->map, target->name, v);
		return true;
	}

	struct value *list = op_iter(c, target, v);

	if (!list)
		return false;
	if (list->u.list.n != target->n)
		return ctx_fail(c, target, "%u names for %u items", target->n, list->u.list.n);
	for (uint32_t i = 0; i < target->n; i++) {
		if (!assign(c, f, target->kids[i], op_secret(c, list->u.list.items[i], v->flags & V_SECRET)))
			return false;
	}
	return true;
}

/* The items that the loop's `if` lets through; its names live in a frame of their own. */
static struct value *loop_filter(struct ctx *c, const struct node *n, struct value *list)
{
	struct value *kept = value_list(c->a);
	struct frame *up = c->frame;

	kept->flags |= list->flags & V_SECRET;
	for (uint32_t i = 0; i < list->u.list.n; i++) {
		c->frame = frame_new(c, up);
		if (!ctx_step(c, n, 1) || !assign(c, c->frame, n->kids[0], list->u.list.items[i]))
			return NULL;

		struct value *cond = eval_used(c, n->a);

		if (!cond)
			return NULL;
		if (op_truth(cond))
			value_push(c->a, kept, list->u.list.items[i]);
	}
	c->frame = up;
	return kept;
}

static bool render_loop(struct ctx *c, const struct node *n, struct value *over, unsigned depth)
{
	struct value *list = op_iter(c, n->kids[1], over);
	struct frame *up = c->frame, *f = frame_new(c, up);
	struct loop *l = arena_get(c->a, sizeof *l);
	unsigned macros = c->macros;

	if (list && n->a)
		list = loop_filter(c, n, list);
	if (!list || !ctx_step(c, n, list->u.list.n / 64))
		return false;
	if (over->flags & V_SECRET)
		c->out_secret = true;
	l->v.type = V_LOOP;
	l->node = n;
	l->frame = up;
	l->depth = depth;
	if (list->u.list.n) { /* what the body does to the list it walks must not move the walk */
		struct value *still = value_list(c->a);

		*still = *list;
		still->u.list.items = arena_dup(c->a, list->u.list.items, list->u.list.n * sizeof *list->u.list.items);
		list = still;
	}
	l->list = list;
	for (uint32_t i = 0; i < list->u.list.n; i++) {
		if (macros != c->macros) { /* a macro may hold on to the last frame */
			f = frame_new(c, up);
			macros = c->macros;
		}
		f->n = 0;
		l->i = i;
		c->frame = f;
		frame_set(c, f, "loop", &l->v);
		if (!ctx_step(c, n, 1) ||
		    !assign(c, f, n->kids[0], op_secret(c, list->u.list.items[i], list->flags & V_SECRET)) ||
		    !render_body(c, n->kids[2]))
			return false;
	}
	c->frame = up;
	if (list->u.list.n || !n->b)
		return true;
	c->frame = frame_new(c, up);
	if (!render_body(c, n->b))
		return false;
	c->frame = up;
	return true;
}

static bool render_for(struct ctx *c, const struct node *n)
{
	struct value *over = eval_used(c, n->kids[1]);

	return over && render_loop(c, n, over, 0);
}

/* Where captured output goes, and what was there before. */
struct capture {
	struct buf buf, *out;
	bool secret;
};

static void capture_begin(struct ctx *c, struct capture *k)
{
	k->buf = BUF(c->a);
	k->out = c->out;
	k->secret = c->out_secret;
	c->out = &k->buf;
	c->out_secret = false;
}

static struct value *capture_end(struct ctx *c, struct capture *k)
{
	struct value *v = op_secret(c, op_buf(c, &k->buf), c->out_secret);

	c->out = k->out;
	c->out_secret = k->secret;
	return v;
}

struct value *render_loop_again(struct ctx *c, const struct node *at, struct loop *l, struct value *list)
{
	struct capture k;
	struct frame *frame = c->frame;
	bool good;

	if (!l->node->flag)
		return ctx_fail(c, at, "\"loop\" can be called in a loop that is \"recursive\" only");
	if (!ctx_defined(c, at, list))
		return NULL;
	if (++c->calls > LIMIT_CALLS)
		return ctx_fail(c, at, "loops call themselves more than %d deep", LIMIT_CALLS);
	capture_begin(c, &k);
	c->frame = l->frame;
	good = render_loop(c, l->node, list, l->depth + 1);
	c->frame = frame;
	c->calls--;
	return good ? capture_end(c, &k) : NULL;
}

struct value *render_capture(struct ctx *c, const struct node *body)
{
	struct capture k;

	capture_begin(c, &k);
	return render_body(c, body) ? capture_end(c, &k) : NULL;
}

/* Filters over a body's text: the chain ends in a filter without input. */
static struct value *apply_filters(struct ctx *c, const struct node *x, struct value *text)
{
	struct node once = *x, lit = { .kind = X_LIT, .line = x->line, .col = x->col };

	if (x->a) {
		lit.lit = apply_filters(c, x->a, text);
		if (!lit.lit)
			return NULL;
	} else {
		lit.lit = text;
	}
	once.a = &lit;
	return eval_used(c, &once);
}

static bool render_filter(struct ctx *c, const struct node *n)
{
	struct frame *up = c->frame;
	struct value *v;

	c->frame = frame_new(c, up);
	v = render_capture(c, n->b);
	if (v)
		v = apply_filters(c, n->c, v);
	c->frame = up;
	if (!v)
		return false;
	c->out_secret |= (v->flags & V_SECRET) != 0;
	return op_text(c, n, c->out, v, "") && out_add(c, n, "", 0);
}

static bool render_set(struct ctx *c, const struct node *n)
{
	struct value *v;

	if (n->kind == S_SET) {
		v = eval(c, n->b);
	} else {
		struct frame *up = c->frame;

		c->frame = frame_new(c, up);
		v = render_capture(c, n->b);
		if (v && n->c)
			v = apply_filters(c, n->c, v);
		c->frame = up;
	}
	return v && assign(c, c->frame, n->a, v);
}

static struct value *macro_value(struct ctx *c, const struct node *n, enum func_kind kind)
{
	struct func *f = arena_get(c->a, sizeof *f);

	f->v.type = V_FUNC;
	f->kind = kind;
	f->node = n;
	f->t = c->t;
	f->frame = c->frame;
	c->macros++;
	return &f->v;
}

static bool render_callblock(struct ctx *c, const struct node *n)
{
	struct value *caller = macro_value(c, n, FUNC_CALLER), *text;
	struct frame *up = c->frame;

	/* the call sees `caller` in a frame of its own; the macro takes it from there */
	c->frame = frame_new(c, up);
	frame_set(c, c->frame, " caller", caller);
	text = eval_used(c, n->a);
	c->frame = up;
	if (!text)
		return false;
	c->out_secret |= (text->flags & V_SECRET) != 0;
	return op_text(c, n, c->out, text, "") && out_add(c, n, "", 0);
}

static bool render_with(struct ctx *c, const struct node *n)
{
	struct frame *up = c->frame, *f = frame_new(c, up);

	for (uint32_t i = 0; i < n->n; i += 2) {
		struct value *v = eval(c, n->kids[i + 1]);

		if (!v)
			return false;
		frame_set(c, f, n->kids[i]->name, v);
	}
	c->frame = f;
	if (!render_body(c, n->b))
		return false;
	c->frame = up;
	return true;
}

static bool render_macro_def(struct ctx *c, const struct node *n)
{
	frame_set(c, c->frame, n->name, macro_value(c, n, FUNC_MACRO));
	return true;
}

static bool macro_has(const struct node *n, const char *name)
{
	for (uint32_t i = 0; i < n->n; i++) {
		if (!strcmp(n->kids[i]->name, name))
			return true;
	}
	return false;
}

/* Bind a macro's parameters in its frame: by place, by name, then by default, which may use the ones before it. */
static bool macro_bind(struct ctx *c, const struct node *at, const struct func *f, struct value **args, uint32_t n,
		       const char **kw_names, struct value **kw_vals, uint32_t nkw)
{
	const struct node *def = f->node;
	struct value *rest = value_list(c->a), *keys = value_map(c->a);

	for (uint32_t i = def->n; i < n; i++)
		value_push(c->a, rest, args[i]);
	for (uint32_t i = 0; i < nkw; i++) {
		if (!macro_has(def, kw_names[i]) && strcmp(kw_names[i], "caller"))
			value_put(c->a, keys, kw_names[i], kw_vals[i]);
	}
	if (rest->u.list.n && !(def->op & MACRO_VARARGS))
		return ctx_fail(c, at, "macro \"%s\" takes %u arguments, not %u", def->name, def->n, n);
	if (keys->u.map.n && !(def->op & MACRO_KWARGS))
		return ctx_fail(c, at, "macro \"%s\" has no parameter \"%s\"", def->name, value_key_at(keys, 0));
	frame_set(c, c->frame, "varargs", rest);
	frame_set(c, c->frame, "kwargs", keys);
	for (uint32_t i = 0; i < def->n; i++) {
		struct value *v = i < n ? args[i] : NULL;

		for (uint32_t k = 0; k < nkw; k++) {
			if (strcmp(kw_names[k], def->kids[i]->name))
				continue;
			if (v)
				return ctx_fail(c, at, "macro \"%s\" is given \"%s\" twice", def->name, kw_names[k]);
			v = kw_vals[k];
		}
		if (!v && def->kids[i]->a) {
			v = eval(c, def->kids[i]->a);
			if (!v)
				return false;
		}
		if (!v) {
			v = value_undef(c->a, def->kids[i]->name);
			v->source = arena_fmt(c->a, "parameter \"%s\" of macro \"%s\" was not given",
					      def->kids[i]->name, def->name);
		}
		frame_set_node(c, c->frame, def->kids[i], v);
	}
	return true;
}

struct value *render_macro(struct ctx *c, const struct node *at, struct func *f, struct value **args, uint32_t n,
			   const char **kw_names, struct value **kw_vals, uint32_t nkw)
{
	struct frame *frame = c->frame;
	const struct tmpl *t = c->t;
	struct capture k;
	struct value *caller = NULL, *v = NULL;
	bool found = false;

	if (++c->calls > LIMIT_CALLS)
		return ctx_fail(c, at, "macros call each other more than %d deep", LIMIT_CALLS);
	if (frame->n && !strcmp(frame->binds[0].name, " caller"))
		caller = ctx_frame_get(frame, " caller", &found);
	for (uint32_t i = 0; i < nkw; i++) {
		if (!strcmp(kw_names[i], "caller"))
			caller = kw_vals[i];
	}
	if (caller && !(f->node->op & MACRO_CALLER) && f->kind == FUNC_MACRO)
		return ctx_fail(c, at, "macro \"%s\" does not use what stands in its call block", f->node->name);
	c->frame = frame_new(c, f->frame);
	if (f->kind == FUNC_MACRO)
		frame_set(c, c->frame, "caller", caller ? caller : value_undef(c->a, "caller"));
	if (macro_bind(c, at, f, args, n, kw_names, kw_vals, nkw)) {
		c->t = f->t;
		capture_begin(c, &k);
		if (render_body(c, f->node->b))
			v = capture_end(c, &k);
		if (v)
			c->t = t;
	}
	c->frame = frame;
	c->calls--;
	return v;
}

static bool render_do(struct ctx *c, const struct node *n)
{
	return eval(c, n->a) != NULL;
}

static bool render_text(struct ctx *c, const struct node *n)
{
	return out_add(c, n, n->lit->u.str.s, n->lit->u.str.n);
}

/* A function each, as of expressions. */
static bool (*const of_kind[])(struct ctx *c, const struct node *n) = {
	[S_TEXT] = render_text,           [S_PRINT] = render_print,         [S_IF] = render_if,
	[S_FOR] = render_for,             [S_SET] = render_set,             [S_SETBLOCK] = render_set,
	[S_MACRO] = render_macro_def,     [S_CALLBLOCK] = render_callblock, [S_FILTER] = render_filter,
	[S_WITH] = render_with,           [S_BLOCK] = inherit_block,        [S_EXTENDS] = inherit_extends,
	[S_INCLUDE] = inherit_include,    [S_IMPORT] = inherit_import,      [S_FROM] = inherit_import,
	[S_DO] = render_do,
};

static bool render_node(struct ctx *c, const struct node *n)
{
	if (n->kind < S_TEXT || n->kind > S_DO)
		bug("node kind %d is no statement", n->kind);
	return of_kind[n->kind](c, n);
}

bool render_body(struct ctx *c, const struct node *body)
{
	if (++c->depth > 3 * LIMIT_TREE)
		return ctx_fail(c, body, "nested too deep");
	for (uint32_t i = 0; i < body->n; i++) {
		if (!ctx_step(c, body->kids[i], 1) || !render_node(c, body->kids[i]))
			return false;
	}
	c->depth--;
	return true;
}
