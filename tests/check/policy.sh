#!/bin/sh
# What packages are told when they ask whether their service may start, by the names that Debian's own tools ask with: policy.sh PIG PLUGINS
set -u
pig=$1 plugins=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work "$pig" template show node/policy-rc.d --plugin-dir "$plugins" >"$work/policy" || exit 1
passed=0 failed=0
says() { # STATUS NAME
	sh "$work/policy" "$2" start
	got=$?
	if [ "$got" = "$1" ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "not ok - $2: $got"; fi
}
for n in haproxy etcd patroni pgbouncer postgresql keepalived redis-server redis-sentinel nginx dnsmasq prometheus-node-exporter victoria-metrics; do
	says 101 $n # invoke-rc.d
	says 101 $n.service # deb-systemd-invoke
done
says 101 postgresql@15-main.service
says 101 pgbouncer.socket
for n in ssh ssh.service cron.service chrony.service dbus.socket haproxy2.service; do says 0 $n; done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
