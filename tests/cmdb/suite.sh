#!/bin/sh
# suite.sh PIG SOURCE: load, dump, switch, edit; what is refused, and how. A server is made in a folder of the test's own, run by a user
# without rights, and ended with it.
pig=$1 source=$2
bin=/usr/lib/postgresql/15/bin
work=$(mktemp -d "${TMPDIR:-/tmp}/pig-cmdb.XXXXXX") || exit 1
good=0 bad=0
ok() { good=$((good + 1)); }
no() { bad=$((bad + 1)); echo "failed: $*" >&2; [ ! -f "$work/out" ] || sed 's/^/    /' "$work/out" >&2; }
is() { name=$1; shift; if "$@" >"$work/out" 2>&1; then ok; else no "$name"; fi; }
has() { if grep -qF -- "$2" "$work/out"; then ok; else no "$1: no \"$2\""; fi; }
lacks() { if grep -qF -- "$2" "$work/out"; then no "$1: \"$2\""; else ok; fi; }
same() { if cmp -s "$2" "$3"; then ok; else no "$1"; diff "$2" "$3" | head -20 >&2; fi; }
equal() { if [ "$2" = "$3" ]; then ok; else no "$1: \"$3\" instead of \"$2\""; fi; }
# refused NAME STATUS WORDS pig's words...
refused() {
	name=$1 status=$2 words=$3
	shift 3
	"$pig" "$@" >"$work/out" 2>&1 </dev/null
	s=$?
	equal "$name: status" "$status" "$s"
	has "$name" "$words"
	lacks "$name: the password" "$password"
}

# ---- the server ----
as=
[ "$(id -u)" != 0 ] || as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
pg_end() { [ ! -f "$work/pg/data/postmaster.pid" ] || $as "$bin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1; }
trap 'pg_end; rm -rf "$work"' EXIT INT TERM
password='s3cret/with@signs'
url_password=s3cret%2Fwith%40signs
chmod 711 "$work"
mkdir "$work/pg" "$work/home" "$work/w"
printf '%s\n' "$password" >"$work/pg/pw"
[ -z "$as" ] || chown -R nobody:nogroup "$work/pg"
unset PIG_PLUGIN_PATH PIGSTY_HOME METADB_URL PGPASSWORD PGSERVICE PGUSER PGDATABASE PGOPTIONS
HOME=$work/home; export HOME
cd "$work/pg" || exit 1
$as "$bin/initdb" -D "$work/pg/data" -U owner -A scram-sha-256 --pwfile=pw --no-sync >"$work/out" 2>&1 || { no "initdb"; exit 1; }
port=$((20000 + $$ % 20000)) try=0
while ! $as "$bin/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" -o "-c listen_addresses=127.0.0.1 -c port=$port \
	-c unix_socket_directories= -c fsync=off -c logging_collector=off" start >"$work/out" 2>&1; do
	try=$((try + 1)) port=$((port + 7)) # someone else's port
	[ $try -lt 20 ] || { no "the server does not start"; exit 1; }
done
cd "$work/w" || exit 1
export PGHOST=127.0.0.1 PGPORT=$port
psql() { PGOPTIONS="-c client_min_messages=warning" PGPASSWORD=$password "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -U owner "$@"; }
psql -d postgres -c 'create database meta' -c 'create database bare' || exit 1
METADB_URL=postgres://owner:$url_password@127.0.0.1:$port/meta; export METADB_URL
shown=postgres://owner@127.0.0.1:$port/meta

# ---- the schema ----
refused "a database without the tables" 2 "holds no inventory" inventory dump
is "the schema" psql -1 -d meta -f "$source/plugins/pgsql/templates/cmdb.sql"

# ---- round trips ----
list() { "$pig" inventory list --show-secrets "$@"; }
for f in meta slim rich ha/dual ha/trio ha/full demo demo/minio demo/redis; do
	[ -f "$source/conf/$f.yml" ] || continue
	is "load $f" "$pig" inventory load -i "$source/conf/$f.yml"
	has "$f: where to" "into $shown"
	list -i "$source/conf/$f.yml" >a
	list -i "$METADB_URL" >b
	same "$f: the database means the same" a b
	is "dump $f" "$pig" inventory dump -o d.yml
	equal "$f: for its owner alone" 600 "$(stat -c %a d.yml)"
	list -i d.yml >c
	same "$f: the dump means the same" a c
	"$pig" inventory dump --json >d.json
	list -i d.json >c
	same "$f: so does the dump as JSON" a c
	"$pig" check -i "$source/conf/$f.yml" >a 2>&1; s=$?
	"$pig" check -i "$METADB_URL" >b 2>&1
	equal "$f: check ends as for the file" $s $?
	equal "$f: and finds as much" "$(tail -1 a)" "$(tail -1 b)"
done
cat >odd.yml <<'EOF'
all:
  vars:
    admin_ip: 10.1.0.1
    text: "a 'b' \\ \"c\" ü \t end"
    lines: |
      one
        two
    numbers: [1, -2, 0.25, 1.0e+30, 9223372036854775807]
    truths: [yes, no, null, true]
    nested: { a: { b: [ { c: {} }, [] ] }, "1": one, "": empty }
    raw: !unsafe "{{ left }} ${admin_ip}"
    sealed: !vault |
      $ANSIBLE_VAULT;1.1;AES256
      6162
    of_admin: "${admin_ip} a.pigsty"
    nothing:
  children:
    pg-a:
      hosts: { 10.1.0.1: { pg_seq: 1, pg_role: primary }, 10.1.0.2: { pg_seq: 2 }, "fd00::1": }
      vars: { pg_cluster: pg-a, pg_version: 15, pg_parameters: { work_mem: 64MB, jit: off }, pg_users: [ { name: a, password: 0123 } ] }
    etcd: { hosts: { 10.1.0.1: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd, ansible_group_priority: 10 } }
    none: {}
EOF
is "load what is odd" "$pig" inventory load -i odd.yml
is "dump it" "$pig" inventory dump -o odd2.yml
"$pig" inventory list --show-secrets -i odd2.yml >a
"$pig" inventory list --show-secrets -i "$METADB_URL" >b
same "what is odd, from the dump and from the database" a b
# the one value that the file's own list shows by its YAML type and not by its parameter's
"$pig" inventory list --show-secrets -i odd.yml | sed 's/"password": 83/"password": "0123"/' >a
same "values of every kind" a b
equal "text stays as it was written where a parameter is text" '"0123"' "$(list -i "$METADB_URL" | "$pig" query '_meta.hostvars."10.1.0.1".pg_users[0].password')"
equal "a placeholder works" 10.1.0.1 "$("$pig" inventory host 10.1.0.1 -i "$METADB_URL" --json | "$pig" query 'of_admin.value' | tr -d '"' | cut -d' ' -f1)"
equal "a group without hosts" true "$(list -i "$METADB_URL" | "$pig" query 'contains(all.children, `none`)')"

# ---- an edit ----
is "load" "$pig" inventory load -i "$source/conf/ha/full.yml"
"$pig" inventory host 10.10.10.12 -i "$METADB_URL" >out1
cp out1 "$work/out"
has "a value's place" "from host, $shown#pg-test/10.10.10.12/pg_seq"
has "of a group's" "from group pg-test, $shown#pg-test/pg_cluster"
psql -d meta -c "update pigsty.group_var set value = '5544' where cls = 'pg-test' and key = 'pg_port'" \
	-c "insert into pigsty.group_var (cls, key, value) values ('pg-test', 'pg_port', '5544') on conflict do nothing"
is "after an edit" "$pig" inventory query 'hosts[].vars.pg_port' -i "$METADB_URL"
equal "its hosts see it" 3 "$(grep -c 5544 "$work/out")"
psql -d meta -c "insert into pigsty.host_var (cls, ip, key, value) values ('pg-test', '10.10.10.12', 'pg_port', '\"many\"')"
refused "a wrong edit is found, with its place" 2 "$shown#pg-test/10.10.10.12/pg_port: error" check -i "$METADB_URL"
psql -d meta -c "update pigsty.host_var set value = '\"{{ lookup(1) }} x\"' where key = 'pg_port'"
refused "what looks like a template is data" 2 'pg-test/10.10.10.12/pg_port: error: parameter "pg_port" takes a whole number, not "{{ lookup(1) }} x"' check -i "$METADB_URL"
is "a load puts all of it right" "$pig" inventory load -i "$source/conf/ha/full.yml"
is "checked" "$pig" check -i "$METADB_URL"

# ---- views ----
equal "what ansible is given is what pig reads" true "$(psql -d meta -c 'select text from pigsty.inventory' | "$pig" query \
	'_meta.hostvars."10.10.10.13".pg_cluster == `pg-test` && length(keys(_meta.hostvars)) == `4` && contains(all.children, `etcd`)')"
equal "raw_config" 3 "$(psql -d meta -c 'select config from pigsty.raw_config' | "$pig" query 'length(keys(all.children."pg-test".hosts))')"
equal "instances" "pg-test-3|replica|t" "$(psql -d meta -c "select ins, role, offline_query from pigsty.pg_instance where seq = 3")"
equal "services, those of the defaults too" 4 "$(psql -d meta -c "select count(*) from pigsty.pg_service where cls = 'pg-test' and src_port ~ '^543[3468]'")"
equal "users" dbuser_meta,dbuser_view,test "$(psql -d meta -c "select string_agg(name, ',' order by name) from pigsty.pg_users where login")"
equal "databases" meta,test "$(psql -d meta -c "select string_agg(datname, ',' order by datname) from pigsty.pg_database where pgbouncer")"
equal "access rules" t "$(psql -d meta -c "select count(*) > 10 from pigsty.pg_hba where cls = 'pg-meta'")"
equal "etcd" "1|1" "$(psql -d meta -c 'select size, quorum from pigsty.etcd_cluster')"
equal "a parameter, its default" 10.10.10.10,5432 "$(psql -d meta -c "select pigsty.get_param('admin_ip') || ',' || pigsty.get_param('pg_port')")"
equal "all parameters are there" "$("$pig" doc param --json | "$pig" query 'length(@)')" "$(psql -d meta -c 'select count(*) from pigsty.parameters')"
equal "ids of jobs tell their time" t "$(psql -d meta -c "select abs(extract(epoch from pigsty.job_id_ts(pigsty.job_id()) - now() at time zone 'UTC')) < 2
	and pigsty.job_id() < pigsty.job_id()")"
for v in $(psql -d meta -c "select relname from pg_class where relnamespace = 'pigsty'::regnamespace and relkind = 'v'"); do
	is "view $v" psql -d meta -c "select * from pigsty.$v"
done
is "the schema made again" psql -1 -d meta -f "$source/plugins/pgsql/templates/cmdb.sql"
list -i "$source/conf/ha/full.yml" >a
list -i "$METADB_URL" >b
same "keeps what is in it" a b

# ---- which one is in force ----
printf '# mine\n[defaults]\nforks = 3\ninventory=old.yml\n[ssh_connection]\ninventory = no\n' >ansible.cfg
cp "$source/conf/meta.yml" pigsty.yml
is "use cmdb" "$pig" inventory use cmdb
printf '# mine\n[defaults]\nforks = 3\ninventory = inventory.sh\n[ssh_connection]\ninventory = no\n' >want
same "ansible.cfg" want ansible.cfg
equal "a script" 700 "$(stat -c %a inventory.sh)"
cp inventory.sh "$work/out"
lacks "the script" s3cret
has "the script" "$shown"
list >b
same "pig reads the database" a b
if command -v ansible-inventory >/dev/null; then
	PGPASSWORD=$password ansible-inventory --list 2>/dev/null | "$pig" query '_meta.hostvars."10.10.10.12".pg_seq' >n
	equal "and so does ansible" 2 "$(cat n)"
fi
(unset METADB_URL; PGPASSWORD=$password "$pig" inventory list --show-secrets >b)
same "the script knows where" a b
is "use yaml" "$pig" inventory use yaml
list >b
list -i pigsty.yml >a
same "and back" a b
refused "another word" 2 "Say cmdb or yaml" inventory use toml
rm -f ansible.cfg pigsty.yml
is "with nothing else there, METADB_URL is read" "$pig" inventory query 'hosts[0].name'
is "a new ansible.cfg" "$pig" inventory use yaml
printf '[defaults]\ninventory = pigsty.yml\n' >want
same "is made" want ansible.cfg
rm -f ansible.cfg

# ---- all or nothing ----
list -i "$METADB_URL" >before
unchanged() { list -i "$METADB_URL" >b; same "$1: nothing has changed" before b; }
cat >bad.yml <<'EOF'
all: { children: { a: { hosts: { 10.1.0.1: {}, n1: {} } } } }
EOF
refused "a host without an address" 2 'bad.yml:1:' inventory load -i bad.yml
has "it is named" 'host "n1" is no address'
printf 'all: { children: { a: { hosts: { 10.1.0.1: { x: "{{ y }}" } } } } }\n' >bad.yml
refused "a template" 2 '"x" holds a template' inventory load -i bad.yml
unchanged "a template"
cat >bad.yml <<'EOF'
all:
  children:
    a: { children: { sub: { hosts: { 10.1.0.1: } } }, vars: { x: weak } }
    sub: { vars: { x: strong } }
EOF
is "groups within groups, where the database means the same" "$pig" inventory load -i bad.yml
is "back" "$pig" inventory load -i "$source/conf/ha/full.yml"
sed -i 's/ a:/ top:/' bad.yml
refused "where it would not" 2 'would see another "x"' inventory load -i bad.yml
unchanged "another meaning"
psql -d meta -c "create function pigsty.stop() returns trigger language plpgsql as 'begin raise exception ''no more hosts''; end'" \
	-c 'create trigger stop before insert on pigsty.host for each row execute function pigsty.stop()'
refused "a fault in the middle" 1 "no more hosts" inventory load -i "$source/conf/meta.yml"
psql -d meta -c 'drop function pigsty.stop() cascade'
unchanged "a fault in the middle"
psql -d meta -c "create role reader login password 'r' in role pg_read_all_data"
METADB_URL=postgres://reader:r@127.0.0.1:$port/meta
refused "someone who may only read" 1 "permission denied" inventory load -i "$source/conf/meta.yml"
METADB_URL=postgres://owner:$url_password@127.0.0.1:$port/meta
unchanged "no right"

# ---- who cannot get in ----
wrong=postgres://owner:wr0ng-pass@127.0.0.1:$port/meta
for words in "inventory list -i $wrong" "check -i $wrong" "run node.yml -i $wrong" "inventory load -d $wrong -i $source/conf/meta.yml" \
	"inventory use cmdb -d $wrong"; do
	# shellcheck disable=SC2086 # words are words
	refused "wrong password: $words" 4 "the database at 127.0.0.1, port $port does not let in user \"owner\"" $words
	has "what to do" "Is the password right?"
	lacks "the wrong one is not shown either" wr0ng-pass
done
refused "no password" 4 'wants a password of user "owner"' inventory list -i "postgres://owner@127.0.0.1:$port/meta"
refused "no such database" 4 'database "nowhere"' inventory list -i "postgres://owner:$url_password@127.0.0.1:$port/nowhere"
refused "nobody there" 4 "the database at 127.0.0.1, port 1 cannot be reached" inventory list -i postgres://owner:wr0ng-pass@127.0.0.1:1/meta
lacks "nobody there" wr0ng-pass
refused "a URL that is none" 2 "the URL of the database cannot be read" inventory list -i "postgres://owner:wr0ng-pass@[::1/meta"
lacks "a URL that is none" wr0ng-pass
refused "a URL of another kind" 2 "a URL of a kind that is not known" inventory list -i "postgre://owner:$url_password@127.0.0.1:$port/meta"
lacks "a URL of another kind" "$url_password"
refused "nothing in it" 2 "holds no inventory" inventory list -i "postgres://owner:$url_password@127.0.0.1:$port/bare"
psql -d meta -c 'create schema second' -c 'create table second.group (cls text, ctime timestamptz)' -c 'create table second.host (cls text, ip inet, ctime timestamptz)' \
	-c 'create table second.global_var (key text, value jsonb, mtime timestamptz)' -c 'create table second.group_var (cls text, key text, value jsonb, mtime timestamptz)' \
	-c 'create table second.host_var (cls text, ip inet, key text, value jsonb, mtime timestamptz)'
refused "two inventories" 2 "holds several inventories: in the schemas pigsty, second" inventory list -i "$METADB_URL"
is "the search path decides" "$pig" inventory query 'hosts[].name' -i "$METADB_URL?options=-csearch_path%3Dpigsty"
has "it is the right one" 10.10.10.13
psql -d meta -c 'drop schema second cascade'

# ---- one run at a time ----
# Nobody listens on port 1 of loopback: whoever gets as far as connecting has the lock.
printf 'all: { children: { a: { hosts: { 127.0.0.1: { ansible_port: 1 } } } }, vars: { node_cluster: nodes } }\n' >local.yml
is "a host of this machine" "$pig" inventory load -i local.yml
refused "nobody else is at work" 4 'could not reach "127.0.0.1"' run node.yml -t node_hosts -i "$METADB_URL"
holders() { psql -d meta -c "select count(*) from pg_locks where locktype = 'advisory' and granted"; }
equal "the lock is gone with its run" 0 "$(holders)"
PGAPPNAME='pig: eve on elsewhere, 1' PGPASSWORD=$password "$bin/psql" -XAtq -U owner -d meta \
	-c "select pg_advisory_lock(hashtextextended('pig cluster nodes', 0))" -c 'select pg_sleep(60)' >/dev/null 2>&1 &
n=0
while [ "$(holders)" != 1 ] && [ $n -lt 200 ]; do
	sleep 0.05
	n=$((n + 1))
done
refused "another machine's run" 1 'another run is at work on cluster "nodes": pig: eve on elsewhere, 1, since' run node.yml -t node_hosts -i "$METADB_URL"
refused "who only looks needs no lock" 4 'could not reach "127.0.0.1"' run node.yml -t node_hosts -i "$METADB_URL" -C
psql -d meta -c "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'" >/dev/null
wait

echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
