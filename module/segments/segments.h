/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments: what the real descriptor table holds for the guest's.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#ifndef VMON_SEGMENTS_SEGMENTS_H
#define VMON_SEGMENTS_SEGMENTS_H

#include <linux/types.h>
#include "vm/cpu.h"

/**
 * vmon_desc_make() - descriptor from a segment's hidden part
 *
 * SDM vol. 3, 3.4.5. A limit of 1 MiB or more that is not of page granularity
 * is rounded down to it.
 */
u64 vmon_desc_make(u32 base, u32 limit, u16 attr);

/* The hidden part from a descriptor; sel is set as given. */
void vmon_desc_read(struct vmon_seg *seg, u64 desc, u16 sel);

/* The last byte that segments of ring 1 reach: VMON_LIMIT, but in a test of what that prevents. */
extern u32 vmon_segments_last;

/**
 * vmon_segment_cut() - descriptor for ring 1 of a guest kernel's data segment
 * @seg:	present segment, ES SS DS or FS
 * @desc:	DPL 1, limit cut so that no offset reaches the monitor page
 *
 * Return: false where no truncated descriptor gives the same meaning
 * (expand-down, or a base beyond the limit): the guest is emulated then.
 */
bool vmon_segment_cut(const struct vmon_seg *seg, u64 *desc);

/**
 * vmon_segments_kernel() - fill the ring-1 slots of CS, SS and GS in the run GDT
 * @cs, @ss:	the guest kernel's
 * @gdt:	run GDT
 *
 * ES, DS and FS: see segments/cache.h.
 *
 * Return: false if the guest kernel's CS or SS is not fit for translation.
 */
bool vmon_segments_kernel(const struct vmon_seg *cs, const struct vmon_seg *ss,
			  u64 *gdt);

#define VMON_GDT_RAW	64

/* Fill the ring-1 slots of CS, SS and GS for code of the monitor's own: flat. */
void vmon_segments_own(u64 *gdt);

/**
 * struct vmon_user_tables - shadows of the guest's GDT and LDT, for ring 3
 * @table:	by the TI bit of a selector: the run GDT, and the run LDT
 * @synced:	so many entries from the first on are not empty
 * @raw:	the first VMON_GDT_RAW descriptors of the guest's GDT, or NULL
 */
struct vmon_user_tables {
	u64 *table[2];
	unsigned int synced[2];
	u64 *raw;
};

/**
 * vmon_segments_user() - bring the shadows up to date and check the registers
 * @read:	reads guest linear memory with system privilege; 0 on success
 *
 * Only what ring 3 can load or look at is in the shadows: code and data of DPL 3
 * whose accessed bit is set already, or that are not present. Everything else
 * reads as empty, so that loading it traps to the emulator, which does what the
 * guest's descriptor says.
 *
 * Return: false if a segment register's hidden part differs from its descriptor,
 * the stack is of 16 bits, or EIP lies beyond CS: the guest is emulated then.
 */
bool vmon_segments_user(struct vmon_user_tables *u, const struct vmon_cpu *cpu,
			int (*read)(void *priv, u32 gva, void *buf, unsigned int len),
			void *priv);

/* Does loading the selector again, into register @sreg, give this segment? */
bool vmon_segment_reversible(const struct vmon_user_tables *u, const struct vmon_seg *seg,
			     unsigned int sreg);

/* What ring 3 has in a segment register that holds @sel. */
void vmon_segment_from_user(const struct vmon_user_tables *u, struct vmon_seg *seg, u16 sel);

/*
 * Ring 3 may have loaded segment registers: take over what it has in them. @all: even
 * where the selector is the one that @cpu has.
 */
void vmon_segments_user_exit(const struct vmon_user_tables *u, struct vmon_cpu *cpu,
			     const u16 sel[6], bool all);

#endif /* VMON_SEGMENTS_SEGMENTS_H */
