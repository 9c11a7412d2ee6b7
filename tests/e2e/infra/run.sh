#!/bin/bash
# Two infra nodes and what they watch: portal, names, targets, an alert told once, a second run that changes nothing, removal.
# shellcheck disable=SC2016,SC2317 # the nodes' shells expand what stands in single quotes here; cases are called by name
export SUITE=infra
here=$(cd "$(dirname "$0")" && pwd)
export INVENTORY=$here/pigsty.yml
# shellcheck source=tests/e2e/lib/lib.sh
. "$here/../lib/lib.sh"
# shellcheck source=tests/e2e/lib/watch.sh
. "$here/../lib/watch.sh"
INFRA="10.10.10.10 10.10.10.11"
SITES="i.pigsty files.pigsty api.pigsty secret.pigsty"

# A request in the controller's network, names as the portal's.
get() { # [options of curl] URL
	local s opts=()
	for s in $SITES; do opts+=(--resolve "$s:80:10.10.10.10" --resolve "$s:443:10.10.10.10"); done
	ctl curl -s -m 5 --cacert "$WORK/inv/files/pki/ca/ca.crt" "${opts[@]}" "$@"
}
code() { get -o /dev/null -w '%{http_code}' "$@"; }

# ---- nothing there yet ----
case_check_mode() {
	local n
	pig_ok "infra.yml --check --diff on untouched nodes" infra.yml --check --diff
	check "says what would change" positive "$(recap changed)"
	for n in meta node-1; do
		check "$n is untouched" on "$n" '[ ! -e /infra ] && [ ! -e /www ] && ! getent group infra && ! systemctl -q is-active nginx'
	done
}

case_deploy() {
	pig_ok "infra.yml" infra.yml
	check "what has no package is named" grep -q 'no package for nginx_exporter, vlogs, vtraces, grafana-server' "$LOG"
	pig_ok "node.yml" node.yml
	check "an infra node is told of all nodes in one batch" one_batch
}
# Lines of what was done on meta for others stand together.
one_batch() {
	[ "$(grep -E -- '-> 10.10.10.10: node_register' "$LOG" | grep -c .)" -ge 8 ] &&
		[ "$(grep -E 'node_register: ' "$LOG" | grep -c 'unit nginx')" = 2 ]
}

# ---- as before ----
STATE='
find /etc /infra/ /www/ /usr/local -xdev \( -path /infra/metrics -o -path /infra/alertmgr -o -path /etc/mtab -o -path /etc/.pwd.lock -o -path /etc/ld.so.cache \) -prune -o \
	-printf "%p %y %m %u:%g %s %T@ %C@ %l\n" | sort
for u in nginx dnsmasq vmetrics vmalert alertmanager blackbox_exporter node_exporter haproxy keepalived; do
	systemctl show -p Id,InvocationID,ActiveState,MainPID,StateChangeTimestamp "$u" | sort | tr "\n" " "; echo
done
pgrep -x nginx'
state() { local n; for n in $NODES; do on "$n" "$STATE" | sed "s/^/$n: /"; done >"$1" 2>&1; }
case_second_run() {
	local pb
	state "$WORK/before"
	for pb in infra.yml node.yml; do
		pig_ok "second $pb" "$pb"
		equal "second $pb: changed=0" 0 "$(recap changed)" || grep -E 'changed:' "$LOG" | head -8 | sed 's/^/#     /'
	done
	state "$WORK/after"
	check "files, units and processes of all nodes are as before" diff "$WORK/before" "$WORK/after"
	on meta 'echo "# edited" >>/infra/prometheus.yml'
	state "$WORK/after"
	check_not "an edit is seen by that check" diff "$WORK/before" "$WORK/after"
	pig_ok "infra.yml after an edit" infra.yml -l 10.10.10.10
	equal "it is undone; its reader has not seen it, and is left alone" 1 "$(recap changed)"
}

# ---- targets ----
all_up() { [ "$(query "$1" 'up' '.value[1]' | sort | uniq -c | awk '{ print $1, $2 }')" = "26 1" ] && [ -z "$(query "$1" 'probe_success == 0' .metric.instance)" ]; }
case_targets() {
	local a
	for a in $INFRA; do
		check "$a: all 26 targets are up, and all that is probed answers" until_ok 40 all_up "$a" || query "$a" 'up == 0 or probe_success == 0' '.metric | tostring'
	done
	equal "labels of a node" '{"__name__":"up","cls":"work","ins":"node-2","instance":"10.10.10.12:9100","ip":"10.10.10.12","job":"node"}' \
		"$(query 10.10.10.11 'up{instance="10.10.10.12:9100"}' '.metric | tojson')"
	equal "labels of a part of infra" "alertmanager alertmanager-2 10.10.10.11" \
		"$(query 10.10.10.10 'up{instance="10.10.10.11:9059"}' '"\(.metric.cls) \(.metric.ins) \(.metric.ip)"')"
	equal "each rule file is in force" "agent etcd-alert infra-alert minio-alert node-alert pgsql-alert redis-alert" \
		"$(ctl curl -s http://10.10.10.10:8880/api/v1/rules | jq -r '.data.groups[].name' | sort | tr '\n' ' ' | sed 's/ $//')"
	equal "no rule fails" "" "$(ctl curl -s http://10.10.10.10:8880/api/v1/rules | jq -r '.data.groups[] | .. | .lastError? // empty' | sort -u)"
	equal "the two Alertmanagers know each other" 2 "$(ctl curl -s http://10.10.10.11:9059/api/v2/status | jq '.cluster.peers | length')"
}

# ---- dashboards: there is no Grafana here to show them; what they ask is asked of VictoriaMetrics and of the exporters ----
asked() { ctl curl -s -m 5 -G http://10.10.10.10:8428/api/v1/query --data-urlencode "query=$1" | jq -r .status; }
case_boards() {
	local f q n=0 files=()
	mkdir -p "$WORK/boards"
	for f in node/node pgsql/pgsql-cluster pgsql/pgsql-instance etcd/etcd redis/redis; do
		on meta "cat /etc/dashboards/$f.json" >"$WORK/boards/${f#*/}.json"
		files+=("$WORK/boards/${f#*/}.json")
		check "both infra nodes have dashboard $f, which Grafana may read" cmp "$WORK/boards/${f#*/}.json" \
			<(on node-1 "runuser -u grafana -- cat /etc/dashboards/$f.json")
	done
	while read -r q; do
		n=$((n + 1))
		[ "$(asked "$q")" = success ] || not_ok "VictoriaMetrics does not understand: $q"
	done < <(python3 "$ROOT/tests/check/boards.py" queries "${files[@]}")
	check "VictoriaMetrics understands all $n queries" [ "$n" -ge 80 ]
	equal "and refuses what is none" error "$(asked 'rate(node_load1')"
	ctl curl -s http://10.10.10.12:9100/metrics >"$WORK/boards/node.txt"
	ctl curl -s http://10.10.10.12:9101/metrics >"$WORK/boards/haproxy.txt"
	check "the exporters have what the nodes' dashboard asks for" python3 "$ROOT/tests/check/boards.py" metrics node \
		"$WORK/boards/node.json" -- "$WORK/boards/node.txt" "$WORK/boards/haproxy.txt"
	equal "CPUs of node-2 show" true "$(query 10.10.10.10 '1 - avg by (ins) (rate(node_cpu_seconds_total{mode="idle",ins=~".*"}[1m]))' \
		'select(.metric.ins == "node-2") | (.value[1] | tonumber) >= 0')"
	equal "a name for each node to choose from" "meta node-1 node-2 node-3 " "$(ctl curl -s http://10.10.10.10:8428/api/v1/label/ins/values \
		--data-urlencode 'match[]=node_boot_time_seconds' -G | jq -r '.data[]' | sort | tr '\n' ' ')"
}

# ---- portal ----
links() { grep -oE 'href="[^"]+"' "$1" | cut -d'"' -f2 | sed 's/&amp;/\&/g' | sort -u; }
whole_url() { case $1 in http*) echo "$1" ;; *) echo "http://i.pigsty$1" ;; esac; }
case_portal() {
	local url n=0
	get http://i.pigsty/ >"$WORK/home.html"
	for url in $(links "$WORK/home.html"); do
		n=$((n + 1))
		equal "link $url answers" 200 "$(get --location-trusted -u ann:Ann.Password -o /dev/null -w '%{http_code}' "$(whole_url "$url")")"
	done
	check "there were links of services, sites and nodes ($n)" [ "$n" -ge 14 ]
	check_not "what does not run is not linked" grep -qE 'href="/(vlogs|vtraces|ui|pev)' "$WORK/home.html"
	equal "the other infra node has a portal of its own" 200 "$(ctl curl -s -o /dev/null -w '%{http_code}' http://10.10.10.11/)"
	equal "by TLS, with a certificate of the local CA" 200 "$(code https://i.pigsty/)"
	equal "a page that is not there" 404 "$(code http://i.pigsty/nothing)"
	equal "a site may be by TLS alone" 301 "$(code http://secret.pigsty/)"
	equal "a site with a login refuses nobody" 401 "$(code https://secret.pigsty/)"
	equal "refuses a wrong password" 401 "$(code -u ann:wrong https://secret.pigsty/)"
	equal "and takes the right one" 200 "$(code -u ann:Ann.Password https://secret.pigsty/)"
	check_not "no password stands on the node" on meta 'grep -rq Ann.Password /etc/nginx'
	check "an endpoint is passed on to" grep -q node_load1 <(get http://api.pigsty/metrics)
	equal "the CA's certificate is there for all" "$(cat "$WORK/inv/files/pki/ca/ca.crt")" "$(get http://i.pigsty/ca.crt)"
	check "the page of node-3's haproxy" grep -q 'Statistics Report' <(get http://i.pigsty/haproxy/node-3/)
}

# ---- names ----
resolves() { [ "$(on "$1" "getent ahostsv4 $2 | awk 'NR == 1 { print \$1 }'")" = "$3" ]; }
case_names() {
	check "a node asks the infra nodes" resolves node-2 files.pigsty 10.10.10.10
	check "a shared address has a name" resolves node-3 work.pigsty 10.10.10.99
	on meta 'systemctl stop dnsmasq'
	check "one of them is enough" resolves node-2 work.pigsty 10.10.10.99
	pig_ok "infra.yml starts what is stopped" infra.yml -l 10.10.10.10 -t dns
	sed 's/api.pigsty secret.pigsty/api.pigsty new.pigsty/' "$INVENTORY" >"$INV"
	pig_ok "infra.yml with another name" infra.yml -t dns
	equal "one file changes on each node" 2 "$(recap changed)"
	check "the new name is known at once" until_ok 5 resolves node-3 new.pigsty 10.10.10.10
	check "the old one is not any more" until_ok 5 resolves node-3 secret.pigsty ""
	cp "$INVENTORY" "$INV"
	pig_ok "as it was" infra.yml -t dns
}

# ---- an alert ----
inhibited() { am_alerts "$1" "" | grep -q '^HaproxyDown node-3 suppressed'; }
# NodeDown: four intervals of 2 s, 10 s of grouping, 5 s for the second Alertmanager; and a busy machine
TOLD=60
case_alert() {
	hook_start
	sandbox stop node-3 --kill >/dev/null
	check "the webhook is told that node-3 is down" until_ok $TOLD hook_has '/node firing NodeDown node-3'
	check "what ran on it is known to be down, and silent" until_ok 20 inhibited 10.10.10.10
	check "at the other Alertmanager too" until_ok 20 inhibited 10.10.10.11
	sandbox start node-3 >/dev/null
	check "it is told that node-3 is back" until_ok $TOLD hook_has '/node resolved NodeDown node-3'
	sleep 16 # an interval of what is told anew, and the second Alertmanager's turn: whatever was to come twice has come
	equal "each was told exactly once" "/node firing NodeDown node-3|/node resolved NodeDown node-3" \
		"$(hook_lines | grep -E ' node-3$' | tr '\n' '|' | sed 's/|$//')"
	check "the target is up again" until_ok 30 all_up 10.10.10.10
}

# ---- an infra node away ----
case_infra_away() {
	sandbox stop node-1 --kill >/dev/null
	on meta 'rm -f /infra/targets/node/10.10.10.12.yml'
	pig_ok "node.yml goes on without an infra node" node.yml -l 10.10.10.12
	check "says which, and that it heals" grep -qE 'warning: on 10.10.10.11, for 1 host: .*the next run makes up for it' "$LOG"
	check "the other infra node is told" on meta 'grep -q node-2 /infra/targets/node/10.10.10.12.yml'
	sandbox start node-1 >/dev/null
	on node-1 'rm -f /infra/targets/node/10.10.10.12.yml'
	pig_ok "the next run" node.yml -l 10.10.10.12
	check "makes up for it" on node-1 'grep -q node-2 /infra/targets/node/10.10.10.12.yml'
}

# ---- any infra node may be the admin node ----
case_admin() {
	local sums='sha256sum /usr/local/bin/pig /usr/local/lib/pig/plugins/*.so; cd /home/dba/pigsty && find . -type f ! -path "./.pig*" -exec sha256sum {} + | sort -k2'
	equal "both infra nodes have the same pig, modules and inventory" "$(on meta "$sums")" "$(on node-1 "$sums")"
	equal "which are these" "$(sha256sum <"$PIG")" "$(on node-1 'sha256sum </usr/local/bin/pig')"
	check "pig runs there" on node-1 'cd /home/dba/pigsty && sudo -u dba pig check'
	equal "of the CA the certificate alone" ./files/pki/ca/ca.crt "$(on node-1 'cd /home/dba/pigsty && find . -path "./files/*" -type f')"
	equal "only its owner reads the inventory" "600 dba" "$(on node-1 'stat -c "%a %U" /home/dba/pigsty/pigsty.yml')"
}

# ---- one value of each kind edited: what changes, and where it shows ----
case_values() {
	local before
	before=$(on meta 'systemctl show -p InvocationID vmetrics nginx dnsmasq')
	pig_ok "another interval" infra.yml -l 10.10.10.10 -e vmetrics_scrape_interval=3s -t vmetrics
	equal "is read without a restart" "$before" "$(on meta 'systemctl show -p InvocationID vmetrics nginx dnsmasq')"
	equal "and in force" 3s "$(ctl curl -s http://10.10.10.10:8428/api/v1/targets | jq -r '.data.activeTargets[0].discoveredLabels.__scrape_interval__')"
	pig_ok "no blackbox exporter" infra.yml -l 10.10.10.10 -e blackbox_enabled=false -t blackbox
	check_not "it does not run" on meta 'systemctl -q is-active blackbox_exporter'
	pig_ok "as it was" infra.yml -l 10.10.10.10
	pig_ok "and again" infra.yml -l 10.10.10.10
	equal "nothing to change" 0 "$(recap changed)"
	on meta 'systemctl stop blackbox_exporter; systemd-run -q --unit=thief python3 -m http.server 9115'
	check "another program has the port" until_ok 10 ctl curl -s -o /dev/null http://10.10.10.10:9115/
	if PIG_LIMIT=90 pig_run infra.yml -l 10.10.10.10 -t blackbox; then not_ok "a port that is taken is an error"; else ok "a port that is taken is an error"; fi
	check "the message names unit and port" grep -q 'blackbox_exporter to listen on port 9115' "$LOG"
	on meta 'systemctl stop thief'
	pig_ok "the next run" infra.yml -l 10.10.10.10 -t blackbox
}

# ---- removal ----
case_remove() {
	pig_ok "node-rm.yml" node-rm.yml -l 10.10.10.13 -e confirm=work
	equal "node-3 is registered nowhere, the others are" "10.10.10.10.yml 10.10.10.11.yml 10.10.10.12.yml" "$(on node-1 'ls /infra/targets/node' | tr '\n' ' ' | sed 's/ $//')"
	equal "nor has it a page" 404 "$(code http://i.pigsty/haproxy/node-3/)"
	equal "node-2 has" 200 "$(code http://i.pigsty/haproxy/node-2/)"
	check_not "haproxy is gone" on node-3 'systemctl -q is-active haproxy || [ -e /etc/haproxy ]'
	check "the shared address' name stays: node-2 has it" resolves node-2 work.pigsty 10.10.10.99
	pig_ok "infra-rm.yml of one of two" infra-rm.yml -l 10.10.10.11 -e confirm=10.10.10.11
	check "its targets are gone at the other" on meta '! ls /infra/targets/*/infra-2.yml'
	equal "the other portal answers" 200 "$(code http://i.pigsty/)"
	check "nothing of it is left" left_nothing node-1
	pig_ok "infra-rm.yml of the last" infra-rm.yml -l 10.10.10.10 -e confirm=10.10.10.10
	check "nothing of it is left" left_nothing meta
}
left_nothing() {
	on "$1" 'ls -d /infra /data/infra /www /data/nginx /etc/alertmanager.yml /etc/blackbox.yml /etc/nginx/conf.d /etc/dnsmasq.d/pigsty /etc/pki/infra.* \
		/etc/systemd/system/*vm* /etc/systemd/system/*alertmanager* /etc/systemd/system/*blackbox* /etc/default/vm* /etc/default/alertmanager /home/dba/.pigsty 2>/dev/null
		for u in nginx dnsmasq vmetrics vmalert alertmanager blackbox_exporter; do systemctl is-active $u | grep -x active; done
		dpkg-query -W -f "\${Package} \${db:Status-Status}\n" nginx dnsmasq victoria-metrics prometheus-alertmanager prometheus-blackbox-exporter 2>/dev/null | grep " installed"
		ss -Hltn | grep -E ":(80|443|53|8428|8880|9059|9115) "; :' >"$WORK/left"
	cat "$WORK/left"
	[ ! -s "$WORK/left" ]
}

dump() {
	local n
	for n in $NODES; do on "$n" 'systemctl --failed --no-legend; journalctl -q --no-pager -p warning -n 10' 2>&1 | cut -c1-200 | sed "s/^/#     $n: /"; done
}

main() {
	box_up --memory 1G
	cp "$INVENTORY" "$INV"
	[ -n "${REUSE:-}" ] || { case_check_mode; case_deploy || finish; }
	cases targets second_run boards portal names alert infra_away admin values remove
	finish
}
main
