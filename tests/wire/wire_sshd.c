/*
 * Against a real sshd on loopback: which transport is taken, whose host keys are believed, what a refusal says, what a
 * lost link says, and transfers through rekeying. Needs root (sshd logs users in); skipped otherwise. Becoming root is
 * tried in wire_sudo.c.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "check.h"
#include "sshd_lab.h"

static struct lab lab;

/* Connect, see that the transport is the expected one and works, close. */
static void expect(const struct target *t, const char *transport)
{
	struct conn *c;
	struct err e;
	struct job_result r;

	if (!CHECK(lab_connect(&lab, &c, t, &e))) {
		fprintf(stderr, "%s\n", err_text(&e, lab.a));
		return;
	}
	CHECK_HAS(c->what, transport);
	CHECK(c->what[0] == transport[0]);
	CHECK(lab_run(&lab, c, "echo $((6 * 7))", &r, &e));
	CHECK_STR(buf_text(&r.out), "42\n");
	CHECK_STR(value_cstr(value_get(c->facts, "node_user"), ""), "root");
	c->close(c);
}

static const char *refused(const struct target *t, int code)
{
	struct conn *c;
	struct err e;

	if (!CHECK(!lab_connect(&lab, &c, t, &e))) {
		c->close(c);
		return "";
	}
	CHECK_INT(e.code, code);
	return err_text(&e, lab.a);
}

static struct target with_key(const char *name)
{
	struct target t = lab_target(&lab);

	t.key = name ? lab_path(&lab, name) : NULL;
	return t;
}

static void test_keys(void)
{
	lab_start(&lab, "host_a", "");
	lab_config(&lab, "");
	struct target t = with_key("id");
	expect(&t, "ssh root@127.0.0.1:");
	const char *known = lab_read(&lab, "known");
	CHECK_HAS(known, arena_fmt(lab.a, "[127.0.0.1]:%d ssh-ed25519 ", lab.port));
	expect(&t, "ssh ");
	CHECK_STR(lab_read(&lab, "known"), known); /* recorded once */
	t = with_key("id_ec");
	expect(&t, "ssh ");
	t = with_key("id_rsa");
	expect(&t, "openssh root@127.0.0.1:");
	t = with_key("id_other");
	const char *text = refused(&t, E_CONNECT);
	CHECK_HAS(text, "user \"root\" may not log in to \"pg-test-1\" (127.0.0.1:");
	CHECK_HAS(text, "/id_other; the server takes: publickey");
	t = with_key("id_locked");
	text = refused(&t, E_CONNECT);
	CHECK_HAS(text, "may not log in");
	CHECK_HAS(text, "is a key with a passphrase");
	/* the kind is known by looking, not by failing: the wrong RSA key never reaches libssh2 */
	lab_sh(&lab, "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa_other");
	t = with_key("rsa_other");
	CHECK_HAS(refused(&t, E_CONNECT), "is an RSA key");
}

static void test_config(void)
{
	lab_start(&lab, "host_a", "");
	lab_config(&lab, arena_fmt(lab.a,
				   "Host el9\n\tHostName 127.0.0.1\n\tPort %d\n\tUser root\n\tIdentityFile %s\n"
				   "Host behind\n\tHostName 127.0.0.1\n\tPort %d\n\tIdentityFile %s\n\tProxyJump "
				   "root@localhost:%d\n"
				   "Host 127.0.0.1\n\tIdentityFile %s\n\tHashKnownHosts yes\nHost "
				   "localhost\n\tStrictHostKeyChecking accept-new\n\tIdentityFile %s\n",
				   lab.port, lab_path(&lab, "id"), lab.port, lab_path(&lab, "id"), lab.port,
				   lab_path(&lab, "id"), lab_path(&lab, "id")));
	struct target t = { .name = "el9", .ssh_config = lab_target(&lab).ssh_config };
	expect(&t, "ssh root@127.0.0.1:");
	unlink(lab_path(&lab, "known"));
	t = with_key(NULL);
	expect(&t, "ssh ");
	CHECK(!strncmp(lab_read(&lab, "known"), "|1|", 3));
	expect(&t, "ssh ");
	CHECK(strchr(lab_read(&lab, "known"), '\n')[1] == 0);
	struct target behind = { .name = "behind", .ssh_config = t.ssh_config };
	expect(&behind, "openssh ");
	t.common_args = "-o Compression=yes -o \"UserKnownHostsFile=/dev/null\"";
	expect(&t, "openssh ");
	t.common_args = NULL;
	t.connection = "openssh";
	expect(&t, "openssh ");
}

static void test_agent(void)
{
	struct target t;

	lab_start(&lab, "host_a", "");
	pid_t agent = fork();
	if (agent == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(1);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", lab_path(&lab, "agent"), (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 200 && !os_exists(lab_path(&lab, "agent")); i++)
		usleep(10000);
	lab_sh(&lab, "SSH_AUTH_SOCK=agent ssh-add -q id_other id");
	lab_config(&lab,
		   arena_fmt(lab.a, "Host *\n\tIdentityAgent %s\n\tIdentityFile none\n", lab_path(&lab, "agent")));
	t = with_key(NULL);
	expect(&t, "ssh ");
	lab_sh(&lab, "export SSH_AUTH_SOCK=agent; ssh-add -q -D; ssh-add -q id_rsa");
	expect(&t, "openssh ");
	lab_sh(&lab, "export SSH_AUTH_SOCK=agent; ssh-add -q -D");
	CHECK_HAS(refused(&t, E_CONNECT), "nothing, as no usable key was found");
	kill(agent, SIGTERM);
	waitpid(agent, NULL, 0);
}

static void test_host_keys(void)
{
	struct target t, rsa;
	const char *text;

	lab_start(&lab, "host_a", "");
	lab_config(&lab, "");
	lab_write(&lab, "known",
		  "# a comment\n\n@cert-authority * ssh-ed25519 AAAA\nrubbish line\n\xff\xfe\n10.0.0.1 ssh-ed25519 "
		  "!!!!\n");
	t = with_key("id");
	rsa = with_key("id_rsa");
	expect(&t, "ssh ");
	CHECK_HAS(lab_read(&lab, "known"), "rubbish");
	lab_start(&lab, "host_b", "");
	text = refused(&t, E_CONNECT);
	CHECK_HAS(text, arena_fmt(lab.a, "%s:7: the host key of \"pg-test-1\" (127.0.0.1:%d) has changed",
				  lab_path(&lab, "known"), lab.port));
	CHECK_HAS(text, "SHA256:");
	CHECK_HAS(text, arena_fmt(lab.a, "ssh-keygen -f '%s' -R '[127.0.0.1]:%d'", lab_path(&lab, "known"), lab.port));
	text = refused(&rsa, E_CONNECT);
	CHECK_HAS(text, arena_fmt(lab.a, "%s:7: the host key of \"pg-test-1\" (127.0.0.1:%d) has changed",
				  lab_path(&lab, "known"), lab.port));
	struct conn_options o = { .insecure = true };
	struct conn *c;
	struct err e = { 0 };
	if (CHECK(conn_open(&c, &t, &o, &e)))
		c->close(c);
	if (CHECK(conn_open(&c, &rsa, &o, &e)))
		c->close(c);
	CHECK_HAS(refused(&t, E_CONNECT), "has changed"); /* that was for once */
	lab_write(&lab, "known", "");
	lab_sh(&lab, arena_fmt(lab.a, "printf '@revoked * ' >known; cut -d' ' -f1,2 host_b.pub >>known"));
	CHECK_HAS(refused(&t, E_CONNECT), "marked as revoked");
	/* another type than the recorded one is a change as well */
	lab_sh(&lab,
	       arena_fmt(lab.a, "printf '[127.0.0.1]:%d ' >known; cut -d' ' -f1,2 host_ec.pub >>known", lab.port));
	text = refused(&t, E_CONNECT);
	CHECK_HAS(text, "the host key of \"pg-test-1\"");
	lab_start(&lab, "host_ec", arena_fmt(lab.a, "HostKey %s", lab_path(&lab, "host_a")));
	expect(&t, "ssh "); /* and the recorded type is asked for, though the server has a better one */
	lab_start(&lab, "host_rsa", "");
	lab_sh(&lab,
	       arena_fmt(lab.a, "printf '[127.0.0.1]:%d ' >known; cut -d' ' -f1,2 host_rsa.pub >>known", lab.port));
	expect(&t, "openssh ");
	lab_config(&lab, "Host *\n\tStrictHostKeyChecking yes\n");
	lab_start(&lab, "host_a", "");
	t = with_key("id");
	CHECK_HAS(refused(&t, E_CONNECT), "is not known, and StrictHostKeyChecking is set");
	CHECK_STR(lab_read(&lab, "known"), "");
}

static void test_hardened(void)
{
	lab_start(&lab, "host_a",
		  "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com\nMACs hmac-sha2-512-etm@openssh.com");
	lab_config(&lab, "");
	struct target t = with_key("id");
	expect(&t, "openssh ");
	t.password = "geheim";
	t.key = NULL;
	const char *text = refused(&t, E_CONNECT);
	CHECK(!strstr(text, "geheim"));
	lab_start(&lab, "host_a", "KexAlgorithms sntrup761x25519-sha512@openssh.com");
	t = with_key("id");
	expect(&t, "openssh ");
	lab_start(&lab, "host_a", "ForceCommand echo nothing for you");
	text = refused(&t, E_CONNECT);
	CHECK_HAS(text, "starts no shell for user \"root\"");
	CHECK_HAS(text, "nothing for you");
}

/* 50 MB there and 50 MB back while the server asks for new keys every 256 KiB. */
static void test_bulk(const char *more, const char *key, const char *transport)
{
	size_t size = 50 << 20;
	char *noise = malloc(size);
	struct conn *c;
	struct err e;
	struct job_result r = { 0 };

	lab_start(&lab, "host_a", more);
	lab_config(&lab, "");
	struct target t = with_key(key);
	for (size_t i = 0; i < size; i++)
		noise[i] = (char)(i * 2654435761u >> 13);
	struct job_input in = { noise, size };
	struct job j = {
		.script = "cat \"$P/0\"", .len = 10, .inputs = &in, .n_inputs = 1, .cap = size, .limit_s = 60
	};
	if (CHECK(lab_connect(&lab, &c, &t, &e))) {
		CHECK_HAS(c->what, transport);
		struct arena *mem = arena_new();
		int64_t begin = os_now_ms();
		if (!CHECK(c->run(c, mem, &j, &r, &e)))
			fprintf(stderr, "%s\n", err_text(&e, lab.a));
		else
			CHECK(r.out.len == size && !memcmp(r.out.p, noise, size));
		printf("50 MB there and back by %s%s%s: %lld ms\n", transport, *more ? " with " : "", more,
		       (long long)(os_now_ms() - begin));
		arena_free(mem);
		c->close(c);
	} else {
		fprintf(stderr, "%s\n", err_text(&e, lab.a));
	}
	free(noise);
}

static void test_unreachable(void)
{
	struct target t;

	lab_stop(&lab);
	lab_config(&lab, "");
	t = with_key("id");
	const char *text = refused(&t, E_CONNECT);
	CHECK_HAS(text,
		  arena_fmt(lab.a, "could not reach \"pg-test-1\" at 127.0.0.1:%d: Connection refused", lab.port));
	t = with_key("id_rsa");
	CHECK_HAS(refused(&t, E_CONNECT), "could not reach \"pg-test-1\" at");
	/* accepts, and says nothing */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)lab.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 5));
	int64_t begin = os_now_ms();
	t = with_key("id");
	text = refused(&t, E_CONNECT);
	CHECK_HAS(text, "no answer in time while greeting \"pg-test-1\"");
	CHECK_HAS(text, "is it sshd, and is it overloaded?");
	CHECK(os_now_ms() - begin >= 4900 && os_now_ms() - begin < 8000);
	begin = os_now_ms();
	t = with_key("id_rsa");
	refused(&t, E_CONNECT);
	CHECK(os_now_ms() - begin < 13000);
	/* accepts, and hangs up */
	close(fd);
	t.host = "no-such-host.invalid";
	t.key = lab_path(&lab, "id");
	CHECK_HAS(refused(&t, E_CONNECT), "could not look up the address of \"pg-test-1\" (no-such-host.invalid)");
}

static void test_lost(const char *key)
{
	struct conn *c;
	struct err e;
	struct job_result r;

	lab_start(&lab, "host_a", "");
	lab_config(&lab, "");
	struct target t = with_key(key);
	if (!CHECK(lab_connect(&lab, &c, &t, &e)))
		return;
	CHECK(lab_run(&lab, c, "true", &r, &e));
	/* climb to the sshd that carries this session */
	int64_t begin = os_now_ms();
	CHECK(!lab_run(&lab, c,
		       "p=$PPID; while read -r x name x up x </proc/$p/stat && [ \"$name\" != '(sshd)' ]; do p=$up; "
		       "done; "
		       "sleep 0.3; rm -rf \"${P%/p}\"; kill -9 $p; sleep 3",
		       &r, &e));
	CHECK_INT(e.code, E_CONNECT);
	CHECK_HAS(e.msg, "lost the connection to \"pg-test-1\" (");
	CHECK_HAS(e.msg, "during unit \"etcd\" (etcd_launch)");
	CHECK(os_now_ms() - begin < 3000);
	CHECK(!lab_run(&lab, c, "true", &r, &e));
	CHECK_HAS(e.msg, "was lost before unit");
	c->close(c);
}

static void test_hung(void)
{
	struct conn *c;
	struct err e;
	struct job_result r;

	lab_start(&lab, "host_a", "");
	lab_config(&lab, "");
	struct target t = with_key("id");
	if (!CHECK(lab_connect(&lab, &c, &t, &e)))
		return;
	struct job j = { .script = "p=$PPID; while read -r x name x up x </proc/$p/stat && [ \"$name\" != '(sshd)' ]; "
				   "do p=$up; done; "
				   "(sleep 19; kill -CONT $p) >/dev/null 2>&1 & kill -STOP $p",
			 .limit_s = 1,
			 .what = "a probe of files" };
	j.len = strlen(j.script);
	int64_t begin = os_now_ms();
	CHECK(!c->run(c, lab.a, &j, &r, &e));
	CHECK_INT(e.code, E_TIMEOUT);
	CHECK_HAS(e.msg, "hangs: no answer during a probe of files");
	CHECK(os_now_ms() - begin >= 16000 && os_now_ms() - begin < 19000);
	begin = os_now_ms();
	c->close(c);
	CHECK(os_now_ms() - begin < 1000);
}

struct one {
	struct target t;
	struct conn *c;
	struct err e;
	int64_t ms;
	bool ok;
};

static void *open_one(void *arg)
{
	struct one *o = arg;
	int64_t begin = os_now_ms();

	o->ok = lab_connect(&lab, &o->c, &o->t, &o->e);
	o->ms = os_now_ms() - begin;
	return NULL;
}

static void *run_many(void *arg)
{
	struct conn *c = arg;
	struct arena *a = arena_new();
	uintptr_t wrong = 0;

	for (int i = 0; i < 30; i++) {
		struct job_result r;
		struct err e;
		const char *script = arena_fmt(a, "echo %d.%zu", i, (size_t)(uintptr_t)&a);
		struct job j = { .script = script, .len = strlen(script) };
		wrong += !c->run(c, a, &j, &r, &e) || strncmp(buf_text(&r.out), script + 5, strlen(script + 5));
	}
	arena_free(a);
	return (void *)wrong;
}

static void test_threads(void)
{
	struct one all[4];
	pthread_t threads[4];
	int64_t begin = 0;

	lab_start(&lab, "host_a", "MaxStartups 100");
	lab_config(&lab, "");
	struct target t = with_key("id");
	expect(&t, "ssh ");
	for (int round = 0; round < 3; round++) {
		begin = os_now_ms();
		for (int i = 0; i < 4; i++) {
			all[i] = (struct one){ .t = t };
			CHECK(!pthread_create(&threads[i], NULL, open_one, &all[i]));
		}
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		printf("4 connects with hello in parallel: %lld ms\n", (long long)(os_now_ms() - begin));
		for (int i = 0; i < 4; i++)
			CHECK(all[i].ok);
		for (int i = 0; i < 4; i++)
			if (all[i].ok && (i || round < 2))
				all[i].c->close(all[i].c);
	}
	if (!all[0].ok)
		return;
	begin = os_now_ms();
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, run_many, all[0].c));
	for (int i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		CHECK_INT((uintptr_t)wrong, 0);
	}
	printf("120 jobs of 4 threads on one connection: %lld ms\n", (long long)(os_now_ms() - begin));
	all[0].c->close(all[0].c);
}

int main(void)
{
	conn_global_init();
	unsetenv("SSH_AUTH_SOCK");
	if (!lab_open(&lab)) {
		printf("skipped: needs root and sshd\n");
		return 77;
	}
	test_keys();
	test_config();
	test_agent();
	test_host_keys();
	test_hardened();
	test_threads();
	test_bulk("", "id", "ssh");
	test_bulk("RekeyLimit 256K", "id", "ssh");
	test_bulk("RekeyLimit 16M", "id_rsa", "openssh");
	test_unreachable();
	test_lost("id");
	test_lost("id_rsa");
	test_hung();
	lab_close(&lab);
	return check_done();
}
