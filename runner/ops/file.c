/*
 * File, folder and link. Content is compared by SHA-256 and travels only when it differs; a change is a temporary file beside the
 * target with its final owner and mode, checked by `validate`, then renamed.
 */
#include "ops/batch.h"
#include "base/os.h"

#include <stdlib.h>
#include <string.h>

enum { T_CONTENT = 1, T_OWNER = 2, T_MODE = 4, T_MAKE = 8, T_REMOVE = 16 };

static void words(struct buf *b, struct op **ops, size_t n, bool folders, bool content)
{
	for (size_t i = 0; i < n; i++) {
		if (folders != ops[i]->d.file.dir || (content && !ops[i]->text))
			continue;
		buf_ch(b, ' ');
		buf_quote(b, ops[i]->d.file.path);
		if (!content && (ops[i]->flags & PIG_IF_THERE)) {
			buf_ch(b, ' ');
			buf_quote(b, os_dirname(b->a, ops[i]->d.file.path));
		}
	}
}

static void file_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	struct buf files = BUF(b->a), dirs = BUF(b->a), sums = BUF(b->a), code = BUF(b->a);

	words(&files, ops, n, false, false);
	words(&dirs, ops, n, true, false);
	words(&sums, ops, n, false, true);
	if (files.len)
		buf_fmt(&code, "stat -c '%%f %%U %%G %%u %%g %%s %%n' --%s 2>/dev/null; ", buf_text(&files));
	if (dirs.len)
		buf_fmt(&code, "stat -L -c '%%f %%U %%G %%u %%g %%s %%n' --%s 2>/dev/null; ", buf_text(&dirs));
	if (sums.len)
		buf_fmt(&code, "echo =; sha256sum --%s 2>/dev/null; ", buf_text(&sums));
	script_section(s, "file", arena_fmt(b->a, "%s:", buf_text(&code)));
	for (size_t i = 0; i < n; i++) {
		if (!ops[i]->d.file.link)
			continue;
		struct buf link = BUF(b->a);
		buf_str(&link, "readlink -- ");
		buf_quote(&link, ops[i]->d.file.path);
		script_section(s, arena_fmt(b->a, "l%u", ops[i]->index), buf_text(&link));
	}
}

/* The next space-ended word of *at. */
static const char *word(struct arena *a, const char **at)
{
	size_t n = strcspn(*at, " ");
	const char *w = arena_strn(a, *at, n);

	*at += n + ((*at)[n] == ' ');
	return w;
}

/* Find the stat line and the sum of one path in the probe's answer. */
static void file_found(struct batch *b, struct op *op, const char *answer)
{
	struct op_file_state *f = &op->found;
	bool sums = false;

	*f = (struct op_file_state){ 0 };
	for (const char *line = answer; *line;) {
		size_t n = strcspn(line, "\n");
		const char *text = arena_strn(b->a, line, n), *at = text;
		line += n + (line[n] == '\n');
		if (!strcmp(text, "=")) {
			sums = true;
		} else if (sums) {
			if (n > 66 && !strcmp(text + 66, op->d.file.path))
				f->sum = arena_strn(b->a, text, 64);
		} else {
			const char *path = text;
			for (int i = 0; i < 6 && path; i++) {
				path = strchr(path, ' ');
				path = path ? path + 1 : NULL;
			}
			if (!path || strcmp(path, op->d.file.path))
				continue;
			f->exists = true;
			f->mode = (uint32_t)strtoul(word(b->a, &at), NULL, 16);
			f->owner = word(b->a, &at), f->group = word(b->a, &at);
			f->uid = word(b->a, &at), f->gid = word(b->a, &at);
			f->size = strtoll(word(b->a, &at), NULL, 10);
			f->is_dir = (f->mode & 0170000) == 0040000;
			f->is_link = (f->mode & 0170000) == 0120000;
			f->mode &= 07777;
		}
	}
}

/* Does the probe's answer know the folder of the path? */
static bool has_folder(struct batch *b, const struct op *op, const char *answer)
{
	const char *line = arena_fmt(b->a, " %s\n", os_dirname(b->a, op->d.file.path));

	return strstr(arena_fmt(b->a, "%s\n", answer), line) != NULL;
}

static bool same_name(const char *want, const char *name, const char *id)
{
	return !want || !strcmp(want, name) || !strcmp(want, id);
}

/* Mode for what does not exist yet. */
static uint32_t fresh_mode(const struct op *op)
{
	if (op->d.file.mode)
		return op->d.file.mode;
	return op->d.file.dir ? 0755 : op->secret ? 0600 : 0644;
}

static void compare_meta(struct batch *b, struct op *op)
{
	const struct pig_file *d = &op->d.file;
	const struct op_file_state *f = &op->found;

	if (d->mode && d->mode != f->mode) {
		op->todo |= T_MODE;
		op_why(b, op, "mode %04o -> %04o", f->mode, d->mode);
	}
	if (!same_name(d->owner, f->owner, f->uid) || !same_name(d->group, f->group, f->gid)) {
		op->todo |= T_OWNER;
		op_why(b, op, "owner %s:%s -> %s:%s", f->owner, f->group, d->owner ? d->owner : f->owner, d->group ? d->group : f->group);
	}
}

static bool file_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct pig_file *d = &op->d.file;
	const struct section *sec = sections_get(&b->found, "file");
	struct op_file_state *f = &op->found;

	file_found(b, op, sec ? sec->out : "");
	op->todo = 0;
	if ((op->flags & PIG_IF_THERE) && !has_folder(b, op, sec ? sec->out : "")) {
		op->state = OP_OK;
		return true;
	}
	if (d->state == PIG_ABSENT) {
		if (f->exists) {
			if (f->is_dir && !d->dir)
				return fail(e, E_REMOTE, "%s: is a folder, not a file", op->title), err_hint(e, "Ask for its absence with .dir set.");
			op->todo = T_REMOVE;
			op_why(b, op, "remove");
		}
	} else if (d->dir) {
		if (f->exists && !f->is_dir)
			return fail(e, E_REMOTE, "%s: exists and is no folder", op->title);
		if (!f->exists) {
			op->todo = T_MAKE;
			op_why(b, op, "new");
		} else {
			compare_meta(b, op);
		}
	} else if (d->link) {
		const struct section *l = sections_get(&b->found, arena_fmt(b->a, "l%u", op->index));
		if (f->exists && f->is_dir)
			return fail(e, E_REMOTE, "%s: is a folder, not a link", op->title);
		if (!f->exists || !f->is_link || !l || strcmp(l->out, d->link)) {
			op->todo = T_MAKE;
			op_why(b, op, f->exists ? "target -> %s" : "new, to %s", d->link);
		}
	} else {
		if (f->exists && f->is_dir)
			return fail(e, E_REMOTE, "%s: is a folder, not a file", op->title);
		if (!f->exists && !op->text)
			return fail(e, E_REMOTE, "%s: does not exist", op->title);
		if (!f->exists) {
			op->todo = T_CONTENT | T_MAKE;
			op_why(b, op, "new");
		} else if (!(op->flags & PIG_SEED)) {
			if (op->text && (f->is_link || !f->sum || strcmp(f->sum, op->sum))) {
				op->todo |= T_CONTENT;
				op_why(b, op, "content");
			}
			compare_meta(b, op);
		}
	}
	op->state = op->todo ? OP_QUEUED : OP_OK;
	return true;
}

/* chown and chmod of what is there. */
static void meta_code(struct buf *c, const struct op *op)
{
	const struct pig_file *d = &op->d.file;

	if (d->owner || d->group) {
		buf_str(c, " && chown -h ");
		buf_quote(c, d->owner ? d->owner : "");
		if (d->group) {
			buf_ch(c, ':');
			buf_quote(c, d->group);
		}
		buf_str(c, " -- ");
		buf_quote(c, d->path);
	}
	if (d->mode && !d->link) {
		/* five digits: with four a folder keeps the group bit that others gave it */
		buf_fmt(c, " && chmod %05o -- ", d->mode);
		buf_quote(c, d->path);
	}
}

static void owner_words(struct buf *c, const char *owner, const char *group)
{
	if (owner) {
		buf_str(c, " -o ");
		buf_quote(c, owner);
	}
	if (group) {
		buf_str(c, " -g ");
		buf_quote(c, group);
	}
}

static void content_code(struct batch *b, struct script *s, struct buf *c, const struct op *op)
{
	const struct pig_file *d = &op->d.file;
	const struct op_file_state *f = &op->found;
	bool keep = f->exists && !f->is_link; /* what is not asked for stays as it is */
	uint32_t mode = d->mode ? d->mode : keep ? f->mode : fresh_mode(op);
	const char *tmp = arena_fmt(b->a, "%s/.%s.pig", os_dirname(b->a, d->path), os_basename(d->path));

	buf_fmt(c, "{ install -D -m %04o", mode);
	owner_words(c, d->owner ? d->owner : keep ? f->uid : "root", d->group ? d->group : keep ? f->gid : "root");
	buf_fmt(c, " -T -- \"$P/%zu\" ", script_input(s, op->text, op->text_len));
	buf_quote(c, tmp);
	if (d->validate) {
		struct buf v = BUF(b->a);
		for (const char *p = d->validate; *p; p++) {
			if (p[0] == '%' && p[1] == 's') {
				buf_quote(&v, tmp);
				p++;
			} else {
				buf_ch(&v, *p);
			}
		}
		buf_str(c, " && { ");
		buf_str(c, op_command(b->a, op->as, buf_text(&v)));
		buf_str(c, " >&2; }");
	}
	buf_str(c, " && mv -fT -- ");
	buf_quote(c, tmp);
	buf_ch(c, ' ');
	buf_quote(c, d->path);
	/* a full disk leaves half a file */
	buf_str(c, "; } || { r=$?; rm -f -- ");
	buf_quote(c, tmp);
	buf_str(c, "; exit $r; }");
}

static void file_apply(struct batch *b, struct script *s, struct op *op)
{
	const struct pig_file *d = &op->d.file;
	struct buf c = BUF(b->a);

	if (op->todo & T_REMOVE) {
		buf_str(&c, d->dir ? "rm -rf --one-file-system -- " : "rm -f -- ");
		buf_quote(&c, d->path);
	} else if (d->dir && (op->todo & T_MAKE)) {
		/* one process where mkdir, chown and chmod are three */
		buf_fmt(&c, "install -d -m %05o", fresh_mode(op));
		owner_words(&c, d->owner, d->group);
		buf_str(&c, " -- ");
		buf_quote(&c, d->path);
	} else if (d->link) {
		buf_str(&c, "{ [ -d ");
		buf_quote(&c, os_dirname(b->a, d->path));
		buf_str(&c, " ] || mkdir -p -- ");
		buf_quote(&c, os_dirname(b->a, d->path));
		buf_str(&c, "; } && ln -sfT -- ");
		buf_quote(&c, d->link);
		buf_ch(&c, ' ');
		buf_quote(&c, d->path);
		meta_code(&c, op);
	} else if (op->todo & T_CONTENT) {
		content_code(b, s, &c, op);
	} else {
		buf_ch(&c, ':'); /* a folder, too */
		meta_code(&c, op);
	}
	script_step(s, arena_fmt(b->a, "a%u", op->index), buf_text(&c), op->flags & PIG_SOFT);
}

const struct op_kind op_file = {
	.name = "file",
	.disturbs = D_FILE,
	.sensitive = D_PACKAGE | D_RUN,
	.probe = file_probe,
	.decide = file_decide,
	.apply = file_apply,
};
