/* pig: the program. Finds the verb and hands over. */
#include "cli/cli.h"
#include "host/session.h"

#include <signal.h>
#include <string.h>

static void usage(struct cli *c, FILE *f)
{
	fputs("pig: an infrastructure task runner for PostgreSQL clusters\n\nusage: pig VERB [options]\n\n", f);
	for (size_t i = 0; i < cli_verbs_n; i++)
		fprintf(f, "  %-10s %s\n", cli_verbs[i].name, cli_verbs[i].text);
	cli_own_usage(c, f);
	fputs("\npig VERB --help says more. Exit status: 0 done, 1 some host failed or was not run, 2 bad usage or input, 3 module,\n"
	      "4 unreachable, 5 remote, 6 timeout, 130 cancelled.\n", f);
}

int main(int argc, char **argv)
{
	struct cli c = { .a = arena_new() };
	int status = 0;

	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error where it is written to */
	conn_global_init();
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(&c, argc < 2 ? stderr : stdout);
		status = argc < 2 ? E_INPUT : 0;
	} else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("pig " PIG_VERSION);
	} else {
		const struct cli_verb *verb = cli_verb(argv[1]);
		status = verb ? verb->fn(&c, argc - 1, argv + 1) : cli_own(&c, argc - 1, argv + 1);
	}
	arena_free(c.a);
	return status;
}
