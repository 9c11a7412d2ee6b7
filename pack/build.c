/*
 * Building a bundle: what is asked for, by the indexes of the sources; what that needs, by apt; all of it here, checked;
 * the repository's index; manifest, signature, archive. The order is by what costs least to be wrong about.
 */
#include "pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/os.h"

extern const unsigned char bootstrap_sh[];
extern const unsigned long bootstrap_sh_len;

struct builder {
	struct arena *a;
	struct err *e;
	const struct value *job;
	const char *cache, *out, *name, *keys, *os, *work;
	struct apt apt;
	struct cli_names { const char **items; size_t n; } names; /* packages to be resolved */
	struct deb **debs;
	size_t n;
	int64_t time;
};

static const char *text_of(const struct value *v, const char *key, const char *dflt)
{
	return value_cstr(value_get(v, key), dflt);
}

/* ---- what is asked for ---- */
/* The names of one alternative, "b + c"; false when the sources do not have them all. */
static bool alternative(struct builder *b, const char *s, size_t n, const char **out, size_t *n_out)
{
	*n_out = 0;
	for (size_t i = 0; i < n;) {
		size_t k = strcspn(s + i, " +|");
		if (i + k > n)
			k = n - i;
		if (k) {
			const char *name = arena_strn(b->a, s + i, k);
			if (!map_has(&b->apt.names, name))
				return false;
			out[(*n_out)++] = name;
		}
		i += k + 1;
	}
	return *n_out > 0;
}

/* The first alternative of "a | b + c" that is whole. */
static bool choose(struct builder *b, const char *text)
{
	const char **names = arena_new_of(b->a, const char *, strlen(text) / 2 + 2);
	size_t n;

	for (const char *p = text;; p++) {
		size_t len = strcspn(p, "|");
		if (alternative(b, p, len, names, &n)) {
			for (size_t i = 0; i < n; i++)
				b->names.items[b->names.n++] = names[i];
			return true;
		}
		p += len;
		if (!*p)
			return false;
	}
}

static size_t words_in(const char *s)
{
	size_t n = 1;

	for (; *s; s++)
		n += *s == ' ' || *s == '|' || *s == '+';
	return n;
}

static const char *near_name(struct builder *b, const char *name)
{
	const char **all = arena_new_of(b->a, const char *, b->apt.names.n);

	for (uint32_t i = 0; i < b->apt.names.n; i++)
		all[i] = b->apt.names.items[i].key;
	return nearest(name, all, b->apt.names.n);
}

/* Every one that is missing is told, with what was tried, before anything is fetched. */
static bool wants_resolve(struct builder *b)
{
	const struct value *wants = value_get(b->job, "want");
	struct buf missing = BUF(b->a);
	size_t n_missing = 0, cap = 0;

	for (size_t i = 0; i < value_len(wants); i++)
		cap += words_in(text_of(value_at(wants, i), "packages", ""));
	b->names.items = arena_new_of(b->a, const char *, cap + value_len(value_get(b->job, "debs")) + 1);
	for (size_t i = 0; i < value_len(wants); i++) {
		const struct value *w = value_at(wants, i);
		const char *name = text_of(w, "name", "?"), *text = text_of(w, "packages", name);
		if (choose(b, text))
			continue;
		const char *from = strcmp(name, text) ? arena_fmt(b->a, "%s: %s", name, text) : name;
		if (!value_truth(value_get(w, "required")) || value_truth(value_get(b->job, "allow_missing"))) {
			printf("no package  %s\n", from);
			continue;
		}
		const char *near = strpbrk(text, " |+") ? NULL : near_name(b, text);
		buf_fmt(&missing, "%s%s%s%s", n_missing ? "\n" : "", from, near ? "; near to it: " : "", near ? near : "");
		n_missing++;
	}
	if (!n_missing)
		return true;
	fail(b->e, E_INPUT, n_missing == 1 ? "a package is in none of the sources" : "%zu packages are in none of the sources", n_missing);
	err_detail(b->e, "%s", buf_text(&missing));
	return err_hint(b->e, "Take it out of the list, add a source that has it, or say --allow-missing.");
}

/* ---- getting it ---- */
static bool debs_fetch(struct builder *b)
{
	const struct value *urls = value_get(b->job, "urls");
	size_t n_urls = value_len(urls);
	struct fetch *list = arena_new_of(b->a, struct fetch, b->n + n_urls + 1);

	for (size_t i = 0; i < b->n; i++) {
		struct deb *d = b->debs[i];
		d->path = arena_fmt(b->a, "%s/files/%s.deb", b->cache, d->sha256);
		list[i] = (struct fetch){ .uri = d->uri, .path = d->path, .sha256 = d->sha256, .size = d->size };
	}
	for (size_t i = 0; i < n_urls; i++) {
		const struct value *u = value_at(urls, i);
		const char *uri = text_of(u, "url", "");
		list[b->n + i] = (struct fetch){ .uri = uri, .size = -1, .sha256 = text_of(u, "sha256", NULL),
						 .path = arena_fmt(b->a, "%s/files/%s.url", b->cache, sha_of(b->a, uri, strlen(uri))) };
	}
	return fetch_all(list, b->n + n_urls, b->apt.proxy, b->a, b->e);
}

static int by_name(const void *x, const void *y)
{
	return strcmp((*(struct deb *const *)x)->name, (*(struct deb *const *)y)->name);
}

/* Packages that come as files stand beside the others; of one name the file leads. */
static bool debs_join(struct builder *b)
{
	const struct value *files = value_get(b->job, "debs");
	struct deb **all = arena_new_of(b->a, struct deb *, b->n + value_len(files) + 1);
	size_t n = 0;

	for (size_t i = 0; i < value_len(files); i++) {
		struct deb *d = arena_get(b->a, sizeof *d);
		if (!deb_open(d, b->a, value_cstr(value_at(files, i), ""), b->e))
			return false;
		all[n++] = d;
	}
	size_t n_files = n;
	for (size_t i = 0; i < b->n; i++) {
		bool over = false;
		for (size_t k = 0; k < n_files; k++)
			over |= !strcmp(all[k]->package, b->debs[i]->package) || !strcmp(all[k]->name, b->debs[i]->name);
		if (!over)
			all[n++] = b->debs[i];
	}
	qsort(all, n, sizeof *all, by_name);
	b->debs = all;
	b->n = n;
	for (size_t i = 0; i < n; i++) {
		int64_t t = deb_time(all[i]->path);
		b->time = t > b->time ? t : b->time;
		if (i && !strcmp(all[i]->name, all[i - 1]->name))
			return fail(b->e, E_FAILED, "two packages have the file name \"%s\"", all[i]->name);
	}
	return true;
}

/* ---- putting it together ---- */
struct members {
	struct member *items;
	struct manifest m;
};

static bool member_add(struct builder *b, struct members *to, const char *path, const char *file, const char *text,
		       size_t len, bool exec)
{
	struct packed *f = &to->m.files[to->m.n];
	int64_t size = (int64_t)len;

	if (!path_sound(path))
		return fail(b->e, E_INPUT, "a file may not be called \"%s\" in a bundle", path);
	f->path = path;
	f->exec = exec;
	f->sha256 = file ? sha_file(b->a, file, &size, b->e) : sha_of(b->a, text, len);
	f->size = size;
	if (!f->sha256)
		return false;
	to->items[2 + to->m.n++] = (struct member){ .path = path, .file = file, .text = text, .len = (size_t)size, .exec = exec };
	return true;
}

static bool repo_members(struct builder *b, struct members *to)
{
	const char *const names[] = { "InRelease", "Packages", "Packages.gz", "Packages.xz", "Release",
				      arena_fmt(b->a, "%s.gpg", b->name), "repo_complete" };
	const struct value *urls = value_get(b->job, "urls"), *extra = value_get(b->job, "extra");
	bool ok = true;

	for (size_t i = 0; ok && i < b->n; i++)
		ok = member_add(b, to, arena_fmt(b->a, "%s/%s", b->name, b->debs[i]->name), b->debs[i]->path, NULL, 0, false);
	for (size_t i = 0; ok && i < value_len(urls); i++) {
		const char *uri = text_of(value_at(urls, i), "url", "");
		ok = member_add(b, to, arena_fmt(b->a, "%s/%s", b->name, text_of(value_at(urls, i), "name", os_basename(uri))),
				arena_fmt(b->a, "%s/files/%s.url", b->cache, sha_of(b->a, uri, strlen(uri))), NULL, 0, false);
	}
	for (size_t i = 0; ok && i < value_len(extra); i++) {
		const char *file = value_cstr(value_at(extra, i), "");
		ok = member_add(b, to, arena_fmt(b->a, "%s/%s", b->name, os_basename(file)), file, NULL, 0, access(file, X_OK) == 0);
	}
	for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++)
		ok = member_add(b, to, arena_fmt(b->a, "%s/%s", b->name, names[i]), os_join(b->a, b->work, names[i]), NULL, 0, false);
	return ok;
}

static bool pack(struct builder *b, const char *arch)
{
	size_t cap = b->n + value_len(value_get(b->job, "urls")) + value_len(value_get(b->job, "extra")) + 16;
	struct members m = { .items = arena_new_of(b->a, struct member, cap + 2) };
	const char *key = arena_fmt(b->a, "%s/bundle", b->keys), *pub = arena_fmt(b->a, "%s.pub", key);
	unsigned char *sig = arena_get(b->a, SIG_BYTES);
	struct manifest again;
	struct buf pem = BUF(b->a);
	bool made;

	m.m = (struct manifest){ .name = b->name, .os = b->os, .arch = arch, .time = b->time,
				 .files = arena_new_of(b->a, struct packed, cap) };
	if (!sign_key(key, &made, b->e) || !os_read(&pem, pub, 1 << 16, b->e) ||
	    !member_add(b, &m, "bootstrap", NULL, (const char *)bootstrap_sh, bootstrap_sh_len, true) ||
	    !member_add(b, &m, "bundle.pub", NULL, pem.p, pem.len, false) || !repo_members(b, &m))
		return false;
	const char *text = manifest_text(b->a, &m.m);
	/* what is signed has to be what a reader takes */
	if (!manifest_read(&again, b->a, text, strlen(text), b->e) ||
	    !sign_text(b->a, arena_fmt(b->a, "%s.key", key), text, strlen(text), sig, b->e))
		return false;
	m.items[0] = (struct member){ .path = "manifest", .text = text, .len = strlen(text) };
	m.items[1] = (struct member){ .path = "manifest.sig", .text = (const char *)sig, .len = SIG_BYTES };
	if (!archive_write(b->out, m.items, m.m.n + 2, b->time, b->e))
		return false;
	const char *print = sign_print(b->a, buf_text(&pem), b->e);
	printf("%s: %zu packages for %s, %lld MB, signed by %s\n", b->out, b->n, b->os, (long long)again.total / 1000000,
	       print ? print : "?");
	return true;
}

/* One build at a time in a cache. */
static bool lock(struct builder *b, int *fd)
{
	if (!os_mkdirs(b->cache, 0755, b->e))
		return false;
	*fd = open(os_join(b->a, b->cache, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*fd >= 0 && !flock(*fd, LOCK_EX | LOCK_NB))
		return true;
	fail(b->e, E_INPUT, "another build is at work in \"%s\"", b->cache);
	return err_hint(b->e, "Wait for it, or name another folder with --cache.");
}

static bool solve(struct builder *b)
{
	const struct value *files = value_get(b->job, "debs");

	for (size_t i = 0; i < value_len(files); i++) /* a path with a slash is a package to apt */
		b->names.items[b->names.n++] = value_cstr(value_at(files, i), "");
	return apt_solve(&b->apt, b->names.items, b->names.n, &b->debs, &b->n, b->e);
}

bool build(const struct value *job, struct arena *a, struct err *e)
{
	struct builder b = { .a = a, .e = e, .job = job, .cache = text_of(job, "cache", "."), .out = text_of(job, "out", "pkg.tgz"),
			     .name = text_of(job, "name", "pigsty"), .keys = text_of(job, "keys", "."), .os = text_of(job, "os", "") };
	const char *const arch_of[] = { "dpkg", "--print-architecture", NULL };
	struct os_cmd ask = { .argv = arch_of };
	struct buf said = BUF(a);
	autofd int fd = -1;
	int status;

	b.work = os_join(a, b.cache, "repo");
	if (!os_run(&ask, &said, NULL, &status, e))
		return false;
	const char *arch = arena_strn(a, buf_text(&said), strcspn(buf_text(&said), "\n"));
	if (!lock(&b, &fd) || !os_mkdirs(b.work, 0755, e) ||
	    !apt_open(&b.apt, a, os_join(a, b.cache, "apt"), text_of(job, "sources", NULL), e) ||
	    !apt_indexes(&b.apt, value_num(value_get(job, "max_age"), 86400), e) || !wants_resolve(&b) || !solve(&b) ||
	    !debs_fetch(&b) || !debs_join(&b))
		return false;
	struct repo r = { .dir = b.work, .name = b.name, .keys = os_join(a, b.keys, b.name), .arch = arch, .os = b.os,
			  .codename = text_of(job, "codename", "stable"), .debs = b.debs, .n = b.n, .time = b.time };
	return repo_index(&r, a, e) && pack(&b, arch);
}
