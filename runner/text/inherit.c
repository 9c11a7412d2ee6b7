/*
 * Templates that use others, and the entry points of a render: extends and block with super(), include, import, and
 * text_eval for strings inside other files.
 */
#include "text/inherit.h"

#include <string.h>

void inherit_register(struct ctx *c, const struct tmpl *t)
{
	for (uint32_t i = 0; i < t->nblocks; i++) {
		struct block_use *use = arena_get(c->a, sizeof *use);
		bool found;
		struct value *first = ctx_frame_get(&c->blocks, t->blocks[i]->name, &found);

		use->node = t->blocks[i];
		use->t = t;
		if (!found) {
			frame_set(c, &c->blocks, use->node->name, (struct value *)(void *)use);
			continue;
		}

		struct block_use *last = (struct block_use *)(void *)first;

		while (last->next)
			last = last->next;
		last->next = use;
	}
}

static bool block_run(struct ctx *c, const struct block_use *use, struct frame *up)
{
	struct frame *frame = c->frame;
	const struct tmpl *t = c->t;
	struct func *f = arena_get(c->a, sizeof *f);

	f->v.type = V_FUNC;
	f->kind = FUNC_SUPER;
	f->use = use->next;
	c->frame = frame_new(c, up);
	c->t = use->t;
	frame_set(c, c->frame, "super", &f->v);
	if (++c->calls > LIMIT_CALLS)
		return ctx_fail(c, use->node, "blocks are nested more than %d deep", LIMIT_CALLS);
	if (!render_body(c, use->node->b))
		return false;
	c->calls--;
	c->frame = frame;
	c->t = t;
	return true;
}

bool inherit_block(struct ctx *c, const struct node *n)
{
	bool found;
	struct block_use *use = (struct block_use *)(void *)ctx_frame_get(&c->blocks, n->name, &found);

	if (!found) /* of an included template: only its own */
		return ctx_fail(c, n, "block \"%s\" belongs to no template", n->name);
	return block_run(c, use, n->flag ? c->frame : c->top);
}

struct value *render_super(struct ctx *c, const struct node *at, const struct block_use *use)
{
	struct buf b = BUF(c->a), *out = c->out;
	bool secret = c->out_secret;
	struct value *v = NULL;

	if (!use)
		return ctx_fail(c, at, "there is no parent's block for super() to give");
	c->out = &b;
	c->out_secret = false;
	if (block_run(c, use, c->top))
		v = op_secret(c, op_buf(c, &b), c->out_secret);
	c->out = out;
	c->out_secret = secret;
	return v;
}

/* Load and parse; *missing: it does not exist and may be missing. */
static struct tmpl *load(struct ctx *c, const struct node *at, struct value *name, bool *missing)
{
	struct err e = { 0 };
	struct tmpl *t = NULL;
	const char *file = c->t->file, *text;

	if (name->type != V_STR)
		return (void *)ctx_fail(c, at, "a template's name is a string, not %s", op_type(name));
	if (!c->scope || !c->scope->load)
		return (void *)ctx_fail(c, at, "template \"%s\" cannot be loaded: there are no other templates here",
					name->u.str.s);
	text = c->scope->load(c->scope->ctx, name->u.str.s, &file, &e);
	if (!text && missing) {
		*missing = true;
		return NULL;
	}
	if (!text)
		return (void *)ctx_fail(c, at, "template \"%s\": %s", name->u.str.s,
					e.msg[0] ? e.msg : "it does not exist");
	if (file == c->t->file)
		file = name->u.str.s;
	if (!ctx_step(c, at, strlen(text) / 8))
		return NULL;
	if (!tmpl_parse(&t, c->a, file, text, strlen(text), (struct origin){ 0 }, &e)) {
		c->failed = true;
		if (c->e)
			*c->e = e;
		return NULL;
	}
	return t;
}

bool inherit_extends(struct ctx *c, const struct node *n)
{
	struct value *name = eval_used(c, n->a);
	struct tmpl *t = name ? load(c, n, name, NULL) : NULL;

	if (!t)
		return false;
	if (c->extended)
		return ctx_fail(c, n, "a template can extend only one other");
	if (++c->calls > LIMIT_CALLS)
		return ctx_fail(c, n, "templates extend each other more than %d deep", LIMIT_CALLS);
	inherit_register(c, t);
	/* The rest of the child may still set names and define macros that its blocks use: it runs first, into nothing.
	 * The parent itself is rendered at the child's end, see render_all. */
	c->extended = true;
	c->parent = t;
	return true;
}

/* The statements of t, then of the template it extends, and so on up. */
static bool render_all(struct ctx *c, const struct tmpl *t)
{
	struct buf *out = c->out;

	inherit_register(c, t);
	for (;;) {
		struct buf nothing = BUF(c->a);
		bool secret = c->out_secret;

		c->t = t;
		c->extended = false;
		c->parent = NULL;
		for (uint32_t i = 0; i < t->body->n; i++) {
			const struct node one = {
				.kind = S_BODY, .kids = &t->body->kids[i], .n = 1, .line = 1, .col = 1};

			if (c->extended) { /* only what sets names still matters */
				uint8_t kind = t->body->kids[i]->kind;

				if (kind == S_BLOCK || kind == S_PRINT || kind == S_TEXT)
					continue;
				c->out = &nothing;
			}
			if (!render_body(c, &one))
				return false;
			if (c->extended)
				c->out_secret = secret;
		}
		c->out = out;
		if (!c->parent)
			return true;
		t = c->parent;
	}
}

/* Render another template inside this one, in a frame of its own. */
static bool render_other(struct ctx *c, const struct node *at, const struct tmpl *t, struct frame *frame)
{
	struct frame *was_frame = c->frame, *was_top = c->top, was_blocks = c->blocks;
	const struct tmpl *was_t = c->t, *was_parent = c->parent;
	bool was_extended = c->extended;

	if (++c->calls > LIMIT_CALLS)
		return ctx_fail(c, at, "templates include each other more than %d deep", LIMIT_CALLS);
	c->frame = c->top = frame;
	c->blocks = (struct frame){ 0 };
	if (!render_all(c, t))
		return false;
	c->frame = was_frame;
	c->top = was_top;
	c->blocks = was_blocks;
	c->t = was_t;
	c->parent = was_parent;
	c->extended = was_extended;
	c->calls--;
	return true;
}

bool inherit_include(struct ctx *c, const struct node *n)
{
	struct value *name = eval_used(c, n->a);
	struct tmpl *t = NULL;
	bool missing = false;

	if (!name)
		return false;
	if (name->type == V_LIST) { /* the first that exists */
		for (uint32_t i = 0; i < name->u.list.n && !t && !c->failed; i++)
			t = load(c, n, name->u.list.items[i], i + 1 < name->u.list.n || n->op ? &missing : NULL);
	} else {
		t = load(c, n, name, n->op ? &missing : NULL);
	}
	if (!t)
		return !c->failed && missing;
	return render_other(c, n, t, frame_new(c, n->flag ? c->frame : NULL));
}

static bool import_names(struct ctx *c, const struct node *n, const struct frame *f)
{
	for (uint32_t i = 0; i < n->n; i++) {
		struct frame own = *f;
		bool found;
		struct value *v;

		own.up = NULL;
		v = ctx_frame_get(&own, n->kids[i]->name, &found);
		if (!found) {
			v = value_undef(c->a, n->kids[i]->name);
			v->source = arena_fmt(c->a, "the imported template does not define \"%s\"", n->kids[i]->name);
		}
		frame_set(c, c->frame, n->kids[i]->lit->u.str.s, v);
	}
	return true;
}

bool inherit_import(struct ctx *c, const struct node *n)
{
	struct value *name = eval_used(c, n->a);
	struct tmpl *t = name ? load(c, n, name, NULL) : NULL;
	struct frame *f = frame_new(c, n->flag ? c->frame : NULL);
	struct buf nothing = BUF(c->a), *out = c->out;
	bool secret = c->out_secret;

	if (!t)
		return false;
	c->out = &nothing;
	if (!render_other(c, n, t, f))
		return false;
	c->out = out;
	c->out_secret = secret;
	if (n->kind == S_FROM)
		return import_names(c, n, f);

	struct ns *ns = arena_get(c->a, sizeof *ns);

	ns->v.type = V_NS;
	ns->map = value_map(c->a);
	for (uint32_t i = 0; i < f->n; i++)
		value_put(c->a, ns->map, f->binds[i].name, f->binds[i].val);
	frame_set(c, c->frame, n->name, &ns->v);
	return true;
}

bool tmpl_render(const struct tmpl *t, struct arena *a, const struct scope *s, struct buf *out, bool *secret,
		 struct err *e)
{
	struct ctx c;
	struct buf b = BUF(a);
	unsigned have = 0;

	ctx_start(&c, a, s, t, e);
	c.out = &b;
	if (!render_all(&c, t))
		return false;
	while (have < b.len && b.p[b.len - 1 - have] == '\n')
		have++;
	for (; have < t->newlines; have++)
		buf_ch(&b, '\n');
	if (out->a == a && !out->len)
		*out = b;
	else
		buf_add(out, b.p, b.len);
	if (secret)
		*secret = c.out_secret;
	return true;
}

bool expr_eval(const struct expr *x, struct arena *a, const struct scope *s, struct value **out, struct err *e)
{
	struct ctx c;
	struct value *v;

	ctx_start(&c, a, s, &x->t, e);
	v = eval_used(&c, x->t.body);
	if (!v)
		return false;
	if (x->t.body->kind != X_NAME || v->type > V_UNDEF) { /* what the scope gave is sound */
		if (v->type != V_UNDEF && !op_sound(&c, x->t.body, v))
			return false;
	}
	*out = v->type == V_UNDEF ? value_null(a) : v;
	return true;
}

bool text_is_template(const char *s, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (s[i] == '{' && (s[i + 1] == '{' || s[i + 1] == '%' || s[i + 1] == '#'))
			return true;
	}
	return false;
}

bool text_eval(struct value **out, struct arena *a, const struct value *str, const struct scope *s, struct err *e)
{
	struct tmpl *t;
	struct buf b = BUF(a);
	bool secret = false;

	if (!str || str->type != V_STR || str->flags & V_LITERAL || !text_is_template(str->u.str.s, str->u.str.n)) {
		*out = (struct value *)(uintptr_t)str;
		return true;
	}
	if (!tmpl_parse(&t, a, str->at.file, str->u.str.s, str->u.str.n, str->at, e))
		return false;
	if (t->body->n == 1 && t->body->kids[0]->kind == S_PRINT && !t->newlines) {
		const struct expr x = {
			.t = {.file = t->file, .at = t->at, .body = t->body->kids[0]->a, .owns = t->owns}};

		if (!expr_eval(&x, a, s, out, e))
			return false;
	} else {
		if (!tmpl_render(t, a, s, &b, &secret, e))
			return false;
		*out = value_strn(a, buf_text(&b), b.len);
		(*out)->at = str->at;
		(*out)->flags |= V_LITERAL; /* what came out of a template is not one again */
	}
	if (secret || str->flags & V_SECRET)
		*out = value_secret(a, *out);
	return true;
}
