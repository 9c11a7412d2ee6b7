/*
 * The verbs that modules bring: found by name, their options parsed by pig's own parser from the rows of the module,
 * the inventory read as the row asks for. What a verb may call stands in cli_own_api.c.
 */
#include "cli/own.h"

#include <string.h>
#include "base/os.h"
#include "model/check_int.h"

/* A value of one option, by its kind. */
union slot {
	bool flag;
	const char *text;
	struct cli_words list;
};

/* --plugin-dir and -i decide which modules there are, so they are looked for before the verb is known. */
static void early_words(struct cli *early, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		if (!strncmp(word, "--plugin-dir=", 13))
			cli_word(early, &early->plugin_dirs, word + 13);
		else if (!strcmp(word, "--plugin-dir") && next)
			cli_word(early, &early->plugin_dirs, next);
		else if ((!strcmp(word, "-i") || !strcmp(word, "--inventory")) && next)
			cli_word(early, &early->inventories, next);
	}
}

static const struct pig_verb *find(const struct modules *ms, const char *name, const struct module **of)
{
	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_verbs; k++)
			if (!strcmp(ms->list[i]->verbs[k].name, name)) {
				*of = ms->list[i];
				return &ms->list[i]->verbs[k];
			}
	return NULL;
}

void cli_own_usage(struct cli *c, FILE *f)
{
	struct cli early = { .a = c->a };
	struct module_options o = { 0 };
	struct err e = { 0 };
	const char *source = inventory_default(c->a, &e);
	struct modules *ms;

	if (source && !strchr(source, ','))
		o.inventory_dir = os_dirname(early.a, source);
	if (!modules_load(&ms, c->a, &o, &e))
		return;
	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_verbs; k++)
			if (!cli_verb(ms->list[i]->verbs[k].name))
				fprintf(f, "  %-10s %s\n", ms->list[i]->verbs[k].name, ms->list[i]->verbs[k].text);
}

static int unknown(struct cli *c, const struct modules *ms, const char *name)
{
	struct cli_words names = { 0 };
	struct err e = { 0 };
	const char *near;

	for (size_t i = 0; i < cli_verbs_n; i++)
		cli_word(c, &names, cli_verbs[i].name);
	for (uint32_t i = 0; ms && i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_verbs; k++)
			cli_word(c, &names, ms->list[i]->verbs[k].name);
	fail(&e, E_INPUT, "unknown verb \"%s\"", name);
	if ((near = nearest(name, names.items, names.n)))
		err_hint(&e, "Did you mean pig %s?", near);
	else
		err_hint(&e, "pig --help lists the verbs.");
	return cli_fail(c, &e);
}

/* ---- options ---- */
static unsigned common_of(const struct pig_verb *v)
{
	unsigned common = CLI_PLUGINS;

	if (v->flags & (PIG_INVENTORY | PIG_INVENTORY_IF_ANY))
		common |= CLI_INVENTORY | CLI_EXTRA;
	if (v->flags & PIG_LIMIT)
		common |= CLI_LIMIT;
	return v->flags & PIG_JSON ? common | CLI_JSON : common;
}

static struct value *option_value(struct arena *a, const struct pig_option *row, const union slot *s)
{
	struct value *list;

	if (!row->arg)
		return s->flag ? value_bool(a, true) : NULL;
	if (!row->many)
		return s->text ? value_str(a, s->text) : NULL;
	if (!s->list.n)
		return NULL;
	list = value_list(a);
	for (uint32_t i = 0; i < s->list.n; i++)
		value_push(a, list, value_str(a, s->list.items[i]));
	return list;
}

static bool options_parse(struct own_call *o, int argc, char **argv)
{
	const struct pig_option *rows = o->verb->options.rows;
	struct cli *c = o->c;
	uint32_t n = o->verb->options.n;
	struct cli_option *options = arena_new_of(c->a, struct cli_option, n + 1);
	union slot *slots = arena_new_of(c->a, union slot, n + 1);
	struct value *args = value_list(c->a), *given = value_map(c->a);
	struct cli_spec spec = { .usage = o->verb->usage, .text = o->verb->more ? o->verb->more : o->verb->text,
				 .common = common_of(o->verb), .options = options, .n_options = n,
				 .min_args = o->verb->min_args, .max_args = o->verb->max_args };

	for (uint32_t i = 0; i < n; i++)
		options[i] = (struct cli_option){ .letter = rows[i].letter,
						  .kind = !rows[i].arg ? CLI_FLAG : rows[i].many ? CLI_LIST : CLI_TEXT,
						  .name = rows[i].name, .arg = rows[i].arg,
						  .offset = i * sizeof *slots, .text = rows[i].text };
	if (!cli_parse(c, &spec, slots, argc, argv, &o->err))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct value *v = option_value(c->a, &rows[i], &slots[i]);
		if (v)
			value_put(c->a, given, rows[i].name, v);
	}
	for (uint32_t i = 0; i < c->args.n; i++)
		value_push(c->a, args, value_str(c->a, c->args.items[i]));
	o->pub.args = (const pig_value *)args;
	o->pub.options = (const pig_value *)given;
	o->pub.as_json = c->json;
	return true;
}

/* ---- the inventory ---- */
static bool world_read(struct own_call *o)
{
	struct cli *c = o->c;
	static const char *const nobody[] = { "localhost," };
	struct err none = { 0 };
	struct inventory_options io = { .sources = c->inventories.items, .n_sources = c->inventories.n,
					.extra = c->extra.items, .n_extra = c->extra.n };

	o->w = (struct world){ .a = c->a, .modules = o->ms };
	if (!(o->verb->flags & (PIG_INVENTORY | PIG_INVENTORY_IF_ANY)))
		return true;
	if ((o->verb->flags & PIG_INVENTORY_IF_ANY) && !io.n_sources && !inventory_default(c->a, &none)) {
		io.sources = nobody;
		io.n_sources = 1;
	}
	if (!inventory_load(&o->w.inv, c->a, &io, &o->err))
		return false;
	o->rs = resolvers_new(&o->w);
	return cli_hosts(c, &o->w, &o->hosts, &o->n_hosts, &o->err);
}

int cli_own(struct cli *c, int argc, char **argv)
{
	struct own_call o = { .c = c, .pub = { .cli = &own_cli, .val = &check_values } };
	struct cli early = { .a = c->a };
	struct err e = { 0 };
	int status;

	early.plugin_dirs = c->asked ? c->plugin_dirs : early.plugin_dirs;
	early.inventories = c->asked ? c->inventories : early.inventories;
	early_words(&early, argc, argv);
	if (!cli_modules(&early, &o.ms, &e))
		return cli_fail(c, &e);
	o.verb = find(o.ms, argv[0], &o.module);
	if (!o.verb)
		return c->asked ? E_INPUT : unknown(c, o.ms, argv[0]);
	if (!options_parse(&o, argc, argv))
		return cli_fail(c, &o.err);
	if (c->help)
		return 0;
	if (!world_read(&o))
		return cli_fail(c, &o.err);
	status = o.verb->run(&o.pub);
	if (o.failed)
		return cli_fail(c, &o.err);
	if (!cli_out("", 0, &o.err))
		return cli_fail(c, &o.err);
	return status;
}
