/*
 * What templates and expressions of a host can name: the built-in names, other hosts through hostvars, and the
 * templates of its module. Parameters and variables are resolve.c's business.
 */
#include "model/resolve_int.h"

#include <stdlib.h>
#include <string.h>
#include "base/os.h"

static const char *const builtins[] = {
	"inventory_hostname", "inventory_hostname_short", "inventory_dir", "group_names", "groups", "hostvars",
};

bool name_is_builtin(const char *name)
{
	if (*name != 'i' && *name != 'h' && *name != 'g')
		return false;
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (!strcmp(builtins[i], name))
			return true;
	return false;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* The host's groups but `all`, by name, as Ansible has them. */
static struct value *group_names_make(struct resolver *r)
{
	struct arena *a = r->rs->a;
	const char **names = arena_new_of(a, const char *, r->h->n_groups);
	struct value *list = value_list(a);
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->h->n_groups; i++)
		if (strcmp(r->h->groups[i]->name, "all") != 0)
			names[n++] = r->h->groups[i]->name;
	qsort(names, n, sizeof *names, by_text);
	for (uint32_t i = 0; i < n; i++)
		value_push(a, list, value_str(a, names[i]));
	return list;
}

/* Hosts of the same groups have one list of them; those of a cluster mostly stand together. */
static const struct value *group_names(struct resolver *r)
{
	struct resolvers *rs = r->rs;
	uint32_t at = r->h->index, n = rs->w->inv->n_hosts;

	pthread_mutex_lock(&rs->lock);
	for (uint32_t i = at ? at - 1 : 0; !r->group_names && i < n && i <= at + 1; i++) {
		const struct resolver *near = atomic_load_explicit(&rs->of[i], memory_order_acquire);
		if (near && near->h->groups == r->h->groups)
			r->group_names = near->group_names;
	}
	if (!r->group_names)
		r->group_names = group_names_make(r);
	pthread_mutex_unlock(&rs->lock);
	return r->group_names;
}

static struct value *groups_make(struct resolvers *rs)
{
	struct value *map = value_map(rs->a);
	const struct inventory *inv = rs->w->inv;

	for (uint32_t i = 0; i < inv->n_groups; i++) {
		struct value *list = value_list(rs->a);
		uint32_t n;
		struct inv_host **hosts = inventory_group_hosts(rs->a, inv->groups[i], &n);
		for (uint32_t k = 0; k < n; k++)
			value_push(rs->a, list, resolvers_name(rs, hosts[k]));
		value_put(rs->a, map, inv->groups[i]->name, list);
	}
	return map;
}

/* A map of all hosts whose members are looked up when they are asked for. */
static struct value *hostvars_make(struct resolvers *rs)
{
	struct value *map = value_map(rs->a);
	const struct inventory *inv = rs->w->inv;

	for (uint32_t i = 0; i < inv->n_hosts; i++) {
		struct value *one = value_map(rs->a);
		one->flags |= V_LAZY;
		one->source = inv->hosts[i]->name;
		value_put(rs->a, map, inv->hosts[i]->name, one);
	}
	return map;
}

/* What is the same for every host is made by whoever asks first. */
static const struct value *shared(struct resolvers *rs, struct value **at, struct value *(*make)(struct resolvers *))
{
	pthread_mutex_lock(&rs->lock);
	if (!*at)
		*at = make(rs);
	pthread_mutex_unlock(&rs->lock);
	return *at;
}

const struct value *resolvers_groups(struct resolvers *rs)
{
	return shared(rs, &rs->groups, groups_make);
}

const struct value *resolver_builtin(struct resolver *r, const char *name)
{
	struct resolvers *rs = r->rs;

	if (!strcmp(name, "groups"))
		return resolvers_groups(rs);
	if (!strcmp(name, "hostvars"))
		return shared(rs, &rs->hostvars, hostvars_make);
	if (!strcmp(name, "inventory_hostname")) {
		pthread_mutex_lock(&rs->lock);
		const struct value *v = resolvers_name(rs, r->h);
		pthread_mutex_unlock(&rs->lock);
		return v;
	}
	if (!strcmp(name, "inventory_hostname_short"))
		return value_strn(r->a, r->h->name, strcspn(r->h->name, "."));
	if (!strcmp(name, "group_names"))
		return group_names(r);
	if (!strcmp(name, "inventory_dir") && rs->w->inv->dir)
		return value_str(r->a, rs->w->inv->dir);
	return NULL;
}

/* ---- scopes ---- */
static const struct value *ask(struct asking *k, struct resolver *r, const char *name, struct err *e)
{
	const struct value *v;

	if (resolvers_common(r->rs, name, &v, e))
		return v;
	if (k->held && r == k->r)
		return resolver_lookup(r, name, k->chain, e);
	if (k->held) /* one host's lock at a time, or two threads could wait for each other */
		pthread_mutex_unlock(&k->r->lock);
	pthread_mutex_lock(&r->lock);
	v = resolver_lookup(r, name, k->chain, e);
	pthread_mutex_unlock(&r->lock);
	if (k->held)
		pthread_mutex_lock(&k->r->lock);
	return v;
}

static struct value *scope_get(void *ctx, const char *name, struct err *e)
{
	struct asking *k = ctx;
	struct value *v = k->extra ? value_get(k->extra, name) : NULL;

	if (v && k->asked)
		k->asked->own = true;
	if (v)
		return v;
	v = (struct value *)ask(k, k->r, name, e);
	if (k->asked)
		asked_add(k->asked, name, v);
	return v;
}

static struct value *scope_item(void *ctx, const struct value *map, const char *key, struct err *e)
{
	struct asking *k = ctx;
	const struct inv_host *h = map->source ? inventory_host(k->r->rs->w->inv, map->source) : NULL;

	if (k->asked)
		k->asked->own = true;
	return h ? (struct value *)ask(k, resolvers_of(k->r->rs, h), key, e) : NULL;
}

/* "builtin:<module>/<name>" may name any module; other names are of the scope's own. */
static const char *scope_load(void *ctx, const char *name, const char **file, struct err *e)
{
	struct asking *k = ctx;
	const struct modules *ms = k->r->rs->w->modules;
	const struct module *m = k->m;
	const char *slash = strchr(name, '/'), *from = strncmp(name, "builtin:", 8) ? name : name + 8;
	size_t len;

	for (uint32_t i = 0; ms && slash && from != name && i < ms->n; i++)
		if (!strncmp(ms->list[i]->m->name, from, (size_t)(slash - from)) && !ms->list[i]->m->name[slash - from])
			m = ms->list[i];
	if (!m) {
		fail(e, E_INPUT, "there is no template \"%s\"", name);
		err_hint(e, "Templates that belong to no module can extend builtin:<module>/<name> alone.");
		return NULL;
	}
	return module_template_for(m, k->a, k->r->rs->w->inv->dir, name, *file, file, &len, e);
}

struct scope asking_scope(struct asking *k)
{
	return (struct scope){ .get = scope_get, .load = scope_load, .ctx = k, .item = scope_item };
}

struct scope resolver_scope(struct resolver *r, struct arena *a, const struct module *m, const struct value *extra)
{
	struct asking *k = arena_get(a, sizeof *k);

	*k = (struct asking){ .r = r, .m = m, .extra = extra, .a = a };
	return asking_scope(k);
}
