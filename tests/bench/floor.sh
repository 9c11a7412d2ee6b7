#!/bin/bash
# The floor: what `pgsql.yml -l pg-test` does, written by hand for this one cluster, as fast as bash over ssh can be made.
#   floor.sh KIT        run from the controller's network, where `ssh node-1` works
# KIT holds what a person would have prepared: node-N.tar (every file but certificates and pg_hba.conf, with owners and modes),
# node-N.hba, schema.sql (roles, databases and what is in them), state (a digest of those) and ca.crt, ca.key. Issued certificates
# are kept in KIT/issued. It may be run again, and then changes nothing. Each host has one connection for each phase, all hosts
# at once.
# shellcheck disable=SC2016,SC2015 # the nodes' shells expand what stands in single quotes here
set -u
KIT=$1
PRIMARY=node-1 REPLICAS="node-2 node-3" ETCD=meta
SSH=(ssh -o ControlMaster=auto -o "ControlPath=$KIT/%h" -o ControlPersist=30 -o KexAlgorithms=curve25519-sha256)
PACKAGES="postgresql-15 patroni python3-psycopg2 pgbouncer pgbackrest prometheus-postgres-exporter"

# Root's shell on NODE runs SCRIPT, with our standard input.
on() { "${SSH[@]}" "$1" "sudo sh -c $(printf %q "$2")"; }
die() { echo "floor: $*" >&2; exit 1; }
all_of() { # PID...: every one of them ended well
	local p
	for p in "$@"; do wait "$p" || return 1; done
}

# ---- certificates: EC keys, signed by the local CA ----
issue() { # NODE NAME ADDRESS
	local d=$KIT/issued/$1
	[ ! -e "$d.tar" ] || return 0
	mkdir -p "$d/data/postgres/pg-test-15/cert"
	cp "$KIT/ca.crt" "$d/data/postgres/pg-test-15/cert/ca.crt"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$d/key" -out "$d/csr" 2>/dev/null &&
		openssl x509 -req -in "$d/csr" -CA "$KIT/ca.crt" -CAkey "$KIT/ca.key" -set_serial "0x$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')" \
			-days 7300 -extfile <(echo "subjectAltName=DNS:localhost,DNS:$2,DNS:pg-test,IP:127.0.0.1,IP:$3") \
			-out "$d/data/postgres/pg-test-15/cert/server.crt" 2>/dev/null || die "no certificate for $2"
	mv "$d/key" "$d/data/postgres/pg-test-15/cert/server.key"
	chmod 600 "$d/data/postgres/pg-test-15/cert/server.key"
	chmod 644 "$d/data/postgres/pg-test-15/cert/"*.crt
	tar -C "$d" --owner=postgres:543 --group=postgres:543 -cf "$d.tar" data/postgres/pg-test-15/cert/{ca.crt,server.crt,server.key}
}

# ---- everything that needs no server ----
PREPARE='set -e
id=$(id -u postgres)
if [ "$id" != 543 ]; then
	gid=$(id -g postgres)
	groupmod -g 543 postgres
	usermod -u 543 -d /var/lib/pgsql -s /bin/bash postgres
	for d in /var/log/postgresql /var/log/pgbouncer /var/log/pgbackrest /var/lib/pgbackrest /var/lib/postgresql /run/postgresql \
		/etc/postgresql /etc/pgbouncer /etc/pgbackrest.conf; do
		[ ! -e $d ] || chown -Rh --from=$id:$gid postgres:postgres $d
	done
	echo account
fi
n=$(dpkg-query -W -f "\${db:Status-Status}\n" $PACKAGES | grep -cx installed)
[ "$n" = 6 ] || { echo "packages are missing" >&2; exit 1; }
cat >/run/floor.tar
if tar -C / --numeric-owner -idf /run/floor.tar 2>&1 | grep -v "Mod time differs" | grep -q .; then
	tar -C / --numeric-owner -ixpf /run/floor.tar
	systemctl daemon-reload
	: >/run/floor.fresh
	echo files
fi
[ -e /pg/dummy ] || { fallocate -l 67108864 /pg/dummy; chown postgres:postgres /pg/dummy; echo dummy; }
systemctl is-active patroni >/dev/null && echo running || :'

ETCD_USER='. /etc/profile.d/etcdctl.sh; export ETCDCTL_API=3
etcdctl role list | grep -qx pg-test || etcdctl role add pg-test
etcdctl role grant-permission pg-test readwrite --prefix=true /pg/pg-test/
etcdctl user list | grep -qx pg-test || echo pg-test | etcdctl user add pg-test --interactive=false
etcdctl user grant-role pg-test pg-test'

prepare() { # NODE
	cat "$KIT/$1.tar" "$KIT/issued/$1.tar" | on "$1" "PACKAGES='$PACKAGES'; $PREPARE" >"$KIT/$1.out" || die "$1 could not be prepared"
}

# ---- with the server ----
# Returns when the primary's server has been started: then replicas may come.
BOOTSTRAP='systemctl start patroni
n=0; until [ -s /pg/data/postmaster.pid ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 1; sleep 0.05; done'
# The leader makes the slot of a new replica once a loop; a PATCH that changes nothing wakes it.
JOIN='systemctl start patroni
n=0; until [ -s /pg/data/PG_VERSION ]; do n=$((n + 1)); [ $n -lt 1200 ] || exit 1; sleep 0.05; done
curl -s -m 5 -u postgres:Patroni.API -X PATCH -d "{\"floor\":null}" http://10.10.10.11:8008/config >/dev/null'
PSQL='cd /; runuser -u postgres -- psql -XAtqw -h /var/run/postgresql'
LED='n=0; until [ "$(curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:8008/primary)" = 200 ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done'
FOLLOWS='n=0; until [ "$('$PSQL' -c "select status from pg_stat_wal_receiver" 2>/dev/null)" = streaming ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 1; sleep 0.1; done'
# What a second run asks of the server: roles, databases and what is in them.
STATE_SQL="select md5(string_agg(r::text, ',' order by rolname)) from (select rolname, rolsuper, rolcanlogin, rolreplication, rolpassword,
rolconfig from pg_authid a left join lateral (select setconfig rolconfig from pg_db_role_setting s where s.setrole = a.oid) x on true
where rolname !~ '^pg_') r; select md5(string_agg(datname || datdba::regrole, ',' order by datname)) from pg_database;
select md5(string_agg(nspname, ',' order by nspname)) from pg_namespace where nspname !~ '^pg_'; select md5(string_agg(extname, ',' order by extname)) from pg_extension;
select count(*) from pg_default_acl"
HBA='cat >/run/floor.hba; cmp -s /run/floor.hba /pg/data/pg_hba.conf || {
	install -o postgres -g postgres -m 600 /run/floor.hba /pg/data/pg_hba.conf.new && mv /pg/data/pg_hba.conf.new /pg/data/pg_hba.conf
	systemctl reload patroni; echo hba; }'
UNITS="pgbouncer pg_exporter pgbouncer_exporter.socket pgbackrest_exporter.socket"
ACCESS='u=prometheus-postgres-exporter
! systemctl -q is-active $u || { systemctl stop $u; echo $u; }
[ "$(systemctl is-active '"$UNITS"' | grep -cx active)" = 4 ] || { systemctl start '"$UNITS"'; echo units; }
[ ! -e /run/floor.fresh ] || { systemctl reload haproxy; rm /run/floor.fresh; echo haproxy; }'

# Each member has a repository of its own; the first backup is taken beside the joins.
# The server's tries to archive hold pgBackRest's lock for a moment each.
STANZA='[ -e /pg/backup/backup/pg-test/backup.info ] || { n=0
	until runuser -u postgres -- pgbackrest --stanza=pg-test --no-online --log-level-console=error stanza-create; do
		n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.2; done
	echo stanza; }'
BACKUP='[ -e /pg/backup/backup/pg-test/latest ] || {
	runuser -u postgres -- pgbackrest --stanza=pg-test --type=full --log-level-console=error backup && echo backup; }'

schema() { # on the primary; two connections, as the second needs what the first made
	on $PRIMARY "$PSQL -d postgres" <"$KIT/schema.sql" >/dev/null 2>&1
}
finish_node() { # NODE WAIT
	on "$1" "$2
$HBA
$ACCESS" <"$KIT/$1.hba" >>"$KIT/$1.out" || die "$1 is not ready"
}

first() {
	local pids=() n
	on $PRIMARY "$BOOTSTRAP" </dev/null || die "no server on $PRIMARY"
	for n in $REPLICAS; do
		on "$n" "$JOIN" </dev/null &
		pids+=($!)
	done
	{
		on $PRIMARY "$STANZA; $LED" </dev/null >/dev/null || exit 1 # before the server has tried three times to archive
		on $PRIMARY "$BACKUP" </dev/null >/dev/null &
		n=$!
		schema
		finish_node $PRIMARY : && wait $n
	} &
	pids+=($!)
	all_of "${pids[@]}" || die "the cluster did not form"
	pids=()
	for n in $REPLICAS; do
		finish_node "$n" "$FOLLOWS; $STANZA" &
		pids+=($!)
	done
	all_of "${pids[@]}" || die "replicas do not follow"
}
second() {
	local pids=() n
	{ [ "$(on $PRIMARY "$PSQL -d test" <<<"$STATE_SQL")" = "$(cat "$KIT/state")" ] || echo roles >>"$KIT/$PRIMARY.out"; } &
	pids+=($!)
	finish_node $PRIMARY "$LED; $STANZA; $BACKUP" &
	pids+=($!)
	for n in $REPLICAS; do
		finish_node "$n" "$FOLLOWS; $STANZA" &
		pids+=($!)
	done
	all_of "${pids[@]}" || die "the cluster is not well"
}

main() {
	local n pids=()
	mkdir -p "$KIT/issued"
	for n in 1 2 3; do
		issue "node-$n" "pg-test-$n" "10.10.10.1$n" &
		pids+=($!)
	done
	all_of "${pids[@]}" || exit 1
	pids=()
	for n in $PRIMARY $REPLICAS; do
		prepare "$n" &
		pids+=($!)
	done
	on $ETCD "$ETCD_USER" </dev/null >/dev/null &
	pids+=($!)
	all_of "${pids[@]}" || exit 1
	if grep -qx running "$KIT/$PRIMARY.out"; then second; else first; fi
	echo "changed: $(cat "$KIT"/node-?.out | grep -vcx running)"
	for n in $PRIMARY $REPLICAS $ETCD; do "${SSH[@]}" -O exit "$n" 2>/dev/null; done
	return 0
}
main
