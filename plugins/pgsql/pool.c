/* PgBouncer: which databases and users it knows, who may come in, and that it runs. */
#include "pgsql.h"

#include <string.h>

static bool pooled(const struct inst *in, const pig_value *role)
{
	pig_task *t = in->t;
	const char *name = role_name(t, role);

	return !is_absent(t, role) && strcmp(name, in->p->pg_replication_username) &&
	       (is_system_user(in, name) || t->val->truth(t->val->key(role, "pgbouncer"), false));
}

static const char *databases(const struct inst *in)
{
	static const struct {
		const char *key, *word;
	} opts[] = {
		{"pool_auth_user", "auth_user"},  {"pool_mode", "pool_mode"},
		{"pool_size", "pool_size"},	  {"pool_size_min", "min_pool_size"},
		{"pool_reserve", "reserve_pool"}, {"pool_connlimit", "max_db_connections"},
	};
	pig_task *t = in->t;
	const pig_value *all = in->p->pg_databases;
	struct str b = str_new(t);

	str_add(&b, "; databases, written by pig\n");
	for (size_t i = 0; i < t->val->len(all); i++) {
		const pig_value *db = t->val->at(all, i);

		if (is_absent(t, db) || !t->val->truth(t->val->key(db, "pgbouncer"), true))
			continue;
		str_add(&b, "%s = host=%s port=%lld", role_name(t, db), in->p->pg_localhost, (long long)in->p->pg_port);
		for (size_t k = 0; k < sizeof opts / sizeof *opts; k++) {
			const char *v = scalar_text(t, t->val->key(db, opts[k].key));

			if (*v)
				str_add(&b, " %s=%s", opts[k].word, v);
		}
		str_add(&b, "\n");
	}
	str_add(&b, "postgres = host=%s port=%lld\n", in->p->pg_localhost, (long long)in->p->pg_port);
	return b.s;
}

static const char *user_options(const struct inst *in, const struct roles *r)
{
	pig_task *t = in->t;
	struct str b = str_new(t);

	str_add(&b, "; users that have options of their own, written by pig\n");
	for (size_t i = 0; i < r->n; i++) {
		const char *mode = scalar_text(t, t->val->key(r->items[i], "pool_mode"));
		int64_t limit = t->val->num(t->val->key(r->items[i], "pool_connlimit"), -1);

		if (is_absent(t, r->items[i]) || (!*mode && limit < 0))
			continue;
		str_add(&b, "%s =", role_name(t, r->items[i]));
		if (*mode)
			str_add(&b, " pool_mode=%s", mode);
		if (limit >= 0)
			str_add(&b, " max_user_connections=%lld", (long long)limit);
		str_add(&b, "\n");
	}
	return b.s;
}

static void own_file(const struct inst *in, const char *name, const char *text)
{
	pig_file(in->t, .path = pig_fmt(in->t, "/etc/pgbouncer/%s", name), .text = text, .owner = in->p->pg_dbsu,
		 .group = "postgres", .mode = 0600);
}

void pgsql_pool_conf(pig_task *t)
{
	struct inst in = inst_of(t);
	struct roles r = wanted_roles(&in);

	own_file(&in, "database.txt", databases(&in));
	own_file(&in, "useropts.txt", user_options(&in, &r));
	own_file(&in, "pgb_hba.conf", hba_text(&in, true));
}

/* The userlist from the server's own verifiers; *stale: a wanted password is not in this member yet. */
static const char *userlist(const struct inst *in, const struct roles *r, const char *answer, const char **stale)
{
	pig_task *t = in->t;
	struct str b = str_new(t);

	*stale = NULL;
	for (size_t i = 0; i < r->n; i++) {
		const char *name = role_name(t, r->items[i]), *have, *want = role_password(in, r->items[i]);

		if (!pooled(in, r->items[i]))
			continue;
		have = role_stored(t, answer, name);
		if (!have || (want && !role_password_is(in, have, name, want)))
			*stale = name;
		if (have)
			str_add(&b, "%s %s\n", sql_id(t, name), sql_id(t, have));
	}
	return t->host->secret(t, b.s);
}

void pgsql_pool(pig_task *t)
{
	struct inst in = inst_of(t);
	struct roles r = wanted_roles(&in);
	const char *list, *stale;
	struct live l;

	if (!live_of(&in, &l))
		return;
	list = userlist(&in, &r, l.roles, &stale);
	/* roles are made at the leader, just now maybe; here they come with the stream, a moment later */
	for (int tries = 0; stale && tries < 40 && !t->check; tries++) {
		const char *answer = live_roles_again(&in, tries > 0);

		if (!*answer)
			return;
		list = userlist(&in, &r, answer, &stale);
	}
	if (stale && !t->check)
		t->host->warn(t,
			      "%s does not have the inventory's password of %s: run pgsql.yml on the cluster's leader",
			      in.name, stale);
	own_file(&in, "userlist.txt", list);
	/* where it listens is read at its start alone: so is the distribution's word, if that has started it */
	pig_unit(t, .name = "pgbouncer", .state = PIG_STARTED, .enable = 1,
		 .watch = "/etc/systemd/system/pgbouncer.service /etc/pgbouncer/listen.ini", .on_change = PIG_RESTART);
	/* the unit's file here too: a restart for that is marked as having read the rest */
	pig_unit(t, .name = "pgbouncer", .state = PIG_STARTED, .enable = 1,
		 .watch = "/etc/systemd/system/pgbouncer.service /etc/pgbouncer/*", .on_change = PIG_RELOAD);
}
