/*
 * Faults of what is written: levels, types, members, templates; parameters that must be set and are not. Each written
 * value is looked at once, however many hosts share it.
 */
#include "model/check_int.h"

#include <stdlib.h>
#include <string.h>

struct source { /* one map of written values */
	const struct value *vars;
	enum inv_level level;
	const char *owner;
	bool checked;
};

/* ---- one entry ---- */
static bool entry_level(struct checking *c, const struct source *src, const struct param *p, const struct entry *en)
{
	struct fault f = { .at = en->at.file ? en->at : en->val->at, .id = "level" };
	const struct pig_param *row = p->row;

	if (src->level >= INV_PLAY)
		return true;
	if (row->level == PIG_ARG) {
		f.text = arena_fmt(c->a, "parameter \"%s\" is for the command line alone", row->name);
		f.hint = arena_fmt(c->a, "Take it out of the inventory and say -e %s=...", row->name);
	} else if (row->level == PIG_INSTANCE && (row->flags & PIG_REQUIRED) && src->level == INV_ALL) {
		f.text =
			arena_fmt(c->a, "parameter \"%s\" tells hosts apart and cannot be the same for all", row->name);
		f.hint = "Set it on each host.";
	} else if (!p->dflt && src->level == INV_ALL && p->module->m->cluster &&
		   !strcmp(row->name, p->module->m->cluster)) {
		f.id = "identity";
		f.text = arena_fmt(c->a, "\"%s\" makes hosts a cluster and is set for all hosts", row->name);
		f.hint = "Set it in the vars of the cluster's group.";
		map_put(&c->global, p->module->m->name, c);
	} else if (row->level == PIG_GLOBAL && (src->level == INV_GROUP || src->level == INV_HOST)) {
		f.warning = true;
		f.text = arena_fmt(c->a, "parameter \"%s\" is global, and here it is set for %s \"%s\" alone",
				   row->name, src->level == INV_HOST ? "host" : "group", src->owner);
		f.hint = "Set it in the vars of all.";
	} else {
		return true;
	}
	check_add(c, &f);
	return f.warning;
}

static void entry_notes(struct checking *c, const struct param *p, const struct entry *en)
{
	struct fault f = { .at = en->at.file ? en->at : en->val->at, .warning = true };
	const char *name = p->row->name;

	if (strcmp(name, en->key) != 0) {
		f.id = "was";
		f.note = true;
		f.text = arena_fmt(c->a, "parameter \"%s\" is now called \"%s\"", en->key, name);
		f.hint = "The earlier name is understood; write the new one.";
		check_add(c, &f);
	}
	if (p->row->flags & PIG_DEPRECATED) {
		f.id = "deprecated";
		f.note = true;
		f.text = arena_fmt(c->a, "parameter \"%s\" is deprecated", name);
		f.hint = p->row->text;
		check_add(c, &f);
	}
	if (p->row->flags & PIG_INERT) {
		f.id = "inert";
		f.note = true;
		f.text = arena_fmt(c->a, "parameter \"%s\" is known and not yet acted on", name);
		f.hint = NULL;
		check_add(c, &f);
	}
}

struct typed {
	struct checking *c;
};

static void entry_fault(void *ctx, const struct type_fault *tf)
{
	struct checking *c = ((struct typed *)ctx)->c; /* which lives on, as the typing does not */
	struct fault f = { .at = tf->at, .id = tf->id, .warning = tf->warning, .note = tf->note };

	f.text = arena_str(c->a, tf->text);
	f.hint = arena_str(c->a, tf->hint);
	check_add(c, &f);
}

static void text_syntax(struct checking *c, struct arena *a, const struct value *v)
{
	struct tmpl *t;
	struct err e = { 0 };

	if (!tmpl_parse(&t, a, v->at.file, v->u.str.s, v->u.str.n, v->at, &e))
		check_add_err(c, NULL, "template", &e);
}

/* The syntax of every template, used or not. */
static void entry_syntax(struct checking *c, struct arena *a, const struct value *v, unsigned depth)
{
	if (depth > 64 || (v->flags & V_LITERAL))
		return;
	if (v->type == V_STR && text_is_template(v->u.str.s, v->u.str.n))
		text_syntax(c, a, v);
	if (v->type == V_LIST || v->type == V_MAP)
		for (size_t i = 0; i < value_len(v); i++)
			entry_syntax(c, a, value_at(v, i), depth + 1);
}

static void entry_check(struct checking *c, struct arena *a, const struct source *src, const struct entry *en)
{
	const struct modules *ms = c->w->modules;
	const struct param *p = map_get(&ms->params, en->key);
	struct typed ctx = { c };

	if (!p)
		p = map_get(&ms->was, en->key);
	entry_syntax(c, a, en->val, 0);
	if (p) {
		struct typing t = {
			.a = a, .scratch = a, .fault = entry_fault, .ctx = &ctx, .at = en->at, .owner = "parameter"
		};
		if (en->val->type == V_NULL)
			return;
		if (entry_level(c, src, p, en))
			entry_notes(c, p, en);
		if (!value_is_dynamic(ms, en->val))
			shape_type(&t, p->shape, en->val, en->key);
	} else if (name_is_fact(en->key) || name_is_builtin(en->key)) {
		struct fault f = { .at = en->at.file ? en->at : en->val->at, .id = "fact", .warning = true };
		f.text = arena_fmt(c->a, "\"%s\" is a fact of the host and cannot be set", en->key);
		f.hint = "The value written here counts for nothing; use another name.";
		check_add(c, &f);
	} else if (strncmp(en->key, "ansible_", 8) != 0) {
		names_unknown(c, en);
	}
}

/* ---- all sources that the hosts see ---- */
static void source_names(struct checking *c, const struct source *src)
{
	struct arena *a = arena_new();

	for (uint32_t i = 0; i < value_len(src->vars); i++)
		value_names(a, value_at(src->vars, i), &c->used);
	arena_free(a);
}

static void source_check(struct checking *c, const struct source *src)
{
	struct arena *a = arena_new();

	for (uint32_t i = 0; i < value_len(src->vars); i++)
		entry_check(c, a, src, &src->vars->u.map.items[i]);
	arena_free(a);
}

static void each_source(struct checking *c, void (*fn)(struct checking *, const struct source *))
{
	const struct inventory *inv = c->w->inv;
	struct map groups = MAP(c->a);

	fn(c, &(struct source){ .vars = inv->extra, .level = INV_EXTRA, .owner = "-e" });
	fn(c, &(struct source){ .vars = inv->play, .level = INV_PLAY, .owner = "play" });
	for (uint32_t i = 0; i < c->n_hosts; i++) {
		const struct inv_host *h = c->hosts[i];
		fn(c, &(struct source){ .vars = h->vars, .level = INV_HOST, .owner = h->name });
		for (uint32_t k = 0; k < h->n_groups; k++) {
			const struct inv_group *g = h->groups[k];
			if (map_has(&groups, g->name))
				continue;
			map_put(&groups, g->name, c);
			fn(c, &(struct source){ .vars = g->vars,
						.level = strcmp(g->name, "all") ? INV_GROUP : INV_ALL,
						.owner = g->name });
		}
	}
}

/* ---- parameters with templates: what they come to differs by host ---- */
struct dynamic { const char **names; uint32_t n; };

static bool is_dynamic(const struct modules *ms, const struct entry *en)
{
	return value_is_dynamic(ms, en->val) && (map_has(&ms->params, en->key) || map_has(&ms->was, en->key));
}

static void dynamic_check(struct checking *c, const char *name, const struct inv_host *h)
{
	struct err e;

	e.code = 0;
	if (!resolver_get(resolvers_of(c->rs, h), name, &e) && e.code)
		check_add_err(c, h, "value", &e);
}

static void source_dynamic(struct checking *c, const struct value *vars, const struct inv_host *h)
{
	for (uint32_t i = 0; i < value_len(vars); i++)
		if (is_dynamic(c->w->modules, &vars->u.map.items[i]))
			dynamic_check(c, vars->u.map.items[i].key, h);
}

/* The same of a group, looked through once for all its hosts. */
static void group_dynamic(struct checking *c, const struct inv_group *g, const struct inv_host *h)
{
	struct dynamic *d = map_get(&c->dynamic, g->name);

	if (!d) {
		d = arena_new_of(c->a, struct dynamic, 1);
		map_put(&c->dynamic, g->name, d);
		for (uint32_t i = 0; i < value_len(g->vars); i++)
			d->n += is_dynamic(c->w->modules, &g->vars->u.map.items[i]);
		d->names = d->n ? arena_new_of(c->a, const char *, d->n) : NULL;
		for (uint32_t i = 0, n = 0; n < d->n; i++)
			if (is_dynamic(c->w->modules, &g->vars->u.map.items[i]))
				d->names[n++] = g->vars->u.map.items[i].key;
	}
	for (uint32_t i = 0; i < d->n; i++)
		dynamic_check(c, d->names[i], h);
}

static void template_check(struct checking *c, const struct module *m, const char *name)
{
	struct arena *a = arena_new();
	struct value *names = value_list(a);
	struct err e = { 0 };
	struct tmpl *t;
	const char *file;
	size_t len;
	const char *text = module_template(m, a, c->w->inv->dir, name, &file, &len, &e);

	if (!text || !tmpl_parse(&t, a, file, text, len, (struct origin){ file, 1, 1 }, &e)) {
		check_add_err(c, NULL, "template", &e);
	} else {
		tmpl_names(t, a, names);
		for (uint32_t i = 0; i < value_len(names); i++)
			map_put(&c->used, value_cstr(value_at(names, i), ""), c);
	}
	arena_free(a);
}

/* The templates in force, the user's own above all: their syntax, and the names they ask for. */
static void templates_check(struct checking *c)
{
	const struct modules *ms = c->w->modules;

	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_templates; k++)
			template_check(c, ms->list[i], ms->list[i]->templates[k].name);
}

void check_written(struct checking *c)
{
	templates_check(c);
	each_source(c, source_names);
	each_source(c, source_check);
	names_tell(c);
	for (uint32_t i = 0; i < c->n_hosts; i++) {
		source_dynamic(c, c->w->inv->extra, c->hosts[i]);
		if (c->w->inv->play && c->w->inv->play_on[c->hosts[i]->index])
			source_dynamic(c, c->w->inv->play, c->hosts[i]);
		source_dynamic(c, c->hosts[i]->vars, c->hosts[i]);
		for (uint32_t k = 0; k < c->hosts[i]->n_groups; k++)
			group_dynamic(c, c->hosts[i]->groups[k], c->hosts[i]);
	}
}

/* ---- what must be set ---- */
static void missing_on(struct checking *c, const struct param *p, const struct inv_host *h, const char *cluster)
{
	struct err e;
	struct fault f = { .at = h->at, .id = "missing", .host = h->name };

	e.code = 0;
	if (resolver_get(resolvers_of(c->rs, h), p->row->name, &e) || e.code)
		return;
	if (p->row->level == PIG_GLOBAL) {
		const struct inv_group *all = inventory_group(c->w->inv, "all");
		f.at = all ? all->at : f.at;
		f.host = NULL;
		f.text = arena_fmt(c->a, "parameter \"%s\" must be set", p->row->name);
		f.hint = "Set it in the vars of all.";
	} else {
		f.text = *cluster ? arena_fmt(c->a, "host \"%s\" of %s \"%s\" has no \"%s\"", h->name,
					      p->module->m->cluster, cluster, p->row->name)
				  : arena_fmt(c->a, "host \"%s\" has no \"%s\"", h->name, p->row->name);
		f.hint = p->row->text;
	}
	check_add(c, &f);
}

void check_missing(struct checking *c)
{
	const struct modules *ms = c->w->modules;

	for (uint32_t k = 0; k < ms->n; k++) {
		const struct module *m = ms->list[k];
		for (uint32_t i = 0; i < m->n_params && !map_has(&c->global, m->m->name); i++) {
			if (!(m->params[i].row->flags & PIG_REQUIRED) || m->params[i].dflt)
				continue;
			for (uint32_t h = 0; h < c->n_hosts; h++)
				if (check_concerned(c, k)[h])
					missing_on(c, &m->params[i], c->hosts[h], check_concerned(c, k)[h]);
		}
	}
}
