/*
 * The transport over libssh2: connect, key exchange, host key, one channel. Non-blocking throughout, as only poll()
 * knows deadlines. Rules of the library that are kept here: after EAGAIN the same call with the same bytes; no read
 * while a packet is half sent; no keepalive packets (TCP watches the peer); the socket is shut before the session is
 * freed and closed after, lest the freeing writes to a number that is another thread's by then. Not for: logging in
 * (ssh2_auth.c), choosing (choice.c).
 */
#include "host/ssh2.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/hostkey.h"
#include "host/tcp.h"

enum { WINDOW = 4 << 20, WRITE_MOST = 256 << 10, READ_MOST = 1 << 20 };

static const char kex[] =
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	"diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-"
	"hellman-group14-sha256";
static const char ciphers[] = "aes128-ctr,aes256-ctr,aes192-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com";
static const char macs[] = "hmac-sha2-256,hmac-sha2-512";

bool ssh2_has_rsa_sha2(void)
{
	return libssh2_version(0x010b00) != NULL;
}

const char *ssh2_word(struct ssh2 *s)
{
	char *msg = NULL;

	if (!s->session || !libssh2_session_last_error(s->session, &msg, NULL, 0) || !msg)
		return "";
	return arena_str(s->a, msg);
}

bool ssh2_turn(struct ssh2 *s, const struct until *u, const char *doing, struct err *e)
{
	int dirs = libssh2_session_block_directions(s->session);
	struct pollfd fd = { s->fd, POLLIN, 0 };

	if (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		fd.events = (short)(POLLOUT | (dirs & LIBSSH2_SESSION_BLOCK_INBOUND ? POLLIN : 0));
	tcp_acknowledge(s->fd);
	enum until_end end = until_poll(u, &fd, 1);
	if (end == UNTIL_READY)
		return true;
	const char *name = s->r->target->name;
	if (end == UNTIL_CANCELLED)
		return fail(e, E_CANCELLED, "cancelled while %s \"%s\"", doing, name);
	return fail(e, E_CONNECT, "no answer in time while %s \"%s\" (%s:%d)", doing, name, s->r->host, s->r->port);
}

static bool ssh2_prefer(struct ssh2 *s, struct err *e)
{
	struct hostkey_found known = hostkey_find(s->r->known, s->r->known_name, NULL, 0);
	const char *keys = hostkey_methods(s->a, s->insecure ? 0 : known.types, ssh2_has_rsa_sha2());

	if (!keys) {
		s->t.cannot = true;
		return fail(e, E_CONNECT, "the recorded host key of \"%s\" is of a type that libssh2 cannot check",
			    s->r->target->name);
	}
	if (libssh2_session_method_pref(s->session, LIBSSH2_METHOD_HOSTKEY, keys) ||
	    libssh2_session_method_pref(s->session, LIBSSH2_METHOD_KEX, kex) ||
	    libssh2_session_method_pref(s->session, LIBSSH2_METHOD_CRYPT_CS, ciphers) ||
	    libssh2_session_method_pref(s->session, LIBSSH2_METHOD_CRYPT_SC, ciphers) ||
	    libssh2_session_method_pref(s->session, LIBSSH2_METHOD_MAC_CS, macs) ||
	    libssh2_session_method_pref(s->session, LIBSSH2_METHOD_MAC_SC, macs)) {
		s->t.cannot = true;
		return fail(e, E_CONNECT, "libssh2 does not offer the algorithms for \"%s\": %s", s->r->target->name,
			    ssh2_word(s));
	}
	return true;
}

static bool ssh2_handshake(struct ssh2 *s, const struct until *u, struct err *e)
{
	const char *name = s->r->target->name;
	int rc;

	while ((rc = libssh2_session_handshake(s->session, s->fd)) == LIBSSH2_ERROR_EAGAIN)
		if (!ssh2_turn(s, u, "greeting", e))
			return err_hint(e, "Something accepts the connection and then says nothing: is it sshd, and is "
					   "it overloaded?");
	if (!rc)
		return true;
	const char *banner = libssh2_session_banner_get(s->session);
	if (!banner) {
		fail(e, E_CONNECT, "\"%s\" (%s:%d) closed the connection before it spoke SSH", name, s->r->host,
		     s->r->port);
		err_detail(e, "%s", ssh2_word(s));
		return err_hint(e, "sshd drops connections when MaxStartups is reached or its access rules refuse the "
				   "address.");
	}
	s->t.cannot = true; /* most likely no algorithm in common: ssh(1) has more of them, or knows better why */
	fail(e, E_CONNECT, "could not agree on encryption with \"%s\" (%s:%d)", name, s->r->host, s->r->port);
	return err_detail(e, "%s (server: %s)", ssh2_word(s), banner);
}

static bool ssh2_refuse(struct ssh2 *s, const struct hostkey_found *f, const void *blob, size_t n, struct err *e)
{
	const struct route *r = s->r;
	const char *print = hostkey_print(s->a, blob, n);

	if (f->state == HOSTKEY_UNKNOWN) {
		fail(e, E_CONNECT, "the host key of \"%s\" (%s:%d) is not known, and StrictHostKeyChecking is set",
		     r->target->name, r->host, r->port);
		err_detail(e, "the key offered is %s", print);
		return err_hint(e, "Record it with ssh-keyscan after comparing it, or set StrictHostKeyChecking to "
				   "accept-new.");
	}
	if (f->state == HOSTKEY_REVOKED)
		fail(e, E_CONNECT, "the host key of \"%s\" (%s:%d) is marked as revoked", r->target->name, r->host,
		     r->port);
	else
		fail(e, E_CONNECT, "the host key of \"%s\" (%s:%d) has changed", r->target->name, r->host, r->port);
	err_at(e, f->file, f->line, 0);
	err_detail(e, "%s:%u records another key for \"%s\"; the one offered now is %s", f->file, f->line,
		   r->known_name, print);
	if (f->state == HOSTKEY_REVOKED)
		return false;
	return err_hint(e,
			"If the machine was set up anew, forget the old key: ssh-keygen -f '%s' -R '%s'. If not, "
			"someone may be "
			"listening in.",
			f->file, r->known_name);
}

static bool ssh2_trust(struct ssh2 *s, struct err *e)
{
	size_t n = 0;
	int type;
	const char *blob = libssh2_session_hostkey(s->session, &n, &type);

	if (s->insecure)
		return true;
	if (!blob || !n)
		return fail(e, E_CONNECT, "\"%s\" showed no host key", s->r->target->name);
	struct hostkey_found f = hostkey_find(s->r->known, s->r->known_name, blob, n);
	if (f.state == HOSTKEY_SAME)
		return true;
	if (f.state == HOSTKEY_UNKNOWN && !s->r->strict)
		return hostkey_record(s->r->known[0], s->r->known_name, s->r->hash_names, blob, n, e);
	return ssh2_refuse(s, &f, blob, n, e);
}

static bool ssh2_command(struct ssh2 *s, const char *command, const struct until *u, struct err *e)
{
	const char *name = s->r->target->name;
	int rc;

	while (!(s->channel = libssh2_channel_open_ex(s->session, "session", 7, WINDOW, LIBSSH2_CHANNEL_PACKET_DEFAULT,
						      NULL, 0))) {
		if (libssh2_session_last_errno(s->session) != LIBSSH2_ERROR_EAGAIN) {
			fail(e, E_CONNECT, "\"%s\" opens no session for user \"%s\"", name, s->r->user);
			return err_detail(e, "%s", ssh2_word(s));
		}
		if (!ssh2_turn(s, u, "opening a session on", e))
			return false;
	}
	while ((rc = libssh2_channel_exec(s->channel, command)) == LIBSSH2_ERROR_EAGAIN)
		if (!ssh2_turn(s, u, "starting a shell on", e))
			return false;
	if (!rc)
		return true;
	fail(e, E_CONNECT, "\"%s\" runs no command for user \"%s\"", name, s->r->user);
	return err_detail(e, "%s", ssh2_word(s));
}

static bool ssh2_open(struct transport *t, const char *command, const struct until *u, struct err *e)
{
	struct ssh2 *s = (struct ssh2 *)t;

	s->fd = tcp_connect(s->r->target->name, s->r->host, s->r->port, s->r->family, u, e);
	if (s->fd < 0)
		return false;
	s->session = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (!s->session)
		bug("libssh2_session_init: out of memory");
	libssh2_session_set_blocking(s->session, 0);
	return ssh2_prefer(s, e) && ssh2_handshake(s, u, e) && ssh2_trust(s, e) && ssh2_login(s, u, e) &&
	       ssh2_command(s, command, u, e);
}

/* Standard error shares the channel's window: left unread it would in the end stop the stream. */
static void ssh2_listen(struct ssh2 *s)
{
	char part[1024];
	ssize_t n;

	while ((n = libssh2_channel_read_stderr(s->channel, part, sizeof part)) > 0) {
		size_t room = sizeof s->said - 1, keep = room - (size_t)n < s->said_n ? room - (size_t)n : s->said_n;
		memmove(s->said, s->said + s->said_n - keep, keep);
		memcpy(s->said + keep, part, (size_t)n);
		s->said_n = keep + (size_t)n;
		s->said[s->said_n] = 0;
	}
}

/* no: errno after the call that failed, which says more than the library ("transport read"). */
static ssize_t ssh2_broken(struct ssh2 *s, int no)
{
	if (!s->said_n)
		s->said_n = (size_t)snprintf(s->said, sizeof s->said, "%.200s%s%.200s", ssh2_word(s), no ? ": " : "",
					     no ? strerror(no) : "");
	return TRANSPORT_BROKEN;
}

static ssize_t ssh2_read(struct transport *t, void *p, size_t n)
{
	struct ssh2 *s = (struct ssh2 *)t;

	if (s->pending)
		return TRANSPORT_AGAIN;
	/* Each call of the library takes in packets of both streams: AGAIN is true only if nothing is left inside after
	 * the last one, else we would poll a socket that has nothing more to say. */
	for (;;) {
		errno = 0;
		ssize_t r = libssh2_channel_read(s->channel, p, n < READ_MOST ? n : READ_MOST);
		if (r > 0)
			return r;
		if (r < 0 && r != LIBSSH2_ERROR_EAGAIN)
			return ssh2_broken(s, errno);
		if (!libssh2_poll_channel_read(s->channel, 1))
			return libssh2_channel_eof(s->channel) ? TRANSPORT_EOF : TRANSPORT_AGAIN;
		ssh2_listen(s);
	}
}

static ssize_t ssh2_write(struct transport *t, const void *p, size_t n)
{
	struct ssh2 *s = (struct ssh2 *)t;

	errno = 0;
	/* cut alike on every repetition, so that the library meets the length it knows */
	ssize_t r = libssh2_channel_write(s->channel, p, n < WRITE_MOST ? n : WRITE_MOST);

	if (r == LIBSSH2_ERROR_EAGAIN || r == 0) {
		s->pending = libssh2_session_block_directions(s->session) & LIBSSH2_SESSION_BLOCK_OUTBOUND;
		return TRANSPORT_AGAIN;
	}
	s->pending = false;
	return r > 0 ? r : ssh2_broken(s, errno);
}

static nfds_t ssh2_events(struct transport *t, struct pollfd fds[2], short want)
{
	struct ssh2 *s = (struct ssh2 *)t;
	int dirs = libssh2_session_block_directions(s->session);

	(void)want; /* the library knows what it waits for: a write may need a read first, and the other way round */
	fds[0] = (struct pollfd){ s->fd, POLLIN, 0 };
	if (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		fds[0].events = (short)(POLLOUT | (dirs & LIBSSH2_SESSION_BLOCK_INBOUND ? POLLIN : 0));
	return 1;
}

static void ssh2_close(struct transport *t)
{
	struct ssh2 *s = (struct ssh2 *)t;

	if (s->session && s->fd >= 0 && !t->hurry && !s->pending)
		libssh2_session_disconnect(s->session, "done");
	if (s->fd >= 0)
		shutdown(s->fd, SHUT_RDWR);
	if (s->session) {
		/* on a dead socket nothing can block; a bounded number of turns all the same */
		for (int i = 0; i < 16 && s->channel && libssh2_channel_free(s->channel) == LIBSSH2_ERROR_EAGAIN; i++)
			;
		for (int i = 0; i < 16 && libssh2_session_free(s->session) == LIBSSH2_ERROR_EAGAIN; i++)
			;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->session = NULL;
	s->channel = NULL;
	s->fd = -1;
}

static const char *ssh2_describe(struct transport *t)
{
	return ((struct ssh2 *)t)->said;
}

struct transport *ssh2_new(struct arena *a, const struct route *r, bool insecure)
{
	static const struct transport_ops ops = { ssh2_open,   ssh2_read,  ssh2_write,
						  ssh2_events, ssh2_close, ssh2_describe };
	struct ssh2 *s = arena_new_of(a, struct ssh2, 1);

	s->t.ops = &ops;
	s->a = a;
	s->r = r;
	s->insecure = insecure;
	s->fd = -1;
	return &s->t;
}
