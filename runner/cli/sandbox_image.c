/*
 * The nodes' image: a folder made once by mmdebstrap and kept under a name that hashes all it was made of. It is built
 * beside its place and renamed, so that an image that is there is whole.
 */
#include "cli/sandbox_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char packages_bare[] = "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,ca-certificates,procps";

/* the bare image's, then what Pigsty's modules install, then what pig itself is linked with */
static const char packages_full[] =
	"systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,ca-certificates,procps,"
	"cron,python3-minimal,rsync,curl,iputils-ping,postgresql-15,postgresql-client-15,patroni,python3-etcd,"
	"python3-psycopg2,etcd-server,etcd-client,haproxy,pgbouncer,pgbackrest,chrony,tuned,prometheus-node-exporter,"
	"keepalived,nginx,dnsmasq,gnupg,victoria-metrics,prometheus-alertmanager,prometheus-blackbox-exporter,"
	"prometheus-postgres-exporter,prometheus-pgbouncer-exporter,prometheus-redis-exporter,redis-server,redis-sentinel,"
	"nodejs,s3cmd,"
	"openssh-client,faketime,libyaml-0-2,libssh2-1,libssl3,libpq5,libcurl4,libjansson4,libarchive13,libpcre2-8-0";

/* Before packages are configured: PostgreSQL's would make and start a cluster. */
static const char essential_hook[] =
	"#!/bin/sh\n"
	"set -eu\n"
	"mkdir -p \"$1/etc/postgresql-common\"\n"
	"echo 'create_main_cluster = false' >\"$1/etc/postgresql-common/createcluster.conf\"\n";

/*
 * After them: the login user, nothing that starts by itself but what a fresh machine runs, and no trace of the machine
 * that built the image. sshd starts after logins are allowed, so that its banner means a node is ready.
 */
static const char customize_hook[] =
	"#!/bin/sh\n"
	"set -eu\n"
	"r=$1\n"
	"chroot \"$r\" useradd --create-home --shell /bin/bash --uid 1000 --user-group dba\n"
	"printf 'dba ALL=(ALL:ALL) NOPASSWD: ALL\\n' >\"$r/etc/sudoers.d/dba\"\n"
	"chmod 0440 \"$r/etc/sudoers.d/dba\"\n"
	"chroot \"$r\" install -d -m 0700 -o dba -g dba /home/dba/.ssh\n"
	"rm -f \"$r\"/etc/ssh/ssh_host_*\n"
	"u=$r/etc/systemd/system\n"
	"mkdir -p \"$u/ssh.service.d\"\n"
	"printf '[Unit]\\nAfter=systemd-user-sessions.service\\n' >\"$u/ssh.service.d/login.conf\"\n"
	"for x in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service "
	"\\\n"
	"	fstrim.timer man-db.timer logrotate.timer systemd-pstore.service getty@.service console-getty.service "
	"\\\n"
	"	systemd-networkd-wait-online.service systemd-resolved.service systemd-firstboot.service; do\n"
	"	ln -sf /dev/null \"$u/$x\"\n"
	"done\n"
	"for x in postgresql patroni etcd haproxy pgbouncer pgbackrest prometheus-node-exporter keepalived tuned nginx "
	"dnsmasq \\\n"
	"	victoria-metrics prometheus-alertmanager prometheus-blackbox-exporter prometheus-postgres-exporter "
	"\\\n"
	"	prometheus-pgbouncer-exporter prometheus-redis-exporter redis-server redis-sentinel; do\n"
	"	chroot \"$r\" systemctl disable \"$x\" >/dev/null 2>&1 || :\n"
	"done\n"
	"rm -rf \"$r\"/etc/apt/sources.list \"$r\"/etc/apt/sources.list.d/* \"$r\"/etc/apt/apt.conf.d/99mmdebstrap\n"
	"rm -rf \"$r\"/var/lib/apt/lists/* \"$r\"/var/cache/apt/*.bin \"$r\"/var/cache/apt/archives/*.deb\n"
	"rm -f \"$r/etc/resolv.conf\" \"$r/etc/machine-id\" \"$r/var/lib/dbus/machine-id\"\n"
	": >\"$r/etc/resolv.conf\"\n"
	": >\"$r/etc/machine-id\"\n";

static uint64_t hash(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u;
}

static const char *image_key(const struct sandbox *s, const struct sandbox_sources *src, const char *packages)
{
	const char *parts[] = {src->codename,	      packages, essential_hook, customize_hook, buf_text(&src->list),
			       buf_text(&src->deb822)};
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		h = hash(h, parts[i]);
	return arena_fmt(s->a, "%s-%016llx", s->image, (unsigned long long)h);
}

static bool put_file(const struct sandbox *s, const char *dir, const char *name, const char *text, mode_t mode,
		     struct err *e)
{
	return os_write(os_join(s->a, dir, name), text, strlen(text), mode, e);
}

/*
 * mmdebstrap in mount and process namespaces of its own that end with this process, however it ends: a build that was
 * killed leaves no mount and no process.
 */
static bool build(const struct sandbox *s, const struct sandbox_sources *src, const char *packages, const char *work,
		  struct err *e)
{
	const char *argv[128] = {"setpriv",	 "--pdeathsig", "KILL",	       "unshare",
				 "--mount",	 "--pid",	"--fork",      "--kill-child=KILL",
				 "--mount-proc", "mmdebstrap",	"--mode=root", "--format=directory",
				 "--variant=apt"};
	struct buf out = BUF(s->a);
	size_t n = 13;
	int status = 0;

	if (!put_file(s, work, "essential", essential_hook, 0755, e) ||
	    !put_file(s, work, "customize", customize_hook, 0755, e) ||
	    !put_file(s, work, "host.list", buf_text(&src->list), 0644, e) ||
	    !put_file(s, work, "host.sources", buf_text(&src->deb822), 0644, e))
		return false;
	argv[n++] = arena_fmt(s->a, "--include=%s", packages);
	argv[n++] = arena_fmt(s->a, "--essential-hook=%s/essential", work);
	argv[n++] = arena_fmt(s->a, "--customize-hook=%s/customize", work);
	for (size_t i = 0; src->options[i]; i++)
		argv[n++] = src->options[i];
	argv[n++] = src->codename;
	argv[n++] = arena_fmt(s->a, "%s/rootfs", work);
	if (src->list.len)
		argv[n++] = arena_fmt(s->a, "%s/host.list", work);
	if (src->deb822.len)
		argv[n++] = arena_fmt(s->a, "%s/host.sources", work);
	struct os_cmd c = {.argv = argv, .limit_ms = 1200000, .merge = true};
	if (!os_run(&c, &out, NULL, &status, e))
		return err_wrap(e, "could not build the %s image", s->image);
	if (status) {
		fail(e, E_FAILED, "could not build the %s image: mmdebstrap ended with status %d", s->image, status);
		size_t tail = out.len > 1800 ? out.len - 1800 : 0;
		return err_detail(e, "%s", buf_text(&out) + tail);
	}
	return true;
}

/* Builds that were killed leave their folder; its maker's lock is free then, or we would not be here. */
static bool drop_stale(const struct sandbox *s, const char *images, const char *key, struct err *e)
{
	size_t n;
	char **names = sandbox_names(s->a, images, &n);
	const char *prefix = arena_fmt(s->a, "new-%s", key);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], prefix) &&
		    !sandbox_run(s, NULL, e, "rm", "-rf", "--one-file-system", os_join(s->a, images, names[i]), NULL))
			return false;
	return true;
}

bool sandbox_image_ready(struct sandbox *s, struct err *e)
{
	const char *packages = !strcmp(s->image, "full") ? packages_full : packages_bare;
	const char *images = os_join(s->a, s->state, "images");
	struct sandbox_sources src;
	int fd = -1;

	if (!sandbox_sources_read(s, &src, e))
		return false;
	const char *key = image_key(s, &src, packages);
	const char *done = os_join(s->a, images, key), *work = arena_fmt(s->a, "%s/new-%s", images, key);
	s->rootfs = os_join(s->a, done, "rootfs");
	if (os_exists(s->rootfs))
		return true;
	if (!sandbox_lock(s, arena_fmt(s->a, "image-%s", key), &fd, e))
		return false;
	bool ok = true;
	if (!os_exists(s->rootfs)) {
		int64_t began = os_now_ms();
		sandbox_put("building the %s image in %s (once; about a minute)\n", s->image, done);
		ok = drop_stale(s, images, key, e) && os_mkdirs(work, 0755, e) && build(s, &src, packages, work, e);
		if (ok && rename(work, done))
			ok = fail(e, E_FAILED, "could not rename \"%s\": %s", work, strerror(errno));
		if (!ok)
			drop_stale(s, images, key, NULL);
		if (ok)
			sandbox_put("built in %lld s\n", (long long)(os_now_ms() - began) / 1000);
	}
	unlink(sandbox_lock_file(s, arena_fmt(s->a, "image-%s", key)));
	close(fd);
	return ok;
}
