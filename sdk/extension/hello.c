/*
 * Module hello extends module BASE: a parameter and a step of its own among the steps of playbook BASE. Comment out what
 * you need below it: another default, a changed template. sdk/examples/pgvendor is a worked example of all four.
 */
#include <pig.h>

struct hello { /* the parameters, as tasks read them */
	bool hello_enabled;
};

static const struct pig_param params[] = {
	PIG_P_BOOL(struct hello, hello_enabled, .level = PIG_CLUSTER, .dflt = "false", .text = "Is hello in use?"),
};

/* A task says what is to be; the runner looks, compares and changes what differs. */
static void apply(pig_task *t)
{
	pig_file(t, .path = "/etc/hello.conf", .text = pig_fmt(t, "host = %s\n", t->hostname));
}

static const struct pig_taskdef tasks[] = {
	{ .name = "hello_apply", .text = "what hello brings", .when = "hello_enabled", .run = apply },
};

/* The module that is extended: its rows and templates may be named below. */
static const struct pig_need needs[] = { { .module = "BASE" } };

/* `pig doc playbook BASE` lists the steps; this one runs on the hosts of the step it stands beside. */
static const struct pig_insert inserts[] = {
	{ .playbook = "BASE", .where = "after:STEP", .name = "hello", .tasks = "hello_apply" },
};

/*
 * Another default for one of its parameters, below all that users write:
 *   static const struct pig_preset presets[] = { { .param = "...", .dflt = "...", .when = "hello_enabled" } };
 *   .presets = PIG_TABLE(presets)
 * A changed block of one of its templates, with TEMPLATES templates in CMakeLists.txt and a file templates/NAME that begins
 * with {% extends "builtin:BASE/NAME" %}:
 *   static const struct pig_override overrides[] = { { .tmpl = "BASE/NAME", .by = "NAME" } };
 *   .overrides = PIG_TABLE(overrides), .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof(struct pig_template) }
 */
PIG_MODULE(.name = "hello", .version = "0.1.0", .text = "extends BASE", .license = "Apache-2.0", .needs = PIG_TABLE(needs),
	   .params_size = sizeof(struct hello), .params = PIG_TABLE(params), .tasks = PIG_TABLE(tasks),
	   .inserts = PIG_TABLE(inserts));
