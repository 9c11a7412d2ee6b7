/*
 * Module pgvendor: a distribution of PostgreSQL as its vendor would add it to module pgsql, without a change there: a
 * parameter, a step after a named step, another default, and one changed block of a template.
 */
#include <pig.h>

struct pgvendor {
	const char *pgvendor_edition;
	bool pgvendor_audit;
};

static const struct pig_param params[] = {
	PIG_P_ENUM(struct pgvendor, pgvendor_edition, .level = PIG_CLUSTER, .dflt = "none", .check = "none|community|enterprise",
		   .text = "Which edition a cluster is of; none leaves it as module pgsql makes it."),
	PIG_P_BOOL(struct pgvendor, pgvendor_audit, .level = PIG_CLUSTER, .dflt = "{{ pgvendor_edition == 'enterprise' }}",
		   .text = "Does the pooler record who connects?"),
};

static const struct pig_rule rules[] = {
	{ .id = "pgvendor_audit",
	  .scope = PIG_HOST,
	  .must = "not pgvendor_audit or pgvendor_edition != 'none'",
	  .say = "the audit belongs to an edition, and the cluster is of none",
	  .hint = "Set pgvendor_edition, or turn pgvendor_audit off." },
};

/* Other modules' parameters are asked for by name: they are no fields of this module's struct. */
static void release(pig_task *t)
{
	const struct pgvendor *p = t->params;
	const char *name = t->val->str(t->host->get(t, "pg_cluster"), "");

	pig_file(t, .path = "/etc/pgvendor-release", .note = "the release file",
		 .text = pig_fmt(t, "edition = %s\ncluster = %s\naudit = %s\n", p->pgvendor_edition, name,
				 p->pgvendor_audit ? "on" : "off"));
}

static const struct pig_taskdef tasks[] = {
	{ .name = "pgvendor_release", .text = "what edition this is", .tags = "pgvendor", .run = release },
};

static const struct pig_need needs[] = { { .module = "pgsql", .version = ">=0.1 <2" },
					 { .module = "pig", .version = ">=0.3" } };

/* Once the servers run and are provisioned, on the hosts of that step. */
static const struct pig_insert inserts[] = {
	{ .playbook = "pgsql",
	  .where = "after:pg_provision",
	  .name = "pgvendor",
	  .tasks = "pgvendor_release",
	  .when = "pgvendor_edition != 'none'" },
};

/* Below everything a user writes: pgbouncer_poolmode in the inventory still decides. */
static const struct pig_preset presets[] = {
	{ .param = "pgbouncer_poolmode", .dflt = "session", .when = "pgvendor_edition == 'enterprise'" },
};

/* templates/pooler.ini changes one block and passes the rest on; a user's own templates/pgsql/pgbouncer.ini leads over it. */
static const struct pig_override overrides[] = { { .tmpl = "pgsql/pgbouncer.ini", .by = "pooler.ini" } };

extern const struct pig_template pig_templates[]; /* made from templates/ */

PIG_MODULE(.name = "pgvendor", .version = "0.1.0", .text = "an edition of PostgreSQL, on top of pgsql",
	   .license = "Apache-2.0", .needs = PIG_TABLE(needs), .params_size = sizeof(struct pgvendor),
	   .params = PIG_TABLE(params), .rules = PIG_TABLE(rules), .tasks = PIG_TABLE(tasks), .inserts = PIG_TABLE(inserts),
	   .presets = PIG_TABLE(presets), .overrides = PIG_TABLE(overrides),
	   .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof(struct pig_template) });
