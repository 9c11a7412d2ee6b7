/*
 * What the files of pig-pack share. pig-pack is the program behind `pig repo`: it alone holds the libraries for
 * downloads and archives, so that no other start of pig pays for them, and what reads an archive from strangers runs in
 * a process of its own.
 *
 * A bundle is a tar, plain or gzip, of regular files: first `manifest`, then `manifest.sig`, then the files that the
 * manifest lists, in its order. Nothing behind the signature is read before it is known to be good.
 */
#ifndef PACK_PACK_H
#define PACK_PACK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "value/value.h"

/* ---- digests and signatures (sign.c) ---- */
enum { SHA_HEX = 64, SIG_BYTES = 64 };
struct sha;
struct sha *sha_new(struct arena *a);
void sha_add(struct sha *s, const void *p, size_t n);
const char *sha_hex(struct sha *s, struct arena *a);
const char *sha_of(struct arena *a, const void *p, size_t n);
/* Of a whole file; NULL and e when it cannot be read. size may be NULL. */
const char *sha_file(struct arena *a, const char *path, int64_t *size, struct err *e);

/* An Ed25519 key pair in PEM, made when absent: <stem>.key (0600) and <stem>.pub. */
bool sign_key(const char *stem, bool *made, struct err *e);
bool sign_text(struct arena *a, const char *key_file, const void *p, size_t n, unsigned char out[SIG_BYTES], struct err *e);
/* SHA-256 of the public key's DER form, as `openssl pkey -pubin -outform DER | sha256sum` has it. */
const char *sign_print(struct arena *a, const char *pub_pem, struct err *e);
/* Is the signature by one of the keys (texts in PEM)? *by is which one. */
bool sign_good(struct arena *a, const void *p, size_t n, const unsigned char *sig, const char *const *keys, size_t n_keys,
	       size_t *by, struct err *e);

/* ---- the manifest (manifest.c) ---- */
enum { MANIFEST_MOST = 16 << 20, FILES_MOST = 100000, PATH_MOST = 240 };
static const int64_t SIZE_MOST = (int64_t)64 << 30; /* of all files together */
struct packed {
	const char *path, *sha256;
	int64_t size;
	bool exec;
};
struct manifest {
	const char *name, *os, *arch;
	int64_t time, total;
	struct packed *files;
	size_t n;
	struct map by_path; /* path -> struct packed * */
};
/* Relative, no "." or ".." or empty parts, plain characters, not too long. */
bool path_sound(const char *path);
bool manifest_read(struct manifest *m, struct arena *a, const char *text, size_t len, struct err *e);
const char *manifest_text(struct arena *a, const struct manifest *m);

/* ---- archives (archive.c) ---- */
struct member {
	const char *path; /* in the archive */
	const char *file; /* where its bytes are; NULL: text */
	const char *text;
	size_t len;
	bool exec;
};
/* A tar in gzip's frame: the same bytes for the same members and time. */
bool archive_write(const char *path, const struct member *members, size_t n, int64_t time, struct err *e);
struct archive_look {
	const char *const *keys; /* PEM texts of those who may sign */
	size_t n_keys;
	const char *into;        /* folder that members are written to; NULL: only looked at */
	size_t by;               /* which key it was */
	struct manifest m;
};
/* Read from fd to its end; false at the first thing that is not as the manifest says. */
bool archive_read(struct archive_look *l, struct arena *a, int fd, const char *name, struct err *e);
/* The same in memory, for the fuzzer. */
bool archive_read_memory(struct archive_look *l, struct arena *a, const void *p, size_t n, struct err *e);
/* Verified into a folder beside its place, then moved there: all of it, or nothing. */
bool archive_extract(struct archive_look *l, struct arena *a, const char *file, const char *dir, bool replace,
		     struct err *e);

/* ---- control files (deb822.c) ---- */
struct deb {
	const char *package, *version, *arch, *sha256, *file /* name in its pool */, *stanza;
	const char *uri, *name /* of its file here */, *path /* of its file here */;
	int64_t size;
};
/* The paragraphs of an index, by `package version arch`; texts point into `text`, which is changed. */
bool index_read(struct map *out, struct map *names, struct arena *a, char *text, struct err *e);
/* A field's value on its own line, or NULL. */
const char *field_of(struct arena *a, const char *stanza, const char *name);

/* ---- apt (apt.c) ---- */
struct apt {
	struct arena *a;
	const char *dir;     /* private state, cache */
	const char *conf;
	const char *sources; /* lines of a sources.list; NULL: this machine's own */
	struct map debs;     /* "package version arch" -> struct deb * */
	struct map names;    /* of packages that really are there */
	const char *proxy;   /* of this machine's apt, or NULL */
	const char *identity; /* digest of what names the sources */
};
bool apt_open(struct apt *t, struct arena *a, const char *dir, const char *sources, struct err *e);
/* Fetch the indexes unless they are younger than max_age_s, then check each: InRelease by gpgv, Packages by its digest. */
bool apt_indexes(struct apt *t, int64_t max_age_s, struct err *e);
/* What has to be there for the names on a machine that has nothing. */
bool apt_solve(struct apt *t, const char *const *names, size_t n, struct deb ***out, size_t *n_out, struct err *e);

/* ---- downloads (fetch.c) ---- */
struct fetch {
	const char *uri, *path;   /* complete: path; before: path.part */
	const char *sha256;       /* NULL: not known */
	int64_t size;             /* -1: not known */
	bool done;                /* here before */
};
bool fetch_all(struct fetch *list, size_t n, const char *proxy, struct arena *a, struct err *e);

/* ---- the repo's own index (index.c) ---- */
struct repo {
	const char *dir;  /* where it is made */
	const char *name; /* pigsty */
	const char *keys; /* stem of the OpenPGP key: <keys>.sec, <keys>.gpg */
	const char *arch, *os, *codename;
	struct deb **debs;
	size_t n;
	int64_t time;
};
bool repo_index(struct repo *r, struct arena *a, struct err *e);
/* The newest time a package carries; and a package that comes as a file. */
int64_t deb_time(const char *path);
bool deb_open(struct deb *d, struct arena *a, const char *path, struct err *e);

bool build(const struct value *job, struct arena *a, struct err *e);

#endif
