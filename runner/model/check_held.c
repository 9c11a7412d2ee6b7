/*
 * Where something was looked at and found good: it is good wherever the same values are given, so that ten thousand hosts
 * cost what is different among them. What is the same on every host is not even asked about.
 */
#include "model/check_int.h"

#include <string.h>

/* The same for whoever looks at a value and tells nothing of its place. A list or map is compared by place: most hosts
 * that have the same one share it. */
static bool same_value(const struct value *x, const struct value *y)
{
	if (x == y)
		return true;
	if (!x || !y || x->type != y->type || x->flags != y->flags || !x->source != !y->source ||
	    (x->source && strcmp(x->source, y->source) != 0))
		return false;
	switch (x->type) {
	case V_NULL:
		return true;
	case V_BOOL:
		return x->u.b == y->u.b;
	case V_INT:
		return x->u.i == y->u.i;
	case V_FLOAT:
		return !memcmp(&x->u.f, &y->u.f, sizeof x->u.f);
	case V_STR:
		return x->u.str.n == y->u.str.n && !memcmp(x->u.str.s, y->u.str.s, x->u.str.n);
	default:
		return false;
	}
}

/* What the host gives for names asked before: the items of one list mostly ask the same first. */
struct looked {
	const char *names[ASKED_MOST];
	const struct value *vals[ASKED_MOST];
	uint32_t n;
};

static bool look(struct looked *k, struct resolver *r, const char *name, uint32_t i)
{
	struct err e;

	if (i < k->n && k->names[i] == name)
		return true;
	e.code = 0; /* the rest is long, and written when it fails */
	k->n = i + 1;
	k->names[i] = name;
	k->vals[i] = resolver_get(r, name, &e);
	if (e.code)
		k->n = i;
	return !e.code;
}

static bool given(struct looked *k, struct resolver *r, const struct held_item *it)
{
	for (uint32_t i = 0; i < it->n; i++)
		if (!look(k, r, it->names[i], i) || !same_value(k->vals[i], it->vals[i]))
			return false;
	return true;
}

bool held_before(struct checking *c, struct held *l, const struct inv_host *h, uint64_t of)
{
	struct resolver *r = resolvers_of(c->rs, h);
	struct looked looked;

	looked.n = 0;
	if (r->facts)
		return false;
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->items[i].of != of || !given(&looked, r, &l->items[i]))
			continue;
		if (i) { /* hosts of one cluster stand together */
			struct held_item it = l->items[i];
			memmove(&l->items[1], &l->items[0], i * sizeof it);
			l->items[0] = it;
		}
		return true;
	}
	return false;
}

void held_asked(struct checking *c, struct asked *k, const char *name, const struct value *v)
{
	if (!resolvers_alike(c->rs, name))
		asked_add(k, check_name(c, name), v);
}

void held_now(struct checking *c, struct held *l, const struct asked *k, uint64_t of)
{
	if (k->own)
		return;
	if (l->n < HELD_MOST) {
		l->items[l->n].names = arena_new_of(c->a, const char *, ASKED_MOST);
		l->items[l->n++].vals = arena_new_of(c->a, const struct value *, ASKED_MOST);
	}

	struct held_item it = l->items[l->n - 1]; /* the one that nobody was like for longest gives way */
	it.n = 0;
	it.of = of;
	for (uint32_t i = 0; i < k->n; i++) {
		if (resolvers_alike(c->rs, k->names[i]))
			continue;
		it.names[it.n] = check_name(c, k->names[i]);
		it.vals[it.n++] = k->vals[i];
	}
	memmove(&l->items[1], &l->items[0], (l->n - 1) * sizeof it);
	l->items[0] = it;
}

const char *check_name(struct checking *c, const char *name)
{
	const struct param *p = map_get(&c->w->modules->params, name);
	const char *kept = p ? p->row->name : map_get(&c->names, name);

	if (!kept)
		map_put(&c->names, name, (void *)(uintptr_t)(kept = arena_str(c->a, name)));
	return kept;
}
