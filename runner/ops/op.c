/* Making operations: deep copies, so that a task's stack may go, and titles for people. Nothing here talks to a host. */
#include "ops/op.h"
#include "ops/batch.h"

#include <openssl/evp.h>
#include <string.h>

static struct op *op_new(struct arena *a, const struct op_kind *kind, const char *what, uint32_t flags, const char *note, const char *as)
{
	struct op *op = arena_get(a, sizeof *op);

	op->kind = kind;
	op->flags = flags;
	op->note = arena_str(a, note);
	op->as = arena_str(a, as);
	op->title = arena_fmt(a, "%s %s", kind->name, what ? what : "?");
	return op;
}

#define COPY(field) op->d.field = arena_str(a, op->d.field)

struct op *op_new_file(struct arena *a, const struct pig_file *d, const char *text, size_t len)
{
	struct op *op = op_new(a, &op_file, d->path, d->flags, d->note, d->as);

	op->d.file = *d;
	COPY(file.path), COPY(file.link), COPY(file.owner), COPY(file.group), COPY(file.validate);
	op->d.file.vars = NULL;
	if (text) {
		op->text = arena_strn(a, text, len);
		op->text_len = len;
		op->sum = op_sum(a, text, len);
	}
	if (d->dir)
		op->title = arena_fmt(a, "folder %s", d->path);
	else if (d->link)
		op->title = arena_fmt(a, "link %s", d->path);
	return op;
}

struct op *op_new_line(struct arena *a, const struct pig_line *d)
{
	struct op *op = op_new(a, &op_line, d->path, d->flags, d->note, d->as);

	op->d.line = *d;
	COPY(line.path), COPY(line.line), COPY(line.match), COPY(line.block);
	op->title = d->block ? arena_fmt(a, "block \"%s\" in %s", d->block, d->path) : arena_fmt(a, "line in %s", d->path);
	return op;
}

struct op *op_new_package(struct arena *a, const struct pig_package *d)
{
	struct op *op = op_new(a, &op_package, d->names, d->flags, d->note, d->as);

	op->d.package = *d;
	COPY(package.names);
	return op;
}

struct op *op_new_unit(struct arena *a, const struct pig_unit *d)
{
	struct op *op = op_new(a, &op_unit, d->name, d->flags, d->note, d->as);

	op->d.unit = *d;
	COPY(unit.name), COPY(unit.watch);
	return op;
}

struct op *op_new_user(struct arena *a, const struct pig_user *d)
{
	struct op *op = op_new(a, &op_user, d->name, d->flags, d->note, d->as);

	op->d.user = *d;
	COPY(user.name), COPY(user.group), COPY(user.groups), COPY(user.home), COPY(user.shell), COPY(user.keys);
	return op;
}

struct op *op_new_group(struct arena *a, const struct pig_group *d)
{
	struct op *op = op_new(a, &op_group, d->name, d->flags, d->note, d->as);

	op->d.group = *d;
	COPY(group.name);
	return op;
}

struct op *op_new_sysctl(struct arena *a, const struct pig_sysctl *d)
{
	struct op *op = op_new(a, &op_sysctl, d->key, d->flags, d->note, d->as);

	op->d.sysctl = *d;
	COPY(sysctl.key), COPY(sysctl.value);
	return op;
}

static void note_title(struct arena *a, struct op *op, const char *cmd)
{
	size_t n = strcspn(cmd, "\n");

	if (op->note)
		op->title = arena_fmt(a, "%s %s", op->kind->name, op->note);
	else
		op->title = arena_fmt(a, "%s `%.*s%s`", op->kind->name, (int)(n > 60 ? 60 : n), cmd, n > 60 || cmd[n] ? "..." : "");
}

struct op *op_new_wait(struct arena *a, const struct pig_wait *d)
{
	struct op *op = op_new(a, &op_wait, "", d->flags, d->note, d->as);

	op->d.wait = *d;
	COPY(wait.probe), COPY(wait.want), COPY(wait.in), COPY(wait.why);
	note_title(a, op, d->why ? d->why : d->probe);
	return op;
}

static const struct op *const *copy_after(struct arena *a, const pig_op *const *after)
{
	size_t n = 0;

	if (!after)
		return NULL;
	while (after[n])
		n++;
	return arena_dup(a, after, (n + 1) * sizeof *after);
}

struct op *op_new_ensure(struct arena *a, const struct pig_ensure *d)
{
	struct op *op = op_new(a, &op_ensure, "", d->flags, d->note, d->as);

	op->d.ensure = *d;
	COPY(ensure.probe), COPY(ensure.want), COPY(ensure.apply), COPY(ensure.in), COPY(ensure.probe_in);
	op->after = copy_after(a, d->after);
	note_title(a, op, d->apply ? d->apply : d->probe);
	return op;
}

struct op *op_new_shell(struct arena *a, const struct pig_shell *d)
{
	struct op *op = op_new(a, &op_shell, "", d->flags, d->note, d->as);

	op->d.shell = *d;
	COPY(shell.cmd), COPY(shell.creates), COPY(shell.in);
	op->after = copy_after(a, d->after);
	note_title(a, op, d->cmd);
	return op;
}

bool op_changed(const struct op *op)
{
	switch (op->state) {
	case OP_CHANGED:
	case OP_WOULD:
	case OP_DEPENDENT:
	case OP_OPAQUE:
	case OP_DUE:
		return true;
	default:
		return false;
	}
}

const char *op_sum(struct arena *a, const void *p, size_t n)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buf b = BUF(a);

	if (!EVP_Digest(p, n, raw, &len, EVP_sha256(), NULL))
		bug("SHA-256 is not available");
	for (unsigned i = 0; i < len; i++)
		buf_fmt(&b, "%02x", raw[i]);
	return buf_text(&b);
}

void op_why(struct batch *b, struct op *op, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *one = arena_vfmt(b->a, fmt, ap);
	va_end(ap);
	op->reason = op->reason ? arena_fmt(b->a, "%s, %s", op->reason, one) : one;
}

const char *op_command(struct arena *a, const char *as, const char *cmd)
{
	struct buf b = BUF(a);

	if (as) {
		buf_str(&b, "runuser -u ");
		buf_quote(&b, as);
		buf_str(&b, " -- sh -c ");
	} else {
		buf_str(&b, "eval ");
	}
	buf_quote(&b, cmd);
	return buf_text(&b);
}

const char *op_input(const struct op *op)
{
	if (op->kind == &op_wait)
		return op->d.wait.in;
	if (op->kind == &op_ensure)
		return op->d.ensure.in;
	return op->kind == &op_shell ? op->d.shell.in : NULL;
}
