/*
 * Executable inventories: `script --list` prints groups as JSON, `_meta.hostvars` the hosts' values; a script without
 * that is asked `--host NAME` for each. What a script says is data and never a template, so every value is marked
 * literal.
 */
#include <string.h>

#include "base/os.h"
#include "model/inventory_build.h"

static bool script_run(struct inv_build *b, const char *path, const char *option, const char *arg, struct value **out)
{
	const char *file = strchr(path, '/') ? path : arena_fmt(b->a, "./%s", path);
	const char *const argv[] = { file, option, arg, NULL };
	struct os_cmd cmd = { .argv = argv };
	struct buf text = BUF(b->a), errs = BUF(b->a);
	const char *shown = arena_fmt(b->a, "%s %s%s%s", path, option, arg ? " " : "", arg ? arg : "");
	int status = 0;

	if (!os_run(&cmd, &text, &errs, &status, b->e))
		return err_wrap(b->e, "inventory script \"%s\"", shown);
	if (status) {
		fail(b->e, E_INPUT, "inventory script \"%s\" ended with status %d", shown, status);
		return err_detail(b->e, "%.*s", (int)(errs.len > 2000 ? 2000 : errs.len), buf_text(&errs));
	}
	if (arg && !buf_text(&text)[strspn(buf_text(&text), " \t\r\n")]) {
		*out = value_map(b->a);
		return true;
	}
	if (!value_from_json(out, b->a, shown, buf_text(&text), text.len, b->e))
		return err_wrap(b->e, "inventory script \"%s\"", shown);
	*out = value_literal(b->a, inventory_json_marks(b->a, *out));
	if ((*out)->type == V_MAP)
		return true;
	fail(b->e, E_INPUT, "inventory script \"%s\" must print a map, not a %s", shown, value_type_name(*out));
	return err_at_value(b->e, *out);
}

static bool shape_fault(struct inv_build *b, const struct value *v, const char *group, const char *part,
	const char *want)
{
	fail(b->e, E_INPUT, "%s of group \"%s\" must be %s, not a %s", part, group, want, value_type_name(v));
	return err_at_value(b->e, v);
}

static bool names_check(struct inv_build *b, const struct value *list, const char *group, const char *part)
{
	if (list->type != V_LIST)
		return shape_fault(b, list, group, part, "a list of names");
	for (size_t i = 0; i < value_len(list); i++)
		if (!*value_cstr(value_at(list, i), ""))
			return shape_fault(b, value_at(list, i), group, part, "a list of names");
	return true;
}

static bool group_read(struct inv_build *b, const struct entry *en, struct map *hosts)
{
	struct inv_group *g = inventory_add_group(b, en->key, en->at);
	struct value *list = value_get(en->val, "hosts"), *children = value_get(en->val, "children");
	struct value *vars = value_get(en->val, "vars");

	if (en->val->type != V_MAP) {
		list = en->val;
	} else if (!list && !children && !vars) { /* short for one host of the group's name */
		list = value_list(b->a);
		value_push(b->a, list, value_str(b->a, en->key));
		vars = en->val;
	}
	if (list && !names_check(b, list, g->name, "hosts"))
		return false;
	for (size_t i = 0; i < value_len(list); i++) {
		struct inv_host *h = inventory_add_host(b, value_cstr(value_at(list, i), ""), g, value_at(list, i)->at);
		map_put(hosts, h->name, h);
	}
	if (vars && vars->type != V_MAP)
		return shape_fault(b, vars, g->name, "vars", "a map");
	for (uint32_t i = 0; vars && i < vars->u.map.n; i++) {
		const struct entry *var = &vars->u.map.items[i];
		if (!inventory_set_group_var(b, g, var->key, var->val, var->at))
			return false;
	}
	if (children && !names_check(b, children, g->name, "children"))
		return false;
	for (size_t i = 0; i < value_len(children); i++) {
		const struct value *name = value_at(children, i);
		inventory_add_child(b, g, inventory_add_group(b, value_cstr(name, ""), name->at), name->at);
	}
	return true;
}

bool inventory_read_script(struct inv_build *b, const char *path)
{
	struct value *doc = NULL;
	struct map hosts = MAP(b->a);

	if (!script_run(b, path, "--list", NULL, &doc))
		return false;
	for (uint32_t i = 0; i < doc->u.map.n; i++)
		if (strcmp(doc->u.map.items[i].key, "_meta") && !group_read(b, &doc->u.map.items[i], &hosts))
			return false;

	const struct value *meta = value_path(doc, "_meta.hostvars");
	for (uint32_t i = 0; i < hosts.n; i++) {
		struct inv_host *h = hosts.items[i].val;
		struct value *vars = value_get(meta, h->name);
		if (!meta && !script_run(b, path, "--host", h->name, &vars))
			return false;
		if (vars && vars->type != V_MAP) {
			fail(b->e, E_INPUT, "values of host \"%s\" must be a map, not a %s", h->name,
				value_type_name(vars));
			return err_at_value(b->e, vars);
		}
		for (uint32_t k = 0; vars && k < vars->u.map.n; k++) {
			const struct entry *en = &vars->u.map.items[k];
			inventory_own(b, &h->vars);
			inventory_put(b->inv, h->vars, en->key, en->val, en->at);
		}
	}
	return true;
}
