/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walker of the guest's page tables: what the CPU's page-miss handler does.
 *
 * Paging off, 32-bit paging with PSE, PAE paging with NX (SDM vol. 3, 4.2-4.4,
 * 4.6-4.8). One walker serves the emulator (which wants an address or a fault)
 * and the shadow MMU (which wants the tables and permissions on the way).
 * Pure: physical memory comes through struct vmon_phys_ops.
 */
#ifndef VMON_MMU_WALK_H
#define VMON_MMU_WALK_H

#include <linux/types.h>
#include "vm/cpu.h"
#include "switch/table_bits.h"

/* struct vmon_walk.access: what all levels together allow. */
#define VMON_WALK_W	0x2u	/* writable at all levels */
#define VMON_WALK_U	0x4u	/* user at all levels */
#define VMON_WALK_NX	0x8u	/* no-execute at any level, and NX is enabled */

/**
 * struct vmon_phys_ops - guest physical memory, aligned accesses
 *
 * A gpa outside RAM reads as all ones and ignores writes (cmpxchg then returns
 * true). cmpxchg returns false if the entry no longer held @old.
 */
struct vmon_phys_ops {
	u32 (*read32)(void *priv, u64 gpa);
	u64 (*read64)(void *priv, u64 gpa);
	bool (*cmpxchg32)(void *priv, u64 gpa, u32 old, u32 new);
	bool (*cmpxchg64)(void *priv, u64 gpa, u64 old, u64 new);
};

/* Levels: 1 page table, 2 page directory, 3 page-directory pointers. */
#define VMON_WALK_LEVELS 3

/**
 * struct vmon_walk - result of a walk
 * @gva:	address walked
 * @gpa:	translation (on success)
 * @access:	VMON_WALK_*: W and U both set with paging off
 * @error:	page-fault error code (on failure)
 * @level:	where the walk ended: 1 for a 4 KiB page, 2 for a large page, 0
 *		with paging off; on failure the level of the entry at fault
 * @top:	highest level walked: 2, or 3 with PAE, 0 with paging off
 * @large:	the leaf maps 2 or 4 MiB
 * @dirty:	the leaf has D set (after the walk)
 * @global:	the leaf has G set and CR4.PGE is on
 * @step:	by level - 1, valid from @top down to @level: @table_gfn the
 *		table's frame, @gpa the entry's address, @entry its value after
 *		the walk. Level 3 is cpu->pdptr: @gpa is where it was loaded from
 */
struct vmon_walk {
	u32 gva;
	u64 gpa;
	u32 access;
	u16 error;
	u8 level;
	u8 top;
	bool large;
	bool dirty;
	bool global;
	struct {
		u64 table_gfn;
		u64 gpa;
		u64 entry;
	} step[VMON_WALK_LEVELS];
};

/**
 * vmon_walk() - translate a linear address and set A and D as hardware does
 * @cpu:	CR0, CR3, CR4, EFER and PDPTRs in force
 * @phys:	guest physical memory
 * @priv:	for @phys
 * @gva:	linear address
 * @acc:	VMON_ACC_* of the access
 * @w:		result
 *
 * Accessed bits are set at all levels, and D in the leaf of a write, once the
 * access is known to be permitted.
 *
 * Return: 0, or -EFAULT with @w->error set.
 */
int vmon_walk(const struct vmon_cpu *cpu, const struct vmon_phys_ops *phys,
	      void *priv, u32 gva, unsigned int acc, struct vmon_walk *w);

/**
 * vmon_walk_probe() - like vmon_walk(), but changes nothing in guest memory
 */
int vmon_walk_probe(const struct vmon_cpu *cpu,
		    const struct vmon_phys_ops *phys, void *priv, u32 gva,
		    unsigned int acc, struct vmon_walk *w);

/**
 * vmon_walk_load_pdptrs() - load cpu->pdptr from CR3, as MOV to CR3 does
 * @cpu:	CPU; unchanged on failure
 * @phys:	guest physical memory
 * @priv:	for @phys
 *
 * Return: false if a present entry has reserved bits set (#GP(0)).
 */
bool vmon_walk_load_pdptrs(struct vmon_cpu *cpu,
			   const struct vmon_phys_ops *phys, void *priv);

/* Is PAE paging in force? */
static inline bool vmon_pae_paging(const struct vmon_cpu *cpu)
{
	return (cpu->cr0 & VMON_CR0_PG) && (cpu->cr4 & VMON_CR4_PAE);
}

#endif /* VMON_MMU_WALK_H */
