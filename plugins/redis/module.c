/*
 * Module redis: Redis or Valkey instances, many to a node, as a primary with replicas, as sentinels that watch such
 * ones, or as a native cluster. Its tables are here.
 */
#include "module.h"

static const struct pig_param instance_members[] = {
	{.name = "replica_of", .type = PIG_STR, .text = "Whom the instance follows: \"address port\" of another one."},
};

static const struct pig_param instances[] = {
	{.name = "*",
	 .type = PIG_MAP,
	 .dflt = "{}",
	 .members = PIG_TABLE(instance_members),
	 .text = "The instance on the port that is its key."},
};

static const struct pig_param monitor_members[] = {
	{.name = "name",
	 .type = PIG_STR,
	 .check = "name",
	 .flags = PIG_REQUIRED,
	 .text = "Name clients ask the sentinels by; the cluster's is usual."},
	{.name = "host", .type = PIG_STR, .check = "ip", .flags = PIG_REQUIRED, .text = "Address of the first master."},
	{.name = "port", .type = PIG_INT, .dflt = "6379", .check = "port", .text = "Its port."},
	{.name = "quorum", .type = PIG_INT, .dflt = "1", .text = "Sentinels that must agree that the master is gone."},
	{.name = "password",
	 .type = PIG_STR,
	 .flags = PIG_SECRET,
	 .text = "Password of the instances that are watched."},
	{.name = "remove", .type = PIG_BOOL, .dflt = "false", .text = "Watch it no more?"},
};

static const struct pig_param params[] = {
	PIG_P_STR(struct redis, redis_cluster, .level = PIG_CLUSTER, .check = "name",
		  .text = "Name of the Redis cluster the host is in."),
	PIG_P_MAP(struct redis, redis_instances, .level = PIG_INSTANCE, .flags = PIG_REQUIRED,
		  .members = PIG_TABLE(instances), .text = "Instances of the node, by port."),
	PIG_P_INT(struct redis, redis_node, .level = PIG_INSTANCE, .flags = PIG_REQUIRED,
		  .text = "Number of the node, unique in its Redis cluster."),
	PIG_P_STR(struct redis, redis_fs_main, .level = PIG_CLUSTER, .dflt = "'/data/redis'", .check = "path",
		  .text = "Folder that holds a folder for each instance."),
	PIG_P_BOOL(struct redis, redis_exporter_enabled, .level = PIG_CLUSTER, .dflt = "true",
		   .text = "Run redis_exporter, one for all instances of a node?"),
	PIG_P_INT(struct redis, redis_exporter_port, .level = PIG_CLUSTER, .dflt = "9121", .check = "port",
		  .text = "Port of redis_exporter."),
	PIG_P_STR(struct redis, redis_exporter_options, .level = PIG_INSTANCE, .dflt = "''",
		  .text = "Further flags of redis_exporter."),
	PIG_P_ENUM(struct redis, redis_type, .level = PIG_CLUSTER, .dflt = "'redis'", .check = "redis|valkey",
		   .text = "Which program: Redis, or its fork Valkey."),
	PIG_P_ENUM(struct redis, redis_mode, .level = PIG_CLUSTER, .dflt = "'standalone'",
		   .check = "standalone|cluster|sentinel",
		   .text = "Instances of their own with replicas, a native cluster, or sentinels."),
	PIG_P_STR(struct redis, redis_conf, .level = PIG_CLUSTER, .dflt = "'redis.conf'",
		  .check = "/^[A-Za-z0-9][A-Za-z0-9._-]*$/",
		  .text = "Template of the instances' configuration; sentinels have their own."),
	PIG_P_STR(struct redis, redis_bind_address, .level = PIG_CLUSTER, .dflt = "'0.0.0.0'", .check = "ip",
		  .text = "Address to listen on; empty: the host's own."),
	PIG_P_STR(struct redis, redis_max_memory, .level = PIG_INSTANCE, .dflt = "'1GB'", .check = "size",
		  .text = "Memory an instance may fill with data: a number and b, kb, mb or gb; 0: no bound."),
	PIG_P_ENUM(struct redis, redis_mem_policy, .level = PIG_CLUSTER, .dflt = "'allkeys-lru'",
		   .check = "noeviction|allkeys-lru|allkeys-lfu|allkeys-random|volatile-lru|volatile-lfu|volatile-"
			    "random|volatile-ttl",
		   .text = "What is given up when the memory is full."),
	PIG_P_STR(struct redis, redis_password, .level = PIG_CLUSTER, .dflt = "''", .flags = PIG_SECRET,
		  .text = "Password of clients and replicas: one word; empty: none."),
	PIG_P_LIST(struct redis, redis_rdb_save, .level = PIG_CLUSTER, .dflt = "[\"1200 1\"]",
		   .text = "When to save: \"seconds changes\" each; an empty list: never."),
	PIG_P_BOOL(struct redis, redis_aof_enabled, .level = PIG_CLUSTER, .dflt = "false",
		   .text = "Keep a log of writes, synced each second?"),
	PIG_P_MAP(struct redis, redis_rename_commands, .level = PIG_CLUSTER, .dflt = "{}",
		  .text = "Commands under another name; an empty one takes them away."),
	PIG_P_INT(struct redis, redis_cluster_replicas, .level = PIG_CLUSTER, .dflt = "1",
		  .text = "Replicas of each master of a native cluster."),
	PIG_P_LIST(struct redis, redis_sentinel_monitor, .level = PIG_CLUSTER, .dflt = "[]",
		   .members = PIG_TABLE(monitor_members), .text = "Masters that the sentinels watch."),
	PIG_P_BOOL(struct redis, redis_safeguard, .level = PIG_CLUSTER, .dflt = "false", .text = "Refuse removal?"),
	PIG_P_BOOL(struct redis, redis_rm_data, .level = PIG_CLUSTER, .dflt = "true",
		   .text = "Delete data and logs of removed instances?"),
	PIG_P_BOOL(struct redis, redis_rm_pkg, .level = PIG_CLUSTER, .dflt = "false",
		   .text = "Uninstall the packages with a node's last instance?"),
	PIG_P_INT(struct redis, redis_port, .level = PIG_ARG, .check = "port",
		  .text = "The one instance that redis.yml and redis-rm.yml are about."),
};

#define WHOLE "redis_port is not defined"

static const struct pig_taskdef tasks[] = {
	{.name = "redis_id", .text = "look at memory", .tags = "always,redis-id,redis", .run = task_redis_id},
	{.name = "redis_install",
	 .text = "install Redis or Valkey",
	 .tags = "redis,redis_node",
	 .when = WHOLE,
	 .run = task_redis_install},
	{.name = "redis_user",
	 .text = "make the account",
	 .tags = "redis,redis_node",
	 .when = WHOLE,
	 .run = task_redis_user},
	{.name = "redis_dir",
	 .text = "make the folders",
	 .tags = "redis,redis_node",
	 .when = WHOLE,
	 .run = task_redis_dir},
	{.name = "redis_config",
	 .text = "configure instances, also those that run",
	 .tags = "redis,redis_instance",
	 .run = task_redis_config},
	{.name = "redis_start",
	 .text = "start new instances",
	 .tags = "redis,redis_instance,redis_launch",
	 .run = task_redis_start},
	{.name = "redis_exporter",
	 .text = "publish metrics of all instances",
	 .tags = "redis,redis_exporter_config,redis_exporter_launch",
	 .when = WHOLE,
	 .run = task_redis_exporter},
	{.name = "redis_launch",
	 .text = "restart instances that are due, one at a time",
	 .tags = "redis,redis_instance",
	 .run = task_redis_launch},
	{.name = "redis_role",
	 .text = "follow a new upstream",
	 .tags = "redis,redis_instance,redis_launch",
	 .run = task_redis_role,
	 .when = "redis_mode == 'standalone'"},
	{.name = "redis_join",
	 .text = "make the native cluster, take new instances in",
	 .tags = "redis-join",
	 .run = task_redis_join},
	{.name = "redis_ha", .text = "tell sentinels what to watch", .tags = "redis-ha", .run = task_redis_ha},
	{.name = "redis_ready",
	 .text = "wait for sentinels' quorum or the native cluster",
	 .tags = "redis-ha,redis-join",
	 .when = WHOLE,
	 .run = task_redis_ready},
	{.name = "redis_register",
	 .text = "name the instances to the infra nodes",
	 .tags = "register,add_metrics",
	 .run = task_redis_register},
	{.name = "redis_logs",
	 .text = "logs of all instances, by the node's vector",
	 .tags = "redis_register,register,add_logs",
	 .when = WHOLE,
	 .run = task_redis_logs},
	{.name = "redis_leave",
	 .text = "leave the native cluster",
	 .tags = "redis,redis_data,redis_pkg",
	 .run = task_redis_leave},
	{.name = "redis_deregister",
	 .text = "take the instances from the infra nodes",
	 .tags = "deregister,rm_metrics",
	 .run = task_redis_deregister},
	{.name = "redis_stop",
	 .text = "stop instances and remove their units",
	 .tags = "redis,redis_data,redis_pkg",
	 .run = task_redis_stop},
	{.name = "redis_rm_data",
	 .text = "delete data and logs",
	 .tags = "redis_data",
	 .when = "redis_rm_data",
	 .run = task_redis_rm_data},
	{.name = "redis_rm_logs",
	 .text = "logs read no more, when no other cluster is on the node",
	 .tags = "redis_deregister,deregister,rm_logs",
	 .when = WHOLE,
	 .run = task_redis_rm_logs},
	{.name = "redis_rm_exporter",
	 .text = "remove the exporter with the node's last instance",
	 .tags = "redis_exporter",
	 .when = WHOLE,
	 .run = task_redis_rm_exporter},
	{.name = "redis_rm_pkg",
	 .text = "uninstall the packages",
	 .tags = "redis_pkg",
	 .when = "redis_rm_pkg and " WHOLE,
	 .run = task_redis_rm_pkg},
};

/* Restarts wait until all hosts of the cluster have started what is new: whom to follow is asked of those. Sentinels
 * wait for all clusters, as they may watch any. */
static const struct pig_step steps[] = {
	{.name = "redis",
	 .tasks = "redis_id redis_install redis_user redis_dir redis_config redis_start redis_exporter redis_logs"},
	{.name = "redis_instance",
	 .tasks = "redis_launch redis_role",
	 .serial = 1,
	 .health = "redis_sound",
	 .flags = PIG_GATHER},
	{.name = "redis-join",
	 .tasks = "redis_join",
	 .when = "redis_mode == 'cluster' and " WHOLE,
	 .flags = PIG_ONCE | PIG_GATHER},
	{.name = "redis-ha", .tasks = "redis_ha", .when = "redis_mode == 'sentinel' and " WHOLE, .flags = PIG_BARRIER},
	{.name = "redis_register", .tasks = "redis_ready redis_register", .flags = PIG_GATHER},
};

#define LOSES                                                                                                          \
	"{{ redis_cluster }}-{{ redis_node }}: {{ redis_port is defined and 'instance ' ~ redis_port or "              \
	"'instances ' ~ (redis_instances | join(', ')) }}{{ ' with all data' if redis_rm_data else ', not its data' "  \
	"}}"

static const struct pig_step rm_steps[] = {
	{.name = "redis_leave",
	 .tasks = "redis_leave",
	 .serial = 1,
	 .flags = PIG_DESTRUCTIVE,
	 .loses = LOSES,
	 .safeguard = "redis_safeguard"},
	{.name = "redis_remove",
	 .tasks = "redis_deregister redis_stop redis_rm_logs redis_rm_data redis_rm_exporter redis_rm_pkg",
	 .flags = PIG_DESTRUCTIVE,
	 .loses = LOSES,
	 .safeguard = "redis_safeguard"},
};

static const struct pig_playbook playbooks[] = {
	{.name = "redis", .text = "Redis: instances, replicas, sentinels, native clusters", .steps = PIG_TABLE(steps)},
	{.name = "redis-rm",
	 .text = "remove Redis instances, all of a host or one (-e redis_port=...)",
	 .steps = PIG_TABLE(rm_steps)},
};

static const struct pig_health health[] = {
	{.name = "redis_sound", .text = "the native cluster serves all slots", .ok = redis_sound},
};

static const struct pig_need needs[] = {{.module = "infra", .version = ">=0.1"}};

static const struct pig_alias aliases[] = {
	{"redis", "debian*", "redis-server + redis-tools"},
	{"redis", "ubuntu*", "redis-server + redis-tools"},
	{"valkey", "debian*", "valkey-server + valkey-tools"},
	{"valkey", "ubuntu*", "valkey-server + valkey-tools"},
	{"redis-exporter", "debian*", "redis-exporter | prometheus-redis-exporter"},
	{"redis-exporter", "ubuntu*", "redis-exporter | prometheus-redis-exporter"},
	{"redis-exporter", "*", "redis_exporter"},
};

static const struct pig_listen listens[] = {
	{.port = "redis_instances{}", .addr = "redis_bind_address"},
	{.port = "redis_exporter_port", .when = "redis_exporter_enabled"},
};

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "redis", .version = "0.1.0", .text = "Redis: replicas, sentinels, native clusters",
	   .license = "Apache-2.0", .cluster = "redis_cluster", .params_size = sizeof(struct redis),
	   .needs = PIG_TABLE(needs), .params = PIG_TABLE(params),
	   .rules = {redis_rules, REDIS_RULES, sizeof *redis_rules}, .tasks = PIG_TABLE(tasks),
	   .playbooks = PIG_TABLE(playbooks), .health = PIG_TABLE(health), .listens = PIG_TABLE(listens),
	   .aliases = PIG_TABLE(aliases), .templates = {pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates});
