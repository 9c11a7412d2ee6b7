/* JMESPath: from text to tree, by operator precedence. Projections reach as far right as nothing ends them. */
#include "text/jmes.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum jtok {
	T_END = 1, T_NAME, T_QUOTED, T_LITERAL, T_NUMBER, T_DOT, T_STAR, T_LBRACKET, T_RBRACKET, T_FLATTEN, T_FILTER,
	T_LBRACE, T_RBRACE, T_LPAREN, T_RPAREN, T_COMMA, T_COLON, T_PIPE, T_OR, T_AND, T_NOT, T_AMP, T_AT, T_CMP,
};

/* How tightly each token binds to what stands before it; what binds less than PROJECT_END ends a projection. */
static const uint8_t powers[] = {
	[T_PIPE] = 1,	   [T_OR] = 2,	    [T_AND] = 3,     [T_CMP] = 5,  [T_FLATTEN] = 9,
	[T_STAR] = 20,	   [T_FILTER] = 21, [T_DOT] = 40,    [T_NOT] = 45, [T_LBRACE] = 50,
	[T_LBRACKET] = 55, [T_LPAREN] = 60, [T_CMP + 1] = 0,
};
enum { PROJECT_END = 10, NEST = 500 };

struct jparser {
	struct arena *a;
	const char *s, *at;    /* the text, and where the next token begins */
	const char *tok_at;    /* where the present one does */
	enum jtok tok;
	const char *text;      /* names */
	struct value *lit;
	int64_t number;
	int op;
	unsigned nest;
	struct err *e;
	bool failed;
};

static void *jp_fail(struct jparser *p, const char *fmt, ...) ARENA_PRINTF(2);
static void *jp_fail(struct jparser *p, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (p->failed)
		return NULL;
	p->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail(p->e, E_INPUT, "JMESPath \"%.120s\", character %zu: %s", p->s, (size_t)(p->tok_at - p->s) + 1, text);
	return NULL;
}

/* The text up to the closing quote, with a backslash before it taken off; at stands after the opening one. */
static const char *jp_quoted(struct jparser *p, char quote, bool drop_backslash, size_t *n)
{
	struct buf b = BUF(p->a);

	while (*p->at && *p->at != quote) {
		if (*p->at == '\\' && p->at[1]) {
			if (!(drop_backslash && p->at[1] == quote))
				buf_ch(&b, '\\');
			p->at++;
		}
		buf_ch(&b, *p->at++);
	}
	if (!*p->at)
		return jp_fail(p, "a closing %c is missing", quote);
	p->at++;
	*n = b.len;
	return buf_text(&b);
}

/* `json`, or a bare word in backticks, which is a string */
static void jp_literal(struct jparser *p)
{
	struct err e = { 0 };
	size_t n, skip = 0;
	const char *text = jp_quoted(p, '`', true, &n), *quoted;

	if (!text)
		return;
	p->tok = T_LITERAL;
	while (skip < n && isspace((unsigned char)text[skip]))
		skip++;
	if (value_from_json(&p->lit, p->a, NULL, text + skip, n - skip, &e))
		return;
	quoted = arena_fmt(p->a, "\"%s\"", text + skip);
	if (n == skip || strchr("\"[{", text[skip]) ||
	    !value_from_json(&p->lit, p->a, NULL, quoted, strlen(quoted), &e))
		jp_fail(p, "the literal is no JSON");
}

static void jp_name(struct jparser *p)
{
	const char *from = p->at;

	while (isalnum((unsigned char)*p->at) || *p->at == '_')
		p->at++;
	p->tok = T_NAME;
	p->text = arena_strn(p->a, from, (size_t)(p->at - from));
}

static void jp_quoted_name(struct jparser *p)
{
	struct err e = { 0 };
	struct value *v;
	size_t n;
	const char *text;

	p->at++;
	text = jp_quoted(p, '"', false, &n);
	p->tok = T_QUOTED;
	if (!text)
		return;
	text = arena_fmt(p->a, "\"%s\"", text);
	if (!value_from_json(&v, p->a, NULL, text, strlen(text), &e) || v->type != V_STR)
		jp_fail(p, "the quoted name is no JSON string");
	else
		p->text = v->u.str.s;
}

static void jp_number(struct jparser *p)
{
	char *end;

	errno = 0;
	p->tok = T_NUMBER;
	p->number = strtoll(p->at, &end, 10);
	if (errno || end == p->at || (*p->at == '-' && !isdigit((unsigned char)p->at[1])))
		jp_fail(p, "malformed number");
	p->at = end;
}

static void jp_raw_string(struct jparser *p)
{
	size_t n;
	const char *text;

	p->at++;
	text = jp_quoted(p, '\'', true, &n);
	p->tok = T_LITERAL;
	if (text)
		p->lit = value_strn(p->a, text, n);
}

static void jp_operator(struct jparser *p)
{
	static const struct { const char *s; enum jtok tok; int op;
	} ops[] = {
		{"[?", T_FILTER, 0},   {"[]", T_FLATTEN, 0},  {"||", T_OR, 0},	     {"&&", T_AND, 0},
		{"==", T_CMP, CMP_EQ}, {"!=", T_CMP, CMP_NE}, {"<=", T_CMP, CMP_LE}, {">=", T_CMP, CMP_GE},
		{"<", T_CMP, CMP_LT},  {">", T_CMP, CMP_GT},  {".", T_DOT, 0},	     {"*", T_STAR, 0},
		{"[", T_LBRACKET, 0},  {"]", T_RBRACKET, 0},  {"{", T_LBRACE, 0},    {"}", T_RBRACE, 0},
		{"(", T_LPAREN, 0},    {")", T_RPAREN, 0},    {",", T_COMMA, 0},     {":", T_COLON, 0},
		{"|", T_PIPE, 0},      {"!", T_NOT, 0},	      {"&", T_AMP, 0},	     {"@", T_AT, 0},
	};

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		size_t n = strlen(ops[i].s);

		if (!strncmp(p->at, ops[i].s, n)) {
			p->tok = ops[i].tok;
			p->op = ops[i].op;
			p->at += n;
			return;
		}
	}
	jp_fail(p, "unexpected character \"%c\"", *p->at);
}

static void jp_next(struct jparser *p)
{
	while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
		p->at++;
	p->tok_at = p->at;
	if (!*p->at)
		p->tok = T_END;
	else if (isalpha((unsigned char)*p->at) || *p->at == '_')
		jp_name(p);
	else if (isdigit((unsigned char)*p->at) || *p->at == '-')
		jp_number(p);
	else if (*p->at == '"')
		jp_quoted_name(p);
	else if (*p->at == '\'')
		jp_raw_string(p);
	else if (*p->at == '`') {
		p->at++;
		jp_literal(p);
	} else {
		jp_operator(p);
	}
	if (p->failed)
		p->tok = T_END;
}

static struct jmes_node *jp_node(struct jparser *p, enum jmes_kind kind, struct jmes_node *a, struct jmes_node *b)
{
	struct jmes_node *n = arena_get(p->a, sizeof *n);

	n->kind = (uint8_t)kind;
	n->a = a;
	n->b = b;
	n->depth = (uint16_t)((a && b && b->depth > a->depth ? b->depth : a ? a->depth : b ? b->depth : 0) + 1);
	return n->depth > LIMIT_TREE ? jp_fail(p, "nested too deep") : n;
}

static struct jmes_node *jp_identity(struct jparser *p)
{
	return jp_node(p, J_IDENTITY, NULL, NULL);
}

static bool jp_want(struct jparser *p, enum jtok tok, const char *what)
{
	if (p->failed)
		return false;
	if (p->tok != tok)
		return jp_fail(p, "expected %s", what);
	jp_next(p);
	return !p->failed;
}

static void jp_push(struct jparser *p, struct jmes_node *n, const char *key, struct jmes_node *kid)
{
	if (!(n->n & (n->n - 1))) { /* full at each power of two */
		uint32_t cap = n->n ? n->n * 2 : 1;
		struct jmes_node **kids = arena_new_of(p->a, struct jmes_node *, cap);
		const char **keys = arena_new_of(p->a, const char *, cap);

		if (n->n) {
			memcpy(kids, n->kids, n->n * sizeof *kids);
			memcpy(keys, n->keys, n->n * sizeof *keys);
		}
		n->kids = kids;
		n->keys = keys;
	}
	n->keys[n->n] = key;
	n->kids[n->n++] = kid;
	if (kid->depth >= n->depth)
		n->depth = (uint16_t)(kid->depth + 1);
	if (n->depth > LIMIT_TREE)
		jp_fail(p, "nested too deep");
}

static struct jmes_node *jp_expr(struct jparser *p, unsigned power);

static struct jmes_node *jp_list(struct jparser *p)
{
	struct jmes_node *n = jp_node(p, J_LIST, NULL, NULL);

	for (;;) {
		struct jmes_node *x = jp_expr(p, 0);

		if (!x || !n)
			return NULL;
		jp_push(p, n, NULL, x);
		if (p->tok != T_COMMA)
			return jp_want(p, T_RBRACKET, "\",\" or \"]\"") ? n : NULL;
		jp_next(p);
	}
}

static struct jmes_node *jp_hash(struct jparser *p)
{
	struct jmes_node *n = jp_node(p, J_HASH, NULL, NULL), *x;

	for (;;) {
		const char *key = p->text;

		if (p->tok != T_NAME && p->tok != T_QUOTED)
			return jp_fail(p, "expected a key");
		jp_next(p);
		if (!jp_want(p, T_COLON, "\":\"") || !(x = jp_expr(p, 0)) || !n)
			return NULL;
		jp_push(p, n, key, x);
		if (p->tok != T_COMMA)
			return jp_want(p, T_RBRACE, "\",\" or \"}\"") ? n : NULL;
		jp_next(p);
	}
}

static struct jmes_node *jp_after_dot(struct jparser *p, unsigned power)
{
	switch (p->tok) {
	case T_NAME:
	case T_QUOTED:
	case T_STAR:
		return jp_expr(p, power);
	case T_LBRACKET:
		jp_next(p);
		return jp_list(p);
	case T_LBRACE:
		jp_next(p);
		return jp_hash(p);
	default:
		return jp_fail(p, "expected a name, \"*\", \"[\" or \"{\" after \".\"");
	}
}

/* What a projection applies to each item. */
static struct jmes_node *jp_projected(struct jparser *p, unsigned power)
{
	if (p->failed)
		return NULL;
	if (powers[p->tok] < PROJECT_END)
		return jp_identity(p);
	if (p->tok == T_LBRACKET || p->tok == T_FILTER)
		return jp_expr(p, power);
	if (p->tok == T_DOT) {
		jp_next(p);
		return jp_after_dot(p, power);
	}
	return jp_fail(p, "unexpected text after a projection");
}

static struct jmes_node *jp_project(struct jparser *p, enum jmes_kind kind, struct jmes_node *left, unsigned power)
{
	struct jmes_node *right = left ? jp_projected(p, power) : NULL;

	return right ? jp_node(p, kind, left, right) : NULL;
}

/* After "[": a number, or a slice, which projects */
static struct jmes_node *jp_index(struct jparser *p, struct jmes_node *left)
{
	struct jmes_node *n = jp_node(p, J_INDEX, left, NULL);
	unsigned at = 0;

	while (n && (p->tok == T_NUMBER || p->tok == T_COLON)) {
		if (p->tok == T_COLON) {
			n->kind = J_SLICE;
			if (++at > 2)
				return jp_fail(p, "a slice has at most three parts");
		} else {
			if (n->given[at])
				return jp_fail(p, "expected \"]\"");
			n->part[at] = p->number;
			n->given[at] = true;
		}
		jp_next(p);
	}
	if (!n || !jp_want(p, T_RBRACKET, "\"]\""))
		return NULL;
	return n->kind == J_SLICE ? jp_project(p, J_PROJECT, n, powers[T_STAR]) : n;
}

static struct jmes_node *jp_filter(struct jparser *p, struct jmes_node *left)
{
	struct jmes_node *cond = jp_expr(p, 0), *right, *n;

	if (!cond || !jp_want(p, T_RBRACKET, "\"]\""))
		return NULL;
	right = p->tok == T_FLATTEN ? jp_identity(p) : jp_projected(p, powers[T_FILTER]);
	n = right ? jp_node(p, J_FILTER, left, right) : NULL;
	if (!n)
		return NULL;
	n->c = cond;
	if (cond->depth >= n->depth)
		n->depth = (uint16_t)(cond->depth + 1);
	return n;
}

static struct jmes_node *jp_call(struct jparser *p, struct jmes_node *left)
{
	struct jmes_node *n = jp_node(p, J_CALL, NULL, NULL);

	if (left->kind != J_FIELD || left->op == T_QUOTED || !n)
		return jp_fail(p, "only a function can be called");
	n->name = left->name;
	if (p->tok == T_RPAREN) {
		jp_next(p);
		return n;
	}
	for (;;) {
		struct jmes_node *x = jp_expr(p, 0);

		if (!x)
			return NULL;
		jp_push(p, n, NULL, x);
		if (p->tok != T_COMMA)
			return jp_want(p, T_RPAREN, "\",\" or \")\"") ? n : NULL;
		jp_next(p);
	}
}

static struct jmes_node *jp_bracket_first(struct jparser *p)
{
	if (p->tok == T_NUMBER || p->tok == T_COLON)
		return jp_index(p, jp_identity(p));
	if (p->tok == T_STAR) {
		const struct jparser was = *p;

		jp_next(p);
		if (p->tok == T_RBRACKET) {
			jp_next(p);
			return jp_project(p, J_PROJECT, jp_identity(p), powers[T_STAR]);
		}
		*p = was;
	}
	return jp_list(p);
}

/* What may begin an expression; its token is already passed. */
static struct jmes_node *jp_first(struct jparser *p, enum jtok tok, const char *name, struct value *lit)
{
	struct jmes_node *n;

	switch (tok) {
	case T_LITERAL:
		n = jp_node(p, J_LITERAL, NULL, NULL);
		n->lit = lit;
		return n;
	case T_NAME:
	case T_QUOTED:
		n = jp_node(p, J_FIELD, NULL, NULL);
		n->name = name;
		n->op = (int)tok;
		return n;
	case T_AT:
		return jp_identity(p);
	case T_AMP:
		n = jp_expr(p, 0);
		return n ? jp_node(p, J_REF, n, NULL) : NULL;
	case T_STAR:
		return p->tok == T_RBRACKET ? jp_node(p, J_VALUES, jp_identity(p), jp_identity(p))
					    : jp_project(p, J_VALUES, jp_identity(p), powers[T_STAR]);
	case T_FILTER:
		return jp_filter(p, jp_identity(p));
	case T_LBRACE:
		return jp_hash(p);
	case T_LPAREN:
		n = jp_expr(p, 0);
		return n && jp_want(p, T_RPAREN, "\")\"") ? n : NULL;
	case T_FLATTEN:
		return jp_project(p, J_PROJECT, jp_node(p, J_FLATTEN, jp_identity(p), NULL), powers[T_FLATTEN]);
	case T_NOT:
		n = jp_expr(p, powers[T_NOT]);
		return n ? jp_node(p, J_NOT, n, NULL) : NULL;
	case T_LBRACKET:
		return jp_bracket_first(p);
	default:
		return jp_fail(p, "an expression is missing");
	}
}

static struct jmes_node *jp_two(struct jparser *p, enum jmes_kind kind, struct jmes_node *left, unsigned power)
{
	struct jmes_node *right = jp_expr(p, power);

	return right ? jp_node(p, kind, left, right) : NULL;
}

/* What may follow one; its token is already passed. */
static struct jmes_node *jp_then(struct jparser *p, enum jtok tok, int op, struct jmes_node *left)
{
	struct jmes_node *n;

	switch (tok) {
	case T_DOT:
		if (p->tok == T_STAR) {
			jp_next(p);
			return jp_project(p, J_VALUES, left, powers[T_STAR]);
		}
		n = jp_after_dot(p, powers[T_DOT]);
		return n ? jp_node(p, J_SUB, left, n) : NULL;
	case T_PIPE:
		return jp_two(p, J_PIPE, left, powers[T_PIPE]);
	case T_OR:
		return jp_two(p, J_OR, left, powers[T_OR]);
	case T_AND:
		return jp_two(p, J_AND, left, powers[T_AND]);
	case T_CMP:
		n = jp_two(p, J_CMP, left, powers[T_CMP]);
		if (n)
			n->op = op;
		return n;
	case T_LPAREN:
		return jp_call(p, left);
	case T_FILTER:
		return jp_filter(p, left);
	case T_FLATTEN:
		n = jp_node(p, J_FLATTEN, left, NULL);
		return n ? jp_project(p, J_PROJECT, n, powers[T_FLATTEN]) : NULL;
	case T_LBRACKET:
		if (p->tok == T_NUMBER || p->tok == T_COLON)
			return jp_index(p, left);
		if (!jp_want(p, T_STAR, "a number, \":\" or \"*\"") || !jp_want(p, T_RBRACKET, "\"]\""))
			return NULL;
		return jp_project(p, J_PROJECT, left, powers[T_STAR]);
	default:
		return jp_fail(p, "unexpected text");
	}
}

static struct jmes_node *jp_expr(struct jparser *p, unsigned power)
{
	enum jtok tok = p->tok;
	const char *name = p->text;
	struct value *lit = p->lit;
	struct jmes_node *left;

	if (++p->nest > NEST)
		return jp_fail(p, "nested too deep");
	if (tok == T_END)
		return jp_fail(p, "the expression is incomplete");
	jp_next(p);
	left = p->failed ? NULL : jp_first(p, tok, name, lit);
	while (left && !p->failed && power < powers[p->tok]) {
		int op = p->op;

		tok = p->tok;
		jp_next(p);
		left = p->failed ? NULL : jp_then(p, tok, op, left);
	}
	p->nest--;
	return p->failed ? NULL : left;
}

struct jmes_node *jmes_parse(struct arena *a, const char *expr, struct err *e)
{
	struct jparser p = { .a = a, .s = expr, .at = expr, .tok_at = expr, .e = e };
	struct jmes_node *n;

	if (strlen(expr) > 1 << 20)
		return jp_fail(&p, "it is longer than 1 MiB");
	jp_next(&p);
	n = p.failed ? NULL : jp_expr(&p, 0);
	if (n && p.tok != T_END)
		return jp_fail(&p, "unexpected text");
	return n;
}
