/*
 * Removal, of a node's instances or of one. What is removed is named whole; what a node's instances share goes with
 * the last of them, whichever cluster it is of.
 */
#include "module.h"
#include "../infra/infra.h"

#include <stdlib.h>

static size_t add_port(int64_t *ports, size_t n, int64_t port)
{
	size_t k = 0;

	while (k < n && ports[k] != port)
		k++;
	ports[k] = port;
	return port && k == n ? n + 1 : n;
}

/*
 * Ports of this cluster's instances on this node: the inventory's, and those that only the node still has, by unit or
 * by folder: a removed instance may have left its data.
 */
static size_t ports_here(pig_task *t, int64_t **ports)
{
	const struct redis *p = t->params;
	const char *name = pig_fmt(t, "%s-%" PRId64 "-", p->redis_cluster, p->redis_node);
	size_t n = 0, all = t->val->len(p->redis_instances), lines = 1;

	if (p->redis_port) {
		*ports = t->host->alloc(t, sizeof **ports);
		(*ports)[0] = p->redis_port;
		return 1;
	}
	const pig_op *op = pig_shell(
		t, .note = "what the node has of this cluster", .reads = true,
		.cmd = pig_sh(t,
			      "for f in /etc/systemd/system/%s*.service %s/%s*; do f=${f##*/}; f=${f%%.service}\n"
			      "p=${f#%s}; case $p in *[!0-9]*|'') ;; *) echo \"$p\" ;; esac; done",
			      name, p->redis_fs_main, name, name));
	if (!pig_await(t))
		return 0;
	const char *out = t->host->output(t, op, NULL);
	for (const char *c = out ? out : ""; *c; c++)
		lines += *c == '\n';
	*ports = t->host->alloc(t, (all + lines + 1) * sizeof **ports);
	for (size_t i = 0; i < all; i++)
		n = add_port(*ports, n, strtoll(t->val->key_at(p->redis_instances, i), NULL, 10));
	for (size_t i = 0; out && i < lines; i++) {
		const char *line = line_at(t, out, i);
		n = add_port(*ports, n, line ? strtoll(line, NULL, 10) : 0);
	}
	return n;
}

void task_redis_deregister(pig_task *t)
{
	const struct redis *p = t->params;
	const struct infra_register *infra = t->host->iface(t, INFRA_REGISTER);

	if (infra)
		infra->target(t, "redis", pig_fmt(t, "%s-%" PRId64, p->redis_cluster, p->redis_node),
			      p->redis_port ? redis_targets(t, p->redis_port) : NULL);
}

void task_redis_stop(pig_task *t)
{
	int64_t *ports;
	size_t n = ports_here(t, &ports);

	for (size_t i = 0; i < n; i++) {
		struct inst in = inst_of(t, ports[i]);
		pig_unit(t, .name = in.unit, .state = PIG_STOPPED, .enable = -1, .flags = PIG_NOW);
		const pig_op *gone = pig_file(t, .path = in.unit_file, .state = PIG_ABSENT);
		pig_file(t, .path = in.conf, .state = PIG_ABSENT);
		pig_file(t, .path = in.auth, .state = PIG_ABSENT);
		pig_ensure(t, .note = pig_fmt(t, "systemd forgets %s", in.unit),
			   .after = (const pig_op *const[]){gone, NULL}, .want = "not-found",
			   .probe = pig_sh(t, "systemctl show -p LoadState --value -- %s", in.unit),
			   .apply = pig_sh(
				   t, "systemctl daemon-reload; systemctl reset-failed -- %s 2>/dev/null; :", in.unit));
	}
}

/* This node's of this cluster are to go, or have gone: whose else are there? */
void task_redis_rm_logs(pig_task *t)
{
	const struct redis *p = t->params;
	const pig_op *op = pig_shell(
		t, .note = "other clusters on the node", .reads = true,
		.cmd = pig_sh(t, "cat /etc/systemd/system/*.service 2>/dev/null | grep -F -- %s | grep -vF -- %s",
			      REDIS_MARK,
			      pig_fmt(t, REDIS_MARK "%s, node %" PRId64 ",", p->redis_cluster, p->redis_node)));
	int status = 0;

	if (!pig_await(t))
		return;
	t->host->output(t, op, &status);
	if (status)
		redis_pipeline(t, false);
}

void task_redis_rm_data(pig_task *t)
{
	const struct redis *p = t->params;
	int64_t *ports;
	size_t n = ports_here(t, &ports);

	for (size_t i = 0; i < n; i++) {
		struct inst in = inst_of(t, ports[i]);
		pig_file(t, .path = in.dir, .dir = true, .state = PIG_ABSENT);
		pig_file(t, .path = in.log, .state = PIG_ABSENT);
	}
	if (!p->redis_port)
		pig_ensure(t, .note = pig_fmt(t, "nothing is left in %s, so it goes", p->redis_fs_main), .want = "",
			   .probe = pig_sh(t, "[ ! -d %s ] || [ \"$(ls -A %s)\" ] || echo empty", p->redis_fs_main,
					   p->redis_fs_main),
			   .apply = pig_sh(t, "rmdir -- %s", p->redis_fs_main));
}

/* Does the node have an instance of any cluster? Asked after this cluster's are gone. */
static bool others_stay(pig_task *t)
{
	const pig_op *op = pig_shell(
		t, .note = "other instances on the node", .reads = true,
		.cmd = pig_sh(t, "cat /etc/systemd/system/*.service 2>/dev/null | grep -F -- %s", REDIS_MARK));
	int status = 0;

	if (!pig_await(t))
		return true;
	t->host->output(t, op, &status);
	return status == 0;
}

void task_redis_rm_exporter(pig_task *t)
{
	if (others_stay(t))
		return;
	pig_unit(t, .name = "redis_exporter", .state = PIG_STOPPED, .enable = -1, .flags = PIG_NOW);
	const pig_op *gone = pig_file(t, .path = "/etc/systemd/system/redis_exporter.service", .state = PIG_ABSENT);
	pig_file(t, .path = "/etc/default/redis_exporter", .state = PIG_ABSENT);
	pig_ensure(t, .note = "systemd forgets redis_exporter.service", .after = (const pig_op *const[]){gone, NULL},
		   .want = "not-found", .probe = "systemctl show -p LoadState --value redis_exporter.service",
		   .apply = "systemctl daemon-reload; systemctl reset-failed redis_exporter.service 2>/dev/null; :");
	pig_file(t, .path = "/etc/tmpfiles.d/redis.conf", .state = PIG_ABSENT);
}

void task_redis_rm_pkg(pig_task *t)
{
	const struct redis *p = t->params;

	if (others_stay(t))
		return;
	pig_package(t, .names = p->redis_type, .state = PIG_ABSENT);
	pig_package(t, .names = "redis-exporter", .state = PIG_ABSENT);
}
