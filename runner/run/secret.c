/* The secrets of a run and their disguises. A linear search over a short list: there are tens of them, and texts are small. */
#include "run/secret.h"
#include "base/map.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

enum { SHORTEST = 8 };

struct secrets {
	struct arena *a;
	pthread_rwlock_t lock;
	struct map known, open;
	const char **forms; /* what to look for, longest first */
	size_t *lens;
	size_t n, cap;
};

static void close_lock(void *p)
{
	pthread_rwlock_destroy(&((struct secrets *)p)->lock);
}

struct secrets *secrets_new(struct arena *a)
{
	struct secrets *s = arena_get(a, sizeof *s);

	s->a = a;
	s->known = MAP(a);
	s->open = MAP(a);
	pthread_rwlock_init(&s->lock, NULL);
	arena_defer(a, close_lock, s);
	return s;
}

static void form_add(struct secrets *s, const char *form)
{
	size_t len = strlen(form), at = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->forms[i], form))
			return;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		const char **forms = arena_new_of(s->a, const char *, cap);
		size_t *lens = arena_new_of(s->a, size_t, cap);
		for (size_t i = 0; i < s->n; i++) {
			forms[i] = s->forms[i];
			lens[i] = s->lens[i];
		}
		s->forms = forms;
		s->lens = lens;
		s->cap = cap;
	}
	while (at < s->n && s->lens[at] >= len)
		at++;
	memmove(s->forms + at + 1, s->forms + at, (s->n - at) * sizeof *s->forms);
	memmove(s->lens + at + 1, s->lens + at, (s->n - at) * sizeof *s->lens);
	s->forms[at] = form;
	s->lens[at] = len;
	s->n++;
}

/* base64 of a text inside a longer one depends on where it begins: the part that does not, for each of three shifts */
static const char *base64_core(struct arena *a, const char *text, size_t shift)
{
	size_t n = strlen(text);
	unsigned char *in = arena_get(a, n + 4);
	unsigned char *out = arena_get(a, (n + 4) * 2);

	memcpy(in + shift, text, n);
	int len = EVP_EncodeBlock(out, in, (int)(n + shift));
	size_t skip = shift ? 4 : 0, tail = (n + shift) % 3 ? 4 : 0;
	if ((size_t)len <= skip + tail + SHORTEST)
		return NULL;
	return arena_strn(a, (char *)out + skip, (size_t)len - skip - tail);
}

static const char *escaped(struct arena *a, const char *text, int how)
{
	struct buf b = BUF(a);

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool word = (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') || strchr("-_.~", *p);
		if (how == 0 && !word)
			buf_fmt(&b, "%%%02X", *p);
		else if (how == 1 && (*p == '"' || *p == '\\'))
			buf_fmt(&b, "\\%c", *p);
		else if (how == 2 && *p == '\'')
			buf_str(&b, "'\\''");
		else if (how == 3 && *p == '\'')
			buf_str(&b, "''");
		else
			buf_ch(&b, (char)*p);
	}
	return buf_text(&b);
}

void secrets_add(struct secrets *s, const char *text)
{
	if (!text || strlen(text) < SHORTEST || text[0] == '/') /* a path is no secret */
		return;
	pthread_rwlock_wrlock(&s->lock);
	if (!map_has(&s->known, text)) {
		map_put(&s->known, text, s);
		if (!map_has(&s->open, text)) {
			form_add(s, arena_str(s->a, text));
			for (int how = 0; how < 4; how++)
				form_add(s, escaped(s->a, text, how));
			for (size_t shift = 0; shift < 3; shift++) {
				const char *core = base64_core(s->a, text, shift);
				if (core)
					form_add(s, core);
			}
		}
	}
	pthread_rwlock_unlock(&s->lock);
}

void secrets_add_value(struct secrets *s, const struct value *v)
{
	if (!v)
		return;
	if (v->type == V_STR && (v->flags & V_SECRET))
		secrets_add(s, v->u.str.s);
	else if (v->type == V_LIST || v->type == V_MAP)
		for (size_t i = 0; i < value_len(v); i++)
			secrets_add_value(s, value_at(v, i));
}

void secrets_public(struct secrets *s, const char *name)
{
	pthread_rwlock_wrlock(&s->lock);
	map_put(&s->open, name, s);
	pthread_rwlock_unlock(&s->lock);
}

void secrets_public_value(struct secrets *s, const struct value *v)
{
	if (!v || (v->flags & V_SECRET))
		return;
	if (v->type == V_STR && v->u.str.n >= SHORTEST && v->u.str.n < 256)
		secrets_public(s, v->u.str.s);
	else if (v->type == V_LIST || v->type == V_MAP)
		for (size_t i = 0; i < value_len(v); i++)
			secrets_public_value(s, value_at(v, i));
}

bool secrets_in(struct secrets *s, const char *text, size_t n)
{
	bool found = false;

	pthread_rwlock_rdlock(&s->lock);
	for (size_t i = 0; i < s->n && !found; i++)
		found = s->lens[i] <= n && memmem(text, n, s->forms[i], s->lens[i]);
	pthread_rwlock_unlock(&s->lock);
	return found;
}

const char *secrets_mask(struct secrets *s, struct arena *a, const char *text)
{
	if (!text || !secrets_in(s, text, strlen(text)))
		return text;
	pthread_rwlock_rdlock(&s->lock);
	for (size_t i = 0; i < s->n; i++) {
		const char *at = strstr(text, s->forms[i]);
		if (!at)
			continue;
		struct buf b = BUF(a);
		for (; at; at = strstr(text, s->forms[i])) {
			buf_add(&b, text, (size_t)(at - text));
			buf_str(&b, "***");
			text = at + s->lens[i];
		}
		buf_str(&b, text);
		text = buf_text(&b);
	}
	pthread_rwlock_unlock(&s->lock);
	return text;
}
