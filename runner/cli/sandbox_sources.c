/*
 * The apt sources of the image: the machine's own, in both of apt's formats, but only those of the machine's own
 * release (other vendors' repositories are nothing a bare node would have). Nothing about any registry is known here.
 */
#include "cli/sandbox_in.h"

#include <stdio.h>
#include <string.h>

/* "bookworm" is of the release, and so are "bookworm-updates" and "bookworm/updates". */
static bool of_release(const char *suite, const char *codename)
{
	size_t n = strlen(codename);

	return !strncmp(suite, codename, n) && (!suite[n] || strchr("-/", suite[n]));
}

static const char *os_release(const struct sandbox *s, const char *key)
{
	struct buf b = BUF(s->a);
	char *line, *rest;
	size_t n = strlen(key);

	if (!os_read(&b, "/etc/os-release", 0, NULL) || !b.len)
		return "";
	for (line = strtok_r(b.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, key, n) || line[n] != '=')
			continue;
		char *value = line + n + 1;
		value += *value == '"';
		value[strcspn(value, "\"")] = 0;
		return value;
	}
	return "";
}

/* One-line form: "deb [options] uri suite components". */
static void add_list(const struct sandbox *s, struct sandbox_sources *out, char *text)
{
	char *line, *rest;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line += strspn(line, " \t");
		if (strncmp(line, "deb ", 4) && strncmp(line, "deb\t", 4))
			continue;
		const char *p = line + 4 + strspn(line + 4, " \t");
		if (*p == '[')
			p += strcspn(p, "]") + (strchr(p, ']') ? 1 : 0);
		p += strspn(p, " \t");
		p += strcspn(p, " \t");
		p += strspn(p, " \t");
		if (of_release(arena_strn(s->a, p, strcspn(p, " \t")), out->codename))
			buf_fmt(&out->list, "%s\n", line);
	}
}

/* What follows the field's name (given with its colon) in a deb822 line, or NULL when the line is another field's. */
static const char *field(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) ? NULL : line + n;
}

/* One paragraph; lines that begin with # are gone already. */
static void add_paragraph(const struct sandbox *s, struct sandbox_sources *out, const char *text)
{
	char *copy = arena_str(s->a, text), *line, *rest, *word, *in;
	bool binary = false, on = true, release = false;

	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *types = field(line, "types:"), *suites = field(line, "suites:"),
			   *enabled = field(line, "enabled:");
		char *words = arena_str(s->a, types ? types : suites ? suites : enabled ? enabled : "");
		for (word = strtok_r(words, " \t", &in); word; word = strtok_r(NULL, " \t", &in)) {
			binary |= types && !strcmp(word, "deb");
			on &= !enabled || strcasecmp(word, "no");
			release |= suites && of_release(word, out->codename);
		}
	}
	if (binary && on && release)
		buf_fmt(&out->deb822, "%s\n", text);
}

static void add_deb822(const struct sandbox *s, struct sandbox_sources *out, const char *text)
{
	struct buf one = BUF(s->a);

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		if (!n || strspn(p, " \t\r") == n) {
			add_paragraph(s, out, buf_text(&one));
			buf_reset(&one);
		} else if (*p != '#') {
			buf_add(&one, p, n);
			buf_ch(&one, '\n');
		}
		p += n + (p[n] == '\n');
	}
	add_paragraph(s, out, buf_text(&one));
}

/* How this machine reaches its sources (a proxy, say) is apt configuration too. */
static bool add_options(const struct sandbox *s, struct sandbox_sources *out, struct err *e)
{
	struct buf b = BUF(s->a);
	char *line, *rest;
	size_t n = 0, cap = 64;

	out->options = arena_new_of(s->a, const char *, cap + 1);
	if (!sandbox_run(s, &b, e, "apt-config", "dump", NULL) || !b.len)
		return false;
	for (line = strtok_r(b.p, "\n", &rest); line && n < cap; line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, "Acquire::", 9) && !strstr(line, "\"\"") &&
		    (strstr(line, "::Proxy") || strstr(line, "::http") || strstr(line, "::Retries") ||
		     strstr(line, "Check-Valid")))
			out->options[n++] = arena_fmt(s->a, "--aptopt=%s", line);
	return true;
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && !strcmp(s + n - m, tail);
}

bool sandbox_sources_read(const struct sandbox *s, struct sandbox_sources *out, struct err *e)
{
	const char *dir = "/etc/apt/sources.list.d";
	size_t n;
	char **names = sandbox_names(s->a, dir, &n);
	struct buf main = BUF(s->a);

	*out = (struct sandbox_sources){.codename = os_release(s, "VERSION_CODENAME")};
	out->list = BUF(s->a);
	out->deb822 = BUF(s->a);
	if (strcmp(os_release(s, "ID"), "debian") || !*out->codename) {
		fail(e, E_INPUT, "this machine does not run Debian, so its apt sources cannot make a Debian node");
		return err_hint(e, "run pig sandbox on Debian 12");
	}
	if (os_read(&main, "/etc/apt/sources.list", 0, NULL) && main.len)
		add_list(s, out, main.p);
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF(s->a);
		if (!os_read(&b, os_join(s->a, dir, names[i]), 0, NULL) || !b.len)
			continue;
		if (ends_with(names[i], ".list"))
			add_list(s, out, b.p);
		else if (ends_with(names[i], ".sources"))
			add_deb822(s, out, b.p);
	}
	if (!out->list.len && !out->deb822.len) {
		fail(e, E_INPUT, "this machine has no apt source of its own release \"%s\"", out->codename);
		return err_hint(e, "see /etc/apt/sources.list and %s", dir);
	}
	return add_options(s, out, e);
}
