/*
 * Hashes by OpenSSL, and password_hash: the SHA-256 and SHA-512 schemes of crypt(3) ("$5$", "$6$"), written out here
 * from their published description because libcrypt is not on every system in the same form.
 */
#include "text/rows.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const digests[] = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-512"};
enum { DIGESTS = sizeof digests / sizeof *digests };

/* OpenSSL looks for a digest among its providers at each use, unless it was fetched: that took longer than the digest. */
static const EVP_MD *fetched(size_t i)
{
	static EVP_MD *_Atomic known[DIGESTS];
	EVP_MD *md = atomic_load(&known[i]), *none = NULL;

	if (md)
		return md;
	md = EVP_MD_fetch(NULL, digests[i], NULL);
	if (md && !atomic_compare_exchange_strong(&known[i], &none, md)) {
		EVP_MD_free(md);
		md = none; /* another thread was first */
	}
	return md;
}

enum { DIGEST_STEPS = 4 }; /* besides its text's, for OpenSSL's making and taking down a context */

static struct value *digest(struct call *k, const EVP_MD *md)
{
	static const char hex[] = "0123456789abcdef";
	size_t n;
	const char *s = call_in(k, &n);
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buf b = BUF(k->c->a);

	if (!ctx_step(k->c, k->at, DIGEST_STEPS + n / 256))
		return NULL;
	if (!md || !EVP_Digest(s, n, sum, &len, md, NULL))
		return call_fail(k, "the system's OpenSSL does not offer this hash");
	for (unsigned i = 0; i < len; i++) {
		buf_ch(&b, hex[sum[i] >> 4]);
		buf_ch(&b, hex[sum[i] & 15]);
	}
	return op_buf(k->c, &b);
}

struct value *filter_md5(struct call *k) { return digest(k, fetched(0)); }
struct value *filter_checksum(struct call *k) { return digest(k, fetched(1)); }

struct value *filter_hash(struct call *k)
{
	const char *type = call_str(k, 0, "sha1");

	for (size_t i = 0; i < DIGESTS; i++) {
		if (!strcmp(digests[i], type))
			return digest(k, fetched(i));
	}
	return call_fail(k, "there is no hash \"%s\"", type);
}

/* A UUID as text, with or without its dashes, braces and "urn:uuid:". */
static bool uuid_read(const char *s, unsigned char *bytes)
{
	unsigned n = 0;

	if (!strncmp(s, "urn:", 4))
		s += 4;
	if (!strncmp(s, "uuid:", 5))
		s += 5;
	for (; *s; s++) {
		const char *digits = "0123456789abcdefABCDEF", *hit = strchr(digits, *s);
		unsigned v = hit ? (unsigned)(hit - digits) : 0;

		if (strchr("-{}", *s))
			continue;
		if (!hit || n == 32)
			return false;
		v = v > 15 ? v - 6 : v;
		bytes[n / 2] = (unsigned char)(n & 1 ? bytes[n / 2] | v : v << 4);
		n++;
	}
	return n == 32;
}

/* Version 5: the SHA-1 of the namespace and the text, cut. */
struct value *filter_to_uuid(struct call *k)
{
	const char *space = call_str(k, 0, "361e6d51-faec-444a-9079-341386da8e2e"), *s;
	unsigned char sum[EVP_MAX_MD_SIZE], *text;
	struct buf b = BUF(k->c->a);
	size_t n;

	s = call_in(k, &n);
	text = arena_get(k->c->a, n + 16);
	if (!uuid_read(space, text))
		return call_fail(k, "the namespace \"%.60s\" is no UUID", space);
	memcpy(text + 16, s, n);
	if (!ctx_step(k->c, k->at, DIGEST_STEPS + n / 256))
		return NULL;
	if (!EVP_Digest(text, n + 16, sum, NULL, EVP_sha1(), NULL))
		return call_fail(k, "the system's OpenSSL does not offer SHA-1");
	sum[6] = (unsigned char)((sum[6] & 0x0F) | 0x50);
	sum[8] = (unsigned char)((sum[8] & 0x3F) | 0x80);
	for (unsigned i = 0; i < 16; i++)
		buf_fmt(&b, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", sum[i]);
	return op_buf(k->c, &b);
}

/* ---- crypt(3)'s SHA schemes ---- */
enum { ROUNDS_LEAST = 1000, ROUNDS_MOST = 1000000, SALT_MOST = 16 };

struct sha {
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	size_t len; /* of one digest */
	bool begun;
};

static void sha_begin(struct sha *h)
{
	/* naming the digest again would look it up again, which takes longer than a short text */
	if (!EVP_DigestInit_ex(h->ctx, h->begun ? NULL : h->md, NULL))
		bug("OpenSSL cannot begin a digest");
	h->begun = true;
}

static void sha_add(struct sha *h, const void *p, size_t n)
{
	if (!EVP_DigestUpdate(h->ctx, p, n))
		bug("OpenSSL cannot go on with a digest");
}

static void sha_end(struct sha *h, unsigned char *sum)
{
	if (!EVP_DigestFinal_ex(h->ctx, sum, NULL))
		bug("OpenSSL cannot end a digest");
}

/* n bytes, filled with one digest over and over */
static void sha_add_times(struct sha *h, const unsigned char *sum, size_t n)
{
	for (; n > h->len; n -= h->len)
		sha_add(h, sum, h->len);
	sha_add(h, sum, n);
}

static void sha_stretch(const struct sha *h, unsigned char *to, const unsigned char *sum, size_t n)
{
	for (; n > h->len; n -= h->len, to += h->len)
		memcpy(to, sum, h->len);
	memcpy(to, sum, n);
}

static void sha_first(struct sha *h, const char *key, size_t kn, const char *salt, size_t sn, unsigned char *sum)
{
	unsigned char other[64];

	sha_begin(h);
	sha_add(h, key, kn);
	sha_add(h, salt, sn);
	sha_add(h, key, kn);
	sha_end(h, other);
	sha_begin(h);
	sha_add(h, key, kn);
	sha_add(h, salt, sn);
	sha_add_times(h, other, kn);
	for (size_t bits = kn; bits; bits >>= 1) {
		if (bits & 1)
			sha_add(h, other, h->len);
		else
			sha_add(h, key, kn);
	}
	sha_end(h, sum);
}

static void sha_rounds(struct sha *h, const unsigned char *key, size_t kn, const unsigned char *salt, size_t sn,
		       unsigned char *sum, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		sha_begin(h);
		i & 1 ? sha_add(h, key, kn) : sha_add(h, sum, h->len);
		if (i % 3)
			sha_add(h, salt, sn);
		if (i % 7)
			sha_add(h, key, kn);
		i & 1 ? sha_add(h, sum, h->len) : sha_add(h, key, kn);
		sha_end(h, sum);
	}
}

static void sha_crypt(struct arena *a, struct sha *h, const char *key, const char *salt, size_t sn, unsigned rounds,
		      unsigned char *sum)
{
	size_t kn = strlen(key);
	unsigned char one[64], *p = arena_get(a, kn + 1), *s = arena_get(a, sn + 1);

	sha_first(h, key, kn, salt, sn, sum);
	sha_begin(h);
	for (size_t i = 0; i < kn; i++)
		sha_add(h, key, kn);
	sha_end(h, one);
	sha_stretch(h, p, one, kn);
	sha_begin(h);
	for (unsigned i = 0; i < 16u + sum[0]; i++)
		sha_add(h, salt, sn);
	sha_end(h, one);
	sha_stretch(h, s, one, sn);
	sha_rounds(h, p, kn, s, sn, sum, rounds);
	OPENSSL_cleanse(p, kn);
}

static const char digits64[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void add64(struct buf *b, unsigned v, unsigned chars)
{
	for (; chars; chars--, v >>= 6)
		buf_ch(b, digits64[v & 63]);
}

/* The digest's bytes in the order that the schemes write them: three columns, turned after each row. */
static void sha_write(struct buf *b, const unsigned char *d, bool long_one)
{
	unsigned third = long_one ? 21 : 10, x = 0, y = third, z = 2 * third;

	for (unsigned i = 0; i < third; i++) {
		unsigned was = x;

		add64(b, (unsigned)d[x] << 16 | (unsigned)d[y] << 8 | d[z], 4);
		if (long_one) {
			x = y + 1;
			y = z + 1;
			z = was + 1;
		} else {
			x = z + 1;
			z = y + 1;
			y = was + 1;
		}
	}
	if (long_one)
		add64(b, d[63], 2);
	else
		add64(b, (unsigned)d[31] << 8 | d[30], 3);
}

static const char *salt_random(struct call *k, size_t n)
{
	unsigned char bytes[SALT_MOST];
	char *salt = arena_get(k->c->a, n + 1);

	if (RAND_bytes(bytes, (int)n) != 1)
		bug("OpenSSL has no random bytes");
	for (size_t i = 0; i < n; i++)
		salt[i] = digits64[bytes[i] & 63];
	return salt;
}

struct value *filter_password_hash(struct call *k)
{
	const char *type = call_str(k, 0, "sha512"), *key = call_in(k, NULL), *salt = call_str(k, 1, NULL);
	bool long_one = !strcmp(type, "sha512") || !strcmp(type, "sha512_crypt");
	int64_t size = call_int(k, 2, SALT_MOST), rounds = call_int(k, 3, long_one ? 656000 : 535000);
	struct sha h = { .md = long_one ? EVP_sha512() : EVP_sha256(), .len = long_one ? 64 : 32 };
	unsigned char sum[64];
	struct buf b = BUF(k->c->a);

	if (!long_one && strcmp(type, "sha256") && strcmp(type, "sha256_crypt"))
		return call_fail(k, "hashtype is sha512 or sha256, not \"%s\"", type);
	if (size < 1 || size > SALT_MOST ||
	    (salt && (!*salt || strlen(salt) > SALT_MOST || salt[strspn(salt, digits64)])))
		return call_fail(k, "a salt is 1 to 16 letters, digits, dots and slashes");
	if (rounds < ROUNDS_LEAST || rounds > ROUNDS_MOST || strlen(key) > 512)
		return call_fail(k, "rounds are 1000 to 1000000, and a password has at most 512 bytes");
	if (k->c->failed || !ctx_step(k->c, k->at, (uint64_t)rounds / 2 * (1 + strlen(key) / 64)))
		return NULL;
	if (!salt)
		salt = salt_random(k, (size_t)size);
	h.ctx = EVP_MD_CTX_new();
	if (!h.ctx)
		bug("out of memory");
	sha_crypt(k->c->a, &h, key, salt, strlen(salt), (unsigned)rounds, sum);
	EVP_MD_CTX_free(h.ctx);
	buf_fmt(&b, "$%c$", long_one ? '6' : '5');
	if (rounds != 5000)
		buf_fmt(&b, "rounds=%d$", (int)rounds);
	buf_fmt(&b, "%s$", salt);
	sha_write(&b, sum, long_one);
	return op_buf(k->c, &b);
}
