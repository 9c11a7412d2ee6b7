/*
 * The inventory's schema in a database: `baseline: cmdb.sql` in pg_databases asks for it. Other baselines fill a new
 * database once; this one is kept at what this version brings, and what its tables hold stays. A user's own
 * files/cmdb.sql leads and is such an other one.
 */
#include "pgsql.h"

#include <string.h>

static const char file[] = "cmdb.sql";

bool cmdb_brings(const char *baseline)
{
	return !strcmp(baseline, file);
}

/* The comment of the schema says which text made it: one look tells whether there is anything to do. */
static void schema_in(const struct inst *in, const char *database, const char *sql, const char *mark)
{
	pig_task *t = in->t;
	const char *psql = pig_fmt(t, "%s -v ON_ERROR_STOP=1 -d %s", in->psql, pig_sh(t, "%s", database));

	pig_ensure(t, .note = pig_fmt(t, "the inventory's schema in database %s", database), .as = in->p->pg_dbsu,
		   .probe = psql, .probe_in = "select obj_description(to_regnamespace('pigsty'), 'pg_namespace');\n",
		   .want = mark, .apply = psql,
		   .in = pig_fmt(t, "begin;\n" SQL_SESSION "%scomment on schema pigsty is %s;\ncommit;\n", sql,
				 sql_lit(t, mark)));
}

void pgsql_cmdb(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct pig_values *v = t->val;
	const pig_value *all = in.p->pg_provision ? in.p->pg_databases : NULL;
	const char *sql = NULL, *mark = NULL;
	struct live l;
	size_t n;

	for (size_t i = 0; i < v->len(all); i++) {
		const pig_value *db = v->at(all, i);

		if (!cmdb_brings(v->str(v->key(db, "baseline"), "")) || is_absent(t, db) ||
		    t->host->control_file(t, file, &n))
			continue;
		if (!sql) {
			if (!live_of(&in, &l))
				return;
			if (strncmp(l.roles, "leads", 5) && !(t->check && in.bootstraps && !*l.roles))
				return;
			sql = t->host->render(t, file, NULL);
			mark = pig_fmt(t, "the inventory, by pig: %.16s", t->host->digest(t, sql, strlen(sql)));
		}
		schema_in(&in, role_name(t, db), sql, mark);
	}
}
