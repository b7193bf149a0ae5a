/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernel versions that vmon builds for, and nothing
 * else. Written for the newest; older kernels get what they lack.
 */
#ifndef VMON_COMPAT_H
#define VMON_COMPAT_H

#include <linux/version.h>
#include <linux/hrtimer.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <asm/cpufeature.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void vmon_hrtimer_setup(struct hrtimer *timer,
				      enum hrtimer_restart (*fn)(struct hrtimer *),
				      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#else
#define vmon_hrtimer_setup hrtimer_setup
#endif

/* FRED came with 6.9. */
#ifdef X86_FEATURE_FRED
#define vmon_host_has_fred()	cpu_feature_enabled(X86_FEATURE_FRED)
#else
#define vmon_host_has_fred()	false
#endif

/* Listening to events needs the capability, where the kernel can ask for it. */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define VMON_MCGRP_FLAGS	.flags = GENL_MCAST_CAP_NET_ADMIN
#else
#define VMON_MCGRP_FLAGS
#endif

/*
 * NL_SET_ERR_MSG() takes literals only: this one takes any string that stays.
 * Return: @err.
 */
static inline int vmon_refuse(struct netlink_ext_ack *extack, int err,
			      const char *why)
{
	if (extack)
		extack->_msg = why;
	return err;
}

#endif /* VMON_COMPAT_H */
