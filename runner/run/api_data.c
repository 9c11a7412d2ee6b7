/* The services a module calls for data: parameters, facts and published values of this host and others, files of the control host,
 * templates, and values a module builds. What comes from a host is data and never a template. */
#include "run/task.h"
#include "base/os.h"

#include <string.h>

static void fail_err(struct task *t, const struct err *e)
{
	task_fail(t, e);
}

static const struct value *get_of(struct task *t, struct resolver *r, const char *name)
{
	struct err e = { 0 };
	const struct value *v = resolver_get(r, name, &e);

	if (!v && e.code && e.code != E_UNKNOWN)
		fail_err(t, &e);
	if (v)
		secrets_add_value(t->run->secrets, v);
	return v;
}

const pig_value *task_api_get(pig_task *p, const char *name)
{
	struct task *t = task_of(p);

	return (const pig_value *)get_of(t, task_values_of(t), name);
}

/* Has the other host passed what this step waits for? Its own values need no edge. One that failed on the way is *out: it was waited
 * for, and what it said before counts for nothing. */
static bool behind_edge(struct task *t, const struct host_run *other, bool *out)
{
	const struct plan *plan = t->run->plan;
	uint32_t n = t->run->w->inv->n_hosts;
	const struct step *own = t->step < plan->n_steps ? plan->steps[t->step].step : NULL;
	bool edge = own && (own->needs || own->first || own->flags & (PIG_BARRIER | PIG_GATHER));
	bool behind = other == t->home;
	uint32_t after = own ? plan->steps[t->step].after : 0;

	*out = false;
	pthread_mutex_lock(&t->run->lock);
	for (uint32_t s = 0; s <= t->step && s < plan->n_steps && !behind; s++) {
		uint8_t e = t->run->edges[s * n + other->h->index];
		bool counts = s == t->step || edge || s < after;
		behind = counts && e == EDGE_DONE;
		*out |= counts && e == EDGE_DEAD;
	}
	pthread_mutex_unlock(&t->run->lock);
	return behind;
}

const pig_value *task_api_of(pig_task *p, const char *host, const char *name)
{
	struct task *t = task_of(p);
	struct inv_host *h = inventory_host(t->run->w->inv, host);
	struct err e = { 0 };

	if (t->main->failed)
		return NULL;
	if (!h) {
		fail(&e, E_INPUT, "host \"%s\" is not in the inventory", host);
		fail_err(t, &e);
		return NULL;
	}
	pthread_mutex_lock(&t->run->lock);
	struct host_run *other = t->run->hosts[h->index];
	const struct value *v = other && other->published ? value_get(other->published, name) : NULL;
	pthread_mutex_unlock(&t->run->lock);
	if (!v)
		return (const pig_value *)get_of(t, resolvers_of(t->main->rs, h), name);
	bool out, behind = behind_edge(t, other, &out);
	if (out)
		return (const pig_value *)get_of(t, resolvers_of(t->main->rs, h), name);
	if (!behind) {
		fail(&e, E_MODULE, "task \"%s\" reads \"%s\" of %s, which may not have published it yet", t->name, name, host);
		err_hint(&e, "The step needs an edge: first, needs, PIG_BARRIER or PIG_GATHER.");
		fail_err(t, &e);
		return NULL;
	}
	return (const pig_value *)v;
}

void task_api_publish(pig_task *p, const char *name, const pig_value *v)
{
	struct task *t = task_of(p);
	struct arena *a = t->home->a;

	if (t->main->failed)
		return;
	pthread_mutex_lock(&t->run->lock);
	if (!t->home->published)
		t->home->published = value_map(a);
	value_put(a, t->home->published, name, value_copy(a, (const struct value *)v));
	pthread_mutex_unlock(&t->run->lock);
}

const pig_value *task_api_members(pig_task *p, const char *name)
{
	struct task *t = task_of(p);
	const struct value *v = resolvers_members(t->main->rs, t->a, t->module, name);

	return (const pig_value *)(v ? v : value_list(t->a));
}

pig_task *task_api_on(pig_task *p, const char *host)
{
	struct task *t = task_of(p), *main = t->main;
	struct inv_host *h = inventory_host(t->run->w->inv, host);
	struct err e = { 0 };

	if (!h) {
		fail(&e, E_INPUT, "host \"%s\" is not in the inventory", host);
		fail_err(t, &e);
		return p;
	}
	if (h == main->home->h)
		return &main->pub;
	for (struct task *o = main->next; o; o = o->next)
		if (o->host->h == h)
			return &o->pub;
	struct task *o = arena_get(t->a, sizeof *o);
	*o = *main;
	o->host = run_host(t->run, h);
	o->next = main->next;
	main->next = o;
	const struct value *address = resolver_get(o->host->r, "ansible_host", NULL);
	o->pub.address = value_cstr(address, h->name);
	o->pub.hostname = h->name;
	/* a failure to reach it is known when the first batch is sent */
	if (!main->failed && !run_connect(t->run, o->host, &e)) {
		err_wrap(&e, "on %s", host);
		fail_err(t, &e);
	}
	o->batch = arena_get(o->a, sizeof *o->batch);
	task_batch_init(o, o->batch, o->a);
	return &o->pub;
}

bool task_api_reach(pig_task *p, const char *host)
{
	struct task *t = task_of(p);
	struct inv_host *h = inventory_host(t->run->w->inv, host);
	struct err e = { 0 };

	return h && (h == t->main->home->h || run_connect(t->run, run_host(t->run, h), &e));
}

const void *task_api_iface(pig_task *p, const char *id)
{
	const struct modules *ms = task_of(p)->run->w->modules;

	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_ifaces; k++)
			if (!strcmp(ms->list[i]->ifaces[k].id, id))
				return ms->list[i]->ifaces[k].vtable;
	return NULL;
}

/* ---- values ---- */

static void mark_literal(struct value *v)
{
	v->flags |= V_LITERAL;
	for (size_t i = 0; (v->type == V_LIST || v->type == V_MAP) && i < value_len(v); i++)
		mark_literal(value_at(v, i));
}

const pig_value *task_api_json(pig_task *p, const char *text)
{
	struct task *t = task_of(p);
	struct err e = { 0 };
	struct value *v;

	if (!value_from_json(&v, t->a, "answer", text, strlen(text), &e)) {
		fail_err(t, &e);
		return NULL;
	}
	mark_literal(v);
	return (const pig_value *)v;
}

pig_value *task_api_map(pig_task *p)
{
	return (pig_value *)value_map(task_of(p)->a);
}

pig_value *task_api_list(pig_task *p)
{
	return (pig_value *)value_list(task_of(p)->a);
}

void task_api_put(pig_task *p, pig_value *map, const char *key, const pig_value *v)
{
	struct arena *a = task_of(p)->a;
	union { const pig_value *c; struct value *v; } u = { v };

	value_put(a, (struct value *)map, key, u.v ? u.v : value_null(a));
}

void task_api_push(pig_task *p, pig_value *list, const pig_value *v)
{
	struct arena *a = task_of(p)->a;
	union { const pig_value *c; struct value *v; } u = { v };

	value_push(a, (struct value *)list, u.v ? u.v : value_null(a));
}

const pig_value *task_api_text(pig_task *p, const char *s)
{
	struct task *t = task_of(p);
	struct value *v = s ? value_str(t->a, s) : value_null(t->a);

	v->flags |= V_LITERAL;
	if (s && secrets_in(t->run->secrets, s, strlen(s)))
		v->flags |= V_SECRET;
	return (const pig_value *)v;
}

const pig_value *task_api_number(pig_task *p, int64_t n)
{
	return (const pig_value *)value_int(task_of(p)->a, n);
}

const pig_value *task_api_boolean(pig_task *p, bool b)
{
	return (const pig_value *)value_bool(task_of(p)->a, b);
}

const pig_value *task_api_jmes(pig_task *p, const char *expr, const pig_value *data)
{
	struct task *t = task_of(p);
	struct value *out;
	struct err e = { 0 };

	if (!jmes_search(&out, t->a, expr, (const struct value *)data, &e)) {
		fail_err(t, &e);
		return NULL;
	}
	return (const pig_value *)out;
}

const pig_value *task_api_fact(pig_task *p, const char *name)
{
	struct host_run *hr = task_of(p)->host;

	return hr->conn ? (const pig_value *)value_get(hr->conn->facts, name) : NULL;
}

const char *task_api_ca(pig_task *p)
{
	struct task *t = task_of(p);
	struct err e = { 0 };
	struct ca *ca = t->main->failed ? NULL : run_ca(t->run, t->home, &e);

	if (!ca) {
		if (!t->main->failed)
			fail_err(t, &e);
		return "";
	}
	return ca_pem(ca);
}

const char *task_api_control_file(pig_task *p, const char *path, size_t *len)
{
	struct task *t = task_of(p);
	const char *full = path[0] == '/' ? path : arena_fmt(t->a, "%s/files/%s", t->run->w->inv->dir, path);
	struct buf b = BUF(t->a);
	struct err e = { 0 };

	if (!os_exists(full))
		return NULL;
	if (!os_read(&b, full, 0, &e)) {
		fail_err(t, &e);
		return NULL;
	}
	if (len)
		*len = b.len;
	return buf_text(&b);
}

const char *task_api_cluster_of(pig_task *p, const char *host)
{
	struct task *t = task_of(p);
	struct inv_host *h = inventory_host(t->run->w->inv, host);

	return h && t->module ? resolver_cluster(resolvers_of(t->main->rs, h), t->module) : NULL;
}

bool task_api_in_run(pig_task *p, const char *host)
{
	struct task *t = task_of(p);

	for (uint32_t i = 0; i < t->run->plan->n_hosts; i++)
		if (!strcmp(t->run->plan->hosts[i]->name, host))
			return true;
	return false;
}

const char *task_api_digest(pig_task *p, const void *data, size_t n)
{
	return op_sum(task_of(p)->a, data, n);
}

const char *task_render(struct task *t, const char *name, const struct value *vars, size_t *len, bool *secret, struct err *e)
{
	const char *file;
	size_t n;
	const char *text = module_template(t->module, t->a, t->run->w->inv->dir, name, &file, &n, e);
	struct scope s = resolver_scope(task_values_of(t), t->a, t->module, vars);
	struct buf out = BUF(t->a);
	struct tmpl *tm;

	if (!text || !tmpl_parse(&tm, t->a, file, text, n, (struct origin){ file, 1, 1 }, e) || !tmpl_render(tm, t->a, &s, &out, secret, e))
		return NULL;
	*len = out.len;
	return buf_text(&out);
}

char *task_api_render(pig_task *p, const char *name, const pig_value *vars)
{
	struct task *t = task_of(p);
	struct err e = { 0 };
	bool secret = false;
	size_t len;

	if (t->main->failed)
		return arena_str(t->a, "");
	const char *text = task_render(t, name, (const struct value *)vars, &len, &secret, &e);
	if (!text) {
		fail_err(t, &e);
		return arena_str(t->a, "");
	}
	return arena_strn(t->a, text, len);
}
