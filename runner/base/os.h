/* The control host's files, processes and clock. */
#ifndef BASE_OS_H
#define BASE_OS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Close on leaving scope: `autofd int fd = open(...)`. */
void os_autoclose(int *fd);
#define autofd __attribute__((cleanup(os_autoclose)))

/* Whole file into a buf; at most max bytes (0: 64 MiB), more is an error. */
bool os_read(struct buf *out, const char *path, size_t max, struct err *e);
/* Temp file in the same folder with its final mode, fsync, rename. Never a half-written file. */
bool os_write(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
bool os_mkdirs(const char *path, mode_t mode, struct err *e);
bool os_exists(const char *path);
/* Monotonic milliseconds. */
int64_t os_now_ms(void);
/* Folder part ("." when none) and base name. */
const char *os_dirname(struct arena *a, const char *path);
const char *os_basename(const char *path);
/* dir/name; name alone when it is absolute. */
const char *os_join(struct arena *a, const char *dir, const char *name);
/* n random bytes as 2n hex digits. */
const char *os_random_hex(struct arena *a, size_t n);

struct os_cmd {
	const char *const *argv; /* NULL ended; argv[0] is looked up in PATH */
	const char *in;          /* standard input; NULL: /dev/null */
	size_t in_len;
	const char *cwd;
	const char *const *env;  /* NULL: inherited; else NULL ended K=V, added to the inherited ones */
	int limit_ms;            /* 0: 60 s. Then the process group is killed and the result is E_TIMEOUT */
	bool merge;              /* stderr into out */
};
/* Run to the end, capturing. false only when it could not be run or timed out; *status is the exit status (128+signal). */
bool os_run(const struct os_cmd *c, struct buf *out, struct buf *errs, int *status, struct err *e);

#endif
