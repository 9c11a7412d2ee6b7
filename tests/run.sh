#!/bin/bash
# Everything, unit to end-to-end. Each suite prints "N passed, N failed[, N skipped]" as its last such line; the sum is the last line
# here. A suite that ends badly without saying a failure counts as one. ONLY="programs cli" runs some.
set -u
cd "$(dirname "$0")/.." || exit 1
src=$PWD
asan=$src/build-asan
build=$src/build
logs=$build/test-logs
passed=0 failed=0 skipped=0
declare -a parts=() wrong=()

tally() { # LOG STATUS NAME
	local line p f s
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$1" | tail -1)
	p=$(sed -nE 's/^([0-9]+) passed.*/\1/p' <<<"$line")
	f=$(sed -nE 's/.* ([0-9]+) failed.*/\1/p' <<<"$line")
	s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line")
	[ "$2" = 0 ] || [ "${f:-0}" -gt 0 ] || f=1
	[ -n "$line" ] || { [ "$2" = 0 ] && f=1; }
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
	printf '%s: %s%s\n' "$3" "${line:-said no count}" "$([ "$2" = 0 ] || echo " (status $2)")"
	if [ "${f:-0}" -gt 0 ]; then # what failed first is mostly the cause of the rest
		mapfile -t -O "${#wrong[@]}" wrong < <(grep '^not ok' "$1" | head -20 | cut -c1-300 | sed "s|^|$3: |")
		grep -vE '^ok ' "$1" | cut -c1-300 | awk '/not ok/ && !on { on = 1; for (i = NR - 4; i < NR; i++) if (i > 0) print last[i] } on { print } { last[NR] = $0; delete last[NR - 5] }' | head -64
		echo "[...]"
		grep -vE '^ok ' "$1" | cut -c1-300 | tail -20
	fi
}

suite() { # NAME COMMAND...
	local name=$1 t=$SECONDS status
	shift
	[ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $name "* ]] || return 0
	echo "== $name"
	"$@" >"$logs/${name//\//-}.log" 2>&1 </dev/null
	status=$?
	tally "$logs/${name//\//-}.log" $status "$name"
	parts+=("$(printf '%4d s  %s' $((SECONDS - t)) "$name")")
}

# Waiting is most of what clusters take: a second row of suites, one after the other, runs beside the first, and is told at the end.
row_names=()
row_pid=
row() { # NAME...: the suites tests/NAME/run.sh
	local name
	for name; do
		[ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $name "* ]] || continue
		echo "== $name, in the second row"
		row_names+=("$name")
	done
	for name in "${row_names[@]}"; do
		t=$SECONDS
		bash "tests/$name/run.sh" >"$logs/${name//\//-}.log" 2>&1 </dev/null
		echo "$? $((SECONDS - t))" >"$logs/${name//\//-}.ended"
	done &
	row_pid=$!
}
row_end() {
	local name status took
	wait "$row_pid"
	for name in "${row_names[@]}"; do
		read -r status took <"$logs/${name//\//-}.ended"
		tally "$logs/${name//\//-}.log" "$status" "$name"
		parts+=("$(printf '%4d s  %s, in the second row' "$took" "$name")")
	done
}

# What CTest knows: unit, wire, abi, differential programs, built with the sanitizers. Each prints a count of its own; a program that
# fails without one counts as one.
programs() {
	local out p f bad
	out=$(ctest --test-dir "$asan" -V -j 2 2>&1)
	echo "$out"
	p=$(sed -nE 's/^[0-9]+: .*\b([0-9]+) passed, [0-9]+ failed.*/\1/p' <<<"$out" | awk '{ n += $1 } END { print n + 0 }')
	f=$(sed -nE 's/^[0-9]+: .*\b[0-9]+ passed, ([0-9]+) failed.*/\1/p' <<<"$out" | awk '{ n += $1 } END { print n + 0 }')
	bad=$(sed -nE 's/.* ([0-9]+) tests? failed out of .*/\1/p' <<<"$out")
	[ "$f" -ge "${bad:-1}" ] || f=${bad:-1}
	grep -E '^\s*[0-9]+ - .*(Failed|Timeout|SEGFAULT|Not Run)' <<<"$out" | sed 's/^/not ok - /'
	echo "$p passed, $f failed"
	[ "$f" = 0 ]
}

mkdir -p "$logs"
t=$SECONDS
scripts/build.sh "$build" Release || exit 1
scripts/build.sh "$asan" Debug -DPIG_ASAN=ON || exit 1
parts+=("$(printf '%4d s  %s' $((SECONDS - t)) "build, release and sanitizers")")
export ASAN_OPTIONS=detect_leaks=0 PIG=$build/bin/pig PIG_ASAN=$asan/bin/pig BUILD=$build

suite programs programs
row e2e/deploy e2e/ha e2e/etcd e2e/minio e2e/redis e2e/repo
suite cli bash tests/cli/suite.sh
suite hostile bash tests/hostile/hostile.sh
suite fuzz bash tests/fuzz/run.sh
suite e2e/sandbox bash tests/e2e/sandbox/run.sh
suite e2e/input bash tests/e2e/input/run.sh
suite e2e/one bash tests/e2e/one/run.sh
suite e2e/infra bash tests/e2e/infra/run.sh
suite e2e/cmdb bash tests/e2e/cmdb/run.sh
suite e2e/cluster bash tests/e2e/cluster/run.sh
suite e2e/pgsql bash tests/e2e/pgsql/run.sh
suite e2e/backup bash tests/e2e/backup/run.sh
row_end

echo
echo "How long each part took:"
printf '  %s\n' "${parts[@]}"
[ ${#wrong[@]} = 0 ] || printf '%s\n' "" "What failed:" "${wrong[@]}"
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ] && [ $passed -gt 0 ]
