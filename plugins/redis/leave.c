/*
 * An instance leaves a native cluster that goes on without it: its slots move first, by its replica taking over or to
 * the other masters, then it stops, then the others forget it. When the whole cluster is to go nothing of this is done.
 */
#include "module.h"

/* Are all of the cluster's hosts in the run, with all of their instances? */
static bool all_go(pig_task *t)
{
	const struct redis *p = t->params;
	const pig_value *hosts = t->host->members(t, t->cluster);
	bool all = !p->redis_port;

	for (size_t i = 0; i < t->val->len(hosts); i++)
		all = all && t->host->in_run(t, t->val->str(t->val->at(hosts, i), ""));
	return all;
}

/* Is it among those of this host that go now? */
static bool goes(pig_task *t, const struct inst *list, size_t n, const char *addr)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(addr, pig_fmt(t, "%s:%" PRId64, redis_address(t, t->hostname), list[i].port)))
			return true;
	return false;
}

struct heir {
	const char *addr;
	const char *other;
};

/* A replica of it that stays, and any other member that stays. */
static struct heir heir_of(pig_task *t, const struct view *v, const struct member *lead, const struct node *me,
			   const struct inst *list, size_t n)
{
	struct heir h = {0};

	for (size_t i = 0; i < v->n; i++) {
		const struct member *m = &v->list[i];
		const struct node *x = m->answers ? view_node(lead, m->addr) : NULL;
		if (!x || x == me || goes(t, list, n, m->addr))
			continue;
		if (!h.addr && x->master && !strcmp(x->master, me->id))
			h.addr = m->addr;
		if (!h.other && (x->slots || x->master))
			h.other = m->addr;
	}
	return h;
}

static const char *words_of(pig_task *t, const char *addr)
{
	const char *colon = strrchr(addr, ':');

	return pig_sh(t, "%s %s", pig_fmt(t, "%.*s", (int)(colon - addr), addr), colon + 1);
}

/* A takeover in order is over in a second or two; by force it takes an election, at most twice the node timeout of
 * 15 s. */
static void take_over(pig_task *t, const struct node *me, const struct heir *h, bool alive)
{
	const char *heir = words_of(t, h->addr);

	pig_shell(t, .note = pig_fmt(t, "%s takes over from %s", h->addr, me->addr),
		  .cmd = pig_fmt(t,
				 "%sgood cli %s CLUSTER FAILOVER%s || exit\n"
				 "n=0; until cli %s CLUSTER NODES | grep -q 'myself,master.*-'; do n=$((n + 1))\n"
				 "[ $n -lt 150 ] || { echo 'it did not' >&2; exit 1; }; sleep 0.2; done",
				 redis_cli_any(t), heir, alive ? "" : " FORCE", heir));
}

static void move_slots(pig_task *t, const struct node *me, const struct heir *h)
{
	const struct redis *p = t->params;

	pig_shell(t, .note = pig_fmt(t, "slots of %s move to the other masters", me->addr),
		  .cmd = pig_fmt(t, "%s%s-cli --cluster rebalance %s --cluster-weight %s=0 >&2", redis_cli_any(t),
				 p->redis_type, pig_sh(t, "%s", h->other), me->id));
}

static void forget(pig_task *t, const struct view *v, const struct node *me)
{
	const char *calls = "";

	for (size_t i = 0; i < v->n; i++)
		if (v->list[i].answers && strcmp(v->list[i].addr, me->addr))
			calls = pig_fmt(t, "%scli %s CLUSTER FORGET %s >&2\n", calls, words_of(t, v->list[i].addr),
					me->id);
	pig_shell(t, .note = pig_fmt(t, "the others forget %s", me->addr),
		  .cmd = pig_fmt(t, "%s%s:", redis_cli_any(t), calls));
}

static void leave(pig_task *t, const struct inst *in, const struct inst *list, size_t n)
{
	const char *addr = pig_fmt(t, "%s:%" PRId64, redis_address(t, t->hostname), in->port);
	const struct member *lead = NULL, *own = NULL;
	const struct node *me = NULL;
	struct view v;

	if (!view_ask(t, &v))
		return;
	for (size_t i = 0; i < v.n; i++) {
		const struct member *m = &v.list[i];
		if (!strcmp(m->addr, addr))
			own = m;
		else if (m->answers && !view_alone(m) && (!lead || m->n_nodes > lead->n_nodes))
			lead = m;
	}
	me = lead ? view_node(lead, addr) : NULL;
	if (!me)
		return;
	struct heir h = heir_of(t, &v, lead, me, list, n);
	bool alive = own && own->answers;
	if (me->slots && h.addr) {
		take_over(t, me, &h, alive);
	} else if (me->slots && alive && h.other) {
		move_slots(t, me, &h);
	} else if (me->slots) {
		t->host->fail(t, "%s serves slots that nobody else has", addr);
		t->host->hint(t, "Start it, so that they can move, or remove the whole cluster.");
		return;
	}
	pig_unit(t, .name = in->unit, .state = PIG_STOPPED, .enable = -1, .flags = PIG_NOW);
	forget(t, &v, me);
	pig_await(t);
}

void task_redis_leave(pig_task *t)
{
	struct inst *list;
	size_t n = insts_of(t, &list);

	if (!is_mode(t, "cluster") || all_go(t))
		return;
	for (size_t i = 0; i < n; i++)
		leave(t, &list[i], list, n);
}
