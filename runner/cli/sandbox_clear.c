/*
 * Removing a sandbox, whole or half made, its maker alive or killed: processes by their cgroups, then mounts, namespaces, cgroups
 * and files, each found by the sandbox's own names and not by what a state file remembers.
 */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* mountinfo writes blanks and the like as \ooo. */
static char *unescape(char *s)
{
	char *to = s;

	for (char *p = s; *p; p++) {
		if (p[0] == '\\' && p[1] && p[2] && p[3]) {
			*to++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = 0;
	return s;
}

/* The last mount below the sandbox's folder (mounts are listed in order, so those on top come last), or NULL. */
static const char *last_mount(const struct sandbox *s)
{
	struct buf b = BUF(s->a);
	const char *last = NULL, *below = arena_fmt(s->a, "%s/", s->dir);
	char *line, *rest;

	if (!os_read(&b, "/proc/self/mounts", 0, NULL) || !b.len)
		return NULL;
	for (line = strtok_r(b.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *at = strchr(line, ' '), *end = at ? strchr(at + 1, ' ') : NULL;
		if (!end)
			continue;
		*end = 0;
		if (!strncmp(unescape(at + 1), below, strlen(below)))
			last = at + 1;
	}
	return last;
}

static bool unmount_all(const struct sandbox *s, struct err *e)
{
	const char *at;

	for (unsigned tries = 0; (at = last_mount(s)) && tries < 1024; tries++)
		if (umount2(at, 0) && umount2(at, MNT_DETACH))
			return fail(e, E_FAILED, "could not unmount \"%s\": %s", at, strerror(errno));
	return true;
}

/* What nspawn leaves for a machine's name when it is killed. */
static void drop_nspawn(const struct sandbox *s)
{
	static const char *const dirs[] = { "/run/systemd/nspawn/propagate", "/run/systemd/nspawn/unix-export" };
	size_t n;
	char **names = sandbox_names(s->a, os_join(s->a, s->dir, "nodes"), &n);

	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < 2; d++)
			rmdir(arena_fmt(s->a, "%s/%s-%s", dirs[d], s->name, names[i]));
}

bool sandbox_clear(struct sandbox *s, struct err *e)
{
	if (!os_exists(s->dir))
		return true;
	/* first of all: what is half removed is no sandbox any more */
	unlink(os_join(s->a, s->dir, "complete"));
	if (!sandbox_cgroup_kill(s, arena_fmt(s->a, SB_PREFIX "%s.", s->name), true, e) || !unmount_all(s, e) ||
	    !sandbox_net_down(s, e))
		return false;
	drop_nspawn(s);
	/* --one-file-system: were a mount still there, its content would not be removed */
	return sandbox_run(s, NULL, e, "rm", "-rf", "--one-file-system", s->dir, NULL);
}
