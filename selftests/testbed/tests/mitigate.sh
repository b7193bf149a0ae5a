#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The flushes against speculation: mitigate=all does all of them at every entry and exit,
# whatever the host's CPU asks for; without it a CPU that needs none costs nothing; mitigate=off
# does none. The host's CPU has five-level page tables, as no other test's.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --cpu max

# run_guest [PARAMETER=VALUE...]: a Linux guest for a while, under a new module; its counters
run_guest()
{
	vmon_restart allow_unprotected=1 "$@" || return
	vmonctl run --detach --name g --kernel /guests/686/vmlinuz --initrd /guests/initrd \
		--memory 64M --append "$guest_append" >/dev/null || return
	sleep 4
	vmonctl pause g
	vmonctl stat g >/tmp/stat
	vmonctl stop g
	entries=$(value entries)
}

value()
{
	awk -v name="$1" '$1 == name { print $2 }' /tmp/stat
}

# about NAME: as many as entries, but for those of a second that is being counted
about()
{
	[ "$(value "$1")" -ge "$entries" ] && [ "$(value "$1")" -le $((entries + entries / 100 + 8)) ]
}

none()
{
	awk '/^flush_/ && $2 { bad = 1 } END { exit bad }' /tmp/stat
}

tap_plan 13
insmod /lib/vmon/vmon.ko allow_unprotected=1 mitigate=most 2>/dev/null
[ $? != 0 ] && dmesg | grep -q 'mitigate=most: give auto, all or off'
tap_ok $? 'another word than auto, all or off is refused'

run_guest mitigate=all || tap_done
grep -E '^(entries|flush_)' /tmp/stat | tap_notes
[ "$entries" -gt 1000 ]
tap_ok $? 'the guest ran'
about flush_verw
tap_ok $? 'the buffers are overwritten at each entry'
about flush_rsb
tap_ok $? 'the return stack is filled at each exit'
about flush_bhb
tap_ok $? 'the branch history is overwritten at each exit'
about flush_fpu
tap_ok $? 'the FPU holds nothing but the guest'"'"'s at each entry'
if dmesg | grep -q 'the CPU has no IBPB'; then
	tap_skip 'the predictors are flushed at each exit' 'no IBPB'
	tap_skip 'the predictors are flushed before another guest' 'no IBPB'
else
	about flush_ibpb_exit
	tap_ok $? 'the predictors are flushed at each exit'
	[ "$(value flush_ibpb_entry)" -ge 1 ] && [ "$(value flush_ibpb_entry)" -lt "$entries" ]
	tap_ok $? 'the predictors are flushed before another guest'
fi

run_guest || tap_done
grep -E '^(entries|flush_)' /tmp/stat | tap_notes
[ "$entries" -gt 1000 ]
tap_ok $? 'the guest ran without it'
[ "$(value flush_ibpb_exit)" = 0 ]
tap_ok $? 'the default does not flush predictors at each exit'
bugs=/sys/devices/system/cpu/vulnerabilities
if grep -qs 'Clear CPU buffers' $bugs/mds $bugs/tsx_async_abort $bugs/mmio_stale_data; then
	about flush_verw
else
	[ "$(value flush_verw)" = 0 ]
fi
tap_ok $? 'the default overwrites buffers where the host does'

run_guest mitigate=off || tap_done
[ "$entries" -gt 1000 ] && none
tap_ok $? 'with mitigate=off nothing is flushed'
dmesg | grep -q 'mitigate=off: guests may read'
tap_ok $? 'and the kernel log says what that means'
tap_done
