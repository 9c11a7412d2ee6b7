/* Keys of a sandbox: the admin's, each node's host keys, and the files by which ssh(1) knows them. */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool keygen(const struct sandbox *s, const char *type, const char *file, const char *comment, struct err *e)
{
	return sandbox_run(s, NULL, e, "ssh-keygen", "-q", "-t", type, "-N", "", "-C", comment, "-f", file, NULL);
}

/* "type base64" of a public key file, without its comment. */
static bool public_key(const struct sandbox *s, const char *file, const char **key, struct err *e)
{
	struct buf b = BUF(s->a);

	if (!os_read(&b, arena_fmt(s->a, "%s.pub", file), 0, e))
		return false;
	size_t n = strcspn(buf_text(&b), " ");
	n += strcspn(buf_text(&b) + n + 1, " \n") + 1;
	*key = arena_strn(s->a, buf_text(&b), n);
	return true;
}

static const char *host_key(const struct sandbox *s, const struct sandbox_node *n, const char *type)
{
	return arena_fmt(s->a, "%s/keys/%s_%s", s->dir, n->name, type);
}

static bool write_ssh_config(const struct sandbox *s, struct err *e)
{
	struct buf b = BUF(s->a);

	for (unsigned i = 0; i < s->nodes; i++) {
		struct sandbox_node n = sandbox_node_at(s, i);
		buf_fmt(&b, "Host %s\n\tHostName %s\n", n.name, n.address);
	}
	buf_fmt(&b,
		"Host *\n\tUser " SB_USER
		"\n\tIdentityFile %s/id_ed25519\n\tIdentitiesOnly yes\n\tUserKnownHostsFile %s/known_hosts\n"
		"\tGlobalKnownHostsFile /dev/null\n\tStrictHostKeyChecking yes\n\tConnectTimeout 5\n\tLogLevel ERROR\n",
		s->dir, s->dir);
	return os_write(os_join(s->a, s->dir, "ssh_config"), b.p, b.len, 0644, e);
}

bool sandbox_keys_make(const struct sandbox *s, struct err *e)
{
	static const char *const types[] = {"ed25519", "ecdsa"};
	struct buf known = BUF(s->a);
	const char *key;

	if (!os_mkdirs(os_join(s->a, s->dir, "keys"), 0700, e) ||
	    !keygen(s, "ed25519", os_join(s->a, s->dir, "id_ed25519"), arena_fmt(s->a, "admin@%s", s->name), e))
		return false;
	for (unsigned i = 0; i < s->nodes; i++) {
		struct sandbox_node n = sandbox_node_at(s, i);
		for (unsigned t = 0; t < 2; t++) {
			const char *file = host_key(s, &n, types[t]);
			if (!keygen(s, types[t], file, arena_fmt(s->a, "root@%s", n.name), e) ||
			    !public_key(s, file, &key, e))
				return false;
			buf_fmt(&known, "%s,%s %s\n", n.name, n.address, key);
		}
	}
	return os_write(os_join(s->a, s->dir, "known_hosts"), known.p, known.len, 0644, e) && write_ssh_config(s, e);
}

/* A copy of a file in the node, with owner and mode. */
static bool place(const struct sandbox *s, const char *from, const struct sandbox_node *n, const char *to, uid_t uid,
		  mode_t mode, struct err *e)
{
	struct buf b = BUF(s->a);
	const char *path = arena_fmt(s->a, "%s%s", n->root, to);

	if (!os_read(&b, from, 0, e) || !os_write(path, b.p, b.len, mode, e))
		return false;
	if (chown(path, uid, (gid_t)uid))
		return fail(e, E_FAILED, "could not give \"%s\" to its owner: %s", path, strerror(errno));
	return true;
}

bool sandbox_keys_node(const struct sandbox *s, const struct sandbox_node *n, struct err *e)
{
	static const char *const types[] = {"ed25519", "ecdsa"};
	const char *home = "/home/" SB_USER "/.ssh/", *admin = os_join(s->a, s->dir, "id_ed25519");

	for (unsigned t = 0; t < 2; t++) {
		const char *file = host_key(s, n, types[t]),
			   *to = arena_fmt(s->a, "/etc/ssh/ssh_host_%s_key", types[t]);
		if (!place(s, file, n, to, 0, 0600, e) ||
		    !place(s, arena_fmt(s->a, "%s.pub", file), n, arena_fmt(s->a, "%s.pub", to), 0, 0644, e))
			return false;
	}
	if (!place(s, arena_fmt(s->a, "%s.pub", admin), n, arena_fmt(s->a, "%sauthorized_keys", home), SB_UID, 0600, e))
		return false;
	if (n->index)
		return true;
	return place(s, admin, n, arena_fmt(s->a, "%sid_ed25519", home), SB_UID, 0600, e) &&
	       place(s, os_join(s->a, s->dir, "known_hosts"), n, arena_fmt(s->a, "%sknown_hosts", home), SB_UID, 0644,
		     e);
}
