/*
 * Secrets that are none: left at a default that everyone knows, or too short or common to be masked in output.
 */
#include "model/check_int.h"

#include <string.h>

static const char *secret_weak(struct checking *c, const char *s, const struct value *beside)
{
	const char *name = value_cstr(value_get(beside, "name"), NULL);

	if (!*s)
		return NULL;
	if (strlen(s) < 8)
		return "shorter than 8 characters";
	if (inventory_host(c->w->inv, s))
		return "the name of a host";
	if (inventory_group(c->w->inv, s))
		return "the name of a group";
	if (*s == '/')
		return "a path";
	return name && !strcmp(name, s) ? "the name beside it" : NULL;
}

/* The default is in everyone's hands, be it written out or left. */
static bool is_default(const struct param *p, const struct value *v)
{
	return p->row->type == PIG_STR && (p->row->flags & PIG_SECRET) && v->type == V_STR && v->u.str.n &&
	       p->dflt && value_equal(p->dflt, v);
}

static void default_tell(struct checking *c, const struct param *p, const struct value *v)
{
	const struct inv_group *all = inventory_group(c->w->inv, "all");
	struct fault f = { .at = all->at, .id = "default-secret", .warning = true };
	bool written = v->at.file && !origin_is_default(v->at);

	if (p->row->flags & PIG_INERT)
		return;
	if (written)
		f.at = v->at;
	f.text = written ? arena_fmt(c->a, "\"%s\" is the default that everyone knows", p->row->name)
			 : arena_fmt(c->a, "\"%s\" is not set: its default is one that everyone knows", p->row->name);
	f.hint = "Set one of your own.";
	check_add(c, &f);
}

static void secret_walk(struct checking *c, const struct param *p, const struct value *v, const struct value *map,
			struct origin at, unsigned depth)
{
	struct fault f = { .at = v->at.file && !origin_is_default(v->at) ? v->at : at,
			   .id = "secret",
			   .warning = true };
	const char *why;

	if (!depth && is_default(p, v))
		return; /* told as that */
	if (v->type == V_STR && (v->flags & V_SECRET) && (why = secret_weak(c, v->u.str.s, map))) {
		f.text = arena_fmt(c->a, "%s \"%s\" is %s: it cannot be masked where it stands inside other text",
				   f.at.file ? "a secret in" : "the default of", p->row->name, why);
		f.hint = "Use a longer one of its own.";
		check_add(c, &f);
	}
	if ((v->type == V_LIST || v->type == V_MAP) && depth < 16)
		for (size_t i = 0; i < value_len(v); i++)
			secret_walk(c, p, value_at(v, i), v->type == V_MAP ? v : NULL, at, depth + 1);
}

/* The hosts whose secrets they are: those of the module's clusters, else those its steps are for. NULL: all. */
static const struct map *hosts_of(struct checking *c, const struct module *m)
{
	const struct pig_playbook *books = m->m->playbooks.rows;
	struct map *hosts = NULL;

	for (uint32_t i = 0; !m->m->cluster && i < m->m->playbooks.n; i++) {
		const struct pig_step *steps = books[i].steps.rows;
		for (uint32_t k = 0; k < books[i].steps.n; k++) {
			struct inv_host **found;
			struct err ignored;
			uint32_t n = 0;
			if (!steps[k].hosts ||
			    !pattern_hosts(&found, &n, c->a, c->w->inv, steps[k].hosts, true, &ignored))
				continue;
			if (!hosts) {
				hosts = arena_get(c->a, sizeof *hosts);
				*hosts = MAP(c->a);
			}
			for (uint32_t h = 0; h < n; h++)
				map_put(hosts, found[h]->name, c);
		}
	}
	return hosts;
}

static bool holds_secrets(const struct shape *sh)
{
	if (sh->row->flags & PIG_SECRET)
		return true;
	for (uint32_t i = 0; i < sh->n; i++)
		if (holds_secrets(&sh->members[i]))
			return true;
	return sh->any && holds_secrets(sh->any);
}

static void param_secrets(struct checking *c, const struct param *p, const char *const *concerned, const struct map *mine)
{
	bool alike = resolvers_alike(c->rs, p->row->name), asked = false;
	const struct value *last = NULL;

	for (uint32_t h = 0; h < c->n_hosts && !(alike && asked); h++) {
		if (!concerned[h] || (mine && !map_has(mine, c->hosts[h]->name)))
			continue;
		const struct value *v = resolver_get(resolvers_of(c->rs, c->hosts[h]), p->row->name, NULL);
		asked = true;
		if (!v || v == last)
			continue;
		last = v;
		if (is_default(p, v))
			default_tell(c, p, v);
		secret_walk(c, p, v, NULL, (struct origin){ 0 }, 0);
	}
}

void check_secrets(struct checking *c)
{
	const struct modules *ms = c->w->modules;

	for (uint32_t k = 0; k < ms->n; k++) {
		const struct module *m = ms->list[k];
		if (map_has(&c->global, m->m->name))
			continue;
		const struct map *mine = hosts_of(c, m);
		for (uint32_t i = 0; i < m->n_params; i++)
			if (holds_secrets(m->params[i].shape))
				param_secrets(c, &m->params[i], check_concerned(c, k), mine);
	}
}
