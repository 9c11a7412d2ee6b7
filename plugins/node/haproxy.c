/*
 * haproxy on the node: its unit, its base configuration, the services the inventory asks for, and the way other
 * modules add theirs.
 */
#include "module.h"
#include "node.h"

#include <stdlib.h>

void task_haproxy_install(pig_task *t)
{
	pig_package(t, .names = "haproxy");
	pig_file(t, .path = "/etc/systemd/system/haproxy.service", .tmpl = "haproxy.service", .mode = 0644);
}

enum { MAXCONN = 65535 };

/*
 * Connections haproxy can hold on this node: each takes two descriptors, a tenth stays for listeners, checks and
 * logs. What systemd can give is what its own hard limit is, or, when it may raise limits (CAP_SYS_RESOURCE, bit 24),
 * what the kernel allows. The limits of the login session say nothing about units, so they are not asked.
 */
static int64_t maxconn(pig_task *t)
{
	const char *text = node_look(t, LOOK_FILES);
	char *end;

	if (!text)
		return MAXCONN;
	long long hard = strtoll(text, &end, 10), most = strtoll(end, &end, 10);
	unsigned long long caps = strtoull(end, NULL, 16);
	int64_t files = (caps >> 24 & 1) && most > hard ? most : hard;
	if (files <= 0)
		return MAXCONN;
	int64_t spare = files / 10 > 200 ? files / 10 : 200, n = (files - spare) / 2;
	return n > MAXCONN ? MAXCONN : n < 100 ? 100 : n;
}

pig_op *haproxy_service(pig_task *t, const char *name, const char *text, enum pig_state state)
{
	const char *path = pig_fmt(t, "%s/%s.cfg", NODE_HAPROXY_DIR, name);

	if (state == PIG_ABSENT)
		return pig_file(t, .path = path, .state = PIG_ABSENT);
	return pig_file(t, .path = path, .text = text, .mode = 0644, .validate = NODE_HAPROXY_CHECK);
}

pig_op *haproxy_reload(pig_task *t)
{
	return pig_unit(t, .name = "haproxy", .state = PIG_STARTED, .enable = 1, .watch = NODE_HAPROXY_WATCH,
			.on_change = PIG_RELOAD);
}

void task_haproxy_config(pig_task *t)
{
	const struct node *p = t->params;
	pig_value *vars = t->host->map(t);

	t->host->put(t, vars, "maxconn", t->host->number(t, maxconn(t)));
	t->host->put(t, vars, "own_name", t->host->text(t, node_own_name(t)));
	pig_file(t, .path = "/etc/haproxy", .dir = true, .mode = 0700);
	pig_file(t, .path = NODE_HAPROXY_DIR, .dir = true, .mode = 0700);
	pig_file(t, .path = "/etc/haproxy/haproxy.cfg", .tmpl = "haproxy.cfg", .vars = vars, .mode = 0600,
		 .validate = "haproxy -c -q -f %s");
	for (size_t i = 0; i < t->val->len(p->haproxy_services); i++) {
		const pig_value *item = t->val->at(p->haproxy_services, i);
		pig_value *one = t->host->map(t);
		t->host->put(t, one, "service", item);
		haproxy_service(t, node_scalar(t, t->val->key(item, "name")), t->host->render(t,
			"haproxy_service.cfg", one),
				PIG_PRESENT);
	}
}

void task_haproxy_launch(pig_task *t)
{
	haproxy_reload(t);
}
