#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The man pages are well formed, and name just what there is: the verbs and options that vmonctl
# has, the options of vmond, the module's parameters.
set -u
. "$(dirname "$0")/../testbed/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
man=$top/packaging/man
bin=$top/build/daemon
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# same NAME: $work/said (by the program) and $work/told (by the page) are the same lines
same()
{
	LC_ALL=C sort -u -o "$work/said" "$work/said"
	LC_ALL=C sort -u -o "$work/told" "$work/told"
	[ -s "$work/said" ] && diff "$work/said" "$work/told" >"$work/diff"
	tap_ok $? "$1"
	sed -n 's/^</not in the page:/p; s/^>/in the page alone:/p' "$work/diff" | tap_notes
}

# options_of TEXT: each --option that is in it, without the dashes
options_of()
{
	grep -oE -- '--[a-z][a-z-]*' "$1" | sed 's/^--//'
}

pages=$(ls "$man")
tap_plan $(($(wc -w <<<"$pages") + 4))

# That a page of another package is not installed here is no fault of ours.
for page in $pages; do
	mandoc -Tlint "$man/$page" 2>&1 |
		grep -v -e 'referenced manual not found' -e 'mandoc.db' >"$work/lint"
	[ ! -s "$work/lint" ]
	tap_ok $? "$page: mandoc has nothing to say"
	tap_notes <"$work/lint"
done

# Lines "VERB" and "VERB OPTION"; options of vmonctl itself have "-" for the verb.
"$bin/vmonctl" --help >"$work/help"
verbs=$(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' "$work/help")
{
	echo "$verbs"
	for option in $(sed -n '/^usage/p' "$work/help" | options_of /dev/stdin) help version; do
		echo "- $option"
	done
	for verb in $verbs; do
		"$bin/vmonctl" "$verb" --help >"$work/verb"
		options_of "$work/verb" | sed "s/^/$verb /"
	done
} >"$work/said"
awk '
BEGIN { verb = "-" }
/^\.Sh /	{ verb = "-"; commands = $2 == "COMMANDS" }
/^\.It Cm / && commands	{ verb = $3; print verb }
/^\.It Fl -/	{ print verb, substr($3, 2) }' "$man/vmonctl.1" >"$work/told"
same 'vmonctl.1: verbs and options are those of vmonctl --help'

"$bin/vmond" --help | options_of /dev/stdin >"$work/said"
sed -n 's/^\.It Fl -\([a-z-]*\).*/\1/p' "$man/vmond.8" >"$work/told"
same 'vmond.8: options are those of vmond --help'

grep -rhoE 'module_param(_named)?\([a-z_]+' "$top/module" | sed 's/.*(//' >"$work/said"
sed -n '/^\.Sh PARAMETERS/,/^\.Sh FILES/s/^\.It Ar \([a-z_]*\).*/\1/p' "$man/vmon.4" >"$work/told"
same 'vmon.4: parameters are those of the module'

# One version for all: the packages take that of module/version.h.
sed -n 's/^.define VMON_VERSION[[:space:]]*"\(.*\)"/\1/p' "$top/module/version.h" >"$work/said"
sed -n 's/^.define VMON_VERSION[[:space:]]*"\(.*\)"/\1/p' "$top/daemon/common/version.h" >"$work/told"
same 'module/version.h and daemon/common/version.h name the same version'
tap_done
