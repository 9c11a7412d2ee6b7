/*
 * From a target to a route. `ssh -G` does the reading of ssh_config (Host, Match, Include), so that a name means here
 * what it means to `ssh NAME`. Its answers are kept for the life of the process, as one host may stand in several
 * places of an inventory.
 */
#include "host/target.h"

#include <ctype.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/os.h"
#include "host/hostkey.h"

enum { SSHG_LIMIT_MS = 10000, WORDS_MAX = 128 };

/* Answers by question. The one thing of this layer that is shared between threads and written to. */
struct target_answer {
	struct target_answer *next;
	char *question, *text;
	size_t len;
};
static struct {
	pthread_mutex_t lock;
	struct target_answer *first;
} target_cache = { PTHREAD_MUTEX_INITIALIZER, NULL };

static bool target_recall(struct buf *out, const char *question)
{
	bool hit = false;

	pthread_mutex_lock(&target_cache.lock);
	for (struct target_answer *t = target_cache.first; t && !hit; t = t->next) {
		hit = !strcmp(t->question, question);
		if (hit)
			buf_add(out, t->text, t->len);
	}
	pthread_mutex_unlock(&target_cache.lock);
	return hit;
}

static void target_keep(const struct buf *text, const char *question)
{
	struct target_answer *t = calloc(1, sizeof *t);
	char *q = strdup(question), *copy = malloc(text->len + 1);

	if (!t || !q || !copy) { /* only a cache */
		free(t);
		free(q);
		free(copy);
		return;
	}
	memcpy(copy, buf_text(text), text->len + 1);
	pthread_mutex_lock(&target_cache.lock);
	*t = (struct target_answer){ target_cache.first, q, copy, text->len };
	target_cache.first = t;
	pthread_mutex_unlock(&target_cache.lock);
}

/* The home ssh(1) would take: the password file's, not $HOME. */
static void target_me(struct arena *a, const char **name, const char **home)
{
	struct passwd pw, *got = NULL;
	char *room = arena_get(a, 16384);

	*name = "root";
	*home = getenv("HOME");
	if (getpwuid_r(getuid(), &pw, room, 16384, &got) == 0 && got) {
		*name = pw.pw_name;
		*home = pw.pw_dir;
	}
	if (!*home)
		*home = "/";
}

static const char *target_path(struct arena *a, const char *path, const char *home)
{
	if (path[0] == '~' && path[1] == '/')
		return arena_fmt(a, "%s%s", home, path + 1);
	return arena_str(a, path);
}

const char *const *target_words(struct arena *a, const char *text)
{
	const char **words = arena_new_of(a, const char *, WORDS_MAX + 1);
	size_t n = 0;

	for (const char *p = text; n < WORDS_MAX;) {
		while (isspace((unsigned char)*p))
			p++;
		if (!*p)
			return words;
		struct buf w = BUF(a);
		char quote = 0;
		for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
			if (quote ? *p == quote : *p == '"' || *p == '\'')
				quote = quote ? 0 : *p;
			else if (*p == '\\' && quote != '\'' && p[1])
				buf_ch(&w, *++p);
			else
				buf_ch(&w, *p);
		}
		if (quote)
			return NULL;
		words[n++] = arena_str(a, buf_text(&w));
	}
	return NULL;
}

/* A setting that ssh(1) alone can follow. */
static void target_needs_ssh(struct route *r, const char *what, const char *val)
{
	if (strcmp(val, "none"))
		r->needs_ssh = what;
}

static void target_read_files(struct route *r, struct arena *a, const char *list, const char *home, size_t *n)
{
	const char *const *words = list ? target_words(a, list) : NULL;

	for (size_t most = *n + ROUTE_FILES_MAX; words && *words && *n < most; words++) {
		if (strchr(*words, '%'))
			r->needs_ssh = "UserKnownHostsFile with %";
		else if (strcmp(*words, "none"))
			r->known[(*n)++] = target_path(a, *words, home);
	}
	r->known[*n] = NULL;
}

static void target_read_key(struct route *r, struct arena *a, const char *val, const char *home)
{
	if (r->key_given || r->n_keys == ROUTE_KEYS_MAX || !strcmp(val, "none"))
		return;
	if (strchr(val, '%') || strchr(val, '$'))
		r->needs_ssh = "IdentityFile with %";
	else
		r->keys[r->n_keys++] = target_path(a, val, home);
}

static int target_port(const char *s)
{
	char *end;
	long n = isdigit((unsigned char)*s) ? strtol(s, &end, 10) : 0;

	return n > 0 && n < 65536 && !*end ? (int)n : 0;
}

/* known_hosts files are named in two lines, in any order; the user's stand first */
struct target_lists {
	const char *user, *global;
};

static void target_read_trust(struct route *r, struct arena *a, const char *key, const char *val,
			      struct target_lists *lists)
{
	if (!strcmp(key, "userknownhostsfile"))
		lists->user = val;
	else if (!strcmp(key, "globalknownhostsfile"))
		lists->global = val;
	else if (!strcmp(key, "hostkeyalias"))
		r->key_alias = strcmp(val, "none") ? arena_str(a, val) : NULL;
	else if (!strcmp(key, "hashknownhosts"))
		r->hash_names = !strcmp(val, "yes");
	else if (!strcmp(key, "stricthostkeychecking"))
		r->strict = !strcmp(val, "true") || !strcmp(val, "yes");
	else if (!strcmp(key, "knownhostscommand"))
		target_needs_ssh(r, "KnownHostsCommand", val);
}

static void target_read_line(struct route *r, struct arena *a, const char *key, const char *val, const char *home,
			     struct target_lists *lists)
{
	if (!strcmp(key, "hostname"))
		r->host = arena_str(a, val);
	else if (!strcmp(key, "port"))
		r->port = target_port(val) ? target_port(val) : r->port;
	else if (!strcmp(key, "user"))
		r->user = arena_str(a, val);
	else if (!strcmp(key, "identityfile"))
		target_read_key(r, a, val, home);
	else if (!strcmp(key, "identitiesonly"))
		r->identities_only = !strcmp(val, "yes");
	else if (!strcmp(key, "identityagent") && strcmp(val, "SSH_AUTH_SOCK"))
		r->agent = strcmp(val, "none") ? target_path(a, val, home) : NULL;
	else if (!strcmp(key, "certificatefile"))
		target_needs_ssh(r, "CertificateFile", val);
	else if (!strcmp(key, "pkcs11provider"))
		target_needs_ssh(r, "PKCS11Provider", val);
	else if (!strcmp(key, "proxyjump"))
		target_needs_ssh(r, "ProxyJump", val);
	else if (!strcmp(key, "proxycommand"))
		target_needs_ssh(r, "ProxyCommand", val);
	else if (!strcmp(key, "bindaddress") || !strcmp(key, "bindinterface"))
		target_needs_ssh(r, "BindAddress", val);
	else if (!strcmp(key, "addressfamily"))
		r->family = !strcmp(val, "inet") ? AF_INET : !strcmp(val, "inet6") ? AF_INET6 : AF_UNSPEC;
	else
		target_read_trust(r, a, key, val, lists);
}

void target_read(struct route *r, struct arena *a, const char *text, size_t len, const char *home)
{
	struct target_lists lists = { NULL, NULL };
	size_t n = 0;

	for (const char *p = text, *end = text + len; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
		char *line = arena_strn(a, p, (size_t)(stop - p));
		char *space = strchr(line, ' ');
		if (space) {
			*space = 0;
			target_read_line(r, a, line, space + 1, home, &lists);
		}
		p = nl ? nl + 1 : end;
	}
	target_read_files(r, a, lists.user, home, &n);
	target_read_files(r, a, lists.global, home, &n);
}

/* Names become words of a command line and of messages: nothing that could be an option or shell text. */
static bool target_sane(const char *s)
{
	if (!*s || *s == '-')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr("'\"`$\\;&<>|(){}", *s))
			return false;
	return true;
}

static bool target_check(const struct target *t, const char *host, struct err *e)
{
	if (!target_sane(host))
		return fail(e, E_INPUT, "\"%s\" is no host name or address", host);
	if (t->user && !target_sane(t->user))
		return fail(e, E_INPUT, "\"%s\" is no user name (host \"%s\")", t->user, t->name);
	if (t->port < 0 || t->port > 65535)
		return fail(e, E_INPUT, "%d is no port (host \"%s\")", t->port, t->name);
	return true;
}

/* What a machine without ssh(1) knows by itself. */
static void target_defaults(struct route *r, struct arena *a, const char *me, const char *home)
{
	r->no_ssh = true;
	r->port = r->target->port ? r->target->port : 22;
	r->user = r->target->user ? arena_str(a, r->target->user) : arena_str(a, me);
	r->host = r->alias;
	if (!r->key_given) {
		r->keys[r->n_keys++] = arena_fmt(a, "%s/.ssh/id_ed25519", home);
		r->keys[r->n_keys++] = arena_fmt(a, "%s/.ssh/id_ecdsa", home);
		r->keys[r->n_keys++] = arena_fmt(a, "%s/.ssh/id_rsa", home);
	}
	r->known[0] = arena_fmt(a, "%s/.ssh/known_hosts", home);
	r->known[1] = "/etc/ssh/ssh_known_hosts";
}

/* false: *status is 127 when ssh(1) is not there, else e is filled */
static bool target_ask(struct arena *a, const struct route *r, struct buf *out, int *status, struct err *e)
{
	const struct target *t = r->target;
	struct buf errs = BUF(a), question = BUF(a);
	const char *argv[WORDS_MAX + 12] = { "ssh", "-G" };
	const char *const *more = t->common_args ? target_words(a, t->common_args) : NULL;
	size_t n = 2;

	if (t->ssh_config)
		argv[n++] = "-F", argv[n++] = t->ssh_config;
	if (t->port)
		argv[n++] = "-p", argv[n++] = arena_fmt(a, "%d", t->port);
	if (t->user)
		argv[n++] = "-l", argv[n++] = t->user;
	for (; more && *more; more++)
		argv[n++] = *more;
	argv[n++] = "--";
	argv[n++] = r->alias;
	for (size_t i = 0; i < n; i++)
		buf_fmt(&question, "%s\n", argv[i]);
	*status = 0;
	if (target_recall(out, buf_text(&question)))
		return true;
	struct os_cmd cmd = { .argv = argv, .limit_ms = SSHG_LIMIT_MS };
	struct err why = { 0 };
	if (!os_run(&cmd, out, &errs, status, &why)) {
		*status = why.code == E_TIMEOUT ? 0 : 127;
		if (e)
			*e = why;
		return false;
	}
	if (*status) {
		*status = 0;
		fail(e, E_CONNECT, "ssh -G does not understand how to reach \"%s\"", r->alias);
		return err_detail(e, "%s", buf_text(&errs));
	}
	target_keep(out, buf_text(&question));
	return true;
}

bool target_resolve(struct route *r, struct arena *a, const struct target *t, struct err *e)
{
	const char *me, *home;
	struct buf out = BUF(a);
	int status;

	*r = (struct route){ .target = t, .agent = getenv("SSH_AUTH_SOCK") };
	r->alias = arena_str(a, t->host ? t->host : t->name);
	if (!target_check(t, r->alias, e))
		return false;
	target_me(a, &me, &home);
	if (t->key) {
		r->key_given = true;
		r->keys[r->n_keys++] = target_path(a, t->key, home);
	}
	struct err why = { 0 };
	if (t->connection && !strcmp(t->connection, "local")) {
		target_defaults(r, a, me, home);
		r->user = arena_str(a, me);
	} else if (target_ask(a, r, &out, &status, &why)) {
		target_read(r, a, buf_text(&out), out.len, home);
	} else if (status == 127) {
		target_defaults(r, a, me, home);
	} else {
		*e = why;
		return false;
	}
	if (!r->host || !r->user || !r->port)
		return fail(e, E_CONNECT, "ssh -G did not say how to reach \"%s\"", r->alias);
	if (!target_sane(r->host) || !target_sane(r->user))
		return fail(e, E_CONNECT, "ssh -G gives \"%s\" and \"%s\" as host and user of \"%s\"", r->host, r->user,
			    r->alias);
	r->known_name = hostkey_name(a, r->key_alias ? r->key_alias : r->host, r->key_alias ? 22 : r->port);
	return true;
}
