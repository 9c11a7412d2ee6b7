/*
 * The transport that runs a program on the control host and talks to it over a socketpair: ssh(1) for `openssh`, sh for
 * `local`. Not for: programs that are run to their end (base/spawn.c).
 */
#include "host/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"

enum { SAID_MAX = 4096, END_MS = 2000 };

struct exec {
	struct transport t;
	const char **argv; /* the last but one is a free place for the command */
	size_t n;
	pid_t pid;
	int fd, errs;
	char said[SAID_MAX + 1]; /* the last of its standard error */
	size_t said_n;
};

static _Noreturn void exec_child(struct exec *x, int fd, int errs, int report)
{
	union {
		const char **c;
		char *const *m;
	} argv = { x->argv };
	sigset_t none;

	setsid(); /* no terminal: nothing may ask the user behind our back, and ^C is ours to handle */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fd, 0) == 0 && dup2(fd, 1) == 1 && dup2(errs, 2) == 2)
		execvp(argv.m[0], argv.m);
	int no = errno;
	ssize_t w = write(report, &no, sizeof no);
	_exit(w > 0 ? 127 : 126);
}

static bool exec_start(struct exec *x, int pair[2], int errs[2], int report[2], struct err *e)
{
	int no = 0;

	x->pid = fork();
	if (x->pid == 0)
		exec_child(x, pair[1], errs[1], report[1]);
	if (x->pid < 0)
		return fail(e, E_CONNECT, "could not run \"%s\": %s", x->argv[0], strerror(errno));
	close(report[1]);
	report[1] = -1;
	ssize_t n;
	do
		n = read(report[0], &no, sizeof no);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof no)
		return fail(e, E_CONNECT, "could not run \"%s\": %s", x->argv[0], strerror(no));
	return true;
}

static bool exec_open(struct transport *t, const char *command, const struct until *u, struct err *e)
{
	struct exec *x = (struct exec *)t;
	int fds[6] = { -1, -1, -1, -1, -1, -1 };
	bool ok = false;

	(void)u;
	x->argv[x->n] = command;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) || pipe2(fds + 2, O_CLOEXEC) ||
	    pipe2(fds + 4, O_CLOEXEC))
		fail(e, E_CONNECT, "could not run \"%s\": %s", x->argv[0], strerror(errno));
	else
		ok = exec_start(x, fds, fds + 2, fds + 4, e);
	if (ok) {
		x->fd = fds[0];
		x->errs = fds[2];
		fcntl(x->fd, F_SETFL, O_NONBLOCK);
		fcntl(x->errs, F_SETFL, O_NONBLOCK);
		fds[0] = fds[2] = -1;
	}
	for (int i = 0; i < 6; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return ok;
}

/* Keep the last of what the program says beside the stream. */
static void exec_listen(struct exec *x)
{
	char part[SAID_MAX];
	ssize_t n;

	while (x->errs >= 0 && (n = read(x->errs, part, sizeof part)) >= 0) {
		if (n == 0) {
			close(x->errs);
			x->errs = -1;
			break;
		}
		size_t keep = SAID_MAX - (size_t)n < x->said_n ? SAID_MAX - (size_t)n : x->said_n;
		memmove(x->said, x->said + x->said_n - keep, keep);
		memcpy(x->said + keep, part, (size_t)n);
		x->said_n = keep + (size_t)n;
	}
	x->said[x->said_n] = 0;
}

static ssize_t exec_read(struct transport *t, void *p, size_t n)
{
	struct exec *x = (struct exec *)t;
	ssize_t r;

	exec_listen(x);
	do
		r = recv(x->fd, p, n, 0);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	return errno == EAGAIN || errno == EWOULDBLOCK ? TRANSPORT_AGAIN
	       : errno == ECONNRESET		       ? TRANSPORT_EOF
						       : TRANSPORT_BROKEN;
}

static ssize_t exec_write(struct transport *t, const void *p, size_t n)
{
	struct exec *x = (struct exec *)t;
	ssize_t r;

	do
		r = send(x->fd, p, n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	return errno == EAGAIN || errno == EWOULDBLOCK ? TRANSPORT_AGAIN : TRANSPORT_BROKEN;
}

static nfds_t exec_events(struct transport *t, struct pollfd fds[2], short want)
{
	struct exec *x = (struct exec *)t;

	fds[0] = (struct pollfd){ x->fd, want, 0 };
	fds[1] = (struct pollfd){ x->errs, POLLIN, 0 };
	return x->errs >= 0 ? 2 : 1;
}

static bool exec_ended(struct exec *x, int ms)
{
	for (int64_t until = os_now_ms() + ms;;) {
		pid_t got = waitpid(x->pid, NULL, WNOHANG);

		if (got == x->pid || (got < 0 && errno != EINTR))
			return true;
		if (os_now_ms() >= until)
			return false;
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	}
}

static void exec_close(struct transport *t)
{
	struct exec *x = (struct exec *)t;

	if (x->fd >= 0)
		shutdown(x->fd, SHUT_WR); /* its end of input: it clears up and leaves */
	/* No SIGKILL: a loop that still has a job under it clears up when that has ended, which its limit sees to. */
	if (x->pid > 0 && !exec_ended(x, x->fd >= 0 && !t->hurry ? END_MS : 0)) {
		kill(-x->pid, SIGTERM);
		exec_ended(x, END_MS / 4);
	}
	x->pid = 0;
	if (x->fd >= 0)
		close(x->fd);
	if (x->errs >= 0)
		close(x->errs);
	x->fd = x->errs = -1;
}

static const char *exec_describe(struct transport *t)
{
	struct exec *x = (struct exec *)t;

	exec_listen(x);
	return x->said;
}

struct transport *exec_new(struct arena *a, const char *const *argv)
{
	static const struct transport_ops ops = { exec_open,   exec_read,  exec_write,
						  exec_events, exec_close, exec_describe };
	struct exec *x = arena_new_of(a, struct exec, 1);

	x->t.ops = &ops;
	while (argv[x->n])
		x->n++;
	x->argv = arena_new_of(a, const char *, x->n + 2);
	for (size_t i = 0; i < x->n; i++)
		x->argv[i] = argv[i];
	x->fd = x->errs = -1;
	return &x->t;
}
