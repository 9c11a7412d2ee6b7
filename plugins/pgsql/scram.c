/*
 * SCRAM-SHA-256 verifiers as PostgreSQL stores them. With the stored salt the wanted password can be compared without
 * keeping any state, and a new password reaches the server as a verifier only, never in plain text.
 */
#include "pgsql.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 32, SALT = 16, ROUNDS = 4096 };

struct keys {
	unsigned char stored[KEY], server[KEY];
};

static bool derive(struct keys *k, const char *password, const unsigned char *salt, int salt_n, int rounds)
{
	unsigned char salted[KEY], client[KEY];
	unsigned n = KEY;

	return PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, salt_n, rounds, EVP_sha256(), KEY, salted) &&
	       HMAC(EVP_sha256(), salted, KEY, (const unsigned char *)"Client Key", 10, client, &n) &&
	       EVP_Digest(client, KEY, k->stored, &n, EVP_sha256(), NULL) &&
	       HMAC(EVP_sha256(), salted, KEY, (const unsigned char *)"Server Key", 10, k->server, &n);
}

/* Base64 of exactly want bytes (or of any number up to 64 when want is 0); the number decoded, or -1. */
static int decode(unsigned char *out, const char *s, size_t n, int want)
{
	int got, pad = 0;

	if (!n || n % 4 || n > 88)
		return -1;
	while (pad < 2 && s[n - 1 - (size_t)pad] == '=')
		pad++;
	got = EVP_DecodeBlock(out, (const unsigned char *)s, (int)n) - pad;
	return got < 0 || (want && got != want) ? -1 : got;
}

/* SCRAM-SHA-256$<rounds>:<salt>$<stored key>:<server key> */
bool scram_matches(const char *verifier, const char *password)
{
	static const char head[] = "SCRAM-SHA-256$";
	unsigned char salt[96], stored[96], server[96];
	const char *p, *a, *b, *c;
	struct keys k;
	long rounds;
	int salt_n;

	if (strncmp(verifier, head, sizeof head - 1))
		return false;
	rounds = strtol(verifier + sizeof head - 1, (char **)&p, 10);
	if (*p++ != ':' || rounds < 1 || rounds > 10000000 || !(a = strchr(p, '$')) || !(b = strchr(a, ':')))
		return false;
	c = b + 1 + strcspn(b + 1, "\n |");
	salt_n = decode(salt, p, (size_t)(a - p), 0);
	if (salt_n < 0 || decode(stored, a + 1, (size_t)(b - a - 1), KEY) < 0 ||
	    decode(server, b + 1, (size_t)(c - b - 1), KEY) < 0)
		return false;
	return derive(&k, password, salt, salt_n, (int)rounds) && !memcmp(k.stored, stored, KEY) &&
	       !memcmp(k.server, server, KEY);
}

const char *scram_make(pig_task *t, const char *password)
{
	unsigned char salt[SALT];
	char text[3][64];
	struct keys k;

	if (RAND_bytes(salt, SALT) != 1 || !derive(&k, password, salt, SALT, ROUNDS)) {
		t->host->fail(t, "the crypto library gives no random bytes or no SHA-256");
		return "";
	}
	EVP_EncodeBlock((unsigned char *)text[0], salt, SALT);
	EVP_EncodeBlock((unsigned char *)text[1], k.stored, KEY);
	EVP_EncodeBlock((unsigned char *)text[2], k.server, KEY);
	return t->host->secret(t, pig_fmt(t, "SCRAM-SHA-256$%d:%s$%s:%s", ROUNDS, text[0], text[1], text[2]));
}

const char *md5_make(pig_task *t, const char *user, const char *password)
{
	const char *both = t->host->secret(t, pig_fmt(t, "%s%s", password, user));
	unsigned char sum[16];
	char hex[33];

	if (EVP_Digest(both, strlen(both), sum, NULL, EVP_md5(), NULL) != 1) {
		t->host->fail(t, "the crypto library has no MD5, which pg_pwd_enc asks for");
		return "";
	}
	for (size_t i = 0; i < sizeof sum; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	return t->host->secret(t, pig_fmt(t, "md5%s", hex));
}
