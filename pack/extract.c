/*
 * A bundle onto disk: written and verified in a folder beside its place, on the same file system, then moved there by
 * name. Until the last byte was verified nothing stands where it would be used.
 */
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/os.h"

static int gone(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) && errno != ENOENT;
}

/* The first parts of all paths, each once: what is moved. */
static size_t tops(struct arena *a, const struct manifest *m, const char ***out)
{
	struct map seen = MAP(a);
	size_t n = 0;

	*out = arena_new_of(a, const char *, m->n + 1);
	for (size_t i = 0; i < m->n; i++) {
		const char *top = arena_strn(a, m->files[i].path, strcspn(m->files[i].path, "/"));
		if (!map_has(&seen, top))
			(*out)[n++] = top;
		map_put(&seen, top, &seen);
	}
	return n;
}

static bool moved(struct arena *a, const char *from, const char *to, struct err *e)
{
	(void)a;
	if (!rename(from, to))
		return true;
	fail(e, E_FAILED, "\"%s\" cannot be put in place", to);
	return err_detail(e, "%s", strerror(errno));
}

static bool place(struct archive_look *l, struct arena *a, const char *work, const char *dir, bool replace, struct err *e)
{
	const char **names, *old = os_join(a, work, ".old");
	size_t n = tops(a, &l->m, &names);

	for (size_t i = 0; i < n; i++)
		if (!replace && os_exists(os_join(a, dir, names[i]))) {
			fail(e, E_INPUT, "\"%s\" is there already", os_join(a, dir, names[i]));
			return err_hint(e, "--replace puts the bundle's in its place.");
		}
	if (!os_mkdirs(old, 0700, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *to = os_join(a, dir, names[i]);
		if ((os_exists(to) && !moved(a, to, os_join(a, old, names[i]), e)) ||
		    !moved(a, os_join(a, work, names[i]), to, e))
			return false;
	}
	return true;
}

/* The file is as large as what it holds, so that says how much room it takes. */
static bool room(const char *dir, int fd, struct err *e)
{
	struct statvfs v;
	struct stat st;

	if (fstatvfs(fd, &v) || fstat(fd, &st) || statvfs(dir, &v))
		return true;
	unsigned long long have = (unsigned long long)v.f_bavail * v.f_frsize, want = (unsigned long long)st.st_size;
	if (have > want)
		return true;
	fail(e, E_FAILED, "no space for the bundle in \"%s\": %llu MB are free, %llu MB are needed", dir, have / 1000000,
	     want / 1000000 + 1);
	return err_hint(e, "Make room there, or name another folder with -C.");
}

bool archive_extract(struct archive_look *l, struct arena *a, const char *file, const char *dir, bool replace,
		     struct err *e)
{
	char *work = arena_fmt(a, "%s/.pig-extract-XXXXXX", dir);
	autofd int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0) {
		fail(e, E_INPUT, "bundle \"%s\" cannot be read", file);
		return err_detail(e, "%s", strerror(errno));
	}
	if (!os_mkdirs(dir, 0755, e) || !room(dir, fd, e))
		return false;
	if (!mkdtemp(work)) {
		fail(e, E_FAILED, "folder \"%s\" cannot be written to", dir);
		return err_detail(e, "%s", strerror(errno));
	}
	l->into = work;
	ok = archive_read(l, a, fd, file, e) && place(l, a, work, dir, replace, e);
	nftw(work, gone, 16, FTW_DEPTH | FTW_PHYS);
	return ok;
}
