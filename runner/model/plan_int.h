/* What the files of plan* share. */
#ifndef MODEL_PLAN_INT_H
#define MODEL_PLAN_INT_H

#include "model/plan.h"

struct tag_choice {
	const char **tags, **skip;
	uint32_t n_tags, n_skip;
};
/* -t and --skip-tags into words; a word that is no tag, task or step of the playbook is an error with a suggestion. */
bool tags_read(struct tag_choice *out, struct arena *a, const struct playbook *p, const struct plan_options *o,
	       struct err *e);
/* The step's tasks that are chosen. */
void tags_apply(const struct tag_choice *c, struct arena *a, struct plan_step *ps);
/* Every tag of the task, its own name first. */
const char **task_tags(struct arena *a, const struct task_row *t, uint32_t *n);

#endif
