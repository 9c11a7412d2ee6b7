/*
 * pig query: JMESPath over any JSON or YAML, from a file or standard input.
 */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/os.h"

struct query {
	bool raw;
};

static const struct cli_option options[] = {
	{ 'r', CLI_FLAG, "raw", NULL, offsetof(struct query, raw),
	  "print strings without quotes, lists of strings a line each" },
};
static const struct cli_spec spec = {
	.usage = "query EXPR [FILE]",
	.text = "Search JSON or YAML with a JMESPath expression. Without FILE, or with -, standard input is read.\n"
		"Several YAML documents are a list of them.",
	.common = CLI_JSON,
	.options = options,
	.n_options = 1,
	.min_args = 1,
	.max_args = 2,
};

static bool input_read(struct buf *b, const char *file, struct err *e)
{
	if (file && strcmp(file, "-") != 0)
		return os_read(b, file, 0, e);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf_room(b, 65536), 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, E_INPUT, "standard input cannot be read: %s", strerror(errno));
		if (!n)
			return true;
		b->len += (size_t)n;
		if (b->len > (size_t)256 << 20)
			return fail(e, E_INPUT, "standard input is larger than 256 MiB");
	}
}

/* JSON is YAML but for corners (tabs, large numbers): try it first where the text begins like it. */
static bool input_parse(struct value **out, struct arena *a, const char *file, const struct buf *b, struct err *e)
{
	const char *text = buf_text(b), *p = text + strspn(text, " \t\r\n");
	struct err quiet;

	if (*p && strchr("{[\"", *p) && value_from_json(out, a, file, text, b->len, &quiet))
		return true;
	if (!value_from_yaml_stream(out, a, file, text, b->len, true, e))
		return false;
	/* one document is itself, several are a list, none is null */
	if (value_len(*out) < 2)
		*out = value_len(*out) ? value_at(*out, 0) : value_null(a);
	return true;
}

static bool print_raw(struct cli *c, const struct value *v, struct err *e)
{
	struct buf b = BUF(c->a);
	bool list = v->type == V_LIST;

	for (size_t i = 0; list && i < value_len(v); i++)
		list = value_at(v, i)->type != V_LIST && value_at(v, i)->type != V_MAP;
	if (v->type == V_MAP || (v->type == V_LIST && !list))
		return cli_json(c, v, e);
	for (size_t i = 0; i < (list ? value_len(v) : 1); i++) {
		value_print(&b, list ? value_at(v, i) : v);
		buf_ch(&b, '\n');
	}
	return cli_out(buf_text(&b), b.len, e);
}

int cli_query(struct cli *c, int argc, char **argv)
{
	struct query q = { 0 };
	struct err e = { 0 };
	struct buf b = BUF(c->a);
	struct value *data, *out;

	if (!cli_parse(c, &spec, &q, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	const char *expr = c->args.items[0], *file = c->args.n > 1 ? c->args.items[1] : NULL;
	if (!input_read(&b, file, &e) || !input_parse(&data, c->a, file ? file : "-", &b, &e))
		return cli_fail(c, &e);
	if (!jmes_search(&out, c->a, expr, data, &e)) {
		err_wrap(&e, "query \"%.100s\"", expr);
		return cli_fail(c, &e);
	}
	if (!(q.raw && !c->json ? print_raw(c, out, &e) : cli_json(c, out, &e)))
		return cli_fail(c, &e);
	return 0;
}
