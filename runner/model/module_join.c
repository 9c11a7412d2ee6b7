/*
 * Loaded modules into one whole: order of need, names that are unique, presets. A module that fails here is left out
 * and reported, unless another needs it; a name that two modules claim is an error, as leaving out either would be a
 * guess.
 */
#include "model/module_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- versions ---- */
/* The next number of "1.2.10" and what follows; missing parts are 0. */
static unsigned long version_part(const char **s)
{
	unsigned long n = 0;

	while (isdigit((unsigned char)**s)) {
		n = n < 100000000ul ? n * 10 + (unsigned long)(**s - '0') : n;
		++*s;
	}
	if (**s == '.')
		++*s;
	else
		*s = "";
	return n;
}

static int version_compare(const char *x, const char *y)
{
	while (*x || *y) {
		unsigned long a = version_part(&x), b = version_part(&y);
		if (a != b)
			return a < b ? -1 : 1;
	}
	return 0;
}

/* One term of a range: the comparison's length, and whether it holds for the order found. */
static size_t term_op(const char *term, int order, bool *holds)
{
	static const struct {
		const char *op;
		bool less, equal, more;
	} ops[] = {
		{ ">=", false, true, true },  { "<=", true, true, false }, { "!=", true, false, true },
		{ "==", false, true, false }, { ">", false, false, true }, { "<", true, false, false },
		{ "=", false, true, false },
	};

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (!strncmp(term, ops[i].op, strlen(ops[i].op))) {
			*holds = order < 0 ? ops[i].less : order ? ops[i].more : ops[i].equal;
			return strlen(ops[i].op);
		}
	*holds = !order;
	return 0;
}

bool version_fits(const char *version, const char *range)
{
	for (const char *s = range; s && *(s += strspn(s, " ,")); s += strcspn(s, " ,")) {
		bool holds;
		size_t n = term_op(s, 0, &holds);
		term_op(s, version_compare(version, s + n), &holds);
		if (!holds)
			return false;
	}
	return true;
}

bool version_range_valid(const char *range)
{
	for (const char *s = range; *(s += strspn(s, " ,")); s += strcspn(s, " ,")) {
		bool holds;
		const char *v = s + term_op(s, 0, &holds);
		size_t n = strcspn(v, " ,");
		if (!n || !isdigit((unsigned char)*v))
			return false;
		for (size_t i = 0; i < n; i++)
			if (!isalnum((unsigned char)v[i]) && v[i] != '.')
				return false;
	}
	return true;
}

/* ---- order of need ---- */
struct order {
	struct modules *ms;
	struct module **found;
	uint32_t n;
	uint8_t *state; /* 0 not seen, 1 on the way, 2 placed */
	struct err *e;
};

static const char *need_text(struct arena *a, const struct pig_need *need)
{
	return need->version ? arena_fmt(a, "\"%s\" %s", need->module, need->version)
			     : arena_fmt(a, "\"%s\"", need->module);
}

static bool need_missing(struct order *o, const struct module *m, const struct pig_need *need)
{
	struct err *e = o->e;

	fail(e, E_MODULE, "module \"%s\" needs module %s, which is not loaded", m->m->name, need_text(o->ms->a, need));
	for (uint32_t i = 0; i < o->ms->n_skipped; i++)
		if (strstr(o->ms->skipped[i].msg, need->module))
			err_detail(e, "%s", o->ms->skipped[i].msg);
	err_hint(e, "Install it, name its folder with --plugin-dir, or take %s away.", m->file);
	return err_at(e, m->file, 0, 0);
}

static bool need_version(struct order *o, const struct module *m, const struct pig_need *need, const char *have)
{
	if (version_fits(have, need->version))
		return true;
	fail(o->e, E_MODULE, "module \"%s\" needs %s, and %s is loaded", m->m->name, need_text(o->ms->a, need), have);
	err_hint(o->e, "Install versions that go together.");
	return err_at(o->e, m->file, 0, 0);
}

static bool place(struct order *o, uint32_t i);

static bool place_need(struct order *o, uint32_t i, const struct pig_need *need)
{
	if (!strcmp(need->module, "pig"))
		return need_version(o, o->found[i], need, arena_fmt(o->ms->a, "%d.%d", PIG_ABI_MAJOR, PIG_ABI_MINOR));
	for (uint32_t k = 0; k < o->n; k++) {
		if (strcmp(o->found[k]->m->name, need->module) != 0)
			continue;
		if (o->state[k] == 1) {
			fail(o->e, E_MODULE, "modules \"%s\" and \"%s\" need each other", o->found[i]->m->name,
			     need->module);
			err_hint(o->e, "Needs must not form a circle.");
			return err_at(o->e, o->found[i]->file, 0, 0);
		}
		return need_version(o, o->found[i], need, o->found[k]->m->version) && place(o, k);
	}
	return need_missing(o, o->found[i], need);
}

static bool place(struct order *o, uint32_t i)
{
	const struct pig_module *m = o->found[i]->m;
	const struct pig_need *needs = m->needs.rows;

	if (o->state[i])
		return true;
	o->state[i] = 1;
	for (uint32_t k = 0; k < m->needs.n; k++)
		if (!place_need(o, i, &needs[k]))
			return false;
	o->state[i] = 2;
	o->ms->list[o->ms->n++] = o->found[i];
	return true;
}

static bool order_make(struct modules *ms, struct module **found, uint32_t n, struct err *e)
{
	struct order o = { .ms = ms, .found = found, .n = n, .state = arena_new_of(ms->a, uint8_t, n), .e = e };

	ms->list = arena_new_of(ms->a, struct module *, n);
	ms->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!place(&o, i))
			return false;
	return true;
}

/* ---- names ---- */
static bool clash(struct err *e, const char *what, const char *name, const struct module *x, const struct module *y)
{
	fail(e, E_MODULE, "%s \"%s\" is claimed by two modules", what, name);
	err_detail(e, "%s\n%s", x->file, y->file);
	return err_hint(e, "Take one of the two away.");
}

static bool param_register(struct modules *ms, struct param *p, struct err *e)
{
	struct param *other = map_get(&ms->params, p->row->name);

	if (!other)
		other = map_get(&ms->was, p->row->name);
	if (other)
		return clash(e, "parameter", p->row->name, other->module, p->module);
	p->index = ms->n_params++;
	p->preset = NULL;
	map_put(&ms->params, p->row->name, p);

	uint32_t n;
	const char **was = module_words(ms->a, p->row->was, &n);
	for (uint32_t i = 0; i < n; i++) {
		other = map_get(&ms->params, was[i]);
		if (!other)
			other = map_get(&ms->was, was[i]);
		if (other)
			return clash(e, "parameter", was[i], other->module, p->module);
		map_put(&ms->was, was[i], p);
	}
	return true;
}

static bool names_register(struct modules *ms, struct module *m, struct err *e)
{
	for (uint32_t i = 0; i < m->n_params; i++)
		if (!param_register(ms, &m->params[i], e))
			return false;
	for (uint32_t i = 0; i < m->n_tasks; i++) {
		struct task_row *other = map_get(&ms->tasks, m->tasks[i].row->name);
		if (other)
			return clash(e, "task", m->tasks[i].row->name, other->module, m);
		map_put(&ms->tasks, m->tasks[i].row->name, &m->tasks[i]);
	}
	for (uint32_t k = 0; k < ms->n && ms->list[k] != m; k++)
		for (uint32_t i = 0; i < m->n_ifaces; i++)
			for (uint32_t j = 0; j < ms->list[k]->n_ifaces; j++)
				if (!strcmp(ms->list[k]->ifaces[j].id, m->ifaces[i].id))
					return clash(e, "interface", m->ifaces[i].id, ms->list[k], m);
	for (uint32_t k = 0; k < ms->n && ms->list[k] != m; k++)
		for (uint32_t i = 0; i < m->n_verbs; i++)
			for (uint32_t j = 0; j < ms->list[k]->n_verbs; j++)
				if (!strcmp(ms->list[k]->verbs[j].name, m->verbs[i].name))
					return clash(e, "verb", m->verbs[i].name, ms->list[k], m);
	return true;
}

static bool cluster_check(struct modules *ms, struct module *m, struct err *e)
{
	const struct param *p;

	if (!m->m->cluster)
		return true;
	p = map_get(&ms->params, m->m->cluster);
	if (p && p->row->type == PIG_STR)
		return true;
	return fail(e, E_MODULE, "its cluster parameter \"%s\" is %s", m->m->cluster,
		    p ? "no string" : "registered by no module");
}

/* A preset that fits nothing is its module's fault; two of one parameter are nobody's. */
static bool presets_check(struct modules *ms, struct module *m, struct module **bad, struct err *e)
{
	for (uint32_t i = 0; i < m->n_presets; i++) {
		struct preset *ps = &m->presets[i];
		struct param *p = map_get(&ms->params, ps->row->param);
		if (!p) {
			*bad = m;
			fail(e, E_MODULE, "presets parameter \"%s\", which no module registers", ps->row->param);
			return err_hint(e, "Name the module that registers it in .needs.");
		}
		if (p->preset)
			return clash(e, "the preset of parameter", p->row->name, p->preset->module, m);
		if (!module_default(&ps->dflt, ms->a, arena_fmt(ms->a, "preset of %s by %s", p->row->name, m->m->name),
				    p, ps->row->dflt, e)) {
			*bad = m;
			return false;
		}
		p->preset = ps;
	}
	return true;
}

/* The own template stands behind those that others have put there already. */
static bool override_add(struct modules *ms, struct module *m, const struct pig_override *row, struct err *e)
{
	const char *slash = strchr(row->tmpl, '/');
	struct module *of = modules_get(ms, arena_strn(ms->a, row->tmpl, (size_t)(slash - row->tmpl)));
	const struct pig_template *by = module_own_template(m, row->by);

	if (!of || !module_own_template(of, slash + 1)) {
		fail(e, E_MODULE, "overrides template \"%s\", which no module has", row->tmpl);
		return err_hint(e, "pig template list shows them.");
	}
	if (!module_needs(m, of->m->name)) {
		fail(e, E_MODULE, "overrides template \"%s\" of a module that it does not need", row->tmpl);
		return err_hint(e, "Name the module \"%s\" in .needs.", of->m->name);
	}

	struct override *more = arena_new_of(ms->a, struct override, of->n_overrides + 1);
	if (of->n_overrides)
		memcpy(more, of->overrides, of->n_overrides * sizeof *more);
	more[of->n_overrides++] = (struct override){ slash + 1, m, by };
	of->overrides = more;
	return true;
}

static bool overrides_make(struct modules *ms, struct module *m, struct err *e)
{
	const struct pig_override *rows = m->m->overrides.rows;

	for (uint32_t i = 0; i < m->m->overrides.n; i++)
		if (!override_add(ms, m, &rows[i], e))
			return false;
	return true;
}

/* ---- all of it, again and again without the modules that fail ---- */
/* *bad: the module that is to be left out; NULL when the whole cannot be. */
static bool join_once(struct modules *ms, struct module **found, uint32_t n, struct module **bad, struct err *e)
{
	static bool (*const parts[])(struct modules *, struct module *, struct err *) = {
		cluster_check,
		module_steps_make,
		module_inserts_make,
		module_includes_make,
		module_edges_check,
		overrides_make,
	};

	*bad = NULL;
	ms->params = ms->was = ms->tasks = ms->playbooks = MAP(ms->a);
	ms->n_params = 0;
	if (!order_make(ms, found, n, e))
		return false;
	for (uint32_t i = 0; i < ms->n; i++)
		ms->list[i]->n_overrides = 0;
	for (uint32_t i = 0; i < ms->n; i++)
		if (!names_register(ms, ms->list[i], e))
			return false;
	for (uint32_t i = 0; i < ms->n; i++)
		if (!presets_check(ms, ms->list[i], bad, e))
			return false;
	for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
		for (uint32_t i = 0; i < ms->n; i++)
			if (!parts[k](ms, ms->list[i], e)) {
				*bad = ms->list[i];
				return false;
			}
	return true;
}

bool module_needs(const struct module *m, const char *name)
{
	const struct pig_need *needs = m->m->needs.rows;

	for (uint32_t i = 0; i < m->m->needs.n; i++)
		if (!strcmp(needs[i].module, name))
			return true;
	return false;
}

static bool is_needed(const struct modules *ms, const struct module *m, const struct module **by)
{
	for (uint32_t i = 0; i < ms->n; i++)
		if (module_needs(ms->list[i], m->m->name)) {
			*by = ms->list[i];
			return true;
		}
	return false;
}

bool modules_join(struct modules *ms, struct module **found, uint32_t n, struct err *e)
{
	struct module *bad;
	const struct module *by;

	struct err mine = { 0 };

	e = e ? e : &mine;
	while (!join_once(ms, found, n, &bad, e)) {
		if (!bad)
			return false;
		e->code = E_MODULE;
		err_wrap(e, "module %s", bad->file);
		if (is_needed(ms, bad, &by)) {
			err_wrap(e, "module \"%s\" needs module \"%s\"", by->m->name, bad->m->name);
			return false;
		}
		modules_skip(ms, e);
		for (uint32_t i = 0, k = 0; i < n; i++)
			if (found[i] != bad)
				found[k++] = found[i];
		n--;
	}
	return true;
}
