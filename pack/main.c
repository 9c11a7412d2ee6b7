/*
 * pig-pack: the program behind `pig repo`, not meant to be typed. The job comes as JSON on standard input.
 *
 *	pig-pack build           {"out", "cache", "keys", "name", "os", "want": [{"name", "packages", "required"}], ...}
 *	pig-pack verify          {"file", "keys": [PEM, ...]}
 *	pig-pack extract         {"file", "keys", "into", "replace"}
 */
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/os.h"

static bool job_read(struct value **out, struct arena *a, struct err *e)
{
	struct buf b = BUF(a);
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf_room(&b, 65536), 65536)) > 0) {
		b.len += (size_t)n;
		if (b.len > (size_t)64 << 20)
			return fail(e, E_INPUT, "the job is too large");
	}
	return value_from_json(out, a, "job", buf_text(&b), b.len, e);
}

/* What reads bytes of strangers gets bounded memory. */
static void bound(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rlimit most = { (rlim_t)1 << 30, (rlim_t)1 << 30 };

	setrlimit(RLIMIT_AS, &most);
#endif
}

static bool look(const struct value *job, bool extract, struct arena *a, struct err *e)
{
	const struct value *given = value_get(job, "keys");
	const char *file = value_cstr(value_get(job, "file"), ""), *into = value_cstr(value_get(job, "into"), ".");
	const char **keys = arena_new_of(a, const char *, value_len(given) + 1);
	struct archive_look l = { .keys = keys, .n_keys = value_len(given) };
	autofd int fd = extract ? -1 : open(file, O_RDONLY | O_CLOEXEC);

	bound();
	for (size_t i = 0; i < l.n_keys; i++)
		keys[i] = value_cstr(value_at(given, i), "");
	if (extract) {
		if (!archive_extract(&l, a, file, into, value_truth(value_get(job, "replace")), e))
			return false;
	} else if (fd < 0) {
		fail(e, E_INPUT, "bundle \"%s\" cannot be read", file);
		return err_detail(e, "%s", strerror(errno));
	} else if (!archive_read(&l, a, fd, file, e)) {
		return false;
	}
	const char *print = sign_print(a, keys[l.by], e);
	printf("%s: good, %zu files, %lld MB, %s for %s %s, signed by %s\n", file, l.m.n, (long long)l.m.total / 1000000,
	       l.m.name, l.m.os, l.m.arch, print ? print : "?");
	return true;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct err e = { 0 };
	struct value *job = NULL;
	const char *what = argc == 2 ? argv[1] : "";
	bool ok = false;

	signal(SIGPIPE, SIG_IGN);
	if (!job_read(&job, a, &e))
		;
	else if (!strcmp(what, "build"))
		ok = build(job, a, &e);
	else if (!strcmp(what, "verify") || !strcmp(what, "extract"))
		ok = look(job, *what == 'e', a, &e);
	else
		fail(&e, E_INPUT, "pig-pack is called by pig repo");
	if (!ok) {
		fflush(stdout);
		fprintf(stderr, "pig: %s\n", err_text(&e, a));
	}
	int status = ok ? 0 : e.code;
	arena_free(a);
	return status;
}
