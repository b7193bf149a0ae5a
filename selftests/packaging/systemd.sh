#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages in a Debian that is booted, systemd and all, in QEMU: the service starts, loads the
# module, and runs a guest with all that its unit forbids; a guest lives through an upgrade; a
# machine without the module has a service that says so.
#
# The whole system is the initrd: the Debian of build/packaging/service-*, then what this test
# adds. QEMU does not enforce segment limits, so the module is told to do without.
set -u

# --- outside: make the system, boot it, show what it said ---

outside()
{
	. "$(dirname "$0")/lib.sh"
	local base release module=$top/build/module-6.1/vmon.ko kernel=$top/build/kernels/host-6.1
	local logs=$top/build/packaging/logs system=$work/system

	"$top/packaging/make-deb" >&2 && base=$("$top/selftests/packaging/root" service) &&
		[ -e "$module" ] || { echo 'Bail out! make check-service builds what this wants'; exit 1; }
	if [ ! -e "$base.cpio" ]; then
		(cd "$base" && find . \( -path ./usr/share/doc -o -path ./usr/share/man \
			-o -path ./usr/share/locale -o -path ./usr/share/i18n -o -path ./var/cache \
			-o -path ./var/lib/apt \) -prune -o -print | cpio -o -H newc --quiet) \
			>"$base.cpio.new" && mv "$base.cpio.new" "$base.cpio"
	fi

	read -r release _ <"$kernel/release"
	mkdir -p "$logs" "$system/test" "$system/etc/systemd/system/multi-user.target.wants" \
		"$system/etc/modprobe.d" "$system/usr/lib/modules/$release/updates"
	objcopy --strip-debug "$module" "$system/usr/lib/modules/$release/updates/vmon.ko"
	echo 'options vmon allow_unprotected=1' >"$system/etc/modprobe.d/test.conf"
	cp "$top"/build/deb/vmon_*.deb "$top"/build/deb/vmon-tools_*.deb "$0" \
		"$top/selftests/testbed/tap.sh" "$top/build/kernels/guest-686/vmlinuz" "$system/test/"
	cp "$top/build/guest/initrd" "$system/test/initrd"
	cat >"$system/etc/systemd/system/test.service" <<-END
	[Unit]
	After=multi-user.target
	[Service]
	Type=oneshot
	StandardOutput=file:/dev/ttyS1
	StandardError=file:/dev/ttyS1
	ExecStart=/bin/bash /test/${0##*/} inside
	ExecStopPost=/bin/systemctl --no-block poweroff
	END
	ln -s ../test.service "$system/etc/systemd/system/multi-user.target.wants/"
	(cd "$system" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/system.cpio"
	cat "$base.cpio" "$work/system.cpio" >"$work/initrd"

	timeout "${TIMEOUT:-1700}" qemu-system-x86_64 -accel tcg,thread=single -machine pc -cpu max,la57=off \
		-smp 2 -m 2048 -nodefaults -no-user-config -display none -no-reboot -nic none \
		-kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append 'console=ttyS0,115200 loglevel=5 oops=panic panic=-1 cryptomgr.notests
			no_timer_check rdinit=/lib/systemd/systemd systemd.show_status=0' \
		-serial "file:$logs/console.log" -serial "file:$logs/output.log" </dev/null
	tr -d '\r' <"$logs/output.log"
	if ! "$top/selftests/testbed/scan" "$logs/console.log" | tap_notes; then
		echo 'Bail out! the kernel complained'
	fi
	exit
}

[ "${1-}" = inside ] || outside

# --- inside ---

cd /test || exit 1
export DEBIAN_FRONTEND=noninteractive
. ./tap.sh
guest=(--kernel vmlinuz --initrd initrd --memory 96M)

logged()
{
	"$@" >log 2>&1 </dev/null
	status=$?
	[ "$status" = 0 ] || tail -n 20 log | tap_notes
	return "$status"
}

property()
{
	systemctl show --value -p "$1" vmond
}

# newer SUFFIX: the same packages with a later version, in the directory SUFFIX
newer()
{
	local deb

	mkdir "$1"
	for deb in ./*.deb; do
		rm -rf unpacked
		dpkg-deb -R "$deb" unpacked
		sed -i "s/$built/$built+$1/" unpacked/DEBIAN/control
		dpkg-deb -b -Znone unpacked "$1" >/dev/null
	done
}

built=$(dpkg-deb -f ./vmon_*.deb Version)
tap_plan 17
depmod 2>/dev/null
logged dpkg -i ./*.deb
tap_ok $? 'installed'
[ "$(property ActiveState)/$(property SubState)/$(property UnitFileState)" = active/running/enabled ]
tap_ok $? 'the service is enabled and runs'
[ -d /sys/module/vmon ] && [ "$(property StatusText)" = 'Serving virtual machines' ]
tap_ok $? "it has loaded the module; status: $(property StatusText)"
vmonctl check >log 2>&1
[ $? = 1 ] && grep -q '^UNPROTECTED: ' log
tap_ok $? 'vmonctl check reaches both'

# With all that the unit forbids.
logged timeout 900 vmonctl run "${guest[@]}" --append "$guest_append vmon.script=hello"
tap_ok $? 'a Linux guest boots, and ends with its script'
grep -q 'GUEST PASS' log
tap_ok $? 'which passed'

logged vmonctl run "${guest[@]}" --append "$guest_append" --name one --detach
tap_ok $? 'a guest is started'
newer a
newer b
before=$(property MainPID)
logged dpkg -i a/*.deb
tap_ok $? 'upgraded meanwhile'
[ "$(property MainPID)" = "$before" ] && vmonctl list | grep -q '^one .*running'
tap_ok $? 'the guest runs, vmond is the same'
grep -q 'virtual machines run (1)' log
tap_ok $? 'and the administrator is told'
vmonctl terminate one
sleep 1
logged /usr/lib/vmon/restart-if-idle
[ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$before" ]
tap_ok $? 'the guest has been stopped: restart-if-idle restarts vmond'
before=$(property MainPID)
logged dpkg -i b/*.deb
[ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$before" ] && no_vm
tap_ok $? 'an upgrade without guests restarts it'

before=$(property MainPID)
kill -9 "$before"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	sleep 0.5
	[ "$(property ActiveState)" = active ] && break
done
[ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$before" ] && no_vm
tap_ok $? 'killed, it is started again'

# A machine on which the module cannot be loaded.
logged systemctl stop vmond && logged rmmod vmon && mv "/lib/modules/$(uname -r)/updates" . &&
	depmod && logged systemctl start vmond
tap_ok $? 'without the module it starts all the same'
case $(property StatusText) in
*'modprobe vmon'*)	true ;;
*)			false ;;
esac
tap_ok $? "status: $(property StatusText)"
[ -z "$(systemctl --failed --no-legend | grep -i vmon)" ]
tap_ok $? 'no unit has failed'

logged dpkg --purge vmon vmon-tools
[ ! -e /lib/systemd/system/vmond.service ] && ! pidof vmond && [ ! -e /run/vmon ] && [ ! -e /etc/vmon ]
tap_ok $? 'purged: no vmond runs, nothing of it is left'
tap_done
