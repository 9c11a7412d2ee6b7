/*
 * pig vault: Ansible Vault files and values, made and read so that ansible-vault and pig read each other's. Plain text stays in memory:
 * it comes from a file, standard input or the terminal, never from the command line, and is edited in a memory file.
 */
#include "cli/cli_vault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/os.h"
#include "model/vault_source.h"

#define ROW(l, k, n, a, m, t) { l, k, n, a, offsetof(struct vault_words, m), t }
static const struct cli_option options[] = {
	ROW(0, CLI_TEXT, "output", "FILE", output, "encrypt, decrypt, encrypt_string: write here; - is standard output"),
	ROW(0, CLI_TEXT, "encrypt-vault-id", "ID", id, "the vault id to encrypt with, where several are given"),
	ROW(0, CLI_TEXT, "new-vault-id", "ID@FILE", new_id, "rekey: the new password"),
	ROW(0, CLI_TEXT, "new-vault-password-file", "FILE", new_file, "rekey: the new password"),
	ROW('n', CLI_TEXT, "name", "NAME", name, "encrypt_string: the name of the value"),
	ROW('p', CLI_FLAG, "prompt", NULL, prompt, "encrypt_string: ask for the text at the terminal"),
};
static const struct cli_spec spec = {
	.usage = "vault encrypt|decrypt|view|edit|rekey FILE...\n"
		 "vault encrypt_string [-n NAME]",
	.text = "encrypt         encrypt files in place; without FILE standard input to standard output\n"
		"decrypt         the reverse\n"
		"view            print what is inside\n"
		"edit            open it in $EDITOR, in memory, and encrypt it again; a file that is not there is made\n"
		"rekey           encrypt files with another password\n"
		"encrypt_string  a value for an inventory, from standard input: name: !vault | ...",
	.common = CLI_VAULT,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.min_args = 1,
	.max_args = UINT32_MAX,
};

/* ---- input and output ---- */
bool vault_file_read(struct vaulting *v, struct buf *text, const char *path)
{
	if (strcmp(path, "-"))
		return os_read(text, path, 0, v->e);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf_room(text, 65536), 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(v->e, E_INPUT, "standard input cannot be read: %s", strerror(errno));
		if (!n)
			return true;
		text->len += (size_t)n;
		if (text->len > (size_t)64 << 20)
			return fail(v->e, E_INPUT, "standard input is larger than 64 MiB");
	}
}

/* In place with the file's own mode and owner; a new file is the user's alone. */
bool vault_file_write(struct vaulting *v, const char *path, const struct buf *text)
{
	struct stat st;
	bool there = !stat(path, &st);

	if (!strcmp(path, "-"))
		return cli_out(buf_text(text), text->len, v->e);
	if (!os_write(path, buf_text(text), text->len, there ? st.st_mode & 07777 : 0600, v->e))
		return false;
	if (there && (st.st_uid != geteuid() || st.st_gid != getegid()) && chown(path, st.st_uid, st.st_gid))
		return fail(v->e, E_INPUT, "\"%s\" is written, but its owner could not be kept: %s", path, strerror(errno));
	return true;
}

static const char *target(const struct vaulting *v, const char *file)
{
	return v->o.output ? v->o.output : file;
}

/* ---- passwords ---- */
/* Several passwords and no word which to use: as ansible-vault, that is an error and no guess. */
bool vault_id_chosen(struct vaulting *v, struct vault *ring, const char **id)
{
	struct buf ids = BUF(v->c->a);

	if (!vault_load(ring, v->e))
		return false;
	*id = v->o.id;
	if (!*id && !vault_setting(id, v->c->a, "ANSIBLE_VAULT_ENCRYPT_IDENTITY", "vault_encrypt_identity", v->e))
		return false;
	if (*id || vault_count(ring) < 2)
		return true;
	for (uint32_t i = 0; i < vault_count(ring); i++)
		buf_fmt(&ids, "%s%s", i ? ", " : "", vault_id(ring, i));
	fail(v->e, E_INPUT, "several vault passwords are given: %s", buf_text(&ids));
	return err_hint(v->e, "Say which to encrypt with: --encrypt-vault-id ID.");
}

static bool sealed(struct vaulting *v, struct vault *ring, struct buf *out, const char *file, const struct buf *text)
{
	const char *id;

	if (vault_is(buf_text(text), text->len))
		return fail(v->e, E_INPUT, "\"%s\" is encrypted already", file);
	return vault_id_chosen(v, ring, &id) && vault_seal(ring, out, id, buf_text(text), text->len, v->e);
}

bool vault_file_open(struct vaulting *v, struct buf *out, const char **id, const char *file)
{
	struct buf text = BUF(v->c->a);

	if (!vault_file_read(v, &text, file))
		return false;
	return vault_open(v->ring, out, id, buf_text(&text), text.len, v->e) || err_wrap(v->e, "\"%s\"", file);
}

/* ---- actions ---- */
static bool do_encrypt(struct vaulting *v, const char *file)
{
	struct buf text = BUF(v->c->a), out = BUF(v->c->a);

	return vault_file_read(v, &text, file) && sealed(v, v->ring, &out, file, &text) &&
	       vault_file_write(v, target(v, file), &out);
}

static bool do_decrypt(struct vaulting *v, const char *file)
{
	struct buf out = BUF(v->c->a);

	return vault_file_open(v, &out, NULL, file) && vault_file_write(v, target(v, file), &out);
}

static bool do_view(struct vaulting *v, const char *file)
{
	struct buf out = BUF(v->c->a);

	return vault_file_open(v, &out, NULL, file) && cli_out(buf_text(&out), out.len, v->e);
}

static bool do_rekey(struct vaulting *v, const char *file)
{
	struct buf text = BUF(v->c->a), out = BUF(v->c->a);

	if (!v->new_ring) {
		struct vault_options o = { .ids = &v->o.new_id, .n_ids = v->o.new_id != NULL, .files = &v->o.new_file,
					   .n_files = v->o.new_file != NULL, .fresh = true, .own = true };
		o.ask = !o.n_ids && !o.n_files;
		if (o.n_ids && o.n_files)
			return fail(v->e, E_INPUT, "--new-vault-id and --new-vault-password-file are both given");
		if (!vault_from(&v->new_ring, v->c->a, &o, v->e))
			return false;
	}
	return vault_file_open(v, &text, NULL, file) && sealed(v, v->new_ring, &out, file, &text) &&
	       vault_file_write(v, file, &out);
}

/* "name: !vault |" and the envelope below it, as ansible-vault prints it. */
static bool do_string(struct vaulting *v)
{
	struct buf text = BUF(v->c->a), env = BUF(v->c->a), out = BUF(v->c->a);
	bool ok = v->o.prompt ? vault_ask(&text, "Text to encrypt: ", NULL, v->e) : vault_file_read(v, &text, "-");

	if (!ok || !sealed(v, v->ring, &env, "standard input", &text))
		return false;
	if (v->o.name)
		buf_fmt(&out, "%s: ", v->o.name);
	buf_str(&out, "!vault |\n");
	for (const char *s = buf_text(&env); *s;) {
		size_t n = strcspn(s, "\n");
		buf_fmt(&out, "          %.*s\n", (int)n, s);
		s += n + (s[n] == '\n');
	}
	return vault_file_write(v, target(v, "-"), &out);
}

static const struct action {
	const char *name;
	bool (*fn)(struct vaulting *v, const char *file);
	bool stdio; /* without FILE: standard input to standard output */
} actions[] = {
	{ "encrypt", do_encrypt, true }, { "decrypt", do_decrypt, true }, { "view", do_view, true },
	{ "rekey", do_rekey, false },    { "edit", vault_edit, false },
};

static bool act(struct vaulting *v)
{
	const char *what = v->c->args.items[0];
	uint32_t n = v->c->args.n - 1;

	if (!strcmp(what, "encrypt_string")) {
		if (!n)
			return do_string(v);
		fail(v->e, E_INPUT, "a text to encrypt does not belong on the command line, where others can read it");
		return err_hint(v->e, "Give it on standard input, or say --prompt.");
	}
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(actions[i].name, what))
			continue;
		if (v->o.output && n > 1)
			return fail(v->e, E_INPUT, "--output takes one file");
		if (!n && !actions[i].stdio)
			return fail(v->e, E_INPUT, "pig vault %s needs a file", what);
		if (!n)
			return actions[i].fn(v, "-");
		for (uint32_t k = 1; k <= n; k++)
			if (!actions[i].fn(v, v->c->args.items[k]))
				return false;
		return true;
	}
	fail(v->e, E_INPUT, "pig vault does not know \"%s\"", what);
	return err_hint(v->e, "Say encrypt, decrypt, view, edit, rekey or encrypt_string.");
}

int cli_vault(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 };
	struct vaulting v = { .c = c, .e = &e };

	if (!cli_parse(c, &spec, &v.o, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }); /* plain text does not land on the disk by a crash either */
	struct vault_options o = { .ids = c->vault_ids.items, .n_ids = c->vault_ids.n, .files = c->vault_files.items,
				   .n_files = c->vault_files.n, .ask = c->ask_vault,
				   .fresh = !strncmp(c->args.items[0], "encrypt", 7) };
	return vault_from(&v.ring, c->a, &o, &e) && act(&v) ? 0 : cli_fail(c, &e);
}
