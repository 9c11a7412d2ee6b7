#!/bin/bash
# Faults of hosts and of their neighbours, on real nodes: unreachable, changed host key, no sudo, a second run at the same time.
set -u
cd "$(dirname "$0")/../../.." || exit 1
pig=${PIG:-$PWD/build/bin/pig}
name=input$$
dir=$(mktemp -d)
good=0 bad=0
clean() { "$pig" sandbox down --name "$name" >/dev/null 2>&1; rm -rf "$dir"; }
trap clean EXIT
result() { if [ "$1" = 0 ]; then good=$((good + 1)); echo "ok - $2"; else bad=$((bad + 1)); echo "not ok - $2"; sed 's/^/    /' "$dir/out"; fi; }
state=${PIG_SANDBOX_DIR:-/var/lib/pig-sandbox}/$name

# From the controller's namespace, with the sandbox's key and a known_hosts of the test's own
known=$dir/known_hosts
printf 'Host *\n\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile none\n' "$known" >"$dir/ssh_config"
export PIG_SSH_CONFIG=$dir/ssh_config
pig_run() { (cd "$dir" && ip netns exec "$name-ctl" "$pig" "$@" >out 2>&1 </dev/null); }
has() { grep -qF -- "$1" "$dir/out"; }

if ! "$pig" sandbox up --name "$name" --nodes 2 --image bare >"$dir/out" 2>&1; then
	result 1 "two bare nodes"
	echo "$good passed, $bad failed"
	exit 1
fi
cat >"$dir/pigsty.yml" <<EOF
all:
  hosts: { 10.10.10.10: {}, 10.10.10.11: {} }
  vars: { ansible_user: dba, ansible_ssh_private_key_file: $state/id_ed25519, admin_ip: 10.10.10.10, haproxy_enabled: false,
          node_exporter_enabled: false, node_tune: none, node_ntp_enabled: false, node_packages: [], node_default_packages: [],
          node_kernel_modules: [], node_sysctl_params: {}, node_dns_method: none, nodename_exchange: false }
EOF
pig_run exec all -- id -u; s=$?
result $((s != 0)) "a command on two nodes"
pig_run run node.yml -t node_hosts; s=$?
result $((s != 0)) "a task on two nodes"

"$pig" sandbox stop node-1 --name "$name" --kill >/dev/null
pig_run run node.yml -t node_hosts; s=$?
result $((s != 4)) "an unreachable host: exit status 4, not $s"
has "10.10.10.11" && has "unreachable=1"; result $? "the unreachable host is named"
has "10.10.10.10              ok="; result $? "the other host finished"
"$pig" sandbox start node-1 --name "$name" >/dev/null

# another key where one is recorded
ssh-keygen -q -t ed25519 -N '' -f "$dir/other" </dev/null
for h in 10.10.10.10 10.10.10.11; do echo "$h $(cut -d' ' -f1,2 "$dir/other.pub")"; done >"$known"
pig_run run node.yml -t node_hosts -l 10.10.10.11; s=$?
result $((s != 4)) "a changed host key is refused: exit status 4, not $s"
has "known_hosts" && has "key"; result $? "the message names key and file"
pig_run run node.yml -t node_hosts -l 10.10.10.11 --insecure; s=$?
result $((s != 0)) "--insecure relaxes it, and nothing else does"
rm -f "$known"

# plays of a file: their order, values and conditions; nothing to do the second time
shell() { "$pig" sandbox shell "$1" --name "$name" -- "sudo sh -c '$2'"; }
cat >"$dir/site.yml" <<EOF
- hosts: all
  tasks: [node_hosts]
  vars: { node_etc_hosts: ["10.9.9.1 one.example"] }
  serial: 1
- hosts: 10.10.10.11
  tasks: [node_resolv, node_hosts]
  when: inventory_hostname != '10.10.10.10' and os_vendor == 'debian'
  vars: { node_etc_hosts: ["10.9.9.1 one.example", "10.9.9.2 two.example"] }
- hosts: all
  tasks: node_hosts
  when: false
EOF
pig_run run ./site.yml --check; s=$?
[ $s = 0 ] && has "would change"; result $? "plays: --check says what would change"
shell meta 'grep -q one.example /etc/hosts'; s=$?
result $((s == 0)) "plays: --check has changed nothing"
pig_run run ./site.yml; s=$?
result $((s != 0)) "plays: a run"
shell meta 'grep -qx "10.9.9.1 one.example" /etc/hosts && ! grep -q two.example /etc/hosts'; result $? "plays: meta has what the first says"
shell node-1 'grep -qx "10.9.9.2 two.example" /etc/hosts'; result $? "plays: node-1 has what the second says"
pig_run run ./site.yml -l 10.10.10.10; s=$?
[ $s = 0 ] && has "changed=0"; result $? "plays: nothing to do on meta the second time"
printf -- '- hosts: all\n  tasks: [node_hosts]\n' >"$dir/site.yml"
pig_run run ./site.yml; s=$?
[ $s = 0 ] && has "changed=2"; result $? "plays: without the values it is as it was"

# no space in a file's folder: host and path are named, the file is as it was, nothing half written beside it
shell node-1 'mount -t tmpfs -o size=4k none /etc/profile.d && echo before >/etc/profile.d/node.sh'
pig_run run node.yml -t node_profile; s=$?
result $((s != 1)) "no space for a file: exit status 1, not $s"
has "10.10.10.11" && has "/etc/profile.d/node.sh" && has "No space left on device"; result $? "the message names host, file and cause"
has "hint: Make room there"; result $? "and says what to do"
[ "$(shell node-1 'cat /etc/profile.d/node.sh; ls -A /etc/profile.d')" = "before
node.sh" ]; result $? "the file is as it was, and nothing is left beside it"
has "10.10.10.10              ok="; result $? "the other host finished"
shell node-1 'umount /etc/profile.d'
pig_run run node.yml -t node_profile; s=$?
result $((s != 0)) "with space the next run does it"

# no right to become root
"$pig" sandbox shell node-1 --name "$name" -- 'sudo sh -c "mv /etc/sudoers.d /etc/sudoers.away; mkdir /etc/sudoers.d; gpasswd -d dba sudo >/dev/null 2>&1; true"' >/dev/null 2>&1
pig_run run node.yml -t node_hosts -l 10.10.10.11; s=$?
result $((s != 4)) "no sudo: exit status 4, not $s"
has "sudo"; result $? "the message says sudo"

# a second run at the same time: hold the lock that a run of this inventory leaves behind, as another run would
lock=$(find "$dir/.pig" -name '*.lock' | head -1)
exec 9<>"$lock"
flock 9
echo "someone on elsewhere, process 1, since 2020-01-01 00:00:00" >"$lock"
pig_run run node.yml -l 10.10.10.10 -t node_hosts; s=$?
result $((s != 1)) "a second run at the same time: exit status 1, not $s"
has "another run is at work" && has "someone on elsewhere"; result $? "the message says who"
exec 9>&-
pig_run run node.yml -l 10.10.10.10 -t node_hosts; s=$?
result $((s != 0)) "when the other has ended, the run goes on"

echo "$good passed, $bad failed"
[ $bad = 0 ]
