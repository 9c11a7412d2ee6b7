/*
 * Module infra, its base: the parameters every other module builds on (who the admin node is, the local CA, where
 * exporters publish metrics), and the names of the rest of INFRA and REPO, so that existing inventories check clean.
 * It has no playbook yet; parameters nothing acts on are marked PIG_INERT, which the user is told when one is set.
 */
#include <pig.h>
#include "verbs.h"

struct infra {
	const char *version;
	const char *admin_ip;
	const char *region;
	const pig_value *proxy_env;
	const char *language;
	bool ca_create;
	const char *ca_cn;
	const char *cert_validity;
	const pig_value *infra_services;
	const pig_value *infra_extra_services;
	int64_t infra_seq;
	const pig_value *infra_portal;
	const char *infra_data;
	const pig_value *infra_packages;
	bool nginx_enabled;
	bool nginx_clean;
	bool nginx_exporter_enabled;
	int64_t nginx_exporter_port;
	const char *nginx_sslmode;
	const char *nginx_cert_validity;
	const char *nginx_home;
	const char *nginx_data;
	const pig_value *nginx_users;
	int64_t nginx_port;
	int64_t nginx_ssl_port;
	bool certbot_sign;
	const char *certbot_email;
	const char *certbot_options;
	bool dns_enabled;
	int64_t dns_port;
	const pig_value *dns_records;
	const char *vmetrics_scrape_interval;
	const char *vmetrics_scrape_timeout;
	bool vmetrics_enabled;
	bool vmetrics_clean;
	int64_t vmetrics_port;
	const char *vmetrics_options;
	bool vlogs_enabled;
	bool vlogs_clean;
	int64_t vlogs_port;
	const char *vlogs_options;
	bool vtraces_enabled;
	bool vtraces_clean;
	int64_t vtraces_port;
	const char *vtraces_options;
	bool vmalert_enabled;
	int64_t vmalert_port;
	const char *vmalert_options;
	bool blackbox_enabled;
	int64_t blackbox_port;
	const char *blackbox_options;
	bool alertmanager_enabled;
	int64_t alertmanager_port;
	const char *alertmanager_options;
	const char *exporter_metrics_path;
	bool grafana_enabled;
	int64_t grafana_port;
	bool grafana_clean;
	const char *grafana_admin_username;
	const char *grafana_admin_password;
	bool grafana_auth_proxy;
	const char *grafana_pgurl;
	const char *grafana_view_password;
	bool repo_enabled;
	const char *repo_home;
	const char *repo_name;
	const char *repo_endpoint;
	bool repo_remove;
	const char *repo_modules;
	const pig_value *repo_upstream;
	const pig_value *repo_packages;
	const pig_value *repo_extra_packages;
	const pig_value *repo_url_packages;
	bool repo_build;
};

static const struct pig_param params[] = {
	PIG_P_STR(struct infra, version, .level = PIG_GLOBAL, .dflt = "'v4.5.0'",
		.text = "Release tag of the distribution in use."),
	PIG_P_STR(struct infra, admin_ip, .level = PIG_GLOBAL, .dflt = "'10.10.10.10'", .check = "ip",
		.text = "Control node address; substituted for ${admin_ip} everywhere."),
	PIG_P_ENUM(struct infra, region, .level = PIG_GLOBAL, .dflt = "'default'", .check = "default|china|europe",
		.flags = PIG_INERT, .text = "Which mirror set to pick upstream repo URLs from."),
	PIG_P_MAP(struct infra, proxy_env, .level = PIG_GLOBAL,
		.dflt = "{\"no_proxy\": \"localhost,127.0.0.1,10.0.0.0/8,192.168.0.0/16,*.pigsty,*.aliyun.com,"
			"mirrors.*,*.myqcloud.com,*.tsinghua.edu.cn\"}",
		.flags = PIG_INERT,
		.text = "Environment exported to download and install tasks (http_proxy, no_proxy...)."),
	PIG_P_ENUM(struct infra, language, .level = PIG_GLOBAL, .dflt = "'en'", .check = "en|zh", .flags = PIG_INERT,
		.text = "UI language used by Grafana."),
	PIG_P_BOOL(struct infra, ca_create, .level = PIG_GLOBAL, .dflt = "true",
		.text = "Generate a CA when absent; false aborts instead."),
	PIG_P_STR(struct infra, ca_cn, .level = PIG_GLOBAL, .dflt = "'pigsty-ca'",
		.text = "Common name put into the self-signed CA."),
	PIG_P_STR(struct infra, cert_validity, .level = PIG_GLOBAL, .dflt = "'7300d'", .check = "interval",
		.text = "Lifetime of certificates issued by the CA."),
	PIG_P_LIST(struct infra, infra_services, .level = PIG_GLOBAL,
		.dflt = "[{\"name\": \"Metrics\", \"url\": \"/vmetrics/vmui/\", \"icon\": \"metrics\"}, {\"name\": "
			"\"Logs\", \"url\": \"/vlogs/select/vmui/\", \"icon\": \"logs\"}, {\"name\": \"Traces\","
			" \"url\": \"/vtraces/select/vmui/\", \"icon\": \"traces\"}, {\"name\": \"Monitor Targets\","
			" \"url\": \"/vmetrics/targets\", \"icon\": \"target\"}, {\"name\": \"Alert Rules\", \"url\": "
			"\"/vmalert/vmalert/groups\", \"icon\": \"alert\"}, {\"name\": \"Alert Manager\", \"url\": "
			"\"/alertmgr/#/alerts\", \"icon\": \"alertmgr\"}, {\"name\": \"CA Certificate\", \"url\": "
			"\"/ca.crt\", \"icon\": \"lock\"}, {\"name\": \"Software Repo\", \"url\": \"/pigsty\","
			" \"icon\": \"package\"}, {\"name\": \"Explain Visualizer\", \"url\": \"/pev\", \"icon\": "
			"\"search\"}]",
		.flags = PIG_INERT, .text = "Built-in links on the portal home page."),
	PIG_P_LIST(struct infra, infra_extra_services, .level = PIG_GLOBAL, .dflt = "[]", .flags = PIG_INERT,
		.text = "Additional links appended to the home page."),
	PIG_P_INT(struct infra, infra_seq, .level = PIG_INSTANCE, .text = "Ordinal that identifies an infra node."),
	PIG_P_MAP(struct infra, infra_portal, .level = PIG_GLOBAL, .dflt = "{\"home\": {\"domain\": \"i.pigsty\"}}",
		.flags = PIG_INERT, .text = "Virtual hosts published by nginx, keyed by name."),
	PIG_P_STR(struct infra, infra_data, .level = PIG_GLOBAL, .dflt = "'/data/infra'", .check = "path",
		.flags = PIG_INERT, .text = "Root directory of observability state."),
	PIG_P_LIST(struct infra, infra_packages, .level = PIG_GLOBAL, .flags = PIG_INERT,
		.text = "Packages for infra nodes; unset means OS default list."),
	PIG_P_BOOL(struct infra, nginx_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run the nginx portal on this infra node."),
	PIG_P_BOOL(struct infra, nginx_clean, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Wipe existing conf.d before rendering."),
	PIG_P_BOOL(struct infra, nginx_exporter_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run the nginx metrics exporter."),
	PIG_P_INT(struct infra, nginx_exporter_port, .level = PIG_GLOBAL, .dflt = "9113", .check = "port",
		.flags = PIG_INERT, .text = "Exporter port for nginx metrics."),
	PIG_P_ENUM(struct infra, nginx_sslmode, .level = PIG_GLOBAL, .dflt = "'enable'",
		.check = "disable|enable|enforce", .flags = PIG_INERT, .text = "TLS policy of the portal."),
	PIG_P_STR(struct infra, nginx_cert_validity, .level = PIG_GLOBAL, .dflt = "'397d'", .check = "interval",
		.flags = PIG_INERT, .text = "Lifetime of the portal certificate."),
	PIG_P_STR(struct infra, nginx_home, .level = PIG_GLOBAL, .dflt = "'/www'", .check = "path",
		.flags = PIG_INERT, .text = "Web content path, symlink to nginx_data."),
	PIG_P_STR(struct infra, nginx_data, .level = PIG_GLOBAL, .dflt = "'/data/nginx'", .check = "path",
		.flags = PIG_INERT, .text = "Real directory behind nginx_home."),
	PIG_P_MAP(struct infra, nginx_users, .level = PIG_GLOBAL, .dflt = "{}", .flags = PIG_INERT,
		.text = "Basic-auth accounts, name to plain password."),
	PIG_P_INT(struct infra, nginx_port, .level = PIG_GLOBAL, .dflt = "80", .check = "port", .flags = PIG_INERT,
		.text = "Plain HTTP port."),
	PIG_P_INT(struct infra, nginx_ssl_port, .level = PIG_GLOBAL, .dflt = "443", .check = "port",
		.flags = PIG_INERT, .text = "HTTPS port."),
	PIG_P_BOOL(struct infra, certbot_sign, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Request public certificates during nginx setup."),
	PIG_P_STR(struct infra, certbot_email, .level = PIG_GLOBAL, .dflt = "'your@email.com'", .flags = PIG_INERT,
		.text = "Contact address handed to certbot."),
	PIG_P_STR(struct infra, certbot_options, .level = PIG_GLOBAL, .dflt = "''", .flags = PIG_INERT,
		.text = "Extra certbot command arguments."),
	PIG_P_BOOL(struct infra, dns_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run dnsmasq here and register pgsql names."),
	PIG_P_INT(struct infra, dns_port, .level = PIG_GLOBAL, .dflt = "53", .check = "port", .flags = PIG_INERT,
		.text = "Listening port of dnsmasq."),
	PIG_P_LIST(struct infra, dns_records, .level = PIG_GLOBAL,
		.dflt = "[\"${admin_ip} i.pigsty\", \"${admin_ip} m.pigsty supa.pigsty api.pigsty adm.pigsty "
			"cli.pigsty ddl.pigsty\"]",
		.flags = PIG_INERT, .text = "Host records served by dnsmasq."),
	PIG_P_STR(struct infra, vmetrics_scrape_interval, .level = PIG_GLOBAL, .dflt = "'10s'", .check = "interval",
		.flags = PIG_INERT, .text = "Global scrape period, also vmalert evaluation period."),
	PIG_P_STR(struct infra, vmetrics_scrape_timeout, .level = PIG_GLOBAL, .dflt = "'8s'", .check = "interval",
		.flags = PIG_INERT, .text = "Global scrape deadline."),
	PIG_P_BOOL(struct infra, vmetrics_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run VictoriaMetrics here."),
	PIG_P_BOOL(struct infra, vmetrics_clean, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Drop metrics data first."),
	PIG_P_INT(struct infra, vmetrics_port, .level = PIG_GLOBAL, .dflt = "8428", .check = "port",
		.flags = PIG_INERT, .text = "VictoriaMetrics HTTP port."),
	PIG_P_STR(struct infra, vmetrics_options, .level = PIG_GLOBAL,
		.dflt = "'-retentionPeriod=15d -promscrape.fileSDCheckInterval=5s'", .flags = PIG_INERT,
		.text = "Extra VictoriaMetrics command flags."),
	PIG_P_BOOL(struct infra, vlogs_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run VictoriaLogs here."),
	PIG_P_BOOL(struct infra, vlogs_clean, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Drop log data first."),
	PIG_P_INT(struct infra, vlogs_port, .level = PIG_GLOBAL, .dflt = "9428", .check = "port", .flags = PIG_INERT,
		.text = "VictoriaLogs HTTP port."),
	PIG_P_STR(struct infra, vlogs_options, .level = PIG_GLOBAL,
		.dflt = "'-retentionPeriod=15d -retention.maxDiskSpaceUsageBytes=50GiB -insert.maxLineSizeBytes=1MB "
			"-search.maxQueryDuration=120s'",
		.flags = PIG_INERT, .text = "Extra VictoriaLogs command flags."),
	PIG_P_BOOL(struct infra, vtraces_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run VictoriaTraces here."),
	PIG_P_BOOL(struct infra, vtraces_clean, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Drop trace data first."),
	PIG_P_INT(struct infra, vtraces_port, .level = PIG_GLOBAL, .dflt = "10428", .check = "port",
		.flags = PIG_INERT, .text = "VictoriaTraces HTTP port."),
	PIG_P_STR(struct infra, vtraces_options, .level = PIG_GLOBAL,
		.dflt = "'-retentionPeriod=15d -retention.maxDiskSpaceUsageBytes=50GiB'", .flags = PIG_INERT,
		.text = "Extra VictoriaTraces command flags."),
	PIG_P_BOOL(struct infra, vmalert_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run vmalert here; needs vmetrics_enabled too."),
	PIG_P_INT(struct infra, vmalert_port, .level = PIG_GLOBAL, .dflt = "8880", .check = "port",
		.flags = PIG_INERT, .text = "Vmalert HTTP port."),
	PIG_P_STR(struct infra, vmalert_options, .level = PIG_GLOBAL, .dflt = "''", .flags = PIG_INERT,
		.text = "Extra vmalert command flags."),
	PIG_P_BOOL(struct infra, blackbox_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run blackbox exporter here."),
	PIG_P_INT(struct infra, blackbox_port, .level = PIG_GLOBAL, .dflt = "9115", .check = "port",
		.flags = PIG_INERT, .text = "Blackbox exporter port; scrape config hardcodes 9115."),
	PIG_P_STR(struct infra, blackbox_options, .level = PIG_GLOBAL, .dflt = "''", .flags = PIG_INERT,
		.text = "Extra blackbox exporter flags."),
	PIG_P_BOOL(struct infra, alertmanager_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run AlertManager here."),
	PIG_P_INT(struct infra, alertmanager_port, .level = PIG_GLOBAL, .dflt = "9059", .check = "port",
		.flags = PIG_INERT, .text = "AlertManager HTTP port."),
	PIG_P_STR(struct infra, alertmanager_options, .level = PIG_GLOBAL, .dflt = "''", .flags = PIG_INERT,
		.text = "Extra AlertManager flags."),
	PIG_P_STR(struct infra, exporter_metrics_path, .level = PIG_GLOBAL, .dflt = "'/metrics'",
		.text = "URL path where exporters publish metrics."),
	PIG_P_BOOL(struct infra, grafana_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Run Grafana here."),
	PIG_P_INT(struct infra, grafana_port, .level = PIG_GLOBAL, .dflt = "3000", .check = "port",
		.flags = PIG_INERT, .text = "Grafana HTTP port."),
	PIG_P_BOOL(struct infra, grafana_clean, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Remove Grafana db and provisioning file first."),
	PIG_P_STR(struct infra, grafana_admin_username, .level = PIG_GLOBAL, .dflt = "'admin'", .flags = PIG_INERT,
		.text = "Grafana administrator login."),
	PIG_P_STR(struct infra, grafana_admin_password, .level = PIG_GLOBAL, .dflt = "'pigsty'",
		.flags = PIG_SECRET | PIG_INERT, .text = "Grafana administrator secret."),
	PIG_P_BOOL(struct infra, grafana_auth_proxy, .level = PIG_GLOBAL, .dflt = "false", .flags = PIG_INERT,
		.text = "Trust the X-WEBAUTH-USER header for login."),
	PIG_P_STR(struct infra, grafana_pgurl, .level = PIG_GLOBAL, .dflt = "''", .flags = PIG_INERT,
		.text = "Use this postgres URL as Grafana backend db."),
	PIG_P_STR(struct infra, grafana_view_password, .level = PIG_GLOBAL, .dflt = "'DBUser.Viewer'",
		.flags = PIG_SECRET | PIG_INERT, .text = "Secret of dbuser_view for the meta datasource."),
	PIG_P_BOOL(struct infra, repo_enabled, .level = PIG_INSTANCE, .dflt = "true", .flags = PIG_INERT,
		.text = "Whether this infra node hosts a local package repo."),
	PIG_P_STR(struct infra, repo_home, .level = PIG_GLOBAL, .dflt = "'/www'", .check = "path", .flags = PIG_INERT,
		.text = "Web root that holds the local repo."),
	PIG_P_STR(struct infra, repo_name, .level = PIG_GLOBAL, .dflt = "'pigsty'", .flags = PIG_INERT,
		.text = "Subdirectory and id of the local repo."),
	PIG_P_STR(struct infra, repo_endpoint, .level = PIG_GLOBAL, .dflt = "'http://${admin_ip}:80'",
		.flags = PIG_INERT, .text = "URL clients would use for the local repo; not referenced by roles."),
	PIG_P_BOOL(struct infra, repo_remove, .level = PIG_GLOBAL, .dflt = "true", .flags = PIG_INERT,
		.text = "Move pre-existing repo files aside before building."),
	PIG_P_STR(struct infra, repo_modules, .level = PIG_GLOBAL, .dflt = "'infra,node,pgsql'", .flags = PIG_INERT,
		.text = "Comma list of upstream repo modules enabled for building; infra always added."),
	PIG_P_LIST(struct infra, repo_upstream, .level = PIG_GLOBAL, .flags = PIG_INERT,
		.text = "Upstream repo definitions; unset means OS default table."),
	PIG_P_LIST(struct infra, repo_packages, .level = PIG_GLOBAL, .flags = PIG_INERT,
		.text = "Package aliases to download; unset means OS default list."),
	PIG_P_LIST(struct infra, repo_extra_packages, .level = PIG_INSTANCE, .flags = PIG_INERT,
		.text = "Additional aliases to download; unset means OS default (pgsql-main)."),
	PIG_P_LIST(struct infra, repo_url_packages, .level = PIG_GLOBAL, .dflt = "[]", .flags = PIG_INERT,
		.text = "Files fetched by URL, string or {name,url}."),
	PIG_P_BOOL(struct infra, repo_build, .level = PIG_ARG, .dflt = "false", .flags = PIG_INERT,
		.text = "Force rebuilding an existing local repo."),
};

static const struct pig_rule rules[] = {
	{ .id = "infra_seq", .scope = PIG_HOST, .warn = 1,
	  .must = "'infra' not in group_names or infra_seq is defined",
	  .say = "the host is in group \"infra\" and has no infra_seq",
	  .hint = "Number the infra nodes: infra_seq: 1, 2, ..." },
};

PIG_MODULE(.name = "infra", .version = "0.1.0",
	.text = "base of the infrastructure: admin node, CA, names of services", .license = "Apache-2.0",
	.params_size = sizeof(struct infra), .params = PIG_TABLE(params), .rules = PIG_TABLE(rules),
	.verbs = PIG_TABLE(infra_verbs));
