#!/bin/sh
# install.sh FOLDER: the S3 server in FOLDER, its packages from npm; nothing to do when it is there. Nodes need nodejs, and a link
# /usr/local/bin/minio to FOLDER/minio (docs/minio.md).
set -eu
src=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if ! cmp -s "$src/package.json" "$dir/package.json"; then
	command -v npm >/dev/null || { echo "npm is not installed: no S3 server" >&2; exit 1; }
	rm -rf "$dir/node_modules" "$dir/package.json" "$dir/new"
	mkdir "$dir/new"
	cp "$src/package.json" "$dir/new/"
	if ! npm install --prefix "$dir/new" --no-audit --no-fund --no-package-lock --omit=dev --ignore-scripts >"$dir/npm.log" 2>&1; then
		tail -5 "$dir/npm.log" >&2
		echo "npm cannot reach its registry, or that has no s3rver: no S3 server" >&2
		exit 1
	fi
	mv "$dir/new/node_modules" "$dir/node_modules"
	mv "$dir/new/package.json" "$dir/package.json" # last: it says that all is there
	rm -rf "$dir/new"
fi
cp "$src/server.js" "$src/minio" "$dir/"
chmod 755 "$dir/minio"
