/* What the files of `pig vault` share. */
#ifndef CLI_CLI_VAULT_H
#define CLI_CLI_VAULT_H

#include "cli/cli.h"
#include "value/vault.h"

struct vault_words {
	const char *output, *id, *new_id, *new_file, *name;
	bool prompt;
};

struct vaulting {
	struct cli *c;
	struct vault_words o;
	struct vault *ring, *new_ring;
	struct err *e;
};

/* "-": standard input. */
bool vault_file_read(struct vaulting *v, struct buf *text, const char *path);
/* "-": standard output. */
bool vault_file_write(struct vaulting *v, const char *path, const struct buf *text);
/* The text inside the file and the id whose password opened it. */
bool vault_file_open(struct vaulting *v, struct buf *out, const char **id, const char *file);
/* The id to encrypt with; NULL in *id: there is one password alone. */
bool vault_id_chosen(struct vaulting *v, struct vault *ring, const char **id);
/* cli_vault_edit.c */
bool vault_edit(struct vaulting *v, const char *file);

#endif
