/* Private key files looked at from outside. Keys made by ssh-keygen where there is one. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "check.h"
#include "host/key.h"

static struct arena *a;
static const char *dir;

static enum key_kind made(const char *name, const char *options)
{
	const char *path = os_join(a, dir, name);
	const char *const argv[] = { "sh", "-c", arena_fmt(a, "ssh-keygen -q -f %s %s", path, options), NULL };
	struct buf out = BUF(a);

	os_run(&(struct os_cmd){ .argv = argv, .merge = true }, &out, &out, NULL, NULL);
	enum key_kind kind = key_look(path);
	unlink(path);
	unlink(arena_fmt(a, "%s.pub", path));
	return kind;
}

static enum key_kind of(const char *text)
{
	return key_kind_of(text, strlen(text));
}

static void test_blobs(void)
{
	char type[16];

	CHECK(key_blob_type((const unsigned char *)"\0\0\0\3abcrest", 11, type, sizeof type));
	CHECK_STR(type, "abc");
	CHECK(!key_blob_type((const unsigned char *)"\0\0\0\3ab", 6, type, sizeof type));
	CHECK(!key_blob_type((const unsigned char *)"\0\0\0", 3, type, sizeof type));
	CHECK(!key_blob_type((const unsigned char *)"\xff\xff\xff\xff"
						    "abc",
			     7, type, sizeof type));
	CHECK(!key_blob_type((const unsigned char *)"\0\0\0\0", 4, type, sizeof type));
	CHECK(!key_blob_type((const unsigned char *)"\0\0\0\3a\0c", 7, type, sizeof type));
	CHECK(!key_blob_type((const unsigned char *)"\0\0\0\x14"
						    "aaaaaaaaaaaaaaaaaaaa",
			     24, type, sizeof type));
}

static void test_base64(void)
{
	unsigned char out[16];

	CHECK_INT(key_base64("aGVsbG8=", 8, out), 5);
	CHECK(!memcmp(out, "hello", 5));
	CHECK_INT(key_base64("", 0, out), 0);
	CHECK_INT(key_base64("a b", 3, out), -1);
	CHECK_INT(key_base64("a=b", 3, out), -1);
}

int main(void)
{
	a = arena_new();
	dir = arena_fmt(a, "/tmp/pig-key-%d", (int)getpid());
	os_mkdirs(dir, 0700, NULL);
	if (made("probe", "-t ed25519 -N ''") == KEY_PLAIN) {
		CHECK_INT(made("ec", "-t ecdsa -N ''"), KEY_PLAIN);
		CHECK_INT(made("ecpem", "-t ecdsa -m PEM -N ''"), KEY_PLAIN);
		CHECK_INT(made("rsa", "-t rsa -b 2048 -N ''"), KEY_RSA);
		CHECK_INT(made("rsapem", "-t rsa -b 2048 -m PEM -N ''"), KEY_RSA);
		CHECK_INT(made("locked", "-t ed25519 -N sesame"), KEY_LOCKED);
		CHECK_INT(made("lockedpem", "-t rsa -b 2048 -m PEM -N sesame"), KEY_LOCKED);
		CHECK_INT(made("pkcs8", "-t rsa -b 2048 -m PKCS8 -N ''"), KEY_OTHER);
		CHECK_INT(made("lockedpkcs8", "-t rsa -b 2048 -m PKCS8 -N sesame"), KEY_LOCKED);
	} else {
		printf("no ssh-keygen: its keys are not tried\n");
	}
	CHECK_INT(key_look(os_join(a, dir, "nothing")), KEY_NONE);
	CHECK_INT(key_look(dir), KEY_UNREADABLE);
	rmdir(dir);
	CHECK_INT(of(""), KEY_OTHER);
	CHECK_INT(of("-----BEGIN OPENSSH PRIVATE KEY-----\n"), KEY_OTHER);
	CHECK_INT(of("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END"), KEY_OTHER);
	CHECK_INT(of("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n"), KEY_OTHER);
	CHECK_INT(of("-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n"), KEY_OTHER);
	test_blobs();
	test_base64();
	arena_free(a);
	return check_done();
}
