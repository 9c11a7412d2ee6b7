/*
 * The envelope: a header line "$ANSIBLE_VAULT;1.1;AES256" or "...;1.2;AES256;id", then hex in lines of 80, which is hex again of
 * salt, HMAC and ciphertext on a line each. AES-256-CTR with PKCS#7 padding, HMAC-SHA256 over the ciphertext, both keys and the
 * counter from PBKDF2-HMAC-SHA256 with 10,000 rounds. Key material is wiped when the ring's arena ends.
 */
#include "value/vault.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

enum { ROUNDS = 10000, KEY = 32, BLOCK = 16, MAC = 32, SALT = 32, SALT_MAX = 1024, LINE = 80, ID_MAX = 255, CACHED = 4096 };
enum { DEEP = 256 };

static const char lead[] = "$ANSIBLE_VAULT;";

struct keys { unsigned char cipher[KEY], mac[KEY], counter[BLOCK]; };

struct password {
	const char *id;
	unsigned char *bytes;
	size_t n;
};

struct derived {
	uint32_t password; /* index */
	size_t n_salt;
	const unsigned char *salt;
	struct keys keys;
};

struct vault {
	struct arena *a;
	pthread_mutex_t lock; /* guards all below */
	struct password *passwords;
	uint32_t n, cap;
	struct derived **derived;
	uint32_t n_derived, cap_derived;
	bool match_only, loaded;
	bool (*load)(struct vault *v, void *ctx, struct err *e);
	void *ctx;
	struct err bad; /* why loading failed */
};

/* ---- the ring ---- */
static void wipe(void *p)
{
	struct vault *v = p;

	for (uint32_t i = 0; i < v->n; i++)
		OPENSSL_cleanse(v->passwords[i].bytes, v->passwords[i].n);
	for (uint32_t i = 0; i < v->n_derived; i++)
		OPENSSL_cleanse(&v->derived[i]->keys, sizeof v->derived[i]->keys);
	pthread_mutex_destroy(&v->lock);
}

struct vault *vault_new(struct arena *a)
{
	struct vault *v = arena_new_of(a, struct vault, 1);

	v->a = a;
	pthread_mutex_init(&v->lock, NULL);
	arena_defer(a, wipe, v);
	return v;
}

bool vault_add(struct vault *v, const char *id, const void *password, size_t n, struct err *e)
{
	if (!n)
		return fail(e, E_INPUT, "the vault password of \"%s\" is empty", id);
	bool sound = *id && strlen(id) <= ID_MAX;
	for (const char *s = id; *s; s++)
		sound &= *s >= ' ' && *s < 0x7f && *s != ';';
	if (!sound)
		return fail(e, E_INPUT, "\"%s\" is no vault id: 1 to %d characters of ASCII without \";\"", id, ID_MAX);
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 4;
		struct password *more = arena_new_of(v->a, struct password, v->cap);
		if (v->n)
			memcpy(more, v->passwords, v->n * sizeof *more);
		v->passwords = more;
	}
	v->passwords[v->n++] = (struct password){ arena_str(v->a, id), arena_dup(v->a, password, n), n };
	return true;
}

void vault_on_need(struct vault *v, bool (*load)(struct vault *v, void *ctx, struct err *e), void *ctx)
{
	v->load = load;
	v->ctx = ctx;
}

void vault_match_id(struct vault *v, bool only)
{
	v->match_only = only;
}

/* The lock is held. */
static bool load(struct vault *v, struct err *e)
{
	if (!v->loaded && v->load)
		v->load(v, v->ctx, &v->bad);
	v->loaded = true;
	if (v->bad.code && e)
		*e = v->bad;
	return !v->bad.code;
}

bool vault_load(struct vault *v, struct err *e)
{
	pthread_mutex_lock(&v->lock);
	bool ok = load(v, e);
	pthread_mutex_unlock(&v->lock);
	return ok;
}

uint32_t vault_count(const struct vault *v)
{
	return v->n;
}

const char *vault_id(const struct vault *v, uint32_t i)
{
	return i < v->n ? v->passwords[i].id : NULL;
}

/* ---- keys ---- */
/* The lock is held. Derivation costs milliseconds, on purpose: each password meets each salt once. */
static bool keys_get(struct vault *v, uint32_t password, const unsigned char *salt, size_t n, struct keys *out, struct err *e)
{
	const struct password *p = &v->passwords[password];
	struct derived *d;

	for (uint32_t i = 0; i < v->n_derived; i++) {
		d = v->derived[i];
		if (d->password == password && d->n_salt == n && !memcmp(d->salt, salt, n)) {
			*out = d->keys;
			return true;
		}
	}
	if (!PKCS5_PBKDF2_HMAC((const char *)p->bytes, (int)p->n, salt, (int)n, ROUNDS, EVP_sha256(), sizeof *out,
			       (unsigned char *)out))
		return fail(e, E_FAILED, "the key of a vault password could not be derived");
	if (v->n_derived == CACHED)
		return true;
	if (v->n_derived == v->cap_derived) {
		v->cap_derived = v->cap_derived ? v->cap_derived * 2 : 16;
		struct derived **more = arena_new_of(v->a, struct derived *, v->cap_derived);
		if (v->n_derived)
			memcpy(more, v->derived, v->n_derived * sizeof *more);
		v->derived = more;
	}
	d = arena_new_of(v->a, struct derived, 1);
	*d = (struct derived){ password, n, arena_dup(v->a, salt, n), *out };
	v->derived[v->n_derived++] = d;
	return true;
}

/* ---- hex ---- */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 2n digits to n bytes; NULL when there is another character or an odd one. */
static unsigned char *unhex(struct arena *a, const char *s, size_t n, size_t *out_n)
{
	unsigned char *out = arena_get(a, n / 2 + 1);

	if (n % 2)
		return NULL;
	for (size_t i = 0; i < n; i += 2) {
		int hi = digit(s[i]), lo = digit(s[i + 1]);
		if (hi < 0 || lo < 0)
			return NULL;
		out[i / 2] = (unsigned char)(hi << 4 | lo);
	}
	*out_n = n / 2;
	return out;
}

static void hex(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *s = p;
	char *to = buf_room(b, n * 2 + 1);

	for (size_t i = 0; i < n; i++) {
		to[i * 2] = digits[s[i] >> 4];
		to[i * 2 + 1] = digits[s[i] & 15];
	}
	to[n * 2] = 0;
	b->len += n * 2;
}

/* ---- envelopes ---- */
struct envelope {
	const char *id; /* NULL: 1.1 without one */
	const unsigned char *salt, *mac, *text;
	size_t n_salt, n_text;
};

bool vault_is(const char *text, size_t n)
{
	return n >= sizeof lead - 1 && !memcmp(text, lead, sizeof lead - 1);
}

/* The next part of the header at *p, up to ";" or the end, without blanks around. */
static const char *header_part(struct arena *a, const char **p, const char *end)
{
	const char *s = *p, *stop = memchr(s, ';', (size_t)(end - s));

	if (!stop)
		stop = end;
	*p = stop < end ? stop + 1 : end;
	while (s < stop && strchr(" \t\r", *s))
		s++;
	while (stop > s && strchr(" \t\r", stop[-1]))
		stop--;
	return arena_strn(a, s, (size_t)(stop - s));
}

static bool broken(struct err *e, const char *what)
{
	fail(e, E_INPUT, "the vault envelope is broken: %s", what);
	return err_hint(e, "Was a line lost or its indentation changed? Encrypt the value again.");
}

static bool header_read(struct envelope *env, struct arena *a, const char *s, const char *end, struct err *e)
{
	const char *version, *cipher;

	s += sizeof lead - 1;
	version = header_part(a, &s, end);
	cipher = header_part(a, &s, end);
	if (strcmp(version, "1.1") && strcmp(version, "1.2"))
		return fail(e, E_INPUT, "vault version \"%.20s\" is not known; 1.1 and 1.2 are", version);
	if (strcmp(cipher, "AES256"))
		return fail(e, E_INPUT, "vault cipher \"%.20s\" is not known; AES256 is", cipher);
	if (s < end)
		env->id = header_part(a, &s, end);
	if (env->id && !*env->id)
		env->id = NULL;
	return true;
}

static bool body_read(struct envelope *env, struct arena *a, const char *s, const char *end, struct err *e)
{
	struct buf outer = BUF(a);
	size_t n, n_mac;

	for (; s < end; s++) /* lines are glued; blanks at their ends are an editor's */
		if (!strchr("\n\r \t", *s) || !*s)
			buf_ch(&outer, *s);
	char *inner = (char *)unhex(a, buf_text(&outer), outer.len, &n);
	if (!inner)
		return broken(e, "it holds something else than pairs of hex digits");
	char *mac = memchr(inner, '\n', n), *text = mac ? memchr(mac + 1, '\n', n - (size_t)(mac + 1 - inner)) : NULL;
	if (!text)
		return broken(e, "it has less than three parts");
	mac++;
	text++;
	env->salt = unhex(a, inner, (size_t)(mac - 1 - inner), &env->n_salt);
	env->mac = unhex(a, mac, (size_t)(text - 1 - mac), &n_mac);
	env->text = unhex(a, text, n - (size_t)(text - inner), &env->n_text);
	if (!env->salt || !env->mac || !env->text)
		return broken(e, "a part is no hex");
	if (!env->n_salt || env->n_salt > SALT_MAX)
		return broken(e, "its salt is empty or too long");
	if (n_mac != MAC)
		return broken(e, "its digest has another length than 32 bytes");
	if (!env->n_text || env->n_text % BLOCK)
		return broken(e, "its text is no multiple of 16 bytes");
	return true;
}

static bool envelope_read(struct envelope *env, struct arena *a, const char *text, size_t n, struct err *e)
{
	if (!vault_is(text, n))
		return fail(e, E_INPUT, "this is not encrypted: it does not begin with \"%s\"", lead);

	const char *end = text + n, *line = memchr(text, '\n', n);
	if (!line)
		return broken(e, "nothing follows its first line");
	return header_read(env, a, text, line, e) && body_read(env, a, line + 1, end, e);
}

static bool mac_of(unsigned char out[MAC], const struct keys *k, const unsigned char *p, size_t n)
{
	unsigned len = MAC;

	return HMAC(EVP_sha256(), k->mac, KEY, p, n, out, &len) && len == MAC;
}

static bool crypt_text(const struct keys *k, const unsigned char *from, size_t n, unsigned char *to)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len = 0;
	bool ok = c && n <= INT32_MAX && EVP_EncryptInit_ex(c, EVP_aes_256_ctr(), NULL, k->cipher, k->counter) &&
		  EVP_EncryptUpdate(c, to, &len, from, (int)n) && (size_t)len == n;

	EVP_CIPHER_CTX_free(c);
	return ok;
}

/* The text when the keys fit; NULL otherwise. */
static unsigned char *decrypt(struct arena *a, const struct envelope *env, const struct keys *k, size_t *n)
{
	unsigned char mac[MAC], *text;

	if (!mac_of(mac, k, env->text, env->n_text) || CRYPTO_memcmp(mac, env->mac, MAC))
		return NULL;
	text = arena_get(a, env->n_text + 1);
	if (!crypt_text(k, env->text, env->n_text, text))
		return NULL;
	unsigned pad = text[env->n_text - 1];
	for (size_t i = 1; pad && pad <= BLOCK && i <= pad; i++)
		if (text[env->n_text - i] != pad)
			pad = 0;
	if (!pad || pad > BLOCK)
		return NULL;
	*n = env->n_text - pad;
	return text;
}

static bool no_password(const struct vault *v, const struct envelope *env, struct err *e)
{
	const char *id = env->id ? env->id : "default";

	if (v->n) {
		fail(e, E_INPUT, "none of the vault passwords given opens it; its vault id is \"%s\"", id);
		return err_hint(e, "Name the right one: --vault-id %s@FILE.", id);
	}
	fail(e, E_INPUT, "it is encrypted, and no vault password is given; its vault id is \"%s\"", id);
	return err_hint(e, "Say --vault-password-file FILE or --vault-id %s@FILE, or set ANSIBLE_VAULT_PASSWORD_FILE, or "
			   "vault_password_file in ansible.cfg.", id);
}

/* Passwords of the envelope's own id first, then the others. The lock is held. */
static bool try_all(struct vault *v, const struct envelope *env, struct arena *a, struct buf *out, const char **id,
		    struct err *e)
{
	const char *own = env->id ? env->id : "default";

	for (int turn = 0; turn < (v->match_only ? 1 : 2); turn++)
		for (uint32_t i = 0; i < v->n; i++) {
			struct keys k;
			size_t n;
			if (!strcmp(v->passwords[i].id, own) != !turn)
				continue;
			if (!keys_get(v, i, env->salt, env->n_salt, &k, e))
				return false;
			unsigned char *text = decrypt(a, env, &k, &n);
			OPENSSL_cleanse(&k, sizeof k);
			if (!text)
				continue;
			buf_add(out, text, n);
			OPENSSL_cleanse(text, n);
			if (id)
				*id = v->passwords[i].id;
			return true;
		}
	return no_password(v, env, e);
}

bool vault_open(struct vault *v, struct buf *out, const char **id, const char *text, size_t n, struct err *e)
{
	struct arena *scratch = arena_new();
	struct envelope env = { 0 };
	bool ok = envelope_read(&env, scratch, text, n, e);

	if (ok) {
		pthread_mutex_lock(&v->lock);
		ok = load(v, e) && try_all(v, &env, scratch, out, id, e);
		pthread_mutex_unlock(&v->lock);
	}
	arena_free(scratch);
	return ok;
}

/* ---- sealing ---- */
static bool password_find(const struct vault *v, const char *id, uint32_t *at, struct err *e)
{
	struct buf ids = { .a = v->a };

	for (*at = 0; id && *at < v->n; (*at)++) /* what vault_open gave stands for one password, not for all of its id */
		if (v->passwords[*at].id == id)
			return true;
	for (*at = 0; *at < v->n; (*at)++) {
		if (!id || !strcmp(v->passwords[*at].id, id))
			return true;
		buf_fmt(&ids, "%s%s", ids.len ? ", " : "", v->passwords[*at].id);
	}
	if (v->n)
		return fail(e, E_INPUT, "there is no vault password of id \"%s\", only of %s", id, buf_text(&ids));
	fail(e, E_INPUT, "no vault password is given to encrypt with");
	return err_hint(e, "Say --vault-password-file FILE or --vault-id ID@FILE.");
}

static void envelope_write(struct buf *out, struct arena *a, const char *id, const unsigned char *salt,
			   const unsigned char *mac, const unsigned char *text, size_t n)
{
	struct buf inner = BUF(a), outer = BUF(a);

	hex(&inner, salt, SALT);
	buf_ch(&inner, '\n');
	hex(&inner, mac, MAC);
	buf_ch(&inner, '\n');
	hex(&inner, text, n);
	hex(&outer, inner.p, inner.len);
	if (strcmp(id, "default"))
		buf_fmt(out, "%s1.2;AES256;%s\n", lead, id);
	else
		buf_fmt(out, "%s1.1;AES256\n", lead);
	for (size_t i = 0; i < outer.len; i += LINE) {
		buf_add(out, outer.p + i, outer.len - i < LINE ? outer.len - i : LINE);
		buf_ch(out, '\n');
	}
}

bool vault_seal(struct vault *v, struct buf *out, const char *id, const void *p, size_t n, struct err *e)
{
	struct arena *scratch = arena_new();
	unsigned char salt[SALT], mac[MAC];
	size_t pad = BLOCK - n % BLOCK;
	unsigned char *plain = arena_get(scratch, n + BLOCK), *text = arena_get(scratch, n + BLOCK);
	struct keys k;
	uint32_t at;

	pthread_mutex_lock(&v->lock);
	bool ok = load(v, e) && password_find(v, id, &at, e);
	if (ok && RAND_bytes(salt, sizeof salt) != 1)
		ok = fail(e, E_FAILED, "there are no random numbers for a salt");
	ok = ok && keys_get(v, at, salt, sizeof salt, &k, e);
	pthread_mutex_unlock(&v->lock);
	if (ok) {
		if (n)
			memcpy(plain, p, n);
		memset(plain + n, (int)pad, pad);
		ok = crypt_text(&k, plain, n + pad, text) && mac_of(mac, &k, text, n + pad);
		if (ok)
			envelope_write(out, scratch, v->passwords[at].id, salt, mac, text, n + pad);
		else
			fail(e, E_FAILED, "encrypting failed");
		OPENSSL_cleanse(plain, n);
		OPENSSL_cleanse(&k, sizeof k);
	}
	arena_free(scratch);
	return ok;
}

/* ---- values ---- */
static bool found(const struct value *v, int depth)
{
	if (!v || depth > DEEP)
		return false;
	if (v->type == V_STR)
		return v->flags & V_VAULT;
	if (v->type != V_LIST && v->type != V_MAP)
		return false;
	for (size_t i = 0; i < value_len(v); i++)
		if (found(value_at(v, i), depth + 1))
			return true;
	return false;
}

bool vault_in(const struct value *v)
{
	return found(v, 0);
}

static bool open_text(struct vault *v, struct value **out, struct arena *a, const struct value *from, struct err *e)
{
	struct buf text = BUF(a);

	if (!v) {
		fail(e, E_INPUT, "it is encrypted, and vault passwords are not known here");
		return err_at_value(e, from);
	}
	if (!vault_open(v, &text, NULL, from->u.str.s, from->u.str.n, e)) {
		if (from->flags & V_LAZY)
			err_wrap(e, "file \"%s\"", from->at.file);
		return err_at_value(e, from);
	}
	struct value *got = value_strn(a, buf_text(&text), text.len);
	got->at = from->at;
	got->flags = V_SECRET | V_LITERAL | V_PLAIN; /* plain: a number in it is a number to a parameter that wants one */
	got->source = got->u.str.s;
	*out = got;
	return true;
}

static bool open_deep(struct vault *v, struct value **out, struct arena *a, const struct value *from, int depth, struct err *e)
{
	if (!found(from, depth)) {
		*out = (struct value *)(uintptr_t)from;
		return true;
	}
	if (from->type == V_STR)
		return open_text(v, out, a, from, e);

	struct value *to = from->type == V_LIST ? value_list(a) : value_map(a);
	to->at = from->at;
	to->flags = from->flags;
	for (uint32_t i = 0; i < value_len(from); i++) {
		struct value *item;
		if (!open_deep(v, &item, a, value_at(from, i), depth + 1, e))
			return false;
		if (from->type == V_LIST)
			value_push(a, to, item);
		else
			value_put_at(a, to, from->u.map.items[i].key, item, from->u.map.items[i].at);
	}
	*out = to;
	return true;
}

bool vault_value(struct vault *v, struct value **out, struct arena *a, const struct value *from, struct err *e)
{
	return open_deep(v, out, a, from, 0, e);
}
