/* What every part of infra stands on: the CA, folders, packages, accounts, the node's certificate. */
#include "module.h"

void task_ca(pig_task *t)
{
	t->host->ca(t);
}

/* Folders of root's alone; the others come when their owners are there. */
void task_infra_dir(pig_task *t)
{
	const struct infra *p = t->params;

	pig_group(t, .name = "infra");
	pig_file(t, .path = p->infra_data, .dir = true, .mode = 0771, .owner = "root", .group = "infra");
	if (strcmp(p->infra_data, INFRA_DIR))
		pig_file(t, .path = INFRA_DIR, .link = p->infra_data);
}

static const char *packages(pig_task *t)
{
	const struct infra *p = t->params;
	const char *names = "";

	for (size_t i = 0; i < t->val->len(p->infra_packages); i++)
		names = pig_fmt(t, "%s%s ", names, infra_scalar(t, t->val->at(p->infra_packages, i)));
	for (size_t i = 0; i < INFRA_PARTS; i++)
		if (infra_has(t, (enum infra_part)i))
			names = pig_fmt(t, "%s%s ", names, infra_parts[i].packages);
	return names;
}

static const char *without_package(pig_task *t)
{
	const char *names = "";

	for (size_t i = 0; i < INFRA_PARTS; i++)
		if (infra_enabled(t, t->hostname, (enum infra_part)i) && !infra_has(t, (enum infra_part)i))
			names = pig_fmt(t, "%s%s%s", names, *names ? ", " : "", infra_parts[i].name);
	return names;
}

/* The distribution's units of the same programs under other names would hold the ports. */
void task_infra_pkg(pig_task *t)
{
	const char *none = without_package(t);

	if (*none)
		t->host->warn(t, "no package for %s: configured, not run", none);
	pig_package(t, .names = packages(t));
	pig_ensure(t, .note = "the distribution's units do not run",
		   .probe = "for u in victoria-metrics prometheus-alertmanager prometheus-blackbox-exporter "
			    "prometheus-nginx-exporter; do f=/etc/systemd/system/$u.service\n"
			    "[ -L $f ] || [ ! -e /lib/systemd/system/$u.service ] || echo $u; done",
		   .want = "",
		   .apply = "for u in victoria-metrics prometheus-alertmanager prometheus-blackbox-exporter "
			    "prometheus-nginx-exporter; do\n[ ! -e /lib/systemd/system/$u.service ] || "
			    "{ SYSTEMCTL_SKIP_SYSV=1 systemctl -q --no-reload disable --now $u; systemctl -q "
			    "--no-reload mask $u || exit; }; done");
}

struct account {
	const char *name, *home, *shell;
};
struct folder {
	const char *name, *owner;
	uint32_t mode;
};

void task_infra_user(pig_task *t)
{
	static const struct account accounts[] = {
		{"victoria", INFRA_DIR, "/usr/sbin/nologin"},
		{"prometheus", NULL, "/usr/sbin/nologin"},
		{"grafana", NULL, "/usr/sbin/nologin"},
		{"dnsmasq", NULL, "/usr/sbin/nologin"},
		{"nginx", "/var/cache/nginx", "/usr/sbin/nologin"},
	};
	static const struct folder folders[] = {
		{"alertmgr", "prometheus", 0700}, {"conf", "root", 0750},	   {"tmp", "root", 0750},
		{"datasources", "root", 0750},	  {"dashboards", "grafana", 0750}, {"metrics", "victoria", 0750},
		{"logs", "victoria", 0750},	  {"traces", "victoria", 0750},	   {"rules", "victoria", 0750},
		{"bin", "victoria", 0750},	  {"targets", "victoria", 0750},
	};
	const pig_value *admin = t->host->get(t, "node_admin_username");

	for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
		const struct account *a = &accounts[i];
		/* those a distribution makes stay as it made them */
		bool ours = a->home != NULL;
		pig_user(t, .name = a->name, .groups = "infra", .home = a->home, .shell = ours ? a->shell : NULL,
			 .system = true);
	}
	if (admin && t->val->truth(t->host->get(t, "node_admin_enabled"), true))
		pig_user(t, .name = infra_scalar(t, admin), .groups = "infra");
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		pig_file(t, .path = pig_fmt(t, INFRA_DIR "/%s", folders[i].name), .dir = true, .mode = folders[i].mode,
			 .owner = folders[i].owner, .group = "infra");
	for (const char *const *kind = infra_kinds; *kind; kind++)
		pig_file(t, .path = pig_fmt(t, INFRA_DIR "/targets/%s", *kind), .dir = true, .mode = 0750,
			 .owner = INFRA_VICTORIA, .group = "infra");
}

/* The client certificate by which this node scrapes and administrates. */
void task_infra_cert(pig_task *t)
{
	const char *address = infra_address(t, t->hostname);

	pig_file(t, .path = "/etc/pki", .dir = true, .mode = 0755);
	pig_file(t, .path = "/etc/pki/ca.crt", .text = t->host->ca(t), .mode = 0644, .owner = "root", .group = "root");
	pig_cert(t, .path = "/etc/pki/infra.crt", .key = "/etc/pki/infra.key", .cn = address, .ou = "infra",
		 .store = "infra", .sans = pig_fmt(t, "localhost,%s,127.0.0.1,%s", infra_name(t, t->hostname), address),
		 .owner = "root", .group = "infra", .mode = 0640, .client = true,
		 .days = infra_days(t->val->str(t->host->get(t, "cert_validity"), "7300d")));
}
