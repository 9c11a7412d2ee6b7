/*
 * haproxy on the node: its unit, its base configuration, the services the inventory asks for, and the way other
 * modules add theirs.
 */
#include "module.h"
#include "node.h"

#include <stdlib.h>

void task_haproxy_install(pig_task *t)
{
	pig_package(t, .names = "haproxy");
	pig_file(t, .path = "/etc/systemd/system/haproxy.service", .tmpl = "haproxy.service", .mode = 0644);
}

enum { MAXCONN = 65535 };

/*
 * Connections haproxy can hold on this node: each takes two descriptors, a tenth stays for listeners, checks and
 * logs. What systemd can give is what its own hard limit is, or, when it may raise limits (CAP_SYS_RESOURCE, bit 24),
 * what the kernel allows. The limits of the login session say nothing about units, so they are not asked.
 */
static int64_t maxconn(pig_task *t)
{
	const char *text = node_look(t, LOOK_FILES);
	char *end;

	if (!text)
		return MAXCONN;
	long long hard = strtoll(text, &end, 10), most = strtoll(end, &end, 10);
	unsigned long long caps = strtoull(end, NULL, 16);
	int64_t files = (caps >> 24 & 1) && most > hard ? most : hard;
	if (files <= 0)
		return MAXCONN;
	int64_t spare = files / 10 > 200 ? files / 10 : 200, n = (files - spare) / 2;
	return n > MAXCONN ? MAXCONN : n < 100 ? 100 : n;
}

pig_op *haproxy_service(pig_task *t, const char *name, const char *text, enum pig_state state)
{
	const char *path = pig_fmt(t, "%s/%s.cfg", NODE_HAPROXY_DIR, name);

	if (state == PIG_ABSENT)
		return pig_file(t, .path = path, .state = PIG_ABSENT);
	return pig_file(t, .path = path, .text = text, .mode = 0644, .validate = NODE_HAPROXY_CHECK);
}

pig_op *haproxy_reload(pig_task *t)
{
	return pig_unit(t, .name = "haproxy", .state = PIG_STARTED, .enable = 1, .watch = NODE_HAPROXY_WATCH,
			.on_change = PIG_RELOAD);
}

/*
 * Servers of which haproxy does not say what it should, a line each: "backend server UP". awk reads the answers, the
 * files (what is checked where) and haproxy's own statistics, in this order. With a word: those too that are up because
 * nobody has asked them since haproxy started (INI): a first answer from a moment ago would take them down at once,
 * while one that was told to be up stands as many bad answers as any other.
 */
static const char differing[] =
	"differing() { printf 'GET %%s;csv HTTP/1.0\\r\\n\\r\\n' %s | timeout 3 bash -c "
	"'exec 3<>\"/dev/tcp/127.0.0.1/$0\" && cat >&3 && cat <&3' %lld 2>/dev/null >\"$P/stats\"\n"
	"awk -v unasked=\"$1\" 'FILENAME == ARGV[1] { want[$1 \" \" $2] = $3; next }\n"
	"FILENAME != ARGV[ARGC - 1] { if ($1 == \"listen\" || $1 == \"backend\") b = $2; "
	"else if ($1 == \"http-check\" && $2 == \"send\") uri = $NF; "
	"else if ($1 == \"server\" && (k = uri \" \" $2) in want) should[b \",\" $2] = want[k]; next }\n"
	"{ split($0, c, \",\"); k = c[1] \",\" c[2]; "
	"if (k in should && (index(c[18], should[k]) != 1 || (unasked && should[k] == \"UP\" && c[37] ~ /INI/))) "
	"print c[1], c[2], should[k] }' \"$P/answers\" %s \"$P/stats\"; }\n";

void haproxy_settle(pig_task *t, const char *files, const char *answers)
{
	const char *uri = pig_sh(t, "%s", pig_fmt(t, "/haproxy/%s/", node_own_name(t))), *login, *look;
	long long port = t->val->num(t->host->get(t, "haproxy_exporter_port"), 9101);

	look = pig_fmt(t, "%s\n%s", pig_sh(t, "printf %%s %s >\"$P/answers\"", answers),
		       pig_fmt(t, differing, uri, port, files));
	if (t->val->truth(t->host->get(t, "haproxy_auth_enabled"), true)) {
		login = pig_fmt(t, "%s:%s\n", t->val->str(t->host->get(t, "haproxy_admin_username"), ""),
				t->val->str(t->host->get(t, "haproxy_admin_password"), ""));
		pig_shell(t, .note = "haproxy is told what its servers are", .in = t->host->secret(t, login),
			  .cmd = pig_fmt(t,
					 "%sread -r login; login=$(printf %%s \"$login\" | base64 -w 0)\ndiffering unasked | while read -r b s v; do case $v in UP) a=hrunn ;; *) a=hdown ;; "
					 "esac\nd=\"s=$s&action=$a&b=$b\"\nprintf 'POST %%s HTTP/1.0\\r\\nAuthorization: Basic "
					 "%%s\\r\\nContent-Type: application/x-www-form-urlencoded\\r\\nContent-Length: "
					 "%%s\\r\\n\\r\\n%%s' %s \"$login\" ${#d} \"$d\" | timeout 3 bash -c 'exec "
					 "3<>\"/dev/tcp/127.0.0.1/$0\" && cat >&3 && cat <&3' %lld >/dev/null 2>&1; done; :",
					 look, uri, port));
	}
	/* three good checks, two seconds apart at most, and one under way */
	pig_wait(t, .flags = PIG_SOFT,
		 .probe = pig_fmt(t, "%sdiffering; [ -s \"$P/stats\" ] || echo 'it does not answer'", look), .want = "", .limit_s = 30, .every_ms = 100,
		 .why = "haproxy to see the servers as they are");
}

void task_haproxy_config(pig_task *t)
{
	const struct node *p = t->params;
	pig_value *vars = t->host->map(t);

	t->host->put(t, vars, "maxconn", t->host->number(t, maxconn(t)));
	t->host->put(t, vars, "own_name", t->host->text(t, node_own_name(t)));
	pig_file(t, .path = "/etc/haproxy", .dir = true, .mode = 0700);
	pig_file(t, .path = NODE_HAPROXY_DIR, .dir = true, .mode = 0700);
	pig_file(t, .path = "/etc/haproxy/haproxy.cfg", .tmpl = "haproxy.cfg", .vars = vars, .mode = 0600,
		 .validate = "haproxy -c -q -f %s");
	for (size_t i = 0; i < t->val->len(p->haproxy_services); i++) {
		const pig_value *item = t->val->at(p->haproxy_services, i);
		pig_value *one = t->host->map(t);
		t->host->put(t, one, "service", item);
		haproxy_service(t, node_scalar(t, t->val->key(item, "name")), t->host->render(t,
			"haproxy_service.cfg", one),
				PIG_PRESENT);
	}
}

void task_haproxy_launch(pig_task *t)
{
	/* its arguments are read at the start alone: one that runs by the distribution's unit knows no services */
	pig_unit(t, .name = "haproxy", .state = PIG_STARTED, .enable = 1, .watch = "/etc/systemd/system/haproxy.service",
		 .on_change = PIG_RESTART);
	haproxy_reload(t);
}
