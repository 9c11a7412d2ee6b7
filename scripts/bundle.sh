#!/bin/sh
# bundle.sh BUILD [INVENTORY [OPTIONS of pig repo build...]]: the .deb of pig, then the bundle with it, once: what comes out is kept in
# BUNDLE_DIR (BUILD/bundle) under the hash of what it is made of, and its path is the last line printed. FORCE=1 builds it again.
set -eu
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/.." && pwd)
inventory=${2:-$src/conf/demo.yml}
[ $# -lt 2 ] || shift
shift
dir=${BUNDLE_DIR:-$build/bundle}
mkdir -p "$dir/deb"

# the program, its modules and what is installed with them
made=$( { cat "$build/bin/pig" "$build/bin/pig-pack" "$build"/plugins/*.so; (cd "$src" && find conf sdk cmake -type f | LC_ALL=C sort | xargs cat); } | sha256sum | cut -c1-16)
deb=$(ls "$dir/deb/$made"/pig_*.deb 2>/dev/null || :)
if [ -z "$deb" ]; then
	rm -rf "$dir/deb" && mkdir -p "$dir/deb/$made"
	# the time of its files is that of the last change, not of this build
	SOURCE_DATE_EPOCH=$(git -C "$src" log -1 --format=%ct 2>/dev/null || stat -c %Y "$src/CMakeLists.txt")
	export SOURCE_DATE_EPOCH
	(cd "$build" && cpack -G DEB -B "$dir/deb/$made" >"$dir/cpack.log" 2>&1) || { cat "$dir/cpack.log" >&2; exit 1; }
	deb=$(ls "$dir/deb/$made"/pig_*.deb)
fi
# what was asked for, of whom, in which words
hash=$( { echo "$made $*"; cat "$inventory" /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null; } | sha256sum | cut -c1-16)
bundle=$dir/pkg-$hash.tgz
if [ -n "${FORCE:-}" ] || [ ! -f "$bundle" ]; then
	# the keys outlive the bundles: nodes know them
	mkdir -p "$dir/inv"
	cp "$inventory" "$dir/inv/pigsty.yml"
	"$build/bin/pig" repo build -i "$dir/inv/pigsty.yml" -o "$bundle" --deb "$deb" "$@"
	find "$dir" -maxdepth 1 -name 'pkg-*.tgz' ! -path "$bundle" -delete
fi
echo "$bundle"
