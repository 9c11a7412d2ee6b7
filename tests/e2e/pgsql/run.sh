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
	on node-2 "$HBA_LATE" >/dev/null
	pig_ok "access rules that came in the second of the server's last look" pgsql.yml -l pg-test -t pg_hba
	equal "are read" 1 "$(recap changed)"
	pig_ok "once" pgsql.yml -l pg-test -t pg_hba
	equal "and no more" 0 "$(recap changed)"
}
# The file takes its own place again early in a second, when the server has just looked.
HBA_LATE='cd /; ask() { runuser -u postgres -- psql -XAtq -d postgres -c "$1"; }
until [ "$(date +%N | cut -c1)" -le 2 ]; do :; done
before=$(ask "select pg_conf_load_time()"); ask "select pg_reload_conf()"
until [ "$(ask "select pg_conf_load_time()")" != "$before" ]; do :; done
cp -p /pg/data/pg_hba.conf /pg/data/pg_hba.new && mv /pg/data/pg_hba.new /pg/data/pg_hba.conf'

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

TIERS='{"pg_users": [
	{"name": "test", "password": "test", "pgbouncer": true, "roles": ["dbrole_admin"]},
	{"name": "tier_ro", "password": "tier", "pgbouncer": true, "roles": ["dbrole_readonly"]},
	{"name": "tier_rw", "password": "tier", "pgbouncer": true, "roles": ["dbrole_readwrite"]},
	{"name": "tier_admin", "password": "tier", "pgbouncer": true, "roles": ["dbrole_admin"]},
	{"name": "tier_off", "password": "tier", "pgbouncer": true, "roles": ["dbrole_offline"]},
	{"name": "tier_none", "password": "tier", "pgbouncer": true}],
	"pg_hba_rules": [{"user": "tier_none", "db": "all", "addr": "intra", "order": 5},
		{"user": "tier_cert", "db": "all", "addr": "intra", "auth": "cert", "order": 6}]}'
# who, may (y) or may not (n), what
TIER_MAY='tier_admin y create table tiers (id int primary key, v text)
tier_admin y alter table tiers add column w int
tier_admin y insert into tiers values (1)
tier_admin y truncate tiers
tier_rw y insert into tiers values (1), (2)
tier_rw y update tiers set v = 2
tier_rw y delete from tiers where id = 2
tier_rw y select * from tiers
tier_rw n truncate tiers
tier_rw n alter table tiers add column x int
tier_rw n create table mine (i int)
tier_rw n drop table tiers
tier_ro y select * from tiers
tier_ro n insert into tiers values (3)
tier_ro n update tiers set v = 3
tier_ro n delete from tiers
tier_ro n create table mine (i int)
tier_none n select * from tiers
tier_none n create table mine (i int)
tier_admin n create role other
tier_admin n create database other
tier_admin n select pg_read_file('"'/etc/passwd'"')
tier_admin y drop table tiers'
may() { # USER SQL: the same right of a role is used by name, as the owner of what is made
	case $1 in
	tier_admin) set -- "$1" "set role dbrole_admin; $2" ;;
	esac
	sql "$l" 5436 "$2" test "$1" tier
}
case_tiers() {
	local l a who yes what
	l=$(leader)
	run_with "a user of each tier" "$TIERS"
	while read -r who yes what; do
		if [ "$yes" = y ]; then
			check "$who may $what" may "$who" "$what"
		else
			check_not "$who may not $what" may "$who" "$what"
		fi
	done <<<"$TIER_MAY"
	for a in 10.10.10.11 10.10.10.12; do
		check_not "tier_off is refused at $a, which is no offline instance" sql "$a" 5432 'select 1' test tier_off tier
		check_not "also through PgBouncer" sql "$a" 6432 'select 1' test tier_off tier
	done
	equal "tier_off reads at the offline instance" 1 "$(sql 10.10.10.13 5432 'select 1' test tier_off tier)"
	[ "$l" = 10.10.10.13 ] || equal "and through its service" 1 "$(sql "$l" 5438 'select 1' test tier_off tier)"
	equal "PUBLIC may create nothing, in no database" "" \
		"$(dba_sql "$l" "select datname from pg_database, aclexplode(datacl) a where a.grantee = 0 and a.privilege_type = 'CREATE'")$(
			for a in postgres template1 test; do
				on "$(node_at "$l")" "cd /; sudo -u postgres psql -XAtq -d $a -c \"select nspname from pg_namespace, aclexplode(nspacl) a
					where a.grantee = 0 and a.privilege_type = 'CREATE'\""
			done)"
}

cert_sql() { # ADDRESS SSLMODE-AND-FILES: as tier_cert; what the server answers, also when it refuses
	ctl timeout 10 psql -XAtq "host=$1 port=5432 dbname=test user=tier_cert sslrootcert=$WORK/inv/files/pki/ca/ca.crt $2" -c 'select current_user' 2>&1
}
case_cert() {
	local pki=$WORK/inv/files/pki/misc l
	echo "${TIERS/\"tier_none\", \"password\": \"tier\"/\"tier_cert\", \"roles\": [\"dbrole_readonly\"]}" >"$WORK/inv/extra.json"
	pig_ok "a user without a password" pgsql.yml -l pg-test -e "@$WORK/inv/extra.json"
	pig_ok "cert.yml" cert.yml -e cn=tier_cert
	pig_ok "cert.yml of another" cert.yml -e cn=tier_ro
	check "the key is its owner's alone" test "$(stat -c %a "$pki/tier_cert.key")" = 600
	check "there is a leader" until_ok 10 leader && l=$(leader) # two of Patroni's loops
	equal "the certificate lets tier_cert in" tier_cert \
		"$(cert_sql "$l" "sslmode=verify-full sslcert=$pki/tier_cert.crt sslkey=$pki/tier_cert.key")"
	check "no certificate does not" grep -q 'requires a valid client certificate' <<<"$(cert_sql "$l" sslmode=require)"
	check "nor does another's" grep -q 'certificate authentication failed' \
		<<<"$(cert_sql "$l" "sslmode=require sslcert=$pki/tier_ro.crt sslkey=$pki/tier_ro.key")"
	check_not "cert.yml without a name" pig_run cert.yml
	pig_ok "cert.yml again" cert.yml -e cn=tier_cert
	equal "changes nothing" 0 "$(recap changed)"
}

# The kernel's clock is everyone's: what a program on node-3 sees of it is another's.
FAKE='lib=$(find /usr/lib -name libfaketime.so.1 | head -1)'
date_off() {
	on node-3 "for f in date openssl; do printf '#!/bin/sh\nexec faketime -f $1 /usr/bin/%s \"\$@\"\n' \$f >/usr/local/bin/\$f && chmod 755 /usr/local/bin/\$f; done"
}
patroni_off() {
	on node-3 "$FAKE; mkdir -p /run/systemd/system/patroni.service.d
		printf '[Service]\nEnvironment=LD_PRELOAD=%s FAKETIME=$1 FAKETIME_DONT_FAKE_MONOTONIC=1\n' \"\$lib\" >/run/systemd/system/patroni.service.d/clock.conf
		systemctl daemon-reload; systemctl restart patroni"
}
patroni_sees() { # from its own log: seconds that its clock is ahead
	on node-3 'p=$(systemctl show -p MainPID --value patroni); tr "\0" "\n" <"/proc/$p/environ" | grep -c "^FAKETIME="'
}
case_clock() {
	check "node-3 is a replica" until_ok 60 replica_of 10.10.10.13 || return
	date_off +600s
	pig_ok "a clock ten minutes ahead: no failure" pgsql.yml -l pg-test
	check "but a warning that says how far" grep -qE '^10.10.10.13: warning: the clock of 10.10.10.13 is (59[0-9]|60[0-9]) s ahead of this machine' "$LOG"
	equal "which the recap counts" 1 "$(recap warned 10.10.10.13)"
	equal "once" 1 "$(recap warned)"
	patroni_off +600
	equal "Patroni runs ten minutes ahead" 1 "$(patroni_sees)"
	check "and follows the leader: leases are counted by etcd's members" until_ok 60 replica_of 10.10.10.13
	date_off -9000s
	patroni_off -9000
	check_not "two and a half hours behind: certificates are not good yet" until_ok 15 replica_of_here
	check "Patroni says why" on node-3 'grep -q "certificate is not yet valid" /pg/log/patroni/patroni.log'
	check_not "a run ends" pig_run pgsql.yml -l 10.10.10.13
	check "with the cause" grep -qE '^10.10.10.13: pg_(launch|ready): failed: the clock of 10.10.10.13 is off: it says .* UTC, by which certificates are not valid yet, and pg-test-3 reaches no etcd' "$LOG"
	check "and what to do" grep -q '^hint: Set it (chronyc makestep' "$LOG"
	check "soon ($TOOK_MS ms)" test "$TOOK_MS" -lt 30000
	check "the run says that the clock is behind" grep -qE 'warning: the clock of 10.10.10.13 is (899[0-9]|900[0-9]) s behind this machine' "$LOG"
	on node-3 'rm -rf /usr/local/bin/date /usr/local/bin/openssl /run/systemd/system/patroni.service.d; systemctl daemon-reload; systemctl restart patroni'
	check "with the right clock it follows" until_ok 60 healthy
	pig_ok "and the next run is well" pgsql.yml -l pg-test
	check_not "and says nothing of clocks" grep -q clock "$LOG"
}
replica_of_here() { replica_of 10.10.10.13; }

VIP=10.10.10.3
vip_at() { # the nodes that hold it
	local n
	for n in node-1 node-2 node-3; do on "$n" "ip -o addr show | grep -qF ' $VIP/'" && echo "$n"; done
}
vip_follows() { [ "$(vip_at)" = "$(node_at "$(leader)")" ] && [ "$(sql "$VIP" 5432 'select pg_is_in_recovery()')" = f ]; }
case_vip() {
	local old
	run_with "an address of the leader" '{"pg_vip_enabled": true, "pg_vip_address": "10.10.10.3/24"}'
	check "the leader holds it, alone" until_ok 10 vip_follows
	on "$(node_at "$(leader)")" 'systemctl kill -s KILL --kill-who=main patroni'
	check "Patroni killed: it stays with the server" until_ok 5 vip_follows
	old=$(leader)
	check "another member leads" until_ok 60 switched_over "$old"
	check "the address has moved" until_ok 10 vip_follows
	check "healthy" until_ok 60 healthy
	old=$(leader)
	sandbox stop "$(node_at "$old")" --kill >/dev/null
	check "the node lost: another leads" until_ok 60 new_leader "$old"
	equal "and has the address within 5 s" f "$(until_ok 5 vip_answers && sql "$VIP" 5432 'select pg_is_in_recovery()')"
	sandbox start "$(node_at "$old")" >/dev/null
	check "the old one is back as a replica" until_ok 90 healthy
	check "the address stays, alone" until_ok 10 vip_follows
	pig_ok "as it was" pgsql.yml -l pg-test
	equal "nobody holds it" "" "$(vip_at)"
}
vip_answers() { [ "$(sql "$VIP" 5432 'select pg_is_in_recovery()')" = f ]; }

metric() { ctl curl -s -m 5 "http://$1/metrics" | awk -v m="$2" '$1 == m || index($1, m "{") == 1 { print $NF; exit }'; }
case_monitor() {
	local l r
	l=$(leader) r=$(others "$l" | head -1)
	on meta 'groupadd -f infra; id victoria >/dev/null 2>&1 || useradd -r -g infra victoria
		mkdir -p /infra/targets/pgsql /infra/targets/patroni /infra/targets/ping /infra/targets/pgrds /etc/dnsmasq.d/pigsty'
	pig_ok "pgsql.yml registers" pgsql.yml -l pg-test
	equal "the server is up" 1 "$(metric "$l:9630" pg_up)"
	equal "and leads" 0 "$(metric "$l:9630" pg_replication_is_replica)"
	equal "the other follows" 1 "$(metric "$r:9630" pg_replication_is_replica)"
	equal "and streams" 1 "$(metric "$r:9630" pg_stat_wal_receiver_status)"
	equal "PgBouncer is up" 1 "$(metric "$l:9631" pgbouncer_up)"
	check "its pools show" positive "$(metric "$l:9631" pgbouncer_list_items | cut -d. -f1)"
	equal "the repository is sound" 0 "$(metric "$(backed_up):9854" pgbackrest_stanza_status)"
	check "with a backup" positive "$(metric "$(backed_up):9854" pgbackrest_backup_last_time_seconds)"
	equal "targets of an instance" "- labels: { cls: pg-test, ins: pg-test-2, ip: 10.10.10.12 }" \
		"$(on meta 'sed -n 2p /infra/targets/pgsql/pg-test-2.yml')"
	equal "its name" "10.10.10.12 pg-test-2" "$(on meta 'cat /etc/dnsmasq.d/pigsty/pg-test-2')"
	echo '{"pg_exporters": {"20001": {"pg_cluster": "pg-far", "pg_seq": 1, "pg_host": "10.10.10.12"}}}' >"$WORK/inv/extra.json"
	pig_ok "pgsql-monitor.yml" pgsql-monitor.yml -e "@$WORK/inv/extra.json"
	check "a server far away is up" until_ok 10 far_up
	equal "its labels" "- labels: { cls: pg-far, ins: pg-far-1, ip: 10.10.10.12 }" "$(on meta 'sed -n 2p /infra/targets/pgrds/pg-far.yml')"
	pig_ok "again" pgsql-monitor.yml -e "@$WORK/inv/extra.json"
	equal "nothing to change" 0 "$(recap changed)"
	check_not "a cluster that is not there" pig_run pgsql-monitor.yml -e "@$WORK/inv/extra.json" -e clsname=pg-near
	pig_ok "none any more" pgsql-monitor.yml
	check_not "its exporter is gone" on meta 'systemctl is-active pg_exporter_pg-far-1 || ls /etc/default/pg_exporter_pg-far-1'
}
# What the dashboards of module infra ask for is what these exporters have.
case_boards() {
	local b l r d=$WORK/boards boards=$ROOT/tests/check/boards.py
	l=$(leader) r=$(others "$l" | head -1)
	mkdir -p "$d"
	for b in pgsql/pgsql-cluster pgsql/pgsql-instance etcd/etcd; do
		"$PIG" render "infra/boards/$b.json" -i "$INV" -l 10.10.10.10 >"$d/${b#*/}.json"
	done
	sql "$l" 6432 'select 1' >/dev/null
	ctl curl -s "http://$l:9630/metrics" >"$d/leader.txt"
	ctl curl -s "http://$r:9630/metrics" >"$d/replica.txt"
	ctl curl -s "http://$l:9631/metrics" >"$d/pool.txt"
	ctl curl -s "http://$l:8008/metrics" >"$d/patroni.txt"
	ctl curl -s "http://$(backed_up):9854/metrics" >"$d/backup.txt"
	on meta '. /etc/profile.d/etcdctl.sh; curl -s --cacert "$ETCDCTL_CACERT" --cert "$ETCDCTL_CERT" --key "$ETCDCTL_KEY" https://127.0.0.1:2379/metrics' >"$d/etcd.txt"
	check "a cluster's dashboard" python3 "$boards" metrics pgsql-cluster "$d/pgsql-cluster.json" -- "$d"/{leader,pool,patroni,backup}.txt
	check "an instance's dashboard, of the leader" python3 "$boards" metrics pgsql-instance "$d/pgsql-instance.json" -- "$d"/{leader,pool}.txt
	check "of a replica" python3 "$boards" metrics pgsql-instance "$d/pgsql-instance.json" -- "$d"/{replica,pool}.txt
	check "etcd's dashboard" python3 "$boards" metrics etcd "$d/etcd.json" -- "$d/etcd.txt"
}
# What vector would read: it is not to be had here, but its rules meet the lines that these programs have written.
case_logs() {
	local name files d=$WORK/vector
	mkdir -p "$d"
	sql 10.10.10.11 5432 $'select "no\n2026-11-27 such", \'lines\'' >/dev/null 2>&1
	equal "a file for each program" "node patroni pgbackrest pgbouncer postgres" \
		"$(on node-1 'cd /etc/vector && for f in *.yaml; do [ "$f" = vector.yaml ] || echo "${f%.yaml}"; done' | xargs)"
	equal "root's alone to read" "600 root:root" "$(on node-1 'stat -c "%a %U:%G" /etc/vector/p*.yaml' | sort -u)"
	for name in patroni pgbackrest pgbouncer postgres; do
		on node-1 "cat /etc/vector/$name.yaml" >"$d/$name.yaml"
		files=$(sed -nE 's/^ *include: \["(.*)"\]$/\1/p' "$d/$name.yaml")
		on node-1 "cat $files" >"$d/$name.log"
		check "$name: each record is understood" python3 "$ROOT/tests/check/pipelines.py" read "$d/$name.yaml" "$d/$name.log"
	done
	check "an error over lines is among them" grep -q '^2026-11-27 such' "$d/postgres.log"
}
far_up() { [ "$(metric 10.10.10.10:20001 pg_up)" = 1 ]; }
backed_up() { echo 10.10.10.11; } # the member that made the cluster

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
	refused "backups of the earlier cluster are there" 'belongs to an earlier cluster' pgsql.yml -l pg-test
	for n in node-1 node-2 node-3; do on "$n" "$NO_BACKUPS"; done
	on node-1 'systemd-run -q --unit=squat python3 -m http.server 5432'
	check "another program has the port" until_ok 10 ctl curl -s -o /dev/null http://10.10.10.11:5432/
	refused "a port that another program has" 'port 5432 [(]pg_port[)] is taken by the program python3' pgsql.yml -l pg-test
	on node-1 'systemctl stop squat'
	sandbox stop node-3 --kill >/dev/null
	refused "a member that may hold data is away" 'cannot be reached, and may hold data' pgsql.yml -l 10.10.10.11,10.10.10.12
	sandbox start node-3 >/dev/null
	check "node-3 is back" until_ok 60 on node-3 true
	pig_ok "the cluster is made anew" pgsql.yml -l pg-test
	check "healthy" until_ok 60 healthy
	pig_ok "again" pgsql.yml -l pg-test
	equal "nothing to change" 0 "$(recap changed)"
}

# Patroni founds a cluster by itself where etcd knows none: here on a replica, and its initdb is held up while pgsql.yml looks.
case_founded() {
	local n held
	for n in node-1 node-2 node-3; do on "$n" "systemctl stop patroni pgbouncer; find /pg/data/ -mindepth 1 -delete; $NO_BACKUPS"; done
	on meta "$ETCD etcdctl del --prefix /pg/pg-test/" >/dev/null
	on node-3 'systemctl start patroni'
	check "a replica's Patroni founds the cluster" on node-3 'n=0; until p=$(pidof initdb); do n=$((n + 1)); [ $n -lt 1500 ] || exit 1; sleep 0.02; done; kill -STOP $p'
	(until_ok 60 on node-1 'systemctl is-active patroni'; on node-3 'kill -CONT $(pidof initdb)') &
	held=$!
	pig_ok "pgsql.yml, while it does" pgsql.yml -l pg-test
	wait $held
	check "healthy" until_ok 60 healthy
	pig_ok "again" pgsql.yml -l pg-test
	equal "nothing to change" 0 "$(recap changed)"
}

main() {
	box_up
	[ -n "${REUSE:-}" ] || deploy || finish
	cases roles password databases settings access_rules tiers cert clock monitor boards logs vip tls elsewhere refusals founded
	finish
}
main
