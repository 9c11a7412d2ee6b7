/*
 * Any bytes as a manifest, which has to come out of its own text again, and as the tar of a bundle, before and behind a
 * good signature. The key is made at the start; the manifest that it signs is that of the input's first half.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void manifest(struct arena *a, const uint8_t *data, size_t size)
{
	struct manifest m, again;
	struct err e = { 0 };

	if (!manifest_read(&m, a, (const char *)data, size, &e)) {
		if (e.code != E_INPUT || !*e.msg)
			abort();
		return;
	}
	const char *text = manifest_text(a, &m);
	if (strlen(text) != size || memcmp(text, data, size) != 0 || !manifest_read(&again, a, text, size, &e) || again.n != m.n)
		abort();
	for (size_t i = 0; i < m.n; i++)
		if (m.files[i].path[0] == '/' || strstr(m.files[i].path, "..") == m.files[i].path)
			abort();
}

/* One plain member of a tar. */
static void member(struct buf *b, const char *name, const void *p, size_t n)
{
	static const char zeros[512];
	char head[512] = { 0 };
	unsigned sum = 0;

	strcpy(head, name);
	memcpy(head + 100, "0000644", 8);
	memcpy(head + 108, "0000000", 8);
	memcpy(head + 116, "0000000", 8);
	snprintf(head + 124, 12, "%011zo", n);
	memcpy(head + 136, "00000000000", 12);
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	buf_add(b, head, 512);
	buf_add(b, p, n);
	buf_add(b, zeros, (512 - n % 512) % 512);
}

static void archive(struct arena *a, const uint8_t *data, size_t size)
{
	static char stem[] = "/tmp/pig-fuzz-key", *pem;
	struct archive_look l = { 0 };
	struct buf tar = BUF(a), text = BUF(a);
	unsigned char sig[SIG_BYTES];
	struct err e = { 0 };
	size_t half = size / 2;
	bool made;

	if (!pem) {
		static struct arena *keep; /* as long as the process */
		keep = arena_new();
		struct buf b = BUF(keep);
		if (!sign_key(stem, &made, &e) || !os_read(&b, "/tmp/pig-fuzz-key.pub", 0, &e))
			abort();
		pem = b.p;
	}
	l.keys = (const char *const *)&pem;
	l.n_keys = 1;
	archive_read_memory(&l, a, data, size, &e);
	/* a good head, then anything */
	buf_str(&text, "pig-bundle 1\nname x\nos d a\ntime 1\n");
	buf_fmt(&text, "file %s %zu - a\n", sha_of(a, data, half), half);
	buf_fmt(&text, "file %s %zu x b/c\n", sha_of(a, data + half, size - half), size - half);
	if (!sign_text(a, "/tmp/pig-fuzz-key.key", text.p, text.len, sig, &e))
		abort();
	member(&tar, "manifest", text.p, text.len);
	member(&tar, "manifest.sig", sig, SIG_BYTES);
	buf_add(&tar, data, size);
	memset(&e, 0, sizeof e);
	if (!archive_read_memory(&l, a, tar.p, tar.len, &e) && (!e.code || !*e.msg))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();

	manifest(a, data, size);
	archive(a, data, size);
	arena_free(a);
	return 0;
}
