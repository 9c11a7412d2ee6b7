/*
 * Is a module's file fit to be loaded? Who may write it, and is it all there: the dynamic linker maps a file that was
 * cut short and dies of SIGBUS later, so the ELF headers are compared with the file's size here. It judges no content.
 */
#include "model/module_int.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/os.h"

static bool owner_ok(const char *path, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return fail(e, E_MODULE, "not a regular file");
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		fail(e, E_MODULE, "writable by %s", st->st_mode & S_IWOTH ? "everyone" : "its group");
		return err_hint(e, "Check where it comes from, then chmod go-w %s.", path);
	}
	if (st->st_uid && st->st_uid != geteuid()) {
		fail(e, E_MODULE, "owned by user %u, neither root nor you", (unsigned)st->st_uid);
		return err_hint(e, "Check where it comes from, then chown it to root.");
	}
	return true;
}

static bool cut_short(struct err *e, uint64_t want, uint64_t size)
{
	fail(e, E_MODULE, "cut short: %llu bytes of at least %llu", (unsigned long long)size, (unsigned long long)want);
	return err_hint(e, "Copy or build it again.");
}

/* Every loaded segment and the section table lie within the file. */
static bool segments_ok(int fd, const ElfW(Ehdr) * head, uint64_t size, struct err *e)
{
	uint64_t sections = (uint64_t)head->e_shoff + (uint64_t)head->e_shnum * head->e_shentsize;

	if (head->e_phentsize != sizeof(ElfW(Phdr)) || !head->e_phnum || head->e_phnum > 256)
		return fail(e, E_MODULE, "not a shared object: its program headers are odd");
	for (unsigned i = 0; i < head->e_phnum; i++) {
		ElfW(Phdr) ph;
		uint64_t at = (uint64_t)head->e_phoff + (uint64_t)i * sizeof ph;
		if (at > size || size - at < sizeof ph || pread(fd, &ph, sizeof ph, (off_t)at) != (ssize_t)sizeof ph)
			return cut_short(e, at + sizeof ph, size);
		if (ph.p_offset > size || ph.p_filesz > size - ph.p_offset)
			return cut_short(e, (uint64_t)ph.p_offset + ph.p_filesz, size);
	}
	return sections <= size || cut_short(e, sections, size);
}

static bool elf_ok(int fd, uint64_t size, struct err *e)
{
	ElfW(Ehdr) head;

	if (size < sizeof head || pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
		return cut_short(e, sizeof head, size);
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_type != ET_DYN)
		return fail(e, E_MODULE, "not a shared object");
	if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)) {
		fail(e, E_MODULE, "built for another kind of machine");
		return err_hint(e, "Build it for this machine.");
	}
	return segments_ok(fd, &head, size, e);
}

bool module_file_sound(const char *path, struct err *e)
{
	struct stat st;
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st)) {
		fail(e, E_MODULE, "cannot be read");
		return err_detail(e, "%s", strerror(errno));
	}
	return owner_ok(path, &st, e) && elf_ok(fd, (uint64_t)st.st_size, e);
}
