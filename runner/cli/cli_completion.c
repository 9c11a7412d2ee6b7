/*
 * pig completion: what a shell completes is decided here, from the same tables that options are parsed by: verbs and
 * options, the words of each usage line, what modules register, what the inventory names. The shell's own part is a few
 * lines that ask `pig completion words WORD...` for what may stand in place of the last word.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include "model/module_int.h"

static const struct cli_spec spec = {
	.usage = "completion bash",
	.text = "Print what bash needs to complete pig's verbs, options, hosts, playbooks, tags and parameters:\n"
		"    pig completion bash >/etc/bash_completion.d/pig",
	.common = CLI_INVENTORY | CLI_PLUGINS,
	.min_args = 1,
	.max_args = UINT32_MAX,
	.raw = true,
};

static const char bash[] =
	"# bash completion for pig: pig itself says what may come next.\n"
	"_pig()\n"
	"{\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} line\n"
	"	COMPREPLY=()\n"
	"	while IFS= read -r line; do\n"
	"		case $line in\n"
	"		:files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- \"${cur#@}\")) ;;\n"
	"		*=|*/) compopt -o nospace 2>/dev/null; COMPREPLY+=(\"$line\") ;;\n"
	"		*) COMPREPLY+=(\"$line\") ;;\n"
	"		esac\n"
	"	done < <(\"${COMP_WORDS[0]}\" completion words \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _pig pig\n";

struct asked {
	struct cli *c;
	const char **words; /* of the command line, without "pig"; the last is the one to complete */
	uint32_t n;
	const char *cur;
	const struct cli_spec *verb;
	struct modules *ms; /* read when first needed; NULL: none */
	struct inventory *inv;
	struct map out; /* candidates, each once */
	bool files;
};

static void offer(struct asked *k, const char *word)
{
	if (word && *word && !strncmp(word, k->cur, strlen(k->cur)))
		map_put(&k->out, word, k);
}

static void offer_words(struct asked *k, const char *text, const char *separators)
{
	for (const char *s = text; s && *s;) {
		size_t n = strcspn(s, separators);
		if (n)
			offer(k, arena_strn(k->c->a, s, n));
		s += n + strspn(s + n, separators);
	}
}

/* ---- what there is ---- */
static struct modules *modules(struct asked *k)
{
	struct err e = { 0 };

	if (!k->ms && !cli_modules(k->c, &k->ms, &e))
		k->ms = NULL;
	return k->ms;
}

static void inventory(struct asked *k, bool groups)
{
	struct inventory_options o = { .sources = k->c->inventories.items, .n_sources = k->c->inventories.n };
	struct err e = { 0 };

	if (!inventory_load(&k->inv, k->c->a, &o, &e))
		return;
	for (uint32_t i = 0; groups && i < k->inv->n_groups; i++)
		offer(k, k->inv->groups[i]->name);
	for (uint32_t i = 0; i < k->inv->n_hosts; i++)
		offer(k, k->inv->hosts[i]->name);
}

static void hosts(struct asked *k)
{
	inventory(k, false);
}

static void patterns(struct asked *k)
{
	inventory(k, true);
}

static void playbooks(struct asked *k)
{
	const struct modules *ms = modules(k);

	for (uint32_t i = 0; ms && i < ms->playbooks.n; i++)
		offer(k, arena_fmt(k->c->a, "%s.yml", ms->playbooks.items[i].key));
}

/* The playbook that stands on the line; NULL: none yet. */
static const struct playbook *playbook(struct asked *k)
{
	struct err e = { 0 };

	for (uint32_t i = 1; modules(k) && i + 1 < k->n; i++) {
		const struct playbook *p = k->words[i][0] == '-' ? NULL : modules_playbook(k->ms, k->words[i], &e);
		if (p)
			return p;
	}
	return NULL;
}

static void tags(struct asked *k)
{
	const struct playbook *p = playbook(k);
	static const char *const always[] = { "all", "always", "never", "tagged", "untagged" };

	for (uint32_t i = 0; p && i < p->n_steps; i++) {
		offer(k, p->steps[i].name);
		for (uint32_t t = 0; t < p->steps[i].n_tasks; t++) {
			offer(k, p->steps[i].tasks[t]->row->name);
			offer_words(k, p->steps[i].tasks[t]->row->tags, ", ");
		}
	}
	for (uint32_t i = 0; !p && modules(k) && i < k->ms->tasks.n; i++) {
		const struct task_row *t = k->ms->tasks.items[i].val;
		offer(k, t->row->name);
		offer_words(k, t->row->tags, ", ");
	}
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		offer(k, always[i]);
}

static void steps(struct asked *k)
{
	const struct playbook *p = playbook(k);

	for (uint32_t i = 0; p && i < p->n_steps; i++)
		offer(k, p->steps[i].name);
}

static void params(struct asked *k, const char *behind)
{
	for (uint32_t i = 0; modules(k) && i < k->ms->params.n; i++)
		offer(k, arena_fmt(k->c->a, "%s%s", k->ms->params.items[i].key, behind));
}

/* -e K=V: names, then the choices of an enum or the two of a bool. */
static void extra(struct asked *k)
{
	const char *eq = strchr(k->cur, '=');
	const struct param *p;

	if (*k->cur == '@') {
		k->files = true;
		return;
	}
	if (!eq) {
		params(k, "=");
		return;
	}
	p = modules(k) ? map_get(&k->ms->params, arena_strn(k->c->a, k->cur, (size_t)(eq - k->cur))) : NULL;
	const char *choices = !p ? NULL : p->row->type == PIG_BOOL ? "true|false" : p->row->check;
	for (const char *s = p && (p->row->type == PIG_BOOL || p->row->type == PIG_ENUM) ? choices : NULL; s && *s;) {
		size_t n = strcspn(s, "|");
		offer(k, arena_fmt(k->c->a, "%.*s=%.*s", (int)(eq - k->cur), k->cur, (int)n, s));
		s += n + (s[n] == '|');
	}
}

static void module_names(struct asked *k)
{
	for (uint32_t i = 0; modules(k) && i < k->ms->n; i++)
		offer(k, k->ms->list[i]->m->name);
}

static void template_names(struct asked *k)
{
	for (uint32_t i = 0; modules(k) && i < k->ms->n; i++)
		for (uint32_t t = 0; t < k->ms->list[i]->n_templates; t++)
			offer(k, arena_fmt(k->c->a, "%s/%s", k->ms->list[i]->m->name, k->ms->list[i]->templates[t].name));
}

static void task_names(struct asked *k)
{
	for (uint32_t i = 0; modules(k) && i < k->ms->tasks.n; i++)
		offer(k, k->ms->tasks.items[i].key);
}

/* NAME is of the kind that the word before it says. */
static void named(struct asked *k)
{
	const char *kind = k->n > 2 ? k->words[k->n - 2] : "";

	if (!strncmp(kind, "param", 5))
		params(k, "");
	else if (!strncmp(kind, "task", 4))
		task_names(k);
	else if (!strncmp(kind, "playbook", 8))
		playbooks(k);
	else if (!strncmp(kind, "filter", 6))
		for (size_t i = 0; i < text_filters_n; i++)
			offer(k, text_filters[i].name);
	else if (!strcmp(k->words[0], "module") && strcmp(kind, "new") != 0)
		module_names(k);
	else if (!strcmp(k->words[0], "doc"))
		params(k, "");
}

/* ---- where the word stands ---- */
/* What usage lines call a thing. */
static void thing(struct asked *k, const char *name, size_t n)
{
	static const struct { const char *name; void (*fill)(struct asked *); } things[] = {
		{ "PLAYBOOK", playbooks }, { "PATTERN", patterns }, { "LIMIT", patterns },   { "HOST", hosts },
		{ "NODE", hosts },         { "TAGS", tags },     { "STEP", steps },    { "K=V", extra },
		{ "MODULE/NAME", template_names },               { "NAME", named },
	};

	for (size_t i = 0; i < sizeof things / sizeof *things; i++)
		if (strlen(things[i].name) == n && !memcmp(things[i].name, name, n)) {
			things[i].fill(k);
			return;
		}
	k->files = k->files || (n >= 4 && !memcmp(name, "FILE", 4)) || (n == 3 && !memcmp(name, "DIR", 3)) ||
		   (n == 6 && !memcmp(name, "SOURCE", 6));
}

static void alternatives(struct asked *k, const char *s, size_t n)
{
	if (n && *s == '[') {
		s++;
		n -= n > 1 && s[n - 2] == ']' ? 2 : 1;
	}
	for (size_t i = 0, from = 0; i <= n; i++) {
		if (i < n && s[i] != '|')
			continue;
		size_t len = i - from;
		if (len > 3 && !memcmp(s + i - 3, "...", 3))
			len -= 3;
		if (len && s[from] >= 'A' && s[from] <= 'Z')
			thing(k, s + from, len);
		else if (len && s[from] >= 'a' && s[from] <= 'z')
			offer(k, arena_strn(k->c->a, s + from, len));
		from = i + 1;
	}
}

/* Does the word of the line stand for what a usage line has in this place? */
static bool agrees(const char *s, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0, from = 0; i <= n; i++) {
		if (i < n && s[i] != '|' && s[i] != '[' && s[i] != ']')
			continue;
		if (i > from && ((s[from] >= 'A' && s[from] <= 'Z') || (i - from == len && !memcmp(s + from, word, len))))
			return true;
		from = i + 1;
	}
	return false;
}

/* Words that are neither options nor their values, the verb first; the last is the one to complete. */
static const char **positions(struct asked *k, uint32_t *n)
{
	const char **out = arena_new_of(k->c->a, const char *, k->n + 1);

	*n = 0;
	for (uint32_t i = 0; i < k->n; i++) {
		const struct cli_option *row = NULL;
		const char *w = k->words[i];
		if (i + 1 < k->n && w[0] == '-' && w[1]) {
			for (uint32_t o = 0; k->verb && (row = cli_spec_option(k->verb, o)); o++)
				if ((w[1] == '-' && !strcmp(row->name, w + 2)) || (w[1] == row->letter && !w[2]))
					break;
			i += row && cli_option_takes_value(row);
			continue;
		}
		out[(*n)++] = w;
	}
	return out;
}

/* The usage lines whose earlier words agree say what may stand here. */
static void usage_words(struct asked *k)
{
	uint32_t n;
	const char **at = positions(k, &n);

	for (const char *line = k->verb->usage; line && *line && n; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *s = line;
		for (uint32_t i = 0;; i++) {
			size_t len = strcspn(s, " \n");
			if (!len || (len > 1 && s[0] == '[' && s[1] == '-'))
				break; /* options follow */
			if (i + 1 == n) {
				alternatives(k, s, len);
				break;
			}
			if (!agrees(s, len, at[i]))
				break;
			bool again = len > 3 && !memcmp(s + len - 3, "...", 3);
			if (!again && s[len] != ' ')
				break;
			s += again ? 0 : len + 1;
		}
	}
}

static const struct cli_option *option_before(struct asked *k)
{
	const char *w = k->n > 1 ? k->words[k->n - 2] : "";
	const struct cli_option *row;

	for (uint32_t i = 0; w[0] == '-' && w[1] && (row = cli_spec_option(k->verb, i)); i++)
		if (cli_option_takes_value(row) && ((w[1] == '-' && !strcmp(row->name, w + 2)) || (w[1] == row->letter && !w[2])))
			return row;
	return NULL;
}

static void options(struct asked *k)
{
	const struct cli_option *row;

	for (uint32_t i = 0; (row = cli_spec_option(k->verb, i)); i++) {
		if (!row->text)
			continue;
		offer(k, arena_fmt(k->c->a, "--%s", row->name));
		if (row->letter)
			offer(k, arena_fmt(k->c->a, "-%c", row->letter));
	}
}

static void verbs(struct asked *k)
{
	for (size_t i = 0; i < cli_verbs_n; i++)
		offer(k, cli_verbs[i].name);
	for (uint32_t i = 0; modules(k) && i < k->ms->n; i++)
		for (uint32_t v = 0; v < k->ms->list[i]->n_verbs; v++)
			offer(k, k->ms->list[i]->verbs[v].name);
	if (*k->cur == '-') {
		offer(k, "--help");
		offer(k, "--version");
	}
}

static void complete(struct asked *k)
{
	const struct cli_option *before;

	if (k->n < 2) {
		verbs(k);
		return;
	}
	k->verb = cli_spec_of(k->c, k->words[0]);
	if (!k->verb)
		return;
	before = option_before(k);
	if (before)
		alternatives(k, before->arg, strlen(before->arg));
	else if (*k->cur == '-')
		options(k);
	else
		usage_words(k);
}

/* What of the line decides about modules and inventory. */
static void early_options(struct asked *k)
{
	for (uint32_t i = 1; i + 2 < k->n; i++) {
		if (!strcmp(k->words[i], "-i") || !strcmp(k->words[i], "--inventory"))
			cli_word(k->c, &k->c->inventories, k->words[i + 1]);
		else if (!strcmp(k->words[i], "--plugin-dir"))
			cli_word(k->c, &k->c->plugin_dirs, k->words[i + 1]);
	}
}

static int by_text(const void *x, const void *y)
{
	return strcmp(((const struct map_item *)x)->key, ((const struct map_item *)y)->key);
}

static bool words_print(struct cli *c, struct err *e)
{
	struct asked k = { .c = c, .words = c->args.items + 1, .n = c->args.n - 1, .out = MAP(c->a) };
	struct buf b = BUF(c->a);

	k.cur = k.n ? k.words[k.n - 1] : "";
	early_options(&k);
	complete(&k);
	if (k.out.n)
		qsort(k.out.items, k.out.n, sizeof *k.out.items, by_text);
	for (uint32_t i = 0; i < k.out.n; i++)
		buf_fmt(&b, "%s\n", k.out.items[i].key);
	if (k.files)
		buf_str(&b, ":files\n");
	return cli_out(buf_text(&b), b.len, e);
}

int cli_completion(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 };

	if (!cli_parse(c, &spec, NULL, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (!strcmp(c->args.items[0], "words"))
		return words_print(c, &e) ? 0 : cli_fail(c, &e);
	if (!strcmp(c->args.items[0], "bash"))
		return cli_out(bash, sizeof bash - 1, &e) ? 0 : cli_fail(c, &e);
	fail(&e, E_INPUT, "pig has no completion for \"%s\"", c->args.items[0]);
	err_hint(&e, "Say bash.");
	return cli_fail(c, &e);
}
