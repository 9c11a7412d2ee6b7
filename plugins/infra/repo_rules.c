/* What pig check says of repo_* and node_repo_modules: words that lead nowhere, addresses that are none, what is not signed. */
#include "module.h"
#include "repo_rules.h"

#include <stdlib.h>

static bool same_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(p, word, n);
}

static bool has_module(pig_check *c, const pig_value *rows, const char *word, size_t n)
{
	for (size_t i = 0; i < c->val->len(rows); i++)
		if (same_word(word, n, c->val->str(c->val->key(c->val->at(rows, i), "module"), "")))
			return true;
	return false;
}

/* Every word of a list of modules is that of a row; without rows the machines' own sources are meant. */
static void words_known(pig_check *c, const char *param, const pig_value *words, const char *besides)
{
	const pig_value *rows = c->api->get(c, c->hostname, "repo_upstream");

	for (const char *p = c->val->str(words, ""); c->val->len(rows) && *(p += strspn(p, ", "));) {
		size_t n = strcspn(p, ", ");
		if (!same_word(p, n, besides) && !has_module(c, rows, p, n)) {
			c->api->fault(c, words, "%s names \"%.*s\", and no row of repo_upstream is of that module", param, (int)n, p);
			c->api->hint(c, "Its words are %s and the modules in repo_upstream.", besides);
		}
		p += n;
	}
}

static bool is_address(const char *s)
{
	const char *rest = strstr(s, ":/");

	return rest && rest > s && strcspn(s, ": \t\n") == (size_t)(rest - s) && rest[2];
}

static void row_check(pig_check *c, const pig_value *rows, size_t i)
{
	const struct pig_values *v = c->val;
	const pig_value *row = v->at(rows, i), *base = v->key(row, "baseurl"), *meta = v->key(row, "meta");
	const char *name = v->str(v->key(row, "name"), "?");

	for (size_t k = 0; k < i; k++)
		if (!strcmp(v->str(v->key(v->at(rows, k), "name"), ""), name) &&
		    !strcmp(v->str(v->key(v->at(rows, k), "module"), ""), v->str(v->key(row, "module"), "")))
			c->api->fault(c, v->key(row, "name"), "repo_upstream has two rows \"%s\" of one module", name);
	for (size_t k = 0; k < v->len(base); k++)
		if (!is_address(v->str(v->at(base, k), "")))
			c->api->fault_at_key(c, base, v->key_at(base, k), "\"%s\" of source \"%s\" is no address", v->key_at(base, k), name);
	if (v->truth(v->key(meta, "trusted"), false)) {
		c->api->fault_at_key(c, meta, "trusted", "source \"%s\" is to be trusted without a signature", name);
		c->api->hint(c, "Signatures are always checked: name its keyring in meta: { signed-by: /path }.");
	}
	const char *ring = v->str(v->key(meta, "signed-by"), NULL);
	if (ring && ring[0] != '/')
		c->api->fault_at_key(c, meta, "signed-by", "the keyring of source \"%s\" is no absolute path", name);
}

void rule_repo_upstream(pig_check *c)
{
	const pig_value *rows = c->api->get(c, NULL, "repo_upstream");

	for (size_t i = 0; i < c->val->len(rows); i++)
		row_check(c, rows, i);
	words_known(c, "repo_modules", c->api->get(c, NULL, "repo_modules"), "infra");
}

void rule_node_repo(pig_check *c)
{
	words_known(c, "node_repo_modules", c->api->get(c, c->hostname, "node_repo_modules"), "local");
}

static bool is_digest(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static const char *url_of(const struct pig_values *v, const pig_value *item)
{
	return v->str(v->type(item) == PIG_MAP ? v->key(item, "url") : item, "");
}

static const char *file_of(const struct pig_values *v, const pig_value *item)
{
	const char *url = url_of(v, item), *slash = strrchr(url, '/');

	return v->str(v->key(item, "name"), slash ? slash + 1 : url);
}

void rule_repo_url_packages(pig_check *c)
{
	const struct pig_values *v = c->val;
	const pig_value *all = c->api->get(c, NULL, "repo_url_packages");

	for (size_t i = 0; i < v->len(all); i++) {
		const pig_value *item = v->at(all, i);
		const char *url = url_of(v, item), *name = file_of(v, item), *sha = v->str(v->key(item, "sha256"), NULL);
		if (!is_address(url)) {
			c->api->fault(c, item, "a file of repo_url_packages has no address");
			continue;
		}
		if (!*name || strchr(name, '/') || name[0] == '.')
			c->api->fault(c, item, "\"%s\" cannot be a file's name in a bundle", name);
		if (sha && !is_digest(sha))
			c->api->fault_at_key(c, item, "sha256", "the sha256 of \"%s\" is none", name);
		if (!sha && !strncmp(url, "http://", 7)) {
			c->api->fault(c, item, "\"%s\" comes by http, and nothing says what its bytes must be", name);
			c->api->hint(c, "Write { url: ..., sha256: ... }, or use https.");
		}
		for (size_t k = 0; k < i; k++)
			if (!strcmp(file_of(v, v->at(all, k)), name))
				c->api->fault(c, item, "repo_url_packages has two files \"%s\"", name);
	}
}
