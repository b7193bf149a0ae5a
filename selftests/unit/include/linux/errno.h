/* SPDX-License-Identifier: GPL-2.0 */
/* Userspace stand-in for the kernel header of this name. */
#include_next <linux/errno.h>
