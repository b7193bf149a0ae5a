#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What packages are built from: the tree as it is, committed or not, and its version. In a small
# repository of its own.
set -u
. "$(dirname "$0")/lib.sh"

repository=$work/repository
export=$repository/packaging/export
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git()
{
	command git -C "$repository" -c user.name=test -c user.email=test@vmon.invalid "$@" \
		>>"$work/log" 2>&1
}

version_is()
{
	local got

	read -r got _ < <("$export" --version)
	[[ $got =~ ^$1$ ]]
	tap_ok $? "$2: $got"
}

mkdir -p "$repository/packaging" "$repository/module"
cp "$top/packaging/export" "$repository/packaging/"
cp "$top/module/version.h" "$repository/module/"
echo /build/ >"$repository/.gitignore"

tap_plan 10
version_is "$version" 'without git'
mkdir "$repository/build"
"$export" "$work/out" && [ -e "$work/out/module/version.h" ] && [ ! -e "$work/out/build" ]
tap_ok $? 'without git all but build/ is exported'

git init -q && git add . && GIT_COMMITTER_DATE=2026-01-02T03:04:05Z git commit -q -m one
snapshot="$version~git20260102\\.030405\\.[0-9a-f]{8}"
version_is "$snapshot" 'a commit'
key=$("$export" --key)
git tag "v$version"
version_is "$version" 'a release'

echo new >"$repository/new"
version_is "$snapshot\\.dirty" 'a file that is not committed'
"$export" "$work/out" && [ -e "$work/out/new" ]
tap_ok $? 'it is exported'
[ "$("$export" --key)" != "$key" ]
tap_ok $? 'the key is another'
command git -C "$repository" status --porcelain | grep -qx '?? new'
tap_ok $? 'the index is left alone'
rm "$repository/new" "$repository/module/version.h"
! "$export" --version >/dev/null 2>"$work/said" && grep -q 'module/version.h' "$work/said"
tap_ok $? 'without a version: refused'
git checkout -q module && echo x >"$repository/build/x" && version_is "$version" 'what is ignored does not count'
tap_done
