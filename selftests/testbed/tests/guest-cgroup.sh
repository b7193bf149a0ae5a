#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests that files define, with the module: they run in the cgroups of the process that
# starts them, as their unit's does, so limits of memory and processor time hold, and they end
# with it.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --timeout 900

cg=/sys/fs/cgroup

# thread: the process number of the only vCPU's thread
thread()
{
	grep -l '^vmon/' /proc/[0-9]*/comm 2>/dev/null | sed 's|/proc/\([0-9]*\)/comm|\1|'
}

# within SECONDS COMMAND...
within()
{
	seconds=$1
	shift
	while ! "$@" >/dev/null 2>&1; do
		seconds=$((seconds - 1))
		[ $seconds -gt 0 ] || return 1
		sleep 1
	done
}

runs()
{
	vmonctl status web >/dev/null
}

ended()
{
	! runs
}

empty()
{
	grep -qx 'populated 0' $cg/web/cgroup.events
}

larger() # FILE NUMBER
{
	[ "$(cat "$1")" -gt "$2" ]
}

throttled()
{
	[ "$(sed -n 's/^nr_throttled //p' $cg/web/cpu.stat)" -gt 2 ]
}

# start: what the unit vmon@web.service does
start()
{
	sh -c "echo \$\$ >$cg/web/cgroup.procs; exec vmonctl start --foreground web" \
		>/tmp/unit 2>&1 </dev/null &
	unit=$!
	within 120 runs
}

tap_plan 13
vmon-up allow_unprotected=1 || tap_done
echo '+memory +cpu' >$cg/cgroup.subtree_control && mkdir $cg/web
tap_ok $? 'cgroups'
vmonctl create web --kernel /guests/686/vmlinuz --initrd /guests/initrd --memory 64M \
	--append "$guest_append"
tap_ok $? 'a guest is defined'

start
tap_ok $? 'it runs'
[ "$(sed -n 's/^0:://p' "/proc/$(thread)/cgroup")" = /web ]
tap_ok $? "its vCPU's thread is in the cgroup of the process that started it"
[ "$(sed -n 's/^0:://p' "/proc/$(pidof vmond)/cgroup")" = / ]
tap_ok $? 'vmond is not'
within 120 larger $cg/web/memory.current $((8 << 20))
tap_ok $? "the guest's memory is charged there ($(($(cat $cg/web/memory.current) >> 20)) MiB)"
echo '5000 100000' >$cg/web/cpu.max
within 120 throttled
tap_ok $? 'a limit of processor time holds'
echo max >$cg/web/cpu.max
vmonctl reset web && within 60 sh -c 'vmonctl show web | grep -qx Restarts=1'
tap_ok $? 'reset restarts it'
kill $unit
wait $unit
tap_ok $? 'SIGTERM ends it, with status 0'
within 60 empty
tap_ok $? 'nothing of it is left in the cgroup'

start
kill -9 $unit
within 60 ended && within 60 empty
tap_ok $? 'it ends with its process, however that ends'

# The kernel tells how it came to that with a call trace, which is none of the host's troubles.
start
id=$(vmonctl show web | grep '^Id=')
within 120 larger $cg/web/memory.current $((24 << 20))
level=$(cat /proc/sys/kernel/printk)
echo 3 >/proc/sys/kernel/printk
cat $cg/web/memory.current >$cg/web/memory.max
within 200 ended && [ "$(vmonctl show web | grep '^Id=')" = "$id" ]
tap_ok $? 'a guest that needs more memory than its limit is ended'
echo "$level" >/proc/sys/kernel/printk
{
	cat /tmp/unit
	vmonctl show web | grep -E '^(State|Cause|Report)='
	cat $cg/web/memory.events
} | tap_notes
vmonctl list >/tmp/list && grep -q 'No virtual' /tmp/list && [ -n "$(pidof vmond)" ]
tap_ok $? 'and nothing else'
tap_done
