#!/bin/bash
# Every fuzzer for FUZZ_SECONDS (20) seconds, FUZZ_JOBS (2) at a time; ONLY_FUZZ="yaml ini" names some. Each begins with the seeds that
# seeds.sh makes from this tree and with what earlier runs found (build-fuzz/corpus), and knows the words of its dictionary. A finding is
# kept in build-fuzz/found. Prints a count as every suite does.
set -u
cd "$(dirname "$0")/../.." || exit 1
export seconds=${FUZZ_SECONDS:-20} out=$PWD/build-fuzz src=$PWD/tests/fuzz
if ! command -v clang >/dev/null; then
	echo "clang is not installed: no fuzzing"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
mkdir -p "$out/found"
if ! { cmake -S . -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DPIG_FUZZ=ON -DCMAKE_C_COMPILER=clang && ninja -C "$out" fuzzers; } >"$out.log" 2>&1; then
	tail -40 "$out.log"
	echo "not ok - the fuzzers build"
	echo "0 passed, 1 failed"
	exit 1
fi
bash "$src/seeds.sh" "$out/seeds" || exit 1

one() { # NAME: run it, say how it went
	local name=$1 dict=() status
	mkdir -p "$out/corpus/$name" "$out/seeds/$name"
	[ -f "$src/$name.dict" ] && dict=("-dict=$src/$name.dict")
	case $name in sshg | known_hosts | frame) limit=4096 ;; *) limit=8192 ;; esac
	"$out/tests/fuzz_$name" "${dict[@]}" -max_len=$limit -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=100 -print_final_stats=1 \
		-artifact_prefix="$out/found/$name-" "$out/corpus/$name" "$out/seeds/$name" >"$out/$name.log" 2>&1
	status=$?
	if [ $status = 0 ]; then
		echo "ok - $name, $seconds s, $(sed -nE 's/.*number_of_executed_units: *//p' "$out/$name.log") inputs"
	else
		echo "not ok - $name (status $status)"
		tail -25 "$out/$name.log"
	fi
}
export -f one
names=${ONLY_FUZZ:-$(cd "$src" && printf '%s\n' fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')}
all=$(tr -s ' \n' '\n' <<<"$names" | xargs -P "${FUZZ_JOBS:-2}" -I{} bash -c 'one {}')
echo "$all"
passed=$(grep -c '^ok ' <<<"$all")
failed=$(grep -c '^not ok ' <<<"$all")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
