#!/bin/sh
# Managed by pig. Packages ask here whether their service may start by itself: those that pig configures first may not.
# invoke-rc.d asks by the name of a script, deb-systemd-invoke by that of a unit
name=${1%.service}
case ${name%.socket} in
etcd|haproxy|patroni|postgresql|postgresql@*|pgbouncer|pgbackrest|vip-manager|keepalived|redis|redis-server|redis-sentinel) exit 101 ;;
minio|nginx|dnsmasq|grafana|grafana-server|prometheus|alertmanager|prometheus-*|victoria-*|vector|docker) exit 101 ;;
esac
exit 0
