/*
 * Where vault passwords come from: --vault-id, --vault-password-file and --ask-vault-pass, the environment and ansible.cfg, by Ansible's
 * own names and order. Files, scripts and the terminal are asked when a password is first needed.
 */
#ifndef MODEL_VAULT_SOURCE_H
#define MODEL_VAULT_SOURCE_H

#include "value/vault.h"

struct vault_options {
	const char *const *ids; /* "ID@FILE", "ID@prompt", "FILE" */
	uint32_t n_ids;
	const char *const *files;
	uint32_t n_files;
	bool ask;     /* ask on the terminal */
	bool fresh;   /* what is asked for is new: it is typed twice */
	bool own;     /* these alone: neither the environment nor ansible.cfg */
};

/* A ring that loads itself on need. False and e when ansible.cfg cannot be read. */
bool vault_from(struct vault **out, struct arena *a, const struct vault_options *o, struct err *e);
/* ANSIBLE_<NAME> of the environment, else <name> in ansible.cfg's [defaults]; NULL when neither. */
bool vault_setting(const char **out, struct arena *a, const char *env, const char *name, struct err *e);
/* A line typed at the terminal without being shown; twice, and equal, when again is not NULL. */
bool vault_ask(struct buf *out, const char *prompt, const char *again, struct err *e);

#endif
