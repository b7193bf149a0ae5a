#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A hostile daemon and hostile users: selftests/module/netlink_fuzz.c and hostile.c in a host
# with the module loaded. Afterwards nothing of theirs is left in the kernel's memory, the
# module can be unloaded, and the kernel's log is clean.
#
# Environment: SECONDS_EACH (6) for the threads, ROUNDS (16) of owners killed, SEED, KERNEL
# (6.1), TOLERATE_ENOMEM (for kernels that inject faults).
set -u
. "$(dirname "$0")/../tap.sh"
programs=$tap_here/../../build/selftests-module
if [ ! -e /testbed/command ]; then
	exec "$tap_here/host" --no-build --no-guests --smp 2 --kernel "${KERNEL:-6.1}" \
		--timeout "${TIMEOUT:-900}" --file "$tap_here/tap.sh:/root/tap.sh" \
		--file "$0:/root/tests/${0##*/}" --file "$programs/netlink_fuzz" \
		--file "$programs/hostile" -- "SECONDS_EACH=${SECONDS_EACH:-6} \
		ROUNDS=${ROUNDS:-16} SEED=${SEED:-20240607} \
		${TOLERATE_ENOMEM:+TOLERATE_ENOMEM=1} sh /root/tests/${0##*/}"
fi
[ -z "${TOLERATE_ENOMEM-}" ] || export TOLERATE_ENOMEM

slack=1024	# KiB

# field NAME: of /proc/meminfo, in KiB
field()
{
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

measure()
{
	for i in 1 2 3; do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		sleep 1
	done
	{
		echo "kernel $(($(field SUnreclaim) + $(field VmallocUsed) + $(field Percpu) + $(field PageTables)))"
		echo "shmem $(field Shmem)"
		echo "vmon $(awk '/\[vmon\]/ { s += $2 } END { print int(s / 1024) }' /proc/vmallocinfo)"
	} >"$1"
}

# part PROGRAM ARGUMENT...: its tests are ours; what it says of a plan is not
part()
{
	"$@" >/tmp/part 2>&1
	status=$?
	grep -E '^#' /tmp/part
	grep -E '^(not )?ok ' /tmp/part >/tmp/results
	while read -r line; do
		case $line in
		ok*) tap_ok 0 "${line#ok * }" ;;
		*) tap_ok 1 "${line#not ok * }" ;;
		esac
	done </tmp/results
	[ $status = 0 ]
	tap_ok $? "${1#./} ends well ($status)"
}

tap_plan 62
insmod /lib/vmon/vmon.ko allow_unprotected=1 || tap_done
# What the kernel allocates once and keeps is no leak: a short round of the same first.
TOLERATE_ENOMEM=1 ./netlink_fuzz 0 7 >/dev/null 2>&1
TOLERATE_ENOMEM=1 ./hostile 2 7 >/dev/null 2>&1
measure /tmp/before
part ./netlink_fuzz "$SECONDS_EACH" "$SEED"
part ./hostile "$ROUNDS" "$SEED"
measure /tmp/after
while read -r name before; do
	after=$(awk -v name="$name" '$1 == name { print $2 }' /tmp/after)
	[ $((after - before)) -le $slack ]
	tap_ok $? "memory ($name) is back within 1 MiB ($before KiB before, $after KiB after)"
done </tmp/before
rmmod vmon
tap_ok $? 'the module can be unloaded'
tap_done
