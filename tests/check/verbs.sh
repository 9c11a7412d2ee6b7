#!/bin/sh
# verbs.sh PIG PLUGINS DIR: the verbs that only read, and how the command line takes options. Each check is counted.
pig=$1 plugins=$2 dir=$3
good=0 bad=0
work=$(mktemp -d "${TMPDIR:-/tmp}/pig-verbs.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
HOME=$work/home; export HOME; mkdir "$HOME"
unset PIG_PLUGIN_PATH PIGSTY_HOME
cp "$pig" "$work/pig" && pig=$work/pig # no modules beside it
PIG_PLUGIN_PATH=$plugins; export PIG_PLUGIN_PATH
cd "$work" || exit 1

ok() { good=$((good + 1)); }
no() { bad=$((bad + 1)); echo "failed: $*" >&2; }
# p STATUS ARGS...: run pig; what it said, both streams, goes to $said
p() {
	want=$1; shift
	said=$("$pig" "$@" 2>&1); status=$?
	if [ $status -eq "$want" ]; then ok; else no "pig $*: exit status $status, not $want"; printf '%s\n' "$said" | sed 's/^/    /' >&2; fi
	what="pig $*"
}
has() { case $said in *"$1"*) ok ;; *) no "$what: lacks \"$1\""; printf '%s\n' "$said" | sed 's/^/    /' >&2 ;; esac; }
hasnt() { case $said in *"$1"*) no "$what: has \"$1\"" ;; *) ok ;; esac; }
eq() { if [ "$said" = "$1" ]; then ok; else no "$what: \"$said\" is not \"$1\""; fi; }

cat >pigsty.yml <<'END'
all:
  vars: { shop_password: Sesame-1234, shop_stock: 20, note: "{{ shop_port }}", empty: ~ }
  hosts: { lone: }
  children:
    corner:
      vars: { shop_cluster: corner, shop_port: 8001, shop_clerks: [ { name: ann, password: Ann-secret-1 } ] }
      hosts: { t1: { shop_seq: 1, shop_role: main, shop_port: 9001 }, t2: { shop_seq: 2, memory: "{{ node_mem_mb }}" } }
    region: { children: { corner: }, vars: { shop_path: /srv/region } }
END

# ---- options ----
p 2; has "usage: pig VERB"
p 0 --help; has "inventory"
p 2 chekc; has "Did you mean pig check?"
p 2 check --jsno; has "unknown option \"--jsno\""; has "Did you mean --json?"
p 2 check -Z; has "unknown option \"-Z\""
p 2 check -i; has "option \"-i\" needs a value"
p 2 check extra; has "pig check does not take \"extra\""
p 2 query; has "needs one more word"; has "Usage: pig query EXPR [FILE]"
p 2 check --json=yes; has "takes no value"
p 0 check --help; has "usage: pig check"; has "-l, --limit PATTERN"; hasnt "--insecure"
p 0 check -ipigsty.yml --inventory=pigsty.yml --limit t1; has "1 host checked"
p 2 check -l t9; has "t9"
p 2 check -i none.yml; has "none.yml"
p 2 check --plugin-dir nowhere; has "plugin folder \"nowhere\" does not exist"

# ---- inventory ----
p 0 inventory list; has '"corner"'; has '"shop_password": "***"'; hasnt Sesame; hasnt Ann-secret; has '"note": "{{ shop_port }}"'
p 0 inventory list --show-secrets; has Sesame-1234; has Ann-secret-1
p 0 inventory list -l t2; has '"t2"'; hasnt '"t1"'
if command -v ansible-inventory >/dev/null; then
	cp pigsty.yml plain.yml # with the values' marks out of the way
	"$pig" inventory list --show-secrets -i plain.yml >ours.json 2>err
	ansible-inventory -i plain.yml --list >theirs.json 2>/dev/null
	if diff theirs.json ours.json >&2; then ok; else no "inventory list differs from ansible-inventory --list"; fi
	"$pig" inventory graph -i plain.yml | sed 's/ *$//' >ours.txt
	ansible-inventory -i plain.yml --graph >theirs.txt 2>/dev/null
	if diff theirs.txt ours.txt >&2; then ok; else no "inventory graph differs from ansible-inventory --graph"; fi
fi
p 0 inventory host t1
has "shop_port: 9001"; has "from host, pigsty.yml:7"; has "over group corner, pigsty.yml:6"; has "note: 9001"; has 'shop_password: "***"'; hasnt Sesame
p 0 inventory host t2; has 'memory: "{{ node_mem_mb }}"'; has "unknown until connected"; has "shop_path: \"/srv/region\""; has "from group region"
p 0 inventory host t2 --json -e shop_port=7000; has '"value": 7000'; has '"by": "command line"'
p 2 inventory host t3; has "Did you mean t1?"
p 0 inventory query 'hosts[?vars.shop_role == `main`].name | [0]'; eq '"t1"'
p 0 inventory query 'hostvars.t1.note'; eq 9001
p 0 inventory query 'hostvars.*.shop_seq | sort(@)'; has 2
p 0 inventory query 'groups.region' -l 't*'; has '"t2"'
p 0 inventory query 'hosts[0].vars.shop_password'; hasnt Sesame
p 2 inventory query 'hosts['; has 'query "hosts["'
p 2 inventory lst; has "Say list, graph, host HOST, query EXPR, load, dump or use cmdb|yaml."

# ---- doc ----
p 0 doc; has "params"; has "modules"
p 0 doc param; has "shop_online"; has "inert"
p 0 doc param shop_role; has "main|side"; has "instance"; has "module     shop"; has "default    side"
p 0 doc param shop_tcp_port; has "name       shop_port"
p 0 doc param shop_clerks; has "members"; has "early|late"
p 0 doc shop_role --json; has '"type": "enum"'
p 2 doc param shop_rol; has "Did you mean shop_role?"
p 0 doc task shop_sell; has "when       shop_open"; has "shop, step shop_open"
p 0 doc playbook shop.yml; has "those with shop_cluster"; has "serial     1"
p 0 doc playbook shop; has "shop_sell"
p 0 doc filter; has "to_json"
p 0 doc filter default; has "kind       filter"
p 2 doc nonsense none; has "does not know the kind"

# ---- module ----
p 0 module; has "shop         0.2.0"
p 0 module list --json; has '"version": "0.2.0"'
p 0 module info shop; has "parameters"; has "abi"; has "shop_cluster"
p 2 module info shpo; has "Did you mean shop?"
p 3 module info none.so; has "cannot be read"

# ---- templates ----
p 0 template; has "shop/till.conf"; has "shipped"
p 0 template show shop/till.conf; has "port = {{ shop_port }}"
p 2 template show shop/tll.conf; has "Did you mean shop/till.conf?"
p 0 render shop/till.conf -l t1; has "# corner t1"; has "port = 9001"; has "password = ***"
p 0 render shop/till.conf -l t1 --show-secrets; has "password = Sesame-1234"
p 2 render shop/till.conf -l 't*'; has "selects 2 hosts"
p 0 template export shop/till.conf; eq templates/shop/till.conf
p 2 template export shop/till.conf; has "exists"
p 0 template diff; eq ""
echo "more = 1" >>templates/shop/till.conf
p 0 template diff shop/till.conf; has "+more = 1"; hasnt "sha256"
p 0 template list; has "templates/shop/till.conf"
p 0 render shop/till.conf -l t2; has "port = 8001"; has "more = 1"; hasnt sha256
sed -i 's/sha256 ..../sha256 0000/' templates/shop/till.conf
p 0 template list; has "the shipped text has changed since"
p 0 template show shop/till.conf --builtin; hasnt "more = 1"
printf '{%% extends "builtin:shop/till.conf" %%}\n{%% block port %%}{{ super() }}extra = {{ shop_seq }}\n{%% endblock %%}\n' >templates/shop/till.conf
p 0 render shop/till.conf -l t2; has "port = 8001"; has "extra = 2"; has "# corner t2"

# what an override asks for is no unknown name; one that is broken is a fault
echo "{{ of_my_own }}" >templates/shop/till.conf
p 2 render shop/till.conf -l t2; has "till.conf:1:4: \"of_my_own\" is undefined"; has "If the task works it out: give it a value with -e"
p 0 render shop/till.conf -l t2 -e of_my_own=1; eq 1
p 0 check -e of_my_own=1 -e not_my_own=1; hasnt '"of_my_own"'; has '"not_my_own"'
printf 'a\n{{ b\n' >templates/shop/till.conf
p 2 check; has "templates/shop/till.conf:"; has "error: "
rm -r templates

# ---- render and query ----
printf 'hi {{ who }}{%% include "part" %%}\n' >hi.j2
printf ', {{ who | upper }}' >part
p 0 render hi.j2 -e who=you; eq "hi you, YOU"
printf 'who: them\n' >vars.yml
p 0 render hi.j2 -e @vars.yml; eq "hi them, THEM"
p 2 render hi.j2; has "hi.j2:1:7"; has "who"
printf '{{ node_cpu * 2 }} {{ shop_port }} {{ hostvars.t1.shop_port }}\n' >facts.j2
p 2 render facts.j2 -l t2; has "node_cpu"; has "Give the fact a value with -e."
p 0 render facts.j2 -l t2 -e '{"node_cpu": 4}'; eq "8 8001 9001"
p 2 render none.j2; has "none.j2"
printf '{"a": [ { "b": 1 }, { "b": "x y" } ], "s": "str"}' >data.json
p 0 query 'a[].b' data.json; has '"x y"'
p 0 query -r 'a[].b' data.json; eq "1
x y"
p 0 query -r s data.json; eq str
said=$(printf 'a: { b: [1, 2] }\n' | "$pig" query 'sum(a.b)'); what="query over YAML"; eq 3
p 2 query 'a[' data.json; has 'query "a["'
p 2 query a none.json; has none.json

echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
