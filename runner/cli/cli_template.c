/*
 * pig template: the templates modules bring, and the user's own in <inventory dir>/templates/<module>/<name>, which
 * lead. An exported one says in its first line which shipped text it was made from, so that a later change of that text
 * can be told.
 */
#include "cli/cli.h"

#include <openssl/evp.h>
#include <string.h>
#include "base/os.h"

struct words {
	bool force, builtin;
};

static const struct cli_option options[] = {
	{ 0, CLI_FLAG, "builtin", NULL, offsetof(struct words, builtin), "show: the shipped text, not the override" },
	{ 0, CLI_FLAG, "force", NULL, offsetof(struct words, force), "export: write over an existing file" },
};
static const struct cli_spec spec = {
	.usage = "template [list]\n"
		 "template show MODULE/NAME [--builtin]\n"
		 "template export MODULE/NAME [--force]\n"
		 "template diff [MODULE/NAME]",
	.text = "list    every template and where it comes from\n"
		"show    the text in force: your override, else the shipped one\n"
		"export  write the shipped text to <inventory dir>/templates/MODULE/NAME, to be changed there\n"
		"diff    what your overrides change, and whether the shipped text has changed since",
	.common = CLI_WORLD | CLI_JSON,
	.options = options,
	.n_options = 2,
	.max_args = 2,
};

#define MARK "{# made from the shipped template, sha256 "

struct templates {
	struct cli *c;
	struct words o;
	struct modules *ms;
	const char *dir; /* of the inventory */
	struct err *e;
};

static const char *digest(struct arena *a, const void *p, size_t n)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char *hex;

	if (!EVP_Digest(p, n, raw, &len, EVP_sha256(), NULL))
		bug("SHA-256 failed");
	hex = arena_get(a, len * 2 + 1);
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", raw[i]);
	return hex;
}

/* The template in force. *own: it is the user's; *stale: made from another shipped text than the present one. */
static const char *in_force(struct templates *t, const struct module *m, const struct pig_template *row,
			    const char **file, size_t *len, bool *own, bool *stale)
{
	const char *text = module_template(m, t->c->a, t->dir, row->name, file, len, t->e);

	*own = text && strncmp(*file, "builtin:", 8) != 0;
	*stale = *own && !strncmp(text, MARK, strlen(MARK)) &&
		 strncmp(text + strlen(MARK), digest(t->c->a, row->data, row->len), 64) != 0;
	return text;
}

/* "module/name" */
static const struct pig_template *find(struct templates *t, const char *word, const struct module **m)
{
	const char *slash = strchr(word, '/'), **names, *near;
	uint32_t n = 0, total = 0;

	*m = slash ? modules_get(t->ms, arena_strn(t->c->a, word, (size_t)(slash - word))) : NULL;
	for (uint32_t i = 0; *m && i < (*m)->n_templates; i++)
		if (!strcmp((*m)->templates[i].name, slash + 1))
			return &(*m)->templates[i];
	for (uint32_t i = 0; i < t->ms->n; i++)
		total += t->ms->list[i]->n_templates;
	names = arena_new_of(t->c->a, const char *, total);
	for (uint32_t i = 0; i < t->ms->n; i++)
		for (uint32_t k = 0; k < t->ms->list[i]->n_templates; k++)
			names[n++] =
				arena_fmt(t->c->a, "%s/%s", t->ms->list[i]->m->name, t->ms->list[i]->templates[k].name);
	near = nearest(word, names, n);
	fail(t->e, E_INPUT, "there is no template \"%s\"", word);
	if (near)
		err_hint(t->e, "Did you mean %s?", near);
	else
		err_hint(t->e, "pig template list shows them.");
	return NULL;
}

static bool do_list(struct templates *t)
{
	struct arena *a = t->c->a;
	struct value *list = value_list(a);
	struct buf b = BUF(a);

	for (uint32_t i = 0; i < t->ms->n; i++)
		for (uint32_t k = 0; k < t->ms->list[i]->n_templates; k++) {
			const struct module *m = t->ms->list[i];
			const char *file, *name = arena_fmt(a, "%s/%s", m->m->name, m->templates[k].name);
			size_t len;
			bool own, stale;
			if (!in_force(t, m, &m->templates[k], &file, &len, &own, &stale))
				return false;
			const char *builtin = arena_fmt(a, "builtin:%s", name);
			buf_fmt(&b, "%-40s %s%s\n", name,
				own			? file
				: strcmp(file, builtin) ? arena_fmt(a, "shipped, changed by %s", file + 8)
							: "shipped",
				stale ? "  (the shipped text has changed since)" : "");
			struct value *v = value_map(a);
			value_put(a, v, "name", value_str(a, name));
			value_put(a, v, "override", own ? value_str(a, file) : value_null(a));
			value_put(a, v, "stale", value_bool(a, stale));
			value_push(a, list, v);
		}
	return t->c->json ? cli_json(t->c, list, t->e) : cli_out(buf_text(&b), b.len, t->e);
}

static bool do_show(struct templates *t, const char *word)
{
	const struct module *m;
	const struct pig_template *row = find(t, word, &m);
	const char *file, *text;
	size_t len;
	bool own, stale;

	if (!row)
		return false;
	if (t->o.builtin)
		return cli_out(row->data, row->len, t->e);
	text = in_force(t, m, row, &file, &len, &own, &stale);
	return text && cli_out(text, len, t->e);
}

static bool do_export(struct templates *t, const char *word)
{
	struct arena *a = t->c->a;
	const struct module *m;
	const struct pig_template *row = find(t, word, &m);
	struct buf b = BUF(a);

	if (!row)
		return false;
	if (!t->dir) {
		fail(t->e, E_INPUT, "there is no inventory whose folder could hold the template");
		return err_hint(t->e, "Name one with -i.");
	}
	const char *path = os_join(a, t->dir, arena_fmt(a, "templates/%s", word));
	if (os_exists(path) && !t->o.force) {
		fail(t->e, E_INPUT, "\"%s\" exists", path);
		return err_hint(t->e, "pig template diff %s shows what it changes; --force writes over it.", word);
	}
	buf_fmt(&b, MARK "%s #}\n", digest(a, row->data, row->len));
	buf_add(&b, row->data, row->len);
	if (!os_mkdirs(os_dirname(a, path), 0755, t->e) || !os_write(path, b.p, b.len, 0644, t->e))
		return false;
	printf("%s\n", path);
	return true;
}

static void diff_one(struct templates *t, const struct module *m, const struct pig_template *row, const char *text,
		     size_t len, const char *file, bool stale, struct buf *b)
{
	/* the mark is ours, not a change */
	if (!strncmp(text, MARK, strlen(MARK)) && memchr(text, '\n', len)) {
		size_t n = (size_t)((const char *)memchr(text, '\n', len) - text) + 1;
		text += n;
		len -= n;
	}
	if (stale)
		buf_fmt(b, "# %s/%s was made from another shipped text than the present one\n", m->m->name, row->name);
	diff_text(b, arena_fmt(t->c->a, "builtin:%s/%s", m->m->name, row->name), row->data, row->len, file, text, len);
}

static bool do_diff(struct templates *t, const char *word)
{
	const struct module *only = NULL;
	const struct pig_template *row = word ? find(t, word, &only) : NULL;
	struct buf b = BUF(t->c->a);

	if (word && !row)
		return false;
	for (uint32_t i = 0; i < t->ms->n; i++)
		for (uint32_t k = 0; k < t->ms->list[i]->n_templates; k++) {
			const struct module *m = t->ms->list[i];
			const char *file, *text;
			size_t len;
			bool own, stale;
			if (row && row != &m->templates[k])
				continue;
			text = in_force(t, m, &m->templates[k], &file, &len, &own, &stale);
			if (!text)
				return false;
			if (own)
				diff_one(t, m, &m->templates[k], text, len, file, stale, &b);
		}
	return cli_out(buf_text(&b), b.len, t->e);
}

static bool act(struct templates *t, const char *what, const char *word)
{
	if (!strcmp(what, "list") && !word)
		return do_list(t);
	if (!strcmp(what, "show") && word)
		return do_show(t, word);
	if (!strcmp(what, "export") && word)
		return do_export(t, word);
	if (!strcmp(what, "diff"))
		return do_diff(t, word);
	fail(t->e, E_INPUT, "pig template does not know \"%s%s%s\"", what, word ? " " : "", word ? word : "");
	return err_hint(t->e, "Say list, show MODULE/NAME, export MODULE/NAME or diff.");
}

int cli_template(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 }, quiet = { 0 };
	struct templates t = { .c = c, .e = &e };

	if (!cli_parse(c, &spec, &t.o, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	const char *source = c->inventories.n ? c->inventories.items[0] : inventory_default(c->a, &quiet);
	if (source)
		t.dir = inventory_source_dir(c->a, source);
	if (!cli_modules(c, &t.ms, &e))
		return cli_fail(c, &e);
	return act(&t, c->args.n ? c->args.items[0] : "list", c->args.n > 1 ? c->args.items[1] : NULL)
		       ? 0
		       : cli_fail(c, &e);
}
