/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One disk of a guest as a user writes it: PATH[,readonly][,format=raw][,id=NAME].
 *
 * The same for the command line and for files. A comma in PATH is written twice.
 */
#ifndef VMON_COMMON_DISK_OPTION_H
#define VMON_COMMON_DISK_OPTION_H

#include <limits.h>
#include <stdbool.h>

#include "common/error.h"

#define DISK_OPTION_ID_MAX	20	/* bytes, without the NUL */
#define DISK_OPTION_MAX		16	/* disks of one guest */

/**
 * struct disk_option - what was written
 * @path:	file or block device
 * @id:		what the guest sees as its serial number; empty: none was given
 * @readonly:	the guest cannot write
 */
struct disk_option {
	char path[PATH_MAX];
	char id[DISK_OPTION_ID_MAX + 1];
	bool readonly;
};

int disk_option_parse(const char *text, struct disk_option *ret, struct error *err);

#endif /* VMON_COMMON_DISK_OPTION_H */
