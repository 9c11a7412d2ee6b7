/*
 * pig configure: an inventory to begin with, made from a template of conf/. The address of this machine takes the place
 * of the template's, and what the options say goes where it belongs; the rest is left as it was written.
 */
#include "cli/configure.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/os.h"

enum { FEW_CPUS = 4 };

struct words {
	const char *conf, *ip, *version, *region, *output, *port;
	bool skip, proxy, quiet, generate;
};

#define ROW(l, k, n, a, m, t)                                                                                          \
	{                                                                                                              \
		l, k, n, a, offsetof(struct words, m), t                                                               \
	}
static const struct cli_option options[] = {
	ROW('c', CLI_TEXT, "conf", "NAME", conf, "template: conf/NAME.yml, or a file; default meta"),
	ROW('i', CLI_TEXT, "ip", "ADDRESS", ip, "this machine's address; default: the one it has"),
	ROW('v', CLI_TEXT, "version", "N", version, "major version of PostgreSQL"),
	ROW('r', CLI_TEXT, "region", "REGION", region, "where packages come from: default, china, europe"),
	ROW('o', CLI_TEXT, "output", "FILE", output, "write here; default pigsty.yml"),
	ROW('p', CLI_TEXT, "port", "PORT", port, "port of SSH on the nodes"),
	ROW('s', CLI_FLAG, "skip", NULL, skip, "keep the template's addresses"),
	ROW('x', CLI_FLAG, "proxy", NULL, proxy, "take the proxies of the environment"),
	ROW('n', CLI_FLAG, "non-interactive", NULL, quiet, "ask nothing"),
	ROW('g', CLI_FLAG, "generate", NULL, generate, "new random secrets in the place of all defaults"),
};
static const struct cli_spec spec = {
	.usage = "configure [-c NAME] [-i ADDRESS] [-v N] [-r REGION] [-o FILE] [-p PORT] [-s] [-x] [-n] [-g]",
	.text = "Write an inventory made from a template: pigsty.yml, for you alone to read. An earlier file is kept "
		"beside it.",
	.common = CLI_PLUGINS,
	.options = options,
	.n_options = sizeof options / sizeof *options,
};

/* ---- which template ---- */
static void names_add(struct cli *c, struct cli_words *names, const char *dir, const char *sub)
{
	DIR *d = opendir(*sub ? os_join(c->a, dir, sub) : dir);

	for (struct dirent *en; d && (en = readdir(d));) {
		size_t n = strlen(en->d_name);
		if (en->d_name[0] == '.')
			continue;
		if (n > 4 && !strcmp(en->d_name + n - 4, ".yml"))
			cli_word(c, names, arena_fmt(c->a, "%s%s%.*s", sub, *sub ? "/" : "", (int)n - 4, en->d_name));
		else if (!*sub && !strchr(en->d_name, '.'))
			names_add(c, names, dir, arena_str(c->a, en->d_name));
	}
	if (d)
		closedir(d);
}

static const char *template_find(struct cli *c, const char *name, struct err *e)
{
	const char *home = getenv("PIGSTY_HOME"), *near;
	const char *dirs[] = {"conf", home && *home ? os_join(c->a, home, "conf") : NULL, cli_shared(c, "conf")};
	size_t n = strlen(name);
	struct cli_words names = {0};

	if (*name == '/' || *name == '.')
		return name;
	if (n > 4 && !strcmp(name + n - 4, ".yml"))
		name = arena_strn(c->a, name, n - 4);
	for (size_t i = 0; i < 3; i++) {
		const char *path = dirs[i] ? os_join(c->a, dirs[i], arena_fmt(c->a, "%s.yml", name)) : NULL;
		if (path && os_exists(path))
			return path;
		if (dirs[i])
			names_add(c, &names, dirs[i], "");
	}
	fail(e, E_INPUT, "there is no template \"%s\"", name);
	if ((near = nearest(name, names.items, names.n))) {
		err_hint(e, "Did you mean %s?", near);
	} else {
		struct buf b = BUF(c->a);
		for (uint32_t i = 0; i < names.n; i++)
			buf_fmt(&b, "%s%s", i ? ", " : "", names.items[i]);
		err_hint(e, "There are: %s.", names.n ? buf_text(&b) : "none, and a file's name begins with . or /");
	}
	return NULL;
}

/* ---- which address ---- */
static void addresses(struct cli *c, struct cli_words *out)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		char s[INET_ADDRSTRLEN];
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
		    i->ifa_flags & IFF_LOOPBACK)
			continue;
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, s, sizeof s);
		if (strncmp(s, "169.254.", 8) != 0)
			cli_word(c, out, arena_str(c->a, s));
	}
	freeifaddrs(all);
}

static bool is_address(const char *s)
{
	unsigned char to[16];

	return inet_pton(AF_INET, s, to) == 1 || inet_pton(AF_INET6, s, to) == 1;
}

static const char *address_ask(struct cli *c, const struct cli_words *found)
{
	char line[128];

	for (uint32_t i = 0; i < found->n; i++)
		fprintf(stderr, "  %u  %s\n", i + 1, found->items[i]);
	fprintf(stderr, "Which is this machine's address for the others (number or address)? ");
	if (!fgets(line, sizeof line, stdin))
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	unsigned long n = strtoul(line, NULL, 10);
	return !strchr(line, '.') && n >= 1 && n <= found->n ? found->items[n - 1] : arena_str(c->a, line);
}

/* Of -i; else the template's own where this machine has it, the only one there is, the one that is picked. */
static const char *address_pick(struct conf *f, const struct words *o)
{
	const char *own = conf_word(f, "address", NULL), *got = o->ip;
	struct cli_words found = {0};
	struct buf list = BUF(f->c->a);

	if (!got)
		addresses(f->c, &found);
	for (uint32_t i = 0; i < found.n; i++) {
		buf_fmt(&list, "%s%s", i ? ", " : "", found.items[i]);
		if (own && !strcmp(found.items[i], own))
			got = own;
	}
	if (!got && found.n == 1)
		got = found.items[0];
	if (!got && found.n && !o->quiet && isatty(STDIN_FILENO))
		got = address_ask(f->c, &found);
	if (!got) {
		fail(f->e, E_INPUT,
		     found.n ? "this machine has several addresses: %s" : "this machine has no address%s",
		     buf_text(&list));
		err_hint(f->e, "Name one with -i, or keep the template's with -s.");
		return NULL;
	}
	if (!is_address(got)) {
		fail(f->e, E_INPUT, "\"%s\" is no address", got);
		err_hint(f->e, "Say -i with an address of this machine, such as 10.10.10.10.");
		return NULL;
	}
	return got;
}

/* ---- the words ---- */
static bool number_ok(const char *option, const char *s, long most, struct err *e)
{
	char *end;
	long n = strtol(s, &end, 10);

	return (isdigit((unsigned char)*s) && !*end && n > 0 && n <= most) ||
	       fail(e, E_INPUT, "option %s takes a number up to %ld, not \"%s\"", option, most, s);
}

static bool apply(struct conf *f, const struct words *o)
{
	const char *own = o->skip ? NULL : address_pick(f, o);

	if (!o->skip && (!own || !conf_set_address(f, own)))
		return false;
	if (o->version && (!number_ok("-v", o->version, 99, f->e) || !conf_set_version(f, o->version)))
		return false;
	if (o->region && !conf_set(f, "region", "-r", o->region))
		return false;
	if (o->port && (!number_ok("-p", o->port, 65535, f->e) || !conf_set(f, "port", "-p", o->port)))
		return false;
	if (o->proxy && !conf_set_proxy(f))
		return false;
	if (sysconf(_SC_NPROCESSORS_ONLN) < FEW_CPUS && !conf_set_small(f))
		return false;
	if (o->generate && !conf_set_secrets(f))
		return false;
	if (own)
		printf("address  %s\n", own);
	return true;
}

/* ---- the file ---- */
/* An earlier file of another content stays beside it under a name that is free. */
static bool keep_earlier(struct conf *f, const char *path, const char *text, size_t len, bool *same)
{
	struct buf old = BUF(f->c->a);
	const char *bak = arena_fmt(f->c->a, "%s.bak", path);

	*same = false;
	if (!os_exists(path))
		return true;
	if (!os_read(&old, path, 0, f->e))
		return false;
	*same = old.len == len && !memcmp(old.p, text, len);
	if (*same)
		return true;
	for (unsigned i = 2; os_exists(bak); i++)
		bak = arena_fmt(f->c->a, "%s.%u.bak", path, i);
	if (!os_write(bak, old.p, old.len, 0600, f->e))
		return false;
	printf("kept     the earlier \"%s\" as \"%s\"\n", path, bak);
	return true;
}

static bool write_out(struct conf *f, const char *path)
{
	const char *text;
	size_t len;
	bool same;

	if (!conf_result(f, &text, &len) || !keep_earlier(f, path, text, len, &same))
		return false;
	if (!same && !os_write(path, text, len, 0600, f->e))
		return false;
	printf("%s  %s, from %s\n", same ? "the same" : "written ", path, f->path);
	return true;
}

static void renewed_told(const struct conf *f)
{
	struct buf b = BUF(f->c->a);

	for (uint32_t i = 0; i < f->renewed.n; i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", f->renewed.items[i].key);
	if (f->renewed.n)
		printf("secrets  new in %s\n", buf_text(&b));
}

int cli_configure(struct cli *c, int argc, char **argv)
{
	struct words o = {.conf = "meta", .output = "pigsty.yml"};
	struct err e = {0};
	struct conf f = {.c = c, .e = &e};

	if (!cli_parse(c, &spec, &o, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (o.skip && o.ip) {
		fail(&e, E_INPUT, "-s keeps the addresses that -i would change");
		return cli_fail(c, &e);
	}
	cli_word(c, &c->inventories, o.output); /* plugins/ beside what is written counts */
	f.path = template_find(c, o.conf, &e);
	if (!f.path || !conf_read(&f) || !cli_modules(c, &f.modules, &e) || !apply(&f, &o) || !write_out(&f, o.output))
		return cli_fail(c, &e);
	renewed_told(&f);
	printf("next     pig check%s%s\n", strcmp(o.output, "pigsty.yml") ? " -i " : "",
	       strcmp(o.output, "pigsty.yml") ? o.output : "");
	return 0;
}
