#!/bin/sh
# suite.sh PIG CONF: every shipped template is sound, as it is and configured; what each option changes, and that nothing else does.
pig=$1 conf=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/pig-configure.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
unset PIG_PLUGIN_PATH PIGSTY_HOME http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
HOME=$work; export HOME
cd "$work" || exit 1
good=0 bad=0
ok() { good=$((good + 1)); }
no() { bad=$((bad + 1)); echo "failed: $*" >&2; [ ! -f out ] || sed 's/^/    /' out >&2; }
is() { name=$1; shift; if "$@" >out 2>&1; then ok; else no "$name"; fi; }
has() { if grep -qF -- "$2" out; then ok; else no "$1: no \"$2\""; fi; }
lacks() { if grep -qF -- "$2" "${3:-out}"; then no "$1: \"$2\""; else ok; fi; }
# refused NAME STATUS WORDS configure's words...
refused() {
	name=$1 status=$2 words=$3
	shift 3
	"$pig" configure "$@" >out 2>&1 </dev/null
	s=$?
	if [ $s = "$status" ]; then ok; else no "$name: status $s"; fi
	has "$name" "$words"
}
# changed FILE TEMPLATE WANT: the lines that differ, both sides, without spaces before
changed() {
	diff "$2" "$1" | sed -n 's/^\([<>]\) */\1 /p' >got
	if diff "$3" got >out; then ok; else no "what changed in $1"; fi
}

# ---- the templates ----
for f in $(cd "$conf" && find . -name '*.yml' | sort); do
	is "check $f" "$pig" check -i "$conf/$f"
	lacks "$f: no warning of a name that no module knows" "unknown parameter"
	name=${f#./} name=${name%.yml}
	[ "$name" != demo ] || continue
	version="-v 15"
	grep -q '^# configure:.* version=' "$conf/$f" || version= # one without databases
	# shellcheck disable=SC2086 # two words or none
	is "configure -c $name" "$pig" configure -c "$name" -n -g -i 10.9.8.7 $version -o "$work/x.yml"
	is "what it wrote is sound" "$pig" check -i x.yml
	is "and it is not this machine's" sh -c "! grep -E '^ *[^# ].*10\\.10\\.10\\.10([^0-9]|\$)' x.yml"
	lacks "$name: no default password" "DBUser." x.yml
	lacks "$name: no default key" "S3User." x.yml
	rm -f x.yml*
done

# ---- a template of our own: layout, quotes and comments ----
mkdir -p conf/sub
cat >conf/sub/own.yml <<'EOF'
# 10.1.1.1 in a comment stays
# configure: address=10.1.1.1 version=pg_version,pg@- region=region port=ansible_port proxy=proxy_env small=node_tune:tiny
all:
  children:
    etcd: { hosts: { 10.1.1.1: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }
    pg-a:
      hosts:
        10.1.1.1:   { pg_seq: 1, pg_role: primary }   # the first
        10.1.1.10:  { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-a
        pg_packages: [pg18-main, "pg18-time", pgsql-common]
        pg_users:
          - { name: one, password: 'DBUser.Meta' }
          - { name: two, password: "{{ pg_admin_password }}" }
          - name: three
            password: "DBUser.DBA"
  vars:
    # the first of all
    admin_ip: "10.1.1.1"
    pg_version: 18
    node_etc_hosts: ['10.1.1.1 a.pigsty', "${admin_ip} b.pigsty"]
    pg_admin_password: DBUser.DBA      # changed at both places
    node_tune: oltp
EOF
is "address, version" "$pig" configure -c sub/own -n -i 10.2.2.2 -v 16
tiny=$([ "$(getconf _NPROCESSORS_ONLN)" -ge 4 ] || echo 1)
{
	cat <<'EOF'
< etcd: { hosts: { 10.1.1.1: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }
> etcd: { hosts: { 10.2.2.2: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }
< 10.1.1.1:   { pg_seq: 1, pg_role: primary }   # the first
> 10.2.2.2:   { pg_seq: 1, pg_role: primary }   # the first
< pg_packages: [pg18-main, "pg18-time", pgsql-common]
> pg_packages: [pg16-main, "pg16-time", pgsql-common]
< admin_ip: "10.1.1.1"
< pg_version: 18
< node_etc_hosts: ['10.1.1.1 a.pigsty', "${admin_ip} b.pigsty"]
> admin_ip: "10.2.2.2"
> pg_version: 16
> node_etc_hosts: ['10.2.2.2 a.pigsty', "${admin_ip} b.pigsty"]
EOF
	[ -z "$tiny" ] || printf '< node_tune: oltp\n> node_tune: tiny\n'
} >want
changed pigsty.yml conf/sub/own.yml want
[ "$(stat -c %a pigsty.yml)" = 600 ] && ok || no "its mode"
is "again" "$pig" configure -c sub/own -n -i 10.2.2.2 -v 16
has "nothing differs" "the same"
[ ! -e pigsty.yml.bak ] && ok || no "a copy of what is the same"

is "everything else" env http_proxy=http://p:1 NO_PROXY=localhost "$pig" configure -c sub/own -n -s -r china -p 2222 -x
has "an earlier file is kept" 'kept     the earlier "pigsty.yml" as "pigsty.yml.bak"'
grep -q 10.2.2.2 pigsty.yml.bak && ok || no "as it was"
cat >want <<'EOF'
> region: "china"
> ansible_port: 2222
> proxy_env: {"http_proxy": "http://p:1", "no_proxy": "localhost"}
EOF
[ -z "$tiny" ] || printf '< node_tune: oltp\n> node_tune: tiny\n' >>want
changed pigsty.yml conf/sub/own.yml want
is "a third one" "$pig" configure -c sub/own -n -s
has "another name for its copy" 'as "pigsty.yml.2.bak"'

# ---- secrets ----
is "new secrets" "$pig" configure -c sub/own -n -s -g -o g.yml
has "whose they are is said" "pg_admin_password"
for s in $("$pig" query 'all.vars.* | [?type(@) == `string`]' g.yml | tr -d '[]," ' | grep -E '^[A-Za-z0-9]{24}$'); do
	lacks "what they are is not" "$s"
done
one=$("$pig" query 'all.children."pg-a".vars.pg_users[0].password' g.yml | tr -d '"')
admin=$("$pig" query all.vars.pg_admin_password g.yml | tr -d '"')
echo "$one $admin" | grep -qE '^[A-Za-z][A-Za-z0-9]{23} [A-Za-z][A-Za-z0-9]{23}$' && ok || no "24 letters and digits: $one $admin"
[ "$one" != "$admin" ] && ok || no "two that were different are the same"
[ "$("$pig" query 'all.children."pg-a".vars.pg_users[2].password' g.yml)" = "\"$admin\"" ] && ok || no "two that were the same differ"
grep -qF 'password: "{{ pg_admin_password }}"' g.yml && ok || no "a template is left"
grep -qE "password: '[A-Za-z0-9]{24}' }" g.yml && ok || no "quotes are left"
# what is written nowhere has a default that everyone knows
for p in $("$pig" doc param --json | "$pig" query "[?secret && default && default != '\'\''].name" | tr -d '[]," '); do
	grep -qE "^    $p: \"?[A-Za-z0-9]{24}\"?( |\$)" g.yml && ok || no "$p is as everyone knows it"
done
grep -q 'patroni_password: "' g.yml && ok || no "a default that is written nowhere"
is "it is sound" "$pig" check -i g.yml
if grep -qE ' 0 errors|no faults' out; then ok; else no "a sound inventory"; fi
lacks "nor warned of" "that everyone knows"
is "other secrets each time" sh -c "'$pig' configure -c sub/own -n -s -g -o h.yml && ! grep -qF '$admin' h.yml"

# ---- what is refused ----
refused "no such template" 2 'Did you mean ha/full?' -c ha/ful -n -s
refused "an address of another host" 2 "10.1.1.10 is another host" -c sub/own -n -i 10.1.1.10
refused "no address" 2 '"10.1.1" is no address' -c sub/own -n -i 10.1.1
refused "two wishes" 2 "-s keeps the addresses" -c sub/own -s -i 10.1.1.1
refused "a version that is none" 2 "option -v takes a number" -c sub/own -n -s -v seventeen
refused "a port that is none" 2 "option -p takes a number" -c sub/own -n -s -p 70000
refused "no proxy" 2 "the environment names no proxy" -c sub/own -n -s -x
printf 'all:\n  vars: { a: 1 }\n' >conf/bare.yml
refused "a template that does not say what an option means" 2 "does not say what -v means" -c bare -n -s -v 15
printf '# configure: version=v region=r\nall:\n  vars: { a: 1 }\n' >conf/bare.yml
refused "no place for a line" 2 "has no vars of all, a line each" -c bare -n -s -r china
printf 'all:\n  vars:\n    a: [1\n' >conf/bare.yml
refused "no YAML" 2 "conf/bare.yml:" -c bare -n -s
printf 'all:\n  vars:\n    pg_admin_password: |\n      one\n' >conf/bare.yml
refused "a secret over lines" 2 "conf/bare.yml:3:24" -c bare -n -s -g
cp pigsty.yml before
mkdir full.yml
refused "no place to write" 2 "full.yml" -c sub/own -n -s -o full.yml/x/y.yml
cmp -s pigsty.yml before && ok || no "pigsty.yml was touched"

echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
