/*
 * pig inventory load, dump and use: the inventory in files, in a database, and which of the two is in force.
 */
#include "cli/cli_inventory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/os.h"
#include "model/inventory_sql.h"

/* ---- load, dump ---- */
/* The files named by -i, else the default of this folder, as long as that is no database itself. */
static bool files_load(struct cli *c, struct world *w, struct err *e)
{
	if (!cli_world(c, w, e))
		return false;
	if (!w->inv->database)
		return true;
	fail(e, E_INPUT, "the inventory is in a database already: %s", sql_shown(c->a, w->inv->database));
	return err_hint(e, "Name the file to be loaded with -i.");
}

bool inventory_do_load(struct cli *c, const char *url, struct err *e)
{
	const char *source = url ? url : sql_default();
	struct world w;
	struct sql *s;

	if (!files_load(c, &w, e) || !sql_open(&s, c->a, source, "pig inventory load", e))
		return false;
	bool ok = inventory_sql_load(s, w.inv, w.modules, e);
	if (ok)
		printf("loaded %u hosts and %u groups into %s\n", w.inv->n_hosts, w.inv->n_groups - 2, s->shown);
	sql_close(s);
	return ok;
}

bool inventory_do_dump(struct cli *c, const char *url, const char *output, struct err *e)
{
	struct buf b = BUF(c->a);
	struct world w;

	if (url || !c->inventories.n)
		cli_word(c, &c->inventories, url ? url : sql_default());
	if (!cli_world(c, &w, e))
		return false;
	const struct value *doc = inventory_document(w.inv, c->a, c->json);
	if (c->json ? !value_to_json(&b, doc, &(struct json_style){.indent = 4})
		    : !value_to_yaml(&b, doc, &(struct yaml_style){.indent = 2, .tags = true}))
		return fail(e, E_INPUT, "the inventory is nested too deep to be printed");
	if (b.len && b.p[b.len - 1] != '\n')
		buf_ch(&b, '\n');
	/* the passwords are in it: it is the inventory */
	return output ? os_write(output, b.p, b.len, 0600, e) : cli_out(b.p, b.len, e);
}

/* ---- use ---- */
#define CFG "ansible.cfg"
#define SCRIPT "inventory.sh"

static bool is_inventory_line(const char *line)
{
	size_t n = strlen("inventory");

	return !strncmp(line, "inventory", n) && strchr("= \t:", line[n]) && line[n + strspn(line + n, " \t")] &&
	       strchr("=:", line[n + strspn(line + n, " \t")]);
}

/* Its inventory line, at the top of [defaults] where there is none yet; the rest stays. */
static const char *cfg_edited(struct arena *a, const char *text, const char *to)
{
	struct buf b = BUF(a);
	const char *line = arena_fmt(a, "inventory = %s\n", to);
	bool inside = false, done = false;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n") + 1;
		if (!p[n - 1])
			n--;
		if (*p == '[') {
			if (inside && !done)
				buf_str(&b, line);
			done = done || inside;
			inside = !strncmp(p, "[defaults]", 10);
		}
		if (inside && is_inventory_line(p)) {
			if (!done)
				buf_str(&b, line);
			done = true;
		} else {
			buf_add(&b, p, n);
		}
		p += n;
	}
	if (b.len && b.p[b.len - 1] != '\n')
		buf_ch(&b, '\n');
	if (!done)
		buf_fmt(&b, "%s%s", inside ? "" : "[defaults]\n", line);
	return buf_text(&b);
}

static bool cfg_write(struct cli *c, const char *to, struct err *e)
{
	struct buf text = BUF(c->a);

	if (os_exists(CFG) && !os_read(&text, CFG, 1 << 20, e))
		return false;
	const char *edited = cfg_edited(c->a, buf_text(&text), to);
	struct stat st;
	mode_t mode = stat(CFG, &st) ? 0600 : st.st_mode & 0777; /* as infra.yml leaves it on an admin node */
	if (strcmp(edited, buf_text(&text)) != 0 && !os_write(CFG, edited, strlen(edited), mode, e))
		return false;
	printf(CFG ": inventory = %s\n", to);
	return true;
}

/* Ansible runs it; pig reads its second line and asks the database itself. */
static bool script_write(struct cli *c, const char *shown, const char *schema, struct err *e)
{
	struct buf b = BUF(c->a);

	buf_fmt(&b, "#!/bin/sh\n" SQL_SCRIPT_MARK "%s\n", shown);
	buf_str(&b, "# the inventory, for ansible; written by pig inventory use. METADB_URL leads; a password comes "
		    "from there or\n"
		    "# from ~/.pgpass, and stands nowhere here\n"
		    "[ \"$1\" != --host ] || { echo '{}'; exit; }\nurl=");
	buf_quote(&b, shown);
	buf_str(&b, "\nexec psql \"${METADB_URL:-$url}\" -XAtqw -c ");
	buf_quote(&b, arena_fmt(c->a, "select text from %s.inventory", schema));
	buf_ch(&b, '\n');
	return os_write(SCRIPT, b.p, b.len, 0700, e);
}

static bool use_database(struct cli *c, const char *url, struct err *e)
{
	const char *source = url ? url : sql_default(), *schema;
	struct sql *s;

	if (!sql_open(&s, c->a, source, "pig inventory use", e))
		return false;
	bool ok = inventory_sql_schema(s, &schema, e);
	if (ok)
		schema = sql_name(s, schema);
	sql_close(s);
	/* a service's name says more than what it comes to today */
	const char *shown = strstr(source, "service=") ? sql_shown(c->a, source) : s->shown;
	if (!ok || !script_write(c, shown, schema, e) || !cfg_write(c, SCRIPT, e))
		return false;
	printf(SCRIPT ": %s\n", shown);
	return true;
}

bool inventory_do_use(struct cli *c, const char *what, const char *url, struct err *e)
{
	if (!strcmp(what, "yaml"))
		return cfg_write(c, "pigsty.yml", e);
	if (!strcmp(what, "cmdb"))
		return use_database(c, url, e);
	fail(e, E_INPUT, "pig inventory use does not know \"%s\"", what);
	return err_hint(e, "Say cmdb or yaml.");
}
