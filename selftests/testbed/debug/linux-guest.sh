#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A Debian guest boots in the debug host, and its user space does what it should. It takes
# minutes there; the time is told.
set -u
testbed=$(cd "$(dirname "$0")/.." && pwd)
export guests_timeout=${TIMEOUT:-1500}
. "$testbed/tap.sh"
tap_here=$testbed

work=$(mktemp)
trap 'rm -f "$work"' EXIT
tap_plan 2
guests_in_host debug 686/hello >"$work"
grep -q '^[0-9]* GUEST PASS' "$work"
tap_ok $? 'a Debian guest boots in the debug host, and passes'
tap_note "userland after $(($(stamp_of "$work" 'begin 686/hello' 'GUEST UP') / 1000)) s"
grep -q '^[0-9]* no VM left' "$work" && grep -q '^[0-9]* status 0' "$work"
tap_ok $? 'no VM is left over, and the kernel had no complaint'
[ $tap_failed = 0 ] || tail -n 60 "$work" | tap_notes
tap_done
