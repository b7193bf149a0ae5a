#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Linux's own 32-bit x86 selftests, and the programs of selftests/guests/fidelity, say
# the same in a guest under vmon as in QEMU, line by line.
#
# What differs must stand in selftests/guests/fidelity/expected, with its reason; what
# stands there must differ.
#
# Environment: FLAVOURS (686 686-pae), KERNEL (6.1), EXEC (translate).
set -u
. "$(dirname "$0")/../tap.sh"
flavours=${FLAVOURS:-686 686-pae}
kernel=${KERNEL:-6.1}
exec=${EXEC:-translate}
initrd=$tap_here/../../build/guest/initrd-fidelity
expected=$tap_here/../guests/fidelity/expected
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -e "$initrd.programs" ] || { echo "Bail out! no $initrd: make guests"; exit 1; }
programs=$(cat "$initrd.programs")

# Lines that say something, each with its program's name before it; without what changes
# from run to run.
lines()
{
	tr -d '\r' <"$1" | sed 's/^[0-9]* //' | awk '
	/^x86 begin / { name = $3; next }
	/^x86 end / { print name ": status " $4; name = ""; next }
	name == "" || /^\[ *[0-9]+\.[0-9]+\]/ { next }
	/^\[(NOTE|RUN)\]/ { next }
	/^\[/ || /^\tGot / { print name ": " $0 }' |
	sed -E 's/0x[0-9a-f]+/0x*/g; s/ NR = [0-9]+/ NR = */; s/\t/ /g'
}

# differences FLAVOUR NAME: of one program, as they stand in the list
differences()
{
	diff <(grep "^$2: " "$work/native-$1") <(grep "^$2: " "$work/vmon-$1") |
		sed -n 's/^</-/p; s/^>/+/p' | sed -E 's/(RIP=|eip )[-+0-9a-f]+/\1*/g'
}

# listed: the list without its comments
listed()
{
	grep '^[-+] ' "$expected" || :
}

for flavour in $flavours; do
	# As near to vmon's CPU as it goes: no extensions of virtual-8086 mode.
	"$tap_here/native" --memory 128 --cpu coreduo,-vme --initrd "$initrd" "$flavour" x86 \
		>"$work/log" 2>&1
	lines "$work/log" >"$work/native-$flavour"
done
"$tap_here/host" --no-build --kernel "$kernel" --timeout 900 --file "$initrd:/root/initrd" -- "
	vmon-up allow_unprotected=1 || exit
	for flavour in $flavours; do
		echo begin \$flavour
		vmonctl run --kernel /guests/\$flavour/vmlinuz --initrd /root/initrd --memory 128M \
			--exec $exec --append '$guest_append vmon.script=x86' </dev/null
		echo end \$flavour \$?
	done" >"$work/host" 2>&1
host_status=$?

set -- $programs
flavour_count=$(wc -w <<<"$flavours")
tap_plan $((flavour_count * ($# + 2) + 2))
: >"$work/seen"
for flavour in $flavours; do
	part_of "$work/host" "begin $flavour" "end $flavour" >"$work/part"
	lines "$work/part" >"$work/vmon-$flavour"
	[ "$(grep -c '^[^ ]*: status 0$' "$work/native-$flavour")" = $# ] &&
		! grep -q '^[^ ]*: \[\(FAIL\|BAD\)\]' "$work/native-$flavour"
	tap_ok $? "$flavour: all $# programs pass in QEMU"
	grep '^[^ ]*: \(status [1-9]\|\[FAIL\|\[BAD\)' "$work/native-$flavour" | tap_notes
	grep -q "^end $flavour 0" "$work/part"
	tap_ok $? "$flavour: the guest runs to its end under vmon"
	for name; do
		differences "$flavour" "$name" >"$work/differences"
		cat "$work/differences" >>"$work/seen"
		grep -Fxv -f <(listed) "$work/differences" >"$work/news"
		[ ! -s "$work/news" ] && grep -q "^$name: status" "$work/vmon-$flavour"
		tap_ok $? "$flavour: $name ($(grep -c "^$name: " "$work/native-$flavour") lines)"
		head -n 20 "$work/news" | tap_notes
	done
done
grep -Fxv -f "$work/seen" <(listed) >"$work/stale"
[ ! -s "$work/stale" ]
tap_ok $? 'each difference on the list is one'
tap_notes <"$work/stale"
[ "$host_status" = 0 ]
tap_ok $? "the host's kernel had no complaint"
[ "$host_status" = 0 ] || tail -n 20 "$work/host" | tap_notes
[ -z "${KEEP:-}" ] || cp "$work"/native-* "$work"/vmon-* "$work/host" "$KEEP"
tap_done
