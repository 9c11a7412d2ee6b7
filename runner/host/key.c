/* Looking at private key files from outside: format, type, passphrase or not. Nothing secret is decoded or kept. */
#include "host/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"

enum { KEY_FILE_MAX = 65536 };

static int key_digit(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long key_base64(const char *text, size_t len, unsigned char *out)
{
	uint32_t bits = 0;
	int have = 0;
	long n = 0;

	while (len && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		int d = key_digit((unsigned char)text[i]);
		if (d < 0)
			return -1;
		bits = (bits << 6 | (uint32_t)d) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have & 0xff);
		}
	}
	return n;
}

/* A length-prefixed string of the SSH protocol at *at; moves behind it. */
static const unsigned char *key_string(const unsigned char *p, size_t len, size_t *at, size_t *n)
{
	if (len - *at < 4)
		return NULL;
	*n = (size_t)p[*at] << 24 | (size_t)p[*at + 1] << 16 | (size_t)p[*at + 2] << 8 | p[*at + 3];
	*at += 4;
	if (*n > len - *at)
		return NULL;
	*at += *n;
	return p + *at - *n;
}

int key_blob_type(const unsigned char *blob, size_t len, char *type, size_t cap)
{
	size_t at = 0, n;
	const unsigned char *s = key_string(blob, len, &at, &n);

	if (!s || !n || n >= cap || memchr(s, 0, n))
		return 0;
	memcpy(type, s, n);
	type[n] = 0;
	return 1;
}

static enum key_kind key_kind_openssh(const unsigned char *p, size_t len)
{
	static const char magic[] = "openssh-key-v1";
	size_t at = sizeof magic, n, n_pub;
	char type[64];

	if (len < sizeof magic || memcmp(p, magic, sizeof magic))
		return KEY_OTHER;
	const unsigned char *cipher = key_string(p, len, &at, &n);
	if (!cipher)
		return KEY_OTHER;
	bool locked = n != 4 || memcmp(cipher, "none", 4);
	if (!key_string(p, len, &at, &n) || !key_string(p, len, &at, &n) || len - at < 4)
		return KEY_OTHER;
	at += 4; /* the number of keys, always one */
	const unsigned char *pub = key_string(p, len, &at, &n_pub);
	if (!pub || !key_blob_type(pub, n_pub, type, sizeof type))
		return KEY_OTHER;
	if (locked)
		return KEY_LOCKED;
	if (!strcmp(type, "ssh-rsa"))
		return KEY_RSA;
	return !strcmp(type, "ssh-ed25519") || !strncmp(type, "ecdsa-sha2-", 11) ? KEY_PLAIN : KEY_OTHER;
}

enum key_kind key_kind_of(const char *text, size_t len)
{
	static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	const char *at = memmem(text, len, begin, sizeof begin - 1);
	char packed[KEY_FILE_MAX];
	unsigned char raw[KEY_FILE_MAX];
	size_t n = 0;

	if (!at) {
		if (memmem(text, len, "ENCRYPTED", 9))
			return KEY_LOCKED;
		if (memmem(text, len, "-----BEGIN RSA PRIVATE KEY-----", 31))
			return KEY_RSA;
		return memmem(text, len, "-----BEGIN EC PRIVATE KEY-----", 30) ? KEY_PLAIN : KEY_OTHER;
	}
	for (at += sizeof begin - 1; at < text + len && *at != '-' && n < sizeof packed; at++)
		if (*at != '\n' && *at != '\r' && *at != ' ')
			packed[n++] = *at;
	long got = key_base64(packed, n, raw);
	return got < 0 ? KEY_OTHER : key_kind_openssh(raw, (size_t)got);
}

enum key_kind key_look(const char *path)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[KEY_FILE_MAX];
	size_t len = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? KEY_NONE : KEY_UNREADABLE;
	for (ssize_t n; len < sizeof text; len += (size_t)n) {
		n = read(fd, text + len, sizeof text - len);
		if (n < 0)
			return KEY_UNREADABLE;
		if (!n)
			break;
	}
	enum key_kind kind = key_kind_of(text, len);
	explicit_bzero(text, sizeof text);
	return kind;
}

const char *key_kind_name(enum key_kind k)
{
	switch (k) {
	case KEY_NONE: return "no file";
	case KEY_UNREADABLE: return "an unreadable file";
	case KEY_PLAIN: return "a key";
	case KEY_RSA: return "an RSA key";
	case KEY_LOCKED: return "a key with a passphrase";
	case KEY_OTHER: return "a key of a kind that needs ssh(1)";
	}
	return "a key";
}
