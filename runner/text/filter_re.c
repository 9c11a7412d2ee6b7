/* Filters and tests with regular expressions. */
#include "text/regex.h"
#include "text/rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static unsigned flags(struct call *k, unsigned nocase, unsigned lines)
{
	return (call_bool(k, nocase, false) ? REGEX_NOCASE : 0u) | (call_bool(k, lines, false) ? REGEX_LINES : 0u);
}

static struct value *group(struct call *k, const char *s, struct regex_group g, struct value *none)
{
	return g.set ? value_strn(k->c->a, s + g.from, g.to - g.from) : none;
}

/* Groups are asked for as '\\1' or '\\g<name>'. */
static int group_of(struct call *k, const struct regex *r, const struct value *v)
{
	const char *s = value_cstr(v, "");
	int n = -1;

	if (s[0] == '\\' && isdigit((unsigned char)s[1]))
		n = (int)strtol(s + 1, NULL, 10);
	else if (!strncmp(s, "\\g<", 3) && isdigit((unsigned char)s[3]))
		n = (int)strtol(s + 3, NULL, 10);
	else if (!strncmp(s, "\\g<", 3) && strlen(s) > 4)
		n = regex_named(r, arena_strn(k->c->a, s + 3, strlen(s) - 4));
	else
		call_fail(k, "a group is named as '\\\\1' or '\\\\g<name>', not \"%s\"", s);
	if (n < 0 || (uint32_t)n > regex_groups(r)) {
		call_fail(k, "the regex has no group \"%s\"", s);
		return -1;
	}
	return n;
}

struct value *filter_regex_search(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n);
	struct regex_group *groups;
	struct value *list = value_list(k->c->a);
	uint32_t count;
	unsigned how = 0;
	struct regex *r;

	for (uint32_t i = 0; i < k->nkw; i++) {
		bool nocase = !strcmp(k->kw_names[i], "ignorecase");

		if (!nocase && strcmp(k->kw_names[i], "multiline"))
			return call_fail(k, "it has no argument \"%s\"", k->kw_names[i]);
		if (op_truth(k->kw_vals[i]))
			how |= nocase ? REGEX_NOCASE : REGEX_LINES;
	}
	r = regex_new(k, call_str(k, 0, ""), how);
	for (uint32_t i = 0; r && i < k->nmore; i++) {
		if (group_of(k, r, k->more[i]) < 0)
			return NULL;
	}
	if (!r || !regex_next(k, r, s, n, 0, &groups, &count))
		return value_null(k->c->a);
	if (!k->nmore)
		return group(k, s, groups[0], NULL);
	for (uint32_t i = 0; i < k->nmore; i++) {
		value_push(k->c->a, list, group(k, s, groups[group_of(k, r, k->more[i])], value_null(k->c->a)));
	}
	return list;
}

struct value *filter_regex_findall(struct call *k)
{
	size_t n, at = 0;
	const char *s = call_in(k, &n);
	struct regex *r = regex_new(k, call_str(k, 0, ""), flags(k, 2, 1));
	struct value *list = value_list(k->c->a), *empty = value_str(k->c->a, "");
	struct regex_group *g;
	uint32_t count;

	while (r && regex_next(k, r, s, n, at, &g, &count)) {
		struct value *v = group(k, s, g[count == 2 ? 1 : 0], empty);

		if (count > 2) {
			v = value_list(k->c->a);
			v->flags |= V_TUPLE;
			for (uint32_t i = 1; i < count; i++)
				value_push(k->c->a, v, group(k, s, g[i], empty));
		}
		value_push(k->c->a, list, v);
		at = g[0].to > g[0].from ? g[0].to : g[0].to < n ? utf8_next(s, n, g[0].to, NULL) : n + 1;
	}
	return list;
}

/* The replacement with its \1, \g<1> and \g<name> filled in. */
static bool expand(struct call *k, struct buf *b, const struct regex *r, const char *s, const struct regex_group *g,
		   const char *with)
{
	for (; *with; with++) {
		int n = -1;

		if (*with != '\\') {
			buf_ch(b, *with);
			continue;
		}
		if (!*++with)
			return call_fail(k, "the replacement ends in a backslash");
		if (isdigit((unsigned char)*with)) {
			n = *with - '0';
			if (n && isdigit((unsigned char)with[1]))
				n = n * 10 + *++with - '0';
		} else if (with[0] == 'g' && with[1] == '<') {
			size_t len = strcspn(with + 2, ">");
			const char *name = arena_strn(k->c->a, with + 2, len);

			if (!with[2 + len])
				return call_fail(k, "the replacement lacks a \">\"");
			n = isdigit((unsigned char)*name) ? (int)strtol(name, NULL, 10) : regex_named(r, name);
			with += 2 + len;
		} else {
			static const char escapes[] = "n\nt\tr\ra\ab\bf\fv\v";
			const char *hit = strchr(escapes, *with);

			if (isalpha((unsigned char)*with) && !hit)
				return call_fail(k, "the replacement has a bad escape \"\\%c\"", *with);
			if (*with != '\\' && !isalpha((unsigned char)*with))
				buf_ch(b, '\\');
			buf_ch(b, isalpha((unsigned char)*with) ? hit[1] : *with);
			continue;
		}
		if (n < 0 || (uint32_t)n > regex_groups(r))
			return call_fail(k, "the replacement names a group that the regex does not have");
		if (g[n].set)
			buf_add(b, s + g[n].from, g[n].to - g[n].from);
	}
	return true;
}

struct value *filter_regex_replace(struct call *k)
{
	size_t n, at = 0, done = 0;
	const char *s = call_in(k, &n), *with = call_str(k, 1, "");
	struct regex *r = regex_new(k, call_str(k, 0, ""), flags(k, 2, 3));
	int64_t left = call_int(k, 4, 0);
	struct buf b = BUF(k->c->a);
	struct regex_group *g;
	uint32_t count;

	if (left <= 0)
		left = INT64_MAX;
	/* a replacement that is wrong is so even when nothing matches */
	if (!r || !expand(k, &b, r, s, arena_new_of(k->c->a, struct regex_group, regex_groups(r) + 1), with))
		return NULL;
	buf_reset(&b);
	while (left-- && regex_next(k, r, s, n, at, &g, &count)) {
		buf_add(&b, s + done, g[0].from - done);
		if (!expand(k, &b, r, s, g, with) || !call_room(k, b.len))
			return NULL;
		done = g[0].to;
		at = g[0].to > g[0].from ? g[0].to : g[0].to < n ? utf8_next(s, n, g[0].to, NULL) : n + 1;
	}
	buf_add(&b, s + done, n - done);
	return op_buf(k->c, &b);
}

/* As Python's re.escape; posix_basic leaves what is plain there. */
struct value *filter_regex_escape(struct call *k)
{
	size_t n;
	const char *s = call_in(k, &n), *type = call_str(k, 0, "python");
	const char *special = !strcmp(type, "posix_basic") ? "].[^$*\\" : "()[]{}?*+-|^$\\.&~# \t\n\r\v\f";
	struct buf b = BUF(k->c->a);

	if (strcmp(type, "python") && strcmp(type, "posix_basic"))
		return call_fail(k, "re_type is python or posix_basic, not \"%s\"", type);
	for (size_t i = 0; i < n; i++) {
		if (s[i] && strchr(special, s[i]))
			buf_ch(&b, '\\');
		buf_ch(&b, s[i]);
	}
	return op_buf(k->c, &b);
}

enum how { ANYWHERE, AT_START, WHOLE };

static struct value *matches(struct call *k, enum how how)
{
	size_t n;
	const char *s = call_in(k, &n), *pattern = call_str(k, 0, "");
	struct regex_group *g;
	uint32_t count;
	struct regex *r;

	if (how == WHOLE)
		pattern = arena_fmt(k->c->a, "\\A(?:%s)\\z", pattern);
	else if (how == AT_START)
		pattern = arena_fmt(k->c->a, "\\A(?:%s)", pattern);
	r = regex_new(k, pattern, flags(k, 1, 2));
	return r ? value_bool(k->c->a, regex_next(k, r, s, n, 0, &g, &count)) : NULL;
}

struct value *test_match(struct call *k) { return matches(k, AT_START); }
struct value *test_search(struct call *k) { return matches(k, ANYWHERE); }

struct value *test_regex(struct call *k)
{
	const char *type = call_str(k, 3, "search");

	if (!strcmp(type, "search"))
		return matches(k, ANYWHERE);
	if (!strcmp(type, "match"))
		return matches(k, AT_START);
	if (!strcmp(type, "fullmatch"))
		return matches(k, WHOLE);
	return call_fail(k, "match_type is search, match or fullmatch, not \"%s\"", type);
}
