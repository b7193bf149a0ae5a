/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this CPU and this kernel can hold, found out by trying.
 */
#ifndef VMON_SWITCH_PROBE_H
#define VMON_SWITCH_PROBE_H

#include <linux/types.h>

/* Module parameter: run segment guests where limits are not enforced. */
extern bool vmon_allow_unprotected;

/**
 * vmon_probe() - enter a world at ring 1 and try
 *
 * Runs a few instructions through the world switch: the switch comes back, a
 * load through a flat segment sees the monitor page, one through a truncated
 * segment does not. May sleep.
 *
 * Return: 0 if the switch works, or -EIO (it does not: the module must not
 * load), or -ENOMEM.
 */
int vmon_probe(void);

/* Did the truncated segment stop the load? Valid after vmon_probe(). */
bool vmon_probe_limits_enforced(void);

/* Could EFER.LMSLE be set? Then this CPU has segment limits in 64-bit mode, too. */
bool vmon_probe_lmsle(void);

/**
 * struct vmon_refusal - why something cannot be had
 * @text:	both, for a message
 * @why:	the reason
 * @remedy:	what would help, or NULL
 */
struct vmon_refusal {
	const char *text;
	const char *why;
	const char *remedy;
};

#define VMON_REFUSAL(why_, remedy_) \
	{ .text = why_ ": " remedy_, .why = why_, .remedy = remedy_ }

/* NULL, or why guests cannot run on this host at all. */
const struct vmon_refusal *vmon_probe_refusal(void);

#endif /* VMON_SWITCH_PROBE_H */
