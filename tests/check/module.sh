#!/bin/sh
# module.sh PIG PLUGINS DIR MODULE...: check.sh over DIR/cases, with these modules of the plugin folder and no others.
pig=$1 plugins=$2 dir=$3
shift 3
some=$(mktemp -d) || exit 1
trap 'rm -rf "$some"' EXIT INT TERM
for m in "$@"; do cp "$plugins/$m.so" "$some/" || exit 1; done
sh "$(dirname "$0")/check.sh" "$pig" "$some" "$dir"
