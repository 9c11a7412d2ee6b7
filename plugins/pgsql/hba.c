/*
 * Access rules, of the server and of PgBouncer: from the inventory's rule items to lines of an hba file. Rules for
 * another role are written as comments, so that a file says what holds elsewhere too.
 */
#include "pgsql.h"

#include <stdlib.h>
#include <string.h>

/* words of `auth`: what the server and the pooler call it, and the kind of line */
static const struct auth {
	const char *word, *server, *pooler, *line;
} auths[] = {
	{"deny", "reject", "reject", "host"},
	{"reject", "reject", "reject", "host"},
	{"pwd", NULL, NULL, "host"}, /* NULL: by pg_pwd_enc */
	{"ssl", NULL, NULL, "hostssl"},
	{"sha", "scram-sha-256", "scram-sha-256", "host"},
	{"ssl-sha", "scram-sha-256", "scram-sha-256", "hostssl"},
	{"ssl-md5", "md5", "md5", "hostssl"},
	{"md5", "md5", "md5", "host"},
	{"scram-sha-256", "scram-sha-256", "scram-sha-256", "host"},
	{"trust", "trust", "trust", "host"},
	{"peer", "peer", "peer", "host"},
	{"os", "ident", "peer", "host"},
	{"ident", "ident", "peer", "host"},
	{"cert", "cert", "cert", "hostssl"},
};

static const struct auth *auth_of(const char *word)
{
	for (size_t i = 0; i < sizeof auths / sizeof *auths; i++)
		if (!strcmp(auths[i].word, word))
			return &auths[i];
	return NULL;
}

static const char addr_words[] = "local localhost admin infra cluster intra intranet world all";
static const char role_words[] = "common default primary replica offline standby delayed";

/* a.b.c.d[/n] or an IPv6 address with or without a prefix */
static bool is_network(const char *s)
{
	size_t n = strspn(s, "0123456789.");
	int dots = 0, colons = 0;

	for (const char *p = s; *p && *p != '/'; p++) {
		dots += *p == '.';
		colons += *p == ':';
	}
	if (colons >= 2)
		n = strspn(s, "0123456789abcdefABCDEF:.");
	else if (dots != 3)
		return false;
	if (!s[n])
		return true;
	return s[n] == '/' && s[n + 1] && !s[n + 1 + strspn(s + n + 1, "0123456789")] &&
	       strtol(s + n + 1, NULL, 10) <= (colons ? 128 : 32);
}

static bool is_names(const char *s)
{
	return *s && !s[strcspn(s, " \t\n\"#")] && s[0] != ',' && s[strlen(s) - 1] != ',';
}

const char *hba_fault(const struct pig_values *v, const pig_value *rule, bool pooler)
{
	const char *role = v->str(v->key(rule, "role"), "common"), *addr = v->str(v->key(rule, "addr"), NULL);
	const char *auth = v->str(v->key(rule, "auth"), "pwd");

	if (!word_in(role_words, role))
		return "role is none of common, default, primary, replica, offline, standby, delayed";
	if (v->key(rule, "rules"))
		return NULL;
	if (!addr)
		return "has neither addr nor rules";
	if (!word_in(addr_words, addr) && !is_network(addr))
		return "addr is none of local, localhost, admin, infra, cluster, intra, world, an address or a network";
	if (!auth_of(auth))
		return "auth is none of pwd, ssl, sha, ssl-sha, md5, ssl-md5, scram-sha-256, cert, os, ident, peer, "
		       "trust, deny, reject";
	if (!strcmp(auth, "cert") && !strncmp(addr, "local", 5))
		return "certificates are for network connections, and addr is local";
	if (!is_names(v->str(v->key(rule, "user"), "all")))
		return "user is not a list of names with commas";
	if (!is_names(v->str(v->key(rule, "db"), "all")))
		return "db is not a list of names with commas";
	if (pooler && word_in(v->str(v->key(rule, "db"), "all"), "replication"))
		return "PgBouncer passes no replication connections on";
	return NULL;
}

struct emit {
	const struct inst *in;
	struct str *b;
	const char *db, *user, *method, *off; /* off: "# " of a rule for another role */
};

static void line(struct emit *e, const char *type, const char *addr)
{
	str_add(e->b, "%s%-8s%-20s%-20s%-20s%s\n", e->off, type, e->db, e->user, addr, e->method);
}

static void hosts(struct emit *e, const char *type, const pig_value *names)
{
	pig_task *t = e->in->t;

	for (size_t i = 0; i < t->val->len(names); i++) {
		const char *addr = inst_addr(t, t->val->str(t->val->at(names, i), ""));

		line(e, type, pig_fmt(t, "%s/%s", addr, strchr(addr, ':') ? "128" : "32"));
	}
}

static void intranet(struct emit *e, const char *type)
{
	static const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"};
	pig_task *t = e->in->t;
	const pig_value *own = t->host->get(t, "node_firewall_intranet");

	for (size_t i = 0; i < t->val->len(own); i++)
		line(e, type, t->val->str(t->val->at(own, i), ""));
	for (size_t i = 0; !own && i < 3; i++)
		line(e, type, nets[i]);
}

static void lines(struct emit *e, const char *addr, const char *type)
{
	pig_task *t = e->in->t;
	const char *admin;

	if (!strcmp(addr, "local")) {
		line(e, "local", "");
	} else if (!strcmp(addr, "localhost")) {
		line(e, "local", "");
		line(e, "host", "127.0.0.1/32");
		line(e, "host", "::1/128");
	} else if (!strcmp(addr, "admin")) {
		admin = t->val->str(t->host->get(t, "admin_ip"), NULL);
		if (admin)
			line(e, type, pig_fmt(t, "%s/32", admin));
	} else if (!strcmp(addr, "infra")) {
		hosts(e, type, t->host->members(t, "infra"));
	} else if (!strcmp(addr, "cluster")) {
		hosts(e, type, t->host->members(t, t->cluster));
	} else if (!strncmp(addr, "intra", 5)) {
		intranet(e, type);
	} else if (!strcmp(addr, "world") || !strcmp(addr, "all")) {
		line(e, type, "0.0.0.0/0");
		line(e, type, "::/0");
	} else {
		line(e, type, strchr(addr, '/') ? addr : pig_fmt(t, "%s/%s", addr, strchr(addr, ':') ? "128" : "32"));
	}
}

/* ${dbsu} ${repl} ${monitor} ${admin} */
static const char *aliased(const struct inst *in, const char *user)
{
	const struct {
		const char *word, *name;
	} names[] = {
		{"${dbsu}", in->p->pg_dbsu},
		{"${repl}", in->p->pg_replication_username},
		{"${monitor}", in->p->pg_monitor_username},
		{"${admin}", in->p->pg_admin_username},
	};
	struct str b = str_new(in->t);

	while (*user) {
		size_t k = 0;

		for (size_t i = 0; !k && i < sizeof names / sizeof *names; i++)
			if (!strncmp(user, names[i].word, strlen(names[i].word))) {
				str_add(&b, "%s", names[i].name);
				k = strlen(names[i].word);
			}
		if (!k)
			str_put(&b, user, 1);
		user += k ? k : 1;
	}
	return b.s;
}

static void rule_put(const struct inst *in, struct str *b, const pig_value *rule, bool pooler)
{
	const struct pig_values *v = in->t->val;
	const char *role = v->str(v->key(rule, "role"), "common"), *title = v->str(v->key(rule, "title"), NULL);
	const pig_value *raw = v->key(rule, "rules");
	const struct auth *auth = auth_of(v->str(v->key(rule, "auth"), "pwd"));
	const char *pwd = strcmp(in->p->pg_pwd_enc, "md5") ? "scram-sha-256" : "md5";
	bool on = !strcmp(role, "common") || !strcmp(role, "default") || !strcmp(role, in->p->pg_role) ||
		  (!strcmp(role, "offline") && in->p->pg_offline_query);
	struct emit e = {.in = in, .b = b, .off = on ? "" : "# "};

	if (title)
		str_add(b, "# %s [%s]\n", title, role);
	for (size_t i = 0; i < v->len(raw); i++)
		str_add(b, "%s%s\n", e.off, v->str(v->at(raw, i), ""));
	if (raw || !auth)
		return;
	e.db = v->str(v->key(rule, "db"), "all");
	e.user = aliased(in, v->str(v->key(rule, "user"), "all"));
	e.method = pooler ? auth->pooler : auth->server;
	e.method = e.method ? e.method : pwd;
	lines(&e, v->str(v->key(rule, "addr"), "local"), auth->line);
}

struct item {
	const pig_value *rule;
	int64_t order;
	size_t place;
};

static int by_order(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

static void rules_put(const struct inst *in, struct str *b, bool pooler)
{
	const struct pig_values *v = in->t->val;
	const pig_value *two[2] = {pooler ? in->p->pgb_default_hba_rules : in->p->pg_default_hba_rules,
				   pooler ? in->p->pgb_hba_rules : in->p->pg_hba_rules};
	size_t n = 0, most = v->len(two[0]) + v->len(two[1]);
	struct item *items = in->t->host->alloc(in->t, (most + 1) * sizeof *items);

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < v->len(two[k]); i++, n++) {
			items[n].rule = v->at(two[k], i);
			items[n].order = v->num(v->key(items[n].rule, "order"), INT64_MAX);
			items[n].place = n;
		}
	qsort(items, n, sizeof *items, by_order);
	for (size_t i = 0; i < n; i++)
		rule_put(in, b, items[i].rule, pooler);
}

const char *hba_text(const struct inst *in, bool pooler)
{
	struct str b = str_new(in->t);

	/* no name of the member: pg_rewind brings the leader's file, and a run after a failover has nothing to change
	 * then */
	str_add(&b, "# Access to %s of %s, written by pig: first match wins.\n", pooler ? "PgBouncer" : "PostgreSQL",
		in->p->pg_cluster);
	rules_put(in, &b, pooler);
	return b.s;
}

const pig_value *hba_lines(const struct inst *in)
{
	pig_task *t = in->t;
	pig_value *list = t->host->list(t);
	struct str b = str_new(t);

	rules_put(in, &b, false);
	for (const char *p = b.s; *p;) {
		size_t n = strcspn(p, "\n");

		if (*p != '#')
			t->host->push(t, list, t->host->text(t, pig_fmt(t, "%.*s", (int)n, p)));
		p += n + (p[n] == '\n');
	}
	return list;
}
