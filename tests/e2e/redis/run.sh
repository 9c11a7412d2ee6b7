#!/bin/bash
# Module redis in its three shapes on five nodes: a primary with replicas on another node, the sentinels that watch it, a native
# cluster over two nodes. What a run restarts and what it leaves, a failover that is not turned back, removal of one of many.
# shellcheck disable=SC2016,SC2317,SC2086,SC2034 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=redis
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
NODES="meta node-1 node-2 node-3 node-4"

inventory() {
	cat >"$INV" <<-'END'
		all:
		  children:
		    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }
		    redis-ms:
		      hosts:
		        10.10.10.10: { redis_node: 1, redis_instances: { 6379: {} } }
		        10.10.10.11:
		          redis_node: 2
		          redis_instances: { 6379: { replica_of: '10.10.10.10 6379' }, 6380: { replica_of: '10.10.10.10 6379' } }
		      vars: { redis_cluster: redis-ms, redis_password: redis.ms, redis_max_memory: 64MB }
		    redis-meta:
		      hosts: { 10.10.10.12: { redis_node: 1, redis_instances: { 26379: {}, 26380: {}, 26381: {} } } }
		      vars:
		        redis_cluster: redis-meta
		        redis_mode: sentinel
		        redis_password: redis.meta
		        redis_max_memory: 16MB
		        redis_sentinel_monitor: [ { name: redis-ms, host: 10.10.10.10, port: 6379, password: redis.ms, quorum: 2 } ]
		    redis-ms2:
		      hosts:
		        10.10.10.13: { redis_node: 1, redis_instances: { 6379: {}, 6380: {}, 6381: {} } }
		        10.10.10.14: { redis_node: 2, redis_instances: { 6379: {}, 6380: {}, 6381: {} } }
		      vars: { redis_cluster: redis-ms2, redis_mode: cluster, redis_password: redis.ms2, redis_max_memory: 32MB }
		  vars: { ansible_user: dba }
	END
}

# A client on the node itself. The tests' passwords are in the inventory above: no secrets.
ask() { # NODE PORT WORDS...: words are one line for the node's shell
	local node=$1 port=$2 word
	shift 2
	case $node in meta | node-1) word=redis.ms ;; node-2) word=redis.meta ;; *) word=redis.ms2 ;; esac
	on "$node" "REDISCLI_AUTH=$word timeout 5 redis-cli -h $(addr_of "$node") -p $port $*" | tr -d '\r'
}
role() { ask "$1" "$2" INFO replication | sed -n 's/^role://p'; }
link_up() { ask "$1" "$2" INFO replication | grep -qx master_link_status:up; }
leads_ms() { ask node-2 26379 SENTINEL GET-MASTER-ADDR-BY-NAME redis-ms | paste -sd: -; }
config() { ask "$1" "$2" CONFIG GET "$3" | tail -1; }
covered() { # all slots are served, as every instance sees it
	local n p
	for n in node-3 node-4; do
		for p in 6379 6380 6381; do
			ask $n $p CLUSTER INFO | grep -qx cluster_slots_ok:16384 || return 1
		done
	done
}
# What a run that has nothing to do must leave as it is: files with their times and content, units, processes by Redis's own word.
STATE='find /etc/redis /etc/systemd/system /etc/tmpfiles.d /etc/default /infra/targets/redis -name "*redis*" -printf "%p %y %m %u:%g %s %T@ %C@\n" 2>/dev/null | sort
find /etc/redis /infra/targets/redis -type f 2>/dev/null | sort | xargs -r sha256sum
for f in /etc/redis/redis-*.conf; do
	[ -e "$f" ] || continue
	i=${f##*/} i=${i%.conf}
	systemctl show -p Id,InvocationID,ActiveState,MainPID "$i" | paste -sd" " -
	export REDISCLI_AUTH=$(sed -n "s/^requirepass //p" "${f%.conf}.auth")
	redis-cli -p "${i##*-}" INFO server | tr -d "\r" | grep -E "^(run_id|process_id|config_file):" | paste -sd" " -
done
systemctl show -p Id,InvocationID,ActiveState redis_exporter | paste -sd" " -'
states() { # FILE [NODES...]
	local to=$1 n pids=''
	shift
	[ $# -gt 0 ] || set -- $NODES
	for n in "$@"; do
		{ echo "== $n" && on "$n" "$STATE"; } >"$to.$n" &
		pids="$pids $!"
	done
	wait $pids
	for n in "$@"; do cat "$to.$n"; done >"$to"
}
started() { # NODE PORT: by Redis's own word
	ask "$1" "$2" INFO server | sed -n 's/^run_id://p'
}
refused() { # NAME STATUS WORDS pig run's words...
	local name=$1 status=$2 words=$3 s
	shift 3
	pig_run "$@"
	s=$?
	equal "$name: refused" "$status" $s
	check "$name: says why" grep -qE "$words" "$LOG"
	check "$name: says what to do" grep -q 'hint:' "$LOG"
}
no_secret() { ! grep -qE 'redis\.(ms2?|meta)([^a-z-]|$)' "$LOG"; }

case_check() {
	tree "$WORK/tree-a"
	pig_ok "--check --diff on untouched nodes" redis.yml --check --diff
	check "says what would change" positive "$(recap changed)"
	check "and no password" no_secret
	tree "$WORK/tree-b"
	check "and changes nothing" same_tree "$WORK/tree-a" "$WORK/tree-b"
}

case_taken() { # by a Redis of someone else's, which anybody may configure
	on node-1 'systemd-run -q --unit=squatter redis-server --port 6380 --protected-mode no'
	check "someone else has the port" until_ok 10 on node-1 'redis-cli -p 6380 ping | grep -q PONG'
	refused "a port that is taken" 1 'pigsty.yml:9:[0-9]+: port 6380 of redis-ms-2-6380 is taken by the program redis-server' redis.yml -l 10.10.10.11
	check "no instance of the node is configured" on node-1 '! ls /etc/redis/redis-ms-* /data/redis/* 2>/dev/null'
	equal "nor was the other's server" "requirepass" "$(on node-1 'redis-cli -p 6380 CONFIG GET requirepass' | tr -d '\r' | xargs)"
	check "--check says so too" eval '! pig_run redis.yml -l 10.10.10.11 --check && grep -q "port 6380 of redis-ms-2-6380 is taken" "$LOG"'
	on node-1 'systemctl stop squatter'
}

# In vector's place, which is not to be had here: as node.yml leaves its folder and unit; it counts what it is asked to read anew.
VECTOR='mkdir -m 700 /etc/vector && cat >/etc/systemd/system/vector.service <<"END" && systemctl start vector
[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c "echo again >>/run/vector.read"
END'
vector_read() { on node-3 'cat /run/vector.read 2>/dev/null | wc -l'; }

case_deploy() {
	local n
	# as infra.yml leaves it
	on meta 'groupadd -rf infra && { id victoria || useradd -r -g infra victoria; } && mkdir -p /infra/targets/redis' >/dev/null
	on node-3 "$VECTOR"
	on node-4 'mkdir -m 700 /etc/vector'
	pig_ok "redis.yml" redis.yml
	check "no password in its output" no_secret
	equal "the primary leads" master "$(role meta 6379)"
	equal "one of the replicas follows" slave "$(role node-1 6380)"
	check "a write on the primary" until_ok 10 eval '[ "$(ask meta 6379 SET k first)" = OK ]'
	check "arrives at both replicas" until_ok 10 eval '[ "$(ask node-1 6379 GET k)$(ask node-1 6380 GET k)" = firstfirst ]'
	equal "without the password nobody is served" "NOAUTH Authentication required." \
		"$(on meta 'redis-cli -p 6379 GET k' | tr -d '\r')"
	equal "three sentinels watch it" 10.10.10.10:6379 "$(leads_ms)"
	check "they are enough to agree" eval 'ask node-2 26380 SENTINEL CKQUORUM redis-ms | grep -q "^OK 3"'
	check "the native cluster serves all slots" until_ok 10 covered
	equal "three masters of it" 3 "$(ask node-3 6379 CLUSTER NODES | grep -c 'master - .*connected [0-9]')"
	equal "a key goes in through one node" OK "$(ask node-3 6379 -c SET here there)"
	equal "and comes out through another" there "$(ask node-4 6381 -c GET here)"
	equal "one that does not serve it says who does" MOVED \
		"$(for n in 6379 6380 6381; do ask node-3 $n GET here; ask node-4 $n GET here; done | grep -o MOVED | sort -u)"
	for n in $NODES; do
		check "$n: its exporter speaks of each instance" on "$n" "$EXPORTED"
	done
	"$PIG" render infra/boards/redis/redis.json -i "$INV" -l 10.10.10.10 >"$WORK/redis.json"
	for n in meta node-1; do on "$n" 'curl -sf "http://127.0.0.1:9121/scrape?target=redis://127.0.0.1:6379"' >"$WORK/$n.txt"; done
	check "the dashboard asks for what a primary and a replica have" python3 "$ROOT/tests/check/boards.py" metrics redis "$WORK/redis.json" -- \
		"$WORK/meta.txt" "$WORK/node-1.txt"
	equal "the infra node is told of all of them" 12 "$(on meta 'cat /infra/targets/redis/*.yml | grep -c "redis://"')"
	equal "vector is told of the logs" "600 root:root 1" "$(on node-3 'stat -c "%a %U:%G" /etc/vector/redis.yaml') $(vector_read)"
	on node-3 'cat /etc/vector/redis.yaml' >"$WORK/vector.yaml"
	on node-3 'cat /var/log/redis/redis-ms2-1-6379.log' >"$WORK/redis.log"
	check "and understands what is in them" python3 "$ROOT/tests/check/pipelines.py" read "$WORK/vector.yaml" "$WORK/redis.log"
	check "where there is no folder of vector's none is made" on meta '[ ! -e /etc/vector ]'
	equal "files with passwords are Redis's alone to read" "640 root:redis" "$(on meta 'stat -c "%a %U:%G" /etc/redis/redis-ms-1-6379.auth')"
}
EXPORTED='for f in /etc/redis/redis-*.conf; do
	curl -sf "http://127.0.0.1:9121/scrape?target=redis://127.0.0.1:$(sed -n "s/^port //p" $f)" | grep -qx "redis_up 1" || exit 1
done'

case_again() {
	states "$WORK/state-a"
	pig_ok "second redis.yml" redis.yml
	equal "changed=0" 0 "$(recap changed)" || grep -E 'changed:' "$LOG" | head -8 | sed 's/^/#     /'
	states "$WORK/state-b"
	check "files, units and processes are the same" diff "$WORK/state-a" "$WORK/state-b"
	equal "vector is not asked again" 1 "$(vector_read)"
	pig_ok "--check --diff" redis.yml --check --diff
	equal "has nothing to do" 0 "$(recap changed)"
	states "$WORK/state-b"
	check "and does nothing" diff "$WORK/state-a" "$WORK/state-b"
}

case_edits() {
	local before
	before=$(started meta 6379)$(started node-1 6379)$(started node-1 6380)
	states "$WORK/state-a" node-2 node-3 node-4
	sed -i 's/64MB/48MB/' "$INV"
	pig_ok "redis_max_memory: --check --diff" redis.yml --check --diff
	check "shows the line" grep -qE '^ *\+maxmemory 48mb' "$LOG"
	equal "the sentinels' node would not change" 0 "$(recap changed 10.10.10.12)"
	pig_ok "redis_max_memory: applied" redis.yml
	equal "it counts in the running instances" "50331648 50331648 50331648" \
		"$(config meta 6379 maxmemory) $(config node-1 6379 maxmemory) $(config node-1 6380 maxmemory)"
	equal "none of them was restarted" "$before" "$(started meta 6379)$(started node-1 6379)$(started node-1 6380)"
	states "$WORK/state-b" node-2 node-3 node-4
	check "the other clusters are untouched" diff "$WORK/state-a" "$WORK/state-b"
	ask meta 6379 CONFIG SET maxmemory-policy noeviction >/dev/null
	pig_ok "after a change by hand" redis.yml -l redis-ms
	equal "the running instance has its value again" allkeys-lru "$(config meta 6379 maxmemory-policy)"
	before=$(started node-1 6379)
	pig_ok "what is read at the start alone" redis.yml -l 10.10.10.11 -e redis_port=6380 -e '{"redis_rename_commands": {"OBJECT": ""}}'
	check "counts after a restart" eval 'ask node-1 6380 OBJECT HELP | grep -q "unknown command"'
	equal "the instance beside it was not restarted" "$before" "$(started node-1 6379)"
	equal "the keys are there" first "$(ask node-1 6380 GET k)"
	pig_ok "as it was" redis.yml -l redis-ms
	check "the command is back" until_ok 5 eval '! ask node-1 6380 OBJECT HELP | grep -q "unknown command"'
	pig_ok "again" redis.yml -l redis-ms
	equal "changed=0" 0 "$(recap changed)"
}

# The time until a master counts as gone is the sentinels' own (30 s); set by hand, it also shows that a run leaves it alone.
case_failover() {
	local p new
	for p in 26379 26380 26381; do ask node-2 $p SENTINEL SET redis-ms down-after-milliseconds 1500 >/dev/null; done
	check "the replicas follow" until_ok 10 eval 'link_up node-1 6379 && link_up node-1 6380'
	on meta 'systemctl kill -s KILL redis-ms-1-6379; systemctl stop redis-ms-1-6379'
	# 1.5 s to notice, an election, a replica's promotion; another round takes twice the failover timeout and is a failure
	check "the sentinels make a replica lead" until_ok 20 eval '[[ "$(leads_ms)" = 10.10.10.11:* ]]'
	new=$(leads_ms)
	new=${new##*:}
	check "it does" until_ok 5 eval '[ "$(role node-1 $new)" = master ] && [ "$(ask node-1 $new SET k second)" = OK ]'
	check "the other replica follows it" until_ok 15 eval '[ "$(ask node-1 $((12759 - new)) GET k)" = second ]'
	pig_ok "redis.yml starts the one that failed" redis.yml -l redis-ms
	check "it follows the new primary" until_ok 20 eval '[ "$(role meta 6379)" = slave ] && [ "$(ask meta 6379 GET k)" = second ]'
	pig_ok "redis.yml for all" redis.yml
	equal "the failover is not turned back" "10.10.10.11:$new master slave" "$(leads_ms) $(role node-1 $new) $(role meta 6379)"
	equal "what was told to the sentinels by hand is left" 1500 \
		"$(ask node-2 26379 SENTINEL MASTER redis-ms | sed -n '/^down-after-milliseconds$/{n;p}')"
	pig_ok "redis.yml again" redis.yml
	equal "changed=0" 0 "$(recap changed)" || grep -E 'changed:' "$LOG" | head -8 | sed 's/^/#     /'
	on meta 'systemctl restart redis-ms-1-6379'
	check "a restart keeps the role" until_ok 10 eval '[ "$(role meta 6379)" = slave ] && link_up meta 6379'
}

trace() { # NODE [PORT]: what is left of instances
	on "$1" "find /etc/redis /etc/systemd/system /data/redis /var/log/redis /infra/targets/redis \\( -name 'redis-*-${2:-*}*' \\) ! -type l 2>/dev/null
		systemctl list-units --all --plain --no-legend 'redis-*-${2:-[0-9]*}.service'; ss -Hltn 'sport = :${2:-6379}'"
}
case_remove() {
	local lead at before
	states "$WORK/state-a"
	refused "without a name" 2 '"redis-ms" would be destroyed and was not named' redis-rm.yml -l redis-ms
	refused "with the safeguard on" 2 'redis_safeguard is on' redis-rm.yml -l redis-ms -e confirm=redis-ms -e redis_safeguard=true
	states "$WORK/state-b"
	check "nothing was touched" diff "$WORK/state-a" "$WORK/state-b"
	states "$WORK/state-a" node-2 node-3 node-4
	lead=$(leads_ms)
	lead=${lead##*:}
	at=$((12759 - lead))
	before=$(started meta 6379)$(started node-1 "$lead")
	pig_ok "one instance of a node" redis-rm.yml -l 10.10.10.11 -e redis_port=$at -e confirm=redis-ms
	equal "no trace is left of it" "" "$(trace node-1 $at)"
	equal "the others of its cluster run on" "$before" "$(started meta 6379)$(started node-1 "$lead")"
	equal "with their keys" "second second" "$(ask meta 6379 GET k) $(ask node-1 "$lead" GET k)"
	check "their exporter too" on node-1 "$EXPORTED"
	equal "the infra node knows of two of them" 2 "$(on meta 'cat /infra/targets/redis/redis-ms-*.yml | grep -c "redis://"')"
	states "$WORK/state-b" node-2 node-3 node-4
	check "the other clusters are untouched" diff "$WORK/state-a" "$WORK/state-b"
}

case_leave() { # of the native cluster: an instance, then what is left of its node
	local at
	# a master of the second node, so that slots have to move
	at=$(ask node-3 6379 CLUSTER NODES | sed -n 's/^[^ ]* 10\.10\.10\.14:\([0-9]*\)@.* connected [0-9].*/\1/p' | head -1)
	check "a master on the second node" positive "$at"
	pig_ok "a master leaves" redis-rm.yml -l 10.10.10.14 -e redis_port="$at" -e confirm=redis-ms2
	equal "no trace is left of it" "" "$(trace node-4 "$at")"
	check "all slots are served by the others" until_ok 10 eval 'ask node-3 6379 CLUSTER INFO | grep -qx cluster_slots_ok:16384'
	equal "the key is there" there "$(ask node-3 6379 -c GET here)"
	equal "five know each other" 5 "$(ask node-3 6379 CLUSTER NODES | grep -c ' connected')"
	pig_ok "redis.yml takes it in again" redis.yml -l redis-ms2
	check "all is as before" until_ok 10 covered
	equal "six know each other" 6 "$(ask node-3 6379 CLUSTER NODES | grep -c ' connected')"
	equal "the key is there" there "$(ask node-4 "$at" -c GET here)"
}

case_end() { # a cluster whole, then the others
	local n
	states "$WORK/state-a" node-2 node-3 node-4
	pig_ok "a cluster whose name begins another's is removed, but for its data" redis-rm.yml -l redis-ms -e confirm=redis-ms -e redis_rm_data=false
	states "$WORK/state-b" node-2 node-3 node-4
	check "the others are untouched" diff "$WORK/state-a" "$WORK/state-b"
	equal "and known to the infra node" "redis-meta-1.yml redis-ms2-1.yml redis-ms2-2.yml" "$(on meta 'cd /infra/targets/redis && echo *')"
	pig_ok "it is taken up again" redis.yml -l redis-ms
	check "with its keys" until_ok 10 eval '[ "$(ask meta 6379 GET k)$(ask node-1 6380 GET k)" = secondsecond ]'
	states "$WORK/state-a" meta node-1 node-2
	on node-4 'echo "# redis instance of redis-ms22, node 1, port 7000" >/etc/systemd/system/another.service'
	pig_ok "the native cluster is removed" redis-rm.yml -l redis-ms2 -e confirm=redis-ms2
	for n in node-3 node-4; do equal "$n: no trace is left" "" "$(trace $n)"; done
	equal "vector reads no logs of redis, and knows it" "no 2" "$(on node-3 '[ -e /etc/vector/redis.yaml ] || echo no') $(vector_read)"
	check_not "nor the exporter" on node-3 'systemctl -q is-active redis_exporter || [ -e /etc/systemd/system/redis_exporter.service ]'
	states "$WORK/state-b" meta node-1 node-2
	check "the others are untouched" diff <(grep -v /infra/ "$WORK/state-a") <(grep -v /infra/ "$WORK/state-b")
	pig_ok "once more" redis-rm.yml -l redis-ms2 -e confirm=redis-ms2
	equal "changed=0" 0 "$(recap changed)"
	check "where another cluster is on the node vector goes on" on node-4 'ls /etc/vector/redis.yaml && rm /etc/systemd/system/another.service'
	pig_ok "all are removed" redis-rm.yml -e confirm=redis-ms,redis-meta,redis-ms2
	for n in $NODES; do equal "$n: no trace is left" "" "$(trace "$n")"; done
	check_not "nor does vector read more of it" on node-4 'ls /etc/vector/redis.yaml'
}

dump() {
	local n
	for n in $NODES; do
		on "$n" 'for f in /var/log/redis/*.log; do [ ! -e "$f" ] || tail -n 4 "$f"; done; systemctl --failed --no-legend' 2>&1 | sed "s/^/#     $n: /"
	done
}

main() {
	inventory
	box_up --nodes 5
	cases check taken deploy again edits failover remove leave end
	finish
}
main
