/*
 * A module for tests: shops with a till, a stock and clerks. It knows every kind of parameter and rule, and nothing of
 * databases.
 */
#include <pig.h>

#include <string.h>

struct shop {
	const char *shop_cluster, *shop_role, *shop_version, *shop_ip, *shop_path, *shop_password, *shop_motto,
		*shop_confirm;
	int64_t shop_seq, shop_port, shop_stock;
	bool shop_open, shop_online;
	const pig_value *shop_clerks, *shop_ports, *shop_limits;
};

static const struct pig_param clerk_members[] = {
	{ .name = "name", .type = PIG_STR, .check = "name", .flags = PIG_REQUIRED, .text = "Name." },
	{ .name = "password", .type = PIG_STR, .flags = PIG_SECRET, .text = "Password." },
	{ .name = "shift", .type = PIG_ENUM, .check = "early|late", .dflt = "early", .was = "turn", .text = "Shift." },
	{ .name = "trainee", .type = PIG_BOOL, .dflt = "false", .text = "New here?" },
};
static const struct pig_param limit_members[] = { { .name = "*", .type = PIG_INT, .text = "Most of a thing." } };

#define P(kind, m, ...) PIG_P_##kind(struct shop, m, __VA_ARGS__)
static const struct pig_param params[] = {
	P(STR, shop_cluster, .level = PIG_CLUSTER, .flags = PIG_REQUIRED, .check = "name", .text = "Name of the shop."),
	P(INT, shop_seq, .level = PIG_INSTANCE, .flags = PIG_REQUIRED, .text = "Number of the till."),
	P(ENUM, shop_role, .level = PIG_INSTANCE, .check = "main|side", .dflt = "side", .text = "Which till leads."),
	P(STR, shop_version, .level = PIG_CLUSTER, .dflt = "1.10", .text = "Version of the till's program."),
	P(STR, shop_ip, .level = PIG_INSTANCE, .check = "ip", .text = "Address of the till."),
	P(STR, shop_path, .level = PIG_CLUSTER, .check = "path", .dflt = "/srv/shop", .text = "Where receipts go."),
	P(STR, shop_password, .level = PIG_GLOBAL, .flags = PIG_SECRET, .dflt = "Open-Sesame",
	  .text = "Opens the till."),
	P(STR, shop_motto, .level = PIG_CLUSTER, .dflt = "'{{ shop_cluster }} on port {{ shop_port }}'",
	  .text = "Motto."),
	P(STR, shop_confirm, .level = PIG_ARG, .text = "Asked for before a till is emptied."),
	P(INT, shop_port, .level = PIG_CLUSTER, .check = "port", .dflt = "8000", .was = "shop_tcp_port",
	  .text = "Port."),
	P(INT, shop_stock, .level = PIG_CLUSTER, .dflt = "'{{ node_mem_mb // 2 }}'", .text = "Things in stock."),
	P(BOOL, shop_open, .level = PIG_CLUSTER, .dflt = "true", .text = "Open?"),
	P(BOOL, shop_online, .level = PIG_CLUSTER, .dflt = "false", .flags = PIG_INERT, .text = "Sells online?"),
	P(LIST, shop_clerks, .level = PIG_CLUSTER, .dflt = "[]", .members = PIG_TABLE(clerk_members),
	  .text = "Clerks."),
	P(LIST, shop_ports, .level = PIG_CLUSTER, .dflt = "[]", .check = "port", .text = "Further ports."),
	P(MAP, shop_limits, .level = PIG_CLUSTER, .dflt = "{}", .members = PIG_TABLE(limit_members), .text = "Limits."),
};

/* No two tills of a shop have one number: a rule in C, as an expression could not say which two. */
static void seq_once(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	size_t n = c->val->len(hosts);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			const char *x = c->val->str(c->val->at(hosts, i), ""),
				   *y = c->val->str(c->val->at(hosts, k), "");
			const pig_value *seq = c->api->get(c, x, "shop_seq");
			if (seq && c->val->num(seq, 0) == c->val->num(c->api->get(c, y, "shop_seq"), -1)) {
				c->api->fault(c, seq, "%s and %s have the same shop_seq", y, x);
				c->api->hint(c, "Count the tills of %s.", c->cluster);
			}
		}
}

static const struct pig_rule rules[] = {
	{ .id = "shop_seq_once", .scope = PIG_OF_CLUSTER, .check = seq_once },
	{ .id = "shop_one_main",
	  .scope = PIG_OF_CLUSTER,
	  .must = "members | map('extract', hostvars, 'shop_role') | select('equalto', 'main') | list | length == 1",
	  .say = "shop \"{{ cluster }}\" needs one main till",
	  .hint = "Set shop_role: main on one of its hosts." },
	{ .id = "shop_port_high",
	  .scope = PIG_HOST,
	  .warn = 1,
	  .must = "shop_port >= 1024",
	  .say = "a port below 1024 needs root" },
	{ .id = "shop_stock", .scope = PIG_HOST, .must = "shop_stock > 10", .say = "too little in stock" },
	{ .id = "shop_some", .scope = PIG_ALL, .warn = 1, .must = "members | length > 0", .say = "no host at all" },
};

static void sell(pig_task *t)
{
	const struct shop *p = t->params;

	pig_file(t, .path = pig_fmt(t, "%s/till.conf", p->shop_path), .tmpl = "till.conf");
}

static const struct pig_taskdef tasks[] = {
	{ .name = "shop_sell", .text = "open the till", .tags = "sell", .when = "shop_open", .run = sell },
	{ .name = "shop_clear", .text = "empty the till", .tags = "never", .run = sell },
};
static const struct pig_step steps[] = {
	{ .name = "shop_open", .tasks = "shop_sell", .first = "shop_role == 'main'" },
	{ .name = "shop_close", .tasks = "shop_clear", .serial = 1 },
};
static const struct pig_playbook playbooks[] = { { .name = "shop", .text = "open shops", .steps = PIG_TABLE(steps) } };

extern const struct pig_template pig_templates[];

PIG_MODULE(.name = "shop", .version = "0.2.0", .text = "shops, for tests", .license = "Apache-2.0",
	   .cluster = "shop_cluster", .params_size = sizeof(struct shop), .params = PIG_TABLE(params),
	   .rules = PIG_TABLE(rules), .tasks = PIG_TABLE(tasks), .playbooks = PIG_TABLE(playbooks),
	   .templates = { pig_templates, PIG_TEMPLATE_COUNT, sizeof(struct pig_template) });
