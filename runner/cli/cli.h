/*
 * What the verbs of the command line share: the common options, the table-driven option parser, the table of verbs, and
 * errors turned into messages and exit statuses. A verb's own logic stands in cli_<verb>.c (run, exec and ssh in files
 * of their own).
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/param.h"

struct cli_words {
	const char **items;
	uint32_t n, cap;
};

struct cli {
	struct arena *a;                                  /* lives as long as the process */
	struct cli_words inventories, extra, plugin_dirs; /* -i, -e, --plugin-dir, in the order given */
	struct cli_words vault_ids, vault_files;          /* --vault-id, --vault-password-file */
	const char *limit;                                /* -l; NULL: none */
	bool json, insecure, show_secrets, help, ask_vault;
	int64_t verbose;
	struct cli_words args; /* what is no option */
	const struct cli_spec **asked; /* not NULL: a verb is only asked for its spec, which cli_parse puts there */
	uint32_t dashes;       /* index in args of the first word after "--"; args.n when there was none */
};

/* ---- options ---- */
enum cli_kind {
	CLI_FLAG = 1, /* bool: set */
	CLI_COUNT,    /* int64_t: one more each time */
	CLI_TEXT,     /* const char *: the last one wins */
	CLI_NUMBER,   /* int64_t, not negative */
	CLI_LIST,     /* struct cli_words: each is kept */
};
struct cli_option {
	char letter;      /* 0: none */
	uint8_t kind;     /* enum cli_kind */
	const char *name; /* without the dashes */
	const char *arg;  /* name of its value in the help; NULL for flags and counts */
	size_t offset;    /* in the struct the table is for */
	const char *text; /* NULL: not shown by --help */
};
/* Common options a verb takes: their rows are cli_common's. --help is always taken. */
enum {
	CLI_INVENTORY = 1, /* -i, repeated */
	CLI_EXTRA = 2,     /* -e, repeated */
	CLI_PLUGINS = 4,   /* --plugin-dir, repeated */
	CLI_LIMIT = 8,     /* -l */
	CLI_JSON = 16,     /* --json */
	CLI_VERBOSE = 32,  /* -v */
	CLI_INSECURE = 64, /* --insecure */
	CLI_SECRETS = 128, /* --show-secrets */
	CLI_VAULT = 256,   /* --vault-id, --vault-password-file, --ask-vault-pass */
	CLI_WORLD = CLI_INVENTORY | CLI_EXTRA | CLI_PLUGINS | CLI_VAULT,
};
struct cli_spec {
	const char *usage; /* lines after "pig ", each a form: "check [-l LIMIT]\nfoo" */
	const char *text;  /* paragraphs */
	unsigned common;
	const struct cli_option *options;
	uint32_t n_options;          /* the verb's own; offsets in `own` */
	uint32_t min_args, max_args; /* words that are no options; max 0: as min; UINT32_MAX: any number */
	bool raw;                    /* the first word that is no option ends the options (a command follows) */
};
/* argv[0] is the verb. False and e (E_INPUT, with a suggestion) on anything unknown. --help: the usage goes to standard
 * output and c->help is set; the verb then returns 0 at once. */
bool cli_parse(struct cli *c, const struct cli_spec *spec, void *own, int argc, char **argv, struct err *e);
void cli_usage(FILE *f, const struct cli_spec *spec);
/* The spec of a verb, a module's too; NULL when it has none or is unknown. */
const struct cli_spec *cli_spec_of(struct cli *c, const char *verb);
/* The i-th option the spec takes, common ones behind its own, --help last; NULL past the end. */
const struct cli_option *cli_spec_option(const struct cli_spec *spec, uint32_t i);
bool cli_option_takes_value(const struct cli_option *row);
void cli_word(struct cli *c, struct cli_words *w, const char *s);

/* ---- what verbs start from ---- */
/* The inventory, the modules and both together; modules that did not load are named on standard error. */
bool cli_world(struct cli *c, struct world *w, struct err *e);
/* Modules alone; an inventory need not exist. Its folder's plugins/ is searched when it does. */
bool cli_modules(struct cli *c, struct modules **out, struct err *e);
/* The hosts of -l, or all. */
bool cli_hosts(struct cli *c, const struct world *w, struct inv_host ***out, uint32_t *n, struct err *e);
/* A file or folder of the installed share/pig, beside the running program first; NULL when it is in neither. */
const char *cli_shared(struct cli *c, const char *name);
/* Print the error for people on standard error; the result is the exit status. */
int cli_fail(const struct cli *c, const struct err *e);
/* Standard output, all of it; false and e when it cannot be written (a full disk, say; a closed pipe is no error). */
bool cli_out(const void *p, size_t n, struct err *e);
/* A value as JSON with a final newline on standard output, secrets masked unless --show-secrets. */
bool cli_json(const struct cli *c, const struct value *v, struct err *e);

/* cli_doc_pages.c: the reference of parameters, the manual page */
bool cli_doc_markdown(struct cli *c, const struct modules *ms, struct err *e);
bool cli_doc_man(struct cli *c, const struct modules *ms, struct err *e);

/* ---- verbs ---- */
struct cli_verb {
	const char *name, *usage /* one line, after "pig " */, *text /* one sentence */;
	int (*fn)(struct cli *c, int argc, char **argv); /* argv[0] is the verb; the result is the exit status */
};
extern const struct cli_verb cli_verbs[];
extern const size_t cli_verbs_n;
/* NULL when pig itself has none of the name. */
const struct cli_verb *cli_verb(const char *name);
/* The verbs of modules (cli_own.c): tried when pig itself has none. The exit status; of an unknown verb with a suggestion. */
int cli_own(struct cli *c, int argc, char **argv);
/* Their lines in pig --help. Modules that do not load are not told here. */
void cli_own_usage(struct cli *c, FILE *f);
/* A parameter as pig doc --json has it. */
struct value *cli_doc_param(struct cli *c, const struct param *p);

int cli_run(struct cli *c, int argc, char **argv);  /* run.c */
int cli_exec(struct cli *c, int argc, char **argv); /* run.c and its kin */
int cli_ssh(struct cli *c, int argc, char **argv);
int cli_check(struct cli *c, int argc, char **argv);
int cli_configure(struct cli *c, int argc, char **argv);
int cli_doc(struct cli *c, int argc, char **argv);
int cli_inventory(struct cli *c, int argc, char **argv);
int cli_module(struct cli *c, int argc, char **argv);
int cli_completion(struct cli *c, int argc, char **argv);
int cli_query(struct cli *c, int argc, char **argv);
int cli_render(struct cli *c, int argc, char **argv);
int cli_template(struct cli *c, int argc, char **argv);
int cli_vault(struct cli *c, int argc, char **argv);

#endif
