/*
 * Plays are data: a list of maps with few keys. What runs, under which edges, is what modules registered: a task is taken together with
 * the step that it is registered in, so that `first`, `once`, gates, and what a destructive step asks for, hold here as there.
 */
#include "model/module_int.h"
#include "model/play.h"

#include <string.h>
#include "base/os.h"

enum { STEPS_MOST = 4096 };

struct reading {
	struct arena *a;
	const struct world *w;
	struct playbook *pb;
	uint32_t cap;
	struct play *play;       /* being read */
	const struct value *map; /* of the play */
	uint32_t serial;
	struct err *e;
};

static const char *const keys[] = { "hosts", "playbook", "tasks", "vars", "serial", "when" };
enum { KEYS_N = sizeof keys / sizeof *keys };

bool play_is_file(const char *word)
{
	return strchr(word, '/') != NULL;
}

/* False, with the place of v. */
static bool wrong(struct reading *k, const struct value *v, const char *say, const char *hint)
{
	fail(k->e, E_INPUT, "%s", say);
	if (*hint)
		err_hint(k->e, "%s", hint);
	return err_at_value(k->e, v);
}

/* ---- keys ---- */
static bool keys_known(struct reading *k)
{
	for (uint32_t i = 0; i < k->map->u.map.n; i++) {
		const struct entry *en = &k->map->u.map.items[i];
		const char *near;
		bool known = false;

		for (uint32_t j = 0; j < KEYS_N; j++)
			known |= !strcmp(keys[j], en->key);
		if (known)
			continue;
		near = nearest(en->key, keys, KEYS_N);
		fail(k->e, E_INPUT, "a play has unknown key \"%s\"", en->key);
		if (near)
			err_hint(k->e, "Did you mean \"%s\"?", near);
		else
			err_hint(k->e, "There are: hosts, playbook, tasks, vars, serial, when.");
		return err_at(k->e, en->at.file, en->at.line, en->at.col);
	}
	return true;
}

/* A string, or a list of strings joined by gap. */
static bool words_read(struct reading *k, const struct value *v, const char *key, const char *gap, const char **out)
{
	struct buf b = BUF(k->a);

	for (uint32_t i = 0; v->type == V_LIST && i < value_len(v); i++) {
		const struct value *item = value_at(v, i);
		if (item->type != V_STR)
			return wrong(k, item, arena_fmt(k->a, "an item of \"%s\" is a %s, not text", key, value_type_name(item)), "");
		buf_fmt(&b, "%s%s", i ? gap : "", value_cstr(item, ""));
	}
	if (v->type != V_LIST && v->type != V_STR)
		return wrong(k, v, arena_fmt(k->a, "\"%s\" of a play is a %s, not text or a list", key, value_type_name(v)), "");
	*out = v->type == V_STR ? value_cstr(v, "") : buf_text(&b);
	return true;
}

static bool hosts_read(struct reading *k)
{
	const struct value *v = value_get(k->map, "hosts");
	struct inv_host **hosts;
	uint32_t n;

	if (!v && value_get(k->map, "tasks"))
		return wrong(k, k->map, "a play with \"tasks\" has no \"hosts\"", "To say all that the tasks are for: hosts: all.");
	if (!v)
		return true;
	k->play->hosts_at = v->at;
	if (!words_read(k, v, "hosts", ",", &k->play->hosts))
		return false;
	if (!*k->play->hosts)
		return wrong(k, v, "\"hosts\" of a play is empty", "");
	if (!pattern_hosts(&hosts, &n, k->a, k->w->inv, k->play->hosts, false, k->e)) {
		err_wrap(k->e, "hosts \"%s\"", k->play->hosts);
		return err_at_value(k->e, v);
	}
	return true;
}

static bool serial_read(struct reading *k)
{
	const struct value *v = value_get(k->map, "serial");

	k->serial = 0;
	if (!v)
		return true;
	if (v->type != V_INT || v->u.i < 1 || v->u.i > 1000000)
		return wrong(k, v, "\"serial\" is how many hosts of a cluster may be at work in a step at once", "Write a whole number, 1 or more.");
	k->serial = (uint32_t)v->u.i;
	return true;
}

static bool when_read(struct reading *k)
{
	const struct value *v = value_get(k->map, "when");
	const char *text = v && v->type == V_BOOL ? (v->u.b ? "true" : "false") : value_cstr(v, NULL);
	struct expr *x;

	if (!v)
		return true;
	if (!text)
		return wrong(k, v, arena_fmt(k->a, "\"when\" of a play is a %s, not an expression", value_type_name(v)),
			     "Join conditions by \"and\".");
	if (!expr_parse(&x, k->a, v->at.file, text, v->at, k->e)) {
		err_wrap(k->e, "when");
		return *k->e->where ? false : err_at_value(k->e, v);
	}
	k->play->when = x;
	return true;
}

/* ---- vars ---- */
static const char *var_refused(struct reading *k, const char *name)
{
	const struct param *p = map_get(&k->w->modules->params, name);
	const char *cluster = p ? p->module->m->cluster : NULL;

	if (!strncmp(name, "ansible_", 8))
		return "says how a host is reached";
	if (cluster && !strcmp(cluster, name))
		return "says which cluster a host is in";
	return p && p->row->level == PIG_INSTANCE && (p->row->flags & PIG_REQUIRED) ? "tells hosts apart" : NULL;
}

/* A world of its own: the run's inventory with the vars in their place. */
static bool vars_read(struct reading *k)
{
	const struct value *v = value_get(k->map, "vars");
	struct world *w = arena_get(k->a, sizeof *w);
	struct inventory *inv = arena_dup(k->a, k->w->inv, sizeof *inv);
	struct inv_host **hosts;
	uint32_t n;

	if (!v || v->type == V_NULL)
		return true;
	if (v->type != V_MAP)
		return wrong(k, v, arena_fmt(k->a, "\"vars\" of a play is a %s, not a map of values", value_type_name(v)), "");
	for (uint32_t i = 0; i < v->u.map.n; i++) {
		const struct entry *en = &v->u.map.items[i];
		const char *why = var_refused(k, en->key);
		if (!why)
			continue;
		fail(k->e, E_INPUT, "\"%s\" %s and cannot be a play's", en->key, why);
		err_hint(k->e, "Write it in the inventory.");
		return err_at(k->e, en->at.file, en->at.line, en->at.col);
	}
	if (!pattern_hosts(&hosts, &n, k->a, inv, k->play->hosts ? k->play->hosts : "all", true, k->e))
		return false;
	inv->play = v;
	inv->play_on = arena_new_of(k->a, bool, inv->n_hosts);
	for (uint32_t i = 0; i < n; i++)
		inv->play_on[hosts[i]->index] = true;
	*w = *k->w;
	w->inv = inv;
	k->play->w = w;
	k->play->rs = resolvers_new(w);
	return true;
}

/* ---- steps ---- */
static struct step *step_add(struct reading *k, const struct step *from)
{
	struct playbook *pb = k->pb;

	if (pb->n_steps == k->cap) {
		uint32_t cap = k->cap ? k->cap * 2 : 32;
		struct step *bigger = arena_new_of(k->a, struct step, cap);
		if (pb->n_steps)
			memcpy(bigger, pb->steps, pb->n_steps * sizeof *bigger);
		pb->steps = bigger;
		k->cap = cap;
	}
	struct step *s = &pb->steps[pb->n_steps++];
	*s = *from;
	s->play = k->play;
	if (k->serial && (!s->serial || s->serial > k->serial))
		s->serial = k->serial;
	k->play->n++;
	return s;
}

static bool playbook_read(struct reading *k, const struct value *v)
{
	const char *name = value_cstr(v, NULL);
	const struct playbook *in;

	if (!name)
		return wrong(k, v, arena_fmt(k->a, "\"playbook\" of a play is a %s, not a name", value_type_name(v)), "");
	if (play_is_file(name))
		return wrong(k, v, arena_fmt(k->a, "\"playbook\" names a registered playbook, no file: \"%s\"", name),
			     "Plays of other files are run by a run of their own.");
	if (!(in = modules_playbook(k->w->modules, name, k->e)))
		return err_at_value(k->e, v);
	k->play->what = arena_fmt(k->a, "playbook %s", in->name);
	for (uint32_t i = 0; i < in->n_steps; i++)
		step_add(k, &in->steps[i]);
	return true;
}

/* How well a step that has the task says how it is to run: one of its own module's playbooks before another's, which may be for other
 * hosts; one that destroys only when there is no other. */
static int fits(const struct playbook *p, const struct step *s, const struct task_row *t)
{
	return (s->flags & PIG_DESTRUCTIVE ? 0 : 2) + (p->module == t->module ? 1 : 0);
}

static const struct step *step_of(const struct modules *ms, const struct task_row *t)
{
	const struct step *best = NULL;
	int most = -1;

	for (uint32_t i = 0; i < ms->playbooks.n; i++) {
		const struct playbook *p = ms->playbooks.items[i].val;
		for (uint32_t s = 0; s < p->n_steps; s++)
			for (uint32_t j = 0; j < p->steps[s].n_tasks; j++) {
				if (p->steps[s].tasks[j] != t || fits(p, &p->steps[s], t) <= most)
					continue;
				best = &p->steps[s];
				most = fits(p, best, t);
			}
	}
	return best;
}

static bool task_add(struct reading *k, const struct value *at, const char *name, const struct step **of)
{
	const struct modules *ms = k->w->modules;
	const struct task_row *t = map_get(&ms->tasks, name);
	struct step *s = k->play->n ? &k->pb->steps[k->pb->n_steps - 1] : NULL;

	if (!t) {
		const char **names = arena_new_of(k->a, const char *, ms->tasks.n), *near;
		for (uint32_t i = 0; i < ms->tasks.n; i++)
			names[i] = ms->tasks.items[i].key;
		near = nearest(name, names, ms->tasks.n);
		return wrong(k, at, arena_fmt(k->a, "there is no task \"%s\"", name),
			     near ? arena_fmt(k->a, "Did you mean \"%s\"?", near) : "pig doc task lists them.");
	}
	const struct step *from = step_of(ms, t);
	if (!s || !from || from != *of) {
		struct step own = { .name = t->row->name, .module = t->module, .hosts = t->module->m->cluster ? NULL : "all" };
		s = step_add(k, from ? from : &own);
		s->named = true;
		s->n_tasks = 0;
		s->tasks = NULL;
	}
	const struct task_row **tasks = arena_new_of(k->a, const struct task_row *, s->n_tasks + 1);
	if (s->n_tasks)
		memcpy(tasks, s->tasks, s->n_tasks * sizeof *tasks);
	tasks[s->n_tasks++] = t;
	s->tasks = tasks;
	*of = from;
	return true;
}

static bool tasks_read(struct reading *k, const struct value *v)
{
	const struct step *of = NULL;
	const char *text;
	uint32_t n;

	for (uint32_t i = 0; v->type == V_LIST && i < value_len(v); i++)
		if (value_at(v, i)->type != V_STR)
			return wrong(k, value_at(v, i), "an item of \"tasks\" is not the name of a registered task",
				     "pig doc task lists them; tasks of one's own are written in C (docs/modules.md).");
	if (!words_read(k, v, "tasks", " ", &text))
		return false;
	const char **words = module_words(k->a, text, &n);
	if (!n)
		return wrong(k, v, "\"tasks\" of a play names no task", "pig doc task lists them.");
	k->play->what = arena_fmt(k->a, "tasks %s", text);
	for (uint32_t i = 0; i < n; i++)
		if (!task_add(k, v->type == V_LIST && value_len(v) == n ? value_at(v, i) : v, words[i], &of))
			return false;
	return true;
}

static bool play_read(struct reading *k, const struct value *map)
{
	const struct value *playbook, *tasks;

	k->map = map;
	if (map->type != V_MAP)
		return wrong(k, map, arena_fmt(k->a, "a play is a map, not a %s", value_type_name(map)), "Such as: - playbook: pgsql");
	*k->play = (struct play){ .at = map->at, .from = k->pb->n_steps, .number = k->pb->n_plays + 1 };
	playbook = value_get(map, "playbook");
	tasks = value_get(map, "tasks");
	if (!keys_known(k))
		return false;
	if (playbook && tasks)
		return wrong(k, tasks, "a play has both \"playbook\" and \"tasks\"", "Make them two plays.");
	if (!playbook && !tasks)
		return wrong(k, map, "a play has neither \"playbook\" nor \"tasks\"", "");
	if (!hosts_read(k) || !serial_read(k) || !when_read(k) || !vars_read(k) ||
	    !(playbook ? playbook_read(k, playbook) : tasks_read(k, tasks)))
		return false;
	k->pb->n_plays++;
	return k->pb->n_steps <= STEPS_MOST || wrong(k, map, "the plays have too many steps", "Split the file.");
}

bool plays_read(struct playbook **out, struct arena *a, const struct world *w, const char *path, struct err *e)
{
	struct playbook *pb = arena_get(a, sizeof *pb);
	struct reading k = { .a = a, .w = w, .pb = pb, .e = e };
	struct buf text = BUF(a);
	struct value *list;

	*pb = (struct playbook){ .name = arena_str(a, path) };
	if (!os_read(&text, path, 0, e))
		return err_wrap(e, "plays");
	if (!value_from_yaml(&list, a, pb->name, text.p, text.len, e))
		return false;
	uint32_t n = list->type == V_LIST ? (uint32_t)value_len(list) : 0;
	if (!n) {
		fail(e, E_INPUT, list->type == V_LIST || list->type == V_NULL ? "the file holds no plays" : "the file is no list of plays");
		err_hint(e, "Write maps such as \"- playbook: pgsql\", one a play.");
		return err_at(e, pb->name, list->at.line ? list->at.line : 1, list->at.col ? list->at.col : 1);
	}
	struct play *plays = arena_new_of(a, struct play, n);
	pb->plays = plays;
	for (uint32_t i = 0; i < n; i++) {
		k.play = &plays[i];
		if (!play_read(&k, value_at(list, i)))
			return false;
	}
	pb->text = arena_fmt(a, "%u play%s", n, n == 1 ? "" : "s");
	*out = pb;
	return true;
}
