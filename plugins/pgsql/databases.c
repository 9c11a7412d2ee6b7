/*
 * Databases: which there are, what is in them, who may do what. One connection looks at all of them and prints the
 * statements that are missing; one more runs them. Both run where the cluster is led: elsewhere the text ends at once
 * and nothing is missing.
 */
#include "pgsql.h"

#include <stdio.h>
#include <string.h>

static const char *db_str(pig_task *t, const pig_value *db, const char *key)
{
	const char *s = t->val->str(t->val->key(db, key), NULL);

	return s && *s ? s : NULL;
}

static const char *owner_of(const struct inst *in, const pig_value *db)
{
	const char *owner = db_str(in->t, db, "owner");

	return owner ? owner : in->p->pg_dbsu;
}

static bool is_kept(const char *name)
{
	return !strcmp(name, "postgres") || !strcmp(name, "template0") || !strcmp(name, "template1");
}

static void create(const struct inst *in, struct sql *q, const pig_value *db)
{
	static const struct {
		const char *key, *word;
		int since;
		bool name;
	} opts[] = {
		{"template", "TEMPLATE", 0, true},
		{"strategy", "STRATEGY", 15, true},
		{"encoding", "ENCODING", 0, false},
		{"locale", "LOCALE", 0, false},
		{"lc_collate", "LC_COLLATE", 0, false},
		{"lc_ctype", "LC_CTYPE", 0, false},
		{"locale_provider", "LOCALE_PROVIDER", 15, true},
		{"icu_locale", "ICU_LOCALE", 15, false},
		{"icu_rules", "ICU_RULES", 16, false},
		{"builtin_locale", "BUILTIN_LOCALE", 17, false},
		{"tablespace", "TABLESPACE", 0, true},
	};
	pig_task *t = in->t;
	const char *name = role_name(t, db), *from = db_str(t, db, "template");
	const char *lacks = pig_fmt(t, "not exists (select from pg_database where datname = %s)", sql_lit(t, name));
	struct str s = str_new(t);

	if (from && strcmp(from, "template1") &&
	    strcmp(from, "template0")) /* it can be copied only while nobody is in it */
		sql_ask(q,
			"select %s where %s and exists (select from pg_stat_activity where datname = %s and pid <> "
			"pg_backend_pid())",
			sql_lit(t, pig_fmt(t,
					   "select count(pg_terminate_backend(pid)) from pg_stat_activity where "
					   "datname = %s",
					   sql_lit(t, from))),
			lacks, sql_lit(t, from));
	str_add(&s, "CREATE DATABASE %s OWNER %s", sql_id(t, name), sql_id(t, owner_of(in, db)));
	for (size_t i = 0; i < sizeof opts / sizeof *opts; i++) {
		const char *v = db_str(t, db, opts[i].key);

		if (v && in->p->pg_version >= opts[i].since)
			str_add(&s, " %s %s", opts[i].word, opts[i].name ? sql_id(t, v) : sql_lit(t, v));
	}
	sql_ask(q, "select %s where %s", sql_lit(t, s.s), lacks);
}

/* Owner, limits and other marks of a database that is there. */
static void marks(const struct inst *in, struct sql *q, const pig_value *db)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *name = role_name(t, db), *id = sql_id(t, name), *say = db_str(t, db, "comment");
	const char *where = pig_fmt(t, "from pg_database where datname = %s", sql_lit(t, name));
	const struct {
		const char *key, *column, *word;
		bool dflt;
	} flags[] = {
		{"is_template", "datistemplate", "IS_TEMPLATE", false},
		{"allowconn", "datallowconn", "ALLOW_CONNECTIONS", true},
	};

	if (db_str(t, db, "owner"))
		sql_ask(q, "select %s %s and pg_get_userbyid(datdba) <> %s",
			sql_lit(t, pig_fmt(t, "ALTER DATABASE %s OWNER TO %s", id, sql_id(t, owner_of(in, db)))), where,
			sql_lit(t, owner_of(in, db)));
	for (size_t i = 0; i < 2; i++) {
		bool want = v->truth(v->key(db, flags[i].key), flags[i].dflt);

		if (!is_kept(name))
			sql_ask(q, "select %s %s and %s <> %s",
				sql_lit(t, pig_fmt(t, "ALTER DATABASE %s %s %s", id, flags[i].word,
						   want ? "true" : "false")),
				where, flags[i].column, want ? "true" : "false");
	}
	sql_ask(q, "select %s %s and datconnlimit <> %lld",
		sql_lit(t, pig_fmt(t, "ALTER DATABASE %s CONNECTION LIMIT %lld", id,
				   (long long)v->num(v->key(db, "connlimit"), -1))),
		where, (long long)v->num(v->key(db, "connlimit"), -1));
	if (say)
		sql_ask(q, "select %s %s and shobj_description(oid, 'pg_database') is distinct from %s",
			sql_lit(t, pig_fmt(t, "COMMENT ON DATABASE %s IS %s", id, sql_lit(t, say))), where,
			sql_lit(t, say));
	sql_settings(q, "DATABASE", name, v->key(db, "parameters"));
}

/* "acl holds privilege for grantee": oid 0 is everyone. */
#define HOLDS                                                                                                          \
	"exists (select from aclexplode(coalesce(datacl, acldefault('d', datdba))) a where a.grantee = %s and "        \
	"a.privilege_type = '%s'%s)"

static void connecting(const struct inst *in, struct sql *q, const pig_value *db)
{
	pig_task *t = in->t;
	const char *name = role_name(t, db), *id = sql_id(t, name);
	const char *from = pig_fmt(t, "from pg_database where datname = %s", sql_lit(t, name));
	const char *const users[] = {in->p->pg_replication_username, in->p->pg_monitor_username,
				     in->p->pg_admin_username, owner_of(in, db)};

	sql_ask(q,
		"select %s from pg_database, pg_roles r where datname = %s and r.rolname = 'dbrole_admin' and "
		"not " HOLDS,
		sql_lit(t, pig_fmt(t, "GRANT CREATE ON DATABASE %s TO dbrole_admin", id)), sql_lit(t, name), "r.oid",
		"CREATE", "");
	if (!t->val->truth(t->val->key(db, "revokeconn"), false)) {
		sql_ask(q, "select %s %s and not " HOLDS,
			sql_lit(t, pig_fmt(t, "GRANT CONNECT ON DATABASE %s TO PUBLIC", id)), from, "0", "CONNECT", "");
		return;
	}
	sql_ask(q, "select %s %s and " HOLDS, sql_lit(t, pig_fmt(t, "REVOKE CONNECT ON DATABASE %s FROM PUBLIC", id)),
		from, "0", "CONNECT", "");
	for (size_t i = 0; i < 4; i++) {
		bool owner = i == 3; /* an owner may pass it on by being the owner */

		sql_ask(q,
			"select %s from pg_database, pg_roles r where datname = %s and r.rolname = %s and r.oid <> "
			"datdba and not " HOLDS,
			sql_lit(t, pig_fmt(t, "GRANT CONNECT ON DATABASE %s TO %s%s", id, sql_id(t, users[i]),
					   owner ? " WITH GRANT OPTION" : "")),
			sql_lit(t, name), sql_lit(t, users[i]), "r.oid", "CONNECT", "");
	}
}

/* ---- inside a database ---- */

/* Rows (who, kind, kinds, grantee, privilege) of "GRANT a, b ON TABLES TO x, y" for each of those who will make
 * objects. */
static void privilege_rows(const struct inst *in, struct str *b, const char *grant, const char *owner)
{
	static const struct {
		const char *word, *kind;
	} kinds[] = {
		{"TABLES", "r"},   {"SEQUENCES", "S"}, {"FUNCTIONS", "f"},
		{"ROUTINES", "f"}, {"TYPES", "T"},     {"SCHEMAS", "n"},
	};
	const char *const makers[] = {in->p->pg_dbsu, in->p->pg_admin_username, "dbrole_admin", owner};
	pig_task *t = in->t;
	char what[200], on[40], to[200], *cut;

	if (sscanf(grant, " GRANT %199[^\n;]", what) != 1 || !(cut = strstr(what, " ON ")) ||
	    sscanf(cut, " ON %39[A-Z] TO %199[^\n;]", on, to) != 2)
		return;
	*cut = 0;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		if (strcmp(kinds[k].word, on))
			continue;
		for (char *p = what; *p; p += strcspn(p, " ,") + strspn(p + strcspn(p, " ,"), " ,"))
			for (size_t m = 0; m < 4; m++)
				for (char *g = to; *g; g += strcspn(g, " ,") + strspn(g + strcspn(g, " ,"), " ,"))
					if (m < 3 || (owner && strcmp(owner, makers[0]) && strcmp(owner, makers[1])))
						str_add(b, "%s(%s, '%s', '%s', %s, '%.*s')", b->n ? ",\n" : "",
							sql_lit(t, makers[m]), kinds[k].kind, on,
							sql_lit(t, pig_fmt(t, "%.*s", (int)strcspn(g, " ,"), g)),
							(int)strcspn(p, " ,"), p);
	}
}

static void privileges(const struct inst *in, struct sql *q, const char *owner)
{
	pig_task *t = in->t;
	const pig_value *all = in->p->pg_default_privileges;
	struct str rows = str_new(t);

	for (size_t i = 0; i < t->val->len(all); i++)
		privilege_rows(in, &rows, t->val->str(t->val->at(all, i), ""), owner);
	if (rows.n)
		sql_ask(q,
			"with d(who, kind, kinds, grantee, priv) as (values\n%s)\n"
			"select format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I GRANT %%s ON %%s TO %%I', who, "
			"string_agg(priv, ', ' order by priv), kinds, grantee) "
			"from d join pg_roles g on g.rolname = who join pg_roles e on e.rolname = grantee "
			"where who <> grantee and not exists (select from pg_default_acl a, aclexplode(a.defaclacl) x "
			"where a.defaclrole = g.oid and a.defaclnamespace = 0 and a.defaclobjtype = kind and x.grantee "
			"= e.oid "
			"and x.privilege_type = priv) group by who, kinds, grantee",
			rows.s);
	sql_ask(q, "select 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' from pg_namespace, aclexplode(nspacl) a "
		   "where nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'");
	sql_ask(q,
		"select 'GRANT CREATE ON SCHEMA public TO dbrole_admin' from pg_namespace n, pg_roles r where nspname "
		"= 'public' "
		"and rolname = 'dbrole_admin' and not exists (select from aclexplode(nspacl) a where a.grantee = r.oid "
		"and a.privilege_type = 'CREATE')");
}

static void schema(const struct inst *in, struct sql *q, const pig_value *item)
{
	pig_task *t = in->t;
	const char *name = t->val->type(item) == PIG_MAP ? role_name(t, item) : t->val->str(item, ""),
		   *owner = db_str(t, item, "owner");
	const char *there = pig_fmt(t, "exists (select from pg_namespace where nspname = %s)", sql_lit(t, name));

	if (is_absent(t, item)) { /* only when empty: what is in it is not ours to throw away */
		sql_ask(q, "select %s where %s", sql_lit(t, pig_fmt(t, "DROP SCHEMA %s", sql_id(t, name))), there);
		return;
	}
	sql_ask(q, "select %s where not %s",
		sql_lit(t, pig_fmt(t, "CREATE SCHEMA %s%s%s", sql_id(t, name), owner ? " AUTHORIZATION " : "",
				   owner ? sql_id(t, owner) : "")),
		there);
	if (owner)
		sql_ask(q, "select %s from pg_namespace where nspname = %s and pg_get_userbyid(nspowner) <> %s",
			sql_lit(t, pig_fmt(t, "ALTER SCHEMA %s OWNER TO %s", sql_id(t, name), sql_id(t, owner))),
			sql_lit(t, name), sql_lit(t, owner));
}

/* available: skip what the packages of this host do not bring */
static void extension(const struct inst *in, struct sql *q, const pig_value *item, bool available)
{
	pig_task *t = in->t;
	bool map = t->val->type(item) == PIG_MAP;
	const char *name = map ? role_name(t, item) : t->val->str(item, ""), *where = db_str(t, item, "schema");
	const char *version = t->val->key(item, "version") ? scalar_text(t, t->val->key(item, "version")) : NULL;
	const char *there = pig_fmt(t, "exists (select from pg_extension where extname = %s)", sql_lit(t, name));

	if (is_absent(t, item)) {
		sql_ask(q, "select %s where %s", sql_lit(t, pig_fmt(t, "DROP EXTENSION %s", sql_id(t, name))), there);
		return;
	}
	sql_ask(q, "select %s where not %s%s",
		sql_lit(t, pig_fmt(t, "CREATE EXTENSION %s%s%s%s%s CASCADE", sql_id(t, name), where ? " SCHEMA " : "",
				   where ? sql_id(t, where) : "", version ? " VERSION " : "",
				   version ? sql_lit(t, version) : "")),
		there,
		available ? pig_fmt(t, " and exists (select from pg_available_extensions where name = %s)",
				    sql_lit(t, name))
			  : "");
	if (version)
		sql_ask(q, "select %s from pg_extension where extname = %s and extversion <> %s",
			sql_lit(t, pig_fmt(t, "ALTER EXTENSION %s UPDATE TO %s", sql_id(t, name), sql_lit(t, version))),
			sql_lit(t, name), sql_lit(t, version));
}

/* Go into a database, if it can be gone into; paired with leave(). */
static void enter(const struct inst *in, struct sql *q, const char *name)
{
	str_add(&q->b,
		"select exists (select from pg_database where datname = %s and datallowconn) and current_database() <> "
		"%s "
		"as go, current_database() = %s as here \\gset\n\\if :go\n\\connect %s\n" SQL_SESSION
		"\\set here true\n\\endif\n\\if :here\n",
		sql_lit(in->t, name), sql_lit(in->t, name), sql_lit(in->t, name), sql_id(in->t, name));
}

static void leave(struct sql *q)
{
	str_add(&q->b, "\\endif\n");
}

/* What every new database starts with, and what is in the two that are always there. */
static void stock(const struct inst *in, struct sql *q)
{
	const struct pig_values *v = in->t->val;
	const struct pgsql *p = in->p;

	privileges(in, q, NULL);
	for (size_t i = 0; i < v->len(p->pg_default_schemas); i++)
		schema(in, q, v->at(p->pg_default_schemas, i));
	for (size_t i = 0; i < v->len(p->pg_default_extensions); i++)
		extension(in, q, v->at(p->pg_default_extensions, i), true);
}

static void inside(const struct inst *in, struct sql *q, const pig_value *db)
{
	const struct pig_values *v = in->t->val;
	const pig_value *list;

	enter(in, q, role_name(in->t, db));
	privileges(in, q, owner_of(in, db));
	list = v->key(db, "schemas");
	for (size_t i = 0; i < v->len(list); i++)
		schema(in, q, v->at(list, i));
	list = v->key(db, "extensions");
	for (size_t i = 0; i < v->len(list); i++)
		extension(in, q, v->at(list, i), false);
	leave(q);
}

static void drop(const struct inst *in, struct sql *q, const char *name)
{
	pig_task *t = in->t;

	if (!is_kept(name))
		sql_ask(q, "select %s from pg_database where datname = %s",
			sql_lit(t, pig_fmt(t, "DROP DATABASE %s%s", sql_id(t, name),
					   in->p->pg_version >= 13 ? " WITH (FORCE)" : "")),
			sql_lit(t, name));
}

static bool is_asked(pig_task *t, const pig_value *db, const char *only)
{
	return !only || !strcmp(role_name(t, db), only);
}

/* Each connection costs more than all that is asked on it: one for each database, none twice. */
static const char *databases_sql(const struct inst *in, bool apply, const char *only)
{
	pig_task *t = in->t;
	const pig_value *all = in->p->pg_provision ? in->p->pg_databases : NULL;
	struct sql q = sql_new(t, apply);

	if (!only) {
		enter(in, &q, "template1");
		stock(in, &q);
		leave(&q);
	}
	enter(in, &q, "postgres");
	if (!only)
		stock(in, &q);
	for (size_t i = 0; i < t->val->len(all); i++) {
		const pig_value *db = t->val->at(all, i);

		if (!is_asked(t, db, only))
			continue;
		if (is_absent(t, db)) {
			drop(in, &q, role_name(t, db));
			continue;
		}
		create(in, &q, db);
		marks(in, &q, db);
		connecting(in, &q, db);
	}
	leave(&q);
	for (size_t i = 0; i < t->val->len(all); i++)
		if (!is_absent(t, t->val->at(all, i)) && is_asked(t, t->val->at(all, i), only))
			inside(in, &q, t->val->at(all, i));
	return q.b.s;
}

/* A new database is filled from the control host's files/<baseline> once; whether it is new is asked before it is made.
 */
static const pig_op *ask_new(const struct inst *in, const char *only)
{
	pig_task *t = in->t;
	const pig_value *all = in->p->pg_databases;
	struct str names = str_new(t);

	for (size_t i = 0; i < t->val->len(all); i++)
		if (db_str(t, t->val->at(all, i), "baseline") && !is_absent(t, t->val->at(all, i)) &&
		    is_asked(t, t->val->at(all, i), only))
			str_add(&names, "%s(%s)", names.n ? ", " : "", sql_lit(t, role_name(t, t->val->at(all, i))));
	if (!names.n)
		return NULL;
	return pig_shell(t, .note = "databases to be filled", .as = in->p->pg_dbsu, .reads = true, .cmd = in->psql,
			 .in = pig_fmt(t,
				       "select '=' || n || '=' from (values %s) w(n) where n not in "
				       "(select datname from pg_database);\n",
				       names.s));
}

static void baselines(const struct inst *in, const char *fresh)
{
	pig_task *t = in->t;
	const pig_value *all = in->p->pg_databases;

	for (size_t i = 0; i < t->val->len(all); i++) {
		const pig_value *db = t->val->at(all, i);
		const char *name = role_name(t, db), *file = db_str(t, db, "baseline"), *text;
		size_t n;

		if (!file || !strstr(fresh, pig_fmt(t, "=%s=", name)))
			continue;
		text = t->host->control_file(t, file, &n);
		if (!text && cmdb_brings(file))
			continue;
		if (!text)
			t->host->fail_at(t, t->val->key(db, "baseline"),
					 "there is no files/%s to fill database %s from", file, name);
		else
			pig_shell(t, .note = pig_fmt(t, "fill database %s from %s", name, file), .as = in->p->pg_dbsu,
				  .in = text,
				  .cmd = pig_fmt(t, "%s -v ON_ERROR_STOP=1 -d %s", in->psql, pig_sh(t, "%s", name)));
	}
}

void databases_bring(const struct inst *in, const char *only)
{
	pig_task *t = in->t;
	const char *fresh = "";
	const pig_op *op;
	struct live l;

	if (!live_of(in, &l))
		return;
	if (strncmp(l.roles, "leads", 5) && !(t->check && in->bootstraps && !*l.roles))
		return;
	op = in->p->pg_provision ? ask_new(in, only) : NULL;
	if (op) {
		if (!pig_await(t))
			return;
		fresh = t->host->output(t, op, NULL);
	}
	sql_same(in, only ? pig_fmt(t, "database %s", only) : "databases", databases_sql(in, false, only),
		 databases_sql(in, true, only), false);
	if (fresh && *fresh)
		baselines(in, fresh);
}

void database_drop(const struct inst *in, const char *name)
{
	pig_task *t = in->t;
	struct sql probe = sql_new(t, false), apply = sql_new(t, true);

	drop(in, &probe, name);
	drop(in, &apply, name);
	sql_same(in, pig_fmt(t, "no database %s", name), probe.b.s, apply.b.s, false);
}

void pgsql_db(pig_task *t)
{
	struct inst in = inst_of(t);

	databases_bring(&in, NULL);
}
