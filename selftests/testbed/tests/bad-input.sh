#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever is wrong with a command or a file: one line on stderr that names the thing and
# the remedy, an exit status that is not 0, and no VM left over.
set -u
. "$(dirname "$0")/../tap.sh"
tap_in_host

# refused NAME THING REMEDY COMMAND...: THING and REMEDY are regular expressions
refused()
{
	name=$1 thing=$2 remedy=$3
	shift 3
	timeout 30 "$@" >/tmp/out 2>/tmp/err </dev/null
	status=$?
	wrong=
	[ $status != 0 ] && [ $status -lt 124 ] || wrong="status $status"
	[ "$(wc -l </tmp/err)" = 1 ] || wrong="$wrong; $(wc -l </tmp/err) lines on stderr"
	[ ! -s /tmp/out ] || wrong="$wrong; output on stdout"
	grep -Eq -- "$thing" /tmp/err || wrong="$wrong; does not name the thing ($thing)"
	grep -Eq -- "$remedy" /tmp/err || wrong="$wrong; does not name the remedy ($remedy)"
	[ -n "$no_daemon" ] || no_vm || wrong="$wrong; a VM is left over"
	[ -z "$wrong" ]
	tap_ok $? "$name"
	tap_notes </tmp/err
	[ -z "$wrong" ] || tap_note "wrong: $wrong"
}

kernel=/guests/686/vmlinuz
tap_plan 31
no_daemon=1
refused 'no daemon' 'vmond is not running' 'systemctl start vmond' \
	vmonctl run --kernel $kernel

# The daemon without the module: it comes up, and says so when a VM is wanted.
mkdir -p /run/vmon
vmond >/tmp/vmond.log 2>&1 &
daemon=$!
sleep 2
refused 'no module' 'module|vmon' 'modprobe vmon' vmonctl run --kernel $kernel
kill $daemon
wait $daemon 2>/dev/null
vmon-up allow_unprotected=1 || tap_done
no_daemon=

# --- files ---

dd if=/dev/urandom of=/tmp/noise bs=1k count=64 2>/dev/null
: >/tmp/empty
echo 'no kernel' >/tmp/text
head -c 1000 $kernel >/tmp/short
head -c 8000 $kernel >/tmp/setup-only
head -c 2000000 $kernel >/tmp/half
mkdir /tmp/directory
refused 'a kernel of noise' '/tmp/noise' 'give the compressed kernel' \
	vmonctl run --kernel /tmp/noise
refused 'an empty kernel' '/tmp/empty' 'give the compressed kernel' \
	vmonctl run --kernel /tmp/empty
refused 'a text as kernel' '/tmp/text' 'give the compressed kernel' vmonctl run --kernel /tmp/text
refused 'a directory as kernel' '/tmp/directory' 'not a regular file: give' \
	vmonctl run --kernel /tmp/directory
refused 'a device as kernel' '/dev/zero' 'not a regular file: give' vmonctl run --kernel /dev/zero
refused 'a 64-bit ELF as kernel' '/usr/bin/vmond' 'give the compressed kernel' \
	vmonctl run --kernel /usr/bin/vmond
refused 'a kernel cut within its setup' '/tmp/short.* truncated' 'copy it again' \
	vmonctl run --kernel /tmp/short
refused 'a kernel cut behind its setup' '/tmp/setup-only.* truncated' 'copy it again' \
	vmonctl run --kernel /tmp/setup-only
refused 'half a kernel' '/tmp/half.* truncated' 'copy it again' vmonctl run --kernel /tmp/half
refused 'a kernel that is not there' "kernel '/tmp/none'" 'give a file that exists' \
	vmonctl run --kernel /tmp/none
refused 'an initrd that is not there' "initrd '/tmp/none'" 'give a file that exists' \
	vmonctl run --kernel $kernel --initrd /tmp/none
refused 'a module that is not there' "module '/tmp/none'" 'give a file that exists' \
	vmonctl run --kernel $kernel --module /tmp/none
refused 'a Multiboot module for Linux' "$kernel" 'takes --initrd' \
	vmonctl run --kernel $kernel --module /tmp/text
dd if=/dev/zero of=/tmp/large bs=1M count=60 2>/dev/null
refused 'an initrd that does not fit' '/tmp/large' 'use --memory [0-9]+M' \
	vmonctl run --kernel $kernel --initrd /tmp/large --memory 64M
rm /tmp/large

# --- memory ---

refused 'memory too small for the kernel' "$kernel" 'use --memory [0-9]+M' \
	vmonctl run --kernel $kernel --memory 4M
refused 'memory too small for anything' 'memory: 1 MiB' 'at least 2M' \
	vmonctl run --kernel $kernel --memory 1M
refused 'no memory' "memory '0'" 'like 128M' vmonctl run --kernel $kernel --memory 0
refused 'negative memory' "memory '-1M'" 'like 128M' vmonctl run --kernel $kernel --memory -1M
refused 'memory of words' "memory 'lots'" 'like 128M' vmonctl run --kernel $kernel --memory lots
refused 'memory that is no whole MiB' 'memory: 67109888 bytes' 'use --memory 65M' \
	vmonctl run --kernel $kernel --memory 65537K
refused 'memory beyond 32 bits' 'memory: 5120 MiB' 'at most [0-9]+M' \
	vmonctl run --kernel $kernel --memory 5G
refused 'memory beyond 64 bits' "memory '99999999999G'" 'like 128M' \
	vmonctl run --kernel $kernel --memory 99999999999G

# --- options and names ---

refused 'an unknown option' '--frobnicate' '--help' vmonctl run --kernel $kernel --frobnicate
refused 'an unknown verb' 'frobnicate' '--help' vmonctl frobnicate
refused 'no kernel given' '--kernel' '--help' vmonctl run
long=$(head -c 5000 /dev/zero | tr '\0' x)
refused 'a command line that is too long' '5000 bytes' 'at most [0-9]+' \
	vmonctl run --kernel $kernel --append "$long"
refused 'a VM that is not there' "'nobody'" 'vmonctl list' vmonctl stop nobody

# --- who else ---

refused 'a second daemon' 'vmond.* (runs|running)|already' 'stop|socket|lock' vmond
refused 'no permission' 'permission' 'as root' \
	su -s /bin/sh nobody -c "vmonctl run --kernel $kernel"
tap_done
