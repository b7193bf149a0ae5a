#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# RPM's packages are built from the tree as it is, rpmlint has nothing to say, and each has
# just its files. They are installed, upgraded and removed in install.sh.
set -u
. "$(dirname "$0")/lib.sh"

rpm_of()
{
	ls "$top"/build/rpm/"$1"-[0-9]*.rpm
}

tap_plan $((4 + $(wc -w <<<"$packages")))
"$top/packaging/make-rpm" >"$work/log" 2>&1
tap_ok $? 'make rpm'
tap_notes <"$work/log"
[ -e "$top/build/rpm/key" ] || tap_done

# By what it says, not by its exit status, which is 0 for warnings.
rpmlint -c "$top/packaging/rpm/rpmlint.toml" "$top"/build/rpm/*.rpm "$top/packaging/rpm/vmon.spec" \
	>"$work/log" 2>&1
grep -q '3 packages and 1 specfiles checked; 0 errors, 0 warnings' "$work/log"
tap_ok $? 'rpmlint has nothing to say'
grep -E ': [EW]: ' "$work/log" | tap_notes

# Directories that others share belong to others; below /usr/src they are ours.
for package in $packages; do
	rpm -qp --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' "$(rpm_of "$package")" |
		sed -n -e '\| /usr/lib/\.build-id|d' -e '\| /usr/share/licenses/|d' \
			-e '/^d/s|\(.*\)|\1/|' -e 's/^[^ ]* //p' |
		normal_files >"$work/files"
	compare_files "$package" rpm "$work/files"
done

for package in $packages; do
	rpm -qp --scripts "$(rpm_of "$package")" | grep -v '^[a-z]* scriptlet' >"$work/script"
	sh -n "$work/script" || break
done 2>"$work/log" && [ ! -s "$work/log" ]
tap_ok $? 'the scripts are sound shell'
tap_notes <"$work/log"

rpm -qp --requires "$(rpm_of vmon)" | grep -qx 'vmon-tools = .*-1' &&
	rpm -qp --requires "$(rpm_of vmon-dkms)" | grep -qx dkms
tap_ok $? 'vmon wants vmon-tools of the same version, vmon-dkms wants dkms'
tap_done
