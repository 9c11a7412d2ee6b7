#!/bin/bash
# The offline way: a bundle of this machine's own sources is built twice to the same bytes, a bare node without network becomes the
# admin node from it, another installs from there with signatures checked; and what each refuses. What was fetched is kept in
# BUILD/repo-cache, the bundle in BUILD/repo-test.
# shellcheck disable=SC2016,SC2317 # the nodes' shells expand what stands in single quotes here; cases are called by name
SUITE=repo
INVENTORY=$(dirname "$0")/../../../conf/demo.yml
# shellcheck source=tests/e2e/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
b=$BUILD/repo-test
mkdir -p "$b" "$WORK/build"
rm -rf "$b/x"
trap 'exit 130' INT TERM

says() { # NAME STATUS TEXT COMMAND...: it ends with that status and says that
	local name=$1 want=$2 text=$3 got
	shift 3
	"$@" >"$WORK/out" 2>&1
	got=$?
	if [ "$got" = "$want" ] && grep -qF -- "$text" "$WORK/out"; then ok "$name"; else
		not_ok "$name: status $got"
		tail -15 "$WORK/out" | sed 's/^/#     /'
	fi
}

# ---- building, on this machine ----
inventory() { # LINES of vars
	printf 'all:\n  hosts: { 10.10.10.10: }\n  vars:\n    repo_packages: [ nginx, jq, node-bootstrap ]\n    repo_extra_packages: []\n    node_packages: []\n    node_default_packages: []\n%s' "$1" >"$WORK/build/pigsty.yml"
}
build() { (cd "$WORK/build" && "$PIG" repo build "$@"); }
bundle() { env BUNDLE_DIR="$b" "$@" "$ROOT/scripts/bundle.sh" "$BUILD" "$WORK/build/pigsty.yml" --cache "$BUILD/repo-cache"; }
build_fails() { # NAME STATUS TEXT [OPTIONS]
	local name=$1 status=$2 text=$3
	shift 3
	says "$name" "$status" "$text" build -o bad.tgz --cache "$cache" "$@"
	check_not "$name: nothing was written" [ -e "$WORK/build/bad.tgz" ]
}
case_build() { # what the other cases need too
	inventory ''
	check "a bundle with pig in it, of this machine's own sources" bundle || finish
	first=$(ls "$b"/pkg-*.tgz) BUNDLE=$(basename "$first")
	print=$(sed '/-----/d' "$b/inv/files/pki/repo/bundle.pub" | base64 -d | sha256sum | cut -d' ' -f1)
	mkdir -p "$WORK/build/files/pki" && cp -r "$b/inv/files/pki/repo" "$WORK/build/files/pki/"
}
second_over() { [ "$(date +%s)" -gt "$(stat -c %Y "$first")" ]; }
case_bytes() {
	local sum
	sum=$(sha256sum <"$first")
	check "another second, as times of the clock would show" until_ok 2 second_over
	check "built again" bundle FORCE=1
	check_not "nothing was fetched again" grep -q '^fetching' "$WORK/check.out"
	equal "the same bytes" "$sum" "$(sha256sum <"$first")"
	check "verify" "$PIG" repo verify "$first" -i "$WORK/build/pigsty.yml"
	check "extract" "$PIG" repo extract "$first" -C "$WORK/www" -i "$WORK/build/pigsty.yml"
	check "the index is signed by the key in it" gpgv --keyring "$WORK/www/pigsty/pigsty.gpg" "$WORK/www/pigsty/InRelease"
	says "verify: changed bytes" 2 "is not what was packed" "$PIG" repo verify "$b/bad.tgz" -i "$WORK/build/pigsty.yml"
	says "extract: changed bytes" 2 "is not what was packed" "$PIG" repo extract "$b/bad.tgz" -C "$WORK/none" -i "$WORK/build/pigsty.yml"
	check_not "nothing was put there" [ -e "$WORK/none/pigsty" ]
}
# A source of its own: the repository that was just extracted, then spoilt in one way after another.
upstream() { # URL-AND-SUITE
	inventory "    repo_modules: own
    repo_upstream: [ { name: own, module: own, releases: [ 12 ], baseurl: { default: '$1' }, meta: { signed-by: '$WORK/www/pigsty/pigsty.gpg' } } ]
"
}
# Downloads that break off go on where they were.
interrupted() {
	local port='' deb half pid cache=$WORK/cut.cache
	deb=$(basename "$(ls "$WORK"/src/jq_*.deb)")
	half=$(($(stat -c %s "$WORK/src/$deb") / 2))
	python3 "$ROOT/tests/e2e/repo/cut.py" "$WORK/src" "$deb" "$WORK/cut.log" >"$WORK/cut.port" &
	pid=$!
	check "a server that breaks off" until_ok 10 test -s "$WORK/cut.port"
	read -r port <"$WORK/cut.port"
	upstream "http://127.0.0.1:$port ./"
	build_fails "a download that breaks off" 4 "could not be fetched" -p jq
	check "the next build goes on" build -p jq -o own.tgz --cache "$cache"
	equal "from there" "cut rest $half" "$(xargs <"$WORK/cut.log")"
	kill $pid
	wait $pid 2>/dev/null
}
case_sources() {
	local cache=$BUILD/repo-cache
	build_fails "a missing package is named with what was tried" 2 'nosuch|alsonot' -p 'nosuch | alsonot'
	build_fails "and one near it" 2 'near to it: postgresql-15' -p postgresql-155
	cache=/proc/none
	build_fails "a cache that cannot be" 2 'could not make folder "/proc/none"'
	cache=$WORK/own.cache
	cp -r "$WORK/www/pigsty" "$WORK/src"
	upstream "file:$WORK/src ./"
	check "from a source of one's own" build -p jq -o own.tgz --cache "$cache"
	interrupted
	upstream "file:$WORK/src ./"
	rm -rf "$cache/files"
	printf x | dd of="$(ls "$WORK"/src/jq_*.deb)" bs=1 seek=5000 conv=notrunc status=none
	build_fails "a changed package" 2 "is not what its index says" -p jq
	printf 'x' >>"$WORK/src/Packages"
	rm "$WORK/src"/Packages.*
	rm -rf "$cache" # an index that is known already is good as long as InRelease names it
	build_fails "a changed index" 4 "cannot be reached, or is not signed" -p jq --refresh
	rm "$WORK/src/InRelease"
	build_fails "an unsigned source" 4 "cannot be reached, or is not signed" -p jq --refresh
	upstream "http://127.0.0.1:9/none ./"
	build_fails "a source that does not answer" 4 "cannot be reached" -p jq
}
# Copies that are not what was packed: one with changed bytes, a cut one, one whose manifest was made to fit, one of another key.
spoil() {
	cp "$first" "$b/bad.tgz" && printf %032d 0 | dd of="$b/bad.tgz" bs=1 seek=7000000 conv=notrunc status=none
	head -c 1000000 "$first" >"$b/cut.tgz"
	mkdir "$WORK/forged" && tar -xzf "$first" -C "$WORK/forged" || return
	(cd "$WORK/forged" && echo 'echo gotcha' >>bootstrap &&
		sed -i -E "s/^file [0-9]+ [0-9a-f]{64} (.*) bootstrap\$/x/; s/^file [0-9a-f]{64} [0-9]+ (.*) bootstrap\$/file $(sha256sum <bootstrap | cut -c1-64) $(wc -c <bootstrap) \1 bootstrap/" manifest &&
		grep -q "$(sha256sum <bootstrap | cut -c1-64)" manifest &&
		{ echo manifest && echo manifest.sig && awk '$1 == "file" { print $5 }' manifest; } |
		tar -czf "$b/forged.tgz" --owner=0 --group=0 --numeric-owner --mode=a+r -T -)
}

# ---- a bare node becomes the admin node ----
on_meta() { "$PIG" sandbox shell meta --name "$BOX" -- "$1"; } # as dba
boot() { # SCRIPT'S WORDS
	on_meta "tar xzOf /opt/bundle/$BUNDLE bootstrap >bootstrap && ${SUDO:-sudo} sh bootstrap $1"
}
boot_fails() { # NAME WORDS TEXT
	says "bootstrap: $1" 1 "$3" boot "$2"
	check_not "bootstrap: $1: nothing was put anywhere" on meta '[ -e /www ] || [ -e /etc/apt/sources.list.d/local.list ] || [ -e /etc/pig ] || ls -d /data/nginx/* /small/x/* /small/.bootstrap* /data/nginx/.bootstrap* 2>/dev/null'
}
case_bootstrap() {
	boot_fails "changed bytes" /opt/bundle/bad.tgz "is no whole bundle: gzip: "
	boot_fails "a cut bundle" /opt/bundle/cut.tgz "no whole bundle"
	boot_fails "a manifest that was made to fit" /opt/bundle/forged.tgz "the signature of the bundle is not good"
	boot_fails "another key" "-k 1234 /opt/bundle/$BUNDLE" "signed by $print, not by the key asked for"
	boot_fails "no such user" "-u nobody2 /opt/bundle/$BUNDLE" 'there is no user "nobody2"'
	on meta 'mkdir -p /small && mount -t tmpfs -o size=1m none /small' >/dev/null
	boot_fails "no space" "-d /small/x /opt/bundle/$BUNDLE" "no space in /small/x"
	# room for bytes and not for files: the disk is full in the middle
	on meta 'umount /small && mount -t tmpfs -o size=4g,nr_inodes=20 none /small' >/dev/null
	boot_fails "a disk that is full while unpacking" "-d /small/x /opt/bundle/$BUNDLE" "could not be unpacked into /small/x"
	on meta 'umount /small; rm -rf /home/dba/.ssh/id_ed25519*; echo dba:word | chpasswd; echo "dba ALL=(ALL:ALL) ALL" | tee /etc/sudoers.d/zzz >/etc/sudoers.d/dba' >/dev/null
	check_not "dba has to say a password" on_meta 'sudo -n true'
	SUDO='echo word | sudo -S' says "bootstrap: others' rules lead over ours" 1 "sudo still asks dba for a password" boot "-k $print /opt/bundle/$BUNDLE"
	on_meta 'echo word | sudo -S rm /etc/sudoers.d/zzz' >/dev/null 2>&1
	SUDO='echo word | sudo -S' check "bootstrap" boot "-k $print /opt/bundle/$BUNDLE"
	check "dba has a key and sudo on its own node" on_meta 'sudo -kn id -u | grep -qx 0 && ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new 10.10.10.10 true'
	equal "what others wrote for sudo stays" "dba ALL=(ALL:ALL) ALL" "$(on meta 'cat /etc/sudoers.d/dba')"
	check "again" boot "/opt/bundle/$BUNDLE"
	check_not "and nothing is done" grep -qE 'made|may log in|has sudo|repository is in' "$WORK/check.out"
	check "pig is there with its modules" on_meta 'pig module list | grep -q pgsql && pig repo verify /opt/bundle/'"$BUNDLE"
	says "extract: no space" 1 "space" on_meta "sudo mkdir -p /small && sudo mount -t tmpfs -o size=1m none /small && sudo pig repo extract /opt/bundle/$BUNDLE -C /small"
	equal "nothing is left of it" "" "$(on meta 'find /small -mindepth 1; umount /small')"
	on node-1 "echo '$(on_meta 'cat .ssh/id_ed25519.pub')' >>/home/dba/.ssh/authorized_keys" >/dev/null
}

# ---- a node installs from there ----
run='cd pigsty && pig run node.yml -t node_id,node_repo,node_pkg'
meta() { on_meta "$1" >"$WORK/out" 2>&1; }
nodes() { # PACKAGES
	on_meta "mkdir -p pigsty; cat >pigsty/pigsty.yml" <<END
all:
  children:
    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }
    other: { hosts: { 10.10.10.11: } }
  vars: { admin_ip: 10.10.10.10, node_default_packages: [], node_packages: [ $1 ] }
END
}
run_fails() { # NAME TEXT
	says "$1" "${3:-1}" "$2" on_meta "$run -l 10.10.10.11"
}
forget() { on node-1 'rm -rf /var/lib/pig/apt.stamp /var/lib/apt/lists/*' >/dev/null; }
case_nodes() {
	on meta 'apt-get -qq -y --no-install-recommends install nginx >/dev/null 2>&1; systemctl stop nginx
		printf "pid /run/ng.pid;\nevents {}\nhttp { server { listen 80; root /www; } }\n" >/etc/nginx/ng.conf
		nginx -c /etc/nginx/ng.conf >/dev/null 2>&1 </dev/null' >/dev/null
	on node-1 'echo "deb http://nowhere.invalid/x y z" >/etc/apt/sources.list' >/dev/null
	nodes jq
	check "packages from the infra node" meta "$run"
	check "again" meta "$run"
	check "nothing changes" grep -q 'done: hosts=2 .*changed=0 ' "$WORK/out"
	check "jq is there, from there" on node-1 'jq --version && apt-cache policy jq | grep -q http://10.10.10.10:80/pigsty'
	check "its source is signed by the key that came with pig" on node-1 'grep -qx "deb \[signed-by=/etc/apt/keyrings/pigsty.gpg\] http://10.10.10.10:80/pigsty ./" /etc/apt/sources.list.d/local.list && ! grep -rq trusted /etc/apt/sources.list.d'
	check "other sources are put aside" on node-1 '[ ! -e /etc/apt/sources.list ] && grep -q nowhere /etc/apt/backup/sources.list'
}
case_refusals() {
	nodes '"nosuch | alsonot"'
	run_fails "a missing package is named with what was tried" "package nosuch|alsonot: the host's repos know none of: nosuch alsonot"
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
	check "the same by another key" sh -c "cd '$WORK/other' && '$PIG' repo build -i pigsty.yml -o '$b/other.tgz' --cache '$BUILD/repo-cache' >/dev/null && '$PIG' repo extract '$b/other.tgz' -C '$b/x'"
	on meta 'cp /opt/bundle/x/pigsty/* /www/pigsty/' >/dev/null
	forget
	run_fails "a repository signed by another is refused" "NO_PUBKEY"
	check_not "no refused package was installed" on node-1 'dpkg -s gnupg'
	on meta 'cp -a /root/whole/. /www/pigsty/; nginx -c /etc/nginx/ng.conf -s stop' >/dev/null 2>&1
	forget
	run_fails "a repository that does not answer" "is the repository served"
	on meta 'nginx -c /etc/nginx/ng.conf >/dev/null 2>&1 </dev/null' >/dev/null
	check "and all is well again" meta "$run -l 10.10.10.11"
}

dump() { :; } # each check says what it saw

main() {
	case_build
	check "copies that were tampered with" spoil
	cases bytes sources
	if wanted bootstrap; then
		inventory ''
		box_up --image bare --nodes 2 --bind "$b:/opt/bundle"
		cases bootstrap nodes refusals
	fi
	finish
}
main
