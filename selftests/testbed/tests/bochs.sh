#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under Bochs, whose CPU enforces segment limits: vmon says that it protects, no
# word of UNPROTECTED anywhere, and Debian's kernel boots to its userland.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --emulator bochs --timeout "${TIMEOUT:-1500}"

tap_plan 7
vmon-up || tap_done
vmonctl check >/tmp/check
tap_ok $? 'check is satisfied'
grep -q 'segment limits: enforced' /tmp/check && grep -Eq '^segment +yes +yes' /tmp/check
tap_ok $? 'check says that segment limits are enforced'
vmonctl check --json | grep -q '"protected": *true'
tap_ok $? 'check --json says protected'
tap_notes </tmp/check

read -r start rest </proc/uptime
guest_run 686 hello --name linux >/tmp/log 2>&1 &
guest=$!
sleep 1
vmonctl list >/tmp/list
grep -q '^linux .* segment' /tmp/list
tap_ok $? 'list shows the guest and its guard'
wait $guest
status=$?
read -r end rest </proc/uptime
[ $status = 0 ] && tr -d '\r' </tmp/log | grep -q '^GUEST PASS'
tap_ok $? 'Debian'\''s 686 kernel boots to its userland and ends'
tr -d '\r' </tmp/log | grep '^GUEST [UPF]' | tap_notes
awk -v a="$start" -v b="$end" 'BEGIN { printf "# the guest took %.1f s of the host'\''s time\n", b - a }'
[ $tap_failed = 0 ] || tail -n 30 /tmp/log | tap_notes
dmesg >/tmp/dmesg
! grep -q UNPROTECTED /tmp/check /tmp/list /tmp/log /tmp/dmesg
tap_ok $? 'nobody says UNPROTECTED'
no_vm
tap_ok $? 'no VM is left over'
tap_done
