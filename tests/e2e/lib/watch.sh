# shellcheck shell=bash disable=SC2016
# What suites with an infra node share, beside lib.sh: metrics, alerts and the webhook that hears of them, a browser.

# ---- metrics ----
query() { # ADDRESS QUERY JQ: of each sample
	ctl curl -s -m 5 -G "http://$1:8428/api/v1/query" --data-urlencode "query=$2" | jq -r ".data.result[] | $3"
}

# ---- alerts ----
am_alerts() { # ADDRESS FILTER: "alertname ins state ip" of each alert that this Alertmanager knows
	ctl curl -s "http://$1:9059/api/v2/alerts?$2" | jq -r '.[] | "\(.labels.alertname) \(.labels.ins) \(.status.state) \(.labels.ip)"' | sort
}
hook_start() { # on meta, port 9060; what it hears is in /run/hook.log
	ctl ssh meta 'cat >/tmp/hook.py' <"$ROOT/tests/e2e/lib/hook.py"
	on meta 'systemctl -q is-active hook || systemd-run -q --unit=hook python3 /tmp/hook.py'
	check "the webhook listens" until_ok 10 ctl curl -s -o /dev/null http://10.10.10.10:9060/
}
hook_lines() { on meta 'cat /run/hook.log 2>/dev/null'; }
hook_has() { hook_lines | grep -q "$1"; }

# ---- a browser ----
# In the controller's network, with a profile of its own; the portal's names are known to it alone.
chrome() { # chromium's words...
	ctl env HOME="$WORK" timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$(mktemp -d "$WORK/chrome.XXXXXX")" \
		--host-resolver-rules='MAP *.pigsty 10.10.10.10' "$@" 2>/dev/null
}
