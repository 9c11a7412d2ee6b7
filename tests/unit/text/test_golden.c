/* Templates like those of a database cluster, against what stock Jinja2 made of them (tests/golden/tmpl, regenerate.py
 * there). */
#include <dirent.h>

#include "base/os.h"
#include "check.h"
#include "text/tmpl.h"

static struct value *get(void *ctx, const char *name, struct err *e)
{
	(void)e;
	return value_get(ctx, name);
}

static bool read_yaml(struct arena *a, const char *path, struct value **v, struct err *e)
{
	struct buf text = BUF(a);

	return os_read(&text, path, 0, e) && value_from_yaml(v, a, path, text.p, text.len, e);
}

static void golden(struct value *vars, const char *path)
{
	struct arena *a = arena_new();
	const struct scope scope = { .get = get, .ctx = vars };
	struct buf src = BUF(a), want = BUF(a), got = BUF(a), diff = BUF(a);
	struct err e = { 0 };
	struct tmpl *t;

	if (CHECK(os_read(&src, path, 0, &e)) &&
	    CHECK(os_read(&want, arena_fmt(a, "%.*s.out", (int)strlen(path) - 3, path), 0, &e)) &&
	    CHECK(tmpl_parse(&t, a, path, src.p, src.len, (struct origin){0}, &e)) &&
	    CHECK(tmpl_render(t, a, &scope, &got, NULL, &e))) {
		diff_text(&diff, "jinja2", buf_text(&want), want.len, "ours", buf_text(&got), got.len);
		CHECK_STR(buf_text(&diff), "");
	} else {
		fprintf(stderr, "%s\n", err_text(&e, a));
	}
	arena_free(a);
}

int main(void)
{
	struct arena *a = arena_new();
	const char *dir = arena_fmt(a, "%s/golden/tmpl", TEST_DIR);
	DIR *d = opendir(dir);
	struct err e = { 0 };
	struct value *vars;
	unsigned n = 0;

	if (CHECK(d != NULL) && CHECK(read_yaml(a, arena_fmt(a, "%s/vars.yml", dir), &vars, &e))) {
		for (struct dirent *entry; (entry = readdir(d));) {
			size_t len = strlen(entry->d_name);

			if (len > 3 && !strcmp(entry->d_name + len - 3, ".j2")) {
				golden(vars, arena_fmt(a, "%s/%s", dir, entry->d_name));
				n++;
			}
		}
	}
	CHECK(n >= 4);
	if (d)
		closedir(d);
	arena_free(a);
	return check_done();
}
