#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every host kernel boots in every emulator, its command's output and exit status
# come back, and a complaint of the kernel does not go unnoticed.
set -u
host=$(dirname "$0")/../host

number=0
ok()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
	fi
}

echo 'TAP version 13'
echo 1..6
for kernel in 6.1 6.12; do
	for emulator in qemu bochs; do
		output=$("$host" --kernel "$kernel" --emulator "$emulator" --no-guests \
			 --no-build -- 'uname -r; exit 7')
		status=$?
		[ $status = 7 ] && [[ $output == "$kernel"* ]]
		ok $? "$kernel boots in $emulator (status $status, $output)"
	done
done

"$host" --no-guests --no-build -- 'echo "BUG: not a real one" >/dev/kmsg' >/dev/null 2>&1
[ $? = 99 ]
ok $? 'a complaint of the kernel fails the run'

"$host" --no-guests --no-build -- 'echo c >/proc/sysrq-trigger' >/dev/null 2>&1
[ $? = 99 ]
ok $? 'a crash of the kernel ends the run and fails it'
