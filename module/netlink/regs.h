/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMON_A_REGS: struct vmon_regs to and from struct vmon_cpu. Pure.
 */
#ifndef VMON_NETLINK_REGS_H
#define VMON_NETLINK_REGS_H

#include "../../uapi/vmon.h"
#include "vm/cpu.h"

/* NULL, or what is wrong with registers that the owner wants to set. */
const char *vmon_regs_refusal(const struct vmon_regs *r);

/* Registers that were not refused into a CPU; what they do not name stays. */
void vmon_regs_set(struct vmon_cpu *cpu, const struct vmon_regs *r);

void vmon_regs_get(const struct vmon_cpu *cpu, struct vmon_regs *r);

#endif /* VMON_NETLINK_REGS_H */
