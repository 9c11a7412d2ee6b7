/*
 * Tags: which tasks of a step are chosen. As in Ansible, `always` runs unless it is skipped, `never` runs only when one
 * of its tags is named, and all, tagged, untagged are words of their own. A task's name and its step's name count as
 * tags.
 */
#include "model/module_int.h"
#include "model/plan_int.h"

#include <string.h>

static const char *const specials[] = { "all", "tagged", "untagged", "always", "never" };
enum { SPECIALS_N = sizeof specials / sizeof *specials };

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

/* words chooses the task by its tags; `all` and `tagged` pass over `never`, which wants to be named. */
static bool chosen(const char *const *words, uint32_t n_words, const char *const *tags, uint32_t n, const struct step *s)
{
	bool never = has(tags, n, "never") && !s->named, tagged = n > 1;
	const char *step = s->name;

	for (uint32_t i = 0; i < n_words; i++) {
		const char *w = words[i];
		if (has(tags, n, w) || !strcmp(w, step))
			return true;
		if (never)
			continue;
		if (!strcmp(w, "all") || (!strcmp(w, "tagged") && tagged) || (!strcmp(w, "untagged") && !tagged))
			return true;
	}
	return false;
}

static bool task_runs(const struct tag_choice *c, const char *const *tags, uint32_t n, const struct step *step)
{
	bool always = has(tags, n, "always"), skipped = chosen(c->skip, c->n_skip, tags, n, step);

	/* --skip-tags all and tagged leave what must always run, unless always itself is skipped */
	if (skipped && always && !has(c->skip, c->n_skip, "always")) {
		for (uint32_t i = 0; i < c->n_skip; i++)
			if (has(tags, n, c->skip[i]) || !strcmp(c->skip[i], step->name))
				return false;
		return true;
	}
	if (skipped)
		return false;
	if (always)
		return true;
	if (!c->n_tags)
		return step->named || !has(tags, n, "never");
	return chosen(c->tags, c->n_tags, tags, n, step);
}

void tags_apply(const struct tag_choice *c, struct arena *a, struct plan_step *ps)
{
	const struct step *s = ps->step;

	ps->tasks = arena_new_of(a, const struct task_row *, s->n_tasks);
	for (uint32_t i = 0; i < s->n_tasks; i++) {
		uint32_t n;
		const char **tags = task_tags(a, s->tasks[i], &n);
		if (task_runs(c, tags, n, s))
			ps->tasks[ps->n_tasks++] = s->tasks[i];
	}
}
