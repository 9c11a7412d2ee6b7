/*
 * The remote loop under one shell (the argument), over a socketpair: what the host's side promises of jobs, inputs,
 * limits and caps, and of clearing up. Not for: ways to a host.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "check.h"
#include "host/facts.h"
#include "host/frame.h"

extern const unsigned char boot_sh[];
extern const unsigned long boot_sh_len;

static struct arena *a;
static const char *shell[4]; /* argv up to the command */
static char bash_as_sh[64];

struct loop {
	struct frame f;
	char dir[256];
	struct value *facts;
	char line[512];
};

static const char NONCE[] = "00112233445566778899aabbccddeeff";

/* text: the loop, perhaps altered. setup: shell text run before it. */
static enum frame_end loop_open_text(struct loop *l, const char *text, const char *setup)
{
	struct buf all = BUF(a);
	static struct err e;
	struct until u = until_in(10000, NULL);

	buf_fmt(&all, "%s\nN=%s D=%s\nset -- tester\n%s", setup, NONCE, os_random_hex(a, 6), text);
	memset(l, 0, sizeof *l);
	l->f.t = exec_new(a, shell);
	l->f.mark = arena_fmt(a, "PIG-%s", NONCE);
	l->f.noise = BUF(a);
	if (!l->f.t->ops->open(l->f.t, arena_fmt(a, "eval \"$(head -c %zu)\"", all.len), &u, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
	enum frame_end end = frame_send(&l->f, all.p, all.len);
	if (end == FRAME_OK)
		end = frame_mark(&l->f, &u, l->line, sizeof l->line);
	return end;
}

static const char *boot_text(void)
{
	return arena_strn(a, (const char *)boot_sh, boot_sh_len);
}

static void loop_open(struct loop *l, const char *setup)
{
	const char *p = l->line + 6;
	unsigned long long n = 0;

	CHECK_INT(loop_open_text(l, boot_text(), setup), FRAME_OK);
	CHECK(!strncmp(l->line, "hello ", 6) && frame_number(&p, 65536, &n));
	char *text = arena_get(a, n + 1);
	CHECK_INT(frame_get(&l->f, text, n), FRAME_OK);
	l->facts = facts_read(a, text, n);
	const char *dir = strstr(text, "\ndir=");
	CHECK(dir != NULL);
	if (dir)
		snprintf(l->dir, sizeof l->dir, "%.*s", (int)strcspn(dir + 5, "\n"), dir + 5);
}

static bool gone(const char *path, int ms)
{
	for (int64_t until = os_now_ms() + ms; os_exists(path);) {
		if (os_now_ms() > until)
			return false;
		usleep(5000);
	}
	return true;
}

static void loop_close(struct loop *l)
{
	l->f.t->ops->close(l->f.t);
	CHECK(gone(l->dir, 2000));
}

static struct job_result job_run(struct loop *l, struct job j)
{
	struct job_result r = { 0 };

	j.len = strlen(j.script);
	CHECK_INT(frame_run(&l->f, a, &j, &r), FRAME_OK);
	return r;
}

#define RUN(l, ...) job_run((l), (struct job){ .script = __VA_ARGS__ })

static void test_plain(struct loop *l)
{
	struct stat st;

	CHECK(stat(l->dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	if (getuid() == 0)
		CHECK(!strncmp(l->dir, "/run/pig.", 9));
	struct job_result r = RUN(l, "echo out; echo err >&2; exit 7");
	CHECK_INT(r.status, 7);
	CHECK_STR(buf_text(&r.out), "out\n");
	CHECK_STR(buf_text(&r.errs), "err\n");
	r = RUN(l, "cat; umask; pwd; echo $LC_ALL; env | grep -c -e 0011223344 -e SUDO; stat -c %a \"$P\"");
	CHECK_STR(buf_text(&r.out), "0022\n/\nC\n0\n700\n");
	r = RUN(l, "");
	CHECK_INT(r.status, 0);
	CHECK_INT(r.out.len, 0);
	r = RUN(l, "if"); /* a syntax error is the job's own */
	CHECK(r.status != 0 && r.errs.len);
	r = RUN(l, "kill -9 $$");
	CHECK_INT(r.status, 137);
	r = RUN(l, "printf 'PIG-"
		   "00112233445566778899aabbccddeeff RES 1 0 0 0\\n'"); /* only text */
	CHECK_INT(r.out.len, 49);
	r = RUN(l, "head -c 1 /proc/self/fd/0 | wc -c; trap | grep -c INT; ps -o pgid= -p $$ 2>/dev/null | tr -d ' ' | "
		   "grep -v '^$' | "
		   "grep -c -v -x $$ ; true");
	CHECK_INT(r.status, 0);
	CHECK_STR(value_cstr(value_get(l->facts, "node_user"), NULL), "tester");
	CHECK(value_num(value_get(l->facts, "node_cpu"), 0) >= 1);
	CHECK(value_num(value_get(l->facts, "node_mem_mb"), 0) >= 64);
	CHECK(value_len(value_get(l->facts, "os_arch")) && value_len(value_get(l->facts, "boot_id")) == 36);
	CHECK(value_get(l->facts, "os_vendor")->flags & V_LITERAL);
}

static void test_inputs(struct loop *l)
{
	size_t big = 1 << 20;
	char *noise = arena_get(a, big);
	autofd int fd = open("/dev/urandom", O_RDONLY);

	CHECK(fd >= 0 && read(fd, noise, big) == (ssize_t)big);
	noise[0] = 0;
	struct job_input in[3] = { { "a\0b\nEND 1\n", 10 }, { "", 0 }, { noise, big } };
	struct job_result r =
		RUN(l, "stat -c %s:%a \"$P/0\" \"$P/1\" \"$P/2\"; echo x >\"$P/more\"; echo y >\"$P/.hidden\"",
		    .inputs = in, .n_inputs = 3);
	CHECK_STR(buf_text(&r.out), "10:600\n0:600\n1048576:600\n");
	r = RUN(l, "ls -A \"$P\" | wc -l");
	CHECK_STR(buf_text(&r.out), "0\n");
	r = RUN(l, "cat \"$P/2\"", .inputs = in, .n_inputs = 3);
	CHECK(r.out.len == big && !memcmp(r.out.p, noise, big));
	struct job_input many[200];
	for (int i = 0; i < 200; i++)
		many[i] = (struct job_input){ noise + i, (size_t)i };
	r = RUN(l, "cat \"$P\"/* | wc -c", .inputs = many, .n_inputs = 200);
	CHECK_STR(buf_text(&r.out), "19900\n");
	struct buf script = BUF(a);
	while (script.len < 300000)
		buf_str(&script, ": a long script, more than a pipe holds\n");
	buf_str(&script, "echo end\n");
	r = RUN(l, buf_text(&script));
	CHECK_STR(buf_text(&r.out), "end\n");
	if (getuid())
		return;
	r = RUN(l,
		"runuser -u nobody -- cat \"$P/0\" 2>/dev/null && echo open; runuser -u nobody -- sh -c 'id -un; wc "
		"-c' <\"$P/0\"",
		.inputs = in, .n_inputs = 1);
	CHECK_STR(buf_text(&r.out), "nobody\n10\n");
}

static void test_limits(struct loop *l)
{
	int64_t begin = os_now_ms();
	struct job_result r = RUN(l, "echo $$; sleep 61 & sleep 62", .limit_s = 1);

	CHECK_INT(r.status, 124);
	CHECK(os_now_ms() - begin < 4000);
	const char *group = arena_strn(a, buf_text(&r.out), strcspn(buf_text(&r.out), "\n"));
	r = RUN(l, arena_fmt(a,
			     "sleep 0.1; for p in /proc/[0-9]*; do read -r x y z q g w <$p/stat && [ \"$q\" = %s ] && "
			     "echo left; done; true",
			     group));
	CHECK_STR(buf_text(&r.out), "");
	begin = os_now_ms();
	r = RUN(l, "trap '' TERM; while :; do sleep 1; done", .limit_s = 1);
	CHECK_INT(r.status, 124);
	CHECK(os_now_ms() - begin < 12000);
}

static void test_caps(struct loop *l)
{
	struct job_result r = RUN(l, "yes | head -c 3000000; yes n | head -c 400000 >&2; echo done >&2", .cap = 1000);

	CHECK_INT(r.status, 0);
	CHECK_INT(r.out.len, 1000);
	CHECK_INT(r.errs.len, 1000);
	r = RUN(l, "printf %1000s x", .cap = 1000);
	CHECK_INT(r.out.len, 1000);
	r = RUN(l, "printf %999s x; printf %1001s y >&2", .cap = 1000);
	CHECK_INT(r.out.len, 999);
	CHECK_INT(r.errs.len, 1000);
	/* what is printed without end fills nothing, and does not stop the job */
	r = RUN(l,
		"timeout 0.7 yes & timeout 0.7 yes >&2; wait; d=${P%/p}; cat $d/o $d/e | wc -c >\"$P/n\"; "
		"[ $(cat \"$P/n\") -lt 500000 ] && exit 5",
		.cap = 100000, .limit_s = 20);
	CHECK_INT(r.status, 5);
	CHECK_INT(r.out.len, 100000);
	r = RUN(l, "yes", .cap = 100000, .limit_s = 1);
	CHECK_INT(r.status, 124);
	CHECK_INT(r.out.len, 100000);
}

static void test_daemons(struct loop *l)
{
	int64_t begin = os_now_ms();
	struct job_result r = RUN(l, "sleep 60 & echo $!");

	CHECK(os_now_ms() - begin < 2000);
	pid_t quiet = (pid_t)strtol(buf_text(&r.out), NULL, 10);
	CHECK(quiet > 1 && kill(quiet, 0) == 0);
	r = RUN(l, "(sleep 0.2; for i in $(seq 2000); do echo chatter; echo chatter >&2; sleep 0.01; done) & echo $!");
	pid_t loud = (pid_t)strtol(buf_text(&r.out), NULL, 10);
	CHECK(loud > 1);
	for (int i = 0; i < 3; i++) {
		r = RUN(l, "sleep 0.05; echo mine");
		CHECK_STR(buf_text(&r.out), "mine\n");
		CHECK_STR(buf_text(&r.errs), "");
	}
	CHECK(loud > 1 && kill(loud, 0) == 0);				/* its output goes nowhere, but it lives */
	r = RUN(l, "head -c 200000 /dev/zero; sleep 60 & echo $! >&2"); /* all of the output, although the fifo stays
									   open */
	CHECK_INT(r.out.len, 200000);
	pid_t third = (pid_t)strtol(buf_text(&r.errs), NULL, 10);
	loop_close(l);
	CHECK(loud > 1 && kill(loud, 0) == 0); /* and beyond the session */
	CHECK(quiet > 1 && kill(quiet, 0) == 0);
	pid_t all[] = { quiet, loud, third };
	for (int i = 0; i < 3; i++)
		if (all[i] > 1)
			kill(all[i], SIGKILL);
}

/* A request cut anywhere runs nothing. */
static void test_cut(void)
{
	char flag[64];
	snprintf(flag, sizeof flag, "/tmp/pig-wire-%d.flag", (int)getpid());
	const char *script = arena_fmt(a, "touch %s\ntouch %s\n", flag, flag);
	const char *request = arena_fmt(a, "RUN 1 10 1000 %zu 3\n%sabcEND 1\n", strlen(script), script);
	size_t len = strlen(request),
	       cuts[] = { 0, 3, 8, 19, 24, 40, 41, len - 10, len - 8, len - 7, len - 4, len - 2 };

	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		struct loop l;
		loop_open(&l, "");
		CHECK_INT(frame_send(&l.f, request, cuts[i]), FRAME_OK);
		loop_close(&l);
		CHECK(!os_exists(flag));
	}
	unlink(flag);
	/* and so does a loop that is cut itself */
	for (size_t n = boot_sh_len - 20; n > 200; n -= n > 900 ? 600 : 150) {
		struct loop l;
		CHECK_INT(loop_open_text(&l, arena_strn(a, (const char *)boot_sh, n), ""), FRAME_EOF);
		l.f.t->ops->close(l.f.t);
	}
}

/* One job at a time on a host: a job whose sender was lost is awaited for a while, then named. */
static void test_alone(void)
{
	struct loop l, other;
	const char *lock = arena_fmt(a, "/tmp/pig-wire-lock-%d", (int)getpid());
	const char *with = arena_fmt(a, "L=%s W=1", lock);
	const char *script = arena_fmt(a, "flock -n %s true; echo $?; sleep 2 & echo left", lock);
	struct job j = { .script = script, .len = strlen(script) };
	struct job_result r;

	loop_open(&l, with);
	loop_open(&other, with);
	CHECK_INT(frame_run(&l.f, a, &j, &r), FRAME_OK);
	CHECK_STR(buf_text(&r.out), "1\nleft\n");
	/* free again, though the job left a process behind */
	CHECK_INT(frame_run(&other.f, a, &j, &r), FRAME_OK);
	pid_t pid = fork();
	if (!pid) {
		setpgid(0, 0);
		execlp("flock", "flock", lock, "sleep", "20", (char *)NULL);
		_exit(1);
	}
	while (os_run(&(struct os_cmd){ .argv = (const char *[]){ "flock", "-n", lock, "true", NULL } }, NULL, NULL, &r.status, NULL) &&
	       !r.status)
		usleep(1000);
	CHECK_INT(frame_run(&other.f, a, &j, &r), FRAME_BUSY);
	CHECK(other.f.busy > 1);
	CHECK(gone(other.dir, 2000));
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(frame_run(&l.f, a, &j, &r), FRAME_OK);
	loop_close(&l);
	loop_close(&other);
	unlink(lock);
}

static void test_refusals(void)
{
	struct loop l;
	const char *text = boot_text(), *at = strstr(text, "chmod chown mv");
	char *other = arena_str(a, text);
	char *zeros = arena_get(a, 4 << 20);
	struct job_input in = { zeros, 4 << 20 };
	struct job j = { .script = "true", .len = 4, .inputs = &in, .n_inputs = 1 };
	struct job_result r;

	CHECK(at != NULL);
	if (at)
		memcpy(other + (at - text), "nosuch  nosuch", 14);
	CHECK_INT(loop_open_text(&l, other, ""), FRAME_OK);
	CHECK_STR(l.line, "lacks nosuch nosuch");
	l.f.t->ops->close(l.f.t);
	/* no room for an input: a file size limit stands for a full tmpfs */
	loop_open(&l, "ulimit -f 1000");
	CHECK_INT(frame_run(&l.f, a, &j, &r), FRAME_FULL);
	loop_close(&l);
	loop_open(&l, "");
	CHECK_INT(frame_send(&l.f, "BYE\n", 4), FRAME_OK);
	CHECK(gone(l.dir, 2000));
	loop_close(&l);
	loop_open(&l, "");
	CHECK_INT(frame_send(&l.f, "WHAT 1 2 3\n", 11), FRAME_OK);
	CHECK(gone(l.dir, 2000));
	loop_close(&l);
	/* a signal clears up as well */
	loop_open(&l, "echo noise $$");
	pid_t pid = (pid_t)strtol(buf_text(&l.f.noise) + 6, NULL, 10);
	if (CHECK(pid > 1))
		kill(pid, SIGTERM);
	CHECK(gone(l.dir, 2000));
	CHECK_HAS(buf_text(&l.f.noise), "noise ");
	loop_close(&l);
}

static void remove_link(void)
{
	unlink(bash_as_sh);
	rmdir(os_dirname(a, bash_as_sh));
}

static bool choose_shell(const char *name)
{
	struct buf out = BUF(a);
	const char *argv[] = { !strcmp(name, "sh") ? "bash" : name, !strcmp(name, "busybox") ? "true" : "-c", "true",
			       NULL };
	int status = 1;

	if (!os_run(&(struct os_cmd){ .argv = argv, .merge = true }, &out, &out, &status, NULL))
		return false;
	shell[0] = name;
	if (!strcmp(name, "sh")) {
		snprintf(bash_as_sh, sizeof bash_as_sh, "/tmp/pig-wire-%d", (int)getpid());
		mkdir(bash_as_sh, 0700);
		snprintf(bash_as_sh + strlen(bash_as_sh), 4, "/sh");
		if (symlink("/bin/bash", bash_as_sh))
			return false;
		atexit(remove_link);
		shell[0] = bash_as_sh;
	}
	shell[1] = !strcmp(name, "busybox") ? "sh" : "-c";
	shell[2] = !strcmp(name, "busybox") ? "-c" : NULL;
	return true;
}

int main(int argc, char **argv)
{
	struct loop l;

	a = arena_new();
	if (argc != 2 || !choose_shell(argv[1])) {
		printf("skipped: no shell %s here\n", argc == 2 ? argv[1] : "");
		return 77;
	}
	loop_open(&l, "");
	test_plain(&l);
	test_inputs(&l);
	test_limits(&l);
	test_caps(&l);
	test_daemons(&l); /* closes */
	test_cut();
	test_alone();
	test_refusals();
	return check_done();
}
