/*
 * A plan as text, for --list-tasks, --list-hosts and --list-tags.
 */
#include "model/plan_int.h"

#include <stdlib.h>
#include <string.h>

static void step_notes(struct buf *out, const struct step *s)
{
	if (s->serial)
		buf_fmt(out, ", %u at once", s->serial);
	if (s->flags & PIG_ONCE)
		buf_str(out, ", once per cluster");
	if (s->flags & PIG_BARRIER)
		buf_str(out, ", waits for all");
	if (s->flags & PIG_GATHER)
		buf_str(out, ", waits for its cluster");
	if (s->flags & PIG_DESTRUCTIVE)
		buf_str(out, ", destructive");
	if (s->needs)
		buf_fmt(out, ", needs %s", s->needs);
}

static const char *kind(const struct plan *p)
{
	return p->playbook->n_plays ? "" : "playbook ";
}

/* The play that begins with the plan's i-th step. */
static void play_list(struct buf *out, const struct plan *p, uint32_t i)
{
	const struct play *play = p->steps[i].step->play;

	if (!play || (i && p->steps[i - 1].step->play == play))
		return;
	buf_fmt(out, "  play %u (%s", play->number, play->what);
	if (play->hosts)
		buf_fmt(out, ", hosts %s", play->hosts);
	buf_fmt(out, ")%s\n", i ? ", waits for all" : "");
}

void plan_list_tasks(struct buf *out, const struct plan *p)
{
	buf_fmt(out, "%s%s: %s\n", kind(p), p->playbook->name, p->playbook->text ? p->playbook->text : "");
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *ps = &p->steps[i];
		play_list(out, p, i);
		buf_fmt(out, "  step %s (%u host%s", ps->step->name, ps->n_hosts, ps->n_hosts == 1 ? "" : "s");
		step_notes(out, ps->step);
		buf_str(out, ")\n");
		for (uint32_t t = 0; t < ps->n_tasks; t++) {
			const struct pig_taskdef *row = ps->tasks[t]->row;
			buf_fmt(out, "    %-32s %s", row->name, row->text ? row->text : "");
			if (row->tags && *row->tags)
				buf_fmt(out, "  [%s]", row->tags);
			buf_ch(out, '\n');
		}
	}
}

void plan_list_hosts(struct buf *out, const struct plan *p)
{
	buf_fmt(out, "%s%s: %u host%s\n", kind(p), p->playbook->name, p->n_hosts, p->n_hosts == 1 ? "" : "s");
	for (uint32_t i = 0; i < p->n_hosts; i++)
		buf_fmt(out, "  %s\n", p->hosts[i]->name);
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void plan_list_tags(struct buf *out, const struct plan *p)
{
	struct map tags = MAP(out->a);

	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t t = 0; t < p->steps[i].n_tasks; t++) {
			uint32_t n;
			const char **own = task_tags(out->a, p->steps[i].tasks[t], &n);
			for (uint32_t k = 0; k < n; k++)
				map_put(&tags, own[k], out->a);
			map_put(&tags, p->steps[i].step->name, out->a);
			map_put(&tags, p->steps[i].tasks[t]->module->m->name, out->a);
		}
	const char **list = arena_new_of(out->a, const char *, tags.n);
	for (uint32_t i = 0; i < tags.n; i++)
		list[i] = tags.items[i].key;
	qsort(list, tags.n, sizeof *list, by_text);
	buf_fmt(out, "%s%s:\n", kind(p), p->playbook->name);
	for (uint32_t i = 0; i < tags.n; i++)
		buf_fmt(out, "  %s\n", list[i]);
}
