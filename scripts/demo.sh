#!/bin/bash
# The demo: four nodes, then what a user would type on the admin node. Everything it starts is called `demo`; `make undemo` ends it.
set -u
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/.." && pwd)
pig=$build/bin/pig
declare -a parts=()

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
on_meta() { as_root "$pig" sandbox shell meta --name demo -- "$1"; }

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

part "four Debian 12 nodes (the image is made once, then cached)" \
	as_root "$pig" sandbox up --name demo --image full --bind "$build:/opt/pig" --bind "$src/conf:/opt/conf"
part "the inventory on the admin node" on_meta 'mkdir -p pigsty && cp /opt/conf/demo.yml pigsty/pigsty.yml && cd pigsty && /opt/pig/bin/pig check'
part "pig run node.yml" on_meta 'cd pigsty && /opt/pig/bin/pig run node.yml'
part "pig run etcd.yml" on_meta 'cd pigsty && /opt/pig/bin/pig run etcd.yml'
part "pig run pgsql.yml -l pg-test" on_meta 'cd pigsty && /opt/pig/bin/pig run pgsql.yml -l pg-test'
part "again: nothing changes" on_meta 'cd pigsty && /opt/pig/bin/pig run pgsql.yml -l pg-test'
echo
echo "== the cluster"
as_root "$pig" sandbox shell node-1 --name demo -- 'sudo -u postgres patronictl -c /etc/patroni/patroni.yml list'
cat <<EOF

Connection strings (from a node of the sandbox; user test, password test):
  writes, pooled      postgres://test:test@10.10.10.11:5433/test
  reads, pooled       postgres://test:test@10.10.10.11:5434/test
  writes, direct      postgres://test:test@10.10.10.11:5436/test
  offline reads       postgres://test:test@10.10.10.11:5438/test
  any member          postgres://test:test@10.10.10.11,10.10.10.12,10.10.10.13:5432/test?target_session_attrs=read-write

What to try next ($pig is the program):
  pig sandbox shell meta --name demo           you are dba on the admin node; cd pigsty
  /opt/pig/bin/pig run pgsql.yml -l pg-test --check --diff
  pig sandbox stop node-1 --name demo --kill   and look who leads: pig sandbox shell node-2 --name demo
  make undemo                                  ends it all

How long each part took:
EOF
printf '  %s\n' "${parts[@]}"
