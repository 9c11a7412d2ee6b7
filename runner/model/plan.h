/* A run's plan: a playbook's steps x the hosts selected, with tags applied. Nothing here touches a host. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "model/play.h"

struct plan_options {
	const char *limit;              /* -l, or NULL */
	const char *tags, *skip_tags;   /* "a,b" or NULL */
	const char *start_at;           /* step name or NULL */
	bool allow_empty;
};

struct plan_step {
	const struct step *step;
	const struct task_row **tasks; uint32_t n_tasks; /* after tags */
	struct inv_host **hosts; uint32_t n_hosts;       /* selected, inventory order; step->when not applied yet (may hang on facts) */
	uint32_t after; /* steps of the plan that all hosts have done before: those of earlier plays */
};

struct plan {
	const struct playbook *playbook;
	struct plan_step *steps; uint32_t n_steps; /* those with tasks and hosts left */
	struct inv_host **hosts; uint32_t n_hosts; /* union, inventory order */
};

/* Strict: a limit or tag that matches nothing is E_INPUT with suggestions, unless allow_empty. Tags select tasks by name, tag,
 * step name; `always`, `never`, `all`, `tagged`, `untagged` as in Ansible. */
bool plan_make(struct plan **out, struct arena *a, struct world *w, struct resolvers *rs, const struct playbook *p,
               const struct plan_options *o, struct err *e);
/* --list-tags, --list-tasks, --list-hosts as text. */
void plan_list_tasks(struct buf *out, const struct plan *p);
void plan_list_hosts(struct buf *out, const struct plan *p);
void plan_list_tags(struct buf *out, const struct plan *p);

#endif
