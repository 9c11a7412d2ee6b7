/*
 * Where a node's packages come from: one file of sources a word of node_repo_modules. "local" is the repository that a
 * bundle brought to the infra nodes; other words are those of repo_upstream. Signatures are checked with the keyring
 * named in the source: the local repository's comes from this control host, never from the repository itself.
 */
#include "module.h"

static const char *setting(pig_task *t, const char *name)
{
	return t->val->str(t->host->get(t, name), "");
}

/* The local repository's keyring on the control host: where it was built, else where bootstrap left it. */
static const char *keyring(pig_task *t, size_t *len, const char **src)
{
	const char *name = setting(t, "repo_name"), *text;

	*src = pig_fmt(t, "pki/repo/%s.gpg", name);
	if (!(text = t->host->control_file(t, *src, len))) {
		*src = pig_fmt(t, "/etc/pig/repo/%s.gpg", name);
		text = t->host->control_file(t, *src, len);
	}
	return text;
}

struct sources {
	pig_task *t;
	const char *text;  /* of all files: what the indexes have to follow */
	const char *files; /* their paths, each followed by a blank */
	bool whole;        /* every word of node_repo_modules has a source */
};

static void source_write(struct sources *s, const char *module, const char *lines)
{
	const char *path = pig_fmt(s->t, "/etc/apt/sources.list.d/%s.list", module);

	pig_file(s->t, .path = path, .text = lines, .mode = 0644, .owner = "root", .group = "root");
	s->text = pig_fmt(s->t, "%s%s", s->text, lines);
	s->files = pig_fmt(s->t, "%s%s ", s->files, path);
}

static void local_write(struct sources *s)
{
	pig_task *t = s->t;
	const char *name = setting(t, "repo_name"), *home = setting(t, "repo_home"), *src, *ring, *seen, *url;
	const char *path = pig_fmt(t, "/etc/apt/keyrings/%s.gpg", name), *done;
	size_t len = 0;

	if (!(ring = keyring(t, &len, &src))) {
		s->whole = false;
		t->host->warn(t, "there is no local repository: no key of one is in files/pki/repo or /etc/pig/repo of this machine; "
			"sources of packages stay as they are (pig repo build, bootstrap, or node_repo_modules: '')");
		return;
	}
	if (!(seen = node_look(t, LOOK_REPO)))
		return;
	/* an infra node has it as files, and may have no web server yet */
	url = strstr(seen, "repo_complete") ? pig_fmt(t, "file:%s/%s", home, name)
					    : pig_fmt(t, "%s/%s", setting(t, "repo_endpoint"), name);
	pig_file(t, .path = "/etc/apt/keyrings", .dir = true, .mode = 0755);
	pig_file(t, .path = path, .src = src, .mode = 0644, .owner = "root", .group = "root");
	source_write(s, "local", pig_fmt(t, "deb [signed-by=%s] %s ./\n", path, url));
	/* another bundle under the same address: seen from here when this machine has it */
	done = t->host->control_file(t, pig_fmt(t, "%s/%s/repo_complete", home, name), NULL);
	s->text = pig_fmt(t, "%s%s%s", s->text, t->host->digest(t, ring, len), done ? done : "");
}

/* Is the word among the items? Numbers are compared as they are printed. */
static bool among(pig_task *t, const pig_value *list, const char *word)
{
	for (size_t i = 0; i < t->val->len(list); i++)
		if (!strcmp(node_scalar(t, t->val->at(list, i)), word))
			return true;
	return !list;
}

static const char *filled(pig_task *t, const char *text, const char *word, const char *value)
{
	const char *at = strstr(text, word);

	if (!at)
		return text;
	return filled(t, pig_fmt(t, "%.*s%s%s", (int)(at - text), text, value, at + strlen(word)), word, value);
}

/* The lines of a word of repo_upstream that are for this system. */
static const char *upstream_lines(pig_task *t, const char *module)
{
	const struct pig_values *v = t->val;
	const pig_value *rows = t->host->get(t, "repo_upstream");
	const char *region = setting(t, "region"), *lines = "", *major = node_fact(t, "os_version");

	for (size_t i = 0; i < v->len(rows); i++) {
		const pig_value *row = v->at(rows, i), *base = v->key(row, "baseurl");
		const char *url = v->str(v->key(base, region), v->str(v->key(base, "default"), "")),
			   *ring = v->str(v->key(v->key(row, "meta"), "signed-by"), "");
		if (strcmp(v->str(v->key(row, "module"), ""), module) != 0 || !*url ||
		    !among(t, v->key(row, "releases"), major) || !among(t, v->key(row, "arch"), node_fact(t, "os_arch")))
			continue;
		url = filled(t, url, "${distro_codename}", node_fact(t, "os_codename"));
		lines = pig_fmt(t, "%sdeb %s%s%s%s\n", lines, *ring ? "[signed-by=" : "", ring, *ring ? "] " : "", url);
	}
	return lines;
}

static void modules_write(struct sources *s)
{
	pig_task *t = s->t;
	const struct node *p = t->params;

	for (const char *m = p->node_repo_modules; *(m += strspn(m, ", "));) {
		size_t n = strcspn(m, ", ");
		const char *word = pig_fmt(t, "%.*s", (int)n, m), *lines;
		m += n;
		if (!strcmp(word, "local"))
			local_write(s);
		else if (*(lines = upstream_lines(t, word)))
			source_write(s, word, lines);
		else
			s->whole = false; /* without repo_upstream: the node's own */
	}
}

/* Over every other file of sources that has something in it. */
static const char *others(pig_task *t, const char *keep, const char *act)
{
	return pig_fmt(t, "%sfor f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do\n"
		"case \" $keep\" in *\" $f \"*) ;; *) [ ! -s \"$f\" ] || %s;; esac; done; :", keep, act);
}

void task_node_repo(pig_task *t)
{
	const struct node *p = t->params;
	struct sources s = { .t = t, .text = "", .files = "", .whole = true };
	const char *stamp = "/var/lib/pig/apt.stamp", *want, *keep;

	if (!node_is_deb(t)) {
		t->host->warn(t, "node_repo_modules is acted on where apt is: sources of packages stay as they are");
		return;
	}
	modules_write(&s);
	if (!*s.files)
		return;
	keep = pig_sh(t, "keep=%s\n", s.files);
	if (p->node_repo_remove && s.whole)
		pig_ensure(t, .note = "no other sources of packages", .want = "",
			   .probe = others(t, keep, "echo \"$f\""),
			   .apply = pig_fmt(t, "mkdir -p /etc/apt/backup\n%s",
					    others(t, keep, "mv -f \"$f\" /etc/apt/backup/ || exit")));
	want = t->host->digest(t, s.text, strlen(s.text));
	/* 10 s to connect, twice: a repository in the same network answers in one */
	pig_ensure(t, .note = "indexes of packages", .want = want,
		   .probe = pig_sh(t, "ls /var/lib/apt/lists/*Release >/dev/null 2>&1 && cat %s 2>/dev/null", stamp),
		   .apply = pig_sh(t, "apt-get -qq -o DPkg::Lock::Timeout=120 -o APT::Update::Error-Mode=any "
			"-o Acquire::http::Timeout=10 -o Acquire::Retries=1 update </dev/null || "
			"{ echo 'the sources of packages cannot be used: is the repository served, and signed by its key?' >&2; exit 1; }\n"
			"mkdir -p /var/lib/pig && echo %s >%s", want, stamp));
}
