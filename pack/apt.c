/*
 * What packages there are and what they need: apt's own answer. It is driven with a state of its own and an empty list
 * of installed packages, so the answer is complete for a machine that has nothing. The sources are this machine's,
 * unless others are given. apt verifies what it fetches; here the chain is followed once more, from the keyrings by gpgv
 * over InRelease to each index, as everything later rests on the digests in them.
 */
#include "pack.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/os.h"

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && !strcmp(s + n - m, tail);
}

/* One program to its end; its output. False and e with what it said when the status is not 0. */
static bool run(struct arena *a, const char *const *argv, int limit_s, struct buf *out, int code, const char *what,
		struct err *e)
{
	static const char *const env[] = { "LC_ALL=C", NULL };
	struct os_cmd c = { .argv = argv, .env = env, .limit_ms = limit_s * 1000 };
	struct buf errs = BUF(a);
	int status = 0;

	if (!os_run(&c, out, &errs, &status, e))
		return err_wrap(e, "%s", what);
	if (!status)
		return true;
	fail(e, code, "%s", what);
	return err_detail(e, "%s", buf_text(&errs)[0] ? buf_text(&errs) : buf_text(out));
}

/* ---- setting up ---- */
static const char config[] =
	"Dir::State \"%s/state\";\nDir::State::status \"%s/status\";\nDir::Cache \"%s/cache\";\n"
	"Dir::Cache::pkgcache \"pkgcache.bin\";\nDir::Cache::srcpkgcache \"srcpkgcache.bin\";\n"
	"APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\n"
	"Acquire::ForceHash \"SHA256\";\nAPT::Install-Recommends \"false\";\nAPT::Install-Suggests \"false\";\n"
	"Acquire::AllowInsecureRepositories \"false\";\nAcquire::AllowDowngradeToInsecureRepositories \"false\";\n"
	"APT::Get::AllowUnauthenticated \"false\";\nAPT::Update::Error-Mode \"any\";\nAcquire::Retries \"2\";\n"
	"#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"
	"#clear APT::Architectures;\nAPT::Architectures { \"%s\"; };\n";

static const char *architecture(struct arena *a, struct err *e)
{
	static const char *const argv[] = { "dpkg", "--print-architecture", NULL };
	struct buf out = BUF(a);

	if (!run(a, argv, 60, &out, E_INPUT, "dpkg does not say this machine's architecture", e))
		return NULL;
	return arena_strn(a, buf_text(&out), strcspn(buf_text(&out), " \n"));
}

static const char *proxy_of(struct arena *a)
{
	static const char *const argv[] = { "apt-config", "shell", "P", "Acquire::http::Proxy", NULL };
	struct buf out = BUF(a);
	const char *p, *end;

	if (!run(a, argv, 60, &out, E_INPUT, "apt-config", NULL) || !(p = strchr(buf_text(&out), '\'')))
		return NULL;
	end = strchr(p + 1, '\'');
	return end && end > p + 1 ? arena_strn(a, p + 1, (size_t)(end - p - 1)) : NULL;
}

bool apt_open(struct apt *t, struct arena *a, const char *dir, const char *sources, struct err *e)
{
	struct buf conf = BUF(a);
	const char *arch = architecture(a, e);

	*t = (struct apt){ .a = a, .dir = dir, .sources = sources, .debs = MAP(a), .names = MAP(a) };
	if (!arch)
		return false;
	t->conf = os_join(a, dir, "apt.conf");
	t->proxy = proxy_of(a);
	buf_fmt(&conf, config, dir, dir, dir, arch);
	if (sources)
		buf_fmt(&conf, "Dir::Etc::sourcelist \"%s/sources.list\";\nDir::Etc::sourceparts \"-\";\n", dir);
	return os_mkdirs(os_join(a, dir, "state/lists/partial"), 0755, e) &&
	       os_mkdirs(os_join(a, dir, "cache/archives/partial"), 0755, e) &&
	       (!sources || os_write(os_join(a, dir, "sources.list"), sources, strlen(sources), 0644, e)) &&
	       os_write(os_join(a, dir, "status"), "", 0, 0644, e) && os_write(t->conf, conf.p, conf.len, 0644, e);
}

/* ---- the keyrings that apt trusts ---- */
static void keyring_add(struct map *rings, const char *path)
{
	if (os_exists(path))
		map_put(rings, path, rings);
}

/* Paths behind "Signed-By:" and "signed-by=". Keys written out in the sources are left to apt. */
static void keyrings_in(struct apt *t, struct map *rings, const char *file)
{
	struct buf b = BUF(t->a);

	if (!os_exists(file) || !os_read(&b, file, 1 << 20, NULL))
		return;
	t->identity = sha_of(t->a, arena_fmt(t->a, "%s%s", t->identity, buf_text(&b)), strlen(t->identity) + b.len);
	for (const char *p = buf_text(&b); (p = strcasestr(p, "signed-by"));) {
		p += 9;
		if (*p != ':' && *p != '=')
			continue;
		for (p++; *p == ' ' || *p == '\t'; p++)
			;
		while (*p == '/') {
			size_t n = strcspn(p, " \t\n,]");
			keyring_add(rings, arena_strn(t->a, p, n));
			p += n;
			p += strspn(p, " ,\t");
		}
	}
}

static void folder_each(struct apt *t, struct map *rings, const char *dir, const char *const *tails,
			void (*fn)(struct apt *, struct map *, const char *))
{
	DIR *d = opendir(dir);

	for (struct dirent *en; d && (en = readdir(d));)
		for (size_t i = 0; tails[i]; i++)
			if (ends_with(en->d_name, tails[i]))
				fn(t, rings, os_join(t->a, dir, en->d_name));
	if (d)
		closedir(d);
}

static void keyring_found(struct apt *t, struct map *rings, const char *path)
{
	(void)t;
	keyring_add(rings, path);
}

static void keyrings(struct apt *t, struct map *rings)
{
	static const char *const sources[] = { ".list", ".sources", NULL }, *const keys[] = { ".gpg", ".asc", NULL };

	if (t->sources) {
		keyrings_in(t, rings, os_join(t->a, t->dir, "sources.list"));
	} else {
		keyrings_in(t, rings, "/etc/apt/sources.list");
		folder_each(t, rings, "/etc/apt/sources.list.d", sources, keyrings_in);
	}
	keyring_add(rings, "/etc/apt/trusted.gpg");
	folder_each(t, rings, "/etc/apt/trusted.gpg.d", keys, keyring_found);
}

/* gpgv reads keyrings in binary alone. */
static const char *binary(struct apt *t, const char *ring, struct err *e)
{
	const char *out = arena_fmt(t->a, "%s/ring-%s.gpg", t->dir, sha_of(t->a, ring, strlen(ring)));
	const char *const argv[] = { "gpg", "--batch", "--yes", "--output", out, "--dearmor", ring, NULL };
	struct buf text = BUF(t->a), said = BUF(t->a);

	if (!os_read(&text, ring, 16 << 20, e))
		return NULL;
	if (!strstr(buf_text(&text), "-----BEGIN PGP PUBLIC KEY BLOCK-----"))
		return ring;
	return run(t->a, argv, 60, &said, E_FAILED, arena_fmt(t->a, "keyring \"%s\" cannot be read", ring), e) ? out : NULL;
}

/* The signed text of a repository's Release, by one of the keyrings at least. */
static bool release_read(struct apt *t, const char *stem, struct map *rings, struct buf *out, struct err *e)
{
	const char *in = arena_fmt(t->a, "%s_InRelease", stem), *plain = arena_fmt(t->a, "%s_Release", stem),
		   *sig = arena_fmt(t->a, "%s_Release.gpg", stem), *text = os_join(t->a, t->dir, "release"),
		   **argv = arena_new_of(t->a, const char *, rings->n * 2 + 12);
	struct os_cmd c = { .argv = argv };
	struct buf said = BUF(t->a), errs = BUF(t->a);
	bool inside = os_exists(in);
	size_t n = 0;
	int status;

	if (!inside && (!os_exists(sig) || !os_exists(plain)))
		return fail(e, E_INPUT, "a source of packages is not signed: %s", os_basename(stem));
	argv[n++] = "gpgv";
	argv[n++] = "--status-fd=1";
	for (uint32_t i = 0; i < rings->n; i++) {
		const char *ring = binary(t, rings->items[i].key, e);
		if (!ring)
			return false;
		argv[n++] = "--keyring";
		argv[n++] = ring;
	}
	if (inside) {
		argv[n++] = "--output";
		argv[n++] = text;
		argv[n++] = in;
		remove(text);
	} else {
		argv[n++] = sig;
		argv[n++] = plain;
	}
	if (!os_run(&c, &said, &errs, &status, e))
		return false;
	/* one good signature is enough: others may be by keys of the next release */
	if (!strstr(buf_text(&said), "[GNUPG:] VALIDSIG ") || strstr(buf_text(&said), "[GNUPG:] BADSIG ")) {
		fail(e, E_INPUT, "the signature of a source of packages is not good: %s", os_basename(stem));
		return err_detail(e, "%s", buf_text(&errs));
	}
	return os_read(out, inside ? text : plain, 64 << 20, e);
}

/* The digest of an index in the SHA256 part of a Release, or NULL. */
static const char *release_digest(struct arena *a, const char *release, const char *name)
{
	const char *p = strstr(release, "\nSHA256:");

	for (p = p ? strchr(p + 1, '\n') : NULL; p && p[1] == ' '; p = strchr(p + 1, '\n')) {
		const char *hash = p + 1 + strspn(p + 1, " "), *size = hash + strcspn(hash, " \n"),
			   *path = size + strspn(size, " ");
		path += strcspn(path, " \n");
		path += strspn(path, " ");
		path += strncmp(path, "./", 2) ? 0 : 2;
		size_t n = strcspn(path, "\n");
		if (n == strlen(name) && !strncmp(path, name, n) && size - hash == SHA_HEX)
			return arena_strn(a, hash, SHA_HEX);
	}
	return NULL;
}

/* ---- indexes ---- */
static const char *targets_text(struct apt *t, struct err *e)
{
	const char *const argv[] = { "apt-get", "-c", t->conf, "indextargets", "--format",
				     "$(FILENAME)|$(METAKEY)|$(URI)", "Created-By: Packages", NULL };
	struct buf out = BUF(t->a);

	return run(t->a, argv, 60, &out, E_INPUT, "apt cannot say what its sources are", e) ? buf_text(&out) : NULL;
}

static bool target_read(struct apt *t, char *line, struct map *rings, struct map *releases, struct err *e)
{
	char *key = strchr(line, '|'), *uri = key ? strchr(key + 1, '|') : NULL;
	struct buf text = BUF(t->a);

	if (!uri)
		return fail(e, E_FAILED, "apt described its sources in a way not known here: %s", line);
	*key++ = 0;
	*uri++ = 0;
	if (strlen(line) < strlen(key) + 1)
		return fail(e, E_FAILED, "apt described its sources in a way not known here: %s", line);
	if (!os_exists(line))
		return true; /* a source without packages for this architecture */
	const char *stem = arena_strn(t->a, line, strlen(line) - strlen(key) - 1);
	struct buf *release = map_get(releases, stem);
	if (!release) {
		release = arena_get(t->a, sizeof *release);
		*release = BUF(t->a);
		if (!release_read(t, stem, rings, release, e))
			return false;
		map_put(releases, stem, release);
	}
	const char *want = release_digest(t->a, buf_text(release), key);
	if (!os_read(&text, line, (size_t)1 << 30, e))
		return false;
	if (!want || strcmp(want, sha_of(t->a, text.p, text.len)) != 0)
		return fail(e, E_INPUT, "the index %s is not the one that was signed", os_basename(line));
	return !text.len || index_read(&t->debs, &t->names, t->a, text.p, e);
}

/* Indexes of other sources, or older than allowed. */
static bool stale(struct apt *t, const char *stamp, int64_t max_age_s)
{
	struct buf b = BUF(t->a);
	struct stat st;

	return stat(stamp, &st) || time(NULL) - st.st_mtime >= max_age_s || !os_read(&b, stamp, 4096, NULL) ||
	       strcmp(buf_text(&b), t->identity) != 0;
}

static bool update(struct apt *t, const char *stamp, struct err *e)
{
	const char *const argv[] = { "apt-get", "-c", t->conf, "-qq", "update", NULL };
	struct buf out = BUF(t->a);

	remove(stamp);
	/* half an hour: a slow line and tens of megabytes of indexes */
	if (run(t->a, argv, 1800, &out, E_CONNECT, "a source of packages cannot be reached, or is not signed as it should be", e))
		return os_write(stamp, t->identity, strlen(t->identity), 0644, e);
	return err_hint(e, "Nothing was built. apt-get update has to work on this machine.");
}

bool apt_indexes(struct apt *t, int64_t max_age_s, struct err *e)
{
	const char *stamp = os_join(t->a, t->dir, "fetched"), *text;
	struct map rings = MAP(t->a), releases = MAP(t->a);
	char *rest, *line;

	t->identity = "";
	keyrings(t, &rings);
	if ((stale(t, stamp, max_age_s) && !update(t, stamp, e)) || !(text = targets_text(t, e)))
		return false;
	if (!*text) {
		fail(e, E_INPUT, t->sources ? "repo_upstream names no source for this system" : "this machine's apt has no sources of packages");
		return err_hint(e, "Packages come from /etc/apt/sources.list and sources.list.d, or from repo_upstream.");
	}
	for (line = strtok_r(arena_str(t->a, text), "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!target_read(t, line, &rings, &releases, e)) {
			remove(stamp);
			return false;
		}
	return true;
}

/* ---- what has to be there ---- */
/* "'URI' name_version_arch.deb size SHA256:..." */
static bool solved_line(struct apt *t, char *line, const char *const *names, size_t n, struct map *out, struct err *e)
{
	char *uri = line + 1, *end = *line == '\'' ? strchr(uri, '\'') : NULL, *file = end ? end + 2 : NULL,
	     *blank = file ? strchr(file, ' ') : NULL, *last = NULL;
	struct buf key = BUF(t->a);

	if (!blank)
		return true; /* a note */
	*end = *blank = 0;
	for (size_t i = 0; i < n; i++) /* a package that came as a file */
		if (names[i][0] == '/' && ends_with(uri, names[i]))
			return true;
	for (char *p = file; *p; p++) {
		if (*p == '_') {
			last = p;
			buf_ch(&key, ' ');
		} else if (!strncmp(p, "%3a", 3)) {
			buf_ch(&key, ':');
			p += 2;
		} else {
			buf_ch(&key, *p);
		}
	}
	char *dot = key.len ? strrchr(key.p, '.') : NULL;
	if (!last || !dot || strcmp(dot, ".deb") != 0)
		return fail(e, E_FAILED, "apt named a package in a way not known here: %s", file);
	*dot = 0;
	struct deb *d = map_get(&t->debs, key.p);
	if (!d)
		return fail(e, E_FAILED, "package \"%s\" is in none of the verified indexes", file);
	d->uri = arena_str(t->a, uri);
	d->name = os_basename(d->file);
	map_put(out, key.p, d);
	return true;
}

static bool solve(struct apt *t, const char *const *names, size_t n, struct map *out, struct err *e)
{
	const char **argv = arena_new_of(t->a, const char *, n + 10);
	struct buf text = BUF(t->a);
	size_t k = 0;
	char *line, *rest;

	argv[k++] = "apt-get";
	argv[k++] = "-c";
	argv[k++] = t->conf;
	argv[k++] = "-qq";
	argv[k++] = "-y";
	argv[k++] = "--print-uris";
	argv[k++] = "install";
	argv[k++] = "--";
	for (size_t i = 0; i < n; i++)
		argv[k++] = names[i];
	if (!run(t->a, argv, 300, &text, E_INPUT, "apt cannot resolve what is asked for", e))
		return false;
	for (line = text.len ? strtok_r(text.p, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
		if (!solved_line(t, line, names, n, out, e))
			return false;
	return true;
}

static int by_name(const void *x, const void *y)
{
	const struct deb *a = *(struct deb *const *)x, *b = *(struct deb *const *)y;

	return strcmp(a->name, b->name);
}

bool apt_solve(struct apt *t, const char *const *names, size_t n, struct deb ***out, size_t *n_out, struct err *e)
{
	struct map found = MAP(t->a);
	struct err together = { 0 };

	/* all at once is what one machine would have; what excludes each other is for different machines */
	if (n && !solve(t, names, n, &found, &together)) {
		if (together.code != E_INPUT) {
			*e = together;
			return false;
		}
		for (size_t i = 0; i < n; i++)
			if (!solve(t, &names[i], 1, &found, e))
				return err_wrap(e, "package \"%s\"", names[i]);
	}
	*n_out = found.n;
	*out = arena_new_of(t->a, struct deb *, found.n + 1);
	for (uint32_t i = 0; i < found.n; i++)
		(*out)[i] = found.items[i].val;
	qsort(*out, *n_out, sizeof **out, by_name);
	return true;
}
