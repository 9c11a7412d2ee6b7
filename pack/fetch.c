/*
 * Downloads: eight at once by libcurl, each into NAME.part, resumed from there after an interruption, renamed when its
 * size and digest are right. A file whose digest is wrong after a resumption is fetched once more from its beginning.
 */
#include "pack.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/os.h"

enum { AT_ONCE = 8, CONNECT_S = 10, STALL_S = 30, TELL_MS = 2000 };

struct job {
	struct fetch *f;
	CURL *curl;
	int fd;
	int64_t from, got; /* resumed at; bytes of this go */
	bool again;        /* the second go, from the beginning */
	char why[CURL_ERROR_SIZE];
};

struct crew {
	struct arena *a;
	struct err *e;
	CURLM *multi;
	const char *proxy;
	struct job jobs[AT_ONCE];
	struct fetch *list;
	size_t n, missing, next, done;
	int64_t bytes, total, told_at, began;
	bool tty;
};

static size_t on_data(char *p, size_t one, size_t n, void *ctx)
{
	struct job *j = ctx;
	size_t len = one * n;

	j->got += (int64_t)len;
	if (j->f->size >= 0 && j->from + j->got > j->f->size) {
		snprintf(j->why, sizeof j->why, "it is larger than its index says");
		return 0;
	}
	if (write(j->fd, p, len) == (ssize_t)len)
		return len;
	snprintf(j->why, sizeof j->why, "%s", strerror(errno));
	return 0;
}

static const char *part_of(struct crew *c, const struct fetch *f)
{
	return arena_fmt(c->a, "%s.part", f->path);
}

/* "file:/x" is apt's way to write it */
static const char *uri_of(struct crew *c, const struct fetch *f)
{
	if (!strncmp(f->uri, "file:/", 6) && strncmp(f->uri, "file://", 7) != 0)
		return arena_fmt(c->a, "file://%s", f->uri + 5);
	if (!strncmp(f->uri, "copy:/", 6))
		return arena_fmt(c->a, "file://%s", f->uri + 5);
	return f->uri;
}

static bool job_start(struct crew *c, struct job *j)
{
	struct stat st;
	const char *part = part_of(c, j->f);

	j->fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (j->again ? O_TRUNC : 0), 0644);
	if (j->fd < 0 || fstat(j->fd, &st)) {
		fail(c->e, E_FAILED, "\"%s\" cannot be written", part);
		return err_detail(c->e, "%s", strerror(errno));
	}
	if (j->f->size >= 0 && st.st_size > j->f->size && !ftruncate(j->fd, 0))
		st.st_size = 0;
	j->from = st.st_size;
	j->got = 0;
	j->why[0] = 0;
	j->curl = curl_easy_init();
	curl_easy_setopt(j->curl, CURLOPT_URL, uri_of(c, j->f));
	curl_easy_setopt(j->curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(j->curl, CURLOPT_WRITEDATA, j);
	curl_easy_setopt(j->curl, CURLOPT_PRIVATE, j);
	curl_easy_setopt(j->curl, CURLOPT_ERRORBUFFER, j->why);
	curl_easy_setopt(j->curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(j->curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(j->curl, CURLOPT_MAXREDIRS, 5L);
	curl_easy_setopt(j->curl, CURLOPT_PROTOCOLS_STR, "http,https,ftp,file");
	curl_easy_setopt(j->curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(j->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(j->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(j->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(j->curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(j->curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)j->from);
	if (c->proxy)
		curl_easy_setopt(j->curl, CURLOPT_PROXY, c->proxy);
	return curl_multi_add_handle(c->multi, j->curl) == CURLM_OK || fail(c->e, E_FAILED, "libcurl takes no more downloads");
}

static void job_end(struct crew *c, struct job *j)
{
	if (j->curl) {
		curl_multi_remove_handle(c->multi, j->curl);
		curl_easy_cleanup(j->curl);
	}
	if (j->fd >= 0)
		close(j->fd);
	j->curl = NULL;
	j->fd = -1;
}

/* ---- what is here ---- */
static bool is_right(const struct fetch *f, const char *path)
{
	struct arena *a = arena_new();
	int64_t size = 0;
	const char *sha = sha_file(a, path, &size, NULL);
	bool right = sha && (f->size < 0 || size == f->size) && (!f->sha256 || !strcmp(sha, f->sha256));

	arena_free(a);
	return right;
}

/* True: it is finished, or goes on as another job; false and e: it failed for good. */
static bool job_finish(struct crew *c, struct job *j, CURLcode code)
{
	struct fetch *f = j->f;
	const char *part = part_of(c, f);
	bool resumed = j->from > 0, whole = code == CURLE_OK;
	long answer = 0;
	char why[CURL_ERROR_SIZE];

	curl_easy_getinfo(j->curl, CURLINFO_RESPONSE_CODE, &answer);
	snprintf(why, sizeof why, "%s", j->why[0] ? j->why : curl_easy_strerror(code));
	/* 416: the part was whole already */
	whole = whole || (resumed && answer == 416);
	job_end(c, j);
	if (whole && is_right(f, part)) {
		if (rename(part, f->path)) {
			fail(c->e, E_FAILED, "\"%s\" cannot be written", f->path);
			return err_detail(c->e, "%s", strerror(errno));
		}
		c->done++;
		return true;
	}
	if ((whole || code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME) && resumed && !j->again) {
		j->again = true;
		return job_start(c, j);
	}
	if (whole) {
		unlink(part);
		fail(c->e, E_INPUT, "%s is not what its index says: size or SHA-256 differ", os_basename(f->uri));
		return err_hint(c->e, "A proxy or mirror may be at fault; nothing was built.");
	}
	bool gone = answer == 404 || answer == 403 || code == CURLE_FILE_COULDNT_READ_FILE;
	fail(c->e, gone ? E_INPUT : E_CONNECT, gone ? "%s is no longer where its index says" : "%s could not be fetched",
	     os_basename(f->uri));
	err_detail(c->e, "%s", why);
	return err_hint(c->e, gone ? "Build with --refresh: the indexes are older than the repository."
				   : "Build again when the repository answers: what is here already is kept.");
}

/* ---- progress ---- */
static void tell(struct crew *c, bool last)
{
	int64_t now = os_now_ms(), bytes = c->bytes;

	for (size_t i = 0; i < AT_ONCE; i++)
		if (c->jobs[i].curl)
			bytes += c->jobs[i].from + c->jobs[i].got;
	if (!last && now - c->told_at < (c->tty ? 200 : TELL_MS))
		return;
	c->told_at = now;
	double s = (double)(now - c->began) / 1000;
	printf("%s  %zu of %zu files, %lld of %lld MB, %.1f MB/s%s", c->tty ? "\r" : "", c->done, c->missing,
	       (long long)(bytes / 1000000), (long long)(c->total / 1000000), s > 0 ? (double)bytes / 1e6 / s : 0.0,
	       c->tty && !last ? "   " : "\n");
	fflush(stdout);
}

static bool room(struct crew *c, const char *dir)
{
	struct statvfs v;

	if (statvfs(dir, &v))
		return true;
	long long have = (long long)v.f_bavail * (long long)v.f_frsize;
	if (have > c->total)
		return true;
	fail(c->e, E_FAILED, "no space in \"%s\": %lld MB are free, %lld MB are needed", dir, have / 1000000,
	     (long long)c->total / 1000000 + 1);
	return err_hint(c->e, "Name another folder with --cache.");
}

/* Free places get the next files. */
static bool feed(struct crew *c)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct job *j = &c->jobs[i];
		while (!j->curl && c->next < c->n) {
			struct fetch *f = &c->list[c->next++];
			if (f->done)
				continue;
			*j = (struct job){ .f = f, .fd = -1 };
			if (!job_start(c, j))
				return false;
		}
	}
	return true;
}

static bool turn(struct crew *c)
{
	int running, left;
	CURLMsg *m;

	if (curl_multi_perform(c->multi, &running) != CURLM_OK)
		return fail(c->e, E_FAILED, "libcurl failed");
	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct job *j;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&j);
		int64_t size = j->from + j->got;
		if (!job_finish(c, j, code))
			return false;
		c->bytes += j->curl ? 0 : size;
	}
	tell(c, false);
	return feed(c);
}

static bool busy(const struct crew *c)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (c->jobs[i].curl)
			return true;
	return false;
}

bool fetch_all(struct fetch *list, size_t n, const char *proxy, struct arena *a, struct err *e)
{
	struct crew c = { .a = a, .e = e, .list = list, .n = n, .proxy = proxy, .tty = isatty(1), .began = os_now_ms() };
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		list[i].done = os_exists(list[i].path) && is_right(&list[i], list[i].path);
		c.missing += !list[i].done;
		c.total += list[i].done || list[i].size < 0 ? 0 : list[i].size;
	}
	if (!c.missing)
		return true;
	printf("fetching %zu of %zu files, %lld MB\n", c.missing, n, (long long)(c.total / 1000000));
	if (!os_mkdirs(os_dirname(a, list[0].path), 0755, e) || !room(&c, os_dirname(a, list[0].path)))
		return false;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	c.multi = curl_multi_init();
	for (size_t i = 0; i < AT_ONCE; i++)
		c.jobs[i].fd = -1;
	c.told_at = c.began;
	for (ok = feed(&c); ok && busy(&c); ok = turn(&c))
		curl_multi_poll(c.multi, NULL, 0, 200, NULL);
	tell(&c, true);
	for (size_t i = 0; i < AT_ONCE; i++)
		job_end(&c, &c.jobs[i]);
	curl_multi_cleanup(c.multi);
	return ok;
}
