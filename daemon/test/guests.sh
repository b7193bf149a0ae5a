#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests that files define: the verbs of vmonctl that make, change, start, watch and end them,
# and what is said about wrong definitions. With an engine that needs no module.
#
#   DIR/etc, DIR/usr (definitions) --vmonctl--(D-Bus over DIR/run/bus)--> vmond-fake
#
# usage: guests.sh BUILD-DIRECTORY; needs root, like vmond itself.

out=$(cd "$1" && pwd) || exit 1
. "$(dirname "$0")/lib.sh"
export VMON_GUESTS_PATH="$dir/etc:$dir/usr"
export VMON_TEST_JOURNAL="$dir/journal"
unset VISUAL EDITOR JOURNAL_STREAM
conf=$dir/etc/web.conf

# journal FIELD...: one message in the journal has all of these
journal() {
	python3 - "$VMON_TEST_JOURNAL" "$@" <<-'END'
	import sys
	for m in open(sys.argv[1]).read().split("\n\n"):
	    if set(sys.argv[2:]) <= set(m.split("\n")):
	        sys.exit(0)
	sys.exit(1)
	END
}

# py EXPRESSION COMMAND...: the expression over the command's JSON, d, is true
py() {
	expression=$1
	shift
	"$@" | python3 -c "import json,sys; d=json.load(sys.stdin); assert $expression, d"
}

edit() { # command of an editor; the file is its last argument
	EDITOR=$1 "$ctl" edit web </dev/null
}

id_of() {
	sed -n "s/^#define MESSAGE_$1[[:space:]]*\"\(.*\)\"/\1/p" \
		"$(dirname "$0")/../common/messages.h"
}

state() { # name, state
	py "d['State'] == '$2'" "$ctl" show "$1" --json
}

mkdir "$dir/run" "$dir/usr"
make_multiboot
echo "TAP version 13"

# --- without vmond ---

check "create writes a definition and says where" \
	says 0 "$conf" "$ctl" create web --kernel "$dir/mb" --append "echo" --memory 64M \
	--description "Web server"
check "it is readable" grep -q '^memory=64M$' "$conf"
check "list --all shows it without vmond, and status 1" \
	says 1 "^web .*off" "$ctl" list --all
check "cat prints it and its path" says 0 "^# $conf" "$ctl" cat web
check "create does not replace" says 1 "defined already.*vmonctl edit" \
	"$ctl" create web --kernel "$dir/mb"
check "create with a relative path makes it absolute" \
	sh -c "cd '$dir' && '$ctl' create rel --kernel mb --on-crash restart && grep -q '^kernel=$dir/mb' etc/rel.conf"
check "create with a name that is none" says 2 "letters, digits" \
	"$ctl" create ../x --kernel "$dir/mb"
check "create with a bad value" says 2 "memory 'lots': give a size" \
	"$ctl" create bad --kernel "$dir/mb" --memory lots
check "create without a kernel" says 2 "kernel is missing" "$ctl" create bad
check "create warns of a kernel that is not there" says 0 "warning: '/none'" \
	"$ctl" create nokernel --kernel /none
check "create --help knows every key" says 0 "\-\-on-reboot" "$ctl" create --help
check "vmon-guest(5) has them, too" sh -c "
	for key in \$('$ctl' create --help | sed -n 's/^  --\([a-z-]*\) .*/\1/p'); do
		grep -q \"^.It Cm \$key \" '$(dirname "$0")/../../packaging/man/vmon-guest.5' || exit 1
	done"
long=$(printf 'parameter%03d=value ' $(seq 60))
check "a long command line is written so that it is read again" \
	"$ctl" create long --kernel "$dir/mb" --append "$long"
check "and it is the same" py "d['DefinitionNow']['Append'] == '${long% }'" \
	"$ctl" show long --json
check "disk full: create says so and leaves nothing" sh -c "
	trap '' XFSZ; ulimit -f 0; '$ctl' create full --kernel '$dir/mb' 2>&1 | grep -q 'full.conf.*File too large' &&
	! ls -A '$dir/etc' | grep full"

"$out/vmond-fake" --runtime-dir "$dir/run" 2>"$dir/log" &
daemon=$!
wait_for "$VMON_SOCKET"

# --- lists, states ---

check "list without --all has only what runs" says 0 "No virtual machines" "$ctl" list
check "list --all --json" py "[g['state'] for g in d if g['name'] == 'web'] == ['off']" \
	"$ctl" list --all --json
check "status of a guest that is off has status 3" says 3 "State: off" "$ctl" status web
check "show of a guest that is off" says 0 "^Definition.Memory=64M" "$ctl" show web
check "a guest that nobody knows" says 1 "no guest is named 'nobody'" "$ctl" status nobody
check "start of a guest that nobody knows" says 1 "vmonctl create nobody" "$ctl" start nobody
check "start with a kernel that is not there" says 1 "kernel '/none': No such file" \
	"$ctl" start nokernel

# --- a guest's life ---

"$ctl" monitor >"$dir/monitor" 2>&1 &
monitor=$!
"$ctl" monitor --json >"$dir/monitor.json" 2>&1 &
monitor_json=$!
until_true sh -c "'$ctl' debug daemon | grep -q 'clients: 3'"
check "start" "$ctl" start web
check "it runs" says 0 "^web .*running" "$ctl" list
check "status says so, with status 0" says 0 "State: running" "$ctl" status web
check "status has the description" says 0 "^web - Web server" "$ctl" status web
check "start again: it runs already" says 1 "'web' is in use" "$ctl" start web
check "a guest run under the name of another" says 1 "'web' is in use" \
	"$ctl" run --kernel "$dir/mb" --name web
check "pause" "$ctl" pause web
check "it is paused" state web paused
check "status of a paused guest has status 0" says 0 "State: paused" "$ctl" status web
check "unpause" "$ctl" unpause web
check "it runs again" state web running
check "poweroff of a guest without ACPI names terminate" \
	says 1 "not listen to its power button.*acpi=off.*vmonctl terminate web" "$ctl" poweroff web
check "reboot of one names reset" says 1 "not listen to its power button.*vmonctl reset web" \
	"$ctl" reboot web
check "remove of a guest that runs" says 1 "runs: 'vmonctl terminate web' first" \
	"$ctl" remove web
check "console" sh -c "printf 'xyz' | timeout 1 '$ctl' console web | grep -q xyz; [ \$? -eq 0 ]"

printf '[machine]\nmemory=32M\n' >"$dir/drop"
mkdir "$conf.d" && cp "$dir/drop" "$conf.d/10-memory.conf"
check "status says that the definition has changed" says 0 "takes effect at its next start" \
	"$ctl" status web
check "show --json, too" py "d['DefinitionNow']['Changed'] and d['Memory'] == str(64 << 20)" \
	"$ctl" show web --json
rm "$conf.d/10-memory.conf"
check "and no longer when it is taken back" py "not d['DefinitionNow']['Changed']" \
	"$ctl" show web --json

check "stat --watch" says 0 "/s$" "$ctl" stat web --watch=0.05 --count 2
check "stat --watch --json: an object a line" sh -c "
	'$ctl' stat web --watch=0.05 --count 3 --json | python3 -c '
import json, sys
assert len([json.loads(l) for l in sys.stdin]) == 3'"
check "reset" "$ctl" reset web
check "it was restarted" until_true sh -c "'$ctl' show web | grep -qx Restarts=1"
# The fake guest's second life halts.
check "then it halts" until_true sh -c "'$ctl' status web | grep -q 'ended, halt'"
check "a guest that has ended has status 3" says 3 "ended, halt" "$ctl" status web
check "start after the end takes what the definition says now" "$ctl" start web
check "terminate" "$ctl" terminate web
check "it has ended" until_true state web ended
check "stop is terminate" says 1 "has ended" "$ctl" stop web
check "reset of a guest run without a copy of its kernel" sh -c "
	'$ctl' run --kernel '$dir/mb' --name plain --detach &&
	'$ctl' reset plain 2>&1 | grep -q 'run without --reboot' && '$ctl' terminate plain"

# --- events ---

check "monitor shows start, pause, unpause, restart, end" sh -c "
	for e in started paused unpaused restarted 'ended *halt'; do
		grep -q \"web .*\$e\" '$dir/monitor' || { echo \"no \$e\"; cat '$dir/monitor'; exit 1; }
	done"
check "in this order" sh -c "
	[ \"\$(awk '\$3 == \"web\" { printf \"%s \", \$4 }' '$dir/monitor')\" = \
	  'started paused unpaused restarted ended started ended ' ]"
kill $monitor
wait $monitor
check "monitor ends with status 0 on SIGTERM" [ $? -eq 0 ]
check "monitor --json: an object a line" python3 -c "
import json
e = [json.loads(l) for l in open('$dir/monitor.json')]
assert [x['event'] for x in e if x['name'] == 'web'][:2] == ['started', 'paused'], e
assert sorted(e[0]) == ['detail', 'event', 'id', 'name', 'report', 'time'], e[0]"

# --- crashes and restarts ---

check "on-crash=restart" sh -c "
	'$ctl' create crash --kernel '$dir/mb' --append fault --on-crash restart && '$ctl' start crash"
# reborn, it halts
check "a triple fault restarts it" until_true sh -c "
	'$ctl' show crash | grep -qx Restarts=1 && '$ctl' status crash | grep -q 'ended, halt'"
check "without on-crash= it stays as it crashed" sh -c "
	'$ctl' create crash2 --kernel '$dir/mb' --append 'error' && '$ctl' start crash2 &&
	for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; '$ctl' status crash2 | grep -q 'Report: unsupported' && exit 0; done; exit 1"
check "a guest that crashes again and again is not restarted for ever" sh -c "
	'$ctl' create loop --kernel '$dir/mb' --append 'fault again' --on-crash restart && '$ctl' start loop"
check "five times, and it says why" until_true sh -c "
	'$ctl' show loop | grep -qx Restarts=5 && '$ctl' status loop | grep -q 'not restarted again'"
check "on-reboot=restart" sh -c "
	'$ctl' create reboot --kernel '$dir/mb' --append reset --on-reboot restart && '$ctl' start reboot"
check "a reset restarts it" until_true sh -c "'$ctl' show reboot | grep -qx Restarts=1"

# --- the power button ---

listens() { # name: the guest has enabled the button
	until_true sh -c "'$ctl' show '$1' | grep -qx PowerButton=yes"
}

"$ctl" create acpi --kernel "$dir/mb" --append button >/dev/null
"$ctl" start acpi && listens acpi
check "poweroff" "$ctl" poweroff acpi
check "the guest powers off" until_true sh -c "'$ctl' status acpi | grep -q 'ended, power-off'"
check "poweroff of a guest that has ended" says 1 "has ended: power-off" "$ctl" poweroff acpi
"$ctl" start acpi && listens acpi
check "reboot" "$ctl" reboot acpi
# reborn, it halts
check "the guest powers off, and is restarted" until_true sh -c "
	'$ctl' show acpi | grep -qx Restarts=1 && '$ctl' status acpi | grep -q 'ended, halt'"
"$ctl" start acpi && listens acpi
"$ctl" pause acpi
check "poweroff of a paused guest" says 1 "paused, so it cannot power off: 'vmonctl unpause acpi'" \
	"$ctl" poweroff acpi
"$ctl" unpause acpi
check "a guest that powers off has status 0, and says so" says 0 "'acpi2' ended: the guest powered off" sh -c "
	(until '$ctl' poweroff acpi2; do sleep 0.1; done) 2>/dev/null &
	'$ctl' run --kernel '$dir/mb' --append button --name acpi2 </dev/null"
"$ctl" run --kernel "$dir/mb" --append button --name plain --detach >/dev/null && listens plain
check "reboot of a guest run without a copy of its kernel" says 1 "run without --reboot" \
	"$ctl" reboot plain
check "poweroff of several" "$ctl" poweroff plain acpi
"$ctl" create deaf --kernel "$dir/mb" --append 'button deaf' >/dev/null
"$ctl" start deaf && listens deaf
"$ctl" reboot deaf
check "a request to reboot that is not served shows" says 0 "^Asked=reboot" "$ctl" show deaf
"$ctl" poweroff deaf
check "one to power off takes its place" says 0 "^Asked=power-off" "$ctl" show deaf
"$ctl" terminate deaf
"$ctl" create resets --kernel "$dir/mb" --append 'button reset' >/dev/null
"$ctl" start resets && listens resets
"$ctl" reboot resets
check "a guest asked to reboot that resets itself is restarted" \
	until_true sh -c "'$ctl' show resets | grep -qx Restarts=1"

# --- as a unit's process ---

"$ctl" start --foreground web >"$dir/unit" 2>&1 &
unit=$!
check "start --foreground" until_true state web running
kill $unit
wait $unit
check "on SIGTERM it ends the guest and has status 0" [ $? -eq 0 ]
check "the guest has ended" state web ended
"$ctl" start --foreground acpi >"$dir/unit" 2>&1 &
unit=$!
listens acpi
kill $unit
wait $unit
check "one with ACPI is asked" says 0 "ended: the guest powered off" \
	sh -c "cat '$dir/unit'; exit $?"
"$ctl" start --foreground deaf >"$dir/unit" 2>&1 &
unit=$!
listens deaf
kill $unit
until_true sh -c "'$ctl' show deaf | grep -qx Asked=power-off"
check "one that does not power off goes on" state deaf running
kill $unit
wait $unit
check "a second SIGTERM ends it" says 0 "ended: stopped" sh -c "cat '$dir/unit'; exit $?"
"$ctl" start --foreground web >"$dir/unit" 2>&1 &
unit=$!
until_true state web running
"$ctl" terminate web
wait $unit
check "terminated by somebody else it has status 5" [ $? -eq 5 ]
"$ctl" start --foreground web >"$dir/unit" 2>&1 &
unit=$!
until_true state web running
kill -9 $unit
wait $unit 2>/dev/null
check "when it is killed its guest ends" until_true state web ended
check "and the report says why" says 3 "process that held it has gone" "$ctl" status web
"$ctl" start --foreground crash2 >"$dir/unit" 2>&1
check "a crash of the guest has status 3" [ $? -eq 3 ]
check "it tells systemd when the guest runs" python3 - "$ctl" "$dir" <<'END'
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2] + "/notify")
s.settimeout(10)
p = subprocess.Popen([sys.argv[1], "start", "--foreground", "web"],
                     env=dict(os.environ, NOTIFY_SOCKET=sys.argv[2] + "/notify"))
assert "READY=1" in s.recv(4096).decode()
p.terminate()
assert "STOPPING=1" in s.recv(4096).decode()
assert p.wait() == 0
END

# --- definitions that are wrong ---

cp "$conf" "$dir/good"
echo 'colour=red' >>"$conf"
check "start refuses, with file and line" says 1 "$conf:[0-9]*: key 'colour' is unknown" \
	"$ctl" start web
check "list --all shows it as invalid" says 0 "^web .*invalid" \
	sh -c "'$ctl' list --all; rm -f '$conf'; cp '$dir/good' '$conf'"
check "others are not concerned" says 0 "^rel .*off" "$ctl" list --all
sed -i '2iautostart=no\nautostart=no' "$conf"
echo kernel >"$conf.d/x.conf"
check "each mistake is told" sh -c "
	'$ctl' start web 2>&1 | grep -c -e 'before any section' -e 'x.conf:1: .kernel. is neither' | grep -qx 3"
cp "$dir/good" "$conf"
rm -r "$conf.d"

# --- edit ---

check "edit changes" sh -c "EDITOR='sed -i s/64M/96M/' '$ctl' edit web && grep -q 96M '$conf'"
check "EDITOR may have arguments, and VISUAL wins" sh -c "
	VISUAL='sed -i -e s/96M/80M/' EDITOR=false '$ctl' edit web && grep -q 80M '$conf'"
check "edit without a change" says 0 "Not changed" edit true
cp "$conf" "$dir/good"
check "an editor that fails" says 1 "'false' failed with status 1, nothing is changed" edit false
check "an editor that is not there" says 1 "status 127, nothing is changed" edit /none/editor
check "an editor that removes the file" says 1 "nothing is changed" edit rm
check "what is wrong is refused with its line" says 1 ":[0-9]*: memory 'lots': give a size" \
	edit "sed -i s/80M/lots/"
check "the definition is as it was" cmp "$conf" "$dir/good"
check "what was written is kept" grep -q lots "$conf.rejected"
check "and is no guest" sh -c "! '$ctl' list --all | grep -q rejected"
check "the next edit goes on with it" says 0 "going on with '$conf.rejected'" \
	edit "sed -i s/lots/72M/"
check "and puts it in place" sh -c "grep -q 72M '$conf' && ! [ -e '$conf.rejected' ]"
cp "$conf" "$dir/good"
check "disk full: edit keeps the old one and says where the new one is" sh -c "
	printf '#!/bin/sh\nsed -i s/72M/40M/ \"\$1\"\n' >'$dir/editor'; chmod +x '$dir/editor'
	trap '' XFSZ; export EDITOR='$dir/editor' VMON_NO=1
	ln -s '$dir/etc' '$dir/link' && chmod 755 '$dir/etc'
	mkdir -p '$dir/tmp' && TMPDIR='$dir/tmp' python3 - '$ctl' <<-'END'
	import os, resource, subprocess, sys
	ed = os.environ['EDITOR']
	# The editor may write, vmonctl may not once it is done: a full directory.
	r = subprocess.run([sys.argv[1], 'edit', 'web'], capture_output=True, text=True,
	                   env=dict(os.environ, EDITOR=ed, VMON_GUESTS_PATH='/dev/full/x:' + os.environ['VMON_GUESTS_PATH']))
	assert r.returncode == 1, r
	assert 'what you wrote is in' in r.stderr, r.stderr
	path = r.stderr.split('what you wrote is in ')[1].split(\"'\")[1]
	assert '40M' in open(path).read()
	END"
check "the old one is as it was" cmp "$conf" "$dir/good"
check "edit of a guest of another directory makes one that wins" sh -c "
	printf '[boot]\nkernel=$dir/mb\n' >'$dir/usr/pkg.conf'
	EDITOR='sed -i s/boot/boot/;\$a[machine]' ; EDITOR=\"sed -i '\\\$a append=halt'\" '$ctl' edit pkg &&
	grep -q halt '$dir/etc/pkg.conf' && ! grep -q halt '$dir/usr/pkg.conf'"

# --- remove ---

check "remove of a package's guest says how to hide it" says 1 "ln -s /dev/null" \
	sh -c "rm '$dir/etc/pkg.conf'; '$ctl' remove pkg"
ln -s /dev/null "$dir/etc/pkg.conf"
check "a hidden guest is not started" says 1 "is hidden" "$ctl" start pkg
check "and is listed as hidden" says 0 "^pkg .*hidden" "$ctl" list --all
mkdir "$conf.d" && cp "$dir/drop" "$conf.d/a.conf"
check "remove asks for --all where there are drop-ins" says 1 "remove --all" "$ctl" remove web
check "remove --all" "$ctl" remove --all web
check "all of it is gone" sh -c "! ls -d '$conf'*"
check "remove of what is not there" says 1 "no guest is named 'web'" "$ctl" remove web

# --- logs ---

check "console log" sh -c "
	'$ctl' create logged --kernel '$dir/mb' --append halt --log '$dir/console.log' && '$ctl' start logged"
check "what the guest prints goes there" until_true grep -q "hello from the fake" "$dir/console.log"
check "log --console shows it" says 0 "hello from the fake" "$ctl" log --console logged
check "a second run is added" sh -c "'$ctl' start logged && for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1
	[ \$(grep -c hello '$dir/console.log') = 2 ] && exit 0; done; exit 1"
check "log --console without a log says how to have one" says 1 "log= below \[console\]" \
	"$ctl" log --console rel
check "a log that cannot be opened refuses the start" says 1 "console log '/none/x'" \
	sh -c "'$ctl' create nolog --kernel '$dir/mb' --log /none/x; '$ctl' start nolog"
check "a full disk costs the log, not the guest" sh -c "
	'$ctl' create fulllog --kernel '$dir/mb' --append halt --log /dev/full && '$ctl' start fulllog
	for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; '$ctl' status fulllog | grep -q 'ended, halt' && exit 0; done; exit 1"
check "and is said" grep -q "cannot write its console log '/dev/full': No space left" "$dir/log"
check "enable without systemd says what to do" sh -c "
	[ -d /run/systemd/system ] || '$ctl' enable rel 2>&1 | grep -q 'vmonctl start --no-unit'"

# --- disks ---

truncate -s 1M "$dir/disk.img"
check "a disk in a definition" sh -c "cd '$dir' &&
	'$ctl' create disky --kernel '$dir/mb' --append echo --disk disk.img,readonly,id=root --rng yes &&
	grep -q '^disk=$dir/disk.img,readonly,id=root' etc/disky.conf && '$ctl' start disky"
check "goes to the guest" says 0 "^Disks=$dir/disk.img,readonly,id=root" "$ctl" show disky
"$ctl" terminate disky
check "a disk with an option that there is none is refused" says 2 "give an absolute path, and after" \
	"$ctl" create disky2 --kernel "$dir/mb" --disk /d,colour=red

# --- at boot ---

"$ctl" create auto --kernel "$dir/mb" --autostart yes >/dev/null
ln -s "$ctl" "$dir/vmon-generator"
mkdir "$dir/gen"
check "the generator wants the units of guests with autostart=yes" sh -c "
	'$dir/vmon-generator' '$dir/gen' '$dir/gen' '$dir/gen' 2>/dev/null
	[ \"\$(ls '$dir/gen/multi-user.target.wants')\" = vmon@auto.service ]"

# --- the bus ---

"$ctl" create bus --kernel "$dir/mb" --append echo >/dev/null
"$ctl" start bus
check "a guest is an object" "$out/bus_probe" look bus
cp "$dir/out" "$dir/look"
check "with properties" grep -qx State=running "$dir/look"
check "that can be introspected" grep -q '<property name="State" type="s" access="read">' "$dir/look"
check "changes of them are told" grep -q 'org.vmon.Guest1 changed: State=paused' "$dir/look"
check "the objects are listed" grep -qx "managed $(sed -n 's/^object //p' "$dir/look")" "$dir/look"
check "an option that vmond does not know is refused" says 0 "no option 'colour'" \
	"$out/bus_probe" refused
check "a self-check of a VM that is there already is refused" says 0 "either it or engine" \
	"$out/bus_probe" both "$dir/mb"
"$out/bus_probe" mute &
mute=$!
until_true sh -c "'$ctl' debug daemon | grep -q 'clients: 3'"
check "a client that does not read is parted with" "$out/bus_probe" toggle bus 40000
check "and it is said" until_true grep -q "has not read 1024 messages" "$dir/log"
check "others are not" kill -0 $monitor_json
kill $mute
"$ctl" terminate bus

# --- the journal ---

kill $daemon
wait $daemon
wait $monitor_json
check "monitor ends with status 1 when vmond goes" [ $? -eq 1 ]
rm -f "$VMON_TEST_JOURNAL"
JOURNAL_STREAM=1:1 "$out/vmond-fake" --runtime-dir "$dir/run" 2>>"$dir/log" &
daemon=$!
wait_for "$VMON_SOCKET"
"$ctl" start crash2
check "the journal gets a start with fields" until_true journal VMON_GUEST=crash2 PRIORITY=6 \
	"MESSAGE_ID=$(id_of GUEST_STARTED)"
check "and a crash" until_true journal VMON_GUEST=crash2 PRIORITY=4 \
	"MESSAGE_ID=$(id_of GUEST_CRASHED)" \
	"MESSAGE=VM 'crash2' ended: error: unsupported: 0f ff at 00100000"
"$ctl" start logged
check "and an end" until_true journal VMON_GUEST=logged "MESSAGE_ID=$(id_of GUEST_ENDED)"
"$ctl" start crash
check "and a restart" until_true journal VMON_GUEST=crash "MESSAGE_ID=$(id_of GUEST_RESTARTED)"

kill $daemon
wait $daemon

done_testing
