/*
 * A client that writes numbered rows at a steady rate through whatever it is pointed at, and afterwards says what became of each.
 *
 *   writer run    CONNINFO LOG [rate=50] [seconds=0] [statement_ms=2000] [connect_ms=2000] [run=1]
 *   writer verify CONNINFO LOG [run=1]
 *
 * `run` ends after `seconds`, or at SIGTERM or SIGINT, and prints JSON. LOG gets a line for each row: its number, the times it was
 * sent and settled (milliseconds of the epoch), a letter:
 *   A  acknowledged: the server said that it is committed, without a warning
 *   R  refused: an error after which the row cannot be there (read-only, cannot connect now, out of resources...)
 *   U  unknown: the connection ended, the deadline passed, or the commit was warned of; the row may be there or not
 * and X for an attempt to connect that failed, with number 0. `verify` compares the log with the table: acknowledged and not found
 * is lost, and then the exit status is 1.
 *
 * Deadlines are the client's own: a server whose network is cut says nothing, so nothing on its side can end the wait. Slots that
 * pass while a row is under way are not made up for: the rate is a ceiling, and after an outage there is no burst.
 */
#include <libpq-fe.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
	const char *conninfo, *log;
	int64_t rate, seconds, statement_ms, connect_ms, run;
};

struct writer {
	const struct options *o;
	PGconn *conn;
	FILE *log;
	bool warned;      /* the row under way drew a warning */
	char error[256];  /* the latest of any kind */
	int64_t sent, acked, refused, unknown, connects, connect_failures;
	int64_t first_ack, last_ack, gap, gap_from;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t now(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static int64_t wall(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static void sleep_until(int64_t when)
{
	int64_t left = when - now();

	if (left > 0 && !stopped)
		poll(NULL, 0, (int)left);
}

/* The socket is ready for events before the deadline. */
static bool ready(PGconn *c, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = PQsocket(c), .events = events };
		int64_t left = deadline - now();
		int n;

		if (left <= 0 || p.fd < 0)
			return false;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static void noticed(void *arg, const PGresult *res)
{
	struct writer *w = arg;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	/* "canceling wait for synchronous replication" comes as a warning, and the commit as if nothing were wrong */
	if (severity && !strcmp(severity, "WARNING"))
		w->warned = true;
}

static void remember(struct writer *w, const char *text)
{
	size_t n = strcspn(text, "\n");

	snprintf(w->error, sizeof w->error, "%.*s", (int)(n < 250 ? n : 250), text);
}

static void disconnect(struct writer *w)
{
	if (w->conn)
		PQfinish(w->conn);
	w->conn = NULL;
}

static bool connect_finish(PGconn *c, int64_t deadline)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	while (want == PGRES_POLLING_READING || want == PGRES_POLLING_WRITING) {
		if (!ready(c, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return false;
		want = PQconnectPoll(c);
	}
	return want == PGRES_POLLING_OK;
}

static bool connect_to(struct writer *w)
{
	w->conn = PQconnectStart(w->o->conninfo);
	if (w->conn && PQstatus(w->conn) != CONNECTION_BAD && connect_finish(w->conn, now() + w->o->connect_ms)) {
		PQsetNoticeReceiver(w->conn, noticed, w);
		w->connects++;
		return true;
	}
	remember(w, w->conn && *PQerrorMessage(w->conn) ? PQerrorMessage(w->conn) : "no connection before the deadline");
	disconnect(w);
	return false;
}

/* All results of the statement under way; the first error wins. NULL: the deadline passed or the connection broke. */
static PGresult *result_before(PGconn *c, int64_t deadline)
{
	PGresult *kept = NULL, *res;

	for (;;) {
		int flushed;

		while ((flushed = PQflush(c)) > 0)
			if (!ready(c, POLLOUT, deadline))
				goto broken;
		while (PQisBusy(c))
			if (!ready(c, POLLIN, deadline) || !PQconsumeInput(c))
				goto broken;
		res = PQgetResult(c);
		if (!res)
			return kept;
		if (kept)
			PQclear(res);
		else
			kept = res;
	}
broken:
	if (kept && PQresultStatus(kept) == PGRES_FATAL_ERROR)
		return kept; /* the server's last words before it closed */
	PQclear(kept);
	return NULL;
}

/* States after which the row cannot have been committed. Not 08P01: PgBouncer says that of a server that died under a statement, too. */
static bool surely_refused(const char *state)
{
	static const char *const known[] = { "25006", "57P03", "28", "3D", "42", "53", "22", "23", "0A" };

	for (size_t i = 0; state && i < sizeof known / sizeof *known; i++)
		if (!strncmp(state, known[i], strlen(known[i])))
			return true;
	return false;
}

/* One row; its letter. Whatever is not plainly good ends the connection, as a careful client does. */
static char insert(struct writer *w, int64_t id)
{
	char run_text[24], id_text[24];
	const char *const values[] = { run_text, id_text };
	PGresult *res;
	char letter = 'U';

	snprintf(run_text, sizeof run_text, "%" PRId64, w->o->run);
	snprintf(id_text, sizeof id_text, "%" PRId64, id);
	w->warned = false;
	if (!PQsendQueryParams(w->conn, "INSERT INTO written (run, id) VALUES ($1::int, $2::bigint)", 2, NULL, values, NULL, NULL, 0)) {
		remember(w, PQerrorMessage(w->conn));
		disconnect(w);
		return 'U';
	}
	res = result_before(w->conn, now() + w->o->statement_ms);
	if (res && PQresultStatus(res) == PGRES_COMMAND_OK && !w->warned)
		letter = 'A';
	else if (res && surely_refused(PQresultErrorField(res, PG_DIAG_SQLSTATE)))
		letter = 'R';
	if (letter != 'A') {
		remember(w, !res ? "no answer before the deadline" : w->warned ? "committed with a warning" : PQresultErrorMessage(res));
		disconnect(w);
	}
	PQclear(res);
	return letter;
}

static void settled(struct writer *w, int64_t id, int64_t sent_at, char letter)
{
	int64_t t = wall();

	fprintf(w->log, "%" PRId64 " %" PRId64 " %" PRId64 " %c\n", id, sent_at, t, letter);
	if (letter == 'R')
		w->refused++;
	if (letter == 'U')
		w->unknown++;
	if (letter != 'A')
		return;
	w->acked++;
	if (!w->first_ack)
		w->first_ack = t;
	else if (t - w->last_ack > w->gap) {
		w->gap = t - w->last_ack;
		w->gap_from = w->last_ack;
	}
	w->last_ack = t;
}

static void report(const struct writer *w, int64_t took)
{
	char *safe = strdup(w->error);

	for (char *p = safe; p && *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			*p = '\'';
	printf("{\"run\": %" PRId64 ", \"sent\": %" PRId64 ", \"acked\": %" PRId64 ", \"refused\": %" PRId64 ", \"unknown\": %" PRId64,
	       w->o->run, w->sent, w->acked, w->refused, w->unknown);
	printf(", \"connects\": %" PRId64 ", \"connect_failures\": %" PRId64 ", \"longest_gap_ms\": %" PRId64
	       ", \"gap_from\": %" PRId64 ", \"first_ack\": %" PRId64 ", \"last_ack\": %" PRId64 ", \"took_ms\": %" PRId64
	       ", \"last_error\": \"%s\"}\n",
	       w->connects, w->connect_failures, w->gap, w->gap_from, w->first_ack, w->last_ack, took, safe ? safe : "");
	free(safe);
}

static int run(const struct options *o)
{
	struct writer w = { .o = o, .log = fopen(o->log, "w") };
	int64_t start = now(), slot = start, every = 1000 / o->rate;

	if (!w.log) {
		perror(o->log);
		return 2;
	}
	setvbuf(w.log, NULL, _IOLBF, 0);
	while (!stopped && (!o->seconds || now() - start < o->seconds * 1000)) {
		int64_t at = wall();

		if (!w.conn && !connect_to(&w)) {
			fprintf(w.log, "0 %" PRId64 " %" PRId64 " X\n", at, wall());
			w.connect_failures++;
		} else {
			at = wall();
			w.sent++;
			settled(&w, w.sent, at, insert(&w, w.sent));
		}
		slot = slot + every > now() ? slot + every : now() + (w.conn ? 0 : every);
		sleep_until(slot);
	}
	disconnect(&w);
	report(&w, now() - start);
	return fclose(w.log) ? 2 : 0;
}

/* ---- verify ---- */
struct found { unsigned char *has; int64_t n; }; /* by id */

static bool found_read(const struct options *o, struct found *f)
{
	char sql[96];
	PGconn *c = PQconnectdb(o->conninfo);
	PGresult *res;

	snprintf(sql, sizeof sql, "SELECT id FROM written WHERE run = %" PRId64 " ORDER BY id", o->run);
	res = PQexec(c, sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		fprintf(stderr, "writer: %s", PQerrorMessage(c));
		PQclear(res);
		PQfinish(c);
		return false;
	}
	for (int i = 0; i < PQntuples(res); i++) {
		int64_t id = strtoll(PQgetvalue(res, i, 0), NULL, 10);

		if (id >= f->n) {
			unsigned char *more = realloc(f->has, (size_t)id * 2 + 1024);
			if (!more)
				abort();
			memset(more + f->n, 0, (size_t)(id * 2 + 1024 - f->n));
			f->has = more;
			f->n = id * 2 + 1024;
		}
		f->has[id] = 1;
	}
	PQclear(res);
	PQfinish(c);
	return true;
}

static int verify(const struct options *o)
{
	struct found f = { 0 };
	FILE *log = fopen(o->log, "r");
	int64_t id, sent, done, acked = 0, lost = 0, first_lost = 0, unknown = 0, unknown_found = 0, refused_found = 0, rows = 0;
	char letter;

	if (!log) {
		perror(o->log);
		return 2;
	}
	if (!found_read(o, &f)) {
		fclose(log);
		return 2;
	}
	for (int64_t i = 0; i < f.n; i++)
		rows += f.has[i];
	while (fscanf(log, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %c", &id, &sent, &done, &letter) == 4) {
		bool there = id < f.n && f.has[id];

		acked += letter == 'A';
		unknown += letter == 'U';
		unknown_found += letter == 'U' && there;
		refused_found += letter == 'R' && there;
		if (letter == 'A' && !there && !lost++)
			first_lost = id;
	}
	printf("{\"found\": %" PRId64 ", \"acked\": %" PRId64 ", \"lost\": %" PRId64 ", \"first_lost\": %" PRId64
	       ", \"unknown\": %" PRId64 ", \"unknown_found\": %" PRId64 ", \"refused_found\": %" PRId64 "}\n",
	       rows, acked, lost, first_lost, unknown, unknown_found, refused_found);
	free(f.has);
	fclose(log);
	return lost || refused_found ? 1 : 0;
}

/* ---- command line ---- */
static bool option_read(struct options *o, const char *word)
{
	static const struct { const char *name; size_t at; } known[] = {
		{ "rate=", offsetof(struct options, rate) },
		{ "seconds=", offsetof(struct options, seconds) },
		{ "statement_ms=", offsetof(struct options, statement_ms) },
		{ "connect_ms=", offsetof(struct options, connect_ms) },
		{ "run=", offsetof(struct options, run) },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i].name);
		char *end;

		if (strncmp(word, known[i].name, n))
			continue;
		int64_t v = strtoll(word + n, &end, 10);
		if (end == word + n || *end || v < 0)
			return false;
		memcpy((char *)o + known[i].at, &v, sizeof v);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct options o = { .rate = 50, .statement_ms = 2000, .connect_ms = 2000, .run = 1 };
	struct sigaction sa = { .sa_handler = on_signal };
	bool good = argc >= 4;

	for (int i = 4; good && i < argc; i++)
		good = option_read(&o, argv[i]);
	if (!good || o.rate < 1 || o.rate > 1000) {
		fputs("usage: writer run|verify CONNINFO LOG [rate=N] [seconds=N] [statement_ms=N] [connect_ms=N] [run=N]\n", stderr);
		return 2;
	}
	o.conninfo = argv[2];
	o.log = argv[3];
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	if (!strcmp(argv[1], "run"))
		return run(&o);
	if (!strcmp(argv[1], "verify"))
		return verify(&o);
	fprintf(stderr, "writer: unknown word \"%s\"\n", argv[1]);
	return 2;
}
