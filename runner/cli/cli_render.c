/*
 * pig render: one template as a host would get it, or with the values of -e alone. It writes nothing and connects to no
 * host.
 */
#include "cli/cli.h"

#include <string.h>
#include "base/os.h"
#include "run/secret.h"

static const struct cli_spec spec = {
	.usage = "render FILE [-l HOST] [-e K=V|@FILE]",
	.text = "Render a template, a file or <module>/<name>, as HOST would get it; without -l only the values of -e "
		"are known.\n"
		"Facts are not known without a connection: give those the template asks for with -e.",
	.common = CLI_WORLD | CLI_LIMIT | CLI_SECRETS,
	.min_args = 1,
};

/* Templates named inside the template: builtin: ones, else files beside it. */
struct beside {
	struct arena *a;
	const char *dir;
	struct scope inner;
};

static struct value *beside_get(void *ctx, const char *name, struct err *e)
{
	struct beside *b = ctx;

	return b->inner.get ? b->inner.get(b->inner.ctx, name, e) : NULL;
}

static struct value *beside_item(void *ctx, const struct value *map, const char *key, struct err *e)
{
	struct beside *b = ctx;

	return b->inner.item ? b->inner.item(b->inner.ctx, map, key, e) : NULL;
}

static const char *beside_load(void *ctx, const char *name, const char **file, struct err *e)
{
	struct beside *b = ctx;
	struct buf text = BUF(b->a);

	if (!strncmp(name, "builtin:", 8) || !b->dir) {
		if (b->inner.load)
			return b->inner.load(b->inner.ctx, name, file, e);
		fail(e, E_INPUT, "template \"%s\" needs a host: say -l HOST", name);
		return NULL;
	}
	*file = os_join(b->a, b->dir, name);
	if (!os_read(&text, *file, 0, e)) {
		err_wrap(e, "template \"%s\"", name);
		return NULL;
	}
	return buf_text(&text);
}

/* The values of -e alone; what is encrypted among them is opened when it is asked for. */
static struct value *extra_get(void *ctx, const char *name, struct err *e)
{
	const struct inventory *inv = ctx;
	struct value *v = value_get(inv->extra, name), *open;

	return v && vault_value(inv->vault, &open, inv->a, v, e) ? open : NULL;
}

struct source {
	const char *file, *text, *dir;
	size_t len;
	const struct module *m;
};

/* A file, or <module>/<name> when there is no such file. */
static bool source_read(struct cli *c, const struct world *w, const char *name, struct source *out, struct err *e)
{
	struct buf b = BUF(c->a);
	const char *slash = strchr(name, '/');

	if (!os_exists(name) && slash && w->modules) {
		out->m = modules_get(w->modules, arena_strn(c->a, name, (size_t)(slash - name)));
		if (out->m) {
			out->text = module_template(out->m, c->a, w->inv ? w->inv->dir : NULL, slash + 1, &out->file,
						    &out->len, e);
			return out->text != NULL;
		}
	}
	if (!os_read(&b, name, 0, e))
		return false;
	*out = (struct source){ .file = name, .text = buf_text(&b), .len = b.len, .dir = os_dirname(c->a, name) };
	return true;
}

static bool one_host(struct cli *c, const struct world *w, struct inv_host **out, struct err *e)
{
	struct inv_host **hosts;
	uint32_t n;

	if (!pattern_hosts(&hosts, &n, c->a, w->inv, c->limit, false, e))
		return false;
	if (n != 1)
		return fail(e, E_INPUT, "-l \"%s\" selects %u hosts; a template is rendered for one", c->limit, n);
	*out = hosts[0];
	return true;
}

/* Values that are secret for being encrypted: of the host, or of -e alone. */
static void encrypted_add(struct secrets *s, const struct world *w, const struct inv_host *h, struct resolver *r)
{
	const struct value *all = h ? inventory_vars(w->inv, w->inv->a, h) : w->inv->extra;
	struct err ignored;

	for (uint32_t i = 0; i < value_len(all); i++) {
		const char *name = value_key_at(all, i);
		if (!value_is_secret(value_at(all, i)))
			continue;
		const struct value *v = r ? resolver_get(r, name, &ignored) : extra_get(w->inv, name, &ignored);
		if (v)
			secrets_add_value(s, v);
	}
}

/* What may not be shown: the text of every secret of the host, but for names that stand openly. Where none of them stands in the
 * text as it is, it was made of one, and nothing can be shown. */
static const char *masked(struct cli *c, struct world *w, struct inv_host *h, struct resolver *r, const char *text)
{
	struct secrets *s = secrets_new(c->a);
	struct err ignored;

	if (c->show_secrets)
		return text;
	encrypted_add(s, w, h, r);
	for (uint32_t i = 0; i < w->inv->n_hosts; i++)
		secrets_public(s, w->inv->hosts[i]->name);
	for (uint32_t i = 0; i < w->inv->n_groups; i++)
		secrets_public(s, w->inv->groups[i]->name);
	for (uint32_t i = 0; r && i < w->modules->params.n; i++) {
		const struct value *v = resolver_get(r, w->modules->params.items[i].key, &ignored);
		if (v && value_is_secret(v))
			secrets_add_value(s, v);
	}
	const char *shown = secrets_mask(s, c->a, text);
	if (shown != text)
		return shown;
	fputs("pig: the text is made of secrets and not shown; --show-secrets shows it\n", stderr);
	return "***\n";
}

static bool render(struct cli *c, struct world *w, struct inv_host *h, struct err *e)
{
	struct source src = { 0 };
	struct beside b = { .a = c->a };
	struct buf out = BUF(c->a);
	struct resolver *r = NULL;
	struct tmpl *t;
	bool secret = false;

	if (!source_read(c, w, c->args.items[0], &src, e))
		return false;
	b.dir = src.dir;
	if (h) {
		r = resolver_new(w, h);
		b.inner = resolver_scope(r, c->a, src.m, w->inv->extra);
	} else {
		b.inner = (struct scope){ .get = extra_get, .ctx = w->inv };
	}
	struct scope s = { .get = beside_get, .load = beside_load, .ctx = &b, .item = beside_item };
	if (!tmpl_parse(&t, c->a, src.file, src.text, src.len, (struct origin){ src.file, 1, 1 }, e))
		return false;
	if (!tmpl_render(t, c->a, &s, &out, &secret, e)) {
		if (e->code == E_UNKNOWN) {
			e->code = E_INPUT;
			err_hint(e, "Give the fact a value with -e.");
		} else if (src.m && strstr(e->msg, "is undefined")) { /* what the task that writes the file works out */
			err_hint(e, "If the task works it out: give it a value with -e, or see the file as it would be written by "
				    "pig run ... -C -D.");
		}
		return false;
	}
	const char *text = secret ? masked(c, w, h, r, buf_text(&out)) : buf_text(&out);
	return cli_out(text, text == buf_text(&out) ? out.len : strlen(text), e);
}

/* -e alone needs no inventory: an empty list of hosts stands for it. */
static bool world_of_extra(struct cli *c, struct world *w, struct err *e)
{
	if (!c->inventories.n)
		cli_word(c, &c->inventories, "localhost,");
	return cli_world(c, w, e);
}

int cli_render(struct cli *c, int argc, char **argv)
{
	struct world w = { 0 };
	struct inv_host *h = NULL;
	struct err e = { 0 };

	if (!cli_parse(c, &spec, NULL, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	bool ok = c->limit ? cli_world(c, &w, &e) && one_host(c, &w, &h, &e) : world_of_extra(c, &w, &e);
	return ok && render(c, &w, h, &e) ? 0 : cli_fail(c, &e);
}
