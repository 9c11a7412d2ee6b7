/* What is being done right now, and for how long: on a terminal, lines below the report that are drawn anew; elsewhere a
 * plain line now and then for what takes long. No printing of its own: the report asks for text, under its lock. */
#ifndef RUN_SCREEN_H
#define RUN_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/map.h"

enum { SCREEN_ROWS = 8, SCREEN_LONG_MS = 15000 /* plain lines: first after, then each */ };

struct screen_host { const char *name, *step, *task; int64_t since_ms, said_ms; bool busy; };
struct screen {
	struct arena *a;
	struct map hosts; /* name -> struct screen_host *, in the order they were first busy */
	uint32_t done, total;
	uint32_t shown; /* rows on the terminal now */
};

/* The host begins something; names live as long as the run. */
void screen_begin(struct screen *s, const char *host, const char *step, const char *task, int64_t now_ms);
void screen_idle(struct screen *s, const char *host); /* it waits for others, or has nothing under way */
void screen_done(struct screen *s, const char *host); /* it is through */
/* Take the rows off the terminal. */
void screen_clear(struct screen *s, struct buf *out);
/* Draw the rows: at most columns wide, the longest at work first. */
void screen_draw(struct screen *s, struct buf *out, int columns, int64_t now_ms);
/* Plain lines for what has been under way for SCREEN_LONG_MS and was not said since. */
void screen_long(struct screen *s, struct buf *out, int64_t now_ms);

#endif
