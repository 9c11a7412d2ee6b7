/*
 * The state of one render: names and frames, limits, failures, and reaching into values by attribute and item.
 */
#include "text/tmpl_int.h"

#include "base/map.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct value *ctx_fail(struct ctx *c, const struct node *at, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	if (c->failed)
		return NULL;
	c->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail(c->e, E_INPUT, "%s", text);
	if (!at)
		at = c->here;
	if (at && c->t)
		err_at_text(c->e, c->t->file, c->t->at, at->line, at->col);
	return NULL;
}

bool ctx_too_much(struct ctx *c, const struct node *at)
{
	if (c->steps > LIMIT_STEPS)
		ctx_fail(c, at, "the template takes more than %d steps", LIMIT_STEPS);
	else if (arena_used(c->a) - c->start > LIMIT_BYTES)
		ctx_fail(c, at, "the template takes more than %zu MiB of memory", LIMIT_BYTES >> 20);
	return !c->failed;
}

void ctx_start(struct ctx *c, struct arena *a, const struct scope *s, const struct tmpl *t, struct err *e)
{
	*c = (struct ctx){ .a = a, .scope = s, .t = t, .owns = t->owns, .e = e, .start = arena_used(a) };
	c->frame = c->top = frame_new(c, NULL);
}

struct frame *frame_new(struct ctx *c, struct frame *up)
{
	struct frame *f = arena_get(c->a, sizeof *f);

	f->up = up;
	return f;
}

/* Names are told apart by their hashes, which differ for nearly all. */
static inline bool bind_is(const struct bind *b, const char *name, uint32_t hash)
{
	return b->hash == hash && (b->name == name || !strcmp(b->name, name));
}

static void frame_put(struct ctx *c, struct frame *f, const char *name, uint32_t hash, struct value *v)
{
	for (uint32_t i = 0; i < f->n; i++) {
		if (bind_is(&f->binds[i], name, hash)) {
			f->binds[i].val = v;
			return;
		}
	}
	c->steps += f->n / 16; /* names are looked for one by one */
	if (f->n == f->cap) {
		uint32_t cap = f->cap ? f->cap * 2 : 4;
		struct bind *binds = arena_room(c->a, cap * sizeof *binds);

		if (f->n)
			memcpy(binds, f->binds, f->n * sizeof *binds);
		f->binds = binds;
		f->cap = cap;
	}
	f->binds[f->n++] = (struct bind){ .name = name, .val = v, .hash = hash };
}

void frame_set(struct ctx *c, struct frame *f, const char *name, struct value *v)
{
	frame_put(c, f, name, hash_str(name), v);
}

static uint32_t node_hash(const struct node *x)
{
	return x->op ? (uint32_t)x->op : hash_str(x->name);
}

void frame_set_node(struct ctx *c, struct frame *f, const struct node *target, struct value *v)
{
	frame_put(c, f, target->name, node_hash(target), v);
}

static const struct bind *frame_find(const struct frame *f, const char *name, uint32_t hash)
{
	for (; f; f = f->up) {
		for (uint32_t i = 0; i < f->n; i++) {
			if (bind_is(&f->binds[i], name, hash))
				return &f->binds[i];
		}
	}
	return NULL;
}

struct value *ctx_frame_get(const struct frame *f, const char *name, bool *found)
{
	const struct bind *b = frame_find(f, name, hash_str(name));

	*found = b;
	return b ? b->val : NULL;
}

/* The lookup of a name failed: the place and advice of what really failed say more than ours. */
static void ctx_fail_from(struct ctx *c, const struct node *at, const char *name, const struct err *e)
{
	ctx_fail(c, at, "\"%s\": %s", name, e->msg);
	if (!c->e)
		return;
	memcpy(c->e->detail, e->detail, sizeof e->detail);
	memcpy(c->e->hint, e->hint, sizeof e->hint);
	c->e->code = e->code;
	if (e->where[0])
		memcpy(c->e->where, e->where, sizeof e->where);
}

static struct value *ctx_ask(struct ctx *c, const struct node *at, const char *name, uint32_t hash)
{
	struct err e;
	const struct bind *known = frame_find(&c->asked, name, hash);
	struct value *v;

	if (known || !c->scope || !c->scope->get)
		return known ? known->val : NULL;
	e.code = 0; /* the rest is written when it fails, and is long */
	v = c->scope->get(c->scope->ctx, name, &e);
	if (!v && e.code) {
		ctx_fail_from(c, at, name, &e);
		return NULL;
	}
	/* what the inventory holds is shared by every host: a template that changes lists gets copies */
	if (v && c->owns && (v->type == V_LIST || v->type == V_MAP)) {
		if (!op_bounded(c, at, v))
			return NULL;
		v = value_copy(c->a, v);
	}
	frame_put(c, &c->asked, name, hash, v);
	return v;
}

struct value *ctx_name(struct ctx *c, const struct node *x)
{
	const char *name = x->name;
	uint32_t hash = node_hash(x);
	const struct bind *b = frame_find(c->frame, name, hash);
	struct value *v = b ? b->val : ctx_ask(c, x, name, hash);

	c->steps += (c->frame->n + c->top->n + c->asked.n) / 16;
	if (v || c->failed)
		return v;

	if (x->row) {
		struct func *f = arena_get(c->a, sizeof *f);

		f->v.type = V_FUNC;
		f->kind = FUNC_GLOBAL;
		f->row = x->row;
		return &f->v;
	}
	if (!strcmp(name, "lookup") || !strcmp(name, "query") || !strcmp(name, "q"))
		return ctx_fail(c, x, "\"%s\" is not there: templates cannot read files or run programs", name);
	return value_undef(c->a, name);
}

bool ctx_undefined(struct ctx *c, const struct node *at, const struct value *v)
{
	if (!v)
		return false;
	if (v->flags & V_SOFT)
		return true;
	if (v->source)
		ctx_fail(c, at, "%s", v->source);
	else
		ctx_fail(c, at, "\"%s\" is undefined", v->u.str.s);
	return false;
}

/* An undefined with a message of its own. */
static struct value *ctx_missing(struct ctx *c, const char *name, const char *fmt, ...) ARENA_PRINTF(3);
static struct value *ctx_missing(struct ctx *c, const char *name, const char *fmt, ...)
{
	struct value *v = value_undef(c->a, name);
	va_list ap;

	va_start(ap, fmt);
	v->source = arena_vfmt(c->a, fmt, ap);
	va_end(ap);
	return v;
}

static const char *const loop_names[] = {"index",    "index0",   "first", "last",   "length", "revindex", "revindex0",
				   "previtem", "nextitem", "depth", "depth0", "cycle",	"changed"};

static struct value *loop_func(struct ctx *c, struct loop *l, enum func_kind kind)
{
	struct func *f = arena_get(c->a, sizeof *f);

	f->v.type = V_FUNC;
	f->kind = kind;
	f->loop = l;
	return &f->v;
}

int ctx_loop_member(const char *name)
{
	int which = 0, most = sizeof loop_names / sizeof *loop_names;

	while (which < most && strcmp(loop_names[which], name))
		which++;
	return which;
}

static struct value *loop_attr(struct ctx *c, const struct node *at, struct loop *l, const char *name)
{
	int64_t i = l->i, n = l->list->u.list.n;

	switch (at && at->kind == X_ATTR && at->name == name ? at->op : ctx_loop_member(name)) {
	case 0:
		return value_int(c->a, i + 1);
	case 1:
		return value_int(c->a, i);
	case 2:
		return value_bool(c->a, i == 0);
	case 3:
		return value_bool(c->a, i == n - 1);
	case 4:
		return value_int(c->a, n);
	case 5:
		return value_int(c->a, n - i);
	case 6:
		return value_int(c->a, n - i - 1);
	case 7:
		return i ? l->list->u.list.items[i - 1] : ctx_missing(c, name, "there is no previous item");
	case 8:
		return i < n - 1 ? l->list->u.list.items[i + 1] : ctx_missing(c, name, "there is no next item");
	case 9:
		return value_int(c->a, l->depth + 1);
	case 10:
		return value_int(c->a, l->depth);
	case 11:
		return loop_func(c, l, FUNC_CYCLE);
	case 12:
		return loop_func(c, l, FUNC_CHANGED);
	default:
		return ctx_missing(c, name, "\"loop\" has no member \"%s\"", name);
	}
}

/* "a.b.c" of the node that was asked for a member, for messages. */
static void ctx_path(struct buf *b, const struct node *x)
{
	size_t begin = b->len;

	if (x->kind == X_NAME) {
		buf_str(b, x->name);
	} else if (x->kind == X_ATTR) {
		ctx_path(b, x->a);
		buf_str(b, b->len > begin ? "." : "");
		buf_str(b, x->name);
	} else if (x->kind == X_INDEX) {
		ctx_path(b, x->a);
		if (x->b->kind == X_LIT && x->b->lit->type == V_STR)
			buf_fmt(b, "['%s']", x->b->lit->u.str.s);
		else if (x->b->kind == X_LIT && x->b->lit->type == V_INT)
			buf_fmt(b, "[%" PRId64 "]", x->b->lit->u.i);
		else
			buf_str(b, "[...]");
	} else {
		buf_str(b, "...");
	}
}

static struct value *ctx_no_member(struct ctx *c, const struct node *at, const struct value *v, const char *name)
{
	struct buf b = BUF(c->a);

	if (v->type == V_NULL)
		return ctx_missing(c, name, "null has no member \"%s\"", name);
	if (v->type != V_MAP && v->type != V_NS)
		return ctx_missing(c, name, "%s has no member \"%s\"", op_type(v), name);
	if (at && (at->kind == X_ATTR || at->kind == X_INDEX)) {
		struct value *none = value_undef(c->a, name);

		buf_ch(&b, '"'); /* most are never told: `default` takes them, so that no printf is worth it */
		buf_str(&b, name);
		buf_str(&b, "\" is undefined: \"");
		ctx_path(&b, at->a);
		buf_str(&b, "\" has no such member");
		none->source = buf_text(&b);
		return none;
	}
	return value_undef(c->a, name);
}

/* Member of a map that only the scope knows, such as a variable of another host. */
static struct value *ctx_ask_item(struct ctx *c, const struct node *at, const struct value *map, const char *name)
{
	struct err e = { 0 };
	struct value *v = c->scope && c->scope->item ? c->scope->item(c->scope->ctx, map, name, &e) : NULL;

	if (!v && e.code) {
		ctx_fail_from(c, at, name, &e);
		return NULL;
	}
	if (v && c->owns && (v->type == V_LIST || v->type == V_MAP))
		v = op_bounded(c, at, v) ? value_copy(c->a, v) : NULL;
	return v || c->failed ? v : ctx_no_member(c, at, map, name);
}

struct value *ctx_attr(struct ctx *c, const struct node *at, struct value *v, const char *name)
{
	struct value *got = NULL;

	switch (v->type) {
	case V_UNDEF: /* stays the first one that was missing */
		return v;
	case V_MAP:
		got = value_get(v, name);
		if (!got && v->flags & V_LAZY)
			return ctx_ask_item(c, at, v, name);
		break;
	case V_NS:
		got = value_get(((struct ns *)v)->map, name);
		break;
	case V_LOOP:
		return loop_attr(c, at, (struct loop *)v, name);
	default:
		break;
	}
	return got ? op_secret(c, got, v->flags & V_SECRET) : ctx_no_member(c, at, v, name);
}

static struct value *ctx_item_at(struct ctx *c, struct value *v, int64_t i)
{
	int64_t n = v->type == V_LIST ? v->u.list.n : (int64_t)utf8_len(v->u.str.s, v->u.str.n);
	int64_t want = i < 0 ? i + n : i;

	if (v->type == V_STR && !ctx_step(c, NULL, v->u.str.n / 128))
		return NULL;
	if (want < 0 || want >= n)
		return ctx_missing(c, "item", "%s has no item %" PRId64 ": it has %" PRId64, op_type(v), i, n);
	if (v->type == V_LIST)
		return op_secret(c, v->u.list.items[want], v->flags & V_SECRET);

	size_t from = utf8_at(v->u.str.s, v->u.str.n, (size_t)want);

	return op_secret(c, value_strn(c->a, v->u.str.s + from, utf8_next(v->u.str.s, v->u.str.n, from, NULL) - from),
			 v->flags & V_SECRET);
}

struct value *ctx_item(struct ctx *c, const struct node *at, struct value *v, struct value *key)
{
	if (v->type == V_UNDEF)
		return v;
	if (!ctx_defined(c, at, key))
		return NULL;
	if ((v->type == V_LIST || v->type == V_STR) && (key->type == V_INT || key->type == V_BOOL))
		return ctx_item_at(c, v, op_int(key));
	if (key->type == V_STR)
		return ctx_attr(c, at, v, key->u.str.s);
	if (key->type == V_LIST || key->type == V_MAP || key->type >= V_UNDEF)
		return ctx_fail(c, at, "a %s cannot be a key", op_type(key));

	const char *name = op_str(c, at, key); /* keys are text here, so d[1] is d['1'] */

	return name ? ctx_attr(c, at, v, name) : NULL;
}
