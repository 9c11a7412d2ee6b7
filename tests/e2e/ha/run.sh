#!/bin/bash
# What happens when things fail, with a client writing 50 rows a second through the HAProxy of a member that does not fail.
#   run.sh        each failure once: writes resume, what is promised is not lost, the old primary comes back as a replica
#   run.sh soak   KILLS (20) power cuts of the leader's node for each of PLANS ("norm fast"): write gaps, as a table in docs/ha.md
# shellcheck disable=SC2016,SC2317,SC2119 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=ha
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
RESUME_S=90 # at most, until writes go on; the plan `norm` promises half of it
HURT_S=75   # at most, until a fault that must be felt is felt

# ---- the frame of a case ----
# Sets L, the leader; A and B, the others; T, the time just before the fault. The writer goes through A.
begin() { # WHAT [PORT]
	say "== $1"
	CASE=$1 FAILED_BEFORE=$FAILED
	check "$1: healthy before" until_ok 90 healthy || return 1
	L=$(leader)
	# shellcheck disable=SC2046
	set -- "$1" "${2:-5433}" $(others "$L")
	A=$3 B=$4
	check "$CASE: a client writes" writer_start "$A" "$2" || return 1
	T=$(now_ms)
}
resumed() { # after having been hurt
	check "$CASE: the fault is felt" until_ok "$HURT_S" writes_hurt_since "$T"
	check "$CASE: writes resume" until_ok "$RESUME_S" writes_go_on "$(now_ms)"
}
back_as_replica() {
	if [ "$(leader)" = "$L" ]; then
		say "$CASE: the same member leads again"
	else
		check "$CASE: the old primary comes back as a replica" until_ok 120 replica_of "$L"
	fi
	check "$CASE: a leader and two replicas" until_ok 120 healthy
}
# KEPT: nothing acknowledged may be lost; otherwise it is counted (asynchronous replication promises none of the last moment).
end() { # kept|counted
	writer_stop
	verify_rows
	local lost
	lost=$(jq -r .lost "$WORK/verify.json")
	say "$CASE: $(jq -c '{sent, acked, refused, unknown, longest_gap_ms}' "$W_JSON") $(jq -c '{found, lost, unknown_found}' "$WORK/verify.json")"
	if [ "$1" = kept ]; then
		equal "$CASE: no acknowledged row is lost" 0 "$lost"
	else
		check "$CASE: rows are counted" [ -n "$lost" ]
	fi
	equal "$CASE: no refused row is there" 0 "$(jq -r .refused_found "$WORK/verify.json")"
	[ "$FAILED" = "$FAILED_BEFORE" ] || dump "${CASE// /-}"
}
settings() { # KEY: of the dynamic configuration
	rest "$(leader)" /config | jq -r ".$1"
}
# Patroni's processes have met a change of the dynamic configuration.
set_config() { # KEY VALUE
	cluster_config "{\"$1\": $2}" >/dev/null
	until_ok 10 [ "$(settings "$1")" = "$2" ]
}

# ---- PostgreSQL ----
KILL_POSTGRES='kill -KILL $(head -1 /pg/data/postmaster.pid)'
case_postgres_killed() {
	begin "postgres killed" || return
	on "$(node_at "$L")" "$KILL_POSTGRES"
	resumed
	back_as_replica
	# the same member after crash recovery has everything; another has what was streamed
	if [ "$(leader)" = "$L" ]; then end kept; else end counted; fi
}
case_postgres_kept_down() {
	begin "postgres killed and kept from starting" || return
	on "$(node_at "$L")" "chmod 0 /usr/lib/postgresql/15/bin/postgres; $KILL_POSTGRES"
	resumed
	check "$CASE: another member leads" until_ok 10 new_leader "$L"
	on "$(node_at "$L")" 'chmod 755 /usr/lib/postgresql/15/bin/postgres'
	back_as_replica
	end counted
}

# ---- Patroni ----
KILL_PATRONI='kill -KILL $(systemctl show -p MainPID --value patroni)'
# Beside the writer through A, one that stays on the server it knew: what is acknowledged there must not be lost either.
patroni_killed() { # WHAT SCRIPT HEAL
	begin "$1" || return
	writer_swap
	writer_start "$L" 5432
	writer_swap
	T=$(now_ms)
	on "$(node_at "$L")" "$2"
	until_ok 45 new_leader "$L" && say "$CASE: another member leads"
	check "$CASE: writes resume" until_ok "$RESUME_S" writes_go_on "$(now_ms)"
	[ -z "$3" ] || on "$(node_at "$L")" "$3"
	back_as_replica
	writer_swap
	CASE="$1, written at the orphan itself"
	end kept
	CASE=$1
	writer_swap
	end kept
}
case_patroni_killed() {
	patroni_killed "Patroni killed, failsafe on" "$KILL_PATRONI" ''
	patroni_killed "Patroni killed and kept from starting, failsafe on" "chmod 0 /pg/bin/patroni-guard; $KILL_PATRONI" \
		'chmod 755 /pg/bin/patroni-guard; systemctl reset-failed patroni; systemctl start patroni'
	set_config failsafe_mode false
	patroni_killed "Patroni killed, failsafe off" "$KILL_PATRONI" ''
	patroni_killed "Patroni killed and kept from starting, failsafe off" "chmod 0 /pg/bin/patroni-guard; $KILL_PATRONI" \
		'chmod 755 /pg/bin/patroni-guard; systemctl reset-failed patroni; systemctl start patroni'
	set_config failsafe_mode true
}

# ---- nodes ----
case_node_stopped() { # [kept|counted] [WORDS]
	begin "primary's node stopped${2:-}" || return
	sandbox stop "$(node_at "$L")" --kill >/dev/null
	resumed
	sandbox start "$(node_at "$L")" >/dev/null
	back_as_replica
	end "${1:-counted}"
}
case_node_cut() { # [kept|counted] [WORDS]
	begin "primary's network cut${2:-}" || return
	sandbox cut "$(node_at "$L")" >/dev/null
	resumed
	sandbox heal "$(node_at "$L")" >/dev/null
	back_as_replica
	end "${1:-counted}"
}
# The third node goes first: it is no member of etcd, which would lose its majority with two of the others.
case_two_down() {
	begin "two of three members down" || return
	local second=10.10.10.13
	[ "$L" != 10.10.10.13 ] || second=10.10.10.11
	local last
	last=$(others "$L" | grep -v "$second")
	writer_stop
	check "$CASE: a client writes through the last" writer_start "$last" 5433
	T=$(now_ms)
	sandbox stop "$(node_at "$second")" --kill >/dev/null
	sandbox stop "$(node_at "$L")" --kill >/dev/null
	resumed
	equal "$CASE: the last one leads" "$last" "$(leader)"
	sandbox start "$(node_at "$second")" >/dev/null
	sandbox start "$(node_at "$L")" >/dev/null
	back_as_replica
	end counted
}

# ---- replicas ----
reads_from() { # THROUGH replica|leader: five times in a row
	local i want=f
	[ "$2" = leader ] || want=t
	for i in 1 2 3 4 5; do
		[ "$(sql "$1" 5434 'select pg_is_in_recovery()')" = "$want" ] || return 1
	done
}
no_write_hurt() {
	! writes_hurt_since "$T"
}
case_replica_stopped() {
	begin "a replica stopped" || return
	on "$(node_at "$B")" 'systemctl stop patroni'
	check "$CASE: 5434 goes on, from the other replica" until_ok 15 reads_from "$A" replica
	check "$CASE: no write is hurt" no_write_hurt
	on "$(node_at "$B")" 'systemctl start patroni'
	back_as_replica
	end kept
}
case_replicas_stopped() {
	begin "both replicas stopped" || return
	on "$(node_at "$A")" 'systemctl stop patroni' &
	on "$(node_at "$B")" 'systemctl stop patroni'
	wait $!
	check "$CASE: 5434 answers from the primary" until_ok 20 reads_from "$A" leader
	check "$CASE: no write is hurt" no_write_hurt
	on "$(node_at "$A")" 'systemctl start patroni'
	on "$(node_at "$B")" 'systemctl start patroni'
	check "$CASE: 5434 answers from a replica again" until_ok 60 reads_from "$A" replica
	back_as_replica
	end kept
}

# ---- etcd ----
case_etcd_one_down() {
	begin "one etcd of three down" || return
	local ttl
	ttl=$(settings ttl)
	on meta 'systemctl stop etcd'
	check "$CASE: writes go on beyond the lease" unhurt_for $((ttl + 5))
	equal "$CASE: the same member leads" "$L" "$(leader)"
	on meta 'systemctl start etcd'
	back_as_replica
	end kept
}
# SECONDS: the writer is well all that time.
unhurt_for() {
	local end=$(($(now_ms) + $1 * 1000))
	while [ "$(now_ms)" -lt "$end" ]; do
		no_write_hurt || return 1
		sleep 0.5
	done
}
case_etcd_down() {
	begin "whole etcd down, failsafe on" || return
	local n ttl
	ttl=$(settings ttl)
	equal "$CASE: failsafe is on" true "$(settings failsafe_mode)"
	for n in meta node-1 node-2; do on "$n" 'systemctl stop etcd'; done
	check "$CASE: the primary keeps writing beyond the lease" unhurt_for $((ttl + 10))
	for n in meta node-1 node-2; do on "$n" 'systemctl start etcd'; done
	back_as_replica
	equal "$CASE: the same member leads" "$L" "$(leader)"
	end kept
}

# ---- synchronous ----
has_sync() { rest "$(leader)" /cluster | jq -e '[.members[] | select(.role == "sync_standby")] | length > 0'; }
case_synchronous() {
	set_config synchronous_mode true
	check "a synchronous standby" until_ok 60 has_sync
	case_postgres_kept_down_sync
	until_ok 60 has_sync
	case_node_stopped kept ", synchronous mode"
	until_ok 60 has_sync
	case_node_cut kept ", synchronous mode"
	set_config synchronous_mode false
}
case_postgres_kept_down_sync() {
	begin "postgres killed and kept from starting, synchronous mode" || return
	on "$(node_at "$L")" "chmod 0 /usr/lib/postgresql/15/bin/postgres; $KILL_POSTGRES"
	resumed
	on "$(node_at "$L")" 'chmod 755 /usr/lib/postgresql/15/bin/postgres'
	back_as_replica
	end kept
}

# ---- the leader's key ----
by_patroni() { # SCRIPT [GUARD]: the last line of what it prints
	on node-1 "cd /; runuser -u postgres -- python3 - ${2:-} <<'END'
$(cat "$ROOT/tests/e2e/ha/$1")
END" 2>/dev/null | tail -1
}
case_guard() {
	say "== a leader's key that another member has taken meanwhile"
	equal "the guard leaves it to its holder" "False b" "$(by_patroni guard.py /pg/bin/patroni-guard)"
	local bare
	bare=$(by_patroni guard.py)
	if [ "$bare" = "False b" ]; then
		skip "Patroni as it comes has no such fault here: the guard stands aside"
	else
		equal "without it the key would be taken away" "True a" "$bare"
	fi
	equal "an etcd that is being stopped is asked again" "Unavailable Unavailable Unavailable Unavailable Unknown" \
		"$(by_patroni closing.py /pg/bin/patroni-guard)"
}

# ---- soak ----
plan_of() { # PLAN: sets pg_rto for the next runs, and waits until it is so
	sed -i '/^    pg_rto:/d' "$INV"
	echo "    pg_rto: $1" >>"$INV"
	pig_ok "pgsql.yml with pg_rto=$1" pgsql.yml -l pg-test
}
# "2s", "500ms" in milliseconds.
in_ms() { sed -nE 's/^([0-9.]+)s$/\1 1000/p; s/^([0-9]+)ms$/\1 1/p; s/^([0-9]+)$/\1 1/p' <<<"$1" | awk '{ print $1 * $2 }'; }
haproxy_setting() { # WORD of the default-server line of the primary service on node-1
	on node-1 "cat /etc/haproxy/conf.d/*primary*.cfg" | grep -oE "\b$1 [0-9.]+(ms|s)?" | head -1 | cut -d' ' -f2
}
# The longest that writes can stay away when the leader's node loses power, in ms: the lease has just been renewed; a replica looks
# once a loop and asks the others, one of whom does not answer (2 s); it promotes; HAProxy needs `rise` good checks in a row, each
# after the interval of a server that is down, and a check may take as long as its timeout; the client finds out by its own
# deadlines, for a statement and for a connection.
PROMOTE_MS=3000 CLIENT_MS=4000
bound_ms() {
	local down rise ttl loop
	down=$(in_ms "$(haproxy_setting downinter)")
	rise=$(haproxy_setting rise)
	ttl=$(settings ttl) loop=$(settings loop_wait)
	echo $(((ttl + loop + 2) * 1000 + PROMOTE_MS + rise * down + down + CLIENT_MS))
}
kill_once() { # prints the write gap in ms
	L=$(leader) || return 1
	A=$(others "$L" | head -1)
	writer_start "$A" 5433 || return 1
	T=$(now_ms)
	sandbox stop "$(node_at "$L")" --kill >/dev/null
	until_ok "$HURT_S" writes_hurt_since "$T" && until_ok 120 writes_go_on "$(now_ms)" || return 1
	sandbox start "$(node_at "$L")" >/dev/null
	writer_stop
	until_ok 180 healthy || return 1
	verify_rows || :
	GAP=$(of_writer longest_gap_ms) LOST=$(jq -r .lost "$WORK/verify.json")
}
soak_plan() { # PLAN
	local i gaps=() lost=0 bound
	plan_of "$1"
	check "$1: healthy" until_ok 60 healthy
	bound=$(bound_ms)
	for ((i = 1; i <= KILLS; i++)); do
		if kill_once; then
			gaps+=("$GAP")
			lost=$((lost + LOST))
			say "$1, kill $i: gap $GAP ms, lost $LOST"
			check "$1, kill $i: $GAP ms is within the bound of $bound ms" [ "$GAP" -le "$bound" ]
		else
			not_ok "$1, kill $i: writes resume and the node comes back"
			writer_stop
			dump "soak-$1-$i"
			until_ok 120 healthy || return
		fi
	done
	ROWS+="$(printf '%s\n' "${gaps[@]}" | sort -n | awk -v plan="$1" -v bound="$bound" -v ttl="$(settings ttl)" -v lost="$lost" '
		{ g[NR] = $1 } END { m = NR % 2 ? g[(NR + 1) / 2] : (g[NR / 2] + g[NR / 2 + 1]) / 2
		printf "| `%s` | %d s | %d | %.1f | %.1f | %.1f | %.1f | %d |", plan, ttl, NR, g[1] / 1000, m / 1000, g[NR] / 1000, bound / 1000, lost }')"$'\n'
}
write_table() { # between two marks of docs/ha.md
	local doc=${HA_DOC:-$ROOT/docs/ha.md}
	{
		echo "\`make soak\`, $(date +%F), $(nproc) cores for the four nodes, the client and this test, load $(cut -d' ' -f2 /proc/loadavg) at the end:"
		echo
		echo '| plan | lease | kills | shortest gap, s | median, s | longest, s | bound, s | acknowledged rows lost |'
		echo '|---|---|---|---|---|---|---|---|'
		printf '%s' "$ROWS"
	} >"$WORK/table"
	cat "$WORK/table"
	[ -f "$doc" ] || return 0
	awk -v t="$WORK/table" '/<!-- soak -->/ { print; while ((getline line <t) > 0) print line; skip = 1 } /<!-- end of soak -->/ { skip = 0 } !skip || !/<!-- soak -->/ && !skip' \
		"$doc" >"$WORK/doc" && cat "$WORK/doc" >"$doc"
}
soak() {
	local plan
	KILLS=${KILLS:-20} ROWS=''
	for plan in ${PLANS:-norm fast}; do soak_plan "$plan"; done
	write_table
}

main() {
	local c
	if ! [ -x "$WRITER" ]; then
		skip "the writer is not built: libpq's headers are missing"
		finish
	fi
	box_up
	[ -n "${REUSE:-}" ] || deploy || finish
	table_make
	if [ "${1:-}" = soak ]; then
		soak
		finish
	fi
	for c in postgres_killed postgres_kept_down patroni_killed node_stopped node_cut replica_stopped replicas_stopped two_down \
		etcd_one_down etcd_down synchronous guard; do
		wanted "$c" || continue
		"case_$c"
		writer_stop
	done
	finish
}
main "$@"
