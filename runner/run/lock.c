/* flock(2) on files under <inventory dir>/.pig/: the kernel drops them when the process ends, so nothing stale is left to clear. */
#include "run/lock.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct run_lock { int *fds; size_t n; };

static void note_self(int fd)
{
	char host[256] = "", when[32] = "", text[512];
	time_t now = time(NULL);
	struct tm tm;
	const char *user = getlogin();

	gethostname(host, sizeof host - 1);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
	if (!user)
		user = getenv("USER") ? getenv("USER") : "?";
	int n = snprintf(text, sizeof text, "%s on %s, process %d, since %s\n", user, host, (int)getpid(), when);
	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) < 0)
		return; /* the lock holds without its note */
}

static bool take_one(struct run_lock *l, struct arena *a, const char *dir, const char *kind, const char *name, struct err *e)
{
	char *file = arena_fmt(a, "%s-%s.lock", kind, name), who[512];

	for (char *p = file; *p; p++)
		if (*p == '/')
			*p = '_';
	const char *path = arena_fmt(a, "%s/%s", dir, file);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail(e, E_INPUT, "could not make the lock file \"%s\": %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		ssize_t n = pread(fd, who, sizeof who - 1, 0);
		who[n > 0 ? n : 0] = 0;
		who[strcspn(who, "\n")] = 0;
		close(fd);
		fail(e, E_FAILED, "another run is at work on %s \"%s\": %s", kind, name, *who ? who : "unknown");
		return err_hint(e, "Wait for it to end, or limit this run to other hosts with -l.");
	}
	note_self(fd);
	l->fds[l->n++] = fd;
	return true;
}

bool run_lock_take(struct run_lock **out, struct arena *a, struct world *w, struct resolvers *rs, const struct plan *p, struct err *e)
{
	struct run_lock *l = arena_get(a, sizeof *l);
	const char *dir = arena_fmt(a, "%s/.pig", w->inv->dir && *w->inv->dir ? w->inv->dir : ".");
	struct map seen = MAP(a);
	uint32_t most = 0;

	*out = l;
	for (uint32_t s = 0; s < p->n_steps; s++)
		most += p->steps[s].n_hosts;
	l->fds = arena_new_of(a, int, most + 1);
	if (!os_mkdirs(dir, 0755, e))
		return false;
	for (uint32_t s = 0; s < p->n_steps; s++)
		for (uint32_t i = 0; i < p->steps[s].n_hosts; i++) {
			const struct inv_host *h = p->steps[s].hosts[i];
			const char *cluster = resolver_cluster(resolvers_of(rs, h), p->steps[s].step->module);
			const char *kind = cluster ? "cluster" : "host", *name = cluster ? cluster : h->name;
			const char *key = arena_fmt(a, "%s-%s", kind, name);
			if (map_has(&seen, key))
				continue;
			map_put(&seen, key, l);
			if (!take_one(l, a, dir, kind, name, e)) {
				run_lock_release(l);
				return false;
			}
		}
	return true;
}

void run_lock_release(struct run_lock *l)
{
	for (size_t i = 0; l && i < l->n; i++)
		close(l->fds[i]);
	if (l)
		l->n = 0;
}
