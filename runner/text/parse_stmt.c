/*
 * The grammar of statements, one function a tag, and the entry points that turn text into a tree. What is outside the
 * subset is an error that names it.
 */
#include "text/tmpl_int.h"

#include "base/map.h"

#include <string.h>

enum { BLOCKS_MOST = 2000 }; /* their names are compared with each other */

static struct node *parse_body(struct parser *p, const char *const *ends);

static bool parse_tag_end(struct parser *p)
{
	if (parse_tok(p)->kind == TOK_TAGEND) {
		p->pos++;
		return true;
	}
	parse_fail(p, "expected \"%%}\" here");
	return false;
}

static const char *parse_word(struct parser *p, const char *what)
{
	const char *s = parse_tok(p)->s;

	if (parse_tok(p)->kind != TOK_NAME) {
		parse_fail(p, "expected %s", what);
		return NULL;
	}
	p->pos++;
	return s;
}

/* Body up to {% endname %}, which is eaten with an optional word after it (endblock name). */
static struct node *parse_until(struct parser *p, const char *end)
{
	const char *const ends[] = { end, NULL };
	struct node *body = parse_body(p, ends);

	if (!body)
		return NULL;
	p->pos++;
	if (!strcmp(end, "endblock") && parse_tok(p)->kind == TOK_NAME)
		p->pos++;
	return parse_tag_end(p) ? body : NULL;
}

/* S_IF: kids are condition, body, condition, body ...; a = the else body */
static struct node *parse_if(struct parser *p)
{
	static const char *const ends[] = { "elif", "else", "endif", NULL };
	struct node *n = parse_node(p, S_IF);

	for (;;) {
		p->pos++;

		struct node *cond = parse_tuple(p, true);

		if (!cond || !parse_tag_end(p))
			return NULL;

		struct node *body = parse_body(p, ends);

		if (!body)
			return NULL;
		parse_push(p, n, cond);
		parse_push(p, n, body);
		if (parse_is_name(p, "elif"))
			continue;
		if (parse_skip_name(p, "else")) {
			if (!parse_tag_end(p) || !(n->a = parse_until(p, "endif")))
				return NULL;
			return parse_deep(p, n);
		}
		p->pos++;
		return parse_tag_end(p) ? parse_deep(p, n) : NULL;
	}
}

/* A name, ns.name, or names in a tuple: X_NAME, X_ATTR, X_TUPLE */
static struct node *parse_target(struct parser *p, bool with_ns)
{
	struct node *all = NULL, *n;
	bool paren = parse_skip_op(p, '(');

	for (;;) {
		const struct tok *t = parse_tok(p);

		if (parse_is_op(p, '(')) {
			if (++p->nest > LIMIT_NEST)
				return parse_fail(p, "nested too deep");
			n = parse_target(p, false);
			p->nest--;
			if (!n)
				return NULL;
		} else {
			if (t->kind != TOK_NAME)
				return parse_fail(p, "expected a name to assign to");
			n = parse_name_node(p, t->s);
			p->pos++;
			if (with_ns && parse_is_op(p, '.') && parse_tok(p)[1].kind == TOK_NAME) {
				struct node *attr = parse_node(p, X_ATTR);

				attr->a = n;
				attr->name = parse_tok(p)[1].s;
				attr->op = ctx_loop_member(attr->name);
				p->pos += 2;
				n = attr;
			}
		}
		if (!parse_is_op(p, ',') && !all)
			break;
		if (!all)
			all = parse_node(p, X_TUPLE);
		parse_push(p, all, n);
		if (!parse_skip_op(p, ',') || parse_is_op(p, ')') || parse_is_name(p, "in") || parse_is_op(p, '='))
			break;
	}
	if (paren && !parse_want_op(p, ')'))
		return NULL;
	return all ? all : n;
}

/* S_FOR: kids[0] target, kids[1] list, kids[2] body; a = filter, b = else; flag = recursive */
static struct node *parse_for(struct parser *p)
{
	static const char *const ends[] = { "else", "endfor", NULL };
	struct node *n = parse_node(p, S_FOR), *part;

	p->pos++;
	part = parse_target(p, false);
	if (!part)
		return NULL;
	parse_push(p, n, part);
	if (!parse_skip_name(p, "in"))
		return parse_fail(p, "expected \"in\"");
	part = parse_tuple(p, false);
	if (!part)
		return NULL;
	parse_push(p, n, part);
	if (parse_skip_name(p, "if") && !(n->a = parse_expr(p)))
		return NULL;
	n->flag = parse_skip_name(p, "recursive");
	if (!parse_tag_end(p) || !(part = parse_body(p, ends)))
		return NULL;
	parse_push(p, n, part);
	if (parse_skip_name(p, "else")) {
		if (!parse_tag_end(p) || !(n->b = parse_until(p, "endfor")))
			return NULL;
		return parse_deep(p, n);
	}
	p->pos++;
	return parse_tag_end(p) ? parse_deep(p, n) : NULL;
}

/* S_SET: a target, b value. S_SETBLOCK: a target, b body, c filters */
static struct node *parse_set(struct parser *p)
{
	struct node *n = parse_node(p, S_SET);

	p->pos++;
	n->a = parse_target(p, true);
	if (!n->a)
		return NULL;
	if (parse_skip_op(p, '=')) {
		n->b = parse_tuple(p, true);
		return n->b && parse_tag_end(p) ? parse_deep(p, n) : NULL;
	}
	n->kind = S_SETBLOCK;
	if (parse_skip_op(p, '|') && !(n->c = parse_filters(p, NULL)))
		return NULL;
	if (!parse_tag_end(p) || !(n->b = parse_until(p, "endset")))
		return NULL;
	return parse_deep(p, n);
}

/* "(a, b=1)" of a macro or call block: kids are X_NAMEs, each with its default in a */
static bool parse_params(struct parser *p, struct node *n)
{
	bool defaults = false;

	while (!parse_skip_op(p, ')')) {
		if (n->n && !parse_want_op(p, ','))
			return false;
		if (parse_skip_op(p, ')'))
			break;

		struct node *param = parse_node(p, X_NAME);

		param->name = parse_word(p, "a parameter's name");
		if (!param->name)
			return false;
		param->op = (int)hash_str(param->name);
		for (uint32_t i = 0; i < n->n; i++) {
			if (!strcmp(n->kids[i]->name, param->name))
				return parse_fail(p, "parameter \"%s\" stands there twice", param->name);
		}
		if (parse_skip_op(p, '=')) {
			defaults = true;
			if (!(param->a = parse_expr(p)))
				return false;
		} else if (defaults) {
			return parse_fail(p, "parameter \"%s\" without a default follows one that has one",
					  param->name);
		}
		parse_push(p, n, param);
		if (n->n > 64)
			return parse_fail(p, "more than 64 parameters");
	}
	return true;
}

/* S_MACRO: name, kids parameters, b body; op = MACRO_... names that the body uses */
static struct node *parse_macro(struct parser *p)
{
	struct node *n = parse_node(p, S_MACRO);
	unsigned outer = p->macro_uses;

	p->pos++;
	n->name = parse_word(p, "the macro's name");
	if (!n->name || !parse_want_op(p, '(') || !parse_params(p, n) || !parse_tag_end(p))
		return NULL;
	p->macro_uses = 0;
	n->b = parse_until(p, "endmacro");
	n->op = (int)p->macro_uses;
	p->macro_uses = outer;
	return n->b ? parse_deep(p, n) : NULL;
}

/* S_CALLBLOCK: kids parameters, a the call, b body */
static struct node *parse_callblock(struct parser *p)
{
	struct node *n = parse_node(p, S_CALLBLOCK);

	p->pos++;
	if (parse_skip_op(p, '(') && !parse_params(p, n))
		return NULL;
	n->a = parse_primary_postfix(p);
	if (!n->a)
		return NULL;
	if (n->a->kind != X_CALL)
		return parse_fail(p, "expected the call of a macro");
	n->name = "caller";
	if (!parse_tag_end(p) || !(n->b = parse_until(p, "endcall")))
		return NULL;
	return parse_deep(p, n);
}

/* S_FILTER: c the filters, b body */
static struct node *parse_filterblock(struct parser *p)
{
	struct node *n = parse_node(p, S_FILTER);

	p->pos++;
	n->c = parse_filters(p, NULL);
	if (!n->c || !parse_tag_end(p) || !(n->b = parse_until(p, "endfilter")))
		return NULL;
	return parse_deep(p, n);
}

/* S_WITH: kids are target, value, ...; b body */
static struct node *parse_with(struct parser *p)
{
	struct node *n = parse_node(p, S_WITH);

	p->pos++;
	while (parse_tok(p)->kind != TOK_TAGEND) {
		if (n->n && !parse_want_op(p, ','))
			return NULL;

		struct node *part = parse_node(p, X_NAME);

		part->name = parse_word(p, "a name to assign to");
		if (!part->name || !parse_want_op(p, '='))
			return NULL;
		parse_push(p, n, part);
		part = parse_expr(p);
		if (!part)
			return NULL;
		parse_push(p, n, part);
	}
	if (!parse_tag_end(p) || !(n->b = parse_until(p, "endwith")))
		return NULL;
	return parse_deep(p, n);
}

/* S_BLOCK: name, b body, flag = scoped */
static struct node *parse_block(struct parser *p)
{
	struct node *n = parse_node(p, S_BLOCK);
	struct tmpl *t = p->t;

	p->pos++;
	n->name = parse_word(p, "the block's name");
	if (!n->name)
		return NULL;
	for (uint32_t i = 0; i < t->nblocks; i++) {
		if (!strcmp(t->blocks[i]->name, n->name))
			return parse_fail(p, "block \"%s\" stands there twice", n->name);
	}
	n->flag = parse_skip_name(p, "scoped");
	if (t->nblocks == BLOCKS_MOST)
		return parse_fail(p, "more than %d blocks", BLOCKS_MOST);
	if (t->nblocks == p->cap_blocks) {
		p->cap_blocks = p->cap_blocks ? p->cap_blocks * 2 : 8;

		struct node **blocks = arena_new_of(p->a, struct node *, p->cap_blocks);

		if (t->nblocks)
			memcpy(blocks, t->blocks, t->nblocks * sizeof *blocks);
		t->blocks = blocks;
	}
	t->blocks[t->nblocks++] = n;
	if (!parse_tag_end(p) || !(n->b = parse_until(p, "endblock")))
		return NULL;
	return parse_deep(p, n);
}

/* S_EXTENDS: a the name */
static struct node *parse_extends(struct parser *p)
{
	struct node *n = parse_node(p, S_EXTENDS);

	p->pos++;
	p->t->owns = true;
	n->a = parse_expr(p);
	return n->a && parse_tag_end(p) ? parse_deep(p, n) : NULL;
}

/* "with context" / "without context", which set *with */
static void parse_context(struct parser *p, bool *with)
{
	bool on = parse_is_name(p, "with");

	if ((on || parse_is_name(p, "without")) && parse_tok(p)[1].kind == TOK_NAME &&
	    !strcmp(parse_tok(p)[1].s, "context")) {
		*with = on;
		p->pos += 2;
	}
}

/* S_INCLUDE: a the name or names; flag = with the frame's names; op = 1 when it may be missing */
static struct node *parse_include(struct parser *p)
{
	struct node *n = parse_node(p, S_INCLUDE);

	p->pos++;
	p->t->owns = true;
	n->flag = true;
	n->a = parse_expr(p);
	if (!n->a)
		return NULL;
	if (parse_is_name(p, "ignore")) {
		p->pos++;
		if (!parse_skip_name(p, "missing"))
			return parse_fail(p, "expected \"missing\"");
		n->op = 1;
	}
	parse_context(p, &n->flag);
	return parse_tag_end(p) ? parse_deep(p, n) : NULL;
}

/* S_IMPORT: a the template, name what it is called here */
static struct node *parse_import(struct parser *p)
{
	struct node *n = parse_node(p, S_IMPORT);

	p->pos++;
	p->t->owns = true;
	n->a = parse_expr(p);
	if (!n->a)
		return NULL;
	if (!parse_skip_name(p, "as"))
		return parse_fail(p, "expected \"as\"");
	n->name = parse_word(p, "the name to import it as");
	if (!n->name)
		return NULL;
	parse_context(p, &n->flag);
	return parse_tag_end(p) ? parse_deep(p, n) : NULL;
}

/* S_FROM: a the template; kids are X_NAMEs: name in it, and the name here in lit */
static struct node *parse_from(struct parser *p)
{
	struct node *n = parse_node(p, S_FROM);

	p->pos++;
	p->t->owns = true;
	n->a = parse_expr(p);
	if (!n->a)
		return NULL;
	if (!parse_skip_name(p, "import"))
		return parse_fail(p, "expected \"import\"");
	while (parse_tok(p)->kind == TOK_NAME) {
		parse_context(p, &n->flag);
		if (parse_tok(p)->kind != TOK_NAME)
			break;

		struct node *part = parse_node(p, X_NAME);
		const char *here = part->name = parse_word(p, "a name");

		if (parse_skip_name(p, "as") && !(here = parse_word(p, "a name")))
			return NULL;
		part->lit = value_str(p->a, here);
		parse_push(p, n, part);
		parse_skip_op(p, ',');
	}
	if (!n->n)
		return parse_fail(p, "expected a name to import");
	return parse_tag_end(p) ? parse_deep(p, n) : NULL;
}

static struct node *parse_do(struct parser *p)
{
	struct node *n = parse_node(p, S_DO);

	p->pos++;
	n->a = parse_tuple(p, true);
	return n->a && parse_tag_end(p) ? parse_deep(p, n) : NULL;
}

static const struct { const char *name; struct node *(*fn)(struct parser *p);
} tags[] = {
	{"if", parse_if},	    {"for", parse_for},	       {"set", parse_set},
	{"macro", parse_macro},	    {"call", parse_callblock}, {"filter", parse_filterblock},
	{"with", parse_with},	    {"block", parse_block},    {"extends", parse_extends},
	{"include", parse_include}, {"import", parse_import},  {"from", parse_from},
	{"do", parse_do},
};

static struct node *parse_tag(struct parser *p)
{
	const char *name = parse_tok(p)->s;

	if (parse_tok(p)->kind != TOK_NAME)
		return parse_fail(p, "expected the name of a statement");
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		if (strcmp(tags[i].name, name))
			continue;
		if (++p->nest > LIMIT_NEST)
			return parse_fail(p, "nested too deep");

		struct node *n = tags[i].fn(p);

		p->nest--;
		return n;
	}
	if (!strcmp(name, "raw"))
		return parse_fail(p, "malformed \"raw\" block");
	if (!strncmp(name, "end", 3) || !strcmp(name, "else") || !strcmp(name, "elif"))
		return parse_fail(p, "\"%s\" has no statement that it belongs to", name);
	return parse_fail(p, "there is no statement \"%s\"", name);
}

/* S_BODY: kids, up to one of the tags in ends (its name is then the present token), or the end of the text when ends is
 * NULL */
static struct node *parse_body(struct parser *p, const char *const *ends)
{
	struct node *body = parse_node(p, S_BODY);

	for (;;) {
		const struct tok *t = parse_tok(p);
		struct node *n = NULL;

		if (t->kind == TOK_END) {
			if (!ends)
				return parse_deep(p, body);
			while (ends[1])
				ends++;
			return parse_fail(p, "\"{%% %s %%}\" is missing", *ends);
		}
		if (t->kind == TOK_DATA) {
			n = parse_node(p, S_TEXT);
			n->lit = value_strn(p->a, t->s, t->n);
			p->pos++;
		} else if (t->kind == TOK_VAR) {
			p->pos++;
			n = parse_node(p, S_PRINT);
			n->a = parse_tuple(p, true);
			if (!n->a)
				return NULL;
			if (parse_tok(p)->kind != TOK_VAREND)
				return parse_fail(p, "expected \"}}\" here");
			p->pos++;
			n = parse_deep(p, n);
		} else {
			p->pos++;
			for (const char *const *end = ends; end && *end; end++) {
				if (parse_is_name(p, *end))
					return parse_deep(p, body);
			}
			n = parse_tag(p);
		}
		if (!n)
			return NULL;
		parse_push(p, body, n);
	}
}

bool parse_template(struct parser *p)
{
	p->t->body = parse_body(p, NULL);
	return p->t->body != NULL;
}

/* Line ends are "\n" before anything else looks, and one final newline goes: the renderer puts it back. */
static size_t tmpl_clean(char *to, const char *text, size_t len, unsigned *newlines)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		to[n++] = text[i] == '\r' ? '\n' : text[i];
		if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
			i++;
	}
	for (*newlines = 0; *newlines < n && to[n - 1 - *newlines] == '\n'; ++*newlines)
		;
	return *newlines ? n - 1 : n;
}

bool tmpl_parse(struct tmpl **out, struct arena *a, const char *file, const char *text, size_t len, struct origin at,
		struct err *e)
{
	struct tmpl *t = arena_get(a, sizeof *t);
	struct parser p = { .a = a, .file = arena_str(a, file), .at = at, .e = e, .t = t };
	char *clean = arena_get(a, len + 1);
	size_t n;

	if (len > LIMIT_TEXT)
		return fail(e, E_INPUT, "template \"%s\" is larger than 16 MiB", file ? file : "");
	t->file = p.file;
	t->at = at;
	n = tmpl_clean(clean, text, len, &t->newlines);
	t->is_plain = !text_is_template(clean, n);
	if (!lex_text(&p.toks, a, p.file, at, clean, n, false, e) || !parse_template(&p))
		return false;
	*out = t;
	return true;
}

bool expr_parse(struct expr **out, struct arena *a, const char *file, const char *text, struct origin at, struct err *e)
{
	struct expr *x = arena_get(a, sizeof *x);
	struct parser p = { .a = a, .file = arena_str(a, file), .at = at, .e = e, .t = &x->t };

	x->t.file = p.file;
	x->t.at = at;
	if (!lex_text(&p.toks, a, p.file, at, text, strlen(text), true, e) || !(x->t.body = parse_tuple(&p, true)))
		return false;
	if (parse_tok(&p)->kind != TOK_END) {
		parse_fail(&p, "unexpected text after the expression");
		return false;
	}
	*out = x;
	return true;
}
