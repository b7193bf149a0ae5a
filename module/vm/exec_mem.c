// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory for those who work on the guest's behalf.
 *
 * Everything written here on behalf of the guest passes vmon_exec_written(), so
 * that shadow tables and translated code made from the frame go with it.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/mem_encrypt.h>

#include "gfp.h"
#include "vm/exec_internal.h"

void *vmon_exec_frame(struct vmon_exec *x, u32 gfn)
{
	struct page *page = vmon_mem_page(x->vcpu->vm, gfn);

	if (IS_ERR(page)) {
		x->no_memory = true;
		return NULL;
	}
	return page ? page_address(page) : NULL;
}

/* Guest physical memory, for the walker: never crosses a page. */
static void *phys(void *priv, u64 gpa)
{
	u8 *host = gpa >> 32 ? NULL : vmon_exec_frame(priv, gpa >> 12);

	return host ? host + (gpa & ~PAGE_MASK) : NULL;
}

static u32 phys_read32(void *priv, u64 gpa)
{
	u32 *p = phys(priv, gpa);

	return p ? READ_ONCE(*p) : ~0u;
}

static u64 phys_read64(void *priv, u64 gpa)
{
	u64 *p = phys(priv, gpa);

	return p ? READ_ONCE(*p) : ~0ull;
}

static bool phys_cmpxchg32(void *priv, u64 gpa, u32 old, u32 new)
{
	u32 *p = phys(priv, gpa);

	return !p || cmpxchg(p, old, new) == old;
}

static bool phys_cmpxchg64(void *priv, u64 gpa, u64 old, u64 new)
{
	u64 *p = phys(priv, gpa);

	return !p || cmpxchg(p, old, new) == old;
}

const struct vmon_phys_ops vmon_exec_phys_ops = {
	.read32 = phys_read32,
	.read64 = phys_read64,
	.cmpxchg32 = phys_cmpxchg32,
	.cmpxchg64 = phys_cmpxchg64,
};

static void *mmu_alloc(void *priv)
{
	return (void *)get_zeroed_page(VMON_GFP);
}

static void mmu_free(void *priv, void *page)
{
	free_page((unsigned long)page);
}

static u64 mmu_entry(void *priv, void *page)
{
	return vmon_table_entry(page, 0);
}

static u64 mmu_frame(void *priv, u32 gfn)
{
	void *host = vmon_exec_frame(priv, gfn);

	return host ? vmon_table_entry(host, 0) : 0;
}

static u64 mmu_present(void *priv, u32 gfn)
{
	struct vmon_exec *x = priv;
	struct page *page = vmon_mem_page_present(x->vcpu->vm, gfn);

	return page ? vmon_table_entry(page_address(page), 0) : 0;
}

static const void *mmu_memory(void *priv, u32 gfn)
{
	return vmon_exec_frame(priv, gfn);
}

static void *mmu_alloc_links(void *priv)
{
	return kzalloc(512 * 12, VMON_GFP);
}

static void mmu_free_links(void *priv, void *links)
{
	kfree(links);
}

static void *mmu_alloc_big(void *priv, size_t size)
{
	return kvzalloc(size, VMON_GFP);
}

static void mmu_free_big(void *priv, void *p)
{
	kvfree(p);
}

const struct vmon_mmu_ops vmon_exec_mmu_ops = {
	.alloc = mmu_alloc,
	.free = mmu_free,
	.alloc_links = mmu_alloc_links,
	.free_links = mmu_free_links,
	.alloc_big = mmu_alloc_big,
	.free_big = mmu_free_big,
	.entry = mmu_entry,
	.frame = mmu_frame,
	.present = mmu_present,
	.memory = mmu_memory,
};

void vmon_exec_flush_tlb(struct vmon_exec *x)
{
	if (!++x->tlb_generation) {
		memset(x->tlb, 0, sizeof(x->tlb));
		x->tlb_generation = 1;
	}
}

/* The guest is about to run, and may write to every table that is not traced. */
void vmon_exec_enter_tlb(struct vmon_exec *x)
{
	u32 untraced = vmon_mmu_untraced(x->mmu);

	if (!++x->tlb_entry || untraced != x->untraced) {
		x->tlb_entry = 1;
		x->untraced = untraced;
		vmon_exec_flush_tlb(x);
	}
}

/* Is every write to the tables of this walk seen, by vmon_exec_written()? */
static bool traced(const struct vmon_exec *x, const struct vmon_walk *w)
{
	unsigned int level;

	for (level = w->level; level && level <= 2; level++)
		if (!(vmon_mmu_protected(x->mmu, w->step[level - 1].table_gfn) & VMON_GFN_TABLE))
			return false;
	return true;
}

void vmon_exec_written(struct vmon_exec *x, u64 gpa, unsigned int len)
{
	u8 why = vmon_mmu_protected(x->mmu, gpa >> 12);

	if (likely(!why))
		return;
	if (why & (VMON_GFN_TABLE | VMON_GFN_CODE_TABLE)) {
		vmon_mmu_written(x->mmu, gpa, len);
		vmon_exec_code_table_written(x, gpa, len);
		vmon_exec_flush_tlb(x);
	}
	if (why & VMON_GFN_CODE) {
		if (vmon_bt_invalidate_gpa(x->bt, gpa, len))
			vmon_count(x->vcpu, TU_INVALIDATED);
		if (!vmon_bt_gfn_used(x->bt, gpa >> 12))
			vmon_mmu_unprotect(x->mmu, gpa >> 12, VMON_GFN_CODE);
	}
	/* REP STOS of a frame that was a table, mostly. */
	x->emu.stop = !vmon_mmu_protected(x->mmu, gpa >> 12);
}

#define RESCHED_PAGES	4096

void vmon_exec_memory_written(struct vmon_vcpu *vcpu, u64 gpa, u64 size)
{
	struct vmon_exec *x = vcpu->exec;
	u64 end = gpa + size;
	unsigned int pages = 0;

	while (x->mmu && gpa < end) {
		unsigned int n = min_t(u64, end - gpa, PAGE_SIZE - (gpa & ~PAGE_MASK));

		vmon_exec_written(x, gpa, n);
		gpa += n;
		if (!(++pages % RESCHED_PAGES))
			cond_resched();
	}
}

bool vmon_exec_derived_from(struct vmon_vcpu *vcpu, const struct vmon_mem_range *range,
			    unsigned int n)
{
	/* Freed under vm->lock alone, which the caller holds. */
	struct vmon_mmu *mmu = READ_ONCE(vcpu->exec->mmu);
	unsigned int pages = 0;

	for (; mmu && n; range++, n--) {
		u64 gfn = range->gpa >> PAGE_SHIFT;
		u64 last = (range->gpa + range->size - 1) >> PAGE_SHIFT;

		for (; gfn <= last; gfn++) {
			if (vmon_mmu_protected(mmu, gfn))
				return true;
			if (!(++pages % RESCHED_PAGES))
				cond_resched();
		}
	}
	return false;
}

static struct vmon_tlb_entry *tlb_slot(struct vmon_exec *x, u32 gva, unsigned int acc)
{
	return &x->tlb[acc & 7][gva >> 12 & (VMON_TLB_SLOTS - 1)];
}

static bool tlb_hit(const struct vmon_exec *x, const struct vmon_tlb_entry *t, u32 gva)
{
	return t->tag == gva >> 12 && t->generation == x->tlb_generation &&
	       (!t->entry || t->entry == x->tlb_entry);
}

/*
 * Where an access that stays within a page goes: host memory, or MMIO (@host is
 * NULL then and *gpa says where).
 */
static noinline int translate(struct vmon_emu *e, u32 gva, unsigned int acc, u8 **host,
			      u64 *gpa)
{
	struct vmon_exec *x = e->priv;
	struct vmon_tlb_entry *t = tlb_slot(x, gva, acc);
	struct vmon_walk w;

	if (tlb_hit(x, t, gva)) {
		*host = t->host + (gva & ~PAGE_MASK);
		*gpa = (u64)t->gfn << 12 | (gva & ~PAGE_MASK);
		return VMON_EMU_OK;
	}
	if (vmon_walk(e->cpu, &vmon_exec_phys_ops, x, gva, acc, &w))
		return vmon_emu_page_fault(e, gva, w.error);
	*gpa = w.gpa;
	*host = phys(x, w.gpa);
	if (*host) {
		t->tag = gva >> 12;
		t->generation = x->tlb_generation;
		t->entry = traced(x, &w) ? 0 : x->tlb_entry;
		t->gfn = w.gpa >> 12;
		t->host = *host - (gva & ~PAGE_MASK);
	}
	return VMON_EMU_OK;
}

static int mmio(struct vmon_exec *x, u64 gpa, void *buf, unsigned int len, bool write)
{
	while (len) {
		unsigned int n = len >= 4 ? 4 : len >= 2 ? 2 : 1;
		u32 val = 0;
		int err;

		if (write) {
			memcpy(&val, buf, n);
			err = vmon_io_write(x->vcpu, VMON_SPACE_MMIO, gpa, n, val);
		} else {
			err = vmon_io_read(x->vcpu, VMON_SPACE_MMIO, gpa, n, &val);
			memcpy(buf, &val, n);
		}
		if (err)
			return VMON_EMU_RETRY;
		gpa += n;
		buf += n;
		len -= n;
	}
	return VMON_EMU_OK;
}

/* Most accesses are of a word: not worth a call, and REP MOVS takes its time to begin. */
static __always_inline void copy(void *to, const void *from, unsigned int len)
{
	switch (len) {
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, len);
	}
}

static noinline int access_slow(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
				unsigned int acc, bool write)
{
	unsigned int first = min_t(unsigned int, len, PAGE_SIZE - (gva & ~PAGE_MASK));
	struct vmon_exec *x = e->priv;
	u8 *host[2] = {};
	u64 gpa[2];
	unsigned int i, n;
	int err;

	err = translate(e, gva, acc, &host[0], &gpa[0]);
	if (!err && first < len)
		err = translate(e, gva + first, acc, &host[1], &gpa[1]);
	for (i = 0; !err && len; i++) {
		n = i ? len : first;
		if (!host[i]) {
			err = mmio(x, gpa[i], buf, n, write);
		} else if (write) {
			memcpy(host[i], buf, n);
			vmon_exec_written(x, gpa[i], n);
		} else {
			memcpy(buf, host[i], n);
		}
		buf += n;
		len -= n;
	}
	return err;
}

static int access(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		  unsigned int acc, bool write)
{
	struct vmon_exec *x = e->priv;
	const struct vmon_tlb_entry *t = tlb_slot(x, gva, acc);
	u32 off = gva & ~PAGE_MASK;

	if (off + len > PAGE_SIZE || !tlb_hit(x, t, gva))
		return access_slow(e, gva, buf, len, acc, write);
	if (write) {
		copy(t->host + off, buf, len);
		vmon_exec_written(x, (u64)t->gfn << 12 | off, len);
	} else {
		copy(buf, t->host + off, len);
	}
	return VMON_EMU_OK;
}

int vmon_exec_mem_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		       unsigned int acc)
{
	/* What is written later is read with the right to write. */
	return access(e, gva, buf, len, acc, false);
}

int vmon_exec_mem_write(struct vmon_emu *e, u32 gva, const void *buf,
			unsigned int len, unsigned int acc)
{
	return access(e, gva, (void *)buf, len, acc | VMON_ACC_W, true);
}

/* Give up tracing the frame behind @gva, if it is: nothing made from it is kept. */
void vmon_exec_untrace(struct vmon_exec *x, u32 gva)
{
	struct vmon_walk w;
	u32 gfn;

	if (gva >= VMON_MPAGE_GVA ||
	    vmon_walk_probe(&x->vcpu->cpu, &vmon_exec_phys_ops, x, gva, 0, &w))
		return;
	gfn = w.gpa >> 12;
	if (!vmon_mmu_protected(x->mmu, gfn))
		return;
	if (vmon_mmu_protected(x->mmu, gfn) & (VMON_GFN_CODE | VMON_GFN_CODE_TABLE)) {
		vmon_exec_code_flush(x);
		vmon_mmu_unprotect(x->mmu, gfn, VMON_GFN_CODE | VMON_GFN_CODE_TABLE);
	}
	vmon_mmu_drop(x->mmu, gfn);
}

/* Descriptor tables, read with system privilege; nothing is raised. */
int vmon_exec_read_system(void *priv, u32 gva, void *buf, unsigned int len)
{
	struct vmon_exec *x = priv;

	return vmon_exec_mem_read(&x->emu, gva, buf, len, 0) ? -EFAULT : 0;
}
