/*
 * The network of a sandbox: a switch namespace with a bridge, one namespace per node and one for a controller, joined
 * by veth pairs. Every end lies inside a namespace of the sandbox and none has a default route, so nothing can leave it
 * and two sandboxes can use the same addresses.
 */
#include "cli/sandbox_in.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NETNS_DIR "/run/netns"

static const char *switch_ns(const struct sandbox *s)
{
	return arena_fmt(s->a, "%s-sw", s->name);
}

static const char *control_ns(const struct sandbox *s)
{
	return arena_fmt(s->a, "%s-ctl", s->name);
}

bool sandbox_net_exists(const struct sandbox *s, const char *netns)
{
	return os_exists(arena_fmt(s->a, NETNS_DIR "/%s", netns));
}

/* A namespace with eth0 on the switch. */
static bool plug(const struct sandbox *s, const char *netns, const char *port, const char *address, struct err *e)
{
	const char *sw = switch_ns(s), *cidr = arena_fmt(s->a, "%s/24", address);

	return sandbox_run(s, NULL, e, "ip", "netns", "add", netns, NULL) &&
	       sandbox_run(s, NULL, e, "ip", "-n", sw, "link", "add", port, "type", "veth", "peer", "name", "eth0",
			   "netns", netns, NULL) &&
	       sandbox_run(s, NULL, e, "ip", "-n", sw, "link", "set", port, "master", "br0", "up", NULL) &&
	       sandbox_run(s, NULL, e, "ip", "-n", netns, "addr", "add", cidr, "dev", "eth0", NULL) &&
	       sandbox_run(s, NULL, e, "ip", "-n", netns, "link", "set", "lo", "up", NULL) &&
	       sandbox_run(s, NULL, e, "ip", "-n", netns, "link", "set", "eth0", "up", NULL);
}

bool sandbox_net_up(const struct sandbox *s, struct err *e)
{
	const char *sw = switch_ns(s);

	if (!sandbox_run(s, NULL, e, "ip", "netns", "add", sw, NULL) ||
	    !sandbox_run(s, NULL, e, "ip", "-n", sw, "link", "add", "br0", "type", "bridge", NULL) ||
	    !sandbox_run(s, NULL, e, "ip", "-n", sw, "link", "set", "br0", "up", NULL))
		return false;
	for (unsigned i = 0; i < s->nodes; i++) {
		struct sandbox_node n = sandbox_node_at(s, i);
		if (!plug(s, n.machine, arena_fmt(s->a, "v-%s", n.name), n.address, e))
			return false;
	}
	return plug(s, control_ns(s), "v-ctl", SB_CTL_ADDRESS, e);
}

bool sandbox_link_set(const struct sandbox *s, const struct sandbox_node *n, bool up, struct err *e)
{
	return sandbox_run(s, NULL, e, "ip", "-n", switch_ns(s), "link", "set", arena_fmt(s->a, "v-%s", n->name),
			   up ? "up" : "down", NULL);
}

bool sandbox_link_is_cut(const struct sandbox *s, const struct sandbox_node *n)
{
	struct buf out = BUF(s->a);

	if (!sandbox_run(s, &out, NULL, "ip", "-n", switch_ns(s), "-o", "link", "show", "dev",
			 arena_fmt(s->a, "v-%s", n->name), NULL))
		return false;
	/* flags stand between < and >: "<BROADCAST,MULTICAST,UP,LOWER_UP>" */
	const char *flags = strchr(buf_text(&out), '<');
	return !flags || (!strstr(flags, ",UP,") && !strstr(flags, ",UP>") && !strstr(flags, "<UP,"));
}

bool sandbox_net_enter(const struct sandbox *s, const char *netns, struct err *e)
{
	const char *path =
		netns ? arena_fmt(s->a, NETNS_DIR "/%s", netns) : arena_fmt(s->a, NETNS_DIR "/%s-ctl", s->name);
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return fail(e, E_FAILED, "could not enter network namespace \"%s\": %s", path, strerror(errno));
	return true;
}

/* One try to read sshd's banner from a node, seen from the namespace the process is in. A network that is not up yet is tried again
 * soon; an sshd that has taken the connection is given time, as it starts a process for it. */
static bool banner(const struct sandbox_node *n)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(22)};
	autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char head[4] = {0};

	if (fd < 0 || inet_pton(AF_INET, n->address, &to.sin_addr) != 1)
		return false;
	if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
		return false;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	if (poll(&p, 1, 500) != 1 || p.revents & (POLLERR | POLLHUP))
		return false;
	p.events = POLLIN;
	if (poll(&p, 1, 5000) != 1)
		return false;
	return recv(fd, head, sizeof head, 0) == (ssize_t)sizeof head && !memcmp(head, "SSH-", 4);
}

static bool wait_inside(const struct sandbox_node *nodes, unsigned n, int limit_ms, struct err *e)
{
	int64_t until = os_now_ms() + limit_ms;

	for (unsigned i = 0; i < n; i++) {
		while (!banner(&nodes[i])) {
			if (!sandbox_node_pid(&nodes[i]))
				return fail(e, E_FAILED, "node \"%s\" ended while it booted", nodes[i].name);
			if (os_now_ms() > until)
				return fail(e, E_TIMEOUT, "sshd of node \"%s\" (%s) did not answer within %d s",
					    nodes[i].name, nodes[i].address, limit_ms / 1000);
			poll(NULL, 0, 10);
		}
	}
	return true;
}

bool sandbox_net_wait(const struct sandbox *s, const struct sandbox_node *nodes, unsigned n, int limit_ms,
		      struct err *e)
{
	autofd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || !sandbox_net_enter(s, NULL, e))
		return false;
	bool ok = wait_inside(nodes, n, limit_ms, e);
	if (setns(home, CLONE_NEWNET))
		return fail(e, E_BUG, "could not come back to the machine's network namespace: %s", strerror(errno));
	return ok;
}

/* NAME-sw, NAME-ctl, NAME-meta, NAME-node-N: exactly ours, so that the sandbox "a" leaves those of "a-b" alone. */
static bool is_ours(const struct sandbox *s, const char *netns)
{
	size_t len = strlen(s->name);

	if (strncmp(netns, s->name, len) || netns[len] != '-')
		return false;
	const char *part = netns + len + 1;
	if (!strcmp(part, "sw") || !strcmp(part, "ctl") || !strcmp(part, "meta"))
		return true;
	return !strncmp(part, "node-", 5) && part[5] && strspn(part + 5, "0123456789") == strlen(part + 5);
}

bool sandbox_net_down(const struct sandbox *s, struct err *e)
{
	size_t n;
	char **names = sandbox_names(s->a, NETNS_DIR, &n);

	for (size_t i = 0; i < n; i++) {
		struct buf pids = BUF(s->a);
		if (!is_ours(s, names[i]))
			continue;
		if (sandbox_run(s, &pids, NULL, "ip", "netns", "pids", names[i], NULL) && pids.len) {
			for (size_t k = 0; k + 1 < pids.len; k++)
				if (pids.p[k] == '\n')
					pids.p[k] = ' ';
			sandbox_put("note: processes started in %s still run: %s", names[i], pids.p);
		}
		if (!sandbox_run(s, NULL, e, "ip", "netns", "del", names[i], NULL))
			return false;
	}
	return true;
}
