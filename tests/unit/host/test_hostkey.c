/* known_hosts: names, patterns, hashes, markers, rubbish, and the recording of new keys. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/os.h"
#include "check.h"
#include "host/hostkey.h"
#include "host/key.h"

#define ED "AAAAC3NzaC1lZDI1NTE5AAAAIJ/alyxdvldajwwAu72K5O4HAEEFjsqQDI3u6tTAY8Zw"
#define EC                                                                                                             \
	"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGySb+18mBmg5++"                                          \
	"i4Zb6c92kEKA5OSv98pXvBxEPH10DKsfcwHtn2inw32u9LnBVqjzQG90H"                                                    \
	"aIDCdv9fDbQ4OPY="

static unsigned char ed[64], ec[128];
static size_t n_ed, n_ec;

static struct hostkey_found look(const char *text, const char *name)
{
	struct hostkey_found f = { 0 };

	hostkey_scan(&f, "known", text, strlen(text), name, ed, n_ed);
	return f;
}

static int state(const char *text, const char *name)
{
	return (int)look(text, name).state;
}

static void test_names(struct arena *a)
{
	CHECK_STR(hostkey_name(a, "PG-1.Example", 22), "pg-1.example");
	CHECK_STR(hostkey_name(a, "10.0.0.1", 2222), "[10.0.0.1]:2222");
	CHECK_INT(state("pg-1 ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_SAME);
	CHECK_INT(state("PG-1 ssh-ed25519 " ED, "pg-1"), HOSTKEY_SAME);
	CHECK_INT(state("pg-1 ssh-ed25519 " ED " a comment\r\n", "pg-1"), HOSTKEY_SAME);
	CHECK_INT(state("pg-1 ssh-ed25519 " ED "\n", "pg-2"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("pg-1 ssh-ed25519 " ED "\n", "pg-11"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("pg-1 ssh-ed25519 " ED "\n", "[pg-1]:2222"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("[pg-1]:2222 ssh-ed25519 " ED "\n", "[pg-1]:2222"), HOSTKEY_SAME);
	CHECK_INT(state("a,10.0.0.1,pg-1 ssh-ed25519 " ED "\n", "10.0.0.1"), HOSTKEY_SAME);
	CHECK_INT(state("10.0.0.*,pg-? ssh-ed25519 " ED "\n", "10.0.0.77"), HOSTKEY_SAME);
	CHECK_INT(state("10.0.0.*,pg-? ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_SAME);
	CHECK_INT(state("10.0.0.*,pg-? ssh-ed25519 " ED "\n", "pg-"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("*,!pg-1 ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("!pg-1,* ssh-ed25519 " ED "\n", "pg-2"), HOSTKEY_SAME);
	CHECK_INT(state("*a*a*a*a*a*a*b ssh-ed25519 " ED "\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		  HOSTKEY_UNKNOWN);
}

static void test_hashes(void)
{
	static const char text[] = "|1|N09o9o0E9Re94Zp9+ZpHaPRivKI=|htE6Sp/N///Z3BH5Bl/NCmdh+k8= ssh-ed25519 " ED "\n"
				   "|1|oheHaqPm5AjQs39NBk6KmhwjSj0=|EpzUEtuIkq/Quwn0/GmX3Y4Gu6c= ssh-ed25519 " ED "\n";

	CHECK_INT(state(text, "pg-1"), HOSTKEY_SAME);
	CHECK_INT(state(text, "[10.0.0.9]:2222"), HOSTKEY_SAME);
	CHECK_INT(look(text, "[10.0.0.9]:2222").line, 2);
	CHECK_INT(state(text, "10.0.0.9"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("|1| ssh-ed25519 " ED "\n|1|| ssh-ed25519 " ED "\n|1|x|y ssh-ed25519 " ED
			"\n|2|a|b ssh-ed25519 " ED "\n",
			"pg-1"),
		  HOSTKEY_UNKNOWN);
}

static void test_states(void)
{
	struct hostkey_found f = look("# a\n\npg-1 ecdsa-sha2-nistp256 " EC "\n", "pg-1");

	CHECK_INT(f.state, HOSTKEY_CHANGED); /* known, and by no key of this kind */
	CHECK_INT(f.types, HOSTKEY_NIST256);
	CHECK_INT(f.line, 3);
	f = look("pg-1 ecdsa-sha2-nistp256 " EC "\npg-1 ssh-ed25519 " ED "\n", "pg-1");
	CHECK_INT(f.state, HOSTKEY_SAME);
	CHECK_INT(f.types, HOSTKEY_NIST256 | HOSTKEY_ED25519);
	CHECK_INT(state("@revoked * ssh-ed25519 " ED "\npg-1 ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_REVOKED);
	CHECK_INT(state("pg-1 ssh-ed25519 " ED "\n@revoked * ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_REVOKED);
	CHECK_INT(state("@revoked * ecdsa-sha2-nistp256 " EC "\npg-1 ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_SAME);
	CHECK_INT(state("@cert-authority * ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_UNKNOWN);
	CHECK_INT(state("@whatever * ssh-ed25519 " ED "\n", "pg-1"), HOSTKEY_UNKNOWN);
	/* a line that cannot be read takes no other with it */
	CHECK_INT(state("pg-1\npg-1 ssh-ed25519\npg-1 ssh-ed25519 ####\npg-1 ssh-ed25519 AAAA\npg-1 ssh-dss " ED
			"\n\xff\xfe\n"
			"pg-1 1024 35 1234567890\npg-1 ssh-ed25519 " ED "\n",
			"pg-1"),
		  HOSTKEY_SAME);
	CHECK_INT(look("pg-1 ssh-rsa " ED "\n", "pg-1").types, 0);
}

static void test_methods(struct arena *a)
{
	CHECK_STR(hostkey_methods(a, 0, false), "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-"
						"nistp521");
	CHECK_STR(hostkey_methods(a, HOSTKEY_NIST384, false), "ecdsa-sha2-nistp384");
	CHECK_STR(hostkey_methods(a, HOSTKEY_NIST256 | HOSTKEY_RSA, false), "ecdsa-sha2-nistp256");
	CHECK_STR(hostkey_methods(a, HOSTKEY_RSA, false), NULL);
	CHECK_STR(hostkey_methods(a, HOSTKEY_RSA, true), "rsa-sha2-512,rsa-sha2-256");
	CHECK_STR(hostkey_print(a, ed, n_ed), "SHA256:2JMp7Qpik/8hZu0hJFUXMmAKayOoyaBP7dulXhNWQiE");
}

static void test_record(struct arena *a)
{
	const char *dir = arena_fmt(a, "/tmp/pig-hostkey-%d", (int)getpid());
	const char *file = arena_fmt(a, "%s/ssh/known_hosts", dir);
	const char *files[] = { "/nonexistent", file, NULL };
	struct buf text = BUF(a);
	struct stat st;
	struct err e;

	CHECK(hostkey_record(file, "pg-1", false, ed, n_ed, &e));
	CHECK(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(stat(os_dirname(a, file), &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK(hostkey_record(file, "[pg-2]:2222", true, ec, n_ec, &e));
	CHECK(os_read(&text, file, 0, &e));
	CHECK_HAS(buf_text(&text), "pg-1 ssh-ed25519 " ED "\n|1|");
	CHECK(!strstr(buf_text(&text), "pg-2"));
	CHECK_INT(hostkey_find(files, "pg-1", ed, n_ed).state, HOSTKEY_SAME);
	CHECK_INT(hostkey_find(files, "pg-1", ec, n_ec).state, HOSTKEY_CHANGED);
	CHECK_INT(hostkey_find(files, "[pg-2]:2222", ec, n_ec).state, HOSTKEY_SAME);
	CHECK_INT(hostkey_find(files, "[pg-2]:2222", NULL, 0).types, HOSTKEY_NIST256);
	CHECK_STR(hostkey_find(files, "pg-1", ed, n_ed).file, file);
	/* a file without a final newline keeps its last line */
	CHECK(os_write(file, "pg-9 ssh-ed25519 " ED, strlen("pg-9 ssh-ed25519 " ED), 0600, &e));
	CHECK(hostkey_record(file, "pg-1", false, ed, n_ed, &e));
	CHECK_INT(hostkey_find(files, "pg-9", ed, n_ed).state, HOSTKEY_SAME);
	CHECK_INT(hostkey_find(files, "pg-1", ed, n_ed).line, 2);
	CHECK(hostkey_record("/dev/null", "pg-1", false, ed, n_ed, &e) &&
	      hostkey_record(NULL, "pg-1", false, ed, n_ed, &e));
	CHECK(!hostkey_record("/proc/nowhere/known_hosts", "pg-1", false, ed, n_ed, &e));
	unlink(file);
	rmdir(os_dirname(a, file));
	rmdir(dir);
}

int main(void)
{
	struct arena *a = arena_new();

	n_ed = (size_t)key_base64(ED, strlen(ED), ed);
	n_ec = (size_t)key_base64(EC, strlen(EC), ec);
	CHECK_INT(n_ed, 51);
	test_names(a);
	test_hashes();
	test_states();
	test_methods(a);
	test_record(a);
	arena_free(a);
	return check_done();
}
