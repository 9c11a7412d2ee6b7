/*
 * Module infra: the base every other module builds on (who the admin node is, the local CA, where exporters publish
 * metrics) and what runs on infra nodes: portal, names, metrics, alerts. Its tables are here.
 */
#include "module.h"
#include "infra.h"
#include "repo_rules.h"
#include "verbs.h"

#define ON_INFRA "'infra' not in group_names or "

static const struct pig_rule rules[] = {
	REPO_RULES,
	{ .id = "infra_seq", .scope = PIG_HOST, .warn = 1,
	  .must = "'infra' not in group_names or infra_seq is defined",
	  .say = "the host is in group \"infra\" and has no infra_seq",
	  .hint = "Number the infra nodes: infra_seq: 1, 2, ..." },
	{ .id = "infra_seq_range", .scope = PIG_HOST, .must = "infra_seq is not defined or infra_seq >= 0",
	  .say = "infra_seq must not be negative" },
	{ .id = "infra_seqs", .scope = PIG_ALL, .check = infra_check_seqs },
	{ .id = "infra_data", .scope = PIG_HOST, .must = "infra_data not in ['', '/', '/etc', '/var', '/usr', '/home', '/data']",
	  .say = "infra_data must be a folder of its own", .hint = "infra-rm removes it." },
	{ .id = "nginx_data", .scope = PIG_HOST, .must = "nginx_data not in ['', '/', '/etc', '/var', '/usr', '/home', '/data']",
	  .say = "nginx_data must be a folder of its own", .hint = "infra-rm removes it." },
	{ .id = "nginx_home", .scope = PIG_HOST, .must = "nginx_home not in ['', '/', '/etc', '/var', '/usr', '/home', '/data']",
	  .say = "nginx_home must be a path of its own", .hint = "infra-rm removes it." },
	{ .id = "vmalert_alone", .scope = PIG_HOST, .warn = 1,
	  .must = ON_INFRA "not vmalert_enabled or vmetrics_enabled",
	  .say = "vmalert has no metrics to look at: vmetrics_enabled is false",
	  .hint = "It does not run then; turn vmalert_enabled off as well." },
	{ .id = "alerts_told", .scope = PIG_HOST, .warn = 1,
	  .must = ON_INFRA "not vmalert_enabled or groups['infra'] | map('extract', hostvars) | "
		"selectattr('alertmanager_enabled') | list | length > 0",
	  .say = "alerts are found and no Alertmanager is told", .hint = "Set alertmanager_enabled on an infra node." },
	{ .id = "pings_asked", .scope = PIG_HOST, .warn = 1,
	  .must = ON_INFRA "not vmetrics_enabled or blackbox_enabled",
	  .say = "nodes are to be pinged and blackbox_enabled is false", .hint = "Their ping targets will be down." },
	{ .id = "scrape_timeout", .scope = PIG_ALL, .check = infra_check_scraping },
	{ .id = "scrape_interval", .scope = PIG_HOST,
	  .must = "vmetrics_scrape_interval is match('[1-9][0-9]*(ms|s|m|h)$')",
	  .say = "vmetrics_scrape_interval must be a whole number of ms, s, m or h" },
	{ .id = "repo_name", .scope = PIG_HOST, .must = "repo_name is match('[A-Za-z0-9_.-]+$') and repo_name not in ['.', '..']",
	  .say = "repo_name must be the name of a folder" },
	{ .id = "certbot_email", .scope = PIG_HOST, .warn = 1,
	  .must = "not certbot_sign or certbot_email != 'your@email.com'",
	  .say = "certbot_sign is on and certbot_email is nobody's", .hint = "Name someone who reads it." },
	{ .id = "nginx_users", .scope = PIG_HOST,
	  .must = "nginx_users | reject('match', '[A-Za-z0-9_.@-]+$') | list | length == 0",
	  .say = "nginx_users has a name with characters that a password file cannot hold" },
	{ .id = "infra_portal", .scope = PIG_HOST, .check = infra_check_portal, .flags = PIG_BY_VALUES },
	{ .id = "admin_ip", .scope = PIG_ALL, .warn = 1, .check = infra_check_admin },
	{ .id = "dns_records", .scope = PIG_HOST, .warn = 1, .check = infra_check_records, .flags = PIG_BY_VALUES },
	{ .id = "infra_links", .scope = PIG_HOST, .check = infra_check_links, .flags = PIG_BY_VALUES },
	{ .id = "alertmanager_webhooks", .scope = PIG_HOST, .check = infra_check_webhooks, .flags = PIG_BY_VALUES },
};

static const struct pig_taskdef tasks[] = {
	{ .name = "ca", .text = "make the local CA when there is none", .tags = "ca_dir,ca_private,ca_cert", .run = task_ca },
	{ .name = "infra_look", .text = "look which parts can run", .tags = "always", .run = task_infra_look },
	{ .name = "infra_dir", .text = "make folders", .tags = "infra_dir_data,infra_dir_link,infra_dir_create",
	  .run = task_infra_dir },
	{ .name = "infra_pkg", .text = "install packages", .run = task_infra_pkg },
	{ .name = "infra_user", .text = "make accounts, and their folders", .tags = "infra_dir_create", .run = task_infra_user },
	{ .name = "infra_env", .text = "settings of operators",
	  .tags = "env_patroni,env_pg,env_pgpass,env_pgscv,env_etcd,env_var", .run = task_infra_env },
	{ .name = "infra_cert", .text = "issue the node's certificate", .tags = "infra_cert_issue,infra_cert_copy",
	  .run = task_infra_cert },
	{ .name = "dns", .text = "serve names by dnsmasq", .tags = "dns_dir,dns_config,dns_record,dns_launch", .run = task_dns },
	{ .name = "nginx", .text = "serve the portal by nginx",
	  .tags = "nginx_dir,nginx_config,nginx_clean,nginx_cert,nginx_cert_issue,nginx_cert_copy,nginx_static,nginx_ca,"
		  "nginx_index,nginx_pev,nginx_launch,nginx_reload,nginx_certbot", .run = task_nginx },
	{ .name = "nginx_exporter", .text = "metrics of nginx", .tags = "nginx", .run = task_nginx_exporter },
	{ .name = "vmetrics", .text = "keep metrics by VictoriaMetrics",
	  .tags = "victoria,vmetrics_clean,vmetrics_config,vmetrics_launch", .run = task_vmetrics },
	{ .name = "vlogs", .text = "keep logs by VictoriaLogs", .tags = "victoria,vlogs_clean,vlogs_config,vlogs_launch",
	  .run = task_vlogs },
	{ .name = "vtraces", .text = "keep traces by VictoriaTraces",
	  .tags = "victoria,vtraces_clean,vtraces_config,vtraces_launch", .run = task_vtraces },
	{ .name = "vmalert", .text = "find alerts by vmalert", .tags = "victoria,vmalert_config,vmalert_launch",
	  .run = task_vmalert },
	{ .name = "alertmanager", .text = "tell of alerts by Alertmanager", .tags = "alertmanager_config,alertmanager_launch",
	  .run = task_alertmanager },
	{ .name = "blackbox", .text = "look from outside by the Blackbox exporter", .tags = "blackbox_config,blackbox_launch",
	  .run = task_blackbox },
	{ .name = "grafana", .text = "dashboards by Grafana",
	  .tags = "grafana_clean,grafana_dir,grafana_config,grafana_provision,dashboard_sync,grafana_launch", .run = task_grafana },
	{ .name = "infra_admin", .text = "pig and the inventory, to administrate from here", .run = task_infra_admin },
	{ .name = "infra_register", .text = "register the parts as targets", .tags = "register,add_metrics,add_logs",
	  .run = task_infra_register },
	{ .name = "infra_deregister", .text = "registered no more", .tags = "deregister,rm_metrics", .run = task_rm_register },
	{ .name = "infra_stop", .text = "stop all parts", .tags = "service", .run = task_rm_service },
	{ .name = "infra_config_rm", .text = "remove configuration", .tags = "config", .run = task_rm_config },
	{ .name = "infra_env_rm", .text = "remove operators' settings", .tags = "env", .run = task_rm_env },
	{ .name = "infra_data_rm", .text = "remove metrics and web content", .tags = "data", .run = task_rm_data },
	{ .name = "infra_package_rm", .text = "uninstall packages", .tags = "package", .run = task_rm_package },
};

static const struct pig_step steps[] = {
	{ .name = "ca", .hosts = "infra", .tasks = "ca", .flags = PIG_ONCE },
	{ .name = "infra", .hosts = "infra",
	  .tasks = "infra_look infra_dir infra_pkg infra_user infra_env infra_cert dns nginx nginx_exporter vmetrics vlogs "
		   "vtraces vmalert alertmanager blackbox grafana infra_admin infra_register" },
};

/* Told before any host is touched: the metrics, and the packages that nodes may install from. */
#define LOSES "metrics, alerts, web content and the local repo of infra-{{ infra_seq | default('?') }}: {{ infra_data }}, {{ nginx_data }}"
static const struct pig_step rm_steps[] = {
	{ .name = "infra_rm", .hosts = "infra", .flags = PIG_DESTRUCTIVE, .loses = LOSES,
	  .tasks = "infra_deregister infra_stop infra_config_rm infra_env_rm infra_data_rm infra_package_rm" },
};

/*
 * Everything, in the order of what needs what. Hosts wait for each other only where a step says so: nodes take their
 * packages from infra nodes, databases need etcd; clusters are made side by side.
 */
static const struct pig_step deploy_steps[] = {
	{ .name = "infra", .playbook = "infra" }, { .name = "node", .playbook = "node" },
	{ .name = "etcd", .playbook = "etcd" },	  { .name = "minio", .playbook = "minio" },
	{ .name = "pgsql", .playbook = "pgsql" }, { .name = "redis", .playbook = "redis" },
};
static const struct pig_step slim_steps[] = {
	{ .name = "node", .playbook = "node" },
	{ .name = "etcd", .playbook = "etcd" },
	{ .name = "pgsql", .playbook = "pgsql" },
};
static const struct pig_playbook playbooks[] = {
	{ .name = "deploy", .text = "all modules, in the order of what needs what", .steps = PIG_TABLE(deploy_steps) },
	{ .name = "slim", .text = "nodes, etcd and PostgreSQL, without infrastructure", .steps = PIG_TABLE(slim_steps) },
	{ .name = "infra", .text = "infra nodes: portal, names, metrics, alerts", .steps = PIG_TABLE(steps) },
	{ .name = "infra-rm", .text = "infra nodes: remove it all", .steps = PIG_TABLE(rm_steps) },
};

static const struct pig_alias aliases[] = {
	{ "vmalert", "debian*", "vmutils | victoria-metrics" },
	{ "vmalert", "ubuntu*", "vmutils | victoria-metrics" },
	{ "vmalert", "*", "vmutils" },
	{ "alertmanager", "*", "alertmanager | prometheus-alertmanager" },
	{ "blackbox-exporter", "*", "blackbox-exporter | prometheus-blackbox-exporter" },
	{ "pig-libraries", "debian*", "libyaml-0-2 + libssh2-1 + libssl3 + libpcre2-8-0" },
	{ "pig-libraries", "*", "libyaml + libssh2 + openssl-libs + pcre2" },
	{ "nginx-exporter", "*", "nginx-exporter | prometheus-nginx-exporter" },
};

static const struct infra_register registration = { sizeof registration, infra_target, infra_dns, infra_page };
static const struct pig_iface ifaces[] = { { INFRA_REGISTER, &registration } };

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "infra", .version = "0.1.0",
	.text = "base of the infrastructure: admin node, CA, portal, names, metrics, alerts", .license = "Apache-2.0",
	.params_size = sizeof(struct infra), .params = { infra_params, INFRA_PARAMS, sizeof *infra_params },
	.rules = PIG_TABLE(rules), .tasks = PIG_TABLE(tasks), .playbooks = PIG_TABLE(playbooks), .ifaces = PIG_TABLE(ifaces),
	.aliases = PIG_TABLE(aliases), .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates },
	.listens = { infra_listens, INFRA_LISTENS, sizeof *infra_listens },
	.others = { infra_others, INFRA_OTHERS, sizeof *infra_others }, .verbs = PIG_TABLE(infra_verbs));
