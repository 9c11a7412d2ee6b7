/*
 * Roles: what the inventory wants against what the leader has, found and mended in SQL. Passwords are compared here, by
 * the stored verifier's own salt, and sent as verifiers.
 */
#include "pgsql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sql sql_new(pig_task *t, bool apply)
{
	struct sql q = {str_new(t), apply};

	str_add(&q.b, SQL_SESSION "select pg_is_in_recovery() as standby \\gset\n\\if :standby\n\\echo the server does "
				  "not lead any more\n\\q\n\\endif\n");
	return q;
}

void sql_ask(struct sql *q, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = q->b.t->host->alloc(q->b.t, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	str_put(&q->b, text, (size_t)n);
	str_add(&q->b, "%s", q->apply ? "\n\\gexec\n" : ";\n");
}

/* The probe ends in a word of its own: silence would also be what a server that does not answer says. */
void sql_same(const struct inst *in, const char *note, const char *probe, const char *apply, bool secret)
{
	pig_task *t = in->t;
	const char *psql = pig_fmt(t, "%s -v ON_ERROR_STOP=1", in->psql),
		   *ask = pig_fmt(t, "%s\\echo as wanted\n", probe);

	if (secret) {
		t->host->secret(t, ask);
		t->host->secret(t, apply);
	}
	pig_ensure(t, .note = note, .as = in->p->pg_dbsu, .probe = psql, .probe_in = ask, .want = "as wanted",
		   .apply = psql, .in = apply);
}

/* Settings whose value is a list of names: each item stands by itself, divided by ", " as the server stores it. */
static const char *setting_value(pig_task *t, const char *key, const char *value, bool *raw)
{
	static const char lists[] =
		"search_path temp_tablespaces session_preload_libraries local_preload_libraries DateStyle";
	struct str b = str_new(t);

	*raw = word_in(lists, key) &&
	       !value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$\"., -")];
	if (!*raw)
		return value;
	for (const char *p = value; *p;) {
		size_t n, end;

		p += strspn(p, " ,");
		end = n = strcspn(p, ",");
		while (n && p[n - 1] == ' ')
			n--;
		if (n)
			str_add(&b, "%s%.*s", b.n ? ", " : "", (int)n, p);
		p += end;
	}
	return b.s;
}

void sql_settings(struct sql *q, const char *kind, const char *name, const pig_value *params)
{
	pig_task *t = q->b.t;
	bool role = !strcmp(kind, "ROLE"), raw;
	const char *id =
		pig_fmt(t,
			role ? "s.setdatabase = 0 and s.setrole = (select oid from pg_roles where rolname = %s)"
			     : "s.setrole = 0 and s.setdatabase = (select oid from pg_database where datname = %s)",
			sql_lit(t, name));

	for (size_t i = 0; i < t->val->len(params); i++) {
		const char *key = t->val->key_at(params, i), *value = scalar_text(t, t->val->at(params, i)), *do_it,
			   *has, *fold;
		bool reset = !strcmp(value, "DEFAULT");

		value = setting_value(t, key, value, &raw);
		fold = raw ? "lower" : ""; /* bare words are stored in small letters */
		do_it = reset ? pig_fmt(t, "ALTER %s %s RESET %s", kind, sql_id(t, name), key)
			      : pig_fmt(t, "ALTER %s %s SET %s TO %s", kind, sql_id(t, name), key,
					raw ? value : sql_lit(t, value));
		has = reset ? pig_fmt(t, "lower(split_part(c, '=', 1)) = lower(%s)", sql_lit(t, key))
			    : pig_fmt(t,
				      "lower(split_part(c, '=', 1)) = lower(%s) and %s(substr(c, strpos(c, '=') + 1)) "
				      "= %s(%s)",
				      sql_lit(t, key), fold, fold, sql_lit(t, value));
		sql_ask(q,
			"select %s where %sexists (select from pg_db_role_setting s, unnest(s.setconfig) c where %s "
			"and %s)",
			sql_lit(t, do_it), reset ? "" : "not ", id, has);
	}
}

/* ---- what is wanted ---- */

const char *role_name(pig_task *t, const pig_value *item)
{
	return t->val->str(t->val->key(item, "name"), "");
}

bool is_absent(pig_task *t, const pig_value *item)
{
	return !strcmp(t->val->str(t->val->key(item, "state"), "create"), "absent");
}

bool is_system_user(const struct inst *in, const char *name)
{
	return !strcmp(name, in->p->pg_dbsu) || !strcmp(name, in->p->pg_replication_username) ||
	       !strcmp(name, in->p->pg_admin_username) || !strcmp(name, in->p->pg_monitor_username);
}

static void add(pig_task *t, struct roles *r, const pig_value *item)
{
	const char *name = role_name(t, item);

	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(role_name(t, r->items[i]), name)) {
			r->items[i] = item;
			return;
		}
	if (*name)
		r->items[r->n++] = item;
}

static const pig_value *implied(pig_task *t, const char *name, const char *right)
{
	pig_value *m = t->host->map(t);

	t->host->put(t, m, "name", t->host->text(t, name));
	if (right)
		t->host->put(t, m, right, t->host->boolean(t, true));
	return m;
}

struct roles wanted_roles(const struct inst *in)
{
	pig_task *t = in->t;
	const struct pgsql *p = in->p;
	size_t most = t->val->len(p->pg_default_roles) + t->val->len(p->pg_users) + 4;
	struct roles r = {t->host->alloc(t, most * sizeof *r.items), 0};

	add(t, &r, implied(t, p->pg_replication_username, "replication"));
	add(t, &r, implied(t, p->pg_admin_username, "superuser"));
	add(t, &r, implied(t, p->pg_monitor_username, NULL));
	for (size_t i = 0; i < t->val->len(p->pg_default_roles); i++)
		add(t, &r, t->val->at(p->pg_default_roles, i));
	for (size_t i = 0; i < t->val->len(p->pg_users); i++)
		add(t, &r, t->val->at(p->pg_users, i));
	return r;
}

const char *role_password(const struct inst *in, const pig_value *item)
{
	const struct pgsql *p = in->p;
	const char *name = role_name(in->t, item), *own = in->t->val->str(in->t->val->key(item, "password"), NULL);

	if (!strcmp(name, p->pg_replication_username))
		return p->pg_replication_password;
	if (!strcmp(name, p->pg_admin_username))
		return p->pg_admin_password;
	if (!strcmp(name, p->pg_monitor_username))
		return p->pg_monitor_password;
	if (!strcmp(name, p->pg_dbsu))
		return *p->pg_dbsu_password ? p->pg_dbsu_password : NULL;
	return own && *own ? own : NULL;
}

bool is_verifier(const char *password)
{
	return !strncmp(password, "SCRAM-SHA-256$", 14) || (!strncmp(password, "md5", 3) && strlen(password) == 35 &&
							    strspn(password + 3, "0123456789abcdef") == 32);
}

/* ---- roles, memberships, settings ---- */

static const struct {
	const char *key, *column, *word;
	bool dflt;
} rights[] = {
	{"login", "rolcanlogin", "LOGIN", true},	   {"superuser", "rolsuper", "SUPERUSER", false},
	{"createdb", "rolcreatedb", "CREATEDB", false},	   {"createrole", "rolcreaterole", "CREATEROLE", false},
	{"inherit", "rolinherit", "INHERIT", true},	   {"replication", "rolreplication", "REPLICATION", false},
	{"bypassrls", "rolbypassrls", "BYPASSRLS", false},
};

/* One row of the wanted roles: name, the rights, connection limit, end of the password, comment. */
static void role_row(const struct inst *in, struct str *b, const pig_value *item)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *name = role_name(t, item), *at = v->str(v->key(item, "expire_at"), NULL),
		   *say = v->str(v->key(item, "comment"), NULL);
	int64_t days = v->num(v->key(item, "expire_in"), -1);

	str_add(b, "%s(%s", b->n ? ",\n" : "", sql_lit(t, name));
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
		str_add(b, ", %s", v->truth(v->key(item, rights[i].key), rights[i].dflt) ? "true" : "false");
	str_add(b, ", %lld, ", (long long)v->num(v->key(item, "connlimit"), -1));
	if (days >= 0)
		str_add(b,
			"coalesce((select rolvaliduntil from pg_roles where rolname = %s), date_trunc('day', now()) + "
			"interval '%lld days')",
			sql_lit(t, name), (long long)days);
	else
		str_add(b, "%s::timestamptz", at ? sql_lit(t, at) : "null");
	str_add(b, ", %s)", say ? sql_lit(t, say) : "null::text");
}

static void attributes(struct sql *q, const char *rows)
{
	struct str cols = str_new(q->b.t), differs = str_new(q->b.t);
	const char *with;

	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
		str_add(&cols, ", %s", rights[i].column);
		str_add(&differs,
			"case when r.%s is distinct from w.%s then case when w.%s then ' %s' else ' NO%s' end else '' "
			"end || ",
			rights[i].column, rights[i].column, rights[i].column, rights[i].word, rights[i].word);
	}
	with = pig_fmt(q->b.t, "with w(rolname%s, conn, until, say) as (values\n%s)\n", cols.s, rows);
	sql_ask(q,
		"%sselect format('CREATE ROLE %%I', rolname) from w where rolname not in (select rolname from "
		"pg_roles)",
		with);
	sql_ask(q,
		"%sselect format('ALTER ROLE %%I%%s', rolname, d) from (select w.rolname, %s"
		"case when r.rolconnlimit is distinct from w.conn then ' CONNECTION LIMIT ' || w.conn else '' end || "
		"case when w.until is not null and coalesce(r.rolvaliduntil, 'infinity') <> w.until "
		"then format(' VALID UNTIL %%L', w.until) else '' end as d "
		"from w left join pg_roles r using (rolname)) x where d <> ''",
		with, differs.s);
	sql_ask(q,
		"%sselect format('COMMENT ON ROLE %%I IS %%L', rolname, say) from w left join pg_roles r using "
		"(rolname) "
		"where say is not null and shobj_description(r.oid, 'pg_authid') is distinct from say",
		with);
}

/* "name" or {name, state, admin, set, inherit} */
static void membership(const struct inst *in, struct sql *q, const char *member, const pig_value *of)
{
	pig_task *t = in->t;
	const struct pig_values *v = t->val;
	const char *role = v->type(of) == PIG_MAP ? role_name(t, of) : v->str(of, ""),
		   *state = v->str(v->key(of, "state"), "grant");
	bool off = !strcmp(state, "absent") || !strcmp(state, "revoke"), admin = v->truth(v->key(of, "admin"), false);
	struct str with = str_new(t);
	const char *there;

	there = pig_fmt(t,
			"exists (select from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles u on "
			"u.oid = m.member "
			"where r.rolname = %s and u.rolname = %s%s)",
			sql_lit(t, role), sql_lit(t, member), admin && !off ? " and m.admin_option" : "");
	if (off) {
		sql_ask(q, "select %s where %s",
			sql_lit(t, pig_fmt(t, "REVOKE %s FROM %s", sql_id(t, role), sql_id(t, member))), there);
		return;
	}
	if (admin)
		str_add(&with, " WITH ADMIN OPTION");
	for (int k = 0; k < 2 && in->p->pg_version >= 16; k++) {
		const pig_value *opt = v->key(of, k ? "inherit" : "set");

		if (opt)
			str_add(&with, "%s%s %s", with.n ? ", " : " WITH ", k ? "INHERIT" : "SET",
				v->truth(opt, true) ? "TRUE" : "FALSE");
	}
	sql_ask(q, "select %s where not %s",
		sql_lit(t, pig_fmt(t, "GRANT %s TO %s%s", sql_id(t, role), sql_id(t, member), with.s)), there);
}

static const char *roles_sql(const struct inst *in, const struct roles *r, bool apply)
{
	pig_task *t = in->t;
	struct sql q = sql_new(t, apply);
	struct str rows = str_new(t);

	for (size_t i = 0; i < r->n; i++) /* the superuser was made with the cluster and keeps all its rights */
		if (!is_absent(t, r->items[i]) && strcmp(role_name(t, r->items[i]), in->p->pg_dbsu))
			role_row(in, &rows, r->items[i]);
	if (rows.n)
		attributes(&q, rows.s);
	for (size_t i = 0; i < r->n; i++) {
		const pig_value *item = r->items[i], *of = t->val->key(item, "roles"),
				*path = t->val->key(item, "search_path");
		pig_value *one;

		if (is_absent(t, item))
			continue;
		for (size_t k = 0; k < t->val->len(of); k++)
			membership(in, &q, role_name(t, item), t->val->at(of, k));
		sql_settings(&q, "ROLE", role_name(t, item), t->val->key(item, "parameters"));
		if (path) {
			one = t->host->map(t);
			t->host->put(t, one, "search_path", path);
			sql_settings(&q, "ROLE", role_name(t, item), one);
		}
	}
	return q.b.s;
}

/* ---- passwords and roles that go ---- */

/* The line "name|verifier" of the answer; NULL when the role is not there. */
const char *role_stored(pig_task *t, const char *answer, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = answer; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n'))
		if (!strncmp(p, name, n) && p[n] == '|')
			return pig_fmt(t, "%.*s", (int)strcspn(p + n + 1, "\n"), p + n + 1);
	return NULL;
}

bool role_password_is(const struct inst *in, const char *have, const char *name, const char *want)
{
	if (is_verifier(want))
		return !strcmp(have, want);
	if (!strcmp(in->p->pg_pwd_enc, "md5") && !strncmp(have, "md5", 3))
		return !strcmp(have, md5_make(in->t, name, want));
	return scram_matches(have, want);
}

static void passwords(const struct inst *in, const struct roles *r, const char *answer)
{
	pig_task *t = in->t;
	struct str names = str_new(t), probe = str_new(t), apply = str_new(t);

	str_add(&apply,
		"set synchronous_commit = local; set log_statement = none; set log_min_duration_statement = -1;\n");
	for (size_t i = 0; i < r->n; i++) {
		const char *name = role_name(t, r->items[i]), *want = role_password(in, r->items[i]), *have, *verifier;

		if (!want || is_absent(t, r->items[i]))
			continue;
		have = role_stored(t, answer, name);
		if (have && role_password_is(in, have, name, want))
			continue;
		verifier = is_verifier(want)		      ? want
			   : strcmp(in->p->pg_pwd_enc, "md5") ? scram_make(t, want)
							      : md5_make(t, name, want);
		str_add(&names, "%s%s", names.n ? ", " : "", name);
		str_add(&apply, "alter role %s password %s;\n", sql_id(t, name), sql_lit(t, verifier));
		str_add(&probe,
			"select rolname from pg_authid where rolname = %s and rolpassword is distinct from %s;\n",
			sql_lit(t, name), sql_lit(t, verifier));
	}
	if (names.n)
		sql_same(in, pig_fmt(t, "passwords of %s", names.s), probe.s, apply.s, true);
}

/* What a role owns passes to the superuser in every database before the role goes. */
static void drop(const struct inst *in, const struct roles *r, const char *answer)
{
	pig_task *t = in->t;
	struct str names = str_new(t), own = str_new(t), end = str_new(t);

	for (size_t i = 0; i < r->n; i++) {
		const char *name = role_name(t, r->items[i]), *id = sql_id(t, name);

		if (!is_absent(t, r->items[i]) || is_system_user(in, name) || !role_stored(t, answer, name))
			continue;
		str_add(&names, "%s%s", names.n ? ", " : "", name);
		str_add(&own, "reassign owned by %s to %s; drop owned by %s;\n", id, sql_id(t, in->p->pg_dbsu), id);
		str_add(&end, "drop role %s;\n", id);
	}
	if (names.n)
		pig_shell(
			t, .note = pig_fmt(t, "drop role %s", names.s), .as = in->p->pg_dbsu, .in = own.s,
			.cmd = pig_fmt(t,
				       "set -e; q=$(cat); %s -c 'select datname from pg_database where datallowconn' | "
				       "while read -r d; do printf '%%s\\n' \"$q\" | %s -v ON_ERROR_STOP=1 -d \"$d\" "
				       ">/dev/null; "
				       "done; printf '%%s\\n' %s | %s -v ON_ERROR_STOP=1",
				       in->psql, in->psql, pig_sh(t, "%s", end.s), in->psql));
}

void roles_bring(const struct inst *in, const char *only)
{
	pig_task *t = in->t;
	struct roles r = wanted_roles(in);
	struct live l;

	if (!live_of(in, &l))
		return;
	if (strncmp(l.roles, "leads", 5) && !(t->check && in->bootstraps && !*l.roles))
		return;
	for (size_t i = 0; only && i < r.n; i++)
		if (!strcmp(role_name(t, r.items[i]), only)) {
			r.items[0] = r.items[i];
			r.n = 1;
			only = NULL;
		}
	sql_same(in, "roles", roles_sql(in, &r, false), roles_sql(in, &r, true), false);
	passwords(in, &r, l.roles);
	drop(in, &r, l.roles);
}

void pgsql_user(pig_task *t)
{
	struct inst in = inst_of(t);

	roles_bring(&in, NULL);
}
