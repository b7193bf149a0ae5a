#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vmond as a service tells the service manager what can be run; its units are looked at by
# daemon/test/units.sh. restart-if-idle does what its head says, with a systemctl that only takes notes.
set -u
. "$(dirname "$0")/../testbed/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
bin=$top/build/daemon
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# status PROGRAM: what a service manager hears from it until it is ready, one a line
status()
{
	python3 - "$1" "$work/run" <<-'END'
	import os, socket, subprocess, sys
	program, directory = sys.argv[1:]
	with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
	    path = directory + ".notify"
	    s.bind(path)
	    s.settimeout(20)
	    vmond = subprocess.Popen([program, "--runtime-dir", directory],
	                             env=dict(os.environ, NOTIFY_SOCKET=path),
	                             stderr=subprocess.DEVNULL)
	    said = []
	    try:
	        while "READY=1" not in said:
	            said += s.recv(4096).decode().split("\n")
	    finally:
	        vmond.terminate()
	        vmond.wait()
	        os.unlink(path)
	print("\n".join(said))
	END
}

# restart LOADED THERE REFERENCES ACTIVE [OPTION]: the calls that restart-if-idle makes, in one
# line, and what it says in $work/said. The first three may be empty.
restart()
{
	local module=$work/root/sys/module/vmon

	rm -rf "$work/root" "$work/calls"
	mkdir -p "$module" "$work/root/run/systemd/system" "$work/path"
	if [ -n "$1" ]; then
		echo "$1" >"$module/srcversion"
		echo "$3" >"$module/refcnt"
	fi
	sed -e "s|/sys/module|$work/root/sys/module|; s|/run/systemd|$work/root/run/systemd|" \
		"$top/packaging/upgrade/restart-if-idle" >"$work/restart"
	cat >"$work/path/systemctl" <<-END
	#!/bin/sh
	[ "\$1" = --quiet ] && exec [ "$4" = active ]
	echo "\${0##*/} \$1" >>"$work/calls"
	END
	cp "$work/path/systemctl" "$work/path/deb-systemd-invoke"
	printf '#!/bin/sh\necho "modprobe $1" >>"%s/calls"\n' "$work" >"$work/path/modprobe"
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$work/path/modinfo"
	chmod +x "$work/path"/*
	PATH=$work/path:$PATH sh "$work/restart" ${5-} 2>"$work/said" || echo failed
	[ ! -e "$work/calls" ] || paste -s -d ';' "$work/calls"
}

# restarts 'WHAT IS DONE' 'NAME' ARGUMENT OF restart...
restarts()
{
	local want=$1 name=$2 got
	shift 2
	got=$(restart "$@")
	[ "$got" = "$want" ]
	tap_ok $? "restart-if-idle: $name"
	[ "$got" = "$want" ] || tap_note "got: $got"
}

tap_plan 12
status "$bin/vmond-fake" >"$work/status"
grep -qx 'STATUS=Serving virtual machines' "$work/status"
tap_ok $? 'vmond tells that it serves virtual machines'
if [ -d /sys/module/vmon ]; then
	tap_skip 'vmond tells that the module is not loaded' 'it is'
else
	status "$bin/vmond" >"$work/status"
	grep -q '^STATUS=No virtual machine can be run yet: .*modprobe vmon' "$work/status"
	tap_ok $? 'vmond tells that the module is not loaded, and is ready all the same'
fi

restarts '' 'does nothing while vmond does not run' A A 0 inactive
restarts 'deb-systemd-invoke restart' 'restarts an idle vmond' A A 0 active
restarts '' 'leaves vmond alone while virtual machines run' A B 2 active
grep -q 'virtual machines run (2)' "$work/said"
tap_ok $? 'and says so'
restarts 'deb-systemd-invoke stop;modprobe -r;deb-systemd-invoke start' \
	'loads another module than the loaded one' A B 0 active
restarts 'deb-systemd-invoke restart' 'keeps the module where there is none for this kernel' \
	A '' 0 active
restarts 'deb-systemd-invoke restart' 'lets the service load the first module' '' A '' active --module
restarts '' 'has nothing to do when the module is the same' A A 0 active --module
restarts 'deb-systemd-invoke stop;modprobe -r;deb-systemd-invoke start' \
	'loads another module, asked for that alone' A B 0 active --module
restarts '' 'leaves virtual machines their module' A B 1 active --module
tap_done
