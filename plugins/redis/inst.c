/* Instances: what they are called, where they lie, how they are spoken to. */
#include "module.h"

#include <arpa/inet.h>
#include <stdlib.h>

bool is_mode(pig_task *t, const char *mode)
{
	const struct redis *p = t->params;

	return !strcmp(p->redis_mode, mode);
}

struct inst inst_of(pig_task *t, int64_t port)
{
	const struct redis *p = t->params;
	const char *name = pig_fmt(t, "%s-%" PRId64 "-%" PRId64, p->redis_cluster, p->redis_node, port);
	const pig_value *given = t->val->key(p->redis_instances, pig_fmt(t, "%" PRId64, port));
	const char *of = t->val->str(t->val->key(given, "replica_of"), "");
	const char *dir = pig_fmt(t, "%s/%s", p->redis_fs_main, name);

	return (struct inst){
		.port = port,
		.name = name,
		.dir = dir,
		.state = pig_fmt(t, "%s/state.conf", dir),
		.conf = pig_fmt(t, "/etc/redis/%s.conf", name),
		.auth = pig_fmt(t, "/etc/redis/%s.auth", name),
		.unit = pig_fmt(t, "%s.service", name),
		.unit_file = pig_fmt(t, "/etc/systemd/system/%s.service", name),
		.log = pig_fmt(t, "/var/log/redis/%s.log", name),
		.replica_of = *of ? of : NULL,
	};
}

int64_t port_at(pig_task *t, const pig_value *instances, size_t i)
{
	int64_t last = -1, next = -1;

	for (size_t k = 0; k <= i; k++, last = next) {
		next = INT64_MAX;
		for (size_t n = 0; n < t->val->len(instances); n++) {
			int64_t port = strtoll(t->val->key_at(instances, n), NULL, 10);
			if (port > last && port < next)
				next = port;
		}
	}
	return next;
}

size_t insts_of(pig_task *t, struct inst **list)
{
	const struct redis *p = t->params;
	size_t n = 0, all = t->val->len(p->redis_instances);

	*list = t->host->alloc(t, (all + 1) * sizeof **list);
	for (size_t i = 0; i < all; i++) {
		int64_t port = port_at(t, p->redis_instances, i);
		if (!p->redis_port || p->redis_port == port)
			(*list)[n++] = inst_of(t, port);
	}
	return n;
}

const char *redis_address(pig_task *t, const char *host)
{
	const char *address = t->val->str(t->host->of(t, host, "ansible_host"), NULL);
	unsigned char raw[sizeof(struct in6_addr)];

	/* a host named by its address has its ansible_host for ssh only */
	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1 || !address || !*address)
		return host;
	return address;
}

const char *redis_bind(pig_task *t)
{
	const struct redis *p = t->params;

	return p->redis_bind_address && *p->redis_bind_address ? p->redis_bind_address : redis_address(t, t->hostname);
}

const char *redis_local(pig_task *t)
{
	const char *bind = redis_bind(t);

	if (!strcmp(bind, "0.0.0.0"))
		return "127.0.0.1";
	return strcmp(bind, "::") ? bind : "::1";
}

/* The client's own status says nothing of the answer. */
#define GOOD "good() { o=$(\"$@\"); case $o in OK*) ;; *) echo \"$o\" >&2; false ;; esac; }\n"

static const char *password_of(pig_task *t, const struct inst *in)
{
	return pig_sh(t,
		      GOOD "a=$(sed -n 's/^requirepass \"\\{0,1\\}\\([^\"]*\\)\"\\{0,1\\}$/\\1/p' %s 2>/dev/null)\n"
			   "if [ \"$a\" ]; then export REDISCLI_AUTH=\"$a\"; else unset REDISCLI_AUTH; fi\n",
		      in->auth);
}

const char *redis_cli(pig_task *t, const struct inst *in)
{
	const struct redis *p = t->params;

	return pig_fmt(t, "%scli() { timeout 5 %s-cli -h %s -p %" PRId64 " \"$@\" 2>/dev/null; }\n", password_of(t, in),
		       p->redis_type, pig_sh(t, "%s", redis_local(t)), in->port);
}

const char *redis_cli_any(pig_task *t)
{
	const struct redis *p = t->params;
	struct inst in = inst_of(t, strtoll(t->val->key_at(p->redis_instances, 0), NULL, 10));

	return pig_fmt(t, "%scli() { h=$1 p=$2; shift 2; timeout 5 %s-cli -h \"$h\" -p \"$p\" \"$@\" 2>/dev/null; }\n",
		       password_of(t, &in), p->redis_type);
}

size_t cluster_addrs(pig_task *t, struct addr **list)
{
	const pig_value *hosts = t->host->members(t, t->cluster);
	size_t n = 0, most = 0;

	for (size_t i = 0; i < t->val->len(hosts); i++)
		most += t->val->len(t->host->of(t, t->val->str(t->val->at(hosts, i), ""), "redis_instances"));
	*list = t->host->alloc(t, (most + 1) * sizeof **list);
	for (size_t i = 0; i < t->val->len(hosts); i++) {
		const char *host = t->val->str(t->val->at(hosts, i), "");
		const pig_value *all = t->host->of(t, host, "redis_instances");
		for (size_t k = 0; k < t->val->len(all); k++)
			(*list)[n++] = (struct addr){host, redis_address(t, host), port_at(t, all, k)};
	}
	return n;
}

const char *line_at(pig_task *t, const char *text, size_t n)
{
	while (n-- && *text)
		text += strcspn(text, "\n"), text += *text == '\n';
	return *text ? pig_fmt(t, "%.*s", (int)strcspn(text, "\r\n"), text) : NULL;
}
