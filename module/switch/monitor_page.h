/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The monitor page: the top 4 KiB of every guest address space.
 *
 * Translated code reaches it through %gs, whose segment begins at
 * VMON_MPAGE_GVA; every segment that the guest kernel can load ends below it.
 * It holds the virtual CPU state that translated code reads and writes without
 * leaving for the monitor, and scratch slots. Nothing in it is trusted: the
 * monitor uses these values as guest values only, never as addresses or
 * indices of its own.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#ifndef VMON_SWITCH_MONITOR_PAGE_H
#define VMON_SWITCH_MONITOR_PAGE_H

#include <linux/types.h>

#define VMON_MPAGE_GVA	0xfffff000u
#define VMON_LIMIT	0xffffefffu	/* last byte that a guest segment may reach */

#define VMON_SEG_WAYS	2
#define VMON_OPERAND_ALIGN 64

/*
 * A selector and what its descriptor was when it was looked at. Kept negated, so that
 * LEA and JECXZ can compare without touching the flags.
 */
struct vmon_seg_known {
	u32 neg_sel;		/* minus the selector */
	u32 entry;		/* guest linear address of its descriptor */
	u32 neg_low, neg_high;	/* minus the descriptor */
};

/* A segment that translated code may load by itself: see segments/cache.h. */
struct vmon_seg_way {
	struct vmon_seg_known known;
	u32 sel;
	u32 slot;		/* selector of the run GDT; 0 for a null segment */
};

/**
 * struct vmon_mpage - layout of the monitor page
 * @spill:	scratch copies of the general registers, by enum vmon_gpr
 * @target:	where an inline lookup is about to jump to
 * @scratch:	for sequences that need a further slot
 * @vif:	the guest's interrupt flag: 0 or 0x200
 * @viopl:	the guest's IOPL, in place (bits 12-13)
 * @pending:	non-zero: an interrupt waits for @vif; STI, POPF check it
 * @guest_eip:	operand of a callout: a guest address (indirect branch target)
 * @sel:	the guest's segment selectors, zero-extended, by enum vmon_sreg
 * @cr:	the guest's control registers, to be read
 * @loaded:	which way ES, DS and FS hold
 * @way:	what they may be loaded with, by enum vmon_sreg
 * @writable:	a segment for which VERW sets ZF
 * @verw:	selector of the run GDT for which it does so at ring 1
 * @operand:	memory operand of an FPU instruction: vm/exec_fpu.c
 */
struct vmon_mpage {
	u32 spill[8];
	u32 target;
	u32 scratch[3];
	u32 vif;
	u32 viopl;
	u32 pending;
	u32 guest_eip;
	u32 sel[6];
	u32 cr[5];
	u32 loaded[6];
	struct vmon_seg_way way[6][VMON_SEG_WAYS];
	struct vmon_seg_known writable;
	u32 verw;
	u8 operand[128 + VMON_OPERAND_ALIGN] __aligned(VMON_OPERAND_ALIGN);
};

#endif /* VMON_SWITCH_MONITOR_PAGE_H */
