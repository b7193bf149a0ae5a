// SPDX-License-Identifier: GPL-2.0
/*
 * Guest page-table walker, see walk.h.
 *
 * First a walk that changes nothing and collects permissions, then the checks,
 * then the accessed and dirty bits by compare-and-exchange; an entry that changed
 * in between starts the walk anew.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include "mmu/walk.h"
#include "emulator/emulate.h"
#include "vm/cpuid.h"

#define PAE_ADDR	(((1ull << VMON_PHYS_BITS) - 1) & ~0xfffull)
/* Bits 62:MAXPHYADDR, of every PAE entry. */
#define PAE_RSVD	(~(VMON_PTE_NX | ((1ull << VMON_PHYS_BITS) - 1)))
#define PAE_LARGE_RSVD	0x00000000001ff000ull	/* PAT (bit 12), 20:13 */
#define PSE_LARGE_RSVD	0x00000000003ff000ull	/* PAT (bit 12), 21:13 */
#define PDPTE_RSVD	(0x1e6ull | VMON_PTE_NX | PAE_RSVD)

#define RESTART		1

static u64 entry_read(const struct vmon_phys_ops *phys, void *priv, bool pae,
		      u64 gpa)
{
	return pae ? phys->read64(priv, gpa) : phys->read32(priv, gpa);
}

static bool entry_update(const struct vmon_phys_ops *phys, void *priv, bool pae,
			 u64 gpa, u64 old, u64 new)
{
	if (pae)
		return phys->cmpxchg64(priv, gpa, old, new);
	return phys->cmpxchg32(priv, gpa, old, new);
}

static u64 reserved_bits(const struct vmon_cpu *cpu, bool pae, bool large,
			 unsigned int level)
{
	u64 rsvd = 0;

	if (pae) {
		rsvd = PAE_RSVD;
		if (!(cpu->efer & VMON_EFER_NX))
			rsvd |= VMON_PTE_NX;
	}
	if (large)
		rsvd |= pae ? PAE_LARGE_RSVD : PSE_LARGE_RSVD;
	else if (level == 1)
		rsvd |= VMON_PTE_PAT;
	return rsvd;
}

static int fail(struct vmon_walk *w, u16 error)
{
	w->error = error;
	return -EFAULT;
}

/* Walk levels 2 and 1; @base is the page directory's address. */
static int descend(const struct vmon_cpu *cpu, const struct vmon_phys_ops *phys,
		   void *priv, u64 base, bool pae, u16 error,
		   struct vmon_walk *w)
{
	unsigned int level, bits = pae ? 9 : 10, shift, index;
	u64 entry, addr, span;

	for (level = 2; ; level--) {
		shift = 12 + bits * (level - 1);
		index = w->gva >> shift & ((1u << bits) - 1);
		w->level = level;
		w->step[level - 1].table_gfn = base >> 12;
		w->step[level - 1].gpa = base + index * (pae ? 8 : 4);
		entry = entry_read(phys, priv, pae, w->step[level - 1].gpa);
		w->step[level - 1].entry = entry;
		if (!(entry & VMON_PTE_P))
			return fail(w, error);
		/* PS counts with PAE always, else with CR4.PSE. */
		w->large = level == 2 && (entry & VMON_PTE_PS) &&
			   (pae || (cpu->cr4 & VMON_CR4_PSE));
		if (entry & reserved_bits(cpu, pae, w->large, level))
			return fail(w, error | VMON_PF_P | VMON_PF_RSVD);
		if (!(entry & VMON_PTE_W))
			w->access &= ~VMON_WALK_W;
		if (!(entry & VMON_PTE_U))
			w->access &= ~VMON_WALK_U;
		if (entry & VMON_PTE_NX)
			w->access |= VMON_WALK_NX;
		addr = entry & (pae ? PAE_ADDR : 0xfffff000ull);
		if (level == 1 || w->large)
			break;
		base = addr;
	}
	span = (1ull << shift) - 1;
	w->gpa = (addr & ~span) | (w->gva & span);
	w->dirty = entry & VMON_PTE_D;
	w->global = (entry & VMON_PTE_G) && (cpu->cr4 & VMON_CR4_PGE);
	return 0;
}

/* SDM vol. 3, 4.6.1. */
static bool permitted(const struct vmon_cpu *cpu, unsigned int acc, u32 access)
{
	if ((acc & VMON_ACC_U) && !(access & VMON_WALK_U))
		return false;
	if ((acc & VMON_ACC_X) && (access & VMON_WALK_NX))
		return false;
	if (!(acc & VMON_ACC_W) || (access & VMON_WALK_W))
		return true;
	return !(acc & VMON_ACC_U) && !(cpu->cr0 & VMON_CR0_WP);
}

static int set_bits(const struct vmon_phys_ops *phys, void *priv, bool pae,
		    unsigned int acc, struct vmon_walk *w)
{
	unsigned int level;
	u64 old, new;

	for (level = 2; level >= w->level; level--) {
		old = w->step[level - 1].entry;
		new = old | VMON_PTE_A;
		if (level == w->level && (acc & VMON_ACC_W))
			new |= VMON_PTE_D;
		if (new == old)
			continue;
		if (!entry_update(phys, priv, pae, w->step[level - 1].gpa, old,
				  new))
			return RESTART;
		w->step[level - 1].entry = new;
		if (level == w->level)
			w->dirty = new & VMON_PTE_D;
	}
	return 0;
}

static int walk_once(const struct vmon_cpu *cpu,
		     const struct vmon_phys_ops *phys, void *priv, u32 gva,
		     unsigned int acc, bool update, struct vmon_walk *w)
{
	bool pae = cpu->cr4 & VMON_CR4_PAE;
	u16 error = 0;
	u64 base;
	int ret;

	memset(w, 0, sizeof(*w));
	w->gva = gva;
	w->access = VMON_WALK_W | VMON_WALK_U;
	if (!(cpu->cr0 & VMON_CR0_PG)) {
		w->gpa = gva;
		w->dirty = true;
		return 0;
	}
	if (acc & VMON_ACC_W)
		error |= VMON_PF_W;
	if (acc & VMON_ACC_U)
		error |= VMON_PF_U;
	/* I is reported only where execution can be forbidden. */
	if ((acc & VMON_ACC_X) && pae && (cpu->efer & VMON_EFER_NX))
		error |= VMON_PF_I;

	w->top = 2;
	base = cpu->cr3 & 0xfffff000u;
	if (pae) {
		unsigned int i = gva >> 30;
		u64 table = cpu->cr3 & 0xffffffe0u;

		w->top = 3;
		w->level = 3;
		w->step[2].table_gfn = table >> 12;
		w->step[2].gpa = table + i * 8;
		w->step[2].entry = cpu->pdptr[i];
		if (!(cpu->pdptr[i] & VMON_PTE_P))
			return fail(w, error);
		base = cpu->pdptr[i] & PAE_ADDR;
	}
	ret = descend(cpu, phys, priv, base, pae, error, w);
	if (ret)
		return ret;
	if (!permitted(cpu, acc, w->access))
		return fail(w, error | VMON_PF_P);
	return update ? set_bits(phys, priv, pae, acc, w) : 0;
}

int vmon_walk(const struct vmon_cpu *cpu, const struct vmon_phys_ops *phys,
	      void *priv, u32 gva, unsigned int acc, struct vmon_walk *w)
{
	int ret;

	do {
		ret = walk_once(cpu, phys, priv, gva, acc, true, w);
	} while (ret == RESTART);
	return ret;
}

int vmon_walk_probe(const struct vmon_cpu *cpu,
		    const struct vmon_phys_ops *phys, void *priv, u32 gva,
		    unsigned int acc, struct vmon_walk *w)
{
	return walk_once(cpu, phys, priv, gva, acc, false, w);
}

bool vmon_walk_load_pdptrs(struct vmon_cpu *cpu,
			   const struct vmon_phys_ops *phys, void *priv)
{
	u64 table = cpu->cr3 & 0xffffffe0u, entry[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		entry[i] = phys->read64(priv, table + i * 8);
		if ((entry[i] & VMON_PTE_P) && (entry[i] & PDPTE_RSVD))
			return false;
	}
	memcpy(cpu->pdptr, entry, sizeof(entry));
	return true;
}
