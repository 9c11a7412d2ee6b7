/*
 * An inventory kept in a database: five relations of one schema, found by their names,
 *
 *   group (cls)  host (cls, ip)  global_var (key, value)  group_var (cls, key, value)  host_var (cls, ip, key, value)
 *
 * with values as jsonb and a time (ctime, mtime) that keeps what was written first before what came later. A value's
 * place is URL#group/host/key. Text with {{ }} in it is data there and no template; ${name} of a parameter works as in
 * a file.
 */
#ifndef MODEL_INVENTORY_SQL_H
#define MODEL_INVENTORY_SQL_H

#include "model/inventory_build.h"
#include "model/module.h"
#include "model/sql.h"

/* The schema that has the relations; the search path decides between several. */
bool inventory_sql_schema(struct sql *s, const char **schema, struct err *e);
/* For inventory_read_source: everything, in one snapshot. */
bool inventory_read_sql(struct inv_build *b, const char *source);
/* The inventory into the relations, in the place of what is there: all of it or, when the database would not mean the
 * same, nothing. */
bool inventory_sql_load(struct sql *s, const struct inventory *inv, const struct modules *ms, struct err *e);
/* The inventory as one document: all with its vars, and each group as its child. marks: for JSON, that has no tags. */
struct value *inventory_document(const struct inventory *inv, struct arena *a, bool marks);

#endif
