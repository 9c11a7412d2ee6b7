# shellcheck shell=bash disable=SC2016 # the nodes' shells expand what stands in single quotes here
# What end-to-end tests share: a sandbox that goes away with the test, pig run against it, counting, waits that end at a condition,
# and pictures of nodes to compare. A test sets SUITE, sources this file, calls box_up and ends with finish.
#
# In the environment: PIG and BUILD name the program and its build folder; PIG_SANDBOX another program that makes sandboxes; BOX the
# sandbox's name; KEEP=1 leaves it up; WORK=<folder> with REUSE=1 goes on in one that is up; ONLY_CASES="a b" runs some cases.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
PIG=${PIG:-$BUILD/bin/pig}
WRITER=${WRITER:-$BUILD/e2e/writer}
BOX=${BOX:-t${SUITE:-e2e}}
SANDBOX_DIR=${PIG_SANDBOX_DIR:-/var/lib/pig-sandbox}
NODES="meta node-1 node-2 node-3"
MEMBERS="10.10.10.11 10.10.10.12 10.10.10.13"
OWN_WORK=${WORK:+no}
WORK=${WORK:-$(mktemp -d "/tmp/pig-$BOX.XXXXXX")}
INV=$WORK/inv/pigsty.yml
PASSED=0 FAILED=0 SKIPPED=0 RUNS=0
WRITER_PID=''
mkdir -p "$WORK/inv" "$WORK/ssh" "$WORK/logs"

# ---- counting ----
say() { printf '# %6.1f s  %s\n' "$(seconds_since "$STARTED")" "$*"; }
now_ms() { date +%s%3N; }
seconds_since() { awk -v a="$1" -v b="$(now_ms)" 'BEGIN { print (b - a) / 1000 }'; }
STARTED=$(now_ms)
ok() { PASSED=$((PASSED + 1)); echo "ok - $*"; }
not_ok() { FAILED=$((FAILED + 1)); echo "not ok - $*"; }
skip() { SKIPPED=$((SKIPPED + 1)); echo "skip - $*"; }

# NAME COMMAND...: what the command prints is shown only when it fails. It runs in this shell: what it sets stays.
check() {
	local name=$1
	shift
	if "$@" >"$WORK/check.out" 2>&1; then
		ok "$name"
	else
		not_ok "$name"
		tail -25 "$WORK/check.out" | sed 's/^/#     /'
		return 1
	fi
}
check_not() {
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		not_ok "$name"
		return 1
	fi
	ok "$name"
}
positive() { [ "${1:-0}" -gt 0 ]; }
equal() { # NAME WANTED FOUND
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1: wanted \"$2\", found \"$3\""
		return 1
	fi
}
finish() {
	if [ "$SKIPPED" = 0 ]; then
		echo "$PASSED passed, $FAILED failed"
	else
		echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	fi
	[ "$FAILED" = 0 ] && [ "$PASSED" -gt 0 ]
	exit
}
wanted() { # CASE: is it among ONLY_CASES?
	[ -z "${ONLY_CASES:-}" ] || [[ " $ONLY_CASES " == *" $1 "* ]]
}

# The cases that are wanted, in this order: case_NAME each. Where one fails, what the nodes say of it is kept: dump, or a suite's own.
cases() { # NAME...
	local c before
	for c; do
		wanted "$c" || continue
		before=$FAILED
		say "== $c"
		"case_$c"
		[ "$FAILED" = "$before" ] || dump "$c"
	done
}

# SECONDS COMMAND...: until the command succeeds; fails when the time is over.
until_ok() {
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# ---- the sandbox ----
sandbox() {
	if [ -n "${PIG_SANDBOX:-}" ]; then
		"$PIG_SANDBOX" "$@" --name "$BOX"
	else
		"$PIG" sandbox "$@" --name "$BOX"
	fi
}
box_down() {
	trap - EXIT INT TERM
	writer_kill
	if [ -z "${KEEP:-}" ]; then
		sandbox down >/dev/null 2>&1
		[ -n "$OWN_WORK" ] || [ "$FAILED" != 0 ] || rm -rf "$WORK"
	fi
}
box_ended() {
	local status=$?
	box_down
	exit "$status"
}
box_up() { # [options of up]
	local out
	if ! [ -x "$PIG" ]; then
		echo "$PIG is not there: build it first"
		echo "0 passed, 1 failed"
		exit 1
	fi
	trap box_ended EXIT
	trap 'exit 130' INT TERM
	if [ -z "${REUSE:-}" ]; then
		sandbox down >/dev/null 2>&1
		if ! out=$(sandbox up "$@" 2>&1); then
			not_ok "sandbox $BOX comes up"
			echo "$out" | tail -5
			finish
		fi
	fi
	cp "$SANDBOX_DIR/$BOX/ssh_config" "$WORK/ssh/config"
	chmod 600 "$WORK/ssh/config"
	[ -f "$INV" ] || cp "${INVENTORY:-$ROOT/conf/demo.yml}" "$INV"
	say "sandbox $BOX is up"
}
node_at() { case $1 in *.10) echo meta ;; *.11) echo node-1 ;; *.12) echo node-2 ;; *.13) echo node-3 ;; esac; }
addr_of() { case $1 in meta) echo 10.10.10.10 ;; node-*) echo "10.10.10.1${1#node-}" ;; esac; }

# A command in the controller's network, with the sandbox's ssh configuration in the place of one's own: pig and ansible find it where
# any user's would be. The mount is the namespace's alone.
CTL_SH="mount --bind \"\$1\" \"\$2\" && shift 2 && exec \"\$@\""
ctl() { ip netns exec "$BOX-ctl" sh -c "$CTL_SH" sh "$WORK/ssh" "$(ssh_home)" "$@"; }
ssh_home() { # made when absent: a mount needs a place
	local home
	home=$(getent passwd "$(id -u)" | cut -d: -f6)/.ssh
	[ -d "$home" ] || mkdir -m 700 "$home"
	echo "$home"
}
# Root's shell on a node reads SCRIPT; no quoting to get wrong.
on() { # NODE SCRIPT
	ctl ssh -o ServerAliveInterval=3 -o ServerAliveCountMax=3 "$1" 'sudo sh -s' <<<"$2"
}

# ---- pig ----
# pig run with the test's inventory; output in $WORK/logs/N-*.log, also in $LOG. The status is pig's.
pig_run() {
	local t status
	RUNS=$((RUNS + 1))
	LOG=$WORK/logs/$(printf %02d $RUNS)-$1.log
	t=$(now_ms)
	(cd "$WORK/inv" && ctl timeout -k 5 "${PIG_LIMIT:-300}" "$PIG" run -i "$INV" "$@") >"$LOG" 2>&1 </dev/null
	status=$?
	TOOK_MS=$(($(now_ms) - t))
	say "pig run $* -> status $status, $TOOK_MS ms"
	return $status
}
pig_ok() { # NAME pig run's words...
	local name=$1
	shift
	if pig_run "$@"; then
		ok "$name"
	else
		not_ok "$name (status $?)"
		tail -30 "$LOG" | sed 's/^/#     /'
		return 1
	fi
}
# Of the last line, "done: hosts=4 ok=12 changed=0 ...": the sum of a column; of HOST's line when one is named.
recap() { # COLUMN [HOST]
	grep -E "^${2:-(done|ended|check):} " "$LOG" | tail -1 | grep -oE "\b$1=[0-9]+" | cut -d= -f2
}
# In the background, for runs that are to be killed: PIG_PID is pig's own.
pig_start() {
	RUNS=$((RUNS + 1))
	LOG=$WORK/logs/$(printf %02d $RUNS)-$1.log
	{ cd "$WORK/inv" && exec ip netns exec "$BOX-ctl" sh -c "$CTL_SH" sh "$WORK/ssh" "$(ssh_home)" "$PIG" run -i "$INV" "$@"; } \
		>"$LOG" 2>&1 </dev/null &
	PIG_PID=$!
}
pig_wait() { # bounded by PIG_LIMIT; pig's status
	until_ok "${PIG_LIMIT:-300}" pig_ended || kill -KILL "$PIG_PID"
	wait "$PIG_PID"
}
pig_ended() { ! kill -0 "$PIG_PID" 2>/dev/null; }
deploy() {
	pig_ok "node.yml" node.yml "$@" && pig_ok "etcd.yml" etcd.yml "$@" && pig_ok "pgsql.yml -l pg-test" pgsql.yml -l pg-test "$@" &&
		check "a leader and two streaming replicas" until_ok 30 healthy && table_make
}

# ---- the cluster, from outside ----
rest() { # ADDRESS PATH
	ctl curl -s -m 2 "http://$1:8008$2"
}
# Without its own credentials in the command line of psql: the demo's user is no secret.
sql() { # ADDRESS PORT SQL [DATABASE [USER PASSWORD]]
	PGCONNECT_TIMEOUT=3 PGPASSWORD=${6:-test} ctl timeout 10 psql -XAtq -h "$1" -p "$2" -U "${5:-test}" -d "${4:-test}" -c "$3"
}
dba_sql() { # ADDRESS SQL: as PostgreSQL's superuser, on the member itself
	on "$(node_at "$1")" "cd /; sudo -u postgres psql -XAtq -d postgres -c \"$2\""
}
leads() { [ "$(ctl curl -s -m 2 -o /dev/null -w '%{http_code}' "http://$1:8008/primary")" = 200 ]; }
leader() { # address; fails when none or two say they lead
	local a found=''
	for a in $MEMBERS; do
		leads "$a" && found="$found $a"
	done
	# shellcheck disable=SC2086
	set -- $found
	[ $# = 1 ] && echo "$1"
}
streaming() { sql "$1" 5432 "select count(*) from pg_stat_replication where state = 'streaming' and application_name like 'pg-test-%'"; }
healthy() { # [REPLICAS=2]
	local l
	l=$(leader) && [ "$(streaming "$l")" = "${1:-2}" ] && sql "$l" 5433 'select 1'
}
replica_of() { # ADDRESS: streams from the present leader
	local l
	l=$(leader) && [ "$l" != "$1" ] &&
		[ "$(sql "$l" 5432 "select state from pg_stat_replication where client_addr = '$1' and state = 'streaming' limit 1")" = streaming ]
}
others() { # ADDRESS: the other two
	local a
	for a in $MEMBERS; do [ "$a" = "$1" ] || echo "$a"; done
}
lead_by() { [ "$(leader)" = "$1" ]; }
new_leader() { # OLD
	local l
	l=$(leader) && [ "$l" != "$1" ]
}
cluster_config() { # JSON: a patch of Patroni's dynamic configuration, from a member
	on "$(node_at "$(leader)")" "curl -s -m 5 -u 'postgres:Patroni.API' -X PATCH -d '$1' http://$(leader):8008/config"
}

# ---- the writer ----
RUN_NO=0
table_make() {
	local l
	l=$(leader) || return 1
	on "$(node_at "$l")" "cd /; sudo -u postgres psql -XAtq -d test" >/dev/null <<<'' || return 1
	on "$(node_at "$l")" "cd /; sudo -u postgres psql -XAtq -d test -c 'CREATE TABLE IF NOT EXISTS public.written (run int, id bigint,
		at timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (run, id)); GRANT ALL ON public.written TO PUBLIC'" >/dev/null
}
conninfo() { echo "host=$1 port=$2 dbname=test user=test password=test application_name=writer"; }
# THROUGH PORT [options of the writer]: in the background; the latest one is what the functions below speak of.
writer_start() {
	local addr=$1 port=$2
	shift 2
	RUN_NO=$((RUN_NO + 1))
	W_LOG=$WORK/w$RUN_NO.log W_JSON=$WORK/w$RUN_NO.json W_RUN=$RUN_NO$$
	: >"$W_LOG"
	{ exec ip netns exec "$BOX-ctl" "$WRITER" run "$(conninfo "$addr" "$port")" "$W_LOG" run="$W_RUN" "$@"; } >"$W_JSON" 2>"$W_JSON.err" &
	WRITER_PID=$!
	until_ok 10 writes_go_on
}
writer_stop() {
	[ -n "$WRITER_PID" ] || return 0
	kill -TERM "$WRITER_PID" 2>/dev/null
	wait "$WRITER_PID" 2>/dev/null
	WRITER_PID=''
}
writer_kill() { # for traps
	local pid
	for pid in $WRITER_PID ${V_PID:-}; do kill -KILL "$pid" 2>/dev/null; done
	WRITER_PID='' V_PID=''
}
of_writer() { jq -r ".$1" "$W_JSON"; }
# The latest 25 attempts were all acknowledged, all of them since T (ms of the epoch) if it is given, the last within a second: half a
# second of steady writing.
writes_go_on() { # [T]
	tail -25 "$W_LOG" | awk -v t="${1:-0}" -v now="$(now_ms)" '$4 == "A" && $3 >= t { n++ } { last = $3 }
		END { exit !(n == 25 && now - last < 1000) }'
}
# Something went wrong for the writer since T (ms of the epoch): an attempt that was not acknowledged, or nothing settled for 700 ms.
writes_hurt_since() {
	awk -v t="$1" '$3 >= t && $4 != "A" { bad = 1 } { last = $3 } END { exit !bad }' "$W_LOG" && return
	[ $(($(now_ms) - $(tail -1 "$W_LOG" | cut -d' ' -f3))) -gt 700 ]
}
# Acknowledged rows are all there. Asked of the leader; JSON in $WORK/verify.json.
verify_rows() {
	local l
	l=$(leader) || return 2
	ctl "$WRITER" verify "$(conninfo "$l" 5432)" "$W_LOG" run="$W_RUN" >"$WORK/verify.json"
}
# A second writer: what the functions speak of changes places with what was set aside.
writer_swap() {
	local pid=$WRITER_PID log=${W_LOG:-} json=${W_JSON:-} run=${W_RUN:-}
	WRITER_PID=${V_PID:-} W_LOG=${V_LOG:-} W_JSON=${V_JSON:-} W_RUN=${V_RUN:-}
	V_PID=$pid V_LOG=$log V_JSON=$json V_RUN=$run
}
writer_flawless() { # every row acknowledged on one connection
	[ "$(of_writer acked)" = "$(of_writer sent)" ] && [ "$(of_writer connects)" = 1 ] && [ "$(of_writer connect_failures)" = 0 ] &&
		[ "$(of_writer acked)" -gt 25 ]
}

# ---- pictures of the nodes ----
# Not looked at under /etc: what the nodes' own services rewrite by themselves. Nothing of it is configuration that pig writes.
#   /etc/mtab, /etc/.pwd.lock, /etc/ld.so.cache   links and locks of the system
# Not looked at under /pg: data but for its *.conf, wal, log, tmp, backup: they are the database.
PICTURE='
etc() { find /etc -xdev \( -path /etc/mtab -o -path /etc/.pwd.lock -o -path /etc/ld.so.cache \) -prune -o "$@"; }
pg() { for d in /pg/conf /pg/cert /pg/bin; do [ ! -e "$d/" ] || find "$d/" "$@"; done; find /pg/data/ -maxdepth 1 -name "*.conf" "$@" 2>/dev/null; }
echo "== files"
{ etc -printf "%p %y %m %u:%g %s %T@ %C@ %l\n"; pg -printf "%p %y %m %u:%g %s %T@ %C@ %l\n"; } | sort
echo "== content"
{ etc -type f -print0; pg -type f -print0; } | xargs -0r sha256sum | sort -k2
echo "== units"
for u in etcd patroni pgbouncer haproxy node_exporter keepalived chrony minio; do
	systemctl show -p Id,InvocationID,ActiveState,MainPID "$u" | sort | tr "\n" " "; echo
done
echo "== postgres"
cd /; [ ! -e /pg/data/PG_VERSION ] || sudo -u postgres psql -XAtq -d postgres -c "select pg_postmaster_start_time(), pg_conf_load_time()"
echo "== haproxy"
pidof haproxy | tr " " "\n" | sort -n
echo "== history"
curl -s -m 3 http://127.0.0.1:8008/history || curl -s -m 3 "http://$(hostname -I | tr " " "\n" | grep -m1 "^10\.10\.10\."):8008/history" || true
echo
echo "== dynamic"
curl -s -m 3 "http://$(hostname -I | tr " " "\n" | grep -m1 "^10\.10\.10\."):8008/config" || true
echo
'
picture() { # FOLDER: a file for each node and aspect
	local n
	rm -rf "$1"
	for n in $NODES; do
		mkdir -p "$1/$n"
		on "$n" "$PICTURE" 2>"$1/$n.err" | awk -v d="$1/$n" '/^== / { f = d "/" $2; next } f { print >f }' &
		PICTURE_PIDS="${PICTURE_PIDS:-} $!"
	done
	# shellcheck disable=SC2086
	wait $PICTURE_PIDS
	PICTURE_PIDS=''
}
same() { # A B [ASPECT]: nothing differs; prints what does
	local n bad=0 part=${3:+/$3}
	for n in $NODES; do
		if ! [ -s "$1/$n/files" ] || ! [ -s "$2/$n/files" ]; then
			echo "no picture of $n"
			return 1
		fi
		diff -r "$1/$n$part" "$2/$n$part" | grep '^[<>]' | cut -c1-160 | head -10 | sed "s/^/$n /"
		[ "${PIPESTATUS[0]}" = 0 ] || bad=1
	done
	return $bad
}
# Every file outside the kernel's and the services' own folders, with times: for runs that must not touch anything.
# Left out: /proc /sys /dev /run /tmp; /var/log and /var/tmp; the databases' data; what systemd, sudo and man keep for themselves.
TREE='find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/tmp \
	-o -path /var/lib/systemd -o -path /var/lib/sudo -o -path /var/lib/private -o -path /var/cache/man -o -path /home/dba/.cache \
	-o -path /data/postgres -o -path /data/etcd -o -path /var/lib/etcd -o -path /var/spool/cron -o -path /.cache \) -prune \
	-o -printf "%p %y %m %u:%g %s %T@ %C@ %l\n" | sort
systemctl list-units --all --no-legend --plain --type=service | awk "{ print \$1, \$2, \$3 }" | grep -vE "session|user@|user-runtime|systemd-|apt-|dpkg-|e2scrub|fstrim|logrotate|man-db" | sort'
tree() { # FOLDER
	local n pids=''
	mkdir -p "$1"
	for n in $NODES; do
		on "$n" "$TREE" >"$1/$n" 2>/dev/null &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids
}
same_tree() { # A B
	local n bad=0
	for n in $NODES; do
		if ! [ -s "$1/$n" ] || ! [ -s "$2/$n" ]; then
			echo "no tree of $n"
			return 1
		fi
		diff "$1/$n" "$2/$n" | grep '^[<>]' | cut -c1-160 | head -10 | sed "s/^/$n /"
		[ "${PIPESTATUS[0]}" = 0 ] || bad=1
	done
	return $bad
}

# ---- when something fails ----
dump() { # NAME: the logs of Patroni, etcd and HAProxy of all nodes that answer, into files; their ends are printed
	local n d=$WORK/dump-$1
	mkdir -p "$d"
	for n in $NODES; do
		on "$n" 'for u in etcd patroni pgbouncer haproxy; do echo "== $u"; journalctl -q --no-pager -u $u -n 60; done
			echo "== patroni.log"; tail -n 60 /pg/log/patroni/patroni.log 2>/dev/null
			echo "== postgres"; ls -t /pg/log/postgres/*.csv /pg/log/postgres/*.log 2>/dev/null | head -1 | xargs -r tail -n 40' >"$d/$n" 2>&1
		echo "#   $n:"
		grep -vE '^==' "$d/$n" | grep -E 'patroni|etcd|haproxy|ERROR|WARN|FATAL|INFO' | tail -6 | cut -c1-200 | sed 's/^/#     /'
	done
	echo "#   all of it: $d"
}
