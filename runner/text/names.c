/*
 * The names a template may ask its scope for, found without rendering it. A name set in one branch counts as set after
 * it, so that the list errs on the side of saying nothing.
 */
#include "text/tmpl_int.h"

#include <string.h>

struct walk {
	struct arena *a;
	struct value *names;
	const char **bound;
	size_t n, cap;
};

static void bind(struct walk *w, const char *name)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		const char **bound = arena_new_of(w->a, const char *, cap);

		if (w->n)
			memcpy(bound, w->bound, w->n * sizeof *bound);
		w->bound = bound;
		w->cap = cap;
	}
	w->bound[w->n++] = name;
}

static void ask(struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!strcmp(w->bound[i], name))
			return;
	}
	if (row_global(name))
		return;
	for (size_t i = 0; i < value_len(w->names); i++) {
		if (!strcmp(value_cstr(value_at(w->names, i), ""), name))
			return;
	}
	value_push(w->a, w->names, value_str(w->a, name));
}

static void bind_target(struct walk *w, const struct node *target)
{
	if (target->kind == X_NAME)
		bind(w, target->name);
	for (uint32_t i = 0; i < target->n; i++)
		bind_target(w, target->kids[i]);
}

static void visit(struct walk *w, const struct node *n);

static void visit_all(struct walk *w, const struct node *n)
{
	if (n->kind != S_IF)
		visit(w, n->a);
	visit(w, n->b);
	visit(w, n->c);
	for (uint32_t i = 0; i < n->n; i++)
		visit(w, n->kids[i]);
	if (n->kind == S_IF)
		visit(w, n->a);
	for (uint32_t i = 0; i < n->nkws; i++)
		visit(w, n->kws[i].x);
}

static void visit_macro(struct walk *w, const struct node *n)
{
	static const char *const given[] = { "varargs", "kwargs", "caller" };
	size_t was;

	if (n->kind == S_MACRO)
		bind(w, n->name);
	else
		visit(w, n->a);
	was = w->n;
	for (size_t i = 0; i < sizeof given / sizeof *given; i++)
		bind(w, given[i]);
	for (uint32_t i = 0; i < n->n; i++) {
		visit(w, n->kids[i]->a);
		bind(w, n->kids[i]->name);
	}
	visit(w, n->b);
	w->n = was;
}

static void visit_for(struct walk *w, const struct node *n)
{
	size_t was = w->n;

	visit(w, n->kids[1]);
	bind_target(w, n->kids[0]);
	visit(w, n->a);
	bind(w, "loop");
	visit(w, n->kids[2]);
	w->n = was;
	visit(w, n->b);
	w->n = was;
}

static void visit_with(struct walk *w, const struct node *n)
{
	size_t was = w->n;

	for (uint32_t i = 0; i < n->n; i += 2)
		visit(w, n->kids[i + 1]);
	for (uint32_t i = 0; i < n->n; i += 2)
		bind_target(w, n->kids[i]);
	visit(w, n->b);
	w->n = was;
}

static void visit(struct walk *w, const struct node *n)
{
	size_t was = w->n;

	if (!n)
		return;
	switch (n->kind) {
	case X_NAME:
		ask(w, n->name);
		break;
	case S_FOR:
		visit_for(w, n);
		break;
	case S_MACRO:
	case S_CALLBLOCK:
		visit_macro(w, n);
		break;
	case S_WITH:
		visit_with(w, n);
		break;
	case S_SETBLOCK:
	case S_FILTER:
		visit(w, n->b);
		visit(w, n->c);
		w->n = was;
		if (n->kind == S_SETBLOCK && n->a->kind != X_ATTR)
			bind_target(w, n->a);
		break;
	case S_SET:
		visit(w, n->b);
		if (n->a->kind == X_ATTR)
			visit(w, n->a);
		else
			bind_target(w, n->a);
		break;
	case S_BLOCK:
		bind(w, "super");
		visit(w, n->b);
		w->n = was;
		break;
	case S_IMPORT:
		visit(w, n->a);
		bind(w, n->name);
		break;
	case S_FROM:
		visit(w, n->a);
		for (uint32_t i = 0; i < n->n; i++)
			bind(w, n->kids[i]->lit->u.str.s);
		break;
	default:
		visit_all(w, n);
		break;
	}
}

void expr_names(const struct expr *x, struct arena *a, struct value *names)
{
	struct walk w = { .a = a, .names = names };

	visit(&w, x->t.body);
}

void tmpl_names(const struct tmpl *t, struct arena *a, struct value *names)
{
	struct walk w = { .a = a, .names = names };

	visit(&w, t->body);
}
