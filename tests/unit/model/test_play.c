/* Files of plays: what they may say, the plan they make, and the values they bring. */
#include "test_model.h"
#include "model/play.h"

static const char inventory[] =
	"all:\n"
	"  children:\n"
	"    pg-a: { hosts: { n1: { pg_seq: 1, pg_role: primary }, n2: { pg_seq: 2, pg_port: 5440 } }, vars: { pg_cluster: pg-a } }\n"
	"    pg-b: { hosts: { n3: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-b } }\n"
	"    web: { hosts: { n4: } }\n";

static struct arena *a;
static struct world w;
static struct resolvers *rs;
static struct playbook *read_last;

static bool read_plays(const char *yaml, struct err *e)
{
	char dir[] = "/tmp/pig-test.XXXXXX";

	if (!mkdtemp(dir))
		abort();
	const char *path = os_join(a, dir, "site.yml");
	*e = (struct err){ 0 };
	CHECK(os_write(path, yaml, strlen(yaml), 0600, e));
	bool ok = plays_read(&read_last, a, &w, path, e);
	unlink(path);
	rmdir(dir);
	return ok;
}

/* "step(hosts)[tasks] ...", a bar before each play's first step; or the error's message */
static const char *plan_of(const char *yaml, const struct plan_options *o, struct plan **p, struct err *e)
{
	struct buf b = BUF(a);

	if (!read_plays(yaml, e) || !plan_make(p, a, &w, rs, read_last, o, e))
		return e->msg;
	for (uint32_t i = 0; i < (*p)->n_steps; i++) {
		const struct plan_step *ps = &(*p)->steps[i];
		buf_fmt(&b, "%s%s%s(", i ? " " : "", i && ps->after == i ? "| " : "", ps->step->name);
		for (uint32_t k = 0; k < ps->n_hosts; k++)
			buf_fmt(&b, "%s%s", k ? "," : "", ps->hosts[k]->name);
		buf_str(&b, ")[");
		for (uint32_t k = 0; k < ps->n_tasks; k++)
			buf_fmt(&b, "%s%s", k ? "," : "", ps->tasks[k]->row->name);
		buf_str(&b, "]");
	}
	return buf_text(&b);
}

static void test_plans(void)
{
	struct err e;
	struct plan *p;

	/* a playbook on all its hosts, one on some, tasks under the steps they are registered in */
	CHECK_STR(plan_of("- hosts: pg-b\n  playbook: pgsql.yml\n- hosts: pg-a\n  tasks: [pg_install, pg_launch]\n", &(struct plan_options){ 0 }, &p, &e),
		  "gis0(n3)[gis_install] pg_base(n3)[pg_id,pg_install] gis(n3)[gis_install] gis2(n3)[gis_install] pg_cluster(n3)[pg_launch] "
		  "pg_users(n3)[pg_user] | pg_base(n1,n2)[pg_install] pg_cluster(n1,n2)[pg_launch]");
	CHECK_STR(plan_of("- playbook: pgsql\n", &(struct plan_options){ .tags = "pg_user", .skip_tags = "always" }, &p, &e),
		  "pg_users(n1,n2,n3)[pg_user]");
	/* tasks that follow each other in one step stay one; edges of the step are kept */
	CHECK_STR(plan_of("- { hosts: all, tasks: pg_id pg_install pg_user }\n", &(struct plan_options){ .limit = "n2:n4" }, &p, &e),
		  "pg_base(n2)[pg_id,pg_install] pg_users(n2)[pg_user]");
	CHECK(p->n_steps == 2 && p->steps[1].step->flags & PIG_ONCE);
	/* one named outright runs also when its tags say never */
	CHECK_STR(plan_of("- { hosts: n1, tasks: [pg_wipe] }\n", &(struct plan_options){ 0 }, &p, &e), "pg_cluster(n1)[pg_wipe]");
	/* a play that -l leaves without hosts is passed over */
	CHECK_STR(plan_of("- { hosts: pg-a, tasks: [pg_id] }\n- { hosts: pg-b, tasks: [pg_user] }\n", &(struct plan_options){ .limit = "n3" }, &p, &e),
		  "pg_users(n3)[pg_user]");
	/* serial: never more than the step itself allows */
	plan_of("- { hosts: pg-a, tasks: [pg_id], serial: 1 }\n- { hosts: pg-a, tasks: [pg_user] }\n", &(struct plan_options){ 0 }, &p, &e);
	CHECK(p->n_steps == 2 && p->steps[0].step->serial == 1 && p->steps[1].step->serial == 0);
	CHECK_STR(plan_of("- { hosts: ['pg-a', '!n1'], tasks: [pg_id] }\n", &(struct plan_options){ 0 }, &p, &e), "pg_base(n2)[pg_id]");
}

static void test_lists(void)
{
	struct err e;
	struct plan *p;
	struct buf b = BUF(a);

	plan_of("- { hosts: pg-b, playbook: pgsql }\n- { hosts: pg-a, tasks: [pg_user] }\n", &(struct plan_options){ 0 }, &p, &e);
	plan_list_tasks(&b, p);
	CHECK_HAS(buf_text(&b), "site.yml: 2 plays\n");
	CHECK_HAS(buf_text(&b), "  play 1 (playbook pgsql, hosts pg-b)\n  step gis0 (1 host)\n");
	CHECK_HAS(buf_text(&b), "  play 2 (tasks pg_user, hosts pg-a), waits for all\n  step pg_users (2 hosts, once per cluster)\n");
	buf_reset(&b);
	plan_list_hosts(&b, p);
	CHECK_HAS(buf_text(&b), ": 3 hosts\n  n1\n  n2\n  n3\n");
}

static void test_vars(void)
{
	static const char *const extra[] = { "pg_conf=tiny.yml", NULL };
	struct err e = { 0 };
	struct world before = w;

	w = world_of(a, inventory, extra);
	rs = resolvers_new(&w);
	CHECK(read_plays("- hosts: pg-a\n  tasks: [pg_id]\n  vars: { pg_port: 6000, pg_conf: oltp.yml, pg_dsn: 'at {{ pg_port }}' }\n", &e));
	const struct play *play = read_last->steps[0].play;
	struct resolvers *own = play->rs;
	const struct inv_host *n2 = inventory_host(w.inv, "n2"), *n3 = inventory_host(w.inv, "n3");
	/* over what hosts say, under -e; for the play's hosts alone; the run's own values are as they were */
	CHECK_INT(value_num(resolver_get(resolvers_of(own, n2), "pg_port", &e), 0), 6000);
	CHECK_STR(value_cstr(resolver_get(resolvers_of(own, n2), "pg_dsn", &e), ""), "at 6000");
	CHECK_STR(value_cstr(resolver_get(resolvers_of(own, n2), "pg_conf", &e), ""), "tiny.yml");
	CHECK_INT(value_num(resolver_get(resolvers_of(own, n3), "pg_port", &e), 0), 5432);
	CHECK_INT(value_num(resolver_get(resolvers_of(rs, n2), "pg_port", &e), 0), 5440);
	/* a wrong one is a fault with its place */
	CHECK(read_plays("- hosts: pg-a\n  tasks: [pg_id]\n  vars:\n    pg_port: 70000\n    pg_prot: 1\n", &e));
	struct faults f = { .a = a };
	play = read_last->steps[0].play;
	check_all(&f, play->w, play->rs, w.inv->hosts, 2);
	bool port = false, name = false;
	for (uint32_t i = 0; i < f.n; i++) {
		port |= f.items[i].at.file && !strcmp(tail(f.items[i].at.file), "site.yml") && f.items[i].at.line == 4 && !f.items[i].warning;
		name |= strstr(f.items[i].text, "pg_prot") && f.items[i].at.line == 5 && f.items[i].hint && strstr(f.items[i].hint, "pg_port");
	}
	CHECK(port);
	CHECK(name);
	w = before;
	rs = resolvers_new(&w);
}

struct bad { const char *yaml, *where, *say, *hint; };
static const struct bad bads[] = {
	{ "[]\n", "site.yml:1:1", "holds no plays", "playbook" },
	{ "hosts: all\n", "site.yml:1:1", "list of plays", "- " },
	{ "- pgsql\n", "site.yml:1:3", "a play is a map", "playbook: pgsql" },
	{ "- { hosts: all }\n", "site.yml:1:3", "neither \"playbook\" nor \"tasks\"", "" },
	{ "- hosts: all\n  playbook: pgsql\n  tasks: [pg_id]\n", "site.yml:3:10", "both \"playbook\" and \"tasks\"", "" },
	{ "- { tasks: [pg_id] }\n", "site.yml:1:3", "no \"hosts\"", "hosts: all" },
	{ "- playbook: pgsql\n  host: n1\n", "site.yml:2:3", "unknown key \"host\"", "Did you mean \"hosts\"?" },
	{ "- playbook: pgsql\n  become: true\n", "site.yml:2:3", "unknown key \"become\"", "hosts, playbook, tasks, vars, serial, when" },
	{ "- playbook: pgsq\n", "site.yml:1:13", "there is no playbook \"pgsq\"", "Did you mean pgsql?" },
	{ "- playbook: ./other.yml\n", "site.yml:1:13", "no file", "" },
	{ "- playbook: [pgsql]\n", "site.yml:1:13", "is a list", "" },
	{ "- hosts: all\n  tasks: [pg_id, pg_lunch]\n", "site.yml:2:18", "there is no task \"pg_lunch\"", "Did you mean \"pg_launch\"?" },
	{ "- hosts: all\n  tasks: [{ shell: ls }]\n", "site.yml:2:11", "name of a registered task", "" },
	{ "- hosts: all\n  tasks: []\n", "site.yml:2:10", "names no task", "" },
	{ "- hosts: pg-c\n  playbook: pgsql\n", "site.yml:1:10", "pg-c", "" },
	{ "- hosts: web\n  playbook: pgsql\n", "site.yml:1:10", "none of the hosts of \"web\" is one of playbook \"pgsql\"", "pg_cluster" },
	{ "- hosts: 5\n  playbook: pgsql\n", "site.yml:1:10", "hosts", "" },
	{ "- playbook: pgsql\n  serial: 0\n", "site.yml:2:11", "serial", "1 or more" },
	{ "- playbook: pgsql\n  serial: 30%\n", "site.yml:2:11", "serial", "1 or more" },
	{ "- playbook: pgsql\n  when: pg_seq ==\n", "site.yml:2:", "", "" },
	{ "- playbook: pgsql\n  when: [a]\n", "site.yml:2:9", "when", "and" },
	{ "- playbook: pgsql\n  vars: [a]\n", "site.yml:2:9", "vars", "" },
	{ "- playbook: pgsql\n  vars: { pg_cluster: x }\n", "site.yml:2:11", "which cluster", "inventory" },
	{ "- playbook: pgsql\n  vars: { pg_seq: 2 }\n", "site.yml:2:11", "tells hosts apart", "inventory" },
	{ "- playbook: pgsql\n  vars: { ansible_user: x }\n", "site.yml:2:11", "how a host is reached", "inventory" },
	{ "- playbook: pgsql\n  playbook: pgsql\n", "site.yml:2:3", "playbook", "" },
};

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
		const struct bad *b = &bads[i];
		struct err e;
		struct plan *p;

		plan_of(b->yaml, &(struct plan_options){ 0 }, &p, &e);
		CHECK_INT(e.code, E_INPUT);
		CHECK_HAS(tail(e.where), b->where);
		CHECK_HAS(e.msg, b->say);
		CHECK_HAS(e.hint, b->hint);
	}
}

int main(void)
{
	a = arena_new();
	w = world_of(a, inventory, NULL);
	rs = resolvers_new(&w);
	test_plans();
	test_lists();
	test_vars();
	test_bad();
	CHECK(play_is_file("./x.yml") && play_is_file("/x") && play_is_file("a/x.yml") && !play_is_file("x.yml"));
	arena_free(a);
	return check_done();
}
