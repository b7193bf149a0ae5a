#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# selftests/module/faults.c in the debug host, whose kernel can make allocations fail.
here=$(dirname "$0")/..
"$here/debug/build" --cached || {
	echo 'TAP version 13'
	echo '1..0 # SKIP the debug kernel has not been built: make check-debug'
	exit 0
}
exec "$here/host" --no-build --no-guests --kernel debug --timeout "${TIMEOUT:-1500}" \
	--file "$here/../../build/selftests-module/faults" -- \
	'insmod /lib/vmon/vmon.ko allow_unprotected=1 && ./faults'
