/*
 * A module that uses something of everything, to be compiled against earlier and later forms of pig.h: see abi.sh.
 * LATER is the field a later header appends to struct pig_taskdef, SET its value; EARLIER leaves out what an earlier
 * header does not have.
 */
#include <pig.h>

struct probe {
	bool probe_on;
	int64_t probe_port;
	const char *probe_name;
	const pig_value *probe_list;
	const char *probe_pass;
};

static const struct pig_param members[] = { { .name = "name", .type = PIG_STR, .flags = PIG_REQUIRED } };
static const struct pig_param params[] = {
	PIG_P_BOOL(struct probe, probe_on, .level = PIG_CLUSTER, .dflt = "true", .text = "On?"),
	PIG_P_INT(struct probe, probe_port, .level = PIG_CLUSTER, .dflt = "5000", .check = "port", .text = "Port."),
	PIG_P_STR(struct probe, probe_name, .level = PIG_INSTANCE, .dflt = "'{{ inventory_hostname }}'",
		  .text = "Name."),
	PIG_P_LIST(struct probe, probe_list, .level = PIG_CLUSTER, .dflt = "[]", .members = PIG_TABLE(members),
		   .text = "List."),
	PIG_P_STR(struct probe, probe_pass, .level = PIG_CLUSTER, .dflt = "'Open-Sesame'", .flags = PIG_SECRET,
		  .text = "Password."),
};

static void run(pig_task *t)
{
	const struct probe *p = t->params;

	pig_shell(t, .cmd = pig_sh(t, "echo %s", p->probe_name), .reads = true);
}

static const struct pig_taskdef tasks[] = {
	{
		.name = "probe_run",
		.text = "look",
		.when = "probe_on",
		.run = run,
#ifdef LATER
		.later = SET,
#endif
	},
};
static const struct pig_step steps[] = { { .name = "probe_run", .hosts = "all", .tasks = "probe_run" } };
static const struct pig_playbook playbooks[] = { { .name = "probe", .text = "look", .steps = PIG_TABLE(steps) } };
static const struct pig_need needs[] = { { .module = "pig", .version = ">=0.1" } };

/* A rule that need not be tried again where the values are the same. */
static void rule(pig_check *c)
{
	const pig_value *port = c->api->get(c, NULL, "probe_port");

	if (c->val->num(port, 0) == 7000)
		c->api->fault(c, port, "port 7000");
}

static const struct pig_rule rules[] = {
	{
		.id = "probe_port",
		.scope = PIG_HOST,
		.check = rule,
#ifndef EARLIER
		.flags = PIG_BY_VALUES,
#endif
	},
};

#ifndef EARLIER
/* What a verb is given and may call, told line by line. */
static int verb(pig_call *c)
{
	const struct pig_values *v = c->val;
	const pig_value *lines = v->key(c->options, "line"), *shell = v->key(c->options, "sh"), *rows = c->cli->params(c);
	pig_value *map = c->cli->map(c);
	const char *out;

	for (size_t i = 0; i < v->len(c->args); i++)
		c->cli->out(c, "word %s\n", v->str(v->at(c->args, i), "?"));
	for (size_t i = 0; i < v->len(lines); i++)
		c->cli->out(c, "line %s\n", v->str(v->at(lines, i), "?"));
	c->cli->out(c, "port %d of %s, %zu hosts\n", (int)v->num(c->cli->get(c, NULL, "probe_port"), -1),
		    v->str(c->cli->get(c, NULL, "inventory_hostname"), "?"), v->len(c->cli->members(c, NULL)));
	for (size_t i = 0; i < v->len(rows); i++)
		if (v->truth(v->key(v->at(rows, i), "secret"), false))
			c->cli->out(c, "secret %s\n", v->str(v->key(v->at(rows, i), "name"), "?"));
	c->cli->put(c, map, "pass", c->cli->get(c, NULL, "probe_pass"));
	if (c->as_json)
		c->cli->print(c, map);
	if (shell) {
		const char *argv[] = { "sh", "-c", v->str(shell, ""), NULL };
		int status = c->cli->program(c, &(struct pig_program){ .size = sizeof(struct pig_program), .argv = argv,
						     .in = "told", .in_len = 4,
						     .shown = v->truth(v->key(c->options, "shown"), false) }, &out);
		c->cli->out(c, "status %d, said %s\n", status, out);
	}
	if (v->truth(v->key(c->options, "fail"), false)) {
		c->cli->fail(c, PIG_UNREACHABLE, "the probe failed");
		c->cli->hint(c, "It was asked to.");
		c->cli->out(c, "not said\n");
	}
	return PIG_FAILED; /* what failed decides, else this */
}

static const struct pig_option options[] = {
	{ .name = "line", .arg = "TEXT", .text = "a line", .letter = 'n', .many = 1 },
	{ .name = "sh", .arg = "SCRIPT", .text = "run it" },
	{ .name = "shown", .text = "with our outputs" },
	{ .name = "fail", .text = "fail" },
};
static const struct pig_verb verbs[] = {
	{ .name = "probe", .usage = "probe [WORD]", .text = "say what a verb sees", .options = PIG_TABLE(options), .run = verb,
	  .max_args = 2, .flags = PIG_INVENTORY_IF_ANY | PIG_LIMIT | PIG_JSON },
	{ .name = "check", .usage = "check", .text = "never reached: pig's own verbs lead", .run = verb },
};
#endif

PIG_MODULE(.name = "probe", .version = "1.2.3", .text = "the ABI's probe", .params_size = sizeof(struct probe),
	   .needs = PIG_TABLE(needs), .params = PIG_TABLE(params), .rules = PIG_TABLE(rules), .tasks = PIG_TABLE(tasks),
	   .playbooks = PIG_TABLE(playbooks)
#ifndef EARLIER
		   ,
	   .verbs = PIG_TABLE(verbs)
#endif
#ifdef LATER_MODULE
		   ,
	   .later = SET
#endif
);
