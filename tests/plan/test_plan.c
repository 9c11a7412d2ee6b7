/*
 * Fixtures: an inventory, facts and answers against the operations a task must ask for. Every file named on the
 * command line is one; PLAN_WRITE=1 writes what was recorded into it, for a person to read and commit.
 *
 *     module: node
 *     host: 10.10.10.10
 *     tasks: node_hosts node_resolv
 *     inventory: { all: { hosts: { 10.10.10.10: {} } } }
 *     facts: { os_package: deb }
 *     answers: { 'present name servers': "nameserver 1.1.1.1" }   # by a part of note or command; or {out:, status:}
 *     changed: [ 'unit etcd' ]        # operations that count as changed
 *     unreachable: [ 10.10.10.12 ]    # hosts `on` cannot reach;  away: hosts outside the run
 *     published: { etcd_join: true }  # by earlier steps
 *     show: [ etcd.conf ]             # templates whose text stands in expect
 *     expect: |
 */
#include "check.h"
#include "plan_host.h"
#include "base/os.h"

#include <stdlib.h>
#include <string.h>

static bool world_make(struct plan_case *c, const char *dir, struct err *e)
{
	struct arena *a = c->a;
	struct buf b = BUF(a);
	struct yaml_style style = { .indent = 2 };
	const char *file = arena_fmt(a, "%s/inventory.yml", dir);
	const char *plugins = BUILD_DIR "/plugins";
	struct inventory_options io = { .sources = &file, .n_sources = 1 };
	struct module_options mo = { .dirs = &plugins, .n_dirs = 1, .inventory_dir = dir };

	c->w = arena_get(a, sizeof *c->w);
	c->w->a = a;
	if (!value_to_yaml(&b, value_get(c->fixture, "inventory"), &style) || !os_write(file, buf_text(&b), b.len,
		0600, e) ||
	    !inventory_load(&c->w->inv, a, &io, e) || !modules_load(&c->w->modules, a, &mo, e))
		return false;
	c->rs = resolvers_new(c->w);
	return true;
}

static bool tasks_run(struct plan_case *c, struct err *e)
{
	const struct module *m = modules_get(c->w->modules, value_cstr(value_get(c->fixture, "module"), ""));
	struct inv_host *h = inventory_host(c->w->inv, value_cstr(value_get(c->fixture, "host"), ""));

	if (!m || !h)
		return fail(e, E_INPUT, "no such module or host");
	resolver_facts(resolvers_of(c->rs, h), value_get(c->fixture, "facts"));
	for (const char *p = value_cstr(value_get(c->fixture, "tasks"), ""); *p;) {
		size_t n = strcspn(p, " ");
		const char *name = arena_strn(c->a, p, n);
		const struct task_row *row = NULL;
		for (uint32_t i = 0; i < m->n_tasks; i++)
			if (!strcmp(m->tasks[i].row->name, name))
				row = &m->tasks[i];
		if (!row)
			return fail(e, E_INPUT, "no such task: %s", name);
		if (!plan_run(c, m, row->row, h, e))
			return false;
		p += n + (p[n] == ' ');
	}
	return true;
}

/* Put what was recorded in place of the fixture's last key. */
static bool rewrite(struct plan_case *c, const char *path, const char *source, struct err *e)
{
	const char *at = strstr(source, "\nexpect:");
	struct buf b = BUF(c->a);

	buf_add(&b, source, at ? (size_t)(at - source) + 1 : strlen(source));
	buf_str(&b, "expect: |\n");
	for (const char *p = buf_text(&c->out); *p; p += strcspn(p, "\n"), p += *p == '\n')
		buf_fmt(&b, "  %.*s\n", (int)strcspn(p, "\n"), p);
	return os_write(path, buf_text(&b), b.len, 0644, e);
}

static void fixture(const char *path, const char *dir)
{
	struct arena *a = arena_new();
	struct plan_case c = { .a = a, .published = value_map(a), .out = BUF(a) };
	struct buf source = BUF(a);
	struct value *v;
	struct err e = { 0 };
	bool ok = os_read(&source, path, 0, &e) && value_from_yaml(&v, a, path, buf_text(&source), source.len, &e);

	c.fixture = ok ? v : NULL;
	ok = ok && world_make(&c, dir, &e) && tasks_run(&c, &e);
	if (!ok) {
		fprintf(stderr, "%s: %s %s %s\n", path, e.where, e.msg, e.detail);
	} else if (getenv("PLAN_WRITE")) {
		ok = rewrite(&c, path, buf_text(&source), &e);
	} else if (strcmp(buf_text(&c.out), value_cstr(value_get(c.fixture, "expect"), ""))) {
		struct buf d = BUF(a);
		const char *want = value_cstr(value_get(c.fixture, "expect"), "");
		diff_text(&d, path, want, strlen(want), "recorded", buf_text(&c.out), c.out.len);
		fprintf(stderr, "%s", buf_text(&d));
		ok = false;
	}
	CHECK(ok);
	arena_free(a);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/pig-plan.XXXXXX";

	setenv("HOME", "/nonexistent", 1); /* whose keys would be the operator's */
	if (!mkdtemp(dir))
		return 1;
	for (int i = 1; i < argc; i++)
		fixture(argv[i], dir);
	char file[64];
	snprintf(file, sizeof file, "%s/inventory.yml", dir);
	remove(file);
	remove(dir);
	return check_done();
}
