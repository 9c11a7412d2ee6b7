/* Selection: steps, hosts, limits, tags. */
#include "test_model.h"

static const char inventory[] =
	"all:\n"
	"  children:\n"
	"    pg-a: { hosts: { n1: { pg_seq: 1, pg_role: primary }, n2: { pg_seq: 2 } }, vars: { pg_cluster: pg-a } }\n"
	"    pg-b: { hosts: { n3: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-b } }\n"
	"    web: { hosts: { n4: } }\n";

static struct arena *a;
static struct world w;
static struct resolvers *rs;

/* "step(hosts)[tasks] ..." or the error's message. */
static const char *plan(const struct plan_options *o, struct err *e)
{
	struct plan *p;
	struct buf b = BUF(a);

	memset(e, 0, sizeof *e);
	if (!plan_make(&p, a, &w, rs, modules_playbook(w.modules, "pgsql", e), o, e))
		return e->msg;
	for (uint32_t i = 0; i < p->n_steps; i++) {
		buf_fmt(&b, "%s%s(", i ? " " : "", p->steps[i].step->name);
		for (uint32_t k = 0; k < p->steps[i].n_hosts; k++)
			buf_fmt(&b, "%s%s", k ? "," : "", p->steps[i].hosts[k]->name);
		buf_str(&b, ")[");
		for (uint32_t k = 0; k < p->steps[i].n_tasks; k++)
			buf_fmt(&b, "%s%s", k ? "," : "", p->steps[i].tasks[k]->row->name);
		buf_str(&b, "]");
	}
	return buf_text(&b);
}

static void test_hosts(void)
{
	struct err e;

	CHECK_STR(plan(&(struct plan_options){ 0 }, &e),
		  "gis0(n1,n2,n3)[gis_install] pg_base(n1,n2,n3)[pg_id,pg_install] gis(n1,n2,n3)[gis_install] gis2(n1,n2,n3)[gis_install] "
		  "pg_cluster(n1,n2,n3)[pg_launch] pg_users(n1,n2,n3)[pg_user]");
	CHECK_STR(plan(&(struct plan_options){ .limit = "pg-b", .tags = "pkg" }, &e), "pg_base(n3)[pg_id,pg_install]");
	CHECK_STR(plan(&(struct plan_options){ .limit = "n2:n3", .tags = "pg_users" }, &e), "pg_base(n2,n3)[pg_id] pg_users(n2,n3)[pg_user]");
	CHECK_STR(plan(&(struct plan_options){ .limit = "all:!pg-a", .start_at = "pg_users" }, &e), "pg_users(n3)[pg_user]");
	CHECK_HAS(plan(&(struct plan_options){ .limit = "pg-c" }, &e), "pg-c");
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(plan(&(struct plan_options){ .limit = "web" }, &e), "limit \"web\" selects none of the hosts of playbook \"pgsql\"");
	CHECK_STR(plan(&(struct plan_options){ .limit = "web", .allow_empty = true }, &e), "");
	CHECK_HAS(plan(&(struct plan_options){ .start_at = "pg_user" }, &e), "has no step \"pg_user\"");
	CHECK_HAS(e.hint, "pg_users");
}

static void test_tags(void)
{
	struct err e;

	CHECK_STR(plan(&(struct plan_options){ .tags = "launch" }, &e), "pg_base(n1,n2,n3)[pg_id] pg_cluster(n1,n2,n3)[pg_launch]");
	CHECK_STR(plan(&(struct plan_options){ .tags = "start,pg_user", .skip_tags = "always" }, &e),
		  "pg_cluster(n1,n2,n3)[pg_launch] pg_users(n1,n2,n3)[pg_user]");
	CHECK_STR(plan(&(struct plan_options){ .tags = "danger" }, &e), "pg_base(n1,n2,n3)[pg_id] pg_cluster(n1,n2,n3)[pg_wipe]");
	CHECK_STR(plan(&(struct plan_options){ .tags = "never" }, &e), "pg_base(n1,n2,n3)[pg_id] pg_cluster(n1,n2,n3)[pg_wipe]");
	CHECK_STR(plan(&(struct plan_options){ .tags = "tagged", .skip_tags = "pg_cluster" }, &e), "pg_base(n1,n2,n3)[pg_id,pg_install]");
	CHECK_STR(plan(&(struct plan_options){ .tags = "untagged", .limit = "n1" }, &e),
		  "gis0(n1)[gis_install] pg_base(n1)[pg_id] gis(n1)[gis_install] gis2(n1)[gis_install] pg_users(n1)[pg_user]");
	CHECK_STR(plan(&(struct plan_options){ .skip_tags = "gis_install,pkg,pg_id,pg_users" }, &e), "pg_cluster(n1,n2,n3)[pg_launch]");
	/* a module's name is all of its tasks but those that want to be named */
	CHECK_STR(plan(&(struct plan_options){ .tags = "gis" }, &e),
		  "gis0(n1,n2,n3)[gis_install] pg_base(n1,n2,n3)[pg_id] gis(n1,n2,n3)[gis_install] gis2(n1,n2,n3)[gis_install]");
	CHECK_STR(plan(&(struct plan_options){ .tags = "pg" }, &e),
		  "pg_base(n1,n2,n3)[pg_id,pg_install] pg_cluster(n1,n2,n3)[pg_launch] pg_users(n1,n2,n3)[pg_user]");
	CHECK_STR(plan(&(struct plan_options){ .skip_tags = "pg" }, &e), "gis0(n1,n2,n3)[gis_install] gis(n1,n2,n3)[gis_install] gis2(n1,n2,n3)[gis_install]");
	CHECK_HAS(plan(&(struct plan_options){ .tags = "lanch" }, &e), "-t: playbook \"pgsql\" has no tag, task or step \"lanch\"");
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(e.hint, "launch");
	CHECK_HAS(plan(&(struct plan_options){ .skip_tags = "zzzzzz" }, &e), "--skip-tags: playbook");
	CHECK_HAS(plan(&(struct plan_options){ .tags = "pkg", .start_at = "pg_users", .skip_tags = "always" }, &e), "no task of playbook");
}

static void test_none(void)
{
	struct err e = { 0 };
	struct plan *p;
	struct world w2 = world_of(a, "all: { hosts: { n1: } }\n", NULL);

	CHECK(!plan_make(&p, a, &w2, resolvers_new(&w2), modules_playbook(w2.modules, "pgsql", &e), &(struct plan_options){ 0 }, &e));
	CHECK_INT(e.code, E_INPUT);
	CHECK_STR(e.msg, "playbook \"pgsql\" of module \"pg\" has no hosts");
	CHECK_HAS(e.hint, "Set pg_cluster");
	/* a cluster parameter that cannot be resolved does not take its host out in silence */
	struct world w3 = world_of(a, "all: { hosts: { n1: { pg_cluster: '{{ nothing }}' } } }\n", NULL);
	CHECK(!plan_make(&p, a, &w3, resolvers_new(&w3), modules_playbook(w3.modules, "pgsql", &e), &(struct plan_options){ 0 }, &e));
	CHECK_HAS(e.msg, "nothing");
}

static void test_lists(void)
{
	struct err e = { 0 };
	struct plan *p;
	struct buf b = BUF(a);

	CHECK(plan_make(&p, a, &w, rs, modules_playbook(w.modules, "pgsql", &e), &(struct plan_options){ .limit = "n3" }, &e));
	plan_list_tasks(&b, p);
	CHECK_HAS(buf_text(&b), "step pg_users (1 host, once per cluster)");
	CHECK_HAS(buf_text(&b), "pg_launch                        launch  [launch,start]");
	buf_reset(&b);
	plan_list_hosts(&b, p);
	CHECK_STR(buf_text(&b), "playbook pgsql: 1 host\n  n3\n");
	buf_reset(&b);
	plan_list_tags(&b, p);
	CHECK_HAS(buf_text(&b), "  always\n  gis\n  gis0\n  gis2\n  gis_install\n  launch\n");
}

int main(void)
{
	a = arena_new();
	w = world_of(a, inventory, NULL);
	rs = resolvers_new(&w);
	test_hosts();
	test_tags();
	test_none();
	test_lists();
	arena_free(a);
	return check_done();
}
