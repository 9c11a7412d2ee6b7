/*
 * Module infra: the base every other module builds on (who the admin node is, the local CA, where exporters publish
 * metrics) and what runs on infra nodes. Its tables are here.
 */
#include "module.h"
#include "infra.h"
#include "repo_rules.h"
#include "verbs.h"

static const struct pig_rule rules[] = {
	REPO_RULES,
	{ .id = "infra_seq", .scope = PIG_HOST, .warn = 1,
	  .must = "'infra' not in group_names or infra_seq is defined",
	  .say = "the host is in group \"infra\" and has no infra_seq",
	  .hint = "Number the infra nodes: infra_seq: 1, 2, ..." },
};

static const struct infra_register registration = { sizeof registration, infra_target, infra_dns, infra_page };
static const struct pig_iface ifaces[] = { { INFRA_REGISTER, &registration } };

PIG_MODULE(.name = "infra", .version = "0.1.0",
	.text = "base of the infrastructure: admin node, CA, names of services", .license = "Apache-2.0",
	.params_size = sizeof(struct infra), .params = { infra_params, INFRA_PARAMS, sizeof *infra_params }, .rules = PIG_TABLE(rules),
	.ifaces = PIG_TABLE(ifaces), .verbs = PIG_TABLE(infra_verbs));
