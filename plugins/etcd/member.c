/*
 * Who is in the cluster. The live cluster leads: a host without data founds a cluster only when no member of the
 * inventory holds data; else it joins through a member that answers, one host at a time. A host with data is never
 * made anew.
 *
 * Who joins is a learner first, and gets its vote when it has caught up: a voter that was added and does not run, as
 * the run was cut off or the host is gone, counts against the quorum. A lone member would lose it at once, and without
 * one nobody could log in to mend it.
 *
 * The unit is of Type=exec, so a start does not wait for a quorum: new members can start side by side, and are waited
 * for by asking them.
 */
#include "module.h"

#define UNIT_WATCH "/etc/etcd/etcd.conf /etc/etcd/ca.crt"

/* ---- founding ---- */

/* Do enough of the members take part in this run to make a quorum? */
static bool is_quorate(pig_task *t, const pig_value *hosts)
{
	size_t n = t->val->len(hosts), here = 0;

	for (size_t i = 0; i < n; i++)
		here += t->host->in_run(t, etcd_host(t, hosts, i));
	if (here > n / 2)
		return true;
	t->host->fail(t, "%zu of %zu members cannot found etcd cluster \"%s\"", here, n, t->cluster);
	t->host->hint(t, "Run etcd.yml without -l, or with most of the members.");
	return false;
}

/* Who is listed already, by a run that was cut off, goes on before others join: there is one learner at a time. */
static bool answers(pig_task *t, const char *endpoints)
{
	const char *mine = etcd_peer_url(t, t->hostname);
	int status = 0;
	const pig_op *op = pig_shell(t, .note = "do the others answer", .reads = true,
		.cmd = pig_fmt(t, "%s" ETCD_LIST, etcd_env(t, endpoints)));

	if (!pig_await(t))
		return false;
	for (const char *list = t->host->output(t, op, &status); !status && *list;) {
		struct etcd_member m;
		list = etcd_member_line(t, list, &m);
		if (!strcmp(m.peer, mine))
			t->host->publish(t, "etcd_first", t->host->boolean(t, true));
	}
	return status == 0 || t->check; /* before its first real run a host has no etcdctl to ask with */
}

/* Members but this one that hold data, and those that cannot be asked; "" for none. */
static bool others(pig_task *t, const pig_value *hosts, const char **holders, const char **unknown)
{
	const struct etcd *p = t->params;
	size_t n = t->val->len(hosts);
	const pig_op **ops = t->host->alloc(t, (n + 1) * sizeof *ops);

	*holders = *unknown = "";
	for (size_t i = 0; i < n; i++) {
		const char *host = etcd_host(t, hosts, i);
		const char *data = t->val->str(t->host->of(t, host, "etcd_data"), p->etcd_data);
		if (!strcmp(host, t->hostname))
			continue;
		if (t->host->reach(t, host))
			ops[i] = pig_shell(t->host->on(t, host), .note = "does it hold data", .reads = true,
					   .cmd = pig_sh(t, "test -d %s/member", data));
		else
			*unknown = pig_fmt(t, "%s%s%s", *unknown, **unknown ? ", " : "", host);
	}
	if (!pig_await(t))
		return false;
	for (size_t i = 0; i < n; i++) {
		int status = 1;
		if (ops[i])
			t->host->output(t, ops[i], &status);
		if (!status)
			*holders = pig_fmt(t, "%s%s%s", *holders, **holders ? ", " : "", etcd_host(t, hosts, i));
	}
	return true;
}

bool etcd_founds(pig_task *t)
{
	const struct etcd *p = t->params;
	const pig_value *hosts = t->host->members(t, t->cluster);
	const char *holders, *unknown;

	if (!others(t, hosts, &holders, &unknown))
		return false;
	if (!*holders && !*unknown && !strcmp(p->etcd_init, "new"))
		return is_quorate(t, hosts);
	if (answers(t, etcd_urls(t, hosts, t->hostname))) {
		t->host->publish(t, "etcd_join", t->host->boolean(t, true));
		return false;
	}
	if (*holders)
		t->host->fail(t, "etcd's data is on %s, and none of them answers", holders);
	else if (*unknown)
		t->host->fail(t, "etcd's data may be on %s, which cannot be reached, and no member answers", unknown);
	else
		t->host->fail(t, "etcd_init is \"existing\", and no member answers");
	t->host->hint(t, "Start the members that hold data first; a cluster that exists is never founded again.");
	return false;
}

/* What earlier steps of this run have found out of this host. */
static bool is_joining(pig_task *t)
{
	return t->val->truth(t->host->of(t, t->hostname, "etcd_join"), false);
}

static bool is_up(pig_task *t) /* it holds data and listens */
{
	return t->val->truth(t->host->of(t, t->hostname, "etcd_up"), false);
}

static bool is_down(pig_task *t) /* it holds data and does not */
{
	return t->val->truth(t->host->of(t, t->hostname, "etcd_down"), false);
}

static bool is_learning(pig_task *t) /* it is up, and waits for its vote */
{
	return t->val->truth(t->host->of(t, t->hostname, "etcd_learns"), false);
}

/* ---- starting ---- */

/*
 * A learner answers nothing but questions about itself: that it does is all there is to wait for. Whether anyone
 * listens is looked up first: refused once, etcdctl would try again only a second later.
 */
static void wait_for(pig_task *t)
{
	pig_wait(t, .why = pig_fmt(t, "etcd member %s to answer (see journalctl -u etcd)", etcd_name(t, t->hostname)),
		 .every_ms = 100,
		 .probe = pig_fmt(t, "%s || { echo 'nobody listens' >&2; false; } && {\n%s" ETCD_LEARNS " || {\n"
				  ETCD_ANSWERS "\n} }", etcd_listens(t), etcd_env(t, etcd_client_url(t, t->hostname))));
}

/*
 * A member that was removed while its host kept the data ends itself at each start, for ever: said before it is waited
 * for. The others are asked; that none of them answers is usual, when all of them are started.
 */
static bool was_removed(pig_task *t)
{
	const pig_value *hosts = t->host->members(t, t->cluster);
	const char *others = etcd_urls(t, hosts, t->hostname), *me = etcd_name(t, t->hostname);
	int status = 1;

	if (!*others)
		return false;
	const pig_op *op = pig_shell(t, .note = "is it still a member", .reads = true,
				     .cmd = pig_fmt(t, "%setcdctl member list --command-timeout=2s --dial-timeout=1s 2>/dev/null",
						    etcd_env_root(t, others)));
	if (!pig_await(t))
		return false;
	const char *list = t->host->output(t, op, &status), *mine = etcd_peer_url(t, t->hostname);
	while (!status && *list) {
		struct etcd_member m;
		list = etcd_member_line(t, list, &m);
		if (!strcmp(m.peer, mine) || !strcmp(m.name, me))
			return false;
	}
	return !status;
}

/* What runs already is left to etcd_launch. */
void task_etcd_start(pig_task *t)
{
	if (is_joining(t) || is_up(t))
		return;
	if (is_down(t) && was_removed(t)) {
		t->host->fail(t, "%s was removed from etcd cluster \"%s\", and its data is still there",
			      etcd_name(t, t->hostname), t->cluster);
		t->host->hint(t, "Take what is left away and let it join anew: etcd-rm.yml -l %s -e confirm=%s, then etcd.yml.",
			      t->hostname, t->cluster);
		return;
	}
	pig_op *unit = pig_unit(t, .name = "etcd", .state = PIG_STARTED, .enable = 1, .watch = UNIT_WATCH,
		.on_change = PIG_NOTHING);
	if (pig_await(t) && t->host->changed(t, unit))
		wait_for(t);
}

/* One at a time: a restart is over when the member answers again. */
void task_etcd_launch(pig_task *t)
{
	pig_op *unit = pig_unit(t, .name = "etcd", .state = PIG_STARTED, .enable = 1, .watch = UNIT_WATCH,
		.on_change = PIG_RESTART,
				.flags = PIG_NOW);
	if (pig_await(t) && t->host->changed(t, unit))
		wait_for(t);
}

/* ---- joining ---- */

/* What the live cluster says of this host. */
struct standing {
	const char *peers;   /* initial-cluster: this host and all others that are listed */
	const char *remove;  /* shell: drop this host's lost identities */
	const char *learner; /* another one, NULL: none; etcd takes one at a time */
	size_t voters;	     /* others */
	bool listed;	     /* and never started: it may go on */
};

/* Who never started is listed without its name. */
static const char *name_of(pig_task *t, const struct etcd_member *m)
{
	const pig_value *hosts = t->host->members(t, t->cluster);

	for (size_t i = 0; !*m->name && i < t->val->len(hosts); i++)
		if (!strcmp(etcd_peer_url(t, etcd_host(t, hosts, i)), m->peer))
			return etcd_name(t, etcd_host(t, hosts, i));
	return *m->name ? m->name : m->peer;
}

static struct standing standing_of(pig_task *t, const char *list, const char *me, const char *mine)
{
	struct standing s = { .peers = pig_fmt(t, "%s=%s", me, mine), .remove = "" };

	while (*list) {
		struct etcd_member m;
		list = etcd_member_line(t, list, &m);
		if (strcmp(m.peer, mine) && strcmp(m.name, me)) {
			s.peers = pig_fmt(t, "%s,%s=%s", s.peers, *m.name ? m.name : m.id, m.peer);
			s.voters += !m.learner;
			if (m.learner)
				s.learner = name_of(t, &m);
		} else if (!*m.client && !strcmp(m.peer, mine)) {
			s.listed = true;
		} else {
			s.remove = pig_fmt(t, "%s%s", s.remove, pig_sh(t,
				"call member remove %s >/dev/null || case $(call member list) in\n"
				"*%s,*) exit 1 ;; esac\n", m.id, m.id));
		}
	}
	return s;
}

/*
 * A client that lost its answer asks again and is told that all is done: so what the list says afterwards counts, not
 * the status. Where another has the learner's place for good, a member of more than one is added with its vote.
 */
static void add(pig_task *t, const struct standing *s, const char *me, const char *mine, const char *env)
{
	const struct etcd *p = t->params;

	if (s->learner && (p->etcd_learner || s->voters < 2)) {
		t->host->fail(t,
			      "%s cannot join etcd cluster \"%s\" yet: it takes one learner at a time, and that is %s",
			      me, t->cluster, s->learner);
		t->host->hint(t,
			      "Let etcd.yml give %s its vote first, without etcd_learner; or, on a member: etcdctl "
			      "member remove.",
			      s->learner);
		return;
	}
	pig_shell(t, .note = pig_fmt(t, *s->remove ? "replace member %s" : "add member %s", me),
		  .cmd = pig_fmt(t, "%s" ETCD_CALL "%s%s", env, s->remove, pig_sh(t,
			"call member add %s --peer-urls=%s %s >/dev/null || case $(call member list) in\n"
			"*%s*) ;; *) exit 1 ;; esac",
			me, mine, s->learner ? "--learner=false" : "--learner", mine)));
}

/*
 * Not listed: add it. Listed and never started: go on. Listed, once started and without data here: the machine was
 * replaced; its old identity goes first, as its votes are lost.
 */
void task_etcd_member(pig_task *t)
{
	int status = 0;

	if (!is_joining(t))
		return;
	const char *me = etcd_name(t, t->hostname), *mine = etcd_peer_url(t, t->hostname);
	const char *env = etcd_env_root(t, etcd_urls(t, t->host->members(t, t->cluster), t->hostname));
	const pig_op *op = pig_shell(t, .note = "members of the live cluster", .reads = true,
				     .cmd = pig_fmt(t, "%s" ETCD_LIST, env));
	if (!pig_await(t))
		return;
	const char *list = t->host->output(t, op, &status);
	if (status && t->check) /* nothing to ask with before the first real run */
		return;
	if (status) {
		t->host->fail(t, "no member of etcd cluster \"%s\" says who is in it", t->cluster);
		t->host->hint(t, "It may have lost its quorum: on a member, etcdctl endpoint health --cluster.");
		return;
	}
	struct standing s = standing_of(t, list, me, mine);
	if (!s.listed)
		add(t, &s, me, mine, env);
	etcd_conf(t, s.peers, "existing");
}

/* Shell: to the leader alone. Any other member hands a promotion on without the user, and asks without end. */
#define AT_LEADER \
	"at_leader() { ETCDCTL_ENDPOINTS=$(\n" \
	"etcdctl endpoint status --cluster -w fields --command-timeout=3s 2>/dev/null |\n" \
	"tr -d '\"' | while read -r k x v; do case $k in MemberID) m=$v ;; Leader) l=$v ;;\n" \
	"Endpoint) [ \"$m\" != \"$l\" ] || echo \"$v\" ;; esac; done); }\n"

/* Two minutes are for what it has to catch up with; a run that finds it still learning goes on here. */
void task_etcd_vote(pig_task *t)
{
	const struct etcd *p = t->params;
	const char *own = etcd_env(t, etcd_client_url(t, t->hostname)), *me = etcd_name(t, t->hostname);
	const char *root = etcd_env_root(t, etcd_urls(t, t->host->members(t, t->cluster), t->hostname));

	if (p->etcd_learner || !(is_joining(t) || is_learning(t) || is_down(t)))
		return;
	pig_op *op = pig_ensure(t, .note = pig_fmt(t, "vote of member %s", me), .want = "yes",
		.probe = pig_fmt(t, "%sif " ETCD_LEARNS "; then echo none yet; else echo yes; fi", own),
		.apply = pig_fmt(t, "%so=$(etcdctl endpoint status) || exit; o=${o#*, } id=${o%%%%,*}\n"
			"(within=120\n%s" AT_LEADER ETCD_CALL
			"first=at_leader; call member promote \"$id\" >/dev/null || { first=\n"
			"case $(call member list) in\n"
			"*\"$id, \"*', true'*) exit 1 ;; esac; }) || exit\n"
			"n=0; while [ $n -lt 100 ] && " ETCD_LEARNS "; do n=$((n + 1)); sleep 0.1; done", own, root));
	if (pig_await(t) && t->host->changed(t, op))
		wait_for(t);
}

/* ---- health ---- */

/*
 * Would the cluster keep its quorum without this member? One of one or two cannot be spared; there it must at least
 * be well. Learners are not asked, as they do not count.
 */
void etcd_quorum(pig_task *t)
{
	const char *own = etcd_client_url(t, t->hostname);
	const pig_op *op = pig_shell(t, .note = "etcd quorum", .reads = true,
		.cmd = pig_fmt(t, "%se=$(" ETCD_LIST " | sed -n 's/^.*, \\(http[^ ]*\\), false$/\\1/p' |\n"
			       "paste -sd, -) && [ -n \"$e\" ] &&\n"
			       "ETCDCTL_ENDPOINTS=$e etcdctl endpoint health --command-timeout=3s 2>&1",
			       etcd_env(t, etcd_urls(t, t->host->members(t, t->cluster), NULL))));
	size_t all = 0, well = 0, self = 0;

	if (!pig_await(t))
		return;
	/* "URL is healthy: ..." or "URL is unhealthy: ..."; the client's own log lines, in JSON, repeat the causes */
	for (const char *p = t->host->output(t, op, NULL); *p;) {
		size_t n = strcspn(p, "\n");
		const char *line = *p == 'h' ? pig_fmt(t, "%.*s", (int)n, p) : "";
		bool healthy = strstr(line, " is healthy") || strstr(line, "user name is empty");
		all += healthy || strstr(line, " is unhealthy");
		well += healthy;
		self += healthy && !strncmp(line, own, strlen(own)) && line[strlen(own)] == ' ';
		p += n + (p[n] == '\n');
	}
	if (!all)
		t->host->fail(t, "etcd cluster \"%s\" does not answer", t->cluster);
	else if (all <= 2 ? well < all : well - self < all / 2 + 1)
		t->host->fail(t, "etcd cluster \"%s\" has %zu of %zu members well and would not survive losing %s",
			t->cluster, well, all,
			      etcd_name(t, t->hostname));
}
