/* Vault envelopes: what Ansible made opens, what is made opens again, whatever is changed in one does not, and keys are derived once. */
#include "check.h"

#include <pthread.h>

#include "base/os.h"
#include "value/vault.h"

/* "the text" by ansible-vault, id dev, password "pass" */
static const char theirs[] = "$ANSIBLE_VAULT;1.2;AES256;dev\n"
			     "34613839656232666264323734316665306666636464336462333730316564333339313165356437\n"
			     "6266356665316533636461383538323035326665373036390a363536336638653239626438346466\n"
			     "33373734353965363936343632666539636466356161386266663834613531393730393365623137\n"
			     "3534656561376438610a353438363539626530373536663166623461653531633836666439336661\n"
			     "3931\n";
/* nothing, in 1.1 */
static const char empty[] = "$ANSIBLE_VAULT;1.1;AES256\n"
			    "30646266666136663066346539383533313437316164663265643462343731316539646464373564\n"
			    "3133636437336333636237643533633938373665643438380a386334633038333762303031366266\n"
			    "64623536356666366534383865336636636364646538623864623038353230336435353566343836\n"
			    "6134653966343136620a646336396561346231393133613165666363623038346364633330333130\n"
			    "3530\n";

static struct vault *ring(struct arena *a, const char *id, const char *password)
{
	struct vault *v = vault_new(a);
	struct err e = { 0 };

	CHECK(vault_add(v, id, password, strlen(password), &e));
	return v;
}

static const char *opened(struct arena *a, struct vault *v, const char *text, size_t n, struct err *e)
{
	struct buf out = BUF(a);

	memset(e, 0, sizeof *e);
	return vault_open(v, &out, NULL, text, n, e) ? buf_text(&out) : NULL;
}

static void test_theirs(struct arena *a)
{
	struct vault *v = ring(a, "dev", "pass"), *wrong = ring(a, "dev", "Pass");
	struct err e;
	const char *id = NULL;
	struct buf out = BUF(a);

	CHECK_STR(opened(a, v, theirs, sizeof theirs - 1, &e), "the text");
	CHECK_STR(opened(a, v, empty, sizeof empty - 1, &e), "");
	CHECK(vault_open(v, &out, &id, theirs, sizeof theirs - 1, &e));
	CHECK_STR(id, "dev");
	CHECK(!opened(a, wrong, theirs, sizeof theirs - 1, &e));
	CHECK_HAS(e.msg, "none of the vault passwords given opens it; its vault id is \"dev\"");
	CHECK(!opened(a, vault_new(a), theirs, sizeof theirs - 1, &e));
	CHECK_HAS(e.msg, "no vault password is given");
	CHECK_HAS(e.hint, "--vault-id dev@FILE");
	/* the envelope's own id first, then all others; the others not when ids must match */
	CHECK(vault_add(wrong, "other", "pass", 4, &e));
	CHECK_STR(opened(a, wrong, theirs, sizeof theirs - 1, &e), "the text");
	vault_match_id(wrong, true);
	CHECK(!opened(a, wrong, theirs, sizeof theirs - 1, &e));
	/* CRLF, blanks at line ends and no final newline are an editor's */
	struct buf crlf = BUF(a);
	for (const char *s = theirs; *s; s++)
		buf_str(&crlf, *s == '\n' ? " \r\n" : (char[]){ *s, 0 });
	CHECK_STR(opened(a, v, buf_text(&crlf), crlf.len - 3, &e), "the text");
}

/* Every byte of the body counts; of the header the id alone does not. */
static void test_changed(struct arena *a)
{
	struct vault *v = ring(a, "dev", "pass");
	size_t body = (size_t)(strchr(theirs, '\n') - theirs) + 1, opens = 0;
	struct err e;

	for (size_t i = 0; i < sizeof theirs - 1; i++) {
		char *bad = arena_strn(a, theirs, sizeof theirs - 1);
		if (i >= body && i % 7) /* each change in the salt costs a derivation */
			continue;
		if (i > 25 && i < body)
			continue;
		bad[i] = bad[i] == '3' ? '2' : '3';
		if (bad[i] != theirs[i] && theirs[i] != '\n' && opened(a, v, bad, sizeof theirs - 1, &e)) {
			fprintf(stderr, "opens with byte %zu changed\n", i);
			opens++;
		}
	}
	for (size_t n = 0; n < sizeof theirs - 1; n += 5)
		opens += n != sizeof theirs - 2 && opened(a, v, arena_strn(a, theirs, n), n, &e) != NULL;
	CHECK_INT(opens, 0);
}

static void test_own(struct arena *a)
{
	struct vault *v = ring(a, "default", "one");
	struct err e = { 0 };

	CHECK(vault_add(v, "prod", "two", 3, &e));
	for (size_t n = 0; n < 70; n++) {
		char text[70];
		struct buf env = BUF(a);
		memset(text, (int)n, sizeof text);
		CHECK(vault_seal(v, &env, n % 2 ? "prod" : NULL, text, n, &e));
		CHECK(!strncmp(buf_text(&env), n % 2 ? "$ANSIBLE_VAULT;1.2;AES256;prod\n" : "$ANSIBLE_VAULT;1.1;AES256\n", 26));
		struct buf out = BUF(a);
		CHECK(vault_open(v, &out, NULL, buf_text(&env), env.len, &e));
		CHECK(out.len == n && !memcmp(buf_text(&out), text, n));
	}
	struct buf env = BUF(a);
	CHECK(!vault_seal(v, &env, "stage", "x", 1, &e));
	CHECK_HAS(e.msg, "no vault password of id \"stage\", only of default, prod");
	CHECK(!vault_add(v, "a;b", "x", 1, &e));
	CHECK(!vault_add(v, "a", "", 0, &e));
}

/* A derivation is ten thousand rounds; a thousand openings of one envelope must cost about one of them. */
static void test_derived_once(struct arena *a)
{
	struct vault *v = ring(a, "dev", "pass");
	struct err e;
	int64_t t = os_now_ms();

	CHECK_STR(opened(a, v, theirs, sizeof theirs - 1, &e), "the text");
	int64_t first = os_now_ms() - t + 1;
	t = os_now_ms();
	for (int i = 0; i < 1000; i++)
		if (!opened(a, v, theirs, sizeof theirs - 1, &e))
			CHECK(false);
	int64_t more = os_now_ms() - t;
	CHECK(more < first * 200); /* without the cache it is a thousand times the first, with it some ten times */
}

static bool loads(struct vault *v, void *ctx, struct err *e)
{
	++*(int *)ctx;
	return vault_add(v, "dev", "pass", 4, e);
}

static bool refuses(struct vault *v, void *ctx, struct err *e)
{
	(void)v;
	++*(int *)ctx;
	return fail(e, E_INPUT, "no such file");
}

static void *opener(void *v)
{
	struct arena *a = arena_new();
	struct err e;
	bool ok = opened(a, v, theirs, sizeof theirs - 1, &e);

	arena_free(a);
	return ok ? v : NULL;
}

static void test_load(struct arena *a)
{
	struct vault *v = vault_new(a), *bad = vault_new(a);
	pthread_t threads[8];
	int times = 0, tried = 0;
	struct err e;

	vault_on_need(v, loads, &times);
	CHECK_INT(times, 0);
	for (int i = 0; i < 8; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, opener, v), 0);
	for (int i = 0; i < 8; i++) {
		void *got = NULL;
		pthread_join(threads[i], &got);
		CHECK(got == v);
	}
	CHECK_INT(times, 1);
	vault_on_need(bad, refuses, &tried);
	for (int i = 0; i < 3; i++) {
		CHECK(!opened(a, bad, theirs, sizeof theirs - 1, &e));
		CHECK_STR(e.msg, "no such file");
	}
	CHECK_INT(tried, 1);
}

static void test_values(struct arena *a)
{
	struct vault *v = ring(a, "dev", "pass");
	struct value *doc, *open;
	struct buf text = BUF(a);
	struct err e = { 0 };

	buf_str(&text, "a: !vault |\n");
	for (const char *s = theirs; *s; s += strcspn(s, "\n") + 1)
		buf_fmt(&text, "  %.*s\n", (int)strcspn(s, "\n"), s);
	buf_str(&text, "b: [1, x]\n");
	CHECK(value_from_yaml(&doc, a, "f.yml", buf_text(&text), text.len, &e));
	CHECK(vault_in(doc) && !vault_in(value_get(doc, "b")));
	CHECK(value_get(doc, "a")->flags & V_SECRET);
	CHECK(vault_value(v, &open, a, doc, &e));
	CHECK_STR(value_cstr(value_get(open, "a"), NULL), "the text");
	CHECK(!vault_in(open) && (value_get(open, "a")->flags & (V_SECRET | V_LITERAL)) == (V_SECRET | V_LITERAL));
	CHECK(value_get(open, "b") == value_get(doc, "b"));
	CHECK(vault_in(doc)); /* the original stays closed */
	CHECK(!vault_value(vault_new(a), &open, a, doc, &e));
	CHECK_STR(e.where, "f.yml:1:4");
}

int main(void)
{
	struct arena *a = arena_new();

	test_theirs(a);
	test_changed(a);
	test_own(a);
	test_derived_once(a);
	test_load(a);
	test_values(a);
	arena_free(a);
	return check_done();
}
