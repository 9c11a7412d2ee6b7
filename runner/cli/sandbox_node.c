/* One node: its file system over the image, its boot by systemd-nspawn, its end. */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOOT_MS = 60000, STOP_MS = 30000 };

/*
 * volatile: what a node writes is never waited for on the machine's disk; a sandbox does not outlive the machine
 * anyway. Kernels that lack an option get the plain mount.
 */
static bool mount_root(const struct sandbox *s, const struct sandbox_node *n, struct err *e)
{
	const char *up = os_join(s->a, n->dir, "upper"), *work = os_join(s->a, n->dir, "work");
	const char *plain = arena_fmt(s->a, "lowerdir=%s,upperdir=%s,workdir=%s", s->rootfs, up, work);

	if (!os_mkdirs(up, 0755, e) || !os_mkdirs(work, 0755, e) || !os_mkdirs(n->root, 0755, e))
		return false;
	if (mount("pig-sandbox", n->root, "overlay", 0, arena_fmt(s->a, "%s,redirect_dir=on,volatile", plain)) &&
	    mount("pig-sandbox", n->root, "overlay", 0, plain))
		return fail(e, E_FAILED, "could not mount the file system of node \"%s\": %s", n->name,
			    strerror(errno));
	return true;
}

static bool put(const struct sandbox *s, const struct sandbox_node *n, const char *path, const char *text,
		struct err *e)
{
	return os_write(arena_fmt(s->a, "%s%s", n->root, path), text, strlen(text), 0644, e);
}

bool sandbox_node_prepare(const struct sandbox *s, const struct sandbox_node *n, struct err *e)
{
	struct buf hosts = BUF(s->a);

	buf_str(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	for (unsigned i = 0; i < s->nodes; i++) {
		struct sandbox_node other = sandbox_node_at(s, i);
		buf_fmt(&hosts, "%s\t%s\n", other.address, other.name);
	}
	return mount_root(s, n, e) && put(s, n, "/etc/hostname", arena_fmt(s->a, "%s\n", n->name), e) &&
	       put(s, n, "/etc/hosts", buf_text(&hosts), e) &&
	       put(s, n, "/etc/machine-id", arena_fmt(s->a, "%s\n", os_random_hex(s->a, 16)), e) &&
	       sandbox_keys_node(s, n, e);
}

/* State letter and start time (field 22) of a process; false when there is none. */
static bool process_state(pid_t pid, char *state, unsigned long long *start)
{
	char path[64], text[1024];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!sandbox_peek(path, text, sizeof text))
		return false;
	/* the command's name may hold blanks and brackets: count from the last bracket */
	const char *p = strrchr(text, ')');
	return p && sscanf(p, ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
			   state, start) == 2;
}

pid_t sandbox_node_pid(const struct sandbox_node *n)
{
	unsigned long long began, start;
	int pid;
	char state, text[64];

	if (!sandbox_peek(n->pid_file, text, sizeof text) || sscanf(text, "%d %llu", &pid, &began) != 2)
		return 0;
	if (!process_state((pid_t)pid, &state, &start) || start != began || state == 'Z' || state == 'X')
		return 0;
	return (pid_t)pid;
}

/* The child's side of a boot: nothing here allocates. */
static _Noreturn void become_nspawn(char *const *argv, char *const *procs, const char *log)
{
	/* until it is in its cgroup nothing would tell whose this process is: so it goes with its parent */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644),
	    in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	if (!sandbox_cgroup_join(procs)) {
		dprintf(2, "could not enter the node's cgroup: %s\n", strerror(errno));
		_exit(126);
	}
	prctl(PR_SET_PDEATHSIG, 0);
	execvp(argv[0], argv);
	dprintf(2, "could not run systemd-nspawn: %s\n", strerror(errno));
	_exit(127);
}

static char **nspawn_words(const struct sandbox *s, const struct sandbox_node *n)
{
	char **argv = arena_new_of(s->a, char *, 24 + s->nbinds);
	size_t k = 0;
	const char *fixed[] = {"systemd-nspawn",
			       "--quiet",
			       "--boot",
			       "--settings=no",
			       "--register=no",
			       "--keep-unit",
			       "--console=pipe",
			       "--resolv-conf=off",
			       "--timezone=off",
			       "--link-journal=no",
			       "--capability=CAP_NET_ADMIN"};

	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		argv[k++] = arena_str(s->a, fixed[i]);
	argv[k++] = arena_fmt(s->a, "--directory=%s", n->root);
	argv[k++] = arena_fmt(s->a, "--machine=%s", n->machine);
	argv[k++] = arena_fmt(s->a, "--hostname=%s", n->name);
	argv[k++] = arena_fmt(s->a, "--network-namespace-path=/run/netns/%s", n->machine);
	for (unsigned i = 0; i < s->nbinds; i++)
		argv[k++] = arena_fmt(s->a, "--bind-ro=%s", s->binds[i]);
	return argv;
}

bool sandbox_node_boot(const struct sandbox *s, const struct sandbox_node *n, struct err *e)
{
	unsigned long long start = 0;
	char state;

	/* systemd writes to sockets and cgroups by names of its own; a cgroup that ran before may hold its old ones */
	if (!sandbox_cgroup_kill(s, n->cgroup, true, e) || !sandbox_cgroup_make(s, n, e))
		return false;
	char **argv = nspawn_words(s, n), **procs = sandbox_cgroup_procs(s, n);
	setenv("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "network", 1);
	pid_t pid = fork();
	if (pid == 0)
		become_nspawn(argv, procs, n->log);
	if (pid < 0)
		return fail(e, E_FAILED, "could not start node \"%s\": %s", n->name, strerror(errno));
	if (!process_state(pid, &state, &start))
		return fail(e, E_FAILED, "node \"%s\" ended at once", n->name);
	const char *line = arena_fmt(s->a, "%d %llu\n", (int)pid, start);
	return os_write(n->pid_file, line, strlen(line), 0644, e);
}

static void console_tail(const struct sandbox *s, const struct sandbox_node *n)
{
	struct buf b = BUF(s->a);

	os_read(&b, n->log, 0, NULL);
	size_t from = b.len, lines = 0;
	while (from && lines < 25)
		lines += b.p[--from] == '\n';
	sandbox_put("--- the end of %s\n%s---\n", n->log, b.len ? b.p + from : "(empty)\n");
}

bool sandbox_node_wait(const struct sandbox *s, const struct sandbox_node *nodes, unsigned n, struct err *e)
{
	unsigned ready = 0;

	while (ready < n && sandbox_net_wait(s, &nodes[ready], 1, BOOT_MS, e))
		ready++;
	if (ready == n)
		return true;
	console_tail(s, &nodes[ready]);
	return err_hint(e, "pig sandbox down --name %s removes what is left", s->name);
}

/* Wait for the end of the node's processes. Its nspawn may be our child, or no one's. */
static bool wait_end(const struct sandbox_node *n, int limit_ms)
{
	int64_t until = os_now_ms() + limit_ms;

	while (sandbox_node_pid(n)) {
		if (os_now_ms() > until)
			return false;
		poll(NULL, 0, 20);
	}
	return true;
}

bool sandbox_node_stop(const struct sandbox *s, const struct sandbox_node *n, bool hard, struct err *e)
{
	pid_t pid = sandbox_node_pid(n);

	/* nspawn passes SIGTERM on as the signal that makes systemd power off */
	if (pid && !hard) {
		kill(pid, SIGTERM);
		if (!wait_end(n, STOP_MS))
			sandbox_put("node %s did not power off within %d s and is killed\n", n->name, STOP_MS / 1000);
	}
	if (!sandbox_cgroup_kill(s, n->cgroup, false, e))
		return false;
	unlink(n->pid_file);
	return true;
}
