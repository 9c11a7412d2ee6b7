/*
 * The interface other modules register by. What is queued here is done on each infra node when the step is over; the
 * engine makes one batch of what all hosts of the step leave there.
 */
#include "infra.h"
#include "module.h"

const char *const infra_kinds[] = {"node",  "ping",  "http",   "etcd",	"infra", "pgsql", "pgrds", "patroni",
				   "redis", "minio", "docker", "juice", "mysql", "kafka", NULL};

/* Is this part of infra wanted on the node? */
static bool has(pig_task *t, const char *host, const char *part)
{
	return t->val->truth(t->host->of(t, host, part), true);
}

/* The n-th infra node, where this part runs; NULL when it does not. */
static pig_task *node_at(pig_task *t, const pig_value *nodes, size_t n, const char *part)
{
	const char *host = t->val->str(t->val->at(nodes, n), "");

	return has(t, host, part) ? t->host->later(t, host) : NULL;
}

/* Without its folder the node is no infra node yet, and there is nothing to do. */
static void keep(pig_task *o, const char *folder, const char *name, const char *text, const char *owner,
		 const char *group, uint32_t mode)
{
	const char *path = pig_fmt(o, "%s/%s", folder, name);

	if (text)
		pig_file(o, .flags = PIG_IF_THERE, .path = path, .text = text, .mode = mode, .owner = owner,
			 .group = group);
	else
		pig_file(o, .path = path, .state = PIG_ABSENT);
}

void infra_target(pig_task *t, const char *kind, const char *name, const char *text)
{
	const pig_value *nodes = t->host->members(t, "infra");

	for (size_t i = 0; i < t->val->len(nodes); i++) {
		pig_task *o = node_at(t, nodes, i, "vmetrics_enabled");
		if (o)
			keep(o, pig_fmt(o, INFRA_DIR "/targets/%s", kind), pig_fmt(o, "%s.yml", name), text,
			     INFRA_VICTORIA, "infra", 0640);
	}
}

void infra_dns(pig_task *t, const char *name, const char *lines)
{
	const pig_value *nodes = t->host->members(t, "infra");

	for (size_t i = 0; i < t->val->len(nodes); i++) {
		pig_task *o = node_at(t, nodes, i, "dns_enabled");
		if (o)
			keep(o, INFRA_DNS_DIR, name, lines, "root", "root", 0644);
	}
}

void infra_page(pig_task *t, const char *name, const char *server)
{
	const pig_value *nodes = t->host->members(t, "infra");

	for (size_t i = 0; i < t->val->len(nodes); i++) {
		pig_task *o = node_at(t, nodes, i, "nginx_enabled");
		if (!o)
			continue;
		keep(o, INFRA_PAGES_DIR, pig_fmt(o, "upstream-%s.conf", name),
		     server ? pig_fmt(o, "upstream haproxy-%s { server %s max_fails=0; }\n", name, server) : NULL,
		     "root", "root", 0644);
		keep(o, INFRA_PAGES_DIR, pig_fmt(o, "location-%s.conf", name),
		     server ? pig_fmt(o,
				      "location ^~ /haproxy/%s/ {\n    proxy_pass http://haproxy-%s;\n    "
				      "proxy_connect_timeout 1s;\n"
				      "}\n",
				      name, name)
			    : NULL,
		     "root", "root", 0644);
		infra_nginx_reload(o);
	}
}

/* Where nginx is not installed, or does not run, there is nothing to tell. */
pig_op *infra_nginx_reload(pig_task *t)
{
	return pig_unit(t, .name = "nginx", .flags = PIG_IF_THERE, .watch = INFRA_NGINX_WATCH, .on_change = PIG_RELOAD);
}

/* The portal's logs, where vector sends logs. */
static void logs(pig_task *t)
{
	pig_value *vars = t->host->map(t);

	infra_put(t, vars, "address", infra_address(t, t->hostname));
	infra_put(t, vars, "ins", pig_fmt(t, "nginx-%" PRId64, infra_seq_of(t, t->hostname)));
	if (t->val->truth(t->host->get(t, "vector_enabled"), false) && infra_has(t, PART_NGINX))
		pig_file(t, .path = "/etc/vector/nginx.yaml", .tmpl = "vector_nginx.yaml", .vars = vars, .mode = 0600);
}

/*
 * The portal as others see it; by https too, so that the end of its certificate is seen. A public certificate is not for
 * addresses.
 */
static const char *portal(pig_task *t)
{
	const char *address = infra_address(t, t->hostname);
	const pig_value *home = t->val->key(t->host->get(t, "infra_portal"), "home");
	bool tls = strcmp(t->val->str(t->host->get(t, "nginx_sslmode"), "disable"), "disable") != 0;
	const char *https = "";

	if (tls && !t->val->truth(t->val->key(home, "certbot"), false))
		https = pig_fmt(t, ", \"https://%s:%" PRId64 "/\"", address, t->val->num(t->host->get(t, "nginx_ssl_port"), 443));
	return pig_fmt(t,
		       "- labels: { ip: %s, ins: nginx-%" PRId64
		       ", cls: nginx }\n  targets: [ \"http://%s:%" PRId64 "/\"%s ]\n",
		       address, infra_seq_of(t, t->hostname), address, infra_port(t, PART_NGINX), https);
}

/* The parts of this node that give metrics, and the portal as it is seen from outside. */
void task_infra_register(pig_task *t)
{
	static const char *const cls[INFRA_PARTS] = {
		[PART_NGINX_EXPORTER] = "nginx", [PART_VMETRICS] = "vmetrics", [PART_VMALERT] = "vmalert",
		[PART_VLOGS] = "vlogs",		 [PART_VTRACES] = "vtraces",   [PART_ALERTMANAGER] = "alertmanager",
		[PART_BLACKBOX] = "blackbox",	 [PART_GRAFANA] = "grafana",
	};
	const char *text = "", *address = infra_address(t, t->hostname);
	const char *name = pig_fmt(t, "infra-%" PRId64, infra_seq_of(t, t->hostname));

	for (size_t i = 0; i < INFRA_PARTS; i++)
		if (cls[i] && infra_has(t, (enum infra_part)i))
			text = pig_fmt(t,
				       "%s- labels: { ip: %s, ins: %s-%" PRId64 ", cls: %s }\n"
				       "  targets: [ \"%s:%" PRId64 "\" ]\n",
				       text, address, cls[i], infra_seq_of(t, t->hostname), cls[i], address,
				       infra_port(t, (enum infra_part)i));
	logs(t);
	infra_target(t, "infra", name, *text ? text : NULL);
	infra_target(t, "http", name, infra_has(t, PART_NGINX) ? portal(t) : NULL);
}
