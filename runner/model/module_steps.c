/*
 * Playbooks with their steps, the inserts of other modules in place, and the edges between steps. Which hosts run a
 * step and in what order is plan.c's and the engine's business.
 */
#include "model/module_int.h"

#include <string.h>

const char **module_words(struct arena *a, const char *text, uint32_t *n)
{
	static const char gaps[] = " \t\n,";
	uint32_t cap = 0;

	*n = 0;
	for (const char *s = text; s && *(s += strspn(s, gaps)); s += strcspn(s, gaps))
		cap++;
	const char **words = arena_new_of(a, const char *, cap);
	for (const char *s = text; s && *(s += strspn(s, gaps)); s += strcspn(s, gaps))
		words[(*n)++] = arena_strn(a, s, strcspn(s, gaps));
	return words;
}

const char *module_playbook_name(struct arena *a, const char *name)
{
	size_t n = strlen(name);

	if (n > 4 && !strcmp(name + n - 4, ".yml"))
		return arena_strn(a, name, n - 4);
	if (n > 5 && !strcmp(name + n - 5, ".yaml"))
		return arena_strn(a, name, n - 5);
	return name;
}

static bool step_tasks(const struct modules *ms, struct step *s, const char *tasks, struct err *e)
{
	const char **words = module_words(ms->a, tasks, &s->n_tasks);

	s->tasks = arena_new_of(ms->a, const struct task_row *, s->n_tasks);
	for (uint32_t i = 0; i < s->n_tasks; i++) {
		s->tasks[i] = map_get(&ms->tasks, words[i]);
		if (s->tasks[i])
			continue;
		const char **names = arena_new_of(ms->a, const char *, ms->tasks.n), *near;
		for (uint32_t k = 0; k < ms->tasks.n; k++)
			names[k] = ms->tasks.items[k].key;
		near = nearest(words[i], names, ms->tasks.n);
		fail(e, E_MODULE, "step \"%s\" names task \"%s\", which no module has", s->name, words[i]);
		return near ? err_hint(e, "Did you mean \"%s\"?", near)
			    : err_hint(e, "Name the module that has it in .needs.");
	}
	return true;
}

static const struct expr *step_expr(struct modules *ms, const char *text)
{
	struct expr *x;
	struct err e;

	/* the rows were checked when the module was loaded */
	if (!text || !expr_parse(&x, ms->a, "step", text, (struct origin){ 0 }, &e))
		return NULL;
	return x;
}

static bool playbook_make(struct modules *ms, struct module *m, const struct pig_playbook *row, struct err *e)
{
	const struct pig_step *rows = row->steps.rows;
	const char *name = module_playbook_name(ms->a, row->name);
	struct playbook *p = arena_get(ms->a, sizeof *p), *other = map_get(&ms->playbooks, name);

	if (other)
		return fail(e, E_MODULE, "playbook \"%s\" is there already, from %s", name, other->module->file);
	*p = (struct playbook){ .name = name, .text = row->text, .module = m, .n_steps = row->steps.n };
	p->steps = arena_new_of(ms->a, struct step, p->n_steps);
	for (uint32_t i = 0; i < p->n_steps; i++) {
		p->steps[i] = (struct step){
			.name = rows[i].name,
			.module = m,
			.hosts = rows[i].hosts,
			.needs = rows[i].needs,
			.health = rows[i].health,
			.loses = rows[i].loses,
			.safeguard = rows[i].safeguard,
			.playbook = rows[i].playbook,
			.serial = rows[i].serial,
			.flags = rows[i].flags,
			.when = step_expr(ms, rows[i].when),
			.first = step_expr(ms, rows[i].first),
		};
		if (!step_tasks(ms, &p->steps[i], rows[i].tasks, e))
			return err_wrap(e, "playbook \"%s\"", name);
	}
	map_put(&ms->playbooks, name, p);
	return true;
}

bool module_steps_make(struct modules *ms, struct module *m, struct err *e)
{
	const struct pig_playbook *rows = m->m->playbooks.rows;

	for (uint32_t i = 0; i < m->m->playbooks.n; i++)
		if (!playbook_make(ms, m, &rows[i], e))
			return false;
	return true;
}

/* ---- inserts ---- */
static struct step *step_find(const struct playbook *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_steps; i++)
		if (!strcmp(p->steps[i].name, name))
			return &p->steps[i];
	return NULL;
}

/* After its anchor come the inserts of one step in the order of their modules: skip those that stand there already. */
static uint32_t place_after(const struct playbook *p, uint32_t at, const struct map *mine)
{
	at++;
	while (at < p->n_steps && map_has(mine, p->steps[at].name))
		at++;
	return at;
}

static bool insert_make(struct modules *ms, const struct pig_insert *row, struct err *e)
{
	struct playbook *p = map_get(&ms->playbooks, module_playbook_name(ms->a, row->playbook));
	bool after = !strncmp(row->where, "after:", 6);
	const char *anchor = row->where + (after ? 6 : 7);
	struct map mine = MAP(ms->a);
	struct step *steps, *s;

	if (!p)
		return fail(e, E_MODULE, "step \"%s\" goes into playbook \"%s\", which no module has", row->name,
			    row->playbook);
	if (!(s = step_find(p, anchor)))
		return fail(e, E_MODULE, "step \"%s\" goes %s step \"%s\", which playbook \"%s\" has not", row->name,
			    after ? "after" : "before", anchor, p->name);
	if (step_find(p, row->name))
		return fail(e, E_MODULE, "playbook \"%s\" has a step \"%s\" already", p->name, row->name);
	for (uint32_t i = 0; i < ms->n; i++) {
		const struct pig_insert *rows = ms->list[i]->m->inserts.rows;
		for (uint32_t k = 0; k < ms->list[i]->m->inserts.n; k++)
			if (!strcmp(rows[k].where, row->where) &&
			    !strcmp(module_playbook_name(ms->a, rows[k].playbook), p->name))
				map_put(&mine, rows[k].name, p);
	}

	struct step fresh = {
		.name = row->name,
		.module = s->module,
		.hosts = s->hosts,
		.when = step_expr(ms, row->when),
		.serial = row->serial,
		.flags = row->flags,
	};
	uint32_t at = (uint32_t)(s - p->steps);
	if (!step_tasks(ms, &fresh, row->tasks, e))
		return false;
	at = after ? place_after(p, at, &mine) : at;
	steps = arena_new_of(ms->a, struct step, p->n_steps + 1);
	memcpy(steps, p->steps, at * sizeof *steps);
	steps[at] = fresh;
	memcpy(steps + at + 1, p->steps + at, (p->n_steps - at) * sizeof *steps);
	p->steps = steps;
	p->n_steps++;
	return true;
}

bool module_inserts_make(struct modules *ms, struct module *m, struct err *e)
{
	const struct pig_insert *rows = m->m->inserts.rows;

	for (uint32_t i = 0; i < m->m->inserts.n; i++)
		if (!insert_make(ms, &rows[i], e))
			return false;
	return true;
}

/* ---- playbooks within playbooks ---- */
enum { NESTED_MOST = 8 };

static bool includes_of(struct modules *ms, struct playbook *p, uint32_t depth, struct err *e)
{
	uint32_t n = 0, cap = 0;
	struct step *steps = NULL;
	bool any = false;

	for (uint32_t i = 0; i < p->n_steps; i++)
		any |= p->steps[i].playbook != NULL;
	if (!any)
		return true;
	if (depth > NESTED_MOST)
		return fail(e, E_MODULE, "playbook \"%s\" contains itself", p->name);
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->steps[i];
		const struct step *add = s;
		uint32_t more = 1;
		if (s->playbook) {
			/* a module that is not loaded has no hosts either */
			struct playbook *in = map_get(&ms->playbooks, module_playbook_name(ms->a, s->playbook));
			if (in && !includes_of(ms, in, depth + 1, e))
				return err_wrap(e, "playbook \"%s\"", p->name);
			add = in ? in->steps : NULL;
			more = in ? in->n_steps : 0;
		}
		if (n + more > cap) {
			struct step *bigger = arena_new_of(ms->a, struct step, cap = (n + more) * 2);
			if (n)
				memcpy(bigger, steps, n * sizeof *steps);
			steps = bigger;
		}
		if (more)
			memcpy(steps + n, add, more * sizeof *steps);
		n += more;
	}
	p->steps = steps;
	p->n_steps = n;
	return true;
}

bool module_includes_make(struct modules *ms, struct module *m, struct err *e)
{
	for (uint32_t i = 0; i < ms->playbooks.n; i++) {
		struct playbook *p = ms->playbooks.items[i].val;
		if (p->module == m && !includes_of(ms, p, 0, e))
			return false;
	}
	return true;
}

/* ---- edges ---- */
static bool safeguard_known(const struct modules *ms, const struct step *s)
{
	return !s->safeguard || map_has(&ms->params, s->safeguard);
}

/* "module.step": true as well when the module is not loaded, as then there is nothing to wait for. */
static bool need_known(const struct modules *ms, const char *need)
{
	const char *dot = strchr(need, '.');
	const struct module *m = modules_get(ms, arena_strn(ms->a, need, (size_t)(dot - need)));

	if (!m)
		return true;
	for (uint32_t i = 0; i < ms->playbooks.n; i++) {
		const struct playbook *p = ms->playbooks.items[i].val;
		if (p->module == m && step_find(p, dot + 1))
			return true;
	}
	return false;
}

static bool health_known(const struct module *m, const char *name)
{
	for (uint32_t i = 0; i < m->n_health; i++)
		if (!strcmp(m->health[i].name, name))
			return true;
	return false;
}

bool module_edges_check(struct modules *ms, struct module *m, struct err *e)
{
	for (uint32_t i = 0; i < ms->playbooks.n; i++) {
		const struct playbook *p = ms->playbooks.items[i].val;
		for (uint32_t k = 0; p->module == m && k < p->n_steps; k++) {
			const struct step *s = &p->steps[k];
			uint32_t n;
			const char **needs = module_words(ms->a, s->needs, &n);
			for (uint32_t j = 0; j < n; j++)
				if (!need_known(ms, needs[j]))
					return fail(e, E_MODULE, "step \"%s\" needs \"%s\", and there is no such step",
						    s->name, needs[j]);
			if (!safeguard_known(ms, s))
				return fail(e, E_MODULE, "step \"%s\" names safeguard \"%s\", which is no parameter", s->name,
					    s->safeguard);
			if (s->module == m && s->health && !health_known(m, s->health))
				return fail(e, E_MODULE,
					    "step \"%s\" names health check \"%s\", which the module has not", s->name,
					    s->health);
		}
	}
	return true;
}
