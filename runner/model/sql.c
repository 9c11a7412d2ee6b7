/*
 * Connections to PostgreSQL and statements on them. What is in the database is inventory_sql.c's business.
 */
#include "model/sql.h"
#include "base/buf.h"

#include <dlfcn.h>
#include <pthread.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* Seconds: a server that is there answers at once; one that is not, or is behind a firewall, is told soon. */
#define CONNECT_LIMIT "10"
/* Of one statement: ten thousand hosts with all their values are read in under a second. */
#define STATEMENT_LIMIT "60s"

/* clang-format off */
#define CALLS(X) \
	X(PQconninfoParse) X(PQconninfoFree) X(PQfreemem) X(PQconnectdbParams) X(PQfinish) X(PQstatus) X(PQerrorMessage) \
	X(PQconnectionNeedsPassword) X(PQconnectionUsedPassword) X(PQuser) X(PQhost) X(PQport) X(PQdb) X(PQpass) \
	X(PQexecParams) X(PQresultStatus) X(PQresultErrorField) X(PQntuples) X(PQnfields) X(PQgetisnull) X(PQgetvalue) \
	X(PQclear) X(PQsetNoticeProcessor)
/* clang-format on */
#define FIELD(f) __typeof__(f) *f;
static struct {
	CALLS(FIELD)
} pq;
static bool pq_ready;

static bool pq_load(struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	bool ok = true;

	pthread_mutex_lock(&lock);
	if (!pq_ready) {
		void *lib = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
		if (!lib) {
			fail(e, E_FAILED, "the database cannot be asked: libpq is not installed");
			err_hint(e, "Install the package libpq5.");
			ok = false;
		}
/* POSIX's own way to get a function out of dlsym */
#define LOAD(f)                                                                                                        \
	if (ok && !(*(void **)&pq.f = dlsym(lib, #f)))                                                                 \
		ok = fail(e, E_FAILED, "libpq is too old: it has no %s", #f);
		CALLS(LOAD)
		pq_ready = ok;
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

/* ---- sources ---- */
bool sql_is(const char *source)
{
	static const char *const starts[] = {"postgres://", "postgresql://", "service=", "host=", "dbname="};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (!strncmp(source, starts[i], strlen(starts[i])))
			return true;
	return false;
}

const char *sql_default(void)
{
	const char *url = getenv("METADB_URL");

	return url && *url ? url : "service=meta";
}

const char *sql_of_script(struct arena *a, const char *text)
{
	const char *line = strchr(text, '\n'), *url = getenv("METADB_URL");

	if (strncmp(text, "#!", 2) != 0 || !line || strncmp(line + 1, SQL_SCRIPT_MARK, strlen(SQL_SCRIPT_MARK)) != 0)
		return NULL;
	line += 1 + strlen(SQL_SCRIPT_MARK);
	return url && *url ? url : arena_strn(a, line, strcspn(line, "\n"));
}

/* A word of a URL: what would end it is written as %XX. */
static void url_word(struct buf *b, const char *s)
{
	for (; *s; s++)
		buf_fmt(b, strchr("%@/?#& ", *s) || (unsigned char)*s < 0x20 ? "%%%02X" : "%c", (unsigned char)*s);
}

static const char *shown_of(struct arena *a, const char *user, const char *host, const char *port, const char *db)
{
	struct buf b = BUF(a);

	buf_str(&b, "postgres://");
	if (user && *user) {
		url_word(&b, user);
		buf_ch(&b, '@');
	}
	if (host && strchr(host, ':') && !strchr(host, ','))
		buf_fmt(&b, "[%s]", host);
	else if (host && *host == '/')
		url_word(&b, host);
	else
		buf_str(&b, host ? host : "");
	if (port && *port)
		buf_fmt(&b, ":%s", port);
	buf_ch(&b, '/');
	url_word(&b, db ? db : "");
	return buf_text(&b);
}

/* libpq's words, but for those that are secret; a service file's are not known here. */
const char *sql_shown(struct arena *a, const char *source)
{
	struct err ignored;
	char *why = NULL;
	const char *user = NULL, *host = NULL, *port = NULL, *db = NULL, *service = NULL, *shown;

	PQconninfoOption *all = pq_load(&ignored) ? pq.PQconninfoParse(source, &why) : NULL;
	for (PQconninfoOption *o = all; o && o->keyword; o++) {
		const char **at = !strcmp(o->keyword, "user")	   ? &user
				  : !strcmp(o->keyword, "host")	   ? &host
				  : !strcmp(o->keyword, "port")	   ? &port
				  : !strcmp(o->keyword, "dbname")  ? &db
				  : !strcmp(o->keyword, "service") ? &service
								   : NULL;
		if (at)
			*at = o->val;
	}
	shown = service && !host ? arena_fmt(a, "service=%s", service) : shown_of(a, user, host, port, db);
	if (!all) /* no URL at all: nothing of it is known to be harmless */
		shown = "postgres://...";
	if (all)
		pq.PQconninfoFree(all);
	if (why)
		pq.PQfreemem(why);
	return shown;
}

/* ---- connections ---- */
static void silent(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static void finish(void *arg)
{
	sql_close(arg);
}

/* libpq's own words without the password, in one line. */
static const char *said(struct sql *s)
{
	char *text = arena_str(s->a, pq.PQerrorMessage(s->conn));
	const char *pass = pq.PQpass(s->conn);
	size_t n = pass ? strlen(pass) : 0;

	for (char *at; n && (at = strstr(text, pass));)
		memset(at, '*', n);
	for (size_t len = strlen(text); len && (text[len - 1] == '\n' || text[len - 1] == ' ');)
		text[--len] = '\0';
	return text;
}

static bool refused(struct sql *s, struct err *e)
{
	const char *host = pq.PQhost(s->conn), *port = pq.PQport(s->conn);
	bool used = pq.PQconnectionUsedPassword(s->conn), needs = pq.PQconnectionNeedsPassword(s->conn);
	const char *where = arena_fmt(s->a, "%s, port %s", host && *host ? host : "the local socket", port);

	if (needs || used) {
		fail(e, E_CONNECT, "the database at %s %s user \"%s\"", where,
		     needs ? "wants a password of" : "does not let in", pq.PQuser(s->conn));
		err_hint(e, needs ? "Put it into ~/.pgpass, PGPASSWORD, or the URL in METADB_URL."
				  : "Is the password right? It comes from the URL, PGPASSWORD or ~/.pgpass.");
	} else {
		fail(e, E_CONNECT, "the database at %s cannot be reached", where);
		err_hint(e,
			 "Does PostgreSQL run there, with a database \"%s\", and let this machine in? The URL is %s.",
			 pq.PQdb(s->conn), s->shown);
	}
	return err_detail(e, "%s", said(s));
}

bool sql_open(struct sql **out, struct arena *a, const char *source, const char *name, struct err *e)
{
	static const char *const keys[] = {"connect_timeout", "fallback_application_name", "dbname", NULL};
	const char *const values[] = {CONNECT_LIMIT, name, source, NULL};
	struct sql *s = arena_get(a, sizeof *s);
	PQconninfoOption *parsed;
	char *why = NULL;

	if (!pq_load(e))
		return false;
	parsed = pq.PQconninfoParse(source, &why); /* its words would repeat the URL, password and all */
	if (why)
		pq.PQfreemem(why);
	if (!parsed) {
		fail(e, E_INPUT, "the URL of the database cannot be read");
		return err_hint(e,
				"Write postgres://user@host:port/database; escape signs such as @ and / in a password "
				"as %%40 and %%2F.");
	}
	pq.PQconninfoFree(parsed);
	s->a = a;
	s->conn = pq.PQconnectdbParams(keys, values, 1);
	arena_defer(a, finish, s);
	if (!s->conn)
		bug("out of memory in libpq");
	pq.PQsetNoticeProcessor(s->conn, silent, NULL);
	s->shown = shown_of(a, pq.PQuser(s->conn), pq.PQhost(s->conn), pq.PQport(s->conn), pq.PQdb(s->conn));
	if (pq.PQstatus(s->conn) != CONNECTION_OK)
		return refused(s, e);
	*out = s;
	return sql_do(s, NULL, "set statement_timeout = '" STATEMENT_LIMIT "'", NULL, 0, e);
}

void sql_close(struct sql *s)
{
	if (s && s->conn)
		pq.PQfinish(s->conn);
	if (s)
		s->conn = NULL;
}

/* ---- statements ---- */
static bool statement_fault(struct sql *s, const PGresult *r, struct err *e)
{
	const char *text = r ? pq.PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL,
		   *detail = r ? pq.PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL) : NULL,
		   *state = r ? pq.PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;

	if (pq.PQstatus(s->conn) != CONNECTION_OK) {
		fail(e, E_CONNECT, "the connection to the database at %s was lost", s->shown);
		return err_detail(e, "%s", said(s));
	}
	fail(e, E_FAILED, "the database at %s: %s", s->shown, text ? text : said(s));
	if (state && !strcmp(state, "42501"))
		err_hint(e, "Give user \"%s\" the right, or use another one.", pq.PQuser(s->conn));
	return detail ? err_detail(e, "%s", detail) : false;
}

bool sql_do(struct sql *s, struct sql_rows *rows, const char *text, const char *const *params, int n, struct err *e)
{
	PGresult *r = pq.PQexecParams(s->conn, text, n, NULL, params, NULL, NULL, 0);
	ExecStatusType status = pq.PQresultStatus(r);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		statement_fault(s, r, e);
		pq.PQclear(r);
		return false;
	}
	if (rows) {
		rows->n = (uint32_t)pq.PQntuples(r);
		rows->columns = (uint32_t)pq.PQnfields(r);
		rows->cells = arena_new_of(s->a, const char *, (size_t)rows->n * rows->columns);
		for (uint32_t i = 0; i < rows->n; i++)
			for (uint32_t k = 0; k < rows->columns; k++)
				if (!pq.PQgetisnull(r, (int)i, (int)k))
					rows->cells[i * rows->columns + k] =
						arena_str(s->a, pq.PQgetvalue(r, (int)i, (int)k));
	}
	pq.PQclear(r);
	return true;
}

const char *sql_name(struct sql *s, const char *name)
{
	struct buf b = BUF(s->a);

	buf_ch(&b, '"');
	for (; *name; name++)
		buf_fmt(&b, *name == '"' ? "\"\"" : "%c", *name);
	buf_ch(&b, '"');
	return buf_text(&b);
}
