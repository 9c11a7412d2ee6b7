/*
 * The facts of a host out of the raw material that the hello brings: "k=v" lines, then files, each headed "==> path
 * <==". All of it is data from a stranger: bounded, never a template, never a command. Not for: asking the host
 * anything.
 */
#include "host/facts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CGROUP_MAX = 64 };

struct facts_raw {
	struct arena *a;
	struct value *out;
	const char *id, *version, *codename;
	bool deb;
	int64_t mem, mem_limit, cpus, cpu_limit; /* 0: not known */
	int64_t quota;				 /* of the v1 file just read, for the period that follows it */
	const char *quota_dir;
};

static void facts_put(struct facts_raw *f, const char *key, const char *s)
{
	struct value *v = value_str(f->a, s);

	v->flags |= V_LITERAL;
	value_put(f->a, f->out, key, v);
}

static void facts_less(int64_t *have, int64_t now)
{
	if (now > 0 && (!*have || now < *have))
		*have = now;
}

static int64_t facts_int(const char *s)
{
	return isdigit((unsigned char)*s) ? strtoll(s, NULL, 10) : -1;
}

/* The value of an os-release line, without its quotes. */
static const char *facts_unquoted(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	if (n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s)
		return arena_strn(a, s + 1, n - 2);
	return s;
}

static void facts_os_line(struct facts_raw *f, const char *line)
{
	if (!strncmp(line, "ID=", 3))
		f->id = facts_unquoted(f->a, line + 3);
	else if (!strncmp(line, "VERSION_ID=", 11))
		f->version = facts_unquoted(f->a, line + 11);
	else if (!strncmp(line, "VERSION_CODENAME=", 17))
		f->codename = facts_unquoted(f->a, line + 17);
}

/* "0-3,8" -> 5 */
static int64_t facts_cpu_list(const char *s)
{
	int64_t n = 0;

	while (isdigit((unsigned char)*s)) {
		char *end;
		long lo = strtol(s, &end, 10), hi = lo;
		if (*end == '-')
			hi = strtol(end + 1, &end, 10);
		if (hi < lo || hi > 1 << 20)
			return 0;
		n += hi - lo + 1;
		s = *end == ',' ? end + 1 : end;
	}
	return n;
}

static void facts_quota(struct facts_raw *f, int64_t quota, int64_t period)
{
	if (quota > 0 && period > 0)
		facts_less(&f->cpu_limit, quota / period + (quota % period != 0));
}

static void facts_cgroup_line(struct facts_raw *f, const char *path, const char *line)
{
	const char *name = strrchr(path, '/') + 1;
	const char *dir = arena_strn(f->a, path, (size_t)(name - path));

	if (!strcmp(name, "memory.max") || !strcmp(name, "memory.limit_in_bytes")) {
		facts_less(&f->mem_limit, facts_int(line));
	} else if (!strcmp(name, "cpu.max")) {
		const char *period = strchr(line, ' ');
		facts_quota(f, facts_int(line), period ? facts_int(period + 1) : 0);
	} else if (!strcmp(name, "cpu.cfs_quota_us")) {
		f->quota = facts_int(line);
		f->quota_dir = dir;
	} else if (!strcmp(name, "cpu.cfs_period_us") && f->quota_dir && !strcmp(f->quota_dir, dir)) {
		facts_quota(f, f->quota, facts_int(line));
	}
}

static void facts_file_line(struct facts_raw *f, const char *path, const char *line)
{
	if (!*line)
		return;
	if (strstr(path, "os-release"))
		facts_os_line(f, line);
	else if (!strcmp(path, "/proc/sys/kernel/hostname"))
		facts_put(f, "node_hostname", line);
	else if (!strcmp(path, "/proc/sys/kernel/osrelease"))
		facts_put(f, "os_kernel", line);
	else if (!strcmp(path, "/proc/sys/kernel/random/boot_id"))
		facts_put(f, "boot_id", line);
	else if (!strcmp(path, "/etc/machine-id"))
		facts_put(f, "machine_id", line);
	else if (!strcmp(path, "/proc/meminfo") && !strncmp(line, "MemTotal:", 9))
		f->mem = strtoll(line + 9, NULL, 10) > INT64_MAX / 1024 ? 0 : strtoll(line + 9, NULL, 10) * 1024;
	else if (!strcmp(path, "/proc/self/status") && !strncmp(line, "Cpus_allowed_list:", 18))
		f->cpus = facts_cpu_list(line + 18 + strspn(line + 18, " \t"));
	else if (!strncmp(path, "/sys/fs/cgroup/", 15))
		facts_cgroup_line(f, path, line);
}

static void facts_key_line(struct facts_raw *f, const char *line)
{
	if (!strncmp(line, "user=", 5))
		facts_put(f, "node_user", line + 5);
	else if (!strncmp(line, "uname=", 6))
		facts_put(f, "os_arch", line + 6);
	else if (!strcmp(line, "package=deb"))
		f->deb = true;
}

static void facts_finish(struct facts_raw *f)
{
	struct arena *a = f->a;
	const char *version = f->version ? f->version : "";
	int64_t major = facts_int(version), mem = f->mem, cpus = f->cpus > 0 ? f->cpus : 1;

	facts_put(f, "os_vendor", f->id ? f->id : "linux");
	value_put(a, f->out, "os_version", value_int(a, major < 0 ? 0 : major));
	facts_put(f, "os_version_full", version);
	facts_put(f, "os_package", f->deb ? "deb" : "rpm");
	if (f->deb || major < 0)
		facts_put(f, "os_codename", f->codename ? f->codename : "");
	else
		facts_put(f, "os_codename", arena_fmt(a, "el%lld", (long long)major));
	facts_less(&mem, f->mem_limit);
	facts_less(&cpus, f->cpu_limit);
	value_put(a, f->out, "node_cpu", value_int(a, cpus));
	value_put(a, f->out, "node_mem_bytes", value_int(a, mem));
	value_put(a, f->out, "node_mem_mb", value_int(a, mem / (1 << 20) + (mem % (1 << 20) != 0)));
	int64_t gb = mem / (1 << 30) + (mem % (1 << 30) != 0);
	value_put(a, f->out, "node_mem_gb", value_int(a, gb > 0 ? gb : 1));
}

struct value *facts_read(struct arena *a, const char *text, size_t len)
{
	struct facts_raw f = { .a = a, .out = value_map(a) };
	const char *path = NULL;

	/* present in any case, so that a rule can ask for them */
	static const char *const names[] = { "os_vendor", "os_version",	    "os_version_full", "os_codename",
					     "os_arch",	  "os_package",	    "node_user",       "node_hostname",
					     "node_cpu",  "node_mem_bytes", "node_mem_mb",     "node_mem_gb",
					     "boot_id",	  "machine_id",	    "os_kernel" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		facts_put(&f, names[i], "");
	for (const char *p = text, *end = text + len; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		const char *line = arena_strn(a, p, n);
		if (strlen(line) == n) {
			if (n > 8 && !strncmp(line, "==> /", 5) && !strcmp(line + n - 4, " <=="))
				path = arena_strn(a, line + 4, n - 8);
			else if (path)
				facts_file_line(&f, path, line);
			else
				facts_key_line(&f, line);
		}
		p += n + (nl != NULL);
	}
	facts_finish(&f);
	return f.out;
}

int64_t facts_clock(const char *text, size_t len)
{
	static const char key[] = "now=";
	enum { KEY_N = sizeof key - 1 };

	/* before the first file: what stands in one is not the loop's word */
	for (const char *p = text, *end = text + len; p < end && *p != '=';) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		int64_t t = 0;
		size_t i = KEY_N;
		if (n > KEY_N && !memcmp(p, key, KEY_N)) {
			for (; i < n && i < KEY_N + 12 && isdigit((unsigned char)p[i]); i++)
				t = t * 10 + (p[i] - '0');
			return i == n ? t : 0;
		}
		p += n + (nl != NULL);
	}
	return 0;
}
