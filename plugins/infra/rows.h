/* Tables of module infra that stand apart: what inventories may say, and what must hold before any host is touched. */
#ifndef INFRA_ROWS_H
#define INFRA_ROWS_H

#include <pig.h>

enum { INFRA_RULES = 6, INFRA_LISTENS = 11, INFRA_OTHERS = 13 }; /* rows; the definitions must agree */
extern const struct pig_rule infra_rules[INFRA_RULES];
extern const struct pig_listen infra_listens[INFRA_LISTENS];
extern const struct pig_other infra_others[INFRA_OTHERS];

/* members.c: what the structured parameters hold; each a .members table */
enum { LINK_MEMBERS = 6, PORTAL_MEMBERS = 1, USER_MEMBERS = 1, ENV_MEMBERS = 6, UPSTREAM_MEMBERS = 7 };
extern const struct pig_param infra_link[LINK_MEMBERS], infra_portal_site[PORTAL_MEMBERS], infra_user[USER_MEMBERS],
	infra_env[ENV_MEMBERS], infra_upstream[UPSTREAM_MEMBERS];
#define INFRA_MEMBERS(rows, n) { (rows), (n), sizeof(struct pig_param) }

#endif
