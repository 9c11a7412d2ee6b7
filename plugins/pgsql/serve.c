/*
 * The end of a run that has started members: services answer where they should. HAProxy would find out by itself, but
 * only after a few checks, some seconds apart; a run that says "done" before sends the user's first reads to the wrong
 * member or nowhere. Patroni knows already: its word is passed on.
 */
#include "pgsql.h"
#include "../node/node.h"

#include <string.h>

static bool some_joined(const struct inst *in)
{
	pig_task *t = in->t;
	const pig_value *all = t->host->members(t, t->cluster);
	bool any = false;

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");

		any |= t->host->in_run(t, host) && t->val->truth(t->host->of(t, host, "pg_joined"), false);
	}
	return any;
}

/* What Patroni's checks answer for a member, as lines "uri server UP|DOWN". Other uris hang on more than the role. */
static void answers_of(const struct inst *in, struct str *b, const pig_value *member)
{
	const struct pig_values *v = in->t->val;
	const char *name = v->str(v->key(member, "name"), ""), *state = v->str(v->key(member, "state"), "");
	bool up = !strcmp(state, "running") || !strcmp(state, "streaming");
	bool leads = strstr(v->str(v->key(member, "role"), ""), "leader") != NULL;

	str_add(b, "/primary %s %s\n", name, up && leads ? "UP" : "DOWN");
	str_add(b, "/replica %s %s\n", name, up && !leads ? "UP" : "DOWN");
	str_add(b, "/read-only %s %s\n", name, up ? "UP" : "DOWN");
}

void pgsql_serve(pig_task *t)
{
	struct inst in = inst_of(t);
	const struct node_haproxy *haproxy = t->host->iface(t, NODE_HAPROXY);
	struct str answers = str_new(t);
	const pig_value *all;
	const char *body;
	const pig_op *op;

	if (t->check || !haproxy || !some_joined(&in))
		return;
	op = pig_shell(t, .note = "ask Patroni for the members", .reads = true,
		       .cmd = inst_rest(&in, in.addr, "/cluster"));
	if (!pig_await(t))
		return;
	body = http_body(t->host->output(t, op, NULL));
	all = body ? t->val->key(t->host->json(t, body), "members") : NULL;
	for (size_t i = 0; i < t->val->len(all); i++)
		answers_of(&in, &answers, t->val->at(all, i));
	if (answers.n)
		haproxy->settle(t, pig_sh(t, NODE_HAPROXY_DIR "/%s-*.cfg", in.p->pg_cluster), answers.s);
}
