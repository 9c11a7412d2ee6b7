/*
 * The option parser: tables in, fields of structs out. Strict: what no row names is an error with a suggestion. Long
 * options take
 * "--name value" and "--name=value", letters "-x value", "-xvalue" and bundles of flags; words may stand among options,
 * "--" ends them. It knows no verb.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct common {
	unsigned bit;
	struct cli_option row;
};

/* -h and --help are not here: they are always taken */
static const struct common commons[] = {
	{ CLI_INVENTORY,
	  { 'i', CLI_LIST, "inventory", "SOURCE", offsetof(struct cli, inventories),
	    "inventory file, folder, script, database or \"host,\" list; may be repeated" } },
	{ CLI_LIMIT,
	  { 'l', CLI_TEXT, "limit", "PATTERN", offsetof(struct cli, limit),
	    "only these hosts: a:b, &c, !d, glob*, ~regex" } },
	{ CLI_EXTRA,
	  { 'e', CLI_LIST, "extra-vars", "K=V|@FILE", offsetof(struct cli, extra),
	    "values above all others; may be repeated" } },
	{ CLI_PLUGINS,
	  { 0, CLI_LIST, "plugin-dir", "DIR", offsetof(struct cli, plugin_dirs),
	    "look for modules here first; may be repeated" } },
	{ CLI_VAULT,
	  { 0, CLI_LIST, "vault-id", "ID@FILE", offsetof(struct cli, vault_ids),
	    "file, script or \"prompt\" with the vault password of an id; may be repeated" } },
	{ CLI_VAULT,
	  { 0, CLI_LIST, "vault-password-file", "FILE", offsetof(struct cli, vault_files),
	    "file or script with a vault password; may be repeated" } },
	{ CLI_VAULT,
	  { 'J', CLI_FLAG, "ask-vault-pass", NULL, offsetof(struct cli, ask_vault), "ask for the vault password" } },
	{ CLI_JSON, { 0, CLI_FLAG, "json", NULL, offsetof(struct cli, json), "print JSON" } },
	{ CLI_SECRETS,
	  { 0, CLI_FLAG, "show-secrets", NULL, offsetof(struct cli, show_secrets), "do not mask secret values" } },
	{ CLI_INSECURE,
	  { 0, CLI_FLAG, "insecure", NULL, offsetof(struct cli, insecure), "accept unknown and changed host keys" } },
	{ CLI_VERBOSE,
	  { 'v', CLI_COUNT, "verbose", NULL, offsetof(struct cli, verbose), "say more; may be repeated" } },
};
enum { COMMONS_N = sizeof commons / sizeof *commons };

struct parse {
	struct cli *c;
	const struct cli_spec *spec;
	char *own;
	int argc;
	char **argv;
	int at;
	struct err *e;
};

void cli_word(struct cli *c, struct cli_words *w, const char *s)
{
	if (w->n == w->cap) {
		uint32_t cap = w->cap ? w->cap * 2 : 8;
		const char **items = arena_new_of(c->a, const char *, cap);

		if (w->n)
			memcpy(items, w->items, w->n * sizeof *items);
		w->items = items;
		w->cap = cap;
	}
	w->items[w->n++] = s;
}

/* The i-th row the spec takes, own rows first; *base is the struct its offset is in. NULL past the end. */
static const struct cli_option *row_at(const struct parse *p, uint32_t i, char **base)
{
	if (i < p->spec->n_options) {
		*base = p->own;
		return &p->spec->options[i];
	}
	i -= p->spec->n_options;
	*base = (char *)p->c;
	for (uint32_t k = 0; k < COMMONS_N; k++)
		if ((p->spec->common & commons[k].bit) && i-- == 0)
			return &commons[k].row;
	return NULL;
}

static bool number_read(int64_t *out, const char *s)
{
	char *end;

	errno = 0;
	long long v = strtoll(s, &end, 10);
	if (errno || end == s || *end || v < 0)
		return false;
	*out = v;
	return true;
}

static bool option_set(struct parse *p, const struct cli_option *row, char *base, const char *shown, const char *val)
{
	void *field = base + row->offset;

	switch (row->kind) {
	case CLI_FLAG:
		*(bool *)field = true;
		return true;
	case CLI_COUNT:
		++*(int64_t *)field;
		return true;
	case CLI_TEXT:
		*(const char **)field = val;
		return true;
	case CLI_NUMBER:
		if (number_read(field, val))
			return true;
		return fail(p->e, E_INPUT, "option \"%s\" takes a number, not \"%s\"", shown, val);
	case CLI_LIST:
		cli_word(p->c, field, val);
		return true;
	default:
		bug("option \"%s\" has no kind", shown);
	}
}

static bool takes_value(const struct cli_option *row)
{
	return row->kind != CLI_FLAG && row->kind != CLI_COUNT;
}

static bool value_missing(struct parse *p, const char *shown, const struct cli_option *row)
{
	fail(p->e, E_INPUT, "option \"%s\" needs a value", shown);
	return err_hint(p->e, "Write %s %s.", shown, row->arg ? row->arg : "VALUE");
}

static bool long_unknown(struct parse *p, const char *name)
{
	const char *names[128], *near;
	uint32_t n = 0;
	const struct cli_option *row;
	char *base;

	names[n++] = "help";
	for (uint32_t i = 0; n < sizeof names / sizeof *names && (row = row_at(p, i, &base)); i++)
		names[n++] = row->name;
	fail(p->e, E_INPUT, "unknown option \"--%s\"", name);
	if ((near = nearest(name, names, n)))
		return err_hint(p->e, "Did you mean --%s?", near);
	return err_hint(p->e, "pig %s --help lists the options.", p->argv[0]);
}

static bool parse_long(struct parse *p, const char *word)
{
	const char *eq = strchr(word, '=');
	const char *name = eq ? arena_strn(p->c->a, word, (size_t)(eq - word)) : word;
	const struct cli_option *row;
	char *base;

	if (!strcmp(name, "help") && !eq) {
		p->c->help = true;
		return true;
	}
	for (uint32_t i = 0; (row = row_at(p, i, &base)); i++)
		if (!strcmp(row->name, name))
			break;
	if (!row)
		return long_unknown(p, name);

	const char *shown = arena_fmt(p->c->a, "--%s", name);
	if (!takes_value(row)) {
		if (eq)
			return fail(p->e, E_INPUT, "option \"%s\" takes no value", shown);
		return option_set(p, row, base, shown, NULL);
	}
	if (eq)
		return option_set(p, row, base, shown, eq + 1);
	if (p->at + 1 >= p->argc)
		return value_missing(p, shown, row);
	return option_set(p, row, base, shown, p->argv[++p->at]);
}

/* "-Cvl web": letters until one takes a value, which is the rest of the word or the next word. */
static bool parse_letters(struct parse *p, const char *word)
{
	for (const char *s = word; *s; s++) {
		const struct cli_option *row;
		char *base;

		if (*s == 'h') {
			p->c->help = true;
			continue;
		}
		for (uint32_t i = 0; (row = row_at(p, i, &base)); i++)
			if (row->letter == *s)
				break;
		if (!row) {
			fail(p->e, E_INPUT, "unknown option \"-%c\"", *s);
			return err_hint(p->e, "pig %s --help lists the options.", p->argv[0]);
		}
		const char *shown = arena_fmt(p->c->a, "-%c", *s), *val = NULL;
		if (takes_value(row)) {
			val = s[1] ? s + 1 : p->at + 1 < p->argc ? p->argv[++p->at] : NULL;
			if (!val)
				return value_missing(p, shown, row);
		}
		if (!option_set(p, row, base, shown, val))
			return false;
		if (val)
			return true;
	}
	return true;
}

static bool args_counted(struct parse *p)
{
	uint32_t n = p->c->args.n, min = p->spec->min_args, max = p->spec->max_args > min ? p->spec->max_args : min;
	const char *line = p->spec->usage, *end = strchr(line, '\n');

	if (p->c->help || (n >= min && n <= max))
		return true;
	if (n < min)
		fail(p->e, E_INPUT, "pig %s needs %s", p->argv[0], n + 1 == min ? "one more word" : "more words");
	else
		fail(p->e, E_INPUT, "pig %s does not take \"%s\"", p->argv[0], p->c->args.items[max]);
	return err_hint(p->e, "Usage: pig %.*s", end ? (int)(end - line) : (int)strlen(line), line);
}

bool cli_parse(struct cli *c, const struct cli_spec *spec, void *own, int argc, char **argv, struct err *e)
{
	struct parse p = { .c = c, .spec = spec, .own = own, .argc = argc, .argv = argv, .at = 1, .e = e };
	bool done = false, dashes = false;

	if (c->asked) {
		struct cli_spec *own_spec = arena_new_of(c->a, struct cli_spec, 1);
		*own_spec = *spec;
		*c->asked = own_spec;
		return c->help = true;
	}
	for (; p.at < argc; p.at++) {
		const char *word = argv[p.at];

		if (done || word[0] != '-' || !word[1]) {
			cli_word(c, &c->args, word);
			done = done || spec->raw;
		} else if (!strcmp(word, "--")) {
			done = dashes = true;
			c->dashes = c->args.n;
		} else if (word[1] == '-' ? !parse_long(&p, word + 2) : !parse_letters(&p, word + 1)) {
			return false;
		}
	}
	if (!dashes)
		c->dashes = c->args.n;
	if (c->help) {
		cli_usage(stdout, spec);
		return true;
	}
	return args_counted(&p);
}

/* ---- help ---- */
const struct cli_option *cli_spec_option(const struct cli_spec *spec, uint32_t i)
{
	static const struct cli_option help = { .letter = 'h', .kind = CLI_FLAG, .name = "help", .text = "print this" };
	uint32_t n = spec->n_options;

	if (i < n)
		return &spec->options[i];
	for (uint32_t k = 0; k < COMMONS_N; k++)
		if ((spec->common & commons[k].bit) && n++ == i)
			return &commons[k].row;
	return i == n ? &help : NULL;
}

bool cli_option_takes_value(const struct cli_option *row)
{
	return takes_value(row);
}

const struct cli_spec *cli_spec_of(struct cli *c, const char *name)
{
	const struct cli_verb *verb = cli_verb(name);
	const struct cli_spec *spec = NULL;
	struct cli ask = { .a = c->a, .asked = &spec, .plugin_dirs = c->plugin_dirs, .inventories = c->inventories };
	char *argv[] = { arena_str(c->a, name), NULL };

	if (verb)
		verb->fn(&ask, 1, argv);
	else
		cli_own(&ask, 1, argv);
	if (verb && !spec) {
		struct cli_spec *plain = arena_new_of(c->a, struct cli_spec, 1);
		plain->usage = verb->usage;
		spec = plain;
	}
	return spec;
}

static void usage_row(FILE *f, const struct cli_option *row)
{
	char left[128];

	if (!row->text)
		return;
	snprintf(left, sizeof left, "%c%c%s --%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		 row->letter ? "," : " ", row->name, row->arg ? " " : "", row->arg ? row->arg : "");
	if (strlen(left) > 26)
		fprintf(f, "  %s\n  %-26s  %s\n", left, "", row->text);
	else
		fprintf(f, "  %-26s  %s\n", left, row->text);
}

void cli_usage(FILE *f, const struct cli_spec *spec)
{
	const char *lead = "usage:";

	for (const char *s = spec->usage, *end; s && *s; s = end ? end + 1 : NULL) {
		end = strchr(s, '\n');
		fprintf(f, "%s pig %.*s\n", lead, end ? (int)(end - s) : (int)strlen(s), s);
		lead = "      ";
	}
	if (spec->text)
		fprintf(f, "\n%s\n", spec->text);
	fputs("\noptions:\n", f);
	const struct cli_option *row;
	for (uint32_t i = 0; (row = cli_spec_option(spec, i)); i++)
		usage_row(f, row);
}
