/* See screen.h. Hosts that were busy longest stand first, as it is they that are waited for. */
#include "run/screen.h"

#include <string.h>

static struct screen_host *host_of(struct screen *s, const char *name)
{
	struct screen_host *h;

	if (!s->hosts.a)
		s->hosts = MAP(s->a);
	h = map_get(&s->hosts, name);
	if (!h) {
		h = arena_new_of(s->a, struct screen_host, 1);
		h->name = name;
		map_put(&s->hosts, name, h);
	}
	return h;
}

void screen_begin(struct screen *s, const char *host, const char *step, const char *task, int64_t now_ms)
{
	struct screen_host *h = host_of(s, host);

	*h = (struct screen_host){ .name = h->name, .step = step, .task = task, .since_ms = now_ms, .said_ms = now_ms, .busy = true };
}

void screen_idle(struct screen *s, const char *host)
{
	host_of(s, host)->busy = false;
}

void screen_done(struct screen *s, const char *host)
{
	host_of(s, host)->busy = false;
	s->done++;
}

void screen_clear(struct screen *s, struct buf *out)
{
	for (; s->shown; s->shown--)
		buf_str(out, "\033[F\033[K");
}

/* The busy host that began first among those not yet taken. */
static struct screen_host *oldest(struct screen *s, const struct screen_host *after)
{
	struct screen_host *best = NULL;

	for (uint32_t i = 0, past = 0; i < s->hosts.n; i++) {
		struct screen_host *h = s->hosts.items[i].val;
		bool later = !after || h->since_ms > after->since_ms || (h->since_ms == after->since_ms && past);
		past |= h == after;
		if (h->busy && h != after && later && (!best || h->since_ms < best->since_ms))
			best = h;
	}
	return best;
}

void screen_draw(struct screen *s, struct buf *out, int columns, int64_t now_ms)
{
	uint32_t busy = 0, shown = 0;
	struct buf line = BUF(out->a);

	for (uint32_t i = 0; i < s->hosts.n; i++)
		busy += ((struct screen_host *)s->hosts.items[i].val)->busy;
	screen_clear(s, out);
	for (struct screen_host *h = oldest(s, NULL); h && shown < SCREEN_ROWS; h = oldest(s, h), shown++) {
		buf_reset(&line);
		buf_fmt(&line, "  %-24s %s / %s  %lld s", h->name, h->step, h->task, (long long)(now_ms - h->since_ms) / 1000);
		buf_fmt(out, "%.*s\n", columns > 1 ? columns - 1 : 79, buf_text(&line));
	}
	buf_fmt(out, "  %u of %u host%s done", s->done, s->total, s->total == 1 ? "" : "s");
	if (busy > shown)
		buf_fmt(out, ", %u more at work", busy - shown);
	buf_ch(out, '\n');
	s->shown = shown + 1;
}

void screen_long(struct screen *s, struct buf *out, int64_t now_ms)
{
	for (uint32_t i = 0; i < s->hosts.n; i++) {
		struct screen_host *h = s->hosts.items[i].val;
		if (!h->busy || now_ms - h->said_ms < SCREEN_LONG_MS)
			continue;
		h->said_ms = now_ms;
		buf_fmt(out, "%s: %s: at work for %lld s\n", h->name, h->task, (long long)(now_ms - h->since_ms) / 1000);
	}
}
