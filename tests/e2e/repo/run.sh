#!/bin/bash
# The offline way: a bundle is built twice to the same bytes, a bare node becomes the admin node from it, another installs from there
# with signatures checked; and what each refuses. What was fetched is kept in BUILD/repo-cache.
# shellcheck disable=SC2016 # the nodes' shells expand what stands in single quotes here
SUITE=repo
INVENTORY=$(dirname "$0")/../../../conf/demo.yml
. "$(dirname "$0")/../lib/lib.sh"
cache=$BUILD/repo-cache b=$WORK/b
mkdir -p "$b" "$WORK/build"
trap 'exit 130' INT TERM

# ---- building, on this machine ----
inventory() { # LINES of vars
	printf 'all:\n  hosts: { 10.10.10.10: }\n  vars:\n    repo_packages: [ nginx, jq, node-bootstrap ]\n    repo_extra_packages: []\n    node_packages: []\n    node_default_packages: []\n%s' "$1" >"$WORK/build/pigsty.yml"
}
build_fails() { # NAME STATUS TEXT [OPTIONS]
	local name=$1 want=$2 text=$3 got
	shift 3
	(cd "$WORK/build" && "$PIG" repo build -o bad.tgz --cache "$cache" "$@") >"$WORK/out" 2>&1
	got=$?
	if [ $got = "$want" ] && grep -qF -- "$text" "$WORK/out" && [ ! -e "$WORK/build/bad.tgz" ]; then ok "$name"; else
		not_ok "$name: status $got"
		sed 's/^/#     /' "$WORK/out"
	fi
}
inventory ''
check "a bundle with pig in it" env BUNDLE_DIR="$b" "$ROOT/scripts/bundle.sh" "$BUILD" "$WORK/build/pigsty.yml" --cache "$cache" || finish
first=$(ls "$b"/pkg-*.tgz) name=$(basename "$(ls "$b"/pkg-*.tgz)")
sum=$(sha256sum <"$first")
sleep 1 # another second: times of the clock would show
check "built again" env BUNDLE_DIR="$b" FORCE=1 "$ROOT/scripts/bundle.sh" "$BUILD" "$WORK/build/pigsty.yml" --cache "$cache"
equal "the same bytes" "$sum" "$(sha256sum <"$first")"
check_not "nothing was fetched again" grep -q '^fetching' "$WORK/check.out"
mkdir -p "$WORK/build/files/pki" && cp -r "$b/inv/files/pki/repo" "$WORK/build/files/pki/"
print=$(sed '/-----/d' "$b/inv/files/pki/repo/bundle.pub" | base64 -d | sha256sum | cut -d' ' -f1)
check "verify" "$PIG" repo verify "$first" -i "$WORK/build/pigsty.yml"
check "extract" "$PIG" repo extract "$first" -C "$WORK/www" -i "$WORK/build/pigsty.yml"
check "the index is signed by the key in it" gpgv --keyring "$WORK/www/pigsty/pigsty.gpg" "$WORK/www/pigsty/InRelease"
build_fails "a missing package is named with what was tried" 2 'nosuch|alsonot' -p 'nosuch | alsonot'
build_fails "and one near it" 2 'near to it: postgresql-15' -p postgresql-155
build_fails "a cache that cannot be" 2 'could not make folder "/proc/none"' --cache /proc/none
# a source of its own: the repository that was just extracted, then spoilt in one way after another
upstream() { # URL-AND-SUITE [KEYRING]
	inventory "    repo_modules: own
    repo_upstream: [ { name: own, module: own, releases: [ 12 ], baseurl: { default: '$1' }, meta: { signed-by: '${2:-$WORK/www/pigsty/pigsty.gpg}' } } ]
"
}
own=$WORK/own.cache
cp -r "$WORK/www/pigsty" "$WORK/src"
upstream "file:$WORK/src ./"
cache=$own
check "from a source of one's own" sh -c "cd '$WORK/build' && '$PIG' repo build -p jq -o own.tgz --cache '$own'"
rm -rf "$own/files"
deb=$(ls "$WORK"/src/jq_*.deb)
printf x | dd of="$deb" bs=1 seek=5000 conv=notrunc status=none
build_fails "a changed package" 2 "is not what its index says" -p jq
printf 'x' >>"$WORK/src/Packages"; rm "$WORK/src"/Packages.*
build_fails "a changed index" 4 "cannot be reached, or is not signed" -p jq --refresh
rm "$WORK/src/InRelease"
build_fails "an unsigned source" 4 "cannot be reached, or is not signed" -p jq --refresh
upstream "http://127.0.0.1:9/none ./"
build_fails "a source that does not answer" 4 "cannot be reached" -p jq
cache=$BUILD/repo-cache

# ---- a bare node becomes the admin node ----
cp "$first" "$b/bad.tgz" && printf x | dd of="$b/bad.tgz" bs=1 seek=7000000 conv=notrunc status=none
head -c 1000000 "$first" >"$b/cut.tgz"
box_up --image bare --nodes 2 --bind "$b:/opt/bundle"
on_meta() { "$PIG" sandbox shell meta --name "$BOX" -- "$1"; } # as dba
boot() { # SCRIPT'S WORDS
	on_meta "tar xzOf /opt/bundle/$name bootstrap >bootstrap; sudo sh bootstrap $1" >"$WORK/out" 2>&1
}
boot_fails() { # NAME WORDS TEXT
	if boot "$2"; then not_ok "$1: it succeeded"; elif grep -qF -- "$3" "$WORK/out"; then ok "$1"; else
		not_ok "$1"
		sed 's/^/#     /' "$WORK/out"
	fi
}
boot_fails "bootstrap: a changed byte" /opt/bundle/bad.tgz "bundle"
boot_fails "bootstrap: a cut bundle" /opt/bundle/cut.tgz "no whole bundle"
boot_fails "bootstrap: another key" "-k 1234 /opt/bundle/$name" "signed by $print, not by the key asked for"
boot_fails "bootstrap: no such user" "-u nobody2 /opt/bundle/$name" 'there is no user "nobody2"'
on meta 'mkdir -p /small && mount -t tmpfs -o size=1m none /small' >/dev/null
boot_fails "bootstrap: no space" "-d /small/x /opt/bundle/$name" "no space in /small/x"
check_not "nothing was put anywhere" on meta '[ -e /www ] || [ -e /etc/apt/sources.list.d/local.list ] || [ -e /etc/pig ]'
on meta 'rm -rf /home/dba/.ssh/id_ed25519*; rm -f /etc/sudoers.d/dba; echo "dba ALL=(ALL:ALL) NOPASSWD: /usr/bin/sh, /bin/sh" >/etc/sudoers.d/dba' >/dev/null
check "bootstrap" boot "-k $print /opt/bundle/$name"
check "dba has a key and sudo on its own node" on_meta 'sudo -n id -u | grep -qx 0 && ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new 10.10.10.10 true'
check "again" boot "/opt/bundle/$name"
check_not "and nothing is done" grep -qE 'made|may log in|has sudo|repository is in' "$WORK/out"
meta() { on_meta "$1" >"$WORK/out" 2>&1; }
key=$(on_meta 'cat .ssh/id_ed25519.pub')
on node-1 "echo '$key' >>/home/dba/.ssh/authorized_keys" >/dev/null
check "pig is there with its modules" on_meta 'pig module list | grep -q pgsql && pig repo verify /opt/bundle/'"$name"

# ---- a node installs from there ----
on meta 'apt-get -qq -y --no-install-recommends install nginx >/dev/null 2>&1; systemctl stop nginx
printf "pid /run/ng.pid;\nevents {}\nhttp { server { listen 80; root /www; } }\n" >/etc/nginx/ng.conf
nginx -c /etc/nginx/ng.conf >/dev/null 2>&1 </dev/null' >/dev/null
nodes() { # PACKAGES
	on_meta "mkdir -p pigsty; cat >pigsty/pigsty.yml" <<END
all:
  children:
    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }
    other: { hosts: { 10.10.10.11: } }
  vars: { admin_ip: 10.10.10.10, node_default_packages: [], node_packages: [ $1 ] }
END
}
run='cd pigsty && pig run node.yml -t node_id,node_repo,node_pkg'
run_fails() { # NAME TEXT
	if meta "$run -l 10.10.10.11"; then not_ok "$1: it succeeded"; elif grep -qF -- "$2" "$WORK/out"; then ok "$1"; else
		not_ok "$1"
		tail -15 "$WORK/out" | sed 's/^/#     /'
	fi
}
forget() { on node-1 'rm -rf /var/lib/pig/apt.stamp /var/lib/apt/lists/*' >/dev/null; }
on node-1 'echo "deb http://nowhere.invalid/x y z" >/etc/apt/sources.list' >/dev/null
nodes jq
check "packages from the infra node" meta "$run"
check "again" meta "$run"
check "nothing changes" grep -q 'done: hosts=2 .*changed=0 ' "$WORK/out"
check "jq is there, from there" on node-1 'jq --version && apt-cache policy jq | grep -q http://10.10.10.10:80/pigsty'
check "its source is signed by the key that came with pig" on node-1 'grep -qx "deb \[signed-by=/etc/apt/keyrings/pigsty.gpg\] http://10.10.10.10:80/pigsty ./" /etc/apt/sources.list.d/local.list && ! grep -rq trusted /etc/apt/sources.list.d'
check "other sources are put aside" on node-1 '[ ! -e /etc/apt/sources.list ] && grep -q nowhere /etc/apt/backup/sources.list'
nodes '"nosuch | alsonot"'
run_fails "a missing package is named with what was tried" "package nosuch | alsonot: the host's repos know none of: nosuch alsonot"
nodes procps,gnupg
on node-1 'mount -t tmpfs -o size=64k none /var/cache/apt/archives && mkdir /var/cache/apt/archives/partial' >/dev/null
run_fails "no space on a node" "enough free space"
on node-1 'umount /var/cache/apt/archives' >/dev/null
on meta 'cp -a /www/pigsty /root/whole; printf x >>/www/pigsty/Packages; rm /www/pigsty/Packages.*' >/dev/null
forget
run_fails "a changed index is refused" "the sources of packages cannot be used"
on meta 'cp /root/whole/Packages* /www/pigsty/; rm /www/pigsty/InRelease' >/dev/null
forget
run_fails "an unsigned repository is refused" "is not signed"
cp -r "$b/inv" "$WORK/other" && rm -rf "$WORK/other/files"
check "the same by another key" sh -c "cd '$WORK/other' && '$PIG' repo build -i pigsty.yml -o '$b/other.tgz' --cache '$cache' >/dev/null && '$PIG' repo extract '$b/other.tgz' -C '$b/x'"
on meta 'cp /opt/bundle/x/pigsty/* /www/pigsty/' >/dev/null
forget
run_fails "a repository signed by another is refused" "NO_PUBKEY"
on meta 'cp -a /root/whole/. /www/pigsty/' >/dev/null
forget
on meta 'nginx -c /etc/nginx/ng.conf -s stop' >/dev/null
run_fails "a repository that does not answer" "is the repository served"
on meta 'nginx -c /etc/nginx/ng.conf >/dev/null 2>&1 </dev/null' >/dev/null
check "and all is well again" meta "$run -l 10.10.10.11"
finish
