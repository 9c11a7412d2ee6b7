/* The files of the running pig, for a module that installs it elsewhere: program, modules, what the inventory is made of. */
#include "run/task.h"
#include "base/os.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(struct arena *a, struct value *map, const char *key, const char *text)
{
	value_put(a, map, key, value_str(a, text));
}

enum { DEPTH_MAX = 8, FILES_MAX = 4096 };

/* A file, or what is in a folder, under its path below the inventory's folder. Hidden ones and links are not the inventory's. */
static void add_files(struct arena *a, struct value *map, const char *path, const char *as, int depth)
{
	struct stat st;
	DIR *d;

	if (lstat(path, &st) != 0 || value_len(map) >= FILES_MAX || depth > DEPTH_MAX)
		return;
	if (S_ISREG(st.st_mode)) { /* whole paths: a task would look for others in files/ */
		char *whole = realpath(path, NULL);
		if (whole)
			put(a, map, as, whole);
		free(whole);
	}
	if (!S_ISDIR(st.st_mode) || !(d = opendir(path)))
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			add_files(a, map, arena_fmt(a, "%s/%s", path, e->d_name), *as ? arena_fmt(a, "%s/%s", as, e->d_name) : e->d_name, depth + 1);
	closedir(d);
}

/* What Ansible reads beside an inventory, and our own folders but for keys: files/pki is the CA's. */
static struct value *inventory_files(struct task *t)
{
	static const char *const beside[] = { "group_vars", "host_vars", "templates", "plugins", "ansible.cfg" };
	const struct inventory *inv = t->run->w->inv;
	struct arena *a = t->a;
	struct value *map = value_map(a);

	for (uint32_t i = 0; i < inv->n_sources; i++)
		add_files(a, map, inv->sources[i], os_basename(inv->sources[i]), 0);
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
		add_files(a, map, arena_fmt(a, "%s/%s", inv->dir, beside[i]), beside[i], 0);
	const char *files = arena_fmt(a, "%s/files", inv->dir);
	DIR *d = opendir(files);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && strcmp(e->d_name, "pki"))
			add_files(a, map, arena_fmt(a, "%s/%s", files, e->d_name), arena_fmt(a, "files/%s", e->d_name), 0);
	if (d)
		closedir(d);
	return map;
}

/* Where an installed pig has its modules, PREFIX/lib/pig/plugins beside PREFIX/bin; NULL: this one runs from elsewhere. */
static const char *installed_modules(struct arena *a, const char *exe, const struct modules *ms)
{
	static const char tail[] = "/pig/plugins";
	const char *prefix = os_dirname(a, os_dirname(a, exe));

	for (uint32_t i = 0; i < ms->n; i++) {
		char *whole = ms->list[i]->file ? realpath(ms->list[i]->file, NULL) : NULL;
		const char *dir = whole ? os_dirname(a, arena_str(a, whole)) : "";
		size_t n = strlen(dir), k = strlen(prefix);
		free(whole);
		if (n > k + sizeof tail && !strncmp(dir, prefix, k) && dir[k] == '/' && !strcmp(dir + n - sizeof tail + 1, tail))
			return dir;
	}
	return NULL;
}

const pig_value *task_api_self(pig_task *p)
{
	struct task *t = task_of(p);
	const struct modules *ms = t->run->w->modules;
	struct value *map = value_map(t->a), *list = value_list(t->a);
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	exe[n > 0 ? n : 0] = 0;
	for (uint32_t i = 0; i < ms->n; i++)
		if (ms->list[i]->file)
			value_push(t->a, list, value_str(t->a, ms->list[i]->file));
	const char *at = installed_modules(t->a, exe, ms);
	put(t->a, map, "program", exe);
	put(t->a, map, "program_at", at ? exe : PIG_BIN_DIR "/pig");
	put(t->a, map, "modules_at", at ? at : PIG_PLUGIN_DIR);
	value_put(t->a, map, "modules", list);
	value_put(t->a, map, "inventory", inventory_files(t));
	return (const pig_value *)map;
}
