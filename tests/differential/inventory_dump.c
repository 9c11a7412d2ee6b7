/*
 * Prints what an inventory resolves to, as one JSON document, for inventory.py to compare with Ansible: each host's
 * values, each group's hosts, and for each pattern of a file the hosts or the error. Usage: inventory_dump [-p FILE]
 * [-e WORDS] SOURCE...
 */
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "model/inventory.h"

static struct value *host_names(struct arena *a, struct inv_host **hosts, uint32_t n)
{
	struct value *list = value_list(a);

	for (uint32_t i = 0; i < n; i++)
		value_push(a, list, value_str(a, hosts[i]->name));
	return list;
}

static struct value *patterns_run(struct arena *a, const struct inventory *inv, const char *text)
{
	struct value *all = value_list(a);

	while (*text) {
		size_t len = strcspn(text, "\n");
		struct inv_host **hosts;
		struct err e = { 0 };
		uint32_t n;
		const char *pattern = arena_strn(a, text, len);
		if (pattern_hosts(&hosts, &n, a, inv, pattern, true, &e))
			value_push(a, all, host_names(a, hosts, n));
		else
			value_push(a, all, value_str(a, e.msg));
		text += len + (text[len] == '\n');
	}
	return all;
}

static struct value *dump(struct arena *a, const struct inventory *inv)
{
	struct value *out = value_map(a), *hosts = value_map(a), *groups = value_map(a), *member = value_map(a);

	for (uint32_t i = 0; i < inv->n_hosts; i++) {
		struct inv_host *h = inv->hosts[i];
		struct value *names = value_list(a);
		for (uint32_t k = 0; k < h->n_groups; k++)
			value_push(a, names, value_str(a, h->groups[k]->name));
		value_put(a, member, h->name, names);
		value_put(a, hosts, h->name, inventory_vars(inv, a, h));
	}
	for (uint32_t i = 0; i < inv->n_groups; i++) {
		uint32_t n;
		struct inv_host **list = inventory_group_hosts(a, inv->groups[i], &n);
		value_put(a, groups, inv->groups[i]->name, host_names(a, list, n));
	}
	value_put(a, out, "hosts", hosts);
	value_put(a, out, "member", member);
	value_put(a, out, "groups", groups);
	return out;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct inventory *inv;
	struct err e = { 0 };
	struct buf text = BUF(a), out = BUF(a);
	const char **sources = arena_new_of(a, const char *, argc), **words = arena_new_of(a, const char *, argc);
	struct inventory_options o = { .sources = sources, .extra = words };
	struct value *doc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-p") && i + 1 < argc) {
			if (!os_read(&text, argv[++i], 0, &e))
				break;
		} else if (!strcmp(argv[i], "-e") && i + 1 < argc) {
			words[o.n_extra++] = argv[++i];
		} else {
			sources[o.n_sources++] = argv[i];
		}
	}
	if (e.code || !inventory_load(&inv, a, &o, &e)) {
		doc = value_map(a);
		value_put(a, doc, "error", value_str(a, err_text(&e, a)));
	} else {
		doc = dump(a, inv);
		value_put(a, doc, "patterns", patterns_run(a, inv, buf_text(&text)));
	}
	value_to_json(&out, doc, NULL);
	puts(buf_text(&out));
	arena_free(a);
	return 0;
}
