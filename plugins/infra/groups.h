/*
 * What the words in repo_packages and its kin stand for on Debian: items divided by blanks, each a package, an alias of a
 * module, or alternatives "a|b". What the sources lack of a list is told and left out, the rest goes on. "$v" stands for
 * each major version of PostgreSQL in the inventory.
 */
#ifndef INFRA_GROUPS_H
#define INFRA_GROUPS_H

struct group {
	const char *name, *os, *items;
};

static const struct group groups[] = {
	/* what a bare node runs on: whatever a newer library needs of it is at hand */
	{ "node-bootstrap", "debian*", "apt base-files ca-certificates cron curl dbus gnupg gpgv iproute2 lsb-release openssh-client "
		"openssh-server procps python3-minimal rsync sudo systemd systemd-sysv" },
	{ "node-package1", "debian*", "acl bzip2 chrony git haproxy iputils-ping jq keepalived lsof lz4 netcat-openbsd node-exporter keepalived-exporter numactl "
		"pv socat sysstat tuned unzip wget" },
	{ "node-package2", "debian*", "etcd s3cmd" },
	{ "infra-package", "debian*", "nginx dnsmasq victoria-metrics vmutils|victoria-metrics "
		"alertmanager|prometheus-alertmanager blackbox-exporter|prometheus-blackbox-exporter "
		"nginx-exporter|prometheus-nginx-exporter grafana|grafana-oss victoria-logs victoria-traces vector" },
	{ "infra-addons", "debian*", "certbot python3-certbot-nginx" },
	{ "pgsql-utility", "debian*", "pgsql-common pg-exporter|prometheus-postgres-exporter "
		"pgbouncer-exporter|prometheus-pgbouncer-exporter pgbackrest-exporter|prometheus-pgbackrest-exporter python3-etcd "
		"pgbadger pg-activity vip-manager" },
	{ "extra-modules", "debian*", "redis-server redis-sentinel redis-exporter|prometheus-redis-exporter valkey minio mcli|minio-client nodejs" },
	{ "pgsql-main", "debian*", "postgresql-$v" },
	{ "java-runtime", "debian*", "openjdk-17-jre-headless" },
	{ "kafka-stack", "debian*", "kafka" },
};

#endif
