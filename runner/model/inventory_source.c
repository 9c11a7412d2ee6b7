/*
 * Sources: what -i names may be a file (YAML, JSON, INI or a script), a folder of such, or a list of hosts with a
 * comma. This file tells them apart and finds the default; it knows none of the formats.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "model/inventory_sql.h"
#include "value/vault.h"

enum { NEST_MAX = 16 };

/* Endings Ansible passes over in a folder of inventories. */
static const char *const ignored_endings[] = {
	".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry",
};
static const char *const ignored_names[] = { "host_vars", "group_vars", "vars_plugins" };

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* Keep one of each folder, at the last place it was named: the later source wins. */
static void dir_add(struct inv_build *b, const char *dir)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < b->n_dirs; i++)
		if (strcmp(b->dirs[i], dir))
			b->dirs[kept++] = b->dirs[i];
	b->n_dirs = kept;
	const char **dirs = arena_new_of(b->a, const char *, kept + 1);
	if (kept)
		memcpy(dirs, b->dirs, kept * sizeof *dirs);
	dirs[kept] = dir;
	b->dirs = dirs;
	b->n_dirs = kept + 1;
	if (!b->inv->dir)
		b->inv->dir = dir;
}

/* Does the first line that says something look like YAML or JSON? */
static bool looks_like_yaml(const char *text)
{
	const char *p = text;

	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '#' && *p != ';')
			break;
		p += strcspn(p, "\n");
	}
	if (*p == '{' || *p == '%' || !strncmp(p, "---", 3))
		return true;
	if (*p == '[')
		return false;
	size_t n = strcspn(p, ":= \t\r\n");
	return p[n] == ':' && (!p[n + 1] || strchr(" \t\r\n", p[n + 1]));
}

static bool text_read(struct inv_build *b, const char *path, const char *s, size_t len)
{
	struct value *doc = NULL;
	bool yaml = ends_with(path, ".yml") || ends_with(path, ".yaml") || ends_with(path, ".json");
	const char *database = sql_of_script(b->a, s);
	if (database) /* what the script would print */
		return inventory_read_sql(b, database);
	if (!access(path, X_OK) && (!strncmp(s, "#!", 2) || !strncmp(s, "\x7f" "ELF", 4)))
		return inventory_read_script(b, path);
	if (!yaml && !vault_is(s, len) && (ends_with(path, ".ini") || !looks_like_yaml(s)))
		return inventory_read_ini(b, path, arena_strn(b->a, s, len), len);
	return inventory_parse(b, &doc, path, s, len) && inventory_read_yaml(b, path, doc);
}

static bool file_read(struct inv_build *b, const char *path)
{
	struct arena *scratch = arena_new(); /* values are copies: the text is not needed beyond them */
	struct buf text = BUF(scratch);
	bool ok = os_read(&text, path, 0, b->e) ? text_read(b, path, buf_text(&text), text.len)
						: err_wrap(b->e, "could not read the inventory");

	arena_free(scratch);
	return ok;
}

static bool path_read(struct inv_build *b, const char *path, int nest);

static int wanted(const struct dirent *d)
{
	if (d->d_name[0] == '.')
		return 0;
	for (size_t i = 0; i < sizeof ignored_names / sizeof *ignored_names; i++)
		if (!strcmp(d->d_name, ignored_names[i]))
			return 0;
	for (size_t i = 0; i < sizeof ignored_endings / sizeof *ignored_endings; i++)
		if (ends_with(d->d_name, ignored_endings[i]))
			return 0;
	return 1;
}

static int by_bytes(const struct dirent **x, const struct dirent **y)
{
	return strcmp((*x)->d_name, (*y)->d_name);
}

static bool folder_read(struct inv_build *b, const char *path, int nest)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, wanted, by_bytes);
	bool ok = n > 0;

	if (n < 0) {
		fail(b->e, E_INPUT, "could not list folder \"%s\"", path);
	} else if (!n && !nest) {
		fail(b->e, E_INPUT, "folder \"%s\" holds no inventory", path);
		err_hint(b->e, "Files ending in .ini, .cfg, .txt, .md and the like are passed over in a folder, "
			 "as in Ansible.");
	} else if (nest > NEST_MAX) {
		ok = fail(b->e, E_INPUT, "folder \"%s\" is nested too deep", path);
	} else {
		ok = true;
	}
	for (int i = 0; i < n; i++) {
		ok = ok && path_read(b, os_join(b->a, path, list[i]->d_name), nest + 1);
		free(list[i]);
	}
	free(list);
	return ok;
}

static bool path_read(struct inv_build *b, const char *path, int nest)
{
	struct stat st;

	if (stat(path, &st))
		return fail(b->e, E_INPUT, "inventory \"%s\" does not exist", path);
	return S_ISDIR(st.st_mode) ? folder_read(b, path, nest) : file_read(b, path);
}

static bool list_read(struct inv_build *b, const char *text)
{
	struct inv_group *g = b->inv->groups[1];
	struct origin at = { "-i", 1, 1 };

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ","), len = n;
		const char *s = p;
		while (len && strchr(" \t", *s))
			s++, len--;
		while (len && strchr(" \t", s[len - 1]))
			len--;
		at.col = (uint32_t)(s - text) + 1;
		if (len && !inventory_add_pattern(b, arena_strn(b->a, s, len), g, NULL, at))
			return false;
		p += n + (p[n] == ',');
	}
	return true;
}

const char *inventory_source_dir(struct arena *a, const char *source)
{
	struct stat st;

	if (!stat(source, &st))
		return S_ISDIR(st.st_mode) ? source : os_dirname(a, source);
	return sql_is(source) ? "." : strchr(source, ',') ? NULL : os_dirname(a, source);
}

bool inventory_read_source(struct inv_build *b, const char *source)
{
	struct stat st;
	bool there = !stat(source, &st);

	if (!there && sql_is(source)) {
		dir_add(b, ".");
		return inventory_read_sql(b, source);
	}
	if (!there && strstr(source, "://")) { /* it may hold a password: it is not repeated */
		fail(b->e, E_INPUT, "the inventory is a URL of a kind that is not known");
		return err_hint(b->e, "Write postgres://user@host:port/database.");
	}
	if (!there && strchr(source, ','))
		return list_read(b, source);
	if (!there) {
		fail(b->e, E_INPUT, "inventory \"%s\" does not exist", source);
		return err_hint(b->e, "A list of hosts needs a comma: -i \"%s,\".", source);
	}
	dir_add(b, S_ISDIR(st.st_mode) ? source : os_dirname(b->a, source));
	return path_read(b, source, 0);
}

/* ---- the default ---- */

/* The value of a name in [defaults] of an ansible.cfg; NULL when it has none. */
static const char *cfg_find(struct arena *a, const char *text, const char *name)
{
	bool inside = false;
	size_t n_name = strlen(name);

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		char *line = arena_strn(a, p, n), *eq;
		p += n + (p[n] == '\n');
		if (*line == '[') {
			inside = !strncmp(line, "[defaults]", 10);
			continue;
		}
		if (!inside || strncmp(line, name, n_name) || !strchr(" \t=:", line[n_name]))
			continue;
		eq = line + strcspn(line, "=:");
		if (strspn(line + n_name, " \t") != (size_t)(eq - line) - n_name || !*eq)
			continue;
		eq += 1 + strspn(eq + 1, " \t");
		for (char *c = eq; *c; c++)
			if (*c == ';' && c > eq && (c[-1] == ' ' || c[-1] == '\t'))
				*c-- = 0;
		size_t len = strlen(eq);
		while (len && strchr(" \t\r", eq[len - 1]))
			eq[--len] = 0;
		if (*eq)
			return eq;
	}
	return NULL;
}

bool inventory_cfg(const char **out, struct arena *a, const char *name, struct err *e)
{
	struct buf text = BUF(a);

	*out = NULL;
	if (!os_exists("ansible.cfg"))
		return true;
	if (!os_read(&text, "ansible.cfg", 1 << 20, e))
		return false;
	*out = cfg_find(a, buf_text(&text), name);
	return true;
}

static const char *home_path(struct arena *a, const char *path)
{
	const char *home = getenv("HOME");

	return !strncmp(path, "~/", 2) && home ? os_join(a, home, path + 2) : path;
}

static void sources_split(const char ***out, uint32_t *n, struct arena *a, const char *text)
{
	*out = arena_new_of(a, const char *, strlen(text) / 2 + 1);
	*n = 0;
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ","), from = strspn(p, " \t"), end = len;
		while (end > from && strchr(" \t", p[end - 1]))
			end--;
		if (end > from)
			(*out)[(*n)++] = home_path(a, arena_strn(a, p + from, end - from));
		p += len + (p[len] == ',');
	}
}

bool inventory_default_sources(const char ***out, uint32_t *n, struct arena *a, struct err *e)
{
	const char *home = getenv("PIGSTY_HOME"), *found = NULL, *named;

	if (!inventory_cfg(&named, a, "inventory", e))
		return false;
	if (named) {
		sources_split(out, n, a, named);
		if (*n)
			return true;
	}
	if (os_exists("pigsty.yml"))
		found = "pigsty.yml";
	else if (home && *home && os_exists(os_join(a, home, "pigsty.yml")))
		found = os_join(a, home, "pigsty.yml");
	else if (getenv("METADB_URL") && *getenv("METADB_URL"))
		found = getenv("METADB_URL");
	if (!found) {
		fail(e, E_INPUT, "no inventory is named and none is found");
		return err_hint(e, "Name one with -i, or keep pigsty.yml or an ansible.cfg with [defaults] inventory "
				"in this folder, or pigsty.yml in $PIGSTY_HOME, or set METADB_URL.");
	}
	*out = arena_new_of(a, const char *, 1);
	(*out)[0] = found;
	*n = 1;
	return true;
}

const char *inventory_default(struct arena *a, struct err *e)
{
	const char **sources;
	uint32_t n;

	return inventory_default_sources(&sources, &n, a, e) ? sources[0] : NULL;
}
