#!/bin/bash
# The deployed cluster: formed, answering where it should, left alone by a second run, completed after a broken one, rebuilt.
# shellcheck disable=SC2016,SC2317,SC2119 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=cluster
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
INV_PRIMARY=10.10.10.11
# Seconds until every member follows again: a lease (30), wal_receiver_timeout when a member was ahead (60), a retry (5), Patroni's
# start of a server (25), three good checks of HAProxy (6), and a busy machine
REJOIN=150

# ---- before anything is deployed ----
case_check_untouched() {
	local pb n
	# apt keeps a cache of its indexes, made by whoever asks it first: here before the picture
	for n in $NODES; do on "$n" 'apt-cache show bash >/dev/null 2>&1'; done
	tree "$WORK/tree-before"
	for pb in node.yml etcd.yml "pgsql.yml -l pg-test"; do
		# shellcheck disable=SC2086
		pig_ok "$pb --check --diff on untouched nodes" $pb --check --diff
		check "$pb: says what would change" positive "$(recap changed)"
	done
	LOG=$WORK/logs/checks
	cat "$WORK"/logs/*.yml.log >"$LOG"
	check "exact: differences are shown" grep -qE '^ *\+' "$LOG"
	check "dependent: named as such" grep -q 'depends on' "$LOG"
	tree "$WORK/tree-after"
	check "--check left files and units of all nodes as they were" same_tree "$WORK/tree-before" "$WORK/tree-after"
}

# ---- deployment, with runs killed on the way ----
log_has() { [ "$(grep -c . "$LOG")" -ge "$1" ]; }
case_deploy_killed() {
	pig_start node.yml
	check "node.yml is under way" until_ok 30 log_has 12
	kill -KILL "$PIG_PID"
	wait "$PIG_PID" 2>/dev/null
	equal "it was killed in mid-run" "" "$(recap hosts)"
	pig_ok "the next node.yml completes the work" node.yml
	pig_ok "etcd.yml" etcd.yml
	pig_start pgsql.yml -l pg-test
	check "the bootstrap is under way" until_ok 60 on node-1 '[ -e /pg/data/PG_VERSION ]'
	kill -KILL "$PIG_PID"
	wait "$PIG_PID" 2>/dev/null
	equal "it was killed in mid-run" "" "$(recap hosts)"
	pig_ok "the next pgsql.yml completes the work" pgsql.yml -l pg-test
	check "a leader and two streaming replicas" until_ok "$REJOIN" healthy
	check "a table to write to" table_make
}

# ---- access ----
# What answers: "leader direct", "replica pooled"... PgBouncer comes to the server from its own machine, a direct client does not.
answers() { # ADDRESS PORT
	sql "$1" "$2" "select case when pg_is_in_recovery() then 'replica' else 'leader' end || ' ' ||
		case when inet_client_addr() is null or inet_client_addr() << '127.0.0.0/8' then 'pooled' else 'direct' end"
}
ACCESS='5432 own direct
6432 own pooled
5433 leader pooled
5434 replica pooled
5436 leader direct
5438 replica direct'
case_access() {
	local a port who how l
	l=$(leader)
	for a in $MEMBERS; do
		while read -r port who how; do
			if [ "$who" = own ]; then
				who=replica
				[ "$a" != "$l" ] || who=leader
			fi
			equal "$a:$port is answered by the $who, $how" "$who $how" "$(answers "$a" "$port")"
		done <<<"$ACCESS"
	done
	case_access_url read-write leader
	case_access_url standby replica
	case_access_url prefer-standby replica
}
case_access_url() { # ATTRS WHO
	local url=postgres://test:test@10.10.10.12:5432,10.10.10.13:5432,10.10.10.11:5432/test
	equal "a URL of all members with target_session_attrs=$1 reaches a $2" "$2" "$(ctl timeout 10 psql -XAtq "$url?target_session_attrs=$1" \
		-c "select case when pg_is_in_recovery() then 'replica' else 'leader' end")"
}

# ---- a second run ----
case_second_run() { # WHEN
	local pb when=${1:-}
	writer_start "$(others "$(leader)" | head -1)" 5433
	picture "$WORK/a"
	for pb in node.yml etcd.yml "pgsql.yml -l pg-test"; do
		# shellcheck disable=SC2086
		pig_ok "second $pb$when" $pb
		equal "second $pb$when: changed=0" 0 "$(recap changed)" || grep -E 'changed|failed' "$LOG" | head -8 | sed 's/^/#     /'
	done
	picture "$WORK/b"
	writer_stop
	check "nothing changed on any node$when: files, units, server, haproxy, history" same "$WORK/a" "$WORK/b"
	check "no write failed$when ($(of_writer acked) rows)" writer_flawless
	check "all acknowledged rows are there$when" verify_rows
}

# Each of those checks must fail when there is reason to.
seed() { # NAME ASPECT NODE SCRIPT
	picture "$WORK/a"
	on "$3" "$4" >/dev/null 2>&1
	picture "$WORK/b"
	check_not "seeded: $1 is seen" same "$WORK/a" "$WORK/b" "$2"
}
case_seeded() {
	local l r
	l=$(node_at "$(leader)") r=$(others "$(leader)" | tail -1)
	seed "an edited file" content node-2 'echo "# edited" >>/etc/haproxy/haproxy.cfg'
	pig_ok "node.yml after the edit" node.yml -l 10.10.10.12
	check "pig saw the edit" positive "$(recap changed)"
	picture "$WORK/b"
	check "the file is as before" same_file "$WORK/a" "$WORK/b" node-2 /etc/haproxy/haproxy.cfg
	seed "a file's mode" files node-3 'chmod 640 /etc/hosts'
	on node-3 'chmod 644 /etc/hosts'
	seed "an edited server setting file" content "$l" 'echo "# edited" >>/pg/data/pg_hba.conf'
	pig_ok "pgsql.yml after the edit" pgsql.yml -l pg-test
	check "pig saw the edit" positive "$(recap changed)"
	seed "a restarted unit" units node-1 'systemctl restart node_exporter'
	seed "a server that read its settings again" postgres "$l" 'cd /; sudo -u postgres psql -qc "select pg_reload_conf()"; sleep 0.5'
	seed "a reloaded haproxy" haproxy node-1 'systemctl reload haproxy'
	seed "a restarted server" postgres "$(node_at "$r")" "curl -s -m 60 -u 'postgres:Patroni.API' -X POST -d '{}' http://$r:8008/restart"
	check "healthy again" until_ok "$REJOIN" healthy
	writer_start "$r" 5433
	seed "a switchover" history "$l" "curl -s -m 60 -u 'postgres:Patroni.API' -X POST \
		-d '{\"leader\":\"'\$(curl -s http://$(leader):8008/patroni | jq -r .patroni.name 2>/dev/null || hostname)'\"}' http://$(leader):8008/switchover"
	until_ok 30 writes_go_on
	writer_stop
	check_not "seeded: a failed write is seen" writer_flawless
	check "no acknowledged row is lost by a switchover" verify_rows
	check "healthy again" until_ok "$REJOIN" healthy
}
same_file() { # A B NODE PATH: content
	[ "$(grep -F " $4" "$1/$3/content")" = "$(grep -F " $4" "$2/$3/content")" ]
}

reads_by_replicas() {
	local a
	for a in $MEMBERS; do
		[ "$(answers "$a" 5434) $(answers "$a" 5438)" = "replica pooled replica direct" ] || return 1
	done
}
case_failover() {
	local old
	old=$(leader)
	sandbox stop "$(node_at "$old")" --kill >/dev/null
	check "another member leads after the leader's node is lost" until_ok "$REJOIN" new_leader "$old"
	sandbox start "$(node_at "$old")" >/dev/null
	check "the lost node comes back as a replica" until_ok "$REJOIN" replica_of "$old"
	check "healthy" until_ok "$REJOIN" healthy
	# HAProxy of the node that came back, and of the others for it, count three good checks first
	check "reads are served by replicas again" until_ok "$REJOIN" reads_by_replicas
	case_access
	case_second_run " after a failover"
}

# ---- broken runs ----
# systemctl of the node takes its time over restarts and reloads, and then has not done them: the moment between a file and its unit
# lasts long enough to be met.
STALL='cp /usr/bin/systemctl /run/systemctl.real
cat >/run/systemctl.slow <<"END"
#!/bin/sh
case " $* " in
*" restart "*|*" reload "*|*" reload-or-restart "*|*" try-restart "*) : >/run/stalled; sleep 20; exit 1 ;;
esac
exec /run/systemctl.real "$@"
END
chmod 755 /run/systemctl.slow; rm -f /run/stalled; mount --bind /run/systemctl.slow /usr/bin/systemctl'
UNSTALL='umount -l /usr/bin/systemctl; rm -f /run/systemctl.slow /run/systemctl.real /run/stalled'
stalled() { on "$1" '[ -e /run/stalled ]'; }
invocation() { on "$1" "systemctl show -p InvocationID --value $2"; }
workers() { on "$1" 'pidof haproxy | tr " " "\n" | sort -n | tr "\n" " "'; }

# UNIT PROBE PLAYBOOK EXTRA: what the probe prints changes once with the next run, and not with the one after.
killed_before() {
	local unit=$1 probe=$2 pb=$3 extra=$4 a b c
	a=$($probe node-2 "$unit")
	on node-2 "$STALL"
	pig_start "$pb" -l 10.10.10.12 -e "$extra"
	check "$unit: its restart or reload is due" until_ok 60 stalled node-2
	kill -KILL "$PIG_PID"
	wait "$PIG_PID" 2>/dev/null
	on node-2 "$UNSTALL"
	equal "$unit: the killed run did not reach it" "$a" "$($probe node-2 "$unit")"
	pig_ok "$unit: the next run" "$pb" -l 10.10.10.12 -e "$extra"
	equal "$unit: one change, the unit's" 1 "$(recap changed)"
	b=$($probe node-2 "$unit")
	check "$unit: the lost restart or reload was done" [ "$a" != "$b" ]
	pig_ok "$unit: the run after" "$pb" -l 10.10.10.12 -e "$extra"
	equal "$unit: nothing changed" 0 "$(recap changed)"
	c=$($probe node-2 "$unit")
	equal "$unit: left alone" "$b" "$c"
	pig_ok "$unit: as it was" "$pb" -l 10.10.10.12
}
case_killed_between() {
	killed_before node_exporter invocation node.yml node_exporter_options=--no-collector.wifi
	killed_before haproxy workers node.yml haproxy_client_timeout=23h
}

case_cut_off() {
	local status extra=haproxy_client_timeout=22h
	on node-3 "$STALL"
	pig_start node.yml -l pg-test -e "$extra"
	check "an operation is under way on node-3" until_ok 60 stalled node-3
	sandbox cut node-3 >/dev/null
	say "cut"
	pig_wait
	status=$?
	say "pig ended with status $status"
	case $status in 1 | 4 | 6) ok "the exit status says so ($status)" ;; *) not_ok "the exit status says so ($status)" ;; esac
	check "the message names the host and what it was doing" grep -qE '10\.10\.10\.13.*(haproxy|restart|reload)' "$LOG"
	equal "the others finished" "0 0" "$(recap failed 10.10.10.11) $(recap failed 10.10.10.12)"
	grep -vE '^ok' "$LOG" | tail -8 | sed 's/^/#     /'
	sandbox heal node-3 >/dev/null
	check "node-3 is back" until_ok 60 on node-3 "$UNSTALL"
	pig_ok "the next run completes the work" node.yml -l pg-test -e "$extra"
	equal "on the node that was cut off alone" "0 0" "$(recap changed 10.10.10.11) $(recap changed 10.10.10.12)"
	pig_ok "and the one after" node.yml -l pg-test -e "$extra"
	equal "has nothing to do" 0 "$(recap changed)"
	pig_ok "as it was" node.yml -l pg-test
	check "healthy" until_ok "$REJOIN" healthy
}

# ---- rebuild ----
WIPE='systemctl disable --now patroni pgbouncer
rm -rf /data/postgres/* /data/backups/* /pg /etc/patroni /etc/pgbouncer /etc/systemd/system/patroni.service /etc/systemd/system/pgbouncer.service
systemctl daemon-reload'
rebuild() { # ADDRESS WHAT
	on "$(node_at "$1")" "$WIPE" >/dev/null 2>&1
	check "$2 is gone, one of the others leads" until_ok "$REJOIN" healthy 1
	pig_ok "pgsql.yml -l $1" pgsql.yml -l "$1"
	check "$2 is a streaming replica again" until_ok "$REJOIN" replica_of "$1"
	check "healthy" until_ok "$REJOIN" healthy
	pig_ok "and the run after" pgsql.yml -l "$1"
	equal "has nothing to do" 0 "$(recap changed)"
}
case_rebuild() {
	local r
	r=$(others "$(leader)" | grep -v "$INV_PRIMARY" | tail -1)
	rebuild "$r" "a replica"
	rebuild "$INV_PRIMARY" "the inventory's primary"
}

case_etcd_emptied() {
	local n l data
	l=$(leader)
	for n in $(others "$l") "$l"; do on "$(node_at "$n")" 'systemctl stop patroni'; done
	on meta '. /etc/profile.d/etcdctl.sh; ETCDCTL_API=3 etcdctl del --prefix /pg/pg-test/' >/dev/null 2>&1
	equal "etcd knows no such cluster" "" "$(on meta '. /etc/profile.d/etcdctl.sh; ETCDCTL_API=3 etcdctl get --keys-only --prefix /pg/pg-test/' | tr -d '\n')"
	data=$(on node-1 'cat /pg/data/global/pg_control | sha256sum')
	if pig_run pgsql.yml -l pg-test; then
		not_ok "bootstrap is refused when members hold data and etcd knows no cluster"
	else
		equal "bootstrap is refused when members hold data and etcd knows no cluster" 1 $?
	fi
	check "the message names a member that holds data" grep -qE 'pg-test-[123]|10\.10\.10\.1[123].*data' "$LOG"
	grep -iE 'hold|refus|way out|hint|fail' "$LOG" | head -6 | sed 's/^/#     /'
	equal "the data is as before" "$data" "$(on node-1 'cat /pg/data/global/pg_control | sha256sum')"
	# its data is the newest: it stopped last
	on "$(node_at "$l")" 'systemctl start patroni'
	check "the member whose data is to live on, started by hand, leads" until_ok "$REJOIN" leads "$l"
	for n in $(others "$l"); do on "$(node_at "$n")" 'systemctl start patroni'; done
	check "members started by hand form the cluster again" until_ok "$REJOIN" healthy
}

main() {
	local failed_before
	box_up
	cases check_untouched
	failed_before=$FAILED
	cases deploy_killed
	# what follows would only repeat that there is no cluster
	[ "$FAILED" = "$failed_before" ] || finish
	cases access second_run seeded killed_between cut_off rebuild etcd_emptied failover
	finish
}
main
