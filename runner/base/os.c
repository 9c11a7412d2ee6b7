/* Files and clock of the control host. Writes are whole or not at all. Processes are in spawn.c. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void os_autoclose(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

bool os_read(struct buf *out, const char *path, size_t max, struct err *e)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fail(e, E_INPUT, "could not read \"%s\": %s", path, strerror(errno));
	if (!max)
		max = (size_t)64 << 20;
	if (!fstat(fd, &st) && st.st_size > 0 && (size_t)st.st_size <= max)
		buf_room(out, (size_t)st.st_size + 65536); /* at once: what it outgrows stays in the arena */
	for (;;) {
		ssize_t n = read(fd, buf_room(out, 65536), 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, E_INPUT, "could not read \"%s\": %s", path, strerror(errno));
		out->len += (size_t)n;
		out->p[out->len] = 0;
		if (!n)
			return true;
		if (out->len > max)
			return fail(e, E_INPUT, "\"%s\" is larger than %zu bytes", path, max);
	}
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

bool os_write(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	struct arena *a = arena_new();
	const char *dir = os_dirname(a, path);
	char *tmp = arena_fmt(a, "%s/.%s.XXXXXX", dir, os_basename(path));
	int fd = mkostemp(tmp, O_CLOEXEC);
	bool ok = false;

	if (fd < 0) {
		fail(e, E_INPUT, "could not write \"%s\": %s", path, strerror(errno));
	} else if (!write_all(fd, p, n) || fchmod(fd, mode) || fsync(fd) || rename(tmp, path)) {
		fail(e, E_INPUT, "could not write \"%s\": %s", path, strerror(errno));
		unlink(tmp);
	} else {
		ok = true;
	}
	if (fd >= 0)
		close(fd);
	if (ok) {
		autofd int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (d >= 0)
			fsync(d);
	}
	arena_free(a);
	return ok;
}

bool os_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char part[4096];
	size_t n = strlen(path);

	if (n >= sizeof part)
		return fail(e, E_INPUT, "path is too long: \"%s\"", path);
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] && part[i] != '/')
			continue;
		char keep = part[i];
		part[i] = 0;
		if (mkdir(part, mode) && errno != EEXIST)
			return fail(e, E_INPUT, "could not make folder \"%s\": %s", part, strerror(errno));
		part[i] = keep;
	}
	return true;
}

bool os_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int64_t os_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *os_dirname(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_strn(a, path, (size_t)(slash - path));
}

const char *os_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *os_join(struct arena *a, const char *dir, const char *name)
{
	if (name[0] == '/' || !dir[0] || !strcmp(dir, "."))
		return arena_str(a, name);
	return arena_fmt(a, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

const char *os_random_hex(struct arena *a, size_t n)
{
	unsigned char raw[64];
	struct buf b = BUF(a);

	for (size_t done = 0; done < n;) {
		size_t part = n - done > sizeof raw ? sizeof raw : n - done;
		if (getrandom(raw, part, 0) != (ssize_t)part)
			bug("getrandom failed: %s", strerror(errno));
		for (size_t i = 0; i < part; i++)
			buf_fmt(&b, "%02x", raw[i]);
		done += part;
	}
	return buf_text(&b);
}
