/*
 * MinIO's notation of ranges, {1...4}: which folders a member serves, and how the names of all members read as one.
 * Only numbers are taken, as those are what drives and members are counted by.
 */
#include "module.h"

#include <stdio.h>
#include <stdlib.h>

enum { RANGES = 3, MOST = 4096 };

struct part {
	const char *at, *end;
	unsigned long from, to;
	int width;
};

/* {1...4} at p, up to its brace. */
static bool part_read(const char *p, struct part *part)
{
	char *dots, *end;

	if (p[1] < '0' || p[1] > '9')
		return false;
	*part = (struct part){.at = p, .from = strtoul(p + 1, &dots, 10)};
	if (strncmp(dots, "...", 3) || dots[3] < '0' || dots[3] > '9')
		return false;
	part->to = strtoul(dots + 3, &end, 10);
	part->end = end + 1;
	/* {01...16} counts in two figures */
	part->width = p[1] == '0' && dots - p > 2 ? (int)(dots - p - 1) : 0;
	return *end == '}' && part->from <= part->to && part->to - part->from < MOST;
}

static bool parts_read(const char *pattern, struct part *parts, size_t *n)
{
	*n = 0;
	for (const char *p = pattern; *p; p++) {
		if (*p == '}' || (*p == '{' && (*n == RANGES || !part_read(p, &parts[*n]))))
			return false;
		if (*p == '{')
			p = parts[(*n)++].end - 1;
	}
	return true;
}

size_t minio_drives(const char *pattern)
{
	struct part parts[RANGES];
	size_t n, count = 1;

	if (!parts_read(pattern, parts, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		count *= parts[i].to - parts[i].from + 1;
	return count > MOST ? 0 : count;
}

bool minio_drive(const char *pattern, size_t i, char *room, size_t size)
{
	struct part parts[RANGES];
	unsigned long number[RANGES];
	size_t n, used = 0;
	const char *p = pattern;

	if (!parts_read(pattern, parts, &n))
		return false;
	for (size_t k = n; k-- > 0;) { /* the last range counts fastest */
		size_t m = parts[k].to - parts[k].from + 1;
		number[k] = parts[k].from + i % m;
		i /= m;
	}
	for (size_t k = 0; k < n; k++) {
		int len = snprintf(room + used, size - used, "%.*s%0*lu", (int)(parts[k].at - p), p, parts[k].width,
				   number[k]);
		if (len < 0 || (size_t)len >= size - used)
			return false;
		used += (size_t)len;
		p = parts[k].end;
	}
	return (size_t)snprintf(room + used, size - used, "%s", p) < size - used;
}

/* Is the name this text, the number, that text? */
static bool reads(const char *name, const char *of, size_t before, size_t behind, int64_t seq)
{
	char number[24];
	size_t len = strlen(name), n = (size_t)snprintf(number, sizeof number, "%" PRId64, seq);

	return len == before + n + behind && !strncmp(name, of, before) && !strncmp(name + before, number, n) &&
	       !strcmp(name + before + n, of + strlen(of) - behind);
}

bool minio_range(const char *const *names, const int64_t *seqs, size_t n, struct minio_range *r)
{
	char number[24];

	*r = (struct minio_range){.from = n ? seqs[0] : 0, .to = n ? seqs[0] : -1};
	for (size_t i = 0; i < n; i++) {
		if (seqs[i] < r->from)
			r->from = seqs[i], r->first = i;
		if (seqs[i] > r->to)
			r->to = seqs[i];
		for (size_t k = 0; k < i; k++)
			if (seqs[k] == seqs[i])
				return false;
	}
	if (!n || (uint64_t)(r->to - r->from) + 1 != n)
		return false;
	const char *of = names[r->first];
	size_t digits = (size_t)snprintf(number, sizeof number, "%" PRId64, r->from);
	for (const char *p = strstr(of, number); p; p = strstr(p + 1, number)) {
		size_t same = 0;
		r->before = (size_t)(p - of);
		r->behind = strlen(p + digits);
		while (same < n && reads(names[same], of, r->before, r->behind, seqs[same]))
			same++;
		if (same == n)
			return true;
	}
	return false;
}
