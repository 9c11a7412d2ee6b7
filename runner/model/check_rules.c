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
/* What a rule that held was given: it holds wherever it is given the same. */
struct rule_memo {
	const char **names;
	const struct value **vals;
	uint32_t n;
	bool known;
};
struct subject {
	struct inv_host *h; /* the host, or the first of the cluster or inventory */
	const char *cluster;
	const struct value *members; /* names, of clusters and of all */
	struct rule_memo *memo;      /* NULL: it is tried each time */
};

static bool held_before(struct checking *c, const struct rule_memo *m, const struct subject *on)
{
	struct resolver *r = resolvers_of(c->rs, on->h);

	if (!m->known || r->facts)
		return false;
	for (uint32_t i = 0; i < m->n; i++) {
		struct err e;
		e.code = 0;
		if (resolver_get(r, m->names[i], &e) != m->vals[i] || e.code)
			return false;
	}
	return true;
}

static void rule_holds(struct checking *c, struct rule_memo *m, const struct asked *k)
{
	if (k->own)
		return;
	if (!m->names) {
		m->names = arena_new_of(c->a, const char *, ASKED_MOST);
		m->vals = arena_new_of(c->a, const struct value *, ASKED_MOST);
	}
	if (k->n) { /* the names live as long as the rule */
		memcpy(m->names, k->names, k->n * sizeof *k->names);
		memcpy(m->vals, k->vals, k->n * sizeof *k->vals);
	}
	m->n = k->n;
	m->known = true;
}

static void rule_expr(struct checking *c, struct arena *a, const struct rule *r, const struct subject *on)
{
	if (on->memo && held_before(c, on->memo, on))
		return;

	struct asked asked = { 0 };

	struct value *extra = value_map(a), *holds = NULL;
	struct err e = { 0 };

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
	else if (on->memo)
		rule_holds(c, on->memo, &asked);
}

static void rule_try(struct checking *c, struct arena *a, const struct rule *r, const struct subject *on)
{
	if (r->must) {
		rule_expr(c, a, r, on);
		return;
	}
	struct rule_check k = { .c = c, .a = a, .rule = r, .h = on->h };
	k.pub.hostname = r->row->scope == PIG_HOST ? on->h->name : NULL;
	k.pub.cluster = on->cluster;
	rule_run_check(&k);
}

/* ---- all of them ---- */
static void rules_of_hosts(struct checking *c)
{
	const struct modules *ms = c->w->modules;
	struct rule_memo **memos = arena_new_of(c->a, struct rule_memo *, ms->n);

	for (uint32_t k = 0; k < ms->n; k++)
		memos[k] = arena_new_of(c->a, struct rule_memo, ms->list[k]->n_rules);
	for (uint32_t i = 0; i < c->n_hosts; i++) {
		struct arena *a = arena_new(); /* ten thousand hosts' worth of scratch would add up */
		for (uint32_t k = 0; k < ms->n; k++) {
			const struct module *m = ms->list[k];
			if (!m->n_rules || map_has(&c->global, m->m->name) ||
			    !check_concerns(c->rs, m, c->hosts[i]))
				continue;
			struct subject on = { .h = c->hosts[i],
					      .cluster = resolver_cluster(resolvers_of(c->rs, c->hosts[i]), m) };
			for (uint32_t j = 0; j < m->n_rules; j++) {
				on.memo = &memos[k][j];
				if (m->rules[j].row->scope == PIG_HOST)
					rule_try(c, a, &m->rules[j], &on);
			}
		}
		arena_free(a);
	}
}

static void rules_of_clusters(struct checking *c, const struct module *m)
{
	struct map done = MAP(c->a);

	if (!m->m->cluster)
		return;
	for (uint32_t i = 0; i < c->n_hosts; i++) {
		const char *name = resolver_cluster(resolvers_of(c->rs, c->hosts[i]), m);
		if (!name || map_has(&done, name))
			continue;
		map_put(&done, name, c);

		struct arena *a = arena_new();
		struct subject on = { .cluster = name, .members = resolvers_members(c->rs, a, m, name) };
		on.h = inventory_host(c->w->inv, value_cstr(value_at(on.members, 0), ""));
		for (uint32_t k = 0; on.h && k < m->n_rules; k++)
			if (m->rules[k].row->scope == PIG_OF_CLUSTER)
				rule_try(c, a, &m->rules[k], &on);
		arena_free(a);
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
		rules_of_clusters(c, ms->list[k]);
		rules_of_all(c, ms->list[k]);
	}
}
