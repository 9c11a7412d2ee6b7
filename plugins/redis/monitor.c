/*
 * Metrics: one exporter a node, asked for each instance, and the node's instances as targets at the infra nodes. Logs:
 * one file for the node's vector, the same whichever cluster writes it.
 */
#include "module.h"
#include "../infra/infra.h"
#include "../node/node.h"

#include <stdlib.h>

void task_redis_exporter(pig_task *t)
{
	const struct redis *p = t->params;

	if (!p->redis_exporter_enabled) {
		pig_unit(t, .name = "redis_exporter", .state = PIG_STOPPED, .enable = -1);
		return;
	}
	/* the distribution's unit of the same program would hold the port */
	if (!strcmp(t->val->str(t->host->fact(t, "os_package"), ""), "deb"))
		pig_file(t, .link = "/dev/null", .path = "/etc/systemd/system/prometheus-redis-exporter.service");
	pig_package(t, .names = "redis-exporter");
	pig_file(t, .path = "/etc/systemd/system/redis_exporter.service", .tmpl = "redis_exporter.service",
		 .mode = 0644);
	pig_file(t, .path = "/etc/default/redis_exporter", .tmpl = "redis_exporter.env", .mode = 0600, .owner = "root",
		 .group = "root");
	pig_unit(t, .name = "redis_exporter", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = "/etc/systemd/system/redis_exporter.service /etc/default/redis_exporter");
}

const char *redis_targets(pig_task *t, int64_t without)
{
	const struct redis *p = t->params;
	const char *ip = redis_address(t, t->hostname), *text = NULL;
	const char *host = strchr(ip, ':') ? pig_fmt(t, "[%s]", ip) : ip;

	for (size_t i = 0; i < t->val->len(p->redis_instances); i++) {
		struct inst in = inst_of(t, port_at(t, p->redis_instances, i));
		if (in.port == without)
			continue;
		text = pig_fmt(t,
			       "%s- labels: { cls: \"%s\", ins: \"%s\", ip: \"%s\", instance: \"%s:%" PRId64 "\" }\n"
			       "  targets: [\"redis://%s:%" PRId64 "\"]\n",
			       text ? text : "# Managed by pig.\n", p->redis_cluster, in.name, ip, host, in.port, host,
			       in.port);
	}
	return text;
}

/* Its file names the whole node, also in a run for one instance. */
void task_redis_register(pig_task *t)
{
	const struct redis *p = t->params;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);

	if (infra)
		infra->target(t, "redis", pig_fmt(t, "%s-%" PRId64, p->redis_cluster, p->redis_node),
			      redis_targets(t, 0));
}

void redis_pipeline(pig_task *t, bool there)
{
	const struct node_vector *vector = t->host->iface(t, NODE_VECTOR);
	pig_value *vars = t->host->map(t);

	if (!vector)
		return;
	t->host->put(t, vars, "addr", t->host->text(t, redis_address(t, t->hostname)));
	vector->pipeline(t, "redis", there ? "vector_redis.yaml" : NULL, vars);
	vector->reload(t);
}

void task_redis_logs(pig_task *t)
{
	redis_pipeline(t, true);
}
