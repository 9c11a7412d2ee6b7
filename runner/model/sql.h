/*
 * A PostgreSQL database as a source of data, through libpq. The library is loaded when a database is named and not
 * before: linked, it would cost every start of the program more than all the rest of it. Passwords stand in no message.
 */
#ifndef MODEL_SQL_H
#define MODEL_SQL_H

#include "base/err.h"
#include "base/map.h"

struct sql {
	struct arena *a;   /* owns the connection */
	void *conn;	   /* PGconn */
	const char *shown; /* postgres://user@host:port/database */
};

/* Text of a source: postgres://..., postgresql://..., or libpq's own words: service=..., host=..., dbname=... */
bool sql_is(const char *source);
/* The second line of a script that prints what a database holds: such a script is not run, the database is asked.
 * $METADB_URL leads over the URL behind it. NULL: the text is no such script. */
#define SQL_SCRIPT_MARK "# pig: database "
const char *sql_of_script(struct arena *a, const char *text);
/* The source without its password, for people and files. */
const char *sql_shown(struct arena *a, const char *source);
/* $METADB_URL, else "service=meta". */
const char *sql_default(void);

/* name: what the server's own view of its sessions calls this one. E_CONNECT when it cannot be reached or refuses. */
bool sql_open(struct sql **out, struct arena *a, const char *source, const char *name, struct err *e);
void sql_close(struct sql *s); /* before its arena dies */

struct sql_rows {
	uint32_t n, columns;
	const char **cells; /* row after row; NULL is null */
};
static inline const char *sql_cell(const struct sql_rows *r, uint32_t row, uint32_t column)
{
	return r->cells[row * r->columns + column];
}
/* One statement with n parameters as text ($1...); rows may be NULL. */
bool sql_do(struct sql *s, struct sql_rows *rows, const char *text, const char *const *params, int n, struct err *e);
const char *sql_name(struct sql *s, const char *name); /* quoted */

#endif
