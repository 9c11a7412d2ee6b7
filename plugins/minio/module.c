/*
 * Module minio: S3 object storage, clusters of one member or many, TLS by the local CA. The server itself and its
 * client mcli are no packages of the distributions: docs/minio.md says what serves in their place.
 */
#include "module.h"

static const struct pig_taskdef tasks[] = {
	{ .name = "minio_os_user", .text = "make the server's account", .tags = "minio_install",
	  .run = task_minio_os_user },
	{ .name = "minio_pkg", .text = "install server and client", .tags = "minio_install", .run = task_minio_pkg },
	{ .name = "minio_dir", .text = "make its folders", .tags = "minio_install", .run = task_minio_dir },
	{ .name = "minio_conf", .text = "write its environment and unit", .tags = "minio_config",
	  .run = task_minio_conf },
	{ .name = "minio_cert", .text = "issue the member's certificate", .run = task_minio_cert,
	  .tags = "minio_config,minio_cert_issue,minio_cert_copy" },
	{ .name = "minio_dns", .text = "name the members to each other", .tags = "minio_config,minio_dns_local",
	  .when = "node_write_etc_hosts | default(true)", .run = task_minio_dns },
	{ .name = "minio_launch", .text = "run the server, all members side by side", .run = task_minio_launch },
	{ .name = "minio_register", .text = "tell the infra nodes", .tags = "register,add_metrics,add_dns",
	  .run = task_minio_register },
	{ .name = "minio_check", .text = "wait for the cluster's health", .tags = "minio_provision",
	  .when = "minio_provision", .run = task_minio_check },
	{ .name = "minio_alias", .text = "set the client's alias", .tags = "minio_provision", .when = "minio_provision",
	  .run = task_minio_alias },
	{ .name = "minio_bucket", .text = "make buckets", .tags = "minio_provision", .when = "minio_provision",
	  .run = task_minio_bucket },
	{ .name = "minio_user", .text = "make policies and users", .tags = "minio_provision", .when = "minio_provision",
	  .run = task_minio_user },
	{ .name = "minio_deregister", .text = "take it from the infra nodes", .tags = "deregister,rm_metrics,rm_dns",
	  .run = task_minio_deregister },
	{ .name = "minio_stop", .text = "stop the server", .tags = "minio,minio_svc,minio_data,minio_config",
	  .run = task_minio_stop },
	{ .name = "minio_rm_data", .text = "delete its objects", .tags = "minio_data", .when = "minio_rm_data",
	  .run = task_minio_rm_data },
	{ .name = "minio_rm_config", .text = "delete its configuration", .tags = "minio_data,minio_config",
	  .when = "minio_rm_data", .run = task_minio_rm_config },
	{ .name = "minio_rm_pkg", .text = "uninstall it", .tags = "minio_pkg", .when = "minio_rm_pkg",
	  .run = task_minio_rm_pkg },
};

static const struct pig_step steps[] = {
	{ .name = "minio",
	  .tasks = "minio_os_user minio_pkg minio_dir minio_conf minio_cert minio_dns minio_launch minio_register" },
	{ .name = "minio_provision", .tasks = "minio_check minio_bucket minio_alias minio_user",
	  .flags = PIG_ONCE | PIG_GATHER },
};

static const struct pig_step rm_steps[] = {
	{ .name = "minio_rm", .flags = PIG_DESTRUCTIVE, .safeguard = "minio_safeguard",
	  .tasks = "minio_deregister minio_stop minio_rm_data minio_rm_config minio_rm_pkg",
	  .loses = "member {{ minio_cluster }}-{{ minio_seq }} of minio cluster {{ minio_cluster }}"
		   "{{ ', with all objects in ' ~ minio_data if minio_rm_data else '; its objects stay' }}" },
};

static const struct pig_playbook playbooks[] = {
	{ .name = "minio", .text = "minio clusters: install, configure, provision", .steps = PIG_TABLE(steps) },
	{ .name = "minio-rm", .text = "remove minio clusters, or members of one", .steps = PIG_TABLE(rm_steps) },
};

static const struct pig_need needs[] = { { .module = "infra", .version = ">=0.1" } };

extern const struct pig_template pig_templates[];

static const struct pig_listen listens[] = { { .port = "minio_port" }, { .port = "minio_admin_port" } };

PIG_MODULE(.name = "minio", .version = "0.1.0", .text = "S3 object storage", .license = "Apache-2.0",
	.cluster = "minio_cluster", .params_size = sizeof(struct minio), .needs = PIG_TABLE(needs),
	.params = PIG_TABLE(minio_params), .rules = PIG_TABLE(minio_rules), .tasks = PIG_TABLE(tasks),
	.playbooks = PIG_TABLE(playbooks), .listens = PIG_TABLE(listens),
	.templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof *pig_templates });
