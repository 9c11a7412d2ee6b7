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
#include "value/vault.h"

enum { NEST_MAX = 16 };

static const char *const endings[] = { "", ".yml", ".yaml", ".json" };

/* Ansible's own marks in JSON: {"__ansible_vault": text}, {"__ansible_unsafe": text}. */
struct value *inventory_json_marks(struct arena *a, struct value *v)
{
	static const struct { const char *key; uint8_t flags; } marks[] = {
		{ "__ansible_vault", V_SECRET | V_VAULT }, { "__ansible_unsafe", V_LITERAL },
	};

	for (size_t i = 0; v->type == V_MAP && i < sizeof marks / sizeof *marks; i++) {
		struct value *text = value_get(v, marks[i].key);
		if (!value_is(text, V_STR))
			continue;
		struct value *got = arena_dup(a, text, sizeof *text);
		got->flags |= marks[i].flags;
		got->at = v->at;
		return got;
	}
	for (uint32_t i = 0; v->type == V_LIST && i < v->u.list.n; i++)
		v->u.list.items[i] = inventory_json_marks(a, v->u.list.items[i]);
	for (uint32_t i = 0; v->type == V_MAP && i < v->u.map.n; i++)
		v->u.map.items[i].val = inventory_json_marks(a, v->u.map.items[i].val);
	return v;
}

static bool plain_parse(struct inv_build *b, struct value **out, const char *path, const char *text, size_t len)
{
	const char *p = text + strspn(text, " \t\r\n");
	size_t n = strlen(path);

	if (*p == '{' || *p == '[') {
		struct err quiet;
		bool json = n > 5 && !strcmp(path + n - 5, ".json");
		if (value_from_json(out, b->a, path, text, len, json ? b->e : &quiet)) {
			*out = inventory_json_marks(b->a, *out);
			return true;
		}
		if (json)
			return false;
	}
	return value_from_yaml(out, b->a, path, text, len, b->e);
}

bool inventory_parse(struct inv_build *b, struct value **out, const char *path, const char *text, size_t len)
{
	struct buf inner = BUF(b->a);

	if (!vault_is(text, len))
		return plain_parse(b, out, path, text, len);
	if (!b->inv->vault || !vault_open(b->inv->vault, &inner, NULL, text, len, b->e)) {
		if (!b->inv->vault)
			fail(b->e, E_INPUT, "it is encrypted");
		err_wrap(b->e, "file \"%s\"", path);
		return err_at(b->e, path, 1, 1);
	}
	if (!plain_parse(b, out, path, buf_text(&inner), inner.len))
		return false;
	*out = value_secret(b->a, *out);
	return true;
}

bool inventory_parse_map(struct inv_build *b, struct value **out, const char *path, const char *what)
{
	struct buf text = BUF(b->a);

	if (!os_read(&text, path, 0, b->e))
		return err_wrap(b->e, "could not read %s", what);
	if (!inventory_parse(b, out, path, buf_text(&text), text.len))
		return false;
	if ((*out)->type == V_NULL)
		*out = value_map(b->a);
	if ((*out)->type == V_MAP)
		return true;
	fail(b->e, E_INPUT, "%s must hold a map of values, not a %s", what, value_type_name(*out));
	return err_at_value(b->e, *out);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* What a file or folder of values adds to: the map, and the first file of it that could not be opened. */
struct adding { struct value *map, *sealed; };

/* An encrypted file that no password opens is kept closed: an inventory loads without passwords, and a value that may stand in the
 * file is an error when it is asked for. */
static struct value *file_sealed(struct inv_build *b, const char *path)
{
	struct buf text = BUF(b->a), inner = BUF(b->a);
	struct err why;

	if (!os_read(&text, path, 0, &why) || !vault_is(buf_text(&text), text.len))
		return NULL;
	if (b->inv->vault && vault_open(b->inv->vault, &inner, NULL, buf_text(&text), text.len, &why))
		return NULL;
	struct value *v = value_strn(b->a, buf_text(&text), text.len);
	v->at = (struct origin){ path, 1, 1 };
	v->flags = V_SECRET | V_VAULT | V_LAZY;
	b->inv->sealed = inventory_grow(b->a, b->inv->sealed, b->inv->n_sealed, sizeof *b->inv->sealed);
	b->inv->sealed[b->inv->n_sealed++] = v;
	return v;
}

static bool file_add(struct inv_build *b, const char *path, struct adding *to)
{
	struct value *v = NULL;
	struct err mine = { 0 }, *e = b->e;

	b->e = &mine;
	bool ok = inventory_parse_map(b, &v, path, "a file of values");
	b->e = e;
	if (!ok) {
		struct value *sealed = file_sealed(b, path);
		if (!sealed)
			*e = mine;
		if (!to->sealed)
			to->sealed = sealed;
		return sealed;
	}
	inventory_own(b, &to->map);
	for (uint32_t i = 0; i < v->u.map.n; i++)
		inventory_put(b->inv, to->map, v->u.map.items[i].key, v->u.map.items[i].val, v->u.map.items[i].at);
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

static bool folder_add(struct inv_build *b, const char *path, struct adding *into, int nest)
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
	struct adding *into)
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
			struct adding into = { .map = value_map(b->a) };
			if (!values_add(b, folder, &names, inv->groups[i]->name, &into))
				return false;
			if (!value_len(into.map) && !into.sealed)
				continue;
			if (!parts->dirs) {
				parts->dirs = arena_new_of(b->a, struct value *, b->n_dirs);
				parts->sealed = arena_new_of(b->a, struct value *, b->n_dirs);
			}
			parts->dirs[d] = into.map;
			parts->sealed[d] = into.sealed;
		}
		folder = os_join(b->a, b->dirs[d], "host_vars");
		names = names_in(b, folder);
		for (uint32_t i = 0; names.n && i < inv->n_hosts; i++) {
			struct adding into = { inv->hosts[i]->vars, inv->hosts[i]->sealed };
			if (!values_add(b, folder, &names, inv->hosts[i]->name, &into))
				return false;
			inv->hosts[i]->vars = into.map;
			inv->hosts[i]->sealed = into.sealed;
		}
	}
	return true;
}
