/*
 * One module's file into tables of the runner's own sizes: dlopen, the ABI handshake, copies. Shorter structs and rows
 * are filled with zeros, longer ones are taken if their tail is zero: a field this runner does not know must never be
 * ignored. What the rows mean is module_rows.c's business. Modules are never closed: code that a thread may be in must
 * not vanish.
 */
#include "model/module_int.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

enum { STRIDE_MOST = 4096, ROWS_MOST = 100000 };

struct table_row {
	const char *name;
	size_t offset, size; /* of the struct pig_table in struct pig_module; of one row here */
};
#define TABLE(t, T)                                                                                                    \
	{                                                                                                              \
#t, offsetof(struct pig_module, t), sizeof(struct T)                                                   \
	}
static const struct table_row tables[] = {
	TABLE(needs, pig_need),     TABLE(params, pig_param),  TABLE(presets, pig_preset),
	TABLE(rules, pig_rule),     TABLE(tasks, pig_taskdef), TABLE(playbooks, pig_playbook),
	TABLE(inserts, pig_insert), TABLE(health, pig_health), TABLE(templates, pig_template),
	TABLE(ifaces, pig_iface),   TABLE(aliases, pig_alias), TABLE(verbs, pig_verb),
	TABLE(listens, pig_listen), TABLE(others, pig_other),
	TABLE(overrides, pig_override),
};

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static bool too_new(struct err *e, const char *what, uint32_t row, size_t ours, uint32_t stride)
{
	fail(e, E_MODULE, "row %u of its %s sets a field that this pig does not know", row, what);
	err_detail(e, "a row is %u bytes there and %zu here", stride, ours);
	return err_hint(e, "It was built for a later ABI than %d.%d: use a newer pig.", PIG_ABI_MAJOR, PIG_ABI_MINOR);
}

/* The table's rows in our own size; t->rows and t->stride are replaced. */
static bool table_copy(struct pig_table *t, struct arena *a, const char *what, size_t ours, struct err *e)
{
	size_t take = t->stride < ours ? t->stride : ours;

	if (!t->n) {
		*t = (struct pig_table){ NULL, 0, (uint32_t)ours };
		return true;
	}
	if (!t->rows || t->n > ROWS_MOST || t->stride < sizeof(void *) || t->stride > STRIDE_MOST ||
	    t->stride % sizeof(uint32_t)) {
		fail(e, E_MODULE, "its table %s is broken: %u rows of %u bytes", what, t->n, t->stride);
		return err_hint(e, "Fill tables with PIG_TABLE(rows).");
	}
	char *rows = arena_get(a, ours * t->n);
	for (uint32_t i = 0; i < t->n; i++) {
		const char *row = (const char *)t->rows + (size_t)i * t->stride;
		if (!is_zero(row + take, t->stride - take))
			return too_new(e, what, i + 1, ours, t->stride);
		memcpy(rows + i * ours, row, take);
	}
	*t = (struct pig_table){ rows, t->n, (uint32_t)ours };
	return true;
}

/* The members of rows that were copied, and theirs. */
static bool members_copy(struct pig_table *t, struct arena *a, unsigned depth, struct err *e)
{
	struct pig_param *rows = (struct pig_param *)t->rows; /* our own copy */

	if (depth > 16)
		return fail(e, E_MODULE, "its members hold themselves");
	for (uint32_t i = 0; i < t->n; i++) {
		if (!rows[i].members.n)
			continue;
		if (!table_copy(&rows[i].members, a, "members", sizeof *rows, e) ||
		    !members_copy(&rows[i].members, a, depth + 1, e))
			return err_wrap(e, "parameter \"%s\"", rows[i].name ? rows[i].name : "?");
	}
	return true;
}

static bool nested_copy(struct pig_module *m, struct arena *a, struct err *e)
{
	struct pig_playbook *books = (struct pig_playbook *)m->playbooks.rows; /* our own copies */
	struct pig_verb *verbs = (struct pig_verb *)m->verbs.rows;

	for (uint32_t i = 0; i < m->verbs.n; i++)
		if (!table_copy(&verbs[i].options, a, "options", sizeof(struct pig_option), e))
			return err_wrap(e, "verb \"%s\"", verbs[i].name ? verbs[i].name : "?");
	for (uint32_t i = 0; i < m->playbooks.n; i++)
		if (!table_copy(&books[i].steps, a, "steps", sizeof(struct pig_step), e))
			return err_wrap(e, "playbook \"%s\"", books[i].name ? books[i].name : "?");
	return members_copy(&m->params, a, 0, e);
}

/* Bytes of the exported object, as its symbol says: a size that claims more would be read beyond it. */
static size_t symbol_size(const void *symbol)
{
	Dl_info info;
	void *extra = NULL;

	if (!dladdr1(symbol, &info, &extra, RTLD_DL_SYMENT) || !extra)
		return 0;
	return ((const ElfW(Sym) *)extra)->st_size;
}

static bool head_check(const struct pig_module *m, size_t size, struct err *e)
{
	if (size < offsetof(struct pig_module, needs) || m->magic != PIG_MAGIC) {
		fail(e, E_MODULE, "its pig_module is none");
		return err_hint(e, "Declare it with PIG_MODULE(...).");
	}
	if (m->major != PIG_ABI_MAJOR) {
		fail(e, E_MODULE, "built for ABI %u.%u, this pig has %d.%d", m->major, m->minor, PIG_ABI_MAJOR,
		     PIG_ABI_MINOR);
		return err_hint(e, "Build it with this pig's pig.h, or use the pig it was built for.");
	}
	if (m->size < offsetof(struct pig_module, needs) || m->size > size)
		return fail(e, E_MODULE, "its size is given as %u bytes, the object has %zu", m->size, size);
	return true;
}

static bool module_copy(struct pig_module **out, struct arena *a, const struct pig_module *m, struct err *e)
{
	struct pig_module *own = arena_get(a, sizeof *own);
	size_t take = m->size < sizeof *own ? m->size : sizeof *own;

	if (!is_zero((const char *)m + take, m->size - take)) {
		fail(e, E_MODULE, "sets a field that this pig does not know");
		return err_hint(e, "It was built for ABI %u.%u, this pig has %d.%d: use a newer pig.", m->major,
				m->minor, PIG_ABI_MAJOR, PIG_ABI_MINOR);
	}
	memcpy(own, m, take);
	own->size = sizeof *own;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (!table_copy((struct pig_table *)((char *)own + tables[i].offset), a, tables[i].name, tables[i].size,
				e))
			return false;
	*out = own;
	return nested_copy(own, a, e);
}

static bool take(struct module *m, struct arena *a, const struct pig_module *exported, size_t size, struct err *e)
{
	struct pig_module *own = NULL;

	if (!head_check(exported, size, e) || !module_copy(&own, a, exported, e))
		return false;
	m->m = own;
	return module_rows_check(m, a, e);
}

static bool load(struct module *m, struct arena *a, struct err *e)
{
	if (!module_file_sound(m->file, e))
		return false;

	/* RTLD_LOCAL: modules do not see each other's symbols. A name without a slash would be searched for. */
	void *lib = dlopen(strchr(m->file, '/') ? m->file : arena_fmt(a, "./%s", m->file), RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		const char *why = dlerror();
		fail(e, E_MODULE, "cannot be loaded");
		err_detail(e, "%s", why ? why : "unknown cause");
		if (why && strstr(why, "undefined symbol"))
			return err_hint(e,
					"A module calls the runner through t->host alone and brings the rest itself.");
		return err_hint(e, "Is it built for this system?");
	}
	const struct pig_module *exported = dlsym(lib, "pig_module");
	if (!exported) {
		fail(e, E_MODULE, "exports no pig_module");
		return err_hint(e, "Declare it with PIG_MODULE(...).");
	}
	return take(m, a, exported, symbol_size(exported), e);
}

static bool opened(struct module **out, struct module *m, bool ok, struct err *e)
{
	*out = m;
	if (ok || !e)
		return ok;
	e->code = E_MODULE;
	return err_wrap(e, "module %s", m->file);
}

bool module_open(struct module **out, struct arena *a, const char *path, struct err *e)
{
	struct module *m = arena_get(a, sizeof *m);

	m->file = arena_str(a, path);
	return opened(out, m, load(m, a, e), e);
}

bool module_of(struct module **out, struct arena *a, const char *file, const struct pig_module *exported, size_t size,
	       struct err *e)
{
	struct module *m = arena_get(a, sizeof *m);

	m->file = arena_str(a, file);
	return opened(out, m, take(m, a, exported, size, e), e);
}
