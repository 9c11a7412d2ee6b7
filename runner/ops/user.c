/*
 * Users and groups. Groups are added, never taken away; authorized keys are written by the user itself, so that root follows no link
 * in a folder it does not own.
 */
#include "ops/batch.h"

#include <stdlib.h>
#include <string.h>

static void user_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf c = BUF(b->a), q = BUF(b->a);
		buf_quote(&q, ops[i]->d.user.name);
		buf_fmt(&c, "l=$(getent passwd %s) || exit 0; printf '%%s\\n' \"$l\"; id -gn -- %s; id -Gn -- %s", buf_text(&q), buf_text(&q), buf_text(&q));
		if (ops[i]->d.user.keys)
			buf_str(&c, "; h=${l%:*}; h=${h##*:}; cat -- \"$h/.ssh/authorized_keys\" 2>/dev/null; :");
		script_section(s, arena_fmt(b->a, "U%u", ops[i]->index), buf_text(&c));
	}
}

static const char *line_at(struct arena *a, const char *text, int i)
{
	for (; i > 0 && *text; i--) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return arena_strn(a, text, strcspn(text, "\n"));
}

static const char *colon_field(struct arena *a, const char *line, int i)
{
	for (; i > 0 && line; i--) {
		line = strchr(line, ':');
		line = line ? line + 1 : NULL;
	}
	return line ? arena_strn(a, line, strcspn(line, ":")) : "";
}

static bool has_word(const char *list, const char *word, const char *sep)
{
	size_t n = strlen(word);

	for (const char *p = list; *p;) {
		size_t len = strcspn(p, sep);
		if (len == n && !memcmp(p, word, n))
			return true;
		p += len + (p[len] != 0);
	}
	return false;
}

/* Words of want (a,b) that have lacks, joined by commas. */
static const char *missing_groups(struct arena *a, const char *want, const char *have)
{
	struct buf b = BUF(a);

	for (const char *p = want ? want : ""; *p;) {
		size_t n = strcspn(p, ", ");
		const char *w = arena_strn(a, p, n);
		if (n && !has_word(have, w, " "))
			buf_fmt(&b, "%s%s", b.len ? "," : "", w);
		p += n + (p[n] != 0);
	}
	return b.len ? buf_text(&b) : NULL;
}

static const char *missing_keys(struct arena *a, const char *want, const char *have)
{
	struct buf b = BUF(a);

	for (const char *p = want ? want : ""; *p;) {
		size_t n = strcspn(p, "\n");
		const char *line = arena_strn(a, p, n);
		if (n && !has_word(have, line, "\n"))
			buf_fmt(&b, "%s\n", line);
		p += n + (p[n] == '\n');
	}
	return b.len ? buf_text(&b) : NULL;
}

static void quoted_opt(struct buf *b, const char *opt, const char *val)
{
	if (!val)
		return;
	buf_fmt(b, " %s ", opt);
	buf_quote(b, val);
}

static void add_keys(struct batch *b, struct op *op, struct buf *c, const char *keys)
{
	struct buf q = BUF(b->a);

	buf_quote(&q, op->d.user.name);
	op->text = keys;
	op->text_len = strlen(keys);
	buf_fmt(c, " && runuser -u %s -- sh -c 'umask 077; cd && mkdir -p .ssh && f=.ssh/authorized_keys && "
		"{ [ ! -s $f ] || [ -z \"$(tail -c 1 $f)\" ] || echo >>$f; } && cat >>$f' <\"$P/KEYS\"", buf_text(&q));
}

static void user_make(struct batch *b, struct op *op, struct buf *c)
{
	const struct pig_user *d = &op->d.user;

	buf_fmt(c, "useradd%s -m", d->system ? " -r" : "");
	if (d->uid)
		buf_fmt(c, " -u %d", d->uid);
	quoted_opt(c, "-g", d->group);
	quoted_opt(c, "-G", d->groups);
	quoted_opt(c, "-d", d->home);
	quoted_opt(c, "-s", d->shell ? d->shell : "/bin/bash");
	buf_str(c, " -- ");
	buf_quote(c, d->name);
	op_why(b, op, "new");
	if (d->keys)
		add_keys(b, op, c, arena_fmt(b->a, "%s\n", d->keys));
}

static bool user_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct pig_user *d = &op->d.user;
	const struct section *sec = sections_get(&b->found, arena_fmt(b->a, "U%u", op->index));
	const char *text = sec ? sec->out : "", *pw = line_at(b->a, text, 0);
	struct buf c = BUF(b->a), mod = BUF(b->a);

	(void)e;
	op->found_text = NULL;
	if (d->state == PIG_ABSENT) {
		if (*pw) {
			buf_str(&c, "userdel -- ");
			buf_quote(&c, d->name);
			op_why(b, op, "remove");
		}
	} else if (!*pw) {
		user_make(b, op, &c);
	} else {
		const char *groups = missing_groups(b->a, d->groups, line_at(b->a, text, 2));
		if (d->uid && strtol(colon_field(b->a, pw, 2), NULL, 10) != d->uid) {
			buf_fmt(&mod, " -u %d", d->uid);
			op_why(b, op, "uid %s -> %d", colon_field(b->a, pw, 2), d->uid);
		}
		if (d->group && strcmp(d->group, line_at(b->a, text, 1))) {
			quoted_opt(&mod, "-g", d->group);
			op_why(b, op, "group %s -> %s", line_at(b->a, text, 1), d->group);
		}
		if (d->home && strcmp(d->home, colon_field(b->a, pw, 5))) {
			quoted_opt(&mod, "-d", d->home);
			op_why(b, op, "home %s -> %s", colon_field(b->a, pw, 5), d->home);
		}
		if (d->shell && strcmp(d->shell, colon_field(b->a, pw, 6))) {
			quoted_opt(&mod, "-s", d->shell);
			op_why(b, op, "shell %s -> %s", colon_field(b->a, pw, 6), d->shell);
		}
		if (groups) {
			quoted_opt(&mod, "-aG", groups);
			op_why(b, op, "groups + %s", groups);
		}
		if (mod.len) {
			buf_fmt(&c, "usermod%s -- ", buf_text(&mod));
			buf_quote(&c, d->name);
		}
		const char *keys = missing_keys(b->a, d->keys, text);
		if (keys) {
			if (!c.len)
				buf_ch(&c, ':');
			add_keys(b, op, &c, keys);
			op_why(b, op, "authorized keys");
		}
	}
	op->found_text = buf_text(&c);
	op->state = c.len ? OP_QUEUED : OP_OK;
	return true;
}

static void user_apply(struct batch *b, struct script *s, struct op *op)
{
	const char *code = op->found_text, *keys = strstr(code, "$P/KEYS");

	if (keys)
		code = arena_fmt(b->a, "%.*s$P/%zu%s", (int)(keys - code), code, script_input(s, op->text, op->text_len), keys + 7);
	script_step(s, arena_fmt(b->a, "a%u", op->index), code, op->flags & PIG_SOFT);
}

const struct op_kind op_user = {
	.name = "user", .disturbs = D_USER, .sensitive = D_PACKAGE | D_RUN,
	.probe = user_probe, .decide = user_decide, .apply = user_apply,
};

/* ---- groups ---- */

static void group_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	struct buf c = BUF(b->a);

	buf_str(&c, "getent group --");
	for (size_t i = 0; i < n; i++) {
		buf_ch(&c, ' ');
		buf_quote(&c, ops[i]->d.group.name);
	}
	buf_str(&c, "; :");
	script_section(s, "group", buf_text(&c));
}

static bool group_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct pig_group *d = &op->d.group;
	const struct section *sec = sections_get(&b->found, "group");
	struct buf c = BUF(b->a);
	const char *found = NULL;

	(void)e;
	for (int i = 0; sec && !found; i++) {
		const char *line = line_at(b->a, sec->out, i);
		if (!*line)
			break;
		if (!strcmp(colon_field(b->a, line, 0), d->name))
			found = line;
	}
	if (d->state == PIG_ABSENT) {
		if (found) {
			buf_str(&c, "groupdel -- ");
			op_why(b, op, "remove");
		}
	} else if (!found) {
		buf_str(&c, "groupadd");
		if (d->gid)
			buf_fmt(&c, " -g %d", d->gid);
		buf_str(&c, " -- ");
		op_why(b, op, "new");
	} else if (d->gid && strtol(colon_field(b->a, found, 2), NULL, 10) != d->gid) {
		buf_fmt(&c, "groupmod -g %d -- ", d->gid);
		op_why(b, op, "gid %s -> %d", colon_field(b->a, found, 2), d->gid);
	}
	if (c.len)
		buf_quote(&c, d->name);
	op->found_text = buf_text(&c);
	op->state = c.len ? OP_QUEUED : OP_OK;
	return true;
}

static void group_apply(struct batch *b, struct script *s, struct op *op)
{
	script_step(s, arena_fmt(b->a, "a%u", op->index), op->found_text, op->flags & PIG_SOFT);
}

const struct op_kind op_group = {
	.name = "group", .disturbs = D_USER, .sensitive = D_PACKAGE | D_RUN,
	.probe = group_probe, .decide = group_decide, .apply = group_apply,
};
