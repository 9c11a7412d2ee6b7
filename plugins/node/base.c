/* What every node has: trust in the local CA, packages, a login shell's settings, limits, the data folder. */
#include "module.h"

void task_node_pkg(pig_task *t)
{
	const struct node *p = t->params;

	if (node_is_deb(t))
		pig_file(t, .path = "/usr/sbin/policy-rc.d", .tmpl = "policy-rc.d", .mode = 0755);
	const char *names = pig_fmt(t, "%s%s", node_lines(t, p->node_default_packages, " "),
				    node_lines(t, p->node_packages, " "));
	if (*names)
		pig_package(t, .names = names);
}

/*
 * A line of the certificate that no other has: the last whole one, of the signature. "" when it is too short for one.
 */
static const char *pem_line(pig_task *t, const char *pem)
{
	const char *end = strstr(pem, "\n-----END"), *line = "";

	for (const char *p = pem; p && end && p < end;) {
		size_t n = strcspn(p, "\n");
		if (n == 64 && *p != '-')
			line = pig_fmt(t, "%.*s", (int)n, p);
		p += n + 1;
	}
	return line;
}

void task_node_ca(pig_task *t)
{
	const char *pem = t->host->ca(t);
	bool deb = node_is_deb(t);
	const char *anchor = deb ? "/usr/local/share/ca-certificates/ca.crt"
				 : "/etc/pki/ca-trust/source/anchors/ca.crt";
	const char *bundle = deb ? "/etc/ssl/certs/ca-certificates.crt"
				 : "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem";

	if (!pem)
		return;
	pig_file(t, .path = "/etc/pki", .dir = true, .mode = 0755);
	pig_file(t, .path = "/etc/pki/ca.crt", .text = pem, .mode = 0644, .owner = "root", .group = "root");
	pig_file(t, .path = anchor, .link = "/etc/pki/ca.crt");
	pig_ensure(t, .note = "trust in the local CA",
		   .probe = pig_sh(t, "grep -qxF -e %s %s", pem_line(t, pem), bundle),
		   .apply = deb ? "update-ca-certificates" : "update-ca-trust");
}

/* Names of aliases stand bare in the file. */
static bool are_names(pig_task *t, const pig_value *aliases)
{
	for (size_t i = 0; i < t->val->len(aliases); i++) {
		const char *name = t->val->key_at(aliases, i);
		if (*name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
			continue;
		t->host->fail_at(t, t->val->at(aliases, i), "\"%s\" is no name for an alias", name);
		return false;
	}
	return true;
}

void task_node_profile(pig_task *t)
{
	const struct node *p = t->params;

	if (!are_names(t, p->node_aliases))
		return;
	pig_file(t, .path = "/etc/profile.d/node.sh", .tmpl = "node.sh", .mode = 0644);
	if (t->val->len(p->node_aliases))
		pig_file(t, .path = "/etc/profile.d/node.alias.sh", .tmpl = "node.alias.sh", .mode = 0644);
	else
		pig_file(t, .path = "/etc/profile.d/node.alias.sh", .state = PIG_ABSENT);
}

void task_node_ulimit(pig_task *t)
{
	pig_file(t, .path = "/etc/security/limits.d/limits.conf", .tmpl = "limits.conf", .mode = 0644);
}

void task_node_data(pig_task *t)
{
	const struct node *p = t->params;

	pig_file(t, .path = p->node_data, .dir = true, .mode = 0755, .owner = "root", .group = "root");
}
