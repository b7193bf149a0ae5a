#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# selftests/module/vm_run.c in a host with the module loaded.
here=$(dirname "$0")/..
exec "$here/host" --no-build --no-guests --kernel "${KERNEL:-6.1}" --timeout "${TIMEOUT:-200}" \
	--file "$here/../../build/selftests-module/vm_run" -- \
	'insmod /lib/vmon/vmon.ko allow_unprotected=1 && ./vm_run'
