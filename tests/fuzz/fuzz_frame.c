/* Any bytes as what a host says, in steps of any size: the hello, its facts, and the replies to two jobs. It ends, and
 * reads no further. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/facts.h"
#include "host/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct player {
	struct transport t;
	const uint8_t *p;
	size_t n, at, step;
};

static ssize_t player_read(struct transport *t, void *p, size_t n)
{
	struct player *r = (struct player *)t;
	size_t part = r->n - r->at < r->step ? r->n - r->at : r->step;

	part = part < n ? part : n;
	memcpy(p, r->p + r->at, part);
	r->at += part;
	return (ssize_t)part;
}

static ssize_t player_write(struct transport *t, const void *p, size_t n)
{
	(void)t, (void)p;
	return (ssize_t)n;
}

static nfds_t player_events(struct transport *t, struct pollfd fds[2], short want)
{
	(void)t, (void)fds, (void)want;
	return 0;
}

static const char *player_describe(struct transport *t)
{
	(void)t;
	return "";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct transport_ops ops = {
		NULL, player_read, player_write, player_events, NULL, player_describe
	};
	struct arena *a = arena_new();
	struct frame *f = arena_new_of(a, struct frame, 1);
	struct player p = {
		.t = { .ops = &ops }, .p = data + 1, .n = size ? size - 1 : 0, .step = size ? data[0] + 1u : 1
	};
	struct until u = until_in(10000, NULL);
	char line[128];
	const char *rest = line + 6;
	unsigned long long n = 0;

	f->t = &p.t;
	f->mark = "PIG-00112233";
	f->noise = BUF(a);
	if (frame_mark(f, &u, line, sizeof line) == FRAME_OK && !strncmp(line, "hello ", 6) &&
	    frame_number(&rest, 65536, &n)) {
		char *text = arena_get(a, (size_t)n + 1);
		if (frame_get(f, text, (size_t)n) == FRAME_OK) {
			const struct job j = { .script = "true", .len = 4, .cap = 4096, .limit_s = 1 };
			struct job_result r;
			if (!value_is(facts_read(a, text, (size_t)n), V_MAP))
				abort();
			for (int i = 0; i < 2 && frame_run(f, a, &j, &r) == FRAME_OK; i++)
				if (r.status < 0 || r.status > 255 || r.out.len > 4096 || r.errs.len > 4096 ||
				    r.out.p[r.out.len])
					abort();
		}
	}
	arena_free(a);
	return 0;
}
