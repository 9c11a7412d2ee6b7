/*
 * Members that leave. While others stay, the live cluster is told first, by one of those: a member that is merely gone
 * counts against the quorum for ever. When the whole cluster goes there is nobody to tell.
 */
#include "module.h"
#include "../infra/infra.h"

void task_etcd_register(pig_task *t)
{
	const struct etcd *p = t->params;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);
	const char *ins = etcd_name(t, t->hostname), *address = etcd_address(t, t->hostname);

	if (infra)
		infra->target(t, "etcd", ins,
			      pig_fmt(t,
				      "- labels: { ip: '%s', ins: %s, cls: %s }\n"
				      "  targets: [ '%s:%" PRId64 "' ]\n",
				      address, ins, t->cluster, address, p->etcd_port));
}

void task_etcd_deregister(pig_task *t)
{
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);

	if (infra)
		infra->target(t, "etcd", etcd_name(t, t->hostname), NULL);
}

/* ---- the live cluster ---- */

struct live {
	const char *member; /* host that stays and answered; NULL: none */
	const char *list;   /* `member list`, "=", `endpoint health` of all */
	size_t stay;	    /* hosts of the inventory that stay */
	bool data;	    /* is this host a member by what is on its disk? */
};

/* Asks those that stay, all at once. */
static bool look(pig_task *t, struct live *live)
{
	const struct etcd *p = t->params;
	const pig_value *hosts = t->host->members(t, t->cluster);
	size_t n = t->val->len(hosts);
	const pig_op **ops = t->host->alloc(t, (n + 1) * sizeof *ops);
	int status = 1;

	*live = (struct live){.list = ""};
	for (size_t i = 0; i < n; i++) {
		const char *host = etcd_host(t, hosts, i);
		if (t->host->in_run(t, host))
			continue;
		live->stay++;
		if (t->host->reach(t, host))
			ops[i] = pig_shell(
				t->host->on(t, host), .note = "the cluster as it stays", .reads = true,
				.cmd = pig_fmt(
					t,
					"%setcdctl member list --command-timeout=5s && echo = &&\n"
					"etcdctl endpoint health --cluster --command-timeout=3s 2>&1; [ $? -le 1 ]",
					etcd_env_root(t, etcd_client_url(t, host))));
	}
	if (!live->stay)
		return true;
	const pig_op *data = pig_shell(t, .note = "does it hold data", .reads = true,
				       .cmd = pig_sh(t, "test -d %s/member", p->etcd_data));
	if (!pig_await(t))
		return false;
	t->host->output(t, data, &status);
	live->data = status == 0;
	for (size_t i = 0; i < n && !live->member; i++) {
		const char *text = ops[i] ? t->host->output(t, ops[i], NULL) : NULL;
		if (text && strstr(text, "\n=\n")) {
			live->member = etcd_host(t, hosts, i);
			live->list = text;
		}
	}
	return true;
}

/* Is the client URL among those that "URL is healthy: ..." says well of? Being asked for a user is an answer, too. */
static bool is_well(pig_task *t, const char *health, const char *url)
{
	size_t len = strcspn(url, ",");

	for (const char *p = health; *p;) {
		size_t n = strcspn(p, "\n");
		const char *line = pig_fmt(t, "%.*s", (int)n, p);
		if (n > len && !strncmp(line, url, len) && line[len] == ' ')
			return strstr(line, " is healthy") || strstr(line, "user name is empty");
		p += n + (p[n] == '\n');
	}
	return false;
}

/* Members that would be left, as far as they vote, and who of them is not well. */
static const char *id_of(pig_task *t, const struct live *live, size_t *left, size_t *well, const char **unwell)
{
	const char *me = etcd_name(t, t->hostname), *mine = etcd_peer_url(t, t->hostname), *id = NULL;
	const char *health = strstr(live->list, "\n=\n") + 3;

	*left = *well = 0;
	*unwell = "";
	for (const char *p = live->list; *p && *p != '=';) {
		struct etcd_member m;
		p = etcd_member_line(t, p, &m);
		if (!strcmp(m.name, me) || !strcmp(m.peer, mine)) {
			id = m.id;
		} else if (!m.learner) {
			bool good = *m.client && is_well(t, health, m.client);
			++*left;
			*well += good;
			if (!good)
				*unwell =
					pig_fmt(t, "%s%s%s", *unwell, **unwell ? ", " : "", *m.name ? m.name : m.peer);
		}
	}
	return id;
}

void task_etcd_leave(pig_task *t)
{
	const char *me = etcd_name(t, t->hostname), *unwell, *id;
	struct live live;
	size_t left, well;

	if (!look(t, &live) || !live.stay)
		return;
	if (!live.member) {
		if (!live.data) /* what was never a member, or has left already, has nobody to tell */
			return;
		t->host->fail(t, "no member of etcd cluster \"%s\" that stays answers, so %s cannot leave it",
			      t->cluster, me);
		t->host->hint(t, "Start the others first; or remove the whole cluster: etcd-rm.yml without -l.");
		return;
	}
	id = id_of(t, &live, &left, &well, &unwell);
	if (!id)
		return;
	if (well < left / 2 + 1) {
		t->host->fail(t,
			      "without %s etcd cluster \"%s\" would have %zu of %zu members well, which is no quorum",
			      me, t->cluster, well, left);
		t->host->hint(t, "Bring %s back first; or remove the whole cluster: etcd-rm.yml without -l.", unwell);
		return;
	}
	pig_task *m = t->host->on(t, live.member);
	const char *env = etcd_env_root(t, etcd_client_url(t, live.member));
	pig_ensure(m, .note = pig_fmt(t, "member %s has left", me), .want = "gone",
		   .probe = pig_fmt(
			   t,
			   "%s" ETCD_CALL "l=$(call member list) && case $l in *%s,*) echo listed ;; *) echo gone ;; esac",
			   env, id),
		   .apply = pig_fmt(t, "%s" ETCD_CALL "call member remove %s >/dev/null || case $(call member list) in *%s,*) exit 1 ;; esac",
				    env, id, id));
}

/* ---- the disk ---- */

void task_etcd_stop(pig_task *t)
{
	pig_unit(t, .name = "etcd", .state = PIG_STOPPED, .enable = -1);
}

/* Of the data's folder what is etcd's; the folder itself only when nothing else is in it. */
void task_etcd_rm_data(pig_task *t)
{
	const struct etcd *p = t->params;

	pig_file(t, .path = pig_fmt(t, "%s/member", p->etcd_data), .dir = true, .state = PIG_ABSENT);
	pig_ensure(t, .note = pig_fmt(t, "%s is gone, unless others use it", p->etcd_data),
		   .probe = pig_sh(t, "[ ! -d %s ] || [ -n \"$(ls -A %s)\" ] || mountpoint -q %s", p->etcd_data,
				   p->etcd_data, p->etcd_data),
		   .apply = pig_sh(t, "rmdir -- %s", p->etcd_data));
	pig_file(t, .path = "/etc/etcd", .dir = true, .state = PIG_ABSENT);
	pig_file(t, .path = "/var/lib/etcd", .dir = true, .state = PIG_ABSENT);
	pig_file(t, .path = "/etc/profile.d/etcdctl.sh", .state = PIG_ABSENT);
	pig_file(t, .path = "/etc/systemd/system/etcd.service", .state = PIG_ABSENT);
	pig_ensure(t, .note = "systemd knows that the unit is gone",
		   .probe = "[ \"$(systemctl show -p NeedDaemonReload --value etcd)\" != yes ]",
		   .apply = "systemctl daemon-reload");
}

void task_etcd_rm_pkg(pig_task *t)
{
	pig_package(t, .names = "etcd", .state = PIG_ABSENT);
}
