/*
 * What a rule written in C may ask: values of the resolved inventory, and a way to tell faults. No host is within its
 * reach.
 */
#include "model/check_int.h"

#include <string.h>

static const struct value *val(const pig_value *v)
{
	return (const struct value *)v;
}

/* ---- reading values ---- */
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

static const char *values_str(const pig_value *v, const char *dflt)
{
	const struct value *x = val(v);

	if (x && x->type != V_STR && x->type != V_NULL && x->source)
		return x->source; /* a plain scalar as written */
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
	static const enum pig_type types[] = {
		[V_NULL] = PIG_ANY, [V_BOOL] = PIG_BOOL, [V_INT] = PIG_INT, [V_FLOAT] = PIG_FLOAT,
		[V_STR] = PIG_STR,  [V_LIST] = PIG_LIST, [V_MAP] = PIG_MAP,
	};

	return v && val(v)->type <= V_MAP ? types[val(v)->type] : PIG_ANY;
}

static bool values_secret(const pig_value *v)
{
	return v && value_is_secret(val(v));
}

const struct pig_values check_values = {
	.size = sizeof(struct pig_values),
	.len = values_len,
	.at = values_at,
	.key_at = values_key_at,
	.key = values_key,
	.str = values_str,
	.num = values_num,
	.real = values_real,
	.truth = values_truth,
	.type = values_type,
	.secret = values_secret,
};

/* ---- asking and telling ---- */
static struct rule_check *of(pig_check *pub)
{
	return (struct rule_check *)pub;
}

static void tell(struct rule_check *k)
{
	if (k->waiting)
		check_add(k->c, &k->last);
	k->waiting = false;
}

/* What a rule asks of another host, or could not be told, is its own affair. */
static void note(struct rule_check *k, const struct inv_host *h, const char *name, const struct value *v, bool failed)
{
	if (h != k->h || failed)
		k->asked->own = true;
	else
		held_asked(k->c, k->asked, name, v);
}

/* Rules ask several values of one host before they go to the next. */
static const struct inv_host *host_of(struct rule_check *k, const char *name)
{
	if (name == k->h->name)
		return k->h;
	if (!k->other || strcmp(k->other->name, name) != 0)
		k->other = inventory_host(k->c->w->inv, name);
	return k->other;
}

static const pig_value *api_get(pig_check *pub, const char *host, const char *name)
{
	struct rule_check *k = of(pub);
	const struct inv_host *h = host ? host_of(k, host) : k->h;
	struct err e;
	e.code = 0; /* the rest is long, and written when it fails */
	const struct value *v = h ? resolver_get(resolvers_of(k->c->rs, h), name, &e) : NULL;

	if (k->asked)
		note(k, h, name, v, e.code != 0);
	if (!v && e.code) {
		k->ran_into = true;
		check_add_err(k->c, h, "value", &e);
	}
	return (const pig_value *)v;
}

static const pig_value *api_members(pig_check *pub, const char *name)
{
	struct rule_check *k = of(pub);

	if (k->asked)
		k->asked->own = true;
	return (const pig_value *)resolvers_members(k->c->rs, k->c->a, k->rule->module, name);
}

static void fault_at(struct rule_check *k, struct origin at, const char *fmt, va_list ap)
{
	const struct pig_rule *row = k->rule->row;

	tell(k);
	k->last = (struct fault){ .at = at,
				  .id = row->id,
				  .warning = row->warn != 0,
				  .note = row->warn > 1,
				  .text = arena_vfmt(k->c->a, fmt, ap),
				  .hint = row->hint };
	k->last.host = k->pub.hostname;
	k->waiting = k->told = true;
}

static struct origin place_or_host(const struct rule_check *k, const struct value *v)
{
	return v && v->at.file && !origin_is_default(v->at) ? v->at : k->h->at;
}

static void api_fault(pig_check *pub, const pig_value *at, const char *fmt, ...)
{
	va_list ap;

	if (!at && of(pub)->ran_into) {
		tell(of(pub));
		return;
	}
	va_start(ap, fmt);
	fault_at(of(pub), place_or_host(of(pub), val(at)), fmt, ap);
	va_end(ap);
}

static void api_fault_at_key(pig_check *pub, const pig_value *map, const char *key, const char *fmt, ...)
{
	const struct entry *en = value_entry(val(map), key);
	struct origin at = en && en->at.file ? en->at : place_or_host(of(pub), en ? en->val : val(map));
	va_list ap;

	va_start(ap, fmt);
	fault_at(of(pub), at, fmt, ap);
	va_end(ap);
}

static void api_hint(pig_check *pub, const char *fmt, ...)
{
	struct rule_check *k = of(pub);
	va_list ap;

	va_start(ap, fmt);
	k->last.hint = arena_vfmt(k->c->a, fmt, ap);
	va_end(ap);
}

static void *api_alloc(pig_check *pub, size_t n)
{
	return arena_get(of(pub)->a, n);
}

static char *api_fmt(pig_check *pub, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = arena_vfmt(of(pub)->a, fmt, ap);
	va_end(ap);
	return s;
}

static const struct pig_checks checks = {
	.size = sizeof(struct pig_checks),
	.get = api_get,
	.members = api_members,
	.fault = api_fault,
	.hint = api_hint,
	.alloc = api_alloc,
	.fmt = api_fmt,
	.fault_at_key = api_fault_at_key,
};

void rule_run_check(struct rule_check *k)
{
	k->pub.api = &checks;
	k->pub.val = &check_values;
	k->rule->row->check(&k->pub);
	tell(k);
}
