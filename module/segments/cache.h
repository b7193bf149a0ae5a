/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The segment cache: reloads of ES, DS and FS without leaving translated code, and VERW.
 *
 * Kernels load the same few selectors at every entry and return. Each of the
 * three registers has two ways, and each way a slot in the run GDT. Translated
 * code takes a way if the selector is the one it was made for and the guest's
 * descriptor in memory still reads the same; so the result is that of a load,
 * and the guest's table needs no tracing.
 *
 * Kernels execute VERW at every return to user mode for what it does besides: it clears the CPU's
 * buffers. For the last selector that was writable translated code executes it, too.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#ifndef VMON_SEGMENTS_CACHE_H
#define VMON_SEGMENTS_CACHE_H

#include <linux/types.h>
#include "vm/cpu.h"
#include "switch/monitor_page.h"

/**
 * struct vmon_seg_cache - the monitor's side of the ways
 * @seg:	what loading a way means, by enum vmon_sreg
 * @used:	the way holds something
 * @loaded:	way in force at the last entry
 * @gdt_base, @gdt_limit: the guest's table that the ways were made from
 */
struct vmon_seg_cache {
	struct vmon_seg seg[VMON_NR_SREGS][VMON_SEG_WAYS];
	bool used[VMON_NR_SREGS][VMON_SEG_WAYS];
	u8 loaded[VMON_NR_SREGS];
	u32 gdt_base;
	u16 gdt_limit;
};

/* Drop all ways. */
void vmon_seg_cache_reset(struct vmon_seg_cache *c, struct vmon_mpage *p);

/**
 * vmon_seg_cache_enter() - before translated code runs
 * @gdt:	run GDT; slots of the ways are filled
 * @sel:	ES, DS, FS: the selectors to load
 *
 * Return: false if a segment has no truncated form.
 */
bool vmon_seg_cache_enter(struct vmon_seg_cache *c, struct vmon_mpage *p,
			  const struct vmon_cpu *cpu, u64 *gdt, u16 sel[6]);

/* After it: take over what translated code has loaded. */
void vmon_seg_cache_exit(struct vmon_seg_cache *c, const struct vmon_mpage *p,
			 struct vmon_cpu *cpu);

/**
 * vmon_seg_cache_learn() - the emulator has loaded @sreg: make a way of it
 * @desc:	the descriptor as it now is in guest memory; 0 for a null selector
 * @gva:	where it is; for a null selector the address of eight zero bytes
 */
void vmon_seg_cache_learn(struct vmon_seg_cache *c, struct vmon_mpage *p,
			  const struct vmon_cpu *cpu, u64 *gdt, unsigned int sreg,
			  u64 desc, u32 gva);

/**
 * vmon_seg_cache_learn_verw() - the emulator's VERW has found @sel writable
 * @p:		monitor page
 * @sel:	selector, of the GDT
 * @desc:	the descriptor as it now is in guest memory, at @gva
 */
void vmon_seg_cache_learn_verw(struct vmon_mpage *p, u16 sel, u64 desc, u32 gva);

#endif /* VMON_SEGMENTS_CACHE_H */
