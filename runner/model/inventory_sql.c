/*
 * The inventory's relations in a database, read and filled. One snapshot is read; filling is one transaction, that ends
 * by reading what it wrote and comparing.
 */
#include "model/inventory_sql.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "model/param_int.h"

static const char relations[] = "{group,host,global_var,group_var,host_var}";

bool inventory_sql_schema(struct sql *s, const char **schema, struct err *e)
{
	const char *const params[] = {relations};
	struct sql_rows rows;

	if (!sql_do(s, &rows,
		    "select nspname, array_position(current_schemas(false), nspname) as at from pg_class c "
		    "join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'p', 'v', 'm', 'f') "
		    "and relname = any ($1::name[]) group by nspname having count(*) = 5 order by at nulls last, "
		    "nspname",
		    params, 1, e))
		return false;
	if (!rows.n) {
		fail(e, E_INPUT, "the database at %s holds no inventory", s->shown);
		return err_hint(e, "It needs a schema with the tables group, host, global_var, group_var and host_var: "
				   "docs/cmdb.md says what makes them.");
	}
	if (rows.n > 1 && !sql_cell(&rows, 0, 1)) {
		fail(e, E_INPUT, "the database at %s holds several inventories: in the schemas %s, %s%s", s->shown,
		     sql_cell(&rows, 0, 0), sql_cell(&rows, 1, 0), rows.n > 2 ? ", ..." : "");
		return err_hint(e, "Put one into the search_path: ...?options=-csearch_path%%3D%s.",
				sql_cell(&rows, 0, 0));
	}
	*schema = sql_cell(&rows, 0, 0);
	return true;
}

/* ---- reading ---- */
struct from { /* of one reading */
	struct inv_build *b;
	struct sql *s;
	const char *schema; /* quoted */
	struct map vars;    /* "group host" -> what stands there for the host */
};

/* Everything in the value was written at one place; text that would be a template is data. */
static void settle(struct value *v, const char *place)
{
	v->at = (struct origin){place, 0, 0};
	v->source = NULL;
	v->flags &= V_SECRET | V_VAULT | V_LITERAL;
	if (v->flags & V_LITERAL) /* somebody wrote it so: `inventory list` shows it */
		v->flags |= V_QUOTED;
	if (v->type == V_STR && !(v->flags & V_VAULT) && text_is_template(v->u.str.s, v->u.str.n))
		v->flags |= V_LITERAL;
	for (size_t i = 0; (v->type == V_LIST || v->type == V_MAP) && i < value_len(v); i++) {
		settle(value_at(v, i), place);
		if (v->type == V_MAP)
			v->u.map.items[i].at = v->at;
	}
}

static bool value_read(struct from *f, struct value **out, const char *place, const char *json)
{
	struct inv_build *b = f->b;

	if (!json)
		json = "null";
	if (!value_from_json(out, b->a, place, json, strlen(json), b->e))
		return false;
	*out = inventory_json_marks(b->a, *out);
	settle(*out, place);
	return true;
}

static bool rows_of(struct from *f, struct sql_rows *rows, const char *columns, const char *table, const char *time)
{
	return sql_do(
		f->s, rows,
		arena_fmt(f->b->a, "select %s from %s.%s order by %s, %s", columns, f->schema, table, time, columns),
		NULL, 0, f->b->e);
}

static bool globals_read(struct from *f)
{
	struct inv_build *b = f->b;
	struct sql_rows rows;

	if (!rows_of(f, &rows, "key, value", "global_var", "mtime"))
		return false;
	for (uint32_t i = 0; i < rows.n; i++) {
		const char *key = sql_cell(&rows, i, 0), *place = arena_fmt(b->a, "%s#all/%s", f->s->shown, key);
		struct value *v;
		if (!value_read(f, &v, place, sql_cell(&rows, i, 1)) ||
		    !inventory_set_group_var(b, b->inv->groups[0], key, v, v->at))
			return false;
	}
	return true;
}

static bool groups_read(struct from *f)
{
	struct inv_build *b = f->b;
	struct sql_rows rows;

	if (!rows_of(f, &rows, "cls", "\"group\"", "ctime"))
		return false;
	for (uint32_t i = 0; i < rows.n; i++) {
		const char *cls = sql_cell(&rows, i, 0);
		inventory_add_group(b, cls, (struct origin){arena_fmt(b->a, "%s#%s", f->s->shown, cls), 0, 0});
	}
	if (!rows_of(f, &rows, "cls, key, value", "group_var", "mtime"))
		return false;
	for (uint32_t i = 0; i < rows.n; i++) {
		const char *cls = sql_cell(&rows, i, 0), *key = sql_cell(&rows, i, 1);
		const char *place = arena_fmt(b->a, "%s#%s/%s", f->s->shown, cls, key);
		struct value *v;
		if (!value_read(f, &v, place, sql_cell(&rows, i, 2)) ||
		    !inventory_set_group_var(b, inventory_add_group(b, cls, v->at), key, v, v->at))
			return false;
	}
	return true;
}

static bool hosts_read(struct from *f)
{
	struct inv_build *b = f->b;
	struct sql_rows rows;

	if (!rows_of(f, &rows, "cls, host(ip)", "host", "ctime"))
		return false;
	for (uint32_t i = 0; i < rows.n; i++) {
		const char *cls = sql_cell(&rows, i, 0), *ip = sql_cell(&rows, i, 1);
		struct origin at = {arena_fmt(b->a, "%s#%s/%s", f->s->shown, cls, ip), 0, 0};
		struct inv_group *g = inventory_add_group(b, cls, at);
		struct value *vars = value_map(b->a);
		map_put(&f->vars, arena_fmt(b->a, "%s %s", cls, ip), vars);
		inventory_add_mention(b, inventory_add_host(b, ip, g, at), g, vars);
	}
	if (!rows_of(f, &rows, "cls, host(ip), key, value", "host_var", "mtime"))
		return false;
	for (uint32_t i = 0; i < rows.n; i++) {
		const char *cls = sql_cell(&rows, i, 0), *ip = sql_cell(&rows, i, 1), *key = sql_cell(&rows, i, 2);
		const char *place = arena_fmt(b->a, "%s#%s/%s/%s", f->s->shown, cls, ip, key);
		struct value *vars = map_get(&f->vars, arena_fmt(b->a, "%s %s", cls, ip)), *v;
		struct inv_host *h = map_get(&b->inv->host_index, ip);
		if (!vars || !h) /* values of no host: where the database has no foreign keys */
			continue;
		if (!value_read(f, &v, place, sql_cell(&rows, i, 3)))
			return false;
		inventory_own(b, &h->vars);
		value_put_at(b->a, h->vars, key, v, v->at);
		value_put_at(b->a, vars, key, v, v->at);
	}
	return true;
}

static bool all_read(struct from *f)
{
	return globals_read(f) && groups_read(f) && hosts_read(f);
}

bool inventory_read_sql(struct inv_build *b, const char *source)
{
	struct sql *s;
	const char *schema;

	if (!sql_open(&s, b->a, source, "pig", b->e))
		return false;
	struct from f = {.b = b, .s = s, .vars = MAP(b->a)};
	bool ok = sql_do(s, NULL, "begin isolation level repeatable read read only", NULL, 0, b->e) &&
		  inventory_sql_schema(s, &schema, b->e);
	if (ok) {
		f.schema = sql_name(s, schema);
		ok = all_read(&f);
	}
	sql_close(s);
	b->inv->database = source;
	return ok;
}

/* ---- filling: what a value is in the database ---- */
struct to {
	struct sql *s;
	const struct inventory *inv;
	const struct modules *modules;
	const char *schema; /* quoted */
	struct arena *a;
	struct err *e;
};

static bool unfit(struct to *t, const struct value *v, const char *key, const char *why, const char *hint)
{
	fail(t->e, E_INPUT, "\"%s\" %s", key, why);
	err_hint(t->e, "%s", hint);
	return err_at_value(t->e, v);
}

/* What the database would give back as something else. */
static bool fits(struct to *t, const struct value *v, const char *key)
{
	const char *s = v->type == V_STR ? v->u.str.s : "";

	if (v->flags & V_SECRET && !(v->flags & V_VAULT))
		return unfit(t, v, key, "comes from an encrypted file, and the database would hold it openly",
			     "Encrypt the value itself: pig vault encrypt_string.");
	if (v->type == V_STR && strlen(s) != v->u.str.n)
		return unfit(t, v, key, "holds a NUL character, which a database cannot keep", "Take it out.");
	if (!(v->flags & V_LITERAL) && text_is_template(s, strlen(s)))
		return unfit(t, v, key, "holds a template, and values from a database are data",
			     "Write what it comes to, or ${name} of a parameter.");
	for (size_t i = 0; (v->type == V_LIST || v->type == V_MAP) && i < value_len(v); i++)
		if (!fits(t, value_at(v, i), key))
			return false;
	return true;
}

static struct value *with_mark(struct arena *a, const char *mark, const struct value *v)
{
	struct value *out = value_map(a);

	value_put(a, out, mark, value_str(a, v->u.str.s));
	return out;
}

/* A parameter that is text takes plain scalars as they were written: 1.10 is "1.10" there too. What is encrypted, or no
 * template whatever it looks like, is marked as Ansible does it in JSON. */
static struct value *stored(struct arena *a, const struct shape *sh, const struct value *v)
{
	struct value *out;

	if (v->type == V_STR && v->flags & (V_VAULT | V_LITERAL))
		return with_mark(a, v->flags & V_VAULT ? "__ansible_vault" : "__ansible_unsafe", v);
	if (sh && (sh->row->type == PIG_STR || sh->row->type == PIG_ENUM) && v->source && v->type != V_NULL &&
	    v->type != V_STR)
		return value_str(a, v->source);
	if (v->type != V_LIST && v->type != V_MAP)
		return (struct value *)(uintptr_t)v;
	out = v->type == V_LIST ? value_list(a) : value_map(a);
	for (size_t i = 0; i < value_len(v); i++) {
		const char *key = v->type == V_MAP ? value_key_at(v, i) : NULL;
		const struct shape *m = key && sh ? sh->any : sh;
		for (uint32_t k = 0; key && sh && k < sh->n; k++)
			if (!strcmp(sh->members[k].row->name, key))
				m = &sh->members[k];
		if (key)
			value_put(a, out, key, stored(a, m, value_at(v, i)));
		else
			value_push(a, out, stored(a, m, value_at(v, i)));
	}
	return out;
}

static struct value *stored_as(const struct to *t, const char *key, const struct value *v)
{
	const struct param *p = t->modules ? map_get(&t->modules->params, key) : NULL;

	if (t->modules && !p)
		p = map_get(&t->modules->was, key);
	return stored(t->a, p ? p->shape : NULL, v);
}

/* ---- filling: rows ---- */
/* [{"c": cls, "h": ip, "k": key, "v": value}, ...] */
static struct value *row(struct to *t, struct value *rows, const char *cls, const char *ip)
{
	struct value *r = value_map(t->a);

	if (cls)
		value_put(t->a, r, "c", value_str(t->a, cls));
	if (ip)
		value_put(t->a, r, "h", value_str(t->a, ip));
	value_push(t->a, rows, r);
	return r;
}

static bool vars_rows(struct to *t, struct value *rows, const char *cls, const char *ip, const struct value *vars)
{
	for (size_t i = 0; i < value_len(vars); i++) {
		const char *key = value_key_at(vars, i);
		if (!fits(t, value_at(vars, i), key))
			return false;
		struct value *r = row(t, rows, cls, ip);
		value_put(t->a, r, "k", value_str(t->a, key));
		value_put(t->a, r, "v", stored_as(t, key, value_at(vars, i)));
	}
	return true;
}

static bool rows_put(struct to *t, const char *insert, const struct value *rows)
{
	struct buf b = BUF(t->a);
	const char *params[1];

	if (!value_to_json(&b, rows, &(struct json_style){.tight = true}))
		return fail(t->e, E_INPUT, "the inventory is nested too deep for a database");
	params[0] = buf_text(&b);
	/* the order of the rows is kept by their times */
	return sql_do(t->s, NULL,
		      arena_fmt(t->a,
				"insert into %s.%s from jsonb_array_elements($1::jsonb) with ordinality as t (r, i)",
				t->schema, insert),
		      params, 1, t->e);
}
#define AT "now() + i * interval '1 microsecond'"

/* ansible_group_priority is no value of the group once it has been read. */
static bool priority_row(struct to *t, struct value *rows, const struct inv_group *g)
{
	struct value *vars = value_map(t->a);

	if (g->priority != 1)
		value_put(t->a, vars, "ansible_group_priority", value_int(t->a, g->priority));
	return vars_rows(t, rows, g->name, NULL, vars);
}

static bool groups_put(struct to *t)
{
	struct value *names = value_list(t->a), *hosts = value_list(t->a), *vars = value_list(t->a),
		     *globals = value_list(t->a);

	for (uint32_t i = 0; i < t->inv->n_groups; i++) {
		const struct inv_group *g = t->inv->groups[i];
		uint32_t n;
		struct inv_host **members = inventory_group_hosts(t->a, g, &n);
		if (!i) {
			if (!vars_rows(t, globals, NULL, NULL, g->vars))
				return false;
			continue;
		}
		if (!strcmp(g->name, "ungrouped") && !n && !value_len(g->vars))
			continue;
		row(t, names, g->name, NULL);
		for (uint32_t k = 0; k < n; k++)
			row(t, hosts, g->name, members[k]->name);
		if (!vars_rows(t, vars, g->name, NULL, g->vars) || !priority_row(t, vars, g))
			return false;
	}
	return rows_put(t, "global_var (key, value, mtime) select r ->> 'k', r -> 'v', " AT, globals) &&
	       rows_put(t, "\"group\" (cls, ctime, mtime) select r ->> 'c', " AT ", now()", names) &&
	       rows_put(t, "group_var (cls, key, value, mtime) select r ->> 'c', r ->> 'k', r -> 'v', " AT, vars) &&
	       rows_put(t, "host (cls, ip, ctime, mtime) select r ->> 'c', (r ->> 'h')::inet, " AT ", now()", hosts);
}

/* Of each mention, the values that stand there; what no mention holds (host_vars/, a port) goes with the host's first
 * one. */
static struct value **mention_vars(const struct inventory *inv, struct arena *a)
{
	struct value **vars = arena_new_of(a, struct value *, inv->n_mentions);
	struct value **rest = arena_new_of(a, struct value *, inv->n_hosts);

	for (uint32_t i = 0; i < inv->n_mentions; i++) {
		const struct inv_mention *m = &inv->mentions[i];
		struct value **left = &rest[m->host->index];
		if (!*left)
			*left = value_copy(a, m->host->vars);
		vars[i] = value_map(a);
		for (size_t k = 0; k < value_len(m->vars); k++) {
			const char *key = value_key_at(m->vars, k);
			value_put(a, vars[i], key, value_get(m->host->vars, key));
			value_del(*left, key);
		}
	}
	for (uint32_t i = 0; i < inv->n_mentions; i++) {
		struct value *left = rest[inv->mentions[i].host->index];
		while (value_len(left)) {
			const char *key = value_key_at(left, 0);
			value_put(a, vars[i], key, value_get(inv->mentions[i].host->vars, key));
			value_del(left, key);
		}
	}
	return vars;
}

static bool hosts_put(struct to *t)
{
	struct value *rows = value_list(t->a), **vars = mention_vars(t->inv, t->a);

	for (uint32_t i = 0; i < t->inv->n_mentions; i++)
		if (!vars_rows(t, rows, t->inv->mentions[i].group->name, t->inv->mentions[i].host->name, vars[i]))
			return false;
	return rows_put(
		t,
		"host_var (cls, ip, key, value, mtime) select r ->> 'c', (r ->> 'h')::inet, r ->> 'k', r -> 'v', " AT,
		rows);
}

/* What the modules know, for those who look at the database alone. */
static bool defaults_put(struct to *t)
{
	static const char *const levels[] = {"global", "global", "group", "ins", "arg"};
	struct value *rows = value_list(t->a);
	struct sql_rows there;
	const char *const params[] = {arena_fmt(t->a, "%s.default_var", t->schema)};

	if (!t->modules || !sql_do(t->s, &there, "select to_regclass($1)", params, 1, t->e))
		return !t->modules;
	if (!sql_cell(&there, 0, 0))
		return true;
	for (uint32_t i = 0; i < t->modules->params.n; i++) {
		const struct param *p = t->modules->params.items[i].val;
		struct value *r = value_map(t->a);
		value_put(t->a, r, "k", value_str(t->a, p->row->name));
		value_put(t->a, r, "v", p->dflt ? (struct value *)(uintptr_t)p->dflt : value_null(t->a));
		value_put(t->a, r, "m", value_str(t->a, p->module->m->name));
		value_put(t->a, r, "t", value_str(t->a, param_type_name(p->row->type)));
		value_put(t->a, r, "l", value_str(t->a, levels[p->row->level]));
		value_put(t->a, r, "s", value_str(t->a, p->row->text ? p->row->text : ""));
		value_push(t->a, rows, r);
	}
	return sql_do(t->s, NULL, arena_fmt(t->a, "truncate %s.default_var", t->schema), NULL, 0, t->e) &&
	       rows_put(t,
			"default_var (id, key, value, module, type, level, summary) select i, r ->> 'k', r -> 'v', "
			"upper(r ->> 'm'), r ->> 't', r ->> 'l', r ->> 's'",
			rows);
}

/* ---- filling: is it the same? ---- */
static bool differs(struct to *t, const struct inv_host *h, const char *key, const struct value *at)
{
	fail(t->e, E_INPUT, "host \"%s\" would see another \"%s\" from the database than from the files", h->name, key);
	err_hint(t->e, "Groups there are flat: set it once, on the host or in the vars of all.");
	return at ? err_at_value(t->e, at) : false;
}

static bool host_same(struct to *t, const struct inv_host *h, const struct inventory *back)
{
	const struct inv_host *other = inventory_host(back, h->name);

	if (!other)
		return fail(t->e, E_INPUT, "host \"%s\" does not come back from the database", h->name);
	struct value *want = inventory_vars(t->inv, t->a, h), *got = inventory_vars(back, t->a, other);
	for (size_t i = 0; i < value_len(want); i++) {
		const char *key = value_key_at(want, i);
		const struct value *v = value_get(got, key);
		if (!v || !value_equal(stored_as(t, key, value_at(want, i)), stored_as(t, key, v)))
			return differs(t, h, key, value_at(want, i));
	}
	return value_len(got) == value_len(want) || differs(t, h, "set of values", NULL);
}

static bool all_same(struct to *t)
{
	struct inv_build b;
	struct from f = {.b = &b, .s = t->s, .schema = t->schema, .vars = MAP(t->a)};

	inventory_begin(&b, t->a, t->e);
	if (!all_read(&f) || !inventory_finish(&b))
		return false;
	if (b.inv->n_hosts != t->inv->n_hosts)
		return fail(t->e, E_INPUT, "%u hosts come back from the database instead of %u", b.inv->n_hosts,
			    t->inv->n_hosts);
	for (uint32_t i = 0; i < t->inv->n_hosts; i++)
		if (!host_same(t, t->inv->hosts[i], b.inv))
			return false;
	return true;
}

static bool hosts_fit(struct to *t)
{
	for (uint32_t i = 0; i < t->inv->n_hosts; i++) {
		const struct inv_host *h = t->inv->hosts[i];
		unsigned char raw[16];
		if (inet_pton(AF_INET, h->name, raw) == 1 || inet_pton(AF_INET6, h->name, raw) == 1)
			continue;
		fail(t->e, E_INPUT, "host \"%s\" is no address: the database knows hosts by their addresses", h->name);
		err_hint(t->e, "Name it by its address; nodename: says what it is called.");
		return err_at(t->e, h->at.file, h->at.line, h->at.col);
	}
	return true;
}

static bool fill(struct to *t)
{
	return sql_do(t->s, NULL,
		      arena_fmt(t->a, "truncate %s.host_var, %s.group_var, %s.host, %s.\"group\", %s.global_var",
				t->schema, t->schema, t->schema, t->schema, t->schema),
		      NULL, 0, t->e) &&
	       groups_put(t) && hosts_put(t) && defaults_put(t) && all_same(t);
}

bool inventory_sql_load(struct sql *s, const struct inventory *inv, const struct modules *ms, struct err *e)
{
	struct to t = {.s = s, .inv = inv, .modules = ms, .a = s->a, .e = e};
	struct err ignored = {0};
	const char *schema;

	if (!hosts_fit(&t) || !inventory_sql_schema(s, &schema, e))
		return false;
	t.schema = sql_name(s, schema);
	if (!sql_do(s, NULL, "begin", NULL, 0, e))
		return false;
	if (fill(&t))
		return sql_do(s, NULL, "commit", NULL, 0, e);
	sql_do(s, NULL, "rollback", NULL, 0, &ignored);
	return err_wrap(e, "nothing was loaded");
}

/* ---- as a document ---- */
struct value *inventory_document(const struct inventory *inv, struct arena *a, bool marks)
{
	struct value *doc = value_map(a), *all = value_map(a), *children = value_map(a), **vars = mention_vars(inv, a);

	for (uint32_t i = 1; i < inv->n_groups; i++) {
		const struct inv_group *g = inv->groups[i];
		struct value *one = value_map(a), *hosts = value_map(a);
		for (uint32_t k = 0; k < inv->n_mentions; k++)
			if (inv->mentions[k].group == g)
				value_put(a, hosts, inv->mentions[k].host->name, vars[k]);
		if (!strcmp(g->name, "ungrouped") && !value_len(hosts))
			continue;
		if (value_len(hosts))
			value_put(a, one, "hosts", hosts);
		struct value *own = g->vars;
		if (g->priority != 1) {
			own = value_copy(a, g->vars);
			value_put(a, own, "ansible_group_priority", value_int(a, g->priority));
		}
		if (value_len(own))
			value_put(a, one, "vars", own);
		value_put(a, children, g->name, one);
	}
	if (value_len(children))
		value_put(a, all, "children", children);
	if (value_len(inv->groups[0]->vars))
		value_put(a, all, "vars", inv->groups[0]->vars);
	value_put(a, doc, "all", all);
	return marks ? stored(a, NULL, doc) : doc;
}
