#!/bin/bash
# Long and bounded, an hour and a little: write gaps over many kills (a table in docs/ha.md), and beside them, with what the clusters
# leave of the machine, every fuzzer for FUZZ_SECONDS (600). Prints a count as `make test` does.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${FUZZ_SECONDS:-600}
passed=0 failed=0
result() { if [ "$1" = 0 ]; then passed=$((passed + 1)); echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi; }

log=build/test-logs/soak-fuzz.log
mkdir -p build/test-logs
FUZZ_SECONDS=$seconds nice -n 19 bash tests/fuzz/run.sh >$log 2>&1 &
fuzz=$!
PIG=$PWD/build/bin/pig bash tests/e2e/ha/run.sh soak
result $? "write gaps over 20 kills for norm and fast"
wait $fuzz
status=$?
cat $log
result $status "every fuzzer, $seconds s each"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
