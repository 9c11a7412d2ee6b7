/* Which transport a host gets, and its opening. */
#ifndef HOST_CHOICE_H
#define HOST_CHOICE_H

#include "host/target.h"
#include "host/transport.h"

struct choice {
	struct transport *t;
	const char *what;    /* "ssh dba@10.10.10.11:22": for messages */
	const char *why;     /* why it is openssh and not ssh; NULL */
	bool by_ssh_program; /* errors of the way there come on its standard error */
};

/* Opened, with the command started. What ssh(1) has to say comes later: see choice_explain. */
bool choice_open(struct choice *c, struct arena *a, const struct route *r, const struct conn_options *o,
		 const char *command, struct err *e);
/* The stream ended before the host said anything: the error that ssh(1) meant. said: its standard error. */
bool choice_explain(const struct choice *c, const struct route *r, const char *said, struct err *e);
/* Milliseconds that a connect may last. */
int choice_patience(const struct conn_options *o);

#endif
