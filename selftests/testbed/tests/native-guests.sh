#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guests' own tests pass without vmon, so that a failure under vmon is vmon's.
set -u
native=$(dirname "$0")/../native

echo 'TAP version 13'
echo 1..4
number=0
for kernel in 686 686-pae; do
	for script in hello full; do
		number=$((number + 1))
		if output=$("$native" --quiet $kernel $script 2>&1); then
			echo "ok $number $kernel passes $script in QEMU"
		else
			echo "not ok $number $kernel passes $script in QEMU"
		fi
		sed 's/^/# /' <<<"$output"
	done
done
