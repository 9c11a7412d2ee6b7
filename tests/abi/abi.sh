#!/bin/sh
# abi.sh PIG BUILD SOURCE CMAKE: installs the SDK into a folder of its own, builds modules against it out of tree, and looks at what
# pig says of good and bad ones. Each check is counted; a run without checks fails.
pig=$1 build=$2 source=$3 cmake=$4
cc=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/pig-abi.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
umask 022
good=0 bad=0
# modules of the build tree or of this machine must not be in the way
unset PIG_PLUGIN_PATH PIGSTY_HOME
HOME=$work/home; export HOME; mkdir -p "$HOME"
cd "$work" || exit 1

ok() { good=$((good + 1)); }
no() { bad=$((bad + 1)); echo "failed: $*" >&2; }
# is NAME COMMAND...: the command succeeds
is() { name=$1; shift; if "$@" >"$work/out" 2>&1; then ok; else no "$name"; sed 's/^/    /' "$work/out" >&2; fi; }
# has NAME PART TEXT
has() { case $3 in *"$2"*) ok ;; *) no "$1: \"$2\" is not in:"; printf '%s\n' "$3" | sed 's/^/    /' >&2 ;; esac; }
# refused NAME FILE PART: pig does not take the module, says why, and lives
refused() {
	said=$("$pig" module info "$2" 2>&1); status=$?
	if [ $status -eq 3 ]; then ok; else no "$1: exit status $status"; printf '%s\n' "$said" | sed 's/^/    /' >&2; fi
	has "$1" "$3" "$said"
	has "$1: the path" "$2" "$said"
}
taken() { is "$1" "$pig" module info "$2"; }

# ---- the SDK as installed, and the skeleton built with it ----
is "install" "$cmake" --install "$build" --prefix "$work/sdk" --component sdk
inc=$work/sdk/include/pig
is "header" test -f "$inc/pig.h"
"$pig" module new hello >/dev/null || no "module new"
# a compiler may have hung flags on the environment; the module is built as a stranger would
is "configure the skeleton" "$cmake" -S hello -B hello/build -DCMAKE_PREFIX_PATH="$work/sdk" -DCMAKE_C_COMPILER="$cc" \
	-DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Werror"
is "build the skeleton" "$cmake" --build hello/build
mkdir plugins && cp hello/build/hello.so plugins/
has "doc" "Greet on this host?" "$("$pig" doc param hello_enabled --plugin-dir plugins 2>&1)"
has "doc task" "hello, step hello_greet" "$("$pig" doc task hello_greet --plugin-dir plugins 2>&1)"
has "list" "$work/plugins/hello.so" "$("$pig" module list --plugin-dir plugins 2>&1)"
mkdir inv && cp -r plugins inv/plugins
printf 'all: { hosts: { h1: { hello_text: "a {{ os_version }}" }, h2: { hello_text: "" } } }\n' >inv/pigsty.yml
said=$("$pig" check -i inv/pigsty.yml 2>&1); status=$?
has "a rule, through the plugins folder beside the inventory" "pigsty.yml:1:77: error: the greeting is empty" "$said"
[ $status -eq 2 ] && ok || no "check: exit status $status"
has "render" "hi" "$("$pig" render hello/motd -i inv/pigsty.yml -l h1 -e hello_text=hi 2>&1)"
is "a new name" "$pig" module new greeter
is "it is renamed" grep -q "PIG_MODULE(.name = \"greeter\"" greeter/greeter.c
is "a name that is none" sh -c "! '$pig' module new '../x'"
# ---- a vendor's module, that extends one of ours ----
# MODULE'S FOLDER: built with the installed SDK alone
build_extension() {
	is "configure $1" "$cmake" -S "$1" -B "$1/build" -DCMAKE_PREFIX_PATH="$work/sdk" -DCMAKE_C_COMPILER="$cc" \
		-DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Werror"
	is "build $1" "$cmake" --build "$1/build"
}
cp -r "$source/sdk/examples/pgvendor" pgvendor
build_extension pgvendor
mkdir -p vendor/plugins && cp pgvendor/build/pgvendor.so vendor/plugins/
cat >vendor/pigsty.yml <<'EOF'
all:
  children:
    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }
    pg-a: { hosts: { 10.10.10.11: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-a, pgvendor_edition: enterprise } }
    pg-b: { hosts: { 10.10.10.12: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-b } }
  vars: { admin_ip: 10.10.10.10, pg_version: 15 }
EOF
cd vendor || exit 1
# pig's words as one text, from the folder of the vendor's inventory
v() { "$pig" "$@" 2>&1; }
has "it is found beside the inventory" "vendor/plugins/pgvendor.so" "$(v module list)"
has "doc: its parameter" "Which edition a cluster is of" "$(v doc param pgvendor_edition)"
has "doc: its step stands after the named one" "pg_provision,pgvendor" "$(v doc playbook pgsql --json | "$pig" query 'steps[].name | join(`,`, @)')"
is "check" "$pig" check
has "check: its rule" "belongs to an edition" "$(v check -e pgvendor_edition=none -e pgvendor_audit=true)"
has "check: its parameter's type" "pgvendor_edition" "$(v check -e pgvendor_edition=gold)"
has "plan: its task" "pgvendor_release" "$(v run pgsql.yml --list-tasks)"
has "the default it changes" "pool_mode = session" "$(v render pgsql/pgbouncer.ini -l 10.10.10.11 -e 'ins=x listen_addr=x pg_bin_dir=/x')"
has "where its condition holds" "pool_mode = transaction" "$(v render pgsql/pgbouncer.ini -l 10.10.10.12 -e 'ins=x listen_addr=x pg_bin_dir=/x')"
has "a user's value leads" "pool_mode = statement" "$(v render pgsql/pgbouncer.ini -l 10.10.10.11 -e 'ins=x listen_addr=x pgbouncer_poolmode=statement')"
has "the block it changes" "log_connections = 1" "$(v render pgsql/pgbouncer.ini -l 10.10.10.11 -e 'ins=x listen_addr=x')"
has "the block as it was" "log_connections = 0" "$(v render pgsql/pgbouncer.ini -l 10.10.10.12 -e 'ins=x listen_addr=x')"
has "who changes a template" "shipped, changed by pgvendor/pooler.ini" "$(v template list)"
mkdir -p templates/pgsql
printf '{%% extends "builtin:pgsql/pgbouncer.ini" %%}\n{%% block log %%}{{ super() }}stats_period = 60\n{%% endblock %%}\n' >templates/pgsql/pgbouncer.ini
said=$(v render pgsql/pgbouncer.ini -l 10.10.10.11 -e 'ins=x listen_addr=x')
has "the user's file is above it" "stats_period = 60" "$said"
has "and extends it" "log_connections = 1" "$said"
cd "$work" || exit 1
# a skeleton of such a module
is "module new --extends" "$pig" module new tiles --extends pgsql
build_extension tiles
mkdir tile && cp tiles/build/tiles.so tile/
has "it stands in pgsql" "tiles_apply" "$("$pig" run pgsql.yml --list-tasks -i vendor/pigsty.yml --plugin-dir tile 2>&1)"
has "a base that is none" "there is no module \"pgsq\"" "$("$pig" module new more --extends pgsq 2>&1)"

# pkg-config's flags are enough as well
PKG_CONFIG_PATH=$(dirname "$(find "$work/sdk" -name pig.pc)"); export PKG_CONFIG_PATH
if command -v pkg-config >/dev/null; then
	is "pkg-config" pkg-config --exists pig
	has "its ABI" "0." "$(pkg-config --variable=abi pig)"
	# shellcheck disable=SC2046
	is "a module with its flags alone" "$cc" -std=c11 -fPIC -shared -fvisibility=hidden -Wl,-z,defs $(pkg-config --cflags pig) \
		-o pc.so "$source/tests/abi/probe.c"
	is "and it loads" "$pig" module info "$work/pc.so"
fi

# ---- the header alone ----
printf '#include <pig.h>\nint main(void) { return 0; }\n' >alone.c
cp alone.c alone.cc
for c in gcc clang "$cc"; do
	command -v "$c" >/dev/null || continue
	is "pig.h as C11 with $c" "$c" -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -I"$inc" -fsyntax-only alone.c
	is "pig.h as C++17 with $c" "$c" -x c++ -std=c++17 -Wall -Wextra -Werror -I"$inc" -fsyntax-only alone.cc
done
printf '#include <pig.h>\nstruct s { int on; };\nstatic const struct pig_param p[] = { PIG_P_BOOL(struct s, on, .level = PIG_GLOBAL) };\nint main(void) { return p[0].type; }\n' >type.c
is "a bool parameter in an int does not compile" sh -c "! $cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I$inc -fsyntax-only type.c"

# ---- earlier and later headers ----
so() { # so OUT HEADERS FLAGS...
	out=$1 dir=$2; shift 2
	is "compile $out" "$cc" -std=c11 -fPIC -shared -fvisibility=hidden -Wl,-z,defs -I"$dir" "$@" -o "$out" "$source/tests/abi/probe.c"
}
mkdir now early late late_m other
cp "$inc/pig.h" now/
so now.so now
taken "this header" "$work/now.so"
# earlier: without the last fields of rows, members and the module
sed -e '/uint32_t limit_s; /d' -e '/^	uint64_t flags; /d' -e 's/, ifaces, aliases;/;/' -e '/^	struct pig_table verbs, .*;$/d' -e '/^	uint32_t flags;$/{N;s/^	uint32_t flags;\n};/};/}' now/pig.h >early/pig.h
if cmp -s now/pig.h early/pig.h; then no "the earlier header is the present one"; fi
so early.so early -DEARLIER
taken "an earlier header" "$work/early.so"
has "its rows are read" "probe_port" "$(mkdir -p e && cp early.so e/ && "$pig" doc param probe_port --plugin-dir e 2>&1)"
has "its playbook too" "tasks      probe_run" "$("$pig" doc playbook probe --plugin-dir e 2>&1)"
printf 'all: { hosts: { h1: , h2: { probe_port: 5000 }, h3: { probe_port: 7000 } } }\n' >e/inv.yml
mkdir n && cp now.so n/
has "its rule is tried" "inv.yml:1:67: error: port 7000" "$("$pig" check -i e/inv.yml --plugin-dir e 2>&1)"
has "and one that goes by values" "inv.yml:1:67: error: port 7000" "$("$pig" check -i e/inv.yml --plugin-dir n 2>&1)"
# later: a field appended to a row
sed -e 's|^	uint32_t limit_s; .*|&\n	const char *later;|' now/pig.h >late/pig.h
so late.so late
taken "a later header, its field unused" "$work/late.so"
so late_set.so late -DLATER -DSET='"x"'
refused "a later header, its field used" "$work/late_set.so" "row 1 of its tasks sets a field that this pig does not know"
has "and what to do" "use a newer pig" "$said"
# later: a field appended to the module
sed -e 's/^	struct pig_table verbs, .*;$/&\n	const char *later;/' now/pig.h >late_m/pig.h
so late_module.so late_m
taken "a later module struct, its field unused" "$work/late_module.so"
so late_module_set.so late_m -DLATER_MODULE -DSET='"x"'
refused "a later module struct, its field used" "$work/late_module_set.so" "sets a field that this pig does not know"
sed 's/^#define PIG_ABI_MAJOR .*/#define PIG_ABI_MAJOR 7/' now/pig.h >other/pig.h
so other.so other
refused "another major" "$work/other.so" "built for ABI 7."
mkdir later_need && sed 's/^#define PIG_ABI_MINOR .*/#define PIG_ABI_MINOR 99/' now/pig.h >later_need/pig.h
so later_minor.so later_need
taken "a later minor of which nothing is used" "$work/later_minor.so"

# ---- a module's verb ----
mkdir v && cp now.so v/ && cd v || exit 1
# v STATUS WORDS...: run the verb; what it said goes to $said
v() { want=$1; shift; said=$("$pig" probe --plugin-dir "$work/v" "$@" 2>&1); status=$?
	[ $status -eq "$want" ] && ok || no "pig probe $*: exit status $status, not $want: $said"; }
v 1 a -n x --line=y z; has "its words" "word a
word z
line x
line y" "$said"
has "defaults without an inventory" "port 5000 of localhost, 1 hosts" "$said"
has "rows of parameters" "secret probe_pass" "$said"
v 1 -i h1,h2,h3 -l 'h2:h3' -e probe_port=6000; has "the inventory, limited" "port 6000 of h2, 2 hosts" "$said"
v 1 --json; has "secrets are masked" '"pass": "***"' "$said"
v 1 --sh 'cat; exit 3'; has "a program" "status 3, said told" "$said"
v 1 --sh 'cat; echo; exit 4' --shown; has "a program with our outputs" "told
status 4" "$said"
v 4 --fail; has "a failure" "pig: the probe failed
hint: It was asked to." "$said"
case $said in *"not said"*) no "calls after a failure do nothing" ;; *) ok ;; esac
v 2 a b c; has "too many words" 'does not take "c"' "$said"
v 2 --lin; has "an unknown option" "Did you mean --line?" "$said"
v 2 -e probe_port=x; has "a bad value ends it" "probe_port" "$said"
v 2 -l nobody -i h1,; has "a limit that matches nothing" "nobody" "$said"
v 0 --help; has "its help" "usage: pig probe [WORD]" "$said"
has "its options" "-n, --line TEXT" "$said"
has "in pig --help" "probe      say what a verb sees" "$(PIG_PLUGIN_PATH=$work/v "$pig" --help 2>&1)"
said=$(PIG_PLUGIN_PATH=$work/v "$pig" probee 2>&1)
has "a verb near it" "Did you mean pig probe?" "$said"
has "pig's own verbs lead" "no inventory is named" "$("$pig" check --plugin-dir "$work/v" 2>&1)"
cd "$work" || exit 1
sed 's/\.usage = "probe \[WORD\]", //' "$source/tests/abi/probe.c" >nousage.c
is "compile a verb without usage" "$cc" -std=c11 -fPIC -shared -fvisibility=hidden -Inow -o nousage.so nousage.c
refused "a verb without usage" "$work/nousage.so" 'verb "probe" needs .run, .usage and .text'

# ---- files that are not in order ----
size=$(wc -c <now.so)
for part in 0 1 16 63 64 100 500 1000 $((size / 8)) $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 1)); do
	head -c "$part" now.so >cut.so
	refused "cut to $part of $size bytes" "$work/cut.so" "cut short"
done
# a header that is no longer what it was: refused or loaded, and never the end of pig
i=0
while [ $i -lt 64 ]; do
	cp now.so broken.so
	printf '\377\177' | dd of=broken.so bs=1 seek=$i conv=notrunc 2>/dev/null
	"$pig" module info "$work/broken.so" >/dev/null 2>&1
	[ $? -lt 128 ] && ok || no "header broken at byte $i"
	i=$((i + 4))
done
printf 'not a module\n' >text.so
refused "a text" "$work/text.so" "cut short"
{ cat text.so; head -c 4096 /dev/zero; } >text2.so
refused "a longer text" "$work/text2.so" "not a shared object"
mkdir folder.so
refused "a folder" "$work/folder.so" "not a regular file"
refused "none" "$work/none.so" "cannot be read"
cp now.so w.so
chmod 0666 w.so
refused "writable by everyone" "$work/w.so" "writable by everyone"
has "and what to do" "chmod go-w" "$said"
chmod 0664 w.so
refused "writable by the group" "$work/w.so" "writable by its group"
chmod 0644 w.so
taken "as it should be" "$work/w.so"
if [ "$(id -u)" -eq 0 ] && chown 12345 w.so 2>/dev/null; then
	refused "owned by another" "$work/w.so" "owned by user 12345"
fi
printf 'int x(void);\nint x(void) { return 1; }\n' >nosym.c
"$cc" -fPIC -shared -o nosym.so nosym.c
refused "no pig_module" "$work/nosym.so" "exports no pig_module"
printf 'extern const int pig_module;\nconst int pig_module = 5;\n' >tiny.c
"$cc" -fPIC -shared -o tiny.so tiny.c
refused "a pig_module that is none" "$work/tiny.so" "its pig_module is none"
printf 'void nowhere(void);\nextern const int pig_module;\nconst int pig_module = 5;\nvoid x(void);\nvoid x(void) { nowhere(); }\n' >undef.c
"$cc" -fPIC -shared -o undef.so undef.c
refused "an undefined symbol" "$work/undef.so" "cannot be loaded"
has "its name" "nowhere" "$said"

# ---- one bad among good ones ----
mkdir mixed && cp now.so mixed/probe.so && cp hello/build/hello.so mixed/ && cp other.so mixed/other.so
said=$("$pig" module list --plugin-dir mixed 2>&1); status=$?
[ $status -eq 0 ] && ok || no "a bad module stops the rest: $status"
has "the good ones go on" "probe" "$said"
has "the bad one is named" "mixed/other.so" "$said"

# ---- what our own modules are ----
for f in "$build"/plugins/*.so "$work/plugins/hello.so" "$work/vendor/plugins/pgvendor.so" "$work/now.so"; do
	[ -f "$f" ] || continue
	# a sanitizer's own data is not the module's
	nm -D "$f" | grep -q __asan && continue
	n=$(nm -D --defined-only "$f" | wc -l)
	[ "$n" -eq 1 ] && ok || no "$f exports $n symbols: $(nm -D --defined-only "$f" | tr '\n' ' ')"
	has "$f" " pig_module" "$(nm -D --defined-only "$f")"
	data=$(objdump -t "$f" | awk '$0 ~ / \.(data|bss)\t/ && $NF !~ /^(\.data|\.bss|__dso_handle|completed\.[0-9]+|__TMC_END__|__bss_start|_edata|_end)$/ { print $NF }')
	[ -z "$data" ] && ok || no "$f has writable data: $data"
done

echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
