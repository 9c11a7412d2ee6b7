/*
 * Characters of UTF-8 text: counting, stepping, and the case of the alphabets a configuration meets (Latin, Greek,
 * Cyrillic, Armenian). It is not a Unicode library: other scripts have no case here.
 */
#include "text/tmpl_int.h"

size_t utf8_next(const char *s, size_t n, size_t at, uint32_t *cp)
{
	unsigned char c = (unsigned char)s[at];
	size_t more = c >= 0xF0 && c < 0xF8 ? 3 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xC0 && c < 0xE0 ? 1 : 0;
	uint32_t v = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;

	if (at + more >= n + (more ? 0 : 1))
		more = 0;
	for (size_t i = 1; i <= more; i++) {
		unsigned char d = (unsigned char)s[at + i];

		if ((d & 0xC0) != 0x80) {
			more = 0;
			break;
		}
		v = v << 6 | (d & 63u);
	}
	if (cp)
		*cp = more ? v : c;
	return at + more + 1;
}

bool utf8_valid(const char *s, size_t n)
{
	for (size_t i = 0, next; i < n; i = next) {
		uint32_t cp;

		next = utf8_next(s, n, i, &cp);
		if (next - i == 1 ? cp >= 0x80
				  : cp < (next - i == 2   ? 0x80u
					  : next - i == 3 ? 0x800u
							  : 0x10000u) ||
					    (cp >= 0xD800 && cp < 0xE000) || cp > 0x10FFFF)
			return false;
	}
	return true;
}

size_t utf8_len(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; count++)
		i = (unsigned char)s[i] < 0x80 ? i + 1 : utf8_next(s, n, i, NULL);
	return count;
}

size_t utf8_at(const char *s, size_t n, size_t i)
{
	size_t at = 0;

	while (i-- && at < n)
		at = utf8_next(s, n, at, NULL);
	return at;
}

void utf8_add(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_ch(b, (char)cp);
	} else if (cp < 0x800) {
		buf_ch(b, (char)(0xC0 | cp >> 6));
		buf_ch(b, (char)(0x80 | (cp & 63)));
	} else if (cp < 0x10000) {
		buf_ch(b, (char)(0xE0 | cp >> 12));
		buf_ch(b, (char)(0x80 | (cp >> 6 & 63)));
		buf_ch(b, (char)(0x80 | (cp & 63)));
	} else {
		buf_ch(b, (char)(0xF0 | (cp >> 18 & 7)));
		buf_ch(b, (char)(0x80 | (cp >> 12 & 63)));
		buf_ch(b, (char)(0x80 | (cp >> 6 & 63)));
		buf_ch(b, (char)(0x80 | (cp & 63)));
	}
}

/* Ranges whose letters come in pairs (step 2: upper then lower) or as two alphabets a fixed distance apart. */
static const struct { uint16_t from, to, distance; bool pairs, odd; } ranges[] = {
	{ 0x41, 0x5A, 32, false, false },     { 0xC0, 0xD6, 32, false, false },     { 0xD8, 0xDE, 32, false, false },
	{ 0x100, 0x12F, 1, true, false },     { 0x132, 0x137, 1, true, false },     { 0x139, 0x148, 1, true, true },
	{ 0x14A, 0x177, 1, true, false },     { 0x179, 0x17E, 1, true, true },      { 0x391, 0x3A1, 32, false, false },
	{ 0x3A3, 0x3AB, 32, false, false },   { 0x400, 0x40F, 80, false, false },   { 0x410, 0x42F, 32, false, false },
	{ 0x460, 0x481, 1, true, false },     { 0x48A, 0x4BF, 1, true, false },     { 0x531, 0x556, 48, false, false },
	{ 0x1E00, 0x1E95, 1, true, false },
};

static uint32_t utf8_map(uint32_t cp, bool up)
{
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		uint32_t from = ranges[i].from, to = ranges[i].to, d = ranges[i].distance;

		if (ranges[i].pairs) {
			bool is_upper = (cp & 1) == (ranges[i].odd ? 1 : 0);

			if (cp >= from && cp <= to && is_upper != up)
				return up ? cp - 1 : cp + 1;
		} else if (up ? cp >= from + d && cp <= to + d : cp >= from && cp <= to) {
			return up ? cp - d : cp + d;
		}
	}
	if (up && cp == 0xFF)
		return 0x178;
	if (!up && cp == 0x178)
		return 0xFF;
	if (up && cp == 0xB5)
		return 0x39C;
	if (up && cp == 0x3C2)
		return 0x3A3;
	return cp;
}

uint32_t utf8_upper(uint32_t cp)
{
	return utf8_map(cp, true);
}

uint32_t utf8_lower(uint32_t cp)
{
	return utf8_map(cp, false);
}

bool utf8_alpha(uint32_t cp)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp == 0xAA || cp == 0xB5 || cp == 0xBA ||
	       (cp >= 0xC0 && cp != 0xD7 && cp != 0xF7 && cp < 0x2000) || (cp >= 0x3040 && cp < 0xE000);
}

bool utf8_space(uint32_t cp)
{
	return (cp >= 9 && cp <= 13) || (cp >= 28 && cp <= 32) || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
	       (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
	       cp == 0x3000;
}

/* The bytes up to the first that is not ASCII; how many. */
static size_t ascii_case(struct buf *b, const char *s, size_t n, bool upper)
{
	char *to = buf_room(b, n), first = upper ? 'a' : 'A';
	size_t i = 0;

	for (; i < n && (unsigned char)s[i] < 0x80; i++)
		to[i] = (char)(s[i] ^ (s[i] >= first && s[i] <= first + 25 ? 32 : 0));
	to[i] = '\0';
	b->len += i;
	return i;
}

void utf8_case(struct buf *b, const char *s, size_t n, bool upper)
{
	for (size_t i = 0; i < n;) {
		size_t next = i + ascii_case(b, s + i, n - i, upper);
		uint32_t cp;

		if (next > i) {
			i = next;
			continue;
		}
		next = utf8_next(s, n, i, &cp);

		if (next == i + 1)
			buf_ch(b, s[i]);
		else if (upper && cp == 0xDF)
			buf_str(b, "SS");
		else
			utf8_add(b, utf8_map(cp, upper));
		i = next;
	}
}
