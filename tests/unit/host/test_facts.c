/* Facts out of the hello's raw material: systems, memory and processors by machine and cgroup, and rubbish. */
#include <string.h>

#include "check.h"
#include "host/facts.h"

static struct arena *a;

static struct value *facts(const char *text)
{
	return facts_read(a, text, strlen(text));
}

#define NUM(v, key) value_num(value_get((v), (key)), -99)
#define STR(v, key) value_cstr(value_get((v), (key)), "(none)")

static void test_systems(void)
{
	struct value *v = facts("user=dba\nuname=aarch64\ndir=/run/pig.x\n==> /etc/os-release "
				"<==\nPRETTY_NAME=\"Rocky Linux 9.4 (Blue Onyx)\"\n"
				"ID=\"rocky\"\nVERSION_ID=\"9.4\"\nID_LIKE=\"rhel centos fedora\"\n\n==> "
				"/proc/sys/kernel/hostname <==\npg-test-1\n\n"
				"==> /proc/sys/kernel/random/boot_id <==\n1c01039d\n\n==> /etc/machine-id <==\n3d12\n");
	CHECK_STR(STR(v, "os_vendor"), "rocky");
	CHECK_INT(NUM(v, "os_version"), 9);
	CHECK_STR(STR(v, "os_version_full"), "9.4");
	CHECK_STR(STR(v, "os_codename"), "el9");
	CHECK_STR(STR(v, "os_package"), "rpm");
	CHECK_STR(STR(v, "os_arch"), "aarch64");
	CHECK_STR(STR(v, "node_user"), "dba");
	CHECK_STR(STR(v, "node_hostname"), "pg-test-1");
	CHECK_STR(STR(v, "boot_id"), "1c01039d");
	CHECK_STR(STR(v, "machine_id"), "3d12");
	v = facts("package=deb\n==> /etc/os-release <==\nID=ubuntu\nVERSION_ID=\"24.04\"\nVERSION_CODENAME='noble'\n");
	CHECK_STR(STR(v, "os_vendor"), "ubuntu");
	CHECK_INT(NUM(v, "os_version"), 24);
	CHECK_STR(STR(v, "os_codename"), "noble");
	CHECK_STR(STR(v, "os_package"), "deb");
	v = facts(
		"package=deb\n==> /usr/lib/os-release <==\nID=debian\nVERSION_CODENAME=trixie\n"); /* no VERSION_ID
												      before release */
	CHECK_INT(NUM(v, "os_version"), 0);
	CHECK_STR(STR(v, "os_codename"), "trixie");
}

static void test_sizes(void)
{
	static const char machine[] =
		"==> /proc/meminfo <==\nMemTotal:        8000000 kB\nMemFree: 1 kB\n\n==> /proc/self/status <==\n"
		"Name:\ttail\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n\n";
	struct value *v = facts(machine);

	CHECK_INT(NUM(v, "node_cpu"), 8);
	CHECK_INT(NUM(v, "node_mem_bytes"), 8192000000);
	CHECK_INT(NUM(v, "node_mem_mb"), 7813);
	CHECK_INT(NUM(v, "node_mem_gb"), 8);
	v = facts(arena_fmt(a,
			    "%s==> /sys/fs/cgroup/a/b/memory.max <==\nmax\n\n==> /sys/fs/cgroup/a/memory.max "
			    "<==\n2147483648\n\n"
			    "==> /sys/fs/cgroup/memory.max <==\n4294967296\n\n==> /sys/fs/cgroup/a/cpu.max <==\n150000 "
			    "100000\n\n"
			    "==> /sys/fs/cgroup/cpu.max <==\nmax 100000\n",
			    machine));
	CHECK_INT(NUM(v, "node_mem_gb"), 2);
	CHECK_INT(NUM(v, "node_cpu"), 2);
	v = facts(arena_fmt(a,
			    "%s==> /sys/fs/cgroup/memory/x/memory.limit_in_bytes <==\n1000000\n\n==> "
			    "/sys/fs/cgroup/memory/memory.limit_in_bytes <==\n"
			    "9223372036854771712\n\n==> /sys/fs/cgroup/cpu/x/cpu.cfs_quota_us <==\n300000\n\n==> "
			    "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us <==\n100000\n\n"
			    "==> /sys/fs/cgroup/cpu/cpu.cfs_quota_us <==\n-1\n\n==> "
			    "/sys/fs/cgroup/cpu/cpu.cfs_period_us <==\n100000\n",
			    machine));
	CHECK_INT(NUM(v, "node_mem_mb"), 1);
	CHECK_INT(NUM(v, "node_mem_gb"), 1);
	CHECK_INT(NUM(v, "node_cpu"), 3);
	v = facts("==> /proc/self/status <==\nCpus_allowed_list:\t0,2-3,64-65\n");
	CHECK_INT(NUM(v, "node_cpu"), 5);
}

static void test_rubbish(void)
{
	struct value *v = facts("");

	CHECK_INT(NUM(v, "node_cpu"), 1);
	CHECK_INT(NUM(v, "node_mem_gb"), 1);
	CHECK_STR(STR(v, "os_vendor"), "linux");
	CHECK_STR(STR(v, "machine_id"), "");
	v = facts("==> /etc/os-release <==\nID={{ lookup('pipe', 'id') }}\nVERSION_ID=99999999999999999999999\n==> "
		  "/proc/meminfo <==\n"
		  "MemTotal: 99999999999999999999 kB\n==> /proc/self/status <==\nCpus_allowed_list:\t9-1\n==>  "
		  "<==\n==> / <==\n==> /sys/fs/cgroup/cpu.max <==\n"
		  "0 0\n==> /sys/fs/cgroup/memory.max <==\n-5\nno newline at the end");
	CHECK_STR(STR(v, "os_vendor"), "{{ lookup('pipe', 'id') }}");
	for (size_t i = 0; i < value_len(v); i++)
		CHECK(!value_is(value_at(v, i), V_STR) || value_at(v, i)->flags & V_LITERAL);
	CHECK_INT(NUM(v, "node_cpu"), 1);
	struct value *w = facts_read(a, "user=a\0b\n", 9);
	CHECK_STR(STR(w, "node_user"), "");
}

static void test_clock(void)
{
	static const struct { const char *text; int64_t want; } cases[] = {
		{ "user=dba\nnow=1764167400\n==> /etc/os-release <==\nID=x\n", 1764167400 },
		{ "user=dba\nnow=12", 12 },
		{ "user=dba\nnow=\n", 0 },
		{ "user=dba\nnow=12x\n", 0 },
		{ "now=9999999999999\n", 0 },
		{ "user=dba\n==> /etc/os-release <==\nnow=5\n", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_INT(facts_clock(cases[i].text, strlen(cases[i].text)), cases[i].want);
	CHECK(!value_get(facts("now=5\n"), "now"));
}

int main(void)
{
	a = arena_new();
	test_systems();
	test_sizes();
	test_clock();
	test_rubbish();
	arena_free(a);
	return check_done();
}
