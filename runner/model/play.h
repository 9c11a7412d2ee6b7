/*
 * A file of plays: registered playbooks and tasks put together by the user, one play after the other. Plays become the steps of a
 * playbook of its own; what a play says besides goes with its steps.
 */
#ifndef MODEL_PLAY_H
#define MODEL_PLAY_H

#include "model/param.h"

struct play {
	const char *what;        /* "playbook pgsql", "tasks pg_hba": for lists and messages */
	const char *hosts;       /* pattern; NULL: all hosts its steps are for */
	struct origin at;        /* of the play */
	struct origin hosts_at;  /* of the pattern */
	const struct expr *when; /* NULL: always */
	/* With its vars, which lead over what hosts say and follow -e, on the play's hosts; both NULL: it has none. */
	struct world *w;
	struct resolvers *rs;
	uint32_t from, n, number; /* its steps in the playbook; number from 1 */
};

/* Is the word of the command line a file's name rather than a registered playbook's? */
bool play_is_file(const char *word);
/* E_INPUT with the place of what is wrong. */
bool plays_read(struct playbook **out, struct arena *a, const struct world *w, const char *path, struct err *e);

#endif
