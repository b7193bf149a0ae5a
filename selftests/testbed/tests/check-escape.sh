#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vmonctl check --escape with the module, on a CPU that does not enforce segment limits
# (QEMU's): it refuses, or says UNPROTECTED and what got out. escape.sh has it where nothing
# gets out.
set -u
. "$(dirname "$0")/../tap.sh"
[ -e /testbed/command ] || make -s -C "$tap_here/../guests" escape >&2 ||
	{ echo 'Bail out! the programs do not build'; exit 1; }
tap_in_host --no-guests --timeout 300 --file "$tap_here/../../build/guests/escape:/guests/escape"

# check [ARGUMENT...]: its status is in $status
check()
{
	vmonctl check --escape --programs /guests/escape "$@" >/tmp/out 2>/tmp/err </dev/null
	status=$?
}

# number KEY: of the sums, which come before the programs
number()
{
	sed -n "s/^  \"$1\":\([0-9]*\),*$/\1/p" /tmp/out
}

tap_plan 12
vmon_restart || tap_done
check
[ $status = 1 ] && [ ! -s /tmp/out ] && [ "$(wc -l </tmp/err)" = 1 ] &&
	grep -q 'does not enforce segment limits.*allow_unprotected=1' /tmp/err
tap_ok $? 'refused, with reason and remedy'
tap_notes </tmp/err

vmon_restart allow_unprotected=1 || tap_done
check
[ $status = 1 ] && grep -q 'UNPROTECTED.*--unprotected' /tmp/err && no_vm
tap_ok $? 'refused on an unprotected host, which only an option changes'
check --unprotected --json cache
[ $status = 1 ] && grep -q '"protected":false' /tmp/out && ! grep -q '"verdict":"passed"' /tmp/out
tap_ok $? 'with the option: tried, status 1 all the same'
[ "$(number attempts)" -gt 100 ] && [ "$(number right)" -gt 100 ] && [ "$(number known_gap)" -gt 0 ]
tap_ok $? "attempts: $(number attempts), right $(number right), known gap $(number known_gap)"
[ "$(number exits_compared)" -gt "$(number attempts)" ] &&
	[ "$(number attempts_compared)" -ge "$(number attempts)" ]
tap_ok $? "compared: $(number exits_compared) exits, $(number attempts_compared) attempts"
tap_notes </tmp/err

check --unprotected --restarts 2 memory
[ $status = 1 ] && grep -q '^UNPROTECTED: ' /tmp/out && grep -q '^  not ok [0-9]* ring 0 ' /tmp/out
tap_ok $? 'attempts on the last page succeed: failures, UNPROTECTED, status 1'
cut -c 1-150 /tmp/out | tap_notes
grep -q 'CHANGED' /tmp/out && grep -q '^SOMETHING GOT OUT: [1-9]' /tmp/out
tap_ok $? 'and what they changed is counted'
dmesg | grep -q 'vmon: selfcheck: .* has changed'
tap_ok $? 'and in the kernel log'
name=$(vmonctl list --all | sed -n 's/^\(escape-memory-[0-9]*\) .*/\1/p' | head -n 1)
vmonctl stat "$name" >/tmp/stat && grep -Eq '^selfcheck_exits +[1-9]' /tmp/stat &&
	vmonctl show "$name" | grep -q '^SelfCheck=yes'
tap_ok $? 'its machines are shown, with their counters'
no_vm
tap_ok $? 'no VM is left'

vmonctl check --escape --unprotected --programs /guests/escape operands >/tmp/out 2>/tmp/err </dev/null &
pid=$!
tries=0
until vmonctl list | grep -q '^escape-operands.*running' || [ $tries = 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
kill -INT $pid
wait $pid
[ $? = 1 ] && [ $tries -lt 100 ] && no_vm && ! ps | grep -q '[[]vmon/'
tap_ok $? 'Ctrl-C: status 1, no VM and no thread is left'
tap_notes </tmp/out
kill "$(pidof vmond)"
while pidof vmond >/dev/null; do sleep 0.1; done
rmmod vmon
tap_ok $? 'the module can be unloaded'
tap_done
