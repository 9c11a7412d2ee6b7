/*
 * What a module's verb may call: the resolved inventory, files and programs of the control host, the local CA, output.
 * Errors are sticky: the first one is kept, and every later call does nothing, so a verb needs few branches.
 */
#include "cli/own.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/os.h"
#include "model/check_int.h"
#include "ops/cert.h"

static struct own_call *of(pig_call *p)
{
	return (struct own_call *)p;
}

static const struct value *val(const pig_value *v)
{
	return (const struct value *)v;
}

void own_fail(struct own_call *o, const struct err *e)
{
	if (!o->failed)
		o->err = *e;
	o->failed = true;
}

/* ---- the inventory ---- */
static const pig_value *api_get(pig_call *p, const char *host, const char *name)
{
	struct own_call *o = of(p);
	struct err e = { 0 };
	const struct inv_host *h;

	if (o->failed || !o->w.inv)
		return NULL;
	h = host ? inventory_host(o->w.inv, host) : o->n_hosts ? o->hosts[0] : NULL;
	if (!h && host) {
		fail(&e, E_INPUT, "host \"%s\" is not in the inventory", host);
		own_fail(o, &e);
	}
	const struct value *v = h ? resolver_get(resolvers_of(o->rs, h), name, &e) : NULL;
	if (h && !v && e.code && e.code != E_UNKNOWN)
		own_fail(o, &e);
	return (const pig_value *)v;
}

static const pig_value *api_members(pig_call *p, const char *name)
{
	struct own_call *o = of(p);
	struct value *list = value_list(o->c->a);
	const struct value *v = NULL;

	if (!o->w.inv)
		return (const pig_value *)list;
	if (name)
		v = resolvers_members(o->rs, o->c->a, o->module, name);
	for (uint32_t i = 0; !name && i < o->n_hosts; i++)
		value_push(o->c->a, list, value_str(o->c->a, o->hosts[i]->name));
	return (const pig_value *)(v ? v : list);
}

static const char *api_inventory_dir(pig_call *p)
{
	return of(p)->w.inv ? of(p)->w.inv->dir : ".";
}

static const pig_value *api_params(pig_call *p)
{
	struct own_call *o = of(p);
	struct value *list = value_list(o->c->a);

	for (uint32_t i = 0; i < o->ms->params.n; i++)
		value_push(o->c->a, list, cli_doc_param(o->c, o->ms->params.items[i].val));
	return (const pig_value *)list;
}

static const char *api_alias(pig_call *p, const char *os, const char *name)
{
	return modules_alias(of(p)->ms, os, name);
}

/* ---- the control host ---- */
static const char *api_read(pig_call *p, const char *path, size_t *len)
{
	struct own_call *o = of(p);
	struct buf b = BUF(o->c->a);
	struct err e = { 0 };

	if (o->failed)
		return NULL;
	if (!os_read(&b, path, 0, &e)) {
		own_fail(o, &e);
		return NULL;
	}
	if (len)
		*len = b.len;
	return buf_text(&b);
}

static bool api_write(pig_call *p, const char *path, const void *text, size_t len, uint32_t mode)
{
	struct own_call *o = of(p);
	struct err e = { 0 };

	if (o->failed)
		return false;
	if (os_mkdirs(os_dirname(o->c->a, path), 0755, &e) && os_write(path, text, len, mode ? mode : 0644, &e))
		return true;
	own_fail(o, &e);
	return false;
}

static bool api_exists(pig_call *p, const char *path)
{
	(void)p;
	return os_exists(path);
}

static int died(struct own_call *o, const char *what, int no)
{
	struct err e = { 0 };

	fail(&e, E_FAILED, "\"%s\" cannot be run", what);
	err_detail(&e, "%s", strerror(no));
	own_fail(o, &e);
	return -1;
}

/* Standard input of a program as a file of its own: no pipe to be served while it runs. */
static int input_fd(const struct pig_program *g)
{
	int fd = memfd_create("in", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < g->in_len) {
		ssize_t n = write(fd, g->in + done, g->in_len - done);
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static _Noreturn void shown_child(const struct pig_program *g, int in, int report)
{
	union { const char *const *c; char *const *m; } argv = { g->argv };

	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	dup2(in, 0);
	for (const char *const *kv = g->env; kv && *kv; kv++) {
		union { const char *c; char *m; } word = { *kv };
		putenv(word.m);
	}
	execvp(g->argv[0], argv.m);
	int no = errno;
	ssize_t told = write(report, &no, sizeof no);
	_exit(told > 0 ? 127 : 126);
}

/* A program with our own outputs; an interrupt from the terminal reaches it, too, and it is waited for. */
static int run_shown(struct own_call *o, const struct pig_program *g)
{
	int report[2], status = 0, no = 0;
	autofd int in = input_fd(g);

	fflush(stdout);
	if (in < 0 || pipe2(report, O_CLOEXEC))
		return died(o, g->argv[0], errno);
	void (*before)(int) = signal(SIGINT, SIG_IGN);
	pid_t pid = fork();
	if (!pid)
		shown_child(g, in, report[1]);
	close(report[1]);
	ssize_t n = pid > 0 ? read(report[0], &no, sizeof no) : -1;
	close(report[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, before);
	if (pid < 0 || n == (ssize_t)sizeof no)
		return died(o, g->argv[0], no ? no : errno);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_kept(struct own_call *o, const struct pig_program *g, const char **out)
{
	struct os_cmd cmd = { .argv = g->argv, .in = g->in, .in_len = g->in_len, .env = g->env,
			      .limit_ms = (int)(g->limit_s > 2000000 ? 2000000 : g->limit_s) * 1000 };
	struct buf text = BUF(o->c->a), errs = BUF(o->c->a);
	struct err e = { 0 };
	int status = -1;

	if (!os_run(&cmd, &text, &errs, &status, &e)) {
		own_fail(o, &e);
		return -1;
	}
	if (out)
		*out = status && !text.len ? buf_text(&errs) : buf_text(&text);
	return status;
}

static int api_program(pig_call *p, const struct pig_program *given, const char **out)
{
	struct own_call *o = of(p);
	struct pig_program g = { 0 };
	struct err e = { 0 };

	if (out)
		*out = "";
	if (o->failed)
		return -1;
	memcpy(&g, given, given->size < sizeof g ? given->size : sizeof g);
	for (size_t i = sizeof g; i < given->size; i++)
		if (((const char *)given)[i]) {
			fail(&e, E_MODULE, "module \"%s\" asks for a field of pig_program that this pig does not know",
			     o->module->m->name);
			own_fail(o, &e);
			return -1;
		}
	return g.shown ? run_shown(o, &g) : run_kept(o, &g, out);
}

static const char *api_helper(pig_call *p, const char *name)
{
	struct own_call *o = of(p);
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *installed = os_join(o->c->a, PIG_LIBEXEC_DIR, name);

	if (n > 0) {
		self[n] = '\0';
		const char *dir = os_dirname(o->c->a, self), *beside = os_join(o->c->a, dir, name),
			   *near = arena_fmt(o->c->a, "%s/../libexec/pig/%s", dir, name);
		if (os_exists(beside))
			return beside;
		if (os_exists(near))
			return near;
	}
	return installed;
}

/* ---- the local CA ---- */
static bool ca_of(struct own_call *o, bool make)
{
	const char *dir = arena_fmt(o->c->a, "%s/files/pki", api_inventory_dir(&o->pub));
	const struct value *cn = val(api_get(&o->pub, NULL, "ca_cn")),
			   *create = val(api_get(&o->pub, NULL, "ca_create"));
	struct err e = { 0 };

	if (o->failed || o->ca)
		return !o->failed;
	if (!make && !os_exists(os_join(o->c->a, dir, "ca/ca.crt")))
		return false;
	if (ca_open(&o->ca, o->c->a, dir, value_cstr(cn, "pig-ca"), make && (!create || value_truth(create)), false,
		    &e))
		return true;
	own_fail(o, &e);
	return false;
}

static const char *api_ca(pig_call *p, bool make, bool *made)
{
	struct own_call *o = of(p);

	if (made)
		*made = false;
	if (!ca_of(o, make))
		return NULL;
	if (made)
		*made = ca_is_new(o->ca);
	return ca_pem(o->ca);
}

static const char *api_cert(pig_call *p, const struct pig_cert *given, bool *issued)
{
	struct own_call *o = of(p);
	struct pig_cert d = { 0 };
	struct cert_got got;
	struct err e = { 0 };

	memcpy(&d, given, given->size < sizeof d ? given->size : sizeof d);
	if (!ca_of(o, true))
		return NULL;
	struct cert_want w = { .store = d.store ? d.store : "misc", .cn = d.cn, .ou = d.ou, .sans = d.sans, .days = d.days,
			       .client = d.client };
	if (!ca_issue(o->ca, o->c->a, &w, &got, &e)) {
		own_fail(o, &e);
		return NULL;
	}
	if (issued)
		*issued = got.issued;
	return arena_fmt(o->c->a, "%s/files/pki/%s/%s", api_inventory_dir(p), w.store, w.cn);
}

/* ---- saying ---- */
#define TEXT_OF(s, fmt)                                      \
	va_list ap;                                          \
	va_start(ap, fmt);                                   \
	const char *s = arena_vfmt(of(p)->c->a, fmt, ap);    \
	va_end(ap)

static void api_out(pig_call *p, const char *fmt, ...)
{
	struct err e = { 0 };

	TEXT_OF(s, fmt);
	if (!of(p)->failed && !cli_out(s, strlen(s), &e))
		own_fail(of(p), &e);
}

static void api_print(pig_call *p, const pig_value *v)
{
	struct err e = { 0 };

	if (!of(p)->failed && !cli_json(of(p)->c, val(v), &e))
		own_fail(of(p), &e);
}

static void api_warn(pig_call *p, const char *fmt, ...)
{
	TEXT_OF(s, fmt);
	fflush(stdout);
	fprintf(stderr, "pig: warning: %s\n", s);
}

static int api_fail(pig_call *p, enum pig_exit status, const char *fmt, ...)
{
	struct err e = { 0 };

	TEXT_OF(s, fmt);
	fail(&e, status ? (int)status : E_FAILED, "%s", s);
	own_fail(of(p), &e);
	return e.code;
}

static int api_fail_at(pig_call *p, const pig_value *at, const char *fmt, ...)
{
	struct err e = { 0 };

	TEXT_OF(s, fmt);
	fail(&e, E_INPUT, "%s", s);
	err_at_value(&e, val(at));
	own_fail(of(p), &e);
	return e.code;
}

static void api_hint(pig_call *p, const char *fmt, ...)
{
	TEXT_OF(s, fmt);
	if (of(p)->failed)
		err_hint(&of(p)->err, "%s", s);
}

static bool api_failed(pig_call *p)
{
	return of(p)->failed;
}

/* ---- texts and values ---- */
static void *api_alloc(pig_call *p, size_t n)
{
	return arena_get(of(p)->c->a, n);
}

static char *api_fmt(pig_call *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = arena_vfmt(of(p)->c->a, fmt, ap);
	va_end(ap);
	return s;
}

static const pig_value *api_json(pig_call *p, const char *text)
{
	struct value *v = NULL;
	struct err e = { 0 };

	if (of(p)->failed || value_from_json(&v, of(p)->c->a, "json", text, strlen(text), &e))
		return (const pig_value *)v;
	own_fail(of(p), &e);
	return NULL;
}

static const char *api_json_text(pig_call *p, const pig_value *v)
{
	struct buf b = BUF(of(p)->c->a);
	struct err e = { 0 };

	if (!value_to_json(&b, val(v), &(struct json_style){ .tight = true })) {
		fail(&e, E_INPUT, "the value is nested too deep, or too large, to be printed");
		own_fail(of(p), &e);
	}
	return buf_text(&b);
}

static pig_value *api_map(pig_call *p)
{
	return (pig_value *)value_map(of(p)->c->a);
}

static pig_value *api_list(pig_call *p)
{
	return (pig_value *)value_list(of(p)->c->a);
}

/* What goes into a value that a module builds is shared: values are immutable once they are built. */
static struct value *shared(struct own_call *o, const pig_value *v)
{
	return v ? (struct value *)(uintptr_t)v : value_null(o->c->a);
}

static void api_put(pig_call *p, pig_value *map, const char *key, const pig_value *v)
{
	value_put(of(p)->c->a, (struct value *)map, key, shared(of(p), v));
}

static void api_push(pig_call *p, pig_value *list, const pig_value *v)
{
	value_push(of(p)->c->a, (struct value *)list, shared(of(p), v));
}

static const pig_value *api_text(pig_call *p, const char *s)
{
	return (const pig_value *)(s ? value_str(of(p)->c->a, s) : value_null(of(p)->c->a));
}

static const pig_value *api_number(pig_call *p, int64_t n)
{
	return (const pig_value *)value_int(of(p)->c->a, n);
}

static const pig_value *api_boolean(pig_call *p, bool b)
{
	return (const pig_value *)value_bool(of(p)->c->a, b);
}

const struct pig_cli own_cli = {
	.size = sizeof(struct pig_cli),
	.get = api_get, .members = api_members, .inventory_dir = api_inventory_dir, .params = api_params,
	.alias = api_alias, .read = api_read, .write = api_write, .exists = api_exists, .program = api_program,
	.helper = api_helper, .ca = api_ca, .cert = api_cert, .out = api_out, .print = api_print, .warn = api_warn,
	.fail = api_fail, .fail_at = api_fail_at, .hint = api_hint, .failed = api_failed, .alloc = api_alloc,
	.fmt = api_fmt, .json = api_json, .json_text = api_json_text, .map = api_map, .list = api_list, .put = api_put,
	.push = api_push, .text = api_text, .number = api_number, .boolean = api_boolean,
};
