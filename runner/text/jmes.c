/* JMESPath. */
#include "text/tmpl_int.h"

bool jmes_search(struct value **out, struct arena *a, const char *expr, const struct value *data, struct err *e)
{
	(void)out, (void)a, (void)data;
	return fail(e, E_INPUT, "JMESPath \"%s\" cannot be searched yet", expr);
}
