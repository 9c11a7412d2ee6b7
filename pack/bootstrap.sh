#!/bin/sh
# bootstrap [-u USER] [-k SHA256] [-d DIR] [BUNDLE]: a bare node becomes the admin node, from the bundle alone.
#
#	-u USER    who will run pig (the one who called sudo, if not given)
#	-k SHA256  the key that must have signed the bundle, as `pig repo build` printed it
#	-d DIR     where the repository goes (/data/nginx; /www leads there)
#	BUNDLE     the archive; without it: the folder this script lies in, where the bundle was unpacked
#
# Needs systemd, sshd, sudo, tar and coreutils, and no network. Every file is checked against the manifest before any is
# used; run again it changes nothing that is as it should be.
set -eu
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C

die() { # MESSAGE [HINT]
	echo "bootstrap: $1" >&2
	[ -z "${2:-}" ] || echo "hint: $2" >&2
	exit 1
}
say() { echo "bootstrap: $*"; }

user=${SUDO_USER:-$(id -un)} print='' data=/data/nginx www=/www
while getopts u:k:d:h o; do
	case $o in
	u) user=$OPTARG ;;
	k) print=$OPTARG ;;
	d) data=${OPTARG%/} ;;
	*) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
bundle=${1:-}
if [ -z "$bundle" ]; then
	here=$(cd "$(dirname "$0")" && pwd)
	[ -f "$here/manifest" ] || die "no bundle is named, and $here holds none that was unpacked" "bootstrap pkg.tgz"
elif [ ! -f "$bundle" ]; then
	die "there is no file \"$bundle\""
fi
[ "$(id -u)" = 0 ] || die "this needs root" "sudo sh bootstrap ${bundle:+$bundle}"
home=$(getent passwd "$user" | cut -d: -f6)
[ -n "$home" ] || die "there is no user \"$user\" on this node" "name the one who will run pig with -u"

# ---- the bundle: its place, and whether it is what was packed ----
mkdir -p "$data"
work=$(mktemp -d "$data/.bootstrap.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
if [ -n "$bundle" ]; then
	free=$(df -Pk "$data" | awk 'NR == 2 { print $4 }')
	need=$(($(wc -c <"$bundle") / 1024 + 65536))
	[ "$free" -gt "$need" ] || die "no space in $data: $((free / 1024)) MB are free, $((need / 1024)) MB are needed" "make room, or name another folder with -d"
	tar -tvzf "$bundle" >"$work/list" 2>"$work/said" || die "\"$bundle\" is no whole bundle: $(grep -m1 . "$work/said")"
	# plain files with plain modes alone, and nothing that leads out of the folder
	if grep -qvE '^-[r-][w-][x-][r-][w-][x-][r-][w-][x-] 0/0 +[0-9]+ [0-9-]+ [0-9:]+ [A-Za-z0-9._~:%@=,+][A-Za-z0-9._~:%@=,+/-]*$' "$work/list" ||
		grep -qE '(^| |/)\.\.?(/|$)' "$work/list"; then
		die "\"$bundle\" has members that no bundle has" "fetch it again from who built it"
	fi
	mkdir "$work/bundle"
	# what tar says is kept off the disk, which may be full
	said=$(tar -xzf "$bundle" -C "$work/bundle" --no-same-owner --no-same-permissions 2>&1) ||
		die "\"$bundle\" could not be unpacked into $data: $(echo "$said" | grep -m1 .)" "make room, or name another folder with -d"
	here=$work/bundle
fi
manifest=$here/manifest
[ "$(head -1 "$manifest" 2>/dev/null)" = "pig-bundle 1" ] || die "the bundle has no manifest of this kind"
name=$(awk '$1 == "name" { print $2; exit }' "$manifest")
os=$(awk '$1 == "os" { print $2 " " $3; exit }' "$manifest")
case $name in '' | .* | *[!A-Za-z0-9._-]*) die "the bundle has no name" ;; esac
# shellcheck disable=SC1091
own=$(. /etc/os-release && echo "$ID$VERSION_ID") arch=$(dpkg --print-architecture)
[ "$os" = "$own $arch" ] || die "the bundle is for $os, and this node is $own $arch" "build one on a machine like this"

awk '$1 == "file" { print $2 "  " $5 }' "$manifest" >"$work/sums"
awk '$1 == "file" { print $5 }' "$manifest" | sort >"$work/listed"
(cd "$here" && sha256sum --check --quiet --strict "$work/sums") >"$work/said" 2>&1 ||
	die "the bundle is not what was packed: $(head -1 "$work/said")" "fetch it again from who built it"
(cd "$here" && find . -type f ! -path ./manifest ! -path ./manifest.sig | sed 's|^\./||' | sort) >"$work/there"
[ -z "$(find "$here" ! -type f ! -type d)" ] && cmp -s "$work/listed" "$work/there" ||
	die "the bundle holds what its manifest does not list" "fetch it again from who built it"

key=$(sed '/-----/d' "$here/bundle.pub" | base64 -d | sha256sum | cut -d' ' -f1)
if [ -n "$print" ]; then
	[ "$key" = "$print" ] || die "the bundle is signed by $key, not by the key asked for"
elif [ -n "$(ls /etc/pig/keys/*.pub 2>/dev/null)" ] && ! cat /etc/pig/keys/*.pub | grep -qxF "$(sed -n 2p "$here/bundle.pub")"; then
	die "the bundle is signed by $key, which this node does not know" "say -k $key once you are sure of it"
fi
if command -v openssl >/dev/null; then
	openssl pkeyutl -verify -pubin -inkey "$here/bundle.pub" -rawin -in "$manifest" -sigfile "$here/manifest.sig" >/dev/null 2>&1 ||
		die "the signature of the bundle is not good" "fetch it again from who built it"
	say "the bundle is whole, signed by $key"
else
	[ -z "$print" ] || die "the signature cannot be checked: this node has no openssl" "leave out -k, or install openssl"
	say "the bundle is whole; its signature was not checked, as this node has no openssl (key $key)"
fi

# ---- the repository in its place ----
if [ -e "$www" ]; then
	data=$(cd "$www" && pwd -P)
else
	ln -s "$data" "$www"
fi
if ! cmp -s "$here/$name/InRelease" "$data/$name/InRelease" || ! cmp -s "$here/$name/repo_complete" "$data/$name/repo_complete"; then
	mkdir -p "$data"
	rm -rf "$data/.$name.new" "$data/.$name.old"
	if [ -n "$bundle" ]; then
		mv "$here/$name" "$data/.$name.new"
	else
		cp -a "$here/$name" "$data/.$name.new"
	fi
	chown -R 0:0 "$data/.$name.new"
	chmod -R u=rwX,go=rX "$data/.$name.new"
	[ ! -e "$data/$name" ] || mv "$data/$name" "$data/.$name.old"
	mv "$data/.$name.new" "$data/$name"
	rm -rf "$data/.$name.old"
	say "the repository is in $www/$name"
fi
repo=$data/$name
put() { # FROM TO: the file, if it differs
	cmp -s "$1" "$2" || install -D -m 0644 "$1" "$2"
}
put "$repo/$name.gpg" "/etc/apt/keyrings/$name.gpg"
put "$repo/$name.gpg" "/etc/pig/repo/$name.gpg"
put "$here/bundle.pub" "/etc/pig/keys/$(echo "$key" | cut -c1-16).pub"
echo "deb [signed-by=/etc/apt/keyrings/$name.gpg] file:$www/$name ./" >"$work/local.list"
put "$work/local.list" /etc/apt/sources.list.d/local.list

# ---- pig and its libraries, from there alone; other sources of this node are left as they are ----
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/local.list -o Dir::Etc::sourceparts=- \
		-o APT::Get::List-Cleanup=0 -o Dpkg::Use-Pty=0 "$@" >"$work/said" 2>&1 || {
		cat "$work/said" >&2
		die "apt-get $1 failed"
	}
}
apt update
if [ -n "$(ls "$repo"/pig_*.deb 2>/dev/null)" ]; then
	apt install -y --no-install-recommends pig openssh-client
	say "$(pig --version) is installed"
else
	say "the bundle holds no pig: built without --deb"
fi

# ---- who runs it: a key, a way in and sudo on this node ----
group=$(id -gn "$user")
if [ ! -f "$home/.ssh/id_ed25519" ]; then
	install -d -m 0700 -o "$user" -g "$group" "$home/.ssh"
	runuser -u "$user" -- ssh-keygen -q -t ed25519 -N '' -C "$user@$(uname -n)" -f "$home/.ssh/id_ed25519"
	say "a key for $user was made"
fi
[ -f "$home/.ssh/id_ed25519.pub" ] || runuser -u "$user" -- sh -c 'ssh-keygen -y -f "$1" >"$1.pub"' sh "$home/.ssh/id_ed25519"
if ! grep -qxF "$(cat "$home/.ssh/id_ed25519.pub")" "$home/.ssh/authorized_keys" 2>/dev/null; then
	runuser -u "$user" -- sh -c 'cat "$1.pub" >>"$2" && chmod 0600 "$2"' sh "$home/.ssh/id_ed25519" "$home/.ssh/authorized_keys"
	say "$user may log in here with it"
fi
# -k: a password that was typed a moment ago does not count
if [ "$user" != root ] && ! runuser -u "$user" -- sudo -kn true 2>/dev/null; then
	echo "$user ALL=(ALL:ALL) NOPASSWD: ALL" >"$work/sudo"
	visudo -cqf "$work/sudo" || die "no line for sudo fits \"$user\""
	# a name of its own: what others wrote for this user stays; it is read last, so that it counts
	line=/etc/sudoers.d/zz-pig-$(echo "$user" | tr . _)
	install -m 0440 "$work/sudo" "$line"
	runuser -u "$user" -- sudo -kn true 2>/dev/null || {
		rm -f "$line"
		die "sudo still asks $user for a password" "what is in /etc/sudoers and /etc/sudoers.d leads over a line of pig's: sudo -l -U $user"
	}
	say "$user has sudo without a password ($line)"
fi
say "done: this is the admin node. As $user: mkdir -p pigsty && cd pigsty && pig configure"
