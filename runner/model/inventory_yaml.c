/*
 * Inventories written in YAML or JSON: groups at the top, each with hosts, children and vars. Misplaced keys are errors
 * here, where Ansible passes over them with a warning: a host under a mistyped section would silently be no host.
 */
#include <string.h>

#include "base/map.h"
#include "model/inventory_build.h"

static const char *const sections[] = { "hosts", "children", "vars" };

static bool group_read(struct inv_build *b, const struct entry *en, struct inv_group **out);

static bool key_fault(struct inv_build *b, const struct entry *en, const struct inv_group *g)
{
	const char *near = nearest(en->key, sections, sizeof sections / sizeof *sections);

	fail(b->e, E_INPUT, "unknown key \"%s\" in group \"%s\"", en->key, g->name);
	if (near)
		err_hint(b->e, "Did you mean \"%s\"?", near);
	else
		err_hint(b->e, "A group has hosts, children and vars: put hosts under \"hosts:\", groups under "
			 "\"children:\", values under \"vars:\".");
	return err_at(b->e, en->at.file, en->at.line, en->at.col);
}

static bool hosts_read(struct inv_build *b, struct inv_group *g, const struct value *hosts)
{
	for (uint32_t i = 0; i < hosts->u.map.n; i++) {
		const struct entry *en = &hosts->u.map.items[i];
		if (en->val->type != V_NULL && en->val->type != V_MAP) {
			fail(b->e, E_INPUT, "host \"%s\" must hold a map of values, not a %s", en->key,
				value_type_name(en->val));
			err_at_value(b->e, en->val);
			return err_hint(b->e, "Write \"%s:\" alone, or \"%s: { name: value }\".", en->key, en->key);
		}
		if (!inventory_add_pattern(b, en->key, g, en->val, en->at))
			return false;
	}
	return true;
}

static bool section_read(struct inv_build *b, struct inv_group *g, const struct entry *section)
{
	const struct value *v = section->val;

	if (v->type == V_NULL)
		return true;
	if (v->type == V_STR && strcmp(section->key, "vars")) { /* "hosts: one" is short for "hosts: { one: }" */
		struct value *map = value_map(b->a);
		value_put_at(b->a, map, v->u.str.s, value_null(b->a), v->at);
		v = map;
	}
	if (v->type != V_MAP) {
		fail(b->e, E_INPUT, "\"%s\" of group \"%s\" must be a map, not a %s", section->key, g->name,
			value_type_name(v));
		err_at_value(b->e, v);
		if (v->type == V_LIST && *section->key != 'v')
			err_hint(b->e, "Write names with a colon instead of a dash: \"name:\".");
		return false;
	}
	if (*section->key == 'h')
		return hosts_read(b, g, v);
	if (*section->key == 'v' && !value_get(v, "ansible_group_priority") && inventory_adopt(&g->parts->files, v))
		return true;
	for (uint32_t i = 0; i < v->u.map.n; i++) {
		const struct entry *en = &v->u.map.items[i];
		if (*section->key == 'v') {
			if (!inventory_set_group_var(b, g, en->key, en->val, en->at))
				return false;
			continue;
		}
		struct inv_group *child;
		if (!group_read(b, en, &child))
			return false;
		inventory_add_child(b, g, child, en->at);
	}
	return true;
}

static bool group_read(struct inv_build *b, const struct entry *en, struct inv_group **out)
{
	if (!*en->key) {
		fail(b->e, E_INPUT, "a group has an empty name");
		return err_at(b->e, en->at.file, en->at.line, en->at.col);
	}
	struct inv_group *g = inventory_add_group(b, en->key, en->at);

	*out = g;
	if (en->val->type == V_NULL)
		return true;
	if (en->val->type != V_MAP) {
		fail(b->e, E_INPUT, "group \"%s\" must be a map with hosts, children or vars, not a %s", g->name,
		     value_type_name(en->val));
		return err_at_value(b->e, en->val);
	}
	for (uint32_t i = 0; i < en->val->u.map.n; i++) {
		const struct entry *section = &en->val->u.map.items[i];
		bool known = false;
		for (size_t k = 0; k < sizeof sections / sizeof *sections; k++)
			known |= !strcmp(section->key, sections[k]);
		if (!known)
			return key_fault(b, section, g);
		if (!section_read(b, g, section))
			return false;
	}
	return true;
}

bool inventory_read_yaml(struct inv_build *b, const char *path, const struct value *doc)
{
	if (doc->type == V_NULL) {
		fail(b->e, E_INPUT, "inventory \"%s\" is empty", path);
		return err_hint(b->e, "It needs at least one group: \"all: { hosts: { 10.10.10.10: } }\".");
	}
	if (doc->type != V_MAP) {
		fail(b->e, E_INPUT, "inventory \"%s\" must be a map of groups, not a %s", path, value_type_name(doc));
		return err_at_value(b->e, doc);
	}
	const struct entry *plugin = value_entry(doc, "plugin");
	if (plugin && plugin->val->type == V_STR) {
		fail(b->e, E_INPUT, "inventory plugin \"%s\" is not known here", plugin->val->u.str.s);
		err_hint(b->e, "Write its result to a file: ansible-inventory --list -y, and use that.");
		return err_at_value(b->e, plugin->val);
	}
	for (uint32_t i = 0; i < doc->u.map.n; i++) {
		struct inv_group *g;
		if (!group_read(b, &doc->u.map.items[i], &g))
			return false;
	}
	return true;
}
