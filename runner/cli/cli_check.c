/*
 * pig check: every fault of the inventory, one line each, before any host is touched. What a fault is stands in
 * runner/model.
 */
#include "cli/cli.h"

#include <string.h>

static const struct cli_spec spec = {
	.usage = "check [-i INV] [-l PATTERN] [-e K=V|@FILE] [--json]",
	.text = "Find every fault of the inventory in one pass; no host is touched. Exit status 2 when there are "
		"errors.\n"
		"What hangs on facts is checked when the host is connected, before its first change.",
	.common = CLI_WORLD | CLI_LIMIT | CLI_JSON,
};

static const char *severity(const struct fault *f)
{
	return f->note ? "note" : f->warning ? "warning" : "error";
}

static void fault_print(struct buf *b, const struct fault *f)
{
	if (f->at.file && f->at.line)
		buf_fmt(b, "%s:%u:%u: ", f->at.file, f->at.line, f->at.col);
	else if (f->at.file)
		buf_fmt(b, "%s: ", f->at.file);
	else if (f->host)
		buf_fmt(b, "host %s: ", f->host);
	buf_fmt(b, "%s: %s\n", severity(f), f->text);
	if (f->hint)
		buf_fmt(b, "    hint: %s\n", f->hint);
}

static struct value *fault_value(struct arena *a, const struct fault *f)
{
	struct value *v = value_map(a);

	value_put(a, v, "file", f->at.file ? value_str(a, f->at.file) : value_null(a));
	value_put(a, v, "line", value_int(a, f->at.line));
	value_put(a, v, "column", value_int(a, f->at.col));
	value_put(a, v, "severity", value_str(a, severity(f)));
	value_put(a, v, "id", value_str(a, f->id));
	value_put(a, v, "host", f->host ? value_str(a, f->host) : value_null(a));
	value_put(a, v, "message", value_str(a, f->text));
	value_put(a, v, "hint", f->hint ? value_str(a, f->hint) : value_null(a));
	return v;
}

static bool json_print(struct cli *c, const struct faults *out, uint32_t n_hosts, struct err *e)
{
	struct value *v = value_map(c->a), *list = value_list(c->a);

	for (uint32_t i = 0; i < out->n; i++)
		value_push(c->a, list, fault_value(c->a, &out->items[i]));
	value_put(c->a, v, "hosts", value_int(c->a, n_hosts));
	value_put(c->a, v, "errors", value_int(c->a, out->errors));
	value_put(c->a, v, "warnings", value_int(c->a, out->n - out->errors - out->notes));
	value_put(c->a, v, "notes", value_int(c->a, out->notes));
	value_put(c->a, v, "faults", list);
	return cli_json(c, v, e);
}

static bool text_print(struct cli *c, const struct faults *out, uint32_t n_hosts, struct err *e)
{
	struct buf b = BUF(c->a);
	uint32_t warnings = out->n - out->errors - out->notes;

	for (uint32_t i = 0; i < out->n; i++)
		fault_print(&b, &out->items[i]);
	buf_fmt(&b, "%u host%s checked: ", n_hosts, n_hosts == 1 ? "" : "s");
	if (!out->n)
		buf_str(&b, "no faults");
	else
		buf_fmt(&b, "%u error%s, %u warning%s", out->errors, out->errors == 1 ? "" : "s", warnings,
			warnings == 1 ? "" : "s");
	if (out->notes)
		buf_fmt(&b, ", %u note%s", out->notes, out->notes == 1 ? "" : "s");
	buf_ch(&b, '\n');
	return cli_out(b.p, b.len, e);
}

int cli_check(struct cli *c, int argc, char **argv)
{
	struct faults out = { .a = c->a };
	struct inv_host **hosts;
	struct err e = { 0 };
	struct world w;
	uint32_t n;

	if (!cli_parse(c, &spec, NULL, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	if (!cli_world(c, &w, &e) || !cli_hosts(c, &w, &hosts, &n, &e))
		return cli_fail(c, &e);
	check_all(&out, &w, resolvers_new(&w), c->limit ? hosts : NULL, n);
	if (!(c->json ? json_print(c, &out, n, &e) : text_print(c, &out, n, &e)))
		return cli_fail(c, &e);
	return out.errors ? E_INPUT : 0;
}
