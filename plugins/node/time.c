/* Time zone, chrony, and what runs by the clock. */
#include "module.h"

void task_node_timezone(pig_task *t)
{
	const struct node *p = t->params;

	/* the link, and not timedatectl: asking that wakes a daemon */
	pig_ensure(t, .note = "time zone", .probe = "l=$(readlink /etc/localtime); echo \"${l##*/zoneinfo/}\"",
		   .want = p->node_timezone, .apply = pig_sh(t, "timedatectl set-timezone %s", p->node_timezone));
}

/* Does the node keep the others' time? Infra nodes do, and the admin node. */
static bool serves(pig_task *t, bool is_admin)
{
	const pig_value *infra = t->host->members(t, "infra");

	for (size_t i = 0; i < t->val->len(infra) && !is_admin; i++)
		is_admin = !strcmp(t->val->str(t->val->at(infra, i), ""), t->hostname);
	return is_admin;
}

/* Sources as configured, without those that are the node itself. */
void task_node_ntp(pig_task *t)
{
	const struct node *p = t->params;
	const char *admin = t->val->str(t->host->get(t, "admin_ip"), "");
	bool is_admin = *admin && !strcmp(node_address_of(t, t->hostname), admin), deb = node_is_deb(t);
	const char *conf = deb ? "/etc/chrony/chrony.conf" : "/etc/chrony.conf";
	pig_value *sources = t->host->list(t), *vars = t->host->map(t);

	for (size_t i = 0; i < t->val->len(p->node_ntp_servers); i++) {
		const pig_value *line = t->val->at(p->node_ntp_servers, i);
		if (!is_admin || !strstr(node_scalar(t, line), admin))
			t->host->push(t, sources, line);
	}
	t->host->put(t, vars, "sources", sources);
	t->host->put(t, vars, "serves", t->host->boolean(t, serves(t, is_admin)));
	pig_package(t, .names = "chrony");
	pig_file(t, .path = conf, .tmpl = "chrony.conf", .vars = vars, .mode = 0644);
	pig_unit(t, .name = deb ? "chrony" : "chronyd", .state = PIG_STARTED, .enable = 1, .flags = PIG_SOFT,
		.watch = conf,
		 .on_change = PIG_RESTART);
}

void task_node_crontab(pig_task *t)
{
	const struct node *p = t->params;
	const char *lines = node_lines(t, p->node_crontab, "\n");

	if (*lines && p->node_crontab_overwrite)
		pig_file(t, .path = "/etc/crontab", .tmpl = "crontab", .mode = 0644);
	else if (*lines)
		pig_line(t, .path = "/etc/crontab", .block = "node_crontab", .line = lines);
	pig_unit(t, .name = node_is_deb(t) ? "cron" : "crond", .state = PIG_STARTED, .enable = 1);
}
