/*
 * conn_open() and run() against hosts that misbehave: a stand-in for ssh(1) in PATH plays them, by the name of the
 * host. What is looked at is the error that the user gets: its code, its words, its hint; and that nothing hangs.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "check.h"
#include "host/session.h"

static const char ssh[] =
	"#!/bin/sh\n"
	"if [ \"$1\" = -G ]; then\n"
	"	for host; do :; done\n"
	"	[ \"$host\" = unreadable ] && { echo 'line 3: Bad configuration option: frobnicate' >&2; exit 255; }\n"
	"	printf 'user dba\\nhostname %s\\nport 22\\nuserknownhostsfile /dev/null\\n' \"$host\"; exit 0\n"
	"fi\n"
	"while [ \"$1\" != -- ]; do shift; done\n"
	"case $2 in\n"
	"noise) printf 'Welcome\\r\\n\\033[1mPIG-00 hello 3'; exec sh -c \"$3\" ;;\n"
	"endless) exec yes ;;\n"
	"nologin) echo 'This account is currently not available.'; exit 1 ;;\n"
	"nohead) echo 'sh: 1: head: not found' >&2; exit 127 ;;\n"
	"denied) echo 'dba@denied: Permission denied (publickey).' >&2; exit 255 ;;\n"
	"refused) echo 'ssh: connect to host refused port 22: Connection refused' >&2; exit 255 ;;\n"
	"changed) printf '@@@@\\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\\nOffending ED25519 key in "
	"/home/me/.ssh/known_hosts:7\\n' >&2\n"
	"	printf 'Host key verification failed.\\n' >&2; exit 255 ;;\n"
	"silent) exec sleep 20 ;;\n"
	"cut-*) sh -c \"$3\" | { head -c \"${2#cut-}\"; kill 0; } ;;\n"
	"nosudo|sudopw|wrongpw|nosuchsudo) exec runuser -u nobody -- env PATH=\"$FAKE_PATH/$2:/usr/bin:/bin\" sh -c "
	"\"$3\" ;;\n"
	"*) exec sh -c \"$3\" ;;\n"
	"esac\n";
/* A sudo that asks for "sesame", in the way of the real one: prompt on standard error, a byte at a time from standard
 * input. */
static const char sudo_asks[] = "#!/bin/sh\n"
				"[ \"$1 $2\" = '-S -p' ] || { echo 'sudo: a password is required' >&2; exit 1; }\n"
				"printf 'We trust you have received the usual lecture.\\n\\n' >&2\n"
				"for i in 1 2 3; do\n"
				"	printf '%s' \"$3\" >&2; IFS= read -r word || exit 1\n"
				"	if [ \"$word\" = 'sesame & co' ]; then shift 4; exec \"$@\"; fi\n"
				"	echo 'Sorry, try again.' >&2\n"
				"done\n";
static const char sudo_refuses[] = "#!/bin/sh\necho 'nobody is not in the sudoers file.' >&2; exit 1\n";

static struct arena *a;
static char dir[64];

static void put(const char *name, const char *text)
{
	struct err e;
	const char *path = os_join(a, dir, name);

	if (!os_mkdirs(os_dirname(a, path), 0755, &e) || !os_write(path, text, strlen(text), 0755, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
}

static struct target target(const char *host)
{
	return (struct target){ .name = "pg-test-1", .connection = "openssh", .host = host };
}

static bool try_open(struct conn **c, const struct target *t, struct err *e)
{
	struct conn_options o = { .connect_timeout_s = 2 };

	memset(e, 0, sizeof *e);
	return conn_open(c, t, &o, e);
}

static const char *refusal_of(const struct target *t, int code)
{
	struct conn *c;
	struct err *e = arena_new_of(a, struct err, 1);

	if (!CHECK(!try_open(&c, t, e))) {
		c->close(c);
		return "";
	}
	if (!CHECK_INT(e->code, code))
		fprintf(stderr, "  %s\n", e->msg);
	return err_text(e, a);
}

static const char *refusal(const char *host, int code)
{
	struct target t = target(host);
	return refusal_of(&t, code);
}

static void test_before_hello(void)
{
	int64_t begin = os_now_ms();

	CHECK_HAS(refusal("endless", E_CONNECT), "prints more than 64 KiB");
	const char *text = refusal("nologin", E_CONNECT);
	CHECK_HAS(text, "starts no shell for user \"dba\"");
	CHECK_HAS(text, "This account is currently not available.");
	CHECK_HAS(refusal("nohead", E_CONNECT), "head: not found");
	text = refusal("denied", E_CONNECT);
	CHECK_HAS(text, "user \"dba\" may not log in to \"pg-test-1\" (denied:22)");
	CHECK_HAS(text, "Permission denied (publickey)");
	CHECK_HAS(refusal("refused", E_CONNECT), "could not reach \"pg-test-1\" at refused:22");
	text = refusal("changed", E_CONNECT);
	CHECK_HAS(text, "/home/me/.ssh/known_hosts:7: the host key of \"pg-test-1\" (changed:22) has changed");
	CHECK_HAS(text, "ssh-keygen -R 'changed'");
	CHECK_HAS(refusal("unreadable", E_CONNECT), "frobnicate");
	CHECK(os_now_ms() - begin < 8000);
	begin = os_now_ms();
	CHECK_HAS(refusal("silent", E_CONNECT), "did not start a shell for user \"dba\" in time");
	CHECK(os_now_ms() - begin < 8000);
	begin = os_now_ms();
	for (int n = 1; n < 4000; n = n * 2 + 1)
		CHECK_HAS(refusal(arena_fmt(a, "cut-%d", n), E_CONNECT), "starts no shell");
	CHECK(os_now_ms() - begin < 20000);
}

static void test_bad_words(void)
{
	struct target t = target("-oProxyCommand=id");

	CHECK_HAS(refusal_of(&t, E_INPUT), "is no host name");
	t = target("a;b");
	CHECK_HAS(refusal_of(&t, E_INPUT), "is no host name");
	t = target("fine");
	t.user = "-l";
	CHECK_HAS(refusal_of(&t, E_INPUT), "is no user name");
	t = target("fine");
	t.connection = "paramiko";
	CHECK_HAS(refusal_of(&t, E_INPUT), "one of ssh, openssh and local");
	t = target("fine");
	t.password = "geheim";
	const char *text = refusal_of(&t, E_CONNECT);
	CHECK_HAS(text, "needs the ssh transport");
	CHECK(!strstr(text, "geheim"));
	t = target("fine");
	t.connection = "ssh";
	t.common_args = "-o 'ProxyCommand=x";
	CHECK_HAS(refusal_of(&t, E_INPUT), "unclosed quote");
	t = target("fine");
	t.key = "/nonexistent/key";
	CHECK_HAS(refusal_of(&t, E_CONNECT), "could not read the private key \"/nonexistent/key\"");
}

static bool run(struct conn *c, const char *script, struct job_result *r, struct err *e)
{
	struct job j = {
		.script = script, .len = strlen(script), .limit_s = 10, .what = "unit \"etcd\" (etcd_launch)"
	};

	memset(e, 0, sizeof *e);
	return c->run(c, a, &j, r, e);
}

static void test_lost(void)
{
	struct target t = target("noise");
	struct conn *c;
	struct err e;
	struct job_result r;

	if (!CHECK(try_open(&c, &t, &e)))
		return;
	CHECK_STR(c->what, "openssh dba@noise:22");
	CHECK(run(c, "echo fine", &r, &e));
	CHECK_STR(buf_text(&r.out), "fine\n");
	/* the loop is the grandparent of a job's shell */
	CHECK(!run(c, "read -r x x x loop x </proc/$PPID/stat; sleep 0.3; rm -rf \"${P%/p}\"; kill -9 $loop; sleep 5", &r,
		   &e));
	CHECK_INT(e.code, E_CONNECT);
	CHECK_HAS(e.msg, "lost the connection to \"pg-test-1\" (openssh dba@noise:22) during unit \"etcd\" "
			 "(etcd_launch)");
	CHECK(!run(c, "echo again", &r, &e));
	CHECK_HAS(e.msg, "was lost before unit");
	c->close(c);
}

static void test_cancel(void)
{
	volatile int cancel = 0;
	struct conn_options o = { .cancel = &cancel };
	struct target t = { .name = "here", .connection = "local" };
	struct conn *c;
	struct err e = { 0 };
	struct job_result r;

	if (!CHECK(conn_open(&c, &t, &o, &e)))
		return;
	CHECK_STR(c->what, "local");
	cancel = 1;
	int64_t begin = os_now_ms();
	CHECK(!run(c, "sleep 3", &r, &e));
	CHECK_INT(e.code, E_CANCELLED);
	c->close(c);
	CHECK(os_now_ms() - begin < 2000);
	t = target("silent");
	e = (struct err){ 0 };
	CHECK(!conn_open(&c, &t, &o, &e));
	CHECK_INT(e.code, E_CANCELLED);
}

static void test_sudo(void)
{
	struct conn *c;
	struct err e;
	struct job_result r;

	if (getuid()) {
		printf("skipped: sudo (not run by root)\n");
		return;
	}
	struct target t = target("nosudo");
	t.become = true;
	const char *text = refusal_of(&t, E_CONNECT);
	CHECK_HAS(text, "user \"dba\" may not become root by sudo on nosudo");
	CHECK_HAS(text, "nobody is not in the sudoers file.");
	t = target("sudopw");
	t.become = true;
	text = refusal_of(&t, E_CONNECT);
	CHECK_HAS(text, "ansible_become_password");
	t.become_password = "wrong";
	text = refusal_of(&t, E_CONNECT);
	CHECK_HAS(text, "Is ansible_become_password right");
	CHECK(!strstr(text, "wrong"));
	t.become_password = "sesame & co";
	if (CHECK(try_open(&c, &t, &e))) {
		CHECK_STR(value_cstr(value_get(c->facts, "node_user"), ""), "nobody");
		CHECK(run(c, "echo fine", &r, &e));
		CHECK_STR(buf_text(&r.out), "fine\n");
		c->close(c);
	} else {
		fprintf(stderr, "%s\n", err_text(&e, a));
	}
	/* a password at hand, and nobody asks */
	t.host = "plain";
	if (CHECK(try_open(&c, &t, &e)))
		c->close(c);
}

int main(void)
{
	a = arena_new();
	snprintf(dir, sizeof dir, "/tmp/pig-wire-broken-%d", (int)getpid());
	put("ssh", ssh);
	put("nosudo/sudo", sudo_refuses);
	put("sudopw/sudo", sudo_asks);
	chmod(dir, 0755);
	setenv("FAKE_PATH", dir, 1);
	setenv("PATH", arena_fmt(a, "%s:%s", dir, getenv("PATH")), 1);
	conn_global_init();
	test_before_hello();
	test_bad_words();
	test_lost();
	test_cancel();
	test_sudo();
	struct buf out = BUF(a);
	const char *const rm[] = { "rm", "-rf", dir, NULL };
	os_run(&(struct os_cmd){ .argv = rm }, &out, &out, NULL, NULL);
	arena_free(a);
	return check_done();
}
