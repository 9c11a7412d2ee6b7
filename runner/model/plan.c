/*
 * A playbook and a selection into steps x hosts x tasks. Selectors are strict: a term that matches nothing is an error
 * with a suggestion, because a mistyped limit that selects nothing looks like success.
 */
#include "model/plan_int.h"

#include <string.h>

struct making {
	struct arena *a;
	struct world *w;
	struct resolvers *rs;
	const struct playbook *p;
	const struct plan_options *o;
	bool *limited; /* by host index: within -l */
	struct err *e;
};

/* ---- hosts ---- */
static bool limit_read(struct making *k)
{
	const struct inventory *inv = k->w->inv;
	struct inv_host **hosts = inv->hosts;
	uint32_t n = inv->n_hosts;

	k->limited = arena_new_of(k->a, bool, inv->n_hosts);
	if (k->o->limit && !pattern_hosts(&hosts, &n, k->a, inv, k->o->limit, k->o->allow_empty, k->e))
		return err_wrap(k->e, "limit \"%s\"", k->o->limit);
	for (uint32_t i = 0; i < n; i++)
		k->limited[hosts[i]->index] = true;
	return true;
}

/* A cluster parameter that cannot be resolved must not quietly take its host out of the run. */
static bool host_in_cluster(struct making *k, const struct inv_host *h, const struct module *m, bool *in)
{
	struct err e = { 0 };
	const struct value *v = resolver_get(resolvers_of(k->rs, h), m->m->cluster, &e);

	if (!v && e.code) {
		*k->e = e;
		return err_wrap(k->e, "host \"%s\"", h->name);
	}
	*in = v && *value_cstr(v, "");
	return true;
}

/* Hosts a step is for, the limit aside: those of its pattern, or all that have the module's cluster parameter. */
static bool step_members(struct making *k, const struct step *s, bool *member, uint32_t *n)
{
	const struct inventory *inv = k->w->inv;
	struct inv_host **hosts;

	*n = 0;
	if (!s->hosts) {
		for (uint32_t i = 0; i < inv->n_hosts; i++) {
			if (!host_in_cluster(k, inv->hosts[i], s->module, &member[i]))
				return false;
			*n += member[i];
		}
		return true;
	}
	if (!pattern_hosts(&hosts, n, k->a, inv, s->hosts, true, k->e))
		return err_wrap(k->e, "step \"%s\"", s->name);
	for (uint32_t i = 0; i < *n; i++)
		member[hosts[i]->index] = true;
	return true;
}

/* Of a step's hosts those that its play is for. */
static bool play_narrow(struct making *k, const struct play *play, bool *member, uint32_t *n)
{
	const struct inventory *inv = k->w->inv;
	bool *in = arena_new_of(k->a, bool, inv->n_hosts);
	struct inv_host **hosts;
	uint32_t n_hosts;

	if (!pattern_hosts(&hosts, &n_hosts, k->a, inv, play->hosts, true, k->e))
		return false;
	for (uint32_t i = 0; i < n_hosts; i++)
		in[hosts[i]->index] = true;
	*n = 0;
	for (uint32_t i = 0; i < inv->n_hosts; i++)
		*n += member[i] = member[i] && in[i];
	return true;
}

static bool step_hosts(struct making *k, struct plan_step *ps, uint32_t *members)
{
	const struct inventory *inv = k->w->inv;
	bool *member = arena_new_of(k->a, bool, inv->n_hosts);

	if (!step_members(k, ps->step, member, members))
		return false;
	if (ps->step->play && ps->step->play->hosts && !play_narrow(k, ps->step->play, member, members))
		return false;
	ps->hosts = arena_new_of(k->a, struct inv_host *, *members);
	for (uint32_t i = 0; i < inv->n_hosts; i++)
		if (member[i] && k->limited[i])
			ps->hosts[ps->n_hosts++] = inv->hosts[i];
	return true;
}

/* ---- the whole ---- */
/* playbook pgsql -> playbook "pgsql" */
static const char *quoted(struct arena *a, const char *what)
{
	const char *name = strchr(what, ' ');

	return arena_fmt(a, "%.*s \"%s\"", (int)(name - what), what, name + 1);
}

static bool none_at_all(struct making *k, bool any_member)
{
	const struct step *s = k->p->n_steps ? &k->p->steps[0] : NULL;
	const char *cluster = s && !s->hosts ? s->module->m->cluster : NULL;

	if (any_member) {
		fail(k->e, E_INPUT, "limit \"%s\" selects none of the hosts of playbook \"%s\"", k->o->limit,
		     k->p->name);
		return err_hint(k->e, "pig run %s --list-hosts shows them.", k->p->name);
	}
	if (!k->p->module) {
		fail(k->e, E_INPUT, "the plays of \"%s\" have no hosts", k->p->name);
		return err_hint(k->e, "No host of the inventory is one of those that their steps are for.");
	}
	fail(k->e, E_INPUT, "playbook \"%s\" of module \"%s\" has no hosts", k->p->name, k->p->module->m->name);
	if (cluster)
		return err_hint(k->e, "Set %s on the hosts it is for.", cluster);
	return err_hint(k->e, "No host of the inventory matches \"%s\".", s && s->hosts ? s->hosts : "all");
}

static bool start_at(const struct making *k, uint32_t *from)
{
	const char **names = arena_new_of(k->a, const char *, k->p->n_steps), *near;

	*from = 0;
	if (!k->o->start_at)
		return true;
	for (uint32_t i = 0; i < k->p->n_steps; i++) {
		names[i] = k->p->steps[i].name;
		if (!strcmp(names[i], k->o->start_at)) {
			*from = i;
			return true;
		}
	}
	near = nearest(k->o->start_at, names, k->p->n_steps);
	fail(k->e, E_INPUT, "playbook \"%s\" has no step \"%s\"", k->p->name, k->o->start_at);
	return near ? err_hint(k->e, "Did you mean \"%s\"?", near)
		    : err_hint(k->e, "pig run %s --list-tasks lists them.", k->p->name);
}

static void union_make(struct making *k, struct plan *p)
{
	const struct inventory *inv = k->w->inv;
	bool *in = arena_new_of(k->a, bool, inv->n_hosts);

	for (uint32_t s = 0; s < p->n_steps; s++)
		for (uint32_t i = 0; i < p->steps[s].n_hosts; i++)
			in[p->steps[s].hosts[i]->index] = true;
	p->hosts = arena_new_of(k->a, struct inv_host *, inv->n_hosts);
	for (uint32_t i = 0; i < inv->n_hosts; i++)
		if (in[i])
			p->hosts[p->n_hosts++] = inv->hosts[i];
}

/* The last step of a play that names hosts, and none of them is one of its steps': written by mistake. */
static bool play_empty(struct making *k, uint32_t step, bool member)
{
	const struct play *play = k->p->steps[step].play;
	const char *cluster = k->p->steps[step].hosts ? NULL : k->p->steps[step].module->m->cluster;

	if (!play || !play->hosts || member || k->o->allow_empty || step + 1 != play->from + play->n)
		return false;
	fail(k->e, E_INPUT, "none of the hosts of \"%s\" is one of %s", play->hosts, quoted(k->a, play->what));
	err_at(k->e, play->hosts_at.file, play->hosts_at.line, play->hosts_at.col);
	if (cluster)
		err_hint(k->e, "They have no %s.", cluster);
	return true;
}

static bool steps_make(struct making *k, struct plan *p, uint32_t from)
{
	bool any_member = false, any_host = false, play_member = false;
	struct tag_choice tags;

	if (!tags_read(&tags, k->a, k->p, k->o, k->e))
		return false;
	p->steps = arena_new_of(k->a, struct plan_step, k->p->n_steps);
	for (uint32_t i = 0; i < k->p->n_steps; i++) {
		struct plan_step ps = { .step = &k->p->steps[i] };
		uint32_t members;
		if (!step_hosts(k, &ps, &members))
			return false;
		play_member = members || (play_member && i && ps.step->play == k->p->steps[i - 1].play);
		if (play_empty(k, i, play_member))
			return false;
		any_member = any_member || members;
		any_host = any_host || ps.n_hosts;
		tags_apply(&tags, k->a, &ps);
		if (i >= from && ps.n_hosts && ps.n_tasks)
			p->steps[p->n_steps++] = ps;
	}
	for (uint32_t i = 1; i < p->n_steps; i++)
		p->steps[i].after = p->steps[i].step->play == p->steps[i - 1].step->play ? p->steps[i - 1].after : i;
	if (!any_host && !k->o->allow_empty)
		return none_at_all(k, any_member);
	if (p->n_steps || k->o->allow_empty)
		return true;
	fail(k->e, E_INPUT, "no task of playbook \"%s\" is selected on these hosts", k->p->name);
	return err_hint(k->e, "The steps that the tags choose are for other hosts, or stand before --start-at.");
}

bool plan_make(struct plan **out, struct arena *a, struct world *w, struct resolvers *rs, const struct playbook *p,
	       const struct plan_options *o, struct err *e)
{
	struct making k = { .a = a, .w = w, .rs = rs, .p = p, .o = o, .e = e };
	struct plan *plan = arena_get(a, sizeof *plan);
	uint32_t from;

	plan->playbook = p;
	if (!limit_read(&k) || !start_at(&k, &from) || !steps_make(&k, plan, from))
		return false;
	union_make(&k, plan);
	*out = plan;
	return true;
}
