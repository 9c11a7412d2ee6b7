#!/bin/bash
# What `pig sandbox` promises, tried on real nodes. Usage: PIG=path/to/pig run.sh   (as root; about a minute, plus the images' first build)
set -u

PIG=${PIG:?path of the pig binary}
PIG=$(realpath "$PIG")
STATE=${PIG_SANDBOX_DIR:-/var/lib/pig-sandbox}
A=e2e$$a
B=e2e$$b
OWN=$(mktemp -d)
passed=0
failed=0

sb() { "$PIG" sandbox "$@"; }

ok() { # status text
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
		passed=$((passed + 1))
	else
		echo "not ok - $2"
		failed=$((failed + 1))
	fi
}

check() { # text command...: it succeeds
	local text=$1
	shift
	"$@" >"$OWN/out" 2>&1
	local status=$?
	ok "$status" "$text"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$OWN/out"
}

refuse() { # text command...: it fails
	local text=$1
	shift
	! "$@" >"$OWN/out" 2>&1
	ok "$?" "$text"
}

says() { # text status pattern command...: it ends with that status and says that (an empty pattern: whatever)
	local text=$1 want=$2 pattern=$3
	shift 3
	"$@" >"$OWN/out" 2>&1
	local status=$?
	[ "$status" -eq "$want" ] && { [ -z "$pattern" ] || grep -q -- "$pattern" "$OWN/out"; }
	local good=$?
	ok "$good" "$text"
	[ "$good" -eq 0 ] || { echo "# status $status"; sed 's/^/# /' "$OWN/out"; }
}

on() { # node command line, in sandbox A
	local node=$1
	shift
	sb shell "$node" --name "$A" -- "$*"
}

state_is() { # node state
	sb status --name "$A" | grep -q "^$1 .* $2 "
}

# processes (a zombie is none, nor is one that is reaped while we look), mounts, namespaces, cgroups and files of a sandbox, one a line
remains() { # name
	local p
	for p in /proc/[0-9]*; do
		grep -qs "/pig-sandbox\.$1\." "$p/cgroup" && grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "$p/status" && echo "process ${p#/proc/}"
	done
	grep -s " $STATE/$1/" /proc/self/mounts
	find /run/netns -regextype egrep -regex "/run/netns/$1-(sw|ctl|meta|node-[0-9]+)" 2>/dev/null
	find /sys/fs/cgroup -maxdepth 2 -name "pig-sandbox.$1.*"
	ls -d "$STATE/$1" "$STATE/gone.$1."* /run/systemd/nspawn/propagate/"$1"-* 2>/dev/null
}

nothing_left() { # name
	local left
	left=$(remains "$1")
	echo "$left"
	[ -z "$left" ]
}

until_true() { # seconds command...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

nspawn_pids() { # name
	local f
	for f in "$STATE/$1"/nodes/*/pid; do
		[ -f "$f" ] && cut -d' ' -f1 "$f"
	done
}

all_stopped() { # name
	! sb status --name "$1" | grep -qE ' (running|cut) '
}

# SIGKILL to every nspawn; the signal is there at once, the end of a process is not
kill_nodes() { # name
	local pid
	for pid in $(nspawn_pids "$1"); do
		kill -9 "$pid"
	done
	until_true 10 all_stopped "$1"
}

finish() {
	sb down --name "$A" >/dev/null 2>&1
	sb down --name "$B" >/dev/null 2>&1
	PIG_SANDBOX_DIR=$OWN/state sb down --name "$A" >/dev/null 2>&1
	rm -rf --one-file-system "$OWN"
}
trap finish EXIT

test_refusals() {
	says 'without root it says so and exits 2' 2 'needs root' setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$PIG" sandbox up --name "$A"
	says 'without mmdebstrap it names the package and exits 2' 2 'apt-get install mmdebstrap' unshare --mount sh -c \
		"mount --bind /dev/null \$(command -v mmdebstrap) && exec $PIG sandbox up --name $A"
	says 'an unknown command exits 2' 2 'unknown sandbox command' sb frobnicate
	says 'an option of another command exits 2' 2 'has no option' sb up --json
	says 'a wrong number of nodes exits 2' 2 'no number' sb up --nodes 0
	ip netns add "$A-sw"
	says 'a name whose namespace is taken exits 2' 2 "network namespace \"$A-sw\"" sb up --name "$A" --image bare
	check 'and the namespace is left alone' ip netns del "$A-sw"
	check 'refusals change nothing' nothing_left "$A"
}

test_up() {
	mkdir "$OWN/share"
	echo shared >"$OWN/share/file"
	check 'up' sb up --name "$A" --image bare --memory 512M --bind "$OWN/share:/mnt/share"
	says 'up again says so and exits 0' 0 'up already' sb up --name "$A"
	says 'up with other options exits 2' 2 'up already' sb up --name "$A" --nodes 2
	for node in meta node-1 node-2 node-3; do
		says "$node runs" 0 "^$node .* running " sb status --name "$A"
		says "$node has its own host name" 0 "^$node\$" on "$node" hostname
	done
	sb status --name "$A" --json >"$OWN/json"
	check 'status --json is JSON' python3 -c "import json; d = json.load(open('$OWN/json')); assert len(d['nodes']) == 4
for n in d['nodes']: assert n['state'] == 'running' and n['pid'] > 0 and n['memory'] > 0 and n['address']"
	says 'an unknown node exits 2' 2 'has no node' sb shell node-9 --name "$A" -- true
	says 'a bound folder is there' 0 shared on node-3 cat /mnt/share/file
	refuse 'and read-only' on node-3 sudo touch /mnt/share/new
}

test_login() {
	says 'login as dba' 0 '^dba$' on meta id -un
	says 'sudo without a password' 0 '^0$' on meta sudo -n id -u
	refuse 'root login is refused' ip netns exec "$A-ctl" ssh -F "$STATE/$A/ssh_config" -o BatchMode=yes root@meta true
	for address in 10.10.10.10 10.10.10.11 10.10.10.12 10.10.10.13; do
		check "meta reaches $address by ssh" on meta ssh -o BatchMode=yes "$address" sudo -n true
	done
	refuse 'node-1 holds no private key' on node-1 test -e .ssh/id_ed25519
	says 'words of a command stay words' 0 '^<a  b>$' sb shell meta --name "$A" -- printf '<%s>\n' 'a  b'
	says 'the exit status comes back' 7 '' sb shell meta --name "$A" -- 'exit 7'
	check 'each node has host keys of its own' test "$(cut -d' ' -f3 "$STATE/$A/known_hosts" | sort -u | wc -l)" -eq 8
	check 'each node has a machine id of its own' test "$(for n in meta node-1 node-2 node-3; do on "$n" cat /etc/machine-id; done |
		sort -u | wc -l)" -eq 4
	says 'systemd runs' 0 'running' on node-2 systemctl is-system-running --wait
}

test_isolation() {
	local host
	host=$(ip -4 -o addr show scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
	check 'no default route' test -z "$(on node-1 ip route show default)"
	says 'one route in all' 0 '^1$' on node-1 'ip route | wc -l'
	refuse 'no way to 10.10.10.200' on node-1 "timeout 5 bash -c '</dev/tcp/10.10.10.200/22'"
	says "no way to this machine (${host:-192.0.2.1})" 1 'unreachable' on node-1 "bash -c '</dev/tcp/${host:-192.0.2.1}/22'"
	refuse 'no name resolves' on node-1 getent hosts pigsty.example
	says 'the memory limit is in the cgroup' 0 '^536870912$' on node-1 \
		'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
	refuse 'more memory than that is refused' on node-1 'head -c 700M /dev/zero | tail | head -c 600M | cmp -s -n 600M - /dev/zero'
	check 'and the node lives on' on node-1 true
	refuse 'the clock cannot be set' on node-1 sudo -n date -s '2001-01-01'
}

test_faults() {
	on node-1 'echo kept | sudo tee /root/kept' >/dev/null
	check 'stop' sb stop node-1 --name "$A"
	check 'a stopped node is stopped' state_is node-1 stopped
	refuse 'and does not answer' on node-1 true
	check 'it powered off in order' grep -q 'Reached target.*poweroff\|Powering off\|halt' "$STATE/$A/nodes/node-1/console.log"
	says 'up tells of a stopped node' 1 'pig sandbox start node-1' sb up --name "$A"
	check 'start' sb start node-1 --name "$A"
	says 'a started node has its files' 0 kept on node-1 sudo cat /root/kept
	check 'stop --kill' sb stop node-2 --kill --name "$A"
	check 'a killed node is stopped' state_is node-2 stopped
	check 'start after a kill' sb start node-2 --name "$A"
	check 'cut' sb cut node-3 --name "$A"
	check 'a cut node is cut' state_is node-3 cut
	refuse 'and not reachable' on meta timeout 2 ssh -o BatchMode=yes -o ConnectTimeout=1 10.10.10.13 true
	check 'heal' sb heal node-3 --name "$A"
	check 'a healed node answers' until_true 10 on meta ssh -o BatchMode=yes 10.10.10.13 true
}

test_side_by_side() {
	check 'a second sandbox beside the first' sb up --name "$B" --image full --nodes 2
	on meta 'sudo touch /in-a'
	refuse 'is another' sb shell meta --name "$B" -- test -e /in-a
	check 'has the packages of a cluster' sb shell meta --name "$B" -- \
		'command -v patroni etcd etcdctl pgbackrest psql python3 >/dev/null && test -x /usr/lib/postgresql/15/bin/postgres'
	says 'runs none of them yet' 0 '^0$' sb shell meta --name "$B" -- \
		'systemctl list-units --state=running --no-legend | grep -cE "postgres|patroni|etcd|haproxy|pgbouncer|keepalived" || :'
	refuse 'and has no cluster' sb shell meta --name "$B" -- test -e /etc/postgresql/15
	check 'down of the second' sb down --name "$B"
	check 'leaves nothing' nothing_left "$B"
	check 'and the first as it was' state_is meta running
	check 'down' sb down --name "$A"
	check 'down leaves nothing' nothing_left "$A"
	says 'down again is fine' 0 'no sandbox' sb down --name "$A"
}

test_kills() {
	local delay pid
	sb up --name "$A" --image bare >/dev/null 2>&1
	kill_nodes "$A"
	check 'down after every node was killed' sb down --name "$A"
	check 'leaves nothing' nothing_left "$A"
	for delay in 0.02 0.1 0.2 0.3 0.5 0.8; do
		"$PIG" sandbox up --name "$A" --image bare >/dev/null 2>&1 &
		pid=$!
		sleep $delay
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
		check "down after up was killed at $delay s" sb down --name "$A"
		check 'leaves nothing' nothing_left "$A"
	done
	"$PIG" sandbox up --name "$A" --image bare --nodes 3 >/dev/null 2>&1 &
	pid=$!
	sleep 0.4
	kill -9 $pid
	wait $pid 2>/dev/null
	check 'up after up was killed' sb up --name "$A" --image bare --nodes 2
	kill_nodes "$A"
	check 'up after every node was killed' sb up --name "$A" --image bare --nodes 2
	"$PIG" sandbox down --name "$A" >/dev/null 2>&1 &
	pid=$!
	sleep 0.05
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	check 'down after down was killed' sb down --name "$A"
	check 'leaves nothing' nothing_left "$A"
}

building() { # far enough for mounts in it
	ls -d "$OWN"/state/images/new-*/rootfs/usr/bin
}

no_build_left() {
	! grep -q " $OWN/state/" /proc/self/mounts && ! grep -lqs "$OWN/state" /proc/[0-9]*/cmdline
}

test_killed_build() {
	PIG_SANDBOX_DIR=$OWN/state "$PIG" sandbox up --name "$A" --image bare >"$OWN/build" 2>&1 &
	local pid=$!
	check 'an image is being built' until_true 180 building
	sed 's/^/# /' "$OWN/build"
	kill -9 $pid
	wait $pid 2>/dev/null
	check 'a killed build leaves no process and no mount' until_true 5 no_build_left
	check 'and no image' test -z "$(find "$OWN/state/images" -mindepth 1 -maxdepth 1 ! -name 'new-*')"
}

test_boot_failure() {
	local rootfs
	rootfs=$(ls -d "$STATE"/images/bare-*/rootfs | head -1)
	sb up --name "$A" --image bare --nodes 1 >/dev/null 2>&1
	sb stop meta --kill --name "$A" >/dev/null
	rm -f "$STATE/$A/nodes/meta/root/sbin/init" "$STATE/$A/nodes/meta/root/lib/systemd/systemd"
	says 'a node that cannot boot is shown with its console' 1 'the end of .*console.log' sb start meta --name "$A"
	check 'the image is not touched by a node' test -x "$rootfs/lib/systemd/systemd"
	check 'down of a node that did not boot' sb down --name "$A"
	check 'leaves nothing' nothing_left "$A"
}

test_refusals
test_up
test_login
test_isolation
test_faults
test_side_by_side
test_kills
test_killed_build
test_boot_failure
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
