#!/bin/bash
# The demo: four bare nodes without a way out, a bundle of packages, then what a user would type on the admin node. Everything it starts
# is called `demo`; `make undemo` ends it.
set -u
BUILD=$(cd "$1" && pwd)
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PIG=$BUILD/bin/pig
BOX=demo
declare -a parts=()
# shellcheck source=scripts/whole.sh
. "$ROOT/scripts/whole.sh"

part() { # NAME COMMAND...: say what is done, time it, stop when it fails
	local name=$1 t=$SECONDS
	shift
	echo "== $name"
	if ! "$@"; then
		echo "demo: failed: $name" >&2
		exit 1
	fi
	parts+=("$(printf '%4d s  %s' $((SECONDS - t)) "$name")")
}

part "the bundle: all packages, signed (built once, then cached)" whole_bundle
part "an S3 server from npm, in the place of MinIO's" whole_s3
part "four bare Debian 12 nodes (the image is made once, then cached)" whole_up
part "a bare node becomes the admin node" whole_bootstrap
part "Node.js for the S3 server" whole_s3_node
part "pig configure -c ha/full" whole_configure
part "pig run deploy.yml" whole_deploy
part "again: nothing changes" whole_deploy
echo
echo "== the clusters"
whole_on node-1 'sudo -u postgres patronictl -c /etc/patroni/patroni.yml list'
whole_on meta 'sudo -u postgres patronictl -c /etc/patroni/patroni.yml list'
if [ "$MINIO" = yes ]; then
	minio="MinIO        one member on 10.10.10.10, port 9000: a server from npm stands in for its own, which is no Debian package (docs/minio.md)"
else
	minio="not here     MinIO: its server is no Debian package, and npm has none to stand in for it here (docs/minio.md)"
fi
cat <<END

What runs where:
  10.10.10.10  INFRA (nginx, VictoriaMetrics, vmalert, Alertmanager, dnsmasq, CA, packages), etcd, PostgreSQL pg-meta
  10.10.10.11  PostgreSQL pg-test-1     10.10.10.12  pg-test-2     10.10.10.13  pg-test-3
  Redis        redis-ms on 10.10.10.10, its sentinels redis-meta on .11, a native cluster redis-test on .12 and .13
  $minio
  not here     Grafana, VictoriaLogs, VictoriaTraces: no Debian packages (docs/infra.md)
  on every node: HAProxy, PgBouncer, node exporter; the leader of pg-test holds 10.10.10.3, that of pg-meta 10.10.10.2

Connection strings (from a node of the sandbox; the password of user test is in pigsty/pigsty.yml on meta):
  writes, pooled      postgres://test@10.10.10.11:5433/test
  reads, pooled       postgres://test@10.10.10.11:5434/test
  writes, direct      postgres://test@10.10.10.11:5436/test
  offline reads       postgres://test@10.10.10.11:5438/test
  any member          postgres://test@10.10.10.11,10.10.10.12,10.10.10.13:5432/test?target_session_attrs=read-write

The home page and all it leads to: http://10.10.10.10/, seen from the nodes' network alone:
  sudo ip netns exec demo-ctl curl -s http://10.10.10.10/

What to try next ($PIG is the program):
  pig sandbox shell meta --name demo           you are dba on the admin node; cd pigsty
  pig run pgsql.yml -l pg-test --check --diff  on it: what would change
  pig sandbox stop node-1 --name demo --kill   and look who leads: pig sandbox shell node-2 --name demo
  make undemo                                  ends it all

How long each part took:
END
printf '  %s\n' "${parts[@]}"
