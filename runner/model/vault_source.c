/*
 * Passwords of the vault: a file's text, what a script prints, or what is typed. A script inherits the terminal, since many ask there;
 * one whose name ends in "-client" is told the id. Their text never reaches an argument, the environment or a file.
 */
#include "model/vault_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/os.h"
#include "model/inventory_build.h"

enum { PASSWORD_MAX = 1 << 20 };

struct named { const char *id, *source; bool ask; };

struct wanted {
	struct arena *a;
	struct named *list;
	uint32_t n;
	bool fresh;
};

/* ---- the terminal ---- */
static bool line_read(int tty, struct buf *out, struct err *e)
{
	for (;;) {
		char c;
		ssize_t n = read(tty, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(e, E_CANCELLED, "nothing was typed");
		if (c == '\n' || out->len >= PASSWORD_MAX)
			return true;
		buf_ch(out, c);
	}
}

static bool ask_once(int tty, struct buf *out, const char *prompt, struct err *e)
{
	struct termios was, quiet;
	bool known = !tcgetattr(tty, &was);

	if (known) {
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(tty, TCSAFLUSH, &quiet);
	}
	bool ok = write(tty, prompt, strlen(prompt)) >= 0 && line_read(tty, out, e);
	if (known)
		tcsetattr(tty, TCSAFLUSH, &was);
	return write(tty, "\n", 1) >= 0 && ok;
}

bool vault_ask(struct buf *out, const char *prompt, const char *again, struct err *e)
{
	autofd int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct buf second = { .a = out->a };

	if (tty < 0) {
		fail(e, E_INPUT, "there is no terminal to ask at");
		return err_hint(e, "Give vault passwords by --vault-password-file FILE, the text on standard input.");
	}
	if (!ask_once(tty, out, prompt, e) || (again && !ask_once(tty, &second, again, e)))
		return false;
	if (again && (out->len != second.len || memcmp(buf_text(out), buf_text(&second), out->len)))
		return fail(e, E_INPUT, "what was typed twice is not the same");
	return true;
}

/* ---- scripts ---- */
/* Like "x-client" or "x-client.py": such a script is told the vault id. */
static bool is_client(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *dot = strrchr(base, '.');
	size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);

	return n >= 7 && !strncmp(base + n - 7, "-client", 7);
}

static bool pipe_drain(int fd, struct buf *out, const char *path, struct err *e)
{
	for (;;) {
		ssize_t n = read(fd, buf_room(out, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, E_INPUT, "vault password script \"%s\" cannot be read: %s", path, strerror(errno));
		if (!n)
			return true;
		out->len += (size_t)n;
		if (out->len > PASSWORD_MAX)
			return fail(e, E_INPUT, "vault password script \"%s\" printed more than 1 MiB", path);
	}
}

static bool script_run(struct buf *out, const char *path, const char *id, struct err *e)
{
	bool client = is_client(path);
	const char *argv[] = { path, client ? "--vault-id" : NULL, id, NULL };
	union { const char **c; char *const *m; } words = { argv };
	int fds[2], status = 0;

	if (pipe2(fds, O_CLOEXEC))
		return fail(e, E_INPUT, "vault password script \"%s\" could not be run: %s", path, strerror(errno));
	pid_t pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		execv(path, words.m);
		_exit(127);
	}
	close(fds[1]);
	bool ok = pid > 0 && pipe_drain(fds[0], out, path, e);
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return fail(e, E_INPUT, "vault password script \"%s\" could not be run: %s", path, strerror(errno));
	if (!ok)
		return false;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (client && code == 2)
			return fail(e, E_INPUT, "vault password script \"%s\" knows no vault id \"%s\"", path, id);
		fail(e, E_INPUT, "vault password script \"%s\" ended with status %d", path, code);
		return code == 127 ? err_hint(e, "If it is no script, take its executable bit away: chmod -x.") : false;
	}
	return true;
}

/* ---- files ---- */
static void trim(const char **s, size_t *n, const char *what)
{
	while (*n && memchr(what, **s, strlen(what)))
		++*s, --*n;
	while (*n && memchr(what, (*s)[*n - 1], strlen(what)))
		--*n;
}

/* A password file may itself be an envelope, opened by the passwords read before it. */
static bool file_open(struct vault *known, struct buf *text, const char *path, struct err *e)
{
	struct buf inner = { .a = text->a };
	const char *s = buf_text(text);
	size_t n = text->len;

	trim(&s, &n, " \t\r\n\v\f");
	if (!vault_is(s, n)) {
		text->p = (char *)(uintptr_t)s;
		text->len = n;
		return true;
	}
	if (!vault_open(known, &inner, NULL, s, n, e))
		return err_wrap(e, "vault password file \"%s\"", path);
	*text = inner;
	return true;
}

static bool source_read(struct vault *to, struct vault *known, struct arena *a, const struct named *w, struct err *e)
{
	struct buf text = BUF(a);
	struct stat st;

	if (stat(w->source, &st)) {
		fail(e, E_INPUT, "vault password file \"%s\" cannot be read: %s", w->source, strerror(errno));
		return strchr(w->source, '@') ? false : err_hint(e, "Its vault id is \"%s\".", w->id);
	}
	bool script = S_ISREG(st.st_mode) && !access(w->source, X_OK) && (st.st_mode & 0111);
	if (script ? !script_run(&text, strchr(w->source, '/') ? w->source : arena_fmt(a, "./%s", w->source), w->id, e)
		   : !os_read(&text, w->source, PASSWORD_MAX, e) || !file_open(known, &text, w->source, e))
		return false;
	const char *s = buf_text(&text);
	size_t n = text.len;
	trim(&s, &n, "\r\n");
	if (!n)
		return fail(e, E_INPUT, "vault password %s \"%s\" gave an empty password", script ? "script" : "file", w->source);
	return vault_add(known, w->id, s, n, e) && vault_add(to, w->id, s, n, e);
}

static bool typed(struct vault *to, struct vault *known, struct arena *a, const struct named *w, bool fresh, struct err *e)
{
	struct buf text = BUF(a);
	const char *new = fresh ? "New vault password" : "Vault password";

	if (!vault_ask(&text, arena_fmt(a, "%s (%s): ", new, w->id),
		       fresh ? arena_fmt(a, "Confirm new vault password (%s): ", w->id) : NULL, e))
		return false;
	const char *s = buf_text(&text);
	size_t n = text.len;
	trim(&s, &n, " \t\r\n");
	return vault_add(known, w->id, s, n, e) && vault_add(to, w->id, s, n, e);
}

/* The ring's lock is held while this runs; what is known so far therefore stands in a ring of its own. */
static bool load(struct vault *v, void *ctx, struct err *e)
{
	struct wanted *w = ctx;
	struct vault *known = vault_new(w->a);

	for (uint32_t i = 0; i < w->n; i++) {
		const struct named *one = &w->list[i];
		if (!(one->ask ? typed(v, known, w->a, one, w->fresh, e) : source_read(v, known, w->a, one, e)))
			return false;
	}
	return true;
}

/* ---- what is wanted ---- */
static const char *home(struct arena *a, const char *path)
{
	const char *dir = getenv("HOME");

	return !strncmp(path, "~/", 2) && dir ? os_join(a, dir, path + 2) : path;
}

static void want(struct wanted *w, const char *id, const char *source, bool ask)
{
	w->list = inventory_grow(w->a, w->list, w->n, sizeof *w->list);
	w->list[w->n++] = (struct named){ id && *id ? id : "default", home(w->a, source), ask };
}

/* "ID@SOURCE" or "SOURCE". */
static void want_slug(struct wanted *w, const char *slug, const char *dflt)
{
	const char *at = strchr(slug, '@'), *source = at ? at + 1 : slug;

	want(w, at ? arena_strn(w->a, slug, (size_t)(at - slug)) : dflt, source,
	     !strcmp(source, "prompt") || !strcmp(source, "prompt_ask_vault_pass"));
}

bool vault_setting(const char **out, struct arena *a, const char *env, const char *name, struct err *e)
{
	const char *s = getenv(env);

	*out = s && *s ? s : NULL;
	return *out || inventory_cfg(out, a, name, e);
}

static bool is_true(const char *s)
{
	return s && (!strcasecmp(s, "true") || !strcasecmp(s, "yes") || !strcasecmp(s, "on") || !strcmp(s, "1"));
}

bool vault_from(struct vault **out, struct arena *a, const struct vault_options *o, struct err *e)
{
	struct wanted *w = arena_new_of(a, struct wanted, 1);
	const char *list = NULL, *file = NULL, *dflt = NULL, *match = NULL;

	*w = (struct wanted){ .a = a, .fresh = o->fresh };
	if (!vault_setting(&dflt, a, "ANSIBLE_VAULT_IDENTITY", "vault_identity", e) ||
	    !vault_setting(&match, a, "ANSIBLE_VAULT_ID_MATCH", "vault_id_match", e))
		return false;
	if (!o->own && (!vault_setting(&list, a, "ANSIBLE_VAULT_IDENTITY_LIST", "vault_identity_list", e) ||
			!vault_setting(&file, a, "ANSIBLE_VAULT_PASSWORD_FILE", "vault_password_file", e)))
		return false;
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");
		const char *s = p;
		p += n + (p[n] == ',');
		trim(&s, &n, " \t");
		if (n)
			want_slug(w, arena_strn(a, s, n), dflt);
	}
	for (uint32_t i = 0; i < o->n_ids; i++)
		want_slug(w, o->ids[i], dflt);
	for (uint32_t i = 0; i < o->n_files; i++)
		want(w, dflt, o->files[i], false);
	if (file)
		want(w, dflt, file, false);
	if (o->ask)
		want(w, dflt, "prompt", true);
	*out = vault_new(a);
	vault_match_id(*out, is_true(match));
	vault_on_need(*out, load, w);
	return true;
}
