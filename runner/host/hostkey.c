/*
 * known_hosts, read line by line: a line that cannot be read is passed over and takes no other with it. Keys are
 * compared whole, as bytes. @revoked is honoured, @cert-authority passed over. Not for: deciding what a changed key
 * means (ssh2.c).
 */
#include "host/hostkey.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "host/key.h"

enum { LINE_MAX_LEN = 16384, FILE_MAX_LEN = 64 << 20, SHA1_LEN = 20 };

static const struct {
	const char *name;
	unsigned bit;
} hostkey_types[] = {
	{ "ssh-ed25519", HOSTKEY_ED25519 },
	{ "ecdsa-sha2-nistp256", HOSTKEY_NIST256 },
	{ "ecdsa-sha2-nistp384", HOSTKEY_NIST384 },
	{ "ecdsa-sha2-nistp521", HOSTKEY_NIST521 },
	{ "ssh-rsa", HOSTKEY_RSA },
};

static unsigned hostkey_type_bit(const char *type)
{
	for (size_t i = 0; i < sizeof hostkey_types / sizeof *hostkey_types; i++)
		if (!strcmp(hostkey_types[i].name, type))
			return hostkey_types[i].bit;
	return HOSTKEY_OTHER;
}

const char *hostkey_name(struct arena *a, const char *host, int port)
{
	char *name = port == 22 ? arena_str(a, host) : arena_fmt(a, "[%s]:%d", host, port);

	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

static bool hostkey_hash(const unsigned char *salt, size_t n, const char *name, unsigned char out[SHA1_LEN])
{
	unsigned len = 0;

	return HMAC(EVP_sha1(), salt, (int)n, (const unsigned char *)name, strlen(name), out, &len) && len == SHA1_LEN;
}

/* "|1|salt|hash" */
static bool hostkey_match_hashed(const char *field, size_t n, const char *name)
{
	unsigned char salt[96], want[96], got[SHA1_LEN];
	const char *bar = n > 3 ? memchr(field + 3, '|', n - 3) : NULL;

	if (!bar || n < 4 || strncmp(field, "|1|", 3))
		return false;
	size_t salt_text = (size_t)(bar - field) - 3, hash_text = n - 4 - salt_text;
	if (!salt_text || salt_text > 96 || hash_text > 96)
		return false;
	long salt_n = key_base64(field + 3, salt_text, salt), want_n = key_base64(bar + 1, hash_text, want);
	return salt_n > 0 && want_n == SHA1_LEN && hostkey_hash(salt, (size_t)salt_n, name, got) &&
	       !memcmp(got, want, SHA1_LEN);
}

/* Glob with * and ?, n bytes of pattern; linear in practice as only the last star is gone back to. */
static bool hostkey_glob(const char *p, size_t n, const char *s)
{
	const char *end = p + n, *star = NULL, *mark = NULL;

	while (*s) {
		if (p < end && *p == '*') {
			star = ++p;
			mark = s;
		} else if (p < end && (*p == '?' || tolower((unsigned char)*p) == *s)) {
			p++;
			s++;
		} else if (star) {
			p = star;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

static bool hostkey_match(const char *field, size_t n, const char *name)
{
	bool hit = false;

	if (n && *field == '|')
		return hostkey_match_hashed(field, n, name);
	for (const char *end = field + n; field < end;) {
		const char *comma = memchr(field, ',', (size_t)(end - field));
		size_t len = (size_t)((comma ? comma : end) - field);
		bool not = len && *field == '!';
		if (hostkey_glob(field + not, len - not, name)) {
			if (not )
				return false;
			hit = true;
		}
		field += len + (comma != NULL);
	}
	return hit;
}

/* The next word of a line; false at its end. */
static bool hostkey_word(const char **p, const char *end, const char **word, size_t *n)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		++*p;
	*word = *p;
	while (*p < end && **p != ' ' && **p != '\t')
		++*p;
	*n = (size_t)(*p - *word);
	return *n > 0;
}

static void hostkey_settle(struct hostkey_found *f, enum hostkey_state state, const char *file, unsigned line)
{
	if (state <= f->state)
		return;
	f->state = state;
	f->file = file;
	f->line = line;
}

static void hostkey_scan_line(struct hostkey_found *f, const char *file, unsigned no, const char *p, const char *end,
			      const char *name, const void *blob, size_t n_blob)
{
	const char *hosts, *type, *text;
	size_t n_hosts, n_type, n_text;
	unsigned char raw[LINE_MAX_LEN];
	char inner[64];
	bool revoked = false;

	if (!hostkey_word(&p, end, &hosts, &n_hosts) || *hosts == '#' || end - hosts > LINE_MAX_LEN)
		return;
	if (*hosts == '@') {
		revoked = n_hosts == 8 && !memcmp(hosts, "@revoked", 8);
		if (!revoked || !hostkey_word(&p, end, &hosts, &n_hosts))
			return;
	}
	if (!hostkey_word(&p, end, &type, &n_type) || !hostkey_word(&p, end, &text, &n_text))
		return;
	long n = key_base64(text, n_text, raw);
	if (n <= 0 || !key_blob_type(raw, (size_t)n, inner, sizeof inner) || strlen(inner) != n_type ||
	    memcmp(inner, type, n_type))
		return;
	if (!hostkey_match(hosts, n_hosts, name))
		return;
	bool same = blob && (size_t)n == n_blob && !memcmp(raw, blob, n_blob);
	if (revoked) {
		if (same)
			hostkey_settle(f, HOSTKEY_REVOKED, file, no);
		return;
	}
	unsigned bit = hostkey_type_bit(inner);
	f->types |= bit;
	/* Another key of whatever type is a change: a stranger in between could else offer a type that is not recorded.
	 */
	hostkey_settle(f, same ? HOSTKEY_SAME : HOSTKEY_CHANGED, file, no);
}

void hostkey_scan(struct hostkey_found *f, const char *file, const char *text, size_t len, const char *name,
		  const void *blob, size_t n)
{
	unsigned no = 0;

	for (const char *p = text, *end = text + len; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
		no++;
		hostkey_scan_line(f, file, no, p, stop > p && stop[-1] == '\r' ? stop - 1 : stop, name, blob, n);
		p = nl ? nl + 1 : end;
	}
}

struct hostkey_found hostkey_find(const char *const *files, const char *name, const void *blob, size_t n)
{
	struct hostkey_found f = { HOSTKEY_UNKNOWN, 0, NULL, 0 };
	struct arena *a = arena_new();

	for (; files && *files; files++) {
		struct buf text = BUF(a);
		if (os_exists(*files) && os_read(&text, *files, FILE_MAX_LEN, NULL) && text.len)
			hostkey_scan(&f, *files, text.p, text.len, name, blob, n);
	}
	arena_free(a);
	return f;
}

static void hostkey_base64(struct buf *b, const void *p, size_t n)
{
	unsigned char *out = arena_get(b->a, n / 3 * 4 + 8);

	EVP_EncodeBlock(out, p, (int)n);
	buf_str(b, (const char *)out);
}

static bool hostkey_line(struct buf *b, const char *name, bool hashed, const void *blob, size_t n)
{
	unsigned char salt[SHA1_LEN], hash[SHA1_LEN];
	char type[64];

	if (!key_blob_type(blob, n, type, sizeof type))
		return false;
	if (hashed) {
		if (RAND_bytes(salt, sizeof salt) != 1 || !hostkey_hash(salt, sizeof salt, name, hash))
			return false;
		buf_str(b, "|1|");
		hostkey_base64(b, salt, sizeof salt);
		buf_ch(b, '|');
		hostkey_base64(b, hash, sizeof hash);
	} else {
		buf_str(b, name);
	}
	buf_fmt(b, " %s ", type);
	hostkey_base64(b, blob, n);
	buf_ch(b, '\n');
	return true;
}

/* One write under a lock: several hosts are met for the first time at once, and other programs append too. */
static bool hostkey_append(int fd, struct buf *line)
{
	struct stat st;
	char last = '\n';

	if (flock(fd, LOCK_EX) || fstat(fd, &st))
		return false;
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		return false;
	struct buf all = BUF(line->a);
	if (last != '\n')
		buf_ch(&all, '\n');
	buf_add(&all, line->p, line->len);
	return write(fd, all.p, all.len) == (ssize_t)all.len;
}

bool hostkey_record(const char *file, const char *name, bool hashed, const void *blob, size_t n, struct err *e)
{
	if (!file || !strcmp(file, "/dev/null") || !strcmp(file, "none"))
		return true;
	struct arena *a = arena_new();
	struct buf line = BUF(a);
	bool ok = os_mkdirs(os_dirname(a, file), 0700, e);
	if (ok) {
		autofd int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		ok = fd >= 0 && hostkey_line(&line, name, hashed, blob, n) && hostkey_append(fd, &line);
		if (!ok)
			fail(e, E_CONNECT, "could not record the host key of \"%s\" in \"%s\": %s", name, file,
			     strerror(errno));
	}
	arena_free(a);
	return ok;
}

const char *hostkey_methods(struct arena *a, unsigned types, bool rsa_sha2)
{
	struct buf b = BUF(a);
	unsigned can =
		HOSTKEY_ED25519 | HOSTKEY_NIST256 | HOSTKEY_NIST384 | HOSTKEY_NIST521 | (rsa_sha2 ? HOSTKEY_RSA : 0);
	unsigned want = types ? types & can : can;

	for (size_t i = 0; i < sizeof hostkey_types / sizeof *hostkey_types; i++) {
		if (!(want & hostkey_types[i].bit))
			continue;
		if (b.len)
			buf_ch(&b, ',');
		buf_str(&b, hostkey_types[i].bit == HOSTKEY_RSA ? "rsa-sha2-512,rsa-sha2-256" : hostkey_types[i].name);
	}
	return b.len ? b.p : NULL;
}

const char *hostkey_print(struct arena *a, const void *blob, size_t n)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buf b = BUF(a);

	if (!EVP_Digest(blob, n, sum, &len, EVP_sha256(), NULL))
		return "unknown";
	buf_str(&b, "SHA256:");
	hostkey_base64(&b, sum, len);
	while (b.len && b.p[b.len - 1] == '=')
		b.p[--b.len] = 0;
	return b.p;
}
