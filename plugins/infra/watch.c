/* The units that watch: metrics, rules, alerts, probes; and those for logs and traces. */
#include "module.h"

/*
 * Does a process of the unit listen on its port? Another program may have the port, while the unit is started again
 * and again. The bound: a restart after five seconds, twice, and twenty for reading its data.
 */
void infra_answers(pig_task *t, enum infra_part part)
{
	const char *unit = infra_parts[part].name;
	int64_t port = infra_port(t, part);

	pig_wait(t, .why = pig_fmt(t, "%s to listen on port %" PRId64 " (see journalctl -u %s)", unit, port, unit),
		 .probe = pig_fmt(t,
				  "ss -Hltnp 'sport = :%" PRId64
				  "' | grep -o 'pid=[0-9]*' | while IFS== read -r _ p; do\n"
				  "grep -q '/%s\\.service' \"/proc/$p/cgroup\" && echo yes && break; done",
				  port, unit),
		 .want = "yes", .limit_s = 30);
}

void infra_unit(pig_task *t, enum infra_part part, const char *reload)
{
	const char *unit = infra_parts[part].name;

	pig_unit(t, .name = unit, .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = pig_fmt(t, "/etc/systemd/system/%s.service /etc/default/%s", unit, unit));
	if (reload)
		pig_unit(t, .name = unit, .state = PIG_STARTED, .enable = 1, .on_change = PIG_RELOAD, .watch = reload);
	infra_answers(t, part);
}

/* Unit file and command line of a part; false: it is not to run here, and does not. */
static bool configure(pig_task *t, enum infra_part part, const pig_value *vars, uint32_t mode)
{
	const char *unit = infra_parts[part].name;

	if (!infra_enabled(t, t->hostname, part)) {
		pig_unit(t, .name = unit, .state = PIG_STOPPED, .enable = -1);
		return false;
	}
	pig_file(t, .path = pig_fmt(t, "/etc/systemd/system/%s.service", unit), .tmpl = pig_fmt(t, "%s.service", unit),
		 .mode = 0644);
	pig_file(t, .path = pig_fmt(t, "/etc/default/%s", unit), .tmpl = pig_fmt(t, "env/%s", unit), .vars = vars,
		 .mode = mode, .group = "infra");
	return infra_has(t, part);
}

/* On demand alone, and each time it is demanded. */
static void drop_data(pig_task *t, enum infra_part part, const char *folder, bool wanted)
{
	const char *unit = infra_parts[part].name;

	if (!wanted)
		return;
	pig_unit(t, .name = unit, .state = PIG_STOPPED);
	pig_shell(t, .note = pig_fmt(t, "drop the data of %s", unit),
		  .cmd = pig_sh(t, "find %s -mindepth 1 -delete", pig_fmt(t, INFRA_DIR "/%s/", folder)));
}

static const char *const rules[] = {"agent", "node", "pgsql", "etcd", "redis", "minio", "infra"};

void task_vmetrics(pig_task *t)
{
	const struct infra *p = t->params;

	drop_data(t, PART_VMETRICS, "metrics", p->vmetrics_clean);
	if (!configure(t, PART_VMETRICS, NULL, 0644))
		return;
	pig_file(t, .path = INFRA_DIR "/prometheus.yml", .tmpl = "prometheus.yml", .mode = 0644,
		 .owner = INFRA_VICTORIA, .group = "infra",
		 .validate = "if command -v victoria-metrics >/dev/null; then "
			     "victoria-metrics -promscrape.config=%s -promscrape.config.dryRun; fi");
	infra_unit(t, PART_VMETRICS, INFRA_DIR "/prometheus.yml");
}

void task_vlogs(pig_task *t)
{
	drop_data(t, PART_VLOGS, "logs", ((const struct infra *)t->params)->vlogs_clean);
	if (configure(t, PART_VLOGS, NULL, 0644))
		infra_unit(t, PART_VLOGS, NULL);
}

void task_vtraces(pig_task *t)
{
	drop_data(t, PART_VTRACES, "traces", ((const struct infra *)t->params)->vtraces_clean);
	if (configure(t, PART_VTRACES, NULL, 0644))
		infra_unit(t, PART_VTRACES, NULL);
}

/* Addresses of the nodes where an Alertmanager runs, this one's last when `own`; each with this before it. */
static const pig_value *managers(pig_task *t, const char *before, bool own)
{
	const pig_value *nodes = infra_nodes(t);
	pig_value *list = t->host->list(t);

	for (size_t i = 0; i < t->val->len(nodes); i++) {
		const char *host = infra_host(t, nodes, i);
		if (infra_enabled(t, host, PART_ALERTMANAGER) && (own || strcmp(host, t->hostname)))
			t->host->push(
				t, list,
				t->host->text(t, pig_fmt(t, own ? "%s%s:%" PRId64 : "%s%s", before,
							 infra_address(t, host), infra_port(t, PART_ALERTMANAGER))));
	}
	if (own && !t->val->len(list)) /* a unit that tells no one still needs to know whom */
		t->host->push(
			t, list,
			t->host->text(t, pig_fmt(t, "%s127.0.0.1:%" PRId64, before, infra_port(t, PART_ALERTMANAGER))));
	return list;
}

void task_vmalert(pig_task *t)
{
	pig_value *vars = t->host->map(t);

	t->host->put(t, vars, "managers", managers(t, "http://", true));
	infra_put(t, vars, "portal", infra_portal_url(t));
	if (!configure(t, PART_VMALERT, vars, 0644))
		return;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		pig_file(t, .path = pig_fmt(t, INFRA_DIR "/rules/%s.yml", rules[i]),
			 .tmpl = pig_fmt(t, "rules/%s.yml", rules[i]), .mode = 0644, .owner = INFRA_VICTORIA,
			 .group = "infra",
			 .validate = "if command -v vmalert >/dev/null; then vmalert -dryRun -rule=%s; fi");
	infra_unit(t, PART_VMALERT, INFRA_DIR "/rules/*.yml");
}

void task_alertmanager(pig_task *t)
{
	static const char *const modules[] = {"node", "pgsql", "etcd", "redis", "minio", "infra"};
	pig_value *vars = t->host->map(t), *list = t->host->list(t);

	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
		t->host->push(t, list, t->host->text(t, modules[i]));
	t->host->put(t, vars, "modules", list);
	t->host->put(t, vars, "peers", managers(t, "", false));
	infra_put(t, vars, "address", infra_address(t, t->hostname));
	infra_put(t, vars, "portal", infra_portal_url(t));
	if (!configure(t, PART_ALERTMANAGER, vars, 0640))
		return;
	pig_file(t, .path = "/etc/alertmanager.yml", .tmpl = "alertmanager.yml", .vars = vars, .mode = 0640,
		 .owner = "prometheus", .group = "infra",
		 .validate = "if command -v amtool >/dev/null; then amtool check-config %s; fi");
	infra_unit(t, PART_ALERTMANAGER, "/etc/alertmanager.yml");
}

void task_blackbox(pig_task *t)
{
	if (!configure(t, PART_BLACKBOX, NULL, 0644))
		return;
	pig_file(t, .path = "/etc/blackbox.yml", .tmpl = "blackbox.yml", .mode = 0644, .owner = "prometheus",
		 .group = "infra",
		 .validate = "p=$(command -v blackbox_exporter || command -v "
			     "prometheus-blackbox-exporter) && $p --config.check --config.file=%s");
	infra_unit(t, PART_BLACKBOX, "/etc/blackbox.yml");
}

void task_nginx_exporter(pig_task *t)
{
	if (configure(t, PART_NGINX_EXPORTER, NULL, 0644))
		infra_unit(t, PART_NGINX_EXPORTER, NULL);
}
