/*
 * Inventories in the INI form: [group] lists hosts with values behind them, [group:children] names groups, [group:vars]
 * gives values, and lines before the first section are hosts without a group. Words split as a shell does, values are
 * Python literals as in Ansible (inventory_literal.c).
 */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "model/inventory_build.h"

enum state { HOSTS, CHILDREN, VARS };

struct pending { enum state state; struct inv_group **parents; uint32_t n; struct origin at; };

struct ini {
	struct inv_build *b;
	const char *file, *line, *end; /* the present line, without its margins */
	uint32_t number, col;
	struct inv_group *group;
	enum state state;
	struct map pending; /* groups named as children or by :vars and not declared yet */
};

static struct origin place(const struct ini *i, const char *p)
{
	return (struct origin){ i->file, i->number, i->col + (uint32_t)(p - i->line) };
}

static bool fault(struct ini *i, const char *p, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool fault(struct ini *i, const char *p, const char *fmt, ...)
{
	char text[400];
	struct origin at = place(i, p);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail(i->b->e, E_INPUT, "%s", text);
	return err_at(i->b->e, at.file, at.line, at.col);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* Only spaces or a comment from p to the line's end? */
static bool is_rest(const struct ini *i, const char *p)
{
	while (p < i->end && is_space(*p))
		p++;
	return p == i->end || *p == '#';
}

/* The name from p on: no space, colon or bracket. */
static const char *name_end(const struct ini *i, const char *p)
{
	while (p < i->end && !is_space(*p) && *p != ':' && *p != ']')
		p++;
	return p;
}

/* ---- sections ---- */

static bool state_read(struct ini *i, const char *p, size_t n)
{
	static const char *const names[] = { [HOSTS] = "hosts", [CHILDREN] = "children", [VARS] = "vars" };
	const char *word = arena_strn(i->b->a, p, n);

	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		if (!strcmp(word, names[k])) {
			i->state = (enum state)k;
			return true;
		}
	}
	fault(i, p, "section kind \"%s\" is not known", word);
	const char *near = nearest(word, names, sizeof names / sizeof *names);
	return near ? err_hint(i->b->e, "Did you mean \"%s\"?", near)
		    : err_hint(i->b->e, "A section is [group], [group:children] or [group:vars].");
}

static bool section_read(struct ini *i)
{
	const char *name = i->line + 1, *p = name_end(i, name);
	struct inv_build *b = i->b;

	i->state = HOSTS;
	if (p == name)
		return fault(i, i->line, "a section has no name");
	const char *group = arena_strn(b->a, name, (size_t)(p - name));
	if (p < i->end && *p == ':') {
		const char *kind = ++p;
		p = name_end(i, kind);
		if (!state_read(i, kind, (size_t)(p - kind)))
			return false;
	}
	if (p == i->end || *p != ']' || !is_rest(i, p + 1)) {
		fault(i, i->line, "section \"%.*s\" is not well formed", (int)(i->end - i->line), i->line);
		return err_hint(b->e, "A section is [group], [group:children] or [group:vars], without spaces inside.");
	}

	struct pending *wait = map_get(&i->pending, group);
	if (i->state == VARS && !wait && !inventory_group(b->inv, group)) {
		wait = arena_new_of(b->a, struct pending, 1);
		wait->state = VARS;
		wait->at = place(i, name);
		map_put(&i->pending, group, wait);
	}
	i->group = inventory_add_group(b, group, place(i, name));
	if (wait && i->state != VARS) {
		for (uint32_t k = 0; k < wait->n; k++)
			inventory_add_child(b, wait->parents[k], i->group, wait->at);
		map_del(&i->pending, group);
	}
	return true;
}

static bool child_read(struct ini *i)
{
	const char *p = name_end(i, i->line);
	struct inv_build *b = i->b;

	if (p == i->line || !is_rest(i, p))
		return fault(i, i->line, "a group's name is expected here, not \"%.*s\"", (int)(i->end - i->line),
			i->line);

	const char *name = arena_strn(b->a, i->line, (size_t)(p - i->line));
	struct inv_group *child = inventory_group(b->inv, name);
	struct pending *wait = map_get(&i->pending, name);
	if (child) {
		inventory_add_child(b, i->group, child, place(i, i->line));
		return true;
	}
	if (!wait) {
		wait = arena_new_of(b->a, struct pending, 1);
		wait->state = CHILDREN;
		wait->at = place(i, i->line);
		map_put(&i->pending, name, wait);
	}
	wait->parents = inventory_grow(b->a, wait->parents, wait->n, sizeof *wait->parents);
	wait->parents[wait->n++] = i->group;
	return true;
}

static bool pending_check(struct ini *i)
{
	if (!i->pending.n)
		return true;

	const char *name = i->pending.items[0].key;
	const struct pending *wait = i->pending.items[0].val;
	if (wait->state == VARS)
		fail(i->b->e, E_INPUT, "section \"%s:vars\" is for a group that is not declared", name);
	else
		fail(i->b->e, E_INPUT, "group \"%s\" is named as a child and not declared", name);
	inventory_hint_name(i->b->inv, name, i->b->e);
	if (wait->state == VARS) /* the section itself made the group, so the name above would suggest itself */
		err_hint(i->b->e, "Declare it with a line [%s].", name);
	return err_at(i->b->e, wait->at.file, wait->at.line, wait->at.col);
}

/* ---- words and values ---- */

/*
 * The next word from *at on, as Python's shlex splits a line: quotes join, a backslash escapes outside quotes and
 * (before " and \) inside double ones, # begins a comment anywhere. NULL at the end of the line; *ok is false at an
 * open quote.
 */
static const char *word_read(struct ini *i, const char **at, const char **start, bool *ok)
{
	const char *p = *at;
	struct buf b = BUF(i->b->a);
	char quote = 0;
	bool cut = false;

	while (p < i->end && is_space(*p))
		p++;
	*start = p;
	if (p == i->end || *p == '#')
		return NULL;
	for (; p < i->end && (quote || (!is_space(*p) && *p != '#')); p++) {
		if (quote && *p == quote) {
			quote = 0;
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (*p == '\\' && quote != '\'') {
			if (++p == i->end) {
				cut = true;
				break;
			}
			if (quote && *p != '"' && *p != '\\')
				buf_ch(&b, '\\');
			buf_ch(&b, *p);
		} else {
			buf_ch(&b, *p);
		}
	}
	if (quote || cut) {
		*ok = fault(i, *start, cut ? "the line ends in a backslash" : "a quote is not closed");
		return NULL;
	}
	*at = p < i->end && *p == '#' ? i->end : p;
	return buf_text(&b);
}

static struct value *value_read(struct ini *i, const char *text, const char *p)
{
	return inventory_literal(i->b->a, text, strlen(text), place(i, p));
}

static bool host_read(struct ini *i)
{
	const char *at = i->line, *start, *pattern, *word;
	struct value *vars = value_map(i->b->a);
	bool ok = true;

	pattern = word_read(i, &at, &start, &ok);
	if (!pattern)
		return ok;
	size_t n = strlen(pattern);
	if (n && pattern[n - 1] == ':')
		return fault(i, start, "host \"%s\" ends in a colon, so a port is missing", pattern);
	if (!strcmp(pattern, "---"))
		return fault(i, start, "\"---\" begins a YAML file, and this is read as INI: name it .yml");
	while ((word = word_read(i, &at, &start, &ok))) {
		const char *eq = strchr(word, '=');
		if (!eq || eq == word) {
			fault(i, start, "\"%s\" behind host \"%s\" is not name=value", word, pattern);
			return err_hint(i->b->e, "One host a line; quote a value that holds spaces: name=\"a b\".");
		}
		const char *name = arena_strn(i->b->a, word, (size_t)(eq - word));
		value_put_at(i->b->a, vars, name, value_read(i, eq + 1, start), place(i, start));
	}
	return ok && inventory_add_pattern(i->b, pattern, i->group, vars, place(i, i->line));
}

static bool var_read(struct ini *i)
{
	const char *eq = memchr(i->line, '=', (size_t)(i->end - i->line)), *end = eq, *from;

	if (!eq || eq == i->line)
		return fault(i, i->line, "name=value is expected here, not \"%.*s\"", (int)(i->end - i->line), i->line);
	while (end > i->line && is_space(end[-1]))
		end--;
	for (from = eq + 1; from < i->end && is_space(*from); from++)
		;
	const char *name = arena_strn(i->b->a, i->line, (size_t)(end - i->line));
	struct value *v = inventory_literal(i->b->a, from, (size_t)(i->end - from), place(i, from));
	return inventory_set_group_var(i->b, i->group, name, v, place(i, i->line));
}

static bool line_read(struct ini *i)
{
	if (*i->line == '[' && memchr(i->line, ']', (size_t)(i->end - i->line))) {
		/* a range may begin a host's name: [a:c].example */
		const char *close = memchr(i->line, ']', (size_t)(i->end - i->line));
		if (is_rest(i, close + 1) || i->end[-1] == ']')
			return section_read(i);
	}
	if (i->state == HOSTS)
		return host_read(i);
	return i->state == CHILDREN ? child_read(i) : var_read(i);
}

bool inventory_read_ini(struct inv_build *b, const char *path, const char *text, size_t len)
{
	struct ini i = { .b = b, .file = path, .group = b->inv->groups[1], .pending = MAP(b->a) };
	const char *p = text, *end = text + len;

	if (memchr(text, 0, len)) {
		fail(b->e, E_INPUT, "inventory \"%s\" is not text", path);
		return err_at(b->e, path, 1, 1);
	}
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p)), *stop = eol ? eol : end;
		i.number++;
		i.line = p;
		i.end = stop;
		while (i.line < i.end && is_space(*i.line))
			i.line++;
		while (i.end > i.line && is_space(i.end[-1]))
			i.end--;
		i.col = (uint32_t)(i.line - p) + 1;
		if (i.line < i.end && *i.line != '#' && *i.line != ';' && !line_read(&i))
			return false;
		p = eol ? eol + 1 : end;
	}
	return pending_check(&i);
}
