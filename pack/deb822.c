/*
 * Control files: paragraphs of `Field: value`, as Debian's indexes are. Only what a package index needs: its texts stay
 * where they are, fields are looked for when they are asked for.
 */
#include "pack.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *field_of(struct arena *a, const char *stanza, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = stanza; *p;) {
		size_t len = strcspn(p, "\n");
		if (len > n && !strncasecmp(p, name, n) && p[n] == ':') {
			const char *v = p + n + 1, *end = p + len;
			while (v < end && (*v == ' ' || *v == '\t'))
				v++;
			while (end > v && isspace((unsigned char)end[-1]))
				end--;
			return arena_strn(a, v, (size_t)(end - v));
		}
		p += len + (p[len] == '\n');
	}
	return NULL;
}

static bool is_digest(const char *s)
{
	return s && strlen(s) == SHA_HEX && strspn(s, "0123456789abcdef") == SHA_HEX;
}

/* Where a line's value begins. */
static const char *value_in(const char *line, size_t colon, size_t len)
{
	const char *v = line + colon + 1, *end = line + len;

	while (v < end && (*v == ' ' || *v == '\t'))
		v++;
	return v;
}

/* What is wanted of a paragraph, in one go over its lines: an index has 60,000 of them. */
static void fields(struct deb *d, const char **size, struct arena *a, char *s)
{
	const struct { const char *name; const char **to; } wanted[] = {
		{ "Package", &d->package }, { "Version", &d->version }, { "Architecture", &d->arch }, { "SHA256", &d->sha256 },
		{ "Filename", &d->file },   { "Size", size },
	};

	for (char *p = s; *p;) {
		char *nl = strchr(p, '\n');
		size_t len = nl ? (size_t)(nl - p) : strlen(p);
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
			size_t n = strlen(wanted[i].name);
			if (*p != *wanted[i].name || len <= n || p[n] != ':' || memcmp(p, wanted[i].name, n) != 0)
				continue;
			const char *v = value_in(p, n, len);
			*wanted[i].to = arena_strn(a, v, (size_t)(p + len - v));
			break;
		}
		p += len + (nl != NULL);
	}
}

static bool paragraph(struct map *out, struct map *names, struct arena *a, char *s, struct err *e)
{
	struct deb *d = arena_get(a, sizeof *d);
	const char *size = NULL;

	fields(d, &size, a, s);
	d->stanza = s;
	if (!d->package || !d->version || !d->arch || !d->file || !size || !is_digest(d->sha256))
		return fail(e, E_INPUT, "package \"%s\" of an index has no SHA256, Size or Filename", d->package ? d->package : "?");
	d->size = strtoll(size, NULL, 10);
	const char *key = arena_fmt(a, "%s %s %s", d->package, d->version, d->arch);
	if (!map_has(out, key))
		map_put(out, key, d);
	map_put(names, d->package, d);
	return true;
}

bool index_read(struct map *out, struct map *names, struct arena *a, char *text, struct err *e)
{
	for (char *p = text; *p;) {
		char *end = strstr(p, "\n\n"), *next = end ? end + 1 : p + strlen(p);
		if (end)
			end[1] = 0;
		if (strspn(p, "\n") != strlen(p) && !paragraph(out, names, a, p, e))
			return false;
		p = next + (end ? strspn(next + 1, "\n") + 1 : 0);
	}
	return true;
}
