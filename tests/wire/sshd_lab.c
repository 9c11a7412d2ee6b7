/* The laboratory of wire_sshd.c: see the header. Everything it makes is under one folder, everything it starts is ended
 * by its pid. */
#include "sshd_lab.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"

/* libssh2 1.10 forgets the host key of the last exchange with every new one (51 bytes), and OpenSSL's reader of a key
 * it refuses. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libssh2.so\nleak:libcrypto.so\n";
}

const char *lab_path(struct lab *l, const char *name)
{
	return os_join(l->a, l->dir, name);
}

void lab_write(struct lab *l, const char *name, const char *text)
{
	struct err e;

	if (!os_write(lab_path(l, name), text, strlen(text), 0644, &e))
		bug("%s", e.msg);
}

const char *lab_read(struct lab *l, const char *name)
{
	struct buf b = BUF(l->a);

	return os_exists(lab_path(l, name)) && os_read(&b, lab_path(l, name), 0, NULL) ? buf_text(&b) : "";
}

const char *lab_sh(struct lab *l, const char *script)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct buf out = BUF(l->a);
	struct err e;

	if (!os_run(&(struct os_cmd){ .argv = argv, .cwd = l->dir, .merge = true }, &out, &out, NULL, &e))
		bug("%s", e.msg);
	return buf_text(&out);
}

static int free_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;

	if (bind(fd, (struct sockaddr *)&at, sizeof at) || getsockname(fd, (struct sockaddr *)&at, &n))
		bug("no free port");
	close(fd);
	return ntohs(at.sin_port);
}

static bool answers(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;

	close(fd);
	return ok;
}

bool lab_open(struct lab *l)
{
	*l = (struct lab){ .a = arena_new() };
	snprintf(l->dir, sizeof l->dir, "/tmp/pig-wire-sshd-%d", (int)getpid());
	if (getuid() || !os_exists("/usr/sbin/sshd") || mkdir(l->dir, 0755))
		return false;
	mkdir("/run/sshd", 0755);
	const char *said = lab_sh(l, "for k in id id_other host_a host_b; do ssh-keygen -q -t ed25519 -N '' -f $k; "
				     "done;"
				     "ssh-keygen -q -t rsa -b 2048 -N '' -f id_rsa; ssh-keygen -q -t ed25519 -N sesame "
				     "-f id_locked;"
				     "ssh-keygen -q -t ecdsa -N '' -f id_ec; ssh-keygen -q -t ecdsa -N '' -f host_ec; "
				     "ssh-keygen -q -t rsa -b 2048 -N '' -f host_rsa;"
				     "cat id.pub id_rsa.pub id_locked.pub id_ec.pub >authorized; chmod 644 authorized");
	if (*said)
		bug("%s", said);
	l->port = free_port();
	return true;
}

void lab_stop(struct lab *l)
{
	if (l->pid > 0) {
		kill(l->pid, SIGTERM);
		waitpid(l->pid, NULL, 0);
	}
	l->pid = 0;
}

void lab_close(struct lab *l)
{
	lab_stop(l);
	lab_sh(l, arena_fmt(l->a, "rm -rf '%s'", l->dir));
	arena_free(l->a);
}

void lab_start(struct lab *l, const char *host_key, const char *more)
{
	const char *cfg = lab_path(l, "sshd_config"), *log = lab_path(l, "sshd_log");

	lab_stop(l);
	lab_write(l, "sshd_config",
		  arena_fmt(l->a,
			    "%s\nPort %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"
			    "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPrintMotd no\n",
			    more, l->port, lab_path(l, host_key), lab_path(l, "authorized")));
	l->pid = fork();
	if (l->pid == 0) {
		if (!freopen(log, "a", stderr) || !freopen("/dev/null", "r", stdin) || setsid() < 0)
			_exit(1);
		execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-e", "-f", cfg, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && !answers(l->port); i++)
		usleep(10000);
}

void lab_config(struct lab *l, const char *more)
{
	unlink(lab_path(l, "known"));
	lab_write(l, "config",
		  arena_fmt(l->a,
			    "%s\nHost *\n\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile none\n\tIdentityAgent none\n",
			    more, lab_path(l, "known")));
}

struct target lab_target(struct lab *l)
{
	/* a config file of another name each time, as the answers of ssh -G are kept */
	static int n;
	const char *config = lab_path(l, arena_fmt(l->a, "config.%d", n++));

	lab_sh(l, arena_fmt(l->a, "cp config '%s'", config));
	return (struct target){ .name = "pg-test-1",
				.host = "127.0.0.1",
				.port = l->port,
				.user = "root",
				.key = lab_path(l, "id"),
				.ssh_config = config };
}

bool lab_connect(struct lab *l, struct conn **c, const struct target *t, struct err *e)
{
	struct conn_options o = { .connect_timeout_s = 5 };

	(void)l;
	*c = NULL;
	memset(e, 0, sizeof *e);
	return conn_open(c, t, &o, e);
}

bool lab_run(struct lab *l, struct conn *c, const char *script, struct job_result *r, struct err *e)
{
	struct job j = {
		.script = script, .len = strlen(script), .limit_s = 20, .what = "unit \"etcd\" (etcd_launch)"
	};

	memset(e, 0, sizeof *e);
	return c->run(c, l->a, &j, r, e);
}
