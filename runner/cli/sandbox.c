/* The command line of `pig sandbox` and what the machine must have for it. */
#include "cli/sandbox.h"
#include "cli/sandbox_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: pig sandbox up [--name NAME] [--nodes N] [--image bare|full] [--memory SIZE] [--bind HOSTDIR:PATH]...\n"
	"       pig sandbox down [--name NAME]\n"
	"       pig sandbox status [--name NAME] [--json]\n"
	"       pig sandbox shell NODE [--name NAME] [-- COMMAND...]\n"
	"       pig sandbox stop NODE [--kill] [--name NAME]\n"
	"       pig sandbox start|cut|heal NODE [--name NAME]\n"
	"\n"
	"Real Debian nodes with systemd and sshd on this machine: meta (10.10.10.10), node-1 (10.10.10.11) and so on,\n"
	"cut off from every other network. Needs root.\n"
	"\n"
	"  --name NAME          of the sandbox (pig); several can be up side by side\n"
	"  --nodes N            how many (4)\n"
	"  --image bare|full    a bare node, or one with the packages of a database cluster installed (full)\n"
	"  --memory SIZE        limit of each node, as 512M or 2G (2G)\n"
	"  --bind HOSTDIR:PATH  show a folder of this machine in every node, read-only\n"
	"  --kill               end the node as a power cut would\n"
	"  --json               status for programs\n";

static const struct command {
	const char *name;
	bool node;	     /* takes NODE */
	const char *options; /* beside --name */
	int (*run)(struct sandbox *s, const struct sandbox_request *r, struct err *e);
} commands[] = {
	{"up", false, " --nodes --image --memory --bind ", sandbox_up},
	{"down", false, "", sandbox_down},
	{"status", false, " --json ", sandbox_status},
	{"shell", true, "", sandbox_shell},
	{"stop", true, " --kill ", sandbox_stop},
	{"start", true, "", sandbox_start},
	{"cut", true, "", sandbox_cut},
	{"heal", true, "", sandbox_heal},
};

enum { NCOMMANDS = sizeof commands / sizeof *commands };

static const struct command *command_find(const char *name, struct err *e)
{
	for (unsigned i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	fail(e, E_INPUT, "unknown sandbox command \"%s\"", name);
	err_hint(e, "it is one of up, down, status, shell, stop, start, cut, heal");
	return NULL;
}

static bool parse_size(const char *text, uint64_t *out, struct err *e)
{
	char *end;
	unsigned shift = 0;
	unsigned long long n = strtoull(text, &end, 10);

	if (*end)
		shift = strchr("kK", *end) ? 10 : strchr("mM", *end) ? 20 : strchr("gG", *end) ? 30 : 0;
	if (text[0] < '0' || text[0] > '9' || (*end && (!shift || end[1])) || n >= (1ull << 44) >> shift)
		return fail(e, E_INPUT, "--memory \"%s\" is no size such as 512M or 2G", text);
	*out = (uint64_t)n << shift;
	if (*out < (uint64_t)64 << 20)
		return fail(e, E_INPUT, "--memory \"%s\" is less than the 64M a node needs to boot", text);
	return true;
}

static bool parse_name(const char *text, const char **out, struct err *e)
{
	*out = text;
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text) && text[0] != '-' && text[0] &&
	    strlen(text) <= 32)
		return true;
	return fail(e, E_INPUT, "--name \"%s\" is no name of 1 to 32 lower-case letters, digits and dashes", text);
}

static bool parse_bind(struct sandbox *s, const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	struct stat st;

	if (!colon || colon == text || colon[1] != '/' || strchr(text, '\n'))
		return fail(e, E_INPUT, "--bind \"%s\" is no HOSTDIR:PATH with an absolute path", text);
	if (s->nbinds == SB_BINDS_MAX)
		return fail(e, E_INPUT, "more than %d --bind", SB_BINDS_MAX);
	char *real = realpath(arena_strn(s->a, text, (size_t)(colon - text)), NULL);
	if (!real || stat(real, &st) || !S_ISDIR(st.st_mode) || strchr(real, ':')) {
		free(real);
		return fail(e, E_INPUT, "--bind \"%s\": there is no such folder, or its path holds a colon", text);
	}
	s->binds[s->nbinds++] = arena_fmt(s->a, "%s:%s", real, colon + 1);
	free(real);
	return true;
}

static bool option_set(struct sandbox *s, struct sandbox_request *r, const char *key, const char *value, struct err *e)
{
	if (!strcmp(key, "--name"))
		return parse_name(value, &s->name, e);
	if (!strcmp(key, "--memory")) {
		r->memory_given = true;
		return parse_size(value, &s->memory, e);
	}
	if (!strcmp(key, "--bind"))
		return parse_bind(s, value, e);
	if (!strcmp(key, "--image")) {
		r->image_given = true;
		s->image = value;
		return !strcmp(value, "bare") || !strcmp(value, "full") ||
		       fail(e, E_INPUT, "--image \"%s\" is neither bare nor full", value);
	}
	char *end;
	unsigned long n = strtoul(value, &end, 10);
	r->nodes_given = true;
	s->nodes = (unsigned)n;
	if (*end || value[0] < '0' || value[0] > '9' || n < 1 || n > SB_NODES_MAX)
		return fail(e, E_INPUT, "--nodes \"%s\" is no number from 1 to %d", value, SB_NODES_MAX);
	return true;
}

/* One word of the command line, and its value where it has one. */
static bool word_take(struct sandbox *s, const struct command *c, struct sandbox_request *r, char **argv, int *i,
		      struct err *e)
{
	static const char *const valued[] = {"--name", "--nodes", "--image", "--memory", "--bind"};
	const char *word = argv[*i], *bare = arena_strn(s->a, word, strcspn(word, "="));

	if (word[0] == '-' && strcmp(bare, "--name") && !strstr(c->options, arena_fmt(s->a, " %s ", bare)))
		return fail(e, E_INPUT, "pig sandbox %s has no option \"%s\"", c->name, bare);
	for (unsigned k = 0; k < sizeof valued / sizeof *valued; k++) {
		size_t n = strlen(valued[k]);
		if (!strncmp(word, valued[k], n) && word[n] == '=')
			return option_set(s, r, valued[k], word + n + 1, e);
		if (strcmp(word, valued[k]))
			continue;
		if (!argv[*i + 1])
			return fail(e, E_INPUT, "%s needs a value", word);
		return option_set(s, r, word, argv[++*i], e);
	}
	if (!strcmp(word, "--json"))
		r->json = true;
	else if (!strcmp(word, "--kill"))
		r->kill = true;
	else if (word[0] == '-')
		return fail(e, E_INPUT, "%s takes no value", bare);
	else if (r->node)
		return fail(e, E_INPUT, "unexpected word \"%s\"", word);
	else
		r->node = word;
	return true;
}

static bool parse(struct sandbox *s, struct sandbox_request *r, const struct command **c, int argc, char **argv,
		  struct err *e)
{
	if (argc < 2) {
		fail(e, E_INPUT, "pig sandbox needs a command");
		return err_hint(e, "it is one of up, down, status, shell, stop, start, cut, heal");
	}
	if (!(*c = command_find(argv[1], e)))
		return false;
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			union {
				char **m;
				const char *const *c;
			} words = {argv + i + 1};
			r->words = words.c;
			break;
		}
		if (!word_take(s, *c, r, argv, &i, e))
			return false;
	}
	if ((*c)->node && !r->node)
		return fail(e, E_INPUT, "pig sandbox %s needs the name of a node", argv[1]);
	if (!(*c)->node && r->node)
		return fail(e, E_INPUT, "unexpected word \"%s\"", r->node);
	if (r->words && (*c)->run != sandbox_shell)
		return fail(e, E_INPUT, "only pig sandbox shell takes a command");
	return true;
}

static bool in_path(struct arena *a, const char *program)
{
	const char *path = getenv("PATH");

	for (const char *p = path ? path : ""; *p;) {
		size_t n = strcspn(p, ":");
		if (n && !access(arena_fmt(a, "%.*s/%s", (int)n, p, program), X_OK))
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

/* All that is missing at once, before anything is touched. */
static bool check_machine(const struct sandbox *s, struct err *e)
{
	static const char *const need[][2] = {
		{"systemd-nspawn", "systemd-container"},
		{"ip", "iproute2"},
		{"mmdebstrap", "mmdebstrap"},
		{"ssh", "openssh-client"},
		{"ssh-keygen", "openssh-client"},
		{"unshare", "util-linux"},
		{"setpriv", "util-linux"},
	};
	struct buf programs = BUF(s->a), packages = BUF(s->a);

	for (unsigned i = 0; i < sizeof need / sizeof *need; i++) {
		if (in_path(s->a, need[i][0]))
			continue;
		buf_fmt(&programs, "%s%s", programs.len ? ", " : "", need[i][0]);
		if (!strstr(buf_text(&packages), need[i][1]))
			buf_fmt(&packages, " %s", need[i][1]);
	}
	if (programs.len) {
		fail(e, E_INPUT, "pig sandbox needs %s, which this machine does not have", programs.p);
		return err_hint(e, "apt-get install%s", packages.p);
	}
	if (geteuid()) {
		fail(e, E_INPUT, "pig sandbox needs root: it mounts, makes namespaces and starts nodes");
		return err_hint(
			e, "sudo pig sandbox ...; on a machine that lacks something: apt-get install systemd-container "
			   "mmdebstrap iproute2");
	}
	return true;
}

static int sandbox_do(struct sandbox *s, int argc, char **argv, struct err *e)
{
	struct sandbox_request r = {.node = NULL};
	const struct command *c = NULL;
	const char *state = getenv("PIG_SANDBOX_DIR"), *path = getenv("PATH");

	s->name = "pig";
	s->state = state && *state ? state : "/var/lib/pig-sandbox";
	s->nodes = 4;
	s->image = "full";
	s->memory = (uint64_t)2 << 30;
	s->lock = -1;
	if (!parse(s, &r, &c, argc, argv, e))
		return e->code;
	if (s->state[0] != '/' || strpbrk(s->state, ",:\\ \t\n")) {
		fail(e, E_INPUT, "PIG_SANDBOX_DIR \"%s\" is no absolute path without blanks, commas and colons",
		     s->state);
		return e->code;
	}
	/* a sandbox lies beside images and locks */
	if (!strcmp(s->name, "images") || !strcmp(s->name, "locks")) {
		fail(e, E_INPUT, "--name \"%s\" is taken by the folder of that name in %s", s->name, s->state);
		return e->code;
	}
	s->dir = os_join(s->a, s->state, s->name);
	setenv("PATH", arena_fmt(s->a, "%s:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : ""), 1);
	return check_machine(s, e) ? c->run(s, &r, e) : e->code;
}

int sandbox_main(int argc, char **argv)
{
	struct sandbox s = {.a = arena_new()};
	struct err e = {.code = 0};
	int code;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage, stdout);
		code = E_OK;
	} else {
		code = sandbox_do(&s, argc, argv, &e);
	}
	if (code && e.code)
		fprintf(stderr, "pig: %s\n", err_text(&e, s.a));
	if (s.lock >= 0)
		close(s.lock);
	arena_free(s.a);
	return code;
}
