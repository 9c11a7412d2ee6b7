#!/bin/bash
# The inventory in pg-meta's own database: made by a run, loaded, run from, edited with psql, run again. And a vendor's module, dropped
# into a folder beside the inventory. One node.
# shellcheck disable=SC2016,SC2317 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=cmdb
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
NODES=meta
URL=postgres://dbuser_meta:DBUser.Meta@10.10.10.10:5432/meta

inventory_write() {
	cat >"$INV" <<-'END'
		all:
		  children:
		    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }
		    pg-meta:
		      hosts: { 10.10.10.10: { pg_seq: 1, pg_role: primary } }
		      vars:
		        pg_cluster: pg-meta
		        pg_databases: [ { name: meta, baseline: cmdb.sql, schemas: [pigsty] } ]
		        pg_users:
		          - { name: dbuser_meta, password: DBUser.Meta, pgbouncer: true, roles: [dbrole_admin] }
		          - { name: dbuser_view, password: DBUser.Viewer, roles: [dbrole_readonly] }
		  vars:
		    ansible_user: dba
		    admin_ip: 10.10.10.10
		    node_dns_method: none
		    node_ntp_enabled: false
		    node_kernel_modules: []
		    node_sysctl_params: {}
		    node_etc_hosts: [ "${admin_ip} meta.example" ]
		    node_tune: tiny
		    pg_conf: tiny.yml
		    pg_version: 15
		    # maps in an order that no database keeps
		    pgbackrest_repo: { local: { retention_full_type: count, retention_full: 2, path: /pg/backup } }
		    node_aliases: { zz: 'true', a: 'ls -l', mm: date }
		    pg_parameters: { work_mem: 5MB, log_min_duration_statement: 500, idle_session_timeout: 0 }
	END
}
meta_sql() { # SQL [USER PASSWORD]
	PGCONNECT_TIMEOUT=3 PGPASSWORD=${3:-DBUser.Meta} ctl timeout 10 psql -XAtq -v ON_ERROR_STOP=1 -h 10.10.10.10 -U "${2:-dbuser_meta}" -d meta -c "$1"
}
pig_here() { (cd "$WORK/inv" && METADB_URL=$URL ctl "$PIG" "$@"); }
steady() { # NAME pig run's words...: nothing to change
	pig_ok "$@" && equal "$1: nothing to change" 0 "$(recap changed)" || grep -E 'changed:|failed' "$LOG" | head -8 | sed 's/^/#     /'
}
setting() { dba_sql 10.10.10.10 "show $1"; }
etc_of_meta() { on meta 'find /etc /pg/conf /pg/bin -xdev -type f -not -path "/etc/mtab" -printf "%p %m %u:%g %T@\n" | sort'; }

case_deploy() {
	pig_ok "node.yml" node.yml
	pig_ok "etcd.yml" etcd.yml
	pig_ok "pgsql.yml" pgsql.yml
	equal "the schema is in database meta" t "$(meta_sql "select count(*) > 15 from pg_class where relnamespace = 'pigsty'::regnamespace and relkind in ('r', 'v')")"
	check_not "those who only read do not see the passwords" meta_sql 'select count(*) from pigsty.global_var' dbuser_view DBUser.Viewer
	steady "pgsql.yml once more" pgsql.yml
}

case_switch() {
	local before
	check "load" pig_here inventory load
	check "use cmdb" pig_here inventory use cmdb
	mv "$INV" "$WORK/away.yml" # from here on there is no file
	pig_here inventory list --show-secrets >"$WORK/a.json"
	(cd "$WORK/inv" && "$PIG" inventory list --show-secrets -i "$WORK/away.yml") >"$WORK/b.json"
	check "the same inventory" cmp "$WORK/a.json" "$WORK/b.json"
	INV=$URL
	before=$(etc_of_meta)
	for book in node etcd pgsql; do steady "$book.yml from the database" $book.yml; done
	equal "nothing was written on the node" "$before" "$(etc_of_meta)"
	check_not "the password stands nowhere in pig's output" grep -rqF 'DBUser.Meta@' "$WORK"/logs
	check_not "nor in what was written for ansible" grep -qF DBUser.Meta "$WORK/inv/inventory.sh" "$WORK/inv/ansible.cfg"
}

case_edit() {
	meta_sql "insert into pigsty.group_var (cls, key, value) values ('pg-meta', 'pg_parameters', '{\"log_min_duration_statement\": 333}')"
	pig_ok "what an edit would do" pgsql.yml -C -D
	check "it is said" grep -q 333 "$LOG"
	check_not "and not done" setting_is 333ms
	pig_ok "an edit with psql" pgsql.yml
	check "is applied" until_ok 15 setting_is 333ms
	steady "and again" pgsql.yml
	meta_sql "update pigsty.group_var set value = '{\"log_min_duration_statement\": \"soon\"}' where key = 'pg_parameters'; \
		update pigsty.host_var set value = '\"leader\"' where key = 'pg_role'"
	check_not "a wrong edit stops a run" pig_run pgsql.yml
	check "and its place is named" grep -q '@10.10.10.10:5432/meta#pg-meta/10.10.10.10/pg_role' "$LOG"
	meta_sql "update pigsty.group_var set value = '{\"log_min_duration_statement\": 333}' where key = 'pg_parameters'; \
		update pigsty.host_var set value = '\"primary\"' where key = 'pg_role'"
}
setting_is() { [ "$(setting log_min_duration_statement)" = "$1" ]; }

case_vendor() {
	mkdir -p "$WORK/inv/plugins"
	cp "$WORK/pgvendor.so" "$WORK/inv/plugins/"
	check "its parameter is known" sh -c "cd '$WORK/inv' && '$PIG' doc param pgvendor_edition"
	steady "the module alone changes nothing" pgsql.yml
	meta_sql "insert into pigsty.group_var (cls, key, value) values ('pg-meta', 'pgvendor_edition', '\"enterprise\"')"
	pig_ok "the plan" pgsql.yml --list-tasks
	check "its task is in it" grep -q pgvendor_release "$LOG"
	pig_ok "what it would do" pgsql.yml -C -D
	check "its file" grep -q 'edition = enterprise' "$LOG"
	check "its block of the pooler's template" grep -q '^ *+log_connections = 1' "$LOG"
	check "its default" grep -q '^ *+pool_mode = session' "$LOG"
	pig_ok "run" pgsql.yml
	equal "its file is there" "edition = enterprise" "$(on meta 'head -1 /etc/pgvendor-release')"
	check "the pooler runs with both" until_ok 10 pooler_is session 1
	steady "and again" pgsql.yml
	meta_sql "insert into pigsty.global_var (key, value) values ('pgbouncer_poolmode', '\"statement\"')"
	pig_ok "a user's value" pgsql.yml
	check "leads over the vendor's default" until_ok 10 pooler_is statement 1
}
pooler_is() { # MODE LOG_CONNECTIONS
	[ "$(PGPASSWORD=DBUser.DBA ctl psql -XAtq -h 10.10.10.10 -p 6432 -U dbuser_dba -d pgbouncer -c 'show config' | grep -E '^(pool_mode|log_connections)\|' |
		cut -d'|' -f2 | tr '\n' ' ')" = "$2 $1 " ]
}

case_away() {
	on meta 'systemctl stop patroni'
	check_not "without the database there is no run" pig_run node.yml
	check "it says which, where" grep -q 'the database at 10.10.10.10, port 5432 cannot be reached' "$LOG"
	cp "$WORK/away.yml" "$WORK/inv/pigsty.yml"
	check "use yaml" pig_here inventory use yaml
	INV=$WORK/inv/pigsty.yml
	pig_ok "the file brings it back" pgsql.yml
	check "it answers" until_ok 15 meta_sql 'select 1'
	check "dump: the edits are in it" sh -c "cd '$WORK/inv' && METADB_URL=$URL ip netns exec $BOX-ctl '$PIG' inventory dump | grep -q pgvendor_edition"
}

# The vendor's module, against the installed SDK.
vendor_build() {
	cmake --install "$BUILD" --prefix "$WORK/sdk" --component sdk && cmake -S "$ROOT/sdk/examples/pgvendor" -B "$WORK/pgvendor" \
		-DCMAKE_PREFIX_PATH="$WORK/sdk" && cmake --build "$WORK/pgvendor" && cp "$WORK/pgvendor/pgvendor.so" "$WORK/"
}

main() {
	check "the vendor's module is built" vendor_build || finish
	box_up --nodes 1 --image full
	inventory_write
	cases deploy switch edit vendor away
	finish
}
main
