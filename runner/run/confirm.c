/*
 * The answer to "are you sure" is the name of what would be gone: a yes is typed without reading. Asked once a run, for
 * all clusters that a selected step would destroy, with every host's loss listed first.
 */
#include "run/confirm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct asking {
	struct arena *a;
	struct world *w;
	struct resolvers *rs;
	const struct plan *p;
	struct err *e;
	struct map names;  /* of clusters and lone hosts, in the order found */
	struct map losses; /* lines already told */
};

static struct resolver *values_of(struct asking *k, const struct plan_step *ps, const struct inv_host *h)
{
	const struct play *play = ps->step->play;

	return resolvers_of(play && play->rs ? play->rs : k->rs, h);
}

/* Facts are not known yet: a condition that hangs on them may hold. */
static bool may_hold(struct asking *k, const struct plan_step *ps, const struct inv_host *h)
{
	struct scope s = resolver_scope(values_of(k, ps, h), k->a, ps->step->module, NULL);
	const struct expr *both[] = { ps->step->play ? ps->step->play->when : NULL, ps->step->when };

	for (int i = 0; i < 2; i++) {
		struct value *v = NULL;
		if (both[i] && expr_eval(both[i], k->a, &s, &v, NULL) && !value_truth(v))
			return false;
	}
	return true;
}

static bool guarded(struct asking *k, const struct plan_step *ps, const struct inv_host *h)
{
	const char *name = ps->step->safeguard;
	const struct value *v = name ? resolver_get(values_of(k, ps, h), name, NULL) : NULL;

	if (!v || !value_truth(v))
		return false;
	fail(k->e, E_INPUT, "%s is on for host \"%s\": step \"%s\" would destroy what it guards", name, h->name,
	     ps->step->name);
	err_at(k->e, v->at.file, v->at.line, v->at.col);
	err_hint(k->e, "To do it all the same: -e %s=false.", name);
	return true;
}

static bool loss_of(struct asking *k, const struct plan_step *ps, const struct inv_host *h)
{
	struct scope s = resolver_scope(values_of(k, ps, h), k->a, ps->step->module, NULL);
	struct buf b = BUF(k->a);
	struct tmpl *t;
	bool secret = false;

	if (!ps->step->loses)
		return true;
	if (!tmpl_parse(&t, k->a, ps->step->name, ps->step->loses, strlen(ps->step->loses), (struct origin){ 0 }, k->e) ||
	    !tmpl_render(t, k->a, &s, &b, &secret, k->e))
		return err_wrap(k->e, "step \"%s\": what is lost", ps->step->name);
	if (!secret && b.len)
		map_put(&k->losses, arena_fmt(k->a, "%s: %s", h->name, buf_text(&b)), k);
	return true;
}

static bool gather(struct asking *k)
{
	for (uint32_t i = 0; i < k->p->n_steps; i++) {
		const struct plan_step *ps = &k->p->steps[i];

		if (!(ps->step->flags & PIG_DESTRUCTIVE))
			continue;
		for (uint32_t j = 0; j < ps->n_hosts; j++) {
			const struct inv_host *h = ps->hosts[j];
			const char *cluster;

			if (!may_hold(k, ps, h))
				continue;
			if (guarded(k, ps, h) || !loss_of(k, ps, h))
				return false;
			cluster = resolver_cluster(resolvers_of(k->rs, h), ps->step->module);
			map_put(&k->names, cluster ? cluster : h->name, k);
		}
	}
	return true;
}

/* "a,b" or a list */
static void answers_of(struct asking *k, struct map *given, const struct value *v)
{
	uint32_t n = v && v->type == V_LIST ? (uint32_t)value_len(v) : v != NULL;

	for (uint32_t i = 0; i < n; i++) {
		const char *s = value_cstr(v->type == V_LIST ? value_at(v, i) : v, "");
		for (s += strspn(s, ", \t\n"); *s; s += strspn(s, ", \t\n")) {
			size_t len = strcspn(s, ", \t\n");
			map_put(given, arena_strn(k->a, s, len), k);
			s += len;
		}
	}
}

static const char *names_text(struct asking *k)
{
	struct buf b = BUF(k->a);

	for (uint32_t i = 0; i < k->names.n; i++)
		buf_fmt(&b, "%s%s", i ? "," : "", k->names.items[i].key);
	return buf_text(&b);
}

static bool unnamed(struct asking *k, const struct map *given)
{
	for (uint32_t i = 0; i < k->names.n; i++)
		if (!map_has(given, k->names.items[i].key)) {
			fail(k->e, E_INPUT, "\"%s\" would be destroyed and was not named; no host was touched",
			     k->names.items[i].key);
			return err_hint(k->e, "If that is what you want: -e " CONFIRM_VAR "=%s", names_text(k));
		}
	return true;
}

static bool typed(struct asking *k, struct map *given, const struct confirm_options *o)
{
	char line[4096];
	ssize_t n;

	fprintf(o->out, "Type %s to go on: ", names_text(k));
	fflush(o->out);
	do
		n = read(o->terminal, line, sizeof line - 1);
	while (n < 0 && errno == EINTR);
	line[n > 0 ? n : 0] = 0;
	struct value *v = value_str(k->a, line);
	answers_of(k, given, v);
	return unnamed(k, given);
}

bool confirm_plan(struct arena *a, struct world *w, struct resolvers *rs, const struct plan *p,
		  const struct confirm_options *o, struct err *e)
{
	struct asking k = { .a = a, .w = w, .rs = rs, .p = p, .e = e, .names = MAP(a), .losses = MAP(a) };
	struct map given = MAP(a);

	if (!gather(&k))
		return false;
	if (!k.names.n)
		return true;
	fprintf(o->out, "What would be lost (%s):\n", names_text(&k));
	for (uint32_t i = 0; i < k.losses.n; i++)
		fprintf(o->out, "  %s\n", k.losses.items[i].key);
	fflush(o->out);
	if (o->check)
		return true;
	answers_of(&k, &given, w->inv->extra ? value_get(w->inv->extra, CONFIRM_VAR) : NULL);
	return !given.n && o->terminal >= 0 ? typed(&k, &given, o) : unnamed(&k, &given);
}
