// SPDX-License-Identifier: GPL-2.0
/*
 * Which guest pages translated code was made from, and when it stops being true.
 *
 * A unit holds as long as its bytes and its mapping do. Bytes: the frame is
 * write-protected. Mapping: within one root, the page-table entry that maps the
 * page is remembered, and that table is traced anyway. Across roots, the directory
 * entries of each 4 MiB region that holds code are compared when the guest loads
 * CR3; kernels have the same ones in every process, so nothing is lost then.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/mem_encrypt.h>

#include "gfp.h"
#include "vm/exec_internal.h"

#define CODE_GONE	(~0ull)	/* a slot that was used: the search goes on behind it */
#define CODE_USABLE	(VMON_CODE_SLOTS / 4 * 3)

/* Directory entries without what the CPU itself changes in them. */
#define PDE_SAME	(~(VMON_PTE_A | VMON_PTE_D))

static void read_region(struct vmon_exec *x, u32 gva, u64 pde[2])
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	u64 dir;

	pde[0] = 0;
	pde[1] = 0;
	if (!(cpu->cr0 & VMON_CR0_PG))
		return;
	if (!vmon_pae_paging(cpu)) {
		pde[0] = vmon_exec_phys_ops.read32(x, (cpu->cr3 & ~0xfffu) +
						   (gva >> 22) * 4) & PDE_SAME;
		return;
	}
	dir = cpu->pdptr[gva >> 30];
	if (!(dir & VMON_PTE_P))
		return;
	dir = (dir & VMON_PTE_ADDR) + (gva >> 22 & 255) * 16;
	pde[0] = vmon_exec_phys_ops.read64(x, dir) & PDE_SAME;
	pde[1] = vmon_exec_phys_ops.read64(x, dir + 8) & PDE_SAME;
}

/* The guest's directory may be another one, or have changed. */
void vmon_exec_code_root(struct vmon_exec *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_regions; i++) {
		struct vmon_code_region *r = &x->region[i];
		u64 pde[2];

		read_region(x, r->gva, pde);
		if (pde[0] == r->pde[0] && pde[1] == r->pde[1])
			continue;
		vmon_bt_invalidate_gva(x->bt, r->gva, 1u << 22);
		vmon_count(x->vcpu, TU_INVALIDATED);
		*r = x->region[--x->nr_regions];
		i--;
	}
}

static unsigned int code_hash(u64 pte)
{
	return (u32)(pte >> 2) * 2654435761u >> 20;
}

static u16 *code_tables(struct vmon_exec *x, u64 pte)
{
	return &x->code_tables[(u32)(pte >> 12) * 2654435761u >> 16 & (VMON_CODE_TABLES - 1)];
}

/* Translated code comes from nowhere. */
static void forget_code(struct vmon_exec *x)
{
	memset(x->code, 0, sizeof(x->code));
	memset(x->code_tables, 0, sizeof(x->code_tables));
	x->nr_regions = 0;
	x->nr_code = 0;
}

void vmon_exec_code_flush(struct vmon_exec *x)
{
	forget_code(x);
	vmon_bt_flush(x->bt, x->window);
	vmon_count(x->vcpu, TU_FLUSH);
}

/* A page table that the shadow has given up: so do we, the frame is data now. */
static void drop_table(struct vmon_exec *x, u32 gfn)
{
	unsigned int i, n = *code_tables(x, (u64)gfn << 12);

	/* Most are directories of processes that have gone. */
	for (i = 0; n && i < VMON_CODE_SLOTS; i++) {
		struct vmon_code_page *c = &x->code[i];

		if (c->pte == CODE_GONE || !c->pte || c->pte >> 12 != gfn)
			continue;
		vmon_bt_invalidate_gva(x->bt, c->gva, PAGE_SIZE);
		vmon_count(x->vcpu, TU_INVALIDATED);
		--*code_tables(x, c->pte);
		c->pte = CODE_GONE;
	}
	vmon_mmu_unprotect(x->mmu, gfn, VMON_GFN_CODE_TABLE);
}

/* Guest tables were written: is it an entry that maps code? */
void vmon_exec_code_table_written(struct vmon_exec *x, u64 gpa, unsigned int len)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	unsigned int size = vmon_pae_paging(cpu) ? 8 : 4, i, h;
	u64 entry = gpa & ~(u64)(size - 1);
	u32 gfn = gpa >> 12;
	bool root = gfn == cpu->cr3 >> 12;

	for (i = 0; size == 8 && i < 4; i++)
		root |= gfn == cpu->pdptr[i] >> 12;
	if (root) {
		vmon_exec_code_root(x);
	} else if (!(vmon_mmu_protected(x->mmu, gfn) & VMON_GFN_TABLE)) {
		drop_table(x, gfn);
		return;
	}
	for (; entry < gpa + len; entry += size) {
		for (h = code_hash(entry); x->code[h].pte;
		     h = (h + 1) % VMON_CODE_SLOTS) {
			if (x->code[h].pte != entry)
				continue;
			vmon_bt_invalidate_gva(x->bt, x->code[h].gva, PAGE_SIZE);
			vmon_count(x->vcpu, TU_INVALIDATED);
		}
	}
}

/* False when there is no room: flush, not here, where a unit is being made. */
static bool remember_code(struct vmon_exec *x, const struct vmon_walk *w)
{
	u32 gva = w->gva & PAGE_MASK, region = w->gva & ~0x3fffffu;
	unsigned int i;

	for (i = 0; i < x->nr_regions && x->region[i].gva != region; i++)
		;
	if (i == x->nr_regions) {
		if (i == VMON_CODE_REGIONS)
			return false;
		x->region[i].gva = region;
		read_region(x, region, x->region[i].pde);
		x->nr_regions = i + 1;
	}
	/* Traced whether or not they are shadowed. */
	if (w->top)
		vmon_mmu_protect(x->mmu, w->step[1].table_gfn, VMON_GFN_CODE_TABLE);
	if (w->level != 1)
		return true;
	for (i = code_hash(w->step[0].gpa); x->code[i].pte;
	     i = (i + 1) % VMON_CODE_SLOTS)
		if (x->code[i].pte == w->step[0].gpa && x->code[i].gva == gva)
			return true;
	if (x->nr_code == CODE_USABLE)
		return false;
	x->nr_code++;
	++*code_tables(x, w->step[0].gpa);
	x->code[i].pte = w->step[0].gpa;
	x->code[i].gva = gva;
	vmon_mmu_protect(x->mmu, w->step[0].table_gfn, VMON_GFN_CODE_TABLE);
	return true;
}

static int bt_fetch(void *priv, u32 gva, void *buf, unsigned int len, u64 *gpa)
{
	struct vmon_exec *x = priv;
	struct vmon_walk w;
	u8 *host;

	if (vmon_walk(&x->vcpu->cpu, &vmon_exec_phys_ops, x, gva, VMON_ACC_X, &w))
		return -EFAULT;
	host = w.gpa >> 32 ? NULL : vmon_exec_frame(x, w.gpa >> 12);
	if (!host)
		return -EFAULT;
	if (!remember_code(x, &w)) {
		x->code_full = true;
		return -EFAULT;
	}
	len = min_t(unsigned int, len, PAGE_SIZE - (gva & ~PAGE_MASK));
	memcpy(buf, host + (gva & ~PAGE_MASK), len);
	*gpa = w.gpa & PAGE_MASK;
	return len;
}

static void bt_protect(void *priv, u32 gfn)
{
	struct vmon_exec *x = priv;

	vmon_mmu_protect(x->mmu, gfn, VMON_GFN_CODE);
}

static void *bt_alloc(size_t size)
{
	return kvzalloc(size, VMON_GFP);
}

static void bt_free(void *p)
{
	kvfree(p);
}

const struct vmon_bt_ops vmon_exec_bt_ops = {
	.fetch = bt_fetch,
	.protect = bt_protect,
	.alloc = bt_alloc,
	.free = bt_free,
};

/*
 * Put the translation cache where the guest maps nothing, high up: kernels fill
 * their space from below.
 */
int vmon_exec_place_window(struct vmon_exec *x)
{
	u64 tables[VMON_TC_TABLES];
	unsigned int i;
	u32 base, gva;

	for (base = 0xfb000000; base >= 0x10000000; base -= 1u << 22) {
		for (gva = base; gva - base < VMON_TC_SIZE; gva += 1u << 22)
			if (!vmon_mmu_region_free(x->mmu, &x->vcpu->cpu, gva))
				break;
		if (gva - base == VMON_TC_SIZE)
			break;
	}
	if (base < 0x10000000)
		return -ENOSPC;
	for (i = 0; i < VMON_TC_TABLES; i++)
		tables[i] = vmon_table_entry(x->tc_tables[i], VMON_PTE_P | VMON_PTE_A);
	vmon_mmu_set_window(x->mmu, base, tables, VMON_TC_TABLES);
	forget_code(x);
	x->window = base;
	/* Null segments compare with zeroes in the window. */
	vmon_seg_cache_reset(&x->seg_cache, x->mpage);
	vmon_bt_flush(x->bt, base);
	vmon_count(x->vcpu, TU_FLUSH);
	return 0;
}

/*
 * The last thing before an entry: everything mapped that must be. Shadowing a root
 * may show that the guest maps something under the cache; then the cache has moved,
 * *@again is set, and whoever has an address in it must look again.
 */
enum vmon_run vmon_exec_tables(struct vmon_exec *x, bool *again)
{
	*again = false;
	if (vmon_mmu_prepare(x->mmu, &x->vcpu->cpu))
		return vmon_exec_error(x, "no memory for shadow page tables");
	if (!vmon_mmu_window_conflict(x->mmu))
		return VMON_RUN_AGAIN;
	*again = true;
	if (vmon_exec_place_window(x))
		return vmon_exec_error(x, "the guest leaves no room for the translation cache in its address space");
	return VMON_RUN_AGAIN;
}
