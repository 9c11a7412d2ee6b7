/*
 * The verbs of the command line, in the order --help shows them, and what several of them start from: the inventory,
 * the modules, errors on standard error. What a verb does stands in its own file; a verb that is not real yet is not
 * here.
 */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/os.h"
#include "model/vault_source.h"
#include "cli/sandbox.h"

static int sandbox(struct cli *c, int argc, char **argv)
{
	return c->asked ? 0 : sandbox_main(argc, argv); /* it parses its own words */
}

const struct cli_verb cli_verbs[] = {
	{ "configure", "configure [-c NAME] [-i ADDRESS] [-v N] [-g] ...", "write an inventory to begin with",
	  cli_configure },
	{ "run", "run PLAYBOOK|FILE [-i INV] [-l LIMIT] [-t TAGS] [-C] [-D]",
	  "bring hosts to the state a playbook describes", cli_run },
	{ "check", "check [-i INV] [-l LIMIT]", "find every fault of the inventory before any host is touched",
	  cli_check },
	{ "doc", "doc [param|task|playbook|filter NAME]", "what modules offer: parameters, tasks, playbooks, filters",
	  cli_doc },
	{ "inventory", "inventory [list|graph|host H|query EXPR|load|dump|use cmdb|yaml]", "what the inventory says", cli_inventory },
	{ "render", "render FILE [-l HOST] [-e @VARS]", "render a template as a host would get it", cli_render },
	{ "template", "template [list|show|export|diff]", "the modules' templates and your overrides", cli_template },
	{ "vault", "vault [encrypt|decrypt|view|edit|rekey|encrypt_string]", "files and values encrypted as Ansible Vault does", cli_vault },
	{ "query", "query EXPR [FILE]", "JMESPath over JSON or YAML", cli_query },
	{ "module", "module [list|info NAME|new NAME]", "the modules that are loaded; a new one's skeleton",
	  cli_module },
	{ "exec", "exec PATTERN -- COMMAND", "run a command on hosts", cli_exec },
	{ "ssh", "ssh HOST", "log in to a host as pig does", cli_ssh },
	{ "sandbox", "sandbox [up|down|status|shell|...]", "real nodes on this machine to try things on", sandbox },
	{ "completion", "completion bash", "what a shell needs to complete pig's words", cli_completion },
};
const size_t cli_verbs_n = sizeof cli_verbs / sizeof *cli_verbs;

const struct cli_verb *cli_verb(const char *name)
{
	for (size_t i = 0; i < cli_verbs_n; i++)
		if (!strcmp(cli_verbs[i].name, name))
			return &cli_verbs[i];
	return NULL;
}

const char *cli_shared(struct cli *c, const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *installed = os_join(c->a, PIG_SHARE_DIR, name);

	if (n > 0) {
		self[n] = '\0';
		const char *beside = os_join(c->a, os_dirname(c->a, self), arena_fmt(c->a, "../share/pig/%s", name));
		if (os_exists(beside))
			return beside;
	}
	return os_exists(installed) ? installed : NULL;
}

int cli_fail(const struct cli *c, const struct err *e)
{
	fflush(stdout);
	fprintf(stderr, "pig: %s\n", err_text(e, c->a));
	return e->code;
}

bool cli_out(const void *p, size_t n, struct err *e)
{
	const char *s = p;

	if (fflush(stdout))
		return errno == EPIPE ? true
				      : fail(e, E_FAILED, "standard output cannot be written: %s", strerror(errno));
	while (n) {
		ssize_t k = write(STDOUT_FILENO, s, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EPIPE)
			return true;
		if (k < 0)
			return fail(e, E_FAILED, "standard output cannot be written: %s", strerror(errno));
		s += k;
		n -= (size_t)k;
	}
	return true;
}

bool cli_json(const struct cli *c, const struct value *v, struct err *e)
{
	struct buf b = BUF(c->a);

	if (!value_to_json(&b, v, &(struct json_style){ .indent = 4, .mask = !c->show_secrets }))
		return fail(e, E_INPUT, "the value is nested too deep, or too large, to be printed");
	buf_ch(&b, '\n');
	return cli_out(b.p, b.len, e);
}

static bool modules_for(struct cli *c, const char *inventory_dir, struct modules **out, struct err *e)
{
	struct module_options o = {
		.dirs = c->plugin_dirs.items,
		.n_dirs = c->plugin_dirs.n,
		.inventory_dir = inventory_dir,
	};

	if (!modules_load(out, c->a, &o, e))
		return false;
	for (uint32_t i = 0; i < (*out)->n_skipped; i++)
		fprintf(stderr, "pig: warning: %s\n", err_text(&(*out)->skipped[i], c->a));
	return true;
}

bool cli_modules(struct cli *c, struct modules **out, struct err *e)
{
	struct err ignored = { 0 };
	const char *source = c->inventories.n ? c->inventories.items[0] : inventory_default(c->a, &ignored),
		   *dir = NULL;

	if (source)
		dir = inventory_source_dir(c->a, source);
	return modules_for(c, dir, out, e);
}

bool cli_world(struct cli *c, struct world *w, struct err *e)
{
	struct inventory_options o = {
		.sources = c->inventories.items,
		.n_sources = c->inventories.n,
		.extra = c->extra.items,
		.n_extra = c->extra.n,
	};

	struct vault_options v = {
		.ids = c->vault_ids.items,
		.n_ids = c->vault_ids.n,
		.files = c->vault_files.items,
		.n_files = c->vault_files.n,
		.ask = c->ask_vault,
	};

	*w = (struct world){ .a = c->a };
	if (!vault_from(&o.vault, c->a, &v, e) || !inventory_load(&w->inv, c->a, &o, e))
		return false;
	return modules_for(c, w->inv->dir, &w->modules, e);
}

bool cli_hosts(struct cli *c, const struct world *w, struct inv_host ***out, uint32_t *n, struct err *e)
{
	if (c->limit)
		return pattern_hosts(out, n, c->a, w->inv, c->limit, false, e);
	*out = w->inv->hosts;
	*n = w->inv->n_hosts;
	return true;
}
