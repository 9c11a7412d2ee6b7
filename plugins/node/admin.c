/*
 * The admin account: group admin, the user, sudo, ssh. What exists keeps its numbers: pig may be logged in as that
 * very user, and renumbering an account orphans its files.
 */
#include "module.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

/* Public keys of whoever runs pig, a line each. */
static const char *operator_keys(pig_task *t)
{
	const char *home = getenv("HOME"), *keys = "";
	glob_t found;
	char line[8192];

	if (!node_is_set(home) || glob(pig_fmt(t, "%s/.ssh/id*.pub", home), 0, NULL, &found))
		return "";
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *f = fopen(found.gl_pathv[i], "re");
		if (!f)
			continue;
		if (fgets(line, (int)sizeof line, f))
			keys = pig_fmt(t, "%s%.*s\n", keys, (int)strcspn(line, "\r\n"), line);
		fclose(f);
	}
	globfree(&found);
	return keys;
}

struct account {
	const char *uid, *group, *home; /* of the user; NULL: there is none */
	const char *admin_gid;          /* of group admin; NULL: there is none */
};

/* The n-th field of a line of passwd or group. */
static const char *field(pig_task *t, const char *line, int n)
{
	for (; n && *line && *line != '\n'; line++)
		n -= *line == ':';
	return pig_fmt(t, "%.*s", (int)strcspn(line, ":\n"), line);
}

static bool look(pig_task *t, struct account *a)
{
	const char *passwd = node_look(t, LOOK_ADMIN);

	*a = (struct account){ 0 };
	if (!passwd)
		return false;
	const char *group = strchr(passwd, '\n'), *primary = group ? strchr(group + 1, '\n') : NULL;
	if (*passwd && *passwd != '\n') {
		a->uid = field(t, passwd, 2);
		a->home = field(t, passwd, 5);
		a->group = primary && primary[1] ? field(t, primary + 1, 0) : a->uid;
	}
	if (group && group[1] && group[1] != '\n')
		a->admin_gid = field(t, group + 1, 2);
	return true;
}

/* By name too: who is at work on the node just now has not got the group yet. */
static void sudo_rules(pig_task *t, const struct node *p)
{
	const char *may = "NOPASSWD: ALL";

	if (!strcmp(p->node_admin_sudo, "all"))
		may = "ALL";
	else if (!strcmp(p->node_admin_sudo, "limit"))
		may = "NOPASSWD: /usr/bin/systemctl, /usr/bin/journalctl, /usr/bin/cat, /usr/bin/less, /usr/bin/tail, "
		      "/usr/bin/head";
	pig_file(t, .path = pig_fmt(t, "/etc/sudoers.d/%s", p->node_admin_username),
		 .text = pig_fmt(t, "%s, %%admin ALL=(ALL:ALL) %s\n", p->node_admin_username, may), .mode = 0440,
		 .owner = "root", .group = "root", .validate = "visudo -cqf %s");
}

void task_node_admin(pig_task *t)
{
	const struct node *p = t->params;
	const char *name = p->node_admin_username, *login = node_fact(t, "node_user");
	const char *uid = pig_fmt(t, "%" PRId64, p->node_admin_uid);
	const char *keys = pig_fmt(t, "%s%s", node_lines(t, p->node_admin_pk_list, "\n"),
				   p->node_admin_pk_current ? operator_keys(t) : "");
	struct account a;

	if (!look(t, &a))
		return;
	if (a.uid && strcmp(a.uid, uid))
		t->host->warn(t, "user \"%s\" exists with uid %s and keeps it (node_admin_uid is %s)", name, a.uid,
			uid);
	if (a.admin_gid && strcmp(a.admin_gid, uid))
		t->host->warn(t, "group \"admin\" exists with gid %s and keeps it (node_admin_uid is %s)",
			a.admin_gid, uid);

	const char *home = node_is_set(a.home) ? a.home : pig_fmt(t, "/home/%s", name),
		*group = a.group ? a.group : "admin";
	pig_group(t, .name = "admin", .gid = a.admin_gid ? 0 : (int32_t)p->node_admin_uid);
	pig_user(t, .name = name, .uid = a.uid ? 0 : (int32_t)p->node_admin_uid, .group = a.uid ? NULL : "admin",
		 .groups = "admin", .home = a.uid ? NULL : home, .shell = "/bin/bash", .keys = *keys ? keys : NULL);
	if (*login && strcmp(login, "root") && strcmp(login, name))
		pig_user(t, .name = login, .groups = "admin");
	pig_file(t, .path = pig_fmt(t, "%s/.ssh", home), .dir = true, .mode = 0700, .owner = name, .group = group);
	pig_file(t, .path = pig_fmt(t, "%s/.ssh/config", home), .tmpl = "ssh_config", .mode = 0600, .owner = name,
		.group = group,
		 .flags = PIG_SEED);
	sudo_rules(t, p);
}
