#!/bin/bash
# Everything, unit to end-to-end. Each suite prints "N passed, N failed[, N skipped]" as its last such line; the sum is the last line
# here. A suite that ends badly without saying a failure counts as one. ONLY="unit wire" runs some.
set -u
cd "$(dirname "$0")/.." || exit 1
src=$PWD
asan=$src/build-asan
build=$src/build
logs=$build/test-logs
passed=0 failed=0 skipped=0
declare -a parts=()

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
	if [ "${f:-0}" -gt 0 ]; then
		grep -vE '^ok ' "$1" | tail -60
	fi
}

suite() { # NAME COMMAND...
	local name=$1 t=$SECONDS status
	shift
	[ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $name "* ]] || return 0
	echo "== $name"
	"$@" >"$logs/$name.log" 2>&1 </dev/null
	status=$?
	tally "$logs/$name.log" $status "$name"
	parts+=("$(printf '%4d s  %s' $((SECONDS - t)) "$name")")
}

# The unit programs, one after the other; their counts are summed.
units() {
	local p=0 f=0 out status
	for t in "$asan"/tests/*; do
		[ -f "$t" ] && [ -x "$t" ] || continue
		out=$("$t" 2>&1)
		status=$?
		echo "$out"
		set -- $(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' <<<"$out" | tail -1)
		p=$((p + ${1:-0})) f=$((f + ${2:-0}))
		if [ $status != 0 ] && [ "${2:-0}" = 0 ]; then
			echo "not ok - ${t##*/} ended with status $status"
			f=$((f + 1))
		fi
	done
	echo "$p passed, $f failed"
	[ $f = 0 ]
}

mkdir -p "$logs"
t=$SECONDS
scripts/build.sh "$build" Release || exit 1
scripts/build.sh "$asan" Debug -DPIG_ASAN=ON || exit 1
parts+=("$(printf '%4d s  %s' $((SECONDS - t)) "build, release and sanitizers")")
export ASAN_OPTIONS=detect_leaks=0 PIG=$build/bin/pig PIG_ASAN=$asan/bin/pig BUILD=$build

suite unit units
for s in tests/*/suite.sh tests/e2e/*/run.sh; do
	[ -f "$s" ] || continue
	name=$(dirname "${s#tests/}")
	suite "$name" bash "$s"
done

echo
echo "How long each part took:"
printf '  %s\n' "${parts[@]}"
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ] && [ $passed -gt 0 ]
