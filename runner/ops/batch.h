/*
 * A batch: operations queued for one host, brought about in order with as few frames as can be. Engine rules live here; see
 * docs/operations.md.
 */
#ifndef OPS_BATCH_H
#define OPS_BATCH_H

#include "ops/op.h"

/* How a batch reaches its host: the run's layer fills this with a connection, a test with a recording. */
struct batch_link {
	/* run a script; false: the link is lost or the host hung, e says so */
	bool (*run)(void *ctx, const struct script *s, const char *what, struct buf *out, struct err *e);
	void *ctx;
};

struct due; /* a unit's action kept for the end of the step */

/* Check mode: what a file would hold, as operations of the host's earlier batches have it; each path once. */
struct foreseen {
	struct foreseen *next;
	const char *path, *sum; /* NULL: it would be gone */
};

struct batch {
	struct arena *a;
	struct batch_link link;
	bool check, diff;
	const char *os_package;                               /* deb | rpm */
	const char *(*alias)(void *ctx, const char *name);    /* package aliases; NULL: none */
	bool (*is_secret)(void *ctx, const char *s, size_t n); /* does the text hold a known secret? */
	void *ctx;
	const char *what;          /* task, for messages */
	struct op **ops; size_t n, cap;
	struct sections found;     /* answers of the latest probes */
	struct due *due;           /* grows over the batches of a step */
	struct arena *due_arena;   /* outlives the batch: the step's */
	/* units that the host's session has enabled and systemd, which reads that only when it is reloaded, still calls disabled: a reload
	 * takes as long as many a start, so that one at the session's end does for all; NULL: systemd is reloaded with each */
	struct map *enabled;
	size_t done;               /* operations up to here are settled */
	size_t probed;             /* up to here the latest answers hold */
	size_t reported;           /* for the run's layer */
	uint32_t window;           /* tasks to look at ahead; grows while nothing changes */
	uint32_t stops;            /* commands to look at ahead within them; grows likewise */
	const struct op *failed;   /* that ended the batch; NULL: the link did, or nothing */
	bool (*gate)(void *ctx, struct err *e); /* asked once, before the first change; NULL: none */
	void *gate_ctx;
	bool gated;                /* it was asked: something was changed, or the gate was shut */
	const struct foreseen *foreseen; /* check mode: of earlier batches on the host; NULL: nothing */
	size_t foretold;           /* operations up to here are in the list that batch_foresee keeps */
	const char *check_dirty;   /* check mode: title of the first operation that would have changed the ground */
};

void batch_add(struct batch *b, struct op *op);
/* Settle all queued operations. false: one failed or the link did; e says which and why, later ones are OP_NOT_RUN. */
bool batch_run(struct batch *b, struct err *e);
/* A change is due: ask the gate unless it was asked. Waiting is no change. */
bool batch_gate(struct batch *b, struct err *e);
/* Check mode: what the batch's files would hold is put in the list, which lives in arena a. */
void batch_foresee(struct batch *b, struct arena *a, struct foreseen **list);
/* The step is over: do each unit's folded action once. */
bool batch_flush_due(struct batch *b, struct err *e);
/* The host's session is over: systemd learns what was enabled. */
bool batch_reload(struct batch *b, struct err *e);

/* ---- for unit.c ---- */
struct due {
	struct due *next;
	const char *unit;
	enum pig_on_change action;
	struct op **ops; size_t n, cap;
};
void batch_due_add(struct batch *b, struct op *op);
/* shell text: action on a unit, then the marks of these operations */
const char *unit_action(struct arena *a, const char *verb, const char *unit, struct op *const *ops, size_t n);

#endif
