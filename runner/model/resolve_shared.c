/*
 * Rendered values that hosts share. What a template asked for, and what it was given, decides what it comes to; a host
 * that gives the same is given the same value. Most values hang on what all hosts or all members of a cluster have, so
 * that ten thousand hosts render each once or once a cluster. The values given are told apart by their place: none of
 * them dies or changes before the resolvers do. Facts do, so that nothing is shared with or by a host that is connected.
 */
#include "model/resolve_int.h"

#include <string.h>

void asked_add(struct asked *k, const char *name, const struct value *v)
{
	if (k->own)
		return;
	for (uint32_t i = 0; i < k->n; i++)
		if (!strcmp(k->names[i], name))
			return;
	bool own = name_is_builtin(name) && strcmp(name, "groups") != 0 && strcmp(name, "group_names") != 0;
	if (k->n == ASKED_MOST || own) {
		k->own = true;
		return;
	}
	k->names[k->n] = name;
	k->vals[k->n++] = v;
}

/* What the host gives for the names that were asked for before; false when it cannot tell one. */
static bool given(struct resolver *r, const struct shared *s, const struct link *link, const struct value **vals)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct err e;
		e.code = 0;
		vals[i] = resolver_lookup(r, s->names[i], link, &e);
		if (!vals[i] && e.code)
			return false;
	}
	return true;
}

bool shared_find(struct resolver *r, struct shared *s, const struct link *link, const struct value **out)
{
	const struct value *vals[ASKED_MOST];
	bool found = false;

	if (r->facts)
		return false;
	pthread_mutex_lock(&r->rs->lock);
	for (uint32_t i = 0; i < s->n_results && !found; i++) {
		found = s->results[i].last == r;
		*out = s->results[i].val;
	}
	struct shared now = *s; /* the lists it points to are never changed */
	pthread_mutex_unlock(&r->rs->lock);
	if (found || !now.n_results || !given(r, &now, link, vals))
		return found;

	pthread_mutex_lock(&r->rs->lock);
	for (uint32_t i = 0; s->names == now.names && i < s->n_results && !found; i++)
		if (!memcmp(s->results[i].vals, vals, s->n * sizeof *vals)) {
			found = true;
			*out = s->results[i].val;
			s->results[i].last = r;
		}
	pthread_mutex_unlock(&r->rs->lock);
	return found;
}

static bool same_names(const struct shared *s, const struct asked *k)
{
	bool same = s->names && s->n == k->n;

	for (uint32_t i = 0; same && i < s->n; i++)
		same = !strcmp(s->names[i], k->names[i]);
	return same;
}

bool shared_put(struct resolver *r, struct shared *s, const struct asked *k, const struct value **v)
{
	struct resolvers *rs = r->rs;

	if (k->own || r->facts)
		return false;
	pthread_mutex_lock(&rs->lock);
	if (!same_names(s, k)) { /* the first, or another branch was taken */
		const char **names = arena_new_of(rs->a, const char *, k->n);
		for (uint32_t i = 0; i < k->n; i++)
			names[i] = arena_str(rs->a, k->names[i]);
		s->names = names;
		s->n = k->n;
		s->n_results = s->next = 0;
		memset(s->results, 0, sizeof s->results);
	}
	struct shared_result *to = &s->results[s->next];
	s->next = (s->next + 1) % SHARED_MOST;
	if (s->n_results < SHARED_MOST)
		s->n_results++;
	if (!to->vals)
		to->vals = arena_new_of(rs->a, const struct value *, k->n);
	memcpy(to->vals, k->vals, k->n * sizeof *k->vals);
	to->val = *v = value_copy(rs->a, *v);
	to->last = r;
	pthread_mutex_unlock(&rs->lock);
	return true;
}
