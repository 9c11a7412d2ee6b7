/* pig run: a playbook on the hosts it selects. Everything that can be known wrong is found before any host is touched. */
#include "cli/cli.h"
#include "base/os.h"
#include "run/confirm.h"
#include "run/lock.h"
#include "run/run.h"

#include <string.h>
#include <unistd.h>

struct run_words {
	const char *tags, *skip_tags, *start_at, *user;
	bool check, diff, list_hosts, list_tasks, list_tags, allow_empty, detailed;
	int64_t forks;
};

#define ROW(l, k, n, a, m, t) { l, k, n, a, offsetof(struct run_words, m), t }
static const struct cli_option options[] = {
	ROW('t', CLI_TEXT, "tags", "TAGS", tags, "only tasks with one of these tags"),
	ROW(0, CLI_TEXT, "skip-tags", "TAGS", skip_tags, "leave out tasks with one of these tags"),
	ROW('C', CLI_FLAG, "check", NULL, check, "say what would change, change nothing"),
	ROW('D', CLI_FLAG, "diff", NULL, diff, "show what changes in files"),
	ROW('f', CLI_NUMBER, "forks", "N", forks, "hosts at once; default: all, at most 64"),
	ROW('u', CLI_TEXT, "user", "USER", user, "log in as this user"),
	ROW(0, CLI_TEXT, "start-at", "STEP", start_at, "begin with this step"),
	ROW(0, CLI_FLAG, "list-hosts", NULL, list_hosts, "print the hosts, do nothing"),
	ROW(0, CLI_FLAG, "list-tasks", NULL, list_tasks, "print the steps and tasks, do nothing"),
	ROW(0, CLI_FLAG, "list-tags", NULL, list_tags, "print the tags, do nothing"),
	ROW(0, CLI_FLAG, "allow-empty", NULL, allow_empty, "a pattern or tag that matches nothing is no error"),
	ROW(0, CLI_FLAG, "detailed-exitcode", NULL, detailed, "with --check: 10 when something would change"),
};

static const struct cli_spec spec = {
	.usage = "run PLAYBOOK|FILE [-i INV] [-l LIMIT] [-t TAGS] [-e K=V|@FILE] [-C] [-D] ...",
	.text = "Bring the hosts of a playbook to the state the inventory describes. A second run changes nothing.\n"
		"A word with a slash, such as ./site.yml, is a file of plays: a list of maps with playbook: NAME or tasks: [NAME, ...],\n"
		"and hosts, vars, when, serial. A play begins when all hosts have done the play before.",
	.common = CLI_WORLD | CLI_LIMIT | CLI_JSON | CLI_VERBOSE | CLI_INSECURE,
	.options = options, .n_options = sizeof options / sizeof *options, .min_args = 1,
};

struct told { struct map texts; uint32_t errors; };

/* Those of one world, as far as they were not told of another. */
static void faults_tell(struct cli *c, struct told *told, const struct faults *faults)
{
	for (uint32_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->items[i];
		struct err one = { 0 };
		if (f->warning && !c->verbose)
			continue;
		fail(&one, E_INPUT, "%s%s", f->note ? "note: " : f->warning ? "warning: " : "", f->text);
		err_at(&one, f->at.file, f->at.line, f->at.col);
		if (f->hint)
			err_hint(&one, "%s", f->hint);
		const char *text = err_text(&one, c->a);
		if (map_has(&told->texts, text))
			continue;
		map_put(&told->texts, text, told);
		told->errors += !f->warning && !f->note;
		fprintf(stderr, "pig: %s\n", text);
	}
}

/* The hosts of the steps of one play, or of those without values of their own. */
static struct inv_host **hosts_of(struct cli *c, const struct world *w, const struct plan *p, const struct play *play, uint32_t *n)
{
	struct inv_host **hosts = arena_new_of(c->a, struct inv_host *, p->n_hosts);
	bool *in = arena_new_of(c->a, bool, w->inv->n_hosts);

	*n = 0;
	for (uint32_t s = 0; s < p->n_steps; s++) {
		const struct play *its = p->steps[s].step->play;
		if (its && its->rs ? its != play : play != NULL)
			continue;
		for (uint32_t i = 0; i < p->steps[s].n_hosts; i++)
			in[p->steps[s].hosts[i]->index] = true;
	}
	for (uint32_t i = 0; i < p->n_hosts; i++)
		if (in[p->hosts[i]->index])
			hosts[(*n)++] = p->hosts[i];
	return hosts;
}

/* Faults of the selected hosts, with the values of each play: errors stop the run, warnings are told. */
static bool faults_none(struct cli *c, struct world *w, struct resolvers *rs, const struct plan *p, struct err *e)
{
	struct told told = { .texts = MAP(c->a) };

	for (uint32_t i = 0; i <= p->playbook->n_plays; i++) {
		const struct play *play = i ? &p->playbook->plays[i - 1] : NULL;
		struct faults faults = { .a = c->a };
		uint32_t n;
		if (play && !play->rs)
			continue;
		struct inv_host **hosts = hosts_of(c, w, p, play, &n);
		if (!n)
			continue;
		check_all(&faults, play ? play->w : w, play ? play->rs : rs, hosts, n);
		faults_tell(c, &told, &faults);
	}
	if (!told.errors)
		return true;
	fail(e, E_INPUT, "the inventory%s ha%s %u fault%s; no host was touched", p->playbook->n_plays ? " or the plays" : "",
	     p->playbook->n_plays ? "ve" : "s", told.errors, told.errors == 1 ? "" : "s");
	return err_hint(e, p->playbook->n_plays ? "They stand above." : "pig check lists them all.");
}

/* A registered playbook, always, unless the word has a slash. */
static const struct playbook *playbook_of(struct cli *c, struct world *w, const char *word, struct err *e)
{
	struct playbook *pb;

	if (play_is_file(word))
		return plays_read(&pb, c->a, w, word, e) ? pb : NULL;
	pb = modules_playbook(w->modules, word, e);
	if (!pb && os_exists(word))
		err_hint(e, "To run the file of that name: pig run ./%s.", word);
	return pb;
}

static bool printed_only(const struct run_words *o, const struct plan *p, struct cli *c, struct err *e)
{
	struct buf b = BUF(c->a);

	if (o->list_hosts)
		plan_list_hosts(&b, p);
	if (o->list_tasks)
		plan_list_tasks(&b, p);
	if (o->list_tags)
		plan_list_tags(&b, p);
	return cli_out(buf_text(&b), b.len, e);
}

static int go(struct cli *c, struct run_words *o, struct world *w, struct resolvers *rs, struct plan *p)
{
	struct report_options ro = { .json = c->json, .check = o->check, .diff = o->diff, .verbose = (int)c->verbose,
				     .live = !c->json && isatty(STDOUT_FILENO) };
	struct run_options opts = { .check = o->check, .diff = o->diff, .forks = (int)o->forks, .insecure = c->insecure, .user = o->user };
	struct report *rep = report_new(c->a, stdout, &ro, secrets_new(c->a));
	struct err e = { 0 };
	struct run_lock *lock = NULL;
	struct confirm_options co = { .check = o->check, .out = c->json ? stderr : stdout,
				      .terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? STDIN_FILENO : -1 };

	if (!confirm_plan(c->a, w, rs, p, &co, &e))
		return cli_fail(c, &e);
	if (!o->check && !run_lock_take(&lock, c->a, w, rs, p, &e))
		return cli_fail(c, &e);
	int status = run_plan(w, rs, p, &opts, rep);
	run_lock_release(lock);
	if (!status && o->check && o->detailed && report_changed(rep))
		status = 10;
	return status;
}

int cli_run(struct cli *c, int argc, char **argv)
{
	struct run_words o = { 0 };
	struct world w;
	struct err e = { 0 };
	struct plan *plan;

	if (!cli_parse(c, &spec, &o, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (!cli_world(c, &w, &e))
		return cli_fail(c, &e);
	const struct playbook *pb = playbook_of(c, &w, c->args.items[0], &e);
	if (!pb)
		return cli_fail(c, &e);
	struct resolvers *rs = resolvers_new(&w);
	struct plan_options po = { .limit = c->limit, .tags = o.tags, .skip_tags = o.skip_tags, .start_at = o.start_at, .allow_empty = o.allow_empty };
	if (!plan_make(&plan, c->a, &w, rs, pb, &po, &e))
		return cli_fail(c, &e);
	if (o.list_hosts || o.list_tasks || o.list_tags)
		return printed_only(&o, plan, c, &e) ? 0 : cli_fail(c, &e);
	if (!faults_none(c, &w, rs, plan, &e))
		return cli_fail(c, &e);
	return go(c, &o, &w, rs, plan);
}
