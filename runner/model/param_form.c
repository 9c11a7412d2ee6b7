/*
 * Known forms of text, as parameter rows name them: port path ip cidr interval size name, "/regex/", "a|b". Empty text
 * is left to the caller: whether it may stand for "not set" is the row's business.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "model/param_int.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

struct known;
struct form {
	const char *text;
	const struct known *known;
	const char *const *choices;
	uint32_t n_choices;
	pcre2_code *re;
};
struct known {
	const char *name;
	bool (*match)(const char *s, size_t n);
	const char *want;
};

static bool is_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return n > 0;
}

static bool match_port(const char *s, size_t n)
{
	unsigned port = 0;

	if (!is_digits(s, n) || n > 5)
		return false;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (unsigned)(s[i] - '0');
	return port >= 1 && port <= 65535;
}

static bool match_path(const char *s, size_t n)
{
	if (s[0] != '/' && strncmp(s, "~/", 2))
		return false;
	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)s[i]))
			return false;
	return true;
}

static bool match_ip(const char *s, size_t n)
{
	unsigned char raw[16];

	return strlen(s) == n && (inet_pton(AF_INET, s, raw) == 1 || inet_pton(AF_INET6, s, raw) == 1);
}

/* An address alone is the network of itself. */
static bool match_cidr(const char *s, size_t n)
{
	const char *slash = memchr(s, '/', n);
	char head[64];
	unsigned bits = 0;

	if (!slash)
		return match_ip(s, n);
	size_t len = (size_t)(slash - s), tail = n - len - 1;
	if (len >= sizeof head || !is_digits(slash + 1, tail) || tail > 3)
		return false;
	memcpy(head, s, len);
	head[len] = '\0';
	for (size_t i = 0; i < tail; i++)
		bits = bits * 10 + (unsigned)(slash[1 + i] - '0');
	return match_ip(head, len) && bits <= (strchr(head, ':') ? 128u : 32u);
}

/* Numbers each with a unit, largest first by custom: "30d", "1h30m", "500ms"; a bare number leaves the unit to the
 * program. */
static bool match_interval(const char *s, size_t n)
{
	static const char *const units[] = { "ms", "us", "min", "s", "m", "h", "d", "w", "y", "M" };
	size_t i = 0;

	if (is_digits(s, n))
		return true;
	while (i < n) {
		size_t from = i, len = 0;
		while (i < n && isdigit((unsigned char)s[i]))
			i++;
		if (i == from)
			return false;
		for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
			size_t u = strlen(units[k]);
			if (u > len && u <= n - i && !memcmp(s + i, units[k], u))
				len = u;
		}
		if (!len)
			return false;
		i += len;
	}
	return n > 0;
}

/* A number, a fraction perhaps, and a unit: 64MB, 1.5 GiB, 10k. */
static bool match_size(const char *s, size_t n)
{
	size_t i = 0, from;

	while (i < n && isdigit((unsigned char)s[i]))
		i++;
	if (!i)
		return false;
	if (i < n && s[i] == '.') {
		from = ++i;
		while (i < n && isdigit((unsigned char)s[i]))
			i++;
		if (i == from)
			return false;
	}
	while (i < n && s[i] == ' ')
		i++;
	if (i < n && strchr("kKmMgGtTpP", s[i]))
		i += i + 1 < n && s[i + 1] == 'i' ? 2 : 1;
	if (i < n && (s[i] == 'B' || s[i] == 'b'))
		i++;
	return i == n;
}

static bool match_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && (!i || !strchr("-.", s[i])))
			return false;
	return n > 0;
}

static const struct known knowns[] = {
	{ "port", match_port, "a port from 1 to 65535" },
	{ "path", match_path, "an absolute path (or one under ~/)" },
	{ "ip", match_ip, "an IPv4 or IPv6 address" },
	{ "cidr", match_cidr, "a network such as 10.0.0.0/8, or an address" },
	{ "interval", match_interval, "a time such as 30s, 1h30m or 7d" },
	{ "size", match_size, "a size such as 64MB or 1.5GiB" },
	{ "name", match_name, "a name of letters, digits, \"_\", \"-\" and \".\"" },
};

static void free_code(void *p)
{
	pcre2_code_free(p);
}

static bool regex_parse(struct form *f, struct arena *a, const char *check, size_t n, struct err *e)
{
	int code;
	PCRE2_SIZE at;
	PCRE2_UCHAR text[160];

	f->re = pcre2_compile((PCRE2_SPTR)(check + 1), n - 2, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
	if (!f->re) {
		pcre2_get_error_message(code, text, sizeof text);
		return fail(e, E_MODULE, "the form %s is no regular expression: %s at character %zu", check,
			    (const char *)text, at + 1);
	}
	arena_defer(a, free_code, f->re);
	return true;
}

static void choices_parse(struct form *f, struct arena *a, const char *check)
{
	uint32_t n = 1;

	for (const char *s = check; *s; s++)
		n += *s == '|';
	const char **list = arena_new_of(a, const char *, n);
	for (const char *s = check, *bar; s; s = bar ? bar + 1 : NULL) {
		bar = strchr(s, '|');
		list[f->n_choices++] = bar ? arena_strn(a, s, (size_t)(bar - s)) : arena_str(a, s);
	}
	f->choices = list;
}

bool form_parse(const struct form **out, struct arena *a, const char *check, bool choices, struct err *e)
{
	*out = NULL;
	if (!check || !*check)
		return choices ? fail(e, E_MODULE, "an enum needs its choices in .check: \"a|b|c\"") : true;

	struct form *f = arena_get(a, sizeof *f);
	size_t n = strlen(check);
	f->text = check;
	if (!choices && n > 1 && check[0] == '/' && check[n - 1] == '/') {
		if (!regex_parse(f, a, check, n, e))
			return false;
	} else if (choices || strchr(check, '|')) {
		choices_parse(f, a, check);
	} else {
		for (size_t i = 0; i < sizeof knowns / sizeof *knowns; i++)
			if (!strcmp(check, knowns[i].name))
				f->known = &knowns[i];
		if (!f->known) {
			fail(e, E_MODULE, "\"%s\" is no known form", check);
			return err_hint(e, "Forms are port path ip cidr interval size name, /regex/ and a|b.");
		}
	}
	*out = f;
	return true;
}

static bool regex_match(const struct form *f, const char *s, size_t n)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(f->re, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);

	if (!data || !limits)
		bug("out of memory");
	pcre2_set_match_limit(limits, 1000000);
	pcre2_set_depth_limit(limits, 10000);
	int found = pcre2_match(f->re, (PCRE2_SPTR)s, n, 0, 0, data, limits);
	pcre2_match_context_free(limits);
	pcre2_match_data_free(data);
	return found >= 0;
}

bool form_match(const struct form *f, const char *s, size_t n)
{
	if (!f)
		return true;
	if (f->re)
		return regex_match(f, s, n);
	if (f->known)
		return f->known->match(s, n);
	for (uint32_t i = 0; i < f->n_choices; i++)
		if (strlen(f->choices[i]) == n && !memcmp(f->choices[i], s, n))
			return true;
	return false;
}

const char *form_want(const struct form *f, struct arena *a)
{
	struct buf b = BUF(a);

	if (f->known)
		return f->known->want;
	if (f->re)
		return arena_fmt(a, "text like %s", f->text);
	buf_str(&b, f->n_choices > 1 ? "one of " : "");
	for (uint32_t i = 0; i < f->n_choices; i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", *f->choices[i] ? f->choices[i] : "\"\"");
	return buf_text(&b);
}

const char *const *form_choices(const struct form *f, uint32_t *n)
{
	*n = f ? f->n_choices : 0;
	return f ? f->choices : NULL;
}

const char *form_text(const struct form *f)
{
	return f ? f->text : NULL;
}
