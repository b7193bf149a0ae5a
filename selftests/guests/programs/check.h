/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest's test programs share: a check that names itself when it fails.
 *
 * A program prints nothing and exits with 0 when all is well. Its name is then the
 * name of the passed step in the script that ran it.
 */
#ifndef VMON_GUEST_CHECK_H
#define VMON_GUEST_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define check(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: %s (errno: %s)\n", __FILE__,	\
			__LINE__, #condition, strerror(errno));		\
		exit(1);						\
	}								\
} while (0)

#endif
