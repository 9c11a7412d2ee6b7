/*
 * What an instance's programs write, as the node's vector reads it: a file for each of them, so that one may be without
 * another. The parameters vector_* are module node's.
 */
#include "pgsql.h"
#include "../node/node.h"

static const struct {
	const char *name, *tmpl;
} kinds[] = {
	{"postgres", "vector_postgres.yaml"},
	{"patroni", "vector_patroni.yaml"},
	{"pgbackrest", "vector_pgbackrest.yaml"},
	{"pgbouncer", "vector_pgbouncer.yaml"},
};
enum { POSTGRES, PATRONI, PGBACKREST, PGBOUNCER, KINDS };

static void pipelines(const struct inst *in, const bool *wanted)
{
	pig_task *t = in->t;
	const struct node_vector *vector = t->host->iface(t, NODE_VECTOR);
	pig_value *vars = t->host->map(t);

	if (!vector)
		return;
	t->host->put(t, vars, "ins", t->host->text(t, in->name));
	t->host->put(t, vars, "addr", t->host->text(t, in->addr));
	for (size_t i = 0; i < KINDS; i++)
		vector->pipeline(t, kinds[i].name, wanted[i] ? kinds[i].tmpl : NULL, vars);
	vector->reload(t);
}

void pgsql_logs(pig_task *t)
{
	struct inst in = inst_of(t);
	const bool wanted[KINDS] = {
		[POSTGRES] = true,
		[PATRONI] = in.p->patroni_enabled,
		[PGBACKREST] = in.p->pgbackrest_enabled,
		[PGBOUNCER] = in.p->pgbouncer_enabled,
	};

	pipelines(&in, wanted);
}

void logs_forget(const struct inst *in)
{
	pipelines(in, (const bool[KINDS]){0});
}
