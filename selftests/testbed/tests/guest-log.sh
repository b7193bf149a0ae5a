#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The whole test script of the Linux guests passes under vmon as it does right in QEMU, and
# the guest's kernel logs nothing at warning level or above that it does not log there.
#
# /init prints those lines of its kernel's log behind the script, between markers. Numbers
# are compared as N.
set -u
. "$(dirname "$0")/../tap.sh"
jobs=${JOBS:-6.1/686 6.1/686-pae 6.12/686}

# What the machine explains, with the reason; extended regular expressions. QEMU makes the
# guests say the same: native --cpu coreduo,-apic,-mce,-mca.
allowed=(
	# No local APIC, so no table of processors.
	'^smpboot: weird, boot CPU \(#N\) not listed by the BIOS$'
	# No machine-check registers in CPUID.
	'^mce: Unable to init MCE device \(rc: -N\)$'
	# Seen now and then, with the host's cores busy: a tick is served for longer than until
	# the next one, by an emulator inside an emulator. QEMU by itself does not bring a guest
	# to say it, even stopped for nine tenths of the time. So it is the cost of vmon's exits,
	# and this line goes when they are cheap enough.
	'^hrtimer: interrupt took N ns$'
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
set -- $jobs
tap_plan $((2 + 3 * $#))

# messages: the lines between the markers of stdin, normalised
messages()
{
	sed -n '/^GUEST LOG BEGIN/,/^GUEST LOG END/p' | grep '^<[0-4]>' |
		sed -E 's/^<[0-9]>\[ *[0-9.]+\] //; s/0x[0-9a-fA-F]+/N/g; s/[0-9a-f]{8,}/N/g; s/[0-9]+/N/g' |
		LC_ALL=C sort -u
}

# warnings: those that the machine does not explain
warnings()
{
	messages | grep -Ev -f <(printf '%s\n' "${allowed[@]}")
}

for guest in 686 686-pae; do
	stamped "$tap_here/native" --memory 128 "$guest" full >"$work/native"
	sed 's/^[0-9]* //' "$work/native" >"$work/native-$guest"
	grep -q '^GUEST PASS' "$work/native-$guest"
	tap_ok $? "$guest passes its script in QEMU"
	warnings <"$work/native-$guest" >"$work/warnings-$guest"
	sed "s/^/logged in QEMU by $guest: /" "$work/warnings-$guest" | tap_notes
done

for kernel in $(printf '%s\n' "$@" | cut -d / -f 1 | sort -uV); do
	run=()
	for job; do
		[ "${job%/*}" = "$kernel" ] && run+=("${job#*/}")
	done
	guests_in_host "$kernel" "${run[@]/%//full}" >"$work/host"
	for guest in "${run[@]}"; do
		part_of "$work/host" "begin $guest/full" "end $guest/full" >"$work/part"
		grep -q '^GUEST PASS' "$work/part" && grep -q "^end $guest/full 0" "$work/part"
		passed=$?
		tap_ok $passed "$guest passes its script under vmon on $kernel"
		[ $passed = 0 ] || tail -n 40 "$work/part" | tap_notes
		# A log of nothing would say nothing.
		grep -q '^GUEST LOG END' "$work/part"
		tap_ok $? "$guest tells its log on $kernel"
		warnings <"$work/part" | LC_ALL=C comm -13 "$work/warnings-$guest" - >"$work/more"
		[ ! -s "$work/more" ]
		tap_ok $? "$guest on $kernel logs no warning that it does not log in QEMU"
		sed 's/^/logged under vmon only: /' "$work/more" | tap_notes
		messages <"$work/part" | grep -E -f <(printf '%s\n' "${allowed[@]}") |
			sed 's/^/logged, and allowed: /' | tap_notes
	done
done
tap_done
