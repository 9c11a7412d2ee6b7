#!/bin/bash
# Module minio: a cluster of one member and one of four, a second run that changes nothing, values by difference, removal beside
# another cluster; and a node of those four that is watched and served no more. The server is an S3 server from npm behind MinIO's
# command line (docs/minio.md), as Debian has no package of one; mcli is not installed, and what is left undone without it is named.
# shellcheck disable=SC2016,SC2317,SC2086,SC2034 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=minio
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
S3=${S3:-$BUILD/s3}
SANDBOX='{"node_dns_method": "none", "node_ntp_enabled": false, "node_kernel_modules": [], "node_sysctl_params": {}, "node_tune": "none"}'

# Two clusters of one member beside each other.
inventory_of_two() {
	cat >"$INV" <<-'END'
		all:
		  children:
		    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }
		    minio: { hosts: { 10.10.10.10: { minio_seq: 1 } }, vars: { minio_cluster: minio } }
		    minio2: { hosts: { 10.10.10.11: { minio_seq: 1 } }, vars: { minio_cluster: minio2, minio_buckets: [ { name: other } ] } }
		  vars: { ansible_user: dba, minio_extra_vars: "S3_KEYS=pgbackrest:S3User.Backup" }
	END
}

# A signed request as any client would make it, by name, with the CA's certificate. Prints the body, then the status.
s3() { # NODE USER:SECRET PATH [curl's words...]
	local address=10.10.10.10 empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 login=$2 path=$3
	[ "$1" = meta ] || address=10.10.10.1${1#node-}
	shift 3
	printf 'user = "%s"\naws-sigv4 = "aws:amz:us-east-1:s3"\n' "$login" | ctl curl -sS -m 5 -K - -w '%{http_code}\n' \
		--cacert "$WORK/inv/files/pki/ca/ca.crt" --resolve "sss.pigsty:${S3_PORT:-9000}:${S3_AT:-$address}" \
		-H "x-amz-content-sha256: ${SHA:-$empty}" "$@" "https://sss.pigsty:${S3_PORT:-9000}$path"
}
ROOT_KEY=minioadmin:S3User.MinIO
status_of() { s3 "$@" -o /dev/null | tail -1; }
buckets() { s3 "$1" "${2:-"$ROOT_KEY"}" / | grep -oE '<Name>[^<]*' | cut -c7- | sort | tr '\n' ' '; }
minio_state() { # NODE: what a second run must leave as it is
	on "$1" 'systemctl show -p InvocationID,ActiveState,MainPID minio; find /home/minio/.minio /data/minio /data[1-4] /etc/default/minio \
		/etc/systemd/system/minio.service /etc/hosts -printf "%p %m %u:%g %s %T@ %C@\n" 2>/dev/null | sort'
}
put_program() { local n; for n in "$@"; do on "$n" 'ln -sf /opt/s3/minio /usr/local/bin/minio'; done; }
no_trace() { # NODE: of the server
	[ -z "$(on "$1" 'ls -d /etc/default/minio /etc/systemd/system/minio.service /home/minio/.minio /data/minio /data[1-4]/.* 2>/dev/null | grep -v "/\.\.*$"
		grep minio /etc/hosts; systemctl is-active minio | grep -x active; ss -Hltn "sport = :9000"')" ]
}

case_faults() {
	check_not "without a package or a program it fails" pig_run minio.yml -l minio
	check "and says so" grep -q 'no package: .*neither silo nor minio' "$LOG"
	check "and what to do" grep -q '^ *hint: .*/usr/local/bin' "$LOG"
	put_program meta node-1
	on meta 'systemd-run -q --unit=squatter node -e "require(\"net\").createServer().listen(9001)"'
	check "someone else has the console's port" until_ok 10 on meta 'ss -Hltn "sport = :9001" | grep -q .'
	check_not "a port that is taken is a failure" pig_run minio.yml -l minio
	check "it says which, and by whom" grep -q 'port 9001 (minio_admin_port) is taken by the program node' "$LOG"
	on meta 'systemctl stop squatter'
}

case_deploy() {
	tree "$WORK/tree-before"
	pig_ok "--check --diff on untouched nodes" minio.yml --check --diff
	check "says what would change" positive "$(recap changed)"
	tree "$WORK/tree-after"
	check "and changes nothing" same_tree "$WORK/tree-before" "$WORK/tree-after"
	pig_ok "minio.yml" minio.yml
	check "says that the server is no package" grep -q 'no package of silo: the program /usr/local/bin/minio' "$LOG"
	check "says what is left undone without mcli" grep -q 'no "mcli" (no package) on 10.10.10.10: policies pgsql, meta, data are not made' "$LOG"
	check "a user who may log in already is none of it" grep -q 'on 10.10.10.10: users s3user_meta, s3user_data are not made' "$LOG"
	check "says that versioning is refused" grep -q 'versioning of bucket meta' "$LOG"
	check_not "no secret is in its output" grep -qE 'S3User\.(MinIO|Backup|Meta|Data)' "$LOG"
	equal "its buckets are there, over TLS by the local CA" "data meta pgsql " "$(buckets meta)"
	equal "the other cluster has its own" "other " "$(buckets node-1)"
	equal "a wrong secret is refused" 403 "$(status_of meta minioadmin:wrong-secret /)"
	equal "nobody at all is refused" 403 "$(ctl curl -s -o /dev/null -w '%{http_code}' --cacert "$WORK/inv/files/pki/ca/ca.crt" https://10.10.10.10:9000/)"
	equal "the backup's user logs in" 200 "$(status_of meta pgbackrest:S3User.Backup /pgsql)"
	equal "an object goes in" 200 "$(SHA=$(printf hello | sha256sum | cut -d' ' -f1) s3 meta "$ROOT_KEY" /pgsql/a/b -X PUT --data-binary hello | tail -1)"
	equal "and comes out" hello200 "$(s3 meta "$ROOT_KEY" /pgsql/a/b)"
	check "the console's port answers" ctl curl -sf --cacert "$WORK/inv/files/pki/ca/ca.crt" https://10.10.10.10:9001/
	check "s3cmd, a client of others, lists the bucket" on meta "cat >/tmp/s3cfg <<-X
		[default]
		access_key = minioadmin
		secret_key = S3User.MinIO
		host_base = sss.pigsty:9000
		host_bucket = sss.pigsty:9000
		ca_certs_file = /home/minio/.minio/certs/CAs/ca.crt
	X
	grep -q sss.pigsty /etc/hosts || echo '10.10.10.10 sss.pigsty' >>/etc/hosts
	s3cmd -c /tmp/s3cfg ls s3://pgsql/a/ | grep -q a/b; s=\$?; rm -f /tmp/s3cfg; exit \$s"
	check "pgBackRest keeps its repository there" on meta "cat >/tmp/repo.conf <<-X
		[global]
		repo1-type=s3
		repo1-s3-endpoint=sss.pigsty
		repo1-storage-port=9000
		repo1-s3-bucket=pgsql
		repo1-s3-region=us-east-1
		repo1-s3-uri-style=path
		repo1-s3-key=pgbackrest
		repo1-s3-key-secret=S3User.Backup
		repo1-storage-ca-file=/home/minio/.minio/certs/CAs/ca.crt
		repo1-path=/pgbackrest
		log-level-file=off
	X
	echo kept | pgbackrest --config=/tmp/repo.conf repo-put some/file && pgbackrest --config=/tmp/repo.conf repo-ls some | grep -qx file &&
		[ \"\$(pgbackrest --config=/tmp/repo.conf repo-get some/file)\" = kept ]; s=\$?; rm -f /tmp/repo.conf; exit \$s"
	equal "the account has no shell" /usr/sbin/nologin "$(on meta 'getent passwd minio | cut -d: -f7')"
	equal "root's key is for root and the server alone" "640 root:minio" "$(on meta 'stat -c "%a %U:%G" /etc/default/minio')"
}

case_again() {
	picture "$WORK/a"
	minio_state meta >"$WORK/state-a"
	pig_ok "second minio.yml" minio.yml
	equal "changed=0" 0 "$(recap changed)" || grep -E 'changed:' "$LOG" | head -8 | sed 's/^/#     /'
	minio_state meta >"$WORK/state-b"
	picture "$WORK/b"
	check "nothing changed on any node" same "$WORK/a" "$WORK/b"
	check "nor of the server: process, certificates, objects" cmp "$WORK/state-a" "$WORK/state-b"
	on meta 'chmod 600 /etc/default/minio'
	pig_ok "after an edit by hand" minio.yml -l minio
	equal "the file's mode is back" 640 "$(on meta 'stat -c %a /etc/default/minio')"
}

# A parameter, a value, and a command that finds it in the living system.
EDITS='minio_buckets [{"name":"pgsql"},{"name":"logs"}] [ "$(status_of meta $ROOT_KEY /logs)" = 200 ]
minio_port 9010 [ "$(S3_PORT=9010 status_of meta $ROOT_KEY /)" = 200 ]
minio_extra_vars "MINIO_BROWSER=off" on meta "tr \\\\0 \\\\n </proc/\$(systemctl show -p MainPID --value minio)/environ | grep -qx MINIO_BROWSER=off"
minio_secret_key "another-secret" [ "$(status_of meta minioadmin:another-secret /)$(status_of meta $ROOT_KEY /)" = 200403 ]
minio_domain "s3.example" on meta "openssl x509 -in /home/minio/.minio/certs/public.crt -noout -ext subjectAltName | grep -q s3.example"'
case_edits() {
	local name value probe
	while read -r name value probe; do
		printf '{"%s": %s}' "$name" "$value" >"$WORK/inv/extra.json"
		pig_ok "$name: --check --diff" minio.yml -l minio --check --diff -e "@$WORK/inv/extra.json"
		check "$name: would change" positive "$(recap changed)"
		pig_ok "$name: applied" minio.yml -l minio -e "@$WORK/inv/extra.json"
		check "$name: shows" until_ok 10 eval "$probe"
	done <<<"$EDITS"
	pig_ok "as it was" minio.yml -l minio
	pig_ok "again" minio.yml -l minio
	equal "changed=0" 0 "$(recap changed)"
	equal "its objects are still there" hello200 "$(s3 meta "$ROOT_KEY" /pgsql/a/b)"
}

refused() { # NAME WORDS pig run's words...
	local name=$1 words=$2
	shift 2
	check_not "$name: refused" pig_run "$@"
	check "$name: says why" grep -qE "$words" "$LOG"
	check "$name: says what to do" grep -q 'hint:' "$LOG"
}
case_remove() {
	refused "without the cluster's name" '"minio" would be destroyed and was not named' minio-rm.yml -l minio
	check "it says what would be lost" grep -q 'member minio-1 of minio cluster minio, with all objects in /data/minio' "$LOG"
	refused "with the safeguard on" 'minio_safeguard is on' minio-rm.yml -l minio -e confirm=minio -e minio_safeguard=true
	equal "nothing was touched" hello200 "$(s3 meta "$ROOT_KEY" /pgsql/a/b)"
	minio_state node-1 >"$WORK/other-a"
	pig_ok "minio-rm.yml -l minio" minio-rm.yml -l minio -e confirm=minio
	check "no trace is left" no_trace meta
	check "the node is as before otherwise" on meta '[ -d /data ] && getent passwd minio && ! systemctl is-enabled minio'
	minio_state node-1 >"$WORK/other-b"
	check "the other cluster is untouched" cmp "$WORK/other-a" "$WORK/other-b"
	equal "and answers" "other " "$(buckets node-1)"
	pig_ok "once more" minio-rm.yml -l minio -e confirm=minio
	equal "changed=0" 0 "$(recap changed)"
	pig_ok "its data is kept when that is asked for" minio-rm.yml -l minio2 -e confirm=minio2 -e minio_rm_data=false
	check "it is" on node-1 '[ -d /data/minio/other ] && [ -f /etc/default/minio ] && ! systemctl is-active minio'
	pig_ok "and taken up again" minio.yml -l minio2
	equal "with its bucket" "other " "$(buckets node-1)"
	pig_ok "the rest" minio-rm.yml -e confirm=minio,minio2
	check "no trace is left of it" no_trace node-1
}

# conf/demo/minio.yml as it is: four members of four drives, a shared address, haproxy before them.
four() { pig_run "$@" -e "$SANDBOX"; }
case_four() {
	local n
	cp "$ROOT/conf/demo/minio.yml" "$INV"
	sed -i 's/^  vars:$/  vars:\n    ansible_user: dba/' "$INV"
	put_program $NODES
	check "node.yml" four node.yml || tail -20 "$LOG"
	check "minio.yml" four minio.yml || tail -20 "$LOG"
	for n in $NODES; do
		equal "$n serves the drives of all as one range" 'MINIO_VOLUMES="https://minio-{1...4}.pigsty:9000/data{1...4}"' \
			"$(on "$n" 'grep ^MINIO_VOLUMES /etc/default/minio')"
		equal "$n has its drives" "/data1 /data2 /data3 /data4 750 minio" \
			"$(on "$n" 'echo /data[1-4] $(stat -c "%a %U" /data4)')"
		equal "$n knows all members by name" 4 "$(on "$n" 'getent hosts minio-1.pigsty minio-2.pigsty minio-3.pigsty minio-4.pigsty | wc -l')"
		check "$n answers by its own name, with TLS" on "$n" 'curl -sf --cacert /etc/pki/ca.crt https://$(hostname -I | grep -o "10\.10\.10\.1[0-3]"):9000/minio/health/live'
	done
	check "the service answers behind the shared address" until_ok 20 four_answers
	minio_state node-2 >"$WORK/four-a"
	check "again" four minio.yml
	equal "changed=0" 0 "$(recap changed)"
	minio_state node-2 >"$WORK/four-b"
	check "a member's process and files are the same" cmp "$WORK/four-a" "$WORK/four-b"
	check "one member is removed" four minio-rm.yml -l 10.10.10.13 -e confirm=minio
	check "that the cluster loses a member is said" grep -q 'loses member minio-4 of 4' "$LOG"
	check "no trace is left of it" no_trace node-3
	minio_state node-2 >"$WORK/four-b"
	check "the others are untouched" cmp "$WORK/four-a" "$WORK/four-b"
	check "and it is taken in again" four minio.yml
	equal "no other changes" 0 "$(recap changed 10.10.10.12)"
	check "all are removed" four minio-rm.yml -e confirm=minio
	for n in $NODES; do check "$n: no trace is left" no_trace "$n"; done
}
# What node.yml made a node serve and publish is taken back; logging in, names, trust and the other nodes stay as they are.
serving() { # NODE: units that run, files that are there
	on "$1" 'systemctl is-active haproxy keepalived node_exporter; ls -d /etc/haproxy /etc/keepalived/keepalived.conf /etc/profile.d/node.sh \
		/etc/systemd/system/haproxy.service /etc/systemd/system/node_exporter.service 2>/dev/null' | grep -vxE 'inactive|unknown|failed'
}
case_node_rm() {
	local node
	node=$(for n in $NODES; do on "$n" "ip -o addr show to 10.10.10.9" | grep -q . && echo "$n"; done)
	equal "one node holds the shared address" 1 "$(wc -w <<<"$node")"
	[ -n "$node" ] || return
	for n in $NODES; do [ "$n" = "$node" ] || serving "$n"; done >"$WORK/serving-a"
	refused "without a name" 'would be destroyed and was not named' node-rm.yml -l "$(addr_of "$node")"
	check "node-rm.yml -l the one that holds the address" four node-rm.yml -l "$(addr_of "$node")" -e confirm=nodes
	equal "it serves nothing any more" "" "$(serving "$node")"
	check "another holds the shared address" until_ok 20 address_moved "$node"
	check "it is logged in to as before, and knows the others" on "$node" 'getent hosts minio-1 || getent hosts sss.pigsty; [ -f /etc/pki/ca.crt ]'
	for n in $NODES; do [ "$n" = "$node" ] || serving "$n"; done >"$WORK/serving-b"
	check "the other nodes serve as before" cmp "$WORK/serving-a" "$WORK/serving-b"
	check "once more" four node-rm.yml -l "$(addr_of "$node")" -e confirm=nodes
	equal "changed=0" 0 "$(recap changed)"
	check "node.yml takes it in again" four node.yml -l "$(addr_of "$node")"
	equal "it serves all again" 8 "$(serving "$node" | wc -l)"
}
address_moved() { # NODE: that held it
	for n in $NODES; do [ "$n" = "$1" ] || ! on "$n" "ip -o addr show to 10.10.10.9" | grep -q . || return 0; done
	return 1
}
four_answers() { [ "$(S3_PORT=9002 S3_AT=10.10.10.9 s3 meta "$ROOT_KEY" /minio/health/live)" = 200 ]; }

dump() {
	local n
	for n in $NODES; do on "$n" 'journalctl -q --no-pager -u minio -n 15' 2>&1 | sed "s/^/#     $n: /"; done
}

main() {
	if ! "$ROOT/scripts/s3/install.sh" "$S3"; then
		skip "no S3 server: npm is not there, or cannot reach its registry"
		echo "0 passed, 0 failed, 1 skipped"
		exit
	fi
	inventory_of_two
	box_up --bind "$(cd "$S3" && pwd):/opt/s3"
	cases faults deploy again edits remove four node_rm
	finish
}
main
