#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests outlive vmond: it is killed again and again, at any point where it speaks to its engine,
# and at any time, while guests print numbered lines and look whether their serial port has kept its
# state. No line is lost or comes twice, be it on a console or in a log, and every end is told.
#
#   vmonctl --(reconnects)--> vmond-fake, killed at one in FAKE_DIE calls
#                                |  '--(descriptors)--> vmon-keeper
#                                '-- FAKE_ENGINE: the guests, who know nothing of it
#
# usage: restart.sh BUILD-DIRECTORY; needs root, like vmond itself.

out=$(cd "$1" && pwd) || exit 1
. "$(dirname "$0")/lib.sh"
export VMON_GUESTS_PATH="$dir/etc"
export FAKE_ENGINE="$dir/engine"
unset NOTIFY_SOCKET JOURNAL_STREAM
mkdir -p "$dir/run" "$dir/etc"
: >"$dir/deaths"

# supervise FAKE_DIE: have a vmond run, and another when that is killed, until supervise_end
supervise() {
	rm -f "$dir/enough"
	(
		while [ ! -e "$dir/enough" ]; do
			FAKE_DIE=$1 "$out/vmond-fake" --claim-time 60 --runtime-dir "$dir/run" \
				2>>"$dir/log" &
			echo $! >"$dir/pid"
			wait $!
			[ $? -eq 137 ] && echo >>"$dir/deaths"
		done
	) 2>/dev/null &
	supervisor=$!
	until_true "$ctl" list
}

# supervise_end SIGNAL
supervise_end() {
	touch "$dir/enough"
	kill "-$1" "$(cat "$dir/pid")"
	wait $supervisor
}

deaths() {
	wc -l <"$dir/deaths"
}

# wanted N: what a guest with count=N prints
wanted() {
	echo 'hello from the fake guest'
	seq -f 'line %06.0f' 0 $(($1 - 1))
}

# whole N FILE: it has what such a guest prints, and nothing else
whole() {
	wanted "$1" | cmp - "$2"
}

# counted STATUS N WORDS...: run prints N lines and ends with this status
counted() {
	status=$1 lines=$2
	shift 2
	"$ctl" run --kernel "$dir/mb" --append "count=$lines $*" --debug-exit \
		<"$dir/never" >"$dir/printed" 2>"$dir/told"
	got=$?
	[ $got -eq "$status" ] || { echo "status $got, not $status"; cat "$dir/told"; return 1; }
	whole "$lines" "$dir/printed"
}

# at_random COUNT: kill vmond so often, at any time
at_random() {
	for _ in $(seq "$1"); do
		sleep "0.$(shuf -i 10-250 -n 1 | xargs printf '%03d')"
		kill -KILL "$(cat "$dir/pid")"
		until_true "$ctl" list
	done 2>/dev/null
}

mkfifo "$dir/never"
exec 9<>"$dir/never"	# standard input that stays open
make_multiboot
echo "TAP version 13"

supervise 1000
check "a guest prints 12000 lines, none lost, none twice" counted 0 12000 halt
many=$(deaths)
check "while vmond was killed 50 times or more ($many)" [ "$many" -ge 50 ]
supervise_end KILL

supervise 1500
ends() {
	for _ in 1 2 3 4 5 6; do
		counted 42 100 exit || return
		counted 0 100 halt || return
		counted 4 100 fault || return
	done
}
check "ends are told, each with its status" ends
check "a guest resets itself" counted 0 200 reset
supervise_end KILL

supervise 0
"$ctl" run --kernel "$dir/mb" --name timed --append 'count=12000 halt' <"$dir/never" \
	>"$dir/timed" 2>"$dir/timed.err" &
timed=$!
"$ctl" monitor >"$dir/monitor" 2>&1 &
monitor=$!
until_true grep -q 'line 000010' "$dir/timed"
at_random 20
wait $timed
check "killed at 15 random times: the guest halts" [ $? -eq 0 ]
check "nothing lost, nothing twice" whole 12000 "$dir/timed"
# What happened before it had reconnected it does not show.
monitored() {
	"$ctl" run --kernel "$dir/mb" --name after --append 'count=1 halt' <"$dir/never" >/dev/null 2>&1
	grep -q 'after .*ended .*halt' "$dir/monitor"
}
check "the monitor sees the end of the next one" until_true monitored
kill -INT $monitor
wait $monitor
check "and ends when it is told to" [ $? -eq 0 ]
check "its console is kept over vmond's deaths" \
	sh -c "'$ctl' console --all timed </dev/null | cmp - '$dir/timed'"

"$ctl" create web --kernel "$dir/mb" --append 'count=9000 halt' --memory 16M \
	--log "$dir/web.log" >"$dir/out" 2>&1
"$ctl" start --foreground web >"$dir/web.out" 2>&1 &
web=$!
until_true grep -q 'line 000010' "$dir/web.log"
at_random 15
wait $web
check "a defined guest halts, and its unit's process with it" [ $? -eq 0 ]
check "its log is whole" whole 9000 "$dir/web.log"

"$ctl" start --foreground web >"$dir/web.out" 2>&1 &
web=$!
until_true sh -c "'$ctl' status web | grep -q running"
kill -KILL "$(cat "$dir/pid")"
until_true "$ctl" list
sleep 0.5
kill -KILL $web
wait $web 2>/dev/null
check "it is bound to its process under the new vmond, too" \
	until_true says 3 "ended" "$ctl" status web

check "a guest is made to idle" "$ctl" run --kernel "$dir/mb" --name idle --detach
check "and another" "$ctl" run --kernel "$dir/mb" --name other --append 'count=3 x' --detach
"$ctl" pause other
check "show says how long it waits" says 0 "60000" "$ctl" show idle
kill -TERM "$(cat "$dir/pid")"
sleep 0.2
until_true "$ctl" list
check "after SIGTERM the next vmond has them" says 0 "idle .*running" "$ctl" list
check "one that was paused stays paused" says 0 "other .*paused" "$ctl" list
check "with what it had printed" \
	sh -c "timeout 1 '$ctl' console --all idle </dev/null | grep -q hello"
kill -KILL "$(cat "$dir/pid")"
until_true "$ctl" list

truncate -s 1M "$dir/disk"
fragile() { # SIGNAL TEXT
	until_true "$ctl" list
	"$ctl" run --kernel "$dir/mb" --name disk --disk "$dir/disk" <"$dir/never" \
		>"$dir/fragile" 2>&1 &
	fragile=$!
	until_true grep -q hello "$dir/fragile"
	kill "-$1" "$(cat "$dir/pid")"
	wait $fragile
	[ $? -eq 3 ] && grep -q "$2" "$dir/fragile"
}
check "a guest with a disk is told to end, if vmond is killed" fragile KILL "in flight is lost"
check "and if it is stopped" fragile TERM "does not outlive it"
until_true "$ctl" list

keeper=$(pgrep -n -x vmon-keeper)
kill -KILL "$keeper"
sleep 0.3
kill -KILL "$(cat "$dir/pid")"
until_true "$ctl" list
check "a keeper that is killed is replaced" says 0 "idle .*running" "$ctl" list

# damage NAME: one byte of its state that the keeper keeps
damage() {
	keeper=$(pgrep -n -x vmon-keeper)
	for fd in /proc/"$keeper"/fd/*; do
		[ "$(readlink "$fd")" = "/memfd:vmon-state:$1 (deleted)" ] || continue
		printf '\377' | dd of="$fd" bs=1 seek=$((1048576 + 200)) conv=notrunc status=none
		printf '\377' | dd of="$fd" bs=1 seek=$((1048576 + 65536 + 200)) conv=notrunc status=none
	done
}
supervise_end KILL
damage other
supervise 0
check "a damaged state is refused" says 0 "checksum is wrong" "$ctl" show other
check "that guest has ended" says 0 "other .*ended .*error" "$ctl" list --all
check "another goes on" says 0 "idle .*running" "$ctl" list
check "and can be ended" "$ctl" terminate idle

"$ctl" run --kernel "$dir/mb" --name last <"$dir/never" >"$dir/last" 2>&1 &
last=$!
until_true sh -c "'$ctl' list | grep -q last"
supervise_end INT
check "vmond ends on SIGINT, its guests with it" sh -c "! [ -e '$VMON_SOCKET' ]"
check "and leaves nothing behind" until_true sh -c "! ls '$dir/run' | grep ."
kill $last
wait $last 2>/dev/null
# The same with a service manager's store in place of vmon-keeper.
mkdir "$dir/run2"
VMON_SOCKET="$dir/run2/bus"
/usr/bin/python3 "$(dirname "$0")/service_manager.py" "$dir/notify" "$dir/pid" \
	"$out/vmond-fake" --claim-time 60 --runtime-dir "$dir/run2" 2>>"$dir/log" &
manager=$!
until_true "$ctl" list
"$ctl" run --kernel "$dir/mb" --append 'count=3000 exit' --debug-exit <"$dir/never" \
	>"$dir/managed" 2>&1 &
managed=$!
until_true grep -q 'line 000010' "$dir/managed"
for _ in 1 2 3 4 5; do
	kill -KILL "$(cat "$dir/pid")"
	echo >>"$dir/deaths"
	sleep 0.4
done
check "a service manager keeps vmond's descriptors" sh -c "! [ -e '$dir/run2/keeper' ]"
wait $managed
check "and a guest outlives vmond with it" [ $? -eq 42 ]
check "as whole as with vmon-keeper" whole 3000 "$dir/managed"
kill -INT "$(cat "$dir/pid")"
wait $manager
check "nothing is left in its store" [ $? -eq 0 ]

total=$(deaths)
check "vmond died 100 times or more ($total)" [ "$total" -ge 100 ]
done_testing
