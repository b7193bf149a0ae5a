/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow MMU: the tables that the CPU walks in place of the guest's.
 *
 * A shadow page stands for one guest table (or a part of one: 64-bit entries are
 * twice as long), keyed by the guest frame and its role, and is kept when the
 * guest loads another CR3. The guest frame is write-traced: its writes come to
 * vmon_mmu_written(), which drops the entries made from what was there. So the
 * shadow never holds anything the guest's tables do not say, and INVLPG and CR3
 * loads drop nothing.
 *
 * Pure: compiles in the kernel and in userspace. One vCPU, no locks.
 */
#ifndef VMON_MMU_SHADOW_H
#define VMON_MMU_SHADOW_H

#include <linux/types.h>
#include "vm/cpu.h"
#include "mmu/walk.h"

/**
 * struct vmon_mmu_ops - surroundings
 * @alloc:	a zeroed, page-aligned page, or NULL
 * @free:	its end
 * @alloc_links, @free_links: 8 KiB, zeroed, for bookkeeping beside such a page
 * @alloc_big, @free_big: zeroed memory of any size; free_big takes NULL
 * @entry:	host physical address of such a page, as a table entry has it
 * @frame:	host physical address of a guest frame as a table entry has it; 0 if
 *		there is no RAM. May sleep.
 * @present:	the same, but 0 as well for a frame that nobody has used yet
 * @memory:	what a guest frame holds, to be read; NULL if there is no RAM
 */
struct vmon_mmu_ops {
	void *(*alloc)(void *priv);
	void (*free)(void *priv, void *page);
	void *(*alloc_links)(void *priv);
	void (*free_links)(void *priv, void *links);
	void *(*alloc_big)(void *priv, size_t size);
	void (*free_big)(void *priv, void *p);
	u64 (*entry)(void *priv, void *page);
	u64 (*frame)(void *priv, u32 gfn);
	u64 (*present)(void *priv, u32 gfn);
	const void *(*memory)(void *priv, u32 gfn);
};

struct vmon_mmu;

enum vmon_mmu_result {
	VMON_MMU_FIXED,		/* hidden fault: the shadow has the entry now */
	VMON_MMU_TRUE_FAULT,	/* the guest's own: error code in *error */
	VMON_MMU_EMULATE,	/* no mapping can do it: MMIO, traced write, top page */
	VMON_MMU_NOMEM,
};

/* Why a frame must not be written directly. */
#define VMON_GFN_TABLE	0x1	/* a shadow page stands for it */
#define VMON_GFN_CODE	0x2	/* translated code was made from it */
#define VMON_GFN_CODE_TABLE 0x4	/* ... through a page table in it */

/**
 * vmon_mmu_create() - an empty shadow
 * @max_gfn:	number of guest frames, RAM or not, that can be RAM
 * @pdpt:	page-directory-pointer table of the low 4 GiB, filled here
 * @mpage:	table entry of the monitor page, complete
 * @phys:	guest physical memory, for the walker
 */
struct vmon_mmu *vmon_mmu_create(const struct vmon_mmu_ops *ops,
				 const struct vmon_phys_ops *phys, void *priv,
				 u32 max_gfn, u64 *pdpt, u64 mpage);
void vmon_mmu_destroy(struct vmon_mmu *mmu);

/* Drop every shadow page (memory detached, reset). */
void vmon_mmu_flush(struct vmon_mmu *mmu);

/* CR0, CR3, CR4, EFER or PDPTEs changed: use the roots that they name. */
void vmon_mmu_load_root(struct vmon_mmu *mmu, const struct vmon_cpu *cpu);

/**
 * vmon_mmu_prepare() - before the guest is entered
 *
 * Makes sure that the monitor page and the translation cache are mapped.
 * Return: 0 or -ENOMEM.
 */
int vmon_mmu_prepare(struct vmon_mmu *mmu, const struct vmon_cpu *cpu);

/**
 * vmon_mmu_fault() - a page fault of the real CPU, or a wish to fill an entry
 * @acc:	VMON_ACC_*
 * @error:	for VMON_MMU_TRUE_FAULT: the guest's error code
 */
enum vmon_mmu_result vmon_mmu_fault(struct vmon_mmu *mmu, struct vmon_cpu *cpu,
				    u32 gva, unsigned int acc, u16 *error);

/* Guest memory was written by the monitor or for the guest; see VMON_GFN_TABLE. */
void vmon_mmu_written(struct vmon_mmu *mmu, u64 gpa, unsigned int len);

/* Drop all shadow pages that stand for a frame: it is not a table (now). */
void vmon_mmu_drop(struct vmon_mmu *mmu, u32 gfn);

/* Make all mappings of a frame read-only; @why is kept until vmon_mmu_unprotect(). */
void vmon_mmu_protect(struct vmon_mmu *mmu, u32 gfn, u8 why);
void vmon_mmu_unprotect(struct vmon_mmu *mmu, u32 gfn, u8 why);
u8 vmon_mmu_protected(const struct vmon_mmu *mmu, u32 gfn);

/* Counts frames that have stopped being traced as tables: by VMON_GFN_TABLE. */
u32 vmon_mmu_untraced(const struct vmon_mmu *mmu);

/**
 * vmon_mmu_set_window() - place the translation cache
 * @base:	guest linear address, multiple of 4 MiB
 * @tables:	last-level tables, each for 2 MiB, as complete directory entries
 */
void vmon_mmu_set_window(struct vmon_mmu *mmu, u32 base, const u64 *tables,
			 unsigned int nr);

/* Did the guest map something into the window? Read and cleared. */
bool vmon_mmu_window_conflict(struct vmon_mmu *mmu);

/* Does the guest map anything in the 4 MiB at @gva? */
bool vmon_mmu_region_free(struct vmon_mmu *mmu, const struct vmon_cpu *cpu, u32 gva);

struct vmon_mmu_stats {
	u32 pages;
	u64 flushes, zapped_pages, traced_writes;
};

void vmon_mmu_get_stats(const struct vmon_mmu *mmu, struct vmon_mmu_stats *stats);

#endif /* VMON_MMU_SHADOW_H */
