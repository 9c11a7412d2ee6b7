/*
 * A YAML text changed at the places its values remember. Comments, layout and quotes stay as they were written. Nothing
 * is changed until edits_text; what is asked for twice at one place (behind an alias, say) is done once.
 */
#ifndef VALUE_EDIT_H
#define VALUE_EDIT_H

#include "value/value.h"

struct edits;
/* text is kept by pointer; it must be what the values were read from. */
struct edits *edits_new(struct arena *a, const char *text, size_t len);
/* The scalar says `to`, quoted as it was. False: it is a block scalar or goes over lines. */
bool edits_scalar(struct edits *ed, const struct value *v, const char *to);
/* Each whole word `from` in the scalar or key at that place becomes `to`; a word ends where no letter, digit or point
 * is, or with the sign `from` ends with. source: the plain text that stands there, if it is known. */
bool edits_word(struct edits *ed, struct origin at, const char *source, const char *from, const char *to);
/* A line before the one that is given, indented as that is. */
void edits_line(struct edits *ed, uint32_t line, const char *text);
/* How many places are changed. */
uint32_t edits_count(const struct edits *ed);
const char *edits_text(struct edits *ed, size_t *len);

#endif
