/* Names, files and locks of a sandbox. Its folder is the claim on its name: no folder, nothing of ours. */
#include "cli/sandbox_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void sandbox_put(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

bool sandbox_peek(const char *path, char *out, size_t size)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = 0;
	return n > 0;
}

struct sandbox_node sandbox_node_at(const struct sandbox *s, unsigned i)
{
	struct sandbox_node n = {.index = i};

	n.name = i ? arena_fmt(s->a, "node-%u", i) : "meta";
	n.address = arena_fmt(s->a, "10.10.10.%u", 10 + i);
	n.dir = arena_fmt(s->a, "%s/nodes/%s", s->dir, n.name);
	n.root = arena_fmt(s->a, "%s/root", n.dir);
	n.machine = arena_fmt(s->a, "%s-%s", s->name, n.name);
	n.cgroup = arena_fmt(s->a, SB_PREFIX "%s.%s", s->name, n.name);
	n.pid_file = arena_fmt(s->a, "%s/pid", n.dir);
	n.log = arena_fmt(s->a, "%s/console.log", n.dir);
	return n;
}

bool sandbox_node_find(const struct sandbox *s, const char *name, struct sandbox_node *out, struct err *e)
{
	for (unsigned i = 0; i < s->nodes; i++) {
		*out = sandbox_node_at(s, i);
		if (!strcmp(name, out->name) || !strcmp(name, out->address))
			return true;
	}
	fail(e, E_INPUT, "sandbox \"%s\" has no node \"%s\"", s->name, name);
	if (s->nodes == 1)
		return err_hint(e, "its only node is meta");
	return err_hint(e, "its nodes are meta and node-1 to node-%u", s->nodes - 1);
}

/* A lock file that its holder removed meanwhile guards nothing any more. */
static bool is_linked(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

bool sandbox_lock(struct sandbox *s, const char *what, int *fd, struct err *e)
{
	const char *path = sandbox_lock_file(s, what);
	int64_t until = os_now_ms() + 600000;
	bool said = false;

	if (!os_mkdirs(os_dirname(s->a, path), 0755, e))
		return false;
	for (;;) {
		*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (*fd < 0)
			return fail(e, E_INPUT, "could not open \"%s\": %s", path, strerror(errno));
		if (!flock(*fd, LOCK_EX | LOCK_NB) && is_linked(*fd))
			return true;
		close(*fd);
		*fd = -1;
		if (os_now_ms() > until)
			return fail(e, E_TIMEOUT, "another command still works on \"%s\"", what);
		if (!said)
			sandbox_put("waiting for another command that works on %s\n", what);
		said = true;
		poll(NULL, 0, 50);
	}
}

const char *sandbox_lock_file(const struct sandbox *s, const char *what)
{
	return arena_fmt(s->a, "%s/locks/%s", s->state, what);
}

bool sandbox_save(const struct sandbox *s, struct err *e)
{
	struct buf b = BUF(s->a);

	buf_fmt(&b, "nodes=%u\nimage=%s\nrootfs=%s\nmemory=%llu\n", s->nodes, s->image, s->rootfs,
		(unsigned long long)s->memory);
	for (unsigned i = 0; i < s->nbinds; i++)
		buf_fmt(&b, "bind=%s\n", s->binds[i]);
	return os_write(os_join(s->a, s->dir, "config"), b.p, b.len, 0644, e);
}

bool sandbox_complete(const struct sandbox *s)
{
	return os_exists(os_join(s->a, s->dir, "complete"));
}

static void config_line(struct sandbox *s, const char *key, const char *value)
{
	if (!strcmp(key, "nodes"))
		s->nodes = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "image"))
		s->image = value;
	else if (!strcmp(key, "rootfs"))
		s->rootfs = value;
	else if (!strcmp(key, "memory"))
		s->memory = strtoull(value, NULL, 10);
	else if (!strcmp(key, "bind") && s->nbinds < SB_BINDS_MAX)
		s->binds[s->nbinds++] = value;
}

bool sandbox_load(struct sandbox *s, struct err *e)
{
	struct buf b = BUF(s->a);
	char *line, *rest;

	if (!os_exists(s->dir)) {
		fail(e, E_INPUT, "there is no sandbox \"%s\"", s->name);
		return err_hint(e, "start one: pig sandbox up --name %s", s->name);
	}
	if (!sandbox_complete(s) || !os_read(&b, os_join(s->a, s->dir, "config"), 0, NULL)) {
		fail(e, E_INPUT, "sandbox \"%s\" was not started to the end", s->name);
		return err_hint(e, "pig sandbox up --name %s starts it afresh, pig sandbox down --name %s removes it",
				s->name, s->name);
	}
	s->nbinds = 0;
	for (line = strtok_r(b.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *eq = strchr(line, '=');
		if (!eq)
			continue;
		*eq = 0;
		config_line(s, line, eq + 1);
	}
	if (!s->nodes || s->nodes > SB_NODES_MAX || !s->rootfs)
		return fail(e, E_INPUT, "\"%s/config\" cannot be understood", s->dir);
	return true;
}

bool sandbox_run(const struct sandbox *s, struct buf *out, struct err *e, ...)
{
	const char *argv[64];
	struct buf drop = BUF(s->a), errs = BUF(s->a), line = BUF(s->a);
	size_t n = 0;
	int status = 0;
	va_list ap;

	va_start(ap, e);
	while (n < 63 && (argv[n] = va_arg(ap, const char *)))
		n++;
	argv[n] = NULL;
	va_end(ap);
	struct os_cmd c = {.argv = argv};
	if (!os_run(&c, out ? out : &drop, &errs, &status, e))
		return false;
	if (!status)
		return true;
	for (size_t i = 0; i < n; i++)
		buf_fmt(&line, "%s%s", i ? " " : "", argv[i]);
	fail(e, E_FAILED, "command failed with status %d: %s", status, buf_text(&line));
	return err_detail(e, "%s", buf_text(&errs));
}

char **sandbox_names(struct arena *a, const char *dir, size_t *n)
{
	size_t cap = 16;
	char **names = arena_new_of(a, char *, cap);
	struct dirent *d;
	DIR *f = opendir(dir);

	*n = 0;
	while (f && (d = readdir(f))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (*n == cap) {
			char **more = arena_new_of(a, char *, cap * 2);
			memcpy(more, names, cap * sizeof *names);
			names = more;
			cap *= 2;
		}
		names[(*n)++] = arena_str(a, d->d_name);
	}
	if (f)
		closedir(f);
	return names;
}
