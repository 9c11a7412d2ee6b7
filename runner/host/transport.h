/*
 * A byte stream to a command on a host: six functions, nothing else. What the bytes mean is frame.c's, which transport
 * is taken choice.c's. Transports never block in read and write; one thread at a time.
 */
#ifndef HOST_TRANSPORT_H
#define HOST_TRANSPORT_H

#include <sys/types.h>
#include "base/err.h"
#include "host/until.h"

enum { TRANSPORT_EOF = 0, TRANSPORT_AGAIN = -1, TRANSPORT_BROKEN = -2 };

struct transport;
struct transport_ops {
	/* Reach the host and start the command there. */
	bool (*open)(struct transport *t, const char *command, const struct until *u, struct err *e);
	/* Bytes, or one of TRANSPORT_*. After AGAIN a write must be repeated with the same bytes before anything else.
	 */
	ssize_t (*read)(struct transport *t, void *p, size_t n);
	ssize_t (*write)(struct transport *t, const void *p, size_t n);
	/* What to poll for after AGAIN; at most 2 entries. want: POLLIN, POLLOUT or both. */
	nfds_t (*events)(struct transport *t, struct pollfd fds[2], short want);
	/* End it, however far open() came, and release everything. */
	void (*close)(struct transport *t);
	/* What was said beside the stream (standard error, a library's last error): for messages. Never NULL. */
	const char *(*describe)(struct transport *t);
};
struct transport {
	const struct transport_ops *ops;
	bool cannot; /* open() failed for something that this transport lacks: another may do */
	bool hurry;  /* close() need not give the other side time to end in good order */
};

struct arena;
struct route;
/* libssh2 to the host of the route. */
struct transport *ssh2_new(struct arena *a, const struct route *r, bool insecure);
/* argv (NULL ended) with the command as last word, over a socketpair. */
struct transport *exec_new(struct arena *a, const char *const *argv);

#endif
