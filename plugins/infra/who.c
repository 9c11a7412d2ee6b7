/* Names and addresses of infra nodes, what runs there, readers of values. */
#include "module.h"
#include "../node/node.h"

#include <arpa/inet.h>
#include <stdlib.h>

const struct infra_part_row infra_parts[INFRA_PARTS] = {
	[PART_NGINX] = {"nginx", NULL, "nginx_enabled", "nginx_port", "nginx", "nginx", false},
	[PART_NGINX_EXPORTER] = {"nginx_exporter", NULL, "nginx_exporter_enabled", "nginx_exporter_port",
				 "nginx_exporter prometheus-nginx-exporter", "nginx-exporter", true},
	[PART_DNS] = {"dnsmasq", NULL, "dns_enabled", "dns_port", "dnsmasq", "dnsmasq", false},
	[PART_VMETRICS] = {"vmetrics", "vmetrics", "vmetrics_enabled", "vmetrics_port",
			   "victoria-metrics victoria-metrics-prod", "victoria-metrics", false},
	[PART_VMALERT] = {"vmalert", "vmalert", "vmalert_enabled", "vmalert_port", "vmalert vmalert-prod", "vmalert",
			  false},
	[PART_VLOGS] = {"vlogs", "vlogs", "vlogs_enabled", "vlogs_port", "victoria-logs victoria-logs-prod",
			"victoria-logs", true},
	[PART_VTRACES] = {"vtraces", "vtraces", "vtraces_enabled", "vtraces_port",
			  "victoria-traces victoria-traces-prod", "victoria-traces", true},
	[PART_ALERTMANAGER] = {"alertmanager", "alertmgr", "alertmanager_enabled", "alertmanager_port",
			       "alertmanager prometheus-alertmanager", "alertmanager", false},
	[PART_BLACKBOX] = {"blackbox_exporter", "blackbox", "blackbox_enabled", "blackbox_port",
			   "blackbox_exporter prometheus-blackbox-exporter", "blackbox-exporter", false},
	[PART_GRAFANA] = {"grafana-server", "ui", "grafana_enabled", "grafana_port", "grafana-server", "grafana", true},
};

bool infra_enabled(pig_task *t, const char *host, enum infra_part part)
{
	bool on = t->val->truth(t->host->of(t, host, infra_parts[part].enabled), true);

	if (part == PART_NGINX_EXPORTER)
		on = on && infra_enabled(t, host, PART_NGINX);
	if (part == PART_VMALERT)
		on = on && infra_enabled(t, host, PART_VMETRICS);
	return on;
}

int64_t infra_port(pig_task *t, enum infra_part part)
{
	return t->val->num(t->host->get(t, infra_parts[part].port), 0);
}

/* What was seen: what of the optional parts has neither a program here nor a package, " vlogs vtraces "; whose home is
   the operator's */
#define LACKS "infra_lacks"
#define HOME "infra_operator_home"

static const char *seen(pig_task *t, const char *what)
{
	const char *known = t->val->str(t->host->of(t, t->hostname, what), NULL);

	if (!known) {
		task_infra_look(t);
		known = t->val->str(t->host->of(t, t->hostname, what), "");
	}
	return known;
}

const char *infra_operator_home(pig_task *t)
{
	return seen(t, HOME);
}

const char *infra_operator(pig_task *t)
{
	return infra_scalar(t, t->host->fact(t, "node_user"));
}

bool infra_lacks(pig_task *t, const char *word)
{
	return strstr(seen(t, LACKS), pig_fmt(t, " %s ", word)) != NULL;
}

bool infra_has(pig_task *t, enum infra_part part)
{
	const struct infra_part_row *row = &infra_parts[part];

	if (!infra_enabled(t, t->hostname, part))
		return false;
	return !row->optional || !infra_lacks(t, row->name);
}

/*
 * Asked of the package manager only for what is not there, all at once. Required parts are not asked for: their
 * absence is an error that the package operation words.
 */
void task_infra_look(pig_task *t)
{
	const char *ask = pig_sh(t,
				 "h=$(getent passwd %s); h=${h%%:*}; echo \"${h##*:}\"\n"
				 "[ -e /usr/share/pev2.html ] || printf 'pev '\nlack= names=\n",
				 infra_operator(t));
	bool deb = !strcmp(infra_scalar(t, t->host->fact(t, "os_package")), "deb");

	for (size_t i = 0; i < INFRA_PARTS; i++) {
		const struct infra_part_row *row = &infra_parts[i];
		if (!row->optional || !infra_enabled(t, t->hostname, (enum infra_part)i))
			continue;
		/* the alias's names: distributions and Pigsty's own repo */
		ask = pig_fmt(t,
			      "%sfor x in %s -; do ! command -v $x >/dev/null || break; done; "
			      "[ $x != - ] || { lack=\"$lack %s:%s\"; names=\"$names %s prometheus-%s\"; }\n",
			      ask, row->programs, row->name, row->packages, row->packages, row->packages);
	}
	ask = pig_fmt(
		t,
		"%s[ -n \"$names\" ] || exit 0\nknown=$(%s)\n"
		"for x in $lack; do p=${x#*:}; case \" $(echo $known) \" in *\" $p \"*|*\" prometheus-$p \"*) ;; *) "
		"printf '%%s ' \"${x%%%%:*}\" ;; esac; done",
		ask,
		deb ? "apt-cache show --no-all-versions $names 2>/dev/null | sed -n 's/^Package: //p'"
		    : "dnf -q repoquery --qf '%{name}\\n' $names 2>/dev/null");
	const pig_op *op = pig_shell(t, .note = "which parts have a package", .reads = true, .cmd = ask);
	if (!pig_await(t))
		return;
	const char *answer = t->host->output(t, op, NULL), *rest = strchr(answer, '\n');
	t->host->publish(t, HOME, t->host->text(t, pig_fmt(t, "%.*s", (int)strcspn(answer, "\n"), answer)));
	t->host->publish(t, LACKS, t->host->text(t, pig_fmt(t, " %s ", rest ? rest + 1 : "")));
}

const pig_value *infra_nodes(pig_task *t)
{
	return t->host->members(t, "infra");
}

const char *infra_host(pig_task *t, const pig_value *hosts, size_t i)
{
	return t->val->str(t->val->at(hosts, i), "");
}

const char *infra_address(pig_task *t, const char *host)
{
	const char *address = t->val->str(t->host->of(t, host, "ansible_host"), NULL);
	unsigned char raw[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1 || !address || !*address)
		return host;
	return address;
}

/* As module node calls it; only the host itself may know. */
const char *infra_name(pig_task *t, const char *host)
{
	const struct node_identity *node = t->host->iface(t, NODE_IDENTITY);
	const char *name = node ? node->name(t, host) : t->val->str(t->host->of(t, host, "nodename"), NULL);

	if (!name && !strcmp(host, t->hostname))
		name = infra_scalar(t, t->host->fact(t, "node_hostname"));
	return name && *name ? name : host;
}

int64_t infra_seq_of(pig_task *t, const char *host)
{
	const pig_value *nodes = infra_nodes(t);
	int64_t seq = t->val->num(t->host->of(t, host, "infra_seq"), -1);

	for (size_t i = 0; seq < 0 && i < t->val->len(nodes); i++)
		if (!strcmp(infra_host(t, nodes, i), host))
			seq = (int64_t)i + 1;
	return seq;
}

const char *infra_portal_url(pig_task *t)
{
	const struct infra *p = t->params;
	const char *domain = t->val->str(t->val->key(t->val->key(p->infra_portal, "home"), "domain"), NULL);

	if (!domain || !*domain)
		domain = infra_address(t, t->hostname);
	if (p->nginx_port == 80)
		return pig_fmt(t, "http://%s", domain);
	return pig_fmt(t, "http://%s:%" PRId64, domain, p->nginx_port);
}

const char *infra_scalar(pig_task *t, const pig_value *v)
{
	switch (t->val->type(v)) {
	case PIG_BOOL:
		return t->val->truth(v, false) ? "true" : "false";
	case PIG_INT:
		return pig_fmt(t, "%" PRId64, t->val->num(v, 0));
	case PIG_FLOAT:
		return pig_fmt(t, "%g", t->val->real(v, 0));
	case PIG_STR:
	case PIG_ENUM:
		return t->val->str(v, "");
	case PIG_LIST:
	case PIG_MAP:
	case PIG_ANY:
		break;
	}
	return "";
}

/* "7300d", "52w", "2y" in days; 0 (the runner's default) for what is no number */
uint32_t infra_days(const char *text)
{
	char *unit;
	unsigned long n = strtoul(text, &unit, 10);

	if (*unit == 'h')
		n = (n + 23) / 24;
	else if (*unit == 'w')
		n *= 7;
	else if (*unit == 'y')
		n *= 365;
	return n > 36500 ? 36500 : (uint32_t)n;
}

void infra_put(pig_task *t, pig_value *map, const char *key, const char *text)
{
	t->host->put(t, map, key, t->host->text(t, text));
}
