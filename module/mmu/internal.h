/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the shadow MMU's files share among themselves and with nobody else.
 *
 * Three kinds of link keep the shadow consistent, all by slot number (shadow page
 * times 512 plus entry), in a table of links beside every shadow page:
 *
 *   frame -> the last-level slots that map it, to write-protect it
 *   page  -> the directory slots that point to it, to take it away
 *   frame -> the shadow pages that stand for it (a hash), to trace its writes
 *
 * Guest tables are traced without exception, so an entry is right or absent.
 */
#ifndef VMON_MMU_INTERNAL_H
#define VMON_MMU_INTERNAL_H

#include <linux/types.h>

#include "mmu/shadow.h"
#include "switch/table_bits.h"

#define NR_PAGES	8192	/* shadow pages at most; then all are dropped */
#define NR_BUCKETS	4096
#define TOP_GVA		0xffe00000u	/* the last 2 MiB, see ROLE_TOP */
#define NO_SLOT		0u	/* slot ids begin at 512: page 0 is not used */
#define DIRECTORY_BITS	(VMON_PTE_P | VMON_PTE_W | VMON_PTE_U | VMON_PTE_A)

/* Role of a shadow page: what distinguishes pages of one frame. */
#define ROLE_DIR	0x0001u	/* page directory; else last level */
#define ROLE_PAE	0x0002u
#define ROLE_DIRECT	0x0004u	/* no guest table: a large page, or paging is off */
#define ROLE_TOP	0x0008u	/* the last 2 MiB: holds the monitor page */
#define ROLE_QUADRANT(q) ((u32)(q) << 4)	/* which part of the guest's table */
#define ROLE_ACCESS(a)	((u32)(a) << 8)	/* of a large page: bits below */
#define ACC_W		1u
#define ACC_U		2u
#define ACC_NX		4u
#define ACC_D		8u

struct slot_link {
	u32 prev, next;
};

struct shadow_page {
	u64 *table;
	struct slot_link *links;
	u64 entry;
	u32 gfn;
	u32 role;
	u32 hash_next;
	u32 parents;
	u32 writes;
	u16 filled;		/* slots that have an owner */
	bool used;
};

struct vmon_mmu {
	const struct vmon_mmu_ops *ops;
	const struct vmon_phys_ops *phys;
	void *priv;
	u64 *pdpt;
	u64 mpage;
	u32 max_gfn;
	u32 *rmap;		/* by gfn: first slot */
	u8 *flags;		/* by gfn: VMON_GFN_* */
	u32 untraced;		/* frames that have lost VMON_GFN_TABLE so far */
	struct shadow_page *pages;	/* [NR_PAGES], [0] unused */
	u32 nr_pages;		/* ever used */
	u32 free;		/* chain through hash_next */
	u32 *buckets;
	u32 root[4];		/* directory in force for each GiB, or 0 */
	u32 top_empty;		/* last 2 MiB where the guest maps nothing */
	u32 window;
	u64 window_tables[16];
	unsigned int window_nr;
	bool window_conflict;
	bool wp, nx;
	struct vmon_mmu_stats stats;
};

static inline u32 mmu_hash(u32 gfn)
{
	return (gfn * 2654435761u) >> 20;
}

static inline u64 *mmu_slot_entry(struct vmon_mmu *m, u32 slot)
{
	return &m->pages[slot / 512].table[slot % 512];
}

static inline struct slot_link *mmu_slot_link(struct vmon_mmu *m, u32 slot)
{
	return &m->pages[slot / 512].links[slot % 512];
}

/*
 * Which page or frame a filled slot belongs to is not in the entry (that holds
 * host addresses), so it is kept in a second half of the links page.
 */
static inline u32 *mmu_slot_owner(struct vmon_mmu *m, u32 slot)
{
	return (u32 *)&m->pages[slot / 512].links[512] + slot % 512;
}

/* The first linear address that a directory slot maps. */
static inline u32 mmu_dir_slot_gva(const struct shadow_page *sp, unsigned int i)
{
	return (sp->role >> 4 & 3) << 30 | i << 21;
}

static inline bool mmu_in_window(const struct vmon_mmu *m, u32 gva)
{
	return m->window_nr && gva >= m->window &&
	       (gva - m->window) >> 21 < m->window_nr;
}

static inline bool mmu_traced(const struct shadow_page *sp)
{
	return !(sp->role & ROLE_DIRECT);
}

/* pages.c */

/* A page that has this key, or 0; it is walked now, so its writes count anew. */
u32 vmon_mmu_find_page(struct vmon_mmu *m, u32 gfn, u32 role);

/*
 * The same, made and traced where there was none; 0 when memory or numbers run
 * out. No other page goes away for it: only a flush takes pages.
 */
u32 vmon_mmu_get_page(struct vmon_mmu *m, u32 gfn, u32 role);
void vmon_mmu_remove_page(struct vmon_mmu *m, u32 page);

/* Put a slot that has just got an owner on the list of that frame or page. */
void vmon_mmu_link_slot(struct vmon_mmu *m, u32 *head, u32 slot);

/* Empty a slot, be it empty or not. A directory's has its base entry then. */
void vmon_mmu_zap_slot(struct vmon_mmu *m, u32 page, unsigned int i);

/* roots.c */

/* The directory for the GiB of @gva, in force from now on; 0 as above. */
u32 vmon_mmu_get_root(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 gva);

/* shadow.c */

/* Entry @i of the last-level table that @page shadows was written: it is @pte. */
void vmon_mmu_refill_slot(struct vmon_mmu *m, u32 page, unsigned int i, u64 pte);

#endif /* VMON_MMU_INTERNAL_H */
