# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of vmond and vmonctl share: checks that print TAP. The including script sets
# $out, the directory of the programs; $dir is a scratch directory afterwards.

dir=$(mktemp -d)
export VMON_SOCKET="$dir/run/bus"
ctl=$out/vmonctl
n=0
failed=0

check() { # name, command...
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>"$dir/err"; then
		echo "ok $n $name"
	else
		echo "not ok $n $name (status $?)"
		sed 's/^/# /' "$dir/out" "$dir/err"
		failed=$((failed + 1))
	fi
}

# status WANTED COMMAND...: the command's exit status is WANTED
status() {
	want=$1
	shift
	"$@"
	got=$?
	[ $got -eq "$want" ] || { echo "status $got, not $want" >&2; return 1; }
}

# says WANTED-STATUS TEXT COMMAND...: status, and one line with TEXT in it
says() {
	want=$1
	text=$2
	shift 2
	"$@" >"$dir/said" 2>&1 </dev/null
	got=$?
	cat "$dir/said"
	[ $got -eq "$want" ] && grep -q -e "$text" "$dir/said"
}

wait_for() { # file
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ -e "$1" ] && return 0
		sleep 0.1
	done
	return 1
}

# until COMMAND...: it comes true within ten seconds
until_true() {
	tries=0
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

# A Multiboot image, $dir/mb: header with load addresses, then nothing.
# magic, flags, checksum, header_addr, load_addr, load_end, bss_end, entry
make_multiboot() {
	printf '\002\260\255\033\000\000\001\000\376\117\121\344' >"$dir/mb"
	printf '\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\000\000\020\000' >>"$dir/mb"
}

done_testing() {
	echo "1..$n"
	echo "# $((n - failed)) passed, $failed failed"
	[ -n "$KEEP" ] && cat "$dir/log"
	rm -rf "$dir"
	[ $failed -eq 0 ]
}
