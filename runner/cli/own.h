/* A module's verb at work: what cli_own.c sets up and cli_own_api.c serves. */
#ifndef CLI_OWN_H
#define CLI_OWN_H

#include "cli/cli.h"

struct own_call {
	struct pig_call pub; /* first: a pig_call is one of these */
	struct cli *c;
	struct modules *ms;
	const struct module *module;
	const struct pig_verb *verb;
	struct world w; /* .inv NULL: the verb takes none */
	struct resolvers *rs;
	struct inv_host **hosts; /* of -l, or all */
	uint32_t n_hosts;
	struct ca *ca;
	struct err err;
	bool failed;
};

extern const struct pig_cli own_cli;
/* The first failure is kept. */
void own_fail(struct own_call *o, const struct err *e);

#endif
