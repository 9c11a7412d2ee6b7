/*
 * The grammar of operators, by recursive descent with Jinja2's precedence: filters and tests bind tightest, then signs,
 * powers, products, `~`, sums, comparisons, not, and, or, and the inline if.
 */
#include "text/tmpl_int.h"

#include <string.h>

static bool parse_starts_argument(const struct parser *p)
{
	static const char *const words[] = { "else", "or", "and", "is", "if", "in", "not", "for", "recursive" };
	const struct tok *t = parse_tok(p);

	if (t->kind == TOK_NAME) {
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			if (!strcmp(t->s, words[i]))
				return false;
		}
		return true;
	}
	return t->kind == TOK_STR || t->kind == TOK_INT || t->kind == TOK_FLOAT ||
	       (t->kind == TOK_OP && (t->op == '(' || t->op == '[' || t->op == '{'));
}

/* X_TEST: a is name(kids, kws) */
static struct node *parse_test(struct parser *p, struct node *of)
{
	struct node *n = parse_node(p, X_TEST);
	bool negated = parse_skip_name(p, "not");
	size_t at = p->pos;

	n->a = of;
	n->name = parse_dotted(p);
	if (!n->name)
		return NULL;
	n->row = row_test(n->name);
	if (!n->row) {
		p->pos = at;
		return parse_fail(p, "there is no test \"%s\"", n->name);
	}
	if (parse_skip_op(p, '(')) {
		if (!parse_args(p, n))
			return NULL;
	} else if (parse_starts_argument(p)) {
		struct node *x = parse_primary_postfix(p);

		if (!x)
			return NULL;
		parse_push(p, n, x);
	}
	if (parse_is_name(p, "is"))
		return parse_fail(p, "tests cannot be chained with \"is\"");
	if (!parse_deep(p, n) || !negated)
		return n->depth > LIMIT_TREE ? NULL : n;

	struct node *not = parse_node(p, X_NOT);

	not->a = n;
	return parse_deep(p, not);
}

static struct node *parse_after_unary(struct parser *p, struct node *n)
{
	for (;;) {
		if (!n)
			return NULL;
		if (parse_skip_op(p, '|'))
			n = parse_filter(p, n);
		else if (parse_skip_name(p, "is"))
			n = parse_test(p, n);
		else if (parse_is_op(p, '('))
			n = parse_call(p, n);
		else
			return n;
	}
}

static struct node *parse_unary(struct parser *p, bool with_filter)
{
	struct node *n;

	if (++p->nest > LIMIT_NEST)
		return parse_fail(p, "nested too deep");
	if (parse_is_op(p, '-') || parse_is_op(p, '+')) {
		n = parse_node(p, parse_is_op(p, '-') ? X_NEG : X_POS);
		p->pos++;
		n->a = parse_unary(p, false);
		n = n->a ? parse_deep(p, n) : NULL;
	} else {
		n = parse_primary_postfix(p);
	}
	if (with_filter)
		n = parse_after_unary(p, n);
	p->nest--;
	return n;
}

/* X_BIN: a op b, op as the token has it */
static struct node *parse_bin(struct parser *p, struct node *a, struct node *(*right)(struct parser *))
{
	struct node *n = parse_node(p, X_BIN);

	n->op = parse_tok(p)->op;
	p->pos++;
	n->a = a;
	n->b = right(p);
	return n->b ? parse_deep(p, n) : NULL;
}

static struct node *parse_operand(struct parser *p)
{
	return parse_unary(p, true);
}

static struct node *parse_power(struct parser *p)
{
	struct node *n = parse_operand(p);

	while (n && parse_is_op(p, OP2('*', '*')))
		n = parse_bin(p, n, parse_operand);
	return n;
}

static struct node *parse_product(struct parser *p)
{
	struct node *n = parse_power(p);

	while (n &&
	       (parse_is_op(p, '*') || parse_is_op(p, '/') || parse_is_op(p, '%') || parse_is_op(p, OP2('/', '/'))))
		n = parse_bin(p, n, parse_power);
	return n;
}

/* X_CONCAT: kids joined as text */
static struct node *parse_concat(struct parser *p)
{
	struct node *n = parse_product(p), *all;

	if (!n || !parse_is_op(p, '~'))
		return n;
	all = parse_node(p, X_CONCAT);
	parse_push(p, all, n);
	while (parse_skip_op(p, '~')) {
		n = parse_product(p);
		if (!n)
			return NULL;
		parse_push(p, all, n);
	}
	return parse_deep(p, all);
}

static struct node *parse_sum(struct parser *p)
{
	struct node *n = parse_concat(p);

	while (n && (parse_is_op(p, '+') || parse_is_op(p, '-')))
		n = parse_bin(p, n, parse_concat);
	return n;
}

static int parse_cmp_op(struct parser *p)
{
	static const struct { int op, cmp; } ops[] = {
		{ OP2('=', '='), CMP_EQ }, { OP2('!', '='), CMP_NE }, { '<', CMP_LT }, { OP2('<', '='), CMP_LE },
		{ '>', CMP_GT }, { OP2('>', '='), CMP_GE },
	};

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (parse_skip_op(p, ops[i].op))
			return ops[i].cmp;
	}
	if (parse_skip_name(p, "in"))
		return CMP_IN;
	if (parse_is_name(p, "not") && parse_tok(p)[1].kind == TOK_NAME && !strcmp(parse_tok(p)[1].s, "in")) {
		p->pos += 2;
		return CMP_NOTIN;
	}
	return 0;
}

/* X_CMP: a, then kids; kid i is compared by the operator in lit's list */
static struct node *parse_compare(struct parser *p)
{
	struct node *n = parse_sum(p), *all = NULL;
	int op;

	while (n && (op = parse_cmp_op(p))) {
		if (!all) {
			all = parse_node(p, X_CMP);
			all->a = n;
			all->lit = value_list(p->a);
		}

		struct node *x = parse_sum(p);

		if (!x)
			return NULL;
		value_push(p->a, all->lit, value_int(p->a, op));
		parse_push(p, all, x);
	}
	return all ? parse_deep(p, all) : n;
}

static struct node *parse_not(struct parser *p)
{
	struct node *n;

	if (!parse_is_name(p, "not"))
		return parse_compare(p);
	if (++p->nest > LIMIT_NEST)
		return parse_fail(p, "nested too deep");
	n = parse_node(p, X_NOT);
	p->pos++;
	n->a = parse_not(p);
	p->nest--;
	return n->a ? parse_deep(p, n) : NULL;
}

/* X_AND, X_OR: kids */
static struct node *parse_and(struct parser *p)
{
	struct node *n = parse_not(p), *all;

	if (!n || !parse_is_name(p, "and"))
		return n;
	all = parse_node(p, X_AND);
	parse_push(p, all, n);
	while (parse_skip_name(p, "and")) {
		n = parse_not(p);
		if (!n)
			return NULL;
		parse_push(p, all, n);
	}
	return parse_deep(p, all);
}

static struct node *parse_or(struct parser *p)
{
	struct node *n = parse_and(p), *all;

	if (!n || !parse_is_name(p, "or"))
		return n;
	all = parse_node(p, X_OR);
	parse_push(p, all, n);
	while (parse_skip_name(p, "or")) {
		n = parse_and(p);
		if (!n)
			return NULL;
		parse_push(p, all, n);
	}
	return parse_deep(p, all);
}

/* X_COND: b when a, else c (NULL: nothing) */
static struct node *parse_inner(struct parser *p, bool with_cond)
{
	struct node *n;

	if (++p->nest > LIMIT_NEST)
		return parse_fail(p, "nested too deep");
	n = parse_or(p);
	while (n && with_cond && parse_is_name(p, "if")) {
		struct node *x = parse_node(p, X_COND);

		p->pos++;
		x->b = n;
		x->a = parse_or(p);
		if (!x->a)
			return NULL;
		if (parse_skip_name(p, "else") && !(x->c = parse_inner(p, true)))
			return NULL;
		n = parse_deep(p, x);
	}
	p->nest--;
	return n;
}

struct node *parse_expr(struct parser *p)
{
	return parse_inner(p, true);
}

struct node *parse_tuple(struct parser *p, bool with_cond)
{
	struct node *n = parse_inner(p, with_cond), *all;

	if (!n || !parse_is_op(p, ','))
		return n;
	all = parse_node(p, X_TUPLE);
	parse_push(p, all, n);
	while (parse_skip_op(p, ',')) {
		const struct tok *t = parse_tok(p);

		if (t->kind == TOK_VAREND || t->kind == TOK_TAGEND || t->kind == TOK_END || parse_is_op(p, ')') ||
		    parse_is_name(p, "in"))
			break;
		n = parse_inner(p, with_cond);
		if (!n)
			return NULL;
		parse_push(p, all, n);
	}
	return parse_deep(p, all);
}
