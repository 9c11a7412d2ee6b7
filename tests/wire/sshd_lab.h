/* A real sshd on loopback with a configuration, keys and known_hosts file of its own, in one temporary folder. */
#ifndef TEST_SSHD_LAB_H
#define TEST_SSHD_LAB_H

#include <sys/types.h>
#include "host/session.h"

struct lab {
	struct arena *a;
	char dir[64]; /* holds id, id_rsa, id_locked, id_other, host_a, host_b, host_ec, known, config */
	int port;
	pid_t pid;
};

/* false: this machine cannot (no root, no sshd). */
bool lab_open(struct lab *l);
void lab_close(struct lab *l);
const char *lab_path(struct lab *l, const char *name);
void lab_write(struct lab *l, const char *name, const char *text);
const char *lab_read(struct lab *l, const char *name);
/* Run a command of the shell on this machine; its output. */
const char *lab_sh(struct lab *l, const char *script);
/* (Re)start sshd with these host keys ("host_a") and further lines of its configuration. */
void lab_start(struct lab *l, const char *host_key, const char *more);
void lab_stop(struct lab *l);
/* Forget known hosts and take the usual ssh_config, with further lines at its head. */
void lab_config(struct lab *l, const char *more);
/* The usual target: root on the lab's port, key "id". */
struct target lab_target(struct lab *l);
/* conn_open with a short patience. */
bool lab_connect(struct lab *l, struct conn **c, const struct target *t, struct err *e);
/* A job of 20 s at most. */
bool lab_run(struct lab *l, struct conn *c, const char *script, struct job_result *r, struct err *e);

#endif
