/* The node watched: its exporters, its logs, and where infra nodes find them. */
#include "module.h"
#include "node.h"
#include "../infra/infra.h"

void task_node_exporter(pig_task *t)
{
	const struct node *p = t->params;

	if (!p->node_exporter_enabled) {
		pig_unit(t, .name = "node_exporter", .state = PIG_STOPPED, .enable = -1);
		return;
	}
	pig_package(t, .names = "node-exporter");
	pig_file(t, .path = "/etc/systemd/system/node_exporter.service", .tmpl = "node_exporter.service", .mode = 0644);
	pig_file(t, .path = "/etc/default/node_exporter", .tmpl = "node_exporter.env", .mode = 0644);
	/* the distribution's unit of the same program would hold the port; a link costs less to look at than a unit */
	if (node_is_deb(t))
		pig_ensure(t, .note = "the distribution's unit does not run",
			   .probe = "u=prometheus-node-exporter.service; [ -L /etc/systemd/system/$u ] || "
				    "[ ! -e /lib/systemd/system/$u ]",
			   .apply = "u=prometheus-node-exporter; SYSTEMCTL_SKIP_SYSV=1 systemctl -q --no-reload "
				    "disable --now $u && "
				    "systemctl -q --no-reload mask $u");
	pig_unit(t, .name = "node_exporter", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = "/etc/systemd/system/node_exporter.service /etc/default/node_exporter");
}

/* Is the program of a part here, or its package known? */
static bool is_had(pig_task *t, const char *part)
{
	const char *found = node_look(t, LOOK_PARTS);

	return found && strstr(pig_fmt(t, " %s ", found), pig_fmt(t, " %s ", part));
}

void task_vip_exporter(pig_task *t)
{
	const char *unit = "/etc/systemd/system/keepalived_exporter.service", *env = "/etc/default/keepalived_exporter";

	pig_file(t, .path = unit, .tmpl = "keepalived_exporter.service", .mode = 0644);
	pig_file(t, .path = env, .tmpl = "keepalived_exporter.env", .mode = 0644);
	if (!is_had(t, "keepalived_exporter")) {
		t->host->warn(t, "no package for keepalived_exporter: configured, not run");
		return;
	}
	pig_package(t, .names = "keepalived-exporter");
	pig_unit(t, .name = "keepalived_exporter", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = pig_fmt(t, "%s %s", unit, env));
}

/* Where logs go: "infra" stands for VictoriaLogs on every infra node, the rest are URLs. */
static const pig_value *log_sinks(pig_task *t)
{
	const struct node *p = t->params;
	const pig_value *infra = t->host->members(t, "infra");
	pig_value *list = t->host->list(t);

	for (size_t i = 0; i < t->val->len(p->vector_log_endpoint); i++) {
		const char *url = node_scalar(t, t->val->at(p->vector_log_endpoint, i));
		if (strcmp(url, "infra"))
			t->host->push(t, list, t->host->text(t, url));
		for (size_t k = 0; !strcmp(url, "infra") && k < t->val->len(infra); k++) {
			const char *host = t->val->str(t->val->at(infra, k), "");
			if (t->val->truth(t->host->of(t, host, "vlogs_enabled"), true))
				t->host->push(
					t, list,
					t->host->text(t, pig_fmt(t, "http://%s:%s/insert/jsonline",
								 node_address_of(t, host),
								 node_scalar(t, t->host->of(t, host, "vlogs_port")))));
		}
	}
	return list;
}

void task_vector(pig_task *t)
{
	const struct node *p = t->params;
	pig_value *vars = t->host->map(t);

	if (!p->vector_enabled) {
		pig_unit(t, .name = "vector", .state = PIG_STOPPED, .enable = -1);
		return;
	}
	if (p->vector_clean) {
		pig_unit(t, .name = "vector", .state = PIG_STOPPED);
		pig_file(t, .path = p->vector_data, .dir = true, .state = PIG_ABSENT);
		pig_file(t, .path = "/etc/vector", .dir = true, .state = PIG_ABSENT);
	}
	t->host->put(t, vars, "sinks", log_sinks(t));
	t->host->put(t, vars, "own_name", t->host->text(t, node_own_name(t)));
	t->host->put(t, vars, "address", t->host->text(t, node_address_of(t, t->hostname)));
	pig_file(t, .path = "/etc/vector", .dir = true, .mode = 0700);
	pig_file(t, .path = p->vector_data, .dir = true, .mode = 0700);
	pig_file(t, .path = "/etc/systemd/system/vector.service", .tmpl = "vector.service", .mode = 0644);
	pig_file(t, .path = "/etc/default/vector", .text = "# Managed by pig.\nVECTOR_CONFIG_DIR=/etc/vector\n",
		 .mode = 0644);
	pig_file(t, .path = "/etc/vector/vector.yaml", .tmpl = "vector.yaml", .vars = vars, .mode = 0644);
	pig_file(t, .path = "/etc/vector/node.yaml", .tmpl = "vector_node.yaml", .vars = vars, .mode = 0600);
	if (!is_had(t, "vector")) {
		t->host->warn(t, "no package for vector: configured, not run");
		return;
	}
	pig_package(t, .names = "vector");
	pig_unit(t, .name = "vector", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = NODE_VECTOR_WATCH);
}

/* For modules whose clusters are made after the node: its folder is there, or nobody sends logs. */
void vector_pipeline(pig_task *t, const char *name, const char *tmpl, const pig_value *vars)
{
	const char *path = pig_fmt(t, "/etc/vector/%s.yaml", name);

	if (!tmpl)
		pig_file(t, .path = path, .state = PIG_ABSENT);
	else if (t->val->truth(t->host->get(t, "vector_enabled"), true))
		pig_file(t, .flags = PIG_IF_THERE, .path = path, .tmpl = tmpl, .vars = vars, .mode = 0600);
}

/* Logs are no reason for a cluster's run to fail. */
void vector_reload(pig_task *t)
{
	if (t->val->truth(t->host->get(t, "vector_enabled"), true))
		pig_unit(t, .name = "vector", .flags = PIG_IF_THERE | PIG_SOFT, .watch = NODE_VECTOR_WATCH,
			 .on_change = PIG_RELOAD);
}

/* "ip: .., ins: .., cls: .." */
static const char *labels(pig_task *t)
{
	return pig_fmt(t, "ip: %s, ins: %s, cls: %s", node_address_of(t, t->hostname), node_own_name(t),
		       ((const struct node *)t->params)->node_cluster);
}

static const char *node_targets(pig_task *t)
{
	const struct node *p = t->params;
	const char *address = node_address_of(t, t->hostname), *list = "", *text;

	if (p->node_exporter_enabled)
		list = pig_fmt(t, "\"%s:%" PRId64 "\"", address, p->node_exporter_port);
	if (p->haproxy_enabled)
		list = pig_fmt(t, "%s%s\"%s:%" PRId64 "\"", list, *list ? ", " : "", address, p->haproxy_exporter_port);
	if (p->vector_enabled && is_had(t, "vector"))
		list = pig_fmt(t, "%s%s\"%s:%" PRId64 "\"", list, *list ? ", " : "", address, p->vector_port);
	text = *list ? pig_fmt(t, "- labels: { %s }\n  targets: [ %s ]\n", labels(t), list) : "";
	if (p->vip_enabled && is_had(t, "keepalived_exporter"))
		text = pig_fmt(t, "%s- labels: { %s, vip: %s }\n  targets: [ \"%s:%" PRId64 "\" ]\n", text, labels(t),
			       p->vip_address, address, p->vip_exporter_port);
	return *text ? text : NULL;
}

static const char *vip_target(pig_task *t)
{
	return pig_fmt(t, "%s---%s", ((const struct node *)t->params)->vip_address, t->hostname);
}

/* Services first: what is registered is there. The node's name may be known to itself alone, so it registers itself. */
void task_node_register(pig_task *t)
{
	const struct node *p = t->params;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);
	const char *address = node_address_of(t, t->hostname);

	if (!infra)
		return;
	infra->target(t, "node", t->hostname, node_targets(t));
	infra->target(t, "ping", t->hostname, pig_fmt(t, "- labels: { %s }\n  targets: [ %s ]\n", labels(t), address));
	infra->page(t, node_own_name(t),
		    p->haproxy_enabled ? pig_fmt(t, "%s:%" PRId64, address, p->haproxy_exporter_port) : NULL);
	if (!p->vip_enabled)
		return;
	infra->target(t, "ping", vip_target(t),
		      pig_fmt(t, "- labels: { %s, vip: %s, job: node-vip }\n  targets: [ %s ]\n", labels(t),
			      p->vip_address, p->vip_address));
	infra->dns(t, pig_fmt(t, "%s.vip", p->node_cluster),
		   pig_fmt(t, "%s %s%s\n", p->vip_address, p->node_cluster, p->vip_dns_suffix));
}

/* Does any other node of the cluster keep the shared address' name? */
static bool is_last_vip(pig_task *t)
{
	const struct node *p = t->params;
	const pig_value *all = t->host->members(t, p->node_cluster);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");
		if (strcmp(host, t->hostname) && !t->host->in_run(t, host) &&
		    t->val->truth(t->host->of(t, host, "vip_enabled"), false))
			return false;
	}
	return true;
}

void task_node_deregister(pig_task *t)
{
	const struct node *p = t->params;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);

	if (!infra)
		return;
	infra->target(t, "node", t->hostname, NULL);
	infra->target(t, "docker", t->hostname, NULL);
	infra->target(t, "ping", t->hostname, NULL);
	infra->page(t, node_own_name(t), NULL);
	if (!p->vip_enabled)
		return;
	infra->target(t, "ping", vip_target(t), NULL);
	if (is_last_vip(t))
		infra->dns(t, pig_fmt(t, "%s.vip", p->node_cluster), NULL);
}
