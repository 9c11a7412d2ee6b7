/*
 * pig vault edit: the plain text is a memory file that the editor opens by its name under /proc. Editors of vi's family are told to
 * keep no swap, backup, undo or history files, since those would be plain text on a disk.
 */
#include "cli/cli_vault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/os.h"

enum { WORDS_MAX = 32 };

static const char *const vi_words[] = { "-n", "-i", "NONE", "--cmd",
					"set nobackup nowritebackup noundofile noswapfile backupcopy=yes" };

/* Is it vim? "vi" may be a link to that or to another program, which would not know the words. */
static bool is_vim(struct arena *a, const char *word)
{
	const char *base = os_basename(word), *path = getenv("PATH");
	bool vim = false;

	if (!strncmp(base, "vim", 3) || !strcmp(base, "nvim") || strcmp(base, "vi") != 0)
		return !strncmp(base, "vim", 3) || !strcmp(base, "nvim");
	for (const char *p = path ? path : ""; *p;) {
		size_t n = strcspn(p, ":");
		const char *file = strchr(word, '/') ? word : arena_fmt(a, "%.*s/%s", (int)n, p, word);
		char *real = realpath(file, NULL);
		if (real) {
			vim = !strncmp(os_basename(real), "vim", 3) || !strcmp(os_basename(real), "nvim");
			free(real);
			break;
		}
		p += n + (p[n] == ':');
	}
	return vim;
}

/* $EDITOR may bring words of its own, as in "emacs -nw"; a quote keeps blanks. */
static bool editor_words(struct vaulting *v, const char **words, uint32_t *n)
{
	const char *env = getenv("EDITOR"), *s = env && *env ? env : "vi";
	struct buf b = BUF(v->c->a);

	for (*n = 0; *(s += strspn(s, " \t"));) {
		char quote = 0;
		b = BUF(v->c->a);
		for (; *s && (quote || !strchr(" \t", *s)); s++) {
			if (quote ? *s == quote : *s == '"' || *s == '\'')
				quote = quote ? 0 : *s;
			else
				buf_ch(&b, *s);
		}
		if (quote || *n == WORDS_MAX / 2)
			return fail(v->e, E_INPUT, "EDITOR \"%s\" is no command", env);
		words[(*n)++] = arena_str(v->c->a, buf_text(&b));
	}
	bool vim = *n && is_vim(v->c->a, words[0]);
	for (size_t i = 0; vim && i < sizeof vi_words / sizeof *vi_words; i++)
		words[(*n)++] = vi_words[i];
	return *n || fail(v->e, E_INPUT, "EDITOR is empty");
}

static bool editor_run(struct vaulting *v, int fd)
{
	const char *words[WORDS_MAX] = { 0 };
	union { const char **c; char *const *m; } argv = { words };
	uint32_t n;
	int status = 0;

	if (!editor_words(v, words, &n))
		return false;
	words[n] = arena_fmt(v->c->a, "/proc/%ld/fd/%d", (long)getpid(), fd);
	pid_t pid = fork();
	if (!pid) {
		execvp(words[0], argv.m);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
		fail(v->e, E_INPUT, "the editor \"%s\" could not be run", words[0]);
		return err_hint(v->e, "Set EDITOR.");
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return fail(v->e, E_INPUT, "the editor \"%s\" ended badly; nothing was changed", words[0]);
	return true;
}

static bool memory_write(int fd, const struct buf *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->p + done, text->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool memory_read(int fd, struct buf *text)
{
	for (off_t at = 0;;) {
		ssize_t n = pread(fd, buf_room(text, 65536), 65536, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return !n;
		text->len += (size_t)n;
		at += n;
	}
}

static bool edited(struct vaulting *v, const struct buf *before, struct buf *after)
{
	int fd = memfd_create("vault", MFD_CLOEXEC);
	bool ok = fd >= 0 && memory_write(fd, before);

	if (!ok)
		fail(v->e, E_FAILED, "a memory file could not be made: %s", strerror(errno));
	ok = ok && editor_run(v, fd);
	if (ok && !memory_read(fd, after))
		ok = fail(v->e, E_FAILED, "the memory file could not be read: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

bool vault_edit(struct vaulting *v, const char *file)
{
	struct arena *a = v->c->a;
	struct buf before = BUF(a), after = BUF(a), out = BUF(a);
	const char *id = NULL;
	bool there = os_exists(file);

	if (there && !vault_file_open(v, &before, &id, file))
		return false;
	if (!there || v->o.id) { /* a file keeps the id whose password opened it */
		if (!vault_id_chosen(v, v->ring, &id))
			return false;
		if (!vault_count(v->ring))
			return vault_seal(v->ring, &out, id, "", 0, v->e); /* fails, and says what to give */
	}
	if (!edited(v, &before, &after))
		return false;
	if (there && after.len == before.len && !memcmp(buf_text(&after), buf_text(&before), after.len) && !v->o.id)
		return true;
	return vault_seal(v->ring, &out, id, buf_text(&after), after.len, v->e) && vault_file_write(v, file, &out);
}
