/* SPDX-License-Identifier: GPL-2.0 */
/* Userspace stand-in for the kernel header of this name. */
#ifndef VMON_SHIM_BITOPS_H
#define VMON_SHIM_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

#endif /* VMON_SHIM_BITOPS_H */
