# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of the test bed share: where things are, and how they speak.

testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$testbed/../.." && pwd)
build=$top/build
kernels=$build/kernels
# shellcheck disable=SC2034 # used by the scripts that source this file
host_kernels="6.1 6.12"
# shellcheck disable=SC2034
guest_kernels="686 686-pae"
# In the order in which they must be loaded.
# shellcheck disable=SC2034
guest_modules="virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci
	virtio_blk virtio-rng crc16 mbcache jbd2 crc32c_generic ext4"
# Those that need ACPI.
# shellcheck disable=SC2034
guest_modules_acpi="button evdev"

say()
{
	echo "${0##*/}: $*" >&2
}

die()
{
	say "$*"
	exit 125
}

# libraries_of FILE...: every shared library and loader that the files need, and the
# files themselves where they are libraries.
libraries_of()
{
	local file
	for file; do
		case $file in
		*.so.*) echo "$file" ;;
		esac
		ldd "$file" 2>/dev/null | sed -n 's/.*\s\(\/[^ ]*\) (0x.*/\1/p; s/^\s*\(\/[^ ]*\) (0x.*/\1/p'
	done | LC_ALL=C sort -u
}

# put FILE OFFSET BYTES VALUE: a little-endian number into a file.
put()
{
	local i bytes='' value=$(($4))
	for ((i = 0; i < $3; i++)); do
		bytes+=$(printf '\\x%02x' $((value >> (8 * i) & 255)))
	done
	printf "$bytes" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none
}

# drain_screen BOCHSRC: read what the Bochs with this configuration shows, in the background.
# Prints that reader's process, or nothing where Bochs has no screen yet.
#
# Bochs's display is a pseudo terminal of its own. Its cursor goes on and off there, and
# once 4 KiB of that wait unread, Bochs waits, too.
drain_screen()
{
	local process fd index
	for process in /proc/[0-9]*; do
		[ "$(cat "$process/comm" 2>/dev/null)" = bochs-bin ] || continue
		grep -aqF "$1" "$process/cmdline" 2>/dev/null || continue
		for fd in "$process"/fd/*; do
			[ "$(readlink "$fd")" = /dev/ptmx ] || continue
			index=$(sed -n 's/^tty-index:[[:space:]]*//p' \
				"$process/fdinfo/${fd##*/}")
			[ -c "/dev/pts/$index" ] || continue
			cat "/dev/pts/$index" >/dev/null 2>&1 8<&- &
			echo $!
			return
		done
	done
}
