#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ACPI as Debian's kernels take it: without complaints, power-off ends a guest with status 0,
# the power button powers off and reboots it, the reset register resets it, and PCI's
# interrupts come where _PRT says.
#
# The guest tells what it found (initramfs/scripts/acpi).
set -u
. "$(dirname "$0")/../tap.sh"
modules=$(dirname "$0")/../../../build/guest/modules
tap_in_host --timeout 1200 --file "$modules-686:/guests/686/modules" \
	--file "$modules-686-pae:/guests/686-pae/modules"

append='console=ttyS0 nolapic noapic io_delay=none oops=panic panic=-1 vmon.script=acpi'

# Two warnings are how things are on any PC like this: without MCFG there is no way to the
# configuration space that PCI Express adds; and a kernel that has _PRT makes all lines of PCI
# edge triggered first, and then those level triggered that it finds in use.
complaints()
{
	grep '^GUEST SAYS.*\(ACPI\|acpi\|PCI INT\|GSI\|irq\)' "$1" |
		grep -v -e 'acpi PNP0A03:00: fail to add MMCONFIG information' \
			-e 'ACPI: setting ELCR to 0200 (from 0ea0)'
}

# guest FLAVOUR STEP [OPTION OF vmonctl run...]
guest()
{
	flavour=$1 step=$2
	shift 2
	cat /guests/initrd "/guests/$flavour/modules" >/tmp/initrd
	timeout 900 vmonctl run --kernel "/guests/$flavour/vmlinuz" --initrd /tmp/initrd \
		--memory 128M "$@" </dev/null >/tmp/out 2>&1
	status=$?
	tr -d '\r' </tmp/out >/tmp/guest
}

# ended HOW NAME: the guest has ended so, with status 0, after it had found what it wanted
ended()
{
	[ $status = 0 ] && grep -q "^vmonctl: .*ended: $1" /tmp/guest &&
		! grep -q '^GUEST FAIL' /tmp/guest && no_vm
	result=$?
	tap_ok $result "$2"
	[ $result = 0 ] || tail -n 40 /tmp/guest | tap_notes
}

# is STATE: of the guest that is defined
is()
{
	vmonctl show debian | grep -qx "$1"
}

# says N LINE: on its console, N times
says()
{
	[ "$(tr -d '\r' <"$log" | grep -cx "$2")" = "$1" ]
}

# until COMMAND...: within ten minutes
until_true()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return
		sleep 0.5
	done
}

tap_plan 12
vmon-up allow_unprotected=1 || tap_done
truncate -s 32M /tmp/disk

guest 686-pae disk --disk /tmp/disk --rng --append "$append vmon.step=disk"
ended 'the guest powered off' '686-pae reads a disk and random bytes, and powers off'
grep -q '^GUEST SAYS' /tmp/guest && ! complaints /tmp/guest >/tmp/complaints
tap_ok $? 'its kernel does not complain of ACPI'
tap_notes </tmp/complaints

guest 686 reset --append "$append pci=off reboot=a vmon.step=reset"
ended 'the guest reset itself' '686 resets itself by the register that ACPI names'
grep -q '^GUEST SAYS' /tmp/guest && ! complaints /tmp/guest >/tmp/complaints
tap_ok $? 'its kernel does not complain of ACPI'
tap_notes </tmp/complaints

cat /guests/initrd /guests/686/modules >/tmp/initrd
log=/tmp/log
mkdir -p /etc/vmon/guests
vmonctl create debian --kernel /guests/686/vmlinuz --initrd /tmp/initrd --memory 128M --log $log \
	--append "$append pci=off vmon.step=button" >/dev/null
vmonctl start --no-unit debian
vmonctl poweroff debian 2>/tmp/err
[ $? = 1 ] && [ "$(wc -l </tmp/err)" = 1 ] && grep -q 'does not listen to its power button' /tmp/err
tap_ok $? 'a guest whose kernel does not listen yet is not asked'
tap_notes </tmp/err
until_true says 1 'GUEST LISTENS' && is PowerButton=yes
tap_ok $? 'it listens once its kernel has loaded the module'
vmonctl reboot debian
tap_ok $? 'it is asked to reboot'
until_true is Restarts=1
tap_ok $? 'it powers off, and is restarted'
until_true says 2 'GUEST LISTENS' && is PowerButton=yes
tap_ok $? 'and listens again'
vmonctl poweroff debian
tap_ok $? 'it is asked to power off'
until_true is Cause=power-off
tap_ok $? 'and does'
says 2 'GUEST BUTTON' && ! grep -q '^GUEST FAIL' $log && no_vm
result=$?
tap_ok $result 'both times it saw the button'
[ $result = 0 ] || tail -n 60 $log | tap_notes
tap_done
