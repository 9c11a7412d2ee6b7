/*
 * Taking members away. The order is that of making, turned round: first nobody finds the member any more, then it
 * stops, then what is its own on the disk goes, by its exact path.
 */
#include "module.h"
#include "../infra/infra.h"

void task_minio_deregister(pig_task *t)
{
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);
	const char *ins = minio_instance(t, t->hostname);

	if (infra) {
		infra->target(t, "minio", ins, NULL);
		infra->dns(t, ins, NULL);
	}
	pig_line(t, .path = "/etc/hosts", .block = "minio dns", .state = PIG_ABSENT);
}

void task_minio_stop(pig_task *t)
{
	const pig_value *hosts = t->host->members(t, t->cluster);
	size_t n = t->val->len(hosts), stay = 0;

	for (size_t i = 0; i < n; i++)
		stay += !t->host->in_run(t, minio_host(t, hosts, i));
	if (stay)
		t->host->warn(
			t,
			"minio cluster %s loses member %s of %zu; what stays goes on only while enough drives are "
			"left",
			t->cluster, minio_instance(t, t->hostname), n);
	pig_unit(t, .name = "minio", .state = PIG_STOPPED, .enable = -1);
}

/* A drive's mount point stays, empty. */
void task_minio_rm_data(pig_task *t)
{
	const struct minio *p = t->params;

	for (size_t i = 0; i < minio_drives(p->minio_data); i++) {
		const char *dir = minio_folder(t, i);
		pig_ensure(
			t, .note = pig_fmt(t, "%s is gone, or an empty mount point", dir),
			.probe = pig_sh(t, "[ ! -e %s ] || { mountpoint -q %s && [ -z \"$(ls -A %s)\" ]; }", dir, dir,
					dir),
			.apply = pig_sh(
				t,
				"if mountpoint -q %s; then cd %s && rm -rf --one-file-system -- ./* ./.[!.]* ./..?*; "
				"else rm -rf --one-file-system -- %s; fi",
				dir, dir, dir));
	}
}

void task_minio_rm_config(pig_task *t)
{
	pig_file(t, .path = MINIO_ENV, .state = PIG_ABSENT);
	pig_file(t, .path = pig_fmt(t, "%s/.minio", minio_home(t)), .dir = true, .state = PIG_ABSENT);
	pig_file(t, .path = MINIO_UNIT, .state = PIG_ABSENT);
	pig_ensure(t, .note = "systemd knows that the unit is gone",
		   .probe = "[ \"$(systemctl show -p NeedDaemonReload --value minio)\" != yes ]",
		   .apply = "systemctl daemon-reload");
}

void task_minio_rm_pkg(pig_task *t)
{
	pig_package(t, .names = "silo minio mcli", .state = PIG_ABSENT);
}
