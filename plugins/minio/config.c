/* What the server reads, its unit, and where others find it. */
#include "module.h"
#include "../infra/infra.h"

#include <stdlib.h>

void task_minio_conf(pig_task *t)
{
	const char *volumes = minio_volumes(t);
	pig_value *vars = t->host->map(t);

	if (!volumes)
		return;
	t->host->put(t, vars, "volumes", t->host->text(t, volumes));
	t->host->put(t, vars, "certs", t->host->text(t, minio_certs(t)));
	pig_file(t, .path = MINIO_ENV, .tmpl = "minio.env", .vars = vars, .mode = 0640, .owner = "root",
		 .group = "minio");
	pig_file(t, .path = MINIO_UNIT, .tmpl = "minio.service", .mode = 0644);
}

/* "7300d", "52w", "2y" in days; 0 (the runner's default) for what is no number */
static uint32_t days_of(const char *text)
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

/* The server speaks TLS exactly when it finds certificates: without TLS they must be gone. */
void task_minio_cert(pig_task *t)
{
	const struct minio *p = t->params;
	const char *certs = minio_certs(t), *node = minio_node(t, t->hostname);

	if (!p->minio_https) {
		pig_file(t, .path = certs, .dir = true, .state = PIG_ABSENT);
		return;
	}
	pig_file(t, .path = certs, .dir = true, .mode = 0750, .owner = p->minio_user, .group = "minio");
	pig_file(t, .path = pig_fmt(t, "%s/CAs", certs), .dir = true, .mode = 0750, .owner = p->minio_user,
		 .group = "minio");
	pig_file(t, .path = pig_fmt(t, "%s/CAs/ca.crt", certs), .text = t->host->ca(t), .mode = 0644,
		 .owner = p->minio_user, .group = "minio");
	pig_cert(t, .path = pig_fmt(t, "%s/public.crt", certs), .key = pig_fmt(t, "%s/private.key", certs), .cn = node,
		 .ou = "minio", .store = "minio", .owner = p->minio_user, .group = "minio",
		 .sans = pig_fmt(t, "127.0.0.1,localhost,%s,%s,%s,%s,%s", minio_address(t, t->hostname), node,
				 t->cluster, minio_instance(t, t->hostname), p->minio_domain),
		 .days = days_of(t->val->str(t->host->get(t, "cert_validity"), "7300d")));
}

/* Members find each other by name, also while no name server answers. */
void task_minio_dns(pig_task *t)
{
	const pig_value *hosts = t->host->members(t, t->cluster);
	const char *text = "";

	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = minio_host(t, hosts, i);
		text = pig_fmt(t, "%s%s %s\n", text, minio_address(t, host), minio_node(t, host));
	}
	pig_line(t, .path = "/etc/hosts", .block = "minio dns", .line = text);
}

/*
 * All members at once: they share their root's key and must not wait for each other one by one. The unit is of
 * Type=exec, so a start does not wait for the other members; the page "live" answers as soon as the server listens.
 */
void task_minio_launch(pig_task *t)
{
	const struct minio *p = t->params;
	const char *certs = minio_certs(t);
	pig_op *unit = pig_unit(
		t, .name = "minio", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART, .flags = PIG_NOW,
		.watch = pig_fmt(t, MINIO_ENV " " MINIO_UNIT "%s",
				 p->minio_https ? pig_fmt(t, " %s/public.crt %s/CAs/ca.crt", certs, certs) : ""));

	if (pig_await(t) && t->host->changed(t, unit))
		pig_wait(t, .why = pig_fmt(t, "minio on %s to answer (see journalctl -u minio)", t->hostname),
			 .probe = pig_fmt(t, "curl -sS -f -m 5 -o /dev/null%s %s/minio/health/live",
					  p->minio_https ? pig_sh(t, " --cacert %s/CAs/ca.crt", certs) : "",
					  minio_here(t)));
}

void task_minio_register(pig_task *t)
{
	const struct minio *p = t->params;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);
	const char *ins = minio_instance(t, t->hostname), *address = minio_address(t, t->hostname);

	if (!infra)
		return;
	infra->target(t, "minio", ins,
		      pig_fmt(t,
			      "- labels: { ip: %s, ins: %s, cls: %s, instance: '%s:%" PRId64 "', flavor: %s }\n"
			      "  targets: [ '%s:%" PRId64 "' ]\n",
			      address, ins, t->cluster, address, p->minio_port, p->minio_type, address, p->minio_port));
	infra->dns(t, ins, pig_fmt(t, "%s %s %s\n", address, minio_node(t, t->hostname), ins));
}
