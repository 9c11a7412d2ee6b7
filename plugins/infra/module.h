/* What the files of module infra share. */
#ifndef INFRA_MODULE_H
#define INFRA_MODULE_H

#include <inttypes.h>
#include <pig.h>
#include <string.h>

struct infra {
	const char *version;
	const char *admin_ip;
	const char *region;
	const pig_value *proxy_env;
	const char *language;
	const char *ca_method;
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

#define INFRA_DIR       "/infra"
#define INFRA_DNS_DIR   "/etc/dnsmasq.d/pigsty"
#define INFRA_PAGES_DIR "/etc/nginx/conf.d/haproxy"
#define INFRA_NGINX_WATCH \
	"/etc/nginx/nginx.conf /etc/nginx/conf.d/*.conf /etc/nginx/conf.d/haproxy/*.conf /etc/nginx/conf.d/cert/* " \
	"/etc/nginx/.htpasswd"
#define INFRA_VICTORIA  "victoria"

/* params.c */
enum { INFRA_PARAMS = 75 };
extern const struct pig_param infra_params[INFRA_PARAMS];

/* register.c: the interface */
void infra_target(pig_task *t, const char *kind, const char *name, const char *text);
void infra_dns(pig_task *t, const char *name, const char *lines);
void infra_page(pig_task *t, const char *name, const char *server);
/* nginx, where it runs, has read its present files at the end of the step */
pig_op *infra_nginx_reload(pig_task *t);

#endif
