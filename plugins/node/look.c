/*
 * What tasks must know of a node before they can say what it should be. It is asked in one frame by node_id and
 * published; a task that runs without node_id before it asks for itself.
 */
#include "module.h"

static const char *const names[] = { [LOOK_RESOLV] = "node_seen_resolv", [LOOK_ADMIN] = "node_seen_admin",
				     [LOOK_FILES] = "node_seen_files", [LOOK_REPO] = "node_seen_repo",
				     [LOOK_PARTS] = "node_seen_parts" };
static const char *const notes[] = { [LOOK_RESOLV] = "present name servers",
	[LOOK_ADMIN] = "the admin account as it is",
				     [LOOK_FILES] = "open files a unit may have",
				     [LOOK_REPO] = "a repository on this node",
	[LOOK_PARTS] = "which parts have a package" };

/*
 * Of the parts that not every distribution has: those whose program is here, and those that the package manager knows.
 */
static const char *ask_parts(pig_task *t)
{
	const struct node *p = t->params;
	const char *parts = pig_fmt(t, "%s%s", p->vector_enabled ? "vector:vector " : "",
		p->vip_enabled ? "keepalived_exporter:keepalived-exporter" : "");

	return pig_fmt(t, "names=\nfor x in %s; do if command -v \"${x%%%%:*}\" >/dev/null; then printf '%%s ' \"${x%%%%:*}\"\n"
		"else names=\"$names ${x#*:}\"; fi; done\n[ -z \"$names\" ] || %s | tr '\\n-' ' _'", parts,
		node_is_deb(t) ? "apt-cache show --no-all-versions $names 2>/dev/null | sed -n 's/^Package: //p'"
			       : "dnf -q repoquery --qf '%{name}\\n' $names 2>/dev/null");
}

static const char *command(pig_task *t, enum node_look what)
{
	const struct node *p = t->params;
	const char *user = p->node_admin_username;

	switch (what) {
	case LOOK_RESOLV:
		return "cat /etc/resolv.conf";
	case LOOK_ADMIN: /* three lines, empty for what is not there: the user, group admin, the user's own group */
		return pig_sh(t,
			"getent passwd %s || echo; getent group admin || echo; id -gn %s 2>/dev/null || echo", user,
			user);
	case LOOK_FILES: /* three lines: systemd's own hard limit, the kernel's, what systemd may do */
		return "while read -r a b c soft hard unit; do [ \"$a $b $c\" != 'Max open files' ] || "
		       "echo \"$hard\"; done </proc/1/limits\n"
		       "cat /proc/sys/fs/nr_open\n"
		       "while read -r key caps; do [ \"$key\" != CapEff: ] || echo \"$caps\"; done </proc/1/status";
	case LOOK_REPO: /* its mark where it is whole */
		return pig_sh(t, "ls %s 2>/dev/null; :",
			pig_fmt(t, "%s/%s/repo_complete", t->val->str(t->host->get(t, "repo_home"), ""),
				t->val->str(t->host->get(t, "repo_name"), "")));
	case LOOK_PARTS:
		return ask_parts(t);
	}
	return ":";
}

/* Only an infra node can have the local repository as files. */
static bool is_infra(pig_task *t)
{
	const pig_value *groups = t->host->get(t, "group_names");

	for (size_t i = 0; i < t->val->len(groups); i++)
		if (!strcmp(t->val->str(t->val->at(groups, i), ""), "infra"))
			return t->val->truth(t->host->get(t, "repo_enabled"), true);
	return false;
}

static const pig_op *ask(pig_task *t, enum node_look what)
{
	return pig_shell(t, .note = notes[what], .reads = true, .cmd = command(t, what));
}

const char *node_look(pig_task *t, enum node_look what)
{
	const char *seen = t->val->str(t->host->of(t, t->hostname, names[what]), NULL);

	if (seen)
		return seen;
	if (what == LOOK_REPO && !is_infra(t))
		return "";
	const pig_op *op = ask(t, what);
	if (!pig_await(t))
		return NULL;
	seen = t->host->output(t, op, NULL);
	return seen ? seen : "";
}

void task_node_id(pig_task *t)
{
	const struct node *p = t->params;
	const pig_op *ops[LOOK_PARTS + 1] = {
		[LOOK_RESOLV] = strcmp(p->node_dns_method, "add") ? NULL : ask(t, LOOK_RESOLV),
		[LOOK_ADMIN] = p->node_admin_enabled ? ask(t, LOOK_ADMIN) : NULL,
		[LOOK_FILES] = p->haproxy_enabled ? ask(t, LOOK_FILES) : NULL,
		[LOOK_PARTS] = p->vector_enabled || p->vip_enabled ? ask(t, LOOK_PARTS) : NULL,
		[LOOK_REPO] = strstr(p->node_repo_modules, "local") && is_infra(t) ? ask(t, LOOK_REPO) : NULL,
	};

	if (!pig_await(t))
		return;
	for (size_t i = 0; i <= LOOK_PARTS; i++)
		if (ops[i])
			t->host->publish(t, names[i], t->host->text(t, t->host->output(t, ops[i], NULL)));
}
