/* node_exporter: the node's metrics for whoever scrapes them. */
#include "module.h"

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
			   .apply = "u=prometheus-node-exporter; systemctl -q disable --now $u && "
				    "systemctl -q mask $u");
	pig_unit(t, .name = "node_exporter", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = "/etc/systemd/system/node_exporter.service /etc/default/node_exporter");
}
