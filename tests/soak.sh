#!/bin/bash
# Long and bounded: write gaps over many kills (a table in docs/ha.md), and every fuzzer for FUZZ_SECONDS (600). Prints a count as
# `make test` does.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${FUZZ_SECONDS:-600}
passed=0 failed=0
result() { if [ "$1" = 0 ]; then passed=$((passed + 1)); echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi; }

FUZZ_SECONDS=$seconds bash tests/fuzz/run.sh
result $? "every fuzzer, $seconds s each"
PIG=$PWD/build/bin/pig bash tests/e2e/ha/run.sh soak
result $? "write gaps over 20 kills for norm and fast"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
