/* Playbooks pgsql-user and pgsql-db: one user or one database of the inventory, brought about at the leader. */
#include "pgsql.h"

#include <string.h>

static const pig_value *item_of(pig_task *t, const pig_value *list, const char *name)
{
	for (size_t i = 0; i < t->val->len(list); i++)
		if (!strcmp(role_name(t, t->val->at(list, i)), name))
			return t->val->at(list, i);
	return NULL;
}

void pgsql_user_known(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *name = in.p->username;

	if (!name || !*name) {
		t->host->fail(t, "which user?");
		t->host->hint(t, "Name one of pg_users: -e username=...");
	} else if (!strcmp(name, in.p->pg_dbsu)) {
		t->host->fail(t, "%s is the superuser: it is made with the cluster, and this does not change it", name);
	} else if (!item_of(t, in.p->pg_users, name)) {
		t->host->fail(t, "user %s is not in pg_users of cluster %s", name, in.p->pg_cluster);
		t->host->hint(t, "Add it there first; state: absent takes one away.");
	}
}

void pgsql_user_one(pig_task *t)
{
	struct inst in = inst_of(t);

	roles_bring(&in, in.p->username);
}

void pgsql_db_known(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *name = in.p->dbname;

	if (!name || !*name) {
		t->host->fail(t, "which database?");
		t->host->hint(t, "Name one of pg_databases: -e dbname=...");
	} else if (!item_of(t, in.p->pg_databases, name)) {
		t->host->fail(t, "database %s is not in pg_databases of cluster %s", name, in.p->pg_cluster);
		t->host->hint(t, "Add it there first; state: absent takes one away.");
	}
}

static bool leads_here(const struct inst *in)
{
	struct live l;

	return live_of(in, &l) && !strncmp(l.roles, "leads", 5);
}

/* Only where state says absent or recreate: the step is asked for by name. */
void pgsql_db_drop(pig_task *t)
{
	struct inst in = inst_of(t);

	if (leads_here(&in))
		database_drop(&in, in.p->dbname);
}

void pgsql_db_one(pig_task *t)
{
	struct inst in = inst_of(t);

	databases_bring(&in, in.p->dbname);
}

/* What only the leader does was done by nobody when it is not among the hosts. */
void pgsql_led(pig_task *t)
{
	const pig_value *all = t->host->members(t, t->cluster);

	if (t->check)
		return;
	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");
		const pig_value *l = t->host->in_run(t, host) ? t->host->of(t, host, "pg_live") : NULL;

		if (!strncmp(t->val->str(t->val->key(l, "roles"), ""), "leads", 5))
			return;
	}
	t->host->fail(t, "none of the hosts leads cluster %s: nothing was done", t->cluster);
	t->host->hint(t, "Run it on the whole cluster: -l %s.", t->cluster);
}
