/* Hosts of a run: their sessions, opened on first use, and how to reach them. */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

struct resolvers *run_values(const struct run *run, uint32_t step)
{
	const struct play *play = run->plan->steps[step].step->play;

	return play && play->rs ? play->rs : run->rs;
}

struct host_run *run_host(struct run *run, const struct inv_host *h)
{
	pthread_mutex_lock(&run->lock);
	struct host_run *hr = run->hosts[h->index];
	if (!hr) {
		hr = arena_get(run->a, sizeof *hr);
		hr->h = run->w->inv->hosts[h->index];
		hr->r = resolvers_of(run->rs, h);
		hr->a = arena_new();
		hr->enabled = MAP(hr->a);
		pthread_mutex_init(&hr->open_lock, NULL);
		run->hosts[h->index] = hr;
	}
	pthread_mutex_unlock(&run->lock);
	return hr;
}

static const char *text_of(struct host_run *hr, const char *name, struct err *e)
{
	const struct value *v = resolver_get(hr->r, name, e);

	if (!v || v->type == V_NULL)
		return NULL;
	if (v->type != V_STR && v->source)
		return v->source;
	struct buf b = BUF(hr->a);
	if (v->type != V_STR && value_print(&b, v))
		return buf_text(&b);
	return value_cstr(v, NULL);
}

bool run_target(struct run *run, struct host_run *hr, struct target *t, struct err *e)
{
	struct err none = { 0 };
	const char *port, *become, *key, *extra;

	*t = (struct target){ .name = hr->h->name, .become = true, .ssh_config = getenv("PIG_SSH_CONFIG") };
	t->connection = text_of(hr, "ansible_connection", &none);
	t->host = text_of(hr, "ansible_host", &none);
	t->user = run->o.user ? run->o.user : text_of(hr, "ansible_user", &none);
	port = text_of(hr, "ansible_port", &none);
	key = text_of(hr, "ansible_ssh_private_key_file", &none);
	t->key = key ? key : text_of(hr, "ansible_private_key_file", &none);
	t->password = text_of(hr, "ansible_password", &none);
	if (!t->password)
		t->password = text_of(hr, "ansible_ssh_pass", &none);
	t->become_password = text_of(hr, "ansible_become_password", &none);
	if (!t->become_password)
		t->become_password = text_of(hr, "ansible_become_pass", &none);
	t->common_args = text_of(hr, "ansible_ssh_common_args", &none);
	extra = text_of(hr, "ansible_ssh_extra_args", &none);
	if (extra)
		t->common_args = t->common_args ? arena_fmt(hr->a, "%s %s", t->common_args, extra) : extra;
	become = text_of(hr, "ansible_become", &none);
	if (become && (!strcasecmp(become, "false") || !strcasecmp(become, "no")))
		t->become = false;
	secrets_add(run->secrets, t->password);
	secrets_add(run->secrets, t->become_password);
	if (none.code && none.code != E_UNKNOWN) {
		*e = none;
		return err_wrap(e, "connection of host %s", hr->h->name);
	}
	if (port) {
		char *end;
		long n = strtol(port, &end, 10);
		if (*end || n < 1 || n > 65535)
			return fail(e, E_INPUT, "ansible_port of %s is no port: \"%s\"", hr->h->name, port);
		t->port = (int)n;
	}
	return true;
}

/* More than what a login and a slow host take. Certificates are good from an hour before they are made, so that an hour breaks TLS. */
enum { CLOCK_OFF_S = 60 };

static void clock_look(struct run *run, struct host_run *hr)
{
	int64_t off = hr->conn->ahead_s;

	if (!run->rep || (off >= -CLOCK_OFF_S && off <= CLOCK_OFF_S)) /* a command alone is reported by who asked for it */
		return;
	char *text = arena_fmt(hr->a, "the clock of %s is %lld s %s this machine's; certificates, logs and backups go by it "
			       "(is its time kept? chronyc tracking says)",
			       hr->h->name, (long long)(off < 0 ? -off : off), off < 0 ? "behind" : "ahead of");
	hr->counts.warned++;
	report_warning(run->rep, hr->h->name, NULL, text);
}

static bool connect_once(struct run *run, struct host_run *hr, struct err *e)
{
	struct target t;
	struct conn_options o = { .insecure = run->o.insecure, .cancel = &run->cancel };

	if (!run_target(run, hr, &t, e))
		return false;
	t.alone = hr->selected && !run->o.check;
	if (run->o.connect ? !run->o.connect(run->o.connect_ctx, &hr->conn, &t, e) : !conn_open(&hr->conn, &t, &o, e))
		return false;
	clock_look(run, hr);
	resolver_facts(hr->r, hr->conn->facts);
	for (uint32_t i = 0; run->plan && i < run->plan->playbook->n_plays; i++) {
		struct resolvers *rs = run->plan->playbook->plays[i].rs;
		if (!rs)
			continue;
		resolver_facts(resolvers_of(rs, hr->h), hr->conn->facts);
		if (!check_connected(resolvers_of(rs, hr->h), e))
			return false;
	}
	return check_connected(hr->r, e);
}

bool run_connect(struct run *run, struct host_run *hr, struct err *e)
{
	pthread_mutex_lock(&hr->open_lock);
	if (!hr->opened) {
		hr->opened = true;
		if (!connect_once(run, hr, &hr->down))
			hr->unreachable = hr->down.code == E_CONNECT || hr->down.code == E_TIMEOUT;
	}
	bool ok = hr->conn && !hr->down.code;
	if (!ok)
		*e = hr->down;
	pthread_mutex_unlock(&hr->open_lock);
	return ok;
}

struct ca *run_ca(struct run *run, struct host_run *hr, struct err *e)
{
	pthread_mutex_lock(&run->ca_lock);
	if (!run->ca) {
		const struct value *cn = resolver_get(hr->r, "ca_cn", NULL), *create = resolver_get(hr->r, "ca_create", NULL);
		const char *dir = arena_fmt(run->a, "%s/files/pki", run->w->inv->dir);
		struct ca *ca;
		if (ca_open(&ca, run->a, dir, value_cstr(cn, "pig-ca"), !create || value_truth(create), run->o.check, e))
			run->ca = ca;
	}
	pthread_mutex_unlock(&run->ca_lock);
	return run->ca;
}
