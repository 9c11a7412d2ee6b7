/* Kernel settings: live, and in one file of pig's for the next boot. */
#include "ops/batch.h"

#include <string.h>

#define SYSCTL_FILE "/etc/sysctl.d/90-pig.conf"

static const char *proc_path(struct arena *a, const char *key)
{
	char *p = arena_fmt(a, "/proc/sys/%s", key);

	for (char *c = p + 10; *c; c++) /* "net.ipv4.conf.eth0/1.x": a dot divides, a slash stands for a dot */
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return p;
}

static void sysctl_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	struct buf c = BUF(b->a);

	for (size_t i = 0; i < n; i++) {
		struct buf q = BUF(b->a);
		buf_quote(&q, proc_path(b->a, ops[i]->d.sysctl.key));
		/* not the shell's read: it asks for a byte at a time, and the kernel answers numbers by their first digit then */
		buf_fmt(&c, "head -n 1 -- %s 2>/dev/null || echo\n", buf_text(&q));
	}
	buf_str(&c, "echo =; cat " SYSCTL_FILE " 2>/dev/null; :");
	script_section(s, "sysctl", buf_text(&c));
	for (size_t i = 0; i < n; i++)
		ops[i]->todo = (uint32_t)i; /* line of the answer */
}

static const char *squeezed(struct arena *a, const char *s, size_t n)
{
	struct buf b = BUF(a);

	for (size_t i = 0; i < n; i++) {
		bool blank = s[i] == ' ' || s[i] == '\t';
		if (!blank)
			buf_ch(&b, s[i]);
		else if (b.len && b.p[b.len - 1] != ' ')
			buf_ch(&b, ' ');
	}
	while (b.len && b.p[b.len - 1] == ' ')
		b.p[--b.len] = 0;
	return buf_text(&b);
}

static bool sysctl_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct pig_sysctl *d = &op->d.sysctl;
	const struct section *sec = sections_get(&b->found, "sysctl");
	const char *p = sec ? sec->out : "", *want = squeezed(b->a, d->value, strlen(d->value));

	(void)e;
	for (uint32_t i = 0; i < op->todo && *p; i++) {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	const char *live = squeezed(b->a, p, strcspn(p, "\n"));
	const char *file = sec ? strstr(sec->out, "=\n") : NULL, *line = arena_fmt(b->a, "\n%s = %s\n", d->key, want);
	bool kept = file && strstr(arena_fmt(b->a, "%s\n", file + 1), line);
	bool same = !strcmp(live, want);
	op->found_text = same ? "same" : "differs";
	op->state = same && kept ? OP_OK : OP_QUEUED;
	if (!same)
		op_why(b, op, "%s -> %s", *live ? live : "unset", want);
	else if (!kept)
		op_why(b, op, "keep over a boot");
	return true;
}

static void sysctl_apply(struct batch *b, struct script *s, struct op *op)
{
	const struct pig_sysctl *d = &op->d.sysctl;
	const char *want = squeezed(b->a, d->value, strlen(d->value));
	struct buf c = BUF(b->a), q = BUF(b->a), l = BUF(b->a), k = BUF(b->a);

	buf_quote(&q, proc_path(b->a, d->key));
	buf_quote(&l, arena_fmt(b->a, "%s = %s", d->key, want));
	buf_quote(&k, d->key);
	if (!strcmp(op->found_text, "differs")) {
		struct buf w = BUF(b->a);
		buf_quote(&w, want);
		buf_fmt(&c, "printf '%%s\\n' %s >%s || exit 1\n", buf_text(&w), buf_text(&q));
	}
	buf_fmt(&c, "f=" SYSCTL_FILE "; { while read -r a r; do [ \"$a\" = %s ] || printf '%%s %%s\\n' \"$a\" \"$r\"; done <$f; } 2>/dev/null >$f.pig\n"
		"printf '%%s\\n' %s >>$f.pig && mv -f $f.pig $f", buf_text(&k), buf_text(&l));
	script_step(s, arena_fmt(b->a, "a%u", op->index), buf_text(&c), op->flags & PIG_SOFT);
}

const struct op_kind op_sysctl = {
	.name = "sysctl", .disturbs = 0, .sensitive = D_RUN,
	.probe = sysctl_probe, .decide = sysctl_decide, .apply = sysctl_apply,
};
