/* A TCP connection with a deadline over everything, name resolution included. */
#ifndef HOST_TCP_H
#define HOST_TCP_H

#include "base/err.h"
#include "host/until.h"

/* A non-blocking, close-on-exec socket that notices a dead peer within about 20 s. -1: e is filled, naming name. */
int tcp_connect(const char *name, const char *host, int port, int family, const struct until *u, struct err *e);
/* What has come is acknowledged now, and what comes next at once. To be said again before each wait, as the kernel goes
 * back to its own measure. A peer that holds its small packets back until earlier ones are acknowledged (Nagle: sshd,
 * until a command is started) waits some 40 ms for a side that has nothing to say. */
void tcp_acknowledge(int fd);

#endif
