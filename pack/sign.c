/* Digests, and who signed: SHA-256 and Ed25519 by OpenSSL. */
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>
#include "base/os.h"

struct sha {
	EVP_MD_CTX *md;
};

static void sha_end(void *p)
{
	EVP_MD_CTX_free(((struct sha *)p)->md);
}

struct sha *sha_new(struct arena *a)
{
	struct sha *s = arena_get(a, sizeof *s);

	s->md = EVP_MD_CTX_new();
	if (!s->md || !EVP_DigestInit_ex(s->md, EVP_sha256(), NULL))
		bug("SHA-256 is not there");
	arena_defer(a, sha_end, s);
	return s;
}

void sha_add(struct sha *s, const void *p, size_t n)
{
	if (!EVP_DigestUpdate(s->md, p, n))
		bug("SHA-256 failed");
}

static const char *hex(struct arena *a, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *s = arena_get(a, n * 2 + 1);

	for (size_t i = 0; i < n; i++) {
		s[i * 2] = digits[p[i] >> 4];
		s[i * 2 + 1] = digits[p[i] & 15];
	}
	return s;
}

const char *sha_hex(struct sha *s, struct arena *a)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_DigestFinal_ex(s->md, raw, &n))
		bug("SHA-256 failed");
	return hex(a, raw, n);
}

const char *sha_of(struct arena *a, const void *p, size_t n)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_Digest(p, n, raw, &len, EVP_sha256(), NULL))
		bug("SHA-256 failed");
	return hex(a, raw, len);
}

const char *sha_file(struct arena *a, const char *path, int64_t *size, struct err *e)
{
	struct sha *s = sha_new(a);
	static _Thread_local char block[1 << 16];
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t total = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && (n = read(fd, block, sizeof block)) > 0) {
		sha_add(s, block, (size_t)n);
		total += n;
	}
	if (n < 0) {
		fail(e, E_FAILED, "file \"%s\" cannot be read", path);
		err_detail(e, "%s", strerror(errno));
		return NULL;
	}
	if (size)
		*size = total;
	return sha_hex(s, a);
}

/* ---- Ed25519 ---- */
static bool ssl_fail(struct err *e, const char *what, const char *path)
{
	char text[256];

	ERR_error_string_n(ERR_get_error(), text, sizeof text);
	ERR_clear_error();
	fail(e, E_FAILED, "%s \"%s\"", what, path);
	return err_detail(e, "%s", text);
}

static const char *bio_text(struct arena *a, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	return arena_strn(a, p, (size_t)n);
}

static bool key_make(struct arena *a, const char *key, const char *pub, struct err *e)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *priv_text = BIO_new(BIO_s_mem()), *pub_text = BIO_new(BIO_s_mem());
	bool ok = k && PEM_write_bio_PrivateKey(priv_text, k, NULL, NULL, 0, NULL, NULL) &&
		  PEM_write_bio_PUBKEY(pub_text, k);

	if (ok) {
		const char *s = bio_text(a, priv_text), *p = bio_text(a, pub_text);
		ok = os_mkdirs(os_dirname(a, key), 0700, e) && os_write(key, s, strlen(s), 0600, e) &&
		     os_write(pub, p, strlen(p), 0644, e);
	} else {
		ssl_fail(e, "no key could be made for", key);
	}
	BIO_free(priv_text);
	BIO_free(pub_text);
	EVP_PKEY_free(k);
	return ok;
}

bool sign_key(const char *stem, bool *made, struct err *e)
{
	struct arena *a = arena_new();
	const char *key = arena_fmt(a, "%s.key", stem), *pub = arena_fmt(a, "%s.pub", stem);
	bool ok = true;

	*made = !os_exists(key);
	if (*made)
		ok = key_make(a, key, pub, e);
	else if (!os_exists(pub))
		ok = fail(e, E_INPUT, "\"%s\" is there and \"%s\" is not", key, pub);
	arena_free(a);
	return ok;
}

bool sign_text(struct arena *a, const char *key_file, const void *p, size_t n, unsigned char out[SIG_BYTES], struct err *e)
{
	struct buf text = BUF(a);
	size_t len = SIG_BYTES;

	if (!os_read(&text, key_file, 1 << 16, e))
		return false;
	BIO *b = BIO_new_mem_buf(text.p, (int)text.len);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = k && EVP_PKEY_get_id(k) == EVP_PKEY_ED25519 && EVP_DigestSignInit(md, NULL, NULL, NULL, k) == 1 &&
		  EVP_DigestSign(md, out, &len, p, n) == 1 && len == SIG_BYTES;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(k);
	BIO_free(b);
	return ok || ssl_fail(e, "no Ed25519 key is in", key_file);
}

static EVP_PKEY *pub_read(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *k = PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);

	BIO_free(b);
	if (k && EVP_PKEY_get_id(k) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(k);
		k = NULL;
	}
	ERR_clear_error();
	return k;
}

const char *sign_print(struct arena *a, const char *pub_pem, struct err *e)
{
	EVP_PKEY *k = pub_read(pub_pem);
	unsigned char *der = NULL;
	int n = k ? i2d_PUBKEY(k, &der) : -1;
	const char *s = n > 0 ? sha_of(a, der, (size_t)n) : NULL;

	OPENSSL_free(der);
	EVP_PKEY_free(k);
	if (!s)
		fail(e, E_INPUT, "not an Ed25519 public key in PEM");
	return s;
}

bool sign_good(struct arena *a, const void *p, size_t n, const unsigned char *sig, const char *const *keys, size_t n_keys,
	       size_t *by, struct err *e)
{
	for (size_t i = 0; i < n_keys; i++) {
		EVP_PKEY *k = pub_read(keys[i]);
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		bool good = k && EVP_DigestVerifyInit(md, NULL, NULL, NULL, k) == 1 &&
			    EVP_DigestVerify(md, sig, SIG_BYTES, p, n) == 1;
		EVP_MD_CTX_free(md);
		EVP_PKEY_free(k);
		ERR_clear_error();
		*by = i;
		if (good)
			return true;
	}
	(void)a;
	fail(e, E_INPUT, n_keys ? "its signature is by none of the keys known here" : "no key is known here to check its signature");
	return err_hint(e, "Name the public key of who built it with --key FILE, once you are sure of it.");
}
