/* dnsmasq: the names of this deployment, for nodes that ask. */
#include "module.h"

void task_dns(pig_task *t)
{
	const struct infra *p = t->params;
	pig_value *vars = t->host->map(t);
	const char *lines = "";

	if (!p->dns_enabled) {
		pig_unit(t, .name = "dnsmasq", .state = PIG_STOPPED, .enable = -1);
		return;
	}
	for (size_t i = 0; i < t->val->len(p->dns_records); i++)
		lines = pig_fmt(t, "%s%s\n", lines, infra_scalar(t, t->val->at(p->dns_records, i)));
	infra_put(t, vars, "address", infra_address(t, t->hostname));
	pig_file(t, .path = INFRA_DNS_DIR, .dir = true, .mode = 0755, .owner = "root", .group = "root");
	pig_file(t, .path = INFRA_DIR "/hosts", .link = INFRA_DNS_DIR);
	pig_file(t, .path = INFRA_DNS_DIR "/default", .text = lines, .mode = 0644);
	pig_file(t, .path = "/etc/systemd/system/dnsmasq.service", .tmpl = "dnsmasq.service", .mode = 0644);
	pig_file(t, .path = "/etc/dnsmasq.conf", .tmpl = "dnsmasq.conf", .vars = vars, .mode = 0644,
		 .validate = "dnsmasq --test -q -C %s");
	pig_unit(t, .name = "dnsmasq", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = "/etc/systemd/system/dnsmasq.service /etc/dnsmasq.conf");
	infra_answers(t, PART_DNS);
}
