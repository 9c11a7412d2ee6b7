/*
 * A host that two groups put into different clusters of one module: which of them it is in would hang on the groups'
 * names.
 */
#include "model/check_int.h"

#include <string.h>

static bool is_above(const struct inv_group *up, const struct inv_group *g)
{
	for (uint32_t i = 0; i < g->n_parents; i++)
		if (g->parents[i] == up || is_above(up, g->parents[i]))
			return true;
	return false;
}

static void two_clusters(struct checking *c, const struct module *m, const struct inv_host *h, const struct inv_group *x,
			 const struct inv_group *y)
{
	const char *name = m->m->cluster;
	const struct entry *was = value_entry(x->vars, name), *en = value_entry(y->vars, name);
	struct buf text = BUF(c->a);
	struct fault f = { .at = en->val->at.file ? en->val->at : en->at, .id = "two-clusters", .host = h->name };

	buf_fmt(&text, "host \"%s\" is in two clusters: %s is \"", h->name, name);
	value_print(&text, was->val);
	buf_fmt(&text, "\" by group \"%s\" and \"", x->name);
	value_print(&text, en->val);
	buf_fmt(&text, "\" by group \"%s\"", y->name);
	f.text = buf_text(&text);
	const struct origin *at = &was->val->at;
	f.hint = at->file ? arena_fmt(c->a, "The other one: %s:%u:%u. A host is in one cluster of a module.", at->file,
				      at->line, at->col)
			  : "A host is in one cluster of a module.";
	check_add(c, &f);
}

static void host_check(struct checking *c, const struct module *m, const struct inv_host *h, struct map *told)
{
	const struct inv_group *set = NULL;

	if (value_get(h->vars, m->m->cluster))
		return; /* the host itself says which */
	for (uint32_t i = 0; i < h->n_groups; i++) {
		const struct inv_group *g = h->groups[i];
		const struct value *v = value_get(g->vars, m->m->cluster), *first;
		if (!v || v->type == V_LIST || v->type == V_MAP || !strcmp(g->name, "all"))
			continue;
		if (!set || is_above(set, g) || g->priority != set->priority) {
			set = g;
			continue;
		}
		first = value_get(set->vars, m->m->cluster);
		const char *key = arena_fmt(c->a, "%s %s", set->name, g->name);
		if (value_equal(first, v) || map_has(told, key))
			continue;
		map_put(told, key, c); /* the hosts they share are shown by the first */
		two_clusters(c, m, h, set, g);
	}
}

void check_clusters(struct checking *c)
{
	const struct modules *ms = c->w->modules;

	for (uint32_t k = 0; k < ms->n; k++) {
		struct map told = MAP(c->a);
		if (!ms->list[k]->m->cluster)
			continue;
		for (uint32_t i = 0; i < c->n_hosts; i++)
			host_check(c, ms->list[k], c->hosts[i], &told);
	}
}
