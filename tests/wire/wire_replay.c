/*
 * A session of the loop is recorded once, then given back badly: a byte at a time, cut after every byte, behind noise,
 * stalled, with lengths that lie. Each must end as it should, and none may hang or read beyond. Not for: the words of
 * the messages (wire_broken.c).
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/os.h"
#include "check.h"
#include "host/facts.h"
#include "host/frame.h"

extern const unsigned char boot_sh[];
extern const unsigned long boot_sh_len;

static const char MARK[] = "PIG-00112233445566778899aabbccddeeff";
static struct arena *a;

/* A transport that records what another one reads. */
struct recorder {
	struct transport t, *under;
	struct buf heard;
};

static bool recorder_open(struct transport *t, const char *command, const struct until *u, struct err *e)
{
	struct recorder *r = (struct recorder *)t;
	return r->under->ops->open(r->under, command, u, e);
}

static ssize_t recorder_read(struct transport *t, void *p, size_t n)
{
	struct recorder *r = (struct recorder *)t;
	ssize_t got = r->under->ops->read(r->under, p, n);

	if (got > 0)
		buf_add(&r->heard, p, (size_t)got);
	return got;
}

static ssize_t recorder_write(struct transport *t, const void *p, size_t n)
{
	struct recorder *r = (struct recorder *)t;
	return r->under->ops->write(r->under, p, n);
}

static nfds_t recorder_events(struct transport *t, struct pollfd fds[2], short want)
{
	struct recorder *r = (struct recorder *)t;
	return r->under->ops->events(r->under, fds, want);
}

static void recorder_close(struct transport *t)
{
	struct recorder *r = (struct recorder *)t;
	r->under->ops->close(r->under);
}

static const char *recorder_describe(struct transport *t)
{
	(void)t;
	return "";
}

/* A transport that gives bytes back: `step` at a time, with AGAIN in between, and then an end. */
struct player {
	struct transport t;
	const char *p;
	size_t n, at, step;
	bool stall; /* at the end: silence, not EOF */
	bool pause; /* the next read says AGAIN */
	int fd[2];  /* readable for ever unless stalled */
};

static ssize_t player_read(struct transport *t, void *p, size_t n)
{
	struct player *r = (struct player *)t;
	size_t part = r->n - r->at < r->step ? r->n - r->at : r->step;

	if (r->at == r->n && r->stall)
		return TRANSPORT_AGAIN;
	r->pause = !r->pause;
	if (r->pause)
		return TRANSPORT_AGAIN;
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
	struct player *r = (struct player *)t;

	(void)want;
	fds[0] = (struct pollfd){ r->at == r->n && r->stall ? r->fd[0] : r->fd[1], POLLIN | POLLOUT, 0 };
	return 1;
}

static const struct transport_ops player_ops = {
	NULL, player_read, player_write, player_events, NULL, recorder_describe
};

static int pipe_fd[2];

static struct player player(const char *p, size_t n, size_t step)
{
	return (struct player){
		.t = { .ops = &player_ops }, .p = p, .n = n, .step = step, .fd = { pipe_fd[0], pipe_fd[1] }
	};
}

struct heard {
	enum frame_end end;
	size_t jobs; /* replies read whole */
	struct job_result r[3];
	size_t facts;
};

static const struct job_input input = { "in\0put", 6 };
static const struct job jobs[3] = {
	{ .script = "echo one; exit 3", .len = 16, .limit_s = 1 },
	{ .script = "cat $P/0; echo two >&2", .len = 22, .inputs = &input, .n_inputs = 1, .limit_s = 1 },
	{ .script = "head -c 70000 /dev/zero", .len = 23, .limit_s = 1 },
};

static void listen_on(struct frame *f, struct heard *h, struct arena *mem, int patience)
{
	struct until u = until_in(patience, f->cancel);
	char line[256];
	const char *p = line + 6;
	unsigned long long n = 0;

	*h = (struct heard){ 0 };
	h->end = frame_mark(f, &u, line, sizeof line);
	if (h->end == FRAME_OK && (strncmp(line, "hello ", 6) || !frame_number(&p, 65536, &n)))
		h->end = FRAME_GARBLED;
	char *text = arena_get(mem, (size_t)n + 1);
	if (h->end == FRAME_OK)
		h->end = frame_get(f, text, (size_t)n);
	if (h->end == FRAME_OK)
		h->facts = value_len(facts_read(mem, text, (size_t)n));
	for (; h->end == FRAME_OK && h->jobs < 3; h->jobs++) {
		h->end = frame_run(f, mem, &jobs[h->jobs], &h->r[h->jobs]);
		if (h->end != FRAME_OK)
			break;
	}
}

static struct heard play(struct player *p, const volatile int *cancel, struct arena *mem)
{
	struct frame *f = arena_new_of(mem, struct frame, 1);
	struct heard h;

	f->t = &p->t;
	f->mark = MARK;
	f->noise = BUF(mem);
	f->cancel = cancel;
	listen_on(f, &h, mem, 2000);
	return h;
}

static void check_good_session(const struct heard *h)
{
	CHECK_INT(h->end, FRAME_OK);
	CHECK_INT(h->jobs, 3);
	CHECK(h->facts >= 15);
	CHECK_INT(h->r[0].status, 3);
	CHECK_STR(buf_text(&h->r[0].out), "one\n");
	CHECK(h->r[1].out.len == 6 && !memcmp(h->r[1].out.p, "in\0put", 6));
	CHECK_STR(buf_text(&h->r[1].errs), "two\n");
	CHECK_INT(h->r[2].out.len, 70000);
}

static struct buf record(void)
{
	static const struct transport_ops ops = { recorder_open,   recorder_read,  recorder_write,
						  recorder_events, recorder_close, recorder_describe };
	static const char *const argv[] = { "sh", "-c", NULL };
	struct recorder r = { .t = { .ops = &ops }, .under = exec_new(a, argv), .heard = BUF(a) };
	struct frame *f = arena_new_of(a, struct frame, 1);
	struct until u = until_in(10000, NULL);
	struct buf text = BUF(a);
	struct heard h;

	buf_fmt(&text, "N=%s D=%s\nset -- tester\n", MARK + 4, os_random_hex(a, 6));
	buf_add(&text, boot_sh, boot_sh_len);
	CHECK(r.t.ops->open(&r.t, arena_fmt(a, "eval \"$(head -c %zu)\"", text.len), &u, NULL));
	f->t = &r.t;
	f->mark = MARK;
	f->noise = BUF(a);
	CHECK_INT(frame_send(f, text.p, text.len), FRAME_OK);
	listen_on(f, &h, a, 10000);
	check_good_session(&h);
	r.t.ops->close(&r.t);
	return r.heard;
}

static void test_steps(const struct buf *s)
{
	for (size_t step = 1; step < 200000; step = step * 3 + 1) {
		struct arena *mem = arena_new();
		struct player p = player(s->p, s->len, step);
		struct heard h = play(&p, NULL, mem);
		check_good_session(&h);
		arena_free(mem);
	}
}

static void test_cuts(const struct buf *s)
{
	size_t wrong = 0, tried = 0;

	/* every byte, but for the bulk of the zeros */
	for (size_t n = 0; n<s->len; n += n> 9000 && n < s->len - 200 ? 997 : 1) {
		struct arena *mem = arena_new();
		struct player p = player(s->p, n, n % 7 + 1);
		if (n > 9000)
			p.step = 4096;
		struct heard h = play(&p, NULL, mem);
		wrong += h.end != FRAME_EOF || h.jobs == 3;
		tried++;
		arena_free(mem);
	}
	CHECK(tried > 2000);
	CHECK_INT(wrong, 0);
}

static void test_noise(const struct buf *s)
{
	struct buf noisy = BUF(a);
	static const char banner[] = "Welcome to the machine\nPIG-\nPIPIG-0011 hello 3\n\0\xff\x1b[0m";

	buf_add(&noisy, banner, sizeof banner - 1);
	buf_add(&noisy, MARK, 20); /* nearly the mark, and then the mark */
	buf_add(&noisy, s->p, s->len);
	struct player p = player(noisy.p, noisy.len, 5);
	struct heard h = play(&p, NULL, a);
	check_good_session(&h);
	buf_reset(&noisy);
	while (noisy.len < FRAME_NOISE_MAX - 1000)
		buf_str(&noisy, "all work and no play makes Jack a dull boy\n");
	buf_add(&noisy, s->p, s->len);
	p = player(noisy.p, noisy.len, 4096);
	h = play(&p, NULL, a);
	check_good_session(&h);
	buf_reset(&noisy);
	while (noisy.len <= FRAME_NOISE_MAX)
		buf_str(&noisy, "all work and no play makes Jack a dull boy\n");
	buf_add(&noisy, s->p, s->len);
	p = player(noisy.p, noisy.len, 4096);
	CHECK_INT(play(&p, NULL, a).end, FRAME_GARBLED);
}

static void *cancel_later(void *flag)
{
	usleep(300000);
	*(volatile int *)flag = 1;
	return NULL;
}

static void test_stalls(const struct buf *s)
{
	size_t hello = (size_t)((const char *)memmem(s->p, s->len, " RES ", 5) - s->p) - sizeof MARK + 1;
	struct player p = player(s->p, 30, 64);

	p.stall = true;
	int64_t begin = os_now_ms();
	CHECK_INT(play(&p, NULL, a).end, FRAME_LATE);
	CHECK(os_now_ms() - begin >= 1900 && os_now_ms() - begin < 6000);
	/* in the middle of the second reply: given up at once when the user cancels */
	for (size_t n = hello; n < hello + 120; n += 40) {
		volatile int cancel = 0;
		pthread_t thread;
		p = player(s->p, n, 64);
		p.stall = true;
		begin = os_now_ms();
		CHECK(!pthread_create(&thread, NULL, cancel_later, (void *)(uintptr_t)&cancel));
		CHECK_INT(play(&p, &cancel, a).end, FRAME_CANCELLED);
		CHECK(os_now_ms() - begin < 3000);
		pthread_join(thread, NULL);
	}
	/* a host that never answers a job: its limit and the grace */
	p = player(s->p, hello, 64);
	p.stall = true;
	begin = os_now_ms();
	CHECK_INT(play(&p, NULL, a).end, FRAME_LATE);
	CHECK(os_now_ms() - begin >= 16000 && os_now_ms() - begin < 25000);
}

static void test_lies(const struct buf *s)
{
	static const char *const lies[] = {
		"RES 1 0 99999999999999999999 0\n",
		"RES 1 0 16777217 0\n",
		"RES 1 0 0 16777217\n",
		"RES 1 0 -1 0\n",
		"RES 2 0 0 0\n",
		"RES 1 256 0 0\n",
		"RES 1 0 0\n",
		"RES 1 0 0 0 0\n",
		"RES 1 0 0 0 \n",
		"RES  1 0 0 0\n",
		"RES 1 0x1 0 0\n",
		"RES\n",
		"\n",
		"RES 18446744073709551617 0 0 0\n",
		"hello 3\nabc",
		"FULLER\n",
		"RES 1 0 0 0\0\n",
	};
	size_t hello = (size_t)((const char *)memmem(s->p, s->len, " RES ", 5) - s->p) - sizeof MARK + 1;

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct buf b = BUF(a);
		buf_add(&b, s->p, hello);
		buf_fmt(&b, "%s ", MARK);
		buf_add(&b, lies[i], i + 1 < sizeof lies / sizeof *lies ? strlen(lies[i]) : 13);
		struct player p = player(b.p, b.len, 64);
		struct heard h = play(&p, NULL, a);
		if (!CHECK_INT(h.end, FRAME_GARBLED))
			fprintf(stderr, "  with %s", lies[i]);
	}
	/* another session's mark, a line without end, a hello that is too long */
	struct buf b = BUF(a);
	buf_add(&b, s->p, hello);
	buf_str(&b, "PIG-ffffffffffffffffffffffffffffffff RES 1 0 0 0\n");
	struct player p = player(b.p, b.len, 64);
	CHECK_INT(play(&p, NULL, a).end, FRAME_GARBLED);
	b.len = hello;
	for (int i = 0; i < 100000; i++)
		buf_ch(&b, 'x');
	p = player(b.p, b.len, 64);
	CHECK_INT(play(&p, NULL, a).end, FRAME_GARBLED);
	buf_reset(&b);
	buf_fmt(&b, "%s hello 65537\n", MARK);
	p = player(b.p, b.len, 64);
	CHECK_INT(play(&p, NULL, a).end, FRAME_GARBLED);
	/* less than was said, then the end */
	b.len = 0;
	buf_add(&b, s->p, hello);
	buf_fmt(&b, "%s RES 1 0 16777216 0\nshort", MARK);
	p = player(b.p, b.len, 64);
	CHECK_INT(play(&p, NULL, a).end, FRAME_EOF);
	b.len = 0;
	buf_add(&b, s->p, hello);
	buf_fmt(&b, "%s FULL 6\n", MARK);
	p = player(b.p, b.len, 64);
	CHECK_INT(play(&p, NULL, a).end, FRAME_FULL);
}

int main(void)
{
	a = arena_new();
	CHECK(pipe(pipe_fd) == 0);
	struct buf s = record();
	test_steps(&s);
	test_cuts(&s);
	test_noise(&s);
	test_stalls(&s);
	test_lies(&s);
	arena_free(a);
	return check_done();
}
