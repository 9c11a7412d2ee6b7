/* Issuing and re-using certificates with OpenSSL. Nothing here knows what a certificate is for. */
#include "ops/cert.h"
#include "base/os.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

struct ca {
	struct arena *a;
	const char *dir, *pem;
	X509 *crt;
	EVP_PKEY *key;
	bool dry, fresh;
	pthread_mutex_t lock;
};

static void ca_close(void *p)
{
	struct ca *ca = p;

	X509_free(ca->crt);
	EVP_PKEY_free(ca->key);
	pthread_mutex_destroy(&ca->lock);
}

static const char *pem_text(struct arena *a, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	const char *s = arena_strn(a, p, (size_t)n);

	BIO_free(bio);
	return s;
}

static const char *crt_pem(struct arena *a, X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	return pem_text(a, bio);
}

static const char *key_pem(struct arena *a, EVP_PKEY *k)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL);
	return pem_text(a, bio);
}

static X509 *crt_read(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return x;
}

static int no_passphrase(char *buf, int size, int rw, void *u)
{
	(void)buf, (void)size, (void)rw, (void)u;
	return -1;
}

static EVP_PKEY *key_read(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	return k;
}

static void ext_add(X509 *x, X509 *issuer, int nid, const char *text)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
	if (!ext)
		bug("certificate extension %s is wrong", text);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
}

static void name_add(X509_NAME *name, const char *field, const char *text)
{
	if (text)
		X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
}

static void serial_random(X509 *x)
{
	unsigned char raw[16];
	BIGNUM *n;

	if (RAND_bytes(raw, sizeof raw) != 1)
		bug("no random bytes");
	raw[0] &= 0x7f;
	n = BN_bin2bn(raw, sizeof raw, NULL);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
}

static X509 *crt_begin(EVP_PKEY *key, const char *cn, const char *ou, long days)
{
	X509 *x = X509_new();

	X509_set_version(x, 2);
	serial_random(x);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600); /* clocks differ a little */
	X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, NULL);
	name_add(X509_get_subject_name(x), "O", "pigsty");
	name_add(X509_get_subject_name(x), "OU", ou);
	name_add(X509_get_subject_name(x), "CN", cn);
	X509_set_pubkey(x, key);
	return x;
}

static bool ca_make(struct ca *ca, const char *cn, struct err *e)
{
	const char *folder = arena_fmt(ca->a, "%s/ca", ca->dir);

	ca->key = EVP_EC_gen("P-256");
	ca->crt = crt_begin(ca->key, cn, "ca", 36500);
	X509_set_issuer_name(ca->crt, X509_get_subject_name(ca->crt));
	ext_add(ca->crt, ca->crt, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
	ext_add(ca->crt, ca->crt, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
	ext_add(ca->crt, ca->crt, NID_subject_key_identifier, "hash");
	if (!X509_sign(ca->crt, ca->key, EVP_sha256()))
		return fail(e, E_BUG, "could not sign the CA's certificate");
	ca->pem = crt_pem(ca->a, ca->crt);
	ca->fresh = true;
	if (ca->dry)
		return true;
	const char *key = key_pem(ca->a, ca->key);
	/* the certificate last: with it the pair is whole */
	return os_mkdirs(ca->dir, 0755, e) && os_mkdirs(folder, 0700, e) &&
	       os_write(arena_fmt(ca->a, "%s/ca.key", folder), key, strlen(key), 0600, e) &&
	       os_write(arena_fmt(ca->a, "%s/ca.crt", folder), ca->pem, strlen(ca->pem), 0644, e);
}

bool ca_open(struct ca **out, struct arena *a, const char *dir, const char *cn, bool create, bool dry, struct err *e)
{
	struct ca *ca = arena_get(a, sizeof *ca);
	const char *key = arena_fmt(a, "%s/ca/ca.key", dir), *crt = arena_fmt(a, "%s/ca/ca.crt", dir);
	struct buf kb = BUF(a), cb = BUF(a);

	ca->a = a;
	ca->dir = arena_str(a, dir);
	ca->dry = dry;
	pthread_mutex_init(&ca->lock, NULL);
	arena_defer(a, ca_close, ca);
	*out = ca;
	if (!os_exists(key) && !os_exists(crt)) {
		if (create)
			return ca_make(ca, cn, e);
		fail(e, E_INPUT, "there is no local CA in \"%s/ca\"", dir);
		return err_hint(e, "Put ca.key and ca.crt there, or set ca_create: true.");
	}
	if (!os_exists(crt)) { /* a run was killed between the two: the key alone has signed nothing */
		if (create && !dry)
			return ca_make(ca, cn, e);
	}
	if (!os_read(&kb, key, 1 << 20, e) || !os_read(&cb, crt, 1 << 20, e))
		return err_wrap(e, "could not open the local CA");
	ca->crt = crt_read(buf_text(&cb));
	ca->key = key_read(buf_text(&kb));
	ca->pem = buf_text(&cb);
	if (!ca->crt || !ca->key || X509_check_private_key(ca->crt, ca->key) != 1) {
		fail(e, E_INPUT, "\"%s\" and \"%s\" are no certificate and key of one pair", crt, key);
		return err_hint(e, "Restore both from the same backup; a key with a passphrase is not read.");
	}
	return true;
}

const char *ca_pem(const struct ca *ca)
{
	return ca->pem;
}

bool ca_is_new(const struct ca *ca)
{
	return ca->fresh;
}

/* "DNS:a,DNS:b,IP:10.0.0.1", each once, in order */
static const char *sans_text(struct arena *a, const char *sans)
{
	struct buf b = BUF(a);

	for (const char *p = sans ? sans : ""; *p;) {
		size_t n = strcspn(p, ", ");
		const char *s = arena_strn(a, p, n);
		unsigned char addr[16];
		bool ip = inet_pton(AF_INET, s, addr) == 1 || inet_pton(AF_INET6, s, addr) == 1;
		const char *one = arena_fmt(a, "%s:%s", ip ? "IP" : "DNS", s);
		const char *have = b.len ? strstr(buf_text(&b), one) : NULL;
		size_t len = strlen(one);
		while (have && ((have[len] && have[len] != ',') || (have != b.p && have[-1] != ',')))
			have = strstr(have + 1, one);
		if (n && !have)
			buf_fmt(&b, "%s%s", b.len ? "," : "", one);
		p += n + (p[n] != 0);
	}
	return buf_text(&b);
}

/* The alternative names of a certificate in the same form. */
static const char *sans_of(struct arena *a, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct buf b = BUF(a);

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		char text[64] = "";
		if (b.len)
			buf_ch(&b, ',');
		if (g->type == GEN_DNS) {
			buf_fmt(&b, "DNS:%.*s", ASN1_STRING_length(g->d.dNSName), (const char *)ASN1_STRING_get0_data(g->d.dNSName));
		} else if (g->type == GEN_IPADD) {
			int n = ASN1_STRING_length(g->d.iPAddress);
			inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(g->d.iPAddress), text, sizeof text);
			buf_fmt(&b, "IP:%s", text);
		}
	}
	GENERAL_NAMES_free(names);
	return buf_text(&b);
}

static bool subject_is(X509 *x, int nid, const char *want)
{
	char text[256] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(x), nid, text, sizeof text);
	return !strcmp(text, want ? want : "");
}

static bool fits(struct ca *ca, struct arena *a, const struct cert_want *w, const char *crt, const char *key)
{
	X509 *x = crt_read(crt);
	EVP_PKEY *k = key_read(key);
	bool ok = x && k && X509_check_private_key(x, k) == 1 && X509_verify(x, ca->key) == 1;

	if (ok) {
		time_t soon = time(NULL) + 30L * 86400; /* renewed a month before the end */
		ok = X509_cmp_time(X509_get0_notAfter(x), &soon) > 0 && subject_is(x, NID_commonName, w->cn) &&
		     subject_is(x, NID_organizationalUnitName, w->ou) && !strcmp(sans_of(a, x), sans_text(a, w->sans)) &&
		     !(w->client && !(X509_get_extended_key_usage(x) & XKU_SSL_CLIENT));
	}
	X509_free(x);
	EVP_PKEY_free(k);
	return ok;
}

static bool leaf_make(struct ca *ca, struct arena *a, const struct cert_want *w, struct cert_got *got, struct err *e)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = crt_begin(key, w->cn, w->ou, w->days ? (long)w->days : 7300);
	const char *sans = sans_text(a, w->sans);

	X509_set_issuer_name(x, X509_get_subject_name(ca->crt));
	ext_add(x, ca->crt, NID_basic_constraints, "critical,CA:FALSE");
	ext_add(x, ca->crt, NID_key_usage, "critical,digitalSignature,keyAgreement");
	ext_add(x, ca->crt, NID_ext_key_usage, w->client ? "serverAuth,clientAuth" : "serverAuth");
	if (*sans)
		ext_add(x, ca->crt, NID_subject_alt_name, sans);
	ext_add(x, ca->crt, NID_subject_key_identifier, "hash");
	ext_add(x, ca->crt, NID_authority_key_identifier, "keyid:always");
	bool ok = X509_sign(x, ca->key, EVP_sha256()) != 0;
	got->crt = crt_pem(a, x);
	got->key = key_pem(a, key);
	got->issued = true;
	X509_free(x);
	EVP_PKEY_free(key);
	return ok || fail(e, E_BUG, "could not sign the certificate of %s", w->cn);
}

static bool issue_locked(struct ca *ca, struct arena *a, const struct cert_want *w, struct cert_got *got, struct err *e)
{
	const char *folder = arena_fmt(a, "%s/%s", ca->dir, w->store ? w->store : "misc");
	const char *crt = arena_fmt(a, "%s/%s.crt", folder, w->cn), *key = arena_fmt(a, "%s/%s.key", folder, w->cn);

	if (os_exists(crt) && os_exists(key)) {
		struct buf cb = BUF(a), kb = BUF(a);
		if (!os_read(&cb, crt, 1 << 20, e) || !os_read(&kb, key, 1 << 20, e))
			return false;
		if (fits(ca, a, w, buf_text(&cb), buf_text(&kb))) {
			got->crt = buf_text(&cb);
			got->key = buf_text(&kb);
			return true;
		}
	}
	got->issued = true;
	if (ca->dry)
		return true;
	return leaf_make(ca, a, w, got, e) && os_mkdirs(folder, 0755, e) && os_write(key, got->key, strlen(got->key), 0600, e) &&
	       os_write(crt, got->crt, strlen(got->crt), 0644, e);
}

bool ca_issue(struct ca *ca, struct arena *a, const struct cert_want *w, struct cert_got *got, struct err *e)
{
	*got = (struct cert_got){ 0 };
	if (strchr(w->cn, '/') || w->cn[0] == '.')
		return fail(e, E_INPUT, "a certificate may not be named \"%s\"", w->cn);
	pthread_mutex_lock(&ca->lock);
	bool ok = issue_locked(ca, a, w, got, e);
	pthread_mutex_unlock(&ca->lock);
	return ok;
}
