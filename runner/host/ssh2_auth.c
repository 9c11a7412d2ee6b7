/*
 * Logging in over libssh2: the password if there is one and no key was named, the agent, then key files. Keys that the
 * library cannot use (RSA before 1.11, passphrases, security keys, certificates) are counted, not tried: with them left
 * over, a refusal says "cannot", and ssh(1) has its turn.
 */
#include "host/ssh2.h"

#include <stdio.h>
#include <string.h>

#include "host/key.h"

enum { AGENT_KEYS_MAX = 5 }; /* sshd hangs up after six attempts */

struct ssh2_tries {
	struct buf text;  /* what was tried, for the message */
	const char *left; /* what was not: for ssh(1) */
	bool gone;	  /* the server hung up */
};

static void ssh2_tried(struct ssh2_tries *tries, const char *what, const char *name)
{
	if (tries->text.len)
		buf_str(&tries->text, ", ");
	buf_fmt(&tries->text, "%s%s%s", what, name ? " " : "", name ? name : "");
}

/* 1: in; 0: refused; -1: e is filled */
static int ssh2_outcome(struct ssh2_tries *tries, int rc)
{
	if (!rc)
		return 1;
	tries->gone = rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_SEND ||
		      rc == LIBSSH2_ERROR_SOCKET_RECV;
	return 0;
}

static int ssh2_try_file(struct ssh2 *s, const struct until *u, struct ssh2_tries *tries, const char *path,
			 struct err *e)
{
	int rc;

	ssh2_tried(tries, "key", path);
	while ((rc = libssh2_userauth_publickey_fromfile(s->session, s->r->user, NULL, path, NULL)) ==
	       LIBSSH2_ERROR_EAGAIN)
		if (!ssh2_turn(s, u, "logging in to", e))
			return -1;
	return ssh2_outcome(tries, rc);
}

static int ssh2_try_files(struct ssh2 *s, const struct until *u, struct ssh2_tries *tries, struct err *e)
{
	int in = 0;

	for (size_t i = 0; i < s->r->n_keys && !in && !tries->gone; i++) {
		const char *path = s->r->keys[i];
		enum key_kind kind = key_look(path);
		if (kind == KEY_NONE || kind == KEY_UNREADABLE)
			continue;
		if (kind == KEY_PLAIN || (kind == KEY_RSA && ssh2_has_rsa_sha2()))
			in = ssh2_try_file(s, u, tries, path, e);
		else
			tries->left = arena_fmt(s->a, "%s (%s)", key_kind_name(kind), path);
	}
	return in;
}

static int ssh2_try_agent_key(struct ssh2 *s, LIBSSH2_AGENT *agent, struct libssh2_agent_publickey *key,
			      const struct until *u, struct ssh2_tries *tries, struct err *e)
{
	char type[64];
	int rc;

	if (!key_blob_type(key->blob, key->blob_len, type, sizeof type) ||
	    (strcmp(type, "ssh-ed25519") && strcmp(type, "ecdsa-sha2-nistp256") &&
	     strcmp(type, "ecdsa-sha2-nistp384") && strcmp(type, "ecdsa-sha2-nistp521") &&
	     (strcmp(type, "ssh-rsa") || !ssh2_has_rsa_sha2()))) {
		tries->left = "a key of the agent's that libssh2 cannot use";
		return 0;
	}
	ssh2_tried(tries, "agent key", key->comment && *key->comment ? key->comment : type);
	while ((rc = libssh2_agent_userauth(agent, s->r->user, key)) == LIBSSH2_ERROR_EAGAIN)
		if (!ssh2_turn(s, u, "logging in to", e))
			return -1;
	return ssh2_outcome(tries, rc);
}

static int ssh2_try_agent(struct ssh2 *s, const struct until *u, struct ssh2_tries *tries, struct err *e)
{
	struct libssh2_agent_publickey *key = NULL, *last = NULL;
	int in = 0;

	if (!s->r->agent || !*s->r->agent || s->r->key_given)
		return 0;
	if (s->r->identities_only) {
		tries->left = "the agent, with IdentitiesOnly";
		return 0;
	}
	LIBSSH2_AGENT *agent = libssh2_agent_init(s->session);
	if (!agent)
		return 0;
	libssh2_agent_set_identity_path(agent, s->r->agent);
	if (!libssh2_agent_connect(agent) && !libssh2_agent_list_identities(agent)) {
		for (int i = 0; !in && !tries->gone && !libssh2_agent_get_identity(agent, &key, last);
		     i++, last = key) {
			if (i == AGENT_KEYS_MAX) {
				tries->left = "more keys of the agent's";
				break;
			}
			in = ssh2_try_agent_key(s, agent, key, u, tries, e);
		}
		libssh2_agent_disconnect(agent);
	}
	libssh2_agent_free(agent);
	return in;
}

/* Answer what is asked without echo, once: a second round means that the first was wrong. */
static void ssh2_answer(const char *name, int name_len, const char *text, int text_len, int n,
			const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts, LIBSSH2_USERAUTH_KBDINT_RESPONSE *replies,
			void **abstract)
{
	struct ssh2 *s = *abstract;

	(void)name, (void)name_len, (void)text, (void)text_len;
	for (int i = 0; i < n; i++) {
		const char *say = !prompts[i].echo ? s->r->target->password : "";
		replies[i].text = strdup(say);
		replies[i].length = replies[i].text ? (unsigned)strlen(say) : 0;
	}
}

static int ssh2_try_password(struct ssh2 *s, const struct until *u, struct ssh2_tries *tries, struct err *e)
{
	const char *user = s->r->user, *password = s->r->target->password;
	int rc, in;

	if (!password)
		return 0;
	ssh2_tried(tries, "password", NULL);
	while ((rc = libssh2_userauth_password_ex(s->session, user, (unsigned)strlen(user), password,
						  (unsigned)strlen(password), NULL)) == LIBSSH2_ERROR_EAGAIN)
		if (!ssh2_turn(s, u, "logging in to", e))
			return -1;
	in = ssh2_outcome(tries, rc);
	if (in || tries->gone)
		return in;
	while ((rc = libssh2_userauth_keyboard_interactive_ex(s->session, user, (unsigned)strlen(user), ssh2_answer)) ==
	       LIBSSH2_ERROR_EAGAIN)
		if (!ssh2_turn(s, u, "logging in to", e))
			return -1;
	return ssh2_outcome(tries, rc);
}

/* What the server would take, as it says itself. */
static const char *ssh2_methods(struct ssh2 *s, const struct until *u)
{
	const char *user = s->r->user;
	char *list;

	while (!(list = libssh2_userauth_list(s->session, user, (unsigned)strlen(user)))) {
		if (libssh2_session_last_errno(s->session) != LIBSSH2_ERROR_EAGAIN ||
		    !ssh2_turn(s, u, "logging in to", NULL))
			return "";
	}
	return list;
}

static bool ssh2_refused(struct ssh2 *s, const struct until *u, struct ssh2_tries *tries, struct err *e)
{
	const struct route *r = s->r;
	const char *takes = tries->gone ? "" : ssh2_methods(s, u);

	s->t.cannot = tries->left != NULL;
	fail(e, E_CONNECT, "user \"%s\" may not log in to \"%s\" (%s:%d)", r->user, r->target->name, r->host, r->port);
	err_detail(e, "tried: %s%s%s%s",
		   tries->text.len ? buf_text(&tries->text) : "nothing, as no usable key was found",
		   *takes ? "; the server takes: " : "", takes, tries->gone ? "; the server hung up" : "");
	if (!strstr(takes, "publickey") && strstr(takes, "password") && !r->target->password)
		return err_hint(e, "The server wants a password: set ansible_password, or allow keys in its "
				   "sshd_config.");
	return err_hint(e,
			"Put the public key into ~%s/.ssh/authorized_keys on the host, or name the right key with "
			"ansible_ssh_private_key_file and the right user with ansible_user.",
			r->user);
}

bool ssh2_login(struct ssh2 *s, const struct until *u, struct err *e)
{
	struct ssh2_tries tries = { .text = BUF(s->a) };
	int in = 0;

	if (!s->r->key_given)
		in = ssh2_try_password(s, u, &tries, e);
	if (!in && !tries.gone)
		in = ssh2_try_agent(s, u, &tries, e);
	if (!in && !tries.gone)
		in = ssh2_try_files(s, u, &tries, e);
	if (!in && !tries.gone && s->r->key_given)
		in = ssh2_try_password(s, u, &tries, e);
	return in > 0 || (in == 0 && ssh2_refused(s, u, &tries, e));
}
