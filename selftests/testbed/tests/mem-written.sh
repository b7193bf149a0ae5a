#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# selftests/module/mem_written.c in a host with the module loaded; two CPUs, so that the guest
# runs while its memory is written.
here=$(dirname "$0")/..
exec "$here/host" --no-build --no-guests --kernel "${KERNEL:-6.1}" --timeout "${TIMEOUT:-200}" \
	--smp 2 --file "$here/../../build/selftests-module/mem_written" -- \
	'insmod /lib/vmon/vmon.ko allow_unprotected=1 && ./mem_written'
