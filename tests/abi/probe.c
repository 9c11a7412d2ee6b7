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
};

static const struct pig_param members[] = { { .name = "name", .type = PIG_STR, .flags = PIG_REQUIRED } };
static const struct pig_param params[] = {
	PIG_P_BOOL(struct probe, probe_on, .level = PIG_CLUSTER, .dflt = "true", .text = "On?"),
	PIG_P_INT(struct probe, probe_port, .level = PIG_CLUSTER, .dflt = "5000", .check = "port", .text = "Port."),
	PIG_P_STR(struct probe, probe_name, .level = PIG_INSTANCE, .dflt = "'{{ inventory_hostname }}'",
		  .text = "Name."),
	PIG_P_LIST(struct probe, probe_list, .level = PIG_CLUSTER, .dflt = "[]", .members = PIG_TABLE(members),
		   .text = "List."),
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

PIG_MODULE(.name = "probe", .version = "1.2.3", .text = "the ABI's probe", .params_size = sizeof(struct probe),
	   .needs = PIG_TABLE(needs), .params = PIG_TABLE(params), .tasks = PIG_TABLE(tasks),
	   .playbooks = PIG_TABLE(playbooks)
#ifdef LATER_MODULE
		   ,
	   .later = SET
#endif
);
