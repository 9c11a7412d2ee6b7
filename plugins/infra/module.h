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
	const char *alertmanager_group_wait;
	const char *alertmanager_group_interval;
	const pig_value *alertmanager_webhooks;
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
enum { INFRA_PARAMS = 78 };
extern const struct pig_param infra_params[INFRA_PARAMS];

/* kinds of targets that are scraped, NULL ended */
extern const char *const infra_kinds[];

/* who.c: names and addresses, what a value says, what runs where */
enum infra_part {
	PART_NGINX, PART_NGINX_EXPORTER, PART_DNS, PART_VMETRICS, PART_VMALERT, PART_VLOGS, PART_VTRACES, PART_ALERTMANAGER,
	PART_BLACKBOX, PART_GRAFANA, INFRA_PARTS
};
struct infra_part_row {
	const char *name;     /* of the unit, of targets, in messages */
	const char *word;     /* the path below which the portal shows it, or NULL */
	const char *enabled, *port;
	const char *programs; /* any of these will do */
	const char *packages; /* alias */
	bool optional;        /* may lack a package: then it is configured and not run */
};
extern const struct infra_part_row infra_parts[INFRA_PARTS];
bool infra_enabled(pig_task *t, const char *host, enum infra_part part);
/* enabled on this host, and its program is there or known to the package manager */
bool infra_has(pig_task *t, enum infra_part part);
/* neither here nor known to the package manager: a part's name, or "pev" */
bool infra_lacks(pig_task *t, const char *word);
/* whose settings these are: the login user, and its home; "" when it has none */
const char *infra_operator(pig_task *t);
const char *infra_operator_home(pig_task *t);
int64_t infra_port(pig_task *t, enum infra_part part);
void task_infra_look(pig_task *t);
const pig_value *infra_nodes(pig_task *t);
const char *infra_host(pig_task *t, const pig_value *hosts, size_t i);
const char *infra_address(pig_task *t, const char *host);
const char *infra_name(pig_task *t, const char *host);
int64_t infra_seq_of(pig_task *t, const char *host);
/* URL under which people see the portal */
const char *infra_portal_url(pig_task *t);
/* The i-th name of infra_portal by the alphabet: a database keeps no order, and files must not hang on it. */
const char *infra_site(pig_task *t, size_t i);
const char *infra_scalar(pig_task *t, const pig_value *v);
uint32_t infra_days(const char *text);
void infra_put(pig_task *t, pig_value *map, const char *key, const char *text);

/* base.c: folders, accounts, packages, certificates */
void task_ca(pig_task *t);
void task_infra_dir(pig_task *t);
void task_infra_pkg(pig_task *t);
void task_infra_user(pig_task *t);
void task_infra_cert(pig_task *t);

/* operator.c: what whoever works on an infra node finds there */
void task_infra_env(pig_task *t);
void task_infra_admin(pig_task *t);

/* dns.c, nginx.c, home.c */
void task_dns(pig_task *t);
void task_nginx(pig_task *t);
void infra_home(pig_task *t);

/* watch.c: the units that watch */
void task_vmetrics(pig_task *t);
void task_vlogs(pig_task *t);
void task_vtraces(pig_task *t);
void task_vmalert(pig_task *t);
void task_alertmanager(pig_task *t);
void task_blackbox(pig_task *t);
void task_nginx_exporter(pig_task *t);
void task_grafana(pig_task *t);
/* the unit runs as its files say: read anew when one of them, or of `reload`, has changed; and its port answers */
void infra_answers(pig_task *t, enum infra_part part);
void infra_unit(pig_task *t, enum infra_part part, const char *reload);

/* rules.c */
void infra_check_portal(pig_check *c);
void infra_check_seqs(pig_check *c);
void infra_check_records(pig_check *c);
void infra_check_links(pig_check *c);
void infra_check_webhooks(pig_check *c);

/* checks.c */
void infra_check_admin(pig_check *c);
void infra_check_scraping(pig_check *c);
enum { INFRA_LISTENS = 11, INFRA_OTHERS = 13 }; /* rows; the definitions must agree */
extern const struct pig_listen infra_listens[INFRA_LISTENS];
extern const struct pig_other infra_others[INFRA_OTHERS];

/* remove.c: infra-rm */
void task_rm_register(pig_task *t);
void task_rm_service(pig_task *t);
void task_rm_config(pig_task *t);
void task_rm_env(pig_task *t);
void task_rm_data(pig_task *t);
void task_rm_package(pig_task *t);

/* register.c: the interface */
void task_infra_register(pig_task *t);
void infra_target(pig_task *t, const char *kind, const char *name, const char *text);
void infra_dns(pig_task *t, const char *name, const char *lines);
void infra_page(pig_task *t, const char *name, const char *server);
/* nginx, where it runs, has read its present files at the end of the step */
pig_op *infra_nginx_reload(pig_task *t);

#endif
