/* Templates that use others: extends and block, include, import. */
#ifndef TEXT_INHERIT_H
#define TEXT_INHERIT_H

#include "text/tmpl_int.h"

bool inherit_block(struct ctx *c, const struct node *n);
bool inherit_extends(struct ctx *c, const struct node *n);
bool inherit_include(struct ctx *c, const struct node *n);
bool inherit_import(struct ctx *c, const struct node *n);
/* A template's blocks become the last definitions of their names. */
void inherit_register(struct ctx *c, const struct tmpl *t);

#endif
