/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of guests. They are also names of files, of unit instances and of VMs in the
 * module, and the rule is the one that suits all of these.
 */
#ifndef VMON_COMMON_NAME_H
#define VMON_COMMON_NAME_H

#include <errno.h>
#include <string.h>

#include "common/error.h"
#include "vmon.h"

/**
 * name_check() - may a guest be called so?
 * @name: as the user gave it
 * @err: says what would be right
 *
 * Return: 0 or -EINVAL.
 */
static inline int name_check(const char *name, struct error *err)
{
	static const char letters[] =
		"._-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (*name && !strchr("._-", *name) && strlen(name) <= VMON_NAME_MAX &&
	    !name[strspn(name, letters)])
		return 0;
	return fail(err, EINVAL,
		    "name '%.80s': use at most %u letters, digits, '.', '_' and '-', a letter or digit first",
		    name, VMON_NAME_MAX);
}

#endif /* VMON_COMMON_NAME_H */
