# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of the test bed share: TAP, guests and times. For bash here and for
# busybox's sh in a host.
#
# A test that runs in a host is one file all the same: tap_in_host starts the host with
# the test in it, and returns when it is there already.

tap_here=$(cd "$(dirname "$0")/.." && pwd)
tap_number=0
tap_failed=0

# Debian's i386 kernels boot with these words on what vmon has of a PC. An oops ends them.
guest_append='console=ttyS0 nolapic noapic acpi=off pci=off io_delay=none reboot=k oops=panic panic=-1'

# tap_in_host [OPTION OF host...]: the rest of the test runs in a host.
tap_in_host()
{
	[ ! -e /testbed/command ] || return 0
	exec "$tap_here/host" --no-build "$@" --file "$tap_here/tap.sh:/root/tap.sh" \
		--file "$0:/root/tests/${0##*/}" -- "sh /root/tests/${0##*/}"
}

tap_plan()
{
	tap_planned=$1
	echo 'TAP version 13'
	echo "1..$1"
}

# tap_ok STATUS NAME
tap_ok()
{
	tap_number=$((tap_number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_number $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_number $2"
	fi
}

# tap_skip NAME REASON
tap_skip()
{
	tap_number=$((tap_number + 1))
	echo "ok $tap_number $1 # SKIP $2"
}

# tap_note TEXT: a diagnostic; tap_notes: one a line of stdin
tap_note()
{
	echo "# $*"
}

tap_notes()
{
	tr -d '\r' | sed 's/^/# /'
}

# tap_done: the last command of a test
tap_done()
{
	while [ "$tap_number" -lt "${tap_planned:-0}" ]; do
		tap_ok 1 'not reached'
	done
	[ "$tap_failed" = 0 ]
	exit
}

# --- in a host ---

# vmon_restart [PARAMETER=VALUE...]: module and daemon anew
vmon_restart()
{
	if vmon_pid=$(pidof vmond); then
		kill "$vmon_pid"
		while [ -d "/proc/$vmon_pid" ]; do
			sleep 0.1
		done
		rmmod vmon || return
	fi
	vmon-up "$@"
}

# guest_run FLAVOUR SCRIPT [OPTION OF vmonctl run...]: a Linux guest to its end
guest_run()
{
	guest_flavour=$1 guest_script=$2
	shift 2
	vmonctl run --kernel "/guests/$guest_flavour/vmlinuz" --initrd /guests/initrd \
		--memory 128M --append "$guest_append vmon.script=$guest_script" "$@" </dev/null
}

# no_vm: nothing is left over
no_vm()
{
	[ "$(vmonctl list 2>&1)" = 'No virtual machines.' ]
}

# --- outside ---

# stamped COMMAND...: its output, each line after the milliseconds since its start
stamped()
{
	(
		exec 2>&1
		"$@" </dev/null
		echo "status $?"
	) | perl -MTime::HiRes=time -ne '
		BEGIN { $| = 1; $start = time }
		s/\r//g;
		printf "%d %s", (time - $start) * 1000, $_'
}

# stamp_of FILE BEGIN END: milliseconds from the first line with BEGIN (empty: the start)
# to the next with END; nothing if there is none
stamp_of()
{
	awk -v from="$2" -v to="$3" '
	{ stamp = $1; sub(/^[0-9]+ /, "") }
	!begun && (from == "" || index($0, from) == 1) { begun = 1; at = from == "" ? 0 : stamp }
	begun && index($0, to) == 1 { print stamp - at; exit }' "$1"
}

# part_of FILE BEGIN END: the lines from one with BEGIN to the next with END, without stamps
part_of()
{
	sed 's/^[0-9]* //' "$1" | awk -v from="$2" -v to="$3" '
	index($0, from) == 1 { on = 1 }
	on { print }
	on && index($0, to) == 1 { exit }'
}

# guests_in_host KERNEL GUEST/SCRIPT...: one host, one guest after the other, between lines
# "begin GUEST/SCRIPT" and "end GUEST/SCRIPT STATUS"
guests_in_host()
{
	guests_kernel=$1
	shift
	stamped "$tap_here/host" --no-build --kernel "$guests_kernel" --timeout "${guests_timeout:-600}" \
		--file "$tap_here/tap.sh:/root/tap.sh" -- "
		mkdir -p tests; . /root/tap.sh
		vmon-up allow_unprotected=1 || exit
		for job in $*; do
			echo \"begin \$job\"
			guest_run \${job%/*} \${job#*/}
			echo \"end \$job \$?\"
		done
		no_vm && echo no VM left"
}
