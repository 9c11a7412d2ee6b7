/* What ssh2.c (link, host key, channel) and ssh2_auth.c (login) share. Nobody else includes it. */
#ifndef HOST_SSH2_H
#define HOST_SSH2_H

#include <libssh2.h>

#include "host/target.h"
#include "host/transport.h"

struct ssh2 {
	struct transport t;
	struct arena *a;
	const struct route *r;
	bool insecure;
	int fd;
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	bool pending;	 /* a packet is half sent: only the same write may go on */
	char said[2048]; /* the last of standard error, or the library's last word */
	size_t said_n;
};

/* libssh2 from 1.11 on signs RSA keys with SHA-2. */
bool ssh2_has_rsa_sha2(void);
/* After EAGAIN: wait for the direction that libssh2 asks for. doing: "logging in to". */
bool ssh2_turn(struct ssh2 *s, const struct until *u, const char *doing, struct err *e);
/* The library's last error, copied into the arena. */
const char *ssh2_word(struct ssh2 *s);
/* Log in by key, agent or password. */
bool ssh2_login(struct ssh2 *s, const struct until *u, struct err *e);

#endif
