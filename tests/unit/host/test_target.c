/* From a target to a route: what `ssh -G` says, and what is refused before it is asked. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "check.h"
#include "host/target.h"

static struct arena *a;

static struct route read_text(const char *text)
{
	static const struct target t = { .name = "x" };
	struct route r = { .target = &t, .agent = "/run/agent" };

	target_read(&r, a, text, strlen(text), "/home/me");
	return r;
}

static void test_read(void)
{
	struct route r = read_text("user dba\nhostname 10.0.0.1\nport 2222\nidentityfile ~/.ssh/id_rsa\nidentityfile "
				   "/k/id\nidentitiesonly yes\n"
				   "globalknownhostsfile /etc/ssh/ssh_known_hosts "
				   "/etc/ssh/ssh_known_hosts2\nuserknownhostsfile ~/.ssh/known_hosts \"/a b/known\"\n"
				   "hashknownhosts yes\nstricthostkeychecking true\nhostkeyalias pg\naddressfamily "
				   "inet6\nproxyjump none\n");
	CHECK_STR(r.user, "dba");
	CHECK_STR(r.host, "10.0.0.1");
	CHECK_INT(r.port, 2222);
	CHECK_INT(r.n_keys, 2);
	CHECK_STR(r.keys[0], "/home/me/.ssh/id_rsa");
	CHECK_STR(r.keys[1], "/k/id");
	CHECK_STR(r.keys[2], NULL);
	CHECK(r.identities_only && r.hash_names && r.strict && !r.needs_ssh);
	CHECK_STR(r.known[0], "/home/me/.ssh/known_hosts");
	CHECK_STR(r.known[1], "/a b/known");
	CHECK_STR(r.known[2], "/etc/ssh/ssh_known_hosts");
	CHECK_STR(r.known[4], NULL);
	CHECK_STR(r.key_alias, "pg");
	CHECK_STR(r.agent, "/run/agent");
	CHECK_INT(r.family, AF_INET6);
	CHECK_STR(read_text("identityagent none\n").agent, NULL);
	CHECK_STR(read_text("identityagent ~/agent\n").agent, "/home/me/agent");
	CHECK_STR(read_text("identityagent SSH_AUTH_SOCK\n").agent, "/run/agent");
	CHECK_STR(read_text("proxyjump bastion\n").needs_ssh, "ProxyJump");
	CHECK_STR(read_text("proxycommand nc %h %p\n").needs_ssh, "ProxyCommand");
	CHECK(read_text("certificatefile /k/id-cert.pub\n").needs_ssh &&
	      read_text("pkcs11provider /lib/p.so\n").needs_ssh);
	CHECK(read_text("identityfile /k/%u\n").needs_ssh && read_text("userknownhostsfile /k/%h\n").needs_ssh);
	CHECK(!read_text("stricthostkeychecking ask\n").strict &&
	      !read_text("stricthostkeychecking accept-new\n").strict);
	/* not what ssh says, but nothing may come of it */
	CHECK_INT(read_text("port 99999\nport\nport -1\nport 22x\n\n \nuser\n").port, 0);
	CHECK_STR(read_text("userknownhostsfile \"unclosed\n").known[0], NULL);
	CHECK_STR(read_text("userknownhostsfile none\n").known[0], NULL);
	struct buf many = BUF(a);
	for (int i = 0; i < 1000; i++)
		buf_fmt(&many, "identityfile /k/%d\nuserknownhostsfile a b c d e f g h i j k l m n o p\n", i);
	CHECK_INT(read_text(buf_text(&many)).n_keys, ROUTE_KEYS_MAX);
}

static void test_words(void)
{
	const char *const *w = target_words(a, "  -o ProxyCommand=\"ssh -W %h:%p 'b'\" a\\ b '' 'c\\d' \"e\\\"f\"  ");

	CHECK_STR(w[0], "-o");
	CHECK_STR(w[1], "ProxyCommand=ssh -W %h:%p 'b'");
	CHECK_STR(w[2], "a b");
	CHECK_STR(w[3], "");
	CHECK_STR(w[4], "c\\d");
	CHECK_STR(w[5], "e\"f");
	CHECK_STR(w[6], NULL);
	CHECK_STR(target_words(a, " \t")[0], NULL);
	CHECK(!target_words(a, "a 'b") && !target_words(a, "\"a"));
	struct buf many = BUF(a);
	for (int i = 0; i < 1000; i++)
		buf_str(&many, "x ");
	CHECK(!target_words(a, buf_text(&many)));
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"-oProxyCommand=id", "", "a b", "a;b", "$(id)", "`id`", "a\nb", "a|b", "'a'", "a\\b"
	};
	struct route r;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct target t = { .name = "x", .host = bad[i] };
		CHECK(!target_resolve(&r, a, &t, &e) && e.code == E_INPUT);
		t = (struct target){ .name = "x", .host = "127.0.0.1", .user = bad[i] };
		CHECK(!target_resolve(&r, a, &t, &e) && e.code == E_INPUT);
	}
	struct target t = { .name = "x", .host = "127.0.0.1", .port = 70000 };
	CHECK(!target_resolve(&r, a, &t, &e) && e.code == E_INPUT);
}

static void test_resolve(void)
{
	struct target t = { .name = "pg-1",
			    .host = "127.0.0.1",
			    .port = 2222,
			    .user = "dba",
			    .key = "~/k",
			    .ssh_config = "/dev/null" };
	struct route r;
	struct err e;

	for (int i = 0; i < 2; i++) { /* asked, then remembered */
		CHECK(target_resolve(&r, a, &t, &e));
		CHECK_STR(r.host, "127.0.0.1");
		CHECK_STR(r.user, "dba");
		CHECK_INT(r.port, 2222);
		CHECK_STR(r.known_name, "[127.0.0.1]:2222");
		CHECK_INT(r.n_keys, 1);
		CHECK(r.key_given && r.keys[0][0] == '/' && r.known[0]);
	}
	setenv("PATH", "/nonexistent", 1);
	t = (struct target){ .name = "pg-2" };
	CHECK(target_resolve(&r, a, &t, &e));
	CHECK(r.no_ssh && r.port == 22 && r.user && r.n_keys == 3);
	CHECK_STR(r.host, "pg-2");
}

int main(void)
{
	a = arena_new();
	test_read();
	test_words();
	test_refused();
	test_resolve();
	arena_free(a);
	return check_done();
}
