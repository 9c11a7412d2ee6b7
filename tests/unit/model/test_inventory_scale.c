/* Ten thousand hosts in two thousand clusters: time and memory of loading, looking up and selecting, printed; bounds
 * are generous, as they must hold under sanitizers and on a busy machine too. */
#include "check.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/os.h"
#include "model/inventory.h"

enum { CLUSTERS = 2000, MEMBERS = 5, PARAMS = 200, ASKED = 50 };

static void write_yaml(struct buf *b)
{
	buf_str(b, "all:\n  vars:\n");
	for (int i = 0; i < PARAMS; i++)
		buf_fmt(b, "    global_param_%d: value %d\n", i, i);
	buf_str(b, "  children:\n");
	for (int c = 0; c < CLUSTERS; c++) {
		buf_fmt(b, "    pg-c%d:\n      vars:\n        pg_cluster: pg-c%d\n        pg_version: 17\n"
			"        pg_users: [ { name: dbuser_%d, roles: [ dbrole_admin ] } ]\n      hosts:\n", c, c, c);
		for (int m = 0; m < MEMBERS; m++)
			buf_fmt(b, "        10.%d.%d.%d: { pg_seq: %d, pg_role: %s, nodename: pg-c%d-%d }\n", m,
				c / 250, c % 250, m + 1,
				m ? "replica" : "primary", c, m + 1);
	}
}

static void write_ini(struct buf *b)
{
	for (int c = 0; c < CLUSTERS; c++) {
		buf_fmt(b, "[pg-c%d]\n", c);
		for (int m = 0; m < MEMBERS; m++)
			buf_fmt(b, "10.%d.%d.%d pg_seq=%d pg_role=%s\n", m, c / 250, c % 250, m + 1,
				m ? "replica" : "primary");
		buf_fmt(b, "[pg-c%d:vars]\npg_cluster=pg-c%d\n", c, c);
	}
}

static void measure(const char *what, void (*writer)(struct buf *))
{
	struct arena *scratch = arena_new(), *a = arena_new();
	struct buf text = BUF(scratch);
	char path[] = "/tmp/pig-scale-XXXXXX";
	const char *source = path;
	struct inventory_options o = { .sources = &source, .n_sources = 1 };
	struct inventory *inv = NULL;
	struct err e = { 0 };
	struct rusage use;
	struct inv_host **hosts;
	uint32_t n = 0;
	long found = 0;
	int fd = mkstemp(path);

	writer(&text);
	CHECK(write(fd, text.p, text.len) == (ssize_t)text.len);
	close(fd);
	int64_t t0 = os_now_ms();
	if (!CHECK(inventory_load(&inv, a, &o, &e)))
		fprintf(stderr, "%s\n", err_text(&e, a));
	int64_t t1 = os_now_ms();
	for (uint32_t i = 0; inv && i < inv->n_hosts; i++) {
		for (int k = 0; k < ASKED; k++) {
			char name[32];
			struct inv_found f;
			snprintf(name, sizeof name, "global_param_%d", k);
			found += inventory_var(inv, inv->hosts[i], k ? name : "pg_cluster", &f);
		}
	}
	int64_t t2 = os_now_ms();
	CHECK(inv && pattern_hosts(&hosts, &n, a, inv, "all:!*-c1*:&10.*", false, &e));
	int64_t t3 = os_now_ms();
	getrusage(RUSAGE_SELF, &use);
	printf("%s: %zu KiB, %u hosts, %u groups: load %lld ms, %d look-ups %lld ms, pattern %lld ms; "
	       "%zu MiB in the arena, %ld MiB resident\n",
	       what, text.len / 1024, inv ? inv->n_hosts : 0, inv ? inv->n_groups : 0, (long long)(t1 - t0),
	       CLUSTERS * MEMBERS * ASKED,
	       (long long)(t2 - t1), (long long)(t3 - t2), arena_used(a) >> 20, use.ru_maxrss / 1024);
	CHECK_INT(inv ? inv->n_hosts : 0, CLUSTERS * MEMBERS);
	CHECK(found >= CLUSTERS * MEMBERS);
	CHECK_INT(n, (CLUSTERS - 1111) * MEMBERS);
	CHECK(t1 - t0 < 20000 && t3 - t1 < 20000);
	unlink(path);
	arena_free(a);
	arena_free(scratch);
}

int main(void)
{
	measure("YAML", write_yaml);
	measure("INI", write_ini);
	return check_done();
}
