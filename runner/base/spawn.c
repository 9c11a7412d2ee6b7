/* Running a program on the control host to its end, with captured output, a deadline and its own process group. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct pipes {
	int in[2], out[2], errs[2], exec[2];
};

static const char *const *environment(struct arena *a, const char *const *add)
{
	size_t n = 0, m = 0;

	while (environ && environ[n])
		n++;
	while (add && add[m])
		m++;
	const char **env = arena_new_of(a, const char *, n + m + 1);
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		bool over = false;
		for (size_t j = 0; j < m; j++) {
			size_t len = strcspn(add[j], "=");
			over |= !strncmp(environ[i], add[j], len) && environ[i][len] == '=';
		}
		if (!over)
			env[k++] = environ[i];
	}
	for (size_t j = 0; j < m; j++)
		env[k++] = add[j];
	return env;
}

static _Noreturn void child(const struct os_cmd *c, struct pipes *p, const char *const *env)
{
	union { const char *const *c; char *const *m; } argv = { c->argv }, envp = { env };

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(p->in[0], 0);
	dup2(p->out[1], 1);
	dup2(c->merge ? p->out[1] : p->errs[1], 2);
	if (!c->cwd || chdir(c->cwd) == 0) {
		environ = (char **)(uintptr_t)envp.m;
		execvp(c->argv[0], argv.m);
	}
	int no = errno;
	ssize_t w = write(p->exec[1], &no, sizeof no);
	_exit(w > 0 ? 127 : 126);
}

/* Move bytes until both outputs end or the deadline is over. False: deadline. */
static bool pump(const struct os_cmd *c, struct pipes *p, struct buf *out, struct buf *errs, int64_t until)
{
	size_t sent = 0;
	struct buf *to[2] = { out, errs };

	while (p->out[0] >= 0 || p->errs[0] >= 0) {
		struct pollfd fds[3] = { { p->out[0], POLLIN, 0 }, { p->errs[0], POLLIN, 0 }, { p->in[1], POLLOUT, 0 } };
		int64_t left = until - os_now_ms();
		if (left <= 0)
			return false;
		if (poll(fds, 3, (int)(left > 1000000 ? 1000000 : left)) < 0 && errno != EINTR)
			return true;
		for (int i = 0; i < 2; i++) {
			if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR)))
				continue;
			char junk[4096];
			char *at = to[i] ? buf_room(to[i], 65536) : junk;
			ssize_t n = read(fds[i].fd, at, to[i] ? 65536 : sizeof junk);
			if (n > 0 && to[i]) {
				to[i]->len += (size_t)n;
				to[i]->p[to[i]->len] = 0;
			} else if (n == 0) {
				int *fd = i ? &p->errs[0] : &p->out[0];
				close(*fd);
				*fd = -1;
			}
		}
		if (p->in[1] >= 0 && fds[2].revents) {
			ssize_t n = c->in_len > sent ? write(p->in[1], c->in + sent, c->in_len - sent) : 0;
			if (n > 0)
				sent += (size_t)n;
			if (sent == c->in_len || (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(p->in[1]);
				p->in[1] = -1;
			}
		}
	}
	return true;
}

static void close_all(struct pipes *p)
{
	int *all = (int *)p;

	for (size_t i = 0; i < sizeof *p / sizeof(int); i++)
		if (all[i] >= 0)
			close(all[i]);
}

static bool open_all(struct pipes *p, struct err *e)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (!pipe2(p->in, O_CLOEXEC) && !pipe2(p->out, O_CLOEXEC) && !pipe2(p->errs, O_CLOEXEC) && !pipe2(p->exec, O_CLOEXEC)) {
		fcntl(p->in[1], F_SETFL, O_NONBLOCK);
		return true;
	}
	close_all(p);
	return fail(e, E_BUG, "could not make a pipe: %s", strerror(errno));
}

bool os_run(const struct os_cmd *c, struct buf *out, struct buf *errs, int *status, struct err *e)
{
	struct pipes p;
	int no = 0, st = 0;

	if (!open_all(&p, e))
		return false;
	struct arena *a = arena_new();
	const char *const *env = environment(a, c->env);
	pid_t pid = fork();
	if (pid == 0)
		child(c, &p, env);
	arena_free(a);
	if (pid < 0) {
		close_all(&p);
		return fail(e, E_BUG, "could not fork: %s", strerror(errno));
	}
	close(p.in[0]), close(p.out[1]), close(p.errs[1]), close(p.exec[1]);
	p.in[0] = p.out[1] = p.errs[1] = p.exec[1] = -1;
	if (read(p.exec[0], &no, sizeof no) != (ssize_t)sizeof no)
		no = 0;

	int64_t limit = c->limit_ms ? c->limit_ms : 60000;
	bool ended = pump(c, &p, out, errs, os_now_ms() + limit);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	close_all(&p);
	if (no)
		return fail(e, E_INPUT, "could not run \"%s\": %s", c->argv[0], strerror(no));
	if (!ended)
		return fail(e, E_TIMEOUT, "\"%s\" did not end within %lld s", c->argv[0], (long long)limit / 1000);
	if (status)
		*status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	return true;
}
