#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The bash completion of vmonctl: sourced, and asked as bash would ask it. Names of virtual
# machines come from a vmond with an engine that needs no module.
set -u
. "$(dirname "$0")/../testbed/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
bin=$top/build/daemon
work=$(mktemp -d)
export VMON_SOCKET=$work/bus PATH=$bin:$PATH
trap 'kill "$daemon" 2>/dev/null; wait; rm -rf "$work"' EXIT

"$bin/vmond-fake" --runtime-dir "$work" 2>"$work/log" &
daemon=$!
for _ in $(seq 50); do
	[ -S "$VMON_SOCKET" ] && break
	sleep 0.1
done
# A Multiboot image that the engine takes for a guest; see daemon/test/run.sh.
printf '\002\260\255\033\000\000\001\000\376\117\121\344' >"$work/image"
printf '\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\000\000\020\000' >>"$work/image"
for name in alpha alpine beta; do
	vmonctl run --kernel "$work/image" --append echo --name $name --detach >/dev/null
done
vmonctl run --kernel "$work/image" --append halt --name over </dev/null >/dev/null 2>&1

. "$top/packaging/completion/vmonctl"

# completions WORD...: one line; the last word is the one to complete
completions()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_vmonctl
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -s -d ' '
}

# expect 'COMPLETIONS' WORD...
expect()
{
	local want=$1 got
	shift
	got=$(completions "$@")
	[ "$got" = "$want" ]
	tap_ok $? "${*:1:$#-1} ${*: -1}<TAB>: $want"
	[ "$got" = "$want" ] || tap_note "got: $got"
}

tap_plan 25
complete -p vmonctl 2>/dev/null | grep -q -- '-F _vmonctl'
tap_ok $? 'sourcing it is enough'
verbs=$(vmonctl --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | LC_ALL=C sort | paste -s -d ' ')
expect "--help --socket --version $verbs" vmonctl ''
expect 'start stat status' vmonctl sta
expect 'alpha alpine' vmonctl terminate al
expect 'alpha alpine beta over' vmonctl terminate alpha ''
expect 'alpha alpine beta over' vmonctl console --all ''
expect 'beta' vmonctl --socket "$VMON_SOCKET" show b
expect 'show' vmonctl --socket "$VMON_SOCKET" sh
expect '--kernel' vmonctl run --k
expect '--all --help --json' vmonctl list --
expect '--help' vmonctl poweroff --
expect 'emulate translate' vmonctl run --exec ''
expect 'emulate' vmonctl run --exec = em
expect "$work/image" vmonctl run --kernel "$work/im"
expect "$work/image" vmonctl run --kernel = "$work/im"
expect 'nat none tap=' vmonctl run --net ''
expect '' vmonctl run --memory ''
expect 'restart stop' vmonctl create web --on-crash ''
expect 'default emulate translate' vmonctl create web --exec ''
expect 'nat none tap=' vmonctl create web --net ''
expect "$work/image" vmonctl create web --kernel "$work/im"
expect '--count --help --json --watch' vmonctl stat alpha --
expect 'daemon regs trace' vmonctl debug ''
expect 'alpha alpine beta over' vmonctl debug regs ''
VMON_SOCKET=$work/none expect '' vmonctl terminate ''
tap_done
