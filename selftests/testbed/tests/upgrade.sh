#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# restart-if-idle, which upgrades call, with the real module: while a virtual machine exists,
# running or paused, vmond is left alone; afterwards it is restarted. systemctl is a script here that
# takes notes, for no systemd runs in the host.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --timeout 400 --file "$tap_here/../../packaging/upgrade/restart-if-idle:/root/restart-if-idle"

asked()
{
	: >/root/calls
	sh /root/restart-if-idle 2>/root/said
}

tap_plan 7
mkdir -p /run/systemd/system
cat >/bin/systemctl <<'END'
#!/bin/sh
case "$*" in
*is-active*) pidof vmond >/dev/null; exit ;;
esac
echo "$*" >>/root/calls
END
chmod 755 /bin/systemctl

vmon-up allow_unprotected=1
asked
grep -q '^restart vmond.service' /root/calls
tap_ok $? 'no virtual machine: vmond is restarted'
vmonctl run --detach --name one --kernel /guests/686/vmlinuz --initrd /guests/initrd \
	--memory 128M --append "$guest_append" >/dev/null
tap_ok $? 'a virtual machine runs'
asked
[ ! -s /root/calls ]
tap_ok $? 'vmond is left alone'
grep -q 'virtual machines run (1)' /root/said
tap_ok $? 'with a word to the administrator'
vmonctl pause one
asked
[ ! -s /root/calls ]
tap_ok $? 'likewise while it is paused'
vmonctl terminate one
for _ in 1 2 3 4 5 6 7 8 9 10; do
	no_vm && break
	sleep 0.2
done
asked
grep -q '^restart vmond.service' /root/calls
tap_ok $? 'it has been stopped: vmond is restarted'
no_vm
tap_ok $? 'nothing is left'
tap_done
