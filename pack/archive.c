/*
 * Bundles as bytes. Writing: libarchive's ustar in gzip's frame, all times that of the newest package, no names of
 * users, so that the same packages give the same bytes. Reading: zlib checks the frame (and says when there is more in
 * it than can be), libarchive takes the tar apart, and each member has to be the next one of the signed manifest: a
 * plain file of that name, size and digest. Nothing else has a way in.
 */
#include "pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/os.h"

enum { BLOCK = 1 << 17, HEAD_MOST = 1 << 20 };

/* ---- writing ---- */
static bool written(struct archive *w, int code, const char *path, struct err *e)
{
	if (code >= ARCHIVE_WARN)
		return true;
	fail(e, E_FAILED, "bundle \"%s\" cannot be written", path);
	return err_detail(e, "%s", archive_error_string(w) ? archive_error_string(w) : "unknown cause");
}

static bool member_data(struct archive *w, const struct member *m, const char *path, struct err *e)
{
	static char block[BLOCK];
	size_t done = 0;
	ssize_t n = 1;

	if (!m->file)
		return !m->len || archive_write_data(w, m->text, m->len) == (la_ssize_t)m->len || written(w, ARCHIVE_FATAL, path, e);
	autofd int fd = open(m->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail(e, E_FAILED, "file \"%s\" cannot be read", m->file);
		return err_detail(e, "%s", strerror(errno));
	}
	while (done < m->len && (n = read(fd, block, sizeof block)) > 0) {
		if (archive_write_data(w, block, (size_t)n) != n)
			return written(w, ARCHIVE_FATAL, path, e);
		done += (size_t)n;
	}
	return done == m->len || fail(e, E_FAILED, "file \"%s\" changed while it was packed", m->file);
}

static bool member_write(struct archive *w, const struct member *m, int64_t time, const char *path, struct err *e)
{
	struct archive_entry *en = archive_entry_new();
	bool ok;

	archive_entry_set_pathname(en, m->path);
	archive_entry_set_size(en, (la_int64_t)m->len);
	archive_entry_set_filetype(en, AE_IFREG);
	archive_entry_set_perm(en, m->exec ? 0755 : 0644);
	archive_entry_set_mtime(en, time, 0);
	ok = written(w, archive_write_header(w, en), path, e) && member_data(w, m, path, e);
	archive_entry_free(en);
	return ok;
}

/* What is packed is compressed already: it is stored, not compressed again. */
bool archive_write(const char *path, const struct member *members, size_t n, int64_t time, struct err *e)
{
	struct arena *a = arena_new();
	struct archive *w = archive_write_new();
	const char *part = arena_fmt(a, "%s.part", path);
	bool ok = written(w, archive_write_add_filter_gzip(w), path, e) &&
		  written(w, archive_write_set_filter_option(w, "gzip", "timestamp", NULL), path, e) &&
		  written(w, archive_write_set_filter_option(w, "gzip", "compression-level", "0"), path, e) &&
		  written(w, archive_write_set_format_ustar(w), path, e) && os_mkdirs(os_dirname(a, path), 0755, e) &&
		  written(w, archive_write_open_filename(w, part), path, e);

	for (size_t i = 0; ok && i < n; i++)
		ok = member_write(w, &members[i], time, path, e);
	if (ok)
		ok = written(w, archive_write_close(w), path, e);
	archive_write_free(w);
	if (ok && rename(part, path)) {
		ok = fail(e, E_FAILED, "bundle \"%s\" cannot be written", path);
		err_detail(e, "%s", strerror(errno));
	}
	if (!ok)
		unlink(part);
	arena_free(a);
	return ok;
}

/* ---- the stream below the tar ---- */
struct source {
	int fd;              /* -1: plain memory, as the fuzzer has it */
	const char *mem;
	size_t mem_len;
	z_stream z;
	bool open, ended;    /* zlib's state; the frame's end was seen and was right */
	int64_t out, most;   /* bytes handed out, and how many there may be */
	size_t last;         /* bytes of the last block handed out */
	const char *why;     /* what was wrong with the frame */
	unsigned char in[BLOCK];
	char block[BLOCK];
};

/* The frame's head as it is written here: no name, no time, made on Unix. */
static bool frame_begin(struct source *s)
{
	static const unsigned char head[8] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0 };
	ssize_t n = 0, k;

	while (n < 10 && (k = read(s->fd, s->in + n, sizeof s->in - (size_t)n)) > 0)
		n += k;
	if (n < 10 || memcmp(s->in, head, sizeof head) != 0 || s->in[9] != 3) {
		s->why = "it does not begin as one does";
		return false;
	}
	s->open = inflateInit2(&s->z, 15 + 16) == Z_OK;
	s->z.next_in = s->in;
	s->z.avail_in = (unsigned)n;
	return s->open;
}

/* More of the tar, or 0 at the end of a good frame, or -1. */
static ssize_t source_more(struct source *s)
{
	s->z.next_out = (unsigned char *)s->block;
	s->z.avail_out = sizeof s->block;
	while (!s->ended && s->z.avail_out) {
		if (!s->z.avail_in) {
			ssize_t n = read(s->fd, s->in, sizeof s->in);
			if (n <= 0) {
				s->why = n ? strerror(errno) : "it is cut short";
				return -1;
			}
			s->z.next_in = s->in;
			s->z.avail_in = (unsigned)n;
		}
		int code = inflate(&s->z, Z_NO_FLUSH);
		if (code != Z_OK && code != Z_STREAM_END) {
			s->why = "its compressed bytes are not what was written";
			return -1;
		}
		s->ended = code == Z_STREAM_END;
	}
	return (ssize_t)(sizeof s->block - s->z.avail_out);
}

static la_ssize_t source_read(struct archive *r, void *ctx, const void **out)
{
	struct source *s = ctx;
	ssize_t n;

	if (s->fd < 0) {
		*out = s->mem;
		n = (ssize_t)s->mem_len;
		s->mem_len = 0;
		s->ended = true;
	} else {
		*out = s->block;
		n = s->open || frame_begin(s) ? source_more(s) : -1;
	}
	s->last = n > 0 ? (size_t)n : s->last;
	s->out += n > 0 ? n : 0;
	if (n >= 0 && s->out > s->most) {
		s->why = "it holds more than its manifest says";
		n = -1;
	}
	if (n < 0)
		archive_set_error(r, EIO, "%s", s->why ? s->why : "it cannot be read");
	return n;
}

/* Behind the tar's end come zeros to the end of its last block, and nothing behind the frame. */
static bool source_end(struct source *s, struct archive *r, struct err *e)
{
	int64_t rest = s->out - archive_filter_bytes(r, 0); /* read ahead, and not looked at */
	const void *p;
	la_ssize_t n;
	char more;

	for (size_t i = 0; s->fd >= 0 && i < s->last && (int64_t)i < rest; i++)
		if (s->block[s->last - 1 - i])
			return fail(e, E_INPUT, "something stands behind its end");
	while (s->fd >= 0 && (n = source_read(r, s, &p)) != 0) {
		if (n < 0)
			return fail(e, E_INPUT, "it is no whole bundle: %s", s->why);
		for (la_ssize_t i = 0; i < n; i++)
			if (((const char *)p)[i])
				return fail(e, E_INPUT, "something stands behind its end");
	}
	if (s->fd >= 0 && (s->z.avail_in || read(s->fd, &more, 1) != 0))
		return fail(e, E_INPUT, "something stands behind its end");
	return true;
}

/* ---- reading ---- */
struct look {
	struct archive_look *l;
	struct arena *a;
	struct archive *r;
	struct source *s;
	struct err *e;
	int into; /* folder, or -1 */
};

/* The next member, a plain file of at most `most` bytes; false with e when it is anything else. *en NULL: the end. */
static bool member_next(struct look *k, struct archive_entry **en, int64_t most)
{
	int code = archive_read_next_header(k->r, en);

	if (code == ARCHIVE_EOF) {
		*en = NULL;
		return true;
	}
	if (code != ARCHIVE_OK) {
		fail(k->e, E_INPUT, "it is no whole bundle");
		return err_detail(k->e, "%s", archive_error_string(k->r) ? archive_error_string(k->r) : "not a tar");
	}
	const char *path = archive_entry_pathname(*en);
	if (!path || !path_sound(path))
		return fail(k->e, E_INPUT, "it has a member at a path that a bundle may not have: \"%s\"", path ? path : "?");
	if (archive_entry_hardlink(*en) || archive_entry_symlink(*en))
		return fail(k->e, E_INPUT, "its member \"%s\" is a link", path);
	if (archive_entry_filetype(*en) != AE_IFREG)
		return fail(k->e, E_INPUT, "its member \"%s\" is no plain file", path);
	if (archive_entry_perm(*en) & 07000)
		return fail(k->e, E_INPUT, "its member \"%s\" is setuid, setgid or sticky", path);
	if (archive_entry_sparse_count(*en))
		return fail(k->e, E_INPUT, "its member \"%s\" has holes", path);
	if (!archive_entry_size_is_set(*en) || archive_entry_size(*en) < 0 || archive_entry_size(*en) > most)
		return fail(k->e, E_INPUT, "its member \"%s\" is larger than it may be", path);
	return true;
}

/* All bytes of a small member. */
static bool member_text(struct look *k, const char *name, size_t most, struct buf *out)
{
	struct archive_entry *en;

	if (!member_next(k, &en, (int64_t)most))
		return false;
	if (!en || strcmp(archive_entry_pathname(en), name) != 0)
		return fail(k->e, E_INPUT, "it does not begin with its manifest and signature");
	size_t want = (size_t)archive_entry_size(en);
	char *p = buf_room(out, want + 1);
	la_ssize_t n = archive_read_data(k->r, p, want);
	if (n < 0 || (size_t)n != want) {
		fail(k->e, E_INPUT, "it is no whole bundle");
		return err_detail(k->e, "%s", k->s->why ? k->s->why : "it is cut short");
	}
	p[want] = 0;
	out->len += want;
	return true;
}

static int member_open(struct look *k, const struct packed *f)
{
	for (const char *slash = strchr(f->path, '/'); slash; slash = strchr(slash + 1, '/'))
		if (mkdirat(k->into, arena_strn(k->a, f->path, (size_t)(slash - f->path)), 0755) && errno != EEXIST)
			return -1;
	return openat(k->into, f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, f->exec ? 0755 : 0644);
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool member_take(struct look *k, const struct packed *f)
{
	static _Thread_local char block[BLOCK];
	struct sha *sha = sha_new(k->a);
	autofd int fd = k->into >= 0 ? member_open(k, f) : -1;
	int64_t done = 0;
	la_ssize_t n;

	while ((n = archive_read_data(k->r, block, sizeof block)) > 0) {
		done += n;
		if (done > f->size)
			return fail(k->e, E_INPUT, "its member \"%s\" is larger than it may be", f->path);
		sha_add(sha, block, (size_t)n);
		if (k->into >= 0 && (fd < 0 || !write_all(fd, block, (size_t)n))) {
			fail(k->e, E_FAILED, "\"%s\" cannot be written to \"%s\"", f->path, k->l->into);
			return err_detail(k->e, "%s", strerror(errno));
		}
	}
	if (n < 0) {
		fail(k->e, E_INPUT, "it is no whole bundle: \"%s\" cannot be read", f->path);
		return err_detail(k->e, "%s", k->s->why ? k->s->why : archive_error_string(k->r));
	}
	if (k->into >= 0 && fd < 0)
		return fail(k->e, E_FAILED, "\"%s\" cannot be written to \"%s\"", f->path, k->l->into);
	if (done != f->size || strcmp(sha_hex(sha, k->a), f->sha256) != 0)
		return fail(k->e, E_INPUT, "its member \"%s\" is not what was packed", f->path);
	return true;
}

static bool members_take(struct look *k)
{
	const struct manifest *m = &k->l->m;

	for (size_t i = 0; i < m->n; i++) {
		struct archive_entry *en;
		if (!member_next(k, &en, SIZE_MOST))
			return false;
		const char *path = en ? archive_entry_pathname(en) : NULL;
		if (path && !map_has(&m->by_path, path))
			return fail(k->e, E_INPUT, "its member \"%s\" is not in its manifest", path);
		if (!path || strcmp(path, m->files[i].path) != 0)
			return fail(k->e, E_INPUT, "\"%s\" is missing, or not in its place", m->files[i].path);
		if (archive_entry_size(en) > m->files[i].size)
			return fail(k->e, E_INPUT, "its member \"%s\" is larger than it may be", path);
		if (archive_entry_size(en) != m->files[i].size || !!(archive_entry_perm(en) & 0100) != m->files[i].exec)
			return fail(k->e, E_INPUT, "its member \"%s\" is not what was packed", path);
		if (!member_take(k, &m->files[i]))
			return false;
	}
	struct archive_entry *en;
	if (!member_next(k, &en, INT64_MAX))
		return false;
	return !en || fail(k->e, E_INPUT, "its member \"%s\" is not in its manifest", archive_entry_pathname(en));
}

/* Manifest and signature first: until the signature is known to be good, nothing else is looked at. */
static bool look_at(struct look *k)
{
	struct archive_look *l = k->l;
	struct buf text = BUF(k->a), sig = BUF(k->a);

	if (!member_text(k, "manifest", MANIFEST_MOST, &text) || !member_text(k, "manifest.sig", SIG_BYTES, &sig))
		return false;
	if (sig.len != SIG_BYTES)
		return fail(k->e, E_INPUT, "its signature is none");
	if (!sign_good(k->a, text.p, text.len, (const unsigned char *)sig.p, l->keys, l->n_keys, &l->by, k->e) ||
	    !manifest_read(&l->m, k->a, text.p, text.len, k->e))
		return false;
	k->s->most += l->m.total + (int64_t)l->m.n * 2048;
	return members_take(k) && source_end(k->s, k->r, k->e);
}

static bool look_in(struct archive_look *l, struct arena *a, struct source *s, struct err *e)
{
	struct look k = { .l = l, .a = a, .r = archive_read_new(), .s = s, .e = e, .into = -1 };
	bool ok = true;

	s->most = 2 * HEAD_MOST + MANIFEST_MOST; /* until the manifest says how much there is */
	if (l->into) {
		k.into = open(l->into, O_PATH | O_DIRECTORY | O_CLOEXEC);
		ok = k.into >= 0 || fail(e, E_FAILED, "folder \"%s\" cannot be opened", l->into);
	}
	archive_read_support_format_tar(k.r);
	if (ok && archive_read_open(k.r, s, NULL, source_read, NULL) != ARCHIVE_OK) {
		fail(e, E_INPUT, "it is no bundle");
		ok = err_detail(e, "%s", s->why ? s->why : archive_error_string(k.r));
	}
	ok = ok && look_at(&k);
	archive_read_free(k.r);
	if (s->open)
		inflateEnd(&s->z);
	if (k.into >= 0)
		close(k.into);
	return ok;
}

bool archive_read_memory(struct archive_look *l, struct arena *a, const void *p, size_t n, struct err *e)
{
	struct source *s = arena_get(a, sizeof *s);

	s->fd = -1;
	s->mem = p;
	s->mem_len = n;
	return look_in(l, a, s, e);
}

bool archive_read(struct archive_look *l, struct arena *a, int fd, const char *name, struct err *e)
{
	struct source *s = arena_get(a, sizeof *s);

	s->fd = fd;
	return look_in(l, a, s, e) || err_wrap(e, "bundle \"%s\"", name);
}
