/*
 * The grammar of operands: literals, names, brackets, members, calls and filters; and the helpers that the other files
 * of the parser use. Operators are in parse_op.c, statements in parse_stmt.c.
 */
#include "base/map.h"
#include "text/tmpl_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct tok *parse_tok(const struct parser *p)
{
	return &p->toks.items[p->pos];
}

bool parse_is_op(const struct parser *p, int op)
{
	return parse_tok(p)->kind == TOK_OP && parse_tok(p)->op == op;
}

bool parse_is_name(const struct parser *p, const char *name)
{
	return parse_tok(p)->kind == TOK_NAME && !strcmp(parse_tok(p)->s, name);
}

bool parse_skip_op(struct parser *p, int op)
{
	if (!parse_is_op(p, op))
		return false;
	p->pos++;
	return true;
}

bool parse_skip_name(struct parser *p, const char *name)
{
	if (!parse_is_name(p, name))
		return false;
	p->pos++;
	return true;
}

struct node *parse_fail(struct parser *p, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail(p->e, E_INPUT, "%s", text);
	err_at_text(p->e, p->file, p->at, parse_tok(p)->line, parse_tok(p)->col);
	return NULL;
}

const char *parse_found(const struct parser *p)
{
	const struct tok *t = parse_tok(p);

	switch (t->kind) {
	case TOK_END:
		return "the end of the text";
	case TOK_VAREND:
		return "\"}}\"";
	case TOK_TAGEND:
		return "\"%}\"";
	case TOK_NAME:
		return arena_fmt(p->a, "\"%.60s\"", t->s);
	case TOK_STR:
		return "a string";
	case TOK_INT:
	case TOK_FLOAT:
		return "a number";
	case TOK_OP:
		return t->op < 256 ? arena_fmt(p->a, "\"%c\"", t->op)
				   : arena_fmt(p->a, "\"%c%c\"", t->op >> 8, t->op & 255);
	default:
		return "text";
	}
}

bool parse_want_op(struct parser *p, int op)
{
	if (parse_skip_op(p, op))
		return true;
	parse_fail(p, "expected \"%c\", found %s", op, parse_found(p));
	return false;
}

struct node *parse_node(struct parser *p, enum node_kind kind)
{
	struct node *n = arena_get(p->a, sizeof *n);

	n->kind = (uint8_t)kind;
	n->line = parse_tok(p)->line;
	n->col = parse_tok(p)->col;
	return n;
}

struct node *parse_name_node(struct parser *p, const char *name)
{
	struct node *n = parse_node(p, X_NAME);

	n->name = name;
	n->op = (int)hash_str(name);
	n->row = row_global(name);
	return n;
}

void parse_push(struct parser *p, struct node *n, struct node *kid)
{
	if (!(n->n & (n->n - 1))) { /* full at each power of two */
		struct node **kids = arena_new_of(p->a, struct node *, n->n ? n->n * 2 : 1);

		if (n->n)
			memcpy(kids, n->kids, n->n * sizeof *kids);
		n->kids = kids;
	}
	n->kids[n->n++] = kid;
}

static void node_under(struct node *n, const struct node *kid)
{
	if (kid && kid->depth >= n->depth)
		n->depth = (uint16_t)(kid->depth + 1);
}

struct node *parse_deep(struct parser *p, struct node *n)
{
	node_under(n, n->a);
	node_under(n, n->b);
	node_under(n, n->c);
	for (uint32_t i = 0; i < n->n; i++)
		node_under(n, n->kids[i]);
	for (uint32_t i = 0; i < n->nkws; i++)
		node_under(n, n->kws[i].x);
	return n->depth > LIMIT_TREE ? parse_fail(p, "nested too deep") : n;
}

bool parse_args(struct parser *p, struct node *call)
{
	while (!parse_skip_op(p, ')')) {
		if ((call->n || call->nkws) && !parse_want_op(p, ','))
			return false;
		if (parse_skip_op(p, ')'))
			break;
		if (parse_is_op(p, '*') || parse_is_op(p, OP2('*', '*')))
			return parse_fail(p, "unpacking arguments with \"*\" is not supported");

		const struct tok *t = parse_tok(p), *next = t + 1;

		if (t->kind == TOK_NAME && next->kind == TOK_OP && next->op == '=') {
			struct kwarg *kws = arena_new_of(p->a, struct kwarg, call->nkws + 1);

			if (call->nkws)
				memcpy(kws, call->kws, call->nkws * sizeof *kws);
			p->pos += 2;
			kws[call->nkws] = (struct kwarg){ .name = t->s, .x = parse_expr(p) };
			if (!kws[call->nkws].x)
				return false;
			call->kws = kws;
			if (++call->nkws > 64)
				return parse_fail(p, "more than 64 keyword arguments");
		} else {
			struct node *x = call->nkws
						 ? parse_fail(p, "an argument without a name follows one with a name")
						 : parse_expr(p);

			if (!x)
				return false;
			parse_push(p, call, x);
		}
	}
	return true;
}

static struct node *parse_list(struct parser *p)
{
	struct node *n = parse_node(p, X_LIST);

	p->pos++;
	while (!parse_skip_op(p, ']')) {
		if (n->n && !parse_want_op(p, ','))
			return NULL;
		if (parse_skip_op(p, ']'))
			break;

		struct node *x = parse_expr(p);

		if (!x)
			return NULL;
		parse_push(p, n, x);
	}
	return parse_deep(p, n);
}

/* X_DICT: kids are key, value, key, value */
static struct node *parse_dict(struct parser *p)
{
	struct node *n = parse_node(p, X_DICT);

	p->pos++;
	while (!parse_skip_op(p, '}')) {
		if (n->n && !parse_want_op(p, ','))
			return NULL;
		if (parse_skip_op(p, '}'))
			break;

		struct node *key = parse_expr(p);

		if (!key || !parse_want_op(p, ':'))
			return NULL;
		parse_push(p, n, key);

		struct node *x = parse_expr(p);

		if (!x)
			return NULL;
		parse_push(p, n, x);
	}
	return parse_deep(p, n);
}

static struct node *parse_literal(struct parser *p, struct value *v)
{
	struct node *n = parse_node(p, X_LIT);

	n->lit = v;
	p->pos++;
	return n;
}

static struct node *parse_name(struct parser *p)
{
	static const struct { const char *name; int kind; } words[] = {
		{ "true", 1 }, { "True", 1 }, { "false", 2 }, { "False", 2 }, { "none", 3 }, { "None", 3 },
	};
	static const char *const reserved[] = { "if", "else", "elif", "and", "or", "not", "in", "is", "for" };
	static const char *const given[] = { "varargs", "kwargs", "caller" }; /* in the order of MACRO_... */
	const char *s = parse_tok(p)->s;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!strcmp(s, words[i].name))
			return parse_literal(p, words[i].kind == 3 ? value_null(p->a)
								   : value_bool(p->a, words[i].kind == 1));
	}
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if (!strcmp(s, reserved[i]))
			return parse_fail(p, "expected an expression, found \"%s\"", s);
	}

	struct node *n = parse_name_node(p, s);

	for (unsigned i = 0; i < 3; i++)
		p->macro_uses |= !strcmp(s, given[i]) ? 1u << i : 0;
	p->pos++;
	return n;
}

static struct node *parse_string(struct parser *p)
{
	struct node *n = parse_node(p, X_LIT);
	struct buf b = BUF(p->a);

	while (parse_tok(p)->kind == TOK_STR) { /* neighbours are one string */
		buf_add(&b, parse_tok(p)->s, parse_tok(p)->n);
		p->pos++;
	}
	n->lit = value_strn(p->a, buf_text(&b), b.len);
	return n;
}

static struct node *parse_primary(struct parser *p)
{
	const struct tok *t = parse_tok(p);

	switch (t->kind) {
	case TOK_NAME:
		return parse_name(p);
	case TOK_STR:
		return parse_string(p);
	case TOK_INT:
		return parse_literal(p, value_int(p->a, t->i));
	case TOK_FLOAT:
		return parse_literal(p, value_float(p->a, t->f));
	case TOK_OP:
		if (t->op == '[')
			return parse_list(p);
		if (t->op == '{')
			return parse_dict(p);
		if (t->op == '(') {
			struct node *n;

			p->pos++;
			if (parse_skip_op(p, ')'))
				return parse_node(p, X_TUPLE);
			n = parse_tuple(p, true);
			return n && parse_want_op(p, ')') ? n : NULL;
		}
		break;
	default:
		break;
	}
	return parse_fail(p, "expected an expression, found %s", parse_found(p));
}

/* X_SLICE: a[kids[0]:kids[1]:kids[2]], each possibly NULL. X_INDEX: a[b]. */
static struct node *parse_brackets(struct parser *p, struct node *of)
{
	struct node *n = parse_node(p, X_INDEX), *part[3] = { NULL, NULL, NULL };
	unsigned at = 0;

	p->pos++;
	while (!parse_is_op(p, ']')) {
		if (parse_skip_op(p, ':')) {
			n->kind = X_SLICE;
			if (++at > 2)
				return parse_fail(p, "a slice has at most three parts");
		} else if (part[at]) {
			return parse_fail(p, "expected \"]\", found %s", parse_found(p));
		} else if (!(part[at] = parse_expr(p))) {
			return NULL;
		}
	}
	if (n->kind == X_INDEX && !part[0])
		return parse_fail(p, "expected an expression, found \"]\"");
	p->pos++;
	n->a = of;
	n->b = part[0];
	if (n->kind == X_SLICE) {
		n->b = NULL;
		n->kids = arena_new_of(p->a, struct node *, 3);
		memcpy(n->kids, part, sizeof part);
		n->n = 3;
	}
	return parse_deep(p, n);
}

/* X_ATTR: a.name, op its number among the members of loops; a number after the dot is an index */
static struct node *parse_dot(struct parser *p, struct node *of)
{
	struct node *n = parse_node(p, X_ATTR);

	p->pos++;
	n->a = of;
	if (parse_tok(p)->kind == TOK_INT) {
		n->kind = X_INDEX;
		n->b = parse_literal(p, value_int(p->a, parse_tok(p)->i));
	} else if (parse_tok(p)->kind == TOK_NAME) {
		n->name = parse_tok(p)->s;
		n->op = ctx_loop_member(n->name);
		p->pos++;
	} else {
		return parse_fail(p, "expected a name after \".\", found %s", parse_found(p));
	}
	return parse_deep(p, n);
}

/* X_CALL: a(kids, kws) */
struct node *parse_call(struct parser *p, struct node *of)
{
	struct node *n = parse_node(p, X_CALL);

	n->a = of;
	n->line = of->line;
	n->col = of->col;
	p->pos++;
	if (!parse_args(p, n))
		return NULL;
	if (of->kind == X_ATTR) {
		n->row = row_method(of->name);
		if (n->row && n->row->flags & ROW_CHANGES)
			p->t->owns = true;
	}
	return parse_deep(p, n);
}

static struct node *parse_postfix(struct parser *p, struct node *n)
{
	while (n && parse_tok(p)->kind == TOK_OP) {
		int op = parse_tok(p)->op;

		if (op == '.')
			n = parse_dot(p, n);
		else if (op == '[')
			n = parse_brackets(p, n);
		else if (op == '(')
			n = parse_call(p, n);
		else
			break;
	}
	return n;
}

struct node *parse_primary_postfix(struct parser *p)
{
	struct node *n = parse_primary(p);

	return n ? parse_postfix(p, n) : NULL;
}

const char *parse_dotted(struct parser *p)
{
	const char *name = parse_tok(p)->s;

	if (parse_tok(p)->kind != TOK_NAME) {
		parse_fail(p, "expected a name, found %s", parse_found(p));
		return NULL;
	}
	p->pos++;
	while (parse_is_op(p, '.') && parse_tok(p)[1].kind == TOK_NAME) {
		name = arena_fmt(p->a, "%s.%s", name, parse_tok(p)[1].s);
		p->pos += 2;
	}
	/* "ansible.builtin.to_json" is to_json */
	if (!strncmp(name, "ansible.builtin.", 16))
		name += 16;
	return name;
}

/* X_FILTER: a | name(kids, kws) */
struct node *parse_filter(struct parser *p, struct node *in)
{
	struct node *n = parse_node(p, X_FILTER);
	size_t at = p->pos;

	n->a = in;
	n->name = parse_dotted(p);
	if (!n->name)
		return NULL;
	n->row = row_filter(n->name);
	if (!n->row) {
		p->pos = at;
		return parse_fail(p, "there is no filter \"%s\"", n->name);
	}
	if (parse_skip_op(p, '(') && !parse_args(p, n))
		return NULL;
	return parse_deep(p, n);
}

struct node *parse_filters(struct parser *p, struct node *in)
{
	do
		in = parse_filter(p, in);
	while (in && parse_skip_op(p, '|'));
	return in;
}
