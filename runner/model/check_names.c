/*
 * Names in the inventory that no loaded module registers: a mistake if one is near, another module's perhaps, or the
 * user's own.
 */
#include "model/check_int.h"

#include <fnmatch.h>
#include <string.h>
#include "model/module_int.h"

/* Letters that differ, all in one place: changed, swapped, added or left out; and the name is not short. 0: more than
 * two, so it is no mistake. */
static size_t apart(const char *s, const char *t)
{
	size_t n = strlen(s), m = strlen(t), pre = 0, post = 0;

	while (pre < n && pre < m && s[pre] == t[pre])
		pre++;
	while (post < n - pre && post < m - pre && s[n - 1 - post] == t[m - 1 - post])
		post++;
	size_t x = n - pre - post, y = m - pre - post, worst = x > y ? x : y;
	return n > 4 && (worst <= 1 || (worst == 2 && n > 6 && pre)) ? worst : 0;
}

/* A module that is not there and what the inventory says of it. */
struct other {
	const char *names; /* those met, for the message */
	uint32_t n_names, places;
	struct origin at; /* the first place */
};

struct guess {
	const char *name; /* NULL: none worth telling */
	bool close;
	struct other *other; /* or it is this module's */
	uint32_t fault, n;   /* of names nobody knows: the first fault's place in the list, and how many there are */
};

/* The module whose name it is, if that module is not loaded; NULL otherwise. */
static const char *other_of(struct checking *c, const char *name)
{
	const struct modules *ms = c->w->modules;

	for (uint32_t i = 0; i < ms->n; i++) {
		const struct pig_other *rows = ms->list[i]->m->others.rows;
		for (uint32_t k = 0; k < ms->list[i]->m->others.n; k++) {
			uint32_t n;
			const char **globs = module_words(c->a, rows[k].names, &n);
			if (modules_get(ms, rows[k].module))
				continue;
			for (uint32_t g = 0; g < n; g++)
				if (!fnmatch(globs[g], name, 0))
					return rows[k].module;
		}
	}
	return NULL;
}

static void guess_near(struct checking *c, struct guess *g, const char *name)
{
	const struct map *params = &c->w->modules->params;
	const char **names = arena_new_of(c->a, const char *, params->n), *near;
	size_t best = 3;

	for (uint32_t i = 0; i < params->n; i++) {
		names[i] = params->items[i].key;
		size_t d = apart(name, names[i]);
		if (d && d < best) {
			best = d;
			g->name = names[i];
			g->close = true;
		}
	}
	if (g->close)
		return;
	/* a far guess that has not even the first word in common is noise, and not worth the search */
	size_t word = strcspn(name, "_") + 1;
	bool common = false;
	for (uint32_t i = 0; i < params->n && !common; i++)
		common = !strncmp(names[i], name, word);
	near = common ? nearest(name, names, params->n) : NULL;
	g->name = near && !strncmp(near, name, word) ? near : NULL;
}

static struct guess *guess(struct checking *c, const char *name)
{
	struct guess *g = map_get(&c->near, name);

	if (g)
		return g;
	g = arena_get(c->a, sizeof *g);
	map_put(&c->near, name, g);
	const char *module = other_of(c, name);
	if (!module) {
		guess_near(c, g, name);
		return g;
	}
	g->other = map_get(&c->others, module);
	if (!g->other) {
		g->other = arena_get(c->a, sizeof *g->other);
		map_put(&c->others, module, g->other);
	}
	struct other *o = g->other;
	if (o->n_names++ < 3)
		o->names = o->names ? arena_fmt(c->a, "%s, %s", o->names, name) : name;
	return g;
}

static bool is_before(struct origin x, struct origin y)
{
	int d = x.file && y.file ? strcmp(x.file, y.file) : 0;

	return !y.file || d < 0 || (!d && (x.line < y.line || (x.line == y.line && x.col < y.col)));
}

void names_unknown(struct checking *c, const struct entry *en)
{
	struct fault f = { .at = en->at.file ? en->at : en->val->at, .id = "unknown-parameter" };

	if (map_has(&c->used, en->key))
		return;
	struct guess *g = guess(c, en->key);
	if (g->other) {
		if (is_before(f.at, g->other->at))
			g->other->at = f.at;
		g->other->places++;
		return;
	}
	/* a module that is not loaded leaves its names on every host: one warning a name is enough */
	if (!g->close && g->n++)
		return;
	f.warning = !g->close;
	g->fault = c->out->n;
	f.text = arena_fmt(c->a, "unknown parameter \"%s\"", en->key);
	if (g->name)
		f.hint = arena_fmt(c->a, "Did you mean \"%s\"?", g->name);
	else
		f.hint = "No loaded module registers it and nothing in the inventory uses it.";
	check_add(c, &f);
}

void names_tell(struct checking *c)
{
	for (uint32_t i = 0; i < c->near.n; i++) {
		const struct guess *g = c->near.items[i].val;
		if (g->n > 1)
			c->out->items[g->fault].text =
				arena_fmt(c->a, "%s, here and in %u other place%s", c->out->items[g->fault].text,
					  g->n - 1, g->n == 2 ? "" : "s");
	}
	for (uint32_t i = 0; i < c->others.n; i++) {
		const struct other *o = c->others.items[i].val;
		struct fault f = { .at = o->at, .id = "not-installed", .warning = true, .note = true };
		f.text = arena_fmt(c->a, "module \"%s\" is not installed: %s%s of the inventory mean%s nothing here",
				   c->others.items[i].key, o->names,
				   o->n_names > 3 ? arena_fmt(c->a, " and %u more", o->n_names - 3) : "",
				   o->n_names > 1 ? "" : "s");
		f.hint = o->places > 1 ? arena_fmt(c->a, "Written in %u places.", o->places) : NULL;
		check_add(c, &f);
	}
}
