/* What the files of module redis share. */
#ifndef REDIS_MODULE_H
#define REDIS_MODULE_H

#include <inttypes.h>
#include <pig.h>
#include <string.h>

struct redis {
	const char *redis_cluster;
	const pig_value *redis_instances;
	int64_t redis_node;
	const char *redis_fs_main;
	bool redis_exporter_enabled;
	int64_t redis_exporter_port;
	const char *redis_exporter_options;
	const char *redis_type;
	const char *redis_mode;
	const char *redis_conf;
	const char *redis_bind_address;
	const char *redis_max_memory;
	const char *redis_mem_policy;
	const char *redis_password;
	const pig_value *redis_rdb_save;
	bool redis_aof_enabled;
	const pig_value *redis_rename_commands;
	int64_t redis_cluster_replicas;
	const pig_value *redis_sentinel_monitor;
	bool redis_safeguard;
	bool redis_rm_data;
	bool redis_rm_pkg;
	int64_t redis_port;
};

/* ---- inst.c: instances and their names ---- */

/* <cluster>-<node>-<port>, and what is named after it; paths are whole, so no name is ever the start of another's */
struct inst {
	int64_t port;
	const char *name;
	const char *dir, *state; /* data; the file that Redis itself writes its role or its sentinels' view into */
	const char *conf, *auth; /* ours; the passwords alone */
	const char *unit, *unit_file, *log;
	const char *replica_of; /* "address port", or NULL */
};

#define REDIS_MARK "# redis instance of "

struct inst inst_of(pig_task *t, int64_t port);
/* this host's, in the inventory's order; only redis_port's if that is given */
/* The i-th port of instances: by size, as a database keeps no order, and files must not hang on it. */
int64_t port_at(pig_task *t, const pig_value *instances, size_t i);
size_t insts_of(pig_task *t, struct inst **list);
bool is_mode(pig_task *t, const char *mode);
const char *redis_address(pig_task *t, const char *host);
/* the address this host's own instances are asked at, and what they are to bind to */
const char *redis_local(pig_task *t);
const char *redis_bind(pig_task *t);
/*
 * Shell: a function `cli` that speaks to the instance as the default user. The password goes from the instance's
 * file into the environment of the client, past every argument list.
 */
const char *redis_cli(pig_task *t, const struct inst *in);
/* the same for `cli HOST PORT`, with this host's password: for other members of the cluster */
const char *redis_cli_any(pig_task *t);
/* all instances of the cluster, "address:port" each */
struct addr {
	const char *host, *ip;
	int64_t port;
};
size_t cluster_addrs(pig_task *t, struct addr **list);
/* the n-th line of text, NULL past the end; lines without their \r */
const char *line_at(pig_task *t, const char *text, size_t n);

/* ---- node.c ---- */
void task_redis_id(pig_task *t);
void task_redis_install(pig_task *t);
void task_redis_user(pig_task *t);
void task_redis_dir(pig_task *t);

/* bytes of "64MB" as Redis reads it; -1: not understood */
int64_t redis_bytes(const char *size);

/* ---- config.c ---- */
void task_redis_config(pig_task *t);

/* ---- launch.c ---- */
/* asked once a run, before the first word to what listens there; false: the task has failed */
bool redis_ports_free(pig_task *t, const struct inst *list, size_t n);
void task_redis_start(pig_task *t);
void task_redis_launch(pig_task *t);
void task_redis_role(pig_task *t);
void redis_sound(pig_task *t);

/* ---- sentinel.c ---- */
void task_redis_ha(pig_task *t);
void task_redis_ready(pig_task *t);

/* ---- view.c: what instances say of the native cluster they are in ---- */
struct node {
	const char *id, *addr, *master; /* addr: "address:port"; master: the id it follows, NULL of a master */
	bool failed, slots;
};
struct member {
	struct addr at;
	const char *addr;
	bool answers;
	int64_t keys;
	const char *id;	    /* its own; NULL when it does not answer */
	struct node *nodes; /* all it knows, itself too */
	size_t n_nodes;
};
struct view {
	struct member *list;
	size_t n;
};
/* Asked of all instances from this host, in one frame; false once the task has failed. */
bool view_ask(pig_task *t, struct view *v);
const struct node *view_node(const struct member *m, const char *addr);
/* a member of the cluster that exists, NULL: none does */
const struct member *view_lead(const struct view *v);
/* in the cluster of this member, as that one sees it */
bool view_knows(const struct member *lead, const char *id);
bool view_alone(const struct member *m);

/* ---- join.c, leave.c ---- */
void task_redis_join(pig_task *t);
void task_redis_leave(pig_task *t);

/* ---- remove.c ---- */
void task_redis_deregister(pig_task *t);
void task_redis_stop(pig_task *t);
void task_redis_rm_logs(pig_task *t);
void task_redis_rm_data(pig_task *t);
void task_redis_rm_exporter(pig_task *t);
void task_redis_rm_pkg(pig_task *t);

/* ---- monitor.c ---- */
void task_redis_exporter(pig_task *t);
void task_redis_register(pig_task *t);
void task_redis_logs(pig_task *t);
void redis_pipeline(pig_task *t, bool there);
/* the node's targets without this port (0: with all) */
const char *redis_targets(pig_task *t, int64_t without);

/* ---- rules.c, rules_topology.c ---- */
#define REDIS_RULES 15
extern const struct pig_rule redis_rules[REDIS_RULES];
void rule_redis_replica_of(pig_check *c);
void rule_redis_native(pig_check *c);
void rule_redis_sentinel(pig_check *c);
void rule_redis_sentinel_few(pig_check *c);
void rule_redis_replica_unknown(pig_check *c);
/* shared by rules */
const char *check_text(pig_check *c, const char *host, const char *name, const char *dflt);
const char *check_host(pig_check *c, const pig_value *hosts, size_t i);
/* a port from 1024 to 65535, or -1 */
int64_t check_port(const char *text);
/* the host of the inventory that has this address, NULL: none */
const char *check_at(pig_check *c, const char *ip);
bool check_has_port(pig_check *c, const char *host, int64_t port);

#endif
