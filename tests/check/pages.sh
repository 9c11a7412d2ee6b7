#!/bin/bash
# pages.sh PIG PLUGINS SOURCE: what is made of the tables is in step with them: docs/parameters.md, the manual page, bash's completion.
# UPDATE=1 writes docs/parameters.md anew.
pig=$1 plugins=$2 src=$3
good=0 bad=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
HOME=$work; export HOME
unset PIG_PLUGIN_PATH PIGSTY_HOME
ok() { if eval "$2"; then good=$((good + 1)); else bad=$((bad + 1)); echo "failed: $1"; fi; }

"$pig" doc --markdown --plugin-dir "$plugins" >"$work/parameters.md" || exit 1
[ -z "$UPDATE" ] || cp "$work/parameters.md" "$src/docs/parameters.md"
ok "docs/parameters.md is in step: UPDATE=1 $0 $*" 'diff -u "$src/docs/parameters.md" "$work/parameters.md" | head -20; cmp -s "$src/docs/parameters.md" "$work/parameters.md"'
ok "every parameter has its row" '[ "$(grep -c "^| .* | \(global\|cluster\|instance\|command line\) | " "$work/parameters.md")" = "$("$pig" doc param --json --plugin-dir "$plugins" | "$pig" query "length(@)")" ]'
ok "every parameter has a sentence" '[ "$("$pig" doc param --json --plugin-dir "$plugins" | "$pig" query "[?!text].name")" = "[]" ]'
ok "nothing of this machine is in it" '! grep -qE "/work/|/root/|$src" "$work/parameters.md"'

"$pig" doc --man --plugin-dir "$plugins" >"$work/pig.1"
ok "the manual page names every verb" 'for v in run check doc inventory vault completion repo ca; do "$pig" $v --help --plugin-dir "$plugins" >/dev/null 2>&1 || continue; grep -q "^.SS $v$" "$work/pig.1" || { echo "$v"; false; }; done'
ok "no line of it is an unknown request" '! grep -vE "^\.(TH|SH|SS|TP|PP|B|BR|I|nf|fi)( |$)|^[^.]|^$" "$work/pig.1"'
if command -v groff >/dev/null; then ok "troff takes it" '[ -z "$(groff -man -ww -Tutf8 -z "$work/pig.1" 2>&1)" ]'; fi

# ---- bash, as it completes a line ----
cat >"$work/pigsty.yml" <<'INV'
all:
  children:
    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 } } }
    web: { hosts: { web-1: , web-2: } }
INV
"$pig" completion bash >"$work/pig.bash" || bad=$((bad + 1))
mkdir "$work/bin"
printf '#!/bin/sh\ncase $1 in completion) shift; exec "%s" completion --plugin-dir "%s" "$@" ;; *) exec "%s" "$@" ;; esac\n' "$pig" "$plugins" "$pig" >"$work/bin/pig"
chmod +x "$work/bin/pig"
# line WORD... : what bash offers for the last word
line() (
	cd "$work" && PATH=$work/bin:$PATH && . "$work/pig.bash" || exit 1
	COMP_WORDS=(pig "$@") COMP_CWORD=$#
	_pig 2>/dev/null
	printf '%s ' "${COMPREPLY[@]}"
)
is() { # WANT WORD...
	want=$1; shift
	got=$(line "$@")
	ok "pig $* offers \"$got\", not \"$want\"" '[ "$got" = "$want " ]'
}
has() {
	want=$1; shift
	got=$(line "$@")
	ok "pig $* offers \"$got\", without \"$want\"" '[[ " $got" == *" $want "* ]]'
}
is run ru
is "--help" --h
has check ""
is "etcd-rm.yml etcd.yml" run etc
has --limit run node.yml --
has -t run node.yml -
is "--json" check --js
is "web web-1 web-2" run node.yml -l we
is "web-1 web-2" ssh web
is "web web-1 web-2" run node.yml -i pigsty.yml --limit we
has etcd_launch run etcd.yml -t etcd_
is "etcd_auth" run etcd.yml --start-at etcd_a
is "node_tune= node_tuned_profile_dir=" run node.yml -e node_tu
is "node_tune=olap node_tune=oltp" run node.yml -e node_tune=o
is "node_ntp_enabled=true" run node.yml -e node_ntp_enabled=t
has pg_rto doc param pg_r
is "to_json" doc filter to_js
is "graph" inventory g
is "info" module i
is "etcd" module info et
has pigsty.yml render ""
is "pig.bash" query length pig.b
has pgsql/patroni.yml template show pgsql/
is "bash" completion ""
is "up" sandbox u
got=$(line no-such-verb x); ok "an unknown verb offers nothing" '[ -z "${got// }" ]'

echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 25 ]
