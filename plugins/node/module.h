/* What the files of module node share: its parameters, its tasks, a few readers of values. */
#ifndef NODE_MODULE_H
#define NODE_MODULE_H

#include <inttypes.h>
#include <pig.h>
#include <string.h>

struct node {
	const char *nodename;
	const char *node_cluster;
	bool nodename_overwrite;
	bool nodename_exchange;
	bool node_id_from_pg;
	bool node_write_etc_hosts;
	const pig_value *node_default_etc_hosts;
	const pig_value *node_etc_hosts;
	const char *node_dns_method;
	const pig_value *node_dns_servers;
	const pig_value *node_dns_options;
	const char *node_repo_modules;
	bool node_repo_remove;
	const pig_value *node_packages;
	const pig_value *node_default_packages;
	const char *node_uv_env;
	const char *node_pip_packages;
	const char *node_selinux_mode;
	const char *node_firewall_mode;
	const pig_value *node_firewall_intranet;
	const pig_value *node_firewall_public_port;
	bool node_disable_numa;
	bool node_disable_swap;
	bool node_static_network;
	bool node_disk_prefetch;
	const pig_value *node_kernel_modules;
	int64_t node_hugepage_count;
	double node_hugepage_ratio;
	int64_t node_overcommit_ratio;
	const char *node_tune;
	const pig_value *node_sysctl_params;
	const char *node_data;
	bool node_admin_enabled;
	int64_t node_admin_uid;
	const char *node_admin_username;
	const char *node_admin_sudo;
	bool node_admin_ssh_exchange;
	bool node_admin_pk_current;
	const pig_value *node_admin_pk_list;
	const pig_value *node_aliases;
	const char *node_timezone;
	bool node_ntp_enabled;
	const pig_value *node_ntp_servers;
	bool node_crontab_overwrite;
	const pig_value *node_crontab;
	bool vip_enabled;
	const char *vip_address;
	int64_t vip_vrid;
	const char *vip_role;
	bool vip_preempt;
	const char *vip_interface;
	const char *vip_dns_suffix;
	const char *vip_auth_pass;
	int64_t vip_exporter_port;
	bool haproxy_enabled;
	bool haproxy_clean;
	bool haproxy_reload;
	bool haproxy_auth_enabled;
	const char *haproxy_admin_username;
	const char *haproxy_admin_password;
	int64_t haproxy_exporter_port;
	const char *haproxy_client_timeout;
	const char *haproxy_server_timeout;
	const pig_value *haproxy_services;
	bool node_exporter_enabled;
	int64_t node_exporter_port;
	const char *node_exporter_options;
	bool vector_enabled;
	bool vector_clean;
	const char *vector_data;
	int64_t vector_port;
	const char *vector_read_from;
	const pig_value *vector_log_endpoint;
	const char *node_tuned_profile_dir;
};

/* look.c */
enum node_look { LOOK_RESOLV, LOOK_ADMIN, LOOK_FILES, LOOK_REPO, LOOK_PARTS };
void task_node_id(pig_task *t);
/* the host's answer; NULL once the task has failed */
const char *node_look(pig_task *t, enum node_look what);

/* name.c */
void task_node_name(pig_task *t);
void task_node_hosts(pig_task *t);
void task_node_resolv(pig_task *t);
const char *node_name_of(pig_task *t, const char *host);
const char *node_address_of(pig_task *t, const char *host);
/* nodename of this host, whatever it takes: its hostname when nothing else names it */
const char *node_own_name(pig_task *t);

/* repo.c */
void task_node_repo(pig_task *t);

/* base.c */
void task_node_ca(pig_task *t);
void task_node_pkg(pig_task *t);
void task_node_profile(pig_task *t);
void task_node_ulimit(pig_task *t);
void task_node_data(pig_task *t);

/* kernel.c */
void task_node_feature(pig_task *t);
void task_node_kernel(pig_task *t);
void task_node_tune(pig_task *t);
void task_node_sysctl(pig_task *t);

/* admin.c */
void task_node_admin(pig_task *t);

/* time.c */
void task_node_timezone(pig_task *t);
void task_node_ntp(pig_task *t);
void task_node_crontab(pig_task *t);

/* haproxy.c */
void task_haproxy_install(pig_task *t);
void task_haproxy_config(pig_task *t);
void task_haproxy_launch(pig_task *t);
pig_op *haproxy_service(pig_task *t, const char *name, const char *text, enum pig_state state);
pig_op *haproxy_reload(pig_task *t);
void haproxy_settle(pig_task *t, const char *files, const char *answers);

/* monitor.c */
void task_node_exporter(pig_task *t);
void task_vip_exporter(pig_task *t);
void task_vector(pig_task *t);
void vector_pipeline(pig_task *t, const char *name, const char *tmpl, const pig_value *vars);
void vector_reload(pig_task *t);
void task_node_register(pig_task *t);

/* firewall.c */
void task_node_firewall(pig_task *t);

/* remove.c: node-rm */
void task_node_deregister(pig_task *t);
void task_node_services_rm(pig_task *t);
void task_node_files_rm(pig_task *t);

/* vip.c */
void task_node_vip(pig_task *t);

/* value.c: a fact or value as text, "" when there is none */
const char *node_fact(pig_task *t, const char *name);
bool node_is_deb(pig_task *t);
/* a scalar as it is written in a file: 1, 0.5, true, text */
const char *node_scalar(pig_task *t, const pig_value *v);
/* the items of a list, each followed by sep */
const char *node_lines(pig_task *t, const pig_value *list, const char *sep);
bool node_is_set(const char *s);

/* checks.c: rules */
void node_check_names(pig_check *c);
void node_check_addresses(pig_check *c);
void node_check_lines(pig_check *c);
void node_check_services(pig_check *c);
void node_check_vip(pig_check *c);
void node_check_vip_network(pig_check *c);
void node_check_sudo(pig_check *c);

#endif
