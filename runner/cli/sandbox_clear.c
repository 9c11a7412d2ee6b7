/*
 * Removing a sandbox, whole or half made, its maker alive or killed: processes by their cgroups, then mounts,
 * namespaces, cgroups and files, each found by the sandbox's own names and not by what a state file remembers.
 */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <stdio.h>
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

/* What nspawn leaves in /run when it is killed: its lock is named by the root's device and inode, the rest by the
 * machine. */
static void drop_nspawn(const struct sandbox *s)
{
	static const char *const dirs[] = {"/run/systemd/nspawn/propagate", "/run/systemd/nspawn/unix-export"};
	const char *nodes = os_join(s->a, s->dir, "nodes");
	size_t n;
	char **names = sandbox_names(s->a, nodes, &n);

	for (size_t i = 0; i < n; i++) {
		struct stat st;
		if (!stat(arena_fmt(s->a, "%s/%s/root", nodes, names[i]), &st))
			unlink(arena_fmt(s->a, "/run/systemd/nspawn/locks/inode-%lu:%lu", (unsigned long)st.st_dev,
					 (unsigned long)st.st_ino));
		for (unsigned d = 0; d < 2; d++)
			rmdir(arena_fmt(s->a, "%s/%s-%s", dirs[d], s->name, names[i]));
	}
}

/*
 * The folder leaves under another name before its files go: an rm that outlives its maker then meets no file of the
 * next sandbox. Names of sandboxes have no dots.
 */
static bool remove_files(const struct sandbox *s, struct err *e)
{
	const char *prefix = arena_fmt(s->a, "gone.%s.", s->name);
	size_t n;

	if (os_exists(s->dir) && rename(s->dir, arena_fmt(s->a, "%s/%s%s", s->state, prefix, os_random_hex(s->a, 8))))
		return fail(e, E_FAILED, "could not move \"%s\" away: %s", s->dir, strerror(errno));
	char **names = sandbox_names(s->a, s->state, &n);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(names[i], prefix, strlen(prefix)))
			continue;
		/* --one-file-system: were a mount still there, its content would not be removed */
		if (!sandbox_run(s, NULL, e, "rm", "-rf", "--one-file-system", os_join(s->a, s->state, names[i]), NULL))
			return false;
	}
	return true;
}

bool sandbox_clear(struct sandbox *s, struct err *e)
{
	if (!os_exists(s->dir))
		return remove_files(s, e);
	/* first of all: what is half removed is no sandbox any more */
	unlink(os_join(s->a, s->dir, "complete"));
	if (!sandbox_cgroup_kill(s, arena_fmt(s->a, SB_PREFIX "%s.", s->name), true, e))
		return false;
	drop_nspawn(s);
	return unmount_all(s, e) && sandbox_net_down(s, e) && remove_files(s, e);
}
