#!/bin/bash
# Bad input, before any host is touched: message, place, hint and exit status of the program itself. PIG names the binary.
set -u
cd "$(dirname "$0")/../.." || exit 1
pig=${PIG:-$PWD/build/bin/pig}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
good=0 bad=0

# expect NAME STATUS TEXT... -- COMMAND...: the command ends with STATUS and its output holds each TEXT
expect() {
	local name=$1 status=$2 got out text fine=1
	shift 2
	local texts=()
	while [ "$1" != -- ]; do texts+=("$1"); shift; done
	shift
	out=$(cd "$dir" && "$@" 2>&1 </dev/null)
	got=$?
	[ $got = "$status" ] || fine=
	for text in "${texts[@]}"; do [[ $out == *"$text"* ]] || fine=; done
	if [ $fine ]; then
		good=$((good + 1)); echo "ok - $name"
	else
		bad=$((bad + 1)); echo "not ok - $name: status $got, wanted $status; output:"; sed 's/^/    /' <<<"$out"
	fi
}

# inventory FILE: the demo's shape with one host's line and a vars line to change
inventory() { # HOST11 VARS
	cat >"$dir/pigsty.yml" <<EOF
all:
  children:
    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }
    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }
    pg-test:
      hosts:
        10.10.10.11: $1
        10.10.10.12: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
  vars:
    admin_ip: 10.10.10.10
    pg_version: 15
    $2
EOF
}

ok='{ pg_seq: 1, pg_role: primary }' none='node_tune: tiny'
inventory "$ok" "$none"
expect "a sound inventory is called sound" 0 -- "$pig" check
expect "list of hosts" 0 10.10.10.11 10.10.10.12 -- "$pig" run pgsql.yml --list-hosts
expect "list of tasks" 0 pg_hba -- "$pig" run pgsql.yml --list-tasks
expect "no verb" 2 "usage" -- "$pig"
expect "unknown verb" 2 'unknown verb "rnu"' "run" -- "$pig" rnu
expect "unknown option" 2 "--chekc" "--check" -- "$pig" run node.yml --chekc
expect "unknown playbook" 2 'there is no playbook "pgsq.yml"' pgsql -- "$pig" run pgsq.yml
expect "limit that matches nothing" 2 "pg-tset" "pg-test" -- "$pig" run pgsql.yml -l pg-tset
expect "excluded group that is not there" 2 "pg-tset" -- "$pig" run pgsql.yml -l 'all:!pg-tset'
expect "tag that matches nothing" 2 "pg_hab" "pg_hba" -- "$pig" run pgsql.yml -t pg_hab
expect "inventory that is not there" 2 "nowhere.yml" -- "$pig" check -i nowhere.yml


# site TEXT: a file of plays beside the inventory
site() { printf '%s\n' "$@" >"$dir/site.yml"; }
site '- playbook: etcd' '- hosts: pg-test' '  tasks: [pg_hba, pg_user]' '  serial: 1' '  vars: { pg_rto: fast }' '  when: pg_role == "replica"'
expect "plays: list of hosts" 0 "./site.yml: 3 hosts" 10.10.10.10 10.10.10.12 -- "$pig" run ./site.yml --list-hosts
expect "plays: list of tasks" 0 "./site.yml: 2 plays" "play 1 (playbook etcd)" "play 2 (tasks pg_hba pg_user, hosts pg-test), waits for all" "1 at once" \
	-- "$pig" run ./site.yml --list-tasks
expect "plays: list of tags" 0 "pg_hba" "etcd_launch" -- "$pig" run "$dir/site.yml" --list-tags
expect "plays: a limit" 0 "./site.yml: 1 host"$'\n'"  10.10.10.12" -- "$pig" run ./site.yml --list-hosts -l 10.10.10.12
expect "plays: a tag" 0 "tasks pg_hba pg_user" -- "$pig" run ./site.yml --list-tasks -t pg_hba
expect "plays: a tag that matches nothing" 2 '-t: playbook "./site.yml" has no tag, task or step "pg_hab"' pg_hba -- "$pig" run ./site.yml -t pg_hab
expect "plays: a bare name is a registered playbook's" 2 'no playbook "site.yml"' "pig run ./site.yml" -- "$pig" run site.yml
expect "plays: no such file" 2 "nowhere.yml" -- "$pig" run ./nowhere.yml
site '- hosts: all' '  tasks: [node_hosts]'
expect "plays: a task of several playbooks is taken as its module's own has it" 0 "./site.yml: 3 hosts" -- "$pig" run ./site.yml --list-hosts
site '- playbook: pgsq'
expect "plays: unknown playbook, with its place" 2 "./site.yml:1:13: " 'no playbook "pgsq"' "Did you mean pgsql?" -- "$pig" run ./site.yml
site '- hosts: all' '  tasks:' '  - pg_hbaa'
expect "plays: unknown task, with its place" 2 "./site.yml:3:5: " 'no task "pg_hbaa"' 'Did you mean "pg_hba"?' -- "$pig" run ./site.yml
site '- host: all' '  playbook: pgsql'
expect "plays: unknown key, with its place" 2 "./site.yml:1:3: " 'unknown key "host"' 'Did you mean "hosts"?' -- "$pig" run ./site.yml
site '- hosts: pg-tset' '  playbook: pgsql'
expect "plays: hosts that match nothing" 2 "./site.yml:1:10: " "pg-tset" "pg-test" -- "$pig" run ./site.yml
site '- hosts: etcd' '  playbook: pgsql'
expect "plays: hosts that the playbook is not for" 2 "./site.yml:1:10: " 'none of the hosts of "etcd"' -- "$pig" run ./site.yml
site '- playbook: pgsql' '  when: pg_seq =='
expect "plays: a condition that is none" 2 "./site.yml:2:" -- "$pig" run ./site.yml
site '- playbook: pgsql' '  vars:' '    pg_rto: never' '    pg_prot: 5'
expect "plays: a wrong value and an unknown name, with their places" 2 "./site.yml:3:13: " "pg_rto" "no host was touched" -- "$pig" run ./site.yml
expect "plays: an unknown name, with its place" 2 "./site.yml:4:5: " "pg_port" -- "$pig" run ./site.yml -v
site '- playbook: pgsql' '  vars: { pg_cluster: x }'
expect "plays: a value that makes clusters" 2 "./site.yml:2:11: " "pg_cluster" "inventory" -- "$pig" run ./site.yml
site '- hosts: pg-test' '  tasks: [rm_files]'
expect "plays: what destroys asks for the name, named as a task too" 2 '"pg-test" would be destroyed and was not named' "confirm=pg-test" \
	-- "$pig" run ./site.yml
site '- playbook: [a'
expect "plays: a YAML error, with its place" 2 "./site.yml:" -- "$pig" run ./site.yml

inventory '{ pg_role: primary }' "$none"
expect "missing pg_seq" 2 "pg_seq" "pigsty.yml:" -- "$pig" check
expect "missing pg_seq stops a run" 2 "no host was touched" -- "$pig" run pgsql.yml
inventory '{ pg_seq: 1, pg_role: replica }' "$none"
expect "no primary" 2 "primary" "pg-test" -- "$pig" check
inventory '{ pg_seq: 2, pg_role: primary }' "$none"
expect "the same pg_seq twice" 2 "pg_seq" "10.10.10.12" -- "$pig" check
sed -i 's/pg_role: replica/pg_role: primary/' "$dir/pigsty.yml"
expect "two primaries" 2 "two primaries" "10.10.10.11" "10.10.10.12" -- "$pig" check
inventory '{ pg_seq: one, pg_role: primary }' "$none"
expect "wrong type, with its place" 2 "pigsty.yml:7:32" "pg_seq" -- "$pig" check
inventory '{ pg_seq: 1, pg_rolle: primary }' "$none"
expect "misspelled parameter, with its place" 2 "pigsty.yml:7:35" "pg_rolle" "pg_role" -- "$pig" check
inventory "$ok" 'pg_port: 70000'
expect "a port that is none" 2 "pg_port" "pigsty.yml:" -- "$pig" check
inventory "$ok" 'node_tune: tinny'
expect "a choice that is none" 2 "node_tune" "tiny" -- "$pig" check
inventory "$ok" 'a: [1, 2'
expect "YAML error, with its place" 2 "pigsty.yml:" -- "$pig" check
inventory "$ok" 'admin_ip: 10.10.10.99'
expect "the same key twice names both places" 2 "admin_ip" "pigsty.yml:" -- "$pig" check
inventory "$ok" 'node_timezone: "{{ node_timezon }}"'
expect "an undefined name in a template" 2 "node_timezon" "pigsty.yml:" -- "$pig" check

inventory "$ok" "$none"
expect "JMESPath that is wrong" 2 "a[" -- "$pig" query 'a[' pigsty.yml
expect "JMESPath over YAML" 0 '"pg-test"' -- "$pig" query 'all.children."pg-test".vars.pg_cluster' pigsty.yml
mkdir -p "$dir/m" && cp "$(dirname "$pig")/../plugins/etcd.so" "$dir/m/own.so" && chmod 666 "$dir/m/own.so"
expect "a world-writable module is named and left out" 0 "own.so" "writable" -- "$pig" module list --plugin-dir m
expect "help of a verb" 0 "--tags" -- "$pig" run --help
expect "version" 0 "pig " -- "$pig" --version
echo "$good passed, $bad failed"
[ $bad = 0 ]
