#!/bin/bash
# One node, by the templates for one: conf/slim and slim.yml first, then conf/meta and deploy.yml over it, with the secrets kept.
# shellcheck disable=SC2016,SC2317 # the node's shell expands what stands in single quotes here; cases are called by name
export SUITE=one
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lib/lib.sh
. "$here/../lib/lib.sh"
# shellcheck source=tests/e2e/lib/watch.sh
. "$here/../lib/watch.sh"
export NODES=meta
A=10.10.10.10

again() { # NAME pig run's words...: nothing changes
	pig_ok "$@" && equal "$1: changed=0" 0 "$(recap changed)" || grep -E 'changed:|failed' "$LOG" | head -8 | sed 's/^/#     /'
}
# What `configure` writes, on a machine that apt of the image serves: no repository is touched.
configure() { # TEMPLATE
	(cd "$WORK/inv" && "$PIG" configure -c "$1" -i $A -v 15 -n "${@:2}" -o pigsty.yml) &&
		sed -i "s/^  vars:\$/&\n    ansible_user: dba\n    node_repo_modules: ''/; /^    node_repo_modules: node,/d" "$INV"
}
password_of() { sed -nE "s/.*name: $1, +password: ([^ ,]+),.*/\1/p" "$INV"; }
meta_sql() { sql $A "$1" 'select current_database()' meta dbuser_meta "$(password_of dbuser_meta)"; }
serves() {
	local p
	for p in 5432 5433 5434 5436 6432; do equal "port $p answers" meta "$(meta_sql $p)"; done
}

case_slim() {
	check "pig configure -c slim" configure slim -g
	pig_ok "slim.yml" slim.yml
	serves
	equal "there is nothing to watch it with" "" "$(on meta 'ls -d /infra /etc/nginx/conf.d/home.conf 2>/dev/null')"
	again "slim.yml again" slim.yml
}
# The secrets that are the same in both templates stay: a new inventory for what runs already.
case_meta() {
	local name
	cp "$INV" "$WORK/slim.yml"
	check "pig configure -c meta" configure meta
	for name in pg_admin_password pg_monitor_password pg_replication_password patroni_password haproxy_admin_password etcd_root_password; do
		sed -i -E "s/^( +$name): [^ ]+/\1: $(sed -nE "s/^ +$name: ([^ ]+).*/\1/p" "$WORK/slim.yml")/" "$INV"
	done
	for name in dbuser_meta dbuser_view; do
		sed -i -E "s/(name: $name, +password:) [^ ,]+/\1 $(sed -nE "s/.*name: $name, +password: ([^ ,]+),.*/\1/p" "$WORK/slim.yml")/" "$INV"
	done
	pig_ok "deploy.yml over it" deploy.yml
	serves
	check "each target is up" until_ok 90 all_up
	check "the home page is there" sh -c "ip netns exec $BOX-ctl curl -sf http://$A/ | grep -q pg-meta"
	again "deploy.yml again" deploy.yml
	again "slim.yml finds nothing to do either" slim.yml
}
all_up() { [ "$(query $A 'count(up == 1)' '.value[1]')" -ge 12 ] && [ -z "$(query $A 'up == 0' .metric.instance)" ]; }

box_up --nodes 1 --memory 4G
cases slim meta
finish
