/* The parts of `pig inventory` that read or write another inventory than the one in force: cli_inventory_db.c. */
#ifndef CLI_INVENTORY_H
#define CLI_INVENTORY_H

#include "cli/cli.h"

/* url: of the database; NULL: METADB_URL's, else service=meta. */
bool inventory_do_load(struct cli *c, const char *url, struct err *e);
bool inventory_do_dump(struct cli *c, const char *url, const char *output, struct err *e);
/* what: "cmdb" or "yaml": the inventory line of ansible.cfg. */
bool inventory_do_use(struct cli *c, const char *what, const char *url, struct err *e);

#endif
