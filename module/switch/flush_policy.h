/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which flushes a CPU and its host kernel call for.
 *
 * Pure: facts in, decisions out, so that hosts nobody here has can be tried in a table.
 * The rule: what the host's kernel does at its own boundaries, vmon does at its own;
 * and where the host relies on the CPU to tell user from supervisor predictions, vmon
 * flushes, because a guest's kernel at ring 1 is a supervisor to the predictors.
 */
#ifndef VMON_SWITCH_FLUSH_POLICY_H
#define VMON_SWITCH_FLUSH_POLICY_H

#include <linux/types.h>

/**
 * enum vmon_flush - kinds of flushes
 * @VMON_FLUSH_IBPB_ENTRY: branch predictors, before a CPU enters another guest than last
 * @VMON_FLUSH_IBPB_EXIT: branch predictors, after each exit from a run with ring 1 in it
 * @VMON_FLUSH_VERW:	the CPU's buffers (MDS and its kin), before each entry
 * @VMON_FLUSH_RSB:	the return stack, in each exit, before the first RET
 * @VMON_FLUSH_BHB:	the branch history, in each exit, before the first indirect branch
 * @VMON_FLUSH_FPU:	FPU registers that are not the guest's, before each entry
 */
enum vmon_flush {
	VMON_FLUSH_IBPB_ENTRY,
	VMON_FLUSH_IBPB_EXIT,
	VMON_FLUSH_VERW,
	VMON_FLUSH_RSB,
	VMON_FLUSH_BHB,
	VMON_FLUSH_FPU,
	VMON_FLUSH_NR
};

/* The module parameter mitigate=. */
enum vmon_mitigate {
	VMON_MITIGATE_OFF,
	VMON_MITIGATE_AUTO,
	VMON_MITIGATE_ALL,
};

/**
 * struct vmon_speculation - what the policy looks at
 * @ibpb:	the CPU has IBPB and the host uses it
 * @user_ibrs:	the host parts its predictions from user code's by IBRS of any kind
 * @retpoline:	the host's indirect branches do not use predictions at all
 * @verw:	VERW overwrites buffers on this CPU
 * @buffer_bug:	and they leak: MDS, TAA, MMIO stale data, RFDS, TSA
 * @rsb:	the host fills the return stack after its own VM exits
 * @bhb:	the host clears branch history for itself, by whatever means
 * @meltdown:	loads past a permission check give data; so do FPU registers past CR0.TS
 */
struct vmon_speculation {
	bool ibpb, user_ibrs, retpoline;
	bool verw, buffer_bug;
	bool rsb, bhb;
	bool meltdown;
};

/**
 * vmon_flush_policy() - decide what is flushed
 * @s:		facts of CPU and host
 * @mitigate:	what the administrator says
 * @done:	result, by enum vmon_flush
 */
void vmon_flush_policy(const struct vmon_speculation *s, enum vmon_mitigate mitigate,
		       bool done[VMON_FLUSH_NR]);

#endif /* VMON_SWITCH_FLUSH_POLICY_H */
