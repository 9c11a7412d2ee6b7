/*
 * A host for tests: scripts run by the local sh, each frame recorded. `bin`, when set, comes first in PATH, so that a test can put
 * programs of its own in the way (systemctl, dpkg-query) and keep their state in files.
 */
#ifndef TEST_LOCAL_LINK_H
#define TEST_LOCAL_LINK_H

#include <stdlib.h>
#include "base/os.h"
#include "ops/batch.h"

struct local_link {
	const char *dir; /* a fresh folder of the test's own */
	const char *bin;
	const char *sh;
	int frames;
	struct buf log;  /* every script sent */
	int die_after;   /* the link is lost instead of frame N; 0: never */
};

static inline bool local_link_run(void *ctx, const struct script *s, const char *what, struct buf *out, struct err *e)
{
	struct local_link *l = ctx;
	struct arena *a = l->log.a;
	const char *p = arena_fmt(a, "%s/P", l->dir);
	struct buf errs = BUF(a);
	int status;

	l->frames++;
	if (l->die_after && l->frames >= l->die_after)
		return fail(e, E_CONNECT, "lost the connection during %s", what);
	if (!os_mkdirs(p, 0700, e))
		return false;
	for (size_t i = 0; i < s->n_inputs; i++)
		if (!os_write(arena_fmt(a, "%s/%zu", p, i), s->inputs[i].data, s->inputs[i].len, 0600, e))
			return false;
	buf_add(&l->log, s->text.p, s->text.len);
	const char *const argv[] = { l->sh ? l->sh : "sh", NULL };
	const char *const env[] = { arena_fmt(a, "P=%s", p), "LC_ALL=C",
				    arena_fmt(a, "PATH=%s%s%s", l->bin ? l->bin : "", l->bin ? ":" : "", getenv("PATH")), arena_fmt(a, "T=%s", l->dir), NULL };
	struct os_cmd c = { .argv = argv, .in = s->text.p, .in_len = s->text.len, .env = env };
	out->a = a;
	if (!os_run(&c, out, &errs, &status, e))
		return false;
	if (status)
		return fail(e, E_REMOTE, "sh ended with %d", status), err_detail(e, "%.800s", buf_text(&errs));
	return true;
}

/* A fresh folder; the caller removes it with local_link_end. */
static inline void local_link_begin(struct local_link *l, struct arena *a)
{
	char *dir = arena_str(a, "/tmp/pig-test-XXXXXX");

	*l = (struct local_link){ .dir = mkdtemp(dir), .log = BUF(a) };
	if (!l->dir)
		bug("no folder for the test");
}

static inline void local_link_end(struct local_link *l)
{
	const char *const argv[] = { "rm", "-rf", "--", l->dir, NULL };
	struct os_cmd c = { .argv = argv };
	struct buf out = BUF(l->log.a);
	int status;

	os_run(&c, &out, &out, &status, NULL);
}

/* One batch over the link, its operations queued by the caller. */
static inline struct batch local_batch(struct local_link *l, struct arena *a)
{
	return (struct batch){ .a = a, .link = { local_link_run, l }, .what = "test", .due_arena = a, .os_package = "deb" };
}

#endif
