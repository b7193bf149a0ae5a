#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's i386 kernels, 686 and 686-pae, boot to their userland under vmon on every host
# kernel, and take no more than LIMIT times as long as right in QEMU.
#
# Both run on the same emulator, one after the other, so the ratio says what vmon costs, as
# far as an emulator can: its page walks and mode switches have other prices than a CPU's.
# Time goes from the start of vmonctl or of QEMU to the line "GUEST UP" of /init.
#
# alone
set -u
. "$(dirname "$0")/../tap.sh"
limit=${LIMIT:-8}
kernels=${KERNELS:-6.1 6.12}
guests='686 686-pae'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
set -- $kernels
tap_plan $((2 + 5 * $#))

for guest in $guests; do
	stamped "$tap_here/native" --memory 128 "$guest" hello >"$work/native-$guest"
	native=$(stamp_of "$work/native-$guest" '' 'GUEST UP')
	[ -n "$native" ] && grep -q '^[0-9]* GUEST PASS' "$work/native-$guest"
	tap_ok $? "$guest boots in QEMU"
	echo "${native:-0}" >"$work/time-$guest"
done

for kernel; do
	guests_in_host "$kernel" 686/hello 686-pae/hello >"$work/host"
	for guest in $guests; do
		part_of "$work/host" "begin $guest/hello" "end $guest/hello" >"$work/part"
		time=$(stamp_of "$work/host" "begin $guest/hello" 'GUEST UP')
		native=$(cat "$work/time-$guest")
		grep -q '^GUEST PASS' "$work/part" && grep -q "^end $guest/hello 0" "$work/part"
		tap_ok $? "$guest boots under vmon on $kernel, and ends"
		[ -n "$time" ] && [ "$native" -gt 0 ] && [ "$time" -le $((limit * native)) ]
		tap_ok $? "$guest on $kernel takes at most $limit times as long as in QEMU"
		[ -n "$time" ] && [ "$native" -gt 0 ] &&
			tap_note "$(awk -v a="$time" -v b="$native" -v what="$guest on $kernel" 'BEGIN {
				printf "%s: userland after %.1f s under vmon, %.1f s in QEMU, ratio %.2f",
				what, a / 1000, b / 1000, a / b }')"
	done
	grep -q '^[0-9]* no VM left' "$work/host" && grep -q '^[0-9]* status 0' "$work/host"
	tap_ok $? "no VM is left over on $kernel, and its kernel had no complaint" ||
		:
	[ $tap_failed = 0 ] || tail -n 40 "$work/host" | tap_notes
done
tap_done
