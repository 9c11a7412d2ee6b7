/*
 * A line diff by Myers' algorithm in its linear-space form, printed as unified text. Texts that differ too much for it
 * in reasonable time are shown as one block replaced by another, which is still true.
 */
#include "text/tmpl_int.h"

#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 3, COST_MOST = 4000 };

struct line {
	const char *s;
	size_t n; /* without its newline */
	uint32_t hash;
};

struct side {
	struct line *lines;
	long n;
	bool *changed;
	bool ends; /* the last line has its newline */
};

struct diff {
	struct side old, neu;
	long *down, *up; /* furthest x on each diagonal, offset by neu.n + 1 */
};

static void side_cut(struct side *s, struct arena *a, const char *text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	s->ends = !n || text[n - 1] == '\n';
	count += !s->ends;
	s->lines = arena_new_of(a, struct line, count);
	s->changed = arena_get(a, count + 1);
	for (size_t i = 0; i < n;) {
		const char *nl = memchr(text + i, '\n', n - i);
		struct line *l = &s->lines[s->n++];

		l->s = text + i;
		l->n = nl ? (size_t)(nl - l->s) : n - i;
		l->hash = 2166136261u;
		for (size_t j = 0; j < l->n; j++)
			l->hash = (l->hash ^ (unsigned char)l->s[j]) * 16777619u;
		i += l->n + 1;
	}
	/* a last line without its newline is another line than one with it */
	if (!s->ends && s->n)
		s->lines[s->n - 1].hash ^= 1;
}

static bool line_same(const struct diff *d, long x, long y)
{
	const struct line *l = &d->old.lines[x], *r = &d->neu.lines[y];

	return l->hash == r->hash && l->n == r->n && !memcmp(l->s, r->s, l->n);
}

static void mark(struct side *s, long from, long to)
{
	for (; from < to; from++)
		s->changed[from] = true;
}

/* The middle of a shortest edit between the two ranges; false when it is too far. */
static bool diff_middle(struct diff *d, long x0, long x1, long y0, long y1, long *mx, long *my)
{
	long *f = d->down + d->neu.n + 1, *b = d->up + d->neu.n + 1, low = x0 - y1, high = x1 - y0, fm = x0 - y0,
	     bm = x1 - y1;
	long fl = fm, fh = fm, bl = bm, bh = bm;
	bool odd = (fm - bm) & 1;

	f[fm] = x0;
	b[bm] = x1;
	for (long cost = 1; cost < COST_MOST; cost++) {
		fl > low ? f[--fl - 1] = -1 : ++fl;
		fh < high ? f[++fh + 1] = -1 : --fh;
		for (long k = fh; k >= fl; k -= 2) {
			long x = f[k - 1] >= f[k + 1] ? f[k - 1] + 1 : f[k + 1], y = x - k;

			while (x < x1 && y < y1 && line_same(d, x, y)) {
				x++;
				y++;
			}
			f[k] = x;
			if (odd && bl <= k && k <= bh && b[k] <= x) {
				*mx = x;
				*my = y;
				return true;
			}
		}
		bl > low ? b[--bl - 1] = x1 + 1 : ++bl;
		bh < high ? b[++bh + 1] = x1 + 1 : --bh;
		for (long k = bh; k >= bl; k -= 2) {
			long x = b[k - 1] < b[k + 1] ? b[k - 1] : b[k + 1] - 1, y = x - k;

			while (x > x0 && y > y0 && line_same(d, x - 1, y - 1)) {
				x--;
				y--;
			}
			b[k] = x;
			if (!odd && fl <= k && k <= fh && x <= f[k]) {
				*mx = x;
				*my = y;
				return true;
			}
		}
	}
	return false;
}

static void diff_range(struct diff *d, long x0, long x1, long y0, long y1)
{
	long mx, my;

	for (; x0 < x1 && y0 < y1 && line_same(d, x0, y0); x0++)
		y0++;
	for (; x0 < x1 && y0 < y1 && line_same(d, x1 - 1, y1 - 1); x1--)
		y1--;
	if (x0 == x1 || y0 == y1 || !diff_middle(d, x0, x1, y0, y1, &mx, &my) || (mx == x0 && my == y0) ||
	    (mx == x1 && my == y1)) {
		mark(&d->old, x0, x1);
		mark(&d->neu, y0, y1);
		return;
	}
	diff_range(d, x0, mx, y0, my);
	diff_range(d, mx, x1, my, y1);
}

static void line_out(struct buf *out, char sign, const struct side *s, long i)
{
	buf_ch(out, sign);
	buf_add(out, s->lines[i].s, s->lines[i].n);
	buf_ch(out, '\n');
	if (i == s->n - 1 && !s->ends)
		buf_str(out, "\\ No newline at end of file\n");
}

/* "@@ -1,3 +1,4 @@": a count of 1 is left out, and an empty range names the line before it */
static void range_out(struct buf *out, char sign, long from, long n)
{
	buf_fmt(out, "%c%ld", sign, n ? from + 1 : from);
	if (n != 1)
		buf_fmt(out, ",%ld", n);
}

/* One hunk from its first change at (x, y); *x and *y go past it. */
static void hunk_out(struct buf *out, const struct diff *d, long *x, long *y)
{
	long x0 = *x > CONTEXT ? *x - CONTEXT : 0, y0, x1 = *x, y1 = *y, same = 0, lead = *x - x0;

	if (lead > *y)
		lead = *y;
	x0 = *x - lead;
	y0 = *y - lead;
	for (long i = *x, j = *y; i < d->old.n || j < d->neu.n;) {
		bool gone = i < d->old.n && d->old.changed[i], came = j < d->neu.n && d->neu.changed[j];

		if (gone || came) {
			i += gone;
			j += came;
			x1 = i;
			y1 = j;
			same = 0;
			continue;
		}
		if (++same > 2 * CONTEXT)
			break;
		i++;
		j++;
	}
	long tail = d->old.n - x1 < CONTEXT ? d->old.n - x1 : CONTEXT;

	buf_str(out, "@@ ");
	range_out(out, '-', x0, x1 + tail - x0);
	buf_ch(out, ' ');
	range_out(out, '+', y0, y1 + tail - y0);
	buf_str(out, " @@\n");
	for (long i = x0, j = y0; i < x1 + tail || j < y1 + tail;) {
		if (i < d->old.n && d->old.changed[i])
			line_out(out, '-', &d->old, i++);
		else if (j < d->neu.n && d->neu.changed[j])
			line_out(out, '+', &d->neu, j++);
		else
			line_out(out, ' ', &d->old, (j++, i++));
	}
	*x = x1;
	*y = y1;
}

void diff_text(struct buf *out, const char *old_name, const char *old, size_t old_n, const char *new_name,
	       const char *neu, size_t new_n)
{
	struct arena *a = arena_new();
	struct diff d = { 0 };

	if (old_n == new_n && (!old_n || !memcmp(old, neu, old_n))) {
		arena_free(a);
		return;
	}
	side_cut(&d.old, a, old, old_n);
	side_cut(&d.neu, a, neu, new_n);
	d.down = arena_new_of(a, long, d.old.n + d.neu.n + 4);
	d.up = arena_new_of(a, long, d.old.n + d.neu.n + 4);
	diff_range(&d, 0, d.old.n, 0, d.neu.n);
	buf_fmt(out, "--- %s\n+++ %s\n", old_name, new_name);
	for (long x = 0, y = 0; x < d.old.n || y < d.neu.n;) {
		if ((x < d.old.n && d.old.changed[x]) || (y < d.neu.n && d.neu.changed[y])) {
			hunk_out(out, &d, &x, &y);
		} else {
			x++;
			y++;
		}
	}
	arena_free(a);
}
