#!/bin/bash
# Members of etcd that leave and come back: one, two at once under a client and in runs that are cut off, a whole cluster beside
# another, one that lost its disk; and what is refused.
# shellcheck disable=SC2016,SC2317,SC2086,SC2034 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=etcd
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
ETCD='. /etc/profile.d/etcdctl.sh; export ETCDCTL_API=3;'

inventory() { # [one]
	local more=', 10.10.10.11: { etcd_seq: 2 }, 10.10.10.12: { etcd_seq: 3 }'
	cat >"$INV" <<-END
		all:
		  children:
		    etcd:
		      hosts: { 10.10.10.10: { etcd_seq: 1 }$([ -n "${1:-}" ] || echo "$more") }
		      vars: { etcd_cluster: etcd }
		    etcd2: { hosts: { 10.10.10.13: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd2 } }
		  vars: { ansible_user: dba }
	END
}
listed() { on "${1:-meta}" "$ETCD etcdctl member list" | grep started | sed 's/.*, \(etcd2\{0,1\}-[0-9]\), .*/\1/' | sort | tr '\n' ' '; }
all_well() { [ "$(on "$1" "$ETCD etcdctl endpoint health --cluster 2>&1" | grep -c 'is healthy')" = "$2" ]; }
value() { on "$1" "$ETCD etcdctl get --print-value-only k"; }
put() { on "$1" "$ETCD etcdctl put k $2 >/dev/null"; }
# What other members' removal must not touch.
state() { on "$1" 'systemctl show -p InvocationID,ActiveState etcd; find /etc/etcd /etc/systemd/system/etcd.service -printf "%p %m %u:%g %s %T@\n" | sort'; }
no_trace() {
	[ -z "$(on "$1" 'ls -d /etc/etcd /var/lib/etcd /data/etcd /etc/systemd/system/etcd.service /etc/profile.d/etcdctl.sh 2>/dev/null
		systemctl is-active etcd | grep -x active; pidof etcd; systemctl is-enabled etcd 2>/dev/null | grep -x enabled')" ]
}
refused() { # NAME STATUS WORDS pig run's words...
	local name=$1 status=$2 words=$3 s
	shift 3
	pig_run "$@"
	s=$?
	equal "$name: refused" "$status" $s
	check "$name: says why" grep -qE "$words" "$LOG"
	check "$name: says what to do" grep -qE 'hint:' "$LOG"
}

case_form() {
	pig_ok "etcd.yml" etcd.yml
	equal "three members" "etcd-1 etcd-2 etcd-3 " "$(listed)"
	equal "one of the other cluster" "etcd2-1 " "$(listed node-3)"
	put meta first && put node-3 beside
	equal "a value in each" "first beside" "$(value meta) $(value node-3)"
	check_not "a password that is not root's" pig_run etcd.yml -e etcd_root_password=Another.One
	check "is told" grep -q 'root must be known by etcd_root_password' "$LOG"
	pig_ok "etcd.yml with root's own" etcd.yml
	pig_ok "etcd.yml again" etcd.yml
	equal "changed=0" 0 "$(recap changed)"
}

case_refusals() {
	state node-2 >"$WORK/state-a"
	refused "without the cluster's name" 2 '"etcd" would be destroyed and was not named' etcd-rm.yml -l 10.10.10.12
	check "it says what would be lost" grep -q 'member etcd-3 of etcd cluster etcd, with its data in /data/etcd' "$LOG"
	refused "with the safeguard on" 2 'etcd_safeguard is on for host' etcd-rm.yml -l 10.10.10.12 -e confirm=etcd -e etcd_safeguard=true
	pig_ok "--check" etcd-rm.yml -l 10.10.10.12 --check
	check "says what would be done" grep -q 'member etcd-3 has left' "$LOG"
	on node-2 'systemctl stop etcd'
	refused "losing the quorum" 1 'without etcd-2 .* would have 1 of 2 members well' etcd-rm.yml -l 10.10.10.11 -e confirm=etcd
	check "the hint names who is not well" grep -q 'Bring etcd-3 back first' "$LOG"
	on node-1 'systemctl stop etcd'
	refused "nobody left to tell" 1 'no member of etcd cluster "etcd" that stays answers' etcd-rm.yml -l 10.10.10.10 -e confirm=etcd
	on node-1 'systemctl start etcd'
	on node-2 'systemctl start etcd'
	check "all are well again" until_ok 30 all_well meta 3
	equal "nothing was removed" "etcd-1 etcd-2 etcd-3 first" "$(listed)$(value node-2)"
}

case_one() { # leaves, and comes back
	local n
	for n in meta node-1; do state $n; done >"$WORK/state-a"
	pig_ok "one member is removed" etcd-rm.yml -l 10.10.10.12 -e confirm=etcd
	equal "the cluster lists the others" "etcd-1 etcd-2 " "$(listed)"
	check "they are well" until_ok 20 all_well meta 2
	check "no trace is left of it" no_trace node-2
	pig_ok "once more" etcd-rm.yml -l 10.10.10.12 -e confirm=etcd
	equal "changed=0" 0 "$(recap changed)"
	put meta second
	pig_ok "etcd.yml takes it in again" etcd.yml
	equal "three members" "etcd-1 etcd-2 etcd-3 " "$(listed)"
	equal "it has what was written meanwhile" second "$(value node-2)"
	equal "the others have not changed" 0 "$(recap changed 10.10.10.11)"
	for n in meta node-1; do state $n; done >"$WORK/state-b"
	check "nor been restarted" cmp "$WORK/state-a" "$WORK/state-b"
	pig_ok "etcd.yml again" etcd.yml
	equal "changed=0" 0 "$(recap changed)"
}

case_disk() { # a member whose disk was replaced by an empty one
	local n
	put meta third
	for n in meta node-1; do state $n; done >"$WORK/state-a"
	on node-2 'systemctl stop etcd; rm -rf /data/etcd/* /data/etcd/.[!.]*'
	pig_ok "etcd.yml with an empty disk" etcd.yml
	equal "three members, none of them the old one" "etcd-1 etcd-2 etcd-3 " "$(listed)"
	check "all are well" until_ok 30 all_well meta 3
	equal "it has what the others have" third "$(value node-2)"
	for n in meta node-1; do state $n; done >"$WORK/state-b"
	check "the others were not restarted" cmp "$WORK/state-a" "$WORK/state-b"
	pig_ok "etcd.yml again" etcd.yml
	equal "changed=0" 0 "$(recap changed)"
}

# A client of the first member, one write after the other: "NUMBER A|F MS" of each, A when it was acknowledged.
client_start() {
	on meta 'cat >/run/client <<-"END"
			. /etc/profile.d/etcdctl.sh; export ETCDCTL_API=3; n=0
			while n=$((n + 1)); do
				etcdctl put written/$n $n --command-timeout=3s >/dev/null 2>&1 && a=A || a=F
				echo "$n $a $(date +%s%3N)" >>/run/client.log
			done
		END
		systemd-run -q --unit=client sh /run/client'
}
client_log() { on meta 'cat /run/client.log'; }
goes_on() { client_log | awk -v t="$1" '$2 == "A" && $3 > t { n++ } END { exit n < 5 }'; } # T: five writes acknowledged after it
longest_gap() { # T: of the writes acknowledged since then, to this moment
	{ client_log && echo "0 A $(now_ms)"; } | awk -v t="$1" '$2 == "A" { if (last > t && $3 - last > g) g = $3 - last; last = $3 } END { print g }'
}
lost_on() { # NODE: of what was acknowledged by now, what the member does not hold
	client_log | awk '$2 == "A" { print "written/" $1 }' | sort >"$WORK/acknowledged"
	[ -s "$WORK/acknowledged" ] || echo everything
	on "$1" "$ETCD etcdctl get --keys-only --prefix written/" | grep . | sort | comm -23 "$WORK/acknowledged" -
}
# etcd.yml, killed when node-1 comes to a change of members: right after it was made, or before; then it is never made.
killed_at() { # NAME after|before CHANGE
	on node-1 "cat >/usr/local/bin/etcdctl <<-'END'
			#!/bin/sh
			hold() { : >/run/held; while [ -e /run/held ]; do sleep 0.1; done; }
			case '$2 '\"\$*\" in 'before $3'*) hold; exit 1 ;; esac
			/usr/bin/etcdctl \"\$@\" || exit
			case '$2 '\"\$*\" in 'after $3'*) hold ;; esac
		END
		chmod +x /usr/local/bin/etcdctl"
	pig_start etcd.yml
	check "$1" until_ok 30 on node-1 '[ -e /run/held ]'
	kill -KILL "$PIG_PID"
	wait "$PIG_PID" 2>/dev/null
	on node-1 'rm -f /usr/local/bin/etcdctl /run/held'
	KILLED=$(now_ms)
}

# To one member and back to three, under a client. The first member's configuration and process stay: its initial-cluster speaks of
# the day it was founded. What cuts a run off must not cost the first member its quorum, and the next run goes on.
case_grow() {
	local from n
	put meta second
	state meta >"$WORK/state-a"
	client_start
	pig_ok "two members are removed" etcd-rm.yml -l 10.10.10.11,10.10.10.12 -e confirm=etcd
	equal "one is left" "etcd-1 " "$(listed)"
	equal "with the data" second "$(value meta)"
	check "no trace is left of the others" eval "no_trace node-1 && no_trace node-2"
	inventory one
	pig_ok "etcd.yml of the one" etcd.yml
	equal "changed=0" 0 "$(recap changed)"
	equal "no acknowledged write is lost" "" "$(lost_on meta)"

	inventory
	from=$(now_ms)
	killed_at "a second member is added, and pig killed before it starts" after "member add"
	equal "it has no vote" true "$(on meta "$ETCD etcdctl member list" | sed -n 's/.*, unstarted, .*, //p')"
	check "the first goes on alone" until_ok 10 goes_on $((KILLED + 2500))
	sandbox cut node-1 >/dev/null
	refused "the second cannot be reached, so the third has to wait" 1 'etcd-3 cannot join .* one learner at a time, and that is etcd-2' etcd.yml
	check "who cannot be reached is named" grep -q '^10.10.10.11 .* unreachable' "$LOG"
	sandbox heal node-1 >/dev/null
	killed_at "the second starts, and pig is killed before it has a vote" before "member promote"
	equal "it runs without one" true "$(on meta "$ETCD etcdctl member list" | sed -n 's/.*, etcd-2, .*, //p')"
	sandbox cut node-2 >/dev/null
	refused "the third cannot be reached" 4 'could not reach "10.10.10.12"' etcd.yml
	equal "the second has its vote" "etcd-1 etcd-2 false" "$(listed)$(on meta "$ETCD etcdctl member list" | sed -n 's/.*, etcd-2, .*, //p')"
	sandbox heal node-2 >/dev/null
	pig_ok "etcd.yml takes in the third" etcd.yml
	equal "three members" "etcd-1 etcd-2 etcd-3 " "$(listed)"
	check "all are well" until_ok 30 all_well meta 3
	pig_ok "etcd.yml again" etcd.yml
	equal "changed=0" 0 "$(recap changed)"

	n=$(longest_gap "$from")
	on meta 'systemctl stop client'
	check "the client never waited longer than 5 s ($n ms)" [ "$n" -lt 5000 ]
	for n in meta node-1 node-2; do equal "$n: no acknowledged write is lost" "" "$(lost_on $n)"; done
	state meta >"$WORK/state-b"
	for n in meta node-1 node-2; do # it would be handed on without the user, and fail some thousand times
		check "$n: no vote was asked of a follower" on $n '! journalctl -q --no-pager -u etcd | grep -F etcdhttp/peer.go | grep "failed to promote"'
	done
	check "the first member was not restarted, nor its configuration changed" cmp "$WORK/state-a" "$WORK/state-b"
}

case_removed() { # by hand, with its data left
	local id
	id=$(on meta "$ETCD etcdctl member list" | sed -n 's/, .*, etcd-3, .*//p')
	# refused until all members have been connected for etcd's health interval of 5 s
	check "it is removed" until_ok 15 on meta "$ETCD etcdctl member remove $id"
	check "it ends itself" until_ok 30 on node-2 '! grep -qs ":094B 0*:0000 0A " /proc/net/tcp'
	refused "a member that was removed" 1 'etcd-3 was removed from etcd cluster "etcd", and its data is still there' etcd.yml
	pig_ok "as the hint says: what is left is taken away" etcd-rm.yml -l 10.10.10.12 -e confirm=etcd
	pig_ok "and it joins anew" etcd.yml
	equal "three members" "etcd-1 etcd-2 etcd-3 " "$(listed)"
}

case_whole() { # a cluster beside another, then the other
	local n
	put meta second
	for n in meta node-1 node-2; do state $n; done >"$WORK/state-a"
	pig_ok "the other cluster is removed" etcd-rm.yml -l etcd2 -e confirm=etcd2
	check "no trace is left of it" no_trace node-3
	for n in meta node-1 node-2; do state $n; done >"$WORK/state-b"
	check "the first is untouched" cmp "$WORK/state-a" "$WORK/state-b"
	equal "and has its value" second "$(value node-1)"
	on meta 'touch /data/etcd/of-others'
	pig_ok "the data stays when that is asked for" etcd-rm.yml -l etcd -e confirm=etcd -e etcd_rm_data=false
	check "it does" on node-1 '[ -d /data/etcd/member ] && ! systemctl is-active etcd'
	pig_ok "and is taken up again" etcd.yml -l etcd
	equal "with its value" second "$(value node-1)"
	pig_ok "all of it is removed" etcd-rm.yml -l etcd -e confirm=etcd
	check "what others keep in the folder is left" on meta '[ "$(ls -A /data/etcd)" = of-others ] && rm -r /data/etcd'
	for n in meta node-1 node-2; do check "$n: no trace is left" no_trace $n; done
	pig_ok "etcd.yml founds it anew" etcd.yml -l etcd
	equal "and empty" "" "$(value meta)"
}

main() {
	inventory
	box_up
	cases form refusals one disk grow removed whole
	finish
}
main
