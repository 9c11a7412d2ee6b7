/* The home page: what is deployed, by the inventory, and the links of infra_services and infra_extra_services. */
#include "module.h"

struct kind {
	const char *module, *cluster, *seq;
};
static const struct kind kinds[] = {
	{"pgsql", "pg_cluster", "pg_seq"},
	{"etcd", "etcd_cluster", "etcd_seq"},
	{"redis", "redis_cluster", "redis_node"},
	{"minio", "minio_cluster", "minio_seq"},
};

/* Clusters of one module, in inventory order, with their members' names. */
static void add_clusters(pig_task *t, const struct kind *kind, const pig_value *all, pig_value *out)
{
	pig_value *seen = t->host->map(t);

	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = infra_host(t, all, i), *name = infra_scalar(t, t->host->of(t, host, kind->cluster));
		const char *members = "", *seq;
		if (!*name || t->val->key(seen, name))
			continue;
		t->host->put(t, seen, name, t->host->boolean(t, true));
		pig_value *one = t->host->map(t), *list = t->host->list(t);
		for (size_t k = i; k < t->val->len(all); k++) {
			const char *other = infra_host(t, all, k);
			if (strcmp(infra_scalar(t, t->host->of(t, other, kind->cluster)), name))
				continue;
			seq = infra_scalar(t, t->host->of(t, other, kind->seq));
			members = pig_fmt(t, "%s-%s (%s)", name, seq, infra_address(t, other));
			t->host->push(t, list, t->host->text(t, members));
		}
		infra_put(t, one, "module", kind->module);
		infra_put(t, one, "name", name);
		t->host->put(t, one, "members", list);
		t->host->push(t, out, one);
	}
}

static void add_nodes(pig_task *t, const pig_value *all, pig_value *out)
{
	for (size_t i = 0; i < t->val->len(all); i++) {
		const char *host = infra_host(t, all, i);
		pig_value *one = t->host->map(t);
		infra_put(t, one, "name", infra_name(t, host));
		infra_put(t, one, "address", infra_address(t, host));
		infra_put(t, one, "cluster", infra_scalar(t, t->host->of(t, host, "node_cluster")));
		/* its page is found by its name, which may be known to itself alone */
		t->host->put(
			t, one, "haproxy",
			t->host->boolean(t, strcmp(infra_name(t, host), host) &&
						    t->val->truth(t->host->of(t, host, "haproxy_enabled"), false)));
		t->host->push(t, out, one);
	}
}

/* Does a link lead to a part that does not run here? "/vlogs/...": word and path of a part. */
static bool is_void(pig_task *t, const char *url)
{
	const struct infra *p = t->params;

	for (size_t i = 0; i < INFRA_PARTS; i++) {
		const char *word = infra_parts[i].word;
		size_t n = word ? strlen(word) : 0;
		if (n && url[0] == '/' && !strncmp(url + 1, word, n) && (!url[n + 1] || url[n + 1] == '/'))
			return !infra_has(t, (enum infra_part)i);
	}
	if (url[0] == '/' && !strcmp(url + 1, p->repo_name))
		return !p->repo_enabled;
	return false;
}

static void add_links(pig_task *t, const pig_value *links, pig_value *out, bool pev)
{
	for (size_t i = 0; i < t->val->len(links); i++) {
		const pig_value *link = t->val->at(links, i);
		const char *url = infra_scalar(t, t->val->key(link, "url"));
		if (!is_void(t, url) && (pev || strcmp(url, "/pev")))
			t->host->push(t, out, link);
	}
}

const char *infra_site(pig_task *t, size_t i)
{
	const struct infra *p = t->params;
	const char *last = "", *next = NULL;

	for (size_t k = 0; k <= i; k++, last = next ? next : last) {
		next = NULL;
		for (size_t n = 0; n < t->val->len(p->infra_portal); n++) {
			const char *key = t->val->key_at(p->infra_portal, n);
			if (strcmp(key, last) > 0 && (!next || strcmp(key, next) < 0))
				next = key;
		}
	}
	return next ? next : "";
}

static void add_sites(pig_task *t, pig_value *out)
{
	const struct infra *p = t->params;
	const char *port = p->nginx_port == 80 ? "" : pig_fmt(t, ":%" PRId64, p->nginx_port);

	for (size_t i = 0; i < t->val->len(p->infra_portal); i++) {
		const char *key = infra_site(t, i);
		const pig_value *item = t->val->key(p->infra_portal, key);
		const char *domain = infra_scalar(t, t->val->key(item, "domain"));
		pig_value *one = t->host->map(t);
		if (!*domain || !strcmp(key, "home"))
			continue;
		infra_put(t, one, "name", key);
		infra_put(t, one, "domain", domain);
		infra_put(t, one, "url", pig_fmt(t, "http://%s%s/", domain, port));
		t->host->push(t, out, one);
	}
}

static void page(pig_task *t, const char *name, const char *lang, const pig_value *vars, const char *tmpl)
{
	const struct infra *p = t->params;
	pig_value *all = t->host->map(t);

	for (size_t i = 0; i < t->val->len(vars); i++)
		t->host->put(t, all, t->val->key_at(vars, i), t->val->at(vars, i));
	infra_put(t, all, "lang", lang);
	infra_put(t, all, "title", strcmp(lang, "zh") ? "Pigsty" : "Pigsty 门户");
	pig_file(t, .path = pig_fmt(t, "%s/%s", p->nginx_home, name), .tmpl = tmpl, .vars = all, .mode = 0644,
		 .owner = "root", .group = "nginx");
}

void infra_home(pig_task *t)
{
	const struct infra *p = t->params;
	const pig_value *all = t->host->members(t, "all");
	pig_value *vars = t->host->map(t), *clusters = t->host->list(t), *nodes = t->host->list(t);
	pig_value *links = t->host->list(t), *sites = t->host->list(t);
	bool pev = !infra_lacks(t, "pev");

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		add_clusters(t, &kinds[i], all, clusters);
	add_nodes(t, all, nodes);
	add_links(t, p->infra_services, links, pev);
	add_links(t, p->infra_extra_services, links, true);
	add_sites(t, sites);
	t->host->put(t, vars, "clusters", clusters);
	t->host->put(t, vars, "nodes", nodes);
	t->host->put(t, vars, "links", links);
	t->host->put(t, vars, "portal", sites);
	infra_put(t, vars, "address", infra_address(t, t->hostname));
	infra_put(t, vars, "style", t->host->render(t, "home/style.css", NULL));
	page(t, "index.html", "en", vars, "home/index.html");
	page(t, "zh.html", "zh", vars, "home/index.html");
	page(t, "metrics.html", "en", vars, "home/metrics.html");
	page(t, "404.html", "en", vars, "home/404.html");
}
