/*
 * Pages made of the tables: the reference of parameters (pig doc --markdown) and the manual page (pig doc --man). They hold
 * nothing of the machine they are made on, so that they can be kept and compared.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Markdown ---- */
/* Text for a cell: a bar would end it. */
static void cell(struct buf *b, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '|')
			buf_ch(b, '\\');
		buf_ch(b, *s == '\n' ? ' ' : *s);
	}
}

static void code(struct buf *b, const char *s, size_t most)
{
	struct buf text = BUF(b->a);

	if (!s)
		return;
	cell(&text, s);
	if (text.len > most)
		buf_fmt(b, "`%.*s...`", (int)most, text.p);
	else
		buf_fmt(b, "`%s`", buf_text(&text));
}

/* What the value must be besides its type. */
static void form(struct buf *b, const struct pig_param *row)
{
	buf_str(b, param_type_name(row->type));
	if (!row->check || !*row->check)
		return;
	buf_str(b, row->type == PIG_ENUM ? ": " : ", ");
	if (*row->check == '/')
		code(b, row->check, 80);
	else
		cell(b, row->check);
}

static void remarks(struct buf *b, const struct pig_param *row)
{
	cell(b, row->text);
	if (row->flags & PIG_REQUIRED)
		buf_str(b, " *Required.*");
	if (row->flags & PIG_SECRET)
		buf_str(b, " *Secret.*");
	if (row->flags & PIG_DEPRECATED)
		buf_str(b, " *Deprecated.*");
	if (row->flags & PIG_INERT)
		buf_str(b, " *Not acted on yet.*");
	if (row->was)
		buf_fmt(b, " Earlier: `%s`.", row->was);
}

static const char *level(uint8_t level)
{
	static const char *const names[] = { "", "global", "cluster", "instance", "command line" };

	return level <= PIG_ARG ? names[level] : "";
}

static void members(struct buf *b, const char *path, const struct pig_param *row, unsigned depth)
{
	const struct pig_param *rows = row->members.rows;
	const char *inner = arena_fmt(b->a, "%s%s", path, row->type == PIG_LIST ? "[]" : "");

	if (!row->members.n || depth > 4)
		return;
	buf_fmt(b, "\n### Members of `%s`\n\n| member | type | default | |\n|---|---|---|---|\n", path);
	for (uint32_t i = 0; i < row->members.n; i++) {
		buf_fmt(b, "| `%s` | ", rows[i].name);
		form(b, &rows[i]);
		buf_str(b, " | ");
		code(b, rows[i].dflt, 60);
		buf_str(b, " | ");
		remarks(b, &rows[i]);
		buf_str(b, " |\n");
	}
	for (uint32_t i = 0; i < row->members.n; i++)
		members(b, arena_fmt(b->a, "%s.%s", inner, rows[i].name), &rows[i], depth + 1);
}

static void module_page(struct buf *b, const struct module *m)
{
	buf_fmt(b, "\n## %s\n\n%c%s.\n\n| parameter | type | level | default | |\n|---|---|---|---|---|\n", m->m->name,
		toupper((unsigned char)m->m->text[0]), m->m->text + 1);
	for (uint32_t i = 0; i < m->n_params; i++) {
		const struct pig_param *row = m->params[i].row;
		buf_fmt(b, "| `%s` | ", row->name);
		form(b, row);
		buf_fmt(b, " | %s | ", level(row->level));
		code(b, row->dflt, 60);
		buf_str(b, " | ");
		remarks(b, row);
		buf_str(b, " |\n");
	}
	for (uint32_t i = 0; i < m->n_params; i++)
		members(b, m->params[i].row->name, m->params[i].row, 0);
}

static int by_name(const void *x, const void *y)
{
	return strcmp((*(const struct module *const *)x)->m->name, (*(const struct module *const *)y)->m->name);
}

bool cli_doc_markdown(struct cli *c, const struct modules *ms, struct err *e)
{
	const struct module **list = arena_new_of(c->a, const struct module *, ms->n);
	struct buf b = BUF(c->a);
	uint32_t inert = 0;

	for (uint32_t i = 0; i < ms->n; i++)
		list[i] = ms->list[i];
	if (ms->n)
		qsort(list, ms->n, sizeof *list, by_name);
	buf_str(&b, "# Parameters\n\nMade by `pig doc --markdown` from the rows of the modules; `pig doc param NAME` says the same of one.\n"
		    "`pig check` finds what does not fit. Levels are the narrowest place a value may stand in; docs/modules.md has the "
		    "types and forms.\n");
	for (uint32_t i = 0; i < ms->n; i++)
		if (list[i]->n_params)
			module_page(&b, list[i]);
	buf_str(&b, "\n## Known and not acted on yet\n\nThey load and are checked; nothing happens by them, and `pig check` notes each.\n\n");
	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < list[i]->n_params; k++)
			if (list[i]->params[k].row->flags & PIG_INERT)
				buf_fmt(&b, "%s`%s`", inert++ ? ", " : "", list[i]->params[k].row->name);
	buf_str(&b, inert ? ".\n" : "None.\n");
	return cli_out(b.p, b.len, e);
}

/* ---- the manual page ---- */
/* Text for troff: a leading point or quote would be a request, "-" a hyphen. */
static void troff(struct buf *b, const char *s)
{
	bool start = true;

	for (; s && *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			buf_str(b, "\\&");
		if (*s == '\\')
			buf_str(b, "\\e");
		else if (*s == '-')
			buf_str(b, "\\-");
		else
			buf_ch(b, *s);
		start = *s == '\n';
	}
}

static void option(struct buf *b, const struct cli_option *row)
{
	if (!row->text)
		return;
	buf_str(b, ".TP\n");
	if (row->letter)
		buf_fmt(b, "\\fB\\-%c\\fR, ", row->letter);
	buf_str(b, "\\fB\\-\\-");
	troff(b, row->name);
	buf_str(b, "\\fR");
	if (row->arg) {
		buf_str(b, " \\fI");
		troff(b, row->arg);
		buf_str(b, "\\fR");
	}
	buf_ch(b, '\n');
	troff(b, row->text);
	buf_ch(b, '\n');
}

static void verb(struct cli *c, struct buf *b, const char *name, const char *text)
{
	const struct cli_spec *spec = cli_spec_of(c, name);
	const struct cli_option *row;

	buf_fmt(b, ".SS %s\n", name);
	troff(b, text);
	buf_str(b, ".\n.PP\n.nf\n");
	for (const char *s = spec ? spec->usage : NULL; s && *s;) {
		size_t n = strcspn(s, "\n");
		buf_str(b, "pig ");
		troff(b, arena_strn(c->a, s, n));
		buf_ch(b, '\n');
		s += n + (s[n] == '\n');
	}
	buf_str(b, ".fi\n");
	if (spec && spec->text) {
		buf_str(b, ".PP\n.nf\n");
		troff(b, spec->text);
		buf_str(b, "\n.fi\n");
	}
	for (uint32_t i = 0; spec && (spec->options || spec->common) && (row = cli_spec_option(spec, i)); i++)
		option(b, row);
}

bool cli_doc_man(struct cli *c, const struct modules *ms, struct err *e)
{
	struct buf b = BUF(c->a);

	buf_fmt(&b, ".TH PIG 1 \"\" \"pig %s\" \"User commands\"\n.SH NAME\n", PIG_VERSION);
	buf_str(&b, "pig \\- an infrastructure task runner for PostgreSQL clusters\n.SH SYNOPSIS\n.B pig\n.I VERB\n[options]\n"
		    ".SH DESCRIPTION\npig reads an inventory, asks modules what state each host should be in, looks at what is there over SSH, "
		    "and changes\nonly the difference. The inventory is that of\n.BR \\-i ,\nelse the one an ansible.cfg in the folder names, "
		    "else pigsty.yml in the folder, else in $PIGSTY_HOME.\n.SH VERBS\n");
	for (size_t i = 0; i < cli_verbs_n; i++)
		verb(c, &b, cli_verbs[i].name, cli_verbs[i].text);
	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_verbs; k++)
			verb(c, &b, ms->list[i]->verbs[k].name, ms->list[i]->verbs[k].text);
	buf_str(&b, ".SH PLAYBOOKS\n");
	for (uint32_t i = 0; i < ms->playbooks.n; i++) {
		const struct playbook *p = ms->playbooks.items[i].val;
		buf_str(&b, ".TP\n.B ");
		troff(&b, arena_fmt(c->a, "%s.yml", p->name));
		buf_ch(&b, '\n');
		troff(&b, p->text);
		buf_ch(&b, '\n');
	}
	buf_str(&b, ".SH EXIT STATUS\n0 done, 1 some host failed or was not run, 2 bad usage or input, 3 module, 4 unreachable, 5 remote,\n"
		    "6 timeout, 130 cancelled.\n.SH ENVIRONMENT\n.TP\n.B PIG_PLUGIN_PATH\nfolders of modules, with colons between\n"
		    ".TP\n.B PIGSTY_HOME\nwhere pigsty.yml is looked for when the folder has none\n.SH SEE ALSO\n.BR ssh (1),\n"
		    ".BR ssh_config (5)\n");
	return cli_out(b.p, b.len, e);
}
