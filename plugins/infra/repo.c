/*
 * pig repo: the offline bundle. What is to be in it comes from the inventory and the tables of aliases; resolving,
 * downloads, signatures and archives are pig-pack's, which is given one job as JSON.
 */
#include "verbs.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"

const struct pig_option repo_options[10] = {
	{ .name = "output", .letter = 'o', .arg = "FILE", .text = "build: the bundle, pkg.tgz if not given" },
	{ .name = "directory", .letter = 'C', .arg = "DIR", .text = "extract: where to, . if not given" },
	{ .name = "key", .arg = "FILE", .text = "verify, extract: a public key that may have signed", .many = 1 },
	{ .name = "replace", .text = "extract: in place of what is there" },
	{ .name = "package", .letter = 'p', .arg = "NAMES", .text = "build: these besides; may be repeated", .many = 1 },
	{ .name = "deb", .arg = "FILE", .text = "build: a package that is at hand, with what it needs", .many = 1 },
	{ .name = "add", .arg = "FILE", .text = "build: any other file, beside the packages", .many = 1 },
	{ .name = "cache", .arg = "DIR", .text = "build: what was fetched is kept here; ~/.cache/pig/repo if not given" },
	{ .name = "refresh", .text = "build: fetch the indexes, however young those here are" },
	{ .name = "allow-missing", .text = "build: go on without packages that no source has" },
};

struct wants {
	pig_call *c;
	const char *os;     /* debian12 */
	const pig_value *versions; /* major versions of PostgreSQL, as texts */
	pig_value *list;    /* {name, packages, required} */
	pig_value *seen;    /* texts that are in it */
};

/* ---- what is asked for ---- */
static const char *with_version(struct wants *w, const char *text, const char *version)
{
	const char *at = strstr(text, "$v");

	if (!at)
		return text;
	return with_version(w, w->c->cli->fmt(w->c, "%.*s%s%s", (int)(at - text), text, version, at + 2), version);
}

static void want(struct wants *w, const char *name, const char *packages, bool required)
{
	const struct pig_cli *cli = w->c->cli;
	const struct pig_values *val = w->c->val;
	pig_value *item;

	/* what a list offers and a parameter asks for is asked for */
	const char *key = cli->fmt(w->c, "%c %s", required ? 'r' : 'o', packages);
	if (val->key(w->seen, key))
		return;
	cli->put(w->c, w->seen, key, cli->boolean(w->c, true));
	item = cli->map(w->c);
	cli->put(w->c, item, "name", cli->text(w->c, name));
	cli->put(w->c, item, "packages", cli->text(w->c, packages));
	cli->put(w->c, item, "required", cli->boolean(w->c, required));
	cli->push(w->c, w->list, item);
}

static const struct group *group_of(const struct wants *w, const char *name)
{
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (!strcmp(groups[i].name, name) && !fnmatch(groups[i].os, w->os, 0))
			return &groups[i];
	return NULL;
}

static void item_want(struct wants *w, const char *item, bool required)
{
	const char *text = strpbrk(item, "|+") ? item : w->c->cli->alias(w->c, w->os, item);

	if (!strstr(text, "$v")) {
		want(w, item, text, required);
		return;
	}
	for (size_t i = 0; i < w->c->val->len(w->versions); i++) {
		const char *version = w->c->val->str(w->c->val->at(w->versions, i), "");
		want(w, with_version(w, item, version), with_version(w, text, version), required);
	}
}

/* "a b, c | d": blanks and commas divide, except around | and + */
static void text_want(struct wants *w, const char *text, bool required)
{
	for (const char *p = text; *p;) {
		char *item = w->c->cli->alloc(w->c, strlen(p) + 1);
		size_t n = 0;
		for (p += strspn(p, " ,\t\n"); *p;) {
			size_t blank = strspn(p, " \t\n");
			bool joins = p[blank] == '|' || p[blank] == '+', joined = n && strchr("|+", item[n - 1]);
			if (*p == ',' || (blank && !joins && !joined))
				break;
			p += blank;
			if (*p)
				item[n++] = *p++;
		}
		const struct group *g = n ? group_of(w, item) : NULL;
		if (g)
			/* of what a list stands for, a source may lack this or that */
			text_want(w, g->items, required && !strcmp(item, "pgsql-main"));
		else if (n)
			item_want(w, item, required);
	}
}

static void value_want(struct wants *w, const pig_value *v, bool required)
{
	const struct pig_values *val = w->c->val;

	if (val->type(v) == PIG_STR)
		text_want(w, val->str(v, ""), required);
	for (size_t i = 0; val->type(v) == PIG_LIST && i < val->len(v); i++)
		value_want(w, val->at(v, i), required);
}

/* A parameter of all hosts; several values of it add up. */
static void param_want(struct wants *w, const char *name, const char *only_with)
{
	const struct pig_cli *cli = w->c->cli;
	const pig_value *hosts = cli->members(w->c, NULL);

	for (size_t i = 0; i < w->c->val->len(hosts); i++) {
		const char *host = w->c->val->str(w->c->val->at(hosts, i), "");
		if (!only_with || cli->get(w->c, host, only_with))
			value_want(w, cli->get(w->c, host, name), true);
	}
}

static void versions_find(struct wants *w)
{
	const struct pig_cli *cli = w->c->cli;
	const pig_value *hosts = cli->members(w->c, NULL);
	pig_value *found = cli->map(w->c), *list = cli->list(w->c);

	for (size_t i = 0; i < w->c->val->len(hosts); i++) {
		const char *host = w->c->val->str(w->c->val->at(hosts, i), "");
		if (cli->get(w->c, host, "pg_cluster"))
			cli->put(w->c, found, cli->fmt(w->c, "%d", (int)w->c->val->num(cli->get(w->c, host, "pg_version"), 0)),
				 cli->boolean(w->c, true));
	}
	if (!w->c->val->len(found))
		cli->put(w->c, found, cli->fmt(w->c, "%d", (int)w->c->val->num(cli->get(w->c, NULL, "pg_version"), 15)),
			 cli->boolean(w->c, true));
	for (size_t i = 0; i < w->c->val->len(found); i++)
		cli->push(w->c, list, cli->text(w->c, w->c->val->key_at(found, i)));
	w->versions = list;
}

static void wants_find(struct wants *w)
{
	static const char *const lists = "node-bootstrap node-package1 node-package2 infra-package infra-addons pgsql-utility extra-modules";
	const pig_value *packages = w->c->cli->get(w->c, NULL, "repo_packages"),
			*extra = w->c->cli->get(w->c, NULL, "repo_extra_packages");

	versions_find(w);
	if (packages)
		value_want(w, packages, true);
	else
		text_want(w, lists, false);
	if (extra)
		value_want(w, extra, true);
	else
		text_want(w, "pgsql-main", true);
	param_want(w, "node_default_packages", NULL);
	param_want(w, "node_packages", NULL);
	param_want(w, "infra_packages", "infra_seq");
	param_want(w, "pg_packages", "pg_cluster");
	param_want(w, "pg_extensions", "pg_cluster");
	value_want(w, w->c->val->key(w->c->options, "package"), true);
}

/* ---- where from ---- */
static const char *os_field(pig_call *c, const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, key, n) && p[n] == '=') {
			const char *v = p + n + 1 + (p[n + 1] == '"');
			return c->cli->fmt(c, "%.*s", (int)strcspn(v, "\"\n"), v);
		}
	return "";
}

/* ${distro_codename} and the like in an address */
static const char *filled(pig_call *c, const char *text, const char *name, const char *value)
{
	const char *word = c->cli->fmt(c, "${%s}", name), *at = strstr(text, word);

	if (!at)
		return text;
	return filled(c, c->cli->fmt(c, "%.*s%s%s", (int)(at - text), text, value, at + strlen(word)), name, value);
}

static bool lists_word(const struct pig_values *val, const pig_value *list, const char *word)
{
	for (size_t i = 0; i < val->len(list); i++) {
		const pig_value *v = val->at(list, i);
		if (!strcmp(val->str(v, ""), word) || (val->type(v) == PIG_INT && val->num(v, -1) == strtol(word, NULL, 10)))
			return true;
	}
	return !list;
}

/* Is the word in "a,b c"? */
static bool in_words(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; *p; p += strcspn(p, ", "), p += strspn(p, ", "))
		if (strcspn(p, ", ") == n && !strncmp(p, word, n))
			return true;
	return false;
}

/* Lines of a sources.list from repo_upstream; NULL: this machine's own sources. */
static const char *sources(pig_call *c, const char *release)
{
	const struct pig_values *val = c->val;
	const pig_value *all = c->cli->get(c, NULL, "repo_upstream");
	const char *modules = c->cli->fmt(c, "infra,%s", val->str(c->cli->get(c, NULL, "repo_modules"), "")), *text = "",
		   *region = val->str(c->cli->get(c, NULL, "region"), "default"), *major = os_field(c, release, "VERSION_ID");

	if (!val->len(all))
		return NULL;
	for (size_t i = 0; i < val->len(all); i++) {
		const pig_value *row = val->at(all, i), *base = val->key(row, "baseurl"), *meta = val->key(row, "meta");
		const char *url = val->str(val->key(base, region), val->str(val->key(base, "default"), "")),
			   *ring = val->str(val->key(meta, "signed-by"), "");
		if (!in_words(modules, val->str(val->key(row, "module"), "")) ||
		    !lists_word(val, val->key(row, "releases"), major) || !*url)
			continue;
		url = filled(c, url, "distro_codename", os_field(c, release, "VERSION_CODENAME"));
		text = c->cli->fmt(c, "%sdeb %s%s%s%s\n", text, *ring ? "[signed-by=" : "", ring, *ring ? "] " : "", url);
	}
	return text;
}

static pig_value *urls(pig_call *c, const char *release)
{
	const struct pig_values *val = c->val;
	const pig_value *all = c->cli->get(c, NULL, "repo_url_packages");
	pig_value *out = c->cli->list(c);

	for (size_t i = 0; i < val->len(all); i++) {
		const pig_value *row = val->at(all, i);
		const char *url = val->str(val->type(row) == PIG_MAP ? val->key(row, "url") : row, ""),
			   *name = val->str(val->key(row, "name"), strrchr(url, '/') ? strrchr(url, '/') + 1 : url);
		pig_value *item = c->cli->map(c);
		url = filled(c, url, "distro_codename", os_field(c, release, "VERSION_CODENAME"));
		url = filled(c, url, "releasever", os_field(c, release, "VERSION_ID"));
		c->cli->put(c, item, "url", c->cli->text(c, url));
		c->cli->put(c, item, "name", c->cli->text(c, name));
		if (val->key(row, "sha256"))
			c->cli->put(c, item, "sha256", val->key(row, "sha256"));
		else
			c->cli->warn(c, "%s: nothing says what its bytes must be; give its sha256 in repo_url_packages", name);
		c->cli->push(c, out, item);
	}
	return out;
}

/* ---- the job ---- */
static int pack(pig_call *c, const char *what, const pig_value *job)
{
	const char *argv[] = { c->cli->helper(c, "pig-pack"), what, NULL }, *in = c->cli->json_text(c, job);
	const pig_value *proxies = c->cli->get(c, NULL, "proxy_env");
	size_t n = c->val->len(proxies);
	const char **env = c->cli->alloc(c, (n + 1) * sizeof *env);

	for (size_t i = 0; i < n; i++)
		env[i] = c->cli->fmt(c, "%s=%s", c->val->key_at(proxies, i), c->val->str(c->val->at(proxies, i), ""));
	return c->cli->program(c, &(struct pig_program){ .size = sizeof(struct pig_program), .argv = argv, .in = in,
				       .in_len = strlen(in), .env = env, .shown = true }, NULL);
}

static const char *cache_dir(pig_call *c)
{
	const char *given = OPT(c, "cache"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (*given)
		return given;
	return xdg && *xdg == '/' ? c->cli->fmt(c, "%s/pig/repo", xdg) : c->cli->fmt(c, "%s/.cache/pig/repo", home ? home : "");
}

/* pig-pack works in no folder of its own, and apt takes paths only with a slash. */
static const pig_value *whole_paths(pig_call *c, const pig_value *list)
{
	pig_value *out = c->cli->list(c);

	for (size_t i = 0; i < c->val->len(list); i++) {
		const char *s = c->val->str(c->val->at(list, i), "");
		char *whole = realpath(s, NULL);
		if (!whole)
			c->cli->fail(c, PIG_BAD_INPUT, "file \"%s\" is not there", s);
		c->cli->push(c, out, c->cli->text(c, whole ? whole : s));
		free(whole);
	}
	return out;
}

static int build(pig_call *c)
{
	const char *release = c->cli->read(c, "/etc/os-release", NULL), *id;
	struct wants w = { .c = c, .list = c->cli->list(c), .seen = c->cli->map(c) };
	pig_value *job = c->cli->map(c);

	if (!release)
		return PIG_FAILED;
	id = os_field(c, release, "ID");
	w.os = c->cli->fmt(c, "%s%s", id, os_field(c, release, "VERSION_ID"));
	if (strcmp(id, "debian") != 0) {
		c->cli->fail(c, PIG_BAD_INPUT, "this machine runs %s, and bundles are built for the machine's own system, Debian", id);
		c->cli->hint(c, "Build on a machine that runs what the nodes run.");
		return PIG_BAD_INPUT;
	}
	wants_find(&w);
	const char *from = sources(c, release);
	c->cli->put(c, job, "want", w.list);
	c->cli->put(c, job, "os", c->cli->text(c, w.os));
	c->cli->put(c, job, "codename", c->cli->text(c, os_field(c, release, "VERSION_CODENAME")));
	c->cli->put(c, job, "name", c->cli->get(c, NULL, "repo_name"));
	c->cli->put(c, job, "out", c->cli->text(c, *OPT(c, "output") ? OPT(c, "output") : "pkg.tgz"));
	c->cli->put(c, job, "cache", c->cli->text(c, cache_dir(c)));
	c->cli->put(c, job, "keys", c->cli->text(c, c->cli->fmt(c, "%s/files/pki/repo", c->cli->inventory_dir(c))));
	c->cli->put(c, job, "max_age", c->cli->number(c, OPT_ON(c, "refresh") ? 0 : 86400));
	c->cli->put(c, job, "allow_missing", c->cli->boolean(c, OPT_ON(c, "allow-missing")));
	c->cli->put(c, job, "urls", urls(c, release));
	c->cli->put(c, job, "debs", whole_paths(c, c->val->key(c->options, "deb")));
	c->cli->put(c, job, "extra", whole_paths(c, c->val->key(c->options, "add")));
	if (from)
		c->cli->put(c, job, "sources", c->cli->text(c, from));
	return c->cli->failed(c) ? PIG_BAD_INPUT : pack(c, "build", job);
}

/* ---- who may have signed ---- */
static void key_push(pig_call *c, pig_value *keys, const char *file)
{
	const char *text = c->cli->read(c, file, NULL);

	if (text)
		c->cli->push(c, keys, c->cli->text(c, text));
}

static pig_value *keys_known(pig_call *c)
{
	static const char dir[] = "/etc/pig/keys";
	const pig_value *given = c->val->key(c->options, "key");
	const char *own = c->cli->fmt(c, "%s/files/pki/repo/bundle.pub", c->cli->inventory_dir(c));
	pig_value *keys = c->cli->list(c);
	DIR *d = opendir(dir);

	for (size_t i = 0; i < c->val->len(given); i++)
		key_push(c, keys, c->val->str(c->val->at(given, i), ""));
	if (c->cli->exists(c, own))
		key_push(c, keys, own);
	for (struct dirent *en; d && (en = readdir(d));) {
		size_t n = strlen(en->d_name);
		if (n > 4 && !strcmp(en->d_name + n - 4, ".pub"))
			key_push(c, keys, c->cli->fmt(c, "%s/%s", dir, en->d_name));
	}
	if (d)
		closedir(d);
	return keys;
}

static int look(pig_call *c, const char *what, const char *file)
{
	pig_value *job = c->cli->map(c);

	if (!*file)
		return c->cli->fail(c, PIG_BAD_INPUT, "pig repo %s needs the bundle's file", what);
	c->cli->put(c, job, "file", c->cli->text(c, file));
	c->cli->put(c, job, "keys", keys_known(c));
	c->cli->put(c, job, "into", c->cli->text(c, *OPT(c, "directory") ? OPT(c, "directory") : "."));
	c->cli->put(c, job, "replace", c->cli->boolean(c, OPT_ON(c, "replace")));
	return c->cli->failed(c) ? PIG_BAD_INPUT : pack(c, what, job);
}

int verb_repo(pig_call *c)
{
	const char *what = WORD(c, 0), *file = WORD(c, 1);

	if (!strcmp(what, "build") && !*file)
		return build(c);
	if (!strcmp(what, "verify") || !strcmp(what, "extract"))
		return look(c, what, file);
	c->cli->fail(c, PIG_BAD_INPUT, "pig repo does not know \"%s%s%s\"", what, *file ? " " : "", file);
	c->cli->hint(c, "Say build, verify FILE or extract FILE.");
	return PIG_BAD_INPUT;
}
