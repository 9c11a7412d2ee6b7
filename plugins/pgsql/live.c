/*
 * What is live on an instance, asked once for all tasks of a run that want to know: Patroni's view of it, the dynamic
 * configuration, and the roles' verifiers in the server. A task that has changed the ground asks anew.
 */
#include "pgsql.h"

#include <string.h>

static const char name[] = "pg_live";

static const char *roles_sql(const struct inst *in)
{
	pig_task *t = in->t;
	struct roles r = wanted_roles(in);
	struct str names = str_new(t);

	for (size_t i = 0; i < r.n; i++)
		str_add(&names, "%s%s", i ? ", " : "", sql_lit(t, role_name(t, r.items[i])));
	return pig_fmt(t,
		       "select case when pg_is_in_recovery() then coalesce((select status from pg_stat_wal_receiver), "
		       "'follows') else 'leads' end;\n"
		       "select rolname || '|' || coalesce(rolpassword, '') from pg_authid where rolname in (%s);\n",
		       names.s);
}

static const pig_op *ask_roles(const struct inst *in, const char *before)
{
	return pig_shell(in->t, .note = "who leads, and the roles' passwords", .as = in->p->pg_dbsu, .reads = true,
			 .cmd = pig_fmt(in->t, "%s%s", before, in->psql), .in = roles_sql(in));
}

static const char *text_of(pig_task *t, const pig_op *op)
{
	const char *s = t->host->output(t, op, NULL);

	return s ? s : "";
}

/* Does it lead with Patroni's consent, or follow the stream? Only such a state is kept for the run's other tasks. */
static bool settled(const struct inst *in, const struct live *l)
{
	pig_task *t = in->t;

	if (!strncmp(l->roles, "streaming", 9))
		return true;
	return *l->patroni && !strncmp(l->roles, "leads", 5) &&
	       role_leads(t->val->str(t->val->key(t->host->json(t, l->patroni), "role"), ""));
}

bool live_of(const struct inst *in, struct live *l)
{
	pig_task *t = in->t;
	const pig_value *had = t->host->of(t, t->hostname, name);
	const pig_op *op[4] = {0};
	pig_value *m;

	*l = (struct live){.patroni = "", .config = "", .roles = "", .repo = ""};
	if (t->val->type(had) == PIG_MAP) {
		l->patroni = t->val->str(t->val->key(had, "patroni"), "");
		l->config = t->val->str(t->val->key(had, "config"), "");
		l->roles = t->val->str(t->val->key(had, "roles"), "");
		l->repo = t->val->str(t->val->key(had, "repo"), "");
		l->settled = true;
		return true;
	}
	op[0] = pig_shell(t, .note = "ask Patroni", .reads = true, .cmd = inst_rest(in, in->addr, "/patroni"));
	op[1] = pig_shell(t, .note = "ask for the dynamic configuration", .reads = true,
			  .cmd = inst_rest(in, in->addr, "/config"));
	op[2] = ask_roles(in, "");
	if (in->p->pgbackrest_enabled)
		op[3] = backup_ask(in);
	if (!pig_await(t))
		return false;
	l->patroni = http_body(text_of(t, op[0]));
	l->config = http_body(text_of(t, op[1]));
	l->patroni = l->patroni ? l->patroni : "";
	l->config = l->config ? l->config : "";
	l->roles = t->host->secret(t, text_of(t, op[2]));
	l->repo = op[3] ? text_of(t, op[3]) : "";
	l->settled = settled(in, l);
	if (!l->settled)
		return true;
	m = t->host->map(t);
	t->host->put(t, m, "patroni", t->host->text(t, l->patroni));
	t->host->put(t, m, "config", t->host->text(t, l->config));
	t->host->put(t, m, "roles", t->host->text(t, l->roles));
	if (*l->repo)
		t->host->put(t, m, "repo", t->host->text(t, l->repo));
	t->host->publish(t, name, m);
	return true;
}

const char *live_roles_again(const struct inst *in, bool later)
{
	const pig_op *op = ask_roles(in, later ? "sleep 0.25; " : "");

	return pig_await(in->t) ? in->t->host->secret(in->t, text_of(in->t, op)) : "";
}
