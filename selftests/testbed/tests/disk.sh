#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Disks: Debian's kernels drive them with their own modules, what a guest writes is in the
# file and there after its reboot, and what cannot be a disk is refused.
#
#   image:  0 ext2 .............. 16 MiB   20 MiB pattern ...... 21 MiB ........ 32 MiB
#
# The guest checks (initramfs/scripts/disk), and the host looks at the same bytes.
set -u
. "$(dirname "$0")/../tap.sh"
modules=$(dirname "$0")/../../../build/guest/modules
tap_in_host --timeout 1200 --file "$modules-686:/guests/686/modules" \
	--file "$modules-686-pae:/guests/686-pae/modules"

disk=/tmp/disk
append='console=ttyS0 nolapic noapic acpi=off io_delay=none reboot=k oops=panic panic=-1'

# guest FLAVOUR STEP DISK-OPTION [OPTION OF vmonctl run...]
guest()
{
	flavour=$1 step=$2 option=$3
	shift 3
	cat /guests/initrd "/guests/$flavour/modules" >/tmp/initrd
	vmonctl run --kernel "/guests/$flavour/vmlinuz" --initrd /tmp/initrd --memory 128M \
		--disk "$option" --rng --append "$append vmon.script=disk vmon.step=$step" "$@" \
		</dev/null >/tmp/out 2>&1
	status=$?
	tr -d '\r' </tmp/out >/tmp/guest
}

# passed NAME: the guest that has just ended did what it should
passed()
{
	[ $status = 0 ] && grep -q '^GUEST PASS' /tmp/guest && no_vm
	result=$?
	tap_ok $result "$1"
	[ $result = 0 ] || tail -n 40 /tmp/guest | tap_notes
}

# The file's own bytes, as the guest must have left them.
pattern_is_there()
{
	seq 1 200000 | head -c 1048576 | md5sum >/tmp/wanted
	dd if=$disk bs=64k skip=320 count=16 2>/dev/null | md5sum | cmp -s - /tmp/wanted
}

# refused NAME THING OPTION...
refused()
{
	name=$1 thing=$2
	shift 2
	timeout 30 vmonctl run --kernel /guests/686/vmlinuz "$@" >/tmp/out 2>/tmp/err </dev/null
	status=$?
	[ $status = 1 ] && [ "$(wc -l </tmp/err)" = 1 ] && [ ! -s /tmp/out ] &&
		grep -Eq -- "$thing" /tmp/err && no_vm
	tap_ok $? "$name"
	tap_notes </tmp/err
}

tap_plan 12
vmon-up allow_unprotected=1 || tap_done
truncate -s 32M $disk

guest 686 twice $disk,id=testdisk --reboot
[ $status = 0 ] && grep -q '^DISK SURVIVED' /tmp/guest && [ "$(grep -c '^GUEST UP' /tmp/guest)" = 2 ]
result=$?
tap_ok $result '686 makes a file system, and finds all of it after its reboot'
[ $result = 0 ] || tail -n 60 /tmp/guest | tap_notes
pattern_is_there
tap_ok $? 'the host finds what the guest wrote'
[ "$(dd if=$disk bs=1 skip=1080 count=2 2>/dev/null | od -A n -t x2 | tr -d ' ')" = ef53 ]
tap_ok $? 'and its file system'
used=$(du -k $disk | cut -f 1)
[ "$used" -lt 32000 ]
tap_ok $? "what was discarded takes no room ($used KiB)"

before=$(md5sum <$disk)
guest 686-pae readonly $disk,readonly,id=testdisk
passed '686-pae finds the same on a readonly disk, which refuses writes'
[ "$(md5sum <$disk)" = "$before" ]
tap_ok $? 'and is as it was'

: >/tmp/empty
head -c 1000 /dev/zero >/tmp/odd
refused 'no such disk' "disk '/tmp/none': No such file" --disk /tmp/none
refused 'a directory as disk' "disk '/tmp' is a directory" --disk /tmp
refused 'a device that is no disk' "disk '/dev/zero' is neither" --disk /dev/zero
refused 'an empty disk' "disk '/tmp/empty' is empty: 'truncate" --disk /tmp/empty
refused 'a disk of an odd size' "disk '/tmp/odd' has 1000 bytes" --disk /tmp/odd
vmonctl run --kernel /guests/686/vmlinuz --append "$append" --name first --detach \
	--disk $disk >/dev/null
timeout 30 vmonctl run --kernel /guests/686/vmlinuz --disk $disk,readonly >/tmp/out 2>/tmp/err </dev/null
[ $? = 1 ] && grep -q "disk '$disk' is in use by another guest" /tmp/err
tap_ok $? 'a disk that another guest writes to'
tap_notes </tmp/err
vmonctl stop first
tap_done
