/* Grafana: configured everywhere, run where it has a package. */
#include "module.h"

static const pig_value *peers(pig_task *t)
{
	const pig_value *nodes = infra_nodes(t);
	pig_value *list = t->host->list(t);

	for (size_t i = 0; i < t->val->len(nodes); i++) {
		const char *host = infra_host(t, nodes, i);
		pig_value *one = t->host->map(t);
		infra_put(t, one, "address", infra_address(t, host));
		t->host->put(t, one, "seq", t->host->number(t, infra_seq_of(t, host)));
		if (infra_enabled(t, host, PART_VMETRICS))
			t->host->push(t, list, one);
	}
	return list;
}

/* Folder and name; Grafana shows the folders. */
static void boards(pig_task *t)
{
	static const char *const names[][2] = {{"node", "node"},
					       {"pgsql", "pgsql-cluster"},
					       {"pgsql", "pgsql-instance"},
					       {"etcd", "etcd"},
					       {"redis", "redis"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *folder = pig_fmt(t, INFRA_DIR "/dashboards/%s", names[i][0]);
		if (!i || strcmp(names[i][0], names[i - 1][0]))
			pig_file(t, .path = folder, .dir = true, .mode = 0755, .owner = "grafana", .group = "grafana");
		pig_file(t, .path = pig_fmt(t, "%s/%s.json", folder, names[i][1]), .mode = 0644, .owner = "grafana", .group = "grafana",
			 .tmpl = pig_fmt(t, "boards/%s/%s.json", names[i][0], names[i][1]));
	}
}

void task_grafana(pig_task *t)
{
	const struct infra *p = t->params;
	static const char *const folders[] = {"/etc/grafana", "/etc/grafana/provisioning/dashboards",
					      "/etc/grafana/provisioning/datasources", "/var/lib/grafana/plugins"};
	pig_value *vars = t->host->map(t);

	if (!p->grafana_enabled) {
		pig_unit(t, .name = "grafana-server", .state = PIG_STOPPED, .enable = -1);
		return;
	}
	if (p->grafana_clean) {
		pig_unit(t, .name = "grafana-server", .state = PIG_STOPPED);
		pig_file(t, .path = "/etc/grafana/provisioning/dashboards/pigsty.yml", .state = PIG_ABSENT);
		pig_file(t, .path = "/var/lib/grafana/grafana.db", .state = PIG_ABSENT);
	}
	t->host->put(t, vars, "nodes", peers(t));
	infra_put(t, vars, "address", infra_address(t, t->hostname));
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		pig_file(t, .path = folders[i], .dir = true, .mode = 0755, .owner = "grafana", .group = "grafana");
	pig_file(t, .path = "/etc/dashboards", .link = INFRA_DIR "/dashboards");
	boards(t);
	pig_file(t, .path = "/etc/grafana/grafana.ini", .tmpl = "grafana/grafana.ini", .mode = 0640, .owner = "grafana",
		 .group = "grafana");
	pig_file(t, .path = "/etc/grafana/provisioning/datasources/pigsty.yml", .tmpl = "grafana/datasources.yml",
		 .vars = vars, .mode = 0640, .owner = "grafana", .group = "grafana");
	pig_file(t, .path = "/etc/grafana/provisioning/dashboards/pigsty.yml", .tmpl = "grafana/dashboards.yml",
		 .mode = 0644, .owner = "grafana", .group = "grafana");
	if (!infra_has(t, PART_GRAFANA))
		return;
	pig_unit(t, .name = "grafana-server", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = "/etc/grafana/grafana.ini /etc/grafana/provisioning/*/*.yml");
	infra_answers(t, PART_GRAFANA);
}
