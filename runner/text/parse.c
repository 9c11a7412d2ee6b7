/*
 * The grammar of expressions, by recursive descent with Jinja2's precedence: filters and tests bind tightest, then signs, powers,
 * products, `~`, sums, comparisons, not, and, or, and the inline if. Statements are in parse_stmt.c.
 */
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

static const char *parse_found(const struct parser *p)
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
		return t->op < 256 ? arena_fmt(p->a, "\"%c\"", t->op) : arena_fmt(p->a, "\"%c%c\"", t->op >> 8, t->op & 255);
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
			struct node *x = call->nkws ? parse_fail(p, "an argument without a name follows one with a name") : parse_expr(p);

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
	const char *s = parse_tok(p)->s;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!strcmp(s, words[i].name))
			return parse_literal(p, words[i].kind == 3 ? value_null(p->a) : value_bool(p->a, words[i].kind == 1));
	}
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if (!strcmp(s, reserved[i]))
			return parse_fail(p, "expected an expression, found \"%s\"", s);
	}

	struct node *n = parse_node(p, X_NAME);

	n->name = s;
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

/* X_ATTR: a.name; a number after the dot is an index */
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
		p->pos++;
	} else {
		return parse_fail(p, "expected a name after \".\", found %s", parse_found(p));
	}
	return parse_deep(p, n);
}

/* X_CALL: a(kids, kws) */
static struct node *parse_call(struct parser *p, struct node *of)
{
	struct node *n = parse_node(p, X_CALL);

	n->a = of;
	n->line = of->line;
	n->col = of->col;
	p->pos++;
	if (!parse_args(p, n))
		return NULL;
	if (of->kind == X_ATTR) {
		n->row = row_method(of->name, NULL, true);
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

static const char *parse_dotted(struct parser *p)
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
static struct node *parse_filter(struct parser *p, struct node *in)
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

	while (n && (parse_is_op(p, '*') || parse_is_op(p, '/') || parse_is_op(p, '%') || parse_is_op(p, OP2('/', '/'))))
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

		if (t->kind == TOK_VAREND || t->kind == TOK_TAGEND || t->kind == TOK_END || parse_is_op(p, ')') || parse_is_name(p, "in"))
			break;
		n = parse_inner(p, with_cond);
		if (!n)
			return NULL;
		parse_push(p, all, n);
	}
	return parse_deep(p, all);
}
