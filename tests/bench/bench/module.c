/*
 * The synthetic play: 25 templates and 25 copies of some 2 KB each, and after each of them a command that does nothing: 100
 * operations a host. The command is what a module would write, an `ensure` whose probe is content; bench_opaque makes it one
 * that has to be run each time and that the runner can know nothing of.
 */
#include <pig.h>

struct bench {
	const char *bench_dir;
	bool bench_opaque;
};

static const struct pig_param params[] = {
	PIG_P_STR(struct bench, bench_dir, .level = PIG_GLOBAL, .dflt = "/etc/bench", .check = "path", .text = "Where the files go."),
	PIG_P_BOOL(struct bench, bench_opaque, .level = PIG_GLOBAL, .dflt = "false", .text = "Commands the runner knows nothing of?"),
};

static void command(pig_task *t, const struct bench *p)
{
	if (p->bench_opaque)
		pig_shell(t, .cmd = "/bin/true");
	else
		pig_ensure(t, .probe = "/bin/true", .apply = "/bin/false");
}

static void hundred(pig_task *t)
{
	const struct bench *p = t->params;

	for (int i = 0; i < 25; i++) {
		pig_value *vars = t->host->map(t);

		t->host->put(t, vars, "n", t->host->number(t, i));
		pig_file(t, .path = pig_fmt(t, "%s/template-%02d", p->bench_dir, i), .tmpl = "bench.conf", .vars = vars, .mode = 0644);
		command(t, p);
		pig_file(t, .path = pig_fmt(t, "%s/copy-%02d", p->bench_dir, i), .src = pig_fmt(t, "bench/copy-%02d", i), .mode = 0644);
		command(t, p);
	}
}

static const struct pig_taskdef tasks[] = {
	{ .name = "hundred", .text = "100 operations", .run = hundred },
};
static const struct pig_step steps[] = {
	{ .name = "bench", .hosts = "all", .tasks = "hundred" },
};
static const struct pig_playbook playbooks[] = {
	{ .name = "bench", .text = "the synthetic play", .steps = PIG_TABLE(steps) },
};

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "bench", .version = "1.0", .text = "The synthetic play of the benchmark", .license = "Apache-2.0",
	.params_size = sizeof(struct bench), .params = PIG_TABLE(params), .tasks = PIG_TABLE(tasks),
	.playbooks = PIG_TABLE(playbooks), .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates });
