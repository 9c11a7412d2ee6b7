/* pig exec: one command on many hosts, as root, outputs under the host's name. pig ssh: a login as pig itself would make it. */
#include "cli/cli.h"
#include "run/run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct cli_spec exec_spec = {
	.usage = "exec PATTERN -- COMMAND",
	.text = "Run a shell command as root on the hosts of a pattern. The exit status is 1 when it failed on some host.",
	.common = CLI_WORLD | CLI_INSECURE | CLI_JSON, .min_args = 2, .max_args = UINT32_MAX,
};
static const struct cli_spec ssh_spec = {
	.usage = "ssh HOST",
	.text = "Log in to a host with the user, port and key that the inventory names.",
	.common = CLI_WORLD, .min_args = 1, .max_args = UINT32_MAX,
};

struct one {
	struct run *run;
	struct host_run *hr;
	const char *cmd;
	pthread_t thread;
	struct arena *a;
	struct job_result res;
	struct err e;
	bool ok;
};

static void *one_run(void *arg)
{
	struct one *o = arg;
	struct job j = { .script = o->cmd, .len = strlen(o->cmd), .what = "pig exec" };

	o->res = (struct job_result){ .out = BUF(o->a), .errs = BUF(o->a) };
	o->ok = run_connect(o->run, o->hr, &o->e) && o->hr->conn->run(o->hr->conn, o->a, &j, &o->res, &o->e);
	return NULL;
}

static int one_print(struct cli *c, struct one *o)
{
	const char *name = o->hr->h->name;

	if (!o->ok) {
		fprintf(stderr, "pig: %s: %s\n", name, err_text(&o->e, c->a));
		return o->e.code;
	}
	printf("%s: status %d\n%s", name, o->res.status, buf_text(&o->res.out));
	if (o->res.out.len && o->res.out.p[o->res.out.len - 1] != '\n')
		putchar('\n');
	fprintf(stderr, "%s", buf_text(&o->res.errs));
	return o->res.status ? E_FAILED : 0;
}

static int exec_all(struct cli *c, struct run *run, struct inv_host **hosts, uint32_t n, const char *cmd)
{
	struct one *all = arena_new_of(c->a, struct one, n);
	int status = 0;

	for (uint32_t at = 0; at < n; at += 64) { /* as many at once as a run has */
		uint32_t end = at + 64 < n ? at + 64 : n;
		for (uint32_t i = at; i < end; i++) {
			all[i] = (struct one){ .run = run, .hr = run_host(run, hosts[i]), .cmd = cmd, .a = arena_new() };
			if (pthread_create(&all[i].thread, NULL, one_run, &all[i]))
				bug("could not start a thread");
		}
		for (uint32_t i = at; i < end; i++) {
			pthread_join(all[i].thread, NULL);
			int one = one_print(c, &all[i]);
			status = status && one && one != status ? E_FAILED : one ? one : status;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		if (all[i].hr->conn)
			all[i].hr->conn->close(all[i].hr->conn);
		arena_free(all[i].hr->a);
		arena_free(all[i].a);
	}
	return status;
}

static void run_bare(struct run *run, struct cli *c, struct world *w)
{
	*run = (struct run){ .w = w, .rs = resolvers_new(w), .a = c->a, .secrets = secrets_new(c->a), .o = { .insecure = c->insecure } };
	pthread_mutex_init(&run->lock, NULL);
	pthread_mutex_init(&run->ca_lock, NULL);
	run->hosts = arena_new_of(c->a, struct host_run *, w->inv->n_hosts + 1);
}

int cli_exec(struct cli *c, int argc, char **argv)
{
	struct world w;
	struct run run;
	struct err e = { 0 };
	struct inv_host **hosts;
	struct buf cmd = BUF(c->a);
	uint32_t n;

	if (!cli_parse(c, &exec_spec, NULL, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (!cli_world(c, &w, &e) || !pattern_hosts(&hosts, &n, c->a, w.inv, c->args.items[0], false, &e))
		return cli_fail(c, &e);
	if (c->args.n == 2) { /* one word is a shell line, several are a command and its arguments */
		buf_str(&cmd, c->args.items[1]);
	} else {
		for (uint32_t i = 1; i < c->args.n; i++) {
			buf_str(&cmd, i > 1 ? " " : "");
			buf_quote(&cmd, c->args.items[i]);
		}
	}
	run_bare(&run, c, &w);
	return exec_all(c, &run, hosts, n, buf_text(&cmd));
}

int cli_ssh(struct cli *c, int argc, char **argv)
{
	struct world w;
	struct run run;
	struct err e = { 0 };
	struct target t;
	const char *words[32];
	size_t n = 0;

	if (!cli_parse(c, &ssh_spec, NULL, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (!cli_world(c, &w, &e))
		return cli_fail(c, &e);
	struct inv_host *h = inventory_host(w.inv, c->args.items[0]);
	if (!h) {
		fail(&e, E_INPUT, "host \"%s\" is not in the inventory", c->args.items[0]);
		return cli_fail(c, &e);
	}
	run_bare(&run, c, &w);
	if (!run_target(&run, run_host(&run, h), &t, &e))
		return cli_fail(c, &e);
	words[n++] = "ssh";
	if (t.port)
		words[n++] = "-p", words[n++] = arena_fmt(c->a, "%d", t.port);
	if (t.key)
		words[n++] = "-i", words[n++] = t.key;
	if (t.user)
		words[n++] = "-l", words[n++] = t.user;
	words[n++] = t.host ? t.host : t.name;
	for (uint32_t i = 1; i < c->args.n && n < 31; i++)
		words[n++] = c->args.items[i];
	words[n] = NULL;
	union { const char **c; char *const *m; } argvs = { words };
	execvp("ssh", argvs.m);
	fail(&e, E_INPUT, "could not start ssh: %s", strerror(errno));
	return cli_fail(c, &e);
}
