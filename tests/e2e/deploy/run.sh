#!/bin/bash
# The whole mission, as a new user goes it (scripts/whole.sh): a bundle, four bare nodes without a way out, bootstrap, conf/ha/full,
# deploy.yml, which is killed midway and goes on. Then: a second run that changes nothing, a value edited in each module, every target,
# every service of the databases, the portal in a browser, a node that stops, clusters removed beside others. pig runs on the admin
# node, as the package has put it there. MinIO takes part when npm has an S3 server to stand in for its own (docs/minio.md).
# shellcheck disable=SC2016,SC2317 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=deploy
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lib/lib.sh
. "$here/../lib/lib.sh"
# shellcheck source=tests/e2e/lib/watch.sh
. "$here/../lib/watch.sh"
# shellcheck source=scripts/whole.sh
. "$ROOT/scripts/whole.sh"
BUILD=$(cd "$BUILD" && pwd)
SHOTS=${SHOTS:-$BUILD/test-logs}

# ---- pig, on the admin node ----
pig_run() { # as lib.sh's, but where the inventory is
	local t status
	RUNS=$((RUNS + 1))
	LOG=$WORK/logs/$(printf %02d $RUNS)-$1.log
	t=$(now_ms)
	timeout -k 5 "${PIG_LIMIT:-1200}" "$PIG" sandbox shell meta --name "$BOX" -- "cd pigsty && pig run $* $SKIP" >"$LOG" 2>&1 </dev/null
	status=$?
	say "pig run $* -> status $status, $(($(now_ms) - t)) ms"
	return $status
}
again() { # NAME pig run's words...: nothing changes
	local name=$1
	shift
	if ! pig_ok "$name" "$@" || ! equal "$name: changed=0" 0 "$(recap changed)"; then
		grep -E 'changed:' "$LOG" | head -8 | sed 's/^/#     /'
	fi
}
inventory() { whole_meta "cat pigsty.yml"; }
edit() { # SED'S SCRIPT
	whole_meta "cp pigsty.yml before.yml && sed -i $(printf %q "$1") pigsty.yml && ! cmp -s pigsty.yml before.yml"
}
add() { edit "s|^  vars:\$|&\\n    $1|"; } # LINE of the global values

# ---- nodes, from outside ----
# A line "KIND NAME what it is" for each file that is not data, each unit that runs, each process a reload replaces, each server.
# Left out: what the system keeps for itself; data and what the services write as they run; the inventory, which the test edits.
STATE='
find /etc /infra/ /www/ /usr/local /home /root /pg/conf/ /pg/cert/ /pg/bin/ /var/lib/pgsql /var/spool/cron /data/redis /data/minio /data/etcd -xdev \
	\( -path /etc/mtab -o -path /etc/.pwd.lock -o -path /etc/ld.so.cache -o -path /infra/metrics -o -path /infra/alertmgr \
	-o -path /home/dba/pigsty -o -path "*/.cache" -o -path "*/.psql_history" -o -path "*/.sudo_as_admin_successful" -o -path /data/etcd/member -o -name "*.rdb" -o -name state.conf -o -name "nodes-*.conf" \) -prune \
	-o -type d -printf "file %p d %m %u:%g\n" -o -printf "file %p %y %m %u:%g %s %T@ %C@ %l\n" 2>/dev/null
find /pg/data/ -maxdepth 1 -name "*.conf" -printf "file %p %m %u:%g %s %T@ %C@\n" 2>/dev/null
systemctl list-units --type=service --state=active --no-legend --plain | awk "{ print \$1 }" |
	grep -vE "^(systemd-|user@|user-runtime|session|getty|console-getty|apt-|dpkg-|e2scrub|fstrim|logrotate|man-db|run-|hook|dbus)|_exporter@" | while read -r u; do
	echo "unit $u $(systemctl show -p InvocationID,ActiveState,MainPID "$u" | sort | tr "\n" " ")"
done
for p in haproxy nginx; do echo "process $p $(pgrep -x $p | tr "\n" " ")"; done
cd /; [ ! -e /pg/data/PG_VERSION ] || echo "server postgres $(sudo -u postgres psql -XAtq -d postgres -c "select pg_postmaster_start_time(), pg_conf_load_time()")"
'
state() { # FILE
	local n pids=''
	for n in $NODES; do
		on "$n" "$STATE" 2>&1 | sed "s/^/$n /" | LC_ALL=C sort >"$1.$n" &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids
	for n in $NODES; do grep -c "^$n file" "$1.$n" | awk -v n="$n" '$1 < 200 { print n " told of " $1 " files alone" }'; done >"$1"
	for n in $NODES; do cat "$1.$n"; done >>"$1"
}
# What differs between two states: "KIND:NAME@NODE,NODE ..." in one line.
differs() {
	LC_ALL=C diff "$1" "$2" | awk '/^[<>]/ { k = $3 ":" $4; if (!((k, $2) in seen)) { seen[k, $2] = 1; at[k] = at[k] "," $2 } }
		END { for (k in at) { n = substr(at[k], 2); if (n == "meta,node-1,node-2,node-3") n = "all"; print k "@" n } }' | sort | xargs
}
untouched() { # NAME BEFORE: nothing differs now
	state "$WORK/now"
	equal "$1" "" "$(differs "$2" "$WORK/now")"
}

# ---- from nothing ----
SETTINGS='    vmetrics_scrape_interval: 3s
    vmetrics_scrape_timeout: 3s
    vmetrics_options: -retentionPeriod=15d -promscrape.fileSDCheckInterval=1s -search.latencyOffset=1s
    vmalert_options: -rule.resendDelay=2s
    alertmanager_group_wait: 3s
    alertmanager_group_interval: 10s
    minio_extra_vars: S3_KEYS=none:none-at-all'
case_begin() {
	check "a bare node becomes the admin node" whole_bootstrap || return
	check "pig configure -c ha/full" whole_configure || return
	check "short intervals" whole_meta "sed -i '/^  vars:\$/r /dev/stdin' pigsty.yml && pig check" <<<"$SETTINGS"
	[ "$MINIO" = no ] || check "an S3 server in MinIO's place" whole_s3_node
}
killed() { # in the middle of deploy.yml: the first server is being made, a minute or two on a quiet machine
	whole_meta "echo \$\$ >/tmp/pig.pid; exec pig run deploy.yml $SKIP" >"$WORK/logs/killed.log" 2>&1 </dev/null &
	local shell=$! status
	check "a server is being made" until_ok 900 on node-1 '[ -e /pg/data/PG_VERSION ]'
	on meta 'kill -9 "$(cat /tmp/pig.pid)"'
	wait "$shell"
	status=$?
	check "pig was killed (status $status)" [ "$status" -ge 128 ]
	check_not "and had not ended" grep -q '^done:' "$WORK/logs/killed.log"
}
case_deploy() {
	killed
	pig_ok "the next deploy.yml goes on" deploy.yml || return
	check "and ends well on all hosts" grep -qE '^done: hosts=4 .*failed=0' "$LOG"
}
case_again() {
	state "$WORK/first"
	again "deploy.yml again" deploy.yml
	untouched "no file, unit, process or server differs" "$WORK/first"
	on node-2 'echo "# edited" >>/etc/haproxy/haproxy.cfg; systemctl restart node_exporter'
	state "$WORK/now"
	equal "an edit by hand and a restart are seen by that check" "file:/etc/haproxy/haproxy.cfg@node-2 unit:node_exporter.service@node-2" \
		"$(differs "$WORK/first" "$WORK/now")"
	pig_ok "deploy.yml after that" deploy.yml
	equal "the file alone is written" 1 "$(recap changed)"
}

# ---- one value edited, module by module ----
# What changes or, refused by these nodes, cannot, by the run's own words: "HOST: task kind name", once each.
told() { sed -nE 's/^([0-9.]+( -> [0-9.]+)?: [a-z0-9_]+: )(changed|would change|would run|warning): ([^(]*[^( ]).*/\1\4/p' "$LOG" | sort -u; }
# NAME PLAYBOOK WHAT-DIFFERS PROBE: the inventory has been edited
edited() {
	local name=$1 playbook=$2 wanted=$3 said
	pig_ok "$name: --check --diff" "$playbook" --check --diff || return
	said=$(told)
	state "$WORK/edit"
	equal "$name: which changes nothing" "" "$(differs "$WORK/now" "$WORK/edit")"
	pig_ok "$name: applied" "$playbook" || return
	equal "$name: it does what was said" "$said" "$(told)"
	check "$name: it is in force" until_ok 20 eval "$4" # two of Patroni's loops; a moment for all others
	state "$WORK/edit"
	equal "$name: that alone differs" "$wanted" "$(differs "$WORK/now" "$WORK/edit")"
	mv "$WORK/edit" "$WORK/now"
}
case_edits() {
	state "$WORK/now"
	add "node_exporter_options: --no-collector.arp"
	edited "node: node_exporter's options" node.yml "file:/etc/default/node_exporter@all unit:node_exporter.service@all" \
		'! ctl curl -s http://10.10.10.12:9100/metrics | grep -q "collector=\"arp\""'
	add 'alertmanager_webhooks: [ { url: "http://10.10.10.10:9060/all" } ]'
	edited "infra: who is told of alerts" infra.yml "file:/etc/alertmanager.yml@meta" \
		'ctl curl -s http://10.10.10.10:9059/api/v2/status | grep -q 10.10.10.10:9060/all'
	add "etcd_election_timeout: 1500"
	edited "etcd: its election timeout" etcd.yml "file:/etc/etcd/etcd.conf@meta unit:etcd.service@meta" \
		'election_is "1500ms|1[.]5s"'
	edit 's/^        pg_cluster: pg-test$/&\n        pg_parameters: { log_min_duration_statement: 250 }/'
	edited "pgsql: a setting of pg-test" pgsql.yml "$(for n in 1 2 3; do echo "file:/pg/conf/pg-test-$n.yml@node-$n"; done | xargs) file:/pg/data/postgresql.conf@node-1,node-2,node-3 server:postgres@node-1,node-2,node-3" \
		'setting_is 250ms'
	edit 's/redis_max_memory: 32MB/redis_max_memory: 33MB/'
	edited "redis: memory of redis-test" redis.yml "$(for n in 2 3; do for p in 6379 6380 6381; do echo "file:/etc/redis/redis-test-$((n - 1))-$p.conf@node-$n"; done; done | xargs)" \
		'[ "$(redis 10.10.10.13 6381 redis-test config get maxmemory | tail -1)" = 34603008 ]'
	if [ "$MINIO" = yes ]; then
		edit 's/minio_extra_vars: .*/minio_extra_vars: MINIO_BROWSER=off/'
		edited "minio: a line of its environment" minio.yml "file:/etc/default/minio@meta unit:minio.service@meta" \
			"minio_has MINIO_BROWSER=off"
	fi
	again "deploy.yml after all edits" deploy.yml
	untouched "and all is as it was" "$WORK/now"
}
election_is() { # PATTERN: by etcd's own words, as it started
	on meta 'journalctl -q --no-pager -u etcd _PID="$(systemctl show -p MainPID --value etcd)"' | grep -E 'election' | grep -qE "$1"
}
minio_has() { on meta "tr '\\0' '\\n' </proc/\$(systemctl show -p MainPID --value minio)/environ | grep -qx $1"; }
setting_is() {
	local a
	for a in $MEMBERS; do [ "$(dba_sql "$a" 'show log_min_duration_statement')" = "$1" ] || return 1; done
}
redis() { # ADDRESS PORT CLUSTER COMMAND...: on the node itself, with the password that stands in its configuration
	local a=$1 p=$2
	shift 3
	on "$(node_at "$a")" "set -- /etc/redis/*-$p.auth; REDISCLI_AUTH=\$(sed -n 's/^requirepass //p' \"\$1\" | tr -d '\"') redis-cli -h $a -p $p $*"
}

# ---- targets ----
targets_wanted() { # "job cls ins ip address", as conf/ha/full has it
	local n cls
	for n in 0 1 2 3; do
		cls=pg-test-$n
		[ "$n" != 0 ] || cls=pg-meta-1
		echo "ping ${cls%-?} $cls 10.10.10.1$n 10.10.10.1$n"
		for port in 9100 9101; do echo "node ${cls%-?} $cls 10.10.10.1$n 10.10.10.1$n:$port"; done
		for port in 8008 9630 9631 9854; do echo "pgsql ${cls%-?} $cls 10.10.10.1$n 10.10.10.1$n:$port"; done
		echo "pgsql-vip ${cls%-?} $cls 10.10.10.1$n 10.10.10.$([ "$n" = 0 ] && echo 2 || echo 3)"
	done
	for n in alertmanager:9059 blackbox:9115 nginx:9113 vmalert:8880 vmetrics:8428; do echo "infra ${n%:*} ${n%:*}-1 10.10.10.10 10.10.10.10:${n#*:}"; done
	for n in http://10.10.10.10:80/ https://10.10.10.10:443/; do echo "http nginx nginx-1 10.10.10.10 $n"; done
	echo "etcd etcd etcd-1 10.10.10.10 10.10.10.10:2379"
	[ "$MINIO" = no ] || echo "minio minio minio-1 10.10.10.10 10.10.10.10:9000"
	for n in ms-1:10:6379 ms-1:10:6380 meta-1:11:26379 meta-1:11:26380 meta-1:11:26381 test-{1:12,2:13}:{6379,6380,6381}; do
		IFS=: read -r cls n port <<<"$n"
		echo "redis redis-${cls%-?} redis-$cls-$port 10.10.10.$n 10.10.10.$n:$port"
	done
}
all_up() { [ "$(query 10.10.10.10 'count(up == 1)' '.value[1]')" = "$(targets_wanted | grep -c .)" ] && [ -z "$(query 10.10.10.10 'up == 0' .metric.instance)" ]; }
case_targets() {
	check "each target is up, and there are $(targets_wanted | grep -c .)" until_ok 60 all_up
	query 10.10.10.10 up '"\(.metric.job) \(.metric.cls) \(.metric.ins) \(.metric.ip) \(.metric.instance)"' | LC_ALL=C sort >"$WORK/targets"
	targets_wanted | LC_ALL=C sort >"$WORK/targets-wanted"
	check "with the labels of its module" diff "$WORK/targets-wanted" "$WORK/targets"
	equal "no rule fails" "" "$(ctl curl -s http://10.10.10.10:8880/api/v1/rules | jq -r '.data.groups[] | .. | .lastError? // empty' | sort -u)"
}

# ---- services, as the demo prints them ----
password_of() { inventory | sed -nE "s/.*name: $1, +password: ([^ ,]+),.*/\1/p"; }
role_at() { # ADDRESS PORT USER DATABASE: does who answers there lead (f) or follow (t)?
	sql "$1" "$2" 'select pg_is_in_recovery()' "$4" "$3" "$(password_of "$3")"
}
serve() { # CLUSTER USER DATABASE REPLICAS' ANSWER ADDRESS...
	local a cls=$1 user=$2 db=$3 read=$4
	shift 4
	for a; do
		equal "$cls: 5433 of $a writes, pooled" f "$(role_at "$a" 5433 "$user" "$db")"
		equal "$cls: 5434 of $a reads, pooled" "$read" "$(role_at "$a" 5434 "$user" "$db")"
		equal "$cls: 5436 of $a writes" f "$(role_at "$a" 5436 "$user" "$db")"
		check "$cls: the pool of $a answers others" sql "$a" 6432 'select 1' "$db" "$user" "$(password_of "$user")"
	done
}
case_services() {
	local a n
	serve pg-test test test t 10.10.10.11 10.10.10.12 10.10.10.13
	for a in 10.10.10.11 10.10.10.13; do # pg-meta has no instance for it
		equal "pg-test: 5438 of $a reads offline" t "$(role_at "$a" 5438 test test)"
	done
	serve pg-meta dbuser_meta meta f 10.10.10.10
	equal "the address of pg-test leads" f "$(role_at 10.10.10.3 5432 test test)"
	equal "the address of pg-meta leads" f "$(role_at 10.10.10.2 5432 dbuser_meta meta)"
	# what a package starts by itself has not read pig's unit
	equal "no package has started its own service" "" "$(for n in $NODES; do
		on "$n" "journalctl -q -b -o cat --no-pager | grep -E '^Started (haproxy.service - HAProxy Load|pgbouncer.service - connection pooler|dnsmasq.service - dnsmasq - A|redis-server|postgresql)' | sort -u"; done)"
}

# ---- the inventory in pg-meta's database ----
case_cmdb() { # with all that `pig configure -g` has written, and run from the admin node's own folder
	check "a password for pg-meta" whole_meta "umask 077; cat >>~/.pgpass" <<<"10.10.10.10:5436:meta:dbuser_meta:$(password_of dbuser_meta)"
	check "load" whole_meta "pig inventory load -d postgres://dbuser_meta@10.10.10.10:5436/meta"
	check "use cmdb" whole_meta "pig inventory use cmdb -d postgres://dbuser_meta@10.10.10.10:5436/meta"
	again "deploy.yml from the database" deploy.yml
	check "the script that names it still runs" whole_meta "test -x inventory.sh && pig check"
	check "use yaml" whole_meta "pig inventory use yaml"
	again "deploy.yml from the file" deploy.yml
}

# ---- the portal ----
# What the page behind a link shows when it works: words that its own program has put there.
shows() { # PATH
	case $1 in
	/vmetrics/vmui/) echo '"__name__":"up"' ;;
	/vmetrics/targets) echo 'http://10.10.10.13:9100/metrics' ;;
	/vmalert/*) echo 'NodeDown' ;;
	/alertmgr/*) echo '<title>Alertmanager' ;;
	/haproxy/*) echo 'Statistics Report' ;;
	/pigsty) echo 'postgresql-15_' ;;
	/ | /zh) echo 'pg-test' ;;
	*) echo 'no page that is known' ;;
	esac
}
links() { grep -oE 'href="[^"]+"' "$1" | cut -d'"' -f2 | sed 's/&amp;/\&/g' | sort -u; }
case_portal() {
	local path n=0 page=$WORK/page.html
	command -v chromium >/dev/null || { skip "Chromium is not installed"; return; }
	mkdir -p "$SHOTS"
	chrome --window-size=1280,1400 --screenshot="$SHOTS/home.png" http://i.pigsty/ >/dev/null
	check "Chromium shows the home page ($SHOTS/home.png)" test -s "$SHOTS/home.png"
	chrome --dump-dom http://i.pigsty/ >"$WORK/home.html"
	for path in $(links "$WORK/home.html" | sed 's|^http://i.pigsty/|/|'); do
		n=$((n + 1))
		case $path in
		*.crt | *.tgz | *.gpg)
			check "$path is there to be taken" ctl curl -sf -o /dev/null --resolve i.pigsty:80:10.10.10.10 "http://i.pigsty$path"
			continue
			;;
		esac
		chrome --virtual-time-budget=5000 --dump-dom "http://i.pigsty$path" >"$page"
		check "$path shows \"$(shows "$path")\"" grep -qF -- "$(shows "$path")" "$page" || head -c 600 "$page"
	done
	check "there are links to each part and node ($n)" [ "$n" -ge 10 ]
}

# ---- a node stops ----
silenced() { # what ran on node-3 is known to be down, and nothing but the node itself is told
	am_alerts 10.10.10.10 "" >"$WORK/alerts"
	grep -qE '^P[a-z]+Down pg-test-3 suppressed' "$WORK/alerts" && grep -qE ' redis-test-2-6379 suppressed' "$WORK/alerts" &&
		[ "$(grep ' 10.10.10.13$' "$WORK/alerts" | grep ' active ')" = "NodeDown pg-test-3 active 10.10.10.13" ]
}
# leaving out that the machine is busy, and what is true and told when the node is back: its servers were started anew
told_of_3() { hook_lines | grep -E ' (pg-test-3|redis-test-2-.*)$' | grep -vE ' (NodeLoadHigh|NodeCpuHigh|[A-Za-z]+Restarted) ' | tr '\n' '|' | sed 's/|$//'; }
# NodeDown: four intervals of 3 s, 13 s of grouping, and a busy machine
TOLD=60
case_alert() {
	if ! inventory | grep -q 9060/all; then
		add 'alertmanager_webhooks: [ { url: "http://10.10.10.10:9060/all" } ]'
		pig_ok "a webhook" infra.yml
	fi
	hook_start
	sandbox stop node-3 --kill >/dev/null
	check "the webhook is told that node-3 is down" until_ok "$TOLD" hook_has '/all firing NodeDown pg-test-3'
	check "what ran on it is known to be down, and silent" until_ok 30 silenced || cat "$WORK/alerts"
	equal "nothing of what runs on it was told" "/all firing NodeDown pg-test-3" "$(told_of_3)"
	sandbox start node-3 >/dev/null
	check "it is told that node-3 is back" until_ok "$TOLD" hook_has '/all resolved NodeDown pg-test-3'
	check "all targets are up again" until_ok 60 all_up
	sleep 11 # an interval of what is told anew: whatever was to come twice has come
	# a replica that catches up may say so
	equal "each was told once" "/all firing NodeDown pg-test-3|/all resolved NodeDown pg-test-3" "$(told_of_3 | tr '|' '\n' | grep NodeDown | paste -sd '|')"
	again "deploy.yml finds nothing to do after a power cut" deploy.yml
}

# ---- clusters side by side ----
names_of() { differs "$1" "$2" | tr ' ' '\n' | sed -nE "s/^file:(.*)@.*/\1/p"; }
case_beside() {
	state "$WORK/a"
	pig_ok "redis-rm.yml of redis-test" redis-rm.yml -l redis-test -e confirm=redis-test
	state "$WORK/b"
	# its nodes have no other instance: the sockets' folder goes too, and logs of Redis are read no more
	equal "nothing of another's is touched" "file:/etc/tmpfiles.d/redis.conf@node-2,node-3 file:/etc/vector/redis.yaml@node-2,node-3" \
		"$(differs "$WORK/a" "$WORK/b" | tr ' ' '\n' | grep -v redis-test | grep -vE 'redis_exporter|/etc/redis@|/data/redis@' | xargs)"
	edit '/^    redis-test:/,/redis_mode: cluster/d; s|^    redis-ms:|    redis-ms2:\n      hosts: { 10.10.10.12: { redis_node: 1, redis_instances: { 6379: {}, 6380: { replica_of: "10.10.10.12 6379" } } } }\n      vars: { redis_cluster: redis-ms2, redis_max_memory: 16MB }\n&|'
	pig_ok "redis-ms2 beside redis-ms" redis.yml -l redis-ms2
	pig_ok "redis-rm.yml of redis-ms2" redis-rm.yml -l redis-ms2 -e confirm=redis-ms2
	state "$WORK/a"
	equal "redis-ms and its sentinels are untouched" "" "$(differs "$WORK/b" "$WORK/a" | tr ' ' '\n' | grep -vE 'redis-ms2|redis_exporter|@node-2$')"
	pig_ok "pgsql-rm.yml of pg-test" pgsql-rm.yml -l pg-test -e confirm=pg-test
	state "$WORK/b"
	equal "on the nodes of pg-meta, its name alone is gone" "" "$(differs "$WORK/a" "$WORK/b" | tr ' ' '\n' | grep -E '[@,]meta|@all' | grep -vE 'pg-test|/ping/10\.10\.10\.3---')"
	check "some of it was" positive "$(differs "$WORK/a" "$WORK/b" | tr ' ' '\n' | grep -c '[@,]meta')"
	equal "pg-meta answers" 1 "$(on meta 'cd /; sudo -u postgres psql -XAtq -d meta -c "select 1"')"
	again "what is left finds nothing to do" pgsql.yml -l pg-meta
}

main() {
	whole_bundle || { not_ok "the bundle"; finish; }
	whole_s3
	[ "$MINIO" = yes ] || skip "MinIO: npm is not there, or cannot reach its registry"
	SKIP=$WHOLE_SKIP
	box_up "${WHOLE_NODES[@]}"
	[ -n "${REUSE:-}" ] || { case_begin && case_deploy; } || finish
	cases again targets services cmdb edits portal alert beside
	finish
}
main
