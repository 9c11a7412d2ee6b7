/*
 * A node's cgroups: one in systemd's hierarchy, so that the node's own systemd can manage what is below, and one that
 * limits memory. They also are the surest record of which processes belong to a node: membership survives the death of
 * everything that started it.
 */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOTS_MAX = 4, BATCH = 256 };

struct roots {
	const char *path[ROOTS_MAX];
	unsigned n;
	const char *memory; /* the one that limits memory */
	bool memory_v2;
};

/* The hierarchies that matter: cgroup v2 wherever it is, v1's name=systemd, v1's memory. */
static struct roots roots_find(const struct sandbox *s)
{
	struct roots r = {.n = 0};
	struct buf b = BUF(s->a);
	char *line, *rest;

	if (!os_read(&b, "/proc/self/mounts", 0, NULL))
		return r;
	for (line = strtok_r(b.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char at[256], type[64], options[512];
		if (sscanf(line, "%*s %255s %63s %511s", at, type, options) != 3 || r.n == ROOTS_MAX)
			continue;
		const char *all = arena_fmt(s->a, ",%s,", options);
		bool v2 = !strcmp(type, "cgroup2"), v1 = !strcmp(type, "cgroup");
		bool memory = v1 && strstr(all, ",memory,");
		if (!v2 && !memory && !(v1 && strstr(all, ",name=systemd,")))
			continue;
		r.path[r.n] = arena_str(s->a, at);
		if (v2) {
			struct buf have = BUF(s->a);
			os_read(&have, arena_fmt(s->a, "%s/cgroup.controllers", at), 0, NULL);
			memory = strstr(buf_text(&have), "memory") != NULL;
		}
		if (memory) {
			r.memory = r.path[r.n];
			r.memory_v2 = v2;
		}
		r.n++;
	}
	return r;
}

/* The kernel takes one value by one write; a temporary file beside it cannot be. */
static bool knob(const char *path, const char *value, struct err *e)
{
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return fail(e, E_FAILED, "could not write \"%s\" to \"%s\": %s", value, path, strerror(errno));
	return true;
}

bool sandbox_cgroup_check(const struct sandbox *s, struct err *e)
{
	if (roots_find(s).memory)
		return true;
	fail(e, E_INPUT, "this machine has no memory cgroup");
	return err_hint(e, "enable the memory controller: nodes without a limit would size themselves by the machine");
}

bool sandbox_cgroup_make(const struct sandbox *s, const struct sandbox_node *n, struct err *e)
{
	struct roots r = roots_find(s);

	for (unsigned i = 0; i < r.n; i++) {
		const char *dir = arena_fmt(s->a, "%s/%s", r.path[i], n->cgroup);
		if (mkdir(dir, 0755) && errno != EEXIST)
			return fail(e, E_FAILED, "could not make cgroup \"%s\": %s", dir, strerror(errno));
	}
	if (!r.memory)
		return sandbox_cgroup_check(s, e);
	/* already on where systemd runs; where it is not, the next write tells */
	if (r.memory_v2)
		knob(arena_fmt(s->a, "%s/cgroup.subtree_control", r.memory), "+memory", NULL);
	return knob(
		arena_fmt(s->a, "%s/%s/%s", r.memory, n->cgroup, r.memory_v2 ? "memory.max" : "memory.limit_in_bytes"),
		arena_fmt(s->a, "%llu", (unsigned long long)s->memory), e);
}

char **sandbox_cgroup_procs(const struct sandbox *s, const struct sandbox_node *n)
{
	struct roots r = roots_find(s);
	char **procs = arena_new_of(s->a, char *, r.n + 1);

	for (unsigned i = 0; i < r.n; i++)
		procs[i] = arena_fmt(s->a, "%s/%s/cgroup.procs", r.path[i], n->cgroup);
	return procs;
}

bool sandbox_cgroup_join(char *const *procs)
{
	for (; *procs; procs++)
		if (!knob(*procs, "0", NULL))
			return false;
	return true;
}

uint64_t sandbox_cgroup_memory(const struct sandbox *s, const struct sandbox_node *n)
{
	struct roots r = roots_find(s);
	struct buf b = BUF(s->a);

	if (!r.memory || !os_read(&b,
				  arena_fmt(s->a, "%s/%s/%s", r.memory, n->cgroup,
					    r.memory_v2 ? "memory.current" : "memory.usage_in_bytes"),
				  0, NULL))
		return 0;
	return strtoull(b.p, NULL, 10);
}

/* which: one cgroup's name, or with a final dot the beginning of the names of all nodes of a sandbox. */
static bool matches(const char *name, const char *which)
{
	size_t len = strlen(which);

	return which[len - 1] == '.' ? !strncmp(name, which, len) : !strcmp(name, which);
}

/* The processes in dir and below it, at most max. */
static unsigned members(struct arena *a, const char *dir, pid_t *pids, unsigned max)
{
	struct buf b = BUF(a);
	unsigned n = 0;
	size_t count;
	char *line, *rest;

	if (os_read(&b, os_join(a, dir, "cgroup.procs"), 0, NULL) && b.len)
		for (line = strtok_r(b.p, "\n", &rest); line && n < max; line = strtok_r(NULL, "\n", &rest))
			if (atoi(line) > 0)
				pids[n++] = (pid_t)atoi(line);
	char **names = sandbox_names(a, dir, &count);
	for (size_t i = 0; i < count && n < max; i++) {
		struct stat st;
		const char *sub = os_join(a, dir, names[i]);
		if (!lstat(sub, &st) && S_ISDIR(st.st_mode))
			n += members(a, sub, pids + n, max - n);
	}
	return n;
}

static unsigned members_all(const struct sandbox *s, const char *which, pid_t *pids, unsigned max)
{
	struct roots r = roots_find(s);
	unsigned n = 0;

	for (unsigned i = 0; i < r.n; i++) {
		size_t count;
		char **names = sandbox_names(s->a, r.path[i], &count);
		for (size_t k = 0; k < count; k++)
			if (matches(names[k], which))
				n += members(s->a, os_join(s->a, r.path[i], names[k]), pids + n, max - n);
	}
	return n;
}

unsigned sandbox_cgroup_count(const struct sandbox *s, const char *which)
{
	pid_t pids[BATCH];

	return members_all(s, which, pids, BATCH);
}

static bool is_member(pid_t pid, const char *which)
{
	char name[64], text[8192], *line, *rest;

	snprintf(name, sizeof name, "/proc/%d/cgroup", (int)pid);
	if (!sandbox_peek(name, text, sizeof text))
		return false;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *path = strchr(line, '/');
		if (!path)
			continue;
		path[1 + strcspn(path + 1, "/")] = 0;
		if (matches(path + 1, which))
			return true;
	}
	return false;
}

/*
 * SIGKILL by pidfd, and only after the process behind the pidfd was seen in a cgroup of ours: a number read from
 * cgroup.procs may have been given to someone else meanwhile. The pidfd, or -1.
 */
static int kill_member(pid_t pid, const char *which)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -1;
	if (is_member(pid, which) && !syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0))
		return fd;
	close(fd);
	return -1;
}

static bool tree_remove(struct arena *a, const char *dir)
{
	size_t count;
	char **names = sandbox_names(a, dir, &count);

	for (size_t i = 0; i < count; i++) {
		struct stat st;
		const char *sub = os_join(a, dir, names[i]);
		if (!lstat(sub, &st) && S_ISDIR(st.st_mode) && !tree_remove(a, sub))
			return false;
	}
	return rmdir(dir) == 0 || errno == ENOENT;
}

static bool remove_all(const struct sandbox *s, const char *which, int64_t until, struct err *e)
{
	struct roots r = roots_find(s);

	for (unsigned i = 0; i < r.n; i++) {
		size_t count;
		char **names = sandbox_names(s->a, r.path[i], &count);
		for (size_t k = 0; k < count; k++) {
			const char *dir = os_join(s->a, r.path[i], names[k]);
			if (!matches(names[k], which))
				continue;
			/* a cgroup stays busy for a moment after its last process was reaped */
			while (!tree_remove(s->a, dir)) {
				if (os_now_ms() > until)
					return fail(e, E_FAILED, "could not remove cgroup \"%s\": %s", dir,
						    strerror(errno));
				poll(NULL, 0, 10);
			}
		}
	}
	return true;
}

bool sandbox_cgroup_kill(const struct sandbox *s, const char *which, bool remove, struct err *e)
{
	int64_t until = os_now_ms() + 15000;
	pid_t pids[BATCH];
	unsigned n;

	while ((n = members_all(s, which, pids, BATCH))) {
		struct pollfd ends[BATCH];
		for (unsigned i = 0; i < n; i++)
			ends[i] = (struct pollfd){.fd = kill_member(pids[i], which), .events = POLLIN};
		for (unsigned i = 0; i < n; i++) {
			if (ends[i].fd < 0)
				continue;
			poll(&ends[i], 1, 1000);
			close(ends[i].fd);
		}
		if (os_now_ms() > until)
			return fail(e, E_TIMEOUT, "process %d of sandbox \"%s\" does not end", (int)pids[0], s->name);
	}
	return !remove || remove_all(s, which, until, e);
}
