/*
 * group_vars/ and host_vars/ beside the inventory: for every group and host a file of its name (bare, .yml, .yaml or
 * .json) or a folder of such files. Each folder is listed once, so that ten thousand hosts without a file cost nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/os.h"
#include "model/inventory_build.h"

enum { NEST_MAX = 16 };

static const char *const endings[] = { "", ".yml", ".yaml", ".json" };

bool inventory_parse(struct value **out, struct arena *a, const char *path, const char *text, size_t len, struct err *e)
{
	const char *p = text + strspn(text, " \t\r\n");
	size_t n = strlen(path);

	if (!strncmp(text, "$ANSIBLE_VAULT;", 15)) {
		fail(e, E_INPUT, "file \"%s\" is encrypted with Ansible Vault", path);
		return err_at(e, path, 1, 1);
	}
	if (*p == '{' || *p == '[') {
		struct err quiet;
		bool json = n > 5 && !strcmp(path + n - 5, ".json");
		if (value_from_json(out, a, path, text, len, json ? e : &quiet))
			return true;
		if (json)
			return false;
	}
	return value_from_yaml(out, a, path, text, len, e);
}

bool inventory_parse_map(struct value **out, struct arena *a, const char *path, const char *what, struct err *e)
{
	struct buf text = BUF(a);

	if (!os_read(&text, path, 0, e))
		return err_wrap(e, "could not read %s", what);
	if (!inventory_parse(out, a, path, buf_text(&text), text.len, e))
		return false;
	if ((*out)->type == V_NULL)
		*out = value_map(a);
	if ((*out)->type == V_MAP)
		return true;
	fail(e, E_INPUT, "%s must hold a map of values, not a %s", what, value_type_name(*out));
	return err_at_value(e, *out);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool file_add(struct inv_build *b, const char *path, struct value *into)
{
	struct value *v = NULL;

	if (!inventory_parse_map(&v, b->a, path, "a file of values", b->e))
		return false;
	for (uint32_t i = 0; i < v->u.map.n; i++)
		value_put_at(b->a, into, v->u.map.items[i].key, v->u.map.items[i].val, v->u.map.items[i].at);
	return true;
}

/* The part of a name from its last point on; a point in front makes none. */
static const char *ending(const char *name)
{
	const char *dot = strrchr(name + strspn(name, "."), '.');

	return dot ? dot : "";
}

static int skip_hidden(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && d->d_name[n - 1] != '~';
}

static int by_bytes(const struct dirent **x, const struct dirent **y)
{
	return strcmp((*x)->d_name, (*y)->d_name);
}

static bool folder_add(struct inv_build *b, const char *path, struct value *into, int nest)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, skip_hidden, by_bytes), err = errno;
	bool ok = n >= 0;

	if (!ok) {
		fail(b->e, E_INPUT, "could not list folder \"%s\"", path);
		return err_detail(b->e, "%s", strerrordesc_np(err));
	}
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name, *full = os_join(b->a, path, name);
		bool wanted = false;
		for (size_t k = 0; k < sizeof endings / sizeof *endings; k++)
			wanted |= !strcmp(ending(name), endings[k]);
		if (ok && is_folder(full) && !*ending(name))
			ok = nest < NEST_MAX ? folder_add(b, full, into, nest + 1)
					     : fail(b->e, E_INPUT, "folder \"%s\" is nested too deep", full);
		else if (ok && wanted && !is_folder(full))
			ok = file_add(b, full, into);
		free(list[i]);
	}
	free(list);
	return ok;
}

/* The names in a folder; empty when there is none. */
static struct map names_in(struct inv_build *b, const char *path)
{
	struct map names = MAP(b->a);
	DIR *d = opendir(path);

	for (struct dirent *en; d && (en = readdir(d));)
		map_put(&names, en->d_name, b);
	if (d)
		closedir(d);
	return names;
}

/* The first of name, name.yml, ... that is there decides; into stays as it is when none is. */
static bool values_add(struct inv_build *b, const char *folder, const struct map *names, const char *name,
	struct value *into)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char file[512];
		int n = snprintf(file, sizeof file, "%s%s", name, endings[i]);
		if (n < 0 || (size_t)n >= sizeof file || strchr(name, '/') || *name == '.')
			return true;
		if (!map_has(names, file))
			continue;
		const char *path = os_join(b->a, folder, file);
		return is_folder(path) ? folder_add(b, path, into, 0) : file_add(b, path, into);
	}
	return true;
}

bool inventory_read_vars(struct inv_build *b)
{
	struct inventory *inv = b->inv;

	for (uint32_t d = 0; d < b->n_dirs; d++) {
		const char *folder = os_join(b->a, b->dirs[d], "group_vars");
		struct map names = names_in(b, folder);
		for (uint32_t i = 0; names.n && i < inv->n_groups; i++) {
			struct inv_parts *parts = inv->groups[i]->parts;
			struct value *into = value_map(b->a);
			if (!values_add(b, folder, &names, inv->groups[i]->name, into))
				return false;
			if (!value_len(into))
				continue;
			if (!parts->dirs)
				parts->dirs = arena_new_of(b->a, struct value *, b->n_dirs);
			parts->dirs[d] = into;
		}
		folder = os_join(b->a, b->dirs[d], "host_vars");
		names = names_in(b, folder);
		for (uint32_t i = 0; names.n && i < inv->n_hosts; i++)
			if (!values_add(b, folder, &names, inv->hosts[i]->name, inv->hosts[i]->vars))
				return false;
	}
	return true;
}
