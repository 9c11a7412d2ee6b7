/* What a node needs before instances are on it: programs, the account, folders. */
#include "module.h"

#include <stdlib.h>

int64_t redis_bytes(const char *size)
{
	static const struct {
		const char *unit;
		int64_t n;
	} units[] = {
		{"", 1},	{"b", 1},	 {"k", 1000},	    {"kb", 1024},
		{"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30},
	};
	char *end;
	long long n = strtoll(size, &end, 10);

	for (size_t i = 0; end != size && i < sizeof units / sizeof *units; i++) {
		const char *u = units[i].unit;
		size_t k = 0;
		while (u[k] && (end[k] | 32) == u[k])
			k++;
		if (!u[k] && !end[k])
			return n > INT64_MAX / units[i].n ? -1 : n * units[i].n;
	}
	return -1;
}

/* Identity is what the rules look at; this is what only the node can say. */
void task_redis_id(pig_task *t)
{
	const struct redis *p = t->params;
	int64_t have = t->val->num(t->host->fact(t, "node_mem_mb"), 0), each = redis_bytes(p->redis_max_memory) >> 20;
	int64_t n = (int64_t)t->val->len(p->redis_instances);

	if (have && !is_mode(t, "sentinel") && each * n > have)
		t->host->warn(t, "%" PRId64 " instances of %s are more than the node's %" PRId64 " MB of memory", n,
			      p->redis_max_memory, have);
}

/*
 * The distribution starts a server of its own where one is installed, and it would hold the customary port. So its
 * units are put out of the way first: a link costs nothing to look at. One that runs already is left to run.
 */
void task_redis_install(pig_task *t)
{
	static const char *const others[] = {"server", "sentinel"};
	const struct redis *p = t->params;

	if (!strcmp(t->val->str(t->host->fact(t, "os_package"), ""), "deb"))
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			pig_file(t, .link = "/dev/null",
				 .path = pig_fmt(t, "/etc/systemd/system/%s-%s.service", p->redis_type, others[i]));
	pig_package(t, .names = p->redis_type);
}

void task_redis_user(pig_task *t)
{
	pig_user(t, .name = "redis", .system = true);
}

void task_redis_dir(pig_task *t)
{
	const struct redis *p = t->params;

	/* Redis reads what is here and writes nothing: what it keeps is in the instances' own folders */
	pig_file(t, .path = "/etc/redis", .dir = true, .mode = 0750, .owner = "root", .group = "redis");
	pig_file(t, .path = "/var/log/redis", .dir = true, .mode = 0700, .owner = "redis", .group = "redis");
	pig_file(t, .path = "/run/redis", .dir = true, .mode = 0755, .owner = "redis", .group = "redis");
	pig_file(t, .path = "/etc/tmpfiles.d/redis.conf", .mode = 0644,
		 .text = "# Managed by pig.\nd /run/redis 0755 redis redis -\n");
	pig_file(t, .path = p->redis_fs_main, .dir = true, .mode = 0700, .owner = "redis", .group = "redis");
}
