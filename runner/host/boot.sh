# The remote loop, evaluated by `sh` on the host; requests follow on the same standard input, replies leave by standard
# output. For: running root's jobs one after the other, each bounded in time and output. Not for: any knowledge of what
# a job does. POSIX sh with coreutils and runuser; the line before sets N (the nonce), D (no one else's folder name), L and
# W (below); $1 is the login user. All of it stands in one function, so that a text cut short by a lost link is a syntax
# error and not half a programme.
pig_loop() {
exec 2>/dev/null
unset ENV BASH_ENV CDPATH SUDO_COMMAND SUDO_USER SUDO_UID SUDO_GID
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077; set -f; cd /; user=$1 no= d= gone=

for t in cat head id mkdir mkfifo rm sleep stat tail tee timeout uname sha256sum chmod chown mv; do
	command -v $t >/dev/null || no="$no $t"
done
command -v runuser >/dev/null || no="$no runuser"
if [ -n "$no" ]; then printf 'PIG-%s lacks%s\n' "$N" "$no"; exit 70; fi

trap 'trap "" HUP INT TERM PIPE; rm -rf "$d"' EXIT # rm is not to be ended half way by the signal that ended us
trap 'exit 71' HUP INT TERM PIPE
for t in /run "$XDG_RUNTIME_DIR" /dev/shm /tmp; do # tmpfs first: what passes through is not to reach a disk
	[ -n "$t" ] && [ -d "$t" ] && [ -w "$t" ] || continue
	d=$t/pig.$D; mkdir "$d" "$d/p" && break
	rmdir "$d"; d=
done
if [ -z "$d" ]; then printf 'PIG-%s lacks a folder to write in\n' "$N"; exit 70; fi
P=$d/p o=$d/o e=$d/e s=$d/s; export P; mkfifo "$d/1" "$d/2"

# Facts are raw material: files by `tail`, which heads each with its name. The runner reads them.
c=; while IFS=: read -r t k p; do
	case ,$k, in ,,) b= ;; *,memory,*) b=/memory ;; *,cpu,*) b=/cpu ;; *) continue ;; esac
	while :; do
		t=/sys/fs/cgroup$b$p
		c="$c $t/memory.max $t/memory.limit_in_bytes $t/cpu.max $t/cpu.cfs_quota_us $t/cpu.cfs_period_us"
		[ -n "$p" ] && p=${p%/*} || break
	done
done </proc/1/cgroup
c="$c /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/memory/memory.limit_in_bytes"
t=/etc/os-release; [ -e $t ] || t=/usr/lib/os-release
read -r m </proc/sys/kernel/arch || m=$(uname -m)
f=$(
	printf 'user=%s\nuname=%s\ndir=%s\nnow=%s\n' "$user" "$m" "$d" "$(date +%s)"
	command -v dpkg >/dev/null && printf 'package=deb\n'
	k=/proc/sys/kernel
	tail -n +1 $t $k/hostname $k/osrelease $k/random/boot_id /etc/machine-id \
		/proc/meminfo /proc/self/status $c
)
printf 'PIG-%s hello %s\n%s\n' "$N" $((${#f} + 1)) "$f"

set +f
# get LENGTH FILE: that many bytes of the request. A full tmpfs ends the session: what is left to read is not known.
get() {
	if [ "$1" = 0 ]; then : >"$2"; return; fi
	head -c "$1" >"$2" || { printf 'PIG-%s FULL %s\n' "$N" "$1"; exit 73; }
}
# The outputs go through a fifo to `tee`, which keeps to its file size limit and swallows the rest: a job that prints
# without end fills nothing. A daemon that the job left behind holds the fifo open, so its end is not awaited but seen:
# the job has ended and the reader sleeps, hence the fifo is empty (a write wakes the reader before it returns). Such a
# reader stays with its daemon.
keep() { (ulimit -f $((cap / 512 + 1)); trap '' XFSZ; exec tee "$2" <"$1" >/dev/null) & }
settled() {
	seen=
	while read -r t t state t <"/proc/$1/stat"; do
		case $state in
		Z | X) break ;;
		S) [ -n "$seen" ] && return 1; seen=1; sleep 0.02 ;;
		esac
	done
	wait "$1"; return 0
}
while read -r verb id limit cap len more; do
	case $verb in RUN) ;; BYE) exit 0 ;; *) exit 72 ;; esac
	[ -z "$gone" ] || wait "$gone"; gone=
	get "$len" "$s"; i=0
	for n in $more; do get "$n" "$P/$i"; i=$((i + 1)); done
	read -r verb t && [ "$verb $t" = "END $id" ] || exit 72 # a link lost half way must not run half a script
	keep "$d/1" "$o"; out=$!; keep "$d/2" "$e"; errs=$!
	read -r begin t </proc/uptime
	# L: one job at a time on this host, whoever sends it; one whose sender was lost is awaited for W s, which the
	# runner waits beyond the limit. The lock goes with the subshell, and no daemon of the job's inherits it.
	(
		umask 022
		if [ -n "$L" ]; then {
			flock -w $W 9 || { read -r t t <&9; exec >"$d/1" 2>"$d/2"; echo "${t:-0}" >"$d/busy"; exit; }
			read -r t x <"/proc/self/stat"; printf 'job %-9s\n' "$t" >&9
			timeout -k 5 "$limit" sh "$s" </dev/null >"$d/1" 2>"$d/2" 9>&-
			exit $? # and no shell makes the job its own last act
		} 9<>"$L"; else
			exec timeout -k 5 "$limit" sh "$s" </dev/null >"$d/1" 2>"$d/2"
		fi
	); rc=$?
	read -r end t </proc/uptime
	case $rc in 137 | 143) [ $((${end%.*} - ${begin%.*})) -ge "$limit" ] && rc=124 ;; esac
	left=; settled "$out" || left=1; settled "$errs" || left=1
	if [ -e "$d/busy" ]; then read -r t <"$d/busy"; printf 'PIG-%s BUSY %s\n' "$N" "$t"; exit 74; fi
	set -- $(stat -c %s "$o" "$e")
	[ "$1" -gt "$cap" ] && set -- "$cap" "$2"
	[ "$2" -gt "$cap" ] && set -- "$1" "$cap"
	printf 'PIG-%s RES %s %s %s %s\n' "$N" "$id" "$rc" "$1" "$2"
	[ "$1" = 0 ] || head -c "$1" "$o"
	[ "$2" = 0 ] || head -c "$2" "$e"
	: >"$s" >"$o" >"$e"
	set -- "$P"/* "$P"/.[!.]*
	if [ -e "$1" ] || [ -e "$2" ]; then rm -rf "$@" & gone=$!; fi # while the reply travels
	if [ -n "$left" ]; then rm -f "$d/1" "$d/2" "$o" "$e"; mkfifo "$d/1" "$d/2"; fi
done
exit 0
}
pig_loop "$1"
