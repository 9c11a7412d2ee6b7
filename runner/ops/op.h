/*
 * Operations: the state one thing on a host should be in. A kind knows how to look (probe), to compare (decide, in C) and to change
 * (apply). What is common to all kinds - batching, check mode, diff, order, secrecy - is batch.c's, so that no kind and no task can
 * get it wrong.
 */
#ifndef OPS_OP_H
#define OPS_OP_H

#include <pig.h>
#include "base/err.h"
#include "base/map.h"
#include "ops/script.h"
#include "value/value.h"

enum op_state {
	OP_QUEUED = 0,
	OP_OK,        /* as it should be */
	OP_CHANGED,   /* was changed */
	OP_WOULD,     /* check mode: would change; what is shown is exact */
	OP_DEPENDENT, /* check mode: would change, depends on an earlier change */
	OP_OPAQUE,    /* check mode: a command would run; its effect is not known */
	OP_WARNED,    /* PIG_SOFT: the host refused; `reason` says why */
	OP_FAILED,
	OP_NOT_RUN,   /* something before it failed */
	OP_DUE,       /* a unit's restart or reload waits for the end of the step */
};

/* What a change of this kind may disturb, and what disturbs its own probe. */
enum { D_FILE = 1, D_USER = 2, D_PACKAGE = 4, D_RUN = 8, D_ALL = 15 };

struct op;
struct batch;
struct op_kind {
	const char *name;
	uint8_t disturbs, sensitive;
	bool inline_ok; /* can be decided on the host: probe, compare, apply in one go (ensure, wait, shell) */
	/* queue the probes of all n operations of this kind */
	void (*probe)(struct batch *b, struct script *s, struct op **ops, size_t n);
	/* read the probe's answer and set op->state to OP_OK or OP_QUEUED with op->reason (a change is due); false: impossible, e filled */
	bool (*decide)(struct batch *b, struct op *op, struct err *e);
	/* queue the change; its section carries the operation's number */
	void (*apply)(struct batch *b, struct script *s, struct op *op);
	/* after the change's section came back; may set op->state; NULL: status 0 means changed */
	bool (*done)(struct batch *b, struct op *op, const struct section *sec, struct err *e);
};

struct op_file_state { bool exists, is_dir, is_link; uint32_t mode; const char *owner, *group, *uid, *gid, *sum, *target; int64_t size; };

struct op {
	const struct op_kind *kind;
	const char *title; /* "file /etc/hosts" */
	const char *note, *as;
	uint32_t flags;
	bool secret;       /* content, input or output is derived from a secret */
	enum op_state state;
	const char *reason, *diff, *depends;
	const char *output;
	int status;
	struct err why;    /* of OP_FAILED and OP_WARNED */
	const struct op *const *after;
	uint32_t index;    /* in its batch */
	const char *task;  /* that queued it */
	uint32_t group;    /* tasks of a step are counted: those of one task share a group */
	union {
		struct pig_file file;
		struct pig_line line;
		struct pig_package package;
		struct pig_unit unit;
		struct pig_user user;
		struct pig_group group;
		struct pig_sysctl sysctl;
		struct pig_wait wait;
		struct pig_ensure ensure;
		struct pig_shell shell;
	} d;
	/* file, line */
	const char *text; size_t text_len;
	const char *sum;
	struct op_file_state found;
	const char *old; size_t old_len; /* content found, when fetched */
	/* line: in wire order after the probe; unit: parts of the answer; package: what to install */
	const char *found_text;
	uint32_t todo; /* kind's own bits of what differs */
	const char *watch_digest;
};

extern const struct op_kind op_file, op_line, op_package, op_unit, op_user, op_group, op_sysctl, op_wait, op_ensure, op_shell;

/* Deep copies into a; title is made; text may be NUL-holding for files (then text_len says). */
struct op *op_new_file(struct arena *a, const struct pig_file *d, const char *text, size_t len);
struct op *op_new_line(struct arena *a, const struct pig_line *d);
struct op *op_new_package(struct arena *a, const struct pig_package *d);
struct op *op_new_unit(struct arena *a, const struct pig_unit *d);
struct op *op_new_user(struct arena *a, const struct pig_user *d);
struct op *op_new_group(struct arena *a, const struct pig_group *d);
struct op *op_new_sysctl(struct arena *a, const struct pig_sysctl *d);
struct op *op_new_wait(struct arena *a, const struct pig_wait *d);
struct op *op_new_ensure(struct arena *a, const struct pig_ensure *d);
struct op *op_new_shell(struct arena *a, const struct pig_shell *d);

bool op_changed(const struct op *op);          /* changed, or would */
const char *op_sum(struct arena *a, const void *p, size_t n); /* SHA-256 in hex */
/* add one reason: "mode 0644 -> 0600", joined by ", " */
void op_why(struct batch *b, struct op *op, const char *fmt, ...) ARENA_PRINTF(3);
/* what the command's user asks for: "" or "runuser -u X -- " around sh -c */
const char *op_command(struct arena *a, const char *as, const char *cmd);
/* standard input of the operation, or NULL */
const char *op_input(const struct op *op);

#endif
