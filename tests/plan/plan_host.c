/*
 * The recording host: see plan_host.h. Answers are found by a part of what is asked: the operation's note, else its
 * command.
 */
#include "plan_host.h"
#include "run/task.h"

#include <string.h>

struct recorded { const char *output; int status; bool changed; };

static struct plan_task *of(pig_task *t)
{
	return (struct plan_task *)t;
}

static struct buf *out_of(pig_task *t)
{
	return &of(t)->c->out;
}

/* ---- writing down ---- */

static void field(pig_task *t, const char *name, const char *s)
{
	if (s)
		buf_fmt(out_of(t), " %s=%s", name, *s && !strpbrk(s, " \n\t") ? s : arena_fmt(of(t)->c->a, "\"%s\"",
			s));
}

static void number(pig_task *t, const char *name, long long n)
{
	if (n)
		buf_fmt(out_of(t), " %s=%lld", name, n);
}

static void text(pig_task *t, const char *s)
{
	for (; s && *s; s += strcspn(s, "\n"), s += *s == '\n')
		buf_fmt(out_of(t), "  | %.*s\n", (int)strcspn(s, "\n"), s);
}

static bool listed(const pig_task *t, const char *list, const char *what)
{
	const struct value *v = value_get(((const struct plan_task *)t)->c->fixture, list);

	for (size_t i = 0; i < value_len(v); i++)
		if (strstr(what, value_cstr(value_at(v, i), "\001")))
			return true;
	return false;
}

static pig_op *begin(pig_task *t, const char *kind, const char *name, const char *note, uint32_t flags, const char *as)
{
	struct recorded *r = arena_get(of(t)->c->a, sizeof *r);
	const char *what = name ? name : note ? note : "";

	r->output = "";
	if (of(t)->home->failed)
		return (pig_op *)r;
	r->changed = listed(t, "changed", arena_fmt(of(t)->c->a, "%s %s", kind, what));
	if (of(t) != of(t)->home)
		buf_fmt(out_of(t), "%s@%s ", of(t)->later ? "later " : "", t->hostname);
	buf_fmt(out_of(t), "%s %s", kind, what);
	if (flags & PIG_SOFT)
		buf_str(out_of(t), " soft");
	if (flags & PIG_NOW)
		buf_str(out_of(t), " now");
	if (flags & PIG_SEED)
		buf_str(out_of(t), " seed");
	if (flags & PIG_IF_THERE)
		buf_str(out_of(t), " if there");
	field(t, "as", as);
	return (pig_op *)r;
}

static void state(pig_task *t, enum pig_state s)
{
	static const char *const names[] = { NULL, "absent", "started", "stopped" };

	field(t, "state", names[s]);
}

#define BEGIN(kind, name, d) \
	pig_op *op = begin(t, kind, name, (d)->note, (d)->flags, (d)->as); \
	if (of(t)->home->failed) \
		return op
#define END() buf_ch(out_of(t), '\n')

static const char *render(pig_task *t, const char *name, const pig_value *vars);

static pig_op *h_file(pig_task *t, const struct pig_file *d)
{
	BEGIN(d->dir ? "folder" : d->link ? "link" : "file", d->path, d);
	if (d->mode)
		buf_fmt(out_of(t), " mode=%04o", d->mode);
	field(t, "owner", d->owner), field(t, "group", d->group), field(t, "tmpl", d->tmpl), field(t, "link", d->link);
	field(t, "validate", d->validate);
	state(t, d->state);
	END();
	const char *content = d->tmpl ? render(t, d->tmpl, d->vars) : d->text;
	if (d->text || (d->tmpl && listed(t, "show", d->tmpl)))
		text(t, content);
	return op;
}

static pig_op *h_line(pig_task *t, const struct pig_line *d)
{
	BEGIN(d->block ? "block" : "line", d->path, d);
	field(t, "block", d->block), field(t, "match", d->match);
	state(t, d->state);
	END();
	text(t, d->line);
	return op;
}

static pig_op *h_package(pig_task *t, const struct pig_package *d)
{
	BEGIN("package", d->names, d);
	state(t, d->state);
	END();
	return op;
}

static pig_op *h_unit(pig_task *t, const struct pig_unit *d)
{
	static const char *const actions[] = { NULL, "restart", "reload" };

	BEGIN("unit", d->name, d);
	state(t, d->state);
	number(t, "enable", d->enable);
	field(t, "watch", d->watch), field(t, "on_change", actions[d->on_change]);
	END();
	return op;
}

static pig_op *h_user(pig_task *t, const struct pig_user *d)
{
	BEGIN("user", d->name, d);
	number(t, "uid", d->uid);
	field(t, "group", d->group), field(t, "groups", d->groups), field(t, "home", d->home), field(t, "shell",
		d->shell);
	state(t, d->state);
	END();
	text(t, d->keys);
	return op;
}

static pig_op *h_group(pig_task *t, const struct pig_group *d)
{
	BEGIN("group", d->name, d);
	number(t, "gid", d->gid);
	state(t, d->state);
	END();
	return op;
}

static pig_op *h_sysctl(pig_task *t, const struct pig_sysctl *d)
{
	BEGIN("sysctl", d->key, d);
	field(t, "value", d->value);
	END();
	return op;
}

static pig_op *h_cert(pig_task *t, const struct pig_cert *d)
{
	BEGIN("cert", d->path, d);
	field(t, "key", d->key), field(t, "cn", d->cn), field(t, "ou", d->ou), field(t, "sans", d->sans), field(t,
		"owner", d->owner);
	field(t, "group", d->group), field(t, "store", d->store);
	number(t, "days", d->days);
	buf_str(out_of(t), d->client ? " client\n" : "\n");
	return op;
}

/* The fixture's answer to what is asked. */
static void answer(pig_task *t, pig_op *op, const char *note, const char *cmd)
{
	const struct value *answers = value_get(of(t)->c->fixture, "answers");
	struct recorded *r = (struct recorded *)op;

	for (size_t i = 0; i < value_len(answers); i++) {
		const char *key = value_key_at(answers, i);
		const struct value *v = value_at(answers, i);
		if (!strstr(arena_fmt(of(t)->c->a, "@%s %s\n%s", t->hostname, note ? note : "", cmd), key))
			continue;
		r->output = value_cstr(v, value_cstr(value_get(v, "out"), ""));
		r->status = (int)value_num(value_get(v, "status"), 0);
		size_t n = strlen(r->output);
		r->output = arena_strn(of(t)->c->a, r->output, n && r->output[n - 1] == '\n' ? n - 1 : n);
		return;
	}
}

static pig_op *h_wait(pig_task *t, const struct pig_wait *d)
{
	BEGIN("wait", d->why, d);
	END();
	return op;
}

static pig_op *h_ensure(pig_task *t, const struct pig_ensure *d)
{
	BEGIN("ensure", NULL, d);
	field(t, "want", d->want);
	if (d->in)
		buf_str(out_of(t), " in");
	END();
	text(t, d->apply);
	return op;
}

static pig_op *h_shell(pig_task *t, const struct pig_shell *d)
{
	BEGIN(d->reads ? "ask" : "shell", d->note ? NULL : d->cmd, d);
	END();
	if (d->reads)
		answer(t, op, d->note, d->cmd);
	else
		text(t, d->cmd);
	return op;
}

/* ---- answers ---- */

static bool h_await(pig_task *t)
{
	return !of(t)->home->failed;
}

static bool h_changed(pig_task *t, const pig_op *op)
{
	(void)t;
	return ((const struct recorded *)op)->changed;
}

static bool h_known(pig_task *t, const pig_op *op)
{
	(void)t, (void)op;
	return true;
}

static const char *h_output(pig_task *t, const pig_op *op, int *status)
{
	const struct recorded *r = (const struct recorded *)op;

	(void)t;
	if (status)
		*status = r->status;
	return r->output;
}

static void told(pig_task *t, const char *what, const char *fmt, va_list ap)
{
	if (!of(t)->home->failed)
		buf_fmt(out_of(t), "%s: %s\n", what, arena_vfmt(of(t)->c->a, fmt, ap));
}

static void h_warn(pig_task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told(t, "warning", fmt, ap);
	va_end(ap);
}

static void h_fail(pig_task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told(t, "failed", fmt, ap);
	va_end(ap);
	of(t)->home->failed = true;
}

static void h_fail_at(pig_task *t, const pig_value *v, const char *fmt, ...)
{
	va_list ap;

	(void)v;
	va_start(ap, fmt);
	told(t, "failed", fmt, ap);
	va_end(ap);
	of(t)->home->failed = true;
}

static void h_hint(pig_task *t, const char *fmt, ...)
{
	(void)t, (void)fmt;
}

/* ---- texts ---- */

static char *h_fmt(pig_task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = arena_vfmt(of(t)->c->a, fmt, ap);
	va_end(ap);
	return s;
}

/* %s, %d, %lld and %% : what the modules use. */
static char *h_sh(pig_task *t, const char *fmt, ...)
{
	struct buf b = BUF(of(t)->c->a);
	va_list ap;

	va_start(ap, fmt);
	for (const char *f = fmt; *f; f++) {
		if (f[0] == '%' && f[1] == 's')
			buf_quote(&b, va_arg(ap, const char *));
		else if (f[0] == '%' && f[1] == '%')
			buf_ch(&b, '%');
		else if (!strncmp(f, "%d", 2))
			buf_fmt(&b, "%d", va_arg(ap, int));
		else if (!strncmp(f, "%lld", 4))
			buf_fmt(&b, "%lld", va_arg(ap, long long));
		else if (f[0] == '%')
			bug("the recording host's sh does not know all of \"%s\"", fmt);
		else
			buf_ch(&b, *f);
		f += !strncmp(f, "%lld", 4) ? 3 : *f == '%';
	}
	va_end(ap);
	return arena_str(of(t)->c->a, buf_text(&b));
}

static const char *render(pig_task *t, const char *name, const pig_value *vars)
{
	struct plan_task *p = of(t);
	struct arena *a = p->c->a;
	struct inv_host *h = inventory_host(p->c->w->inv, t->hostname);
	struct scope s = resolver_scope(resolvers_of(p->c->rs, h), a, p->module, (const struct value *)vars);
	struct buf b = BUF(a);
	struct err e = { 0 };
	struct tmpl *tm;
	const char *file;
	bool secret;
	size_t n;
	const char *source = module_template(p->module, a, p->c->w->inv->dir, name, &file, &n, &e);

	if (!source || !tmpl_parse(&tm, a, file, source, n, (struct origin){ file, 1, 1 }, &e) || !tmpl_render(tm, a,
		&s, &b, &secret, &e)) {
		h_fail(t, "template %s: %s %s", name, e.where, e.msg);
		return "";
	}
	return buf_text(&b);
}

static char *h_render(pig_task *t, const char *name, const pig_value *vars)
{
	return arena_str(of(t)->c->a, render(t, name, vars));
}

static const char *h_secret(pig_task *t, const char *s)
{
	(void)t;
	return s;
}

static void *h_alloc(pig_task *t, size_t n)
{
	return arena_get(of(t)->c->a, n);
}

/* ---- data ---- */

static const pig_value *value_on(pig_task *t, const char *host, const char *name)
{
	struct inv_host *h = inventory_host(of(t)->c->w->inv, host);
	struct err e = { 0 };
	const struct value *v = h ? resolver_get(resolvers_of(of(t)->c->rs, h), name, &e) : NULL;

	if (e.code && e.code != E_UNKNOWN)
		h_fail(t, "%s of %s: %s", name, host, e.msg);
	return (const pig_value *)v;
}

static const pig_value *h_get(pig_task *t, const char *name)
{
	return value_on(t, t->hostname, name);
}

static const pig_value *h_of(pig_task *t, const char *host, const char *name)
{
	const struct value *v = value_get(of(t)->c->published, name);

	if (!v)
		v = value_get(value_get(of(t)->c->fixture, "published"), name);
	return v ? (const pig_value *)v : value_on(t, host, name);
}

static void h_publish(pig_task *t, const char *name, const pig_value *v)
{
	struct buf b = BUF(of(t)->c->a);
	struct json_style style = { 0 };

	value_put(of(t)->c->a, of(t)->c->published, name, value_copy(of(t)->c->a, (const struct value *)v));
	value_to_json(&b, (const struct value *)v, &style);
	buf_fmt(out_of(t), "publish %s=%s\n", name, buf_text(&b));
}

static const pig_value *h_members(pig_task *t, const char *name)
{
	return (const pig_value *)resolvers_members(of(t)->c->rs, of(t)->c->a, of(t)->module, name);
}

static pig_task *h_on(pig_task *t, const char *host)
{
	struct plan_task *o;

	if (!strcmp(host, of(t)->home->pub.hostname))
		return &of(t)->home->pub;
	o = arena_dup(of(t)->c->a, of(t)->home, sizeof *o);
	o->pub.hostname = o->pub.address = arena_str(of(t)->c->a, host);
	return &o->pub;
}

static pig_task *h_later(pig_task *t, const char *host)
{
	struct plan_task *o = arena_dup(of(t)->c->a, of(t)->home, sizeof *o);

	o->pub.hostname = o->pub.address = arena_str(of(t)->c->a, host);
	o->later = true;
	return &o->pub;
}

static const pig_value *h_self(pig_task *t)
{
	return (const pig_value *)value_get(of(t)->c->fixture, "self");
}

static const void *h_iface(pig_task *t, const char *id)
{
	const struct modules *ms = of(t)->c->w->modules;

	for (uint32_t i = 0; i < ms->n; i++)
		for (uint32_t k = 0; k < ms->list[i]->n_ifaces; k++)
			if (!strcmp(ms->list[i]->ifaces[k].id, id))
				return ms->list[i]->ifaces[k].vtable;
	return NULL;
}

static const pig_value *h_json(pig_task *t, const char *s)
{
	struct value *v = NULL;
	struct err e = { 0 };

	if (!value_from_json(&v, of(t)->c->a, "answer", s, strlen(s), &e))
		h_fail(t, "%s", e.msg);
	return (const pig_value *)v;
}

static pig_value *h_map(pig_task *t)
{
	return (pig_value *)value_map(of(t)->c->a);
}

static pig_value *h_list(pig_task *t)
{
	return (pig_value *)value_list(of(t)->c->a);
}

static struct value *owned(pig_task *t, const pig_value *v)
{
	union { const pig_value *c; struct value *v; } u = { v };

	return v ? u.v : value_null(of(t)->c->a);
}

static void h_put(pig_task *t, pig_value *map, const char *key, const pig_value *v)
{
	value_put(of(t)->c->a, (struct value *)map, key, owned(t, v));
}

static void h_push(pig_task *t, pig_value *list, const pig_value *v)
{
	value_push(of(t)->c->a, (struct value *)list, owned(t, v));
}

static const pig_value *h_text(pig_task *t, const char *s)
{
	return (const pig_value *)(s ? value_str(of(t)->c->a, s) : value_null(of(t)->c->a));
}

static const pig_value *h_number(pig_task *t, int64_t n)
{
	return (const pig_value *)value_int(of(t)->c->a, n);
}

static const pig_value *h_boolean(pig_task *t, bool b)
{
	return (const pig_value *)value_bool(of(t)->c->a, b);
}

static const pig_value *h_jmes(pig_task *t, const char *x, const pig_value *data)
{
	struct value *v = NULL;
	struct err e = { 0 };

	if (!jmes_search(&v, of(t)->c->a, x, (const struct value *)data, &e))
		h_fail(t, "%s", e.msg);
	return (const pig_value *)v;
}

static const pig_value *h_fact(pig_task *t, const char *name)
{
	return (const pig_value *)value_get(value_get(of(t)->c->fixture, "facts"), name);
}

static const char *h_ca(pig_task *t)
{
	(void)t;
	return "-----BEGIN CERTIFICATE-----\n"
	       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAA==\n-----END CERTIFICATE-----\n";
}

static const char *h_control_file(pig_task *t, const char *path, size_t *len)
{
	(void)t, (void)path, (void)len;
	return NULL;
}

static const char *h_cluster_of(pig_task *t, const char *host)
{
	return resolver_cluster(resolvers_of(of(t)->c->rs, inventory_host(of(t)->c->w->inv, host)), of(t)->module);
}

static bool h_in_run(pig_task *t, const char *host)
{
	return !listed(t, "away", host);
}

static const char *h_digest(pig_task *t, const void *p, size_t n)
{
	return op_sum(of(t)->c->a, p, n);
}

static bool h_reach(pig_task *t, const char *host)
{
	return !listed(t, "unreachable", host);
}

static const struct pig_host recorder = {
	.size = sizeof recorder, .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR,
	.file = h_file, .line = h_line, .package = h_package, .unit = h_unit, .user = h_user, .group = h_group,
		.sysctl = h_sysctl,
	.cert = h_cert, .wait = h_wait, .ensure = h_ensure, .shell = h_shell, .await = h_await, .changed = h_changed,
		.known = h_known,
	.output = h_output, .fmt = h_fmt, .sh = h_sh, .render = h_render, .secret = h_secret, .alloc = h_alloc,
		.warn = h_warn,
	.fail = h_fail, .fail_at = h_fail_at, .hint = h_hint, .get = h_get, .of = h_of, .publish = h_publish,
		.members = h_members,
	.on = h_on, .iface = h_iface, .json = h_json, .map = h_map, .list = h_list, .put = h_put, .push = h_push,
		.text = h_text,
	.number = h_number, .boolean = h_boolean, .jmes = h_jmes, .fact = h_fact, .ca = h_ca,
		.control_file = h_control_file,
	.cluster_of = h_cluster_of, .in_run = h_in_run, .digest = h_digest, .reach = h_reach, .later = h_later, .self = h_self,
};

bool plan_run(struct plan_case *c, const struct module *m, const struct pig_taskdef *task, const struct inv_host *h,
	struct err *e)
{
	struct resolver *r = resolvers_of(c->rs, h);
	struct plan_task t = { .c = c, .module = m };

	t.home = &t;
	t.pub = (struct pig_task){ .host = &recorder, .val = &task_values, .hostname = h->name, .address = h->name,
				   .cluster = resolver_cluster(r, m) };
	if (m->m->params_size && !(t.pub.params = resolver_params(r, m, e)))
		return false;
	task->run(&t.pub);
	return true;
}
