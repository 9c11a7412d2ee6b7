/*
 * Is each row of one module sound by itself? Names, types, offsets, forms, defaults and expressions are looked at when
 * the module is loaded, so that a broken module is found without a host. What rows say of other rows and modules is
 * module_join.c's business.
 */
#include "model/module_int.h"

#include <ctype.h>
#include <string.h>

enum { PARAMS_SIZE_MOST = 1 << 20 };

#define ROWS(m, table, T) ((const struct T *)(m)->m->table.rows)

/* Letters, digits and "_", beginning with no digit; and "-" where the name is no variable. */
static bool is_name(const char *s, bool dash)
{
	if (!s || !*s || isdigit((unsigned char)*s) || *s == '-')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_' && !(dash && (*s == '-' || *s == '.')))
			return false;
	return true;
}

static bool row_fail(struct err *e, const char *what, const char *name, const char *why)
{
	return fail(e, E_MODULE, "%s \"%s\" %s", what, name ? name : "", why);
}

static bool row_named(struct err *e, const char *what, const char *name, bool dash)
{
	if (is_name(name, dash))
		return true;
	return row_fail(e, what, name, "is no name");
}

/* No two rows of the table begin with the same name. */
static bool names_unique(struct arena *a, const struct pig_table *t, const char *what, struct err *e)
{
	struct map seen = MAP(a);

	for (uint32_t i = 0; i < t->n; i++) {
		const char *name = *(const char *const *)(const void *)((const char *)t->rows + (size_t)i * t->stride);
		if (!name)
			continue;
		if (map_has(&seen, name))
			return row_fail(e, what, name, "is there twice");
		map_put(&seen, name, &seen);
	}
	return true;
}

static bool expression(const struct expr **out, struct arena *a, const struct module *m, const char *what,
		       const char *name, const char *text, struct err *e)
{
	struct expr *x;

	*out = NULL;
	if (!text)
		return true;
	if (!expr_parse(&x, a, arena_fmt(a, "%s: %s \"%s\"", m->file, what, name), text, (struct origin){ 0 }, e)) {
		e->code = E_MODULE;
		return err_wrap(e, "%s \"%s\": its expression \"%s\" is broken", what, name, text);
	}
	*out = x;
	return true;
}

/* ---- parameters ---- */
bool module_default(const struct value **out, struct arena *a, const char *file, const struct param *p,
		    const char *text, struct err *e)
{
	struct value *v;
	const struct value *typed;

	*out = NULL;
	if (!text)
		return true;
	if (!strncmp(text, "{{", 2) || !strncmp(text, "{%", 2)) {
		v = value_str(a, text); /* as YAML it would be a map */
		v->at = (struct origin){ file, 1, 1 };
	} else if (!value_from_yaml(&v, a, file, text, strlen(text), e)) {
		e->code = E_MODULE;
		return err_wrap(e, "parameter \"%s\": its default is no YAML", p->row->name);
	}
	if (v->type == V_NULL)
		return true;
	*out = v;
	if (strstr(text, "{{") || strstr(text, "{%") || strstr(text, "${"))
		return true; /* typed when it is rendered */
	if (shape_type_one(&typed, a, p->shape, v, e))
		return true;
	e->code = E_MODULE;
	return err_wrap(e, "parameter \"%s\": its default does not fit", p->row->name);
}

static uint32_t type_size(uint8_t type)
{
	return type == PIG_BOOL ? (uint32_t)sizeof(bool) : (uint32_t)sizeof(int64_t);
}

static bool param_row(const struct pig_param *row, bool member, struct err *e)
{
	const uint32_t flags = PIG_SECRET | PIG_REQUIRED | PIG_DEPRECATED | PIG_INERT;
	const struct pig_param *rows = row->members.rows;
	const char *what = member ? "member" : "parameter";

	if (!row->name || (!member && !is_name(row->name, false)))
		return row_fail(e, what, row->name, "is no name");
	if (!member && (name_is_fact(row->name) || name_is_builtin(row->name)))
		return row_fail(e, what, row->name, "is a name that pig keeps for itself");
	if (row->type < PIG_BOOL || row->type > PIG_ANY)
		return row_fail(e, what, row->name, "has no type that this pig knows");
	if (row->level > PIG_ARG || (!member && !row->level))
		return row_fail(e, what, row->name, "has no level that this pig knows");
	if (row->flags & ~flags)
		return row_fail(e, what, row->name, "has a flag that this pig does not know");
	if (member && row->offset)
		return row_fail(e, what, row->name, "has an offset: members have none");
	if (row->members.n && row->type != PIG_LIST && row->type != PIG_MAP)
		return row_fail(e, what, row->name, "has members and is neither list nor map");
	for (uint32_t i = 0; i < row->members.n; i++)
		if (!param_row(&rows[i], true, e))
			return err_wrap(e, "%s \"%s\"", what, row->name);
	return true;
}

/* Fields lie inside the struct, aligned, and share no byte. */
static bool offsets_ok(const struct module *m, struct arena *a, struct err *e)
{
	const struct pig_param *rows = ROWS(m, params, pig_param);
	uint32_t size = m->m->params_size;

	if (size > PARAMS_SIZE_MOST)
		return fail(e, E_MODULE, "its parameter struct has %u bytes", size);
	const char **owner = arena_new_of(a, const char *, size);
	for (uint32_t i = 0; i < m->m->params.n; i++) {
		uint32_t n = type_size(rows[i].type);
		if (rows[i].offset > size || n > size - rows[i].offset || rows[i].offset % n) {
			row_fail(e, "parameter", rows[i].name, "lies outside the module's parameter struct");
			return err_hint(e, "Set .params_size = sizeof(struct ...) and use PIG_P_BOOL and its kin.");
		}
		for (uint32_t k = rows[i].offset; k < rows[i].offset + n; k++) {
			if (owner[k])
				return fail(e, E_MODULE, "parameters \"%s\" and \"%s\" share a field", owner[k],
					    rows[i].name);
			owner[k] = rows[i].name;
		}
	}
	return true;
}

static bool params_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_param *rows = ROWS(m, params, pig_param);

	m->n_params = m->m->params.n;
	m->params = arena_new_of(a, struct param, m->n_params);
	for (uint32_t i = 0; i < m->n_params; i++) {
		struct param *p = &m->params[i];
		*p = (struct param){
			.row = &rows[i], .module = m, .members = rows[i].members.rows, .n_members = rows[i].members.n
		};
		if (!param_row(&rows[i], false, e))
			return false;
		if (!shape_make(&p->shape, a, &rows[i], e))
			return err_wrap(e, "parameter \"%s\"", rows[i].name);
		if (!module_default(&p->dflt, a, arena_fmt(a, "default of %s", rows[i].name), p, rows[i].dflt, e))
			return false;
	}
	return names_unique(a, &m->m->params, "parameter", e) && offsets_ok(m, a, e);
}

/* ---- rules, tasks, presets ---- */
static bool rules_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_rule *rows = ROWS(m, rules, pig_rule);

	m->n_rules = m->m->rules.n;
	m->rules = arena_new_of(a, struct rule, m->n_rules);
	for (uint32_t i = 0; i < m->n_rules; i++) {
		m->rules[i] = (struct rule){ .row = &rows[i], .module = m };
		if (!row_named(e, "rule", rows[i].id, true))
			return false;
		if (!rows[i].must == !rows[i].check)
			return row_fail(e, "rule", rows[i].id, "needs one of .must and .check");
		if (rows[i].scope < PIG_HOST || rows[i].scope > PIG_ALL)
			return row_fail(e, "rule", rows[i].id, "has no scope that this pig knows");
		if (rows[i].warn > 2)
			return row_fail(e, "rule", rows[i].id, "has a .warn that this pig does not know");
		if (rows[i].flags & ~(uint64_t)PIG_BY_VALUES)
			return row_fail(e, "rule", rows[i].id, "has a flag that this pig does not know");
		if (rows[i].scope == PIG_OF_CLUSTER && !m->m->cluster)
			return row_fail(e, "rule", rows[i].id, "is about clusters, and the module has no .cluster");
		if (!expression(&m->rules[i].must, a, m, "rule", rows[i].id, rows[i].must, e))
			return false;
	}
	return names_unique(a, &m->m->rules, "rule", e);
}

static bool tasks_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_taskdef *rows = ROWS(m, tasks, pig_taskdef);

	m->n_tasks = m->m->tasks.n;
	m->tasks = arena_new_of(a, struct task_row, m->n_tasks);
	for (uint32_t i = 0; i < m->n_tasks; i++) {
		m->tasks[i] = (struct task_row){ .row = &rows[i], .module = m };
		if (!row_named(e, "task", rows[i].name, true))
			return false;
		if (!rows[i].run)
			return row_fail(e, "task", rows[i].name, "has no .run");
		if (!expression(&m->tasks[i].when, a, m, "task", rows[i].name, rows[i].when, e))
			return false;
	}
	return names_unique(a, &m->m->tasks, "task", e);
}

static bool presets_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_preset *rows = ROWS(m, presets, pig_preset);

	m->n_presets = m->m->presets.n;
	m->presets = arena_new_of(a, struct preset, m->n_presets);
	for (uint32_t i = 0; i < m->n_presets; i++) {
		m->presets[i] = (struct preset){ .row = &rows[i], .module = m };
		if (!row_named(e, "preset", rows[i].param, false))
			return false;
		if (!rows[i].dflt)
			return row_fail(e, "preset", rows[i].param, "has no value");
		if (!expression(&m->presets[i].when, a, m, "preset", rows[i].param, rows[i].when, e))
			return false;
	}
	return true;
}

/* ---- playbooks ---- */
static bool step_check(const struct module *m, struct arena *a, const struct pig_step *row, struct err *e)
{
	const struct expr *x;
	uint32_t n;

	if (!row_named(e, "step", row->name, true))
		return false;
	if (row->flags & ~(uint32_t)(PIG_ONCE | PIG_BARRIER | PIG_DESTRUCTIVE | PIG_GATHER))
		return row_fail(e, "step", row->name, "has a flag that this pig does not know");
	module_words(a, row->tasks, &n);
	if (row->playbook)
		return n ? row_fail(e, "step", row->name, "has both tasks and a playbook") : true;
	if (!n)
		return row_fail(e, "step", row->name, "has no tasks");
	if ((row->loses || row->safeguard) && !(row->flags & PIG_DESTRUCTIVE))
		return row_fail(e, "step", row->name, "says what is lost, and is not PIG_DESTRUCTIVE");
	const char **needs = module_words(a, row->needs, &n);
	for (uint32_t i = 0; i < n; i++)
		if (!strchr(needs[i], '.') || needs[i][0] == '.' || needs[i][strlen(needs[i]) - 1] == '.')
			return fail(e, E_MODULE, "step \"%s\": \"%s\" in .needs is not written module.step", row->name,
				    needs[i]);
	if (!row->hosts && !m->m->cluster)
		return row_fail(e, "step", row->name, "needs .hosts: the module has no .cluster");
	return expression(&x, a, m, "step", row->name, row->when, e) &&
	       expression(&x, a, m, "step", row->name, row->first, e);
}

static bool playbooks_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_playbook *rows = ROWS(m, playbooks, pig_playbook);

	for (uint32_t i = 0; i < m->m->playbooks.n; i++) {
		const struct pig_step *steps = rows[i].steps.rows;
		if (!row_named(e, "playbook", rows[i].name, true))
			return false;
		for (uint32_t k = 0; k < rows[i].steps.n; k++)
			if (!step_check(m, a, &steps[k], e))
				return err_wrap(e, "playbook \"%s\"", rows[i].name);
		if (!names_unique(a, &rows[i].steps, "step", e))
			return err_wrap(e, "playbook \"%s\"", rows[i].name);
	}
	return names_unique(a, &m->m->playbooks, "playbook", e);
}

static bool inserts_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_insert *rows = ROWS(m, inserts, pig_insert);

	for (uint32_t i = 0; i < m->m->inserts.n; i++) {
		const struct expr *x;
		const char *where = rows[i].where ? rows[i].where : "";
		if (!row_named(e, "insert", rows[i].name, true))
			return false;
		if (!rows[i].playbook || !rows[i].tasks)
			return row_fail(e, "insert", rows[i].name, "lacks its playbook or tasks");
		if ((strncmp(where, "after:", 6) != 0 || !where[6]) && (strncmp(where, "before:", 7) != 0 || !where[7]))
			return row_fail(e, "insert", rows[i].name, "does not say where: after:STEP or before:STEP");
		if (!expression(&x, a, m, "insert", rows[i].name, rows[i].when, e))
			return false;
	}
	return true;
}

/* ---- what has no meaning here but its names ---- */
static bool template_name_ok(const char *s)
{
	if (!s || !*s || *s == '/')
		return false;
	for (const char *p = s; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (!strncmp(p, "..", 2) && (!p[2] || p[2] == '/'))
			return false;
	return true;
}

const struct pig_template *module_own_template(const struct module *m, const char *name)
{
	for (uint32_t i = 0; i < m->n_templates; i++)
		if (!strcmp(m->templates[i].name, name))
			return &m->templates[i];
	return NULL;
}

/* Rows that say which template gives way to which own one. */
static bool overrides_check(const struct module *m, struct arena *a, struct err *e)
{
	const struct pig_override *rows = ROWS(m, overrides, pig_override);

	for (uint32_t i = 0; i < m->m->overrides.n; i++) {
		const char *slash = rows[i].tmpl ? strchr(rows[i].tmpl, '/') : NULL;
		if (!slash || slash == rows[i].tmpl || !slash[1])
			return row_fail(e, "override", rows[i].tmpl, "is not written module/template");
		if (!rows[i].by || !module_own_template(m, rows[i].by))
			return row_fail(e, "override", rows[i].tmpl, "names no template of the module in .by");
	}
	return names_unique(a, &m->m->overrides, "override", e);
}

static bool others_check(struct module *m, struct arena *a, struct err *e)
{
	m->templates = m->m->templates.rows;
	m->n_templates = m->m->templates.n;
	for (uint32_t i = 0; i < m->n_templates; i++)
		if (!template_name_ok(m->templates[i].name) || (!m->templates[i].data && m->templates[i].len))
			return row_fail(e, "template", m->templates[i].name, "is no relative path, or has no content");
	m->health = m->m->health.rows;
	m->n_health = m->m->health.n;
	for (uint32_t i = 0; i < m->n_health; i++)
		if (!is_name(m->health[i].name, true) || !m->health[i].ok)
			return row_fail(e, "health check", m->health[i].name, "is no name, or has no .ok");
	m->ifaces = m->m->ifaces.rows;
	m->n_ifaces = m->m->ifaces.n;
	for (uint32_t i = 0; i < m->n_ifaces; i++)
		if (!m->ifaces[i].id || !strchr(m->ifaces[i].id, '/') || !m->ifaces[i].vtable)
			return row_fail(e, "interface", m->ifaces[i].id,
					"is not written module.thing/1, or has no table");
	m->aliases = m->m->aliases.rows;
	m->n_aliases = m->m->aliases.n;
	for (uint32_t i = 0; i < m->n_aliases; i++)
		if (!m->aliases[i].name || !m->aliases[i].packages)
			return row_fail(e, "alias", m->aliases[i].name, "has no packages");
	return names_unique(a, &m->m->templates, "template", e) && names_unique(a, &m->m->health, "health check", e) &&
	       names_unique(a, &m->m->ifaces, "interface", e) && overrides_check(m, a, e);
}

static bool verbs_check(struct module *m, struct arena *a, struct err *e)
{
	const unsigned known = PIG_INVENTORY | PIG_INVENTORY_IF_ANY | PIG_LIMIT | PIG_JSON;

	m->verbs = m->m->verbs.rows;
	m->n_verbs = m->m->verbs.n;
	for (uint32_t i = 0; i < m->n_verbs; i++) {
		const struct pig_verb *v = &m->verbs[i];
		const struct pig_option *o = v->options.rows;
		if (!row_named(e, "verb", v->name, true))
			return false;
		if (!v->run || !v->usage || !v->text)
			return row_fail(e, "verb", v->name, "needs .run, .usage and .text");
		if (v->flags & ~known)
			return row_fail(e, "verb", v->name, "has a flag that this pig does not know");
		if ((v->flags & PIG_LIMIT) && !(v->flags & (PIG_INVENTORY | PIG_INVENTORY_IF_ANY)))
			return row_fail(e, "verb", v->name, "takes a limit and no inventory");
		for (uint32_t k = 0; k < v->options.n; k++)
			if (!row_named(e, "option", o[k].name, true) ||
			    (o[k].many && !o[k].arg && !row_fail(e, "option", o[k].name, "is a list without .arg")))
				return err_wrap(e, "verb \"%s\"", v->name);
		if (!names_unique(a, &v->options, "option", e))
			return err_wrap(e, "verb \"%s\"", v->name);
	}
	return names_unique(a, &m->m->verbs, "verb", e);
}

/* "x", "x[].y" or "x{}", where x is a parameter of the module. */
static bool listens_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_listen *rows = ROWS(m, listens, pig_listen);

	m->n_listens = m->m->listens.n;
	m->listens = arena_new_of(a, struct listen, m->n_listens);
	for (uint32_t i = 0; i < m->n_listens; i++) {
		const char *port = rows[i].port ? rows[i].port : "";
		size_t n = strcspn(port, "[{"), k = 0;
		while (k < m->n_params && (strlen(m->params[k].row->name) != n || memcmp(m->params[k].row->name, port, n)))
			k++;
		if (k == m->n_params || (port[n] && strcmp(port + n, "{}") != 0 &&
					 (strncmp(port + n, "[].", 3) != 0 || !port[n + 3])))
			return row_fail(e, "listen row", rows[i].port,
					"is no parameter of the module, nor written list[].member or map{}");
		m->listens[i] = (struct listen){ .row = &rows[i], .module = m };
		if (!expression(&m->listens[i].when, a, m, "listen row", port, rows[i].when, e))
			return false;
	}
	return true;
}

static bool foreign_check(struct module *m, struct arena *a, struct err *e)
{
	const struct pig_other *rows = ROWS(m, others, pig_other);

	(void)a;
	for (uint32_t i = 0; i < m->m->others.n; i++)
		if (!is_name(rows[i].module, true) || !rows[i].names)
			return row_fail(e, "row of others", rows[i].module, "is no module's name, or has no .names");
	return true;
}

static bool head_ok(const struct module *m, struct err *e)
{
	const struct pig_need *needs = ROWS(m, needs, pig_need);

	if (!row_named(e, "module", m->m->name, true) || strchr(m->m->name, '.') || !strcmp(m->m->name, "pig"))
		return row_fail(e, "module", m->m->name, "is no name a module can have");
	if (!m->m->version || !isdigit((unsigned char)*m->m->version))
		return row_fail(e, "version", m->m->version, "does not begin with a digit");
	for (uint32_t i = 0; i < m->m->needs.n; i++)
		if (!needs[i].module || (needs[i].version && !version_range_valid(needs[i].version)))
			return row_fail(e, "need", needs[i].module,
					"is no module and range of versions such as \">=1.2 <2\"");
	return true;
}

bool module_rows_check(struct module *m, struct arena *a, struct err *e)
{
	static bool (*const checks[])(struct module *, struct arena *, struct err *) = {
		params_check,  rules_check,  tasks_check,   presets_check, playbooks_check,
		inserts_check, others_check, listens_check, foreign_check, verbs_check,
	};

	if (!head_ok(m, e))
		return false;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		if (!checks[i](m, a, e))
			return false;
	return true;
}
