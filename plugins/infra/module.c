/*
 * Module infra: the base every other module builds on (who the admin node is, the local CA, where exporters publish
 * metrics) and what runs on infra nodes. Its tables are here.
 */
#include "module.h"
#include "infra.h"
#include "rows.h"

static const struct infra_register registration = { sizeof registration, infra_target, infra_dns, infra_page };
static const struct pig_iface ifaces[] = { { INFRA_REGISTER, &registration } };

PIG_MODULE(.name = "infra", .version = "0.1.0",
	.text = "base of the infrastructure: admin node, CA, names of services", .license = "Apache-2.0",
	.params_size = sizeof(struct infra), .params = { infra_params, INFRA_PARAMS, sizeof *infra_params },
	.rules = { infra_rules, INFRA_RULES, sizeof *infra_rules },
	.listens = { infra_listens, INFRA_LISTENS, sizeof *infra_listens },
	.others = { infra_others, INFRA_OTHERS, sizeof *infra_others },
	.ifaces = PIG_TABLE(ifaces));
