#!/bin/sh
# as-root.sh COMMAND...: run it as root, by sudo when need be; what it makes in the build folders stays the user's.
set -u
[ "$(id -u)" != 0 ] || exec "$@"
sudo -E -H "$@"
status=$?
cd "$(dirname "$0")/.." && for d in build*; do
	[ ! -d "$d" ] || sudo chown -R "$(id -u):$(id -g)" "$d"
done
exit $status
