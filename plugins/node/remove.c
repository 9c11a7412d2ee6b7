/* node-rm: the node watched and served no more. Names, packages, tuning and accounts stay: they are the machine's. */
#include "module.h"

void task_node_services_rm(pig_task *t)
{
	static const char *const units[] = {"keepalived_exporter", "keepalived", "haproxy", "node_exporter", "vector"};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		pig_unit(t, .name = units[i], .state = PIG_STOPPED, .enable = -1);
}

void task_node_files_rm(pig_task *t)
{
	const struct node *p = t->params;
	static const char *const files[] = {
		"/etc/systemd/system/haproxy.service",
		"/etc/systemd/system/node_exporter.service",
		"/etc/default/node_exporter",
		"/etc/systemd/system/keepalived_exporter.service",
		"/etc/default/keepalived_exporter",
		"/etc/keepalived/keepalived.conf",
		"/etc/systemd/system/vector.service",
		"/etc/default/vector",
		"/etc/profile.d/node.sh",
		"/etc/profile.d/node.alias.sh",
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		pig_file(t, .path = files[i], .state = PIG_ABSENT);
	pig_file(t, .path = "/etc/haproxy", .dir = true, .state = PIG_ABSENT);
	pig_file(t, .path = "/etc/vector", .dir = true, .state = PIG_ABSENT);
	pig_file(t, .path = p->vector_data, .dir = true, .state = PIG_ABSENT);
	if (t->val->len(p->node_crontab) && p->node_crontab_overwrite)
		pig_file(t, .path = "/etc/crontab", .mode = 0644,
			 .text = "SHELL=/bin/bash\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\nMAILTO=root\n");
	pig_ensure(t, .note = "systemd has forgotten the units", .want = "",
		   .probe = "systemctl show -p NeedDaemonReload --value haproxy node_exporter vector | grep -x yes",
		   .apply = "systemctl daemon-reload");
}
