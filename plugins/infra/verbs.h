/* The verbs of the command line that module infra brings: their rows stand here, what they do in the file of each. */
#ifndef INFRA_VERBS_H
#define INFRA_VERBS_H

#include <pig.h>

/* an option's text, "" when it was not given */
#define OPT(c, name) ((c)->val->str((c)->val->key((c)->options, name), ""))
#define OPT_ON(c, name) ((c)->val->truth((c)->val->key((c)->options, name), false))
/* the i-th word, "" when there is none */
#define WORD(c, i) ((c)->val->str((c)->val->at((c)->args, i), ""))

extern const struct pig_option ca_options[5];
int verb_ca(pig_call *c); /* ca.c */
extern const struct pig_option repo_options[10];
int verb_repo(pig_call *c); /* repo.c */

static const struct pig_verb infra_verbs[] = {
	{ .name = "repo", .usage = "repo build [-o FILE] [-p NAMES]\nrepo verify FILE [--key FILE]\nrepo extract FILE [-C DIR] [--key FILE]",
	  .text = "the offline bundle: all packages of an inventory in one signed file",
	  .more = "build    what repo_packages, repo_extra_packages and the packages of nodes, infra nodes and clusters name, with\n"
		  "         all that these need, from this machine's apt sources or those of repo_upstream\n"
		  "verify   is the file whole, and signed by a key known here?\n"
		  "extract  the same, then its files to DIR; nothing of a bundle that is not good\n\n"
		  "Known are the keys in files/pki/repo beside the inventory, in /etc/pig/keys, and those of --key.",
	  .options = PIG_TABLE(repo_options), .run = verb_repo, .min_args = 1, .max_args = 2, .flags = PIG_INVENTORY_IF_ANY },
	{ .name = "ca", .usage = "ca [show [FILE]]\nca init\nca issue NAME [--san NAMES] [--ou UNIT] [--days N] [--client]",
	  .text = "the local certificate authority",
	  .more = "show   the CA's certificate, or the one in FILE: subject, names, days left, SHA-256\n"
		  "init   make the CA in files/pki/ca beside the inventory, if there is none; its name is ca_cn\n"
		  "issue  a key and certificate in files/pki/misc/NAME.{key,crt}; one that still fits is kept",
	  .options = PIG_TABLE(ca_options), .run = verb_ca, .max_args = 2, .flags = PIG_INVENTORY_IF_ANY | PIG_JSON },
};

#endif
