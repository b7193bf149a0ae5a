#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A guest's clock goes as fast as its host's, within 1 %: over 30 s in which the guest
# sleeps, over 30 s in which it computes.
#
# The guest prints its uptime, and the host notes its own as the line arrives. Whether a tick
# comes late now and then does not matter, what is lost for good does.
#
# alone
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --timeout 400

tap_plan 3
vmon-up allow_unprotected=1 || tap_done
guest_run 686 clock | tr -d '\r' | while read -r line; do
	read -r now rest </proc/uptime
	echo "$now $line"
done >/tmp/log
grep -q 'GUEST PASS' /tmp/log
tap_ok $? 'the guest tells its clock'

# compare NAME FROM TO
compare()
{
	awk -v from="CLOCK $2" -v to="CLOCK $3" -v name="$1" '
	index($0, from) { host = $1; guest = $4 }
	index($0, to) { host = $1 - host; guest = $4 - guest; seen = 1 }
	END {
		if (!seen || guest < 25) { print "no times"; exit 1 }
		off = (guest - host) / host * 100
		printf "%s: %.2f s in the guest, %.2f s in the host: %+.2f %%\n", name, guest, host, off
		exit !(off < 1 && off > -1)
	}' /tmp/log >/tmp/verdict
	tap_ok $? "the guest's clock is right within 1 % while it $1"
	tap_notes </tmp/verdict
}
compare sleeps begin slept
compare computes slept computed
[ $tap_failed = 0 ] || tail -n 20 /tmp/log | tap_notes
tap_done
