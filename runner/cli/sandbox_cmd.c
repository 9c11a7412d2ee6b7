/* The commands of `pig sandbox` on a sandbox: up, down, status, and the faults. */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct sandbox_node *all_nodes(const struct sandbox *s)
{
	struct sandbox_node *nodes = arena_new_of(s->a, struct sandbox_node, s->nodes);

	for (unsigned i = 0; i < s->nodes; i++)
		nodes[i] = sandbox_node_at(s, i);
	return nodes;
}

static bool was_stopped(const struct sandbox *s, const struct sandbox_node *n)
{
	return os_exists(os_join(s->a, n->dir, "stopped"));
}

/* A sandbox whose nodes all died without being stopped is the rest of a dead run. */
static bool is_alive(const struct sandbox *s)
{
	if (!sandbox_net_exists(s, arena_fmt(s->a, "%s-sw", s->name)))
		return false;
	for (unsigned i = 0; i < s->nodes; i++) {
		struct sandbox_node n = sandbox_node_at(s, i);
		if (sandbox_node_pid(&n) || was_stopped(s, &n))
			return true;
	}
	return false;
}

/* `up` on a sandbox that is there: fine if it is what was asked for. */
static int already_up(const struct sandbox *asked, const struct sandbox *is, const struct sandbox_request *r,
		      struct err *e)
{
	bool differs = (r->nodes_given && asked->nodes != is->nodes) ||
		       (r->memory_given && asked->memory != is->memory) ||
		       (r->image_given && strcmp(asked->image, is->image)) || asked->nbinds > is->nbinds;
	const char *down = NULL;

	for (unsigned i = 0; i < asked->nbinds && !differs; i++)
		differs = strcmp(asked->binds[i], is->binds[i]) != 0;
	if (differs) {
		fail(e, E_INPUT, "sandbox \"%s\" is up already, with %u nodes, image %s, %llu MiB each", is->name,
		     is->nodes, is->image, (unsigned long long)is->memory >> 20);
		err_hint(e, "pig sandbox down --name %s removes it", is->name);
		return e->code;
	}
	for (unsigned i = 0; i < is->nodes && !down; i++) {
		struct sandbox_node n = sandbox_node_at(is, i);
		down = sandbox_node_pid(&n) ? NULL : n.name;
	}
	if (!down) {
		printf("sandbox %s is up already\n", is->name);
		return E_OK;
	}
	fail(e, E_FAILED, "sandbox \"%s\" is up already, but its node \"%s\" does not run", is->name, down);
	err_hint(e, "pig sandbox start %s --name %s", down, is->name);
	return e->code;
}

/* Namespaces of our names that no sandbox of ours claims are someone else's. */
static bool name_is_free(const struct sandbox *s, struct err *e)
{
	const char *const fixed[] = {"sw", "ctl"};
	const char *taken = NULL;

	for (unsigned i = 0; i < s->nodes + 2 && !taken; i++) {
		const char *ns =
			i < 2 ? arena_fmt(s->a, "%s-%s", s->name, fixed[i]) : sandbox_node_at(s, i - 2).machine;
		if (sandbox_net_exists(s, ns))
			taken = ns;
	}
	if (!taken && !sandbox_cgroup_count(s, arena_fmt(s->a, SB_PREFIX "%s.", s->name)))
		return true;
	if (taken)
		fail(e, E_INPUT, "the network namespace \"%s\" is there and belongs to no sandbox in %s", taken,
		     s->state);
	else
		fail(e, E_INPUT, "processes of another sandbox \"%s\" run, which does not lie in %s", s->name,
		     s->state);
	return err_hint(e, "choose another name by --name, or set PIG_SANDBOX_DIR to that sandbox's folder");
}

static bool make(struct sandbox *s, struct err *e)
{
	struct sandbox_node *nodes = all_nodes(s);

	if (!os_mkdirs(os_join(s->a, s->dir, "nodes"), 0755, e) || !sandbox_save(s, e) || !sandbox_keys_make(s, e) ||
	    !sandbox_net_up(s, e))
		return false;
	for (unsigned i = 0; i < s->nodes; i++) {
		if (!sandbox_node_prepare(s, &nodes[i], e) || !sandbox_node_boot(s, &nodes[i], e))
			return err_wrap(e, "node \"%s\"", nodes[i].name);
	}
	return sandbox_node_wait(s, nodes, s->nodes, e) && os_write(os_join(s->a, s->dir, "complete"), "", 0, 0644, e);
}

int sandbox_up(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	struct sandbox is = {.a = s->a, .name = s->name, .state = s->state, .dir = s->dir, .lock = -1};

	if (!sandbox_cgroup_check(s, e) || (!os_exists(s->dir) && !name_is_free(s, e)))
		return e->code;
	/* outside the lock of the name: `down` need not wait for a download */
	if (!sandbox_complete(s) && !sandbox_image_ready(s, e))
		return e->code;
	if (!sandbox_lock(s, s->name, &s->lock, e))
		return e->code;
	if (sandbox_complete(s) && sandbox_load(&is, NULL) && is_alive(&is))
		return already_up(s, &is, r, e);
	int64_t began = os_now_ms();
	if (!sandbox_image_ready(s, e) || !sandbox_clear(s, e) || !make(s, e))
		return e->code;
	printf("sandbox %s is up: %u node%s in %.1f s, image %s\n", s->name, s->nodes, s->nodes == 1 ? "" : "s",
	       (double)(os_now_ms() - began) / 1000, s->image);
	printf("pig sandbox shell meta%s%s\n", strcmp(s->name, "pig") ? " --name " : "",
	       strcmp(s->name, "pig") ? s->name : "");
	return E_OK;
}

int sandbox_down(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	bool was = os_exists(s->dir);

	(void)r;
	/* without a folder there may still be files of a down that was killed */
	if (os_exists(s->state) && (!sandbox_lock(s, s->name, &s->lock, e) || !sandbox_clear(s, e)))
		return e->code;
	unlink(sandbox_lock_file(s, s->name));
	printf(was ? "sandbox %s is down\n" : "there is no sandbox %s\n", s->name);
	return E_OK;
}

static const char *node_state(const struct sandbox *s, const struct sandbox_node *n, pid_t pid)
{
	return !pid ? "stopped" : sandbox_link_is_cut(s, n) ? "cut" : "running";
}

int sandbox_status(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	if (!sandbox_load(s, e))
		return e->code;
	if (r->json)
		printf("{\"name\":\"%s\",\"image\":\"%s\",\"memory_limit\":%llu,\"nodes\":[", s->name, s->image,
		       (unsigned long long)s->memory);
	else
		printf("%-10s %-14s %-8s %8s %12s\n", "NODE", "ADDRESS", "STATE", "PID", "MEMORY");
	for (unsigned i = 0; i < s->nodes; i++) {
		struct sandbox_node n = sandbox_node_at(s, i);
		pid_t pid = sandbox_node_pid(&n);
		unsigned long long memory = pid ? sandbox_cgroup_memory(s, &n) : 0;
		if (r->json)
			printf("%s{\"name\":\"%s\",\"address\":\"%s\",\"state\":\"%s\",\"pid\":%d,\"memory\":%llu}",
			       i ? "," : "", n.name, n.address, node_state(s, &n, pid), (int)pid, memory);
		else
			printf("%-10s %-14s %-8s %8d %8llu MiB\n", n.name, n.address, node_state(s, &n, pid), (int)pid,
			       memory >> 20);
	}
	if (r->json)
		printf("]}\n");
	return E_OK;
}

int sandbox_shell(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	char *argv[8];
	size_t k = 0;
	struct buf line = BUF(s->a);
	struct sandbox_node n;

	if (!sandbox_load(s, e) || !sandbox_node_find(s, r->node, &n, e) || !sandbox_net_enter(s, NULL, e))
		return e->code;
	argv[k++] = arena_str(s->a, "ssh");
	argv[k++] = arena_str(s->a, "-F");
	argv[k++] = arena_fmt(s->a, "%s/ssh_config", s->dir);
	if (isatty(0) && isatty(1))
		argv[k++] = arena_str(s->a, "-t");
	argv[k++] = arena_str(s->a, n.name);
	/* one word is a line for the node's shell; several are the words of a command */
	for (size_t i = 0; r->words && r->words[i]; i++) {
		if (i)
			buf_ch(&line, ' ');
		if (r->words[1])
			buf_quote(&line, r->words[i]);
		else
			buf_str(&line, r->words[i]);
	}
	if (line.len)
		argv[k++] = line.p;
	argv[k] = NULL;
	fflush(stdout);
	execvp(argv[0], argv);
	fail(e, E_INPUT, "could not run ssh: %s", strerror(errno));
	return e->code;
}

/* The sandbox, locked, and its node: what every fault begins with. */
static bool take_node(struct sandbox *s, const struct sandbox_request *r, struct sandbox_node *n, struct err *e)
{
	return sandbox_load(s, e) && sandbox_lock(s, s->name, &s->lock, e) && sandbox_load(s, e) &&
	       sandbox_node_find(s, r->node, n, e);
}

int sandbox_stop(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	struct sandbox_node n;

	/* the mark comes first: were all nodes stopped, the sandbox still is one */
	if (!take_node(s, r, &n, e) || !os_write(os_join(s->a, n.dir, "stopped"), "", 0, 0644, e) ||
	    !sandbox_node_stop(s, &n, r->kill, e))
		return e->code;
	printf("node %s is stopped\n", n.name);
	return E_OK;
}

int sandbox_start(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	struct sandbox_node n;

	if (!take_node(s, r, &n, e))
		return e->code;
	if (!sandbox_node_pid(&n)) {
		if (!sandbox_node_boot(s, &n, e))
			return e->code;
		unlink(os_join(s->a, n.dir, "stopped"));
		/* a node whose link is cut boots as well, but nobody could see it */
		if (!sandbox_link_is_cut(s, &n) && !sandbox_node_wait(s, &n, 1, e))
			return e->code;
	}
	printf("node %s is running\n", n.name);
	return E_OK;
}

static int link_command(struct sandbox *s, const struct sandbox_request *r, bool up, struct err *e)
{
	struct sandbox_node n;

	if (!take_node(s, r, &n, e) || !sandbox_link_set(s, &n, up, e))
		return e->code;
	printf("the link of node %s is %s\n", n.name, up ? "up" : "cut");
	return E_OK;
}

int sandbox_cut(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	return link_command(s, r, false, e);
}

int sandbox_heal(struct sandbox *s, const struct sandbox_request *r, struct err *e)
{
	return link_command(s, r, true, e);
}
