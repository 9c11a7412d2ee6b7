/*
 * pig module: which modules are loaded and from where, what one of them holds, and the skeleton of a new one.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>
#include "base/os.h"

struct words {
	const char *extends;
};
static const struct cli_option options[] = {
	{ 0, CLI_TEXT, "extends", "MODULE", offsetof(struct words, extends), "new: of a module that adds to this one" },
};
static const struct cli_spec spec = {
	.usage = "module [list]\n"
		 "module info NAME|FILE.so\n"
		 "module new NAME [--extends MODULE]",
	.text = "list  the modules in force, and those that did not load\n"
		"info  what a module holds; FILE.so is looked at alone\n"
		"new   write the skeleton of a module into the folder NAME; with --extends of one that adds to another",
	.common = CLI_INVENTORY | CLI_PLUGINS | CLI_JSON,
	.options = options,
	.n_options = 1,
	.max_args = 2,
};

#define SKELETON "hello" /* the name it has in the shipped files */

static void put(struct arena *a, struct value *v, const char *key, const char *text)
{
	value_put(a, v, key, text ? value_str(a, text) : value_null(a));
}

/* ---- list ---- */
static bool do_list(struct cli *c, const struct modules *ms, struct err *e)
{
	struct value *out = value_map(c->a), *list = value_list(c->a), *skipped = value_list(c->a);
	struct buf b = BUF(c->a);

	for (uint32_t i = 0; i < ms->n; i++) {
		const struct pig_module *m = ms->list[i]->m;
		struct value *v = value_map(c->a);
		put(c->a, v, "name", m->name);
		put(c->a, v, "version", m->version);
		put(c->a, v, "text", m->text);
		put(c->a, v, "file", ms->list[i]->file);
		value_push(c->a, list, v);
		buf_fmt(&b, "%-12s %-10s %-44s %s\n", m->name, m->version, m->text ? m->text : "", ms->list[i]->file);
	}
	for (uint32_t i = 0; i < ms->n_skipped; i++)
		value_push(c->a, skipped, value_str(c->a, err_text(&ms->skipped[i], c->a)));
	if (!ms->n)
		buf_str(&b, "no module is loaded; see --plugin-dir\n");
	value_put(c->a, out, "modules", list);
	value_put(c->a, out, "skipped", skipped);
	return c->json ? cli_json(c, out, e) : cli_out(buf_text(&b), b.len, e);
}

/* ---- info ---- */
static void count(struct cli *c, struct value *v, const char *key, uint32_t n)
{
	if (n)
		value_put(c->a, v, key, value_int(c->a, n));
}

static struct value *info_value(struct cli *c, const struct module *m)
{
	struct value *v = value_map(c->a), *needs = value_list(c->a), *ifaces = value_list(c->a);
	const struct pig_need *rows = m->m->needs.rows;

	put(c->a, v, "name", m->m->name);
	put(c->a, v, "version", m->m->version);
	put(c->a, v, "text", m->m->text);
	put(c->a, v, "license", m->m->license);
	put(c->a, v, "file", m->file);
	put(c->a, v, "abi", arena_fmt(c->a, "%u.%u", m->m->major, m->m->minor));
	if (m->m->cluster)
		put(c->a, v, "cluster", m->m->cluster);
	for (uint32_t i = 0; i < m->m->needs.n; i++)
		value_push(c->a, needs,
			   value_str(c->a,
				     arena_fmt(c->a, "%s %s", rows[i].module, rows[i].version ? rows[i].version : "")));
	if (m->m->needs.n)
		value_put(c->a, v, "needs", needs);
	for (uint32_t i = 0; i < m->n_ifaces; i++)
		value_push(c->a, ifaces, value_str(c->a, m->ifaces[i].id));
	if (m->n_ifaces)
		value_put(c->a, v, "interfaces", ifaces);
	count(c, v, "parameters", m->n_params);
	count(c, v, "presets", m->n_presets);
	count(c, v, "rules", m->n_rules);
	count(c, v, "tasks", m->n_tasks);
	count(c, v, "playbooks", m->m->playbooks.n);
	count(c, v, "inserts", m->m->inserts.n);
	count(c, v, "health", m->n_health);
	count(c, v, "templates", m->n_templates);
	count(c, v, "overrides", m->m->overrides.n);
	count(c, v, "aliases", m->n_aliases);
	count(c, v, "verbs", m->n_verbs);
	return v;
}

/* Templates are parsed here and not at every start: the author looks here. */
static bool templates_parse(struct cli *c, const struct module *m, struct err *e)
{
	for (uint32_t i = 0; i < m->n_templates; i++) {
		const char *file = arena_fmt(c->a, "builtin:%s/%s", m->m->name, m->templates[i].name);
		struct tmpl *t;
		if (!tmpl_parse(&t, c->a, file, m->templates[i].data, m->templates[i].len,
				(struct origin){ file, 1, 1 }, e)) {
			e->code = E_MODULE;
			return err_wrap(e, "template \"%s\"", m->templates[i].name);
		}
	}
	return true;
}

static bool module_unknown(struct cli *c, const struct modules *ms, const char *name, struct err *e)
{
	const char **names = arena_new_of(c->a, const char *, ms->n), *near;

	for (uint32_t i = 0; i < ms->n; i++)
		names[i] = ms->list[i]->m->name;
	near = nearest(name, names, ms->n);
	fail(e, E_INPUT, "there is no module \"%s\"", name);
	return near ? err_hint(e, "Did you mean %s?", near) : err_hint(e, "pig module list shows those that are loaded.");
}

static bool do_info(struct cli *c, const char *name, struct err *e)
{
	size_t n = strlen(name);
	struct module *m = NULL;
	struct modules *ms;
	struct buf b = BUF(c->a);

	if (n > 3 && !strcmp(name + n - 3, ".so")) {
		if (!module_open(&m, c->a, name, e))
			return false;
	} else {
		if (!cli_modules(c, &ms, e))
			return false;
		if (!(m = modules_get(ms, name)))
			return module_unknown(c, ms, name, e);
	}
	if (!templates_parse(c, m, e))
		return false;
	struct value *v = info_value(c, m);
	if (c->json)
		return cli_json(c, v, e);
	for (uint32_t i = 0; i < value_len(v); i++) {
		const struct value *item = value_at(v, i);
		buf_fmt(&b, "%-12s", value_key_at(v, i));
		for (uint32_t k = 0; item->type == V_LIST && k < value_len(item); k++)
			buf_fmt(&b, "%s%s", k ? ", " : " ", value_cstr(value_at(item, k), ""));
		if (item->type != V_LIST) {
			buf_ch(&b, ' ');
			value_print(&b, item);
		}
		buf_ch(&b, '\n');
	}
	return cli_out(buf_text(&b), b.len, e);
}

/* ---- new ---- */
/* What the skeleton's words become, in text and in file names. */
struct renaming {
	const char *name, *base, *step; /* base, step: of the module that is extended, else NULL */
};

static const char *replaced(struct cli *c, const char *text, const char *from, const char *to)
{
	struct buf b = BUF(c->a);

	for (const char *at; to && (at = strstr(text, from)); text = at + strlen(from)) {
		buf_add(&b, text, (size_t)(at - text));
		buf_str(&b, to);
	}
	buf_str(&b, text);
	return buf_text(&b);
}

static const char *renamed(struct cli *c, const char *text, const struct renaming *r)
{
	text = replaced(c, replaced(c, text, "BASE", r->base), "STEP", r->step);
	return replaced(c, text, SKELETON, r->name);
}

static bool copy_dir(struct cli *c, const char *from, const char *to, const struct renaming *name, struct err *e)
{
	DIR *d = opendir(from);
	bool ok = d != NULL;

	if (!ok)
		return fail(e, E_FAILED, "folder \"%s\" cannot be read", from);
	if (!os_mkdirs(to, 0755, e))
		ok = false;
	for (struct dirent *en; ok && (en = readdir(d));) {
		const char *src = os_join(c->a, from, en->d_name),
			   *dst = os_join(c->a, to, renamed(c, en->d_name, name));
		struct buf b = BUF(c->a);
		if (en->d_name[0] == '.')
			continue;
		if (en->d_type == DT_DIR) {
			ok = copy_dir(c, src, dst, name, e);
			continue;
		}
		ok = os_read(&b, src, 0, e);
		if (ok) {
			const char *text = renamed(c, buf_text(&b), name);
			ok = os_write(dst, text, strlen(text), 0644, e);
		}
		if (ok)
			printf("%s\n", dst);
	}
	closedir(d);
	return ok;
}

/* The step to begin with: the last of the module's own playbook, or of its first one. */
static bool base_of(struct cli *c, const char *base, struct renaming *r, struct err *e)
{
	struct modules *ms;
	struct err none = { 0 };

	if (!base)
		return true;
	if (!cli_modules(c, &ms, e))
		return false;
	const struct module *m = modules_get(ms, base);
	if (!m)
		return module_unknown(c, ms, base, e);
	const struct playbook *p = modules_playbook(ms, base, &none);
	if (!p || !p->n_steps) {
		fail(e, E_INPUT, "module \"%s\" has no playbook of its name to stand in", base);
		return err_hint(e, "pig module new NAME writes the skeleton of a module of its own.");
	}
	r->base = base;
	r->step = p->steps[p->n_steps - 1].name;
	return true;
}

static bool do_new(struct cli *c, const char *name, const char *base, struct err *e)
{
	const char *kind = base ? "extension" : "skeleton", *from = cli_shared(c, kind);
	struct renaming r = { .name = name };
	bool good = islower((unsigned char)*name) && strlen(name) < 32;

	for (const char *s = name; *s; s++)
		good = good && (islower((unsigned char)*s) || isdigit((unsigned char)*s) || *s == '_');
	if (!good) {
		fail(e, E_INPUT, "\"%s\" cannot be a module's name", name);
		return err_hint(e, "Use small letters, digits and \"_\", beginning with a letter.");
	}
	if (os_exists(name))
		return fail(e, E_INPUT, "\"%s\" exists", name);
	if (!from) {
		fail(e, E_FAILED, "the skeleton is not installed");
		return err_hint(e, "It belongs in %s/%s.", PIG_SHARE_DIR, kind);
	}
	return base_of(c, base, &r, e) && copy_dir(c, from, name, &r, e);
}

int cli_module(struct cli *c, int argc, char **argv)
{
	struct words o = { 0 };
	struct err e = { 0 };
	struct modules *ms;
	bool ok;

	if (!cli_parse(c, &spec, &o, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	const char *what = c->args.n ? c->args.items[0] : "list", *word = c->args.n > 1 ? c->args.items[1] : NULL;
	if (!strcmp(what, "list") && !word) {
		ok = cli_modules(c, &ms, &e) && do_list(c, ms, &e);
	} else if (!strcmp(what, "info") && word) {
		ok = do_info(c, word, &e);
	} else if (!strcmp(what, "new") && word) {
		ok = do_new(c, word, o.extends, &e);
	} else {
		fail(&e, E_INPUT, "pig module does not know \"%s%s%s\"", what, word ? " " : "", word ? word : "");
		err_hint(&e, "Say list, info NAME or new NAME.");
		ok = false;
	}
	return ok ? 0 : cli_fail(c, &e);
}
