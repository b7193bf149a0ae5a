// SPDX-License-Identifier: GPL-2.0
/*
 * Page directories in force, and what is mapped besides what the guest says.
 *
 * A directory is shadowed when its GiB is first needed, not when CR3 is loaded.
 * The monitor page and the translation cache (the window) must be there before
 * the guest is entered; the guest may map something where the window is before
 * its directory is traced, so that is looked at when a directory comes into force.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "mmu/internal.h"
#include "switch/monitor_page.h"

bool vmon_mmu_region_free(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 gva)
{
	u64 e;

	if (!(cpu->cr0 & VMON_CR0_PG))
		return gva >> 12 >= m->max_gfn;
	if (!(cpu->cr4 & VMON_CR4_PAE))
		return !(m->phys->read32(m->priv, (cpu->cr3 & ~0xfffu) +
					 (gva >> 22) * 4) & VMON_PTE_P);
	e = cpu->pdptr[gva >> 30];
	if (!(e & VMON_PTE_P))
		return true;
	e = (e & VMON_PTE_ADDR) + (gva >> 22 & 255) * 16;
	return !((m->phys->read64(m->priv, e) | m->phys->read64(m->priv, e + 8)) &
		 VMON_PTE_P);
}

static bool nx_enabled(const struct vmon_cpu *cpu)
{
	return (cpu->cr4 & VMON_CR4_PAE) && (cpu->efer & VMON_EFER_NX);
}

/* Do the directories in force map something where the window is? */
static void check_root(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	u32 gva;

	for (gva = m->window; gva - m->window < m->window_nr << 21; gva += 1u << 22)
		if (!vmon_mmu_region_free(m, cpu, gva))
			m->window_conflict = true;
}

/* What the directory for the GiB @q is kept under. */
static void root_key(const struct vmon_cpu *cpu, unsigned int q, u32 *gfn, u32 *role)
{
	*role = ROLE_DIR | ROLE_QUADRANT(q);
	if (!(cpu->cr0 & VMON_CR0_PG)) {
		*gfn = 0;
		*role |= ROLE_DIRECT;
	} else if (cpu->cr4 & VMON_CR4_PAE) {
		*gfn = cpu->pdptr[q] >> 12;
		*role |= ROLE_PAE;
		/* The monitor page is needed even where the guest has nothing. */
		if (!(cpu->pdptr[q] & VMON_PTE_P)) {
			*gfn = ~0u;
			*role |= ROLE_DIRECT;
		}
	} else {
		*gfn = cpu->cr3 >> 12;
	}
}

static void set_root(struct vmon_mmu *m, unsigned int q, u32 page)
{
	m->root[q] = page;
	if (page)
		m->pdpt[q] = m->pages[page].entry | DIRECTORY_BITS;
}

/*
 * Directories that are shadowed already come into force at once: a process that is switched to
 * needs two or three, and a fault for each is what a context switch would cost.
 */
void vmon_mmu_load_root(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	bool wp = cpu->cr0 & VMON_CR0_WP;
	unsigned int q;
	u32 gfn, role;

	/* Without WP, entries are wider than the guest's: nothing can be kept. */
	if (wp != m->wp) {
		vmon_mmu_flush(m);
		m->wp = wp;
	}
	memset(m->root, 0, sizeof(m->root));
	memset(m->pdpt, 0, 4 * sizeof(*m->pdpt));
	m->nx = nx_enabled(cpu);
	check_root(m, cpu);
	for (q = 0; q < 4; q++) {
		root_key(cpu, q, &gfn, &role);
		set_root(m, q, vmon_mmu_find_page(m, gfn, role));
	}
}

/* The directory for the GiB of @gva. */
u32 vmon_mmu_get_root(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 gva)
{
	unsigned int q = gva >> 30;
	u32 gfn, role;

	if (m->root[q])
		return m->root[q];
	/* Here, since a change of EFER drops the roots and loads none. */
	m->nx = nx_enabled(cpu);
	/* Before a directory is shadowed, it is written without our knowledge. */
	check_root(m, cpu);
	root_key(cpu, q, &gfn, &role);
	set_root(m, q, vmon_mmu_get_page(m, gfn, role));
	return m->root[q];
}

/* The directories for the monitor page and the translation cache. */
static bool get_monitor_roots(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	u32 last = m->window + (m->window_nr << 21) - 1, i;

	if (!vmon_mmu_get_root(m, cpu, VMON_MPAGE_GVA))
		return false;
	for (i = m->window >> 30; m->window_nr && i <= last >> 30; i++)
		if (!vmon_mmu_get_root(m, cpu, i << 30))
			return false;
	return true;
}

int vmon_mmu_prepare(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	if (get_monitor_roots(m, cpu))
		return 0;
	/* Pages ran out: start over, for all of them. */
	vmon_mmu_flush(m);
	return get_monitor_roots(m, cpu) ? 0 : -ENOMEM;
}

void vmon_mmu_set_window(struct vmon_mmu *m, u32 base, const u64 *tables,
			 unsigned int nr)
{
	vmon_mmu_flush(m);
	m->window = base;
	m->window_nr = nr;
	m->window_conflict = false;
	memcpy(m->window_tables, tables, nr * sizeof(*tables));
}

bool vmon_mmu_window_conflict(struct vmon_mmu *m)
{
	bool conflict = m->window_conflict;

	m->window_conflict = false;
	return conflict;
}
