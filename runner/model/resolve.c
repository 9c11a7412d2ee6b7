/*
 * Names to values: what the inventory says for a host, rendered, typed, and put into modules' structs. A value without
 * templates is typed once for all hosts that share it, so that ten thousand hosts cost what is different among them.
 */
#include "model/resolve_int.h"

#include <string.h>

enum { CHAIN_MOST = 64 };

/* What a name came to on one host. */
struct outcome {
	const struct value *val; /* NULL: unset, or bad */
	const struct err *bad;
};

/* What a written value without templates comes to, on any host; what is encrypted in it is opened once for all. */
struct fixed {
	const struct value *raw, *open;
	const struct param *p; /* NULL: of a name that is no parameter */
	bool dynamic;          /* has templates: nothing is fixed */
	bool chance;           /* comes to something else each time */
	struct outcome outcome;
	struct shared *shared; /* of dynamic ones */
};

static const char *const facts[] = {
	"os_vendor",     "os_version", "os_version_full", "os_codename", "os_arch",     "os_package", "node_user",
	"node_hostname", "node_cpu",   "node_mem_bytes",  "node_mem_mb", "node_mem_gb", "boot_id",    "machine_id",
};

bool name_is_fact(const char *name)
{
	if (*name != 'o' && *name != 'b' && *name != 'm' && *name != 'n') /* asked of every name that is looked up */
		return false;
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		if (*facts[i] == *name && !strcmp(facts[i], name))
			return true;
	return false;
}

static const struct value *outcome_value(const struct outcome *s, struct err *e)
{
	if (s->bad && e)
		*e = *s->bad;
	return s->bad ? NULL : s->val;
}

/* ---- values that are the same on every host ---- */
static uint32_t fixed_place(const struct resolvers *rs, const struct value *raw, const struct param *p)
{
	uint64_t h = (uint64_t)(uintptr_t)raw * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)p * 0xc2b2ae3d27d4eb4fu;
	uint32_t at = (uint32_t)(h >> 32) & (rs->cap_fixed - 1);

	while (rs->fixed[at] && (rs->fixed[at]->raw != raw || rs->fixed[at]->p != p))
		at = (at + 1) & (rs->cap_fixed - 1);
	return at;
}

static void fixed_grow(struct resolvers *rs)
{
	struct fixed **old = rs->fixed;
	uint32_t n = rs->cap_fixed;

	rs->cap_fixed = n ? n * 2 : 1024;
	while (!n && rs->cap_fixed < rs->w->inv->n_hosts * 4) /* each table that is outgrown stays in the arena */
		rs->cap_fixed *= 2;
	rs->fixed = arena_new_of(rs->a, struct fixed *, rs->cap_fixed);
	for (uint32_t i = 0; i < n; i++)
		if (old[i])
			rs->fixed[fixed_place(rs, old[i]->raw, old[i]->p)] = old[i];
}

static bool fixed_open(struct resolvers *rs, struct fixed *f, struct err *e)
{
	struct value *open;

	if (!vault_in(f->raw))
		return true;
	if (!vault_value(rs->w->inv->vault, &open, rs->a, f->raw, e))
		return false;
	f->open = open;
	return true;
}

/* password_hash takes a salt by chance where none is given. */
static bool has_chance(const struct value *v, unsigned depth)
{
	if (v->type == V_STR)
		return strstr(v->u.str.s, "password_hash");
	for (size_t i = 0; depth && (v->type == V_LIST || v->type == V_MAP) && i < value_len(v); i++)
		if (has_chance(value_at(v, i), depth - 1))
			return true;
	return !depth;
}

static const struct fixed *fixed_get(struct resolvers *rs, const struct value *raw, const struct param *p)
{
	pthread_mutex_lock(&rs->lock);
	if (rs->n_fixed * 2 >= rs->cap_fixed)
		fixed_grow(rs);

	uint32_t at = fixed_place(rs, raw, p);
	struct fixed *f = rs->fixed[at];
	if (!f) {
		struct err e;
		f = rs->fixed[at] = arena_get(rs->a, sizeof *f);
		rs->n_fixed++;
		*f = (struct fixed){ .raw = raw, .p = p, .open = raw };
		bool ok = fixed_open(rs, f, &e);
		f->dynamic = ok && value_is_dynamic(rs->w->modules, f->open);
		if (f->dynamic) {
			f->chance = has_chance(f->open, 64);
			f->shared = arena_get(rs->a, sizeof *f->shared);
		}
		f->outcome.val = f->open;
		if (ok && !f->dynamic && p)
			ok = shape_type_one(&f->outcome.val, rs->a, p->shape, f->open, &e);
		if (!ok)
			f->outcome = (struct outcome){ .bad = arena_dup(rs->a, &e, sizeof e) };
	}
	pthread_mutex_unlock(&rs->lock);
	return f;
}

/* ---- one name ---- */
static const char circle[] = "the value hangs on itself";

static const char *chain_text(struct arena *a, const struct link *chain, const struct resolver *r, const char *name)
{
	const struct link *list[CHAIN_MOST + 1], *l = chain;
	uint32_t n = 0;
	struct buf b = BUF(a);

	for (; l && n < CHAIN_MOST; l = l->up) {
		list[n++] = l;
		if (l->r == r && !strcmp(l->name, name))
			break;
	}
	while (n--) {
		buf_fmt(&b, "%s", list[n]->name);
		if (list[n]->r != r)
			buf_fmt(&b, " of %s", list[n]->r->h->name);
		if (list[n]->at.file)
			buf_fmt(&b, " (%s:%u)", list[n]->at.file, list[n]->at.line);
		buf_str(&b, " -> ");
	}
	buf_str(&b, name);
	return buf_text(&b);
}

static bool chain_ok(struct resolver *r, const struct link *chain, const char *name, const struct value *raw,
		     struct err *e)
{
	unsigned depth = 0;

	for (const struct link *l = chain; l; l = l->up) {
		if (l->r == r && !strcmp(l->name, name)) {
			fail(e, E_INPUT, "%s: %s", circle, chain_text(r->a, chain, r, name));
			err_hint(e, "Break the circle: write one of these values without naming the others.");
			return err_at_value(e, raw);
		}
		if (++depth >= CHAIN_MOST) {
			fail(e, E_INPUT, "values name each other more than %d deep", CHAIN_MOST);
			return err_at_value(e, raw);
		}
	}
	return true;
}

static void scratch_end(void *a)
{
	arena_free(a);
}

/* The scratch memory of an evaluation ends with it: parsed templates of ten thousand hosts would add up. A list or a map
 * may share parts of it, and keeps it. */
static const struct value *kept(struct resolver *r, struct arena *scratch, const struct value *v)
{
	if (v && (v->type == V_LIST || v->type == V_MAP)) {
		arena_defer(r->a, scratch_end, scratch);
		return v;
	}
	v = value_copy(r->a, v);
	arena_free(scratch);
	return v;
}

/* Render and type; what hangs on a fact that is not known yet is not remembered. */
static const struct value *evaluate(struct resolver *r, const char *name, const struct param *p,
				    const struct fixed *f, const struct link *chain, struct err *e)
{
	const struct value *raw = f->open, *known;
	struct link link = { .up = chain, .r = r, .name = name, .at = raw->at };

	if (!chain_ok(r, chain, name, raw, e))
		return NULL;
	if (shared_find(r, f->shared, &link, &known))
		return known;

	struct outcome outcome = { 0 };
	struct value *got = NULL;
	struct err mine = { 0 };
	struct arena *scratch = arena_new();
	struct asked asked = { .own = f->chance };
	struct asking k = {
		.r = r, .m = p ? p->module : NULL, .a = scratch, .chain = &link, .held = true, .asked = &asked
	};
	struct scope s = asking_scope(&k);
	bool ok = value_render(&got, scratch, r->rs->w->modules, raw, &s, &mine);
	outcome.val = got;
	if (ok && p)
		ok = shape_type_one(&outcome.val, scratch, p->shape, got, &mine);
	if (ok && shared_put(r, f->shared, &asked, &outcome.val)) {
		arena_free(scratch);
		return outcome.val;
	}
	outcome.val = kept(r, scratch, ok ? outcome.val : NULL);
	const char *core = ok ? NULL : strstr(mine.msg, circle);
	if (core) /* the chain says what each name on the way would say again */
		memmove(mine.msg, core, strlen(core) + 1);
	if (!ok)
		outcome = (struct outcome){ .bad = arena_dup(r->a, &mine, sizeof mine) };
	/* a circle is told from where it was entered: others may stand outside of it */
	if (ok || (mine.code != E_UNKNOWN && !chain))
		map_put(&r->cache, name, arena_dup(r->a, &outcome, sizeof outcome));
	return outcome_value(&outcome, e);
}

/* A number or truth that its parameter takes as it is: each host has one or two of its own. */
static bool is_plain(const struct param *p, const struct value *raw)
{
	unsigned type = p ? p->row->type : 0;

	return ((type == PIG_INT && raw->type == V_INT) || (type == PIG_BOOL && raw->type == V_BOOL)) &&
	       !p->shape->form && !(p->row->flags & PIG_SECRET);
}

static const struct value *settle(struct resolver *r, const char *name, const struct param *p, const struct value *raw,
				  const struct link *chain, struct err *e)
{
	if (is_plain(p, raw))
		return raw;

	const struct fixed *f = fixed_get(r->rs, raw, p);

	return f->dynamic ? evaluate(r, name, p, f, chain, e) : outcome_value(&f->outcome, e);
}

/* What was written for a parameter under its name or an earlier one; null counts as not written. */
static const struct value *param_written(const struct resolver *r, const struct param *p, uint32_t hash)
{
	const struct inventory *inv = r->rs->w->inv;
	struct inv_found found;
	char name[128];

	if (!r->rs->written[p->index])
		return NULL;
	if (inventory_var_hashed(inv, r->h, p->row->name, hash, &found))
		return found.val->type == V_NULL ? NULL : found.val;
	for (const char *w = p->row->was; w && *w;) {
		size_t n = strcspn(w, " ");
		if (n && n < sizeof name) {
			memcpy(name, w, n);
			name[n] = '\0';
			if (inventory_var(inv, r->h, name, &found))
				return found.val->type == V_NULL ? NULL : found.val;
		}
		w += n + strspn(w + n, " ");
	}
	return NULL;
}

/* The preset, where its condition holds, else the module's default; false and e when the condition cannot be told. */
static bool param_default(struct resolver *r, const struct param *p, const struct link *chain, const struct value **out,
			  struct err *e)
{
	struct link link = { .up = chain, .r = r, .name = p->row->name };
	struct value *holds = NULL;

	*out = p->dflt;
	if (!p->preset)
		return true;
	if (!p->preset->when) {
		*out = p->preset->dflt;
		return true;
	}
	if (!chain_ok(r, chain, p->row->name, NULL, e))
		return false;

	struct arena *scratch = arena_new();
	struct asking k = { .r = r, .m = p->module, .a = scratch, .chain = &link, .held = true };
	struct scope s = asking_scope(&k);
	bool ok = expr_eval(p->preset->when, scratch, &s, &holds, e);
	if (ok && value_truth(holds))
		*out = p->preset->dflt;
	arena_free(scratch);
	return ok ? true : err_wrap(e, "preset of \"%s\"", p->row->name);
}

static const struct value *param_lookup(struct resolver *r, const struct param *p, uint32_t hash,
					const struct link *chain, struct err *e)
{
	const struct value *raw = param_written(r, p, hash);

	if (!raw && !param_default(r, p, chain, &raw, e))
		return NULL;
	return raw ? settle(r, p->row->name, p, raw, chain, e) : NULL;
}

/* ---- what every host has alike ---- */
/* NULL: hosts may differ. No lock is needed. */
static const struct outcome *common_outcome(struct resolvers *rs, const struct param *p)
{
	static const struct outcome unset;

	if (!rs->alike[p->index])
		return NULL;
	const struct outcome *outcome = atomic_load_explicit(&rs->common[p->index], memory_order_acquire);
	if (!outcome) {
		const struct value *raw = p->preset ? p->preset->dflt : p->dflt;
		outcome = raw ? &fixed_get(rs, raw, p)->outcome : &unset;
		atomic_store_explicit(&rs->common[p->index], outcome, memory_order_release);
	}
	return outcome;
}

static const struct param *param_named(const struct resolvers *rs, const char *name, uint32_t hash)
{
	return rs->w->modules ? map_get_hashed(&rs->w->modules->params, name, hash) : NULL;
}

bool resolvers_alike(const struct resolvers *rs, const char *name)
{
	const struct param *p = param_named(rs, name, hash_str(name));

	return p && rs->alike[p->index];
}

bool resolvers_common(struct resolvers *rs, const char *name, const struct value **out, struct err *e)
{
	const struct param *p = param_named(rs, name, hash_str(name));
	const struct outcome *outcome = p ? common_outcome(rs, p) : NULL;

	if (outcome)
		*out = outcome_value(outcome, e);
	return outcome;
}

/* ---- any name ---- */
/* What hosts may differ in; p: the parameter of that very name. */
static const struct value *own_lookup(struct resolver *r, const char *name, uint32_t hash, const struct param *p,
				      const struct link *chain, struct err *e)
{
	const struct modules *ms = r->rs->w->modules;
	struct inv_found found;

	if (name_is_builtin(name))
		return resolver_builtin(r, name);
	if (name_is_fact(name)) {
		if (!r->facts)
			fail(e, E_UNKNOWN, "\"%s\" is not known until the host is connected", name);
		return value_get(r->facts, name);
	}
	const struct outcome *known = map_get_hashed(&r->cache, name, hash);
	if (known)
		return outcome_value(known, e);
	if (p)
		return param_lookup(r, p, hash, chain, e);
	if (ms && (p = map_get_hashed(&ms->was, name, hash)))
		return param_lookup(r, p, hash_str(p->row->name), chain, e);
	if (inventory_var_hashed(r->rs->w->inv, r->h, name, hash, &found))
		return settle(r, name, NULL, found.val, chain, e);
	return value_get_hashed(r->facts, name, hash);
}

const struct value *resolver_lookup(struct resolver *r, const char *name, const struct link *chain, struct err *e)
{
	uint32_t hash = hash_str(name);
	const struct param *p = param_named(r->rs, name, hash);
	const struct outcome *common = p ? common_outcome(r->rs, p) : NULL;

	return common ? outcome_value(common, e) : own_lookup(r, name, hash, p, chain, e);
}

const struct value *resolver_get(struct resolver *r, const char *name, struct err *e)
{
	uint32_t hash = hash_str(name);
	const struct param *p = param_named(r->rs, name, hash);
	const struct outcome *common = p ? common_outcome(r->rs, p) : NULL;

	if (common)
		return outcome_value(common, e);
	pthread_mutex_lock(&r->lock);
	const struct value *v = own_lookup(r, name, hash, p, NULL, e);
	pthread_mutex_unlock(&r->lock);
	return v;
}

/* ---- a module's struct ---- */
static bool fill(struct resolver *r, char *to, const struct param *p, bool in_cluster, struct err *e)
{
	struct err mine = { 0 };
	const struct value *v = resolver_lookup(r, p->row->name, NULL, &mine);

	if (!v && mine.code) {
		if (e)
			*e = mine;
		return false;
	}
	if (!v) {
		if (!(p->row->flags & PIG_REQUIRED) || !in_cluster)
			return true;
		fail(e, E_INPUT, "parameter \"%s\" must be set on host \"%s\"", p->row->name, r->h->name);
		return err_at(e, r->h->at.file, r->h->at.line, r->h->at.col);
	}
	to += p->row->offset;
	switch (p->row->type) {
	case PIG_BOOL:
		*(bool *)to = value_truth(v);
		break;
	case PIG_INT:
		*(int64_t *)(void *)to = value_num(v, 0);
		break;
	case PIG_FLOAT:
		*(double *)(void *)to = value_real(v, 0);
		break;
	case PIG_STR:
	case PIG_ENUM:
		*(const char **)(void *)to = value_cstr(v, NULL);
		break;
	default:
		*(const pig_value **)(void *)to = (const pig_value *)v;
	}
	return true;
}

static const char *cluster_of(struct resolver *r, const struct module *m)
{
	const struct modules *ms = r->rs->w->modules;
	uint32_t at = 0;

	if (!m->m->cluster)
		return NULL;
	while (at < ms->n && ms->list[at] != m)
		at++;

	const char *name = at < ms->n ? r->clusters[at] : NULL;
	if (!name) { /* asked for each rule of each host */
		struct err e;
		e.code = 0;
		name = value_cstr(resolver_lookup(r, m->m->cluster, NULL, &e), "");
		if (!e.code && at < ms->n)
			r->clusters[at] = name;
	}
	return *name ? name : NULL;
}

const void *resolver_params(struct resolver *r, const struct module *m, struct err *e)
{
	pthread_mutex_lock(&r->lock);
	void *to = map_get(&r->filled, m->m->name);
	if (!to) {
		bool in_cluster = !m->m->cluster || cluster_of(r, m);
		to = arena_get(r->a, m->m->params_size);
		for (uint32_t i = 0; to && i < m->n_params; i++)
			if (!fill(r, to, &m->params[i], in_cluster, e))
				to = NULL;
		if (to)
			map_put(&r->filled, m->m->name, to);
	}
	pthread_mutex_unlock(&r->lock);
	return to;
}

const char *resolver_cluster(struct resolver *r, const struct module *m)
{
	pthread_mutex_lock(&r->lock);
	const char *name = cluster_of(r, m);
	pthread_mutex_unlock(&r->lock);
	return name;
}

void resolver_facts(struct resolver *r, const struct value *known)
{
	pthread_mutex_lock(&r->lock);
	r->facts = known;
	/* what was resolved does not hang on facts, or it would have been unknown; but a name may have become one */
	r->cache = r->filled = MAP(r->a);
	for (uint32_t i = 0; r->rs->w->modules && i < r->rs->w->modules->n; i++)
		r->clusters[i] = NULL;
	pthread_mutex_unlock(&r->lock);
}
