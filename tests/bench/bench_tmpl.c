/* bench_tmpl TIMES VARS.yml TEMPLATE...: milliseconds of processor time that rendering all templates TIMES times takes, read and
 * parsed before. The same texts come out as in tests/golden, or it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/os.h"
#include "text/tmpl.h"

enum { MOST = 64 };

static struct value *get(void *ctx, const char *name, struct err *e)
{
	(void)e;
	return value_get(ctx, name);
}

static int die(const struct err *e, struct arena *a)
{
	fprintf(stderr, "%s\n", err_text(e, a));
	return 1;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct buf text = BUF(a), want[MOST] = { { 0 } };
	struct tmpl *list[MOST];
	struct value *vars;
	struct err e = { 0 };
	int n = argc - 3;

	if (n < 1 || n > MOST || !os_read(&text, argv[2], 0, &e) || !value_from_yaml(&vars, a, argv[2], text.p, text.len, &e))
		return die(&e, a);
	for (int i = 0; i < n; i++) {
		const char *path = argv[i + 3];
		struct buf src = BUF(a);
		want[i].a = a;
		if (!os_read(&src, path, 0, &e) || !os_read(&want[i], arena_fmt(a, "%.*s.out", (int)strlen(path) - 3, path), 0, &e) ||
		    !tmpl_parse(&list[i], a, path, src.p, src.len, (struct origin){ path, 1, 1 }, &e))
			return die(&e, a);
	}
	const struct scope scope = { .get = get, .ctx = vars };
	clock_t t = clock();
	for (long k = strtol(argv[1], NULL, 10); k > 0; k--)
		for (int i = 0; i < n; i++) {
			struct arena *scratch = arena_new();
			struct buf out = BUF(scratch);
			if (!tmpl_render(list[i], scratch, &scope, &out, NULL, &e))
				return die(&e, a);
			if (out.len != want[i].len || memcmp(out.p, want[i].p, out.len)) {
				fprintf(stderr, "%s: another text\n", argv[i + 3]);
				return 1;
			}
			arena_free(scratch);
		}
	printf("%lld\n", (long long)(clock() - t) * 1000 / CLOCKS_PER_SEC);
	arena_free(a);
	return 0;
}
