/* nginx: the portal - home page, local repo, the other parts' pages - and the virtual hosts of infra_portal. */
#include "module.h"

#define CONF_D "/etc/nginx/conf.d"
#define CERTS CONF_D "/cert"

/* Entries that name a domain; the others are for others to read. */
static const char *domain_of(pig_task *t, const pig_value *item)
{
	const char *domain = infra_scalar(t, t->val->key(item, "domain"));

	return *domain ? domain : NULL;
}

/* The word of a component's path and its port, 0 where it does not run. */
static void put_services(pig_task *t, pig_value *vars)
{
	pig_value *list = t->host->list(t), *parts = t->host->map(t);

	for (size_t i = 0; i < INFRA_PARTS; i++) {
		const char *word = infra_parts[i].word;
		if (!word || !infra_has(t, (enum infra_part)i))
			continue;
		t->host->put(t, parts, i == PART_GRAFANA ? "grafana" : word, t->host->boolean(t, true));
		pig_value *one = t->host->list(t);
		t->host->push(t, one, t->host->text(t, word));
		t->host->push(t, one, t->host->number(t, infra_port(t, (enum infra_part)i)));
		if (i != PART_GRAFANA) /* has more to its place than a port */
			t->host->push(t, list, one);
	}
	t->host->put(t, vars, "services", list);
	t->host->put(t, vars, "parts", parts);
}

static void web_folders(pig_task *t)
{
	const struct infra *p = t->params;
	static const char *const folders[] = {"acme", "logs", "repos", "schema", "report"};

	pig_file(t, .path = p->nginx_data, .dir = true, .mode = 0755, .owner = "nginx", .group = "nginx");
	if (strcmp(p->nginx_data, p->nginx_home))
		pig_file(t, .path = p->nginx_home, .link = p->nginx_data);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		pig_file(t, .path = pig_fmt(t, "%s/%s", p->nginx_home, folders[i]), .dir = true, .mode = 0755,
			 .owner = "nginx", .group = "nginx");
	if (p->repo_enabled)
		pig_file(t, .path = pig_fmt(t, "%s/%s", p->repo_home, p->repo_name), .dir = true, .mode = 0755);
	pig_file(t, .path = pig_fmt(t, "%s/ca.crt", p->nginx_home), .text = t->host->ca(t), .mode = 0644);
	/* of the package of that name, where it is installed */
	pig_ensure(t, .note = "explain visualizer",
		   .probe = pig_sh(t, "[ ! -e /usr/share/pev2.html ] || [ -L %s ]",
				   pig_fmt(t, "%s/pev.html", p->nginx_home)),
		   .apply = pig_sh(t, "ln -sfn /usr/share/pev2.html %s", pig_fmt(t, "%s/pev.html", p->nginx_home)));
}

/* All domains and all infra nodes' addresses, so that one certificate fits every node. */
static const char *names_of(pig_task *t)
{
	const struct infra *p = t->params;
	const pig_value *nodes = infra_nodes(t);
	const char *names = "i.pigsty,localhost,127.0.0.1";

	for (size_t i = 0; i < t->val->len(p->infra_portal); i++) {
		const pig_value *item = t->val->key(p->infra_portal, infra_site(t, i)), *more = t->val->key(item, "domains");
		if (!domain_of(t, item))
			continue;
		names = pig_fmt(t, "%s,%s", names, domain_of(t, item));
		for (size_t k = 0; k < t->val->len(more); k++)
			names = pig_fmt(t, "%s,%s", names, infra_scalar(t, t->val->at(more, k)));
	}
	for (size_t i = 0; i < t->val->len(nodes); i++)
		names = pig_fmt(t, "%s,%s", names, infra_address(t, infra_host(t, nodes, i)));
	return names;
}

static void certificates(pig_task *t, pig_value *vars)
{
	const struct infra *p = t->params;

	pig_cert(t, .path = CERTS "/pigsty.crt", .key = CERTS "/pigsty.key", .cn = "pigsty", .ou = "nginx",
		 .store = "nginx", .sans = names_of(t), .owner = "root", .group = "nginx", .mode = 0640,
		 .days = infra_days(p->nginx_cert_validity));
	pig_file(t, .path = "/etc/nginx/link-cert", .tmpl = "nginx/link-cert", .vars = vars, .mode = 0750,
		 .group = "nginx");
	pig_file(t, .path = "/etc/nginx/sign-cert", .tmpl = "nginx/sign-cert", .vars = vars, .mode = 0750,
		 .group = "nginx");
	pig_ensure(t, .note = "certificates of the portal's domains", .probe = "/etc/nginx/link-cert check",
		   .apply = "/etc/nginx/link-cert");
}

/* Our files of entries that are no more; with nginx_clean whatever else is there, too. */
static void strangers(pig_task *t, const char *keep)
{
	const struct infra *p = t->params;
	const char *find = pig_fmt(
		t,
		"cd " CONF_D " && for f in *.conf; do case ' %s ' in *\" $f \"*) continue ;; esac\n"
		"[ -e \"$f\" ] && { %s; } || continue\n",
		keep,
		p->nginx_clean
			? "true"
			: "read -r l <\"$f\"; case $l in '# Managed by pig: infra_portal.'*) ;; *) false ;; esac");

	pig_ensure(t, .note = "no other virtual hosts", .want = "", .probe = pig_fmt(t, "%secho \"$f\"; done", find),
		   .apply = pig_fmt(t, "%srm -f -- \"$f\"; done", find));
}

static void hosts(pig_task *t, pig_value *vars)
{
	const struct infra *p = t->params;
	const char *keep = "";

	for (size_t i = 0; i < t->val->len(p->infra_portal); i++) {
		const char *key = infra_site(t, i);
		const pig_value *item = t->val->key(p->infra_portal, key);
		const char *conf = infra_scalar(t, t->val->key(item, "conf"));
		pig_value *one = t->host->map(t);
		if (!domain_of(t, item))
			continue;
		t->host->put(t, one, "services", t->val->key(vars, "services"));
		t->host->put(t, one, "parts", t->val->key(vars, "parts"));
		t->host->put(t, one, "item", item);
		infra_put(t, one, "key", key);
		keep = pig_fmt(t, "%s%s.conf ", keep, key);
		pig_file(t, .path = pig_fmt(t, CONF_D "/%s.conf", key), .vars = one, .mode = 0644, .owner = "root",
			 .group = "nginx", .tmpl = *conf ? conf : "nginx/server.conf");
	}
	strangers(t, keep);
}

static void certbot(pig_task *t)
{
	const struct infra *p = t->params;

	if (!p->certbot_sign)
		return;
	pig_package(t, .names = "certbot", .flags = PIG_SOFT);
	pig_shell(t, .note = "public certificates by certbot", .flags = PIG_SOFT, .cmd = "/etc/nginx/sign-cert");
}

void task_nginx(pig_task *t)
{
	const struct infra *p = t->params;
	pig_value *vars = t->host->map(t), *items = t->host->list(t);

	if (!p->nginx_enabled) {
		pig_unit(t, .name = "nginx", .state = PIG_STOPPED, .enable = -1);
		return;
	}
	for (size_t i = 0; i < t->val->len(p->infra_portal); i++) {
		const pig_value *item = t->val->key(p->infra_portal, infra_site(t, i));
		if (domain_of(t, item))
			t->host->push(t, items, item);
	}
	t->host->put(t, vars, "items", items);
	put_services(t, vars);
	web_folders(t);
	pig_file(t, .path = CONF_D, .dir = true, .mode = 0750, .owner = "root", .group = "nginx");
	pig_file(t, .path = CERTS, .dir = true, .mode = 0750, .owner = "root", .group = "nginx");
	pig_file(t, .path = INFRA_PAGES_DIR, .dir = true, .mode = 0750, .owner = "root", .group = "nginx");
	certificates(t, vars);
	pig_file(t, .path = "/etc/nginx/.htpasswd", .tmpl = "nginx/htpasswd", .mode = 0640, .owner = "root",
		 .group = "nginx");
	infra_home(t);
	hosts(t, vars);
	/* the main file last: it is tried with all the others in place */
	pig_file(t, .path = "/etc/nginx/nginx.conf", .tmpl = "nginx/nginx.conf", .mode = 0644, .owner = "root",
		 .group = "nginx");
	pig_ensure(t, .note = "nginx takes its configuration", .probe = "nginx -t -q 2>&1", .want = "",
		   .apply = "nginx -t -q");
	pig_unit(t, .name = "nginx", .state = PIG_STARTED, .enable = 1, .on_change = PIG_RELOAD, .flags = PIG_NOW,
		 .watch = INFRA_NGINX_WATCH);
	infra_answers(t, PART_NGINX);
	certbot(t);
}
