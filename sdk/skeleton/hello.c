/*
 * Module hello: greets whoever logs in. It is whole: parameters, a rule, a task, a template and a playbook; build it,
 * drop hello.so into a plugin folder, and `pig doc`, `pig check` and `pig run hello` know it.
 */
#include <pig.h>

struct hello { /* the parameters, as tasks read them */
	bool hello_enabled;
	const char *hello_text;
};

static const struct pig_param params[] = {
	PIG_P_BOOL(struct hello, hello_enabled, .level = PIG_CLUSTER, .dflt = "true", .text = "Greet on this host?"),
	PIG_P_STR(struct hello, hello_text, .level = PIG_CLUSTER, .dflt = "'This is {{ inventory_hostname }}.'",
		  .text = "What the greeting says; may name parameters and facts."),
};

static const struct pig_rule rules[] = {
	{ .id = "hello_text",
	  .scope = PIG_HOST,
	  .must = "not hello_enabled or hello_text != ''",
	  .say = "the greeting is empty",
	  .hint = "Set hello_text, or turn hello_enabled off." },
};

/* A task says what is to be; the runner looks, compares and changes what differs. */
static void greet(pig_task *t)
{
	const struct hello *p = t->params;

	pig_file(t, .path = "/etc/motd", .tmpl = "motd", .state = p->hello_enabled ? PIG_PRESENT : PIG_ABSENT);
}

static const struct pig_taskdef tasks[] = {
	{ .name = "hello_greet", .text = "write the greeting", .tags = "greet", .run = greet },
};
static const struct pig_step steps[] = { { .name = "hello_greet", .hosts = "all", .tasks = "hello_greet" } };
static const struct pig_playbook playbooks[] = { { .name = "hello", .text = "greet", .steps = PIG_TABLE(steps) } };

extern const struct pig_template pig_templates[]; /* made from templates/ */

PIG_MODULE(.name = "hello", .version = "0.1.0", .text = "greets whoever logs in", .license = "Apache-2.0",
	   .params_size = sizeof(struct hello), .params = PIG_TABLE(params), .rules = PIG_TABLE(rules),
	   .tasks = PIG_TABLE(tasks), .playbooks = PIG_TABLE(playbooks),
	   .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof(struct pig_template) });
