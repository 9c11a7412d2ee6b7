/* Requests and replies over a transport: lengths first, in both directions. Nothing of what a host sends is trusted. */
#ifndef HOST_FRAME_H
#define HOST_FRAME_H

#include "host/session.h"
#include "host/transport.h"

enum {
	FRAME_NOISE_MAX = 65536, /* what a login may print before the loop speaks */
	FRAME_INPUTS_MAX = 4096,
	FRAME_STALL_MS = 30000, /* without a byte moving, while bytes are due */
	FRAME_GRACE_MS = 15000, /* beyond a job's limit */
	FRAME_LIMIT_S = 300,
	FRAME_CAP = 16 << 20,
};

enum frame_end {
	FRAME_OK,
	FRAME_EOF,    /* the other side closed the stream */
	FRAME_BROKEN, /* the link failed */
	FRAME_LATE,
	FRAME_CANCELLED,
	FRAME_GARBLED, /* what came is no reply */
	FRAME_BUSY,    /* another run's job is at work there */
	FRAME_FULL,    /* no room on the host for the request */
};

struct frame {
	struct transport *t;
	const volatile int *cancel;
	const char *mark; /* "PIG-<nonce>": begins all that the loop says */
	struct buf noise; /* what came before the mark */
	unsigned long id;
	int busy_s; /* how long a job may wait for one of another run */
	unsigned long long busy; /* of FRAME_BUSY: the process at work */
	size_t at, have; /* unread bytes of in */
	char in[65536];
};

/* What follows the mark: ":" is sudo's prompt; else a line, here without the mark, cut to the space there is. */
enum frame_end frame_mark(struct frame *f, const struct until *u, char *line, size_t cap);
enum frame_end frame_send(struct frame *f, const void *p, size_t n);
enum frame_end frame_get(struct frame *f, void *p, size_t n);
/* One job. What has come by the time of a failure is lost, and so is the session. */
enum frame_end frame_run(struct frame *f, struct arena *a, const struct job *j, struct job_result *r);
/* Decimal digits up to the end, a space or a newline; moves *s behind them and one space. False: no number or more than
 * max. */
bool frame_number(const char **s, unsigned long long max, unsigned long long *n);

#endif
