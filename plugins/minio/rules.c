/* What must hold for MinIO clusters before any host is touched. */
#include "module.h"

static const pig_value *get(pig_check *c, const char *host, const char *name)
{
	return c->api->get(c, host, name);
}

static const char *text(pig_check *c, const char *host, const char *name)
{
	return c->val->str(get(c, host, name), "");
}

static const char *host_at(pig_check *c, const pig_value *hosts, size_t i)
{
	return c->val->str(c->val->at(hosts, i), "");
}

static const char *member(pig_check *c, const pig_value *list, size_t i, const char *key)
{
	return c->val->str(c->val->key(c->val->at(list, i), key), "");
}

/* Is the word one of the list "a,b"? */
static bool word_in(const char *list, const char *word, size_t len)
{
	for (const char *p = list; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		if (n == len && !strncmp(p, word, n))
			return true;
		p += n;
	}
	return false;
}

/* ---- members ---- */

/* A host that is in group "minio" by intent, and by nothing that counts. */
static void group(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, "minio");

	for (size_t i = 0; i < c->val->len(hosts); i++)
		if (!get(c, host_at(c, hosts, i), "minio_cluster")) {
			c->api->fault(c, c->val->at(hosts, i), "host %s is in group \"minio\" and has no minio_seq",
				      host_at(c, hosts, i));
			c->api->hint(c, "Number the members: minio_seq: 1, 2, 3.");
		}
}

static void identity(pig_check *c)
{
	const char *h = c->hostname;
	const pig_value *seq = get(c, h, "minio_seq");

	if (!seq) {
		c->api->fault(c, get(c, h, "minio_cluster"), "host %s of minio cluster \"%s\" has no minio_seq", h,
			      c->cluster);
		c->api->hint(c, "Number the members: minio_seq: 1, 2, 3.");
	} else if (c->val->num(seq, 0) < 0) {
		c->api->fault(c, seq, "minio_seq must not be negative");
	}
}

static void members(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	size_t n = c->val->len(hosts);
	const char **names = c->api->alloc(c, (n + 1) * sizeof *names);
	int64_t *seqs = c->api->alloc(c, (n + 1) * sizeof *seqs);
	struct minio_range range;
	bool told = false;

	for (size_t i = 0; i < n; i++) {
		const char *h = host_at(c, hosts, i);
		const pig_value *seq = get(c, h, "minio_seq");
		seqs[i] = c->val->num(seq, -1 - (int64_t)i);
		names[i] = seqs[i] < 0 ? c->api->fmt(c, "%" PRId64, seqs[i]) : text(c, h, "minio_node");
		told |= seqs[i] < 0;
		for (size_t k = 0; k < i; k++) {
			if (seqs[k] == seqs[i])
				c->api->fault(c, seq, "minio_seq %" PRId64 " is that of %s already", seqs[i],
					      host_at(c, hosts, k));
			else if (!strcmp(names[k], names[i]))
				c->api->fault(c, get(c, h, "minio_node"),
					      "%s and %s are both called \"%s\" by minio_node", host_at(c, hosts, k), h,
					      names[i]);
			told |= seqs[k] == seqs[i] || !strcmp(names[k], names[i]);
		}
	}
	const char *first = host_at(c, hosts, 0);
	if (n < 2 || told || *text(c, first, "minio_volumes") || minio_range(names, seqs, n, &range))
		return;
	c->api->fault(c, get(c, first, "minio_seq"),
		      "the members of minio cluster \"%s\" do not count from one to the next", c->cluster);
	c->api->hint(c, "Their names have to read as one range, name-{1...%zu}; or write minio_volumes.", n);
}

/* What all members of a cluster have to agree on. */
static void alike(pig_check *c)
{
	static const char *const names[] = {"minio_type",	"minio_https",	    "minio_user",
					    "minio_data",	"minio_volumes",    "minio_port",
					    "minio_access_key", "minio_secret_key", "minio_domain"};
	const pig_value *hosts = c->api->members(c, c->cluster);
	const char *first = host_at(c, hosts, 0);

	for (size_t i = 1; i < c->val->len(hosts); i++)
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			const char *h = host_at(c, hosts, i);
			const pig_value *v = get(c, h, names[k]), *w = get(c, first, names[k]);
			if (strcmp(c->val->str(v, ""), c->val->str(w, "")) != 0) {
				c->api->fault(c, v ? v : w, "%s of %s is not that of %s", names[k], h, first);
				c->api->hint(c, "All members of a cluster have the same; set it for the group.");
			}
		}
}

/* ---- drives ---- */

/* Folders that others own: removal deletes a drive's folder whole. */
static bool is_shared(pig_check *c, const char *host, const char *dir)
{
	static const char *const shared[] = {"",      "/bin",  "/boot",	 "/data",  "/dev",     "/etc",
					     "/home", "/lib",  "/lib64", "/media", "/mnt",     "/opt",
					     "/pg",   "/proc", "/root",	 "/run",   "/sbin",    "/srv",
					     "/sys",  "/tmp",  "/usr",	 "/var",   "/var/lib", "/usr/local"};
	size_t n = strlen(dir);
	const char *data = text(c, host, "node_data");

	while (n && dir[n - 1] == '/')
		n--;
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		if (strlen(shared[i]) == n && !strncmp(shared[i], dir, n))
			return true;
	return strstr(dir, "/..") || (n <= strlen(data) && !strncmp(data, dir, n) && (!data[n] || data[n] == '/'));
}

static void drives(pig_check *c)
{
	const pig_value *hosts = c->api->members(c, c->cluster);
	const char *h = host_at(c, hosts, 0), *data = text(c, h, "minio_data");
	const pig_value *at = get(c, h, "minio_data");
	size_t n = minio_drives(data), all = n * c->val->len(hosts), set = 16;
	char room[1024];

	if (!*data) /* told as something else */
		return;
	if (!n || strchr(data, ' ')) {
		c->api->fault(c, at, "minio_data \"%s\" names no folders", data);
		c->api->hint(c, "One path; several drives as /data{1...4}.");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!minio_drive(data, i, room, sizeof room) || is_shared(c, h, room)) {
			c->api->fault(c, at, "minio_data \"%s\" is not MinIO's alone", data);
			c->api->hint(c, "Name a folder of its own, such as /data/minio: removal deletes it.");
			return;
		}
	while (set > 1 && all % set)
		set--;
	if (all > 1 && set < 2 && !*text(c, h, "minio_volumes")) {
		c->api->fault(c, at, "%zu drives of minio cluster \"%s\" make no sets of 2 to 16", all, c->cluster);
		c->api->hint(c, "Take one drive more or less.");
	}
}

/* ---- environment ---- */

static void environment(pig_check *c)
{
	const char *h = c->hostname, *vars = text(c, h, "minio_extra_vars");

	for (const char *p = vars; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n"), name = 0;
		while (name < n && (p[name] == '_' || (p[name] >= 'A' && p[name] <= 'Z') ||
				    (p[name] >= 'a' && p[name] <= 'z') || (name && p[name] >= '0' && p[name] <= '9')))
			name++;
		if (n && *p != '#' && (!name || p[name] != '=')) {
			c->api->fault(c, get(c, h, "minio_extra_vars"),
				      "minio_extra_vars: \"%.*s\" is no line NAME=value", (int)n, p);
			return;
		}
		p += n;
	}
}

/* ---- buckets and users ---- */

static void buckets(pig_check *c, const char *h)
{
	const pig_value *list = get(c, h, "minio_buckets");

	for (size_t i = 0; i < c->val->len(list); i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(member(c, list, i, "name"), member(c, list, k, "name")))
				c->api->fault_at_key(c, c->val->at(list, i), "name", "bucket \"%s\" is written twice",
						     member(c, list, i, "name"));
}

static void users(pig_check *c, const char *h)
{
	const pig_value *list = get(c, h, "minio_users");

	for (size_t i = 0; i < c->val->len(list); i++) {
		const char *name = member(c, list, i, "access_key");
		if (!strcmp(name, text(c, h, "minio_access_key")))
			c->api->fault_at_key(c, c->val->at(list, i), "access_key",
					     "user \"%s\" is the administrator already", name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(name, member(c, list, k, "access_key")))
				c->api->fault_at_key(c, c->val->at(list, i), "access_key",
						     "user \"%s\" is written twice", name);
	}
}

static void provisions(pig_check *c)
{
	const char *h = host_at(c, c->api->members(c, c->cluster), 0);

	buckets(c, h);
	users(c, h);
}

/* ---- warnings ---- */

/* A policy that is neither a bucket's nor MinIO's own may have been made by hand. */
static void policies(pig_check *c)
{
	const char *h = host_at(c, c->api->members(c, c->cluster), 0),
		   *known = "readwrite,readonly,writeonly,diagnostics,"
			    "consoleAdmin";
	const pig_value *list = get(c, h, "minio_users"), *own = get(c, h, "minio_buckets");

	for (size_t i = 0; i < c->val->len(own); i++)
		known = c->api->fmt(c, "%s,%s", known, member(c, own, i, "name"));
	for (size_t i = 0; i < c->val->len(list); i++)
		for (const char *p = member(c, list, i, "policy"); *p; p += strspn(p, ", ")) {
			size_t n = strcspn(p, ", ");
			if (n && !word_in(known, p, n)) {
				c->api->fault_at_key(c, c->val->at(list, i), "policy",
						     "policy \"%.*s\" is no bucket's and none of "
						     "MinIO's own",
						     (int)n, p);
				c->api->hint(c,
					     "It has to be there already: readwrite, readonly, writeonly, diagnostics, "
					     "consoleAdmin, or a name of minio_buckets.");
			}
			p += n;
		}
}

/* Of users: the administrator's default is told as every parameter's. */
static void secrets(pig_check *c)
{
	static const char *const known[] = {"S3User.MinIO", "S3User.Backup", "S3User.Meta", "S3User.Data"};
	const char *h = host_at(c, c->api->members(c, c->cluster), 0);
	const pig_value *list = get(c, h, "minio_users");

	for (size_t i = 0; i < c->val->len(list); i++)
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			if (!strcmp(member(c, list, i, "secret_key"), known[k]))
				c->api->fault_at_key(
					c, c->val->at(list, i), "secret_key",
					"minio cluster %s: the secret of user %s is a default that everyone knows",
					c->cluster, member(c, list, i, "access_key"));
}

const struct pig_rule minio_rules[MINIO_RULES] = {
	{.id = "minio_group", .scope = PIG_ALL, .check = group},
	{.id = "minio_identity", .scope = PIG_HOST, .check = identity},
	{.id = "minio_members", .scope = PIG_OF_CLUSTER, .check = members},
	{.id = "minio_alike", .scope = PIG_OF_CLUSTER, .check = alike},
	{.id = "minio_drives", .scope = PIG_OF_CLUSTER, .check = drives},
	{.id = "minio_extra_vars", .scope = PIG_HOST, .check = environment, .flags = PIG_BY_VALUES},
	{.id = "minio_provision", .scope = PIG_OF_CLUSTER, .check = provisions},
	{.id = "minio_policies", .scope = PIG_OF_CLUSTER, .warn = 1, .check = policies},
	{.id = "default-secret", .scope = PIG_OF_CLUSTER, .warn = 1, .check = secrets},
};
