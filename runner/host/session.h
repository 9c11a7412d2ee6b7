/*
 * One host, connected: a long-lived POSIX sh under sudo, framed over one channel. The engine sees only `struct conn`, so that a
 * recording host can stand in for it in tests.
 */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "base/err.h"
#include "value/value.h"

struct job_input { const void *data; size_t len; };

/* A script for the host's shell, run by root in its own process group with umask 022, LC_ALL=C, standard input /dev/null.
 * "$P/0", "$P/1", ... are the inputs' bytes: files in a 0700 folder on tmpfs, gone after the job. */
struct job {
	const char *script;
	size_t len;
	const struct job_input *inputs;
	size_t n_inputs;
	int limit_s;      /* 0: 300 */
	size_t cap;       /* bytes of each output kept; 0: 16 MiB; what is beyond is cut on the host */
	const char *what; /* "unit \"etcd\" (etcd_launch)": named when the host hangs or the link dies */
};

struct job_result {
	int status; /* exit status; 124: the limit was reached */
	struct buf out, errs;
};

/* What the engine talks to. Calls on one conn are serialised by the conn itself (a mutex inside): any thread may call. */
struct conn {
	bool (*run)(struct conn *c, struct arena *a, const struct job *j, struct job_result *r, struct err *e);
	void (*close)(struct conn *c);
	const struct value *facts; /* map: os_vendor os_version os_version_full os_codename os_arch os_package node_user node_hostname
	                              node_cpu node_mem_mb node_mem_gb node_mem_bytes ... ; V_LITERAL strings */
	const char *what;          /* "ssh dba@10.10.10.11:22": for messages */
	int64_t ahead_s;           /* the host's clock before ours; negative: behind */
};

/* How to reach a host: filled from ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, ansible_connection
 * (ssh, openssh, local), ansible_become, ansible_become_password, ansible_password, ansible_ssh_common_args, and `ssh -G`. */
struct target {
	const char *name;      /* inventory name */
	const char *connection; /* NULL: ssh */
	const char *host;      /* NULL: name */
	int port;              /* 0: ssh's own default */
	const char *user;      /* NULL: ssh's own default */
	const char *key;       /* private key file; NULL: ssh's own defaults and agent */
	const char *password, *become_password; /* secrets; NULL: none */
	const char *common_args; /* extra words for ssh(1): their presence selects openssh */
	const char *ssh_config;  /* -F file; NULL: the user's */
	bool become;           /* sudo when not root already */
	bool alone;            /* jobs exclude those of other runs on the host */
};

struct conn_options {
	bool insecure;          /* accept changed and unknown host keys */
	int connect_timeout_s;  /* 0: 10 */
	const volatile int *cancel; /* becomes non-zero: give up with E_CANCELLED */
};

/* false: e->code is E_CONNECT (unreachable, host key, login, sudo) with cause and hint. */
bool conn_open(struct conn **out, const struct target *t, const struct conn_options *o, struct err *e);
/* Call once in main before threads. */
void conn_global_init(void);
/* What the first connection would do once, where somebody has nothing to do meanwhile. */
void conn_warm_up(void);

#endif
