/*
 * Module node: what every machine needs before anything runs on it - names, trust, packages, tuning, an admin, time -
 * and what every machine runs: haproxy, node_exporter. Here are its tables; the tasks are in the files named for what
 * they do.
 */
#include "module.h"
#include "node.h"

#include <stdlib.h>

static const struct pig_param server_members[] = {
	{ .name = "name", .type = PIG_STR, .flags = PIG_REQUIRED, .text = "Name of the server in the section." },
	{ .name = "ip", .type = PIG_STR, .flags = PIG_REQUIRED, .text = "Its address." },
	{ .name = "port", .type = PIG_INT, .check = "port", .flags = PIG_REQUIRED, .text = "Its port." },
	{ .name = "options", .type = PIG_STR, .text = "Further words of the server line." },
	{ .name = "backup", .type = PIG_BOOL, .dflt = "false", .text = "Used only when no other server is up?" },
	{ .name = "weight", .type = PIG_INT, .text = "Share of connections, 0 to 255." },
};

static const struct pig_param service_members[] = {
	{ .name = "name", .type = PIG_STR, .check = "name", .flags = PIG_REQUIRED,
		.text = "Name of the section and its file." },
	{ .name = "port", .type = PIG_INT, .check = "port", .flags = PIG_REQUIRED, .text = "Port to listen on." },
	{ .name = "ip", .type = PIG_STR, .dflt = "'*'", .text = "Address to listen on." },
	{ .name = "protocol", .type = PIG_ENUM, .dflt = "tcp", .check = "tcp|http", .text = "Mode of the section." },
	{ .name = "maxconn", .type = PIG_INT, .dflt = "10000", .text = "Most connections at once." },
	{ .name = "balance", .type = PIG_STR, .dflt = "roundrobin", .text = "How servers take turns." },
	{ .name = "options", .type = PIG_LIST, .dflt = "[]", .text = "Further lines of the section." },
	{ .name = "default", .type = PIG_STR, .text = "Words of the default-server line." },
	{ .name = "servers", .type = PIG_LIST, .flags = PIG_REQUIRED, .members = PIG_TABLE(server_members),
	  .text = "Where connections go." },
};

static const struct pig_param params[] = {
	PIG_P_STR(struct node, nodename, .level = PIG_INSTANCE, .check = "/^[A-Za-z0-9][A-Za-z0-9.-]*$/",
		.text = "Explicit name of the node; without it the PostgreSQL instance, else the hostname names it."),
	PIG_P_STR(struct node, node_cluster, .level = PIG_CLUSTER,
		.dflt = "{{ pg_cluster if node_id_from_pg and pg_cluster is defined else 'nodes' }}",
		.text = "Cluster of nodes this one belongs to; a PostgreSQL cluster's name when it has one."),
	PIG_P_BOOL(struct node, nodename_overwrite, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Set system hostname to nodename."),
	PIG_P_BOOL(struct node, nodename_exchange, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Write the names of all nodes into each other's /etc/hosts."),
	PIG_P_BOOL(struct node, node_id_from_pg, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Borrow pg identity for node identity."),
	PIG_P_BOOL(struct node, node_write_etc_hosts, .level = PIG_INSTANCE, .dflt = "true",
		.text = "Allow editing /etc/hosts."),
	PIG_P_LIST(struct node, node_default_etc_hosts, .level = PIG_GLOBAL, .dflt = "[\"${admin_ip} i.pigsty\"]",
		.text = "Global static host records."),
	PIG_P_LIST(struct node, node_etc_hosts, .level = PIG_CLUSTER, .dflt = "[]",
		.text = "Additional static host records."),
	PIG_P_ENUM(struct node, node_dns_method, .level = PIG_CLUSTER, .dflt = "'add'", .check = "add|none|overwrite",
		.text = "How configured name servers are merged: before those there, instead, or not at all."),
	PIG_P_LIST(struct node, node_dns_servers, .level = PIG_CLUSTER, .dflt = "[\"${admin_ip}\"]",
		.text = "Nameservers written to resolv.conf."),
	PIG_P_LIST(struct node, node_dns_options, .level = PIG_CLUSTER,
		.dflt = "[\"options single-request-reopen timeout:1\"]",
		.text = "Option lines written to resolv.conf."),
	PIG_P_STR(struct node, node_repo_modules, .level = PIG_CLUSTER, .dflt = "'local'", .flags = PIG_INERT,
		.text = "Comma list of repo modules added to node."),
	PIG_P_BOOL(struct node, node_repo_remove, .level = PIG_CLUSTER, .dflt = "true", .flags = PIG_INERT,
		.text = "Move existing repo files aside first."),
	PIG_P_LIST(struct node, node_packages, .level = PIG_CLUSTER, .dflt = "[\"openssh-server\"]",
		.text = "Packages the node shall have besides node_default_packages."),
	PIG_P_LIST(struct node, node_default_packages, .level = PIG_GLOBAL, .dflt = "[node-base]",
		.text = "Packages every node shall have; node-base stands for a list of the OS."),
	PIG_P_STR(struct node, node_uv_env, .level = PIG_CLUSTER, .dflt = "'/data/venv'", .check = "path",
		.flags = PIG_INERT, .text = "Python venv path made by uv; empty skips."),
	PIG_P_STR(struct node, node_pip_packages, .level = PIG_CLUSTER, .dflt = "''", .flags = PIG_INERT,
		.text = "Pip packages installed into the venv."),
	PIG_P_ENUM(struct node, node_selinux_mode, .level = PIG_CLUSTER, .dflt = "'permissive'",
		.check = "enforcing|permissive|disabled", .flags = PIG_INERT, .text = "SELinux mode to enforce."),
	PIG_P_ENUM(struct node, node_firewall_mode, .level = PIG_CLUSTER, .dflt = "'zone'", .check = "zone|off|none",
		.flags = PIG_INERT, .text = "Firewall handling."),
	PIG_P_LIST(struct node, node_firewall_intranet, .level = PIG_CLUSTER,
		.dflt = "[\"10.0.0.0/8\", \"192.168.0.0/16\", \"172.16.0.0/12\"]",
		.check = "cidr", .text = "Networks trusted as one's own: the address word \"intra\" of HBA rules."),
	PIG_P_LIST(struct node, node_firewall_public_port, .level = PIG_CLUSTER, .dflt = "[22, 80, 443]",
		.check = "port", .flags = PIG_INERT, .text = "TCP ports opened to everyone."),
	PIG_P_BOOL(struct node, node_disable_numa, .level = PIG_CLUSTER, .dflt = "false", .flags = PIG_INERT,
		.text = "Turn NUMA off through kernel args."),
	PIG_P_BOOL(struct node, node_disable_swap, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Turn swap off and unmount it."),
	PIG_P_BOOL(struct node, node_static_network, .level = PIG_CLUSTER, .dflt = "true", .flags = PIG_INERT,
		.text = "Keep DHCP from rewriting DNS on EL."),
	PIG_P_BOOL(struct node, node_disk_prefetch, .level = PIG_CLUSTER, .dflt = "false", .flags = PIG_INERT,
		.text = "Raise block device readahead at boot."),
	PIG_P_LIST(struct node, node_kernel_modules, .level = PIG_CLUSTER,
		.dflt = "[\"softdog\", \"ip_vs\", \"ip_vs_rr\", \"ip_vs_wrr\", \"ip_vs_sh\"]",
		.check = "/^[A-Za-z0-9_-]+$/",
		.text = "Kernel modules loaded now and at boot."),
	PIG_P_INT(struct node, node_hugepage_count, .level = PIG_CLUSTER, .dflt = "0",
		.text = "Number of 2MB huge pages, capped at 90% memory."),
	PIG_P(struct node, node_hugepage_ratio, double, PIG_FLOAT, .level = PIG_CLUSTER, .dflt = "0",
		.text = "Fraction of memory as huge pages, below 0.9."),
	PIG_P_INT(struct node, node_overcommit_ratio, .level = PIG_CLUSTER, .dflt = "0",
		.text = "Percent for strict overcommit; 0 disables."),
	PIG_P_ENUM(struct node, node_tune, .level = PIG_CLUSTER, .dflt = "'oltp'",
		.check = "none|oltp|olap|crit|tiny", .text = "Tuned profile to activate."),
	PIG_P_MAP(struct node, node_sysctl_params, .level = PIG_CLUSTER, .dflt = "{\"fs.nr_open\": 8388608}",
		.text = "Extra sysctl settings."),
	PIG_P_STR(struct node, node_data, .level = PIG_CLUSTER, .dflt = "'/data'", .check = "path",
		.text = "Top-level data directory."),
	PIG_P_BOOL(struct node, node_admin_enabled, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Create an admin account."),
	PIG_P_INT(struct node, node_admin_uid, .level = PIG_CLUSTER, .dflt = "88",
		.text = "Uid, and gid of group admin."),
	PIG_P_STR(struct node, node_admin_username, .level = PIG_CLUSTER, .dflt = "'dba'",
		.check = "/^[a-z_][a-z0-9_-]*$/",
		.text = "Admin account name."),
	PIG_P_ENUM(struct node, node_admin_sudo, .level = PIG_CLUSTER, .dflt = "'nopass'",
		.check = "limit|nopass|all", .text = "Sudo rights of group admin."),
	PIG_P_BOOL(struct node, node_admin_ssh_exchange, .level = PIG_CLUSTER, .dflt = "true", .flags = PIG_INERT,
		.text = "Share the admin users' ssh keys among nodes."),
	PIG_P_BOOL(struct node, node_admin_pk_current, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Authorize the operator's own public keys."),
	PIG_P_LIST(struct node, node_admin_pk_list, .level = PIG_CLUSTER, .dflt = "[]",
		.text = "Extra public keys to authorize."),
	PIG_P_MAP(struct node, node_aliases, .level = PIG_INSTANCE, .dflt = "{}",
		.text = "Shell aliases written to profile.d."),
	PIG_P_STR(struct node, node_timezone, .level = PIG_CLUSTER, .dflt = "''",
		.check = "/^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$/",
		.text = "Timezone name; empty leaves it."),
	PIG_P_BOOL(struct node, node_ntp_enabled, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Configure and run chrony."),
	PIG_P_LIST(struct node, node_ntp_servers, .level = PIG_CLUSTER, .dflt = "[\"pool pool.ntp.org iburst\"]",
		.text = "Chrony source lines."),
	PIG_P_BOOL(struct node, node_crontab_overwrite, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Replace /etc/crontab rather than append."),
	PIG_P_LIST(struct node, node_crontab, .level = PIG_CLUSTER, .dflt = "[]", .text = "Lines for /etc/crontab."),
	PIG_P_BOOL(struct node, vip_enabled, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Run keepalived for a node-cluster VIP."),
	PIG_P_STR(struct node, vip_address, .level = PIG_CLUSTER, .check = "ip",
		.text = "Shared IPv4 address of the node cluster."),
	PIG_P_INT(struct node, vip_vrid, .level = PIG_CLUSTER, .text = "VRRP router id 1-254, unique per VLAN."),
	PIG_P_ENUM(struct node, vip_role, .level = PIG_INSTANCE, .dflt = "'backup'", .check = "master|backup",
		.text = "Initial VRRP state."),
	PIG_P_BOOL(struct node, vip_preempt, .level = PIG_INSTANCE, .dflt = "false",
		.text = "Allow VRRP preemption."),
	PIG_P_STR(struct node, vip_interface, .level = PIG_INSTANCE, .dflt = "'auto'",
		.text = "NIC for VRRP; auto finds the one with inventory ip."),
	PIG_P_STR(struct node, vip_dns_suffix, .level = PIG_CLUSTER, .dflt = "''", .flags = PIG_INERT,
		.text = "Suffix appended to the VIP dns name."),
	PIG_P_STR(struct node, vip_auth_pass, .level = PIG_CLUSTER, .dflt = "''", .flags = PIG_SECRET,
		.text = "VRRP secret; empty uses cluster-vrid."),
	PIG_P_INT(struct node, vip_exporter_port, .level = PIG_CLUSTER, .dflt = "9650", .check = "port",
		.flags = PIG_INERT, .text = "Keepalived exporter port."),
	PIG_P_BOOL(struct node, haproxy_enabled, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Run haproxy on node."),
	PIG_P_BOOL(struct node, haproxy_clean, .level = PIG_CLUSTER, .dflt = "false", .flags = PIG_INERT,
		.text = "Delete existing haproxy config first."),
	PIG_P_BOOL(struct node, haproxy_reload, .level = PIG_ARG, .dflt = "true", .flags = PIG_INERT,
		.text = "Validate and reload after config."),
	PIG_P_BOOL(struct node, haproxy_auth_enabled, .level = PIG_GLOBAL, .dflt = "true",
		.text = "Log in to change things on the statistics page? Without it nothing can be changed."),
	PIG_P_STR(struct node, haproxy_admin_username, .level = PIG_GLOBAL, .dflt = "'admin'",
		.text = "Stats page admin login."),
	PIG_P_STR(struct node, haproxy_admin_password, .level = PIG_GLOBAL, .dflt = "'pigsty'", .flags = PIG_SECRET,
		.text = "Stats page admin secret."),
	PIG_P_INT(struct node, haproxy_exporter_port, .level = PIG_CLUSTER, .dflt = "9101", .check = "port",
		.text = "Stats and metrics port."),
	PIG_P_STR(struct node, haproxy_client_timeout, .level = PIG_CLUSTER, .dflt = "'24h'", .check = "interval",
		.text = "Client idle timeout."),
	PIG_P_STR(struct node, haproxy_server_timeout, .level = PIG_CLUSTER, .dflt = "'24h'", .check = "interval",
		.text = "Server idle timeout."),
	PIG_P_LIST(struct node, haproxy_services, .level = PIG_CLUSTER, .dflt = "[]",
		.members = PIG_TABLE(service_members),
		.text = "Custom listeners to publish on node."),
	PIG_P_BOOL(struct node, node_exporter_enabled, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Run node_exporter."),
	PIG_P_INT(struct node, node_exporter_port, .level = PIG_CLUSTER, .dflt = "9100", .check = "port",
		.text = "Port of node_exporter."),
	PIG_P_STR(struct node, node_exporter_options, .level = PIG_CLUSTER,
		.dflt = "'--no-collector.softnet --no-collector.nvme --collector.tcpstat --collector.processes'",
		.text = "Further flags of node_exporter."),
	PIG_P_BOOL(struct node, vector_enabled, .level = PIG_CLUSTER, .dflt = "true", .flags = PIG_INERT,
		.text = "Run the vector log agent."),
	PIG_P_BOOL(struct node, vector_clean, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Remove vector data and configuration first."),
	PIG_P_STR(struct node, vector_data, .level = PIG_CLUSTER, .dflt = "'/data/vector'", .check = "path",
		.flags = PIG_INERT, .text = "Vector state directory."),
	PIG_P_INT(struct node, vector_port, .level = PIG_CLUSTER, .dflt = "9598", .check = "port", .flags = PIG_INERT,
		.text = "Vector metrics port."),
	PIG_P_ENUM(struct node, vector_read_from, .level = PIG_CLUSTER, .dflt = "'beginning'",
		.check = "beginning|end", .flags = PIG_INERT, .text = "Where file sources start."),
	PIG_P_LIST(struct node, vector_log_endpoint, .level = PIG_CLUSTER, .dflt = "[\"infra\"]", .flags = PIG_INERT,
		.text = "Log sinks: [infra] or explicit URLs."),
	PIG_P_STR(struct node, node_tuned_profile_dir, .level = PIG_CLUSTER, .dflt = "'/etc/tuned'", .check = "path",
		.text = "Folder of tuned profiles."),
};

struct node_name { const char *name, *host; const pig_value *at; size_t place; };

static int by_name(const void *x, const void *y)
{
	const struct node_name *a = x, *b = y;
	int d = strcmp(a->name, b->name);

	return d ? d : a->place < b->place ? -1 : a->place > b->place;
}

/* Two nodes of one name would share what is kept by name: certificates, metrics, haproxy's page. */
static void check_names(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, NULL);
	size_t n = c->val->len(hosts), k = 0;
	struct node_name *names = c->api->alloc(c, (n + 1) * sizeof *names);

	for (size_t i = 0; i < n; i++) {
		const char *host = c->val->str(c->val->at(hosts, i), "");
		const pig_value *cluster = c->api->get(c, host, "pg_cluster"), *seq = c->api->get(c, host, "pg_seq");
		const pig_value *name = c->api->get(c, host, "nodename");
		bool from_pg = c->val->truth(c->api->get(c, host, "node_id_from_pg"), true);
		const char *text = from_pg && c->val->len(cluster) && c->val->type(seq) == PIG_INT
					   ? c->api->fmt(c, "%s-%" PRId64, c->val->str(cluster, ""), c->val->num(seq, 0))
					   : c->val->str(name, NULL);
		if (text)
			names[k++] = (struct node_name){ text, host, name, i };
	}
	qsort(names, k, sizeof *names, by_name);
	for (size_t i = 1; i < k; i++)
		if (!strcmp(names[i - 1].name, names[i].name))
			c->api->fault(c, names[i].at, "hosts %s and %s are both named \"%s\"", names[i - 1].host, names[i].host,
				      names[i].name);
}

static const struct pig_rule rules[] = {
	{ .id = "node_names", .scope = PIG_ALL, .warn = 1, .check = check_names },
	{ .id = "node_ntp_servers", .scope = PIG_HOST, .warn = 1,
	  .must = "not node_ntp_enabled or node_ntp_servers | length > 0",
	  .say = "time is kept but no server is named",
	  .hint = "Add a line to node_ntp_servers or turn node_ntp_enabled off." },
	{ .id = "vip_address", .scope = PIG_HOST, .must = "not vip_enabled or vip_address is defined",
	  .say = "vip_enabled without vip_address", .hint = "Give the address the node cluster shares." },
	{ .id = "vip_vrid", .scope = PIG_HOST,
	  .must = "not vip_enabled or (vip_vrid is defined and vip_vrid > 0 and vip_vrid < 255)",
	  .say = "vip_enabled needs vip_vrid from 1 to 254",
	  .hint = "Choose a number no other VRRP group of this network has." },
	{ .id = "node_hugepage_ratio", .scope = PIG_HOST,
		.must = "node_hugepage_ratio >= 0 and node_hugepage_ratio < 0.9",
	  .say = "node_hugepage_ratio must be less than 0.9", .hint = "The rest of the system needs memory, too." },
	{ .id = "node_data", .scope = PIG_HOST, .must = "node_data not in ['', '/']",
		.say = "node_data names no folder" },
};

static const struct pig_taskdef tasks[] = {
	{ .name = "node_id", .text = "look at the node", .tags = "always", .run = task_node_id },
	{ .name = "node_name", .text = "set the hostname", .when = "nodename_overwrite", .run = task_node_name },
	{ .name = "node_hosts", .text = "write static names", .when = "node_write_etc_hosts", .run = task_node_hosts },
	{ .name = "node_resolv", .text = "name name servers", .when = "node_dns_method != 'none'",
		.run = task_node_resolv },
	{ .name = "node_pkg", .text = "install packages", .tags = "node_install,node_pkg_default,node_pkg_extra",
	  .run = task_node_pkg },
	{ .name = "node_ca", .text = "trust the local CA", .run = task_node_ca },
	{ .name = "node_feature", .text = "turn swap off", .when = "node_disable_swap", .run = task_node_feature },
	{ .name = "node_kernel", .text = "load kernel modules", .when = "node_kernel_modules | length > 0",
	  .run = task_node_kernel },
	{ .name = "node_tune", .text = "tune by a profile", .when = "node_tune != 'none'", .tags = "node_tune_active",
	  .run = task_node_tune },
	{ .name = "node_sysctl", .text = "set kernel parameters", .when = "node_sysctl_params | length > 0",
	  .run = task_node_sysctl },
	{ .name = "node_profile", .text = "settings of login shells", .tags = "node_alias", .run = task_node_profile },
	{ .name = "node_ulimit", .text = "limits of login sessions", .run = task_node_ulimit },
	{ .name = "node_data", .text = "make the data folder", .run = task_node_data },
	{ .name = "node_admin", .text = "make the admin account", .when = "node_admin_enabled",
	  .tags = "node_admin_pk_list,node_admin_pk_current", .run = task_node_admin },
	{ .name = "node_timezone", .text = "set the time zone", .when = "node_timezone != ''",
		.run = task_node_timezone },
	{ .name = "node_ntp", .text = "keep time with chrony", .when = "node_ntp_enabled",
	  .tags = "node_ntp_install,node_ntp_config,node_ntp_launch", .run = task_node_ntp },
	{ .name = "node_crontab", .text = "write the crontab", .run = task_node_crontab },
	{ .name = "node_vip", .text = "share an address by keepalived", .when = "vip_enabled",
	  .tags = "vip_config,vip_launch,vip_reload,vip_refresh", .run = task_node_vip },
	{ .name = "haproxy_install", .text = "install haproxy", .when = "haproxy_enabled",
		.tags = "haproxy", .run = task_haproxy_install },
	{ .name = "haproxy_config", .text = "configure haproxy", .when = "haproxy_enabled",
		.tags = "haproxy", .run = task_haproxy_config },
	{ .name = "haproxy_launch", .text = "run haproxy, reload it when due", .when = "haproxy_enabled",
	  .tags = "haproxy,haproxy_reload", .run = task_haproxy_launch },
	{ .name = "node_exporter", .text = "publish the node's metrics",
		.tags = "monitor,node_exporter_config,node_exporter_launch",
	  .run = task_node_exporter },
};

/* one step: its tasks share their frames, and a node waits for no other */
static const struct pig_step steps[] = {
	{ .name = "node", .hosts = "all",
	  .tasks = "node_id node_name node_hosts node_resolv node_pkg node_ca node_feature node_kernel node_tune "
		   "node_sysctl node_profile node_ulimit node_data node_admin node_timezone node_ntp "
		   "node_crontab node_vip haproxy_install haproxy_config haproxy_launch node_exporter" },
};

static const struct pig_playbook playbooks[] = {
	{ .name = "node", .text = "prepare nodes: names, trust, packages, tuning, admin, time, haproxy, metrics",
	  .steps = PIG_TABLE(steps) },
};

static const struct pig_need needs[] = { { .module = "infra", .version = ">=0.1" } };

static const struct pig_alias aliases[] = {
	{ "node-base", "debian*", "ca-certificates + cron + curl + iproute2 + procps + rsync + sudo" },
	{ "node-base", "ubuntu*", "ca-certificates + cron + curl + iproute2 + procps + rsync + sudo" },
	{ "node-base", "*", "ca-certificates + cronie + curl + iproute + procps-ng + rsync + sudo" },
	{ "node-exporter", "debian*", "node-exporter | prometheus-node-exporter" },
	{ "node-exporter", "ubuntu*", "node-exporter | prometheus-node-exporter" },
	{ "node-exporter", "*", "node_exporter | golang-github-prometheus-node-exporter" },
};

static const struct node_haproxy haproxy = { sizeof haproxy, haproxy_service, haproxy_reload };
static const struct node_identity identity = { sizeof identity, node_name_of, node_address_of };
static const struct pig_iface ifaces[] = { { NODE_HAPROXY, &haproxy }, { NODE_IDENTITY, &identity } };

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "node", .version = "0.1.0", .text = "a machine made ready", .license = "Apache-2.0",
	.cluster = "node_cluster",
	.params_size = sizeof(struct node), .needs = PIG_TABLE(needs), .params = PIG_TABLE(params),
		.rules = PIG_TABLE(rules),
	.tasks = PIG_TABLE(tasks), .playbooks = PIG_TABLE(playbooks), .ifaces = PIG_TABLE(ifaces),
		.aliases = PIG_TABLE(aliases),
	.templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates });
