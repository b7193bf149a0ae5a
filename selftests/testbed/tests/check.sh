#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vmonctl check: what it says without a daemon, without the module, and with both, agrees
# with what the host's kernel says.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host --no-guests

check()
{
	vmonctl check >/tmp/check 2>/tmp/err
	status=$?
	vmonctl check --json >/tmp/json 2>/dev/null
}

# fact NAME: its value in the JSON
fact()
{
	sed -n "/\"$1\": *{/,/}/s/.*\"value\": *\\([0-9]*\\).*/\\1/p" /tmp/json
}

# flag NAME FACT: the fact is what /proc/cpuinfo says
flag()
{
	want=0
	grep -m 1 '^flags' /proc/cpuinfo | grep -qw "$1" && want=1
	[ "$(fact "$2")" = $want ]
	tap_ok $? "$2 as in /proc/cpuinfo: $want"
}

tap_plan 16
check
[ $status = 1 ] && grep -q '^module *not loaded: modprobe vmon' /tmp/check &&
	grep -q 'problem: vmond is not running' /tmp/check
tap_ok $? 'without module and vmond: says both, status 1'
grep -q '"source": *"cpuid"' /tmp/json && [ "$(fact long_mode)" = 1 ]
tap_ok $? 'and what CPUID claims'

mkdir -p /run/vmon
vmond >/tmp/vmond.log 2>&1 &
daemon=$!
sleep 2
check
[ $status = 1 ] && grep -q 'module is not loaded' /tmp/err && grep -q '"loaded": *false' /tmp/json
tap_ok $? 'with vmond, without the module: says so'
kill $daemon
wait $daemon 2>/dev/null

vmon-up || tap_done
check
tap_notes </tmp/check
[ $status = 1 ]
tap_ok $? 'status 1 on a CPU that does not enforce limits'
grep -q '"usable": *false' /tmp/json && grep -q '"source": *"module"' /tmp/json
tap_ok $? 'not usable, the module says'
release=$(uname -r)
grep -q "^module .*, built for $release\$" /tmp/check && ! grep -q '^problem' /tmp/check
tap_ok $? 'the module fits the kernel, no problem is listed'
grep -Eq '^segment +no +no +this CPU does not enforce' /tmp/check &&
	grep -q 'remedy: load vmon with allow_unprotected=1 only to test it' /tmp/check
tap_ok $? 'segment: reason and remedy'
grep -Eq '^lmsle +no +no +not implemented in this version' /tmp/check &&
	[ "$(fact lmsle)" = 0 ]
tap_ok $? 'lmsle: tried, and this CPU does not have it'
grep -Eq '^paging +no +yes +not implemented in this version' /tmp/check
tap_ok $? 'paging: not implemented, but this CPU could'
[ "$(fact limits_enforced)" = 0 ] && [ "$(fact fred)" = 0 ] && [ "$(fact xen_pv)" = 0 ]
tap_ok $? 'measured: limits are not enforced; no FRED, no Xen PV'
flag smep smep
flag smap smap
flag umip umip
flag la57 la57
flag hypervisor hypervisor
khz=$(dmesg | sed -n 's/.*tsc: Detected \([0-9]*\)\..* MHz.*/\1/p' | head -n 1)
[ $(($(fact tsc_khz) / 1000 - khz)) -le 100 ] && [ $((khz - $(fact tsc_khz) / 1000)) -le 100 ]
tap_ok $? "tsc_khz as the kernel found it: $khz MHz"
tap_done
