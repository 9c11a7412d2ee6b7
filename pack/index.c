/*
 * The index of the bundle's own repository: Packages (plain, gzip, xz) from the stanzas that were signed upstream,
 * Release over them, signed by gpg with the repository's OpenPGP key. All of it is the same for the same packages: the
 * times are those of the newest package, and EdDSA signatures have no chance in them.
 */
#include "pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/os.h"

/* ---- packages that come as files ---- */
static bool run(struct arena *a, const char *const *argv, const char *in, size_t in_len, struct buf *out, const char *what,
		struct err *e)
{
	struct os_cmd c = { .argv = argv, .in = in, .in_len = in_len };
	struct buf errs = BUF(a);
	int status = 0;

	if (!os_run(&c, out, &errs, &status, e))
		return err_wrap(e, "%s", what);
	if (!status)
		return true;
	fail(e, E_FAILED, "%s", what);
	return err_detail(e, "%s", buf_text(&errs));
}

/* The time in the head of an archive's first member: of the package, not of its file. */
int64_t deb_time(const char *path)
{
	char head[36] = { 0 };
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, head, 35) != 35 || memcmp(head, "!<arch>\n", 8) != 0)
		return 0;
	return strtoll(head + 24, NULL, 10);
}

bool deb_open(struct deb *d, struct arena *a, const char *path, struct err *e)
{
	const char *const argv[] = { "dpkg-deb", "--field", path, NULL };
	struct buf text = BUF(a);

	*d = (struct deb){ .path = path, .name = os_basename(path) };
	if (!run(a, argv, NULL, 0, &text, arena_fmt(a, "\"%s\" is no package", path), e))
		return false;
	d->sha256 = sha_file(a, path, &d->size, e);
	d->package = field_of(a, buf_text(&text), "Package");
	d->version = field_of(a, buf_text(&text), "Version");
	d->arch = field_of(a, buf_text(&text), "Architecture");
	if (!d->sha256)
		return false;
	if (!d->package || !d->version || !d->arch)
		return fail(e, E_INPUT, "\"%s\" is no package", path);
	d->stanza = arena_fmt(a, "%sSize: %lld\nSHA256: %s\n", buf_text(&text), (long long)d->size, d->sha256);
	return true;
}

/* ---- Packages ---- */
static void stanza_add(struct buf *b, const struct deb *d)
{
	bool skip = false;

	for (const char *p = d->stanza; *p;) {
		size_t n = strcspn(p, "\n");
		if (*p != ' ' && *p != '\t')
			skip = !strncmp(p, "Filename:", 9);
		if (!skip && n) {
			buf_add(b, p, n);
			buf_ch(b, '\n');
		}
		p += n + (p[n] == '\n');
	}
	buf_fmt(b, "Filename: ./%s\n\n", d->name);
}

/* One text in a compressor's frame. */
static bool compressed(const char *path, int filter, const struct buf *text, struct err *e)
{
	struct archive *w = archive_write_new();
	struct archive_entry *en = archive_entry_new();
	bool ok;

	archive_write_add_filter(w, filter);
	archive_write_set_filter_option(w, "gzip", "timestamp", NULL);
	archive_write_set_format_raw(w);
	archive_entry_set_filetype(en, AE_IFREG);
	ok = archive_write_open_filename(w, path) == ARCHIVE_OK && archive_write_header(w, en) == ARCHIVE_OK &&
	     archive_write_data(w, text->p, text->len) == (la_ssize_t)text->len && archive_write_close(w) == ARCHIVE_OK;
	if (!ok) {
		fail(e, E_FAILED, "\"%s\" cannot be written", path);
		err_detail(e, "%s", archive_error_string(w));
	}
	archive_entry_free(en);
	archive_write_free(w);
	return ok;
}

/* ---- the OpenPGP key, kept as texts; gpg's home is made in memory and goes when it is done ---- */
struct gpg {
	struct arena *a;
	char *home;
};

static bool gpg_begin(struct gpg *g, struct arena *a, struct err *e)
{
	g->a = a;
	g->home = arena_fmt(a, "%s/pig-gpg-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(g->home) || fail(e, E_FAILED, "no folder for gpg could be made");
}

static bool gpg(struct gpg *g, int64_t time, const char *const *words, const char *in, size_t in_len, struct buf *out,
		const char *what, struct err *e)
{
	const char *argv[32] = { "gpg", "--homedir", g->home, "--batch", "--yes", "--no-tty", "--quiet", "--pinentry-mode",
				 "loopback", "--passphrase", "", "--ignore-time-conflict", "--faked-system-time",
				 arena_fmt(g->a, "%lld!", (long long)time) };
	size_t n = 14;

	for (size_t i = 0; words[i] && n < 31; i++)
		argv[n++] = words[i];
	return run(g->a, argv, in, in_len, out, what, e);
}

static void gpg_end(struct gpg *g)
{
	const char *const stop[] = { "gpgconf", "--homedir", g->home, "--kill", "all", NULL },
		   *const away[] = { "rm", "-rf", "--", g->home, NULL };
	struct buf out = BUF(g->a);

	run(g->a, stop, NULL, 0, &out, "gpgconf", NULL);
	run(g->a, away, NULL, 0, &out, "rm", NULL);
}

/* Signatures carry the time of the newest package, so the key has to be older than any. */
static const int64_t KEY_TIME = 1262304000; /* 2010-01-01 */

static bool key_make(struct repo *r, struct gpg *g, const char *sec, const char *pub, struct err *e)
{
	const char *const make[] = { "--quick-gen-key", arena_fmt(g->a, "pig repo %s", r->name), "ed25519", "sign", "never", NULL },
		   *const secret[] = { "--armor", "--export-secret-keys", NULL }, *const public[] = { "--export", NULL };
	struct buf said = BUF(g->a), text = BUF(g->a), ring = BUF(g->a);

	return gpg(g, KEY_TIME, make, NULL, 0, &said, "gpg cannot make the repository's key", e) &&
	       gpg(g, KEY_TIME, secret, NULL, 0, &text, "gpg cannot give the repository's key", e) &&
	       gpg(g, KEY_TIME, public, NULL, 0, &ring, "gpg cannot give the repository's key", e) &&
	       os_mkdirs(os_dirname(g->a, sec), 0700, e) && os_write(sec, text.p, text.len, 0600, e) &&
	       os_write(pub, ring.p, ring.len, 0644, e);
}

static bool sign(struct repo *r, struct gpg *g, struct err *e)
{
	const char *sec = arena_fmt(g->a, "%s.sec", r->keys), *pub = arena_fmt(g->a, "%s.gpg", r->keys),
		   *release = os_join(g->a, r->dir, "Release");
	const char *const import[] = { "--import", NULL },
		   *const clear[] = { "--digest-algo", "SHA512", "--output", os_join(g->a, r->dir, "InRelease"),
				      "--clearsign", release, NULL };
	struct buf text = BUF(g->a), ring = BUF(g->a), said = BUF(g->a);

	if (!os_exists(sec)) {
		if (!key_make(r, g, sec, pub, e))
			return false;
	} else if (!os_read(&text, sec, 1 << 20, e) ||
		   !gpg(g, r->time, import, text.p, text.len, &said, "gpg does not take the repository's key", e)) {
		return false;
	}
	return os_read(&ring, pub, 1 << 20, e) &&
	       os_write(arena_fmt(g->a, "%s/%s.gpg", r->dir, r->name), ring.p, ring.len, 0644, e) &&
	       gpg(g, r->time, clear, NULL, 0, &said, "gpg cannot sign the repository", e);
}

/* ---- Release ---- */
static bool release_write(struct repo *r, struct arena *a, struct err *e)
{
	static const char *const files[] = { "Packages", "Packages.gz", "Packages.xz" };
	time_t t = (time_t)r->time;
	struct buf b = BUF(a);
	struct tm tm;
	char date[64];

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S UTC", gmtime_r(&t, &tm));
	buf_fmt(&b, "Origin: pig\nLabel: %s\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: %s\nSHA256:\n", r->name,
		r->codename, r->codename, date, r->arch);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int64_t size;
		const char *sha = sha_file(a, os_join(a, r->dir, files[i]), &size, e);
		if (!sha)
			return false;
		buf_fmt(&b, " %s %lld %s\n", sha, (long long)size, files[i]);
	}
	return os_write(os_join(a, r->dir, "Release"), b.p, b.len, 0644, e);
}

bool repo_index(struct repo *r, struct arena *a, struct err *e)
{
	struct buf text = BUF(a);
	struct gpg g;

	for (size_t i = 0; i < r->n; i++)
		stanza_add(&text, r->debs[i]);
	if (!os_write(os_join(a, r->dir, "Packages"), text.p, text.len, 0644, e) ||
	    !compressed(os_join(a, r->dir, "Packages.gz"), ARCHIVE_FILTER_GZIP, &text, e) ||
	    !compressed(os_join(a, r->dir, "Packages.xz"), ARCHIVE_FILTER_XZ, &text, e) || !release_write(r, a, e) ||
	    !gpg_begin(&g, a, e))
		return false;
	bool ok = sign(r, &g, e);
	gpg_end(&g);
	if (!ok)
		return false;
	const char *done = arena_fmt(a, "%s packages %zu\n", sha_of(a, text.p, text.len), r->n);
	return os_write(os_join(a, r->dir, "repo_complete"), done, strlen(done), 0644, e);
}
