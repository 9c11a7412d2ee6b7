/*
 * One frame's shell script: sections in order, each of which answers `@id status length` and that many bytes. Everything that
 * reaches the shell is quoted here. Inputs travel beside the script and are read as "$P/k".
 */
#ifndef OPS_SCRIPT_H
#define OPS_SCRIPT_H

#include "base/buf.h"
#include "base/err.h"

struct script_input { const void *data; size_t len; };

struct script {
	struct arena *a;
	struct buf text;
	struct script_input *inputs;
	size_t n_inputs, cap_inputs;
	int limit_s; /* what the sections may take in all */
};

struct section {
	const char *id;
	int status;
	const char *out; size_t len; /* final newlines are gone */
	const char *errs;            /* standard error of a failed section, cut */
};
struct sections { struct section *items; size_t n; };

void script_begin(struct script *s, struct arena *a);
/* Bytes that come along; the returned number k is read as "$P/k". */
size_t script_input(struct script *s, const void *data, size_t len);
/* Shell code of ours as it is. */
void script_raw(struct script *s, const char *fmt, ...) ARENA_PRINTF(2);
/* A section: runs code (shell text of ours or a task's command, already whole) in a subshell and answers with its output. */
void script_section(struct script *s, const char *id, const char *code);
/* The same; a status other than 0 ends the script there, so that nothing after it runs. soft: it goes on. */
void script_step(struct script *s, const char *id, const char *code, bool soft);
/* Sections between these two run beside those that follow, up to script_join, where their answers come. Once in a script. */
void script_aside(struct script *s);
void script_aside_end(struct script *s);
void script_join(struct script *s);
/* Split a frame's answer; false when it is no such text. */
bool sections_parse(struct sections *out, struct arena *a, const char *text, size_t len, struct err *e);
const struct section *sections_get(const struct sections *ss, const char *id);

#endif
