/*
 * Connecting. getaddrinfo() knows no deadline, so that a name (not an address) is looked up in a thread of its own,
 * which is left to itself when the time is over.
 */
#include "host/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/os.h"

enum { DEAD_PEER_MS = 20000, FIRST_PROBE_S = 10, NEXT_PROBE_S = 4, PROBES = 3 };

struct tcp_lookup {
	char *host, port[8];
	int family, done_fd[2]; /* the thread closes [1] when it is done */
	int rc;
	struct addrinfo *found;
	pthread_mutex_t lock;
	int users; /* the caller and the thread: the last one frees */
};

static void tcp_lookup_leave(struct tcp_lookup *l)
{
	pthread_mutex_lock(&l->lock);
	int left = --l->users;
	pthread_mutex_unlock(&l->lock);
	if (left)
		return;
	if (l->found)
		freeaddrinfo(l->found);
	pthread_mutex_destroy(&l->lock);
	close(l->done_fd[0]);
	free(l->host);
	free(l);
}

static void *tcp_lookup_run(void *arg)
{
	struct tcp_lookup *l = arg;
	struct addrinfo hints = { .ai_family = l->family, .ai_socktype = SOCK_STREAM };

	struct addrinfo *found = NULL;
	int rc = getaddrinfo(l->host, l->port, &hints, &found);
	pthread_mutex_lock(&l->lock);
	l->rc = rc;
	l->found = found;
	pthread_mutex_unlock(&l->lock);
	close(l->done_fd[1]);
	tcp_lookup_leave(l);
	return NULL;
}

static bool tcp_lookup_start(struct tcp_lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;

	l->users = 2;
	if (pthread_attr_init(&attr))
		return false;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int rc = pthread_create(&thread, &attr, tcp_lookup_run, l);
	pthread_attr_destroy(&attr);
	if (!rc)
		return true;
	l->users = 1;
	close(l->done_fd[1]);
	return false;
}

static bool tcp_numeric(struct tcp_lookup *l)
{
	struct addrinfo hints = { .ai_family = l->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };

	l->users = 1;
	return getaddrinfo(l->host, l->port, &hints, &l->found) == 0;
}

/* NULL: e is filled */
static struct tcp_lookup *tcp_lookup(const char *name, const char *host, int port, int family, const struct until *u,
				     struct err *e)
{
	struct tcp_lookup *l = calloc(1, sizeof *l);

	if (!l || !(l->host = strdup(host)) || pipe2(l->done_fd, O_CLOEXEC))
		bug("could not look up \"%s\": %s", host, strerror(errno));
	snprintf(l->port, sizeof l->port, "%d", port);
	l->family = family;
	pthread_mutex_init(&l->lock, NULL);
	if (tcp_numeric(l)) {
		close(l->done_fd[1]);
		return l;
	}
	if (!tcp_lookup_start(l)) {
		fail(e, E_CONNECT, "could not look up the address of \"%s\"", name);
		tcp_lookup_leave(l);
		return NULL;
	}
	struct pollfd fd = { l->done_fd[0], POLLIN, 0 };
	enum until_end end = until_poll(u, &fd, 1);
	pthread_mutex_lock(&l->lock);
	int rc = l->rc;
	pthread_mutex_unlock(&l->lock);
	if (end == UNTIL_READY && !rc)
		return l;
	if (end == UNTIL_CANCELLED)
		fail(e, E_CANCELLED, "cancelled while looking up the address of \"%s\"", name);
	else if (end == UNTIL_LATE)
		fail(e, E_CONNECT, "could not look up the address of \"%s\" (%s): no answer in time", name, host);
	else
		fail(e, E_CONNECT, "could not look up the address of \"%s\" (%s): %s", name, host, gai_strerror(rc));
	if (end != UNTIL_CANCELLED)
		err_hint(e, "Set ansible_host to an address, or make the name known to this machine.");
	tcp_lookup_leave(l);
	return NULL;
}

static void tcp_tune(int fd)
{
	int one = 1, first = FIRST_PROBE_S, next = NEXT_PROBE_S, probes = PROBES, dead = DEAD_PEER_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &first, sizeof first);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &next, sizeof next);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
}

void tcp_acknowledge(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

/* One address. The result is 0 or an errno value. */
static int tcp_try(const struct addrinfo *ai, const struct until *u, int *out)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), no = 0;
	socklen_t n = sizeof no;

	*out = fd;
	if (fd < 0)
		return errno;
	tcp_tune(fd);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	struct pollfd pfd = { fd, POLLOUT, 0 };
	enum until_end end = until_poll(u, &pfd, 1);
	if (end != UNTIL_READY)
		return end == UNTIL_LATE ? ETIMEDOUT : ECANCELED;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &no, &n) ? errno : no;
}

static bool tcp_explain(const char *name, const char *host, int port, int no, struct err *e)
{
	if (no == ECANCELED)
		return fail(e, E_CANCELLED, "cancelled while connecting to \"%s\"", name);
	fail(e, E_CONNECT, "could not reach \"%s\" at %s:%d: %s", name, host, port,
	     no == ETIMEDOUT ? "no answer in time" : strerror(no));
	if (no == ECONNREFUSED)
		return err_hint(e,
				"The machine is there, but nothing listens on port %d: is sshd running, and is this "
				"its port?",
				port);
	return err_hint(e, "Is the machine up, is the address right, and does a firewall let port %d through?", port);
}

int tcp_connect(const char *name, const char *host, int port, int family, const struct until *u, struct err *e)
{
	struct tcp_lookup *l = tcp_lookup(name, host, port, family, u, e);
	int fd = -1, no = ETIMEDOUT, left = 0;

	if (!l)
		return -1;
	for (struct addrinfo *ai = l->found; ai; ai = ai->ai_next)
		left++;
	for (struct addrinfo *ai = l->found; ai; ai = ai->ai_next, left--) {
		/* each address has its share of what is left, so that one dead one does not use up all */
		int64_t now = os_now_ms();
		struct until share = { now + (u->at - now) / left, u->cancel };
		no = tcp_try(ai, &share, &fd);
		if (!no || no == ECANCELED)
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	tcp_lookup_leave(l);
	if (!no)
		return fd;
	if (fd >= 0)
		close(fd);
	tcp_explain(name, host, port, no, e);
	return -1;
}
