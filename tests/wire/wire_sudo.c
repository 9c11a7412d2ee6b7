/*
 * Becoming root, with the real sshd and the real sudo: a user of this test's own is made, and removed at the end. Needs
 * root; skipped where a user cannot be made.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/os.h"
#include "check.h"
#include "sshd_lab.h"

static struct lab lab;
static char user[32];

static void sudoers(const char *text)
{
	struct err e;
	const char *path = arena_fmt(lab.a, "/etc/sudoers.d/%s", user);

	unlink(path);
	if (*text && !os_write(path, text, strlen(text), 0440, &e))
		bug("%s", e.msg);
}

static void clear(void)
{
	sudoers("");
	lab_sh(&lab, arena_fmt(lab.a, "userdel -r %s", user));
}

static struct target as_user(void)
{
	struct target t = lab_target(&lab);

	t.user = user;
	t.become = true;
	return t;
}

static const char *refused(const struct target *t)
{
	struct conn *c;
	struct err e;

	if (!CHECK(!lab_connect(&lab, &c, t, &e))) {
		c->close(c);
		return "";
	}
	CHECK_INT(e.code, E_CONNECT);
	return err_text(&e, lab.a);
}

/* What `id -un` says in a job. */
static const char *runs_as(const struct target *t)
{
	struct conn *c;
	struct err e;
	struct job_result r = { 0 };

	if (!CHECK(lab_connect(&lab, &c, t, &e))) {
		fprintf(stderr, "%s\n", err_text(&e, lab.a));
		return "";
	}
	CHECK_STR(value_cstr(value_get(c->facts, "node_user"), ""), user);
	CHECK(lab_run(&lab, c, "id -un; env | grep -c SUDO_; stat -c %a \"$P\"", &r, &e));
	c->close(c);
	return buf_text(&r.out);
}

static void test_sudo(void)
{
	struct target t = as_user();
	const char *text = refused(&t);

	CHECK_HAS(text, arena_fmt(lab.a, "user \"%s\" may not become root by sudo on 127.0.0.1", user));
	CHECK_HAS(text, "NOPASSWD");
	t.become = false;
	CHECK_STR(runs_as(&t), arena_fmt(lab.a, "%s\n0\n700\n", user));
	t.become = true;
	sudoers(arena_fmt(lab.a, "%s ALL=(ALL) NOPASSWD: ALL\n", user));
	CHECK_STR(runs_as(&t), "root\n0\n700\n");
	t.become_password = "not needed";
	CHECK_STR(runs_as(&t), "root\n0\n700\n");
	t.connection = "openssh";
	CHECK_STR(runs_as(&t), "root\n0\n700\n");
	sudoers(arena_fmt(lab.a, "%s ALL=(ALL) ALL\n", user));
	CHECK_STR(arena_strn(lab.a,
			     runs_as(&(struct target){ .name = "x",
						       .host = "127.0.0.1",
						       .port = lab.port,
						       .user = user,
						       .key = t.key,
						       .ssh_config = t.ssh_config,
						       .become = true,
						       .become_password = "sesame & co" }),
			     5),
		  "root\n");
	t = as_user();
	CHECK_HAS(refused(&t), "ansible_become_password");
	t.become_password = "wrong";
	text = refused(&t);
	CHECK_HAS(text, "may not become root by sudo");
	CHECK(!strstr(text, "wrong"));
	sudoers(arena_fmt(lab.a, "Defaults:%s requiretty\n%s ALL=(ALL) NOPASSWD: ALL\n", user, user));
	t.become_password = NULL;
	CHECK_HAS(refused(&t), "requiretty");
	sudoers(arena_fmt(lab.a, "%s ALL=(ALL) NOPASSWD: ALL\n", user));
}

static void test_passwords(void)
{
	struct target t = as_user();

	t.key = NULL;
	t.password = "sesame & co";
	CHECK_STR(runs_as(&t), "root\n0\n700\n");
	t.password = "wrong";
	const char *text = refused(&t);
	CHECK_HAS(text, "may not log in");
	CHECK_HAS(text, "tried: password");
	CHECK(!strstr(text, "wrong"));
	/* a key that is refused, then the password */
	t.password = "sesame & co";
	t.key = lab_path(&lab, "id_other");
	CHECK_STR(runs_as(&t), "root\n0\n700\n");
}

static void test_shells(void)
{
	static const char *const shells[] = { "/bin/dash",     "/bin/mksh", "/bin/tcsh",
					      "/usr/bin/fish", "/bin/zsh",  "/bin/bash" };
	struct target t = as_user();

	lab_sh(&lab, arena_fmt(lab.a,
			       "h=$(getent passwd %s | cut -d: -f6); mkdir -p $h; for f in .bashrc .profile .cshrc "
			       ".zshenv; do "
			       "echo 'echo \"Welcome to  the machine\"; echo warning >/dev/stderr' >$h/$f; done; chown "
			       "-R %s $h",
			       user, user));
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		if (!os_exists(shells[i]))
			continue;
		lab_sh(&lab, arena_fmt(lab.a, "usermod -s %s %s", shells[i], user));
		CHECK_STR(runs_as(&t), "root\n0\n700\n");
	}
	lab_sh(&lab, arena_fmt(lab.a, "usermod -s /usr/sbin/nologin %s", user));
	const char *text = refused(&t);
	CHECK_HAS(text, "starts no shell for user");
	CHECK_HAS(text, "not available");
}

int main(void)
{
	conn_global_init();
	unsetenv("SSH_AUTH_SOCK");
	if (!lab_open(&lab)) {
		printf("skipped: needs root and sshd\n");
		return 77;
	}
	snprintf(user, sizeof user, "pigwire%d", (int)getpid() % 10000);
	const char *said = lab_sh(&lab, arena_fmt(lab.a,
						  "command -v sudo >/dev/null && useradd -m -s /bin/bash %s && "
						  "echo '%s:sesame & co' | chpasswd && [ -d /etc/sudoers.d ] && echo "
						  "made",
						  user, user));
	if (!strstr(said, "made")) {
		printf("skipped: no user can be made here: %s\n", said);
		lab_close(&lab);
		return 77;
	}
	lab_start(&lab, "host_a", "PasswordAuthentication yes");
	lab_config(&lab, "");
	test_sudo();
	test_passwords();
	test_shells();
	clear();
	lab_close(&lab);
	return check_done();
}
