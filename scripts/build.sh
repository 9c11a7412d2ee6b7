#!/bin/sh
# build.sh FOLDER TYPE [cmake options]: configure once, build what changed. Output only on failure.
set -eu
dir=$1 type=$2
shift 2
src=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$dir"
log=$dir/build.log
if ! { cmake -S "$src" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE="$type" "$@" && ninja -C "$dir"; } >"$log" 2>&1; then
	tail -40 "$log" >&2
	echo "the build in $dir failed" >&2
	exit 1
fi
