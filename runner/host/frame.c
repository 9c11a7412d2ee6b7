/*
 * Requests and replies. A request is "RUN id limit cap script-length input-lengths...", the bytes, and "END id"; a
 * reply is "PIG-<nonce> RES id status out-length err-length" and the bytes. Not for: messages to the user (session.c
 * knows the names).
 */
#include "host/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"

static enum frame_end frame_late(enum until_end end)
{
	return end == UNTIL_CANCELLED ? FRAME_CANCELLED : FRAME_LATE;
}

static enum frame_end frame_take(struct frame *f, char *p, size_t n, const struct until *u, size_t *got)
{
	for (;;) {
		ssize_t r = f->t->ops->read(f->t, p, n);
		struct pollfd fds[2];

		if (r > 0) {
			*got = (size_t)r;
			return FRAME_OK;
		}
		if (r != TRANSPORT_AGAIN)
			return r == TRANSPORT_EOF ? FRAME_EOF : FRAME_BROKEN;
		enum until_end end = until_poll(u, fds, f->t->ops->events(f->t, fds, POLLIN));
		if (end != UNTIL_READY)
			return frame_late(end);
	}
}

/* At least one unread byte. */
static enum frame_end frame_fill(struct frame *f, const struct until *u)
{
	if (f->at < f->have)
		return FRAME_OK;
	f->at = f->have = 0;
	return frame_take(f, f->in, sizeof f->in, u, &f->have);
}

static enum frame_end frame_line(struct frame *f, const struct until *u, char *line, size_t cap)
{
	for (size_t n = 0;;) {
		enum frame_end end = frame_fill(f, u);
		if (end != FRAME_OK)
			return end;
		char c = f->in[f->at++];
		if (c == '\n') {
			line[n] = 0;
			return FRAME_OK;
		}
		if (!c || n + 1 >= cap)
			return FRAME_GARBLED;
		line[n++] = c;
	}
}

enum frame_end frame_mark(struct frame *f, const struct until *u, char *line, size_t cap)
{
	size_t len = strlen(f->mark), hit = 0;

	/* the mark is "PIG-" and hex digits: a mismatch can only begin anew at its own first letter */
	while (hit < len) {
		enum frame_end end = frame_fill(f, u);
		if (end != FRAME_OK)
			return end;
		char c = f->in[f->at++];
		if (f->noise.len >= FRAME_NOISE_MAX)
			return FRAME_GARBLED;
		buf_ch(&f->noise, c);
		hit = c == f->mark[hit] ? hit + 1 : c == f->mark[0];
	}
	f->noise.len -= len;
	f->noise.p[f->noise.len] = 0;
	enum frame_end end = frame_fill(f, u);
	if (end != FRAME_OK)
		return end;
	if (f->in[f->at] == ':') {
		f->at++;
		snprintf(line, cap, ":");
		return FRAME_OK;
	}
	if (f->in[f->at++] != ' ')
		return FRAME_GARBLED;
	return frame_line(f, u, line, cap);
}

/* While a write waits: take what the other side says, lest both wait for each other. False: it has left, or spoken out
 * of turn. */
static bool frame_overheard(struct frame *f)
{
	if (f->at < f->have)
		return !f->id;
	ssize_t r = f->t->ops->read(f->t, f->in, sizeof f->in);
	f->at = f->have = 0;
	if (r > 0)
		f->have = (size_t)r;
	return r == TRANSPORT_AGAIN || (r > 0 && !f->id);
}

enum frame_end frame_send(struct frame *f, const void *p, size_t n)
{
	const char *at = p;
	struct until u = until_in(FRAME_STALL_MS, f->cancel);

	while (n) {
		ssize_t w = f->t->ops->write(f->t, at, n);
		struct pollfd fds[2];

		if (w > 0) {
			at += w;
			n -= (size_t)w;
			u = until_in(FRAME_STALL_MS, f->cancel);
			if (f->cancel && *f->cancel)
				return FRAME_CANCELLED;
			continue;
		}
		if (w != TRANSPORT_AGAIN || !frame_overheard(f))
			return FRAME_BROKEN;
		enum until_end end = until_poll(&u, fds, f->t->ops->events(f->t, fds, POLLOUT));
		if (end != UNTIL_READY)
			return frame_late(end);
	}
	return FRAME_OK;
}

enum frame_end frame_get(struct frame *f, void *p, size_t n)
{
	char *at = p;
	size_t part = f->have - f->at < n ? f->have - f->at : n;

	if (part)
		memcpy(at, f->in + f->at, part);
	f->at += part;
	for (size_t done = part, got; done < n; done += got) {
		struct until u = until_in(FRAME_STALL_MS, f->cancel);
		enum frame_end end = frame_take(f, at + done, n - done, &u, &got);
		if (end != FRAME_OK)
			return end;
	}
	return FRAME_OK;
}

bool frame_number(const char **s, unsigned long long max, unsigned long long *n)
{
	const char *p = *s;

	*n = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');
		if (*n > (max - digit) / 10)
			return false;
		*n = *n * 10 + digit;
	}
	if (p == *s || (*p && *p != ' '))
		return false;
	*s = *p ? p + 1 : p;
	return true;
}

/* A line of the loop's, once it runs: the mark and nothing before it. */
static enum frame_end frame_reply(struct frame *f, const struct until *u, char *line, size_t cap, const char **rest)
{
	size_t len = strlen(f->mark);
	enum frame_end end = frame_line(f, u, line, cap);

	if (end != FRAME_OK)
		return end;
	if (strncmp(line, f->mark, len) || line[len] != ' ')
		return FRAME_GARBLED;
	*rest = line + len + 1;
	return strncmp(*rest, "FULL ", 5) ? FRAME_OK : FRAME_FULL;
}

static enum frame_end frame_output(struct frame *f, struct arena *a, struct buf *b, size_t n)
{
	*b = BUF(a);
	enum frame_end end = frame_get(f, buf_room(b, n), n);
	if (end == FRAME_OK) {
		b->len = n;
		b->p[n] = 0;
	}
	return end;
}

static enum frame_end frame_result(struct frame *f, struct arena *a, size_t cap, int64_t limit, struct job_result *r)
{
	char line[160];
	const char *s;
	unsigned long long id, status, out, errs;
	struct until u = until_in((limit + f->busy_s) * 1000 + FRAME_GRACE_MS, f->cancel);
	enum frame_end end = frame_reply(f, &u, line, sizeof line, &s);

	if (end != FRAME_OK)
		return end;
	if (!strncmp(s, "BUSY ", 5)) {
		s += 5;
		return frame_number(&s, INT32_MAX, &f->busy) ? FRAME_BUSY : FRAME_GARBLED;
	}
	if (strncmp(s, "RES ", 4))
		return FRAME_GARBLED;
	s += 4;
	if (!frame_number(&s, f->id, &id) || id != f->id || !frame_number(&s, 255, &status) ||
	    !frame_number(&s, cap, &out) || !frame_number(&s, cap, &errs) || *s || s[-1] == ' ')
		return FRAME_GARBLED;
	r->status = (int)status;
	end = frame_output(f, a, &r->out, (size_t)out);
	return end == FRAME_OK ? frame_output(f, a, &r->errs, (size_t)errs) : end;
}

enum frame_end frame_run(struct frame *f, struct arena *a, const struct job *j, struct job_result *r)
{
	int limit = j->limit_s > 0 ? j->limit_s : FRAME_LIMIT_S;
	size_t cap = j->cap ? j->cap : FRAME_CAP;
	struct buf head = BUF(a);

	if (j->n_inputs > FRAME_INPUTS_MAX)
		bug("a job of %zu inputs", j->n_inputs);
	buf_fmt(&head, "RUN %lu %d %zu %zu", ++f->id, limit, cap, j->len);
	for (size_t i = 0; i < j->n_inputs; i++)
		buf_fmt(&head, " %zu", j->inputs[i].len);
	buf_ch(&head, '\n');
	/* Small pieces travel as one: each send is a packet, and each packet a wake-up on the host. */
	size_t total = j->len;
	for (size_t i = 0; i < j->n_inputs; i++)
		total += j->inputs[i].len;
	enum frame_end end = FRAME_OK;
	const size_t small = 1 << 20;
	if (total <= small)
		buf_add(&head, j->script, j->len);
	else if ((end = frame_send(f, head.p, head.len)) == FRAME_OK)
		end = frame_send(f, j->script, j->len);
	if (total > small)
		buf_reset(&head);
	for (size_t i = 0; i < j->n_inputs && end == FRAME_OK; i++) {
		if (total <= small)
			buf_add(&head, j->inputs[i].data, j->inputs[i].len);
		else
			end = frame_send(f, j->inputs[i].data, j->inputs[i].len);
	}
	buf_fmt(&head, "END %lu\n", f->id);
	if (end == FRAME_OK)
		end = frame_send(f, head.p, head.len);
	if (end == FRAME_BROKEN) { /* it may have left with a word */
		char line[160];
		const char *s;
		struct until u = until_in(FRAME_GRACE_MS / 5, f->cancel);
		if (frame_reply(f, &u, line, sizeof line, &s) == FRAME_FULL)
			end = FRAME_FULL;
	}
	return end == FRAME_OK ? frame_result(f, a, cap, limit, r) : end;
}
