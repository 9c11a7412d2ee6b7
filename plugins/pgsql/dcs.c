/*
 * The part of Patroni's configuration that the cluster shares in the DCS. It is written at bootstrap; later runs
 * compare it with what is live and send the difference. What needs a restart of the server is Patroni's to report and
 * the operator's to do.
 */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

static void put_n(pig_task *t, pig_value *m, const char *key, int64_t n)
{
	t->host->put(t, m, key, t->host->number(t, n));
}

static void put_b(pig_task *t, pig_value *m, const char *key, bool b)
{
	t->host->put(t, m, key, t->host->boolean(t, b));
}

static void put_s(pig_task *t, pig_value *m, const char *key, const char *s)
{
	t->host->put(t, m, key, t->host->text(t, s));
}

/* A primary with an upstream leads a standby cluster. */
static void standby(const struct inst *in, pig_value *m)
{
	pig_task *t = in->t;
	const char *primary = inst_primary(t);
	const char *up = primary ? t->val->str(t->host->of(t, primary, "pg_upstream"), "") : "";
	pig_value *s, *how;

	if (!*up)
		return;
	s = t->host->map(t);
	how = t->host->list(t);
	put_s(t, s, "host", up);
	put_n(t, s, "port", in->p->pg_port);
	t->host->push(t, how, t->host->text(t, "basebackup"));
	t->host->put(t, s, "create_replica_methods", how);
	if (in->p->pg_delay && strcmp(in->p->pg_delay, "0") && *in->p->pg_delay)
		put_s(t, s, "recovery_min_apply_delay", in->p->pg_delay);
	t->host->put(t, m, "standby_cluster", s);
}

pig_value *dcs_wanted(const struct inst *in)
{
	pig_task *t = in->t;
	pig_value *m = t->host->map(t), *pg = t->host->map(t), *params = t->host->map(t);
	struct rto r = inst_rto(t);
	bool crit = !strcmp(tune_name(in->p), "crit");

	put_n(t, m, "ttl", r.n[RTO_TTL]);
	put_n(t, m, "loop_wait", r.n[RTO_LOOP]);
	put_n(t, m, "retry_timeout", r.n[RTO_RETRY]);
	put_n(t, m, "primary_start_timeout", r.n[RTO_START]);
	put_n(t, m, "primary_stop_timeout", 30);
	put_n(t, m, "maximum_lag_on_failover", in->p->pg_rpo);
	put_n(t, m, "maximum_lag_on_syncnode", -1);
	put_b(t, m, "failsafe_mode", true);
	put_b(t, m, "synchronous_mode", crit || in->p->pg_rpo == 0);
	put_b(t, m, "synchronous_mode_strict", crit);
	standby(in, m);
	put_b(t, pg, "use_slots", true);
	put_b(t, pg, "use_pg_rewind", true);
	put_b(t, pg, "remove_data_directory_on_rewind_failure", true);
	tune_shared(in, params);
	t->host->put(t, pg, "parameters", params);
	t->host->put(t, m, "postgresql", pg);
	return m;
}

/* It follows the largest member's CPUs: another member must not take workers back when it leads. */
static bool only_grows(const char *key)
{
	return !strcmp(key, "max_worker_processes");
}

/* What of want is not so in live, as a map to PATCH with; said collects it for people. NULL: nothing. */
static pig_value *difference(pig_task *t, const pig_value *want, const pig_value *live, struct str *said)
{
	pig_value *patch = NULL;

	for (size_t i = 0; i < t->val->len(want); i++) {
		const char *key = t->val->key_at(want, i);
		const pig_value *w = t->val->at(want, i), *l = t->val->key(live, key), *put = w;

		if (t->val->type(w) == PIG_MAP) {
			put = difference(t, w, l, said);
			if (!put)
				continue;
		} else if (t->val->type(w) == PIG_LIST) {
			if (l && !strcmp(json_of(t, w), json_of(t, l)))
				continue;
			str_add(said, "%s%s", said->n ? ", " : "", key);
		} else {
			const char *ws = scalar_text(t, w), *ls = scalar_text(t, l);

			if (!strcmp(ws, ls) || (only_grows(key) && strtoll(ls, NULL, 10) > strtoll(ws, NULL, 10)))
				continue;
			str_add(said, "%s%s %s -> %s", said->n ? ", " : "", key, *ls ? ls : "unset", ws);
		}
		if (!patch)
			patch = t->host->map(t);
		t->host->put(t, patch, key, put);
	}
	return patch;
}

void pgsql_dcs(pig_task *t)
{
	struct inst in = inst_of(t);
	struct str said = str_new(t);
	const pig_value *self;
	struct live l;
	pig_value *patch;

	if (!live_of(&in, &l) || !*l.patroni)
		return; /* not running: check mode before the first run */
	self = t->host->json(t, l.patroni);
	if (t->val->truth(t->val->key(self, "pending_restart"), false))
		t->host->warn(t, "%s has settings that wait for a restart of PostgreSQL: patronictl restart %s %s",
			      in.name, in.p->pg_cluster, in.name);
	if (!*l.config || !role_leads(t->val->str(t->val->key(self, "role"), "")))
		return;
	patch = difference(t, dcs_wanted(&in), t->host->json(t, l.config), &said);
	if (patch) /* answered by what will be; what Patroni says when asked is older for a moment, in part */
		pig_shell(t, .note = pig_fmt(t, "dynamic configuration: %s", said.s),
			  .in = inst_patch(&in, json_of(t, patch)),
			  .cmd = pig_fmt(t,
					 "a=$(%s); case $a in 'HTTP/1.'?' 200'*) ;; *) printf '%%s\\n' \"$a\" >&2; "
					 "exit 1 ;; esac\n"
					 "b=$(printf '%%s' \"$a\" | tail -n 1); n=0; until [ \"$(%s | tail -n 1)\" = "
					 "\"$b\" ] || "
					 "[ $n -ge 40 ]; do sleep 0.1; n=$((n+1)); done",
					 inst_rest_send(&in, pig_sh(t, "%s", in.addr)),
					 inst_rest(&in, in.addr, "/config")));
}
