/*
 * The manifest: what is in a bundle, a line each. Strict: a line that is not exactly as written here is an error, as its
 * bytes are what is signed.
 *
 *	pig-bundle 1
 *	name pigsty
 *	os debian12 amd64
 *	time 1764150000
 *	file <sha256> <size> <-|x> <path>
 */
#include "pack.h"

#include <ctype.h>
#include <string.h>

bool path_sound(const char *path)
{
	size_t n = strlen(path);

	if (!n || n > PATH_MOST || path[n - 1] == '/')
		return false;
	for (const char *p = path; *p;) {
		size_t part = strcspn(p, "/");
		if (!part || (part == 1 && *p == '.') || (part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		for (size_t i = 0; i < part; i++)
			if (!isalnum((unsigned char)p[i]) && !strchr("._-+~:%@=,", p[i]))
				return false;
		p += part + (p[part] == '/');
	}
	return true;
}

struct reader {
	struct arena *a;
	const char *p, *end;
	unsigned line;
	struct err *e;
};

static bool line_bad(struct reader *r, const char *why)
{
	fail(r->e, E_INPUT, "its manifest is not one: %s", why);
	return err_at(r->e, "manifest", r->line, 0);
}

/* The next line without its end; every line has one. */
static const char *line_next(struct reader *r)
{
	const char *end = r->p < r->end ? memchr(r->p, '\n', (size_t)(r->end - r->p)) : NULL, *s;

	if (!end || memchr(r->p, 0, (size_t)(end - r->p)))
		return NULL;
	r->line++;
	s = arena_strn(r->a, r->p, (size_t)(end - r->p));
	r->p = end + 1;
	return s;
}

/* Decimal without sign, leading zeros or blanks. */
static bool number_read(int64_t *out, const char *s, size_t n)
{
	int64_t v = 0;

	if (!n || n > 18 || (s[0] == '0' && n > 1))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		v = v * 10 + (s[i] - '0');
	}
	*out = v;
	return true;
}

static bool word_sound(const char *s)
{
	return *s && strlen(s) < 64 && path_sound(s) && !strchr(s, '/');
}

static bool head_read(struct manifest *m, struct reader *r)
{
	const char *first = line_next(r), *name = first ? line_next(r) : NULL, *os = name ? line_next(r) : NULL,
		   *time = os ? line_next(r) : NULL, *blank;

	if (!first || strcmp(first, "pig-bundle 1") != 0)
		return line_bad(r, "it does not begin with \"pig-bundle 1\"");
	if (!time || strncmp(name, "name ", 5) != 0 || !word_sound(name + 5))
		return line_bad(r, "no name");
	if (strncmp(os, "os ", 3) != 0 || !(blank = strchr(os + 3, ' ')) || !word_sound(blank + 1))
		return line_bad(r, "no operating system");
	m->name = name + 5;
	m->os = arena_strn(r->a, os + 3, (size_t)(blank - os - 3));
	m->arch = blank + 1;
	if (!word_sound(m->os))
		return line_bad(r, "no operating system");
	if (strncmp(time, "time ", 5) != 0 || !number_read(&m->time, time + 5, strlen(time + 5)))
		return line_bad(r, "no time");
	return true;
}

static bool file_read(struct packed *f, struct reader *r, const char *s)
{
	const char *size = s + 5 + SHA_HEX + 1, *blank;

	if (strlen(s) < 5 + SHA_HEX + 6 || strncmp(s, "file ", 5) != 0 || s[5 + SHA_HEX] != ' ' ||
	    strspn(s + 5, "0123456789abcdef") != SHA_HEX)
		return line_bad(r, "no file's line");
	blank = strchr(size, ' ');
	if (!blank || !number_read(&f->size, size, (size_t)(blank - size)))
		return line_bad(r, "no size");
	if ((blank[1] != '-' && blank[1] != 'x') || blank[2] != ' ')
		return line_bad(r, "no mode");
	f->sha256 = arena_strn(r->a, s + 5, SHA_HEX);
	f->exec = blank[1] == 'x';
	f->path = blank + 3;
	return path_sound(f->path) || line_bad(r, "a path that a bundle may not have");
}

/* No file may stand where another has a folder. */
static bool folders_free(const struct manifest *m, struct arena *a, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		if (map_has(&m->by_path, arena_strn(a, path, (size_t)(slash - path))))
			return false;
	return true;
}

bool manifest_read(struct manifest *m, struct arena *a, const char *text, size_t len, struct err *e)
{
	struct reader r = { .a = a, .p = text, .end = text + len, .e = e };
	size_t cap = 0;

	*m = (struct manifest){ .by_path = MAP(a) };
	if (!head_read(m, &r))
		return false;
	for (const char *p = r.p; p < r.end; p++)
		cap += *p == '\n';
	if (!cap || cap > FILES_MOST)
		return line_bad(&r, cap ? "too many files" : "no files");
	m->files = arena_new_of(a, struct packed, cap);
	while (r.p < r.end) {
		struct packed *f = &m->files[m->n];
		const char *s = line_next(&r);
		if (!s || !file_read(f, &r, s))
			return s ? false : line_bad(&r, "its last line has no end");
		if (map_has(&m->by_path, f->path))
			return line_bad(&r, "a path that is there twice");
		if (!strcmp(f->path, "manifest") || !strcmp(f->path, "manifest.sig"))
			return line_bad(&r, "it lists itself");
		if (m->total > SIZE_MOST - f->size)
			return line_bad(&r, "its files are too large together");
		m->total += f->size;
		map_put(&m->by_path, f->path, f);
		m->n++;
	}
	for (size_t i = 0; i < m->n; i++)
		if (!folders_free(m, a, m->files[i].path))
			return line_bad(&r, "a file where another has its folder");
	return true;
}

const char *manifest_text(struct arena *a, const struct manifest *m)
{
	struct buf b = BUF(a);

	buf_fmt(&b, "pig-bundle 1\nname %s\nos %s %s\ntime %lld\n", m->name, m->os, m->arch, (long long)m->time);
	for (size_t i = 0; i < m->n; i++)
		buf_fmt(&b, "file %s %lld %c %s\n", m->files[i].sha256, (long long)m->files[i].size,
			m->files[i].exec ? 'x' : '-', m->files[i].path);
	return buf_text(&b);
}
