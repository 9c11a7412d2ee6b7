# shellcheck shell=bash
# The way of a new user from four bare nodes without a way out to a deployment of everything: scripts/demo.sh shows it, tests/e2e/deploy
# tries it. Whoever sources this sets ROOT (the sources), BUILD (an absolute build folder), PIG and BOX (the sandbox's name).

whole_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
whole_on() { # NODE LINE: as dba
	whole_root "$PIG" sandbox shell "$1" --name "$BOX" -- "$2"
}
whole_meta() { whole_on meta "cd pigsty && $1"; } # on the admin node, where the inventory is
whole_bundle() { # sets BUNDLE, and WHOLE_NODES: words of sandbox up
	BUNDLE=$("$ROOT/scripts/bundle.sh" "$BUILD" | tee >(cat >&2) | tail -1) && [ -f "$BUNDLE" ] || return
	WHOLE_NODES=(--image bare --memory 4G --bind "${BUNDLE%/*}:/opt/bundle")
}
whole_up() { whole_root "$PIG" sandbox up --name "$BOX" "${WHOLE_NODES[@]}"; }
whole_bootstrap() {
	whole_on meta "tar -xzf /opt/bundle/${BUNDLE##*/} bootstrap && sudo sh bootstrap /opt/bundle/${BUNDLE##*/}"
}
whole_configure() {
	whole_on meta 'mkdir -p pigsty' && whole_meta 'pig configure -c ha/full -i 10.10.10.10 -v 15 -n -g && pig check'
}
whole_deploy() { whole_meta "pig run deploy.yml $WHOLE_SKIP"; }

# MinIO's server is no Debian package: where npm is, an S3 server from there stands in for it (docs/minio.md); else MinIO is left out.
whole_s3() { # after whole_bundle: sets MINIO and WHOLE_SKIP, adds to WHOLE_NODES
	local dir=${S3:-$BUILD/s3}
	MINIO=yes WHOLE_SKIP=
	if ! "$ROOT/scripts/s3/install.sh" "$dir"; then
		MINIO=no WHOLE_SKIP="--skip-tags minio,minio_provision"
		echo "MinIO is left out" >&2
		return
	fi
	WHOLE_NODES+=(--bind "$(cd "$dir" && pwd):/opt/s3")
}
whole_s3_node() { # after whole_bootstrap: the admin node is MinIO's, too
	[ "$MINIO" = no ] || whole_on meta 'sudo apt-get -qq -y install nodejs >/dev/null 2>&1 && sudo ln -sf /opt/s3/minio /usr/local/bin/minio && node --version'
}
