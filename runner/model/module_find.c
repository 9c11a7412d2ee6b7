/*
 * Where modules are looked for, and what is looked up in them once they are loaded: playbooks, templates, package
 * aliases.
 */
#include "model/module_int.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/os.h"

struct search {
	struct modules *ms;
	struct module **found;
	uint32_t n, cap;
	struct map names; /* of modules -> file */
	struct map dirs;  /* walked already */
};

void modules_skip(struct modules *ms, const struct err *e)
{
	/* grows by one each time: modules that do not load are few */
	struct err *items = arena_new_of(ms->a, struct err, ms->n_skipped + 1);

	if (ms->n_skipped)
		memcpy(items, ms->skipped, ms->n_skipped * sizeof *items);
	items[ms->n_skipped++] = *e;
	ms->skipped = items;
}

static void search_file(struct search *s, const char *path)
{
	struct module *m;
	struct err e = { 0 };
	const char *other;

	if (!module_open(&m, s->ms->a, path, &e)) {
		modules_skip(s->ms, &e);
		return;
	}
	other = map_get(&s->names, m->m->name);
	if (other) { /* an earlier folder leads; two of one name in one folder are a mistake */
		if (strcmp(os_dirname(s->ms->a, other), os_dirname(s->ms->a, path)) != 0)
			return;
		fail(&e, E_MODULE, "module %s: \"%s\" is there already", path, m->m->name);
		err_detail(&e, "%s", other);
		modules_skip(s->ms, &e);
		return;
	}
	map_put(&s->names, m->m->name, (void *)m->file);
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 16;
		struct module **list = arena_new_of(s->ms->a, struct module *, cap);
		if (s->n)
			memcpy(list, s->found, s->n * sizeof(struct module *));
		s->found = list;
		s->cap = cap;
	}
	s->found[s->n++] = m;
}

static int is_module(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 3 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 3, ".so");
}

static void search_dir(struct search *s, const char *dir)
{
	char real[4096];
	struct dirent **list;

	if (!dir || !*dir || !realpath(dir, real) || map_has(&s->dirs, real))
		return;
	map_put(&s->dirs, real, s);
	int n = scandir(real, &list, is_module, alphasort);
	for (int i = 0; i < n; i++) {
		search_file(s, os_join(s->ms->a, real, list[i]->d_name));
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* "a:b:c" */
static void search_path(struct search *s, const char *path)
{
	for (const char *p = path, *end; p && *p; p = end ? end + 1 : NULL) {
		end = strchr(p, ':');
		search_dir(s, end ? arena_strn(s->ms->a, p, (size_t)(end - p)) : p);
	}
}

static void search_binary(struct search *s)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return;
	self[n] = '\0';
	const char *dir = os_dirname(s->ms->a, self);
	search_dir(s, os_join(s->ms->a, dir, "plugins"));
	search_dir(s, os_join(s->ms->a, dir, "../plugins"));
	search_dir(s, os_join(s->ms->a, dir,
			      "../lib/pig/plugins")); /* installed under another prefix than it was built for */
}

static bool dirs_exist(const struct module_options *o, struct err *e)
{
	for (uint32_t i = 0; i < o->n_dirs; i++)
		if (!os_exists(o->dirs[i])) {
			fail(e, E_INPUT, "plugin folder \"%s\" does not exist", o->dirs[i]);
			return err_hint(e, "--plugin-dir takes a folder of *.so files.");
		}
	return true;
}

bool modules_load(struct modules **out, struct arena *a, const struct module_options *o, struct err *e)
{
	struct modules *ms = arena_get(a, sizeof *ms);
	struct search s = { .ms = ms, .names = MAP(a), .dirs = MAP(a) };
	const char *home = getenv("HOME");

	ms->a = a;
	if (!dirs_exist(o, e))
		return false;
	for (uint32_t i = 0; i < o->n_dirs; i++)
		search_dir(&s, o->dirs[i]);
	search_path(&s, getenv("PIG_PLUGIN_PATH"));
	if (o->inventory_dir)
		search_dir(&s, os_join(a, o->inventory_dir, "plugins"));
	if (home && *home)
		search_dir(&s, os_join(a, home, ".pig/plugins"));
	search_binary(&s);
	search_dir(&s, PIG_PLUGIN_DIR);
	if (!modules_join(ms, s.found, s.n, e))
		return false;
	*out = ms;
	return true;
}

/* ---- lookups ---- */
struct module *modules_get(const struct modules *ms, const char *name)
{
	for (uint32_t i = 0; i < ms->n; i++)
		if (!strcmp(ms->list[i]->m->name, name))
			return ms->list[i];
	return NULL;
}

struct playbook *modules_playbook(const struct modules *ms, const char *name, struct err *e)
{
	struct playbook *p = map_get(&ms->playbooks, module_playbook_name(ms->a, name));

	if (p)
		return p;
	const char **names = arena_new_of(ms->a, const char *, ms->playbooks.n), *near;
	struct buf list = BUF(ms->a);
	for (uint32_t i = 0; i < ms->playbooks.n; i++) {
		names[i] = ms->playbooks.items[i].key;
		buf_fmt(&list, "%s%s", i ? ", " : "", names[i]);
	}
	near = nearest(module_playbook_name(ms->a, name), names, ms->playbooks.n);
	fail(e, E_INPUT, "there is no playbook \"%s\"", name);
	if (near)
		err_hint(e, "Did you mean %s?", near);
	else if (!ms->playbooks.n)
		err_hint(e, "No module that brings playbooks is loaded: see pig module list, --plugin-dir.");
	else
		err_hint(e, "There are: %s.", buf_text(&list));
	return NULL;
}

/* false: there is one and it cannot be read, which must not fall back to the shipped one in silence. */
static bool override_read(struct arena *a, const char *dir, const char *module, const char *name, const char **text,
			  const char **file, size_t *len, struct err *e)
{
	const char *path = dir ? os_join(a, dir, arena_fmt(a, "templates/%s/%s", module, name)) : NULL;
	struct buf b = BUF(a);

	if (*text || !path || !os_exists(path))
		return true;
	if (!os_read(&b, path, 0, e))
		return false;
	*file = path;
	*len = b.len;
	*text = buf_text(&b);
	return true;
}

static bool name_escapes(const char *name)
{
	return *name == '/' || !strncmp(name, "../", 3) || strstr(name, "/../") || !strcmp(name, "..");
}

/* What modules bring under that name: the last override below the one that asks, else the module's own. */
static const struct pig_template *brought(const struct module *m, struct arena *a, const char *name, const char *asker,
					  const struct module **by)
{
	const struct pig_template *row = module_own_template(m, name);

	*by = m;
	for (uint32_t i = 0; row && i < m->n_overrides; i++) {
		const struct override *o = &m->overrides[i];
		if (strcmp(o->name, name) != 0)
			continue;
		if (asker && !strcmp(asker, arena_fmt(a, "builtin:%s/%s", o->by->m->name, o->row->name)))
			break;
		row = o->row;
		*by = o->by;
	}
	return row;
}

const char *module_template(const struct module *m, struct arena *a, const char *inventory_dir, const char *name,
			    const char **file, size_t *len, struct err *e)
{
	return module_template_for(m, a, inventory_dir, name, NULL, file, len, e);
}

const char *module_template_for(const struct module *m, struct arena *a, const char *inventory_dir, const char *name,
				const char *asker, const char **file, size_t *len, struct err *e)
{
	const char *found = NULL, *shown = name, *own = m->m->name;
	bool builtin = !strncmp(name, "builtin:", 8);

	if (builtin) {
		name += 8;
		if (!strncmp(name, own, strlen(own)) && name[strlen(own)] == '/')
			name += strlen(own) + 1;
	}
	if (name_escapes(name)) {
		fail(e, E_INPUT, "template \"%s\" is no path inside its module", shown);
		return NULL;
	}
	if (!builtin && (!override_read(a, inventory_dir, own, name, &found, file, len, e) ||
			 !override_read(a, "/etc/pig", own, name, &found, file, len, e)))
		return NULL;
	if (found)
		return found;

	const struct module *by;
	const struct pig_template *row = brought(m, a, name, asker, &by);
	if (row) {
		*file = arena_fmt(a, "builtin:%s/%s", by->m->name, row->name);
		*len = row->len;
		return arena_strn(a, row->data, row->len);
	}

	const char **names = arena_new_of(a, const char *, m->n_templates), *near;
	for (uint32_t i = 0; i < m->n_templates; i++)
		names[i] = m->templates[i].name;
	near = nearest(name, names, m->n_templates);
	fail(e, E_MODULE, "module \"%s\" has no template \"%s\"", own, shown);
	if (near)
		err_hint(e, "Did you mean \"%s\"?", near);
	return NULL;
}

const char *modules_alias(const struct modules *ms, const char *os, const char *name)
{
	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_aliases; k++) {
			const struct pig_alias *row = &ms->list[i]->aliases[k];
			if (!strcmp(row->name, name) && !fnmatch(row->os ? row->os : "*", os, 0))
				return row->packages;
		}
	return name;
}
