/*
 * YAML into values, over libyaml's events. libyaml checks syntax and nothing else, so every guard stands here: depth,
 * nodes (shared parts counted as often as they are used, or a nine-line bomb would unfold later), alias uses, duplicate
 * keys, an alias inside its own anchor. What a plain scalar means is plain.c's; what the keys mean is the caller's.
 */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "value/kept.h"
#include "value/plain.h"
#include "value/value.h"

enum { DEPTH_MAX = 64, NODES_MAX = 4000000, SHARED_MAX = 1000000, ALIASES_MAX = 10000 };

#define TAG "tag:yaml.org,2002:"

struct anchor {
	struct value *val; /* NULL while the node is still open */
	long weight;
	struct origin at;
};

struct reader {
	yaml_parser_t parser;
	struct arena *a, *scratch;
	const char *file, *text;
	size_t len;
	struct err *e;
	struct map anchors;
	struct map keys; /* text_kept: as value, the text where it lives */
	long nodes, aliases, shared; /* nodes: shared ones counted each time; shared: those alone */
	int depth, literal; /* literal: how many `!unsafe` are open */
	bool any_tag;
	struct value *all; /* NULL: one document is wanted */
};

struct pair { const char *key; struct value *val; struct origin at; };

static bool node_read(struct reader *r, const yaml_event_t *ev, struct value **out);

/* ---- places and errors ---- */

static struct origin mark_origin(const struct reader *r, const yaml_mark_t *m)
{
	return (struct origin){ r->file, (uint32_t)m->line + 1, (uint32_t)m->column + 1 };
}

static bool fault(struct reader *r, struct origin at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool fault(struct reader *r, struct origin at, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail(r->e, E_INPUT, "%s", text);
	return err_at(r->e, at.file, at.line, at.col);
}

/* The reader of libyaml gives only a byte offset for bad characters. */
static struct origin offset_origin(const struct reader *r, size_t offset)
{
	struct origin at = { r->file, 1, 1 };

	for (size_t i = 0; i < offset && i < r->len; i++) {
		at.col++;
		if (r->text[i] == '\n') {
			at.line++;
			at.col = 1;
		}
	}
	return at;
}

static bool parser_fault(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "unknown fault";

	if (p->error == YAML_MEMORY_ERROR)
		bug("out of memory in libyaml");
	if (p->error == YAML_READER_ERROR)
		return fault(r, offset_origin(r, p->problem_offset), "not valid YAML: %s", problem);
	fault(r, mark_origin(r, &p->problem_mark), "not valid YAML: %s%s%s", p->context ? p->context : "",
	      p->context ? ", " : "", problem);
	if (p->context)
		err_detail(r->e, "what was being read began at line %zu, column %zu", p->context_mark.line + 1,
			   p->context_mark.column + 1);
	if (strstr(problem, "cannot start any token"))
		err_hint(r->e, "Indent with spaces, never with tabs; quote text that begins with @, `, %% or a tab.");
	else if (strstr(problem, "mapping values are not allowed"))
		err_hint(r->e, "Quote values with \": \"; check the indentation here and above.");
	return false;
}

static bool event_next(struct reader *r, yaml_event_t *ev)
{
	return yaml_parser_parse(&r->parser, ev) ? true : parser_fault(r);
}

/* ---- scalars ---- */

static bool is_tag(const char *tag, const char *name)
{
	return tag && !strncmp(tag, TAG, sizeof TAG - 1) && !strcmp(tag + sizeof TAG - 1, name);
}

/* An explicit !!int and so on: the text must be one, quoted or not. */
static bool tagged_scalar(struct reader *r, struct value *v, const char *tag, struct origin at)
{
	static const struct { const char *name; enum value_type type; } tags[] = {
		{ "str", V_STR }, { "binary", V_STR }, { "timestamp", V_STR },
		{ "int", V_INT }, { "float", V_FLOAT }, { "bool", V_BOOL }, { "null", V_NULL },
	};
	const char *s = v->u.str.s;
	size_t n = v->u.str.n;

	if (!strcmp(tag, "!unsafe")) {
		v->flags |= V_LITERAL;
		return true;
	}
	if (!strcmp(tag, "!vault") || !strcmp(tag, "!vault-encrypted")) {
		v->flags |= V_SECRET | V_VAULT;
		if (strncmp(s, "$ANSIBLE_VAULT;", 15))
			return fault(r, at, "a !vault value must begin with \"$ANSIBLE_VAULT;\"");
		return true;
	}
	if (!strcmp(tag, "!"))
		return true;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		if (!is_tag(tag, tags[i].name))
			continue;
		if (tags[i].type == V_STR)
			return true;
		struct value got = *v;
		plain_resolve(&got, s, n);
		if (tags[i].type == V_FLOAT && got.type == V_INT) {
			got.u.f = (double)got.u.i;
			got.type = V_FLOAT;
		}
		if (got.type != tags[i].type)
			return fault(r, at, "\"%s\" is no %s, as its tag says", s, tags[i].name);
		*v = got;
		return true;
	}
	if (r->any_tag)
		return true;
	fault(r, at, "unknown tag \"%s\"", tag);
	return err_hint(r->e, "Known are !unsafe, !vault and YAML's own, such as !!str.");
}

enum { SHORT = 16 };

/* A text that many places have in common is held once: keys, and what is short. */
static const char *text_kept(struct reader *r, const char *s)
{
	char *kept = map_get(&r->keys, s);

	if (!kept)
		map_put(&r->keys, s, kept = arena_str(r->a, s));
	return kept;
}

static struct value *text_value(struct reader *r, const char *s, size_t n)
{
	if (n >= SHORT || strlen(s) != n)
		return value_strn(r->a, s, n);

	struct value *v = value_null(r->a);
	v->type = V_STR;
	v->u.str.s = text_kept(r, s);
	v->u.str.n = n;
	return v;
}

static bool scalar_read(struct reader *r, const yaml_event_t *ev, struct value **out)
{
	const char *s = (const char *)ev->data.scalar.value, *tag = (const char *)ev->data.scalar.tag;
	size_t n = ev->data.scalar.length;
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct value *v = text_value(r, s, n);

	*out = v;
	v->at = mark_origin(r, &ev->start_mark);
	v->flags = plain ? V_PLAIN : V_QUOTED;
	if (r->literal)
		v->flags |= V_LITERAL;
	if (plain)
		v->source = v->u.str.s;
	if (tag)
		return tagged_scalar(r, v, tag, v->at);
	if (plain)
		plain_resolve(v, v->source, n);
	return true;
}

/* ---- lists and maps ---- */

/* 1: !unsafe, 0: none or one of YAML's own, -1: unknown, e is filled. */
static int tag_of_collection(struct reader *r, const char *tag, struct origin at)
{
	static const char *const own[] = { "map", "seq", "set", "omap", "pairs" };

	if (!tag || !strcmp(tag, "!"))
		return 0;
	if (!strcmp(tag, "!unsafe"))
		return 1;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (r->any_tag || is_tag(tag, own[i]))
			return 0;
	fault(r, at, "unknown tag \"%s\"", tag);
	err_hint(r->e, "Known are !unsafe, !vault and YAML's own, such as !!str.");
	return -1;
}

static bool list_read(struct reader *r, struct value *list)
{
	for (;;) {
		yaml_event_t ev;
		if (!event_next(r, &ev))
			return false;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return true;
		}
		struct value *item = NULL;
		bool ok = node_read(r, &ev, &item);
		yaml_event_delete(&ev);
		if (!ok)
			return false;
		value_push(r->a, list, item);
	}
}

/* The key's text: of a string its value, of any other scalar its source, so `1:` and `yes:` are "1" and "yes". */
static bool key_read(struct reader *r, const yaml_event_t *ev, const char **key, bool *merge)
{
	struct origin at = mark_origin(r, &ev->start_mark);
	struct value *v = NULL;

	*merge = ev->type == YAML_SCALAR_EVENT && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		 (ev->data.scalar.tag ? is_tag((const char *)ev->data.scalar.tag, "merge") : true) &&
		 !strcmp((const char *)ev->data.scalar.value, "<<");
	if (*merge) {
		*key = "<<";
		return true;
	}
	if (ev->type != YAML_SCALAR_EVENT && ev->type != YAML_ALIAS_EVENT) {
		fault(r, at, "a key must be a scalar, not a list or a map");
		return err_hint(r->e, "Quote a key or value that begins with { or [, such as \"{{ name }}\".");
	}
	if (ev->type == YAML_SCALAR_EVENT && !ev->data.scalar.tag && !ev->data.scalar.anchor) {
		const char *s = (const char *)ev->data.scalar.value;
		if (++r->nodes > NODES_MAX)
			return fault(r, at, "more than %d values", NODES_MAX);
		if (strlen(s) != ev->data.scalar.length)
			return fault(r, at, "a key must not hold a NUL character");
		*key = text_kept(r, s);
		return true;
	}
	if (!node_read(r, ev, &v))
		return false;
	if (v->type == V_LIST || v->type == V_MAP)
		return fault(r, at, "a key must be a scalar, not a %s", value_type_name(v));
	if (v->type != V_STR && !v->source)
		return fault(r, at, "a key must be text");
	*key = v->type == V_STR ? v->u.str.s : v->source;
	if (v->type == V_STR && strlen(*key) != v->u.str.n)
		return fault(r, at, "a key must not hold a NUL character");
	return true;
}

/* Collect the pairs of one merged map or list of maps; the last in a list weighs least and so goes in first. */
static bool merge_take(struct reader *r, struct value *into, const struct value *from, struct origin at)
{
	if (from->type == V_MAP) {
		for (uint32_t i = 0; i < from->u.map.n; i++) {
			const struct entry *en = &from->u.map.items[i];
			r->nodes++;
			if (++r->shared > SHARED_MAX || r->nodes > NODES_MAX)
				return fault(r, at, "more than %d values behind aliases", SHARED_MAX);
			value_put_at(r->a, into, en->key, en->val, en->at);
		}
		return true;
	}
	if (from->type != V_LIST)
		return fault(r, at, "\"<<\" needs a map or a list of maps, not a %s", value_type_name(from));
	for (uint32_t i = from->u.list.n; i-- > 0;) {
		const struct value *item = from->u.list.items[i];
		if (item->type != V_MAP)
			return fault(r, at, "\"<<\" needs maps in its list, not a %s", value_type_name(item));
		if (!merge_take(r, into, item, at))
			return false;
	}
	return true;
}

static bool pair_read(struct reader *r, const yaml_event_t *ev, struct value *map, struct value **merged,
	struct origin *merge_at)
{
	struct origin at = mark_origin(r, &ev->start_mark);
	struct value *val = NULL;
	const char *key = NULL;
	bool merge;
	yaml_event_t next;

	if (!key_read(r, ev, &key, &merge))
		return false;

	const struct entry *before = merge ? NULL : value_entry(map, key);
	struct origin first = before ? before->at : *merge_at;
	if (before || (merge && *merged)) {
		fault(r, at, "key \"%s\" is written twice in one map", key);
		err_detail(r->e, "first at line %u, column %u", first.line, first.col);
		return err_hint(r->e, "%s", merge ? "Merge several maps by one list: <<: [*a, *b]."
						  : "Remove one of the two.");
	}
	if (!event_next(r, &next))
		return false;
	bool ok = node_read(r, &next, &val);
	yaml_event_delete(&next);
	if (!ok)
		return false;
	if (merge) {
		*merged = val;
		*merge_at = at;
	} else {
		value_put_kept(r->scratch, map, key, val, at);
	}
	return true;
}

static bool map_read(struct reader *r, struct value *map)
{
	struct value *merged = NULL;
	struct origin merge_at = { 0 };

	for (;;) {
		yaml_event_t ev;
		if (!event_next(r, &ev))
			return false;
		bool end = ev.type == YAML_MAPPING_END_EVENT, ok = end || pair_read(r, &ev, map, &merged, &merge_at);
		yaml_event_delete(&ev);
		if (!ok)
			return false;
		if (end)
			break;
	}
	value_fit(r->a, map); /* it grew in the scratch arena */
	if (!merged)
		return true;

	/* Merged keys come first, as in PyYAML, and keep their place when the map's own value replaces theirs. */
	struct value *whole = value_map(r->a);
	if (!merge_take(r, whole, merged, merge_at))
		return false;
	for (uint32_t i = 0; i < map->u.map.n; i++)
		value_put_at(r->a, whole, map->u.map.items[i].key, map->u.map.items[i].val, map->u.map.items[i].at);
	map->u.map = whole->u.map;
	return true;
}

static bool collection_read(struct reader *r, const yaml_event_t *ev, struct value **out)
{
	bool is_map = ev->type == YAML_MAPPING_START_EVENT;
	const char *tag = (const char *)(is_map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag);
	struct origin at = mark_origin(r, &ev->start_mark);
	struct value *v = is_map ? value_map(r->a) : value_list(r->a);

	*out = v;
	v->at = at;
	int literal = tag_of_collection(r, tag, at);
	if (literal < 0)
		return false;
	if (r->depth == DEPTH_MAX)
		return fault(r, at, "nested deeper than %d levels", DEPTH_MAX);
	r->depth++;
	r->literal += literal;
	if (r->literal)
		v->flags |= V_LITERAL;
	bool ok = is_map ? map_read(r, v) : list_read(r, v);
	r->literal -= literal;
	r->depth--;
	return ok;
}

/* ---- nodes ---- */

static bool alias_read(struct reader *r, const yaml_event_t *ev, struct value **out)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct origin at = mark_origin(r, &ev->start_mark);
	const struct anchor *anchor = map_get(&r->anchors, name);

	if (!anchor) {
		fault(r, at, "alias \"*%s\" has no anchor \"&%s\" before it", name, name);
		return err_hint(r->e, "Quote a value that begins with an asterisk.");
	}
	if (!anchor->val)
		return fault(r, at, "alias \"*%s\" stands inside its own anchor of line %u", name, anchor->at.line);
	if (++r->aliases > ALIASES_MAX)
		return fault(r, at, "more than %d uses of aliases", ALIASES_MAX);
	r->nodes += anchor->weight;
	r->shared += anchor->weight;
	if (r->shared > SHARED_MAX || r->nodes > NODES_MAX)
		return fault(r, at, "more than %d values behind aliases", SHARED_MAX);
	*out = anchor->val;
	return true;
}

static bool node_read(struct reader *r, const yaml_event_t *ev, struct value **out)
{
	const char *name = NULL;
	struct origin at = mark_origin(r, &ev->start_mark);
	struct anchor *anchor = NULL;
	long before = r->nodes;

	if (ev->type == YAML_ALIAS_EVENT)
		return alias_read(r, ev, out);
	if (++r->nodes > NODES_MAX)
		return fault(r, at, "more than %d values", NODES_MAX);
	if (ev->type == YAML_SCALAR_EVENT)
		name = (const char *)ev->data.scalar.anchor;
	else if (ev->type == YAML_MAPPING_START_EVENT)
		name = (const char *)ev->data.mapping_start.anchor;
	else if (ev->type == YAML_SEQUENCE_START_EVENT)
		name = (const char *)ev->data.sequence_start.anchor;
	else
		return fault(r, at, "not valid YAML: a value is missing");
	if (name) {
		anchor = arena_new_of(r->scratch, struct anchor, 1);
		anchor->at = at;
		map_put(&r->anchors, name, anchor);
	}
	if (!(ev->type == YAML_SCALAR_EVENT ? scalar_read(r, ev, out) : collection_read(r, ev, out)))
		return false;
	if (anchor) {
		anchor->val = *out;
		anchor->weight = r->nodes - before;
	}
	return true;
}

static bool document_read(struct reader *r, struct value **out)
{
	for (bool have = false;;) {
		yaml_event_t ev;
		bool ok = true, end = false;
		if (!event_next(r, &ev))
			return false;
		if (ev.type == YAML_STREAM_END_EVENT) {
			end = true;
		} else if (ev.type == YAML_DOCUMENT_START_EVENT && have && !r->all) {
			ok = fault(r, mark_origin(r, &ev.start_mark), "a second document begins here; one is expected");
		} else if (ev.type != YAML_STREAM_START_EVENT && ev.type != YAML_DOCUMENT_START_EVENT &&
			   ev.type != YAML_DOCUMENT_END_EVENT) {
			have = true;
			ok = node_read(r, &ev, out);
			if (ok && r->all) {
				value_push(r->a, r->all, *out);
				r->anchors = MAP(r->scratch); /* an alias reaches no other document */
			}
		}
		yaml_event_delete(&ev);
		if (end || !ok)
			return ok;
	}
}

static bool stream_read(struct reader *r, const char *text, size_t len, struct value **out)
{
	r->scratch = arena_new();
	r->text = text ? text : "";
	r->len = text ? len : 0;
	r->anchors = r->keys = MAP(r->scratch);
	if (!yaml_parser_initialize(&r->parser))
		bug("out of memory in libyaml");
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text, r->len);
	bool ok = document_read(r, out);
	yaml_parser_delete(&r->parser);
	arena_free(r->scratch);
	return ok;
}

bool value_from_yaml_stream(struct value **out, struct arena *a, const char *file, const char *text, size_t len, bool any_tag,
	struct err *e)
{
	struct reader r = { .a = a, .file = file, .e = e, .any_tag = any_tag, .all = value_list(a) };
	struct value *last = NULL;

	r.all->at = (struct origin){ file, 1, 1 };
	if (!stream_read(&r, text, len, &last))
		return false;
	*out = r.all;
	return true;
}

bool value_from_yaml(struct value **out, struct arena *a, const char *file, const char *text, size_t len, struct err *e)
{
	struct reader r = { .a = a, .file = file, .e = e };
	struct value *v = NULL;

	if (!stream_read(&r, text, len, &v))
		return false;
	if (!v) {
		v = value_null(a);
		v->at = (struct origin){ file, 1, 1 };
	}
	*out = v;
	return true;
}
