/*
 * A connected host: transport, the way to root, hello with facts, and jobs one at a time. What a failure of the link
 * means is put into words here. Not for: bytes (frame.c), algorithms and logins (ssh2*.c), which transport (choice.c).
 */
#include "host/session.h"

#include <libssh2.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/os.h"
#include "host/choice.h"
#include "host/facts.h"
#include "host/frame.h"

enum { NONCE_BYTES = 16, DIR_BYTES = 6, HELLO_MAX = 65536, NOISE_SHOWN = 1500 };

/* Held on the host while a job of a run is at work there. /run goes with a boot, as jobs do. */
#define SESSION_LOCK "/run/pig.lock"
enum { SESSION_BUSY_S = 60 };

extern const unsigned char boot_sh[];
extern const unsigned long boot_sh_len;

struct session {
	struct conn conn;
	struct arena *a;
	pthread_mutex_t lock;
	struct target target;
	struct route route;
	struct choice choice;
	struct frame frame;
	const char *nonce;
	bool lost; /* the stream is of no more use */
};

void conn_global_init(void)
{
	/* both have global state that is not made thread-safely by itself */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	if (libssh2_init(0))
		bug("libssh2_init failed");
}

void conn_warm_up(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
}

/* The words of an outside program for a detail: the last ones, without what would disturb a terminal. */
static const char *session_words(struct arena *a, const char *text)
{
	size_t n = strlen(text);
	char *s = arena_str(a, n > NOISE_SHOWN ? text + n - NOISE_SHOWN : text);

	for (char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t')
			*p = ' ';
	for (n = strlen(s); n && (s[n - 1] == '\n' || s[n - 1] == ' '); n--)
		s[n - 1] = 0;
	return s;
}

static void session_copy_target(struct session *s, const struct target *t)
{
	struct target *c = &s->target;

	*c = *t;
	c->name = arena_str(s->a, t->name ? t->name : t->host);
	c->connection = arena_str(s->a, t->connection);
	c->host = arena_str(s->a, t->host);
	c->user = arena_str(s->a, t->user);
	c->key = arena_str(s->a, t->key);
	c->password = arena_str(s->a, t->password);
	c->become_password = arena_str(s->a, t->become_password);
	c->common_args = arena_str(s->a, t->common_args);
	c->ssh_config = arena_str(s->a, t->ssh_config);
}

/* The second text: the nonce and the loop. */
static void session_boot_text(const struct session *s, struct buf *b)
{
	/* the folder's name shows on the host, so that it is not the nonce's */
	buf_fmt(b, "N=%s D=%s L=%s W=%d\n", s->nonce, os_random_hex(s->a, DIR_BYTES),
		s->target.alone ? SESSION_LOCK : "", SESSION_BUSY_S);
	buf_add(b, boot_sh, boot_sh_len);
}

/* The first text, a line that the login's sh reads: become root, then evaluate the second one, whose length is known. It
 * is one compound, so that half of it does nothing. With a password sudo may or may not ask for it, so that the loop's
 * text waits until a shell says "go": else sudo could take its first line for the password. */
static void session_stage_text(const struct session *s, struct buf *b, size_t boot_len)
{
	bool ask = s->target.become_password != NULL;
	char go[64] = "", sudo[64] = "-n";

	if (ask) {
		snprintf(go, sizeof go, "echo PIG-%s go; ", s->nonce);
		snprintf(sudo, sizeof sudo, "-S -p PIG-%s:", s->nonce);
	}
	buf_fmt(b, "{ N=%s; u=$(id -un); ", s->nonce);
	if (s->target.become) {
		buf_fmt(b,
			"while read -r k i o; do [ \"$k\" = Uid: ] && break; done </proc/self/status; "
			"if [ \"$i\" != 0 ]; then sudo %s -- sh -c '%seval \"$(head -c %zu)\"' pig \"$u\" 2>&1; ",
			sudo, go, boot_len);
		buf_str(b, "printf 'PIG-%s sudo %s\\n' \"$N\" $?; exit; fi; ");
	}
	buf_fmt(b, "set -- \"$u\"; %seval \"$(head -c %zu)\"; }\n", s->target.become ? go : "", boot_len);
}

static bool session_no_sudo(struct session *s, struct err *e)
{
	const char *said = session_words(s->a, buf_text(&s->frame.noise)), *user = s->route.user;

	fail(e, E_CONNECT, "user \"%s\" may not become root by sudo on %s", user, s->route.host);
	err_detail(e, "%s", said);
	if (strstr(said, "tty"))
		return err_hint(e, "sudoers sets requiretty: take it back for this user with Defaults:%s !requiretty",
				user);
	if (strstr(said, "not found"))
		return err_hint(e, "sudo is not installed on the host: install it, or log in as root.");
	if (s->target.become_password)
		return err_hint(e, "Is ansible_become_password right, and is the user in sudoers?");
	return err_hint(e,
			"Allow it on the host: echo '%s ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/%s, or set "
			"ansible_become_password.",
			user, user);
}

/* The stream ended, or too much was said, before the loop spoke. */
static bool session_no_hello(struct session *s, enum frame_end end, struct err *e)
{
	struct transport *t = s->choice.t;
	const char *name = s->target.name, *said = session_words(s->a, t->ops->describe(t));
	const char *noise = session_words(s->a, buf_text(&s->frame.noise));

	s->lost = true;
	if (end == FRAME_CANCELLED)
		return fail(e, E_CANCELLED, "cancelled while connecting to \"%s\"", name);
	if (s->choice.by_ssh_program && *said && !*noise && end != FRAME_LATE)
		return choice_explain(&s->choice, &s->route, said, e);
	if (end == FRAME_LATE)
		fail(e, E_CONNECT, "\"%s\" (%s) did not start a shell for user \"%s\" in time", name, s->choice.what,
		     s->route.user);
	else if (end == FRAME_GARBLED)
		fail(e, E_CONNECT, "the login of user \"%s\" on \"%s\" prints more than %d KiB", s->route.user, name,
		     FRAME_NOISE_MAX / 1024);
	else
		fail(e, E_CONNECT, "\"%s\" (%s) starts no shell for user \"%s\"", name, s->choice.what, s->route.user);
	err_detail(e, "%s%s%s", noise, *noise && *said ? "\n" : "", said);
	if (end == FRAME_LATE)
		return err_hint(e, "Try it by hand: the login, or sudo, waits for something. The host needs GNU "
				   "coreutils' head.");
	return err_hint(e, "The account needs a login shell that runs commands, and prints little; the host needs sh "
			   "and coreutils.");
}

static bool session_lacks(struct session *s, const char *what, struct err *e)
{
	fail(e, E_CONNECT, "\"%s\" lacks what pig needs:%s", s->target.name, what);
	return err_hint(e, "Hosts need sh, coreutils and util-linux: apt-get install coreutils util-linux, or dnf "
			   "install the same.");
}

/* One line after the mark. 1: the hello, its length in *n; 0: go on; -1: e is filled. */
static int session_hear(struct session *s, const char *line, const struct buf *boot, bool *answered,
			unsigned long long *n, struct err *e)
{
	const char *p = line + 6;

	if (!strncmp(line, "hello ", 6) && frame_number(&p, HELLO_MAX, n))
		return 1;
	if (!strncmp(line, "lacks", 5)) {
		session_lacks(s, line + 5, e);
		return -1;
	}
	enum frame_end end = FRAME_GARBLED;
	if (!strcmp(line, "go")) {
		end = frame_send(&s->frame, boot->p, boot->len);
	} else if (!strcmp(line, ":") && s->target.become_password && !*answered) {
		const char *word = arena_fmt(s->a, "%s\n", s->target.become_password);
		*answered = true;
		end = frame_send(&s->frame, word, strlen(word));
	} else if (!strncmp(line, "sudo ", 5) || !strcmp(line, ":")) {
		session_no_sudo(s, e);
		return -1;
	}
	if (end == FRAME_OK)
		return 0;
	session_no_hello(s, end, e);
	return -1;
}

static bool session_hello(struct session *s, struct buf *first, const struct buf *boot, const struct conn_options *o,
			  struct err *e)
{
	struct frame *f = &s->frame;
	int patience = choice_patience(o) * (s->choice.by_ssh_program ? 2 : 1); /* ssh(1) still has to connect */
	struct until u = until_in(patience, f->cancel);
	unsigned long long n = 0;
	bool answered = false;
	char line[512];

	if (!s->target.become || !s->target.become_password)
		buf_add(first, boot->p, boot->len);
	enum frame_end end = frame_send(f, first->p, first->len);
	for (int got = 0; got == 0;) {
		/* a link that broke under the first bytes may still have something to read */
		end = frame_mark(f, &u, line, sizeof line);
		if (end != FRAME_OK)
			return session_no_hello(s, end, e);
		got = session_hear(s, line, boot, &answered, &n, e);
		if (got < 0)
			return false;
	}
	char *text = arena_get(s->a, (size_t)n + 1);
	end = frame_get(f, text, (size_t)n);
	if (end != FRAME_OK)
		return session_no_hello(s, end, e);
	s->conn.facts = facts_read(s->a, text, (size_t)n);
	int64_t clock = facts_clock(text, (size_t)n);
	s->conn.ahead_s = clock ? clock - (int64_t)time(NULL) : 0;
	return true;
}

static bool session_failed(struct session *s, enum frame_end end, const struct job *j, struct err *e)
{
	const char *name = s->target.name, *what = j->what ? j->what : "a job";
	int limit = j->limit_s > 0 ? j->limit_s : FRAME_LIMIT_S;
	struct transport *t = s->choice.t;

	s->lost = true;
	t->hurry = true;
	switch (end) {
	case FRAME_CANCELLED: return fail(e, E_CANCELLED, "cancelled during %s on \"%s\"", what, name);
	case FRAME_LATE:
		fail(e, E_TIMEOUT, "\"%s\" (%s) hangs: no answer during %s", name, s->choice.what, what);
		return err_detail(e, "the limit is %d s, and %d s more were waited", limit, FRAME_GRACE_MS / 1000);
	case FRAME_FULL:
		fail(e, E_REMOTE, "\"%s\" has no room in /run for the input of %s", name, what);
		return err_hint(e, "/run is a tmpfs: see df /run on the host.");
	case FRAME_BUSY:
		fail(e, E_FAILED, "a job of another run is still at work on \"%s\" (process %llu there)", name, s->frame.busy);
		return err_hint(e, "Its sender was lost, or is another pig. It ends at its limit; then run again.");
	case FRAME_GARBLED:
		return fail(e, E_REMOTE, "\"%s\" (%s) answered out of turn during %s", name, s->choice.what, what);
	default:
		fail(e, E_CONNECT, "lost the connection to \"%s\" (%s) during %s", name, s->choice.what, what);
		return err_detail(e, "%s", session_words(s->a, t->ops->describe(t)));
	}
}

static bool session_run(struct conn *c, struct arena *a, const struct job *j, struct job_result *r, struct err *e)
{
	struct session *s = (struct session *)c;
	bool ok = false;

	pthread_mutex_lock(&s->lock);
	if (s->lost) {
		fail(e, E_CONNECT, "the connection to \"%s\" (%s) was lost before %s", s->target.name, s->choice.what,
		     j->what ? j->what : "a job");
	} else {
		*r = (struct job_result){ 0 };
		enum frame_end end = frame_run(&s->frame, a, j, r);
		ok = end == FRAME_OK || session_failed(s, end, j, e);
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static void session_close(struct conn *c)
{
	struct session *s = (struct session *)c;

	if (s->choice.t) {
		if (!s->lost && s->conn.facts)
			frame_send(&s->frame, "BYE\n", 4);
		s->choice.t->ops->close(s->choice.t);
	}
	pthread_mutex_destroy(&s->lock);
	arena_free(s->a);
}

bool conn_open(struct conn **out, const struct target *t, const struct conn_options *o, struct err *e)
{
	struct arena *a = arena_new();
	struct session *s = arena_new_of(a, struct session, 1);
	struct buf boot = BUF(a), first = BUF(a);

	*out = NULL;
	s->a = a;
	pthread_mutex_init(&s->lock, NULL);
	s->conn.run = session_run;
	s->conn.close = session_close;
	session_copy_target(s, t);
	s->nonce = os_random_hex(a, NONCE_BYTES);
	session_boot_text(s, &boot);
	session_stage_text(s, &first, boot.len);
	/* tiny, and one word for any login shell */
	const char *command = "exec sh -c 'read -r s; eval \"$s\"'";
	bool ok = target_resolve(&s->route, a, &s->target, e) && choice_open(&s->choice, a, &s->route, o, command, e);
	if (ok) {
		s->conn.what = s->choice.what;
		s->frame.t = s->choice.t;
		s->frame.cancel = o ? o->cancel : NULL;
		s->frame.mark = arena_fmt(a, "PIG-%s", s->nonce);
		s->frame.noise = BUF(a);
		s->frame.busy_s = s->target.alone ? SESSION_BUSY_S : 0;
		ok = session_hello(s, &first, &boot, o, e);
	}
	if (!ok) {
		s->lost = true;
		if (s->choice.t)
			s->choice.t->hurry = true;
		session_close(&s->conn);
		return false;
	}
	*out = &s->conn;
	return true;
}
