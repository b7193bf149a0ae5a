/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Speculation: what is flushed when control passes between host and guest.
 */
#ifndef VMON_SWITCH_SPECULATION_H
#define VMON_SWITCH_SPECULATION_H

#include <linux/types.h>

struct vmon_world;

/**
 * enum vmon_flush - kinds of flushes
 * @VMON_FLUSH_IBPB_ENTRY: branch predictors, before a CPU enters another guest than last
 * @VMON_FLUSH_IBPB_EXIT: branch predictors, after each exit
 * @VMON_FLUSH_VERW:	the CPU's buffers (MDS and its kin), before each entry
 * @VMON_FLUSH_RSB:	the return stack, in each exit, before the first RET
 */
enum vmon_flush {
	VMON_FLUSH_IBPB_ENTRY,
	VMON_FLUSH_IBPB_EXIT,
	VMON_FLUSH_VERW,
	VMON_FLUSH_RSB,
	VMON_FLUSH_NR
};

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

#endif /* VMON_SWITCH_SPECULATION_H */
