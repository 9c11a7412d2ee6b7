/* The server's account, program and folders. */
#include "module.h"

#include <stdlib.h>

void task_minio_os_user(pig_task *t)
{
	const struct minio *p = t->params;

	pig_group(t, .name = "minio");
	pig_user(t, .name = p->minio_user, .group = "minio", .home = minio_home(t), .shell = "/usr/sbin/nologin",
		 .system = true);
}

/* The text behind "key " in the answer, up to the end of its line; NULL when there is none. */
static const char *line_of(pig_task *t, const char *text, const char *key)
{
	size_t k = strlen(key);

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		if (n > k && !strncmp(p, key, k) && p[k] == ' ')
			return pig_fmt(t, "%.*s", (int)(n - k - 1), p + k + 1);
		p += n + (p[n] == '\n');
	}
	return NULL;
}

/*
 * Programs that are there; packages of those that are not, if the repos know any (not asked in check mode: apt keeps
 * what it read); and who else listens where the server would. `ss` says: State Recv-Q Send-Q Local Peer
 * users:(("name",pid=1,fd=3)).
 */
static const char *look(pig_task *t)
{
	const struct minio *p = t->params;
	const char *known = t->check ? "false"
			    : !strcmp(t->val->str(t->host->fact(t, "os_package"), ""), "rpm")
				    ? "dnf -q list --available \"$1\""
				    : "apt-cache show -- \"$1\"";
	const pig_op *op = pig_shell(
		t, .note = "programs, and who has the ports", .reads = true,
		.cmd = pig_fmt(
			t,
			"known() { %s >/dev/null 2>&1; }\n"
			"f=$(command -v silo || command -v minio) && echo \"server $f\" || "
			"for x in silo minio; do known $x && echo \"package $x\" && break; done\n"
			"f=$(command -v mcli) && echo \"client $f\" || { known mcli && echo 'client-package mcli'; }\n"
			"systemctl -q is-active minio silo || "
			"ss -Hltnp '( sport = :%" PRId64 " or sport = :%" PRId64 " )' | "
			"while read -r a b c at e who; do echo \"taken ${at##*:} $who\"; done; :",
			known, p->minio_port, p->minio_admin_port));

	return pig_await(t) ? t->host->output(t, op, NULL) : NULL;
}

/* "9000 users:(("nginx",pid=7,fd=3))" */
static void refuse(pig_task *t, const char *taken)
{
	const struct minio *p = t->params;
	const char *quote = strchr(taken, '"');
	int64_t port = strtoll(taken, NULL, 10);

	t->host->fail(t, "port %" PRId64 " (%s) is taken by %s%.*s", port,
		      port == p->minio_port ? "minio_port" : "minio_admin_port",
		      quote ? "the program " : "another program", quote ? (int)strcspn(quote + 1, "\"") : 0,
		      quote ? quote + 1 : "");
	t->host->hint(t, "End it, or choose another port.");
}

/*
 * Distributions have no package of the server. A program that someone put there serves as well: it is used as it is,
 * and said each time, as nobody keeps it up to date.
 */
void task_minio_pkg(pig_task *t)
{
	const struct minio *p = t->params;
	const char *found = look(t), *server, *package, *taken;

	if (!found)
		return;
	server = line_of(t, found, "server");
	package = line_of(t, found, "package");
	taken = line_of(t, found, "taken");
	if (taken) {
		refuse(t, taken);
		return;
	}
	if (server && strncmp(server, "/usr/bin/", 9) != 0)
		t->host->warn(t, "no package of %s: the program %s serves in its place", p->minio_type, server);
	if (package)
		pig_package(t, .names = package);
	if (line_of(t, found, "client-package"))
		pig_package(t, .names = "mcli");
	pig_package(t, .names = "curl");
	if (server || package)
		return;
	if (t->check) {
		t->host->warn(t, "no package of %s, and no program of that name yet", p->minio_type);
		return;
	}
	t->host->fail(t,
		      "no package: the host's repos have neither silo nor minio, and there is no program of that name");
	t->host->hint(t, "Add a repo that has one, or put the program into /usr/local/bin; docs/minio.md says more.");
}

void task_minio_dir(pig_task *t)
{
	const struct minio *p = t->params;

	for (size_t i = 0; i < minio_drives(p->minio_data); i++)
		pig_file(t, .path = minio_folder(t, i), .dir = true, .mode = 0750, .owner = p->minio_user,
			 .group = "minio");
	pig_file(t, .path = pig_fmt(t, "%s/.minio", minio_home(t)), .dir = true, .mode = 0750, .owner = p->minio_user,
		 .group = "minio");
}
