#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two guests side by side, and many one after the other: nothing of them stays behind, in
# the list, in the module's memory, in vmond's or in the host's.
#
# A first VM warms up: what the kernel and vmond allocate once and keep is no leak. Before
# memory is measured caches are dropped. MemFree leaves out the free pages that wait in the
# CPUs' lists, some MiB here; they are added.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --timeout 600

count=20
slack=1024	# KiB

# field NAME: of /proc/meminfo, in KiB
field()
{
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

# measure FILE: what is free, and what the kernel holds, in KiB
measure()
{
	for i in 1 2 3; do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		sleep 1
	done
	{
		echo "free $(($(field MemFree) + $(awk '$1 == "count:" { s += $2 } END { print s * 4 }' /proc/zoneinfo)))"
		echo "vmond $(awk '$1 == "VmRSS:" { print $2 }' "/proc/$(pidof vmond)/status")"
		echo "kernel $(($(field SUnreclaim) + $(field VmallocUsed) + $(field Percpu) + $(field PageTables)))"
		echo "vmon $(awk '/\[vmon\]/ { s += $2 } END { print int(s / 1024) }' /proc/vmallocinfo)"
	} >"$1"
}

# brief NAME: a VM that is stopped in the middle of its guest's boot
brief()
{
	vmonctl run --kernel /guests/686/vmlinuz --initrd /guests/initrd --memory 64M \
		--append "$guest_append" --name "$1" --detach >/dev/null || return
	sleep 2
	vmonctl stop "$1"
}

tap_plan 10
vmon-up allow_unprotected=1 || tap_done

guest_run 686 hello --name one >/tmp/one 2>&1 &
one=$!
guest_run 686-pae hello --name two >/tmp/two 2>&1 &
two=$!
sleep 5
[ "$(vmonctl list | grep -c ' running ')" = 2 ]
tap_ok $? 'two guests are listed as running'
wait $one && tr -d '\r' </tmp/one | grep -q '^GUEST PASS'
tap_ok $? 'the first guest passes'
wait $two && tr -d '\r' </tmp/two | grep -q '^GUEST PASS'
tap_ok $? 'the second guest passes beside it'
[ $tap_failed = 0 ] || tail -n 10 /tmp/one /tmp/two | tap_notes

brief warm-up
measure /tmp/before
i=0 started=0
while [ $i -lt $count ]; do
	i=$((i + 1))
	brief "vm$i" && started=$((started + 1))
done
[ $started = $count ]
tap_ok $? "$count VMs start and stop, one after the other ($started)"
no_vm
tap_ok $? 'no VM is listed'
measure /tmp/after
while read -r name before; do
	after=$(awk -v name="$name" '$1 == name { print $2 }' /tmp/after)
	lost=$((after - before))
	[ "$name" = free ] && lost=$((before - after))
	[ $lost -le $slack ]
	tap_ok $? "memory ($name) is back within 1 MiB ($before KiB before, $after KiB after)"
done </tmp/before
kill "$(pidof vmond)"
sleep 1
rmmod vmon
tap_ok $? 'the module can be unloaded'
tap_done
