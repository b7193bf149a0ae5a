/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Speculation: what is flushed when control passes between host and guest.
 */
#ifndef VMON_SWITCH_SPECULATION_H
#define VMON_SWITCH_SPECULATION_H

#include <linux/types.h>

#include "switch/flush_policy.h"

struct vmon_world;

/**
 * vmon_speculation_init() - decide what this CPU and the host's mitigations ask for
 *
 * Once, before the first world runs. Return: 0, or -EINVAL (module parameter).
 */
int vmon_speculation_init(void);

/* Is this kind done here? */
bool vmon_flush_done(enum vmon_flush kind);

/* Around the switch, interrupts off; what was done is counted in @world->flushes. */
void vmon_flush_entry(struct vmon_world *world);
void vmon_flush_exit(struct vmon_world *world);

/**
 * vmon_flush_fpu() - make FPU registers that FXRSTOR leaves alone empty
 *
 * Between kernel_fpu_begin() and the FXRSTOR of the guest's state; where
 * VMON_FLUSH_FPU is done.
 */
void vmon_flush_fpu(void);

#endif /* VMON_SWITCH_SPECULATION_H */
