/* What must hold for backups, the crontab that makes them, and going back in time. */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

static const pig_value *get(pig_check *c, const char *host, const char *name)
{
	return c->api->get(c, host, name);
}

static const char *text(pig_check *c, const char *host, const char *name, const char *dflt)
{
	return c->val->str(get(c, host, name), dflt);
}

/* The first host of the cluster that is being tried, for values that are the same on all. */
static const char *const first = NULL;

static const char *const s3_needs[] = {"s3_bucket", "s3_endpoint", "s3_region", "s3_key", "s3_key_secret"};

/* 0-59/5,30 or a star, or names such as mon-fri */
static bool is_time(const char *s, size_t n)
{
	static const char marks[] = "0123456789*/,-",
			  names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,-";

	return n && s[0] != '/' && (strspn(s, marks) >= n || strspn(s, names) >= n);
}

/* Five fields of time, or @daily and the like, then a command. */
static void crontab_line(pig_check *c, const pig_value *at)
{
	const char *line = c->val->str(at, ""), *p = line + strspn(line, " \t");
	int fields = *p == '@' ? 1 : 5;

	if (!*p || *p == '#' || (strchr(p, '=') && strcspn(p, "=") < strcspn(p, " \t")))
		return;
	for (int k = 0; k < fields; k++) {
		size_t n = strcspn(p, " \t");

		if (fields == 5 && !is_time(p, n)) {
			c->api->fault(c, at, "line \"%s\" of pg_crontab does not begin with five fields of time", line);
			c->api->hint(c, "Such as 00 01 * * * /pg/bin/pg-backup full; there is no field for the user.");
			return;
		}
		p += n;
		p += strspn(p, " \t");
	}
	if (!*p)
		c->api->fault(c, at, "line \"%s\" of pg_crontab has no command", line);
}

void pgsql_rule_backup(pig_check *c)
{
	const char *h = first, *method = text(c, h, "pgbackrest_method", "local");
	const pig_value *repos = get(c, h, "pgbackrest_repo"), *repo = c->val->key(repos, method), *lines;
	const char *cipher = c->val->str(c->val->key(repo, "cipher_type"), "none");

	lines = get(c, h, "pg_crontab");
	for (size_t i = 0; i < c->val->len(lines); i++)
		crontab_line(c, c->val->at(lines, i));
	if (!repos || !c->val->truth(get(c, h, "pgbackrest_enabled"), true)) /* NULL: not of its form, which is told */
		return;
	if (!repo) {
		c->api->fault(c, get(c, h, "pgbackrest_method"),
			      "pgbackrest_method \"%s\" is no key of pgbackrest_repo", method);
		c->api->hint(c, "Add it to pgbackrest_repo, or take one of those that are there.");
		return;
	}
	if (!strcmp(c->val->str(c->val->key(repo, "type"), "posix"), "s3"))
		for (size_t i = 0; i < sizeof s3_needs / sizeof *s3_needs; i++)
			if (!c->val->key(repo, s3_needs[i]))
				c->api->fault(c, repo, "repository %s of type s3 has no %s", method, s3_needs[i]);
	if (strcmp(cipher, "none") && !c->val->key(repo, "cipher_pass"))
		c->api->fault(c, repo, "repository %s has cipher_type %s and no cipher_pass", method, cipher);
}

void pgsql_rule_pitr(pig_check *c)
{
	static const char *const points[] = {"time", "name", "xid", "lsn"};
	const pig_value *m = get(c, first, "pg_pitr");
	const char *type = c->val->str(c->val->key(m, "type"), NULL), *given = NULL;

	for (size_t i = 0; i < 4; i++) {
		if (!c->val->key(m, points[i]))
			continue;
		if (given)
			c->api->fault_at_key(c, m, points[i], "pg_pitr goes back to one point: %s or %s", given,
					     points[i]);
		else if (type && strcmp(type, points[i]))
			c->api->fault_at_key(c, m, "type", "pg_pitr has type %s and a %s", type, points[i]);
		given = points[i];
	}
	if (type && !given && strcmp(type, "default") && strcmp(type, "immediate"))
		c->api->fault_at_key(c, m, "type", "pg_pitr has type %s and no %s", type, type);
	if (c->val->truth(c->val->key(m, "exclusive"), false) && (!given || !strcmp(given, "name")))
		c->api->fault_at_key(c, m, "exclusive", "pg_pitr.exclusive goes with a time, an xid or an lsn");
	if (c->val->key(m, "xid") && c->val->num(c->val->key(m, "xid"), 0) < 1)
		c->api->fault_at_key(c, m, "xid", "pg_pitr.xid is no transaction");
}
