/*
 * What must hold for nodes before any host is touched: names and addresses of their own, a shared address that can
 * work, lines that the files they go into would take.
 */
#include "module.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#define EACH(c, list, i) for (size_t i = 0; i < (c)->val->len(list); i++)

static const char *host_at(pig_check *c, const pig_value *hosts, size_t i)
{
	return c->val->str(c->val->at(hosts, i), "");
}

static const char *text(pig_check *c, const char *host, const char *name, const char *dflt)
{
	return c->val->str(c->api->get(c, host, name), dflt);
}

/* The host's IPv4 address as the inventory has it, in host order; 0 when it has a name alone. */
static uint32_t address(pig_check *c, const char *host)
{
	struct in_addr in;

	if (inet_pton(AF_INET, host, &in) == 1 || inet_pton(AF_INET, text(c, host, "ansible_host", ""), &in) == 1)
		return ntohl(in.s_addr);
	return 0;
}

/* ---- names and addresses ---- */
struct owner {
	const char *key, *host;
	const pig_value *at;
	bool lent; /* the name is that of something on the node, whose own rules say it is unique */
};

static size_t slot_of(const struct owner *const *slots, size_t n, const char *key)
{
	size_t at = 5381;

	for (const char *s = key; *s; s++)
		at = at * 33 ^ (unsigned char)*s;
	for (at %= n; slots[at] && strcmp(slots[at]->key, key); at = (at + 1) % n)
		;
	return at;
}

/* Each that has what one before it has, told with the last of those; n may be ten thousand. */
static void twice(pig_check *c, const struct owner *all, size_t n, const char *fmt)
{
	const struct owner **slots = c->api->alloc(c, (n * 2 + 1) * sizeof *slots);

	for (size_t i = 0; i < n; i++) {
		size_t at = slot_of(slots, n * 2 + 1, all[i].key);
		if (slots[at] && !(slots[at]->lent && all[i].lent))
			c->api->fault(c, all[i].at, "hosts %s and %s %s \"%s\"", slots[at]->host, all[i].host, fmt, all[i].key);
		slots[at] = &all[i];
	}
}

/* Two nodes of one name would share what is kept by name: certificates, metrics, haproxy's page. */
void node_check_names(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, NULL);
	struct owner *all = c->api->alloc(c, (c->val->len(hosts) + 1) * sizeof *all);
	size_t n = 0;

	EACH(c, hosts, i) {
		const char *host = host_at(c, hosts, i);
		const pig_value *cluster = c->api->get(c, host, "pg_cluster"), *seq = c->api->get(c, host, "pg_seq");
		bool from_pg = c->val->truth(c->api->get(c, host, "node_id_from_pg"), true);

		all[n] = (struct owner){ .host = host, .at = c->api->get(c, host, "nodename") };
		all[n].lent = from_pg && c->val->len(cluster) && c->val->type(seq) == PIG_INT;
		if (all[n].lent)
			all[n].key = c->api->fmt(c, "%s-%" PRId64, c->val->str(cluster, ""), c->val->num(seq, 0));
		else
			all[n].key = c->val->str(all[n].at, NULL);
		n += all[n].key != NULL;
	}
	twice(c, all, n, "are both named");
}

/* One machine under two names would be worked on twice at once. */
void node_check_addresses(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, NULL);
	struct owner *all = c->api->alloc(c, (c->val->len(hosts) + 1) * sizeof *all);
	size_t n = 0;

	EACH(c, hosts, i) {
		const char *host = host_at(c, hosts, i);
		const pig_value *at = c->api->get(c, host, "ansible_host"), *port = c->api->get(c, host, "ansible_port");
		/* a host named by its address has its ansible_host for ssh alone: a jump's, a forwarded port's */
		if (!strcmp(text(c, host, "ansible_connection", ""), "local"))
			continue;
		all[n++] = (struct owner){ .host = host, .at = at,
			.key = c->api->fmt(c, port ? "%s:%s" : "%s", c->val->str(at, host), c->val->str(port, "")) };
	}
	twice(c, all, n, "are both at");
}

/* ---- the shared address ---- */
static void vip_of_host(pig_check *c, const pig_value *hosts, const char *vip, const pig_value *at)
{
	struct in_addr in;

	if (inet_pton(AF_INET, vip, &in) != 1)
		return;
	EACH(c, hosts, i)
		if (address(c, host_at(c, hosts, i)) == ntohl(in.s_addr)) {
			c->api->fault(c, at, "vip_address %s is the address of host %s", vip, host_at(c, hosts, i));
			c->api->hint(c, "It moves between the nodes: choose one that no machine has.");
		}
}

static void vip_pair(pig_check *c, const char *host, const char *other)
{
	const pig_value *vip = c->api->get(c, host, "vip_address"), *id = c->api->get(c, host, "vip_vrid");
	bool same = !strcmp(c->val->str(vip, ""), text(c, other, "vip_address", ""));
	bool one_id = c->val->num(id, -1) == c->val->num(c->api->get(c, other, "vip_vrid"), -2);

	if (same && !one_id && id && c->api->get(c, other, "vip_vrid"))
		c->api->fault(c, id, "hosts %s and %s share vip_address %s and have different vip_vrid", other, host,
			      c->val->str(vip, ""));
	if (!same && one_id && address(c, host) >> 8 == address(c, other) >> 8) {
		c->api->fault(c, id, "vip_vrid %" PRId64 " is that of %s, on %s, already", c->val->num(id, 0),
			      text(c, other, "vip_address", ""), other);
		c->api->hint(c, "Each shared address of a network needs a number of its own.");
	}
	if (same && !strcmp(text(c, host, "vip_role", ""), "master") && !strcmp(text(c, other, "vip_role", ""), "master"))
		c->api->fault(c, c->api->get(c, host, "vip_role"), "%s and %s are both master of vip_address %s", other,
			      host, c->val->str(vip, ""));
}

void node_check_vip(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, NULL);
	const char **with = c->api->alloc(c, (c->val->len(hosts) + 1) * sizeof *with);
	size_t n = 0;

	EACH(c, hosts, i) {
		const char *host = host_at(c, hosts, i);
		if (!c->val->truth(c->api->get(c, host, "vip_enabled"), false) || !*text(c, host, "vip_address", ""))
			continue;
		vip_of_host(c, hosts, text(c, host, "vip_address", ""), c->api->get(c, host, "vip_address"));
		for (size_t k = 0; k < n; k++)
			vip_pair(c, host, with[k]);
		with[n++] = host;
	}
}

/* The mask is the interface's and not known yet: what differs in its first half is in no network that is common. */
void node_check_vip_network(pig_check *c)
{
	const pig_value *vip = c->api->get(c, NULL, "vip_address");
	struct in_addr in;

	if (!c->val->truth(c->api->get(c, NULL, "vip_enabled"), false) || inet_pton(AF_INET, c->val->str(vip, ""), &in) != 1)
		return;

	uint32_t own = address(c, text(c, NULL, "inventory_hostname", "")); /* asked for, as it decides */
	if (!own || ntohl(in.s_addr) >> 16 == own >> 16)
		return;
	c->api->fault(c, vip, "vip_address %s is in another network than host %s", c->val->str(vip, ""), c->hostname);
	c->api->hint(c, "The nodes must have it in the network of one of their interfaces.");
}

/* ---- sudo ---- */
/* The rule is for the user that pig itself logs in with, as a rule: the run that writes it would be the last. */
void node_check_sudo(pig_check *c)
{
	const pig_value *sudo = c->api->get(c, NULL, "node_admin_sudo");
	const char *may = c->val->str(sudo, ""), *user = text(c, NULL, "ansible_user", ""),
		   *admin = text(c, NULL, "node_admin_username", "");
	bool all = !strcmp(may, "all");

	if (!c->val->truth(c->api->get(c, NULL, "node_admin_enabled"), true) || !strcmp(may, "nopass") || !strcmp(user, "root"))
		return;
	if (!all && strcmp(user, admin)) /* what it had by a rule of its own it keeps */
		return;
	if (*text(c, NULL, "ansible_become_password", "") || *text(c, NULL, "ansible_become_pass", ""))
		return;
	c->api->fault(c, sudo, "node_admin_sudo \"%s\" lets %s %s, and pig has none to give", may,
		      *user ? user : "the user who logs in",
		      all ? "use sudo with a password alone" : "do little without a password");
	c->api->hint(c, "The next run could not become root: set ansible_become_password, or log in as another user.");
}

/* ---- lines ---- */
static const char *word(const char *s, size_t *n)
{
	s += strspn(s, " \t");
	*n = strcspn(s, " \t");
	return s;
}

static bool is_comment(const char *s)
{
	s += strspn(s, " \t");
	return !*s || *s == '#';
}

/* "address name ...", as /etc/hosts has it. */
static bool is_record(pig_check *c, const char *line)
{
	unsigned char raw[16];
	size_t n;
	const char *s = word(line, &n), *addr = c->api->fmt(c, "%.*s", (int)n, s);

	if (inet_pton(AF_INET, addr, raw) != 1 && inet_pton(AF_INET6, addr, raw) != 1)
		return false;
	s = word(s + n, &n);
	return n && *s != '#';
}

static void records(pig_check *c, const char *name)
{
	const pig_value *lines = c->api->get(c, c->hostname, name);

	EACH(c, lines, i) {
		const char *line = c->val->str(c->val->at(lines, i), "");
		if (is_comment(line) || is_record(c, line))
			continue;
		c->api->fault(c, c->val->at(lines, i), "%s: \"%s\" is no line of an address and names", name, line);
		c->api->hint(c, "Such as \"10.10.10.10 i.pigsty\".");
	}
}

/* Five times or @daily, then the user, then the command. */
static const char *crontab_fault(const char *line)
{
	size_t n, fields = 0;
	const char *s = word(line, &n);

	if (is_comment(line) || (memchr(s, '=', n) && (isalpha((unsigned char)*s) || *s == '_')))
		return NULL;
	for (; *s == '@' ? fields < 1 : fields < 5; fields++) {
		bool named = *s == '@';
		if (!named && strspn(s, "0123456789*,/-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") < n)
			return "does not begin with five fields of time";
		s = word(s + n, &n);
		if (named)
			break;
	}
	if (!n || !(isalpha((unsigned char)*s) || *s == '_') || memchr(s, '/', n))
		return "names no user after the time";
	word(s + n, &n);
	return n ? NULL : "has no command";
}

static void crontab(pig_check *c)
{
	const pig_value *lines = c->api->get(c, c->hostname, "node_crontab");

	EACH(c, lines, i) {
		const char *why = crontab_fault(c->val->str(c->val->at(lines, i), ""));
		if (!why)
			continue;
		c->api->fault(c, c->val->at(lines, i), "node_crontab: line %zu %s", i + 1, why);
		c->api->hint(c, "Such as \"00 01 * * * postgres /pg/bin/pg-backup full\".");
	}
}

static void first_words(pig_check *c, const char *name, const char *const *words, const char *hint)
{
	const pig_value *lines = c->api->get(c, c->hostname, name);

	EACH(c, lines, i) {
		const char *line = c->val->str(c->val->at(lines, i), "");
		bool known = is_comment(line);
		size_t n, k = 0;
		const char *s = word(line, &n);
		for (; !known && words[k]; k++)
			known = !strncmp(s, words[k], strlen(words[k]));
		if (known)
			continue;
		c->api->fault(c, c->val->at(lines, i), "%s: line %zu is none that is known", name, i + 1);
		c->api->hint(c, "%s", hint);
	}
}

void node_check_lines(pig_check *c)
{
	static const char *const times[] = { "pool ", "server ", "peer ", "refclock ", NULL };
	static const char *const resolver[] = { "options ", "search ", "domain ", "sortlist ", NULL };
	static const char *const keys[] = { "ssh-", "ecdsa-", "sk-", NULL };

	records(c, "node_default_etc_hosts");
	records(c, "node_etc_hosts");
	crontab(c);
	first_words(c, "node_ntp_servers", times, "Begin it with pool or server: \"pool pool.ntp.org iburst\".");
	first_words(c, "node_dns_options", resolver, "Begin it with options or search.");
	first_words(c, "node_admin_pk_list", keys, "A public key begins with its kind: \"ssh-ed25519 AAAA...\".");
}

/* ---- haproxy ---- */
void node_check_services(pig_check *c)
{
	const pig_value *all = c->api->get(c, c->hostname, "haproxy_services");

	EACH(c, all, i) {
		const pig_value *s = c->val->at(all, i), *name = c->val->key(s, "name");
		if (!c->val->len(c->val->key(s, "servers")))
			c->api->fault(c, s, "haproxy service \"%s\" has no servers", c->val->str(name, ""));
		for (size_t k = 0; k < i; k++)
			if (!strcmp(c->val->str(name, ""), c->val->str(c->val->key(c->val->at(all, k), "name"), "-")))
				c->api->fault(c, name, "haproxy service \"%s\" is there twice", c->val->str(name, ""));
	}
}
