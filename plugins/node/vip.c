/* One address shared by a node cluster, held by keepalived. */
#include "module.h"

/* The interface that carries this node's own address, when none is named. */
static const char *interface(pig_task *t, const struct node *p)
{
	if (node_is_set(p->vip_interface) && strcmp(p->vip_interface, "auto"))
		return p->vip_interface;
	const pig_op *op = pig_shell(t, .note = "interface of the node's address", .reads = true,
		.cmd = pig_sh(t, "ip -o addr show to %s", node_address_of(t, t->hostname)));
	if (!pig_await(t))
		return NULL;
	const char *text = t->host->output(t, op, NULL), *name = text ? strchr(text,
		' ') : NULL; /* "2: eth0    inet 10..." */
	if (!name) {
		t->host->fail(t, "no interface has the address %s", node_address_of(t, t->hostname));
		t->host->hint(t, "Name it by vip_interface.");
		return NULL;
	}
	return pig_fmt(t, "%.*s", (int)strcspn(name + 1, " @"), name + 1);
}

void task_node_vip(pig_task *t)
{
	const struct node *p = t->params;
	const char *device = interface(t, p);
	pig_value *vars = t->host->map(t), *peers = t->host->list(t);
	const pig_value *all = t->host->members(t, "all");

	if (!device)
		return;
	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = t->val->str(t->val->at(all, i), "");
		const char *vip = t->val->str(t->host->of(t, host, "vip_address"), "");
		if (strcmp(host, t->hostname) && !strcmp(vip, p->vip_address) &&
		    t->val->truth(t->host->of(t, host, "vip_enabled"), false))
			t->host->push(t, peers, t->host->text(t, node_address_of(t, host)));
	}
	t->host->put(t, vars, "device", t->host->text(t, device));
	t->host->put(t, vars, "address", t->host->text(t, node_address_of(t, t->hostname)));
	t->host->put(t, vars, "peers", peers);
	pig_package(t, .names = "keepalived");
	pig_file(t, .path = "/etc/keepalived/keepalived.conf", .tmpl = "keepalived.conf", .vars = vars, .mode = 0600,
		 .validate = "keepalived -t -f %s");
	pig_unit(t, .name = "keepalived", .state = PIG_STARTED, .enable = 1, .watch = "/etc/keepalived/keepalived.conf",
		 .on_change = PIG_RELOAD);
}
