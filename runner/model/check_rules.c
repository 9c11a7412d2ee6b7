/*
 * Modules' rules: tried on each host, each cluster or once, as their scope says. An expression that hangs on facts is
 * left out until the host is connected; one that fails because of a fault that was told already is not told again.
 */
#include "model/check_int.h"
#include "model/module_int.h"

#include <string.h>

/* ---- where a rule's fault is shown ---- */
/* Where the host's value of the name was written, under an earlier name perhaps. */
static bool written_at(struct checking *c, struct arena *a, const struct inv_host *h, const char *name,
		       struct origin *at)
{
	const struct param *p = map_get(&c->w->modules->params, name);
	struct inv_found found;
	uint32_t n = 0;
	const char **was = module_words(a, p ? p->row->was : NULL, &n);
	bool ok = inventory_var(c->w->inv, h, name, &found);

	for (uint32_t i = 0; !ok && i < n; i++)
		ok = inventory_var(c->w->inv, h, was[i], &found);
	*at = ok ? found.val->at : (struct origin){ 0 };
	return at->file != NULL;
}

/* The first value written for a name the rule's expression asks for; else the host's place. */
static struct origin rule_place(struct checking *c, struct arena *a, const struct rule *r, const struct inv_host *h)
{
	struct value *names = value_list(a);
	struct origin at;

	if (!h)
		return (struct origin){ 0 };
	if (r->must)
		expr_names(r->must, a, names);
	for (uint32_t i = 0; i < value_len(names); i++)
		if (written_at(c, a, h, value_cstr(value_at(names, i), ""), &at))
			return at;
	if (r->row->scope == PIG_OF_CLUSTER && written_at(c, a, h, r->module->m->cluster, &at))
		return at;
	return h->at;
}

/* A name the rule asks for must be set on the host, is not, and was told: the rule would only say it again. */
static bool lacks_required(struct checking *c, struct arena *a, const struct rule *r, const struct inv_host *h)
{
	struct value *names = value_list(a);

	expr_names(r->must, a, names);
	for (uint32_t i = 0; i < value_len(names); i++) {
		const struct param *p = map_get(&c->w->modules->params, value_cstr(value_at(names, i), ""));
		if (p && (p->row->flags & PIG_REQUIRED) && !resolver_get(resolvers_of(c->rs, h), p->row->name, NULL))
			return true;
	}
	return false;
}

/* A rule's own text, which may hold {{ }}. */
static const char *rule_text(struct checking *c, const char *text, const struct scope *s)
{
	struct value *out;
	struct err ignored;

	if (text && text_is_template(text, strlen(text)) && text_eval(&out, c->a, value_str(c->a, text), s, &ignored))
		return value_cstr(out, text);
	return text;
}

static void rule_fault(struct checking *c, struct arena *a, const struct rule *r, const struct inv_host *h,
		       const struct scope *s)
{
	struct fault f = { .at = rule_place(c, a, r, h), .id = r->row->id, .warning = r->row->warn != 0,
			   .note = r->row->warn > 1 };

	f.host = r->row->scope == PIG_HOST && h ? h->name : NULL;
	f.text = rule_text(c,
			   r->row->say ? r->row->say
				       : arena_fmt(c->a, "rule \"%s\" does not hold: %s", r->row->id, r->row->must),
			   s);
	f.hint = rule_text(c, r->row->hint, s);
	check_add(c, &f);
}

/* ---- one rule on one thing ---- */
struct subject {
	struct inv_host *h; /* the host, or the first of the cluster or inventory */
	const char *cluster;
	const struct value *members; /* names, of clusters and of all */
	struct held *held;           /* of this rule; NULL: it is tried each time */
};

static void rule_expr(struct checking *c, struct arena *a, const struct rule *r, const struct subject *on)
{
	struct asked asked = { 0 };
	struct value *extra = value_map(a), *holds = NULL;
	struct err e;

	e.code = 0; /* the rest is long, and written when it fails */
	if (on->cluster)
		value_put(a, extra, "cluster", value_str(a, on->cluster));
	if (on->members)
		value_put(a, extra, "members", (struct value *)on->members);
	struct scope s = resolver_scope(resolvers_of(c->rs, on->h), a, r->module, extra);
	((struct asking *)s.ctx)->asked = &asked;
	if (!expr_eval(r->must, a, &s, &holds, &e)) {
		if (e.code != E_UNKNOWN && !lacks_required(c, a, r, on->h))
			check_add_err(c, r->row->scope == PIG_HOST ? on->h : NULL, r->row->id, &e);
		return;
	}
	if (holds->type == V_UNDEF || !value_truth(holds))
		rule_fault(c, a, r, on->h, &s);
	else if (on->held)
		held_now(c, on->held, &asked, 0);
}

static void rule_check(struct checking *c, struct arena *a, const struct rule *r, const struct subject *on)
{
	bool by_values = on->held && (r->row->flags & PIG_BY_VALUES);
	struct asked asked = { 0 };
	struct rule_check k = { .c = c, .a = a, .rule = r, .h = on->h, .asked = by_values ? &asked : NULL };

	k.pub.hostname = r->row->scope == PIG_HOST ? on->h->name : NULL;
	k.pub.cluster = on->cluster;
	rule_run_check(&k);
	if (by_values && !k.told)
		held_now(c, on->held, &asked, 0);
}

static void rule_try(struct checking *c, struct arena *a, const struct rule *r, const struct subject *on)
{
	if (on->held && held_before(c, on->held, on->h, 0))
		return;
	if (r->must)
		rule_expr(c, a, r, on);
	else
		rule_check(c, a, r, on);
}

/* ---- all of them ---- */
static void rules_of_host(struct checking *c, uint32_t host, struct held **held)
{
	const struct modules *ms = c->w->modules;
	struct arena *a = arena_new(); /* ten thousand hosts' worth of scratch would add up */

	for (uint32_t k = 0; k < ms->n; k++) {
		const struct module *m = ms->list[k];
		const char *cluster = held[k] ? check_concerned(c, k)[host] : NULL;
		struct subject on = { .h = c->hosts[host], .cluster = m->m->cluster ? cluster : NULL };
		for (uint32_t j = 0; cluster && j < m->n_rules; j++) {
			on.held = &held[k][j];
			if (m->rules[j].row->scope == PIG_HOST)
				rule_try(c, a, &m->rules[j], &on);
		}
	}
	arena_free(a);
}

static void rules_of_hosts(struct checking *c)
{
	const struct modules *ms = c->w->modules;
	struct held **held = arena_new_of(c->a, struct held *, ms->n);

	for (uint32_t k = 0; k < ms->n; k++)
		if (ms->list[k]->n_rules && !map_has(&c->global, ms->list[k]->m->name))
			held[k] = arena_new_of(c->a, struct held, ms->list[k]->n_rules);
	for (uint32_t i = 0; i < c->n_hosts; i++)
		rules_of_host(c, i, held);
}

static void rules_of_cluster(struct checking *c, const struct module *m, const char *name, struct held *held)
{
	struct arena *a = arena_new();
	struct subject on = { .cluster = name, .members = resolvers_members(c->rs, a, m, name) };

	on.h = inventory_host(c->w->inv, value_cstr(value_at(on.members, 0), ""));
	for (uint32_t i = 0; on.h && i < m->n_rules; i++) {
		on.held = &held[i];
		if (m->rules[i].row->scope == PIG_OF_CLUSTER)
			rule_try(c, a, &m->rules[i], &on);
	}
	arena_free(a);
}

static void rules_of_clusters(struct checking *c, uint32_t module)
{
	const struct module *m = c->w->modules->list[module];
	struct map done = MAP(c->a);

	if (!m->m->cluster)
		return;

	const char *const *clusters = check_concerned(c, module);
	struct held *held = arena_new_of(c->a, struct held, m->n_rules);
	for (uint32_t i = 0; i < c->n_hosts; i++) {
		if (!clusters[i] || map_has(&done, clusters[i]))
			continue;
		map_put(&done, clusters[i], c);
		rules_of_cluster(c, m, clusters[i], held);
	}
}

static void rules_of_all(struct checking *c, const struct module *m)
{
	struct arena *a = arena_new();
	struct subject on = { .h = c->w->inv->n_hosts ? c->w->inv->hosts[0] : NULL };

	for (uint32_t k = 0; on.h && k < m->n_rules; k++) {
		if (m->rules[k].row->scope != PIG_ALL)
			continue;
		if (!on.members)
			on.members = resolvers_members(c->rs, a, m, NULL);
		rule_try(c, a, &m->rules[k], &on);
	}
	arena_free(a);
}

void check_rules(struct checking *c, struct inv_host *host)
{
	const struct modules *ms = c->w->modules;

	rules_of_hosts(c);
	for (uint32_t k = 0; !host && k < ms->n; k++) {
		if (map_has(&c->global, ms->list[k]->m->name))
			continue;
		rules_of_clusters(c, k);
		rules_of_all(c, ms->list[k]);
	}
}
