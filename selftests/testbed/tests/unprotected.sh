#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# On a CPU that does not enforce segment limits (QEMU's) no guest runs, unless a module
# parameter allows it, and then everybody says so.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host

try()
{
	vmonctl run --kernel /guests/686/vmlinuz --initrd /guests/initrd --memory 64M \
		--append "$guest_append" "$@" >/tmp/out 2>/tmp/err </dev/null
}

tap_plan 11
vmon_restart || tap_done
try --name refused
[ $? = 1 ] && [ ! -s /tmp/out ]
tap_ok $? 'run is refused without allow_unprotected'
[ "$(wc -l </tmp/err)" = 1 ] && grep -q 'segment limits' /tmp/err && grep -q allow_unprotected /tmp/err
tap_ok $? 'the refusal names the reason and the remedy'
tap_notes </tmp/err
vmonctl check >/tmp/check
[ $? = 1 ]
tap_ok $? 'check fails without allow_unprotected'
grep -q 'NOT enforced' /tmp/check && grep -Eq '^segment +no +no +.' /tmp/check &&
	grep -q 'No virtual machine can be run here' /tmp/check
tap_ok $? 'check says that nothing can be run, and why'
tap_notes </tmp/check
vmonctl check --json | grep -q '"protected": *false'
tap_ok $? 'check --json says the same'
no_vm
tap_ok $? 'no VM is listed'

dmesg -c >/dev/null
vmon_restart allow_unprotected=1 || tap_done
vmonctl check >/tmp/check
[ $? = 1 ] && grep -q '^UNPROTECTED: ' /tmp/check
tap_ok $? 'check says UNPROTECTED with it'
tap_notes </tmp/check
dmesg -r | grep '^<[0-4]>' | grep -q 'vmon: .*UNPROTECTED'
tap_ok $? 'the kernel log says UNPROTECTED as a warning'
try --name bare --detach
tap_ok $? 'run is accepted with it'
vmonctl list | grep -q '^bare .*UNPROTECTED'
tap_ok $? 'list says UNPROTECTED'
vmonctl list --json | grep -q '"protected": *false'
tap_ok $? 'list --json says so'
vmonctl stop bare
tap_done
