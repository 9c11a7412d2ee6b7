/*
 * pig configure, its two parts: which template and which words (cli_configure.c), and what they change in its text
 * (configure_edit.c). What the words mean stands in the template itself, in a comment line
 *
 *   # configure: address=10.10.10.10 version=pg_version,pg@- region=region port=ansible_port proxy=proxy_env
 * small=x:y,...
 *
 * address: the one that stands for the node's own. version: the parameter, then beginnings of words that carry the
 * version at "@". region, port, proxy: parameters. small: what the vars of all say on a machine with few processors.
 */
#ifndef CLI_CONFIGURE_H
#define CLI_CONFIGURE_H

#include "cli/cli.h"
#include "value/edit.h"

struct conf {
	struct cli *c;
	const char *path; /* of the template */
	struct buf text;
	struct value *doc;
	struct modules *modules;
	struct edits *ed;
	struct map words;   /* of the comment line: name -> value */
	struct map fresh;   /* secrets: old text -> new text */
	struct map renewed; /* names of parameters whose secrets are new */
	struct err *e;
};

/* The template at conf->path; its comment line. */
bool conf_read(struct conf *f);
/* What the template says for a word; an error when it says nothing and `option` needs it. */
const char *conf_word(struct conf *f, const char *word, const char *option);
bool conf_set_address(struct conf *f, const char *to);
bool conf_set_version(struct conf *f, const char *to);
/* The parameter named by the word: where it is written, else in the vars of all. */
bool conf_set(struct conf *f, const char *word, const char *option, const char *to);
bool conf_set_small(struct conf *f);
bool conf_set_proxy(struct conf *f);
/* Every secret: those written, those of defaults. Equal ones stay equal. */
bool conf_set_secrets(struct conf *f);
/* The new text; false when it is no longer an inventory. */
bool conf_result(struct conf *f, const char **text, size_t *len);

#endif
