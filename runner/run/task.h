/* A task being run on one host, and its handles on other hosts (`on`). The first member is what the module sees. */
#ifndef RUN_TASK_H
#define RUN_TASK_H

#include "run/run.h"

struct task {
	struct pig_task pub;   /* must be first */
	struct run *run;
	struct host_run *home; /* the host the task is for */
	struct host_run *host; /* the host this handle sends to */
	struct task *main;     /* the home handle */
	struct task *next;     /* other handles of the same task */
	struct task *later;    /* of main: handles whose operations wait for the end of the step */
	bool is_later;         /* this is one */
	struct task *current;  /* of main: whose operations were queued last */
	const struct module *module;
	const char *name;
	uint32_t step;         /* of the plan */
	struct resolvers *rs;  /* what hosts say, as the step sees it */
	struct arena *a;
	struct batch *batch;   /* of the home handle: the step's, shared by its tasks; else its own */
	uint32_t group;        /* of this task among the step's */
	size_t began;          /* operations in the batch when the task began */
	struct err err;        /* of main: the first failure; sticky */
	bool failed;           /* of main */
	bool broken;           /* of main: its batch has been sent and failed, so that nothing of it is to be sent again */
};

/* Prepare a home handle; the arena is the task's. Its operations go into the batch given; NULL: into one of its own. */
bool task_begin(struct task *t, struct run *run, struct host_run *hr, const struct module *m, const char *name, uint32_t step,
                struct arena *a, struct batch *shared, struct err *e);
/* What the handle's host says. */
struct resolver *task_values_of(const struct task *t);
/* Send what is left; false: the task failed, err says why. */
bool task_end(struct task *t);
/* The body has returned: its operations may wait in the step's batch for more. False: it failed. */
bool task_leave(struct task *t);
/* Send what this handle has queued. */
bool task_flush(struct task *t);
/* The first failure wins. */
void task_fail(struct task *t, const struct err *e);
/* The body has returned: what it left for other hosts waits in the run, or, if it failed, is dropped. */
void task_later_end(struct task *main, bool ok);
void task_count(struct counts *c, const struct op *op);
/* How a batch reaches a host. */
bool task_link_run(void *ctx, const struct script *s, const char *what, struct buf *out, struct err *e);
void task_batch_init(struct task *t, struct batch *b, struct arena *a);

extern const struct pig_host task_host;     /* api.c */
extern const struct pig_values task_values; /* values.c */

/* api_data.c */
const pig_value *task_api_get(pig_task *, const char *);
const pig_value *task_api_of(pig_task *, const char *, const char *);
void task_api_publish(pig_task *, const char *, const pig_value *);
const pig_value *task_api_members(pig_task *, const char *);
pig_task *task_api_on(pig_task *, const char *);
pig_task *task_api_later(pig_task *, const char *);
const pig_value *task_api_self(pig_task *);
bool task_api_reach(pig_task *, const char *);
const void *task_api_iface(pig_task *, const char *);
const pig_value *task_api_json(pig_task *, const char *);
pig_value *task_api_map(pig_task *);
pig_value *task_api_list(pig_task *);
void task_api_put(pig_task *, pig_value *, const char *, const pig_value *);
void task_api_push(pig_task *, pig_value *, const pig_value *);
const pig_value *task_api_text(pig_task *, const char *);
const pig_value *task_api_number(pig_task *, int64_t);
const pig_value *task_api_boolean(pig_task *, bool);
const pig_value *task_api_jmes(pig_task *, const char *, const pig_value *);
const pig_value *task_api_fact(pig_task *, const char *);
const char *task_api_ca(pig_task *);
const char *task_api_control_file(pig_task *, const char *, size_t *);
const char *task_api_cluster_of(pig_task *, const char *);
bool task_api_in_run(pig_task *, const char *);
const char *task_api_digest(pig_task *, const void *, size_t);
char *task_api_render(pig_task *, const char *, const pig_value *);
/* Render a module's template; *secret says whether a secret went in. NULL and e. */
const char *task_render(struct task *t, const char *name, const struct value *vars, size_t *len, bool *secret, struct err *e);

static inline struct task *task_of(pig_task *p)
{
	return (struct task *)p;
}

#endif
