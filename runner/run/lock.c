/*
 * flock(2) on files under <inventory dir>/.pig/: the kernel drops them when the process ends, so nothing stale is left to clear. With
 * the inventory in a database, which several machines may run from, advisory locks there besides: they go with their connection.
 */
#include "run/lock.h"
#include "base/os.h"
#include "model/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct run_lock { int *fds; size_t n; struct sql *db; /* NULL: the inventory is in files */ };

static const char *self_user(void)
{
	const char *user = getlogin();

	return user ? user : getenv("USER") ? getenv("USER") : "?";
}

static void note_self(int fd)
{
	char host[256] = "", when[32] = "", text[512];
	time_t now = time(NULL);
	struct tm tm;
	const char *user = self_user();

	gethostname(host, sizeof host - 1);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
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

/* The name of the session says who holds its locks. */
static bool shared_begin(struct run_lock *l, struct arena *a, const char *source, struct err *e)
{
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	return sql_open(&l->db, a, source, arena_fmt(a, "pig: %.16s on %.24s, %d", self_user(), host, (int)getpid()), e);
}

#define KEY "hashtextextended('pig ' || $1, 0)"
static bool take_shared(struct run_lock *l, struct arena *a, const char *kind, const char *name, struct err *e)
{
	const char *const key[] = { arena_fmt(a, "%s %s", kind, name) };
	struct sql_rows rows;

	if (!sql_do(l->db, &rows, "select pg_try_advisory_lock(" KEY ")", key, 1, e))
		return false;
	if (!strcmp(sql_cell(&rows, 0, 0), "t"))
		return true;
	if (!sql_do(l->db, &rows,
		"select application_name || ', since ' || date_trunc('second', backend_start) from pg_locks join pg_stat_activity "
		"using (pid) where locktype = 'advisory' and granted and objsubid = 1 and "
		"(classid::bigint << 32 | objid::bigint) = " KEY, key, 1, e))
		return false;
	fail(e, E_FAILED, "another run is at work on %s \"%s\": %s", kind, name,
		rows.n && sql_cell(&rows, 0, 0) ? sql_cell(&rows, 0, 0) : "unknown");
	return err_hint(e, "Wait for it to end, or limit this run to other hosts with -l.");
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
	if (!os_mkdirs(dir, 0755, e) || (w->inv->database && !shared_begin(l, a, w->inv->database, e)))
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
			if (!take_one(l, a, dir, kind, name, e) || (l->db && !take_shared(l, a, kind, name, e))) {
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
	if (l) {
		sql_close(l->db);
		l->n = 0;
	}
}
