/* Modules in memory: the ABI's growth rules, rows that are wrong, needs, inserts, presets, lookups. */
#include "test_model.h"

static struct arena *a;

/* ---- growth ---- */
struct long_module { struct pig_module m; uint64_t later; };
struct long_param { struct pig_param p; const char *later; };
struct short_task { const char *name, *text, *tags, *when; void (*run)(pig_task *); }; /* before limit_s */

static void test_growth(void)
{
	struct module *m;
	struct err e = { 0 };
	struct long_module lm = { .m = pg_module };
	struct long_param lp[] = { { .p = gis_params[0] } };
	const struct short_task st[] = { { .name = "gis_install", .text = "x", .run = task_run } };

	/* a longer struct whose tail is zero, then one that is not */
	lm.m.size = sizeof lm;
	CHECK(module_of(&m, a, "long.so", &lm.m, sizeof lm, &e));
	lm.later = 1;
	CHECK(!module_of(&m, a, "long.so", &lm.m, sizeof lm, &e));
	CHECK_INT(e.code, E_MODULE);
	CHECK_HAS(e.msg, "module long.so: sets a field that this pig does not know");
	/* a size that is not there */
	lm.m.size = 4096;
	CHECK(!module_of(&m, a, "long.so", &lm.m, sizeof lm, &e));
	CHECK_HAS(e.msg, "its size is given as 4096 bytes");

	/* shorter: what was not there yet is zero */
	struct pig_module sm = gis_module;
	sm.size = offsetof(struct pig_module, presets);
	CHECK(module_of(&m, a, "short.so", &sm, sm.size, &e));
	CHECK_INT(m->n_params, 1);
	CHECK_INT(m->n_tasks, 0);
	sm.size = 16;
	CHECK(!module_of(&m, a, "short.so", &sm, sizeof sm, &e));

	/* rows */
	sm = gis_module;
	sm.tasks = (struct pig_table)PIG_TABLE(st);
	CHECK(module_of(&m, a, "rows.so", &sm, sizeof sm, &e));
	CHECK_STR(m->tasks[0].row->name, "gis_install");
	CHECK_INT(m->tasks[0].row->limit_s, 0);
	sm.params = (struct pig_table)PIG_TABLE(lp);
	CHECK(module_of(&m, a, "rows.so", &sm, sizeof sm, &e));
	lp[0].later = "x";
	CHECK(!module_of(&m, a, "rows.so", &sm, sizeof sm, &e));
	CHECK_HAS(e.msg, "row 1 of its params sets a field that this pig does not know");
	CHECK_HAS(e.hint, "newer pig");
	sm.params = (struct pig_table){ NULL, 3, 8 };
	CHECK(!module_of(&m, a, "rows.so", &sm, sizeof sm, &e));
	CHECK_HAS(e.msg, "its table params is broken");
	/* nested rows: a longer step */
	struct { struct pig_step s; uint64_t later; } ls[] = { { .s = pg_steps[0], .later = 7 } };
	struct pig_playbook books[] = { { .name = "x", .steps = { ls, 1, sizeof ls[0] } } };
	sm = pg_module;
	sm.playbooks = (struct pig_table)PIG_TABLE(books);
	CHECK(!module_of(&m, a, "steps.so", &sm, sizeof sm, &e));
	CHECK_HAS(e.msg, "playbook \"x\": row 1 of its steps sets a field");
	/* nested rows: a longer member */
	struct { struct pig_param p; uint64_t later; } mm[] = { { .p = { .name = "k", .type = PIG_STR }, .later = 1 } };
	struct pig_param pp[] = { { .name = "m", .type = PIG_MAP, .level = 1, .members = { mm, 1, sizeof mm[0] } } };
	sm = gis_module;
	sm.params = (struct pig_table)PIG_TABLE(pp);
	CHECK(!module_of(&m, a, "members.so", &sm, sizeof sm, &e));
	CHECK_HAS(e.msg, "parameter \"m\": row 1 of its members sets a field");
}

static void test_head(void)
{
	struct module *m;
	struct err e = { 0 };
	struct pig_module x = gis_module;

	x.magic = 1;
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
	CHECK_HAS(e.msg, "its pig_module is none");
	x = gis_module;
	x.major = 7;
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
	CHECK_HAS(e.msg, arena_fmt(a, "built for ABI 7.%d, this pig has %d.%d", PIG_ABI_MINOR, PIG_ABI_MAJOR, PIG_ABI_MINOR));
	x = gis_module;
	x.minor = 9; /* later, and nothing of it used */
	CHECK(module_of(&m, a, "x.so", &x, sizeof x, &e));
	x.version = "";
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
	x = gis_module;
	x.name = "a b";
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
}

/* ---- rows ---- */
static void param_bad(struct pig_param row, const char *want)
{
	struct pig_module x = gis_module;
	struct module *m;
	struct err e = { 0 };

	x.params = (struct pig_table){ &row, 1, sizeof row };
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
	CHECK_INT(e.code, E_MODULE);
	CHECK_HAS(e.msg, want);
}

static void test_params(void)
{
	const struct pig_param ok = gis_params[0];
	struct pig_param p;

	p = ok, p.name = "a-b", param_bad(p, "parameter \"a-b\" is no name");
	p = ok, p.name = "node_cpu", param_bad(p, "is a name that pig keeps for itself");
	p = ok, p.type = 77, param_bad(p, "has no type that this pig knows");
	p = ok, p.level = 0, param_bad(p, "has no level");
	p = ok, p.flags = 1 << 9, param_bad(p, "has a flag that this pig does not know");
	p = ok, p.offset = 1, param_bad(p, "lies outside the module's parameter struct");
	p = ok, p.dflt = "abc", param_bad(p, "takes true or false, not \"abc\"");
	p = ok, p.dflt = "[", param_bad(p, "its default is no YAML");
	p = ok, p.check = "prot", param_bad(p, "\"prot\" is no known form");
	p = ok, p.check = "/(/", param_bad(p, "is no regular expression");
	p = ok, p.type = PIG_ENUM, param_bad(p, "an enum needs its choices");
	p = ok, p.members = (struct pig_table)PIG_TABLE(gis_params), param_bad(p, "has members and is neither list nor map");

	struct { bool a, b; } s;
	struct pig_param two[] = { ok, ok };
	struct pig_module x = gis_module;
	struct module *m;
	struct err e = { 0 };
	(void)s;
	x.params = (struct pig_table)PIG_TABLE(two);
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
	CHECK_HAS(e.msg, "parameter \"gis_enabled\" is there twice");
	two[1].name = "other";
	CHECK(!module_of(&m, a, "x.so", &x, sizeof x, &e));
	CHECK_HAS(e.msg, "share a field");
}

static void module_bad(const struct pig_module *x, const char *want)
{
	struct module *m;
	struct err e = { 0 };

	CHECK(!module_of(&m, a, "x.so", x, sizeof *x, &e));
	CHECK_HAS(e.msg, want);
}

static void test_rows(void)
{
	struct pig_module x = pg_module;
	struct pig_taskdef task = pg_tasks[0];
	struct pig_step step = pg_steps[0];
	struct pig_playbook book = { .name = "b", .steps = { &step, 1, sizeof step } };
	struct pig_rule rule = pg_rules[0];
	struct pig_insert insert = gis_inserts[0];
	struct pig_template tmpl = pg_templates[0];

	x.tasks = (struct pig_table){ &task, 1, sizeof task };
	task.run = NULL, module_bad(&x, "task \"pg_install\" has no .run");
	task = pg_tasks[0], task.when = "a ==", module_bad(&x, "its expression \"a ==\" is broken");
	x = pg_module;
	x.playbooks = (struct pig_table){ &book, 1, sizeof book };
	step.tasks = " ", module_bad(&x, "step \"pg_base\" has no tasks");
	step = pg_steps[0], step.flags = 64, module_bad(&x, "has a flag that this pig does not know");
	step = pg_steps[0], step.needs = "etcd", module_bad(&x, "is not written module.step");
	step = pg_steps[0], step.first = "(", module_bad(&x, "is broken");
	x.cluster = NULL;
	x.rules = (struct pig_table){ NULL, 0, 0 };
	step = pg_steps[0], module_bad(&x, "needs .hosts: the module has no .cluster");
	x = pg_module;
	x.rules = (struct pig_table){ &rule, 1, sizeof rule };
	rule.must = NULL, module_bad(&x, "needs one of .must and .check");
	rule = pg_rules[0], rule.scope = 9, module_bad(&x, "has no scope");
	rule = pg_rules[0], rule.flags = 2, module_bad(&x, "has a flag that this pig does not know");
	x = gis_module;
	x.inserts = (struct pig_table){ &insert, 1, sizeof insert };
	insert.where = "behind:x", module_bad(&x, "does not say where");
	x = pg_module;
	x.templates = (struct pig_table){ &tmpl, 1, sizeof tmpl };
	tmpl.name = "../x", module_bad(&x, "is no relative path");
	tmpl.name = "a/../../x", module_bad(&x, "is no relative path");
	tmpl.name = "/x", module_bad(&x, "is no relative path");
}

/* ---- joining ---- */
static void test_join(void)
{
	const struct pig_module *both[] = { &gis_module, &pg_module };
	struct modules *ms;
	struct err e = { 0 };

	if (!CHECK(join(&ms, a, both, 2, &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	CHECK_INT(ms->n, 2);
	CHECK_STR(ms->list[0]->m->name, "pg"); /* needed ones first */
	CHECK_INT(ms->n_params, sizeof pg_params / sizeof *pg_params + 1);
	CHECK(modules_get(ms, "gis") == ms->list[1] && !modules_get(ms, "none"));

	struct playbook *p = modules_playbook(ms, "pgsql.yml", &e);
	CHECK(p && p == modules_playbook(ms, "pgsql", &e));
	CHECK_INT(p->n_steps, 6);
	const char *order[] = { "gis0", "pg_base", "gis", "gis2", "pg_cluster", "pg_users" };
	for (uint32_t i = 0; i < 6; i++)
		CHECK_STR(p->steps[i].name, order[i]);
	CHECK(p->steps[2].when && p->steps[4].first && !strcmp(p->steps[2].module->m->name, "pg"));
	CHECK(!modules_playbook(ms, "pqsql", &e));
	CHECK_INT(e.code, E_INPUT);
	CHECK_HAS(e.hint, "Did you mean pgsql?");

	CHECK_STR(modules_alias(ms, "debian12", "postgres"), "postgresql");
	CHECK_STR(modules_alias(ms, "el9", "postgres"), "postgresql-server");
	CHECK_STR(modules_alias(ms, "el9", "vim"), "vim");

	const char *file;
	size_t len;
	const char *text = module_template(ms->list[0], a, NULL, "pg.conf", &file, &len, &e);
	CHECK_STR(text, "port = {{ pg_port }}\n");
	CHECK_STR(file, "builtin:pg/pg.conf");
	CHECK(module_template(ms->list[0], a, "/nonexistent", "builtin:pg/pg.conf", &file, &len, &e));
	CHECK(!module_template(ms->list[0], a, NULL, "pg.cnf", &file, &len, &e));
	CHECK_HAS(e.hint, "pg.conf");
	CHECK(!module_template(ms->list[0], a, NULL, "../x", &file, &len, &e));
	/* the user's file leads, the shipped one can still be asked for */
	char dir[] = "/tmp/pig-test.XXXXXX";
	CHECK(mkdtemp(dir) != NULL);
	CHECK(os_mkdirs(arena_fmt(a, "%s/templates/pg", dir), 0755, &e));
	CHECK(os_write(arena_fmt(a, "%s/templates/pg/pg.conf", dir), "mine", 4, 0644, &e));
	CHECK_STR(module_template(ms->list[0], a, dir, "pg.conf", &file, &len, &e), "mine");
	CHECK_HAS(file, "/templates/pg/pg.conf");
	CHECK_STR(module_template(ms->list[0], a, dir, "builtin:pg/pg.conf", &file, &len, &e), "port = {{ pg_port }}\n");
	unlink(arena_fmt(a, "%s/templates/pg/pg.conf", dir));
	rmdir(arena_fmt(a, "%s/templates/pg", dir));
	rmdir(arena_fmt(a, "%s/templates", dir));
	rmdir(dir);
}

/* ---- templates of other modules ---- */
static const char *rendered(struct modules *ms, const char *dir, struct err *e)
{
	struct inv_host h = { .name = "h", .vars = value_map(a) }, *hosts[] = { &h };
	struct inventory inv = { .dir = dir, .extra = value_map(a), .hosts = hosts, .n_hosts = 1 };
	struct world w = { .a = a, .inv = &inv, .modules = ms };
	struct scope s = resolver_scope(resolver_new(&w, &h), a, modules_get(ms, "pg"), NULL);
	struct buf out = BUF(a);
	struct tmpl *t;
	const char *file, *text;
	size_t len;

	inv.host_index = inv.group_index = MAP(a);
	text = module_template(modules_get(ms, "pg"), a, dir, "pg.conf", &file, &len, e);
	if (!text || !tmpl_parse(&t, a, file, text, len, (struct origin){ file, 1, 1 }, e) ||
	    !tmpl_render(t, a, &s, &out, NULL, e))
		return NULL;
	return buf_text(&out);
}

static void test_overrides(void)
{
#define TEXT(n, s) { .name = (n), .data = (s), .len = sizeof(s) - 1 }
	static const struct pig_template base[] = { TEXT("pg.conf", "{% block a %}1{% endblock %} {% block b %}2{% endblock %} {% block c %}3{% endblock %}") },
		one[] = { TEXT("x/over", "{% extends 'builtin:pg/pg.conf' %}{% block a %}gis{% endblock %}{% block b %}{{ super() }}+gis{% endblock %}") },
		two[] = { TEXT("over", "{% extends 'builtin:pg/pg.conf' %}{% block b %}{{ super() }}+geo{% endblock %}") };
	static const char mine[] = "{% extends 'builtin:pg/pg.conf' %}{% block a %}mine{% endblock %}";
	static const struct pig_override first[] = { { "pg/pg.conf", "x/over" } }, second[] = { { "pg/pg.conf", "over" } },
		nowhere[] = { { "pg/pg.cnf", "over" } };
	static const struct pig_need of_pg[] = { { .module = "pg" } };
	struct pig_module pg = pg_module, gis = gis_module, geo = gis_module;
	const struct pig_module *const all[] = { &geo, &gis, &pg };
	struct modules *ms;
	struct err e = { 0 };

	pg.templates = (struct pig_table)PIG_TABLE(base);
	gis.templates = (struct pig_table)PIG_TABLE(one);
	gis.overrides = (struct pig_table)PIG_TABLE(first);
	geo = (struct pig_module){ .magic = PIG_MAGIC, .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR, .size = sizeof geo, .name = "geo",
		.version = "1", .needs = PIG_TABLE(gis_needs), .templates = PIG_TABLE(two), .overrides = PIG_TABLE(second) };
	geo.needs = (struct pig_table)PIG_TABLE(of_pg);
	CHECK(join(&ms, a, all + 1, 2, &e));
	CHECK_STR(rendered(ms, NULL, &e), "gis 2+gis 3");
	/* in order of need, each on top of what was there; the first found comes first where neither needs the other */
	CHECK(join(&ms, a, all, 3, &e));
	CHECK_INT(ms->n_skipped, 0);
	CHECK_STR(rendered(ms, NULL, &e), "gis 2+geo+gis 3");
	/* the user's file is above all modules' */
	char dir[] = "/tmp/pig-test.XXXXXX";
	CHECK(mkdtemp(dir) != NULL);
	CHECK(os_mkdirs(arena_fmt(a, "%s/templates/pg", dir), 0755, &e));
	CHECK(os_write(arena_fmt(a, "%s/templates/pg/pg.conf", dir), mine, sizeof mine - 1, 0644, &e));
	CHECK_STR(rendered(ms, dir, &e), "mine 2+geo+gis 3");
	unlink(arena_fmt(a, "%s/templates/pg/pg.conf", dir));
	rmdir(arena_fmt(a, "%s/templates/pg", dir));
	rmdir(arena_fmt(a, "%s/templates", dir));
	rmdir(dir);
	/* what fits nothing leaves its module out, the rest goes on */
	geo.overrides = (struct pig_table)PIG_TABLE(nowhere);
	CHECK(join(&ms, a, all, 3, &e));
	CHECK_INT(ms->n_skipped, 1);
	CHECK_HAS(ms->skipped[0].msg, "module geo.so: overrides template \"pg/pg.cnf\", which no module has");
	CHECK_STR(rendered(ms, NULL, &e), "gis 2+gis 3");
	geo.overrides = (struct pig_table)PIG_TABLE(second);
	geo.needs = (struct pig_table){ 0 };
	CHECK(join(&ms, a, all, 3, &e));
	CHECK_INT(ms->n_skipped, 1);
	CHECK_HAS(ms->skipped[0].msg, "of a module that it does not need");
	geo.overrides = (struct pig_table)PIG_TABLE(first);
	struct module *m;
	CHECK(!module_of(&m, a, "geo.so", &geo, sizeof geo, &e));
	CHECK_HAS(e.msg, "names no template of the module in .by");
}

static void test_join_bad(void)
{
	struct modules *ms;
	struct err e = { 0 };
	const struct pig_module *alone[] = { &gis_module };

	/* a need that is missing, too old, circular */
	CHECK(!join(&ms, a, alone, 1, &e));
	CHECK_INT(e.code, E_MODULE);
	CHECK_HAS(e.msg, "module \"gis\" needs module \"pg\" >=0.1 <2, which is not loaded");
	struct pig_module old = pg_module;
	old.version = "2.0.1";
	const struct pig_module *pair[] = { &gis_module, &old };
	CHECK(!join(&ms, a, pair, 2, &e));
	CHECK_HAS(e.msg, "needs \"pg\" >=0.1 <2, and 2.0.1 is loaded");
	const struct pig_need back[] = { { .module = "gis" } };
	old = pg_module;
	old.needs = (struct pig_table)PIG_TABLE(back);
	CHECK(!join(&ms, a, pair, 2, &e));
	CHECK_HAS(e.msg, "need each other");
	const struct pig_need future[] = { { .module = "pig", .version = ">=0.9" } };
	old.needs = (struct pig_table)PIG_TABLE(future);
	CHECK(!join(&ms, a, pair, 2, &e));
	CHECK_HAS(e.msg, arena_fmt(a, "needs \"pig\" >=0.9, and %d.%d is loaded", PIG_ABI_MAJOR, PIG_ABI_MINOR));

	/* two modules claim a name: both files are told */
	struct pig_module twin = gis_module;
	twin.name = "twin";
	const struct pig_module *three[] = { &gis_module, &twin, &pg_module };
	CHECK(!join(&ms, a, three, 3, &e));
	CHECK_HAS(e.msg, "parameter \"gis_enabled\" is claimed by two modules");
	CHECK_HAS(e.detail, "gis.so");
	CHECK_HAS(e.detail, "twin.so");
	twin.params = twin.tasks = twin.inserts = (struct pig_table){ NULL, 0, 0 };
	CHECK(!join(&ms, a, three, 3, &e));
	CHECK_HAS(e.msg, "the preset of parameter \"pg_conf\" is claimed by two modules");

	/* one that fails by itself is left out, the rest goes on */
	const struct pig_insert lost[] = { { .playbook = "pgsql", .where = "after:nowhere", .name = "l", .tasks = "gis_install" } };
	struct pig_module bad = gis_module;
	bad.inserts = (struct pig_table)PIG_TABLE(lost);
	const struct pig_module *with_bad[] = { &bad, &pg_module };
	memset(&e, 0, sizeof e);
	CHECK(join(&ms, a, with_bad, 2, &e));
	CHECK_INT(ms->n, 1);
	CHECK_INT(ms->n_skipped, 1);
	CHECK_HAS(ms->skipped[0].msg, "module gis.so: step \"l\" goes after step \"nowhere\"");
	CHECK(!map_has(&ms->params, "gis_enabled"));
	/* unless it is needed */
	struct pig_step lost_step[] = { { .name = "s", .hosts = "all", .tasks = "pg_instal" } };
	struct pig_playbook lost_book[] = { { .name = "lost", .steps = PIG_TABLE(lost_step) } };
	struct pig_module broken = pg_module;
	broken.playbooks = (struct pig_table)PIG_TABLE(lost_book);
	const struct pig_module *with_broken[] = { &gis_module, &broken };
	CHECK(!join(&ms, a, with_broken, 2, &e));
	CHECK_HAS(e.msg, "module \"gis\" needs module \"pg\": module pg.so: playbook \"lost\": step \"s\" names task \"pg_instal\"");
	CHECK_HAS(e.hint, "pg_install");
	const struct pig_preset none[] = { { .param = "pg_none", .dflt = "1" } };
	bad = gis_module;
	bad.presets = (struct pig_table)PIG_TABLE(none);
	CHECK(join(&ms, a, with_bad, 2, &e));
	CHECK_HAS(ms->skipped[0].msg, "presets parameter \"pg_none\", which no module registers");
	const struct pig_preset unfit[] = { { .param = "pg_port", .dflt = "many" } };
	bad.presets = (struct pig_table)PIG_TABLE(unfit);
	CHECK(join(&ms, a, with_bad, 2, &e));
	CHECK_INT(ms->n_skipped, 1);
	CHECK_HAS(ms->skipped[0].msg, "takes a whole number, not \"many\"");
}

static void test_versions(void)
{
	CHECK(version_fits("1.2.3", ">=1.2 <2"));
	CHECK(!version_fits("2", ">=1.2 <2"));
	CHECK(!version_fits("1.1.9", ">=1.2 <2"));
	CHECK(version_fits("1.10", ">1.9"));
	CHECK(version_fits("1.2.0", "1.2"));
	CHECK(!version_fits("1.2.1", "=1.2"));
	CHECK(version_fits("1", ""));
	CHECK(version_fits("1", NULL));
	CHECK(version_fits("0.3", "!=0.2, <=0.3"));
	CHECK(version_range_valid(">=1.2 <2") && !version_range_valid(">=") && !version_range_valid("abc"));
}

int main(void)
{
	a = arena_new();
	test_growth();
	test_head();
	test_params();
	test_rows();
	test_join();
	test_overrides();
	test_join_bad();
	test_versions();
	arena_free(a);
	return check_done();
}
