#!/bin/sh
# Install what building and testing needs, if it is missing. Debian 12; as root, or with sudo.
set -eu
need="build-essential cmake ninja-build pkg-config libyaml-dev libssh2-1-dev libssl-dev libpq-dev libcurl4-openssl-dev libjansson-dev
libarchive-dev libpcre2-dev zlib1g-dev gnupg gpgv systemd-container mmdebstrap iproute2 openssh-client openssh-server busybox mksh python3
python3-jinja2 python3-yaml ansible-core postgresql-client postgresql-15 faketime procps sudo curl jq ca-certificates uidmap chromium fonts-dejavu-core clang libclang-rt-14-dev"
as=
[ "$(id -u)" = 0 ] || as=sudo
tools=$(cd "$(dirname "$0")/.." && pwd)/build-tools

missing=
for p in $need; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
if [ -n "$missing" ]; then
	if [ -n "$as" ] && ! command -v sudo >/dev/null; then
		echo "missing:$missing" >&2
		echo "hint: run as root, or install them: apt-get install$missing" >&2
		exit 2
	fi
	echo "installing:$missing"
	$as apt-get update -q >/dev/null
	# shellcheck disable=SC2086 # a list of names
	DEBIAN_FRONTEND=noninteractive $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
fi

# promtool reads rules and queries of dashboards in tests/check/boards.py. It comes in one package with a server, which would be started if
# it were installed: so that program alone is taken out of it.
if ! command -v promtool >/dev/null && [ ! -x "$tools/promtool" ]; then
	mkdir -p "$tools"
	work=$(mktemp -d "$tools/new.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	if (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg-deb -x prometheus_*.deb x) >"$work/said" 2>&1; then
		mv "$work/x/usr/bin/promtool" "$tools/promtool"
	else
		echo "promtool could not be had, and its tests will say so: $(head -1 "$work/said")" >&2
	fi
fi
