/* What a node is called and how it finds names: hostname, /etc/hosts, /etc/resolv.conf. */
#include "module.h"

#include <arpa/inet.h>

static bool is_ip(const char *s)
{
	unsigned char addr[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, s, addr) == 1 || inet_pton(AF_INET6, s, addr) == 1;
}

/* The PostgreSQL instance's name wins over an explicit nodename: existing fleets are named that way. */
const char *node_name_of(pig_task *t, const char *host)
{
	const pig_value *cluster = t->host->of(t, host, "pg_cluster"), *seq = t->host->of(t, host, "pg_seq");
	const char *name = t->val->str(t->host->of(t, host, "nodename"), NULL);

	if (t->val->truth(t->host->of(t, host, "node_id_from_pg"), true) && t->val->len(cluster) &&
	    t->val->type(seq) != PIG_ANY)
		return pig_fmt(t, "%s-%s", t->val->str(cluster, ""), node_scalar(t, seq));
	return node_is_set(name) ? name : NULL;
}

const char *node_own_name(pig_task *t)
{
	const char *name = node_name_of(t, t->hostname);

	return name ? name : node_fact(t, "node_hostname");
}

const char *node_address_of(pig_task *t, const char *host)
{
	const char *address = t->val->str(t->host->of(t, host, "ansible_host"), NULL);

	return is_ip(host) || !node_is_set(address) ? host : address;
}

void task_node_name(pig_task *t)
{
	const char *name = node_own_name(t);

	pig_ensure(t, .note = "hostname", .flags = PIG_SOFT,
		   .probe = "read -r live </proc/sys/kernel/hostname; read -r kept </etc/hostname; "
			    "echo \"$live $kept\"",
		   .want = pig_fmt(t, "%s %s", name, name),
		   .apply = pig_sh(t, "hostnamectl set-hostname %s", name));
}

/* "<address> <name>", of hosts whose name and address the inventory knows */
static const char *hosts_entry(pig_task *t, const char *host, const char *name)
{
	const char *address = node_address_of(t, host);

	return name && is_ip(address) ? pig_fmt(t, "%s %s\n", address, name) : "";
}

void task_node_hosts(pig_task *t)
{
	const struct node *p = t->params;
	/* the node's own name first: sudo and others ask for it, and would wait for an unreachable name server */
	const char *text = p->nodename_overwrite ? hosts_entry(t, t->hostname, node_own_name(t)) : "";

	if (p->nodename_exchange) {
		const pig_value *all = t->host->members(t, "all");
		for (size_t i = 0; i < t->val->len(all); i++) {
			const char *host = t->val->str(t->val->at(all, i), "");
			if (strcmp(host, t->hostname))
				text = pig_fmt(t, "%s%s", text, hosts_entry(t, host, node_name_of(t, host)));
		}
	}
	text = pig_fmt(t, "%s%s%s", text, node_lines(t, p->node_default_etc_hosts, "\n"),
		       node_lines(t, p->node_etc_hosts, "\n"));
	pig_line(t, .path = "/etc/hosts", .block = "pigsty dns", .line = text,
		 .state = *text ? PIG_PRESENT : PIG_ABSENT);
}

/* Is this line, as it stands between newlines, among those of text? */
static bool has_line(const char *text, const char *line, size_t n)
{
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		if (len == n && !strncmp(p, line, n))
			return true;
		p += len + (p[len] == '\n');
	}
	return false;
}

/* The configured lines, then what was there before and still says something. */
void task_node_resolv(pig_task *t)
{
	const struct node *p = t->params;
	const char *text = node_lines(t, p->node_dns_options, "\n");

	for (size_t i = 0; i < t->val->len(p->node_dns_servers); i++)
		text = pig_fmt(t, "%snameserver %s\n", text, node_scalar(t, t->val->at(p->node_dns_servers, i)));
	if (!strcmp(p->node_dns_method, "add")) {
		for (const char *line = node_look(t, LOOK_RESOLV); line && *line;) {
			size_t n = strcspn(line, "\n");
			if (n && *line != '#' && *line != ';' && !has_line(text, line, n))
				text = pig_fmt(t, "%s%.*s\n", text, (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
	pig_file(t, .path = "/etc/resolv.conf", .text = text, .mode = 0644);
}
