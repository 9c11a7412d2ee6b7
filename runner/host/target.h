/* Where a target really is: its own words completed by what ssh(1) would do (`ssh -G`). */
#ifndef HOST_TARGET_H
#define HOST_TARGET_H

#include "host/session.h"

enum { ROUTE_KEYS_MAX = 32, ROUTE_FILES_MAX = 8 };

struct route {
	const struct target *target;
	const char *alias; /* what ssh(1) is given: the host as the inventory has it */
	const char *host;  /* what is connected to */
	int port;
	const char *user;
	const char *keys[ROUTE_KEYS_MAX + 1]; /* key files to try, NULL ended; "~" is resolved */
	size_t n_keys;
	bool key_given; /* the inventory named the key: only that one */
	bool identities_only;
	const char *agent;			    /* socket; NULL: none */
	const char *known[2 * ROUTE_FILES_MAX + 1]; /* known_hosts files, NULL ended; the first is where new keys go */
	const char *known_name;			    /* the name to look for in them */
	const char *key_alias;			    /* HostKeyAlias, or NULL */
	bool hash_names;
	bool strict;	       /* StrictHostKeyChecking yes: unknown keys are refused too */
	bool no_ssh;	       /* ssh(1) is not installed */
	const char *needs_ssh; /* a setting that only ssh(1) can follow ("ProxyJump"), or NULL */
	int family;	       /* AF_UNSPEC, AF_INET, AF_INET6 */
};

/* Fails on names that could be options or shell text, and on what ssh -G itself refuses. */
bool target_resolve(struct route *r, struct arena *a, const struct target *t, struct err *e);
/* The output of `ssh -G` into r: bounded, unknown lines are passed over. home: for "~". */
void target_read(struct route *r, struct arena *a, const char *text, size_t len, const char *home);
/* The words of ansible_ssh_common_args, quotes and backslashes as in a shell; NULL ended. NULL: an unclosed quote. */
const char *const *target_words(struct arena *a, const char *text);

#endif
