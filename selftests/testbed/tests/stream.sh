#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random bytes as guest code: the outcome of every program is that of a bare CPU, and nothing
# of the host's changes.
#
# Programs that once showed an error run first (selftests/guests/stream/seeds), then PROGRAMS
# of SEED. Then the test is tested: without truncated segments (parameter test_untruncated)
# programs must differ, and the module must see what they changed.
#
# usage: stream.sh
# Environment: PROGRAMS (10000), SEED (1), KERNEL (6.1)
set -u
testbed=$(cd "$(dirname "$0")/.." && pwd)
seed=${SEED:-1} programs=${PROGRAMS:-10000}
blocks=10
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

words=$(sed -n 's/^\([0-9]*\):\([0-9]*\).*/only=\1:\2/p' "$testbed/../guests/stream/seeds" | tr '\n' ' ')
UNTRUNCATED=400 "$testbed/stream" run "$work" "$seed" 0 "$programs" "${words% }"

number=0 failed=0
# result STATUS NAME
result()
{
	number=$((number + 1))
	[ "$1" = 0 ] && echo "ok $number $2" && return
	failed=$((failed + 1))
	echo "not ok $number $2"
}

# differing FROM TO, or without: of the seeds
differing()
{
	awk -v from="${1-}" -v to="${2-}" '
		$1 == "differs" && (from == "" ? $2 ~ /:/ : $2 !~ /:/ && $2 + 0 >= from + 0 && $2 + 0 < to + 0)' \
		"$work/result"
}

# explain LINES: what differs, and what shows it alone
explain()
{
	local name want have

	while read -r _ name want have; do
		[ -n "${name-}" ] || continue
		case $name in
		*:*)	;;
		*)	name=$seed:$name ;;
		esac
		echo "# $name: $want on a bare CPU, $have under vmon; selftests/testbed/stream show ${name/:/ }"
	done <<<"$1"
}

total()
{
	awk -v kind="$1" '$1 == "total" && $2 == kind { print $3 }' "$work/result"
}

echo 'TAP version 13'
echo "1..$((blocks + 5))"
found=$(differing)
explain "$found"
[ -z "$found" ] && grep -q '^stream end' "$work/vmon" "$work/bare"
result $? 'programs that once showed an error'
for ((block = 0; block < blocks; block++)); do
	from=$((programs * block / blocks)) to=$((programs * (block + 1) / blocks))
	found=$(differing $from $to)
	explain "$found" | head -n 20
	[ -z "$found" ] && [ -s "$work/result" ]
	result $? "seed $seed, programs $from to $((to - 1)): as on a bare CPU"
done
[ "$(total same)" -ge $((programs * 9 / 10)) ]
result $? 'nine of ten programs can be compared'

grep '^selfcheck' "$work/vmon" | sed 's/^/# exits, programs, changes: /'
"$testbed/stream" host_unchanged "$work"
result $? 'nothing of the host has changed'

"$testbed/stream" compare "$work" "$seed" 0 400 untruncated >"$work/without"
echo '# Without truncated segments:'
grep '^total' "$work/without" | sed 's/^/# /'
grep '^selfcheck' "$work/untruncated" | sed 's/^/# exits, programs, changes: /'
grep '^differs' "$work/without" | grep -vq ' nothing$'
result $? 'without truncated segments programs differ'
grep -q 'has changed while the guest ran' "$work/untruncated-log"
result $? 'without truncated segments the self-check sees a change'

[ $failed = 0 ] || { [ ! -e "$work/rest" ] || sed 's/^/# /' "$work/rest"; }
echo "# $programs programs: $(total same) as on a bare CPU, $(total differs) not, $(total loop) ended by the" \
	"timer, $(total gap) of the known gap, $(total end) ended the machine, $(total open) left open by the" \
	"architecture"
[ $failed = 0 ]
