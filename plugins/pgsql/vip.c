/*
 * The address that moves with the leader. Each member has a small service that asks its own Patroni every second and
 * takes the address or lets it go: by level and not by event, so that nothing is lost with a Patroni that is killed, a
 * node that comes back or a callback that did not run. vip-manager 1.0, Debian 12's, cannot read etcd v3.
 */
#include "pgsql.h"

#include <string.h>

const char *vip_of(const struct inst *in)
{
	const char *vip = in->p->pg_vip_address;

	return in->p->pg_vip_enabled && vip ? pig_fmt(in->t, "%.*s", (int)strcspn(vip, "/"), vip) : NULL;
}

void vip_forget(const struct inst *in)
{
	pig_ensure(in->t, .note = "no address of the leader", .want = "",
		   .probe = "[ ! -e /etc/systemd/system/vip-manager.service ] || echo there",
		   .apply = "systemctl -q disable --now vip-manager; rm -f /etc/systemd/system/vip-manager.service "
			    "/pg/bin/pg-vip; systemctl daemon-reload");
}

void pgsql_vip(pig_task *t)
{
	struct inst in = inst_of(t);
	const char *vip = vip_of(&in), *mask = vip ? strchr(in.p->pg_vip_address, '/') : NULL;
	pig_value *m = t->host->map(t);

	if (!vip) {
		vip_forget(&in);
		return;
	}
	t->host->put(t, m, "vip", t->host->text(t, vip));
	t->host->put(t, m, "vip_mask", t->host->text(t, mask && mask[1] ? mask + 1 : "24"));
	t->host->put(t, m, "vip_interface", t->host->text(t, in.p->pg_vip_interface));
	t->host->put(t, m, "addr", t->host->text(t, in.addr));
	t->host->put(t, m, "fence", t->host->number(t, inst_fence(t)));
	pig_file(t, .path = "/pg/bin/pg-vip", .tmpl = "pg-vip", .vars = m, .owner = "root", .group = "postgres",
		 .mode = 0755);
	pig_file(t, .path = "/etc/systemd/system/vip-manager.service", .tmpl = "vip-manager.service");
	pig_unit(t, .name = "vip-manager", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RESTART,
		 .watch = "/etc/systemd/system/vip-manager.service /pg/bin/pg-vip");
}
