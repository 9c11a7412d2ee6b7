#!/bin/bash
# How long things take, side by side on the same nodes in one go. Tables go to docs/performance.md.
#   run.sh [synthetic] [playbooks]     both if none is named
# synthetic: 100 operations a host on four hosts: pig, Debian's ansible-playbook, a shell script piped into ssh.
# playbooks: pig's playbooks, first and second run, and deploy.yml; floor.sh beside pgsql.yml -l pg-test.
# REPS (5; 3 fresh sandboxes for playbooks) repetitions, ANSIBLE_REPS (1) of ansible-playbook, which takes minutes.
# shellcheck disable=SC2016,SC2317,SC2119 # the nodes' shells expand what stands in single quotes here
export SUITE=bench
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../e2e/lib/lib.sh"
HERE=$ROOT/tests/bench
DOC=${PERF_DOC:-$ROOT/docs/performance.md}
BASE_SYNTHETIC_MS=60300 # ansible-playbook on the synthetic play where Pigsty's own roles were timed
BASE_PGSQL_FIRST_MS=87700 BASE_PGSQL_SECOND_MS=76650 BASE_NODE_FIRST_MS=60000 BASE_NODE_SECOND_MS=53150
BASE_ETCD_FIRST_MS=12000 BASE_ETCD_SECOND_MS=10950 BASE_INFRA_FIRST_MS=47800 BASE_META_FIRST_MS=61650 BASE_ALL_FIRST_MS=277650
declare -A TIMES=()

# ---- measuring ----
timed() { # KEY COMMAND...: its wall time is added to the key's list
	local key=$1 t status
	shift
	t=$(now_ms)
	"$@" >"$WORK/timed.log" 2>&1 </dev/null
	status=$?
	t=$(($(now_ms) - t))
	if [ "$status" != 0 ]; then
		not_ok "$key ends well (status $status)"
		tail -5 "$WORK/timed.log" | sed 's/^/#     /'
		return 1
	fi
	TIMES[$key]="${TIMES[$key]:-} $t"
	say "$key: $t ms"
}
median() { tr ' ' '\n' <<<"${TIMES[$1]:-}" | grep . | sort -n | awk '{ v[NR] = $1 } END { print NR == 0 ? 0 : NR % 2 ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }
in_s() { awk -v ms="$1" 'BEGIN { printf "%.2f", ms / 1000 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.1f", a / b; else printf "-" }'; }
at_most() { awk -v a="$1" -v b="$2" -v f="$3" 'BEGIN { exit !(a > 0 && b > 0 && a <= b * f) }'; } # A <= B * F
spread() { tr ' ' '\n' <<<"${TIMES[$1]:-}" | grep . | sort -n | awk '{ v[NR] = $1 } END { printf "%.2f-%.2f", v[1] / 1000, v[NR] / 1000 }'; }
table() { # MARK: standard input takes the place of what is between the marks
	cat >"$WORK/table-$1"
	cat "$WORK/table-$1"
	[ -f "$DOC" ] || return 0
	awk -v m="$1" -v t="$WORK/table-$1" '$0 == "<!-- " m " -->" { print; while ((getline line <t) > 0) print line; skip = 1 }
		$0 == "<!-- end of " m " -->" { skip = 0 } !skip' "$DOC" >"$WORK/doc" && cat "$WORK/doc" >"$DOC"
}
machine() { echo "$(nproc) cores, $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB, load $(cut -d' ' -f1 /proc/loadavg) before, $(date +%F)"; }

# ---- the synthetic play ----
text_of_copy() { # N: some 2 KB
	local i
	echo "# copy $1 of the benchmark"
	for ((i = 1; i <= 40; i++)); do printf 'other_%02d = text-%02d-of-line-%02d-abcdefghijklmn\n' "$i" "$1" "$i"; done
}
synthetic_files() {
	local i n
	mkdir -p "$WORK/inv/files/bench" "$WORK/ansible/templates" "$WORK/ansible/files" "$WORK/cp"
	printf 'all:\n  hosts:\n' >"$WORK/inv/bench.yml"
	printf '[all]\n' >"$WORK/ansible/inv.ini"
	for n in 10 11 12 13; do
		echo "    10.10.10.$n: {}" >>"$WORK/inv/bench.yml"
		echo "10.10.10.$n" >>"$WORK/ansible/inv.ini"
	done
	printf '  vars: { ansible_user: dba }\n' >>"$WORK/inv/bench.yml"
	printf '[all:vars]\nansible_user=dba\nansible_python_interpreter=/usr/bin/python3\n' >>"$WORK/ansible/inv.ini"
	cp "$HERE/bench/templates/bench.conf" "$WORK/ansible/templates/"
	printf '[defaults]\nforks = 10\ngathering = explicit\nretry_files_enabled = False\n[ssh_connection]\npipelining = True\ncontrol_path_dir = %s\n' \
		"$WORK/cp" >"$WORK/ansible/ansible.cfg"
	printf -- '- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n' >"$WORK/ansible/bench.yml"
	echo 'put() { cat >"$1.new"; chmod 644 "$1.new"; if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi; }' >"$WORK/bench.sh"
	for ((i = 0; i < 25; i++)); do
		n=$(printf %02d "$i")
		text_of_copy "$i" >"$WORK/inv/files/bench/copy-$n"
		cp "$WORK/inv/files/bench/copy-$n" "$WORK/ansible/files/"
		play_of "$i" "$n" >>"$WORK/ansible/bench.yml"
		script_of "$i" "$n" >>"$WORK/bench.sh"
	done
}
play_of() {
	printf '    - template: { src: bench.conf, dest: /etc/bench/template-%s, mode: "0644" }\n      vars: { n: %s }\n' "$2" "$1"
	printf '    - command: /bin/true\n'
	printf '    - copy: { src: copy-%s, dest: /etc/bench/copy-%s, mode: "0644" }\n    - command: /bin/true\n' "$2" "$2"
}
script_of() {
	printf "put /etc/bench/template-%s <<'END'\n%s\nEND\n/bin/true\n" "$2" "$(sed "s/{{ n }}/$1/g" "$HERE/bench/templates/bench.conf")"
	printf "put /etc/bench/copy-%s <<'END'\n%s\nEND\n/bin/true\n" "$2" "$(text_of_copy "$1")"
}
fresh() { # nodes without the files
	local n pids=''
	for n in $NODES; do
		on "$n" 'rm -rf /etc/bench; mkdir /etc/bench' &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids
}
run_ansible() { (cd "$WORK/ansible" && ctl ansible-playbook -i inv.ini bench.yml); }
run_bench_pig() { (cd "$WORK/inv" && ctl "$PIG" run bench.yml -i bench.yml --plugin-dir "$BUILD/bench" "$@"); }
run_opaque() { run_bench_pig -e bench_opaque=true; }
run_script() { ctl bash -c 'p=; for h in 10 11 12 13; do ssh 10.10.10.$h sudo sh <"$0" & p="$p $!"; done; for i in $p; do wait $i || exit 1; done' "$WORK/bench.sh"; }
digest_of_files() { on node-3 'cd /etc/bench && ls | wc -l && cat * | sha256sum'; }
pair() { # KEY FUNCTION: from nothing, then again; the files are the same whoever made them
	fresh
	timed "$1 first" "$2" || return 1
	timed "$1 second" "$2"
	local d
	d=$(digest_of_files)
	[ -n "${DIGEST:-}" ] || DIGEST=$d
	[ "$d" = "$DIGEST" ] || not_ok "$1 makes the same files"
}
case_synthetic() {
	local i before
	before=$(machine)
	synthetic_files
	run_script >/dev/null 2>&1 </dev/null # what is read the first time is in memory for all of them
	for ((i = 1; i <= ${REPS:-5}; i++)); do
		pair shell run_script || return
		pair pig run_bench_pig || return
		[ "$i" -gt "${ANSIBLE_REPS:-1}" ] || pair ansible run_ansible
		pair opaque run_opaque || return
	done
	{
		echo
		echo "Four hosts, medians of ${REPS:-5} (ansible-playbook: ${ANSIBLE_REPS:-1}), seconds; $before."
		echo
		echo '| runner | first run | range | second run | range | first: times `pig` | second: times `pig` |'
		echo '|---|---|---|---|---|---|---|'
		row '`pig run`' pig
		row '`pig run`, commands it knows nothing of' opaque
		row '`ansible-playbook`, pipelining, forks 10' ansible
		row 'shell script piped into ssh' shell
		echo
	} | table synthetic
	median "ansible first" >"$WORK/synthetic-ms"
	check "first run: at least 20 times faster than ansible-playbook ($(ratio "$(median "ansible first")" "$(median "pig first")"))" \
		at_most "$(median "pig first")" "$(median "ansible first")" 0.05
	check "second run: at least 20 times faster than ansible-playbook ($(ratio "$(median "ansible second")" "$(median "pig second")"))" \
		at_most "$(median "pig second")" "$(median "ansible second")" 0.05
	check "first run: at most 3 times the shell script ($(ratio "$(median "pig first")" "$(median "shell first")"))" \
		at_most "$(median "pig first")" "$(median "shell first")" 3
	check "second run: at most 3 times the shell script ($(ratio "$(median "pig second")" "$(median "shell second")"))" \
		at_most "$(median "pig second")" "$(median "shell second")" 3
}
row() { # WORDS KEY
	echo "| $1 | $(in_s "$(median "$2 first")") | $(spread "$2 first") | $(in_s "$(median "$2 second")") | $(spread "$2 second") |" \
		"$(ratio "$(median "$2 first")" "$(median "pig first")") | $(ratio "$(median "$2 second")" "$(median "pig second")") |"
}

# ---- whole playbooks ----
again_fresh() { # nodes as new
	sandbox down >/dev/null 2>&1
	sandbox up >/dev/null 2>&1 || { not_ok "the sandbox comes up again"; return 1; }
	cp "$SANDBOX_DIR/$BOX/ssh_config" "$WORK/ssh/config"
	chmod 600 "$WORK/ssh/config"
	rm -rf "$WORK/inv/files/pki"
}
run_pig() { (cd "$WORK/inv" && ctl "$PIG" run -i "$INV" "$@"); }
second_runs() { # KEY COMMAND...
	local i key=$1
	shift
	for i in 1 2 3; do timed "$key second" "$@"; done
}
MARK='touch /run/bench.mark; sleep 0.05'
# What pgsql.yml has put there, but for what it makes anew each time (certificates, stanza and backup), what belongs to the server and
# what packages own.
GRAB='cd /; find etc data pg usr/pgsql var/lib/pgsql -xdev -cnewer /run/bench.mark \( -type f -o -type l -o -type d \) 2>/dev/null |
	grep -vE "^etc/(passwd|shadow|group|gshadow|subuid|subgid)-?$|^etc$|^data/etcd|^etc/pgbackrest.conf$|/cert/|postgres/pg-test-15/data/|^data/backups/pg-test-15/backup/.|/dummy$|/log/.+/.|pg-test-15/tmp/.|\.pgpass\..*|^etc/\.pwd" |
	tar -cf - --no-recursion --numeric-owner -T -'
kit() { # the floor's kit, from the nodes as pig has left them
	local n
	KIT=$WORK/kit
	mkdir -p "$KIT"
	for n in node-1 node-2 node-3; do
		on "$n" "$GRAB" >"$KIT/$n.tar"
		on "$n" 'cat /pg/data/pg_hba.conf' >"$KIT/$n.hba"
	done
	on node-1 'cd /; sudo -u postgres pg_dumpall -s' >"$KIT/schema.sql"
	eval "$(sed -n '/^STATE_SQL=/,/pg_default_acl"$/p' "$HERE/floor.sh")"
	on node-1 "cd /; sudo -u postgres psql -XAtq -d test <<'END'
$STATE_SQL
END" >"$KIT/state"
}
run_floor() { ctl bash "$HERE/floor.sh" "$WORK/kit"; }
floor_once() {
	rm -rf "$WORK/kit/issued"
	cp "$WORK/inv/files/pki/ca/ca.crt" "$WORK/inv/files/pki/ca/ca.key" "$WORK/kit/"
	timed "floor first" run_floor || return
	check "the floor leaves a leader and two streaming replicas" until_ok 15 healthy
	check "the floor leaves a backup of its own" on node-1 'find /pg/backup/backup/pg-test/latest/backup.manifest -newer /pg/data/PG_VERSION | grep -q .'
	check "the floor leaves services and pooling" until_ok 15 sql 10.10.10.12 5433 'select 1'
	second_runs floor run_floor
	equal "the floor's second run changes nothing" "changed: 0" "$(tail -1 "$WORK/timed.log")"
}
# One member of etcd, as where Pigsty's roles were timed; and a primary of Redis with its replica.
bench_inventory() {
	sed '/etcd_seq: [23] /d' "$ROOT/conf/demo.yml" | awk '/^    pg-meta:/ { print "    redis-ms:"
		print "      hosts: { 10.10.10.10: { redis_node: 1, redis_instances: { 6379: {}, 6380: { replica_of: \"10.10.10.10 6379\" } } } }"
		print "      vars: { redis_cluster: redis-ms, redis_password: redis.ms, redis_max_memory: 64MB }" } { print }' >"$INV"
}
pig_once() {
	timed "node first" run_pig node.yml || return
	timed "etcd first" run_pig etcd.yml || return
	local n
	for n in node-1 node-2 node-3; do on "$n" "$MARK"; done
	timed "pgsql first" run_pig pgsql.yml -l pg-test || return
	check "pig leaves a leader and two streaming replicas" until_ok 15 healthy
	[ -d "$WORK/kit" ] || kit
	second_runs node run_pig node.yml
	second_runs etcd run_pig etcd.yml
	second_runs pgsql run_pig pgsql.yml -l pg-test
}
# The parts that were timed beside one another where Pigsty's roles were: infra with its node, a database of one member; and Redis.
others_once() {
	timed "infra first" run_pig infra.yml || return
	run_pig node.yml >/dev/null 2>&1 </dev/null && run_pig etcd.yml >/dev/null 2>&1 </dev/null || return
	timed "meta first" run_pig pgsql.yml -l pg-meta || return
	timed "redis first" run_pig redis.yml || return
	second_runs infra run_pig infra.yml
	second_runs meta run_pig pgsql.yml -l pg-meta
	second_runs redis run_pig redis.yml
}
deploy_once() {
	timed "deploy first" run_pig deploy.yml --skip-tags redis || return
	check "deploy.yml leaves a leader and two streaming replicas" until_ok 15 healthy
	second_runs deploy run_pig deploy.yml --skip-tags redis
}
scaled() { awk -v b="$1" -v s="$SYNTHETIC" -v o="$BASE_SYNTHETIC_MS" 'BEGIN { printf "%d", b * s / o }'; }
# WORDS KEY [BASE FASTER-AT-LEAST [FLOOR'S KEY]]; what is required is tried when the table is written
REQUIRED=()
playbook_row() {
	local base='-' faster='-' floor='-' by='-'
	if [ -n "${3:-}" ]; then
		base=$(in_s "$(scaled "$3")") faster=$(ratio "$(scaled "$3")" "$(median "$2")")
		REQUIRED+=("$2|$3|$4")
	fi
	[ -z "${5:-}" ] || floor=$(in_s "$(median "$5")") by=$(ratio "$(median "$2")" "$(median "$5")")
	echo "| $1 | $(in_s "$(median "$2")") | $(spread "$2") | $base | $faster | $floor | $by |"
}
playbook_rows() {
	playbook_row '`infra.yml`, first' "infra first" "$BASE_INFRA_FIRST_MS" 5
	playbook_row '`infra.yml`, second' "infra second"
	playbook_row '`node.yml`, first' "node first" "$BASE_NODE_FIRST_MS" 5
	playbook_row '`node.yml`, second' "node second" "$BASE_NODE_SECOND_MS" 40
	playbook_row '`etcd.yml`, first' "etcd first" "$BASE_ETCD_FIRST_MS" 5
	playbook_row '`etcd.yml`, second' "etcd second" "$BASE_ETCD_SECOND_MS" 40
	playbook_row '`pgsql.yml -l pg-meta`, first' "meta first" "$BASE_META_FIRST_MS" 5
	playbook_row '`pgsql.yml -l pg-meta`, second' "meta second"
	playbook_row '`pgsql.yml -l pg-test`, first' "pgsql first" "$BASE_PGSQL_FIRST_MS" 7 "floor first"
	playbook_row '`pgsql.yml -l pg-test`, second' "pgsql second" "$BASE_PGSQL_SECOND_MS" 50 "floor second"
	playbook_row '`redis.yml`, first' "redis first"
	playbook_row '`redis.yml`, second' "redis second"
	playbook_row '`deploy.yml`, first' "deploy first" "$BASE_ALL_FIRST_MS" 5
	playbook_row '`deploy.yml`, second' "deploy second"
}
case_playbooks() {
	local i before key base by
	bench_inventory
	before=$(machine)
	for ((i = 1; i <= ${REPS:-3}; i++)); do
		again_fresh && pig_once || return
		again_fresh && run_pig node.yml >/dev/null 2>&1 </dev/null && run_pig etcd.yml >/dev/null 2>&1 </dev/null && floor_once || return
		again_fresh && others_once || return
		again_fresh && deploy_once || return
	done
	SYNTHETIC=$(cat "$WORK/synthetic-ms" 2>/dev/null || echo "$BASE_SYNTHETIC_MS")
	playbook_rows >"$WORK/rows" # in this shell: it notes what is required
	{
		echo
		echo "Medians of ${REPS:-3} fresh deployments, seconds; $before. \"Scaled\": the figure of Pigsty's own roles, times $(in_s "$SYNTHETIC") / $(in_s "$BASE_SYNTHETIC_MS")."
		echo
		echo '| run | `pig` | range | Ansible, scaled | times faster | hand-written script | `pig` / script |'
		echo '|---|---|---|---|---|---|---|'
		cat "$WORK/rows"
		echo
	} | table playbooks
	for base in "${REQUIRED[@]}"; do
		IFS='|' read -r key base by <<<"$base"
		check "$key run: at least $by times faster than Ansible, scaled" at_most "$((by * $(median "$key")))" "$(scaled "$base")" 1
	done
	check "pgsql.yml, first: at most 1.3 times the script" at_most "$(median "pgsql first")" "$(median "floor first")" 1.3
	check "pgsql.yml, second: at most 1.5 times the script" at_most "$(median "pgsql second")" "$(median "floor second")" 1.5
}

case_both() {
	case_synthetic
	case_playbooks
}
main() {
	local c
	box_up
	for c in "${@:-both}"; do "case_$c"; done
	finish
}
main "$@"
