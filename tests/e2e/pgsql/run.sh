#!/bin/bash
# Module pgsql on a live cluster: what an inventory's change does and what it leaves alone, wherever the leader is; and what a
# bootstrap refuses. Deployment, second runs, rebuilds and broken runs are tests/e2e/cluster's, failures are tests/e2e/ha's.
# shellcheck disable=SC2016,SC2317,SC2119 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=pgsql
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# pgsql.yml with values above the inventory's: NAME JSON. Then again: nothing is left to do.
run_with() {
	local name=$1 json=$2
	echo "$json" >"$WORK/inv/extra.json"
	pig_ok "$name" pgsql.yml -l pg-test -e "@$WORK/inv/extra.json" || return
	pig_ok "$name: again" pgsql.yml -l pg-test -e "@$WORK/inv/extra.json"
	equal "$name: again changes nothing" 0 \
		"$(recap changed)" || grep -E 'changed:|failed' "$LOG" | head -8 | sed 's/^/#     /'
}
started_at() { dba_sql "$1" 'select pg_postmaster_start_time()'; }
no_restart() { # what the servers said of their start before, a line each
	local a
	for a in $MEMBERS; do started_at "$a"; done
}

ROLES='{"pg_users": [
	{"name": "test", "password": "test", "pgbouncer": true, "roles": ["dbrole_admin"]},
	{"name": "app", "password": "it'"'"'s a \"p\\word\" $1", "pgbouncer": true, "connlimit": 7, "expire_at": "2040-01-01", "comment": "the app",
	 "roles": ["dbrole_readonly", {"name": "pg_signal_backend", "admin": true}], "parameters": {"search_path": "app, public", "DateStyle": "ISO, MDY"}}]}'
case_roles() {
	local l before pw="it's a \"p\\word\" \$1"
	l=$(leader)
	before=$(no_restart)
	run_with "a new user" "$ROLES"
	equal "made with all that was asked for" "t|7|2040-01-01|the app|t" \
		"$(dba_sql "$l" "select rolcanlogin, rolconnlimit,
		rolvaliduntil::date, shobj_description(oid, 'pg_authid'), pg_has_role(oid, 'dbrole_readonly', 'member') from pg_roles where rolname = 'app'")"
	equal "it logs in at the server" app "$(sql "$l" 5432 'select current_user' postgres app "$pw")"
	equal "and through PgBouncer of a replica" app \
		"$(sql "$(others "$l" | head -1)" 6432 'select current_user' postgres app "$pw")"
	check_not "the password stands nowhere in pig's output" grep -qF 'p\word' "$WORK"/logs/*
	check_not "nor in the server's log" on "$(node_at "$l")" "grep -rqF 'a \"p' /pg/log/postgres"
	run_with "its rights taken back" "${ROLES/\"dbrole_readonly\", \{\"name\": \"pg_signal_backend\", \"admin\": true\}/\{\"name\": \"dbrole_readonly\", \"state\": \"absent\"\}}"
	equal "it is in the role no more" f "$(dba_sql "$l" "select pg_has_role('app', 'dbrole_readonly', 'member')")"
	dba_sql "$l" 'create table app_table (i int); alter table app_table owner to app' >/dev/null
	run_with "the user gone" '{"pg_users": [{"name": "test", "password": "test", "pgbouncer": true, "roles": ["dbrole_admin"]}, {"name": "app", "state": "absent"}]}'
	equal "it is gone" 0 "$(dba_sql "$l" "select count(*) from pg_roles where rolname = 'app'")"
	equal "its table is the superuser's" postgres \
		"$(dba_sql "$l" "select tableowner from pg_tables where tablename = 'app_table'")"
	dba_sql "$l" 'drop table app_table' >/dev/null
	equal "no server was restarted" "$before" "$(no_restart)"
}

case_password() {
	local l r
	l=$(leader) r=$(others "$l" | head -1)
	run_with "a user's password" '{"pg_users": [{"name": "test", "password": "test-2-changed", "pgbouncer": true, "roles": ["dbrole_admin"]}]}'
	equal "the new one is taken through a replica's PgBouncer at once" test \
		"$(sql "$r" 6432 'select current_user' test test test-2-changed)"
	check_not "the old one is not" sql "$r" 6432 'select 1' test test test
	pig_ok "as it was" pgsql.yml -l pg-test
	equal "the old one is taken again" test "$(sql "$r" 6432 'select current_user')"
}

case_databases() {
	local l db
	l=$(leader)
	mkdir -p "$WORK/inv/files"
	echo 'create table filled (i int); insert into filled values (42);' >"$WORK/inv/files/filled.sql"
	db='{"name": "shop", "owner": "test", "revokeconn": true, "connlimit": 9, "comment": "it is ours", "baseline": "filled.sql",
		"schemas": ["a", {"name": "b", "owner": "test"}], "extensions": ["hstore", {"name": "pg_trgm"}], "parameters": {"statement_timeout": "61s"}, "pool_mode": "session"}'
	run_with "a new database" "{\"pg_databases\": [{\"name\": \"test\", \"owner\": \"test\"}, $db]}"
	equal "made with all that was asked for" "test|9|it is ours|61s" \
		"$(dba_sql "$l" "select pg_get_userbyid(datdba), datconnlimit,
		shobj_description(d.oid, 'pg_database'), split_part(setconfig[1], '=', 2) from pg_database d join pg_db_role_setting on setdatabase = d.oid where datname = 'shop'")"
	equal "filled once" 42 "$(sql "$l" 5433 'select i from filled' shop)"
	equal "its schemas and extensions" "a,b hstore,pg_trgm" \
		"$(sql "$l" 5432 "select (select string_agg(nspname, ',' order by nspname) from pg_namespace
		where nspname in ('a', 'b')) || ' ' || (select string_agg(extname, ',' order by extname) from pg_extension where extname in ('hstore', 'pg_trgm'))" shop)"
	equal "nobody else comes in" f \
		"$(dba_sql "$l" "select has_database_privilege('dbrole_readonly', 'shop', 'connect')")"
	equal "readers read what its owner makes" t \
		"$(sql "$l" 5432 "create table later (i int); select has_table_privilege('dbrole_readonly', 'later',
			'select')" shop | tail -1)"
	run_with "the database gone" '{"pg_databases": [{"name": "test", "owner": "test"}, {"name": "shop", "state": "absent"}]}'
	equal "it is gone" 0 "$(dba_sql "$l" "select count(*) from pg_database where datname = 'shop'")"
}

case_settings() {
	local l before
	l=$(leader)
	before=$(no_restart)
	run_with "timings and settings" '{"pg_rto": 45, "pg_parameters": {"log_min_duration_statement": 250, "max_connections": 300}}'
	equal "Patroni has the timings" "45 7 15" \
		"$(rest "$l" /config | jq -r '"\(.ttl) \(.loop_wait) \(.retry_timeout)"')"
	check "the servers have the setting" until_ok 15 setting_is 250ms
	check "Patroni knows what needs a restart" until_ok 15 pending
	pig_ok "and once more" pgsql.yml -l pg-test -e "@$WORK/inv/extra.json"
	check "what needs a restart is said" grep -q 'wait for a restart' "$LOG"
	equal "and not done" "$before" "$(no_restart)"
	pig_ok "as it was" pgsql.yml -l pg-test
	check "nothing waits any more" until_ok 15 nothing_pending
	equal "no server was restarted" "$before" "$(no_restart)"
}
setting_is() {
	local a
	for a in $MEMBERS; do [ "$(dba_sql "$a" 'show log_min_duration_statement')" = "$1" ] || return 1; done
}
pending() { [ "$(rest "$(leader)" /patroni | jq -r '.pending_restart // false')" = true ]; }
nothing_pending() {
	local a
	for a in $MEMBERS; do [ "$(rest "$a" /patroni | jq -r '.pending_restart // false')" = false ] || return 1; done
}

case_access_rules() {
	local l a
	l=$(leader)
	run_with "a rule and a service" '{"pg_hba_rules": [{"title": "test everywhere", "user": "test", "db": "all", "addr": "intra", "order": 5}],
		"pg_services": [{"name": "direct", "port": 5440, "dest": 5432, "check": "/read-only", "selector": "[]"}]}'
	for a in $MEMBERS; do
		equal "$a: the server has read the rule" 1 \
			"$(dba_sql "$a" "select count(*) from pg_hba_file_rules where user_name = '{test}' and database = '{all}' and address = '10.0.0.0'")"
		check "$a: the service answers" until_ok 15 sql "$a" 5440 'select 1'
	done
	on node-2 'printf "# cluster: pg-test-two\nlisten pg-test-two-x\n    bind *:5441\n    mode tcp\n" >/etc/haproxy/conf.d/pg-test-two-x.cfg'
	pig_ok "as it was" pgsql.yml -l pg-test
	check_not "the service is gone" sql "$l" 5440 'select 1'
	check_not "its file too" on node-1 'ls /etc/haproxy/conf.d/pg-test-direct.cfg'
	check "another cluster's file, whose name begins alike, is left" on node-2 'ls /etc/haproxy/conf.d/pg-test-two-x.cfg'
	on node-2 'rm -f /etc/haproxy/conf.d/pg-test-two-x.cfg'
	pig_ok "node.yml" node.yml -l 10.10.10.12
}

case_tls() {
	local a before
	before=$(no_restart)
	run_with "Patroni's interface over TLS" '{"patroni_ssl_enabled": true, "pg_rto": "fast"}'
	for a in $MEMBERS; do
		equal "$a speaks TLS" running \
			"$(ctl curl -s -m 3 --cacert "$WORK/inv/files/pki/ca/ca.crt" "https://$a:8008/patroni" | jq -r .state)"
	done
	check "the services find the leader and replicas" until_ok 30 services_answer
	pig_ok "as it was" pgsql.yml -l pg-test
	check "healthy" until_ok 30 healthy
	check "the services answer" until_ok 30 services_answer
	equal "no server was restarted" "$before" "$(no_restart)"
}
services_answer() {
	[ "$(sql 10.10.10.12 5433 'select pg_is_in_recovery()')$(sql 10.10.10.12 5434 'select pg_is_in_recovery()')" = ft ]
}

# Members whose interface has just changed are no candidates for a moment.
switched_over() { # OLD
	new_leader "$1" && return
	on "$(node_at "$1")" "curl -s -m 60 -u 'postgres:Patroni.API' -X POST -d '{\"leader\":\"pg-test-${1#10.10.10.1}\"}' \
		http://$1:8008/switchover"
	return 1
}
# Everything once more with another leader than the inventory's.
case_elsewhere() {
	local old
	old=$(leader)
	check "another member leads" until_ok 60 switched_over "$old"
	check "healthy" until_ok 60 healthy
	pig_ok "pgsql.yml" pgsql.yml -l pg-test
	equal "nothing to change" 0 "$(recap changed)" || grep -E 'changed:' "$LOG" | head -8 | sed 's/^/#     /'
	case_password
	case_databases
}

ETCD='. /etc/profile.d/etcdctl.sh; export ETCDCTL_API=3;'
WIPE='systemctl stop patroni pgbouncer; rm -rf /data/postgres/* /pg'
NO_BACKUPS='rm -rf /data/backups/*'
refused() { # NAME WORDS pig run's words...: refused, and said why and the way out
	local name=$1 words=$2
	shift 2
	if pig_run "$@"; then
		not_ok "$name: refused"
		return
	fi
	ok "$name: refused"
	check "$name: says why" grep -qE "$words" "$LOG"
	check "$name: says what to do" grep -q '^hint:' "$LOG"
	equal "$name: nothing runs" "" \
		"$(for n in node-1 node-2 node-3; do on "$n" 'systemctl is-active patroni | grep -x active'; done)"
}
case_refusals() {
	local n
	for n in node-1 node-2 node-3; do on "$n" "$WIPE"; done
	refused "etcd knows the cluster, its data is lost" 'no member holds its data' pgsql.yml -l pg-test
	on meta "$ETCD etcdctl del --prefix /pg/pg-test/" >/dev/null
	refused "replicas alone" 'is not there yet' pgsql.yml -l 10.10.10.12,10.10.10.13
	sandbox stop node-3 --kill >/dev/null
	refused "a member that may hold data is away" 'cannot be reached, and may hold data' pgsql.yml -l 10.10.10.11,10.10.10.12
	sandbox start node-3 >/dev/null
	check "node-3 is back" until_ok 60 on node-3 true
	refused "backups of the earlier cluster are there" 'belongs to an earlier cluster' pgsql.yml -l pg-test
	for n in node-1 node-2 node-3; do on "$n" "$NO_BACKUPS"; done
	pig_ok "the cluster is made anew" pgsql.yml -l pg-test
	check "healthy" until_ok 60 healthy
	pig_ok "again" pgsql.yml -l pg-test
	equal "nothing to change" 0 "$(recap changed)"
}

main() {
	local c failed_before
	box_up
	[ -n "${REUSE:-}" ] || deploy || finish
	for c in roles password databases settings access_rules tls elsewhere refusals; do
		wanted "$c" || continue
		failed_before=$FAILED
		say "== $c"
		"case_$c"
		[ "$FAILED" = "$failed_before" ] || dump "$c"
	done
	finish
}
main
