#!/bin/bash
# Backups and what is done with a cluster that lives: the first backup, pg-backup, back to a time, one user, one database, a member
# that goes, one of two clusters that goes.
# shellcheck disable=SC2016,SC2317,SC2119 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=backup
INVENTORY=$(dirname "$0")/two.yml
export INVENTORY
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
MEMBERS="10.10.10.11 10.10.10.12"

info() { # ADDRESS JQ: of the repository there
	on "$(node_at "$1")" "runuser -u postgres -- pgbackrest --stanza=${3:-pg-test} info --output=json" | jq -r ".[0] | $2"
}
as_dbsu() { on "$(node_at "$1")" "cd /; runuser -u postgres -- $2"; }
other() { others "$(leader)" | head -1; }
unchanged() { # NAME PLAYBOOK...
	local name=$1
	shift
	pig_ok "$name" "$@"
	equal "$name: nothing to change" 0 "$(recap changed)" || grep -E 'changed:|failed' "$LOG" | head -8 | sed 's/^/#     /'
}

case_first() {
	local l
	l=$(leader)
	equal "the first run leaves a full backup" full "$(info "$l" '.backup[0].type')"
	equal "the repository is sound" ok "$(info "$l" .status.message)"
	equal "so has the other cluster" full "$(info 10.10.10.13 '.backup[0].type' pg-test2)"
	equal "a replica's repository is ready" 1 "$(info "$(other)" '.db | length')"
	equal "the server archives to it" 'pgbackrest --stanza=pg-test archive-push %p' "$(dba_sql "$l" 'show archive_command')"
	equal "nothing failed to be archived since" t \
		"$(dba_sql "$l" 'select coalesce(last_archived_time > last_failed_time, true) from pg_stat_archiver')"
	equal "cron knows the backup" '00 01 * * * /pg/bin/pg-backup full' "$(as_dbsu "$l" 'crontab -l' | grep -v '^#')"
	unchanged "again" pgsql.yml
	# a stanza that is lost is made although the server, which archives, holds pgBackRest's lock just then
	l=$(other)
	on "$(node_at "$l")" 'rm -rf /pg/backup/archive/pg-test /pg/backup/backup/pg-test
		runuser -u postgres -- sh -c "mkdir -p /tmp/pgbackrest; setsid flock /tmp/pgbackrest/pg-test-archive.lock sleep 8 >/dev/null 2>&1 &"'
	pig_ok "a lock that another has is waited for" pgsql.yml -l "$l" -t pgbackrest
	equal "the stanza is there again" 1 "$(info "$l" '.db | length')"
}

case_words() {
	local l r
	l=$(leader) r=$(other)
	equal "pg-role on the leader" primary "$(as_dbsu "$l" /pg/bin/pg-role)"
	equal "pg-role on a replica" replica "$(as_dbsu "$r" /pg/bin/pg-role)"
	equal "pg-cluster" pg-test "$(as_dbsu "$r" /pg/bin/pg-cluster)"
	check "pg-backup incr" as_dbsu "$l" '/pg/bin/pg-backup incr'
	equal "there is one more" full,incr "$(info "$l" '[.backup[].type] | join(",")')"
	as_dbsu "$r" '/pg/bin/pg-backup full' >/dev/null 2>&1
	equal "not on a replica" 1 $?
	on "$(node_at "$l")" '/pg/bin/pg-backup full' >/dev/null 2>&1
	equal "not as root" 2 $?
	as_dbsu "$l" '/pg/bin/pg-backup sometimes' >/dev/null 2>&1
	equal "bad usage" 2 $?
	check_not "pg-promote is refused while another leads" as_dbsu "$r" /pg/bin/pg-promote
	equal "pg-pitr -c says what it would do" \
		'pgbackrest --stanza=pg-test --pg1-path=/pg/data --delta --log-level-console=info --type=xid --target=1234567 --target-exclusive --target-action=promote restore' \
		"$(as_dbsu "$l" '/pg/bin/pg-pitr -x 1234567 -X -P -c')"
	equal "with long words" \
		'pgbackrest --stanza=pg-test --pg1-path=/pg/data --delta --log-level-console=info --set=latest --type=time --target="2022-12-30 14:44:44+08" restore' \
		"$(as_dbsu "$l" '/pg/bin/pg-pitr --time="2022-12-30 14:44:44+08" --backup=latest --check')"
	check "a set named by its time alone is the full one" \
		sh -c 'echo "$1" | grep -q -- "--set=20221108-105325F --type"' sh "$(as_dbsu "$l" '/pg/bin/pg-pitr --backup=20221108-105325 -c')"
	check_not "pg-pitr is refused while Patroni runs" as_dbsu "$l" '/pg/bin/pg-pitr -y'
	check_not "two points are refused" as_dbsu "$l" '/pg/bin/pg-pitr -i -x 5 -c'
}

point() { echo "{\"pg_pitr\": {\"$1\": \"$2\"}}" >"$WORK/inv/pitr.json"; }
case_pitr() {
	local l r at
	l=$(leader) r=$(other)
	sql "$l" 5433 'create table precious as select generate_series(1, 1000) i' >/dev/null
	at=$(sql "$l" 5433 'select clock_timestamp()')
	sql "$l" 5433 'drop table precious' >/dev/null
	sql "$l" 5433 'create table after_it (i int)' >/dev/null
	check "the drop has reached the replica" until_ok 10 dropped "$r"

	point time "2001-01-01 00:00:00+00"
	check_not "a time before the first backup is refused" pig_run pgsql-pitr.yml -l pg-test -e "@$WORK/inv/pitr.json" -e confirm=pg-test
	check "and says why" grep -q 'no repository of pg-test holds a backup' "$LOG"
	point time "$at"
	check_not "half a cluster is refused" pig_run pgsql-pitr.yml -l "$l" -e "@$WORK/inv/pitr.json" -e confirm=pg-test
	check_not "nothing is done without the cluster's name" pig_run pgsql-pitr.yml -l pg-test -e "@$WORK/inv/pitr.json"
	check "what would be lost is said" grep -q 'what pg-test wrote after' "$LOG"
	check_not "nor under the safeguard" pig_run pgsql-pitr.yml -l pg-test -e "@$WORK/inv/pitr.json" -e confirm=pg-test -e pg_safeguard=true
	check "the cluster has not noticed" healthy 1

	pig_ok "back to before the drop" pgsql-pitr.yml -l pg-test -e "@$WORK/inv/pitr.json" -e confirm=pg-test
	check "a leader and its replica" until_ok 30 healthy 1
	equal "the table is back" 1000 "$(sql "$(leader)" 5433 'select count(*) from precious')"
	equal "also on the replica" 1000 "$(sql "$(other)" 5432 'select count(*) from precious')"
	equal "what came later is gone" "" "$(sql "$(leader)" 5433 "select to_regclass('after_it')")"
	equal "Patroni is not paused" null "$(rest "$(leader)" /config | jq .pause)"
	check "the server archives again" until_ok 30 archives
	unchanged "pgsql.yml after it" pgsql.yml -l pg-test
	check "and may be backed up" as_dbsu "$(leader)" '/pg/bin/pg-backup incr'
}
dropped() { [ -z "$(sql "$1" 5432 "select to_regclass('precious')")" ]; }
archives() {
	local l w
	l=$(leader)
	w=$(dba_sql "$l" "select pg_walfile_name(pg_switch_wal())")
	until_ok 10 archived "$l" "$w"
}
archived() { [ "$(dba_sql "$1" "select last_archived_wal >= '$2' from pg_stat_archiver")" = t ]; }

case_one() {
	local l
	l=$(leader)
	echo 'create table base (i int); insert into base values (7);' >"$WORK/inv/files/again.sql"
	dba_sql "$l" 'drop role late' >/dev/null
	pig_ok "pgsql-user" pgsql-user.yml -l pg-test -e username=late
	equal "the user is back, through the replica's PgBouncer" late "$(sql "$(other)" 6432 'select current_user' test late late)"
	check_not "a user that is not in the inventory is refused" pig_run pgsql-user.yml -l pg-test -e username=nobody
	check_not "so is the superuser" pig_run pgsql-user.yml -l pg-test -e username=postgres
	check_not "and half a cluster without its leader" pig_run pgsql-user.yml -l "$(other)" -e username=late
	sql "$l" 5433 'create table mine (i int)' again >/dev/null
	check_not "a database is made anew only by name" pig_run pgsql-db.yml -l pg-test -e dbname=again
	pig_ok "pgsql-db, recreate" pgsql-db.yml -l pg-test -e dbname=again -e confirm=pg-test
	equal "it is empty but for its baseline" "|7" "$(sql "$l" 5436 "select to_regclass('mine'), i from base" again)"
	pig_ok "pgsql-db, nothing to do" pgsql-db.yml -l pg-test -e dbname=test
	equal "changes nothing" 0 "$(recap changed)"
	unchanged "pgsql.yml does not recreate" pgsql.yml -l pg-test
}

rows_at() { [ "$(sql "$1" 5433 'select count(*) from precious')" = 1000 ]; }
case_rm_member() {
	local old new
	old=$(leader) new=$(other)
	pig_ok "the leader alone goes" pgsql-rm.yml -l "$old" -e confirm=pg-test
	check "the other leads" until_ok 10 lead_by "$new"
	# HAProxy takes a leader after three good checks 2 s apart, the first up to 2 s late
	check "its rows are there" until_ok 10 rows_at "$new"
	check_not "no data is left on the one that went" on "$(node_at "$old")" 'ls -d /data/postgres/* /data/backups/* /pg'
	pig_ok "it is made a member again" pgsql.yml -l pg-test
	check "a leader and its replica" until_ok 30 healthy 1
}

# All that bears the other cluster's name, and the node that holds it.
OTHERS='find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log -o -path /data/postgres/pg-test2-15/data \
	-o -path /data/postgres/pg-test2-15/log -o -path /data/backups/pg-test2-15/backup/archive \) -prune -o -path "*pg-test2*" -printf "%p %y %m %u:%g %s %l\n" | sort'
ETCD='. /etc/profile.d/etcdctl.sh; export ETCDCTL_API=3;'
others_picture() {
	local n
	for n in $NODES; do on "$n" "$OTHERS" | sed "s/^/$n /"; done
	on node-3 'systemctl is-active patroni pgbouncer haproxy vip-manager pg_exporter'
	on meta "$ETCD etcdctl get --prefix --keys-only /pg/pg-test2/ | grep -vE '^$|members|status|optime'; etcdctl user list | grep -x pg-test2; etcdctl role list | grep -x pg-test2"
}
keys_of() { on meta "$ETCD etcdctl get --prefix --keys-only /pg/$1/ | grep -v '^$'; etcdctl user list | grep -x $1; etcdctl role list | grep -x $1"; }
case_rm() {
	local n before
	# what a careless pattern would take with it, on the very nodes
	for n in node-1 node-2; do
		on "$n" 'mkdir -p /data/postgres/pg-test2-15 /data/backups/pg-test2-15/backup; touch /data/postgres/pg-test2-15/decoy
			printf "# cluster: pg-test2\nlisten pg-test2-x\n    bind *:5999\n    mode tcp\n" >/etc/haproxy/conf.d/pg-test2-x.cfg'
	done
	others_picture >"$WORK/others-before"
	before=$(dba_sql 10.10.10.13 'select pg_postmaster_start_time()')
	check_not "refused under the safeguard" pig_run pgsql-rm.yml -l pg-test -e confirm=pg-test -e pg_safeguard=true
	check_not "refused with the other's name" pig_run pgsql-rm.yml -l pg-test -e confirm=pg-test2
	check "the cluster has not noticed" healthy 1
	pig_ok "pg-test goes" pgsql-rm.yml -l pg-test -e confirm=pg-test
	for n in node-1 node-2; do
		check_not "$n: no process, no data, no service is left" on "$n" 'pgrep -u postgres || ls -d /data/postgres/pg-test-15 /data/backups/pg-test-15 /pg \
			/etc/patroni /etc/pgbouncer /etc/pgbackrest /etc/systemd/system/patroni.service /etc/haproxy/conf.d/pg-test-*.cfg /etc/vector/p*.yaml 2>/dev/null | grep .'
	done
	equal "no key, no user, no role in etcd" "" "$(keys_of pg-test)"
	equal "no target, no name on the infra node" "" \
		"$(on meta 'ls /infra/targets/*/pg-test-[0-9]* /etc/dnsmasq.d/pigsty/pg-test /etc/dnsmasq.d/pigsty/pg-test-* 2>/dev/null')"
	equal "those of the other are there" "/etc/dnsmasq.d/pigsty/pg-test2 /etc/dnsmasq.d/pigsty/pg-test2-1 /infra/targets/pgsql/pg-test2-1.yml" \
		"$(on meta 'ls /infra/targets/*/pg-test2* /etc/dnsmasq.d/pigsty/pg-test2*' | xargs)"
	others_picture >"$WORK/others-after"
	check "pg-test2 keeps every file, key, user and service" diff "$WORK/others-before" "$WORK/others-after"
	equal "it answers, and was not restarted" "$before" "$(dba_sql 10.10.10.13 'select pg_postmaster_start_time()')"
	unchanged "pgsql-rm.yml again" pgsql-rm.yml -l pg-test -e confirm=pg-test
	for n in node-1 node-2; do on "$n" 'rm -f /etc/haproxy/conf.d/pg-test2-x.cfg; systemctl reload haproxy'; done
	unchanged "pgsql.yml of the other" pgsql.yml -l pg-test2
	pig_ok "pg-test is made anew" pgsql.yml -l pg-test
	check "a leader and its replica" until_ok 30 healthy 1
	equal "with a backup" full "$(info "$(leader)" '.backup[0].type')"
}

main() {
	box_up
	mkdir -p "$WORK/inv/files"
	# where infra.yml would have made place for targets and names
	on meta 'groupadd -f infra; id victoria >/dev/null 2>&1 || useradd -r -g infra victoria
		mkdir -p /infra/targets/pgsql /infra/targets/patroni /infra/targets/ping /etc/dnsmasq.d/pigsty'
	echo 'create table base (i int); insert into base values (7);' >"$WORK/inv/files/again.sql"
	if [ -z "${REUSE:-}" ]; then
		pig_ok "node.yml" node.yml && pig_ok "etcd.yml" etcd.yml && pig_ok "pgsql.yml, both clusters" pgsql.yml || finish
		check "a leader and its replica" until_ok 30 healthy 1 || finish
	fi
	cases first words pitr one rm_member rm
	finish
}
main
