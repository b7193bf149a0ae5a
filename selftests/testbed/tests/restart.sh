#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A Debian guest outlives vmond, with the real module: vmond is killed again and again while the
# guest prints numbered lines and computes checksums. No line is lost or comes twice, all sums
# are right, the guest ends as it should, and vmonctl run, which reconnects, tells so.
#
# RESTARTS=N in the environment of `host`: how often (20).
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --timeout 600 --append "restarts=${RESTARTS:-20}"

restarts=$(sed -n 's/.*restarts=\([0-9]*\).*/\1/p' /proc/cmdline)
deaths=0

# start: a vmond that guests survive
start()
{
	vmond --claim-time 60 >>/run/vmond.log 2>&1 &
	vmond=$!
	for _ in $(seq 100); do
		vmonctl list >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

# pause: for a random time up to a second
pause()
{
	sleep "$(awk -v seed="$1$(cat /proc/uptime)" 'BEGIN { srand(seed); print 0.1 + rand() * 0.9 }')"
}

tap_plan 11
insmod /lib/vmon/vmon.ko allow_unprotected=1
mkdir -p /run/vmon
start
tap_ok $? 'vmond runs'
guest_run 686 restart --name victim >/tmp/printed 2>/tmp/told &
run=$!
for _ in $(seq 300); do
	grep -q 'RESTART 1' /tmp/printed && break
	sleep 0.5
done
grep -q 'RESTART 1' /tmp/printed
tap_ok $? 'the guest has booted'

while [ $deaths -lt "$restarts" ] && [ -d /proc/$run ]; do
	pause $deaths
	kill -KILL $vmond
	wait $vmond 2>/dev/null
	deaths=$((deaths + 1))
	start || break
done
[ $deaths -eq "$restarts" ] && [ -d /proc/$run ]
tap_ok $? "vmond was killed $deaths times, the guest goes on"
vmonctl list | grep -q 'victim .*running'
tap_ok $? 'it is listed as running'
kill -TERM $vmond
wait $vmond
tap_ok $? 'vmond ends on SIGTERM'
[ "$(dmesg | grep -c 'its owner did not come back')" = 0 ]
tap_ok $? 'no guest was given up'
start
tap_ok $? 'the next one goes on'
wait $run
tap_ok $? 'the guest ends with status 0'
tr -d '\r' </tmp/printed | grep -a '^GUEST PASS' >/dev/null
tap_ok $? 'its checksums were right'
tr -d '\r' </tmp/printed | grep -a '^RESTART [0-9]' >/tmp/lines
awk 'BEGIN { for (i = 1; i <= 600; i++) print "RESTART " i }' | cmp - /tmp/lines
tap_ok $? 'no line is lost, none comes twice'
vmonctl console --all victim </dev/null 2>/dev/null | cmp - /tmp/printed
tap_ok $? 'the console that vmond keeps is what vmonctl run has shown'
if [ $tap_failed != 0 ]; then
	tail -n 5 /tmp/printed /tmp/told | tap_notes
	tail -n 20 /run/vmond.log | tap_notes
fi
tap_done
