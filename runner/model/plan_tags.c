/*
 * Tags: which tasks of a step are chosen. As in Ansible, `always` runs unless it is skipped, `never` runs only when one
 * of its tags is named, and all, tagged, untagged are words of their own. A task's name and its step's name count as
 * tags, and the name of its module, which is all of that module's in a playbook that has others' too.
 */
#include "model/module_int.h"
#include "model/plan_int.h"

#include <string.h>

static const char *const specials[] = { "all", "tagged", "untagged", "always", "never" };
enum { SPECIALS_N = sizeof specials / sizeof *specials };

/* A task, as -t and --skip-tags see it. */
struct tagged {
	const char **tags;
	uint32_t n;
	const struct step *step;
	const char *module;
};

static bool has(const char *const *words, uint32_t n, const char *word)
{
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

const char **task_tags(struct arena *a, const struct task_row *t, uint32_t *n)
{
	uint32_t own;
	const char **tags = module_words(a, t->row->tags, &own), **all = arena_new_of(a, const char *, own + 1);

	all[0] = t->row->name;
	if (own)
		memcpy(all + 1, tags, own * sizeof *tags);
	*n = own + 1;
	return all;
}

/* Every word that may stand behind -t, each once. */
static const char **known_words(struct arena *a, const struct playbook *p, uint32_t *n)
{
	struct map words = MAP(a);

	for (uint32_t i = 0; i < SPECIALS_N; i++)
		map_put(&words, specials[i], a);
	for (uint32_t s = 0; s < p->n_steps; s++) {
		map_put(&words, p->steps[s].name, a);
		for (uint32_t t = 0; t < p->steps[s].n_tasks; t++) {
			uint32_t k;
			const char **tags = task_tags(a, p->steps[s].tasks[t], &k);
			for (uint32_t i = 0; i < k; i++)
				map_put(&words, tags[i], a);
			map_put(&words, p->steps[s].tasks[t]->module->m->name, a);
		}
	}
	const char **list = arena_new_of(a, const char *, words.n);
	for (*n = 0; *n < words.n; ++*n)
		list[*n] = words.items[*n].key;
	return list;
}

static bool words_known(const char *const *words, uint32_t n, const char *option, struct arena *a,
			const struct playbook *p, struct err *e)
{
	uint32_t n_known;
	const char **known = known_words(a, p, &n_known), *near;

	for (uint32_t i = 0; i < n; i++) {
		if (has(known, n_known, words[i]))
			continue;
		near = nearest(words[i], known, n_known);
		fail(e, E_INPUT, "%s: playbook \"%s\" has no tag, task or step \"%s\"", option, p->name, words[i]);
		return near ? err_hint(e, "Did you mean \"%s\"?", near)
			    : err_hint(e, "pig run %s --list-tags lists them.", p->name);
	}
	return true;
}

bool tags_read(struct tag_choice *out, struct arena *a, const struct playbook *p, const struct plan_options *o,
	       struct err *e)
{
	*out = (struct tag_choice){ 0 };
	out->tags = module_words(a, o->tags, &out->n_tags);
	out->skip = module_words(a, o->skip_tags, &out->n_skip);
	if (o->allow_empty)
		return true;
	return words_known(out->tags, out->n_tags, "-t", a, p, e) &&
	       words_known(out->skip, out->n_skip, "--skip-tags", a, p, e);
}

/* words chooses the task by its tags; `all`, `tagged` and a module's name pass over `never`, which wants to be named. */
static bool chosen(const char *const *words, uint32_t n_words, const struct tagged *t)
{
	bool never = has(t->tags, t->n, "never") && !t->step->named, tagged = t->n > 1;

	for (uint32_t i = 0; i < n_words; i++) {
		const char *w = words[i];
		if (has(t->tags, t->n, w) || !strcmp(w, t->step->name))
			return true;
		if (never)
			continue;
		if (!strcmp(w, "all") || !strcmp(w, t->module) || (!strcmp(w, "tagged") && tagged) ||
		    (!strcmp(w, "untagged") && !tagged))
			return true;
	}
	return false;
}

/* Does a word of its own skip it: not all, not tagged? */
static bool skipped_by_name(const struct tag_choice *c, const struct tagged *t)
{
	for (uint32_t i = 0; i < c->n_skip; i++)
		if (has(t->tags, t->n, c->skip[i]) || !strcmp(c->skip[i], t->step->name) || !strcmp(c->skip[i], t->module))
			return true;
	return false;
}

static bool task_runs(const struct tag_choice *c, const struct tagged *t)
{
	bool always = has(t->tags, t->n, "always");

	if (chosen(c->skip, c->n_skip, t)) /* --skip-tags all and tagged leave what must always run */
		return always && !skipped_by_name(c, t);
	if (always)
		return true;
	if (!c->n_tags)
		return t->step->named || !has(t->tags, t->n, "never");
	return chosen(c->tags, c->n_tags, t);
}

void tags_apply(const struct tag_choice *c, struct arena *a, struct plan_step *ps)
{
	const struct step *s = ps->step;

	ps->tasks = arena_new_of(a, const struct task_row *, s->n_tasks);
	for (uint32_t i = 0; i < s->n_tasks; i++) {
		struct tagged t = { .step = s, .module = s->tasks[i]->module->m->name };
		t.tags = task_tags(a, s->tasks[i], &t.n);
		if (task_runs(c, &t))
			ps->tasks[ps->n_tasks++] = s->tasks[i];
	}
}
