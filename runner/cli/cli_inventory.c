/*
 * pig inventory: what the inventory says, as data (list), as a tree (graph), for one host with the place of each value
 * (host), and searched (query). Reading inventories is runner/model's business.
 */
#include "cli/cli_inventory.h"

#include <stdlib.h>
#include <string.h>

struct words {
	const char *database, *output;
};
static const struct cli_option options[] = {
	{ 'd', CLI_TEXT, "database", "URL", offsetof(struct words, database),
	  "load, dump, use cmdb: this database; default METADB_URL, else service=meta" },
	{ 'o', CLI_TEXT, "output", "FILE", offsetof(struct words, output), "dump: into a file that only you can read" },
};
static const struct cli_spec spec = {
	.usage = "inventory [list] [-l PATTERN]\n"
		 "inventory graph\n"
		 "inventory host HOST\n"
		 "inventory query EXPR [-l PATTERN]\n"
		 "inventory load [-i FILE] [-d URL]\n"
		 "inventory dump [-d URL | -i FILE] [-o FILE]\n"
		 "inventory use cmdb|yaml [-d URL]",
	.text = "list   groups, hosts and their values as JSON, as `ansible-inventory --list` prints them\n"
		"graph  groups and hosts as a tree\n"
		"host   every value a host sees, as it comes out, and where it was written\n"
		"query  JMESPath over { hosts: [ { name, groups, vars } ], hostvars: { HOST: vars },\n"
		"       groups: { NAME: [ host ] } }, with values as they come out,\n"
		"       such as \"hosts[?vars.pg_role == 'primary'].name\"\n"
		"load   files into the database, in the place of what it holds: all or nothing\n"
		"dump   the database's inventory as a file, passwords and all\n"
		"use    what is read by default from now on: the inventory line of ansible.cfg",
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.common = CLI_WORLD | CLI_LIMIT | CLI_JSON | CLI_SECRETS,
	.max_args = 2,
};

struct shown {
	struct cli *c;
	struct world w;
	struct inv_host **hosts;
	uint32_t n;
	struct err *e;
};

/* Values of parameters known as secret carry no mark before they are resolved: give it to them. */
static struct value *marked(struct shown *s, const char *name, const struct value *v)
{
	const struct param *p = map_get(&s->w.modules->params, name);

	if (!p)
		p = map_get(&s->w.modules->was, name);
	return (struct value *)(p ? param_marked(s->c->a, p, v) : v);
}

/* As ansible-inventory prints what is encrypted, and text that is never a template. */
static struct value *noted(struct arena *a, struct value *v)
{
	struct value *out = v;

	if (v->type == V_STR && (v->flags & V_VAULT || (v->flags & V_LITERAL && v->flags & (V_PLAIN | V_QUOTED)))) {
		out = value_map(a);
		struct value *text = value_strn(a, v->u.str.s, v->u.str.n); /* an envelope is no secret */
		value_put(a, out, v->flags & V_VAULT ? "__ansible_vault" : "__ansible_unsafe", text);
		if (!(v->flags & V_VAULT) && v->flags & V_SECRET)
			text->flags |= V_SECRET;
	} else if (v->type == V_LIST || v->type == V_MAP) {
		out = arena_dup(a, v, sizeof *v);
		if (v->type == V_LIST) {
			out->u.list.items = arena_dup(a, v->u.list.items, v->u.list.n * sizeof *v->u.list.items);
			for (uint32_t i = 0; i < v->u.list.n; i++)
				out->u.list.items[i] = noted(a, v->u.list.items[i]);
		} else {
			out->u.map.items = arena_dup(a, v->u.map.items, v->u.map.n * sizeof *v->u.map.items);
			for (uint32_t i = 0; i < v->u.map.n; i++)
				out->u.map.items[i].val = noted(a, v->u.map.items[i].val);
		}
	}
	return out;
}

static struct value *host_vars(struct shown *s, const struct inv_host *h)
{
	struct value *all = inventory_vars(s->w.inv, s->c->a, h), *out = value_map(s->c->a);

	for (uint32_t i = 0; i < value_len(all); i++)
		value_put(s->c->a, out, value_key_at(all, i), noted(s->c->a, marked(s, value_key_at(all, i), value_at(all, i))));
	return out;
}

static bool selected(const struct shown *s, const struct inv_host *h)
{
	if (!s->c->limit)
		return true;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->hosts[i] == h)
			return true;
	return false;
}

/* ---- list ---- */
static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static struct value *group_value(struct shown *s, const struct inv_group *g)
{
	struct arena *a = s->c->a;
	struct value *v = value_map(a), *hosts = value_list(a), *children = value_list(a);

	for (uint32_t i = 0; i < g->n_hosts; i++)
		if (selected(s, g->hosts[i]))
			value_push(a, hosts, value_str(a, g->hosts[i]->name));
	for (uint32_t i = 0; i < g->n_children; i++)
		value_push(a, children, value_str(a, g->children[i]->name));
	if (value_len(hosts) && strcmp(g->name, "all") != 0)
		value_put(a, v, "hosts", hosts);
	if (value_len(children))
		value_put(a, v, "children", children);
	return v;
}

static int by_host(const void *x, const void *y)
{
	return strcmp((*(struct inv_host *const *)x)->name, (*(struct inv_host *const *)y)->name);
}

/* "key": value as a member of a map at the level; the text is written and forgotten. */
static bool member_out(struct shown *s, const char *key, const struct value *v, int level, bool first)
{
	struct arena *scratch = arena_new();
	struct buf b = BUF(scratch);
	const struct json_style style = { .indent = 4, .sort = true, .mask = !s->c->show_secrets, .level = level };

	buf_fmt(&b, "%s\n%*s", first ? "" : ",", level * 4, "");
	value_to_json(&b, value_str(scratch, key), &(struct json_style){ 0 });
	buf_str(&b, ": ");
	bool ok = value_to_json(&b, v, &style) ? cli_out(b.p, b.len, s->e)
					      : fail(s->e, E_INPUT, "the inventory is nested too deep to be printed");
	arena_free(scratch);
	return ok;
}

static bool text_out(struct shown *s, const char *text)
{
	return cli_out(text, strlen(text), s->e);
}

/* One host at a time: all values of ten thousand hosts together would be half a gigabyte. */
static bool meta_out(struct shown *s, bool first)
{
	struct inv_host **hosts = arena_dup(s->c->a, s->hosts, s->n * sizeof *hosts);
	struct arena *outer = s->c->a;
	bool ok = text_out(s, first ? "\n    \"_meta\": {\n        \"hostvars\": {" : ",\n    \"_meta\": {\n        \"hostvars\": {"), any = false;

	qsort(hosts, s->n, sizeof(struct inv_host *), by_host);
	for (uint32_t i = 0; ok && i < s->n; i++) {
		s->c->a = arena_new();
		struct value *v = host_vars(s, hosts[i]);
		if (value_len(v)) {
			ok = member_out(s, hosts[i]->name, v, 3, !any);
			any = true;
		}
		arena_free(s->c->a);
		s->c->a = outer;
	}
	return ok && text_out(s, any ? "\n        }\n    }" : "}\n    }");
}

static bool do_list(struct shown *s)
{
	struct arena *a = s->c->a;
	struct value *groups = value_map(a), *open;
	bool ok = true, first = true, meta = false;

	if (s->w.inv->n_sealed && !vault_value(s->w.inv->vault, &open, a, s->w.inv->sealed[0], s->e))
		return false;
	const char **names = arena_new_of(a, const char *, s->w.inv->n_groups);
	for (uint32_t i = 0; i < s->w.inv->n_groups; i++) {
		names[i] = s->w.inv->groups[i]->name;
		value_put(a, groups, names[i], group_value(s, s->w.inv->groups[i]));
	}
	qsort(names, s->w.inv->n_groups, sizeof *names, by_text);
	ok = text_out(s, "{");
	for (uint32_t i = 0; ok && i <= s->w.inv->n_groups; i++) {
		const char *name = i < s->w.inv->n_groups ? names[i] : NULL;
		if (!meta && (!name || strcmp(name, "_meta") >= 0)) {
			ok = meta_out(s, first);
			meta = true;
			first = false;
		}
		const struct value *v = name ? value_get(groups, name) : NULL;
		if (ok && value_len(v)) {
			ok = member_out(s, name, v, 1, first);
			first = false;
		}
	}
	return ok && text_out(s, "\n}\n");
}

/* ---- graph ---- */
static void graph_group(struct shown *s, struct buf *b, const struct inv_group *g, unsigned depth)
{
	char lead[256] = "";

	for (unsigned i = 0; i < depth && i < 60; i++)
		memcpy(lead + i * 3, "  |", 4);
	buf_fmt(b, "%s%s@%s:\n", lead, depth ? "--" : "", g->name);
	for (uint32_t i = 0; i < g->n_children; i++)
		graph_group(s, b, g->children[i], depth + 1);
	for (uint32_t i = 0; i < g->n_hosts && strcmp(g->name, "all") != 0; i++)
		if (selected(s, g->hosts[i]))
			buf_fmt(b, "%s  |--%s\n", lead, g->hosts[i]->name);
}

static bool do_graph(struct shown *s)
{
	struct buf b = BUF(s->c->a);
	const struct inv_group *all = inventory_group(s->w.inv, "all");

	if (all)
		graph_group(s, &b, all, 0);
	return cli_out(buf_text(&b), b.len, s->e);
}

/* ---- host ---- */
static const char *owner_text(struct arena *a, const struct inv_found *f)
{
	switch (f->level) {
	case INV_EXTRA:
		return "command line";
	case INV_HOST:
		return "host";
	case INV_ALL:
		return "all";
	case INV_GROUP:
		return arena_fmt(a, "group %s", f->owner);
	default:
		return "";
	}
}

/* An encrypted file stands for a value that may be in it. */
static bool is_sealed(const struct value *v)
{
	return v->flags & V_VAULT && v->flags & V_LAZY;
}

static struct value *found_value(struct shown *s, const char *name, const struct inv_found *f)
{
	struct arena *a = s->c->a;
	struct value *v = value_map(a);

	value_put(a, v, "written", is_sealed(f->val) ? value_null(a) : marked(s, name, f->val));
	value_put(a, v, "by", value_str(a, owner_text(a, f)));
	value_put(a, v, "file", f->val->at.file ? value_str(a, f->val->at.file) : value_null(a));
	value_put(a, v, "line", value_int(a, f->val->at.line));
	return v;
}

/* The value as it comes out; as written where that cannot be told yet. */
static struct value *outcome(struct shown *s, struct resolver *r, const char *name, const struct inv_found *f,
			     const char **why)
{
	struct err e = { 0 };
	const struct value *v = resolver_get(r, name, &e);

	*why = !e.code ? NULL : e.code == E_UNKNOWN ? "unknown until connected" : arena_str(s->c->a, e.msg);
	return v ? (struct value *)v : marked(s, name, f->val);
}

static void host_line(struct shown *s, struct buf *b, struct resolver *r, const char *name,
		      const struct inv_found *found, uint32_t n)
{
	const char *why;
	const struct value *v = outcome(s, r, name, &found[0], &why);
	struct buf text = BUF(s->c->a);

	value_to_json(&text, v, &(struct json_style){ .mask = !s->c->show_secrets });
	buf_fmt(b, "%s: %s\n", name, buf_text(&text));
	for (uint32_t i = 0; i < n; i++) {
		const struct origin at = found[i].val->at;
		buf_fmt(b, "    %s %s", i ? "over" : "from", owner_text(s->c->a, &found[i]));
		if (at.file)
			buf_fmt(b, ", %s", at.file);
		if (at.file && at.line)
			buf_fmt(b, ":%u", at.line);
		if (is_sealed(found[i].val))
			buf_str(b, ", if the encrypted file sets it");
		buf_ch(b, '\n');
	}
	if (why)
		buf_fmt(b, "    %s\n", why);
}

static bool do_host(struct shown *s, const char *host)
{
	struct arena *a = s->c->a;
	struct inv_host *h = inventory_host(s->w.inv, host);
	struct value *json = value_map(a);
	struct buf b = BUF(a);

	if (!h) {
		const char **names = arena_new_of(a, const char *, s->w.inv->n_hosts), *near;
		for (uint32_t i = 0; i < s->w.inv->n_hosts; i++)
			names[i] = s->w.inv->hosts[i]->name;
		near = nearest(host, names, s->w.inv->n_hosts);
		fail(s->e, E_INPUT, "there is no host \"%s\"", host);
		return near ? err_hint(s->e, "Did you mean %s?", near) : false;
	}
	struct resolver *r = resolver_new(&s->w, h);
	struct value *vars = inventory_vars(s->w.inv, a, h);
	const char **names = arena_new_of(a, const char *, value_len(vars));
	for (uint32_t i = 0; i < value_len(vars); i++)
		names[i] = value_key_at(vars, i);
	qsort(names, value_len(vars), sizeof *names, by_text);
	for (uint32_t i = 0; i < value_len(vars); i++) {
		struct inv_found *found;
		uint32_t n = inventory_var_all(s->w.inv, a, h, names[i], &found);
		if (!n)
			continue;
		if (!s->c->json) {
			host_line(s, &b, r, names[i], found, n);
			continue;
		}
		struct value *one = value_map(a), *from = value_list(a);
		const char *why;
		value_put(a, one, "value", outcome(s, r, names[i], &found[0], &why));
		if (why)
			value_put(a, one, "fault", value_str(a, why));
		for (uint32_t k = 0; k < n; k++)
			value_push(a, from, found_value(s, names[i], &found[k]));
		value_put(a, one, "from", from);
		value_put(a, json, names[i], one);
	}
	return s->c->json ? cli_json(s->c, json, s->e) : cli_out(buf_text(&b), b.len, s->e);
}

/* ---- query ---- */
static struct value *query_data(struct shown *s)
{
	struct arena *a = s->c->a;
	struct value *out = value_map(a), *hosts = value_list(a), *hostvars = value_map(a), *groups = value_map(a);
	struct resolvers *rs = resolvers_new(&s->w);

	for (uint32_t i = 0; i < s->n; i++) {
		struct value *one = value_map(a), *vars = value_map(a), *all = inventory_vars(s->w.inv, a, s->hosts[i]);
		struct err ignored;
		struct resolver *r = resolvers_of(rs, s->hosts[i]);
		for (uint32_t k = 0; k < value_len(all); k++) {
			const char *name = value_key_at(all, k);
			const struct value *v = resolver_get(r, name, &ignored);
			value_put(a, vars, name, v ? (struct value *)v : marked(s, name, value_at(all, k)));
		}
		value_put(a, one, "name", value_str(a, s->hosts[i]->name));
		value_put(a, one, "groups", (struct value *)resolver_get(r, "group_names", &ignored));
		value_put(a, one, "vars", vars);
		value_push(a, hosts, one);
		value_put(a, hostvars, s->hosts[i]->name, vars);
	}
	for (uint32_t i = 0; i < s->w.inv->n_groups; i++) {
		struct value *list = value_list(a);
		uint32_t n;
		struct inv_host **members = inventory_group_hosts(a, s->w.inv->groups[i], &n);
		for (uint32_t k = 0; k < n; k++)
			if (selected(s, members[k]))
				value_push(a, list, value_str(a, members[k]->name));
		value_put(a, groups, s->w.inv->groups[i]->name, list);
	}
	value_put(a, out, "hosts", hosts);
	value_put(a, out, "hostvars", hostvars);
	value_put(a, out, "groups", groups);
	return out;
}

static bool do_query(struct shown *s, const char *expr)
{
	struct value *out;

	if (!jmes_search(&out, s->c->a, expr, query_data(s), s->e))
		return err_wrap(s->e, "query \"%.100s\"", expr);
	return cli_json(s->c, out, s->e);
}

static bool act(struct shown *s, const char *what, const char *word)
{
	if (!strcmp(what, "list") && !word)
		return do_list(s);
	if (!strcmp(what, "graph") && !word)
		return do_graph(s);
	if (!strcmp(what, "host") && word)
		return do_host(s, word);
	if (!strcmp(what, "query") && word)
		return do_query(s, word);
	fail(s->e, E_INPUT, "pig inventory does not know \"%s%s%s\"", what, word ? " " : "", word ? word : "");
	return err_hint(s->e, "Say list, graph, host HOST, query EXPR, load, dump or use cmdb|yaml.");
}

/* The words that do not begin with the inventory in force. True: it was one of them, and *ok says how it went. */
static bool act_elsewhere(struct cli *c, const struct words *o, const char *what, const char *word, bool *ok, struct err *e)
{
	if (!strcmp(what, "load") && !word)
		*ok = inventory_do_load(c, o->database, e);
	else if (!strcmp(what, "dump") && !word)
		*ok = inventory_do_dump(c, o->database, o->output, e);
	else if (!strcmp(what, "use") && word)
		*ok = inventory_do_use(c, word, o->database, e);
	else
		return false;
	return true;
}

int cli_inventory(struct cli *c, int argc, char **argv)
{
	struct words o = { 0 };
	struct err e = { 0 };
	struct shown s = { .c = c, .e = &e };
	bool ok;

	if (!cli_parse(c, &spec, &o, argc, argv, &e))
		return cli_fail(c, &e);
	if (c->help)
		return 0;
	const char *what = c->args.n ? c->args.items[0] : "list", *word = c->args.n > 1 ? c->args.items[1] : NULL;
	if (act_elsewhere(c, &o, what, word, &ok, &e))
		return ok ? 0 : cli_fail(c, &e);
	if (!cli_world(c, &s.w, &e) || !cli_hosts(c, &s.w, &s.hosts, &s.n, &e) || !act(&s, what, word))
		return cli_fail(c, &e);
	return 0;
}
