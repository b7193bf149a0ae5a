// SPDX-License-Identifier: GPL-2.0
/*
 * Write traces: what happens to the shadow when the guest writes its tables.
 *
 * A traced frame has no writable mapping, so each write is emulated and comes
 * here, where the entries made from what was there are dropped. A frame that is
 * only written and never walked has stopped being a table, and is given up.
 */
#include "mmu/internal.h"

#define FLOOD	4	/* traced writes without a fault between: cheaper without */

/* A guest directory entry in the window's range may have become present. */
static void check_window(struct vmon_mmu *m, const struct shadow_page *sp,
			 unsigned int i, u64 gpa)
{
	if (mmu_in_window(m, mmu_dir_slot_gva(sp, i)) &&
	    m->phys->read32(m->priv, gpa) & VMON_PTE_P)
		m->window_conflict = true;
}

static void written_page(struct vmon_mmu *m, u32 page, u32 off, u32 len)
{
	struct shadow_page *sp = &m->pages[page];
	u32 quadrant = sp->role >> 4 & 3;
	unsigned int first, last, i;

	if (sp->role & ROLE_PAE) {
		for (i = off / 8; i <= (off + len - 1) / 8; i++) {
			u64 gpa = ((u64)sp->gfn << 12) + 8 * i;

			vmon_mmu_zap_slot(m, page, i);
			if (sp->role & ROLE_DIR)
				check_window(m, sp, i, gpa);
			else
				vmon_mmu_refill_slot(m, page, i, m->phys->read64(m->priv, gpa));
		}
		return;
	}
	first = off / 4;
	last = (off + len - 1) / 4;
	for (i = first; i <= last; i++) {
		u64 gpa = ((u64)sp->gfn << 12) + 4 * i;

		if (sp->role & ROLE_DIR) {
			/* 1024 entries in four directories, two slots each */
			if (i / 256 != quadrant)
				continue;
			vmon_mmu_zap_slot(m, page, i % 256 * 2);
			vmon_mmu_zap_slot(m, page, i % 256 * 2 + 1);
			check_window(m, sp, i % 256 * 2, gpa);
		} else if (i / 512 == quadrant) {
			vmon_mmu_zap_slot(m, page, i % 512);
			vmon_mmu_refill_slot(m, page, i % 512, m->phys->read32(m->priv, gpa));
		}
	}
}

void vmon_mmu_written(struct vmon_mmu *m, u64 gpa, unsigned int len)
{
	u32 gfn = gpa >> 12, off = gpa & 4095, page, next;

	if (gfn >= m->max_gfn || !(m->flags[gfn] & VMON_GFN_TABLE))
		return;
	m->stats.traced_writes++;
	for (page = m->buckets[mmu_hash(gfn)]; page; page = next) {
		struct shadow_page *sp = &m->pages[page];

		next = sp->hash_next;
		if (sp->gfn != gfn || !mmu_traced(sp))
			continue;
		written_page(m, page, off, len);
		/* Written over and over, never walked: it is no table any more. */
		if (++sp->writes >= FLOOD && page != m->root[0] && page != m->root[1] &&
		    page != m->root[2] && page != m->root[3])
			vmon_mmu_remove_page(m, page);
	}
}

void vmon_mmu_drop(struct vmon_mmu *m, u32 gfn)
{
	u32 page, next;

	for (page = m->buckets[mmu_hash(gfn)]; page; page = next) {
		next = m->pages[page].hash_next;
		if (m->pages[page].gfn == gfn && mmu_traced(&m->pages[page]))
			vmon_mmu_remove_page(m, page);
	}
}

void vmon_mmu_protect(struct vmon_mmu *m, u32 gfn, u8 why)
{
	u32 slot;

	if (gfn >= m->max_gfn)
		return;
	if (!m->flags[gfn])
		for (slot = m->rmap[gfn]; slot; slot = mmu_slot_link(m, slot)->next)
			*mmu_slot_entry(m, slot) &= ~(u64)VMON_PTE_W;
	m->flags[gfn] |= why;
}

void vmon_mmu_unprotect(struct vmon_mmu *m, u32 gfn, u8 why)
{
	if (gfn >= m->max_gfn)
		return;
	if (m->flags[gfn] & why & VMON_GFN_TABLE)
		m->untraced++;
	m->flags[gfn] &= ~why;
}

u32 vmon_mmu_untraced(const struct vmon_mmu *m)
{
	return m->untraced;
}

u8 vmon_mmu_protected(const struct vmon_mmu *m, u32 gfn)
{
	return gfn < m->max_gfn ? m->flags[gfn] : 0;
}
