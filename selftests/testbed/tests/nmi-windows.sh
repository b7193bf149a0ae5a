#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# An NMI exactly at each instruction of the world switch, in a host in QEMU: see
# nmi-windows.pl beside this folder. Guests run meanwhile and must end right.
#
# Environment: KERNEL (6.1).
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=$here/../../build
kernel=${KERNEL:-6.1}
control=$(mktemp -d)
trap 'rm -rf "$control"' EXIT

"$here/nmi-windows.pl" "$control" "$here/host" --no-build --no-guests --kernel "$kernel" \
	--control "$control" --timeout "${TIMEOUT:-900}" --append nokaslr \
	--file "$build/guests/tests:/guests/tests" \
	--file "$build/nmi_storm-$kernel/nmi_storm.ko:/root/nmi_storm.ko" -- '
	insmod nmi_storm.ko claim=1 && vmon-up allow_unprotected=1 || exit
	awk "{ print \"SYMBOL\", \$3, \$1 }" /proc/kallsyms |
		grep -E " (vmon_switch_(text|text_end|asm)|vmon_world_run|vmon_nmi|vmon_vectors|nmi_storm_(handler|done)) "
	echo READY
	runs=0 wrong=0
	while [ "$(cat /sys/module/nmi_storm/parameters/done)" = 0 ]; do
		for guest in ring3 sensitive; do
			runs=$((runs + 1))
			vmonctl run --kernel /guests/tests/$guest.elf --memory 16M \
				--debug-exit >/tmp/out 2>&1 </dev/null ||
				{ wrong=$((wrong + 1)); echo "$guest:"; cat /tmp/out; }
		done
	done
	echo "$runs guests, $wrong of them wrong; NMIs handled: $(cat /sys/module/nmi_storm/parameters/seen)"
	[ $wrong = 0 ]'
