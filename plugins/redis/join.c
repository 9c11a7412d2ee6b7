/*
 * A native cluster is made only where none is: of all instances, when each of them answers, knows no other and is
 * empty. Where one is, instances that stand alone are taken in.
 */
#include "module.h"

/* Empty and alone, or already of this cluster? What is neither is named and left alone. */
static bool may_join(pig_task *t, const struct member *m, const struct member *lead)
{
	if (view_alone(m) && m->keys) {
		t->host->fail(t, "%s holds %" PRId64 " keys and is in no cluster", m->addr, m->keys);
		t->host->hint(t, "Taking it in would lose them: remove it by redis-rm, or empty it, first.");
		return false;
	}
	if (!view_alone(m) && lead && !view_knows(lead, m->id)) {
		t->host->fail(t, "%s is in another native cluster than %s", m->addr, lead->addr);
		t->host->hint(
			t, "Instances of one redis_cluster form one; remove those that are not to stay by redis-rm.");
		return false;
	}
	return true;
}

/* Slots are known to all and agreed on; gossip takes a second or two, so 30 s is ample. */
#define AGREED                                                                                                         \
	"n=0; until %s-cli --cluster check %s >/dev/null 2>&1; do n=$((n + 1))\n"                                      \
	"[ $n -lt 100 ] || { echo 'the instances do not agree on who serves what' >&2; exit 1; }; sleep 0.3; done\n"

static void create(pig_task *t, const struct view *v)
{
	const struct redis *p = t->params;
	const char *all = "", *missing = "";

	for (size_t i = 0; i < v->n; i++) {
		if (!v->list[i].answers)
			missing = pig_fmt(t, "%s%s%s", missing, *missing ? ", " : "", v->list[i].addr);
		else if (!may_join(t, &v->list[i], NULL))
			return;
		all = pig_fmt(t, "%s %s", all, pig_sh(t, "%s", v->list[i].addr));
	}
	if (*missing && t->check) /* not there before the first real run */
		return;
	if (*missing) {
		t->host->fail(t, "native cluster \"%s\" is not made: %s did not answer", t->cluster, missing);
		t->host->hint(t, "It is made of all its instances at once; run redis.yml for all of its hosts.");
		return;
	}
	pig_shell(t, .note = pig_fmt(t, "make native cluster %s of %zu instances", t->cluster, v->n),
		  .cmd = pig_fmt(t,
				 "%s%s-cli --cluster create%s --cluster-replicas %" PRId64
				 " --cluster-yes >&2 || exit\n" AGREED,
				 redis_cli_any(t), p->redis_type, all, p->redis_cluster_replicas, p->redis_type,
				 pig_sh(t, "%s", v->list[0].addr)));
}

/* Masters that serve, or will: with slots, or none of them yet. */
static size_t masters_of(const struct member *lead)
{
	size_t n = 0;

	for (size_t i = 0; i < lead->n_nodes; i++)
		n += !lead->nodes[i].master && !lead->nodes[i].failed;
	return n;
}

static void take_in(pig_task *t, const struct view *v, const struct member *lead)
{
	const struct redis *p = t->params;
	size_t masters = masters_of(lead), wanted = v->n / (size_t)(p->redis_cluster_replicas + 1);
	const char *via = pig_sh(t, "%s", lead->addr);
	bool rebalance = false;

	for (size_t i = 0; i < v->n; i++) {
		const struct member *m = &v->list[i];
		if (!m->answers) {
			t->host->warn(t, "%s does not answer", m->addr);
			continue;
		}
		if (!may_join(t, m, lead))
			return;
		if (!view_alone(m))
			continue;
		bool master = masters < wanted;
		masters += master;
		rebalance = rebalance || master;
		pig_shell(t, .note = pig_fmt(t, "%s joins as %s", m->addr, master ? "a master" : "a replica"),
			  .cmd = pig_fmt(t, "%s" AGREED "%s-cli --cluster add-node %s %s%s >&2 || exit\n" AGREED,
					 redis_cli_any(t), p->redis_type, via, p->redis_type, pig_sh(t, "%s", m->addr),
					 via, master ? "" : " --cluster-slave", p->redis_type, via));
	}
	if (rebalance)
		pig_shell(t, .note = "new masters take their share of the slots",
			  .cmd = pig_fmt(
				  t, "%s%s-cli --cluster rebalance %s --cluster-use-empty-masters >&2 || exit\n" AGREED,
				  redis_cli_any(t), p->redis_type, via, p->redis_type, via));
}

void task_redis_join(pig_task *t)
{
	struct view v;

	if (!view_ask(t, &v))
		return;
	const struct member *lead = view_lead(&v);
	if (lead)
		take_in(t, &v, lead);
	else
		create(t, &v);
}
