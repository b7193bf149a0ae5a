#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's packages are built from the tree as it is, lintian has nothing to say, and each has
# just its files. What is linked with is also declared.
set -u
. "$(dirname "$0")/lib.sh"

deb()
{
	ls "$top"/build/deb/"$1"_*.deb
}

tap_plan $((5 + $(wc -w <<<"$packages")))
"$top/packaging/make-deb" >"$work/log" 2>&1
tap_ok $? 'make deb'
tap_notes <"$work/log"
[ -e "$top/build/deb/key" ] || tap_done

# As an administrator's program, and not as his ordinary self, it warns of being run by root.
lintian --info --pedantic -I --fail-on error,warning,info,pedantic "$top"/build/deb/*.changes \
	>"$work/log" 2>&1
tap_ok $? 'lintian has nothing to say'
grep -vE '^(N:|running with root)' "$work/log" | tap_notes

for package in $packages; do
	dpkg-deb --fsys-tarfile "$(deb "$package")" | tar -t | sed 's|^\.||' |
		normal_files >"$work/files"
	compare_files "$package" deb "$work/files"
done

built=$(dpkg-deb -f "$(deb vmon-tools)" Version)
dpkg-deb -x "$(deb vmon-tools)" "$work/tools"
[ "$("$work/tools/usr/bin/vmonctl" --version)" = "vmonctl $version" ] &&
	dpkg --compare-versions "$built" ge "$version~"
tap_ok $? "version $built is $version or before it, and vmonctl says $version"

sed -n 's/^libs_[a-z]* := //p' "$top/daemon/Makefile" | tr ' ' '\n' | LC_ALL=C sort -u >"$work/libraries"
missing=''
while read -r library; do
	file=$(pkg-config --variable=pcfiledir "$library")/$library.pc
	package=$(dpkg-query -S "$file" | sed 's/:.*//')
	grep -qE "^ $package,?\$" "$top/packaging/debian/control" || missing+=" debian/control:$package"
	grep -qF "pkgconfig($library)" "$top/packaging/rpm/vmon.spec" || missing+=" vmon.spec:$library"
done <"$work/libraries"
[ -s "$work/libraries" ] && [ -z "$missing" ]
tap_ok $? 'every library of the daemon is a build dependency of both packagings'
[ -z "$missing" ] || tap_note "missing:$missing"

[ -z "$(dpkg-deb -f "$(deb vmon-dkms)" Depends | grep -v 'dkms')" ] &&
	dpkg-deb -f "$(deb vmon)" Depends | grep -qF "vmon-tools (= $built)"
tap_ok $? 'vmon wants vmon-tools of the same version, vmon-dkms wants dkms'
tap_done
