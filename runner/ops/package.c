/*
 * Packages, by the host's own package manager. A name may be an alias of a module's; "a | b + c" is the first alternative that is
 * installed, else the first that the host's repos know whole. Distribution names stand here and nowhere else in the runner.
 */
#include "ops/batch.h"

#include <string.h>

struct alternative { const char **names; size_t n; };
struct wanted { const char *text; struct alternative *alts; size_t n; };

static const char *trimmed(struct arena *a, const char *s, size_t n)
{
	while (n && strchr(" \t\n", *s))
		s++, n--;
	while (n && strchr(" \t\n", s[n - 1]))
		n--;
	return arena_strn(a, s, n);
}

/* "b + c" */
static struct alternative alternative_parse(struct arena *a, const char *text)
{
	struct alternative alt = { arena_new_of(a, const char *, strlen(text) / 2 + 2), 0 };

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "+ ");
		if (n)
			alt.names[alt.n++] = arena_strn(a, p, n);
		p += n + (p[n] != 0);
	}
	return alt;
}

static struct wanted wanted_parse(struct batch *b, const char *text)
{
	const char *full = b->alias && !strchr(text, '|') && !strchr(text, '+') ? b->alias(b->ctx, text) : NULL;
	struct wanted w = { .text = text };

	full = full ? full : text;
	w.alts = arena_new_of(b->a, struct alternative, strlen(full) + 1);
	for (const char *p = full; *p;) {
		size_t n = strcspn(p, "|");
		struct alternative alt = alternative_parse(b->a, trimmed(b->a, p, n));
		if (alt.n)
			w.alts[w.n++] = alt;
		p += n + (p[n] != 0);
	}
	return w;
}

/* Items are divided by blanks and commas; blanks around | and + belong to the item. */
static size_t items_parse(struct batch *b, const char *names, struct wanted **out)
{
	size_t n = 0, len = strlen(names);
	struct wanted *list = arena_new_of(b->a, struct wanted, len / 2 + 2);

	for (size_t i = 0; i < len;) {
		struct buf item = BUF(b->a);
		while (i < len && strchr(" ,\n\t", names[i]))
			i++;
		while (i < len) {
			size_t j = i;
			while (j < len && strchr(" \t\n", names[j]))
				j++;
			bool joins = j < len && (names[j] == '|' || names[j] == '+');
			bool joined = item.len && (item.p[item.len - 1] == '|' || item.p[item.len - 1] == '+');
			if (joins || joined)
				i = j;
			else if (j > i || names[i] == ',')
				break;
			if (i < len)
				buf_ch(&item, names[i++]);
		}
		if (item.len)
			list[n++] = wanted_parse(b, buf_text(&item));
	}
	*out = list;
	return n;
}

static bool is_rpm(const struct batch *b)
{
	return b->os_package && !strcmp(b->os_package, "rpm");
}

static void package_probe(struct batch *b, struct script *s, struct op **ops, size_t n)
{
	struct buf c = BUF(b->a);

	buf_str(&c, is_rpm(b) ? "rpm -q --qf '%{NAME} installed\\n'" : "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'");
	for (size_t i = 0; i < n; i++) {
		struct wanted *w;
		size_t m = items_parse(b, ops[i]->d.package.names, &w);
		for (size_t j = 0; j < m; j++)
			for (size_t k = 0; k < w[j].n; k++)
				for (size_t l = 0; l < w[j].alts[k].n; l++) {
					buf_ch(&c, ' ');
					buf_quote(&c, w[j].alts[k].names[l]);
				}
	}
	buf_str(&c, " 2>/dev/null; :");
	script_section(s, "package", buf_text(&c));
}

static bool installed(struct arena *a, const char *answer, const char *name)
{
	const char *line = arena_fmt(a, "%s installed", name);
	size_t n = strlen(line);

	for (const char *p = answer; *p;) {
		size_t len = strcspn(p, "\n");
		if (len == n && !memcmp(p, line, n))
			return true;
		p += len + (p[len] == '\n');
	}
	return false;
}

static bool whole(struct arena *a, const char *answer, const struct alternative *alt)
{
	for (size_t i = 0; i < alt->n; i++)
		if (!installed(a, answer, alt->names[i]))
			return false;
	return true;
}

/* Shell words for what is missing: one `pick` call an item; see package_apply. */
static bool package_decide(struct batch *b, struct op *op, struct err *e)
{
	const struct section *sec = sections_get(&b->found, "package");
	const char *answer = sec ? sec->out : "";
	struct buf lack = BUF(b->a), calls = BUF(b->a);
	struct wanted *w;
	size_t m = items_parse(b, op->d.package.names, &w);
	bool absent = op->d.package.state == PIG_ABSENT;

	(void)e;
	for (size_t i = 0; i < m; i++) {
		bool has = false;
		for (size_t k = 0; k < w[i].n && !has; k++)
			has = whole(b->a, answer, &w[i].alts[k]);
		if (has != absent)
			continue;
		buf_fmt(&lack, "%s%s", lack.len ? " " : "", w[i].text);
		buf_str(&calls, "pick ");
		buf_quote(&calls, w[i].text);
		for (size_t k = 0; k < w[i].n; k++) {
			struct buf alt = BUF(b->a);
			for (size_t l = 0; l < w[i].alts[k].n; l++)
				if (!absent || installed(b->a, answer, w[i].alts[k].names[l]))
					buf_fmt(&alt, "%s%s", alt.len ? " " : "", w[i].alts[k].names[l]);
			if (!alt.len) /* nothing of it to remove */
				continue;
			buf_ch(&calls, ' ');
			buf_quote(&calls, buf_text(&alt));
		}
		buf_str(&calls, " || exit\n");
	}
	op->found_text = buf_text(&calls);
	op->state = lack.len ? OP_QUEUED : OP_OK;
	if (lack.len)
		op_why(b, op, "%s %s", absent ? "remove" : "install", buf_text(&lack));
	return true;
}

static void package_apply(struct batch *b, struct script *s, struct op *op)
{
	struct buf c = BUF(b->a);
	bool rpm = is_rpm(b), absent = op->d.package.state == PIG_ABSENT;

	/* pick ITEM ALTERNATIVE...: the first that the repos know whole is added to $l. Of a name that packages are merely related
	 * to, apt-cache shows nothing and has status 0. */
	buf_fmt(&c, "l=; pick() { w=$1; shift; for x; do k=1; for y in $x; do %s || k=; done; [ -z \"$k\" ] || { l=\"$l $x\"; return 0; }; done\n"
		"echo \"package $w: the host's repos know none of: $*\" >&2; return 100; }\n",
		absent ? ":" : rpm ? "dnf -q list --available \"$y\" >/dev/null 2>&1" : "apt-cache show -- \"$y\" 2>/dev/null | grep -q .");
	buf_str(&c, op->found_text);
	if (rpm)
		buf_fmt(&c, "dnf -y -q %s $l </dev/null", absent ? "remove" : "install");
	else
		buf_fmt(&c, "export DEBIAN_FRONTEND=noninteractive SYSTEMCTL_SKIP_SYSV=1\n"
			"apt-get -y -q -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold %s $l </dev/null",
			absent ? "remove" : "install");
	s->limit_s += 600;
	script_step(s, arena_fmt(b->a, "a%u", op->index), buf_text(&c), op->flags & PIG_SOFT);
}

static bool package_done(struct batch *b, struct op *op, const struct section *sec, struct err *e)
{
	if (sec->status == 0)
		return true;
	if (sec->status == 100 && sec->errs && strstr(sec->errs, "repos know none of")) {
		fail(e, E_REMOTE, "%s", trimmed(b->a, sec->errs, strcspn(sec->errs, "\n")));
		err_hint(e, "Add a repo that has one of them, or name another package.");
		return false;
	}
	return fail(e, E_REMOTE, "%s: the package manager failed with status %d", op->title, sec->status),
	       err_detail(e, "%s", sec->errs ? sec->errs : "");
}

const struct op_kind op_package = {
	.name = "package", .disturbs = D_PACKAGE, .sensitive = D_RUN,
	.probe = package_probe, .decide = package_decide, .apply = package_apply, .done = package_done,
};
