/*
 * Choosing the transport: libssh2 where it can, ssh(1) where only that can (RSA keys with libssh2 1.10, passphrases,
 * jumps, security keys, hardened servers), a local shell when asked for. The choice is made from what is known before
 * connecting and corrected once by what the connect shows. Not for: the transports themselves.
 */
#include "host/choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/hostkey.h"
#include "host/key.h"
#include "host/ssh2.h"

enum { CONNECT_S = 10, ARGV_MAX = 192 };

int choice_patience(const struct conn_options *o)
{
	return (o && o->connect_timeout_s > 0 ? o->connect_timeout_s : CONNECT_S) * 1000;
}

static bool choice_usable(enum key_kind kind)
{
	return kind == KEY_PLAIN || (kind == KEY_RSA && ssh2_has_rsa_sha2());
}

/* Does libssh2 have anything to log in with? If not, why. */
static const char *choice_keys(struct arena *a, const struct route *r)
{
	const char *why = NULL;

	for (size_t i = 0; i < r->n_keys; i++) {
		enum key_kind kind = key_look(r->keys[i]);
		if (choice_usable(kind)) {
			if (key_look(arena_fmt(a, "%s-cert.pub", r->keys[i])) != KEY_NONE)
				return arena_fmt(a, "a certificate stands beside the key %s", r->keys[i]);
			return NULL;
		}
		if (!why && kind != KEY_NONE && kind != KEY_UNREADABLE)
			why = arena_fmt(a, "%s is %s", r->keys[i], key_kind_name(kind));
	}
	/* with nothing at hand but an agent or a password, libssh2 tries them first */
	if (r->target->password || (!r->key_given && r->agent && *r->agent && !r->identities_only))
		return NULL;
	return why;
}

/* Why ssh(1) is needed, or NULL. */
static const char *choice_reason(struct arena *a, const struct route *r)
{
	const char *asked = r->target->connection;

	if (asked && !strcmp(asked, "openssh"))
		return "ansible_connection asks for it";
	if (r->target->common_args && r->target->common_args[strspn(r->target->common_args, " \t\n")])
		return "ansible_ssh_common_args is set";
	if (r->needs_ssh)
		return arena_fmt(a, "ssh_config sets %s", r->needs_ssh);
	return choice_keys(a, r);
}

static const char *const *choice_argv(struct arena *a, const struct route *r, const struct conn_options *o,
				      struct err *e)
{
	const struct target *t = r->target;
	const char **v = arena_new_of(a, const char *, ARGV_MAX + 1);
	const char *const *more = t->common_args ? target_words(a, t->common_args) : NULL;
	struct hostkey_found known = hostkey_find(r->known, r->known_name, NULL, 0);
	size_t n = 0;
	/* a known host that shows another type of key is a changed host, so accept-new is for unknown hosts alone */
	const char *check = o && o->insecure ? "no" : r->strict || known.types ? "yes" : "accept-new";
	const char *patience = arena_fmt(a, "ConnectTimeout=%d", choice_patience(o) / 1000);
	const char *trust = arena_fmt(a, "StrictHostKeyChecking=%s", check);
	/* clang-format off */
	const char *opts[] = {
		"BatchMode=yes", "ControlMaster=no", "RequestTTY=no", "RemoteCommand=none", "ClearAllForwardings=yes",
		"PermitLocalCommand=no", "LogLevel=ERROR", "ServerAliveInterval=10", "ServerAliveCountMax=2",
		"EscapeChar=none", patience, trust,
	};
	/* clang-format on */

	if (t->common_args && !more) {
		fail(e, E_INPUT, "ansible_ssh_common_args of \"%s\" has an unclosed quote or too many words", t->name);
		return NULL;
	}
	v[n++] = "ssh";
	v[n++] = "-T";
	if (t->ssh_config)
		v[n++] = "-F", v[n++] = t->ssh_config;
	for (size_t i = 0; i < sizeof opts / sizeof *opts; i++)
		v[n++] = "-o", v[n++] = opts[i];
	if (o && o->insecure)
		v[n++] = "-oUserKnownHostsFile=/dev/null", v[n++] = "-oGlobalKnownHostsFile=/dev/null";
	if (t->port)
		v[n++] = "-p", v[n++] = arena_fmt(a, "%d", t->port);
	if (t->user)
		v[n++] = "-l", v[n++] = r->user;
	if (r->key_given)
		v[n++] = "-i", v[n++] = r->keys[0], v[n++] = "-o", v[n++] = "IdentitiesOnly=yes";
	for (; more && *more && n < ARGV_MAX - 4; more++)
		v[n++] = *more;
	v[n++] = "--";
	v[n++] = r->alias;
	return v;
}

static const char *choice_place(struct arena *a, const struct route *r)
{
	return arena_fmt(a, strchr(r->host, ':') ? "%s@[%s]:%d" : "%s@%s:%d", r->user, r->host, r->port);
}

/* By ssh(1). first: what libssh2 came to before, or NULL. */
static bool choice_openssh(struct choice *c, struct arena *a, const struct route *r, const struct conn_options *o,
			   const char *command, const struct err *first, struct err *e)
{
	struct until u = until_in(choice_patience(o), o ? o->cancel : NULL);

	if (r->no_ssh) {
		if (first)
			*e = *first;
		else
			fail(e, E_CONNECT, "\"%s\" needs the ssh program: %s", r->target->name, c->why);
		return err_hint(e, "Install openssh-client on this machine, or use an ed25519 key without a "
				   "passphrase.");
	}
	if (r->target->password && !r->key_given && !first) {
		fail(e, E_CONNECT, "a password for \"%s\" needs the ssh transport, and here it has to be openssh: %s",
		     r->target->name, c->why);
		return err_hint(e, "Log in with a key, or leave the connection to the ssh transport.");
	}
	const char *const *argv = choice_argv(a, r, o, e);
	if (!argv)
		return false;
	c->by_ssh_program = true;
	c->what = arena_fmt(a, "openssh %s", choice_place(a, r));
	c->t = exec_new(a, argv);
	return c->t->ops->open(c->t, command, &u, e);
}

static bool choice_local(struct choice *c, struct arena *a, const struct conn_options *o, const char *command,
			 struct err *e)
{
	static const char *const argv[] = { "sh", "-c", NULL };
	struct until u = until_in(choice_patience(o), o ? o->cancel : NULL);

	c->what = "local";
	c->t = exec_new(a, argv);
	return c->t->ops->open(c->t, command, &u, e);
}

static bool choice_key_exists(const struct route *r, struct err *e)
{
	if (!r->key_given)
		return true;
	enum key_kind kind = key_look(r->keys[0]);
	if (kind != KEY_NONE && kind != KEY_UNREADABLE)
		return true;
	return fail(e, E_CONNECT, "could not read the private key \"%s\" of host \"%s\": %s", r->keys[0],
		    r->target->name, kind == KEY_NONE ? "no such file" : "permission denied");
}

bool choice_open(struct choice *c, struct arena *a, const struct route *r, const struct conn_options *o,
		 const char *command, struct err *e)
{
	const char *asked = r->target->connection;

	*c = (struct choice){ 0 };
	if (asked && !strcmp(asked, "local"))
		return choice_local(c, a, o, command, e);
	if (asked && strcmp(asked, "ssh") && strcmp(asked, "openssh") && strcmp(asked, "smart")) {
		fail(e, E_INPUT, "ansible_connection of \"%s\" is \"%s\"", r->target->name, asked);
		return err_hint(e, "It is one of ssh, openssh and local.");
	}
	if (!choice_key_exists(r, e))
		return false;
	c->why = choice_reason(a, r);
	if (c->why)
		return choice_openssh(c, a, r, o, command, NULL, e);
	c->what = arena_fmt(a, "ssh %s", choice_place(a, r));
	c->t = ssh2_new(a, r, o && o->insecure);
	struct until u = until_in(choice_patience(o), o ? o->cancel : NULL);
	struct err first = { 0 };
	if (c->t->ops->open(c->t, command, &u, &first))
		return true;
	if (!c->t->cannot) {
		*e = first;
		return false;
	}
	c->t->hurry = true;
	c->t->ops->close(c->t);
	c->t = NULL;
	c->why = arena_str(a, first.msg);
	return choice_openssh(c, a, r, o, command, &first, e);
}

/* "Offending ED25519 key in /root/.ssh/known_hosts:3" */
static void choice_offender(const char *said, struct err *e)
{
	char file[400];
	const char *at = strstr(said, "Offending "), *in = at ? strstr(at, " key in ") : NULL;
	unsigned line = 0;

	if (in && sscanf(in, " key in %399[^:\r\n]:%u", file, &line) == 2)
		err_at(e, file, line, 0);
}

bool choice_explain(const struct choice *c, const struct route *r, const char *said, struct err *e)
{
	const char *name = r->target->name;

	if (strstr(said, "IDENTIFICATION HAS CHANGED")) {
		fail(e, E_CONNECT, "the host key of \"%s\" (%s:%d) has changed", name, r->host, r->port);
		choice_offender(said, e);
		err_hint(e,
			 "If the machine was set up anew, forget the old key: ssh-keygen -R '%s'. If not, someone may "
			 "be listening in.",
			 r->known_name);
	} else if (strstr(said, "Host key verification failed")) {
		fail(e, E_CONNECT, "a host key on the way to \"%s\" (%s:%d) is not the recorded one, or not known",
		     name, r->host, r->port);
		err_hint(e,
			 "A jump host has to be known already: log in to it once by hand. If the key of %s itself is "
			 "right, forget the old "
			 "one: ssh-keygen -R '%s'.",
			 r->host, r->known_name);
	} else if (strstr(said, "Permission denied")) {
		fail(e, E_CONNECT, "user \"%s\" may not log in to \"%s\" (%s:%d)", r->user, name, r->host, r->port);
		err_hint(e, "Try it: ssh -p %d %s@%s. A key with a passphrase has to be in the agent.", r->port,
			 r->user, r->host);
	} else if (strstr(said, "Connection refused") || strstr(said, "timed out") || strstr(said, "No route") ||
		   strstr(said, "Could not resolve") || strstr(said, "unreachable")) {
		fail(e, E_CONNECT, "could not reach \"%s\" at %s:%d", name, r->host, r->port);
		err_hint(e, "Is the machine up, is the address right, and does a firewall let port %d through?",
			 r->port);
	} else {
		fail(e, E_CONNECT, "could not connect to \"%s\" (%s)", name, c->what);
	}
	const char *end = said + strlen(said);
	const char *from = end - said > 1500 ? end - 1500 : said;
	err_detail(e, "%s%s%s%s", c->why ? "by ssh(1), as " : "", c->why ? c->why : "", c->why ? "\n" : "", from);
	return false;
}
