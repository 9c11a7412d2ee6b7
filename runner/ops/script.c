/* Building a frame's script and taking its answer apart. Lengths are counted by the shell itself (LC_ALL=C: bytes), so no output can
 * pass for a section's head. */
#include "ops/script.h"

#include <stdlib.h>
#include <string.h>

void script_begin(struct script *s, struct arena *a)
{
	*s = (struct script){ .a = a, .text = BUF(a) };
	/* S id status: print a section from $o; E: standard error of a failed one, cut */
	buf_str(&s->text, "cd /; pe=$P/e; S() { printf '@%s %s %s\\n%s\\n' \"$1\" \"$2\" \"${#o}\" \"$o\"; [ \"$2\" = 0 ] || E \"$1\"; }\n"
			  "E() { o=$(tail -c 2000 \"$pe\" 2>/dev/null); printf '@!%s 0 %s\\n%s\\n' \"$1\" \"${#o}\" \"$o\"; }\n");
}

size_t script_input(struct script *s, const void *data, size_t len)
{
	if (s->n_inputs == s->cap_inputs) {
		size_t cap = s->cap_inputs ? s->cap_inputs * 2 : 8;
		struct script_input *more = arena_new_of(s->a, struct script_input, cap);
		if (s->n_inputs)
			memcpy(more, s->inputs, s->n_inputs * sizeof *more);
		s->inputs = more;
		s->cap_inputs = cap;
	}
	s->inputs[s->n_inputs] = (struct script_input){ data, len };
	return s->n_inputs++;
}

void script_raw(struct script *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&s->text, fmt, ap);
	va_end(ap);
}

void script_section(struct script *s, const char *id, const char *code)
{
	buf_fmt(&s->text, "o=$( { %s\n} 2>\"$pe\" </dev/null); S %s $?\n", code, id);
}

void script_step(struct script *s, const char *id, const char *code, bool soft)
{
	buf_fmt(&s->text, "o=$( { %s\n} 2>\"$P/e\" </dev/null); r=$?; S %s $r;%s\n", code, id, soft ? "" : " [ $r = 0 ] || exit 0");
}

void script_aside(struct script *s)
{
	buf_str(&s->text, "( pe=$P/f\n");
}

void script_aside_end(struct script *s)
{
	buf_str(&s->text, ") >\"$P/b\" &\nb=$!\n");
}

void script_join(struct script *s)
{
	buf_str(&s->text, "wait $b; cat \"$P/b\"\n");
}

/* "@id status length\n"; the length is bounded by what is left. */
static bool head_parse(struct arena *a, const char **at, const char *end, struct section *sec)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));
	char *rest;

	if (!nl || **at != '@')
		return false;
	const char *line = arena_strn(a, *at + 1, (size_t)(nl - *at - 1));
	const char *sp = strchr(line, ' ');
	if (!sp)
		return false;
	sec->id = arena_strn(a, line, (size_t)(sp - line));
	sec->status = (int)strtol(sp, &rest, 10);
	if (*rest != ' ')
		return false;
	unsigned long long n = strtoull(rest + 1, &rest, 10);
	if (*rest || n > (unsigned long long)(end - nl - 1))
		return false;
	sec->out = arena_strn(a, nl + 1, (size_t)n);
	sec->len = (size_t)n;
	*at = nl + 1 + n;
	if (*at < end && **at == '\n')
		++*at;
	return true;
}

bool sections_parse(struct sections *out, struct arena *a, const char *text, size_t len, struct err *e)
{
	const char *at = text, *end = text + len;
	size_t cap = 0;

	*out = (struct sections){ 0 };
	while (at < end) {
		struct section sec = { 0 };
		if (!head_parse(a, &at, end, &sec))
			return fail(e, E_REMOTE, "the host's answer makes no sense"), err_detail(e, "%.*s", (int)(end - at > 200 ? 200 : end - at), at);
		if (sec.id[0] == '!') { /* standard error of the section before */
			if (out->n)
				out->items[out->n - 1].errs = sec.out;
			continue;
		}
		if (out->n == cap) {
			cap = cap ? cap * 2 : 16;
			struct section *more = arena_new_of(a, struct section, cap);
			if (out->n)
				memcpy(more, out->items, out->n * sizeof *more);
			out->items = more;
		}
		out->items[out->n++] = sec;
	}
	return true;
}

const struct section *sections_get(const struct sections *ss, const char *id)
{
	for (size_t i = ss->n; i-- > 0;) /* the last answer wins: later probes replace earlier ones */
		if (!strcmp(ss->items[i].id, id))
			return &ss->items[i];
	return NULL;
}
