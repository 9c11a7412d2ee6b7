/* The value readers modules call: thin, and deaf to NULL. */
#include "run/task.h"

#include <string.h>

static const struct value *val(const pig_value *v)
{
	return (const struct value *)v;
}

static size_t values_len(const pig_value *v)
{
	return value_len(val(v));
}

static const pig_value *values_at(const pig_value *v, size_t i)
{
	return (const pig_value *)value_at(val(v), i);
}

static const char *values_key_at(const pig_value *v, size_t i)
{
	return value_key_at(val(v), i);
}

static const pig_value *values_key(const pig_value *v, const char *key)
{
	return (const pig_value *)value_get(val(v), key);
}

/* A scalar's text: strings as they are, plain scalars as written. */
static const char *values_str(const pig_value *v, const char *dflt)
{
	const struct value *x = val(v);

	if (x && x->type != V_STR && x->type != V_NULL && x->source)
		return x->source;
	return value_cstr(x, dflt);
}

static int64_t values_num(const pig_value *v, int64_t dflt)
{
	return value_num(val(v), dflt);
}

static double values_real(const pig_value *v, double dflt)
{
	return value_real(val(v), dflt);
}

static bool values_truth(const pig_value *v, bool dflt)
{
	const struct value *x = val(v);

	return !x || x->type == V_NULL || x->type == V_UNDEF ? dflt : value_truth(x);
}

static enum pig_type values_type(const pig_value *v)
{
	const struct value *x = val(v);

	switch (x ? (enum value_type)x->type : V_NULL) {
	case V_BOOL: return PIG_BOOL;
	case V_INT: return PIG_INT;
	case V_FLOAT: return PIG_FLOAT;
	case V_STR: return PIG_STR;
	case V_LIST: return PIG_LIST;
	case V_MAP: return PIG_MAP;
	default: return PIG_ANY;
	}
}

static bool values_secret(const pig_value *v)
{
	return v && value_is_secret(val(v));
}

const struct pig_values task_values = {
	.size = sizeof(struct pig_values),
	.len = values_len, .at = values_at, .key_at = values_key_at, .key = values_key, .str = values_str, .num = values_num,
	.real = values_real, .truth = values_truth, .type = values_type, .secret = values_secret,
};
