/*
 * The table of services a module calls: operations, waiting for them, texts and failures. Errors are sticky: after the first failure
 * every call does nothing. A struct shorter than ours is filled up with zeros; a longer one must be zero beyond what we know.
 */
#include "run/task.h"

#include <stdlib.h>
#include <string.h>

static void fail_text(struct task *t, int code, const char *text)
{
	struct err e = { 0 };

	fail(&e, code, "%s", text);
	task_fail(t, &e);
}

/* Copy a caller's struct into ours; false: it holds what this runner does not know. */
static bool take(struct task *t, void *to, size_t ours, const void *from, const char *what)
{
	uint32_t size;

	memcpy(&size, from, sizeof size);
	memcpy(to, from, size < ours ? size : ours);
	for (size_t i = ours; i < size; i++) {
		if (((const char *)from)[i]) {
			fail_text(t, E_MODULE, arena_fmt(t->a, "module \"%s\" asks for a field of %s that this pig does not know: it needs a newer pig",
							 t->module ? t->module->m->name : "?", what));
			return false;
		}
	}
	return true;
}

/* A command may not hold a secret: it would stand in the process list. */
static bool lint(struct task *t, const char *cmd)
{
	if (!cmd || !secrets_in(t->run->secrets, cmd, strlen(cmd)))
		return true;
	fail_text(t, E_MODULE, arena_fmt(t->a, "task \"%s\" puts a secret into a command; it belongs on standard input (.in)", t->name));
	return false;
}

static pig_op *queue(struct task *t, struct op *op)
{
	struct task *main = t->main;

	if (main->failed) {
		op->state = OP_NOT_RUN;
		return (pig_op *)op;
	}
	if (t->is_later) {
		op->task = main->name;
		batch_add(t->batch, op);
		return (pig_op *)op;
	}
	if (main->current != t) {
		task_flush(main->current);
		main->current = t;
	}
	op->task = main->name;
	op->group = main->group;
	if (!main->failed)
		batch_add(t->batch, op);
	return (pig_op *)op;
}

/* A handle that is never NULL, for what could not be made. */
static pig_op *nothing(struct task *t)
{
	struct pig_shell none = { .size = sizeof none, .cmd = ":" };
	struct op *op = op_new_shell(t->a, &none);

	op->state = OP_NOT_RUN;
	return (pig_op *)op;
}

#define TAKE(T) struct task *t = task_of(p); struct T d = { 0 }; if (!take(t, &d, sizeof d, given, #T)) return nothing(t)

static pig_op *queue_file(struct task *t, const struct pig_file *d, const char *text, size_t len, bool secret)
{
	struct op *op = op_new_file(t->a, d, text, len);

	op->secret = secret || (text && secrets_in(t->run->secrets, text, len));
	return queue(t, op);
}

static pig_op *api_file(pig_task *p, const struct pig_file *given)
{
	TAKE(pig_file);
	const char *text = d.text;
	size_t len = text ? strlen(text) : 0;
	bool secret = false;
	struct err e = { 0 };

	if (t->main->failed)
		return nothing(t);
	if (!d.path || d.path[0] != '/' || strpbrk(d.path, "\n")) {
		fail_text(t, E_MODULE, arena_fmt(t->a, "task \"%s\": a file's path must be absolute: \"%s\"", t->name, d.path ? d.path : ""));
		return nothing(t);
	}
	if (d.tmpl && !(text = task_render(t, d.tmpl, (const struct value *)d.vars, &len, &secret, &e))) {
		task_fail(t, &e);
		return nothing(t);
	}
	if (d.src) {
		text = task_api_control_file(p, d.src, &len);
		if (!text) {
			fail(&e, E_INPUT, "file \"%s\" is not there", d.src);
			err_hint(&e, "Put it into %s/files/.", t->run->w->inv->dir);
			task_fail(t, &e);
			return nothing(t);
		}
	}
	return queue_file(t, &d, text, len, secret);
}

static pig_op *api_line(pig_task *p, const struct pig_line *given)
{
	TAKE(pig_line);
	struct op *op = op_new_line(t->a, &d);

	op->secret = d.line && secrets_in(t->run->secrets, d.line, strlen(d.line));
	return queue(t, op);
}

static pig_op *api_package(pig_task *p, const struct pig_package *given)
{
	TAKE(pig_package);
	return d.names && d.names[strspn(d.names, " ,\n\t")] ? queue(t, op_new_package(t->a, &d)) : nothing(t);
}

static pig_op *api_unit(pig_task *p, const struct pig_unit *given)
{
	TAKE(pig_unit);
	return queue(t, op_new_unit(t->a, &d));
}

static pig_op *api_user(pig_task *p, const struct pig_user *given)
{
	TAKE(pig_user);
	return queue(t, op_new_user(t->a, &d));
}

static pig_op *api_group(pig_task *p, const struct pig_group *given)
{
	TAKE(pig_group);
	return queue(t, op_new_group(t->a, &d));
}

static pig_op *api_sysctl(pig_task *p, const struct pig_sysctl *given)
{
	TAKE(pig_sysctl);
	return queue(t, op_new_sysctl(t->a, &d));
}

static pig_op *api_cert(pig_task *p, const struct pig_cert *given)
{
	TAKE(pig_cert);
	struct err e = { 0 };
	struct cert_got got;

	if (t->main->failed)
		return nothing(t);
	struct ca *ca = run_ca(t->run, t->home, &e);
	struct cert_want w = { .store = d.store, .cn = d.cn, .ou = d.ou, .sans = d.sans, .days = d.days, .client = d.client };
	if (!ca || !ca_issue(ca, t->a, &w, &got, &e)) {
		task_fail(t, &e);
		return nothing(t);
	}
	/* in check mode a certificate that would be issued has no content yet */
	const char *key = got.key ? got.key : "", *crt = got.crt ? got.crt : "";
	struct pig_file kf = { .size = sizeof kf, .flags = d.flags, .note = d.note, .path = d.key, .owner = d.owner, .group = d.group, .mode = d.mode ? d.mode : 0600 };
	struct pig_file cf = { .size = sizeof cf, .flags = d.flags, .note = d.note, .path = d.path, .owner = d.owner, .group = d.group, .mode = 0644 };
	if (d.key)
		queue_file(t, &kf, key, strlen(key), true);
	return queue_file(t, &cf, crt, strlen(crt), false);
}

static pig_op *api_wait(pig_task *p, const struct pig_wait *given)
{
	TAKE(pig_wait);
	if (!lint(t, d.probe))
		return nothing(t);
	struct op *op = op_new_wait(t->a, &d);
	op->secret = d.in && secrets_in(t->run->secrets, d.in, strlen(d.in));
	return queue(t, op);
}

static pig_op *api_ensure(pig_task *p, const struct pig_ensure *given)
{
	TAKE(pig_ensure);
	if (!lint(t, d.probe) || !lint(t, d.apply))
		return nothing(t);
	struct op *op = op_new_ensure(t->a, &d);
	op->secret = (d.in && secrets_in(t->run->secrets, d.in, strlen(d.in))) || (d.want && secrets_in(t->run->secrets, d.want, strlen(d.want)));
	return queue(t, op);
}

static pig_op *api_shell(pig_task *p, const struct pig_shell *given)
{
	TAKE(pig_shell);
	if (!lint(t, d.cmd))
		return nothing(t);
	struct op *op = op_new_shell(t->a, &d);
	op->secret = d.in && secrets_in(t->run->secrets, d.in, strlen(d.in));
	return queue(t, op);
}

/* ---- answers ---- */

static bool api_await(pig_task *p)
{
	return task_end(task_of(p));
}

static bool api_changed(pig_task *p, const pig_op *op)
{
	(void)p;
	return op && op_changed((const struct op *)op);
}

static bool api_known(pig_task *p, const pig_op *given)
{
	const struct op *op = (const struct op *)given;

	(void)p;
	return op && op->state != OP_DEPENDENT && op->state != OP_OPAQUE && op->state != OP_NOT_RUN && op->state != OP_QUEUED;
}

static const char *api_output(pig_task *p, const pig_op *given, int *status)
{
	const struct op *op = (const struct op *)given;

	(void)p;
	if (status)
		*status = op ? op->status : -1;
	return op && op->output ? op->output : "";
}

/* ---- texts ---- */

static char *api_fmt(pig_task *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = arena_vfmt(task_of(p)->a, fmt, ap);
	va_end(ap);
	return s;
}

/* One conversion of api_sh. The conversion's own text is what printf knows; only strings are quoted. */
static void sh_number(struct buf *b, const char *spec, size_t n, va_list *ap)
{
	char form[16];
	int longs = 0;

	if (n + 1 > sizeof form)
		bug("a format of pig_sh is too long: %.*s", (int)n, spec);
	memcpy(form, spec, n);
	form[n] = 0;
	for (size_t i = 0; i < n; i++)
		longs += spec[i] == 'l' || spec[i] == 'z' || spec[i] == 'j';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (longs > 1)
		buf_fmt(b, form, va_arg(*ap, long long));
	else if (longs)
		buf_fmt(b, form, va_arg(*ap, long));
	else
		buf_fmt(b, form, va_arg(*ap, int));
#pragma GCC diagnostic pop
}

static char *api_sh(pig_task *p, const char *fmt, ...)
{
	struct buf b = BUF(task_of(p)->a);
	va_list ap;

	va_start(ap, fmt);
	for (const char *f = fmt; *f; f++) {
		if (*f != '%') {
			buf_ch(&b, *f);
			continue;
		}
		size_t n = 1 + strspn(f + 1, "0123456789lzj");
		char conv = f[n];
		if (conv == '%') {
			buf_ch(&b, '%');
		} else if (conv == 's') {
			const char *s = va_arg(ap, const char *);
			buf_quote(&b, s ? s : "");
		} else if (conv && strchr("diuxo", conv)) {
			sh_number(&b, f, n + 1, &ap);
		} else {
			bug("pig_sh knows no %%%c", conv);
		}
		f += n;
	}
	va_end(ap);
	buf_ch(&b, 0);
	b.len--;
	return b.p;
}

static const char *api_secret(pig_task *p, const char *text)
{
	secrets_add(task_of(p)->run->secrets, text);
	return text;
}

static void *api_alloc(pig_task *p, size_t n)
{
	return arena_get(task_of(p)->a, n);
}

static void api_warn(pig_task *p, const char *fmt, ...)
{
	struct task *t = task_of(p);
	va_list ap;

	if (t->main->failed)
		return;
	va_start(ap, fmt);
	t->home->counts.warned++;
	report_warning(t->run->rep, t->home->h->name, t->name, arena_vfmt(t->a, fmt, ap));
	va_end(ap);
}

static void api_fail(pig_task *p, const char *fmt, ...)
{
	struct task *t = task_of(p);
	va_list ap;

	va_start(ap, fmt);
	fail_text(t, E_REMOTE, arena_vfmt(t->a, fmt, ap));
	va_end(ap);
}

static void api_fail_at(pig_task *p, const pig_value *at, const char *fmt, ...)
{
	struct task *t = task_of(p);
	struct err e = { 0 };
	va_list ap;

	va_start(ap, fmt);
	fail(&e, E_INPUT, "%s", arena_vfmt(t->a, fmt, ap));
	va_end(ap);
	err_at_value(&e, (const struct value *)at);
	task_fail(t, &e);
}

static void api_hint(pig_task *p, const char *fmt, ...)
{
	struct task *t = task_of(p);
	va_list ap;

	if (!t->main->failed)
		return;
	va_start(ap, fmt);
	err_hint(&t->main->err, "%s", arena_vfmt(t->a, fmt, ap));
	va_end(ap);
}

const struct pig_host task_host = {
	.size = sizeof(struct pig_host), .major = PIG_ABI_MAJOR, .minor = PIG_ABI_MINOR,
	.file = api_file, .line = api_line, .package = api_package, .unit = api_unit, .user = api_user, .group = api_group,
	.sysctl = api_sysctl, .cert = api_cert, .wait = api_wait, .ensure = api_ensure, .shell = api_shell,
	.await = api_await, .changed = api_changed, .known = api_known, .output = api_output,
	.fmt = api_fmt, .sh = api_sh, .render = task_api_render, .secret = api_secret, .alloc = api_alloc,
	.warn = api_warn, .fail = api_fail, .fail_at = api_fail_at, .hint = api_hint,
	.get = task_api_get, .of = task_api_of, .publish = task_api_publish, .members = task_api_members, .on = task_api_on,
	.iface = task_api_iface, .json = task_api_json, .map = task_api_map, .list = task_api_list, .put = task_api_put,
	.push = task_api_push, .text = task_api_text, .number = task_api_number, .boolean = task_api_boolean, .jmes = task_api_jmes,
	.fact = task_api_fact, .ca = task_api_ca, .control_file = task_api_control_file, .cluster_of = task_api_cluster_of,
	.in_run = task_api_in_run, .digest = task_api_digest, .reach = task_api_reach, .later = task_api_later, .self = task_api_self,
};
