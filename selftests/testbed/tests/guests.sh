#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The small guests of selftests/guests, one behaviour each: right in QEMU (so the test
# is right), right on the emulator alone, right under vmon with its kernel code
# translated and with it emulated.
#
# usage: guests.sh [NAME...]
# Environment: EMULATOR (qemu), KERNEL (6.1), WHERE (qemu machine translate emulate).
#
# How a guest is to end, if not with status 0 at port F4h, its source says: "Ends by:".
set -u
tests=$(cd "$(dirname "$0")" && pwd)
guests=$tests/../../guests
out=$tests/../../../build/guests/tests
where=${WHERE:-qemu machine translate emulate}
names=("$@")

make -s -C "$guests" || { echo 'Bail out! the guests do not build'; exit 1; }
if [ ${#names[@]} = 0 ]; then
	for source in "$guests"/tests/*.c; do
		source=${source##*/}
		names+=("${source%.c}")
	done
fi

jobs=()
for place in $where; do
	for name in "${names[@]}"; do
		jobs+=("$place/$name")
	done
done
echo 'TAP version 13'
echo "1..${#jobs[@]}"

# ends NAME: in which words, where it is not status 0
ends()
{
	sed -n 's/^.*Ends by: \(.*[a-z]\).*/\1/p' "$guests/tests/$1.c" | head -n 1
}

number=0 failed=0
# result PLACE/NAME STATUS, and the output on stdin
result()
{
	local place=${1%%/*} name=${1#*/} status=$2 want output verdict=ok
	want=$(ends "$name")
	output=$(cat)
	number=$((number + 1))
	case $want in
	'')	[ "$status" = 0 ] || [ "$status" = 36 ] || verdict='not ok' ;;
	*)	if [ "$place" = qemu ]; then
			# It cannot tell the ends apart.
			[ "$status" = 125 ] || [ "$status" = 124 ] || verdict='not ok'
		else
			grep -q "$want" <<<"$output" || verdict='not ok'
		fi ;;
	esac
	[ "$verdict" = ok ] || failed=$((failed + 1))
	if [ -z "$want" ] && [ "$status" = 36 ]; then
		echo "ok $number $1 # $(grep -m 1 '^skipped' <<<"$output")"
	else
		echo "$verdict $number $1"
	fi
	[ "$verdict" = ok ] || sed "s/^/# /; \$a# status $status" <<<"$output"
}

vmon=()
for job in "${jobs[@]}"; do
	case $job in
	qemu/*|machine/*)
		output=$("$guests/run-here" "${job%%/*}" "$out/${job#*/}.elf" 2>&1)
		result "$job" $? <<<"$output" ;;
	*)	vmon+=("$job") ;;
	esac
done

if [ ${#vmon[@]} -gt 0 ]; then
	current='' output=''
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'begin '*)
			current=${line#begin } output='' ;;
		"end $current "*)
			result "$current" "${line##* }" <<<"$output"
			current='' ;;
		*)	[ -n "$current" ] && output+=$line$'\n' || echo "# $line" ;;
		esac
	done < <("$tests/../host" --no-guests --kernel "${KERNEL:-6.1}" \
			--emulator "${EMULATOR:-qemu}" --timeout "${TIMEOUT:-600}" \
			--file "$out:/guests/tests" --file "$guests/run-vmon:/root/run-vmon" \
			-- sh /root/run-vmon "${vmon[@]}" 2>&1)
	[ -z "$current" ] || result "$current" 99 <<<"$output"
	while [ $number -lt ${#jobs[@]} ]; do
		number=$((number + 1)) failed=$((failed + 1))
		echo "not ok $number ${jobs[number - 1]}"
		echo '# the host did not get that far'
	done
fi
[ $failed = 0 ]
