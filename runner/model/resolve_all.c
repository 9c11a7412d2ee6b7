/*
 * All hosts' resolvers, made on demand, and who belongs to a cluster.
 */
#include "model/resolve_int.h"

#include <string.h>

static void resolvers_end(void *p)
{
	struct resolvers *rs = p;

	for (uint32_t i = 0; i < rs->n_hosts; i++) { /* the world may be gone */
		struct resolver *r = atomic_load_explicit(&rs->of[i], memory_order_acquire);
		if (!r)
			continue;
		arena_free(r->a);
		pthread_mutex_destroy(&r->lock);
	}
	pthread_mutex_destroy(&rs->lock);
	arena_free(rs->a);
}

static struct resolver *resolver_make(struct resolvers *rs, struct inv_host *h)
{
	struct resolver *r = arena_get(rs->a, sizeof *r);

	r->rs = rs;
	r->h = h;
	r->a = arena_new();
	r->cache = r->filled = MAP(r->a);
	r->clusters = arena_new_of(rs->a, const char *, rs->w->modules ? rs->w->modules->n : 0);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void written_mark(bool *written, const struct modules *ms, const struct value *vars)
{
	for (uint32_t i = 0; vars && i < vars->u.map.n; i++) {
		const char *name = vars->u.map.items[i].key;
		const struct param *p = map_get(&ms->params, name);
		if (p || (p = map_get(&ms->was, name)))
			written[p->index] = true;
	}
}

/* Which parameters the inventory says anything of: most it does not, and those need not be looked for on each host.
 * What is encrypted may say any. */
static const bool *written_make(const struct world *w, struct arena *a)
{
	const struct inventory *inv = w->inv;
	const struct modules *ms = w->modules;

	if (!ms)
		return NULL;
	bool *written = arena_new_of(a, bool, ms->n_params);
	if (inv->n_sealed)
		memset(written, true, ms->n_params);
	written_mark(written, ms, inv->extra);
	written_mark(written, ms, inv->play);
	for (uint32_t i = 0; i < inv->n_groups; i++)
		written_mark(written, ms, inv->groups[i]->vars);
	for (uint32_t i = 0; i < inv->n_hosts; i++)
		written_mark(written, ms, inv->hosts[i]->vars);
	return written;
}

/* Parameters that are the same on every host, connected or not: most of them. */
static const bool *alike_make(const struct world *w, struct arena *a, const bool *written)
{
	const struct modules *ms = w->modules;

	if (!ms)
		return NULL;
	bool *alike = arena_new_of(a, bool, ms->n_params);
	for (uint32_t i = 0; i < ms->params.n; i++) {
		const struct param *p = ms->params.items[i].val;
		const struct value *dflt = p->preset ? p->preset->dflt : p->dflt;
		alike[p->index] = !written[p->index] && !(p->preset && p->preset->when) &&
				  !value_is_dynamic(ms, dflt) && !name_is_fact(p->row->name) &&
				  !name_is_builtin(p->row->name);
	}
	return alike;
}

struct resolvers *resolvers_new(struct world *w)
{
	struct resolvers *rs = arena_get(w->a, sizeof *rs);

	rs->w = w;
	rs->a = arena_new();
	rs->n_hosts = w->inv->n_hosts;
	rs->of = arena_new_of(rs->a, struct resolver *_Atomic, w->inv->n_hosts);
	rs->members = MAP(rs->a);
	rs->names = arena_new_of(rs->a, struct value *, w->inv->n_hosts);
	rs->written = written_make(w, rs->a);
	rs->alike = alike_make(w, rs->a, rs->written);
	rs->common = arena_new_of(rs->a, const struct outcome *_Atomic, w->modules ? w->modules->n_params : 0);
	pthread_mutex_init(&rs->lock, NULL);
	arena_defer(w->a, resolvers_end, rs);
	return rs;
}

struct resolver *resolver_new(struct world *w, struct inv_host *h)
{
	return resolvers_of(resolvers_new(w), h);
}

struct resolver *resolvers_of(struct resolvers *rs, const struct inv_host *h)
{
	struct resolver *r = atomic_load_explicit(&rs->of[h->index], memory_order_acquire);

	if (r)
		return r;
	pthread_mutex_lock(&rs->lock);
	r = atomic_load_explicit(&rs->of[h->index], memory_order_relaxed);
	if (!r) {
		r = resolver_make(rs, rs->w->inv->hosts[h->index]);
		atomic_store_explicit(&rs->of[h->index], r, memory_order_release);
	}
	pthread_mutex_unlock(&rs->lock);
	return r;
}

/* A rule may tell a fault where the host is written. */
struct value *resolvers_name(struct resolvers *rs, const struct inv_host *h)
{
	struct value **v = &rs->names[h->index];

	if (!*v) {
		*v = value_null(rs->a);
		(*v)->type = V_STR;
		(*v)->u.str.s = h->name;
		(*v)->u.str.n = strlen(h->name);
		(*v)->at = h->at;
	}
	return *v;
}

/* Every cluster of the module with its hosts' names. Hosts are asked without the lock of all; then the first answer
 * stays. */
static const struct value *clusters(struct resolvers *rs, const struct module *m)
{
	const struct inventory *inv = rs->w->inv;

	pthread_mutex_lock(&rs->lock);
	const struct value *map = map_get(&rs->members, m->m->name);
	pthread_mutex_unlock(&rs->lock);
	if (map)
		return map;

	struct arena *a = arena_new();
	const char **of = arena_new_of(a, const char *, inv->n_hosts);
	for (uint32_t i = 0; i < inv->n_hosts; i++)
		of[i] = resolver_cluster(resolvers_of(rs, inv->hosts[i]), m);

	pthread_mutex_lock(&rs->lock);
	if (!(map = map_get(&rs->members, m->m->name))) {
		struct value *fresh = value_map(rs->a);
		for (uint32_t i = 0; i < inv->n_hosts; i++) {
			struct value *list = of[i] ? value_get(fresh, of[i]) : NULL;
			if (of[i] && !list)
				value_put(rs->a, fresh, of[i], list = value_list(rs->a));
			if (list)
				value_push(rs->a, list, resolvers_name(rs, inv->hosts[i]));
		}
		map_put(&rs->members, m->m->name, fresh);
		map = fresh;
	}
	pthread_mutex_unlock(&rs->lock);
	arena_free(a);
	return map;
}

const struct value *resolvers_members(struct resolvers *rs, struct arena *a, const struct module *m, const char *name)
{
	const struct value *list = m && name && m->m->cluster ? value_get(clusters(rs, m), name) : NULL;

	(void)a; /* every list is made once and shared */
	return list ? list : value_get(resolvers_groups(rs), name ? name : "all");
}
