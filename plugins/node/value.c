/* Reading values and facts the way files want them. */
#include "module.h"

bool node_is_set(const char *s)
{
	return s && *s;
}

const char *node_fact(pig_task *t, const char *name)
{
	return node_scalar(t, t->host->fact(t, name));
}

bool node_is_deb(pig_task *t)
{
	return !strcmp(node_fact(t, "os_package"), "deb");
}

const char *node_scalar(pig_task *t, const pig_value *v)
{
	switch (t->val->type(v)) {
	case PIG_BOOL:
		return t->val->truth(v, false) ? "true" : "false";
	case PIG_INT:
		return pig_fmt(t, "%" PRId64, t->val->num(v, 0));
	case PIG_FLOAT:
		return pig_fmt(t, "%g", t->val->real(v, 0));
	case PIG_STR:
	case PIG_ENUM:
		return t->val->str(v, "");
	case PIG_LIST:
	case PIG_MAP:
		t->host->fail_at(t, v, "a single value is expected here, not a list or map");
		return "";
	case PIG_ANY:
		break;
	}
	return "";
}

const char *node_lines(pig_task *t, const pig_value *list, const char *sep)
{
	const char *text = "";

	for (size_t i = 0; i < t->val->len(list); i++)
		text = pig_fmt(t, "%s%s%s", text, node_scalar(t, t->val->at(list, i)), sep);
	return text;
}
