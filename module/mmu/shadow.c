// SPDX-License-Identifier: GPL-2.0
/*
 * Hidden faults: how the shadow is filled from the guest's tables.
 *
 * The walk says what the guest allows; an entry gives that, less what must be
 * seen (first write of a page not dirty yet, writes to traced frames). Entries
 * near the one that faulted are filled as well where that is known to be right.
 */
#include <linux/compiler.h>

#include "emulator/emulate.h"
#include "mmu/internal.h"
#include "switch/monitor_page.h"

#define AROUND		16	/* entries filled with the one that faulted */
/* In last-level entries of either size; and VMON_PTE_NX without EFER.NXE. */
#define PTE_RESERVED	(0x7ff0000000000000ull | VMON_PTE_PAT)

static unsigned int walk_access(u64 e)
{
	return ((e & VMON_PTE_W) ? ACC_W : 0) | ((e & VMON_PTE_U) ? ACC_U : 0) |
	       ((e & VMON_PTE_NX) ? ACC_NX : 0);
}

static u64 access_bits(unsigned int access)
{
	return ((access & ACC_W) ? VMON_PTE_W : 0) | ((access & ACC_U) ? VMON_PTE_U : 0) |
	       ((access & ACC_NX) ? VMON_PTE_NX : 0);
}

/*
 * Is the directory's share of the rights in the shadow's directory entry? Not where
 * that would refuse the monitor its page, and not with CR0.WP clear, see below.
 */
static bool dir_restricts(const struct vmon_mmu *m, u32 gva)
{
	return m->wp && gva < TOP_GVA;
}

/* The last-level shadow page for @gva under directory @dir; fills its slot. */
static u32 get_table(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 dir,
		     u32 gva, const struct vmon_walk *w)
{
	unsigned int i = gva >> 21 & 511;
	bool paging = cpu->cr0 & VMON_CR0_PG;
	bool pae = cpu->cr4 & VMON_CR4_PAE;
	u64 bits = DIRECTORY_BITS, pde = w->step[1].entry;
	u32 slot = dir * 512 + i;
	u32 gfn, role, page;

	role = gva >= TOP_GVA ? ROLE_TOP : 0;
	if (!paging) {
		gfn = gva >> 21 << 9;
		role |= ROLE_DIRECT | ROLE_ACCESS(ACC_W | ACC_U | ACC_D);
	} else if (w->large) {
		gfn = (u32)(w->gpa >> 21) << 9;
		role |= ROLE_DIRECT | ROLE_ACCESS(walk_access(pde) |
						  (pde & VMON_PTE_D ? ACC_D : 0));
	} else {
		gfn = w->step[0].table_gfn;
		role |= pae ? ROLE_PAE : ROLE_QUADRANT(i & 1);
		if (dir_restricts(m, gva))
			bits = VMON_PTE_P | VMON_PTE_A | access_bits(walk_access(pde));
		else
			role |= ROLE_ACCESS(walk_access(pde));
	}
	page = vmon_mmu_find_page(m, gfn, role);
	if (*mmu_slot_owner(m, slot) == page && page)
		return page;
	vmon_mmu_zap_slot(m, dir, i);
	if (!page)
		page = vmon_mmu_get_page(m, gfn, role);
	/* Getting a page may not take one away: only a flush does. */
	if (!page)
		return 0;
	*mmu_slot_entry(m, slot) = m->pages[page].entry | bits;
	*mmu_slot_owner(m, slot) = page;
	vmon_mmu_link_slot(m, &m->pages[page].parents, slot);
	return page;
}

static void fill_slot(struct vmon_mmu *m, u32 slot, u64 entry, u32 gfn)
{
	vmon_mmu_zap_slot(m, slot / 512, slot % 512);
	*mmu_slot_entry(m, slot) = entry;
	*mmu_slot_owner(m, slot) = gfn + 1;
	vmon_mmu_link_slot(m, &m->rmap[gfn], slot);
}

/*
 * A last-level entry was written. If the guest has marked it accessed already,
 * it means to use it at once (kernels do so when they serve a fault): fill the
 * shadow's entry now, which saves the hidden fault.
 */
void vmon_mmu_refill_slot(struct vmon_mmu *m, u32 page, unsigned int i, u64 pte)
{
	struct shadow_page *sp = &m->pages[page];
	u32 gfn = (pte & VMON_PTE_ADDR) >> 12;
	u64 frame, e = VMON_PTE_P | VMON_PTE_A;

	if (!m->wp || (sp->role & ROLE_TOP) || !sp->parents ||
	    (pte & (VMON_PTE_P | VMON_PTE_A)) != (VMON_PTE_P | VMON_PTE_A) ||
	    (pte & PTE_RESERVED) || ((pte & VMON_PTE_NX) && !m->nx) ||
	    (pte & VMON_PTE_ADDR) >> 12 >= m->max_gfn)
		return;
	frame = m->ops->frame(m->priv, gfn);
	if (!frame)
		return;
	e |= frame | (pte & (VMON_PTE_U | VMON_PTE_NX));
	if ((pte & VMON_PTE_W) && (pte & VMON_PTE_D) && !m->flags[gfn])
		e |= VMON_PTE_W | VMON_PTE_D;
	fill_slot(m, page * 512 + i, e, gfn);
}

/* Fill the neighbours that the guest has used before, too. */
static void fill_around(struct vmon_mmu *m, u32 page, unsigned int i, u64 gpa)
{
	bool pae = m->pages[page].role & ROLE_PAE;
	unsigned int first = i & ~(AROUND - 1), j, index;
	const void *table = m->ops->memory(m->priv, gpa >> 12);

	if (!table)
		return;
	index = (gpa & 0xfff) / (pae ? 8 : 4) - (i - first);
	for (j = first; j < first + AROUND; j++, index++) {
		if (*mmu_slot_owner(m, page * 512 + j))
			continue;
		vmon_mmu_refill_slot(m, page, j, pae ? READ_ONCE(((const u64 *)table)[index]) :
						       READ_ONCE(((const u32 *)table)[index]));
	}
}

/*
 * Fill the neighbours in a large page, or with paging off: all have the same
 * rights, @bits. Only frames that are there already: memory is taken by use.
 */
static void fill_large(struct vmon_mmu *m, u32 page, unsigned int i, u32 gfn,
		       u64 bits, bool may_write)
{
	unsigned int first = i & ~(AROUND - 1), j;

	for (j = first; j < first + AROUND; j++) {
		u32 other = gfn - i + j;
		u64 frame;

		if (*mmu_slot_owner(m, page * 512 + j) || other >= m->max_gfn ||
		    ((m->pages[page].role & ROLE_TOP) && j == 511))
			continue;
		frame = m->ops->present(m->priv, other);
		if (!frame)
			continue;
		if (may_write && !m->flags[other])
			frame |= VMON_PTE_W | VMON_PTE_D;
		fill_slot(m, page * 512 + j, frame | bits, other);
	}
}

/* The bits of a last-level entry by the guest's tables; apart from that, @writable. */
static u64 leaf_bits(const struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 gva,
		     unsigned int acc, const struct vmon_walk *w, bool *writable)
{
	u64 pde = w->step[1].entry;
	u64 leaf = w->large ? pde : w->step[0].entry;
	u64 both = pde & leaf;
	bool user = both & VMON_PTE_U;
	u64 e = VMON_PTE_P | VMON_PTE_A;

	*writable = true;
	if (!(cpu->cr0 & VMON_CR0_PG))
		return e | VMON_PTE_U;
	e |= (pde | leaf) & VMON_PTE_NX;
	if (!(leaf & VMON_PTE_D))
		*writable = false;
	if (dir_restricts(m, gva)) {
		/* The directory's share is in the directory entry. */
		if (!(leaf & VMON_PTE_W))
			*writable = false;
		user = leaf & VMON_PTE_U;
	} else if (!(both & VMON_PTE_W)) {
		/*
		 * CR0.WP clear: a supervisor may write here, a user may only read.
		 * One entry cannot say both, so it serves whoever faulted last.
		 */
		if (!m->wp && (acc & VMON_ACC_W) && !(acc & VMON_ACC_U))
			user = false;
		else
			*writable = false;
	}
	return user ? e | VMON_PTE_U : e;
}

enum vmon_mmu_result vmon_mmu_fault(struct vmon_mmu *m, struct vmon_cpu *cpu,
				    u32 gva, unsigned int acc, u16 *error)
{
	struct vmon_walk w;
	unsigned int i = gva >> 12 & 511, tries;
	u32 dir, table, gfn;
	u64 frame, e;
	bool writable;

	if (vmon_walk(cpu, m->phys, m->priv, gva, acc, &w)) {
		*error = w.error;
		return VMON_MMU_TRUE_FAULT;
	}
	if (gva >= VMON_MPAGE_GVA)
		return VMON_MMU_EMULATE;
	if (mmu_in_window(m, gva)) {
		m->window_conflict = true;
		return VMON_MMU_EMULATE;
	}
	gfn = w.gpa >> 12;
	frame = gfn < m->max_gfn ? m->ops->frame(m->priv, gfn) : 0;
	if (!frame)
		return VMON_MMU_EMULATE;
	if ((acc & VMON_ACC_W) && m->flags[gfn])
		return VMON_MMU_EMULATE;

	for (tries = 0; tries < 2; tries++) {
		dir = vmon_mmu_get_root(m, cpu, gva);
		table = dir ? get_table(m, cpu, dir, gva, &w) : 0;
		if (table)
			break;
		vmon_mmu_flush(m);
	}
	if (!table)
		return VMON_MMU_NOMEM;

	e = leaf_bits(m, cpu, gva, acc, &w, &writable);
	if (writable && !m->flags[gfn])
		frame |= VMON_PTE_W | VMON_PTE_D;

	fill_slot(m, table * 512 + i, e | frame, gfn);
	if (w.level == 1)
		fill_around(m, table, i, w.step[0].gpa);
	else if (m->wp || !w.level)
		fill_large(m, table, i, gfn, e, writable);
	return VMON_MMU_FIXED;
}
