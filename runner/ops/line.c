/*
 * A line or a marked block in a file that others own too. The content is fetched, the new content is made here, and what is sent back
 * is the whole file, so that diff and check mode are exact. Several such operations on one file build on each other.
 */
#include "ops/batch.h"
#include "base/os.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

static void line_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool seen = false;
		for (size_t j = 0; j < i; j++)
			seen |= !strcmp(ops[j]->d.line.path, ops[i]->d.line.path);
		if (seen)
			continue;
		struct buf c = BUF(b->a), q = BUF(b->a);
		buf_quote(&q, ops[i]->d.line.path);
		buf_fmt(&c, "stat -L -c '%%a %%u %%g' -- %s 2>/dev/null || exit 0; cat -- %s; printf x", buf_text(&q), buf_text(&q));
		script_section(s, arena_fmt(b->a, "c%.16s", op_sum(b->a, ops[i]->d.line.path, strlen(ops[i]->d.line.path))), buf_text(&c));
	}
}

/* The present content: what an earlier operation of this batch makes of it, else what is on the host. */
static bool line_content(struct batch *b, struct op *op, const char **text, size_t *len)
{
	for (size_t i = op->index; i-- > 0;) {
		const struct op *o = b->ops[i];
		const char *path = o->kind == &op_line ? o->d.line.path : o->kind == &op_file ? o->d.file.path : NULL;
		if (path && o->text && !strcmp(path, op->d.line.path)) {
			*text = o->text;
			*len = o->text_len;
			op->found = o->found;
			op->found.exists = true;
			return true;
		}
	}
	const struct section *sec = sections_get(&b->found, arena_fmt(b->a, "c%.16s", op_sum(b->a, op->d.line.path, strlen(op->d.line.path))));
	*text = "";
	*len = 0;
	op->found.exists = sec && sec->len;
	if (!op->found.exists)
		return true;
	size_t head = strcspn(sec->out, "\n");
	char *meta = arena_strn(b->a, sec->out, head), *sp = strchr(meta, ' '), *sp2 = sp ? strchr(sp + 1, ' ') : NULL;
	if (!sp2 || sec->len < head + 2)
		return false;
	*sp = *sp2 = 0;
	op->found.uid = sp + 1;
	op->found.gid = sp2 + 1;
	op->found.target = meta; /* the mode, octal */
	*text = arena_strn(b->a, sec->out + head + 1, sec->len - head - 2);
	*len = sec->len - head - 2;
	return true;
}

struct matcher { pcre2_code *re; pcre2_match_data *md; const char *plain; };

static bool matcher_open(struct matcher *m, const char *match, struct err *e)
{
	int code;
	PCRE2_SIZE at;

	*m = (struct matcher){ 0 };
	m->re = pcre2_compile((PCRE2_SPTR)match, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
	if (!m->re)
		return fail(e, E_MODULE, "regular expression \"%s\" is wrong at character %zu", match, (size_t)at);
	m->md = pcre2_match_data_create_from_pattern(m->re, NULL);
	return true;
}

static void matcher_close(struct matcher *m)
{
	pcre2_match_data_free(m->md);
	pcre2_code_free(m->re);
}

static bool matches(const struct matcher *m, const char *line, size_t n, const char *exact)
{
	if (m->re)
		return pcre2_match(m->re, (PCRE2_SPTR)line, n, 0, 0, m->md, NULL) >= 0;
	return exact && strlen(exact) == n && !memcmp(line, exact, n);
}

/* Lines kept, replaced or dropped; the wanted line comes once, at the place of the first match, else at the end. */
static void edit_lines(struct buf *out, const char *text, const struct matcher *m, const char *line, bool present)
{
	bool put = false;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		bool same = line && strlen(line) == n && !memcmp(p, line, n);
		if (same || matches(m, p, n, line)) {
			if (present && !put) {
				buf_fmt(out, "%s\n", line);
				put = true;
			}
		} else {
			buf_add(out, p, n);
			buf_ch(out, '\n');
		}
		p += n + (p[n] == '\n');
	}
	if (present && !put)
		buf_fmt(out, "%s\n", line);
}

static void edit_block(struct arena *a, struct buf *out, const char *text, const char *name, const char *body, bool present)
{
	const char *begin = arena_fmt(a, "# BEGIN %s", name), *end = arena_fmt(a, "# END %s", name);
	bool in = false, put = false;
	struct buf block = BUF(a);

	size_t n = strlen(body);
	buf_fmt(&block, "%s\n%s%s%s\n", begin, body, n && body[n - 1] != '\n' ? "\n" : "", end);
	for (const char *p = text; *p;) {
		n = strcspn(p, "\n");
		const char *line = arena_strn(a, p, n);
		p += n + (p[n] == '\n');
		if (!strcmp(line, begin)) {
			in = true;
			if (present && !put)
				buf_str(out, buf_text(&block));
			put = true;
		} else if (in && !strcmp(line, end)) {
			in = false;
		} else if (!in) {
			buf_fmt(out, "%s\n", line);
		}
	}
	if (present && !put)
		buf_str(out, buf_text(&block));
}

static bool line_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct pig_line *d = &op->d.line;
	const char *text;
	size_t len;
	struct buf out = BUF(b->a);
	struct matcher m = { 0 };

	if (!line_content(b, op, &text, &len) || strlen(text) != len)
		return fail(e, E_REMOTE, "%s: is not a text file", op->title);
	if (d->block) {
		edit_block(b->a, &out, text, d->block, d->line ? d->line : "", d->state == PIG_PRESENT);
	} else {
		if (d->match && !matcher_open(&m, d->match, e))
			return false;
		edit_lines(&out, text, &m, d->line, d->state == PIG_PRESENT && d->line);
		matcher_close(&m);
	}
	op->old = text;
	op->old_len = len;
	op->text = buf_text(&out);
	op->text_len = out.len;
	if (out.len == len && !memcmp(op->text, text, len)) {
		op->state = OP_OK;
		return true;
	}
	op->state = OP_QUEUED;
	op_why(b, op, "%s", op->found.exists ? "content" : "new");
	return true;
}

static void line_apply(struct batch *b, struct script *s, struct op *op)
{
	const char *path = op->d.line.path, *tmp = arena_fmt(b->a, "%s/.%s.pig", os_dirname(b->a, path), os_basename(path));
	struct buf c = BUF(b->a), q = BUF(b->a), t = BUF(b->a);

	buf_quote(&q, path);
	buf_quote(&t, tmp);
	/* a link stays a link: what it names is rewritten in place of the link's own folder */
	buf_fmt(&c, "p=%s; [ ! -L \"$p\" ] || p=$(readlink -f -- \"$p\"); { install -D -m %s -o %s -g %s -T -- \"$P/%zu\" %s && mv -fT -- %s \"$p\"; } || { r=$?; rm -f -- %s; exit $r; }",
		buf_text(&q), op->found.target ? op->found.target : "0644", op->found.uid ? op->found.uid : "0", op->found.gid ? op->found.gid : "0",
		script_input(s, op->text, op->text_len), buf_text(&t), buf_text(&t), buf_text(&t));
	script_step(s, arena_fmt(b->a, "a%u", op->index), buf_text(&c), op->flags & PIG_SOFT);
}

const struct op_kind op_line = {
	.name = "line", .disturbs = D_FILE, .sensitive = D_PACKAGE | D_RUN,
	.probe = line_probe, .decide = line_decide, .apply = line_apply,
};
