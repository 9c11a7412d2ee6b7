/* The line diff: its form, and that applying what it says to the old text gives the new one, over many random texts. */
#include <stdlib.h>

#include "base/buf.h"
#include "check.h"
#include "text/tmpl.h"

static const char *diff(struct arena *a, const char *old, const char *neu)
{
	struct buf b = BUF(a);

	diff_text(&b, "a", old, strlen(old), "b", neu, strlen(neu));
	return buf_text(&b);
}

static void forms(void)
{
	struct arena *a = arena_new();

	CHECK_STR(diff(a, "", ""), "");
	CHECK_STR(diff(a, "x\n", "x\n"), "");
	CHECK_STR(diff(a, "", "x\n"), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
	CHECK_STR(diff(a, "x\n", ""), "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n");
	CHECK_STR(diff(a, "x\n", "x"), "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+x\n\\ No newline at end of file\n");
	CHECK_STR(diff(a, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
		  "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	CHECK_STR(diff(a, "a\nb\nc\n", "b\nc\nd\n"), "--- a\n+++ b\n@@ -1,3 +1,3 @@\n-a\n b\n c\n+d\n");
	arena_free(a);
}

/* Apply a unified diff, believing only its marks; NULL when a context or removed line does not stand in the old text.
 */
static const char *apply(struct arena *a, const char *old, const char *patch)
{
	struct buf out = BUF(a);
	long line = 1;

	while (*patch) {
		size_t n = strcspn(patch, "\n") + (strchr(patch, '\n') != NULL);

		if (!strncmp(patch, "@@ -", 4)) {
			char *end;
			long from = strtol(patch + 4, &end, 10);
			bool none = !strncmp(end, ",0", 2);

			for (; line < from + (none ? 1 : 0); line++) {
				size_t m = strcspn(old, "\n") + (strchr(old, '\n') != NULL);

				buf_add(&out, old, m);
				old += m;
			}
		} else if (!strncmp(patch, "--- ", 4) || !strncmp(patch, "+++ ", 4)) {
		} else if (*patch == ' ' || *patch == '-' || *patch == '+') {
			bool cut = !strncmp(patch + n, "\\ No", 4);
			size_t m = n - 1 - (cut ? 1 : 0);

			if (*patch != '+') {
				if (strncmp(old, patch + 1, m))
					return NULL;
				old += m;
				line++;
			}
			if (*patch != '-')
				buf_add(&out, patch + 1, m);
		}
		patch += n;
	}
	buf_str(&out, old);
	return buf_text(&out);
}

static const char *random_text(struct arena *a, unsigned *seed, unsigned most)
{
	struct buf b = BUF(a);
	unsigned n = (unsigned)rand_r(seed) % (most + 1);

	while (n--)
		buf_fmt(&b, "%c\n", 'a' + rand_r(seed) % 5);
	if (b.len && rand_r(seed) % 4 == 0)
		b.p[--b.len] = 0;
	return buf_text(&b);
}

static void truth(void)
{
	unsigned seed = 1;

	for (unsigned i = 0; i < 3000; i++) {
		struct arena *a = arena_new();
		unsigned most = i % 10 ? 20 : 300;
		const char *old = random_text(a, &seed, most), *neu = random_text(a, &seed, most),
			   *patch = diff(a, old, neu);

		if (!CHECK_STR(apply(a, old, patch), neu))
			fprintf(stderr, "%s", patch);
		CHECK(!strcmp(old, neu) == !*patch);
		arena_free(a);
	}
}

/* Two long texts without a common line end soon, as one block for another. */
static void large(void)
{
	struct arena *a = arena_new();
	struct buf x = BUF(a), y = BUF(a), out = BUF(a);

	for (unsigned i = 0; i < 100000; i++) {
		buf_fmt(&x, "x%u\n", i);
		buf_fmt(&y, "y%u\n", i);
	}
	diff_text(&out, "a", x.p, x.len, "b", y.p, y.len);
	CHECK(!strncmp(buf_text(&out), "--- a\n+++ b\n@@ -1,100000 +1,100000 @@\n", 38));
	arena_free(a);
}

int main(void)
{
	forms();
	truth();
	large();
	return check_done();
}
