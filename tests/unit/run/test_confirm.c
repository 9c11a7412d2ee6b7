/* Destructive steps: what is told, what has to be named, what a safeguard forbids; playbooks made of playbooks. */
#include "../model/test_model.h" /* modules pg and gis */
#include "run/confirm.h"

static void task_none(pig_task *t)
{
	(void)t;
}
struct rm { bool rm_safeguard; const char *rm_secret; };
static const struct pig_param rm_params[] = {
	PIG_P_BOOL(struct rm, rm_safeguard, .level = PIG_CLUSTER, .dflt = "false", .text = "Guard."),
	PIG_P_STR(struct rm, rm_secret, .level = PIG_CLUSTER, .dflt = "hidden", .flags = PIG_SECRET, .text = "Secret."),
};
static const struct pig_taskdef rm_tasks[] = { { .name = "rm_look", .run = task_none }, { .name = "rm_data", .run = task_none } };
static const struct pig_step rm_steps[] = {
	{ .name = "rm_look", .hosts = "all", .tasks = "rm_look" },
	{ .name = "rm_data", .hosts = "n1,n2", .tasks = "rm_data", .when = "inventory_hostname == 'n1'", .flags = PIG_DESTRUCTIVE,
	  .loses = "data of {{ inventory_hostname }}", .safeguard = "rm_safeguard" },
};
static const struct pig_step all_steps[] = {
	{ .name = "clusters", .playbook = "pgsql.yml", .hosts = "all" },
	{ .name = "absent", .playbook = "nobody", .hosts = "all" },
	{ .name = "rm", .playbook = "rm", .hosts = "all" },
};
static const struct pig_playbook rm_books[] = {
	{ .name = "rm", .steps = PIG_TABLE(rm_steps) }, { .name = "everything", .steps = PIG_TABLE(all_steps) },
};
static const struct pig_module rm_module = {
	.magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR, .size = sizeof rm_module, .name = "rm", .version = "1",
	.params = PIG_TABLE(rm_params), .params_size = sizeof(struct rm), .tasks = PIG_TABLE(rm_tasks), .playbooks = PIG_TABLE(rm_books),
};

static struct arena *a;
static const char *said;

static struct modules *joined(void)
{
	const struct pig_module *const list[] = { &rm_module, &gis_module, &pg_module };
	struct modules *ms;
	struct err e = { 0 };

	if (!join(&ms, a, list, 3, &e))
		bug("%s", err_text(&e, a));
	return ms;
}

static bool confirm(const char *book, const char *extra, bool check, struct err *e)
{
	static const char inv[] = "all:\n  hosts: { n1: { rm_safeguard: false }, n2: , n3: { pg_cluster: c, pg_seq: 1, pg_role: primary } }\n";
	const char *const words[] = { extra, NULL };
	struct world w = world_of(a, inv, words);
	struct modules *ms = joined();
	struct plan *p;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool ok;

	w.modules = ms;
	struct resolvers *rs = resolvers_new(&w);
	memset(e, 0, sizeof *e);
	ok = plan_make(&p, a, &w, rs, modules_playbook(ms, book, e), &(struct plan_options){ 0 }, e) &&
	     confirm_plan(a, &w, rs, p, &(struct confirm_options){ .check = check, .out = out, .terminal = -1 }, e);
	fclose(out);
	said = arena_str(a, text);
	free(text);
	return ok;
}

int main(void)
{
	struct err e;

	a = arena_new();
	CHECK(confirm("pgsql", NULL, false, &e));
	CHECK_STR(said, "");
	CHECK(!confirm("rm", NULL, false, &e));
	CHECK_STR(said, "What would be lost (n1):\n  n1: data of n1\n");
	CHECK_INT(e.code, E_INPUT);
	CHECK_STR(e.msg, "\"n1\" would be destroyed and was not named; no host was touched");
	CHECK_STR(e.hint, "If that is what you want: -e confirm=n1");
	CHECK(!confirm("rm", "confirm=n2", false, &e));
	CHECK(confirm("rm", "confirm=n1", false, &e));
	CHECK(confirm("rm", "confirm=n2,n1", false, &e));
	CHECK(confirm("rm", NULL, true, &e));
	CHECK_HAS(said, "data of n1");
	CHECK(!confirm("rm", "confirm=n1 rm_safeguard=true", false, &e));
	CHECK_HAS(e.msg, "rm_safeguard is on for host \"n1\"");
	CHECK_HAS(e.hint, "-e rm_safeguard=false");

	/* a playbook of playbooks has their steps with all inserts, and what they destroy is asked for too */
	CHECK(!confirm("everything", NULL, false, &e));
	CHECK_HAS(e.msg, "\"n1\" would be destroyed");
	CHECK(confirm("everything", "confirm=n1", false, &e));
	struct modules *ms = joined();
	const struct playbook *p = modules_playbook(ms, "everything", &e);
	CHECK_STR(p->steps[0].name, "gis0");
	CHECK_STR(p->steps[1].name, "pg_base");
	CHECK_STR(p->steps[p->n_steps - 1].name, "rm_data");
	CHECK_INT(p->n_steps, modules_playbook(ms, "pgsql", &e)->n_steps + 2);
	arena_free(a);
	return check_done();
}
