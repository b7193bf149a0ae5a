#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# vmond and vmonctl together, with an engine that needs no module.
#
#   vmonctl --(D-Bus over DIR/bus)--> vmond-fake --(engine_fake.c)--> scripted guest
#      stdin/stdout <--(console socket)--'
#
# usage: run.sh BUILD-DIRECTORY; needs root, like vmond itself.

out=$1
. "$(dirname "$0")/lib.sh"

# json COMMAND...: status 1, and the answer has the keys that scripts rely on
json() {
	"$@" >"$dir/json" 2>/dev/null
	[ $? -eq 1 ] || return 1
	python3 - "$dir/json" <<-'END'
	import json, sys
	d = json.load(open(sys.argv[1]))
	for key in ("usable", "protected", "unprotected_ok", "source", "kernel", "vmonctl",
	            "daemon", "module", "problems", "guards", "facts"):
	    assert key in d, key
	assert d["usable"] is False
	for g in d["guards"]:
	    assert sorted(g) == ["available", "capable", "name", "reason", "remedy"], g
	assert [g["name"] for g in d["guards"]][0] == "segment"
	for f in d["facts"].values():
	    assert sorted(f) == ["note", "value"], f
	if d["source"] == "module":
	    assert d["facts"]["tsc_khz"]["value"] == 2000000
	    assert d["daemon"]["running"] and d["module"]["version"] == "fake"
	else:
	    assert not d["daemon"]["running"] and d["problems"]
	    assert [g["name"] for g in d["guards"]] == ["segment", "lmsle", "paging"]
	END
}

mkdir "$dir/run"
echo "TAP version 13"

check "check without vmond says what it can" \
	says 1 "what can be run here is not known" "$ctl" check
check "check --json without vmond has its keys" json "$ctl" check --json
check "vmonctl says how to start vmond" \
	says 1 "vmond is not running" "$ctl" list
"$out/vmond-fake" --runtime-dir "$dir/run" 2>"$dir/log" &
daemon=$!
wait_for "$VMON_SOCKET"

make_multiboot

run() {
	"$ctl" run --kernel "$dir/mb" "$@"
}

check "a second vmond says one line" \
	says 1 "another vmond runs already (pid $daemon" "$out/vmond-fake" --runtime-dir "$dir/run"
check "and leaves the first alone" "$ctl" list
check "list without VMs" says 0 "No virtual machines" "$ctl" list
check "a guest prints and halts" says 0 "hello from the fake guest" run --append halt
check "a guest resets" says 0 "reset itself" run --append reset
check "a guest is restarted with --reboot" \
	sh -c "'$ctl' run --kernel '$dir/mb' --append reset --reboot </dev/null | grep -c hello | grep -qx 2"
check "a triple fault has status 4" says 4 "triple fault at 00100000" run --append fault
check "an error has status 3 and its report" says 3 "unsupported: 0f ff" \
	run --append error --name broken
check "its registers are kept" says 0 "eax=2badb002" "$ctl" debug regs broken
check "its trace is kept" says 0 "port write" "$ctl" debug trace broken
check "its counters are kept" says 0 "^exits .*[1-9]" "$ctl" stat broken
check "its console is kept" says 0 "hello" "$ctl" console --all broken
check "it is listed by list --all" says 0 "broken .*ended .*error" "$ctl" list --all
check "--debug-exit passes a status" says 42 "hello" run --append exit --debug-exit
printf 'abc\004' >"$dir/input"
check "piped input is echoed" \
	sh -c "'$ctl' run --kernel '$dir/mb' --append echo <'$dir/input' | grep -q abc"
check "input from a pipe that stays open" \
	sh -c "(printf abc; sleep 0.3; printf 'def\004') | '$ctl' run --kernel '$dir/mb' --append echo | grep -q abcdef"
check "900 KiB of output arrive whole" \
	sh -c "'$ctl' run --kernel '$dir/mb' --append 'bulk halt' </dev/null 2>&1 | wc -c | grep -qx '921[67][0-9][0-9]'"
check "detach prints the name" says 0 "^one$" run --append echo --name one --detach
check "the name is taken" says 1 "'one' is in use" run --name one
check "list shows it UNPROTECTED" says 0 "one .*running.*UNPROTECTED" "$ctl" list
check "list --json is JSON" \
	sh -c "'$ctl' list --json | python3 -c 'import json,sys; v=json.load(sys.stdin); assert v[0][\"name\"]==\"one\"'"
check "show" says 0 "^State=running" "$ctl" show one
check "show --json" sh -c "'$ctl' show one --json | python3 -m json.tool"
check "stat" says 0 "vmond.accesses" "$ctl" stat one
check "stat --json" sh -c "'$ctl' stat one --json | python3 -m json.tool"
check "debug regs" says 0 "cr0=00000011" "$ctl" debug regs one
check "debug daemon" says 0 "vm .*'one'" "$ctl" debug daemon
check "pause" "$ctl" pause one
check "it is paused" says 0 "one .*paused" "$ctl" list
check "unpause" "$ctl" unpause one
check "console of a detached VM" \
	sh -c "printf 'xyz\004' | '$ctl' console one | grep -q xyz"
check "run -> stop by another" sh -c "
	'$ctl' run --kernel '$dir/mb' --name two </dev/null >/dev/null 2>&1 & r=\$!
	sleep 0.5; '$ctl' terminate two; wait \$r; [ \$? -eq 5 ]"
check "SIGTERM of vmonctl stops the VM" sh -c "
	'$ctl' run --kernel '$dir/mb' --name three </dev/null >/dev/null 2>&1 & r=\$!
	sleep 0.5; kill \$r; wait \$r; [ \$? -eq 0 ] && ! '$ctl' list | grep -q three"
check "check says that nothing can be run" says 1 "No virtual machine" "$ctl" check
check "check gives reason and remedy of a guard" says 1 "remedy: load the real one" "$ctl" check
check "check says that versions differ" says 1 "problem: .*the module fake" "$ctl" check
check "check says that kernels differ" says 1 "problem: .*built for 6.1.0-fake" "$ctl" check
check "check --json has its keys" json "$ctl" check --json
check "no such VM" says 1 "no VM is named 'none'" "$ctl" stop none
check "no such kernel" says 1 "kernel '/none': No such file" "$ctl" run --kernel /none
check "a kernel that is none" says 1 "neither a Linux bzImage nor" \
	"$ctl" run --kernel "$0"
check "a directory as kernel" says 1 "not a regular file" "$ctl" run --kernel /tmp
check "initrd for Multiboot" says 1 "takes --module" run --initrd "$0"
check "memory too small" says 1 "at least 2M" run --memory 1M
check "memory too large" says 1 "too large" run --memory 8G
: >"$dir/empty"
head -c 1000 /dev/zero >"$dir/odd"
head -c 1048576 /dev/zero >"$dir/disk"
head -c 1048576 /dev/zero >"$dir/a,b"
mkfifo "$dir/fifo"
check "a disk" says 0 "hello" run --append halt --disk "$dir/disk"
check "a disk whose path has a comma" says 0 "hello" run --append halt --disk "$dir/a,,b,readonly"
check "no such disk" says 1 "disk '/none': No such file" run --disk /none
check "a directory as disk" says 1 "disk '/tmp' is a directory" run --disk /tmp
check "the same, readonly" says 1 "disk '/tmp' is a directory" run --disk /tmp,readonly
check "a pipe as disk" says 1 "neither a file nor a block device" run --disk "$dir/fifo,readonly"
check "an empty disk" says 1 "is empty: 'truncate" run --disk "$dir/empty"
check "a disk of an odd size" says 1 "no multiple of 512" run --disk "$dir/odd"
check "a format that is not raw" says 2 "format 'qcow2' is not supported" \
	run --disk "$dir/disk,format=qcow2"
check "an unknown word for a disk" says 2 "none of readonly" run --disk "$dir/disk,snapshot"
check "no path" says 2 "path is missing" run --disk ,readonly
check "an id that is too long" says 2 "1 to 20 letters" \
	run --disk "$dir/disk,id=abcdefghijklmnopqrstu"
check "the same disk twice" says 1 "in use by another" \
	run --disk "$dir/disk" --disk "$dir/disk"
check "the same id twice" says 1 "id 'x' is that of disk" \
	run --disk "$dir/disk,id=x" --disk "$dir/a,,b,id=x"
check "17 disks" says 2 "more than 16 disks" sh -c \
	"'$ctl' run --kernel '$dir/mb' $(for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
		printf ' --disk x'; done)"
check "a writer" says 0 "^w$" run --append echo --name w --detach --disk "$dir/disk"
check "a second writer is refused" says 1 "disk '.*/disk' is in use by another guest" \
	run --disk "$dir/disk"
check "and a reader" says 1 "in use by another guest" run --disk "$dir/disk,readonly"
check "show has the disk" says 0 "^Disks=.*/disk,id=disk0" "$ctl" show w
check "the writer is stopped" "$ctl" stop w
check "a reader" says 0 "^r1$" run --append echo --name r1 --detach --disk "$dir/disk,readonly"
check "another reader" says 0 "hello" run --append halt --disk "$dir/disk,readonly"
check "but no writer" says 1 "in use by another guest" run --disk "$dir/disk"
check "the reader is stopped" "$ctl" stop r1
check "and then a writer" says 0 "hello" run --append halt --disk "$dir/disk"
check "no network" says 0 "hello" run --append halt --net none
check "an unknown kind of network" says 2 "use nat, tap=DEVICE or none" run --net slirp
check "an unknown word for a network" says 2 "none of mac=ADDRESS" run --net nat,colour=red
check "a forward of a tap device" says 2 "none of mac=ADDRESS, id=NAME:" \
	run --net tap=x,forward=tcp:1:1
check "a word for no network" says 2 "goes with nat or tap" run --net none,id=x
check "an address that is none" says 2 "give one like 02:00" run --net nat,mac=02:00:00:00:00
check "an address of many cards" says 2 "not the address of one card" \
	run --net nat,mac=03:00:00:00:00:01
check "a forward that is none" says 2 "give one like tcp:8080:80" run --net nat,forward=80
check "a port that is none" says 2 "give one like tcp:8080:80" run --net nat,forward=tcp:65536
check "9 network cards" says 2 "more than 8 network cards" sh -c \
	"'$ctl' run --kernel '$dir/mb' $(for _ in 1 2 3 4 5 6 7 8 9; do printf ' --net nat'; done)"
if [ -e /dev/net/tun ]; then
	check "no such tap device" says 1 "tap 'vmontest': no such device: 'ip tuntap" \
		run --net tap=vmontest
	check "a device that is no tap device" says 1 "tap 'lo' is no tap device" run --net tap=lo
else
	check "no tap devices" says 1 "/dev/net/tun is missing: 'modprobe tun'" run --net tap=lo
fi
# A passt that takes notes: of its arguments, and of its end.
mkdir "$dir/bin"
cat >"$dir/bin/passt" <<-EOF
	#!/bin/sh
	case "\$*" in *--udp-ports*) echo first; echo 'No such port' >&2; exit 1 ;; esac
	echo "\$*" >"$dir/passt-args"
	(cat <&3; echo ended >"$dir/passt-ended") </dev/null >/dev/null 2>&1 &
EOF
chmod +x "$dir/bin/passt"
PATH=$dir/bin:$PATH
check "NAT" says 0 "^n1$" run --append echo --name n1 --detach \
	--net nat,forward=tcp:65001:80 --net nat,host,id=b,mac=02:00:00:00:00:01
check "passt gets what it needs" grep -q -e "--mtu 1500 --fd 3$" "$dir/passt-args"
check "show has the cards" says 0 \
	"^Nets=nat,mac=02:[0-9a-f:]*,id=net0 nat,mac=02:00:00:00:00:01,id=b$" "$ctl" show n1
check "stat has their counters" says 0 "^b.tx_dropped *0$" "$ctl" stat n1
check "the guest is stopped" "$ctl" stop n1
check "and passt with it" wait_for "$dir/passt-ended"
check "the same id twice" says 1 "id 'x' is that of another" run --net nat,id=x --net nat,id=x
check "passt says what is wrong" says 1 "passt gives up: No such port$" \
	run --net nat,forward=udp:65001
rm "$dir/bin/passt"
check "NAT without passt" says 1 "needs passt, which is not there: install" \
	env PATH="$dir/bin" "$ctl" run --kernel "$dir/mb" --net nat
check "unknown option" says 2 "unknown option '--foo'" "$ctl" run --foo
check "unknown verb" says 2 "unknown verb 'fly'" "$ctl" fly
check "bad size" says 2 "give a size like" run --memory lots
check "missing argument" says 2 "missing" "$ctl" stop
check "help of a verb" says 0 "usage: vmonctl run" "$ctl" run --help
check "200 runs in a row" sh -c "
	i=0; while [ \$i -lt 200 ]; do
		'$ctl' run --kernel '$dir/mb' --append halt </dev/null 2>/dev/null | grep -q hello || exit 1
		i=\$((i + 1))
	done"
if id nobody >/dev/null 2>&1 && command -v setpriv >/dev/null; then
	chmod 755 "$dir" "$dir/run"
	check "no permission" says 1 "no permission" \
		setpriv --reuid nobody --clear-groups "$ctl" list
fi
"$ctl" run --kernel "$dir/mb" --name last </dev/null >"$dir/last" 2>&1 &
last=$!
sleep 0.5
kill $daemon
wait $daemon
check "vmond ends with status 0 on SIGTERM" [ $? -eq 0 ]
wait $last
check "its clients are told" sh -c "[ $? -eq 1 ] && grep -q 'vmond has gone' '$dir/last'"
check "and leaves nothing behind" sh -c "! ls '$dir/run' | grep ."
"$out/vmond" --runtime-dir "$dir/run" 2>"$dir/log2" &
daemon=$!
wait_for "$VMON_SOCKET"
if [ ! -d /sys/module/vmon ]; then
	check "vmond runs without the module" grep -q "modprobe vmon" "$dir/log2"
	check "vmonctl says so" says 1 "vmon module is not loaded: modprobe vmon" "$ctl" list
fi
kill -9 $daemon
wait $daemon 2>/dev/null
"$out/vmond" --runtime-dir "$dir/run" 2>/dev/null &
daemon=$!
sleep 0.3
check "vmond starts after kill -9 of another" says 1 "modprobe" "$ctl" list
kill $daemon
wait $daemon

done_testing
