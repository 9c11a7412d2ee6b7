/* infra-rm: what infra.yml has made, by its exact names. Accounts stay: files elsewhere may be theirs. */
#include "module.h"
#include "../node/node.h"

static const char *const masked[] = {"victoria-metrics", "prometheus-alertmanager", "prometheus-blackbox-exporter",
				     "prometheus-nginx-exporter"};

void task_rm_register(pig_task *t)
{
	const char *name = pig_fmt(t, "infra-%" PRId64, infra_seq_of(t, t->hostname));

	infra_target(t, "infra", name, NULL);
	infra_target(t, "http", name, NULL);
}

void task_rm_service(pig_task *t)
{
	/* what tells of others first, what others are told by last */
	for (size_t i = INFRA_PARTS; i-- > 0;)
		pig_unit(t, .name = infra_parts[i].name, .state = PIG_STOPPED, .enable = -1);
}

static void gone(pig_task *t, const char *path, bool dir)
{
	pig_file(t, .path = path, .state = PIG_ABSENT, .dir = dir);
}

void task_rm_config(pig_task *t)
{
	static const char *const files[] = {"/etc/pki/infra.crt",   "/etc/pki/infra.key",   "/etc/alertmanager.yml",
					    "/etc/blackbox.yml",    "/etc/dnsmasq.conf",    "/etc/nginx/nginx.conf",
					    "/etc/nginx/.htpasswd", "/etc/nginx/link-cert", "/etc/vector/nginx.yaml",
					    "/etc/nginx/sign-cert", "/etc/dashboards"};
	const struct node_vector *vector = t->host->iface(t, NODE_VECTOR);

	for (size_t i = 0; i < INFRA_PARTS; i++) {
		if (i == PART_NGINX || i == PART_GRAFANA) /* their units are the packages' */
			continue;
		gone(t, pig_fmt(t, "/etc/systemd/system/%s.service", infra_parts[i].name), false);
		if (i != PART_DNS)
			gone(t, pig_fmt(t, "/etc/default/%s", infra_parts[i].name), false);
	}
	for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
		gone(t, pig_fmt(t, "/etc/systemd/system/%s.service", masked[i]), false);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		gone(t, files[i], false);
	if (vector)
		vector->reload(t);
	gone(t, "/etc/grafana", true);
	gone(t, "/etc/nginx/conf.d", true);
	gone(t, INFRA_DNS_DIR, true);
	pig_ensure(t, .note = "systemd has forgotten the units", .want = "",
		   .probe = "systemctl list-units --all --state=not-found --no-legend --plain "
			    "'vmetrics.service' 'vmalert.service' 'alertmanager.service' 'blackbox_exporter.service'; "
			    "systemctl show -p NeedDaemonReload --value nginx dnsmasq | grep -x yes",
		   .apply = "systemctl daemon-reload; systemctl reset-failed vmetrics vmalert alertmanager "
			    "blackbox_exporter 2>/dev/null; :");
}

void task_rm_data(pig_task *t)
{
	const struct infra *p = t->params;

	gone(t, p->infra_data, true);
	if (strcmp(p->infra_data, INFRA_DIR))
		gone(t, INFRA_DIR, false);
	gone(t, p->nginx_data, true);
	if (strcmp(p->nginx_data, p->nginx_home))
		gone(t, p->nginx_home, false);
	gone(t, "/var/lib/grafana", true);
}

void task_rm_package(pig_task *t)
{
	for (size_t i = 0; i < INFRA_PARTS; i++)
		pig_package(t, .names = infra_parts[i].packages, .state = PIG_ABSENT);
}
