/*
 * What the files of the template engine share: the tree, the state of one render, the rows of filters, tests, methods
 * and globals, and the small helpers those are written with. Nothing outside runner/text includes this.
 */
#ifndef TEXT_TMPL_INT_H
#define TEXT_TMPL_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "text/tmpl.h"
#include "value/value.h"

enum {
	/* Nodes evaluated in one render; what takes longer than a node counts for as many as it takes the time of: a step is
	 * at most about a microsecond. */
	LIMIT_STEPS = 10000000,
	LIMIT_CALLS = 100,      /* macros, includes and parents inside one another */
	LIMIT_NEST = 100,       /* brackets or statements inside one another in the source */
	LIMIT_TREE = 1000,      /* depth of the tree: long chains lean to the left */
	LIMIT_NODES = 2000000,  /* values one deep walk may visit */
};
#define LIMIT_TEXT ((size_t)16 << 20) /* bytes of output, and of any one string */
#define LIMIT_BYTES ((size_t)256 << 20) /* of memory that one render takes, as nothing is given back before its end */

/* Types a template has besides the data's. Each is the head of a larger struct. */
enum { V_LOOP = 16, V_FUNC, V_NS };
/* Flags of ours: of lists, a tuple, for type_debug and `%`. */
enum { V_TUPLE = 128, V_SOFT = 64 /* of V_UNDEF: the missing else of an inline if, prints as nothing */ };

/* ---- tokens (lex.c) ---- */
enum tok_kind {
	TOK_END = 1, TOK_DATA, TOK_VAR, TOK_VAREND, TOK_TAG, TOK_TAGEND, TOK_NAME, TOK_STR, TOK_INT, TOK_FLOAT,
	TOK_OP,
};
#define OP2(a, b) ((a) << 8 | (b))

struct tok {
	uint8_t kind;
	int op;             /* TOK_OP: the character, or OP2 of both */
	uint32_t line, col; /* within the text */
	const char *s;      /* names, data and decoded strings; NUL ended */
	size_t n;
	int64_t i;
	double f;
};

struct toks {
	struct tok *items;
	size_t n;
};
/* Cut text into tokens; as_expr: the text is one expression without delimiters. Places are relative to at. */
bool lex_text(struct toks *out, struct arena *a, const char *file, struct origin at, const char *text, size_t len,
	      bool as_expr, struct err *e);
/* "file:line:col" of a place within a text that itself begins at `at` */
bool err_at_text(struct err *e, const char *file, struct origin at, uint32_t line, uint32_t col);

/* ---- tree (parse.c, parse_stmt.c) ---- */
enum node_kind {
	X_LIT = 1, X_NAME, X_LIST, X_TUPLE, X_DICT, X_ATTR, X_INDEX, X_SLICE, X_CALL, X_FILTER, X_TEST, X_NEG, X_POS,
	X_NOT, X_AND, X_OR, X_BIN, X_CMP, X_COND, X_CONCAT, S_BODY, S_TEXT, S_PRINT, S_IF, S_FOR, S_SET, S_SETBLOCK,
	S_MACRO, S_CALLBLOCK, S_FILTER, S_WITH, S_BLOCK, S_EXTENDS, S_INCLUDE, S_IMPORT, S_FROM, S_DO,
};
/* comparison operators, in node.op of the kids of X_CMP */
enum cmp_op { CMP_EQ = 1, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_IN, CMP_NOTIN };

struct node;
struct kwarg {
	const char *name;
	struct node *x;
};

/* One node of the tree. Which members mean something is said where the kind is made, in parse.c and parse_stmt.c. */
struct node {
	uint8_t kind;
	bool flag;
	uint16_t depth;
	int op;
	uint32_t line, col;
	const char *name;
	struct value *lit;
	const struct row *row;
	struct node *a, *b, *c;
	struct node **kids;
	uint32_t n;
	struct kwarg *kws;
	uint32_t nkws;
};

struct tmpl {
	const char *file;
	struct origin at;
	struct node *body;
	struct node **blocks; /* every {% block %} of the text */
	uint32_t nblocks;
	bool owns;     /* changes lists or maps, or loads templates that may: works on copies of what the scope gives */
	bool is_plain; /* no delimiter at all */
	unsigned newlines; /* that the source ends in */
};

struct expr {
	struct tmpl t; /* body is the expression */
};

enum { MACRO_VARARGS = 1, MACRO_KWARGS = 2, MACRO_CALLER = 4 };

struct parser {
	struct arena *a;
	const char *file;
	struct origin at;
	struct toks toks;
	size_t pos;
	unsigned nest;
	struct err *e;
	struct tmpl *t;
	size_t cap_blocks;
	unsigned macro_uses; /* what the macro being read names: MACRO_... */
};

const struct tok *parse_tok(const struct parser *p);
bool parse_is_op(const struct parser *p, int op);
bool parse_is_name(const struct parser *p, const char *name);
bool parse_skip_op(struct parser *p, int op);
bool parse_skip_name(struct parser *p, const char *name);
bool parse_want_op(struct parser *p, int op);
/* Fail at the present token; NULL, so that `return parse_fail(...)` reads well. */
struct node *parse_fail(struct parser *p, const char *fmt, ...) ARENA_PRINTF(2);
struct node *parse_node(struct parser *p, enum node_kind kind);
/* X_NAME: op is the name's hash, row the global of that name */
struct node *parse_name_node(struct parser *p, const char *name);
void parse_push(struct parser *p, struct node *n, struct node *kid);
/* Record the depth of a finished node; NULL when the tree is too deep. */
struct node *parse_deep(struct parser *p, struct node *n);
struct node *parse_expr(struct parser *p);
/* Several expressions with commas make a tuple; with_cond: `x if y` may stand in it. */
struct node *parse_tuple(struct parser *p, bool with_cond);
struct node *parse_primary_postfix(struct parser *p);
/* What stands at the present token, for messages. */
const char *parse_found(const struct parser *p);
/* "a.b" as one name, without Ansible's collection; NULL on failure */
const char *parse_dotted(struct parser *p);
struct node *parse_call(struct parser *p, struct node *of);
/* One filter after its `|` */
struct node *parse_filter(struct parser *p, struct node *in);
/* The filters after a `|`; in may be NULL for a filter block, whose input is the body. */
struct node *parse_filters(struct parser *p, struct node *in);
/* "(a, b=c)" after the opening bracket into call's kids and kws */
bool parse_args(struct parser *p, struct node *call);
bool parse_template(struct parser *p);

/* ---- one render (eval.c, render.c) ---- */
struct bind {
	const char *name;
	struct value *val;
	uint32_t hash; /* of the name */
};
struct frame {
	struct frame *up;
	struct bind *binds;
	uint32_t n, cap;
};

struct block_use { /* one definition of a block, the most derived first */
	const struct node *node;
	const struct tmpl *t;
	struct block_use *next;
};

struct ctx {
	struct arena *a;
	const struct scope *scope;
	const struct tmpl *t; /* whose nodes are being walked */
	struct frame *frame, *top;
	struct frame asked; /* what the scope has answered; NULL value: it does not know the name */
	struct frame blocks; /* name -> struct block_use, as a pointer in val */
	const struct node *here; /* being walked: for failures that know no place */
	struct buf *out;
	bool out_secret;
	bool owns, failed;
	bool extended; /* by an {% extends %} that has run: the rest of the child only sets names */
	const struct tmpl *parent;
	unsigned calls, depth, macros;
	uint64_t steps;
	size_t start; /* what the arena held when the render began */
	struct regexes *regexes; /* compiled ones, regex.c */
	struct err *e;
};

struct call;
struct row {
	const char *name;
	const char *params; /* "a,b" ; "*" takes any more, "**" any keywords; for tests and filters after the input */
	struct value *(*fn)(struct call *k);
	uint8_t min;   /* arguments that must be there */
	uint8_t flags; /* ROW_... */
	const char *text;
};
enum {
	ROW_UNDEF = 1, /* input may be undefined */
	ROW_PASS = 2,  /* gives one of its inputs, or says nothing of their text: adds no secrecy */
	ROW_STR = 4, ROW_LIST = 8, ROW_MAP = 16, /* methods: of which type */
	ROW_ARGS = 32, /* arguments may be undefined */
	ROW_CHANGES = 64, /* methods: changes its list or map */
};

enum { CALL_PARAMS = 8 };
struct call {
	struct ctx *c;
	const struct node *at;
	const struct row *row;
	const char *what; /* "filter", "test", "method", "function" */
	struct value *in;
	struct value *args[CALL_PARAMS]; /* by the order of row->params; NULL: not given */
	struct value **more;             /* what "*" took */
	uint32_t nmore;
	const char **kw_names;           /* what "**" took */
	struct value **kw_vals;
	uint32_t nkw;
	const struct row *named; /* what call_named found */
};

enum func_kind {
	FUNC_MACRO = 1, FUNC_CALLER, FUNC_GLOBAL, FUNC_SUPER, FUNC_LOOP, FUNC_CYCLE, FUNC_CHANGED, FUNC_CYCLER,
	FUNC_JOINER,
};

struct func {
	struct value v;
	enum func_kind kind;
	const struct node *node;
	const struct tmpl *t;
	struct frame *frame;
	const struct row *row;
	const struct block_use *use;
	struct loop *loop;
	struct value *caller;
	struct value *state;
	uint32_t at;
};

struct loop {
	struct value v;
	const struct node *node;
	struct frame *frame; /* around the loop, for recursion */
	const struct value *list;
	uint32_t i;
	unsigned depth;
	struct value *last_changed;
};

struct ns {
	struct value v;
	struct value *map;
};

/* Fail at a node, once: the first failure is kept. Always NULL. */
struct value *ctx_fail(struct ctx *c, const struct node *at, const char *fmt, ...) ARENA_PRINTF(3);
bool ctx_too_much(struct ctx *c, const struct node *at);
static inline bool ctx_step(struct ctx *c, const struct node *at, uint64_t n)
{
	c->steps += n;
	return c->steps > LIMIT_STEPS || arena_used(c->a) - c->start > LIMIT_BYTES ? ctx_too_much(c, at) : !c->failed;
}
void ctx_start(struct ctx *c, struct arena *a, const struct scope *s, const struct tmpl *t, struct err *e);
struct frame *frame_new(struct ctx *c, struct frame *up);
void frame_set(struct ctx *c, struct frame *f, const char *name, struct value *v);
/* The same under the name of an X_NAME, whose hash the parser has left there. */
void frame_set_node(struct ctx *c, struct frame *f, const struct node *target, struct value *v);
/* The number of a member of `loop`; past them all when it is none. */
int ctx_loop_member(const char *name);
struct value *ctx_frame_get(const struct frame *f, const char *name, bool *found);
/* The name of an X_NAME in the frames, then the scope, then the globals; a V_UNDEF when nowhere; NULL on failure. */
struct value *ctx_name(struct ctx *c, const struct node *x);
struct value *eval(struct ctx *c, const struct node *x);
/* What ctx_defined does with an undefined one, or none. */
bool ctx_undefined(struct ctx *c, const struct node *at, const struct value *v);
static inline bool ctx_defined(struct ctx *c, const struct node *at, const struct value *v)
{
	return (v && v->type != V_UNDEF) || ctx_undefined(c, at, v);
}
/* As eval, but undefined is an error. */
static inline struct value *eval_used(struct ctx *c, const struct node *x)
{
	struct value *v = eval(c, x);

	return v && ctx_defined(c, x, v) ? v : NULL;
}
/* Attribute (`.name`) or item (`[key]`); undefined when missing; NULL on failure only. */
struct value *ctx_attr(struct ctx *c, const struct node *at, struct value *v, const char *name);
struct value *ctx_item(struct ctx *c, const struct node *at, struct value *v, struct value *key);
struct value *ctx_call(struct ctx *c, const struct node *at, struct value *f, struct value **args, uint32_t n,
		       const char **kw_names, struct value **kw_vals, uint32_t nkw);
/* Run a row: binds arguments to parameters, carries secrecy. */
struct value *row_call(struct ctx *c, const struct node *at, const char *what, const struct row *row, struct value *in,
		       struct value **args, uint32_t n, const char **kw_names, struct value **kw_vals, uint32_t nkw);
bool render_body(struct ctx *c, const struct node *body);
/* Run the body with output going into a string value, secret when what went in was. */
struct value *render_capture(struct ctx *c, const struct node *body);
struct value *render_macro(struct ctx *c, const struct node *at, struct func *f, struct value **args, uint32_t n,
			   const char **kw_names, struct value **kw_vals, uint32_t nkw);
struct value *render_super(struct ctx *c, const struct node *at, const struct block_use *use);
struct value *render_loop_again(struct ctx *c, const struct node *at, struct loop *l, struct value *list);

/* ---- operations on values (ops.c) ---- */
struct value *op_binary(struct ctx *c, const struct node *at, int op, struct value *x, struct value *y);
bool op_equal(struct ctx *c, const struct value *x, const struct value *y);
/* false with *ok false when they do not compare */
int op_order(struct ctx *c, const struct value *x, const struct value *y, bool *ok);
bool op_in(struct ctx *c, const struct node *at, const struct value *x, const struct value *in);
bool op_truth(const struct value *v);
/* Text of a scalar as printed; fails for lists, maps and undefined. none: the text of null ("" or "None"). */
bool op_text(struct ctx *c, const struct node *at, struct buf *b, const struct value *v, const char *none);
/* The same as a string. */
const char *op_str(struct ctx *c, const struct node *at, const struct value *v);
/* A list to walk: the list itself, a map's keys, a string's characters. NULL and failed otherwise. */
struct value *op_iter(struct ctx *c, const struct node *at, struct value *v);
const char *op_type(const struct value *v); /* Python's name */
bool op_is_num(const struct value *v);      /* int, float, bool */
double op_real(const struct value *v);
int64_t op_int(const struct value *v);      /* of int and bool */
struct value *op_secret(struct ctx *c, struct value *v, bool secret);
/* A string value over text that already lives in the arena. */
struct value *op_own(struct ctx *c, const char *s, size_t n);
struct value *op_buf(struct ctx *c, const struct buf *b);
struct value *op_tuple(struct ctx *c, struct value *x, struct value *y);
/* V_SECRET somewhere in it; bounded. */
bool op_is_secret(const struct value *v);
/* false (failed) when v has more than LIMIT_NODES values: before deep work */
bool op_bounded(struct ctx *c, const struct node *at, const struct value *v);
/* Bounded, and nothing undefined or callable in it: may be written, or leave the template. */
bool op_sound(struct ctx *c, const struct node *at, const struct value *v);
/* Stable sort of the items by keys; fails when two keys do not compare. */
struct sort_item { struct value *key, *val; };
bool op_sort(struct ctx *c, const struct node *at, struct sort_item *items, size_t n, bool reverse);
/* strings in lower case, all else as it is */
struct value *op_fold(struct ctx *c, struct value *v);

/* ---- for writing rows (call.c) ---- */
struct value *call_fail(struct call *k, const char *fmt, ...) ARENA_PRINTF(2);
const char *call_str(struct call *k, unsigned i, const char *dflt); /* scalars as text; dflt when not given or null */
int64_t call_int(struct call *k, unsigned i, int64_t dflt);
bool call_bool(struct call *k, unsigned i, bool dflt);
double call_num(struct call *k, const struct value *v);
const char *call_in(struct call *k, size_t *n); /* the input as text */
const char *call_text(struct call *k, size_t *n); /* the same, but null is an error */
struct value *call_list(struct call *k);        /* the input as a list to walk */
bool call_room(struct call *k, size_t n);       /* a string of n bytes is allowed; for each round of a loop */
/* item's attribute by "a.b.0", or a number; undefined when missing */
struct value *call_attr(struct call *k, struct value *item, const struct value *path);
/* apply the filter or test named by more[0] with the rest as its arguments to an item */
struct value *call_named(struct call *k, const char *what, struct value *item, uint32_t skip);

/* UTF-8 (utf8.c): lengths and places in characters. Broken bytes count as one each. */
size_t utf8_len(const char *s, size_t n);
size_t utf8_at(const char *s, size_t n, size_t i); /* byte offset of the i-th character, n past the end */
size_t utf8_next(const char *s, size_t n, size_t at, uint32_t *cp);
bool utf8_valid(const char *s, size_t n);
void utf8_add(struct buf *b, uint32_t cp);
uint32_t utf8_upper(uint32_t cp);
uint32_t utf8_lower(uint32_t cp);
bool utf8_alpha(uint32_t cp);
bool utf8_space(uint32_t cp);
void utf8_case(struct buf *b, const char *s, size_t n, bool upper);

/* Python's formatting (format.c) */
struct value *format_percent(struct ctx *c, const struct node *at, const struct value *fmt, const struct value *args);
struct value *format_braces(struct call *k, const char *fmt, size_t n);
bool format_spec(struct ctx *c, const struct node *at, struct buf *b, const struct value *v, const char *spec,
		 size_t n);
bool format_repr(struct ctx *c, const struct node *at, struct buf *b, const struct value *v);

const struct row *row_filter(const char *name);
const struct row *row_test(const char *name);
const struct row *row_method(const char *name);
const struct row *row_of_type(const struct row *method, const struct value *of); /* NULL: of's type has no such method */
const struct row *row_global(const char *name);

#endif
