/* SPDX-License-Identifier: GPL-2.0 */
/* Userspace stand-in for the kernel header of this name. */
#ifndef VMON_SHIM_KERNEL_H
#define VMON_SHIM_KERNEL_H

#include <stdio.h>
#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/bitops.h>
#include <linux/minmax.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#endif

#endif /* VMON_SHIM_KERNEL_H */
