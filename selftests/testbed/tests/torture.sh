#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The world switch under torture: guests compute on two CPUs while everything comes beside
# them that a host has: NMIs as fast as they are taken, interrupts, signals, migration, a CPU
# that goes and comes, other users of the FPU and of debug registers, kprobes, ftrace.
#
# Nothing may be lost: each guest's own checks, each NMI, each check of the disturbers
# (selftests/module/disturb.c, nmi_storm.c), and the host's kernel says nothing.
#
# Environment: TORTURE_SECONDS (60), KERNEL (6.1).
set -u
. "$(dirname "$0")/../tap.sh"

if [ ! -e /testbed/command ]; then
	seconds=${TORTURE_SECONDS:-60}
	kernel=${KERNEL:-6.1}
	build=$tap_here/../../build
	make -s -C "$tap_here/../guests" || { echo 'Bail out! the guests do not build'; exit 1; }
	exec "$tap_here/host" --no-build --smp 2 ${CONTROL:+--control "$CONTROL" --append nokaslr} --kernel "$kernel" --timeout $((seconds * 2 + 600)) \
		--file "$tap_here/tap.sh:/root/tap.sh" --file "$0:/root/tests/${0##*/}" \
		--file "$build/guests/tests:/guests/tests" \
		--file "$build/selftests-module/disturb:/root/disturb" \
		--file "$build/nmi_storm-$kernel/nmi_storm.ko:/root/nmi_storm.ko" -- \
		"SECONDS_LONG=$seconds OFFLINE=${OFFLINE-offline} sh /root/tests/${0##*/}"
fi

storm=/sys/module/nmi_storm/parameters
tracing=/sys/kernel/tracing

# All that the CPUs have counted.
nmis()
{
	awk '$1 == "NMI:" { for (i = 2; $i ~ /^[0-9]+$/; i++) s += $i; print s }' /proc/interrupts
}

# until_end WORDS COMMAND: with one word after the other, again and again; prints
# "RUNS WRONG". The run that the end cuts short does not count.
until_end()
{
	runs=0 wrong=0
	while [ ! -e /tmp/end ]; do
		for word in $1; do
			"$2" "$word" >"/tmp/out-$2" 2>&1
			status=$?
			[ ! -e /tmp/end ] || break
			runs=$((runs + 1))
			[ $status = 0 ] || {
				wrong=$((wrong + 1))
				[ $wrong -gt 3 ] ||
					{ echo "$2 $word:"; tail -n 20 "/tmp/out-$2"; } >>/tmp/wrong
			}
		done
	done
	echo "$runs $wrong"
}

small_guest()
{
	vmonctl run --name small --kernel "/guests/tests/$1.elf" --memory 16M --debug-exit </dev/null
}

debian_guest()
{
	guest_run 686 "$1" --name debian >/tmp/debian 2>&1
	cat /tmp/debian
	tr -d '\r' </tmp/debian | grep -q '^GUEST PASS'
}

probe()
{
	echo 'p:vmon_torture hrtimer_interrupt' >$tracing/kprobe_events &&
		echo 1 >$tracing/events/kprobes/vmon_torture/enable
	sleep 1
	echo 0 >$tracing/events/kprobes/vmon_torture/enable
	echo >$tracing/kprobe_events
	echo "$1" >$tracing/set_ftrace_filter && echo function >$tracing/current_tracer
	sleep 1
	echo nop >$tracing/current_tracer
}

# result NAME FILE: of until_end
result()
{
	read -r runs wrong <"$2"
	[ "$runs" -gt 0 ] && [ "$wrong" = 0 ]
	tap_ok $? "$1 ($runs, $wrong wrong)"
}

tap_plan 12
vmon-up allow_unprotected=1 || tap_done
echo 'p:vmon_torture vmon_switch_asm' >$tracing/kprobe_events 2>/dev/null
[ ! -e $tracing/events/kprobes/vmon_torture ]
tap_ok $? 'no kprobe can be set in the world switch'

before=$(nmis)
insmod nmi_storm.ko interval_us=${STORM_US:-500} || tap_done
until_end 'ring3 sensitive interrupted' small_guest >/tmp/small &
small=$!
until_end hello debian_guest >/tmp/debian-runs &
debian=$!
until_end ':mod:vmon hrtimer_*' probe >/tmp/probes &
probes=$!
./disturb "$SECONDS_LONG" vmon/ $OFFLINE >/tmp/disturb
vmonctl list >/tmp/list 2>&1
>/tmp/end
vmonctl stop small >/dev/null 2>&1
vmonctl stop debian >/dev/null 2>&1
wait $small $debian $probes
echo 1 >/sys/devices/system/cpu/cpu1/online 2>/dev/null

result 'small guests end as they should' /tmp/small
# One boot takes longer than the short run.
read -r runs wrong </tmp/debian-runs
[ "$wrong" = 0 ] && { [ "$runs" -gt 0 ] || { [ "$SECONDS_LONG" -lt 300 ] &&
	grep -q '^debian  *running' /tmp/list; }; }
status=$?
# Known: some crash; see "Known shortcomings" in the top README. Counted as skipped.
[ "$wrong" = 0 ] || known=' # TODO guests crash in a host under torture'
tap_ok $status "Debian guests boot ($runs to the end, $wrong wrong), or are on their way${known-}"
result 'kprobes and the function tracer, on and off' /tmp/probes
sed -n 's/^\(not \)\{0,1\}ok [0-9]* /\1/p' /tmp/disturb | while read -r line; do
	echo "$line"
done >/tmp/verdicts
while read -r line; do
	[ "${line#not }" = "$line" ]
	tap_ok $? "${line#not }"
done </tmp/verdicts
# The last ones arrive.
for i in 1 2 3 4 5 6 7 8 9 10; do
	sent=$(cat $storm/sent) seen=$(cat $storm/seen)
	[ "$sent" = "$seen" ] && break
done
lost=$(cat $storm/lost)
rmmod nmi_storm
counted=$(($(nmis) - before))
[ "$lost" = 0 ] && [ "$seen" -gt $((SECONDS_LONG * 10)) ] && [ "$counted" -ge "$seen" ]
tap_ok $? "$counted NMIs, one at a time for each CPU, all seen ($lost lost)"
no_vm && kill "$(pidof vmond)" && sleep 1 && rmmod vmon
tap_ok $? 'no VM is left, and the module can be unloaded'
[ ! -e /tmp/wrong ] || tap_notes </tmp/wrong
tap_done
