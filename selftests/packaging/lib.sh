# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of the packages share: which files belong where.

. "$(dirname "$0")/../testbed/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
packages='vmon vmon-tools vmon-dkms'
# shellcheck disable=SC2034 # used by those who source this file
version=$(sed -n 's/^.define VMON_VERSION[[:space:]]*"\(.*\)"/\1/p' "$top/module/version.h")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# files_of PACKAGE KIND: what must be in it; KIND is deb or rpm
files_of()
{
	{
		awk -v package="$1" -v kind="$2" '$1 == package && ($3 == "" || $3 == kind) { print $2 }' \
			"$top/selftests/packaging/files"
		if [ "$1" = vmon-dkms ]; then
			(cd "$top" && find module uapi -name '*.[chS]' -o -name '*.lds') |
				sed 's|^|/usr/src/vmon-VERSION/|'
		fi
		if [ "$1" = vmon-tools ]; then
			(cd "$top/selftests/guests/escape" && ls ./*.c) |
				sed 's|^\.\(.*\)c$|/usr/lib/vmon/escape\1elf|'
		fi
	} | sed "s/VERSION/$version/" | LC_ALL=C sort
}

# normal_files: stdin is a list of paths, directories with "/" at their end
normal_files()
{
	sed -e '\|^/usr/share/doc/|d' -e 's|^/lib/|/usr/lib/|' -e '/man\/man/s/\.gz$//' |
		grep -e '[^/]$' -e '^/etc/vmon/guests/$' | LC_ALL=C sort
}

# compare_files PACKAGE KIND FILE: one test
compare_files()
{
	diff <(files_of "$1" "$2") "$3" >"$work/diff"
	tap_ok $? "$1: has the files that it should have, and no others"
	sed -n 's/^</missing:/p; s/^>/unexpected:/p' "$work/diff" | tap_notes
}
