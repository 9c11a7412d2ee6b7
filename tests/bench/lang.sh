#!/bin/bash
# The language side by side with Ansible's: an inventory of HOSTS (10000) hosts, ten times as many, and templates rendered TIMES (1000) times.
# No nodes are needed. The table goes to docs/performance.md; prints a count as every suite does.
#   lang.sh [small]    small: 1,000 hosts, looser bounds, no table: that the bench itself works
set -u
cd "$(dirname "$0")/../.." || exit 1
HOSTS=${HOSTS:-10000} TIMES=${TIMES:-1000} DOC=${PERF_DOC:-$PWD/docs/performance.md}
[ "${1:-}" = small ] && HOSTS=1000 TIMES=100 DOC=
pig=${PIG:-$PWD/build/bin/pig} programs=${BUILD:-$PWD/build}/tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { # WORDS A B FACTOR: A * FACTOR <= B
	if awk -v a="$2" -v b="$3" -v f="$4" 'BEGIN { exit !(a > 0 && b > 0 && a * f <= b) }'; then
		passed=$((passed + 1)); echo "ok - $1 ($2 against $3)"
	else
		failed=$((failed + 1)); echo "not ok - $1 ($2 against $3)"
	fi
}
# measure KEY COMMAND...: median milliseconds of processor time of three runs (one with ONCE=1) and the peak of KiB, as KEY_ms and
# KEY_kb. All of them work in one thread and wait for nothing, so that this is their time on a machine of their own, whatever runs beside
measure() {
	local key=$1 i all=() kb
	shift
	for ((i = 0; i < (${ONCE:-0} == 1 ? 1 : 3); i++)); do
		python3 - "$work/m" "$@" <<'END' || { echo "not ok - $key ends well"; failed=$((failed + 1)); }
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write("%d %d" % ((used.ru_utime + used.ru_stime) * 1000 + 0.999, used.ru_maxrss))
sys.exit(status)
END
		all+=("$(cut -d' ' -f1 "$work/m")")
		kb=$(cut -d' ' -f2 "$work/m")
	done
	eval "${key}_ms=$(printf '%s\n' "${all[@]}" | sort -n | sed -n "$(((${#all[@]} + 1) / 2))p") ${key}_kb=$kb"
	eval "echo \"$key: \${${key}_ms} ms, $((kb / 1024)) MiB\""
}
s() { awk -v ms="$1" 'BEGIN { printf "%.2f", ms / 1000 }'; }
mib() { awk -v kb="$1" 'BEGIN { printf "%.0f", kb / 1024 }'; }
times() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", a / b }'; }

python3 tests/bench/inventory.py "$HOSTS" >"$work/one.yml"
python3 tests/bench/inventory.py $((HOSTS * 10)) >"$work/ten.yml"
measure check "$pig" check -i "$work/one.yml"
measure list "$pig" inventory list --json -i "$work/one.yml"
ONCE=1 measure check10 "$pig" check -i "$work/ten.yml"
ONCE=1 measure list10 "$pig" inventory list --json -i "$work/ten.yml"
ONCE=1 measure theirs ansible-inventory --list -i "$work/one.yml"
golden=(tests/golden/tmpl/*.j2)
# short: each five times by turns, and the least disturbed counts
ours=0 jinja=0
for ((i = 0; i < 5; i++)); do
	x=$("$programs/bench_tmpl" "$TIMES" tests/golden/tmpl/vars.yml "${golden[@]}") &&
		y=$(/usr/bin/python3 tests/bench/tmpl.py "$TIMES" tests/golden/tmpl/vars.yml "${golden[@]}") || { ours=0 jinja=0; break; }
	((i == 0 || x < ours)) && ours=$x
	((i == 0 || y < jinja)) && jinja=$y
done
echo "templates: $ours ms, Jinja2 $jinja ms"

if [ "${1:-}" = small ]; then # what a process costs to start weighs more here, and the machine is not quiet
	check "pig check is faster than ansible-inventory --list" "$check_ms" "$theirs_ms" 5
	check "pig inventory list is faster" "$list_ms" "$theirs_ms" 5
	check "templates are rendered faster than by Jinja2" "$ours" "$jinja" 4
else
	check "pig check: at least 50 times faster than ansible-inventory --list" "$check_ms" "$theirs_ms" 50
	check "pig inventory list: at least 20 times faster" "$list_ms" "$theirs_ms" 20
	check "pig check: at most a tenth of the memory" "$check_kb" "$theirs_kb" 10
	check "pig inventory list: at most a tenth of the memory" "$list_kb" "$theirs_kb" 10
	check "templates: at least 10 times faster than Jinja2" "$ours" "$jinja" 10
fi
# linear: ten times the hosts in at most thirteen times the time (a third more for caches that no longer hold it)
check "pig check: time grows with the hosts, not faster" "$check10_ms" "$((check_ms * 13 + 100))" 1
check "pig inventory list: time grows with the hosts, not faster" "$list10_ms" "$((list_ms * 13 + 100))" 1

if [ -n "$DOC" ] && [ -f "$DOC" ]; then
	{
		echo
		echo "\`tests/bench/lang.sh\`, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), $(date +%F); medians of three, ansible-inventory once, templates the best of five."
		echo "Processor seconds: all of them work in one thread and wait for nothing."
		echo
		echo '| what | processor time, s | peak memory, MiB | times faster |'
		echo '|---|---|---|---|'
		echo "| \`ansible-inventory --list\`, $HOSTS hosts | $(s "$theirs_ms") | $(mib "$theirs_kb") | |"
		echo "| \`pig check\`, $HOSTS hosts | $(s "$check_ms") | $(mib "$check_kb") | $(times "$theirs_ms" "$check_ms") |"
		echo "| \`pig inventory list --json\`, $HOSTS hosts | $(s "$list_ms") | $(mib "$list_kb") | $(times "$theirs_ms" "$list_ms") |"
		echo "| \`pig check\`, $((HOSTS * 10)) hosts | $(s "$check10_ms") | $(mib "$check10_kb") | |"
		echo "| \`pig inventory list --json\`, $((HOSTS * 10)) hosts | $(s "$list10_ms") | $(mib "$list10_kb") | |"
		echo "| Jinja2, ${#golden[@]} templates $TIMES times | $(s "$jinja") | | |"
		echo "| \`pig\`'s engine, the same | $(s "$ours") | | $(times "$jinja" "$ours") |"
		echo
	} >"$work/table"
	awk -v m=lang -v t="$work/table" '$0 == "<!-- " m " -->" { print; while ((getline line <t) > 0) print line; skip = 1 }
		$0 == "<!-- end of " m " -->" { skip = 0 } !skip' "$DOC" >"$work/doc" && cat "$work/doc" >"$DOC"
	cat "$work/table"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
