/* What the files of JMESPath share: its tree and the state of one search. */
#ifndef TEXT_JMES_H
#define TEXT_JMES_H

#include "text/tmpl_int.h"

enum jmes_kind {
	J_IDENTITY = 1, J_FIELD, J_LITERAL, J_SUB, J_PIPE, J_OR, J_AND, J_NOT, J_CMP, J_INDEX, J_SLICE, J_FLATTEN,
	J_PROJECT, J_VALUES, J_FILTER, J_LIST, J_HASH, J_CALL, J_REF,
};

/* a and b are the operands; a projection's b is applied to each of a's items; J_FILTER's c is its condition. */
struct jmes_node {
	uint8_t kind;
	uint16_t depth;
	int op;                  /* J_CMP: as in tmpl_int.h */
	const char *name;        /* J_FIELD, J_CALL */
	struct value *lit;       /* J_LITERAL */
	int64_t part[3];         /* J_INDEX: [0]; J_SLICE: from, to, step */
	bool given[3];
	struct jmes_node *a, *b, *c;
	struct jmes_node **kids; /* J_LIST, J_HASH, J_CALL */
	const char **keys;       /* J_HASH */
	uint32_t n;
};

struct jmes {
	struct arena *a;
	const char *expr;
	uint64_t steps;
	size_t start; /* what the arena held before the search */
	struct err *e;
};

/* NULL with e filled when the expression is wrong. */
struct jmes_node *jmes_parse(struct arena *a, const char *expr, struct err *e);
/* Search with the budget that j holds. */
bool jmes_run(struct jmes *j, struct value **out, const char *expr, const struct value *data);
/* NULL with e filled on failure. */
struct value *jmes_eval(struct jmes *j, const struct jmes_node *n, struct value *v);
struct value *jmes_call(struct jmes *j, const struct jmes_node *n, struct value *v);
/* Fail, once, naming the expression; NULL. */
void *jmes_fail(struct jmes *j, const char *fmt, ...) ARENA_PRINTF(2);
bool jmes_step(struct jmes *j, uint64_t n);
bool jmes_truth(const struct value *v);
bool jmes_equal(struct jmes *j, const struct value *x, const struct value *y, unsigned depth);

#endif
