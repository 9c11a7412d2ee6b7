/*
 * Module etcd: the consensus store that clusters of other modules agree through. One to seven members, TLS
 * everywhere, RBAC. Its tables are here.
 */
#include "module.h"
#include "etcd.h"

static const struct pig_param params[] = {
	PIG_P_INT(struct etcd, etcd_seq, .level = PIG_INSTANCE, .text = "Number of the member, unique in its cluster."),
	PIG_P_STR(struct etcd, etcd_cluster, .level = PIG_CLUSTER,
		.dflt = "{{ 'etcd' if etcd_seq is defined else none }}", .check = "name",
		.text = "Name of the cluster this member is in; also the group other modules look for members in."),
	PIG_P_BOOL(struct etcd, etcd_learner, .level = PIG_INSTANCE, .dflt = "false",
		.text = "Stay without a vote (a learner)? Else a member gets its vote once it has caught up."),
	PIG_P_STR(struct etcd, etcd_data, .level = PIG_CLUSTER, .dflt = "'/data/etcd'", .check = "path",
		.text = "Folder of the data."),
	PIG_P_INT(struct etcd, etcd_port, .level = PIG_CLUSTER, .dflt = "2379", .check = "port",
		.text = "Client port."),
	PIG_P_INT(struct etcd, etcd_peer_port, .level = PIG_CLUSTER, .dflt = "2380", .check = "port",
		.text = "Peer port."),
	PIG_P_ENUM(struct etcd, etcd_init, .level = PIG_CLUSTER, .dflt = "'new'", .check = "new|existing",
		.text = "May a cluster be founded when no member holds data (new), or must one exist?"),
	PIG_P_INT(struct etcd, etcd_election_timeout, .level = PIG_CLUSTER, .dflt = "1000",
		.text = "Time without a leader before an election, in ms."),
	PIG_P_INT(struct etcd, etcd_heartbeat_interval, .level = PIG_CLUSTER, .dflt = "100",
		.text = "Time between a leader's heartbeats, in ms."),
	PIG_P_STR(struct etcd, etcd_root_password, .level = PIG_GLOBAL, .dflt = "'Etcd.Root'", .flags = PIG_SECRET,
		.text = "Password of etcd's user root."),
	PIG_P_BOOL(struct etcd, etcd_safeguard, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Refuse the removal of members?"),
	PIG_P_BOOL(struct etcd, etcd_rm_data, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Delete data and configuration of removed members?"),
	PIG_P_BOOL(struct etcd, etcd_clean, .level = PIG_CLUSTER, .flags = PIG_DEPRECATED,
		.text = "Earlier switch that emptied members when they were set up; now removal alone deletes data."),
	PIG_P_BOOL(struct etcd, etcd_rm_pkg, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Uninstall etcd from removed members?"),
};

/* Per cluster: numbers are unique; an even count of members stands no more losses than one fewer. */
static void check_members(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	size_t n = c->val->len(hosts);

	for (size_t i = 0; i < n; i++) {
		const char *host = c->val->str(c->val->at(hosts, i), "");
		const pig_value *seq = c->api->get(c, host, "etcd_seq");
		for (size_t j = 0; j < i; j++) {
			const char *other = c->val->str(c->val->at(hosts, j), "");
			if (seq && c->val->num(seq, -1) == c->val->num(c->api->get(c, other, "etcd_seq"), -2))
				c->api->fault(c, seq, "etcd_seq %" PRId64 " is that of %s already", c->val->num(seq,
					0), other);
		}
	}
}

static void check_count(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	size_t n = c->val->len(hosts);

	for (size_t i = 0; i < n; i++) /* who is a member and has no number is told as that */
		if (!c->api->get(c, c->val->str(c->val->at(hosts, i), ""), "etcd_seq"))
			return;
	if (n && n % 2 == 0) {
		c->api->fault(c, c->api->get(c, c->val->str(c->val->at(hosts, 0), ""), "etcd_seq"),
			      "etcd cluster \"%s\" has an even number of members (%zu)", c->cluster, n);
		c->api->hint(c, "It survives no more losses than one with %zu; take 1, 3 or 5.", n - 1);
	}
}

static const struct pig_rule rules[] = {
	{ .id = "etcd_seq", .scope = PIG_HOST, .must = "'etcd' not in group_names or etcd_seq is defined",
	  .say = "the host is in group \"etcd\" and has no etcd_seq",
	  .hint = "Number the members: etcd_seq: 1, 2, 3." },
	{ .id = "etcd_cluster", .scope = PIG_HOST, .must = "etcd_seq is defined or etcd_cluster is not defined or "
							   "'etcd' in group_names",
	  .say = "etcd_cluster makes a member of the host, and it has no etcd_seq",
	  .hint = "Set etcd_cluster in the vars of the members' group, and etcd_seq on each of them." },
	{ .id = "etcd_seq_range", .scope = PIG_HOST, .must = "etcd_seq is not defined or etcd_seq >= 0",
	  .say = "etcd_seq must not be negative" },
	{ .id = "etcd_timing", .scope = PIG_HOST, .must = "etcd_election_timeout >= 5 * etcd_heartbeat_interval",
	  .say = "etcd_election_timeout must be at least five heartbeats", .hint = "Ten are usual." },
	{ .id = "etcd_root_password", .scope = PIG_HOST,
		.must = "etcd_root_password != '' and ' ' not in etcd_root_password",
	  .say = "etcd_root_password must be one word" },
	{ .id = "etcd_members", .scope = PIG_OF_CLUSTER, .check = check_members },
	{ .id = "etcd_even", .scope = PIG_OF_CLUSTER, .warn = 1, .check = check_count },
};

static const struct pig_taskdef tasks[] = {
	{ .name = "etcd_install", .text = "install etcd", .run = task_etcd_install },
	{ .name = "etcd_dir", .text = "make its folders", .run = task_etcd_dir },
	{ .name = "etcd_cert", .text = "issue the member's certificate",
		.tags = "etcd_config,etcd_cert_issue,etcd_cert_copy",
	  .run = task_etcd_cert },
	{ .name = "etcd_conf", .text = "configure the member", .tags = "etcd_config", .run = task_etcd_config },
	{ .name = "etcd_start", .text = "start members side by side", .tags = "etcd_launch", .run = task_etcd_start },
	{ .name = "etcd_member", .text = "join the live cluster", .run = task_etcd_member },
	{ .name = "etcd_launch", .text = "restart members that are due, one at a time", .run = task_etcd_launch },
	{ .name = "etcd_vote", .text = "give who joins its vote, once it has caught up", .run = task_etcd_vote },
	{ .name = "etcd_register", .text = "tell the infra nodes", .tags = "register,add_metrics",
	  .run = task_etcd_register },
	{ .name = "etcd_auth", .text = "turn RBAC on", .run = task_etcd_auth },
	{ .name = "etcd_deregister", .text = "take it from the infra nodes", .tags = "deregister,rm_metrics",
	  .run = task_etcd_deregister },
	{ .name = "etcd_leave", .text = "leave the live cluster", .run = task_etcd_leave },
	{ .name = "etcd_stop", .text = "stop the member", .tags = "etcd,etcd_svc,etcd_data", .run = task_etcd_stop },
	{ .name = "etcd_rm_data", .text = "delete its data and configuration", .tags = "etcd_data",
	  .when = "etcd_rm_data", .run = task_etcd_rm_data },
	{ .name = "etcd_rm_pkg", .text = "uninstall it", .tags = "etcd_pkg", .when = "etcd_rm_pkg",
	  .run = task_etcd_rm_pkg },
};

static const struct pig_step steps[] = {
	{ .name = "etcd", .tasks = "etcd_install etcd_dir etcd_cert etcd_conf" },
	{ .name = "etcd_start", .tasks = "etcd_start", .flags = PIG_GATHER },
	{ .name = "etcd_launch", .tasks = "etcd_member etcd_launch etcd_vote etcd_register", .serial = 1,
	  .first = "etcd_first", .health = "etcd_quorum" },
	{ .name = "etcd_auth", .tasks = "etcd_auth", .flags = PIG_ONCE | PIG_GATHER },
};

/* One by one while others stay, as each that leaves changes what a quorum is; the disks side by side. */
#define LOSES "member {{ etcd_cluster }}-{{ etcd_seq }} of etcd cluster {{ etcd_cluster }}" \
	"{{ ', with its data in ' ~ etcd_data if etcd_rm_data else '; its data stays' }}"
static const struct pig_step rm_steps[] = {
	{ .name = "etcd_leave", .tasks = "etcd_deregister etcd_leave", .serial = 1, .flags = PIG_DESTRUCTIVE,
	  .loses = LOSES, .safeguard = "etcd_safeguard" },
	{ .name = "etcd_rm", .tasks = "etcd_stop etcd_rm_data etcd_rm_pkg", .flags = PIG_DESTRUCTIVE, .loses = LOSES,
	  .safeguard = "etcd_safeguard" },
};

static const struct pig_playbook playbooks[] = {
	{ .name = "etcd", .text = "etcd clusters: found, join, configure", .steps = PIG_TABLE(steps) },
	{ .name = "etcd-rm", .text = "remove etcd clusters, or members of one", .steps = PIG_TABLE(rm_steps) },
};

static const struct pig_health health[] = {
	{ .name = "etcd_quorum", .text = "the cluster keeps its quorum without this member", .ok = etcd_quorum },
	{ .name = "answers", .text = "a member takes connections from the host", .ok = etcd_answers },
};

static const struct pig_need needs[] = { { .module = "infra", .version = ">=0.1" } };

static const struct pig_alias aliases[] = {
	{ "etcd", "debian*", "etcd | etcd-server + etcd-client" },
	{ "etcd", "ubuntu*", "etcd | etcd-server + etcd-client" },
};

static const struct pig_listen listens[] = { { .port = "etcd_port" }, { .port = "etcd_peer_port" } };

static const struct etcd_client client = {
	sizeof client, etcd_client_members, etcd_client_endpoints, etcd_client_member, etcd_client_env,
};
static const struct pig_iface ifaces[] = { { ETCD_CLIENT, &client } };

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "etcd", .version = "0.1.0", .text = "etcd clusters", .license = "Apache-2.0",
	.cluster = "etcd_cluster",
	.params_size = sizeof(struct etcd), .needs = PIG_TABLE(needs), .params = PIG_TABLE(params),
		.rules = PIG_TABLE(rules),
	.tasks = PIG_TABLE(tasks), .playbooks = PIG_TABLE(playbooks), .health = PIG_TABLE(health),
		.ifaces = PIG_TABLE(ifaces),
	.aliases = PIG_TABLE(aliases), .listens = PIG_TABLE(listens), .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates });
