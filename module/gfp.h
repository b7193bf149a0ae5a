/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How memory for a VM is asked for.
 *
 * Its owner's cgroup pays for it. When there is none its owner is told, so the kernel's log
 * need not be, and a cgroup's limit fills no log.
 */
#ifndef VMON_GFP_H
#define VMON_GFP_H

#include <linux/gfp.h>

#define VMON_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN)

#endif /* VMON_GFP_H */
