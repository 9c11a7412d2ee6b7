/* The map: many keys that differ in one character, wherever it stands; order, replacing, removing. */
#include "check.h"

#include <stdlib.h>

#include "base/map.h"

static struct arena *a;

static const char *key_of(int i)
{
	switch (i % 4) {
	case 0:
		return arena_fmt(a, "%d", i);
	case 1:
		return arena_fmt(a, "a_name_of_some_length_%d", i);
	case 2:
		return arena_fmt(a, "%d_and_what_all_have_alike", i);
	default:
		return arena_fmt(a, "10.%d.%d.%d", i / 62500, i / 250 % 250, i % 250);
	}
}

static void test_many(void)
{
	enum { N = 20000 };
	struct map m = MAP(a);
	int wrong = 0, *vals = arena_new_of(a, int, N);

	CHECK(!map_get(&m, "") && !map_has(&m, "x") && !map_del(&m, "x"));
	for (int i = 0; i < N; i++) {
		wrong += map_has(&m, key_of(i));
		map_put(&m, key_of(i), &vals[i]);
	}
	CHECK_INT(m.n, N);
	for (int i = 0; i < N; i++) {
		const char *key = key_of(i);
		wrong += map_get(&m, key) != &vals[i] || map_get_hashed(&m, key, hash_str(key)) != &vals[i];
		wrong += strcmp(m.items[i].key, key) != 0; /* in the order they came */
		wrong += map_has(&m, arena_fmt(a, "%s ", key));
	}
	CHECK_INT(wrong, 0);
	map_put(&m, key_of(7), &vals[0]);
	CHECK_INT(m.n, N);
	CHECK(map_get(&m, key_of(7)) == &vals[0]);
	for (int i = 0; i < 50; i++)
		wrong += !map_del(&m, key_of(i * 3)) || map_has(&m, key_of(i * 3));
	CHECK_INT(m.n, N - 50);
	for (int i = 150; i < N; i++)
		wrong += map_get(&m, key_of(i)) != &vals[i];
	CHECK_INT(wrong, 0);
}

/* Keys are told apart wherever they differ: no hash hangs on a part of them alone. */
static void test_hash(void)
{
	enum { BITS = 12, N = 1 << BITS };
	static char used[N];
	char key[41];

	for (size_t len = 1; len <= 40; len++)
		for (size_t at = 0; at < len; at += len > 9 ? 7 : 1) {
			int n = 0;
			memset(used, 0, sizeof used);
			memset(key, 'k', len);
			key[len] = '\0';
			for (int c = 1; c < 256; c++) {
				key[at] = (char)c;
				n += !used[hash_str(key) & (N - 1)]++;
			}
			if (!CHECK(n > 200)) /* 247 by chance, of 255 */
				fprintf(stderr, "length %zu, place %zu: %d\n", len, at, n);
		}
	CHECK(hash_str("ab") != hash_str("ba") && hash_str("") != hash_str("a") && hash_str("aa") != hash_str("aaa"));
}

static void test_few(void)
{
	struct map m = MAP(a);
	static const char *const keys[] = { "", "a", "ab", "abc", "abcd", "abcde", "abce", "b", "abcdef", "abcdeg" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		map_put(&m, keys[i], (void *)(uintptr_t)&keys[i]);
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			CHECK(map_has(&m, keys[k]) == (k <= i));
	}
}

int main(void)
{
	a = arena_new();
	test_many();
	test_hash();
	test_few();
	arena_free(a);
	return check_done();
}
